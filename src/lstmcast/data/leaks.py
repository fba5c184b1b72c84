"""Columns that say what is to be forecast: the target itself, or the target of other steps."""

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
_SAME = 1e-9  # one minus the correlation of what is the same but for rounding
_FEWEST = 12  # pairs that tell
_MOST = 200_000  # observations that are looked at


def leaks(panel: Panel) -> list[Finding]:
    """Warnings of columns beside the target that are its own values, at their step or later ones;
    and of known ones that are its earlier values, which end where the target does.

    >>> from lstmcast.data.panel import Panel
    >>> sold = [5.0, 7, 6, 9, 4, 8, 6, 7, 5, 9, 8, 6, 7, 4]
    >>> print(*leaks(Panel.from_arrays(sold, future={"bill": [2.5 * one for one in sold]})))
    warning: the future column 'bill' says the same as the target (correlation 1). Leave it out: a
    forecast would know what it forecasts.
    """
    offsets = panel.offsets[: int(np.searchsorted(panel.offsets, _MOST, side="right"))]
    if len(offsets) < 2:
        offsets = np.array([0, min(len(panel.values), _MOST)])
    target = panel.values[: offsets[-1]]
    findings = []
    for name, column in panel.covariates.past.items():
        step = _shift(column[: offsets[-1]], target, offsets, _ahead(panel))
        findings += [] if step is None else [_told("past", name, step)]
    for name in panel.covariates.future.columns:
        if name in panel.covariates.future.levels:
            continue
        own = at_targets(panel, name)[: offsets[-1]]
        step = _shift(own, target, offsets, (0, *_ahead(panel), *_behind(panel)))
        findings += [] if step is None else [_told("future", name, step)]
    return findings


def at_targets(panel: Panel, name: str) -> ndarray:
    """A column that is known in advance at the observations of the target (N,)."""
    future, lengths = panel.covariates.future, panel.lengths
    here = places(panel.offsets)
    inside = here < spread(future.lengths, panel.offsets)
    at = np.where(inside, spread(future.offsets[:-1], panel.offsets) + here, 0)
    values = future.columns[name]
    return np.where(inside, values[at] if len(values) else np.nan, np.nan)[: int(lengths.sum())]


def _ahead(panel: Panel) -> tuple[int, ...]:
    return tuple(dict.fromkeys((1, 2, *panel.periods)))


def _behind(panel: Panel) -> tuple[int, ...]:
    return tuple(-step for step in _ahead(panel))


def _shift(
    column: ndarray, target: ndarray, offsets: ndarray, steps: tuple[int, ...]
) -> int | None:
    """The first of these steps L for which the column is the target L steps later; None for none.

    A target that repeats itself says as much of its own other steps: that is no leak.
    """
    if np.isnan(column).all():
        return None
    for step in steps:
        first, second = (column, target) if step >= 0 else (target, column)
        early = lagged(first, offsets, abs(step)) if step else first
        if _same(early, second):
            repeats = bool(step) and _same(lagged(target, offsets, abs(step)), target)
            return None if repeats else step
    return None


def _same(first: ndarray, second: ndarray) -> bool:
    """Whether two columns are the same but for their unit, where both are known."""
    both = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(both) < _FEWEST:
        return False
    x, y = first[both] - first[both].mean(), second[both] - second[both].mean()
    size = np.sqrt((x @ x) * (y @ y))
    return bool(size > 0 and 1 - abs(x @ y) / size < _SAME)


def _told(role: str, name: str, step: int) -> Finding:
    which = f"the {role} column {name!r} says the same as the target"
    steps = f"{abs(step):,} step{'s' * (abs(step) > 1)}"
    if step < 0:
        action = f"It is known no longer than {steps} ahead"
        action += ", and the forecast reads the target anyway."
        return Finding(RULE, "warning", f"{which} of {steps} before", action)
    when = "(correlation 1)" if step == 0 else f"of {steps} later"
    action = "Leave it out: a forecast would know what it forecasts."
    return Finding(RULE, "warning", f"{which} {when}", action)
