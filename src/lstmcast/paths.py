"""Sample paths: how a series may continue, drawn from the quantiles of each step and from how
errors hang together.

Quantiles say what may happen at one step. What may happen to a sum depends on whether errors of
neighbouring steps, and of different series, go the same way. `Dependence` says so in three numbers,
measured at held-out cutoffs; draws are those of a Gaussian copula with that correlation, so each
step keeps its quantiles exactly.

    O origins · H horizon · Q quantiles · N paths
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.bounds import within
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

PATHS = 1000  # draws of each forecast, half of them mirrored, so that they are as often too high
FARTHEST = 4.0  # standard deviations of a draw


class Dependence(NamedTuple):
    """How errors hang together, as correlations of each origin (O,).

    `lasting`: of far steps of one forecast. `near`: of neighbouring ones, in what does not last.
    `together`, `at_once`: of different series at the same time, in what lasts and in what does not.
    """

    lasting: NDArray
    near: NDArray
    together: NDArray
    at_once: NDArray

    @classmethod
    def usual(cls, origins: int) -> Dependence:
        """What is usual, where nothing was measured: medians over real data sets."""
        return cls(*(np.full(origins, value) for value in USUAL))

    def rows(self, origins: NDArray) -> Dependence:
        """That of some origins."""
        return Dependence(*(correlations[origins] for correlations in self))


USUAL = (0.2, 0.3, 0.2, 0.2)


class Sampler:
    """Draws paths of one series after the other, which share what their errors have in common.

    The paths of a series do not depend on which others are drawn beside it, or before.

    >>> quantiles = np.array([[-1.3, 0.0, 1.3]] * 2)
    >>> sampler = Sampler(horizon=2)
    >>> paths = sampler.paths(quantiles, (0.1, 0.5, 0.9), Dependence.usual(1), 0, "a")
    >>> paths.shape, bool(abs(np.quantile(paths[:, 0], 0.9) - 1.3) < 0.1)
    ((1000, 2), True)
    """

    def __init__(self, horizon: int, count: int = PATHS, seed: int = 0) -> None:
        self.horizon, self.count, self.seed = horizon, count, seed
        self._common = _noise(seed, "", count, horizon)

    def paths(
        self,
        quantiles_HQ: NDArray,
        quantile_levels: tuple[float, ...],
        dependence: Dependence,
        origin: int,
        name: str,
    ) -> NDArray:
        """Paths (N, H) of the series of this name, with the correlations of an origin."""
        lasting, near, together, at_once = (float(of_origin[origin]) for of_origin in dependence)
        noise = _noise(self.seed, name, self.count, self.horizon)
        path_N1 = _mixed(self._common.path_N1, noise.path_N1, together)
        step_NH = _mixed(self._common.step_NH, noise.step_NH, at_once)
        walk_NH = _walk(step_NH, near)
        z_NH = np.sqrt(lasting) * path_N1 + np.sqrt(1 - lasting) * walk_NH
        z_NH = np.clip(z_NH, -FARTHEST, FARTHEST)
        scores = [NormalDist().inv_cdf(level) for level in quantile_levels]
        return values_at(z_NH, quantiles_HQ, np.array(scores))


class Noise(NamedTuple):
    """Draws of the normal distribution, of each path (N, 1) and of each of its steps (N, H)."""

    path_N1: NDArray
    step_NH: NDArray


def _mixed(common_noise: NDArray, own_noise: NDArray, correlation: float) -> NDArray:
    """What a series draws, with this correlation to what others draw."""
    return np.sqrt(correlation) * common_noise + np.sqrt(1 - correlation) * own_noise


def _walk(step_NH: NDArray, near: float) -> NDArray:
    """Draws whose neighbours are correlated; their variance is 1 at each step."""
    walk_NH = step_NH.copy()
    new_NH = np.sqrt(1 - near**2) * step_NH
    for step in range(1, walk_NH.shape[1]):
        walk_NH[:, step] = near * walk_NH[:, step - 1] + new_NH[:, step]
    return walk_NH


def _noise(seed: int, name: str, count: int, horizon: int) -> Noise:
    encoded = name.encode("utf-8", "surrogatepass")
    rng = np.random.default_rng([seed, zlib.crc32(encoded)])
    half = -(-count // 2)
    path_N1 = rng.standard_normal((half, 1))
    step_NH = rng.standard_normal((horizon, half)).T
    return Noise(_mirrored(path_N1, count), _mirrored(step_NH, count))


def _mirrored(draws: NDArray, count: int) -> NDArray:
    """The draws and their negatives, so many in all."""
    both_signs = np.concatenate([draws, -draws])
    return both_signs[:count]


def values_at(z_NH: NDArray, quantiles_HQ: NDArray, scores: NDArray) -> NDArray:
    """The values that stand at these scores: straight lines between the quantiles, and on beyond
    the outermost."""
    right_NH = np.clip(np.searchsorted(scores, z_NH), 1, len(scores) - 1)
    left_NH = right_NH - 1
    steps = np.arange(len(quantiles_HQ))
    low_NH = quantiles_HQ[steps, left_NH]
    high_NH = quantiles_HQ[steps, right_NH]
    distance_NH = scores[right_NH] - scores[left_NH]
    share_NH = (z_NH - scores[left_NH]) / distance_NH
    return low_NH + share_NH * (high_NH - low_NH)


def require_intervals(forecast: Forecast) -> None:
    """UsageError where a forecast has no quantiles on both sides of its median."""
    levels = forecast.quantile_levels
    if not levels or levels[0] >= 0.5 or levels[-1] <= 0.5:
        raise UsageError(
            "Totals are made of intervals, and the forecast has none. Ask for quantiles below and "
            "above 0.5, for example quantiles=(0.1, 0.5, 0.9)."
        )


def draws_of(forecast: Forecast, count: int, seed: int = 0) -> Callable[[int], NDArray]:
    """What gives the sample paths (N, H) of an origin."""
    require_intervals(forecast)
    if forecast.joint is not None:
        return forecast.joint.draw(count, seed).__getitem__
    dependence = forecast.dependence or Dependence.usual(len(forecast.ids))
    sampler = Sampler(forecast.horizon, count, seed)

    def paths(origin: int) -> NDArray:
        paths_NH = sampler.paths(
            forecast.quantiles[origin],
            forecast.quantile_levels,
            dependence,
            origin,
            name=str(forecast.ids[origin]),
        )
        stops = forecast.stops is not None and forecast.stops[origin]
        if stops:
            paths_NH = np.maximum(paths_NH, 0.0)
        if forecast.bounds is None:
            return paths_NH
        origin_N = np.full(len(paths_NH), origin)
        own_bounds = forecast.bounds.rows(origin_N)
        return within(paths_NH, own_bounds)

    return paths
