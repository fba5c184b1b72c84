"""Reading: a messy table becomes a panel, or a clear sentence on what to do."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmcast.data.files import bigfiles, framecolumns
from lstmcast.data.panel import Panel
from lstmcast.data.read import as_panel, read, read_table
from lstmcast.data.table import ReadOptions, Table
from lstmcast.data.tabular import panel_from_table
from lstmcast.errors import DataError, LstmcastError, UsageError

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
MONTHS = [f"{2020 + i // 12}-{i % 12 + 1:02d}" for i in range(24)]
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the shared data sets are not at {SHARED}"
)


@pytest.fixture
def table_of(tmp_path):
    """Write text or bytes to a file and read it."""

    def reading(content: str | bytes, name: str = "data.csv", **options) -> Table:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **options)

    return reading


@pytest.fixture
def refusal_of(table_of):
    """The message with which a file is refused."""

    def refusing(content: str | bytes, name: str = "data.csv", **options) -> str:
        with pytest.raises(LstmcastError) as caught:
            table_of(content, name, **options)
        return str(caught.value)

    return refusing


def csv_of(times, values, header="ds,y", delimiter=",") -> str:
    rows = [
        f"{time}{delimiter}{value}" for time, value in zip(times, values, strict=True)
    ]
    return "\n".join([header, *rows]) + "\n"


def notes(table: Table) -> str:
    return "\n".join(str(finding) for finding in table.dropped)


# The airline file, as downloaded in 2017


def test_the_airline_file_reads_without_help():
    panel = read(ROOT / "examples" / "airline.csv")
    assert (
        repr(panel)
        == "Panel(1 series, 144 values, monthly (month starts), 1949-01-01 to 1960-12-01)"
    )
    assert panel.ids.tolist() == ["airline"] and panel.columns.time == "Month"
    (finding,) = panel.report.findings
    assert finding.count == 3
    for line in (
        "line 146 (blank)",
        "line 147 ('International airline passengers",
        "line 148 (blank)",
    ):
        assert line in finding.message


def test_a_small_file_is_read_without_the_heavy_imports():
    code = (
        "import sys; from lstmcast.data.read import read; read('examples/airline.csv');print([m "
        "for m in ('duckdb', 'narwhals', 'pandas', 'polars', 'pyarrow', 'matplotlib') if m in "
        "sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


# Text


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp932", "euc_jp"]
)
def test_japanese_in_every_encoding(table_of, encoding):
    text = csv_of(
        [f"2024年{month}月" for month in range(1, 9)], range(8), "年月,売上高（千円）"
    )
    table = table_of(text.encode(encoding))
    assert table.columns.time == "年月" and table.columns.target == "売上高（千円）"
    assert str(table.times[-1])[:10] == "2024-08-01"


@pytest.mark.parametrize(
    ("encoding", "header"),
    [("latin-1", "Größe"), ("cp1252", "Größe €"), ("latin-1", "Année")],
)
def test_western_letters_are_not_taken_for_japanese(table_of, encoding, header):
    table = table_of(csv_of(MONTHS, range(24), f"ds,{header}").encode(encoding))
    assert table.columns.target == header
    assert "not UTF-8" in notes(table)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(table_of, delimiter, end):
    table = table_of(
        csv_of(MONTHS, range(24), f"ds{delimiter}y", delimiter).replace("\n", end)
    )
    assert table.values.tolist() == list(range(24)) and table.lines.tolist() == list(
        range(2, 26)
    )


def test_a_mark_inside_of_quoted_cells_cuts_nothing(table_of):
    rows = [
        f'"2024-03-0{day} 00:00 - 01:00","BZN|DE-LU","{day}.5"' for day in range(1, 8)
    ]
    table = table_of("\n".join(['"MTU (UTC)","Area","Price"', *rows]))
    assert table.values.tolist() == [day + 0.5 for day in range(1, 8)]


def test_columns_set_by_spaces(table_of):
    assert table_of(csv_of(MONTHS, range(24), "ds   y", "   ")).values.tolist() == list(
        range(24)
    )


def test_decimal_commas_and_german_dates(table_of):
    table = table_of(
        "Datum;Umsatz\n30.01.2024;1.234,50\n31.01.2024;12,00\n01.02.2024;999,9\n02.02.2024;\n"
    )
    assert table.values[:3].tolist() == [1234.5, 12.0, 999.9] and np.isnan(
        table.values[3]
    )
    assert str(table.times[2])[:10] == "2024-02-01"
    assert "commas" in notes(table) and "day/month/year" in notes(table)


def test_quoted_thousands_currency_and_percent(table_of):
    table = table_of('ds,y\n2024-01,"$1,234.50"\n2024-02,"$12"\n2024-03,"$2,000"\n')
    assert table.values.tolist() == [1234.5, 12, 2000] and "currency" in notes(table)


def test_titles_blanks_repeated_headers_and_totals_are_dropped_and_reported(table_of):
    table = table_of(
        "Monthly report,\n,\nmonth,sales\n2024-01,5\n2024-02,6\n\n"
        "month,sales\n2024-03,7\nTotal,18\nSource: us\n"
    )
    assert table.lines.tolist() == [4, 5, 8] and table.values.tolist() == [5, 6, 7]
    for words in (
        "line 1 ('Monthly report'",
        "line 2",
        "line 6 (blank)",
        "line 7 (the header again)",
        "line 9",
        "line 10",
    ):
        assert words in notes(table)


def test_no_header(table_of):
    table = table_of("2024-01,5\n2024-02,6\n2024-03,7\n")
    assert table.columns.time == "column1" and table.values.tolist() == [5, 6, 7]


def test_line_breaks_in_cells_keep_the_lines_right(table_of):
    table = table_of('ds,y,note\n2024-01,5,"a\nb"\n2024-02,6,\n2024-03,7,\n')
    assert table.lines.tolist() == [2, 4, 5]


def test_a_quote_that_is_never_closed(table_of):
    table = table_of(csv_of(MONTHS, range(24)) + '"2022-01,5\n')
    assert len(table) >= 24


def test_missing_values_stay_missing(table_of):
    table = table_of(
        "ds,y\n2024-01,5\n2024-02,NA\n2024-03,\n2024-04,-\n2024-05,1\n2024-06,0\n"
    )
    assert np.isnan(table.values).tolist() == [False, True, True, True, False, False]


def test_short_rows_of_data_are_kept(table_of):
    lines = "ds,y,z\n2024-01,5,a\n2024-02,6\n2024-03,7,b\n2024-04,7,b\n"
    assert len(table_of(lines, target="y")) == 4


def test_long_rows_are_joined_where_they_are_numbers_and_explained(
    table_of, refusal_of
):
    numbers = table_of(csv_of(MONTHS, [5] * 12 + ["1,234"] * 12))
    assert numbers.values[11:13].tolist() == [5, 1234]
    message = refusal_of(csv_of(MONTHS, [5] * 12 + ["1,x"] * 12))
    assert "line 14" in message and "quotes" in message


def test_gzip_and_endings_that_lie(table_of, refusal_of):
    packed = gzip.compress(csv_of(MONTHS, range(24)).encode())
    assert (
        len(table_of(packed, "data.csv.gz")) == 24
        and len(table_of(packed, "data.csv")) == 24
    )
    assert "damaged gzip" in refusal_of(packed[:40], "data.csv.gz")


def test_large_files_read_as_small_ones_do(tmp_path, monkeypatch):
    text = "Zeit;Ort;Wert\n" + "".join(
        f"{day:02d}.{month:02d}.2023;Ort {place};{day + place / 8:.3f}\n"
        for place in range(40)
        for month in range(1, 13)
        for day in range(1, 29)
    )
    path = tmp_path / "data.csv"
    path.write_text(text + "\nSource: the office\n")
    small = read_table(path)
    monkeypatch.setattr("lstmcast.data.files.formats.LARGE", 1)
    large = read_table(path)
    assert "duckdb" in sys.modules
    for name in ("series", "times", "values", "lines"):
        assert np.array_equal(getattr(small, name), getattr(large, name)), name
    assert small.ids.tolist() == large.ids.tolist() and small.dropped == large.dropped


def test_large_files_with_many_distinct_values(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.data.files.formats.LARGE", 1)
    monkeypatch.setattr("lstmcast.data.files.bigfiles._FEW", 10)
    times = np.datetime_as_string(
        np.datetime64("2024-01-01T00:00:00") + np.arange(500).astype("timedelta64[m]")
    )
    path = tmp_path / "data.csv"
    path.write_text(csv_of(times, [f"{i}.5" if i % 7 else "NA" for i in range(500)]))
    table = read_table(path)
    assert (
        str(table.times[-1])[:16] == "2024-01-01T08:19"
        and np.isnan(table.values[::7]).all()
        and table.values[1] == 1.5
    )
    path.write_text(
        csv_of(times, [f"{i},5" for i in range(500)], "ds;y", ";").replace("NA", "")
    )
    assert read_table(path).values[1] == 1.5 and "commas" in notes(read_table(path))
    path.write_text(csv_of(times, [*range(499), "oops"]))
    with pytest.raises(DataError, match="line 501 has 'oops'"):
        read_table(path)


# Columns


def test_the_target_is_asked_for_where_two_columns_could_be_it(refusal_of, table_of):
    text = "ds,temp,rain\n2024-01,5,1\n2024-02,6,2\n2024-03,7,3\n"
    message = refusal_of(text)
    assert (
        "target='temp'" in message
        and "'rain': 1, 2, 3" in message
        and "target='*'" in message
    )
    assert table_of(text, target="rain").values.tolist() == [1, 2, 3]
    wide = table_of(text, target="*")
    assert wide.ids.tolist() == ["temp", "rain"] and wide.values.tolist() == [
        5,
        6,
        7,
        1,
        2,
        3,
    ]
    assert table_of(text, target="rain,temp").ids.tolist() == ["rain", "temp"]


@pytest.mark.parametrize("name", ["elapsed_s", "Time (s)", "t [ms]"])
def test_seconds_since_the_start_are_no_target(table_of, name):
    rows = [f"{n / 10},{n % 5}.5" for n in range(30)]
    assert (
        table_of("\n".join([f"{name},volts", *rows]), time="index").columns.target
        == "volts"
    )


def test_a_column_that_never_changes_is_no_target(table_of):
    rows = [f"2024-03-0{day},0,{day}.5" for day in range(1, 8)]
    assert table_of("\n".join(["day,table,reading", *rows])).columns.target == "reading"


def test_series_in_rows_whose_columns_are_numbered_from_the_names_on(table_of):
    rows = [f"Y{n}," + ",".join(f"{n}.{step}" for step in range(1, 9)) for n in (1, 2)]
    table = table_of("\n".join([",".join(f"V{n}" for n in range(1, 10)), *rows]))
    assert table.ids.tolist() == ["Y1", "Y2"] and len(table) == 16


def test_names_decide_between_columns(table_of):
    assert (
        table_of("ds,y,z\n2024-01,5,1\n2024-02,6,2\n2024-03,7,3\n").columns.target
        == "y"
    )
    assert (
        table_of(
            "date,temp,sales\n2024-01,5,1\n2024-02,6,2\n2024-03,7,3\n"
        ).columns.target
        == "sales"
    )
    table = table_of(
        "date,shipped,sales\n2024-01,2024-02,1\n2024-02,2024-03,2\n2024-03,2024-04,3\n"
    )
    assert table.columns.time == "date" and "shipped" in notes(table)


def test_row_numbers_are_no_target(table_of):
    assert (
        table_of(",ds,temp\n0,2024-01,5\n1,2024-02,6\n2,2024-03,9\n").columns.target
        == "temp"
    )


def test_two_date_columns_are_a_question(refusal_of):
    message = refusal_of(
        "ordered,shipped,n\n2024-01,2024-02,1\n2024-02,2024-03,2\n2024-03,2024-04,3\n"
    )
    assert "time='ordered'" in message


def test_no_dates_is_a_question_with_an_answer(refusal_of, table_of):
    text = "x,y\na,5\nb,6\na,7\n"
    assert "time='index'" in refusal_of(text)
    assert table_of(text, time="index").times.tolist() == [1, 2, 3]


def test_series_are_found_from_repeated_times(table_of, refusal_of):
    rows = [(m, s, i) for s in ("north", "south") for i, m in enumerate(MONTHS)]
    table = table_of(
        "month,region,value\n" + "\n".join(f"{m},{s},{i}" for m, s, i in rows)
    )
    assert table.ids.tolist() == ["north", "south"] and table.columns.series == "region"
    coded = table_of(
        "month,store,amount\n"
        + "\n".join(f"{m},{1 + (s == 'south')},{i}" for m, s, i in rows)
    )
    assert coded.ids.tolist() == ["1", "2"]
    pairs = [(m, s, k) for s in "ab" for k in "xy" for m in MONTHS]
    text = "month,shop,kind,value\n" + "\n".join(f"{m},{s},{k},1" for m, s, k in pairs)
    assert table_of(text).ids.tolist() == ["a/x", "a/y", "b/x", "b/y"]
    assert table_of(text, series="shop,kind").ids.tolist() == [
        "a/x",
        "a/y",
        "b/x",
        "b/y",
    ]
    assert table_of(text, aggregate="sum").ids.tolist() == ["data"]


def test_series_that_share_no_time_are_told_apart_by_their_ids(table_of):
    def rows(name, year):
        return [f"{name},{year + m // 12}-{m % 12 + 1:02}-01,{m}" for m in range(18)]

    later_first = table_of(
        "sku,month,qty\n" + "\n".join([*rows("new", 2020), *rows("old", 2015)])
    )
    assert later_first.ids.tolist() == ["new", "old"]
    in_one_line = table_of(
        "grade,month,qty\n" + "\n".join([*rows("a", 2020), *rows("b", 2015)])
    )
    # no name of an id: a remark beside the values, as far as anybody can tell
    assert len(in_one_line.ids) == 1


def test_leading_zeros_of_ids_are_kept(table_of):
    text = "unique_id,ds,y\n" + "\n".join(
        f"{s},{m},1" for s in ("007", "7") for m in MONTHS
    )
    assert table_of(text).ids.tolist() == ["007", "7"]


@pytest.mark.parametrize("name", ["NA", "null", "-", "none"])
def test_words_for_missing_numbers_are_ids_like_any_other(table_of, name):
    text = "country,ds,y\n" + "\n".join(
        f"{s},{m},1" for s in ("DE", name, "US") for m in MONTHS
    )
    assert table_of(text, series="country").ids.tolist() == ["DE", name, "US"]


def test_different_series_of_one_joined_name_are_refused(refusal_of):
    rows = [f"{a},{b},{m},1" for a, b in (("a/b", "c"), ("a", "b/c")) for m in MONTHS]
    said = refusal_of("store,item,ds,y\n" + "\n".join(rows), series=["store", "item"])
    assert (
        "Two different series are called 'a/b/c'" in said
        and "'store' and 'item'" in said
    )


def test_one_row_per_series(table_of):
    text = "item,2024-01,2024-02,2024-03,2024-04\nbolt,1,2,3,4\nnut,,5,6,\n"
    table = table_of(text)
    assert table.ids.tolist() == ["bolt", "nut"] and table.values.tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    years = table_of("country,2015,2016,2017,2018\nCH,1,2,3,4\nDE,4,5,6,7\n")
    assert str(years.times[0])[:4] == "2015" and len(years) == 8
    assert len(table_of(text, target="*")) == len(table)
    steps = table_of("id,d_1,d_2,d_3,d_4\na,1,2,3,4\nb,1,2,3,\n")
    assert steps.times.tolist() == [1, 2, 3, 4, 1, 2, 3]


@pytest.mark.parametrize(
    ("target", "named"),
    [("2024-01", "'2024-01'"), (["2024-01", "2024-02"], "'2024-01' and '2024-02'")],
)
def test_one_row_per_series_has_no_column_for_the_target(
    refusal_of, table_of, target, named
):
    text = "item,2024-01,2024-02,2024-03,2024-04\nbolt,1,2,3,4\nnut,3,5,6,\nscrew,1,2,1,2\n"
    message = refusal_of(text, target=target)
    assert (
        "data.csv has one series per row, with times in the column names (2024-01, 2024-02, "
        f"2024-03, …): {named} " in (message)
    )
    assert "Leave out target= to read" in message and "time='index'" in message
    assert table_of(text, target="2024-01", time="index").values.tolist() == [1, 3, 1]


def test_a_wrong_name_lists_the_columns(refusal_of):
    message = refusal_of("ds,sales\n2024-01,5\n2024-02,6\n2024-03,7\n", target="sale")
    assert "Did you mean 'sales'?" in message and "'ds': 2024-01" in message


def test_year_month_and_day_in_columns_of_their_own(table_of):
    text = "No,year,month,day,hour,pm\n" + "\n".join(
        f"{i},2024,{1 + i // 24},5,{i % 24},{i}" for i in range(48)
    )
    table = table_of(text)
    assert table.columns.time == "year-month-day-hour" and table.columns.target == "pm"
    assert str(table.times[25])[:16] == "2024-02-05T01:00"
    named = table_of("Year,Month,Sales\n2024,Jan,5\n2024,Feb,6\n2024,Mar,7\n")
    assert str(named.times[-1])[:10] == "2024-03-01"


# Bad input: one clear message each


@pytest.mark.parametrize(
    ("rows", "words"),
    [("2024-01,5\n", "is only one value"), ("2024-01,5\n2024-02,6\n", "2 values")],
)
def test_one_or_two_values_are_too_few_for_a_history_and_enough_for_newer_data(
    tmp_path, rows, words
):
    (tmp_path / "new.csv").write_text("ds,sales\n" + rows)
    with pytest.raises(
        DataError,
        match=rf"^new\.csv: there .*{words} of 'sales'. At least 3 are needed",
    ):
        read(tmp_path / "new.csv")
    table = read_table(tmp_path / "new.csv")
    panel = panel_from_table(table, ReadOptions(frequency="MS", fewest=1))
    assert len(table) == len(panel.values) == rows.count("\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n  \n", "is empty"),
        ("ds,y\n", "no rows below"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG"),
        (b"%PDF-1.4 something", "PDF"),
        ("<!DOCTYPE html><html></html>", "web page"),
        ('{"a": 1}', "JSON"),
        ("name,y\na,1\nb,2\nc,3\n", "no column of dates"),
        ("ds,y\n2024-01,5\n2024-02,many\n2024-03,7\n", "line 3 has 'many'"),
        ("ds,y\n2024-01,\n2024-02,NA\n2024-03,\n", "no numeric column"),
        ("ds,name\n2024-01,a\n2024-02,b\n2024-03,c\n", "no numeric column"),
        ("ds,y\n01/02/2024,1\n03/04/2024,2\n05/06/2024,3\n", "day/month/year"),
        ("ds,y\n2024-01,1\n2024-02,1e308\n2024-03,3\n", "line 3 has 1e+308"),
        (b"PAR1" + b"x" * 40, "Parquet"),
        (b"PK\x03\x04" + b"x" * 40, "workbook"),
        (gzip.compress(b"", mtime=0), "empty"),
    ],
)
def test_bad_files_are_refused_with_a_reason(refusal_of, content, words):
    message = refusal_of(content)
    assert words in message and "data" in message and len(message) > 40


def test_all_values_missing_in_a_named_target(refusal_of):
    assert "are missing" in refusal_of(
        "ds,y\n2024-01,\n2024-02,NA\n2024-03,\n", target="y"
    )


def test_text_in_the_target_names_a_few_lines(refusal_of):
    message = refusal_of(csv_of(MONTHS, [*range(14), *["x"] * 10]))
    assert (
        "line 16 has 'x', line 17 has 'x'" in message
        and "6 more" in message
        and "target=" in message
    )


def test_dates_that_cannot_be_read_in_between(table_of, refusal_of):
    times = list(MONTHS)
    times[5] = "soon"
    table = table_of(csv_of(times, range(24)))
    assert len(table) == 23 and "line 7 ('soon' is not a date)" in notes(table)
    times[5:15] = ["soon"] * 10
    assert "are not dates" in refusal_of(csv_of(times, range(24)))


def test_missing_files_and_odd_paths(tmp_path):
    (tmp_path / "airline.csv").write_text("x")
    with pytest.raises(DataError, match=r"Did you mean 'airline\.csv'"):
        read(tmp_path / "airlin.csv")
    with pytest.raises(DataError, match="no file matches"):
        read(str(tmp_path / "*.parquet"))
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(DataError, match="an address"):
        read("https://example.org/x.csv")
    for nonsense in ("", "a\0b", "x" * 10_000):
        with pytest.raises(LstmcastError):
            read(nonsense)
    for nonsense in (None, 5, {1, 2}, object(), b"abc"):
        with pytest.raises(UsageError, match="cannot be read"):
            read(nonsense)


# Several files


def test_a_glob_reads_one_series_per_file(tmp_path):
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_text(csv_of(MONTHS, range(24)))
    table = read_table(str(tmp_path / "*.csv"))
    assert table.ids.tolist() == ["north", "south"] and len(table) == 48
    assert len(read_table([tmp_path / "north.csv", tmp_path / "south.csv"])) == 48


def test_files_with_a_series_column_are_joined(tmp_path):
    for year in (2020, 2021):
        rows = [f"{s},{year}-{month:02d},1" for s in "ab" for month in range(1, 13)]
        (tmp_path / f"{year}.csv").write_text("\n".join(["unique_id,ds,y", *rows]))
    panel = read(str(tmp_path / "20*.csv"))
    assert panel.ids.tolist() == ["a", "b"] and panel.lengths.tolist() == [24, 24]


# Workbooks and Parquet


def test_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active.append(["This workbook has sales"])
    sheet = book.create_sheet("Sales")
    sheet.append(["Sales of the year"])
    sheet.append([])
    sheet.append(["Month", "Sales"])
    for month in range(1, 9):
        sheet.append([datetime(2024, month, 1), 1.234 * month])
    path = tmp_path / "sales.xlsx"
    book.save(path)
    table = read_table(path)
    assert (
        table.columns.target == "Sales"
        and table.values[0] == 1.234
        and table.lines.tolist() == list(range(4, 12))
    )
    assert "'Sales' was read" in notes(table)
    with pytest.raises(UsageError, match="Its sheets are: Read me, Sales"):
        read(path, sheet="Nope")
    (tmp_path / "more.csv").write_text("Month,Sales\n2024-09,3\n")
    assert len(read_table([tmp_path / "more.csv", path], sheet="Sales")) == 9


def test_a_sheet_is_refused_where_nothing_has_sheets(tmp_path):
    text, parquet = tmp_path / "x.csv", tmp_path / "x.parquet"
    text.write_text("ds,y\n2024-01,1\n2024-02,2\n2024-03,3\n")
    frame = pl.read_csv(text, try_parse_dates=True)
    frame.write_parquet(parquet)
    for source, why in (
        (text, r"x\.csv is not one"),
        (parquet, r"x\.parquet is not one"),
        ([text, parquet], "none of the 2 files is one"),
        (frame, "these are data in memory"),
    ):
        with pytest.raises(
            UsageError,
            match=rf"sheet='Sales' would have no effect: only work.*but {why}",
        ):
            read(source, sheet="Sales")


def test_texts_of_parquet_are_fetched_once_each(tmp_path, monkeypatch):
    # which takes the text of every row
    monkeypatch.setattr(framecolumns, "_object_column", None)
    path = tmp_path / "x.parquet"
    shops = ["b"] * 8 + [None] * 8 + [""] * 8 + ["é"] * 8
    columns = {"shop": shops, "day": DAYS * 4, "y": list(range(32))}
    pl.DataFrame(columns).write_parquet(path)
    column = bigfiles.read_parquet(path).columns[0]
    assert column.codes is not None
    assert column.data.tolist() == ["b", "", "é"]  # in order of appearance
    assert np.array_equal(column.codes, np.repeat([0, 1, 1, 2], 8))
    assert column.dtype == "text"


def test_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame(
        {
            "ds": [date(2024, m, 1) for m in range(1, 9)],
            "y": [1.0, None, 3, 4, 5, 6, 7, 8],
        }
    ).write_parquet(path)
    table = read_table(path)
    assert (
        np.isnan(table.values[1])
        and table.frame == "file"
        and table.ids.tolist() == ["x"]
    )


# Frames


DAYS = [date(2024, 1, day) for day in range(1, 9)]
VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (pd.DataFrame({"ds": pd.to_datetime(DAYS), "y": VALUES}), "pandas"),
        (pd.DataFrame({"ds": DAYS, "y": VALUES}), "pandas"),
        (pd.Series(VALUES, index=pd.to_datetime(DAYS), name="y"), "pandas"),
        (pd.Series(VALUES, index=pd.PeriodIndex(DAYS, freq="D")), "pandas"),
        (pd.DataFrame({"y": VALUES}, index=pd.to_datetime(DAYS)), "pandas"),
        (pd.DataFrame({"ds": DAYS, "y": VALUES}).convert_dtypes(), "pandas"),
        (pl.DataFrame({"ds": DAYS, "y": VALUES}), "polars"),
        (pl.DataFrame({"ds": DAYS, "y": VALUES}).lazy(), "polars"),
        (pa.table({"ds": DAYS, "y": VALUES}), "pyarrow"),
        ({"ds": DAYS, "y": VALUES}, "arrays"),
        ({"ds": np.array(DAYS, "datetime64[D]"), "y": np.array(VALUES)}, "arrays"),
    ],
)
def test_frames_of_every_kind(frame, kind):
    table = read_table(frame)
    assert table.frame == kind and table.values.tolist() == VALUES
    assert table.times.astype(
        "datetime64[D]"
    ).tolist() == DAYS and table.lines.tolist() == list(range(1, 9))


def test_a_duckdb_relation():
    days = (
        "(VALUES (DATE '2024-01-01', 1::DECIMAL(5,2)), (DATE '2024-01-02', NULL), "
        "(DATE '2024-01-03', 3))"
    )
    table = read_table(
        duckdb.connect().sql(
            f"SELECT ds, y FROM {days} v(ds, y) UNION ALL SELECT DATE '2024-01-04', 4"
        )
    )
    assert (
        table.frame == "duckdb" and table.values[0] == 1 and np.isnan(table.values[1])
    )


def test_zones_give_local_times():
    local = pd.date_range("2024-03-29", periods=5, tz="Europe/Zurich")
    for frame in (
        pd.DataFrame({"ds": local, "y": range(5)}),
        pl.DataFrame({"ds": list(local), "y": range(5)}),
    ):
        table = read_table(frame)
        assert (
            table.time_zone == "Europe/Zurich"
            and str(table.times[-1])[:16] == "2024-04-02T00:00"
        )


def test_arrays_and_dicts_of_series():
    assert read_table(np.arange(5.0)).times.tolist() == [1, 2, 3, 4, 5]
    assert read_table(np.arange(12.0).reshape(2, 6)).ids.tolist() == [
        "series_1",
        "series_2",
    ]
    assert read_table({"a": [1, 2, 3], "b": [4, 5]}).ids.tolist() == ["a", "b"]
    assert read_table([1.0, None, 3.0, 4.0]).values[2] == 3
    with pytest.raises(DataError, match="transpose"):
        read(np.zeros((50, 2)))
    with pytest.raises(DataError, match="different lengths"):
        read({"ds": MONTHS, "y": [1, 2]})
    with pytest.raises(DataError, match="Numbers are expected"):
        read([1, "x", 3])
    with pytest.raises(DataError, match="several columns"):
        read(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))


def test_arguments_of_other_types():
    data = {"ds": MONTHS, "y": range(24)}
    assert read(data, periods=7).periods == (7,)
    assert Panel.from_arrays([1.0, 2.0, 3.0], periods=4).periods == (4,)
    numbered = pd.DataFrame({0: MONTHS, 1: range(24), 2: range(24)})
    options: list[dict[str, Any]] = [
        {"periods": "x"},
        {"periods": ()},
        {"periods": 1.5},
        {"frequency": 5},
        {"time": 0, "target": 1, "frequency": read(data).frequency},
    ]
    for wrong in options[:-1]:
        with pytest.raises(UsageError, match=r"periods must be whole|is not known"):
            read(data, **wrong)
    panel = read(numbered, **options[-1])
    assert (panel.columns.time, panel.columns.target, panel.frequency.code) == (
        "0",
        "1",
        "MS",
    )


def test_as_panel_keeps_a_panel_and_reads_the_rest():
    panel = Panel.from_arrays([1.0, 2.0, 3.0, 4.0])
    assert as_panel(panel) is panel
    assert as_panel({"ds": MONTHS, "y": range(24)}).periods == (12,)


# Any table: an answer or a refusal

CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "NA",
            "1",
            "2.5",
            "1,5",
            "1.234,5",
            "x",
            "2024-01-01",
            "2024-02-01",
            "2024年3月",
            "01/02/2024",
            '"',
            "2021",
        ]
    ),
    st.integers(-5, 3000).map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.text(max_size=6),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|", " "]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp932", "latin-1"]),
    target=st.sampled_from([None, "*", "y", "1"]),
)
def test_any_table_is_read_or_refused(tmp_path, rows, delimiter, encoding, target):
    text = "\n".join(delimiter.join(row) for row in rows)
    path = tmp_path / "any.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))
    answer_or_refuse(path, target)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    times=st.lists(st.datetimes() | st.none(), min_size=1, max_size=20),
    values=st.lists(st.floats(width=32) | st.none(), min_size=20, max_size=20),
    form=st.sampled_from(
        [
            "%Y-%m-%d",
            "%d.%m.%Y",
            "%m/%d/%Y %H:%M",
            "%Y年%m月",
            "%Y",
            "%Y%m",
            "%b %Y",
            "%G-W%V",
        ]
    ),
)
def test_random_dates_and_numbers_are_read_or_refused(tmp_path, times, values, form):
    written = ["" if time is None else time.strftime(form) for time in times]
    path = tmp_path / "any.csv"
    path.write_text(csv_of(written, values[: len(written)], "ds;y", ";"))
    answer_or_refuse(path, None)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    content=st.binary(max_size=200),
    magic=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"ds,y\n"]),
)
def test_any_bytes_are_read_or_refused(tmp_path, content, magic):
    path = tmp_path / "any.csv"
    path.write_bytes(magic + content)
    answer_or_refuse(path, None)


def answer_or_refuse(path, target):
    try:
        panel = read(path, target=target)
    except LstmcastError as error:
        assert len(str(error)) > 20
    else:
        assert len(panel) >= 1 and len(panel.values) == panel.offsets[-1]


# The data sets of the project


@needs_shared
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("airpassengers.parquet", {}, "1 series, 144 values, monthly"),
        ("beijing_pm25.parquet", {"target": "pm2.5"}, "1 series, 43800 values, hourly"),
        ("etth1.parquet", {"target": "OT"}, "1 series, 17420 values, hourly"),
        ("etth1.parquet", {"target": "*"}, "7 series, 121940 values, hourly"),
        (
            "exchange_rate.parquet",
            {"target": "*"},
            "8 series, 60704 values, numbered steps",
        ),
        ("jaungiers_sinewave.parquet", {"time": "index"}, "1 series, 5001 values"),
        ("jaungiers_sp500.parquet", {"target": "Close"}, "1 series"),
        ("m3.parquet", {}, "3003 series, 236210 values"),
        ("m5_items_CA_1.parquet", {}, "3049 series, 1362903 values, daily"),
        (
            "metro_traffic_volume.parquet",
            {"target": "traffic_volume", "duplicates": "last"},
            "1 series, 52551 values, hourly",
        ),
        ("national_illness.parquet", {"target": "OT"}, "1 series, 966 values, weekly"),
        ("nyc_taxi.parquet", {}, "1 series, 10320 values, every 30 minutes"),
        (
            "online_retail_daily.parquet",
            {"target": "total_amount_gbp"},
            "1 series, 739 values, daily",
        ),
    ],
)
def test_the_data_sets_of_the_project(name, options, expected):
    assert expected in repr(read(SHARED / name, **options))


# Frames with times in their index


def test_a_wide_frame_with_dates_in_its_index_has_a_series_per_column():
    days = pd.date_range("2024-01-01", periods=10)
    frame = pd.DataFrame({"north": range(10), "south": range(10, 20)}, index=days)
    for data in (frame, frame.astype("Float64"), frame.set_axis(days.to_period("D"))):
        panel = read(data)
        assert panel.ids.tolist() == ["north", "south"] and panel.frequency.code == "D"
    assert read(frame, target="south").values[0] == 10
    texts = frame.set_axis([str(day.date()) for day in days])
    assert read(texts).ids.tolist() == ["north", "south"]


def test_a_frame_with_a_target_beside_other_columns_is_not_wide():
    days = pd.date_range("2024-01-01", periods=10)
    frame = pd.DataFrame({"sales": range(10), "temperature": 5.0}, index=days)
    assert read(frame).columns.target == "sales"


def test_frames_with_several_levels():
    days = pd.date_range("2024-01-01", periods=6)
    rows = pd.MultiIndex.from_product([["a", "b"], days])
    for names in ([None, None], ["shop", "day"], [None, "day"]):
        frame = pd.DataFrame({"sold": range(12)}, index=rows.set_names(names))
        panel = read(frame)
        assert panel.ids.tolist() == ["a", "b"] and panel.frequency.code == "D"
    columns = pd.MultiIndex.from_product([["a", "b"], ["sold", "left"]])
    wide = pd.DataFrame(np.arange(24.0).reshape(6, 4), index=days, columns=columns)
    assert read(wide).ids.tolist() == ["a/sold", "a/left", "b/sold", "b/left"]
    assert read(wide["a"].rename_axis("kind", axis=1)).ids.tolist() == ["sold", "left"]
