"""Totals: what they sum, what they call it, and whether their intervals hold what they promise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.paths import Dependence


def daily(series: int = 4, days: int = 120, start: str = "2024-01-10") -> lc.Panel:
    """Sales of two stores with some departments, weekly seasons and levels that wander."""
    rng = np.random.default_rng(0)
    week = np.tile([5.0, 6, 7, 8, 9, 14, 12], days // 7 + 1)[:days]
    rows = [
        {
            "store": f"s{k % 2}",
            "item": k,
            "ds": day,
            "y": 10 * week[t] + rng.normal(0, 6),
        }
        for k in range(series)
        for t, day in enumerate(pd.date_range(start, periods=days))
    ]
    return lc.read(pd.DataFrame(rows), time="ds", target="y", series=["store", "item"])


@pytest.fixture(scope="module")
def forecast() -> lc.Forecast:
    return lc.LSTMForecaster(30).predict(daily())


def test_the_horizon_is_summed(forecast):
    totals = forecast.total()
    assert len(totals) == 4 and totals.steps.tolist() == [30] * 4
    np.testing.assert_allclose(totals.total, forecast.point.sum(axis=1), rtol=0.02)
    assert list(totals.columns_dict()) == [
        *("store", "item", "ds", "series", "steps", "complete", "total"),
        *("q0.025", "q0.1", "q0.5", "q0.9", "q0.975"),
    ]


def test_an_interval_of_a_sum_is_narrower_than_the_sum_of_intervals(forecast):
    totals, band = forecast.total(), forecast.interval(80)
    width = totals.quantiles[:, 3] - totals.quantiles[:, 1]
    assert (width < 0.8 * (band.upper - band.lower).sum(axis=1)).all()
    independent = np.sqrt(((band.upper - band.lower) ** 2).sum(axis=1))
    assert (width > 0.8 * independent).all()


def test_calendar_periods_say_what_is_missing_of_them(forecast):
    """The data end on 2024-05-08: of May 23 days are forecast, of June 7."""
    totals = forecast.total("month", by="store")
    assert totals.names["store"].tolist() == ["s0", "s0", "s1", "s1"]
    assert totals.times.astype("datetime64[D]").astype(str).tolist() == [
        *("2024-05-01", "2024-06-01"),
        *("2024-05-01", "2024-06-01"),
    ]
    assert totals.series.tolist() == [2] * 4 and totals.steps.tolist() == [
        46,
        14,
        46,
        14,
    ]
    assert not totals.complete.any() and "(23 steps of it)" in str(totals)
    weeks = forecast.total("week", by="all")
    mondays = weeks.times.astype("datetime64[D]")
    assert (np.is_busday(mondays, "1000000")).all(), "weeks begin on Monday"
    assert (
        weeks.complete.tolist() == [False, True, True, True, False]
        or weeks.complete[1:-1].all()
    )


def test_totals_over_series_at_each_step(forecast):
    totals = forecast.total("step", by="all")
    assert len(totals) == 30 and totals.names == {} and set(totals.series) == {4}
    np.testing.assert_allclose(totals.total, forecast.point.sum(axis=0), rtol=0.03)


def test_a_steps_paths_have_the_quantiles_of_the_forecast(forecast):
    paths = forecast.paths(4000)
    assert paths.shape == (4, 4000, 30)
    for level in forecast.quantile_levels:
        wanted = forecast.quantile(level)
        spread = forecast.quantile(0.9) - forecast.quantile(0.1)
        assert (
            np.abs(np.quantile(paths, level, axis=1) - wanted) < 0.25 * spread
        ).all()


def test_the_paths_of_a_series_do_not_depend_on_those_beside_it(forecast):
    one = forecast.select(str(forecast.ids[2]))
    np.testing.assert_array_equal(one.paths()[0], forecast.paths()[2])
    np.testing.assert_array_equal(one.paths()[0], one.paths()[0])
    assert not np.array_equal(one.paths(), one.paths(seed=1))


def correlations(**given: float) -> Dependence:
    usual = {"lasting": 0.0, "near": 0.0, "together": 0.0, "at_once": 0.0} | given
    return Dependence(*(np.full(4, value) for value in usual.values()))


def test_what_hangs_together_widens_sums(forecast):
    def width(by: str | None, **given: float) -> float:
        totals = replace(forecast, dependence=correlations(**given)).total(by=by)
        return float((totals.quantiles[:, 3] - totals.quantiles[:, 1])[0])

    assert width(None, lasting=0.8) > 2 * width(None)
    assert width(None, near=0.8) > 1.5 * width(None)
    assert width("all", at_once=0.9) > 1.5 * width("all")
    assert width("all", lasting=0.8, together=0.9) > 1.3 * width("all", lasting=0.8)


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_intervals_of_sums_hold_what_they_promise(shared):
    """Random walks, alone or together: sums of 8 steps, of each and of all of them."""
    rng = np.random.default_rng(3)
    series, length, inside, inside_all = 12, 160, [], []
    for _ in range(12):
        common = rng.normal(size=length)
        own = rng.normal(size=(series, length))
        noise = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        values = 200 + 2 * noise.cumsum(axis=1)
        known = {str(i): row[:-8] for i, row in enumerate(values)}
        panel = lc.Panel.from_arrays(known, frequency="D", start="2024-01-01")
        forecast = lc.LSTMForecaster(8).predict(panel)
        actual = values[:, -8:].sum(axis=1)
        for by, sums, found in (
            (None, actual, inside),
            ("all", actual.sum(keepdims=True), inside_all),
        ):
            quantiles = forecast.total(by=by, count=400).quantiles
            found += ((sums >= quantiles[:, 1]) & (sums <= quantiles[:, 3])).tolist()
    assert 0.65 < np.mean(inside) < 0.95
    assert np.mean(inside_all) > 0.5  # of 12


def test_counts_have_no_total_below_zero():
    rng = np.random.default_rng(1)
    panel = lc.Panel.from_arrays(rng.poisson(0.3, 80).astype(float), kind="count")
    totals = lc.LSTMForecaster(7).predict(panel).total()
    assert (totals.quantiles >= 0).all() and totals.total[0] > 0.3


def test_they_are_written_and_read_back(forecast, tmp_path):
    totals = forecast.total("month", by=["store"])
    path = totals.write(tmp_path / "t.csv")
    assert path.read_text("utf-8").startswith(
        "store,ds,series,steps,complete,total,q0.025"
    )
    assert json.loads(totals.to_json())["ds"][0] == "2024-05-01"
    assert isinstance(totals.frame(), pd.DataFrame)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fortnight",), "'fortnight' is not a time span"),
        (
            ("month", "region"),
            "'region' is not a column that names series. There are: 'store', 'item'",
        ),
        (("month", "region"), r"series=\['store', 'item', 'region'\]"),
        (("month", "all", "store"), "'all' sums everything, so it stands alone"),
    ],
)
def test_what_cannot_be_summed_is_refused(forecast, arguments, said):
    span, *by = arguments
    with pytest.raises(lc.UsageError, match=said):
        forecast.total(span, by=by or None)


def test_refusals_that_depend_on_the_forecast(forecast):
    monthly = lc.Panel.from_arrays(np.arange(40.0) + 5, frequency="MS", start="2020-01")
    with pytest.raises(
        lc.UsageError, match=r"each week is not possible: a step .* is longer"
    ):
        lc.Naive(3).predict(monthly).total("week")
    numbered = lc.Panel.from_arrays(np.arange(40.0))
    with pytest.raises(lc.UsageError, match="each month needs dates"):
        lc.Naive(3).predict(numbered).total("month")
    with pytest.raises(
        lc.UsageError, match="need intervals, and the forecast has none"
    ):
        lc.Naive(3, quantiles=()).predict(monthly).total()
    with pytest.raises(lc.UsageError, match="several cutoffs"):
        lc.Naive(3).predict(monthly, cutoffs=np.array([[20, 30]])).total()


def test_steps_after_the_end_are_left_out():
    """Series that end later have fewer rows up to one date."""
    panel = lc.Panel.from_arrays(
        {"a": np.arange(30.0) + 5, "b": np.arange(28.0) + 5},
        frequency="D",
        start="2024-01-01",
    )
    forecast = lc.Naive(6).predict(panel).until(np.datetime64("2024-02-03T23:59"))
    table = forecast.columns_dict()
    assert len(forecast) == len(table["ds"]) == 10
    assert table["unique_id"].tolist() == ["a"] * 4 + ["b"] * 6
    assert table["ds"].max() == np.datetime64("2024-02-03")
    assert forecast.total().steps.tolist() == [4, 6]
    assert forecast.total("step", by="all").series.tolist() == [1, 1, 2, 2, 2, 2]


# ---------------------------------------------------------------- what to order


def test_what_is_enough_covers_so_many_percent_of_paths(forecast):
    totals = forecast.total(service_level=95, lead_time=14)
    assert totals.steps.tolist() == [14] * 4
    sums = forecast.paths()[:, :, :14].sum(axis=2)
    covered = (sums <= totals.order[:, None]).mean(axis=1)
    np.testing.assert_allclose(covered, 0.95, atol=0.02)
    assert (totals.order > totals.total).all()
    assert list(totals.columns_dict())[-1] == "order"
    assert "enough for 95%" in str(totals)


def test_a_higher_service_level_needs_more(forecast):
    orders = [forecast.total(service_level=level).order for level in (50, 90, 99)]
    assert (np.diff(orders, axis=0) > 0).all()


def test_orders_of_counts_are_whole_and_never_below_zero():
    values = np.random.default_rng(0).poisson(0.3, 120).astype(float)
    panel = lc.Panel.from_arrays(
        values, frequency="D", start="2024-01-01", kind="count"
    )
    order = (
        lc.LSTMForecaster(14).predict(panel).total(service_level=90, lead_time=3).order
    )
    assert order[0] >= 0
    assert order[0] == np.rint(order[0])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"service_level": 100}, "cannot be measured"),
        ({"service_level": 3}, "a percentage from 50 to 99.5"),
        (
            {"service_level": 95, "lead_time": 31},
            "the lead time is 31 steps, but only 30 are forecast",
        ),
        (
            {"service_level": 95, "lead_time": 0},
            "the lead time must be at least 1 step, got 0",
        ),
    ],
)
def test_service_levels_that_cannot_be_are_refused(forecast, asked, said):
    with pytest.raises(lc.UsageError, match=said):
        forecast.total(**asked)
