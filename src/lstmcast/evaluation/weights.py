"""The weights of a combination, from errors at held-out cutoffs.

O origins · J held-out cutoffs of each · H horizon
N candidates, without the network, which is what they are measured by
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.evaluation.held_out import HeldOut
from lstmcast.evaluation.methods import BEST, COMBINED
from lstmcast.evaluation.moving import Said
from lstmcast.model.heads import MEDIAN

POWER = 8.0
NETWORK_PRIOR = 8.0  # times the weight of a candidate whose errors are the network's
TRUST = 2.0  # windows of a series that weigh as much as what the other series say
FEWEST_WINDOWS = 3.0  # that do not overlap, of all series together, to weigh anything by
RATIOS = (0.1, 10.0)  # of two errors that count, the smallest and the largest


class Shares(NamedTuple):
    """Weights of the candidates: of a forecast, and as the halves of its held-out cutoffs say."""

    now_ON: NDArray
    newer_ON: NDArray
    older_ON: NDArray
    is_newer_OJ: NDArray  # which cutoffs the newer half are

    def rows(self, rows: slice) -> Shares:
        """Those of some origins."""
        return Shares(*(part[rows] for part in self))


def weights_by(method: str, judged: Judged, groups: Sequence[NDArray]) -> Shares:
    """The weights that a method gives: all to the one that was named, or what the errors say."""
    errors, usable_ON, known_ON = judged
    if method in (COMBINED, BEST):
        return _all_shares(errors, usable_ON, groups, shares_of if method == COMBINED else least)
    alone_ON, newer_OJ = known_ON.astype(float), np.zeros(errors.own_OJ.shape, bool)
    return Shares(alone_ON, alone_ON, alone_ON, newer_OJ)


def _all_shares(
    errors: Errors,
    usable_ON: NDArray,
    groups: Sequence[NDArray],
    weigh: Callable[[NDArray], NDArray],
) -> Shares:
    """What all held-out cutoffs say, and each half of them where that is enough."""
    used_OJ = errors.count_OJ > 0
    is_newer_OJ = 2 * np.cumsum(used_OJ, axis=1) <= used_OJ.sum(axis=1, keepdims=True)

    def drawn(chosen_OJ: NDArray) -> NDArray:
        ratio_ON, windows_ON = errors.relative(chosen_OJ)
        return drawn_together(ratio_ON, windows_ON * usable_ON, groups)

    every_ON = drawn(used_OJ)
    newer_ON, older_ON = drawn(used_OJ & is_newer_OJ), drawn(used_OJ & ~is_newer_OJ)
    newer_ON = np.where(np.isinf(newer_ON), every_ON, newer_ON)
    older_ON = np.where(np.isinf(older_ON), every_ON, older_ON)
    every_ON, newer_ON, older_ON = (
        weigh(np.where(usable_ON, ratio_ON, np.inf)) for ratio_ON in (every_ON, newer_ON, older_ON)
    )
    return Shares(every_ON, newer_ON, older_ON, is_newer_OJ)


def mostly_zero(actual_OJH: NDArray) -> NDArray:
    """Where more than half of the values were 0 (O,): their median is 0, which the network knows,
    and means of cycles would lift.

    >>> mostly_zero(np.array([[[0.0, 0.0, 3.0]], [[0.0, 2.0, np.nan]]]))
    array([ True, False])
    """
    known_O = np.isfinite(actual_OJH).sum(axis=(1, 2))
    return 2 * (actual_OJH == 0).sum(axis=(1, 2)) > known_O


class Errors(NamedTuple):
    """Sums of absolute errors at each held-out cutoff."""

    own_OJ: NDArray  # the network's
    candidates_NOJ: NDArray
    count_OJ: NDArray  # how many values they are of
    windows_O: NDArray  # horizons that do not overlap, from the first cutoff to the origin

    @classmethod
    def of(
        cls, before_NOJH: NDArray, own_OJH: NDArray, actual_OJH: NDArray, held_out: HeldOut
    ) -> Errors:
        """Those of forecasts of the held-out cutoffs."""
        own_OJH = np.abs(own_OJH - actual_OJH)
        known_OJH = np.isfinite(own_OJH)
        errors_NOJ = [
            np.where(known_OJH, np.abs(before_OJH - actual_OJH), 0.0).sum(axis=2)
            for before_OJH in before_NOJH
        ]
        own_OJ, count_OJ = np.where(known_OJH, own_OJH, 0.0).sum(axis=2), known_OJH.sum(axis=2)
        origin_O1, horizon = held_out.origins.counts[:, None], known_OJH.shape[2]
        first_OJ = np.where(held_out.counts_OJ > 0, held_out.counts_OJ, origin_O1)
        ahead_OJ = np.where(held_out.counts_OJ > 0, origin_O1 - held_out.counts_OJ, 0)
        share_O = count_OJ.sum(axis=1) / np.maximum(np.minimum(ahead_OJ, horizon).sum(axis=1), 1)
        windows_O = share_O * (origin_O1 - first_OJ).max(axis=1) / horizon
        return cls(own_OJ, np.stack(errors_NOJ), count_OJ, windows_O)

    def relative(self, chosen_OJ: NDArray) -> tuple[NDArray, NDArray]:
        """Logarithms of the candidates' errors relative to the network's at some of the cutoffs
        (O, N), and how many windows that do not overlap say so (O, N)."""
        own_O = np.where(chosen_OJ, self.own_OJ, 0.0).sum(axis=1)
        error_NO = np.where(chosen_OJ, self.candidates_NOJ, 0.0).sum(axis=2)
        # Where the network made no error there is nothing to better.
        judged_O = (own_O > 0) & np.isfinite(own_O) & np.isfinite(error_NO).all(axis=0)
        ratio_NO = np.where(judged_O, error_NO, 1.0) / np.where(judged_O, own_O, 1.0)
        share_O = np.where(chosen_OJ, self.count_OJ, 0).sum(axis=1)
        share_O = share_O / np.maximum(self.count_OJ.sum(axis=1), 1)
        windows_O = np.where(judged_O, share_O * self.windows_O, 0.0)
        log_ON = np.log(np.clip(ratio_NO, *RATIOS)).T
        return log_ON, np.broadcast_to(windows_O[:, None], log_ON.shape)


class Judged(NamedTuple):
    """What decides the weights: errors, and whose may be used; whose forecasts are whole."""

    errors: Errors
    usable_ON: NDArray
    known_ON: NDArray

    @classmethod
    def of(cls, said: Said, held_out: HeldOut) -> Judged:
        """Of what was said of some origins."""
        actual_OJH, own_OJH = said.tried.actual_OJH, said.tried.before_OJHQ[..., MEDIAN]
        errors = Errors.of(said.before_NOJH, own_OJH, actual_OJH, held_out)
        usable_ON = said.known_ON & said.judged_ON & ~mostly_zero(actual_OJH)[:, None]
        return cls(errors, usable_ON, said.known_ON)

    @classmethod
    def all(cls, parts: Sequence[Judged]) -> Judged:
        """That of all origins."""
        own, candidates, count, windows = zip(*(part.errors for part in parts), strict=True)
        errors = Errors(
            np.concatenate(own),
            np.concatenate(candidates, axis=1),
            np.concatenate(count),
            np.concatenate(windows),
        )
        usable, known = zip(*(part[1:] for part in parts), strict=True)
        return cls(errors, np.concatenate(usable), np.concatenate(known))

    def only(self, chosen_N: NDArray) -> Judged:
        """That of some candidates."""
        errors = self.errors._replace(candidates_NOJ=self.errors.candidates_NOJ[chosen_N])
        return Judged(errors, self.usable_ON[:, chosen_N], self.known_ON[:, chosen_N])


def drawn_together(ratio_ON: NDArray, windows_ON: NDArray, groups: Sequence[NDArray]) -> NDArray:
    """Relative errors of each series, drawn towards those of the others, and these towards none.

    Args:
        ratio_ON: logarithms of relative errors.
        windows_ON: windows that each of them was measured in.
        groups: origins that share what they say: the k-th cutoff of each series.

    >>> ratio, windows = np.array([[1.0], [0.0]]), np.array([[2.0], [2.0]])
    >>> drawn_together(ratio, windows, [np.arange(2)])
    array([[0.5 ],
           [0.25]])
    """
    result_ON = np.zeros_like(ratio_ON)
    for group in groups:
        windows_GN, ratio_GN = windows_ON[group], ratio_ON[group]
        measured_GN = windows_GN * ratio_GN
        others_GN = windows_GN.sum(axis=0) - windows_GN
        pooled_GN = (measured_GN.sum(axis=0) - measured_GN) / (others_GN + TRUST)
        drawn_GN = (measured_GN + TRUST * pooled_GN) / (windows_GN + TRUST)
        few_N = windows_GN.sum(axis=0) < FEWEST_WINDOWS
        result_ON[group] = np.where(few_N, np.inf, drawn_GN)
    return result_ON


def shares_of(ratio_ON: NDArray) -> NDArray:
    """Weights of the candidates (O, N) from logarithms of relative errors; with the network's they
    add up to 1. Infinite ones weigh nothing.

    >>> shares_of(np.log([[1.0, 0.5], [np.inf, np.inf]])).round(2)
    array([[0.  , 0.97],
           [0.  , 0.  ]])
    """
    weight_ON = np.exp(-POWER * ratio_ON)
    return weight_ON / (NETWORK_PRIOR + weight_ON.sum(axis=1, keepdims=True))


def least(ratio_ON: NDArray) -> NDArray:
    """All the weight (O, N) for the candidate with the least error; none where the network's is.

    >>> least(np.log([[1.1, 0.5], [1.1, 2.0]]))
    array([[0., 1.],
           [0., 0.]])
    """
    best_O1 = ratio_ON.argmin(axis=1)[:, None]
    chosen_ON = np.arange(ratio_ON.shape[1]) == best_O1
    return np.where(chosen_ON & (ratio_ON < 0), 1.0, 0.0)
