"""A network that learns from a stream goes back to earlier weights where it has become worse, and
learns from older ticks again."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.articles.stocks import simulated
from lstmcast.streaming.guard import EVERY, WINDOWS, is_worse
from lstmcast.streaming.stream import Stream

TICKS = 150


@pytest.fixture(scope="module")
def prices():
    return simulated(seed=0, stocks=12, ticks=TICKS + 60, change=TICKS)


def learner(prices, **chosen) -> Stream:
    network = lc.NetworkConfig(
        layers=(4,), inputs=lc.Running("returns"), head="point", horizon=1
    )
    learning = lc.Learning(chunk=4, **chosen)
    return Stream(network, range(prices.shape[1]), learning=learning)


def followed(stream: Stream, ticks) -> np.ndarray:
    return np.array([stream.observe(tick) for tick in ticks])


def weights_of(stream: Stream) -> np.ndarray:
    return stream.learner.learners[0].weights.detach().numpy().copy()


def spoil(stream: Stream) -> None:
    weights = stream.learner.learners[0].weights
    weights.data += 3.0 * weights.data.sign()


def test_a_network_that_became_worse_goes_back(prices, caplog):
    stream = learner(prices, learning_rate=1e-5)
    followed(stream, prices[: 2 * EVERY + 2])
    before = weights_of(stream)
    spoil(stream)
    followed(stream, prices[2 * EVERY + 2 : 4 * EVERY])
    assert stream.rollbacks == 1
    assert "restored the weights of tick" in caplog.text
    assert np.abs(weights_of(stream) - before).max() < 0.01


def test_without_the_guard_it_stays_so(prices):
    stream = learner(prices, learning_rate=1e-5, guard=False)
    followed(stream, prices[: 2 * EVERY + 2])
    before = weights_of(stream)
    spoil(stream)
    followed(stream, prices[2 * EVERY + 2 : 4 * EVERY])
    assert stream.rollbacks == 0
    assert np.abs(weights_of(stream) - before).max() > 1


def test_what_is_learned_of_a_change_that_lasts_is_kept(prices):
    """Where it never goes back, the numbers are those without a guard."""
    one, two = (
        learner(prices, learning_rate=1e-2),
        learner(prices, learning_rate=1e-2, guard=False),
    )
    np.testing.assert_array_equal(followed(one, prices), followed(two, prices))
    assert one.rollbacks == 0
    assert len(one.learner.guard.windows) == WINDOWS


def test_older_ticks_are_learned_again(prices):
    plain, again = (
        learner(prices, learning_rate=1e-2, replay=count) for count in (0, 2)
    )
    assert not np.array_equal(
        followed(plain, prices[:40]), followed(again, prices[:40])
    )


@pytest.mark.parametrize("ticks", [30, 70])
def test_a_saved_stream_goes_on_with_the_same_bits(prices, tmp_path, ticks):
    stream = learner(prices, learning_rate=1e-2, replay=2)
    followed(stream, prices[:ticks])
    stream.save(tmp_path / "stream")
    loaded = Stream.load(tmp_path / "stream")
    for each in (stream, loaded):
        spoil(each)
    rest = prices[ticks : ticks + 60]
    np.testing.assert_array_equal(followed(stream, rest), followed(loaded, rest))
    assert loaded.rollbacks == stream.rollbacks
    np.testing.assert_array_equal(weights_of(loaded), weights_of(stream))
    assert len(loaded.learner.guard.kept) == (1 if ticks + 60 >= EVERY else 0)


def test_worse_is_worse_on_older_and_newer_windows_by_more_than_chance():
    before = np.full(8, 2.0)
    noise = np.array([1.0, -1.0] * 4)
    assert is_worse(before + 0.5, before)
    assert not is_worse(before + 0.05, before)
    assert not is_worse(before + np.repeat([1.0, -1.0], 4), before)
    assert not is_worse(before + 0.3 + noise, before)
    assert is_worse(np.full(8, np.nan), before)
    assert is_worse(-before + 0.5, -before)  # likelihoods are below 0


def test_settings_are_checked():
    with pytest.raises(lc.UsageError, match="replay"):
        lc.Learning(replay=-1)
