"""Forecast time series with LSTM networks: from one small CSV to a forecast in a second.

>>> import lstmcast as lc
>>> panel = lc.Panel.from_arrays([3.0, 5.0, 4.0, 6.0], frequency="MS", start="2024-01")
>>> panel
Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lstmcast._version import __version__ as __version__

if TYPE_CHECKING:
    from lstmcast import duckdb as duckdb
    from lstmcast import ray as ray
    from lstmcast.alerting import Anomalies as Anomalies
    from lstmcast.alerting import anomalies as anomalies
    from lstmcast.chunks.run import forecast_in_parts as forecast_in_parts
    from lstmcast.covariates.curves import effect_curves as effect_curves
    from lstmcast.data.inspection import check as check
    from lstmcast.data.panel import Columns as Columns
    from lstmcast.data.panel import Finding as Finding
    from lstmcast.data.panel import Findings as Findings
    from lstmcast.data.panel import Panel as Panel
    from lstmcast.data.panel import ReadOptions as ReadOptions
    from lstmcast.data.read import read as read
    from lstmcast.databases.address import DatabaseTable as DatabaseTable
    from lstmcast.errors import DataError as DataError
    from lstmcast.errors import LstmcastError as LstmcastError
    from lstmcast.errors import MissingExtraError as MissingExtraError
    from lstmcast.errors import ModelError as ModelError
    from lstmcast.errors import OutputError as OutputError
    from lstmcast.errors import UsageError as UsageError
    from lstmcast.evaluation.anomalies import Alerts as Alerts
    from lstmcast.evaluation.backtest import Backtest as Backtest
    from lstmcast.evaluation.backtest import backtest as backtest
    from lstmcast.evaluation.baselines import Classical as Classical
    from lstmcast.evaluation.baselines import HoltWinters as HoltWinters
    from lstmcast.evaluation.baselines import Naive as Naive
    from lstmcast.evaluation.baselines import SeasonalNaive as SeasonalNaive
    from lstmcast.evaluation.baselines import SeasonalNaiveDrift as SeasonalNaiveDrift
    from lstmcast.evaluation.by_horizon import errors_by_horizon as errors_by_horizon
    from lstmcast.evaluation.conformal import Conformal as Conformal
    from lstmcast.evaluation.demand import SBA as SBA
    from lstmcast.evaluation.demand import TSB as TSB
    from lstmcast.evaluation.demand import Croston as Croston
    from lstmcast.evaluation.demand import DemandBootstrap as DemandBootstrap
    from lstmcast.evaluation.importance import Importance as Importance
    from lstmcast.evaluation.importance import importance as importance
    from lstmcast.export.onnx import to_onnx as to_onnx
    from lstmcast.forecast import Forecast as Forecast
    from lstmcast.forecaster import LSTMForecaster as LSTMForecaster
    from lstmcast.hierarchy.levels import with_totals as with_totals
    from lstmcast.hierarchy.reconciled import Reconciled as Reconciled
    from lstmcast.hierarchy.reconciled import reconcile as reconcile
    from lstmcast.imputing import Imputed as Imputed
    from lstmcast.imputing import impute as impute
    from lstmcast.imputing import mask_outliers as mask_outliers
    from lstmcast.interop.keras import from_keras as from_keras
    from lstmcast.interop.keras import to_keras as to_keras
    from lstmcast.interop.pytorch import from_pytorch as from_pytorch
    from lstmcast.interop.pytorch import to_pytorch as to_pytorch
    from lstmcast.loading import load as load
    from lstmcast.model.inputs import Adaptive as Adaptive
    from lstmcast.model.inputs import Running as Running
    from lstmcast.model.inputs import Transformed as Transformed
    from lstmcast.model.lstm import Cell as Cell
    from lstmcast.model.network import Network as Network
    from lstmcast.model.network import NetworkConfig as NetworkConfig
    from lstmcast.model.summary import summary as summary
    from lstmcast.output.components import ComponentsPlot as ComponentsPlot
    from lstmcast.output.importance import ImportancePlot as ImportancePlot
    from lstmcast.output.learning_curve import LearningCurve as LearningCurve
    from lstmcast.output.plots import ForecastPlot as ForecastPlot
    from lstmcast.output.report import Report as Report
    from lstmcast.presets import PresetResult as PresetResult
    from lstmcast.presets import fit_preset as fit_preset
    from lstmcast.scenarios import Scenarios as Scenarios
    from lstmcast.scenarios import compare_scenarios as compare_scenarios
    from lstmcast.streaming.learning import Learning as Learning
    from lstmcast.streaming.online import Online as Online
    from lstmcast.streaming.stream import Stream as Stream
    from lstmcast.totals import Totals as Totals
    from lstmcast.training.callbacks import PrintTable as PrintTable
    from lstmcast.training.callbacks import ProgressLine as ProgressLine
    from lstmcast.training.callbacks import SaveBest as SaveBest
    from lstmcast.training.callbacks import SaveEvery as SaveEvery
    from lstmcast.training.callbacks import TensorBoard as TensorBoard
    from lstmcast.training_config import SWA as SWA
    from lstmcast.training_config import Ema as Ema
    from lstmcast.training_config import Initialiser as Initialiser
    from lstmcast.training_config import Loss as Loss
    from lstmcast.training_config import Optimiser as Optimiser
    from lstmcast.training_config import Rollout as Rollout
    from lstmcast.training_config import Schedule as Schedule
    from lstmcast.training_config import Stateful as Stateful
    from lstmcast.training_config import TrainingConfig as TrainingConfig
    from lstmcast.training_config import Validation as Validation
    from lstmcast.training_config import WholeSequence as WholeSequence
    from lstmcast.training_config import Windows as Windows
    from lstmcast.training_history import History as History
    from lstmcast.transforms import BoxCox as BoxCox
    from lstmcast.transforms import Chain as Chain
    from lstmcast.transforms import Difference as Difference
    from lstmcast.transforms import Log1p as Log1p
    from lstmcast.transforms import Logit as Logit
    from lstmcast.transforms import MeanAbs as MeanAbs
    from lstmcast.transforms import MinMax as MinMax
    from lstmcast.transforms import Robust as Robust
    from lstmcast.transforms import Standard as Standard
    from lstmcast.transforms import Transforms as Transforms
    from lstmcast.tuning.result import Tuned as Tuned
    from lstmcast.tuning.search import tune as tune

# The module of each public name. A module is imported when one of its names is first used, so that
# `import lstmcast` and commands that need little stay fast.
_HOMES = {
    "Adaptive": "model.inputs",
    "Alerts": "evaluation.anomalies",
    "Anomalies": "alerting",
    "Backtest": "evaluation.backtest",
    "BoxCox": "transforms",
    "Cell": "model.lstm",
    "Chain": "transforms",
    "Classical": "evaluation.baselines",
    "Columns": "data.panel",
    "ComponentsPlot": "output.components",
    "Conformal": "evaluation.conformal",
    "Scenarios": "scenarios",
    "compare_scenarios": "scenarios",
    "effect_curves": "covariates.curves",
    "Croston": "evaluation.demand",
    "forecast_in_parts": "chunks.run",
    "DataError": "errors",
    "DatabaseTable": "databases.address",
    "DemandBootstrap": "evaluation.demand",
    "Difference": "transforms",
    "Ema": "training_config",
    "Finding": "data.panel",
    "Findings": "data.panel",
    "Forecast": "forecast",
    "ForecastPlot": "output.plots",
    "History": "training_history",
    "HoltWinters": "evaluation.baselines",
    "Importance": "evaluation.importance",
    "ImportancePlot": "output.importance",
    "Imputed": "imputing",
    "Initialiser": "training_config",
    "LSTMForecaster": "forecaster",
    "Learning": "streaming.learning",
    "LearningCurve": "output.learning_curve",
    "Log1p": "transforms",
    "Logit": "transforms",
    "Loss": "training_config",
    "LstmcastError": "errors",
    "MeanAbs": "transforms",
    "MinMax": "transforms",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "Naive": "evaluation.baselines",
    "Network": "model.network",
    "NetworkConfig": "model.network",
    "Online": "streaming.online",
    "Optimiser": "training_config",
    "OutputError": "errors",
    "Panel": "data.panel",
    "PresetResult": "presets",
    "PrintTable": "training.callbacks",
    "ProgressLine": "training.callbacks",
    "ReadOptions": "data.panel",
    "Reconciled": "hierarchy.reconciled",
    "Report": "output.report",
    "Robust": "transforms",
    "Rollout": "training_config",
    "Running": "model.inputs",
    "SBA": "evaluation.demand",
    "SWA": "training_config",
    "SaveBest": "training.callbacks",
    "SaveEvery": "training.callbacks",
    "Schedule": "training_config",
    "Standard": "transforms",
    "SeasonalNaive": "evaluation.baselines",
    "SeasonalNaiveDrift": "evaluation.baselines",
    "Stateful": "training_config",
    "Stream": "streaming.stream",
    "TSB": "evaluation.demand",
    "TensorBoard": "training.callbacks",
    "Totals": "totals",
    "TrainingConfig": "training_config",
    "Transformed": "model.inputs",
    "Transforms": "transforms",
    "Tuned": "tuning.result",
    "UsageError": "errors",
    "Validation": "training_config",
    "WholeSequence": "training_config",
    "Windows": "training_config",
    "anomalies": "alerting",
    "backtest": "evaluation.backtest",
    "check": "data.inspection",
    "errors_by_horizon": "evaluation.by_horizon",
    "fit_preset": "presets",
    "from_keras": "interop.keras",
    "from_pytorch": "interop.pytorch",
    "importance": "evaluation.importance",
    "impute": "imputing",
    "load": "loading",
    "mask_outliers": "imputing",
    "read": "data.read",
    "reconcile": "hierarchy.reconciled",
    "summary": "model.summary",
    "to_keras": "interop.keras",
    "to_onnx": "export.onnx",
    "to_pytorch": "interop.pytorch",
    "tune": "tuning.search",
    "with_totals": "hierarchy.levels",
}

__all__ = [
    "SBA",
    "SWA",
    "TSB",
    "Adaptive",
    "Alerts",
    "Anomalies",
    "Backtest",
    "BoxCox",
    "Cell",
    "Chain",
    "Classical",
    "Columns",
    "ComponentsPlot",
    "Conformal",
    "Croston",
    "DataError",
    "DatabaseTable",
    "DemandBootstrap",
    "Difference",
    "Ema",
    "Finding",
    "Findings",
    "Forecast",
    "ForecastPlot",
    "History",
    "HoltWinters",
    "Importance",
    "ImportancePlot",
    "Imputed",
    "Initialiser",
    "LSTMForecaster",
    "Learning",
    "LearningCurve",
    "Log1p",
    "Logit",
    "Loss",
    "LstmcastError",
    "MeanAbs",
    "MinMax",
    "MissingExtraError",
    "ModelError",
    "Naive",
    "Network",
    "NetworkConfig",
    "Online",
    "Optimiser",
    "OutputError",
    "Panel",
    "PresetResult",
    "PrintTable",
    "ProgressLine",
    "ReadOptions",
    "Reconciled",
    "Report",
    "Robust",
    "Rollout",
    "Running",
    "SaveBest",
    "SaveEvery",
    "Scenarios",
    "Schedule",
    "SeasonalNaive",
    "SeasonalNaiveDrift",
    "Standard",
    "Stateful",
    "Stream",
    "TensorBoard",
    "Totals",
    "TrainingConfig",
    "Transformed",
    "Transforms",
    "Tuned",
    "UsageError",
    "Validation",
    "WholeSequence",
    "Windows",
    "anomalies",
    "backtest",
    "check",
    "compare_scenarios",
    "effect_curves",
    "errors_by_horizon",
    "fit_preset",
    "forecast_in_parts",
    "from_keras",
    "from_pytorch",
    "importance",
    "impute",
    "load",
    "mask_outliers",
    "read",
    "reconcile",
    "summary",
    "to_keras",
    "to_onnx",
    "to_pytorch",
    "tune",
    "with_totals",
]


# Modules that are public themselves: those that need an extra.
_MODULES = ("duckdb", "ray")
# Former names, and the names that replaced them.
_RENAMED = {"Snapshots": "SWA"}


# Type checkers know the names above and should report any other.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _RENAMED:
            from warnings import warn

            new_name = _RENAMED[name]
            warn(
                f"lstmcast.{name} is now called {new_name}.",
                DeprecationWarning,
                stacklevel=2,
            )
            return __getattr__(new_name)
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            from lstmcast.util.spelling import did_you_mean

            meant = did_you_mean(name, __all__, str)
            message = f"module {__name__!r} has no attribute {name!r}.{meant}"
            raise AttributeError(message.removesuffix("."))
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value  # found without this function the next time
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
