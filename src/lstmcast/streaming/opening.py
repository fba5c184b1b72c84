"""Starting a stream: its network, properties shared by all rows, and fitted transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context
from lstmcast.data.kinds import OPEN, UNASKED, recognise, require_kind
from lstmcast.data.panel import Panel
from lstmcast.data.table import Kind, checked_periods, require_choice
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.methods import AUTO
from lstmcast.fitted import Fitted
from lstmcast.forecast import NETWORK
from lstmcast.model.heads import Head, head_named
from lstmcast.model.inputs import FittedTransforms, Grid
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.training_config import require_torch
from lstmcast.util.config import checked_seed
from lstmcast.util.text import brief

# Lower bound of the forecasts of a row: none; 0 until a negative value is read; 0 as declared;
# none until a value of 0 is read.
ANYWHERE, SO_FAR, DECLARED, ABOVE = range(4)


class Forecaster(Protocol):
    """The part of `LSTMForecaster` that streams use."""

    @property
    def model(self) -> Fitted:
        """The fitted model; UsageError if it has no weights yet."""
        ...


def check_kinds(start: Any, seed: Any) -> None:
    """Raise UsageError for arguments of the wrong type."""
    if not isinstance(start, (Network, NetworkConfig)) and not hasattr(
        type(start), "model"
    ):
        raise UsageError(
            f"{brief(start)} cannot be streamed. Give a forecaster, a Network or a NetworkConfig."
        )
    method = getattr(getattr(start, "specification", None), "method", AUTO)
    if method not in (AUTO, NETWORK):
        raise UsageError(
            f"{method=}: a stream uses only the network. Give a forecaster with method='network', "
            "and use predict(data) for the other method."
        )
    checked_seed(seed)


def frequency_of(panel: Panel | None, frequency: str | Frequency) -> Frequency:
    """The frequency of the ticks; that of the panel takes precedence."""
    if panel is not None:
        return panel.frequency
    return frequency if isinstance(frequency, Frequency) else parse_frequency(frequency)


def grid_of(
    panel: Panel | None, frequency: str | Frequency, periods: int | Sequence[int] | None
) -> Grid:
    """Properties shared by all rows."""
    step = frequency_of(panel, frequency)
    if periods is not None:
        row_periods = checked_periods(periods)
    else:
        row_periods = step.seasonal_periods if panel is None else panel.periods
    return Grid(1, row_periods, step.family)


def opening_network(
    start: Forecaster | Network | NetworkConfig,
    head: Head | None,
    seed: int,
    learning: Learning | None,
) -> Network:
    """The initial network; UsageError if it cannot read ticks with these settings."""
    if isinstance(start, NetworkConfig):
        config = start
        network = None
    else:
        network = start if isinstance(start, Network) else start.model.network
        config = network.config
    if learning is not None:
        require_learnable(config)
    if network is not None:
        if head is not None:
            head_named(config.head, head)
        return network
    require_torch()
    from lstmcast.training.online import fresh_arrays

    return Network(
        config, [fresh_arrays(config, head_named(config.head, head), seed)], head
    )


def require_learnable(config: NetworkConfig) -> None:
    """UsageError for a network that cannot learn from a stream; MissingExtraError without
    PyTorch."""
    if config.inputs.from_context or config.steps != 1:
        raise UsageError(
            "A network that learns from a stream must forecast one step of transformed or running "
            f"inputs; this one has inputs={config.inputs!r} and horizon={config.horizon}. Use "
            "NetworkConfig(inputs=Running(), horizon=1), or learning=None."
        )
    require_torch()


def from_forecaster(start: Any) -> tuple[FittedTransforms | None, Context | None, bool]:
    """A forecaster's fitted transforms, its context rule, and whether it uses several rates."""
    if isinstance(start, (Network, NetworkConfig)):
        return None, None, True
    return start.model.inputs, start.model.context, start.model.knows_rates


def known_share_of(start: Any) -> float:
    """The share of the effects of future columns that a forecaster uses."""
    if isinstance(start, (Network, NetworkConfig)):
        return 1.0
    return start.model.known_share


def stops_of(
    start: Any, panel: Panel | None, kind: Kind | None
) -> tuple[int, NDArray | None]:
    """The lower bound of forecasts: for rows without history, and for a panel's series (S,).

    A declared kind takes precedence, then the panel, then the data of the forecaster. DataError for
    values of a panel that contradict the declaration.
    """
    if kind is not None:
        require_choice("kind", kind, get_args(Kind))
        common = ANYWHERE if kind == "real" else DECLARED
    else:
        known_panel = (
            panel if panel is not None and was_asked(panel) else remembered(start)
        )
        kind, common = (
            ("real", ANYWHERE)
            if known_panel is None
            else (known_panel.kind, _stop_of(known_panel))
        )
        if panel is not None and known_panel is panel and panel.recognised is not None:
            unlike = np.where(panel.recognised == OPEN, ABOVE, ANYWHERE)
            return common, np.where(panel.kinds == "real", unlike, SO_FAR)
    if panel is None:
        return common, None
    if common == DECLARED:
        require_kind(panel.values, kind)
    below = recognise(panel.values, panel.offsets) == "real"
    return common, np.where(below, ANYWHERE, common)


def may_read_roots(start: Any, panel: Panel | None, kind: Kind | None) -> bool:
    """Whether rows may use the square-root axis: not if values are declared to be real."""
    if kind is not None:
        return kind != "real"
    known_panel = panel if panel is not None and was_asked(panel) else remembered(start)
    return known_panel is None or not known_panel.declared_real


def require_allowed(values_RK: NDArray, stops_R: NDArray, ids_R: NDArray) -> None:
    """Raise DataError for a negative value in a row whose kind is declared."""
    is_negative_RK = (values_RK < 0) & (stops_R == DECLARED)[:, None]
    if is_negative_RK.any():
        row, column = np.argwhere(is_negative_RK)[0]
        raise DataError(
            f"Row {ids_R[row]!r} has {values_RK[row, column]:g}, but its values are declared not "
            "to be negative. Correct it, or make the stream with kind='real'."
        )


def stops_after(stops_R: NDArray, values_RK: NDArray) -> NDArray:
    """The bounds of rows (R,) after these values."""
    touched = (stops_R == ABOVE) & (values_RK == 0).any(axis=1)
    stops_R = np.where(touched, SO_FAR, stops_R)
    return np.where((values_RK < 0).any(axis=1), ANYWHERE, stops_R)


def stop_now(stops_R: NDArray) -> NDArray:
    """Which rows are bounded at 0 (R,)."""
    return (stops_R == SO_FAR) | (stops_R == DECLARED)


def was_asked(panel: Panel) -> bool:
    """Whether the kind of a panel's values was declared or inferred."""
    return panel.recognised is None or bool((panel.recognised != UNASKED).any())


def remembered(start: Any) -> Panel | None:
    """The data that a forecaster has saved."""
    context = getattr(start, "saved_context", None)
    return None if context is None else context.panel


def _stop_of(panel: Panel) -> int:
    if panel.kind == "real":
        return ANYWHERE
    return DECLARED if panel.recognised is None else SO_FAR


def require_readable(panel: Panel, network: Network) -> None:
    """Raise UsageError if the network cannot read the series of a panel as rows."""
    inputs = network.config.inputs
    covariates = panel.covariates
    covariates.require(inputs.past, panel.report.source)
    covariates.tell_unread(inputs.past)
    if inputs.columns > 1:
        raise UsageError(
            "The series of a Panel are rows of one column each, but this network reads "
            f"{inputs.columns} together. Name the rows, and observe their history tick by tick."
        )
