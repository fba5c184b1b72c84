"""Results that are tables, available as frames, files and JSON."""

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
    """The base of results that are tables: frames, files and JSON follow from their columns."""

    @abstractmethod
    def columns_dict(self) -> dict[str, NDArray]:
        """The table as equally long columns."""

    @property
    @abstractmethod
    def data_kind(self) -> str:
        """The kind of the data that it was made from, which determines the kind of frame."""

    @property
    def about(self) -> Mapping[str, str]:
        """Metadata for files that can hold them."""
        return {}

    @property
    def column_types(self) -> ColumnTypes:
        """Properties of its columns that arrays do not have."""
        return PLAIN

    def frame(self, kind: str | None = None) -> Any:
        """The table as a frame of the kind of the data, or as "pandas", "polars", "pyarrow" or
        "arrays".

        Data from a file or from arrays give a dict of arrays. If the data have a time zone, times
        have it in a frame, and are local times in arrays. Raises UsageError for any other kind, and
        MissingExtraError if that library is not installed.
        """
        return frame_of(self.columns_dict(), kind, self.data_kind, self.column_types)

    @overload
    def write(self, path: str | os.PathLike[str]) -> Path: ...
    @overload
    def write(self, path: DatabaseTable) -> DatabaseTable: ...
    def write(
        self, path: str | os.PathLike[str] | DatabaseTable
    ) -> Path | DatabaseTable:
        """Write the table as .csv, .csv.gz, .parquet, .jsonl or .xlsx, or into a database table.

        If it raises OutputError, nothing was written. The metadata of Parquet describe the result,
        such as `method` and `combination` of a forecast."""
        return write_table(self.columns_dict(), path, self.about)

    def to_json(self) -> str:
        """The table as one JSON object of lists; times as ISO text, unknown numbers as null."""
        return json_of(self.columns_dict())
