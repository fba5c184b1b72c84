"""What every forecaster keeps to: the shipped network, and each baseline beside which it stands."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import Classical, default_baselines

HORIZON = 5


class Once(dict):
    """A `map` that forecasts each history once: fits of statsforecast take long, and a test fails
    all the same where a forecaster hands over another history than it should."""

    def __call__(self, forecast, histories):
        for history in histories:
            key = (*forecast.args, history.tobytes())
            if key not in self:
                self[key] = forecast(history)
            yield self[key]


NO_STATSFORECAST = importlib.util.find_spec("statsforecast") is None
CLASSICAL = [
    pytest.param(
        Classical(name, map=Once()),
        id=name,
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(NO_STATSFORECAST, reason="needs the baselines extra"),
        ],
    )
    for name in ("AutoETS", "AutoTheta", "AutoARIMA")
]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("combined", id="lstmcast"),
        pytest.param("network", id="lstmcast, network alone"),
        *(pytest.param(one, id=one.name) for one in default_baselines()),
        *CLASSICAL,
    ],
)
def forecaster(request):
    asked = request.param
    return lc.LSTMForecaster(HORIZON, method=asked) if isinstance(asked, str) else asked


def quarterly(seed, length, level=30.0):
    rng = np.random.default_rng(seed)
    season = np.resize([4.0, -1.0, -5.0, 2.0], length)
    return level + season + 0.1 * np.arange(length) + rng.normal(0, 0.5, length)


SERIES = {
    "a": quarterly(1, 48),
    "b": quarterly(2, 31),
    "c": quarterly(3, 40, level=0.0),
    "d": quarterly(4, 13),
}


def panel_of(named, **options):
    return lc.Panel.from_arrays(named, frequency="QS", start="2001-01", **options)


@pytest.fixture(scope="module")
def straight(forecaster):
    """The forecast of the series, which several tests compare with."""
    return forecaster.predict(panel_of(SERIES), HORIZON)


def assert_close(one, other):
    for name in ("point", "quantiles"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-4, atol=1e-4, err_msg=name
        )
    for name in ("ids", "cutoffs", "times"):
        np.testing.assert_array_equal(
            getattr(one, name), getattr(other, name), err_msg=name
        )


def test_ids_times_and_shapes(forecaster, straight):
    panel, forecast = panel_of(SERIES), straight
    assert forecast.ids.tolist() == list(SERIES)
    np.testing.assert_array_equal(forecast.cutoffs, panel.ends)
    np.testing.assert_array_equal(
        forecast.times, panel.frequency.advance(panel.ends[:, None], np.arange(1, 6))
    )
    assert forecast.point.shape == (4, HORIZON) and np.isfinite(forecast.point).all()
    assert (
        forecast.quantiles.shape == (4, HORIZON, len(forecast.quantile_levels))
        and np.isfinite(forecast.quantiles).all()
    )
    assert (np.diff(forecast.quantiles, axis=-1) >= 0).all()
    assert forecast.columns == panel.columns and isinstance(forecaster.name, str)


def test_it_forecasts_the_season_better_than_the_mean_would(forecaster):
    panel = panel_of({"a": SERIES["a"]})
    forecast = forecaster.predict(panel, 4, cutoffs=np.array([[44]]))
    bound = 1.0 if forecaster.name != "naive" else 3.0
    assert abs(forecast.point[0] - SERIES["a"][44:]).mean() < bound * SERIES["a"].std()


def test_the_order_of_the_series_does_not_matter(forecaster, straight):
    backwards = forecaster.predict(panel_of(dict(reversed(SERIES.items()))), HORIZON)
    assert backwards.ids.tolist() == list(SERIES)[::-1]
    for name in ("point", "quantiles", "times"):
        one, other = getattr(straight, name), getattr(backwards, name)[::-1]
        if one.dtype.kind == "f":
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-4)
        else:
            np.testing.assert_array_equal(other, one)


def test_the_points_of_one_series_are_those_of_a_row_of_many(forecaster, straight):
    if getattr(forecaster, "method", "") == "combined":
        pytest.skip("weights are pooled over the series of a panel, as intervals are")
    for i, name in enumerate(SERIES):
        alone = forecaster.predict(panel_of({name: SERIES[name]}), HORIZON)
        np.testing.assert_allclose(
            alone.point[0], straight.point[i], rtol=1e-4, atol=1e-4
        )


def test_a_forecast_at_a_cutoff_is_that_of_what_is_known_then(forecaster):
    panel = panel_of(SERIES)
    counts = np.array([[20, 48], [31, 17], [9, 33], [5, 12]])
    together = forecaster.predict(panel, HORIZON, cutoffs=counts)
    assert together.ids.tolist() == ["a", "a", "b", "b", "c", "c", "d", "d"]
    for k in range(2):
        alone = forecaster.predict(panel.until(counts[:, k]), HORIZON)
        np.testing.assert_array_equal(together.times[k::2], alone.times)
        np.testing.assert_allclose(
            together.point[k::2], alone.point, rtol=1e-4, atol=1e-4
        )


def test_later_values_change_nothing(forecaster):
    counts = np.array([[15, 20], [9, 16], [24, 30], [4, 8]])
    changed = {name: values.copy() for name, values in SERIES.items()}
    for values, last in zip(changed.values(), counts.max(axis=1), strict=True):
        values[last:] = (
            [np.nan, -1e5, 1e7, 0.0] * 8 if len(values) - last == 32 else -1e5
        )
    one = forecaster.predict(panel_of(SERIES), HORIZON, cutoffs=counts)
    assert_close(forecaster.predict(panel_of(changed), HORIZON, cutoffs=counts), one)


def test_twice_gives_the_same_and_leaves_the_data_as_they_are(forecaster, straight):
    panel = panel_of(SERIES)
    before = panel.values.copy()
    if isinstance(forecaster, Classical):
        forecaster = replace(forecaster, map=map)
    again = forecaster.predict(panel, HORIZON)
    np.testing.assert_array_equal(again.point, straight.point)
    np.testing.assert_array_equal(again.quantiles, straight.quantiles)
    np.testing.assert_array_equal(panel.values, before)


def test_a_saved_forecaster_forecasts_the_same(forecaster, tmp_path):
    if not hasattr(forecaster, "save"):
        pytest.skip("has nothing to save")
    panel = panel_of(SERIES)
    forecaster.save(tmp_path / "model", panel)
    one, other = lc.load(tmp_path / "model").predict(), forecaster.predict(panel)
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    np.testing.assert_array_equal(one.times, other.times)


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_constant_series(forecaster, value):
    forecast = forecaster.predict(panel_of({"flat": np.full(30, value)}), HORIZON)
    np.testing.assert_allclose(forecast.point, value, rtol=0.02, atol=1e-9)


def test_missing_values(forecaster):
    values = SERIES["a"].copy()
    values[[0, 5, 6, 30, 47]] = np.nan
    forecast = forecaster.predict(
        panel_of({"holes": values, "whole": SERIES["b"]}), HORIZON
    )
    assert np.isfinite(forecast.point).all()
    assert abs(forecast.point[0] - 34).max() < 12


def test_nothing_known_gives_nothing(forecaster):
    values = np.append(np.full(6, np.nan), SERIES["a"][:20])
    forecast = forecaster.predict(
        panel_of({"late": values}), HORIZON, cutoffs=np.array([[6, 26]])
    )
    assert np.isnan(forecast.point[0]).all() and np.isfinite(forecast.point[1]).all()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_short_series_have_a_forecast(forecaster, length):
    values = np.array([5.0, 8.0, 7.0, 9.0, 6.0])[:length]
    forecast = forecaster.predict(panel_of({"short": values}), HORIZON)
    assert np.isfinite(forecast.point).all() and np.isfinite(forecast.quantiles).all()


@pytest.mark.parametrize("kind", ["count", "positive"])
def test_declared_kinds_are_never_negative(forecaster, kind):
    falling = np.maximum(0.0, np.arange(24.0, -6.0, -1))
    forecast = forecaster.predict(panel_of({"falling": falling[:24]}, kind=kind), 12)
    assert (forecast.point >= 0).all() and (forecast.quantiles >= 0).all()


def test_a_season_longer_than_the_series(forecaster):
    forecast = forecaster.predict(panel_of({"a": SERIES["a"]}, periods=(60,)), HORIZON)
    assert np.isfinite(forecast.point).all()


def test_senseless_horizons_and_cutoffs_are_refused(forecaster):
    panel = panel_of({"a": SERIES["a"]})
    with pytest.raises(UsageError, match="horizon"):
        forecaster.predict(panel, 0)
    with pytest.raises(UsageError, match="known observations"):
        forecaster.predict(panel, HORIZON, cutoffs=np.array([[0]]))
    with pytest.raises(UsageError, match="cutoffs"):
        forecaster.predict(panel, HORIZON, cutoffs=np.array([[20.0]]))
