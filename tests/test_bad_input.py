"""Bad input on the command line: one clear message, the right exit status, nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import Done, here

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"
MONTHS = [f"{2018 + m // 12}-{m % 12 + 1:02}-01" for m in range(36)]


def run(*arguments: object) -> Done:
    """A command in this process."""
    return _checked(here(*arguments))


def process(*arguments: object) -> Done:
    """The same as its own process."""
    command = [sys.executable, "-m", "lstmcast", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return _checked(Done(done.returncode, done.stdout, done.stderr))


def _checked(done: Done) -> Done:
    assert "Traceback" not in done.err + done.out
    assert "a bug in lstmcast" not in done.err
    return done


def forecast(data: object, *options: object) -> Done:
    return run("forecast", data, "-H", 3, "--cutoffs", 0, "--quiet", *options)


def table(place: Path, values, times=None, header: str = "month,sales") -> Path:
    rows = [
        f"{time},{value}" for time, value in zip(times or MONTHS, values, strict=False)
    ]
    place.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return place


# Content of the file, and the words that the message must have: what is wrong, and what to do.
FILES = {
    "an empty file": (b"", ("data.csv is empty", "a column of dates")),
    "a header only": (
        b"month,sales\n",
        ("no rows below it", "month, sales", "Dates and values are expected"),
    ),
    "one row": (
        b"month,sales\n2020-01-01,5\n",
        ("only one value of 'sales'", "At least 3", "longer history"),
    ),
    "two rows": (
        b"month,sales\n2020-01-01,5\n2020-02-01,6\n",
        ("only 2 values of 'sales'", "At least 3"),
    ),
    "binary junk": (
        bytes(range(256)) * 20,
        ("not text", "CSV, Excel (.xlsx) or Parquet"),
    ),
    "no date column": (
        b"a,b\nx,1\ny,2\nz,3\nw,4\n",
        ("no column of dates", "--time NAME", "'a': x, y, z"),
    ),
    "two candidate targets": (
        b"month,a,b\n"
        + "".join(f"{month},{i},{-i}\n" for i, month in enumerate(MONTHS)).encode(),
        ("2 numeric columns", "--target a", "'b': 0, -1, -2"),
    ),
    "text in the target": (
        b"month,sales\n"
        + "".join(
            f"{m},{'many' if i == 5 else i}\n" for i, m in enumerate(MONTHS)
        ).encode(),
        (
            "column 'sales'",
            "line 7 has 'many'",
            "Numbers are expected",
            "leave cells empty",
        ),
    ),
    "all values missing": (
        b"month,sales\n" + "".join(f"{month},NA\n" for month in MONTHS).encode(),
        ("no numeric column", "'sales': empty"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_series(tmp_path, name):
    content, words = FILES[name]
    (tmp_path / "data.csv").write_bytes(content)
    done = forecast(
        tmp_path / "data.csv", "--out", tmp_path / "f.csv", "--save", tmp_path / "model"
    )
    assert (done.status, done.out) == (1, "")
    assert all(word in done.message for word in ("data.csv", *words)), done.message
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    checked = run("check", tmp_path / "data.csv")
    assert checked.status == 1
    assert words[0] in checked.out + checked.err


@pytest.mark.parametrize("way", [run, process])
def test_a_missing_file(tmp_path, way):
    done = way("forecast", tmp_path / "sales.csv", "-H", 3, "--out", tmp_path / "f.csv")
    assert (done.status, done.out) == (1, "")
    assert "there is no file" in done.message and "sales.csv" in done.message
    assert not list(tmp_path.iterdir())


def test_all_values_missing_in_the_column_that_was_named(tmp_path):
    done = forecast(table(tmp_path / "data.csv", [""] * 36), "--target", "sales")
    assert done.status == 1
    assert "'sales'" in done.message and "target" in done.message


@pytest.mark.parametrize(
    "horizon", ["0", "-1", "1000000000", "1e9", "twelve", "2.5", ""]
)
def test_a_senseless_horizon(tmp_path, horizon):
    done = run("forecast", AIRLINE, "--horizon", horizon, "--out", tmp_path / "f.csv")
    assert (done.status, done.out) == (2, "")
    assert "horizon" in done.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_frequency():
    done = forecast(AIRLINE, "--frequency", "fortnightly-ish")
    assert (done.status, done.out) == (2, "")
    assert "'fortnightly-ish' is not known" in done.message and "W-MON" in done.message


# ---------------------------------------------------------------- places that cannot be written

PLACES = {"--out": "f.csv", "--plot": "f.png", "--report": "r.html", "--save": "model"}


@pytest.mark.parametrize("option", ["--out", "--plot", "--report"])
def test_a_folder_that_is_missing_or_in_the_way(tmp_path, option):
    absent = forecast(AIRLINE, option, tmp_path / "nowhere" / PLACES[option])
    assert (absent.status, absent.out) == (1, "")
    assert "its folder does not exist. Create the folder first" in absent.message
    (tmp_path / PLACES[option]).mkdir()
    in_the_way = forecast(AIRLINE, option, tmp_path / PLACES[option])
    assert (in_the_way.status, in_the_way.out) == (1, "")
    assert (
        "it is a folder" in in_the_way.message and "Name a file" in in_the_way.message
    )


@pytest.fixture
def mounted(tmp_path):
    """Mount a small disk of its own; where that is not allowed the test is skipped."""
    place = tmp_path / "disk"
    place.mkdir()
    done = []

    def mount(options: str) -> Path:
        tool = shutil.which("mount")
        if (
            tool is None
            or subprocess.run(
                [tool, "-t", "tmpfs", "-o", options, "tmpfs", place], check=False
            ).returncode
        ):
            pytest.skip("no disk can be mounted here")
        done.append(place)
        return place

    yield mount
    for place in done:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("option", PLACES)
def test_a_read_only_disk(mounted, option):
    done = forecast(AIRLINE, option, mounted("size=64k,ro") / PLACES[option])
    assert (done.status, done.out) == (1, "")
    assert "the disk is read-only. Name a place that you may write to." in done.message


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="everything is open to this user"
)
@pytest.mark.parametrize("option", PLACES)
def test_a_folder_of_somebody_else(tmp_path, option):
    (tmp_path / "theirs").mkdir(mode=0o555)
    done = forecast(AIRLINE, option, tmp_path / "theirs" / PLACES[option])
    assert (done.status, done.out) == (1, "")
    assert "permission to write there is missing" in done.message


@pytest.mark.parametrize("option", PLACES)
def test_a_full_disk(mounted, option):
    disk = mounted("size=64k")
    (disk / "other").write_bytes(bytes(60_000))
    (disk / "f.csv").write_text("mine")
    done = forecast(AIRLINE, option, disk / PLACES[option])
    assert done.status == 1
    assert "the disk is full. Free some space" in done.message
    assert {path.name for path in disk.iterdir()} == {"other", "f.csv"}
    assert (disk / "f.csv").read_text() == "mine"


# ---------------------------------------------------------------- saved models


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Saved from two series, `shop` saying which."""
    place = tmp_path_factory.mktemp("saved")
    rows = [
        f"{shop},{month},{i + 10 * (shop == 'north')}"
        for shop in ("north", "south")
        for i, month in enumerate(MONTHS)
    ]
    (place / "sales.csv").write_text("\n".join(["shop,month,sales", *rows]))
    assert forecast(place / "sales.csv", "--save", place / "model").status == 0
    return place / "model"


