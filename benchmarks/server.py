"""A server under load: many clients, a fast stream, and processes that are killed.

Clients: 50 at a time, each sending a history of 500 hourly values as JSON and asking for 24 steps
with their intervals, one request after the other, over HTTP on the same machine, for 60 s (or
--seconds). Compared with one client alone: the 99th percentile of the seconds that an answer takes,
over the median of a client that has the server for itself (aimed at: at most 20, and no error).
Streams: ticks of 400 rows, 50 times a second for as long, each answered with the next value of
every row and its quantiles, which are adjusted by the errors of each row (`conformal`) and, in a
second run, are the network's own; how late the answer of a tick is after the moment when it was due
(aimed at: less than a tick, 20 ms, in the last second), and how much of a processor the server
used. Kills: a server whose stream gets ticks as fast as it answers, with a state that is written
anew every 7 ticks, is killed (signal 9) at random moments and started again: are all ticks there
that it had acknowledged, and are the forecasts in the end the same bits as those of a stream that
was never interrupted?
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from common import arguments, print_table, write_result

import lstmcast as lc

CLIENTS, VALUES, STEPS = 50, 500, 24
ROWS, PER_SECOND = 400, 50
KILLED_ROWS, SAVE_EVERY = 10, 7
STARTING = 60.0  # seconds that a server may take to begin
JSON = {"content-type": "application/json"}


class Server:
    """The command, as a process."""

    def __init__(self, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "lstmcast",
            "serve",
            "--quiet",
            "--port",
            str(self.port),
        ]
        self.process = subprocess.Popen([*command, *options])
        until = time.monotonic() + STARTING
        while True:
            try:
                self.client().ask("GET", "/health")
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def client(self) -> Client:
        """A connection to it."""
        return Client(self.port)

    def processor_seconds(self) -> float:
        """What it has used so far, of all processors; NaN where the system does not say."""
        place = Path(f"/proc/{self.process.pid}/stat")
        if not place.exists():
            return float("nan")
        fields = place.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal, and wait for the end."""
        self.process.send_signal(number)
        self.process.wait(60)


