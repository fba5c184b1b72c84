"""The weights of a combination, from errors at held-out cutoffs.

O origins · J held-out cutoffs of each · H horizon
N candidates, without the network, which is the reference
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.evaluation.held_out import HeldOut
from lstmcast.evaluation.methods import BEST, COMBINED
from lstmcast.evaluation.moving import Answers
from lstmcast.model.heads import MEDIAN

POWER = 8.0
TRUST = 2.0  # windows of a series that weigh as much as the other series
# non-overlapping windows of all series together that are needed for weights
FEWEST_WINDOWS = 3.0
# log relative errors for which a single window is enough: of a series with values, and of one that
# is mostly 0
CLEAR, CLEAR_OF_ZEROS = np.log(0.5), np.log(0.25)
# weight of a held-out cutoff relative to the next newer one: what was best before a season changed,
# or growth stopped, need not be best now
FADE = 0.96
RATIOS = (0.1, 10.0)  # bounds of error ratios


class Shares(NamedTuple):
    """Weights of the candidates: for the forecast, and for each half of its held-out cutoffs."""

    now_ON: NDArray
    newer_ON: NDArray
    older_ON: NDArray
    is_newer_OJ: NDArray  # the cutoffs of the newer half

    def rows(self, rows: slice) -> Shares:
        """A subset of the origins."""
        return Shares(
            now_ON=self.now_ON[rows],
            newer_ON=self.newer_ON[rows],
            older_ON=self.older_ON[rows],
            is_newer_OJ=self.is_newer_OJ[rows],
        )


def weights_by(
    method: str, judged: Judged, groups: Sequence[NDArray], trust_N: NDArray
) -> Shares:
    """The weights of a method: all for a named candidate, otherwise derived from errors."""
    if method == COMBINED:
        return _all_shares(judged, groups, partial(shares_of, trust_N=trust_N))
    if method == BEST:
        return _all_shares(judged, groups, least)
    alone_ON = judged.known_ON.astype(float)
    is_newer_OJ = np.zeros(judged.errors.network_OJ.shape, bool)
    return Shares(alone_ON, alone_ON, alone_ON, is_newer_OJ)


def _all_shares(
    judged: Judged,
    groups: Sequence[NDArray],
    weigh: Callable[[NDArray], NDArray],
) -> Shares:
    """Shares from all held-out cutoffs, and from each half if there are enough."""
    used_OJ = judged.errors.count_OJ > 0
    rank_OJ = np.cumsum(used_OJ, axis=1)
    is_newer_OJ = 2 * rank_OJ <= used_OJ.sum(axis=1, keepdims=True)

    def drawn(cutoffs_OJ: NDArray) -> NDArray:
        ratio_ON, windows_ON = judged.errors.relative(cutoffs_OJ)
        return drawn_together(ratio_ON, windows_ON * judged.usable_ON, groups)

    def weighed(ratio_ON: NDArray) -> NDArray:
        return weigh(np.where(judged.usable_ON, ratio_ON, np.inf))

    every_ON = drawn(used_OJ)
    newer_ON = drawn(used_OJ & is_newer_OJ)
    newer_ON = np.where(np.isinf(newer_ON), every_ON, newer_ON)
    older_ON = drawn(used_OJ & ~is_newer_OJ)
    older_ON = np.where(np.isinf(older_ON), every_ON, older_ON)
    return Shares(
        now_ON=weighed(every_ON),
        newer_ON=weighed(newer_ON),
        older_ON=weighed(older_ON),
        is_newer_OJ=is_newer_OJ,
    )


def mostly_zero(actual_OJH: NDArray) -> NDArray:
    """Whether more than half of the values were 0 (O,): their median is 0, which the network
    represents, while means of cycles would raise it.

    >>> mostly_zero(np.array([[[0.0, 0.0, 3.0]], [[0.0, 2.0, np.nan]]]))
    array([ True, False])
    """
    known_O = np.isfinite(actual_OJH).sum(axis=(1, 2))
    zeros_O = (actual_OJH == 0).sum(axis=(1, 2))
    return 2 * zeros_O > known_O


class Errors(NamedTuple):
    """Sums of absolute errors at each held-out cutoff."""

    network_OJ: NDArray
    candidates_NOJ: NDArray
    count_OJ: NDArray  # number of values in the sums
    windows_O: NDArray  # non-overlapping horizons from the first cutoff to the origin

    @classmethod
    def of(
        cls,
        before_NOJH: NDArray,
        network_OJH: NDArray,
        actual_OJH: NDArray,
        held_out: HeldOut,
    ) -> Errors:
        """The errors of forecasts at the held-out cutoffs."""
        network_error_OJH = np.abs(network_OJH - actual_OJH)
        known_OJH = np.isfinite(network_error_OJH)

        def total(error_OJH: NDArray) -> NDArray:
            return np.where(known_OJH, error_OJH, 0.0).sum(axis=2)

        totals = [total(np.abs(before_OJH - actual_OJH)) for before_OJH in before_NOJH]
        count_OJ = known_OJH.sum(axis=2)
        return cls(
            network_OJ=total(network_error_OJH),
            candidates_NOJ=np.stack(totals),
            count_OJ=count_OJ,
            windows_O=_windows(count_OJ, held_out, known_OJH.shape[2]),
        )

    def relative(self, cutoffs_OJ: NDArray) -> tuple[NDArray, NDArray]:
        """Log errors of the candidates relative to the network at some of the cutoffs (O, N), and
        the number of non-overlapping windows behind them (O, N)."""
        fading_J = FADE ** np.arange(cutoffs_OJ.shape[1])  # the newest cutoff first
        network_OJ = np.where(cutoffs_OJ, self.network_OJ, 0.0)
        network_O = (fading_J * network_OJ).sum(axis=1)
        error_NOJ = np.where(cutoffs_OJ, self.candidates_NOJ, 0.0)
        error_NO = (fading_J * error_NOJ).sum(axis=2)
        # If the network made no error, nothing can be better.
        judged_O = (network_O > 0) & np.isfinite(network_O)
        judged_O &= np.isfinite(error_NO).all(axis=0)
        divisor_O = np.where(judged_O, network_O, 1.0)
        ratio_NO = np.where(judged_O, error_NO, 1.0) / divisor_O
        count_O = np.where(cutoffs_OJ, self.count_OJ, 0).sum(axis=1)
        share_O = count_O / np.maximum(self.count_OJ.sum(axis=1), 1)
        windows_O = np.where(judged_O, share_O * self.windows_O, 0.0)
        log_ON = np.log(np.clip(ratio_NO, *RATIOS)).T
        return log_ON, np.broadcast_to(windows_O[:, None], log_ON.shape)


class Judged(NamedTuple):
    """The basis of the weights: errors, which candidates may be used, and which are complete."""

    errors: Errors
    usable_ON: NDArray
    known_ON: NDArray

    @classmethod
    def of(cls, answers: Answers, held_out: HeldOut) -> Judged:
        """The basis from the forecasts for some origins."""
        actual_OJH = answers.network.actual_OJH
        network_OJH = answers.network.before_OJHQ[..., MEDIAN]
        errors = Errors.of(answers.before_NOJH, network_OJH, actual_OJH, held_out)
        used_OJ = errors.count_OJ > 0
        ratio_ON, _ = errors.relative(used_OJ)
        is_clear_ON = ratio_ON < CLEAR_OF_ZEROS
        has_values_O = ~mostly_zero(actual_OJH)
        counts_ON = is_clear_ON | has_values_O[:, None]
        usable_ON = answers.known_ON & answers.judged_ON & counts_ON
        return cls(errors, usable_ON, answers.known_ON)

    @classmethod
    def all(cls, batches: Sequence[Judged]) -> Judged:
        """The basis of all origins, joined."""
        by_batch = [batch.errors for batch in batches]
        errors = Errors(
            network_OJ=np.concatenate([errors.network_OJ for errors in by_batch]),
            candidates_NOJ=np.concatenate(
                [errors.candidates_NOJ for errors in by_batch], axis=1
            ),
            count_OJ=np.concatenate([errors.count_OJ for errors in by_batch]),
            windows_O=np.concatenate([errors.windows_O for errors in by_batch]),
        )
        return cls(
            errors=errors,
            usable_ON=np.concatenate([batch.usable_ON for batch in batches]),
            known_ON=np.concatenate([batch.known_ON for batch in batches]),
        )

    def only(self, rows_N: NDArray) -> Judged:
        """A subset of the candidates."""
        candidates_NOJ = self.errors.candidates_NOJ[rows_N]
        return Judged(
            errors=self.errors._replace(candidates_NOJ=candidates_NOJ),
            usable_ON=self.usable_ON[:, rows_N],
            known_ON=self.known_ON[:, rows_N],
        )


def _windows(count_OJ: NDArray, held_out: HeldOut, horizon: int) -> NDArray:
    """The number of non-overlapping horizons between the first cutoff and the origin (O,), reduced
    for missing values."""
    cutoffs_OJ = held_out.counts_OJ
    origin_O1 = held_out.origins.counts[:, None]
    is_cutoff_OJ = cutoffs_OJ > 0
    first_OJ = np.where(is_cutoff_OJ, cutoffs_OJ, origin_O1)
    ahead_OJ = np.where(is_cutoff_OJ, origin_O1 - cutoffs_OJ, 0)
    possible_O = np.minimum(ahead_OJ, horizon).sum(axis=1)
    share_O = count_OJ.sum(axis=1) / np.maximum(possible_O, 1)
    longest_O = (origin_O1 - first_OJ).max(axis=1)
    return share_O * longest_O / horizon


def drawn_together(
    ratio_ON: NDArray, windows_ON: NDArray, groups: Sequence[NDArray]
) -> NDArray:
    """Shrink relative errors of each series towards those of the others, and these towards 0.

    Args:
        ratio_ON: logarithms of relative errors.
        windows_ON: number of windows behind each of them.
        groups: origins that are shrunk together: the k-th cutoff of each series.

    >>> ratio, windows = np.array([[1.0], [0.0]]), np.array([[2.0], [2.0]])
    >>> drawn_together(ratio, windows, [np.arange(2)])
    array([[0.5 ],
           [0.25]])
    """
    result_ON = np.zeros_like(ratio_ON)
    for group in groups:
        windows_GN = windows_ON[group]
        windows_N = windows_GN.sum(axis=0)
        measured_GN = windows_GN * ratio_ON[group]
        # the mean of the other series
        others_GN = measured_GN.sum(axis=0) - measured_GN
        pooled_GN = others_GN / (windows_N - windows_GN + TRUST)
        drawn_GN = (measured_GN + TRUST * pooled_GN) / (windows_GN + TRUST)
        has_window_GN = windows_GN >= 1
        is_clear_GN = has_window_GN & (ratio_ON[group] < CLEAR)
        has_enough_N = windows_N >= FEWEST_WINDOWS
        is_enough_GN = has_enough_N | is_clear_GN
        result_ON[group] = np.where(is_enough_GN, drawn_GN, np.inf)
    return result_ON


def shares_of(ratio_ON: NDArray, trust_N: NDArray) -> NDArray:
    """Weights of the candidates (O, N) from logarithms of relative errors; with the network's they
    add up to 1. Infinite errors have no weight.

    `trust_N`: the weight of each candidate relative to the network, at equal errors.

    >>> shares_of(np.log([[1.0, 0.5], [np.inf, np.inf]]), np.array([1 / 8, 1 / 8])).round(2)
    array([[0.  , 0.97],
           [0.  , 0.  ]])
    """
    weight_ON = trust_N * np.exp(-POWER * ratio_ON)
    return weight_ON / (1.0 + weight_ON.sum(axis=1, keepdims=True))


def least(ratio_ON: NDArray) -> NDArray:
    """All the weight (O, N) for the candidate with the smallest error; none if that is the network.

    >>> least(np.log([[1.1, 0.5], [1.1, 2.0]]))
    array([[0., 1.],
           [0., 0.]])
    """
    best_O1 = ratio_ON.argmin(axis=1)[:, None]
    is_best_ON = np.arange(ratio_ON.shape[1]) == best_O1
    is_better_ON = ratio_ON < 0
    return np.where(is_best_ON & is_better_ON, 1.0, 0.0)
