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

# quantile of a candidate's distances from the network, beyond which it is limited
MOST_APART = 0.95
# Bounds of the ratio of a moved median to the network's, for series with zeros.
ZERO_RATIOS = (0.25, 4.0)


class Points(NamedTuple):
    """Forecasts of the candidates on the axis of the combination, minus those of the network."""

    result_NOH: NDArray
    before_NOJH: NDArray


class Answers(NamedTuple):
    """Forecasts of the candidates for some steps; the network's where a candidate has none."""

    network: Tried  # forecasts of the network
    result_NOH: NDArray
    before_NOJH: NDArray
    known_ON: NDArray  # candidates that know all steps
    judged_ON: NDArray  # candidates that know most steps after the held-out cutoffs
    positive_O: NDArray

    @classmethod
    def of(cls, network: Tried, points: Sequence[tuple[NDArray, NDArray]]) -> Answers:
        """From the candidates' forecasts at the origins and at the held-out cutoffs."""
        positive_O = network.positive
        result_NOH = np.stack(
            [possible(point_OH, positive_O) for point_OH, _ in points]
        )
        before_NOJH = np.stack(
            [possible(point_OJH, positive_O) for _, point_OJH in points]
        )
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
        """A subset of the candidates."""
        return self._replace(
            result_NOH=self.result_NOH[rows_N],
            before_NOJH=self.before_NOJH[rows_N],
            known_ON=self.known_ON[:, rows_N],
            judged_ON=self.judged_ON[:, rows_N],
        )

    def distances(self) -> Points:
        """Distances of the candidates from the network, in logarithms if all values are
        positive."""
        network_OH = self._on_axis(self.network.quantiles_OHQ[..., MEDIAN])
        network_OJH = self._on_axis(self.network.before_OJHQ[..., MEDIAN])
        return Points(
            result_NOH=np.stack(
                [self._on_axis(point) - network_OH for point in self.result_NOH]
            ),
            before_NOJH=np.stack(
                [self._on_axis(point) - network_OJH for point in self.before_NOJH]
            ),
        )

    def _on_axis(self, values: NDArray) -> NDArray:
        return on_axis(values, self.positive_O)


def possible(values: NDArray, positive_O: NDArray) -> NDArray:
    """Forecasts (O, …), NaN if they are not positive although all known values are."""
    is_positive = per_origin(positive_O, values)
    return np.where(is_positive & (values <= 0), np.nan, values)


def held_to(points: Points, used_OJ: NDArray) -> Points:
    """The same, with the distance of each candidate limited by its earlier distances."""
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


def moved_by(
    network: Tried, points: Points, shares: Shares, positive_O: NDArray
) -> Tried:
    """The network's quantiles, moved to the median of the combination.

    The weights at held-out cutoffs come from the other half of them, that is, from errors that
    do not include them; otherwise intervals would be too narrow.
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
    """Keep quantiles that were moved as ratios at 0 where the network's are, for series with zeros:
    an interval would otherwise exclude the most common value."""
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
    """Values from the axis of the combination; the network's own, bit for bit, where it has all
    the weight."""
    is_positive = per_origin(positive_O, network)
    is_alone = per_origin(alone_O, network)
    values = np.where(is_positive, from_axis(shifted, log=True), shifted)
    return np.where(is_alone, network, values)
