"""The four batching schemes: segments of series, and the state carried between them.

A batching scheme yields the losses of an epoch one by one, each with its graph; the caller updates
the weights in between. Validation matches the use of the network.

    B series · T steps · C inputs · D units
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast import training_config as settings
from lstmcast import windows
from lstmcast.training.batch import Batch, Group
from lstmcast.training.feeds import AdaptiveFeed
from lstmcast.training.losses import Sums, added
from lstmcast.training.module import State
from lstmcast.training.reading import (
    KEPT_VALUES,
    BatchReader,
    HeldBack,
    Update,
    detached,
    settled,
)
from lstmcast.training.transformedfeed import TransformedFeed
from lstmcast.util.parallel import ahead
from lstmcast.windows import Segments, Split

MOST_POSITIONS = 1024  # with a loss, in a training batch of adaptive inputs
FEWEST_UPDATES, MOST_UPDATES = 4, 25  # in an epoch of adaptive inputs
ROWS_PER_SERIES = 8  # in a batch of adaptive inputs, where series are few


class BatchingScheme(Protocol):
    """The interface of batching schemes."""

    held_back: HeldBack
    # what continues from one epoch to the next; empty unless a stateful one is never reset
    carried: State

    @property
    def feed(self) -> TransformedFeed | AdaptiveFeed:
        """Where its batches come from."""
        ...

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """The losses of an epoch (from 1), in order."""
        ...

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """The loss over what is held back, in parts; empty where nothing is."""
        ...


class TransformedWindows:
    """Windows of transformed inputs, shuffled, each from a fresh state."""

    def __init__(
        self,
        feed: TransformedFeed,
        split: Split,
        batching: settings.Windows,
        batch_size: int,
        steps: int | None,
        held_back: Segments,
        numbers: NDArray,
    ) -> None:
        assert batching.length is not None
        self.feed = feed
        self.split = split
        self.batching = batching
        self.length = batching.length
        self.batch_size = batch_size
        # of the windows to train on, in the order of an unshuffled epoch
        self.numbers = numbers
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.once = steps is None
        self.steps = steps or _batch_count(len(numbers), batch_size)
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each window once, or as many as the steps of an epoch take."""
        for number, segments in enumerate(self.batches(rng)):
            batch = self.feed.batch(Group(segments))
            loss, _ = reader.read(batch)
            yield Update(loss, segments.series, number / self.steps)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At the last step of each window that is held back."""
        return self.held_back.losses(reader)

    def batches(self, rng: np.random.Generator) -> Iterator[Segments]:
        """The windows of an epoch."""
        window_count = len(self.numbers)
        count = window_count if self.once else self.steps * self.batch_size
        if self.batching.shuffle is True:
            order = windows.drawn(rng, window_count, count)
        else:
            order = np.arange(count) % window_count
        stride = self.batching.stride
        every_step = self.batching.loss == "every"
        for rows in windows.batches_of(order, self.batch_size):
            numbers = self.numbers[rows]
            yield windows.windows(self.split, numbers, self.length, stride, every_step)


class AdaptiveWindows:
    """Each series, cut off at random in the later half of its training part, read from a fresh
    state."""

    def __init__(
        self,
        feed: AdaptiveFeed,
        split: Split,
        length: int,
        batch_size: int,
        steps: int | None,
        held_back: Segments,
    ) -> None:
        self.feed = feed
        self.split = split
        self.length = length
        series_count = len(split.series)
        self.rows = min(batch_size, ROWS_PER_SERIES * series_count)
        once = _batch_count(series_count, self.rows)
        self.steps = steps or min(max(once, FEWEST_UPDATES), MOST_UPDATES)
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each series about once."""
        # a fifth of the time goes into the inputs
        for number, (series, batches) in enumerate(ahead(self.batches(rng))):
            losses = [reader.read(batch)[0] for batch in batches]
            yield Update(added(losses), series, number / self.steps)

    def batches(
        self, rng: np.random.Generator
    ) -> Iterator[tuple[NDArray, list[Batch]]]:
        """The series of each update; those of a batch are cut off at the same share, so that
        little is padding."""
        order = windows.drawn(rng, len(self.split.series), self.rows * self.steps)
        for rows in windows.batches_of(order, self.rows):
            share = rng.uniform(0.5, 1.0)
            segments = windows.cut_off(self.split, rows, share, self.length)
            groups = self.feed.groups(segments)
            most_positions = MOST_POSITIONS // max(len(groups), 1)
            batches = [self.feed.batch(group, rng, most_positions) for group in groups]
            yield segments.series, batches

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part."""
        return self.held_back.losses(reader)


class WholeSequence:
    """Whole series in order, with a loss at every step; an update after each chunk."""

    def __init__(
        self,
        feed: TransformedFeed | AdaptiveFeed,
        split: Split,
        chunk: int | None,
        batch_size: int,
        held_back: Segments,
    ) -> None:
        self.feed = feed
        self.chunk = chunk
        self.batch_size = batch_size
        self.segments = windows.whole(split)
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.carried: State = []
        self.made: dict[int, list[Batch]] = {}  # by the number of the group

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each series once."""
        count = len(self.segments.series)
        order = rng.permutation(count) if count > self.batch_size else np.arange(count)
        width = reader.module.config.width
        series_done = 0
        for rows in windows.batches_of(order, self.batch_size):
            groups = self.feed.groups(self.segments.rows(rows))
            for number, group in enumerate(groups):
                pieces = self._pieces(group, number, width)
                yield from self._read(reader, group, pieces, series_done / count)
            series_done += self.batch_size

    def _pieces(self, group: Group, number: int, width: int) -> Iterable[Batch]:
        """The batches of a group. Where all series are one batch, every epoch reads the same ones:
        they are made once, if they are small enough."""
        if number in self.made:
            return self.made[number]
        pieces = self.feed.pieces(group, self.chunk)
        segments = group.segments
        values = len(segments.series) * int(segments.lengths.max()) * width
        if len(self.segments.series) > self.batch_size or values > KEPT_VALUES:
            return pieces
        self.made[number] = [settled(batch) for batch in pieces]
        return self.made[number]

    def _read(
        self,
        reader: BatchReader,
        group: Group,
        pieces: Iterable[Batch],
        share_done: float,
    ) -> Iterator[Update]:
        state = None
        for batch in pieces:
            loss, state = reader.read(batch, state)
            yield Update(loss, group.segments.series, share_done)
            state = detached(state)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part."""
        return self.held_back.losses(reader)


class Stateful:
    """Rows of the batch are series; each chunk starts from the state where the last one ended."""

    def __init__(
        self,
        feed: TransformedFeed,
        split: Split,
        batching: settings.Stateful,
        batch_size: int,
        held_back: Segments,
    ) -> None:
        self.feed = feed
        self.split = split
        self.batching = batching
        self.rows = min(batch_size, len(split.series))
        self.turns = sum(1 for _ in self._turns())
        self.held_back = HeldBack(feed, held_back, batch_size)
        # h and c (1, rows, D) of each layer; nothing before the first update
        self.carried: State = []

    def _turns(self) -> Iterator[windows.Turn]:
        chunk = self.batching.chunk
        stride = self.batching.stride or chunk
        last_only = self.batching.loss == "last"
        return windows.turns(self.split, self.rows, chunk, stride, last_only)

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """A chunk of every row, again and again until all series are read."""
        if self.batching.reset != "never":
            self.carried = []
        for number, turn in enumerate(self._turns()):
            if self.batching.reset == "sequence":
                self._reset(turn.rows[turn.begins])
            losses = []
            for equal_rows in windows.by_length(turn.segments):
                losses.append(self._read(reader, turn, equal_rows))
            yield Update(added(losses), turn.segments.series, number / self.turns)

    def _read(
        self, reader: BatchReader, turn: windows.Turn, equal_rows: NDArray
    ) -> Sums:
        """Read the chunks of some rows, all equally long, and remember the states in which they
        end."""
        rows = torch.from_numpy(turn.rows[equal_rows]).to(self.feed.inputs_NC.device)
        state = [(hidden[:, rows], cell[:, rows]) for hidden, cell in self.carried]
        batch = self.feed.batch(Group(turn.segments.rows(equal_rows)))
        loss, new_state = reader.read(batch, state or None)
        if not self.carried:
            self.carried = _zeros(new_state, self.rows)
        for layer, new_layer in zip(self.carried, detached(new_state), strict=True):
            for tensor, new_tensor in zip(layer, new_layer, strict=True):
                tensor[:, rows] = new_tensor.to(tensor.dtype)
        return loss

    def _reset(self, rows: NDArray) -> None:
        for hidden, cell in self.carried:
            hidden[:, rows] = 0.0
            cell[:, rows] = 0.0

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part, each series read from its
        beginning."""
        return self.held_back.losses(reader)


