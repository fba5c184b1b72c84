"""Data that grow before training is resumed.

A folder of checkpoints also holds a record of the data: digests of the values used in training, so
that data whose past has changed are rejected, and the fitted transforms, since the weights were
trained on values scaled by them.

S series
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.data.keys import packed, unpacked
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import ModelError
from lstmcast.model.inputs import FittedTransforms, Inputs
from lstmcast.saved_context import is_unnamed
from lstmcast.training_config import Batching, Windows
from lstmcast.util.text import counted

RECORD = "data"  # the folder of the record, beside those of the checkpoints


class Lineage(NamedTuple):
    """Which data checkpoints may belong to, and the record to keep beside them.

    `earlier`: fingerprints of the training data before they grew; `growth`: what was added, in
    words.
    """

    earlier: tuple[str, ...]
    growth: str
    manifest: dict[str, Any]
    arrays: dict[str, dict[str, NDArray]]


@dataclass(frozen=True, eq=False)
class DataRecord:
    """A record of the data used in training.

    Args:
        ids: Names of the series (S,).
        starts: First time of each series (S,), as a number.
        lengths: Number of values of each series (S,).
        digests: Digests of these values and of the columns read with them (S, 16).
        about: Frequency, seasonal periods, horizon, inputs, the columns they read, window length,
            how much of the effects of known columns is used, and whether the only series has no
            name.
        fingerprint: Fingerprint of the training data.
        transforms: The fitted transforms.
        earlier, growth: As in `Lineage`.
    """

    ids: NDArray
    starts: NDArray
    lengths: NDArray
    digests: NDArray
    about: dict[str, Any]
    fingerprint: str = ""
    transforms: Mapping[str, NDArray] | None = None
    earlier: tuple[str, ...] = ()
    growth: str = ""

    @classmethod
    def of(cls, panel: Panel, inputs: Inputs, horizon: int) -> DataRecord:
        """The record of a panel before training."""
        panel.covariates.require(inputs.past, panel.report.source)
        about = {
            "frequency": panel.frequency.code,
            "periods": list(panel.periods),
            "horizon": horizon,
            "unnamed": is_unnamed(panel),
            "inputs": inputs.described(),
            "past": list(inputs.past),
            "share": panel.covariates.future.share,
        }
        digests = np.stack(
            [
                _digest(panel, series, int(count), inputs.past)
                for series, count in enumerate(panel.lengths)
            ]
        )
        return cls(panel.ids, _numbers(panel.starts), panel.lengths, digests, about)

    @classmethod
    def in_folder(cls, folder: Path) -> DataRecord | None:
        """The record in a folder of checkpoints; None without a record or a checkpoint."""
        if not (folder / RECORD).is_dir() or not any(folder.glob("member-*")):
            return None
        try:
            manifest, groups = store.load(folder / RECORD)
        except ModelError as error:
            raise ModelError(unusable(folder / RECORD, error)) from error
        with store.complete(folder / RECORD, "the training"):
            own = groups["series"]
            return cls(
                unpacked(own["ids"], own["id_lengths"]),
                own["starts"],
                own["lengths"],
                own["digests"],
                manifest["about"],
                manifest["fingerprint"],
                groups.get("transforms"),
                tuple(manifest["earlier"]),
                manifest["growth"],
            )

    @property
    def window(self) -> int | None:
        """Window length in steps, if it was chosen from the data."""
        return self.about.get("window")

    @property
    def share(self) -> float:
        """How much of the effects of known columns is used."""
        return self.about.get("share", 1.0)

    def fitted(self, inputs: Inputs) -> FittedTransforms | None:
        """The fitted transforms of these inputs."""
        if self.transforms is None:
            return None
        return inputs.fitted_from(self.transforms, self.ids)

    def named(self, panel: Panel) -> Panel:
        """The panel under the recorded name, if both are one series without a name.

        Such a series is named after its file, which may change.
        """
        if not (self.about["unnamed"] and is_unnamed(panel)):
            return panel
        report = replace(panel.report, label=str(self.ids[0]))
        return replace(panel, ids=self.ids.copy(), report=report)

    def growth_to(self, newer: DataRecord, panel: Panel, folder: Path) -> str:
        """What a panel adds to the recorded data, in words; empty if nothing.

        `newer`: the record of the panel.

        Raises:
            ModelError: The past of the data has changed.
        """
        changes = list(self._changes(newer, panel))
        if changes:
            others = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
            raise ModelError(
                f"The training in {str(folder)!r} belongs to another run: it was trained on other "
                f"data ({changes[0]}{others}). Series may gain values at the end, and new series "
                "may be added. Give data whose past is unchanged, name another folder, or start "
                "again without resuming."
            )
        places = newer.places()
        growths = newer.lengths[[places[str(name)] for name in self.ids]] - self.lengths
        grown = np.count_nonzero(growths)
        added = len(newer.ids) - len(self.ids)
        growth = []
        if grown:
            values = counted(int(growths.sum()), "new value")
            growth.append(f"{values} of {grown:,} of {len(newer.ids):,} series")
        if added:
            growth.append(f"{added:,} new series")
        return ", ".join(growth)

    def places(self) -> dict[str, int]:
        """The index of each series by its name."""
        return {str(name): series for series, name in enumerate(self.ids)}

    def _changes(self, newer: DataRecord, panel: Panel) -> Iterator[str]:
        """What has changed, one sentence for each."""
        for name in ("frequency", "periods", "horizon"):
            if self.about[name] != newer.about[name]:
                yield f"their {name} is {newer.about[name]}, not {self.about[name]}"
                return
        places = newer.places()
        for series, name in enumerate(map(str, self.ids)):
            if name not in places:
                yield f"series {name!r} is missing"
            elif change := self._change(series, newer, places[name], panel):
                yield f"series {name!r} {change}"

    def _change(self, series: int, newer: DataRecord, place: int, panel: Panel) -> str:
        """What has changed in a series, which is now at `place`; empty if nothing."""
        length = int(self.lengths[series])
        if newer.starts[place] != self.starts[series]:
            return f"begins at another time, {format_time(panel.starts[place])}"
        if newer.lengths[place] < length:
            return (
                f"has {newer.lengths[place]:,} values, fewer than the {length:,} then"
            )
        if np.array_equal(
            _digest(panel, place, length, self.about["past"]), self.digests[series]
        ):
            return ""
        starts = panel.starts[place : place + 1]
        (until,) = panel.frequency.advance(starts, np.array([length - 1]))
        return f"has changed values up to {format_time(until)}"

    def lineage(
        self,
        fingerprint: str,
        learned: FittedTransforms | None,
        batching: Batching,
        past: DataRecord | None,
        growth: str,
    ) -> Lineage:
        """The record to keep of these data, which continue those of `past`."""
        earlier = past.earlier if past else ()
        if past and growth:
            earlier = (*earlier, past.fingerprint)
        growth = growth or (past.growth if past else "")
        window = batching.length if isinstance(batching, Windows) else None
        manifest = {
            "about": {**self.about, "window": window},
            "fingerprint": fingerprint,
            "earlier": list(earlier),
            "growth": growth,
        }
        series = {
            "starts": self.starts,
            "lengths": self.lengths,
            "digests": self.digests,
        }
        groups = {"series": {**packed(self.ids), **series}}
        if learned is not None:
            groups["transforms"] = learned.arrays()
        return Lineage(earlier, growth, manifest, groups)


def unusable(folder: Path, error: ModelError) -> str:
    """The error for an unusable checkpoint or record, with advice that is possible there."""
    reason = error.message.partition("\n")[0].replace(
        "The model in", "The checkpoint in", 1
    )
    place = str(folder.parent)
    return (
        f"{reason}\nRemove the folder {place!r} to start again, or leave out --resume."
    )


def _digest(panel: Panel, series: int, length: int, past: Iterable[str]) -> NDArray:
    """Digest of the first values of a series and of its covariates."""
    first = panel.offsets[series]
    digest = hashlib.blake2b(digest_size=16)
    for values_N in (panel.values, *(panel.covariates.past[name] for name in past)):
        values = values_N[first : first + length]
        digest.update(_canonical(values).tobytes())
    future = panel.covariates.future
    for name, values_M in future.columns.items():
        values = values_M[future.offsets[series] : future.offsets[series] + length]
        digest.update(name.encode() + _canonical(values).tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def _canonical(values: NDArray) -> NDArray:
    """The values with identical bits for all missing ones."""
    return np.where(np.isnan(values), np.nan, values)


def _numbers(times: NDArray) -> NDArray:
    return times.astype(np.int64)
