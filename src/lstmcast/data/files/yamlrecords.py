"""Flat YAML: lists of records, columns as lists, values by time, documents behind each other.

Anchors, tags and texts of several lines are left to programs that write JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lstmcast.util.patterns import pattern_of

_KEY = pattern_of(r"""("[^"]*"|'[^']*'|[^\s#&*!|>%@`"'{\[,-][^#]*?) ?:(?: +(.*))?""")
_COMMENT = pattern_of(r"(?:^| )#.*")
_DEEPEST = 20


class _Line(NamedTuple):
    indent: int
    text: str


class NoYamlError(ValueError):
    """A text is no YAML that is read here."""


def looks_like_yaml(start: str) -> bool:
    """Whether the first lines are a list of records, a key above one, or a document.

    >>> looks_like_yaml("- day: 2024-01-01\\n  sold: 5\\n"), looks_like_yaml("day,sold\\n")
    (True, False)
    """
    lines = list(_lines(start[:2000]))[:3]
    texts = [line.text for line in lines]
    if len(texts) < 2:
        return False
    first = texts[0]
    if first.startswith("- "):
        item = first[2:].strip()
        return item.startswith(("{", "[")) or _KEY.fullmatch(item) is not None
    if first == "---" or first.startswith("%YAML"):
        return True
    match = _KEY.fullmatch(first)
    if match is None:
        return False
    return all(text.startswith("- ") or _KEY.fullmatch(text) for text in texts)


def documents_of(text: str) -> list[Any]:
    """The documents of a text: lists, dicts, and scalars as texts; NoYamlError where it has others.

    >>> documents_of("data:\\n- day: 2024-01-01\\n  sold: 5\\n")
    [{'data': [{'day': '2024-01-01', 'sold': '5'}]}]
    """
    documents, lines = [], []
    for line in [*_lines(text), _Line(0, "---")]:
        if line.text in ("---", "...") and line.indent == 0:
            if lines:
                documents.append(_Reader(lines).document())
            lines = []
        elif not line.text.startswith("%YAML"):
            lines.append(line)
    return documents


def _lines(text: str) -> Iterator[_Line]:
    """The lines that say something, without comments."""
    for line in text.splitlines():
        bare = line if '"' in line or "'" in line else _COMMENT.sub("", line)
        stripped = bare.strip()
        if stripped and not stripped.startswith("#"):
            yield _Line(len(bare) - len(bare.lstrip(" ")), stripped)


class _Reader:
    """Lines of one document, read from the first to the last."""

    def __init__(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.place = 0

    def document(self) -> Any:
        value = self.block(0)
        if self.place < len(self.lines):
            raise NoYamlError
        return value

    def block(self, depth: int) -> Any:
        """The list or dict that begins here."""
        if depth > _DEEPEST:
            raise NoYamlError
        indent = self.lines[self.place].indent
        if self._is_item(indent):
            return list(self._items(indent, depth))
        entries = list(self._entries(indent, depth))
        values = dict(entries)
        if len(values) < len(entries):
            raise NoYamlError
        return values

    def _next(self, indent: int) -> _Line | None:
        """The line here, where it is as far from the left."""
        if self.place == len(self.lines):
            return None
        line = self.lines[self.place]
        return line if line.indent == indent else None

    def _is_item(self, indent: int) -> bool:
        line = self._next(indent)
        return line is not None and (line.text == "-" or line.text.startswith("- "))

    def _items(self, indent: int, depth: int) -> Iterator[Any]:
        while self._is_item(indent):
            text = self.lines[self.place].text
            item = text[1:].lstrip()
            if not item:
                self.place += 1
                yield self._below(indent, depth)
            elif item[0] not in "[{\"'" and _KEY.fullmatch(item):
                inner_indent = indent + len(text) - len(item)
                self.lines[self.place] = _Line(inner_indent, item)
                yield self.block(depth + 1)
            else:
                self.place += 1
                yield _scalar(item)

    def _entries(self, indent: int, depth: int) -> Iterator[tuple[str, Any]]:
        while (line := self._next(indent)) is not None and not self._is_item(indent):
            match = _KEY.fullmatch(line.text)
            if match is None:
                raise NoYamlError
            self.place += 1
            key = str(_scalar(match[1]))
            yield key, _scalar(match[2]) if match[2] else self._below(indent, depth)

    def _below(self, indent: int, depth: int) -> Any:
        """What stands below a key or a dash, "" where nothing does."""
        if self.place == len(self.lines):
            return ""
        is_inside = self.lines[self.place].indent > indent or self._is_item(indent)
        return self.block(depth + 1) if is_inside else ""


def _scalar(text: str) -> Any:
    """A value on one line: a text without its quotes, or a list or dict in brackets."""
    text = text.strip()
    if text[0] in "&*!|>%@`":
        raise NoYamlError
    if text[0] in "[{":
        return _flow(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return "" if text in ("~", "null") else text


def _flow(text: str) -> Any:
    """A list or dict in brackets, without others inside."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    inner = text[1:-1]
    if text[-1] != {"[": "]", "{": "}"}[text[0]] or re.search(r"[\[\]{}]", inner):
        raise NoYamlError
    cells = [cell.strip() for cell in inner.split(",") if cell.strip()]
    if text[0] == "[":
        return [_scalar(cell) for cell in cells]
    pairs = [_KEY.fullmatch(cell) for cell in cells]
    if not all(pairs):
        raise NoYamlError
    return {
        str(_scalar(match[1])): _scalar(match[2] or "~")
        for match in pairs
        if match is not None
    }
