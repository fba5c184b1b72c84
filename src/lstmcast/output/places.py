"""Destinations of results: checked before long work begins, written when it is done."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from lstmcast import store
from lstmcast.data.limits import is_source
from lstmcast.databases.address import DatabaseTable
from lstmcast.databases.writing import require_table, write_to_database
from lstmcast.errors import LstmcastError, OutputError, UsageError
from lstmcast.util.files import check_output
from lstmcast.util.language import words_of
from lstmcast.util.text import in_number, some_names
from lstmcast.writing.tables import ENDINGS as TABLES
from lstmcast.writing.tables import formulas_in, without_formulas, write_table
from lstmcast.writing.workbook import require_rows

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast
    from lstmcast.output.plots import ForecastPlot
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Totals

NO_JAPANESE_FONT = (
    "no installed font has Japanese letters, so the plots are in English. Install one with pip "
    "install 'lstmcast[ja]', or a system font such as Noto Sans CJK."
)
Place = str | Path | DatabaseTable | None
PICTURES, PAGES = (".png", ".svg", ".pdf"), (".html",)  # extensions, as in TABLES


class Written(NamedTuple):
    """Files, folders and tables that were written, and notes about them."""

    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Made(NamedTuple):
    """How a page was made, as shown to its readers, and its language."""

    by: str = ""
    language: str = "en"


class Looks(NamedTuple):
    """The style of plots: their series (default: all), the unit of the values, whether dark."""

    series: tuple[str, ...] = ()
    unit: str | None = None
    dark: bool = False

    def require(self, ids: Collection[str]) -> None:
        """Raise UsageError if a series does not exist."""
        missing = next((name for name in self.series if name not in ids), None)
        if missing is not None:
            raise UsageError(
                f"There is no series {missing!r} to draw. There are: {some_names(list(ids))}."
            )


LOOKS = Looks()


@dataclass(frozen=True)
class Outputs:
    """Where the results of a forecast are written; None for those that are not.

    `table`: .csv, .csv.gz, .parquet, .jsonl or .xlsx, or a database table · `plot`: .png, .svg or
    .pdf · `report`: .html · `model`: the folder of the saved model · `made_by`: the command or
    call, as shown in the report · `language`: language of plot, report and workbook, "en" or "ja" ·
    `looks`: the style of plots · `components`: .png, .svg or .pdf of the level and the seasons ·
    `escape_formulas`: whether texts in a CSV file that a spreadsheet would treat as formulas get an
    apostrophe in front.
    """

    table: Place = None
    plot: str | Path | None = None
    report: str | Path | None = None
    model: str | Path | None = None
    made_by: str = ""
    language: str = "en"
    looks: Looks = LOOKS
    components: str | Path | None = None
    escape_formulas: bool = False

    def check(self, sources: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        """Raise an error before the work if a result could not be written, or would overwrite one
        of the sources; `more`: tables beside the forecast's. All problems are reported together."""
        places: list[tuple[Place, Sequence[str]]] = [(self.table, TABLES)]
        side_tables = (
            []
            if self.table is None
            else [beside_table(self.table, content) for content in more]
        )
        if self.table is not None and _is_workbook(self.table):
            side_tables = [
                place for place in side_tables if place != beside_table(self.table)
            ]
        places += [(place, TABLES) for place in side_tables]
        places += [
            (self.plot, PICTURES),
            (self.components, PICTURES),
            (self.report, PAGES),
        ]
        problems: list[LstmcastError] = []
        for place, endings in places:
            try:
                check_place(place, endings, sources)
            except (OutputError, UsageError) as error:
                problems.append(error)
        if self.model is not None:
            try:
                store.check_place(self.model)
            except (OutputError, UsageError) as error:
                problems.append(error)
        if problems:
            raise type(problems[0])("\n".join(map(str, problems))) from problems[0]
        pictures = (self.plot, self.components)
        require_apart(self.table, *side_tables, *pictures, self.report, self.model)

    def check_rows(self, rows: int) -> None:
        """Raise an error before the work if the format cannot hold this many rows."""
        if self.table is not None and not isinstance(self.table, DatabaseTable):
            require_rows(rows, self.table)

    def write(
        self,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None,
        model: Any,
        totals: Totals | None = None,
        scenarios: Scenarios | None = None,
    ) -> Written:
        """Write the requested results; OutputError if that fails. Database tables come last, so
        they are unchanged if anything else fails."""
        files: list[str | Path] = []
        notes: list[str] = []
        if self.table is not None and not isinstance(self.table, DatabaseTable):
            formulas = self._formulas(forecast)
            escaped = bool(formulas) and self.escape_formulas
            contents = forecast, panel, backtest, totals
            files += self._tables(self.table, *contents, escaped)
            notes += formulas
            if scenarios is not None:
                files.append(scenarios.write(beside_table(self.table, "scenarios")))
        if self.plot is not None:
            plot = self._plot(self.plot, forecast, panel, backtest)
            files.append(plot.save(self.plot))
            notes += _missing_letters(plot)
        if self.components is not None:
            files.append(self._components(self.components, forecast, panel))
        if self.report is not None:
            maker = Made(self.made_by, self.language)
            contents = forecast, panel, backtest, model, maker, totals, scenarios
            files.append(write_report(self.report, *contents, looks=self.looks))
        if self.model is not None:
            # the shares of the forecast need not be measured again
            model.save(self.model, panel, made_of=forecast.combination)
            files.append(self.model)
        if isinstance(self.table, DatabaseTable):
            side_tables = {}
            for name, table in {"totals": totals, "scenarios": scenarios}.items():
                if table is not None:
                    side_tables[name] = table.columns_dict()
            columns = forecast.columns_dict()
            files += write_to_database(self.table, columns, **side_tables)
        return Written(tuple(map(str, files)), tuple(notes))

    def _components(self, place: str | Path, forecast: Forecast, panel: Panel) -> Path:
        """The picture of a series taken apart, written."""
        from lstmcast.output.components import ComponentsPlot

        series = next(iter(self.looks.series), None)
        looks = {"language": self.language, "dark": self.looks.dark}
        components = ComponentsPlot.from_forecast(forecast, panel, series, **looks)
        return components.save(place)

    def _formulas(self, forecast: Forecast) -> list[str]:
        """Notes about ids in a CSV file that a spreadsheet treats as formulas."""
        if not str(self.table).lower().endswith((".csv", ".csv.gz")):
            return []
        columns = forecast.keys.columns(forecast.ids).values()
        names = sorted({name for column in columns for name in formulas_in(column)})
        if not names:
            return []
        warning = f"ids that spreadsheets would read as formulas: {some_names(names)}"
        if self.escape_formulas:
            written = in_number(
                "{They} {are} written with an apostrophe in front.", len(names)
            )
            return [f"{warning}. {written}"]
        return [
            f"{warning}. --escape-formulas writes them with an apostrophe in front."
        ]

    def _plot(
        self,
        place: str | Path,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None,
    ) -> ForecastPlot:
        """The plot, with several pages if it is a PDF."""
        from lstmcast.output.plots import MOST_PAGES, MOST_PANES, ForecastPlot

        is_paged = Path(place).suffix.lower() == ".pdf"
        most = MOST_PANES * MOST_PAGES if is_paged else MOST_PANES
        return ForecastPlot.from_forecast(
            forecast,
            panel,
            backtest,
            most=most,
            language=self.language,
            series=self.looks.series or None,
            unit=self.looks.unit,
            dark=self.looks.dark,
        )

    def _tables(
        self,
        table: str | Path,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None,
        totals: Totals | None,
        escaped: bool,
    ) -> list[str | Path]:
        """Write a workbook with everything, or the long table (with formulas `escaped`) and the
        table of totals beside it."""
        if _is_workbook(table):
            from lstmcast.output.book import Book

            words = words_of(self.language)
            return [Book(forecast, panel, backtest, totals, words).write(table)]
        if escaped:
            long = write_table(
                without_formulas(forecast.columns_dict()), table, forecast.about
            )
        else:
            long = forecast.write(table)
        files: list[str | Path] = [long]
        if totals is not None:
            sums = totals.columns_dict()
            sums = without_formulas(sums) if escaped else sums
            files.append(write_table(sums, beside_table(table)))
        return files


