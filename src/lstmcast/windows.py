"""Which segments of which series make a batch: index arithmetic, free of any framework.

A series is read up to step t and answers what comes at t+1 … t+H, so the last step that is read for
training is the one before the end of the training part. Series are taken in the order of their ids:
the order in which they come does not matter to what is drawn.

    S series · N observations of all series · B segments of a batch · C inputs · K columns that are
    predicted
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.util.text import are

if TYPE_CHECKING:
    from lstmcast.model.lstm import State


@dataclass(frozen=True, eq=False)
class AdaptiveData:
    """What a network with adaptive inputs learns from: raw observations, and where the training
    part of each series ends.

    `ends` (S,): observations in the training part; the rest validates. `horizon`: steps ahead that
    count, None for all.
    """

    panel: Panel
    ends: NDArray
    horizon: int | None = None

    def __post_init__(self) -> None:
        _check_ends(self.ends, np.asarray(self.panel.lengths))

    @property
    def offsets(self) -> NDArray:
        """Where each series begins and the last one ends (S + 1,)."""
        return self.panel.offsets

    @property
    def ids(self) -> NDArray:
        """Name of each series (S,)."""
        return self.panel.ids

    def everything(self) -> AdaptiveData:
        """The same, with nothing held back."""
        return replace(self, ends=np.asarray(self.panel.lengths))

    def known(self) -> NDArray:
        """Whether a step can be the first one that is read (N,)."""
        return ~np.isnan(self.panel.values)

    def fingerprint(self) -> str:
        """The same for the same data, for a checkpoint to recognise them."""
        return _digest(
            self.panel.values,
            self.offsets,
            self.ends,
            self.ids,
            repr(self.panel.periods),
            self.horizon,
        )


@dataclass(frozen=True, eq=False)
class TransformedData:
    """What a network with transformed inputs learns from: series after their transforms.

    `inputs` (N, C) and `labels` (N, K) hold the value at each step, scaled as an input and as a
    label; NaN = unknown. `offsets` (S + 1,), `ends` and `horizon` as in `AdaptiveData`. A label
    becomes an input as `scale · label + shift`, each (S, K); None where they are scaled alike.

    >>> y = np.arange(10.0)[:, None]
    >>> offsets, ids = np.array([0, 10]), np.array(["a"], object)
    >>> TransformedData(y, y, offsets, ends=np.array([8]), ids=ids).everything().ends
    array([10])
    """

    inputs: NDArray
    labels: NDArray
    offsets: NDArray
    ends: NDArray
    ids: NDArray
    scale: NDArray | None = None
    shift: NDArray | None = None
    horizon: int | None = None

    def __post_init__(self) -> None:
        if self.inputs.ndim != 2 or self.labels.ndim != 2 or len(self.inputs) != len(self.labels):
            raise UsageError(
                f"inputs have shape {self.inputs.shape} and labels {self.labels.shape}; (N, C) and "
                "(N, K) are expected."
            )
        _check_ends(self.ends, np.diff(self.offsets))

    def everything(self) -> TransformedData:
        """The same, with nothing held back."""
        return replace(self, ends=np.diff(self.offsets))

    def known(self) -> NDArray:
        """Whether a step can be the first one that is read (N,)."""
        return np.asarray(~np.isnan(self.inputs).any(axis=1))

    def fingerprint(self) -> str:
        """The same for the same data, for a checkpoint to recognise them."""
        return _digest(
            self.inputs,
            self.labels,
            self.offsets,
            self.ends,
            self.ids,
            self.scale,
            self.shift,
            self.horizon,
        )


FitData = AdaptiveData | TransformedData


def require_values(data: FitData, values: str, head: str) -> None:
    """DataError where a head that learns from counts, or from what is not negative, is given other
    values.

    >>> data = AdaptiveData(Panel.from_arrays([2.0, 0.5]), np.array([2]))
    >>> require_values(data, "positive", "tweedie")
    >>> require_values(data, "count", "negative_binomial")
    Traceback (most recent call last):
    ...
    lstmcast.errors.DataError: series 'y', step 2: 0.5 is not whole, ...
    """
    if values == "real":
        return
    adaptive = isinstance(data, AdaptiveData)
    labels_NK = data.panel.values[:, None] if adaptive else data.labels
    known_NK = np.isfinite(labels_NK)
    wrong = {"negative": known_NK & (labels_NK < 0)}
    if values == "count":
        wrong["not whole"] = known_NK & (labels_NK != np.rint(labels_NK))
    for what, wrong_NK in wrong.items():
        if not wrong_NK.any():
            continue
        place, column = np.argwhere(wrong_NK)[0]
        series = int(np.searchsorted(data.offsets, place, side="right")) - 1
        step = place - data.offsets[series] + 1
        after = "" if adaptive else ", after its transforms"
        raise DataError(
            f"series {str(data.ids[series])!r}, step {step:,}: {labels_NK[place, column]:g} is "
            f"{what}{after}, and head={head!r} learns from "
            f"{'counts' if values == 'count' else 'values from 0'} only. "
            + (
                "Use head='tweedie', which learns from amounts, or head='quantiles'."
                if what == "not whole"
                else "Use head='quantiles', or mark such values as missing."
            )
        )


def _check_ends(ends: NDArray, lengths: NDArray) -> None:
    if np.shape(ends) != lengths.shape or np.any(ends < 0) or np.any(ends > lengths):
        raise UsageError(
            f"ends holds one count per series ({len(lengths)}), each from 0 to the series' length."
        )


def _digest(*parts: object) -> str:
    made = hashlib.sha256()
    for part in parts:
        is_numbers = isinstance(part, np.ndarray) and part.dtype != object
        made.update(
            np.ascontiguousarray(part).tobytes() if is_numbers else repr(_listed(part)).encode()
        )
    return made.hexdigest()


def _listed(part: object) -> object:
    return part.tolist() if isinstance(part, np.ndarray) else part


class Parts(NamedTuple):
    """Training and validation part of each series, in the order of their ids; all (S,)."""

    series: NDArray  # its number in the data
    first: NDArray  # first step that can be read
    end: NDArray  # of the training part: observations before it are trained on
    length: NDArray

    def where(self, chosen: NDArray) -> Parts:
        """Some of the series."""
        return Parts(*(part[chosen] for part in self))


class Segments(NamedTuple):
    """Steps to be read, and which of them have a loss; all (B,), counted from the beginning of
    the series."""

    series: NDArray
    first: NDArray  # first step that is read
    last: NDArray  # step to stop before
    begin: NDArray  # first step with a loss
    limit: NDArray  # targets lie before this step

    def rows(self, rows: NDArray | slice) -> Segments:
        """Some of the segments."""
        return Segments(*(part[rows] for part in self))

    @property
    def lengths(self) -> NDArray:
        """Steps that are read (B,)."""
        return self.last - self.first


def parts_of(data: FitData) -> Parts:
    """The parts of all series that hold anything known in their training part."""
    lengths = np.diff(data.offsets)
    known = np.append(data.known(), True)
    steps = np.where(known, np.arange(len(known)), len(known))
    following = np.minimum.accumulate(steps[::-1])[::-1]  # the next known step from each on
    first = following[data.offsets[:-1]] - data.offsets[:-1]
    order = np.argsort(np.asarray(data.ids).astype(str), kind="stable")
    order = order[first[order] < data.ends[order]]
    return Parts(order, first[order], np.asarray(data.ends)[order], lengths[order])


def long_enough(parts: Parts, steps: int, what: str) -> tuple[Parts, tuple[str, ...]]:
    """The series whose training part has `steps` observations, and a note on those that are left
    out.

    DataError where none is long enough.
    """
    known = parts.end - parts.first
    enough = known >= steps
    if not enough.any():
        longest = int(known.max(initial=0))
        raise DataError(
            f"No series is long enough to train on: {what} needs {steps} observations in the "
            f"training part, and the longest has {longest}.\nHold less back for validation, use "
            "shorter windows if it has any, or give longer series."
        )
    short = int(np.count_nonzero(~enough))
    note = (
        f"{short} of {len(enough)} series {are(short)} shorter than the {steps} observations that "
        f"{what} needs: not trained on"
    )
    return parts.where(enough), (note,) if short else ()


def default_length(parts: Parts) -> int:
    """Steps of a window, unless said: a quarter of the median training part, from 4 to 96."""
    return int(np.clip(np.median(parts.end - parts.first) // 4, 4, 96))


def window_counts(parts: Parts, length: int, stride: int = 1) -> NDArray:
    """How many windows of `length` steps with a target after them the training part of each series
    has (S,).

    >>> series, start = np.array([0, 1]), np.array([0, 0])
    >>> parts = Parts(series, start, end=np.array([6, 3]), length=np.array([8, 4]))
    >>> window_counts(parts, length=3).tolist()
    [3, 0]
    """
    return np.maximum((parts.end - parts.first - 1 - length) // stride + 1, 0)


def windows(parts: Parts, numbers: NDArray, length: int, stride: int, every: bool) -> Segments:
    """Training windows by number: those of the first series come first, in time order."""
    counts = window_counts(parts, length, stride)
    stops = np.cumsum(counts)
    row = np.searchsorted(stops, numbers, side="right")
    first = parts.first[row] + (numbers - (stops - counts)[row]) * stride
    begin = first if every else first + length - 1
    return Segments(parts.series[row], first, first + length, begin, parts.end[row])


def validation_windows(parts: Parts, length: int, *, every: bool, fresh: bool) -> Segments:
    """All windows whose last step answers into the validation part; with `fresh`, those that lie
    within it.

    The loss is at the last step, or with `every` at all those that answer into the validation part.
    """
    newest = np.maximum(parts.end - 1 + (length - 1 if fresh else 0), parts.first + length - 1)
    counts = np.maximum(parts.length - 1 - newest, 0)
    row = np.repeat(np.arange(len(counts)), counts)
    at = newest[row] + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = at - length + 1
    begin = np.maximum(first, parts.end[row] - 1) if every else at
    return Segments(parts.series[row], first, at + 1, begin, parts.length[row])


def whole(parts: Parts) -> Segments:
    """The training part of each series, with a loss at every step that has a target."""
    return Segments(parts.series, parts.first, parts.end - 1, parts.first, parts.end)


def validation_whole(parts: Parts, *, fresh: bool) -> Segments:
    """Each series with a validation part, read from its beginning, or `fresh` from there; the
    loss is in that part."""
    parts = parts.where(parts.end < parts.length)
    begin = parts.end - 1
    return Segments(
        parts.series, begin if fresh else parts.first, parts.length - 1, begin, parts.length
    )


def cut_off(parts: Parts, rows: NDArray, share: float, length: int) -> Segments:
    """The `length` steps before a cut at a share of the training part; targets may lie behind
    the cut."""
    first, end = parts.first[rows], parts.end[rows]
    last = first + np.clip(np.rint(share * (end - first)).astype(np.int64), 1, end - first - 1)
    first = np.maximum(first, last - length)
    return Segments(parts.series[rows], first, last, first, end)


def chunks(segments: Segments, chunk: int | None) -> Iterator[Segments]:
    """Consecutive pieces of `chunk` steps; a segment that has ended stays in the batch as an
    empty one."""
    steps = int(segments.lengths.max(initial=0))
    size = chunk or max(steps, 1)
    for done in range(0, steps, size):
        first = np.minimum(segments.first + done, segments.last)
        last = np.minimum(first + size, segments.last)
        yield segments._replace(first=first, last=last, begin=np.maximum(segments.begin, first))


class Turn(NamedTuple):
    """The next chunks of the rows of a stateful batch."""

    rows: NDArray  # which rows of the batch
    begins: NDArray  # whether each is at the beginning of its series
    segments: Segments


def turns(parts: Parts, rows: int, chunk: int, stride: int, last: bool) -> Iterator[Turn]:
    """Chunks in time order; row r reads series r, r + rows, r + 2·rows, …, each to the end of its
    training part.

    A turn has no row twice; rows that have nothing left to read are left out. `last`: loss at a
    chunk's last step only.
    """
    row = np.arange(min(rows, len(parts.series)))
    # which series each row reads, and where it stands
    place, step = row.copy(), parts.first[row].copy()
    while len(row):
        stop = parts.end[place] - 1
        until = np.minimum(step + chunk, stop)
        begin = until - 1 if last else step
        read = Segments(parts.series[place], step, until, begin, parts.end[place])
        yield Turn(row, step == parts.first[place], read)
        done = until == stop
        place = np.where(done, place + rows, place)
        left = place < len(parts.series)
        row, place, done, step = row[left], place[left], done[left], (step + stride)[left]
        step = np.where(done, parts.first[place], step)


def by_length(segments: Segments) -> Iterator[NDArray]:
    """Which rows are equally long, longest first: read together they need no padding, so that
    their state is exact."""
    for length in np.unique(segments.lengths)[::-1]:
        yield np.flatnonzero(segments.lengths == length)


def drawn(rng: np.random.Generator, many: int, count: int) -> NDArray:
    """`count` numbers below `many` in random order, each as often as any other, give or take
    one."""
    rounds = -(-count // many)
    return np.concatenate([rng.permutation(many) for _ in range(rounds)])[:count]


class TickWindow(NamedTuple):
    """The newest ticks of some rows, from the left; NaN labels have no loss."""

    x_RTC: NDArray
    label_RTK: NDArray
    states: tuple[State, ...]  # of each member, before the first tick of the window
