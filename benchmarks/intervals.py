"""Do intervals of a stream contain what they promise in any 500 ticks, whatever happens?

The shipped network reads each series tick by tick; its intervals as they are, and kept by conformal
PID control (`Stream(…, conformal=…)`). Real series, 5,000 ticks each, and synthetic ones in which,
after 1,500 of 3,000 ticks, the level rises by 40, errors become four times as large or as small, or
the season moves by nine hours and doubles. `within`: the percentage of windows of 500 ticks whose
share of values inside is within 2 points of the level; `worst`: how far that of the worst window
is off; windows begin at tick 200, and none from the change to 100 ticks after it. `score`: the mean
interval score (Gneiting & Raftery 2007) over that of the network's own intervals; below 1 is
better. `signals` of drift, at a rate of false ones of 1 in 1,000.

    T ticks · H steps ahead · Q quantiles
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from common import arguments, data_folder, geometric_mean, print_table, write_result
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.decoding import at_steps
from lstmcast.evaluation.conformal import adjusted, advance, start

REAL = (
    ("etth1", "OT", 0, "h"),
    ("electricity_6clients", "client_0", 0, "h"),
    ("electricity_6clients", "client_3", 8000, "h"),
    ("elec2_nsw", "nswdemand", 0, "30min"),
    ("elec2_nsw", "nswprice", 10000, "30min"),
    ("household_power_hourly", "Global_active_power", 0, "h"),
    ("exchange_rate", "c3", 0, "D"),
    ("gefcom2014_load", "load", 8000, "h"),
    ("nyc_taxi", "y", 0, "30min"),
    ("jena_first4000", "T (degC)", 0, "10min"),
    ("bike_sharing_hour", "cnt", 0, "h"),
    ("traffic_6sensors", "sensor_0", 0, "h"),
    ("epf_np", "price", 20000, "h"),
)
SHIFTS = ("level", "variance", "calmer", "season")
CHANGE, LENGTH = 1500, 3000
# and the first of each level's quantiles
STEPS, LEVELS = (1, 4, 12, 24), {95: 0, 80: 1}
HEAD = 24
WINDOW, BEGIN, SETTLE, POINTS = 500, 200, 100, 2.0


class Series(NamedTuple):
    """Values (T,), how far they lie apart, and the tick of a change if there is one."""

    values: NDArray
    frequency: str
    change: int | None = None


def shifted(kind: str) -> Series:
    """A season of a day with autoregressive errors, and a change."""
    rng, t = np.random.default_rng(0), np.arange(LENGTH)
    after, error = t >= CHANGE, rng.normal(size=LENGTH)
    for step in range(1, LENGTH):
        error[step] += 0.6 * error[step - 1]
    season = 10 * np.sin(2 * np.pi * t / 24)
    if kind == "level":
        values = season + 3 * error + 40 * after
    elif kind == "variance":
        values = season + 2 * error * np.where(after, 4, 1)
    elif kind == "calmer":
        values = season + 8 * error * np.where(after, 0.25, 1)
    else:
        values = (
            np.where(after, 20 * np.sin(2 * np.pi * (t + 9) / 24), season) + 2 * error
        )
    return Series(100 + values, "h", CHANGE)


def forecasts(series: Series) -> NDArray:
    """The network's quantiles (T, H, Q) after each value."""
    panel = lc.Panel.from_arrays(
        {"value": series.values}, start="2015-01-05", frequency=series.frequency
    )
    counts = np.arange(1, len(series.values) + 1)
    origins = Origins(np.zeros(len(counts), np.int64), counts)
    reader = lc.LSTMForecaster(horizon=HEAD, method="network").model.reader
    return at_steps(reader, panel, origins, tuple(range(1, HEAD + 1)))


