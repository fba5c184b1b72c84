"""Reading data into a Panel: files, data frames, arrays and databases.

A source becomes a Sheet (its columns), the Sheet a Table (long form: series, time, value), and the
Table a Panel.
"""

# N rows · S series

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside, ColumnNames
from lstmcast.data.covariates.covariatejoining import continued_future
from lstmcast.data.covariates.placing import placed
from lstmcast.data.covariates.placingnotes import Grid
from lstmcast.data.grandtotals import without_grand_totals
from lstmcast.data.layouts.layout import Names
from lstmcast.data.layouts.owntables import (
    Owners,
    OwnTable,
    known_of,
    own_table,
    static_of,
)
from lstmcast.data.localdays import on_local_days
from lstmcast.data.opening import (
    is_stdin,
    paths_of,
    read_file,
    sheet_of_object,
    tables_of,
    with_query,
)
from lstmcast.data.panel import Findings, Panel
from lstmcast.data.sheet import Sheet
from lstmcast.data.table import (
    Aggregate,
    CalendarChoice,
    Duplicates,
    Finding,
    Gaps,
    Kind,
    Missing,
    OnError,
    ReadOptions,
    Table,
    checked_periods,
)
from lstmcast.data.tabular import panel_from_table
from lstmcast.data.tolerance import collecting
from lstmcast.data.words import Words, require_known
from lstmcast.errors import DataError, UsageError
from lstmcast.util.text import brief


# long because each argument is described in its docstring
def read(
    source: object,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    frequency: str | None = None,
    periods: int | Sequence[int] | None = None,
    kind: Kind | None = None,
    aggregate: Aggregate | None = None,
    duplicates: Duplicates = "error",
    gaps: Gaps = "fill",
    missing: Missing = "mask",
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
    future: str | Sequence[str] | None = None,
    future_data: object = None,
    static: str | Sequence[str] | None = None,
    static_data: object = None,
    holidays: str | Sequence[str] | None = None,
    hindsight: str | Sequence[str] | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    header: int | None = None,
    date_format: str | None = None,
    missing_codes: str | float | Sequence[str | float] = (),
    calendar: CalendarChoice | None = None,
    on_error: OnError = "fail",
    query: str | None = None,
) -> Panel:
    """Read time series from files, a database, a data frame or arrays onto a regular grid.

    source: a path, a glob, a list of paths or "-" for standard input (CSV, JSON, Excel, Parquet,
    .tsf and others, also compressed) · the address of a database table, such as
    "postgresql://user@host/database?table=sales", or of a database for a `query` · pandas, polars
    or Arrow data · a DuckDB relation · a NumPy array with one series per row · a dict of columns,
    or of {id: values}. time, target, series: column names, detected if the choice is clear.
    time="index" numbers the rows, and ["date", "hour"] joins columns; target may be a list, or "*"
    for every numeric column as a series; series may be several columns: "store,item". sheet: name
    of a sheet of a workbook. past: past covariates, known as long as the target is. future: columns
    that are known in advance, such as prices and promotions; rows after the last value of the
    target hold their coming values. future_data: a separate table with coming values of all of its
    columns, or of those in future; series may share rows, and other frequencies are aligned.
    static, static_data: columns that are constant in each series, of the data or of a table with a
    row per series. holidays: countries, such as "JP" or "DE-BY,US-CA", whose public holidays become
    future columns. hindsight: like future, for columns that were not known in advance, which gives
    a warning. day_first, decimal, header, date_format, missing_codes: the cell format, as in
    `CellFormat`, if it cannot be detected. Other arguments: see `ReadOptions`. Raises DataError for
    data that cannot be read, and UsageError for invalid arguments.

    >>> read({"ds": ["2024-01", "2024-02", "2024-03", "2024-04"], "y": [5.0, 6.0, 7.0, 8.0]})
    Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
    """
    checked = None if periods is None else checked_periods(periods)
    regular = (frequency, checked, kind, aggregate, duplicates, gaps, missing)
    options = ReadOptions(*regular, calendar=calendar, on_error=on_error)
    written = CellFormat(day_first, decimal, header, date_format, missing_codes)
    beside = Beside(future, future_data, static, static_data, holidays, hindsight)
    names = Names(time, target, series, aggregate or "", past, written, beside)
    table = _table_of(with_query(source, query), names, sheet, on_error)
    return panel_from_table(table, options)


def read_table(
    source: object,
    *,
    time: ColumnNames = None,
    target: ColumnNames = None,
    series: ColumnNames = None,
    aggregate: Aggregate | None = None,
    sheet: str | None = None,
    past: ColumnNames = None,
    written: CellFormat | None = None,
    on_error: OnError = "fail",
    beside: Beside | None = None,
) -> Table:
    """Read a source into long form without repairs; arguments and errors as in read().

    `beside` holds the arguments about covariates.

    >>> table = read_table({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]})
    >>> table.ids.tolist(), table.times.tolist(), table.values.tolist()
    (['a', 'b'], [1, 2, 3, 1, 2], [1.0, 2.0, 3.0, 4.0, 5.0])
    """
    written = written or CellFormat()
    beside = beside or Beside()
    names = Names(time, target, series, aggregate or "", past, written, beside)
    return _table_of(source, names, sheet, on_error)


