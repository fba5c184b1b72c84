"""Do 80% and 95% intervals contain what they promise, on test parts that their calibration has
not seen?

The intervals of `LSTMForecaster.predict` are calibrated on cutoffs before each test cutoff, with
values known there only; the values that they are compared with come after it. Coverage over all
origins and steps, and at each step; beside it the network's own intervals, uncalibrated. `classic`
pools the ten series, five cutoffs each (steps beyond a series' horizon do not exist); M5 is the 70
shop × department series.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import Uncalibrated, arguments, data_folder, print_table, write_result
from peers import GROUPS
from sets import DataSet, load

import lstmcast as lc
from lstmcast.evaluation.backtest import backtest

SETS = (
    "m3_monthly",
    "m3_yearly",
    "m3_quarterly",
    "m3_other",
    "m4_hourly",
    "m5_store_dept",
    "airline",
)
LEVELS = (80, 95)


def inside(dataset: DataSet) -> dict[str, np.ndarray]:
    """For each kind of interval and level, whether each value lay inside: (O, H) of 1, 0, NaN =
    no value."""
    raw = Uncalibrated(dataset.horizon)
    model = lc.LSTMForecaster(dataset.horizon)
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=[raw])
    result = {}
    for kind, forecast in (
        ("calibrated", tested.forecasts[model.name]),
        ("uncalibrated", tested.forecasts[raw.name]),
    ):
        for level in LEVELS:
            _, lower, upper = forecast.interval(level)
            hit = (lower <= tested.actual) & (tested.actual <= upper)
            result[f"{kind}{level}"] = np.where(np.isnan(tested.actual), np.nan, hit)
    return result


def pooled(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Several sets as one; shorter horizons are filled up with NaN."""
    longest = max(next(iter(part.values())).shape[1] for part in parts)
    filled = [
        {
            name: np.pad(
                hit, ((0, 0), (0, longest - hit.shape[1])), constant_values=np.nan
            )
            for name, hit in part.items()
        }
        for part in parts
    ]
    return {name: np.concatenate([part[name] for part in filled]) for name in filled[0]}


def row(name: str, hits: dict[str, np.ndarray]) -> dict[str, Any]:
    """Coverage in percent overall, and the lowest and highest at one step."""
    result: dict[str, Any] = {"set": name, "origins": len(hits["calibrated80"])}
    for kind, hit in hits.items():
        result[kind] = 100 * float(np.nanmean(hit))
        result[f"{kind}_by_step"] = 100 * np.nanmean(hit, axis=0)
    return result


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row for the printed table: the range over steps instead of every one."""
    result: dict[str, Any] = {"set": row["set"], "origins": row["origins"]}
    for kind in ("calibrated80", "calibrated95", "uncalibrated80", "uncalibrated95"):
        by_step = row[f"{kind}_by_step"]
        result[kind] = f"{row[kind]:.1f}"
        result[f"{kind} by step"] = f"{min(by_step):.0f}–{max(by_step):.0f}"
    return result


def main() -> None:
    given = arguments(__doc__ or "").parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    rows = [row(name, inside(load(name, data))) for name in SETS]
    rows.append(
        row("classic", pooled([inside(load(name, data)) for name in GROUPS["classic"]]))
    )
    print_table([shown(one) for one in rows])
    if not given.dry:
        write_result("coverage", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
