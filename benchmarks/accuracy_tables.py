"""The arithmetic of `make accuracy`: relative errors, means of them, what got worse, coverage.

Rows are those of accuracy_units.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from common import geometric_mean
from sets import ALL

Row = Mapping[str, Any]
Rows = Mapping[str, Row]  # by the name of the set

FAMILIES = (
    "yearly",
    "quarterly",
    "monthly",
    "weekly",
    "daily",
    "hourly",
    "sub-hourly",
    "no dates",
)
WORSE_SET, WORSE_FAMILY = 1.05, 1.01  # beyond which a set, a frequency, counts as worse
# from which coverage is judged overall, and by step
MANY_WINDOWS, SOME_WINDOWS = 200, 60
OVERALL, BY_STEP = (0.75, 0.85), (0.70, 0.90)  # what 80% intervals should contain
# single sets on which every simple forecast should be beaten
SINGLE = (
    "peyton_manning",
    "metro_traffic",
    "yosemite_5min",
    "bike_sharing_hour",
    "nyc_taxi",
    "traffic_6sensors",
    "jena_weather",
)
CONFIGURATIONS = 19  # of GIFT-Eval, whose data are at hand
BEST_OF = ("naive", "drift", "seasonal naive", "Holt–Winters", "mean of 3 cycles")


# ---------------------------------------------------------------- errors


def relative(rows: Rows, yardsticks: Rows) -> dict[str, float]:
    """MASE of each set over that of the seasonal naive forecast of its first period.

    Sets for which this is no positive number are left out.
    """
    ratios = {
        name: row["mase"] / (yardsticks[name]["mase"]["seasonal naive"] or np.nan)
        for name, row in rows.items()
        if name in yardsticks
    }
    return {
        name: ratio
        for name, ratio in ratios.items()
        if np.isfinite(ratio) and ratio > 0
    }


def means(ratios: Mapping[str, float], rows: Rows) -> dict[str, float]:
    """Geometric means of ratios: over all sets, with the classic series as one, by frequency.

    Each set counts once, the ten classic series as ten: this is how the mean of
    evidence/results/shipped.json comes out. Its second form is that of validate.py.
    """
    groups: dict[str, list[float]] = {"all sets": list(ratios.values())}
    classic = [ratio for name, ratio in ratios.items() if name.startswith("classic_")]
    others = [
        ratio for name, ratio in ratios.items() if not name.startswith("classic_")
    ]
    groups["classic as one"] = others + ([geometric_mean(classic)] if classic else [])
    for family in FAMILIES:
        groups[family] = [
            ratio for name, ratio in ratios.items() if rows[name]["family"] == family
        ]
    return {name: geometric_mean(values) for name, values in groups.items() if values}


def versus(rows: Rows, before: Rows) -> dict[str, float]:
    """MASE of each set over that of another version, on the sets that both have."""
    return {
        name: row["mase"] / before[name]["mase"]
        for name, row in rows.items()
        if name in before and before[name]["mase"] > 0
    }


def worse(ratios: Mapping[str, float], limit: float) -> dict[str, float]:
    """Those above the limit, the worst first."""
    found = {name: ratio for name, ratio in ratios.items() if ratio > limit}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def best_simple(yardstick: Row) -> tuple[str, float]:
    """The simple forecast with the smallest MASE, and its MASE."""
    errors = {
        name: error
        for name, error in yardstick["mase"].items()
        if name.startswith(BEST_OF) and np.isfinite(error)
    }
    best = min(errors, key=lambda name: errors[name])
    return best, errors[best]


# ---------------------------------------------------------------- coverage


def by_thirds(inside: Sequence[int], known: Sequence[int]) -> list[float]:
    """The share of values inside in each third of the horizon, in percent."""
    parts = zip(np.array_split(inside, 3), np.array_split(known, 3), strict=True)
    return [
        100 * part.sum() / counted.sum() for part, counted in parts if counted.sum()
    ]


def coverage(row: Row, level: int = 80) -> dict[str, Any]:
    """What a set's intervals contain, in percent: overall, by step and by third of the horizon.

    `right` says whether it is as it should be, None where there are too few windows to judge.
    """
    inside = np.array(row["hits"][f"inside{level}"], float)
    known = np.array(row["hits"]["known"], float)
    overall = inside.sum() / known.sum()
    by_step = inside[known > 0] / known[known > 0]
    judged = []
    if row["origins"] >= MANY_WINDOWS:
        judged.append(OVERALL[0] <= overall <= OVERALL[1])
    if row["origins"] >= SOME_WINDOWS:
        judged.append(BY_STEP[0] <= by_step.min() and by_step.max() <= BY_STEP[1])
    return {
        "overall": 100 * overall,
        "lowest step": 100 * by_step.min(),
        "highest step": 100 * by_step.max(),
        "thirds": by_thirds(inside.tolist(), known.tolist()),
        "right": all(judged) if judged else None,
    }


def pooled_coverage(rows: Rows, level: int = 80) -> dict[str, dict[str, Any]]:
    """Coverage of all windows of a frequency together: {family: …}, by third of each horizon.

    Every set weighs the same: a competition would be all that is seen of its frequency.
    """
    result = {}
    for family in FAMILIES:
        parts = [
            coverage(row, level) for row in rows.values() if row["family"] == family
        ]
        if parts:
            thirds = [part["thirds"] for part in parts if len(part["thirds"]) == 3]
            result[family] = {
                "sets": len(parts),
                "overall": float(np.mean([part["overall"] for part in parts])),
                "thirds": np.mean(thirds, axis=0).tolist() if thirds else [],
            }
    return result


# ---------------------------------------------------------------- GIFT-Eval


def gift_means(
    rows: Mapping[str, Row], published: Mapping[str, Mapping[str, Row]]
) -> Row:
    """MASE and CRPS relative to the published seasonal naive forecast's, geometric means; the
    worst configuration beside TiRex.

    `published`: {"mase": {configuration: {model: number}}, "crps": …}.
    """
    result: dict[str, Any] = {}
    for metric in ("mase", "crps"):
        table = published[metric]
        result[metric] = geometric_mean(
            [row[metric] / table[name]["seasonal_naive"] for name, row in rows.items()]
        )
        ratios = {
            name: row[metric] / table[name]["TiRex"] for name, row in rows.items()
        }
        result[f"{metric}_to_tirex"] = ratios
        result[f"{metric}_worst"] = max(ratios, key=lambda name: ratios[name])
    return result


# ---------------------------------------------------------------- what was aimed at


class Goal(NamedTuple):
    """A number, what is aimed at, and where it stood at commit 2f83425."""

    what: str
    before: float
    aim: float
    found: Callable[[Mapping[str, Any]], float]


def mase_of(name: str) -> Callable[[Mapping[str, Any]], float]:
    """The MASE of a set."""
    return lambda result: result["sets"][name]["mase"]


def classic_mean(result: Mapping[str, Any]) -> float:
    """The mean MASE of the ten classic series."""
    errors = [
        row["mase"]
        for name, row in result["sets"].items()
        if name.startswith("classic_")
    ]
    if len(errors) != 10:
        raise KeyError("classic")
    return float(np.mean(errors))


def mean_of_all(result: Mapping[str, Any]) -> float:
    """The geometric mean, where it is that of all sets."""
    if result["sets"].keys() != ALL.keys():
        raise KeyError("sets")
    return result["means"]["all sets"]


def gift_of(name: str) -> Callable[[Mapping[str, Any]], float]:
    """A mean over the configurations of GIFT-Eval, where it is that of all."""

    def found(result: Mapping[str, Any]) -> float:
        if len(result["gift"]["mase_to_tirex"]) != CONFIGURATIONS:
            raise KeyError("gift")
        return result["gift"][name]

    return found


def worst_to_tirex(result: Mapping[str, Any]) -> float:
    """MASE of the configuration that is worst beside TiRex, where all were measured."""
    gift_of("mase")(result)
    return max(result["gift"]["mase_to_tirex"].values())


def ratio_of(name: str) -> Callable[[Mapping[str, Any]], float]:
    """Seconds of a whole process over those of the other version."""
    return lambda result: result["time"][name]["ratio"]


_SETS = {
    "m4_hourly": (1.099, 0.80),
    "m4_weekly": (2.081, 1.97),
    "m4_yearly": (3.169, 3.00),
    "m3_yearly": (2.818, 2.65),
    "m3_quarterly": (1.126, 1.09),
    "m3_monthly": (0.808, 0.795),
    "m3_other": (1.819, 1.78),
}
GOALS = (
    Goal(
        "MASE over seasonal naive's, geometric mean of the sets",
        0.74,
        0.68,
        mean_of_all,
    ),
    Goal("GIFT-Eval, 19 configurations: MASE", 0.935, 0.86, gift_of("mase")),
    Goal("… CRPS", 0.746, 0.69, gift_of("crps")),
    Goal("… worst configuration over TiRex, MASE", 1.52, 1.10, worst_to_tirex),
    *(Goal(f"{name}: MASE", *known, mase_of(name)) for name, known in _SETS.items()),
    Goal(
        "airline, 13 cutoffs: MAPE %", 4.02, 3.8, lambda r: r["sets"]["airline"]["mape"]
    ),
    Goal("ten classic series: mean MASE", 1.006, 0.95, classic_mean),
    Goal("airline command, whole process, times as long", 1, 1.2, ratio_of("airline")),
    Goal("M3 monthly, whole process, times as long", 1, 1.6, ratio_of("m3_monthly")),
    Goal("… the network alone", 1, 1.1, ratio_of("m3_monthly, network")),
)


def goal_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was found beside what is aimed at; numbers that were not measured are left out."""
    rows = []
    for goal in GOALS:
        try:
            found = goal.found(result)
        except KeyError:
            continue
        met = "yes" if found <= goal.aim else "no"
        rows.append(
            {
                "number": goal.what,
                "before": goal.before,
                "aim": goal.aim,
                "found": found,
                "met": met,
            }
        )
    return rows
