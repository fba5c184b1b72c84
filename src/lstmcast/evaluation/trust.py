"""The weight of future columns: the forecasts with and without them are averaged.

As in the forecast combination, relative errors of each series are shrunk towards those of the
others. Each held-out cutoff counts alike. A weight is the relative error to the power −16, since
two similar forecasts differ less by chance. With too few windows the columns are trusted, as the
regression has found evidence for them.

    O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import without_known
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import Decode, HeldOut, Tried
from lstmcast.evaluation.combination import Errors, drawn_together
from lstmcast.evaluation.held_out import per_origin
from lstmcast.evaluation.weights import FADE, RATIOS
from lstmcast.forecast import NETWORK, Combination, KnownParts
from lstmcast.model.heads import MEDIAN

POWER = 16.0
NEARLY_ALL = 0.95  # share of used effects above which no note is needed
SAME = 1e-9  # relative difference that is rounding
WITHOUT = "without known columns"  # name of the forecast without them


def trusted(
    with_columns: Tried, without_columns: Tried, held_out: HeldOut
) -> tuple[Tried, NDArray]:
    """The average of two forecasts at origins and at the held-out cutoffs before them, and the
    share (O,) of the one without columns.

    Steps for which the forecast with columns is unknown, closed times, stay unknown and are not
    scored.
    """
    with_OJH = with_columns.before_OJHQ[..., MEDIAN]
    without_OJH = without_columns.before_OJHQ[..., MEDIAN]
    actual_OJH = np.where(np.isnan(with_OJH), np.nan, with_columns.actual_OJH)
    share_O = shares_without(with_OJH, without_OJH, actual_OJH, held_out)
    averaged = Tried(
        quantiles_OHQ=average_of(
            with_columns.quantiles_OHQ, without_columns.quantiles_OHQ, share_O
        ),
        before_OJHQ=average_of(
            with_columns.before_OJHQ, without_columns.before_OJHQ, share_O
        ),
        actual_OJH=actual_OJH,
    )
    return averaged, share_O


def known_share(decode: Decode, panel: Panel, horizon: int) -> float:
    """The share of the effects of known columns that a trained network should use: the weight of
    the forecasts with them at held-out cutoffs, if they differ from those without; 1 if there are
    too few cutoffs."""
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    held_out = HeldOut.of(panel, origins)
    with_columns = held_out.tried(decode, panel, horizon)
    without_columns = held_out.tried(decode, without_known(panel), horizon)
    with_OJH = with_columns.before_OJHQ[..., MEDIAN]
    without_OJH = without_columns.before_OJHQ[..., MEDIAN]
    differ_OJH = np.abs(with_OJH - without_OJH) > SAME * np.abs(without_OJH)
    actual_OJH = np.where(differ_OJH, with_columns.actual_OJH, np.nan)
    share_O = shares_without(with_OJH, without_OJH, actual_OJH, held_out)
    return round(1.0 - float(share_O.mean()), 3)


def share_notes(panel: Panel) -> tuple[str, ...]:
    """A note if only a share of the effects of known columns is used."""
    share = panel.covariates.future.share
    if share > NEARLY_ALL:
        return ()
    return (
        f"{share:.0%} of the effects of the columns that are known in advance is used: at held-out "
        "cutoffs, the shipped network was not clearly better with all of them",
    )


def with_share(
    combination: Combination | None, share_O: NDArray, name: str = WITHOUT
) -> Combination:
    """The parts of a forecast with a share (O,) of another one, by default of the one without known
    columns."""
    if combination is None:
        combination = Combination((NETWORK,), np.ones((len(share_O), 1)))
    rest_O1 = 1 - share_O[:, None]
    shares = np.c_[combination.shares * rest_O1, share_O]
    return Combination((*combination.names, name), shares)


def trusted_parts(columns: KnownParts, combination: Combination | None) -> KnownParts:
    """The contribution of columns to a forecast that only uses a share of them."""
    if combination is None or WITHOUT not in combination.names:
        return columns
    place = combination.names.index(WITHOUT)
    share_O = 1.0 - combination.shares[:, place]
    effects_OHC = columns.effects_OHC * share_O[:, None, None]
    return columns._replace(effects_OHC=effects_OHC)


def shares_without(
    with_OJH: NDArray, without_OJH: NDArray, actual_OJH: NDArray, held_out: HeldOut
) -> NDArray:
    """The weight (O,) of the forecast without the columns: 0 if there are too few windows."""
    errors = Errors.of(without_OJH[None], with_OJH, actual_OJH, held_out)
    _, windows_O1 = errors.relative(errors.count_OJ > 0)
    ratio_O1 = typical_ratio(errors)[:, None]
    drawn_O1 = drawn_together(ratio_O1, windows_O1, held_out.groups)
    weight_O = np.exp(-POWER * drawn_O1[:, 0])
    return weight_O / (1.0 + weight_O)


def typical_ratio(errors: Errors) -> NDArray:
    """The mean over cutoffs of the logarithm of the error without columns, relative to the one with
    them (O,): of the sums, a few cutoffs with large errors would decide alone.

    >>> with_OJ, without_OJ, count_OJ = [[1.0, 1.0, 99.0]], [[2.0, 2.0, 33.0]], [[7, 7, 7]]
    >>> arrays = map(np.array, (with_OJ, [without_OJ], count_OJ, [3.0]))
    >>> typical_ratio(Errors(*arrays)).round(2)
    array([0.12])
    """
    without_OJ = errors.candidates_NOJ[0]
    usual_O1 = (errors.network_OJ + without_OJ).mean(axis=1, keepdims=True)
    none_O1 = SAME * np.where(usual_O1 > 0, usual_O1, 1.0)
    ratio_OJ = (without_OJ + none_O1) / (errors.network_OJ + none_O1)
    log_OJ = np.log(np.clip(ratio_OJ, *RATIOS))
    weight_OJ = FADE ** np.arange(log_OJ.shape[1]) * (errors.count_OJ > 0)
    total_O = weight_OJ.sum(axis=1)
    return (weight_OJ * log_OJ).sum(axis=1) / np.where(total_O > 0, total_O, 1.0)


def average_of(first: NDArray, second: NDArray, share_O: NDArray) -> NDArray:
    """Weighted average of two forecasts, where the second has this share; the first alone if the
    second is unknown."""
    share = per_origin(share_O, first)
    mean = (1 - share) * first + share * second
    return np.where(np.isnan(second), first, mean)
