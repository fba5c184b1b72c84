"""The course on temperatures beyond its own run: does a kernel of zeros work more often than one of
ones, and what comes of real data?

`starts`: the course's network and training (20 units, Adam, patience 2) with kernels that begin
with zeros, with ones, and as Keras draws them: three seeds each, on the course's 101 days and on
four years of days (both simulated). `works`: runs whose error of five steps, each fed back, is
below that of the last known value.

`jena`: 4,000 real temperatures, 10 minutes apart, through `lstmcast example temperature --data`,
with our defaults and as in the course: medians of five seeds. The file is no part of the project.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from common import arguments, data_folder, print_table, write_result

import lstmcast as lc
from lstmcast import articles
from lstmcast.articles import temperature
from lstmcast.articles.runs import ExampleRun

STARTS, SEEDS, JENA_SEEDS = ("zeros", "ones", "keras"), (0, 1, 2), 5
COLUMN = "T (degC)"


def start(initialiser: str, days: int) -> dict[str, Any]:
    """The course's run on so many days, with another start: medians and ranges of three seeds."""
    dates, values = temperature.temperatures(days)
    panel = lc.Panel.from_arrays(
        {"temperature": values}, frequency="D", start=str(dates[0])
    )
    chosen = temperature.settings(faithful=True, days=days)
    chosen = chosen._replace(training=replace(chosen.training, initialiser=initialiser))
    errors, epochs, naive = [], [], 0.0
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            to = ExampleRun(folder, quiet=True)
            measures = temperature.forecast_five(to, panel, chosen, seed)
            epochs.append(len(lc.load(to.folder / "model").history))
        errors.append(measures[0].value)
        naive = measures[1].value
    return {
        "start": initialiser,
        "days": days,
        "rmse": median(errors),
        "low": min(errors),
        "high": max(errors),
        "naive": naive,
        "works": sum(error < naive for error in errors),
        "seeds": len(SEEDS),
        "epochs": median(epochs),
    }


def jena(file: Path, faithful: bool) -> dict[str, Any]:
    """Medians of five seeds on the weather of Jena."""
    with tempfile.TemporaryDirectory() as folder:
        network, naive, *_ = articles.run(
            "temperature",
            data=file,
            column=COLUMN,
            faithful=faithful,
            out=folder,
            seeds=JENA_SEEDS,
            quiet=True,
        )
    return {
        "mode": "faithful" if faithful else "default",
        "rmse": network.value,
        "low": network.lowest,
        "high": network.highest,
        "naive": naive.value,
        "skill": 1 - network.value / naive.value,
        "seeds": network.seeds,
        "seconds": network.seconds,
    }


def main() -> None:
    given = arguments(__doc__ or "").parse_args()
    began = time.monotonic()
    file = data_folder(given.data) / "jena_first4000.parquet"
    starts = [
        start(initialiser, days)
        for days in (temperature.FEW, temperature.MANY)
        for initialiser in STARTS
    ]
    print_table(starts)
    real = [jena(file, faithful) for faithful in (False, True)]
    print_table(real)
    if not given.dry:
        write_result(
            "temperature",
            __doc__,
            {"starts": starts, "jena": real},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
