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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import needed
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import FIRST, HeldOut, Tried, groups_of
from lstmcast.evaluation.candidates import Candidate, candidates_of
from lstmcast.evaluation.fixed_shares import mixed as mixed
from lstmcast.evaluation.fixed_shares import weighed as weighed
from lstmcast.evaluation.methods import BEST, COMBINED, named
from lstmcast.evaluation.moving import Said, apart_from, held_to, moved_by
from lstmcast.evaluation.packing import Waiting
from lstmcast.evaluation.weights import Errors as Errors
from lstmcast.evaluation.weights import Judged, Shares, weights_by
from lstmcast.evaluation.weights import drawn_together as drawn_together
from lstmcast.evaluation.weights import least as least
from lstmcast.evaluation.weights import mostly_zero as mostly_zero
from lstmcast.evaluation.weights import shares_of as shares_of
from lstmcast.forecast import NETWORK, Combination

BANDS = (3, 6, 12, FIRST)  # where steps that are weighed apart end


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
    parts: Iterable[tuple[slice, Tried]],
    own: Sequence[Candidate] = (),
) -> tuple[Iterator[tuple[slice, Tried]], Combination]:
    """The forecasts of a combination at origins and at the held-out cutoffs before them, and what
    they were made of.

    Args:
        method: "combined" for the average, "best" for the candidate with the least error, or the
            name of a candidate.
        panel: the series.
        held_out: the origins, and the cutoffs before each.
        parts: the network's forecasts there, of some origins after the other.
        own: candidates beside those that every panel has.

    Raises:
        UsageError: no candidate is called so, or the data are too few for it.
    """
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *own)
    if method not in (COMBINED, BEST):
        candidates = (named(method, candidates, panel),)
    asked = Panellists(candidates, panel)
    judged, some_N = [], np.zeros(len(candidates), bool)
    waiting = Waiting(panel, held_out)
    for rows, tried in parts:
        said, known_N = asked.said(held_out.rows(rows), tried)
        judged.append([Judged.of(one, held_out.rows(rows)) for one in said])
        some_N |= known_N
        if waiting.put(rows, tried):
            asked = replace(asked, kept=(said, known_N))
    if method not in (COMBINED, BEST) and not some_N[0]:
        raise UsageError(
            f"method={method!r} is not possible here: no series is long enough for "
            f"{candidates[0].name!r}. Use 'auto', or give a longer history."
        )
    if not some_N.any():
        return waiting.taken(), Combination((NETWORK,), np.ones((len(held_out.counts_OJ), 1)))
    spans, groups = zip(*judged, strict=True), groups_of(held_out.origins, len(panel))
    weights = [weights_by(method, Judged.all(span).only(some_N), groups) for span in spans]
    names = [one.name for one, some in zip(candidates, some_N, strict=True) if some]
    bands = _bands(waiting.horizon, bool(panel.covariates.past))
    near = [(b, each.now_ON) for b, each in zip(bands, weights, strict=True) if b.start < FIRST]
    steps = near[-1][0].stop
    now_ON = np.sum([(b.stop - b.start) / steps * each_ON for b, each_ON in near], axis=0)
    made = Combination((NETWORK, *names), np.c_[1 - now_ON.sum(axis=1), now_ON])
    return _moved_parts(method, asked, some_N, weights, held_out, waiting.taken()), made


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
    parts: Iterator[tuple[slice, Tried]],
) -> Iterator[tuple[slice, Tried]]:
    """The combination of some origins after the other."""
    for rows, tried in parts:
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
    points = apart_from(said.tried, said.result_NOH, said.before_NOJH, said.positive_O)
    if method == COMBINED:
        points = held_to(points, used_OJ)
    return moved_by(said.tried, points, shares, said.positive_O)
