"""Products of matrices are held to one thread while anybody asks for it."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.util import blas
from lstmcast.util.blas import one_blas_thread


def threads():
    """How many each library uses that was there when one was first asked for, as NumPy's was."""
    return [library["num_threads"] for library in blas._library().info()]


@pytest.fixture
def two_threads():
    """Two of them outside, whatever the environment says."""
    with blas._library().limit(limits=2):
        before = threads()
        if set(before) != {2}:
            pytest.skip(f"the library of NumPy cannot be told its threads: {before}")
        yield before


def test_one_within_and_as_before_afterwards(two_threads):
    with pytest.raises(KeyError), one_blas_thread():
        assert set(threads()) == {1}
        raise KeyError
    assert threads() == two_threads


def test_threads_that_overlap_leave_what_was_before(two_threads):
    inside, leave = Event(), Event()

    def other():
        with one_blas_thread():
            inside.set()
            leave.wait(30)

    with one_blas_thread(), one_blas_thread():
        thread = Thread(target=other)
        thread.start()
        assert inside.wait(30)
        assert set(threads()) == {1}
    leave.set()
    thread.join()
    assert threads() == two_threads


def test_a_tick_of_a_stream_uses_one(two_threads, monkeypatch):
    stream = lc.Stream(lc.LSTMForecaster(horizon=2), ["a", "b"])
    seen = []
    read, answer = stream.intake.read, stream.answers.of_all

    def watched_read(*given):
        seen.append(threads())
        return read(*given)

    def watched_answer(horizon):
        seen.append(threads())
        return answer(horizon)

    monkeypatch.setattr(stream.intake, "read", watched_read)
    monkeypatch.setattr(stream.answers, "of_all", watched_answer)
    stream.observe([1.0, 2.0])
    stream.predict()
    stream.quantiles(2)
    assert len(seen) == 3
    assert set(np.ravel(seen)) == {1}
    assert threads() == two_threads
