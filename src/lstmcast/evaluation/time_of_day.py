"""A regression for each time of day on previous days and columns that are known in advance.

The price of electricity at six depends on yesterday's price at six, on all of the last known day,
and on the load and wind forecast for six, and does so differently than the price at noon. This
follows Lago, Marcjasz, De Schutter & Weron (2021), with a ridge penalty in place of a lasso.
`covariates.estimate` estimates one effect of a column for all times; this regression estimates one
for each time of day.

It is fitted at certain steps of the history to all days before them, on the axis used for the
effects of columns, and used until the next of these steps.

    N origins · H steps · P columns of the regression · T observed steps
    M steps with known columns · D steps of a day
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.dates import Dates
from lstmcast.covariates.effects import effects_of
from lstmcast.covariates.estimate import Solution
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import forward_filled, offsets_of
from lstmcast.evaluation.known_days import Inputs, KnownDays, Sized
from lstmcast.evaluation.linear import places_before
from lstmcast.evaluation.ridge import Ridge
from lstmcast.model.inputs.axis import LOG, ROOT, from_axis, to_axis, units_of
from lstmcast.util.parallel import side_by_side

BACK = (2, 3, 7, 14)  # days back that are inputs, besides the last day
PARTS = 24  # largest number of parts of the last day whose means are inputs
AHEAD = 7  # days forecast at once; later days take earlier forecasts as inputs
FEWEST, MOST = 20, 1500  # days to fit a regression to
KEPT = 0.999  # the weight of a day falls by this factor each day
PER_OCTAVE = 16  # fits while the length of the history doubles
PART = 0.5  # size of the effects of parts of the last day, relative to other columns
LONGEST_DAY = 144  # steps: ten minutes
MOST_ABOUT = 40  # columns that are known in advance


NAME = "regression by time of day"


@dataclass(frozen=True)
class TimeOfDay:
    """A ridge regression for each time of day, of series with columns that are known in advance.

    Forecasts are NaN for series without such columns or with fewer than 34 days.

    `day`: steps per day; `trust`: weight relative to the network's when both have the same error.
    """

    day: int
    name: str = NAME
    trust: float = 2.0

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """Forecasts (O, H)."""
        result_OH = np.full((len(origins.series), horizon), np.nan)
        effects = effects_of(panel)
        if effects is None:
            return result_OH
        days = min(_days(horizon, self.day), AHEAD)

        def fill(alike: tuple[int, int, NDArray]) -> None:
            series, place, rows = alike
            solution = effects.solution(series, place)
            if solution is None or not 0 < len(solution.abouts) <= MOST_ABOUT:
                return
            read = Days.of(panel.series(series), solution, self.day, place)
            regressions = read.fitted(place, days)
            # What grows beyond all numbers is no forecast; threads do not know what callers ignore.
            with np.errstate(over="ignore", invalid="ignore"):
                result_OH[rows] = read.forecasts(
                    regressions, origins.counts[rows], horizon
                )

        side_by_side(fill, self._alike(origins))
        return result_OH

    def _alike(self, origins: Origins) -> Iterator[tuple[int, int, NDArray]]:
        """Triples of a series, the step that its regression is fitted at, and the rows of the
        origins that use it, all at the same time of day."""
        count_O = origins.counts
        place_O = places_before(count_O, PER_OCTAVE)
        place_O -= (place_O - count_O) % self.day
        fewest = (FEWEST + max(BACK)) * self.day
        rows = np.flatnonzero(place_O >= fewest)
        series = origins.series[rows]
        keys = np.stack([series, place_O[rows]])
        fits, fit_of_row = np.unique(keys, axis=1, return_inverse=True)
        fit_of_row = fit_of_row.ravel()
        for fit, (number, place) in enumerate(fits.T.tolist()):
            yield number, place, rows[fit_of_row == fit]


def time_of_day_of(panel: Panel) -> tuple[TimeOfDay, ...]:
    """The candidate, if the steps of the panel are shorter than a day and columns are known in
    advance; otherwise an empty tuple."""
    day = Dates(panel.frequency).day
    is_possible = 1 < day <= LONGEST_DAY and bool(panel.covariates.future)
    return (TimeOfDay(day),) if is_possible else ()


class Past(NamedTuple):
    """Inputs that are known at some origins, and the mean of the last day (N,), which is subtracted
    from inputs and target."""

    inputs: Inputs
    base_N: NDArray


@dataclass(frozen=True, eq=False)
class Days:
    """A series on its axis, with its known columns.

    z_T: values, with missing ones filled forward · observed_T: whether each value was observed ·
    unit: divisor of the values · day: steps of a day.
    """

    z_T: NDArray
    observed_T: NDArray
    known_days: KnownDays
    axis: int
    unit: float
    day: int

    @classmethod
    def of(cls, values_T: NDArray, solution: Solution, day: int, count: int) -> Days:
        """Prepare a series of which `count` values are known, with the axis and columns of the
        solution of its effects."""
        axis = solution.axis
        unit = float(units_of(values_T[None], np.array([axis]))[0])
        scaled_1T = values_T[None] / unit
        z_T = to_axis(scaled_1T, axis == LOG, axis == ROOT)[0]
        bounds = offsets_of(np.array([len(values_T)]))
        return cls(
            z_T=forward_filled(z_T, bounds),
            observed_T=np.isfinite(z_T),
            known_days=KnownDays.of(solution.covariates, solution.abouts, day, count),
            axis=axis,
            unit=unit,
            day=day,
        )

    # ---- inputs

    def past(self, z_L: NDArray, place_N: NDArray, origin_N: NDArray) -> Past:
        """The inputs that are known at some origins, with the values before them: those before each
        place in `z_L`."""
        newest_N1 = place_N[:, None] - 1
        last_ND = z_L[newest_N1 - np.arange(self.day)]
        values = self._values(z_L, last_ND, place_N)
        known_before = self.known_days.before(origin_N)
        shape = self.day, len(origin_N)
        inputs = Inputs.of(chain(values, known_before), shape)
        return Past(inputs, last_ND.mean(axis=1))

    def coming(self, origin_N: NDArray, ahead: int) -> Inputs:
        """The inputs that are known of the day that begins `ahead` days after each origin."""
        shape = self.day, len(origin_N)
        return Inputs.of(self.known_days.coming(origin_N, ahead), shape)

    def _values(
        self, z_L: NDArray, last_ND: NDArray, place_N: NDArray
    ) -> Iterator[Sized]:
        """Inputs from the values: the last day in parts and at the same time, and the days before
        it."""
        base_N = last_ND.mean(axis=1)
        steps_D = np.arange(self.day)
        step_H1 = steps_D[:, None]
        yield last_ND[:, 0] - base_N, 1.0
        yield last_ND.min(axis=1) - base_N, 1.0
        yield last_ND.max(axis=1) - base_N, 1.0
        parts_ND = last_ND.reshape(len(last_ND), self._parts, -1).mean(axis=2)
        for part_N in (parts_ND - base_N[:, None]).T:
            yield part_N, PART
        yesterday_N = place_N - self.day
        for offset in (0, -1, 1):
            time_H1 = (step_H1 + offset) % self.day
            yield z_L[yesterday_N + time_H1] - base_N, 1.0
        for days in BACK:
            begin_N = place_N - days * self.day
            yield z_L[begin_N + step_H1] - base_N, 1.0
            day_ND = z_L[begin_N[:, None] + steps_D]
            yield day_ND.mean(axis=1) - base_N, 1.0

    @property
    def _parts(self) -> int:
        """The number of parts that the last day is divided into."""
        most = min(PARTS, self.day)
        return max(number for number in range(1, most + 1) if self.day % number == 0)

    # ---- regressions

    def fitted(self, place: int, days: int) -> list[Ridge]:
        """Regressions for 1 to `days` days ahead, fitted to everything before `place`."""
        possible = place // self.day - max(BACK)
        days_back_N = np.arange(1, min(possible, MOST) + 1)
        back_N = self.day * days_back_N
        origin_N = place - back_N
        past = self.past(self.z_T, origin_N, origin_N)
        regressions = []
        for ahead in range(days):
            regressions.append(self._fitted_ahead(past, origin_N, place, ahead))
        return regressions

    def _fitted_ahead(
        self, past: Past, origin_N: NDArray, place: int, ahead: int
    ) -> Ridge:
        origin_N = origin_N[ahead:]
        base_N = past.base_N[ahead:]
        inputs = past.inputs.since(ahead).with_columns(self.coming(origin_N, ahead))
        columns_HNP = inputs.columns_HNP
        step_H1 = np.arange(self.day)[:, None]
        coming_HN = origin_N + ahead * self.day + step_H1
        target_HN = self.z_T[coming_HN] - base_N
        is_whole_HN = np.isfinite(columns_HNP).all(axis=2)
        is_whole_HN &= np.isfinite(target_HN)
        is_used_HN = is_whole_HN & self.observed_T[coming_HN]
        age_N = (place - origin_N) // self.day
        kept_N = KEPT**age_N
        weight_HN = np.where(is_used_HN, kept_N, 0.0)
        columns_HNP[~is_used_HN] = 0.0
        target_HN = np.where(is_used_HN, target_HN, 0.0)
        ridge = Ridge.fitted(columns_HNP, target_HN, weight_HN, inputs.size_P)
        has_enough_H = is_used_HN.sum(axis=1) >= FEWEST
        intercept_H = np.where(has_enough_H, ridge.intercept_H, np.nan)
        return ridge._replace(intercept_H=intercept_H)

    def forecasts(
        self, regressions: list[Ridge], count_N: NDArray, horizon: int
    ) -> NDArray:
        """Forecasts (N, horizon) after the first so many values. Days beyond those forecast at once
        take earlier forecasts as inputs."""
        days = _days(horizon, self.day)
        past_steps = max(BACK) * self.day
        z_NL = np.zeros((len(count_N), past_steps + days * self.day))
        steps_NL = count_N[:, None] + np.arange(-past_steps, 0)
        z_NL[:, :past_steps] = self.z_T[steps_NL]
        row_N = np.arange(len(count_N))
        begin_N = row_N * z_NL.shape[1] + past_steps
        for begin in range(0, days, len(regressions)):
            passed = begin * self.day
            origin_N = count_N + passed
            past = self.past(z_NL.ravel(), begin_N + passed, origin_N)
            for ahead, ridge in enumerate(regressions[: days - begin]):
                inputs = past.inputs.with_columns(self.coming(origin_N, ahead))
                first = past_steps + passed + ahead * self.day
                said_HN = past.base_N + ridge.applied_each(inputs.columns_HNP)
                z_NL[:, first : first + self.day] = said_HN.T
        z_NH = z_NL[:, past_steps : past_steps + horizon]
        values_NH = from_axis(z_NH, self.axis == LOG, self.axis == ROOT)
        return values_NH * self.unit


def _days(horizon: int, day: int) -> int:
    """The number of days that the steps span, rounded up."""
    return -(-horizon // day)
