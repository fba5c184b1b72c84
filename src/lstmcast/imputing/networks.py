"""The network that says what is expected of values."""

from __future__ import annotations

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.fitted import Fitted
from lstmcast.forecaster import LSTMForecaster


def network_for(panel: Panel, model: LSTMForecaster | None) -> Fitted:
    """What reads a panel: the shipped network unless given.

    UsageError for what is no network, for one of several columns, or columns beside the target that
    the panel lacks.
    """
    if not isinstance(model, LSTMForecaster | None):
        raise UsageError(
            f"model={model!r} has no network. Give an LSTMForecaster, or leave out model= for the "
            "shipped network."
        )
    fitted = (model or LSTMForecaster(horizon=1)).model
    columns = fitted.network.config.inputs.columns
    if columns > 1:
        raise UsageError(
            f"The network reads {columns} columns together, but values are repaired series by "
            "series. Use a network that reads one column."
        )
    panel.covariates.require(fitted.network.config.inputs.past, panel.report.source)
    return fitted
