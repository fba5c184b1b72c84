"""The time zone of the data comes back in frames of forecasts."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lstmcast as lc
from lstmcast.data.times.zones import instants
from lstmcast.evaluation.baselines import Naive

HOURS = pd.date_range("2024-03-30 04:00", periods=12, freq="h", tz="Europe/Berlin")


def frame(times=HOURS) -> pd.DataFrame:
    return pd.DataFrame({"ds": times, "y": np.arange(float(len(times)))})


def forecast(data, horizon=3):
    return Naive().predict(lc.read(data), horizon)


def test_pandas_frames_have_the_zone_of_the_data():
    times = forecast(frame()).frame()["ds"]
    assert times.dtype == pd.DatetimeTZDtype("us", "Europe/Berlin")
    assert times[0] == pd.Timestamp("2024-03-30 16:00", tz="Europe/Berlin")


def test_polars_frames_have_the_zone_of_the_data():
    data = pl.from_pandas(frame()).with_columns(pl.col("ds").dt.cast_time_unit("us"))
    times = forecast(data).frame()["ds"]
    assert times.dtype == data.schema["ds"]
    assert times[0] == datetime.datetime(
        2024, 3, 30, 16, tzinfo=ZoneInfo("Europe/Berlin")
    )


def test_arrow_tables_have_the_zone_of_the_data():
    times = forecast(pa.Table.from_pandas(frame())).frame()["ds"]
    assert times.type == pa.timestamp("us", tz="Europe/Berlin")
    assert times[0].as_py() == datetime.datetime(
        2024, 3, 30, 16, tzinfo=ZoneInfo("Europe/Berlin")
    )


@pytest.mark.parametrize(
    ("offset", "polars_zone"),
    [("+09:00", "Etc/GMT-9"), ("-03:30", "UTC"), ("Z", "UTC")],
)
def test_texts_with_offsets_give_times_with_that_offset(offset, polars_zone):
    texts = [f"2024-01-01T{hour:02d}:00:00{offset}" for hour in range(12)]
    made = forecast(frame(texts))
    expected = pd.Timestamp(f"2024-01-01T12:00:00{offset}")
    assert made.frame("pandas")["ds"][0] == expected
    assert made.frame("pandas")["ds"][0].utcoffset() == expected.utcoffset()
    assert made.frame("pyarrow")["ds"][0].as_py() == expected
    assert made.frame("polars")["ds"][0] == expected
    assert made.frame("polars").schema["ds"] == pl.Datetime("us", polars_zone)


def test_arrays_and_files_have_what_the_clocks_show(tmp_path):
    made = forecast(frame())
    assert made.frame("arrays")["ds"][0] == np.datetime64("2024-03-30T16:00")
    assert "2024-03-30 16:00:00" in made.write(tmp_path / "f.csv").read_text("utf-8")
    assert "2024-03-30T16:00" in made.to_json()


def test_data_without_a_zone_stay_without():
    assert (
        forecast(frame(HOURS.tz_localize(None))).frame()["ds"].dtype == "datetime64[us]"
    )
    numbered = frame(HOURS).assign(ds=np.arange(12))
    assert forecast(numbered).frame()["ds"].dtype == np.int64


def test_cutoffs_have_the_zone_too():
    panel = lc.read(frame())
    table = Naive().predict(panel, 1, cutoffs=np.array([[4, 6]])).frame()
    assert table["cutoff"].dtype == pd.DatetimeTZDtype("us", "Europe/Berlin")
    assert table["cutoff"].tolist() == [HOURS[3], HOURS[5]]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize(
    ("last", "shown"),
    [
        # 02:00 does not exist on 31 March
        ("2024-03-31 01:00", ["03:00+02:00", "04:00+02:00", "05:00+02:00"]),
        # 02:00 comes twice on 27 October
        ("2024-10-27 01:00", ["02:00+02:00", "02:00+01:00", "03:00+01:00"]),
    ],
)
def test_clock_changes_stop_no_forecast(kind, last, shown):
    times = pd.date_range(end=last, periods=12, freq="h").tz_localize("Europe/Berlin")
    column = forecast(frame(times)).frame(kind)["ds"]
    listed = column.to_pylist() if kind == "pyarrow" else list(column)
    assert [time.isoformat()[11:16] + time.isoformat()[-6:] for time in listed] == shown


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_an_hour_that_comes_twice_is_two_hours(kind, zone):
    times = pd.date_range("2024-10-20", periods=24 * 20, freq="h", tz=zone)
    data = frame(times)
    panel = lc.read(pl.from_pandas(data) if kind == "polars" else data)
    assert panel.lengths.tolist() == [len(times)]
    assert any("repeat an hour" in finding.message for finding in panel.report.findings)
    shown = lc.LSTMForecaster(horizon=2).predict(panel).frame(kind)["ds"]
    assert (
        str(shown.dtype).rstrip(")]").endswith(zone if kind == "pandas" else f"{zone}'")
    )
    assert shown.to_list() == [times[-1] + pd.Timedelta(hours=h) for h in (1, 2)]


def test_a_saved_model_gives_its_zone_back_after_clocks_were_put_back(tmp_path):
    times = pd.date_range("2024-10-20", periods=24 * 20, freq="h", tz="Europe/Berlin")
    lc.LSTMForecaster(horizon=2).save(tmp_path / "model", frame(times[:-24]))
    model = lc.load(tmp_path / "model")
    after = times[-24:]
    for shown, last in (
        (model.predict().frame("pandas")["ds"], times[-25]),
        (model.predict(frame(after)).frame()["ds"], times[-1]),
        (model.predict(frame(after.tz_convert("UTC"))).frame()["ds"], times[-1]),
    ):
        assert str(shown.dt.tz) == "Europe/Berlin"
        assert shown.tolist() == [last + pd.Timedelta(hours=h) for h in (1, 2)]


def test_days_whose_midnight_is_skipped():
    # to 3 November
    times = pd.date_range("2018-10-20", periods=15, tz="America/Sao_Paulo")
    assert str(forecast(frame(times)).frame()["ds"][0]) == "2018-11-04 01:00:00-02:00"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC", "+05:30"])
def test_names_of_zones_are_kept(zone):
    times = pd.date_range("2024-01-01", periods=12, freq="h", tz=zone)
    shown = forecast(frame(times)).frame()["ds"]
    assert shown[0] == times[-1] + pd.Timedelta(hours=1)
    assert str(shown[0]) == str(times[-1] + pd.Timedelta(hours=1))


def test_a_zone_that_is_not_known_here_is_left_off():
    assert instants(np.array(["2024-01-01"], "datetime64[us]"), "Mars/Olympus") is None
    made = forecast(frame())
    odd = lc.Forecast(**{**vars(made), "time_zone": "Mars/Olympus"})
    assert odd.frame()["ds"].dtype == "datetime64[us]"


def test_a_saved_model_keeps_the_zone(tmp_path):
    lc.LSTMForecaster(horizon=2).save(tmp_path / "m", lc.read(frame()))
    loaded = lc.load(tmp_path / "m")
    assert loaded.predict().frame()["ds"].dtype == pd.DatetimeTZDtype(
        "us", "Europe/Berlin"
    )
    later = pd.date_range("2024-03-30 15:00", periods=3, freq="h", tz="UTC")
    times = loaded.predict(frame(later)).frame()["ds"]
    assert times[0] == pd.Timestamp("2024-03-30 19:00", tz="Europe/Berlin")
    assert times.dtype == pd.DatetimeTZDtype("us", "Europe/Berlin")


def test_every_two_hours_stay_even_when_clocks_are_put_back():
    times = pd.date_range("2024-10-20", periods=123, freq="2h", tz="Europe/Berlin")
    assert forecast(frame(times[:120])).frame()["ds"].tolist() == times[120:].tolist()


def test_held_out_times_have_the_zone():
    times = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin")
    data = frame(times)
    held_out = lc.backtest(Naive(), data, horizon=24, cutoffs=1).held_out("pandas")
    joined = held_out.merge(data, on="ds")
    assert len(joined) == 24
    assert joined["y"].tolist() == joined["actual"].tolist()
    assert str(held_out["cutoff"].dt.tz) == "Europe/Berlin"


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_parquet_with_a_zone_is_read_in_any_unit(tmp_path, unit):
    times = pd.date_range(
        "2024-10-26", periods=60, freq="h", tz="Europe/Berlin"
    ).as_unit(unit)
    frame(times).to_parquet(tmp_path / "load.parquet")
    assert lc.read(tmp_path / "load.parquet").times(0)[0] == np.datetime64(
        "2024-10-25T22:00"
    )
