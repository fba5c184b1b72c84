"""The counters of a server, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter, defaultdict
from threading import Lock

from lstmcast._version import __version__

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds

_MEANINGS = {
    "passes_total": "Passes of the network over requests.",
    "batched_total": "Requests that were read in them.",
    "ticks_total": "Ticks that streams have read.",
    "active_requests": "Requests that are being answered.",
    "models": "Saved models that are served.",
    "streams": "Streams that are open.",
    "unsaved_streams": "Streams whose newest save failed.",
    "listeners": "Clients that follow a stream or a training.",
    "trainings": "Trainings that run.",
}


class Metrics:
    """Counters of a server; every method may be called from any thread.

    >>> metrics = Metrics()
    >>> metrics.answered("/v1/forecast", "POST", 200, 0.2)
    >>> print(metrics.text().splitlines()[2])
    lstmcast_requests_total{method="POST",route="/v1/forecast",status="200"} 1
    """

    def __init__(self) -> None:
        self.active = 0  # requests in progress
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._count: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._passes = self._together = self._ticks = 0

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._count[route] += 1
            self._seconds[route] += seconds
            for bound in BOUNDS:
                self._within[route, bound] += seconds <= bound

    def read_together(self, requests: int) -> None:
        """Count a pass of the network over this number of requests."""
        with self._lock:
            self._passes += 1
            self._together += requests

    def ticked(self) -> None:
        """Count a tick of a stream."""
        with self._lock:
            self._ticks += 1

    def text(
        self,
        models: int = 0,
        streams: int = 0,
        unsaved: int = 0,
        listeners: int = 0,
        trainings: int = 0,
    ) -> str:
        """All counters, with the numbers of models, streams, unsaved streams, listeners and running
        trainings."""
        with self._lock:
            lines = [*self._of_requests(), *self._of_times()]
            values = {
                "passes_total": self._passes,
                "batched_total": self._together,
                "ticks_total": self._ticks,
                "active_requests": self.active,
                "models": models,
                "streams": streams,
                "unsaved_streams": unsaved,
                "listeners": listeners,
                "trainings": trainings,
            }
        for name, value in values.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            header = _described(name, kind, _MEANINGS[name])
            lines += [*header, f"lstmcast_{name} {value}"]
        lines += _described("info", "gauge", "The version that runs.")
        lines.append(f'lstmcast_info{{version="{__version__}"}} 1')
        return "\n".join(lines) + "\n"

    def _of_requests(self) -> list[str]:
        lines = _described("requests_total", "counter", "Requests that were answered.")
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            lines.append(f"lstmcast_requests_total{{{labels}}} {count}")
        return lines

    def _of_times(self) -> list[str]:
        name = "request_seconds"
        lines = _described(name, "histogram", "How long answers took.")
        for route, count in sorted(self._count.items()):
            label = f'route="{route}"'
            for bound in BOUNDS:
                count_within = self._within[route, bound]
                lines.append(
                    f'lstmcast_{name}_bucket{{{label},le="{bound:g}"}} {count_within}'
                )
            lines.append(f'lstmcast_{name}_bucket{{{label},le="+Inf"}} {count}')
            lines.append(f"lstmcast_{name}_sum{{{label}}} {self._seconds[route]:.6f}")
            lines.append(f"lstmcast_{name}_count{{{label}}} {count}")
        return lines


def _described(name: str, kind: str, meaning: str) -> list[str]:
    return [f"# HELP lstmcast_{name} {meaning}", f"# TYPE lstmcast_{name} {kind}"]
