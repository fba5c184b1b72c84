"""Many monthly series at once beside Nixtla's and AutoGluon's libraries: whole processes, from
Parquet to Parquet.

The series are those of many.py: synthetic, 60 months that are read and 12 that are forecast, with
80% intervals. StatsForecast fits a model to each series, NeuralForecast trains a network on all of
them (300 updates, windows of 36), AutoGluon fits the models of its preset `fast_training`; each as
its documentation shows, with OMP_NUM_THREADS=1. Rows of an earlier run stay where they are not
measured again. `seconds` is processor time with reading, writing and imports, `per_thousand` that
for 1,000 series, `megabytes` the peak of resident memory. MASE divides by the seasonal naive error
on the 60 months. All series are made in one way, which is what AutoETS assumes and what a network
that is trained on them can learn: how accurate forecasts of real series are, other benchmarks say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from common import HERE, arguments, print_table, read_result, write_result
from many import MONTHS, OWN, measured_process, write_series

HORIZON, PERIOD = 12, 12
OURS = ("forecast", "q0.1", "q0.9")
THEIRS = ("forecast", "lower", "upper")
SHOWN = ("what", "series", "seconds", "per_thousand", "megabytes", "mase", "coverage80")


class Split(NamedTuple):
    """What methods read, and what their forecasts are compared with."""

    source: Path
    actual_SH: np.ndarray
    scale_S: np.ndarray  # the seasonal naive error on what is read


def split(path: Path, folder: Path) -> Split:
    """The last year of each series, apart."""
    source = folder / "read.parquet"
    number = "row_number() OVER (PARTITION BY unique_id ORDER BY ds)"
    read = f"SELECT * FROM '{path}' QUALIFY {number} <= {MONTHS} ORDER BY unique_id, ds"
    duckdb.execute(f"COPY ({read}) TO '{source}'")
    ordered = duckdb.execute(f"SELECT y FROM '{path}' ORDER BY unique_id, ds")
    values_ST = ordered.fetchnumpy()["y"].reshape(-1, MONTHS + HORIZON)
    history = values_ST[:, :MONTHS]
    change = np.abs(history[:, PERIOD:] - history[:, :-PERIOD])
    return Split(source, values_ST[:, MONTHS:], change.mean(axis=1))


def scores(out: Path, columns: Sequence[str], data: Split) -> dict[str, float]:
    """MASE, and the share of values between the bounds."""
    names = ", ".join(f'"{name}"' for name in columns)
    found = duckdb.execute(
        f"SELECT {names} FROM '{out}' ORDER BY unique_id, ds"
    ).fetchnumpy()
    shape = data.actual_SH.shape
    middle, low, high = (np.asarray(found[name]).reshape(shape) for name in columns)
    error_S = np.abs(data.actual_SH - middle).mean(axis=1) / data.scale_S
    inside = (low <= data.actual_SH) & (data.actual_SH <= high)
    return {"mase": float(error_S.mean()), "coverage80": float(inside.mean())}


def own(method: str, source: Path, out: Path) -> list[str]:
    """The command of a forecast by this package."""
    words = [
        "forecast",
        str(source),
        "-H",
        str(HORIZON),
        "--cutoffs",
        "0",
        "--out",
        str(out),
    ]
    return [sys.executable, "-m", "lstmcast", *words, "--method", method]


def peer(method: str, python: str, source: Path, out: Path) -> list[str]:
    """The command of one by another library."""
    # numba would take our coverage.py for the package of that name
    script = str(HERE / "peer_many.py")
    return [python, "-P", script, method, str(source), str(HORIZON), str(out)]


def row(what: str, command: list[str], versions: Path) -> dict[str, Any]:
    """What a process took, and the versions that it printed."""
    usage = measured_process(command, versions, {"PYTHONPATH": str(OWN / "src")})
    text = versions.read_text().splitlines()
    told = json.loads(text[-1]) if text and text[-1].startswith("{") else {}
    return {"what": what, **usage, "versions": told}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--count", type=int, default=10_000, help="series")
    parser.add_argument(
        "--methods", default="network,auto", help="of lstmcast, by commas"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="METHOD=PYTHON",
        help="may be given again",
    )
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    began = time.monotonic()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "series.parquet", given.count, MONTHS + HORIZON)
        data = split(folder / "series.parquet", folder)
        out, versions = folder / "out.parquet", folder / "versions"
        for method in filter(None, given.methods.split(",")):
            found = row(f"lstmcast, {method}", own(method, data.source, out), versions)
            rows.append(found | scores(out, OURS, data))
        for asked in given.peer:
            method, _, python = asked.partition("=")
            found = row(method, peer(method, python, data.source, out), versions)
            rows.append(found | scores(out, THEIRS, data))
    for one in rows:
        one |= {
            "series": given.count,
            "per_thousand": 1000 * one["seconds"] / given.count,
        }
    print_table([{key: one[key] for key in SHOWN} for one in rows])
    if not given.dry:
        new = {(one["what"], one["series"]) for one in rows}
        kept = (read_result("many_peers") or {"rows": []})["rows"]
        rows += [one for one in kept if (one["what"], one["series"]) not in new]
        rows.sort(key=lambda one: (one["series"], one["per_thousand"]))
        write_result("many_peers", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
