"""What the golden file holds: numbers that a change of structure must not move by a bit.

`python tests/golden/cases.py` computes everything again and writes `golden.npz` and the saved
models beside it. Do that only in a commit of its own that says why the numbers are other ones.

S series · H horizon · Q quantile levels
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info

import lstmcast as lc
from lstmcast.data.examples import airline

HERE = Path(__file__).parent
GOLDEN = HERE / "golden.npz"
# saved models of format 1, as commit 2f83425 wrote them
FOLDERS = ("adaptive", "transformed")
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
EPOCHS = {"epochs": 3, "batch_size": 8}
SCALED = lc.Transformed(lc.Standard())
LOGS = lc.Transformed(lc.Log1p(), lc.Standard())
SEASONS = lc.Transformed(lc.Log1p(), lc.Difference(12), lc.Standard())
RANGES = lc.Transformed(lc.Chain((lc.Difference(), lc.MinMax(-1, 1)), apart=True))
ADAPTIVE = {"layers": (8,), "inputs": lc.Adaptive(window=6)}


def machine() -> str:
    """What the last bits depend on, as a digest: the processor, its matrix kernels, NumPy and
    PyTorch."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith(("model name", "model\t", "flags"))
    ]
    kernels = sorted({str(pool.get("architecture")) for pool in threadpool_info()})
    kernels.append(torch.backends.cpu.get_cpu_capability())
    said = " | ".join(
        [platform.machine(), *names[:3], *kernels, np.__version__, torch.__version__]
    )
    return hashlib.sha256(said.encode()).hexdigest()


def panels() -> dict[str, lc.Panel]:
    """Twenty series: seasons of several lengths, drifts, zeros, gaps, constants, short and long,
    small and large."""
    rng = np.random.default_rng(20261126)
    t = np.arange(1200)
    month = 50 + 0.3 * t + 10 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 2, len(t))
    day = 20 + 6 * np.cos(2 * np.pi * t / 7) + np.cumsum(rng.normal(0, 0.4, len(t)))
    gaps = month[:90].copy()
    gaps[[0, 7, 8, 40, 41, 42, 89]] = np.nan
    shift = np.where(t[:160] < 100, 1.0, 3.0) * month[:160]
    monthly = {
        "airline": np.asarray(airline().series(0)),
        "trend": month[:120],
        "gaps": gaps,
        "shift": shift,
        "negative": month[:100] - 70,
        "tiny": 1e-9 * month[:80],
        "huge": 1e12 + month[:80],
        "constant": np.full(40, 7.5),
        "short": np.array([3.0, 5.0, 4.0]),
        "walk": np.cumsum(rng.normal(0, 1, 300)),
    }
    daily = {
        "day": 100 + day[:400],
        "long": 100 + day,
        "counts": rng.poisson(2.0, 250).astype(float),
        "sparse": np.where(rng.random(200) < 0.3, rng.integers(1, 9, 200), 0).astype(
            float
        ),
        "closed": np.where(t[:210] % 7 == 6, 0.0, 30 + day[:210]),
        "nearly flat": 1000 + 1e-3 * day[:150],
    }
    hour = (
        8
        + 5 * np.sin(2 * np.pi * t / 24)
        + 2 * np.sin(2 * np.pi * t / 168)
        + rng.normal(0, 0.5, len(t))
    )
    hourly = {
        "hour": hour,
        "hour, positive": np.exp(hour[:500] / 10),
        "hour, young": hour[:30],
    }
    yearly = {"year": 10 * 1.04 ** t[:30] * np.exp(rng.normal(0, 0.05, 30))}
    # Values that are missing at the end stay, as at the cutoffs of a backtest.
    whole = {name: np.nan_to_num(values, nan=1.0) for name, values in monthly.items()}
    months = lc.Panel.from_arrays(whole, frequency="MS", start="2000-01-01")
    return {
        "monthly": replace(months, values=np.concatenate(list(monthly.values()))),
        "daily": lc.Panel.from_arrays(daily, frequency="D", start="2020-01-01"),
        "hourly": lc.Panel.from_arrays(hourly, frequency="h", start="2024-01-01"),
        "yearly": lc.Panel.from_arrays(yearly, frequency="YS", start="1990-01-01"),
    }


