"""A forecast of 100,000 monthly series of 60 values, from Parquet to Parquet: whole processes.

The series are synthetic: a walk with a season of its own, in one long table of six million rows.
Each checkout runs its own `lstmcast forecast FILE -H 12 --cutoffs 0 --out OUT`, without a backtest,
on the same file: `seconds` of processor time, user and system together, and the peak of resident
memory in megabytes. Checkouts take turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from common import HERE, arguments, print_table, write_result

MONTHS = 60
OWN = HERE.parent


def write_series(path: Path, count: int, length: int = MONTHS, first: int = 0) -> None:
    """A Parquet file of so many series, the first of which has this number."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rng = np.random.default_rng(first)
    level = np.exp(np.cumsum(rng.normal(0, 0.05, (count, length)), axis=1))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(length) / 12 + phase)
    months = np.datetime64("2019-01") + np.arange(length)
    ids = pa.array([f"series_{number:07d}" for number in range(first, first + count)])
    columns = {
        "unique_id": ids.take(pa.array(np.repeat(np.arange(count), length))),
        "ds": np.tile(months.astype("datetime64[ms]"), count),
        "y": (100 * level * season).round(2).ravel(),
    }
    parquet.write_table(pa.table(columns), path)


def measured(checkout: Path, *command: str) -> dict[str, float]:
    """Processor seconds, wall seconds and peak megabytes of a checkout's command line."""
    sources = {"PYTHONPATH": str(checkout / "src")}
    return measured_process(
        [sys.executable, "-m", "lstmcast", *command], Path(os.devnull), sources
    )


def measured_process(
    command: Sequence[str], printed: Path, variables: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Processor seconds, wall seconds and peak megabytes of a process; what it prints goes into a
    file."""
    environment = {**os.environ, "MPLBACKEND": "agg", **(variables or {})}
    began = time.perf_counter()
    with open(printed, "w") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        errors.seek(0)
        told = errors.read()[-2000:]
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}:\n{told}")
    return {
        "seconds": usage.ru_utime + usage.ru_stime,
        "wall": time.perf_counter() - began,
        "megabytes": usage.ru_maxrss / 1024,  # Linux counts kilobytes
    }


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--count", type=int, default=100_000, help="series")
    parser.add_argument(
        "--methods", default="network,auto", help="of this checkout, by commas"
    )
    parser.add_argument(
        "--beside", type=Path, help="another checkout, as it forecasts unasked"
    )
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name) / "series.parquet", Path(name) / "forecast.parquet"
        write_series(source, given.count)
        command = (
            "forecast",
            str(source),
            "-H",
            "12",
            "--cutoffs",
            "0",
            "--out",
            str(out),
        )
        rows = []
        if given.beside:
            rows.append({"what": given.beside.name} | measured(given.beside, *command))
        for method in given.methods.split(","):
            rows.append({"what": method} | measured(OWN, *command, "--method", method))
    print_table(rows)
    if not given.dry:
        result = {row["what"]: row for row in rows} | {"series": given.count}
        write_result("many", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
