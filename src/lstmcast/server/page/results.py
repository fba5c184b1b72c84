"""The newest results of a page, in memory for later requests: files, components, other plans."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from lstmcast.forecaster import LSTMForecaster
from lstmcast.jobs import ForecastResult, PredictResult
from lstmcast.server.problems import Problem

MOST = 20  # results
HOURS = 2.0  # after which an unused result is dropped
# values of all histories and forecasts: 8 bytes each, and more for bounds
MOST_VALUES = 5_000_000


@dataclass(frozen=True, eq=False)
class Kept:
    """A result, the forecaster that made it, and the equivalent command."""

    model: LSTMForecaster
    result: ForecastResult | PredictResult
    command: str

    @property
    def size(self) -> int:
        """The number of its values: the data including covariates, and all forecasts."""
        tested = self.result.backtest
        forecasts = [
            self.result.forecast,
            *(tested.forecasts.values() if tested else ()),
        ]
        values = sum(
            forecast.point.size + forecast.quantiles.size for forecast in forecasts
        )
        panel = self.result.panel
        covariates = panel.covariates
        columns = (
            *covariates.past.values(),
            *covariates.future.columns.values(),
            *covariates.static.values(),
        )
        return len(panel.values) + sum(map(len, columns)) + values


class Results:
    """Results by names that cannot be guessed; the least recently used are dropped first.

    clock: returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._asked: dict[str, float] = {}

    def keep(self, entry: Kept) -> str:
        """Store a result, and return its name."""
        name = secrets.token_urlsafe(9)
        self.forget()
        with self._lock:
            self._kept[name] = entry
            self._asked[name] = self._clock()
            while len(self._kept) > 1 and self._is_full():
                self._drop_oldest()
        return name

    def named(self, name: str) -> Kept:
        """The result with this name. Raises Problem."""
        self.forget()
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                self._asked[name] = self._clock()
                return self._kept[name]
        raise Problem(404, "This forecast is no longer kept. Forecast again.")

    def forget(self) -> None:
        """Drop results that were not used in the last hours."""
        earliest = self._clock() - 3600 * HOURS
        with self._lock:
            while self._kept and self._asked[next(iter(self._kept))] < earliest:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        name, _ = self._kept.popitem(last=False)
        del self._asked[name]

    def _is_full(self) -> bool:
        values = sum(entry.size for entry in self._kept.values())
        return len(self._kept) > MOST or values > MOST_VALUES
