"""What happened in each epoch, and in each update, as tables that outlive an interruption.

A callback writes a line for each epoch beside the checkpoints. An interrupted run repeats the
epochs after its last checkpoint, so the last line of an epoch is the one that counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lstmcast.model.network import Network
    from lstmcast.training.callbacks import EpochReport
    from lstmcast.training_config import TrainingConfig
    from lstmcast.training_history import History

Metrics = Mapping[str, Callable[["Network"], float]]  # by name: a number of a network, as it is now
Key = tuple[int, int]  # member and epoch


class Recorder:
    """A callback that writes the metrics and the losses of the updates of each epoch to a file."""

    def __init__(self, file: Path, metrics: Metrics, updates: bool) -> None:
        self.file, self.metrics, self.updates = file, metrics, updates

    def __call__(self, report: EpochReport) -> None:
        line: dict[str, Any] = {"key": (report.member, report.epoch)}
        if self.metrics:
            network = report.network()
            line["metrics"] = {name: float(of(network)) for name, of in self.metrics.items()}
        if self.updates:
            line |= {"step": report.step, "losses": report.update_losses}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    @property
    def callbacks(self) -> list[Callable[[EpochReport], None]]:
        """Itself, where there is something to record."""
        return [self] if self.metrics or self.updates else []

    def lines(self) -> dict[Key, dict[str, Any]]:
        """What was recorded, by member and epoch."""
        if not self.file.exists():
            return {}
        found = map(json.loads, self.file.read_text(encoding="utf-8").splitlines())
        return {tuple(line["key"]): line for line in found}


def epoch_columns(name: str, history: History, recorder: Recorder) -> dict[str, list[Any]]:
    """A row for each epoch: losses, what was measured, the learning rate, seconds."""
    columns = history.columns()
    keys = list(zip(columns["member"].tolist(), columns["epoch"].tolist(), strict=True))
    lines = recorder.lines()
    measured = {
        metric: [lines.get(key, {}).get("metrics", {}).get(metric, math.nan) for key in keys]
        for metric in recorder.metrics
    }
    listed = {column: values.tolist() for column, values in columns.items()}
    return {"network": [name] * len(keys), **listed, **measured}


def update_columns(name: str, recorder: Recorder) -> dict[str, list[Any]]:
    """A row for each update: its number, counted through all epochs, and its loss."""
    rows = [
        (name, member, epoch, line["step"] - len(line["losses"]) + number, loss)
        for (member, epoch), line in recorder.lines().items()
        if "losses" in line
        for number, loss in enumerate(line["losses"], start=1)
    ]
    named = ("network", "member", "epoch", "update", "train_loss")
    return {column: [row[k] for row in rows] for k, column in enumerate(named)}


def with_roots(columns: dict[str, list[Any]], training: TrainingConfig) -> dict[str, list[Any]]:
    """The columns, and the roots of losses that are mean squared errors: metrics in the units that
    the network sees.

    >>> from lstmcast.training_config import TrainingConfig
    >>> columns = {"train_loss": [4.0], "validation_loss": [math.nan]}
    >>> with_roots(columns, TrainingConfig(loss="mse"))["train_rmse"]
    [2.0]
    """
    if training.loss.name != "mse":
        return columns
    parts = ("train", "validation")
    roots = {f"{part}_rmse": np.sqrt(columns[f"{part}_loss"]).tolist() for part in parts}
    return {**columns, **roots}


def joined(tables: list[dict[str, list[Any]]]) -> dict[str, NDArray]:
    """Tables one under the other; what one of them does not have is unknown there.

    >>> joined([{"epoch": [1]}, {"epoch": [2], "mae": [0.5]}])
    {'epoch': array([1, 2]), 'mae': array([nan, 0.5])}
    """
    names = {name: None for table in tables for name in table}
    rows = [len(next(iter(table.values()), [])) for table in tables]
    return {
        name: np.array(
            [
                value
                for table, count in zip(tables, rows, strict=True)
                for value in table.get(name, [math.nan] * count)
            ]
        )
        for name in names
    }
