"""The tables of docs/benchmarks.md."""

from __future__ import annotations

from tables import Results, number, rows_of, seconds, share, table, text, with_protocol

SCORES = {
    "method": ("method", str),
    "mase": ("MASE", text(3)),
    "smape": ("sMAPE %", text(2)),
    "scaled_crps": ("CRPS, scaled", text(3)),
    "coverage80": ("in 80%", share),
    "coverage95": ("in 95%", share),
    "seconds": ("seconds", text(2)),
}


def m3(results: Results) -> str:
    """A line per part and method."""
    columns = {"set": ("part", str), **SCORES}
    rows = [
        row | {"set": row["set"].removeprefix("m3_")} for row in rows_of(results, "m3")
    ]
    waited = seconds(results["m3"]["whole_process_seconds"])
    process = f"Whole process, 1,428 monthly series: {waited}."
    return with_protocol(results, "m3", f"{table(rows, columns)}\n\n{process}")


def m4(results: Results) -> str:
    """A line per set and method."""
    columns = {
        "set": ("set", str),
        **{key: SCORES[key] for key in ("method", "smape", "mase")},
    }
    columns |= {"owa": ("OWA", text(3)), "seconds": ("seconds", text(2))}
    return with_protocol(results, "m4", table(rows_of(results, "m4"), columns))


def classic(results: Results) -> str:
    """A line per series, MASE of every method."""
    means = {"all": "mean_mase", "without the weekly ones": "mean_mase_without_weekly"}
    rows = rows_of(results, "classic")
    rows += [
        {"series": f"**mean, {what}**", **results["classic"][key]}
        for what, key in means.items()
    ]
    methods = [
        name
        for name in rows[0]
        if name not in ("series", "horizon", "coverage80", "coverage95")
    ]
    columns = {"series": ("series", str), "horizon": ("horizon", text(0))}
    columns |= {method: (method, text(3)) for method in methods}
    return with_protocol(results, "classic", table(rows, columns))


def airline(results: Results) -> str:
    """A line per method."""
    columns = {
        "method": SCORES["method"],
        "mape": ("MAPE %", text(2)),
        "mae": ("MAE", text(1)),
        "rmse": ("RMSE", text(1)),
    }
    columns |= {key: SCORES[key] for key in ("mase", "coverage80", "coverage95")}
    return with_protocol(
        results, "airline", table(rows_of(results, "airline"), columns)
    )


def coverage(results: Results) -> str:
    """Percent inside, and the range over steps."""
    rows = []
    for row in results["coverage"]["rows"]:
        line = {"set": row["set"], "origins": row["origins"]}
        for kind in (
            "calibrated80",
            "calibrated95",
            "uncalibrated80",
            "uncalibrated95",
        ):
            steps = [value for value in row[f"{kind}_by_step"] if value is not None]
            line[kind] = f"{row[kind]:.1f} ({min(steps):.0f} to {max(steps):.0f})"
        rows.append(line)
    columns = {
        "set": ("set", str),
        "origins": ("origins", text(0)),
        "calibrated80": ("80%", str),
        "calibrated95": ("95%", str),
        "uncalibrated80": ("80%, uncalibrated", str),
        "uncalibrated95": ("95%, uncalibrated", str),
    }
    note = "Percent of the values; in brackets the lowest and the highest step."
    return with_protocol(results, "coverage", f"{table(rows, columns)}\n\n{note}")


def ar1(results: Results) -> str:
    """A line per forecast of the next value."""
    columns = {
        "forecast": ("forecast", str),
        "mae": ("MAE", text(4)),
        "rmse": ("RMSE", text(4)),
    }
    columns["ratio_mae"] = ("MAE / one-step head's", text(3))
    return with_protocol(results, "ar1", table(rows_of(results, "ar1"), columns))


def speed(results: Results) -> str:
    """A line per thing that was timed."""
    result = results["speed"]
    rows = [
        {"what": f"`{name}`", "value": seconds(value)}
        for name, value in result.items()
        if name.startswith("process_")
    ]
    rows.append({"what": "`pass_1428x96`", "value": seconds(result["pass_1428x96"])})
    rows.append(
        {
            "what": "`one_observation`",
            "value": f"{1e6 * result['one_observation']:,.0f} µs",
        }
    )
    rows.append(
        {"what": "`series_per_second`", "value": number(result["series_per_second"], 0)}
    )
    if "core_megabytes" in result:
        rows.append(
            {"what": "`core_megabytes`", "value": number(result["core_megabytes"], 0)}
        )
    return with_protocol(
        results, "speed", table(rows, {"what": ("what", str), "value": ("median", str)})
    )


def shipped(results: Results) -> str:
    """A line per data set."""
    columns = {
        "set": ("set", str),
        "frequency": ("frequency", str),
        "series": ("series", text(0)),
        "horizon": ("horizon", text(0)),
        "mase": ("MASE", text(3)),
        "seasonal_naive_mase": ("seasonal naive", text(3)),
        "smape": ("sMAPE %", text(2)),
        "coverage80": ("in 80%", share),
        "coverage95": ("in 95%", share),
    }
    ratio = number(results["shipped"]["geometric_mean_to_seasonal_naive"], 3)
    note = (
        "Geometric mean over the sets of MASE relative to the seasonal naive "
        f"forecast's: {ratio}."
    )
    return with_protocol(
        results, "shipped", f"{table(rows_of(results, 'shipped'), columns)}\n\n{note}"
    )


def served(results: Results) -> str:
    """Results with many clients, fast streams and killed processes."""
    result = results["server"]
    clients, kills = result["clients"], result["kills"]
    load = (
        f"{clients['clients']} clients: {clients['answers']:,} answers, {clients['errors']} errors,"
        f" {clients['per_second']:.0f} a second. Median time to an answer:"
        f" {seconds(clients['single_median'])} for a single client, {seconds(clients['median'])}"
        f" with all of them; 99% of the answers took at most {seconds(clients['p99'])}"
        f" ({clients['p99_over_single']:.0f} times the single client's)."
    )
    columns = {
        "intervals": ("400 rows, 50 ticks a second", str),
        "ticks": ("ticks", text(0)),
        "median": ("median", seconds),
        "p99": ("99%", seconds),
        "worst": ("worst", seconds),
        "last_second": ("in the last second", seconds),
        "processor_ms_per_tick": ("processor ms per tick", text(1)),
    }
    names = {True: "adjusted intervals", False: "the network's own"}
    rows = [row | {"intervals": names[row["conformal"]]} for row in result["streams"]]
    killed = (
        f"Killed {kills['kills']} times while ticks arrived: {kills['acknowledged_lost']} of"
        f" {kills['ticks']:,} acknowledged ticks were lost, and {kills['never_sent']} appeared that"
        " were never sent."
    )
    return with_protocol(
        results, "server", f"{load}\n\n{table(rows, columns)}\n\n{killed}"
    )