class Client:
    """One connection, kept open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """The status of an answer, and what is in it."""
        self.connection.request(method, path, body, JSON)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def done(self, method: str, path: str, document: Any = None) -> Any:
        """What is in an answer that is no problem."""
        body = None if document is None else json.dumps(document).encode()
        status, text = self.ask(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {text[:300]!r}")
        return json.loads(text) if text else None


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """A server, ended afterwards."""
    server = Server(*options)
    try:
        yield server
    finally:
        server.end()


# ---------------------------------------------------------------- many clients


def histories(count: int) -> list[bytes]:
    """Requests, each with a history of its own."""
    rng, hours = np.random.default_rng(0), np.arange(VALUES)
    requests = []
    for k in range(count):
        day = 10 * np.sin(2 * np.pi * (hours + k) / 24)
        values = 100 + day + 0.02 * k * hours + rng.normal(0, 2, VALUES)
        asked = {
            "series": values.round(2).tolist(),
            "frequency": "hourly",
            "start": "2024-01-01",
        }
        requests.append(json.dumps(asked | {"horizon": STEPS}).encode())
    return requests


def timed(client: Client, request: bytes) -> tuple[float, bool]:
    """Seconds that an answer took, and whether it was a forecast."""
    begun = time.perf_counter()
    status, text = client.ask("POST", "/v1/forecast", request)
    took = time.perf_counter() - begun
    return took, status == 200 and len(
        json.loads(text)["forecast"]["forecast"]
    ) == STEPS


def clients(seconds: float) -> dict[str, Any]:
    """One client alone, then many at a time."""
    requests = histories(CLIENTS)
    with serving() as server:
        alone = server.client()
        timed(alone, requests[0])  # the first one reads the weights
        single = [timed(alone, request)[0] for request in requests[:20]]
        until, results = time.monotonic() + seconds, []

        def run(request: bytes) -> None:
            client = server.client()
            while time.monotonic() < until:
                results.append(timed(client, request))

        threads = [
            threading.Thread(target=run, args=(request,)) for request in requests
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begun
    times = np.array([one for one, _ in results])
    median, p99 = float(np.median(single)), float(np.quantile(times, 0.99))
    return {
        "clients": CLIENTS,
        "single_median": median,
        "answers": len(times),
        "errors": sum(not good for _, good in results),
        "per_second": len(times) / took,
        "median": float(np.median(times)),
        "p99": p99,
        "p99_over_single": p99 / median,
    }


# ---------------------------------------------------------------- a fast stream


def streams(seconds: float, conformal: bool) -> dict[str, Any]:
    """Ticks on time: how late their answers are."""
    rng, ticks = np.random.default_rng(0), int(seconds * PER_SECOND)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("--streams", folder) as server,
    ):
        client = server.client()
        names = [f"row {k}" for k in range(ROWS)]
        asked = {"name": "fast", "rows": names, "rate": None, "conformal": conformal}
        client.done("POST", "/v1/streams", asked)
        level, late, used = 100 + rng.normal(0, 5, ROWS), [], server.processor_seconds()
        begun = time.perf_counter()
        for tick in range(ticks):
            level += rng.normal(0, 1, ROWS)
            due = begun + tick / PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            client.done(
                "POST", "/v1/streams/fast/ticks", {"values": level.round(3).tolist()}
            )
            late.append(time.perf_counter() - due)
        used = server.processor_seconds() - used
        told = client.done("GET", "/v1/streams/fast")
    newest = np.array(late[-PER_SECOND:])
    return {
        "rows": ROWS,
        "conformal": conformal,
        "ticks": told["ticks"],
        "median": float(np.median(late)),
        "p99": float(np.quantile(late, 0.99)),
        "worst": float(max(late)),
        "last_second": float(np.median(newest)),
        "processor_ms_per_tick": 1e3 * used / ticks,
    }


# ---------------------------------------------------------------- kills


def values_of(tick: int) -> list[float]:
    """The values of a tick, always the same."""
    rng = np.random.default_rng(tick)
    return (
        (50 + 10 * np.sin(tick / 4) + rng.normal(0, 1, KILLED_ROWS)).round(3).tolist()
    )


def kills(count: int) -> dict[str, Any]:
    """Kill a server at random moments; what it had acknowledged must be there again."""
    rng, lost, more, last = np.random.default_rng(1), 0, 0, 0
    rows = [f"row {k}" for k in range(KILLED_ROWS)]
    opened = {"name": "killed", "rows": rows, "frequency": "daily", "rate": None}
    with tempfile.TemporaryDirectory() as folder:
        options = ("--streams", folder, "--save-every", str(SAVE_EVERY))
        with serving(*options) as server:
            server.client().done("POST", "/v1/streams", opened)
        for _ in range(count):
            server = Server(*options)
            begun = server.client().done("GET", "/v1/streams/killed")["ticks"]
            lost, more = lost + max(0, last - begun), more + max(0, begun - last - 1)
            wait = threading.Timer(
                rng.uniform(0.02, 0.8), os.kill, (server.process.pid, 9)
            )
            wait.start()
            last = _fed(server.client(), begun)
            server.process.wait()
            wait.cancel()
        with serving(*options) as server:
            client = server.client()
            begun = client.done("GET", "/v1/streams/killed")["ticks"]
            lost, more = lost + max(0, last - begun), more + max(0, begun - last - 1)
            path = "/v1/streams/killed/ticks"
            answer = client.done("POST", path, {"values": values_of(begun + 1)})
    return {
        "kills": count,
        "ticks": begun,
        "acknowledged_lost": lost,
        "never_sent": more,
        "same_bits": _same(rows, begun + 1, answer),
    }


def _fed(client: Client, ticks: int) -> int:
    """Send ticks until the server is gone; the last one that it acknowledged."""
    while True:
        try:
            path = "/v1/streams/killed/ticks"
            answer = client.done("POST", path, {"values": values_of(ticks + 1)})
        except (OSError, http.client.HTTPException):
            return ticks
        ticks = answer["tick"]


def _same(rows: list[str], ticks: int, answer: Any) -> bool:
    """Whether a stream in this process, never interrupted, forecasts the same."""
    model = lc.LSTMForecaster(horizon=1, method="network")
    stream = lc.Stream(model, rows, frequency="D")
    for tick in range(1, ticks + 1):
        stream.observe(values_of(tick))
    expected = [[float(f"{value:.7g}")] for value in stream.predict(1)[:, 0]]
    return expected == [
        [float(f"{value:.7g}") for value in row] for row in answer["point"]
    ]


def main() -> None:
    """All three."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of load, and of the stream"
    )
    parser.add_argument(
        "--kills", type=int, default=50, help="how often a server is killed"
    )
    options = parser.parse_args()
    begun = time.perf_counter()
    result = {
        "load_before": os.getloadavg()[0],
        "clients": clients(options.seconds),
        "streams": [streams(options.seconds, conformal) for conformal in (True, False)],
        "kills": kills(options.kills),
    }
    for name, rows in result.items():
        if name != "load_before":
            print(f"\n{name}")
            print_table(rows if isinstance(rows, list) else [rows])
    if not options.dry:
        write_result("server", __doc__, result, time.perf_counter() - begun)


if __name__ == "__main__":
    main()
