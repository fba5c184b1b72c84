"""Numbers and Markdown tables, as all pages write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
Row = Mapping[str, Any]


def number(value: Any, decimals: int) -> str:
    """A number with so many decimals; a dash where it is unknown."""
    return "–" if value is None else f"{value:,.{decimals}f}"


def share(value: Any) -> str:
    """A share (0 to 1) in percent."""
    return "–" if value is None else f"{100 * value:.0f}%"


def seconds(value: Any) -> str:
    """A time with two digits or so."""
    return (
        "–" if value is None else f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"
    )


def cell(value: Any) -> str:
    """A cell that is text already, empty where there is nothing to say."""
    return "" if value is None else value


def table(
    rows: Sequence[Row], columns: Mapping[str, tuple[str, Callable[[Any], str]]]
) -> str:
    """Markdown: a column for each key, with its heading and how it is written."""
    lines = ["| " + " | ".join(heading for heading, _ in columns.values()) + " |"]
    lines.append(
        "|"
        + "|".join("---" if write is str else "--:" for _, write in columns.values())
        + "|"
    )
    for row in rows:
        lines.append(
            "| "
            + " | ".join(write(row.get(key)) for key, (_, write) in columns.items())
            + " |"
        )
    return "\n".join(lines)


def text(decimals: int) -> Callable[[Any], str]:
    """How a column with so many decimals is written."""
    return lambda value: number(value, decimals)


def rows_of(results: Results, name: str) -> list[dict[str, Any]]:
    """The rows of a result."""
    return [dict(row) for row in results[name]["rows"]]


def chosen(results: Results, name: str, **keys: str) -> Row:
    """The one row of a result with these values; KeyError where there is none."""
    for row in results[name]["rows"]:
        if all(row.get(key) == value for key, value in keys.items()):
            return row
    raise KeyError(f"{name}: {keys}")


def measured(result: Row) -> str:
    """When and where."""
    machine, versions = result["machine"], result["versions"]
    threads = f", threads: {result['threads']}" if result["threads"] else ""
    return (
        f"Measured on {result['date']} with lstmcast {versions['lstmcast']} ({result['commit']}) "
        f"and Python {versions['python']}, {machine['cores']} cores ({machine['cpu']})"
        f"{threads}."
    )


def with_protocol(results: Results, name: str, body: str) -> str:
    """A table below the protocol that the benchmark itself states."""
    return f"{results[name]['protocol']}\n\n{body}\n\n{measured(results[name])}"


def significant(value: Any) -> str:
    """A number with four digits; a dash where it is unknown."""
    return (
        "–"
        if value is None
        else f"{value:,.4g}"
        if abs(value) < 1e4
        else f"{value:,.0f}"
    )
