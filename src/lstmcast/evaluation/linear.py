"""A linear map from what is known of a series to each of its next steps, fitted in closed form.

Origins are many and share most of their history, so a map is fitted at few places, which
neighbouring cutoffs share.

Columns that are known until now (`past`) are read too: their newest values, relative to their mean
and in the size of the target's, so that a cause that leads its effect tells of the coming steps.

    O origins · H horizon · U fits · R examples of each · M examples of any
    N newest values, those of columns beside the target included
    S values of the same phase in earlier cycles
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import newest_known, reduced, spread

NEWEST, CYCLES = 8, 2  # values and cycles before a step that are read
FEWEST, MOST = 8, 128  # examples that a map is fitted to
RIDGE = 0.1  # the prior: as if so large a share of the examples said that nothing matters
PER_OCTAVE = 8  # places at which a map is fitted, while the history doubles
MOST_NUMBERS = 4_000_000  # that are held at once


@dataclass(frozen=True)
class Linear:
    """A linear map of its own for each step: of the newest values, and of those of the same phase
    in the last two cycles, all of them relative to the mean of the newest.

    It is fitted by ridge regression (Hoerl & Kennard 1970) to what the network has read of the same
    series: anew whenever that has grown by a tenth, and held in between. NaN where there are too
    few examples. `past` names columns that are read beside the target.

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
        count_O = _places(origins.counts - first_O)
        keys = np.stack([origins.series, first_O, count_O])
        (series, first, count), used_O = np.unique(keys, axis=1, return_inverse=True)
        used_O, history = used_O.ravel(), History.of(panel.values, panel.offsets)
        beside = tuple(History.of(panel.covariates.past[name], panel.offsets) for name in self.past)
        result_OH = np.full((len(origins.series), horizon), np.nan)
        for periods, chosen in self._alike(count, horizon):
            keys = series[chosen], first[chosen], count[chosen]
            fits = Fits(history, *keys, periods, horizon, beside)
            maps = fits.maps()
            at = np.flatnonzero(np.isin(used_O, chosen))
            own = np.searchsorted(chosen, used_O[at])
            known = origins.counts[at] - first_O[at]
            result_OH[at] = maps.applied(own, fits.examples(own, known))
        return np.ldexp(result_OH, history.power_S[origins.series][:, None])

    def _alike(self, count_U: NDArray, horizon: int) -> Iterator[tuple[tuple[int, ...], NDArray]]:
        """Fits (in order) that use the same cycles: as many as leave enough examples."""
        longest = [0, *self.periods]
        reach = np.maximum(CYCLES * np.array(longest), NEWEST)
        enough_PU = count_U - reach[:, None] - horizon + 1 >= FEWEST
        most_U = enough_PU.sum(axis=0) - 1  # periods ascend
        for k in range(len(longest)):
            chosen = np.flatnonzero(most_U == k)
            size = max(1, MOST_NUMBERS // (MOST * horizon * max(1, CYCLES * k)))
            for start in range(0, len(chosen), size):
                yield self.periods[:k], chosen[start : start + size]


def _places(known_O: NDArray) -> NDArray:
    """How much of so many known values a map is fitted to: a grid, eight places while they
    double."""
    octave_O = np.floor(np.log2(np.maximum(known_O, 1)) * PER_OCTAVE) / PER_OCTAVE
    return np.minimum(np.floor(2**octave_O + 1e-9).astype(np.int64), known_O)


class History(NamedTuple):
    """All values, missing ones carried forward, and where each of them was observed.

    Values are in units of powers of two near their size, so that squares stay in range.
    """

    values_N: NDArray
    observed_N: NDArray
    offsets: NDArray
    power_S: NDArray

    @classmethod
    def of(cls, given_N: NDArray, offsets: NDArray) -> History:
        """That of the values of a panel's series, or of a column beside them."""
        observed_N = newest_known(given_N, offsets)
        largest_S = reduced(np.fmax, np.abs(given_N), offsets)
        power_S = np.frexp(np.nan_to_num(largest_S))[1]
        values_N = np.ldexp(given_N, -spread(power_S, offsets))
        return cls(values_N[np.maximum(observed_N, 0)], observed_N, offsets, power_S)

    def at(self, begin: NDArray, steps: NDArray) -> NDArray:
        """Values so many steps after where reading begins; NaN where none was observed since."""
        place = begin + steps
        return np.where(self.observed_N[place] >= begin, self.values_N[place], np.nan)


class Examples(NamedTuple):
    """What is read of some origins, relative to `base` and in units of `scale`."""

    newest_MN: NDArray
    phases_MHS: NDArray
    base_M: NDArray


@dataclass(frozen=True, eq=False)
class Fits:
    """Where maps are fitted: each knows `count` values of a series from `first` on."""

    history: History
    series: NDArray  # (U,)
    first: NDArray
    count: NDArray
    periods: tuple[int, ...]
    horizon: int
    beside: tuple[History, ...] = ()

    def examples(self, own_M: NDArray, known_M: NDArray) -> Examples:
        """What the maps `own_M` read of their series after `known_M` values."""
        begin_M1 = (self.history.offsets[self.series] + self.first)[own_M][:, None]
        newest_MN = self.history.at(begin_M1, known_M[:, None] - 1 - np.arange(NEWEST))
        base_M = newest_MN.mean(axis=1)
        steps = [
            known_M[:, None] - cycle * period + np.arange(self.horizon) % period
            for period in self.periods
            for cycle in range(1, CYCLES + 1)
        ]
        phases = [self.history.at(begin_M1, step_MH) - base_M[:, None] for step_MH in steps]
        empty = np.empty((len(own_M), self.horizon, 0))
        phases_MHS = np.stack(phases, axis=2) if phases else empty
        newest_MN = newest_MN - base_M[:, None]
        lags = known_M[:, None] - 1 - np.arange(NEWEST)
        causes = [
            one.at(begin_M1, lags) - self.means_BU[b][own_M][:, None]
            for b, one in enumerate(self.beside)
        ]
        return Examples(np.concatenate([newest_MN, *causes], axis=1), phases_MHS, base_M)

    @cached_property
    def means_BU(self) -> list[NDArray]:
        """The mean of each column beside the target, of what each fit knows."""
        begin_U = self.history.offsets[self.series] + self.first
        means = []
        for one in self.beside:
            there_N = one.observed_N >= 0
            sums_N = np.concatenate([[0.0], np.cumsum(np.where(there_N, one.values_N, 0.0))])
            count_N = np.concatenate([[0], np.cumsum(there_N)])
            total_U = sums_N[begin_U + self.count] - sums_N[begin_U]
            means.append(total_U / np.maximum(count_N[begin_U + self.count] - count_N[begin_U], 1))
        return means

    def maps(self) -> Maps:
        """The maps, fitted."""
        reach = max(NEWEST, CYCLES * max(self.periods, default=0))
        examples_U = self.count - self.horizon - reach + 1
        stride_U = -(-examples_U // MOST)
        R = int((-(-examples_U // stride_U)).max())
        back_UR = stride_U[:, None] * np.arange(R)
        known_UR = self.count[:, None] - self.horizon - back_UR
        used_UR = known_UR >= reach
        known_UR = np.maximum(known_UR, reach)
        own_UR = np.broadcast_to(np.arange(len(self.count))[:, None], known_UR.shape)
        read = self.examples(own_UR.ravel(), known_UR.ravel())
        begin = (self.history.offsets[self.series] + self.first)[own_UR.ravel()][:, None]
        target_MH = self.history.at(begin, known_UR.reshape(-1, 1) + np.arange(self.horizon))
        target_MH = target_MH - read.base_M[:, None]
        whole_M = np.isfinite(read.base_M) & np.isfinite(target_MH).all(axis=1)
        whole_M &= np.isfinite(read.phases_MHS).all(axis=(1, 2)) & used_UR.ravel()
        examples_U = whole_M.reshape(known_UR.shape).sum(axis=1)

        def shaped(part_M: NDArray) -> NDArray:
            used = whole_M.reshape(-1, *[1] * (part_M.ndim - 1))
            return np.where(used, part_M, 0.0).reshape(*known_UR.shape, *part_M.shape[1:])

        newest_URN = shaped(read.newest_MN)
        size_UN = _sizes(newest_URN)
        maps = _solved(
            newest_URN * size_UN[:, None], shaped(read.phases_MHS), shaped(target_MH), examples_U
        )
        return maps._replace(newest_UHN=maps.newest_UHN * size_UN[:, None])


class Maps(NamedTuple):
    """Weights of what is read, for each step."""

    newest_UHN: NDArray
    phases_UHS: NDArray

    def applied(self, own_M: NDArray, read: Examples) -> NDArray:
        """Forecasts (M, H) by the maps `own_M`."""
        newest_MH = np.matmul(self.newest_UHN[own_M], read.newest_MN[:, :, None])[:, :, 0]
        phases_MH = (self.phases_UHS[own_M] * read.phases_MHS).sum(axis=2)
        return read.base_M[:, None] + newest_MH + phases_MH


def _sizes(newest_URN: NDArray) -> NDArray:
    """What the newest values are multiplied by (U, N): those of columns beside the target get the
    size of the target's, so that one prior suits all."""
    U, _, N = newest_URN.shape
    square_UB = (newest_URN**2).sum(axis=1).reshape(U, N // NEWEST, NEWEST).sum(axis=2)
    own_U1 = square_UB[:, :1]
    some_UB = (square_UB > 0) & (own_U1 > 0)
    size_UB = np.sqrt(np.where(some_UB, own_U1, 0.0) / np.where(some_UB, square_UB, 1.0))
    size_UB[:, 0] = 1.0
    return np.repeat(size_UB, NEWEST, axis=1)


def _solved(
    newest_URN: NDArray, phases_URHS: NDArray, target_URH: NDArray, examples_U: NDArray
) -> Maps:
    """Ridge regression of each fit, by blocks: what the newest values leave unexplained, the
    phases have to."""
    U, R, N = newest_URN.shape
    H, S = phases_URHS.shape[2:]
    square_U = (newest_URN**2).sum(axis=(1, 2)) + (phases_URHS**2).sum(axis=(1, 2, 3)) / H
    prior_U = RIDGE * square_U / (N + S) + np.where(square_U > 0, 0.0, 1.0)
    newest_UNR = newest_URN.swapaxes(1, 2)
    gram_UNN = newest_UNR @ newest_URN + prior_U[:, None, None] * np.eye(N)
    right = np.concatenate([phases_URHS.reshape(U, R, H * S), target_URH], axis=2)
    cross_UNX = newest_UNR @ right
    solved_UNX = np.linalg.solve(gram_UNN, cross_UNX)
    on_target_UNH = solved_UNX[:, :, H * S :]
    phases_UHRS = phases_URHS.transpose(0, 2, 1, 3)
    cross_UHNS = cross_UNX[:, :, : H * S].reshape(U, N, H, S).transpose(0, 2, 1, 3)
    on_phases_UHNS = solved_UNX[:, :, : H * S].reshape(U, N, H, S).transpose(0, 2, 1, 3)
    gram_UHSS = phases_UHRS.swapaxes(2, 3) @ phases_UHRS
    gram_UHSS = gram_UHSS + prior_U[:, None, None, None] * np.eye(S)
    left_UHSS = gram_UHSS - cross_UHNS.swapaxes(2, 3) @ on_phases_UHNS
    target_UHS = (phases_UHRS * target_URH.transpose(0, 2, 1)[..., None]).sum(axis=2)
    left_UHS = target_UHS - np.einsum("uhns,unh->uhs", cross_UHNS, on_target_UNH)
    phases_UHS = np.linalg.solve(left_UHSS, left_UHS[..., None])[..., 0]
    newest_UHN = on_target_UNH.swapaxes(1, 2) - np.einsum(
        "uhns,uhs->uhn", on_phases_UHNS, phases_UHS
    )
    enough_U11 = (examples_U >= FEWEST)[:, None, None]
    return Maps(np.where(enough_U11, newest_UHN, np.nan), phases_UHS)
