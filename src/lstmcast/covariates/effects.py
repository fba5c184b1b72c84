"""The effects of what is known in advance, for the series of a panel.

A panel is *adjusted*: each value is read less the effect that was known at its step, on the axis of
the series, and closed steps are missing. Whatever forecasts the adjusted panel (the network, simple
forecasts, a network of one's own) forecasts what the known columns do not explain; its answers are
*restored* by the effects of the coming steps, as they are known at each cutoff.

    S series · O origins · J held-out cutoffs · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import FEW_GAPS, MOST_COLUMNS
from lstmcast.covariates.estimate import Solution
from lstmcast.covariates.together import solutions_of
from lstmcast.data.features import Future, listed
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.placingnotes import steps_beyond
from lstmcast.data.ragged import reduced
from lstmcast.data.table import format_time
from lstmcast.errors import DataError
from lstmcast.forecast import KnownParts
from lstmcast.model.inputs.axis import LOG, ROOT, from_axis, to_axis
from lstmcast.util.blas import one_blas_thread

REMEMBERED = 4  # sets of origins: those that are forecast, held-out cutoffs, parts of both
MOST = 30.0  # of an effect in logarithms: numbers stay numbers


class Ahead(NamedTuple):
    """What is known of the coming steps of some origins."""

    effect_OH: NDArray  # on the axis
    closed_OH: NDArray
    axis_O: NDArray

    def restored(self, answers: NDArray) -> NDArray:
        """Answers (O, H, …) of what is left, with the effects; NaN at closed steps."""
        return self._moved(answers, self.effect_OH)

    def less(self, values: NDArray) -> NDArray:
        """Values (O, H, …) without the effects; NaN at closed steps."""
        return self._moved(values, -self.effect_OH)

    def _moved(self, values: NDArray, effect_OH: NDArray) -> NDArray:
        effect, closed = (_beside(values, part) for part in (effect_OH, self.closed_OH))
        result = values.copy()
        for axis in np.unique(self.axis_O).tolist():
            rows = self.axis_O == axis
            result[rows] = moved(values[rows], effect[rows], axis)
        return np.where(closed, np.nan, result)

    def shut(self, answers: NDArray) -> NDArray:
        """Answers (O, H, …) that are 0 at closed steps."""
        return np.where(_beside(answers, self.closed_OH), 0.0, answers)


class Effects:
    """The solutions of the series of a panel, one after the other, and the panel without their
    effects."""

    def __init__(self, panel: Panel) -> None:
        values_N = np.array(panel.values)
        # One after the other: threads would wait for each other, so small are the matrices.
        with one_blas_thread():
            self.solutions_S = solutions_of(panel)
        for series, found in enumerate(self.solutions_S):
            span = slice(panel.offsets[series], panel.offsets[series + 1])
            values_N[span] = less_effects(panel.series(series), found)
        self.adjusted = replace(without_known(panel), values=values_N)
        self._ahead: dict[tuple[int, bytes, bytes], Ahead] = {}

    def solution(self, series: int, count: int) -> Solution | None:
        """The one in force once so many values were observed."""
        found = self.solutions_S[series]
        place = int(np.searchsorted([solution.count for solution in found], count, side="right"))
        return found[place - 1] if place else None

    def ahead(self, origins: Origins, horizon: int) -> Ahead:
        """What is known at some origins of their coming steps; remembered, as the network and each
        simple forecast ask for the same."""
        key = horizon, origins.series.tobytes(), origins.counts.tobytes()
        if key not in self._ahead:
            while len(self._ahead) >= REMEMBERED:
                self._ahead.pop(next(iter(self._ahead)))
            self._ahead[key] = self._looked_ahead(origins, horizon)
        return self._ahead[key]

    def _looked_ahead(self, origins: Origins, horizon: int) -> Ahead:
        shape = len(origins.series), horizon
        result = Ahead(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape[0], np.int64))
        order = np.argsort(origins.series, kind="stable")
        series, first = np.unique(origins.series[order], return_index=True)
        for one, own in zip(series.tolist(), np.split(order, first[1:]), strict=True):
            found = self.solutions_S[one]
            until = [solution.count for solution in found]
            place = np.searchsorted(until, origins.counts[own], side="right") - 1
            for k in np.unique(place[place >= 0]).tolist():
                chosen = own[place == k]
                steps = origins.counts[chosen][:, None] + np.arange(horizon)
                begin, stop = int(steps.min()), int(steps.max()) + 1
                known, every = found[k], np.arange(begin, stop)
                result.effect_OH[chosen] = known.effect(every)[steps - begin]
                result.closed_OH[chosen] = known.closing.closed(every)[steps - begin]
                result.axis_O[chosen] = known.axis
        return result

    def restored(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …) to the adjusted panel, as answers to the panel; NaN at closed steps."""
        return self.ahead(origins, answers.shape[1]).restored(answers)

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
        return self.ahead(origins, answers.shape[1]).shut(answers)


