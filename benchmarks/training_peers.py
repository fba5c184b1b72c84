"""Windows per second of training, M3 monthly: lstmcast beside NeuralForecast, Darts and a bare
PyTorch loop.

The same network for all: one or two LSTM layers of 64 units read 36 values, a linear layer answers
the next 18; squared error, Adam, 128 random windows in an update, float32, no validation, no files,
no progress bars. The series are the training parts of the 1,428 monthly series, each divided by its
mean beforehand. NeuralForecast's `LSTM` has a linear layer at each of the last 18 steps
(`decoder_layers=1`), no scaling, `windows_batch_size=128` of 32 series; Darts' `BlockRNNModel` is
the same network as ours. Each is a process of its own with one thread: processor seconds (what else
runs on the machine hardly counts) of a fit of 210 updates less those of one of 10, so that starting
and preparing are left out. The processes take turns; medians of three. `relative` is the median
over turns of the windows per second over the bare loop's in the same turn.

`lstmcast, every step` is another way to train the same network: a loss at each of the 36 steps of a
window, so that each step with the 18 values after it is an example; `examples_per_second` counts
these, and equals windows elsewhere. `mixed` computes in bfloat16 where that serves, as the peers
could too: it is not compared with them.

The peers are run with `--peers --python PATH` (a Python with neuralforecast and darts); their rows
are kept in evidence/results/peers/training.json with their versions and compared by `relative`
later, so that the machine's speed on that day does not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    HERE,
    RESULTS,
    arguments,
    circumstances,
    data_folder,
    print_table,
    rounded,
    write_result,
)
from headers import header
from peer_training import BATCH, WINDOW
from sets import load

SHORT, LONG, TURNS = 10, 210, 3
COMPARED = ("lstmcast", "lstmcast, every step")
OURS = ("bare PyTorch", *COMPARED, "lstmcast, mixed", "lstmcast, every step, mixed")
PEERS = ("NeuralForecast", "Darts")
KEPT = RESULTS / "peers" / "training.json"


def write_series(data: Path, path: Path) -> None:
    """Training parts, each divided by its mean."""
    dataset = load("m3_monthly", data)
    panel = dataset.panel.until(dataset.counts[:, 0])
    means = np.add.reduceat(panel.values, panel.offsets[:-1]) / panel.lengths
    np.savez(
        path,
        values=panel.values / np.repeat(means, panel.lengths),
        offsets=panel.offsets,
    )


def measured(library: str, layers: int, python: str, series: Path) -> dict[str, Any]:
    """Windows per second of one process, and its versions."""
    # numba would take our coverage.py for the package of that name
    alone = ["-P"] if library in PEERS else []
    command = [
        python,
        *alone,
        str(HERE / "peer_training.py"),
        library,
        str(layers),
        str(SHORT),
        str(LONG),
        str(series),
    ]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(HERE.parent / "src"),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=series.parent
    )
    if done.returncode:
        sys.exit(f"{library} failed with {python}:\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    seconds = (said["long"] - said["short"]) / (LONG - SHORT)
    return {"windows_per_second": BATCH / seconds, "versions": said["versions"]}


def take_turns(
    pythons: Mapping[str, str], layers: int, series: Path
) -> list[dict[str, Any]]:
    """A row for each library."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    for _ in range(TURNS):
        for name, python in pythons.items():
            found[name].append(measured(name, layers, python, series))
    speeds = {
        name: np.array([one["windows_per_second"] for one in turns])
        for name, turns in found.items()
    }
    rows = []
    for name, speed in speeds.items():
        relative = float(np.median(speed / speeds["bare PyTorch"]))
        examples = WINDOW if "every step" in name else 1
        rows.append(
            {
                "layers": layers,
                "library": name,
                "windows_per_second": float(np.median(speed)),
                "relative": relative,
                "examples_per_second": examples * float(np.median(speed)),
                "examples_relative": examples * relative,
                "versions": found[name][0]["versions"],
            }
        )
    return rows


def keep(rows: Sequence[Mapping[str, Any]]) -> None:
    """The peers' rows for later."""
    document = {
        "name": "peers/training",
        "protocol": " ".join((__doc__ or "").split()),
        **header("peers/training"),
        **circumstances(),
        "rows": rows,
    }
    del document["weights_sha256"]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(rounded(document), indent=1, ensure_ascii=False) + "\n")


def times_as_fast(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Our examples per second over each peer's, by peer, layers and where the loss is."""
    by_key = {(row["library"], row["layers"]): row for row in rows}
    found = {}
    for name, layers in by_key:
        if name in PEERS:
            for ours in COMPARED:
                value = (
                    by_key[ours, layers]["examples_relative"]
                    / by_key[name, layers]["examples_relative"]
                )
                found[f"{ours} / {name}, {layers} layer{'s' * (layers > 1)}"] = value
    return found


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="train with NeuralForecast and Darts again (minutes)",
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the Python that has them"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    pythons: dict[str, str] = dict.fromkeys(OURS, sys.executable)
    if given.peers:
        pythons.update(dict.fromkeys(PEERS, str(given.python)))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        series = Path(folder) / "series.npz"
        write_series(data, series)
        for layers in (1, 2):
            rows += take_turns(pythons, layers, series)
    peers = [row for row in rows if row["library"] in PEERS]
    if peers and not given.dry:
        keep(peers)
    if not given.peers and KEPT.exists():
        rows += json.loads(KEPT.read_text())["rows"]
    print_table(
        [
            {key: value for key, value in row.items() if key != "versions"}
            for row in rows
        ]
    )
    ratios = times_as_fast(rows)
    print_table(
        [
            {"examples per second": name, "times as many": value}
            for name, value in ratios.items()
        ]
    )
    if not given.dry:
        result = {"times_as_fast": ratios, "rows": rows}
        write_result("training_peers", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
