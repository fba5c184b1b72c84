"""Counts with columns that are known in advance: networks whose head answers counts, trained
without the columns and with them.

Items of one shop of M5 with the days on which food stamps are paid out and kinds of events;
families of goods in shops of Favorita with promotions; guests of restaurants with holidays. The
network is trained from scratch on what precedes the windows, which lie before the test windows of
other benchmarks. MASE is that of the point forecast; pinball is the mean loss of the quantiles
.1 … .9 in units of the seasonal naive error within the history; sums are those over the windows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from common import arguments, data_folder, print_table, write_result
from counts import LEVELS, errors_of
from sets import DataSet, last_windows

import lstmcast as lc
from lstmcast.covariates.effects import without_known
from lstmcast.evaluation.backtest import backtest
from lstmcast.training_config import TrainingConfig

METHODS = ("network",)  # the shipped network as it arrives
HEADS = ("negative_binomial", "zero_inflated", "tweedie")
SNAP_DAYS = 10  # of each month, in California
# The events of the M5 calendar, by kind.
EVENTS = {
    "cultural": "2015-03-17 2015-05-05 2015-05-10 2015-06-21 2015-10-31 2016-02-14 2016-03-17 "
    "2016-05-05 2016-05-08",
    "national": "2015-05-25 2015-07-04 2015-09-07 2015-10-12 2015-11-11 2015-11-26 2015-12-25 "
    "2016-01-01 2016-01-18 2016-02-15",
    "religious": "2015-03-05 2015-04-05 2015-04-11 2015-04-12 2015-06-18 2015-07-18 2015-09-24 "
    "2015-12-14 2016-01-07 2016-02-10 2016-02-17 2016-03-24 2016-03-27 2016-04-30 2016-05-01",
    "sporting": "2015-06-04 2015-06-16 2016-02-07",
}
M5_ENDS = "2016-04-24"  # of what is not in the test part of M5
FAVORITA_ENDS, RESTAURANT_ENDS = "2017-08-01", "2017-03-12"


def m5(data: Path, most: int) -> lc.Panel:
    """Items of M5 with what was known of their days."""
    wide = pd.read_parquet(data / "m5_items_CA_1.parquet").set_index("item")
    wide = wide.iloc[:: max(1, len(wide) // most)]
    long = wide.reset_index().melt("item", var_name="ds", value_name="y")
    long["ds"] = pd.to_datetime(long["ds"])
    long = long[long["ds"] <= M5_ENDS]
    has_begun = long.sort_values("ds").groupby("item")["y"].cumsum() > 0
    long = long[has_begun.reindex(long.index)]
    long["snap"] = (long["ds"].dt.day <= SNAP_DAYS).astype(int)
    for kind, dates in EVENTS.items():
        long[kind] = long["ds"].isin(pd.to_datetime(dates.split())).astype(int)
    return read(long, "item", ["snap", *EVENTS])


def favorita(data: Path, most: int) -> lc.Panel:
    """Families of goods that are sold in pieces, with their promotions."""
    frame = pd.read_parquet(data / "favorita_sales_64d.parquet")
    frame = pd.DataFrame(frame[frame["ds"] <= FAVORITA_ENDS])
    frame["y"] = frame["sales"].astype(float)
    frame["id"] = frame["store_nbr"].astype(str) + "/" + frame["family"].astype(str)
    frame["fraction"] = frame["y"] % 1
    groups = frame.groupby("id")
    is_whole = pd.Series(groups["fraction"].transform("sum")) == 0
    is_sold = pd.Series(groups["y"].transform("sum")) > 0
    frame = pd.DataFrame(frame[is_whole & is_sold])
    return read(thinned(frame, "id", most), "id", ["promotion_active", "is_holiday"])


def restaurant(data: Path, most: int) -> lc.Panel:
    """Guests of restaurants with holidays; closed days are unknown."""
    frame = pd.read_parquet(data / "restaurant_visits.parquet")
    frame = pd.DataFrame(frame[frame["ds"] <= RESTAURANT_ENDS])
    frame["y"] = frame["visitors"].astype(float)
    frame["id"] = frame["unique_id"].astype(str)
    return read(thinned(frame, "id", most), "id", ["holiday"])


def thinned(frame: pd.DataFrame, series: str, most: int) -> pd.DataFrame:
    """About so many of the series."""
    ids = list(dict.fromkeys(frame[series]))
    kept = ids[:: max(1, len(ids) // most)]
    return pd.DataFrame(frame[frame[series].isin(kept)])


def read(frame: pd.DataFrame, series: str, future: list[str]) -> lc.Panel:
    """The panel of a long frame."""
    return lc.read(
        frame[[series, "ds", "y", *future]],
        series=series,
        time="ds",
        target="y",
        future=future,
        kind="count",
        calendar="all",
    )


SETS: dict[str, tuple[Callable[[Path, int], lc.Panel], int]] = {
    "m5": (m5, 28),
    "favorita": (favorita, 14),
    "restaurant": (restaurant, 28),
}


def measured(dataset: DataSet, method: str, epochs: int) -> dict[str, Any]:
    """Errors of one method on a set."""
    if method in METHODS:
        model = lc.LSTMForecaster(dataset.horizon, method=method, quantiles=LEVELS)
    else:
        model = lc.LSTMForecaster(
            dataset.horizon,
            weights="scratch",
            network=lc.NetworkConfig(layers=(32,), head=method),
            training=replace(TrainingConfig.from_scratch(), epochs=epochs),
            quantiles=LEVELS,
        )
    began = time.monotonic()
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=False)
    seconds = time.monotonic() - began
    return {**errors_of(dataset, tested), "seconds": seconds}


def main() -> None:
    """Every head on every set, without the columns and with them."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--set", action="append", choices=list(SETS), help="again for several"
    )
    parser.add_argument("--series", type=int, default=300, help="of each set, about")
    parser.add_argument("--epochs", type=int, default=20, help="of the training")
    parser.add_argument(
        "--methods", default=",".join((*METHODS, *HEADS)), help="with commas"
    )
    given = parser.parse_args()
    data, began = data_folder(given.data), time.monotonic()
    rows = []
    for name in given.set or SETS:
        reading, horizon = SETS[name]
        panel = reading(data, given.series)
        dataset = last_windows(name, panel, horizon, 1)
        without = replace(dataset, panel=without_known(dataset.panel))
        for method in given.methods.split(","):
            for known, chosen in (("without", without), ("with", dataset)):
                errors = measured(chosen, method, given.epochs)
                rows.append({"set": name, "method": method, "known": known, **errors})
                print_table(rows[-1:])
    if not given.dry and not given.set:
        write_result("counts_known", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
