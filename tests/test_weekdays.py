"""Weekdays that never sell are forecast as 0, whatever reads: predictions, backtests, streams."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.decoding.weekdays import FEWEST, never_sold
from lstmcast.streaming.stream import Stream

SUNDAY = 6  # the series begin on a Monday


def sold(mean: float, days: int = 180, closed: int = SUNDAY, seed: int = 0):
    """Pieces a day of a shop that is closed on one day of the week."""
    pieces = np.random.default_rng(seed).poisson(mean, days).astype(float)
    pieces[closed::7] = 0
    return pieces


def panel_of(values, start: str = "2024-01-01") -> lc.Panel:
    days = np.datetime64(start) + np.arange(len(values))
    return lc.read({"ds": days, "sales": values}, calendar="all")


def on(day: int, count: int, horizon: int):
    """Which of the steps after so many days are this day of the week."""
    return (count + np.arange(horizon)) % 7 == day


@pytest.mark.parametrize("method", ["auto", "network"])
@pytest.mark.parametrize("mean", [0.8, 20.0, 300.4])
def test_nothing_is_forecast_for_a_day_that_never_sells(method, mean):
    values = sold(mean) * (1 if mean < 100 else 1.37)
    forecast = lc.LSTMForecaster(14, method=method).predict(panel_of(values))
    is_closed_H = on(SUNDAY, 180, 14)
    assert (forecast.quantiles[0, is_closed_H] == 0).all()
    assert (forecast.quantiles[0, ~is_closed_H, -1] > 0).all()
    assert (forecast.paths()[0][:, is_closed_H] == 0).all()


def test_a_product_that_seldom_sells_at_all_may_sell_on_any_day():
    forecast = lc.LSTMForecaster(14).predict(panel_of(sold(0.1)))
    assert (forecast.quantiles[0, on(SUNDAY, 180, 14), -1] > 0).all()


def test_one_sale_ends_it():
    values = sold(20)
    values[-7 + np.flatnonzero(on(SUNDAY, 180 - 7, 7))[0]] = 3
    forecast = lc.LSTMForecaster(14).predict(panel_of(values))
    assert (forecast.quantiles[0, on(SUNDAY, 180, 14), -1] > 0).all()


def test_what_may_be_below_zero_is_not_closed():
    forecast = lc.LSTMForecaster(14).predict(
        lc.Panel.from_arrays(sold(20), frequency="D", start="2024-01-01", kind="real")
    )
    assert (forecast.quantiles[0, on(SUNDAY, 180, 14), -1] > 0).all()


def test_few_weeks_say_nothing():
    """Nor do missing values."""
    values_1T = sold(20, 7 * FEWEST)[None]
    assert never_sold(values_1T, 7).tolist() == [[False] * 6 + [True]]
    values_1T[0, SUNDAY] = np.nan
    assert not never_sold(values_1T, 7).any()


def test_a_cutoff_knows_only_what_came_before_it():
    """A day that sells later is closed until then, in one pass as at each cutoff alone."""
    values = sold(8, 210)
    values[150 + SUNDAY - 150 % 7 :: 7] = 5
    panel = panel_of(values)
    cutoffs = np.array([[60, 140, 203]])
    model = lc.LSTMForecaster(7, method="network")
    forecast = model.predict(panel, cutoffs=cutoffs)
    for place, count in enumerate(cutoffs[0]):
        alone = model.predict(panel.until(np.array([count])))
        np.testing.assert_allclose(
            forecast.quantiles[place], alone.quantiles[0], rtol=1e-5
        )
        highest = forecast.quantiles[place, on(SUNDAY, count, 7), -1]
        assert (highest == 0) == (count < 150)


def test_a_stream_answers_as_a_prediction_does():
    """While it grows day by day, from before the first closed day is known as one."""
    values = sold(6, 90)
    panel = panel_of(values)
    model = lc.LSTMForecaster(7, method="network")
    stream = Stream(model, panel.until(np.array([30])))
    for count in range(30, 90):
        stream.observe(values[count : count + 1])
        if count % 11 == 0:
            asked = model.predict(panel.until(np.array([count + 1])))
            np.testing.assert_allclose(stream.predict(7), asked.point, atol=1e-4)
            is_closed_H = (stream.quantiles(7)[0] == 0).all(axis=1)
            assert is_closed_H.tolist() == (asked.quantiles[0] == 0).all(1).tolist()
    assert (stream.quantiles(7)[0][on(SUNDAY, 90, 7)] == 0).all()
