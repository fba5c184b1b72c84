"""Values that repeat where values hardly ever do are not a new level."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.stuck import stuck_count, stuck_note


def readings(count, seed=1):
    hours, noise = np.arange(count), np.random.default_rng(seed).normal(size=count)
    return 50 + 10 * np.sin(2 * np.pi * hours / 24) + noise


def ending(values, repeated, times):
    values = np.array(values, float)
    values[-times:] = repeated
    return values


def panel_of(values, frequency="h"):
    return lc.Panel.from_arrays(values, frequency=frequency, start="2024-01-01")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (readings(200), 0),
        (ending(readings(200), 47.5, 3), 0),
        (ending(readings(200), 47.5, 4), 3),
        (ending(readings(200), 47.5, 23), 22),
        (ending(readings(200), 47.5, 24), 0),  # believed after a cycle
        (ending(readings(200), 0, 1), 0),
        (ending(readings(200), 0, 2), 2),
        (ending(readings(30), 0, 2), 0),  # too little is known
        (ending(np.rint(readings(200)), 47, 4), 0),  # values repeat anyway
        (ending(np.round(readings(400), 1), 47, 12), 11),
        (ending(ending(readings(200), 0, 40), 55, 30), 0),
        (np.full(100, 7.0), 0),
        (np.full(100, np.nan), 0),
        (np.append(readings(200), [4.5, 4.5, np.nan, 4.5, 4.5]), 4),
    ],
)
def test_only_repeats_that_are_unusual_are_left_out(values, found):
    assert stuck_count(values, season=24) == found


@pytest.mark.parametrize(("repeated", "times"), [(47.5, 12), (0, 3)])
def test_a_forecast_is_the_one_from_before_the_repeats(repeated, times):
    model = lc.LSTMForecaster(24)
    values = ending(readings(480), repeated, times)
    forecast = model.predict(panel_of(values))
    left_out = times if repeated == 0 else times - 1
    before = lc.LSTMForecaster(24 + left_out).predict(panel_of(values[:-left_out]))
    assert np.allclose(forecast.point[0], before.point[0, left_out:])


def test_the_outermost_interval_reaches_to_the_value_that_repeats():
    values = ending(readings(480), 0, 3)
    forecast = lc.LSTMForecaster(24).predict(panel_of(values))
    _, lower, upper = forecast.interval(95)
    assert (lower == 0).all()
    assert (upper > 35).all()
    _, inner, _ = forecast.interval(80)
    assert (inner > 30).all()


def test_a_backtest_and_other_series_agree_with_a_forecast():
    values = ending(readings(480), 47.5, 12)
    later = np.append(values, readings(24))
    alone = lc.LSTMForecaster(24).predict(panel_of(values))
    panel = panel_of({"a": later, "b": readings(504, seed=2)})
    cutoffs = np.array([[240, 480], [240, 480]])
    tested = lc.LSTMForecaster(24).predict(panel, cutoffs=cutoffs)
    at_480 = (tested.ids == "a") & (tested.cutoffs == 480)
    size = np.abs(alone.quantiles).max()
    assert np.allclose(tested.quantiles[at_480], alone.quantiles, atol=0.02 * size)


def test_goods_that_are_not_sold_are_not_an_outage():
    sold = np.random.default_rng(0).poisson(40, 200) + 1
    table = {"day": np.arange("2024-01-01", "2024-07-19", dtype="datetime64[D]")}
    panel = lc.read(table | {"sold": ending(sold, 0, 4)})
    median = lc.LSTMForecaster(7).predict(panel).point[0]
    assert median.max() < 20


def hourly(**series):
    return lc.Panel.from_arrays(series, frequency="h", start="2024-01-01")


def test_a_note_says_which_values_are_left_out():
    wave = 20 + 5 * np.sin(np.arange(480) * 2 * np.pi / 24)
    stuck = np.append(wave, [22.5] * 8)
    alone = stuck_note(hourly(a=stuck), "combined")
    assert alone.startswith("at the end, 22.5 repeats as no value did before")
    several = stuck_note(hourly(a=stuck, b=wave), "combined")
    assert several.startswith("in 1 of 2 series ('a'), a value at the end repeats")
    assert stuck_note(hourly(a=wave), "combined") == ""
    assert stuck_note(hourly(a=stuck), "network") == ""


def test_forecasts_and_predictions_tell_of_stuck_values(run, tmp_path):
    hours = np.datetime64("2024-01-01T00") + np.arange(240)
    wave = 20 + 5 * np.sin(np.arange(240) * 2 * np.pi / 24)
    wave[-8:] = 22.5
    rows = [f"{hour},{value:.2f}" for hour, value in zip(hours, wave, strict=True)]
    data = tmp_path / "sensor.csv"
    data.write_text("time,temperature\n" + "\n".join(rows))
    model = tmp_path / "model"
    words = "22.5 repeats as no value did before"
    assert words in run("forecast", data, "-H", 3, "--save", model).err
    assert words in run("predict", "--model", model).err
