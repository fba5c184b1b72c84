"""A combination whose shares are measured once, when a training ends, and kept.

O origins · H horizon · Q quantile levels · S series
N candidates, without the network; X with it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import axes_of, on_axis
from lstmcast.evaluation.candidates import Candidate, candidates_of
from lstmcast.evaluation.held_out import HeldBack, all_positive
from lstmcast.evaluation.methods import BEST, COMBINED, named
from lstmcast.evaluation.moving import back_from_axis, from_zero, possible
from lstmcast.evaluation.weights import FEWEST_WINDOWS, RATIOS, TRUST, least, shares_of
from lstmcast.forecast import NETWORK, Combination
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs.axis import ROOT


def weighed(
    method: str, panel: Panel, measured: HeldBack | None, own: Sequence[Candidate] = ()
) -> tuple[HeldBack | None, dict[str, float]]:
    """The forecasts of a combination where weights had not seen the data, and the shares of its
    candidates: the same for all series, as those are all that is measured of a fitted network."""
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *own)
    if method not in (COMBINED, BEST):
        shares = {named(method, candidates, panel).name: 1.0}
    elif measured is None:
        return None, {}
    else:
        shares = _measured_shares(method, candidates, panel, measured)
    if measured is None or not shares:
        return measured, shares
    moved, _ = mixed(shares, panel, measured.origins, measured.quantiles_OHQ, own)
    return measured._replace(quantiles_OHQ=moved), shares


def mixed(
    shares: Mapping[str, float],
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    own: Sequence[Candidate] = (),
) -> tuple[NDArray, Combination]:
    """The network's quantiles (O, H, Q), moved to the median of a combination whose shares are
    known, and what that was made of."""
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *own)
    chosen = [named(name, candidates, panel) for name in shares]
    horizon, median_OH = quantiles_OHQ.shape[1], quantiles_OHQ[..., MEDIAN]
    positive_O = all_positive(quantiles_OHQ)
    result_NOH = np.stack(
        [possible(one.points(panel, origins, horizon), positive_O) for one in chosen]
    )
    known_NO = np.asarray(np.isfinite(result_NOH).all(axis=2))
    result_NOH = np.where(known_NO[..., None], result_NOH, median_OH)
    median_OH = on_axis(median_OH, positive_O)
    shares_ON = np.where(known_NO.T, np.array(list(shares.values())), 0.0)
    apart_NOH = np.stack([on_axis(one_OH, positive_O) - median_OH for one_OH in result_NOH])
    away_OH = np.einsum("on,noh->oh", shares_ON, apart_NOH)
    moved = on_axis(quantiles_OHQ, positive_O) + away_OH[..., None]
    moved = back_from_axis(moved, positive_O, shares_ON.sum(axis=1) == 0, quantiles_OHQ)
    moved = from_zero(moved, quantiles_OHQ, axes_of(quantiles_OHQ) == ROOT)
    return moved, Combination((NETWORK, *shares), np.c_[1 - shares_ON.sum(axis=1), shares_ON])


def _measured_shares(
    method: str, candidates: Sequence[Candidate], panel: Panel, measured: HeldBack
) -> dict[str, float]:
    """The shares of the candidates, by name; those that weigh less than a thousandth left out."""
    origins, quantiles_OHQ, actual_OH = measured
    horizon, median_OH = actual_OH.shape[1], quantiles_OHQ[..., MEDIAN]
    points_NOH = np.stack([one.points(panel, origins, horizon) for one in candidates])
    some_N = np.isfinite(points_NOH).mean(axis=(1, 2)) > 0.5
    points_NOH = np.where(np.isfinite(points_NOH), points_NOH, median_OH)
    known_OH = np.isfinite(actual_OH) & np.isfinite(median_OH)
    points_XOH = np.concatenate([median_OH[None], points_NOH])
    error_XO = np.where(known_OH, np.abs(points_XOH - actual_OH), 0.0)
    error_XS, windows_S = _of_series(error_XO.sum(axis=2), known_OH, origins, horizon)
    judged_S = (error_XS[0] > 0) & (windows_S > 0)
    if windows_S[judged_S].sum() < FEWEST_WINDOWS:
        return {}
    ratio_NS = np.clip(error_XS[1:, judged_S] / error_XS[0, judged_S], *RATIOS)
    windows_S = windows_S[judged_S]
    ratio_N = (windows_S * np.log(ratio_NS)).sum(axis=1) / (windows_S.sum() + TRUST)
    ratio_N = np.where(some_N, ratio_N, np.inf)
    share_N = (shares_of if method == COMBINED else least)(ratio_N[None])[0]
    pairs = zip((one.name for one in candidates), share_N.tolist(), strict=True)
    return {name: share for name, share in pairs if share >= 1e-3}


def _of_series(
    error_XO: NDArray, known_OH: NDArray, origins: Origins, horizon: int
) -> tuple[NDArray, NDArray]:
    """Errors of each series (X, S), and how many windows that do not overlap they are of (S,)."""
    series, own_O = np.unique(origins.series, return_inverse=True)
    error_XS = np.zeros((len(error_XO), len(series)))
    first_S, last_S = np.full(len(series), 1 << 60), np.zeros(len(series), np.int64)
    steps_S = np.zeros(len(series))
    for error_O, error_S in zip(error_XO, error_XS, strict=True):
        np.add.at(error_S, own_O, error_O)
    np.minimum.at(first_S, own_O, origins.counts)
    np.maximum.at(last_S, own_O, origins.counts)
    np.add.at(steps_S, own_O, known_OH.sum(axis=1))
    return error_XS, np.minimum(steps_S, last_S - first_S + horizon) / horizon
