"""Linear maps from known values to each coming step, fitted in closed form.

As many origins share most of their history, maps are fitted at few places, which neighbouring
cutoffs share.

Past covariates (`past`) are read too: their newest values, relative to their mean and scaled to
the size of the target, so that leading indicators improve the forecast.

    O origins · H horizon · U fits · R examples of each · M examples of any
    N newest values, including those of past covariates
    S values of the same phase in earlier cycles
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstmcast.context import Blocks
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import newest_known, reduced, spread

NEWEST, CYCLES = 8, 2  # newest values, and earlier cycles, that are read
FEWEST, MOST = 8, 128  # number of training examples
RIDGE = 0.1  # prior strength, as a share of the examples
PER_OCTAVE = 8  # fits while the length of the history doubles
MOST_NUMBERS = 4_000_000  # numbers per batch


@dataclass(frozen=True)
class Linear:
    """A separate linear map for each step, of the newest values and of those at the same phase of
    the last two cycles, all relative to the mean of the newest.

    It is fitted by ridge regression (Hoerl & Kennard 1970) to what the network reads of the same
    series; fits are renewed when that has grown by a tenth. NaN if there are too few examples.
    `past` names past covariates.

    >>> wave, origins = np.sin(np.arange(80) / 3), Origins(np.array([0]), np.array([78]))
    >>> point = Linear(()).points(Panel.from_arrays(wave), origins, 2)
    >>> point.round(2), wave[78:].round(2)
    (array([[0.71, 0.86]]), array([0.76, 0.93]))
    """

    periods: tuple[int, ...]
    name: str = "linear map"
    past: tuple[str, ...] = ()

    def points(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """Forecasts (O, H)."""
        first_O = Blocks.of(panel.periods).start(origins.counts)
        known_O = origins.counts - first_O
        count_O = places_before(known_O, PER_OCTAVE)
        keys = np.stack([origins.series, first_O, count_O])
        (series, first, count), fit_O = np.unique(keys, axis=1, return_inverse=True)
        fit_O = fit_O.ravel()
        history = History.of(panel.values, panel.offsets)
        columns = [panel.covariates.past[name] for name in self.past]
        column_histories = tuple(
            History.of(column, panel.offsets) for column in columns
        )
        result_OH = np.full((len(origins.series), horizon), np.nan)
        for periods, fit_rows in self._alike(count, horizon):
            fits = Fits(
                history=history,
                series=series[fit_rows],
                first=first[fit_rows],
                count=count[fit_rows],
                periods=periods,
                horizon=horizon,
                columns=column_histories,
            )
            maps = fits.maps()
            rows = np.flatnonzero(np.isin(fit_O, fit_rows))
            fit_of_row = np.searchsorted(fit_rows, fit_O[rows])
            examples = fits.examples(fit_of_row, known_O[rows])
            result_OH[rows] = maps.applied(fit_of_row, examples)
        power_O = history.power_S[origins.series]
        return np.ldexp(result_OH, power_O[:, None])

    def _alike(
        self, count_U: NDArray, horizon: int
    ) -> Iterator[tuple[tuple[int, ...], NDArray]]:
        """Groups of fits (in order) with the same cycles: as many as leave enough examples."""
        longest = [0, *self.periods]
        reach_P = np.maximum(CYCLES * np.array(longest), NEWEST)
        examples_PU = count_U - reach_P[:, None] - horizon + 1
        has_enough_PU = examples_PU >= FEWEST
        most_U = has_enough_PU.sum(axis=0) - 1  # periods are ascending
        for cycles in range(len(longest)):
            rows = np.flatnonzero(most_U == cycles)
            numbers = MOST * horizon * max(1, CYCLES * cycles)
            size = max(1, MOST_NUMBERS // numbers)
            for start in range(0, len(rows), size):
                yield self.periods[:cycles], rows[start : start + size]


def places_before(known_O: NDArray, per_octave: int) -> NDArray:
    """The largest grid point up to each number of known values, at which maps are fitted; the grid
    has `per_octave` points per doubling."""
    octave_O = np.log2(np.maximum(known_O, 1))
    octave_O = np.floor(octave_O * per_octave) / per_octave
    place_O = np.floor(2**octave_O + 1e-9).astype(np.int64)
    return np.minimum(place_O, known_O)


class History(NamedTuple):
    """All values, with missing ones filled forward, and where they were observed.

    Values are in units of a power of two close to their size, so that squares stay in range.
    """

    values_N: NDArray
    observed_N: NDArray
    offsets: NDArray
    power_S: NDArray
    is_whole: bool  # no value is missing

    @classmethod
    def of(cls, given_N: NDArray, offsets: NDArray) -> History:
        """The history of a panel's series, or of a past covariate."""
        observed_N = newest_known(given_N, offsets)
        largest_S = reduced(np.fmax, np.abs(given_N), offsets)
        power_S = np.frexp(np.nan_to_num(largest_S))[1]
        values_N = np.ldexp(given_N, -spread(power_S, offsets))
        is_whole = bool(np.isfinite(given_N).all())
        values_N = values_N[np.maximum(observed_N, 0)]
        return cls(values_N, observed_N, offsets, power_S, is_whole)

    def runs(self, begin_M: NDArray, first_M: NDArray, length: int) -> NDArray:
        """Consecutive values starting a number of steps after the start of reading (M, T); NaN if
        none was observed since."""
        place_M = begin_M + first_M
        values_MT = sliding_window_view(self.values_N, length)[place_M]
        if self.is_whole:
            return values_MT
        observed_MT = sliding_window_view(self.observed_N, length)[place_M]
        return np.where(observed_MT >= begin_M[:, None], values_MT, np.nan)


