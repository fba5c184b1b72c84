"""One unit of `make accuracy`, in a process of its own, so that versions can be compared.

`python benchmarks/accuracy_units.py KIND NAME --out FILE …` writes the numbers of one unit as JSON.
Kinds: `set` (a data set, forecast by lstmcast), `raw` (coverage of the network's own quantiles),
`yardstick` (the same cutoffs, simple forecasts), `gift` (a configuration of GIFT-Eval). Which
lstmcast is measured is up to PYTHONPATH. `accuracy.py` starts these and keeps what they write.

O origins (series × cutoff) · H horizon · P seasonal period
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import Uncalibrated, scores
from sets import DataSet, load

import lstmcast as lc
from lstmcast.data.origins import origins_of, window
from lstmcast.data.ragged import carried
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import (
    HoltWinters,
    Naive,
    SeasonalNaive,
    SeasonalNaiveDrift,
)

LEVELS = (80, 95)  # of intervals whose coverage is counted
CYCLES = 3  # that the mean of cycles looks back
# periods longer than this are left to the seasonal naive forecast: smoothing their indices would
# take minutes, and no set is judged by it
LONGEST_SMOOTHED = 400
FAMILIES = {
    "integer": "no dates",
    "second": "sub-hourly",
    "minute": "sub-hourly",
    "hour": "hourly",
    "day": "daily",
    "business day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly",
}


@dataclass(frozen=True)
class MeanOfCycles:
    """The mean of the last three cycles, phase by phase; the last value where none is known."""

    period: int

    @property
    def name(self) -> str:
        return f"mean of {CYCLES} cycles of {self.period}"

    def predict(
        self,
        panel: lc.Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> lc.Forecast:
        """The forecast at the end of each series, or at each of `cutoffs` (S, K)."""
        origins = origins_of(panel, cutoffs)
        values = carried(panel.values, panel.offsets, self.period)
        cycles = window(panel, origins, CYCLES * self.period, values).reshape(
            len(origins.series), CYCLES, self.period
        )
        known = np.isfinite(cycles).sum(axis=1)
        mean = np.where(
            known > 0, np.nansum(cycles, axis=1) / np.maximum(known, 1), np.nan
        )
        last = Naive(quantiles=()).predict(panel, 1, cutoffs=cutoffs).point
        point = np.where(np.isfinite(mean), mean, last)
        return lc.Forecast.at_origins(
            panel, origins, point[:, np.arange(int(horizon or 1)) % self.period]
        )


def yardsticks(periods: tuple[int, ...]) -> list[Any]:
    """Simple forecasts that the network is held against, each with a name of its own."""
    simple: list[Any] = [
        Naive(quantiles=()),
        SeasonalNaiveDrift(period=1, name="drift", quantiles=()),
        SeasonalNaive(quantiles=()),
    ]
    longer = [period for period in periods if period > 1]
    simple += [
        SeasonalNaive(period=period, name=f"seasonal naive of {period}", quantiles=())
        for period in longer[1:]
    ]
    simple += [MeanOfCycles(period) for period in longer]
    first = int(periods[0])
    if first <= LONGEST_SMOOTHED:
        simple += [SeasonalNaiveDrift(quantiles=()), HoltWinters(quantiles=())]
    return simple


def forecaster(horizon: int, method: str, **settings: Any) -> lc.LSTMForecaster:
    """The shipped network as it arrives; the method is named where forecasters can be told one."""
    if "method" in inspect.signature(lc.LSTMForecaster).parameters:
        settings["method"] = method
    return lc.LSTMForecaster(horizon, **settings)


def dataset_of(given: argparse.Namespace) -> DataSet:
    """The set with its test part, or with its validation part."""
    dataset = load(given.name, given.data)
    return dataset.validation(given.thin) if given.validation else dataset


def described(dataset: DataSet) -> dict[str, Any]:
    """What a row says of its set."""
    frequency = dataset.panel.frequency
    return {
        "set": dataset.name,
        "frequency": frequency.name,
        "family": FAMILIES[frequency.unit],
        "series": len(dataset.panel),
        "horizon": dataset.horizon,
        "origins": int((dataset.counts > 0).sum()),
        "protocol": dataset.protocol,
    }


def hits(actual: np.ndarray, forecast: lc.Forecast) -> dict[str, Any]:
    """At each step, how many values were known, and how many of them each interval contained."""
    known = ~np.isnan(actual)
    counts: dict[str, Any] = {"known": known.sum(axis=0).tolist()}
    for level in LEVELS:
        _, lower, upper = forecast.interval(level)
        inside = known & (lower <= actual) & (actual <= upper)
        counts[f"inside{level}"] = inside.sum(axis=0).tolist()
    return counts


def set_row(given: argparse.Namespace) -> dict[str, Any]:
    """Errors and coverage of lstmcast on a set."""
    dataset = dataset_of(given)
    model = forecaster(dataset.horizon, given.method)
    began, processor = time.perf_counter(), time.process_time()
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=False)
    spent = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
    }
    forecast = tested.forecasts[tested.model]
    errors = scores(dataset, tested.actual, forecast)
    return described(dataset) | errors | {"hits": hits(tested.actual, forecast)} | spent


def raw_row(given: argparse.Namespace) -> dict[str, Any]:
    """Coverage of the network's own quantiles."""
    dataset = dataset_of(given)
    model = Uncalibrated(dataset.horizon)
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=False)
    forecast = tested.forecasts[tested.model]
    errors = scores(dataset, tested.actual, forecast)
    return described(dataset) | errors | {"hits": hits(tested.actual, forecast)}


