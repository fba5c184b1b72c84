"""Intervals that keep their coverage while values arrive: conformal PID control (Angelopoulos,
Candès & Tibshirani, "Conformal PID control for time series prediction", 2023).

The distance of a bound from the median is that of the network's quantile times a factor. Each value
beyond a bound raises the logarithm of its factor and each other value lowers it, with rates that
give the stated coverage (quantile tracking, the P of the paper). A second term follows the coverage
error of the newest 500 ticks (the saturating integrator, its I). There is no model of future errors
(the "scorecaster", its D).

Factors have no unit, so one gain suits all series, and no bound crosses the median. Every step
ahead has its own factors, which are updated when the actual value of its forecast arrives.

    S series, a row each · R rows of a tick · H steps ahead · Q quantiles of the head
    B bounds: all quantiles but the median · L levels of intervals · W pending forecasts
    M stored errors
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

# Chosen by coverage and interval scores on real series and synthetic shifts: docs/experiments.md.
# of a logarithm, for one step ahead; less for later steps, whose errors are correlated
GAIN = 0.15
PULL = 0.1  # gain of the integrator
LATE = 500  # ticks over which the coverage error is summed
OFF = 8.0  # surplus of misses within these ticks at which the integrator saturates
# largest argument of the integrator's tangent, in radians; it is 5 there
STEEPEST = 1.37
# bounds of log factors, so that a quiet period has no lasting effect
SMALLEST = -5.0
LARGEST = 8.0
# as a share of the median: the smallest spread that a factor can widen
LEAST_SPREAD = 1e-6
MEMORY = 512  # stored errors, among which new ones are ranked

QUANTILES = np.array(HEAD_QUANTILES)
BOUNDS = np.flatnonzero(np.arange(len(QUANTILES)) != MEDIAN)
SIDES = np.where(BOUNDS > MEDIAN, 1.0, -1.0)
BEYOND = np.where(BOUNDS > MEDIAN, 1 - QUANTILES[BOUNDS], QUANTILES[BOUNDS])
PAIRS = len(BOUNDS) // 2
# From the median outwards no bound lies nearer to it than the one before.
OUTWARDS = (
    (range(PAIRS)[::-1], np.minimum),
    (range(PAIRS, 2 * PAIRS), np.maximum),
)
# 95, 80, 50
LEVELS = tuple(round(100 * (1 - 2 * level)) for level in HEAD_QUANTILES[:PAIRS])


@dataclass(frozen=True)
class Conformal:
    """Settings of conformal intervals: the intervals of a stream keep their stated coverage.

    Args:
        rate: rate of false drift signals per value if the distribution of errors does not change.
        steps: number of steps ahead that are adjusted by their own errors (default: the horizon of
            the network). Later steps use the factors of the last one. The time per tick grows with
            this number.

    >>> Conformal(rate=0)
    Traceback (most recent call last):
    lstmcast.errors.UsageError: rate=0 is not a rate of false signals. ...
    """

    rate: float = 0.001
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and (
            not isinstance(self.steps, Integral) or self.steps < 1
        ):
            raise UsageError(
                f"steps must be a whole number of at least 1, got {self.steps!r}."
            )
        if not isinstance(self.rate, Real) or not 0 < self.rate < 1:
            raise UsageError(
                f"rate={self.rate!r} is not a rate of false signals. Give a number between 0 and "
                "1, such as 0.001 for one in 1,000 values."
            )


class Tracked(NamedTuple):
    """The conformal state of each series."""

    count_S: NDArray  # number of values so far, including unknown ones
    log_SHB: NDArray  # tracked logarithms of factors
    off_SHB: NDArray  # recent surplus of misses beyond each bound
    seen_SH: NDArray  # number of values it is based on
    waiting_SWB: NDArray  # bounds of pending forecasts
    error_SM: NDArray  # one-step errors, in units of the spread
    error_count_S: NDArray  # number of errors since the last drift
    evidence_S: NDArray  # evidence for a new drift


def start(rows: int, steps: int) -> Tracked:
    """The initial state for a number of series and steps."""
    bounds = len(BOUNDS)
    waiting = steps * (steps + 1) // 2
    return Tracked(
        count_S=np.zeros(rows, np.int64),
        log_SHB=np.zeros((rows, steps, bounds)),
        off_SHB=np.zeros((rows, steps, bounds)),
        seen_SH=np.zeros((rows, steps)),
        waiting_SWB=np.full((rows, waiting, bounds), np.nan),
        error_SM=np.zeros((rows, MEMORY), np.float32),
        error_count_S=np.zeros(rows, np.int64),
        evidence_S=np.zeros(rows),
    )


def adjusted(state: Tracked, rows: NDArray, answer_RHQ: NDArray) -> NDArray:
    """Quantiles of some of the series with adjusted bounds; the median is unchanged. Steps beyond
    the tracked ones use the factors of the last one."""
    steps = answer_RHQ.shape[1]
    step_H = np.minimum(np.arange(steps), state.log_SHB.shape[1] - 1)
    log_RHB = state.log_SHB[rows] + _pull(state.off_SHB[rows])
    log_RHB = np.clip(log_RHB, SMALLEST, LARGEST)
    factor_RHB = np.exp(log_RHB)[:, step_H]
    median_RH = answer_RHQ[:, :, MEDIAN].copy()
    least_RH = LEAST_SPREAD * np.abs(median_RH)
    result_RHQ = answer_RHQ.copy()
    for outwards, further in OUTWARDS:
        reach_RH = median_RH
        for bound in outwards:
            quantile_RH = answer_RHQ[:, :, BOUNDS[bound]]
            spread_RH = np.maximum(np.abs(quantile_RH - median_RH), least_RH)
            with np.errstate(over="ignore"):
                moved_RH = (
                    median_RH + SIDES[bound] * spread_RH * factor_RHB[:, :, bound]
                )
            reach_RH = further(reach_RH, moved_RH)
            result_RHQ[:, :, BOUNDS[bound]] = reach_RH
    return result_RHQ


def advance(
    state: Tracked,
    rows: NDArray,
    values_R: NDArray,
    answer_RHQ: NDArray,
    settings: Conformal,
) -> NDArray:
    """Update some series with their next values; return whether their errors have grown (R,).

    Args:
        state: changed in place.
        rows: indices of the series.
        values_R: the values; NaN for unknown ones, which change nothing.
        answer_RHQ: the network's forecast before them, whose first step they are.
        settings: settings of conformal intervals.
    """
    H = state.log_SHB.shape[1]
    step_H = np.arange(1, H + 1)
    first_H = np.arange(H) * step_H // 2
    row_R1 = rows[:, None]
    count_R1 = state.count_S[rows][:, None]
    bounds_RHB = adjusted(state, rows, answer_RHQ)[:, :, BOUNDS]
    place_RH = first_H + count_R1 % step_H
    state.waiting_SWB[row_R1, place_RH] = bounds_RHB
    # The forecasts of these values, made one step before, two steps before, …
    due_place_RH = first_H + (count_R1 + 1) % step_H
    due_RHB = state.waiting_SWB[row_R1, due_place_RH]
    is_known_R1 = np.isfinite(values_R)[:, None]
    known_RH = is_known_R1 & np.isfinite(due_RHB.sum(axis=2))
    kept_RH = np.where(known_RH, 1 - 1 / LATE, 1.0)
    gain_H = GAIN / np.sqrt(step_H)
    log_RHB = state.log_SHB[rows]
    off_RHB = state.off_SHB[rows]
    # faster than all at once, as there are few of them
    for bound in range(len(BOUNDS)):
        beyond_RH = SIDES[bound] * (values_R[:, None] - due_RHB[:, :, bound]) > 0
        more_RH = np.where(known_RH, beyond_RH - BEYOND[bound], 0.0)
        log_RHB[:, :, bound] += gain_H * more_RH
        off_RHB[:, :, bound] = kept_RH * off_RHB[:, :, bound] + more_RH
    state.log_SHB[rows] = np.clip(log_RHB, SMALLEST, LARGEST)
    state.off_SHB[rows] = off_RHB
    state.seen_SH[rows] = kept_RH * state.seen_SH[rows] + known_RH
    state.count_S[rows] += 1
    error_R = _error(values_R, answer_RHQ[:, 0])
    return _drift(state, rows, error_R, settings.rate)


def coverage(state: Tracked, rows: NDArray) -> NDArray:
    """The recent share of values in the intervals of each step and level of `LEVELS` (R, H, L); NaN
    before any comparison."""
    seen_RH1 = state.seen_SH[rows][:, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond_RHB = BEYOND + state.off_SHB[rows] / seen_RH1
    beyond_RHB = np.where(seen_RH1 > 0, beyond_RHB, np.nan)
    below_RHL = beyond_RHB[:, :, :PAIRS]
    above_RHL = beyond_RHB[:, :, PAIRS:]
    above_RHL = above_RHL[:, :, ::-1]  # widest interval first, as below the median
    return 1 - below_RHL - above_RHL


def _pull(off_RHB: NDArray) -> NDArray:
    """The integrator's contribution to a log factor."""
    angle_RHB = np.pi / 2 * off_RHB / OFF
    angle_RHB = np.clip(angle_RHB, -STEEPEST, STEEPEST)
    return PULL * np.tan(angle_RHB)


