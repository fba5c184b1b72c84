"""Workbooks and archives with a sheet or a file for each region or station."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import partial

import openpyxl
import pytest

import lstmcast as lc
from builders import csv_of, packed_files, saved_workbook
from lstmcast.data.layouts.namedsheets import distinct_parts

DAYS = [date(2024, 3, 1) + timedelta(days=day) for day in range(30)]


def rows_of(first: float, days: list[date] = DAYS) -> list[list[object]]:
    return [
        ["day", "sales"],
        *([day, first + 7 * n % 13] for n, day in enumerate(days)),
    ]


@pytest.fixture
def workbook(tmp_path):
    return partial(saved_workbook, tmp_path / "book.xlsx")


@pytest.fixture
def archive(tmp_path):
    return partial(packed_files, tmp_path / "data.zip")


def test_a_sheet_for_each_region(workbook):
    cover = [["Report"], ["of us"]]
    book = {
        "Cover": cover,
        "North": rows_of(1),
        "South": rows_of(100),
        "West": rows_of(200),
    }
    panel = lc.read(workbook(book))
    assert panel.ids.tolist() == ["North", "South", "West"]
    assert [panel.series(place)[0] for place in range(3)] == [1, 100, 200]
    found = str(panel.check())
    assert (
        "the 3 sheets 'North' to 'West' have the same columns: each became a series"
        in found
    )


def test_one_of_the_regions(workbook):
    path = workbook({"North": rows_of(1), "South": rows_of(100)})
    assert lc.read(path, sheet="South").values[0] == 100


def test_regions_that_began_later(workbook):
    panel = lc.read(workbook({"Berlin": rows_of(1), "Bonn": rows_of(100, DAYS[10:])}))
    assert panel.lengths.tolist() == [30, 20]


def test_regions_with_titles_and_two_columns_of_values(workbook):
    sheets = {}
    for name, first in (("North", 1), ("South", 100)):
        rows = [[day, first + n, n] for n, day in enumerate(DAYS)]
        sheets[name] = [[f"Sales of {name}"], [], ["day", "a", "b"], *rows]
    path = workbook(sheets)
    with pytest.raises(lc.DataError, match="could be the target"):
        lc.read(path)
    panel = lc.read(path, target="a")
    assert panel.ids.tolist() == ["North", "South"] and panel.values[30] == 100


@pytest.mark.parametrize(
    "name", ["{}.csv", "sales_{}.csv", "in/sales-{}-2024.csv", "{}/data.csv"]
)
def test_a_file_for_each_region(name, archive):
    files = {
        name.format(place): csv_of(rows_of(first)) for place, first in PLACES.items()
    }
    panel = lc.read(archive(files))
    assert panel.ids.tolist() == list(PLACES)
    assert "in the archive have the same columns: each became a series" in str(
        panel.check()
    )


PLACES = {"north": 1.5, "south": 100.5, "new_york": 200.5}


def test_json_for_each_region(archive):
    files = {}
    for place, first in PLACES.items():
        records = [{"day": str(day), "sales": first + n} for n, day in enumerate(DAYS)]
        files[f"{place}.json"] = json.dumps(records)
    assert lc.read(archive(files)).ids.tolist() == list(PLACES)


def test_stations_that_have_a_column_of_their_own(archive):
    files = {}
    for station in (44, 73):
        rows = [[station, day, station + n] for n, day in enumerate(DAYS)]
        files[f"produkt_{station}.txt"] = csv_of(
            [["STATIONS_ID", "MESS_DATUM", "TT"], *rows]
        )
    panel = lc.read(archive(files), target="TT")
    assert panel.ids.tolist() == ["44", "73"] and panel.values[30] == 73


@pytest.mark.parametrize("name", ["part-0000{}.csv", "data ({}).csv", "Export_{}.csv"])
def test_numbered_parts_of_one_table(name, archive):
    rows = rows_of(1.5)
    files = {
        name.format(0): csv_of(rows[:16]),
        name.format(1): csv_of([rows[0], *rows[16:]]),
    }
    panel = lc.read(archive(files))
    assert len(panel) == 1 and panel.report.rows == 30


COPIES = [
    {"Data": rows_of(1), "Data (2)": rows_of(1)},
    {"North": rows_of(1), "South": rows_of(1)},
    {"Sheet1": rows_of(1), "Sheet2": rows_of(2)},
    {"North": rows_of(1), "South": [["day", "orders"], *rows_of(2)[1:]]},
]


@pytest.mark.parametrize("sheets", COPIES)
def test_sheets_that_names_do_not_tell_apart_are_asked_about(sheets, workbook):
    with pytest.raises(lc.DataError, match="2 sheets with series"):
        lc.read(workbook(sheets))


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["north", "south"], ["north", "south"]),
        (["Sales North 2024.csv", "Sales South 2024.csv"], ["North", "South"]),
        (["a/data.csv", "b/data.csv"], ["a", "b"]),
        (["store_1", "store_12"], ["1", "12"]),
        (["v1.5", "v1.6"], ["v1.5", "v1.6"]),
    ],
)
def test_what_tells_names_apart(names, parts):
    assert distinct_parts(names) == parts


def test_hidden_sheets_are_no_choice(tmp_path):
    book = openpyxl.Workbook()
    for name, first in (("copy", 500), ("Sales", 1), ("chart", 900)):
        sheet = book.create_sheet(name)
        for row in rows_of(first):
            sheet.append(row)
        sheet.sheet_state = "visible" if name == "Sales" else "hidden"
    del book["Sheet"]
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert lc.read(path).values[0] == 1
    assert lc.read(path, sheet="copy").values[0] == 500


def test_a_hidden_sheet_with_the_only_table(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Report"])
    hidden = book.create_sheet("data")
    for row in rows_of(7):
        hidden.append(row)
    hidden.sheet_state = "hidden"
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert lc.read(path).values[0] == 7
