"""Seconds of whole processes of two versions, taking turns, for `make accuracy`.

The airline command (`lstmcast forecast examples/airline.csv --horizon 12`) and the forecast of the
1,428 series of M3 monthly from a CSV file, without the backtest table. The versions take turns at
going first, so that what else runs on the machine touches both alike; ratios are medians over the
turns. Processor seconds say more where the machine is busy.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from accuracy_cache import Version, environment
from m3 import write_csv
from sets import load
from speed import AIRLINE

TURNS = {"airline": 10, "m3_monthly": 6}


class Spent(NamedTuple):
    """Seconds of one process: on the clock, and of all processors together."""

    seconds: float
    processor: float


def spent(version: Version, arguments: Sequence[str], compiled: Path) -> Spent:
    """What one process takes, with all cores, as a user would have it.

    Both versions keep their compiled modules in a folder made for this: a checkout that had none,
    and may write none, would compile all of them in each process.
    """
    assert version.sources is not None  # who asks has checked it
    settings = environment(version.sources) | {"PYTHONPYCACHEPREFIX": str(compiled)}
    for name in ("OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"):
        settings.pop(name, None)
    processor, began = children_seconds(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lstmcast", *arguments],
        env=settings,
        capture_output=True,
        text=True,
    )
    result = Spent(time.perf_counter() - began, children_seconds() - processor)
    if done.returncode:
        raise SystemExit(
            f"lstmcast {' '.join(arguments)} ended with status {done.returncode}, with the sources "
            f"in {version.sources}:\n{done.stderr}"
        )
    return result


def children_seconds() -> float:
    """Processor seconds of all processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pairs(
    commands: Mapping[str, tuple[Version, Sequence[str], Path]], turns: int
) -> dict[str, Any]:
    """Medians of "ours" and "theirs", and of the ratios within each turn."""
    # modules are compiled, files come into the system's cache
    for command in commands.values():
        spent(*command)
    found: list[dict[str, Spent]] = []
    for turn in range(turns):
        order = list(commands) if turn % 2 else list(commands)[::-1]
        found.append({name: spent(*commands[name]) for name in order})
    median = statistics.median
    return {
        "seconds": median(turn["ours"].seconds for turn in found),
        "beside": median(turn["theirs"].seconds for turn in found),
        "ratio": median(
            turn["ours"].seconds / turn["theirs"].seconds for turn in found
        ),
        "processor_ratio": median(
            turn["ours"].processor / turn["theirs"].processor for turn in found
        ),
        "turns": turns,
    }


def times(ours: Version, theirs: Version, data: Path) -> dict[str, dict[str, Any]]:
    """Both commands, and with the network alone where ours can be told so."""
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled"
        for name, command in commands_in(Path(folder), data).items():
            variants = {name: command}
            if ours.tells_methods:
                variants[f"{name}, network"] = (*command, "--method", "network")
            for label, variant in variants.items():
                both = {
                    "ours": (ours, variant, compiled),
                    "theirs": (theirs, command, compiled),
                }
                result[label] = pairs(both, TURNS[name])
    return result


def commands_in(folder: Path, data: Path) -> dict[str, tuple[str, ...]]:
    """The commands by name; the series of the second are written to the folder."""
    monthly = load("m3_monthly", data)
    write_csv(monthly, folder / "series.csv")
    out = ("--cutoffs", "0", "--out", str(folder / "forecast.csv"))
    return {
        "airline": ("forecast", str(AIRLINE), "--horizon", "12"),
        "m3_monthly": (
            "forecast",
            str(folder / "series.csv"),
            "--horizon",
            str(monthly.horizon),
            *out,
        ),
    }
