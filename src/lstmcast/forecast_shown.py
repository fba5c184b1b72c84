"""How a forecast shows itself: as text at the end of a line of Python, as HTML in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.util.html import block, more, picture, table
from lstmcast.util.lines import aligned
from lstmcast.util.text import number_format

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

MOST_STEPS, MOST_ORIGINS = 24, 10  # in a notebook
FEW_ROWS = 6  # of a forecast that stands at the end of a line of Python
MOST_LEVELS = 2  # intervals, the narrow ones first


def as_text(forecast: Forecast) -> str:
    """What it is, and its first rows."""
    return f"{_headline(forecast)}\n{_small_table(forecast)}".rstrip()


def as_html(forecast: Forecast) -> str:
    """The steps of one origin, or of several their first steps, and small pictures."""
    several = len(forecast.ids) != 1
    available = len(forecast.ids) if several else forecast.horizon
    shown = range(min(available, MOST_ORIGINS if several else MOST_STEPS))
    header = _header(forecast)
    if several:
        header = [forecast.columns.series, *header, f"{forecast.horizon} steps"]
        rows = [
            [str(forecast.ids[origin]), *_row(forecast, origin, 0), _sketch(forecast, origin)]
            for origin in shown
        ]
        sketch = ""
    else:
        rows = [_row(forecast, 0, step) for step in shown]
        sketch = f"<div>{_sketch(forecast, 0, width=480, height=110)}</div>"
    listed = table(header, rows, left_aligned=(0, 1) if several else (0,))
    beyond = more(len(shown), available, "origins" if several else "steps")
    title = _headline(forecast).replace("(", ": ", 1)[:-1]
    return block(title, sketch, listed, beyond)


def _headline(forecast: Forecast) -> str:
    origins, series = len(forecast.ids), len(set(forecast.ids))
    quantiles = " ".join(f"{level:g}" for level in forecast.quantile_levels) or "none"
    plural = "s" * (origins != 1)
    return (
        f"Forecast({series} series, {origins} origin{plural}, horizon {forecast.horizon}, "
        f"quantiles {quantiles})"
    )


def _small_table(forecast: Forecast) -> str:
    """The first steps of the first origins."""
    several = len(forecast.ids) > 1
    origins = min(len(forecast.ids), FEW_ROWS if several else 1)
    steps = min(forecast.horizon, max(1, FEW_ROWS // max(origins, 1)))
    shown = [(origin, step) for origin in range(origins) for step in range(steps)]
    if not shown:
        return ""
    header = _header(forecast)
    rows = [_row(forecast, origin, step) for origin, step in shown]
    if several:
        header = [forecast.columns.series, *header]
        names = [str(forecast.ids[origin]) for origin, _ in shown]
        rows = [[name, *row] for name, row in zip(names, rows, strict=True)]
    text = aligned(header, rows, left_aligned=header[:1] if several else ())
    beyond = forecast.point.size - len(rows)
    return text + (f"\n… {beyond:,} more rows" if beyond > 0 else "")


def _header(forecast: Forecast) -> list[str]:
    levels = forecast.interval_levels[:MOST_LEVELS]
    return [forecast.columns.time, "forecast", *(f"{level:g}% interval" for level in levels)]


def _row(forecast: Forecast, origin: int, step: int) -> list[str]:
    point, quantiles = forecast.point[origin], forecast.quantiles[origin]
    write = number_format(np.append(point, quantiles.ravel()))
    bands = [forecast.interval(level) for level in forecast.interval_levels[:MOST_LEVELS]]
    bounds = [
        f"{write(band.lower[origin, step])} … {write(band.upper[origin, step])}" for band in bands
    ]
    return [format_time(forecast.times[origin, step]), write(point[step]), *bounds]


def _sketch(forecast: Forecast, origin: int, width: int = 120, height: int = 28) -> str:
    """A small picture of one origin, wide intervals first."""
    levels = forecast.interval_levels[:MOST_LEVELS][::-1]
    bands = [forecast.interval(level) for level in levels]
    bounds = [(band.lower[origin], band.upper[origin]) for band in bands]
    label = f"the forecast of {forecast.ids[origin]} with its intervals"
    point = forecast.point[origin]
    return picture(np.empty(0), point, bounds, width=width, height=height, label=label)
