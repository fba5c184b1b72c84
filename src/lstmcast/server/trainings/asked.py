"""Requests for a training: data, and the most important options of `lstmcast fit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lstmcast.forecaster import LSTMForecaster
from lstmcast.server.sources import History, Request, Table

MOST_EPOCHS = 10_000


class TrainOptions(Request):
    """What to train, for how long, and its name."""

    name: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="name of the training and its model (default: from the file)"
    )
    horizon: Annotated[int, Field(ge=1)] | None = Field(
        None, description="number of steps (default: one season)"
    )
    weights: Literal["pretrained", "scratch"] = Field(
        "pretrained",
        description="fine-tune the shipped network, or train one from scratch",
    )
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] | None = Field(
        None,
        description="maximum number of epochs (default: as --epochs of the command)",
    )
    minutes: Annotated[float, Field(gt=0)] | None = Field(
        None, description="maximum training time (default: the limit of the server)"
    )
    preset: Literal["balanced", "best"] | None = Field(
        None,
        description="what to train is chosen from the data, as with --preset of the command",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _one_plan(self) -> TrainOptions:
        decided = self.model_fields_set & {"weights", "epochs"}
        if self.preset is not None and decided:
            name = sorted(decided)[0]
            raise ValueError(
                f"{name} is set by preset={self.preset}: leave one of them out"
            )
        return self

    def forecaster(self, horizon: int) -> LSTMForecaster:
        """The forecaster to train if there is no preset."""
        default = LSTMForecaster(horizon, weights=self.weights, seed=self.seed)
        if self.epochs is None:
            return default
        training = replace(default.training, epochs=self.epochs)
        return LSTMForecaster(
            horizon, weights=self.weights, seed=self.seed, training=training
        )


class TrainTable(Table, TrainOptions):
    """Train on a table."""


class TrainHistory(History, TrainOptions):
    """Train on a history."""
