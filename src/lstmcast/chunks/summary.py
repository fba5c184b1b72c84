"""Accuracy over all parts of a backtest."""

from __future__ import annotations

from pathlib import Path

from lstmcast.chunks.stores import small
from lstmcast.chunks.work import ACCURACY
from lstmcast.databases.quoting import quoted_text
from lstmcast.evaluation.summary import HEADINGS
from lstmcast.util.text import number

MEASURES = ("mae", "mape", "mase", "rmsse", "crps")


def accuracy_rows(folder: Path) -> list[list[str]]:
    """The mean errors of each model over all series, as a table of texts with a header; empty
    unless the parts come from a backtest."""
    accuracy = folder / ACCURACY
    if not accuracy.is_dir():
        return []
    table = f"read_parquet({quoted_text(str(accuracy / 'part-*.parquet'))})"
    means = ", ".join(f"avg({name}) FILTER (isfinite({name}))" for name in MEASURES)
    with small() as connection:
        means_by_model = connection.execute(
            f"SELECT model, count(*) FILTER (isfinite(mae)), {means} FROM {table} "
            "GROUP BY model ORDER BY avg(mase)"
        ).fetchall()
    count = max(series for _, series, *_ in means_by_model)
    header = [f"means over {count:,} series", *(HEADINGS[name] for name in MEASURES)]
    rows = [header]
    for model, _, *values in means_by_model:
        row = [model]
        for value in values:
            text = "" if value is None else number(value)
            row.append(text)
        rows.append(row)
    return rows
