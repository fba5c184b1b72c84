"""What the README shows: three numbers, the table of numbers, and where the package is weak."""

from __future__ import annotations

from collections.abc import Mapping

from records import WEIGHTS
from tables import Results, cell, chosen, measured, number, seconds, share, table

M3 = ("yearly", "quarterly", "monthly", "other")


def headline(results: Results) -> str:
    """What matters most: ours, the best-known alternative beside it, their ratio, and the best
    of all others."""
    rows = [
        _airline(results),
        _classic(results),
        *_m3(results),
        _coverage(results),
        *_waiting(results),
    ]
    columns = {
        "what": ("", str),
        "ours": ("lstmcast", cell),
        "theirs": ("AutoETS", cell),
        "ratio": ("ratio", cell),
    }
    columns["best"] = ("best of all others", str)
    note = "Errors: lower is better, so a ratio below 1 is in favour of lstmcast."
    return f"{table(rows, columns)}\n\n{note} {measured(results['m3'])}"


def three(results: Results) -> str:
    """Three numbers that make somebody try it."""
    found = _three(results)
    lines = [
        f"**{found['months']} less error than AutoETS** on the 1,428 monthly series of M3, "
        f"in {found['ours']} s instead of {found['ets']} s.",
        f"**{found['classic']} less error than AutoETS** on ten classic series, airline to "
        "sunspots.",
        f"**{found['waiting']} s** from a file to a forecast, with a pretrained network of "
        f"{found['size']} MB.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def three_in_japanese(results: Results) -> str:
    """The same in Japanese, whose sentences run another way."""
    found = _three(results)
    lines = [
        f"M3の月次1,428系列で、**AutoETSより誤差が{found['months']}小さい**"
        f"(所要時間は{found['ours']}秒、AutoETSは{found['ets']}秒)。",
        "航空旅客数から太陽黒点までの古典的な10系列で、"
        f"**AutoETSより誤差が{found['classic']}小さい**。",
        f"ファイルから予測まで**{found['waiting']}秒**。学習済みネットワークは{found['size']} MB。",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _three(results: Results) -> dict[str, str]:
    months = errors_of(results, "m3", "mase", set="m3_monthly")
    ets = chosen(results, "m3", set="m3_monthly", method="AutoETS")["seconds"]
    return {
        "months": _less(months),
        "classic": _less(results["classic"]["mean_mase"]),
        "ours": number(results["m3"]["whole_process_seconds"], 2),
        "ets": number(ets, 0),
        "waiting": number(results["speed"]["process_airline_out"], 2),
        "size": f"{WEIGHTS.stat().st_size / 1e6:.1f}",
    }


def _less(errors: Mapping[str, float]) -> str:
    """How much smaller our error is than AutoETS's."""
    return f"{100 * (1 - errors['lstmcast'] / errors['AutoETS']):.0f}%"


def _compared(
    what: str, errors: Mapping[str, float], decimals: int, unit: str = ""
) -> dict[str, str]:
    """A row of our error, AutoETS's, their ratio, and the smallest one of all methods but ours."""
    ours, theirs = errors["lstmcast"], errors["AutoETS"]
    best = best_of_others(errors)
    return {
        "what": what,
        "ours": number(ours, decimals) + unit,
        "theirs": number(theirs, decimals) + unit,
        "ratio": f"{ours / theirs:.2f}",
        "best": f"{best} {number(errors[best], decimals)}{unit}",
    }


def best_of_others(errors: Mapping[str, float]) -> str:
    """The method with the smallest error, ours left out."""
    return min(
        (name for name in errors if name != "lstmcast"), key=lambda name: errors[name]
    )


def errors_of(
    results: Results, name: str, metric: str, **keys: str
) -> dict[str, float]:
    """The error of every method in the rows with these values."""
    rows = [
        row
        for row in results[name]["rows"]
        if all(row[key] == value for key, value in keys.items())
    ]
    return {row["method"]: row[metric] for row in rows}


def _airline(results: Results) -> dict[str, str]:
    return _compared(
        "airline, 12 months ahead, 13 cutoffs: MAPE",
        errors_of(results, "airline", "mape"),
        2,
        "%",
    )


def _classic(results: Results) -> dict[str, str]:
    mean = {
        name: value
        for name, value in results["classic"]["mean_mase"].items()
        if not name.startswith("coverage")
    }
    return _compared("ten classic series, last cycle at 5 cutoffs: MASE", mean, 3)


def _m3(results: Results) -> list[dict[str, str]]:
    rows = []
    for name in M3:
        rows.append(
            _compared(
                f"M3 {name}: MASE",
                errors_of(results, "m3", "mase", set=f"m3_{name}"),
                3,
            )
        )
        rows.append(
            _compared(
                f"M3 {name}: sMAPE",
                errors_of(results, "m3", "smape", set=f"m3_{name}"),
                2,
                "%",
            )
        )
    ets = chosen(results, "m3", set="m3_monthly", method="AutoETS")["seconds"]
    ours = results["m3"]["whole_process_seconds"]
    what = (
        "M3 monthly, 1,428 series: time (whole process; AutoETS: its fits on one core)"
    )
    rows.append(
        {
            "what": what,
            "ours": seconds(ours),
            "theirs": seconds(ets),
            "ratio": f"{ours / ets:.3f}",
            "best": "",
        }
    )
    return rows


def _coverage(results: Results) -> dict[str, str]:
    row = chosen(results, "coverage", set="m3_monthly")
    by_step = row["calibrated80_by_step"]
    steps = f"{min(by_step):.0f}–{max(by_step):.0f}% at single steps"
    return {
        "what": f"M3 monthly: values in the 80% interval ({steps})",
        "ours": f"{row['calibrated80']:.0f}%",
        "best": "",
    }


def _waiting(results: Results) -> list[dict[str, str]]:
    speed = results["speed"]
    labels = {
        "process_airline_out": "`lstmcast forecast airline.csv --horizon 12 --out f.csv`, whole "
        "process",
        "process_airline_plot_out": "the same with `--plot f.png`",
        "process_check_million_rows": "`lstmcast check` of a million rows",
        "process_help": "`lstmcast --help`",
    }
    rows = [
        {"what": what, "ours": seconds(speed[key]), "best": ""}
        for key, what in labels.items()
    ]
    if "core_megabytes" in speed:
        rows.append(
            {
                "what": "core install on disk",
                "ours": f"{speed['core_megabytes']:.0f} MB",
                "best": "",
            }
        )
    return rows


def weak(results: Results) -> str:
    """Where a simple or a classical forecast was as good or better, and where intervals were
    off."""
    rows = results["shipped"]["rows"]
    naive = [row["set"] for row in rows if row["mase"] >= row["seasonal_naive_mase"]]
    narrow = [
        f"{row['set']} ({share(row['coverage80'])})"
        for row in rows
        if row["coverage80"] < 0.75
    ]
    better = []
    for name in M3:
        errors = errors_of(results, "m3", "mase", set=f"m3_{name}")
        best = best_of_others(errors)
        if errors[best] < errors["lstmcast"]:
            better.append(
                f"M3 {name} ({best} {errors[best]:.3f} against {errors['lstmcast']:.3f})"
            )
    parts = (
        (f"No better than seasonal naive (MASE), out of {len(rows)} data sets", naive),
        ("Beaten by another forecast (MASE)", better),
        ("80% intervals that contained less than 75% of the values", narrow),
    )
    return "\n".join(
        f"- {what}: {', '.join(names) or 'none'}." for what, names in parts
    )
