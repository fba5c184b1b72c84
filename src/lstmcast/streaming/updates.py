"""Rows whose network learns: labels, updates, and the way back where these did harm.

R rows of a tick · K columns of a row · P columns beside them
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
        learning: how.
        learners: what moves the weights of each member.
        reader: reads a tick into a lane.
        rows: what is read into; they get the memory that learning needs.
        seed: random seed of what is learned again.
    """

    def __init__(
        self,
        learning: Learning,
        learners: list[Learner],
        reader: LaneReader,
        rows: Rows,
        seed: int,
    ) -> None:
        self.learning, self.learners = learning, learners
        self.reader, self.rows = reader, rows
        self.skipped = self.rollbacks = 0
        self.guard = Guard(learners, learning.chunk, seed)
        network = reader.network
        rows.add("memory", lambda new: start_memory(network, learning.chunk, new))

    def tick(self, number: int, at: NDArray, values_RK: NDArray, past_RP: NDArray | None) -> None:
        """The labels of a tick go to what was read before; then it is learned from, and the tick
        is read."""
        lane: Lane = self.rows.of("older", at)
        past_R1P = None if past_RP is None else past_RP[:, None]
        seen, inputs = self.reader.inputs.advance(lane.inputs, values_RK[:, None], past_R1P)
        assert seen.label_BTK is not None
        self.rows.put("memory", at, labelled(self.rows.of("memory", at), seen.label_BTK[:, -1]))
        if number % self.learning.every == 0:
            self._learn(number)
        self.rows["count"][at] += 1
        self.rows.put("older", at, self.reader.read(lane, seen, inputs))
        begun = np.flatnonzero(seen.begun_BT[:, -1])
        if len(begun):
            memory = self.rows.of("memory", at[begun])
            kept = remembered(memory, seen.x_BTC[begun, -1], rows_of(lane.recurrent, begun))
            self.rows.put("memory", at[begun], kept)

    def _learn(self, number: int) -> None:
        """One update from the newest ticks of all rows that have news."""
        news = newest_window(self.rows["memory"])
        if news is None:
            return
        at, window = news
        again = self.guard.again(self.learning.replay, number)
        for m, learner in enumerate(self.learners):
            reason = learner.learn(window, m, again)
            if reason is not None:
                self.skipped += 1
                furthest = worst(self.rows, at, window.label_RTK)
                logger.warning(
                    "tick %d: the network did not learn: %s (%s)", number, reason, furthest
                )
        self.guard.remember(window, number)
        self._go_back_if_worse(number)
        memory = self.rows["memory"]
        everything = np.arange(len(self.rows))
        self.rows.put("memory", everything, memory._replace(waits_S=np.zeros_like(memory.waits_S)))

    def _go_back_if_worse(self, number: int) -> None:
        """Weights of an earlier tick, where those of now have become worse."""
        fall = self.guard.watch(number) if self.learning.guard else None
        if fall is None:
            return
        self.rollbacks += 1
        logger.warning(
            "tick %d: the network went back to its weights of tick %d: its loss on remembered "
            "ticks had become %.3g, theirs is %.3g",
            number,
            *fall,
        )

    def saved(self) -> dict[str, dict[str, NDArray]]:
        """Groups of arrays for the store."""
        optimiser = {
            f"{m}_{key}": array
            for m, learner in enumerate(self.learners)
            for key, array in learner.saved().items()
        }
        return {"optimiser": optimiser, "guard": self.guard.saved()}

    def take_up(self, groups: Mapping[str, Mapping[str, NDArray]]) -> None:
        """Go on with what `saved` gave, once the rows are those that were saved."""
        if "guard" in groups:  # older streams had none
            memory: Any = self.rows["memory"]
            self.guard.take_up(groups["guard"], TickWindow(*memory[2:]))
        for m, learner in enumerate(self.learners):
            prefix = f"{m}_"
            own = {
                key.removeprefix(prefix): array
                for key, array in groups["optimiser"].items()
                if key.startswith(prefix)
            }
            learner.take_up(own)
