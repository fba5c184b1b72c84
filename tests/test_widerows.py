"""A row per series: times in the names of columns, and where times stand without a name."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

import lstmcast as lc

MONTHS = [(2022 + n // 12, n % 12 + 1) for n in range(24)]


@pytest.fixture
def read_text(tmp_path):
    def reading(text, name="data.csv", **options):
        path = tmp_path / name
        path.write_text(text)
        return lc.read(path, **options)

    return reading


@pytest.mark.parametrize(
    "form",
    [
        "X{}.{:02d}",
        "sales_{}_{:02d}",
        "sales_{}{:02d}",
        "Value {}-{:02d}",
        "m{}_{:02d}_01",
    ],
)
def test_names_that_are_dates_behind_the_same_letters(form, read_text):
    names = [form.format(year, month) for year, month in MONTHS]
    rows = [
        "a," + ",".join(map(str, range(24))),
        "b," + ",".join(map(str, range(50, 74))),
    ]
    panel = read_text("\n".join([",".join(["id", *names]), *rows]) + "\n")
    assert panel.ids.tolist() == ["a", "b"] and panel.series(1).ravel()[0] == 50
    assert str(panel.starts[0])[:10] == "2022-01-01" and panel.frequency.code == "MS"


def test_columns_of_two_stems_are_asked_about(read_text):
    names = [
        f"{stem}_{year}_{month:02d}" for stem in ("in", "out") for year, month in MONTHS
    ]
    with pytest.raises(lc.DataError, match="no column of dates"):
        read_text(
            "\n".join([",".join(["id", *names]), "a," + ",".join(["5"] * 48)]) + "\n"
        )


@pytest.mark.parametrize("header", ["", "name,value,ts\n", "name,value,unix\n"])
def test_seconds_since_1970_behind_the_values(header, read_text):
    rows = [f"cpu,{5 + n}.5,{1672531200 + 86400 * n}" for n in range(12)]
    panel = read_text(header + "\n".join(rows) + "\n")
    assert panel.values[:2].ravel().tolist() == [5.5, 6.5]
    assert str(panel.starts[0])[:10] == "2023-01-01"


def test_a_list_of_numbers_keeps_the_first(read_text):
    for options in ({}, {"time": "index"}):
        panel = read_text(json.dumps([5.5, 6.5, 7.5, 8.5]), "data.json", **options)
        assert panel.values.ravel().tolist() == [5.5, 6.5, 7.5, 8.5]


@pytest.mark.parametrize(
    "form",
    ["[{y}-{m:02d}-01 00:00:00]", "25_{m:02d}_{y}", "{name} of {y}", "{name} de {y}"],
)
def test_further_spellings(form, read_text):
    names = ["January", "February", "March", "April"]
    labels = [
        form.format(y=2024, m=n, name=name) for n, name in enumerate(names, start=1)
    ]
    panel = read_text(
        "\n".join(["when,v", *[f"{label},{n}" for n, label in enumerate(labels)]])
    )
    assert str(panel.starts[0])[:7] == "2024-01" and panel.report.rows == 4


def of_hours(names: list[str], first: list[str]) -> str:
    """A table with a row per hour and a column per day, whose values count the hours."""
    rows = [
        ",".join([name, *[str(100 + 24 * day + hour) for day in range(3)]])
        for hour, name in enumerate(first)
    ]
    return "\n".join([",".join(names), *rows]) + "\n"


@pytest.mark.parametrize(
    ("name", "form"),
    [("Hour", "{}"), ("Time", "{:02d}:00"), ("", "{:02d}:00"), ("HE", "{ending}")],
)
def test_hours_in_rows_and_days_across(name, form, read_text):
    hours = [form.format(hour, ending=hour + 1) for hour in range(24)]
    panel = read_text(of_hours([name, "2024-03-01", "2024-03-02", "2024-03-03"], hours))
    assert panel.values.ravel().tolist() == list(range(100, 172))
    assert (
        str(panel.starts[0])[:16] == "2024-03-01T00:00" and panel.frequency.code == "h"
    )


def test_names_in_rows_stay_series(read_text):
    names = [f"item {n}" for n in range(24)]
    assert (
        len(
            read_text(of_hours(["id", "2024-03-01", "2024-03-02", "2024-03-03"], names))
        )
        == 24
    )


def test_years_and_twelve_columns_without_names_are_months(read_text):
    rows = [
        ",".join([str(2020 + y), *[f"{12 * y + m}.5" for m in range(12)]])
        for y in range(4)
    ]
    panel = read_text("\n".join(rows) + "\n")
    assert panel.values.ravel().tolist() == [n + 0.5 for n in range(48)]


def test_quarters_in_words_across(read_text):
    names = ["Jahr", *[f"{q}. Quartal" for q in (1, 2, 3, 4)], "Jahresdurchschnitt"]
    rows = [
        ";".join([str(2020 + y), *[f"{4 * y + q},5" for q in range(4)], "1,5"])
        for y in range(4)
    ]
    panel = read_text("\n".join([";".join(names), *rows]) + "\n")
    assert panel.values.ravel().tolist() == [n + 0.5 for n in range(16)]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("MinuteOfDay", 60), ("minutes since midnight", 60), ("second_of_day", 3600)],
)
def test_minutes_since_midnight(name, unit, read_text):
    rows = [
        f"2024-03-0{d},{h * unit},{24 * d + h}" for d in (1, 2, 3) for h in range(24)
    ]
    panel = read_text("\n".join([f"date,{name},load", *rows]) + "\n")
    assert len(panel) == 1 and panel.frequency.code == "h" and panel.report.rows == 72


@pytest.mark.parametrize("form", ["{:%Y%m%d}.0", "{:%-d%m%Y}"])
def test_days_as_numbers_of_data_frames_and_spreadsheets(form, read_text):
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(40)]
    rows = [f"{form.format(day)},{n}" for n, day in enumerate(days)]
    panel = read_text("\n".join(["date,v", *rows]) + "\n")
    assert str(panel.starts[0])[:10] == "2024-01-01" and panel.report.rows == 40
