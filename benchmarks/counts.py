"""Counts with many zeros: errors of medians and quantiles, and whether intervals of sums hold.

The items of one shop of M5 (the last 28 days) and the 200 products of an online shop (three windows
of 28 days), by the shipped network as it arrives and by baselines of demand. MASE is that of the
point forecast; pinball is the mean loss of the quantiles .1 … .9 in units of the seasonal naive
error within the history; sums are those over the 28 days of each series, drawn from sample paths.
`--validation` forecasts windows before the test windows instead: what is chosen is chosen there.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import arguments, data_folder, print_table, scale_of, write_result
from sets import DataSet, load

import lstmcast as lc
from lstmcast.evaluation import metrics
from lstmcast.evaluation.backtest import Backtest, backtest

LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))
SETS = ("m5_items_CA_1", "online_retail")
AMOUNT = "total_amount_gbp"  # no product
METHODS = ("auto", "network", "Croston", "SBA", "TSB", "bootstrap")


def counts_of(name: str, data: Path, validation: bool, most: int) -> DataSet:
    """The counts of a set: about so many series, the windows before the test windows if wanted."""
    dataset = load(name, data)
    kept = np.array([one for one in dataset.panel.ids if one != AMOUNT], object)
    kept = kept[:: max(1, len(kept) // most)]
    rows = np.isin(dataset.panel.ids, kept)
    panel = replace(dataset.panel.select(kept), kind="count")
    dataset = replace(dataset, panel=panel, counts=dataset.counts[rows])
    return dataset.validation(most) if validation else dataset


def measured(dataset: DataSet, method: str) -> dict[str, Any]:
    """Errors of one method on a set."""
    model = lc.LSTMForecaster(dataset.horizon, method=method, quantiles=LEVELS)
    began = time.monotonic()
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=False)
    seconds = time.monotonic() - began
    forecast = tested.forecasts[tested.model]
    return {
        "set": dataset.name,
        "method": method,
        **errors_of(dataset, tested),
        "sum_above": above(tested.actual, forecast),
        "seconds": seconds,
    }


def errors_of(dataset: DataSet, tested: Backtest) -> dict[str, float]:
    """Errors of the model of a backtest, and how often its 80% intervals hold."""
    forecast = tested.forecasts[tested.model]
    scale_O = scale_of(dataset)
    unit_O1 = scale_O[:, None]
    quantiles_OHQ = forecast.quantiles / unit_O1[..., None]
    pinball = metrics.pinball(
        tested.actual / unit_O1, quantiles_OHQ, forecast.quantile_levels
    )
    return {
        "mase": metrics.mase(tested.actual, forecast.point, scale_O),
        "pinball": pinball,
        "coverage80": covered(tested.actual, forecast),
        "of_sums80": sums_covered(tested.actual, forecast),
    }


def covered(actual_OH: np.ndarray, forecast: lc.Forecast) -> float:
    """How often single days lie in the 80% interval."""
    _, lower_OH, upper_OH = forecast.interval(80)
    return metrics.coverage(actual_OH, lower_OH, upper_OH)


def sums_of(forecast: lc.Forecast, level: float) -> np.ndarray:
    """A quantile of the sum of each origin (O,)."""
    paths_ONH = forecast.paths()
    return np.quantile(paths_ONH.sum(axis=2), level, axis=1)


def sums_covered(actual_OH: np.ndarray, forecast: lc.Forecast) -> float:
    """How often the sum over the horizon lies in its 80% interval."""
    total_O = actual_OH.sum(axis=1)
    known_O = np.isfinite(total_O)
    low_O, high_O = sums_of(forecast, 0.1), sums_of(forecast, 0.9)
    return float(((low_O <= total_O) & (total_O <= high_O))[known_O].mean())


def above(actual_OH: np.ndarray, forecast: lc.Forecast) -> float:
    """How often the sum lies above its 80% interval: 10% is right."""
    total_O = actual_OH.sum(axis=1)
    return float((total_O > sums_of(forecast, 0.9))[np.isfinite(total_O)].mean())


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--validation", action="store_true", help="windows before the test windows"
    )
    parser.add_argument(
        "--series", type=int, default=4000, help="of each set, at most about"
    )
    parser.add_argument(
        "--methods", default=",".join(METHODS), help="with commas between them"
    )
    given = parser.parse_args()
    data, began = data_folder(given.data), time.monotonic()
    rows = []
    for name in SETS:
        dataset = counts_of(name, data, given.validation, given.series)
        rows += [measured(dataset, method) for method in given.methods.split(",")]
    print_table(rows)
    if not given.dry and not given.validation:
        write_result("counts", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
