"""Forecasts that add up: the error at each level before they were reconciled and after.

Australian tourism (56 series by state, purpose and city or not, 36 quarters, 8 ahead) and M5 sales
(70 series by store and department, 447 days, 28 ahead), with totals by every combination of
columns. Four cutoffs a horizon apart, but for tourism, whose history is too short for that. MASE is
the mean over series, steps and cutoffs; pinball is the loss of all quantiles of `mint`, divided by
that of the base.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from common import arguments, data_folder, print_table, write_result

import lstmcast as lc

METHODS = ("mint", "bottom-up", "top-down")


def tourism(data: Path) -> lc.Panel:
    """Nights spent in Australia."""
    table = pd.read_parquet(data / "tourism_small.parquet")
    table = pd.DataFrame(table[table["level"] == "purpose/state/city"])
    columns = ["state", "purpose", "city"]
    table[columns] = pd.Series(table["unique_id"]).str.split(" - ", expand=True)
    return lc.read(table[[*columns, "ds", "y"]], time="ds", target="y", series=columns)


def sales(data: Path) -> lc.Panel:
    """Units sold by stores and departments."""
    wide = pd.read_parquet(data / "m5_store_dept_daily.parquet").drop(columns="total")
    table = wide.melt("ds", var_name="name", value_name="y")
    parts = table["name"].str.extract(r"^(?P<store>\w\w_\d)_(?P<department>\w+)$")
    table = pd.concat([table, parts], axis=1)
    columns = ["store", "department"]
    return lc.read(table[[*columns, "ds", "y"]], time="ds", target="y", series=columns)


SETS = {"tourism": (tourism, 8), "M5 sales": (sales, 28)}


def measured(name: str, panel: lc.Panel, horizon: int) -> list[dict[str, object]]:
    """A row for each level."""
    whole = lc.with_totals(panel)
    tables = {}
    for method in METHODS:
        model = lc.Reconciled(lc.LSTMForecaster(horizon), method)
        tested = lc.backtest(model, whole, cutoffs=4, baselines=False)
        tables[method] = tested.per_level()
    first = tables["mint"]
    base = first["model"] == "base"
    rows = []
    for number, level in enumerate(first["level"][base]):
        row: dict[str, object] = {"set": name, "level": str(level)}
        row["base"] = float(first["mase"][base][number])
        row |= {
            method: float(found["mase"][~base][number])
            for method, found in tables.items()
        }
        pinball = first["pinball"][~base][number] / first["pinball"][base][number]
        coverage = {
            "base": first["coverage_80"][base],
            "mint": first["coverage_80"][~base],
        }
        row["pinball"] = float(pinball)
        row |= {
            f"coverage {who}": float(shares[number]) for who, shares in coverage.items()
        }
        rows.append(row)
    return rows


def main() -> None:
    given = arguments(__doc__ or "").parse_args()
    data, began = data_folder(given.data), time.monotonic()
    rows = []
    for name, (read, horizon) in SETS.items():
        rows += measured(name, read(data), horizon)
    print_table(rows)
    ratio = {
        method: float(
            np.exp(np.mean([np.log(row[method] / row["base"]) for row in rows]))
        )
        for method in METHODS
    }
    if not given.dry:
        write_result(
            "hierarchies",
            __doc__,
            {"rows": rows, "ratio": ratio},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
