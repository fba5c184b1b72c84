"""The generator of series: shapes, seeds, kinds, seasons and missing values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstmcast.data.synthetic import KINDS, Kind, draw_periods, synthetic, with_missing
from lstmcast.data.times.frequency import FAMILIES

EVERY_KIND = [
    (kind, periods) for kind in KINDS for periods in dict.fromkeys(kind.periods)
]
MONTHLY = next(kind for kind in KINDS if kind.family == "monthly")


def made(seed, count, length, kind, periods):
    return synthetic(np.random.default_rng(seed), count, length, kind, periods)


@pytest.mark.parametrize(
    ("kind", "periods"),
    EVERY_KIND,
    ids=[f"{kind.family} {m}" for kind, m in EVERY_KIND],
)
def test_every_kind_makes_finite_series_of_the_shape_asked_for(kind, periods):
    for length in (1, 2, kind.lengths[0], 150):
        values = made(0, 40, length, kind, periods)
        assert values.shape == (40, length) and values.dtype == np.float64
        assert np.isfinite(values).all()
    assert len(np.unique(values.round(9), axis=0)) > 35  # no two alike


def test_the_families_are_those_of_frequencies():
    assert tuple(kind.family for kind in KINDS) == FAMILIES


def test_the_seed_decides_everything():
    np.testing.assert_array_equal(
        made(1, 20, 60, MONTHLY, (12,)), made(1, 20, 60, MONTHLY, (12,))
    )
    assert (
        made(1, 20, 60, MONTHLY, (12,)) != made(2, 20, 60, MONTHLY, (12,))
    ).mean() > 0.9


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.family)
def test_series_that_shall_be_positive_are(kind):
    assert (made(3, 200, 80, replace(kind, positive=1.0), kind.periods[0]) > 0).all()


def test_the_share_of_positive_series_is_about_what_the_kind_says():
    positive = (
        (made(4, 2000, 60, replace(MONTHLY, positive=0.5), (12,)) > 0)
        .all(axis=1)
        .mean()
    )
    # series that may be negative are sometimes positive all the same
    assert 0.5 <= positive < 0.75


def test_some_series_are_counts():
    values = made(5, 500, 60, replace(MONTHLY, positive=0.0), (12,))
    whole = (values == np.rint(values)).all(axis=1)
    assert 0.2 < whole.mean() < 0.4
    assert (values[whole] >= 0).all() and (values[whole] == 0).any()


def seasonal_strength(values, m):
    """Correlation of each series' changes over a step with those a cycle before: the median of
    all."""
    changes = np.diff(values, axis=1)
    changes = changes - changes.mean(axis=1, keepdims=True)
    before, after = changes[:, :-m], changes[:, m:]
    norm = np.sqrt((before**2).sum(axis=1) * (after**2).sum(axis=1))
    return np.median((before * after).sum(axis=1) / np.maximum(norm, 1e-12))


@pytest.mark.parametrize("m", [4, 7, 12, 24])
def test_series_have_seasons_when_asked(m):
    def strength(chance):
        kind = Kind("other", ((m,),), 0.004, 0.3, 0.02, chance, (24, 256), 1.0)
        return seasonal_strength(made(6, 300, 12 * m, kind, (m,)), m)

    assert strength(1.0) > 0.4
    assert abs(strength(0.0)) < 0.1


def test_hourly_series_differ_between_working_days_and_days_off():
    kind = replace(KINDS[5], season=1.0, positive=1.0)
    values = np.log(made(7, 150, 24 * 7 * 6, kind, (24, 168)))
    assert seasonal_strength(values, 168) > seasonal_strength(values, 72) + 0.05


def test_a_series_may_have_no_period_at_all():
    for periods in ((), (1,)):
        assert np.isfinite(made(8, 5, 30, MONTHLY, periods)).all()


def test_periods_are_drawn_from_those_of_the_kind():
    rng = np.random.default_rng(9)
    for kind in KINDS:
        assert {draw_periods(rng, kind) for _ in range(200)} == set(kind.periods)


def test_missing_values_come_in_that_share_of_the_series():
    values = np.arange(400 * 60.0).reshape(400, 60)
    lacking = with_missing(np.random.default_rng(10), values, share=0.5)
    missing = np.isnan(lacking)
    np.testing.assert_array_equal(lacking[~missing], values[~missing])
    assert 0.35 < missing.any(axis=1).mean() <= 0.55
    assert not missing.all(axis=1).any()
    assert not np.isnan(
        with_missing(np.random.default_rng(10), values, share=0.0)
    ).any()
    assert not np.isnan(values).any()