def _error(values_R: NDArray, answer_RQ: NDArray) -> NDArray:
    """One-step errors in units of the spread between the middle quantiles."""
    limits = np.finfo(np.float32)
    median_R = answer_RQ[:, MEDIAN]
    spread_R = answer_RQ[:, BOUNDS[-2]] - answer_RQ[:, BOUNDS[1]]
    least_R = LEAST_SPREAD * np.abs(median_R) + limits.tiny
    with np.errstate(over="ignore"):
        error_R = np.abs(values_R - median_R) / (spread_R + least_R)
    return np.minimum(error_R, limits.max)


def _drift(state: Tracked, rows: NDArray, error_R: NDArray, rate: float) -> NDArray:
    """Whether errors have grown: a conformal test (Vovk, Petej, Nouretdinov, Ahlberg, Carlsson &
    Gammerman, "Retrain or not retrain", 2021).

    If errors are exchangeable, the rank p of a new one is uniform, and the expectation of 1 / (2
    √p) is 1. The Shiryaev–Roberts sum of their products, started at every tick, exceeds 1 / rate at
    most once in 1 / rate ticks. It is then reset, and errors are ranked among those since.
    """
    known_R = np.isfinite(error_R)
    rows = rows[known_R]
    error_R = error_R[known_R].astype(np.float32)
    count_R = state.error_count_S[rows]
    remembered_R = np.minimum(count_R, MEMORY)
    among_RM = np.arange(MEMORY) < remembered_R[:, None]
    is_larger_RM = state.error_SM[rows] >= error_R[:, None]
    larger_R = np.count_nonzero(is_larger_RM & among_RM, axis=1)
    p_R = (larger_R + 1) / (remembered_R + 1)
    evidence_R = (state.evidence_S[rows] + 1) / (2 * np.sqrt(p_R))
    drifted_R = evidence_R >= 1 / rate
    state.error_SM[rows, count_R % MEMORY] = error_R
    state.error_count_S[rows] = np.where(drifted_R, 0, count_R + 1)
    state.evidence_S[rows] = np.where(drifted_R, 0.0, evidence_R)
    result_R = np.zeros(len(known_R), bool)
    result_R[known_R] = drifted_R
    return result_R
