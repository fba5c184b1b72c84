"""The slow clock: the whole past of a series, summarised in fixed memory, and its annual cycle.

The harmonics of a year are columns of a Bayesian regression (`regression`) on the whole history,
from sums of fixed size. Its solution is renewed after every chunk of days and held in between. The
solution in force at a step depends only on values up to it, and is the same for predict, backtest
and stream.

Data with shorter steps are averaged over whole days, counted from the first step; as the
harmonics are smooth, they apply to each step. Days are counted from the start of a series, so no
dates are needed. For weekly data, a "day" is a week.

    B series · T steps · D days · E pairs of neighbouring days · J columns of the effect
    K columns of the regression · M products of two columns · R solutions
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.times.calendars import DAY, HOUR, MINUTE
from lstmcast.data.times.frequency import Frequency
from lstmcast.model.inputs.regression import (
    Fit,
    Layout,
    base_sums,
    fit,
    products_of,
    sums_of,
)
from lstmcast.util.states import with_rows

HARMONICS = 10
YEAR = 365.25  # days
AXES = (False, True)  # linear, logarithmic
LEAST_GAIN = 3.0  # log evidence gain from which an effect is used
# Within this many years, a level shift and its reversal look like a year: more evidence is needed.
EARLY, EARLY_GAIN = 2.75, 12.0
TREND = 1000.0  # unit of the trend, in days
# Residuals beyond this many standard deviations get less weight: spikes and closed days.
LIMIT = 3.0
# standard deviation of a normal distribution, in median absolute deviations
SPREAD = 1.4826
FIRST_FITS = 3  # iterations on the first chunk, to find its outliers
# The share of predicted effects that was realised: the decay of its sums per chunk, and the
# signal-to-noise ratio of the prior at a share of 1.
SHARE_KEPT, SHARE_PRIOR = 0.7, 4.0
STEP = {"minute": MINUTE, "hour": HOUR, "day": DAY}
MOST_STEPS = 288  # per day: shorter steps do not span years


class Clock(NamedTuple):
    """How steps of a frequency form days, weeks and years, and when solutions are renewed."""

    steps: int = 1  # per day
    week: int = 7  # days per week
    year: float = YEAR  # days per year
    first: int = 64  # days before the first solution
    renewal: int = 128  # days for which a solution is in force
    # days before the year is estimated: with fewer, a trend looks like one
    fewest: int = 550

    @property
    def layout(self) -> Layout:
        """Constant, trend, squared trend and weekdays without a prior, followed by the year."""
        return Layout(2 + self.week, (2 * HARMONICS,))

    def renewals(self, steps: NDArray) -> NDArray:
        """The number of solutions after this number of steps."""
        days = np.asarray(steps) // self.steps
        return np.maximum(days - self.first + self.renewal, 0) // self.renewal

    def chunk(self, day: int) -> tuple[int, int]:
        """The days from one renewal to the next that contain a day."""
        if day < self.first:
            return 0, self.first
        begin = day - (day - self.first) % self.renewal
        return begin, begin + self.renewal


def clock_of(frequency: Frequency) -> Clock | None:
    """The clock of weekly and daily data, of business days, and of steps that divide a day, down to
    five minutes; None for other frequencies.

    >>> from lstmcast.data.times.frequency import parse_frequency
    >>> clock_of(parse_frequency("15min")).steps, clock_of(parse_frequency("MS"))
    (96, None)
    """
    if frequency.unit == "business day" and frequency.every == 1:
        return Clock(week=5, year=YEAR * 5 / 7)
    if frequency.unit == "week" and frequency.every == 1:
        return Clock(week=1, year=YEAR / 7, first=26, renewal=26, fewest=208)
    step = STEP.get(frequency.unit, 0) * frequency.every
    divides_day = step > 0 and DAY % step == 0 and DAY // step <= MOST_STEPS
    return Clock(DAY // step) if divides_day else None


def columns_at(clock: Clock, days_D: NDArray) -> NDArray:
    """The columns of the regression on these days, counted from the first (D, K)."""
    trend_D = days_D / TREND
    week_DW = days_D[:, None] % clock.week == np.arange(1, clock.week)
    middle_D = days_D + (clock.steps - 1) / (2 * clock.steps)
    year_D = 2 * np.pi / clock.year * middle_D
    base = [np.ones_like(trend_D), trend_D, trend_D**2]
    return np.column_stack([*base, week_DW, *harmonics(year_D, HARMONICS)])


def harmonics(angle: NDArray, count: int) -> list[NDArray]:
    """Cosines, then sines, of the lowest harmonics of a cycle, such as a year, at some angles.

    The k-th harmonic has amplitude 1/k: with one prior variance for all, a cycle is smooth unless
    the data say otherwise (Christmas).
    """
    orders = range(1, count + 1)
    cosines = [np.cos(order * angle) / order for order in orders]
    sines = [np.sin(order * angle) / order for order in orders]
    return cosines + sines


@lru_cache(maxsize=64)
def _chunk(clock: Clock, first: int, days: int) -> tuple[NDArray, NDArray]:
    """Columns of the days from the one before `first`, and their products."""
    columns_DK = columns_at(clock, np.arange(first - 1, first + days, dtype=float))
    return columns_DK, products_of(columns_DK)


class SlowState(NamedTuple):
    """Summary of the whole past of each series, on one axis."""

    # first known day; keeps sums exact for values with a large offset
    reference_B: NDArray
    unit_B: NDArray  # power of two near it, so that squares stay in range
    sums_B3M: NDArray  # sums of the regression over the days of all finished chunks
    weight_B: NDArray
    coefficients_BK: NDArray  # in force
    phi_B: NDArray
    noise_B: NDArray
    came_B2: NDArray  # decayed sums for the share: predicted × actual, predicted²
    last_B: NDArray  # newest day of the finished chunks
    days_BD: NDArray  # later days, of the unfinished chunk; NaN = missing
    today_B: NDArray  # sum over the unfinished day
    newest_BRJ: NDArray  # the newest solutions, in units of the axis


def start_slow(clock: Clock, rows: int, solutions: int = 1) -> SlowState:
    """The state before the first value of each series; `solutions`: number of solutions to keep."""
    layout = clock.layout
    return SlowState(
        reference_B=np.full(rows, np.nan),
        unit_B=np.ones(rows),
        sums_B3M=np.zeros((rows, 3, layout.products)),
        weight_B=np.zeros(rows),
        coefficients_BK=np.zeros((rows, layout.columns)),
        phi_B=np.zeros(rows),
        noise_B=np.zeros(rows),
        came_B2=np.zeros((rows, 2)),
        last_B=np.full(rows, np.nan),
        days_BD=np.full((rows, max(clock.first, clock.renewal)), np.nan),
        today_B=np.zeros(rows),
        newest_BRJ=np.zeros((rows, solutions, sum(layout.groups))),
    )


def put_rows(state: SlowState, rows: NDArray, new_state: SlowState) -> None:
    """Overwrite some rows of a state that is not shared."""
    for array, new_array in zip(state, new_state, strict=True):
        array[rows] = new_array


def advance_slow(
    clock: Clock, state: SlowState, z_BT: NDArray, count: int
) -> tuple[SlowState, list[NDArray]]:
    """Read T more steps of series of which `count` were read before; also return the solutions
    (B, J) from their renewals."""
    days_BD, today_B = _whole_days(clock, state.today_B, z_BT, count)
    state = state._replace(today_B=today_B)
    day = count // clock.steps
    days_read = 0
    solutions = []
    while days_read < days_BD.shape[1]:
        first, stop = clock.chunk(day)
        until = min(days_read + stop - day, days_BD.shape[1])
        place = day - first
        chunk_BD = state.days_BD.copy()
        chunk_BD[:, place : place + until - days_read] = days_BD[:, days_read:until]
        state = state._replace(days_BD=chunk_BD)
        day += until - days_read
        days_read = until
        if day == stop:
            state = renewed(clock, state, first, stop)
            solutions.append(state.newest_BRJ[:, -1])
    return state, solutions


def _whole_days(
    clock: Clock, today_B: NDArray, z_BT: NDArray, count: int
) -> tuple[NDArray, NDArray]:
    """Means of the days that end within T more steps (B, D), and the sum of the unfinished day.

    A day with a missing step is missing. Steps are added one after the other, so that the split
    into chunks does not change any bit.
    """
    per_day = clock.steps
    steps_before = count % per_day
    if per_day == 1:
        return z_BT, today_B
    z_BT = np.concatenate([np.zeros((len(z_BT), steps_before)), z_BT], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # dropped when they are used
        return _sums_of_days(per_day, today_B, z_BT)


def _sums_of_days(
    per_day: int, today_B: NDArray, z_BT: NDArray
) -> tuple[NDArray, NDArray]:
    """The same of steps that begin with a day, whose sum so far is `today_B`."""
    rows = len(z_BT)
    whole_days = z_BT.shape[1] // per_day
    sums_BD = np.zeros((rows, whole_days + 1))
    sums_BD[:, 0] = today_B
    steps_BDM = z_BT[:, : whole_days * per_day].reshape(rows, whole_days, per_day)
    for step in range(per_day):
        sums_BD[:, :whole_days] += steps_BDM[:, :, step]
    for step in range(whole_days * per_day, z_BT.shape[1]):
        sums_BD[:, whole_days] += z_BT[:, step]
    return sums_BD[:, :whole_days] / per_day, sums_BD[:, whole_days]


def renewed(clock: Clock, state: SlowState, first: int, stop: int) -> SlowState:
    """The state after the chunk of days from `first` to `stop`, with a new solution in force."""
    with np.errstate(over="ignore", invalid="ignore"):  # overflowing values are dropped
        return _renewed(clock, state, first, stop)


def _renewed(clock: Clock, state: SlowState, first: int, stop: int) -> SlowState:
    days_BD = state.days_BD[:, : stop - first]
    reference_B = _first_known(state.reference_B, days_BD)
    unit_B = _unit_near(np.nan_to_num(reference_B))
    z_BD = np.concatenate([state.last_B[:, None], days_BD], axis=1)
    z_BD = (z_BD - reference_B[:, None]) / unit_B[:, None]
    columns_DK, products = _chunk(clock, first, stop - first)
    if first == 0:
        weight_BE = _first_weights(clock, columns_DK, products, z_BD)
        came_B2 = state.came_B2
    else:
        weight_BE = _weights(columns_DK, z_BD, state)
        came_B2 = _came(clock, columns_DK, z_BD, weight_BE, state)
    sums_B3M, weight_B = sums_of(columns_DK, products, np.nan_to_num(z_BD), weight_BE)
    sums_B3M = state.sums_B3M + sums_B3M
    weight_B = state.weight_B + weight_B
    # Sums of values whose squares overflow are no longer usable.
    sound_B = np.asarray(np.isfinite(sums_B3M).all(axis=(1, 2)))
    sums_B3M = np.where(sound_B[:, None, None], sums_B3M, 0.0)
    weight_B = weight_B * sound_B
    fitted = _solved(clock, sums_B3M, weight_B)
    factor_B1 = (unit_B * _share(came_B2))[:, None]
    year_BJ = fitted.coefficients_BK[:, clock.layout.base :] * factor_B1
    newest_BRJ = np.concatenate([state.newest_BRJ[:, 1:], year_BJ[:, None]], axis=1)
    return SlowState(
        reference_B,
        unit_B,
        sums_B3M,
        weight_B,
        fitted.coefficients_BK,
        fitted.phi_B,
        fitted.noise_B,
        came_B2,
        days_BD[:, -1],
        np.full_like(state.days_BD, np.nan),
        state.today_B,
        newest_BRJ,
    )


def _unit_near(reference_B: NDArray) -> NDArray:
    """A power of two near each value; 1 for zeros."""
    power_B = np.frexp(reference_B)[1]
    return np.where(reference_B != 0, np.ldexp(1.0, power_B - 1), 1.0)


def _share(came_B2: NDArray) -> NDArray:
    """The share of predicted effects that was realised, 0 to 1 (B,)."""
    foretold_and_came_B, foretold_B = came_B2.T
    share_B = (foretold_and_came_B + SHARE_PRIOR) / (foretold_B + SHARE_PRIOR)
    return np.clip(share_B, 0.0, 1.0)


def _first_known(reference_B: NDArray, z_BD: NDArray) -> NDArray:
    rows = np.arange(len(z_BD))
    place_B = (~np.isnan(z_BD)).argmax(axis=1)
    return np.where(np.isnan(reference_B), z_BD[rows, place_B], reference_B)


def _solved(clock: Clock, sums_B3M: NDArray, weight_B: NDArray) -> Fit:
    """The solution; only the base where there are too few data for more."""
    layout = clock.layout
    rows = len(weight_B)
    base = fit(base_sums(sums_B3M, layout), weight_B, Layout(layout.base))
    nothing_BP = np.zeros((rows, layout.columns - layout.base))
    coefficients_BK = np.concatenate([base.coefficients_BK, nothing_BP], axis=1)
    gain_BG = np.zeros((rows, len(layout.groups)))
    of_base = Fit(coefficients_BK, base.phi_B, base.noise_B, gain_BG)
    enough = np.flatnonzero(weight_B >= clock.fewest)
    if not len(enough):
        return of_base
    weight_R = weight_B[enough]
    is_early = weight_R < EARLY * clock.year
    least_gain_R = np.where(is_early, EARLY_GAIN, LEAST_GAIN)
    of_all = fit(sums_B3M[enough], weight_R, layout, least_gain_R)
    return with_rows(of_base, enough, of_all)


def _first_weights(
    clock: Clock, columns_DK: NDArray, products: NDArray, z_BD: NDArray
) -> NDArray:
    """The weights of the first chunk, which has no earlier solution: from its own solutions."""
    known_BD = np.isfinite(z_BD)
    filled_BD = np.nan_to_num(z_BD)
    weight_BE = (known_BD[:, 1:] & known_BD[:, :-1]).astype(float)
    for _ in range(FIRST_FITS):
        sums_B3M, weight_B = sums_of(columns_DK, products, filled_BD, weight_BE)
        sums_B3M = np.where(np.isfinite(sums_B3M), sums_B3M, 0.0)
        fitted = _solved(clock, sums_B3M, weight_B)
        fitted = fitted._replace(noise_B=np.zeros(len(z_BD)))  # inflated by outliers
        weight_BE = _weights(columns_DK, z_BD, fitted)
    return weight_BE


def _weights(columns_DK: NDArray, z_BD: NDArray, fitted: Fit | SlowState) -> NDArray:
    """The weight of each day given the one before it (B, E): 0 if one of them is missing, and
    less than 1 for large residuals, so that no day counts more than one at the limit."""
    rest_BD = z_BD - _expected(columns_DK, fitted.coefficients_BK)
    surprise_BE = np.abs(_quasi_difference(rest_BD, fitted.phi_B))
    known_BE = np.isfinite(surprise_BE)
    surprise_BE = np.where(known_BE, surprise_BE, np.nan)
    has_some_B = known_BE.any(axis=1)
    # If the noise has grown, residuals of the new usual size are not outliers.
    usual_B = np.zeros(len(z_BD))
    usual_B[has_some_B] = SPREAD * np.nanmedian(surprise_BE[has_some_B], axis=1)
    limit_B1 = LIMIT * np.maximum(fitted.noise_B, usual_B)[:, None]
    beyond_BE = np.nan_to_num(surprise_BE) > limit_B1
    large_BE = known_BE & (limit_B1 > 0) & beyond_BE
    numerator_BE = np.where(large_BE, limit_B1, 1.0)
    ratio_BE = numerator_BE / np.where(large_BE, surprise_BE, 1.0)
    return known_BE * ratio_BE**2


def _came(
    clock: Clock,
    columns_DK: NDArray,
    z_BD: NDArray,
    weight_BE: NDArray,
    state: SlowState,
) -> NDArray:
    """The sums of the share after a chunk, whose year the solution in force has predicted."""
    year_BK = state.coefficients_BK.copy()
    year_BK[:, : clock.layout.base] = 0.0
    others_BD = _expected(columns_DK, state.coefficients_BK - year_BK)
    without_BD = z_BD - others_BD
    came_BE = _quasi_difference(without_BD, state.phi_B)
    came_BE = np.nan_to_num(came_BE, posinf=0.0, neginf=0.0)
    foretold_BE = _quasi_difference(_expected(columns_DK, year_BK), state.phi_B)
    unit_B1 = np.where(state.noise_B > 0, state.noise_B, np.inf)[:, None]
    foretold_BE = foretold_BE / unit_B1
    came_BE = came_BE / unit_B1
    weighted_BE = weight_BE * foretold_BE
    products_B = (weighted_BE * came_BE).sum(axis=1)
    squares_B = (weighted_BE * foretold_BE).sum(axis=1)
    newest_B2 = np.stack([products_B, squares_B], axis=1)
    return np.nan_to_num(SHARE_KEPT * state.came_B2 + newest_B2)


def _expected(columns_DK: NDArray, coefficients_BK: NDArray) -> NDArray:
    """Fitted values of each day (B, D), computed row by row: see `sums_of`."""
    return (coefficients_BK[:, None] @ columns_DK.T)[:, 0]


def _quasi_difference(of_BD: NDArray, phi_B: NDArray) -> NDArray:
    return of_BD[:, 1:] - phi_B[:, None] * of_BD[:, :-1]


def effect_of(
    clock: Clock, solution_BTJ: NDArray, steps_BT: NDArray, distances: NDArray
) -> NDArray:
    """The effect of these solutions at some distances from each step (B, T, len(distances))."""
    angle_BT = 2 * np.pi / clock.year / clock.steps * steps_BT
    angle_D = 2 * np.pi / clock.year / clock.steps * distances
    total = np.zeros((*steps_BT.shape, len(distances)))
    for order in range(1, HARMONICS + 1):
        cosine_BT = solution_BTJ[..., order - 1] / order
        sine_BT = solution_BTJ[..., HARMONICS + order - 1] / order
        here_BT = np.cos(order * angle_BT)
        quarter_BT = np.sin(order * angle_BT)
        in_phase_BT = cosine_BT * here_BT + sine_BT * quarter_BT
        across_BT = sine_BT * here_BT - cosine_BT * quarter_BT
        total += in_phase_BT[..., None] * np.cos(order * angle_D)
        total += across_BT[..., None] * np.sin(order * angle_D)
    return total
