"""The axis on which adaptive inputs read a series."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.context import Blocks
from lstmcast.data.examples import airline
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader, decode
from lstmcast.decoding.along import read_every_step
from lstmcast.model.inputs.axis import (
    LINEAR,
    LOG,
    ROOT,
    axis_in_force,
    decided,
    from_axis,
    reading_axis,
    to_axis,
)
from lstmcast.streaming.stream import Stream

AIRLINE = np.asarray(airline().series(0))
DAYS = np.arange(400)


def noise(spread, count=400, seed=0):
    return np.random.default_rng(seed).normal(0, spread, count)


def axis_of(values, periods=()):
    return int(reading_axis(np.asarray(values, float)[None], periods)[0])


def edited(values, places, value):
    values = np.array(values, float)
    values[places] = value
    return values


SALES = 200 * np.exp(noise(0.2)) * (1 + 0.2 * np.sin(2 * np.pi * DAYS / 7))
DEMAND = np.random.default_rng(1).poisson(0.8, 400)
CASES = {
    "growth": (1.05 ** np.arange(100) * np.exp(noise(0.05, 100)), LOG),
    "decay": (1000 * 0.93 ** np.arange(90) * np.exp(noise(0.05, 90)), LOG),
    "sales": (SALES, LOG),
    "airline": (AIRLINE, LOG),
    "an old zero": (edited(AIRLINE, 3, 0), LOG),
    "a zero at the end": (edited(AIRLINE, -1, 0), LOG),
    "zeros before the first sale": (np.append(np.zeros(300), SALES[:90]), LOG),
    "a closed week that is over": (edited(SALES, slice(200, 207), 0), LOG),
    "near-zero days": (edited(SALES, [30, 150, 151, 260], 1), LOG),
    "a code for missing": (edited(SALES, 250, -9999), LOG),
    "out of stock once, for long": (edited(SALES, slice(100, 160), 0), LOG),
    "closed in two seasons": (
        edited(SALES, [*range(100, 160), *range(300, 360)], 0),
        ROOT,
    ),
    "closed for the first time": (edited(SALES, slice(-2, None), 0), ROOT),
    "closed on one day a week, lately": (edited(SALES, [-22, -15, -8, -1], 0), ROOT),
    "demand": (DEMAND, ROOT),
    "nothing was sold yet": (np.zeros(20), ROOT),
    "an account that is spent": (100 - 1.65 * np.arange(60) + noise(1, 60), LINEAR),
    "a straight line": (np.arange(40.0, 0, -1), LINEAR),
    "degrees": (10 * np.sin(DAYS / 30) + noise(1), LINEAR),
    "degrees above 0, at the end close to it": (
        11.5 + 10 * np.cos(np.arange(380) / 30) + noise(1, 380) / 3,
        LINEAR,
    ),
    "two negative values in a row": (edited(SALES, [-2, -1], -100), LINEAR),
    "nearly flat": (1000 + noise(0.5), LINEAR),
    "constant": (np.full(30, 7.0), LOG),
    "one value": (np.array([3.0]), LOG),
}


@pytest.mark.parametrize("values, axis", CASES.values(), ids=CASES)
def test_the_axis_is_that_of_what_a_series_is_like(values, axis):
    assert axis_of(values, (7,)) == axis


@pytest.mark.parametrize("values, axis", CASES.values(), ids=CASES)
@pytest.mark.parametrize("factor", [1e-300, 0.37, 1e300])
def test_a_factor_does_not_change_it(values, axis, factor):
    assert axis_of(values * factor, (7,)) == axis


def test_missing_values_and_those_before_the_beginning_do_not_change_it():
    for values, axis in CASES.values():
        gaps = np.full(3 * len(values), np.nan)
        gaps[1::3] = values
        assert axis_of(np.append(np.full(50, np.nan), gaps)) == axis_of(values)
        assert axis_of(np.append(np.full(50, np.nan), values), (7,)) == axis


def test_a_head_that_is_not_affine_reads_values_as_they_are():
    assert reading_axis(SALES[None], (7,), affine=False).tolist() == [LINEAR]


@pytest.mark.parametrize("kind", ["real", None])
def test_values_that_are_declared_to_be_anything_are_not_read_as_square_roots(kind):
    values = DEMAND[:60].astype(float)
    panel = lc.Panel.from_arrays(values, frequency="D", start="2020-01-01", kind=kind)
    low = lc.LSTMForecaster(6).predict(panel).quantiles.min()
    assert (low < 0) == (kind == "real")
    stream = Stream(lc.LSTMForecaster(6), panel)
    expected = decode(
        Reader(lc.LSTMForecaster(6).network),
        panel,
        Origins(np.array([0]), np.array([60])),
        6,
    )
    np.testing.assert_allclose(stream.quantiles(6), expected, rtol=1e-5, atol=1e-6)


def test_the_axis_is_held_between_choices_but_for_values_without_logarithms():
    counts = np.arange(2000)
    held = decided(counts)
    assert (held <= counts).all() and (held[:16] == counts[:16]).all()
    assert len(np.unique(held)) < 80 and (counts - held <= counts / 8).all()
    falling = np.append(np.linspace(60, 1, 129), [-0.5, -1.5])
    for stop, axis in ((128, LINEAR), (130, LINEAR)):
        assert axis_in_force(falling[None, :stop], np.array([stop]), ())[0] == axis
    closed = edited(SALES[:131], slice(-3, None), 0)
    axes = [
        axis_in_force(closed[None, :n], np.array([n]), (7,))[0] for n in range(128, 132)
    ]
    assert axes == [LOG, LOG, ROOT, ROOT]


@pytest.mark.parametrize("axis", [LINEAR, LOG, ROOT])
def test_what_an_axis_cannot_read_is_missing_there(axis):
    z = to_axis(np.array([[4.0, 0.0, -1.0]]), axis == LOG, axis == ROOT)
    assert (
        np.isnan(z[0]).tolist()
        == {
            LINEAR: [False, False, False],
            LOG: [False, True, True],
            ROOT: [False, False, True],
        }[axis]
    )
    known = ~np.isnan(z[0])
    back = from_axis(z, axis == LOG, axis == ROOT)[0]
    np.testing.assert_allclose(back[known], np.array([4.0, 0.0, -1.0])[known])


# ---------------------------------------------------------------- what forecasts are like


def forecast(values, horizon=12, frequency="MS"):
    panel = lc.Panel.from_arrays(values, frequency=frequency, start="2000-01-01")
    return lc.LSTMForecaster(horizon).predict(panel)


@pytest.mark.parametrize(
    "places", [0, slice(0, 24), 60], ids=["first", "leading", "one"]
)
def test_a_zero_that_does_not_matter_changes_next_to_nothing(places):
    clean = forecast(AIRLINE).point
    np.testing.assert_allclose(
        forecast(edited(AIRLINE, places, 0)).point, clean, rtol=0.05
    )


def test_an_account_that_is_spent_is_forecast_below_0():
    spent = 100 - 1.65 * np.arange(84) + noise(1, 84, 1)
    one = forecast(spent[:60], 24, "D").point[0]
    other = forecast(spent[:60] + 1000, 24, "D").point[0] - 1000
    assert np.abs(one - spent[60:]).mean() < 3 * np.abs(other - spent[60:]).mean()


@pytest.mark.parametrize("factor", [4.0, 1e-9, 12345.678])
def test_square_roots_follow_a_factor(factor):
    panel = lc.Panel.from_arrays(
        DEMAND.astype(float), frequency="D", start="2020-01-01"
    )
    scaled = lc.Panel.from_arrays(factor * DEMAND, frequency="D", start="2020-01-01")
    one, other = (
        lc.LSTMForecaster(9).predict(each).quantiles for each in (panel, scaled)
    )
    np.testing.assert_allclose(other / factor, one, rtol=1e-3, atol=1e-4)
    assert (one >= 0).all()


def network_answers(values, counts):
    """The shipped network's own quantiles after so many values."""
    panel = lc.Panel.from_arrays(values, frequency="D", start="2020-01-01")
    series = np.zeros(len(counts), np.int64)
    return decode(
        Reader(lc.LSTMForecaster(6).network), panel, Origins(series, counts), 6
    )


