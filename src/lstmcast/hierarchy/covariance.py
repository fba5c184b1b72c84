"""The covariance of the errors of all series of a hierarchy, measured one step ahead.

S series · T times · N paths
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError

FEWEST = 4  # times at which errors of all series are known
MOST = 400  # newest times that are used
LEAST = 1e-4  # share of the identity in a correlation, so that it can be inverted
TINY = 1e-6  # lower limit of a series' variance, relative to the usual one


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of one-step forecasts, of all series at the same times.

    error_ST: actual less forecast; NaN = unknown · times (T,): when.
    """

    error_ST: NDArray
    times: NDArray

    @classmethod
    def of(cls, model: Any, panel: Panel, since: Any = None) -> Errors:
        """The newest errors of a model on the series of a panel, each forecast from what was known
        before; as many are used at the cutoff `since`."""
        if "mode" in inspect.signature(model.predict).parameters:
            forecast = model.predict(panel, mode="one-step")
        else:
            forecast = model.predict(panel, 1, cutoffs=_newest_counts(panel, since))
        times, place_O = np.unique(forecast.times[:, 0], return_inverse=True)
        numbers = {name: number for number, name in enumerate(panel.ids)}
        series_O = np.array([numbers[name] for name in forecast.ids], np.int64)
        point_ST = np.full((len(panel), len(times)), np.nan)
        point_ST[series_O, place_O] = forecast.point[:, 0]
        return cls(_actual(panel, times) - point_ST, times)

    def rows(self, series: NDArray) -> Errors:
        """The errors of some series."""
        return Errors(self.error_ST[series], self.times)

    def until(self, cutoff: Any) -> Errors:
        """The errors that were known at a cutoff."""
        is_known_T = self.times <= cutoff
        return Errors(self.error_ST[:, is_known_T], self.times[is_known_T])

    @property
    def enough(self) -> bool:
        """Whether enough errors are known to estimate a covariance."""
        counts_S = np.isfinite(self.error_ST).sum(axis=1)
        return bool((counts_S >= FEWEST).all())

    def covariance(self, ids: NDArray, levels: NDArray) -> Covariance:
        """Their shrunk covariance; DataError, which names a series, if every series of a level has
        too few errors."""
        return Covariance.of(self.error_ST, ids, levels)


def _newest_counts(panel: Panel, since: Any) -> NDArray:
    """The newest cutoffs of each series that are followed by a value (S, K); if there are fewer,
    the first one, or the end, is repeated."""
    times = panel.times(int(panel.lengths.argmax()))
    count = MOST
    if since is not None:
        count += len(times) - int(np.searchsorted(times, since, side="right"))
    count = max(min(count, len(times) - 1), 1)
    back_K = np.arange(count, 0, -1)
    return np.maximum(panel.lengths[:, None] - back_K, 1)


def _actual(panel: Panel, times: NDArray) -> NDArray:
    """The values of each series at some times, NaN where there is none."""
    actual_ST = np.full((len(panel), len(times)), np.nan)
    for number in range(len(panel)):
        own_times = panel.times(number)
        columns = np.searchsorted(times, own_times)
        is_there = times.take(columns, mode="clip") == own_times
        actual_ST[number, columns[is_there]] = panel.series(number)[is_there]
    return actual_ST


