"""Midnights of a zone with daylight saving, written in UTC, are its days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.errors import DataError

ZONES = ["Europe/Berlin", "America/New_York", "Europe/Helsinki", "Australia/Sydney"]


def days_of(zone: str, frequency: str = "D", count: int = 60, start="2024-03-01"):
    return pd.date_range(start, periods=count, freq=frequency, tz=zone)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", ["frame", "texts", "seconds"])
def test_days_of_a_zone_in_utc(zone, form, tmp_path):
    utc = days_of(zone).tz_convert("UTC")
    values = np.arange(60.0)
    if form == "frame":
        panel = lc.read(pd.DataFrame({"time": utc, "y": values}))
    else:
        texts = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        if form == "seconds":
            texts = utc.tz_localize(None).astype("datetime64[s]").astype("int64")
        frame = pd.DataFrame({"time": texts, "y": values})
        frame.to_csv(tmp_path / "data.csv", index=False)
        panel = lc.read(tmp_path / "data.csv")
    assert panel.frequency.code == "D"
    assert str(panel.starts[0])[:10] == "2024-03-01"
    assert panel.values.tolist() == values.tolist()
    assert "midnights of a zone whose clocks change" in str(panel.report.findings)


@pytest.mark.parametrize(
    ("frequency", "code"), [("MS", "MS"), ("W-MON", "W-MON"), ("QS", "QS")]
)
def test_longer_periods_of_a_zone_in_utc(frequency, code):
    days = days_of("Europe/Paris", frequency, 30, "2018-01-01")
    panel = lc.read(pd.DataFrame({"time": days.tz_convert("UTC"), "y": range(30)}))
    assert panel.frequency.code == code
    assert str(panel.starts[0])[:10] == "2018-01-01"
    assert np.isfinite(panel.values).all()


def test_forecasts_are_of_days():
    utc = days_of("Europe/Berlin").tz_convert("UTC")
    frame = pd.DataFrame({"time": utc, "y": 5 + np.arange(60.0) % 7})
    forecast = lc.LSTMForecaster(2).predict(lc.read(frame))
    assert forecast.frame("pandas")["ds"].tolist() == [
        pd.Timestamp("2024-04-30"),
        pd.Timestamp("2024-05-01"),
    ]


def test_readings_at_two_hours_are_no_midnights():
    hours = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(40), "D")
    evening = hours + pd.to_timedelta(np.tile([22, 23], 20), "h")
    with pytest.raises(DataError, match="no regular frequency"):
        lc.read(pd.DataFrame({"time": evening, "y": range(40)}))