def _table_of(
    source: object, names: Names, sheet: str | None, on_error: OnError
) -> Table:
    """A source in long form, with the separate tables in `names`."""
    coming = []
    likely_names: dict[str, None] = {}
    for sheet_of_values in _own_sheets(names.beside.future_data, names, "future"):
        rows = own_table(sheet_of_values, names)
        coming.append(rows)
        likely_names |= dict.fromkeys(rows.likely(names))
    constant = _own_sheets(names.beside.static_data, names, "static")
    attributes = [name for static_sheet in constant for name in static_sheet.names]
    names = replace(names, elsewhere=tuple(likely_names), attributes=tuple(attributes))
    with collecting(on_error == "skip") as unreadable:
        table = tables_of(source, names, sheet)
    table = without_grand_totals(unreadable.without(table), names)
    if not names.aggregate:
        table = on_local_days(table)
    table = _with_coming(table, coming, names)
    return _with_static(table, constant, names)


def _with_static(table: Table, sheets: Sequence[Sheet], names: Names) -> Table:
    """A table with the static columns of a separate table."""
    owners = Owners(table.ids, table.keys, table.columns, table.time_zone)
    for sheet in sheets:
        static, findings = static_of(sheet, owners, names)
        dropped = (*table.dropped, *findings)
        table = replace(table, static=(*table.static, static), dropped=dropped)
    return table


def _own_sheets(source: object, names: Names, role: str) -> list[Sheet]:
    """The sheets of a separate table: of one file or frame, or of several files."""
    if source is None:
        return []
    if isinstance(source, Panel) or is_stdin(source):
        raise UsageError(
            f"{role}_data={brief(source)} is not a table. Give the path of a file, a frame or "
            "a dict of columns."
        )
    # a header line number refers to the data
    cell_format = replace(names.written, header=None)
    own_names = replace(names, written=cell_format)
    paths = paths_of(source)
    if paths is not None:
        return [read_file(path, None, own_names) for path in paths]
    try:
        sheet = sheet_of_object(source)
    except (DataError, UsageError) as error:
        raise type(error)(f"{role}_data: {error.message}") from None
    return [replace(sheet, source=f"the {role} table ({sheet.source})")]


def _with_coming(table: Table, coming: Sequence[OwnTable], names: Names) -> Table:
    """A table with the future columns of separate tables."""
    owners = Owners(table.ids, table.keys, table.columns, table.time_zone)
    for own_rows in coming:
        rows, findings = known_of(own_rows, owners, names)
        dropped = (*table.dropped, *findings)
        table = replace(table, known=(*table.known, rows), dropped=dropped)
    return table


def with_coming(
    panel: Panel, beside: Beside, written: CellFormat | None = None
) -> Panel:
    """A panel with the coming values in `future_data` joined to its future columns; newer values
    win.

    Raises DataError and UsageError.

    >>> panel = Panel.from_arrays([5.0, 6.0, 7.0], frequency="D", start="2024-03-01")
    >>> plan = {"ds": ["2024-03-04", "2024-03-05"], "promo": ["yes", "no"]}
    >>> with_coming(panel, Beside(future_data=plan)).covariates.future.columns
    {'promo': array([nan, nan, nan,  1.,  0.])}
    """
    columns = panel.columns
    names = Names(
        columns.time, columns.target, written=written or CellFormat(), beside=beside
    )
    owners = Owners(panel.ids, panel.keys, columns, panel.report.time_zone)
    findings: list[Finding] = []
    tables = []
    for sheet in _own_sheets(beside.future_data, names, "future"):
        rows, notes = known_of(own_table(sheet, names), owners, names)
        tables.append(rows)
        findings += notes
    grid = Grid(panel.ids, panel.starts, panel.lengths, panel.frequency)
    future, notes = placed(tables, grid, ReadOptions())
    Findings(notes).raise_errors(panel.report.source)
    same_series = np.arange(len(panel))
    no_delay = np.zeros(len(panel), np.int64)
    future = continued_future(panel.covariates.future, future, same_series, no_delay)
    all_findings = Findings([*panel.report.findings, *findings, *notes])
    return replace(
        panel,
        covariates=replace(panel.covariates, future=future),
        report=replace(panel.report, findings=all_findings),
    )


def as_panel(
    data: object, past: Iterable[str] = (), words: Words | None = None
) -> Panel:
    """Return a Panel as it is, and read anything else with these covariates.

    Raises UsageError for reading options that are given with a Panel.

    >>> panel = Panel.from_arrays([1.0, 2.0, 3.0])
    >>> as_panel(panel) is panel
    True
    """
    if isinstance(data, Panel):
        require_unread(words)
        return data
    options: Words = {"past": list(past) or None}
    if words:
        require_known(words)
        options |= words
    return read(data, **options)


def require_unread(words: Words | None) -> None:
    """Raise UsageError for reading options that are given with a Panel."""
    if words:
        raise UsageError(
            f"{', '.join(words)} would have no effect, since the data are already a Panel. Pass "
            "them to lstmcast.read."
        )


def column_names(source: object, sheet: str | None = None) -> list[str]:
    """The column names of a source, or of the first of several files. Raises DataError.

    >>> column_names({"ds": ["2024-01", "2024-02"], "y": [5.0, 6.0]})
    ['ds', 'y']
    """
    paths = paths_of(source)
    if paths is not None:
        return read_file(paths[0], sheet, Names()).names
    from lstmcast.data.files.frames import sheet_from_object

    return sheet_from_object(source).names
