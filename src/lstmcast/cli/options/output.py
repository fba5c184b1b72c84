"""Where a forecast goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmcast.cli import manner
from lstmcast.cli.options.database import TableRows
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.output.places import Outputs
    from lstmcast.totals import Asked

# intervals, in percent: quantiles reach to 0.999, and below 1 a share such as 0.8 was meant
NARROWEST, WIDEST = 1, 99.8
REPLACED = TableRows()
STANDARD_OUTPUT = "-"  # the file that is none


@dataclass(frozen=True)
class Output:
    """Where a forecast goes."""

    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TABLE@URL",
            help="Write the forecast as .csv, .csv.gz, .parquet, .jsonl or .xlsx, or into a table "
            "of a database; '-' writes only CSV to standard output.",
        ),
    ] = None
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plot the forecast as .png, .svg or .pdf; many series on pages of a PDF.",
        ),
    ] = None
    plot_series: Annotated[
        list[str] | None,
        typer.Option(metavar="SERIES", help="Plot this series; repeat for several."),
    ] = None
    unit: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Unit of the values, shown at the axis."),
    ] = None
    dark: Annotated[
        bool, typer.Option("--dark", help="Make plots for a dark page.")
    ] = False
    components: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plot level, seasons and remainder of a series as .png, .svg or .pdf.",
        ),
    ] = None
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="In CSV files, put an apostrophe before ids that spreadsheets would read as "
            "formulas.",
        ),
    ] = False
    level: Annotated[
        list[float] | None,
        typer.Option(
            metavar="PERCENT",
            help="Level of the interval; repeat for several (default: 80 and 95).",
        ),
    ] = None

    total: Annotated[
        str | None,
        typer.Option(
            metavar="month|quarter|horizon",
            help="Totals with their intervals, over each day, week, month, quarter, year or the "
            "whole horizon.",
        ),
    ] = None
    total_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Totals over series with the same value in COLUMN; repeat for several, 'all' for "
            "everything.",
        ),
    ] = None
    service_level: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Amount that is enough in this percentage of cases: what to order or keep in "
            "stock, over the horizon or each --total.",
        ),
    ] = None
    lead_time: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of steps that an order has to last (default: the horizon).",
        ),
    ] = None

    def totals(self) -> Asked | None:
        """Which totals are wanted."""
        from lstmcast.totals import SPANS, STEP, WHOLE, Asked

        spans = (STEP, *SPANS, WHOLE)
        if self.total is not None and self.total not in spans:
            raise UsageError(
                f"--total {self.total!r} is not a time span. Choose one of: {', '.join(spans)}."
            )
        if self.lead_time is not None and self.service_level is None:
            raise UsageError(
                "--lead-time needs --service-level, such as --service-level 95."
            )
        if self.total is None and not self.total_by and self.service_level is None:
            return None
        names = [
            name.strip()
            for listing in self.total_by or ()
            for name in listing.split(",")
        ]
        span = STEP if self.service_level is None else WHOLE
        return Asked(
            self.total or span, tuple(names), self.service_level, self.lead_time
        )

    def places(
        self,
        report: Path | None = None,
        model: Path | None = None,
        made_by: str = "",
        rows: TableRows = REPLACED,
    ) -> Outputs:
        """All the places that a forecast goes to; pictures and pages in the language that is
        spoken."""
        from lstmcast.output.places import Looks, Outputs

        out = None if self.to_screen else self.out
        table = rows.place(out)
        looks = Looks(tuple(self.plot_series or ()), self.unit, self.dark)
        language = manner.words().language
        return Outputs(
            table,
            self.plot,
            report,
            model,
            made_by,
            language,
            looks,
            self.components,
            self.escape_formulas,
        )

    @property
    def to_screen(self) -> bool:
        """Whether the table goes to standard output, where nothing else may be then."""
        return self.out is not None and str(self.out) == STANDARD_OUTPUT

    def require_one_text(self, as_json: bool) -> None:
        """UsageError where JSON and a table would both be on standard output."""
        if as_json and self.to_screen:
            raise UsageError(
                "--json and --out - both write to standard output. Leave out one of them, or name "
                "a file."
            )

    def quantile_levels(self) -> tuple[float, ...]:
        """The quantile levels of the median and the requested intervals; empty if none are
        requested."""
        invalid = [
            level for level in self.level or () if not NARROWEST <= level <= WIDEST
        ]
        if invalid:
            raise UsageError(
                f"--level must be a percentage from {NARROWEST:g} to {WIDEST:g}, such as 80, got "
                f"{invalid[0]:.10g}."
            )
        tails = [round((1 - level / 100) / 2, 6) for level in self.level or ()]
        return (
            tuple(sorted({0.5, *tails, *(round(1 - tail, 6) for tail in tails)}))
            if tails
            else ()
        )
