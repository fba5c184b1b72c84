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
from lstmcast.evaluation.held_out import Tried, per_origin
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


class Answers(NamedTuple):
    """What the candidates answer for some steps; what one does not know, the network answers."""

    network: Tried  # what the network answers
    result_NOH: NDArray
    before_NOJH: NDArray
    known_ON: NDArray  # who knew all steps
    judged_ON: NDArray  # who knew most steps after the held-out cutoffs
    positive_O: NDArray

    @classmethod
    def of(cls, network: Tried, points: Sequence[tuple[NDArray, NDArray]]) -> Answers:
        """From the candidates' forecasts at the origins and at the held-out cutoffs."""
        positive_O = network.positive
        result_NOH = np.stack([possible(point_OH, positive_O) for point_OH, _ in points])
        before_NOJH = np.stack([possible(point_OJH, positive_O) for _, point_OJH in points])
        is_result_NOH = np.isfinite(result_NOH)
        is_before_NOJH = np.isfinite(before_NOJH)
        network_OJH = network.before_OJHQ[..., MEDIAN]
        network_steps_O = np.isfinite(network_OJH).sum((1, 2))
        steps_NO = is_before_NOJH.sum(axis=(2, 3))
        network_OH = network.quantiles_OHQ[..., MEDIAN]
        return cls(
            network=network,
            result_NOH=np.where(is_result_NOH, result_NOH, network_OH),
            before_NOJH=np.where(is_before_NOJH, before_NOJH, network_OJH),
            known_ON=np.asarray(is_result_NOH.all(axis=2)).T,
            judged_ON=(2 * steps_NO >= network_steps_O).T,
            positive_O=positive_O,
        )

    def only(self, rows_N: NDArray) -> Answers:
        """Some of the candidates."""
        return self._replace(
            result_NOH=self.result_NOH[rows_N],
            before_NOJH=self.before_NOJH[rows_N],
            known_ON=self.known_ON[:, rows_N],
            judged_ON=self.judged_ON[:, rows_N],
        )

    def distances(self) -> Points:
        """How far the candidates lie from the network: in logarithms where all is positive."""
        network_OH = self._on_axis(self.network.quantiles_OHQ[..., MEDIAN])
        network_OJH = self._on_axis(self.network.before_OJHQ[..., MEDIAN])
        return Points(
            result_NOH=np.stack([self._on_axis(point) - network_OH for point in self.result_NOH]),
            before_NOJH=np.stack(
                [self._on_axis(point) - network_OJH for point in self.before_NOJH]
            ),
        )

    def _on_axis(self, values: NDArray) -> NDArray:
        return on_axis(values, self.positive_O)


def possible(values: NDArray, positive_O: NDArray) -> NDArray:
    """Forecasts (O, …), unknown where they are 0 or less and all that is known is above."""
    is_positive = per_origin(positive_O, values)
    return np.where(is_positive & (values <= 0), np.nan, values)


def held_to(points: Points, used_OJ: NDArray) -> Points:
    """The same, no candidate farther from the network than it nearly ever was before."""
    N, O, J, H = points.before_NOJH.shape
    distance_OJHN = np.abs(points.before_NOJH).transpose(1, 2, 3, 0)
    distance = distance_OJHN.reshape(O, J * H, N)
    is_used = np.repeat(used_OJ, H, axis=1)[:, :, None]
    is_known = is_used & np.isfinite(distance)
    ordered = np.sort(np.where(is_known, distance, np.inf), axis=1)
    count_O = H * used_OJ.sum(axis=1)
    rank_O = np.ceil(MOST_APART * count_O).astype(np.int64) - 1
    rank_O = np.clip(rank_O, 0, J * H - 1)
    limit_ON = ordered[np.arange(O), rank_O]
    limit_NO = np.where(count_O > 0, limit_ON.T, np.inf)
    limit_NO1 = limit_NO[:, :, None]
    limit_NO11 = limit_NO1[..., None]
    return Points(
        result_NOH=np.clip(points.result_NOH, -limit_NO1, limit_NO1),
        before_NOJH=np.clip(points.before_NOJH, -limit_NO11, limit_NO11),
    )


def moved_by(network: Tried, points: Points, shares: Shares, positive_O: NDArray) -> Tried:
    """The network's quantiles, moved to the median of the combination.

    At held-out cutoffs it is weighed as the other half of them says: by errors that it has not
    seen, so that intervals are no narrower than they must be.
    """
    away_OH = np.einsum("on,noh->oh", shares.now_ON, points.result_NOH)
    by_newer_OJH = np.einsum("on,nojh->ojh", shares.newer_ON, points.before_NOJH)
    by_older_OJH = np.einsum("on,nojh->ojh", shares.older_ON, points.before_NOJH)
    is_newer_OJ1 = shares.is_newer_OJ[..., None]
    away_OJH = np.where(is_newer_OJ1, by_older_OJH, by_newer_OJH)
    alone_O = shares.now_ON.sum(axis=1) == 0
    zero_O = axes_of(*network) == ROOT

    def moved(quantiles: NDArray, away: NDArray) -> NDArray:
        shifted = on_axis(quantiles, positive_O) + away[..., None]
        shifted = back_from_axis(shifted, positive_O, alone_O, quantiles)
        return from_zero(shifted, quantiles, zero_O)

    return Tried(
        quantiles_OHQ=moved(network.quantiles_OHQ, away_OH),
        before_OJHQ=moved(network.before_OJHQ, away_OJH),
        actual_OJH=network.actual_OJH,
    )


def from_zero(shifted: NDArray, network: NDArray, zero_O: NDArray) -> NDArray:
    """Quantiles that were moved as ratios where values are 0 and none is below: bounds of 0 stay
    there, or an interval would no longer contain the commonest value."""
    shifted_median = shifted[..., MEDIAN : MEDIAN + 1]
    network_median = network[..., MEDIAN : MEDIAN + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(shifted_median / network_median, *ZERO_RATIOS)
        ratio = np.where(network_median > 0, ratio, 1.0)
    has_zeros = per_origin(zero_O, network)
    return np.where(has_zeros, network * ratio, shifted)


def back_from_axis(
    shifted: NDArray, positive_O: NDArray, alone_O: NDArray, network: NDArray
) -> NDArray:
    """Values from the axis of the combination; the network's own, to the last bit, where it is
    alone."""
    is_positive = per_origin(positive_O, network)
    is_alone = per_origin(alone_O, network)
    values = np.where(is_positive, from_axis(shifted, log=True), shifted)
    return np.where(is_alone, network, values)
