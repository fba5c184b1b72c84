"""Ticks per second of one network that many rows share: each row predicts, sees what came, and
learns.

One LSTM layer of 16 units, random walks, one thread. `predicting`: the network stays as it is
(NumPy). `every tick`: an update after each tick, with the gradient over the newest 4. `every 4th`:
an update after each fourth tick, over those 4, so that each tick is learned once. Median seconds of
`observe` and `predict`, after 50 ticks that do not count; an update for four ticks is spread over
the four. `row_ticks`: ticks of single rows per second.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch are loaded

import time

import numpy as np
from common import arguments, print_table, write_result

from lstmcast.model.inputs import Running
from lstmcast.model.network import NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.stream import Stream

ROWS, UNITS, CHUNK = (1, 400, 10_000), 16, 4
WARM = 50
WAYS = {
    "predicting": None,
    "every tick": Learning(chunk=CHUNK),
    "every 4th": Learning(chunk=CHUNK, every=CHUNK),
}


def ticks_per_second(rows: int, learning: Learning | None, ticks: int) -> float:
    """Of one way and one number of rows."""
    config = NetworkConfig((UNITS,), inputs=Running("changes"), head="point", horizon=1)
    # with weights, for a network that does not learn needs some
    network = Stream(config, [], learning=Learning()).network
    stream = Stream(network, range(rows), learning=learning)
    walk = np.cumsum(np.random.default_rng(0).normal(size=(WARM + ticks, rows)), axis=0)
    seconds = []
    for values in walk:
        began = time.perf_counter()
        stream.observe(values)
        stream.predict()
        seconds.append(time.perf_counter() - began)
    if learning is None or learning.every == 1:
        return 1 / float(np.median(seconds[WARM:]))
    groups = np.reshape(seconds[WARM:], (-1, learning.every)).mean(axis=1)
    return 1 / float(np.median(groups))


def main() -> None:
    given = arguments(__doc__ or "").parse_args()
    began = time.monotonic()
    found = []
    for rows in ROWS:
        ticks = 1000 if rows < 10_000 else 100
        for way, learning in WAYS.items():
            rate = ticks_per_second(rows, learning, ticks)
            found.append(
                {
                    "rows": rows,
                    "way": way,
                    "ticks_per_second": rate,
                    "row_ticks": rate * rows,
                }
            )
    print_table(found)
    if not given.dry:
        write_result("online", __doc__, {"rows": found}, time.monotonic() - began)


if __name__ == "__main__":
    main()
