"""Simple forecasts that can be combined with the network.

Each uses the last few cycles, never more than a forecast of the network reads, so that a saved
model continues with the same numbers. Forecasts are NaN at origins where too little is known.
Missing values are skipped; values after a cutoff are never used.

    O origins · H horizon · C cycles · N observations of all series
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks
from lstmcast.covariates.effects import effects_of
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import newest_known
from lstmcast.data.times.frequency import Frequency
from lstmcast.errors import ModelError
from lstmcast.evaluation.baselines import with_drift
from lstmcast.evaluation.linear import Linear
from lstmcast.evaluation.time_of_day import NAME as TIME_OF_DAY
from lstmcast.evaluation.time_of_day import time_of_day_of

CYCLES = 3  # number of past cycles
# Prefixes of candidate names.
NAMES = (
    "naive",
    "seasonal naive",
    f"mean of {CYCLES} cycles",
    "linear map",
    TIME_OF_DAY,
)
SIMPLE_TRUST = 1 / 8  # weight of a candidate relative to the network, at equal errors
WEEKS = 52  # nearly a year with the same weekday: the lag for yearly seasons of days
# Lengths of time in units of a frequency, longest first, for naming cycles.
_SPANS = {
    "quarter": ((4, "year"),),
    "month": ((12, "year"),),
    "week": ((52, "year"),),
    "day": ((7, "week"),),
    "business day": ((5, "week"),),
    "hour": ((168, "week"), (24, "day")),
    "minute": ((10_080, "week"), (1_440, "day"), (60, "hour")),
    "second": ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute")),
}


class Candidate(Protocol):
    """A forecast that can be combined with that of the network."""

    @property
    def name(self) -> str:
        """The name that users see."""
        ...

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """Forecasts (O, H); NaN if unavailable."""
        ...


def trust_of(candidates: Iterable[Candidate]) -> NDArray:
    """The weight of each candidate (N,) relative to the network, at equal errors: an eighth, unless
    the candidate has its own."""
    return np.array(
        [getattr(candidate, "trust", SIMPLE_TRUST) for candidate in candidates]
    )


def candidates_of(panel: Panel) -> tuple[Candidate, ...]:
    """The candidates of a panel, given its seasonal periods.

    >>> panel = Panel.from_arrays([3.0, 5.0, 4.0] * 8, frequency="D", start="2024-01-01")
    >>> [candidate.name for candidate in candidates_of(panel)][:3]
    ['naive', 'seasonal naive of one week', 'mean of 3 cycles of one week']
    """
    effects = effects_of(panel)
    if effects is not None:
        restored = [
            Restored(candidate) for candidate in candidates_of(effects.adjusted)
        ]
        return (*restored, *time_of_day_of(panel))
    frequency = panel.frequency
    seasons = [period for period in panel.periods if period > 1]
    reach = Blocks.of(panel.periods).length
    candidates: list[Candidate] = [Last(reach)]
    candidates += [Cycle(period, span(frequency, period)) for period in seasons]
    shortest_and_longest = dict.fromkeys((*seasons[:1], *seasons[-1:]))
    candidates += [
        CycleMean(period, span(frequency, period)) for period in shortest_and_longest
    ]
    year = _year_of_days(frequency)
    if year is not None and max(seasons, default=1) < year <= reach:
        candidates.append(Cycle(year, span(frequency, year)))
    linear = Linear(tuple(seasons), past=tuple(panel.covariates.past))
    return (*candidates, Drift(panel.periods[0]), linear)


def _year_of_days(frequency: Frequency) -> int | None:
    """Days in the whole number of weeks closest to a year; None for other frequencies."""
    week = {"day": 7, "business day": 5}.get(frequency.unit)
    if week is None or frequency.every != 1:
        return None
    return WEEKS * week


@dataclass(frozen=True)
class Restored:
    """A candidate that forecasts what future columns do not explain."""

    candidate: Candidate

    @property
    def name(self) -> str:
        """The name that users see."""
        return self.candidate.name

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """The forecasts plus the effects of the coming steps."""
        effects = effects_of(panel)
        if effects is None:
            return self.candidate.points(panel, origins, horizon)
        points_OH = self.candidate.points(effects.adjusted, origins, horizon)
        return effects.restored(points_OH, origins)


def span(frequency: Frequency, period: int) -> str:
    """A readable name for a number of steps.

    >>> from lstmcast.data.times.frequency import parse_frequency
    >>> span(parse_frequency("15min"), 96), span(parse_frequency("D"), 364)
    ('one day', '52 weeks')
    >>> span(parse_frequency("h"), 23)
    '23 steps'
    """
    units = period * frequency.every
    for length, name in _SPANS.get(frequency.unit, ()):
        count, remainder = divmod(units, length)
        if remainder == 0:
            return f"one {name}" if count == 1 else f"{count} {name}s"
    return f"{period} steps"


@dataclass(frozen=True)
class Last:
    """The last known value, unless it lies more than `reach` steps back.

    >>> origins = Origins(np.array([0]), np.array([3]))
    >>> Last(512).points(Panel.from_arrays([3.0, 5.0, np.nan, 7.0]), origins, 2)
    array([[5., 5.]])
    """

    reach: int
    name: str = "naive"

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """The same value for every step."""
        newest_N = newest_known(panel.values, panel.offsets)
        end_O = panel.offsets[origins.series] + origins.counts - 1
        place_O = newest_N[end_O]
        is_near = (place_O >= 0) & (end_O - place_O < self.reach)
        newest_O = panel.values[np.maximum(place_O, 0)]
        last_O = np.where(is_near, newest_O, np.nan)
        return np.repeat(last_O[:, None], horizon, axis=1)


@dataclass(frozen=True)
class Cycle:
    """The values of the last cycle again; those of the cycle before where they are missing.

    >>> origins = Origins(np.array([0]), np.array([4]))
    >>> Cycle(2, "2 steps").points(Panel.from_arrays([3.0, 5.0, np.nan, 4.0]), origins, 3)
    array([[3., 4., 3.]])
    """

    period: int
    span: str

    @property
    def name(self) -> str:
        """The name with the length of the cycle."""
        return f"seasonal naive of {self.span}"

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """The newest known value of each phase."""
        cycles_OCH = _cycles(panel, origins, self.period, horizon)
        newest_OH = cycles_OCH[:, 0]
        for older_OH in cycles_OCH[:, 1:].swapaxes(0, 1):
            newest_OH = np.where(np.isnan(newest_OH), older_OH, newest_OH)
        return newest_OH


@dataclass(frozen=True)
class CycleMean:
    """The mean of the last three cycles.

    >>> origins = Origins(np.array([0]), np.array([6]))
    >>> panel = Panel.from_arrays([3.0, 5.0, 4.0, 6.0, 8.0, 1.0])
    >>> CycleMean(2, "2 steps").points(panel, origins, 2)
    array([[5., 4.]])
    """

    period: int
    span: str

    @property
    def name(self) -> str:
        """The name with the length of the cycle."""
        return f"mean of {CYCLES} cycles of {self.span}"

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """The mean of the known values of each phase."""
        cycles_OCH = _cycles(panel, origins, self.period, horizon)
        known_OCH = np.isfinite(cycles_OCH)
        total_OH = np.where(known_OCH, cycles_OCH, 0.0).sum(axis=1)
        count_OH = known_OCH.sum(axis=1)
        return np.where(count_OH > 0, total_OH, np.nan) / np.maximum(count_OH, 1)


@dataclass(frozen=True)
class Drift:
    """The last cycle plus the mean change between cycles, in logarithms for positive values.

    There is no drift with fewer than two cycles or three changes.

    >>> panel = Panel.from_arrays([1.0, 3.0, 2.0, 6.0, 4.0])
    >>> Drift(2).points(panel, Origins(np.array([0]), np.array([5])), 4).round(6)
    array([[12.,  8., 24., 16.]])
    """

    period: int
    name: str = "seasonal naive with drift"

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """The last cycle, with the drift added once per cycle ahead."""
        last_OH = Cycle(self.period, "").points(panel, origins, horizon)
        first_O = Blocks.of(panel.periods).start(origins.counts)
        return with_drift(last_OH, panel, origins, self.period, first_O)


def _cycles(panel: Panel, origins: Origins, period: int, horizon: int) -> NDArray:
    """The values of the same phase one, two, three cycles before each step, (O, C, H)."""
    phase_H = np.arange(horizon) % period
    cycle_C = np.arange(1, CYCLES + 1)
    back_C1 = period * cycle_C[:, None]
    count_O11 = origins.counts[:, None, None]
    steps_OCH = count_O11 - back_C1 + phase_H
    offset_O11 = panel.offsets[origins.series][:, None, None]
    rows_OCH = offset_O11 + np.maximum(steps_OCH, 0)
    return np.where(steps_OCH >= 0, panel.values[rows_OCH], np.nan)


@dataclass(frozen=True)
class Given:
    """A user-defined forecaster, or a baseline by name, as a candidate."""

    forecaster: Any  # of type `evaluation.refitting.Forecasts`
    label: str | None = None

    @property
    def name(self) -> str:
        """The name that the user gave it, else its own."""
        class_name = type(self.forecaster).__name__
        return self.label or str(getattr(self.forecaster, "name", class_name))

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """Predict once for a rectangle of cutoffs; a series with fewer cutoffs repeats its first
        one."""
        order = np.argsort(origins.series, kind="stable")
        series, begins, sizes = np.unique(
            origins.series[order], return_index=True, return_counts=True
        )
        column = np.arange(sizes.max())
        place = np.where(column < sizes[:, None], column, 0)
        places = begins[:, None] + place
        cutoffs = origins.counts[order][places]
        asked_panel = panel
        if len(series) < len(panel):
            asked_panel = panel.select(panel.ids[series])
        forecast = self.forecaster.predict(asked_panel, horizon, cutoffs=cutoffs)
        point_OH = np.asarray(forecast.point, float)
        expected = (cutoffs.size, horizon)
        if point_OH.shape != expected:
            raise ModelError(
                f"{self.name} gives forecasts of shape {point_OH.shape}; {expected} is expected: "
                "one row per series and cutoff."
            )
        result_OH = np.empty((len(order), horizon))
        result_OH[order[places.ravel()]] = point_OH
        return result_OH
