"""What the training of `airline --faithful` costs beside a bare PyTorch loop of the same run.

Both train the 5-4-3 network for 1,000 epochs with RMSprop: one update over the 99 pairs of the
training part and a validation over the 43 after them. Ours also keeps the weights of the best epoch
and the history; snapshots are left out. The two take turns, 10 epochs each; processor seconds of
one thread, for which it hardly matters what else runs on the machine. The ratio is the median over
turns; three runs, of which the median counts.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch
from bare import BareSequence
from common import arguments, print_table, write_result

from lstmcast.articles.airline import HELD_BACK, INPUTS, NETWORK, article_forecaster
from lstmcast.articles.airline_pictures import Scaled
from lstmcast.data.examples import airline
from lstmcast.training.callbacks import EpochReport

TURN, WARM, RUNS = 10, 2, 3  # epochs in a turn; turns that do not count; runs


class Turns:
    """A callback: after ten epochs of ours, ten of the bare loop."""

    def __init__(self) -> None:
        scaled = Scaled(airline().values, HELD_BACK)
        x_TC, label_TC = (
            torch.from_numpy(values[:, None].astype(np.float32))
            for values in (scaled.inputs, scaled.labels)
        )
        train, back = slice(None, -HELD_BACK), slice(-HELD_BACK, None)
        self.loop = BareSequence(
            (x_TC[train], label_TC[train]), (x_TC[back], label_TC[back]), NETWORK.layers
        )
        self.rows: list[tuple[float, float]] = []
        self.began = time.process_time()

    def __call__(self, report: EpochReport) -> None:
        if report.epoch % TURN:
            return
        between = time.process_time()
        self.loop.train(TURN)
        self.rows.append((between - self.began, time.process_time() - between))
        self.began = time.process_time()


def run() -> dict[str, float]:
    """Processor seconds of 1,000 epochs of each, and the median of their ratios."""
    turns, panel = Turns(), airline()
    article_forecaster(panel, INPUTS, seed=0).fit(panel, threads=1, callbacks=[turns])
    ours_K, bare_K = np.array(turns.rows[WARM:]).T
    of_all = len(turns.rows) / len(ours_K)
    return {
        "ours": of_all * float(ours_K.sum()),
        "bare": of_all * float(bare_K.sum()),
        "ratio": float(np.median(ours_K / bare_K)),
    }


def main() -> None:
    given = arguments(__doc__ or "").parse_args()
    began = time.monotonic()
    runs = [run() for _ in range(RUNS)]
    found: dict[str, Any] = {
        name: median(one[name] for one in runs) for name in runs[0]
    }
    print_table([found])
    if not given.dry:
        write_result(
            "airline_loop", __doc__, {"rows": [found]}, time.monotonic() - began
        )


if __name__ == "__main__":
    main()
