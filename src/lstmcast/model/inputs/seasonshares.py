"""The shares of seasonal tables: how far their predictions are trusted.

They are coefficients of a ridge regression of actual changes on those that the tables predicted.

    B series of a batch · T steps · K tables of a family · L lags
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.seasonfamilies import Family
from lstmcast.model.inputs.tables import Indices, Reading

# Weight of the prior of the shares, in observations: of a period's first table, and of the
# difference that another table makes.
PRIOR_WEIGHT, PRIOR_SHARE, PRIOR_WEIGHT_OF_OTHERS = 4.0, 0.5, 30.0
# lower bound of the share of a table that is not the first of its period
LEAST_OF_OTHERS = -0.5
SWEEPS = 4  # coordinate-descent sweeps of the regression
# Changes from step to step are used as well if this many in a row are predicted to be this many
# times as large as those over the first lag: the lag is then a multiple of a season and hides it.
ZIGZAG, CONTRAST = 4, 8.0
ROUNDING = 1e-9  # predictions of a smaller share of a change are of nothing
# Changes are capped at this multiple of the usual change, once this many were observed.
MOST_CHANGE, FEWEST_CHANGES = 10.0, 8


class ShareState(NamedTuple):
    """Sums from which the shares of a family's tables are computed."""

    square_BKK: NDArray  # Σ predicted change × predicted change
    product_BK: NDArray  # Σ change × predicted change
    count_B: NDArray  # number of changes
    change_BL2: NDArray  # for each lag: Σ √|change|, and the number of changes


class Explained(NamedTuple):
    """The part that a table of an earlier family explains: its indices, and its share."""

    indices: Indices
    share_BT: NDArray


def start_shares(rows: int, family: Family) -> ShareState:
    """The state before any prediction could be compared."""
    K = len(family.tables)
    return ShareState(
        square_BKK=np.zeros((rows, K, K)),
        product_BK=np.zeros((rows, K)),
        count_B=np.zeros(rows),
        change_BL2=np.zeros((rows, len(family.lags), 2)),
    )


def read_shares(
    state: ShareState,
    family: Family,
    reading: Reading,
    indices: list[Indices],
    explained: list[Explained],
) -> tuple[list[NDArray], ShareState]:
    """The share of each table (B, T), and the sums from which it is computed.

    The regressors are the predictions of each period's first table, and the differences of its
    other tables from it, as tables of one period are much alike.
    """
    sums = _Sums.none(len(reading.z_BU), reading.steps, len(indices))
    sizes = []
    for place, lag in enumerate(family.lags):
        change_BT, size_B2 = _limited(reading.change(lag), state.change_BL2[:, place])
        sizes.append(size_B2)
        foretold = [index.foretold_change(lag) for index in indices]
        sums.add(family, _left(change_BT, lag, explained), foretold, counts=place == 0)
    if family.lags[0] > 1:
        _add_zigzags(sums, family, reading, indices, explained)
    square_KKB = state.square_BKK.transpose(1, 2, 0)
    square_KKBT = square_KKB[..., None] + np.cumsum(sums.square_KKBT, axis=3)
    product_KBT = state.product_BK.T[..., None] + np.cumsum(sums.product_KBT, axis=2)
    count_BT = state.count_B[:, None] + np.cumsum(sums.count_BT, axis=1)
    newest = ShareState(
        square_BKK=square_KKBT[..., -1].transpose(2, 0, 1),
        product_BK=product_KBT[..., -1].T,
        count_B=count_BT[:, -1],
        change_BL2=np.stack(sizes, axis=1),
    )
    return _ridge(square_KKBT, product_KBT, count_BT, family), newest


def _add_zigzags(
    sums: _Sums,
    family: Family,
    reading: Reading,
    indices: list[Indices],
    explained: list[Explained],
) -> None:
    """Add changes from step to step where only these reveal the season."""
    zigzags_BT = indices[0].zigzags(family.lags[0], ZIGZAG, CONTRAST)
    if not zigzags_BT.any():
        return
    foretold = [index.foretold_change(1) for index in indices]
    change_BT = _left(reading.change(1), 1, explained)
    limit_BT = MOST_CHANGE * np.abs(foretold[0])
    change_BT = np.clip(change_BT, -limit_BT, limit_BT)
    change_BT[~zigzags_BT] = np.nan
    sums.add(family, change_BT, foretold, counts=True)


class _Sums(NamedTuple):
    """Terms that each of T steps adds to the sums of the regression."""

    square_KKBT: NDArray
    product_KBT: NDArray
    count_BT: NDArray

    @classmethod
    def none(cls, rows: int, steps: int, tables: int) -> _Sums:
        """Zeros."""
        return cls(
            square_KKBT=np.zeros((tables, tables, rows, steps)),
            product_KBT=np.zeros((tables, rows, steps)),
            count_BT=np.zeros((rows, steps)),
        )

    def add(
        self, family: Family, change_BT: NDArray, foretold: list[NDArray], counts: bool
    ) -> None:
        """Add changes over a lag (NaN = unknown), and the prediction of each table.

        A prediction of nothing does not count; sums in other parts may miss 0 by rounding.
        """
        foretold_KBT = np.array(foretold)
        least_BT = ROUNDING * np.abs(change_BT)
        use_BT = (np.abs(foretold_KBT) > least_BT).any(axis=0)
        change_BT = np.where(use_BT, change_BT, 0.0)
        column_KBT = np.where(use_BT, foretold_KBT, 0.0)
        for place, table in enumerate(family.tables):
            if table.first != place:
                column_KBT[place] -= column_KBT[table.first]
        np.add(self.product_KBT, column_KBT * change_BT, out=self.product_KBT)
        square_KKBT = column_KBT[:, None] * column_KBT
        np.add(self.square_KKBT, square_KKBT, out=self.square_KKBT)
        if counts:
            np.add(self.count_BT, use_BT, out=self.count_BT)


