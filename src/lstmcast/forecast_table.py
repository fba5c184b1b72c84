"""A forecast as a long table: a row for each step of each origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.data.times.zones import converted, instants, zone_of
from lstmcast.writing.tables import ColumnTypes, Zoned

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

TIMES = ("ds", "cutoff")  # columns of times, where they exist


def long_table(forecast: Forecast) -> dict[str, np.ndarray]:
    """The columns of a forecast; times are local times in the time zone of the data."""
    columns = _inside(forecast)
    if forecast.frame_zone is None or forecast.time_zone is None:
        return columns
    for name in TIMES:
        if name not in columns:
            continue
        local_times = converted(columns[name], forecast.time_zone, forecast.frame_zone)
        if local_times is not None:
            columns[name] = local_times
    return columns


def _inside(forecast: Forecast) -> dict[str, np.ndarray]:
    """The columns with internal times."""
    origins, horizon = forecast.point.shape
    columns = {}
    for name, column in forecast.keys.columns(forecast.ids).items():
        columns[name] = np.repeat(column, horizon)
    columns["ds"] = forecast.times.ravel()
    columns["step"] = np.tile(np.arange(1, horizon + 1), origins)
    if len(set(forecast.ids)) < origins:
        columns["cutoff"] = np.repeat(forecast.cutoffs, horizon)
    columns["forecast"] = forecast.point.ravel()
    for place, level in enumerate(forecast.quantile_levels):
        columns[f"q{level:g}"] = forecast.quantiles[:, :, place].ravel()
    is_wanted = forecast.wanted.ravel()
    if is_wanted.all():
        return columns
    return {name: column[is_wanted] for name, column in columns.items()}


def types_of(forecast: Forecast) -> ColumnTypes:
    """The categories of its keys, and its times with their zone."""
    return types_of_columns(forecast, _inside(forecast))


def types_of_columns(forecast: Forecast, columns: dict[str, np.ndarray]) -> ColumnTypes:
    """The same, of a table whose times (as `Forecast` has them) these are."""
    keys = forecast.keys
    zoned = _zoned(forecast, columns)
    return ColumnTypes(keys.column_categories(), zoned, keys.column_dtypes())


def _zoned(forecast: Forecast, columns: dict[str, np.ndarray]) -> dict[str, Zoned]:
    """The columns of times with their time zone, if the data have one known to this system."""
    is_dated = forecast.cutoffs.dtype.kind == "M"
    if forecast.time_zone is None or not is_dated:
        return {}
    zone = zone_of(forecast.frame_zone or forecast.time_zone)
    if zone is None:
        return {}
    zoned = {}
    for name in TIMES:
        if name not in columns:
            continue
        times = instants(columns[name], forecast.time_zone)
        if times is not None:
            zoned[name] = Zoned(times, zone)
    return zoned


def with_components(forecast: Forecast) -> dict[str, np.ndarray]:
    """The long table with the contributions of future columns and dates in place of quantiles."""
    columns = {}
    for name, column in long_table(forecast).items():
        if not _is_quantile(name):
            columns[name] = column
    components = {"without known columns": forecast.point}
    if forecast.known is not None:
        bare_OH, added_OHC = forecast.known.in_units(forecast.point)
        components = {"without known columns": bare_OH}
        for place, name in enumerate(forecast.known.names):
            components[name] = added_OHC[:, :, place]
    is_wanted = forecast.wanted.ravel()
    for name, component in components.items():
        columns[name] = component.ravel()[is_wanted]
    return columns


def _is_quantile(name: str) -> bool:
    return name[:1] == "q" and name[1:2].isdigit()
