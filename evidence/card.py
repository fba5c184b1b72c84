"""The card of the shipped network, src/lstmcast/weights/CARD.md, from its manifest and
results/shipped.json. fill.py writes it with the pages.
"""

from __future__ import annotations

import json
from typing import Any

from records import RESULTS, WEIGHTS, shipped_weights
from tables import number, share, table, text

CARD = WEIGHTS.parent / "CARD.md"
MANIFEST = WEIGHTS.parent / "manifest.json"


def refresh(check: bool = False) -> list[str]:
    """Write the card, or only compare it; what is wrong, in words."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    result = json.loads((RESULTS / "shipped.json").read_text(encoding="utf-8"))
    if result["weights_sha256"] != shipped_weights():
        return [
            "results/shipped.json was made with other weights. Run make accuracy first."
        ]
    text_now = card(manifest, result)
    if check and CARD.read_text(encoding="utf-8") != text_now:
        return [f"{CARD.name}: disagrees with the results: run `make evidence`"]
    if not check:
        CARD.write_text(text_now, encoding="utf-8")
    return []


def card(manifest: dict[str, Any], result: dict[str, Any]) -> str:
    """The card as Markdown."""
    made, network, machine = (
        manifest["pretraining"],
        manifest["network"],
        manifest["machine"],
    )
    size = manifest["files"]["weights.safetensors"]["bytes"]
    members, threads = (
        manifest["members"],
        " and ".join(f"{seconds:,} s" for seconds in manifest["seconds"]),
    )
    rows = sorted(
        result["rows"], key=lambda row: row["mase"] / row["seasonal_naive_mase"]
    )
    for row in rows:
        row["ratio"] = row["mase"] / row["seasonal_naive_mase"]
    worse = [row["set"] for row in rows if row["ratio"] >= 1]
    return f"""# The shipped network

**What it is.** {members} LSTM networks of {len(network["layers"])} layers with
{network["layers"][0]} units each, whose quantiles are averaged: {size / 4:,.0f} numbers,
{size / 1e6:.2f} MB. It reads a series once, in order, and answers with seven quantiles of each of
the next {network["horizon"]} steps; longer horizons feed its medians back.

**What it was made from.** Synthetic series only (`lstmcast.data.synthetic`), new ones for each of
{made["steps"]:,} steps of about {made["values"]:,} values; no real series, so it holds no one's
data. Some series lack values, as real ones do. Seeds {made["seed"]} to
{made["seed"] + members - 1}, side by side, {threads}, one thread each, {manifest["date"]}
({manifest["device"]}, {machine["cores"]} cores, {machine["processor"]}; PyTorch
{manifest["versions"]["torch"]}, NumPy {manifest["versions"]["numpy"]}). `make pretrain` makes it
again.

**What it was chosen by.** Windows cut from the train parts of public data sets
(`benchmarks/validate.py`); what was tried is in `docs/experiments.md`. No variant was chosen by a
test part.

**How well it does.** Test parts, nothing trained on them, MASE (1 = the error of the seasonal naive
forecast on the history); the share of values in the calibrated 80% interval; and MASE relative to
that of the seasonal naive forecast of the same values (below 1 is better). Geometric mean of that
ratio over the {len(rows)} sets:
**{number(result["geometric_mean_to_seasonal_naive"], 2)}**.

{table(rows, COLUMNS)}

**What it is not good at.**

- It is no better than repeating the last season on: {", ".join(worse) or "none of these sets"}.
- Cycles that are no season, such as sunspots, are followed for some steps, not foretold.
- Seasons of many hundred steps (5-minute data with days and weeks) reach beyond the lengths that it
  was trained on.
- Its own intervals are too narrow for yearly and hourly series; they are calibrated on the data at
  hand, which takes some history.
- It sees one series at a time: no covariates, no other series.
"""


COLUMNS = {
    "set": ("set", str),
    "frequency": ("frequency", str),
    "series": ("series", text(0)),
    "horizon": ("horizon", text(0)),
    "mase": ("MASE", text(3)),
    "smape": ("sMAPE %", text(2)),
    "coverage80": ("in 80%", share),
    "ratio": ("relative to seasonal naive", text(2)),
}
