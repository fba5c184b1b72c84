"""The panel and the network of what is done for each series on its own."""

from __future__ import annotations

from typing import Any

from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.errors import UsageError
from lstmcast.fitted import Fitted
from lstmcast.forecaster import LSTMForecaster
from lstmcast.util.text import brief


def panel_and_network(
    data: Any, model: LSTMForecaster | None, purpose: str
) -> tuple[Panel, Fitted]:
    """The data as a panel, and the network that reads it: the shipped one unless given.

    UsageError for a model without a network, or whose network reads several columns together, which
    does not fit the `purpose`; DataError for columns beside the target that the panel lacks.
    """
    if not isinstance(model, LSTMForecaster | None):
        raise UsageError(
            f"model={brief(model)} has no network. Give an LSTMForecaster, or leave out model= "
            "for the shipped network."
        )
    panel = data if isinstance(data, Panel) else read(data)
    fitted = (model or LSTMForecaster(horizon=1)).model
    columns = fitted.network.config.inputs.columns
    if columns > 1:
        raise UsageError(
            f"The network reads {columns} columns together, but {purpose}. Use a network that "
            "reads one column."
        )
    panel.covariates.require(fitted.network.config.inputs.past, panel.report.source)
    return panel, fitted
