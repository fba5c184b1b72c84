"""Where the header is: titles, comments, odd first values, several levels of names."""

from __future__ import annotations

import pytest

import lstmcast as lc
from lstmcast.data.files.grids import sheet_from_grid
from lstmcast.data.files.textfiles import read_text
from lstmcast.data.sheet import Sheet

DAYS = [f"2024-01-{day:02d}" for day in range(1, 11)]
ROWS = [f"{day},{100 + n},{n}" for n, day in enumerate(DAYS)]


def sheet_of(*lines: str) -> Sheet:
    return sheet_from_grid(read_text("\n".join(lines).encode(), "a.csv"), "a.csv", "a")


def dropped(sheet: Sheet) -> list[str]:
    return [
        note.severity for note in sheet.notes if note.rule == "lines that are not data"
    ]


@pytest.mark.parametrize(
    "first",
    [
        "2024-01-01,sold out,0",  # the first value is a word
        "2024-01-01,120,closed",
        "2024-01-01,n/a,closed",
        "2024-01-01,<1,0",
        "2024-01-01,1 (p),x",
    ],
)
def test_an_odd_first_row_is_data(first):
    sheet = sheet_of("day,sold,open", first, *ROWS[1:])
    assert sheet.names == ["day", "sold", "open"]
    assert sheet.lines.tolist() == list(range(2, 12)) and not dropped(sheet)


def test_many_odd_rows_at_the_top_are_data():
    odd = [f"{day},{n},x" for n, day in enumerate(DAYS[:6])]
    sheet = sheet_of(
        "day,north,south", *odd, *[f"2024-02-{d:02d},5,6" for d in range(1, 20)]
    )
    assert sheet.names == ["day", "north", "south"] and len(sheet) == 25


def test_a_first_row_with_an_odd_time_is_data_and_stays_in_the_sheet():
    sheet = sheet_of(
        '"day","close"',
        '"10:15","88.4"',
        *[f'"{d}","8{n}.5"' for n, d in enumerate(DAYS)],
    )
    assert sheet.names == ["day", "close"] and sheet.lines[0] == 2


@pytest.mark.parametrize(
    "above",
    [
        ["# licence", "# more words, of it", "#day,sold,open"],
        ["# licence", "day,sold,open"],
        ["% a comment", "%", "day,sold,open"],
        ["// made by us", "day,sold,open"],
        [
            '"Main statistics"',
            '"2019/05/16 15:00"',
            '"","money","money"',
            "day,sold,open",
        ],
        ["Report,,", "2024-02-01 10:00,,", "day,sold,open", "Unit,pcs,h"],
        ["day,sold,open", "(d),(pcs),(h)"],
        ["sep=,", "day,sold,open"],
        ["From,2024-01-01", "day,sold,open"],
    ],
)
def test_names_come_from_the_first_full_row_of_distinct_texts(above):
    sheet = sheet_of(*above, *ROWS)
    assert sheet.names == ["day", "sold", "open"]
    assert sheet.lines.tolist() == list(range(len(above) + 1, len(above) + 11))


def test_columns_set_by_spaces_below_comments():
    rows = [f"2000 {m:2d} 2000.{m * 80:03d} {300 + m}.5" for m in range(1, 13)]
    sheet = sheet_of(
        "# licence text of", "# the data", "#  year month decimal average", *rows
    )
    assert sheet.names == ["year", "month", "decimal", "average"] and len(sheet) == 12


@pytest.mark.parametrize(
    "above",
    [
        [",store A,,store B,", "day,sales,price,sales,price"],
        ["day,store A,store A,store B,store B", ",sales,price,sales,price"],
        [",store A,store A,store B,store B", ",sales,price,sales,price", "day,,,,"],
    ],
)
def test_names_in_two_levels_are_joined(above):
    rows = [f"{day},1,2,3,4" for day in DAYS]
    sheet = sheet_of(*above, *rows)
    wanted = ["day", "store A/sales", "store A/price", "store B/sales", "store B/price"]
    assert sheet.names == wanted and len(sheet) == 10


def test_row_names_without_a_header_as_r_writes_them():
    rows = [f'"{n}","{day}",{n}' for n, day in enumerate(DAYS, 1)]
    sheet = sheet_of('"day","sold"', *rows)
    assert sheet.names[1:] == ["day", "sold"] and len(sheet) == 10


def test_a_dropped_row_that_looks_like_data_is_a_warning():
    grid = read_text("\n".join(["day,sold,open", *ROWS]).encode(), "a.csv")
    sheet = sheet_from_grid(grid, "a.csv", "a", header=3)
    assert "warning" in dropped(sheet)
    assert (
        "line 2 ('2024-01-01, 100, 0': before the header, and it looks like data)"
        in str(sheet.notes[-1])
    )


def test_names_of_a_hundred_thousand_columns_do_not_take_long():
    from lstmcast.data.files.headers import column_names

    assert column_names(["x"] * 100_000)[-1] == "x_100000"


def test_years_above_months_are_levels_of_names():
    sheet = sheet_of("Region,2010,,2011,", ",Jan,Feb,Jan,Feb", "a,1,2,3,4", "b,1,2,3,4")
    assert sheet.names == ["Region", "2010/Jan", "2010/Feb", "2011/Jan", "2011/Feb"]


def test_quoted_cells_between_spaces():
    rows = [f'"{n}" "{day}" {n}' for n, day in enumerate(DAYS, 1)]
    sheet = sheet_of('"day" "sold"', *rows)
    assert sheet.names[1:] == ["day", "sold"] and sheet.columns[1].cell(0) == DAYS[0]


def test_titles_do_not_tell_how_many_columns_a_small_table_has():
    names = "Account,Jan-21,Feb-21,Mar-21,Apr-21"
    sheet = sheet_of(
        "Profit and Loss",
        "Demo Company",
        "1 January to 30 April",
        names,
        "Sales,1,2,3,4",
    )
    assert sheet.names == names.split(",") and len(sheet) == 1


def test_a_climate_index_has_its_years_above_and_its_code_below(tmp_path):
    years = range(1990, 2000)
    rows = [
        f"{year} " + " ".join(f"{12 * n + m}.25" for m in range(12))
        for n, year in enumerate(years)
    ]
    rows[3] = rows[3].replace("36.25", "-99.99")
    path = tmp_path / "index.data"
    path.write_text(
        "\n".join(["  1990   1999", *rows, "  -99.99", "  NINA34", "  http://x"]) + "\n"
    )
    panel = lc.read(path)
    assert (panel.frequency.code, len(panel.values), str(panel.starts[0])[:7]) == (
        "MS",
        120,
        "1990-01",
    )
    assert str(panel.values[36]) == "nan" and panel.values[37] == 37.25
    assert "line 12 (the code for missing values)" in str(panel.check())
