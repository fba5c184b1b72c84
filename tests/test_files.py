"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstmcast.errors import OutputError, UsageError
from lstmcast.util.files import check_output, exchange, locked, whole_file


def test_whole_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with whole_file(path) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_whole_file_keeps_the_mode_of_the_old_one(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o640)
    with whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("no/out.csv", "its folder does not exist"),
        ("", "it is a folder"),
        ("file/out.csv", "a file, not a folder"),
    ],
)
def test_whole_file_in_an_impossible_place(tmp_path, path, text):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=text):
        check_output(tmp_path / path, (".csv",))
    with (
        pytest.raises(OutputError, match=text),
        whole_file(tmp_path / path) as temporary,
    ):
        temporary.write_text("x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("path", ["", 5, None, b"x.csv", "a\0b.csv", ["x.csv"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(
        UsageError, match=r"is not a path\. A text or a pathlib\.Path is expected"
    ):
        check_output(path, (".csv",))
    with pytest.raises(UsageError, match="is not a path"), whole_file(path):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_filled_and_never_replaced(tmp_path):
    (tmp_path / "full.csv").symlink_to("/dev/full")
    with (
        pytest.raises(OutputError, match="the disk is full"),
        whole_file(tmp_path / "full.csv") as temporary,
    ):
        temporary.write_text("x")
    assert Path("/dev/full").is_char_device()


def test_folders_change_places(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    changed = exchange(tmp_path / "a", tmp_path / "b")
    assert changed == (sys.platform == "linux")
    assert (tmp_path / "a" / ("b" if changed else "a")).exists()
    assert (
        not exchange(tmp_path / "a", tmp_path / "missing") and (tmp_path / "a").exists()
    )


def test_a_lock_is_held_once_and_leaves_nothing(tmp_path):
    pytest.importorskip("fcntl", reason="locks are those of Unix")
    lock = tmp_path / "folder" / ".lock"
    for _ in range(2):
        with locked(lock) as had, locked(lock) as had_again:
            assert had and not had_again
        assert not lock.parent.exists()


def test_a_lock_file_that_was_replaced_keeps_nobody_out(tmp_path, monkeypatch):
    """Between opening and locking it, the one that held it may have ended, and another begun."""
    fcntl = pytest.importorskip("fcntl", reason="locks are those of Unix")
    lock, flock, replaced = tmp_path / ".lock", fcntl.flock, []

    def flock_of_a_removed_file(handle, how):
        if not replaced:
            lock.unlink()
            replaced.append(lock.open("w"))
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock_of_a_removed_file)
    with locked(lock) as had, locked(lock) as had_again:
        assert had and not had_again
    replaced[0].close()


@pytest.mark.parametrize("missing", ["module", "support"])
def test_where_there_are_no_locks_they_can_be_had(tmp_path, monkeypatch, missing):
    def fail(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    if missing == "module":
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    else:
        monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", fail)
    with locked(tmp_path / ".lock") as had, locked(tmp_path / ".lock") as had_again:
        assert had and had_again


def test_the_locks_of_windows_are_held_once(tmp_path, monkeypatch):
    held: set[int] = set()

    def locking(handle, how, count):
        file = os.fstat(handle).st_ino
        if file in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.add(file)

    windows = SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    lock = tmp_path / "folder" / ".lock"
    with locked(lock) as had, locked(lock) as had_again:
        assert had and not had_again and lock.exists()
    assert not lock.parent.exists()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
def test_a_pipe_that_is_open_is_filled():
    """As of `--out /dev/stdout | …` and of `--out >(…)`."""
    reading, writing = os.pipe()
    try:
        path = check_output(f"/dev/fd/{writing}", (".csv",))
        with whole_file(path) as temporary:
            temporary.write_text("through")
        assert os.read(reading, 100) == b"through"
    finally:
        os.close(reading)
        os.close(writing)


def test_check_output_names_the_endings(tmp_path):
    assert check_output(tmp_path / "a.CSV", (".csv", ".parquet")) == tmp_path / "a.CSV"
    with pytest.raises(OutputError, match=r"ends in \.csv or \.parquet"):
        check_output(tmp_path / "a.doc", (".csv", ".parquet"))
    assert not list(tmp_path.iterdir())
