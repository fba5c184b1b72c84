"""Airline passengers, twelve months ahead from 13 cutoffs: after months 84, 88, …, 132. Nothing is
trained.

Means over all 13 × 12 forecasts; MASE divides by the seasonal naive error before each cutoff.
Beside the built-in baselines and statsforecast's AutoETS and AutoTheta, fitted anew at each cutoff.
"""

from __future__ import annotations

import time

from common import arguments, data_folder, print_table, scores, write_result
from peers import peer_rows
from sets import load

import lstmcast as lc
from lstmcast.evaluation.backtest import backtest

KEYS = ("method", "mape", "smape", "mase", "mae", "rmse", "coverage80", "coverage95")


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--peers", action="store_true", help="fit AutoETS and AutoTheta again"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    airline = load("airline", data)
    tested = backtest(
        lc.LSTMForecaster(horizon=12), airline.panel, cutoffs=airline.counts
    )
    rows = [
        {"method": name, **scores(airline, tested.actual, f)}
        for name, f in tested.forecasts.items()
    ]
    rows += peer_rows("airline", data, given.peers)
    rows = [{key: row[key] for key in KEYS if key in row} for row in rows]
    print_table(rows)
    if not given.dry:
        write_result("airline", __doc__, {"rows": rows}, time.monotonic() - began)


if __name__ == "__main__":
    main()
