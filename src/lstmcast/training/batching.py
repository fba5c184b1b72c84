"""The four batching schemes: in which pieces the series are read, and what is carried from one
piece to the next.

A batching scheme gives the losses of an epoch one after the other, each with its graph; whoever
asks for the next one has moved the weights in between. It validates in the way in which it is used.

    B series · T steps · U steps with a loss · D units · H horizon · K columns · R raw numbers of
    the head
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast import training_config as settings
from lstmcast import windows
from lstmcast.training.feeds import AdaptiveFeed, Batch, Group, TransformedFeed
from lstmcast.training.losses import Criterion, Sums, added, standing, sums
from lstmcast.training.module import NetworkModule, State
from lstmcast.util.parallel import ahead
from lstmcast.windows import Parts, Segments

MOST_POSITIONS = 1024  # with a loss, in a training batch of adaptive inputs
FEWEST_UPDATES, MOST_UPDATES = 4, 25  # in an epoch of adaptive inputs
ROWS_PER_SERIES = 8  # in a batch of adaptive inputs, where series are few
VALIDATED_TOGETHER = 256  # segments, at least
KEPT_VALUES = 64_000_000  # inputs that are kept for the next validation


class Update(NamedTuple):
    """The loss of one update, what it was made from, and the share of the epoch that lies behind
    it."""

    sums: Sums
    series: NDArray
    done: float


class BatchReader:
    """A module together with what is minimised: from a batch to its loss."""

    def __init__(
        self, module: NetworkModule, criterion: Criterion, device: str, mixed: bool = False
    ) -> None:
        self.module, self.criterion, self.device, self.mixed = module, criterion, device, mixed

    def read(self, batch: Batch, state: State | None = None) -> tuple[Sums, State]:
        """Read the batch's inputs, from a fresh state or the given one: the loss, and the state
        behind them."""
        with self.precision():
            hidden_BTD, state = self.module.hidden(batch.x_BTC, state)
            if batch.positions_N is None and not batch.begin:
                raw = self.module.raw(hidden_BTD, batch.x_BTC)
            elif batch.positions_N is None:
                raw = self.module.raw(hidden_BTD[:, batch.begin :], batch.x_BTC[:, batch.begin :])
            else:
                chosen = (
                    part.flatten(0, 1)[batch.positions_N] for part in (hidden_BTD, batch.x_BTC)
                )
                raw = self.module.raw(*chosen)
        return self._sums(raw, batch), state

    def roll(self, batch: Batch, support: int, own_BT: Tensor | None) -> Sums:
        """Read the truth as input for steps 0 … support, then the network's own predictions
        where `own_BT` says so."""
        x_BTC = batch.x_BTC
        known = min(support + 1, x_BTC.shape[1])
        with self.precision():
            hidden_BTD, layers = self.module.hidden(x_BTC[:, :known])
            # without the axis of layers, and looked up once: steps are many, and small
            state, cells = [(h[0], c[0]) for h, c in layers], self.module.cells()
            of_truth = self.module.raw(hidden_BTD, x_BTC[:, :known])
            raws, about = [of_truth[:, -1]], standing(of_truth)
            for t in range(known, x_BTC.shape[1]):
                x_BC = self._as_input(raws[-1][:, 0].float(), batch, about)
                # static columns stay what they are
                x_BC = torch.cat([x_BC, x_BTC[:, t, x_BC.shape[1] :]], 1)
                if own_BT is not None:
                    x_BC = torch.where(own_BT[:, t, None], x_BC, x_BTC[:, t])
                hidden_BD, state = self.module.step(x_BC, cells, state)
                raws.append(self.module.raw(hidden_BD, x_BC))
            raw = torch.cat([of_truth[:, :-1], torch.stack(raws, 1)], 1)
        return self._sums(raw[:, batch.begin :], batch)

    def precision(self) -> AbstractContextManager[object]:
        """Within this the module computes in bfloat16 where that serves, if it is to."""
        return torch.autocast(self.device, torch.bfloat16) if self.mixed else nullcontext()

    def _as_input(self, raw_BKR: Tensor, batch: Batch, about: tuple[Tensor, Tensor]) -> Tensor:
        point_BK = self.module.answers.point(raw_BKR, *about, torch)
        if batch.scale_BK is None or batch.shift_BK is None:
            return point_BK
        return batch.scale_BK * point_BK + batch.shift_BK

    def _sums(self, raw: Tensor, batch: Batch) -> Sums:
        raw = raw.float() if self.mixed else raw
        return sums(self.criterion, raw, batch.target, batch.weight_N, batch.targets, batch.around)


class HeldBack:
    """Segments to validate on; their tensors are kept if they are small enough."""

    def __init__(self, feed: TransformedFeed | AdaptiveFeed, segments: Segments, size: int) -> None:
        self.feed, self.segments = feed, segments
        self.size = max(size, VALIDATED_TOGETHER)
        self.kept: list[Batch] | None = None

    def batches(self) -> Iterator[Batch]:
        """All of them, segments of like length together."""
        if self.kept is not None:
            yield from self.kept
            return
        made, values = [], 0
        order = np.argsort(self.segments.lengths, kind="stable")
        for begin in range(0, len(order), self.size):
            for group in self.feed.groups(self.segments.rows(order[begin : begin + self.size])):
                batch = settled(self.feed.batch(group))
                values += batch.x_BTC.numel()
                if values <= KEPT_VALUES:
                    made.append(batch)
                yield batch
        if values <= KEPT_VALUES:
            self.kept = made


def settled(batch: Batch) -> Batch:
    """A batch that is read again and again finds out once whether all of its targets are known."""
    if batch.targets is not None or batch.weight_N is not None or batch.target.isnan().any():
        return batch
    return batch._replace(targets=batch.target.numel())


class BatchingScheme(Protocol):
    """What the loop asks of a batching scheme."""

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
    """Windows of plain inputs, shuffled, each from a fresh state."""

    def __init__(
        self,
        feed: TransformedFeed,
        parts: Parts,
        batching: settings.Windows,
        batch_size: int,
        steps: int | None,
        held_back: Segments,
        numbers: NDArray,
    ) -> None:
        assert batching.length is not None
        self.feed, self.parts, self.batching, self.batch_size, self.length = (
            feed,
            parts,
            batching,
            batch_size,
            batching.length,
        )
        self.numbers = numbers  # of the windows to train on, in the order of an unshuffled epoch
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.once = steps is None
        self.steps = steps or -(-len(self.numbers) // batch_size)
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each window once, or as many as the steps of an epoch take."""
        for k, segments in enumerate(self.batches(rng)):
            batch = self.feed.batch(Group(segments))
            yield Update(reader.read(batch)[0], segments.series, k / self.steps)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At the last step of each window that is held back."""
        return (reader.read(batch)[0] for batch in self.held_back.batches())

    def batches(self, rng: np.random.Generator) -> Iterator[Segments]:
        """The windows of an epoch."""
        many = len(self.numbers)
        count = many if self.once else self.steps * self.batch_size
        anew = self.batching.shuffle is True
        order = windows.drawn(rng, many, count) if anew else np.arange(count) % many
        every = self.batching.loss == "every"
        for begin in range(0, count, self.batch_size):
            numbers = self.numbers[order[begin : begin + self.batch_size]]
            yield windows.windows(self.parts, numbers, self.length, self.batching.stride, every)


class AdaptiveWindows:
    """Each series, cut off at random in the later half of its training part, read from a fresh
    state."""

    def __init__(
        self,
        feed: AdaptiveFeed,
        parts: Parts,
        length: int,
        batch_size: int,
        steps: int | None,
        held_back: Segments,
    ) -> None:
        self.feed, self.parts, self.length = feed, parts, length
        self.rows = min(batch_size, ROWS_PER_SERIES * len(parts.series))
        once = -(-len(parts.series) // self.rows)
        self.steps = steps or min(max(once, FEWEST_UPDATES), MOST_UPDATES)
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each series about once."""
        # a fifth of the time goes into the inputs
        for k, (series, batches) in enumerate(ahead(self.batches(rng))):
            yield Update(
                added([reader.read(batch)[0] for batch in batches]), series, k / self.steps
            )

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[NDArray, list[Batch]]]:
        """The series of each update; those of a batch are cut off at the same share, so that
        little is padding."""
        order = windows.drawn(rng, len(self.parts.series), self.rows * self.steps)
        for k in range(self.steps):
            rows = order[k * self.rows : (k + 1) * self.rows]
            segments = windows.cut_off(self.parts, rows, rng.uniform(0.5, 1.0), self.length)
            groups = self.feed.groups(segments)
            most = MOST_POSITIONS // max(len(groups), 1)
            yield segments.series, [self.feed.batch(group, rng, most) for group in groups]

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part."""
        return (reader.read(batch)[0] for batch in self.held_back.batches())


class WholeSequence:
    """Whole series in order, with a loss at every step; an update after each chunk."""

    def __init__(
        self,
        feed: TransformedFeed | AdaptiveFeed,
        parts: Parts,
        chunk: int | None,
        batch_size: int,
        held_back: Segments,
    ) -> None:
        self.feed, self.chunk, self.batch_size = feed, chunk, batch_size
        self.segments = windows.whole(parts)
        self.held_back = HeldBack(feed, held_back, batch_size)
        self.carried: State = []
        self.made: dict[int, list[Batch]] = {}  # by the number of the group

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each series once."""
        count = len(self.segments.series)
        order = rng.permutation(count) if count > self.batch_size else np.arange(count)
        for begin in range(0, count, self.batch_size):
            rows = order[begin : begin + self.batch_size]
            for number, group in enumerate(self.feed.groups(self.segments.rows(rows))):
                pieces = self._pieces(group, number, reader.module.config.width)
                yield from self._read(reader, group, pieces, begin / count)

    def _pieces(self, group: Group, number: int, width: int) -> Iterable[Batch]:
        """The batches of a group. Where all series are one batch, every epoch reads the same ones:
        they are made once, if they are small enough."""
        if number in self.made:
            return self.made[number]
        pieces = self.feed.pieces(group, self.chunk)
        values = len(group.segments.series) * int(group.segments.lengths.max()) * width
        if len(self.segments.series) > self.batch_size or values > KEPT_VALUES:
            return pieces
        self.made[number] = [settled(batch) for batch in pieces]
        return self.made[number]

    def _read(
        self, reader: BatchReader, group: Group, pieces: Iterable[Batch], done: float
    ) -> Iterator[Update]:
        state = None
        for batch in pieces:
            loss, state = reader.read(batch, state)
            yield Update(loss, group.segments.series, done)
            state = detached(state)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part."""
        return (reader.read(batch)[0] for batch in self.held_back.batches())


class Stateful:
    """Rows of the batch are series; a row's next chunk starts from the state in which its last
    one ended."""

    def __init__(
        self,
        feed: TransformedFeed,
        parts: Parts,
        batching: settings.Stateful,
        batch_size: int,
        held_back: Segments,
    ) -> None:
        self.feed, self.parts, self.batching = feed, parts, batching
        self.rows = min(batch_size, len(parts.series))
        self.turns = sum(1 for _ in self._turns())
        self.held_back = HeldBack(feed, held_back, batch_size)
        # h and c (1, rows, D) of each layer; nothing before the first update
        self.carried: State = []

    def _turns(self) -> Iterator[windows.Turn]:
        batching = self.batching
        return windows.turns(
            self.parts,
            self.rows,
            batching.chunk,
            batching.stride or batching.chunk,
            batching.loss == "last",
        )

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """A chunk of every row, again and again until all series are read."""
        if self.batching.reset != "never":
            self.carried = []
        for k, turn in enumerate(self._turns()):
            if self.batching.reset == "sequence":
                self._reset(turn.rows[turn.begins])
            losses = [
                self._read(reader, turn, chosen) for chosen in windows.by_length(turn.segments)
            ]
            yield Update(added(losses), turn.segments.series, k / self.turns)

    def _read(self, reader: BatchReader, turn: windows.Turn, chosen: NDArray) -> Sums:
        """Read the chunks of some rows, all equally long, and remember the states in which they
        end."""
        rows = torch.from_numpy(turn.rows[chosen]).to(self.feed.inputs_NC.device)
        state = [(h[:, rows], c[:, rows]) for h, c in self.carried] or None
        loss, state = reader.read(self.feed.batch(Group(turn.segments.rows(chosen))), state)
        if not self.carried:
            self.carried = [(_zeros(h, self.rows), _zeros(c, self.rows)) for h, c in state]
        for (h, c), (new_h, new_c) in zip(self.carried, detached(state), strict=True):
            h[:, rows], c[:, rows] = new_h.to(h.dtype), new_c.to(c.dtype)
        return loss

    def _reset(self, rows: NDArray) -> None:
        for h, c in self.carried:
            h[:, rows] = 0.0
            c[:, rows] = 0.0

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """At every step that answers into the validation part, each series read from its
        beginning."""
        return (reader.read(batch)[0] for batch in self.held_back.batches())


class Rollout:
    """Segments that begin with the truth and continue with the network's own predictions."""

    def __init__(
        self,
        feed: TransformedFeed,
        parts: Parts,
        batching: settings.Rollout,
        batch_size: int,
        steps: int | None,
        epochs: int,
        held_back: Segments,
    ) -> None:
        every = settings.Windows(batching.length, batching.stride, "every")
        total = int(windows.window_counts(parts, batching.length, batching.stride).sum())
        self.windows = TransformedWindows(
            feed, parts, every, batch_size, steps, held_back, np.arange(total)
        )
        self.feed, self.batching, self.epochs, self.held_back = (
            feed,
            batching,
            epochs,
            self.windows.held_back,
        )
        self.carried: State = []

    def updates(
        self, reader: BatchReader, epoch: int, rng: np.random.Generator
    ) -> Iterator[Update]:
        """Each segment once, or as many as the steps of an epoch take."""
        support, probability = self.batching.at((epoch - 1) / max(self.epochs - 1, 1))
        fewest = self.batching.support_from
        for k, segments in enumerate(self.windows.batches(rng)):
            batch = self.feed.batch(Group(segments))
            own_BT = np.ones(tuple(batch.x_BTC.shape[:2]), bool)
            if fewest is not None:
                support_B = rng.integers(fewest, support + 1, len(own_BT))
                own_BT &= np.arange(own_BT.shape[1]) > support_B[:, None]
            if probability < 1:
                own_BT &= rng.random(own_BT.shape) < probability
            own = None if own_BT.all() else torch.from_numpy(own_BT).to(batch.x_BTC.device)
            loss = reader.roll(batch, support if fewest is None else fewest, own)
            yield Update(loss, segments.series, k / self.windows.steps)

    def validation(self, reader: BatchReader) -> Iterator[Sums]:
        """With the fewest steps of support of the last epoch, and nothing but own predictions after
        them."""
        support, fewest = self.batching.last[0], self.batching.support_from
        support = support if fewest is None else fewest
        return (reader.roll(batch, support, None) for batch in self.held_back.batches())


def detached(state: State) -> State:
    """The same numbers without the graph that led to them."""
    return [(h.detach(), c.detach()) for h, c in state]


def _zeros(like: Tensor, rows: int) -> Tensor:
    return torch.zeros(1, rows, like.shape[2], device=like.device)
