"""Numbers in running text, each derived from a result file.

In a page a number is followed by a comment that names the result file and the key:

    that is 61.4<!-- evidence: nab standard --> points
"""

from __future__ import annotations

import re
from collections.abc import Callable

import compared_tables
from tables import Results, chosen, number

CLAIM = re.compile(
    r"(?P<shown>[−-]?[\d.,]*\d%?)(?P<mark><!-- evidence: (?P<file>[\w/]+) (?P<key>[\w.-]+) -->)"
)
Write = Callable[[Results], str]


def percent(value: float) -> str:
    """A number of percent, without decimals."""
    return f"{value:.0f}%"


def _nab(detector: str) -> Write:
    return lambda results: number(
        chosen(results, "nab", detector=detector)["standard"], 1
    )


def _step24(key: str) -> Write:
    def write(results: Results) -> str:
        rows = results["intervals"]["summary"]
        return number(max(row[key] for row in rows if row["step"] == 24), 0)

    return write


def _imputing80(pick: Callable[[list[float]], float]) -> Write:
    def write(results: Results) -> str:
        return percent(pick([row["in 80%"] for row in results["imputing"]["rows"]]))

    return write


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _tourism_pinball(results: Results) -> str:
    rows = results["hierarchies"]["rows"]
    worst = max(row["pinball"] for row in rows if row["set"] == "tourism")
    return percent(100 * (worst - 1))


def _stocks(measure: str, mode: str, key: str) -> Write:
    def write(results: Results) -> str:
        row = chosen(results, "articles", example="stocks", mode=mode, measure=measure)
        return f"{100 * row[key]:.1f}%"

    return write


def _interval(part: str) -> Write:
    def write(results: Results) -> str:
        interval, _ = compared_tables.shipped(results)
        return number(getattr(interval, part), 2)

    return write


def _published(results: Results) -> list[bool]:
    """Whether Chronos-2's error is smaller, for each set for which it is published."""
    rows = [row for row in results["known"]["rows"] if row.get("Chronos-2")]
    return [row["Chronos-2"] < row["with"] for row in rows]


AFTER = "error / naive error, learning, from 100 ticks after it"
CLAIMS: dict[tuple[str, str], Write] = {
    ("nab", "standard"): _nab("lstmcast"),
    ("nab", "numenta"): _nab("numenta"),
    ("nab", "random-cut-forest"): _nab("randomCutForest"),
    ("intervals", "worst-kept"): _step24("worst"),
    ("intervals", "worst-own"): _step24("own worst"),
    ("imputing", "within80"): _imputing80(_mean),
    ("imputing", "within80-lowest"): _imputing80(min),
    ("imputing", "within80-highest"): _imputing80(max),
    ("hierarchies", "tourism-worst"): _tourism_pinball,
    ("articles", "stocks-faithful-lowest"): _stocks(AFTER, "faithful", "low"),
    ("articles", "stocks-faithful-highest"): _stocks(AFTER, "faithful", "high"),
    ("known", "chronos-better"): lambda results: str(sum(_published(results))),
    ("known", "chronos-sets"): lambda results: str(len(_published(results))),
    ("shipped", "ratio"): _interval("mean"),
    ("shipped", "ratio-lower"): _interval("lower"),
    ("shipped", "ratio-upper"): _interval("upper"),
}


def derived(file: str, key: str, results: Results) -> str:
    """The text of a claim; KeyError where it, or its result, is not there."""
    if file == "notes":
        return str(results["notes"]["values"][key]["value"])
    return CLAIMS[file, key](results)
