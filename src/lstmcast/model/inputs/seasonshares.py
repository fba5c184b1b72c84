"""The shares of seasonal tables: how far their predictions are trusted.

They are coefficients of a ridge regression of actual changes on those that the tables predicted.

    B series of a batch · T steps · K tables of a family · L lags
"""

from __future__ import annotations

from typing import NamedTuple

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
) -> tuple[NDArray, ShareState]:
    """The share of each table (B, T, K), and the sums from which it is computed.

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
    square_BTKK = state.square_BKK[:, None] + np.cumsum(sums.square_BTKK, axis=1)
    product_BTK = state.product_BK[:, None] + np.cumsum(sums.product_BTK, axis=1)
    count_BT = state.count_B[:, None] + np.cumsum(sums.count_BT, axis=1)
    share_BTK = _ridge(square_BTKK, product_BTK, count_BT, family)
    change_BL2 = np.stack(sizes, axis=1)
    newest = square_BTKK[:, -1], product_BTK[:, -1], count_BT[:, -1]
    return share_BTK, ShareState(*newest, change_BL2)


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

    square_BTKK: NDArray
    product_BTK: NDArray
    count_BT: NDArray

    @classmethod
    def none(cls, rows: int, steps: int, tables: int) -> _Sums:
        """Zeros."""
        return cls(
            square_BTKK=np.zeros((rows, steps, tables, tables)),
            product_BTK=np.zeros((rows, steps, tables)),
            count_BT=np.zeros((rows, steps)),
        )

    def add(
        self, family: Family, change_BT: NDArray, foretold: list[NDArray], counts: bool
    ) -> None:
        """Add changes over a lag (NaN = unknown), and the prediction of each table."""
        says_something_BT = np.logical_or.reduce(
            [foretold_BT != 0 for foretold_BT in foretold]
        )
        use_BT = ~np.isnan(change_BT) & says_something_BT
        change_BT = np.where(use_BT, change_BT, 0.0)
        columns = _columns(family, foretold, use_BT)
        for row, column_BT in enumerate(columns):
            self.product_BTK[:, :, row] += column_BT * change_BT
            for column in range(row, len(columns)):
                self.square_BTKK[:, :, row, column] += column_BT * columns[column]
                self.square_BTKK[:, :, column, row] = self.square_BTKK[
                    :, :, row, column
                ]
        if counts:
            np.add(self.count_BT, use_BT, out=self.count_BT)


def _left(change_BT: NDArray, lag: int, explained: list[Explained]) -> NDArray:
    """Changes minus what the tables of earlier families explain."""
    for shorter, share_BT in explained:
        change_BT = change_BT - share_BT * shorter.foretold_change(lag)
    return change_BT


def _columns(family: Family, foretold: list[NDArray], use_BT: NDArray) -> list[NDArray]:
    """The regressors (B, T), 0 where unused."""
    columns = []
    for place, (table, foretold_BT) in enumerate(
        zip(family.tables, foretold, strict=True)
    ):
        column_BT = foretold_BT
        if table.first != place:
            column_BT = foretold_BT - foretold[table.first]
        columns.append(np.where(use_BT, column_BT, 0.0))
    return columns


def _limited(change_BT: NDArray, before_B2: NDArray) -> tuple[NDArray, NDArray]:
    """Changes capped relative to the usual change so far, and the updated sums for it (B, 2)."""
    known_BT = ~np.isnan(change_BT)
    size_BT = np.abs(np.where(known_BT, change_BT, 0.0))
    newest_BT2 = np.stack([np.sqrt(size_BT), known_BT], axis=2)
    before_B12 = before_B2[:, None]
    sums_BT2 = before_B12 + np.cumsum(newest_BT2, axis=1)
    earlier_BT2 = np.concatenate([before_B12, sums_BT2[:, :-1]], axis=1)
    total_BT = earlier_BT2[:, :, 0]
    count_BT = earlier_BT2[:, :, 1]
    usual_BT = (total_BT / np.maximum(count_BT, 1.0)) ** 2
    is_enough_BT = count_BT >= FEWEST_CHANGES
    limit_BT = np.where(is_enough_BT, MOST_CHANGE * usual_BT, np.inf)
    limited_BT = np.minimum(np.maximum(change_BT, -limit_BT), limit_BT)
    return limited_BT, sums_BT2[:, -1]


def _ridge(
    square_BTKK: NDArray, product_BTK: NDArray, count_BT: NDArray, family: Family
) -> NDArray:
    """Coefficients as shares of the tables, estimated within their bounds by coordinate descent
    (Friedman, Hastie & Tibshirani 2010)."""
    K = len(family.tables)
    is_first = np.array(
        [table.first == place for place, table in enumerate(family.tables)]
    )
    prior_K = np.where(is_first, PRIOR_SHARE, 0.0)
    weight_K = np.where(is_first, PRIOR_WEIGHT, PRIOR_WEIGHT_OF_OTHERS)
    least_K = np.where(is_first, 0.0, LEAST_OF_OTHERS)
    diagonal_BTK = np.einsum("btkk->btk", square_BTKK)
    penalty_BTK = weight_K * diagonal_BTK / np.maximum(count_BT, 1.0)[:, :, None]
    whole_BTK = diagonal_BTK + penalty_BTK
    safe_BTK = np.where(whole_BTK > 0, whole_BTK, 1.0)
    share_BTK = np.broadcast_to(prior_K, product_BTK.shape).copy()
    sweeps = SWEEPS if K > 1 else 1
    for _ in range(sweeps):
        for column in range(K):
            remaining_BT = (
                product_BTK[:, :, column] + penalty_BTK[:, :, column] * prior_K[column]
            )
            for second in range(K):
                if second != column:
                    explained_BT = (
                        square_BTKK[:, :, column, second] * share_BTK[:, :, second]
                    )
                    remaining_BT = remaining_BT - explained_BT
            share_BT = np.maximum(
                remaining_BT / safe_BTK[:, :, column], least_K[column]
            )
            share_BT = np.minimum(share_BT, 1.0)
            is_told_BT = whole_BTK[:, :, column] > 0
            share_BTK[:, :, column] = np.where(is_told_BT, share_BT, prior_K[column])
    for place, table in enumerate(family.tables):
        if table.first != place:
            share_BTK[:, :, table.first] -= share_BTK[:, :, place]
    return share_BTK
