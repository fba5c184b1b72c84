"""JSON and JSON lines to sheets: records, columns, rows, and times as keys, wherever in the
document the table stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError, UsageError

_DEEPEST = 5  # dicts and lists above a table
_MOST_FIELDS = 5000
_BEGINNINGS = ('{"', "[{", "[[", "{}", "[]")
_Records = list[dict[str, Any]]
_Mappings = Mapping[str, Mapping[str, Any]]


def looks_like_json(start: str) -> bool:
    """Whether a text begins as JSON does.

    >>> looks_like_json(' [{"day": "2024-01-01"}]'), looks_like_json("[day]")
    (True, False)
    """
    squeezed = "".join(start[:200].split())
    return squeezed.startswith(_BEGINNINGS)


def sheet_from_json(text: str, source: str, label: str) -> Sheet:
    """The table of a JSON document as a sheet; DataError where there is none."""
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        documents = _lines(text, source)
    document = documents[0] if len(documents) == 1 else documents
    records = _best(document)
    if not records:
        raise DataError(
            f"{source} is JSON without a table. A list of records such as "
            '[{"date": "2024-01-01", "sales": 5}, …], or columns such as {"date": […], "sales": '
            "[…]}, is expected."
        )
    records = _unrolled(records)
    columns = _columns(records, source)
    message = f"{len(records):,} records of JSON were read"
    note = Finding("layout", "note", message, "Line numbers in messages count records, from 1.")
    lines = np.arange(1, len(records) + 1)
    return Sheet(columns, lines, source, "file", (note,), label)


def _columns(records: _Records, source: str) -> tuple[Column, ...]:
    """A column for each field of the records."""
    names = dict.fromkeys(chain.from_iterable(records))  # in order, each once
    if len(names) > _MOST_FIELDS:
        raise DataError(
            f"{source}: the records have {len(names):,} different fields. At most {_MOST_FIELDS:,} "
            "are expected: one for the time, one for each column of values."
        )
    columns = []
    for name in names:
        values = [record.get(name) for record in records]
        columns.append(_column(name, values))
    return tuple(columns)


def _lines(text: str, source: str) -> list[Any]:
    """One document per line."""
    documents = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            documents.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{source} begins as JSON, but line {number} cannot be read ({error}). One "
                "document, or one record per line, is expected."
            ) from None
    return documents


def _best(document: Any, depth: int = 0) -> _Records:
    """The records of the largest table in a document."""
    records = _table(document)
    if records or depth >= _DEEPEST:
        return records
    values: Iterable[Any] = ()
    if isinstance(document, Mapping):
        values = document.values()
    elif isinstance(document, list):
        values = document[:100]
    tables = []
    for value in values:
        if not _is_scalar(value):
            tables.append(_best(value, depth + 1))
    return max(tables, key=len, default=[])


def _table(document: Any) -> _Records:
    """The records that a value is, if it is a table itself."""
    if isinstance(document, list):
        return _of_list(document)
    if not isinstance(document, Mapping) or not document:
        return []
    rows = document.get("data")
    if "columns" in document and isinstance(rows, list):
        names = list(map(_name, document["columns"]))
        return _rows([names, *rows]) if _are_rows(rows) else []
    values = list(document.values())
    kinds = set(map(_container_of, values))
    if kinds == {"list"}:
        return _of_columns(document)
    if kinds == {"mapping"}:
        return _of_mappings(document)
    keys = list(map(str, document))
    if len(keys) > 2 and all(map(_is_scalar, values)) and _are_times(keys):
        return [{"time": key, "value": value} for key, value in document.items()]
    return []


def _container_of(value: Any) -> str:
    """Whether a value is a "list" or a "mapping" that is not empty; "" for anything else."""
    if not value:
        return ""
    if isinstance(value, list):
        return "list"
    return "mapping" if isinstance(value, Mapping) else ""


def _name(column: Any) -> str:
    if isinstance(column, Mapping):
        return str(column.get("name", column.get("id", "")))
    return str(column)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _are_rows(rows: Sequence[Any]) -> bool:
    kinds = set(map(type, rows))
    return kinds == {list}


def _of_list(rows: list[Any]) -> _Records:
    if not rows:
        return []
    if all(isinstance(row, Mapping) for row in rows):
        return list(map(_flat, rows)) if any(map(_has_values, rows)) else []
    if _are_rows(rows) and _are_scalars(rows):
        return _rows(rows)
    return []


def _are_scalars(collections: Iterable[Iterable[Any]]) -> bool:
    """Whether several collections hold neither lists nor mappings."""
    return all(map(_is_scalar, chain.from_iterable(collections)))


def _has_values(record: Mapping[str, Any]) -> bool:
    """Whether a record holds values, and not only tables."""
    if len(record) < 2:
        return False
    kinds = set(map(type, record.values()))
    return kinds != {list}


def _flat(record: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A record with records inside it as fields of their own: {"a": {"b": 1}} as a.b."""
    fields: dict[str, Any] = {}
    for name, value in record.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping) and above.count(".") < _DEEPEST:
            fields |= _flat(value, f"{path}.")
        else:
            fields[path] = value
    return fields


