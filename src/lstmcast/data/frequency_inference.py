"""Which frequency times have: found from their steps, by the calendar where steps differ in
length."""

# S series · N times of all series · M = N − S steps between them

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from lstmcast.data.anchors import HOLIDAYS, business_anchor
from lstmcast.data.calendars import (
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
from lstmcast.data.frequency import Frequency, longest

# how the steps of a series are counted
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
    """The frequency of most observations (None: it cannot be told), and regular series that have
    another one.

    others: pairs of a frequency and the numbers of the series that have it.
    """

    frequency: Frequency | None
    others: tuple[tuple[Frequency, ndarray], ...] = ()


def infer_frequency(times: ndarray, offsets: ndarray | None = None) -> Frequency | None:
    """The frequency of most of the times; None where no series has two times, or steps are not
    whole seconds.

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
    """As infer_frequency, with the series that have another frequency than most."""
    is_date = times.dtype.kind == "M"
    counts = micros_of(times) if is_date else times.astype(np.int64)
    lengths = np.diff(offsets)
    usable = np.flatnonzero(lengths > 1)
    if not len(usable):
        return Inference(None)
    is_used = np.repeat(lengths > 1, lengths)
    times, counts, lengths = times[is_used], counts[is_used], lengths[usable]
    steps = _Steps.of(counts, lengths)
    kinds, sizes, shares = _kinds_of_dates(counts, steps) if is_date else _described(steps, _FIXED)
    main, regular = _vote(kinds, sizes, shares, lengths)
    codes = sizes * _KINDS + kinds
    frequency = _frequency(main % _KINDS, main // _KINDS, is_date)
    if frequency is None:
        return Inference(None)
    if is_date:
        frequency = frequency.anchored(times[np.repeat(codes == main, lengths)])
    telling = regular & (lengths > _TELLING) & (codes != main)
    others = []
    for code in np.unique(codes[telling]):
        other = _frequency(code % _KINDS, code // _KINDS, is_date)
        if other is not None:
            has_other = telling & (codes == code)
            anchored = other.anchored(times[np.repeat(has_other, lengths)])
            others.append((anchored, usable[has_other]))
    return Inference(frequency, tuple(others))


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
        return cls(sizes, np.cumsum(steps) - steps, lengths)

    def modes(self) -> tuple[ndarray, ndarray]:
        """The most frequent step of each series (the smaller one of a tie) and its share."""
        lowest = np.minimum.reduceat(self.sizes, self.begins)
        highest = np.maximum.reduceat(self.sizes, self.begins)
        modes, shares = lowest.copy(), np.ones(len(lowest))
        varied = lowest != highest
        if varied.any():  # most series have one step only: sort the rest
            counts = self.lengths - 1
            owner = np.repeat(np.arange(len(lowest)), counts)
            rows = varied[owner]
            found = _modes(owner[rows], self.sizes[rows], counts[varied])
            modes[varied], shares[varied] = found
        return modes, shares


def _modes(owner: ndarray, sizes: ndarray, counts: ndarray) -> tuple[ndarray, ndarray]:
    order = np.lexsort((sizes, owner))
    owner, sizes = owner[order], sizes[order]
    differs = (np.diff(owner) != 0) | (np.diff(sizes) != 0)
    begins = np.flatnonzero(np.r_[True, differs])
    runs = np.diff(np.r_[begins, len(sizes)])
    run_owner, run_size = owner[begins], sizes[begins]
    # stable: of equal runs the smaller step stays in front
    best = np.lexsort((-runs, run_owner))
    is_first = np.r_[True, np.diff(run_owner[best]) != 0]
    first = best[np.flatnonzero(is_first)]
    return run_size[first], runs[first] / counts


def _described(steps: _Steps, kind: int) -> tuple[ndarray, ndarray, ndarray]:
    """(kinds, sizes, shares) of the steps: the most frequent one, or a finer one that all of
    them fit."""
    modes, shares = steps.modes()
    common = np.gcd.reduceat(steps.sizes, steps.begins)
    spans = np.add.reduceat(steps.sizes, steps.begins)
    cells = spans // common + 1
    is_filled = steps.lengths / cells >= _FILLED
    finer = (common % modes != 0) & is_filled
    sizes = np.where(finer, common, modes)
    return np.full(len(modes), kind), sizes, np.where(finer, 0.0, shares)


def _kinds_of_dates(micros: ndarray, steps: _Steps) -> tuple[ndarray, ndarray, ndarray]:
    kinds, sizes, shares = _described(steps, _FIXED)
    for chosen, kind, count in _calendar_kinds(micros, steps):
        if not chosen.any():
            continue
        rows = np.repeat(chosen, steps.lengths)
        counted = _Steps.of(count(micros[rows]), steps.lengths[chosen])
        kinds[chosen], sizes[chosen], shares[chosen] = _described(counted, kind)
    return kinds, sizes, shares


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
    wide = shortest >= (28 - HOLIDAYS) * DAY
    by_month, ends = wide.copy(), wide.copy()
    if not wide.any():
        return by_month, ends
    micros = micros[np.repeat(wide, steps.lengths)]
    lengths = steps.lengths[wide]
    begins = np.cumsum(lengths) - lengths
    day, last_day = day_of_month(micros), days_in_month(month_of(micros))
    clock = micros % DAY
    latest = np.repeat(np.maximum.reduceat(day, begins), lengths)
    same_day = day == np.minimum(latest, last_day)
    same_clock = clock == np.repeat(clock[begins], lengths)
    alike = np.logical_and.reduceat(same_day & same_clock, begins)
    if not alike.all():  # most data are asked no more
        rows = np.repeat(~alike, lengths)
        alike[~alike] = _on_business_days(micros[rows], lengths[~alike])
    by_month[wide] = alike
    ends[wide] = np.logical_and.reduceat(day == last_day, begins)
    return by_month, ends


def _on_business_days(micros: ndarray, lengths: ndarray) -> ndarray:
    """Series on the first or last business day of months."""
    months, days = month_of(micros), day_of_month(micros)
    # quick: what lies in the middle of months is neither
    near_edge = (days <= 3 + HOLIDAYS) | (days > 28 - 3 - HOLIDAYS)
    on_weekday = weekday_of(micros) < 5
    begins = np.cumsum(lengths) - lengths
    likely = np.logical_and.reduceat(near_edge & on_weekday, begins) & (lengths > 2)
    for series in np.flatnonzero(likely):
        begin = begins[series]
        rows = slice(begin, begin + lengths[series])
        likely[series] = business_anchor(months[rows], days[rows]) != ""
    return likely


def _half_months(micros: ndarray, steps: _Steps) -> ndarray:
    """Series on the 1st and 15th, or the 15th and the last day, of months."""
    shortest = np.minimum.reduceat(steps.sizes, steps.begins)
    fitting = (shortest >= 13 * DAY) & (shortest <= 17 * DAY)
    if not fitting.any():
        return fitting
    rows = np.repeat(fitting, steps.lengths)
    day, last_day = day_of_month(micros[rows]), days_in_month(month_of(micros[rows]))
    lengths = steps.lengths[fitting]
    begins = np.cumsum(lengths) - lengths
    is_middle = day == 15
    has_middle = np.logical_or.reduceat(is_middle, begins) & (lengths > 2)
    alike = np.zeros(len(lengths), bool)
    for is_other in (day == 1, day == last_day):
        only_these = np.logical_and.reduceat(is_middle | is_other, begins)
        has_other = np.logical_or.reduceat(is_other, begins)
        alike |= only_these & has_middle & has_other
    fitting[fitting] = alike
    return fitting


def _half_months_of(micros: ndarray) -> ndarray:
    """Half months since 1970, of the 1st and 15th or of the 15th and the last day."""
    day = day_of_month(micros)
    second_half = 15 + np.any(day > 15)
    return 2 * month_of(micros) + (day >= second_half)


def _business_series(micros: ndarray, steps: _Steps) -> ndarray:
    """All series in whole days, if none of them has a weekend, most steps are one day and
    Mondays follow Fridays."""
    whole_days = np.gcd.reduceat(steps.sizes, steps.begins) % DAY == 0
    sizes = steps.sizes[np.repeat(whole_days, steps.lengths - 1)]
    days = weekday_of(micros[np.repeat(whole_days, steps.lengths)])
    over_weekend = bool(len(sizes)) and np.any(sizes == 3 * DAY)
    mostly_daily = np.count_nonzero(sizes == DAY) >= 0.5 * len(sizes)
    if over_weekend and mostly_daily and np.all(days <= 4):
        return whole_days
    return np.zeros(len(whole_days), dtype=bool)


def _vote(kinds: ndarray, sizes: ndarray, shares: ndarray, lengths: ndarray) -> tuple[int, ndarray]:
    """The code (8 × size + kind) that most observations of regular series have, and which series
    are regular.

    Where no series is regular, the step that all of the commonest kind have in common.
    """
    regular = shares >= _REGULAR
    if regular.any():
        codes = sizes[regular] * _KINDS + kinds[regular]
        distinct, which = np.unique(codes, return_inverse=True)
        observations = np.bincount(which, lengths[regular])
        return int(distinct[np.argmax(observations)]), regular
    kind = int(np.argmax(np.bincount(kinds, lengths)))
    common = int(np.gcd.reduce(sizes[kinds == kind]))
    return common * _KINDS + kind, regular


def _frequency(kind: int, size: int, is_date: bool) -> Frequency | None:
    """The frequency of a step counted in a kind's unit; None below whole seconds."""
    kind, size = int(kind), int(size)
    if not is_date:
        return Frequency("integer", size)
    if kind in (_MONTHS, _MONTH_ENDS):
        return longest(Frequency("month", size))
    if kind == _HALVES:
        return Frequency("half month", size)
    if kind == _BUSINESS:
        return Frequency("business day", size)
    for unit, length in (
        ("week", WEEK),
        ("day", DAY),
        ("hour", HOUR),
        ("minute", MINUTE),
        ("second", SECOND),
    ):
        if size % length == 0:
            return Frequency(unit, size // length)
    return None
