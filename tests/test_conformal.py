"""Intervals of streams that contain what they promise: tracked bounds, coverage of late, drift."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

import lstmcast as lc
from builders import plain_config
from lstmcast.errors import UsageError
from lstmcast.evaluation.conformal import (
    LEVELS,
    Tracked,
    adjusted,
    advance,
    coverage,
    start,
)
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

NORMAL = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])


def followed(values_ST: np.ndarray, steps: int = 1, rate: float = 0.001):
    """Quantiles shown before each value (T, S, H, Q), signals of drift (T, S) and the state, of a
    forecaster that expects a standard normal at all times."""
    series, ticks = values_ST.shape
    state, at = start(series, steps), np.arange(series)
    answer = np.tile(NORMAL, (series, steps, 1))
    shown, drifted = np.empty((ticks, *answer.shape)), np.empty((ticks, series), bool)
    for tick in range(ticks):
        shown[tick] = adjusted(state, at, answer)
        drifted[tick] = advance(
            state, at, values_ST[:, tick], answer, lc.Conformal(rate)
        )
    return shown, drifted, state


def inside(shown: np.ndarray, values_ST: np.ndarray, lower: int) -> np.ndarray:
    """Whether values (T, S) lay in an interval of the forecasts one step before."""
    low, high = shown[:, :, 0, lower], shown[:, :, 0, -1 - lower]
    return (low <= values_ST.T) & (high >= values_ST.T)


@pytest.mark.parametrize("spread", [0.3, 1.0, 4.0])
def test_any_500_ticks_hold_what_is_promised_from_100_after_a_shift(spread):
    values = np.random.default_rng(0).normal(size=(20, 2000))
    values[:, 1000:] *= spread
    shown, _, _ = followed(values)
    for lower, level in ((0, 0.95), (1, 0.8)):
        hit = inside(shown, values, lower)[1100:]
        windows = np.lib.stride_tricks.sliding_window_view(hit, 500, axis=0).mean(
            axis=2
        )
        off = np.abs(windows - level)
        assert off.mean() < 0.01
        assert np.quantile(off, 0.95) <= 0.021


def test_steps_ahead_are_tracked_by_themselves():
    """Values hang together with those two before, which this forecaster does not see."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 3000))
    values[:, 2:] += 3 * values[:, :-2]
    shown, _, state = followed(values, steps=3)
    covered = coverage(state, np.arange(4))
    assert covered.shape == (4, 3, 3)
    np.testing.assert_allclose(
        covered, np.broadcast_to(np.array(LEVELS) / 100, (4, 3, 3)), atol=0.03
    )
    for step in range(3):
        low, high = shown[: -2 - step, :, step, 1], shown[: -2 - step, :, step, -2]
        came = values.T[step : len(values.T) - 2]
        hit = (low <= came) & (came <= high)
        assert abs(hit[500:].mean() - 0.8) < 0.02


def test_quantiles_do_not_cross_and_the_median_stays():
    values = np.random.default_rng(1).standard_t(1.2, size=(10, 800))
    shown, _, _ = followed(values)
    assert (np.diff(shown, axis=3) >= 0).all()
    np.testing.assert_array_equal(shown[..., MEDIAN], 0.0)


def test_unknown_values_change_no_bound_but_take_their_tick():
    values = np.random.default_rng(2).normal(size=(1, 60))
    *_, whole = followed(values, steps=2)
    gap = np.concatenate(
        [values[:, :30], np.full((1, 5), np.nan), values[:, 30:]], axis=1
    )
    *_, with_gap = followed(gap, steps=2)
    assert with_gap.count_S.tolist() == [65]
    for before, after in zip(whole[1:4], with_gap[1:4], strict=True):
        np.testing.assert_allclose(before, after, atol=1e-12)


def test_false_signals_of_drift_are_as_seldom_as_stated():
    rate, values = 0.005, np.random.default_rng(3).normal(size=(40, 3000))
    _, drifted, _ = followed(values, rate=rate)
    assert 0 < drifted.sum() <= rate * drifted.size


def test_drift_is_signalled_where_errors_grow():
    values = np.random.default_rng(4).normal(size=(20, 900))
    values[:, 600:] *= 3
    _, drifted, _ = followed(values)
    first = np.argmax(drifted[600:], axis=0)
    assert drifted[600:].any(axis=0).all()
    assert np.median(first) < 60
    assert drifted[600:].sum(axis=0).max() <= 2  # those errors are the usual ones then


