"""Jobs: what the commands do, as frozen requests and results; servers and schedules run the same.

A job reads, checks, works and writes its files. It neither prints nor ends the process: progress
goes to `notify` as events, results are in an object whose `document()` is the JSON of the command,
and failures raise one of `lstmcast.errors`. Modules that only some jobs need are imported where
they are used, each job when it is first requested: checking a file should not wait for the network
to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstmcast.jobs.anomalies import AnomalyJob, AnomalyResult
    from lstmcast.jobs.backtesting import BacktestJob, BacktestResult
    from lstmcast.jobs.checking import CheckJob, CheckResult
    from lstmcast.jobs.events import DataJoined, DataRead, NewerRead, Note, ignore
    from lstmcast.jobs.forecasting import ForecastJob, ForecastResult
    from lstmcast.jobs.importance import ImportanceJob, ImportanceResult
    from lstmcast.jobs.predicting import PredictJob, PredictResult
    from lstmcast.jobs.presets import PresetDone, PresetJob
    from lstmcast.jobs.repairing import Repairs
    from lstmcast.jobs.source import Source
    from lstmcast.jobs.training import FitJob, FitResult, check_fit_places
    from lstmcast.jobs.tuning import TuneDone, TuneJob

_NAMES = {
    "anomalies": ("AnomalyJob", "AnomalyResult"),
    "backtesting": ("BacktestJob", "BacktestResult"),
    "checking": ("CheckJob", "CheckResult"),
    "events": ("DataJoined", "DataRead", "NewerRead", "Note", "ignore"),
    "forecasting": ("ForecastJob", "ForecastResult"),
    "importance": ("ImportanceJob", "ImportanceResult"),
    "predicting": ("PredictJob", "PredictResult"),
    "presets": ("PresetDone", "PresetJob"),
    "repairing": ("Repairs",),
    "source": ("Source",),
    "training": ("FitJob", "FitResult", "check_fit_places"),
    "tuning": ("TuneDone", "TuneJob"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AnomalyJob",
    "AnomalyResult",
    "BacktestJob",
    "BacktestResult",
    "CheckJob",
    "CheckResult",
    "DataJoined",
    "DataRead",
    "FitJob",
    "FitResult",
    "ForecastJob",
    "ForecastResult",
    "ImportanceJob",
    "ImportanceResult",
    "NewerRead",
    "Note",
    "PredictJob",
    "PredictResult",
    "PresetDone",
    "PresetJob",
    "Repairs",
    "Source",
    "TuneDone",
    "TuneJob",
    "check_fit_places",
    "ignore",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value  # found without this function the next time
        return value
