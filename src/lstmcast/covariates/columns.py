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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import Frequency
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import forward_filled, offsets_of
from lstmcast.model.inputs.slow_clock import clock_of, harmonics

YEAR = "day of the year"
NEIGHBOURS = "the day before and after"
BENDS = (-1.0, 0.0, 1.0)  # standard deviations from the mean, where a line may bend
BEYOND = 0.1  # of the range of what was seen, beyond which a line is not drawn on
SMOOTHING = 0.9  # of the running mean, per step
HOURS, OF_NUMBERS = 3, 2  # waves of a day by which effects of events and numbers may differ
MONTHS, YEARS = 4, 10  # waves of a month and of a year
BEFORE, AFTER = 17, 6  # days around the turn of the year that differ from all others: Christmas
MOST_CATEGORIES = 12  # whole numbers that are categories, unless their levels are named
MANY = 40  # columns as given, from which each is read as it is: no bends, hours or neighbours
MOST_COLUMNS = 200  # as given
TWICE, MOST_LEVELS = 2, 24  # times that a category was seen, and how many, the most frequent ones
OFTEN, SELDOM = 100, 0.05  # steps, and share of all steps, of an event that may differ by weekday
PATIENCE = 1.5  # years before one is looked for
FEW_GAPS = 0.02  # share of missing numbers that stand for the ones before them
SOME = 1e-9  # share of the size of numbers that is told from rounding


class Kind(Enum):
    """What a group of columns says of the column that it is made of."""

    ITSELF = "itself"
    MORE = "more"  # bends, hours, weekdays: left out where there are many columns
    BESIDE = "beside"  # the steps before and after
    DATES = "dates"  # made of the dates alone
    YEAR = "year"  # takes out the year, which adaptive inputs know


class Waves(NamedTuple):
    """Columns that the dates alone give, and from how many steps on."""

    group: str
    columns_MP: NDArray
    fewest: int = 0
    kind: Kind = Kind.DATES


