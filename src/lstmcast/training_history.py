"""What happened in each epoch of a training run, as columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.html import block, more, table

MOST_SHOWN = 12  # epochs, in a notebook


class Epoch(NamedTuple):
    """One row. Epoch 0 is the validation of the weights that training started from; NaN is what
    was not measured."""

    member: int
    epoch: int
    step: int  # updates so far
    train_loss: float  # mean over the epoch's targets, while the weights moved
    validation_loss: float
    learning_rate: float  # of the last update
    seconds: float  # since the member's training began, interruptions left out
    best: bool  # whether this is the epoch whose weights are kept


DTYPES = dict(
    zip(
        Epoch._fields, (np.int64, np.int64, np.int64, float, float, float, float, bool), strict=True
    )
)


@dataclass(frozen=True)
class History:
    """The epochs of all members, in order.

    >>> first = Epoch(0, 1, 4, 0.5, 0.6, 1e-3, 0.1, False)
    >>> history = History((first, Epoch(0, 2, 8, 0.4, 0.5, 1e-3, 0.2, True)))
    >>> history
    History(1 member, 2 epochs, best validation loss 0.5 in epoch 2)
    >>> history.columns()["train_loss"].tolist()
    [0.5, 0.4]
    """

    epochs: tuple[Epoch, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        members = len({row.member for row in self.epochs})
        trained = sum(row.epoch > 0 for row in self.epochs)
        named = f"{members} member{'s' * (members != 1)}, {trained} epoch{'s' * (trained != 1)}"
        kept = [
            row for row in self.epochs if row.best and row.validation_loss == row.validation_loss
        ]
        best = ", ".join(f"{row.validation_loss:.4g} in epoch {row.epoch}" for row in kept)
        return f"History({named}, best validation loss {best})" if kept else f"History({named})"

    def _repr_html_(self) -> str:
        """The newest epochs, for notebooks."""
        shown = self.epochs[-MOST_SHOWN:]
        header = [
            "member",
            "epoch",
            "train loss",
            "validation loss",
            "learning rate",
            "seconds",
            "kept",
        ]
        rows = [
            [
                str(row.member + 1),
                f"{row.epoch:,}",
                *(_shown(part) for part in row[3:6]),
                f"{row.seconds:.1f}",
                "kept" if row.best else "",
            ]
            for row in shown
        ]
        return block(repr(self), table(header, rows), more(len(shown), len(self), "epochs"))

    def columns(self) -> dict[str, NDArray]:
        """One array per field of `Epoch`."""
        return {
            name: np.array([getattr(row, name) for row in self.epochs], dtype)
            for name, dtype in DTYPES.items()
        }

    def frame(self, kind: str | None = None) -> Any:
        """The columns as a "pandas", "polars" or "pyarrow" frame; a dict of arrays unless asked
        otherwise.

        UsageError for any other kind, MissingExtraError where that library is not installed.
        """
        from lstmcast.writing.tables import frame_of

        return frame_of(self.columns(), kind)

    def member(self, number: int) -> History:
        """The epochs of one member."""
        return History(tuple(row for row in self.epochs if row.member == number))

    def to_json(self) -> dict[str, list[Any]]:
        """Columns as lists; what was not measured is None."""
        return {
            name: [None if value != value else value for value in column.tolist()]
            for name, column in self.columns().items()
        }

    @classmethod
    def from_json(cls, described: dict[str, list[Any]]) -> History:
        """The inverse of `to_json`."""
        columns = (described[name] for name in Epoch._fields)
        rows: Sequence[tuple[Any, ...]] = list(zip(*columns, strict=True))
        return cls(tuple(Epoch(*_known(row)) for row in rows))

    @classmethod
    def from_columns(cls, columns: dict[str, NDArray]) -> History:
        """The inverse of `columns`."""
        rows: Sequence[tuple[Any, ...]] = list(
            zip(*(columns[name].tolist() for name in Epoch._fields), strict=True)
        )
        return cls(tuple(Epoch(*row) for row in rows))


def _known(row: tuple[Any, ...]) -> list[Any]:
    return [math.nan if value is None else value for value in row]


def _shown(number: float) -> str:
    return f"{number:.4g}" if number == number else "–"


def kept(epochs: Sequence[Epoch], best_epoch: int) -> tuple[Epoch, ...]:
    """The rows with `best` set where the epoch is the one whose weights are kept."""
    return tuple(row._replace(best=row.epoch == best_epoch) for row in epochs)
