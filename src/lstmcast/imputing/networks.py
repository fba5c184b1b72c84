"""The network that estimates values."""

from __future__ import annotations

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.fitted import Fitted
from lstmcast.forecaster import LSTMForecaster


def network_for(panel: Panel, model: LSTMForecaster | None) -> Fitted:
    """The network that reads a panel, by default the shipped one.

    Raises UsageError if the model has no network, if it reads several columns together, or if the
    panel lacks covariates that it needs.
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
