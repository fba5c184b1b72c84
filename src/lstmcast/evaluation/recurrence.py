"""Values that follow a linear recurrence go on by it: lines, growth, repetitions, waves.

A schedule, a tariff or a computed curve leaves no doubt about its next values, while a network
that learned from noise doubts them. A recurrence is believed if it continues the last third of
the values that a forecast reads almost exactly, which measurements hardly ever allow.

    O origins · R those at which a recurrence is tried · T values · H horizon · K lags
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstmcast.context import Blocks
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.forecast import Combination
from lstmcast.model.levels import SCORES

NAME = "linear recurrence"
FEWEST = 8  # values
CYCLES = 3  # that are known of a repetition
EXACT = 0.05  # largest error of a continuation, in mean absolute changes
MOST = 256  # newest values that are looked at
LAGS = 16  # at most, of a recurrence that is fitted
# singular values below this share of the largest are left out: of exact values, of rounded ones
CUTS = (1e-10, 1e-2)
# What is tried at all: the newest changes are those of one cycle before, or few lags explain the
# newest values but for a share of the changes.
CHANGES = 6
WIDTH, FEW_LAGS, UNEXPLAINED = 20, 4, 0.2
RIDGE = 1e-12
ROWS = 8192  # origins that are looked at together


class Rule(Protocol):
    """A way to go on."""

    def ahead(self, values_T: NDArray, steps: int) -> NDArray:
        """The next values (H,)."""
        ...


class Repetition(NamedTuple):
    """Each cycle is the one before, plus a constant or times a factor.

    >>> Repetition(2, is_factor=False).ahead(np.array([1.0, 5, 2, 6]), 3)
    array([3., 7., 4.])
    """

    period: int
    is_factor: bool

    def ahead(self, values_T: NDArray, steps: int) -> NDArray:
        """The next values (H,)."""
        if self.is_factor:
            return np.exp(self._ahead(np.log(values_T), steps))
        return self._ahead(values_T, steps)

    def _ahead(self, values_T: NDArray, steps: int) -> NDArray:
        earlier_T = values_T[: -self.period]
        later_T = values_T[self.period :]
        change = (later_T - earlier_T).mean()
        cycle_H, phase_H = np.divmod(np.arange(steps), self.period)
        return values_T[-self.period :][phase_H] + change * (1 + cycle_H)


class Lags(NamedTuple):
    """A constant and the newest values, each times a factor, fitted by least squares.

    >>> Lags(1e-10).ahead(np.sin(np.arange(30.0)), 3).round(3), np.sin([30.0, 31, 32]).round(3)
    (array([-0.988, -0.404,  0.551]), array([-0.988, -0.404,  0.551]))
    """

    cut: float

    def ahead(self, values_T: NDArray, steps: int) -> NDArray:
        """The next values (H,)."""
        lags = min(LAGS, len(values_T) // 3)
        level = values_T.mean()
        size = values_T.std() or 1.0
        scaled_T = (values_T - level) / size
        before_TK = sliding_window_view(scaled_T[:-1], lags)
        ones_T = np.ones(len(before_TK))
        terms_TK = np.c_[before_TK, ones_T]
        factor_K = np.linalg.lstsq(terms_TK, scaled_T[lags:], rcond=self.cut)[0]
        unknown_H = np.zeros(steps)
        newest = np.r_[scaled_T[-lags:], unknown_H]
        for step in range(steps):
            before_K = newest[step : lags + step]
            newest[lags + step] = before_K @ factor_K[:-1] + factor_K[-1]
        return level + size * newest[lags:]


def by_recurrence(
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    combination: Combination | None,
) -> tuple[NDArray, Combination | None]:
    """The quantiles and shares, with those of a recurrence where values follow one; unchanged
    beside columns that are known in advance."""
    if panel.covariates.future:
        return quantiles_OHQ, combination
    horizon = quantiles_OHQ.shape[1]
    quantiles_of_row = {}
    for row, values_T, rules in _tried(panel, origins):
        quantiles_HQ = continuation(values_T, rules, horizon)
        if quantiles_HQ is not None:
            quantiles_of_row[row] = quantiles_HQ
    if not quantiles_of_row:
        return quantiles_OHQ, combination
    rows = np.array([*quantiles_of_row])
    quantiles_OHQ = quantiles_OHQ.copy()
    quantiles_OHQ[rows] = np.stack([*quantiles_of_row.values()])
    if combination is not None:
        whole_share = np.ones((len(rows), 1))
        recurrence_alone = Combination((NAME,), whole_share)
        combination = combination.replaced(rows, recurrence_alone)
    return quantiles_OHQ, combination


def continuation(
    values_T: NDArray, rules: Iterable[Rule], horizon: int
) -> NDArray | None:
    """Quantiles (H, Q) of the next steps by the first rule that values follow; None if there is
    none.

    >>> rules = [Repetition(period, is_factor=False) for period in (1, 2, 3)]
    >>> continuation(np.array([1.0, 3.0] * 8), rules, horizon=3)[:, 3]
    array([1., 3., 1.])
    >>> continuation(np.random.default_rng(0).normal(size=40), rules, horizon=3)
    """
    change_T = np.diff(values_T)
    tolerance = EXACT * np.abs(change_T).mean()
    first_count = 2 * len(values_T) // 3
    first_T = values_T[:first_count]
    later_T = values_T[first_count:]
    for rule in rules:
        with np.errstate(over="ignore", invalid="ignore"):
            ahead_T = rule.ahead(first_T, len(later_T))
            error = np.abs(ahead_T - later_T).max()
            if error <= tolerance:
                point_H = rule.ahead(values_T, horizon)
                if np.isfinite(point_H).all():
                    return point_H[:, None] + error * SCORES
    return None


def _tried(
    panel: Panel, origins: Origins
) -> Iterator[tuple[int, NDArray, Iterator[Rule]]]:
    """Origins where values may follow a recurrence, the newest values, and the rules to be tried,
    the simplest first."""
    start_O = Blocks.of(panel.periods).start(origins.counts)
    count_O = origins.counts - start_O
    read_O = np.minimum(count_O, MOST)
    rows_R = np.flatnonzero(read_O >= FEWEST)
    for first in range(0, len(rows_R), ROWS):
        batch_R = rows_R[first : first + ROWS]
        batch = Origins(origins.series[batch_R], origins.counts[batch_R])
        repeats_RP = _repeats(panel, batch, read_O[batch_R])
        is_smooth_R = _is_smooth(panel, batch)
        is_tried_R = repeats_RP.any(axis=1) | is_smooth_R
        for place in np.flatnonzero(is_tried_R):
            row = batch_R[place]
            offset = panel.offsets[origins.series[row]]
            end = offset + origins.counts[row]
            values_T = panel.values[end - read_O[row] : end]
            if np.isfinite(values_T).all():
                periods = 1 + np.flatnonzero(repeats_RP[place])
                is_smooth = is_smooth_R[place]
                yield row, values_T, _rules(values_T, periods, is_smooth)


def _rules(values_T: NDArray, periods: NDArray, is_smooth: bool) -> Iterator[Rule]:
    is_positive = values_T.min() > 0
    for period in periods.tolist():
        yield Repetition(period, is_factor=False)
        if is_positive:
            yield Repetition(period, is_factor=True)
    if is_smooth:
        for cut in CUTS:
            yield Lags(cut)


def _repeats(panel: Panel, origins: Origins, read_R: NDArray) -> NDArray:
    """Whether the newest changes are those of one cycle before, or in proportion to them, for
    each period P (R, P)."""
    longest = int(read_R.max(initial=0)) // CYCLES
    values_RT = window(panel, origins, longest + CHANGES + 1)
    change_RT = np.diff(values_RT, axis=1)
    newest_RC = change_RT[:, -CHANGES:]
    size_R = np.abs(newest_RC).sum(axis=1)
    tolerance_R = 4 * EXACT * size_R
    repeats_RP = np.zeros((len(read_R), longest), bool)
    for period in range(1, longest + 1):
        earlier_RC = change_RT[:, -CHANGES - period : -period]
        with np.errstate(divide="ignore", invalid="ignore"):
            earlier_size_R = np.abs(earlier_RC).sum(axis=1)
            factor_R1 = (size_R / earlier_size_R)[:, None]
            error_RC = np.abs(newest_RC - factor_R1 * earlier_RC)
        error_R = error_RC.sum(axis=1)
        is_same_R = error_R <= tolerance_R
        is_long_enough_R = CYCLES * period <= read_R
        repeats_RP[:, period - 1] = is_same_R & is_long_enough_R
    is_constant_R = size_R == 0
    repeats_RP[is_constant_R] = False
    return repeats_RP


def _is_smooth(panel: Panel, origins: Origins) -> NDArray:
    """Whether few lags explain the newest values (R,)."""
    values_RT = window(panel, origins, WIDTH)
    change_RT = np.diff(values_RT, axis=1)
    size_R = np.abs(change_RT).mean(axis=1)
    is_known_R = np.isfinite(values_RT).all(axis=1)
    is_smooth_R = is_known_R & (size_R > 0)
    known_RT = values_RT[is_smooth_R]
    size_R1 = size_R[is_smooth_R, None]
    scaled_RT = (known_RT - known_RT[:, -1:]) / size_R1
    before_RTK = sliding_window_view(scaled_RT[:, :-1], FEW_LAGS, axis=1)
    terms_RTK = np.insert(before_RTK, 0, 1.0, axis=2)
    later_RT1 = scaled_RT[:, FEW_LAGS:, None]
    terms_RKT = terms_RTK.swapaxes(1, 2)
    crossed_RKK = terms_RKT @ terms_RTK
    product_RK1 = terms_RKT @ later_RT1
    trace_R = np.trace(crossed_RKK, axis1=1, axis2=2)
    ridge_R11 = RIDGE * trace_R[:, None, None]
    crossed_RKK += ridge_R11 * np.eye(1 + FEW_LAGS)
    factor_RK1 = np.linalg.solve(crossed_RKK, product_RK1)
    error_RT1 = np.abs(later_RT1 - terms_RTK @ factor_RK1)
    is_smooth_R[is_smooth_R] = error_RT1.max(axis=(1, 2), initial=0.0) <= UNEXPLAINED
    return is_smooth_R
