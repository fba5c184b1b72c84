"""The forecast combination: a weighted average of the network and simple forecasts.

The candidates also forecast the held-out cutoffs of calibration. Their log errors relative to the
network are measured for each series, and shrunk towards those of the other series, as few windows
are uncertain. A weight is the relative error to the power −8, times eight for the network, and the
weights of an origin add up to 1: averaging is safer than selection. A candidate much farther from
the network than at the held-out cutoffs is moved towards it. Weights only use what is known at an
origin and are measured anew at each, like intervals.

    O origins · J held-out cutoffs of each · H horizon · Q quantile levels
    N candidates, without the network, which is the reference
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.advice import advise
from lstmcast.data.origins import Origins, needed
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import FIRST, HeldOut, Tried
from lstmcast.evaluation.candidates import Candidate, candidates_of, trust_of
from lstmcast.evaluation.fixed_shares import mixed as mixed
from lstmcast.evaluation.fixed_shares import weighed as weighed
from lstmcast.evaluation.methods import BEST, COMBINED, named
from lstmcast.evaluation.moving import Answers, held_to, moved_by
from lstmcast.evaluation.packing import Waiting
from lstmcast.evaluation.weights import Errors as Errors
from lstmcast.evaluation.weights import Judged, Shares, weights_by
from lstmcast.evaluation.weights import drawn_together as drawn_together
from lstmcast.evaluation.weights import least as least
from lstmcast.evaluation.weights import mostly_zero as mostly_zero
from lstmcast.evaluation.weights import shares_of as shares_of
from lstmcast.forecast import NETWORK, Combination

# ends of the bands of steps that are weighted separately; those beside past covariates
BANDS, PAST_BANDS = (12, FIRST), (3, 6, 12, FIRST)


class PanelAnswers(NamedTuple):
    """Forecasts of the candidates, by band of steps, and which of them know any step (O, N)."""

    by_band: list[Answers]
    known_ON: NDArray


class Combined(NamedTuple):
    """The forecasts of a combination, in batches of origins; its weights; and which of the
    candidates know any step (O, N)."""

    batches: Iterator[tuple[slice, Tried]]
    combination: Combination
    known_ON: NDArray


@dataclass(frozen=True, eq=False)
class Panellists:
    """The candidates of a panel, evaluated for batches of origins: first for the weights, then for
    the forecasts. A single batch is cached."""

    candidates: tuple[Candidate, ...]
    panel: Panel
    remembered: PanelAnswers | None = None

    def answers(self, held_out: HeldOut, forecasts: Tried) -> PanelAnswers:
        """Forecasts of the steps that the network answers at once, and of those after them, which
        are weighted separately so that no weight depends on the horizon."""
        if self.remembered is not None:
            return self.remembered
        panel = self.panel
        origins = held_out.origins
        # The effects of known columns are computed once, for the whole panel.
        if not panel.covariates.future:
            panel, origins = needed(panel, origins)
        if origins is not held_out.origins:
            held_out = replace(held_out, origins=origins)
        horizon = forecasts.quantiles_OHQ.shape[1]
        points = []
        # an overflowing value is not a forecast
        with np.errstate(over="ignore", invalid="ignore"):
            for candidate in self.candidates:
                answer = partial(_points, candidate, panel, horizon)
                points.append(held_out.forecasts(answer))
        at_origins_NOH = np.stack([at_origins for at_origins, _ in points])
        known_NO = np.logical_or.reduce(np.isfinite(at_origins_NOH), axis=2)
        by_band = []
        for steps in _bands(horizon, bool(self.panel.covariates.past)):
            points_then = [
                (at_origin[:, steps], at_cutoffs[..., steps])
                for at_origin, at_cutoffs in points
            ]
            by_band.append(Answers.of(_at_steps(forecasts, steps), points_then))
        return PanelAnswers(by_band, known_NO.T)


def of_panel(combination: Combination, known_ON: NDArray, rows: slice) -> Combination:
    """The combination of one of several panels, whose origins are a slice of all, without
    candidates that know none of its steps."""
    known_N = np.logical_or.reduce(known_ON[rows], axis=0)
    is_part = [True, *known_N.tolist()]
    names = tuple(compress(combination.names, is_part))
    return Combination(names, combination.shares[rows][:, is_part])


def _points(
    candidate: Candidate, panel: Panel, horizon: int, origins: Origins
) -> NDArray:
    return candidate.points(panel, origins, horizon)


def combined(
    method: str,
    panel: Panel,
    held_out: HeldOut,
    batches: Iterable[tuple[slice, Tried]],
    extra: Sequence[Candidate] = (),
) -> Combined:
    """The forecasts of a combination at origins and at the held-out cutoffs before them, and its
    weights.

    Args:
        method: "combined" for the average, "best" for the candidate with the least error, or the
            name of a candidate.
        panel: the series.
        held_out: the origins, and the cutoffs before each.
        batches: the network's forecasts there, in batches of origins.
        extra: candidates in addition to those of every panel.

    Raises:
        UsageError: There is no candidate with this name, or the data are too few for it.
    """
    candidates: tuple[Candidate, ...] = (*candidates_of(panel), *extra)
    is_named = method not in (COMBINED, BEST)
    if is_named:
        candidates = (named(method, candidates, panel),)
    waiting = Waiting(panel, held_out)
    panellists, judged, known_ON = _tried(
        Panellists(candidates, panel), held_out, batches, waiting
    )
    known_N = np.logical_or.reduce(known_ON, axis=0)
    if is_named and not known_N[0]:
        raise UsageError(
            f"{advise('method', method)} is not possible: no series is long enough for "
            f"{candidates[0].name!r}. Use 'auto', or give a longer history."
        )
    if not known_N.any():
        network_alone = Combination((NETWORK,), np.ones((len(held_out.counts_OJ), 1)))
        return Combined(waiting.taken(), network_alone, known_ON[:, known_N])
    trust_N = trust_of(candidates)[known_N]
    weights = [
        weights_by(method, Judged.all(band).only(known_N), held_out.groups, trust_N)
        for band in zip(*judged, strict=True)
    ]
    bands = _bands(waiting.horizon, bool(panel.covariates.past))
    names = [candidates[row].name for row in np.flatnonzero(known_N)]
    combination = Combination((NETWORK, *names), _mean_shares(bands, weights))
    forecast_batches = _moved_batches(
        method, panellists, known_N, weights, held_out, waiting.taken()
    )
    return Combined(forecast_batches, combination, known_ON[:, known_N])


class Trial(NamedTuple):
    """The candidates, their errors at the held-out cutoffs by batch and band of steps, and which
    of them know any step (O, N)."""

    panellists: Panellists
    judged: list[list[Judged]]
    known_ON: NDArray


def _tried(
    panellists: Panellists,
    held_out: HeldOut,
    batches: Iterable[tuple[slice, Tried]],
    waiting: Waiting,
) -> Trial:
    """The candidates after their first evaluation; `waiting` keeps the network's forecasts."""
    judged = []
    known_ON = np.zeros((len(held_out.counts_OJ), len(panellists.candidates)), bool)
    for rows, forecasts in batches:
        held_out_rows = held_out.rows(rows)
        answers = panellists.answers(held_out_rows, forecasts)
        judged.append([Judged.of(band, held_out_rows) for band in answers.by_band])
        known_ON[rows] = answers.known_ON
        if waiting.put(rows, forecasts):
            panellists = replace(panellists, remembered=answers)
    return Trial(panellists, judged, known_ON)


