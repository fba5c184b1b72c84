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
