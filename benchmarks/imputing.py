"""Values taken out of real series and filled in again: how far off, and do intervals hold them?

Gaps of 1, 6 and 24 values, at least three of their lengths apart, are made in each series; `n` is
how many. Errors are mean absolute ones, in units of the mean absolute change of a series from one
value to the next. `line`: the straight line between the neighbours. `season`: the nearest values of
the same phase on both sides, and the line of what values differ from those. `forecast`: the shipped
network from the left alone. `impute`: `lstmcast.impute`; beside it the share of values in its 80%
and 95% intervals.

    N observations of all series · M values that were taken out
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import arguments, data_folder, print_table, write_result
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.decoding import decode
from lstmcast.imputing.gaps import gaps_of
from lstmcast.imputing.weights import line, season
from lstmcast.model.heads import MEDIAN

LENGTHS = (1, 6, 24)
WIDE = {  # file, columns, frequency, values
    "electricity, hourly": (
        "electricity_6clients",
        ("client_0", "client_2"),
        "h",
        2000,
    ),
    "traffic, hourly": ("traffic_6sensors", ("sensor_0", "sensor_3"), "h", 2000),
    "transformer, hourly": ("etth1", ("OT", "HUFL"), "h", 2000),
    "bicycles, hourly": ("bike_sharing_hour", ("cnt",), "h", 2000),
    "taxis, half-hourly": ("nyc_taxi", ("y",), "30min", 2000),
    "weather, 10 minutes": ("jena_first4000", ("T (degC)", "rh (%)"), "10min", 2000),
    "exchange rates, daily": ("exchange_rate", ("c1", "c3", "c5"), "D", 2000),
}


def panels(data: Path) -> Iterator[tuple[str, lc.Panel]]:
    """Names and series."""
    import pandas as pd

    for name, (file, columns, frequency, count) in WIDE.items():
        table = pd.read_parquet(data / f"{file}.parquet", columns=list(columns))[:count]
        values = {column: np.asarray(table[column], float) for column in columns}
        yield (
            name,
            lc.Panel.from_arrays(values, frequency=frequency, start="2000-01-03"),
        )
    shops = pd.read_parquet(data / "m5_store_dept_daily.parquet")
    values = {name: shops[name].to_numpy(float) for name in shops.columns[1:16]}
    yield "M5, daily", lc.Panel.from_arrays(values, frequency="D", start="2000-01-03")
    months = pd.read_parquet(data / "m3.parquet")
    months = months[
        ~months["is_test"] & months["period"].str.upper().str.startswith("M")
    ]
    groups = months.groupby("unique_id", observed=True)["y"]
    values = {str(name): y.to_numpy(float) for name, y in groups if len(y) >= 100}
    values = dict(list(values.items())[:60])
    yield "M3, monthly", lc.Panel.from_arrays(values, frequency="MS", start="2000-01")


def without(panel: lc.Panel, length: int) -> tuple[lc.Panel, NDArray]:
    """The panel without some values, and where these were (M,)."""
    rng, taken = np.random.default_rng(0), []
    for row in range(len(panel)):
        values = panel.series(row)
        place = max(len(values) // 7, 2 * length, 12)
        while place + length < len(values) - max(2 * length, 12):
            around = slice(place - 1, place + length + 1)
            if np.isfinite(values[around]).all():
                taken.append(panel.offsets[row] + place + np.arange(length))
            place += max(4 * length, 60 if len(values) > 500 else 12) + int(
                rng.integers(0, 5)
            )
    at = np.concatenate(taken)
    holed = panel.values.copy()
    holed[at] = np.nan
    series = {name: holed[a:b] for name, a, b in _segments(panel)}
    frequency, start = panel.frequency, panel.starts[0]
    return lc.Panel.from_arrays(series, frequency=frequency, start=start), at


def _segments(panel: lc.Panel) -> Iterator[tuple[str, int, int]]:
    for row, name in enumerate(panel.ids):
        yield str(name), int(panel.offsets[row]), int(panel.offsets[row + 1])


def forecast(panel: lc.Panel) -> NDArray:
    """What the network expects of missing values, from the left alone (N,)."""
    gaps, reader = gaps_of(panel), lc.LSTMForecaster(horizon=1).model.reader
    result_N = panel.values.copy()
    known = gaps.some(np.flatnonzero(gaps.first > 0))
    steps = int(known.length.max())
    answers = decode(reader, panel, Origins(known.series, known.first), steps)[
        :, :, MEDIAN
    ]
    gap = np.repeat(np.arange(len(known.series)), known.length)
    result_N[known.places(panel.offsets)] = answers[gap, known.steps() - 1]
    return result_N


def row_of(name: str, panel: lc.Panel, length: int) -> dict[str, Any]:
    """The errors of all ways of filling."""
    holed, at = without(panel, length)
    began = time.monotonic()
    imputed = lc.impute(holed)
    seconds = time.monotonic() - began
    change = [
        np.nanmean(np.abs(np.diff(panel.series(row)))) for row in range(len(panel))
    ]
    scale_M = np.repeat(change, panel.lengths)[at]
    actual_M = panel.values[at]

    def error(filled_N: NDArray) -> float:
        return float(np.mean(np.abs(filled_N[at] - actual_M) / scale_M))

    quantiles_MQ = imputed.quantiles[
        np.searchsorted(np.flatnonzero(imputed.filled), at)
    ]
    row: dict[str, Any] = {"series": name, "length": length, "n": len(at) // length}
    row |= {"line": error(line(holed)), "season": error(season(holed))}
    row |= {"forecast": error(forecast(holed)), "impute": error(imputed.panel.values)}
    for lower, level in ((1, 80), (0, 95)):
        low_M, high_M = quantiles_MQ[:, lower], quantiles_MQ[:, -1 - lower]
        row[f"in {level}%"] = 100 * float(
            np.mean((low_M <= actual_M) & (actual_M <= high_M))
        )
    return row | {"seconds": seconds}


def main() -> None:
    """All series and lengths."""
    given = arguments(__doc__ or "").parse_args()
    data, began = data_folder(given.data), time.monotonic()
    rows = []
    for name, panel in panels(data):
        fitting = [length for length in LENGTHS if length < panel.lengths.min() / 8]
        rows += [row_of(name, panel, length) for length in fitting]
    print_table(rows)
    ways = ("line", "season", "forecast", "impute")
    logs = np.log([[row[way] for way in ways] for row in rows])
    overall: dict[str, float] = dict(
        zip(ways, np.exp(logs.mean(axis=0) - logs[:, 0].mean()).tolist(), strict=True)
    )
    print_table([overall])
    if not given.dry:
        result = {"rows": rows, "relative_to_line": overall}
        write_result("imputing", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