def _mean_shares(bands: list[slice], weights: Sequence[Shares]) -> NDArray:
    """The shares of the network and of the candidates in the first steps."""
    near = [band for band in bands if band.start < FIRST]
    steps = near[-1].stop
    parts_ON = [
        (band.stop - band.start) / steps * shares.now_ON
        for band, shares in zip(near, weights, strict=False)
    ]
    now_ON = np.sum(parts_ON, axis=0)
    return np.c_[1 - now_ON.sum(axis=1), now_ON]


def _bands(horizon: int, has_past: bool) -> list[slice]:
    """Bands of steps that are weighted together: near ones, which more windows are known of, those
    that the network answers at once as well, and those after them. As past covariates are
    informative for a few steps only, near steps have bands of their own if there are any."""
    ends = PAST_BANDS if has_past else BANDS
    edges = [0, *(end for end in ends if end < horizon), horizon]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _moved_batches(
    method: str,
    panellists: Panellists,
    known_N: NDArray,
    weights: Sequence[Shares],
    held_out: HeldOut,
    batches: Iterator[tuple[slice, Tried]],
) -> Iterator[tuple[slice, Tried]]:
    """The combination, in batches of origins."""
    for rows, forecasts in batches:
        answers = panellists.answers(held_out.rows(rows), forecasts)
        used_OJ = held_out.counts_OJ[rows] > 0
        bands = [
            _moved(method, band.only(known_N), shares.rows(rows), used_OJ)
            for band, shares in zip(answers.by_band, weights, strict=True)
        ]
        yield rows, _joined(bands)


def _at_steps(forecasts: Tried, steps: slice) -> Tried:
    """The forecasts and actual values of some of the steps."""
    return Tried(
        quantiles_OHQ=forecasts.quantiles_OHQ[:, steps],
        before_OJHQ=forecasts.before_OJHQ[:, :, steps],
        actual_OJH=forecasts.actual_OJH[:, :, steps],
    )


def _joined(bands: Sequence[Tried]) -> Tried:
    """The bands of steps, concatenated."""
    if len(bands) == 1:
        return bands[0]
    quantiles, earlier_quantiles, actual = zip(*bands, strict=True)
    return Tried(
        quantiles_OHQ=np.concatenate(quantiles, axis=1),
        before_OJHQ=np.concatenate(earlier_quantiles, axis=2),
        actual_OJH=np.concatenate(actual, axis=2),
    )


def _moved(method: str, answers: Answers, shares: Shares, used_OJ: NDArray) -> Tried:
    """The combination of the candidates' forecasts at the origins and at the held-out cutoffs."""
    points = answers.distances()
    if method == COMBINED:
        points = held_to(points, used_OJ)
    return moved_by(answers.network, points, shares, answers.positive_O)
