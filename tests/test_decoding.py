"""Decoding: what a forecast has read, horizons of any length, modes, and the laws that hold
whatever the weights."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

import lstmcast as lc
from builders import network_of_seeds, with_open_ends
from lstmcast import decoding
from lstmcast.context import CONTEXT, Blocks
from lstmcast.data.origins import Origins, origins_of
from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader
from lstmcast.decoding.feeding import Growth
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN, SCORES
from lstmcast.model.inputs import Adaptive
from lstmcast.model.inputs.adaptive import LARGEST
from lstmcast.model.network import NetworkConfig

CONFIG = NetworkConfig(layers=(8, 8), inputs=Adaptive(window=6), horizon=5)


def network(*seeds):
    return network_of_seeds(CONFIG, *(seeds or (0,)), size=0.2)


NET = network(0, 1)


def decode(net, *data, **options):
    return decoding.decode(Reader(net), *data, **options)


def one_step_ahead(net, *data):
    return decoding.one_step_ahead(Reader(net), *data)


def walk(seed, length, positive=True):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=length).cumsum() / 8 + 0.4 * np.sin(
        np.arange(length) * np.pi / 6
    )
    return 20 * np.exp(z / 4) if positive else z


def panel_of(*series, periods=(12,), **options):
    named = {f"series {i}": one for i, one in enumerate(series)}
    return Panel.from_arrays(
        named, frequency="MS", start="2000-01", periods=periods, **options
    )


def ends(panel):
    return origins_of(panel)


def forecast(panel, horizon=5, net=NET, **options):
    return decode(net, panel, ends(panel), horizon, **options)


def assert_close(one, other, tolerance=1e-4):
    """Equal but for the rounding of the network's single precision, beside the size of the
    values."""
    np.testing.assert_allclose(
        one, other, rtol=tolerance, atol=tolerance * np.nanmean(np.abs(other))
    )


# ---- the reset rule


def test_a_forecast_reads_between_one_and_two_blocks():
    counts = np.arange(1, 5000)
    read = counts - Blocks(512).start(counts)
    assert (read[counts < 1024] == counts[counts < 1024]).all()
    assert (read[counts >= 512] >= 512).all() and (read < 1024).all()
    assert (np.diff(Blocks(512).start(counts)) >= 0).all()


def test_blocks_hold_three_of_the_longest_seasons():
    assert Blocks.of(()) == Blocks.of((24, 168)) == Blocks(CONTEXT // 2)
    assert Blocks.of((48, 336)) == Blocks(1008)


@pytest.mark.parametrize("length", [60, 1500])
def test_a_forecast_at_a_cutoff_is_that_of_what_is_known_there(length):
    panel = panel_of(walk(1, length), walk(2, length - 7, positive=False), walk(3, 30))
    counts = np.array(
        [
            [length - 30, length - 3, length],
            [length // 2, length - 20, length - 7],
            [1, 9, 30],
        ]
    )
    together = decode(NET, panel, origins_of(panel, counts), 5).reshape(3, 3, 5, -1)
    for k in range(3):
        assert_close(together[:, k], forecast(panel.until(counts[:, k])))


def test_what_comes_after_a_cutoff_does_not_matter():
    panel = panel_of(walk(1, 80))
    later = walk(1, 80)
    later[60:] = [np.nan, -5, 1e9] * 6 + [0, 0]
    counts = np.array([[25, 60]])
    np.testing.assert_array_equal(
        decode(NET, panel, origins_of(panel, counts), 5),
        decode(NET, panel_of(later), origins_of(panel, counts), 5),
    )


def test_a_long_series_forgets_what_lies_before_its_context():
    values, other = walk(1, 1700), walk(1, 1700)
    other[:1024] = -walk(4, 1024)  # 1700 // 512 − 1 = 2 blocks of 512
    np.testing.assert_array_equal(forecast(panel_of(values)), forecast(panel_of(other)))
    other[1024] *= 3
    assert (forecast(panel_of(values)) != forecast(panel_of(other))).any()


def test_a_batch_of_one_is_a_row_of_many_in_any_order():
    series = [
        walk(seed, length, seed % 3 > 0)
        for seed, length in enumerate((40, 3, 200, 41, 1100, 12, 1))
    ]
    together = forecast(panel_of(*series))
    backwards = forecast(panel_of(*series[::-1]))[::-1]
    assert_close(backwards, together)
    for i, one in enumerate(series):
        assert_close(forecast(panel_of(one))[0], together[i])


def test_many_series_are_read_in_several_batches():
    # more values than a batch holds
    series = [walk(seed, 150 + seed % 40) for seed in range(300)]
    together = forecast(panel_of(*series))
    for i in (0, 150, 299):
        assert_close(forecast(panel_of(series[i]))[0], together[i])


def test_origins_may_come_in_any_order_and_twice():
    panel = panel_of(walk(1, 50), walk(2, 60))
    origins = Origins(np.array([1, 0, 1, 0, 1]), np.array([60, 50, 20, 10, 60]))
    straight = decode(
        NET, panel, Origins(np.array([0, 0, 1, 1]), np.array([10, 50, 20, 60])), 5
    )
    assert_close(decode(NET, panel, origins, 5), straight[[3, 1, 2, 0, 3]])


# ---- horizons and modes


def test_a_short_horizon_is_the_beginning_of_a_long_one():
    panel = panel_of(walk(1, 70), walk(2, 50, positive=False))
    longest = forecast(panel, 23)
    assert longest.shape == (2, 23, len(HEAD_QUANTILES)) and np.isfinite(longest).all()
    for horizon in (1, 4, 5, 6, 10, 22):
        np.testing.assert_array_equal(forecast(panel, horizon), longest[:, :horizon])


@pytest.mark.parametrize("recursive", [False, True])
def test_beyond_the_head_medians_are_those_of_a_series_that_goes_on_with_them(
    recursive,
):
    panel = panel_of(walk(1, 70), walk(2, 70, positive=False))
    medians = forecast(panel, 12, recursive=recursive)[:, :, MEDIAN]
    block = 1 if recursive else CONFIG.horizon
    for done in range(block, 12, block):
        longer = panel_of(
            *(np.append(panel.series(i), medians[i, :done]) for i in range(2))
        )
        assert_close(
            medians[:, done : done + block],
            forecast(longer)[:, : min(block, 12 - done), MEDIAN],
            1e-3,
        )


@pytest.mark.parametrize("recursive", [False, True])
def test_intervals_do_not_cross_and_do_not_shrink_when_fed_back(recursive):
    panel = panel_of(walk(1, 70), walk(2, 50, positive=False))
    quantiles = forecast(panel, 26, recursive=recursive)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    axis = np.log(quantiles[0]), quantiles[1]
    for z in axis:
        width = z[:, -1] - z[:, 0]
        seams = np.arange(
            1 if recursive else CONFIG.horizon, 26, 1 if recursive else CONFIG.horizon
        )
        assert (width[seams] >= width[seams - 1] * (1 - 1e-6)).all()


def test_errors_of_blocks_add_up_as_independent_ones():
    z = forecast(panel_of(walk(2, 50, positive=False)), 10)[0]
    longer = panel_of(np.append(walk(2, 50, positive=False), z[:5, MEDIAN]))
    own = forecast(longer)[0]
    upper = np.sqrt((own[:, -1] - own[:, MEDIAN]) ** 2 + (z[4, -1] - z[4, MEDIAN]) ** 2)
    assert_close(z[5:, -1] - z[5:, MEDIAN], upper, 1e-3)


def test_the_recursive_mode_takes_its_first_step_from_the_head():
    panel = panel_of(walk(1, 70))
    np.testing.assert_array_equal(
        forecast(panel, 8, recursive=True)[:, :1], forecast(panel, 8)[:, :1]
    )
    assert (
        forecast(panel, 8, recursive=True)[:, 1:5] != forecast(panel, 8)[:, 1:5]
    ).any()


@pytest.mark.parametrize("length", [40, 1100])
def test_one_step_ahead_equals_forecasts_with_cutoffs_at_every_count(length):
    values = walk(5, length)
    values[7:9] = np.nan
    switching = walk(6, length)
    switching[length // 2] = -1.0
    panel = panel_of(values, switching)
    counts = np.tile(np.arange(1, length + 1), (2, 1))[:, :: max(1, length // 90)]
    origins = origins_of(panel, counts)
    assert_close(one_step_ahead(NET, panel, origins), decode(NET, panel, origins, 1))


def test_points_have_the_spread_of_a_random_walk_around_them():
    """Whatever the inputs are: a head of points gave intervals of width 0 with adaptive ones."""
    points = network_of_seeds(replace(CONFIG, head="point"), 0, size=0.2)
    panel = panel_of(walk(5, 60))
    answers_HQ = forecast(panel, 8, points)[0]
    width_H = answers_HQ[:, -1] - answers_HQ[:, 0]
    change = np.abs(np.diff(panel.values)).mean()
    assert width_H == pytest.approx(width_H[0] * np.sqrt(np.arange(1, 9)))
    assert width_H[0] == pytest.approx(change * np.ptp(SCORES))
    assert_close(one_step_ahead(points, panel, ends(panel))[0, 0], answers_HQ[0])


# ---- few and missing observations


@pytest.mark.parametrize(
    "values",
    [[3.0], [3.0, 8.0], [3.0, np.nan, 8.0, 7.0], [-3.0, 8.0, 2.0], [0.0]],
    ids=str,
)
def test_fewer_than_four_observations_give_the_last_one(values):
    panel = panel_of(values)
    quantiles = forecast(panel, 8)
    assert_close(quantiles[:, :5, MEDIAN], np.full((1, 5), values[-1]), 1e-12)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert (quantiles > 0).all() == (min(values) > 0)
    assert_close(
        one_step_ahead(NET, panel, ends(panel))[:, :, MEDIAN], [[values[-1]]], 1e-12
    )


def test_four_observations_are_enough_for_the_network():
    assert (forecast(panel_of([3.0, 8.0, 7.0, 6.0]))[0, :, MEDIAN] != 6.0).all()


def test_missing_values_at_the_end_leave_the_series_known_before():
    values = np.append(walk(1, 60), [np.nan, np.nan])
    quantiles = forecast(panel_of(values), 12)
    assert np.isfinite(quantiles).all()
    last = values[59]
    assert last / 4 < quantiles[0, 0, MEDIAN] < 4 * last


def test_missing_values_at_the_beginning_cost_nothing():
    values = walk(1, 60)
    assert_close(
        forecast(panel_of(np.append(np.full(25, np.nan), values))),
        forecast(panel_of(values)),
    )
    one = Origins(np.zeros(1, int), np.array([26]))
    alone = decode(NET, panel_of(np.append(np.full(25, np.nan), values)), one, 5)
    assert_close(alone[0, :, MEDIAN], np.full(5, values[0]), 1e-12)


def test_where_nothing_is_known_nothing_is_forecast():
    panel = panel_of([np.nan, np.nan, 4.0, 5.0, 3.0])
    counts = np.array([[1, 2, 3]])
    for quantiles in (
        decode(NET, panel, origins_of(panel, counts), 5),
        one_step_ahead(NET, panel, origins_of(panel, counts)),
    ):
        assert np.isnan(quantiles[:2]).all() and np.isfinite(quantiles[2]).all()


@pytest.mark.parametrize("value", [7.0, -7.0])
def test_a_gap_longer_than_the_context_leaves_the_last_value(value):
    values = np.append(walk(1, 600), np.full(1100, np.nan))
    values[599] = value
    panel = with_open_ends(values, frequency="MS", start="2000-01", periods=(12,))
    for quantiles in (forecast(panel), one_step_ahead(NET, panel, ends(panel))):
        assert (quantiles == value).all()
    few = values.copy()
    few[-2:] = 30.0, 40.0  # read, but not enough to say anything
    assert_close(forecast(panel_of(few))[0, :, MEDIAN], np.full(5, 40.0), 1e-12)


def test_missing_values_within_are_no_zeros():
    values = 1000 + walk(1, 80, positive=False)
    values[np.arange(5, 80, 7)] = np.nan
    assert abs(forecast(panel_of(values))[0, 0, MEDIAN] - 1000) < 30


# ---- axes


@pytest.mark.parametrize("factor", [1e-9, 0.37, 1e12])
def test_positive_series_times_a_factor(factor):
    values = walk(1, 90)
    assert_close(
        forecast(panel_of(factor * values), 12), factor * forecast(panel_of(values), 12)
    )


@pytest.mark.parametrize(
    ("factor", "shift"), [(3.0, 0.0), (250.0, -7e4), (1e-7, 0.0), (1.0, -30.0)]
)
def test_series_with_negative_values_times_a_factor_plus_a_shift(factor, shift):
    values = walk(1, 90, positive=False)
    values[3] = -4.0
    one, other = (
        forecast(panel_of(values), 12),
        forecast(panel_of(factor * values + shift), 12),
    )
    np.testing.assert_allclose((other - shift) / factor, one, rtol=2e-3, atol=2e-3)


def test_the_axis_changes_when_values_below_0_arrive():
    """Before them, a factor scales the forecast and a shift does not move it; afterwards both."""
    values = walk(1, 60)
    values[38:42] = 5.0, 1.5, -2.0, 4.0
    counts = np.array([[40, 41, 60]])
    shifted = values - 5.0
    one = decode(NET, panel_of(values), origins_of(panel_of(values), counts), 5)
    other = decode(NET, panel_of(shifted), origins_of(panel_of(shifted), counts), 5)
    assert abs(other[0] + 5 - one[0]).max() > 0.01
    assert_close(other[1:] + 5, one[1:], 1e-3)
    assert (one[0] > 0).all()


@pytest.mark.parametrize("size", [1e300, 1e-300])
@pytest.mark.parametrize("positive", [False, True])
def test_huge_and_tiny_values(size, positive):
    values = np.clip(walk(1, 80, positive), -50, 50)
    assert_close(
        forecast(panel_of(size * values), 12) / size,
        forecast(panel_of(values), 12),
        1e-3,
    )


@pytest.mark.parametrize("size", [1e-308, LARGEST / 60])
@pytest.mark.parametrize("positive", [False, True])
def test_values_at_the_limits_of_what_can_be_written(size, positive):
    quantiles = forecast(panel_of(size * np.clip(walk(1, 80, positive), -50, 50)), 30)
    assert np.isfinite(quantiles).all() and (np.diff(quantiles, axis=-1) >= 0).all()


def test_the_largest_numbers_of_all():
    quantiles = forecast(panel_of(np.tile([-LARGEST, LARGEST, 0.0], 20)), 12)
    assert np.isfinite(quantiles).all() and (np.diff(quantiles, axis=-1) >= 0).all()


def test_a_falling_positive_series_stays_positive_however_long_the_horizon():
    falling = np.exp(-8.0 * np.arange(85))  # down to 1e-292
    quantiles = forecast(panel_of(falling), 60)
    assert np.isfinite(quantiles).all() and (quantiles > 0).all()


@pytest.mark.parametrize("value", [0.0, -0.1, -1e300])
def test_constant_series_on_the_linear_axis_are_forecast_exactly(value):
    assert_close(
        forecast(panel_of(np.full(50, value)), 30),
        np.full((1, 30, len(HEAD_QUANTILES)), value),
        1e-12,
    )


def test_a_constant_positive_series_is_forecast_near_its_value():
    quantiles = forecast(panel_of(np.full(50, 0.1)))[0]
    assert (
        (quantiles[:, 0] < 0.1).any()
        and (quantiles[:, -1] > 0.1).any()
        and (quantiles > 0).all()
    )


def test_several_seasons_and_none():
    for periods in ((1,), (24, 168), (7, 365)):
        quantiles = forecast(panel_of(walk(1, 400), walk(2, 900), periods=periods), 9)
        assert np.isfinite(quantiles).all()


def test_a_series_that_never_changed_is_repeated_exactly():
    series = {
        "five": np.full(30, 5.0),
        "gap": np.r_[7.0, np.nan, 7.0, 7.0, 7.0],
        "moves": np.r_[np.full(9, 5.0), 6.0],
    }
    panel = Panel.from_arrays(series, frequency="MS", start="2020-01")
    quantiles = decode(NET, panel, ends(panel), 3)
    np.testing.assert_array_equal(quantiles[:2, :, MEDIAN], [[5.0] * 3, [7.0] * 3])
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert (quantiles[2, :, MEDIAN] != 6.0).any()
    before = origins_of(panel, np.array([[9], [5], [9]]))
    np.testing.assert_array_equal(
        one_step_ahead(NET, panel, before)[[0, 2], 0, MEDIAN], [5.0, 5.0]
    )


def test_small_changes_of_large_values_are_seen():
    wave = walk(3, 60, positive=False)
    one, other = (forecast(panel_of(wave + offset)) - offset for offset in (1e3, 1e7))
    np.testing.assert_allclose(one, other, atol=1e-3)
    many = forecast(panel_of(3 * (wave + 1e7)))
    np.testing.assert_allclose(many / 3 - 1e7, other, atol=1e-3)


def answer_of(widths_H, rows=2):
    """An answer whose median is 0, of a head that spreads as wide as said (N, H, 1, Q)."""
    scores = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])
    return np.tile((widths_H[:, None] * scores)[None, :, None], (rows, 1, 1, 1))


def test_errors_grow_beyond_the_head_as_they_did_in_it():
    ahead = np.arange(1, 25)
    for power in (0.0, 0.5, 1.0):
        growth = Growth.of(answer_of(ahead**power), (7,))
        np.testing.assert_allclose(growth.power_NK, power, atol=0.05)
        spread = growth.spread(np.array([24, 96]))[0, :, 0, -1]
        expected = 1.96 * np.array([24.0, 96.0]) ** power if power else [0, 0]
        np.testing.assert_allclose(spread, expected, rtol=0.1)


@pytest.mark.parametrize("periods", [(24, 168), (52,), (13,)])
def test_the_phases_of_a_long_season_are_no_growth(periods):
    growth = Growth.of(answer_of(np.arange(1, 25.0)), periods)
    assert (growth.power_NK == 0).all() and (growth.spread(np.array([30])) == 0).all()


def test_an_answer_without_width_does_not_grow():
    growth = Growth.of(answer_of(np.zeros(24)), ())
    assert (growth.spread(np.array([25, 1000])) == 0).all()


def test_memory_of_a_large_batch_is_bounded() -> None:
    values = 100.0 + np.random.default_rng(0).normal(size=(1024, 256))
    panel = lc.Panel.from_arrays(values, frequency="D", start="2024-01-01")
    forecaster = lc.LSTMForecaster(2, method="network")
    tracemalloc.start()
    forecaster.predict(panel)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All threads together read 1 << 16 values at once, and each takes about 5 kB.
    assert peak < 400e6
