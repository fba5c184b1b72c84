"""Which rows are processed together: spans of whole series, several thousand in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lstmcast.chunks.stores import (
    FILE,
    ROW,
    ParquetFiles,
    Place,
    Span,
    Store,
    readable,
)
from lstmcast.databases.quoting import quoted_column, quoted_text
from lstmcast.errors import DataError
from lstmcast.util.files import whole_file

SORTING_MEMORY = "1GB"
SORTED = ".sorted"  # folder of a sorted copy, beside the parts


class Chunk(NamedTuple):
    """A span of rows that holds whole series."""

    number: int
    span: Span
    series: int

    def __str__(self) -> str:
        return self.part

    @property
    def part(self) -> str:
        """The file name of its result."""
        return f"part-{self.number:05d}"


@dataclass(frozen=True)
class Plan:
    """All chunks of a table, with its numbers of rows and series."""

    chunks: tuple[Chunk, ...]
    series: int
    rows: int


class Runs(NamedTuple):
    """Stretches of rows of one series: as many as there are series, where these lie together."""

    runs: int
    series: int
    rows: int
    nameless: int


def counted(store: Store, connection: Any, keys: Sequence[str]) -> Runs:
    """Count runs and series in one pass over the id columns; DataError if rows have no id."""
    is_named = " AND ".join(f"{quoted_column(key)} IS NOT NULL" for key in keys)
    row = ", ".join(map(quoted_column, keys))
    counts = connection.execute(
        f"SELECT count(*) FILTER (begins), count(DISTINCT ({row})), count(*), "
        f"count(*) FILTER (NOT ({is_named})) FROM ({_with_begins(store, keys)})"
    ).fetchone()
    runs = Runs(*counts)
    if runs.nameless:
        raise DataError(
            f"{store.name}: {runs.nameless:,} rows have no value in {' or '.join(keys)}, and "
            "belong to no series. Remove them, or fill in the value."
        )
    if not runs.rows:
        raise DataError(f"{store.name} has no rows.")
    return runs


def planned(
    store: Store, connection: Any, keys: Sequence[str], runs: Runs, size: int
) -> Plan:
    """Chunks of `size` series, for a table in which the rows of each series are contiguous."""
    starts = connection.execute(
        f"SELECT {FILE}, {ROW} FROM (SELECT {FILE}, {ROW}, row_number() OVER () - 1 AS place "
        f"FROM ({_with_begins(store, keys)}) WHERE begins) WHERE place % {size} = 0"
    ).fetchall()
    places = [Place(*start) for start in starts]
    ends: list[Place | None] = [*places[1:], None]
    full = len(places) - 1
    last_count = runs.series - size * full
    counts = [size] * full + [last_count]
    chunks = (
        Chunk(number, Span(begin, end), count)
        for number, (begin, end, count) in enumerate(
            zip(places, ends, counts, strict=True)
        )
    )
    return Plan(tuple(chunks), runs.series, runs.rows)


def sorted_copy(store: Store, keys: Sequence[str], folder: Path) -> ParquetFiles:
    """The rows sorted by series, in a file beside the results; an existing file is used again."""
    place = folder / SORTED / "rows.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        order = ", ".join(map(quoted_column, keys))
        with readable(store) as connection, whole_file(place) as temporary:
            connection.execute(f"SET memory_limit = '{SORTING_MEMORY}'")
            connection.execute(
                f"SET temp_directory = {quoted_text(str(place.parent / 'spill'))}"
            )
            connection.execute(
                f"COPY ({store.everything} ORDER BY {order}) TO {quoted_text(str(temporary))} "
                "(FORMAT parquet)"
            )
    return ParquetFiles((str(place),), store.name)


def _with_begins(store: Store, keys: Sequence[str]) -> str:
    """A query for rows and whether each begins another series than the row before it."""
    row = ", ".join(map(quoted_column, keys))
    differs = " OR ".join(
        f"{quoted_column(key)} IS DISTINCT FROM lag({quoted_column(key)}) OVER ()"
        for key in keys
    )
    # no row precedes the first, so it differs: its ids are never null
    return f"SELECT *, {differs} AS begins FROM ({store.numbered(row)})"
