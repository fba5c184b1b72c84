"""Dates and numbers as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.data.numbers import parse_numbers
from lstmcast.data.times import shapes
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.timenumbers import integer_times


def read_dates(*texts: str) -> list[str]:
    times = parse_times(list(texts))
    assert times is not None and times.problem is None
    return [str(value)[:16].replace("T00:00", "") for value in times.values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", "2024-03-01"),
        ("2024/3/1", "2024-03-01"),
        ("2024.03.01", "2024-03-01"),
        ("1949-01", "1949-01-01"),
        ("1949/1", "1949-01-01"),
        ("2024-03-01T12:30:00", "2024-03-01T12:30"),
        ("2024-03-01 12:30:00.123456", "2024-03-01T12:30"),
        ("2024/3/1 0:00", "2024-03-01"),
        ("13/02/2020", "2020-02-13"),
        ("02/13/2020 3:05 PM", "2020-02-13T15:05"),
        ("1.2.2020", "2020-02-01"),
        ("2024年3月1日", "2024-03-01"),
        ("2024年3月", "2024-03-01"),
        ("２０２４年３月１日（金）", "2024-03-01"),
        ("令和6年3月", "2024-03-01"),
        ("平成元年5月1日", "1989-05-01"),
        ("R6.3.1", "2024-03-01"),
        ("Jan 2020", "2020-01-01"),
        ("Dec-60", "1960-12-01"),
        ("1-Jan-20", "2020-01-01"),
        ("January 5, 2020", "2020-01-05"),
        ("Mon, 05 Jan 2020", "2020-01-05"),
        ("5. März 2024", "2024-03-05"),
        ("20240301", "2024-03-01"),
        ("202403", "2024-03-01"),
        ("202403011230", "2024-03-01T12:30"),
        ("2020Q2", "2020-04-01"),
        ("Q4 2020", "2020-10-01"),
        ("2020-W05", "2020-01-27"),
        ("2021-W01", "2021-01-04"),
        ("1949", "1949-01-01"),
        ("1583020800", "2020-03-01"),
        ("1583020800000", "2020-03-01"),
    ],
)
def test_a_date_is_read(text, expected):
    assert read_dates(text) == [expected]


def test_the_order_of_day_and_month_is_decided_from_all_values():
    assert read_dates("01/02/2020", "13/02/2020") == ["2020-02-01", "2020-02-13"]
    assert read_dates("01/02/2020", "02/13/2020") == ["2020-01-02", "2020-02-13"]


def test_even_spacing_tells_the_order_where_no_value_does():
    months = [
        f"{month:02d}/01/{year}" for year in (2020, 2021) for month in range(1, 13)
    ]
    times = parse_times(months)
    assert times is not None and times.problem is None
    assert "month/day/year" in times.notes[0] and "evenly spaced" in times.notes[0]


def test_an_undecidable_order_is_not_guessed():
    times = parse_times(["01/02/2020", "03/04/2020"])
    assert (
        times is not None
        and times.problem is not None
        and "--day-first" in times.problem
    )


def test_impossible_dates_are_bad_and_missing_ones_are_not():
    times = parse_times(
        ["2020-02-31", "2020-02-28", "", "n/a", "2020-01-01 25:00", "soon"]
    )
    assert times is not None and times.bad.tolist() == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_one_offset_gives_wall_time_and_several_give_utc():
    one = parse_times(["2024-03-01T12:00:00+09:00"])
    assert (
        one is not None
        and one.zone == "UTC+09:00"
        and str(one.values[0]).startswith("2024-03-01T12:00")
    )
    several = parse_times(["2024-03-01T12:00:00+01:00", "2024-07-01T12:00:00+02:00"])
    assert several is not None and several.zone == "UTC"
    assert [str(value)[11:13] for value in several.values] == ["11", "10"]
    midnights = parse_times(["2024-03-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00"])
    assert (
        midnights is not None
        and midnights.zone is None
        and str(midnights.values[1]).startswith("2024-07-01T00")
    )


@pytest.mark.parametrize(
    "texts", [["abc", "def"], ["1.5", "2.5"], ["12:00", "13:00"], [""], []]
)
def test_what_is_no_date_is_none(texts):
    assert parse_times(texts) is None


def test_every_day_of_a_century_comes_back_in_every_form():
    days = np.arange("1950-01-01", "2050-01-01", dtype="datetime64[D]")
    objects = days.tolist()
    for form in (
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d %B %Y",
        "%Y%m%d",
        "%Y年%m月%d日",
        "%Y-W%V-%u",
    ):
        year = "%G" if "%V" in form else "%Y"
        times = parse_times([day.strftime(form.replace("%Y", year)) for day in objects])
        assert times is not None and np.array_equal(
            times.values.astype("datetime64[D]"), days
        ), form


def test_plain_whole_numbers_are_an_index():
    assert integer_times(np.array([1, 2, 3])).form == "index"
    assert integer_times(np.array([], np.int64)).form == "index"
    assert integer_times(np.array([20240230])).form == "index"


def read_numbers(*texts: str, **options) -> list[float]:
    return parse_numbers(list(texts), **options).values.tolist()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,234.5", "12"], [1234.5, 12]),
        (["1.234,5", "12"], [1234.5, 12]),
        (["1,5", "2"], [1.5, 2]),
        (["1,234", "2,345", "99"], [1234, 2345, 99]),
        (["1.234", "980", "2.345", "3.456"], [1234, 980, 2345, 3456]),
        (["1.234", "2.345"], [1.234, 2.345]),
        (["1.234.567", "12"], [1234567, 12]),
        (["1.234", "1,5"], [1234, 1.5]),
        (["1 234", "12 345,6"], [1234, 12345.6]),
        (["1\u202f234", "1'234", "1’234"], [1234, 1234, 1234]),
        (["$1,234.50", "$3"], [1234.5, 3]),
        (["CHF 12.–", "CHF 3.50"], [12, 3.5]),
        (["¥1,200", "1,300円"], [1200, 1300]),
        (["12 %", "13%"], [12, 13]),
        (["１２", "▲３"], [12, -3]),
        (["(1,234)", "5-", "−7"], [-1234, -5, -7]),
        (["1e5", "-.5", "inf"], [1e5, -0.5, np.inf]),
    ],
)
def test_numbers_are_read(texts, expected):
    assert read_numbers(*texts) == expected


def test_semicolons_make_lone_commas_decimal():
    assert read_numbers("1,234", "2,345", decimal_comma_likely=True) == [1.234, 2.345]
    assert read_numbers("1,234", "2,345") == [1234, 2345]


@pytest.mark.parametrize(
    "text", ["abc", "12abc", "1_000", "2020-01-01", "Q1", "12:30", "1/2", "1,23,4"]
)
def test_text_is_no_number(text):
    assert parse_numbers([text, "1", "2"]).bad.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("text", "value"), [("٥٠٫٢", 50.2), ("۱٬۲۳۴٫۵", 1234.5), ("٣١", 31), ("१२.५", 12.5)]
)
def test_digits_of_other_scripts(text, value):
    assert read_numbers(text) == [value]


@pytest.mark.parametrize("text", ["4,039E+01", "-4,039e1"])
def test_exponents_behind_decimal_commas(text):
    assert read_numbers(text, "1,5") == [-40.39 if text[0] == "-" else 40.39, 1.5]


@pytest.mark.parametrize("text", ["***", "****", "#####", "....", "–––", "___"])
def test_signs_without_a_digit_are_missing(text):
    numbers = parse_numbers([text, "5"])
    assert not numbers.bad.any() and np.isnan(numbers.values[0])


def test_missing_markers_are_missing_and_not_bad():
    numbers = parse_numbers(
        ["NA", "n/a", "null", "-", ".", "", "#N/A", " ", "NaN", "1"]
    )
    assert not numbers.bad.any() and np.isnan(numbers.values[:-1]).all()


def test_a_unit_that_one_value_carries_is_text():
    assert parse_numbers(["1 kWh", "2 kWh"]).values.tolist() == [1, 2]
    assert parse_numbers(["1", "2", "3 kWh"]).bad.tolist() == [False, False, True]


_NEGATIVE = (
    "-$1,000.00|$-1,000.00|$ -1,000.00|- $1,000.00|($1,000.00)|$(1,000.00)|(1,000.00)"
    "|(1,000.00) USD|USD (1,000.00)|-USD 1,000.00|1,000.00-|1,000.00 -|1,000.00- EUR|"
    "1,000.00 EUR-|-1.000,00 €|€ -1.000,00|-€1.000,00|1.000,00 €-|1.000,00- €|−1,000|"
    "–1,000|－１，０００|△1,000|▲1,000円|-¥1,000|▲¥1,000|-R$ 1.000,00|Fr. -1'000.00|-CHF 1'0"
    "00.–|-kr 1 000,00|1000- kWh"
)


@pytest.mark.parametrize("text", _NEGATIVE.split("|"))
def test_the_sign_of_money_stands_anywhere(text):
    numbers = parse_numbers([text.strip()])
    assert numbers.values.tolist() == [-1000.0] and not numbers.bad.any()


@pytest.mark.parametrize("sign", ["A$", "C$ ", "NT$", "Rp ", "₪ ", "₫", "US$"])
def test_signs_of_money_in_many_countries(sign):
    assert read_numbers(f"-{sign}1,234.50", f"{sign}12.25") == [-1234.5, 12.25]


@pytest.mark.parametrize("text", ["12.-", "CHF 12.–", "12", "$12", "12.00 USD"])
def test_a_swiss_price_has_no_sign(text):
    assert parse_numbers([text]).values.tolist() == [12.0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,34,567.00", 1234567.0),
        ("-12,34,567", -1234567.0),
        ("₹1,23,456.5", 123456.5),
        ("(₹ 1,23,456)", -123456.0),
        ("Rs. 12,34,56,789", 123456789.0),
        ("12 34 567,50", 1234567.5),
    ],
)
def test_numbers_grouped_as_in_india(text, value):
    assert parse_numbers([text]).values.tolist() == [value]


@pytest.mark.parametrize(
    ("decimal", "value"), [(",", 5037.0), (".", 5.037), ("", 5.037)]
)
def test_a_decimal_mark_that_was_said_counts(decimal, value):
    assert parse_numbers(["5.037"], decimal=decimal).values.tolist() == [value]


@pytest.mark.parametrize("flag", ["p", "e", "(p)", "*", "r"])
def test_marks_behind_a_few_numbers_are_taken_off_with_a_note(flag):
    texts = [f"{n}.5 {flag}" if n > 17 else f"{n}.5" for n in range(1, 20)]
    numbers = parse_numbers(texts)
    assert not numbers.bad.any() and numbers.values[-1] == 19.5
    assert any("marks after numbers" in note for note in numbers.notes)


def test_a_number_is_compared_with_no_shape():
    shapes._compiled.cache_clear()
    assert shapes.match_shape("000") is None
    assert shapes._compiled.cache_info().currsize == 0
    assert shapes.match_shape("0000-00") is not None


DAYS_OF_A_SHEET = [np.datetime64("2024-01-03") + number for number in range(58)]


@pytest.mark.parametrize("clock", ["", "T00:00:00", " 00:00:00"])
@pytest.mark.parametrize("order", ["day", "month"])
def test_days_and_months_that_a_spreadsheet_interchanged(order, clock):
    texts = []
    for day in DAYS_OF_A_SHEET:
        year, month, number = str(day).split("-")
        first, second = (number, month) if order == "day" else (month, number)
        if int(number) <= 12:
            texts.append(f"{year}-{number}-{month}{clock}")
        else:
            texts.append(f"{first}/{second}/{year}")
    times = parse_times(texts)
    assert times is not None and not times.problem
    assert times.values.astype("datetime64[D]").tolist() == [
        day.tolist() for day in DAYS_OF_A_SHEET
    ]
    assert any("interchanged, as a spreadsheet" in note for note in times.notes)


def test_dates_of_two_spellings_stay_as_they_are():
    texts = []
    for place, day in enumerate(DAYS_OF_A_SHEET):
        year, month, number = str(day).split("-")
        texts.append(str(day) if place % 3 else f"{number}.{month}.{year}")
    times = parse_times(texts)
    assert times is not None
    assert times.values.astype("datetime64[D]").tolist() == [
        day.tolist() for day in DAYS_OF_A_SHEET
    ]
