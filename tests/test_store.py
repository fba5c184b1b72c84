"""The store: what goes in comes out; damage is named; a crash leaves the old folder whole."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstmcast import store
from lstmcast.errors import ModelError, OutputError, UsageError
from lstmcast.util import folders
from lstmcast.util.files import umask

ARRAYS = {
    "weights": {"w": np.arange(6.0).reshape(2, 3), "b": np.float32([1, 2])},
    "state": {"h": np.zeros((0, 4))},
}
MANIFEST = {
    "name": "Fluggäste 旅客",
    "horizon": 12,
    "scores": {"mase": 0.84},
    "levels": [0.1, 0.9],
    "note": None,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    store.save(tmp_path / "model", MANIFEST, ARRAYS)
    return tmp_path / "model"


def assert_same(arrays, expected) -> None:
    assert {name: sorted(group) for name, group in arrays.items()} == {
        n: sorted(g) for n, g in expected.items()
    }
    for name, group in expected.items():
        for key, values in group.items():
            assert arrays[name][key].dtype == np.asarray(values).dtype
            np.testing.assert_array_equal(arrays[name][key], values)


# ---------------------------------------------------------------- what goes in comes out


def test_round_trip(model):
    manifest, arrays = store.load(model)
    assert {key: manifest[key] for key in MANIFEST} == MANIFEST
    assert manifest["format_version"] == store.FORMAT_VERSION
    names = sorted(path.name for path in model.iterdir())
    assert names == ["manifest.json", "state.safetensors", "weights.safetensors"]
    assert_same(arrays, ARRAYS)


@pytest.mark.parametrize(
    "call",
    [
        store.load,
        store.read_manifest,
        store.check_place,
        lambda folder: store.save(folder, MANIFEST, ARRAYS),
    ],
)
def test_what_is_no_path_is_refused(call):
    with pytest.raises(UsageError, match=r"5 is not a path\. A text or a pathlib"):
        call(5)


def test_only_the_folder_is_left(model):
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_manifest_is_readable_by_people(model):
    text = (model / "manifest.json").read_text(encoding="utf-8")
    assert "Fluggäste 旅客" in text
    assert text.index('"format_version"') < text.index('"name"') < text.index('"files"')


@given(
    hnp.arrays(
        st.sampled_from(
            [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]
        ),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_array_of_numbers_survives(tmp_path_factory, values):
    place = tmp_path_factory.mktemp("any") / "m"
    store.save(
        place,
        {},
        {"a": {"x": values, "strided": values.T[..., ::-1] if values.ndim else values}},
    )
    _, arrays = store.load(place)
    assert arrays["a"]["x"].shape == values.shape
    assert arrays["a"]["x"].tobytes() == values.tobytes()
    np.testing.assert_array_equal(
        arrays["a"]["strided"], values.T[..., ::-1] if values.ndim else values
    )


def test_big_endian_arrays_keep_their_values(tmp_path):
    store.save(tmp_path / "m", {}, {"a": {"x": np.array([1.5, -2.0], dtype=">f8")}})
    assert store.load(tmp_path / "m")[1]["a"]["x"].tolist() == [1.5, -2.0]


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        store.save(tmp_path / name, MANIFEST, ARRAYS)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_loaded_manifest_can_be_saved_again(model):
    manifest, arrays = store.load(model)
    before = (model / "manifest.json").read_bytes()
    store.save(model, manifest, arrays)
    assert (model / "manifest.json").read_bytes() == before


def test_what_cannot_be_saved_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match="array 'x' is of object"):
        store.save(tmp_path / "m", {}, {"a": {"x": np.array([None])}})
    with pytest.raises(ValueError, match="cannot name a group"):
        store.save(tmp_path / "m", {}, {"../a": {}})
    with pytest.raises(ValueError, match="JSON"):
        store.save(tmp_path / "m", {"score": float("nan")}, {})
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- damage is named


def refused(model: Path) -> str:
    with pytest.raises(ModelError) as caught:
        store.load(model)
    return str(caught.value)


def test_truncated_file(model):
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    assert "damaged: weights.safetensors: it has" in refused(model)


def test_flipped_byte(model):
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x41")
    assert "weights.safetensors: its contents do not match" in refused(model)


def test_missing_file(model):
    (model / "state.safetensors").unlink()
    assert "state.safetensors: it is missing" in refused(model)


def test_changed_manifest(model):
    path = model / "manifest.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"horizon": 12', '"horizon": 13'),
        encoding="utf-8",
    )
    assert "manifest.json: its contents do not match" in refused(model)


def test_manifest_that_is_not_json(model):
    (model / "manifest.json").write_bytes(b"\xff\xfe{]")
    assert "manifest.json: it is not JSON" in refused(model)


@pytest.mark.parametrize("text", ["[]", "3", '"text"', "null"])
def test_manifest_that_is_no_object(model, text):
    (model / "manifest.json").write_text(text)
    assert "does not hold a JSON object" in refused(model)


def test_somebody_elses_manifest(model):
    (model / "manifest.json").write_text('{"name": "a web page"}')
    assert "does not describe a saved model of lstmcast" in refused(model)


def rewritten(model: Path, **changes) -> None:
    """Change a manifest and make its checksum fit again, as a newer or hostile writer would."""
    path = model / "manifest.json"
    manifest = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    manifest["sha256"] = store._digest(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_newer_format_is_refused_by_number(model):
    rewritten(model, format_version=store.FORMAT_VERSION + 6)
    message = refused(model)
    assert (
        f"has format version {store.FORMAT_VERSION + 6}; this lstmcast reads versions up to"
        in message
    )
    assert "pip install --upgrade lstmcast" in message


@pytest.mark.parametrize(
    "name", ["../../secret", "/etc/passwd", "Weights.safetensors", "a.pickle", ""]
)
def test_manifest_cannot_name_files_elsewhere(model, name):
    rewritten(model, files={name: {"bytes": 1, "sha256": "0"}})
    assert "which is not a file of a saved model" in refused(model)


@pytest.mark.parametrize(
    "files", [None, [], 3, {"weights.safetensors": None}, {"weights.safetensors": {}}]
)
def test_manifest_with_a_broken_list_of_files(model, files):
    rewritten(model, files=files)
    assert "manifest.json" in refused(model)


def test_file_that_is_not_safetensors(model):
    import hashlib

    blob = b"\x00" * 40
    (model / "weights.safetensors").write_bytes(blob)
    rewritten(
        model,
        files={
            "weights.safetensors": {
                "bytes": 40,
                "sha256": hashlib.sha256(blob).hexdigest(),
            }
        },
    )
    assert "it does not hold arrays" in refused(model)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_flipped_bit_is_noticed_or_harmless(tmp_path_factory, data):
    place = tmp_path_factory.mktemp("flip") / "m"
    store.save(place, MANIFEST, ARRAYS)
    path = data.draw(st.sampled_from(sorted(place.iterdir())))
    blob = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(blob)
    try:
        manifest, arrays = store.load(place)
    except ModelError:
        return
    assert {key: manifest[key] for key in MANIFEST} == MANIFEST
    assert_same(arrays, ARRAYS)


def test_extra_file_does_no_harm(model):
    (model / "notes.txt").write_text("mine")
    (model / "other.safetensors").write_bytes(b"junk")
    assert_same(store.load(model)[1], ARRAYS)


def test_nothing_there(tmp_path):
    assert "there is no folder" in refused(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "is a file" in refused(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert "holds no manifest.json" in refused(tmp_path / "empty")


# ---------------------------------------------------------------- replacing


def test_replacing_keeps_the_users_files_and_drops_the_old_arrays(model):
    (model / "notes.txt").write_text("mine")
    (model / "pictures").mkdir()
    (model / "pictures" / "a.png").write_bytes(b"p")
    store.save(model, {"name": "second"}, {"weights": {"w": np.ones(2)}})
    manifest, arrays = store.load(model)
    assert manifest["name"] == "second"
    assert list(arrays) == ["weights"]
    names = sorted(path.name for path in model.iterdir())
    assert names == ["manifest.json", "notes.txt", "pictures", "weights.safetensors"]
    assert (model / "pictures" / "a.png").read_bytes() == b"p"


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "m").mkdir()
    store.save(tmp_path / "m", {}, ARRAYS)
    assert_same(store.load(tmp_path / "m")[1], ARRAYS)


def test_parents_are_made(tmp_path):
    store.save(tmp_path / "a" / "b" / "m", {}, ARRAYS)
    assert_same(store.load(tmp_path / "a" / "b" / "m")[1], ARRAYS)


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "manifest.json").write_text('{"chapters": 5}')
    with pytest.raises(OutputError, match="not a saved model, and is left alone"):
        store.save(tmp_path / "thesis", {}, ARRAYS)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="is a file, not a saved model"):
        store.save(tmp_path / "file", {}, ARRAYS)
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["manifest.json"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", [".", "..", "model"])
@pytest.mark.parametrize("within", ["", "inner"])
def test_the_folder_one_is_in_is_not_replaced(model, monkeypatch, name, within):
    (model / within).mkdir(exist_ok=True)
    monkeypatch.chdir(model / within)
    for call in (store.check_place, lambda place: store.save(place, {}, ARRAYS)):
        if name == "." and within:
            (model / within / "mine").touch()
        with pytest.raises(OutputError, match=r"current folder|is left alone"):
            call(model if name == "model" else name)
    assert (
        Path.cwd() == model / within
        and store.load(model)[0]["name"] == MANIFEST["name"]
    )


@pytest.mark.parametrize(
    "blob",
    [b"", b"\x00" * 500, b'{\n  "format": "lstmcast store",\n  "form'],
    ids=["0", "zeros", "cut"],
)
def test_a_model_with_a_broken_manifest_can_be_saved_again(model, blob):
    """What its message says can be done."""
    (model / "manifest.json").write_bytes(blob)
    assert "Save the model again" in refused(model)
    store.check_place(model)
    store.save(model, {"name": "second"}, {"weights": {"w": np.ones(3)}})
    assert store.load(model)[0]["name"] == "second"
    assert sorted(path.name for path in model.iterdir()) == [
        "manifest.json",
        "weights.safetensors",
    ]


@pytest.mark.parametrize(
    ("blob", "files"),
    [
        (b"{", []),
        (b"{", ["notes.txt", "weights.safetensors"]),
        (b"{}", ["weights.safetensors"]),
        (b'{"format": "lstmcast store", ', ["notes.txt"]),
        (None, ["weights.safetensors"]),
    ],
)
def test_what_may_be_somebody_elses_is_left_alone(tmp_path, blob, files):
    place = tmp_path / "place"
    place.mkdir()
    for name in files:
        (place / name).write_text("mine")
    if blob is not None:
        (place / "manifest.json").write_bytes(blob)
    with pytest.raises(OutputError, match="is left alone"):
        store.save(place, {}, ARRAYS)
    assert all((place / name).read_text() == "mine" for name in files)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.EACCES, "permission to read it is missing"), (errno.EIO, "output error")],
)
def test_a_file_that_cannot_be_read_is_not_called_damaged(
    model, monkeypatch, name, number, text
):
    for reader in ("read_text", "read_bytes"):
        read = getattr(Path, reader)

        def fail(self, read=read, **how):
            if self.name == name:
                raise OSError(number, os.strerror(number))
            return read(self, **how)

        monkeypatch.setattr(Path, reader, fail)
    message = refused(model)
    assert f"{str(model / name)!r} cannot be read: " in message and text in message
    assert "damaged" not in message and "Save the model again" not in message


def test_a_place_can_be_checked_before_the_work(model, tmp_path):
    store.check_place(model)
    store.check_place(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "model", tmp_path):
        with pytest.raises(OutputError):
            store.check_place(place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "model"]


def test_a_link_to_a_folder_stays_a_link(model, tmp_path):
    (tmp_path / "link").symlink_to(model)
    store.save(tmp_path / "link", {"name": "through the link"}, {})
    assert (tmp_path / "link").is_symlink()
    assert store.load(model)[0]["name"] == "through the link"


def test_saved_folder_has_ordinary_permissions(model):
    mask = umask()
    assert model.stat().st_mode & 0o777 == 0o777 & ~mask
    assert (model / "manifest.json").stat().st_mode & 0o777 == 0o666 & ~mask


# ---------------------------------------------------------------- crashes, full and read-only disks

KILLED = """
    import os, signal, sys
    import numpy as np
    from lstmcast import store
    from lstmcast.util import folders

    at = sys.argv[2]

    def die(*arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    if at == "write":
        folders.make_durable = die
    elif at == "exchanged":
        exchange = folders.exchange
        folders.exchange = lambda *places: exchange(*places) and die()
    else:
        folders.exchange = lambda *places: False
        rename, calls = folders.Path.rename, []
        def counted(self, target):
            calls.append(target)
            if len(calls) == int(at):
                die()
            return rename(self, target)
        folders.Path.rename = counted
    store.save(sys.argv[1], {"name": "second"}, {"weights": {"w": np.ones(3)}})
"""


def killed_while_saving(model: Path, at: str) -> None:
    script = textwrap.dedent(KILLED)
    done = subprocess.run(
        [sys.executable, "-c", script, str(model), at], capture_output=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("at", ["write", "1", "2"])
def test_a_killed_save_leaves_the_old_model_whole(model, at):
    killed_while_saving(model, at)
    manifest, arrays = store.load(model)
    assert manifest["name"] == MANIFEST["name"]
    assert_same(arrays, ARRAYS)


@pytest.mark.skipif(
    sys.platform != "linux", reason="no other system exchanges folders yet"
)
def test_a_save_that_is_killed_after_the_exchange_has_saved(model):
    killed_while_saving(model, "exchanged")
    assert store.load(model)[0]["name"] == "second"


ENDINGS = ["write", "1", "2", *(["exchanged"] if sys.platform == "linux" else [])]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("at", ENDINGS)
def test_saving_works_after_a_killed_save(model, at):
    killed_while_saving(model, at)
    for left in model.parent.glob(".model.new-*"):
        os.utime(left, (0, 0))  # as if an hour had passed
    store.save(model, {"name": "third"}, {})
    assert store.load(model)[0]["name"] == "third"
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_a_killed_first_save_leaves_no_model(tmp_path):
    killed_while_saving(tmp_path / "model", "1")
    assert "there is no folder" in refused(tmp_path / "model")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission to write there is missing"),
        (errno.EIO, "rror"),
    ],
)
def test_a_failing_disk(model, monkeypatch, number, text):
    def fail(path):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folders, "make_durable", fail)
    with pytest.raises(OutputError, match=text) as caught:
        store.save(model, {"name": "second"}, ARRAYS)
    assert str(model) in str(caught.value)
    assert store.load(model)[0]["name"] == MANIFEST["name"]
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_what_a_killed_save_left_goes_with_the_stores_beside_it(model):
    folder = model.parent
    killed_while_saving(model, "write")
    assert len(list(folder.glob(".model.new-*"))) == 1
    (folder / ".notes.new-abcd1234").mkdir()
    (folder / ".notes.new-abcd1234" / "mine.txt").write_text("mine")
    store.save(model, {"kind": "checkpoint"}, {})
    store.remove_stores(folder, kind="checkpoint")
    assert [path.name for path in folder.iterdir()] == [".notes.new-abcd1234"]


def in_two_steps(*places) -> bool:
    """As where folders cannot be exchanged."""
    return False


def test_a_failing_second_rename_puts_the_old_one_back(model, monkeypatch):
    rename = Path.rename

    def fail_for_the_new_one(self, target):
        if ".new-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(folders, "exchange", in_two_steps)
    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(OutputError):
        store.save(model, {"name": "second"}, ARRAYS)
    assert store.load(model)[0]["name"] == MANIFEST["name"]


# ---------------------------------------------------------------- several processes and one folder


def test_a_folder_replaced_between_manifest_and_arrays(model, monkeypatch):
    read, reads = store.read_manifest, []

    def replaced_after_the_first_read(folder):
        manifest = read(folder)
        reads.append(manifest)
        if len(reads) == 1:
            store.save(model, {"name": "second"}, {"weights": {"w": np.ones(3)}})
        return manifest

    monkeypatch.setattr(store, "read_manifest", replaced_after_the_first_read)
    manifest, arrays = store.load(model)
    assert manifest["name"] == "second"
    assert arrays["weights"]["w"].tolist() == [1, 1, 1]


SECOND = ({"name": "second"}, {"weights": {"w": np.ones(3)}})


@pytest.fixture
def half_replaced(model, monkeypatch):
    """Another process has set the old model aside; it puts the new one in place while this one
    waits."""
    store.save(model.with_name(".model.new-x"), *SECOND)
    model.rename(model.with_name(".model.previous-x"))

    def meanwhile(seconds):
        if not model.exists():
            model.with_name(".model.new-x").rename(model)

    monkeypatch.setattr(folders.time, "sleep", meanwhile)
    return model


@pytest.mark.parametrize(
    "read",
    [lambda place: store.load(place)[0], store.read_manifest],
    ids=["load", "manifest"],
)
def test_reading_waits_while_the_folder_is_replaced(half_replaced, read):
    assert read(half_replaced)["name"] == "second"


def test_a_folder_that_is_being_replaced_is_a_store(half_replaced):
    assert store.is_store(half_replaced)


def test_saving_waits_while_the_folder_is_replaced(half_replaced):
    store.save(half_replaced, {"name": "third"}, {})
    assert store.load(half_replaced)[0]["name"] == "third"
    assert [path.name for path in half_replaced.parent.iterdir()] == ["model"]


def test_what_a_dead_process_has_set_aside_is_put_back(model, monkeypatch):
    monkeypatch.setattr(folders, "PATIENCE", 0.0)
    for name, age in (
        (".model.previous", 9),
        (".model.previous-a", 5),
        (".model.previous-b", 7),
    ):
        store.save(model.with_name(name), {"name": name}, {})
        os.utime(model.with_name(name), (age, age))
    folders._remove(model)
    # the newest, in this case by a version before this one
    assert store.load(model)[0]["name"] == ".model.previous"
    store.save(model, *SECOND)
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("swap", [folders.exchange, in_two_steps])
def test_what_cannot_be_removed_is_in_nobodys_way(model, monkeypatch, swap):
    store.save(model.with_name(".model.previous"), MANIFEST, {})
    monkeypatch.setattr(folders, "exchange", swap)
    monkeypatch.setattr(folders.shutil, "rmtree", lambda *_, **__: None)
    for number in range(3):
        store.save(model, {"number": number}, {})
        assert store.load(model)[0]["number"] == number


def test_a_read_only_folder_is_replaced_and_removed(model, monkeypatch):
    model.chmod(0o500)
    removed, rmtree = [], folders.shutil.rmtree
    monkeypatch.setattr(
        folders.shutil,
        "rmtree",
        lambda path, **how: (removed.append(writable(path)), rmtree(path, **how)),
    )
    store.save(model, *SECOND)
    assert all(removed) and [path.name for path in model.parent.iterdir()] == ["model"]


def writable(folder: Path) -> bool:
    """By its mode: nothing is read-only for root."""
    return not folder.exists() or bool(folder.stat().st_mode & 0o200)


@pytest.mark.parametrize("step", [1, 2])
def test_a_save_that_another_one_overtakes(model, monkeypatch, step):
    """Before each of the two renames, another process saves the same folder from beginning to
    end."""
    rename, calls = Path.rename, []

    def overtaken(self, target):
        calls.append(target)
        if len(calls) == step:
            store.save(model, {"name": "another"}, ARRAYS)
        return rename(self, target)

    monkeypatch.setattr(folders, "PATIENCE", 0.02)
    monkeypatch.setattr(folders, "exchange", in_two_steps)
    monkeypatch.setattr(Path, "rename", overtaken)
    store.save(model, *SECOND)
    manifest, arrays = store.load(model)
    assert manifest["name"] == "second" and list(arrays) == ["weights"]
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_files_of_others_are_taken_from_the_folder_that_came_in_place(
    model, monkeypatch
):
    (model / "notes.txt").write_text("mine")
    copy, copies = folders.shutil.copy2, []

    def replaced_before_the_first(source, target):
        copies.append(source)
        if len(copies) == 1:
            store.save(model, {"name": "another"}, {})
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return copy(source, target)

    monkeypatch.setattr(folders.shutil, "copy2", replaced_before_the_first)
    store.save(model, *SECOND)
    assert (
        store.load(model)[0]["name"] == "second"
        and (model / "notes.txt").read_text() == "mine"
    )


def test_processes_that_save_and_load_one_folder_do_not_meet(model):
    script = textwrap.dedent("""
        import sys
        import numpy as np
        from lstmcast import store

        for size in range(150):
            store.save(sys.argv[1], {"size": size}, {"weights": {"w": np.ones(size)}})
    """)
    command = [sys.executable, "-c", script, str(model)]
    writers = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    while any(writer.poll() is None for writer in writers):
        manifest, arrays = store.load(model)
        assert len(arrays["weights"]["w"]) == manifest.get("size", 2)
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert [path.name for path in model.parent.iterdir()] == ["model"]
