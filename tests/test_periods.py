"""Periods that series show themselves: found where they are clear, never where they are not."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.model.inputs.periods import (
    looked_at,
    may_differ,
    own_period,
    periods_in_force,
)


def season(m, count, seed=0, noise=0.1, growth=0.0):
    """A positive series of period m."""
    rng = np.random.default_rng(seed)
    pattern, steps = rng.normal(size=m), np.arange(count)
    return np.exp(
        3 + growth * steps + 0.4 * pattern[steps % m] + noise * rng.normal(size=count)
    )


def walk(count, seed=0):
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=count))


@pytest.mark.parametrize("m", [3, 7, 12, 23, 48])
def test_a_clear_period_is_found_where_none_is_usual(m):
    assert own_period(season(m, 9 * m + 20, noise=0.03)[None])[0] == m


@pytest.mark.parametrize("growth", [0.0, 0.01, -0.02])
def test_a_trend_hides_no_period(growth):
    assert own_period(season(12, 144, growth=growth)[None])[0] == 12


@pytest.mark.parametrize("m", [16, 17, 23, 25, 36])
def test_a_clear_period_takes_the_place_of_the_usual_one(m):
    assert own_period(season(m, 400, noise=0.02)[None], usual_period=24)[0] == m


def test_the_usual_period_is_kept():
    both = np.stack([season(24, 400, seed) for seed in range(20)])
    assert (own_period(both, usual_period=24) == 0).all()


@pytest.mark.parametrize("usual", [0, 7, 24])
def test_series_without_a_period_show_none(usual):
    rng = np.random.default_rng(1)
    noise = 50 + rng.normal(size=(100, 300))
    walks = np.stack([walk(300, seed) for seed in range(100)])
    growth = np.exp(np.cumsum(rng.normal(0.01, 0.02, (100, 300)), axis=1))
    counts = rng.poisson(0.7, (100, 300)).astype(float)
    for series in (noise, walks, growth, counts, np.full((3, 300), 5.0)):
        assert (own_period(series, usual) > 0).mean() <= 0.02


def test_a_period_of_one_half_alone_is_none():
    z = np.concatenate([walk(150), season(10, 150, noise=0.01)])
    assert own_period(z[None])[0] == 0


def test_missing_values_and_spikes_do_no_harm():
    z = season(23, 400, noise=0.02)
    z[np.random.default_rng(2).random(400) < 0.1] = np.nan
    z[200] *= 1000
    assert own_period(z[None], usual_period=24)[0] == 23
    assert own_period(np.full((1, 400), np.nan), usual_period=24)[0] == 0


@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_short_series_show_none(count):
    assert own_period(np.ones((2, count))).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("code", "periods", "asked"),
    [
        ("h", (24, 168), True),
        ("15min", (96, 672), True),
        ("D", (7,), True),
        ("integer", (1,), True),
        ("MS", (12,), False),
        ("QS", (4,), False),
        ("W", (52,), False),
        ("h", (12,), False),  # as someone said
    ],
)
def test_who_is_asked(code, periods, asked):
    assert may_differ(periods, parse_frequency(code)) == asked


def test_the_newest_values_decide():
    old, new = season(24, 2000, noise=0.02), season(23, looked_at(24), noise=0.02)
    assert own_period(np.concatenate([old, new])[None], usual_period=24)[0] == 23


def forecast(values, cutoffs=None, frequency="h", horizon=30):
    panel = lc.Panel.from_arrays(values, frequency=frequency, start="2024-01-01")
    return lc.LSTMForecaster(horizon).predict(panel, cutoffs=cutoffs)


def test_hours_with_another_period_are_forecast_with_theirs():
    z = season(23, 700, noise=0.03)
    naive = z[np.arange(670 - 23, 670)][np.arange(30) % 23]
    error = np.abs(forecast(z[:670]).point[0] - z[670:]).mean()
    assert error < 1.1 * np.abs(naive - z[670:]).mean()


def test_values_without_times_find_their_season():
    z = season(12, 144, noise=0.03)
    panel = lc.Panel.from_arrays(z[:132])
    error = np.abs(lc.LSTMForecaster(12).predict(panel).point[0] / z[132:] - 1).mean()
    assert error < 0.1


def test_what_comes_later_changes_no_period_of_before():
    usual, other = season(24, 300, noise=0.02), season(23, 500, noise=0.02)
    z = np.concatenate([usual, other])
    cutoffs = np.array([[200, 300, 420, 700]])
    at_once = forecast(z, cutoffs)
    for k, count in enumerate(cutoffs[0]):
        alone = forecast(z[:count])
        np.testing.assert_allclose(at_once.point[k], alone.point[0], rtol=1e-6)


@pytest.mark.parametrize("split", [0, 400, 560])
def test_a_stream_reads_each_row_by_its_own_period(split, tmp_path):
    series = {
        "usual": season(24, 700, 1, noise=0.05),
        "other": season(23, 700, 2, noise=0.02),
        "late": np.concatenate(
            [season(24, 300, 3, noise=0.02), season(17, 400, 4, noise=0.01)]
        ),
    }
    panel = lc.Panel.from_arrays(series, frequency="h", start="2024-01-01")
    model = lc.LSTMForecaster(6)
    if split:
        stream = lc.Stream(model, panel.until(np.full(3, split)))
    else:
        stream = lc.Stream(model, list(series), frequency="h", periods=None)
    for tick in range(split, 640):
        if tick == 600:
            stream.save(tmp_path / "stream")
            stream = lc.Stream.load(tmp_path / "stream")
        stream.observe([values[tick] for values in series.values()])
    origins = Origins(np.arange(3), np.full(3, 640))
    expected = model.model.decode(panel, origins, 6)
    np.testing.assert_allclose(stream.quantiles(6), expected, rtol=1e-5)


def test_a_younger_state_chooses_its_period_when_it_takes_over(monkeypatch):
    series = {
        "usual": season(24, 1100, 1, noise=0.05),
        "other": season(23, 1100, 2, noise=0.02),
        "late": np.concatenate(
            [season(24, 640, 3, noise=0.02), season(17, 460, 4, noise=0.01)]
        ),
    }
    panel = lc.Panel.from_arrays(series, frequency="h", start="2024-01-01")
    model, asked = lc.LSTMForecaster(6), []

    def noted(values_between, first_R, count_R, usual_period):
        asked.extend((count_R - first_R).tolist())
        return periods_in_force(values_between, first_R, count_R, usual_period)

    stream = lc.Stream(model, panel.until(np.full(3, 500)))
    monkeypatch.setattr("lstmcast.streaming.ownperiods.periods_in_force", noted)
    for tick in range(500, 1090):
        stream.observe([values[tick] for values in series.values()])
        if tick in (1022, 1023, 1024, 1089):
            origins = Origins(np.arange(3), np.full(3, tick + 1))
            expected = model.model.decode(panel, origins, 6)
            np.testing.assert_allclose(stream.quantiles(6), expected, rtol=1e-5)
    assert min(asked) >= 512
