"""What training costs around the network itself: our loop beside a bare PyTorch loop over the same
layers.

`windows`: two LSTM layers of 128 units and a linear layer, 128 random windows of 48 steps, the
squared error of the next value, Adam. The two loops take turns in this process, 10 updates each, 12
turns; the ratio is the median over turns of our seconds over the bare loop's, all that an epoch of
ours does included. `one_thread` is the same with one, in processor seconds, for which it hardly
matters what else runs on the machine.

`sequence`: the network of the article on airline passengers (5, 4 and 3 units, dense layer,
RMSprop): 1,000 epochs, each one update over the 99 steps of the training part and a validation over
the 43 after them, which decides whether the weights are kept. Seconds of the whole fit, and of the
bare loop, which keeps no weights: medians of three, in turns; `processor`: what our fit took of
one.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from bare import BareSequence, BareWindows
from common import HERE, arguments, print_table, write_result

import lstmcast as lc
from lstmcast.fit_data import TransformedData
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training.callbacks import EpochReport
from lstmcast.training.fitting import fit_network
from lstmcast.training_config import (
    Loss,
    Optimiser,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)

BATCH, WINDOW, UNITS, LAYERS = 128, 48, 128, 2
UPDATES, TURNS = 10, 12  # updates in a turn; turns that count, after two that do not
EPOCHS, ARTICLE = 1_000, (5, 4, 3)


def plain_data(series: np.ndarray, end: int) -> TransformedData:
    """One series as it is."""
    values = series[:, None].astype(np.float64)
    return TransformedData(
        values,
        values,
        np.array([0, len(series)]),
        np.array([end]),
        np.array(["a"], object),
        horizon=1,
    )


def timed(action: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds on this clock."""
    began = clock()
    action()
    return clock() - began


class Turns:
    """A callback: our epoch has just ended, so the bare loop has its turn."""

    def __init__(self, bare: BareWindows, clock: Callable[[], float]) -> None:
        self.bare, self.clock = bare, clock
        self.rows: list[tuple[float, float]] = []
        self.began = clock()

    def __call__(self, report: EpochReport) -> None:
        ours = self.clock() - self.began
        bare = timed(partial(self.bare.train, UPDATES), self.clock)
        self.rows.append((ours / UPDATES, bare / UPDATES))
        self.began = self.clock()


def windows(threads: int) -> dict[str, float]:
    """Seconds per update of both loops, and the median of their ratios."""
    torch.set_num_threads(threads)
    length = BATCH * UPDATES + WINDOW  # as many windows as an epoch takes
    series = np.sin(np.arange(length) / 7) + np.random.default_rng(0).normal(
        0, 0.1, length
    )
    starts, values = torch.arange(length - WINDOW), torch.from_numpy(series).float()
    bare = BareWindows(
        values,
        starts,
        layers=LAYERS,
        units=UNITS,
        window=WINDOW,
        horizon=1,
        batch=BATCH,
    )
    turns = Turns(bare, time.process_time if threads == 1 else time.perf_counter)
    network = NetworkConfig(
        (UNITS,) * LAYERS, inputs=Transformed(), head="point", horizon=1
    )
    config = TrainingConfig(
        epochs=TURNS + 2,
        batch_size=BATCH,
        batching=Windows(WINDOW),
        optimiser=Optimiser("adam"),
        loss=Loss("mse"),
        validation=None,
    )
    fit_network(
        network, plain_data(series, length), config, threads=threads, callbacks=[turns]
    )
    ours_K, bare_K = np.array(turns.rows[2:]).T
    return {
        "ours": float(np.median(ours_K)),
        "bare": float(np.median(bare_K)),
        "ratio": float(np.median(ours_K / bare_K)),
    }


def differences() -> np.ndarray:
    """Of the airline passengers, (143,), scaled to 0 … 1 as the article does on its training
    part."""
    panel = lc.read(str(HERE.parent / "examples" / "airline.csv"))
    change = np.diff(panel.values)
    low, high = change[:100].min(), change[:100].max()
    return (change - low) / (high - low)


def sequence(times: int) -> dict[str, float]:
    """Seconds of 1,000 epochs of the article's network."""
    series = differences()
    x = torch.from_numpy(series).float()[:, None]
    network = NetworkConfig(ARTICLE, inputs=Transformed(), head="point", horizon=1)
    config = TrainingConfig(
        epochs=EPOCHS,
        batching=WholeSequence(),
        optimiser=Optimiser("rmsprop", 1e-2, decay=0.99),
        loss=Loss("mse"),
        validation=Validation(steps=43, fresh=True),
        initialiser="chainer",
    )
    data = plain_data(series, 100)
    found: dict[str, list[float]] = {"ours": [], "bare": [], "processor": []}
    for _ in range(times):
        worked = time.process_time()
        found["ours"].append(
            timed(lambda: fit_network(network, data, config), time.perf_counter)
        )
        found["processor"].append(time.process_time() - worked)
        torch.set_num_threads(1)  # faster than two for so small a network
        loop = BareSequence((x[:99], x[1:100]), (x[99:142], x[100:]), ARTICLE)
        found["bare"].append(timed(partial(loop.train, EPOCHS), time.perf_counter))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--threads",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="of the larger network",
    )
    given = parser.parse_args()
    began = time.monotonic()
    found: dict[str, Any] = {
        "windows": windows(given.threads),
        "one_thread": windows(1),
        "sequence": sequence(3),
    }
    for row in found.values():
        row.setdefault("ratio", row["ours"] / row["bare"])
    print_table([{"seconds": name, **row} for name, row in found.items()])
    if not given.dry:
        write_result(
            "training_loop",
            __doc__,
            {"loop_threads": given.threads, **found},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
