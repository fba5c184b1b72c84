"""The models of a backtest: the one that is tested, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import classical_baselines, default_baselines
from lstmcast.evaluation.demand import demand_baselines, mostly_intermittent
from lstmcast.evaluation.refitting import Forecasts


def require_known_baselines(baselines: Any) -> None:
    """UsageError for what cannot be compared with, before any data are read."""
    if isinstance(baselines, bool) or baselines == "classical":
        return
    if isinstance(baselines, str) or not isinstance(baselines, Sequence):
        raise UsageError(
            f"{baselines=} is not known. Use True, False, 'classical', or a list of forecasters."
        )
    for other in baselines:
        if not callable(getattr(other, "predict", None)):
            raise UsageError(
                f"baselines: {other!r} has no method predict. Give a list of forecasters, such as "
                "[SeasonalNaive()]."
            )


def models_by_name(
    model: Forecasts, baselines: bool | str | Sequence[Forecasts], panel: Panel
) -> dict[str, Forecasts]:
    """The model that is tested, and what it is compared with, by names that tell them apart."""
    models = {_name(model): model}
    if isinstance(baselines, (bool, str)):
        for other in _built_in(baselines, panel):
            models.setdefault(_name(other), other)
        return models
    for other in baselines:
        name, number = _name(other), 1
        while name in models:
            number += 1
            name = f"{_name(other)} ({number})"
        models[name] = other
    return models


def _name(model: Forecasts) -> str:
    return str(getattr(model, "name", type(model).__name__))


def _built_in(chosen: bool | str, panel: Panel) -> Sequence[Forecasts]:
    """The baselines for a panel: those of demand too, where its series are intermittent."""
    if not chosen:
        return ()
    simple = default_baselines()
    demand = demand_baselines() if mostly_intermittent(panel) else ()
    classical = classical_baselines() if chosen == "classical" else ()
    return (*simple, *demand, *classical)
