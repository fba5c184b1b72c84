"""A process of the command line: what it has loaded is not searched for garbage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

COMMAND = """
import gc
from lstmcast.cli import app

searched = len(gc.get_objects())
kept = gc.get_freeze_count()
try:
    app.main({arguments!r})
except SystemExit as end:
    assert not end.code
print(gc.get_freeze_count() - kept - searched)
"""


def monthly(folder: Path) -> str:
    path = folder / "sales.parquet"
    months = [f"{2010 + month // 12}-{month % 12 + 1:02}-01" for month in range(60)]
    table = pa.table(
        {"month": months, "sales": [100.0 + month % 12 for month in range(60)]}
    )
    parquet.write_table(table, path)
    return str(path)


def ended(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    code = COMMAND.format(arguments=arguments)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("words", [["check"], ["forecast", "-H", "3"], ["forecast"]])
def test_modules_of_a_command_are_not_searched_and_no_library_complains(
    tmp_path, words
):
    done = ended([*words, monthly(tmp_path)])
    # DuckDB lists its objects if they are kept until the end
    assert "leaked" not in done.stderr
    assert int(done.stdout.splitlines()[-1]) > 10_000


def test_what_shows_the_help_is_not_searched():
    done = ended(["--help"])
    assert int(done.stdout.splitlines()[-1]) > -1_000
