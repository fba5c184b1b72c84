"""Far horizons are answered at several rates."""

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.decoding import Reader, decode
from lstmcast.decoding import rates as rates_module
from lstmcast.decoding.rates import rates_of, slowed
from lstmcast.training_history import History
from lstmcast.training_record import Record

SHIPPED = lc.LSTMForecaster(horizon=48).model.network
HOURS = np.arange(1500)
RNG = np.random.default_rng(3)
DAY = np.sin(2 * np.pi * HOURS / 24)
DRIFT = np.cumsum(RNG.normal(size=len(HOURS)))


def hourly(*series, **chosen):
    names = {f"s{i}": values for i, values in enumerate(series)}
    return lc.Panel.from_arrays(
        names, **{"frequency": "h", "start": "2024-01-01"} | chosen
    )


def ends(panel, *counts):
    series = np.repeat(np.arange(len(panel)), len(counts) or 1)
    return Origins(series, np.tile(counts, len(panel)) if counts else panel.lengths)


def forecast(panel, *counts, horizon=60, rates=True):
    return decode(Reader(SHIPPED, rates=rates), panel, ends(panel, *counts), horizon)


def assert_close(one, other):
    """Within 1e-6 of the span of each forecast."""
    span = np.ptp(other, axis=(1, 2))[:, None, None]
    assert (np.abs(one - other) <= 1e-6 * span).all()


@pytest.fixture(scope="module")
def panel():
    walk = 50 + 10 * DAY + DRIFT
    gaps = np.where(RNG.random(len(HOURS)) < 0.1, np.nan, walk)
    return hourly(walk, np.exp(walk / 30), walk - walk.mean(), gaps)


def test_the_first_steps_are_those_of_the_head(panel):
    far, plain = forecast(panel), forecast(panel, rates=False)
    np.testing.assert_array_equal(far[:, :24], plain[:, :24])
    assert (far[:, 27:] != plain[:, 27:]).all()


def test_a_level_that_drifts_away_when_fed_back_is_held_by_slower_rates(monkeypatch):
    """Medians that are fed back with 1% too much each time."""
    values = 100 + 10 * DAY + RNG.normal(size=len(HOURS))
    panel, actual = (
        hourly(values),
        100 + 10 * np.sin(2 * np.pi * np.arange(1500, 1740) / 24),
    )
    good = [np.abs(forecast(panel, horizon=240)[0, :, 3] - actual).mean()]
    read = rates_module.read_along

    def drifting(reader, panel, *rest):
        answers = read(reader, panel, *rest)
        return answers * (1 + 0.001 * np.arange(answers.shape[1]))[None, :, None]

    monkeypatch.setattr("lstmcast.decoding.read_along", drifting)
    drifted, held = (
        forecast(panel, horizon=240, rates=False),
        forecast(panel, horizon=240),
    )
    errors = [
        np.abs(part[0, 120:, 3] - actual[120:]).mean() for part in (drifted, held)
    ]
    assert errors[1] < 0.4 * errors[0] and good[0] < 2


def test_which_steps_a_mean_is_taken_over():
    assert rates_of((24, 168), 24, 24) == ()
    assert rates_of((24, 168), 24, 25) == (4,) and rates_of((24, 168), 24, 48) == (
        4,
        12,
    )
    assert (
        rates_of((12,), 24, 60)
        == rates_of((7,), 24, 60)
        == rates_of((1,), 24, 60)
        == ()
    )
    assert rates_of((52,), 24, 60) == (4, 13)
    # no divisors
    assert rates_of((23,), 24, 60) == () and rates_of((29,), 24, 60) == ()


def test_means_end_with_the_newest_value_and_skip_what_is_missing():
    values = np.arange(20.0)
    values[[0, 1, 8, 9, 10]] = np.nan
    panel = hourly(values)
    slow = slowed(
        panel, Origins(np.array([0, 0, 0]), np.array([20, 12, 11])), np.zeros(3, int), 4
    )
    origin, shifted = slow.panel.series(0), slow.panel.series(1)
    # 11 alone is not half
    np.testing.assert_array_equal(origin, [2.5, 5.5, np.nan, 13.5, 17.5])
    np.testing.assert_array_equal(shifted, [4.5, np.nan])  # of 11 values: 3 … 6, 7 … 10
    assert slow.origins.series.tolist() == [
        0,
        0,
        1,
    ] and slow.origins.counts.tolist() == [5, 3, 2]
    assert slow.panel.periods == (6, 42) and slow.panel.frequency.family == "hourly"


