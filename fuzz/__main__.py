"""`make fuzz`: changed files, changed models and killed commands, and what they lead to.

    python -m fuzz --inputs 100000 --models 20000 --kills 100 --seed 0

Prints a table; exit status 1 where there is a defect. Each input follows from its number: `--seed N
--inputs 1` tries the N-th again.
"""

from __future__ import annotations

import argparse
import collections
import functools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lstmcast as lc
from lstmcast import store

from .trials import Saved, killed, load_changed, read_changed

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "fuzz" / "seeds"
COMMANDS = {
    "forecast": [
        "forecast",
        "data.csv",
        "-H",
        "3",
        "--cutoffs",
        "0",
        "--out",
        "f.csv",
        "--save",
        "m",
    ],
    "picture": ["forecast", "data.csv", "-H", "3", "--cutoffs", "0", "--plot", "f.png"],
    "report": ["forecast", "data.csv", "-H", "3", "--report", "r.html"],
    "parquet": [
        "forecast",
        "data.csv",
        "-H",
        "3",
        "--cutoffs",
        "0",
        "--out",
        "f.parquet",
    ],
}
WRITTEN = {
    "forecast": ["f.csv", "m"],
    "picture": ["f.png"],
    "report": ["r.html"],
    "parquet": ["f.parquet"],
}


def sources() -> list[Path]:
    """The files that are changed."""
    return sorted([*SEEDS.iterdir(), ROOT / "examples" / "airline.csv"])


def saved_model(folder: Path) -> Saved:
    """What a saved model holds: two series, one of counts with a closed Sunday."""
    days = np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")
    values = {
        "a": 100.0 + np.arange(91) % 7,
        "b": np.where(np.arange(91) % 7 == 6, np.nan, 3.0),
    }
    panel = lc.Panel.from_arrays(
        values, frequency="D", start=str(days[0]), calendar="observed"
    )
    lc.LSTMForecaster(3).save(folder / "whole", panel)
    return store.load(folder / "whole")


def tried(
    count: int, seed: int, trial: Callable[[int], str]
) -> collections.Counter[str]:
    """How often each came of so many numbers; the first number of each defect is told."""
    found: collections.Counter[str] = collections.Counter()
    for number in range(seed, seed + count):
        outcome = trial(number)
        if outcome.startswith("defect") and outcome not in found:
            sys.stderr.write(f"  number {number}: {outcome}\n")
        found[outcome] += 1
    return found


def main() -> int:
    """Try all of it and print the table; 1 where there is a defect."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    for name, usual in (("inputs", 2000), ("models", 500), ("kills", 4), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    outcomes: dict[str, collections.Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, files = Path(name), sources()
        outcomes["files"] = tried(
            asked.inputs, asked.seed, lambda number: read_changed(number, files, folder)
        )
        saved = saved_model(folder)
        outcomes["models"] = tried(
            asked.models, asked.seed, lambda number: load_changed(number, saved, folder)
        )
        for command in COMMANDS:
            trial = functools.partial(_killed, command=command, folder=folder)
            outcomes[f"kill: {command}"] = tried(asked.kills, asked.seed, trial)
    table = [f"{'what':16} {'number':>8}  came of it"]
    for what, found in outcomes.items():
        told = ", ".join(
            f"{outcome} {count:,}" for outcome, count in found.most_common()
        )
        table.append(f"{what:16} {found.total():8,}  {told}")
    sys.stdout.write("\n".join(table) + "\n")
    return int(
        any(one.startswith("defect") for found in outcomes.values() for one in found)
    )


def _killed(number: int, *, command: str, folder: Path) -> str:
    place = folder / f"{command}{number}"
    place.mkdir()
    (place / "data.csv").write_bytes((ROOT / "examples" / "airline.csv").read_bytes())
    return killed(
        number, COMMANDS[command], place, [Path(name) for name in WRITTEN[command]]
    )


if __name__ == "__main__":
    sys.exit(main())
