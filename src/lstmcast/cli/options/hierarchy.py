"""How forecasts of series and their totals are made to add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.hierarchy.reconciled import Hierarchy


@dataclass(frozen=True)
class Reconciling:
    """Which totals are forecast beside the series, and what makes all of them add up."""

    reconcile: Annotated[
        str | None,
        typer.Option(
            metavar="bottom-up|top-down|mint",
            help="Also forecast totals of the series, by the columns that name them, and make all "
            "forecasts add up.",
        ),
    ] = None
    hierarchy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN,…",
            help="Totals by these columns instead of every combination; repeat for several.",
        ),
    ] = None

    def asked(self) -> Hierarchy | None:
        """What was asked for; UsageError for levels without a method."""
        if self.reconcile is None:
            if self.hierarchy:
                raise UsageError(
                    "--hierarchy needs --reconcile, such as --reconcile mint."
                )
            return None
        from lstmcast.hierarchy.reconciled import Hierarchy

        levels = None
        if self.hierarchy:
            levels = tuple(
                tuple(name.strip() for name in level.split(","))
                for level in self.hierarchy
            )
        return Hierarchy(self.reconcile, levels)
