"""The effects of columns known in advance, for the series of a panel.

In an *adjusted* panel, the effect known at each step is subtracted from its value, on the axis of
the series, and closed steps are missing. Whatever forecasts the adjusted panel (the network, a
simple forecast, a network of one's own) forecasts what the known columns do not explain; its
answers are *restored* by adding the effects of the coming steps, as known at each cutoff.

The answers of a head of counts or amounts cannot be shifted. Such a head reads values *at base*,
divided by the factor by which the effects multiply their mean (`uplift`), and its own mean is
multiplied by the factor of the coming steps.

    S series · O origins · J held-out cutoffs · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Known
from lstmcast.covariates.estimate import Solution
from lstmcast.covariates.together import solutions_of
from lstmcast.covariates.uplift import shares_of_log
from lstmcast.data.features import Future
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.forecast import KnownParts
from lstmcast.model.inputs.axis import LOG, ROOT, from_axis, to_axis
from lstmcast.util.blas import one_blas_thread

REMEMBERED = 4  # sets of origins: those to forecast, held-out cutoffs, subsets of both
MOST = 30.0  # limit of an effect in logarithms, so that no number overflows


class Ahead(NamedTuple):
    """What is known about the coming steps of some origins."""

    effect_OH: NDArray  # on the axis
    closed_OH: NDArray
    axis_O: NDArray

    def restored(self, answers: NDArray) -> NDArray:
        """Answers (O, H, …) to the adjusted panel plus the effects; NaN at closed steps."""
        return self._each(answers, moved)

    def less(self, values: NDArray) -> NDArray:
        """Values (O, H, …) less the effects; NaN at closed steps."""
        return self._each(values, less)

    def _each(
        self, values: NDArray, move: Callable[[NDArray, NDArray, int], NDArray]
    ) -> NDArray:
        effect = _per_step(self.effect_OH, values)
        shifted = values.copy()
        for axis in np.unique(self.axis_O).tolist():
            rows = self.axis_O == axis
            shifted[rows] = move(values[rows], effect[rows], axis)
        is_closed = _per_step(self.closed_OH, values)
        return np.where(is_closed, np.nan, shifted)

    def shut(self, answers: NDArray) -> NDArray:
        """Answers (O, H, …), set to 0 at closed steps."""
        is_closed = _per_step(self.closed_OH, answers)
        return np.where(is_closed, 0.0, answers)


class AtBase(NamedTuple):
    """A panel without its known columns whose values are divided by the uplift of their steps
    (N,); the uplift is None if values are not divided."""

    panel: Panel
    uplift_N: NDArray | None


class Effects:
    """The successive solutions of each series of a panel, and the panel without their effects, of
    which the share of the panel is used. `whole_S`: the same effects, all of them.
    """

    def __init__(
        self, panel: Panel, whole_S: list[list[Solution]] | None = None
    ) -> None:
        values_N = np.array(panel.values)
        self.whole_S = solved(panel) if whole_S is None else whole_S
        share = panel.covariates.future.share
        self.solutions_S = [
            [one.scaled(share) for one in solutions] for solutions in self.whole_S
        ]
        for series, solutions in enumerate(self.solutions_S):
            span = slice(panel.offsets[series], panel.offsets[series + 1])
            values_N[span] = less_effects(panel.series(series), solutions)
        self.adjusted = replace(without_known(panel), values=values_N)
        self._values = panel.values
        self._ahead: dict[tuple[int, bytes, bytes], Ahead] = {}

    def solution(self, series: int, count: int) -> Solution | None:
        """The solution in force after `count` observed values."""
        solutions = self.solutions_S[series]
        begins = [solution.count for solution in solutions]
        place = int(np.searchsorted(begins, count, side="right"))
        return solutions[place - 1] if place else None

    def ahead(self, origins: Origins, horizon: int) -> Ahead:
        """What is known at some origins about their coming steps; cached, as the network and each
        simple forecast ask for the same."""
        key = horizon, origins.series.tobytes(), origins.counts.tobytes()
        if key not in self._ahead:
            while len(self._ahead) >= REMEMBERED:
                self._ahead.pop(next(iter(self._ahead)))
            self._ahead[key] = self._looked_ahead(origins, horizon)
        return self._ahead[key]

    @cached_property
    def at_base(self) -> AtBase:
        """The panel that a head of counts or amounts reads; NaN at closed steps."""
        values_N = np.array(self._values)
        uplift_N = np.ones(len(values_N))
        for series, solutions in enumerate(self.solutions_S):
            first = self.adjusted.offsets[series]
            for solution, steps in in_force(
                solutions, int(self.adjusted.lengths[series])
            ):
                place = first + steps
                uplift_N[place] = solution.uplift(steps)
                values_N[place[solution.closing.closed(steps)]] = np.nan
        panel = replace(self.adjusted, values=values_N / uplift_N)
        return AtBase(panel, uplift_N)

    def uplift(self, origins: Origins, horizon: int) -> NDArray:
        """The factor by which effects multiply the mean of the coming steps (O, H), as known at
        each origin."""
        uplift_OH = np.ones((len(origins.series), horizon))
        for solution, rows in self._in_force(origins):
            steps = origins.counts[rows][:, None] + np.arange(horizon)
            uplift_OH[rows] = solution.uplift(steps.ravel()).reshape(steps.shape)
        return uplift_OH

    def _looked_ahead(self, origins: Origins, horizon: int) -> Ahead:
        count = len(origins.series)
        ahead = Ahead(
            effect_OH=np.zeros((count, horizon)),
            closed_OH=np.zeros((count, horizon), bool),
            axis_O=np.zeros(count, np.int64),
        )
        for solution, rows in self._in_force(origins):
            steps = origins.counts[rows][:, None] + np.arange(horizon)
            begin = int(steps.min())
            all_steps = np.arange(begin, int(steps.max()) + 1)
            place = steps - begin
            ahead.effect_OH[rows] = solution.effect(all_steps)[place]
            ahead.closed_OH[rows] = solution.closing.closed(all_steps)[place]
            ahead.axis_O[rows] = solution.axis
        return ahead

    def _in_force(self, origins: Origins) -> Iterator[tuple[Solution, NDArray]]:
        """Each solution that is in force at some of the origins, and a mask of those."""
        if not len(origins.series):
            return
        order = np.argsort(origins.series, kind="stable")
        different, first = np.unique(origins.series[order], return_index=True)
        by_series = np.split(order, first[1:])
        for series, rows in zip(different.tolist(), by_series, strict=True):
            solutions = self.solutions_S[series]
            begins = [solution.count for solution in solutions]
            place = np.searchsorted(begins, origins.counts[rows], side="right") - 1
            for number in np.unique(place[place >= 0]).tolist():
                yield solutions[number], rows[place == number]

    def restored(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …) to the adjusted panel plus the effects; NaN at closed steps."""
        return self.ahead(origins, answers.shape[1]).restored(answers)

    def left_open(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …), set to NaN at closed steps."""
        ahead = self.ahead(origins, answers.shape[1])
        return np.where(_per_step(ahead.closed_OH, answers), np.nan, answers)

    def parts(self, origins: Origins, horizon: int, affine: bool = True) -> KnownParts:
        """What each column adds to the coming steps of each origin, on the axis of its series; for
        a head that is not `affine`, in logarithms of the factors that multiply its mean."""
        by_origin: list[dict[str, NDArray]] = []
        axes = []
        for series, count in zip(origins.series, origins.counts, strict=True):
            solution = self.solution(int(series), int(count))
            if solution is None:
                by_origin.append({})
                axes.append(0)
                continue
            steps = count + np.arange(horizon)
            if affine:
                by_origin.append(solution.parts(steps))
                axes.append(solution.axis)
            else:
                by_origin.append(_in_logarithms(solution, steps))
                axes.append(LOG)
        names = tuple(dict.fromkeys(chain.from_iterable(by_origin)))
        effects_OHC = np.zeros((len(by_origin), horizon, len(names)))
        for row, effects in enumerate(by_origin):
            for name, effect_H in effects.items():
                effects_OHC[row, :, names.index(name)] = effect_H
        return KnownParts(names, effects_OHC, np.array(axes, np.int64))

    def shut(self, answers: NDArray, origins: Origins) -> NDArray:
        """Answers (O, H, …), set to 0 at closed steps."""
        return self.ahead(origins, answers.shape[1]).shut(answers)


def solved(panel: Panel) -> list[list[Solution]]:
    """The solutions of the series of a panel."""
    # One after the other: the matrices are so small that threads would wait for each other.
    with one_blas_thread():
        return solutions_of(panel)


def less_effects(values_T: NDArray, solutions: Sequence[Solution]) -> NDArray:
    """The values of a series, each less its effect by the solution in force when it was
    observed."""
    result_T = values_T.copy()
    for solution, steps in in_force(solutions, len(values_T)):
        shifted = less(values_T[steps], solution.effect(steps), solution.axis)
        is_closed = solution.closing.closed(steps)
        result_T[steps] = np.where(is_closed, np.nan, shifted)
    return result_T


def in_force(
    solutions: Sequence[Solution], length: int
) -> Iterator[tuple[Solution, NDArray]]:
    """Each solution of a series, and the steps at which it is in force."""
    bounds = [solution.count - 1 for solution in solutions]
    bounds.append(length)
    for solution, (first, stop) in zip(solutions, pairwise(bounds), strict=True):
        yield solution, np.arange(first, stop)


def _in_logarithms(solution: Solution, steps_N: NDArray) -> dict[str, NDArray]:
    """What each column adds to the logarithm of the mean (N,)."""
    by_column = solution.parts(steps_N)
    if not by_column:
        return {}
    effect_NC = np.stack(list(by_column.values()), axis=1)
    shares_NC = shares_of_log(effect_NC, solution.axis, solution.level)
    return dict(zip(by_column, shares_NC.T, strict=True))


def _per_step(values_OH: NDArray, like: NDArray) -> NDArray:
    """The values of steps with as many axes as answers (O, H, …)."""
    return values_OH.reshape(*values_OH.shape, *[1] * (like.ndim - 2))


def moved(values: NDArray, effect: NDArray, axis: int) -> NDArray:
    """Values moved by an effect on an axis; by a factor too if they are not positive."""
    if axis == LOG:
        return values * np.exp(np.clip(effect, -MOST, MOST))
    if axis == ROOT:
        roots = to_axis(np.maximum(values, 0.0), False, True)
        squares = from_axis(roots + effect, False, True)
        return np.where(np.isnan(values), np.nan, squares)
    return values + effect


def less(values: NDArray, effect: NDArray, axis: int) -> NDArray:
    """Observations without an effect on an axis.

    On that of square roots a 0 stays 0: an effect multiplies demand, and of none there is none. A
    tiny amount in its place would hide that a series is often 0, which decides how it is read.
    """
    result = moved(values, -effect, axis)
    if axis == ROOT:
        return np.where(values == 0, 0.0, result)
    return result


# An Effects holds the arrays of its panel but not the panel, so both are freed together.
_KNOWN: WeakKeyDictionary[Panel, Effects] = WeakKeyDictionary()


def effects_of(panel: Panel) -> Effects | None:
    """The effects of the columns of a panel that are known in advance, cached as long as the panel
    exists; None if there are no such columns."""
    if not panel.covariates.future:
        return None
    if panel not in _KNOWN:
        _KNOWN[panel] = Effects(panel)
    return _KNOWN[panel]


def using_share(panel: Panel, share: float) -> Panel:
    """A panel of whose effects a share is used, without estimating them again."""
    if share == panel.covariates.future.share:
        return panel
    future = replace(panel.covariates.future, share=share)
    shared = replace(panel, covariates=replace(panel.covariates, future=future))
    effects = effects_of(panel)
    whole_S = None if effects is None else effects.whole_S
    _KNOWN[shared] = Effects(shared, whole_S)
    return shared


def with_effects_of(panel: Panel, original: Panel) -> Panel:
    """The panel, with the effects that were estimated in another one, whose coming values of known
    columns differ and nothing else: they are not estimated again."""
    effects = effects_of(original)
    if effects is not None:
        whole_S = []
        for series, solutions in enumerate(effects.whole_S):
            covariates = Known.of(panel, series)
            whole_S.append([solution.reading(covariates) for solution in solutions])
        _KNOWN[panel] = Effects(panel, whole_S)
    return panel


def without_known(panel: Panel) -> Panel:
    """The panel without its columns known in advance."""
    return replace(panel, covariates=replace(panel.covariates, future=Future()))


def left_open(panel: Panel) -> Panel:
    """The panel, its values missing where known columns close it: such zeros say nothing of steps
    that are open."""
    effects = effects_of(panel)
    if effects is None:
        return panel
    is_closed_N = np.isnan(effects.adjusted.values)
    return replace(
        without_known(panel), values=np.where(is_closed_N, np.nan, panel.values)
    )


def read_by(panel: Panel, affine: bool) -> AtBase:
    """The panel that a network with an `affine` or other head reads; the panel itself if nothing is
    known in advance."""
    effects = effects_of(panel)
    if effects is None:
        return AtBase(panel, None)
    if affine:
        return AtBase(effects.adjusted, None)
    return effects.at_base


def adjusted(panel: Panel) -> Panel:
    """The panel less the effects of columns known in advance; itself if there are none."""
    effects = effects_of(panel)
    return panel if effects is None else effects.adjusted
