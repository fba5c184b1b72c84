"""The observed calendar: found in data, reported, and forecasts at the times that occur."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lstmcast as lc
from lstmcast.cli.app import app
from lstmcast.data.ahead import horizon_note, one_season
from lstmcast.data.observed import Clock, ObservedCalendar
from lstmcast.data.observing import OBSERVED, Grids, found_in
from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.data.times.calendars import DAY
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.baselines import SeasonalNaive, default_baselines
from lstmcast.evaluation.by_horizon import errors_by_horizon


def shop(first="2023-01-02", last="2024-03-02", closed=(6,)) -> pd.DataFrame:
    """Daily sales with a weekly season, without the weekdays that are closed."""
    days = pd.date_range(first, last)
    days = days[~np.isin(days.weekday, closed)]
    noise = np.random.default_rng(0).normal(0, 3, len(days))
    return pd.DataFrame({"ds": days, "y": 200 + 30 * days.weekday + noise})


def bars(first="2024-01-02", last="2024-03-01") -> pd.DataFrame:
    """Half hours of a market that is open from 9:30 to 15:30, Monday to Friday."""
    days = pd.bdate_range(first, last)
    times = [day + pd.Timedelta(minutes=m) for day in days for m in range(570, 960, 30)]
    return pd.DataFrame({"ds": times, "y": 100.0 + np.arange(len(times)) % 13})


def names(frame: pd.DataFrame, **options) -> str | None:
    calendar = read(frame, **options).calendar
    return None if calendar is None else calendar.name


# ---------------------------------------------------------------- found


def test_a_day_that_never_comes_is_found_and_reported():
    panel = read(shop())
    assert panel.calendar is not None and panel.calendar.name == "Monday to Saturday"
    found = panel.check()
    assert [finding.rule for finding in found] == [OBSERVED]
    assert "values come Monday to Saturday only" in found[0].text
    assert "Monday to Saturday" in repr(panel)


def test_times_that_never_come_are_not_counted_and_lack_no_values():
    rows = shop()
    rows["warm"] = np.random.default_rng(1).normal(0, 1, len(rows))
    coming = shop("2024-03-03", "2024-03-20").assign(warm=0.5, y=np.nan)
    panel = read(pd.concat([rows, coming]), future="warm", target="y")
    assert f"{len(rows)} values" in repr(panel)
    assert not [found for found in panel.check() if found.rule == "missing covariates"]


@pytest.mark.parametrize(
    "closed, name",
    [
        ((5, 6), None),  # business days have a frequency of their own
        ((2, 6), "Monday, Tuesday, Thursday, Friday and Saturday"),
        ((0,), "Tuesday to Sunday"),
        ((), None),
    ],
)
def test_closed_weekdays(closed, name):
    assert names(shop(closed=closed)) == name


def test_hours_of_a_market():
    assert names(bars()) == "Monday to Friday, 09:30 to 15:30"
    # one week tells the hours, and that there is a weekend only once it has come
    assert names(bars("2024-01-02", "2024-01-05")) == "09:30 to 15:30"
    assert names(bars("2024-01-02", "2024-01-09")) == "Monday to Friday, 09:30 to 15:30"


def test_shorter_hours_on_one_day():
    frame = bars()
    short = (frame.ds.dt.weekday == 4) & (frame.ds.dt.hour >= 12)
    panel = read(frame[~short])
    assert (
        panel.calendar is not None
        and panel.calendar.name == "Monday to Friday, 57 of 336 times of a week"
    )
    friday = np.array(["2024-03-08T11:30", "2024-03-08T12:00"], "datetime64[us]")
    assert panel.calendar.occurs(friday, 0).tolist() == [True, False]


def test_a_closed_month():
    days = shop("2021-01-04", "2024-03-02", closed=())
    assert names(days[days.ds.dt.month != 8]) == "but not in August"
    both = days[~days.ds.dt.month.isin([7, 8]) & (days.ds.dt.weekday != 6)]
    assert names(both) == "Monday to Saturday, but not in July and August"


def test_months_of_a_season():
    months = pd.date_range("2018-01-01", "2023-12-01", freq="MS")
    months = months[months.month.isin([12, 1, 2, 3, 4])]
    frame = pd.DataFrame({"ds": months, "y": np.arange(len(months)) + 5.5})
    assert names(frame) == "January, February, March, April and December"


def test_gaps_by_accident_are_no_calendar():
    frame = shop(closed=())
    chosen = np.random.default_rng(1).random(len(frame)) < 0.6
    assert names(frame[chosen]) is None
    outage = (frame.ds >= "2023-06-05") & (frame.ds < "2023-07-05")
    assert names(frame[~outage]) is None
    assert names(frame.iloc[:10].drop(index=[6])) is None


def test_rare_events_are_no_calendar():
    """Hours of the night in which nothing ever happened, in data with rows for events only."""
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    busy = np.random.default_rng(0).random(len(hours)) < 0.3 * (hours.hour > 6)
    assert (
        names(pd.DataFrame({"ds": hours[busy], "y": 1.0 + busy[busy]}), frequency="h")
        is None
    )


def test_exceptions_leave_a_day_closed_and_a_new_habit_opens_it():
    frame = shop(closed=())
    closed = frame.ds.dt.weekday == 6
    before_christmas = frame.ds.isin(pd.to_datetime(["2023-12-10", "2023-12-17"]))
    assert names(frame[~closed | before_christmas]) == "Monday to Saturday"
    lately = frame.ds >= "2024-02-10"
    assert names(frame[~closed | lately]) is None
    assert names(frame[~closed | (frame.ds < "2023-06-01")]) == "Monday to Saturday"


def test_series_have_calendars_of_their_own():
    frames = [
        shop().assign(id="a"),
        shop(closed=()).assign(id="b"),
        shop().assign(id="c"),
    ]
    panel = read(pd.concat(frames), series="id")
    assert panel.calendar is not None and panel.calendar.name == "2 calendars"
    assert "2 of 3 series ('a', 'c') have values Monday to Saturday only" in str(
        panel.check()
    )
    forecast = lc.LSTMForecaster(7).predict(panel)
    sundays = (
        pd.DatetimeIndex(forecast.times.ravel()).weekday.to_numpy().reshape(3, 7) == 6
    )
    assert sundays.sum(axis=1).tolist() == [0, 1, 0]
    assert panel.select(["b"]).calendar.name == "all times"


def test_short_series_are_told_by_the_others():
    frames = [shop().assign(id="a"), shop("2024-02-20").assign(id="new")]
    panel = read(pd.concat(frames), series="id")
    assert panel.calendar is not None and panel.calendar.name == "Monday to Saturday"


def test_clocks_of_the_zone_say_which_hours_are_open():
    days = pd.bdate_range("2024-02-01", "2024-04-30")
    local = [day + pd.Timedelta(hours=h) for day in days for h in range(9, 18)]
    times = pd.DatetimeIndex(local).tz_localize("Europe/Berlin")
    panel = read(pd.DataFrame({"ds": times, "y": np.arange(len(times)) % 9.0}))
    assert panel.calendar is not None
    assert panel.calendar.name == "Monday to Friday, 09:00 to 17:00"
    utc = Clock("UTC", "Europe/Berlin")
    hours = np.array(
        ["2024-01-08T08:00", "2024-07-08T07:00", "2024-07-08T06:00"], "M8[us]"
    )
    week = np.zeros((1, 168), bool)
    week[:, 9:18] = True
    calendar = ObservedCalendar(
        week, np.ones((1, 12), bool), np.zeros(1, np.int64), utc
    )
    assert calendar.occurs(hours, 0).tolist() == [True, True, False]


def test_minutes_are_the_finest_slot():
    starts = np.array(["2024-01-01"], "datetime64[us]")
    seconds = np.arange(4 * 86400)
    grids = Grids(
        seconds % 86400 < 3600, np.array([0, len(seconds)]), starts, Frequency("second")
    )
    found = found_in(grids, Clock())
    assert (
        found is not None
        and found.name == "00:00 to 00:59"
        and found.week.shape == (1, 10080)
    )


def test_units_without_weeks_have_none():
    assert (
        read({"ds": ["2015", "2016", "2018", "2019"], "y": [1.5, 2, 3, 4]}).calendar
        is None
    )
    numbers = {"t": [1, 2, 3, 5, 6, 7, 9, 10], "y": np.arange(8.0)}
    assert read(numbers, time="t").calendar is None


# ---------------------------------------------------------------- asked for


def test_all_times_on_request():
    panel = read(shop(), calendar="all")
    assert panel.calendar is None and "times have no row" in str(panel.check())
    assert (
        pd.DatetimeIndex(lc.LSTMForecaster(8).predict(panel).times[0]).weekday == 6
    ).any()


def test_observed_on_request_needs_no_evidence():
    frame = shop().iloc[:12]
    assert names(frame) is None
    assert names(frame, calendar="observed") == "Monday to Saturday"


def test_arrays_are_looked_at_on_request_only():
    values = np.where(np.arange(60) % 7 == 6, np.nan, 5.0 + np.arange(60) % 7)
    given = {"frequency": "D", "start": "2024-01-01"}
    assert Panel.from_arrays(values, **given).calendar is None
    panel = Panel.from_arrays(values, **given, calendar="observed")
    assert panel.calendar is not None and panel.calendar.name == "Monday to Saturday"
    with pytest.raises(UsageError, match="observed, all"):
        Panel.from_arrays(values, **given, calendar="some")
    with pytest.raises(UsageError, match="observed, all"):
        read(shop(), calendar="some")


def test_sums_are_zeros_unless_the_calendar_is_asked_for():
    frame = pd.concat([shop(), shop()])
    total = read(frame, aggregate="sum", frequency="D")
    assert total.calendar is None and (total.values == 0).sum() == 60
    observed = read(frame, aggregate="sum", frequency="D", calendar="observed")
    assert observed.calendar is not None and not (observed.values == 0).any()


def test_absent_rows_as_zeros():
    hours = pd.date_range("2024-01-01", periods=24 * 14, freq="h")
    happened = hours.hour.isin([9, 10, 15]) | (hours == hours[0])
    frame = pd.DataFrame({"ds": hours[happened], "y": 3.0})
    hint = str(read(frame, frequency="h", calendar="all").check())
    assert "If a missing row means that nothing happened, use gaps='zero'" in hint
    panel = read(frame, frequency="h", gaps="zero")
    assert panel.calendar is None and not np.isnan(panel.values).any()
    assert (panel.values == 0).sum() == len(panel.values) - len(frame)
    assert "times have no row. They count as 0" in str(panel.check())
    assert panel.kinds.tolist() == ["count"]


def test_zeros_reach_to_the_last_time_of_all_series():
    frame = pd.DataFrame({"id": list("aab"), "t": [1, 3, 2], "y": [5, 6, 7]})
    frame = pd.concat([frame, pd.DataFrame({"id": ["b"], "t": [6], "y": [1]})])
    panel = read(frame, series="id", time="t", gaps="zero", frequency="integer")
    assert panel.series(0).tolist() == [5, 0, 6, 0, 0, 0]
    assert panel.series(1).tolist() == [7, 0, 0, 0, 1]


def test_only_times_that_occur_can_be_gaps():
    frame = shop()
    assert len(read(frame, gaps="error").calendar) == 1
    monday = frame.index[frame.ds == "2023-06-12"]
    panel = read(frame.drop(index=monday))
    assert "1 of 366 times has no row: 2023-06-12" in str(panel.check())
    with pytest.raises(DataError, match="1 of 366 times has no row: 2023-06-12"):
        read(frame.drop(index=monday), gaps="error")


def test_lines_do_not_cross_closed_days():
    frame = shop().drop(index=[100])
    panel = read(frame, missing="interpolate")
    assert np.isnan(panel.values).sum() == 60
    assert np.isfinite(
        panel.values[panel.times(0) == frame.ds[101] - np.timedelta64(1, "D")]
    )


# ---------------------------------------------------------------- used


def test_a_horizon_counts_times_that_occur():
    forecast = lc.LSTMForecaster(8).predict(shop())
    expected = pd.date_range("2024-03-04", "2024-03-12").drop("2024-03-10")
    assert (pd.DatetimeIndex(forecast.times[0]) == expected).all()
    assert forecast.columns_dict()["step"].tolist() == list(range(1, 9))
    longer = lc.LSTMForecaster(18).predict(shop())
    np.testing.assert_array_equal(longer.point[:, :8], forecast.point)


def test_the_times_that_occur_are_forecast_as_they_were():
    """The grid inside is the same: leaving out Sundays changes no other forecast."""
    observed = lc.LSTMForecaster(8).predict(shop())
    everything = lc.LSTMForecaster(10).predict(read(shop(), calendar="all"))
    kept = np.isin(everything.times[0], observed.times[0])
    np.testing.assert_array_equal(everything.point[0, kept], observed.point[0])
    np.testing.assert_array_equal(everything.quantiles[0, kept], observed.quantiles[0])


def test_baselines_forecast_the_same_times():
    panel = read(shop())
    times = lc.LSTMForecaster(8).predict(panel).times
    for baseline in default_baselines():
        np.testing.assert_array_equal(baseline.predict(panel, 8).times, times)
    last = panel.values[panel.times(0) == np.datetime64("2024-02-26")]
    assert SeasonalNaive().predict(panel, 1).point == last


def test_backtests_hold_out_times_that_occur():
    tested = lc.backtest(lc.LSTMForecaster(6), bars(), cutoffs=3)
    held_out = tested.held_out()
    times = pd.DatetimeIndex(held_out["ds"])
    assert len(times) == 18 and (times.hour >= 9).all() and (times.weekday < 5).all()
    assert pd.DatetimeIndex(held_out["cutoff"]).hour.min() >= 9
    assert held_out["ds"][-1] == bars().ds.iloc[-1].to_datetime64()
    assert np.isfinite(tested.actual).all() and tested.per_horizon()["step"].max() == 6


def test_one_step_forecasts_are_of_times_that_occur():
    forecast = lc.LSTMForecaster(1).predict(shop(), mode="one-step")
    assert (pd.DatetimeIndex(forecast.times[:, 0]).weekday != 6).all()


def test_errors_of_a_free_run_stay_on_the_grid():
    table = errors_by_horizon(lc.LSTMForecaster(7), read(shop()), 7, cutoffs=[300])
    assert np.isnan(table["y"]).sum() == 1


def test_saved_models_keep_the_calendar(tmp_path):
    model, frame = lc.LSTMForecaster(8), shop()
    model.save(tmp_path / "m", frame.iloc[:-3])
    loaded = lc.load(tmp_path / "m")
    assert (pd.DatetimeIndex(loaded.predict().times[0]).weekday != 6).all()
    newest = loaded.predict(frame.iloc[-3:])
    whole = model.predict(frame)
    np.testing.assert_array_equal(newest.times, whole.times)
    np.testing.assert_array_equal(newest.point, whole.point)


def test_newer_data_over_a_closed_day_have_no_gap(tmp_path):
    lc.LSTMForecaster(3).save(tmp_path / "m", shop())
    loaded = lc.load(tmp_path / "m")
    week = shop("2024-03-04", "2024-03-12")
    joined = loaded.continued(week)
    assert not joined.panel.check().warnings and joined.panel.calendar is not None
    missed = loaded.continued(week.iloc[1:])
    assert "1 step is missing between the saved end" in str(missed.findings)


def test_newer_data_can_open_a_day(tmp_path):
    lc.LSTMForecaster(8).save(tmp_path / "m", shop())
    loaded = lc.load(tmp_path / "m")
    once = loaded.continued(shop("2024-03-04", "2024-03-10", closed=())).panel
    assert once.calendar is not None and once.calendar.name == "Monday to Saturday"
    assert (
        loaded.continued(shop("2024-03-04", "2024-03-24", closed=())).panel.calendar
        is None
    )
    everything = shop("2024-03-04", "2024-03-10", closed=())
    assert loaded.continued(read(everything, calendar="all")).panel.calendar is None


def test_damaged_calendars_are_refused():
    calendar = read(shop()).calendar
    assert calendar is not None
    arrays = calendar.arrays()
    assert ObservedCalendar.from_saved(arrays, Clock(), 1).name == "Monday to Saturday"
    for name, wrong in {
        "calendar_week": np.zeros((1, 7), bool),
        "calendar_months": np.ones((1, 7), bool),
        "calendar_pattern": np.array([7]),
    }.items():
        with pytest.raises(ValueError, match="calendar"):
            ObservedCalendar.from_saved({**arrays, name: wrong}, Clock(), 1)


def test_streams_count_times_that_occur(tmp_path):
    model, frame = lc.LSTMForecaster(8, method="network"), shop()
    stream = lc.Stream(model, read(frame.iloc[:-10]))
    for value in frame.y[-10:-5]:
        stream.observe([value])
    stream.save(tmp_path / "s")
    stream = lc.Stream.load(tmp_path / "s")
    for value in frame.y[-5:]:
        stream.observe([value])
    np.testing.assert_allclose(stream.predict(8), model.predict(frame).point, rtol=1e-6)
    stream.join(["new"])
    stream.observe([1.0], ids=["new"])
    assert stream.predict(8).shape == (2, 8)


def test_slots_divide_a_week():
    assert read(shop()).calendar.slot == DAY
    assert parse_frequency("30min").code == "30min"


# ---------------------------------------------------------------- the command


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_takes_and_says_the_calendar(tmp_path):
    file, model = str(tmp_path / "shop.csv"), str(tmp_path / "m")
    shop().to_csv(file, index=False)
    assert "daily (Monday to Saturday)" in run("check", file)
    assert "times have no row" in run("check", file, "--calendar", "all")
    base = (
        "forecast",
        file,
        "-H",
        "7",
        "--cutoffs",
        "0",
        "-q",
        "--json",
        "--save",
        model,
    )
    said = json.loads(run(*base))
    assert said["data"]["calendar"] == [
        {"times": "Monday to Saturday", "series": 1, "first": "shop"}
    ]
    assert "2024-03-03" not in " ".join(said["forecast"]["ds"])
    again = json.loads(run("predict", "-m", model, "--json", "-q"))
    assert again["forecast"]["ds"] == said["forecast"]["ds"]
    everything = json.loads(run(*base[:7], "--json", "--calendar", "all"))
    assert everything["data"]["calendar"] is None
    assert "2024-03-03" in " ".join(everything["forecast"]["ds"])


def test_a_season_has_the_times_that_occur():
    assert one_season(read(shop())) == 6
    assert "6 steps are forecast, one season" in horizon_note(read(shop()))
    assert one_season(read(bars())) == 13
    assert one_season(read(shop(), calendar="all")) == 7