def waves(columns: int = 3) -> lc.Panel:
    """A small panel to train on."""
    t = np.arange(90)
    rng = np.random.default_rng(7)
    series = {
        f"w{k}": 5 + k + np.sin(2 * np.pi * t / (12 + k)) + rng.normal(0, 0.1, 90)
        for k in range(columns)
    }
    return lc.Panel.from_arrays(series, frequency="MS", start="2010-01-01")


def numbers(forecast: lc.Forecast) -> np.ndarray:
    """Point and quantiles, side by side."""
    return np.concatenate([forecast.point[..., None], forecast.quantiles], axis=-1)


def shipped() -> Iterator[tuple[str, np.ndarray]]:
    """The shipped network alone in every mode, and at earlier cutoffs; and combined."""
    for name, panel in panels().items():
        model = lc.LSTMForecaster(horizon=12, quantiles=LEVELS, method="network")
        yield f"shipped/{name}/direct", numbers(model.predict(panel))
        yield f"shipped/{name}/far", numbers(model.predict(panel, 60))
        yield (
            f"shipped/{name}/recursive",
            numbers(model.predict(panel, mode="recursive")),
        )
        yield (
            f"shipped/{name}/one-step",
            numbers(model.predict(panel, mode="one-step"))[::7],
        )
        cutoffs = np.stack([panel.lengths // 2 + 1, panel.lengths], axis=1)
        yield (
            f"shipped/{name}/cutoffs",
            numbers(model.predict(panel, 5, cutoffs=cutoffs)),
        )
        combined = lc.LSTMForecaster(horizon=12, quantiles=LEVELS)
        yield f"shipped/{name}/combined", numbers(combined.predict(panel))


def small(inputs: lc.Transformed, **settings) -> lc.NetworkConfig:
    """A network of two small layers."""
    return lc.NetworkConfig(layers=(6, 5), inputs=inputs, **settings)


def fitted(
    panel: lc.Panel, training: lc.TrainingConfig | None, **settings
) -> lc.LSTMForecaster:
    """A network from scratch, trained with one thread."""
    made = lc.LSTMForecaster(
        weights="scratch", training=training, quantiles=LEVELS, **settings
    )
    return made.fit(panel, threads=1)


def transformed() -> Iterator[tuple[str, np.ndarray]]:
    """Networks on transformed inputs in every mode: quantiles, points, paths, several columns."""
    panel = panels()["monthly"].select(["airline", "trend", "gaps", "shift"])
    training = lc.TrainingConfig(batching=lc.Windows(length=12), **EPOCHS)
    whole = lc.TrainingConfig(batching=lc.WholeSequence(), **EPOCHS)
    models = {
        "windows": fitted(
            panel,
            training,
            horizon=6,
            network=small(LOGS),
        ),
        "paths": fitted(
            panel,
            training,
            horizon=6,
            network=small(SEASONS, horizon=1),
        ),
        "points": fitted(
            panel,
            whole,
            horizon=6,
            network=small(RANGES, head="point", horizon=1),
        ),
        "student": fitted(
            panel,
            whole,
            horizon=6,
            network=small(SCALED, head="student_t"),
        ),
    }
    joint = waves()
    models["joint"] = fitted(
        joint,
        training,
        horizon=4,
        network=small(lc.Transformed(lc.Standard(), columns=3)),
    )
    for name, model in models.items():
        data = joint if name == "joint" else panel
        yield f"transformed/{name}/direct", numbers(model.predict(data))
        yield (
            f"transformed/{name}/recursive",
            numbers(model.predict(data, mode="recursive")),
        )
        yield (
            f"transformed/{name}/one-step",
            numbers(model.predict(data, mode="one-step")),
        )
        yield f"transformed/{name}/history", model.history.columns()["train_loss"]


SCHEMES = {
    "windows": lc.Windows(length=10),
    "windows, every": lc.Windows(length=10, loss="every", stride=2),
    "whole": lc.WholeSequence(),
    "whole, chunks": lc.WholeSequence(chunk=20),
    "stateful": lc.Stateful(chunk=9),
    "stateful, never": lc.Stateful(chunk=9, reset="never", loss="last"),
    "rollout": lc.Rollout(length=12, support=6, support_end=2),
    "rollout, sampled": lc.Rollout(
        length=12, support=4, probability=0.2, probability_end=0.8
    ),
}


def trainings() -> Iterator[tuple[str, np.ndarray]]:
    """One training of each batching scheme: its losses, its weights, its forecast."""
    panel = waves()
    for name, batching in SCHEMES.items():
        model = fitted(
            panel,
            lc.TrainingConfig(batching=batching, **EPOCHS),
            horizon=3,
            network=small(SCALED, horizon=1),
        )
        yield from trained(f"training/{name}", model, panel)
    for name, batching in {
        "windows": lc.Windows(length=48),
        "whole": lc.WholeSequence(chunk=30),
    }.items():
        training = lc.TrainingConfig(
            batching=batching,
            steps_per_epoch=3 if name == "windows" else None,
            **EPOCHS,
        )
        model = fitted(panel, training, horizon=3, network=lc.NetworkConfig(**ADAPTIVE))
        yield from trained(f"training/adaptive, {name}", model, panel)


def trained(
    name: str, model: lc.LSTMForecaster, panel: lc.Panel
) -> Iterator[tuple[str, np.ndarray]]:
    """What a training left behind."""
    history = model.history.columns()
    yield (
        f"{name}/losses",
        np.stack([history["train_loss"], history["validation_loss"]]),
    )
    yield (
        f"{name}/weights",
        np.concatenate([part.ravel() for part in model.network.members[0].values()]),
    )
    yield f"{name}/forecast", numbers(model.predict(panel))


def streams() -> Iterator[tuple[str, np.ndarray]]:
    """Networks that learn tick by tick, and one that does not."""
    values = waves().values.reshape(3, -1)
    for of in ("values", "changes", "returns"):
        config = lc.NetworkConfig((6,), inputs=lc.Running(of), head="point", horizon=1)
        stream = lc.Stream(config, ["a", "b", "c"], learning=lc.Learning(chunk=4))
        yield (
            f"stream/{of}",
            np.array(
                [[stream.predict(), stream.observe(tick)] for tick in values.T[:40]]
            ),
        )
    model = fitted(
        waves(),
        lc.TrainingConfig(batching=lc.WholeSequence(), **EPOCHS),
        horizon=1,
        network=small(SEASONS, horizon=1),
    )
    stream = lc.Stream(model, [f"w{k}" for k in range(3)])
    yield (
        "stream/fitted",
        np.array([[stream.predict(), stream.observe(tick)] for tick in values.T[:40]]),
    )
    yield "stream/fitted, quantiles", stream.quantiles()


def backtests() -> Iterator[tuple[str, np.ndarray]]:
    """Forecasts of a backtest with the shipped network."""
    panel = panels()["daily"]
    model = lc.LSTMForecaster(horizon=7, quantiles=LEVELS, method="network")
    result = lc.backtest(model, panel, cutoffs=3)
    yield "backtest/daily", numbers(result.forecasts["lstmcast"])


def loaded() -> Iterator[tuple[str, np.ndarray]]:
    """What the saved models forecast: from what they remember, and after newer data."""
    for name in FOLDERS:
        model = lc.load(HERE / name)
        yield f"saved/{name}", numbers(model.predict())
        newer = lc.Panel.from_arrays(
            {"w0": [5.5, 5.25]}, frequency="MS", start="2017-07-01"
        )
        yield f"saved/{name}, newer", numbers(model.predict(newer))


def save_models() -> None:
    """Write the saved models that `loaded` reads."""
    panel = waves()
    training = lc.TrainingConfig(batching=lc.Windows(length=12), **EPOCHS)
    causal = lc.TrainingConfig(
        batching=lc.Windows(length=48), steps_per_epoch=3, **EPOCHS
    )
    models = {
        "adaptive": fitted(
            panel, causal, horizon=6, network=lc.NetworkConfig(**ADAPTIVE)
        ),
        "transformed": fitted(
            panel,
            training,
            horizon=6,
            network=small(LOGS),
        ),
    }
    for name, model in models.items():
        shutil.rmtree(HERE / name, ignore_errors=True)
        model.save(HERE / name)


def compute() -> dict[str, np.ndarray]:
    """Everything, by name."""
    parts = (shipped, transformed, trainings, streams, backtests, loaded)
    return {name: np.asarray(array, float) for part in parts for name, array in part()}


def main() -> None:
    """Write the golden file; with `--models`, the saved models too."""
    if "--models" in sys.argv:
        save_models()
    arrays = compute()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "golden.npz"
        np.savez_compressed(made, machine=np.array(machine()), **arrays)
        shutil.copy(made, GOLDEN)
    sys.stdout.write(f"{len(arrays)} arrays, {GOLDEN.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
