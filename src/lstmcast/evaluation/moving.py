"""The network's quantiles, moved to the median of a combination.

O origins · J held-out cutoffs of each · H horizon · Q quantile levels
N candidates, without the network
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.evaluation.calibration import axes_of, on_axis
from lstmcast.evaluation.held_out import Tried
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs.axis import ROOT, from_axis

if TYPE_CHECKING:
    from lstmcast.evaluation.weights import Shares

MOST_APART = 0.95  # quantile of a candidate's distances from the network, beyond which it is held
# Of a moved median and the network's, where values are 0.
ZERO_RATIOS = (0.25, 4.0)


class Points(NamedTuple):
    """What the candidates say, on the axis of the combination, less what the network says."""

    result_NOH: NDArray
    before_NOJH: NDArray


class Said(NamedTuple):
    """What the candidates say of some steps; what one does not know, the network says."""

    tried: Tried  # what the network says
    result_NOH: NDArray
    before_NOJH: NDArray
    known_ON: NDArray  # who knew all steps
    judged_ON: NDArray  # who knew most steps after the held-out cutoffs
    positive_O: NDArray

    @classmethod
    def of(cls, tried: Tried, pairs: Sequence[tuple[NDArray, NDArray]]) -> Said:
        """From the candidates' forecasts at the origins and at the held-out cutoffs."""
        positive_O = tried.positive
        result_NOH = np.stack([possible(result, positive_O) for result, _ in pairs])
        before_NOJH = np.stack([possible(before, positive_O) for _, before in pairs])
        known_ON = np.asarray(np.isfinite(result_NOH).all(axis=2)).T
        own_OH, own_OJH = tried.quantiles_OHQ[..., MEDIAN], tried.before_OJHQ[..., MEDIAN]
        steps_NO = np.isfinite(before_NOJH).sum(axis=(2, 3))
        judged_ON = (2 * steps_NO >= np.isfinite(own_OJH).sum((1, 2))).T
        result_NOH = np.where(np.isfinite(result_NOH), result_NOH, own_OH)
        before_NOJH = np.where(np.isfinite(before_NOJH), before_NOJH, own_OJH)
        return cls(tried, result_NOH, before_NOJH, known_ON, judged_ON, positive_O)

    def only(self, chosen_N: NDArray) -> Said:
        """Some of the candidates."""
        return self._replace(
            result_NOH=self.result_NOH[chosen_N],
            before_NOJH=self.before_NOJH[chosen_N],
            known_ON=self.known_ON[:, chosen_N],
            judged_ON=self.judged_ON[:, chosen_N],
        )


def possible(values: NDArray, positive_O: NDArray) -> NDArray:
    """Forecasts (O, …), unknown where they are 0 or less and all that is known is above."""
    rows = positive_O.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows & (values <= 0), np.nan, values)


def apart_from(
    tried: Tried, result_NOH: NDArray, before_NOJH: NDArray, positive_O: NDArray
) -> Points:
    """How far the candidates lie from the network: in logarithms where all is positive."""
    own = on_axis(tried.quantiles_OHQ[..., MEDIAN], positive_O)
    own_before = on_axis(tried.before_OJHQ[..., MEDIAN], positive_O)
    return Points(
        np.stack([on_axis(result_OH, positive_O) - own for result_OH in result_NOH]),
        np.stack([on_axis(before_OJH, positive_O) - own_before for before_OJH in before_NOJH]),
    )


def held_to(points: Points, used_OJ: NDArray) -> Points:
    """The same, no candidate farther from the network than it nearly ever was before."""
    N, O, J, H = points.before_NOJH.shape
    distance = np.abs(points.before_NOJH).transpose(1, 2, 3, 0).reshape(O, J * H, N)
    known = np.repeat(used_OJ, H, axis=1)[:, :, None]
    ordered = np.sort(np.where(known & np.isfinite(distance), distance, np.inf), axis=1)
    count_O = H * used_OJ.sum(axis=1)
    rank_O = np.clip(np.ceil(MOST_APART * count_O).astype(np.int64) - 1, 0, J * H - 1)
    limit_ON = ordered[np.arange(O), rank_O]
    limit_NO1 = np.where(count_O > 0, limit_ON.T, np.inf)[:, :, None]
    return Points(
        np.clip(points.result_NOH, -limit_NO1, limit_NO1),
        np.clip(points.before_NOJH, -limit_NO1[..., None], limit_NO1[..., None]),
    )


def moved_by(tried: Tried, points: Points, shares: Shares, positive_O: NDArray) -> Tried:
    """The network's quantiles, moved to the median of the combination.

    At held-out cutoffs it is weighed as the other half of them says: by errors that it has not
    seen, so that intervals are no narrower than they must be.
    """
    away_OH = np.einsum("on,noh->oh", shares.now_ON, points.result_NOH)
    by_newer, by_older = (
        np.einsum("on,nojh->ojh", half_ON, points.before_NOJH)
        for half_ON in (shares.newer_ON, shares.older_ON)
    )
    away_OJH = np.where(shares.is_newer_OJ[..., None], by_older, by_newer)
    alone_O = shares.now_ON.sum(axis=1) == 0
    zero_O = axes_of(*tried) == ROOT

    def moved(own: NDArray, away: NDArray) -> NDArray:
        there = on_axis(own, positive_O) + away[..., None]
        there = back_from_axis(there, positive_O, alone_O, own)
        return from_zero(there, own, zero_O)

    quantiles_OHQ = moved(tried.quantiles_OHQ, away_OH)
    before_OJHQ = moved(tried.before_OJHQ, away_OJH)
    return Tried(quantiles_OHQ, before_OJHQ, tried.actual_OJH)


def from_zero(moved: NDArray, own: NDArray, zero_O: NDArray) -> NDArray:
    """Quantiles that were moved as ratios where values are 0 and none is below: bounds of 0 stay
    there, or an interval would no longer contain the commonest value."""
    rows = zero_O.reshape(-1, *[1] * (own.ndim - 1))
    middle, was = moved[..., MEDIAN : MEDIAN + 1], own[..., MEDIAN : MEDIAN + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(was > 0, np.clip(middle / was, *ZERO_RATIOS), 1.0)
    return np.where(rows, own * ratio, moved)


def back_from_axis(moved: NDArray, positive_O: NDArray, alone_O: NDArray, own: NDArray) -> NDArray:
    """Values from the axis of the combination; the network's own, to the last bit, where it is
    alone."""
    positive, alone = (rows.reshape(-1, *[1] * (own.ndim - 1)) for rows in (positive_O, alone_O))
    return np.where(alone, own, np.where(positive, from_axis(moved, log=True), moved))
