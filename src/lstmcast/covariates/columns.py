"""From columns known in advance to the columns of a regression.

The kind of each column and the scale of its numbers are determined by its first values, those of
the steps that a regression is fitted to: later values never change an earlier answer.

    number   the number, its excess over each of three thresholds, its running mean
    event    each category but the most frequent, if it occurs twice; the steps before and after
    days     day of the month and of the year, the days around New Year, length of the month; from
             the dates alone

The effects of numbers and of frequent events may differ by hour and by day of the week. Each of
these is a group of columns with its own prior variance.

    M steps with known values · C columns as given · P columns of the regression
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.dates import Dates, Kind, Waves, harmonics_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import forward_filled, offsets_of

NEIGHBOURS = "the day before and after"
# standard deviations from the mean at which the slope may change
BENDS = (-1.0, 0.0, 1.0)
BEYOND = 0.1  # share of the observed range beyond which effects are not extrapolated
SMOOTHING = 0.9  # of the running mean, per step
# daily harmonics by which the effects of events and numbers may vary
HOURS, OF_NUMBERS = 3, 2
# distinct whole numbers that are read as categories, unless levels are named
MOST_CATEGORIES = 12
# columns as given from which on each is used as it is: no bends, hours or neighbours
MANY = 40
MOST_COLUMNS = 200  # columns as given
TWICE, MOST_LEVELS = 2, 24  # occurrences of a category; number of categories
# steps, and share of steps, of an event whose effect may vary
OFTEN, SELDOM = 100, 0.05
FEW_GAPS = 0.02  # share of missing numbers up to which they are filled forward
SOME = 1e-9  # relative to the numbers: smaller differences are rounding errors


class Columns(NamedTuple):
    """Columns (C, M): as given (NaN = missing), filled forward, and their running means."""

    values_CM: NDArray
    carried_CM: NDArray
    smooth_CM: NDArray


@dataclass(frozen=True, eq=False)
class Known:
    """What is known in advance about one series.

    names (C,) · values_CM, NaN = missing · carried_CM: values filled forward · smooth_CM: running
    means · levels (C,): names of categories, if numbers are their codes · day: steps per day ·
    week: days per week · phases_M: of the week for daily data, of the day for finer data · waves:
    columns from the dates alone · first: the step at which all of these begin.
    """

    names: tuple[str, ...]
    values_CM: NDArray
    carried_CM: NDArray
    smooth_CM: NDArray
    levels: tuple[tuple[str, ...], ...]
    day: int
    week: int
    phases_M: NDArray
    daily: bool
    waves: tuple[Waves, ...]
    first: int = 0

    @classmethod
    def of(cls, panel: Panel, series: int) -> Known:
        """What a panel knows in advance about one of its series."""
        future = panel.covariates.future
        span = slice(future.offsets[series], future.offsets[series + 1])
        values_CM = np.stack([column[span] for column in future.columns.values()])
        bounds = offsets_of(np.array([values_CM.shape[1]]))
        carried_CM = np.nan_to_num(forward_filled(values_CM.T, bounds).T)
        columns = Columns(values_CM, carried_CM, _running_mean(values_CM))
        levels = tuple(future.levels.get(name, ()) for name in future.columns)
        dates = Dates(panel.frequency, panel.starts[series])
        return cls.from_columns(tuple(future.columns), levels, columns, dates)

    @classmethod
    def from_columns(
        cls,
        names: tuple[str, ...],
        levels: tuple[tuple[str, ...], ...],
        columns: Columns,
        dates: Dates,
        first: int = 0,
    ) -> Known:
        """What columns tell whose first value belongs to the step `first`."""
        steps_M = first + np.arange(columns.values_CM.shape[1])
        cycle = dates.week if dates.daily else dates.day
        return cls(
            names=names,
            values_CM=columns.values_CM,
            carried_CM=columns.carried_CM,
            smooth_CM=columns.smooth_CM,
            levels=levels,
            day=dates.day,
            week=dates.week,
            phases_M=steps_M % cycle,
            daily=dates.daily,
            waves=tuple(dates.waves(steps_M)),
            first=first,
        )

    def places(self, steps_N: NDArray) -> NDArray:
        """The positions of steps in the arrays (N,); later steps have that of the last one."""
        return np.minimum(steps_N - self.first, self.values_CM.shape[1] - 1)

    def inside(self, steps_N: NDArray) -> NDArray:
        """Whether there are known values for each of these steps (N,)."""
        return (steps_N >= self.first) & (
            steps_N < self.first + self.values_CM.shape[1]
        )


class Running(NamedTuple):
    """Exponential means of columns (C,) that skip missing values and decay at a constant rate."""

    sum_C: NDArray
    weight_C: NDArray
    newest_C: NDArray  # the newest known value

    @classmethod
    def start(cls, columns: int) -> Running:
        """The means before any value is known."""
        zeros_C = np.zeros(columns)
        return cls(zeros_C, zeros_C, zeros_C)

    def after(self, values_C: NDArray) -> Running:
        """The means after the values of one more step."""
        known_C = ~np.isnan(values_C)
        sum_C = SMOOTHING * self.sum_C + np.nan_to_num(values_C)
        weight_C = SMOOTHING * self.weight_C + 1.0
        return Running(
            sum_C=np.where(known_C, sum_C, self.sum_C),
            weight_C=np.where(known_C, weight_C, self.weight_C),
            newest_C=np.where(known_C, values_C, self.newest_C),
        )

    @property
    def mean_C(self) -> NDArray:
        """The means, 0 for columns without a known value."""
        return self.sum_C / np.maximum(self.weight_C, 1.0)


def _running_mean(values_CM: NDArray) -> NDArray:
    """The means of `Running` after each step, equal to the last bit.

    Computed with plain numbers, as arrays of so few columns take twenty times as long."""
    means = [_means_of(values_M.tolist()) for values_M in values_CM]
    return np.array(means).reshape(values_CM.shape)


def _means_of(values: list[float]) -> list[float]:
    means = []
    total = weight = 0.0
    for value in values:
        if not math.isnan(value):
            total = SMOOTHING * total + value
            weight = SMOOTHING * weight + 1.0
        means.append(total / max(weight, 1.0))
    return means


class About(NamedTuple):
    """The properties of a column, judged by its first values."""

    column: int
    categories: tuple[float, ...]  # all but the most frequent one; empty for numbers
    # whether each category's effect may vary by weekday or hour
    often: tuple[bool, ...]
    mean: float
    spread: float
    gaps: bool  # whether numbers are missing
    # limits of numbers: effects are constant beyond
    reach: tuple[float, float] = (0.0, 0.0)


def about(covariates: Known, steps: int) -> tuple[About, ...]:
    """The properties of the columns of a series, judged by their first `steps` values; constant
    columns are left out."""
    columns = []
    for column, values_M in enumerate(covariates.values_CM[:, :steps]):
        values = values_M[~np.isnan(values_M)]
        categories, count = np.unique(values, return_counts=True)
        if not len(categories):
            continue
        are_whole = bool((categories % 1 == 0).all())
        are_few = len(categories) <= MOST_CATEGORIES
        if covariates.levels[column] or (are_few and are_whole):
            description = _event(column, categories, count, steps)
        else:
            description = _number(column, values, steps)
        if description is not None:
            columns.append(description)
    return tuple(columns)


def _number(column: int, values: NDArray, steps: int) -> About | None:
    """The properties of a column of numbers, from the known ones; None if they are constant."""
    largest = np.abs(values).max()
    _, exponent = np.frexp(largest)
    power = int(exponent)  # so that squares of any numbers stay in range
    scaled = np.ldexp(values, -power)
    spread = float(np.ldexp(scaled.std(), power))
    if not spread > SOME * float(largest):
        return None
    low = float(values.min())
    high = float(values.max())
    margin = BEYOND * (high - low)
    return About(
        column=column,
        categories=(),
        often=(),
        mean=float(values.mean()),
        spread=spread,
        gaps=len(values) < (1 - FEW_GAPS) * steps,
        reach=(low - margin, high + margin),
    )


def _event(
    column: int, categories: NDArray, count: NDArray, steps: int
) -> About | None:
    """The properties of a column of categories; its most frequent one is the reference."""
    missing = steps - count.sum()
    base = -1 if missing > count.max() else int(count.argmax())
    often_first = np.argsort(-count, kind="stable").tolist()
    places = [place for place in often_first if place != base and count[place] >= TWICE]
    places = places[:MOST_LEVELS]
    if not places:
        return None
    share = count / steps
    is_often = (count > OFTEN) & (share > SELDOM) & (share < 1 - SELDOM)
    return About(
        column=column,
        categories=tuple(float(categories[place]) for place in places),
        often=tuple(bool(is_often[place]) for place in places),
        mean=0.0,
        spread=1.0,
        gaps=False,
    )


class Group(NamedTuple):
    """Columns of the regression that share a prior variance (N, P)."""

    name: str
    kind: Kind
    columns_NP: NDArray


class Design(NamedTuple):
    """Columns of the regression at some steps, each with the name and kind of its group and its
    source: a column as given, or the dates."""

    columns_NP: NDArray
    groups: tuple[str, ...]
    kinds: tuple[Kind, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, groups: Sequence[tuple[str, Group]], steps: int) -> Design:
        """The design of groups, each with its source, for this number of steps."""
        arrays = [np.zeros((steps, 0))]
        names: list[str] = []
        kinds: list[Kind] = []
        sources: list[str] = []
        for source, group in groups:
            count = group.columns_NP.shape[1]
            arrays.append(group.columns_NP)
            names += [group.name] * count
            kinds += [group.kind] * count
            sources += [source] * count
        columns_NP = np.concatenate(arrays, axis=1)
        return cls(columns_NP, tuple(names), tuple(kinds), tuple(sources))


def design(
    covariates: Known, abouts: tuple[About, ...], steps_N: NDArray, count: int
) -> Design:
    """The columns at some steps, for a regression on the first `count` steps.

    After the last step with known values, no events happen and numbers keep their last value.
    """
    has_few = len(abouts) <= MANY
    groups: list[tuple[str, Group]] = []
    for about in abouts:
        name = covariates.names[about.column]
        columns_of = _event_columns if about.categories else _number_columns
        for group in columns_of(covariates, about, name, steps_N):
            if has_few or group.kind is Kind.ITSELF:
                groups.append((name, group))
    for waves in covariates.waves:
        if count >= waves.fewest:
            columns_NP = waves.columns_MP[covariates.places(steps_N)]
            group = Group(waves.group, waves.kind, columns_NP)
            groups.append((waves.group, group))
    return Design.of(groups, len(steps_N))


def _number_columns(
    covariates: Known, about: About, name: str, steps_N: NDArray
) -> Iterator[Group]:
    place_N = covariates.places(steps_N)
    values_CM = covariates.values_CM if about.gaps else covariates.carried_CM
    values_N = values_CM[about.column, place_N]
    smooth_N = covariates.smooth_CM[about.column, place_N]
    is_known_N = ~np.isnan(values_N)
    x_N = np.where(is_known_N, standardised(values_N, about), 0.0)
    mean_N = standardised(smooth_N, about)
    yield Group(name, Kind.ITSELF, x_N[:, None])
    yield Group(f"{name}: bends", Kind.MORE, _bends(x_N))
    if about.gaps:
        yield Group(f"{name}: known", Kind.MORE, is_known_N[:, None].astype(float))
    if covariates.day > 1:
        turns_N = covariates.phases_M[place_N] / covariates.day
        by_hour_NP = x_N[:, None] * harmonics_of(turns_N, OF_NUMBERS)
        recent_NP = np.concatenate([mean_N[:, None], _bends(mean_N)], axis=1)
        yield Group(f"{name}: by hour", Kind.MORE, by_hour_NP)
        yield Group(f"{name}: recent", Kind.MORE, recent_NP)


def standardised(values_N: NDArray, about: About) -> NDArray:
    """Standard deviations from the mean, limited to the reach of the column."""
    return (np.clip(values_N, *about.reach) - about.mean) / about.spread


def _bends(x_N: NDArray) -> NDArray:
    return np.stack([np.maximum(x_N - bend, 0.0) for bend in BENDS], axis=1)


def _event_columns(
    covariates: Known, about: About, name: str, steps_N: NDArray
) -> Iterator[Group]:
    for category, is_often in zip(about.categories, about.often, strict=True):
        label = _event_name(covariates, about, name, category)
        here_N = _happens(covariates, about.column, category, steps_N)
        yield Group(label, Kind.ITSELF, here_N[:, None])
        day_before_N = _happens(
            covariates, about.column, category, steps_N - covariates.day
        )
        day_after_N = _happens(
            covariates, about.column, category, steps_N + covariates.day
        )
        neighbours_NP = np.stack([day_before_N, day_after_N], axis=1)
        yield Group(f"{label}: {NEIGHBOURS}", Kind.BESIDE, neighbours_NP)
        if not is_often:
            continue
        phase_N = covariates.phases_M[covariates.places(steps_N)]
        if covariates.daily:
            weekdays_NP = phase_N[:, None] == np.arange(covariates.week)
            yield Group(
                f"{label}: by weekday", Kind.MORE, here_N[:, None] * weekdays_NP
            )
        elif covariates.day > 1:
            waves_NP = harmonics_of(phase_N / covariates.day, HOURS)
            yield Group(f"{label}: by hour", Kind.MORE, here_N[:, None] * waves_NP)


def _event_name(covariates: Known, about: About, name: str, category: float) -> str:
    levels = covariates.levels[about.column]
    if levels:
        return f"{name}={levels[int(category)]}"
    if about.categories == (1.0,):
        return name
    return f"{name}={category:g}"


def _happens(
    covariates: Known, column: int, category: float, steps_N: NDArray
) -> NDArray:
    """Whether an event happens at each step; steps may lie before the first or after the last
    known one."""
    inside_N = covariates.inside(steps_N)
    place_N = np.where(inside_N, covariates.places(steps_N), 0)
    values_N = covariates.values_CM[column, place_N]
    return np.asarray(inside_N & (values_N == category), float)
