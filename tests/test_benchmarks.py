"""The benchmarks that need no data: their message without it, and that validation never sees a
test part."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDING_DATA = (
    "m3",
    "m4",
    "airline",
    "classic",
    "counts",
    "coverage",
    "validate",
    "accuracy",
    "peers",
    "run",
    "training_m3",
    "training_peers",
)


@pytest.fixture
def benchmarks(monkeypatch):
    """The modules as the scripts import them."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.syspath_prepend(str(ROOT / "src"))
    for name in ("common", "sets", "m4"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_without_data_says_what_is_missing(tmp_path, benchmarks):
    import common

    with pytest.raises(SystemExit, match=r"holds no data sets .*--data DIR"):
        common.data_folder(tmp_path)


@pytest.mark.parametrize("script", NEEDING_DATA)
def test_each_script_says_what_is_missing(script, tmp_path, benchmarks, monkeypatch):
    path = str(ROOT / "benchmarks" / f"{script}.py")
    monkeypatch.setattr(sys, "argv", [path, "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds no data sets"):
        runpy.run_path(path, run_name="__main__")


def test_a_script_that_is_missing_data_ends_with_a_message_alone(tmp_path):
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "m3.py"),
        "--data",
        str(tmp_path),
    ]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "holds no data sets" in done.stderr
    assert "Traceback" not in done.stderr


def test_validation_does_not_contain_test_parts(benchmarks):
    import sets

    series = {"a": np.arange(100.0), "b": np.arange(60.0), "short": np.arange(9.0)}
    test = sets.last_windows("x", sets.panel_of(series, "D"), horizon=7, cutoffs=3)
    validation = test.validation()
    assert test.counts.tolist() == [[79, 86, 93], [39, 46, 53]]
    assert list(validation.panel.ids) == ["a", "b"]
    assert validation.panel.lengths.tolist() == [79, 39]
    assert (validation.counts[:, -1] == validation.panel.lengths - 7).all()


def test_naive2_is_the_last_adjusted_value_in_season(benchmarks):
    import m4

    season = np.array([0.5, 1.0, 1.5, 1.0])
    assert m4.naive2(10 * np.tile(season, 6), 6, 4).round(6).tolist() == [
        5,
        10,
        15,
        10,
        5,
        10,
    ]
    assert m4.naive2(np.array([3.0, 4.0, 9.0]), 2, 4).tolist() == [9, 9]


def test_results_have_five_digits(benchmarks):
    import common

    assert common.rounded({"a": [1.2345678, np.nan], "b": np.int64(3)}) == {
        "a": [1.2346, None],
        "b": 3,
    }


def test_many_series_are_measured_in_processes_of_their_own():
    script = ROOT / "benchmarks" / "many.py"
    words = [
        sys.executable,
        str(script),
        "--dry",
        "--count",
        "20",
        "--methods",
        "network",
    ]
    done = subprocess.run(
        [*words, "--beside", str(ROOT)], capture_output=True, text=True
    )
    header, other, own = (line.split() for line in done.stdout.splitlines())
    assert header == ["what", "seconds", "wall", "megabytes"]
    assert (other[0], own[0]) == (ROOT.name, "network") and float(own[3]) > 30


def test_parts_and_scores_of_many_series_are_measured():
    for script, words in (
        ("many_peers.py", ("--count", "20", "--methods", "network")),
        ("many_parts.py", ("anomalies=20",)),
    ):
        command = [sys.executable, str(ROOT / "benchmarks" / script), "--dry", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        header, row = (line.split("  ") for line in done.stdout.splitlines())
        measured = dict(zip(filter(None, header), filter(None, row), strict=True))
        measured = {name.strip(): value.strip() for name, value in measured.items()}
        assert measured["series"] == "20" and float(measured["megabytes"]) > 30
        assert script == "many_parts.py" or 0 < float(measured["mase"]) < 2


@pytest.mark.slow
def test_a_server_under_load_answers_and_loses_nothing():
    command = [sys.executable, str(ROOT / "benchmarks" / "server.py"), "--dry"]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "--seconds", "0.5", "--kills", "1"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    tables = [line.split() for line in done.stdout.splitlines()]
    clients, kills = (
        dict(zip(tables[place + 1], tables[place + 2], strict=True))
        for place in (tables.index(["clients"]), tables.index(["kills"]))
    )
    assert clients["errors"] == "0"
    assert (kills["acknowledged_lost"], kills["same_bits"]) == ("0", "True")
