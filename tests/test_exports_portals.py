"""Files of portals, stations and services, in forms that others write: decades, powers of Fortran,
signs behind numbers, coordinates beside measurements, columns named by a log."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from lstmcast.errors import DataError

DAYS = [date(2023, 1, 2) + timedelta(n) for n in range(60)]
VALUES = [100.5 + 7 * n % 31 for n in range(60)]


def read_as(panel):
    return panel.frequency.code, str(panel.starts[0])[:10], panel.values.tolist()


def daily(form, values=VALUES):
    """Rows of days and values, as a form has them."""
    return [form.format(d, v) for d, v in zip(DAYS, values, strict=False)]


def said(panel, words):
    return any(words in f"{f.message} {f.action}" for f in panel.report.findings)


DAILY = ("D", "2023-01-02", VALUES)


def test_decades(read_lines):
    rows = [f"{1850 + 10 * n}s,{value}" for n, value in enumerate(VALUES[:16])]
    panel = read_lines(["decade,storms", *rows])
    assert (panel.frequency.every, panel.frequency.unit) == (10, "year")
    assert read_as(panel)[1:] == ("1850-01-01", VALUES[:16])


@pytest.mark.parametrize("unit", ["M", "m", "s", "h"])
def test_one_unit_behind_all_numbers_stays_out(read_lines, unit):
    panel = read_lines(["day,amount", *daily("{0},{1}" + unit)])
    assert read_as(panel) == DAILY
    assert said(panel, f"'{unit.lower()}' removed from every value")


def test_powers_as_fortran_writes_them(read_lines):
    values = [f"{value / 1000:.5f}D+03" for value in VALUES]
    panel = read_lines(["day,flux", *daily("{0},{1}", values)])
    assert np.allclose(panel.values, VALUES)


def test_signs_behind_numbers(read_lines):
    signed = [value if n % 3 else -value for n, value in enumerate(VALUES)]
    texts = [f"{abs(value):.2f}{'-' if value < 0 else '+'}" for value in signed]
    assert read_lines(["day,saldo", *daily("{0},{1}", texts)]).values.tolist() == signed


def test_open_ends_are_no_signs(read_lines):
    texts = [f"{value}{'+' * (n == 7)}" for n, value in enumerate(VALUES)]
    with pytest.raises(DataError, match=r"text in the target column 'wait'"):
        read_lines(["day,wait", *daily("{0},{1}", texts)], target="wait")


def test_what_stays_the_same_in_each_series_is_no_target(read_lines):
    rows = daily("A,45.1,7.5,{0},{1}") + daily("B,46.2,7.9,{0},{1}")
    panel = read_lines(["station,lat,lon,date,tmax", *rows])
    assert panel.columns.target == "tmax"
    assert panel.ids.tolist() == ["A", "B"]


def test_ids_of_rows_are_no_target(read_lines):
    rows = [f"{9001 + n},{row}" for n, row in enumerate(daily("{0},{1}"))]
    assert read_lines(["OBJECTID,day,level", *rows]).columns.target == "level"


def test_names_in_a_log(read_lines):
    lines = ["#Version: 1.0", "#Fields: date level", *daily("{0} {1}")]
    panel = read_lines(lines)
    assert panel.columns.target == "level"
    assert read_as(panel) == DAILY


@pytest.mark.parametrize("header", ["Dato,Antal", "day,level"])
def test_three_digits_behind_points_are_doubtful(read_lines, header):
    rows = [
        f'"{day:%d-%m-%Y}","{5 + n}.{290 + n}"' for n, day in enumerate(DAYS[:20], 1)
    ]
    assert said(read_lines([header, *rows]), "can be read as 6.291 or as 6291")


def test_zeros_are_hinted_at_where_amounts_are_rare(read_lines):
    amounts = [f"{1 + n * n % 37}.25" for n in range(60)]
    rows = daily("{0},{1}", amounts)[::3] + daily("{0},{1}", amounts)[1::7]
    panel = read_lines(["day,rain", *sorted(set(rows))])
    assert said(panel, "gaps='zero'") or said(panel, "--gaps zero")


def test_zeros_are_not_hinted_at_where_measurements_are_missing(read_lines):
    rows = daily("{0},{1}")[::3] + daily("{0},{1}")[1::7]
    panel = read_lines(["day,temperature", *sorted(set(rows))])
    assert not said(panel, "gaps")


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [(1950, 2009, "05"), (2009, 1990, "5"), (1960, 1998, "5")],
)
def test_years_of_two_digits_that_count_on(first, last, shown, read_lines):
    step = 1 if last > first else -1
    years = range(first, last + step, step)
    width = len(shown)
    rows = [
        f"{year % 100:0{width}},{v}" for year, v in zip(years, VALUES, strict=False)
    ]
    panel = read_lines(["Year,rate", *rows])
    assert panel.frequency.code == "YS"
    assert str(panel.starts[0])[:4] == str(min(first, last))
    assert said(panel, f"years of two digits read as {first} to {last}")


def test_short_years_beside_months(read_lines):
    rows = [f"{(98 + n // 12) % 100:02},{n % 12 + 1},{v}" for n, v in enumerate(VALUES)]
    panel = read_lines(["yr,mo,rate", *rows])
    assert read_as(panel) == ("MS", "1998-01-01", VALUES)


def test_small_numbers_of_years_are_asked_about(read_lines):
    rows = [f"{n + 1},{value}" for n, value in enumerate(VALUES[:30])]
    with pytest.raises(DataError, match="no column of dates"):
        read_lines(["year,rate", *rows])


@pytest.mark.parametrize(
    "words", ["AM PM", "a.m. p.m.", "午前 午後", "matin après-midi"]
)
def test_halves_beside_days_are_times(words, read_lines):
    halves = words.split()
    rows = [f"{DAYS[n // 2]},{halves[n % 2]},{value}" for n, value in enumerate(VALUES)]
    panel = read_lines(["date,period,weight", *rows])
    assert (panel.frequency.every, panel.frequency.unit) == (12, "hour")
    assert panel.values.tolist() == VALUES


def test_halves_behind_days_are_times(read_lines):
    rows = [f"{DAYS[n // 2]} {'AP'[n % 2]}M,{value}" for n, value in enumerate(VALUES)]
    panel = read_lines(["date,weight", *rows])
    assert panel.frequency.unit == "hour"
    assert panel.values.tolist() == VALUES


def test_halves_that_name_series_stay_series(read_lines):
    rows = daily("{0},AM,{1}") + daily("{0},PM,{1}")
    panel = read_lines(["date,shift,weight", *rows], series="shift")
    assert panel.ids.tolist() == ["AM", "PM"]


@pytest.mark.parametrize("mark", ["-", "'"])
def test_prices_in_32nds(mark, read_lines):
    prices = [f"{100 + n % 3}{mark}{7 * n % 32:02}{'+' * (n % 2)}" for n in range(60)]
    panel = read_lines(["date,price", *daily("{0},{1}", prices)])
    assert panel.values[:3].tolist() == [100, 101 + 7.5 / 32, 102 + 14 / 32]
    assert said(panel, "read as whole numbers and 32nds")


def test_values_of_four_digits_beside_dates_are_no_years(read_lines):
    values = [1457 if n % 7 == 4 else 1300.5 + n for n in range(60)]
    months = [f"{2018 + n // 12}-{n % 12 + 1:02}-01" for n in range(60)]
    rows = [f"{month},{value}" for month, value in zip(months, values, strict=True)]
    assert read_lines(["month,sales", *rows]).values.tolist() == values


@pytest.mark.parametrize("seconds", ["", "00"])
def test_clocks_in_digits_without_names(seconds, read_lines):
    rows = [
        f"{DAYS[n // 24]:%Y%m%d};{n % 24:02}00{seconds};{n % 31 + 0.5}"
        for n in range(96)
    ]
    panel = read_lines(rows)
    assert (panel.frequency.code, panel.lengths.tolist()) == ("h", [96])


def test_points_that_count_from_the_start_of_their_period(read_lines):
    def period(day, values):
        points = [
            f"<Point><position>{n}</position><price.amount>{value}</price.amount></Point>"
            for n, value in enumerate(values, 1)
        ]
        interval = f"<start>{day}T00:00Z</start><end>{day + timedelta(1)}T00:00Z</end>"
        return (
            f"<TimeSeries><Period><timeInterval>{interval}</timeInterval>"
            f"<resolution>PT60M</resolution>{''.join(points)}</Period></TimeSeries>"
        )

    periods = [period(DAYS[n], VALUES[24 * n : 24 * n + 24]) for n in range(2)]
    document = [
        "<?xml version='1.0'?><Document xmlns='urn:x'>",
        *periods,
        "</Document>",
    ]
    panel = read_lines(document)
    assert read_as(panel) == ("h", "2023-01-02", VALUES[:48])
    assert panel.columns.target == "price.amount"