class Rollout:
    """Segments that begin with actual values and continue with own predictions."""

    def __init__(
        self,
        feed: TransformedFeed,
        split: Split,
        batching: settings.Rollout,
        batch_size: int,
        steps: int | None,
        epochs: int,
        held_back: Segments,
    ) -> None:
        every_step = settings.Windows(batching.length, batching.stride, "every")
        counts = windows.window_counts(split, batching.length, batching.stride)
        numbers = np.arange(int(counts.sum()))
        self.windows = TransformedWindows(
            feed, split, every_step, batch_size, steps, held_back, numbers
        )
        self.feed = feed
        self.batching = batching
        self.epochs = epochs
        self.held_back = self.windows.held_back
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each segment once, or as many as the steps of an epoch take."""
        epochs_after_first = max(self.epochs - 1, 1)
        support, probability = self.batching.at((epoch - 1) / epochs_after_first)
        fewest = self.batching.support_from
        for number, segments in enumerate(self.windows.batches(rng)):
            batch = self.feed.batch(Group(segments))
            own_BT = np.ones(tuple(batch.x_BTC.shape[:2]), bool)
            if fewest is not None:
                support_B = rng.integers(fewest, support + 1, len(own_BT))
                own_BT &= np.arange(own_BT.shape[1]) > support_B[:, None]
            if probability < 1:
                own_BT &= rng.random(own_BT.shape) < probability
            fed_back = None
            if not own_BT.all():
                fed_back = torch.from_numpy(own_BT).to(batch.x_BTC.device)
            first_fed_back = support if fewest is None else fewest
            loss = reader.roll(batch, first_fed_back, fed_back)
            yield Update(loss, segments.series, number / self.windows.steps)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """With the fewest steps of support of the last epoch, and nothing but own predictions after
        them."""
        support, _ = self.batching.last
        if self.batching.support_from is not None:
            support = self.batching.support_from
        for batch in self.held_back.batches():
            yield reader.roll(batch, support, None)


def _batch_count(count: int, batch_size: int) -> int:
    return -(-count // batch_size)


def _zeros(state: State, rows: int) -> State:
    """A state of so many rows, of layers with as many units as those of another one."""
    zeros = []
    for layer in state:
        hidden, cell = (
            torch.zeros(1, rows, tensor.shape[2], device=tensor.device)
            for tensor in layer
        )
        zeros.append((hidden, cell))
    return zeros
