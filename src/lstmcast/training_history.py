"""The losses of each epoch of training, as columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.html import block, more, table
from lstmcast.util.text import counted

MOST_SHOWN = 12  # epochs, in a notebook


class Epoch(NamedTuple):
    """One epoch. Epoch 0 validates the initial weights; NaN marks what was not measured."""

    member: int
    epoch: int
    step: int  # updates so far
    train_loss: float  # mean over the epoch's targets, while the weights moved
    validation_loss: float
    learning_rate: float  # of the last update
    seconds: float  # since the training of the member began, without interruptions
    best: bool  # whether the weights of this epoch are kept


DTYPES = dict(
    zip(
        Epoch._fields,
        (np.int64, np.int64, np.int64, float, float, float, float, bool),
        strict=True,
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
        counts = f"{counted(members, 'member')}, {counted(trained, 'epoch')}"
        best_rows = [
            row
            for row in self.epochs
            if row.best and row.validation_loss == row.validation_loss
        ]
        losses = ", ".join(
            f"{row.validation_loss:.4g} in epoch {row.epoch}" for row in best_rows
        )
        return (
            f"History({counts}, best validation loss {losses})"
            if best_rows
            else f"History({counts})"
        )

    def _repr_html_(self) -> str:
        """The newest epochs, for notebooks."""
        newest = self.epochs[-MOST_SHOWN:]
        header = [
            "member",
            "epoch",
            "train loss",
            "validation loss",
            "learning rate",
            "seconds",
            "kept",
        ]
        rows = [_cells(row) for row in newest]
        return block(
            repr(self), table(header, rows), more(len(newest), len(self), "epochs")
        )

    def columns(self) -> dict[str, NDArray]:
        """One array per field of `Epoch`."""
        return {
            name: np.array([getattr(row, name) for row in self.epochs], dtype)
            for name, dtype in DTYPES.items()
        }

    def frame(self, kind: str | None = None) -> Any:
        """The columns as "arrays" (a dict) or as a "pandas", "polars" or "pyarrow" frame.

        UsageError for any other kind, MissingExtraError where that library is not installed.
        """
        from lstmcast.writing.tables import frame_of

        return frame_of(self.columns(), kind)

    def member(self, number: int) -> History:
        """The epochs of one member."""
        return History(tuple(row for row in self.epochs if row.member == number))

    def to_json(self) -> dict[str, list[Any]]:
        """The columns as lists, with None for what was not measured."""
        return {name: _json_values(column) for name, column in self.columns().items()}

    @classmethod
    def from_json(cls, described: dict[str, list[Any]]) -> History:
        """The inverse of `to_json`."""
        columns = (described[name] for name in Epoch._fields)
        rows: Sequence[tuple[Any, ...]] = list(zip(*columns, strict=True))
        return cls(tuple(Epoch(*map(_number, row)) for row in rows))

    @classmethod
    def from_columns(cls, columns: dict[str, NDArray]) -> History:
        """The inverse of `columns`."""
        rows: Sequence[tuple[Any, ...]] = list(
            zip(*(columns[name].tolist() for name in Epoch._fields), strict=True)
        )
        return cls(tuple(Epoch(*row) for row in rows))


def _json_values(column: NDArray) -> list[Any]:
    """The values of a column, with None for what was not measured."""
    values = column.tolist()
    for place in np.flatnonzero(np.isnan(column)):
        values[place] = None
    return values


def _number(value: Any) -> Any:
    return math.nan if value is None else value


def _cells(row: Epoch) -> list[str]:
    """An epoch as text."""
    cells = [str(row.member + 1), f"{row.epoch:,}"]
    cells += [
        _shown(row.train_loss),
        _shown(row.validation_loss),
        _shown(row.learning_rate),
    ]
    cells += [f"{row.seconds:.1f}", "kept" if row.best else ""]
    return cells


def _shown(number: float) -> str:
    return "–" if math.isnan(number) else f"{number:.4g}"


def kept(epochs: Sequence[Epoch], best_epoch: int) -> tuple[Epoch, ...]:
    """The rows, with `best` set for the epoch whose weights are kept."""
    return tuple(row._replace(best=row.epoch == best_epoch) for row in epochs)
