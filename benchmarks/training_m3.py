"""M3 competition, monthly part: the network trained on the training parts of its 1,428 series,
official test parts.

`scratch`: a new network (two layers of 64 units, quantiles), `fine-tuned`: the shipped one trained
further; each with the settings that `fit` uses unless told otherwise, which hold the last 18 values
of each training part back to choose an epoch and to measure intervals, and with `validation=None`,
which learns from these too, for a number of epochs that was chosen beforehand: by forecasting the
last 18 values of the training parts from those before (`--chosen` does this). `mixed` computes in
bfloat16 where that serves. `shipped` is not trained on any of it. MASE, sMAPE and CRPS as in m3.py.
`seconds` is the whole call of `fit`, on all processors; `cpu_seconds` adds up what they worked.
Seed 0, not chosen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import arguments, data_folder, print_table, scores, write_result
from sets import DataSet, load

import lstmcast as lc
from lstmcast import TrainingConfig

SCRATCH, FINE = TrainingConfig.from_scratch(), TrainingConfig.fine_tuning()
EPOCHS = {"scratch": (8, 16, 24), "fine-tuned": (4, 8, 12)}  # that were compared
CHOSEN = {"scratch": 24, "fine-tuned": 12}


def everything(config: TrainingConfig, epochs: int) -> TrainingConfig:
    """The same with nothing held back."""
    return replace(config, epochs=epochs, validation=None, patience=None)


def forecaster(kind: str, training: TrainingConfig, horizon: int) -> lc.LSTMForecaster:
    """From scratch, or from the shipped weights."""
    weights = "scratch" if kind == "scratch" else "pretrained"
    return lc.LSTMForecaster(horizon, weights=weights, training=training)


def actual_values(dataset: DataSet) -> np.ndarray:
    """What came after the cutoff of each series (S, H)."""
    first = dataset.panel.offsets[:-1] + dataset.counts[:, 0]
    return dataset.panel.values[first[:, None] + np.arange(dataset.horizon)]


def timed(action: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What it gives, and seconds on the clock and of all processors."""
    began, worked = time.perf_counter(), time.process_time()
    result = action()
    return result, {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
    }


def row(
    name: str,
    dataset: DataSet,
    model: lc.LSTMForecaster,
    threads: int | None,
    fit: bool = True,
) -> dict[str, Any]:
    """Fit on what is known before the cutoffs, and the errors after them."""
    known = dataset.panel.until(dataset.counts[:, 0])
    fitted, seconds = (
        timed(lambda: model.fit(known, threads=threads)) if fit else (model, {})
    )
    found = scores(
        dataset, actual_values(dataset), fitted.predict(None if fit else known)
    )
    epochs = (
        {"epochs": max(each.epoch for each in fitted.history.epochs)} if fit else {}
    )
    keys = ("mase", "smape", "scaled_crps", "coverage80", "coverage95")
    return {"method": name, **epochs, **{key: found[key] for key in keys}, **seconds}


def compare(dataset: DataSet, threads: int | None) -> list[dict[str, Any]]:
    """Numbers of epochs on the last part of the training parts: what CHOSEN was read from."""
    lengths = dataset.counts[:, 0]
    before = replace(
        dataset,
        panel=dataset.panel.until(lengths),
        counts=lengths[:, None] - dataset.horizon,
    )
    rows = [row("shipped", before, lc.LSTMForecaster(before.horizon), None, fit=False)]
    for kind, config in (("scratch", SCRATCH), ("fine-tuned", FINE)):
        for training in (
            config,
            *(everything(config, epochs) for epochs in EPOCHS[kind]),
        ):
            name = kind + (", nothing held back" if training.validation is None else "")
            rows.append(
                row(name, before, forecaster(kind, training, before.horizon), threads)
            )
            print(rows[-1], flush=True)
    return rows


def tested(dataset: DataSet, threads: int | None) -> list[dict[str, Any]]:
    """On the official test parts."""
    rows = [
        row("shipped", dataset, lc.LSTMForecaster(dataset.horizon), None, fit=False)
    ]
    for kind, config in (("scratch", SCRATCH), ("fine-tuned", FINE)):
        for name, one in (
            (kind, config),
            (f"{kind}, mixed", replace(config, precision="mixed")),
        ):
            rows.append(
                row(name, dataset, forecaster(kind, one, dataset.horizon), threads)
            )
        training = everything(config, CHOSEN[kind])
        rows.append(
            row(
                f"{kind}, nothing held back",
                dataset,
                forecaster(kind, training, dataset.horizon),
                threads,
            )
        )
    return rows


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--threads", type=int, help="processors (default: what fit chooses)"
    )
    parser.add_argument(
        "--chosen",
        action="store_true",
        help="compare numbers of epochs, without the test parts",
    )
    given = parser.parse_args()
    data: Path = data_folder(given.data)
    began = time.monotonic()
    dataset = load("m3_monthly", data)
    if given.chosen:
        print_table(compare(dataset, given.threads))
        return
    rows = tested(dataset, given.threads)
    print_table(rows)
    if not given.dry:
        write_result(
            "training_m3",
            __doc__,
            {"fit_threads": given.threads, "rows": rows},
            time.monotonic() - began,
        )


if __name__ == "__main__":
    main()