def yardstick_row(given: argparse.Namespace) -> dict[str, Any]:
    """Errors of the simple forecasts on a set."""
    dataset = dataset_of(given)
    first, *others = yardsticks(tuple(int(period) for period in dataset.panel.periods))
    tested = backtest(
        first,
        dataset.panel,
        cutoffs=dataset.counts,
        horizon=dataset.horizon,
        baselines=others,
    )
    errors = {
        name: scores(dataset, tested.actual, forecast)
        for name, forecast in tested.forecasts.items()
    }
    return {
        "set": dataset.name,
        "mase": {name: row["mase"] for name, row in errors.items()},
        "smape": {name: row["smape"] for name, row in errors.items()},
    }


def gift_row(given: argparse.Namespace) -> dict[str, Any]:
    """MASE and CRPS of a configuration of GIFT-Eval, by the arithmetic of its own script."""
    sys.path.insert(0, str(given.shared))
    import gift_eval  # type: ignore[import-not-found]  # lies beside the data

    task = gift_eval.Task.of(given.name)
    panel = lc.Panel.from_arrays(
        {f"s{i}": values for i, values in enumerate(task.data.values)},
        frequency=task.data.frequency,
        start=task.data.start,
    )
    began, processor = time.perf_counter(), time.process_time()
    model = forecaster(task.horizon, given.method, quantiles=gift_eval.LEVELS)
    forecast = model.predict(panel, cutoffs=task.cutoffs)
    spent = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
    }
    shape = (*task.cutoffs.shape, task.horizon, len(gift_eval.LEVELS))
    mase, crps, inside = task.score(forecast.quantiles.reshape(shape))
    return {
        "config": given.name,
        "mase": mase,
        "crps": crps,
        "coverage80": inside,
        **spent,
    }


KINDS = {"set": set_row, "raw": raw_row, "yardstick": yardstick_row, "gift": gift_row}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name", help="of the set or configuration")
    parser.add_argument("--out", type=Path, required=True, help="file for the row")
    parser.add_argument(
        "--stamp", default="", help="kept in the row: what it was made by"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with the data sets"
    )
    parser.add_argument("--shared", type=Path, help="folder with gift_eval.py")
    parser.add_argument(
        "--method", default="auto", help="of the forecaster, where it has any"
    )
    parser.add_argument(
        "--validation", action="store_true", help="validation part, not test part"
    )
    parser.add_argument(
        "--thin", type=int, default=600, help="most series of a validation part"
    )
    given = parser.parse_args()
    row = KINDS[given.kind](given)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row |= {"peak_megabytes": megabytes, "stamp": given.stamp}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    # whole or not at all: a run that was killed goes on with the units that are there
    unfinished = given.out.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(row))
    unfinished.replace(given.out)


if __name__ == "__main__":
    main()
