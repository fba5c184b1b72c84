"""What Python users write by mistake, and what they are told."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import DataError, OutputError, UsageError

VALUES = 10 + np.arange(48.0) % 12
AHEAD = lc.LSTMForecaster(horizon=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lc.Rollout(), "^Rollout: length is missing.\nRollout: support is"),
        (lambda: lc.TrainingConfig(batching="windows"), r"must be Windows\(…\) or "),
        (lambda: lc.TrainingConfig(average="ema"), r"must be Ema\(…\) or SWA\(…\)\.$"),
        (lambda: lc.TrainingConfig(validation=0.3), r"must be Validation\(…\)\.$"),
        (lambda: lc.TrainingConfig(optimiser="adamm"), "must be 'adamw', 'adam'"),
        (lambda: lc.NetworkConfig(layers=4), r"must be a list, such as \[4\]\.$"),
        (lambda: lc.Transformed(lc.Standard), r"must be Standard\(…\) or MinMax"),
    ],
)
def test_what_a_setting_may_hold_is_said(make, message):
    with pytest.raises(UsageError, match=message):
        make()


def test_an_optimiser_may_be_given_by_its_name():
    assert lc.TrainingConfig(optimiser="sgd").optimiser == lc.Optimiser("sgd")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AHEAD.predict(VALUES, tme="t"), "'tme'. Did you mean 'time'?"),
        (lambda: AHEAD.fit(VALUES, epochs=3), r"'epochs'\..*TrainingConfig\(epochs=50"),
        (lambda: lc.backtest(AHEAD, VALUES, seires="t"), "Did you mean 'series'?"),
        (lambda: AHEAD.predict(VALUES, level=0.8), "level=0.8 is not an interval"),
        (lambda: AHEAD.predict(VALUES).plot("a.png"), r"use plot\(\).savefig"),
        (lambda: AHEAD.predict(VALUES).quantile(0.77), "LSTMForecaster.*quantiles="),
        (lambda: lc.Panel.from_arrays(VALUES, start="2024-01-01"), "frequency='D'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize("empty", [[], np.full(20, np.nan), [[], []]])
def test_arrays_without_values_are_refused(empty):
    with pytest.raises(DataError, match="no value is known"):
        lc.read(empty)


@pytest.mark.parametrize(
    "baseline",
    [lc.Naive(), lc.SeasonalNaive(), lc.HoltWinters(), lc.SBA(), lc.DemandBootstrap()],
    ids=lambda baseline: baseline.name,
)
def test_baselines_read_what_forecasters_read(baseline):
    expected = baseline.predict(lc.read(VALUES), 3).point
    assert (baseline.predict(VALUES, 3).point == expected).all()


def test_a_query_of_a_saved_model_is_read(tmp_path):
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("create table sales (day text, sold real)")
        rows = [(f"2024-01-{day:02}", float(day)) for day in range(1, 31)]
        connection.executemany("insert into sales values (?, ?)", rows)
    connection.close()
    data, query = (
        f"sqlite:///{database}",
        "select * from sales where day > '2024-01-02'",
    )
    AHEAD.save(tmp_path / "model", lc.read(data, query=query))
    again = lc.load(tmp_path / "model").predict(data, query=query)
    assert again.point.shape == (1, 3)


def test_a_folder_where_nothing_can_be_made_is_refused():
    """In /proc and the like, making a folder fails as if its parent were missing."""
    training = lc.TrainingConfig(epochs=1)
    forecaster = lc.LSTMForecaster(horizon=3, training=training)
    with pytest.raises(OutputError, match="cannot be written"):
        forecaster.fit(VALUES, folder="/proc/nothing")


def test_a_total_of_one_step_is_the_forecast_itself():
    forecast = AHEAD.predict(
        lc.Panel.from_arrays(VALUES, frequency="MS", start="2020-01")
    )
    totals = forecast.total("month")
    assert (totals.quantiles == forecast.quantiles[0]).all()
    assert (totals.total == forecast.point[0]).all()


def test_a_forecast_until_a_time_shows_no_later_steps():
    forecast = AHEAD.predict(
        lc.Panel.from_arrays(VALUES, frequency="MS", start="2020-01")
    )
    until = forecast.until("2024-02-01")
    assert len(until) == 2 and "2024-03" not in f"{until!r} {until._repr_html_()}"
    with pytest.raises(UsageError, match="'soon' is not a time such as"):
        forecast.until("soon")
    with pytest.raises(UsageError, match="2 is not a time such as"):
        forecast.until(2)
    assert len(AHEAD.predict(VALUES).until(50)) == 2


def test_results_are_shown_in_short():
    assert repr(lc.anomalies(VALUES)).startswith("Anomalies(1 alert in 47 values")
    assert repr(lc.impute([1.0, np.nan, 3.0, 4.0, 5.0])).endswith("1 value filled)")
    summary = lc.backtest(lc.Naive(3), VALUES, cutoffs=2).summary()
    assert repr(summary) == str(summary)
    config = lc.NetworkConfig((4,), horizon=1)
    assert repr(lc.summary(config)).endswith(" parameters")


def test_data_are_read_wherever_a_panel_is_expected():
    data = {"a": VALUES, "b": VALUES}
    assert lc.with_totals(data).ids.tolist() == ["all", "a", "b"]


def test_a_class_is_no_forecaster():
    with pytest.raises(UsageError, match="is not a forecaster"):
        lc.backtest(lc.LSTMForecaster, VALUES)


def test_baselines_of_a_backtest_may_be_named():
    tested = lc.backtest(AHEAD, VALUES, cutoffs=2, baselines=["Holt-Winters"])
    assert list(tested.summary().scores) == ["lstmcast", "Holt–Winters"]
    with pytest.raises(UsageError, match=r"'best' has no method predict.*AutoETS"):
        lc.backtest(AHEAD, VALUES, baselines=["best"])
