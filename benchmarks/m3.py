"""M3 competition, nothing trained: all 3,003 series with their official test parts, beside peers
and baselines.

One forecast per series at the end of its training part. sMAPE is the competition's (mean over
series), MASE divides by the in-sample error of the seasonal naive forecast (periods 1, 4, 12, 1 for
yearly, quarterly, monthly, other), the CRPS (from five quantiles) by the same. `seconds` is the
forecast of the whole part in this process, with intervals and their calibration. The whole process
is timed as well: `lstmcast forecast` of a CSV file with the 1,428 monthly series, without the
backtest table, median of three. AutoETS and AutoTheta are statsforecast's, fitted to each series
(see peers.py): seconds of one core.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import arguments, data_folder, print_table, scores, write_result
from peers import GROUPS, peer_rows
from sets import DataSet, load
from speed import lstmcast_seconds

import lstmcast as lc
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import default_baselines


def part(dataset: DataSet) -> list[dict[str, Any]]:
    """A row for our forecast and one for each baseline."""
    model = lc.LSTMForecaster(horizon=dataset.horizon)
    began = time.perf_counter()
    model.predict(dataset.panel.until(dataset.counts[:, 0]))
    seconds = time.perf_counter() - began
    tested = backtest(
        model, dataset.panel, cutoffs=dataset.counts, baselines=default_baselines()
    )
    rows = []
    for method, forecast in tested.forecasts.items():
        row = {
            "set": dataset.name,
            "method": method,
            **scores(dataset, tested.actual, forecast),
        }
        rows.append(row | ({"seconds": seconds} if method == model.name else {}))
    return rows


def write_csv(dataset: DataSet, path: Path) -> None:
    """The training part as a user's file: unique_id, ds, y."""
    panel = dataset.panel.until(dataset.counts[:, 0])
    times = np.concatenate([panel.times(i) for i in range(len(panel))])
    columns = {
        "unique_id": np.repeat(panel.ids, panel.lengths),
        "ds": times,
        "y": panel.values,
    }
    pd.DataFrame(columns).to_csv(path, index=False, date_format="%Y-%m-%d")


def whole_process(dataset: DataSet, times: int) -> float:
    """Median seconds of the command line on a CSV file, from start to written forecast."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "series.csv", Path(folder) / "forecast.csv"
        write_csv(dataset, source)
        command = (
            "forecast",
            str(source),
            "--horizon",
            str(dataset.horizon),
            "--cutoffs",
            "0",
            "--out",
            str(target),
        )
        return statistics.median(lstmcast_seconds(*command) for _ in range(times))


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--peers", action="store_true", help="fit AutoETS and AutoTheta again (minutes)"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    # before the peers, whose libraries leave threads behind
    process = whole_process(load("m3_monthly", data), 5)
    rows: list[dict[str, Any]] = []
    for name in GROUPS["m3"]:
        rows += part(load(name, data))
    for row in peer_rows("m3", data, given.peers):
        rows.append({**row, "seconds": row["core_seconds"]})
    order = GROUPS["m3"]
    rows.sort(key=lambda row: order.index(row["set"]))
    keys = (
        "set",
        "method",
        "smape",
        "mase",
        "scaled_crps",
        "coverage80",
        "coverage95",
        "seconds",
    )
    rows = [{key: row[key] for key in keys if key in row} for row in rows]
    print_table(rows)
    print(f"\nwhole process, 1,428 monthly series: {process:.2f} s")
    if not given.dry:
        result = {"whole_process_seconds": process, "rows": rows}
        write_result("m3", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
