"""Names and texts in SQL, with quotes around them."""

from __future__ import annotations


def schema_and_name(table: str, schema: str) -> tuple[str, str]:
    """The schema of a table, the usual one where its name has none, and its own name.

    >>> schema_and_name("archive.sales", "main")
    ('archive', 'sales')
    """
    prefix, point, name = table.partition(".")
    return (prefix, name) if point else (schema, table)


def quoted(table: str, mark: str = '"') -> str:
    """A table's name for a statement, with its schema.

    >>> quoted('archive.my "sales"')
    '"archive"."my ""sales\"""'
    """
    return ".".join(quoted_column(name, mark) for name in table.split(".", 1))


def quoted_column(name: str, mark: str = '"') -> str:
    """A column's name for a statement: in it, points are letters.

    >>> quoted_column("q0.1")
    '"q0.1"'
    """
    return mark + name.replace(mark, mark * 2) + mark


def quoted_text(value: str) -> str:
    """A text for a statement.

    >>> quoted_text("o'clock.parquet")
    "'o''clock.parquet'"
    """
    return "'" + value.replace("'", "''") + "'"
