"""Joint sample paths of all series of a hierarchy, made to add up.

Paths of the base forecasts are drawn with a Gaussian copula: each step keeps the quantiles of its
base forecast, errors of different series are correlated as they were one step ahead, and errors of
one series over the steps as in `paths.Dependence`. Each draw is made coherent, so the results are
draws from the reconciled distribution (Panagiotelis, Gamakumara, Athanasopoulos & Hyndman,
"Probabilistic forecast reconciliation", European Journal of Operational Research 306 (2023)).

    S series · H horizon · Q quantiles · N paths · T times of errors
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lstmcast.hierarchy.covariance import Covariance
from lstmcast.hierarchy.levels import Structure
from lstmcast.hierarchy.reconciling import Rule, at_or_above_zero
from lstmcast.paths import FARTHEST, values_at


@dataclass(frozen=True, eq=False)
class Joint:
    """Base forecasts of all series at one cutoff, and the rule that makes their draws add up.

    chosen: the requested series, in order; `stops`: whether no value may be below 0.
    """

    ids: NDArray  # (S,)
    quantiles_SHQ: NDArray
    quantile_levels: tuple[float, ...]
    lasting: float  # correlation of errors at distant steps
    near: float  # correlation of the rest at neighbouring steps
    covariance: Covariance
    structure: Structure
    rule: Rule
    stops: bool
    chosen: NDArray

    def take(self, rows: NDArray) -> Joint:
        """The same for some of the series (numbers or a mask)."""
        return replace(self, chosen=self.chosen[rows])

    def at_steps(self, steps_OH: NDArray) -> Joint:
        """The same at some steps, which all series share."""
        return replace(self, quantiles_SHQ=self.quantiles_SHQ[:, steps_OH[0]])

    def draw(self, count: int, seed: int) -> NDArray:
        """Coherent sample paths (O, N, H)."""
        steps = [drawn_NS[:, self.chosen].T for drawn_NS in self.steps(count, seed)]
        return np.stack(steps, axis=2)

    def steps(self, count: int, seed: int) -> Iterator[NDArray]:
        """Yield coherent draws of all series (N, S), step after step."""
        scores = np.array(
            [NormalDist().inv_cdf(level) for level in self.quantile_levels]
        )
        for step, z_NS in enumerate(self._scores(count, seed)):
            clipped_NS = np.clip(z_NS, -FARTHEST, FARTHEST)
            drawn_NS = values_at(clipped_NS, self.quantiles_SHQ[:, step], scores)
            if self.stops:
                drawn_NS = np.maximum(drawn_NS, 0.0)
            yield self.coherent(drawn_NS)

    def coherent(self, base_NS: NDArray) -> NDArray:
        """Values of all series, made to add up."""
        coherent_NS = self.rule(base_NS)
        return (
            at_or_above_zero(coherent_NS, self.structure) if self.stops else coherent_NS
        )

    def _scores(self, count: int, seed: int) -> Iterator[NDArray]:
        """Yield normal draws (N, S), correlated over series and steps."""
        half = -(-count // 2)  # the other half mirrors them
        names = [str(name) for name in self.ids]
        generators = [_generator(seed, name) for name in names]
        shared = _generator(seed, "")
        lasting_NS = self._noise(generators, shared, half)
        walk_NS = self._noise(generators, shared, half)
        for step in range(self.quantiles_SHQ.shape[1]):
            if step > 0:
                noise_NS = self._noise(generators, shared, half)
                walk_NS = self.near * walk_NS + np.sqrt(1 - self.near**2) * noise_NS
            z_NS = (
                np.sqrt(self.lasting) * lasting_NS + np.sqrt(1 - self.lasting) * walk_NS
            )
            yield np.concatenate([z_NS, -z_NS])[:count]

    def _noise(
        self,
        generators: list[np.random.Generator],
        shared: np.random.Generator,
        count: int,
    ) -> NDArray:
        """Draws (N, S) with the shrunk correlation: independent noise of each series, plus past
        errors with random weights."""
        errors_ST = self.covariance.score_ST
        times = errors_ST.shape[1]
        own_NS = np.stack(
            [generator.standard_normal(count) for generator in generators], axis=1
        )
        weights_NT = shared.standard_normal((count, times))
        # the squares of scores have mean 1, so the variance is 1 again
        past_NS = weights_NT @ errors_ST.T / np.sqrt(times)
        own_share_S = np.sqrt(self.covariance.own_S)
        return own_share_S * own_NS + np.sqrt(1 - self.covariance.shrinkage) * past_NS


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(
        [seed, zlib.crc32(name.encode("utf-8", "surrogatepass"))]
    )
