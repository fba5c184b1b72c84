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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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


class Waves(NamedTuple):
    """Columns that the dates alone give, and from how many steps on."""

    group: str
    columns_MP: NDArray
    fewest: int = 0


@dataclass(frozen=True, eq=False)
class Known:
    """What is known in advance of one series.

    names (C,) · values_CM, NaN = missing · carried_CM: missing values as the ones before them ·
    smooth_CM: running means · levels (C,): names of categories, where numbers are their codes ·
    day: steps of one · phases_M: of the week, for daily data; of the day, for finer data · waves:
    what the dates alone give.
    """

    names: tuple[str, ...]
    values_CM: NDArray
    carried_CM: NDArray
    smooth_CM: NDArray
    levels: tuple[tuple[str, ...], ...]
    day: int
    phases_M: NDArray
    daily: bool
    waves: tuple[Waves, ...]

    @classmethod
    def of(cls, panel: Panel, series: int) -> Known:
        """That of a series of a panel."""
        future = panel.covariates.future
        span = slice(future.offsets[series], future.offsets[series + 1])
        steps = np.arange(span.stop - span.start)
        values_CM = np.stack([column[span] for column in future.columns.values()])
        bounds = offsets_of(np.array([len(steps)]))
        clock = clock_of(panel.frequency)
        daily = panel.frequency.unit in ("day", "business day")
        day = 1 if clock is None or daily or panel.frequency.unit == "week" else clock.steps
        week = 7 if clock is None else clock.week
        return cls(
            names=tuple(future.columns),
            values_CM=values_CM,
            carried_CM=np.nan_to_num(forward_filled(values_CM.T, bounds).T),
            smooth_CM=_running_mean(values_CM),
            levels=tuple(future.levels.get(name, ()) for name in future.columns),
            day=day,
            phases_M=steps % week if daily else steps % day,
            daily=daily,
            waves=tuple(_waves(panel, series, steps)),
        )


def _running_mean(values_CM: NDArray) -> NDArray:
    """Exponential, missing values passed over; as steep at its beginning as later."""
    result_CM = np.empty_like(values_CM)
    mean_C = np.zeros(len(values_CM))
    weight_C = np.zeros(len(values_CM))
    filled_CM, known_CM = np.nan_to_num(values_CM), ~np.isnan(values_CM)
    for step in range(values_CM.shape[1]):
        known_C = known_CM[:, step]
        mean_C = np.where(known_C, SMOOTHING * mean_C + filled_CM[:, step], mean_C)
        weight_C = np.where(known_C, SMOOTHING * weight_C + 1.0, weight_C)
        result_CM[:, step] = mean_C / np.maximum(weight_C, 1.0)
    return result_CM


def _waves(panel: Panel, series: int, steps: NDArray) -> Iterator[Waves]:
    """What comes by itself from the dates: nothing, where steps are numbered."""
    unit = panel.frequency.unit
    if unit in ("integer", "second"):
        return
    times = panel.frequency.advance(panel.starts[series], steps).astype("datetime64[us]")
    months = times.astype("datetime64[M]")
    first, next_one = (part.astype("datetime64[D]") for part in (months, months + 1))
    length = (next_one - first).astype(float)
    if unit == "month" and panel.frequency.every == 1:
        yield Waves("length of the month", np.log(length / 30.4)[:, None])
    if unit in ("day", "business day") and panel.frequency.every == 1:
        since = (times.astype("datetime64[D]") - first).astype(float)
        yield Waves("day of the month", _harmonics(since / length, MONTHS))
        days = times.astype("datetime64[D]")
        yield Waves("turn of the year", _around_new_year(days), int(PATIENCE * 365))
    clock = clock_of(panel.frequency)
    if clock is not None:
        year = clock.steps * clock.year
        yield Waves(YEAR, _harmonics(steps / year, YEARS), int(PATIENCE * year))


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


class Design(NamedTuple):
    """Columns of the regression at some steps; of each the name of its group, and what it is made
    of: a column as given, or the dates."""

    columns_NP: NDArray
    groups: tuple[str, ...]
    sources: tuple[str, ...]


