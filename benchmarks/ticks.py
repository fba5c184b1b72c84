"""What a tick of a stream costs, beside the bare matrix products of the states that it advances.

Each tick is observed, and the next 24 steps are forecast with their quantiles, in one thread. Rows
of the shipped network have a history of 600 values, so each has two states, of which the younger
reads eight ticks at a time: `median` and `p99` are of single ticks, `mean` is of all. `floor`: the
products of both states of all members, without the head's, in the same run. `own`: two layers of
64 units, running inputs and a quantiles head that answers one step; `keras`: as many LSTM layers
and a dense one, stateful, `predict_on_batch` of one step (PyTorch backend). Milliseconds of the
processor.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch are loaded
os.environ.setdefault("KERAS_BACKEND", "torch")

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import arguments, print_table, write_result

import lstmcast as lc
from lstmcast.model.inputs import Running
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.stream import Stream

HISTORY, SERIES, STEPS = 600, 16, 24
START = "2024-01-01"
KINDS = {"daily": "D", "hourly": "h"}
OWN_LAYERS = (64, 64)
WARM = 8


def series(count: int, season: int, length: int) -> np.ndarray:
    """Values (T, S) with a season and a drifting level."""
    steps, rng = np.arange(length)[:, None], np.random.default_rng(0)
    drift = 0.3 * rng.normal(size=(length, count)).cumsum(axis=0)
    return np.maximum(100 + 10 * np.sin(2 * np.pi * steps / season) + drift, 5.0)


def shipped(rows: int, kind: str, ticks: int) -> tuple[Stream, np.ndarray]:
    """A stream of the shipped network after its history, and the ticks that follow."""
    model, frequency = lc.LSTMForecaster(horizon=STEPS), KINDS[kind]
    count = min(rows, SERIES)
    values = series(count, 7 if kind == "daily" else 24, HISTORY + ticks)
    history = {f"{s}": values[:HISTORY, s] for s in range(count)}
    panel = lc.Panel.from_arrays(history, frequency=frequency, start=START)
    few = Stream(model, panel)
    which = np.arange(rows) % count  # many rows repeat the few
    stream = Stream(model, range(rows), frequency=frequency)
    arrays = {name: array[which] for name, array in few.rows.arrays().items()}
    stream.reading.restore(arrays)
    return stream, values[HISTORY:, which]


def own(rows: int, ticks: int) -> tuple[Stream, np.ndarray]:
    """A stream of a network with running inputs."""
    config = NetworkConfig(OWN_LAYERS, inputs=Running("changes"), horizon=1)
    network = Stream(config, [], learning=Learning()).network
    return Stream(network, range(rows)), series(rows, 24, ticks)


def products(network: Network, rows: int, states: int) -> Callable[[], None]:
    """The matrix products of a tick, as a function of nothing."""
    pairs = []
    for arrays in network.members:
        weights = [array for name, array in arrays.items() if name.startswith("embed")]
        weights += [array for name, array in arrays.items() if name.startswith("lstm")]
        matrices = [
            np.ascontiguousarray(array.T) for array in weights if array.ndim == 2
        ]
        pairs += [
            (np.ones((rows, len(matrix)), np.float32), matrix) for matrix in matrices
        ]

    def run() -> None:
        for _ in range(states):
            for inputs, matrix in pairs:
                np.matmul(inputs, matrix)

    return run


def times(step: Callable[[int], Any], ticks: int) -> np.ndarray:
    """Milliseconds of each step but the first ones."""
    taken = []
    for tick in range(ticks):
        began = time.process_time()
        step(tick)
        taken.append(1e3 * (time.process_time() - began))
    return np.array(taken[WARM:])


def measured(
    what: str, stream: Stream, values: np.ndarray, horizon: int, states: int
) -> dict[str, Any]:
    """One way and one number of rows."""

    def tick(number: int) -> None:
        stream.observe(values[number])
        stream.quantiles(horizon)

    rows, ticks = values.shape[1], len(values)
    run = products(stream.network, rows, states)
    took, bare = times(tick, ticks), times(lambda _: run(), max(ticks, 50))
    median, floor = float(np.median(took)), float(np.median(bare))
    return {
        "what": what,
        "rows": rows,
        "floor": floor,
        "median": median,
        "mean": float(took.mean()),
        "p99": float(np.quantile(took, 0.99)),
        "median_over_floor": median / floor,
        "mean_over_floor": float(took.mean()) / floor,
    }


def keras_step(rows: int, ticks: int) -> float:
    """Milliseconds of a stateful network's `predict_on_batch`."""
    import keras

    layers = [keras.Input(batch_shape=(rows, 1, 1))]
    layers += [
        keras.layers.LSTM(units, stateful=True, return_sequences=units_left > 0)
        for units_left, units in zip((1, 0), OWN_LAYERS, strict=True)
    ]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    values = np.ones((rows, 1, 1), np.float32)
    return float(np.median(times(lambda _: model.predict_on_batch(values), ticks)))


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 400, 10_000])
    given = parser.parse_args()
    began = time.monotonic()
    found = []
    for rows in given.rows:
        ticks = WARM + {1: 600, 400: 160}.get(rows, 24)
        for kind in KINDS:
            found.append(measured(kind, *shipped(rows, kind, ticks), STEPS, states=2))
        found.append(measured("own", *own(rows, ticks), 1, states=1))
        found[-1]["keras"] = keras_step(rows, min(ticks, WARM + 50))
        found[-1]["keras_over_median"] = found[-1]["keras"] / found[-1]["median"]
    print_table(found)
    if not given.dry:
        write_result("ticks", __doc__, {"rows": found}, time.monotonic() - began)


if __name__ == "__main__":
    main()
