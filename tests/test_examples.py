"""The series that ship with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lstmcast.data.examples import airline
from lstmcast.data.read import read

FILE = Path(__file__).resolve().parents[1] / "examples" / "airline.csv"


def test_the_airline_series_is_that_of_its_file():
    panel, file = airline(), read(FILE)
    assert np.array_equal(panel.values, file.values) and np.array_equal(
        panel.starts, file.starts
    )
    assert panel.frequency == file.frequency and panel.periods == file.periods == (12,)
    assert panel.ids.tolist() == file.ids.tolist() == ["airline"]


def test_the_airline_file_is_as_it_was_downloaded():
    lines = FILE.read_bytes().split(b"\r\n")
    assert (
        lines[0].startswith(b'"Month","International') and lines[1] == b'"1949-01",112'
    )
    assert lines[-4:] == [b"", lines[-3], b"", b""] and lines[-3].startswith(
        b"International airline passengers"
    )
