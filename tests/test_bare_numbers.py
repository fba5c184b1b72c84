"""One column of numbers and nothing else: its rows are numbered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc

NUMBERS = ["3.1", "3.4", "3.3", "3.6", "3.2"]


@pytest.mark.parametrize("header", [["volt"], [], ["Spannung in V"]])
def test_the_rows_are_numbered(header, read_lines):
    panel = read_lines([*header, *NUMBERS])
    assert panel.values.tolist() == [float(number) for number in NUMBERS]
    assert panel.starts.tolist() == [1] and panel.frequency.code == "integer"
    assert "row numbers" in [finding.rule for finding in panel.report.findings]


def test_a_frame_of_one_column_is_read_as_the_series_in_it():
    values = pd.Series(np.arange(20.0) % 7, name="sold")
    alone, framed = lc.read(values), lc.read(values.to_frame())
    assert np.array_equal(alone.values, framed.values)


@pytest.mark.parametrize(
    "lines",
    [
        ["name", "a", "b", "c"],
        ["volt", *NUMBERS, "broken"],
        ["volt,ampere", "3,1", "4,2", "5,3"],
    ],
)
def test_anything_else_is_asked_about(lines, read_lines):
    with pytest.raises(lc.DataError, match="no column of dates"):
        read_lines(lines)


def test_a_saved_model_takes_in_more_of_the_same_column(tmp_path, run):
    path = tmp_path / "volt.csv"
    path.write_text("volt\n" + "\n".join(NUMBERS * 4) + "\n")
    saved = tmp_path / "volt.model"
    done = run("forecast", path, "--horizon", 2, "--cutoffs", 0, "--save", saved)
    assert done.status == 0 and "time row numbers, target volt" in done.err + done.out
    path.write_text("volt\n" + "\n".join(NUMBERS * 5) + "\n")
    done = run("predict", "--model", saved, path)
    assert done.status == 0 and "\n26 " in done.out
