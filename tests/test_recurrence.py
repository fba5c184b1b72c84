"""Values that follow a linear recurrence go on by it; others are left to the network."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.recurrence import NAME

STEPS = np.arange(200.0)
PATTERN = np.array([5.0, 9, 2, 4, 30, 11, 6])
RULES = {
    "a line": 3 * STEPS + 5,
    "a falling line": 700 - 2.5 * STEPS,
    "growth": 100 * 1.05**STEPS,
    "rounded growth": np.round(100 * 1.02**STEPS, 1),
    "two values in turns": np.resize([1.0, 3.0], 200),
    "a pattern of seven": np.resize(PATTERN, 200),
    "a pattern of seventeen": np.resize(np.sin(7.0 * np.arange(17)), 200),
    "a pattern that rises": np.resize(PATTERN, 200) + STEPS,
    "a pattern that grows": np.resize(PATTERN, 200) * 1.01**STEPS,
    "a counter that is set back": STEPS % 20,
    "a wave": np.sin(STEPS / 5),
    "a rounded wave": np.round(20 + 10 * np.sin(STEPS / 5), 1),
    "beats": np.sin(STEPS / 5) * np.sin(STEPS / 31),
    "a wave that fades": np.exp(-STEPS / 80) * np.sin(STEPS / 5),
    "a wave on a slope": STEPS / 4 + np.cos(STEPS / 7),
    "a curve": STEPS**2,
    "cooling": 20 + 60 * 0.97**STEPS,
}


def panel_of(values, frequency="D"):
    return lc.Panel.from_arrays(values, frequency=frequency, start="2024-01-01")


def forecast_of(values, horizon=12, **options):
    return lc.LSTMForecaster(horizon, **options).predict(panel_of(values))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("count", [60, 100, 188])
def test_a_rule_goes_on(name, count):
    values, horizon = RULES[name], 12
    forecast = forecast_of(values[:count], horizon)
    change = np.abs(np.diff(values[:count])).mean()
    true = values[count : count + horizon]
    assert np.abs(forecast.point[0] - true).max() <= 0.1 * change
    assert forecast.combination.as_dict()[NAME] == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "made",
    [
        lambda noise: noise,
        np.cumsum,
        lambda noise: np.cumsum(np.cumsum(noise)),
        lambda noise: np.sin(STEPS / 5) + noise / 4,
        lambda noise: 3 * STEPS + 2 * noise,
        lambda noise: np.resize(PATTERN, 200) + noise,
        lambda noise: np.rint(np.exp(noise)),
        lambda noise: np.full(200, 7.0),
        lambda noise: np.repeat([5.0, 6.0], [197, 3]),
    ],
)
def test_noise_is_left_to_the_network(made, seed):
    values = made(np.random.default_rng(seed).normal(size=200))
    for count in (8, 9, 12, 20, 50, 200):
        assert NAME not in forecast_of(values[:count]).combination.names


def test_a_rule_that_was_broken_is_not_believed():
    values = 3 * STEPS + 5
    values[150] += 40
    assert NAME not in forecast_of(values).combination.names
    values[150] = np.nan
    assert NAME not in forecast_of(values).combination.names


def test_interpolated_values_at_the_end_are_no_rule():
    values = np.cumsum(np.random.default_rng(1).normal(size=120))
    values[-15:] = np.linspace(values[-16], values[-1], 15)
    assert NAME not in forecast_of(values).combination.names


def test_the_network_alone_knows_no_rules():
    forecast = forecast_of(RULES["growth"][:40], method="network")
    true = RULES["growth"][40:52]
    assert np.abs(forecast.point[0] - true).max() > 1


def test_intervals_are_as_wide_as_the_continuation_erred():
    exact = forecast_of(RULES["a wave"][:100])
    rounded = forecast_of(RULES["a rounded wave"][:100])
    _, lower, upper = exact.interval(95)
    assert (upper - lower).max() < 1e-6
    _, lower, upper = rounded.interval(95)
    assert 0.05 < (upper - lower).min() <= (upper - lower).max() < 1


def test_each_series_and_each_cutoff_by_itself():
    noise = 50 + np.random.default_rng(0).normal(size=120)
    values = np.r_[noise[:60], 3 * STEPS[:120]]
    panel = panel_of({"line": 3 * STEPS[:120] + 5, "noise": noise, "late": values})
    cutoffs = np.array([[60, 120], [60, 120], [120, 180]])
    forecast = lc.LSTMForecaster(6).predict(panel, cutoffs=cutoffs)
    share = forecast.combination.shares[:, forecast.combination.names.index(NAME)]
    assert share.tolist() == [1, 1, 0, 0, 0, 0]
    later = lc.LSTMForecaster(6).predict(panel_of(3 * STEPS[:60] + 5))
    assert np.array_equal(forecast.point[0], later.point[0])


def test_a_saved_model_goes_on_by_the_same_rule(tmp_path):
    model = lc.LSTMForecaster(7)
    panel = panel_of(RULES["beats"])
    forecast = model.predict(panel)
    model.save(tmp_path / "model", panel)
    again = lc.load(tmp_path / "model").predict()
    assert np.array_equal(again.quantiles, forecast.quantiles)
