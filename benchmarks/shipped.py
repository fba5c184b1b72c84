"""How well the shipped network does on each data set, for its model card: test parts, nothing
trained.

One row per set: MASE and sMAPE of the median, coverage of the calibrated 80 % and 95 % intervals,
and the seasonal naive forecast's MASE beside it. MASE divides by the in-sample error of the
seasonal naive forecast with the set's first period (for competitions, the competition's). sMAPE
means little for series with zeros. Networks are compared by validate.py, not by these numbers.
"""

from __future__ import annotations

import time
from typing import Any

from common import arguments, data_folder, geometric_mean, print_table, scores, write_result
from sets import ALL, DataSet, load

import lstmcast as lc
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import SeasonalNaive


def row(dataset: DataSet) -> dict[str, Any]:
    """The set's scores."""
    model, naive = lc.LSTMForecaster(horizon=dataset.horizon), SeasonalNaive()
    tested = backtest(model, dataset.panel, cutoffs=dataset.counts, baselines=[naive])
    ours = scores(dataset, tested.actual, tested.forecasts[model.name])
    base = scores(dataset, tested.actual, tested.forecasts[naive.name])
    return {
        "set": dataset.name,
        "frequency": dataset.panel.frequency.name,
        "series": len(dataset.panel),
        "horizon": dataset.horizon,
        "origins": int((dataset.counts > 0).sum()),
        "protocol": dataset.protocol,
        "mase": ours["mase"],
        "smape": ours["smape"],
        "coverage80": ours["coverage80"],
        "coverage95": ours["coverage95"],
        "seasonal_naive_mase": base["mase"],
        "seasonal_naive_smape": base["smape"],
    }


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--sets", help="names or beginnings of names, with commas between them (default: all)"
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    chosen = tuple(given.sets.split(",")) if given.sets else ("",)
    began = time.monotonic()
    rows = [row(load(name, data)) for name in ALL if name.startswith(chosen)]
    ratio = geometric_mean([one["mase"] / one["seasonal_naive_mase"] for one in rows])
    print_table([{key: value for key, value in one.items() if key != "protocol"} for one in rows])
    worse = [one["set"] for one in rows if one["mase"] >= one["seasonal_naive_mase"]]
    print(
        f"\nMASE over seasonal naive's, geometric mean: {ratio:.3f}; not better on: "
        f"{', '.join(worse) or 'none'}"
    )
    if not given.dry and not given.sets:
        result = {"geometric_mean_to_seasonal_naive": ratio, "rows": rows}
        write_result("shipped", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