def design(known: Known, what: tuple[About, ...], steps_N: NDArray, count: int) -> Design:
    """The columns at some steps, for a regression on the first `count` steps.

    Beyond the steps that something is known of, events do not happen and numbers stay.
    """
    parts: list[tuple[str, str, NDArray]] = []  # source, group, columns: one for each group
    for one in what:
        name = known.names[one.column]
        columns_of = _event_columns if one.categories else _number_columns
        own = [(name, *part) for part in columns_of(known, one, name, steps_N)]
        plain = [part for part in own if ": " not in part[1].removeprefix(name)]
        parts += plain if len(what) > MANY else own
    last = known.values_CM.shape[1] - 1
    for name, waves_MP, fewest in known.waves:
        if count >= fewest:
            parts.append((name, name, waves_MP[np.minimum(steps_N, last)]))
    columns = [part for _, _, part in parts]
    joined = np.concatenate(columns, axis=1) if columns else np.zeros((len(steps_N), 0))
    groups = tuple(group for _, group, part in parts for _ in range(part.shape[1]))
    sources = tuple(source for source, _, part in parts for _ in range(part.shape[1]))
    return Design(joined, groups, sources)


def _number_columns(
    known: Known, one: About, name: str, steps_N: NDArray
) -> Iterator[tuple[str, NDArray]]:
    last = known.values_CM.shape[1] - 1
    given_CM = known.values_CM if one.gaps else known.carried_CM
    values_N = given_CM[one.column, np.minimum(steps_N, last)]
    smooth_N = known.smooth_CM[one.column, np.minimum(steps_N, last)]
    there_N = ~np.isnan(values_N)
    x_N = np.where(there_N, (np.clip(values_N, *one.reach) - one.mean) / one.spread, 0.0)
    mean_N = (np.clip(smooth_N, *one.reach) - one.mean) / one.spread
    yield name, x_N[:, None]
    yield f"{name}: bends", _bends(x_N)
    if one.gaps:
        yield f"{name}: known", there_N[:, None].astype(float)
    if known.day > 1:
        turns_N = known.phases_M[np.minimum(steps_N, last)] / known.day
        waves_NP = _harmonics(turns_N, OF_NUMBERS)
        yield f"{name}: by hour", x_N[:, None] * waves_NP
        yield f"{name}: recent", np.concatenate([mean_N[:, None], _bends(mean_N)], axis=1)


def _bends(x_N: NDArray) -> NDArray:
    return np.stack([np.maximum(x_N - bend, 0.0) for bend in BENDS], axis=1)


def _event_columns(
    known: Known, one: About, name: str, steps_N: NDArray
) -> Iterator[tuple[str, NDArray]]:
    for category, often in zip(one.categories, one.often, strict=True):
        here_N = _happens(known, one.column, category, steps_N)
        level = known.levels[one.column]
        own = level[int(category)] if level else f"{category:g}"
        called = name if one.categories == (1.0,) and not level else f"{name}={own}"
        yield called, here_N[:, None]
        near = (steps_N - known.day, steps_N + known.day)
        beside = [_happens(known, one.column, category, at_N) for at_N in near]
        yield f"{called}: {NEIGHBOURS}", np.stack(beside, axis=1)
        if often and (known.daily or known.day > 1):
            phase_N = known.phases_M[np.minimum(steps_N, known.values_CM.shape[1] - 1)]
            if known.daily:
                week = int(known.phases_M.max()) + 1
                yield f"{called}: by weekday", here_N[:, None] * (phase_N[:, None] == range(week))
            else:
                waves_NP = _harmonics(phase_N / known.day, HOURS)
                yield f"{called}: by hour", here_N[:, None] * waves_NP


def _happens(known: Known, column: int, category: float, steps_N: NDArray) -> NDArray:
    """Whether an event happens at some steps, which may lie before the first or after the last
    one."""
    inside_N = (steps_N >= 0) & (steps_N < known.values_CM.shape[1])
    values_N = known.values_CM[column, np.where(inside_N, steps_N, 0)]
    return np.asarray(inside_N & (values_N == category), float)
