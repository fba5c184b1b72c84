"""How a forecast is displayed: as text in Python, as HTML in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.util.html import block, more, picture, table
from lstmcast.util.lines import aligned
from lstmcast.util.text import counted, number_format

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

MOST_STEPS, MOST_ORIGINS = 24, 10  # in a notebook
FEW_ROWS = 6  # of a forecast displayed as text
MOST_LEVELS = 2  # intervals, the narrow ones first


def as_text(forecast: Forecast) -> str:
    """What it is, and its first rows."""
    return f"{_headline(forecast)}\n{_small_table(forecast)}".rstrip()


def as_html(forecast: Forecast) -> str:
    """The steps of one origin, or the first step of several, with small pictures."""
    title = _headline(forecast).replace("(", ": ", 1)
    content = _steps_of_one(forecast) if len(forecast.ids) == 1 else _origins(forecast)
    return block(title.removesuffix(")"), *content)


def _steps_of_one(forecast: Forecast) -> tuple[str, ...]:
    """A picture of the only origin, and its steps as a table."""
    steps = np.flatnonzero(forecast.wanted[0])
    rows = [_row(forecast, 0, step) for step in steps[:MOST_STEPS]]
    sketch = _sketch(forecast, 0, width=480, height=110)
    body = table(_header(forecast), rows, left_aligned=(0,))
    return f"<div>{sketch}</div>", body, more(len(rows), len(steps), "steps")


def _origins(forecast: Forecast) -> tuple[str, ...]:
    """A table of origins: the first step of each and a small picture of all steps."""
    names = [str(name) for name in forecast.ids[:MOST_ORIGINS]]
    rows = []
    for origin, name in enumerate(names):
        row = _row(forecast, origin, 0)
        rows.append([name, *row, _sketch(forecast, origin)])
    header = [forecast.columns.series, *_header(forecast), f"{forecast.horizon} steps"]
    body = table(header, rows, left_aligned=(0, 1))
    return body, more(len(rows), len(forecast.ids), "origins")


def _headline(forecast: Forecast) -> str:
    origins = len(forecast.ids)
    series = len(set(forecast.ids))
    quantiles = " ".join(f"{level:g}" for level in forecast.quantile_levels) or "none"
    return (
        f"Forecast({series} series, {counted(origins, 'origin')}, horizon {forecast.horizon}, "
        f"quantiles {quantiles})"
    )


def _small_table(forecast: Forecast) -> str:
    """The first steps of the first origins."""
    origins = min(len(forecast.ids), FEW_ROWS)
    if not origins or not forecast.horizon:
        return ""
    steps = min(forecast.horizon, max(1, FEW_ROWS // origins))
    row_origins, row_steps = np.nonzero(forecast.wanted[:origins, :steps])
    rows = [
        _row(forecast, origin, step)
        for origin, step in zip(row_origins.tolist(), row_steps.tolist(), strict=True)
    ]
    header = _header(forecast)
    name_column: list[str] = []
    if len(forecast.ids) > 1:
        name_column = [forecast.columns.series]
        names = forecast.ids[row_origins]
        rows = [[str(name), *row] for name, row in zip(names, rows, strict=True)]
    text = aligned(name_column + header, rows, left_aligned=name_column)
    beyond = len(forecast) - len(rows)
    return f"{text}\n… {beyond:,} more rows" if beyond > 0 else text


def _header(forecast: Forecast) -> list[str]:
    levels = forecast.interval_levels[:MOST_LEVELS]
    return [
        forecast.columns.time,
        "forecast",
        *(f"{level:g}% interval" for level in levels),
    ]


def _row(forecast: Forecast, origin: int, step: int) -> list[str]:
    point = forecast.point[origin]
    quantiles = forecast.quantiles[origin]
    write = number_format(np.append(point, quantiles.ravel()), forecast.counts[origin])
    cells = [format_time(forecast.times[origin, step]), write(point[step])]
    for level in forecast.interval_levels[:MOST_LEVELS]:
        interval = forecast.interval(level)
        lower = interval.lower[origin, step]
        upper = interval.upper[origin, step]
        cells.append(f"{write(lower)} … {write(upper)}")
    return cells


def _sketch(forecast: Forecast, origin: int, width: int = 120, height: int = 28) -> str:
    """A small picture of one origin, wide intervals first."""
    bounds = []
    for level in reversed(forecast.interval_levels[:MOST_LEVELS]):
        interval = forecast.interval(level)
        bounds.append((interval.lower[origin], interval.upper[origin]))
    return picture(
        np.empty(0),
        forecast.point[origin],
        bounds,
        width=width,
        height=height,
        label=f"the forecast of {forecast.ids[origin]} with its intervals",
    )