@pytest.mark.parametrize("after", [0.0, -50.0, 1e7, np.nan])
def test_nothing_later_changes_axis_surprises_or_own_past(after):
    for name in ("an old zero", "demand", "an account that is spent", "near-zero days"):
        values = np.asarray(CASES[name][0], float)
        counts = np.array([20, 33, 52, 60])
        expected = network_answers(values, counts)
        for place, count in enumerate(counts):
            changed = edited(values, slice(count, None), after)
            alone = network_answers(changed, counts[[place]])[0]
            np.testing.assert_allclose(alone, expected[place], rtol=1e-5, atol=1e-6)


def test_a_stream_reads_on_the_axis_that_predict_chooses():
    late = np.concatenate([SALES[:70], np.zeros(30), SALES[:40], [-5.0, -6.0, 3.0]])
    late = edited(late, [10, 20, 30], 0)
    stream = Stream(lc.LSTMForecaster(6), ["a"], frequency="D")
    for count, value in enumerate(late, 1):
        stream.observe([value])
        if count % 7 == 0 or count > 138:
            expected = network_answers(late, np.array([count]))
            np.testing.assert_allclose(
                stream.quantiles(6), expected, rtol=1e-5, atol=1e-6
            )


def test_series_of_zeros_are_read_where_no_origin_lies_in_the_first_chunk():
    values = np.random.default_rng(0).poisson(0.7, 500).astype(float)
    panel = Panel.from_arrays({"sold": values}, start="2024-01-01", frequency="D")
    late = Origins(np.zeros(20, np.int64), np.arange(470, 490))
    everything = Origins(np.zeros(490, np.int64), np.arange(1, 491))
    reader = Reader(
        lc.LSTMForecaster(horizon=1).model.network, context=Blocks.of(panel.periods)
    )
    answers = read_every_step(reader, panel, late)
    np.testing.assert_allclose(
        answers, read_every_step(reader, panel, everything)[469:489], atol=1e-5
    )


