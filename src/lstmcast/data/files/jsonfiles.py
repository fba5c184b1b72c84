"""JSON and JSON lines to sheets: records, columns, rows, and times as keys, wherever in the
document the table stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np

from lstmcast.data.files.jsoncells import boxed_table
from lstmcast.data.files.jsoncounted import counted_series
from lstmcast.data.files.jsonseries import gathered, series_of
from lstmcast.data.files.jsonstatistics import statistics_of
from lstmcast.data.files.jsontables import DEEPEST, Records, flat, is_scalar, table_of
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError, UsageError
from lstmcast.util.patterns import pattern_of

_MOST_FIELDS = 5000
_LISTS = ("target", "values", "y")  # usual names of a list of the values of a series
_MOST_KEYS = 4  # in a list of keys
_NUMBERS = pattern_of(r"\[(?:-?\d+(?:\.\d+)?(?:e[-+]?\d+)?,){2}", re.IGNORECASE)
# comments, a call or a variable in front of a document
_WRAPPED = pattern_of(
    r"\s*(?:/\*.*?\*/\s*|\)\]\}',?\s*)?(?:(?:var|let|const)\s+)?"
    r"[A-Za-z_$][\w.$]*\s*[(=]\s*(?=[\[{])"
)
_BEGINNINGS = ('{"', "[{", "[[", "{}", "[]")


def looks_like_json(start: str) -> bool:
    """Whether a text begins as JSON does.

    >>> looks_like_json(' [{"day": "2024-01-01"}]'), looks_like_json("[day]")
    (True, False)
    """
    wrapped = _WRAPPED.match(start)
    if wrapped is not None:
        start = start[wrapped.end() :]
    squeezed = "".join(start[:200].split())
    return squeezed.startswith(_BEGINNINGS) or _NUMBERS.match(squeezed) is not None


def sheet_from_json(text: str, source: str, label: str) -> Sheet:
    """The table of a JSON document as a sheet; DataError where there is none."""
    text = _without_wrapper(text)
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        documents = _lines(text, source)
    document = documents[0] if len(documents) == 1 else documents
    sheet = sheet_of_document(document, source, label)
    if sheet is None:
        raise DataError(
            f"{source} is JSON without a table. A list of records such as "
            '[{"date": "2024-01-01", "sales": 5}, …], or columns such as {"date": […], "sales": '
            "[…]}, is expected."
        )
    return sheet


def sheet_of_document(
    document: Any, source: str, label: str, form: str = "JSON"
) -> Sheet | None:
    """The table in lists and dicts as a sheet; None where there is none. form: what they were
    written in."""
    records = counted_series(document) or _best(document)
    if isinstance(document, list) and document and all(map(_is_number, document)):
        records = [{"value": value} for value in document]
    if not records:
        return None
    records = _unrolled(_with_keys_apart(_with_buckets(records)))
    columns = _columns(records, source)
    message = f"{len(records):,} records of {form} were read"
    note = Finding(
        "layout", "note", message, "Line numbers in messages count records, from 1."
    )
    lines = np.arange(1, len(records) + 1)
    return Sheet(columns, lines, source, "file", (note,), label)


def _without_wrapper(text: str) -> str:
    """A document without the call or the name of a variable around it: callback({…});, var x = {…}.

    >>> _without_wrapper('callback({"a": 5});'), _without_wrapper("[1, 2]")
    ('{"a": 5}', '[1, 2]')
    """
    wrapped = _WRAPPED.match(text)
    if wrapped is None:
        return text
    return text[wrapped.end() :].rstrip().removesuffix(";").rstrip().removesuffix(")")


def _columns(records: Records, source: str) -> tuple[Column, ...]:
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


def _best(document: Any, depth: int = 0) -> Records:
    """The records of the largest table in a document."""
    records = statistics_of(document) or boxed_table(document)
    ways = (
        (series_of, table_of) if isinstance(document, list) else (table_of, series_of)
    )
    for way in ways:
        records = records or way(document)
    is_wrapped = isinstance(document, list) and len(records) == 1
    if (records and not is_wrapped) or depth >= DEEPEST:
        return records
    values: Iterable[Any] = ()
    if isinstance(document, Mapping):
        values = document.values()
    elif isinstance(document, list):
        values = document[:100]
    tables = [records, gathered(document)]
    for value in values:
        if not is_scalar(value):
            tables.append(_best(value, depth + 1))
    return max(tables, key=len, default=[])


def _unrolled(records: Records) -> Records:
    """Records that hold a series each, {"start": …, "target": […]}, as one record per value."""
    name = _name_of_series(records)
    if name is None:
        return records
    unrolled: Records = []
    for number, record in enumerate(records, start=1):
        values = record[name]
        series = record.get("item_id", record.get("id", f"series_{number}"))
        times = _times_of(record, len(values))
        for time, value in zip(times, values, strict=True):
            unrolled.append({"item_id": str(series), "time": time, name: value})
    return unrolled


def _with_buckets(records: Records) -> Records:
    """Records with Elasticsearch's buckets inside them, a term of each day, as one per bucket."""
    names = [name for name, value in records[0].items() if isinstance(value, list)]
    name = names[0] if len(names) == 1 else ""
    if not name.endswith(".buckets"):
        return records
    term = name.removesuffix(".buckets")
    unrolled: Records = []
    for record in records:
        outer = {
            field: value
            for field, value in record.items()
            if not field.startswith(term)
        }
        outer.pop("doc_count", None)  # of all buckets
        for bucket in record.get(name) or ():
            inner = flat(bucket)
            unrolled.append(outer | {term: str(inner.pop("key", ""))} | inner)
    return unrolled or records


def _with_keys_apart(records: Records) -> Records:
    """Records with the keys in a list, {"keys": ["2024-01-01", "DE"]}, as fields of their own."""
    for name in list(records[0]):
        if name not in _LISTS and _are_keys([record.get(name) for record in records]):
            records = [_apart(record, name) for record in records]
    return records


def _are_keys(values: list[Any]) -> bool:
    """Whether values are short lists of scalars, all of one length."""
    lists = [value for value in values if isinstance(value, list)]
    lengths = set(map(len, lists))
    if len(lists) < max(2, len(values)) or len(lengths) > 1:
        return False
    if not 0 < len(lists[0]) <= _MOST_KEYS:
        return False
    if all(map(_is_number, lists[0])):
        return False  # coordinates
    return all(map(is_scalar, chain.from_iterable(lists)))


def _apart(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A record with each value of a list as a field."""
    fields = dict(record)
    values = fields.pop(name)
    numbered = {
        f"{name}_{number}": value for number, value in enumerate(values, start=1)
    }
    return ({name: values[0]} if len(values) == 1 else numbered) | fields


def _name_of_series(records: Records) -> str | None:
    """The field that holds a list of values in each record, under a usual name."""
    for name in _LISTS:
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
