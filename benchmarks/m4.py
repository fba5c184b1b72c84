"""M4 competition, nothing trained: official test parts of the weekly, hourly and yearly parts, and
of samples.

Metrics are the competition's: sMAPE and MASE (period 1, 24, 1) are means over series, OWA is the
mean of their ratios to Naive2, the naive forecast of multiplicatively deseasonalised data. Rows
called "published" are from the competition's own tables. The quarterly, monthly and daily sets are
samples (200, 200 and 72 series), for which there are no published rows: there OWA is relative to
Naive2 on the same sample. The daily sample holds only series of up to 999 values. `seconds`: our
forecast of the part with calibrated intervals.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import arguments, data_folder, print_table, scores, write_result
from sets import DataSet, load

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import Naive

SETS = (
    "m4_weekly",
    "m4_hourly",
    "m4_yearly",
    "m4_quarterly_sample",
    "m4_monthly_sample",
    "m4_daily_sample",
)
PUBLISHED = {
    "118": "ES-RNN (winner)",
    "245": "245 (second)",
    "Theta": "Theta",
    "Com": "Comb",
    "RNN": "RNN benchmark",
}


class Naive2:
    """The naive forecast of data that are seasonally adjusted where a test says so: the
    competition's yardstick."""

    name = "Naive2"

    def __init__(self, period: int) -> None:
        self.period = period

    def predict(
        self,
        panel: lc.Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> lc.Forecast:
        """The forecast at the one cutoff of each series."""
        counts = panel.lengths if cutoffs is None else cutoffs[:, 0]
        steps = int(horizon or 1)
        point = np.stack(
            [
                naive2(panel.series(i)[:count], steps, self.period)
                for i, count in enumerate(counts)
            ]
        )
        return lc.Forecast.at_origins(
            panel, Origins(np.arange(len(panel)), counts), point
        )


def naive2(history: np.ndarray, horizon: int, period: int) -> np.ndarray:
    """The last seasonally adjusted value times the seasonal indices of classical multiplicative
    decomposition."""
    if not is_seasonal(history, period):
        return np.repeat(history[-1], horizon)
    # a centred average over one cycle: half weights at the ends
    weights = np.ones(period + 1 - period % 2) / period
    if period % 2 == 0:
        weights[[0, -1]] /= 2
    side = len(weights) // 2
    ratios = np.full(len(history), np.nan)
    ratios[side : len(history) - side] = history[
        side : len(history) - side
    ] / np.convolve(history, weights, "valid")
    index = np.array([np.nanmean(ratios[phase::period]) for phase in range(period)])
    index /= index.mean()
    now = len(history) - 1
    return (
        history[-1]
        / index[now % period]
        * index[(now + 1 + np.arange(horizon)) % period]
    )


def is_seasonal(history: np.ndarray, period: int) -> bool:
    """The competition's test: the autocorrelation at the period is outside its 90% band under
    the shorter ones."""
    if period < 2 or len(history) < 3 * period or np.ptp(history) == 0:
        return False
    around = history - history.mean()
    correlation = [
        around[lag:] @ around[:-lag] / (around @ around) for lag in range(1, period + 1)
    ]
    band = 1.645 * np.sqrt((1 + 2 * np.sum(np.square(correlation[:-1]))) / len(history))
    return abs(correlation[-1]) > band


def part(dataset: DataSet) -> list[dict[str, Any]]:
    """Rows of our forecast, Naive2 and the naive forecast."""
    model = lc.LSTMForecaster(horizon=dataset.horizon)
    began = time.perf_counter()
    model.predict(dataset.panel, cutoffs=dataset.counts)
    seconds = time.perf_counter() - began
    yardsticks = [Naive2(dataset.mase_period), Naive(quantiles=())]
    tested = backtest(
        model, dataset.panel, cutoffs=dataset.counts, baselines=yardsticks
    )
    every = {
        name: scores(dataset, tested.actual, forecast)
        for name, forecast in tested.forecasts.items()
    }
    rows = []
    for name, row in every.items():
        base = every["Naive2"]
        owa = (row["smape"] / base["smape"] + row["mase"] / base["mase"]) / 2
        kept = {key: row[key] for key in ("coverage80", "coverage95") if key in row}
        rows.append(
            {
                "set": dataset.name,
                "method": name,
                "smape": row["smape"],
                "mase": row["mase"],
                "owa": owa,
                **kept,
            }
        )
    rows[0]["seconds"] = seconds
    return rows


def published(name: str, data: Path) -> list[dict[str, Any]]:
    """The competition's own rows for a complete part."""
    table = pd.read_parquet(data / "m4_published_scores.parquet").set_index("method")
    part = name.removeprefix("m4_").capitalize()
    if f"OWA_{part}" not in table:
        return []
    return [
        {
            "set": name,
            "method": f"{label}, published",
            **{
                score.lower(): float(table.loc[method, f"{score}_{part}"])
                for score in ("sMAPE", "MASE", "OWA")
            },
        }
        for method, label in PUBLISHED.items()
    ]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--sets", default=",".join(SETS), help="which, with commas between them"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    for name in given.sets.split(","):
        rows += part(load(name, data)) + published(name, data)
    print_table(rows)
    if not given.dry and given.sets == ",".join(SETS):
        write_result("m4", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
