"""Sample paths, drawn from the quantiles of each step and the correlation of errors.

Quantiles describe single steps. The distribution of a sum also depends on how errors are correlated
between steps and between series. `Dependence` holds these correlations, measured at held-out
cutoffs; paths are drawn from a Gaussian copula with them, so that each step keeps its quantiles
exactly.

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
from lstmcast.data.wholes import made_whole
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

# draws per forecast, half of them mirrored, so that highs and lows are balanced
PATHS = 1000
FARTHEST = 4.0  # standard deviations of a draw


class Dependence(NamedTuple):
    """Correlations of forecast errors at each origin (O,).

    `lasting`: between distant steps of one forecast. `near`: between neighbouring steps, without
    the lasting part. `together`, `at_once`: between series at the same time, in the lasting part
    and in the rest.
    """

    lasting: NDArray
    near: NDArray
    together: NDArray
    at_once: NDArray

    @classmethod
    def usual(cls, origins: int) -> Dependence:
        """Defaults where nothing was measured: medians over real data sets."""
        return cls(*(np.full(origins, value) for value in USUAL))

    def rows(self, origins: NDArray | slice) -> Dependence:
        """The correlations at some origins."""
        return Dependence(*(correlations[origins] for correlations in self))


USUAL = (0.2, 0.3, 0.2, 0.2)


class Sampler:
    """Draws paths series by series, with errors correlated between them.

    The paths of a series do not depend on which other series are drawn.

    >>> quantiles = np.array([[-1.3, 0.0, 1.3]] * 2)
    >>> sampler = Sampler(horizon=2)
    >>> paths = sampler.paths(quantiles, (0.1, 0.5, 0.9), Dependence.usual(1), 0, "a")
    >>> paths.shape, bool(abs(np.quantile(paths[:, 0], 0.9) - 1.3) < 0.1)
    ((1000, 2), True)
    """

    def __init__(self, horizon: int, count: int = PATHS, seed: int = 0) -> None:
        self.horizon = horizon
        self.count = count
        self.seed = seed
        self._common = _noise(seed, "", count, horizon)

    def paths(
        self,
        quantiles_HQ: NDArray,
        quantile_levels: tuple[float, ...],
        dependence: Dependence,
        origin: int,
        name: str,
    ) -> NDArray:
        """Paths (N, H) of a series, with the correlations of an origin."""
        lasting, near, together, at_once = (
            float(of_origin[origin]) for of_origin in dependence
        )
        noise = _noise(self.seed, name, self.count, self.horizon)
        path_N1 = _mixed(self._common.path_N1, noise.path_N1, together)
        step_NH = _mixed(self._common.step_NH, noise.step_NH, at_once)
        walk_NH = _walk(step_NH, near)
        z_NH = np.sqrt(lasting) * path_N1 + np.sqrt(1 - lasting) * walk_NH
        z_NH = np.clip(z_NH, -FARTHEST, FARTHEST)
        scores = [NormalDist().inv_cdf(level) for level in quantile_levels]
        return values_at(z_NH, quantiles_HQ, np.array(scores))


class Noise(NamedTuple):
    """Normal draws, one per path (N, 1) and one per step (N, H)."""

    path_N1: NDArray
    step_NH: NDArray


def _mixed(common_noise: NDArray, own_noise: NDArray, correlation: float) -> NDArray:
    """The draws of a series, with this correlation to those of others."""
    return np.sqrt(correlation) * common_noise + np.sqrt(1 - correlation) * own_noise


def _walk(step_NH: NDArray, near: float) -> NDArray:
    """Draws with unit variance whose neighbours are correlated."""
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
    """The draws and their negatives, `count` in total."""
    both_signs = np.concatenate([draws, -draws])
    return both_signs[:count]


def values_at(z_NH: NDArray, quantiles_HQ: NDArray, scores: NDArray) -> NDArray:
    """Values at these normal scores, linear between the quantiles and beyond the outermost."""
    right_NH = np.clip(np.searchsorted(scores, z_NH), 1, len(scores) - 1)
    left_NH = right_NH - 1
    steps = np.arange(len(quantiles_HQ))
    low_NH = quantiles_HQ[steps, left_NH]
    high_NH = quantiles_HQ[steps, right_NH]
    distance_NH = scores[right_NH] - scores[left_NH]
    share_NH = (z_NH - scores[left_NH]) / distance_NH
    return low_NH + share_NH * (high_NH - low_NH)


def of_sum(
    forecast: Forecast,
    group: NDArray,
    is_inside_OH: NDArray,
    drawn_N: NDArray,
    is_whole: bool,
) -> NDArray:
    """The quantiles of a sum, and its median; those of a single step are the forecast's own."""
    if is_inside_OH.sum() > 1:
        levels = (*forecast.quantile_levels, 0.5)
        quantiles_Q = np.quantile(drawn_N, levels)
        return made_whole(quantiles_Q[None], np.array([is_whole]))[0]
    rows, steps = np.nonzero(is_inside_OH)
    place = group[rows[0]], steps[0]
    return np.append(forecast.quantiles[place], forecast.point[place])


def require_intervals(forecast: Forecast) -> None:
    """Raise UsageError if a forecast has no quantiles on both sides of its median."""
    levels = forecast.quantile_levels
    if not levels or levels[0] >= 0.5 or levels[-1] <= 0.5:
        raise UsageError(
            "Totals need intervals, and the forecast has none. Give quantiles below and above "
            "0.5, for example quantiles=(0.1, 0.5, 0.9)."
        )


def draws_of(forecast: Forecast, count: int, seed: int = 0) -> Callable[[int], NDArray]:
    """A function that draws the sample paths (N, H) of an origin."""
    require_intervals(forecast)
    if forecast.joint is not None:
        return forecast.joint.draw(count, seed).__getitem__
    dependence = forecast.dependence or Dependence.usual(len(forecast.ids))
    sampler = Sampler(forecast.horizon, count, seed)
    quantiles_OHQ = forecast.quantiles
    if forecast.fractional is not None:
        quantiles_OHQ = forecast.fractional

    def paths(origin: int) -> NDArray:
        paths_NH = sampler.paths(
            quantiles_OHQ[origin],
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
