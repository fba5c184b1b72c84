"""Metrics by hand, and as a second library has them. The laws that each of them keeps to are in
`contract/test_metrics.py`."""

from __future__ import annotations

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


def test_agreement_with_utilsforecast():
    losses = pytest.importorskip(
        "utilsforecast.losses", reason="utilsforecast is not installed"
    )
    pandas = pytest.importorskip("pandas")
    ids = np.repeat([f"s{i}" for i in range(7)], 4)
    frame = pandas.DataFrame(
        {"unique_id": ids, "ds": np.tile(np.arange(13, 17), 7), "y": ACTUAL.ravel()}
    )
    frame = frame.assign(
        f=POINT.ravel(),
        q10=(POINT - 2).ravel(),
        q50=POINT.ravel(),
        q90=(POINT + 2).ravel(),
    )
    history = RNG.normal(20, 5, (7, 12))
    train = pandas.DataFrame(
        {
            "unique_id": np.repeat([f"s{i}" for i in range(7)], 12),
            "ds": np.tile(np.arange(1, 13), 7),
            "y": history.ravel(),
        }
    )
    panel = Panel.from_arrays(
        {f"s{i}": row for i, row in enumerate(history)}, periods=(4,)
    )
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
    theirs["mase"] = losses.mase(frame, models=["f"], seasonality=4, train_df=train)[
        "f"
    ]
    theirs["rmsse"] = losses.rmsse(frame, models=["f"], seasonality=4, train_df=train)[
        "f"
    ]
    theirs["crps"] = losses.mqloss(
        frame, models={"f": ["q10", "q50", "q90"]}, quantiles=np.array(LEVELS)
    )["f"]
    theirs["coverage"] = losses.coverage(
        frame.rename(columns={"q10": "f-lo-80", "q90": "f-hi-80"}),
        models=["f"],
        level=80,
    )["f"]
    for name, own in ours.items():
        np.testing.assert_allclose(own, theirs[name], rtol=1e-10, err_msg=name)


def test_mape_skips_zeros_and_smape_forgives_two_zeros():
    assert metrics.mape(np.array([0.0, 10.0]), np.array([5.0, 8.0])) == pytest.approx(
        20
    )
    assert metrics.smape(np.array([0.0, 10.0]), np.array([0.0, 10.0])) == 0
    assert metrics.smape(np.array([0.0]), np.array([1.0])) == 200


def test_pinball_by_hand_and_crps_of_the_median_is_the_mae():
    assert metrics.pinball(
        np.array([[10.0]]), np.array([[[4.0]]]), [0.9]
    ) == pytest.approx(5.4)
    assert metrics.pinball(
        np.array([[10.0]]), np.array([[[14.0]]]), [0.9]
    ) == pytest.approx(0.4)
    assert metrics.crps(ACTUAL, POINT[..., None], [0.5]) == pytest.approx(
        metrics.mae(ACTUAL, POINT)
    )


def test_crps_of_many_quantiles_is_that_of_the_normal_distribution():
    special = pytest.importorskip("scipy.stats")
    levels = (np.arange(2000) + 0.5) / 2000
    y = np.array([[0.7]])
    ours = metrics.crps(y, special.norm.ppf(levels)[None, None], levels)
    exact = (
        0.7 * (2 * special.norm.cdf(0.7) - 1)
        + 2 * special.norm.pdf(0.7)
        - 1 / np.sqrt(np.pi)
    )
    assert ours == pytest.approx(exact, abs=1e-4)


def test_coverage_counts_the_bounds_and_skips_the_unknown():
    actual = np.array([[1.0, 2.0, np.nan, 5.0]])
    assert metrics.coverage(
        actual, np.full((1, 4), 1.0), np.full((1, 4), 2.0)
    ) == pytest.approx(2 / 3)


def test_scales_are_those_of_the_history_before_each_cutoff():
    values = {"a": [1.0, 5.0, 2.0, 9.0, 4.0, 4.0, 100.0], "b": [1e9, 3e9, 5e9, 5e9]}
    panel = Panel.from_arrays(values, periods=(2,))
    scales = naive_scales(panel, origins_of(panel, np.array([[6, 2], [4, 2]])))
    by_hand = [np.mean([1, 4, 2, 5]), 4, np.mean([4e9, 2e9]), 2e9]
    np.testing.assert_allclose(scales.absolute, by_hand)
    np.testing.assert_allclose(scales.squared[0], np.sqrt(np.mean([1, 16, 4, 25])))


def test_small_series_keep_their_digits_beside_large_ones():
    small = 1e-6 * np.arange(5.0) ** 2
    panel = Panel.from_arrays(
        {"large": 1e12 * np.arange(5.0), "small": small}, periods=(1,)
    )
    assert naive_scales(panel, origins_of(panel)).absolute[1] == pytest.approx(
        np.abs(np.diff(small)).mean(), rel=1e-12
    )


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_scales_of_series_of_any_size(size):
    usual = RNG.normal(20, 5, 30)
    panel = Panel.from_arrays({"usual": usual, "other": size * usual}, periods=(4,))
    for scale in naive_scales(panel, origins_of(panel)):
        assert scale[1] == pytest.approx(size * scale[0], rel=1e-12, abs=0)


def test_no_scale_for_constant_single_or_unknown_histories():
    panel = Panel.from_arrays(
        {"a": [3.0] * 6, "b": [4.0], "c": [np.nan, 2.0, np.nan]}, periods=(2,)
    )
    assert np.isnan(naive_scales(panel, origins_of(panel)).absolute).all()
    assert np.isnan(metrics.mase(np.ones((1, 2)), np.zeros((1, 2)), np.array([np.nan])))
    two = metrics.mase(np.ones((2, 2)), np.zeros((2, 2)), np.array([np.nan, 2.0]))
    assert two == 0.5