def less_effects(values_T: NDArray, found: Sequence[Solution]) -> NDArray:
    """The values of a series, each less the effect by the solution in force once it was
    observed."""
    result_T = values_T.copy()
    bounds = [*(solution.count - 1 for solution in found), len(values_T)]
    for solution, first, stop in zip(found, bounds[:-1], bounds[1:], strict=True):
        steps = np.arange(first, stop)
        shifted = moved(values_T[first:stop], -solution.effect(steps), solution.axis)
        result_T[first:stop] = np.where(solution.closing.closed(steps), np.nan, shifted)
    return result_T


def _beside(answers: NDArray, part_OH: NDArray) -> NDArray:
    """What is known of each step, in the shape of answers (O, H, …)."""
    return part_OH.reshape(*part_OH.shape, *[1] * (answers.ndim - 2))


def moved(values: NDArray, effect: NDArray, axis: int) -> NDArray:
    """Values moved by an effect on an axis; ratios of values that are not positive as well."""
    if axis == LOG:
        return values * np.exp(np.clip(effect, -MOST, MOST))
    if axis == ROOT:
        z = to_axis(np.maximum(values, 0.0), False, True) + effect
        return np.where(np.isnan(values), np.nan, from_axis(z, False, True))
    return values + effect


def require_known(panel: Panel, origins: Origins, horizon_O: NDArray) -> None:
    """DataError where columns that are known in advance end before the horizon of an origin."""
    future = panel.covariates.future
    if not future or not len(origins.series):
        return
    if len(future.columns) > MOST_COLUMNS:
        raise DataError(
            f"{panel.report.source}: {len(future.columns)} columns are known in advance, and "
            f"{MOST_COLUMNS} are the most that are read. Name those that matter."
        )
    needed_O = origins.counts + horizon_O
    missing_O = needed_O - future.lengths[origins.series]
    names = list(future.columns)
    for name, values_M in future.columns.items():
        if name in future.levels:  # a step without a category has none
            continue
        last_S, regular_S = _last_known(values_M, future)
        early_O = np.where(regular_S[origins.series], needed_O - last_S[origins.series], 0)
        if early_O.max() > max(missing_O.max(), 0):
            missing_O, names = early_O, [name]
    if missing_O.max() <= 0:
        return
    o = int(missing_O.argmax())
    series, needed = int(origins.series[o]), int(needed_O[o])
    last, wanted = (
        format_time(panel.frequency.advance(panel.starts[series], steps - 1)[()])
        for steps in (needed - int(missing_O[o]), needed)
    )
    what = f"column {names[0]!r} is" if len(names) == 1 else f"columns {listed(names)} are"
    raise DataError(
        f"series {str(panel.ids[series])!r}: the {what} known in advance until {last}, and the "
        f"forecast continues until {wanted}. Give rows with values up to there, or forecast "
        f"{max(int(horizon_O[o]) - int(missing_O[o]), 0)} steps."
    )


def _last_known(values_M: NDArray, future: Future) -> tuple[NDArray, NDArray]:
    """How many steps of each series (S,) lead up to the last one at which a column has a value,
    and whether hardly any of them lacks one: gaps are usual in some columns."""
    last_S = steps_beyond(values_M, future, np.zeros(len(future.lengths), np.int64))
    count_S = reduced(np.add, np.where(np.isnan(values_M), 0.0, 1.0), future.offsets, 0.0)
    return last_S, count_S > (1 - FEW_GAPS) * np.maximum(last_S, 1)


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
