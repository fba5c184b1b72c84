"""Does asking for H steps at once cost accuracy at the first, when users train? AR(1) series, H =
12 against H = 1.

As ar1.py, but through `fit`, on a panel: 400 AR(1) series of 160 values (coefficients uniform in
(−0.5, 0.99), any scale, all values negative, so that none is read on the log axis), networks from
scratch with one layer of 16 units that are equal but for the horizon, with the same seeds and
numbers of updates. `causal`: the default inputs, head and settings with 32 epochs; `plain`: values
scaled by series, windows of 48 values with a loss at every step, the squared error. On 200 new
series of 256 values every value after the 64th is forecast from those before it. Errors are means
over seeds, in units of each series' innovations. `ratio`: over the network with H = 1; at most 1.05
is asked.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from ar1 import BEFORE, LENGTH, ar1, errors, unseen
from common import arguments, print_table, write_result

import lstmcast as lc
from lstmcast import NetworkConfig, TrainingConfig
from lstmcast.model.inputs import Transformed
from lstmcast.training_config import Optimiser, Schedule, Windows
from lstmcast.transforms import Standard

SERIES, TESTED = 400, 200
UNITS = (16,)
TRAINING = {
    "causal": replace(TrainingConfig.from_scratch(), epochs=32),
    "plain": TrainingConfig(
        epochs=32,
        batch_size=64,
        steps_per_epoch=40,
        batching=Windows(48, loss="every"),
        optimiser=Optimiser("adam", 4e-3, clip=1.0, schedule=Schedule("warmup_cosine")),
    ),
}


def forecaster(inputs: str, horizon: int, seed: int) -> lc.LSTMForecaster:
    """Not trained yet."""
    training = TRAINING[inputs]
    if inputs == "causal":
        return lc.LSTMForecaster(
            horizon,
            weights="scratch",
            network=NetworkConfig(UNITS),
            training=training,
            seed=seed,
        )
    network = NetworkConfig(UNITS, inputs=Transformed(Standard()), head="point")
    return lc.LSTMForecaster(
        horizon,
        weights="scratch",
        network=network,
        training=training,
        seed=seed,
    )


def one_step_errors(
    model: lc.LSTMForecaster, values: np.ndarray, scale: np.ndarray
) -> dict[str, float]:
    """Of a trained model on series that it has not seen."""
    # these are other series than those that it was trained on, so they need other ids
    assert model.fitted is not None
    model.fitted = replace(model.fitted, saved_context=None)
    panel = lc.Panel.from_arrays({f"new {k}": row for k, row in enumerate(values)})
    cutoffs = np.broadcast_to(
        np.arange(BEFORE, values.shape[1]), (len(values), values.shape[1] - BEFORE)
    )
    forecast = model.predict(panel, 1, cutoffs=cutoffs)
    return errors(forecast.point.reshape(len(values), -1), values, scale)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=2, help="networks of each horizon")
    given = parser.parse_args()
    began = time.monotonic()
    values, optimal, scale = unseen(TESTED)
    training = lc.Panel.from_arrays(ar1(np.random.default_rng(7), SERIES, LENGTH)[0])
    rows: list[dict[str, Any]] = [
        {"forecast": "optimal", **errors(optimal[:, BEFORE:], values, scale)}
    ]
    ratio: dict[str, float] = {}
    for inputs in TRAINING:
        means = []
        for horizon in (1, 12):
            found, at = [], time.perf_counter()
            for seed in range(given.seeds):
                fitted = forecaster(inputs, horizon, seed).fit(training, threads=1)
                found.append(one_step_errors(fitted, values, scale))
            means.append(
                {
                    key: float(np.mean([one[key] for one in found]))
                    for key in ("mae", "rmse")
                }
            )
            rows.append(
                {
                    "forecast": f"{inputs} inputs, H = {horizon}",
                    **means[-1],
                    "seconds": time.perf_counter() - at,
                }
            )
        for key in ("mae", "rmse"):
            rows[-1][f"ratio_{key}"] = ratio[f"{inputs}_{key}"] = (
                means[1][key] / means[0][key]
            )
    rows.append(
        {"forecast": "last value", **errors(values[:, BEFORE - 1 : -1], values, scale)}
    )
    print_table(rows)
    if not given.dry:
        write_result(
            "training_ar1",
            __doc__,
            {"ratio": ratio, "rows": rows},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
