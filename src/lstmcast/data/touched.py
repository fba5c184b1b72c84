"""Limits that values have touched so often that nothing beyond is expected: percentages at 100,
places of a car park, the least that a sensor reports.

Only what a forecast has read says so, never what came later. It is done once, by `within`, after
all else. Values that are declared to be anything have no limits.

    O forecasts · N observations of all series · T known values of one
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel

# How often a limit was touched, left and touched again: where values near it are rare, as those
# that were clipped are, and where they are not. What lies beyond would have been seen.
VISITS_ALONE, VISITS = 5, 20
ALONE = 3.0  # times as many values at a limit as at the nearest other value
SHARE = 0.02  # of all values, at the limit


def limits_of(
    panel: Panel, origins: Origins, first_O: NDArray, *answers: NDArray
) -> NDArray | None:
    """The limits (O, 2) of what was read from observation `first_O` on, infinite where there is
    none; None where none of the answers (O, …) goes beyond one."""
    if panel.declared_real or not len(origins.series):
        return None
    begin_O = panel.offsets[origins.series]
    spans = np.stack([begin_O + first_O, begin_O + origins.counts], axis=1)
    padded_N = np.append(panel.values, np.nan)  # so that a history may end behind the last value
    low_O = np.fmin.reduceat(padded_N, spans.ravel())[::2]
    high_O = np.fmax.reduceat(padded_N, spans.ravel())[::2]
    limits_O2 = no_limits(len(spans))
    beyond_O = np.any([goes_beyond(answer_OX, low_O, high_O) for answer_OX in answers], axis=0)
    for row in np.flatnonzero(beyond_O):
        limits_O2[row] = limits_in(panel.values[slice(*spans[row])])
    return limits_O2 if np.isfinite(limits_O2).any() else None


def no_limits(count: int) -> NDArray:
    """Of so many forecasts."""
    return np.tile([-np.inf, np.inf], (count, 1))


def goes_beyond(answers_OX: NDArray, low_O: NDArray, high_O: NDArray) -> NDArray:
    """Whether answers (O, …) go beyond the smallest or the largest value of their series (O,)."""
    answers_OX = answers_OX.reshape(len(answers_OX), -1)
    above_O = np.fmax.reduce(answers_OX, axis=1) > high_O
    return above_O | (np.fmin.reduce(answers_OX, axis=1) < low_O)


def limits_in(values_T: NDArray) -> tuple[float, float]:
    """The lower and the upper limit of one series; infinite where there is none.

    >>> low, high = limits_in(np.array([97.0, 100, 98.5, 100, 99, 100, 96, 100, 93, 100]))
    >>> float(low), float(high)
    (-inf, 100.0)
    """
    known_T = values_T[~np.isnan(values_T)]
    if len(known_T) < 2 * VISITS_ALONE:
        return -np.inf, np.inf
    low, high = known_T.min(), known_T.max()
    if low == high:
        return -np.inf, np.inf
    return (
        low if _is_limit(known_T, low, is_upper=False) else -np.inf,
        high if _is_limit(known_T, high, is_upper=True) else np.inf,
    )


def _is_limit(known_T: NDArray, bound: float, is_upper: bool) -> bool:
    """Whether the largest or the smallest value was touched often enough to be a limit."""
    at_T = known_T == bound
    touches = np.count_nonzero(at_T)
    if touches < max(VISITS_ALONE, SHARE * len(known_T)):
        return False
    visits = np.count_nonzero(at_T[1:] & ~at_T[:-1]) + at_T[0]
    if visits >= VISITS:
        return True
    others = known_T[~at_T]
    nearest = others.max() if is_upper else others.min()
    return visits >= VISITS_ALONE and touches >= ALONE * np.count_nonzero(others == nearest)


def within(answers_OX: NDArray, limits_O2: NDArray | None) -> NDArray:
    """Answers (O, …) that are nowhere beyond their limits; unknown ones stay so.

    >>> within(np.array([[99.0, 104.0, np.nan]]), np.array([[-np.inf, 100.0]]))
    array([[ 99., 100.,  nan]])
    """
    if limits_O2 is None:
        return answers_OX
    low_O, high_O = limits_O2.reshape(len(limits_O2), 2, *[1] * (answers_OX.ndim - 1)).swapaxes(
        0, 1
    )
    return np.clip(answers_OX, low_O, high_O)
