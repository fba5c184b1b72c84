"""Reconcile forecasts of all series of a hierarchy, so that they add up.

The names are those of Wickramasuriya, Athanasopoulos & Hyndman, "Optimal Forecast Reconciliation
for Hierarchical and Grouped Time Series Through Trace Minimization", JASA 114 (2019): ŷ are base
forecasts of all series, ỹ coherent ones, W is the covariance of the base errors, and U'y = 0 says
that totals are sums.

    S series · B series at the bottom · N draws, or points: leading axes are independent
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.hierarchy.covariance import Covariance
from lstmcast.hierarchy.levels import Structure

Reconciliation: TypeAlias = Literal["bottom-up", "top-down", "mint"]
# base forecasts (N, S) → coherent ones (N, S)
Rule: TypeAlias = Callable[[NDArray], NDArray]
MOST_CELLS = 100_000_000  # of each matrix of MinT, which is 800 MB


def checked_reconciliation(name: str) -> Reconciliation:
    """A method by its name; UsageError for any other."""
    if name not in get_args(Reconciliation):
        raise UsageError(
            f"{name!r} is not a method of reconciliation. Use one of: "
            f"{', '.join(get_args(Reconciliation))}."
        )
    return name  # pyright: ignore[reportReturnType]


def rule_of(
    method: Reconciliation, structure: Structure, covariance: Covariance
) -> Rule:
    """The rule that makes forecasts add up; UsageError if top-down lacks a grand total, or if the
    hierarchy is too large for MinT."""
    if method == "bottom-up":
        return lambda base_NS: _bottom_up(base_NS, structure)
    if method == "top-down":
        whole = structure.whole
        if whole is None:
            raise UsageError("top-down needs a grand total, but the series have none.")
        return lambda base_NS: _top_down(base_NS, structure, whole)
    return _mint(structure, covariance)


def at_or_above_zero(coherent_NS: NDArray, structure: Structure) -> NDArray:
    """Coherent values of series that cannot be below 0: negative values at the bottom are set to 0,
    and all are summed again (Di Fonzo & Girolimetto, "Spatio-temporal reconciliation of solar
    forecasts", Solar Energy 251 (2023), who call it sntz)."""
    bottom_NB = np.maximum(coherent_NS[:, structure.bottom], 0.0)
    return structure.everywhere(bottom_NB.T).T


def _bottom_up(base_NS: NDArray, structure: Structure) -> NDArray:
    """ỹ = S ŷ_B: totals of the forecasts at the bottom."""
    return structure.everywhere(base_NS[:, structure.bottom].T).T


def _top_down(base_NS: NDArray, structure: Structure, whole: int) -> NDArray:
    """ỹ = S p ŷ_total, where p are the shares of the bottom series in the sum of their own
    forecasts (Athanasopoulos, Ahmed & Hyndman, "Hierarchical forecasts for Australian domestic
    tourism", IJF 25 (2009), section 2.2, with one step from the top to the bottom)."""
    bottom_NB = base_NS[:, structure.bottom]
    sum_N1 = bottom_NB.sum(axis=1, keepdims=True)
    total_N1 = base_NS[:, structure.totals[whole], None]
    # forecasts whose sum is 0 have no shares: use equal ones
    is_some = sum_N1 > 0
    share_NB = bottom_NB / np.where(is_some, sum_N1, 1.0)
    share_NB = np.where(is_some, share_NB, 1 / bottom_NB.shape[1])
    return structure.everywhere((total_N1 * share_NB).T).T


def _mint(structure: Structure, covariance: Covariance) -> Rule:
    """ỹ = ŷ − W U (U' W U)⁻¹ U' ŷ, which equals S (S' W⁻¹ S)⁻¹ S' W⁻¹ ŷ. The matrix to solve has a
    row for each total, and there are mostly fewer totals than series."""
    sums = structure.matrix()
    totals = len(sums)
    series = len(structure.bottom) + len(sums)
    if totals * series > MOST_CELLS:
        raise UsageError(
            f"{series:,} series with {totals:,} totals among them are too many for MinT. Give "
            "fewer levels with --hierarchy, or use --reconcile bottom-up."
        )
    against_SA = np.zeros((series, totals))  # U: a total less its sum
    against_SA[structure.totals, np.arange(totals)] = 1.0
    against_SA[structure.bottom] = -sums.T
    spread_SA = covariance.times(against_SA)
    gain_AS = np.linalg.solve(against_SA.T @ spread_SA, spread_SA.T)

    def rule(base_NS: NDArray) -> NDArray:
        sums_NA = structure.sums(base_NS[:, structure.bottom].T).T
        residual_NA = base_NS[:, structure.totals] - sums_NA
        moved_NS = base_NS - residual_NA @ gain_AS
        # so that totals add up to the last bit
        return structure.everywhere(moved_NS[:, structure.bottom].T).T

    return rule
