"""A forecast of many series by another library: run by many_peers.py, with a Python that has it.

`python peer_many.py METHOD SERIES.parquet HORIZON OUT.parquet` reads the long table, forecasts each
series, writes `unique_id, ds, forecast, lower, upper` (80% intervals), and prints the versions as
one line of JSON. It imports nothing of lstmcast.
"""

# pyright: reportMissingImports=false
# (the peers are in an environment of their own)

from __future__ import annotations

import importlib.metadata
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

LEVEL, PERIOD, INPUT, STEPS = 80, 12, 36, 300
BOUNDS = {f"lo-{LEVEL}": "lower", f"hi-{LEVEL}": "upper"}


def statsforecast(method: str, frame: Any, horizon: int) -> Any:
    """Each series by itself."""
    from statsforecast import StatsForecast, models

    model = getattr(models, method)(season_length=PERIOD)
    made = StatsForecast(models=[model], freq="MS", n_jobs=1)
    answer = made.forecast(df=frame, h=horizon, level=[LEVEL])
    return renamed(answer, method, "")


def neuralforecast(method: str, frame: Any, horizon: int) -> Any:
    """One network for all of them, trained on them; its quantiles are what it is trained for."""
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MQLoss

    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    model = getattr(models, method)(
        h=horizon,
        input_size=INPUT,
        loss=MQLoss(level=[LEVEL]),
        scaler_type="robust",
        max_steps=STEPS,
        accelerator="cpu",
        enable_checkpointing=False,
        **quiet,
    )
    made = NeuralForecast(models=[model], freq="MS")
    made.fit(frame)
    return renamed(made.predict(), method, "-median")


def autogluon(_: str, frame: Any, horizon: int) -> Any:
    """Its preset for little time: a weighted mean of simple, statistical and tree models."""
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    names = {"unique_id": "item_id", "ds": "timestamp", "y": "target"}
    data = TimeSeriesDataFrame(frame.rename(columns=names))
    with tempfile.TemporaryDirectory() as folder:
        made = TimeSeriesPredictor(
            prediction_length=horizon,
            freq="MS",
            path=folder,
            verbosity=0,
            eval_metric="MASE",
        )
        made.fit(data, presets="fast_training")
        answer = made.predict(data).reset_index()
    columns = {"item_id": "unique_id", "timestamp": "ds", "0.5": "forecast"}
    return answer.rename(columns=columns | {"0.1": "lower", "0.9": "upper"})


METHODS: dict[str, tuple[str, Callable[[str, Any, int], Any]]] = {
    "AutoETS": ("statsforecast", statsforecast),
    "AutoTheta": ("statsforecast", statsforecast),
    "NHITS": ("neuralforecast", neuralforecast),
    "LSTM": ("neuralforecast", neuralforecast),
    "AutoGluon": ("autogluon.timeseries", autogluon),
}


def renamed(answer: Any, method: str, middle: str) -> Any:
    """The columns of Nixtla's libraries by the names of this file."""
    frame = answer if "unique_id" in answer.columns else answer.reset_index()
    columns = {f"{method}{middle}": "forecast"}
    columns |= {f"{method}-{end}": name for end, name in BOUNDS.items()}
    return frame.rename(columns=columns)


def main() -> None:
    method, source, horizon, out = sys.argv[1:]
    import pandas as pd

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    library, forecast = METHODS[method]
    answer = forecast(method, pd.read_parquet(source), int(horizon))
    answer[["unique_id", "ds", "forecast", "lower", "upper"]].to_parquet(out)
    names = (library, "numpy", "pandas")
    print(json.dumps({name: importlib.metadata.version(name) for name in names}))


if __name__ == "__main__":
    main()
