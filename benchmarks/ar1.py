"""Does asking for H steps at once cost accuracy at the first? An H = 12 head against a one-step
head on AR(1) series.

Two networks of the package's kind (16 units, one layer, window 12), equal but for the horizon, are
trained with the same seeds, steps and series: AR(1) processes with coefficients uniform in (−0.5,
0.99), normal errors, any scale, all values negative (so that none is read on the log axis), 64
series of 160 values at each of 800 steps, pinball loss at 2,048 positions. On 400 new series of 256
values both forecast every value after the 64th from those before it. Errors are means over seeds,
in units of each series' innovations. `ratio`: over the error of the one-step head; at most 1.05 is
asked of the H-step head. The optimal predictor knows each series' coefficient and mean; the shipped
network was not trained on these series. Needs PyTorch.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import arguments, print_table, write_result

import lstmcast as lc
from lstmcast import store
from lstmcast.model.network import Network, NetworkConfig, described
from lstmcast.training.losses import standing, weighted_pinball
from lstmcast.training.module import NetworkModule, arrays_from_state
from lstmcast.training.pretraining import batch_from_series

STEPS, SERIES, LENGTH, POSITIONS = 800, 64, 160, 2_048
# series, their length, values known before the first forecast
TESTED, TEST_LENGTH, BEFORE = 400, 256, 64


def ar1(
    rng: np.random.Generator, series: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Stationary AR(1) series (S, T), and the optimal one-step forecast of each of their values."""
    coefficient = rng.uniform(-0.5, 0.99, series)
    scale = np.exp(rng.normal(0, 2, series))
    # below zero: positive series are read on the log axis
    level = -20 * scale / np.sqrt(1 - coefficient**2)
    error = rng.normal(size=(series, length))
    deviation = np.empty((series, length))
    deviation[:, 0] = error[:, 0] / np.sqrt(1 - coefficient**2)
    for t in range(1, length):
        deviation[:, t] = coefficient * deviation[:, t - 1] + error[:, t]
    expected = np.concatenate(
        [np.zeros((series, 1)), coefficient[:, None] * deviation[:, :-1]], axis=1
    )
    return level[:, None] + scale[:, None] * deviation, level[:, None] + scale[
        :, None
    ] * expected


def trained(horizon: int, seed: int, folder: Path) -> Path:
    """Train a network with this horizon, and save it where `LSTMForecaster` finds it."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    config = NetworkConfig(layers=(16,), horizon=horizon)
    module = NetworkModule(config)
    parameters = [
        parameter for parameter in module.parameters() if parameter.requires_grad
    ]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=STEPS)
    for step in range(STEPS):
        rng = np.random.default_rng([seed, step])
        values, _ = ar1(rng, SERIES, LENGTH)
        # The known part is the same for both: the longer head needs more values after it.
        values = values[:, : LENGTH - 12 + horizon]
        batch = batch_from_series(rng, values, (1,), "", False, POSITIONS, config)
        x, positions, target, weight = (torch.from_numpy(part) for part in batch)
        raw_NHR = module(x, positions).squeeze(2)
        quantiles_NHQ = module.answers.quantiles(raw_NHR, *standing(raw_NHR), torch)
        loss = weighted_pinball(quantiles_NHQ, target, weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
    manifest, arrays = described(
        Network(config, [arrays_from_state(module.state_dict(), config)])
    )
    store.save(
        folder / f"h{horizon}-{seed}",
        {"kind": "network", **manifest},
        {"weights": arrays},
    )
    return folder / f"h{horizon}-{seed}"


def unseen(series: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Series that no network was trained on, the optimal forecast of each value, each series'
    error scale."""
    values, optimal = ar1(np.random.default_rng(2024), series, TEST_LENGTH)
    return (
        values,
        optimal,
        np.abs((values - optimal)[:, 1:]).mean(axis=1) * np.sqrt(np.pi / 2),
    )


def one_step_errors(
    weights: str | Path, values: np.ndarray, scale: np.ndarray
) -> dict[str, float]:
    """`errors` of a saved network."""
    observed = lc.LSTMForecaster(1, weights=weights).predict(
        lc.Panel.from_arrays(values), mode="one-step"
    )
    return errors(
        observed.point.reshape(len(values), -1)[:, BEFORE - 1 :], values, scale
    )


def errors(
    forecast: np.ndarray, values: np.ndarray, scale: np.ndarray
) -> dict[str, float]:
    """MAE and RMSE, in units of each series' error scale, of the values after the first ones."""
    error = (forecast - values[:, BEFORE:]) / scale[:, None]
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
    }


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=2, help="networks of each horizon")
    given = parser.parse_args()
    began = time.monotonic()
    values, optimal, scale = unseen(TESTED)
    rows: list[dict[str, Any]] = [
        {"forecast": "optimal", **errors(optimal[:, BEFORE:], values, scale)}
    ]
    with tempfile.TemporaryDirectory() as folder:
        for horizon in (1, 12):
            found = [
                one_step_errors(trained(horizon, k, Path(folder)), values, scale)
                for k in range(given.seeds)
            ]
            mean = {
                key: float(np.mean([error[key] for error in found]))
                for key in ("mae", "rmse")
            }
            rows.append({"forecast": f"head with H = {horizon}", **mean})
    rows.append(
        {"forecast": "shipped network", **one_step_errors("pretrained", values, scale)}
    )
    rows.append(
        {"forecast": "last value", **errors(values[:, BEFORE - 1 : -1], values, scale)}
    )
    ratio = {key: rows[2][key] / rows[1][key] for key in ("mae", "rmse")}
    shipped = {key: rows[3][key] / rows[1][key] for key in ("mae", "rmse")}
    rows[2] |= {f"ratio_{key}": value for key, value in ratio.items()}
    rows[3] |= {f"ratio_{key}": value for key, value in shipped.items()}
    print_table(rows)
    if not given.dry:
        write_result(
            "ar1", __doc__, {"ratio": ratio, "rows": rows}, time.monotonic() - began
        )


if __name__ == "__main__":
    main()
