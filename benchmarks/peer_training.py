"""Seconds that a library takes to train an LSTM: run by training_peers.py, with a Python that has
the library.

`python peer_training.py LIBRARY LAYERS SHORT LONG SERIES.npz` prints one line of JSON: the
processor seconds of a fit of SHORT updates and of one of LONG updates, and the versions. One
thread. For peers it imports nothing of lstmcast.
"""

# pyright: reportMissingImports=false
# (the peers are in an environment of their own)

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

WINDOW, HORIZON, UNITS, BATCH = 36, 18, 64, 128
RATE = 1e-3
QUIET = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}
SEVERAL = ("torch", "pytorch-lightning", "numpy", "pandas")


def neuralforecast(
    layers: int, values: np.ndarray, offsets: np.ndarray
) -> Callable[[int], object]:
    """`LSTM` with a linear head, without scaling: `windows_batch_size` windows of each batch of
    32 series."""
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MSE
    from neuralforecast.models import LSTM

    lengths = np.diff(offsets)
    ids = np.repeat(np.arange(len(lengths)), lengths)
    frame = pd.DataFrame(
        {"unique_id": ids, "ds": np.arange(len(values)) - offsets[ids], "y": values}
    )

    def fit(steps: int) -> object:
        model = LSTM(
            h=HORIZON,
            input_size=WINDOW,
            encoder_n_layers=layers,
            encoder_hidden_size=UNITS,
            decoder_layers=1,
            loss=MSE(),
            learning_rate=RATE,
            batch_size=32,
            windows_batch_size=BATCH,
            scaler_type="identity",
            max_steps=steps,
            val_check_steps=10**9,
            accelerator="cpu",
            **QUIET,
        )
        return NeuralForecast(models=[model], freq=1).fit(frame)

    return fit


def darts(
    layers: int, values: np.ndarray, offsets: np.ndarray
) -> Callable[[int], object]:
    """`BlockRNNModel` with an LSTM: the last state is answered by a linear layer."""
    import torch
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    parts = np.split(values.astype(np.float32), offsets[1:-1])
    series = [
        TimeSeries.from_values(part) for part in parts if len(part) >= WINDOW + HORIZON
    ]

    def fit(steps: int) -> object:
        model = BlockRNNModel(
            input_chunk_length=WINDOW,
            output_chunk_length=HORIZON,
            model="LSTM",
            hidden_dim=UNITS,
            n_rnn_layers=layers,
            loss_fn=torch.nn.MSELoss(),
            optimizer_cls=torch.optim.Adam,
            optimizer_kwargs={"lr": RATE},
            batch_size=BATCH,
            n_epochs=10**6,
            pl_trainer_kwargs={"accelerator": "cpu", "max_steps": steps, **QUIET},
        )
        return model.fit(series, verbose=False)

    return fit


def bare(
    layers: int, values: np.ndarray, offsets: np.ndarray
) -> Callable[[int], object]:
    """A loop with nothing around it."""
    import torch
    from bare import BareWindows

    ranges = [np.arange(a, b - WINDOW - HORIZON + 1) for a, b in pairwise(offsets)]
    starts = torch.from_numpy(np.concatenate(ranges))
    tensor = torch.from_numpy(values).float()

    def fit(steps: int) -> object:
        loop = BareWindows(
            tensor,
            starts,
            layers=layers,
            units=UNITS,
            window=WINDOW,
            horizon=HORIZON,
            batch=BATCH,
        )
        return loop.train(steps)

    return fit


def lstmcast(
    layers: int,
    values: np.ndarray,
    offsets: np.ndarray,
    loss: Any = "last",
    precision: Any = "full",
) -> Callable[[int], object]:
    """Plain inputs, a point head, no transforms: the series come scaled."""
    import lstmcast as lc
    from lstmcast.training_config import Loss, Optimiser, TrainingConfig, Windows

    panel = lc.Panel.from_arrays(
        {str(k): part for k, part in enumerate(np.split(values, offsets[1:-1]))}
    )

    def fit(steps: int) -> object:
        training = TrainingConfig(
            epochs=steps // 10 or 1,
            steps_per_epoch=min(steps, 10),
            batch_size=BATCH,
            batching=Windows(WINDOW, loss=loss),
            optimiser=Optimiser("adam", RATE),
            loss=Loss("mse"),
            validation=None,
            precision=precision,
        )
        network = lc.NetworkConfig(
            (UNITS,) * layers, inputs=lc.Transformed(), head="point"
        )
        model = lc.LSTMForecaster(
            HORIZON, weights="scratch", network=network, training=training
        )
        return model.fit(panel, threads=1)

    return fit


LIBRARIES = {
    "NeuralForecast": (neuralforecast, "neuralforecast"),
    "Darts": (darts, "darts"),
    "bare PyTorch": (bare, "torch"),
    "lstmcast": (lstmcast, "numpy"),
    "lstmcast, mixed": (partial(lstmcast, precision="mixed"), "numpy"),
    "lstmcast, every step": (partial(lstmcast, loss="every"), "numpy"),
    "lstmcast, every step, mixed": (
        partial(lstmcast, loss="every", precision="mixed"),
        "numpy",
    ),
}


def main() -> None:
    library, layers, short, long, path = sys.argv[1:]
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    import torch

    torch.set_num_threads(1)
    with np.load(path) as file:
        values, offsets = file["values"], file["offsets"]
    make, package = LIBRARIES[library]
    fit = make(int(layers), values, offsets)
    fit(1)  # imports and caches
    seconds = {}
    for name, steps in (("short", int(short)), ("long", int(long))):
        began = time.process_time()
        fit(steps)
        seconds[name] = time.process_time() - began
    installed = {dist.metadata["Name"] for dist in importlib.metadata.distributions()}
    versions = {
        name: importlib.metadata.version(name)
        for name in (package, *SEVERAL)
        if name in installed
    }
    print(
        json.dumps(
            {**seconds, "versions": {"python": platform.python_version(), **versions}}
        )
    )


if __name__ == "__main__":
    main()
