"""Fill the tables of README and docs from benchmarks/results: no figure there is typed by hand.

`python benchmarks/readme.py` writes each table between its markers, `<!-- bench:NAME -->` and `<!--
/bench -->`. A table whose results are not there, or were made with other weights than the shipped
ones, stays as it is, and is named; the exit status is then 1. A table whose name ends in -ja is the
same one in Japanese (words: japanese.json).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from article_tables import ARTICLES, range_of
from many_tables import MANY
from tables import (
    Results,
    Row,
    cell,
    chosen,
    measured,
    number,
    rows_of,
    seconds,
    share,
    significant,
    table,
    text,
    with_protocol,
)
from training_tables import TRAINING

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WEIGHTS = ROOT / "src" / "lstmcast" / "weights" / "weights.safetensors"
NAMES = (
    "README.md",
    "README.ja.md",
    "docs/benchmarks.md",
    "docs/examples.md",
    "docs/ja/examples.md",
    "docs/articles/airline.md",
    "docs/articles/temperature.md",
    "docs/ja/articles/airline.md",
    "docs/ja/articles/temperature.md",
    "docs/how-to/effects.md",
    "docs/ja/how-to/effects.md",
    "docs/how-to/hierarchies.md",
    "docs/ja/how-to/hierarchies.md",
    "docs/how-to/online.md",
    "docs/ja/how-to/online.md",
)
PAGES = tuple(ROOT / name for name in NAMES)
WORDS = ROOT / "benchmarks" / "japanese.json"
BLOCK = re.compile(
    r"(?P<begin><!-- bench:(?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<end><!-- /bench -->)", re.DOTALL
)

M3 = ("yearly", "quarterly", "monthly", "other")

# ---------------------------------------------------------------- README


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
    months = errors_of(results, "m3", "mase", set="m3_monthly")
    classic = results["classic"]["mean_mase"]
    ours = seconds(results["m3"]["whole_process_seconds"])
    ets = seconds(chosen(results, "m3", set="m3_monthly", method="AutoETS")["seconds"])
    waiting = seconds(results["speed"]["process_airline_out"])
    size = f"{WEIGHTS.stat().st_size / 1e6:.1f} MB"
    lines = [
        f"**{_less(months)} less error than AutoETS** on the 1,428 monthly series of M3, "
        f"in {ours} instead of {ets}.",
        f"**{_less(classic)} less error than AutoETS** on ten classic series, airline to sunspots.",
        f"**{waiting}** from a file to a forecast, by a trained network of {size}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _less(errors: Mapping[str, float]) -> str:
    """How much smaller our error is than AutoETS's."""
    return f"{100 * (1 - errors['lstmcast'] / errors['AutoETS']):.0f} %"


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
    return min((name for name in errors if name != "lstmcast"), key=lambda name: errors[name])


def errors_of(results: Results, name: str, metric: str, **keys: str) -> dict[str, float]:
    """The error of every method in the rows with these values."""
    rows = [
        row
        for row in results[name]["rows"]
        if all(row[key] == value for key, value in keys.items())
    ]
    return {row["method"]: row[metric] for row in rows}


def _airline(results: Results) -> dict[str, str]:
    return _compared(
        "airline, 12 months ahead, 13 cutoffs: MAPE", errors_of(results, "airline", "mape"), 2, " %"
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
            _compared(f"M3 {name}: MASE", errors_of(results, "m3", "mase", set=f"m3_{name}"), 3)
        )
        rows.append(
            _compared(
                f"M3 {name}: sMAPE", errors_of(results, "m3", "smape", set=f"m3_{name}"), 2, " %"
            )
        )
    ets = chosen(results, "m3", set="m3_monthly", method="AutoETS")["seconds"]
    ours = results["m3"]["whole_process_seconds"]
    what = "M3 monthly, 1,428 series: time (whole process; AutoETS: its fits on one core)"
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
    steps = f"{min(by_step):.0f} to {max(by_step):.0f} % at single steps"
    return {
        "what": f"M3 monthly: values in the 80 % interval ({steps})",
        "ours": f"{row['calibrated80']:.0f} %",
        "best": "",
    }


