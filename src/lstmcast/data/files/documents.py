"""TOML, YAML and blocks of named values: texts that hold records as JSON does."""

from __future__ import annotations

import datetime
from typing import Any

from lstmcast.data.files.keyedblocks import records_of_blocks
from lstmcast.data.files.yamlrecords import NoYamlError, documents_of, looks_like_yaml
from lstmcast.util.patterns import pattern_of

# a table, a list of tables, or a value
_TOML = pattern_of(
    r"""\[\[?[\w."' -]+\]\]? *(?:#.*)?|["']?[\w-]+["']? *= *["'\[\d].*"""
)


def document_of(text: str) -> tuple[str, Any] | None:
    """What such a text is called, and its content as lists and dicts; None for other texts.

    >>> document_of('[[sale]]\\nday = 2024-01-01\\nsold = 5\\n')[0], document_of("day,sold\\n")
    ('TOML', None)
    """
    if _TOML.fullmatch(_first_line(text)) is not None:
        document = _of_toml(text)
        if document is not None:
            return "TOML", document
    records = records_of_blocks(text)
    if records:
        return "blocks of lines", records
    if not looks_like_yaml(text):
        return None
    try:
        documents = documents_of(text)
    except NoYamlError:
        return None
    return "YAML", documents[0] if len(documents) == 1 else documents


def _first_line(text: str) -> str:
    """The first line that says something, without comments."""
    for line in text[: 1 << 14].splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return stripped
    return ""


def _of_toml(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return _with_texts(document)


def _with_texts(value: Any) -> Any:
    """A value with its dates as texts, as JSON has them."""
    if isinstance(value, dict):
        return {key: _with_texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_texts(inner) for inner in value]
    is_time = isinstance(value, datetime.date | datetime.time)
    return value.isoformat() if is_time else value
