"""The interface of an open database: a few verbs, in SQL that all databases understand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from numpy.typing import NDArray

from lstmcast.util.objects import none_where_unknown

Kind = Literal["whole", "number", "truth", "date", "time", "text"]
Columns = Mapping[str, NDArray]  # of equal length, by name
ROWS = 20_000  # rows that are fetched or sent at a time


class Known(NamedTuple):
    """A column of a table, with the type's name in the database, in lower case."""

    name: str
    type: str


class Rows(NamedTuple):
    """The result of a query: the column names, and the rows in blocks."""

    names: list[str]
    blocks: Iterator[Sequence[Sequence[Any]]]


class Database(Protocol):
    """An open connection, in a transaction if it may write."""

    types: Mapping[Kind, str]  # SQL types of new columns
    dropping: str  # the statement that drops a temporary table

    def quoted(self, name: str) -> str:
        """A table's name, quoted for SQL, with its schema."""
        ...

    def quoted_column(self, name: str) -> str:
        """A column's name, quoted for SQL; its dots are ordinary characters."""
        ...

    def tables(self) -> list[str]:
        """Tables and views; those of other schemas with the schema's name."""
        ...

    def columns(self, table: str) -> list[Known]:
        """The columns of a table; an empty list if there is no such table."""
        ...

    def select(self, query: str) -> Rows:
        """Run a query."""
        ...

    def run(self, statement: str) -> None:
        """Run a statement within the transaction."""
        ...

    def insert(self, table: str, columns: Columns) -> None:
        """Add rows to a table."""
        ...

    def lock(self, table: str) -> None:
        """Keep other writers out until the transaction ends."""
        ...

    def undo_making(self, table: str) -> None:
        """Remove a table that this transaction created, if a rollback does not."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


def kind_of(column: NDArray) -> Kind:
    """What a column holds.

    >>> import numpy as np
    >>> kind_of(np.array(["2024-01-01"], "datetime64[D]")), kind_of(np.array([1.5]))
    ('date', 'number')
    """
    kinds: dict[str, Kind] = {"i": "whole", "u": "whole", "f": "number", "b": "truth"}
    if column.dtype.kind == "M":
        return "date" if column.dtype == "datetime64[D]" else "time"
    return kinds.get(column.dtype.kind, "text")


def listed(column: NDArray) -> list[Any]:
    """A column as Python values, with None for unknown numbers and times.

    >>> import numpy as np
    >>> listed(np.array([1.5, np.nan]))
    [1.5, None]
    """
    if column.dtype.kind == "M" and column.dtype != "datetime64[D]":
        column = column.astype("datetime64[us]")
    return none_where_unknown(column) if column.dtype.kind == "f" else column.tolist()


def rows_of(columns: Columns) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of columns, in blocks."""
    count = len(next(iter(columns.values())))
    for first in range(0, count, ROWS):
        values = [listed(column[first : first + ROWS]) for column in columns.values()]
        yield list(zip(*values, strict=True))
