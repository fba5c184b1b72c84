"""What a saved model remembers: as many of the newest observations of each series as its next forecasts may read.

That is bounded (a forecast reads at most 2K observations, see `decoding`), smaller than the activations of the layers
for most series, and exact: the state is rebuilt from them, so a model that goes on with newer data forecasts, to the
last bit, what it would forecast from the whole history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import OFF_GRID, parse_frequency
from lstmcast.data.panel import Columns, Panel, Report
from lstmcast.data.table import file_label, format_time, offsets_of
from lstmcast.decoding import block_length, context_start
from lstmcast.errors import ModelError


class Continuation(NamedTuple):
    """Newer data joined to a memory: the panel to forecast, and which of its series went on."""

    panel: Panel
    went_on: tuple[str, ...]
    afresh: tuple[str, ...]
    reasons: tuple[str, ...]  # one for each of `afresh`

    def __str__(self) -> str:
        parts = []
        if self.went_on:
            parts.append(f"{_names(self.went_on)}: continued from the saved state")
        for reason in dict.fromkeys(self.reasons):
            ids = tuple(name for name, why in zip(self.afresh, self.reasons, strict=True) if why == reason)
            parts.append(f"{_names(ids)}: started afresh, {reason}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Memory:
    """The newest observations of each series, beginning at a multiple of K observations from the first."""

    panel: Panel

    @classmethod
    def newest(cls, panel: Panel, count: int | None) -> Memory:
        """The newest `count` observations of each series, or all."""
        return cls(panel if count is None else _since(panel, np.maximum(panel.lengths - count, 0)))

    @classmethod
    def of(cls, panel: Panel, horizon: int, cutoffs: int) -> Memory:
        """What the next forecasts and their calibration, at `cutoffs` held-out cutoffs of that horizon, may read."""
        earliest = np.maximum(panel.lengths - max(1, horizon // 3) * cutoffs, panel.lengths // 2)
        block = block_length(panel.periods)
        # A cutoff lies in the later half of what is known: what is kept must not make that half begin later.
        first = np.minimum(context_start(earliest, block), (2 * earliest - panel.lengths) // block * block)
        return cls(_since(panel, np.maximum(first, 0)))

    def join(self, newer: Panel) -> Continuation:
        """The series of `newer`, each with what is remembered before it where the two meet without a gap.

        Series are known by their ids; the only one of each, if neither was named in the data, is the same. Where they
        overlap, the newer values count. Raises `ModelError` for another frequency or other seasonal periods.
        """
        self._check(newer)
        ids = newer.ids if _is_unnamed(self.panel) and _is_unnamed(newer) else self.panel.ids
        places = {name: place for place, name in enumerate(ids)}
        pieces, starts, went_on, afresh, reasons = [], [], [], [], []
        for i, name in enumerate(newer.ids):
            values, start = newer.series(i), newer.starts[i]
            place = places.get(name)
            kept, why = (None, "they are new") if place is None else self._before(place, start)
            if kept is None:
                afresh.append(str(name))
                reasons.append(why)
            else:
                went_on.append(str(name))
                values, start = np.concatenate([kept, values]), self.panel.starts[places[name]]
            pieces.append(values)
            starts.append(start)
        joined = replace(
            newer,
            values=np.concatenate(pieces),
            offsets=offsets_of(np.array([len(piece) for piece in pieces])),
            starts=np.array(starts, newer.starts.dtype),
        )
        return Continuation(joined, tuple(went_on), tuple(afresh), tuple(reasons))

    def _before(self, place: int, start: Any) -> tuple[NDArray | None, str]:
        """What is remembered of a series before `start`; None and the reason where the two do not join."""
        values, own = self.panel.series(place), self.panel.starts[place]
        distance = int(self.panel.frequency.position(np.array([start]), own)[0])
        if distance == OFF_GRID:
            return None, "their times are not on the saved grid"
        if distance <= 0:
            return None, "the data reach back as far as what was saved"
        if distance > len(values):
            end = format_time(self.panel.ends[place])
            return None, f"as {distance - len(values)} steps are missing between the saved end ({end}) and the data"
        return values[:distance], ""

    def _check(self, newer: Panel) -> None:
        ours, theirs = self.panel.frequency, newer.frequency
        if ours != theirs:
            raise ModelError(
                f"The data are {theirs.name}, but the saved model was made with {ours.name} data. "
                f"Read them with that frequency (--frequency {ours.code}), or forecast them without the saved model."
            )
        if self.panel.periods != newer.periods:
            raise ModelError(
                f"The data have the seasonal periods {newer.periods}, but the saved model was made with "
                f"{self.panel.periods}. Give the same periods."
            )

    def described(self) -> dict[str, Any]:
        """What a manifest says of it."""
        panel = self.panel
        return {
            "frequency": panel.frequency.code,
            "periods": list(panel.periods),
            "target_kind": panel.kind,
            "columns": asdict(panel.columns),
            "source": panel.report.source,
            "frame": panel.report.frame,
            "series": len(panel),
            "remembers": {"from": format_time(panel.starts.min()), "to": format_time(panel.ends.max())},
        }

    def arrays(self) -> dict[str, NDArray]:
        """Its observations, under names for the store."""
        panel = self.panel
        return {
            "values": panel.values,
            "offsets": panel.offsets,
            "starts": panel.starts.astype(np.int64),
            "is_date": np.array([panel.starts.dtype.kind == "M"]),
            **packed(panel.ids),
        }

    @classmethod
    def from_saved(cls, manifest: dict[str, Any], arrays: dict[str, NDArray]) -> Memory:
        """What `described` and `arrays` gave; KeyError, TypeError or ValueError where something is missing."""
        return cls(_panel(manifest, arrays))


def _is_unnamed(panel: Panel) -> bool:
    """Whether a panel is one series that the data gave no name: it is called after its file, or "y"."""
    labels = ("y", file_label(panel.report.source))
    return len(panel) == 1 and panel.columns.series == Columns().series and panel.ids[0] in labels


def _panel(manifest: dict[str, Any], state: dict[str, NDArray]) -> Panel:
    starts = state["starts"].astype("datetime64[us]") if state["is_date"][0] else state["starts"]
    return Panel(
        values=state["values"],
        offsets=state["offsets"],
        ids=unpacked(state["ids"], state["id_lengths"]),
        starts=starts,
        frequency=parse_frequency(manifest["frequency"]),
        periods=tuple(manifest["periods"]),
        kind=manifest["target_kind"],
        columns=Columns(**manifest["columns"]),
        report=Report(source=manifest["source"], frame=manifest["frame"]),
    )


def _since(panel: Panel, first: NDArray) -> Panel:
    """The series without their first `first` observations."""
    lengths = panel.lengths - first
    steps = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    kept = steps >= np.repeat(first, panel.lengths)
    starts = panel.frequency.advance(panel.starts, first)
    return replace(panel, values=panel.values[kept], offsets=offsets_of(lengths), starts=starts)


def packed(ids: NDArray) -> dict[str, NDArray]:
    """Texts as arrays of numbers, for the store."""
    encoded = [str(name).encode() for name in ids]
    return {
        "ids": np.frombuffer(b"".join(encoded), np.uint8),
        "id_lengths": np.array([len(name) for name in encoded], np.int64),
    }


def unpacked(ids: NDArray, lengths: NDArray) -> NDArray:
    """The texts again."""
    ends = np.cumsum(lengths)
    text = ids.tobytes()
    names = [text[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)]
    return np.array(names, dtype=object)


def _names(ids: tuple[str, ...]) -> str:
    return f"series {ids[0]!r}" if len(ids) == 1 else f"{len(ids)} series ({', '.join(map(repr, ids[:3]))}, …)"
