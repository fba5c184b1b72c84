"""Quoted names and texts for SQL."""

from __future__ import annotations


def schema_and_name(table: str, schema: str) -> tuple[str, str]:
    """The schema of a table (the given one if its name has none), and its name in the schema.

    >>> schema_and_name("archive.sales", "main")
    ('archive', 'sales')
    """
    prefix, point, name = table.partition(".")
    return (prefix, name) if point else (schema, table)


def quoted(table: str, mark: str = '"') -> str:
    """A table's name, quoted for a statement, with its schema.

    >>> quoted('archive.my "sales"')
    '"archive"."my ""sales\"""'
    """
    return ".".join(quoted_column(name, mark) for name in table.split(".", 1))


def quoted_column(name: str, mark: str = '"') -> str:
    """A column's name, quoted for a statement; its dots are ordinary characters.

    >>> quoted_column("q0.1")
    '"q0.1"'
    """
    return mark + name.replace(mark, mark * 2) + mark


def quoted_text(value: str) -> str:
    """A text, quoted for a statement.

    >>> quoted_text("o'clock.parquet")
    "'o''clock.parquet'"
    """
    return "'" + value.replace("'", "''") + "'"
