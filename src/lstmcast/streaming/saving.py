"""Saving and loading of streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from lstmcast import store
from lstmcast.errors import ModelError
from lstmcast.model.heads import Head
from lstmcast.streaming.known import KnownColumns
from lstmcast.streaming.parts import KIND, Parts

if TYPE_CHECKING:
    from lstmcast.streaming.stream import Stream

Saved = tuple[dict[str, Any], dict[str, dict[str, NDArray]]]


def described_stream(stream: Stream) -> Saved:
    """The manifest and the arrays of a stream, for the store."""
    manifest, groups = stream.parts.described()
    manifest |= {
        "ticks": stream.ticks,
        "skipped": stream.skipped,
        "rollbacks": stream.rollbacks,
        "note": stream.note,
        "ids": stream.ids,
    }
    groups["rows"] = stream.rows.arrays()
    if stream.known is not None:
        manifest["known"], groups["known"] = (
            stream.known.described(),
            stream.known.arrays(),
        )
    return manifest, groups | (stream.learner.saved() if stream.learner else {})


def made_stream(
    kind: type[Stream],
    manifest: dict[str, Any],
    groups: dict[str, dict[str, NDArray]],
    folder: Path,
    head: Head | None,
) -> Stream:
    """Rebuild a stream from `described_stream`; `folder` is used in messages."""
    stream = kind.__new__(kind)
    parts = Parts.from_saved(manifest, groups, folder, head)
    ids = manifest["ids"]
    known_columns = None
    if "known" in manifest:
        column_arrays = groups.get("known", {})
        known_columns = KnownColumns.from_saved(
            manifest["known"], column_arrays, parts.grid, ids
        )
    stream.begin(parts, ids, known_columns)
    stream.ticks, stream.note = manifest["ticks"], dict(manifest.get("note", {}))
    # older streams lack them
    added = {name: stream.rows[name] for name in ("stops", "whole")}
    stream.reading.restore({**added, **groups["rows"]})
    if stream.learner is not None:
        stream.learner.skipped = manifest["skipped"]
        stream.learner.rollbacks = manifest.get("rollbacks", 0)
        stream.learner.take_up(groups)
    return stream


def read_saved(
    folder: str | Path,
) -> tuple[dict[str, Any], dict[str, dict[str, NDArray]]]:
    """Read a saved stream; ModelError if it is damaged or not a stream."""
    manifest, groups = store.load(folder)
    kind = manifest.get("kind")
    if kind == "online":
        raise ModelError(
            f"{folder} was written by Online of an older lstmcast: its weights can be used, but "
            "not its rows. Load its network with lstmcast.model.network.load_network, give Stream "
            "the result of .with_inputs(Running(…)) with the same settings, and start the rows "
            "again."
        )
    if kind != KIND:
        content = f"a saved {kind}" if kind else "another saved object"
        raise ModelError(
            f"{folder} holds {content}, not a stream saved by Stream.save."
        )
    return manifest, groups
