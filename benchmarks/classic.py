"""Ten classic series, the last seasonal cycle at five cutoffs. Nothing is trained.

The horizon is the seasonal period (12 monthly, 4 quarterly, 52 weekly, 7 daily; 8 for the yearly
sunspots), the five cutoffs lie one horizon apart, the last one a horizon before the end. MASE
divides by the in-sample error of the seasonal naive forecast (naive for the yearly series) before
each cutoff, and is the mean over cutoffs and steps; the last row is the mean over the ten series.
Days and weeks are counted by position: the four leap days that the Melbourne temperatures lack are
not put back. Missing values (59 of the CO2 series) are masked for us and carried forward for the
others. AutoETS and AutoTheta are statsforecast's, fitted anew at each cutoff with the series'
season length; AutoETS ignores seasons longer than 24, so it sees no season in the two weekly
series: the mean without those is given too.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import arguments, data_folder, print_table, scores, write_result
from peers import GROUPS, peer_rows
from sets import load

import lstmcast as lc
from lstmcast.evaluation.backtest import backtest


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--peers", action="store_true", help="fit AutoETS and AutoTheta again (minutes)"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    for name in GROUPS["classic"]:
        dataset = load(name, data)
        tested = backtest(
            lc.LSTMForecaster(horizon=dataset.horizon),
            dataset.panel,
            cutoffs=dataset.counts,
        )
        row: dict[str, Any] = {
            "series": name.removeprefix("classic_"),
            "horizon": dataset.horizon,
        }
        for method, forecast in tested.forecasts.items():
            row[method] = scores(dataset, tested.actual, forecast)["mase"]
        ours = scores(dataset, tested.actual, tested.forecasts["lstmcast"])
        rows.append(
            row | {"coverage80": ours["coverage80"], "coverage95": ours["coverage95"]}
        )
    for peer in peer_rows("classic", data, given.peers):
        next(row for row in rows if f"classic_{row['series']}" == peer["set"])[
            peer["method"]
        ] = peer["mase"]
    names = [name for name in rows[0] if name not in ("series", "horizon")]
    mean = {name: float(np.mean([row[name] for row in rows])) for name in names}
    short = {
        name: float(np.mean([row[name] for row in rows if row["horizon"] < 52]))
        for name in names
    }
    print_table(
        [
            *rows,
            {"series": "mean", **mean},
            {"series": "mean without the weekly ones", **short},
        ]
    )
    if not given.dry:
        result = {"mean_mase": mean, "mean_mase_without_weekly": short, "rows": rows}
        write_result("classic", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
