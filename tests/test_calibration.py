"""Calibration: coverage on unseen cutoffs, own against pooled scores, and what is unknown or has
no width."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.examples import airline
from lstmcast.evaluation import calibration, held_out
from lstmcast.evaluation.calibration import (
    HeldOut,
    calibrate,
    interval_factors,
    widen,
)
from lstmcast.evaluation.factors import ENOUGH, TRUST
from lstmcast.model.heads import HEAD_QUANTILES

SCORES = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])
THREE = (0.1, 0.5, 0.9)


def spread(shape, width, levels=HEAD_QUANTILES):
    """Quantiles of a normal distribution about zero that is `width` times too wide, (…, Q)."""
    scores = np.array([NormalDist().inv_cdf(level) for level in levels])
    return np.broadcast_to(width * scores, (*shape, len(levels))).copy()


def coverage(quantiles, actual, low, high):
    return np.mean((quantiles[..., low] <= actual) & (actual <= quantiles[..., high]))


@pytest.mark.parametrize("width", [0.4, 1.0, 3.0])
def test_coverage_on_cutoffs_that_the_calibration_has_not_seen(width):
    rng = np.random.default_rng(0)
    G, J, H = 300, 24, 6
    size = np.exp(rng.normal(size=(G, 1)))  # each series has its own unit
    before, now = (
        spread((G, J, H), width) * size[:, :, None, None],
        spread((G, H), width) * size[:, :, None],
    )
    actual, later = (
        rng.normal(size=(G, J, H)) * size[:, :, None],
        rng.normal(size=(G, H)) * size,
    )
    result = calibrate(now, HEAD_QUANTILES, before, actual)
    assert coverage(result, later, 1, 5) == pytest.approx(0.8, abs=0.03)
    assert coverage(result, later, 0, 6) == pytest.approx(0.95, abs=0.02)
    assert coverage(result, later, 2, 4) == pytest.approx(0.5, abs=0.03)
    raw = coverage(now, later, 1, 5)
    assert width == 1.0 or abs(raw - 0.8) > 0.15


def test_each_horizon_has_its_own_factor_where_scores_suffice():
    rng = np.random.default_rng(1)
    actual = rng.normal(size=(200, 10, 8)) * np.arange(1, 9)
    factors = interval_factors(THREE, spread((200, 10, 8), 1.0, THREE), actual)[0, :, 0]
    np.testing.assert_allclose(factors, np.arange(1, 9), rtol=0.1)


def test_few_scores_are_taken_from_shorter_horizons_too():
    """Forty series and one cutoff: a horizon alone has 40 scores, with the one before it 80."""
    actual = np.zeros((40, 1, 5))
    actual[:, :, 2] = 10.0
    factors = interval_factors(THREE, spread((40, 1, 5), 1.0, THREE), actual)[0, :, 0]
    # half of their scores are high ones
    assert factors[[2, 3]].min() > 1.5 * factors[[0, 1, 4]].max()
    alone = interval_factors(
        THREE, spread((ENOUGH, 1, 5), 1.0, THREE), np.repeat(actual, 2, axis=0)[:ENOUGH]
    )
    assert (alone[0, [1, 3], 0] < 1).all() and alone[0, 2, 0] > 4 * alone[
        0, [1, 3], 0
    ].max()


def two_kinds(J, H=4):
    """Two series, one four times as uncertain as its network says, the other a quarter."""
    rng = np.random.default_rng(2)
    return spread((2, J, H), 1.0), rng.normal(size=(2, J, H)) * np.array([4.0, 0.25])[
        :, None, None
    ]


def test_a_series_with_enough_scores_is_calibrated_alone():
    before, actual = two_kinds(ENOUGH)
    factors = interval_factors(HEAD_QUANTILES, before, actual)
    assert (factors[0] > 2.5).all() and (factors[1] < 0.4).all()


def test_series_with_few_scores_are_pooled():
    factors = interval_factors(HEAD_QUANTILES, *two_kinds(10))
    np.testing.assert_array_equal(factors[0], factors[1])


def test_a_series_with_enough_scores_beside_one_without():
    before, actual = two_kinds(ENOUGH)
    actual[1, 5:] = np.nan
    factors = interval_factors(HEAD_QUANTILES, before, actual)
    alone = interval_factors(HEAD_QUANTILES, before[:1], actual[:1])
    np.testing.assert_allclose(factors[0], alone[0], rtol=0.35)
    pooled = interval_factors(HEAD_QUANTILES, before[:, :5], actual[:, :5])
    assert (
        (factors[1] > 0.5).all()
        and not np.allclose(factors[0], factors[1])
        and pooled.shape == factors.shape
    )


def test_one_series_uses_all_horizons_when_it_has_few_scores():
    rng = np.random.default_rng(3)
    factors = interval_factors(
        HEAD_QUANTILES, spread((1, 24, 12), 1.0), 3 * rng.normal(size=(1, 24, 12))
    )
    expected = 3 ** (24 / (24 + TRUST))
    np.testing.assert_allclose(factors[0, :, 1], expected, rtol=0.25)


def test_few_cutoffs_leave_the_network_a_say():
    """Scores of exactly 5 at all horizons: the factor is 5 to the power J / (J + TRUST)."""
    for J in (1, 4, 60):
        actual = np.full((1, J, 3), 5 * NormalDist().inv_cdf(0.9))
        factors = interval_factors(THREE, spread((1, J, 3), 1.0, THREE), actual)
        np.testing.assert_allclose(factors, 5 ** (J / (J + TRUST)), rtol=1e-9)


def test_a_series_of_its_own_starts_from_what_all_series_say():
    """All need the factor 5: so does one that is calibrated alone, from however few cutoffs."""
    J, H = 8, 40  # few cutoffs, many scores
    actual = np.full((50, J, H), 5 * NormalDist().inv_cdf(0.9))
    factors = interval_factors(THREE, spread((50, J, H), 1.0, THREE), actual)
    np.testing.assert_allclose(factors, 5.0, rtol=0.02)


def test_factors_are_bounded():
    for size, bound in ((1e9, 20.0), (0.0, 0.05)):
        actual = np.full((1, 100, 1), size)
        factors = interval_factors(THREE, spread((1, 100, 1), 1.0, THREE), actual)
        np.testing.assert_allclose(factors, bound ** (100 / (100 + TRUST)))


def test_unknown_actual_values_count_nothing():
    before, actual = two_kinds(80)
    holes = np.random.default_rng(4).random(actual.shape) < 0.0
    holes[:, 70:] = True
    np.testing.assert_array_equal(
        interval_factors(HEAD_QUANTILES, before, np.where(holes, np.nan, actual)),
        interval_factors(HEAD_QUANTILES, before[:, :70], actual[:, :70]),
    )


def test_without_any_known_value_the_network_s_intervals_stay():
    now = spread((3, 5), 2.0)
    for J in (0, 4):
        before, actual = spread((3, J, 5), 1.0), np.full((3, J, 5), np.nan)
        np.testing.assert_allclose(
            calibrate(now, HEAD_QUANTILES, before, actual), now, rtol=1e-12
        )


def test_unknown_quantiles_count_nothing():
    before, actual = two_kinds(80)
    before[:, 70:] = np.nan
    np.testing.assert_array_equal(
        interval_factors(HEAD_QUANTILES, before, actual),
        interval_factors(HEAD_QUANTILES, before[:, :70], actual[:, :70]),
    )


def test_zero_widths_neither_warn_nor_stretch():
    now = spread((1, 3), 1.0)
    before = np.zeros((1, 100, 3, len(HEAD_QUANTILES)))
    exact = calibrate(now, HEAD_QUANTILES, before, np.zeros((1, 100, 3)))
    assert (exact[..., -1] < 0.1 * now[..., -1]).all()  # it was always right: narrow
    # no factor would have helped
    np.testing.assert_allclose(
        calibrate(now, HEAD_QUANTILES, before, np.ones((1, 100, 3))), now
    )
    still = calibrate(
        np.zeros((1, 3, len(HEAD_QUANTILES))),
        HEAD_QUANTILES,
        spread((1, 100, 3), 1.0),
        np.ones((1, 100, 3)),
    )
    assert not still.any()


def test_an_interval_that_is_wrong_on_one_side_is_scored_there():
    """Asymmetric quantiles: an error above is measured by the upper half-width, one below by the
    lower."""
    before = np.broadcast_to([-10.0, 0.0, 1.0], (1, 100, 1, 3))
    above = interval_factors(THREE, before, np.full((1, 100, 1), 2.0))
    below = interval_factors(THREE, before, np.full((1, 100, 1), -2.0))
    np.testing.assert_allclose(
        [above, below],
        np.array([2.0, 0.2])[:, None, None, None] ** (100 / (100 + TRUST)),
    )


def test_quantiles_stay_in_order_and_the_median_stays():
    rng = np.random.default_rng(5)
    quantiles = np.sort(rng.normal(size=(20, 6, len(HEAD_QUANTILES))), axis=-1)
    # narrow intervals may be widened beyond wide ones
    factors = rng.uniform(0.05, 20, (20, 6, 3))
    result = widen(quantiles, HEAD_QUANTILES, factors)
    assert (np.diff(result, axis=-1) >= 0).all()
    np.testing.assert_array_equal(result[..., 3], quantiles[..., 3])


def test_stretching_multiplies_each_interval_by_its_own_factor():
    result = widen(spread((1, 1), 1.0), HEAD_QUANTILES, np.array([[[2.0, 3.0, 4.0]]]))
    np.testing.assert_allclose(result[0, 0], SCORES * [4, 3, 2, 1, 2, 3, 4])


def test_units_do_not_matter():
    before, actual = two_kinds(30)
    now = spread((2, 4), 1.0)
    one = calibrate(now, HEAD_QUANTILES, before, actual)
    np.testing.assert_allclose(
        calibrate(7 * now - 3, HEAD_QUANTILES, 7 * before - 3, 7 * actual - 3),
        7 * one - 3,
        rtol=1e-9,
    )


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_huge_and_tiny_numbers(size):
    before, actual = two_kinds(30)
    now = spread((2, 4), 1.0)
    result = calibrate(size * now, HEAD_QUANTILES, size * before, size * actual) / size
    np.testing.assert_allclose(
        result, calibrate(now, HEAD_QUANTILES, before, actual), rtol=1e-9
    )


def test_after_a_level_shift_an_interval_grows_no_further_than_errors_have_reached():
    quiet, shifted = spread((1, 8, 4), 1.0, THREE), np.zeros((1, 8, 4))
    shifted[:, :, 2:] = 100.0
    # it has read the shift by now, and is unsure enough by itself
    after = np.tile([-20.0, 0.0, 20.0], (1, 4, 1))
    np.testing.assert_allclose(
        calibrate(after, THREE, quiet, shifted)[0, -1], [-30.0, 0.0, 100.0]
    )
    np.testing.assert_allclose(
        calibrate(5 * after, THREE, quiet, shifted)[0, -1], [-150.0, 0.0, 150.0]
    )


def test_bounds_do_not_jump_from_step_to_step():
    """A surprise that some of the held-out cutoffs met at one step: its neighbours are on the way
    there."""
    rng = np.random.default_rng(8)
    actual = rng.normal(size=(1, 24, 24))
    actual[0, 3:6, 9] = 40.0
    factors = interval_factors(HEAD_QUANTILES, spread((1, 24, 24), 1.0), actual)[
        0, :, 2
    ]
    assert factors.max() > 1.8 and factors[20] < 1.4
    assert np.abs(np.diff(np.log(factors))).max() < np.log(2)


def test_a_surprise_on_one_side_does_not_widen_the_other():
    """Rentals on the day of a hurricane: they say nothing of how high a day can be."""
    rng = np.random.default_rng(9)
    actual = rng.normal(size=(1, 24, 12))
    actual[0, 3, :] = -30.0
    own = spread((1, 12), 1.0)
    low, _, _, _, _, _, high = calibrate(
        own, HEAD_QUANTILES, spread((1, 24, 12), 1.0), actual
    )[0].T
    assert (high < 4.0).all() and low.min() < -4.0


def test_steps_that_no_cutoff_could_measure_go_on_as_errors_grew():
    rng = np.random.default_rng(4)
    growth = np.sqrt(np.arange(1, 17))
    actual = rng.normal(size=(1, 400, 16)) * growth
    actual[:, :, 8:] = np.nan
    before = spread((1, 400, 16), 1.0)
    factors = interval_factors(HEAD_QUANTILES, before, actual)[0, :, 1]
    np.testing.assert_allclose(factors, growth, rtol=0.25)
    assert (np.diff(factors[8:]) > 0).all()
    bounded = interval_factors(HEAD_QUANTILES, before, actual / growth)[0, :, 1]
    np.testing.assert_allclose(bounded, 1.0, atol=0.15)


def test_cutoffs_close_to_each_other_are_few_trials():
    """Of one trial, what shorter steps measured counts more than its own scores."""
    actual = np.where(np.arange(40) < 30, 1.0, 5.0) * np.ones((1, 24, 1))
    before = spread((1, 24, 40), 1.0)
    far, near = (
        interval_factors(HEAD_QUANTILES, before, actual, np.array([steps]))[0, 39, 1]
        for steps in (40, 1)
    )
    assert far > 3.0 > 1.6 > near


def test_one_walk_has_intervals_as_wide_as_its_errors_far_beyond_the_head():
    rng = np.random.default_rng(5)
    walks = {f"w{i}": 100 + np.cumsum(rng.normal(size=500)) for i in range(40)}
    panel = lc.Panel.from_arrays(walks, frequency="D", start="2023-01-01")
    known = panel.until(np.full(40, 300))
    interval = lc.LSTMForecaster(200).predict(known).interval(80)
    actual = np.stack(list(walks.values()))[:, 300:]
    inside = (interval.lower <= actual) & (actual <= interval.upper)
    assert [
        inside[:, part].mean()
        for part in (slice(0, 24), slice(24, 100), slice(100, 200))
    ] == (pytest.approx([0.8, 0.8, 0.8], abs=0.1))


# Where steps are fed back, the network reads in other pieces, so the last bits of float32 differ;
# candidates are fitted to what is asked for, so the last digits of a combination do.
@pytest.mark.parametrize(("method", "rtol"), [("network", 3e-6), ("combined", 5e-3)])
def test_the_interval_of_a_date_does_not_depend_on_how_many_are_asked_for(method, rtol):
    air = airline()
    far = lc.LSTMForecaster(60, method=method).predict(air).quantiles
    for horizon in (1, 3, 12, 24, 30):
        near = lc.LSTMForecaster(horizon, method=method).predict(air).quantiles
        np.testing.assert_allclose(near[:, :24], far[:, : min(horizon, 24)], rtol=rtol)


def test_many_series_are_calibrated_in_parts_and_the_numbers_are_the_same(monkeypatch):
    values = np.random.default_rng(0).normal(50, 5, (40, 60)).cumsum(axis=1)
    panel = lc.Panel.from_arrays(values, periods=(4,))
    cutoffs = np.stack([panel.lengths - 9, panel.lengths], axis=1)

    def forecasts():
        return [
            lc.HoltWinters(3).predict(panel, cutoffs=cutoffs),
            lc.LSTMForecaster(3, method="network").predict(panel, cutoffs=cutoffs),
            lc.LSTMForecaster(3).predict(panel, cutoffs=cutoffs),
        ]

    whole = forecasts()
    asked = []
    tried = HeldOut.forecasts
    monkeypatch.setattr(held_out, "AT_ONCE", 7 * 50)
    monkeypatch.setattr(calibration, "WIDENED_AT_ONCE", 3)
    monkeypatch.setattr(
        HeldOut, "forecasts", lambda *given: asked.append(1) or tried(*given)
    )
    for one, other in zip(whole, forecasts(), strict=True):
        # rounded by what else is read in a batch, where the network answers
        np.testing.assert_allclose(one.quantiles, other.quantiles, rtol=1e-4)
        np.testing.assert_allclose(one.dependence, other.dependence, atol=1e-4)
    assert len(asked) > 10  # parts of 7 series at most


@pytest.mark.parametrize(("at_once", "times"), [(7 * 50, 1), (1 << 13, 0)])
def test_parts_take_the_same_memory_one_after_the_other(monkeypatch, at_once, times):
    values = np.random.default_rng(0).normal(50, 5, (40, 60)).cumsum(axis=1)
    entered = []
    kept_memory = held_out.kept_memory
    monkeypatch.setattr(held_out, "AT_ONCE", at_once)
    monkeypatch.setattr(
        held_out, "kept_memory", lambda: entered.append(1) or kept_memory()
    )
    lc.LSTMForecaster(3, method="network").predict(
        lc.Panel.from_arrays(values, periods=(4,))
    )
    assert len(entered) == times


def test_a_series_that_stays_the_same_between_jumps_has_intervals():
    """Offers of a price are shifts of its level, without which it never changes."""
    days = np.arange(300)
    offers = np.cumsum(np.random.default_rng(0).integers(15, 31, 20))
    since_offer = days - np.r_[0, offers][np.searchsorted(offers, days, "right")]
    price = np.where((since_offer < 6) & (days > 30), 2.99, 3.99)
    panel = lc.Panel.from_arrays(price, frequency="D", start="2024-01-01")
    forecast = lc.LSTMForecaster(20).predict(panel)
    interval = forecast.interval(95)
    assert (interval.upper - interval.lower).min() > 0.05
    assert (interval.upper >= 3.98).mean() > 0.5
