"""Passes of the network in a process of their own."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import UsageError
from lstmcast.server.batching import Batched, Batcher
from lstmcast.server.passes import OwnProcess, Pass, read_here
from lstmcast.server.problems import Problem

PATIENCE = 60
SEASON = [3.0, 5.0, 9.0, 4.0] * 12
PANELS = [
    lc.Panel.from_arrays(SEASON),
    lc.Panel.from_arrays([2.0 * x for x in SEASON[4:]]),
]


def pass_of(*panels: lc.Panel, method: str = "auto") -> Pass:
    return Pass.of(
        panels, [lc.LSTMForecaster(horizon=3, method=method) for _ in panels]
    )


@pytest.fixture
def passes():
    opened = OwnProcess()
    yield opened
    if not opened.closed:
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


def test_a_lost_process_is_replaced(passes):
    process = passes.worker._process
    process.kill()
    process.join(PATIENCE)
    assert len(passes.read(pass_of(PANELS[0]))) == 1
    assert passes.worker._process.pid != process.pid


def test_a_process_that_is_lost_fails_nothing_but_what_it_was_reading(
    passes, monkeypatch
):
    """As where memory runs out for one request, wherever it is read."""
    result, lost = passes.worker.result, []

    def read(asked: Pass) -> list[lc.Forecast]:
        if 2 in [request.horizon for request in asked.requests]:
            lost.append(len(asked.panels))
            pid = passes.worker._process.pid
            os.kill(pid, signal.SIGSTOP)  # it cannot answer before it is killed
            threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
        return result(asked)

    monkeypatch.setattr(passes.worker, "result", read)
    batcher, gate, results = Batcher(read=passes.read), threading.Event(), {}
    batcher._worker.submit(gate.wait)  # all wait for the same pass

    def forecast(horizon: int) -> None:
        try:
            results[horizon] = Batched(lc.LSTMForecaster(horizon), batcher).predict(
                PANELS[0]
            )
        except Problem as problem:
            results[horizon] = problem

    threads = [
        threading.Thread(target=forecast, args=[horizon]) for horizon in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    while len(batcher._waiting) < len(threads):
        time.sleep(0.01)
    gate.set()
    for thread in threads:
        thread.join(PATIENCE)
    batcher.close()
    assert lost == [3, 1]
    assert results[1].point.shape == (1, 1) and results[3].point.shape == (1, 3)
    assert results[2].status == 503 and "ended before" in results[2].detail


def test_nothing_is_read_after_the_end(passes):
    passes.close()
    with pytest.raises(Problem, match="shutting down"):
        passes.read(pass_of(PANELS[0]))
