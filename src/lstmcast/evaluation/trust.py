"""How far the columns that are known in advance are trusted: the forecast with them and the one
without, averaged as the held-out cutoffs say that each deserves.

As in the forecast combination, relative errors of each series are drawn towards those of the
others. A weight is the relative error to the power −16: two forecasts that are made alike differ
less by chance than others do. Where too few windows judge them, the columns are trusted, as the
regression has found evidence for them.

    O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.evaluation.calibration import HeldOut, Tried, groups_of
from lstmcast.evaluation.combination import Errors, drawn_together
from lstmcast.forecast import NETWORK, Combination, KnownParts
from lstmcast.model.heads import MEDIAN

POWER = 16.0
WITHOUT = "without known columns"  # what the forecast without them is called


def trusted(
    with_them: Tried, without: Tried, held_out: HeldOut, series: int
) -> tuple[Tried, NDArray]:
    """The average of two forecasts at origins and at the held-out cutoffs before them, and the
    share (O,) of the one without.

    What the forecast with the columns leaves open, closed steps, stays open and is not judged.
    """
    own_OJH = with_them.before_OJHQ[..., MEDIAN]
    actual_OJH = np.where(np.isnan(own_OJH), np.nan, with_them.actual_OJH)
    share_O = shares_without(
        own_OJH, without.before_OJHQ[..., MEDIAN], actual_OJH, held_out, series
    )
    averaged = Tried(
        _averaged(with_them.quantiles_OHQ, without.quantiles_OHQ, share_O),
        _averaged(with_them.before_OJHQ, without.before_OJHQ, share_O),
        actual_OJH,
    )
    return averaged, share_O


def with_share(made: Combination | None, share_O: NDArray, name: str = WITHOUT) -> Combination:
    """What a forecast was made of, where a share (O,) of it is another one: unless named, the one
    without known columns."""
    alone = Combination((NETWORK,), np.ones((len(share_O), 1)))
    names, shares_ON = (alone if made is None else made).names, (made or alone).shares
    return Combination((*names, name), np.c_[shares_ON * (1 - share_O[:, None]), share_O])


def trusted_parts(parts: KnownParts, made: Combination | None) -> KnownParts:
    """What columns add to a forecast of which only a share uses them."""
    if made is None or WITHOUT not in made.names:
        return parts
    share_O = 1.0 - made.shares[:, made.names.index(WITHOUT)]
    return parts._replace(effects_OHC=parts.effects_OHC * share_O[:, None, None])


def shares_without(
    own_OJH: NDArray, without_OJH: NDArray, actual_OJH: NDArray, held_out: HeldOut, series: int
) -> NDArray:
    """The weight (O,) of the forecast without the columns: none, where too few windows judge it."""
    errors = Errors.of(without_OJH[None], own_OJH, actual_OJH, held_out)
    ratio_O1, windows_O1 = errors.relative(errors.count_OJ > 0)
    drawn_O = drawn_together(ratio_O1, windows_O1, groups_of(held_out.origins, series))[:, 0]
    weight_O = np.exp(-POWER * drawn_O)
    return weight_O / (1.0 + weight_O)


def _averaged(own: NDArray, other: NDArray, share_O: NDArray) -> NDArray:
    share = share_O.reshape(-1, *[1] * (own.ndim - 1))
    return np.where(np.isnan(other), own, (1 - share) * own + share * other)
