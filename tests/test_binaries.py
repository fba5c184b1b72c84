"""Files that are no text: Parquet, Arrow, databases and tar archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import lstmcast as lc
from lstmcast.errors import DataError

DAYS = [date(2024, 1, 1) + timedelta(number) for number in range(20)]
TABLE = pa.table({"day": DAYS, "qty": [float(number) for number in range(20)]})
CSV = "day,qty\n" + "".join(f"{day},{n}\n" for n, day in enumerate(DAYS))


def written_feather(path, compression="uncompressed"):
    feather.write_feather(TABLE, path, compression=compression)


def written_stream(path):
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_stream(file, TABLE.schema) as to,
    ):
        to.write_table(TABLE)


def written_sqlite(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sales (day TEXT, qty REAL)")
    rows = [(str(day), number) for number, day in enumerate(DAYS)]
    connection.executemany("INSERT INTO sales VALUES (?, ?)", rows)
    connection.commit()
    connection.close()


def written_duckdb(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE sales AS SELECT DATE '2024-01-01' + CAST(i AS INT) AS day, "
            "CAST(i AS DOUBLE) AS qty FROM range(20) t(i)"
        )


def zipped(path, name, write):
    inner = path.parent / name
    write(inner)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, f"folder/{name}")


WRITERS = {
    "sales.feather": written_feather,
    "sales.arrow": written_feather,
    "packed.feather": lambda path: written_feather(path, "zstd"),
    "sales.arrows": written_stream,
    "sales.db": written_sqlite,
    "sales.sqlite": written_sqlite,
    "sales.duckdb": written_duckdb,
    "sales.parquet.zip": lambda path: zipped(
        path, "sales.parquet", lambda inner: parquet.write_table(TABLE, inner)
    ),
    "sales.feather.zip": lambda path: zipped(path, "s.feather", written_feather),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_table_in_a_file(name, tmp_path):
    WRITERS[name](tmp_path / name)
    panel = lc.read(tmp_path / name)
    assert panel.frequency.code == "D"
    assert str(panel.starts[0])[:10] == "2024-01-01"
    assert panel.values.tolist() == list(range(20))


def test_parquet_from_standard_input(tmp_path):
    parquet.write_table(TABLE, tmp_path / "sales.parquet")
    content = (tmp_path / "sales.parquet").read_bytes()
    command = [sys.executable, "-m", "lstmcast", "check", "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"20 values, daily" in done.stdout


@pytest.mark.parametrize("name", ["sales.feather", "sales.arrows"])
def test_a_damaged_arrow_file_is_said(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(DataError, match="cannot be read as an Arrow file"):
        lc.read(path)


def test_several_tables_are_asked_about(tmp_path):
    path = tmp_path / "shop.db"
    written_sqlite(path)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE prices AS SELECT * FROM sales")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match=r"prices, sales. Add \?table=NAME"):
        lc.read(path)
    panel = lc.read(path, query="SELECT day, qty + 1 AS qty FROM sales")
    assert panel.values[0] == 1


def tar_of(files: dict[str, str], mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["sales.csv", "./sales.csv", "data/2024/sales.csv"])
def test_a_tar_archive(name, pack, tmp_path):
    path = tmp_path / "sales.tar"
    files = {name: CSV, "data/._sales.csv": "\0\5", "README": "Sales of a shop"}
    path.write_bytes(pack(tar_of(files)))
    panel = lc.read(path)
    assert panel.values.tolist() == list(range(20))


def test_a_table_for_each_year_in_a_tar_archive(tmp_path):
    years = {}
    for year in (2021, 2022):
        rows = "".join(f"{year}-{month:02d}-01,{month}\n" for month in range(1, 13))
        years[f"sales_{year}.csv"] = "month,qty\n" + rows
    path = tmp_path / "sales.tgz"
    path.write_bytes(tar_of(years, "w:gz"))
    assert lc.read(path).values.tolist() == [*range(1, 13), *range(1, 13)]


def test_a_damaged_tar_archive_is_said(tmp_path):
    path = tmp_path / "sales.tar"
    path.write_bytes(tar_of({"sales.csv": CSV})[:700])
    with pytest.raises(DataError, match="tar archive that cannot be opened"):
        lc.read(path)