class Examples(NamedTuple):
    """Inputs of some origins, relative to `base` and in units of `scale`."""

    newest_MN: NDArray
    phases_MHS: NDArray
    base_M: NDArray

    @property
    def are_whole(self) -> NDArray:
        """Which of them have all values (M,), apart from past covariates."""
        return np.isfinite(self.base_M) & np.isfinite(self.phases_MHS).all(axis=(1, 2))


def _newest(history: History, begin_M: NDArray, known_M: NDArray) -> NDArray:
    """The newest values, latest first (M, N)."""
    values_MN = history.runs(begin_M, known_M - NEWEST, NEWEST)
    return np.ascontiguousarray(values_MN[:, ::-1])


@dataclass(frozen=True, eq=False)
class Fits:
    """The places of the fits: each knows `count` values of a series from `first` on."""

    history: History
    series: NDArray  # (U,)
    first: NDArray
    count: NDArray
    periods: tuple[int, ...]
    horizon: int
    columns: tuple[History, ...] = ()  # past covariates

    def examples(self, own_M: NDArray, known_M: NDArray) -> Examples:
        """The inputs of the maps `own_M` after `known_M` values of their series."""
        begin_M = self._begin_U[own_M]
        newest_MN = _newest(self.history, begin_M, known_M)
        base_M = newest_MN.mean(axis=1)
        base_M1 = base_M[:, None]
        S = CYCLES * len(self.periods)
        phases_MHS = np.empty((len(own_M), self.horizon, S))
        for place in range(S):
            period = self.periods[place // CYCLES]
            lag = (place % CYCLES + 1) * period
            steps = min(period, self.horizon)
            cycle_MT = self.history.runs(begin_M, known_M - lag, steps)
            cycle_MT -= base_M1
            in_cycle_H = np.arange(self.horizon) % period
            phases_MHS[:, :, place] = cycle_MT[:, in_cycle_H]
        newest = [newest_MN - base_M1]
        for column, mean_U in zip(self.columns, self.means_BU, strict=True):
            mean_M1 = mean_U[own_M][:, None]
            newest.append(_newest(column, begin_M, known_M) - mean_M1)
        return Examples(np.concatenate(newest, axis=1), phases_MHS, base_M)

    @property
    def _begin_U(self) -> NDArray:
        """The index of the first value of each fit."""
        return self.history.offsets[self.series] + self.first

    @cached_property
    def means_BU(self) -> list[NDArray]:
        """The mean of each past covariate, over the values that each fit knows."""
        begin_U = self._begin_U
        end_U = begin_U + self.count
        means = []
        for column in self.columns:
            is_observed_N = column.observed_N >= 0
            values_N = np.where(is_observed_N, column.values_N, 0.0)
            sums_N = np.concatenate([[0.0], np.cumsum(values_N)])
            counts_N = np.concatenate([[0], np.cumsum(is_observed_N)])
            total_U = sums_N[end_U] - sums_N[begin_U]
            number_U = counts_N[end_U] - counts_N[begin_U]
            means.append(total_U / np.maximum(number_U, 1))
        return means

    def maps(self) -> Maps:
        """Fit the maps."""
        known_UR, used_UR = self._examples_known()
        fit_U1 = np.arange(len(self.count))[:, None]
        own_M = np.broadcast_to(fit_U1, known_UR.shape).ravel()
        known_M = known_UR.ravel()
        examples = self.examples(own_M, known_M)
        target_MH = self.history.runs(self._begin_U[own_M], known_M, self.horizon)
        target_MH -= examples.base_M[:, None]
        is_used_M = used_UR.ravel()
        if not self.history.is_whole:
            is_used_M = is_used_M & examples.are_whole
            is_used_M &= np.isfinite(target_MH).all(axis=1)
        examples_U = is_used_M.reshape(known_UR.shape).sum(axis=1)
        is_unused_M = ~is_used_M

        def by_fit(values_M: NDArray) -> NDArray:
            values_M[is_unused_M] = 0.0
            return values_M.reshape(*known_UR.shape, *values_M.shape[1:])

        newest_URN = by_fit(examples.newest_MN)
        phases_URHS = by_fit(examples.phases_MHS)
        target_URH = by_fit(target_MH)
        if not self.columns:
            return _solved(newest_URN, phases_URHS, target_URH, examples_U)
        size_U1N = _sizes(newest_URN)[:, None]
        maps = _solved(newest_URN * size_U1N, phases_URHS, target_URH, examples_U)
        return maps._replace(newest_UHN=maps.newest_UHN * size_U1N)

    def _examples_known(self) -> tuple[NDArray, NDArray]:
        """The number of known values at each example of each fit (U, R), and which examples
        exist."""
        reach = max(NEWEST, CYCLES * max(self.periods, default=0))
        examples_U = self.count - self.horizon - reach + 1
        stride_U = -(-examples_U // MOST)  # rounded up
        used_U = -(-examples_U // stride_U)
        back_UR = stride_U[:, None] * np.arange(int(used_U.max()))
        known_UR = self.count[:, None] - self.horizon - back_UR
        return np.maximum(known_UR, reach), known_UR >= reach


class Maps(NamedTuple):
    """Coefficients for each step."""

    newest_UHN: NDArray
    phases_UHS: NDArray

    def applied(self, own_M: NDArray, read: Examples) -> NDArray:
        """Forecasts (M, H) by the maps `own_M`."""
        weights_MHN = self.newest_UHN[own_M]
        newest_MN1 = read.newest_MN[:, :, None]
        newest_MH = np.matmul(weights_MHN, newest_MN1)[:, :, 0]
        weighted_MHS = self.phases_UHS[own_M] * read.phases_MHS
        phases_MH = weighted_MHS.sum(axis=2)
        return read.base_M[:, None] + newest_MH + phases_MH


def _sizes(newest_URN: NDArray) -> NDArray:
    """Multipliers of the newest values (U, N), which scale past covariates to the size of the
    target so that one prior suits all."""
    U, _, N = newest_URN.shape
    square_UN = (newest_URN**2).sum(axis=1)
    square_UB = square_UN.reshape(U, N // NEWEST, NEWEST).sum(axis=2)
    target_U1 = square_UB[:, :1]
    has_size_UB = (square_UB > 0) & (target_U1 > 0)
    numerator_UB = np.where(has_size_UB, target_U1, 0.0)
    denominator_UB = np.where(has_size_UB, square_UB, 1.0)
    size_UB = np.sqrt(numerator_UB / denominator_UB)
    size_UB[:, 0] = 1.0
    return np.repeat(size_UB, NEWEST, axis=1)


def _solved(
    newest_URN: NDArray, phases_URHS: NDArray, target_URH: NDArray, examples_U: NDArray
) -> Maps:
    """Ridge regression of each fit, by blocks: the phases explain what the newest values leave."""
    U, R, N = newest_URN.shape
    H, S = phases_URHS.shape[2:]
    newest_square_U = (newest_URN**2).sum(axis=(1, 2))
    phases_square_U = (phases_URHS**2).sum(axis=(1, 2, 3))
    square_U = newest_square_U + phases_square_U / H
    # without values, a prior of 1 keeps the equations solvable
    prior_if_empty_U = np.where(square_U > 0, 0.0, 1.0)
    prior_U = RIDGE * square_U / (N + S) + prior_if_empty_U
    newest_UNR = newest_URN.swapaxes(1, 2)
    gram_UNN = newest_UNR @ newest_URN
    gram_UNN = gram_UNN + prior_U[:, None, None] * np.eye(N)
    phases_URX = phases_URHS.reshape(U, R, H * S)
    right_URX = np.concatenate([phases_URX, target_URH], axis=2)
    cross_UNX = newest_UNR @ right_URX
    solved_UNX = np.linalg.solve(gram_UNN, cross_UNX)

    def of_phases(columns_UNX: NDArray) -> NDArray:
        columns_UNHS = columns_UNX[:, :, : H * S].reshape(U, N, H, S)
        return columns_UNHS.transpose(0, 2, 1, 3)

    cross_UHNS = of_phases(cross_UNX)
    on_phases_UHNS = of_phases(solved_UNX)
    on_target_UNH = solved_UNX[:, :, H * S :]
    phases_UHRS = phases_URHS.transpose(0, 2, 1, 3)
    gram_UHSS = phases_UHRS.swapaxes(2, 3) @ phases_UHRS
    gram_UHSS = gram_UHSS + prior_U[:, None, None, None] * np.eye(S)
    cross_UHSN = cross_UHNS.swapaxes(2, 3)
    left_UHSS = gram_UHSS - cross_UHSN @ on_phases_UHNS
    target_URX = np.repeat(target_URH, S, axis=2)
    products_URX = phases_URX * target_URX
    target_UX = products_URX.sum(axis=1)
    target_UHS = target_UX.reshape(U, H, S)
    explained_UHS = np.einsum("uhns,unh->uhs", cross_UHNS, on_target_UNH)
    left_UHS = target_UHS - explained_UHS
    phases_UHS1 = np.linalg.solve(left_UHSS, left_UHS[..., None])
    phases_UHS = phases_UHS1[..., 0]
    by_phases_UHN = np.einsum("uhns,uhs->uhn", on_phases_UHNS, phases_UHS)
    newest_UHN = on_target_UNH.swapaxes(1, 2) - by_phases_UHN
    has_enough_U = examples_U >= FEWEST
    newest_UHN = np.where(has_enough_U[:, None, None], newest_UHN, np.nan)
    return Maps(newest_UHN, phases_UHS)
