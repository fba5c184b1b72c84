"""From columns that are known in advance to the columns of a regression.

What kind of column each is, and the size of its numbers, are judged by its first values, those of
the steps that a regression is fitted to: nothing that comes later changes what was said before.

    number   the number, how far it lies above three of its usual sizes, a running mean of it
    event    each category but the commonest, if seen twice; the step before and the one after
    days     day of the month and of the year, the days around the turn of the year, length of the
             month, by the dates alone

Effects of numbers and of frequent events may differ by hour and by day of the week. Each of these
is a group of columns with a prior variance of its own.

    M steps that something is known of · C columns as given · P columns of the regression
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
BENDS = (-1.0, 0.0, 1.0)  # standard deviations from the mean, where a line may bend
BEYOND = 0.1  # of the range of what was seen, beyond which a line is not drawn on
SMOOTHING = 0.9  # of the running mean, per step
HOURS, OF_NUMBERS = 3, 2  # waves of a day by which effects of events and numbers may differ
MOST_CATEGORIES = 12  # whole numbers that are categories, unless their levels are named
MANY = 40  # columns as given, from which each is read as it is: no bends, hours or neighbours
MOST_COLUMNS = 200  # as given
TWICE, MOST_LEVELS = 2, 24  # times that a category was seen, and how many, the most frequent ones
OFTEN, SELDOM = 100, 0.05  # steps, and share of all steps, of an event that may differ by weekday
FEW_GAPS = 0.02  # share of missing numbers that stand for the ones before them
SOME = 1e-9  # share of the size of numbers that is told from rounding


class Columns(NamedTuple):
    """Columns as given, NaN = missing (C, M), with missing values as the ones before them, and
    their running means."""

    values_CM: NDArray
    carried_CM: NDArray
    smooth_CM: NDArray


@dataclass(frozen=True, eq=False)
class Known:
    """What is known in advance of one series.

    names (C,) · values_CM, NaN = missing · carried_CM: missing values as the ones before them ·
    smooth_CM: running means · levels (C,): names of categories, where numbers are their codes ·
    day: steps of one · week: days of one · phases_M: of the week, for daily data; of the day, for
    finer data · waves: what the dates alone give · first: the step that all of these begin with.
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
        """That of a series of a panel."""
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
        """That of columns of which the first value is that of step `first`."""
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
        """Where in the arrays steps are (N,); that of the last one for those after it."""
        return np.minimum(steps_N - self.first, self.values_CM.shape[1] - 1)

    def inside(self, steps_N: NDArray) -> NDArray:
        """Whether something is known of steps (N,)."""
        return (steps_N >= self.first) & (steps_N < self.first + self.values_CM.shape[1])


class Running(NamedTuple):
    """Exponential means of columns (C,), missing values passed over; as steep at their beginning as
    later."""

    sum_C: NDArray
    weight_C: NDArray
    newest_C: NDArray  # the newest value that is known

    @classmethod
    def start(cls, columns: int) -> Running:
        """Of columns of which nothing is known."""
        zeros_C = np.zeros(columns)
        return cls(zeros_C, zeros_C, zeros_C)

    def after(self, values_C: NDArray) -> Running:
        """With the values of one more step."""
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
        """The means; 0 where no value is known."""
        return self.sum_C / np.maximum(self.weight_C, 1.0)


def _running_mean(values_CM: NDArray) -> NDArray:
    """The means that `Running` has after each step, to the same bits, with plain numbers: arrays of
    so few columns cost twenty times as much."""
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
    """What a column is like, by its first values."""

    column: int
    categories: tuple[float, ...]  # those that differ from the commonest; none of numbers
    often: tuple[bool, ...]  # of each category: whether its effect may differ by weekday or hour
    mean: float
    spread: float
    gaps: bool  # whether numbers are missing
    reach: tuple[float, float] = (0.0, 0.0)  # of numbers: beyond what was seen, effects stay


def about(covariates: Known, steps: int) -> tuple[About, ...]:
    """What the columns of a series are like by their first `steps` values; those that are constant
    are left out."""
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
    """A column of numbers, from those that are known; None where they are constant."""
    largest = np.abs(values).max()
    _, exponent = np.frexp(largest)
    power = int(exponent)  # squares of any numbers stay in range
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


def _event(column: int, categories: NDArray, count: NDArray, steps: int) -> About | None:
    """A column of categories, without the commonest: a step without any has none of them."""
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
    """Columns of the regression that have a prior variance of their own (N, P)."""

    name: str
    kind: Kind
    columns_NP: NDArray


class Design(NamedTuple):
    """Columns of the regression at some steps; of each the name and the kind of its group, and what
    it is made of: a column as given, or the dates."""

    columns_NP: NDArray
    groups: tuple[str, ...]
    kinds: tuple[Kind, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, groups: Sequence[tuple[str, Group]], steps: int) -> Design:
        """That of groups, each with its source, at so many steps."""
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


def design(covariates: Known, abouts: tuple[About, ...], steps_N: NDArray, count: int) -> Design:
    """The columns at some steps, for a regression on the first `count` steps.

    Beyond the steps that something is known of, events do not happen and numbers stay.
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
    """In standard deviations from the mean, within the reach of what was seen."""
    return (np.clip(values_N, *about.reach) - about.mean) / about.spread


def _bends(x_N: NDArray) -> NDArray:
    return np.stack([np.maximum(x_N - bend, 0.0) for bend in BENDS], axis=1)


def _event_columns(covariates: Known, about: About, name: str, steps_N: NDArray) -> Iterator[Group]:
    for category, is_often in zip(about.categories, about.often, strict=True):
        label = _event_name(covariates, about, name, category)
        here_N = _happens(covariates, about.column, category, steps_N)
        yield Group(label, Kind.ITSELF, here_N[:, None])
        day_before_N = _happens(covariates, about.column, category, steps_N - covariates.day)
        day_after_N = _happens(covariates, about.column, category, steps_N + covariates.day)
        neighbours_NP = np.stack([day_before_N, day_after_N], axis=1)
        yield Group(f"{label}: {NEIGHBOURS}", Kind.BESIDE, neighbours_NP)
        if not is_often:
            continue
        phase_N = covariates.phases_M[covariates.places(steps_N)]
        if covariates.daily:
            weekdays_NP = phase_N[:, None] == np.arange(covariates.week)
            yield Group(f"{label}: by weekday", Kind.MORE, here_N[:, None] * weekdays_NP)
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


def _happens(covariates: Known, column: int, category: float, steps_N: NDArray) -> NDArray:
    """Whether an event happens at some steps, which may lie before the first or after the last
    one."""
    inside_N = covariates.inside(steps_N)
    place_N = np.where(inside_N, covariates.places(steps_N), 0)
    values_N = covariates.values_CM[column, place_N]
    return np.asarray(inside_N & (values_N == category), float)
