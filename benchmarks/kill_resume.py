"""Training that is killed at 20 random moments, and goes on each time: is the model the same, bit
for bit?

Four kinds of training on the CPU (one thread), five kills each: a network with causal inputs (two
members, averaged weights, dropout, trained again on everything), windows of transformed series
(dropout, a falling learning rate), rows that keep their states from epoch to epoch, and whole
sequences. Each runs once to its end in a process of its own. Then, for every kill, it begins anew
and the process is killed (signal 9) at a moment drawn uniformly from the time that the training
took; a new process resumes it, and what it gives is compared with the run that was not interrupted:
SHA-256 over the names and bytes of all weights and over all columns of the history but the seconds.
Checkpoints are written at the end of each epoch that ends 0.05 s after the last one (usually 5 s),
so that many kills fall into the writing of one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import HERE, arguments, print_table, write_result

import lstmcast as lc
from lstmcast.training_config import (
    SWA,
    Ema,
    Optimiser,
    Schedule,
    Stateful,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)
from lstmcast.transforms import Difference, Standard

EVERY = 0.05  # seconds between checkpoints
ADAM = Optimiser("adamw", 2e-3, clip=1.0, schedule=Schedule("warmup_cosine"))
PLAIN = {"inputs": lc.Transformed(Difference(), Standard()), "head": "point"}
KINDS: dict[str, tuple[dict[str, Any], TrainingConfig]] = {
    "causal": (
        {"layers": (16, 16), "dropout": 0.1},
        TrainingConfig(
            epochs=25,
            batching=Windows(loss="every"),
            optimiser=ADAM,
            average=Ema(0.95),
            members=2,
            patience=20,
            refit=True,
        ),
    ),
    "windows": (
        {"layers": (24, 24), "dropout": 0.2, **PLAIN},
        TrainingConfig(
            epochs=40,
            batching=Windows(24),
            optimiser=Optimiser("rmsprop", schedule=Schedule("plateau")),
            average=SWA(3),
        ),
    ),
    "stateful": (
        {"layers": (24,), **PLAIN},
        TrainingConfig(
            epochs=150,
            batching=Stateful(12, reset="never"),
            optimiser=Optimiser("adam", 3e-3),
        ),
    ),
    "whole sequences": (
        {"layers": (5, 4, 3), **PLAIN, "horizon": 1},
        TrainingConfig(
            epochs=400,
            batching=WholeSequence(),
            optimiser=Optimiser("rmsprop", 1e-2),
            validation=Validation(share=0.3),
        ),
    ),
}


def panel() -> lc.Panel:
    """Twelve monthly series, 60 to 159 long, a few values unknown."""
    rng = np.random.default_rng(0)
    series = {}
    for k in range(12):
        t = np.arange(60 + 9 * k)
        values = (
            100
            + 10 * k
            + t * rng.normal(0.5, 0.2)
            + 8 * np.sin(2 * np.pi * t / 12 + k)
            + rng.normal(0, 2, len(t))
        )
        values[rng.integers(20, 40, 2)] = np.nan
        series[f"series {k}"] = values
    return lc.Panel.from_arrays(series, frequency="MS", start="2010-01")


def train(kind: str, folder: Path, resume: bool) -> dict[str, Any]:
    """The digest of what training gives, and the seconds that it took."""
    from lstmcast.training import checkpoint, members

    members.Keeper = partial(checkpoint.Keeper, interval=EVERY)  # type: ignore[assignment]
    network, training = KINDS[kind]
    model = lc.LSTMForecaster(
        network.get("horizon", 6),
        weights="scratch",
        network=lc.NetworkConfig(**network),
        training=training,
    )
    data = panel()
    print("begun", flush=True)
    began = time.perf_counter()
    fitted = model.fit(data, folder=folder, resume=resume, threads=1)
    seconds = time.perf_counter() - began
    made = hashlib.sha256()
    assert fitted.network is not None
    for arrays in fitted.network.members:
        for name in sorted(arrays):
            made.update(name.encode() + arrays[name].tobytes())
    for name, column in fitted.history.columns().items():
        made.update(b"" if name == "seconds" else name.encode() + column.tobytes())
    return {"digest": made.hexdigest(), "seconds": seconds}


def process(kind: str, folder: Path, resume: bool) -> subprocess.Popen[str]:
    """A process that trains; it has begun when this returns."""
    command = [
        sys.executable,
        __file__,
        "--worker",
        kind,
        str(folder),
        *(["--resume"] if resume else []),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent / "src"),
        "OMP_NUM_THREADS": "1",
    }
    started = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    if started.stdout.readline().strip() != "begun":
        sys.exit(f"{kind} did not begin:\n{started.communicate()[1]}")
    return started


def finished(started: subprocess.Popen[str]) -> dict[str, Any]:
    """What the process says at its end."""
    said, problems = started.communicate()
    if started.returncode:
        sys.exit(f"training failed with status {started.returncode}:\n{problems}")
    return json.loads(said)


def one_kill(
    kind: str, expected: dict[str, Any], moment: float, folder: Path
) -> dict[str, Any]:
    """Kill a run at this moment and let another process go on."""
    started = process(kind, folder, resume=False)
    time.sleep(moment)
    was_running = started.poll() is None
    started.send_signal(signal.SIGKILL)
    started.communicate()
    checkpoints = (
        sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    )
    resumed = finished(process(kind, folder, resume=True))
    return {
        "kind": kind,
        "moment": moment,
        "was_running": was_running,
        "checkpoints": ", ".join(checkpoints),
        "resumed_seconds": resumed["seconds"],
        "same": resumed["digest"] == expected["digest"],
    }


def kill(kinds: list[str], times: int, seed: int) -> list[dict[str, Any]]:
    """A row for each kill."""
    rng = np.random.default_rng(seed)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for kind in kinds:
            expected = finished(
                process(kind, Path(place) / f"{kind} whole", resume=False)
            )
            for k in range(times):
                moment = float(rng.uniform(0, expected["seconds"]))
                rows.append(
                    one_kill(kind, expected, moment, Path(place) / f"{kind} {k}")
                )
                rows[-1]["whole_seconds"] = expected["seconds"]
                print(
                    f"{kind}: killed after {moment:.2f} s, "
                    f"{'the same' if rows[-1]['same'] else 'ANOTHER MODEL'}",
                    flush=True,
                )
    return rows


def worker(given: argparse.Namespace) -> None:
    """What runs in the process that is killed."""
    kind, folder = given.worker
    print(json.dumps(train(kind, Path(folder), given.resume)))


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--times", type=int, default=5, help="kills of each kind")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument(
        "--worker", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS
    )
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        worker(given)
        return
    began = time.monotonic()
    rows = kill(given.kinds, given.times, given.seed)
    print_table(rows)
    same = sum(row["same"] for row in rows)
    print(f"\n{same} of {len(rows)} the same, bit for bit")
    if not given.dry:
        result = {"kills": len(rows), "same": same, "rows": rows}
        write_result("kill_resume", __doc__, result, time.monotonic() - began)
    if same < len(rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
