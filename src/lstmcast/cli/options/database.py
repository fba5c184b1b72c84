"""Options for results in a database table: what happens to existing rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli.options.common import refuse_idle, typed_options

if TYPE_CHECKING:
    from lstmcast.databases.address import DatabaseTable


@dataclass(frozen=True)
class TableRows:
    """What happens to the rows of an existing table."""

    if_exists: Annotated[
        str,
        typer.Option(
            metavar="replace|append|upsert",
            help="Existing rows of a database table: replace all, append to them, or upsert "
            "(replace those with the same key).",
        ),
    ] = "replace"
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Key column for --if-exists upsert; repeat for several (default: ids and times).",
        ),
    ] = None

    def place(self, target: str | None) -> str | DatabaseTable | None:
        """Where a table goes: a file, or a table of a database. UsageError."""
        from lstmcast.databases.address import DatabaseTable, is_target

        if target is None or not is_target(target):
            refuse_idle(
                typed_options(self),
                "no database table is written. Give --out TABLE@URL",
            )
            return target
        names = [
            name.strip()
            for names_text in self.key or ()
            for name in names_text.split(",")
        ]
        if_exists: Any = self.if_exists
        return DatabaseTable(target, if_exists, tuple(names))
