"""Missing values filled from both sides, outliers masked by what was known, no hindsight where
accuracy is measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from builders import with_open_ends
from lstmcast.data.panel import Panel
from lstmcast.imputing.gaps import backwards, gaps_of
from lstmcast.imputing.weights import line, places_for, season
from lstmcast.jobs import BacktestJob, ForecastJob, Repairs, Source


def monthly(**series) -> Panel:
    return Panel.from_arrays(series, frequency="MS", start="2012-01")


def wave(length: int = 120, noise: float = 1.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (
        100
        + 15 * np.sin(np.arange(length) / 6 * np.pi)
        + noise * rng.normal(size=length)
    )


@pytest.fixture(scope="module")
def truth():
    return monthly(**{f"s{k}": wave(seed=k) for k in range(6)})


@pytest.fixture(scope="module")
def holes(truth):
    """Gaps of three months, and of one."""
    values = truth.values.copy()
    for series in range(6):
        for first, length in ((30, 3), (47, 1), (61, 3), (80, 1), (95, 3)):
            values[truth.offsets[series] + first + np.arange(length)] = np.nan
    return replace(truth, values=values)


@pytest.fixture(scope="module")
def imputed(holes):
    return lc.impute(holes)


def test_fills_are_nearer_than_a_line_and_than_a_forecast(truth, holes, imputed):
    missing = np.isnan(holes.values)
    np.testing.assert_array_equal(imputed.filled, missing)
    error = np.abs(imputed.panel.values - truth.values)[missing].mean()
    by_line = np.abs(line(holes) - truth.values)[missing].mean()
    assert error < 0.8 * by_line
    forecast = np.abs(season(holes) - truth.values)[missing].mean()
    assert error < 1.15 * forecast


def test_known_values_stay_as_they_are(holes, imputed):
    known = np.isfinite(holes.values)
    np.testing.assert_array_equal(imputed.panel.values[known], holes.values[known])
    assert np.isfinite(imputed.panel.values).all()


def test_intervals_contain_about_what_they_promise(truth, imputed):
    actual = truth.values[imputed.filled]
    for lower, level in ((0, 0.95), (1, 0.8)):
        low, high = imputed.quantiles[:, lower], imputed.quantiles[:, -1 - lower]
        assert abs(np.mean((low <= actual) & (actual <= high)) - level) < 0.15
    assert (np.diff(imputed.quantiles, axis=1) >= 0).all()


def test_an_end_is_filled_from_the_side_that_there_is():
    values = wave()
    values[:4], values[-3:] = np.nan, np.nan
    filled = lc.impute(
        with_open_ends({"a": values}, frequency="MS", start="2012-01")
    ).panel.values
    np.testing.assert_allclose(
        filled[[0, 1, 2, 3, -3, -2, -1]],
        wave(noise=0)[[0, 1, 2, 3, -3, -2, -1]],
        atol=6,
    )


def test_a_series_without_values_stays_unknown_and_one_without_gaps_too():
    panel = monthly(a=wave(), b=np.full(120, np.nan))
    result = lc.impute(panel)
    assert not result.filled.any()
    np.testing.assert_array_equal(result.panel.values, panel.values)


def test_times_that_do_not_occur_are_not_filled():
    values = wave(140)
    values[np.arange(140) % 7 == 6] = np.nan  # Sundays
    values[71] = np.nan
    panel = Panel.from_arrays(
        {"shop": values}, frequency="D", start="2024-01-01", calendar="observed"
    )
    assert np.flatnonzero(lc.impute(panel).filled).tolist() == [71]


def test_counts_are_filled_with_counts():
    values = np.random.default_rng(0).poisson(0.4, 120).astype(float)
    values[[20, 50, 51, 52]] = np.nan
    panel = Panel.from_arrays(
        {"sold": values}, frequency="MS", start="2012-01", kind="count"
    )
    result = lc.impute(panel)
    assert (result.panel.values % 1 == 0).all()
    assert result.quantiles.min() >= 0


def test_a_few_values_are_enough():
    result = lc.impute(monthly(a=[1.0, np.nan, 3.0]))
    assert 1 <= result.panel.values[1] <= 3


def test_the_same_however_series_are_ordered(holes, imputed):
    order = holes.ids[::-1]
    again = lc.impute(holes.select(order))
    for row, name in enumerate(order):
        place = holes.ids.tolist().index(name)
        np.testing.assert_allclose(
            again.panel.series(row), imputed.panel.series(place), rtol=1e-6
        )


def test_tables_say_what_was_filled(imputed, tmp_path):
    frame = imputed.to_pandas(only_filled=True)
    assert len(frame) == imputed.filled.sum()
    assert frame.columns.tolist()[:5] == ["series", "time", "value", "filled", "q0.025"]
    np.testing.assert_array_equal(frame["q0.5"], frame["value"])
    imputed.save(tmp_path / "filled.csv")
    assert (
        lc.read(tmp_path / "filled.csv", target="value", series="series").values.size
        == 720
    )
    assert str(imputed) == "66 of 720 values were missing and were filled"


def test_networks_of_several_columns_are_refused():
    network = lc.NetworkConfig(inputs=lc.Running(columns=2), horizon=1)
    model = lc.LSTMForecaster(1, weights="scratch", network=network)
    with pytest.raises(lc.UsageError):
        lc.impute(monthly(a=wave()), model)


# ---------------------------------------------------------------- gaps


def test_gaps_do_not_reach_over_the_end_of_a_series():
    panel = with_open_ends({"a": [1.0, np.nan], "b": [np.nan, np.nan, 2.0]})
    gaps = gaps_of(panel)
    assert [part.tolist() for part in gaps] == [[0, 1], [1, 0], [1, 2]]
    assert gaps.places(panel.offsets).tolist() == [1, 2, 3]
    assert backwards(panel).series(1)[0] == 2.0
    assert np.isnan(line(panel)[[1, 2, 3]]).all()


def test_gaps_are_made_between_known_values_alone(holes):
    made = places_for(holes, 3, 1)
    at = made.places(holes.offsets).reshape(-1, 3)
    assert len(at) > 12
    assert np.isfinite(
        holes.values[np.column_stack([at[:, 0] - 1, at, at[:, -1] + 1])]
    ).all()


# ---------------------------------------------------------------- before a forecast


def spoilt() -> Panel:
    values = wave(240)
    values[100] = 400.0  # an outlier in what is known
    values[236] = 300.0  # one in the part that is held out
    values[[50, 51]] = np.nan
    return monthly(a=values)


def events():
    told: list = []
    return told, told.append


def test_masks_know_nothing_of_what_comes_later():
    panel, (told, notify) = spoilt(), events()
    masked = Repairs("mask").masked(panel, notify)
    assert np.isnan(masked.values[[100, 236]]).all()
    assert "masked" in told[0].text
    for count in (101, 150, 237):
        before = Repairs("mask").masked(panel.until([count]), notify)
        np.testing.assert_array_equal(before.values, masked.values[:count])


def test_held_out_values_are_compared_as_they_came():
    panel, (_, notify) = spoilt(), events()
    job = BacktestJob(
        lc.LSTMForecaster(6), Source(panel), cutoffs=2, repairs=Repairs("mask")
    )
    tested = job.run(notify).backtest
    # 300 among them
    np.testing.assert_array_equal(tested.actual.ravel()[-6:], panel.values[-6:])
    plain = BacktestJob(lc.LSTMForecaster(6), Source(panel), cutoffs=2).run().backtest
    np.testing.assert_array_equal(tested.actual, plain.actual)


def test_findings_say_that_missing_values_are_filled_in():
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    sold = np.where(np.arange(60) % 25 == 8, np.nan, 100.0 + np.arange(60) % 7)
    source = Source({"day": days, "sold": sold}, target="sold")
    for missing, words in ((True, "They are filled in"), (False, "They are masked")):
        told, notify = events()
        job = ForecastJob(
            lc.LSTMForecaster(3), source, cutoffs=0, repairs=Repairs("keep", missing)
        )
        result = job.run(notify)
        for panel in (told[0].panel, result.panel):
            assert words in panel.check()[0].action


@pytest.mark.parametrize(
    "repairs, action",
    [
        (Repairs(), "Nothing is changed."),
        (Repairs("mask"), "Values that the network considers outliers are masked."),
        (Repairs("repair"), "Values that the network considers outliers are repaired."),
    ],
)
def test_findings_say_what_is_done_about_outliers(repairs, action):
    panel = repairs.announced(spoilt())
    assert action in [finding.action for finding in panel.check()]


def test_findings_about_panels_say_that_missing_values_are_filled_in():
    panel = Repairs(missing=True).announced(monthly(a=[1.0, np.nan, 3, 4]))
    actions = [finding.action for finding in panel.check()]
    assert "It is filled in with estimates of the network." in actions


def test_repairs_are_forecast_from_and_not_measured_by():
    panel, (told, notify) = spoilt(), events()
    how = {"cutoffs": 2, "baselines": False}
    job = ForecastJob(
        lc.LSTMForecaster(6), Source(panel), **how, repairs=Repairs("repair", True)
    )
    result = job.run(notify)
    assert np.isfinite(result.panel.values).all()
    assert abs(result.panel.values[236] - 100) < 40
    masked = ForecastJob(
        lc.LSTMForecaster(6), Source(panel), **how, repairs=Repairs("mask")
    ).run()
    np.testing.assert_array_equal(
        result.backtest.forecasts["lstmcast"].point,
        masked.backtest.forecasts["lstmcast"].point,
    )
    assert any(
        "2 missing values filled in" in getattr(event, "text", "") for event in told
    )
    only = ForecastJob(
        lc.LSTMForecaster(6), Source(panel), **how, repairs=Repairs("repair")
    ).run()
    assert np.isnan(only.panel.values[[50, 51]]).all()


def test_hindsight_is_refused_in_a_backtest():
    for repairs in (Repairs("repair"), Repairs(missing=True)):
        with pytest.raises(lc.UsageError, match="which a backtest must not know"):
            BacktestJob(lc.LSTMForecaster(6), Source(spoilt()), repairs=repairs)
    with pytest.raises(lc.UsageError, match="Choose one of: keep, mask, repair"):
        Repairs("drop")  # type: ignore[arg-type]


def test_truth_has_the_series_and_times_of_the_data():
    panel = spoilt()
    with pytest.raises(lc.UsageError, match="different series or times"):
        lc.backtest(lc.LSTMForecaster(6), panel, truth=panel.until([200]))


def test_commands_say_where_missing_values_are_not_filled(run, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(
        "ds,y\n" + "".join(f"2020-01-{day:02},{day}\n" for day in range(1, 29))
    )
    done = run("check", path, "--missing", "model")
    assert done.status == 2
    assert "lstmcast.impute(data)" in done.err
    done = run("backtest", path, "-H", 2, "--missing", "model")
    assert done.status == 2
    assert "a backtest must not know" in done.err
    done = run("forecast", path, "-H", 2, "--outliers", "drop")
    assert done.status == 2


def test_check_lists_surprising_values_where_it_is_asked_to(run, tmp_path):
    values = np.random.default_rng(0).normal(100, 1, 900)
    values[800] = 130
    days = np.arange("2020-01-01", "2022-06-19", dtype="datetime64[D]")
    path = tmp_path / "data.csv"
    path.write_text(
        "ds,y\n" + "".join(f"{d},{v}\n" for d, v in zip(days, values, strict=True))
    )
    done = run("check", path, "--anomalies")
    assert done.status == 0
    assert "130" in done.out
    assert "alerts in 899 values" in done.out
    assert "alert" not in run("check", path).out
    document = json.loads(run("check", path, "--anomalies", "--json").out)
    assert document["anomalies"]["alerts"][-1]["value"] == 130.0


@pytest.mark.parametrize("repair", [lc.impute, lc.mask_outliers, lc.anomalies])
def test_models_without_a_network_are_refused(repair):
    with pytest.raises(lc.UsageError, match=r"model=Croston\(.* has no network"):
        repair(lc.Panel.from_arrays([1.0, np.nan, 2.0]), lc.Croston())
