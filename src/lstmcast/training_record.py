"""How the weights of a fitted model were trained.

S series
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.keys import packed, unpacked
from lstmcast.training_config import TrainingConfig, training_from_json
from lstmcast.training_history import History

InitialWeights = Literal["scratch", "pretrained", "given"]
Arrays = Mapping[str, NDArray]
Groups = Mapping[str, Arrays]  # the arrays of a saved folder, by file


@dataclass(frozen=True, eq=False)
class Record:
    """How the weights of a fitted model were trained.

    `ids` (S,): the series of the training. `ends` (S,): the last time of each series used in
    training. `training`: the settings used. `initial_weights`: the weights that training started
    from. `trained_until`: the last time of each series, by id, that the initial weights were
    trained on.
    """

    ids: NDArray
    ends: NDArray
    training: TrainingConfig
    history: History
    initial_weights: InitialWeights
    notes: tuple[str, ...] = ()
    trained_until: Mapping[str, Any] = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Whether training was stopped early by Ctrl-C."""
        return any(note.startswith("interrupted") for note in self.notes)

    @property
    def trained_ends(self) -> dict[str, Any]:
        """The last time of each series, by id, in all training of the weights."""
        ends = {}
        for name, end in self.trained_until.items():
            if np.asarray(end).dtype.kind == self.ends.dtype.kind:
                ends[name] = end
        for name, end in zip(map(str, self.ids), self.ends, strict=True):
            ends[name] = max(end, ends.get(name, end))
        return ends

    def described(self) -> dict[str, Any]:
        """The part of it that a manifest holds."""
        epochs = self.history.columns()["epoch"]
        return {
            "initial_weights": self.initial_weights,
            "series": len(self.ids),
            "epochs": int(epochs.max(initial=0)),
            "notes": list(self.notes),
        }

    def arrays(self) -> dict[str, NDArray]:
        """The remaining fields as named arrays for the store."""
        arrays = {
            **packed(self.ids),
            "ends": self.ends.astype(np.int64),
            "is_date": np.array([self.ends.dtype.kind == "M"]),
        }
        trained_ends = self.trained_ends
        trained_ids = np.array(list(trained_ends), object)
        for name, array in packed(trained_ids).items():
            arrays[f"seen.{name}"] = array
        last_times = np.array(list(trained_ends.values()), self.ends.dtype)
        arrays["seen.ends"] = last_times.astype(np.int64)
        for name, column in self.history.columns().items():
            arrays[f"history.{name}"] = column
        return arrays

    @classmethod
    def from_saved(cls, manifest: Mapping[str, Any], arrays: Arrays) -> Record:
        """Rebuild it from `described` and `arrays`; KeyError where something is missing."""
        columns = {}
        for name, array in arrays.items():
            if name.startswith("history."):
                columns[name.removeprefix("history.")] = array
        return cls(
            unpacked(arrays["ids"], arrays["id_lengths"]),
            _times(arrays["ends"], arrays),
            training_from_json(manifest["training"]),
            History.from_columns(columns),
            manifest["trained"]["initial_weights"],
            tuple(manifest["trained"]["notes"]),
            seen_in({"fitted": arrays}),
        )


def seen_in(groups: Groups) -> dict[str, Any]:
    """The last time of each series, by id, that the weights of a saved model were trained on."""
    arrays = groups.get("fitted")
    if arrays is None:
        return {}
    ids = unpacked(arrays["seen.ids"], arrays["seen.id_lengths"])
    return dict(zip(ids, _times(arrays["seen.ends"], arrays), strict=True))


def _times(ends: NDArray, arrays: Arrays) -> NDArray:
    """Times from their saved numbers."""
    return ends.astype("datetime64[us]") if arrays["is_date"][0] else ends
