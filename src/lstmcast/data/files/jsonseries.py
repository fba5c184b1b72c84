"""JSON that holds several series: records with a table in each, tables by name, and lists of values
beside one list of times, as Prometheus, Grafana, InfluxDB, Datadog, the BLS and charts write
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmcast.data.files.jsontables import (
    DEEPEST,
    Records,
    are_times,
    flat,
    is_scalar,
    table_of,
)

_FEWEST = 2  # rows of a table inside of a record
_FEWEST_TIMES = 3  # in a list of times beside lists of values
_MOST_NAMES = 5000  # of tables in one mapping
_NAMES = ("label", "name", "id")  # of a list of values
# where rows stand, beside the names of their columns
_ROWS = ("values", "data", "rows")
_SAMPLE = 200


def series_of(document: Any) -> Records:
    """The rows of all series that a list of records or a mapping holds, with what names each; []
    where it holds none.

    >>> series_of({"a": [["2024-01", 5], ["2024-02", 6]], "b": [["2024-01", 7], ["2024-02", 8]]})[2]
    {'series': 'b', 'time': '2024-01', 'value': 7}
    """
    if isinstance(document, list):
        return _of_records(document)
    if isinstance(document, Mapping) and len(document) <= _MOST_NAMES:
        return _of_tables_by_name(document)
    return []


def _of_tables_by_name(document: Mapping[str, Any]) -> Records:
    """The rows of tables with the same columns, beside their names."""
    rows: Records = []
    columns_of_tables = []
    for name, value in document.items():
        table = _timed_table(value)
        if table:
            columns_of_tables.append(list(table[0]))
        for record in table:
            rows.append({"series": str(name)} | record)
    if len(columns_of_tables) < 2:
        return []
    first_columns = columns_of_tables[0]
    are_alike = all(columns == first_columns for columns in columns_of_tables)
    return rows if are_alike else []


def _of_records(records: list[Any]) -> Records:
    """The rows of the tables in records, beside the texts of the records."""
    if not records or not all(isinstance(record, Mapping) for record in records):
        return []
    first_records = records[:3]
    holds_containers = any(map(_holds_containers, first_records))
    if not holds_containers or not all(map(_table_within, first_records)):
        # a million records with mappings in them need not be tried one by one
        return []
    fields_of_records = list(map(_scalars, records))
    if _has_times(fields_of_records):
        return []
    tables = list(map(_table_within, records))
    if not all(tables):
        return []
    labels_of_records = _labels(fields_of_records)
    rows: Records = []
    for labels, table in zip(labels_of_records, tables, strict=True):
        columns = table[0]
        distinct_labels = {}
        for name, text in labels.items():
            own_name = f"series.{name}" if name in columns else name
            distinct_labels[own_name] = text
        for record in table:
            rows.append(distinct_labels | record)
    return rows


def _holds_containers(record: Mapping[str, Any]) -> bool:
    """Whether a record has a list or a mapping in it, which may be a table."""
    return not all(map(is_scalar, record.values()))


def _scalars(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, and of mappings in it, that are no lists."""
    without_tables = {}
    for name, field in record.items():
        if not _timed_table(field):
            without_tables[name] = field
    scalars = {}
    for name, field in flat(without_tables).items():
        if is_scalar(field):
            scalars[name] = field
    return scalars