def _is_workbook(table: str | Path | DatabaseTable) -> bool:
    return (
        not isinstance(table, DatabaseTable) and Path(table).suffix.lower() == ".xlsx"
    )


@overload
def beside_table(table: str | Path, what: str = "totals") -> Path: ...
@overload
def beside_table(table: DatabaseTable, what: str = "totals") -> DatabaseTable: ...
def beside_table(
    table: str | Path | DatabaseTable, what: str = "totals"
) -> Path | DatabaseTable:
    """The file or database table of totals, or of something else, beside that of the forecast.

    >>> str(beside_table("shops.csv"))
    'shops.totals.csv'
    """
    if isinstance(table, DatabaseTable):
        return table.beside(what)
    path = Path(table)
    fitting = [ending for ending in TABLES if path.name.lower().endswith(ending)]
    stem = path.name[: len(path.name) - max(map(len, fitting), default=0)]
    return path.with_name(f"{stem}.{what}{path.name[len(stem) :]}")


def check_place(
    path: Place, endings: Sequence[str], sources: Sequence[str] = ()
) -> None:
    """Raise an error if a result could not be written, or would overwrite a source; None stands for
    no result."""
    if path is None:
        return
    if isinstance(path, DatabaseTable):
        require_table(path, sources)
        return
    check_output(path, endings)
    for source in sources:
        if (
            os.path.exists(path)
            and os.path.exists(source)
            and os.path.samefile(path, source)
        ):
            raise UsageError(
                f"{str(path)!r} is the data file and would be overwritten. Name another file."
            )


