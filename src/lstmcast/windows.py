"""The segments of a batch: index arithmetic without a framework.

A network reads a series up to step t and forecasts t+1 … t+H, so the last step read in training is
the one before the end of the training part. Series are taken in the order of their ids, so that
random draws do not depend on the order of the data.

    S series · N observations of all series · B segments of a batch · C inputs · K columns that are
    predicted
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import DataError
from lstmcast.fit_data import FitData
from lstmcast.util.text import are

if TYPE_CHECKING:
    from lstmcast.model.lstm import State


class Split(NamedTuple):
    """Training and validation part of each series, in the order of their ids; all (S,)."""

    series: NDArray  # its index in the data
    first: NDArray  # first step that can be read
    end: NDArray  # end of the training part: earlier observations are used in training
    length: NDArray

    def where(self, is_chosen: NDArray) -> Split:
        """Select series."""
        return Split(*(array[is_chosen] for array in self))


class Segments(NamedTuple):
    """Steps to read, and which have a loss; all (B,), counted from the start of the series."""

    series: NDArray
    first: NDArray  # first step that is read
    stop: NDArray  # first step that is no longer read
    begin: NDArray  # first step with a loss
    limit: NDArray  # targets are before this step

    def rows(self, rows: NDArray | slice) -> Segments:
        """Select segments."""
        return Segments(*(array[rows] for array in self))

    @property
    def lengths(self) -> NDArray:
        """Number of steps read (B,)."""
        return self.stop - self.first

    def steps(self, begin: int, end: int) -> NDArray:
        """The steps from place `begin` to `end` of each segment (B, end − begin)."""
        return self.first[:, None] + np.arange(begin, end)

    def has_loss(self, step_BT: NDArray) -> NDArray:
        """Whether each step (B, T) has a loss."""
        return (step_BT >= self.begin[:, None]) & (step_BT < self.stop[:, None])


def split_of(data: FitData) -> Split:
    """The parts of all series with known values in their training part."""
    lengths = np.diff(data.offsets)
    start = data.offsets[:-1]
    first = next_known(data.known())[start] - start
    order = np.argsort(np.asarray(data.ids).astype(str), kind="stable")
    order = order[first[order] < data.ends[order]]
    return Split(order, first[order], np.asarray(data.ends)[order], lengths[order])


def next_known(is_known: NDArray) -> NDArray:
    """The next known step at or after each step (N + 1,); N if there is none.

    >>> next_known(np.array([False, True, False]))
    array([1, 1, 3, 3])
    """
    is_known = np.append(is_known, True)
    steps = np.where(is_known, np.arange(len(is_known)), len(is_known))
    return np.minimum.accumulate(steps[::-1])[::-1]


def long_enough(split: Split, steps: int, reader: str) -> tuple[Split, tuple[str, ...]]:
    """The series whose training part has at least `steps` observations, and a note on the rest.

    Raises DataError if no series is long enough.
    """
    lengths = split.end - split.first
    enough = lengths >= steps
    if not enough.any():
        longest = int(lengths.max(initial=0))
        raise DataError(
            f"No series is long enough to train on: {reader} needs {steps} observations in the "
            f"training part, and the longest has {longest}.\nHold back less for validation, use "
            "shorter windows if there are any, or give longer series."
        )
    if enough.all():
        return split, ()
    short = int(np.count_nonzero(~enough))
    note = (
        f"{short} of {len(enough)} series {are(short)} shorter than the {steps} observations that "
        f"{reader} needs: not trained on"
    )
    return split.where(enough), (note,)


def default_length(split: Split) -> int:
    """Default window length: a quarter of the median training part, from 4 to 96 steps."""
    quarter = np.median(split.end - split.first) // 4
    return int(np.clip(quarter, 4, 96))


def window_counts(split: Split, length: int, stride: int = 1) -> NDArray:
    """Number of windows of `length` steps with a target in the training part of each series (S,).

    >>> series, start = np.array([0, 1]), np.array([0, 0])
    >>> parts = Split(series, start, end=np.array([6, 3]), length=np.array([8, 4]))
    >>> window_counts(parts, length=3).tolist()
    [3, 0]
    """
    room = split.end - split.first - 1 - length
    return np.maximum(room // stride + 1, 0)


def windows(
    split: Split, numbers: NDArray, length: int, stride: int, every_step: bool
) -> Segments:
    """Training windows by number, ordered by series and time."""
    counts = window_counts(split, length, stride)
    stops = np.cumsum(counts)
    row = np.searchsorted(stops, numbers, side="right")
    number_in_series = numbers - (stops - counts)[row]
    first = split.first[row] + number_in_series * stride
    begin = first if every_step else first + length - 1
    return Segments(split.series[row], first, first + length, begin, split.end[row])


def validation_windows(
    split: Split, length: int, *, every_step: bool, fresh_state: bool
) -> Segments:
    """All windows whose target is in the validation part.

    With `fresh_state`, they lie entirely within it. The loss is at the last step, or with
    `every_step` at all steps with a target in the validation part.
    """
    earliest = split.end - 1
    if fresh_state:
        earliest = earliest + length - 1
    newest = np.maximum(earliest, split.first + length - 1)
    counts = np.maximum(split.length - 1 - newest, 0)
    row = np.repeat(np.arange(len(counts)), counts)
    windows_before = np.cumsum(counts) - counts
    number_in_series = np.arange(len(row)) - windows_before[row]
    step = newest[row] + number_in_series
    first = step - length + 1
    begin = np.maximum(first, split.end[row] - 1) if every_step else step
    return Segments(split.series[row], first, step + 1, begin, split.length[row])


def whole(split: Split) -> Segments:
    """The training part of each series, with a loss at every step that has a target."""
    return Segments(split.series, split.first, split.end - 1, split.first, split.end)


def validation_whole(split: Split, *, fresh_state: bool) -> Segments:
    """Each series with a validation part, read from its start or, with `fresh_state`, from there.
    The loss is in the validation part."""
    split = split.where(split.end < split.length)
    begin = split.end - 1
    first = begin if fresh_state else split.first
    return Segments(split.series, first, split.length - 1, begin, split.length)


def cut_off(split: Split, rows: NDArray, share: float, length: int) -> Segments:
    """The `length` steps before a cut at a share of the training part; targets may lie after it."""
    first = split.first[rows]
    end = split.end[rows]
    lengths = end - first
    steps = np.rint(share * lengths).astype(np.int64)
    stop = first + np.clip(steps, 1, lengths - 1)
    first = np.maximum(first, stop - length)
    return Segments(split.series[rows], first, stop, first, end)


def chunks(segments: Segments, chunk: int | None) -> Iterator[Segments]:
    """Consecutive pieces of `chunk` steps; segments that have ended stay in the batch, empty."""
    steps = int(segments.lengths.max(initial=0))
    size = chunk or max(steps, 1)
    for offset in range(0, steps, size):
        first = np.minimum(segments.first + offset, segments.stop)
        stop = np.minimum(first + size, segments.stop)
        begin = np.maximum(segments.begin, first)
        yield segments._replace(first=first, stop=stop, begin=begin)


class Turn(NamedTuple):
    """The next chunks of the rows of a stateful batch."""

    rows: NDArray  # rows of the batch
    begins: NDArray  # whether each is at the start of its series
    segments: Segments


def turns(
    split: Split, rows: int, chunk: int, stride: int, last_only: bool
) -> Iterator[Turn]:
    """Chunks in time order; row r reads the training parts of series r, r + rows, r + 2·rows, ….

    A turn has each row at most once and leaves out finished rows. `last_only`: loss at the last
    step of a chunk only.
    """
    row = np.arange(min(rows, len(split.series)))
    # the series that each row reads, and its position
    place = row.copy()
    step = split.first[row].copy()
    while len(row):
        stop = split.end[place] - 1
        until = np.minimum(step + chunk, stop)
        begin = until - 1 if last_only else step
        read = Segments(split.series[place], step, until, begin, split.end[place])
        yield Turn(row, step == split.first[place], read)
        is_finished = until == stop
        place = np.where(is_finished, place + rows, place)
        remains = place < len(split.series)
        row = row[remains]
        place = place[remains]
        is_finished = is_finished[remains]
        step = step[remains] + stride
        step = np.where(is_finished, split.first[place], step)


def batches_of(order: NDArray, size: int) -> Iterator[NDArray]:
    """Split numbers into batches of a given size."""
    for begin in range(0, len(order), size):
        yield order[begin : begin + size]


def by_length(segments: Segments) -> Iterator[NDArray]:
    """Rows of equal length, longest first, which need no padding when read together."""
    for length in np.unique(segments.lengths)[::-1]:
        yield np.flatnonzero(segments.lengths == length)


def drawn(rng: np.random.Generator, limit: int, count: int) -> NDArray:
    """`count` numbers below `limit` in random order, with frequencies that differ by 1 at most."""
    rounds = -(-count // limit)
    numbers = np.concatenate([rng.permutation(limit) for _ in range(rounds)])
    return numbers[:count]


class TickWindow(NamedTuple):
    """The newest ticks of some rows, left-aligned; NaN labels have no loss."""

    x_RTC: NDArray
    label_RTK: NDArray
    # state of each member before the first tick of the window
    states: tuple[State, ...]
