"""A stream in a folder: everything that its next tick depends on."""

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
    """The manifest and the groups of arrays of a stream, for the store."""
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
        manifest["known"], groups["known"] = stream.known.described(), stream.known.arrays()
    return manifest, groups | (stream.learner.saved() if stream.learner else {})


def made_stream(
    kind: type[Stream],
    manifest: dict[str, Any],
    groups: dict[str, dict[str, NDArray]],
    folder: Path,
    head: Head | None,
) -> Stream:
    """A stream from what `described_stream` gave, read from this folder."""
    made = kind.__new__(kind)
    parts, ids = Parts.from_saved(manifest, groups, folder, head), manifest["ids"]
    known = None
    if "known" in manifest:
        own = groups.get("known", {})
        known = KnownColumns.from_saved(manifest["known"], own, parts.grid, ids)
    made.begin(parts, ids, known)
    made.ticks, made.note = manifest["ticks"], dict(manifest.get("note", {}))
    made.reading.restore({"stops": made.rows["stops"], **groups["rows"]})
    if made.learner is not None:
        made.learner.skipped = manifest["skipped"]
        made.learner.rollbacks = manifest.get("rollbacks", 0)
        made.learner.take_up(groups)
    return made


def read_saved(folder: str | Path) -> tuple[dict[str, Any], dict[str, dict[str, NDArray]]]:
    """What a stream saved; ModelError where it is damaged or something else."""
    manifest, groups = store.load(folder)
    kind = manifest.get("kind")
    if kind == "online":
        raise ModelError(
            f"{folder} was written by Online of an older lstmcast: its weights can be used, its "
            "rows cannot. Give Stream its network, which lstmcast.model.network.load_network "
            "reads, .with_inputs(Running(…)) as they were, and let the rows begin anew."
        )
    if kind != KIND:
        what = kind or "thing of no kind"
        raise ModelError(f"{folder} holds a {what}, not a stream as Stream.save writes it.")
    return manifest, groups
