"""Columns that reveal the forecast target: its values at the same or at other steps."""

# S series · N observations of all series · L steps by which a column is moved

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.ragged import lagged, places, spread

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

RULE = "leak"
_SAME = 1e-9  # one minus the correlation of columns that are equal up to rounding
_FEWEST = 12  # smallest number of pairs to compare
_MOST = 200_000  # largest number of observations compared


def leaks(panel: Panel) -> list[Finding]:
    """Warnings about covariates that are the target itself, at the same or at other steps.

    Future columns may also be its earlier values, which end where the target does.

    >>> from lstmcast.data.panel import Panel
    >>> sold = [5.0, 7, 6, 9, 4, 8, 6, 7, 5, 9, 8, 6, 7, 4]
    >>> print(*leaks(Panel.from_arrays(sold, future={"bill": [2.5 * one for one in sold]})))
    warning: the future column 'bill' carries the same information as the target (correlation 1).
        Leave it out: the forecast would see the values to be forecast.
    """
    bound_count = np.searchsorted(panel.offsets, _MOST, side="right")
    offsets = panel.offsets[:bound_count]
    if len(offsets) < 2:
        first_length = min(len(panel.values), _MOST)
        offsets = np.array([0, first_length])
    count = offsets[-1]
    target = panel.values[:count]
    later_steps = _ahead(panel)
    earlier_steps = tuple(-step for step in later_steps)
    findings = []
    for name, column in panel.covariates.past.items():
        step = _shift(column[:count], target, offsets, later_steps)
        if step is not None:
            findings.append(_leak("past", name, step))
    future = panel.covariates.future
    for name in future.columns:
        if name in future.levels:
            continue
        column = at_targets(panel, name)
        step = _shift(
            column[:count], target, offsets, (0, *later_steps, *earlier_steps)
        )
        if step is not None:
            findings.append(_leak("future", name, step))
    return findings


def at_targets(panel: Panel, name: str) -> ndarray:
    """A future column at the observations of the target (N,)."""
    future = panel.covariates.future
    values = future.columns[name]
    count = int(panel.lengths.sum())
    if not len(values):
        return np.full(count, np.nan)
    steps = places(panel.offsets)
    has_value = steps < spread(future.lengths, panel.offsets)
    begins = spread(future.offsets[:-1], panel.offsets)
    rows = np.where(has_value, begins + steps, 0)
    return np.where(has_value, values[rows], np.nan)[:count]


def _ahead(panel: Panel) -> tuple[int, ...]:
    return tuple(dict.fromkeys((1, 2, *panel.periods)))


def _shift(
    column: ndarray, target: ndarray, offsets: ndarray, steps: tuple[int, ...]
) -> int | None:
    """The first step L for which the column is the target L steps later, or None.

    If the target repeats itself, its own values reveal as much, so that is not a leak.
    """
    if np.isnan(column).all():
        return None
    for step in steps:
        first, second = (column, target) if step >= 0 else (target, column)
        earlier = lagged(first, offsets, abs(step))
        if not _same(earlier, second):
            continue
        earlier_target = lagged(target, offsets, abs(step))
        repeats_itself = step != 0 and _same(earlier_target, target)
        return None if repeats_itself else step
    return None


def _same(first: ndarray, second: ndarray) -> bool:
    """Whether two columns are equal up to their unit, where both are known."""
    are_known = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(are_known) < _FEWEST:
        return False
    first_known = first[are_known]
    second_known = second[are_known]
    first_centred = first_known - first_known.mean()
    second_centred = second_known - second_known.mean()
    product = first_centred @ second_centred
    size = np.sqrt((first_centred @ first_centred) * (second_centred @ second_centred))
    return bool(size > 0 and 1 - abs(product) / size < _SAME)


def _leak(role: str, name: str, step: int) -> Finding:
    says_the_same = (
        f"the {role} column {name!r} carries the same information as the target"
    )
    steps = f"{abs(step):,} step{'s' * (abs(step) > 1)}"
    if step < 0:
        message = f"{says_the_same} of {steps} before"
        action = f"It is known at most {steps} ahead"
        action += ", and the forecast reads the target anyway."
        return Finding(RULE, "warning", message, action)
    when = "(correlation 1)" if step == 0 else f"of {steps} later"
    action = "Leave it out: the forecast would see the values to be forecast."
    return Finding(RULE, "warning", f"{says_the_same} {when}", action)