@dataclass(frozen=True, eq=False)
class Covariance:
    """A covariance of errors whose correlations are shrunk towards 0.

    deviation (S,): standard deviations · score_ST: errors in units of these, 0 if unknown ·
    shrinkage: λ, the share of the identity in the correlation, λ I + (1 − λ) score scoreᵀ / T with
    its diagonal at 1 · measured (S,): False if too few errors are known, and the deviation is the
    median of the level. Schäfer & Strimmer, "A Shrinkage Approach to Large-Scale Covariance
    Matrix Estimation", Statistical Applications in Genetics and Molecular Biology 4 (2005).
    """

    deviation: NDArray
    score_ST: NDArray
    shrinkage: float
    measured: NDArray

    @classmethod
    def of(
        cls,
        error_ST: NDArray,
        ids: Sequence[object] | NDArray = (),
        levels: NDArray | None = None,
    ) -> Covariance:
        """The covariance of some errors; DataError if every series of a level has too few.

        levels (S,): the level of each series. Defaults to a single level.
        """
        newest_ST = error_ST[:, -MOST:]
        is_known_ST = np.isfinite(newest_ST)
        counts_S = is_known_ST.sum(axis=1)
        measured_S = counts_S >= FEWEST
        is_known_ST[~measured_S] = False
        error_ST = np.where(is_known_ST, newest_ST, 0.0)
        variance_S = (error_ST**2).sum(axis=1) / np.maximum(counts_S, 1)
        level_S = np.zeros(len(error_ST)) if levels is None else levels
        for level in set(level_S[~measured_S].tolist()):
            is_of_level = level_S == level
            measured_there = variance_S[is_of_level & measured_S]
            if not len(measured_there):
                _refuse(counts_S, ids)
            variance_S[is_of_level & ~measured_S] = np.median(measured_there)
        positive = variance_S[variance_S > 0]
        typical = float(np.median(positive)) if len(positive) else 1.0
        deviation_S = np.sqrt(np.maximum(variance_S, TINY * typical))
        score_ST = error_ST / deviation_S[:, None]
        # one length for all: unknown errors count nothing, and the others a little more
        weight_S = np.sqrt(newest_ST.shape[1] / np.maximum(counts_S, 1))
        score_ST *= weight_S[:, None]
        return cls(deviation_S, score_ST, _shrinkage(score_ST), measured_S)

    @classmethod
    def unknown(cls, series: int) -> Covariance:
        """The covariance if no errors are known: all alike, and independent."""
        deviation_S = np.ones(series)
        score_S1 = np.zeros((series, 1))
        measured_S = np.zeros(series, bool)
        return cls(deviation_S, score_S1, 1.0, measured_S)

    @property
    def unmeasured(self) -> int:
        """The number of series with too few known errors."""
        return int((~self.measured).sum())

    @property
    def own_S(self) -> NDArray:
        """The share of each variance that is the series' own: all of it if it was not measured."""
        return np.where(self.measured, self.shrinkage, 1.0)

    def times(self, matrix_SX: NDArray) -> NDArray:
        """The covariance W times a matrix, without W itself."""
        deviation_S1 = self.deviation[:, None]
        scaled_SX = deviation_S1 * matrix_SX
        scored_TX = self.score_ST.T @ scaled_SX
        shared_SX = self.score_ST @ scored_TX / self.score_ST.shape[1]
        own_SX = self.own_S[:, None] * scaled_SX
        return deviation_S1 * (own_SX + (1 - self.shrinkage) * shared_SX)


def _refuse(counts: NDArray, ids: Sequence[object] | NDArray) -> NoReturn:
    """Raise DataError for a level without enough known errors."""
    fewest = counts.min()
    series = np.flatnonzero(counts == fewest)[-1]  # totals come first
    name = f"series {str(ids[series])!r}" if len(ids) else "a series"
    raise DataError(
        f"{name} has {fewest} known one-step errors, and at one level no series has the {FEWEST} "
        "that are needed to estimate their covariance. Use a longer history, or --reconcile "
        "bottom-up."
    )


def _shrinkage(score_ST: NDArray) -> float:
    """λ* = Σ Var(r_ij) / Σ r_ij² over i ≠ j (Schäfer & Strimmer 2005, section 2.4).

    With r = score scoreᵀ / T, Var(r_ij) is 1 / (T (T − 1)) Σ_t (s_it s_jt − r_ij)², so both sums
    are sums of squares of matrices of T columns and rows.
    """
    series, count = score_ST.shape
    gram_TT = score_ST.T @ score_ST
    square_ST = score_ST**2
    # Σ_ij r_ij² = |scoreᵀ score|² / T², and Σ_ij Σ_t s_it² s_jt² = Σ_t (Σ_i s_it²)²
    all_r2 = float((gram_TT**2).sum()) / count**2
    own_r2 = float((square_ST.sum(axis=1) ** 2).sum()) / count**2
    all_products = float((square_ST.sum(axis=0) ** 2).sum())
    products = all_products - float((score_ST**4).sum())
    r2 = all_r2 - own_r2
    if series < 2 or r2 <= 0:
        return 1.0
    variance = (products - count * r2) / (count * (count - 1))
    return float(np.clip(variance / r2, LEAST, 1.0))
