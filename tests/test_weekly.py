"""Counts in the week that the series of a panel share: that it helps, and what it may know."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.weekly import FEWEST_SERIES, NAME, SharedWeek
from lstmcast.fitted import Fitted
from lstmcast.forecast import NETWORK
from lstmcast.predict import Asked
from lstmcast.pretrained import shipped
from lstmcast.together import forecast_each

WEEK = np.array([0.6, 0.7, 0.8, 1.0, 1.4, 1.7, 0.8])
DAYS, AHEAD = 210, 28


def products(count: int = 12, days: int = DAYS + AHEAD, seed: int = 0):
    """Pieces a day of products that seldom sell, more of them at weekends."""
    rng = np.random.default_rng(seed)
    levels = rng.uniform(0.5, 2.0, count)
    week = np.resize(WEEK, days)
    return rng.poisson(levels[:, None] * week).astype(float), levels[:, None] * week


def panel_of(values, starts="2024-01-01", **options) -> lc.Panel:
    series = {f"product {k}": row for k, row in enumerate(values)}
    options = {"frequency": "D", "kind": "count"} | options
    return lc.Panel.from_arrays(series, start=starts, **options)


def test_the_week_is_that_of_all_series():
    values = 2 * np.tile(np.array([1.0, 2, 3, 4, 5, 6, 7]), (FEWEST_SERIES, 12))
    week = SharedWeek.of(panel_of(values))
    assert week is not None
    np.testing.assert_allclose(week.shape_WD[-1].mean(), 1)
    # weeks begin on a Thursday, as numbers of days do
    np.testing.assert_allclose(4 * week.shape_WD[-1], [4, 5, 6, 7, 1, 2, 3])


@pytest.mark.parametrize(
    "panel",
    [
        panel_of(products(FEWEST_SERIES - 1)[0]),
        panel_of(products()[0], frequency="h"),
        panel_of(products()[0], kind="positive"),
    ],
    ids=["too few", "hours", "no counts"],
)
def test_only_daily_counts_of_some_series_share_a_week(panel):
    assert SharedWeek.of(panel) is None


def test_means_are_nearer_to_what_was_drawn_than_those_without_it(monkeypatch):
    values, mean = products()
    panel = panel_of(values[:, :DAYS])

    def error() -> float:
        paths_SNH = lc.LSTMForecaster(AHEAD).predict(panel).paths()
        return float(np.abs(paths_SNH.mean(axis=1) - mean[:, DAYS:]).mean())

    with_week = error()
    monkeypatch.setattr(SharedWeek, "of", lambda _: None)
    assert with_week < 0.97 * error()


def test_the_share_is_told():
    forecast = lc.LSTMForecaster(AHEAD).predict(panel_of(products()[0]))
    shares = forecast.combination
    assert shares is not None
    own = shares.shares[:, shares.names.index(NAME)]
    assert (own > 0.2).all() and (own < 0.9).all()
    np.testing.assert_allclose(shares.shares.sum(axis=1), 1)
    alone = lc.LSTMForecaster(AHEAD, method="network").predict(panel_of(products()[0]))
    assert alone.combination is None or alone.combination.names == (NETWORK,)


def test_a_series_that_left_its_level_has_little_of_it():
    """The newest eight weeks say nothing of a level that grew fivefold a week ago."""
    values, _ = products()
    values *= 20
    values[0] *= np.exp(0.02 * np.arange(values.shape[1]))
    values[0] = np.rint(values[0])
    combination = lc.LSTMForecaster(AHEAD).predict(panel_of(values)).combination
    assert combination is not None
    own = combination.shares[:, combination.names.index(NAME)]
    assert own[0] < 0.5 * own[1:].min()


def test_nothing_that_comes_later_matters():
    """Of any series, on whichever day of the week they begin."""
    values, _ = products()
    first = np.arange(len(values)) % 7
    starts = [f"2024-01-0{1 + k}" for k in first]
    series = {f"product {k}": row[first[k] :] for k, row in enumerate(values)}
    panel = lc.Panel.from_arrays(series, start=starts, frequency="D", kind="count")
    counts = panel.lengths - AHEAD
    model = lc.LSTMForecaster(7)
    cutoffs = np.stack([counts - 30, counts], axis=1)
    forecast = model.predict(panel, cutoffs=cutoffs)
    alone = model.predict(panel.until(counts), cutoffs=cutoffs)
    np.testing.assert_allclose(forecast.fractional, alone.fractional, rtol=1e-5)
    assert NAME in forecast.combination.names


def test_a_saved_model_goes_on_alike(tmp_path):
    values, _ = products(days=1300)
    panel = panel_of(values)
    model = lc.LSTMForecaster(7)
    model.save(tmp_path / "m", panel.until(panel.lengths - 30))
    went_on = lc.load(tmp_path / "m").predict(panel)
    np.testing.assert_array_equal(went_on.fractional, model.predict(panel).fractional)


@pytest.mark.parametrize("known", [False, True], ids=["alone", "with promotions"])
def test_a_day_on_which_no_product_sells_stays_closed_for_those_that_seldom_do(known):
    values, _ = products()
    days = values.shape[1]
    values[0] = np.random.default_rng(5).random(days) < 0.15
    values[:, 6::7] = 0
    promotion = (np.arange(days + AHEAD) // 7 % 4 == 0).astype(float)
    future = {"promotion": promotion} if known else None
    panel = panel_of(values, future=future)
    answers = lc.LSTMForecaster(AHEAD).predict(panel).fractional
    is_closed_H = (days + np.arange(AHEAD)) % 7 == 6
    assert (answers[:, is_closed_H] == 0).all()
    assert (answers[0, ~is_closed_H, -1] > 0).all()


def test_a_shop_may_open_on_a_day_on_which_it_never_did():
    """Where a column says why nothing was sold on Sundays, and that the next one is open."""
    _, mean = products()
    values = np.random.default_rng(0).poisson(5 * mean).astype(float)
    days = values.shape[1]
    is_open = (np.arange(days + AHEAD) % 7 != 6).astype(float)
    values *= is_open[:days]
    first = days + (6 - days) % 7
    is_open[first] = 1
    panel = panel_of(values, future={"open": is_open})
    answers = lc.LSTMForecaster(AHEAD).predict(panel).fractional
    assert (answers[:, first - days, -1] > 0).all()
    assert (answers[:, first - days + 7] == 0).all()


def test_requests_that_are_read_together_share_no_week():
    panels = [panel_of(products(seed=seed)[0]) for seed in (1, 2)]
    model = Fitted(shipped())
    asked = [Asked(7, None, "direct", "combined")] * 2
    forecasts = forecast_each(model, panels, asked, [(0.1, 0.5, 0.9)] * 2)
    for panel, forecast in zip(panels, forecasts, strict=True):
        alone = lc.LSTMForecaster(7, quantiles=(0.1, 0.5, 0.9)).predict(panel)
        np.testing.assert_allclose(forecast.fractional, alone.fractional, rtol=1e-4)
