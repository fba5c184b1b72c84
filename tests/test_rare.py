"""A single event, such as one failed month in six years, does not decide how wide intervals are."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.rare import (
    events,
    first_change,
    lasting_shift,
    outgrown,
    over_since,
)


def sales(count, season=0.2, seed=1):
    t, noise = np.arange(count), np.random.default_rng(seed).normal(0, 0.03, count)
    return (100 + 0.3 * t) * (1 + season * np.sin(2 * np.pi * t / 12)) * np.exp(noise)


def changed(values, *at, times=0.3):
    values = values.copy()
    values[list(at)] *= times
    return values


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (sales(96), []),
        (changed(sales(96), 82), [82]),
        (changed(sales(96), 82, times=0), [82]),
        (changed(sales(96), 50, times=4), [50]),
        (changed(sales(96), 50, 71), [50, 71]),
        (changed(sales(96), 40, 50, 71), []),  # more than one in forty
        # over since, as the next change is an ordinary one
        (changed(sales(96), 93), [93]),
        (changed(sales(96), 94, 95), []),  # perhaps a new level
        (changed(sales(96), 95), []),
        (changed(sales(96), *range(60, 96)), []),  # a level
        (changed(sales(30), 20), []),  # one in thirty
        (np.full(60, 7.0), []),
        (np.full(60, np.nan), []),
    ],
)
def test_an_event_is_unlike_all_others_and_over(values, found):
    assert np.flatnonzero(events(values, 12)).tolist() == found


@pytest.mark.parametrize(("at", "times"), [(46, 0.5), (46, 0), (52, 3.0), (55, 0.2)])
def test_intervals_are_as_wide_as_without_an_event(at, times):
    model = lc.LSTMForecaster(12)

    def widths(values):
        panel = lc.Panel.from_arrays(values, frequency="MS", start="2015-01")
        quantiles = model.predict(panel).quantiles[0]
        return quantiles[:, -1] - quantiles[:, 0]

    with_event = widths(changed(sales(60), at, times=times)) / widths(sales(60))
    assert with_event.max() < 1.8  # more than 4 where the event is a held-out value


# ---------------------------------------------------------------- levels that have lasted


def levels(before, after, spread=0.05, low=5.0, high=50.0, seed=0):
    """A level, then another one, with noise as ratios."""
    noise = np.random.default_rng(seed).normal(0, spread, before + after)
    return np.repeat([low, high], [before, after]) * np.exp(noise)


def with_holes(values, *places):
    values = np.append(np.nan, values)
    values[list(places)] = np.nan
    return values


@pytest.mark.parametrize(
    ("values", "season", "found"),
    [
        (levels(48, 12), 12, 48),
        (levels(48, 12), 1, 48),
        (levels(48, 12, low=50, high=20), 12, 48),
        (levels(48, 12) - 60, 12, 48),  # below 0
        (with_holes(levels(48, 12), 20, 55), 12, 49),
        (levels(48, 11), 12, None),  # it has not lasted a cycle
        (levels(48, 7), 1, None),
        (levels(48, 12, high=5.5), 12, None),  # noise
        (np.tile(levels(12, 12), 4), 1, None),  # it comes again
        (np.append(levels(30, 12), np.full(12, 500.0)), 12, None),  # stairs
        (np.append(levels(30, 12), levels(12, 0)), 12, None),  # it is over
        (np.cumsum(np.random.default_rng(0).normal(size=200)), 7, None),
        (levels(48, 12, spread=0), 12, None),
        (np.full(60, np.nan), 12, None),
        (levels(20, 12), 12, None),  # short
    ],
)
def test_one_shift_that_has_lasted_is_found(values, season, found):
    assert lasting_shift(values, season) == found


@pytest.mark.parametrize(
    ("frequency", "before", "after"), [("MS", 48, 24), ("D", 140, 60)]
)
def test_intervals_are_those_of_the_new_level(frequency, before, after):
    values = levels(before, after + 12)
    panel = lc.Panel.from_arrays(values[:-12], frequency=frequency, start="2015-01-01")
    low, *_, high = np.moveaxis(lc.LSTMForecaster(12).predict(panel).quantiles[0], 1, 0)
    assert low.min() > 30 and high.max() < 80
    assert ((low <= values[-12:]) & (values[-12:] <= high)).mean() > 0.9


# ---------------------------------------------------------------- plunges that are over


@pytest.mark.parametrize(
    ("values", "season", "found"),
    [
        (sales(96), 12, []),
        (changed(sales(96), *range(50, 60), times=0.2), 12, [*range(50, 60)]),
        (changed(sales(96), *range(50, 60), times=4), 12, [*range(50, 60)]),
        (changed(sales(96), *range(90, 96), times=0.2), 12, []),  # it is not over
        (levels(60, 36), 12, []),  # a level that there was before
        (np.exp(np.arange(80) / 9), 1, []),  # growth
        (
            with_holes(changed(sales(96), *range(50, 60), times=0.2), 54),
            12,
            [*range(51, 61)],
        ),
        (changed(sales(96), *range(50, 60), times=0.2) - 200, 12, [*range(50, 60)]),
        # just over, and within the newest cycle
        (changed(sales(96), *range(84, 92), times=0.2), 12, [*range(84, 92)]),
        (changed(sales(96), *range(84, 94), times=0.2), 12, []),  # perhaps not over
        (np.full(60, np.nan), 12, []),
    ],
)
def test_plunges_that_are_over_are_found(values, season, found):
    assert np.flatnonzero(over_since(values, season)).tolist() == found


def test_after_a_strike_intervals_reach_no_further_up_than_before():
    days = np.arange(372)
    noise = np.random.default_rng(0).normal(0, 0.05, 372)
    values = 100 * (1 + 0.3 * np.sin(2 * np.pi * days / 7)) * np.exp(noise)
    strike = lc.Panel.from_arrays(
        changed(values, *range(330, 345), times=0.1), frequency="D", start="2023-01-01"
    )
    forecast = lc.LSTMForecaster(28).predict(strike)
    assert forecast.interval(95).upper.max() < 250


# ---------------------------------------------------------------- errors that are no longer made


def test_errors_of_another_time_are_outgrown():
    errors = np.ones((24, 12))
    assert not outgrown(errors, newest=8).any()
    errors[14] = 3.0
    errors[20, 4] = 2.5
    found = outgrown(errors, newest=8)
    assert found[14].all()
    assert np.argwhere(np.delete(found, 14, axis=0)).tolist() == [[19, 4]]
    errors[:8] = 0.0  # nothing is known of other values
    assert not outgrown(errors, newest=8).any()


def test_few_cutoffs_outgrow_nothing():
    errors = np.r_[np.full((4, 3), np.nan), np.ones((4, 3)), np.full((4, 3), 9.0)]
    assert not outgrown(errors, newest=8).any()


@pytest.mark.parametrize(
    ("values", "found"),
    [([0, 0, 5, 0], 2), ([np.nan, 0, np.nan, 5], 3), ([4, 4], 0), ([np.nan], 0)],
)
def test_nothing_is_measured_before_values_differ(values, found):
    assert first_change(np.array(values, float)) == found


def test_a_new_level_with_a_new_season_has_its_own_intervals():
    days, noise = np.arange(365), np.random.default_rng(4).normal(0, 0.06, 365)
    before = 50 * np.array([1, 1, 1, 1, 1.4, 2, 0.5])[days % 7]
    now = 150 * np.array([2, 0.5, 1, 1, 1, 0.6, 1])[days % 7]
    values = np.where(days < 250, before, now) * np.exp(noise)
    panel = lc.Panel.from_arrays(values, frequency="D", start="2023-01-01")
    _, lower, upper = lc.LSTMForecaster(28).predict(panel).interval(95)
    true_width = 4 * 0.06 * now.mean()
    assert (upper - lower).mean() < 6 * true_width  # 15 with all cutoffs


def test_intervals_after_a_launch_are_as_wide_as_its_errors():
    sold = np.random.default_rng(5).poisson(30, 58).astype(float)
    values = np.r_[np.zeros(170), sold]
    panel = lc.Panel.from_arrays(values[:200], frequency="D", start="2024-01-01")
    _, lower, upper = lc.LSTMForecaster(28).predict(panel).interval(80)
    actual = values[200:]
    assert ((lower <= actual) & (actual <= upper)).mean() > 0.6
