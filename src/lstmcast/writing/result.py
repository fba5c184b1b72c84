"""Results that are tables: handed on as frames, as files, as JSON."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from lstmcast.databases.address import DatabaseTable
from lstmcast.writing.tables import PLAIN, ColumnTypes, frame_of, json_of, write_table


class ResultTable(ABC):
    """A result that says which columns it has, and is handed on as others are."""

    @abstractmethod
    def columns_dict(self) -> dict[str, NDArray]:
        """The table as equally long columns."""

    @property
    @abstractmethod
    def data_kind(self) -> str:
        """The kind of the data that it was made of, which frames mirror."""

    @property
    def about(self) -> Mapping[str, str]:
        """What is said of it in files that have a place for it."""
        return {}

    @property
    def column_types(self) -> ColumnTypes:
        """What its arrays do not show of its columns."""
        return PLAIN

    def frame(self, kind: str | None = None) -> Any:
        """The table as the kind of frame that the data came in, or as "pandas", "polars",
        "pyarrow" or "arrays".

        Data from a file or from arrays give a dict of arrays. Times of data with a time zone have
        that zone in a frame, and are what its clocks show in arrays. UsageError for any other kind,
        MissingExtraError where that library is not installed.
        """
        return frame_of(self.columns_dict(), kind, self.data_kind, self.column_types)

    @overload
    def write(self, path: str | os.PathLike[str]) -> Path: ...
    @overload
    def write(self, path: DatabaseTable) -> DatabaseTable: ...
    def write(self, path: str | os.PathLike[str] | DatabaseTable) -> Path | DatabaseTable:
        """Write the table as .csv, .csv.gz, .parquet, .jsonl or .xlsx, or into a table of a
        database: the whole of it or, with an OutputError, nothing. The metadata of Parquet hold
        what the result says of itself, as `method` and `combination` of a forecast."""
        return write_table(self.columns_dict(), path, self.about)

    def to_json(self) -> str:
        """The table as one JSON object of lists; times as ISO text, unknown numbers as null."""
        return json_of(self.columns_dict())
