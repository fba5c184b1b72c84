"""JSON that holds several series: records with a table in each, tables by name, and lists of values
beside one list of times, as Prometheus, Grafana, InfluxDB, Datadog, the BLS and charts write
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from lstmcast.data.files.jsontables import DEEPEST, Records, are_times, flat, is_scalar, table_of

_FEWEST = 2  # rows of a table inside of a record
_FEWEST_TIMES = 3  # in a list of times beside lists of values
_NAMES = ("label", "name", "id")  # of a list of values
_ROWS = ("values", "data", "rows")  # where rows stand, beside the names of their columns


def series_of(document: Any) -> Records:
    """The rows of all series that a list of records or a mapping holds, with what names each; []
    where it holds none.

    >>> series_of({"a": [["2024-01", 5], ["2024-02", 6]], "b": [["2024-01", 7], ["2024-02", 8]]})[2]
    {'series': 'b', 'time': '2024-01', 'value': 7}
    """
    if isinstance(document, list):
        return _of_records(document)
    if not isinstance(document, Mapping) or len(document) > 5000:
        return []
    tables = {str(name): _timed_table(value) for name, value in document.items()}
    tables = {name: table for name, table in tables.items() if table}
    columns = {tuple(table[0]) for table in tables.values()}
    if len(tables) < 2 or len(columns) > 1:
        return []
    return [{"series": name} | row for name, table in tables.items() for row in table]


def _of_records(records: list[Any]) -> Records:
    """The rows of the tables in records, beside the texts of the records."""
    if not records or not all(isinstance(record, Mapping) for record in records):
        return []
    if not any(map(_holds_lists, records[:3])) or _has_times(list(map(_scalars, records))):
        return []
    tables = list(map(_table_within, records))
    if not all(tables):
        return []
    labels = _labels(list(map(_scalars, records)))
    rows = []
    for names, table in zip(labels, tables, strict=True):
        taken = {f"series.{name}" if name in table[0] else name: names[name] for name in names}
        rows += [taken | row for row in table]
    return rows


def _holds_lists(value: Any) -> bool:
    """Whether a record has a list or a mapping somewhere in it that may be a table."""
    return any(not is_scalar(field) for field in value.values())


def _scalars(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, and of mappings in it, that are no lists."""
    fields = flat({name: field for name, field in record.items() if not _timed_table(field)})
    return {name: field for name, field in fields.items() if is_scalar(field)}


def _labels(fields: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What names each of several series: the texts that not all have alike, else numbers."""
    for kind in (str, (int, str)):
        names = dict.fromkeys(chain.from_iterable(fields))
        labels = [
            name
            for name in names
            if len({str(field.get(name)) for field in fields}) > 1
            and all(isinstance(field.get(name, ""), kind) for field in fields)
        ]
        if labels or len(fields) == 1:
            return [{name: str(field.get(name, "")) for name in labels} for field in fields]
    return [{"series": f"series_{number}"} for number in range(1, len(fields) + 1)]


def _table_within(record: Mapping[str, Any]) -> Records:
    """The one table with times in a record; [] where there is none, or where there are several."""
    names = record.get("columns")
    for rows_name in _ROWS:
        rows = record.get(rows_name)
        if isinstance(names, list) and isinstance(rows, list):
            return _timed_table({"columns": names, "data": rows})
    inner = [field for field in record.values() if isinstance(field, Mapping)]
    fields = chain(record.values(), *(mapping.values() for mapping in inner))
    tables = list(filter(None, map(_timed_table, fields)))
    if len(tables) == 1:
        return tables[0]
    return [] if tables else gathered(record)


def _timed_table(value: Any) -> Records:
    """The table that a value is, where one of its columns holds times; [] where it is none."""
    if is_scalar(value) or len(value) < _FEWEST:
        return []
    records = _pairs(value) or table_of(value)
    return records if len(records) >= _FEWEST and _has_times(records) else []


def _pairs(value: Any) -> Records:
    """Rows of a time and a value, or of a value and a time."""
    if not isinstance(value, list):
        return []
    are_pairs = all(isinstance(pair, list) and len(pair) == 2 for pair in value)
    if not are_pairs or not all(map(is_scalar, chain.from_iterable(value))):
        return []
    for time, other in ((0, 1), (1, 0)):
        if are_times([str(pair[time]) for pair in value[:200]]):
            return [{"time": pair[time], "value": pair[other]} for pair in value]
    return []


def _has_times(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a field holds a time in every record, and not the same."""
    for name in records[0]:
        texts = [str(record.get(name, "")) for record in records[:200]]
        if len(set(texts)) > 1 and are_times(texts):
            return True
    return False


def gathered(document: Any) -> Records:
    """Lists of values, wherever they stand in a document, beside the one list of times that is as
    long; [] where there is no such list, or more than one.

    >>> gathered({"labels": ["2024", "2025", "2026"], "sets": [{"label": "a", "data": [5, 6, 7]}]})
    [{'time': '2024', 'a': 5}, {'time': '2025', 'a': 6}, {'time': '2026', 'a': 7}]
    """
    if not isinstance(document, Mapping):
        return []
    lists = dict(_lists_in(document, "", 0))
    times = [name for name, values in lists.items() if are_times(list(map(str, values[:200])))]
    if len(times) != 1:
        return []
    count = len(lists[times[0]])
    columns = {"time": lists.pop(times[0])}
    columns |= {name: values for name, values in lists.items() if len(values) == count}
    if len(columns) < 2:
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _lists_in(value: Any, name: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """All lists of at least three scalars inside a value, each with what it is called."""
    if isinstance(value, list):
        if len(value) >= _FEWEST_TIMES and all(map(is_scalar, value)):
            yield name, value
        elif depth < DEEPEST and len(value) <= 1000:
            for number, entry in enumerate(value, start=1):
                within = f"{name}_{number}" if len(value) > 1 else name
                yield from _lists_in(entry, within, depth + 1)
    elif isinstance(value, Mapping) and depth < DEEPEST:
        labels = [value[key] for key in _NAMES if isinstance(value.get(key), str)]
        lists = [key for key, field in value.items() if isinstance(field, list)]
        for key, field in value.items():
            own_name = labels[0] if labels and len(lists) == 1 else str(key)
            yield from _lists_in(field, own_name, depth + 1)
