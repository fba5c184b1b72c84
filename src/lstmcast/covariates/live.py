"""The effects of columns known in advance on one series that grows value by value.

The solutions are those that `effects` makes from the whole series after as many values. Each needs
the history so far, which is therefore kept; between solutions, a value costs no more than the
columns at its step.

    C columns as given · M steps with known values · T observed steps · H coming steps
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.closing import Closing
from lstmcast.covariates.columns import FEW_GAPS, About, Dates, Known
from lstmcast.covariates.effects import Ahead, less_effects
from lstmcast.covariates.estimate import (
    Solution,
    first_renewal,
    next_renewal,
    solution_of,
    solutions,
)
from lstmcast.covariates.grown import Grown, GrownColumns
from lstmcast.data.times.frequency import Frequency
from lstmcast.util.blas import one_blas_thread

NO_COVARIANCE = np.zeros((0, 0))  # streams do not report the uncertainty of effects


@dataclass
class Common:
    """What the series of a stream have in common.

    names: names of the columns · levels: the categories of each column so far, empty for numbers ·
    roots: whether values may be read as square roots · share: how much of the effects is used.
    """

    names: tuple[str, ...]
    frequency: Frequency
    periods: tuple[int, ...]
    roots: bool
    levels: list[tuple[str, ...]] = field(default_factory=list)
    share: float = 1.0

    def __post_init__(self) -> None:
        self.levels = self.levels or [()] * len(self.names)


class LiveEffects:
    """What is known in advance about a series, and the solution in force.

    Args:
        common: What all series of a stream have in common.
        start: The time of the first step; None if it is unknown.
    """

    def __init__(self, common: Common, start: Any = None) -> None:
        self.common = common
        self.start = start
        self.columns = GrownColumns(len(common.names))
        self.history = Grown(np.empty((1, 0)))
        self.solution: Solution | None = None
        # number of values at the next solution
        self.due = first_renewal(common.periods)

    @property
    def count(self) -> int:
        """The number of observed values."""
        return self.history.length

    # ---- reading

    def begin(self, values_T: NDArray, columns_CM: NDArray) -> NDArray:
        """Read a whole history and all that is known; return the values less their effects."""
        self.columns.begin(columns_CM)
        self.columns.told_C[:] = self._lengths()
        self.columns.pass_on(len(values_T))
        self.history = Grown(values_T[None])
        covariates = self._known(0, self.columns.length)
        common = self.common
        with one_blas_thread():
            whole = list(solutions(values_T, covariates, common.periods, common.roots))
        in_order = [solution.scaled(common.share) for solution in whole]
        if in_order:
            self._take(in_order[-1])
        return less_effects(values_T, in_order)

    def observe(self, value: float) -> float:
        """Read one more value; return it less its effect, or NaN if the series is closed."""
        step = self.count
        self.columns.pass_on()
        self.history.grow(step + 1)
        self.history.values[0, step] = value
        if self.count == self.due:
            self._renew()
        at_step = self.ahead(np.array([step]))
        return at_step.less(np.array([[value]])).item()

    def _renew(self) -> None:
        """Make the next solution, from the whole history."""
        common = self.common
        covariates = self._known(0, self.columns.length)
        with one_blas_thread():
            solution = solution_of(
                self.history.values[0], covariates, common.periods, common.roots
            )
        self._take(solution.scaled(common.share))

    def _take(self, solution: Solution) -> None:
        """Put a solution in force; it shares the columns of this object rather than a copy."""
        newest = self._known(solution.count - 1, solution.count)
        closing = Closing(newest, solution.closing.at)
        self.solution = replace(
            solution, covariates=newest, closing=closing, covariance_PP=NO_COVARIANCE
        )
        self.due = next_renewal(solution.count)

    def _lengths(self) -> list[int]:
        """The number of steps of each column up to its last known value.

        Numbers that have hardly ever been missing are required up to the horizon; other columns may
        end anywhere, as a step may have no category.
        """
        lengths = []
        for levels, values_M in zip(
            self.common.levels, self.columns.values_CM, strict=True
        ):
            known_steps = np.flatnonzero(~np.isnan(values_M))
            length = int(known_steps.max(initial=-1)) + 1
            is_seldom_missing = len(known_steps) > (1 - FEW_GAPS) * max(length, 1)
            if levels or not is_seldom_missing:
                length = len(values_M)
            lengths.append(length)
        return lengths

    # ---- what follows

    def ahead(self, steps_H: NDArray) -> Ahead:
        """What is now known about some steps."""
        if self.solution is None:
            return Ahead(
                effect_OH=np.zeros((1, len(steps_H))),
                closed_OH=np.zeros((1, len(steps_H)), bool),
                axis_O=np.zeros(1, np.int64),
            )
        covariates = self._around(steps_H)
        closing = Closing(covariates, self.solution.closing.at)
        solution = replace(self.solution, covariates=covariates, closing=closing)
        return Ahead(
            effect_OH=solution.effect(steps_H)[None],
            closed_OH=closing.closed(steps_H)[None],
            axis_O=np.array([solution.axis]),
        )

    def _around(self, steps_H: NDArray) -> Known:
        """What is known about some steps and about one day before and after."""
        day = Dates(self.common.frequency).day
        stop = min(int(steps_H.max()) + day + 1, self.columns.length)
        first = max(int(steps_H.min()) - day, 0)
        return self._known(min(first, stop - 1), stop)

    def lacking(
        self, steps_H: NDArray, counts: Sequence[int]
    ) -> tuple[str, int] | None:
        """A column that lacks values at some of the steps, and the first such step; `counts`: for
        each column, the number of these steps that the caller gives values for."""
        columns = zip(self.common.names, counts, self.columns.told_C, strict=True)
        for name, count, known_until in columns:
            remaining = steps_H[count:]
            missing = remaining[remaining >= known_until]
            if len(missing):
                return name, int(missing[0])
        return None

    def anew(self, start: Any = None) -> LiveEffects:
        """The series after a restart, with what is known about the steps from then on."""
        effects = LiveEffects(self.common, start)
        if start is None or self.start is None:
            return effects
        frequency = self.common.frequency
        position_1 = frequency.position(np.atleast_1d(start), np.atleast_1d(self.start))
        first = int(position_1[0])
        if 0 <= first < self.columns.length:
            effects.columns.begin(self.columns.values_CM[:, first:])
            effects.columns.told_C = np.maximum(self.columns.told_C - first, 0)
        return effects

    def _known(self, first: int, stop: int) -> Known:
        """What is known about the steps from `first` to `stop`."""
        columns = self.columns.part(first, stop)
        dates = Dates(self.common.frequency, self.start)
        levels = tuple(self.common.levels)
        return Known.from_columns(self.common.names, levels, columns, dates, first)

    # ---- saving

    def arrays(self) -> dict[str, NDArray]:
        """The arrays of the state, whose last axis may have any length."""
        arrays = {
            **self.columns.arrays(),
            "history": self.history.values,
            "coefficients": np.zeros(0),
            "middle": np.zeros(0),
        }
        if self.solution is not None:
            arrays["coefficients"] = self.solution.coefficients_P
            arrays["middle"] = self.solution.middle_P
        return arrays

    def described(self) -> dict[str, Any]:
        """The rest of the state, for JSON."""
        about: dict[str, Any] = {"start": None, "solution": None}
        if self.start is not None:
            about["start"] = int(np.asarray(self.start).astype(np.int64))
        if self.solution is not None:
            about["solution"] = {
                "count": self.solution.count,
                "axis": self.solution.axis,
                "what": [list(column) for column in self.solution.abouts],
                "groups": list(self.solution.groups),
                "closed": list(self.solution.closing.at),
            }
        return about

    @classmethod
    def from_saved(
        cls, common: Common, about: Mapping[str, Any], arrays: Mapping[str, NDArray]
    ) -> LiveEffects:
        """Restore what `described` and `arrays` returned."""
        effects = cls(common, _time(about["start"], common.frequency))
        effects.history = Grown(arrays["history"])
        effects.columns = GrownColumns.from_saved(arrays, effects.count)
        saved = about["solution"]
        if saved is None:
            return effects
        count = saved["count"]
        covariates = effects._known(count - 1, count)
        solution = Solution(
            count=count,
            axis=saved["axis"],
            covariates=covariates,
            abouts=tuple(_about(column) for column in saved["what"]),
            coefficients_P=arrays["coefficients"],
            middle_P=arrays["middle"],
            groups=tuple(saved["groups"]),
            closing=Closing(covariates, tuple(map(_category, saved["closed"]))),
        )
        effects._take(solution)
        return effects


def _about(saved: list[Any]) -> About:
    """The properties of a column, from JSON."""
    column, categories, often, mean, spread, gaps, (low, high) = saved
    return About(
        column, tuple(categories), tuple(often), mean, spread, gaps, (low, high)
    )


def _category(saved: list[Any]) -> tuple[int, float]:
    """A column and the code of one of its categories, from JSON."""
    column, category = saved
    return int(column), float(category)


def _time(saved: int | None, frequency: Frequency) -> Any:
    """The time of the first step, from its number."""
    if saved is None or frequency.unit == "integer":
        return saved
    return np.datetime64(saved, "us")
