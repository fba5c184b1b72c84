"""Columns under each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmcast.data.sheet import Column


def stacked_column(columns: Sequence[Column]) -> Column | None:
    """Columns of texts, or of numbers, under each other, called as the first one; None where some
    are neither."""
    kinds = {column.data.dtype.kind for column in columns}
    if kinds <= {"f", "i"} and not any(column.is_text for column in columns):
        return Column(
            columns[0].name, np.concatenate([column.data for column in columns])
        )
    cells: list[str] = []
    for column in columns:
        if not column.is_text:
            return None
        cells += column.spread(column.data).tolist()
    return Column.of_texts(
        columns[0].name,
        cells,
        decimal_comma_likely=any(column.decimal_comma_likely for column in columns),
        plain=all(column.plain for column in columns),
    )