@pytest.fixture
def copy(model, tmp_path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


def predict(model: Path, *arguments: object) -> Done:
    out = model.parent / "f.csv"
    done = run("predict", "--model", model, *arguments, "--out", out)
    assert not out.exists()
    assert (done.status, done.out) == (1, "")
    return done


@pytest.mark.parametrize(
    "name", ["manifest.json", "weights.safetensors", "state.safetensors"]
)
@pytest.mark.parametrize("length", [None, 0, 300])
def test_a_damaged_model(copy, name, length):
    if length is None:
        (copy / name).unlink()
    else:
        os.truncate(copy / name, length)
    done = predict(copy)
    assert name in done.message
    assert "damaged" in done.message or "No saved model" in done.message
    assert "Save the model again" in done.message or "is expected" in done.message


def test_a_newer_model(copy):
    manifest = copy / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    assert '"format_version": 2,' in text
    manifest.write_text(
        text.replace('"format_version": 2,', '"format_version": 99,'), encoding="utf-8"
    )
    done = predict(copy)
    assert (
        "format version 99" in done.message
        and "Install a newer lstmcast" in done.message
    )


def test_a_model_that_is_not_there(tmp_path):
    done = predict(tmp_path / "nowhere")
    assert "there is no folder" in done.message and "--save DIR" in done.message


def test_a_model_on_data_of_another_frequency(copy):
    days = [f"north,2021-01-{day:02},{day}" for day in range(1, 29)]
    (copy.parent / "new.csv").write_text("\n".join(["shop,month,sales", *days]))
    done = predict(copy, copy.parent / "new.csv")
    assert (
        "The data are daily, but the saved model was made with monthly" in done.message
    )


@pytest.mark.parametrize("column", ["shop", "month", "sales"])
def test_a_model_on_data_without_a_column(copy, column):
    header = "shop,month,sales".replace(column, "other")
    (copy.parent / "new.csv").write_text(
        "\n".join([header, *(f"north,2021-0{m}-01,{m}" for m in range(1, 7))])
    )
    done = predict(copy, copy.parent / "new.csv")
    assert f"new.csv has no column {column!r}" in done.message
    assert (
        "'other'" in done.message
        and "Rename the column, or name another" in done.message
    )
