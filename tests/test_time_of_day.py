"""The regression for each time of day: what it learns of known columns, and what it may not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.features import Covariates
from lstmcast.data.origins import Origins
from lstmcast.evaluation.candidates import candidates_of
from lstmcast.evaluation.time_of_day import TimeOfDay

NAME = "regression by time of day"
DAYS = 70


def load(days=DAYS, seed=0, size=100.0, frequency="h"):
    """A load that the temperature moves at one hour alone, known for three days more."""
    rng = np.random.default_rng(seed)
    day = {"h": 24, "30min": 48}[frequency]
    steps = np.arange((days + 3) * day)
    hours = steps % day * 24 / day
    warm = np.repeat(rng.normal(0, 1, days + 3), day) + rng.normal(0, 0.3, len(steps))
    at_noon = np.exp(-((hours - 12) ** 2))
    shape = 1 + 0.4 * np.sin(2 * np.pi * (hours - 6) / 24)
    values = (
        size * shape * np.exp(0.3 * at_noon * warm + rng.normal(0, 0.01, len(steps)))
    )
    return values, warm


def panel_of(values, warm, days=DAYS, frequency="h", **more):
    day = {"h": 24, "30min": 48}[frequency]
    return lc.Panel.from_arrays(
        {"load": values[: days * day]},
        frequency=frequency,
        start="2024-01-01",
        future={"warm": warm, **more},
    )


def points(panel, counts, horizon=24, day=24):
    origins = Origins(np.zeros(len(counts), np.int64), np.array(counts))
    return TimeOfDay(day).points(panel, origins, horizon)


def names(panel):
    return [candidate.name for candidate in candidates_of(panel)]


@pytest.mark.parametrize("frequency", ["h", "30min"])
@pytest.mark.parametrize("size", [1e-200, 100.0, 1e200])
def test_each_time_of_day_has_an_effect_of_its_own(frequency, size):
    values, warm = load(size=size, frequency=frequency)
    day = len(values) // (DAYS + 3)
    panel = panel_of(values, warm, frequency=frequency)
    answer = points(panel, [DAYS * day], horizon=2 * day, day=day)
    actual = values[DAYS * day : (DAYS + 2) * day]
    np.testing.assert_allclose(answer[0], actual, rtol=0.12)


def test_values_of_any_sign_are_read_as_they_are():
    values, warm = load()
    panel = panel_of(values - 90, warm)
    answer = points(panel, [DAYS * 24])
    assert np.abs(answer[0] - (values - 90)[DAYS * 24 :][:24]).mean() < 4


def test_it_is_a_part_of_the_forecast_that_it_makes_better():
    values, warm = load()
    panel = panel_of(values, warm)
    cutoffs = 24 * np.arange(60, DAYS)
    forecast = lc.LSTMForecaster(horizon=24).predict(panel, cutoffs=cutoffs[None])
    assert forecast.combination.as_dict()[NAME] > 0.5
    actual = values[cutoffs[:, None] + np.arange(24)]
    alone = lc.LSTMForecaster(horizon=24, method="network").predict(
        panel, cutoffs=cutoffs[None]
    )
    assert (
        np.abs(forecast.point - actual).mean()
        < 0.7 * np.abs(alone.point - actual).mean()
    )


def test_it_can_be_asked_for_alone():
    values, warm = load()
    panel = panel_of(values, warm)
    forecast = lc.LSTMForecaster(horizon=24, method=NAME).predict(panel)
    np.testing.assert_allclose(forecast.point, points(panel, [DAYS * 24]), rtol=0.05)


def test_series_without_known_columns_or_parts_of_a_day_have_none():
    values, warm = load()
    panel = panel_of(values, warm)
    assert NAME in names(panel)
    assert NAME not in names(replace(panel, covariates=Covariates()))
    daily = lc.Panel.from_arrays(
        values[:400], frequency="D", start="2024-01-01", future={"warm": warm[:420]}
    )
    assert NAME not in names(daily)
    assert np.isnan(points(replace(panel, covariates=Covariates()), [DAYS * 24])).all()


def test_few_days_are_too_few():
    values, warm = load()
    answer = points(panel_of(values, warm), [33 * 24, 60 * 24])
    assert np.isnan(answer[0]).all()
    assert np.isfinite(answer[1]).all()


@pytest.mark.parametrize("less", [0, 90])
def test_nothing_after_a_cutoff_changes_it(less):
    values, warm = load()
    values = values - less
    cutoff = 60 * 24 + 5
    usual = points(panel_of(values, warm), [cutoff], horizon=30)
    wild, later = values.copy(), warm.copy()
    wild[cutoff:] *= 7
    later[cutoff + 30 :] = 9.0
    again = points(panel_of(wild, later), [cutoff], horizon=30)
    np.testing.assert_array_equal(again, usual)


@pytest.mark.parametrize("horizon", [5, 24, 30])
def test_steps_do_not_depend_on_how_many_are_asked_for(horizon):
    values, warm = load()
    panel = panel_of(values, warm)
    cutoff = 60 * 24 + 5
    many = points(panel, [cutoff], horizon=72)
    np.testing.assert_array_equal(
        points(panel, [cutoff], horizon)[0], many[0, :horizon]
    )


def test_a_forecast_does_not_depend_on_other_cutoffs():
    values, warm = load()
    panel = panel_of(values, warm)
    cutoffs = [60 * 24, 61 * 24, 62 * 24]
    together = points(panel, cutoffs, horizon=30)
    for cutoff, answer in zip(cutoffs, together, strict=True):
        np.testing.assert_array_equal(points(panel, [cutoff], horizon=30)[0], answer)


def test_beyond_a_week_its_own_forecasts_are_read():
    values, warm = load(days=90)
    panel = panel_of(values, warm, days=80)
    answer = points(panel, [80 * 24], horizon=10 * 24)
    actual = values[80 * 24 : 90 * 24]
    np.testing.assert_allclose(answer[0], actual, rtol=0.15)


def test_missing_values_and_gaps_of_columns_are_passed_over():
    rng = np.random.default_rng(3)
    values, warm = load()
    values[: 69 * 24][rng.random(69 * 24) < 0.1] = np.nan
    warm[: DAYS * 24][rng.random(DAYS * 24) < 0.1] = np.nan
    answer = points(panel_of(values, warm), [DAYS * 24])
    actual = load()[0][DAYS * 24 :][:24]
    assert np.abs(answer[0] / actual - 1).mean() < 0.06


def test_spikes_hardly_move_it():
    values, warm = load()
    spiked = values.copy()
    spiked[np.random.default_rng(1).integers(0, 55 * 24, 12)] *= 30
    usual = points(panel_of(values, warm), [DAYS * 24])
    again = points(panel_of(spiked, warm), [DAYS * 24])
    np.testing.assert_allclose(again, usual, rtol=0.05)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_series_has_no_effects(value):
    _, warm = load()
    panel = panel_of(np.full(len(warm), value), warm)
    forecast = lc.LSTMForecaster(horizon=24).predict(panel)
    np.testing.assert_allclose(forecast.point, value, atol=1e-9)


def test_events_are_read_by_the_hour():
    rng = np.random.default_rng(5)
    _, warm = load()
    event = np.repeat((rng.random(DAYS + 3) < 0.3).astype(float), 24)
    event[DAYS * 24 :] = 1.0
    hours = np.arange(len(warm)) % 24
    values = 50 + 30 * event * (hours == 18) + rng.normal(0, 0.5, len(warm))
    answer = points(panel_of(values, warm, event=event), [DAYS * 24])
    assert answer[0, 18] > 72
    assert np.delete(answer[0], 18).max() < 56


def errors(values, count, **columns):
    """Mean absolute errors of three days, of the regression alone, in deviations of the values."""
    day = 4
    panel = lc.Panel.from_arrays(
        values[: count * day], frequency="6h", start="2022-01-01", future=columns
    )
    answer = points(panel, [count * day], horizon=3 * day, day=day)
    actual = values[count * day :][: 3 * day]
    return np.abs(answer[0] - actual).mean() / np.std(values)


def by_day(rng, days):
    """Numbers that change from day to day, and a little within it."""
    return np.repeat(rng.normal(0, 1, days), 4) + rng.normal(0, 0.1, 4 * days)


def test_two_numbers_may_matter_together():
    rng = np.random.default_rng(2)
    load, wind = by_day(rng, 203), by_day(rng, 203)
    values = 100 + 10 * load * wind + rng.normal(0, 0.3, len(load))
    assert errors(values, 200, load=load, wind=wind) < 0.2


def test_a_heat_wave_is_more_than_a_hot_hour():
    rng = np.random.default_rng(4)
    warm = by_day(rng, 303)
    last_days = np.convolve(warm, np.repeat(1 / 4, 4))[: len(warm)]
    before = np.r_[np.zeros(8), last_days[:-8]]
    values = (
        100 + 5 * np.maximum(last_days, 0) + 5 * before + rng.normal(0, 0.3, len(warm))
    )
    assert errors(values, 300, warm=warm) < 0.6


def test_an_effect_may_follow_the_year():
    rng = np.random.default_rng(6)
    days = 900
    warm = by_day(rng, days + 3)
    year = 2 * np.pi * np.arange(len(warm)) / (4 * 365.25)
    values = 100 + 10 * np.cos(year) * warm + rng.normal(0, 0.3, len(warm))
    assert errors(values, days, warm=warm) < 0.4


def test_a_saved_model_goes_on_with_it(tmp_path):
    values, warm = load()
    panel = panel_of(values, warm)
    model = lc.LSTMForecaster(horizon=24)
    model.save(tmp_path / "kept", panel.until([60 * 24]))
    again = lc.load(tmp_path / "kept").predict(panel.since([60 * 24]))
    np.testing.assert_array_equal(again.quantiles, model.predict(panel).quantiles)
