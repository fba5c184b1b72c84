"""Baselines of intermittent demand: their definitions, what they read, where they are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.demand import (
    MEMORY,
    demand_baselines,
    demand_named,
    mostly_intermittent,
)

PARTS = (0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.fixture(params=demand_baselines(), ids=lambda one: one.name, name="baseline")
def each_baseline(request):
    return request.param


def sold(length: int, seed: int = 0, rate: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(length) < rate, 1.0 + rng.poisson(2, length), 0.0)


def shop(count: int = 6, length: int = 120) -> Panel:
    series = {f"part {i}": sold(length, i) for i in range(count)}
    return replace(
        Panel.from_arrays(series, frequency="D", start="2024-01-01"), kind="count"
    )


def reference_croston(values: np.ndarray, alpha: float) -> tuple[float, float]:
    """Size and interval, value by value."""
    size = interval = 0.0
    demands, since = 0, 0
    for value in values:
        since += 1
        if value == 0:
            continue
        demands += 1
        gain = max(alpha, 1 / demands)
        size += gain * (value - size)
        interval += gain * (since - interval)
        since = 0
    return size, interval


def test_croston_is_size_over_interval():
    values = sold(300, seed=4)
    size, interval = reference_croston(values, 0.2)
    panel = Panel.from_arrays(values)
    assert lc.Croston(alpha=0.2).predict(panel, 1).point[0, 0] == pytest.approx(
        size / interval
    )
    assert lc.SBA(alpha=0.2).predict(panel, 1).point[0, 0] == pytest.approx(
        0.9 * size / interval
    )


def test_tsb_fades_out_where_nothing_sells_and_croston_does_not():
    dead = Panel.from_arrays(np.append(sold(150), np.zeros(60)))
    alive = Panel.from_arrays(sold(150))
    kept = lc.Croston().predict(dead, 1).point / lc.Croston().predict(alive, 1).point
    faded = lc.TSB().predict(dead, 1).point / lc.TSB().predict(alive, 1).point
    assert kept[0, 0] == 1
    assert faded[0, 0] == pytest.approx(0.95**60)


def test_bootstrap_knows_whether_demand_comes_in_runs():
    runs = np.tile(np.repeat([0.0, 2.0], 10), 10)
    after_demand = lc.DemandBootstrap().predict(Panel.from_arrays(runs), 20).point[0]
    after_none = (
        lc.DemandBootstrap().predict(Panel.from_arrays(runs[:-10]), 20).point[0]
    )
    assert after_demand[0] == 2
    assert after_none[0] == 0
    assert set(
        lc.DemandBootstrap().predict(Panel.from_arrays(sold(99)), 5).quantiles.ravel()
    ) <= (set(sold(99)))


def test_bootstrap_quantiles_hold_for_independent_demand():
    panel = shop(300, 148)
    known = panel.until(panel.lengths - 28)
    forecast = lc.DemandBootstrap(quantiles=(0.5, 0.9, 0.99)).predict(known, 28)
    actual = panel.values.reshape(300, 148)[:, -28:]
    below = [(actual <= forecast.quantiles[..., q]).mean() for q in (1, 2)]
    np.testing.assert_allclose(below, (0.9, 0.99), atol=0.02)


def test_nothing_after_the_cutoff_is_read(baseline):
    known = sold(80)
    later = Panel.from_arrays(np.append(known, 1e6 * sold(20, seed=1)))
    alone = baseline.predict(Panel.from_arrays(known), 4).point
    np.testing.assert_array_equal(
        baseline.predict(later, 4, cutoffs=np.array([[80]])).point, alone
    )


def test_a_series_does_not_depend_on_the_others(baseline):
    values = {f"s{i}": sold(30 + 40 * i, i) for i in range(5)}
    together = baseline.predict(Panel.from_arrays(values), 3).point
    for row, one in zip(together, values.values(), strict=True):
        np.testing.assert_array_equal(
            baseline.predict(Panel.from_arrays(one), 3).point[0], row
        )


def test_no_more_than_the_newest_values_are_read(baseline):
    newest = sold(MEMORY)
    longer = np.append(1e6 * sold(50, seed=3), newest)
    np.testing.assert_allclose(
        baseline.predict(Panel.from_arrays(longer), 2).point,
        baseline.predict(Panel.from_arrays(newest), 2).point,
    )


def test_blocks_are_the_same(baseline, monkeypatch):
    whole = baseline.predict(shop(), 3).point
    monkeypatch.setattr("lstmcast.evaluation.demand.BLOCK", 4)
    np.testing.assert_array_equal(baseline.predict(shop(), 3).point, whole)


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [0.0] * 20,
        [np.nan, 0.0, np.nan],
        [5.0],
        [np.nan, 5.0, np.nan],
        [-2.0, 0.0],
    ],
)
def test_any_history_has_a_finite_forecast(baseline, values):
    made = replace(baseline, quantiles=(0.1, 0.5, 0.9)).predict(
        Panel.from_arrays(values), 3
    )
    assert np.isfinite(made.point).all()
    assert np.isfinite(made.quantiles).all()


def test_nothing_known_is_no_forecast(baseline):
    made = baseline.predict(
        Panel.from_arrays([np.nan, 3.0]), 2, cutoffs=np.array([[1]])
    )
    assert np.isnan(made.point).all()


def test_missing_values_are_no_zeros(baseline):
    values = np.tile(PARTS, 12)
    stock_out = np.insert(values, 50, np.full(30, np.nan))
    np.testing.assert_allclose(
        baseline.predict(Panel.from_arrays(stock_out), 2).point,
        baseline.predict(Panel.from_arrays(values), 2).point,
        rtol=0.05,
    )


def test_intervals_are_measured_and_cover():
    panel = shop(60, 148)
    known = panel.until(panel.lengths - 28)
    actual = panel.values.reshape(60, 148)[:, -28:]
    for name in ("Croston", "TSB", "bootstrap"):
        _, lower, upper = demand_named(name).predict(known, 28).interval(80)
        assert 0.75 < ((lower <= actual) & (actual <= upper)).mean() < 0.95, name


def test_a_method_like_any_other():
    panel = shop()
    for name in ("croston", "SBA", "tsb", "bootstrap"):
        asked = lc.LSTMForecaster(5, method=name).predict(panel)
        alone = replace(demand_named(name), quantiles=asked.quantile_levels).predict(
            panel, 5
        )
        np.testing.assert_array_equal(asked.point, alone.point)
        np.testing.assert_array_equal(asked.quantiles, alone.quantiles)
        assert asked.combination.single == demand_named(name).name


def test_a_candidate_like_any_other():
    made = lc.LSTMForecaster(5, candidates=["TSB"]).predict(shop())
    assert "TSB" in made.combination.names


def test_a_saved_model_answers_by_it(tmp_path):
    panel = shop(2, 700)
    lc.LSTMForecaster(5, method="tsb").save(tmp_path / "model", panel)
    loaded = lc.load(tmp_path / "model")
    whole = lc.LSTMForecaster(5, method="tsb").predict(panel)
    np.testing.assert_allclose(loaded.predict().point, whole.point)


def test_backtests_compare_where_most_series_are_intermittent():
    panel = shop()
    assert mostly_intermittent(panel)
    tested = lc.backtest(lc.Naive(), panel, horizon=7, cutoffs=2)
    assert {"Croston", "SBA", "TSB", "bootstrap"} <= set(tested.scores)
    busy = replace(Panel.from_arrays({"a": sold(120, rate=0.9)}), kind="count")
    assert not mostly_intermittent(busy)
    assert "TSB" not in lc.backtest(lc.Naive(), busy, horizon=7, cutoffs=2).scores


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lc.Croston(alpha=0.0), "alpha must be above 0 and at most 1, got 0"),
        (lambda: lc.SBA(alpha=1.5), "alpha must be above 0 and at most 1, got 1.5"),
        (lambda: lc.TSB(beta=-1), "beta must be above 0 and at most 1, got -1"),
        (
            lambda: lc.DemandBootstrap(memory=1),
            "memory must be from 2 to 400 values, got 1",
        ),
        (
            lambda: lc.DemandBootstrap(memory=2.5),
            r"memory must be from 2 to 400 values, got 2\.5",
        ),
    ],
)
def test_senseless_settings_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
