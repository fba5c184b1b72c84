"""The tables about many series."""

from __future__ import annotations

from collections.abc import Callable

from tables import Results, measured, rows_of, share, table, text, with_protocol


def many_peers(results: Results) -> str:
    """A line per library and number of series."""
    columns = {
        "what": ("", str),
        "series": ("series", text(0)),
        "seconds": ("processor s", text(0)),
        "per_thousand": ("s per 1,000 series", text(1)),
        "megabytes": ("MB", text(0)),
        "mase": ("MASE", text(3)),
        "coverage80": ("in 80%", share),
    }
    return with_protocol(
        results, "many_peers", table(rows_of(results, "many_peers"), columns)
    )


def many_parts(results: Results) -> str:
    """A line per command."""
    columns = {
        "command": ("command", str),
        "series": ("series", text(0)),
        "seconds": ("processor s", text(0)),
        "wall": ("seconds", text(0)),
        "megabytes": ("MB, largest process", text(0)),
    }
    rows = rows_of(results, "many_parts")
    return f"{table(rows, columns)}\n\n{measured(results['many_parts'])}"


MANY: dict[str, Callable[[Results], str]] = {
    "many-peers": many_peers,
    "many-parts": many_parts,
}
