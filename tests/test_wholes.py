"""Quantiles and medians of counts are whole numbers, wherever they are shown; means are not."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import origins_of
from lstmcast.data.wholes import whole_origins
from lstmcast.evaluation.demand import Croston


def are_whole(values):
    return bool((values == np.rint(values)).all())


def visits(length=120, seed=0):
    """From 3 to 40 a day, never 0."""
    return np.random.default_rng(seed).integers(3, 41, length).astype(float)


def poisson(rate, length=120, seed=0):
    return np.random.default_rng(seed).poisson(rate, length).astype(float)


SERIES = {
    "visits": visits(),
    "a dozen": poisson(12),
    "rare": poisson(0.4),
    "shares": visits() / 40,
    "large": np.rint(1e4 + 99 * np.random.default_rng(1).normal(size=120)),
    "degrees": np.rint(8 * np.sin(np.arange(120) / 9)),
}
WHOLE = np.array(["visits", "a dozen", "rare"])


@pytest.fixture(scope="module")
def panel():
    return lc.read(SERIES)


@pytest.fixture(scope="module")
def forecast(panel):
    return lc.LSTMForecaster(14, quantiles=(0.01, 0.1, 0.5, 0.9, 0.99)).predict(panel)


def test_series_of_whole_numbers_are_recognised(panel):
    whole = whole_origins(panel, origins_of(panel))
    assert panel.ids[whole].tolist() == WHOLE.tolist()


def test_what_is_read_decides(panel):
    values = np.concatenate([[0.5], visits(7), visits(9)])
    read = lc.read(values)
    ends = origins_of(read, np.array([[8, 17]]))
    first = np.array([0, 1])
    assert whole_origins(read, ends, first).tolist() == [False, True]
    short = lc.read(np.array([30.0, 31, 29, 30]))
    assert not whole_origins(short, origins_of(short)).any()


def test_medians_and_quantiles_of_counts_are_whole(forecast):
    whole = np.isin(forecast.ids, WHOLE)
    assert are_whole(forecast.quantiles[whole]) and are_whole(forecast.point[whole])
    for name in set(forecast.ids) - set(WHOLE):
        assert not are_whole(forecast.select(name).quantiles)


def test_declared_counts_are_whole_however_large():
    values = np.rint(1e4 + 99 * np.random.default_rng(1).normal(size=120))
    given = lc.Panel.from_arrays(
        values, frequency="D", start="2024-01-01", kind="count"
    )
    forecast = lc.LSTMForecaster(7).predict(given)
    assert are_whole(forecast.quantiles) and are_whole(forecast.point)


def test_intervals_contain_what_they_contained():
    forecasts = lc.LSTMForecaster(7).predict(
        lc.read({"a": poisson(6), "b": poisson(15)})
    )
    low, high = forecasts.fractional[..., 0], forecasts.fractional[..., -1]
    whole_low, whole_high = forecasts.quantiles[..., 0], forecasts.quantiles[..., -1]
    assert (np.ceil(low) >= whole_low).all() and (np.floor(high) <= whole_high).all()


def test_paths_and_sums_are_those_of_fractions(forecast):
    """Of an item that sells every third day, whole quantiles would lose a third of the sum."""
    rare = forecast.select("rare")
    mean = rare.paths().mean()
    assert not are_whole(rare.paths()) and abs(mean - poisson(0.4).mean()) < 0.15


def test_means_stay_fractions(panel):
    counted = panel.select(["visits", "a dozen"])
    mean = Croston(14).predict(counted)
    assert not are_whole(mean.point)


def test_backtests_are_of_whole_numbers(panel):
    tested = lc.backtest(lc.LSTMForecaster(7), panel.select(["a dozen"]), cutoffs=3)
    forecast = tested.forecasts["lstmcast"]
    assert are_whole(forecast.point) and are_whole(forecast.quantiles)


@dataclass(frozen=True)
class Refitted:
    """A forecaster that is fitted at each cutoff, and answers counts."""

    def fit(self, panel, **options):
        return self

    def predict(self, panel, horizon=None, *, cutoffs=None):
        return lc.LSTMForecaster(7).predict(panel, horizon, cutoffs=cutoffs)


@pytest.mark.parametrize("refit", ["never", "once", "each"])
def test_backtests_keep_the_fractions_that_paths_are_drawn_from(panel, refit, tmp_path):
    rare = panel.select(["rare", "shares"])
    for _ in range(2):  # the second time from the folder
        tested = lc.backtest(
            Refitted(), rare, horizon=7, cutoffs=2, refit=refit, folder=tmp_path
        )
        forecast = tested.forecasts[tested.model]
        last = forecast.at(forecast.cutoffs.max())
        assert last.fractional is not None and are_whole(last.quantiles[0])
        assert not are_whole(last.fractional[0]) and not are_whole(last.quantiles[1])
        direct = lc.LSTMForecaster(7).predict(rare, cutoffs=rare.lengths[:, None] - 7)
        np.testing.assert_allclose(last.fractional, direct.fractional)


def test_totals_of_counts_are_whole(forecast):
    """The median and the bounds of a sum of counts are counts, of other values they are not."""
    counted = forecast.select(["visits", "rare"]).total("horizon", by="all")
    assert are_whole(counted.total) and are_whole(counted.quantiles)
    each = forecast.total("horizon")
    whole = [are_whole(row) for row in each.quantiles]
    assert whole == [name in WHOLE for name in forecast.ids]
    mixed = forecast.total("horizon", by="all")
    assert not are_whole(mixed.quantiles)


def test_files_hold_whole_numbers(run, tmp_path: Path):
    days = np.datetime64("2024-01-01") + np.arange(120)
    rows = [f"{day},{value:g}" for day, value in zip(days, visits(), strict=True)]
    (tmp_path / "visits.csv").write_text("\n".join(["day,visits", *rows]))
    run(
        "forecast",
        tmp_path / "visits.csv",
        "--horizon",
        7,
        "--out",
        tmp_path / "next.csv",
    )
    with (tmp_path / "next.csv").open() as lines:
        cells = [
            row[name] for row in csv.DictReader(lines) for name in ("forecast", "q0.1")
        ]
    assert len(cells) == 14 and are_whole(np.array(cells, float))


# ---------------------------------------------------------------- streams


def test_streams_answer_whole_numbers(panel):
    model = lc.LSTMForecaster(6, method="network")
    stream = lc.Stream(model, panel.until(panel.lengths - 10))
    for tick in range(110, 120):
        predicted = stream.predict()
        errors = stream.observe([values[tick] for values in SERIES.values()])
        actual = np.array([values[tick] for values in SERIES.values()])
        assert np.allclose(errors, actual - predicted)
    whole = np.isin(stream.ids, WHOLE)
    np.testing.assert_allclose(stream.predict(6), model.predict(panel).point, rtol=1e-5)
    assert are_whole(stream.quantiles(6)[whole])
    assert not are_whole(stream.quantiles(6)[~whole])


def test_a_fraction_or_a_large_value_takes_it_back():
    stream = lc.Stream(
        lc.LSTMForecaster(3), lc.read({"a": visits(), "b": visits(seed=1)})
    )
    stream.observe([140.0, 7])
    assert not are_whole(stream.quantiles()[0]) and are_whole(stream.quantiles()[1])
    stream.observe([14.0, 7.5])
    assert not are_whole(stream.quantiles()[1])


def test_a_saved_stream_goes_on_with_whole_numbers(tmp_path):
    stream = lc.Stream(lc.LSTMForecaster(3), ["a"], frequency="D", kind="count")
    for value in poisson(5, 40):
        stream.observe([value])
    stream.save(tmp_path / "stream")
    loaded = lc.Stream.load(tmp_path / "stream")
    assert np.array_equal(loaded.quantiles(3), stream.quantiles(3))
    loaded.join(["b"])
    loaded.observe([4, 900])
    assert are_whole(loaded.quantiles(3))
