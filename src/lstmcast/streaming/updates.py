"""Learning from ticks: labels, updates, and restoring earlier weights.

R rows of a tick · K columns of a row · P past covariates
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.streaming.guard import Guard
from lstmcast.streaming.lanes import Lane, LaneReader
from lstmcast.streaming.learning import Learning, worst
from lstmcast.streaming.parts import Parts
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.window import labelled, newest_window, remembered, start_memory
from lstmcast.util.states import rows_of
from lstmcast.windows import TickWindow

if TYPE_CHECKING:
    from lstmcast.training.online import Learner

logger = logging.getLogger("lstmcast")


class Updates:
    """Learns from ticks while they are read.

    Args:
        learning: settings of learning.
        learners: update the weights of each member.
        reader: reads a tick into a lane.
        rows: the rows to read; the memory for learning is added to them.
        seed: random seed of the replayed windows.
    """

    def __init__(
        self,
        learning: Learning,
        learners: list[Learner],
        reader: LaneReader,
        rows: Rows,
        seed: int,
    ) -> None:
        self.learning = learning
        self.learners = learners
        self.reader = reader
        self.rows = rows
        self.skipped = self.rollbacks = 0
        self.guard = Guard(learners, learning.chunk, seed)
        network = reader.network
        rows.add("memory", lambda count: start_memory(network, learning.chunk, count))

    @property
    def updates(self) -> int:
        """Number of updates of the weights, the same for each member."""
        return self.learners[0].updates

    def tick(
        self, number: int, row_R: NDArray, values_RK: NDArray, past_RP: NDArray | None
    ) -> None:
        """Attach the labels of a tick to the ticks before, learn from them, and read the tick."""
        lane: Lane = self.rows.of("older", row_R)
        past_R1P = None if past_RP is None else past_RP[:, None]
        reading, inputs = self.reader.inputs.advance(
            lane.inputs, values_RK[:, None], past_R1P
        )
        assert reading.label_BTK is not None
        memory = labelled(self.rows.of("memory", row_R), reading.label_BTK[:, -1])
        self.rows.put("memory", row_R, memory)
        if number % self.learning.every == 0:
            self._learn(number)
        self.rows["count"][row_R] += 1
        self.rows.put("older", row_R, self.reader.read(lane, reading, inputs))
        begun_N = np.flatnonzero(reading.begun_BT[:, -1])
        if len(begun_N):
            memory = self.rows.of("memory", row_R[begun_N])
            new_memory = remembered(
                memory, reading.x_BTC[begun_N, -1], rows_of(lane.recurrent, begun_N)
            )
            self.rows.put("memory", row_R[begun_N], new_memory)

    def _learn(self, number: int) -> None:
        """Update the weights from the newest ticks of all rows with new labels."""
        news = newest_window(self.rows["memory"])
        if news is None:
            return
        row_R, window = news
        again = self.guard.again(self.learning.replay, number)
        for member, learner in enumerate(self.learners):
            reason = learner.learn(window, member, again)
            if reason is not None:
                self.skipped += 1
                furthest = worst(self.rows, row_R, window.label_RTK)
                logger.warning(
                    "tick %d: the network did not learn: %s (%s)",
                    number,
                    reason,
                    furthest,
                )
        self.guard.remember(window, number)
        self._go_back_if_worse(number)
        memory = self.rows["memory"]
        row_S = np.arange(len(self.rows))
        none_wait_S = np.zeros_like(memory.waits_S)
        self.rows.put("memory", row_S, memory._replace(waits_S=none_wait_S))

    def _go_back_if_worse(self, number: int) -> None:
        """Restore the weights of an earlier tick if the current ones have become worse."""
        fall = self.guard.watch(number) if self.learning.guard else None
        if fall is None:
            return
        self.rollbacks += 1
        logger.warning(
            "tick %d: restored the weights of tick %d, as the loss on stored ticks had become "
            "%.3g, but is %.3g with them",
            number,
            *fall,
        )

    def saved(self) -> dict[str, dict[str, NDArray]]:
        """Groups of arrays for the store."""
        optimiser = {
            f"{member}_{key}": array
            for member, learner in enumerate(self.learners)
            for key, array in learner.saved().items()
        }
        return {"optimiser": optimiser, "guard": self.guard.saved()}

    def take_up(self, groups: Mapping[str, Mapping[str, NDArray]]) -> None:
        """Continue from `saved`, once the rows are those that were saved."""
        if "guard" in groups:  # streams of older versions have none
            memory: Any = self.rows["memory"]
            self.guard.take_up(groups["guard"], TickWindow(*memory[2:]))
        for member, learner in enumerate(self.learners):
            prefix = f"{member}_"
            member_arrays = {
                key.removeprefix(prefix): array
                for key, array in groups["optimiser"].items()
                if key.startswith(prefix)
            }
            learner.take_up(member_arrays)


def updates_of(
    parts: Parts, learners: list[Learner], reader: LaneReader, rows: Rows
) -> Updates | None:
    """The learning of a stream; None if its network does not learn."""
    if parts.learning is None:
        return None
    return Updates(parts.learning, learners, reader, rows, parts.seed)
