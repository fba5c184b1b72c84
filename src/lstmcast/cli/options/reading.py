"""Options of reading data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

import typer

from lstmcast.advice import codes_of
from lstmcast.cli.options.common import Period, refuse_idle, typed_options
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.data.cells.cellformat import CellFormat
    from lstmcast.data.covariates.beside import Beside
    from lstmcast.data.panel import ReadOptions
    from lstmcast.jobs import Repairs, Source
    from lstmcast.jobs.repairing import Outliers

MODEL = "model"  # missing values are what the network expects


@dataclass(frozen=True)
class ReadingOptions:
    """Which columns to read, and how to repair them."""

    time: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the times; repeat for parts of them, such as date and hour; 'index' "
            "numbers the rows.",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to forecast; repeat for several, '*' for every one, as series.",
        ),
    ] = None
    series: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Column that names the series; repeat for several."
        ),
    ] = None
    past: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that a network reads with the target; repeat for several. A saved model "
            "knows its own.",
        ),
    ] = None
    future: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that is known in advance, such as a price; repeat for several. Rows after "
            "the last value hold its coming values.",
        ),
    ] = None
    future_data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table with coming values of such columns (default: all of its columns, unless "
            "--future names some).",
        ),
    ] = None
    static: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that is constant in each series, such as a group; repeat for several.",
        ),
    ] = None
    static_data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Table of such columns with one row per series."
        ),
    ] = None
    holidays: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Country or subdivision, such as JP, DE-BY or US-CA, whose public holidays are "
            "added as columns known in advance; repeat for several.",
        ),
    ] = None
    hindsight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Like --future, for a column that was not known in advance, such as an observed "
            "temperature; repeat for several. Accuracy is measured as if it had been known.",
        ),
    ] = None
    query: Annotated[
        str | None,
        typer.Option(
            metavar="SQL", help="Query to read from a database, instead of a table."
        ),
    ] = None
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sheet of a workbook.")
    ] = None
    frequency: Annotated[
        str | None,
        typer.Option(
            metavar="FREQ",
            help="monthly, weekly, daily, 15min, W-MON … (default: inferred).",
        ),
    ] = None
    period: Period = None
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="real|count|positive",
            help="Kind of the values: no forecast of counts or positive values is below 0. "
            "Default: recognised, or as in the saved model.",
        ),
    ] = None
    aggregate: Annotated[
        str | None,
        typer.Option(
            metavar="sum|mean|min|max|first|last|median|count",
            help="Aggregate the rows of each period to one value.",
        ),
    ] = None
    duplicates: Annotated[
        str | None,
        typer.Option(
            metavar="error|mean|sum|first|last",
            help="Several rows for one series and time (default: error).",
        ),
    ] = None
    gaps: Annotated[
        str | None,
        typer.Option(
            metavar="fill|error|zero",
            help="Times without a row (default: fill, as missing values).",
        ),
    ] = None
    missing: Annotated[
        str | None,
        typer.Option(
            metavar="mask|interpolate",
            help="Missing values (default: mask, kept as missing).",
        ),
    ] = None
    calendar: Annotated[
        str | None,
        typer.Option(
            metavar="observed|all",
            help="Forecast the times that occur, such as Monday to Saturday, or all (default: "
            "inferred).",
        ),
    ] = None

    on_error: Annotated[
        str | None,
        typer.Option(
            metavar="fail|skip",
            help="Series that cannot be read: fail (default) stops; skip leaves them out, lists "
            "them, and exits with status 3.",
        ),
    ] = None

    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="Whether 01/02/2024 is 1 February or 2 January (default: inferred).",
        ),
    ] = None
    decimal: Annotated[
        str | None,
        typer.Option(
            metavar=".|,", help="Decimal mark of all numbers (default: inferred)."
        ),
    ] = None
    header: Annotated[
        int | None,
        typer.Option(
            metavar="LINE", help="Line with the names of columns (default: inferred)."
        ),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="Format of times, such as %d.%m.%Y."),
    ] = None
    missing_codes: Annotated[
        list[str] | None,
        typer.Option(
            "--missing-codes",
            "--missing-values",
            metavar="CODE",
            help="Cells that mean a missing value, such as -999,'No Data'; repeat for several. "
            "CODE=VALUE replaces a cell by a value.",
        ),
    ] = None

    def source(self, data: Sequence[str]) -> Source:
        """The data, to be read so."""
        from lstmcast.data.opening import with_query
        from lstmcast.jobs import Source

        place: Any = data[0] if len(data) == 1 else list(data)
        return Source(
            with_query(place, self.query),
            self.options(),
            time=_one_or_more(self.time),
            target=_one_or_more(self.target),
            series=_one_or_more(self.series),
            sheet=self.sheet,
            given=self.said(),
            past=_one_or_more(self.past),
            written=self.written(),
            beside=self.beside(),
        )

    def beside(self) -> Beside:
        """What stands beside the target, as far as it was said."""
        from lstmcast.data.covariates.beside import Beside

        future = _one_or_more(self.future)
        static = _one_or_more(self.static)
        hindsight = _one_or_more(self.hindsight)
        columns = (static, self.static_data, self.holidays, hindsight)
        return Beside(future, self.future_data, *columns)

    def written(self) -> CellFormat:
        """How cells are written, as far as it was said."""
        from lstmcast.data.cells.cellformat import CellFormat

        return CellFormat(
            self.day_first,
            self.decimal,
            self.header,
            self.date_format,
            tuple(codes_of(self.missing_codes or ())),
        )

    def past_names(self) -> list[str]:
        """The columns that a network is to read beside the target."""
        names = [
            name.strip() for listing in self.past or () for name in listing.split(",")
        ]
        return [name for name in dict.fromkeys(names) if name]

    def repairs(self, outliers: str | None) -> tuple[Self, Repairs]:
        """What is repaired after reading, and how to read for it."""
        from lstmcast.jobs import Repairs

        repairs = Repairs(cast("Outliers", outliers or "keep"), self.missing == MODEL)
        return (replace(self, missing=None) if repairs.missing else self), repairs

    def static_names(self) -> list[str]:
        """The static columns that a network from scratch is to read: all that there are."""
        from lstmcast.model.static import ALL

        return [ALL] if self.static or self.static_data else []

    def options(self) -> ReadOptions:
        """What to do about what is found."""
        from lstmcast.data.panel import ReadOptions

        if self.missing == MODEL:
            raise UsageError(
                "--missing model fills missing values before a forecast, which this command does "
                "not make. Leave it out to keep them missing, or write a table without missing "
                "values in Python: lstmcast.impute(data).save(FILE)."
            )
        values: dict[str, Any] = {name: getattr(self, name) for name in self.said()}
        periods = tuple(self.period) if self.period else None
        return ReadOptions(periods=periods, **values)

    def said(self) -> list[str]:
        """Which of these options were given: newer data for a saved model are otherwise read as
        those were."""
        names = (
            "frequency",
            "kind",
            "aggregate",
            "duplicates",
            "gaps",
            "missing",
            "calendar",
            "on_error",
        )
        return [name for name in names if getattr(self, name) is not None]

    def words(self) -> dict[str, Any]:
        """What was said, by the names that job files have."""
        values = {
            name: value for name, value in vars(self).items() if value not in (None, [])
        }
        if "period" in values:
            values["periods"] = values.pop("period")
        return values

    def require_use_by(self, data: Sequence[str] | None) -> None:
        """UsageError for options that say how to read, where nothing is read but coming values."""
        usable = (
            ("--future", "--future-data", "--hindsight") if self.future_data else ()
        )
        idle = [option for option in typed_options(self) if option not in usable]
        if not data:
            refuse_idle(idle, "no data are read. Name newer data")


@dataclass(frozen=True)
class RepairingOptions(ReadingOptions):
    """The same, where missing values can be filled in before a forecast."""

    missing: Annotated[
        str | None,
        typer.Option(
            metavar="mask|interpolate|model",
            help="Missing values: mask (default, kept as missing), or model (filled with forecasts "
            "of the network).",
        ),
    ] = None


def _one_or_more(names: list[str] | None) -> str | list[str] | None:
    return names[0] if names and len(names) == 1 else names or None
