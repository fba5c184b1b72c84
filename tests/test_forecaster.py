"""LSTMForecaster: predict, levels, modes, refusals, and models that are saved and go on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast import store
from lstmcast.errors import DataError, ModelError, OutputError, UsageError
from lstmcast.evaluation.linear import Linear
from lstmcast.fitted import Fitted
from lstmcast.forecaster import LSTMForecaster
from lstmcast.predict import Asked
from lstmcast.pretrained import WEIGHTS
from lstmcast.together import forecast_each

ROOT = Path(__file__).parents[1]
SEASON = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0, 8.0, 9.0, 7.0, 4.0, 3.0, 2.0])


def seasonal(seed: int, length: int, level: float = 20.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    trend = level + 0.05 * np.arange(length) + rng.normal(0, 0.5, length).cumsum() / 4
    return trend + np.resize(SEASON, length) + rng.normal(0, 0.4, length)


def monthly(*series: np.ndarray, start: str = "2000-01", **options) -> lc.Panel:
    named = {f"series {i}": one for i, one in enumerate(series)}
    return lc.Panel.from_arrays(named, frequency="MS", start=start, **options)


def hourly(*series: np.ndarray, hours: int = 0) -> lc.Panel:
    start = np.datetime64("2024-01-01T00", "us") + np.timedelta64(hours, "h")
    return lc.Panel.from_arrays(
        {f"series {i}": one for i, one in enumerate(series)}, frequency="h", start=start
    )


def assert_same(one: lc.Forecast, other: lc.Forecast) -> None:
    """Bit for bit, ids and times too."""
    for name in ("ids", "cutoffs", "times", "point", "quantiles"):
        np.testing.assert_array_equal(
            getattr(one, name), getattr(other, name), err_msg=name
        )


@pytest.fixture(scope="module")
def forecaster() -> LSTMForecaster:
    return LSTMForecaster(horizon=6)


# ---- predict


def test_a_clear_season_is_forecast(forecaster):
    values = 50 + np.resize(SEASON, 96)
    forecast = forecaster.predict(monthly(values), 12)
    np.testing.assert_allclose(forecast.point[0], 50 + SEASON, atol=1.0)
    low, high = forecast.interval(95)[1:]
    assert (low <= forecast.point).all() and (forecast.point <= high).all()


def test_the_forecast_has_the_ids_times_and_columns_of_the_data(forecaster):
    panel = monthly(seasonal(1, 50), seasonal(2, 40))
    forecast = forecaster.predict(panel)
    assert forecast.ids.tolist() == ["series 0", "series 1"] and forecast.horizon == 6
    assert forecast.times[:, 0].astype("datetime64[M]").astype(str).tolist() == [
        "2004-03",
        "2003-05",
    ]
    np.testing.assert_array_equal(forecast.cutoffs, panel.ends)
    assert forecast.columns == panel.columns


def test_the_horizon_may_be_any_number_of_steps(forecaster):
    panel = monthly(seasonal(1, 60))
    for horizon in (1, 24, 25, 60):
        forecast = forecaster.predict(panel, horizon)
        assert (
            forecast.point.shape == (1, horizon)
            and np.isfinite(forecast.quantiles).all()
        )


def test_intervals_are_nested_at_every_step(forecaster):
    rng = np.random.default_rng(3)
    series = [seasonal(seed, int(rng.integers(5, 150))) for seed in range(12)]
    series += [
        rng.poisson(0.4, 60).astype(float),
        np.full(30, 7.0),
        rng.normal(size=80).cumsum(),
    ]
    for mode in ("direct", "recursive", "one-step"):
        quantiles = forecaster.predict(monthly(*series), mode=mode).quantiles
        assert (np.diff(quantiles, axis=-1) >= 0).all(), mode


def test_levels_are_those_asked_for():
    panel = monthly(seasonal(1, 70))
    default = LSTMForecaster(6).predict(panel)
    assert default.quantile_levels == (0.025, 0.1, 0.5, 0.9, 0.975)
    other = LSTMForecaster(6, quantiles=(0.9, 0.05, 0.6)).predict(panel)
    assert other.quantile_levels == (0.05, 0.6, 0.9)
    np.testing.assert_array_equal(other.quantile(0.9), default.quantile(0.9))
    np.testing.assert_array_equal(other.point, default.point)
    assert (default.quantile(0.025) < other.quantile(0.05)).all() and (
        other.quantile(0.05) < default.quantile(0.1)
    ).all()
    assert (default.quantile(0.5) < other.quantile(0.6)).all()
    far = LSTMForecaster(6, quantiles=(0.001, 0.999)).predict(panel)
    assert (far.quantile(0.001) < default.quantile(0.025)).all() and (
        far.quantile(0.999) > default.quantile(0.975)
    ).all()


def test_cutoffs_give_the_forecasts_of_what_was_known_then(forecaster):
    panel = monthly(seasonal(1, 100), seasonal(2, 70))
    counts = np.array([[60, 90], [40, 70]])
    together = forecaster.predict(panel, cutoffs=counts)
    assert together.ids.tolist() == ["series 0", "series 0", "series 1", "series 1"]
    for k in range(2):
        alone = forecaster.predict(panel.until(counts[:, k]))
        np.testing.assert_array_equal(together.times[k::2], alone.times)
        np.testing.assert_allclose(
            together.quantiles[k::2], alone.quantiles, rtol=1e-4, atol=1e-3
        )


def test_later_values_do_not_touch_a_forecast_nor_its_intervals(forecaster):
    values, other = seasonal(1, 100), seasonal(1, 100)
    other[70:] = -1e6
    counts = np.array([[30, 70]])
    assert_same(
        forecaster.predict(monthly(values), cutoffs=counts),
        forecaster.predict(monthly(other), cutoffs=counts),
    )


def test_observed_forecasts_every_known_step_from_those_before(forecaster):
    forecaster = forecaster.replace(method="network")
    panel = monthly(seasonal(1, 60), seasonal(2, 40))
    forecast = forecaster.predict(panel, mode="one-step")
    assert forecast.point.shape == (59 + 39, 1)
    np.testing.assert_array_equal(forecast.times[:59, 0], panel.times(0)[1:])
    for count in (3, 20, 59):
        alone = forecaster.predict(panel, 1, cutoffs=np.array([[count], [5]]))
        assert forecast.point[count - 1, 0] == pytest.approx(
            alone.point[0, 0], rel=1e-4
        )
    error = abs(forecast.point[30:59, 0] - panel.series(0)[31:]).mean()
    assert error < 0.5 * abs(np.diff(panel.series(0))[30:]).mean()


def test_observed_of_single_values_is_empty(forecaster):
    assert len(forecaster.predict(monthly(np.array([5.0])), mode="one-step")) == 0


def test_free_running_equals_direct_at_the_first_step(forecaster):
    """Of the network: in a combination, far steps decide what is made of near ones."""
    panel, forecaster = monthly(seasonal(1, 80)), forecaster.replace(method="network")
    direct, free = (
        forecaster.predict(panel),
        forecaster.predict(panel, mode="recursive"),
    )
    np.testing.assert_allclose(free.point[:, 0], direct.point[:, 0], rtol=1e-6)
    assert (free.point[:, 1:] != direct.point[:, 1:]).all()
    np.testing.assert_allclose(free.point, direct.point, rtol=0.2)


@pytest.mark.parametrize("kind", ["count", "positive"])
def test_counts_and_positive_targets_are_never_negative(forecaster, kind):
    rng = np.random.default_rng(4)
    series = [
        rng.poisson(0.3, 60).astype(float),
        np.arange(60.0, 0.0, -1),
        np.array([0.0, 9.0, 0.0]),
    ]
    for mode in ("direct", "recursive", "one-step"):
        forecast = forecaster.predict(monthly(*series, kind=kind), mode=mode)
        assert (forecast.quantiles >= 0).all() and (forecast.point >= 0).all()
    free = forecaster.predict(monthly(*series), 24)
    assert (free.quantiles < 0).any()  # they would be


def test_a_factor_scales_whole_forecasts(forecaster):
    one = forecaster.predict(monthly(seasonal(1, 80)))
    many = forecaster.predict(monthly(1000 * seasonal(1, 80)))
    np.testing.assert_allclose(many.quantiles, 1000 * one.quantiles, rtol=1e-3)


def test_series_with_negative_values_follow_factor_and_shift(forecaster):
    values = seasonal(1, 80, level=0.0) - 6
    one = forecaster.predict(monthly(values)).quantiles
    other = forecaster.predict(monthly(100 * values - 1e4)).quantiles
    np.testing.assert_allclose((other + 1e4) / 100, one, atol=0.02)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_huge_and_tiny_values(forecaster, size):
    for values in (seasonal(1, 60), seasonal(1, 60) - 25):
        expected = forecaster.predict(monthly(values)).quantiles
        np.testing.assert_allclose(
            forecaster.predict(monthly(size * values)).quantiles / size,
            expected,
            rtol=0.02,
        )


def test_missing_values(forecaster):
    values = seasonal(1, 90)
    values[[3, 30, 31, 60]] = np.nan
    values[-2:] = np.nan
    forecast = forecaster.predict(monthly(values))
    assert np.isfinite(forecast.quantiles).all()
    assert (abs(forecast.point - 30) < 20).all()


def test_short_series_beside_long_ones_get_the_last_value(forecaster):
    forecast = forecaster.predict(
        monthly(seasonal(1, 90), np.array([3.0, 4.0, 8.0]), np.array([5.0]))
    )
    np.testing.assert_allclose(forecast.point[1:], np.repeat([[8.0], [5.0]], 6, axis=1))


def test_a_series_of_which_nothing_is_known_has_no_forecast(forecaster):
    forecast = forecaster.predict(monthly(seasonal(1, 90), np.full(20, np.nan)))
    assert (
        np.isfinite(forecast.quantiles[0]).all()
        and np.isnan(forecast.quantiles[1]).all()
    )


# ---- data of all kinds


CSV = "month,passengers\n" + "".join(
    f"{2000 + i // 12}-{i % 12 + 1:02d},{value:.3f}\n"
    for i, value in enumerate(seasonal(1, 60))
)


def test_predict_reads_files_frames_and_dicts(forecaster, tmp_path):
    import pandas
    import polars

    path = tmp_path / "passengers.csv"
    path.write_text(CSV)
    from_file = forecaster.predict(str(path))
    pandas_frame = pandas.read_csv(path, parse_dates=["month"])
    polars_frame = polars.read_csv(path, try_parse_dates=True)
    columns = {name: pandas_frame[name].to_numpy() for name in pandas_frame}
    for data, kind in (
        (path, dict),
        (pandas_frame, pandas.DataFrame),
        (polars_frame, polars.DataFrame),
        (columns, dict),
    ):
        forecast = forecaster.predict(data)
        np.testing.assert_array_equal(forecast.quantiles, from_file.quantiles)
        np.testing.assert_array_equal(forecast.times, from_file.times)
        frame = forecast.frame()
        assert isinstance(frame, kind) and len(frame["ds"]) == 6


def test_the_shipped_network_forecasts_the_example():
    forecast = LSTMForecaster(12).predict(ROOT / "examples" / "airline.csv")
    assert (abs(forecast.point - 550) < 180).all()
    assert forecast.point.argmax() in (6, 7)  # summer


def test_a_folder_of_weights_may_be_named(tmp_path, forecaster):
    one, _ = store.load(WEIGHTS)
    panel = monthly(seasonal(1, 60))
    alone = forecaster.replace(method="network")
    assert_same(LSTMForecaster(6, weights=WEIGHTS).predict(panel), alone.predict(panel))
    assert one["kind"] == "network"
    with pytest.raises(ModelError, match="nowhere"):
        LSTMForecaster(6, weights=tmp_path / "nowhere")


# ---- refusals


@pytest.mark.parametrize("horizon", [0, -1, 10**9, 2.5, True, None])
def test_senseless_horizons_are_refused_when_the_forecaster_is_made(horizon):
    with pytest.raises(UsageError, match="horizon"):
        LSTMForecaster(horizon)


@pytest.mark.parametrize(
    "levels", [(0.0, 0.5), (0.5, 1.0), (-0.1,), (80,), (float("nan"),)]
)
def test_senseless_levels_are_refused(levels):
    with pytest.raises(UsageError, match="quantiles"):
        LSTMForecaster(6, quantiles=levels)


def test_senseless_calls_are_refused(forecaster, tmp_path):
    panel = monthly(seasonal(1, 30))
    with pytest.raises(
        UsageError, match=r"mode='sideways'.*'direct', 'recursive' or 'one-step'"
    ):
        forecaster.predict(panel, mode="sideways")
    with pytest.raises(UsageError, match="such as 12, got 0"):
        forecaster.predict(panel, 0)
    with pytest.raises(UsageError, match="31 known observations"):
        forecaster.predict(panel, cutoffs=np.array([[31]]))
    with pytest.raises(UsageError, match="cutoffs has shape"):
        forecaster.predict(panel, cutoffs=np.array([20]))
    with pytest.raises(UsageError, match="cutoffs have no effect"):
        forecaster.predict(panel, mode="one-step", cutoffs=np.array([[20]]))
    with pytest.raises(UsageError, match="no data"):
        forecaster.predict()
    with pytest.raises(UsageError, match="has no saved context"):
        forecaster.continued(panel)
    with pytest.raises(DataError, match=r"nothing\.csv"):
        forecaster.predict(tmp_path / "nothing.csv")


# ---- saved models


def saved(panel: lc.Panel, folder: Path, horizon: int = 6) -> LSTMForecaster:
    LSTMForecaster(horizon).save(folder, panel)
    return lc.load(folder)


def test_predict_after_load_is_predict_before(tmp_path):
    panel = monthly(
        seasonal(1, 100),
        seasonal(2, 9),
        np.full(30, 4.0),
        np.append(seasonal(3, 40), np.nan),
    )
    LSTMForecaster(6, quantiles=(0.2, 0.5, 0.8)).save(tmp_path / "model", panel)
    loaded = lc.load(tmp_path / "model")
    assert repr(loaded) == (
        f"LSTMForecaster(horizon=6, weights={str(tmp_path / 'model')!r}, "
        "quantiles=(0.2, 0.5, 0.8), remembers 4 series)"
    )
    assert loaded.quantiles == (0.2, 0.5, 0.8)
    for mode in ("direct", "recursive"):
        expected = LSTMForecaster(6, quantiles=(0.2, 0.5, 0.8)).predict(
            panel, mode=mode
        )
        assert_same(loaded.predict(mode=mode), expected)


def test_a_saved_model_keeps_kind_columns_periods_and_times(tmp_path):
    values = np.random.default_rng(5).poisson(0.4, 60).astype(float)
    panel = lc.Panel.from_arrays(
        {"日本": values},
        frequency="W-WED",
        start="2020-01-01",
        periods=(4, 52),
        kind="count",
    )
    loaded = saved(panel, tmp_path / "model")
    remembered = loaded.saved_context.panel
    assert (remembered.kind, remembered.periods, remembered.frequency) == (
        "count",
        (4, 52),
        panel.frequency,
    )
    assert (
        loaded.predict().ids.tolist() == ["日本"]
        and (loaded.predict().quantiles >= 0).all()
    )


def test_integer_times_survive(tmp_path):
    panel = lc.Panel.from_arrays(seasonal(1, 40), start=100)
    assert saved(panel, tmp_path / "model").predict().times.tolist() == [
        list(range(140, 146))
    ]


@pytest.mark.parametrize("length", [30, 100, 1100, 1535, 2600])
def test_newer_data_continue_as_if_the_whole_history_were_there(tmp_path, length):
    """Bit for bit, for several series, whatever stands where in the blocks that a forecast
    reads."""
    whole = [
        seasonal(1, length + 7),
        np.exp(seasonal(2, length + 7) / 10),
        seasonal(3, length + 7) - 25,
    ]
    loaded = saved(hourly(*(one[:length] for one in whole)), tmp_path / "model")
    newer = hourly(*(one[length:] for one in whole), hours=length)
    assert_same(loaded.predict(newer), LSTMForecaster(6).predict(hourly(*whole)))
    assert loaded.continued(newer).restarted == ()


def test_what_is_remembered_is_bounded(tmp_path):
    loaded = saved(hourly(seasonal(1, 40_000)), tmp_path / "model")
    assert len(loaded.saved_context.panel.values) < 2000
    assert_same(
        loaded.predict(), LSTMForecaster(6).predict(hourly(seasonal(1, 40_000)))
    )


@pytest.mark.parametrize("length", [300, 3000])
def test_a_long_horizon_needs_a_longer_memory(tmp_path, length):
    panel = hourly(seasonal(1, length))
    assert_same(
        saved(panel, tmp_path / "model", horizon=200).predict(),
        LSTMForecaster(200).predict(panel),
    )


def test_a_model_that_went_on_may_be_saved_and_go_on_again(tmp_path):
    values = seasonal(1, 1300)
    loaded = saved(hourly(values[:1200]), tmp_path / "model")
    loaded.save(tmp_path / "model", hourly(values[1200:1250], hours=1200))
    again = lc.load(tmp_path / "model")
    assert_same(
        again.predict(hourly(values[1250:], hours=1250)),
        LSTMForecaster(6).predict(hourly(values)),
    )


@pytest.mark.parametrize("length", [30, 700, 1535])
@pytest.mark.parametrize("gap", [1, 5, 27])
def test_a_gap_is_masked_as_it_is_inside_of_a_file(tmp_path, caplog, length, gap):
    """Bit for bit what the whole history with that gap gives."""
    whole = [seasonal(k, length + 40) for k in (1, 2, 3)]
    for values in whole:
        values[length : length + gap] = np.nan
    loaded = saved(hourly(*(values[:length] for values in whole)), tmp_path / "model")
    newer = hourly(*(values[length + gap :] for values in whole), hours=length + gap)
    continuation = loaded.continued(newer)
    assert len(continuation.continued) == 3
    warned = [finding.message for finding in continuation.panel.check().warnings]
    steps = "1 step is" if gap == 1 else f"{gap} steps are"
    assert any(
        text.startswith(f"series 'series 0': {steps} missing between the saved end")
        for text in warned
    )
    with caplog.at_level(logging.WARNING, logger="lstmcast"):
        assert_same(loaded.predict(newer), LSTMForecaster(6).predict(hourly(*whole)))
    assert "masked" in caplog.text


def test_values_missing_at_the_head_of_newer_data_are_masked(tmp_path):
    values = seasonal(1, 70)
    values[60:63] = np.nan
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    for newer in (
        monthly(values[60:], start="2005-01"),
        monthly(values[63:], start="2005-04"),
    ):
        assert_same(loaded.predict(newer), LSTMForecaster(6).predict(monthly(values)))


# four weeks, and no more than is remembered
@pytest.mark.parametrize(("length", "most"), [(100, 28), (20, 20)])
def test_a_long_gap_starts_afresh_and_says_why(tmp_path, caplog, length, most):
    panel = lc.Panel.from_arrays(seasonal(1, length), frequency="D", start="2024-01-01")
    loaded = saved(panel, tmp_path / "model")
    near, far = (
        lc.Panel.from_arrays(
            seasonal(2, 40),
            frequency="D",
            start=panel.ends[0] + np.timedelta64(1 + steps, "D"),
        )
        for steps in (most, most + 1)
    )
    assert loaded.continued(near).restarted == ()
    with caplog.at_level(logging.INFO, logger="lstmcast"):
        forecast = loaded.predict(far)
    assert_same(forecast, LSTMForecaster(6).predict(far))
    assert (
        f"series 'y': started from scratch, as {most + 1} steps are missing between the saved end"
        in caplog.text
    )


def test_times_without_a_row_do_not_erase_what_is_remembered(tmp_path):
    values = seasonal(1, 61)
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    values[40] += 5
    patch = np.full(21, np.nan)
    patch[[0, -1]] = values[[40, 60]]
    newer = monthly(patch, start="2003-05")
    assert "values of 19 steps are saved, and the data have none there" in str(
        loaded.continued(newer).findings
    )
    assert_same(loaded.predict(newer), LSTMForecaster(6).predict(monthly(values)))


def test_a_correction_from_before_what_is_remembered_does_not_erase_it(tmp_path):
    values = seasonal(1, 3001)
    loaded = saved(hourly(values[:3000]), tmp_path / "model")
    patch = np.full(2901, np.nan)
    patch[[0, -1]] = -7, values[3000]
    newer = hourly(patch, hours=100)
    assert loaded.continued(newer).continued == ("series 0",)
    assert_same(loaded.predict(newer), LSTMForecaster(6).predict(hourly(values)))


def test_old_data_correct_what_is_remembered_and_end_nothing(tmp_path):
    values = seasonal(1, 60)
    loaded = saved(monthly(values), tmp_path / "model")
    values[50:53] += 3
    newer = monthly(values[50:53], start="2004-03")
    assert (
        "the data end at 2004-05-01, 7 steps before the saved end (2004-12-01)"
        in str(loaded.continued(newer).findings)
    )
    assert_same(loaded.predict(newer), LSTMForecaster(6).predict(monthly(values)))


def test_an_earlier_time_is_forecast_again_where_all_up_to_it_is_given(tmp_path):
    values = seasonal(1, 60)
    loaded = saved(monthly(values), tmp_path / "model")
    earlier = monthly(values).until([50])
    assert [
        finding.rule for finding in loaded.continued(earlier).findings.warnings
    ] == ["old data"]
    assert_same(loaded.predict(earlier), LSTMForecaster(6).predict(earlier))


def test_cutoffs_count_the_values_of_the_data(tmp_path):
    values = seasonal(1, 66)
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    newer = monthly(values[60:], start="2005-01")
    at = loaded.predict(newer, cutoffs=np.array([[1, 6]]))
    assert_same(
        at, LSTMForecaster(6).predict(monthly(values), cutoffs=np.array([[61, 66]]))
    )
    for wrong in ([[7]], [[0]], [1]):
        with pytest.raises(UsageError, match=r"cutoffs|observations"):
            loaded.predict(newer, cutoffs=np.array(wrong))


def test_what_was_joined_can_be_forecast(tmp_path):
    values = seasonal(1, 66)
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    newer = monthly(values[60:], start="2005-01")
    assert_same(loaded.predict(loaded.continued(newer)), loaded.predict(newer))


def test_revised_values_count_where_the_data_overlap(tmp_path):
    values = seasonal(1, 80)
    revised = values.copy()
    revised[50:] += 3.0
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    newer = monthly(revised[50:], start="2004-03")
    assert loaded.continued(newer).continued == ("series 0",)
    assert_same(
        loaded.predict(newer),
        LSTMForecaster(6).predict(monthly(np.append(values[:50], revised[50:]))),
    )


def test_data_that_reach_back_as_far_stand_for_themselves(tmp_path):
    values = seasonal(1, 80)
    loaded = saved(monthly(values[:60]), tmp_path / "model")
    continuation = loaded.continued(monthly(values))
    assert continuation.restarted == ("series 0",) and "reach back" in str(continuation)
    assert_same(
        loaded.predict(monthly(values)), LSTMForecaster(6).predict(monthly(values))
    )


def test_new_and_missing_series(tmp_path):
    loaded = saved(monthly(seasonal(1, 60), seasonal(2, 60)), tmp_path / "model")
    newer = lc.Panel.from_arrays(
        {"series 1": seasonal(2, 70)[60:], "another": seasonal(3, 40)},
        frequency="MS",
        start="2005-01",
    )
    continuation = loaded.continued(newer)
    assert continuation.continued == ("series 1",) and continuation.restarted == (
        "another",
    )
    assert continuation.absent == ("series 0",)
    assert "series 'series 0' of the saved model: not in the data, no forecast" in str(
        continuation
    )
    assert "'another': started from scratch, they are new" in str(continuation)
    assert loaded.predict(newer).ids.tolist() == ["series 1", "another"]


def test_data_of_another_frequency_or_season_are_refused(tmp_path):
    loaded = saved(monthly(seasonal(1, 60)), tmp_path / "model")
    with pytest.raises(ModelError, match=r"The data are hourly.*monthly"):
        loaded.predict(hourly(seasonal(1, 60)))
    with pytest.raises(ModelError, match=r"seasonal periods \(6,\).*\(12,\)"):
        loaded.predict(monthly(seasonal(1, 60), start="2005-01", periods=(6,)))


def test_times_off_the_saved_grid_start_afresh(tmp_path):
    loaded = saved(hourly(seasonal(1, 60)), tmp_path / "model")
    shifted = lc.Panel.from_arrays(
        {"series 0": seasonal(2, 30)}, frequency="h", start="2024-01-03T12:30"
    )
    assert "not on the saved grid" in str(loaded.continued(shifted))


@pytest.mark.parametrize("name", ["adaptive", "transformed"])
def test_a_model_of_format_1_is_saved_as_one_of_format_2(name, tmp_path):
    """The folders of the golden file: format 1 calls quantiles levels, and more besides."""
    old = lc.load(ROOT / "tests" / "golden" / name)
    old.save(tmp_path / "model")
    manifest, groups = store.load(tmp_path / "model")
    assert manifest["format_version"] == 2 and "levels" not in manifest
    assert (
        manifest["quantiles"]
        == list(old.quantiles)
        == [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
    )
    assert manifest["trained"]["initial_weights"] == "scratch" and "fitted" in groups
    assert "batching" in manifest["training"] and "regime" not in manifest["training"]
    new = lc.load(tmp_path / "model")
    assert_same(new.predict(), old.predict())
    assert new.record.training == old.record.training and new.history == old.history
    assert new.trained_ends == old.trained_ends and new.seed == old.seed
    np.testing.assert_array_equal(new.fitted.factors_HI, old.fitted.factors_HI)


@pytest.mark.parametrize("name", ["adaptive", "transformed"])
def test_weights_of_a_folder_of_format_1_know_what_they_have_seen(name):
    folder = ROOT / "tests" / "golden" / name
    start = LSTMForecaster(6, weights=folder)
    assert (
        start.trained_ends == lc.load(folder).trained_ends
        and len(start.trained_ends) == 3
    )


def test_a_folder_that_holds_no_forecaster_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds a network, not a saved forecaster"):
        lc.load(WEIGHTS)
    with pytest.raises(ModelError, match="no folder"):
        lc.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "key",
    [
        "horizon",
        "quantiles",
        "frequency",
        "periods",
        "columns",
        "network",
        "target_kind",
    ],
)
def test_an_incomplete_manifest_is_refused(tmp_path, key):
    saved(monthly(seasonal(1, 30)), tmp_path / "model")
    manifest, arrays = store.load(tmp_path / "model")
    del manifest[key]
    store.save(tmp_path / "model", manifest, arrays)
    with pytest.raises(ModelError, match=key):
        lc.load(tmp_path / "model")


def test_a_model_cannot_replace_something_else(tmp_path, forecaster):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep me")
    with pytest.raises(OutputError, match="left alone"):
        forecaster.save(tmp_path / "notes", monthly(seasonal(1, 30)))
    assert (tmp_path / "notes" / "mine.txt").read_text() == "keep me"


# ---- without PyTorch

WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is not installed here")

sys.meta_path.insert(0, Refuse())
import lstmcast as lc

forecaster = lc.LSTMForecaster(horizon=3)
forecaster.save(sys.argv[2], sys.argv[1])
print(lc.load(sys.argv[2]).predict().point.shape)
heavy = {"torch", "pandas", "polars", "pyarrow", "matplotlib", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_package_predicts_without_pytorch_installed(tmp_path):
    command = [
        sys.executable,
        "-c",
        WITHOUT_TORCH,
        str(ROOT / "examples" / "airline.csv"),
        str(tmp_path / "model"),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(1, 3)"


def test_intervals_of_positive_series_stay_positive_after_a_shock():
    values = np.concatenate(
        [np.full(30, 20.0) + np.arange(30) % 3, [400.0, 380.0, 21.0, 20.0]]
    )
    forecast = LSTMForecaster(12).predict(
        lc.Panel.from_arrays(values, frequency="MS", start="2020-01")
    )
    assert (forecast.quantiles > 0).all()


def test_levels_of_the_wrong_type_are_refused():
    for levels in (0.5, ["a"]):
        with pytest.raises(lc.UsageError, match="A list is expected"):
            LSTMForecaster(3, quantiles=levels)


@pytest.mark.parametrize(
    ("old", "new"), [("free", "recursive"), ("observed", "one-step")]
)
def test_old_names_of_modes_are_taken_with_a_note(old, new):
    model, panel = LSTMForecaster(3), monthly(seasonal(0, 60))
    with pytest.warns(DeprecationWarning, match=f"now called '{new}'"):
        before = model.predict(panel, mode=old)
    np.testing.assert_array_equal(before.point, model.predict(panel, mode=new).point)


# ---------------------------------------------------------------- several panels in one pass


def asked_of(model: LSTMForecaster, *horizons: int) -> list[Asked]:
    return [Asked(horizon, None, "direct", model.method) for horizon in horizons]


def alone_and_together(model: LSTMForecaster, panels: list[lc.Panel], *horizons: int):
    alone = [
        model.predict(panel, steps)
        for panel, steps in zip(panels, horizons, strict=True)
    ]
    asked = asked_of(model, *horizons)
    return zip(
        alone,
        forecast_each(model.model, panels, asked, [model.quantiles] * len(panels)),
        strict=True,
    )


def test_panels_that_are_read_in_one_pass_are_forecast_as_if_alone():
    counts = np.round(np.maximum(seasonal(3, 90) - 22, 0))
    panels = [
        monthly(seasonal(1, 60)),
        # two in one panel share their calibration
        monthly(seasonal(2, 75), seasonal(5, 40)),
        lc.read({"ds": np.arange(1, 91), "y": counts}, kind="count"),
        hourly(seasonal(4, 300)),
        lc.Panel.from_arrays([5.0, 6.0, 5.5, 6.2]),
    ]
    model = LSTMForecaster(horizon=12)
    for alone, together in alone_and_together(model, panels, 12, 12, 12, 30, 3):
        assert together.point == pytest.approx(alone.point, rel=1e-4, abs=1e-6)
        assert together.quantiles == pytest.approx(alone.quantiles, rel=1e-4, abs=1e-6)
        assert together.ids.tolist() == alone.ids.tolist()
        assert together.times.tolist() == alone.times.tolist()
        assert together.combination.names == alone.combination.names
        np.testing.assert_allclose(
            together.combination.shares, alone.combination.shares, rtol=1e-4
        )
        np.testing.assert_allclose(together.dependence, alone.dependence, rtol=1e-4)


def test_panels_that_are_alike_are_weighed_in_one_pass(monkeypatch):
    """Also where one of them is too short for most of the simple forecasts."""
    asked, points = [], Linear.points
    monkeypatch.setattr(
        Linear, "points", lambda *given: asked.append(1) or points(*given)
    )
    model = LSTMForecaster(horizon=3)
    panels = [monthly(seasonal(k, 50 + k)) for k in range(3)] + [
        monthly(seasonal(9, 5))
    ]
    requests = asked_of(model, 3, 3, 3, 3)
    *_, whole, short = forecast_each(
        model.model, panels, requests, [model.quantiles] * 4
    )
    assert len(asked) == 1
    assert short.combination.names == model.predict(panels[-1]).combination.names
    assert len(short.combination.names) < len(whole.combination.names)


def test_panels_that_are_alike_are_read_in_one_pass(monkeypatch):
    passes = []
    decode = Fitted.decode

    def counted(self, panel, *rest):
        passes.append(len(panel))
        return decode(self, panel, *rest)

    monkeypatch.setattr(Fitted, "decode", counted)
    model = LSTMForecaster(horizon=3)
    panels = [monthly(seasonal(k, 50 + k)) for k in range(4)] + [
        hourly(seasonal(9, 50))
    ]
    forecast_each(
        model.model,
        panels,
        asked_of(model, 3, 3, 5, 3, 3),
        [model.quantiles] * len(panels),
    )
    assert sorted(passes) == [1, 4]  # 3 steps and 5 are answered by the same pass


def test_a_panel_alone_is_forecast_to_the_same_bits():
    panel, model = monthly(seasonal(1, 60)), LSTMForecaster(horizon=3)
    [only] = forecast_each(model.model, [panel], asked_of(model, 3), [model.quantiles])
    assert only.point.tolist() == model.predict(panel).point.tolist()


def test_panels_whose_times_do_not_all_occur_are_read_in_one_pass_too():
    days = np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]")
    open_days = days[(days.astype(int) + 3) % 7 != 6]  # never on Sundays
    panels = [
        lc.read(
            {"ds": open_days, "y": seasonal(k, len(open_days))}, calendar="observed"
        )
        for k in range(2)
    ]
    model = LSTMForecaster(horizon=9)
    for alone, together in alone_and_together(model, panels, 9, 9):
        assert together.times.tolist() == alone.times.tolist()
        assert together.point == pytest.approx(alone.point, rel=1e-4)
