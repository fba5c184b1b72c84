"""Seconds of whole processes of two versions, taking turns, for `make accuracy`.

The airline command (`lstmcast forecast examples/airline.csv --horizon 12`) and the forecast of the
1,428 series of M3 monthly from a CSV file, without the backtest table. The versions take turns, so
that what else runs on the machine touches both alike; the ratio is the median over the turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accuracy_cache import Version, environment
from m3 import write_csv
from sets import load
from speed import AIRLINE

PAIRS = {"airline": 9, "m3_monthly": 5}


def seconds(version: Version, arguments: Sequence[str]) -> float:
    """Wall seconds of one process; all cores, as a user would have it."""
    assert version.sources is not None  # who asks has checked it
    settings = environment(version.sources)
    del settings["OMP_NUM_THREADS"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lstmcast", *arguments], env=settings, capture_output=True, text=True
    )
    spent = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(
            f"lstmcast {' '.join(arguments)} ended with status {done.returncode}, with the sources "
            f"in {version.sources}:\n{done.stderr}"
        )
    return spent


def pairs(
    ours: Version, theirs: Version, arguments: Sequence[str], extra: Sequence[str], times: int
) -> dict[str, Any]:
    """Medians of both, and of the ratio within each turn. `extra` is said to ours alone."""
    commands = ((ours, (*arguments, *extra)), (theirs, tuple(arguments)))
    for version, command in commands:  # files come into the system's cache
        seconds(version, command)
    turns = [[seconds(*command) for command in commands] for _ in range(times)]
    return {
        "seconds": statistics.median(turn[0] for turn in turns),
        "beside": statistics.median(turn[1] for turn in turns),
        "ratio": statistics.median(turn[0] / turn[1] for turn in turns),
        "turns": times,
    }


def times(ours: Version, theirs: Version, data: Path) -> dict[str, dict[str, Any]]:
    """Both commands; the second with the network alone too, where ours can be told so."""
    result = {}
    alone = ("--method", "network")
    with tempfile.TemporaryDirectory() as folder:
        table, target = Path(folder) / "series.csv", Path(folder) / "forecast.csv"
        monthly = load("m3_monthly", data)
        write_csv(monthly, table)
        out = ("--horizon", str(monthly.horizon), "--cutoffs", "0", "--out", str(target))
        commands = {
            "airline": ("forecast", str(AIRLINE), "--horizon", "12"),
            "m3_monthly": ("forecast", str(table), *out),
        }
        for name, command in commands.items():
            result[name] = pairs(ours, theirs, command, (), PAIRS[name])
            if ours.tells_methods:
                result[f"{name}, network"] = pairs(ours, theirs, command, alone, PAIRS[name])
    return result