def hourly(length: int = 400) -> lc.Panel:
    rng, t = np.random.default_rng(0), np.arange(length)
    wave = 100 + 10 * np.sin(t / 24 * 2 * np.pi) + rng.normal(size=length)
    other = rng.poisson(2, length - 50).astype(float)
    return lc.Panel.from_arrays(
        {"wave": wave, "counts": other}, start="2024-01-01", frequency="h"
    )


@pytest.fixture(scope="module")
def model():
    return lc.LSTMForecaster(horizon=24)


def test_a_stream_that_began_with_a_panel_says_what_one_by_one_does(model, tmp_path):
    panel = hourly()
    alone = lc.Stream(
        model, panel.ids, frequency="h", kind="positive", conformal=lc.Conformal()
    )
    for step in range(400):
        rows = [row for row in range(2) if step < panel.lengths[row]]
        alone.observe([panel.series(row)[step] for row in rows], panel.ids[rows])
    later = lc.Stream(
        model, panel.until([380, 340]), kind="positive", conformal=lc.Conformal()
    )
    later.save(tmp_path / "stream")
    later = lc.Stream.load(tmp_path / "stream")
    for step in range(20):
        rows = [0] if step >= 10 else [0, 1]
        values = [panel.series(row)[(380, 340)[row] + step] for row in rows]
        later.observe(values, panel.ids[rows])
    np.testing.assert_allclose(alone.quantiles(24), later.quantiles(24), rtol=1e-5)
    np.testing.assert_allclose(alone.coverage(), later.coverage(), atol=1e-9)


def test_the_networks_own_forecast_is_as_without(model):
    panel = hourly().until([120, 120])
    plain = lc.Stream(model, panel, kind="positive")
    with_it = lc.Stream(model, panel, kind="positive", conformal=lc.Conformal())
    for stream in (plain, with_it):
        stream.observe([100.0, 2.0])
    np.testing.assert_array_equal(plain.predict(30), with_it.predict(30))
    np.testing.assert_array_equal(
        plain.quantiles(30), with_it.quantiles(30, adjusted=False)
    )
    moved = with_it.quantiles(30)
    assert not np.array_equal(moved, plain.quantiles(30))
    assert moved.min() >= 0  # counts: as the network's own
    assert with_it.drifted.tolist() == [False, False]


def test_rows_join_and_begin_anew_with_the_networks_own_intervals(model):
    stream = lc.Stream(model, hourly(), conformal=lc.Conformal())
    stream.join(["new"])
    stream.reset(["counts"])
    assert np.isnan(stream.coverage(["new", "counts"])).all()
    assert np.isfinite(stream.coverage(["wave"])).all()
    assert isinstance(stream.rows["tracked"], Tracked)


def test_what_has_no_intervals_is_refused(model):
    learns = lc.Learning()
    with pytest.raises(lc.UsageError, match="a point head has none"):
        lc.Stream(plain_config(), ["a"], learning=learns, conformal=lc.Conformal())
    with pytest.raises(lc.UsageError, match="with conformal="):
        lc.Stream(model, ["a"]).coverage()


@pytest.mark.parametrize("rate", [0, 1, float("nan"), "often"])
def test_rates_that_are_none(rate):
    with pytest.raises(UsageError, match=f"rate={rate!r} is not a rate"):
        lc.Conformal(rate)


def test_steps_that_are_adjusted_are_as_with_all(model):
    panel = hourly().until([200, 200])
    few, every = (
        lc.Stream(model, panel, kind="positive", conformal=lc.Conformal(steps=steps))
        for steps in (3, None)
    )
    for tick in range(5):
        for stream in (few, every):
            stream.observe([10.0 + tick, 3.0])
    assert (few.coverage().shape[1], every.coverage().shape[1]) == (3, 24)
    np.testing.assert_array_equal(few.quantiles(24)[:, :3], every.quantiles(24)[:, :3])
    assert not np.array_equal(few.quantiles(24), every.quantiles(24))


@pytest.mark.parametrize("steps", [0, -1, 2.5, "3"])
def test_steps_that_are_no_number_of_steps(steps):
    with pytest.raises(
        lc.UsageError, match=r"steps must be a whole number of at least 1"
    ):
        lc.Conformal(steps=steps)
