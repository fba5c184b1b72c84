"""Small files cannot buy big work, names of files are names, and values have bounds."""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lstmcast as lc
from commands import here
from lstmcast.data.limits import MOST_COLUMNS, unpacked_bytes
from lstmcast.data.numbers import parse_numbers
from lstmcast.data.panel import Panel
from lstmcast.data.times.dates import parse_times
from lstmcast.errors import DataError, OutputError, UsageError, bounded
from lstmcast.output.places import require_apart

TABLE = "ds,y\n" + "".join(f"2024-01-{day:02d},{day}.5\n" for day in range(1, 29))
posix = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")


# ---------------------------------------------------------------- sizes


def workbook(path: Path, cells: str) -> Path:
    """A workbook of one sheet with these cells, as others write it."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData>'
        "</worksheet>",
        "xl/workbook.xml": f'<workbook xmlns="{main}"/>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return path


def test_a_far_cell_is_refused_before_memory_is_taken(tmp_path):
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="9"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(
        DataError, match=r"1,048,576 rows and 16,384 columns \(to XFD1048576\)"
    ):
        lc.read(workbook(tmp_path / "far.xlsx", far))


@pytest.mark.parametrize("count", [4_000_000_000, 2**64 - 1])
def test_a_workbook_that_says_it_holds_many_texts_is_refused(tmp_path, count):
    path = workbook(tmp_path / "texts.xlsx", '<row r="1"/>')
    with zipfile.ZipFile(path, "a") as book:
        text = f'<sst count="1" uniqueCount="{count}"><si><t>day</t></si></sst>'
        book.writestr("xl/sharedStrings.xml", text)
    with pytest.raises(DataError, match=f"says that it holds {count:,} different"):
        lc.read(path)


def test_a_file_of_columns_with_equal_values_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.data.limits.ANYWAY", 1000)
    path = tmp_path / "equal.parquet"
    zeros = pa.array(np.zeros(1_000_000))
    pq.write_table(pa.table({"ds": zeros, "y": zeros}), path)
    with pytest.raises(DataError, match=r"1,000,000 rows of 2 columns in [\d,]+ bytes"):
        lc.read(path)


def test_a_view_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.data.files.dbtables._FEW_ROWS", 1000)
    path = tmp_path / "endless.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE VIEW days AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
            "SELECT date('2020-01-01', n || ' days') AS day, n FROM c"
        )
    with pytest.raises(DataError, match=r"more than .* rows, in a file of fewer bytes"):
        lc.read(path)


def test_long_texts_are_no_numbers_and_no_times():
    long = "1 " * 1000
    assert parse_numbers([f"{'1' * 500} kWh"]).bad.all()
    assert parse_times([f"2024-01-01 {long}", "2024-01-02"]).bad.tolist() == [
        True,
        False,
    ]


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.data.limits.ANYWAY", 1000)
    path = workbook(tmp_path / "bomb.xlsx", '<row r="1"/>' * 100_000)
    with pytest.raises(DataError, match=r"bomb.xlsx holds 1,200,\d+ bytes"):
        lc.read(path)


def test_a_gzip_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.data.limits.ANYWAY", 10_000)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"ds,y\n" + b"2024-01-01,1\n" * 300_000))
    with pytest.raises(
        DataError, match=r"bomb.csv.gz holds more than .* unpack it and"
    ):
        lc.read(path)
    assert unpacked_bytes(10**9) == 1 << 31


def test_too_many_columns_are_refused_at_once(tmp_path):
    wide = tmp_path / "wide.csv"
    wide.write_text("ds" + ",c" * 30_000 + "\n2024-01-01" + ",1" * 30_000 + "\n")
    with pytest.raises(DataError, match=r"30,001 columns; at most 20,000 are read"):
        lc.read(wide)
    columns = {f"c{k}": [1.0, 2.0, 3.0] for k in range(MOST_COLUMNS + 1)}
    with pytest.raises(DataError, match="columns; at most"):
        lc.read({"ds": ["2024-01", "2024-02", "2024-03"], **columns})


def test_messages_are_bounded(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(
        "ds,y\n2024-01-01,1\n2024-01-02," + "x" * 100_000 + "\n2024-01-03,3\n"
    )
    with pytest.raises(DataError) as caught:
        lc.read(path)
    assert len(str(caught.value)) < 5000
    assert bounded("a\n" * 200).endswith("and 141 more lines")


# ---------------------------------------------------------------- names and pipes


def test_a_folder_is_no_pattern(tmp_path):
    for folder in ("run[1]", "run1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder[:4]}.csv").write_text(TABLE)
    panel = lc.read(tmp_path / "run[1]" / "*.csv")
    assert panel.ids.tolist() == ["run["]


def test_files_of_one_name_are_named_by_their_folders(tmp_path):
    for number, folder in enumerate(("north", "south/far")):
        (tmp_path / folder).mkdir(parents=True)
        path = tmp_path / folder / "y.csv"
        path.write_text(TABLE.replace(".5", f".{number}"))
    panel = lc.read(tmp_path / "**" / "y.csv")
    assert panel.ids.tolist() == ["north/y", "south/far/y"]


def test_parts_of_one_series_stay_one(tmp_path):
    for year in ("2023", "2024"):
        (tmp_path / year).mkdir()
        days = TABLE if year == "2024" else TABLE.replace("2024-01", "2023-12")
        (tmp_path / year / "y.csv").write_text(days)
    assert lc.read(tmp_path / "*" / "y.csv").ids.tolist() == ["y"]


def test_the_address_of_a_file_is_its_path(tmp_path):
    path = tmp_path / "my table.csv"
    path.write_text(TABLE)
    assert lc.read(path.as_uri()).lengths.tolist() == [28]


@pytest.mark.parametrize("name", ["s*.csv", "a[1].csv", "what?.csv"])
def test_the_name_of_a_file_is_no_pattern(name, tmp_path):
    (tmp_path / name).write_text(TABLE)
    (tmp_path / "s_other.csv").write_text(TABLE.replace(".5", ".25"))
    assert lc.read(tmp_path / name).values[0] == 1.5
    table = pa.table({"ds": ["2024-01", "2024-02", "2024-03"], "y": [1.5, 2.0, 3.0]})
    other = pa.table({"ds": ["2024-01", "2024-02", "2024-03"], "y": [9.0, 9.0, 9.0]})
    parquet = name.replace("csv", "parquet")
    pq.write_table(table, tmp_path / parquet)
    pq.write_table(other, tmp_path / "s_other.parquet")
    assert lc.read(tmp_path / parquet).values[0] == 1.5
    with pytest.raises(DataError, match="no file matches"):
        lc.read(tmp_path / "n*thing.csv")


@posix
def test_pipes_are_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(TABLE))
    writer.start()
    assert len(lc.read(pipe).values) == 28
    writer.join()


@posix
def test_devices_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr("lstmcast.data.limits.MOST_PIPED", 1 << 21)
    with pytest.raises(DataError, match="/dev/zero gives more than 2,097,152 bytes"):
        lc.read("/dev/zero")
    with pytest.raises(DataError, match="is empty"):
        lc.read("/dev/null")


@posix
def test_links_that_lead_nowhere_are_told(tmp_path):
    (tmp_path / "a.csv").symlink_to("nowhere/b.csv")
    with pytest.raises(
        DataError, match=r"is a link to 'nowhere/b.csv', which does not exist"
    ):
        lc.read(tmp_path / "a.csv")
    forecast = lc.LSTMForecaster(2).predict(Panel.from_arrays([1.0, 2.0, 3.0]))
    with pytest.raises(OutputError, match="its folder does not exist"):
        forecast.write(tmp_path / "a.csv")


@posix
def test_closed_streams_are_no_defect(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    shell = f'"{sys.executable}" -m lstmcast check a.csv'
    for closed, status in (
        (">&-", 0),
        ("2>&-", 0),
        (">&- 2>&-", 0),
        ("nofile 2>&-", 1),
    ):
        run = (
            f"{shell.replace('a.csv', '')}{closed}"
            if "nofile" in closed
            else f"{shell} {closed}"
        )
        done = subprocess.run(
            ["bash", "-c", run], cwd=tmp_path, check=False, capture_output=True
        )
        assert done.returncode == status and b"defect" not in done.stdout + done.stderr


@posix
def test_the_system_ends_a_command_with_its_own_status():
    code = (
        "import os, signal, sys, threading\n"
        "from lstmcast.cli import app, status\n"
        "def run():\n"
        "    signal.signal(signal.SIGTERM, status.terminated)\n"
        "    try: os.kill(os.getpid(), signal.SIGTERM); signal.pause()\n"
        "    except SystemExit: raise RuntimeError('Query interrupted')\n"
        "sys.exit(status.status_of(run))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM and done.stderr == b""


# ---------------------------------------------------------------- values and ids


def test_arrays_have_the_bounds_of_what_is_read():
    months = {"frequency": "MS"}
    for start in ("29000-01-01", "NaT"):
        with pytest.raises(DataError, match="years 1 to 9999"):
            Panel.from_arrays([1.0, 2.0], **months, start=start)
    beyond = Panel.from_arrays(np.arange(30.0), frequency="YS", start="9990")
    assert str(beyond.ends[0])[:5] == "10019"  # steps are counted on
    with pytest.raises(DataError, match=r"2\^53"):
        Panel.from_arrays([1.0, 2.0], start=2**62)
    with pytest.raises(DataError, match="complex"):
        Panel.from_arrays(np.array([1.0, 2j]))
    with pytest.raises(DataError, match="the same name as text"):
        Panel.from_arrays({1: [1.0], "1": [2.0]})
    with pytest.raises(UsageError, match="at most 1,000,000 steps"):
        Panel.from_arrays([1.0, 2.0], periods=10**9)
    far = np.array(["20000-01", "20000-02", "20000-03"], "datetime64[M]")
    with pytest.raises(DataError, match="years 1 to 9999"):
        lc.read({"ds": far, "y": [1.0, 2.0, 3.0]})


def test_ids_of_no_alphabet_can_be_stored(tmp_path):
    months = ["2020-01", "2020-02", "2020-03", "2020-04"]
    data = {"ds": months * 2, "y": np.arange(8.0)}
    data["id"] = np.array(["caf\udce9"] * 4 + [b"b\xff"] * 4, object)
    panel = lc.read(data, series="id")
    assert panel.ids.tolist() == ["caf\\udce9", "b\\xff"]
    model = lc.LSTMForecaster(2)
    for ending in ("csv", "parquet", "xlsx"):
        model.predict(panel).write(tmp_path / f"f.{ending}")
    model.save(tmp_path / "m", panel)
    assert lc.load(tmp_path / "m").predict().ids.tolist() == panel.ids.tolist()


def test_ids_like_formulas_are_told_and_escaped_on_request(tmp_path):
    rows = "".join(
        f"{i},2024-01-{d:02d},{d}.5\n"
        for i in ("=1+1", "-5", "@a")
        for d in range(1, 9)
    )
    (tmp_path / "ids.csv").write_text("id,ds,y\n" + rows)
    words = ("forecast", "ids.csv", "-H", "1", "--cutoffs", "0", "--out", "f.csv")
    told = here(*words, folder=tmp_path)
    assert "read as formulas: '=1+1', '@a'. --escape-formulas writes them" in told.err
    assert "\n=1+1," in (tmp_path / "f.csv").read_text()
    done = here(*words, "--escape-formulas", folder=tmp_path)
    written = (tmp_path / "f.csv").read_text()
    assert "They are written with an apostrophe" in done.err
    assert "\n'=1+1," in written and "\n'@a," in written and "\n-5," in written
    here(*words, "--escape-formulas", "--total", "horizon", folder=tmp_path)
    assert "\n'=1+1," in (tmp_path / "f.totals.csv").read_text()


def test_results_need_places_of_their_own(tmp_path):
    for one, other in (("a.csv", "./a.csv"), ("m", "m/f.csv"), ("m/r.html", "m")):
        with pytest.raises(UsageError, match="used for two results"):
            require_apart(tmp_path / one, None, tmp_path / other)
    require_apart(tmp_path / "a.csv", tmp_path / "a.png", "/dev/null", "/dev/null")
