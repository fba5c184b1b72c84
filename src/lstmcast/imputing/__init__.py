"""Fill missing values with a network's estimates and their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.kinds import stopped
from lstmcast.data.observed import occurring
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import series_numbers
from lstmcast.forecaster import LSTMForecaster
from lstmcast.imputing.gaps import gaps_of
from lstmcast.imputing.outliers import mask_outliers as mask_outliers
from lstmcast.imputing.weights import filled
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.one_series import panel_and_network
from lstmcast.util.text import counted
from lstmcast.writing.tables import frame_of, write_table


@dataclass(frozen=True, eq=False)
class Imputed:
    """A panel with missing values filled, and the quantiles of the filled values.

    filled (N,): whether each value was missing. quantiles (M, Q): quantiles of these M values at
        `quantile_levels`; the panel holds the medians. Series without any value stay empty.
    """

    panel: Panel
    filled: NDArray
    quantiles: NDArray
    quantile_levels: tuple[float, ...] = HEAD_QUANTILES

    def __repr__(self) -> str:
        """The panel, and how many of its values are filled."""
        filled_count = int(self.filled.sum())
        return f"Imputed({self.panel}, {counted(filled_count, 'value')} filled)"

    def columns(self, only_filled: bool = False) -> dict[str, NDArray]:
        """Series, time, value, filled and quantiles as columns, for all or only for filled values.

        The quantiles of a known value equal it.
        """
        panel = self.panel
        quantiles_NQ = np.repeat(
            panel.values[:, None], len(self.quantile_levels), axis=1
        )
        quantiles_NQ[self.filled] = self.quantiles
        times = [panel.times(row) for row in range(len(panel))]
        columns = {
            "series": np.repeat(panel.ids.astype(object), panel.lengths),
            "time": np.concatenate(times),
            "value": panel.values,
            "filled": self.filled,
        }
        for place, level in enumerate(self.quantile_levels):
            columns[f"q{level:g}"] = quantiles_NQ[:, place]
        is_shown = self.filled if only_filled else np.ones(len(panel.values), bool)
        return {name: column[is_shown] for name, column in columns.items()}

    def to_pandas(self, only_filled: bool = False) -> Any:
        """The same columns as a pandas DataFrame."""
        return frame_of(self.columns(only_filled), "pandas")

    def save(self, path: str | Path) -> None:
        """Write the columns as .csv, .parquet or .xlsx; OutputError if that fails."""
        write_table(self.columns(), path)

    def __str__(self) -> str:
        count = int(self.filled.sum())
        values = len(self.filled)
        were = "was" if count == 1 else "were"
        return f"{count:,} of {values:,} values {were} missing and {were} filled"


def impute(data: Any, model: LSTMForecaster | None = None) -> Imputed:
    """Fill missing values with estimates of a network from the values before and after them.

    A gap is forecast from its left, and from its right by reading the series backwards. Both are
    averaged with linear interpolation and a seasonal estimate, weighted by their errors on
    artificial gaps of the same length, which also determine the width of intervals. Values missing
    at an end of a series are forecast from one side. Times that do not occur, such as all Sundays,
    and series without values stay empty. Covariates are not filled.

    Later values are used, so do not backtest on filled values; masked values are treated as
    unknown.

    Args:
        data: A Panel, or anything that `lstmcast.read` reads.
        model: A fitted or loaded forecaster. Defaults to the shipped network.

    Raises:
        UsageError: The network reads several columns together.
        DataError: The data cannot be read.

    >>> values = 100 + 10 * np.sin(np.arange(96) / 6 * np.pi)
    >>> values[50:53] = np.nan
    >>> imputed = impute(Panel.from_arrays(values, frequency="MS", start="2016-01"))
    >>> imputed.panel.values[49:54].round().tolist()
    [105.0, 109.0, 110.0, 109.0, 105.0]
    """
    panel, fitted = panel_and_network(
        data, model, "values are repaired series by series"
    )
    gaps = gaps_of(panel)
    was_missing = np.zeros(len(panel.values), bool)
    if not len(gaps.series):
        return Imputed(panel, was_missing, np.empty((0, len(HEAD_QUANTILES))))
    places_M = gaps.places(panel.offsets)
    quantiles_MQ = filled(fitted.reader, panel, gaps)
    series_M = series_numbers(panel.offsets)[places_M]
    stops_M = panel.kinds[series_M] != "real"
    quantiles_MQ = np.sort(stopped(quantiles_MQ, stops_M), axis=1)
    known_M = np.isfinite(quantiles_MQ[:, MEDIAN]) & occurring(panel)[places_M]
    places_M = places_M[known_M]
    quantiles_MQ = quantiles_MQ[known_M]
    median_M = quantiles_MQ[:, MEDIAN]
    if panel.kind == "count":
        median_M = np.rint(median_M)
    values = panel.values.copy()
    values[places_M] = median_M
    was_missing[places_M] = True
    return Imputed(replace(panel, values=values), was_missing, quantiles_MQ)
