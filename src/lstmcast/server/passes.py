"""Passes of the shipped network, in this process or in a separate one.

Python runs one thread at a time. While the network reads histories in another process, the server
handles other requests and ticks of streams, on another processor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lstmcast.data.panel import Panel
from lstmcast.forecast import Forecast
from lstmcast.forecaster import LSTMForecaster
from lstmcast.predict import Asked, Levels
from lstmcast.server.problems import Problem
from lstmcast.together import forecast_each
from lstmcast.util.parallel import ProcessLost, Worker


@dataclass(frozen=True, eq=False)
class Pass:
    """Requests that the network reads together."""

    panels: Sequence[Panel]
    requests: Sequence[Asked]
    levels: Sequence[Levels]

    @classmethod
    def of(cls, panels: Sequence[Panel], models: Sequence[LSTMForecaster]) -> Pass:
        """The pass of panels and the forecaster of each.

        >>> panel = Panel.from_arrays([3.0, 5.0, 4.0] * 8)
        >>> [forecast] = read_here(Pass.of([panel], [LSTMForecaster(horizon=2)]))
        >>> forecast.point.round(1).tolist()
        [[3.0, 5.0]]
        """
        requests = [
            Asked(model.horizon, None, "direct", model.method) for model in models
        ]
        return cls(panels, requests, [model.quantiles for model in models])

    def __str__(self) -> str:
        return f"{len(self.panels)} requests"


Read: TypeAlias = Callable[[Pass], "list[Forecast]"]


def read_here(asked: Pass) -> list[Forecast]:
    """The forecasts of a pass, made in this process."""
    network = LSTMForecaster(horizon=1).model
    return forecast_each(network, asked.panels, asked.requests, asked.levels)


class OwnProcess:
    """Reads passes in a separate process, one at a time.

    >>> passes = OwnProcess()
    >>> panel = Panel.from_arrays([3.0, 5.0, 4.0] * 8)
    >>> len(passes.read(Pass.of([panel], [LSTMForecaster(horizon=2)])))
    1
    >>> passes.close()
    """

    def __init__(self) -> None:
        self.worker = Worker(read_here)
        self.closed = False

    def read(self, asked: Pass) -> list[Forecast]:
        """The forecasts of a pass. Raises what `read_here` raises, and Problem if the process is
        lost or closed."""
        if self.closed:
            raise Problem(503, "The server is shutting down.")
        try:
            return self.worker.result(asked)
        except ProcessLost as error:
            raise Problem(
                503,
                "The process that makes forecasts ended before it answered, and is started again. "
                "Send fewer series if this happens repeatedly.",
                headers={"retry-after": "5"},
            ) from error

    def close(self) -> None:
        """End the process; no more passes are read."""
        self.closed = True
        self.worker.close()
