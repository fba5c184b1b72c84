"""Forecasts from few values: straight lines go on, and a season that was seen once comes again."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import origins_of
from lstmcast.evaluation.few import LINE, MOST, Few


def forecast_of(values, frequency: str, horizon: int, **options) -> lc.Forecast:
    panel = lc.Panel.from_arrays(
        np.asarray(values, float), frequency=frequency, start="2021-01-01"
    )
    return lc.LSTMForecaster(horizon, **options).predict(panel)


def seasonal(season, count: int, horizon: int, seed: int):
    """So many values of a season with noise, and the next ones."""
    rng = np.random.default_rng(seed)
    values = np.resize(season, count + horizon) * (
        1 + 0.04 * rng.normal(size=count + horizon)
    )
    return values[:count], values[count:]


@pytest.mark.parametrize("frequency", ["YS", "MS", "D"])
@pytest.mark.parametrize("slope", [3.0, -7.0])
def test_a_straight_line_of_few_values_goes_on(frequency, slope):
    values = 120 + slope * np.arange(9)
    forecast = forecast_of(values[:4], frequency, 5)
    np.testing.assert_allclose(forecast.point[0], values[4:], rtol=1e-9)
    lower, upper = forecast.interval(80)[1:]
    assert (lower < forecast.point).all() and (forecast.point < upper).all()
    assert forecast.combination.as_dict()[LINE] == 1


def test_a_line_may_end_at_zero():
    """Counts that fell by 2 a day until 2 are not forecast below 0."""
    panel = lc.read({"ds": np.arange(5), "y": [10, 8, 6, 4, 2]})
    forecast = lc.LSTMForecaster(4).predict(panel)
    assert forecast.point.tolist() == [[0, 0, 0, 0]]
    assert forecast.quantiles.min() == 0


@pytest.mark.parametrize(
    ("season", "frequency", "count"),
    [
        ([80, 75, 80, 90, 120, 150, 105], "D", 10),
        ([100, 70, 140, 90], "QS", 8),
        (100 + 40 * np.sin(np.arange(12) * np.pi / 6), "MS", 16),
    ],
    ids=["a week", "quarters", "a year of months"],
)
def test_a_season_that_was_seen_once_comes_again(season, frequency, count):
    """The forecast errs less than the network, which believes in little, does alone."""
    error = alone_error = 0.0
    for seed in range(4):
        known, actual = seasonal(season, count, len(season), seed)
        point = forecast_of(known, frequency, len(season)).point[0]
        alone = forecast_of(known, frequency, len(season), method="network").point[0]
        error += np.abs(point - actual).mean()
        alone_error += np.abs(alone - actual).mean()
    assert error < 0.8 * alone_error


def test_the_shares_name_the_last_cycle():
    known, _ = seasonal([100, 70, 140, 90], 7, 4, 0)
    shares = forecast_of(known, "QS", 4).combination.as_dict()
    assert shares["seasonal naive of one year"] > 0.5 and LINE not in shares
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)


def test_values_without_a_line_or_a_season_are_left_to_the_network():
    noise = np.random.default_rng(1).normal(50, 5, MOST)
    combined = forecast_of(noise, "YS", 4)
    alone = forecast_of(noise, "YS", 4, method="network")
    np.testing.assert_allclose(combined.point, alone.point, rtol=0.02)


def test_missing_values_say_nothing_of_a_line():
    panel = lc.Panel.from_arrays([1.0, 2.0, np.nan, 4.0, 5.0])
    few = Few.of(panel, origins_of(panel), 3)
    assert few is not None and not few.weight_R.any()


def test_a_backtest_says_what_forecasts_said():
    known, _ = seasonal([80, 75, 80, 90, 120, 150, 105], 14, 0, 3)
    panel = lc.Panel.from_arrays(known, frequency="D", start="2021-01-01")
    counts = np.array([[5, 9, 12]])
    together = lc.LSTMForecaster(7).predict(panel, cutoffs=counts)
    for row, count in enumerate(counts[0]):
        alone = forecast_of(known[:count], "D", 7)
        np.testing.assert_allclose(together.quantiles[row], alone.quantiles[0])
