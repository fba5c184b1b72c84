"""What is kept of each row between ticks: the network's state, and for learning the newest chunk of
ticks.

The tick p of a row, counted from 0 since it joined, lies in slot p modulo the length of the chunk;
beside it lie the state before it and the label that came after it.

S series, a row each · R some of their rows · L ticks of a chunk · T ticks of a window · K columns ·
D units
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.streaming.rows import Rows
from lstmcast.windows import TickWindow


class Memory:
    """Arrays of the rows, and where in them things are. `chunk`: L, None where nothing is
    learned."""

    def __init__(self, rows: Rows, network: Network, chunk: int | None) -> None:
        self.rows, self.chunk, self.members = rows, chunk, len(network.members)
        self.layers = range(len(network.config.layers))
        K, point = network.config.channels, network.head.name == "point"
        rows.add("count", (), np.int64, 0)  # ticks read
        rows.add("newest", (K,), np.float32, np.nan)  # the newest input
        rows.add("answer", (K, 1 if point else len(HEAD_QUANTILES)), float, np.nan)
        for name, layer in self._names("now"):
            rows.add(name, (network.config.layers[layer],), np.float32, 0)
        if chunk is not None:
            rows.add("waits", (), bool, False)  # whether something came that was not learned yet
            rows.add("x", (chunk, K), np.float32, 0)
            rows.add("label", (chunk, K), np.float32, np.nan)
            for name, layer in self._names("before"):
                rows.add(name, (chunk, network.config.layers[layer]), np.float32, 0)

    def begun(self, at: NDArray, x_RK: NDArray) -> tuple[NDArray, NDArray]:
        """The rows that can be read, and what: the newest known input where this one is missing."""
        newest_RK = np.where(np.isnan(x_RK), self.rows["newest"][at], x_RK).astype(np.float32)
        begun = ~np.isnan(newest_RK).any(axis=1)
        return at[begun], newest_RK[begun]

    def states(self, at: NDArray) -> tuple[State, ...]:
        """Of each member, as it is now."""
        return self._states("now", (at,))

    def remember(
        self, at: NDArray, x_RK: NDArray, states: tuple[State, ...], answer_RKX: NDArray
    ) -> None:
        """One more tick was read: its input, the states behind it, and what the network
        answered."""
        rows, new = self.rows, [part for state in states for pair in state for part in pair]
        if self.chunk is not None:
            slot = rows["count"][at] % self.chunk
            rows["x"][at, slot], rows["label"][at, slot] = x_RK, np.nan
            for (before, _), (now, _) in zip(
                self._names("before"), self._names("now"), strict=True
            ):
                rows[before][at, slot] = rows[now][at]
        for (name, _), part_RD in zip(self._names("now"), new, strict=True):
            rows[name][at] = part_RD
        rows["newest"][at], rows["answer"][at] = x_RK, answer_RKX
        rows["count"][at] += 1

    def label(self, at: NDArray, label_RK: NDArray) -> None:
        """Write what came beside the tick that it was predicted from."""
        assert self.chunk is not None
        begun = self.rows["count"][at] > 0
        at, label_RK = at[begun], label_RK[begun]
        self.rows["label"][at, (self.rows["count"][at] - 1) % self.chunk] = label_RK
        self.rows["waits"][at] |= ~np.isnan(label_RK).all(axis=1)

    def window(self) -> tuple[NDArray, TickWindow] | None:
        """The newest ticks of all rows that have something to learn from, which have it no more;
        None without any."""
        assert self.chunk is not None
        rows, L = self.rows, self.chunk
        at = np.flatnonzero(rows["waits"])
        if not len(at):
            return None
        rows["waits"][at] = False
        count = rows["count"][at]
        first, many = np.maximum(count - L, 0), np.minimum(count, L)
        steps = np.arange(many.max())
        slots, inside = (first[:, None] + steps) % L, (steps < many[:, None])[..., None]
        x_RTC = np.where(inside, rows["x"][at[:, None], slots], np.float32(0))
        label_RTK = np.where(inside, rows["label"][at[:, None], slots], np.float32(np.nan))
        return at, TickWindow(x_RTC, label_RTK, self._states("before", (at, first % L)))

    def _names(self, when: str) -> Iterator[tuple[str, int]]:
        """Names of the arrays that hold h and c of each layer of each member, and their layers."""
        for member in range(self.members):
            for layer in self.layers:
                for part in ("h", "c"):
                    yield f"{when}_{member}_{layer}_{part}", layer

    def _states(self, when: str, at: tuple[NDArray, ...]) -> tuple[State, ...]:
        def layer(member: int, k: int) -> tuple[NDArray, NDArray]:
            return self.rows[f"{when}_{member}_{k}_h"][at], self.rows[f"{when}_{member}_{k}_c"][at]

        return tuple(tuple(layer(member, k) for k in self.layers) for member in range(self.members))
