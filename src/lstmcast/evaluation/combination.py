"""The forecast combination: the network's forecast and simple ones, averaged as the held-out
cutoffs say that each deserves.

At the cutoffs that calibration forecasts anyway, the candidates are forecast too. The error of each
relative to the network's, in logarithms, is measured for each series, and drawn towards what the
other series say: few windows say little. A weight is the relative error to the power −8, the
network's eight times as much, and the weights of an origin add up to 1: averages are safe where
picking the best is not. A candidate that lies farther from the network than it nearly ever did at
the held-out cutoffs is moved towards it. What is known at an origin decides its weights; they are
measured anew at each, as its intervals are.

    O origins · J held-out cutoffs of each · H horizon · Q quantile levels
    N candidates, without the network, which is what they are measured by
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, needed
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import (
    FIRST,
    HeldBack,
    HeldOut,
    Tried,
    all_positive,
    axes_of,
    groups_of,
    on_axis,
)
from lstmcast.evaluation.candidates import Candidate, candidates_of
from lstmcast.evaluation.methods import BEST, COMBINED, named
from lstmcast.forecast import NETWORK, Combination
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs.axis import ROOT, from_axis

POWER = 8.0
NETWORK_PRIOR = 8.0  # times the weight of a candidate whose errors are the network's
TRUST = 2.0  # windows of a series that weigh as much as what the other series say
FEWEST_WINDOWS = 3.0  # that do not overlap, of all series together, to weigh anything by
MOST_APART = 0.95  # quantile of a candidate's distances from the network, beyond which it is held
# Of a moved median and the network's, where values are 0.
ZERO_RATIOS = (0.25, 4.0)
RATIOS = (0.1, 10.0)  # of two errors that count, the smallest and the largest


BANDS = (3, 6, 12, FIRST)  # where steps that are weighed apart end


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
        result_NOH = np.stack([_possible(result, positive_O) for result, _ in pairs])
        before_NOJH = np.stack([_possible(before, positive_O) for _, before in pairs])
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


@dataclass(frozen=True, eq=False)
class Panellists:
    """The candidates of a panel, asked about some origins at a time: once for the weights, and
    again for the forecasts. What they said is kept where all origins are one part."""

    candidates: tuple[Candidate, ...]
    panel: Panel
    kept: tuple[list[Said], NDArray] | None = None

    def said(self, held_out: HeldOut, tried: Tried) -> tuple[list[Said], NDArray]:
        """What they say: of the steps that the network answers at once, and of those after them,
        which are weighed by themselves, so that none depends on how many are asked for. And who
        knows any step (N,)."""
        if self.kept is not None:
            return self.kept
        horizon = tried.quantiles_OHQ.shape[1]
        # The effects of known columns are those of the whole panel, found once.
        whole = self.panel, held_out.origins
        panel, origins = whole if self.panel.covariates.future else needed(*whole)
        held_out = replace(held_out, origins=origins)
        # what grows beyond all numbers is no forecast
        with np.errstate(over="ignore", invalid="ignore"):
            pairs = [
                held_out.forecasts(lambda at, one=one: one.points(panel, at, horizon))
                for one in self.candidates
            ]
        some_N = np.array([np.isfinite(result).any() for result, _ in pairs])
        bands = _bands(horizon, bool(self.panel.covariates.past))
        return [Said.of(*_steps(tried, pairs, steps)) for steps in bands], some_N


def combined(
    method: str,
    panel: Panel,
    held_out: HeldOut,
    parts: list[tuple[slice, Tried]],
    own: Sequence[Candidate] = (),
) -> tuple[Iterator[tuple[slice, Tried]], Combination]:
    """The forecasts of a combination at origins and at the held-out cutoffs before them, and what
    they were made of.

    Args:
        method: "combined" for the average, "best" for the candidate with the least error, or the
            name of a candidate.
        panel: the series.
        held_out: the origins, and the cutoffs before each.
        parts: the network's forecasts there, of some origins after the other; they are taken out
            of the list, so that each part can be freed when it has been combined.
        own: candidates beside those that every panel has.

    Raises:
        UsageError: no candidate is called so, or the data are too few for it.
    """
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *own)
    if method not in (COMBINED, BEST):
        candidates = (named(method, candidates, panel),)
    asked = Panellists(candidates, panel)
    judged, some_N = [], np.zeros(len(candidates), bool)
    for rows, tried in parts:
        said, known_N = asked.said(held_out.rows(rows), tried)
        judged.append([Judged.of(one, held_out.rows(rows)) for one in said])
        some_N |= known_N
        if len(parts) == 1:
            asked = replace(asked, kept=(said, known_N))
    if method not in (COMBINED, BEST) and not some_N[0]:
        raise UsageError(
            f"method={method!r} is not possible here: no series is long enough for "
            f"{candidates[0].name!r}. Use 'auto', or give a longer history."
        )
    if not some_N.any():
        return iter(parts), Combination((NETWORK,), np.ones((len(held_out.counts_OJ), 1)))
    spans, groups = zip(*judged, strict=True), groups_of(held_out.origins, len(panel))
    weights = [_weights(method, Judged.all(span).only(some_N), groups) for span in spans]
    names = [one.name for one, some in zip(candidates, some_N, strict=True) if some]
    bands = _bands(parts[0][1].quantiles_OHQ.shape[1], bool(panel.covariates.past))
    near = [(b, each.now_ON) for b, each in zip(bands, weights, strict=True) if b.start < FIRST]
    steps = near[-1][0].stop
    now_ON = np.sum([(b.stop - b.start) / steps * each_ON for b, each_ON in near], axis=0)
    made = Combination((NETWORK, *names), np.c_[1 - now_ON.sum(axis=1), now_ON])
    return _moved_parts(method, asked, some_N, weights, held_out, parts), made


def _bands(horizon: int, beside: bool) -> list[slice]:
    """Steps that are weighed together: those that the network answers at once, and those after
    them. What columns beside the target tell fades within a few steps, so near ones are weighed
    apart."""
    edges = [0, *(edge for edge in (BANDS if beside else BANDS[-1:]) if edge < horizon), horizon]
    return [slice(*pair) for pair in pairwise(edges)]


def _moved_parts(
    method: str,
    asked: Panellists,
    some_N: NDArray,
    weights: Sequence[Shares],
    held_out: HeldOut,
    parts: list[tuple[slice, Tried]],
) -> Iterator[tuple[slice, Tried]]:
    """The combination of some origins after the other, which are taken out of the parts."""
    while parts:
        rows, tried = parts.pop(0)
        said, _ = asked.said(held_out.rows(rows), tried)
        used_OJ = held_out.counts_OJ[rows] > 0
        spans = [
            _of(method, one.only(some_N), shares.rows(rows), used_OJ)
            for one, shares in zip(said, weights, strict=True)
        ]
        yield rows, _joined(spans)


def _steps(
    tried: Tried, pairs: Sequence[tuple[NDArray, NDArray]], steps: slice
) -> tuple[Tried, list[tuple[NDArray, NDArray]]]:
    """What was forecast and came of some of the steps."""
    own = Tried(
        tried.quantiles_OHQ[:, steps],
        tried.before_OJHQ[:, :, steps],
        tried.actual_OJH[:, :, steps],
    )
    return own, [(result[:, steps], before[..., steps]) for result, before in pairs]


def _joined(spans: Sequence[Tried]) -> Tried:
    """The steps that were weighed by themselves, one after the other."""
    if len(spans) == 1:
        return spans[0]
    quantiles, before, actual = zip(*spans, strict=True)
    return Tried(
        np.concatenate(quantiles, axis=1),
        np.concatenate(before, axis=2),
        np.concatenate(actual, axis=2),
    )


def _of(method: str, said: Said, shares: Shares, used_OJ: NDArray) -> Tried:
    """The combination of what the candidates say at the origins and at the held-out cutoffs."""
    points = _apart(said.tried, said.result_NOH, said.before_NOJH, said.positive_O)
    if method == COMBINED:
        points = _held(points, used_OJ)
    return _moved(said.tried, points, shares, said.positive_O)


def _possible(values: NDArray, positive_O: NDArray) -> NDArray:
    """Forecasts (O, …), unknown where they are 0 or less and all that is known is above."""
    rows = positive_O.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows & (values <= 0), np.nan, values)


class Shares(NamedTuple):
    """Weights of the candidates: of a forecast, and as the halves of its held-out cutoffs say."""

    now_ON: NDArray
    newer_ON: NDArray
    older_ON: NDArray
    is_newer_OJ: NDArray  # which cutoffs the newer half are

    def rows(self, rows: slice) -> Shares:
        """Those of some origins."""
        return Shares(*(part[rows] for part in self))


def _weights(method: str, judged: Judged, groups: Sequence[NDArray]) -> Shares:
    """The weights that a method gives: all to the one that was named, or what the errors say."""
    errors, usable_ON, known_ON = judged
    if method in (COMBINED, BEST):
        return _shares(errors, usable_ON, groups, shares_of if method == COMBINED else least)
    alone_ON, newer_OJ = known_ON.astype(float), np.zeros(errors.own_OJ.shape, bool)
    return Shares(alone_ON, alone_ON, alone_ON, newer_OJ)


def _shares(
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
        [_possible(one.points(panel, origins, horizon), positive_O) for one in chosen]
    )
    known_NO = np.asarray(np.isfinite(result_NOH).all(axis=2))
    result_NOH = np.where(known_NO[..., None], result_NOH, median_OH)
    median_OH = on_axis(median_OH, positive_O)
    shares_ON = np.where(known_NO.T, np.array(list(shares.values())), 0.0)
    apart_NOH = np.stack([on_axis(one_OH, positive_O) - median_OH for one_OH in result_NOH])
    away_OH = np.einsum("on,noh->oh", shares_ON, apart_NOH)
    moved = on_axis(quantiles_OHQ, positive_O) + away_OH[..., None]
    moved = _back(moved, positive_O, shares_ON.sum(axis=1) == 0, quantiles_OHQ)
    moved = _from_zero(moved, quantiles_OHQ, axes_of(quantiles_OHQ) == ROOT)
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


def _apart(tried: Tried, result_NOH: NDArray, before_NOJH: NDArray, positive_O: NDArray) -> Points:
    """How far the candidates lie from the network: in logarithms where all is positive."""
    own = on_axis(tried.quantiles_OHQ[..., MEDIAN], positive_O)
    own_before = on_axis(tried.before_OJHQ[..., MEDIAN], positive_O)
    return Points(
        np.stack([on_axis(result_OH, positive_O) - own for result_OH in result_NOH]),
        np.stack([on_axis(before_OJH, positive_O) - own_before for before_OJH in before_NOJH]),
    )


def _held(points: Points, used_OJ: NDArray) -> Points:
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


def _moved(tried: Tried, points: Points, shares: Shares, positive_O: NDArray) -> Tried:
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
    quantiles = on_axis(tried.quantiles_OHQ, positive_O) + away_OH[..., None]
    before = on_axis(tried.before_OJHQ, positive_O) + away_OJH[..., None]
    alone_O, rows_O = shares.now_ON.sum(axis=1) == 0, positive_O
    zero_O = axes_of(*tried) == ROOT
    return Tried(
        _from_zero(
            _back(quantiles, rows_O, alone_O, tried.quantiles_OHQ), tried.quantiles_OHQ, zero_O
        ),
        _from_zero(_back(before, rows_O, alone_O, tried.before_OJHQ), tried.before_OJHQ, zero_O),
        tried.actual_OJH,
    )


def _from_zero(moved: NDArray, own: NDArray, zero_O: NDArray) -> NDArray:
    """Quantiles that were moved as ratios where values are 0 and none is below: bounds of 0 stay
    there, or an interval would no longer contain the commonest value."""
    rows = zero_O.reshape(-1, *[1] * (own.ndim - 1))
    middle, was = moved[..., MEDIAN : MEDIAN + 1], own[..., MEDIAN : MEDIAN + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(was > 0, np.clip(middle / was, *ZERO_RATIOS), 1.0)
    return np.where(rows, own * ratio, moved)


def _back(moved: NDArray, positive_O: NDArray, alone_O: NDArray, own: NDArray) -> NDArray:
    """Values from the axis of the combination; the network's own, to the last bit, where it is
    alone."""
    positive, alone = (rows.reshape(-1, *[1] * (own.ndim - 1)) for rows in (positive_O, alone_O))
    return np.where(alone, own, np.where(positive, from_axis(moved, log=True), moved))
