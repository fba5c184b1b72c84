"""Scores of AutoETS and AutoTheta (statsforecast) on the benchmarks' test parts, kept in
evidence/results/peers/.

They take minutes and do not depend on our network, so they are computed once: `python
benchmarks/peers.py m3 classic airline`, or with the `--peers` option of the benchmark. Each series
is fitted anew at each cutoff, with the season length of its frequency where two cycles are known
and 1 otherwise; statsforecast's AutoETS ignores seasons longer than 24 (weekly series). Where a fit
fails the naive forecast stands. `core_seconds` is the time of all fits together, compiling left
out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    RESULTS,
    arguments,
    circumstances,
    data_folder,
    print_table,
    rounded,
    scores,
)
from headers import header
from sets import SINGLE, DataSet, load

from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import Classical

GROUPS = {
    "m3": ["m3_yearly", "m3_quarterly", "m3_monthly", "m3_other"],
    "classic": [name for name in SINGLE if name.startswith("classic_")],
    "airline": ["airline"],
}
METHODS = ("AutoETS", "AutoTheta")


class Timed:
    """A map over processes that adds up the seconds of the work itself."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool, self.seconds = pool, 0.0

    def __call__(
        self, function: Callable[..., Any], items: Iterable[Any]
    ) -> Iterable[Any]:
        for value, seconds in self.pool.map(
            partial(_timed, function), items, chunksize=8
        ):
            self.seconds += seconds
            yield value


def _timed(function: Callable[..., Any], item: Any) -> tuple[Any, float]:
    began = time.process_time()
    return function(item), time.process_time() - began


def _compile() -> None:
    """One small fit of each method: numba compiles it for this process."""
    small = 10 + np.sin(np.arange(40)) + np.arange(40) / 10
    for method in METHODS:
        for period in (1, 4):
            _fit_once(method, small, period)


def _fit_once(method: Any, values: np.ndarray, period: int) -> None:
    import lstmcast as lc

    Classical(method, period=period).predict(lc.Panel.from_arrays(values), 4)


def peer_scores(dataset: DataSet, pool: ProcessPoolExecutor) -> list[dict[str, Any]]:
    """A row for each method."""
    rows = []
    for method in METHODS:
        timed = Timed(pool)
        tested = backtest(
            Classical(method, map=timed),
            dataset.panel,
            cutoffs=dataset.counts,
            horizon=dataset.horizon,
            baselines=False,
        )
        row = scores(dataset, tested.actual, tested.forecasts[method])
        rows.append(
            {
                "set": dataset.name,
                "method": method,
                **row,
                "core_seconds": timed.seconds,
            }
        )
    return rows


def compute(group: str, data: Path) -> list[dict[str, Any]]:
    """Fit the methods on the sets of a group and keep their scores."""
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(
        len(os.sched_getaffinity(0)), initializer=_compile
    ) as pool:
        for name in GROUPS[group]:
            rows += peer_scores(load(name, data), pool)
            print_table(rows[-len(METHODS) :])
    document = {
        "name": f"peers/{group}",
        "protocol": " ".join((__doc__ or "").split()),
        **header(f"peers/{group}"),
        **circumstances(),
        "rows": rows,
    }
    del document["weights_sha256"]
    path = RESULTS / "peers" / f"{group}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(document), indent=1, ensure_ascii=False) + "\n")
    return rows


def peer_rows(group: str, data: Path, again: bool) -> list[dict[str, Any]]:
    """The kept rows of a group; computed where `again` says so, none where they never were."""
    path = RESULTS / "peers" / f"{group}.json"
    if again:
        return compute(group, data)
    return json.loads(path.read_text())["rows"] if path.exists() else []


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "groups", nargs="*", default=list(GROUPS), help=f"which of {', '.join(GROUPS)}"
    )
    given = parser.parse_args()
    for group in given.groups:
        compute(group, data_folder(given.data))
