"""Settings of the batching schemes: which segments of the series make a batch, and what is carried
to the next."""

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

    `length`: steps of each (None: a quarter of the median series, from 4 to 96); `stride`: steps
    from one to the next; `loss`: at the "last" step (many-to-one) or at "every" one (many-to-many).
    `shuffle`: True for another order in each epoch, "once" for one random order that all epochs
    keep, False for the order of the series.
    Causal inputs have the loss at every step; each epoch cuts every series off at a random place in
    the later half of its training part and reads the `length` steps (None: 96) before; they know no
    `stride` and no `shuffle`, and where series are few, eight segments of each are an update, if
    `batch_size` is not less.
    """

    length: Count | None = None
    stride: Count = 1
    loss: Literal["last", "every"] = "last"
    shuffle: bool | Literal["once"] = True
    kind: Literal["windows"] = "windows"


@settings
class WholeSequence:
    """Each series read in order from a fresh state, with a loss at every step.

    One update for a batch of series; with `chunk`, one after every so many steps, the state carried
    over without its gradient (truncated backpropagation through time: Williams & Peng 1990).
    """

    chunk: Count | None = None
    kind: Literal["whole_sequence"] = "whole_sequence"


@settings
class Stateful:
    """Rows of the batch are series: a row's next chunk starts from the state in which its last one
    ended.

    There are as many rows as series, at most `batch_size`; then a row reads one series after the
    other. `reset`, when a row's state is zero again: before each series ("sequence"), before each
    epoch ("epoch"), or before the first one only ("never"). `stride`: steps from the beginning of
    one chunk to that of the next; None is `chunk`.
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
                "state has to read every step. Give a stride of at most chunk."
            )


@settings
class Rollout:
    """Segments of `length` steps: the truth for the first ones, then the network's own predictions
    are its inputs.

    `support`: steps whose next input is the truth; at `length` or more that is teacher forcing.
    `support_end`: its value in the last epoch, on a straight line from the first. `probability`,
    `probability_end`: that a later input is the network's own rather than the truth (scheduled
    sampling: Bengio et al. 2015). `support_from`: in training each segment has a support of its
    own, drawn from this number up to the epoch's; so a network learns to begin with few observed
    steps as well as with many. All steps have a loss.
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
                f"support_from={self.support_from} is the lowest support that is drawn, and the "
                f"highest is {fewest}. Give a support_from of at most {fewest}, or a longer "
                "support."
            )

    def at(self, done: float) -> tuple[int, float]:
        """Support and probability when a share `done` of the epochs lies behind.

        >>> Rollout(length=10, support=10, support_end=0).at(0.25)
        (8, 1.0)
        """
        last_support, last_probability = self.last
        support = self.support + done * (last_support - self.support)
        probability = self.probability + done * (last_probability - self.probability)
        return round(support), probability

    @property
    def last(self) -> tuple[int, float]:
        """Support and probability of the last epoch, with which it is validated."""
        support = self.support if self.support_end is None else self.support_end
        if self.probability_end is None:
            return support, self.probability
        return support, self.probability_end

    @property
    def changes(self) -> bool:
        """Whether support or probability change from the first epoch to the last."""
        return self.support_end is not None or self.probability_end is not None


Batching = Windows | WholeSequence | Stateful | Rollout
