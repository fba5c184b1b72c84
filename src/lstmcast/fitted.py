"""What training leaves behind besides the weights: when it ended for each series, how wide
intervals are, its history.

S series · H horizon · I intervals
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.keys import packed, unpacked
from lstmcast.data.panel import Panel
from lstmcast.training_config import Batching, TrainingConfig, Windows, training_from_json
from lstmcast.training_history import History
from lstmcast.transforms import Transforms, TransformsState

Beginning = Literal["scratch", "pretrained", "given"]


@dataclass(frozen=True, eq=False)
class Learned:
    """The rest of a fitted model.

    `ids` (S,) of the series that were trained on, `ends` (S,) the last time of each that the
    weights were fitted to; `factors_HI`: see `evaluation.held_out`; `training`: as it was done;
    `began`: the weights that it started from; `notes`: what is to be said about it; `transforms`:
    what the transforms learned; `before`: until when the weights that training started from had
    seen which series; `changes` (S,): how much each series changed from one step to the next, on
    average.
    """

    ids: NDArray
    ends: NDArray
    factors_HI: NDArray
    history: History
    training: TrainingConfig
    began: Beginning
    notes: tuple[str, ...] = ()
    transforms: TransformsState | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    changes: NDArray = field(default_factory=lambda: np.empty(0))

    @property
    def interrupted(self) -> bool:
        """Whether training was stopped by Ctrl-C before its end."""
        return any(note.startswith("interrupted") for note in self.notes)

    def known_ends(self) -> dict[str, Any]:
        """The last time of each series that the weights were ever fitted to."""
        kind = self.ends.dtype.kind
        known = {
            name: end for name, end in self.before.items() if np.asarray(end).dtype.kind == kind
        }
        for name, end in zip(map(str, self.ids), self.ends, strict=True):
            known[name] = max(end, known.get(name, end))
        return known

    def described(self) -> dict[str, Any]:
        """What a manifest says of it."""
        epochs = self.history.columns()["epoch"]
        return {
            "began": self.began,
            "series": len(self.ids),
            "epochs": int(epochs.max(initial=0)),
            "notes": list(self.notes),
        }

    def arrays(self) -> dict[str, NDArray]:
        """Everything else, under names for the store."""
        history = {f"history.{name}": column for name, column in self.history.columns().items()}
        ends = {
            "ends": self.ends.astype(np.int64),
            "is_date": np.array([self.ends.dtype.kind == "M"]),
        }
        known = self.known_ends()
        seen = {
            f"seen.{name}": part for name, part in packed(np.array(list(known), object)).items()
        }
        seen["seen.ends"] = np.array(list(known.values()), self.ends.dtype).astype(np.int64)
        measured = {"factors": self.factors_HI, "changes": self.changes}
        return {**measured, **packed(self.ids), **ends, **seen, **history}

    @classmethod
    def from_saved(
        cls, manifest: dict[str, Any], arrays: dict[str, dict[str, NDArray]], transforms: Transforms
    ) -> Learned | None:
        """What `described` and `arrays` gave, None where nothing was trained; KeyError where
        something is missing."""
        if "trained" not in manifest:
            return None
        own = arrays["learned"]
        ids = unpacked(own["ids"], own["id_lengths"])
        columns = {
            name.removeprefix("history."): own[name] for name in own if name.startswith("history.")
        }
        state = (
            transforms.state_from_arrays(arrays["transforms"], ids)
            if "transforms" in manifest
            else None
        )
        return cls(
            ids,
            own["ends"].astype("datetime64[us]") if own["is_date"][0] else own["ends"],
            own["factors"],
            History.from_columns(columns),
            training_from_json(manifest["training"]),
            manifest["trained"]["began"],
            tuple(manifest["trained"]["notes"]),
            state,
            known_ends(arrays),
            own["changes"],
        )


def known_ends(arrays: Mapping[str, Mapping[str, NDArray]]) -> dict[str, Any]:
    """Until when the weights in a saved model have seen which series; nothing where they were
    trained on none."""
    own = arrays.get("learned")
    if own is None:
        return {}
    ids, ends = unpacked(own["seen.ids"], own["seen.id_lengths"]), own["seen.ends"]
    return dict(zip(ids, ends.astype("datetime64[us]") if own["is_date"][0] else ends, strict=True))


def last_times(panel: Panel, ends: NDArray) -> NDArray:
    """The time of the `ends`-th observation of each series (S,)."""
    return panel.frequency.advance(panel.starts, np.maximum(ends, 1) - 1)


def context_of(batching: Batching) -> int | None:
    """How many steps a network with plain inputs reads before it forecasts: as long as its
    windows were, else all."""
    return batching.length if isinstance(batching, Windows) else None
