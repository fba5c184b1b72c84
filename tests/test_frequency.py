"""Calendars against pandas' own, and frequencies found from times."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.data.read import read
from lstmcast.data.times.frequency import FAMILIES, OFF_GRID, Frequency, parse_frequency
from lstmcast.data.times.frequency_inference import infer, infer_frequency
from lstmcast.data.times.weekmonths import months_of_weeks
from lstmcast.errors import DataError, UsageError

CODES = [
    "YS",
    "YE",
    "YS-APR",
    "YE-MAR",
    "QS",
    "QE",
    "QS-FEB",
    "QE-JAN",
    "MS",
    "ME",
    "2MS",
    "W-MON",
    "W-SUN",
    "2W-WED",
]
BUSINESS = [
    "BMS",
    "BME",
    "BQS",
    "BQE",
    "BQE-JAN",
    "BYS",
    "BYE",
    "BYE-MAR",
    "SMS",
    "SME",
]
CODES += BUSINESS
CODES += ["D", "2D", "B", "h", "4h", "30min", "15min", "5min", "min", "s", "10s"]


def dates(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]")


def pandas_dates(code: str, count: int, start: str = "2015-02-10") -> np.ndarray:
    return (
        pd.date_range(start, periods=count, freq=code)
        .to_numpy()
        .astype("datetime64[us]")
    )


@pytest.mark.parametrize("code", CODES)
def test_range_agrees_with_pandas(code):
    expected = pandas_dates(code, 60)
    assert (parse_frequency(code).range(expected[0], 60) == expected).all()
    assert (
        parse_frequency(code).range(expected[10], 50, offset=-10) == expected[:50]
    ).all()


@pytest.mark.parametrize("code", CODES)
def test_the_code_is_read_back(code):
    frequency = parse_frequency(code)
    assert parse_frequency(frequency.code) == frequency
    assert frequency.family in FAMILIES


@pytest.mark.parametrize("code", CODES)
def test_the_frequency_is_found_again(code):
    found = infer_frequency(pandas_dates(code, 60))
    assert found == parse_frequency(code)


@pytest.mark.parametrize("code", CODES)
def test_the_frequency_is_found_again_when_times_are_missing(code):
    times = pandas_dates(code, 200)
    kept = np.random.default_rng(1).random(200) > 0.1
    assert infer_frequency(times[kept]) == parse_frequency(code)


@given(st.sampled_from([*CODES, "M-15", "Q-20", "M-30"]), st.integers(-3000, 3000))
def test_position_undoes_advance(code, steps):
    frequency = parse_frequency(code)
    start = frequency.advance(np.datetime64("2020-01-01T00:00"), 0)
    if frequency.unit == "week":
        start = dates("2020-01-06")[0]
    assert frequency.position(frequency.advance(start, steps), start) == steps


@pytest.mark.parametrize(
    "code", [code for code in CODES if code not in ("2D", "2MS", "2W-WED", "SME")]
)
def test_bins_agree_with_pandas_periods(code):
    times = (
        pd.date_range("2019-05-03", "2021-11-20", freq="7h")
        .to_numpy()
        .astype("datetime64[us]")
    )
    if code == "B":
        times = times[pd.DatetimeIndex(times).weekday < 5]
    if code in ("min", "s", "10s", "5min"):
        times = times[:200]
    labels = np.unique(
        parse_frequency(code).bin_labels(parse_frequency(code).bins(times))
    )
    counts = pd.Series(1, index=times).resample(code).sum()
    expected = counts[counts > 0].index.to_numpy().astype("datetime64[us]")
    assert (labels == expected).all()


def test_months_without_the_day_use_their_last_one():
    monthly = parse_frequency("M-30")
    assert monthly.range(dates("2023-01-30")[0], 3).astype("datetime64[D]").astype(
        str
    ).tolist() == [
        "2023-01-30",
        "2023-02-28",
        "2023-03-30",
    ]
    assert infer_frequency(dates("2023-01-30", "2023-02-28", "2023-03-30")) == monthly


def test_the_time_of_day_is_kept():
    assert infer_frequency(
        dates("2024-01-31T18:00", "2024-02-29T18:00")
    ) == parse_frequency("ME")
    assert (
        str(parse_frequency("B").advance(dates("2024-03-01T17:30")[0], 1))
        == "2024-03-04T17:30:00.000000"
    )


def test_advance_broadcasts_cutoffs_over_a_horizon():
    times = parse_frequency("MS").advance(
        dates("2024-01-01", "2024-06-01")[:, None], np.arange(1, 4)
    )
    assert times.shape == (2, 3)
    assert str(times[1, 2].astype("datetime64[M]")) == "2024-09"


def test_times_off_the_grid_have_no_position():
    monthly = parse_frequency("MS")
    positions = monthly.position(
        dates("2024-03-01", "2024-03-02", "2023-12-01"), dates("2024-01-01")[0]
    )
    assert positions.tolist() == [2, OFF_GRID, -1]
    assert Frequency("integer", 5).position(np.array([0, 10, 12]), 0).tolist() == [
        0,
        2,
        OFF_GRID,
    ]
    assert parse_frequency("B").position(
        dates("2024-03-02"), dates("2024-03-01")[0]
    ).tolist() == [OFF_GRID]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("monthly", "M"),
        ("M", "M"),
        ("months", "M"),
        ("1mo", "M"),
        ("A", "Y"),
        ("YEARLY", "Y"),
        ("AS", "YS"),
        ("Q", "Q"),
        ("3M", "Q"),
        ("12MS", "YS"),
        ("7D", "W"),
        ("60min", "h"),
        ("24h", "D"),
        ("15T", "15min"),
        ("1h", "h"),
        ("H", "h"),
        ("business days", "B"),
        ("w-mon", "W-MON"),
        ("Q-DEC", "QE"),
        ("QS-JUL", "QS"),
        ("integer", "integer"),
        ("5 integer", "5integer"),
        ("M-1", "MS"),
        (" d ", "D"),
    ],
)
def test_frequencies_are_read_as_people_write_them(text, code):
    assert parse_frequency(text).code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "0D",
        "W-FOO",
        "M-32",
        "MS-APR",
        "-3D",
        "1.5h",
        "D-MON",
        "Q-XXX",
        "m",
        "ms",
    ],
)
def test_what_is_no_frequency_is_refused(text):
    with pytest.raises(UsageError, match=r"frequency .* is (not known|ambiguous)"):
        parse_frequency(text)


@pytest.mark.parametrize(
    ("code", "periods", "family"),
    [
        ("Y", (1,), "yearly"),
        ("QS", (4,), "quarterly"),
        ("ME", (12,), "monthly"),
        ("2MS", (6,), "monthly"),
        ("W-MON", (52,), "weekly"),
        ("2W", (26,), "weekly"),
        ("D", (7,), "daily"),
        ("2D", (1,), "daily"),
        ("B", (5,), "daily"),
        ("h", (24, 168), "hourly"),
        ("4h", (6, 42), "hourly"),
        ("5h", (1,), "hourly"),
        ("30min", (48, 336), "hourly"),
        ("15min", (96, 672), "hourly"),
        ("10min", (144, 1008), "hourly"),
        ("5min", (288, 2016), "hourly"),
        ("min", (60, 1440), "hourly"),
        ("s", (60, 3600), "hourly"),
        ("integer", (1,), "other"),
    ],
)
def test_seasonal_periods_and_families(code, periods, family):
    assert parse_frequency(code).seasonal_periods == periods
    assert parse_frequency(code).family == family


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("MS", "monthly (month starts)"),
        ("W-MON", "weekly (Mondays)"),
        ("15min", "every 15 minutes"),
        ("D", "daily"),
        ("B", "business days"),
        ("YE-MAR", "yearly (year ends in Mar)"),
        ("M-15", "monthly (day 15 of the month)"),
        ("2W", "every 2 weeks"),
        ("min", "every minute"),
        ("integer", "numbered steps"),
    ],
)
def test_names_are_for_people(code, name):
    assert parse_frequency(code).name == name


def test_short_month_ends_are_not_mistaken_for_a_day():
    assert infer_frequency(dates("2023-01-31", "2023-02-28", "2023-03-31")).code == "ME"
    assert infer_frequency(dates("2023-04-30", "2023-06-30")).code == "2ME"
    assert (
        infer_frequency(dates("2023-02-28", "2023-03-28", "2023-04-28")).code == "M-28"
    )


def test_business_days_need_fridays_before_mondays():
    assert infer_frequency(pandas_dates("B", 11)).code == "B"
    assert (
        infer_frequency(
            dates("2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08")
        ).code
        == "D"
    )


def test_sparse_days_are_days():
    every = pandas_dates("D", 120)
    weekdays = pd.DatetimeIndex(every).weekday
    assert infer_frequency(every[np.isin(weekdays, [0, 2, 4])]).code == "D"


def test_integers_take_their_step():
    assert infer_frequency(np.array([10, 20, 40, 50])).code == "10integer"
    assert infer_frequency(np.array([1, 2, 3])).code == "integer"


def test_nothing_can_be_said_about_single_times_or_split_seconds():
    assert infer_frequency(dates("2024-01-01")) is None
    assert (
        infer_frequency(dates("2024-01-01T00:00:00.0", "2024-01-01T00:00:00.1")) is None
    )


def test_other_regular_series_are_named_and_short_or_sparse_ones_are_not():
    daily, monthly, short = (
        pandas_dates("D", 300),
        pandas_dates("MS", 12),
        dates("2024-01-01", "2024-02-01"),
    )
    found = infer(np.concatenate([daily, monthly, short]), np.array([0, 300, 312, 314]))
    assert found.frequency.code == "D"
    assert [(other.code, series.tolist()) for other, series in found.others] == [
        ("MS", [1])
    ]


def test_weeks_on_different_weekdays_have_no_anchor():
    times = np.concatenate([pandas_dates("W-MON", 20), pandas_dates("W-TUE", 20)])
    assert infer_frequency(times, np.array([0, 20, 40])).code == "W"
    assert not infer(times, np.array([0, 20, 40])).others


def closing_days(first: str, *weeks: int, years: int) -> np.ndarray:
    return np.datetime64(first) + 7 * np.cumsum(weeks * 4 * years)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (closing_days("2018-02-03", 4, 4, 5, years=5), "2018-02 for 2018-03-03"),
        (closing_days("2018-02-03", 4, 5, 4, years=2), "2018-02 for 2018-03-03"),
        (closing_days("2018-01-28", 5, 4, 4, years=1), "2018-02 for 2018-03-04"),
        (
            np.delete(closing_days("2016-01-02", 4, 4, 5, years=3), slice(0, 3)),
            "2016-04 for",
        ),
    ],
)
def test_months_of_weeks_are_named_and_the_advice_works(days, expected):
    values = 100 + np.arange(len(days)) % 12
    with pytest.raises(DataError, match="4-4-5 calendar") as caught:
        read({"closing": days.astype(str), "sales": values})
    assert expected in str(caught.value)
    first = np.datetime64(re.findall(r"\d{4}-\d\d(?= for)", str(caught.value))[0])
    months = (first + np.arange(len(days))).astype(str)
    panel = read({"month": months, "sales": values})
    assert (panel.frequency.code, panel.periods) == ("MS", (12,))


def test_a_year_of_53_weeks_is_still_one_of_months_of_weeks():
    weeks = [4, 4, 5] * 3 + [4, 4, 6] + [4, 4, 5] * 4
    days = np.datetime64("2016-01-30") + 7 * np.cumsum(weeks)
    assert months_of_weeks(days) is not None
    every_fourth = np.datetime64("2016-01-30") + 28 * np.arange(30)
    assert months_of_weeks(every_fourth) is None
