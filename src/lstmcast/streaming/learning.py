"""Settings of learning from a stream, and the learners of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstmcast.errors import UsageError
from lstmcast.model.network import Network
from lstmcast.streaming.rows import Rows
from lstmcast.training_config import AnyLoss, Count, Loss, Optimiser, require_torch
from lstmcast.util.config import settings, usual

if TYPE_CHECKING:
    from lstmcast.training.online import Learner


@settings
class Learning:
    """Settings of learning from a stream.

    Args:
        learning_rate: learning rate of the optimiser.
        chunk: ticks of backpropagation, from the state of each row before them (truncated
            backpropagation through time: Williams & Peng 1990).
        every: ticks between updates; with 1, each tick is part of `chunk` updates, with `chunk`, of
            one.
        clip: largest norm of the gradient, None for no limit.
        loss: as in `TrainingConfig`.
        optimiser: "adam", "adamw", "rmsprop" or "sgd".
        replay: number of windows of older ticks, of up to 64 rows each, used again in each update.
        guard: whether to restore earlier weights if they had smaller errors on older and on newer
            ticks.

    >>> Learning(chunk=4, every=8)
    Traceback (most recent call last):
    lstmcast.errors.UsageError: Learning(chunk=4, every=8): ticks would be skipped. ...
    """

    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    chunk: Count = 8
    every: Count = 1
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    loss: AnyLoss = usual(Loss)
    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    replay: Annotated[int, Field(ge=0, le=64)] = 0
    guard: bool = True

    def __post_init__(self) -> None:
        if self.every > self.chunk:
            raise UsageError(
                f"Learning(chunk={self.chunk}, every={self.every}): ticks would be skipped. Use "
                f"every={self.chunk} or less."
            )


def learners_of(
    network: Network, learning: Learning | None, seed: int
) -> tuple[Network, list[Learner]]:
    """A copy of a network and its learners, which share the weights."""
    if learning is None:
        copies = [
            {name: array.copy() for name, array in arrays.items()}
            for arrays in network.members
        ]
        return Network(network.config, copies, network.head, fixed=True), []
    require_torch()
    from lstmcast.training.online import Learner

    optimiser = Optimiser(
        learning.optimiser, learning.learning_rate, clip=learning.clip
    )
    learners = [
        Learner(network.config, arrays, network.head, optimiser, learning.loss, seed)
        for arrays in network.members
    ]
    return Network(
        network.config, [learner.arrays for learner in learners], network.head
    ), learners


def worst(rows: Rows, row_R: NDArray, label_RTK: NDArray) -> str:
    """A message about the row with the largest labels."""
    largest = np.nanmax(np.abs(label_RTK).reshape(len(row_R), -1), axis=1)
    row = int(np.argmax(largest))
    return f"row {rows.ids[row_R[row]]!r} has a label of {largest[row]:.3g}"
