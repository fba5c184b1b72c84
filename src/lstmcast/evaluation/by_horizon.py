"""How fast the error of forecasts that are fed back grows with the horizon.

S series · K cutoffs · H horizon
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.observed import without
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import UsageError
from lstmcast.evaluation.metrics import rmse
from lstmcast.forecast import Forecast


class RunsFree(Protocol):
    """A model whose forecasts can be fed back, such as LSTMForecaster."""

    def predict(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
        mode: Any = "direct",
    ) -> Forecast:
        """Forecast from each cutoff (S, K)."""
        ...


def errors_by_horizon(
    model: RunsFree, panel: Panel, horizon: int, cutoffs: ArrayLike, observed: int | None = None
) -> dict[str, NDArray]:
    """RMSE at each step of a free run: columns `horizon` (1 … H), each series by its name, `total`
    for all together.

    `cutoffs` (K,): after how many observations of each series the model runs free. `observed`: how
    many of those it reads, from a fresh state; None for all. Steps past the end of the data do not
    count. UsageError for cutoffs outside of the data or with fewer than `observed` values before
    them, and for series of the names of those columns.

    >>> from lstmcast import LSTMForecaster
    >>> panel = Panel.from_arrays({"up": np.arange(60.0), "flat": np.ones(60)})
    >>> list(errors_by_horizon(LSTMForecaster(3), panel, 3, cutoffs=[40, 50]))
    ['horizon', 'up', 'flat', 'total']
    """
    panel = without(panel)  # steps are those of the grid
    counts_K = _checked(np.asarray(cutoffs, np.int64), panel, observed)
    if observed is None:
        point_OH = model.predict(
            panel, horizon, cutoffs=np.tile(counts_K, (len(panel), 1)), mode="recursive"
        ).point
        forecast_SKH = point_OH.reshape(len(panel), len(counts_K), horizon)
    else:
        segments = (_segment(panel, known - observed, known) for known in counts_K)
        points = [model.predict(segment, horizon, mode="recursive").point for segment in segments]
        forecast_SKH = np.stack(points, axis=1)
    actual_SKH = _actual(panel, counts_K, horizon)
    by_series = np.asarray(rmse(actual_SKH, forecast_SKH, axis=1))
    return {
        "horizon": np.arange(1, horizon + 1),
        **{str(name): by_series[s] for s, name in enumerate(panel.ids)},
        "total": np.asarray(rmse(actual_SKH, forecast_SKH, axis=(0, 1))),
    }


def _checked(counts_K: NDArray, panel: Panel, observed: int | None) -> NDArray:
    fewest, most = observed or 1, int(panel.lengths.min()) - 1
    if counts_K.ndim != 1 or not len(counts_K) or counts_K.min() < fewest or counts_K.max() > most:
        raise UsageError(
            f"cutoffs={counts_K.tolist()} and {observed=} do not fit these data. A list of counts "
            f"from {fewest} to {most} is expected: something is observed before each, and "
            "something comes after it in every series."
        )
    if taken := {"horizon", "total"} & set(map(str, panel.ids)):
        raise UsageError(
            f"A series has the name of another column of the table: {sorted(taken)}. Give it "
            "another id."
        )
    return counts_K


def _segment(panel: Panel, begin: int, end: int) -> Panel:
    """Steps begin … end of each series, as if it began there.

    Its times are those of the panel's beginning, so that a model does not join it to earlier data
    that it remembers.
    """
    values_ST = np.stack([panel.series(s)[begin:end] for s in range(len(panel))])
    return replace(
        panel, values=values_ST.ravel(), offsets=offsets_of(np.full(len(panel), end - begin))
    )


def _actual(panel: Panel, counts_K: NDArray, horizon: int) -> NDArray:
    """What came after each cutoff (S, K, H); NaN past the end of a series."""
    padded = [np.append(panel.series(s), np.full(horizon, np.nan)) for s in range(len(panel))]
    return np.stack([values[counts_K[:, None] + np.arange(horizon)] for values in padded])
