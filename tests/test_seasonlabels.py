"""Seasons as labels of periods, and labels that have no year."""

from __future__ import annotations

import pytest

import lstmcast as lc
from lstmcast.data.times.dates import parse_times

SEASONS = [
    (
        "Summer 2019|Winter 2019/20|Summer 2020|Winter 2020/21",
        "2019-04 2019-10 2020-04 2020-10",
    ),
    ("Summer 2019|Winter 2019|Summer 2020", "2019-04 2019-10 2020-04"),
    ("Winter 1998/99|Winter 1999/00|Winter 2000/01", "1998-01 1999-01 2000-01"),
    ("Winter 1998-1999|Winter 1999-2000|Winter 2000-2001", "1998-01 1999-01 2000-01"),
    (
        "Spring 2019|Summer 2019|Autumn 2019|Winter 2019",
        "2019-03 2019-06 2019-09 2019-12",
    ),
    (
        "Winter 2019|Spring 2019|Summer 2019|Fall 2019|Winter 2020",
        "2018-12 2019-03 2019-06",
    ),
    (
        "DJF 2019|MAM 2019|JJA 2019|SON 2019|DJF 2020",
        "2018-12 2019-03 2019-06 2019-09 2019-12",
    ),
    (
        "2019 Frühling|2019 Sommer|2019 Herbst|2019 Winter",
        "2019-03 2019-06 2019-09 2019-12",
    ),
    ("2019年春|2019年夏|2019年秋|2019年冬", "2019-03 2019-06 2019-09 2019-12"),
    ("Fall 2019|Spring 2020|Fall 2020|Spring 2021", "2019-09 2020-03 2020-09 2021-03"),
]


@pytest.mark.parametrize(("texts", "expected"), SEASONS)
def test_seasons_begin_in_a_month(texts, expected):
    times = parse_times(texts.split("|"))
    assert times is not None and not times.bad.any() and times.problem is None
    months = times.values.astype("datetime64[M]").astype(str).tolist()
    first_months = expected.split()
    assert months[: len(first_months)] == first_months
    assert "read as " in times.notes[0]


@pytest.mark.parametrize(
    "texts",
    [
        "Winter 2019/22|Winter 2020/23|Winter 2021/24",
        "Spring 2019|Summer 2019|Autumn 2019|Spring 2020",  # winters are left out
        "Harvest 2019|Harvest 2020|Harvest 2021",
        "Winter 2019|Spring 2019|Summer 2020|Fall 2019",
    ],
)
def test_other_labels_are_no_seasons(texts):
    assert parse_times(texts.split("|")) is None


YEARLESS = [
    "w/c 2 Jan|w/c 9 Jan|w/c 16 Jan|w/c 23 Jan",
    "week ending January 2|week ending January 9|week ending January 16|week ending January 23",
    "January 2|January 3|January 4|January 15",
    "Jan 2 10:00|Jan 3 10:00|Jan 4 10:00|Jan 15 10:00",
    "2 Jan 10:00|2 Jan 11:00|2 Jan 12:00|2 Jan 13:00",
    "02/01|09/01|16/01|23/01",
    "02.01.|09.01.|16.01.|23.01.",
    "1月2日|1月9日|1月16日|1月23日",
    "Week 1|Week 2|Week 3|Week 4",
    "KW01|KW02|KW03|KW04",
    "January|February|March|April",
    "Q1|Q2|Q3|Q4",
]


@pytest.mark.parametrize("texts", YEARLESS)
def test_labels_without_a_year_are_asked_about(texts, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{label},{5 + n}" for n, label in enumerate(texts.split("|"))]
    path.write_text("\n".join(["when,sold", *rows]) + "\n")
    with pytest.raises(
        lc.DataError, match=r"(have no|without a) year.*time='index', periods=N"
    ):
        lc.read(path)
    assert lc.read(
        path, time="index", target="sold", periods=2
    ).values.ravel().tolist() == [
        5,
        6,
        7,
        8,
    ]