def _waiting(results: Results) -> list[dict[str, str]]:
    speed = results["speed"]
    whats = {
        "process_airline_out": "`lstmcast forecast airline.csv --horizon 12 --out f.csv`, whole "
        "process",
        "process_airline_plot_out": "the same with `--plot f.png`",
        "process_check_million_rows": "`lstmcast check` of a million rows",
        "process_help": "`lstmcast --help`",
    }
    rows = [{"what": what, "ours": seconds(speed[key]), "best": ""} for key, what in whats.items()]
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
        f"{row['set']} ({share(row['coverage80'])})" for row in rows if row["coverage80"] < 0.75
    ]
    better = []
    for name in M3:
        errors = errors_of(results, "m3", "mase", set=f"m3_{name}")
        best = best_of_others(errors)
        if errors[best] < errors["lstmcast"]:
            better.append(f"M3 {name} ({best} {errors[best]:.3f} against {errors['lstmcast']:.3f})")
    parts = (
        (f"No better than seasonal naive (MASE), of {len(rows)} data sets", naive),
        ("Beaten by another forecast (MASE)", better),
        ("80 % intervals that caught less than 75 % of the values", narrow),
    )
    return "\n".join(f"- {what}: {', '.join(names) or 'none'}." for what, names in parts)


# ---------------------------------------------------------------- docs/benchmarks.md

SCORES = {
    "method": ("method", str),
    "mase": ("MASE", text(3)),
    "smape": ("sMAPE %", text(2)),
    "scaled_crps": ("CRPS, scaled", text(3)),
    "coverage80": ("in 80 %", share),
    "coverage95": ("in 95 %", share),
    "seconds": ("seconds", text(2)),
}


def m3(results: Results) -> str:
    """A line per part and method."""
    columns = {"set": ("part", str), **SCORES}
    rows = [row | {"set": row["set"].removeprefix("m3_")} for row in rows_of(results, "m3")]
    process = (
        f"Whole process, 1,428 monthly series: {seconds(results['m3']['whole_process_seconds'])}."
    )
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
    rows += [
        {"series": f"**mean, {what}**", **results["classic"][key]} for what, key in means.items()
    ]
    methods = [
        name for name in rows[0] if name not in ("series", "horizon", "coverage80", "coverage95")
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
        "set": ("set", str),
        "origins": ("origins", text(0)),
        "calibrated80": ("80 %", str),
        "calibrated95": ("95 %", str),
        "uncalibrated80": ("80 %, uncalibrated", str),
        "uncalibrated95": ("95 %, uncalibrated", str),
    }
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
        {"what": f"`{name}`", "value": seconds(value)}
        for name, value in result.items()
        if name.startswith("process_")
    ]
    rows.append({"what": "`pass_1428x96`", "value": seconds(result["pass_1428x96"])})
    rows.append(
        {"what": "`one_observation`", "value": f"{1e6 * result['one_observation']:,.0f} µs"}
    )
    rows.append({"what": "`series_per_second`", "value": number(result["series_per_second"], 0)})
    if "core_megabytes" in result:
        rows.append({"what": "`core_megabytes`", "value": number(result["core_megabytes"], 0)})
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
        "coverage80": ("in 80 %", share),
        "coverage95": ("in 95 %", share),
    }
    ratio = number(results["shipped"]["geometric_mean_to_seasonal_naive"], 3)
    note = (
        f"Geometric mean over the sets of MASE relative to the seasonal naive forecast's: {ratio}."
    )
    return with_protocol(
        results, "shipped", f"{table(rows_of(results, 'shipped'), columns)}\n\n{note}"
    )


# ---------------------------------------------------------------- docs/examples.md

MEASURES, SPEED = 3, "ticks per second"  # of each run so many are shown, and those of its speed


def articles(results: Results) -> str:
    """How the examples were measured, and what was found."""
    return f"{results['articles']['protocol']}\n\n{examples(results)}"


def examples(results: Results) -> str:
    """A line for the first measures of each run: our defaults and the article's own way one
    after the other."""
    columns = {
        "example": ("example", str),
        "mode": ("run", str),
        "measure": ("measure", str),
        "value": ("value", significant),
        "range": ("lowest … highest", cell),
        "goal": ("at most", cell),
        "seconds": ("seconds", text(1)),
    }
    shown: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows_of(results, "articles"):
        first = shown.setdefault((row["example"], row["mode"]), [])
        if len(first) < MEASURES or row["measure"].startswith(SPEED):
            first.append(row | {"range": range_of(row), "goal": _goal(row)})
    rows = [row for first in shown.values() for row in first]
    return f"{table(rows, columns)}\n\n{measured(results['articles'])}"


def _goal(row: Row) -> str:
    """What was aimed at: an error, seconds, or both."""
    value, limit = row.get("goal"), row.get("goal_seconds")
    return ", ".join(
        [*([significant(value)] if value else []), *([f"{limit:g} s"] if limit else [])]
    )


