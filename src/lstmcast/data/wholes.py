"""Which forecasts are of whole numbers: their medians and bounds are such numbers as well.

A bound between two whole numbers contains no more values than the lower or the higher of them, so
the nearest one never takes a value out of an interval. Means and sample paths stay as they are.

    O forecasts · R some of them · N observations of all series
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.kinds import OPEN
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import reduced_parts

# Largest of the values read: those that are not recognised as counts may be readings to a whole
# number. Where they are larger nobody sees a half.
LARGEST = 100.0
FEWEST = 8  # values that must all be whole


def whole_origins(
    panel: Panel, origins: Origins, first_O: NDArray | None = None
) -> NDArray:
    """Which forecasts are of whole numbers (O,): of counts, and of series all above 0 that read
    small whole ones only, from observation `first_O` on."""
    is_whole_O = np.asarray(panel.kinds[origins.series] == "count")
    if panel.recognised is None:
        return is_whole_O
    row_R = np.flatnonzero(panel.recognised[origins.series] == OPEN)
    if not len(row_R):
        return is_whole_O
    offset_R = panel.offsets[origins.series[row_R]]
    begin_R = offset_R if first_O is None else offset_R + first_O[row_R]
    end_R = offset_R + origins.counts[row_R]
    is_known_N = np.isfinite(panel.values).astype(float)
    known_R = reduced_parts(np.add, is_known_N, begin_R, end_R)
    largest_R = reduced_parts(np.fmax, panel.values, begin_R, end_R)
    fraction_R = reduced_parts(np.fmax, fractions(panel.values), begin_R, end_R)
    is_small_R = (known_R >= FEWEST) & (largest_R <= LARGEST)
    is_whole_O[row_R] = is_small_R & (fraction_R == 0)
    return is_whole_O


def fractions(values: NDArray) -> NDArray:
    """How far values are from whole numbers; NaN for unknown ones.

    >>> fractions(np.array([3.0, 2.75, np.nan]))
    array([0.  , 0.25,  nan])
    """
    return np.abs(values - np.rint(values))


def made_of_wholes(quantiles_OHQ: NDArray, fractional: NDArray | None) -> NDArray:
    """Which forecasts were made whole (O,), given their quantiles and those before; None if none
    was."""
    if fractional is None:
        return np.zeros(len(quantiles_OHQ), bool)
    known_OHQ = np.nan_to_num(quantiles_OHQ)
    return np.asarray((known_OHQ == np.rint(known_OHQ)).all(axis=(1, 2)))


def made_whole(values_O: NDArray, is_whole_O: NDArray) -> NDArray:
    """Forecasts (O, …), the nearest whole numbers in some rows; unknown ones stay so.

    >>> made_whole(np.array([[1.6, np.nan], [1.6, -0.2]]), np.array([True, False]))
    array([[ 2. ,  nan],
           [ 1.6, -0.2]])
    """
    if not is_whole_O.any():
        return values_O
    rows = is_whole_O.reshape(-1, *[1] * (values_O.ndim - 1))
    return np.where(rows, np.rint(values_O) + 0.0, values_O)  # no −0
