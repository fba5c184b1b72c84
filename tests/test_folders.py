"""Folders that change as a whole; crashes and other processes are tested through the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lstmcast.util import folders
from lstmcast.util.folders import AtomicFolder, unfinished_in


def is_page(folder: Path) -> bool:
    return (folder / "page.txt").exists()


@pytest.fixture
def folder(tmp_path) -> AtomicFolder:
    return AtomicFolder(tmp_path / "pages [1]*", is_page)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_there_goes_unless_it_is_taken_along(folder):
    folder.replace({"page.txt": b"one", "old.txt": b"old"})
    (folder.place / "notes").mkdir()
    (folder.place / "notes" / "mine.txt").write_text("mine")
    folder.replace({"page.txt": b"two"}, lambda: [folder.place / "notes"])
    assert names(folder.place) == ["notes", "page.txt"] and names(
        folder.place.parent
    ) == [folder.place.name]
    assert (folder.place / "page.txt").read_bytes() == b"two"
    assert (folder.place / "notes" / "mine.txt").read_text() == "mine"


def test_a_whole_one_that_was_set_aside_is_put_back(folder, monkeypatch):
    monkeypatch.setattr(folders, "PATIENCE", 0.0)
    for name, file, age in (("whole", "page.txt", 5), ("newer", "other.txt", 9)):
        aside = folder.place.with_name(f".{folder.place.name}.previous-{name}")
        aside.mkdir()
        (aside / file).write_text(name)
        os.utime(aside, (age, age))
    folder.restore()
    assert (folder.place / "page.txt").read_text() == "whole"
    folder.remove_left_behind()
    assert names(folder.place.parent) == [folder.place.name]


def test_what_fails_is_tried_again_only_where_the_folder_was_replaced(folder):
    folder.replace({"page.txt": b"one"})
    tries = []

    def fail_until_replaced(replaces: bool) -> bytes:
        tries.append(replaces)
        if len(tries) == 1:
            if replaces:
                folder.replace({"page.txt": b"two"})
            raise OSError("torn")
        return (folder.place / "page.txt").read_bytes()

    assert (
        folder.settled(lambda: fail_until_replaced(True)) == b"two" and len(tries) == 2
    )
    tries.clear()
    with pytest.raises(OSError, match="torn"):
        folder.settled(lambda: fail_until_replaced(False))
    assert len(tries) == 1


def test_what_a_killed_process_was_writing_can_be_told(folder, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "make_durable", killed)
    monkeypatch.setattr(folders, "_remove", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        folder.replace({"page.txt": b"one"})
    (folder.place.parent / ".hidden.new").mkdir()
    unfinished = unfinished_in(folder.place.parent)
    assert len(unfinished) == 1 and unfinished[0].name.startswith(
        f".{folder.place.name}.new-"
    )
