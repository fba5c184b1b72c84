"""What values have never done: gone beyond limits that they touched often, or fallen. No forecast
does, and nothing but the past says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.extremes import next_top, start_top, top_of
from lstmcast.streaming.stream import Stream

WIDE = (0.01, 0.1, 0.5, 0.9, 0.99)


def uptime(count, seed=0, most=100.0):
    """Percentages that are often exactly `most`."""
    noise = np.random.default_rng(seed).normal(0, 1.2, count)
    return np.minimum(most, most - 0.7 + noise)


def daily(values, **word):
    return lc.Panel.from_arrays(values, frequency="D", start="2022-01-01", **word)


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        (uptime(300), (-np.inf, 100)),
        (-uptime(300), (-100, np.inf)),
        (np.clip(uptime(300), 98.5, 99.5), (98.5, 99.5)),
        (np.tile([0.0, 1, 1, 0, 1], 40), (0, 1)),
        (np.random.default_rng(0).normal(size=300), (-np.inf, np.inf)),
        # one visit, to each step
        (100 + 10.0 * (np.arange(400) // 10), (-np.inf, np.inf)),
        (np.r_[uptime(300), 100.5], (-np.inf, np.inf)),  # gone beyond
        # others are as frequent
        (np.tile([10.0, 20, 30, 30, 20], 15), (-np.inf, np.inf)),
        (np.random.default_rng(0).poisson(1.2, 60), (-np.inf, np.inf)),
        (np.full(60, 7.0), (-np.inf, np.inf)),
        (
            np.r_[5.0, np.nan, 5, 5, np.nan, 5, np.nan, 5, 5, 3, 2, 1, 4],
            (-np.inf, np.inf),
        ),
    ],
)
def test_a_limit_was_touched_often_and_never_passed(values, limits):
    values_1T = np.asarray(values, float)[None]
    lowest = -top_of(-values_1T).limits()[0]
    assert (lowest, top_of(values_1T).limits()[0]) == limits


@pytest.mark.parametrize("seed", range(20))
def test_touches_counted_one_by_one_are_those_of_all(seed):
    rng = np.random.default_rng(seed)
    values_ST = rng.integers(0, 2 + seed // 4, (30, 60)).astype(float)
    values_ST[rng.random((30, 60)) < 0.2] = np.nan
    values_ST[:10] = np.fmax.accumulate(values_ST[:10], axis=1)
    values_ST[0] = np.nan
    top = start_top(30)
    for count in range(60):
        top = next_top(top, values_ST[:, count])
        at_once = top_of(values_ST[:, : count + 1])
        for one_by_one, counted in zip(top, at_once, strict=True):
            np.testing.assert_array_equal(one_by_one, counted)


@pytest.mark.parametrize("most", [100.0, 97.25, -3.0])
def test_no_forecast_goes_beyond_a_limit(most):
    panel = daily(uptime(400, most=most))
    forecast = lc.LSTMForecaster(28, quantiles=WIDE).predict(panel)
    assert forecast.point.max() <= most == forecast.quantiles.max()
    assert forecast.paths(200).max() == most
    below = lc.LSTMForecaster(28, quantiles=WIDE).predict(daily(-panel.values))
    assert below.quantiles.min() == -most == below.paths(200).min()


def test_what_is_declared_to_be_anything_has_no_limits():
    panel = daily(uptime(400), kind="real")
    assert lc.LSTMForecaster(28, quantiles=WIDE).predict(panel).quantiles.max() > 100


def test_only_what_came_before_a_cutoff_says_where_limits_are():
    values = np.r_[uptime(300), uptime(60) + 3]
    model = lc.LSTMForecaster(14, quantiles=WIDE)
    earlier = model.predict(daily(values), cutoffs=np.array([[300, 330]]))
    assert earlier.quantiles[0].max() == 100 < earlier.quantiles[1].max()
    alone = model.predict(daily(values[:300]))
    assert np.array_equal(earlier.quantiles[0], alone.quantiles[0])
    assert np.array_equal(earlier.rows([0]).bounds, alone.bounds)


def test_one_step_ahead_goes_beyond_a_limit_until_it_is_one():
    forecast = lc.LSTMForecaster(7, quantiles=WIDE).predict(
        daily(uptime(300)), mode="one-step"
    )
    highest_T = forecast.quantiles.max(axis=(1, 2))
    assert highest_T[5:30].max() > 100 == highest_T[60:].max()


def test_rows_of_a_stream_have_the_limits_of_series():
    values = np.stack([uptime(1200), np.random.default_rng(1).normal(50, 2, 1200)])
    model = lc.LSTMForecaster(14, method="network")
    stream = Stream(model, lc.read({"a": values[0, :1000], "b": values[1, :1000]}))
    for tick in values[:, 1000:].T:
        stream.observe(tick)
    whole = lc.read({"a": values[0], "b": values[1]})
    assert (
        stream.quantiles(14)[0].max()
        == 100
        < lc.LSTMForecaster(14).predict(replace(whole, recognised=None)).quantiles.max()
    )
    np.testing.assert_allclose(
        stream.predict(14), model.predict(whole).point, atol=1e-6
    )


def test_rows_that_join_leave_and_are_reset_have_limits_of_their_own(tmp_path):
    def series(seed):
        return uptime(1600, seed)

    values = np.stack([series(0), series(1), series(2)])
    model = lc.LSTMForecaster(14, method="network")
    stream = Stream(model, ["a", "b"])
    for tick in values[:2, :300].T:
        stream.observe(tick)
    stream.join(["c"])
    stream.reset(["a"])
    stream.leave(["b"])
    for tick in values[[0, 2], 300:900].T:
        stream.observe(tick)
    stream.save(tmp_path / "saved")
    stream = Stream.load(tmp_path / "saved")
    for tick in values[[0, 2], 900:].T:
        stream.observe(tick)
    assert stream.quantiles(14).max() == 100
    whole = lc.read({"a": values[0, 300:], "c": values[2, 300:]})
    np.testing.assert_allclose(
        stream.predict(14), model.predict(whole).point, atol=1e-6
    )


def test_a_stream_of_anything_has_no_limits():
    stream = Stream(lc.LSTMForecaster(14), daily(uptime(300)), kind="real")
    assert stream.quantiles(14).max() > 100


# ---------------------------------------------------------------- values that only rise


def meter(count, seed=0):
    """Readings that only rise, by a tenth on most days and by much on some."""
    return 5000 + np.cumsum(np.random.default_rng(seed).gamma(0.1, 9, count))


@pytest.mark.parametrize("values", [100 + 10.0 * (np.arange(400) // 10), meter(300)])
def test_what_has_only_risen_is_not_forecast_to_fall(values):
    forecast = lc.LSTMForecaster(28, quantiles=WIDE).predict(daily(values))
    steps_HX = np.concatenate(
        [np.full((1, len(WIDE)), values[-1]), forecast.quantiles[0]]
    )
    assert (np.diff(steps_HX, axis=0) >= 0).all()
    assert (np.diff(forecast.paths(50)[0], axis=1) >= 0).all()
    falling = lc.LSTMForecaster(28, quantiles=WIDE).predict(daily(-values))
    assert (np.diff(falling.quantiles[0], axis=0) <= 0).all()
    assert falling.quantiles.max() <= -values[-1]


def test_what_fell_once_may_fall_again():
    values = meter(300)
    values[200:] -= 50
    forecast = lc.LSTMForecaster(28, quantiles=WIDE).predict(daily(values))
    assert forecast.quantiles.min() < values[-1]


def test_few_rises_say_little():
    values = 100 + 10.0 * (np.arange(190) // 10)
    forecast = lc.LSTMForecaster(28, quantiles=WIDE).predict(daily(values))
    assert forecast.quantiles.min() < values[-1]


def test_a_stream_of_readings_does_not_fall():
    values = meter(700)
    model = lc.LSTMForecaster(14, method="network")
    stream = Stream(model, lc.read({"a": values[:690]}))
    for value in values[690:]:
        stream.observe([value])
    assert (np.diff(stream.quantiles(14)[0], axis=0) >= 0).all()
    stream.observe([np.nan])
    assert stream.quantiles(14).min() >= values[-1]
