"""The effects of what is known in advance, for the series of a panel.

A panel is *adjusted*: each value is read less the effect that was known at its step, on the axis of
the series, and closed steps are missing. Whatever forecasts the adjusted panel (the network, simple
forecasts, a network of one's own) forecasts what the known columns do not explain; its answers are
*restored* by the effects of the coming steps, as they are known at each cutoff.

    S series · O origins · J held-out cutoffs · H horizon · Q quantile levels
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Known
from lstmcast.covariates.estimate import Solution, solutions
from lstmcast.data.features import Future
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import DataError
from lstmcast.forecast import KnownParts
from lstmcast.model.inputs.axis import LOG, ROOT, from_axis, to_axis
from lstmcast.util.parallel import side_by_side

MOST = 30.0  # of an effect in logarithms: numbers stay numbers


class Effects:
    """The solutions of the series of a panel, one after the other, and the panel without their
    effects."""

    def __init__(self, panel: Panel) -> None:
        self.offsets, self.lengths = panel.offsets, panel.lengths
        self.known_until_S = panel.covariates.future.lengths
        self.solutions_S: list[list[Solution]] = [[] for _ in range(len(panel))]
        values_N = np.array(panel.values)
        side_by_side(partial(self._fill, panel, values_N), range(len(panel)))
        self.adjusted = replace(without_known(panel), values=values_N)

    def _fill(self, panel: Panel, values_N: NDArray, series: int) -> None:
        own_T = panel.series(series)
        found = solutions(own_T, Known.of(panel, series), panel.periods, not panel.declared_real)
        self.solutions_S[series] = list(found)
        span = slice(panel.offsets[series], panel.offsets[series + 1])
        values_N[span] = self._adjusted(series, own_T)

    def _adjusted(self, series: int, values_T: NDArray) -> NDArray:
        """The values, each less the effect by the solution in force once it was observed."""
        result_T = values_T.copy()
        found = self.solutions_S[series]
        bounds = [*(solution.count - 1 for solution in found), len(values_T)]
        for solution, first, stop in zip(found, bounds[:-1], bounds[1:], strict=True):
            steps = np.arange(first, stop)
            shifted = moved(values_T[first:stop], -solution.effect(steps), solution.axis)
            closed = solution.closing.closed(steps)
            result_T[first:stop] = np.where(closed, np.nan, shifted)
        return result_T

    def solution(self, series: int, count: int) -> Solution | None:
        """The one in force once so many values were observed."""
        found = self.solutions_S[series]
        place = int(np.searchsorted([solution.count for solution in found], count, side="right"))
        return found[place - 1] if place else None

    def restored(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …) to the adjusted panel, as answers to the panel; NaN at closed steps."""
        result = answers.copy()
        for series in np.unique(origins.series).tolist():
            own = np.flatnonzero(origins.series == series)
            counts = np.array([solution.count for solution in self.solutions_S[series]])
            place = np.searchsorted(counts, origins.counts[own], side="right") - 1
            for k in np.unique(place[place >= 0]).tolist():
                chosen = own[place == k]
                solution = self.solutions_S[series][k]
                result[chosen] = _restored(answers[chosen], solution, origins.counts[chosen])
        return result

    def parts(self, origins: Origins, horizon: int) -> KnownParts:
        """What each column adds to the coming steps of each origin, on the axis of its series."""
        found, axes_O = [], np.zeros(len(origins.series), np.int64)
        for o, (series, count) in enumerate(zip(origins.series, origins.counts, strict=True)):
            solution = self.solution(int(series), int(count))
            steps = count + np.arange(horizon)
            found.append({} if solution is None else solution.parts(steps))
            axes_O[o] = 0 if solution is None else solution.axis
        names = tuple(dict.fromkeys(name for parts in found for name in parts))
        nothing = np.zeros(horizon)
        effects = [[parts.get(name, nothing) for name in names] for parts in found]
        shape = (len(found), len(names), horizon)
        return KnownParts(names, np.array(effects).reshape(shape).swapaxes(1, 2), axes_O)

    def shut(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …) that are 0 at closed steps."""
        result = answers.copy()
        for o, (series, count) in enumerate(zip(origins.series, origins.counts, strict=True)):
            solution = self.solution(int(series), int(count))
            if solution is not None and solution.closing.at:
                steps = count + np.arange(answers.shape[1])
                result[o, solution.closing.closed(steps)] = 0.0
        return result


def _restored(answers: NDArray, solution: Solution, counts_N: NDArray) -> NDArray:
    steps_NH = counts_N[:, None] + np.arange(answers.shape[1])
    first, stop = int(steps_NH.min()), int(steps_NH.max()) + 1
    effect_NH = solution.effect(np.arange(first, stop))[steps_NH - first]
    closed_NH = solution.closing.closed(np.arange(first, stop))[steps_NH - first]
    shape = (*steps_NH.shape, *[1] * (answers.ndim - 2))
    whole = moved(answers, effect_NH.reshape(shape), solution.axis)
    return np.where(closed_NH.reshape(shape), np.nan, whole)


def moved(values: NDArray, effect: NDArray, axis: int) -> NDArray:
    """Values moved by an effect on an axis; ratios of values that are not positive as well."""
    if axis == LOG:
        return values * np.exp(np.clip(effect, -MOST, MOST))
    if axis == ROOT:
        z = to_axis(np.maximum(values, 0.0), False, True) + effect
        return np.where(np.isnan(values), np.nan, from_axis(z, False, True))
    return values + effect


def require_known(panel: Panel, origins: Origins, horizon: int) -> None:
    """DataError where columns that are known in advance end before the horizon does."""
    future = panel.covariates.future
    if not future or not len(origins.series):
        return
    missing_O = origins.counts + horizon - future.lengths[origins.series]
    if missing_O.max() <= 0:
        return
    o = int(missing_O.argmax())
    series, count = int(origins.series[o]), int(origins.counts[o])
    last, wanted = (
        format_time(panel.frequency.advance(panel.starts[series], steps - 1)[()])
        for steps in (int(future.lengths[series]), count + horizon)
    )
    names = ", ".join(future.columns)
    raise DataError(
        f"series {str(panel.ids[series])!r}: the columns known in advance ({names}) end with "
        f"{last}, and the forecast goes on until {wanted}. Give rows with their values up to "
        f"there, or forecast {max(horizon - int(missing_O[o]), 0)} steps."
    )


# An Effects holds its panel's arrays but not the panel, so that it goes when the panel does.
_KNOWN: WeakKeyDictionary[Panel, Effects] = WeakKeyDictionary()


def effects_of(panel: Panel) -> Effects | None:
    """The effects of what is known in advance of a panel, kept as long as the panel is; None where
    nothing is."""
    if not panel.covariates.future:
        return None
    if panel not in _KNOWN:
        _KNOWN[panel] = Effects(panel)
    return _KNOWN[panel]


def without_known(panel: Panel) -> Panel:
    """A panel of which nothing is known in advance."""
    return replace(panel, covariates=replace(panel.covariates, future=Future()))


def adjusted(panel: Panel) -> Panel:
    """A panel without the effects of what is known in advance; itself where nothing is."""
    effects = effects_of(panel)
    return panel if effects is None else effects.adjusted
