"""Dumps of databases as text: INSERT INTO … VALUES, and COPY … FROM stdin of PostgreSQL."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from lstmcast.util.patterns import pattern_of

_NAME = r"[`\"\[]?[\w.$`\"\[\]]+[`\"\]]?"
# possessive: a line of dashes is one comment, and nothing to take apart again
_BEGINS = pattern_of(
    r"(?:\s*+(?:--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/;?|(?:set|use|drop|lock|begin|start|pragma|"
    r"select|alter|truncate|delete|create)\b[^;]*+;))*+\s*+(?:insert\s|copy\s[^\n]*from stdin;)",
    re.IGNORECASE,
)
_INSERT = pattern_of(
    rf"insert\s+(?:ignore\s+|or\s+\w+\s+)?(?:into\s+)?({_NAME})\s*(?:\(([^()]*)\))?\s*values\s*",
    re.IGNORECASE,
)
_COPY = pattern_of(
    rf"^copy\s+({_NAME})\s*\(([^()]*)\)[^\n]*from stdin;\n(.*?)^\\\.$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_CREATE = pattern_of(
    rf"create\s+table\s+(?:if\s+not\s+exists\s+)?({_NAME})\s*\((.{{1,20000}}?)\)[^)]*?;",
    re.IGNORECASE | re.DOTALL,
)
_NO_COLUMN = pattern_of(
    r"(?:primary|key|unique|constraint|index|foreign|check|fulltext)\b.*", re.IGNORECASE
)
_TEXT = r"'(?:[^'\\]|\\.|'')*'"
_VALUE = pattern_of(
    rf"\s*(?:\w+\s*\(\s*n?(?P<inner>{_TEXT})(?:\s*,\s*{_TEXT}|\s+as\s+\w+)*\s*\)|"
    rf"(?:date |timestamp )?n?(?P<text>{_TEXT})(?:::\w+)?|(?P<other>[^,()']+))\s*(?=[,)])",
    re.IGNORECASE,
)
_Table = tuple[list[str], list[list[str]]]  # names of columns, and rows


def is_sql_dump(start: str) -> bool:
    """Whether a text begins as a dump does.

    >>> is_sql_dump("INSERT INTO t (day, n) VALUES (1, 2);"), is_sql_dump("day,n")
    (True, False)
    """
    return _BEGINS.match(start) is not None


def csv_from_sql(text: str) -> str:
    """The rows of the table with the most of them, as CSV.

    >>> csv_from_sql("INSERT INTO t (day, n) VALUES ('2024-01-01', 5), ('2024-01-02', NULL);")
    'day,n\\r\\n2024-01-01,5\\r\\n2024-01-02,\\r\\n'
    """
    tables: dict[str, _Table] = {}
    created = {}
    for match in _CREATE.finditer(text):
        created[match[1]] = _created(match[2])
    for name, names, rows in (*_copied(text), *_inserted(text)):
        names = names or created.get(name, [])
        table = tables.setdefault(name, (names, []))
        table[1].extend(rows)
    names, rows = max(tables.values(), key=_row_count, default=([], []))
    if not rows:
        return text
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if names:
        writer.writerow(names)
    writer.writerows(rows)
    return buffer.getvalue()


def _row_count(table: _Table) -> int:
    return len(table[1])


def _copied(text: str) -> Iterator[tuple[str, list[str], Iterable[list[str]]]]:
    for match in _COPY.finditer(text):
        lines = match[3].splitlines()
        rows = []
        for line in filter(None, lines):
            without_nulls = line.replace("\\N", "")
            rows.append(without_nulls.split("\t"))
        names = _names(match[2].split(","))
        yield match[1], names, rows


def _inserted(text: str) -> Iterator[tuple[str, list[str], Iterable[list[str]]]]:
    for match in _INSERT.finditer(text):
        columns = match[2] or ""
        names = _names(columns.split(","))
        rows = _tuples(text, match.end())
        yield match[1], names, rows


def _tuples(text: str, place: int) -> Iterator[list[str]]:
    """The rows in brackets from a place on: (…), (…);"""
    while text[place : place + 1] == "(":
        cells = []
        while text[place] in "(,":
            value = _VALUE.match(text, place + 1)
            if value is None:
                return
            cells.append(_cell(value))
            place = value.end()
        yield cells
        place += 1
        separator = re.compile(r"\s*,\s*").match(text, place)
        if separator is None:
            return
        place = separator.end()


def _cell(value: re.Match[str]) -> str:
    quoted = value["inner"] or value["text"]
    if quoted is not None:
        inner = quoted[1:-1].replace("''", "'")
        return re.sub(r"\\(.)", r"\1", inner)
    text = value["other"].strip()
    return "" if text.casefold() == "null" else text


def _created(body: str) -> list[str]:
    """The columns of a table by what created it."""
    without_brackets = re.sub(r"\([^()]*\)", "", body)
    names = []
    for definition in without_brackets.split(","):
        words = definition.split()
        if words and _NO_COLUMN.fullmatch(" ".join(words)) is None:
            names.append(words[0])
    return _names(names)


def _names(names: Iterable[str] | Sequence[str]) -> list[str]:
    return [name.strip(' `"[]\n\t') for name in names if name.strip()]
