"""From a batch to its loss, and the validation segments.

B series · T steps · U steps with a loss · D units · H horizon · K columns · R outputs of the
head
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast.training.batch import Batch
from lstmcast.training.feeds import AdaptiveFeed
from lstmcast.training.losses import Criterion, Sums, standing, sums
from lstmcast.training.module import NetworkModule, State
from lstmcast.training.transformedfeed import TransformedFeed
from lstmcast.windows import Segments, batches_of

VALIDATED_TOGETHER = 256  # segments, at least
KEPT_VALUES = 64_000_000  # inputs that are kept for the next validation


class Update(NamedTuple):
    """The loss of one update, what it was made from, and the share of the epoch that lies behind
    it."""

    sums: Sums
    series: NDArray
    share_done: float


class BatchReader:
    """A module with its loss: computes the loss of a batch."""

    def __init__(
        self,
        module: NetworkModule,
        criterion: Criterion,
        device: str,
        mixed: bool = False,
    ) -> None:
        self.module, self.criterion, self.device, self.mixed = (
            module,
            criterion,
            device,
            mixed,
        )

    def read(self, batch: Batch, state: State | None = None) -> tuple[Sums, State]:
        """Read the batch's inputs, from a fresh state or the given one: the loss, and the state
        behind them."""
        x_BTC = batch.x_BTC
        with self.precision():
            hidden_BTD, state = self.module.hidden(x_BTC, state)
            if batch.positions_N is not None:
                hidden_BTD = hidden_BTD.flatten(0, 1)[batch.positions_N]
                x_BTC = x_BTC.flatten(0, 1)[batch.positions_N]
            elif batch.begin:
                hidden_BTD = hidden_BTD[:, batch.begin :]
                x_BTC = x_BTC[:, batch.begin :]
            outputs = self.module.raw(hidden_BTD, x_BTC)
        return self._sums(outputs, batch), state

    def roll(self, batch: Batch, support: int, own_BT: Tensor | None) -> Sums:
        """Read the truth as input for steps 0 … support, then the network's own predictions
        where `own_BT` says so."""
        x_BTC = batch.x_BTC
        truth_steps = min(support + 1, x_BTC.shape[1])
        with self.precision():
            hidden_BTD, layers = self.module.hidden(x_BTC[:, :truth_steps])
            # without the axis of layers, and looked up once: steps are many, and small
            state = [(hidden[0], cell[0]) for hidden, cell in layers]
            cells = self.module.cells()
            of_truth = self.module.raw(hidden_BTD, x_BTC[:, :truth_steps])
            around = standing(of_truth)
            newest = of_truth[:, -1]
            fed_back = [newest]
            for step in range(truth_steps, x_BTC.shape[1]):
                next_step_BKR = newest[:, 0].float()
                x_BC = self._as_input(next_step_BKR, batch, around)
                # static columns stay what they are
                x_BC = torch.cat([x_BC, x_BTC[:, step, x_BC.shape[1] :]], 1)
                if own_BT is not None:
                    x_BC = torch.where(own_BT[:, step, None], x_BC, x_BTC[:, step])
                hidden_BD, state = self.module.step(x_BC, cells, state)
                newest = self.module.raw(hidden_BD, x_BC)
                fed_back.append(newest)
            outputs = torch.cat([of_truth[:, :-1], torch.stack(fed_back, 1)], 1)
        return self._sums(outputs[:, batch.begin :], batch)

    def precision(self) -> AbstractContextManager[object]:
        """Within this the module computes in bfloat16 where that serves, if it is to."""
        return (
            torch.autocast(self.device, torch.bfloat16) if self.mixed else nullcontext()
        )

    def _as_input(
        self, raw_BKR: Tensor, batch: Batch, around: tuple[Tensor, Tensor]
    ) -> Tensor:
        point_BK = self.module.answers.point(raw_BKR, *around, torch)
        if batch.scale_BK is None or batch.shift_BK is None:
            return point_BK
        return batch.scale_BK * point_BK + batch.shift_BK

    def _sums(self, outputs: Tensor, batch: Batch) -> Sums:
        if self.mixed:
            outputs = outputs.float()
        return sums(
            self.criterion,
            outputs,
            batch.target,
            batch.weight_N,
            batch.targets,
            batch.around,
        )


class HeldBack:
    """Segments to validate on; their tensors are kept if they are small enough."""

    def __init__(
        self, feed: TransformedFeed | AdaptiveFeed, segments: Segments, size: int
    ) -> None:
        self.feed = feed
        self.segments = segments
        self.size = max(size, VALIDATED_TOGETHER)
        self.kept: list[Batch] | None = None

    def batches(self) -> Iterator[Batch]:
        """All of them, segments of like length together."""
        if self.kept is not None:
            yield from self.kept
            return
        read_batches: list[Batch] = []
        values = 0
        order = np.argsort(self.segments.lengths, kind="stable")
        for rows in batches_of(order, self.size):
            for group in self.feed.groups(self.segments.rows(rows)):
                batch = settled(self.feed.batch(group))
                values += batch.x_BTC.numel()
                if values <= KEPT_VALUES:
                    read_batches.append(batch)
                yield batch
        if values <= KEPT_VALUES:
            self.kept = read_batches

    def losses(self, reader: BatchReader) -> Iterator[Sums]:
        """The loss over each batch."""
        for batch in self.batches():
            loss, _ = reader.read(batch)
            yield loss


def settled(batch: Batch) -> Batch:
    """A batch that is read again and again finds out once whether all of its targets are known."""
    if batch.targets is not None or batch.weight_N is not None:
        return batch
    if batch.target.isnan().any():
        return batch
    return batch._replace(targets=batch.target.numel())


def detached(state: State) -> State:
    """The same numbers without the graph that led to them."""
    return [(hidden.detach(), cell.detach()) for hidden, cell in state]
