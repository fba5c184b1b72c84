"""The command of SQL with forecasts in it: `sql`."""

from __future__ import annotations

from typing import Annotated

import typer

from lstmcast.cli import echo
from lstmcast.cli.options.common import Json, Quiet
from lstmcast.cli.options.database import TableRows

MOST_ROWS = 40  # that are shown
Statement = Annotated[
    str, typer.Argument(metavar="QUERY", help="A query in DuckDB's SQL.")
]
OfDatabase = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="DuckDB file whose tables are read, such as duckdb:///shop.db.",
    ),
]
RowPlace = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|TABLE@URL",
        help="Write the rows as .csv, .csv.gz, .parquet, .jsonl or .xlsx, or into a table of a "
        "database.",
    ),
]


def sql(
    statement: Statement,
    rows: TableRows,
    database: OfDatabase = None,
    out: RowPlace = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run an SQL query that can forecast tables.

    Forecasts of a table, a file or a query: FROM lstmcast_forecast('sales', timestamp := 'day',
    value := 'sold', id := ['store'], horizon := 28, level := 80). Anomalies: FROM
    lstmcast_anomalies('sales', …).
    """
    from lstmcast._version import __version__
    from lstmcast.cli import console
    from lstmcast.duckdb import query
    from lstmcast.output.places import TABLES, check_place
    from lstmcast.writing.tables import plain_list, write_table

    place = rows.place(out)
    check_place(place, TABLES)
    columns = query(statement, database)
    if as_json:
        lists = {name: plain_list(column) for name, column in columns.items()}
        echo.document({"lstmcast": __version__, "columns": lists})
    elif columns and place is None:
        cells = []
        for column in columns.values():
            cells.append(list(map(str, plain_list(column[:MOST_ROWS]))))
        shown_rows = [list(row) for row in zip(*cells, strict=True)]
        typer.echo(console.aligned(list(columns), shown_rows))
        hidden = len(next(iter(columns.values()))) - MOST_ROWS
        if hidden > 0:
            echo.note(quiet, f"… {hidden} more rows; --out FILE writes all")
    if place is not None:
        write_table(columns, place)
        echo.note(quiet, f"written: {place}")
