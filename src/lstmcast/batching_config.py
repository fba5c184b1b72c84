"""Settings of the batching schemes: the segments of a batch, and the state carried to the next."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lstmcast.errors import UsageError
from lstmcast.util.config import settings

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


@settings
class Windows:
    """Many short segments in shuffled order, each from a fresh state.

    `length`: steps per segment (None: a quarter of the median series, from 4 to 96); `stride`:
    steps from one segment to the next; `loss`: at the "last" step (many-to-one) or at "every" one
    (many-to-many). `shuffle`: True for a new order in each epoch, "once" for one random order kept
    in all epochs, False for the order of the series. Adaptive inputs have the loss at every step
    and ignore `stride` and `shuffle`: each epoch cuts every series at a random place in the later
    half of its training part and reads the `length` steps (None: 96) before. If there are few
    series, an update reads eight segments of each, if `batch_size` allows it.
    """

    length: Count | None = None
    stride: Count = 1
    loss: Literal["last", "every"] = "last"
    shuffle: bool | Literal["once"] = True
    kind: Literal["windows"] = "windows"


@settings
class WholeSequence:
    """Each series read in order from a fresh state, with a loss at every step.

    One update per batch of series; with `chunk`, one every `chunk` steps, with the state carried
    over without its gradient (truncated backpropagation through time: Williams & Peng 1990).
    """

    chunk: Count | None = None
    kind: Literal["whole_sequence"] = "whole_sequence"


@settings
class Stateful:
    """A row of the batch is a series; each chunk starts from the state where the last one ended.

    There are as many rows as series, at most `batch_size`; beyond that, a row reads several series
    one after another. `reset`: when a row's state is set to zero, before each series ("sequence"),
    before each epoch ("epoch"), or before the first epoch only ("never"). `stride`: steps from the
    start of one chunk to the start of the next; None means `chunk`.
    """

    chunk: Count
    loss: Literal["every", "last"] = "every"
    reset: Literal["sequence", "epoch", "never"] = "sequence"
    stride: Count | None = None
    kind: Literal["stateful"] = "stateful"

    def __post_init__(self) -> None:
        if self.stride is not None and self.stride > self.chunk:
            raise UsageError(
                f"stride={self.stride} would leave out steps between chunks of {self.chunk}: a "
                "state must read every step. Give a stride of at most chunk."
            )


@settings
class Rollout:
    """Segments of `length` steps that begin with actual values and continue with own predictions.

    `support`: steps whose next input is the actual value; `length` or more is teacher forcing.
    `support_end`: the support in the last epoch, reached linearly. `probability`,
    `probability_end`: the probability that a later input is a prediction rather than the actual
    value (scheduled sampling: Bengio et al. 2015). `support_from`: in training, each segment draws
    its support between this number and the support of the epoch, so that the network learns to
    start from few steps as well as from many. All steps have a loss.
    """

    length: Annotated[int, Field(ge=2)]
    support: Annotated[int, Field(ge=0)]
    support_end: Annotated[int, Field(ge=0)] | None = None
    probability: Share = 1.0
    probability_end: Share | None = None
    stride: Count = 1
    support_from: Annotated[int, Field(ge=0)] | None = None
    kind: Literal["rollout"] = "rollout"

    def __post_init__(self) -> None:
        fewest = min(self.support, self.last[0])
        if self.support_from is not None and self.support_from > fewest:
            raise UsageError(
                f"support_from={self.support_from} is the lowest support drawn, and the highest "
                f"is {fewest}. Give a support_from of at most {fewest}, or a longer support."
            )

    def at(self, done: float) -> tuple[int, float]:
        """Support and probability after a share `done` of the epochs.

        >>> Rollout(length=10, support=10, support_end=0).at(0.25)
        (8, 1.0)
        """
        last_support, last_probability = self.last
        support = self.support + done * (last_support - self.support)
        probability = self.probability + done * (last_probability - self.probability)
        return round(support), probability

    @property
    def last(self) -> tuple[int, float]:
        """Support and probability of the last epoch, used in validation."""
        support = self.support if self.support_end is None else self.support_end
        if self.probability_end is None:
            return support, self.probability
        return support, self.probability_end

    @property
    def changes(self) -> bool:
        """Whether support or probability changes from the first epoch to the last."""
        return self.support_end is not None or self.probability_end is not None


Batching = Windows | WholeSequence | Stateful | Rollout
