"""Times that are nearly on a grid, periods of pandas, zones of hourly data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.errors import DataError


def values(times) -> pd.DataFrame:
    return pd.DataFrame({"ds": times, "y": 100.0 + np.arange(len(times)) % 7})


def jittered(seconds: int, step: int = 600, first: str = "2024-01-01") -> pd.DataFrame:
    off = np.random.default_rng(0).integers(-seconds, seconds + 1, 200)
    return values(
        pd.Timestamp(first) + pd.to_timedelta(np.arange(200) * step + off, unit="s")
    )


@pytest.mark.parametrize("first", ["2024-01-01", "2024-01-01 00:03:07"])
def test_clocks_that_are_seconds_off_are_read_on_their_grid(first):
    panel = lc.read(jittered(3, first=first))
    assert panel.frequency.code == "10min" and len(panel.values) == 200
    assert not np.isnan(panel.values).any()
    assert (
        "times are up to 3 s off a grid of 10 minutes. They are rounded to it"
        in str(panel.report.findings)
        or first.endswith("07")
    )


def test_clocks_that_are_far_off_are_refused():
    with pytest.raises(DataError, match="have no regular frequency"):
        lc.read(jittered(60))


def test_one_wrong_time_stays_an_error():
    frame = jittered(0)
    frame.loc[5, "ds"] += pd.Timedelta(seconds=3)
    with pytest.raises(DataError, match="1 of 200 times is not every 10 minutes"):
        lc.read(frame)


def test_last_trading_days_that_a_holiday_moves():
    times = pd.date_range("2018-01-31", periods=80, freq="BME").to_series(
        index=range(80)
    )
    times[times == "2018-03-30"] = pd.Timestamp("2018-03-29")  # Good Friday
    panel = lc.read(values(times))
    assert panel.frequency.name == "monthly (business month ends)"
    assert "1 of 80 times is not the end business day of their month" in str(
        panel.check()
    )
    forecast = lc.LSTMForecaster(2).predict(panel)
    expected = ["2024-09-30", "2024-10-31"]
    assert forecast.times[0].astype("datetime64[D]").astype(str).tolist() == expected


@pytest.mark.parametrize("code", ["BME", "BMS", "BQE", "SMS", "SME"])
def test_saved_models_go_on_with_business_months(code, tmp_path):
    times = pd.date_range("2015-01-01", periods=60, freq=code)
    lc.LSTMForecaster(2).save(tmp_path / "m", values(times[:58]))
    newest = lc.load(tmp_path / "m").predict(values(times)[58:])
    following = pd.date_range(times[-1], periods=3, freq=code)[1:]
    assert (pd.DatetimeIndex(newest.times[0]) == following).all()


@pytest.mark.parametrize(
    ("freq", "first"),
    [("Q-MAR", "2015Q1"), ("Y-JUN", "2000"), ("W-SUN", "2020"), ("W-WED", "2020")],
)
def test_periods_begin_where_pandas_has_them(freq, first):
    periods = pd.period_range(first, periods=32, freq=freq)
    for frame in (values(periods), values(periods).set_index("ds")):
        panel = lc.read(frame)
        assert panel.starts[0] == periods[0].start_time.to_datetime64()
        after = panel.frequency.advance(panel.ends, 1)[0]
        assert after == (periods[-1] + 1).start_time.to_datetime64()


@pytest.mark.parametrize("anchor", ["SUN", "MON", "WED"])
def test_weeks_are_those_of_pandas(anchor):
    days = values(pd.date_range("2024-01-01", "2024-04-30"))
    panel = lc.read(days, aggregate="sum", frequency=f"W-{anchor}")
    expected = days.set_index("ds").y.resample(f"W-{anchor}").sum()
    shared = pd.Series(panel.values, panel.times(0)).reindex(expected.index)
    assert (shared.dropna() == expected[shared.notna()]).all() and len(
        shared.dropna()
    ) > 14
    assert "weeks are those from" in str(panel.check())


def test_hours_of_a_zone_are_steps_of_utc_inside():
    times = pd.date_range("2024-03-01", periods=24 * 40, freq="h", tz="Europe/Berlin")
    panel = lc.read(values(times))
    assert panel.lengths.tolist() == [len(times)] and not panel.check().warnings
    forecast = lc.LSTMForecaster(3).predict(panel)
    assert (
        forecast.frame().ds.tolist()
        == pd.date_range(times[-1], periods=4, freq="h")[1:].tolist()
    )
    shown = forecast.columns_dict()["ds"]
    assert (
        shown[0]
        == (times[-1] + pd.Timedelta(hours=1)).tz_localize(None).to_datetime64()
    )


def test_days_and_longer_steps_of_a_zone_stay_on_its_clock():
    for freq in ("D", "6h", "MS"):
        times = pd.date_range("2024-03-01", periods=40, freq=freq, tz="Europe/Berlin")
        wall = pd.date_range("2024-03-01", periods=40, freq=freq).tz_localize(
            "Europe/Berlin"
        )
        panel = lc.read(values(wall if freq == "6h" else times))
        assert panel.report.time_zone == "Europe/Berlin" and panel.lengths.tolist() == [
            40
        ]
    tokyo = pd.date_range("2024-03-01", periods=40, freq="h", tz="Asia/Tokyo")
    assert lc.read(values(tokyo)).report.time_zone == "Asia/Tokyo"
