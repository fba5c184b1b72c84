"""The benefit of future columns: errors with all of them, without any, and without each.

S series · K cutoffs · O origins · H horizon
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.evaluation.metrics import Scales
from lstmcast.evaluation.plan import Plan
from lstmcast.evaluation.scores import Scored, errors_of
from lstmcast.forecast import Forecast
from lstmcast.updating import remembering
from lstmcast.util.text import number

MOST_COLUMNS, MOST_VALUES = 8, 10_000  # largest number of columns left out one by one


@dataclass(frozen=True)
class Added:
    """Errors with and without future columns.

    `measure`: error measure; `with_all`, `without_any`: errors over all origins; `without_each`:
    errors by column left out.
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
            f"with the columns known in advance ({names}), the {self.measure} is "
            f"{number(self.with_all)}, without them {number(self.without_any)}"
        )
        if not self.without_each:
            return text
        names_by_error = sorted(
            self.without_each, key=self.without_each.__getitem__, reverse=True
        )
        errors = [
            f"{name} {number(self.without_each[name])}" for name in names_by_error
        ]
        return f"{text}; left out alone: {', '.join(errors)}"


def gain_of(
    model: Any,
    plan: Plan,
    with_all: Forecast,
    actual: np.ndarray,
    scales: Scales,
    rows: np.ndarray | None,
) -> Added:
    """The benefit of future columns in a backtest; None if the model reads none.

    Args:
        model: the model, which is not fitted again.
        plan: the plan of the backtest.
        with_all: its forecasts with all columns, of the steps that occur.
        actual: actual values (O, H).
        scales: divisors of the errors.
        rows: which steps of the grid occur (O, H); None for all.
    """
    if not plan.panel.covariates.future or not getattr(model, "reads_future", False):
        return Added()

    def errors(forecasts: Mapping[str, Forecast]) -> tuple[str, dict[str, float]]:
        on_rows = {}
        for label, forecast in forecasts.items():
            if rows is not None and forecast is not with_all:
                forecast = forecast.at_steps(rows)
            on_rows[label] = forecast
        return errors_of(Scored(on_rows, actual, scales))

    steps = plan.horizon, plan.asked
    return what_columns_add(model, plan.panel, steps, with_all, errors)


def what_columns_add(
    model: Any,
    panel: Panel,
    steps: tuple[int, np.ndarray],
    with_all: Forecast,
    errors: Callable[[Mapping[str, Forecast]], tuple[str, dict[str, float]]],
) -> Added:
    """The errors of a model, without fitting it again, with columns left out.

    Args:
        model: the model, which forecasts again without them. panel: the series. steps: the horizon,
        and the cutoffs (S, K). with_all: its forecasts with all columns. errors: the name of the
        error measure, and a function from forecasts by name to errors by name.
    """
    future = panel.covariates.future
    names = tuple(future.columns)
    horizon, cutoffs = steps

    def without(left_out: Iterable[str]) -> Forecast:
        remaining = [name for name in names if name not in left_out]
        reader = _knowing(model, remaining)
        reduced = _with_future(panel, remaining)
        return reader.predict(reduced, horizon, cutoffs=cutoffs)

    forecasts = {"": with_all, "all": without(names)}
    is_small = 1 < len(names) <= MOST_COLUMNS and len(panel.values) <= MOST_VALUES
    columns = names if is_small else ()
    for name in columns:
        forecasts[f"without {name}"] = without([name])
    measure, error_of = errors(forecasts)
    without_each = {name: error_of[f"without {name}"] for name in columns}
    return Added(names, measure, error_of[""], error_of["all"], without_each)


def _with_future(panel: Panel, names: Iterable[str]) -> Panel:
    """A panel with only these future columns."""
    future = panel.covariates.future.only(names)
    covariates = replace(panel.covariates, future=future)
    return replace(panel, covariates=covariates)


def _knowing(model: Any, names: Iterable[str]) -> Any:
    """The model without a saved context, which would require coming values of other columns."""
    context = getattr(model, "saved_context", None)
    if context is None:
        return model
    return remembering(model, _with_future(context.panel, names))
