"""Infer the frequency of times from their steps, with the calendar if steps differ in length."""

# S series · N times of all series · M = N − S steps between them

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.times.anchors import HOLIDAYS, business_anchor
from lstmcast.data.times.calendars import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    business_day_of,
    day_of_month,
    days_in_month,
    micros_of,
    month_of,
    weekday_of,
)
from lstmcast.data.times.frequency import Frequency, longest

# kinds: how the steps of a series are counted
_FIXED, _MONTHS, _BUSINESS, _MONTH_ENDS, _HALVES = range(5)
_KINDS = 8  # a kind and a size are one number
_REGULAR = 0.8  # share of equal steps from which a series speaks for a frequency
# steps that a regular series needs before it counts as another frequency rather than as one with
# gaps
_TELLING = 8
# share of a finer grid that must be occupied before it is taken instead of the most frequent step
_FILLED = 0.25


@dataclass(frozen=True, eq=False)
class Inference:
    """The frequency of most observations (None if unknown), and regular series with another one.

    others: pairs of a frequency and the numbers of the series that have it.
    """

    frequency: Frequency | None
    others: tuple[tuple[Frequency, ndarray], ...] = ()


def infer_frequency(times: ndarray, offsets: ndarray | None = None) -> Frequency | None:
    """Infer the frequency of most of the times.

    None if no series has two times, or steps are not whole seconds.

    times (N,) datetime64 or integers, ascending and without repeats in each series; offsets (S+1,)
    as in a Panel, or None for one series.

    >>> times = np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "datetime64[D]")
    >>> print(infer_frequency(times).name)
    monthly (month ends)
    >>> print(infer_frequency(np.array([10, 20, 40])).code)
    10integer
    """
    times = np.asarray(times)
    if offsets is None:
        offsets = np.array([0, len(times)])
    return infer(times, offsets).frequency


def infer(times: ndarray, offsets: ndarray) -> Inference:
    """Like infer_frequency, with the series whose frequency differs from most."""
    is_date = times.dtype.kind == "M"
    counts = micros_of(times) if is_date else times.astype(np.int64)
    lengths = np.diff(offsets)
    is_usable = lengths > 1
    if not is_usable.any():
        return Inference(None)
    is_used = np.repeat(is_usable, lengths)
    times = times[is_used]
    counts = counts[is_used]
    lengths = lengths[is_usable]
    steps = _Steps.of(counts, lengths)
    step_kinds = (
        _kinds_of_dates(counts, steps) if is_date else _described(steps, _FIXED)
    )
    main, is_regular = _vote(step_kinds, lengths)
    frequency = _frequency(main, is_date)
    if frequency is None:
        return Inference(None)
    codes = step_kinds.codes()
    if is_date:
        has_main = np.repeat(codes == main, lengths)
        frequency = frequency.anchored(times[has_main])
    is_telling = is_regular & (lengths > _TELLING) & (codes != main)
    usable = np.flatnonzero(is_usable)
    other_frequencies = []
    for code in np.unique(codes[is_telling]):
        other_frequency = _frequency(int(code), is_date)
        if other_frequency is not None:
            has_code = is_telling & (codes == code)
            own_times = times[np.repeat(has_code, lengths)]
            pair = other_frequency.anchored(own_times), usable[has_code]
            other_frequencies.append(pair)
    return Inference(frequency, tuple(other_frequencies))


@dataclass(frozen=True, eq=False)
class _Steps:
    """Steps of series that have at least two times: sizes (M,), begins (S,) where each series'
    steps begin."""

    sizes: ndarray
    begins: ndarray
    lengths: ndarray  # times, not steps, of each series

    @classmethod
    def of(cls, counts: ndarray, lengths: ndarray) -> _Steps:
        ends = np.cumsum(lengths)
        between_series = ends[:-1] - 1  # the step from one series to the next is none
        sizes = np.delete(np.diff(counts), between_series)
        steps = lengths - 1
        begins = np.cumsum(steps) - steps
        return cls(sizes, begins, lengths)

    def modes(self) -> tuple[ndarray, ndarray]:
        """The most frequent step of each series (the smaller one of a tie) and its share."""
        lowest = np.minimum.reduceat(self.sizes, self.begins)
        highest = np.maximum.reduceat(self.sizes, self.begins)
        modes = lowest.copy()
        shares = np.ones(len(lowest))
        varied = lowest != highest
        if varied.any():  # most series have one step only: sort the rest
            counts = self.lengths - 1
            numbers = np.arange(len(lowest))
            owner = np.repeat(numbers, counts)
            rows = varied[owner]
            runs = _longest_runs(owner[rows], self.sizes[rows])
            modes[varied] = runs.sizes
            shares[varied] = runs.lengths / counts[varied]
        return modes, shares


