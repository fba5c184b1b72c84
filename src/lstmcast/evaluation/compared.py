"""The models of a backtest: the tested one, and those that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import (
    baseline_named,
    classical_baselines,
    default_baselines,
)
from lstmcast.evaluation.demand import demand_baselines, mostly_intermittent
from lstmcast.evaluation.plan import Forecasts
from lstmcast.util.text import brief


def require_known_baselines(baselines: Any) -> None:
    """Raise UsageError for invalid baselines, before any data are read."""
    if isinstance(baselines, bool) or baselines == "classical":
        return
    if isinstance(baselines, str) or not isinstance(baselines, Sequence):
        raise UsageError(
            f"baselines={brief(baselines)} is not known. Use True, False, 'classical', or a "
            "list of forecasters."
        )
    for baseline in baselines:
        if not callable(getattr(_made(baseline), "predict", None)):
            raise UsageError(
                f"baselines: {baseline!r} has no method predict. Give a list of forecasters, such "
                "as [SeasonalNaive()], or names of baselines, such as 'AutoETS'."
            )


def _made(baseline: Any) -> Any:
    """A baseline, which may be given by its name."""
    return baseline_named(baseline) if isinstance(baseline, str) else baseline


def models_by_name(
    model: Forecasts, baselines: bool | str | Sequence[Forecasts], panel: Panel
) -> dict[str, Forecasts]:
    """The tested model and the baselines, by unique names."""
    models = {_name(model): model}
    if isinstance(baselines, (bool, str)):
        for baseline in _built_in(baselines, panel):
            models.setdefault(_name(baseline), baseline)
        return models
    for baseline in map(_made, baselines):
        name = _name(baseline)
        number = 1
        while name in models:
            number += 1
            name = f"{_name(baseline)} ({number})"
        models[name] = baseline
    return models


def _name(model: Forecasts) -> str:
    return str(getattr(model, "name", type(model).__name__))


def _built_in(baselines: bool | str, panel: Panel) -> Sequence[Forecasts]:
    """The built-in baselines for a panel, with those of demand if its series are intermittent."""
    if not baselines:
        return ()
    simple = default_baselines()
    demand = demand_baselines() if mostly_intermittent(panel) else ()
    classical = classical_baselines() if baselines == "classical" else ()
    return (*simple, *demand, *classical)
