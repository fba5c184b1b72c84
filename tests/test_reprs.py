"""What results look like at the prompt: small and readable, without arrays."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.examples import airline
from lstmcast.evaluation.importance import Importance, Permuted
from lstmcast.forecast_parts import Interval
from lstmcast.training_history import Epoch, History


@pytest.fixture(scope="module")
def panel():
    return airline()


@pytest.fixture(scope="module")
def forecast(panel):
    return lc.LSTMForecaster(3).predict(panel)


def test_an_interval_shows_its_size_and_its_first_bounds():
    bounds = np.array([[1.0, 2.0], [3.0, 4.0]])
    interval = Interval(80, bounds, bounds + 0.5)
    assert repr(interval) == "Interval(80%, 2 origins, horizon 2, first 1.000 … 1.500)"
    empty = Interval(95.5, bounds[:0], bounds[:0])
    assert repr(empty) == "Interval(95.5%, 0 origins, horizon 2)"


def test_an_interval_is_still_a_tuple(forecast):
    level, lower, upper = forecast.interval(80)
    assert level == 80 and (lower < upper).all()


def test_a_combination_shows_its_shares(forecast):
    assert repr(forecast.combination) == f"Combination({forecast.combination})"


def test_plots_show_what_they_plot(forecast, panel):
    components = lc.ComponentsPlot.from_forecast(forecast, panel)
    parts = "level, season of one year, remainder"
    values = "144 values and 3 forecast steps"
    assert repr(components) == f"ComponentsPlot('y', {parts}, {values})"
    plot = lc.ForecastPlot.from_forecast(forecast, panel)
    assert repr(plot) == "ForecastPlot('y', 1 of 1 series, 3 months ahead)"
    report = lc.Report.from_forecast(forecast, panel)
    assert repr(report) == f"Report({plot!r})"


def test_training_and_importance_show_their_numbers():
    history = History((Epoch(0, 1, 1, 1.0, 0.5, 1e-3, 0.1, True),))
    curve = lc.LearningCurve.from_history(history)
    assert repr(curve) == "LearningCurve(1 member, 1 epoch)"
    parts = (Permuted("visits", "past column", 2.0, 100.0, 90.0, 110.0),)
    measured = Importance(parts, "MASE", 1.0, 3, 2, 10)
    assert repr(measured) == "Importance(1 part, MASE 1.000, 3 cutoffs, 2 series)"
    plot = lc.ImportancePlot.from_importance(measured)
    assert repr(plot) == "ImportancePlot(1 part)"
