"""Other formats than CSV: JSON, archives, encodings, the archive's .tsf, pages, workbooks."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import lstmcast as lc
from builders import saved_workbook

DAYS = [f"2022-01-{day:02d}" for day in range(1, 13)]
RECORDS = [{"date": day, "sales": 100 + n} for n, day in enumerate(DAYS)]
CSV = "date,sales\n" + "".join(f"{r['date']},{r['sales']}\n" for r in RECORDS)

JSON = {
    "records": RECORDS,
    "records in a document": {"meta": {"pages": 1}, "data": RECORDS},
    "a page of an API": [{"page": 1, "total": 12}, RECORDS],
    "nested records": [
        {"date": {"start": day}, "value": {"sales": 5 + n}}
        for n, day in enumerate(DAYS)
    ],
    "columns": {"date": DAYS, "sales": list(range(12))},
    "columns by row": {
        "date": {str(n): day for n, day in enumerate(DAYS)},
        "sales": {str(n): n for n in range(12)},
    },
    "records by row": {str(n): record for n, record in enumerate(RECORDS)},
    "records by time": {day: {"close": n} for n, day in enumerate(DAYS)},
    "values by time": {day: n for n, day in enumerate(DAYS)},
    "split": {
        "columns": ["date", "sales"],
        "index": list(range(12)),
        "data": [[d, 5] for d in DAYS],
    },
    "rows": [["date", "sales"], *[[day, n] for n, day in enumerate(DAYS)]],
    "rows without names": [[day, n] for n, day in enumerate(DAYS)],
    "numbers as texts": [
        {"date": day, "sales": f"{n}.5"} for n, day in enumerate(DAYS)
    ],
    "missing values": [
        {"date": d, "sales": None if n == 3 else n} for n, d in enumerate(DAYS)
    ],
    "milliseconds": [{"t": 1640995200000 + n * 86_400_000, "v": n} for n in range(12)],
    "observations": {
        "observations": [{"date": d, "value": str(n)} for n, d in enumerate(DAYS)]
    },
}


@pytest.mark.parametrize("form", JSON)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_in_any_form(form, indent, tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(JSON[form], indent=indent), encoding="utf-8")
    panel = lc.read(path)
    assert (len(panel), len(panel.values), panel.frequency.code) == (1, 12, "D")
    assert str(panel.starts[0])[:10] == "2022-01-01"


def test_json_lines(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in RECORDS) + "\n")
    assert lc.read(path).values[:2].tolist() == [100.0, 101.0]


def test_series_that_are_records(tmp_path):
    path = tmp_path / "data.jsonl"
    series = [
        {"item_id": s, "start": "2020-01-31", "freq": "ME", "target": [1, 2, 3, 4]}
        for s in "ab"
    ]
    path.write_text("\n".join(map(json.dumps, series)))
    panel = lc.read(path)
    assert panel.ids.tolist() == ["a", "b"] and panel.frequency.code == "ME"


def test_a_wide_document_has_a_series_for_each_name(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(
        json.dumps({s: {day: n for n, day in enumerate(DAYS)} for s in ("a", "b")})
    )
    assert lc.read(path, target="*").ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[]", '[{"a": {"b": {}}}]', '{"error": "no such key"}']
)
def test_json_without_a_table_is_refused(text, tmp_path):
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(lc.DataError, match=r"JSON without a table|no column of dates"):
        lc.read(tmp_path / "data.json")


def test_broken_json_names_its_line(tmp_path):
    (tmp_path / "data.jsonl").write_text(
        '{"date": "2022-01-01", "y": 1}\n{"date": "2022-01-\n'
    )
    with pytest.raises(lc.DataError, match="line 2 cannot be read"):
        lc.read(tmp_path / "data.jsonl")


# ---------------------------------------------------------------- archives and encodings


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("content", [CSV, json.dumps(RECORDS)])
def test_packed_files(pack, content, tmp_path):
    path = tmp_path / "data.packed"
    path.write_bytes(pack(content.encode()))
    assert lc.read(path).values[0] == 100


def test_an_archive_with_one_table_among_other_files(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.md", "of us")
        archive.writestr("in/sales.csv", CSV)
        archive.writestr("__MACOSX/in/._sales.csv", "x")
    assert lc.read(path).values[0] == 100


def test_an_archive_with_several_tables_is_asked_about(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    with pytest.raises(lc.DataError, match=r"2 files: 'a.csv', 'b.csv'"):
        lc.read(path)


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("mark", [",", "\t"])
def test_encodings(encoding, mark, tmp_path):
    path = tmp_path / "data.tsv"
    path.write_bytes(CSV.replace(",", mark).encode(encoding))
    assert lc.read(path).values[0] == 100


# what the names of columns are in files of other languages, and how they are encoded
LANGUAGES = [
    ("日期,销售额", "gbk"),
    ("指标,社会消费品零售总额", "gb18030"),
    ("日期,收盤價", "big5"),
    ("날짜,매출액", "euc-kr"),
    ("시점,값", "cp949"),
    ("日付,売上高", "euc_jp"),
    ("日付,ウリアゲ", "cp932"),
]


@pytest.mark.parametrize(("header", "encoding"), LANGUAGES)
def test_encodings_of_east_asia(header, encoding, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"2024-03-{day:02d},{day}.5" for day in range(1, 29)]
    path.write_bytes("\n".join([header, *rows]).encode(encoding))
    assert lc.read(path).columns.time == header.split(",")[0]


@pytest.mark.parametrize(
    ("months", "encoding"),
    [
        ("styczeń luty marzec kwiecień maj czerwiec", "cp1250"),
        ("janvier février mars avril mai juin", "mac_roman"),
        ("Ιανουάριος Φεβρουάριος Μάρτιος Απρίλιος Μάιος Ιούνιος", "cp1253"),
        ("Ocak Şubat Mart Nisan Mayıs Haziran", "cp1254"),
        ("январь февраль март апрель май июнь", "cp1251"),
        ("январь февраль март апрель май июнь", "koi8_r"),
    ],
)
def test_names_of_months_tell_the_encoding(months, encoding, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{name} 2024;{n},5" for n, name in enumerate(months.split())]
    path.write_bytes("\n".join(["x;y", *rows]).encode(encoding))
    panel = lc.read(path)
    assert panel.values.tolist() == [n + 0.5 for n in range(6)]


# ---------------------------------------------------------------- other formats


def test_a_tsf_file(tmp_path):
    path = tmp_path / "data.tsf"
    path.write_text(
        "# of the archive\n@relation sales\n@attribute series_name string\n"
        "@attribute start_timestamp date\n@frequency monthly\n@missing true\n@equallength false\n"
        "@data\nT1:1990-03-01 00-00-00:1,2,?,4\nT2:1991-01-01 00-00-00:5,6,7,8,9\n"
    )
    panel = lc.read(path)
    assert panel.ids.tolist() == ["T1", "T2"] and panel.lengths.tolist() == [4, 5]
    assert panel.frequency.code == "MS" and str(panel.starts[0])[:10] == "1990-03-01"
    assert np.isnan(panel.values[2])


@pytest.mark.parametrize(
    ("name", "start", "code"),
    [
        ("yearly", "1980-01-01", "YS"),
        ("quarterly", "1980-01-01", "QS"),
        ("weekly", "2020-01-05", "W-SUN"),
        ("daily", "2020-01-05", "D"),
        ("half_hourly", "2020-01-05", "30min"),
        ("10_minutes", "2020-01-05", "10min"),
    ],
)
def test_frequencies_of_tsf_files(name, start, code, tmp_path):
    path = tmp_path / "data.tsf"
    path.write_text(
        f"@relation x\n@attribute series_name string\n@attribute start_timestamp date\n"
        f"@frequency {name}\n@data\nT1:{start} 00-00-00:1,2,3,4,5,6,7,8\n"
    )
    assert lc.read(path).frequency.code == code


def test_a_tsf_file_without_times_is_numbered(tmp_path):
    path = tmp_path / "data.tsf"
    path.write_text(
        "@relation x\n@attribute series_name string\n@missing false\n@data\nT1:1,2,3,4\n"
    )
    assert lc.read(path).frequency.unit == "integer"


def test_an_arff_file(tmp_path):
    path = tmp_path / "data.arff"
    rows = "\n".join(f"{day},{n}" for n, day in enumerate(DAYS))
    path.write_text(
        f"% ours\n@relation x\n@attribute 'the day' date\n@attribute y numeric\n@data\n{rows}\n"
    )
    panel = lc.read(path)
    assert panel.columns.time == "the day" and len(panel.values) == 12


def test_a_page_saved_as_a_saved_workbook(tmp_path):
    path = tmp_path / "data.xls"
    cells = "".join(
        f"<tr><td>{day}</td><td>{n}</td></tr>" for n, day in enumerate(DAYS)
    )
    path.write_text(
        f"<html><body><p>Report</p><table><tr><th>Day</th><th>Sold</th></tr>{cells}</table></body></html>"
    )
    assert lc.read(path).columns.target == "Sold"


def test_a_workbook_saved_as_xml(tmp_path):
    path = tmp_path / "data.xml"
    rows = "".join(
        f'<Row><Cell><Data ss:Type="String">{day}</Data></Cell>'
        f'<Cell ss:Index="3"><Data ss:Type="Number">{n}</Data></Cell></Row>'
        for n, day in enumerate(DAYS)
    )
    path.write_text(
        '<?xml version="1.0"?><Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        '<Worksheet ss:Name="A"><Table><Row><Cell><Data>Day</Data></Cell><Cell ss:Index="3">'
        f"<Data>Sold</Data></Cell></Row>{rows}</Table></Worksheet></Workbook>"
    )
    assert lc.read(path).columns.target == "Sold"


def test_a_page_without_a_table_is_refused(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("<!DOCTYPE html><html><body>Please log in</body></html>")
    with pytest.raises(lc.DataError, match="Was a login page downloaded instead"):
        lc.read(path)


@pytest.mark.parametrize("content", [CSV, json.dumps(RECORDS)])
def test_standard_input(content):
    done = subprocess.run(
        [sys.executable, "-m", "lstmcast", "check", "-"],
        input=content.encode(),
        capture_output=True,
        check=True,
    )
    assert b"standard input: 12 rows, 1 series" in done.stdout


# ---------------------------------------------------------------- workbooks


SALES = [["day", "sold"], *[[day, n] for n, day in enumerate(DAYS)]]


@pytest.mark.parametrize(
    "first",
    [
        [["Contents"], ["Sales", "of 2022"], ["Stock", "none"]],
        [["code", "name"], [1, "north"], [2, "south"]],
        [["key", "value"], ["source", "us"], ["unit", "pcs"]],
    ],
)
def test_the_sheet_with_a_series_is_read(first, tmp_path):
    path = saved_workbook(tmp_path / "book.xlsx", {"About": first, "Data": SALES})
    panel = lc.read(path)
    assert len(panel.values) == 12
    assert any("the sheet 'Data' was read" in str(finding) for finding in panel.check())


def test_of_several_sheets_with_series_the_reader_chooses(tmp_path):
    path = saved_workbook(
        tmp_path / "book.xlsx", {"2021": SALES, "Notes": [["x"], ["y"]], "2022": SALES}
    )
    with pytest.raises(lc.DataError, match="2 sheets with series") as caught:
        lc.read(path)
    assert "sheet='2021'" in str(
        caught.value
    ) and "'2022': 12 rows of day, sold" in str(caught.value)
    assert len(lc.read(path, sheet="2022").values) == 12


def test_the_columns_that_are_named_tell_the_sheet(tmp_path):
    other = [["day", "bought"], *SALES[1:]]
    path = saved_workbook(tmp_path / "book.xlsx", {"in": other, "out": SALES})
    assert lc.read(path, target="sold").report.rows == 12


def test_bookings_of_datev_take_their_years_from_the_header(tmp_path):
    header = (
        '"EXTF";700;21;"Buchungsstapel";12;2024;;"RE";"";"";1001;10001;20230701;4;{};{}'
    )
    columns = "Umsatz;WKZ;Konto;Belegdatum;Text"
    days = ["3011", "112", "0212", "3112", "101", "0201"]
    rows = [f"{n},5;EUR;8400;{day};x" for n, day in enumerate(days)]
    path = tmp_path / "EXTF.csv"
    text = "\n".join([header.format("20230701", "20240630"), columns, *rows]) + "\n"
    path.write_text(text, encoding="cp1252")
    panel = lc.read(path, target="Umsatz", frequency="D")
    assert (
        str(panel.times(0)[0])[:10] == "2023-11-30"
        and str(panel.times(0)[-1])[:10] == "2024-01-02"
    )
    assert "the years of 'Belegdatum' are those of DATEV's header" in str(panel.check())


def test_japanese_of_seven_bits_is_read(tmp_path):
    path = tmp_path / "jis.csv"
    rows = [f"2024年{month}月,{month}5" for month in range(1, 13)]
    path.write_bytes("\n".join(["年月,売上", *rows]).encode("iso2022_jp"))
    panel = lc.read(path)
    assert panel.columns.target == "売上" and panel.values[0] == 15


def test_numbers_that_are_formulas_of_text_are_numbers(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(
        "day,sold\n" + "".join(f'2024-01-0{n},="{n}5"\n' for n in range(1, 9))
    )
    assert lc.read(path).values[:2].tolist() == [15, 25]


def test_a_missing_value_with_a_flag_of_eurostat_is_missing(tmp_path):
    path = tmp_path / "data.csv"
    cells = ["5.5", ": c", "7.5 p", ":u", "9.5"]
    path.write_text(
        "month,y\n" + "".join(f"2024-{n:02d},{c}\n" for n, c in enumerate(cells, 1))
    )
    assert [str(value) for value in lc.read(path).values] == [
        "5.5",
        "nan",
        "7.5",
        "nan",
        "9.5",
    ]