def _left(change_BT: NDArray, lag: int, explained: list[Explained]) -> NDArray:
    """Changes minus what the tables of earlier families explain."""
    for shorter, share_BT in explained:
        change_BT = change_BT - share_BT * shorter.foretold_change(lag)
    return change_BT


def _limited(change_BT: NDArray, before_B2: NDArray) -> tuple[NDArray, NDArray]:
    """Changes capped relative to the usual change so far, and the updated sums for it (B, 2)."""
    known_BT = ~np.isnan(change_BT)
    size_BT = np.abs(np.where(known_BT, change_BT, 0.0))
    before_2B1 = before_B2.T[:, :, None]
    newest_2BT = np.array([np.sqrt(size_BT), known_BT])
    sums_2BT = before_2B1 + np.cumsum(newest_2BT, axis=2)
    earlier_2BT = np.concatenate([before_2B1, sums_2BT[:, :, :-1]], axis=2)
    total_BT, count_BT = earlier_2BT
    usual_BT = (total_BT / np.maximum(count_BT, 1.0)) ** 2
    is_enough_BT = count_BT >= FEWEST_CHANGES
    limit_BT = np.where(is_enough_BT, MOST_CHANGE * usual_BT, np.inf)
    limited_BT = np.minimum(np.maximum(change_BT, -limit_BT), limit_BT)
    return limited_BT, sums_2BT[:, :, -1].T


def _ridge(
    square_KKBT: NDArray, product_KBT: NDArray, count_BT: NDArray, family: Family
) -> list[NDArray]:
    """Coefficients as shares of the tables (B, T), estimated within their bounds by coordinate
    descent (Friedman, Hastie & Tibshirani 2010)."""
    prior = _prior_of(family)
    share_K11 = prior.share_K[:, None, None]
    weight_K11 = prior.weight_K[:, None, None]
    diagonal_KBT = np.einsum("kkbt->kbt", square_KKBT)
    penalty_KBT = weight_K11 * diagonal_KBT / np.maximum(count_BT, 1.0)
    whole_KBT = diagonal_KBT + penalty_KBT
    is_told_KBT = whole_KBT > 0  # else the share is that of the prior
    safe_KBT = np.where(is_told_KBT, whole_KBT, 1.0)
    with_prior_KBT = product_KBT + penalty_KBT * share_K11
    aim_KBT = np.where(is_told_KBT, with_prior_KBT, share_K11)
    if count_BT.size == 1:  # Python's numbers: many times as fast, with the same bits
        square_KK, aim_K, safe_K = (
            array[..., 0, 0].tolist() for array in (square_KKBT, aim_KBT, safe_KBT)
        )
        numbers = _descended(square_KK, aim_K, safe_K, prior, _bounded_number)
        shares = [np.full((1, 1), share) for share in numbers]
    else:
        shares = _descended(square_KKBT, aim_KBT, safe_KBT, prior, _bounded)
    for place, table in enumerate(family.tables):
        if table.first != place:
            shares[table.first] = shares[table.first] - shares[place]
    return shares


class _Prior(NamedTuple):
    """What is believed of the shares before any change, and their lower bounds."""

    share_K: NDArray
    weight_K: NDArray
    least_K: NDArray


@cache
def _prior_of(family: Family) -> _Prior:
    are_first = [table.first == place for place, table in enumerate(family.tables)]
    return _Prior(
        share_K=np.where(are_first, PRIOR_SHARE, 0.0),
        weight_K=np.where(are_first, PRIOR_WEIGHT, PRIOR_WEIGHT_OF_OTHERS),
        least_K=np.where(are_first, 0.0, LEAST_OF_OTHERS),
    )


def _descended(
    square: Any,
    aim: Any,
    safe: Any,
    prior: _Prior,
    bounded: Callable[[Any, float], Any],
) -> list[Any]:
    """Each coefficient set to its best value given the others, in turns; arrays or numbers."""
    shares: list[Any] = prior.share_K.tolist()
    least = prior.least_K.tolist()
    sweeps = SWEEPS if len(shares) > 1 else 1
    for _ in range(sweeps):
        for place, remaining in enumerate(aim):
            for other, share in enumerate(shares):
                if other != place:
                    remaining = remaining - square[place][other] * share
            shares[place] = bounded(remaining / safe[place], least[place])
    return shares


def _bounded(share_BT: NDArray, least: float) -> NDArray:
    return np.minimum(np.maximum(share_BT, least), 1.0)


def _bounded_number(share: float, least: float) -> float:
    return min(max(share, least), 1.0)
