"""Seasons in series as people have them: phases that never come, closed days, shifts, spikes."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.seasonfamilies import families

HORIZON = 24


def expected(z_T, periods, horizon=HORIZON):
    """What the seasons say of the coming steps, at the end of a series on the reading axis."""
    inputs = Adaptive()
    start = inputs.start(Grid(horizon, periods, "", np.zeros(1, bool)), 1)
    seen, _ = inputs.read(start, np.asarray(z_T, float)[None])
    return seen.known.seasonal[0, -1]


def noise(count, size=0.1, seed=0):
    return np.random.default_rng(seed).normal(0, size, count)


OPEN = {
    "no Sundays": (7, range(6), 12),
    "no weekends": (7, range(5), 12),
    "no July and August": (12, (0, 1, 2, 3, 4, 5, 8, 9, 10, 11), 6),
    "ten hours a day": (24, range(8, 18), 20),
    "no nights": (24, range(6, 22), 20),
}


@pytest.mark.parametrize(("m", "open_phases", "cycles"), OPEN.values(), ids=OPEN)
def test_phases_that_never_come_leave_the_others_their_season(m, open_phases, cycles):
    steps = np.arange(m * cycles)
    pattern = np.linspace(-1, 1, m)
    z = 10 + pattern[steps % m] + noise(len(steps))
    z[~np.isin(steps % m, list(open_phases))] = np.nan
    ahead = expected(z, (m,), m)
    own = pattern[list(open_phases)] - pattern[list(open_phases)].mean()
    np.testing.assert_allclose(
        ahead[list(open_phases)] - ahead[list(open_phases)].mean(), own, atol=0.2
    )
    closed = [phase for phase in range(m) if phase not in open_phases]
    assert (ahead[closed] == 0).all()


def test_days_that_never_come_leave_the_hours_of_the_others():
    steps = np.arange(168 * 6)
    hours, days = (
        np.sin(2 * np.pi * np.arange(24) / 24),
        np.array([0, 0.2, 0.4, 0.2, 0, 1, 0]),
    )
    z = hours[steps % 24] + days[steps // 24 % 7] + noise(len(steps), 0.05)
    z[steps // 24 % 7 == 6] = np.nan
    ahead = expected(z, (24, 168), 168)
    told = (hours[steps % 24] + days[steps // 24 % 7])[:144]
    np.testing.assert_allclose(
        ahead[:144] - ahead[:144].mean(), told - told.mean(), atol=0.25
    )


@pytest.mark.parametrize("months", [12, 24, 36])
def test_an_old_level_shift_is_no_season(months):
    z = np.log(np.r_[np.full(60 - months, 5.0), np.full(months, 50.0)])
    assert abs(expected(z, (12,), 12)).max() < 0.06


@pytest.mark.parametrize("closed", [-30.0, 40.0])
def test_single_closed_days_and_spikes_do_not_stay_in_the_season(closed):
    steps = np.arange(7 * 30)
    z = 50 + 3 * np.sin(2 * np.pi * steps / 7) + noise(len(steps), 0.3)
    spiked = z.copy()
    spiked[[100, 163, 190]] += closed
    assert abs(expected(spiked, (7,), 7) - expected(z, (7,), 7)).max() < 1.0


def test_a_season_that_begins_late_is_learned():
    steps = np.arange(7 * 40)
    z = np.where(steps < 7 * 20, 5.0, 5 + np.sin(2 * np.pi * steps / 7)) + noise(
        len(steps), 1e-3
    )
    ahead = expected(z, (7,), 7)
    np.testing.assert_allclose(
        ahead, np.sin(2 * np.pi * (steps[-1] + 1 + np.arange(7)) / 7), atol=0.3
    )


def test_a_pattern_that_changes_is_followed_and_one_that_does_not_is_remembered():
    steps = np.arange(7 * 60)
    rng = np.random.default_rng(3)
    steady = np.resize(rng.normal(size=7), len(steps)) + noise(len(steps), 0.8)
    pattern = np.resize(np.linspace(-1, 1, 7), len(steps))
    changing = pattern * np.linspace(0, 6, len(steps)) + noise(len(steps), 0.02)
    one, other = (expected(z, (7,), 7) for z in (steady, changing))
    np.testing.assert_allclose(other, np.linspace(-6, 6, 7), atol=0.9)
    assert abs(one - (steady[:7] - noise(len(steps), 0.8)[:7])).mean() < 0.5


def test_the_weekend_does_not_carry_into_monday():
    steps = np.arange(168 * 8)
    weekend = steps // 24 % 7 >= 5
    hours = np.where(steps % 24 >= 8, 1.0, 0.0)
    z = np.where(weekend, 0.2 * hours, 3 * hours) + noise(len(steps), 0.05)
    monday = expected(z, (24, 168), 24)  # the last day read is a Sunday
    assert monday[12] - monday[3] == pytest.approx(3.0, abs=0.5)


def test_periods_that_divide_each_other_share_a_family():
    assert [family.periods for family in families((4, 12))] == [(4, 12)]
    assert [family.periods for family in families((7, 30))] == [(7,), (30,)]
    assert families((24, 168))[0].lags == (4, 24)


@pytest.mark.parametrize("period", [12, 24, 52])
def test_what_alternates_is_a_season_of_every_frequency(period):
    """The changes over a sixth of a period say nothing of it."""
    z = np.where(np.arange(4 * period) % 2, 1.0, -1.0) + noise(4 * period, 0.05)
    told = expected(z, (period,), 4)
    np.testing.assert_allclose(told, [-1, 1, -1, 1], atol=0.2)
