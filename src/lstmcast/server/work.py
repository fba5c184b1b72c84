"""Long work in a limited number of threads, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from lstmcast.server.batching import MOST
from lstmcast.server.problems import Problem
from lstmcast.server.settings import Limits


class Work:
    """The threads of a server.

    light: forecasts that wait for a shared pass of the network, and short work. heavy: tables,
    backtests and anomalies, each of which uses all processors. streams: ticks.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._waiting = 0
        processors = os.cpu_count() or 1
        self._pools = {
            "light": ThreadPoolExecutor(MOST, thread_name_prefix="lstmcast-light"),
            "heavy": ThreadPoolExecutor(
                processors, thread_name_prefix="lstmcast-heavy"
            ),
            "streams": ThreadPoolExecutor(
                processors + 2, thread_name_prefix="lstmcast-stream"
            ),
        }

    async def limited(
        self, pool: str, function: Callable[..., Any], *arguments: Any
    ) -> Any:
        """Run a function in a thread. Raises Problem if it takes too long, or too many wait.

        A function that takes too long keeps its thread until it ends.
        """
        if self._waiting >= self.limits.waiting:
            raise Problem(
                503,
                f"{self._waiting} requests are waiting. Try again in a moment.",
                headers={"retry-after": "5"},
            )
        future = self._submitted(pool, function, *arguments)
        self._waiting += 1
        future.add_done_callback(self._ended)
        finished, _ = await asyncio.wait({future}, timeout=self.limits.seconds)
        if not finished:
            future.cancel()  # if it has not started
            raise Problem(
                503,
                f"The answer took longer than {self.limits.seconds:g} seconds. Send fewer series, "
                "or use fewer steps or cutoffs.",
                headers={"retry-after": "30"},
            )
        return future.result()

    async def aside(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a short function in a thread."""
        return await self._submitted("light", function, *arguments)

    async def tick(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function of a stream, which finishes even if its client leaves."""
        return await asyncio.shield(self._submitted("streams", function, *arguments))

    def close(self) -> None:
        """Take no more work; running functions finish."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _submitted(
        self, pool: str, function: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        run = partial(contextvars.copy_context().run, function, *arguments)
        return asyncio.get_running_loop().run_in_executor(self._pools[pool], run)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            # mark the error as retrieved, if nobody waits for it any more
            future.exception()
