"""What training leaves behind besides the weights: when it ended for each series, how wide intervals are, its history.

S series · H horizon · I intervals
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.memory import packed, unpacked
from lstmcast.training.config import Regime, TrainingConfig, Windows, training_from_json
from lstmcast.training.history import History
from lstmcast.transforms import Transforms, TransformsState

Beginning = Literal["scratch", "pretrained", "given"]


@dataclass(frozen=True, eq=False)
class Learned:
    """The rest of a fitted model.

    `ids` (S,) of the series that were trained on, `ends` (S,) the last time of each that the weights were fitted to;
    `factors_HI`: see `evaluation.held_out`; `training`: as it was
    done; `began`: the weights that it started from; `notes`: what is to be said about it; `transforms`: what the
    transforms learned.
    """

    ids: NDArray
    ends: NDArray
    factors_HI: NDArray
    history: History
    training: TrainingConfig
    began: Beginning
    notes: tuple[str, ...] = ()
    transforms: TransformsState | None = None

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
        ends = {"ends": self.ends.astype(np.int64), "is_date": np.array([self.ends.dtype.kind == "M"])}
        return {"factors": self.factors_HI, **packed(self.ids), **ends, **history}

    @classmethod
    def from_saved(
        cls, manifest: dict[str, Any], arrays: dict[str, dict[str, NDArray]], transforms: Transforms
    ) -> Learned | None:
        """What `described` and `arrays` gave, None where nothing was trained; KeyError where something is missing."""
        if "trained" not in manifest:
            return None
        own = arrays["learned"]
        ids = unpacked(own["ids"], own["id_lengths"])
        columns = {name.removeprefix("history."): own[name] for name in own if name.startswith("history.")}
        state = transforms.state_from_arrays(arrays["transforms"], ids) if "transforms" in manifest else None
        return cls(
            ids,
            own["ends"].astype("datetime64[us]") if own["is_date"][0] else own["ends"],
            own["factors"],
            History.from_columns(columns),
            training_from_json(manifest["training"]),
            manifest["trained"]["began"],
            tuple(manifest["trained"]["notes"]),
            state,
        )


def last_times(panel: Panel, ends: NDArray) -> NDArray:
    """The time of the `ends`-th observation of each series (S,)."""
    return panel.frequency.advance(panel.starts, np.maximum(ends, 1) - 1)


def context_of(regime: Regime) -> int | None:
    """How many steps a network with plain inputs reads before it forecasts: as long as its windows were, else all."""
    return regime.length if isinstance(regime, Windows) else None