class _Runs(NamedTuple):
    """Equal steps of a series: how long the steps are, and how many of them there are."""

    sizes: ndarray
    lengths: ndarray


def _longest_runs(owner: ndarray, sizes: ndarray) -> _Runs:
    """The steps that each owner has most of, the smaller ones of a tie."""
    order = np.lexsort((sizes, owner))
    owner = owner[order]
    sizes = sizes[order]
    begins = np.flatnonzero(_changes(owner) | _changes(sizes))
    ends = np.append(begins[1:], len(sizes))
    lengths = ends - begins
    run_owner = owner[begins]
    # stable: of equal runs the smaller step stays in front
    by_length = np.lexsort((-lengths, run_owner))
    is_first = _changes(run_owner[by_length])
    longest_runs = by_length[is_first]
    return _Runs(sizes[begins][longest_runs], lengths[longest_runs])


def _changes(values: ndarray) -> ndarray:
    """Which values are others than those before them; the first one is."""
    return np.append(True, values[1:] != values[:-1])


class _Kinds(NamedTuple):
    """How the steps of each series are counted: in which unit, how many of it they are, and which
    share of them are that many; (S,) each."""

    kinds: ndarray
    sizes: ndarray
    shares: ndarray

    def codes(self) -> ndarray:
        """Kind and size as one number."""
        return self.sizes * _KINDS + self.kinds


def _described(steps: _Steps, kind: int) -> _Kinds:
    """The steps as counted in a unit: the most frequent one, or a finer one that all of them
    fit."""
    modes, shares = steps.modes()
    common = np.gcd.reduceat(steps.sizes, steps.begins)
    spans = np.add.reduceat(steps.sizes, steps.begins)
    cells = spans // common + 1
    is_filled = steps.lengths / cells >= _FILLED
    is_finer = (common % modes != 0) & is_filled
    sizes = np.where(is_finer, common, modes)
    shares = np.where(is_finer, 0.0, shares)
    kinds = np.full(len(modes), kind)
    return _Kinds(kinds, sizes, shares)


def _kinds_of_dates(micros: ndarray, steps: _Steps) -> _Kinds:
    kinds = _described(steps, _FIXED)
    for in_kind, kind, count in _calendar_kinds(micros, steps):
        if not in_kind.any():
            continue
        rows = np.repeat(in_kind, steps.lengths)
        counts = count(micros[rows])
        calendar_steps = _Steps.of(counts, steps.lengths[in_kind])
        calendar_kinds = _described(calendar_steps, kind)
        for array, values in zip(kinds, calendar_kinds, strict=True):
            array[in_kind] = values
    return kinds


def _calendar_kinds(micros: ndarray, steps: _Steps):
    """(which series, kind, how to count): those whose steps are equal only when the calendar
    counts them."""
    by_month, ends = _month_series(micros, steps)
    yield by_month & ~ends, _MONTHS, month_of
    yield by_month & ends, _MONTH_ENDS, month_of
    yield _half_months(micros, steps), _HALVES, _half_months_of
    yield _business_series(micros, steps), _BUSINESS, business_day_of


def _month_series(micros: ndarray, steps: _Steps) -> tuple[ndarray, ndarray]:
    """Series that keep to one day of the month (or the last one, if it is too short), and those
    on month ends."""
    # last business days may lie 26 days apart, less where they are holidays
    shortest = np.minimum.reduceat(steps.sizes, steps.begins)
    is_wide = shortest >= (28 - HOLIDAYS) * DAY
    by_month = is_wide.copy()
    ends = is_wide.copy()
    if not is_wide.any():
        return by_month, ends
    micros = micros[np.repeat(is_wide, steps.lengths)]
    lengths = steps.lengths[is_wide]
    begins = np.cumsum(lengths) - lengths
    day = day_of_month(micros)
    last_day = days_in_month(month_of(micros))
    clock = micros % DAY
    latest = np.maximum.reduceat(day, begins)
    latest = np.repeat(latest, lengths)
    same_day = day == np.minimum(latest, last_day)
    same_clock = clock == np.repeat(clock[begins], lengths)
    alike = np.logical_and.reduceat(same_day & same_clock, begins)
    if not alike.all():  # most data are asked no more
        unlike = ~alike
        rows = np.repeat(unlike, lengths)
        alike[unlike] = _on_business_days(micros[rows], lengths[unlike])
    by_month[is_wide] = alike
    ends[is_wide] = np.logical_and.reduceat(day == last_day, begins)
    return by_month, ends