def _labels(fields_of_records: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What names each of several series: the texts that not all have alike, else numbers."""
    names: dict[str, None] = {}
    for fields in fields_of_records:
        names |= dict.fromkeys(fields)
    texts = [name for name in names if _tells_apart(name, fields_of_records, str)]
    numbers = [name for name in names if _tells_apart(name, fields_of_records, int)]
    label_names = texts or numbers
    labels = []
    for number, fields in enumerate(fields_of_records, start=1):
        own_labels = {name: str(fields.get(name, "")) for name in label_names}
        if not own_labels and len(fields_of_records) > 1:
            own_labels = {"series": f"series_{number}"}
        labels.append(own_labels)
    return labels


def _tells_apart(
    name: str, fields_of_records: list[dict[str, Any]], kind: type
) -> bool:
    """Whether a field is of a kind in all records that have it, and differs among them."""
    values = [fields[name] for fields in fields_of_records if name in fields]
    texts = set(map(str, values))
    if len(values) < len(fields_of_records):
        texts.add("")
    return len(texts) > 1 and all(isinstance(value, kind) for value in values)


def _table_within(record: Mapping[str, Any]) -> Records:
    """The one table with times in a record; [] where there is none, or where there are several."""
    names = record.get("columns")
    for rows_name in _ROWS:
        rows = record.get(rows_name)
        if isinstance(names, list) and isinstance(rows, list):
            return _timed_table({"columns": names, "data": rows})
    fields = list(record.values())
    for field in record.values():
        if isinstance(field, Mapping):
            fields += field.values()
    tables = list(filter(None, map(_timed_table, fields)))
    if len(tables) == 1:
        return tables[0]
    return [] if tables else gathered(record)


def _timed_table(value: Any) -> Records:
    """The table that a value is, where one of its columns holds times; [] where it is none."""
    if is_scalar(value) or len(value) < _FEWEST:
        return []
    records = _pairs(value) or table_of(value)
    if len(records) < _FEWEST or not _has_times(records):
        return []
    return records


def _pairs(value: Any) -> Records:
    """Rows of a time and a value, or of a value and a time."""
    if not isinstance(value, list) or not all(map(_is_pair, value)):
        return []
    firsts = [str(first) for first, _ in value[:_SAMPLE]]
    if are_times(firsts):
        return [{"time": first, "value": second} for first, second in value]
    seconds = [str(second) for _, second in value[:_SAMPLE]]
    if are_times(seconds):
        return [{"time": second, "value": first} for first, second in value]
    return []


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_scalar, value))


def _has_times(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a field holds a time in every record, and not the same."""
    sample = records[:_SAMPLE]
    for name in records[0]:
        texts = [str(record.get(name, "")) for record in sample]
        changes = len(set(texts)) > 1
        if changes and are_times(texts):
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
    names_of_times = []
    for name, values in lists.items():
        if are_times(list(map(str, values[:_SAMPLE]))):
            names_of_times.append(name)
    if len(names_of_times) != 1:
        return []
    times = lists.pop(names_of_times[0])
    columns = {"time": times}
    for name, values in lists.items():
        if len(values) == len(times):
            columns[name] = values
    if len(columns) < 2:
        return []
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _lists_in(value: Any, name: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """All lists of at least three scalars inside a value, each with what it is called."""
    if isinstance(value, list) and all(map(is_scalar, value)):
        if len(value) >= _FEWEST_TIMES:
            yield name, value
        return
    if is_scalar(value) or depth >= DEEPEST or len(value) > _MOST_NAMES:
        return
    for entry_name, entry in _entries(value, name):
        yield from _lists_in(entry, entry_name, depth + 1)


def _entries(value: Any, name: str) -> list[tuple[str, Any]]:
    """What a list or a mapping holds, each with a name: that of a label where one is beside it."""
    if isinstance(value, list):
        if len(value) == 1:
            return [(name, value[0])]
        return [
            (f"{name}_{number}", entry) for number, entry in enumerate(value, start=1)
        ]
    labels = [value[key] for key in _NAMES if isinstance(value.get(key), str)]
    list_count = sum(isinstance(field, list) for field in value.values())
    if labels and list_count == 1:
        return [(labels[0], field) for field in value.values()]
    # {"data": […], "type": "line"} is called as what holds it
    if name and list_count == 1:
        label = "value" if name == "series" else name
        return [(label, field) for field in value.values()]
    return [(str(key), field) for key, field in value.items()]
