"""A million monthly series in parts, and backtests and anomalies of 50,000: whole processes.

The series are those of many.py, 60 values each, in Parquet files of 50,000 series. `lstmcast
COMMAND FOLDER --chunk 5000 --workers 2 --out PARTS`, 12 steps ahead, the backtest at five cutoffs
beside simple forecasts. `seconds` is processor time of all processes together, `per_thousand` that
for 1,000 series, `megabytes` the resident memory of the largest process: three of them run, of
which two are as large. Data and results are in a temporary folder, 1.2 GB for a million series.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from common import arguments, print_table, read_result, write_result
from many import OWN, measured, write_series

SERIES = {"forecast": 1_000_000, "backtest": 50_000, "anomalies": 50_000}
AHEAD = {"forecast": ("-H", "12"), "backtest": ("-H", "12"), "anomalies": ()}
EACH, CHUNK, WORKERS = 50_000, 5000, 2


def write_folder(folder: Path, count: int) -> None:
    """Files of so many series altogether."""
    folder.mkdir()
    for first in range(0, count, EACH):
        path = folder / f"{first:08d}.parquet"
        write_series(path, min(EACH, count - first), first=first)


def row(command: str, count: int) -> dict[str, object]:
    """What a command took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder / "series", count)
        spread = ("--chunk", str(CHUNK), "--workers", str(WORKERS))
        words = (command, str(folder / "series"), *AHEAD[command], *spread)
        took = measured(OWN, *words, "--out", str(folder / "parts"))
    per_thousand = 1000 * took["seconds"] / count
    return {"command": command, "series": count, **took, "per_thousand": per_thousand}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "commands",
        nargs="*",
        metavar="COMMAND[=SERIES]",
        default=list(SERIES),
        help=f"which of {', '.join(SERIES)}, and how many series",
    )
    given = parser.parse_args()
    began = time.monotonic()
    rows = []
    for asked in given.commands:
        command, _, count = asked.partition("=")
        rows.append(row(command, int(count or SERIES[command])))
    print_table(rows)
    if not given.dry:
        new = {one["command"] for one in rows}
        kept = (read_result("many_parts") or {"rows": []})["rows"]
        rows += [one for one in kept if one["command"] not in new]
        rows.sort(key=lambda one: list(SERIES).index(one["command"]))
        write_result("many_parts", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
