"""Series that are mostly 0: their newest values beside the network's quantiles."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.decoding.intermittent import NEWEST, with_own_past
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.streaming.stream import Stream

ANSWER = np.linspace(0.1, 0.7, 7) * np.ones((1, 3, 1))


def demand(share, count=200, seed=0):
    """Whole numbers, so large a share of which is 0."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(count) < share, 0, rng.integers(1, 5, count)).astype(
        float
    )


def with_past(values, season=1, root=True):
    newest = np.asarray(values, float)[None, -NEWEST:]
    return with_own_past(ANSWER, newest, np.array([root]), season)


def test_where_nearly_all_is_0_the_newest_values_answer_alone():
    values = demand(0.9)
    own = np.quantile(values[-NEWEST:], HEAD_QUANTILES, method="inverted_cdf")
    np.testing.assert_allclose(with_past(values), np.tile(own, (1, 3, 1)))


def test_the_more_zeros_the_more_they_say():
    for zeros, weight in ((14, 0.0), (28, 0.25), (42, 0.875)):
        values = np.append(np.zeros(zeros), np.ones(NEWEST - zeros))
        own = (np.array(HEAD_QUANTILES) > zeros / NEWEST).astype(float)
        expected = (1 - weight) * ANSWER + weight * own
        np.testing.assert_allclose(with_past(values), expected, atol=1e-12)


@pytest.mark.parametrize(
    "values, season, root",
    [
        (demand(0.9), 1, False),
        (demand(0.9)[-10:], 1, True),
        (np.tile([0, 0, 0, 0, 0, 3, 8], 30), 7, True),
        (demand(0.9), 48, True),
        (np.full(NEWEST, np.nan), 1, True),
    ],
    ids=[
        "on another axis",
        "few values",
        "zeros of a season",
        "season too long",
        "unknown",
    ],
)
def test_else_the_network_answers_alone(values, season, root):
    np.testing.assert_array_equal(with_past(values, season, root), ANSWER)


def test_zeros_without_a_season_count_in_data_that_may_have_one():
    assert np.array_equal(with_past(demand(0.9), 7), with_past(demand(0.9)))


def test_missing_values_do_not_count():
    values = demand(0.9)
    gaps = np.full(NEWEST, np.nan)
    gaps[1::3] = values[-len(gaps[1::3]) :]
    own = np.quantile(gaps[1::3], HEAD_QUANTILES, method="inverted_cdf")
    np.testing.assert_allclose(with_past(gaps)[0, 0], own)


def test_the_median_of_rare_sales_is_0_and_the_interval_holds_the_commonest_value():
    values = np.append(np.zeros(59), 3.0)
    panel = lc.Panel.from_arrays(values, frequency="MS", start="2018-01", kind="count")
    forecast = lc.LSTMForecaster(6).predict(panel)
    assert (forecast.point < 0.5).all() and (forecast.quantiles[..., 0] == 0).all()


def test_backtests_one_step_forecasts_and_streams_say_the_same():
    values = demand(0.7, 120)
    panel = lc.Panel.from_arrays(values, frequency="D", start="2024-01-01")
    model = lc.LSTMForecaster(3, quantiles=HEAD_QUANTILES)
    stream = Stream(model, panel)
    counts = np.arange(100, 121)
    direct = model.predict(panel, mode="one-step").quantiles[99:, 0]
    parts = [Stream(model, panel.until(np.array([count]))) for count in counts[:-1]]
    streamed = np.concatenate([part.quantiles(1)[:, 0] for part in parts])
    np.testing.assert_allclose(streamed, direct, atol=1e-6)
    one_by_one = parts[0]
    for value in values[100:]:
        one_by_one.observe([value])
    np.testing.assert_allclose(one_by_one.quantiles(3), stream.quantiles(3), atol=1e-6)
