"""Whether columns known in advance reach as far as forecasts do.

S series · O origins · M values of all series
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import FEW_GAPS, MOST_COLUMNS
from lstmcast.data.covariates.placingnotes import steps_beyond
from lstmcast.data.features import Future, listed
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import Origins, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import reduced
from lstmcast.data.table import format_time
from lstmcast.errors import DataError


def require_known(panel: Panel, origins: Origins, horizon_O: NDArray) -> None:
    """Raise DataError if columns known in advance end before the horizon of an origin."""
    future = panel.covariates.future
    if not future or not len(origins.series):
        return
    if len(future.columns) > MOST_COLUMNS:
        raise DataError(
            f"{panel.report.source}: {len(future.columns)} columns are known in advance, but at "
            f"most {MOST_COLUMNS} can be used. Name the important ones."
        )
    needed_O = origins.counts + horizon_O
    missing_O = needed_O - future.lengths[origins.series]
    names = list(future.columns)
    for name, values_M in future.columns.items():
        if name in future.levels:  # a step without a category has none
            continue
        last_S, regular_S = _last_known(values_M, future)
        early_O = needed_O - last_S[origins.series]
        early_O = np.where(regular_S[origins.series], early_O, 0)
        if early_O.max() > max(missing_O.max(), 0):
            missing_O = early_O
            names = [name]
    if missing_O.max() > 0:
        raise _ends_early(panel, origins, horizon_O, missing_O, names)


def require_known_after(panel: Panel, horizon: int) -> None:
    """DataError where columns that are known in advance end before a forecast of the next steps."""
    if not panel.covariates.future:
        return
    origins = origins_of(panel)
    panel, steps, rows = on_grid(panel, origins, horizon)
    horizon_O = np.full(len(origins.series), steps)
    if rows is not None:
        horizon_O = rows.max(axis=1) + 1
    require_known(panel, origins, horizon_O)


def _ends_early(
    panel: Panel,
    origins: Origins,
    horizon_O: NDArray,
    missing_O: NDArray,
    names: list[str],
) -> DataError:
    """The error for the origin that lacks the most steps."""
    origin = int(missing_O.argmax())
    series = int(origins.series[origin])
    horizon = int(horizon_O[origin])
    needed = int(origins.counts[origin]) + horizon
    missing = int(missing_O[origin])

    def time_of(count: int) -> str:
        time = panel.frequency.advance(panel.starts[series], count - 1)
        return format_time(time[()])

    end = time_of(needed - missing)
    subject = (
        f"column {names[0]!r} is" if len(names) == 1 else f"columns {listed(names)} are"
    )
    steps = horizon - missing
    way_out = f"forecast {steps} steps" if steps > 0 else "leave out what is not known"
    return DataError(
        f"series {str(panel.ids[series])!r}: the {subject} known in advance until {end}, but the "
        f"forecast continues until {time_of(needed)}. Give rows with values up to then, or "
        f"{way_out}."
    )


def _last_known(values_M: NDArray, future: Future) -> tuple[NDArray, NDArray]:
    """The number of steps of each series (S,) up to the last known value of a column, and whether
    hardly any of them lacks one: gaps are usual in some columns."""
    from_start_S = np.zeros(len(future.lengths), np.int64)
    last_S = steps_beyond(values_M, future, from_start_S)
    is_known_M = np.where(np.isnan(values_M), 0.0, 1.0)
    count_S = reduced(np.add, is_known_M, future.offsets, 0.0)
    is_regular_S = count_S > (1 - FEW_GAPS) * np.maximum(last_S, 1)
    return last_S, is_regular_S
