"""A forecast as a long table: a row for each step of each origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.data.zones import converted, instants, zone_of
from lstmcast.writing.tables import ColumnTypes, Zoned

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

TIMES = ("ds", "cutoff")  # columns of times, where they are there


def long_table(forecast: Forecast) -> dict[str, np.ndarray]:
    """Its columns, equally long; times are what the clocks of the data's zone show."""
    columns = _inside(forecast)
    if forecast.frame_zone is None or forecast.time_zone is None:
        return columns
    for name in TIMES:
        if name in columns:
            shown = converted(columns[name], forecast.time_zone, forecast.frame_zone)
            columns[name] = columns[name] if shown is None else shown
    return columns


def _inside(forecast: Forecast) -> dict[str, np.ndarray]:
    """The same with the times as they are inside."""
    steps = np.arange(1, forecast.horizon + 1)
    named = forecast.keys.columns(forecast.ids)
    columns = {name: np.repeat(column, forecast.horizon) for name, column in named.items()}
    columns["ds"] = forecast.times.ravel()
    columns["step"] = np.tile(steps, len(forecast.ids))
    if len(set(forecast.ids)) < len(forecast.ids):
        columns["cutoff"] = np.repeat(forecast.cutoffs, forecast.horizon)
    columns["forecast"] = forecast.point.ravel()
    for place, level in enumerate(forecast.quantile_levels):
        columns[f"q{level:g}"] = forecast.quantiles[:, :, place].ravel()
    wanted = forecast.wanted.ravel()
    if wanted.all():
        return columns
    return {name: column[wanted] for name, column in columns.items()}


def types_of(forecast: Forecast) -> ColumnTypes:
    """The categories of its keys, and its times with their zone."""
    return ColumnTypes(forecast.keys.column_categories(), _zoned(forecast))


def _zoned(forecast: Forecast) -> dict[str, Zoned]:
    """The columns of times with their zone, where the data have one that is known here."""
    shown = forecast.frame_zone or forecast.time_zone
    zone = None if shown is None else zone_of(shown)
    if zone is None or forecast.time_zone is None or forecast.cutoffs.dtype.kind != "M":
        return {}
    columns, zoned = _inside(forecast), {}
    for name in TIMES:
        if name in columns:
            times = instants(columns[name], forecast.time_zone)
            if times is not None:
                zoned[name] = Zoned(times, zone)
    return zoned


def with_components(forecast: Forecast) -> dict[str, np.ndarray]:
    """The long table with what known columns and the dates add, in the place of quantiles."""
    columns = {
        name: column for name, column in long_table(forecast).items() if not _is_quantile(name)
    }
    wanted = forecast.wanted.ravel()
    bare_OH, added = forecast.point, {}
    if forecast.known is not None:
        bare_OH, added_OHC = forecast.known.in_units(forecast.point)
        added = dict(zip(forecast.known.names, np.moveaxis(added_OHC, 2, 0), strict=True))
    parts = {"without known columns": bare_OH, **added}
    return columns | {name: part.ravel()[wanted] for name, part in parts.items()}


def _is_quantile(name: str) -> bool:
    return name[:1] == "q" and name[1:2].isdigit()
