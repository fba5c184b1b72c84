"""Measures of an example: single ones, their range over seeds, and a table of several examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lstmcast.training_history import History


class Measure(NamedTuple):
    """One number that an example reports: what was measured, its value, and the seconds it took.

    For several seeds, value and seconds are medians; `lowest` and `highest` are the range.
    """

    measure: str
    value: float
    seconds: float
    lowest: float | None = None
    highest: float | None = None
    seeds: int = 1


# columns of summary.csv, and those added for several seeds
SUMMARY = ("example", "mode", "measure", "value", "seconds")
RANGE = ("lowest", "highest", "seeds")


def over_seeds(runs: Sequence[Sequence[Measure]]) -> list[Measure]:
    """The measures of runs with different seeds, as medians and ranges.

    >>> (error,) = over_seeds([[Measure("RMSE", value, 1.0)] for value in (3.0, 1.0, 2.0)])
    >>> error
    Measure(measure='RMSE', value=2.0, seconds=1.0, lowest=1.0, highest=3.0, seeds=3)
    """
    return [_over(measures) for measures in zip(*runs, strict=True)]


def _over(measures: Sequence[Measure]) -> Measure:
    """The same measure of several runs, as one."""
    values = [measure.value for measure in measures]
    seconds = [measure.seconds for measure in measures]
    name = measures[0].measure
    return Measure(
        name, median(values), median(seconds), min(values), max(values), len(values)
    )


def summary(
    by_example: Mapping[str, Sequence[Measure]], mode: str
) -> dict[str, list[Any]]:
    """The columns of summary.csv.

    >>> summary({"sine": [Measure("RMSE", 0.5, 2.0)]}, "default")["measure"]
    ['RMSE']
    """
    rows = [
        {"example": example, "mode": mode, **measure._asdict()}
        for example, measures in by_example.items()
        for measure in measures
    ]
    has_range = any(row["seeds"] > 1 for row in rows)
    names = SUMMARY + RANGE if has_range else SUMMARY
    return {name: [row[name] for row in rows] for name in names}


def rmse(forecast: NDArray, actual: NDArray) -> float:
    """Root mean squared error; pairs with an unknown value are left out.

    >>> rmse(np.array([1.0, 2.0, np.nan]), np.array([1.0, 4.0, 5.0])).__round__(3)
    1.414
    """
    errors = np.asarray(forecast) - np.asarray(actual)
    return float(np.sqrt(np.nanmean(errors**2)))


def root_mean_square(errors: NDArray, axis: int | tuple[int, ...]) -> NDArray:
    """Root mean square of the known errors along these axes; NaN if there are none.

    >>> root_mean_square(np.array([[3.0, np.nan], [4.0, np.nan]]), axis=0).round(3)
    array([3.536,   nan])
    """
    count = np.sum(~np.isnan(errors), axis=axis)
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.nansum(np.square(errors), axis=axis) / count)


def training_seconds(history: History) -> float:
    """The training time of all members in seconds, without interruptions."""
    columns = history.columns()
    total = 0.0
    for member in set(columns["member"]):
        total += columns["seconds"][columns["member"] == member].max()
    return float(total)
