"""What a stream begins with: its network, what is known of all rows, what was learned before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from lstmcast.context import Context
from lstmcast.data.frequency import Frequency, parse_frequency
from lstmcast.data.panel import Panel
from lstmcast.data.table import checked_periods
from lstmcast.errors import UsageError
from lstmcast.fitted import Fitted
from lstmcast.model.heads import Head, head_named
from lstmcast.model.inputs import FittedTransforms, Grid
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.training_config import require_torch
from lstmcast.util.config import checked_seed


class Forecaster(Protocol):
    """What is used of an `LSTMForecaster`."""

    @property
    def model(self) -> Fitted:
        """What it forecasts with; UsageError where it has no weights yet."""
        ...


def check_kinds(start: Any, learning: Any, seed: Any) -> None:
    """UsageError for an argument of another kind than is expected."""
    if not isinstance(start, (Network, NetworkConfig)) and not hasattr(type(start), "model"):
        raise UsageError(
            f"{start!r} cannot be streamed. Give a forecaster, a Network or a NetworkConfig."
        )
    if learning is not None and not isinstance(learning, Learning):
        raise UsageError(
            f"{learning=} does not say how to learn. Give Learning(…), or None to learn nothing."
        )
    checked_seed(seed)


def grid_of(
    panel: Panel | None, frequency: str | Frequency, periods: int | Sequence[int] | None
) -> Grid:
    """What is known of all rows."""
    if panel is not None:
        step, usual = panel.frequency, panel.periods
    else:
        step = frequency if isinstance(frequency, Frequency) else parse_frequency(frequency)
        usual = step.seasonal_periods
    return Grid(1, usual if periods is None else checked_periods(periods), step.family)


def opening_network(
    start: Forecaster | Network | NetworkConfig,
    head: Head | None,
    seed: int,
    learning: Learning | None,
) -> Network:
    """The network to begin with; UsageError where it cannot read ticks as asked."""
    if isinstance(start, NetworkConfig):
        config, network = start, None
    else:
        network = start if isinstance(start, Network) else start.model.network
        config = network.config
    if learning is not None and (config.inputs.from_context or config.steps != 1):
        raise UsageError(
            "A network that learns from a stream answers one step of transformed or running "
            f"inputs; this one has inputs={config.inputs!r} and horizon={config.horizon}. Use "
            "NetworkConfig(inputs=Running(), horizon=1), or learning=None."
        )
    if network is not None:
        if head is not None:
            head_named(config.head, head)
        return network
    require_torch()
    from lstmcast.training.online import fresh_arrays

    return Network(config, [fresh_arrays(config, head_named(config.head, head), seed)], head)


def from_forecaster(start: Any) -> tuple[FittedTransforms | None, Context | None]:
    """What its transforms learned, and what its forecasts read."""
    if isinstance(start, (Network, NetworkConfig)):
        return None, None
    return start.model.inputs, start.model.context
