"""Combinations with shares that are measured once, when training ends.

O origins · H horizon · Q quantile levels · S series
N candidates, without the network; X with it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import axes_of, on_axis
from lstmcast.evaluation.candidates import Candidate, candidates_of, trust_of
from lstmcast.evaluation.held_out import HeldBack, all_positive
from lstmcast.evaluation.methods import BEST, COMBINED, named
from lstmcast.evaluation.moving import back_from_axis, from_zero, possible
from lstmcast.evaluation.weights import FEWEST_WINDOWS, RATIOS, TRUST, least, shares_of
from lstmcast.forecast import NETWORK, Combination
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs.axis import ROOT


def weighed(
    method: str,
    panel: Panel,
    measured: HeldBack | None,
    extra: Sequence[Candidate] = (),
) -> tuple[HeldBack | None, dict[str, float]]:
    """The forecasts of a combination by weights that had not seen the data, and the shares of its
    candidates: equal for all series, as they are all that is stored with a fitted network."""
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *extra)
    if method not in (COMBINED, BEST):
        shares = {named(method, candidates, panel).name: 1.0}
    elif measured is None:
        return None, {}
    else:
        shares = _measured_shares(method, candidates, panel, measured)
    if measured is None or not shares:
        return measured, shares
    quantiles_OHQ, _ = mixed(
        shares, panel, measured.origins, measured.quantiles_OHQ, extra
    )
    return measured._replace(quantiles_OHQ=quantiles_OHQ), shares


def mixed(
    shares: Mapping[str, float],
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    extra: Sequence[Candidate] = (),
) -> tuple[NDArray, Combination]:
    """The network's quantiles (O, H, Q) moved to the median of a combination with known shares, and
    the combination."""
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *extra)
    horizon = quantiles_OHQ.shape[1]
    positive_O = all_positive(quantiles_OHQ)
    points = []
    for name in shares:
        candidate = named(name, candidates, panel)
        point_OH = candidate.points(panel, origins, horizon)
        points.append(possible(point_OH, positive_O))
    result_NOH = np.stack(points)
    known_NO = np.asarray(np.isfinite(result_NOH).all(axis=2))
    shares_ON = np.where(known_NO.T, np.array(list(shares.values())), 0.0)
    median_OH = quantiles_OHQ[..., MEDIAN]
    result_NOH = np.where(known_NO[..., None], result_NOH, median_OH)
    on_axis_OH = on_axis(median_OH, positive_O)
    distances = [on_axis(point_OH, positive_O) - on_axis_OH for point_OH in result_NOH]
    away_OH = np.einsum("on,noh->oh", shares_ON, np.stack(distances))
    shifted_OHQ = on_axis(quantiles_OHQ, positive_O) + away_OH[..., None]
    alone_O = shares_ON.sum(axis=1) == 0
    shifted_OHQ = back_from_axis(shifted_OHQ, positive_O, alone_O, quantiles_OHQ)
    zero_O = axes_of(quantiles_OHQ) == ROOT
    shifted_OHQ = from_zero(shifted_OHQ, quantiles_OHQ, zero_O)
    all_shares = np.c_[1 - shares_ON.sum(axis=1), shares_ON]
    return shifted_OHQ, Combination((NETWORK, *shares), all_shares)


def _measured_shares(
    method: str, candidates: Sequence[Candidate], panel: Panel, measured: HeldBack
) -> dict[str, float]:
    """The shares of the candidates by name, without those below a thousandth."""
    origins, quantiles_OHQ, actual_OH = measured
    horizon = actual_OH.shape[1]
    median_OH = quantiles_OHQ[..., MEDIAN]
    points_NOH = np.stack(
        [candidate.points(panel, origins, horizon) for candidate in candidates]
    )
    is_point_NOH = np.isfinite(points_NOH)
    knows_most_N = is_point_NOH.mean(axis=(1, 2)) > 0.5
    points_NOH = np.where(is_point_NOH, points_NOH, median_OH)
    points_XOH = np.concatenate([median_OH[None], points_NOH])
    known_OH = np.isfinite(actual_OH) & np.isfinite(median_OH)
    error_XOH = np.where(known_OH, np.abs(points_XOH - actual_OH), 0.0)
    by_series = _by_series(error_XOH.sum(axis=2), known_OH, origins)
    if by_series.windows_S.sum() < FEWEST_WINDOWS:
        return {}
    ratio_N = np.where(knows_most_N, by_series.ratio_N(), np.inf)
    if method == COMBINED:
        share_N = shares_of(ratio_N[None], trust_of(candidates))[0]
    else:
        share_N = least(ratio_N[None])[0]
    shares = {}
    for candidate, share in zip(candidates, share_N.tolist(), strict=True):
        if share >= 1e-3:
            shares[candidate.name] = share
    return shares


class SeriesErrors(NamedTuple):
    """Errors of the network and of each candidate by series, and the number of non-overlapping
    windows, for series in which the network has an error."""

    error_XS: NDArray
    windows_S: NDArray

    def ratio_N(self) -> NDArray:
        """The logarithm of each candidate's error relative to the network's, over all series."""
        ratio_NS = np.clip(self.error_XS[1:] / self.error_XS[0], *RATIOS)
        total_N = (self.windows_S * np.log(ratio_NS)).sum(axis=1)
        return total_N / (self.windows_S.sum() + TRUST)


def _by_series(error_XO: NDArray, known_OH: NDArray, origins: Origins) -> SeriesErrors:
    horizon = known_OH.shape[1]
    series, series_of_O = np.unique(origins.series, return_inverse=True)
    error_XS = np.zeros((len(error_XO), len(series)))
    for error_O, error_S in zip(error_XO, error_XS, strict=True):
        np.add.at(error_S, series_of_O, error_O)
    first_S = np.full(len(series), 1 << 60)
    np.minimum.at(first_S, series_of_O, origins.counts)
    last_S = np.zeros(len(series), np.int64)
    np.maximum.at(last_S, series_of_O, origins.counts)
    steps_S = np.zeros(len(series))
    np.add.at(steps_S, series_of_O, known_OH.sum(axis=1))
    windows_S = np.minimum(steps_S, last_S - first_S + horizon) / horizon
    judged_S = (error_XS[0] > 0) & (windows_S > 0)
    return SeriesErrors(error_XS[:, judged_S], windows_S[judged_S])