def beats(results: Results) -> str:
    """What came of one whole run of `lstmcast example beats --faithful`."""
    rows = rows_of(results, "articles")
    found = {
        row["measure"]: row
        for row in rows
        if (row["example"], row["mode"]) == ("beats", "faithful")
    }
    stopped, best = found.pop("epochs trained"), found.pop("best epoch")
    shown = [
        {"what": "stopped after epoch", "value": number(stopped["value"], 0)},
        {"what": "epoch that was kept (lowest validation loss)", "value": number(best["value"], 0)},
        {"what": "training", "value": f"{stopped['seconds'] / 60:,.0f} min"},
        *({"what": measure, "value": significant(row["value"])} for measure, row in found.items()),
    ]
    training = table(shown, {"what": ("", str), "value": ("value", cell)})
    return f"{training}\n\n{measured(results['articles'])}"


# ---------------------------------------------------------------- the same in Japanese


def in_japanese(write: Callable[[Results], str]) -> Callable[[Results], str]:
    """The same table with its words translated; what has no translation stays as it is."""

    def translated(results: Results) -> str:
        words = json.loads(WORDS.read_text(encoding="utf-8"))
        longest_first = sorted(words, key=len, reverse=True)
        known = re.compile("|".join(map(re.escape, longest_first)))
        return known.sub(lambda found: words[found[0]], write(results))

    return translated


def known(results: Results) -> str:
    """Columns that are known in advance: without and with them, beside published errors."""
    rows = rows_of(results, "known")
    for one in rows:
        one["ratio"] = one["with"] / one["without"]
    columns = {
        "task": ("set", str),
        "without": ("without", text(3)),
        "with": ("with", text(3)),
        "ratio": ("ratio", text(2)),
        "coverage80": ("80 % interval", share),
        "seconds with": ("time", seconds),
        "Chronos-2": ("Chronos-2", text(3)),
        "CatBoost": ("CatBoost", text(3)),
    }
    mean = f"Geometric mean of the ratios: {number(results['known']['ratio'], 2)}."
    return f"{table(rows, columns)}\n\n{mean}\n\n{measured(results['known'])}"


def hierarchies(results: Results) -> str:
    """Errors at each level of two hierarchies."""
    columns = {
        "set": ("set", str),
        "level": ("level", str),
        "base": ("base", text(3)),
        "mint": ("`mint`", text(3)),
        "bottom-up": ("`bottom-up`", text(3)),
        "top-down": ("`top-down`", text(3)),
        "pinball": ("pinball, `mint`", text(3)),
        "coverage base": ("80 % interval, base", share),
        "coverage mint": ("`mint`", share),
    }
    return table(rows_of(results, "hierarchies"), columns)


TABLES: dict[str, Callable[[Results], str]] = {
    "three": three,
    "headline": headline,
    "weak": weak,
    "airline": airline,
    "classic": classic,
    "m3": m3,
    "m4": m4,
    "coverage": coverage,
    "known": known,
    "hierarchies": hierarchies,
    "ar1": ar1,
    "speed": speed,
    "shipped": shipped,
    "articles": articles,
    "beats": beats,
    **TRAINING,
    **ARTICLES,
    **MANY,
}
TABLES |= {
    f"{write.__name__}-ja": in_japanese(write) for write in (three, headline, weak, examples, beats)
}
TABLES["online-ja"] = in_japanese(TRAINING["online"])
TABLES |= {f"{name}-ja": in_japanese(write) for name, write in ARTICLES.items()}


# ---------------------------------------------------------------- pages


def read_results(folder: Path = RESULTS, weights: str | None = None) -> dict[str, dict[str, Any]]:
    """All results that are there, by name; those made with other weights, given by their
    SHA-256, are left out."""
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }
    return {
        name: result
        for name, result in results.items()
        if weights in (None, result["weights_sha256"])
    }


def shipped_weights() -> str:
    """SHA-256 of the shipped network's arrays."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


def filled(page: str, results: Results) -> tuple[str, list[str]]:
    """A page with its tables as the results have them, and what is missing for the others."""
    missing = []

    def fill(block: re.Match[str]) -> str:
        try:
            return f"{block['begin']}{TABLES[block['name']](results)}\n{block['end']}"
        except KeyError as error:
            missing.append(f"{block['name']} (no result of these weights: {error})")
            return block[0]

    return BLOCK.sub(fill, page), missing


def main() -> int:
    """Fill the pages; 1 where a table stays as it is."""
    results, status = read_results(weights=shipped_weights()), 0
    for path in PAGES:
        page, missing = filled(path.read_text(encoding="utf-8"), results)
        path.write_text(page, encoding="utf-8")
        for what in missing:
            print(f"{path.relative_to(ROOT)}: not filled: {what}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
