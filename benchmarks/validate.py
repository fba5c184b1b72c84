"""Which network forecasts best: windows cut from the training parts of the data sets, never from
their test parts.

`python benchmarks/validate.py FOLDER …` compares network folders (the shipped network unless named)
on the last windows before each set's first test cutoff: MASE, scaled CRPS and coverage of the
network's own quantiles, without calibration, beside the seasonal naive forecast. Large sets are
thinned. The overall numbers are geometric means over the sets of MASE and CRPS relative to the
seasonal naive forecast's MASE; the single series of `classic` count as one set together. The
variants of the shipped network are chosen by this.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from common import (
    Uncalibrated,
    arguments,
    data_folder,
    geometric_mean,
    print_table,
    scores,
    write_result,
)
from sets import ALL, DataSet, load

from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import SeasonalNaive


def validate(
    dataset: DataSet, networks: dict[str, Uncalibrated]
) -> list[dict[str, Any]]:
    """A row for each network."""
    held_out = dataset.validation()
    naive = SeasonalNaive(quantiles=())
    rows = []
    for label, network in networks.items():
        tested = backtest(
            network,
            held_out.panel,
            cutoffs=held_out.counts,
            horizon=held_out.horizon,
            baselines=[naive],
        )
        base = scores(held_out, tested.actual, tested.forecasts[naive.name])["mase"]
        row = scores(held_out, tested.actual, tested.forecasts[network.name])
        rows.append(
            {
                "set": dataset.name,
                "network": label,
                "origins": int((held_out.counts > 0).sum()),
                "mase": row["mase"],
                "to_seasonal_naive": row["mase"] / base,
                "crps_to_seasonal_naive": row["scaled_crps"] / base,
                "smape": row["smape"],
                "coverage80": row["coverage80"],
                "coverage95": row["coverage95"],
            }
        )
    return rows


def overall(rows: list[dict[str, Any]], network: str) -> dict[str, Any]:
    """Geometric means over sets; those of a family of single series count as one set."""
    result: dict[str, Any] = {"network": network}
    for key in ("to_seasonal_naive", "crps_to_seasonal_naive"):
        families: dict[str, list[float]] = {}
        for row in rows:
            if row["network"] == network:
                family = "classic" if row["set"].startswith("classic_") else row["set"]
                families.setdefault(family, []).append(row[key])
        result[key] = geometric_mean(
            [geometric_mean(values) for values in families.values()]
        )
    return result


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "networks",
        nargs="*",
        default=["pretrained"],
        help="folders that hold a network",
    )
    parser.add_argument(
        "--sets",
        help="names or beginnings of names, with commas between them (default: all)",
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    chosen = tuple(given.sets.split(",")) if given.sets else ("",)
    networks = {
        Path(folder).name: Uncalibrated(24, folder) for folder in given.networks
    }
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    for name in ALL:
        if name.startswith(chosen):
            rows += validate(load(name, data), networks)
    means = [overall(rows, label) for label in networks]
    print_table(rows)
    print("\nGeometric means over the sets:")
    print_table(means)
    if not given.dry and not given.sets:
        write_result(
            "validation",
            __doc__,
            {"overall": means, "rows": rows},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