MONTHS = (
    100 * np.exp(noise(0.05, 72)) * (1 + 0.2 * np.sin(2 * np.pi * np.arange(72) / 12))
)
CLOSED_AUGUST = edited(MONTHS, np.arange(7, 72, 12), 0)
CLOSED_HOURS = edited(
    SALES, np.concatenate([np.arange(2, 400, 24), np.arange(3, 400, 24)]), 0
)


@pytest.mark.parametrize(
    ("values", "period"), [(CLOSED_AUGUST, 12), (CLOSED_HOURS, 24)]
)
def test_zeros_of_the_same_step_of_every_cycle_are_a_habit(values, period):
    assert np.mean(values == 0) < 0.1
    assert axis_of(values, (period,)) == ROOT
    assert axis_of(values) == LOG
    once_open = edited(values, np.flatnonzero(values == 0)[3], 50)
    assert axis_of(once_open, (period,)) == (LOG if period == 12 else ROOT)


@pytest.mark.parametrize("seed", range(5))
def test_a_few_zeros_at_any_step_are_no_habit(seed):
    places = np.random.default_rng(seed).choice(60, 5, replace=False)
    assert axis_of(edited(MONTHS, places, 0), (12,)) == LOG


def test_a_month_that_is_always_closed_is_forecast_so():
    panel = Panel.from_arrays(CLOSED_AUGUST, frequency="MS", start="2018-01-01")
    point = np.asarray(lc.LSTMForecaster(24).predict(panel).point).ravel()
    assert (point[[7, 19]] < 1).all() and (np.delete(point, [7, 19]) > 50).all()


@pytest.mark.parametrize("slope", [0.3, 1.65, 5])
def test_a_straight_line_is_continued_below_0_as_well_as_far_above_it(slope):
    errors = {0: [], 1000: []}
    for seed in range(4):
        noise = np.random.default_rng(seed).normal(0, 1, 84)
        line = 61 * slope - slope * np.arange(84) + noise
        for added, of_seeds in errors.items():
            panel = Panel.from_arrays(
                line[:60] + added, frequency="D", start="2024-01-01"
            )
            point = lc.LSTMForecaster(24).predict(panel).point[0] - added
            of_seeds.append(np.abs(point - line[60:]).mean())
    assert np.mean(errors[0]) < 1.6 * np.mean(errors[1000])


def positive(count=200):
    return 100 + np.random.default_rng(0).normal(0, 2, count)


@pytest.mark.parametrize("code", [-99.0, -999.0, -9999.0])
@pytest.mark.parametrize(
    "places", [slice(-3, None), slice(100, 130), slice(3, None, 17)]
)
def test_codes_for_missing_values_are_no_values_below_0(code, places):
    values = positive()
    values[places] = code
    assert reading_axis(values[None]).tolist() == [LOG]
    assert reading_axis(-values[None]).tolist() == [LINEAR]
    low = positive() - 100  # where others are below 0, -99 may be a value
    low[places] = code
    assert reading_axis(low[None]).tolist() == [LINEAR]


def test_a_stray_value_is_far_in_changes_that_are_usual_near_it():
    values = np.array(airline().values)
    values[3] = -1
    assert reading_axis(values[None], (12,)).tolist() == [LOG]


@pytest.mark.parametrize("newest", [[386, 388], [386, 387], [380, 388]])
def test_a_product_that_hardly_ever_sells_is_no_outage(newest):
    """Nearly all of its values are one run of zeros, and what is left is too little to be level."""
    sold = np.zeros(391)
    sold[[3, 5, 8]] = 1
    sold[newest] = 1, 2
    assert reading_axis(sold[None], (7,)).tolist() == [ROOT]
    panel = Panel.from_arrays(sold, frequency="D", start="2024-01-01", kind="count")
    forecast = lc.LSTMForecaster(28, method="network").predict(panel)
    assert (forecast.point == 0).all()


def test_a_shop_that_was_closed_for_most_of_its_history_is_read_as_before():
    days = np.arange(360)
    sold = 100 * np.exp(0.1 * np.sin(days) + noise(0.1, 360))
    sold[100:300] = 0
    assert reading_axis(sold[None], (7,)).tolist() == [LOG]


@pytest.mark.parametrize("closed", [slice(300, 301), slice(300, 312)])
def test_dropping_to_0_is_not_coming_near_it(closed):
    """Single zeros and an outage do not make a small gain of the linear axis count."""
    hours = np.arange(1440)
    noise = np.random.default_rng(0).normal(0, 0.05, 1440)
    load = (50 + 30 * np.sin(hours * np.pi / 12)) * np.exp(noise)
    expected = reading_axis(load[None], (24, 168)).tolist()
    load[closed] = 0
    assert reading_axis(load[None], (24, 168)).tolist() == expected