def kept(values_T: NDArray, own_THQ: NDArray) -> tuple[NDArray, NDArray]:
    """The quantiles that a stream shows after each value, and its signals of drift (T,)."""
    state, at, settings = start(1, HEAD), np.zeros(1, np.int64), lc.Conformal()
    shown_THQ, signals_T = own_THQ.copy(), np.zeros(len(values_T), bool)
    before_1HQ = np.full_like(own_THQ[:1], np.nan)
    for tick in range(len(values_T)):
        signals_T[tick] = advance(
            state, at, values_T[tick : tick + 1], before_1HQ, settings
        )[0]
        before_1HQ = own_THQ[tick : tick + 1]
        shown_THQ[tick] = adjusted(state, at, before_1HQ)[0]
    return shown_THQ, signals_T


def judged(
    series: Series, shown_THQ: NDArray, step: int, level: int
) -> dict[str, float]:
    """What came of one interval, some steps ahead."""
    values_T, low = series.values[step:], LEVELS[level]
    lower_T, upper_T = (
        shown_THQ[:-step, step - 1, low],
        shown_THQ[:-step, step - 1, -1 - low],
    )
    hit_T = ((lower_T <= values_T) & (values_T <= upper_T)).astype(float)
    hit_T[np.isnan(values_T)] = np.nan
    beyond_T = np.maximum(lower_T - values_T, 0) + np.maximum(values_T - upper_T, 0)
    score = np.nanmean((upper_T - lower_T + 2 / (1 - level / 100) * beyond_T)[BEGIN:])
    windows = np.lib.stride_tricks.sliding_window_view(hit_T, WINDOW)
    first = np.arange(len(windows))
    chosen = first >= BEGIN
    if series.change is not None:
        change = series.change - step
        chosen &= (first + WINDOW <= change) | (first >= change + SETTLE)
    off = np.abs(100 * np.nanmean(windows[chosen], axis=1) - level)
    return {
        "within": 100 * float(np.mean(off <= POINTS)),
        "worst": float(off.max()),
        "score": float(score),
    }


def rows_of(name: str, series: Series) -> list[dict[str, Any]]:
    """A row for each step and level."""
    own_THQ = forecasts(series)
    kept_THQ, signals_T = kept(series.values, own_THQ)
    rows = []
    for step in STEPS:
        for level in LEVELS:
            own, with_it = (
                judged(series, shown, step, level) for shown in (own_THQ, kept_THQ)
            )
            row: dict[str, Any] = {"series": name, "step": step, "level": level}
            row |= {"own within": own["within"], "within": with_it["within"]}
            row |= {"own worst": own["worst"], "worst": with_it["worst"]}
            row |= {
                "score": with_it["score"] / own["score"],
                "signals": int(signals_T.sum()),
            }
            rows.append(row)
    return rows


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Over all series, for each step and level."""
    result = []
    for step in STEPS:
        for level in LEVELS:
            own = [row for row in rows if row["step"] == step and row["level"] == level]
            line: dict[str, Any] = {"step": step, "level": level}
            for name in ("own within", "within"):
                line[name] = float(np.mean([row[name] for row in own]))
            for name in ("own worst", "worst"):
                line[name] = max(row[name] for row in own)
            line["score"] = geometric_mean([row["score"] for row in own])
            result.append(line)
    return result


def main() -> None:
    """All series, and what they have in common."""
    import pandas as pd

    given = arguments(__doc__ or "").parse_args()
    data, began = data_folder(given.data), time.monotonic()
    all_series = {f"shift of {kind}": shifted(kind) for kind in SHIFTS}
    for file, column, first, frequency in REAL:
        table = pd.read_parquet(data / f"{file}.parquet", columns=[column])
        values = table[column].to_numpy(float)[first : first + 5000]
        all_series[f"{file} {column}"] = Series(values, frequency)
    rows = [row for name, series in all_series.items() for row in rows_of(name, series)]
    print_table([row for row in rows if row["step"] in (1, HEAD)])
    print_table(summary(rows))
    if not given.dry:
        result = {"summary": summary(rows), "rows": rows}
        write_result("intervals", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
