"""The part of a plot for one series: history, forecast, bands, earlier forecasts."""

# T time · H horizon · O origins

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from lstmcast.data.table import format_time
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.data.times.frequency import Frequency
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast

# An axis leaves out values this many times the range of all others away, if they are so few: a cell
# without its decimal mark would make a straight line of the rest.
FAR, RARE, LEAST_VALUES = 5.0, 0.02, 20

# labels of the legend, in English as in the catalogues
HISTORY, HELD_OUT, FORECAST = "history", "earlier forecasts, held out", "forecast"


@dataclass(frozen=True, eq=False)
class Band:
    """A central interval for `level` percent of future values, with bounds of (H,)."""

    level: float
    lower: ndarray
    upper: ndarray


@dataclass(frozen=True, eq=False)
class Line:
    """A forecast from an earlier cutoff whose actual values are known: times and points (H,)."""

    times: ndarray
    point: ndarray


@dataclass(frozen=True, eq=False)
class Pane:
    """One series: its recent history (T,), its forecast (H,), and forecasts at held-out cutoffs."""

    name: str
    times: ndarray
    values: ndarray
    future: ndarray
    point: ndarray
    bands: tuple[Band, ...]  # wide ones first, as narrow ones are drawn over them
    held_out: tuple[Line, ...] = ()
    # the number of newest values that are shown at first; None: all
    recent: int | None = None

    @property
    def usual(self) -> tuple[float, float] | None:
        """From where to where the values lie without a few that are far away, if there are any."""
        values = self.values[np.isfinite(self.values)]
        if len(values) < LEAST_VALUES:
            return None
        distance = np.abs(values - np.median(values))
        # mostly the same value: the others are what happens
        if np.mean(distance > 0) < 0.5:
            return None
        few = max(1, int(RARE * len(values)))
        kept = values[distance <= np.sort(distance)[-few - 1]]
        low = float(kept.min())
        high = float(kept.max())
        room = FAR * (high - low)
        is_near = (values >= low - room) & (values <= high + room)
        if is_near.all():
            return None
        return float(values[is_near].min()), float(values[is_near].max())


def pane_of(
    forecast: Forecast,
    origin: int,
    panel: Panel,
    place: int,
    held_out: Sequence[Line],
    longest: int | None,
) -> Pane:
    times = panel.times(place)
    values = panel.series(place)
    is_known = times <= forecast.cutoffs[origin]
    if panel.calendar is not None:  # closed days are no gaps of the line
        is_known &= panel.calendar.occurs(times, place) | np.isfinite(values)
    times = times[is_known]
    values = values[is_known]
    steps_held_out = sum(len(line.times) for line in held_out)
    recent = _shown(len(times), panel.periods, forecast.horizon, steps_held_out)
    newest = recent if longest is None else min(longest, len(times))
    first = len(times) - newest
    is_wanted = forecast.wanted[origin]
    bands = []
    for level in sorted(forecast.interval_levels, reverse=True):
        band = forecast.interval(level)
        bands.append(
            Band(
                band.level, band.lower[origin][is_wanted], band.upper[origin][is_wanted]
            )
        )
    return Pane(
        name=str(forecast.ids[origin]),
        times=times[first:],
        values=values[first:],
        future=forecast.times[origin][is_wanted],
        point=forecast.point[origin][is_wanted],
        bands=tuple(bands),
        held_out=tuple(line for line in held_out if line.times[0] >= times[first]),
        recent=recent,
    )


def reach_of(horizon: int, frequency: Frequency) -> str:
    is_plain = frequency.every == 1 and frequency.unit != "integer"
    unit = frequency.unit if is_plain else "step"
    plural = "s" if horizon > 1 else ""
    return f"{horizon:,} {unit}{plural}"


def _shown(length: int, periods: Sequence[int], horizon: int, held_out: int) -> int:
    """The number of values to show: a few seasons and a few horizons, or the whole history if it is
    little longer."""
    season = next((period for period in periods if period > 1), 1)
    of_horizon = 5 * min(horizon, length)
    enough = max(4 * season, of_horizon, held_out + 2 * season, 40)
    return length if length <= 1.5 * enough else enough


def held_out_lines(backtest: Backtest | None, ids: set[str]) -> dict[str, list[Line]]:
    """The model's forecasts at held-out cutoffs, by series, newest first; of overlapping forecasts
    only the newest."""
    lines: dict[str, list[Line]] = {}
    if backtest is None or backtest.model not in backtest.forecasts:
        return lines
    forecast = backtest.forecasts[backtest.model]
    judged = np.flatnonzero(np.isfinite(backtest.actual).any(axis=1))
    newest_first = np.argsort(forecast.cutoffs[judged], kind="stable")[::-1]
    for origin in judged[newest_first]:
        name = forecast.ids[origin]
        series_lines = lines.setdefault(str(name), [])
        line = Line(forecast.times[origin], forecast.point[origin])
        overlaps = bool(series_lines) and line.times[-1] >= series_lines[-1].times[0]
        if name in ids and not overlaps:
            series_lines.append(line)
    return lines


def pane_json(pane: Pane) -> dict[str, Any]:
    bands = []
    for band in pane.bands:
        lower = plain_list(band.lower)
        upper = plain_list(band.upper)
        bands.append({"level": band.level, "lower": lower, "upper": upper})
    held_out = []
    for line in pane.held_out:
        times = [format_time(time) for time in line.times]
        held_out.append({"times": times, "point": plain_list(line.point)})
    return {
        "name": pane.name,
        "times": [format_time(time) for time in pane.times],
        "values": plain_list(pane.values),
        "recent": pane.recent,
        "usual": pane.usual,
        "future": [format_time(time) for time in pane.future],
        "point": plain_list(pane.point),
        "bands": bands,
        "held_out": held_out,
    }


def band_text(level: float) -> str:
    return f"{level:g}% interval"