def require_apart(*places: Place) -> None:
    """Raise UsageError if two results have the same file or folder, or if one is in the folder of
    another, which is replaced as a whole; devices and pipes may be used several times."""
    places_so_far: list[Path] = []
    for place in places:
        if place is None or isinstance(place, DatabaseTable):
            continue
        if (
            os.path.exists(place)
            and is_source(Path(place))
            and not os.path.isfile(place)
        ):
            continue
        resolved = Path(os.path.realpath(place))
        if any(
            resolved == earlier
            or earlier in resolved.parents
            or resolved in earlier.parents
            for earlier in places_so_far
        ):
            raise UsageError(
                f"{str(place)!r} is used for two results, or is in the folder of another one. "
                "Name a separate file or folder for each."
            )
        places_so_far.append(resolved)


def write_report(
    path: str | Path,
    forecast: Forecast,
    panel: Panel,
    backtest: Backtest | None,
    model: Any,
    maker: Made,
    totals: Totals | None = None,
    scenarios: Scenarios | None = None,
    looks: Looks = LOOKS,
) -> Path:
    """Write a page with forecast, accuracy and model, and the command or call that made it."""
    from lstmcast.output.report import MADE_BY, Report

    made_by = maker.by or MADE_BY
    language = maker.language
    details = {
        "made_by": made_by,
        "language": language,
        "totals": totals,
        "scenarios": scenarios,
    }
    selection = {"series": looks.series, "unit": looks.unit}
    report = Report.from_forecast(
        forecast, panel, backtest, model=model, **details, **selection
    )
    return report.save(path)


def _missing_letters(plot: ForecastPlot) -> list[str]:
    missing = plot.missing_letters()
    notes = [NO_JAPANESE_FONT] if plot.lacks_words else []
    names = "".join(letter for letter in missing if letter in plot.letters_of_names())
    if names:
        notes.append(
            f"no installed font has the letters {names[:20]}: names with them are left out of the "
            "plot. Install a font such as Noto Sans CJK."
        )
    return notes