def test_nothing_later_changes_a_forecast(panel):
    known = 1111
    later = lc.Panel.from_arrays(
        {
            n: np.where(known > HOURS, panel.series(i), 7e3)
            for i, n in enumerate(panel.ids)
        },
        frequency="h",
        start="2024-01-01",
    )
    np.testing.assert_array_equal(forecast(panel, known), forecast(later, known))


def test_cutoffs_read_together_forecast_as_each_alone(panel):
    counts = (700, 712, 719, 1100, 1112)
    together = forecast(panel, *counts)
    for k, count in enumerate(counts):
        alone = forecast(panel, count)
        assert_close(together[k :: len(counts)], alone)


def test_a_step_does_not_depend_on_the_horizon_asked_for(panel):
    """Where the last means are whole: means over 4 and 12 steps are, of 72 steps."""
    np.testing.assert_allclose(
        forecast(panel, horizon=72)[:, :65],
        forecast(panel, horizon=90)[:, :65],
        rtol=1e-9,
    )


def test_answers_follow_the_scale_and_where_the_axis_is_linear_the_level(panel):
    for a, b, rows in ((1000.0, 0.0, [0, 1, 2, 3]), (3.0, -77.0, [2])):
        own = panel.select(panel.ids[rows])
        other = hourly(*(a * own.series(i) + b for i in range(len(own))))
        expected = a * forecast(own) + b
        assert_close(forecast(other), expected)


def test_a_stream_forecasts_as_decode_does(panel):
    stream = lc.Stream(lc.LSTMForecaster(48), panel.until(np.full(len(panel), 1100)))
    for hour in range(1100, 1107):
        stream.observe(panel.values.reshape(len(panel), -1)[:, hour])
        expected = forecast(panel, hour + 1, horizon=100)
        quantiles = stream.quantiles(100)
        assert_close(quantiles, expected)
    assert (
        np.abs(quantiles / forecast(panel, 1107, horizon=100, rates=False) - 1).max()
        > 1e-3
    )


def test_a_saved_stream_goes_on_at_several_rates(panel, tmp_path):
    stream = lc.Stream(lc.LSTMForecaster(48), panel)
    stream.save(tmp_path / "stream")
    loaded = lc.Stream.load(tmp_path / "stream")
    np.testing.assert_array_equal(loaded.quantiles(60), stream.quantiles(60))


def test_a_saved_model_goes_on_to_the_last_bit(panel, tmp_path):
    model = lc.LSTMForecaster(60, method="network")
    model.save(tmp_path / "model", panel.until(np.full(len(panel), 1490)))
    loaded = lc.load(tmp_path / "model")
    newer = panel.since(np.full(len(panel), 1480))
    whole, went_on = model.predict(panel), loaded.predict(newer)
    np.testing.assert_array_equal(went_on.quantiles, whole.quantiles)


@pytest.mark.parametrize("known", [1, 30, 50])
def test_young_and_constant_series_are_forecast(known):
    panel = hourly(
        5 + DAY[:known], np.full(known, 3.0), np.full(known, np.nan), np.zeros(known)
    )
    far, plain = forecast(panel), forecast(panel, rates=False)
    np.testing.assert_array_equal(far[1:], plain[1:])
    assert np.isfinite(far[:2]).all()


def test_a_network_that_only_saw_one_frequency_is_not_asked():
    model = lc.LSTMForecaster(48).model
    record = Record(
        np.array(["a"]), np.array([1]), lc.TrainingConfig(), History(), "scratch"
    )
    assert model.reader.rates and replace(
        model, record=replace(record, initial_weights="given")
    )
    assert not replace(model, record=record).reader.reads_rates
