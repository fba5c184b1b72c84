"""The settings of `fit` that are searched, and the forecaster with given settings.

A search is a function `ask(setting)` that returns a value of a setting. Some settings are asked for
only if others require them: a fine-tuned network already has its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Adaptive, Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.static import ALL, static_of
from lstmcast.training_config import TrainingConfig, Windows
from lstmcast.transforms import Standard

TUNED, SCRATCH = "fine-tuned", "from scratch"
ADAPTIVE, TRANSFORMED = "adaptive", "transformed"
# per epoch with transformed inputs, as many as adaptive inputs have at most
UPDATES = 25
USUAL_WINDOW = 96  # steps of adaptive inputs
SHORTEST, LONGEST = 8, 384  # windows, in steps
SEASONS = (2, 4, 8)  # seasonal periods in a window


@dataclass(frozen=True)
class Choice:
    """A setting with a list of possible values."""

    name: str
    title: str  # its name for people
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """A number between two limits, searched on a logarithmic scale."""

    name: str
    title: str
    low: float
    high: float


Setting = Choice | Range
Ask = Callable[[Setting], Any]

START = Choice("start", "fine-tuned or from scratch", (TUNED, SCRATCH))
LEARNING_RATE = Range("learning_rate", "learning rate", 1e-4, 2e-2)
WEIGHT_DECAY = Range("weight_decay", "weight decay", 1e-6, 1e-1)
EPOCHS = Choice("epochs", "maximum number of epochs", (8, 16, 32))
BATCH_SIZE = Choice("batch_size", "batch size", (16, 32, 64, 128))
INPUTS = Choice("inputs", "inputs", (ADAPTIVE, TRANSFORMED))
HIDDEN = Choice("hidden", "units of a layer", (16, 32, 64, 128))
LAYERS = Choice("layers", "layers", (1, 2, 3))
DROPOUT = Choice("dropout", "dropout", (0.0, 0.1, 0.2, 0.3))
OF_SCRATCH = (INPUTS, HIDDEN, LAYERS, DROPOUT)


@dataclass(frozen=True)
class Space:
    """The settings to search for a panel."""

    window: Choice
    past: tuple[str, ...] = ()  # past covariates that transformed inputs read
    static: bool = False  # whether networks from scratch read static columns

    @classmethod
    def of(cls, panel: Panel) -> Space:
        """The settings that suit the season, the length and the columns of a panel."""
        period = int(panel.periods[0])
        typical = int(np.median(panel.lengths))
        longest = min(LONGEST, max(SHORTEST, typical // 2))
        lengths = {min(USUAL_WINDOW, longest)}
        for count in SEASONS:
            length = max(SHORTEST, count * period)
            lengths.add(min(length, longest))
        window = Choice("window", "window length", tuple(sorted(lengths)))
        return cls(
            window,
            past=tuple(panel.covariates.past),
            static=bool(panel.covariates.static),
        )

    def settings(self) -> tuple[Setting, ...]:
        """All settings."""
        return *self._common(), *OF_SCRATCH

    def _common(self) -> tuple[Setting, ...]:
        return START, LEARNING_RATE, WEIGHT_DECAY, EPOCHS, BATCH_SIZE, self.window

    def asked(self, ask: Ask) -> dict[str, Any]:
        """A value of each setting that has an effect."""
        values = _answers(ask, self._common())
        if values["start"] == SCRATCH:
            values |= _answers(ask, OF_SCRATCH)
        return values

    def usual(self) -> list[dict[str, Any]]:
        """The defaults of `fit`, for fine-tuning and from scratch: the first trials."""
        tuned = {
            "start": TUNED,
            "learning_rate": 1e-3,
            "weight_decay": 1e-4,
            "epochs": 16,
            "batch_size": 64,
            "window": min(USUAL_WINDOW, max(self.window.values)),
        }
        scratch = tuned | {
            "start": SCRATCH,
            "learning_rate": 4e-3,
            "inputs": ADAPTIVE,
            "hidden": 64,
            "layers": 2,
            "dropout": 0.0,
        }
        return [tuned, scratch]

    def forecaster(
        self, settings: Mapping[str, Any], horizon: int, seed: int
    ) -> LSTMForecaster:
        """An unfitted forecaster with these settings."""
        if settings["start"] == TUNED:
            training = _training(TrainingConfig.fine_tuning(), settings)
            return LSTMForecaster(horizon, training=training, seed=seed)
        training = _training(TrainingConfig.from_scratch(), settings)
        inputs = Adaptive()
        if settings["inputs"] == TRANSFORMED:
            inputs = Transformed(Standard(), past=self.past)
            training = replace(training, steps_per_epoch=UPDATES)
        network = NetworkConfig(
            layers=(settings["hidden"],) * settings["layers"],
            inputs=inputs,
            dropout=settings["dropout"],
            static=static_of([ALL] * self.static),
        )
        return LSTMForecaster(
            horizon,
            weights="scratch",
            network=network,
            training=training,
            seed=seed,
        )


def _answers(ask: Ask, settings: Iterable[Setting]) -> dict[str, Any]:
    return {setting.name: ask(setting) for setting in settings}


def _training(training: TrainingConfig, settings: Mapping[str, Any]) -> TrainingConfig:
    optimiser = replace(
        training.optimiser,
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
    )
    return replace(
        training,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        batching=Windows(length=settings["window"], loss="every"),
        optimiser=optimiser,
    )


def kind_of(settings: Mapping[str, Any]) -> int:
    """The kind of a trial: losses of trials of one kind have the same units."""
    if settings["start"] == TUNED:
        return 0
    return 1 if settings["inputs"] == ADAPTIVE else 2


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings in words.

    >>> in_words({"start": "fine-tuned", "learning_rate": 0.00123, "epochs": 16})
    'fine-tuned, learning rate 0.0012, 16 epochs'
    """
    phrases = [settings["start"]]
    if settings["start"] == SCRATCH:
        units = [str(settings["hidden"])] * settings["layers"]
        phrases.append(f"{settings['inputs']} inputs")
        phrases.append(f"layers of {'-'.join(units)} units")
    phrases.append(f"learning rate {settings['learning_rate']:.2g}")
    phrases.append(f"{settings['epochs']} epochs")
    return ", ".join(phrases)
