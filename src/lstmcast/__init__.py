"""Forecast time series with LSTM networks: from one small CSV to an honest forecast in a second.

>>> import lstmcast as lc
>>> panel = lc.Panel.from_arrays([3.0, 5.0, 4.0, 6.0], frequency="MS", start="2024-01")
>>> panel
Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lstmcast.data.inspection import check as check
    from lstmcast.data.panel import Columns as Columns
    from lstmcast.data.panel import Finding as Finding
    from lstmcast.data.panel import Findings as Findings
    from lstmcast.data.panel import Panel as Panel
    from lstmcast.data.panel import ReadOptions as ReadOptions
    from lstmcast.data.readers import read as read
    from lstmcast.errors import DataError as DataError
    from lstmcast.errors import LstmcastError as LstmcastError
    from lstmcast.errors import MissingExtraError as MissingExtraError
    from lstmcast.errors import ModelError as ModelError
    from lstmcast.errors import OutputError as OutputError
    from lstmcast.errors import UsageError as UsageError
    from lstmcast.evaluation.backtest import Backtest as Backtest
    from lstmcast.evaluation.backtest import backtest as backtest
    from lstmcast.forecast import Forecast as Forecast
    from lstmcast.forecaster import LSTMForecaster as LSTMForecaster
    from lstmcast.forecaster import load as load
    from lstmcast.plots import ForecastPlot as ForecastPlot
    from lstmcast.report import Report as Report

# Where each public name lives. A module is imported when one of its names is first asked for, so that
# `import lstmcast` and a command that needs little stay fast.
_HOMES = {
    "Backtest": "evaluation.backtest",
    "Columns": "data.panel",
    "DataError": "errors",
    "Finding": "data.panel",
    "Findings": "data.panel",
    "Forecast": "forecast",
    "ForecastPlot": "plots",
    "LSTMForecaster": "forecaster",
    "LstmcastError": "errors",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Panel": "data.panel",
    "ReadOptions": "data.panel",
    "Report": "report",
    "UsageError": "errors",
    "backtest": "evaluation.backtest",
    "check": "data.inspection",
    "load": "forecaster",
    "read": "data.readers",
}

__all__ = [
    "Backtest",
    "Columns",
    "DataError",
    "Finding",
    "Findings",
    "Forecast",
    "ForecastPlot",
    "LSTMForecaster",
    "LstmcastError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "Panel",
    "ReadOptions",
    "Report",
    "UsageError",
    "backtest",
    "check",
    "load",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