def _on_business_days(micros: ndarray, lengths: ndarray) -> ndarray:
    """Series on the first or last business day of months."""
    months = month_of(micros)
    days = day_of_month(micros)
    # quick: what lies in the middle of months is neither
    near_edge = (days <= 3 + HOLIDAYS) | (days > 28 - 3 - HOLIDAYS)
    on_weekday = weekday_of(micros) < 5
    begins = np.cumsum(lengths) - lengths
    likely = np.logical_and.reduceat(near_edge & on_weekday, begins)
    likely &= lengths > 2
    for series in np.flatnonzero(likely):
        begin = begins[series]
        rows = slice(begin, begin + lengths[series])
        likely[series] = business_anchor(months[rows], days[rows]) != ""
    return likely


def _half_months(micros: ndarray, steps: _Steps) -> ndarray:
    """Series on the 1st and 15th, or the 15th and the last day, of months."""
    shortest = np.minimum.reduceat(steps.sizes, steps.begins)
    is_half_month = (shortest >= 13 * DAY) & (shortest <= 17 * DAY)
    if not is_half_month.any():
        return is_half_month
    micros = micros[np.repeat(is_half_month, steps.lengths)]
    lengths = steps.lengths[is_half_month]
    begins = np.cumsum(lengths) - lengths
    day = day_of_month(micros)
    last_day = days_in_month(month_of(micros))
    is_middle = day == 15
    has_middle = np.logical_or.reduceat(is_middle, begins)
    keeps_to_two_days = np.zeros(len(lengths), bool)
    for is_edge in (day == 1, day == last_day):
        only_these = np.logical_and.reduceat(is_middle | is_edge, begins)
        has_edge = np.logical_or.reduceat(is_edge, begins)
        keeps_to_two_days |= only_these & has_middle & has_edge
    keeps_to_two_days &= lengths > 2
    is_half_month[is_half_month] = keeps_to_two_days
    return is_half_month


def _half_months_of(micros: ndarray) -> ndarray:
    """Half months since 1970, of the 1st and 15th or of the 15th and the last day."""
    day = day_of_month(micros)
    second_half = 15 + np.any(day > 15)
    return 2 * month_of(micros) + (day >= second_half)


def _business_series(micros: ndarray, steps: _Steps) -> ndarray:
    """All series in whole days, if none of them has a weekend, most steps are one day and
    Mondays follow Fridays."""
    common = np.gcd.reduceat(steps.sizes, steps.begins)
    whole_days = common % DAY == 0
    is_own_step = np.repeat(whole_days, steps.lengths - 1)
    is_own_time = np.repeat(whole_days, steps.lengths)
    sizes = steps.sizes[is_own_step]
    days = weekday_of(micros[is_own_time])
    over_weekend = np.any(sizes == 3 * DAY)
    mostly_daily = np.count_nonzero(sizes == DAY) >= 0.5 * len(sizes)
    if over_weekend and mostly_daily and np.all(days <= 4):
        return whole_days
    return np.zeros(len(whole_days), dtype=bool)


def _vote(step_kinds: _Kinds, lengths: ndarray) -> tuple[int, ndarray]:
    """The code that most observations of regular series have, and which series are regular.

    Where no series is regular, the step that all of the commonest kind have in common.
    """
    kinds, sizes, shares = step_kinds
    is_regular = shares >= _REGULAR
    if is_regular.any():
        codes = step_kinds.codes()[is_regular]
        distinct, places = np.unique(codes, return_inverse=True)
        observations = np.bincount(places, lengths[is_regular])
        return int(distinct[np.argmax(observations)]), is_regular
    observations = np.bincount(kinds, lengths)
    kind = int(np.argmax(observations))
    common = np.gcd.reduce(sizes[kinds == kind])
    return int(common) * _KINDS + kind, is_regular


_LENGTHS = {"week": WEEK, "day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND}


def _frequency(code: int, is_date: bool) -> Frequency | None:
    """The frequency of a step of that kind and size; None below whole seconds."""
    size, kind = divmod(code, _KINDS)
    if not is_date:
        return Frequency("integer", size)
    if kind in (_MONTHS, _MONTH_ENDS):
        return longest(Frequency("month", size))
    if kind == _HALVES:
        return Frequency("half month", size)
    if kind == _BUSINESS:
        return Frequency("business day", size)
    for unit, length in _LENGTHS.items():
        if size % length == 0:
            return Frequency(unit, size // length)
    return None
