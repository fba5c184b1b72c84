"""Parse lines from a pipe: CSV with a header, or JSON objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from lstmcast.data.features import listed
from lstmcast.data.missingwords import is_missing
from lstmcast.errors import DataError
from lstmcast.util.text import is_number

TIME_NAMES = (
    "time",
    "timestamp",
    "date",
    "datetime",
    "ds",
    "month",
    "week",
    "day",
    "hour",
)
SERIES_NAMES = ("series", "series_id", "unique_id")
DELIMITERS = ",;\t"
ALONE = "value"  # row name of lines that are a single number
NEXT = "|"  # separates the value of a tick from coming ones within a cell


class Record(NamedTuple):
    """The content of a line: time, values by row, past covariates, and future columns.

    Future columns hold the value of this tick and of coming ones.
    """

    time: str | int | None
    values: dict[str, float]
    past: dict[str, float]
    named: bool = False
    future: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Naming:
    """The roles of the fields of a line; roles that are not set use common names.

    time: field of times; "time", "date" and the like by default. series: field with the name of the
    row; "series" or "unique_id" by default; without such a field, each target is a row of its own.
    target: fields of values; all other fields by default. past: past covariates. future: future
    columns.
    """

    time: str | None = None
    series: str | None = None
    target: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()

    def record(self, fields: Mapping[str, Any]) -> Record:
        """Parse the fields of a line; DataError if they are invalid.

        >>> read = Naming(future=("promo",)).record({"shop": "4", "kiosk": "", "promo": "1|0"})
        >>> read.values, read.future
        ({'shop': 4.0, 'kiosk': nan}, {'promo': ['1', '0']})
        >>> Naming().record({"series": "shop", "sold": 4}).values
        {'shop': 4.0}
        """
        time = self._one("time", self.time, TIME_NAMES, fields)
        series = self._one("series", self.series, SERIES_NAMES, fields)
        targets = self._targets(fields, time, series)
        values = {name: _number(name, fields[name]) for name in targets}
        if series is not None:
            row = _name(series, fields[series])
            values = {row: self._only(values)}
        missing = [name for name in self.past if name not in fields]
        if missing:
            raise DataError(
                f"the past covariate {missing[0]!r}, which the network reads, is missing"
            )
        past = {name: _number(name, fields[name]) for name in self.past}
        when = None if time is None else _time(time, fields[time])
        coming = {name: _coming(fields[name]) for name in self.future if name in fields}
        return Record(when, values, past, series is not None, coming)

    def _one(
        self,
        meaning: str,
        field: str | None,
        usual_names: tuple[str, ...],
        fields: Mapping[str, Any],
    ) -> str | None:
        """The field with the time, or with the name of the row."""
        if field is None:
            other_columns = {*self.target, *self.past, *self.future}
            candidates = [name for name in fields if name not in other_columns]
            return next(
                (name for name in candidates if name.casefold() in usual_names), None
            )
        if field not in fields:
            raise DataError(
                f"the field {field!r}, which should hold the {meaning}, is missing"
            )
        return field

    def _targets(
        self, fields: Mapping[str, Any], time: str | None, series: str | None
    ) -> list[str]:
        """The fields with values of rows."""
        if self.target:
            targets = [name for name in self.target if name in fields]
        else:
            other_columns = (time, series, *self.past, *self.future)
            targets = [name for name in fields if name not in other_columns]
        if not targets:
            held = listed(list(fields)) if fields else "none"
            problem = f"it holds no value: its fields are {held}"
            if self.target:
                problem += f", and {listed(list(self.target))} is expected"
            raise DataError(problem)
        return targets

    def _only(self, values: Mapping[str, float]) -> float:
        if len(values) > 1:
            raise DataError(
                f"it has the values {listed(list(values))}, but one is expected next to the name "
                "of a row. Name it with --target"
            )
        return next(iter(values.values()))


class LineReader:
    """Reads lines one by one; the first one decides their format.

    >>> reader = LineReader(Naming())
    >>> reader.read("time,a,b"), reader.read("2024-01-01,3,4").values
    (None, {'a': 3.0, 'b': 4.0})
    >>> reader.read('{"a": 5}').values
    {'a': 5.0}
    """

    def __init__(self, naming: Naming, header: list[str] | None = None) -> None:
        self.naming = naming
        self.header = header
        self._first, self._delimiter = True, ","
        self._has_read = False  # whether a line has been parsed successfully

    def read(self, line: str) -> Record | None:
        """Parse a line; None for empty lines and headers. DataError if it is invalid."""
        text = line.strip().removeprefix("\ufeff")
        if not text:
            return None
        if text.startswith("{"):
            self._first = False  # a header would have come before it
            return self._record(_json_object(text))
        first = self._first
        self._first = False
        cells = self._cells(line.strip("\r\n"), first)
        if first and self._names_columns(cells):
            self.header = [cell.strip() for cell in cells]
            return None
        if self.header is None and len(cells) > 1:
            raise DataError(
                f"it has {len(cells)} values, but there is no header. A first line with names is "
                "expected, such as time,a,b, or JSON objects"
            )
        header = self.header or [ALONE]
        if len(cells) != len(header):
            values = "1 value" if len(cells) == 1 else f"{len(cells)} values"
            raise DataError(
                f"it has {values}, but {len(header)} are expected: {listed(header)}"
            )
        return self._record(dict(zip(header, cells, strict=True)))

    def _record(self, fields: Mapping[str, Any]) -> Record:
        """Parse fields. Before the first valid record, a text may be a series name in disguise."""
        try:
            record = self.naming.record(fields)
        except _NoNumber as error:
            if self._has_read or self.naming.series is not None:
                raise
            raise DataError(
                f"{error.message}. If the column names series, use --series {error.name}"
            ) from error
        self._has_read = True
        return record

    def _cells(self, line: str, first: bool) -> list[str]:
        """The cells of a line, split by the delimiter of the first one."""
        text = line.removeprefix("\ufeff")
        if first:
            self._delimiter = max(DELIMITERS, key=text.count)
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise DataError(f"it is not CSV: {error}") from error

    def _names_columns(self, cells: list[str]) -> bool:
        """Whether a first line is a header: all cells are filled, and none is a number."""
        names = [cell.strip() for cell in cells]
        if any(is_missing(cell) or is_number(cell) for cell in names):
            return False
        if len(set(names)) < len(names):
            raise DataError("it names a column twice. Column names must be unique")
        return True


class _NoNumber(DataError):
    """A text in place of a value."""

    def __init__(self, name: str, cell: Any) -> None:
        super().__init__(f"{name!r} is {cell!r}, but a number is expected")
        self.name = name


def _json_object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DataError(f"it is not a JSON object: {error}") from error
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without repeated names: JSON alone would silently keep the last one."""
    if len({name for name, _ in pairs}) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} is given twice")
    return dict(pairs)


def _number(name: str, cell: Any) -> float:
    """A value; NaN if it is missing."""
    if cell is None or (isinstance(cell, str) and is_missing(cell)):
        return float("nan")
    is_numeric = (
        is_number(cell) if isinstance(cell, str) else isinstance(cell, (int, float))
    )
    if not is_numeric or isinstance(cell, bool):
        raise _NoNumber(name, cell)
    try:
        return float(cell)
    except OverflowError as error:
        raise DataError(f"{name!r} is too large a number") from error


def _coming(cell: Any) -> Any:
    """The value of a tick and of coming ones, from a list or its text form."""
    return cell.split(NEXT) if isinstance(cell, str) else cell


def _name(field: str, cell: Any) -> str:
    if not _is_label(cell):
        raise DataError(f"{field!r} is {cell!r}, but the name of a row is expected")
    return str(cell).strip()


def _time(field: str, cell: Any) -> str | int:
    if not _is_label(cell):
        raise DataError(f"{field!r} is {cell!r}, but a time is expected")
    return cell


def _is_label(cell: Any) -> bool:
    """Whether a cell is a non-empty text or a whole number."""
    if isinstance(cell, str):
        return bool(cell.strip())
    return isinstance(cell, int) and not isinstance(cell, bool)
