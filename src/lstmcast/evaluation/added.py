"""What columns that are known in advance add to a forecast: its error with all of them, without
any, and without each.

S series · K cutoffs · O origins · H horizon
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.evaluation.metrics import Scales
from lstmcast.evaluation.refitting import Plan
from lstmcast.evaluation.summary import Scored, errors_of
from lstmcast.forecast import Forecast
from lstmcast.updating import remembering
from lstmcast.util.text import number

MOST_COLUMNS, MOST_VALUES = 8, 10_000  # that are left out one by one, of data that are not large


@dataclass(frozen=True)
class Added:
    """Errors by which columns were left out.

    `measure`: which error; `with_all`, `without_any`: of all origins; `without_each`: by column.
    """

    columns: tuple[str, ...] = ()
    measure: str = ""
    with_all: float = np.nan
    without_any: float = np.nan
    without_each: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.columns)

    def __str__(self) -> str:
        names = ", ".join(self.columns)
        text = (
            f"with what is known in advance ({names}) the {self.measure} is "
            f"{number(self.with_all)}, without it {number(self.without_any)}"
        )
        if not self.without_each:
            return text
        largest = sorted(self.without_each.items(), key=lambda one: -one[1])
        parts = ", ".join(f"{name} {number(error)}" for name, error in largest)
        return f"{text}; left out alone: {parts}"


def gain_of(
    model: Any,
    plan: Plan,
    with_all: Forecast,
    actual: np.ndarray,
    scales: Scales,
    rows: np.ndarray | None,
) -> Added:
    """What known columns add to the forecasts of a backtest; nothing where the model reads none.

    Args:
        model: what is tested, as it is.
        plan: the backtest.
        with_all: its forecasts with all columns, of the steps that occur.
        actual: what came (O, H).
        scales: what errors are divided by.
        rows: which steps of the grid occur (O, H), all for None.
    """
    if not plan.panel.covariates.future or not getattr(model, "reads_future", False):
        return Added()

    def errors(others: Mapping[str, Forecast]) -> tuple[str, dict[str, float]]:
        chosen = {}
        for label, forecast in others.items():
            if rows is not None and forecast is not with_all:
                forecast = forecast.at_steps(rows)
            chosen[label] = forecast
        return errors_of(Scored(chosen, actual, scales))

    asked = plan.horizon, plan.asked
    return what_columns_add(model, plan.panel, asked, with_all, errors)


def what_columns_add(
    model: Any,
    panel: Panel,
    asked: tuple[int, np.ndarray],
    with_all: Forecast,
    errors: Callable[[Mapping[str, Forecast]], tuple[str, dict[str, float]]],
) -> Added:
    """The errors of a model that is used as it is, with columns left out.

    Args:
        model: what is tested; it forecasts again without them.
        panel: the series.
        asked: the horizon, and the cutoffs (S, K).
        with_all: its forecasts with all columns.
        errors: which error is measured, and that of each of some forecasts by name.
    """
    future = panel.covariates.future
    names = tuple(future.columns)
    horizon, cutoffs = asked

    def without(left_out: Iterable[str]) -> Forecast:
        kept = [name for name in names if name not in left_out]
        return _knowing(model, kept).predict(_with_future(panel, kept), horizon, cutoffs=cutoffs)

    forecasts = {"": with_all, "all": without(names)}
    few = 1 < len(names) <= MOST_COLUMNS and len(panel.values) <= MOST_VALUES
    each = {f"without {name}": without([name]) for name in names} if few else {}
    measure, found = errors(forecasts | each)
    alone = {name: found[f"without {name}"] for name in names} if few else {}
    return Added(names, measure, found[""], found["all"], alone)


def _with_future(panel: Panel, names: Iterable[str]) -> Panel:
    """A panel of which only these columns are known in advance."""
    kept = panel.covariates.future.only(names)
    return replace(panel, covariates=replace(panel.covariates, future=kept))


def _knowing(model: Any, names: Iterable[str]) -> Any:
    """A model that remembers no other columns: it would ask for their coming values."""
    context = getattr(model, "saved_context", None)
    if context is None:
        return model
    return remembering(model, _with_future(context.panel, names))
