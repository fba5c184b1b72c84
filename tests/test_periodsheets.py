"""Workbooks with a sheet, and archives with a file, for each year or month of one table."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest

import lstmcast as lc
from builders import MONTHS, csv_of, packed_files, saved_workbook

YEARS = (2021, 2022, 2023)
VALUES = [100.0 + 7 * n % 13 for n in range(36)]


def of_year(year: int, *columns: str) -> list[list[object]]:
    """A table of one year: the header, and a row for each month."""
    first = 12 * (year - 2021)
    rows = [
        [date(year, n + 1, 1), value]
        for n, value in enumerate(VALUES[first : first + 12])
    ]
    return [list(columns or ("month", "sales")), *rows]


@pytest.fixture
def workbook(tmp_path):
    return partial(saved_workbook, tmp_path / "book.xlsx")


@pytest.fixture
def archive(tmp_path):
    def packing(files):
        texts = {name: csv_of(rows) for name, rows in files.items()}
        return packed_files(tmp_path / "data.zip", texts)

    return packing


@pytest.mark.parametrize(
    "name", ["{}", "FY {}", "Sales {}", "{} sales", "sales_{}", "Jan-Dec {}"]
)
def test_a_sheet_for_each_year(name, workbook):
    panel = lc.read(workbook({name.format(year): of_year(year) for year in YEARS}))
    assert panel.values.ravel().tolist() == VALUES
    assert str(panel.starts[0])[:10] == "2021-01-01"
    assert "the 3 sheets" in str(panel.check()) and "their rows were joined" in str(
        panel.check()
    )


def test_sheets_whose_rows_have_no_year(workbook):
    sheets = {}
    for year in YEARS:
        header, *rows = of_year(year)
        named = [[MONTHS[n], value] for n, (_, value) in enumerate(rows)]
        sheets[str(year)] = [
            ["Sales"],
            header,
            *named,
            ["Total", sum(value for _, value in rows)],
        ]
    panel = lc.read(workbook(sheets))
    assert panel.values.ravel().tolist() == VALUES
    assert "the years in their names became the column 'year'" in str(panel.check())


def test_a_sheet_for_each_month(workbook):
    sheets = {}
    for n, name in enumerate(MONTHS[:4], start=1):
        days = [date(2023, n, 1) + timedelta(days=day) for day in range(28)]
        sheets[f"{name} 2023"] = [["day", "a", "b"], *[[day, 5.5, 7.5] for day in days]]
    path = workbook(sheets)
    with pytest.raises(
        lc.DataError, match="2 numeric columns that could be the target"
    ):
        lc.read(path)
    panel = lc.read(path, target="b")
    assert panel.report.rows == 112 and str(panel.ends[0])[:10] == "2023-04-28"


def days_of_2023(n: int) -> list[date]:
    """The days of a month, from 1."""
    begin = date(2023, n, 1)
    return [begin + timedelta(days=day) for day in range(28)]


@pytest.mark.parametrize(
    "name", ["{n}月", "{n:02d}.2023", "{month}", "2023-{n:02d}", "{month} 2023"]
)
def test_a_sheet_for_each_month_in_any_spelling(name, workbook):
    sheets = {}
    for n, month in enumerate(MONTHS, start=1):
        rows = [[day, float(day.month)] for day in days_of_2023(n)]
        sheets[name.format(n=n, month=month)] = [["day", "sales"], *rows]
    panel = lc.read(workbook(sheets))
    assert (len(panel), panel.report.rows) == (1, 12 * 28)


@pytest.mark.parametrize(
    "name", ["{month} 2023", "2023_{n:02d}", "{n:02d}-2023", "2023年{n}月"]
)
def test_days_of_months_that_only_the_sheets_name(name, workbook):
    sheets = {}
    for n, month in enumerate(MONTHS, start=1):
        rows = [[day.day, float(day.month)] for day in days_of_2023(n)]
        sheets[name.format(n=n, month=month)] = [["Tag", "Umsatz"], *rows]
    panel = lc.read(workbook(sheets))
    assert (
        panel.values[:28].tolist() == [1.0] * 28
        and str(panel.ends[0])[:10] == "2023-12-28"
    )
    assert "became the column 'month'" in str(panel.check())


@pytest.mark.parametrize("label", ["%d.%m.", "%d. %b", "%b %d", "%m/%d"])
def test_days_of_years_that_only_the_sheets_name(label, workbook):
    sheets = {}
    for year in YEARS:
        days = [date(year, 1, 1) + timedelta(days=day) for day in range(365)]
        rows = [[day.strftime(label), float(year)] for day in days]
        sheets[str(year)] = [["Tag", "Umsatz"], *rows]
    panel = lc.read(workbook(sheets))
    assert (
        str(panel.starts[0])[:10] == "2021-01-01"
        and str(panel.ends[0])[:10] == "2023-12-31"
    )
    assert "complete 'Tag'" in str(panel.check())


@pytest.mark.parametrize("name", ["load_{}.csv", "{}.csv", "load-{}-v1.csv"])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"])
def test_hours_of_days_that_only_the_files_name(name, form, archive):
    files = {}
    for day in days_of_2023(3)[:6]:
        rows = [[hour, float(hour)] for hour in range(24)]
        files[name.format(day.strftime(form))] = [["hour", "load"], *rows]
    panel = lc.read(archive(files))
    assert panel.frequency.code == "h" and panel.report.rows == 144
    assert str(panel.starts[0])[:13] == "2023-03-01T00"


def test_a_table_for_each_year_in_an_archive(archive):
    files = {f"in/sales_{year}.csv": of_year(year) for year in YEARS}
    panel = lc.read(archive(files | {"readme.txt": [["of us"], ["and others"]]}))
    assert panel.values.ravel().tolist() == VALUES
    assert "the 3 files 'sales_2021.csv' to 'sales_2023.csv' in the archive" in str(
        panel.check()
    )


def test_the_one_table_with_a_series_in_an_archive(archive):
    notes = [["code", "name"], ["a", "north"], ["b", "south"]]
    panel = lc.read(archive({"meta.csv": notes, "data.csv": of_year(2021)}))
    assert panel.values.ravel().tolist() == VALUES[:12]
    assert "the file 'data.csv' was read" in str(panel.check())


OTHERS = [
    {"2021": of_year(2021), "2022": of_year(2021)},  # the same months
    {"2021": of_year(2021), "2022": of_year(2022, "month", "orders")},
    {"North": of_year(2021), "South": of_year(2022)},
    {"Sales 2021": of_year(2021), "Costs 2022": of_year(2022)},
    {"2021": of_year(2021), "2022": of_year(2022), "Plan": of_year(2023)},
]


@pytest.mark.parametrize("sheets", OTHERS)
def test_other_sheets_are_asked_about(sheets, workbook):
    with pytest.raises(
        lc.DataError, match=f"{len(sheets)} sheets with series. Choose one"
    ):
        lc.read(workbook(sheets))


def test_a_bomb_of_many_files_is_refused(archive):
    with pytest.raises(lc.DataError, match="ZIP archive with 201 files"):
        lc.read(archive({f"{year}.csv": of_year(2021) for year in range(201)}))
