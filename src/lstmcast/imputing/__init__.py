"""Missing values, filled with what a network expects of them, with intervals."""

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
from lstmcast.data.read import read
from lstmcast.forecaster import LSTMForecaster
from lstmcast.imputing.gaps import gaps_of
from lstmcast.imputing.networks import network_for
from lstmcast.imputing.outliers import mask_outliers as mask_outliers
from lstmcast.imputing.weights import filled
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.writing.tables import frame_of, write_table


@dataclass(frozen=True, eq=False)
class Imputed:
    """A panel without missing values, as far as anything is known of its series, and what was put
    in their places.

    filled (N,): which values of the panel were missing. quantiles (M, Q): of these M values, in
    their order, at `quantile_levels`; the median is what stands in the panel.
    """

    panel: Panel
    filled: NDArray
    quantiles: NDArray
    quantile_levels: tuple[float, ...] = HEAD_QUANTILES

    def columns(self, only_filled: bool = False) -> dict[str, NDArray]:
        """Series, time, value, whether it was filled, and its quantiles as columns, of all values
        or of those that were filled alone. The quantiles of a value that was known are it."""
        panel = self.panel
        quantiles_NQ = np.repeat(panel.values[:, None], len(self.quantile_levels), axis=1)
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
        """The same as a pandas frame."""
        return frame_of(self.columns(only_filled), "pandas")

    def save(self, path: str | Path) -> None:
        """Write all of it as .csv, .parquet or .xlsx. OutputError."""
        write_table(self.columns(), path)

    def __str__(self) -> str:
        count, values = int(self.filled.sum()), len(self.filled)
        were = "was" if count == 1 else "were"
        return f"{count:,} of {values:,} values {were} missing and {were} filled"


def impute(data: Any, model: LSTMForecaster | None = None) -> Imputed:
    """Fill missing values with what a network expects of them, given what came before and after.

    A gap is forecast from its left, and from its right by reading the series backwards. Both are
    averaged with a straight line and with the season around it, weighed by how well each of these
    fills gaps of the same length that are made where values are known; so are intervals widened.
    What is missing at an end of a series is forecast from the one side that there is. Times that do
    not occur, such as all Sundays, stay unknown, and so do series without a value. Columns beside
    the target stay as they are.

    Values that come later are used: filled values do not belong into a backtest, where masked ones
    are read as unknown.

    Args:
        data: a Panel, or anything that `lstmcast.read` reads.
        model: a fitted or loaded forecaster; the shipped network unless given.

    Raises:
        UsageError: for a network that reads several columns together.
        DataError: for data that cannot be read.

    >>> values = 100 + 10 * np.sin(np.arange(96) / 6 * np.pi)
    >>> values[50:53] = np.nan
    >>> imputed = impute(Panel.from_arrays(values, frequency="MS", start="2016-01"))
    >>> imputed.panel.values[49:54].round().tolist()
    [105.0, 109.0, 110.0, 109.0, 105.0]
    """
    panel = data if isinstance(data, Panel) else read(data)
    fitted = network_for(panel, model)
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
