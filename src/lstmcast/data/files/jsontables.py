"""Values of JSON as tables: records, columns, rows, and times as keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from lstmcast.data.times.dates import parse_times

DEEPEST = 5  # dicts and lists above a table
Records = list[dict[str, Any]]
_Mappings = Mapping[str, Mapping[str, Any]]


def table_of(document: Any) -> Records:
    """The records that a value is, if it is a table itself."""
    if isinstance(document, list):
        return _of_list(document)
    if not isinstance(document, Mapping) or not document:
        return []
    rows = document.get("data")
    if "columns" in document and isinstance(rows, list):
        names = list(map(_name, document["columns"]))
        if not _are_rows(rows):
            return []
        index = list(map(str, document.get("index", ())))
        if len(index) == len(rows) and are_times(index):  # as pandas splits frames
            names = ["time", *names]
            rows = [[time, *row] for time, row in zip(index, rows, strict=True)]
        return _rows([names, *rows])
    values = list(document.values())
    kinds = set(map(_container_of, values))
    if kinds == {"list"}:
        return _of_columns(document)
    if kinds == {"mapping"}:
        return _of_mappings(document)
    keys = list(map(str, document))
    if len(keys) > 2 and all(map(is_scalar, values)) and are_times(keys):
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


def is_scalar(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _are_rows(rows: Sequence[Any]) -> bool:
    kinds = set(map(type, rows))
    return kinds == {list}


def _of_list(rows: list[Any]) -> Records:
    if not rows:
        return []
    if all(isinstance(row, Mapping) for row in rows):
        records = list(map(flat, rows))
        return records if any(map(_has_values, records)) else []
    if _are_rows(rows) and _are_scalars(rows):
        return _rows(rows)
    return []


def _are_scalars(collections: Iterable[Iterable[Any]]) -> bool:
    """Whether several collections hold neither lists nor mappings."""
    return all(map(is_scalar, chain.from_iterable(collections)))


def _has_values(record: Mapping[str, Any]) -> bool:
    """Whether a record holds values, and not only tables."""
    if len(record) < 2:
        return False
    kinds = set(map(type, record.values()))
    return kinds != {list}


def flat(record: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A record with records inside it as fields of their own: {"a": {"b": 1}} as a.b."""
    fields: dict[str, Any] = {}
    for name, value in record.items():
        path = f"{above}{name}"
        value = _without_type(value)
        if isinstance(value, Mapping) and above.count(".") < DEEPEST:
            fields |= flat(value, f"{path}.")
        elif isinstance(value, list) and value and all(map(_is_boxed, value)):
            fields[path] = value[0]["value"]
            for number, box in enumerate(value[1:], start=2):
                fields[f"{path}_{number}"] = box["value"]
        else:
            fields[path] = value
    return fields


def _without_type(value: Any) -> Any:
    """5 for {"$numberInt": "5"}, as MongoDB writes values with their types."""
    while isinstance(value, Mapping) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if not str(name).startswith("$"):
            break
        value = inner
    return value


def _is_boxed(value: Any) -> bool:
    """Whether a value is {"value": 5}, as Google Analytics writes cells."""
    return (
        isinstance(value, Mapping)
        and list(value) == ["value"]
        and is_scalar(value["value"])
    )


def _rows(rows: Sequence[Sequence[Any]]) -> Records:
    """Rows of cells, of which the first one may hold the names."""
    first = rows[0]
    width = len(first)
    if width < 2 or set(map(len, rows)) != {width}:
        return []
    names = [f"column{number}" for number in range(1, width + 1)]
    all_texts = all(isinstance(cell, str) for cell in first)
    if all_texts and not are_times([first[0]] * 3):
        names = list(first)
        rows = rows[1:]
    return _as_records(names, rows)


def _as_records(names: list[str], rows: Iterable[Sequence[Any]]) -> Records:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_columns(document: Mapping[str, Any]) -> Records:
    columns = list(document.values())
    lengths = set(map(len, columns))
    if len(lengths) > 1 or not _are_scalars(columns):
        return []
    names = list(map(str, document))
    return _as_records(names, zip(*columns, strict=True))


def _of_mappings(document: _Mappings) -> Records:
    """{time: record}, {row: record} or {column: {row: value}}."""
    records = document.values()
    if not _are_scalars(record.values() for record in records):
        return []
    outer = list(map(str, document))
    keys = list(dict.fromkeys(map(str, chain.from_iterable(records))))
    if len(outer) > 2 and are_times(outer):
        return [{"time": str(time)} | dict(record) for time, record in document.items()]
    if len(keys) > 2 and are_times(keys):
        return [{"time": key} | _across(document, key) for key in keys]
    if _count_on(keys):
        return [_across(document, key) for key in keys]
    rows = list(map(dict, document.values()))
    return rows if _count_on(outer) or _hold_times(rows) else []


def _hold_times(records: Records) -> bool:
    """Whether a field of alike records holds times that differ: each has a key of its own."""
    if len(records) < 3 or any(
        record.keys() != records[0].keys() for record in records
    ):
        return False
    for name in records[0]:
        texts = [str(record[name]) for record in records[:200]]
        if len(set(texts)) > 1 and are_times(texts):
            return True
    return False


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


def are_times(keys: Sequence[str]) -> bool:
    times = parse_times(keys[:200])
    return times is not None and times.form != "index" and not times.bad.any()
