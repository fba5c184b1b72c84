"""Batching: requests that arrive while the network is busy are read together in its next pass."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from lstmcast.data.panel import Panel
from lstmcast.forecast import Forecast
from lstmcast.forecaster import LSTMForecaster
from lstmcast.server.passes import Pass, Read, read_here

MOST = 64  # requests in a pass: with more, the first of them would wait too long


@dataclass(eq=False)
class _Waiting:
    """A requested forecast, and its result."""

    panel: Panel
    model: LSTMForecaster
    finished: Event = field(default_factory=Event)
    forecast: Forecast | None = None
    error: Exception | None = None


class Batcher:
    """Forecasts of the shipped network for threads that request them at the same time.

    One thread works: it takes all waiting requests, has the network read them in one pass, and
    continues until none is left. Each forecast equals that of its panel alone. Requests never wait
    for later ones to arrive.

    passed: is called with the number of requests in a pass. read: makes the forecasts of a pass.

    >>> panel = Panel.from_arrays([1.0, 5.0, 9.0] * 8)
    >>> Batched(LSTMForecaster(horizon=2), Batcher()).predict(panel).point.round().tolist()
    [[1.0, 5.0]]
    """

    def __init__(
        self,
        passed: Callable[[int], object] = lambda requests: None,
        read: Read = read_here,
    ) -> None:
        self.passed = passed
        self.read = read
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._working = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="lstmcast-network")

    def predict(self, model: LSTMForecaster, panel: Panel) -> Forecast:
        """Forecast the steps after each series. Raises what `LSTMForecaster.predict` raises."""
        request = _Waiting(panel, model)
        with self._lock:
            self._waiting.append(request)
            if not self._working:
                self._working = True
                self._worker.submit(self._work)
        request.finished.wait()
        if request.error is not None:
            raise request.error
        assert request.forecast is not None  # the request is done
        return request.forecast

    def close(self) -> None:
        """Take no more requests; the thread ends."""
        self._worker.shutdown(wait=False)

    def _work(self) -> None:
        """Answer waiting requests until there are none."""
        while batch := self._taken():
            self._answer(batch)
            self.passed(len(batch))

    def _taken(self) -> list[_Waiting]:
        with self._lock:
            batch = self._waiting[:MOST]
            self._waiting = self._waiting[MOST:]
            self._working = bool(batch)
            return batch

    def _answer(self, batch: list[_Waiting]) -> None:
        """Forecast all requests of a batch; one that fails must not affect the others."""
        asked = Pass.of([one.panel for one in batch], [one.model for one in batch])
        try:
            for request, forecast in zip(batch, self.read(asked), strict=True):
                request.forecast = forecast
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for request in batch:
                    self._answer([request])
        for request in batch:
            request.finished.set()


@dataclass(frozen=True, eq=False)
class Batched:
    """A forecaster for a job whose forecasts are made together with those of other requests."""

    model: LSTMForecaster
    batcher: Batcher

    @property
    def horizon(self) -> int:
        """The number of steps that it forecasts."""
        return self.model.horizon

    def predict(self, panel: Panel) -> Forecast:
        """Forecast the steps after each series."""
        return self.batcher.predict(self.model, panel)
