"""The examples for Spark and Dask, as the page has them, in processes of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
import pytest

import lstmcast as lc
from lstmcast.ray import TableForecast

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "many-machines.md"
LIBRARIES = ROOT / ".services" / "python"  # where .ci/services puts them

pytestmark = pytest.mark.services

# Which rows were forecast together, as a combination is pooled over them.
BUCKETS = """
sales.select("item", bucket).distinct().write.parquet("buckets")
"""
PARTITIONS = """
forecast.write.parquet("forecasts-partitions")
"""


def block(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(
        rf'^```text title="{re.escape(title)}"\n(.*?)^```', text, re.M | re.S
    )
    assert found, title
    return found[1]


@pytest.fixture
def folder(tmp_path) -> Path:
    duckdb.execute(
        "COPY (SELECT 'item ' || i AS item, DATE '2021-01-01' + INTERVAL (m) MONTH AS month, "
        "round(100 + i + 20 * sin(m * pi() / 6) + hash(100 * i + m) % 9, 1) AS sales "
        f"FROM range(8) series(i), range(36) months(m) ORDER BY i, m) "
        f"TO '{tmp_path / 'sales.parquet'}'"
    )
    return tmp_path


def printed(folder: Path, *programs: str) -> str:
    (folder / "example.py").write_text("\n".join(programs), encoding="utf-8")
    sources = (str(Path(lc.__file__).parents[1]), str(LIBRARIES))
    variables = {
        "PYTHONPATH": os.pathsep.join(sources),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | variables,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def expected(table) -> list[tuple]:
    words = {"series": "item", "time": "month", "target": "sales"}
    forecast = TableForecast(lc.LSTMForecaster(12), words)(table)
    return rows(
        f"(SELECT {', '.join(map(quoted, forecast.column_names))} FROM forecast)",
        forecast,
    )


def quoted(name: str) -> str:
    return f'"{name}"'


def rows(source: str, forecast=None) -> list[tuple]:
    """Those of a table, in one order."""
    return duckdb.sql(f"SELECT * FROM {source} ORDER BY item, step").fetchall()


def test_dask_forecasts_each_file(folder):
    if not (LIBRARIES / "dask").exists():
        pytest.skip("Dask is installed by .ci/services")
    assert printed(folder, block("dask")) == "(96,)\n"
    table = parquet.read_table(folder / "sales.parquet")
    assert rows(f"'{folder}/forecast-0.parquet'") == expected(table)


def test_spark_forecasts_groups_and_partitions(folder):
    if not (LIBRARIES / "pyspark").exists() or not shutil.which("java"):
        pytest.skip("Spark and Java are installed by .ci/services")
    printed(folder, block("spark"), BUCKETS, block("spark, mapInArrow"), PARTITIONS)
    wanted = []
    for number in range(2):
        items = duckdb.sql(
            f"SELECT sales.* FROM '{folder}/sales.parquet' sales "
            f"JOIN '{folder}/buckets/*.parquet' buckets USING (item) WHERE bucket = {number}"
        )
        wanted += expected(items.to_arrow_table())
    assert rows(f"'{folder}/forecasts-spark/*.parquet'") == sorted(wanted)
    partitions = rows(f"'{folder}/forecasts-partitions/*.parquet'")
    assert [row[:3] for row in partitions] == [row[:3] for row in sorted(wanted)]
