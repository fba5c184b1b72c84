"""Fill the tables of README.md and docs/benchmarks.md from benchmarks/results: no figure there is typed by hand.

`python benchmarks/readme.py` writes each table between its markers, `<!-- bench:NAME -->` and `<!-- /bench -->`. A
table whose results are not there stays as it is, and is named; the exit status is then 1.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
BLOCK = re.compile(r"(?P<begin><!-- bench:(?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<end><!-- /bench -->)", re.DOTALL)

Results = Mapping[str, Mapping[str, Any]]
Row = Mapping[str, Any]

# ---------------------------------------------------------------- numbers and tables


def number(value: Any, decimals: int) -> str:
    """A number with so many decimals; a dash where it is unknown."""
    return "–" if value is None else f"{value:,.{decimals}f}"


def share(value: Any) -> str:
    """A share (0 to 1) in percent."""
    return "–" if value is None else f"{100 * value:.0f} %"


def seconds(value: Any) -> str:
    """A time with two digits or so."""
    return "–" if value is None else f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def cell(value: Any) -> str:
    """A cell that is text already, empty where there is nothing to say."""
    return "" if value is None else value


def table(rows: Sequence[Row], columns: Mapping[str, tuple[str, Callable[[Any], str]]]) -> str:
    """Markdown: a column for each key, with its heading and how it is written."""
    lines = ["| " + " | ".join(heading for heading, _ in columns.values()) + " |"]
    lines.append("|" + "|".join("---" if write is str else "--:" for _, write in columns.values()) + "|")
    for row in rows:
        lines.append("| " + " | ".join(write(row.get(key)) for key, (_, write) in columns.items()) + " |")
    return "\n".join(lines)


def text(decimals: int) -> Callable[[Any], str]:
    """How a column with so many decimals is written."""
    return lambda value: number(value, decimals)


def rows_of(results: Results, name: str) -> list[dict[str, Any]]:
    """The rows of a result."""
    return [dict(row) for row in results[name]["rows"]]


def chosen(results: Results, name: str, **keys: str) -> Row:
    """The one row of a result with these values; KeyError where there is none."""
    for row in results[name]["rows"]:
        if all(row.get(key) == value for key, value in keys.items()):
            return row
    raise KeyError(f"{name}: {keys}")


# ---------------------------------------------------------------- README


def headline(results: Results) -> str:
    """What matters most: ours, the best-known alternative beside it, and their ratio."""
    rows = [_airline(results), _classic(results), *_m3(results), _coverage(results), *_waiting(results)]
    columns = {"what": ("", str), "ours": ("lstmcast", cell), "theirs": ("AutoETS", cell), "ratio": ("ratio", cell)}
    note = "Lower is better, so a ratio below 1 is in favour of lstmcast."
    return f"{table(rows, columns)}\n\n{note} {measured(results['m3'])}"


def _compared(what: str, ours: float, theirs: float, decimals: int, unit: str = "") -> dict[str, str]:
    """A row of two numbers and their ratio."""
    values = {"ours": number(ours, decimals) + unit, "theirs": number(theirs, decimals) + unit}
    return {"what": what, **values, "ratio": f"{ours / theirs:.2f}"}


def _airline(results: Results) -> dict[str, str]:
    ours, ets = (chosen(results, "airline", method=method)["mape"] for method in ("lstmcast", "AutoETS"))
    return _compared("airline, 12 months ahead, 13 cutoffs: MAPE", ours, ets, 2, " %")


def _classic(results: Results) -> dict[str, str]:
    mean = results["classic"]["mean_mase"]
    return _compared("ten classic series, last cycle at 5 cutoffs: MASE", mean["lstmcast"], mean["AutoETS"], 3)


def _m3(results: Results) -> list[dict[str, str]]:
    names = {"m3_yearly": "yearly", "m3_quarterly": "quarterly", "m3_monthly": "monthly", "m3_other": "other"}
    rows = []
    for key, name in names.items():
        ours, ets = (chosen(results, "m3", set=key, method=method) for method in ("lstmcast", "AutoETS"))
        rows.append(_compared(f"M3 {name}: MASE", ours["mase"], ets["mase"], 3))
        rows.append(_compared(f"M3 {name}: sMAPE", ours["smape"], ets["smape"], 2, " %"))
    ets = chosen(results, "m3", set="m3_monthly", method="AutoETS")["seconds"]
    ours = results["m3"]["whole_process_seconds"]
    what = "M3 monthly, 1,428 series: time (whole process; AutoETS: its fits on one core)"
    rows.append({"what": what, "ours": seconds(ours), "theirs": seconds(ets), "ratio": f"{ours / ets:.3f}"})
    return rows


def _coverage(results: Results) -> dict[str, str]:
    row = chosen(results, "coverage", set="m3_monthly")
    by_step = row["calibrated80_by_step"]
    steps = f"{min(by_step):.0f} to {max(by_step):.0f} % at single steps"
    return {"what": f"M3 monthly: values in the 80 % interval ({steps})", "ours": f"{row['calibrated80']:.0f} %"}


def _waiting(results: Results) -> list[dict[str, str]]:
    speed = results["speed"]
    whats = {
        "process_airline_out": "`lstmcast forecast airline.csv --horizon 12 --out f.csv`, whole process",
        "process_airline_plot_out": "the same with `--plot f.png`",
        "process_check_million_rows": "`lstmcast check` of a million rows",
        "process_help": "`lstmcast --help`",
    }
    rows = [{"what": what, "ours": seconds(speed[key])} for key, what in whats.items()]
    if "core_megabytes" in speed:
        rows.append({"what": "core install on disk", "ours": f"{speed['core_megabytes']:.0f} MB"})
    return rows


def measured(result: Row) -> str:
    """When and where."""
    machine, versions = result["machine"], result["versions"]
    return (
        f"Measured on {result['date']} with lstmcast {versions['lstmcast']} and Python {versions['python']}, "
        f"{machine['cores']} cores ({machine['cpu']}), threads: {result['threads']}."
    )


# ---------------------------------------------------------------- docs/benchmarks.md

SCORES = {
    "method": ("method", str), "mase": ("MASE", text(3)), "smape": ("sMAPE %", text(2)),
    "scaled_crps": ("CRPS, scaled", text(3)), "coverage80": ("in 80 %", share), "coverage95": ("in 95 %", share),
    "seconds": ("seconds", text(2)),
}  # fmt: skip


def with_protocol(results: Results, name: str, body: str) -> str:
    """A table below the protocol that the benchmark itself states."""
    return f"{results[name]['protocol']}\n\n{body}\n\n{measured(results[name])}"


def m3(results: Results) -> str:
    """A line per part and method."""
    columns = {"set": ("part", str), **SCORES}
    rows = [row | {"set": row["set"].removeprefix("m3_")} for row in rows_of(results, "m3")]
    process = f"Whole process, 1,428 monthly series: {seconds(results['m3']['whole_process_seconds'])}."
    return with_protocol(results, "m3", f"{table(rows, columns)}\n\n{process}")


def m4(results: Results) -> str:
    """A line per set and method."""
    columns = {"set": ("set", str), **{key: SCORES[key] for key in ("method", "smape", "mase")}}
    columns |= {"owa": ("OWA", text(3)), "seconds": ("seconds", text(2))}
    return with_protocol(results, "m4", table(rows_of(results, "m4"), columns))


def classic(results: Results) -> str:
    """A line per series, MASE of every method."""
    means = {"all": "mean_mase", "without the weekly ones": "mean_mase_without_weekly"}
    rows = rows_of(results, "classic")
    rows += [{"series": f"**mean, {what}**", **results["classic"][key]} for what, key in means.items()]
    methods = [name for name in rows[0] if name not in ("series", "horizon", "coverage80", "coverage95")]
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
    return with_protocol(results, "airline", table(rows_of(results, "airline"), columns))


def coverage(results: Results) -> str:
    """Percent inside, and the range over steps."""
    rows = []
    for row in results["coverage"]["rows"]:
        line = {"set": row["set"], "origins": row["origins"]}
        for kind in ("calibrated80", "calibrated95", "uncalibrated80", "uncalibrated95"):
            steps = [value for value in row[f"{kind}_by_step"] if value is not None]
            line[kind] = f"{row[kind]:.1f} ({min(steps):.0f} to {max(steps):.0f})"
        rows.append(line)
    columns = {
        "set": ("set", str), "origins": ("origins", text(0)), "calibrated80": ("80 %", str),
        "calibrated95": ("95 %", str), "uncalibrated80": ("80 %, uncalibrated", str),
        "uncalibrated95": ("95 %, uncalibrated", str),
    }  # fmt: skip
    note = "Percent of the values; in brackets the lowest and the highest step."
    return with_protocol(results, "coverage", f"{table(rows, columns)}\n\n{note}")


def ar1(results: Results) -> str:
    """A line per forecast of the next value."""
    columns = {"forecast": ("forecast", str), "mae": ("MAE", text(4)), "rmse": ("RMSE", text(4))}
    columns["ratio_mae"] = ("MAE / one-step head's", text(3))
    return with_protocol(results, "ar1", table(rows_of(results, "ar1"), columns))


def speed(results: Results) -> str:
    """A line per thing that was timed."""
    result = results["speed"]
    rows = [
        {"what": f"`{name}`", "value": seconds(value)} for name, value in result.items() if name.startswith("process_")
    ]
    rows.append({"what": "`pass_1428x96`", "value": seconds(result["pass_1428x96"])})
    rows.append({"what": "`one_observation`", "value": f"{1e6 * result['one_observation']:,.0f} µs"})
    rows.append({"what": "`series_per_second`", "value": number(result["series_per_second"], 0)})
    if "core_megabytes" in result:
        rows.append({"what": "`core_megabytes`", "value": number(result["core_megabytes"], 0)})
    return with_protocol(results, "speed", table(rows, {"what": ("what", str), "value": ("median", str)}))


def shipped(results: Results) -> str:
    """A line per data set."""
    columns = {
        "set": ("set", str), "frequency": ("frequency", str), "series": ("series", text(0)),
        "horizon": ("horizon", text(0)), "mase": ("MASE", text(3)), "seasonal_naive_mase": ("seasonal naive", text(3)),
        "smape": ("sMAPE %", text(2)), "coverage80": ("in 80 %", share), "coverage95": ("in 95 %", share),
    }  # fmt: skip
    ratio = number(results["shipped"]["geometric_mean_to_seasonal_naive"], 3)
    note = f"Geometric mean over the sets of MASE relative to the seasonal naive forecast's: {ratio}."
    return with_protocol(results, "shipped", f"{table(rows_of(results, 'shipped'), columns)}\n\n{note}")


TABLES: dict[str, Callable[[Results], str]] = {
    "headline": headline, "airline": airline, "classic": classic, "m3": m3, "m4": m4, "coverage": coverage, "ar1": ar1,
    "speed": speed, "shipped": shipped,
}  # fmt: skip


# ---------------------------------------------------------------- pages


def read_results(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """All results that are there, by name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def filled(page: str, results: Results) -> tuple[str, list[str]]:
    """A page with its tables as the results have them, and what is missing for the others."""
    missing = []

    def fill(block: re.Match[str]) -> str:
        try:
            return f"{block['begin']}{TABLES[block['name']](results)}\n{block['end']}"
        except KeyError as error:
            missing.append(f"{block['name']} (nothing about {error})")
            return block[0]

    return BLOCK.sub(fill, page), missing


def main() -> int:
    """Fill the pages; 1 where a table stays as it is."""
    results, status = read_results(), 0
    for path in PAGES:
        page, missing = filled(path.read_text(encoding="utf-8"), results)
        path.write_text(page, encoding="utf-8")
        for what in missing:
            print(f"{path.relative_to(ROOT)}: not filled: {what}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
