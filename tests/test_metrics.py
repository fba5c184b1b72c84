"""Metrics: the laws that each of them keeps, and agreement with independent computations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation import metrics
from lstmcast.evaluation.metrics import naive_scales

LEVELS = (0.1, 0.5, 0.9)
RNG = np.random.default_rng(1)
ACTUAL = RNG.normal(20, 5, (7, 4))
POINT = ACTUAL + RNG.normal(0, 2, ACTUAL.shape)
SPREAD = np.array([-2.0, 0.0, 2.0])
SCALE = RNG.uniform(1, 3, 7)

# name: (metric of actual, point and scale per origin; how it grows when the data are multiplied by
# 10)
METRICS = {
    "mae": (lambda y, f, s, axis=None: metrics.mae(y, f, axis), 10),
    "rmse": (lambda y, f, s, axis=None: metrics.rmse(y, f, axis), 10),
    "mape": (lambda y, f, s, axis=None: metrics.mape(y, f, axis), 1),
    "smape": (lambda y, f, s, axis=None: metrics.smape(y, f, axis), 1),
    "mase": (lambda y, f, s, axis=None: metrics.mase(y, f, s, axis), 1),
    "rmsse": (lambda y, f, s, axis=None: metrics.rmsse(y, f, s, axis), 1),
    "pinball": (
        lambda y, f, s, axis=None: metrics.pinball(y, np.stack([f] * 3, -1), LEVELS, axis),
        10,
    ),
    "crps": (lambda y, f, s, axis=None: metrics.crps(y, np.stack([f] * 3, -1), LEVELS, axis), 10),
}


@pytest.fixture(params=METRICS, name="metric")
def each_metric(request):
    return METRICS[request.param]


def test_zero_for_a_perfect_forecast_and_positive_otherwise(metric):
    assert metric[0](ACTUAL, ACTUAL, SCALE) == 0
    assert metric[0](ACTUAL, POINT, SCALE) > 0


def test_units_grow_with_the_data_and_ratios_do_not(metric):
    grown = metric[0](10 * ACTUAL, 10 * POINT, 10 * SCALE)
    assert grown == pytest.approx(metric[1] * metric[0](ACTUAL, POINT, SCALE))


def test_the_order_of_origins_does_not_matter(metric):
    order = RNG.permutation(len(ACTUAL))
    assert metric[0](ACTUAL[order], POINT[order], SCALE[order]) == pytest.approx(
        metric[0](ACTUAL, POINT, SCALE)
    )


def test_unknown_actual_values_are_skipped(metric):
    holed = ACTUAL.copy()
    holed[2:] = np.nan
    assert metric[0](holed, POINT, SCALE) == pytest.approx(
        metric[0](ACTUAL[:2], POINT[:2], SCALE[:2])
    )


def test_nothing_known_is_nan_without_a_warning(metric):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metric[0](np.full((2, 3), np.nan), np.ones((2, 3)), np.ones(2)))
        holed = ACTUAL.copy()
        holed[:, 1] = np.nan
        assert np.isnan(metric[0](holed, POINT, SCALE, axis=0)).tolist() == [
            False,
            True,
            False,
            False,
        ]


def test_a_forecast_that_is_nan_is_not_rewarded(metric):
    silent = POINT.copy()
    silent[0, 0] = np.nan
    assert np.isnan(metric[0](ACTUAL, silent, SCALE))


def test_axis_gives_one_number_per_horizon_or_origin(metric):
    assert metric[0](ACTUAL, POINT, SCALE, axis=0).shape == (4,)
    one = metric[0](ACTUAL[:, 2:3], POINT[:, 2:3], SCALE)
    assert metric[0](ACTUAL, POINT, SCALE, axis=0)[2] == pytest.approx(one)
    assert metric[0](ACTUAL, POINT, SCALE, axis=1).shape == (7,)


def test_agreement_with_utilsforecast():
    losses = pytest.importorskip("utilsforecast.losses", reason="utilsforecast is not installed")
    pandas = pytest.importorskip("pandas")
    ids = np.repeat([f"s{i}" for i in range(7)], 4)
    frame = pandas.DataFrame(
        {"unique_id": ids, "ds": np.tile(np.arange(13, 17), 7), "y": ACTUAL.ravel()}
    )
    frame = frame.assign(
        f=POINT.ravel(), q10=(POINT - 2).ravel(), q50=POINT.ravel(), q90=(POINT + 2).ravel()
    )
    history = RNG.normal(20, 5, (7, 12))
    train = pandas.DataFrame(
        {
            "unique_id": np.repeat([f"s{i}" for i in range(7)], 12),
            "ds": np.tile(np.arange(1, 13), 7),
            "y": history.ravel(),
        }
    )
    panel = Panel.from_arrays({f"s{i}": row for i, row in enumerate(history)}, periods=(4,))
    scales = naive_scales(panel, origins_of(panel))
    quantiles = np.stack([POINT - 2, POINT, POINT + 2], -1)
    ours = {
        "mae": metrics.mae(ACTUAL, POINT, 1),
        "rmse": metrics.rmse(ACTUAL, POINT, 1),
        "mape": metrics.mape(ACTUAL, POINT, 1) / 100,
        "smape": metrics.smape(ACTUAL, POINT, 1) / 200,
        "mase": metrics.mase(ACTUAL, POINT, scales.absolute, 1),
        "rmsse": metrics.rmsse(ACTUAL, POINT, scales.squared, 1),
        "crps": metrics.pinball(ACTUAL, quantiles, LEVELS, 1),
        "coverage": metrics.coverage(ACTUAL, POINT - 2, POINT + 2, 1),
    }
    theirs = {
        name: getattr(losses, name)(frame, models=["f"])["f"]
        for name in ("mae", "rmse", "mape", "smape")
    }
    theirs["mase"] = losses.mase(frame, models=["f"], seasonality=4, train_df=train)["f"]
    theirs["rmsse"] = losses.rmsse(frame, models=["f"], seasonality=4, train_df=train)["f"]
    theirs["crps"] = losses.mqloss(
        frame, models={"f": ["q10", "q50", "q90"]}, quantiles=np.array(LEVELS)
    )["f"]
    theirs["coverage"] = losses.coverage(
        frame.rename(columns={"q10": "f-lo-80", "q90": "f-hi-80"}), models=["f"], level=80
    )["f"]
    for name, own in ours.items():
        np.testing.assert_allclose(own, theirs[name], rtol=1e-10, err_msg=name)


def test_mape_skips_zeros_and_smape_forgives_two_zeros():
    assert metrics.mape(np.array([0.0, 10.0]), np.array([5.0, 8.0])) == pytest.approx(20)
    assert metrics.smape(np.array([0.0, 10.0]), np.array([0.0, 10.0])) == 0
    assert metrics.smape(np.array([0.0]), np.array([1.0])) == 200


def test_pinball_by_hand_and_crps_of_the_median_is_the_mae():
    assert metrics.pinball(np.array([[10.0]]), np.array([[[4.0]]]), [0.9]) == pytest.approx(5.4)
    assert metrics.pinball(np.array([[10.0]]), np.array([[[14.0]]]), [0.9]) == pytest.approx(0.4)
    assert metrics.crps(ACTUAL, POINT[..., None], [0.5]) == pytest.approx(
        metrics.mae(ACTUAL, POINT)
    )


def test_crps_of_many_quantiles_is_that_of_the_normal_distribution():
    special = pytest.importorskip("scipy.stats")
    levels = (np.arange(2000) + 0.5) / 2000
    y = np.array([[0.7]])
    ours = metrics.crps(y, special.norm.ppf(levels)[None, None], levels)
    exact = 0.7 * (2 * special.norm.cdf(0.7) - 1) + 2 * special.norm.pdf(0.7) - 1 / np.sqrt(np.pi)
    assert ours == pytest.approx(exact, abs=1e-4)


def test_coverage_counts_the_bounds_and_skips_the_unknown():
    actual = np.array([[1.0, 2.0, np.nan, 5.0]])
    assert metrics.coverage(actual, np.full((1, 4), 1.0), np.full((1, 4), 2.0)) == pytest.approx(
        2 / 3
    )


def test_scales_are_those_of_the_history_before_each_cutoff():
    values = {"a": [1.0, 5.0, 2.0, 9.0, 4.0, 4.0, 100.0], "b": [1e9, 3e9, 5e9, 5e9]}
    panel = Panel.from_arrays(values, periods=(2,))
    scales = naive_scales(panel, origins_of(panel, np.array([[6, 2], [4, 2]])))
    by_hand = [np.mean([1, 4, 2, 5]), 4, np.mean([4e9, 2e9]), 2e9]
    np.testing.assert_allclose(scales.absolute, by_hand)
    np.testing.assert_allclose(scales.squared[0], np.sqrt(np.mean([1, 16, 4, 25])))


def test_small_series_keep_their_digits_beside_large_ones():
    small = 1e-6 * np.arange(5.0) ** 2
    panel = Panel.from_arrays({"large": 1e12 * np.arange(5.0), "small": small}, periods=(1,))
    assert naive_scales(panel, origins_of(panel)).absolute[1] == pytest.approx(
        np.abs(np.diff(small)).mean(), rel=1e-12
    )


def test_no_scale_for_constant_single_or_unknown_histories():
    panel = Panel.from_arrays(
        {"a": [3.0] * 6, "b": [4.0], "c": [np.nan, 2.0, np.nan]}, periods=(2,)
    )
    assert np.isnan(naive_scales(panel, origins_of(panel)).absolute).all()
    assert np.isnan(metrics.mase(np.ones((1, 2)), np.zeros((1, 2)), np.array([np.nan])))
    two = metrics.mase(np.ones((2, 2)), np.zeros((2, 2)), np.array([np.nan, 2.0]))
    assert two == 0.5