def _rows(rows: Sequence[Sequence[Any]]) -> _Records:
    """Rows of cells, of which the first one may hold the names."""
    first = rows[0]
    width = len(first)
    if width < 2 or set(map(len, rows)) != {width}:
        return []
    names = [f"column{number}" for number in range(1, width + 1)]
    all_texts = all(isinstance(cell, str) for cell in first)
    if all_texts and not _are_times([first[0]] * 3):
        names = list(first)
        rows = rows[1:]
    return _as_records(names, rows)


def _as_records(names: list[str], rows: Iterable[Sequence[Any]]) -> _Records:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_columns(document: Mapping[str, Any]) -> _Records:
    columns = list(document.values())
    lengths = set(map(len, columns))
    if len(lengths) > 1 or not _are_scalars(columns):
        return []
    names = list(map(str, document))
    return _as_records(names, zip(*columns, strict=True))


def _of_mappings(document: _Mappings) -> _Records:
    """{time: record}, {row: record} or {column: {row: value}}."""
    records = document.values()
    if not _are_scalars(record.values() for record in records):
        return []
    outer = list(map(str, document))
    keys = list(dict.fromkeys(map(str, chain.from_iterable(records))))
    if len(outer) > 2 and _are_times(outer):
        return [{"time": str(time)} | dict(record) for time, record in document.items()]
    if len(keys) > 2 and _are_times(keys):
        return [{"time": key} | _across(document, key) for key in keys]
    if _count_on(keys):
        return [_across(document, key) for key in keys]
    return list(map(dict, document.values())) if _count_on(outer) else []


def _across(document: _Mappings, key: str) -> dict[str, Any]:
    """What each of several mappings has under a key."""
    return {name: values.get(key) for name, values in document.items()}


def _count_on(keys: Sequence[str]) -> bool:
    """Whether keys are numbers of rows: 0, 1, 2, …"""
    if not all(key.isdecimal() for key in keys):
        return False
    numbers = list(map(int, keys))
    first = numbers[0]
    return numbers == list(range(first, first + len(numbers)))


def _are_times(keys: Sequence[str]) -> bool:
    times = parse_times(keys[:200])
    return times is not None and times.form != "index" and not times.bad.any()


def _unrolled(records: _Records) -> _Records:
    """Records that hold a series each, {"start": …, "target": […]}, as one record per value."""
    name = _name_of_series(records)
    if name is None:
        return records
    unrolled: _Records = []
    for number, record in enumerate(records, start=1):
        values = record[name]
        series = record.get("item_id", record.get("id", f"series_{number}"))
        times = _times_of(record, len(values))
        for time, value in zip(times, values, strict=True):
            unrolled.append({"item_id": str(series), "time": time, name: value})
    return unrolled


def _name_of_series(records: _Records) -> str | None:
    """The field that holds a list of values in each record, under a usual name."""
    for name in ("target", "values", "y"):
        kinds = [type(record.get(name)) for record in records]
        if kinds[0] is list:
            return name if set(kinds) == {list} else None
    return None


def _times_of(record: Mapping[str, Any], count: int) -> list[Any]:
    """The times of a series that is given by its start; numbers where no frequency says more."""
    start = record.get("start")
    code = record.get("freq", record.get("frequency"))
    numbered = list(range(1, count + 1))
    if start is None or code is None:
        return numbered
    times = parse_times([str(start)])
    if times is None or times.bad.any() or times.values.dtype.kind != "M":
        return numbered
    try:
        frequency = parse_frequency(str(code)).anchored(times.values)
    except UsageError:
        return numbered
    steps = frequency.range(times.values[0], count).astype("datetime64[s]")
    return list(map(str, steps))


def _column(name: str, values: list[Any]) -> Column:
    """Numbers as such where all are; everything else as texts."""
    filled_values = [value for value in values if value is not None]
    if filled_values and all(map(_is_number, filled_values)):
        return Column(name, _numbers(values, filled_values))
    return Column.of_texts(name, map(_text, values))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(values: list[Any], filled_values: list[Any]) -> np.ndarray:
    """As integers where all are there and are such, else with NaN where one is missing."""
    if len(filled_values) == len(values) and all(map(_is_small_integer, values)):
        return np.array(values, np.int64)
    return np.array(values, np.float64)  # None becomes NaN


def _is_small_integer(value: float) -> bool:
    return isinstance(value, int) and abs(value) < 2**62
