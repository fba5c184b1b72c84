"""Read tables and queries of SQL databases into sheets, some thousand rows at a time."""

# N rows

from __future__ import annotations

import datetime
import decimal
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from lstmcast.data.files.bigfiles import text_column
from lstmcast.data.files.frames import sheet_from_relation
from lstmcast.data.sheet import Column, Sheet
from lstmcast.databases.address import Address
from lstmcast.databases.connections import Rows
from lstmcast.databases.opening import found_table, opened
from lstmcast.errors import DataError
from lstmcast.util.objects import objects
from lstmcast.util.text import storable

Sort = Literal["whole", "number", "truth", "date", "time", "zoned", "text"]

Block = Sequence[Sequence[Any]]  # some rows

_FEW_ROWS = 2_000_000  # of a table; in a file of more bytes, as many rows
_ROWS = "lstmcast_rows"  # a table visible only to this connection
_NO_TIME = np.datetime64("NaT", "us")


def sheet_from_database(address: Address) -> Sheet:
    """The table or query of an address as a sheet; DataError, which shows no password."""
    with opened(address) as database:
        if address.query is None:
            address = replace(address, table=found_table(database, address))
            query = f"SELECT * FROM {database.quoted(str(address.table))}"
        else:
            query = address.query
        if address.engine == "duckdb":
            sheet = _sheet_of_duckdb(database, query)
        else:
            rows = database.select(query)
            if address.engine == "sqlite" and address.query is None:
                rows = Rows(rows.names, _bounded(rows.blocks, address))
            sheet = sheet_of_rows(rows)
    if not len(sheet):
        raise DataError(
            f"{address.source} has columns ({', '.join(sheet.names[:6])}) but no rows. Times and "
            "values are expected."
        )
    return replace(sheet, source=address.source, label=address.label)


def _bounded(blocks: Iterable[Block], address: Address) -> Iterator[Block]:
    """The rows of a table in a file; DataError for more than its bytes, as a view without an end
    has."""
    most = max(os.path.getsize(address.path), _FEW_ROWS)
    count = 0
    for block in blocks:
        count += len(block)
        if count > most:
            raise DataError(
                f"{address.source} has more than {most:,} rows, in a file of fewer bytes. Is it a "
                "view that does not end? Name a table, or select rows with --query."
            )
        yield block


def _sheet_of_duckdb(database: Any, query: str) -> Sheet:
    """A sheet of columns that DuckDB converts to plain types.

    The query runs once, since rows of a second run could come in another order.
    """
    database.require_reading(query)
    database.run(f"CREATE TEMPORARY TABLE {_ROWS} AS {query}")
    connection = database.connection
    relation = connection.table(_ROWS)
    ((row_count,),) = connection.execute(f"SELECT count(*) FROM {_ROWS}").fetchall()
    if row_count == 0:
        return sheet_of_rows(Rows(relation.columns, iter(())))
    return sheet_from_relation(
        relation, lambda name: text_column(connection, name, _ROWS)
    )


def sheet_of_rows(rows: Rows) -> Sheet:
    """A sheet of the rows of a query.

    >>> sheet_of_rows(Rows(["day", "sold"], iter([[("2024-01-01", 5), ("2024-01-02", None)]])))
    Sheet(...)
    """
    if len(set(rows.names)) < len(rows.names):
        repeated = next(name for name in rows.names if rows.names.count(name) > 1)
        raise DataError(
            f"the query returns several columns {repeated!r}. Give each a unique name, as in "
            "SELECT a.day AS day, b.day AS other_day."
        )
    columns = [_Gathered(storable(name)) for name in rows.names]
    for block in rows.blocks:
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.add(values)
    sheet_columns = tuple(column.made() for column in columns)
    count = len(sheet_columns[0]) if sheet_columns else 0
    lines = np.arange(1, count + 1, dtype=np.int64)
    return Sheet(sheet_columns, lines, "query", "database")


class _Gathered:
    """A column that arrives in blocks: arrays, and for texts codes into distinct ones."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.blocks: list[tuple[Sort | None, ndarray]] = []
        self.places: dict[str, int] = {}

    def add(self, values: Sequence[Any]) -> None:
        sort = _sort_of(values)
        block = self._array(values, sort)
        self.blocks.append((sort, block))

    def _array(self, values: Sequence[Any], sort: Sort | None) -> ndarray:
        if sort in ("whole", "truth"):
            return np.array(values)
        if sort in ("number", None):
            return np.array(values, np.float64)  # None becomes NaN
        if sort in ("date", "time"):
            return np.array(values, "datetime64[us]")
        if sort == "zoned":
            return np.array(list(map(_in_utc, values)), "datetime64[us]")
        return self._coded(map(_text, values))

    def _coded(self, texts: Iterable[str]) -> ndarray:
        """The codes of texts, with new codes for new texts."""
        codes = []
        for text in texts:
            code = self.places.setdefault(text, len(self.places))
            codes.append(code)
        return np.array(codes, np.int64)

    def made(self) -> Column:
        sorts = {sort for sort, _ in self.blocks if sort is not None}
        if sorts <= {"whole", "number"}:
            return Column(self.name, self._joined())
        if sorts <= {"time", "date"}:
            dtype = "date" if sorts == {"date"} else ""
            return Column(self.name, self._times(), dtype=dtype)
        if sorts == {"zoned"}:
            return Column(self.name, self._times(), zone="UTC")
        if all(sort == "truth" for sort, _ in self.blocks):
            return Column(self.name, self._joined())
        codes = np.concatenate(
            [self._codes(sort, block) for sort, block in self.blocks]
        )
        texts = objects(self.places)
        return Column(self.name, texts, codes, dtype="text")

    def _joined(self) -> ndarray:
        """The blocks as one array."""
        arrays = [block for _, block in self.blocks]
        return np.concatenate(arrays or [np.empty(0)])

    def _times(self) -> ndarray:
        """The blocks of times as one array; a block of missing values has no type."""
        arrays = []
        for sort, block in self.blocks:
            if sort is None:
                block = np.full(len(block), _NO_TIME)
            arrays.append(block)
        return np.concatenate(arrays)

    def _codes(self, sort: Sort | None, block: ndarray) -> ndarray:
        """A block of any type as text, for a column with several types."""
        if sort == "text":
            return block
        is_time = block.dtype.kind == "M"
        is_missing = np.isnat(block) if is_time else block != block
        values = block.astype(object)
        values[is_missing] = None
        return self._coded(map(_text, values.tolist()))


def _sort_of(values: Sequence[Any]) -> Sort | None:
    """The type of the values of a block, None if all are missing."""
    kinds = set(map(type, values))
    has_missing = type(None) in kinds
    kinds.discard(type(None))
    if not kinds:
        return None
    if kinds == {bool}:
        return "text" if has_missing else "truth"
    if kinds == {int} and not has_missing and max(map(abs, values)) < 2**63:
        return "whole"
    if kinds <= {int, float, decimal.Decimal}:
        return "number"
    if kinds == {datetime.date}:
        return "date"
    if kinds == {datetime.datetime}:
        return _sort_of_times(values)
    return "text"


def _sort_of_times(values: Sequence[datetime.datetime | None]) -> Sort:
    are_zoned = {value.tzinfo is not None for value in values if value is not None}
    if are_zoned == {True}:
        return "zoned"
    return "time" if are_zoned == {False} else "text"


def _in_utc(value: datetime.datetime | None) -> datetime.datetime | None:
    if value is None:
        return None
    return value.astimezone(datetime.UTC).replace(tzinfo=None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", errors="backslashreplace")
    return storable(str(value))
