"""What every metric keeps to, and the same numbers from plain loops.

O origins · H horizon
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from lstmcast.evaluation import metrics

LEVELS = (0.1, 0.5, 0.9)
RNG = np.random.default_rng(1)
ACTUAL = RNG.normal(20, 5, (7, 4))
POINT = ACTUAL + RNG.normal(0, 2, ACTUAL.shape)
SCALE = RNG.uniform(1, 3, 7)


class Case(NamedTuple):
    """A metric of actual values, points and a scale per origin."""

    of: Callable[..., Any]
    grows: bool  # with the data; the others are ratios
    by_hand: Callable[[float, float, float], float]  # of one value
    root: bool = False


def _pinball(y: float, f: float, s: float) -> float:
    return sum(q * (y - f) if y > f else (1 - q) * (f - y) for q in LEVELS) / len(
        LEVELS
    )


def _beside(f):
    return np.stack([f] * 3, -1)


METRICS = {
    "mae": Case(
        lambda y, f, s, axis=None: metrics.mae(y, f, axis),
        True,
        lambda y, f, s: abs(y - f),
    ),
    "rmse": Case(
        lambda y, f, s, axis=None: metrics.rmse(y, f, axis),
        True,
        lambda y, f, s: (y - f) ** 2,
        root=True,
    ),
    "mape": Case(
        lambda y, f, s, axis=None: metrics.mape(y, f, axis),
        False,
        lambda y, f, s: 100 * abs(y - f) / abs(y),
    ),
    "smape": Case(
        lambda y, f, s, axis=None: metrics.smape(y, f, axis),
        False,
        lambda y, f, s: 200 * abs(y - f) / (abs(y) + abs(f)),
    ),
    "mase": Case(
        lambda y, f, s, axis=None: metrics.mase(y, f, s, axis),
        False,
        lambda y, f, s: abs(y - f) / s,
    ),
    "rmsse": Case(
        lambda y, f, s, axis=None: metrics.rmsse(y, f, s, axis),
        False,
        lambda y, f, s: ((y - f) / s) ** 2,
        root=True,
    ),
    "pinball": Case(
        lambda y, f, s, axis=None: metrics.pinball(y, _beside(f), LEVELS, axis),
        True,
        _pinball,
    ),
    "crps": Case(
        lambda y, f, s, axis=None: metrics.crps(y, _beside(f), LEVELS, axis),
        True,
        lambda y, f, s: 2 * _pinball(y, f, s),
    ),
}


@pytest.fixture(params=METRICS, name="metric")
def each_metric(request) -> Case:
    return METRICS[request.param]


def looped(case: Case, actual, point, scale) -> float:
    """The metric from plain Python numbers, one after the other."""
    errors = [
        case.by_hand(float(y), float(f), float(s))
        for row, forecast, s in zip(actual, point, scale, strict=True)
        for y, f in zip(row, forecast, strict=True)
        if not math.isnan(y)
    ]
    mean = math.fsum(errors) / len(errors)
    return math.sqrt(mean) if case.root else mean


def test_plain_loops_give_the_same(metric):
    assert metric.of(ACTUAL, POINT, SCALE) == pytest.approx(
        looped(metric, ACTUAL, POINT, SCALE), rel=1e-12
    )


def test_zero_for_a_perfect_forecast_and_positive_otherwise(metric):
    assert metric.of(ACTUAL, ACTUAL, SCALE) == 0
    assert metric.of(ACTUAL, POINT, SCALE) > 0


def test_units_grow_with_the_data_and_ratios_do_not(metric):
    grown = metric.of(10 * ACTUAL, 10 * POINT, 10 * SCALE)
    factor = 10 if metric.grows else 1
    assert grown == pytest.approx(factor * metric.of(ACTUAL, POINT, SCALE))


@pytest.mark.parametrize("size", [1e200, 1e-200, 2.0**-1000])
def test_errors_of_any_size_have_a_metric(metric, size):
    """Their squares are no numbers; 1e200 and 1e-200 stand beside each other too."""
    grown = metric.of(size * ACTUAL, size * POINT, size * SCALE)
    factor = size if metric.grows else 1.0
    assert grown == pytest.approx(
        factor * metric.of(ACTUAL, POINT, SCALE), rel=1e-12, abs=0
    )
    sizes = np.full((7, 1), 1 / size)
    sizes[3] = size
    rows = metric.of(sizes * ACTUAL, sizes * POINT, sizes[:, 0] * SCALE, axis=1)
    expected = metric.of(ACTUAL, POINT, SCALE, axis=1) * (
        sizes[:, 0] if metric.grows else 1.0
    )
    np.testing.assert_allclose(rows, expected, rtol=1e-12)


def test_the_order_of_origins_does_not_matter(metric):
    order = RNG.permutation(len(ACTUAL))
    assert metric.of(ACTUAL[order], POINT[order], SCALE[order]) == pytest.approx(
        metric.of(ACTUAL, POINT, SCALE)
    )


def test_unknown_actual_values_are_skipped(metric):
    holed = ACTUAL.copy()
    holed[2:] = np.nan
    assert metric.of(holed, POINT, SCALE) == pytest.approx(
        metric.of(ACTUAL[:2], POINT[:2], SCALE[:2])
    )
    assert metric.of(holed, POINT, SCALE) == pytest.approx(
        looped(metric, holed, POINT, SCALE)
    )


def test_nothing_known_is_nan_without_a_warning(metric):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metric.of(np.full((2, 3), np.nan), np.ones((2, 3)), np.ones(2)))
        holed = ACTUAL.copy()
        holed[:, 1] = np.nan
        assert np.isnan(metric.of(holed, POINT, SCALE, axis=0)).tolist() == [
            False,
            True,
            False,
            False,
        ]


def test_a_forecast_that_is_nan_is_not_rewarded(metric):
    silent = POINT.copy()
    silent[0, 0] = np.nan
    assert np.isnan(metric.of(ACTUAL, silent, SCALE))


def test_axis_gives_one_number_per_horizon_or_origin(metric):
    assert metric.of(ACTUAL, POINT, SCALE, axis=0).shape == (4,)
    one = metric.of(ACTUAL[:, 2:3], POINT[:, 2:3], SCALE)
    assert metric.of(ACTUAL, POINT, SCALE, axis=0)[2] == pytest.approx(one)
    assert metric.of(ACTUAL, POINT, SCALE, axis=1).shape == (7,)


def test_coverage_is_one_for_intervals_that_hold_everything_and_zero_for_none():
    assert metrics.coverage(ACTUAL, ACTUAL - 1, ACTUAL + 1) == 1
    assert metrics.coverage(ACTUAL, ACTUAL + 1, ACTUAL + 2) == 0
    assert metrics.coverage(
        10 * ACTUAL, 10 * POINT - 20, 10 * POINT + 20
    ) == metrics.coverage(ACTUAL, POINT - 2, POINT + 2)
