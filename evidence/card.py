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

**Architecture.** {members} LSTM networks of {len(network["layers"])} layers with
{network["layers"][0]} units each, whose quantiles are averaged: {parameters():,} parameters,
{size / 1e6:.2f} MB. Each reads a series once, in order, and forecasts seven quantiles of each of
the next {network["horizon"]} steps; for longer horizons, the medians are fed back.

**Training data.** Only synthetic series (`lstmcast.data.synthetic`), new ones for each of
{made["steps"]:,} updates of about {made["values"]:,} values. No real series were used, so the
weights contain nobody's data. Some series have missing values, as real ones do. The networks were
trained in parallel with seeds {made["seed"]} to {made["seed"] + members - 1}, in {threads}, with
one thread each, on {manifest["date"]} ({manifest["device"]}, {machine["cores"]} cores,
{machine["processor"]}; PyTorch {manifest["versions"]["torch"]}, NumPy
{manifest["versions"]["numpy"]}). `make pretrain` repeats the training.

**Selection.** The variant was selected on windows of the training parts of public data sets
(`benchmarks/validate.py`), never on test parts. What was tried is in `docs/experiments.md`.

**Accuracy.** Measured on test parts, without any training on these data sets: MASE (1 is the error
of the seasonal naive forecast on the history), sMAPE, the share of values in the calibrated 80%
interval, and the MASE relative to that of the seasonal naive forecast of the same values (below 1
is better). Geometric mean of that ratio over the {len(rows)} sets:
**{number(result["geometric_mean_to_seasonal_naive"], 2)}**.

{table(rows, COLUMNS)}

**Limitations.**

- It is no better than repeating the last season on: {", ".join(worse) or "none of these sets"}.
- Cycles that are not seasonal, such as sunspots, are followed for a few steps only.
- Seasonal periods of many hundred steps (days and weeks of 5-minute data) are longer than those
  that it was trained on.
- The network's own intervals are too narrow for yearly and hourly series. They are calibrated on
  the data, which needs some history.
- It reads one series at a time, without covariates or other series.
"""


def parameters() -> int:
    """The number of weights: what follows the header of the safetensors file, as float32."""
    content = WEIGHTS.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    return (len(content) - header) // 4


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
