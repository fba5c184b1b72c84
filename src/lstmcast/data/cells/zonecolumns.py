"""Columns that say in which zone the clock time of each row is: EST beside EDT, +01:00 beside
+02:00."""

# N rows · U distinct texts of a column

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.times.zonenames import offset_named

_MOST_ZONES = 3


def with_zones_applied(sheet: Sheet, time: Column) -> tuple[Sheet, Column]:
    """The sheet with its times in UTC where a column beside them says that clocks were changed
    between rows.

    Without one, or with one offset throughout, the sheet and its times are returned unchanged.
    """
    if time.times is None or time.times.zone or time.times.values.dtype.kind != "M":
        return sheet, time
    local = time.spread(time.times.values).astype("datetime64[us]")
    if not (local != local.astype("datetime64[D]")).any():
        return sheet, time
    for column in columns_without(sheet.columns, [time]):
        minutes = _minutes_east(column)
        if minutes is None:
            continue
        note = f"times converted to UTC by the offsets in the column {column.name!r}"
        utc = local - minutes.astype("timedelta64[m]")
        notes = (*time.times.notes, note)
        in_utc = Column(time.name, utc, None, "UTC", notes=notes)
        columns = list(sheet.columns)
        place = sheet.names.index(time.name)
        columns[place] = in_utc
        return replace(sheet, columns=tuple(columns)), in_utc
    return sheet, time


def _minutes_east(column: Column) -> np.ndarray | None:
    """The offset of each row (N,), where a column holds two or three and nothing else."""
    if not column.is_text or not 2 <= len(column.data) <= _MOST_ZONES:
        return None
    offsets = [offset_named(folded(text)) for text in column.data]
    minutes = [offset for offset in offsets if offset is not None]
    if len(minutes) < len(offsets) or len(set(minutes)) < 2:
        return None
    return column.spread(np.array(minutes))
