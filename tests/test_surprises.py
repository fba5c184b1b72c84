"""Single values unlike any before them, and levels that shifted."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.examples import airline
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.surprises import set_aside
from lstmcast.model.inputs.surprisestate import Axis, Surprises, no_surprises
from lstmcast.streaming.stream import Stream
from lstmcast.util.states import arrays_of

AIRLINE = np.asarray(airline().series(0))
STEPS, TAIL = 80, 12


def noise(spread, count=STEPS, seed=0):
    return np.random.default_rng(seed).normal(0, spread, count)


def edited(values, places, value):
    values = np.array(values, float)
    values[places] = value
    return values


def read(z, bounds=(), log=False, season=1, near=True):
    """What is read of a series on the reading axis, the shifts, the other levels, the state."""
    slack_B = np.array([1.0 if near else 100.0])
    axis = Axis(np.array([log]), slack_B, 16, season)
    state, parts = no_surprises(1, TAIL), []
    tail_BL = np.full((1, TAIL), np.nan)
    for first, last in zip([0, *bounds], [*bounds, len(z)], strict=True):
        *chunk, state = set_aside(
            state, np.asarray(z, float)[None, first:last], tail_BL, axis
        )
        parts.append(chunk)
        tail_BL = np.concatenate([tail_BL, chunk[0]], axis=1)[:, -TAIL:]
    whole = (np.concatenate(several, axis=1)[0] for several in zip(*parts, strict=True))
    return *whole, state


FLAT = noise(1.0)


def test_what_is_usual_is_read_as_it_is():
    for z in (
        FLAT,
        np.cumsum(FLAT),
        50 * np.sin(np.arange(STEPS)),
        np.exp(0.05 * np.arange(STEPS)),
    ):
        read_T, shift_T, other_T, _ = read(z)
        np.testing.assert_array_equal(read_T, z)
        assert not shift_T.any() and not other_T.any()


@pytest.mark.parametrize("size", [-9999.0, 10.0, -10.0, 1e6])
def test_a_single_value_is_set_aside(size):
    read_T, shift_T, other_T, _ = read(edited(FLAT, 60, size))
    assert np.isnan(read_T[60]) and other_T[60] == pytest.approx(size - FLAT[59])
    rest = np.arange(STEPS) != 60
    np.testing.assert_array_equal(read_T[rest], FLAT[rest])
    assert not shift_T.any() and not other_T[rest].any()


def test_a_second_one_in_a_row_is_a_level():
    z = FLAT + np.where(np.arange(STEPS) >= 60, 10.0, 0.0)
    read_T, shift_T, other_T, _ = read(z)
    assert np.isnan(read_T[60]) and not np.isnan(read_T[61:]).any()
    assert shift_T[60] == 0 and abs(shift_T[61:] - 10).max() < 4
    np.testing.assert_allclose(read_T[61:] + shift_T[61:], z[61:])
    assert other_T[61] == -shift_T[61] and not other_T[62:].any()


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_a_large_jump_is_a_level_at_once_and_is_taken_back_when_it_ends(steps):
    z = FLAT + np.where(
        (np.arange(STEPS) >= 50) & (np.arange(STEPS) < 50 + steps), 30.0, 0.0
    )
    read_T, shift_T, _, _ = read(z)
    np.testing.assert_allclose(read_T + shift_T, z)
    assert abs(shift_T[50] - 30) < 4 and not shift_T[50 + steps :].any()
    np.testing.assert_array_equal(read_T[50 + steps :], z[50 + steps :])


def test_spikes_that_come_again_within_a_cycle_are_what_a_series_is_like():
    read_T, *_ = read(edited(FLAT, [50, 55, 60], 11.0))
    assert np.isnan(read_T[50]) and not np.isnan(read_T[51:]).any()


def test_a_season_says_what_is_usual_at_a_step():
    season = np.tile([0.0, 0, 0, 10], STEPS // 4)
    z = season + FLAT / 20
    read_T, _, _, _ = read(edited(z, 61, 10.0), season=4)
    assert np.isnan(read_T[61]) and np.isnan(read_T).sum() == 1
    np.testing.assert_array_equal(read(edited(z, 61, 10.0))[0], edited(z, 61, 10.0))


def test_nothing_is_set_aside_before_enough_was_read_nor_within_the_slack():
    z = edited(FLAT, [5, 60], 40.0)
    assert not np.isnan(read(z)[0][:6]).any()
    np.testing.assert_array_equal(read(z, near=False)[0], z)


def test_missing_values_neither_end_nor_make_a_surprise():
    z = edited(FLAT + np.where(np.arange(STEPS) >= 60, 10.0, 0.0), [61, 62], np.nan)
    read_T, shift_T, other_T, _ = read(z)
    assert np.isnan(read_T[60:63]).all() and shift_T[63] != 0
    assert (other_T[60:63] == other_T[60]).all() and other_T[60] > 5


@pytest.mark.parametrize("bounds", [range(1, STEPS), (13, 60, 61, 62), (40,)])
@pytest.mark.parametrize("season", [1, 5])
def test_chunks_and_ticks_say_the_same(bounds, season):
    z = np.cumsum(noise(1.0, seed=3)) + np.where(np.arange(STEPS) > 65, 25.0, 0.0)
    z = edited(z, [40, 50, 51], [60, -70, -71])
    z[[20, 52]] = np.nan
    whole, parts = read(z, season=season), read(z, bounds, season=season)
    assert np.isnan(whole[0]).sum() > 2 and (np.diff(whole[1]) != 0).sum() > 2
    for one, other in zip(whole[:3], parts[:3], strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)
    for (place, one), (_, other) in zip(
        arrays_of(whole[3]), arrays_of(parts[3]), strict=True
    ):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9, err_msg=place)


def test_rows_are_apart():
    z_BT = np.stack(
        [FLAT, edited(FLAT, 60, 50), np.cumsum(FLAT), edited(FLAT, [60, 61], 9)]
    )
    axis = Axis(np.zeros(4, bool), np.ones(4), 16, 1)
    together = set_aside(no_surprises(4, TAIL), z_BT, np.full((4, TAIL), np.nan), axis)
    for row, z in enumerate(z_BT):
        for one, other in zip(read(z)[:3], together[:3], strict=True):
            np.testing.assert_array_equal(other[row], one)
    assert isinstance(together[3], Surprises)


def test_the_network_sees_one_level_and_answers_at_the_new_one():
    inputs, grid = Adaptive(), Grid(6, (), "monthly", np.array([True, True]))
    steady = 100 * np.exp(noise(0.03))
    shifted = steady * np.where(np.arange(STEPS) >= 60, 3.0, 1.0)
    seen, _ = inputs.advance(
        inputs.start(grid, 2), np.stack([steady, shifted])[:, :, None]
    )
    np.testing.assert_allclose(seen.x_BTC[1, 60:, :11], seen.x_BTC[0, 60:, :11], atol=4)
    np.testing.assert_allclose(
        np.exp(seen.known.level[1, 60:]), shifted[60:], rtol=1e-9
    )


# ---------------------------------------------------------------- what forecasts are like


def forecast(values, horizon=36, frequency="MS"):
    """Of the network, which is what surprises are kept from; simple forecasts read them."""
    panel = lc.Panel.from_arrays(values, frequency=frequency, start="1949-01-01")
    return lc.LSTMForecaster(horizon, method="network").predict(panel)


USUAL = forecast(AIRLINE).point[0]


@pytest.mark.parametrize("factor", [1000, 0.001, 3, 2, 0.4])
@pytest.mark.parametrize("months", [1, 2, 6])
def test_growth_is_not_extrapolated_from_a_jump(factor, months):
    values = AIRLINE.copy()
    values[-months:] *= factor
    ratio = np.log(forecast(values).point[0] / USUAL) / np.log(factor)
    assert (ratio > -0.15).all() and (ratio < 1.15).all()
    if months > 1:
        assert (ratio > 0.75).all()


@pytest.mark.parametrize("factor", [1.5, 2.0, 5.0, 100.0])
@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_the_interval_after_a_first_surprise_holds_the_old_or_the_new_level(
    factor, spread
):
    values = 100 * np.exp(noise(spread, 72))
    values[-1] = 100 * factor
    interval = forecast(values, 6).interval(95)
    holds = [
        (interval.lower[0] <= x) & (x <= interval.upper[0]) for x in (100, 100 * factor)
    ]
    assert (holds[0] | holds[1]).all()


@pytest.mark.parametrize("new", [43.0, 41.5, 42.1])
def test_a_first_change_of_what_was_always_the_same_is_a_surprise_however_small(new):
    interval = forecast(np.array([42.0] * 199 + [new]), 6).interval(80)
    for level in (42.0, new):
        assert (interval.lower <= level + 0.02).all()
        assert (interval.upper >= level - 0.02).all()


@pytest.mark.parametrize("value", [0.0, 1.0, 3.0, 1e5])
def test_closed_days_in_years_of_sales_are_as_if_they_were_missing(value):
    days = np.arange(3 * 365)
    sales = (
        500
        * (1 + 0.2 * np.sin(2 * np.pi * days / 7))
        * np.exp(noise(0.08, len(days), 4))
    )
    places = [100, 380, 700, 1000, len(days) - 10]
    one = forecast(edited(sales, places, value), 28, "D").point
    other = forecast(edited(sales, places, np.nan), 28, "D").point
    np.testing.assert_allclose(one, other, rtol=0.02)


def test_counts_a_thousand_times_too_large_are_set_aside():
    sold = np.random.default_rng(3).poisson(1.2, 200).astype(float)
    forecasts = [
        forecast(edited(sold, places, 3000), 14, "D") for places in ([], -1, -20)
    ]
    for other in forecasts[1:]:
        np.testing.assert_allclose(other.point, forecasts[0].point, atol=0.7)


def test_a_bound_that_reaches_another_level_is_not_widened_beyond_it():
    quarters = 100 * np.exp(noise(0.03, 48)) * np.tile([1, 1.2, 1, 0.8], 12)
    for factor in (3, 1000):
        interval = forecast(
            edited(quarters, -1, factor * quarters[-1]), 8, "QS"
        ).interval(95)
        assert (interval.upper < 1.5 * factor * 120).all()
        assert (interval.lower > 20).all() and (interval.lower < 120).all()


def test_a_night_without_a_reading_leaves_the_hours_as_they_were():
    hour = np.arange(24 * 30)
    values = (200 + 150 * np.sin(2 * np.pi * hour / 24)) * np.exp(
        noise(0.08, len(hour))
    )
    usual = forecast(values, 24, "h").point
    np.testing.assert_allclose(
        forecast(edited(values, -1, 1), 24, "h").point, usual, rtol=0.05
    )
    out = forecast(edited(values, slice(-30, -24), 1), 24, "h").point
    np.testing.assert_allclose(out.mean(), usual.mean(), rtol=0.15)


def test_a_shift_and_a_factor_move_forecasts_with_surprises_alike():
    values = edited(noise(1.0, 120), [50, 90, 91, 119], [80, 60, 61, -70])
    one, other = (forecast(part, 12).point for part in (values, 5 * values - 900))
    np.testing.assert_allclose(other, 5 * one - 900, atol=1e-2)


def test_a_stream_sets_aside_what_predict_does():
    values = edited(20 + np.cumsum(noise(0.1, 60)), [30, 44, 45, 58], [900, 60, 60, 0])
    stream = Stream(lc.LSTMForecaster(6), ["a"], frequency="D", periods=7)
    for count, value in enumerate(values, 1):
        stream.observe([value])
        if count > 25:
            panel = lc.Panel.from_arrays(
                values[:count], frequency="D", start="2020-01-01"
            )
            expected = lc.LSTMForecaster(6).predict(panel, mode="direct").point
            np.testing.assert_allclose(stream.predict(6), expected, rtol=1e-5)


@pytest.mark.parametrize("value", [0.01, 1.0])
def test_a_first_value_near_0_is_no_growth(value):
    sales = np.array(airline().values)
    expected = np.abs(
        forecast(sales, 12).point - forecast(edited(sales, [0], np.nan), 12).point
    )
    assert np.abs(
        forecast(edited(sales, [0], value), 12).point - forecast(sales, 12).point
    ).max() < 2 + (expected.max())


@pytest.mark.parametrize("frequency", ["MS", "h"])
@pytest.mark.parametrize("count", [4, 12, 24])
def test_the_first_change_of_a_short_series_is_a_surprise_too(frequency, count):
    values = np.append(np.full(count, 5.0), 50.0)
    low, *_, high = forecast(values, 6, frequency).quantiles[0, 0]
    assert high - low < 100
    assert low <= 5.001 or low <= 50 <= high


def test_a_level_that_doubled_within_the_first_week_of_hours_may_last():
    hits = []
    for seed in range(8):
        noise = np.exp(np.random.default_rng(seed).normal(0, 0.03, 78))
        values = np.repeat([100.0, 200.0], [71, 7]) * noise
        interval = forecast(values[:72], 6, "h").interval(80)
        hits.append((values[72:] >= interval.lower) & (values[72:] <= interval.upper))
    assert np.mean(hits) > 0.4


def test_what_comes_again_at_another_step_of_the_year_is_a_surprise_again():
    weeks = np.arange(364)
    noise = np.random.default_rng(0).normal(0, 0.04, 364)
    sales = (1000 + 300 * np.sin(weeks * 2 * np.pi / 52)) * np.exp(noise)
    closed = [103, 135, 165, 207, 240]
    axis = Axis(np.array([True]), np.ones(1), 56, 52)

    def set_aside_of(values):
        z = np.log(values)[None] - np.log(values[0])
        return np.flatnonzero(
            np.isnan(
                set_aside(
                    no_surprises(1, 52), z, np.full((1, 52), np.nan), axis
                ).read_BT[0]
            )
        )

    assert set(closed) <= set(set_aside_of(edited(sales, closed, 1.0)).tolist())


@pytest.mark.parametrize("last", [999.0, 9.0])
def test_a_value_far_beyond_the_noise_is_an_error_rather_than_a_level(last):
    values = edited(100 + noise(5.0, 120), -1, last)
    panel = lc.Panel.from_arrays(values, frequency="D", start="2024-01-01")
    forecast = lc.LSTMForecaster(7).predict(panel)
    assert np.abs(forecast.point[0] - 100).max() < 10
    low, high = forecast.quantiles[0, 0, [0, -1]]
    assert low < 1.1 * last and high > 0.9 * last  # it may be a level all the same
