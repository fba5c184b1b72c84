"""Tables of the how-to pages: known columns, hierarchies, filled values, intervals of streams."""

from __future__ import annotations

import math
from typing import Any

from tables import Results, cell, measured, number, rows_of, seconds, share, table, text


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
        "coverage80": ("80% interval", share),
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
        "coverage base": ("80% interval, base", share),
        "coverage mint": ("`mint`", share),
    }
    return table(rows_of(results, "hierarchies"), columns)


def imputing(results: Results) -> str:
    """Errors of filled values by the length of the gap."""
    rows = []
    for length in sorted({row["length"] for row in results["imputing"]["rows"]}):
        ours = [row for row in results["imputing"]["rows"] if row["length"] == length]
        ratios = {
            way: _geometric_mean(ours, way) for way in ("season", "forecast", "impute")
        }
        rows.append({"length": length, **ratios})
    columns = {
        "length": ("values missing in a row", text(0)),
        "season": ("season around them", text(2)),
        "forecast": ("forecast from the left", text(2)),
        "impute": ("`lc.impute`", text(2)),
    }
    return f"{table(rows, columns)}\n\n{measured(results['imputing'])}"


def _geometric_mean(rows: list[dict[str, Any]], way: str) -> float:
    """Of the errors relative to those of the straight line."""
    logs = [math.log(row[way] / row["line"]) for row in rows]
    return math.exp(sum(logs) / len(logs))


def kept_intervals(results: Results) -> str:
    """Windows of a stream that hold their level, with `conformal=` and without."""
    rows = [
        {
            "step": row["step"],
            "level": f"{row['level']}%",
            "own": f"{row['own within']:.0f}%",
            "kept": f"{row['within']:.0f}%",
            "score": f"{100 * (row['score'] - 1):+.0f}%",
        }
        for row in results["intervals"]["summary"]
    ]
    columns = {
        "step": ("steps ahead", text(0)),
        "level": ("level", cell),
        "own": ("network's own", cell),
        "kept": ("with `conformal=`", cell),
        "score": ("interval score", cell),
    }
    return f"{table(rows, columns)}\n\n{measured(results['intervals'])}"
