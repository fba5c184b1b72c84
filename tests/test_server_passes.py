"""Passes of the network in a process of their own."""

from __future__ import annotations

import pickle
import subprocess
import threading

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import UsageError
from lstmcast.server import children
from lstmcast.server.batching import Batched, Batcher
from lstmcast.server.passes import PROCESS, OwnProcess, Pass, read_here
from lstmcast.server.problems import Problem

PATIENCE = 60
SEASON = [3.0, 5.0, 9.0, 4.0] * 12
PANELS = [lc.Panel.from_arrays(SEASON), lc.Panel.from_arrays([2.0 * x for x in SEASON[4:]])]


def pass_of(*panels: lc.Panel, method: str = "auto") -> Pass:
    return Pass.of([(panel, lc.LSTMForecaster(horizon=3, method=method)) for panel in panels])


@pytest.fixture
def passes():
    opened = OwnProcess()
    yield opened
    opened.close()


def test_forecasts_are_those_of_this_process(passes):
    asked = pass_of(*PANELS)
    for there, here in zip(passes.read(asked), read_here(asked), strict=True):
        np.testing.assert_array_equal(there.quantiles, here.quantiles)
        assert there.combination.names == here.combination.names
        assert there.ids.tolist() == here.ids.tolist()


def test_errors_are_those_of_this_process(passes):
    with pytest.raises(UsageError, match="linear map"):
        passes.read(pass_of(lc.Panel.from_arrays([1.0, 2.0]), method="linear map"))
    assert len(passes.read(pass_of(PANELS[0]))) == 1


def test_a_bug_is_told_with_its_traceback():
    process = children.started(PROCESS, output=subprocess.PIPE, errors=subprocess.PIPE)
    broken = pass_of(PANELS[0])._replace(levels=None)
    answer, told = process.communicate(pickle.dumps(broken), PATIENCE)
    error = pickle.loads(answer)
    assert isinstance(error, RuntimeError) and "TypeError" in str(error)
    assert b"Traceback" in told


def test_a_lost_process_is_replaced(passes):
    first = passes.process
    first.kill()
    first.wait(PATIENCE)
    assert len(passes.read(pass_of(PANELS[0]))) == 1
    assert passes.process.pid != first.pid


def test_a_process_that_is_lost_in_a_pass_fails_nothing_but_what_it_reads(passes):
    killed = threading.Event()

    def read(asked: Pass) -> list[lc.Forecast]:
        if len(asked.panels) > 1 or asked.requests[0].horizon == 2:
            passes.process.kill()  # as the system does where memory runs out
            passes.process.wait(PATIENCE)
            killed.set()
            return OwnProcess._outcome(passes, asked)
        return passes.read(asked)

    batcher, gate, results = Batcher(read=read), threading.Event(), {}
    batcher._worker.submit(gate.wait)  # all wait for the same pass

    def forecast(horizon: int) -> None:
        try:
            results[horizon] = Batched(lc.LSTMForecaster(horizon), batcher).predict(PANELS[0])
        except Problem as problem:
            results[horizon] = problem

    threads = [threading.Thread(target=forecast, args=[horizon]) for horizon in (1, 2, 3)]
    for thread in threads:
        thread.start()
    while len(batcher._waiting) < len(threads):
        pass
    gate.set()
    for thread in threads:
        thread.join(PATIENCE)
    batcher.close()
    assert killed.is_set()
    assert results[1].point.shape == (1, 1) and results[3].point.shape == (1, 3)
    assert results[2].status == 503 and "ended before" in results[2].detail


def test_nothing_is_read_after_the_end(passes):
    passes.close()
    with pytest.raises(Problem, match="ending"):
        passes.read(pass_of(PANELS[0]))


def test_a_process_ends_when_its_server_does():
    process = children.started(PROCESS, output=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