class Dates(NamedTuple):
    """How far the steps of a series lie apart, and the time of the first one; None where nobody
    knows it."""

    frequency: Frequency
    start: Any = None

    @property
    def daily(self) -> bool:
        """Whether steps are days."""
        return self.frequency.unit in ("day", "business day")

    @property
    def day(self) -> int:
        """Steps of a day; 1 for days and longer steps."""
        clock = clock_of(self.frequency)
        return 1 if clock is None or self.daily or self.frequency.unit == "week" else clock.steps

    @property
    def week(self) -> int:
        """Days of a week."""
        clock = clock_of(self.frequency)
        return 7 if clock is None else clock.week

    def waves(self, steps_M: NDArray) -> Iterator[Waves]:
        """What comes by itself from the dates: nothing, where steps are numbered."""
        unit = self.frequency.unit
        if unit in ("integer", "second"):
            return
        if self.start is not None:
            yield from self._of_months(steps_M)
        clock = clock_of(self.frequency)
        if clock is not None:
            year = clock.steps * clock.year
            waves_MP = _harmonics(steps_M / year, YEARS)
            yield Waves(YEAR, waves_MP, int(PATIENCE * year), Kind.YEAR)

    def _of_months(self, steps_M: NDArray) -> Iterator[Waves]:
        unit, each = self.frequency.unit, self.frequency.every == 1
        times_M = self.frequency.advance(self.start, steps_M).astype("datetime64[us]")
        months_M = times_M.astype("datetime64[M]")
        first_M = months_M.astype("datetime64[D]")
        length_M = ((months_M + 1).astype("datetime64[D]") - first_M).astype(float)
        if unit == "month" and each:
            yield Waves("length of the month", np.log(length_M / 30.4)[:, None])
        if self.daily and each:
            days_M = times_M.astype("datetime64[D]")
            turns_M = (days_M - first_M).astype(float) / length_M
            yield Waves("day of the month", _harmonics(turns_M, MONTHS))
            yield Waves("turn of the year", _around_new_year(days_M), int(PATIENCE * 365))


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
        return cls(
            names=names,
            values_CM=columns.values_CM,
            carried_CM=columns.carried_CM,
            smooth_CM=columns.smooth_CM,
            levels=levels,
            day=dates.day,
            week=dates.week,
            phases_M=steps_M % (dates.week if dates.daily else dates.day),
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
        nothing = np.zeros(columns)
        return cls(nothing, nothing, nothing)

    def after(self, values_C: NDArray) -> Running:
        """With the values of one more step."""
        known_C, filled_C = ~np.isnan(values_C), np.nan_to_num(values_C)
        return Running(
            np.where(known_C, SMOOTHING * self.sum_C + filled_C, self.sum_C),
            np.where(known_C, SMOOTHING * self.weight_C + 1.0, self.weight_C),
            np.where(known_C, values_C, self.newest_C),
        )

    @property
    def mean_C(self) -> NDArray:
        """The means; 0 where no value is known."""
        return self.sum_C / np.maximum(self.weight_C, 1.0)


def _running_mean(values_CM: NDArray) -> NDArray:
    result_CM = np.empty_like(values_CM)
    running = Running.start(len(values_CM))
    for step in range(values_CM.shape[1]):
        running = running.after(values_CM[:, step])
        result_CM[:, step] = running.mean_C
    return result_CM


def _around_new_year(days_M: NDArray) -> NDArray:
    """A column for each day before and after the first of January (M, BEFORE + AFTER)."""
    year = days_M.astype("datetime64[Y]")
    to_next = ((year + 1).astype("datetime64[D]") - days_M).astype(int)
    since = (days_M - year.astype("datetime64[D]")).astype(int)
    away_M = np.where(to_next <= BEFORE, -to_next, since)
    return (away_M[:, None] == np.arange(-BEFORE, AFTER)).astype(float)


def _harmonics(turns_M: NDArray, count: int) -> NDArray:
    """The first waves of a cycle, of which so many turns have passed (M, 2·count)."""
    return np.stack(harmonics(2 * np.pi * turns_M, count), axis=1)


class About(NamedTuple):
    """What a column is like, by its first values."""

    column: int
    categories: tuple[float, ...]  # those that differ from the commonest; none of numbers
    often: tuple[bool, ...]  # of each category: whether its effect may differ by weekday or hour
    mean: float
    spread: float
    gaps: bool  # whether numbers are missing
    reach: tuple[float, float] = (0.0, 0.0)  # of numbers: beyond what was seen, effects stay


def about(known: Known, steps: int) -> tuple[About, ...]:
    """What the columns of a series are like by their first `steps` values; those that are constant
    are left out."""
    result = []
    for c, values_M in enumerate(known.values_CM[:, :steps]):
        there = values_M[~np.isnan(values_M)]
        categories, count = np.unique(there, return_counts=True)
        if not len(categories):
            continue
        whole = len(categories) <= MOST_CATEGORIES and bool((categories % 1 == 0).all())
        if known.levels[c] or whole:
            result += _event(c, categories, count, steps)
            continue
        power = int(np.frexp(np.abs(there).max())[1])  # squares of any numbers stay in range
        spread = float(np.ldexp(np.ldexp(there, -power).std(), power))
        if spread > SOME * float(np.abs(there).max()):
            gaps = len(there) < (1 - FEW_GAPS) * steps
            low, high = float(there.min()), float(there.max())
            more = BEYOND * (high - low)
            reach = low - more, high + more
            result.append(About(c, (), (), float(there.mean()), spread, gaps, reach))
    return tuple(result)


def _event(c: int, categories: NDArray, count: NDArray, steps: int) -> list[About]:
    """A column of categories, without the commonest: a step without any has none of them."""
    missing = steps - count.sum()
    base = -1 if missing > count.max() else int(count.argmax())
    often_first = np.argsort(-count, kind="stable").tolist()
    kept = [k for k in often_first if k != base and count[k] >= TWICE][:MOST_LEVELS]
    share = count / steps
    often = [bool(count[k] > OFTEN and SELDOM < share[k] < 1 - SELDOM) for k in kept]
    chosen = tuple(float(categories[k]) for k in kept)
    return [About(c, chosen, tuple(often), 0.0, 1.0, False)] if kept else []


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
    def of(cls, parts: Sequence[tuple[str, Group]], steps: int) -> Design:
        """That of groups, each with its source, at so many steps."""
        columns = [group.columns_NP for _, group in parts]
        joined = np.concatenate(columns, axis=1) if columns else np.zeros((steps, 0))
        each = [part for part in parts for _ in range(part[1].columns_NP.shape[1])]
        groups = tuple(group.name for _, group in each)
        kinds = tuple(group.kind for _, group in each)
        return cls(joined, groups, kinds, tuple(source for source, _ in each))


def design(known: Known, what: tuple[About, ...], steps_N: NDArray, count: int) -> Design:
    """The columns at some steps, for a regression on the first `count` steps.

    Beyond the steps that something is known of, events do not happen and numbers stay.
    """
    parts: list[tuple[str, Group]] = []
    for one in what:
        name = known.names[one.column]
        columns_of = _event_columns if one.categories else _number_columns
        own = columns_of(known, one, name, steps_N)
        few = len(what) <= MANY
        parts += [(name, group) for group in own if few or group.kind is Kind.ITSELF]
    for waves in known.waves:
        if count >= waves.fewest:
            columns_NP = waves.columns_MP[known.places(steps_N)]
            parts.append((waves.group, Group(waves.group, waves.kind, columns_NP)))
    return Design.of(parts, len(steps_N))


def _number_columns(known: Known, one: About, name: str, steps_N: NDArray) -> Iterator[Group]:
    place_N = known.places(steps_N)
    given_CM = known.values_CM if one.gaps else known.carried_CM
    values_N = given_CM[one.column, place_N]
    smooth_N = known.smooth_CM[one.column, place_N]
    there_N = ~np.isnan(values_N)
    x_N = np.where(there_N, (np.clip(values_N, *one.reach) - one.mean) / one.spread, 0.0)
    mean_N = (np.clip(smooth_N, *one.reach) - one.mean) / one.spread
    yield Group(name, Kind.ITSELF, x_N[:, None])
    yield Group(f"{name}: bends", Kind.MORE, _bends(x_N))
    if one.gaps:
        yield Group(f"{name}: known", Kind.MORE, there_N[:, None].astype(float))
    if known.day > 1:
        turns_N = known.phases_M[place_N] / known.day
        by_hour_NP = x_N[:, None] * _harmonics(turns_N, OF_NUMBERS)
        recent_NP = np.concatenate([mean_N[:, None], _bends(mean_N)], axis=1)
        yield Group(f"{name}: by hour", Kind.MORE, by_hour_NP)
        yield Group(f"{name}: recent", Kind.MORE, recent_NP)


def _bends(x_N: NDArray) -> NDArray:
    return np.stack([np.maximum(x_N - bend, 0.0) for bend in BENDS], axis=1)


def _event_columns(known: Known, one: About, name: str, steps_N: NDArray) -> Iterator[Group]:
    for category, often in zip(one.categories, one.often, strict=True):
        here_N = _happens(known, one.column, category, steps_N)
        level = known.levels[one.column]
        own = level[int(category)] if level else f"{category:g}"
        called = name if one.categories == (1.0,) and not level else f"{name}={own}"
        yield Group(called, Kind.ITSELF, here_N[:, None])
        near = (steps_N - known.day, steps_N + known.day)
        beside = [_happens(known, one.column, category, at_N) for at_N in near]
        yield Group(f"{called}: {NEIGHBOURS}", Kind.BESIDE, np.stack(beside, axis=1))
        if not often:
            continue
        phase_N = known.phases_M[known.places(steps_N)]
        if known.daily:
            weekdays_NP = phase_N[:, None] == np.arange(known.week)
            yield Group(f"{called}: by weekday", Kind.MORE, here_N[:, None] * weekdays_NP)
        elif known.day > 1:
            waves_NP = _harmonics(phase_N / known.day, HOURS)
            yield Group(f"{called}: by hour", Kind.MORE, here_N[:, None] * waves_NP)


def _happens(known: Known, column: int, category: float, steps_N: NDArray) -> NDArray:
    """Whether an event happens at some steps, which may lie before the first or after the last
    one."""
    inside_N = known.inside(steps_N)
    values_N = known.values_CM[column, np.where(inside_N, known.places(steps_N), 0)]
    return np.asarray(inside_N & (values_N == category), float)
