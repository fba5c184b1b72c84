"""Records of each epoch and each update, as tables that survive an interruption.

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

Metrics = Mapping[str, Callable[["Network"], float]]  # by name: a number of the network
Key = tuple[int, int]  # member and epoch
Columns = dict[str, list[Any]]


class Recorder:
    """A callback that writes the metrics and the losses of the updates of each epoch to a file."""

    def __init__(self, file: Path, metrics: Metrics, updates: bool) -> None:
        self.file = file
        self.metrics = metrics
        self.updates = updates

    def __call__(self, report: EpochReport) -> None:
        line: dict[str, Any] = {"key": (report.member, report.epoch)}
        if self.metrics:
            network = report.network()
            metrics = {name: metric(network) for name, metric in self.metrics.items()}
            line["metrics"] = {name: float(value) for name, value in metrics.items()}
        if self.updates:
            line |= {"step": report.step, "losses": report.update_losses}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    @property
    def callbacks(self) -> list[Callable[[EpochReport], None]]:
        """The recorder itself if there is something to record, else nothing."""
        return [self] if self.metrics or self.updates else []

    def lines(self) -> dict[Key, dict[str, Any]]:
        """The records, by member and epoch."""
        if not self.file.exists():
            return {}
        lines = map(json.loads, self.file.read_text(encoding="utf-8").splitlines())
        return {tuple(line["key"]): line for line in lines}


def epoch_columns(name: str, history: History, recorder: Recorder) -> Columns:
    """A row for each epoch: losses, metrics, learning rate, seconds."""
    columns = {column: values.tolist() for column, values in history.columns().items()}
    lines = recorder.lines()
    measured = []
    for key in zip(columns["member"], columns["epoch"], strict=True):
        line = lines.get(key, {})
        measured.append(line.get("metrics", {}))
    metrics = {}
    for metric in recorder.metrics:
        metrics[metric] = [values.get(metric, math.nan) for values in measured]
    return {"network": [name] * len(measured), **columns, **metrics}


def update_columns(name: str, recorder: Recorder) -> Columns:
    """A row for each update: its number, counted through all epochs, and its loss."""
    columns: Columns
    columns = {"network": [], "member": [], "epoch": [], "update": [], "train_loss": []}
    for (member, epoch), line in recorder.lines().items():
        losses = line.get("losses", [])
        count = len(losses)
        last_update = line.get("step", 0)
        columns["network"] += [name] * count
        columns["member"] += [member] * count
        columns["epoch"] += [epoch] * count
        columns["update"] += range(last_update - count + 1, last_update + 1)
        columns["train_loss"] += losses
    return columns


def with_roots(columns: Columns, training: TrainingConfig) -> Columns:
    """The columns, and the square roots of losses that are mean squared errors, which are in the
    units that the network sees.

    >>> from lstmcast.training_config import TrainingConfig
    >>> columns = {"train_loss": [4.0], "validation_loss": [math.nan]}
    >>> with_roots(columns, TrainingConfig(loss="mse"))["train_rmse"]
    [2.0]
    """
    if training.loss.name != "mse":
        return columns
    roots = {}
    for name in ("train", "validation"):
        losses = np.array(columns[f"{name}_loss"])
        roots[f"{name}_rmse"] = np.sqrt(losses).tolist()
    return columns | roots


def joined(tables: list[Columns]) -> dict[str, NDArray]:
    """Tables one below the other; values of columns that a table lacks are unknown.

    >>> joined([{"epoch": [1]}, {"epoch": [2], "mae": [0.5]}])
    {'epoch': array([1, 2]), 'mae': array([nan, 0.5])}
    """
    names: dict[str, None] = {}  # in order of appearance
    for table in tables:
        names |= dict.fromkeys(table)
    columns: Columns = {name: [] for name in names}
    for table in tables:
        first_column = next(iter(table.values()), [])
        unknown = [math.nan] * len(first_column)
        for name in names:
            columns[name] += table.get(name, unknown)
    return {name: np.array(column) for name, column in columns.items()}
