"""Methods, and networks trained here, on the data of a result: forecasts and errors."""

# S series

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.summary import labelled
from lstmcast.forecaster import LSTMForecaster
from lstmcast.server.forecasts import loaded
from lstmcast.server.models import folder_of
from lstmcast.server.page.asked import Compare
from lstmcast.server.page.results import Kept
from lstmcast.server.page.shown import require_series
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.util.html import page_table
from lstmcast.util.language import Words
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.forecast import Forecast

CUTOFFS = 3  # cutoffs that are held out to compare methods
MODEL = "model:"  # prefix of models among the methods
TRAINED_ENDS = (
    "All are compared on the validation data of the training. These selected the best epoch of "
    "the trained network, so its error is slightly too low."
)
Document = dict[str, Any]
# methods that the page offers, with their labels
METHODS = {
    "auto": "combination",
    "network": "network alone",
    "best": "best single forecast",
    "seasonal naive": "seasonal naive",
    "naive": "naive",
    "linear map": "linear map",
}


@dataclass(frozen=True, eq=False)
class Method:
    """A forecaster and the name of its method.

    horizon: the number of steps that it forecasts. trained: whether it was trained on data.
    """

    model: LSTMForecaster
    name: str
    horizon: int
    trained: bool = False

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        /,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        """Forecast the steps after each series, or after its cutoffs."""
        return self.model.predict(panel, horizon, cutoffs=cutoffs)


def compared(
    stored: Kept,
    words: Words,
    options: Compare,
    models: Mapping[str, Path] | None = None,
) -> Document:
    """Forecasts of several methods, and their accuracy; names that begin with `model:` are models.
    Raises LstmcastError, Problem."""
    require_series(stored, options.series)
    panel = stored.result.panel
    first = stored.result.forecast
    names = list(dict.fromkeys(options.methods))
    methods = [_method(name, first.horizon, words, models or {}) for name in names]
    trained = [method for method in methods if method.trained]
    cutoffs = _held_back(trained, panel) if trained else CUTOFFS
    tested = backtest(methods[0], panel, cutoffs=cutoffs, baselines=methods[1:])
    summary = tested.summary()
    header, *rows = labelled(summary.overall(), words) if summary.scores else [[]]
    panel_of_one = panel.select([options.series])
    points = {
        method.name: plain_list(method.predict(panel_of_one, first.horizon).point[0])
        for method in methods
    }
    return {
        "points": points,
        "table": page_table(header, rows) if rows else "",
        "note": words(summary.reason) if summary.reason else "",
        "told": words(TRAINED_ENDS) if trained else "",
        "times": _times(first, options.series),
    }


def _method(
    name: str, horizon: int, words: Words, models: Mapping[str, Path]
) -> Method:
    """A method by its name. Raises Problem, UsageError."""
    if not name.startswith(MODEL):
        model = LSTMForecaster(horizon, method=name)
        return Method(model, words(METHODS.get(name, name)), horizon)
    model_name = name.removeprefix(MODEL)
    model = loaded(model_name, folder_of(models, model_name))
    has_learned = model.record is not None
    return Method(model, model_name, min(horizon, model.horizon), has_learned)


def _held_back(trained: Sequence[Method], panel: Panel) -> np.ndarray:
    """A cutoff of each series (S, 1) after which no network was trained. Raises Problem."""
    ends_S = np.zeros(len(panel), np.int64)
    for method in trained:
        record = method.model.model.record
        assert record is not None  # it was trained
        if list(record.ids) != list(panel.ids):
            raise Problem(
                UNUSABLE,
                f"The network {method.name!r} was trained on other series. Forecast the data that "
                "it was trained on, and compare then.",
                "methods",
            )
        ends = method.model.model.held_back_from(panel)
        if ends is None:
            detail = (
                f"The network {method.name!r} has no validation data for a comparison."
            )
            raise Problem(UNUSABLE, detail, "methods")
        ends_S = np.maximum(ends_S, ends)
    return ends_S[:, None]


def _times(forecast: Forecast, series: str) -> list[str]:
    origin = list(map(str, forecast.ids)).index(series)
    return list(map(format_time, forecast.times[origin]))
