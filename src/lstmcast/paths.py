"""Sample paths: how a series may continue, drawn from the quantiles of each step and from how
errors
hang together.

Quantiles say what may happen at one step. What may happen to a sum depends on whether errors of
neighbouring steps, and of different series, go the same way. `Dependence` says so in three numbers,
measured at held-out cutoffs; draws are those of a Gaussian copula with that correlation, so each
step keeps its quantiles exactly.

    O origins · H horizon · Q quantiles · N paths
"""

from __future__ import annotations

import zlib
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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

    def rows(self, chosen: NDArray) -> Dependence:
        """That of some origins."""
        return Dependence(*(part[chosen] for part in self))


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
        lasting, near, together, at_once = (float(part[origin]) for part in dependence)
        own = _noise(self.seed, name, self.count, self.horizon)
        path_N1 = _mixed(self._common.path_N1, own.path_N1, together)
        walk_NH = _walk(_mixed(self._common.step_NH, own.step_NH, at_once), near)
        z_NH = np.sqrt(lasting) * path_N1 + np.sqrt(1 - lasting) * walk_NH
        scores = np.array([NormalDist().inv_cdf(level) for level in quantile_levels])
        return values_at(np.clip(z_NH, -FARTHEST, FARTHEST), quantiles_HQ, scores)


class Noise(NamedTuple):
    """Draws of the normal distribution, of each path (N, 1) and of each of its steps (N, H)."""

    path_N1: NDArray
    step_NH: NDArray


def _mixed(common: NDArray, own: NDArray, correlation: float) -> NDArray:
    """What a series draws, with this correlation to what others draw."""
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own


def _walk(step_NH: NDArray, near: float) -> NDArray:
    """Draws whose neighbours are correlated; their variance is 1 at each step."""
    walk_NH = step_NH.copy()
    for h in range(1, walk_NH.shape[1]):
        walk_NH[:, h] = near * walk_NH[:, h - 1] + np.sqrt(1 - near**2) * step_NH[:, h]
    return walk_NH


def _noise(seed: int, name: str, count: int, horizon: int) -> Noise:
    rng = np.random.default_rng([seed, zlib.crc32(name.encode("utf-8", "surrogatepass"))])
    half = -(-count // 2)
    path, steps = rng.standard_normal((half, 1)), rng.standard_normal((horizon, half)).T
    return Noise(*(np.concatenate([part, -part])[:count] for part in (path, steps)))


def values_at(z_NH: NDArray, quantiles_HQ: NDArray, scores: NDArray) -> NDArray:
    """The values that stand at these scores: straight lines between the quantiles, and on beyond
    the outermost."""
    right_NH = np.clip(np.searchsorted(scores, z_NH), 1, len(scores) - 1)
    steps = np.arange(len(quantiles_HQ))
    low, high = quantiles_HQ[steps, right_NH - 1], quantiles_HQ[steps, right_NH]
    share = (z_NH - scores[right_NH - 1]) / (scores[right_NH] - scores[right_NH - 1])
    return low + share * (high - low)
