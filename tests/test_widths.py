"""Intervals that are wide in the phases of a season in which values vary, and narrow in others."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.widths import LEAST, MOST, POWER, read_widths, start_widths
from lstmcast.pretrained import shipped
from lstmcast.training_config import TrainingConfig

DAY = 24


def cloudy_noons(days, seed=0):
    """Power of a solar plant, turned round: the same every night, another depth every noon."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * DAY)
    sun = np.clip(-np.cos(2 * np.pi * hours / DAY), 0, None)
    depth = np.repeat(rng.uniform(5, 30, days), DAY)
    return 12 - depth * sun + rng.normal(0, 0.3, len(hours))


def hourly(values):
    return lc.Panel.from_arrays({"a": values}, frequency="h", start="2024-01-01")


def widths(forecast, level=80):
    """Upper less lower bound of an interval at each step."""
    interval = forecast.interval(level)
    return (interval.upper - interval.lower).ravel()


def widths_ahead(values, horizon=DAY, periods=(DAY,)):
    """What adaptive inputs say of the coming steps after the newest value."""
    inputs = Adaptive(widths="seasonal")
    state = inputs.start(Grid(horizon, periods), 1)
    _, state = inputs.advance(state, np.asarray(values, float)[None, :, None])
    return inputs.widths_of(inputs.known(state))


def test_nights_get_narrow_intervals_and_noons_wide_ones():
    width = widths(lc.LSTMForecaster(horizon=DAY).predict(hourly(cloudy_noons(60))))
    night, noon = width[[0, 1, 2, 22, 23]].mean(), width[10:15].mean()
    assert noon > 3 * night


def test_beyond_the_head_the_phases_keep_their_widths():
    width = widths(lc.LSTMForecaster(horizon=72).predict(hourly(cloudy_noons(60))))
    for day in range(3):
        own = width[day * DAY : (day + 1) * DAY]
        assert own[10:15].mean() > 2.5 * own[[0, 1, 2, 22, 23]].mean()


def test_the_median_is_not_moved():
    values = cloudy_noons(40)[None, :, None]
    seen = {}
    for kind in ("even", "seasonal"):
        inputs = Adaptive(widths=kind)
        seen[kind], _ = inputs.advance(inputs.start(Grid(DAY, (DAY,)), 1), values)
    assert np.array_equal(seen["even"].x_BTC, seen["seasonal"].x_BTC)
    assert np.array_equal(seen["even"].known.scale, seen["seasonal"].known.scale)


def test_a_phase_is_as_wide_as_its_changes_are_beside_the_mean_of_all():
    change_BT = np.ones((1, 200 * DAY))
    change_BT[:, 12::DAY] = 3.0
    width_BTH, _ = read_widths(start_widths(1, DAY), change_BT, DAY)
    mean = (23 * 1.0 + 3.0) / DAY
    noon = 0.25 * (1 + 1) + 0.5 * 3.0  # averaged with its neighbours
    # a prior of five seasons beside about 43, as many as decay leaves
    assert width_BTH[0, -1, 12] == pytest.approx((noon / mean) ** POWER, rel=0.07)
    assert width_BTH[0, -1, 0] == pytest.approx((1 / mean) ** POWER, rel=0.02)


def test_widths_stay_within_bounds():
    change_BT = np.full((1, 100 * DAY), 1e-9)
    change_BT[:, 12::DAY] = 1e9
    width_BTH, _ = read_widths(start_widths(1, DAY), change_BT, DAY)
    assert width_BTH.min() >= LEAST**POWER
    assert width_BTH.max() <= MOST**POWER


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(500),
        np.full(500, np.nan),
        np.ones(3),
        np.where(np.arange(500) < 470, np.nan, 1.0),
    ],
    ids=["constant", "nothing known", "three values", "a day known"],
)
def test_without_changes_all_phases_are_alike(values):
    assert np.array_equal(widths_ahead(values), np.ones((1, DAY)))


def test_phases_that_are_never_observed_are_like_the_mean():
    values = cloudy_noons(60)
    values[np.arange(len(values)) % DAY < 6] = np.nan
    ahead = widths_ahead(values)[0]
    assert ahead[2] == pytest.approx(1.0, abs=0.01)
    assert ahead[12] > 1.2


@pytest.mark.parametrize("periods", [(), (7,), (12,), (4,)])
def test_short_seasons_have_one_width(periods):
    assert widths_ahead(cloudy_noons(30), periods=periods) is None


def test_networks_that_are_trained_learn_their_widths_themselves():
    assert shipped().config.inputs.widths == "seasonal"
    training = TrainingConfig(epochs=1, refit=False)
    model = lc.LSTMForecaster(horizon=3, training=training).fit(hourly(cloudy_noons(6)))
    assert model.model.network.config.inputs.widths == "even"
