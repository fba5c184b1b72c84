"""The examples of the five articles, each run by its command: errors and seconds, beside the
numbers aimed at.

Five seeds each, by default and with the article's own settings, of which the median counts; of
`sine --faithful` and `beats --faithful`, which take long, those that were run. Runs are kept in a
folder: what is there is not run again, and what was interrupted goes on. Examples that are not
named keep the rows of the last result; so do the two long ones, unless they are asked for, or were
run.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from common import HERE, print_table, read_result, write_result

from lstmcast.articles import EXAMPLES

SEEDS = (0, 1, 2, 3, 4)
# Minutes on two idle cores, and a quarter of an hour: how many seeds are run when asked for.
LONG = {("sine", "faithful"): 5, ("beats", "faithful"): 1}


class Goal(NamedTuple):
    """The most that the measure of that place may be, and its seconds."""

    value: float | None = None
    seconds: float | None = None


# By example and mode, in the order of its measures.
GOALS = {
    ("airline", "default"): (Goal(24.0), Goal(15.3)),
    ("airline", "faithful"): (),
    ("sine", "default"): (Goal(0.003, 12.0),),
    ("beats", "default"): (Goal(0.02, 12.0),),
    # after ten observed steps, and after one
    ("sine-cosine", "default"): (Goal(0.01, 20.0), Goal(0.03)),
    # the third measure is the first over the second, the naive forecast's
    ("stocks", "default"): (Goal(), Goal(), Goal(0.85)),
}
# the second measure is the naive forecast's: the first has to be 10% below it
NAIVE, BELOW = ("temperature", "default"), 0.9


def main() -> None:
    given = _arguments()
    began = time.monotonic()
    rows = []
    before = (read_result("articles") or {"rows": []})["rows"]
    for name in EXAMPLES:
        for mode in ("default", "faithful"):
            seeds = _seeds(name, mode, given)
            if name in given.examples and seeds:
                rows += _rows(name, mode, seeds, given)
            else:
                rows += [
                    row
                    for row in before
                    if (row["example"], row["mode"]) == (name, mode)
                ]
    print_table([{"goal": None, **row} for row in rows])
    missed = [_missed(row) for row in rows if _missed(row)]
    print("\n".join(missed) or "All goals are reached.")
    if not given.dry:
        write_result("articles", __doc__, {"rows": rows}, time.monotonic() - began)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "examples",
        nargs="*",
        default=list(EXAMPLES),
        metavar="NAME",
        help="examples (default: all)",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=HERE.parent / "runs" / "articles",
        help="where runs are kept",
    )
    parser.add_argument(
        "--again", action="store_true", help="do not take runs that ended from there"
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help="run sine --faithful and beats --faithful too",
    )
    parser.add_argument(
        "--dry", action="store_true", help="print only: leave the result file as it is"
    )
    given = parser.parse_args()
    unknown = sorted(set(given.examples) - set(EXAMPLES))
    if unknown:
        parser.error(f"{unknown[0]!r} is not one of {', '.join(EXAMPLES)}")
    return given


def _seeds(name: str, mode: str, given: Any) -> tuple[int, ...]:
    """The seeds that are run, or were."""
    most = LONG.get((name, mode))
    if most is None:
        return SEEDS
    if given.long:
        return SEEDS[:most]
    return tuple(seed for seed in SEEDS if _ended(given.runs / f"{name}-{mode}-{seed}"))


def _rows(
    name: str, mode: str, seeds: tuple[int, ...], given: Any
) -> list[dict[str, Any]]:
    """One row for each measure: the median over the seeds, and their range."""
    runs = [_run(name, mode, seed, given) for seed in seeds]
    goals = GOALS.get((name, mode), ())
    rows = []
    for place, measures in enumerate(zip(*runs, strict=True)):
        values, seconds = (
            [float(measure[key]) for measure in measures]
            for key in ("value", "seconds")
        )
        row = {"example": name, "mode": mode, "measure": measures[0]["measure"]}
        row |= {
            "value": median(values),
            "seconds": median(seconds),
            "low": min(values),
            "high": max(values),
        }
        row |= {"seeds": len(seeds)}
        goal = goals[place] if place < len(goals) else Goal()
        row |= {
            key: limit
            for key, limit in (("goal", goal.value), ("goal_seconds", goal.seconds))
            if limit
        }
        rows.append(row)
    if (name, mode) == NAIVE:
        rows[0]["goal"] = BELOW * rows[1]["value"]
    return rows


def _run(name: str, mode: str, seed: int, given: Any) -> list[dict[str, str]]:
    """The rows of summary.csv of one run."""
    folder = given.runs / f"{name}-{mode}-{seed}"
    if given.again and _ended(folder):
        shutil.rmtree(folder)
    if not _ended(folder):
        print(f"{name}, {mode}, seed {seed}", flush=True)
        command = [
            sys.executable,
            "-m",
            "lstmcast",
            "example",
            name,
            "--out",
            str(folder),
            "--seed",
            str(seed),
        ]
        subprocess.run(
            [*command, *(["--faithful"] if mode == "faithful" else [])],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return list(
        csv.DictReader(
            (folder / "summary.csv").read_text(encoding="utf-8").splitlines()
        )
    )


def _ended(folder: Path) -> bool:
    return (folder / "summary.csv").exists() and not (folder / "checkpoints").exists()


def _missed(row: dict[str, Any]) -> str:
    limits = (("value", row.get("goal")), ("seconds", row.get("goal_seconds")))
    over = [
        f"{key} {row[key]:.4g} > {limit:g}"
        for key, limit in limits
        if limit is not None and row[key] > limit
    ]
    return (
        f"missed: {row['example']}, {row['mode']}, {row['measure']}: {', '.join(over)}"
        if over
        else ""
    )


if __name__ == "__main__":
    main()
