"""How a network is trained: plain settings, free of PyTorch, that go into a saved model and come
back from it.

    batching     which segments of the series make a batch, and what is carried to the next
    optimiser    how the weights move, how fast, along which schedule
    average      which weights are kept: the newest, or an average over the last ones
    initialiser  how the weights of a new network are drawn
    validation   what is held back to tell which epoch was the best

Every setting is checked when it is made; `to_json` and `training_from_json` are each other's
inverse.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import field
from typing import Annotated, Any, Literal
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from lstmcast.batching_config import Batching as Batching
from lstmcast.batching_config import Count as Count
from lstmcast.batching_config import Rollout as Rollout
from lstmcast.batching_config import Stateful as Stateful
from lstmcast.batching_config import WholeSequence as WholeSequence
from lstmcast.batching_config import Windows as Windows
from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.optimiser_config import SWA as SWA
from lstmcast.optimiser_config import AnyInitialiser as AnyInitialiser
from lstmcast.optimiser_config import AnyLoss as AnyLoss
from lstmcast.optimiser_config import Draw as Draw
from lstmcast.optimiser_config import Ema as Ema
from lstmcast.optimiser_config import Initialiser as Initialiser
from lstmcast.optimiser_config import Loss as Loss
from lstmcast.optimiser_config import Optimiser as Optimiser
from lstmcast.optimiser_config import Schedule as Schedule
from lstmcast.util.config import settings, usual, what_is_wrong, with_new_names


@settings
class Validation:
    """What is held back: the last part of each series ("time"), or a random share of the windows
    ("windows"): the last ones of a random order, the one of `Windows(shuffle="once")`.

    `share` of each series or of the windows, or `steps` of each series; neither: the horizon, at
    most a quarter of the series. `fresh`: the part held back is read from a fresh state, not from
    the one that the training part leaves. `most`: series of an adaptive network, or windows, that
    are looked at; the same ones each time.
    """

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    steps: Count | None = None
    by: Literal["time", "windows"] = "time"
    fresh: bool = False
    most: Count | None = None

    def __post_init__(self) -> None:
        if self.share is not None and self.steps is not None:
            raise UsageError(
                f"Validation(share={self.share}, steps={self.steps}): say either the share or the "
                "number of steps."
            )
        if self.by == "windows" and self.share is None:
            raise UsageError(
                "Validation(by='windows') needs a share of the windows, for example share=0.3."
            )

    def training_ends(self, lengths: NDArray, horizon: int) -> NDArray:
        """How many observations of each series are its training part (S,): the rest is held back.

        >>> Validation(share=0.3).training_ends(np.array([143, 10]), horizon=1)
        array([100,   7])
        >>> Validation().training_ends(np.array([144, 20]), horizon=12)
        array([132,  15])
        """
        lengths = np.asarray(lengths, np.int64)
        if self.by == "windows":
            return lengths
        if self.share is not None:
            return lengths - np.rint(self.share * lengths).astype(np.int64)
        if self.steps is not None:
            return np.where(lengths > self.steps, lengths - self.steps, lengths)
        return lengths - np.minimum(horizon, lengths // 4)


@settings
class TrainingConfig:
    """How a network is trained; see the classes above for the parts.

    `epochs`: at most so many; one is `steps_per_epoch` updates, or else once through all windows or
    series (adaptive inputs: each series about once, from 4 to 25 updates). `batch_size`: windows or
    series in an update. `validation`: None holds nothing back. `patience`: epochs without a new
    lowest validation loss after which training stops. `refit`: train again on everything, for as
    many epochs as the best one took. `members`: networks that differ by their seed. `initialiser`
    of weights that are not given: a name of `training.initialisers`, or an `Initialiser`.
    `precision`: "mixed" computes in bfloat16 where that serves: less exact, and faster on GPUs and
    on processors with instructions for it.

    >>> config = TrainingConfig(epochs=50, batching=Rollout(length=10, support=5))
    >>> training_from_json(to_json(config)) == config
    True
    """

    epochs: Count = 100
    batch_size: Count = 32
    steps_per_epoch: Count | None = None
    batching: Annotated[Batching, Field(discriminator="kind")] = field(default=Windows())
    optimiser: Optimiser = field(default=Optimiser())
    loss: AnyLoss = usual(Loss())
    validation: Validation | None = field(default=Validation())
    patience: Count | None = None
    refit: bool = False
    members: Count = 1
    average: Annotated[Ema | SWA, Field(discriminator="kind")] | None = None
    initialiser: AnyInitialiser = "default"
    precision: Literal["full", "mixed"] = "full"

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, settings: Any) -> Any:
        return with_new_names(cls, settings, {"regime": "batching"})

    def __post_init__(self) -> None:
        if self.validation is None and self.patience is not None:
            raise UsageError(
                f"patience={self.patience} needs a validation loss, and validation=None holds "
                "nothing back. Use validation=Validation(), or patience=None."
            )
        self._check_schedule()
        self._check_batching()

    def _check_schedule(self) -> None:
        """UsageError where a schedule has no validation loss to follow."""
        if self.optimiser.schedule.kind != "plateau":
            return
        if self.validation is None:
            raise UsageError(
                "schedule='plateau' needs a validation loss. Use validation=Validation(), or "
                "another schedule."
            )
        if self.refit:
            raise UsageError(
                "refit=True has no validation loss that schedule='plateau' could follow. Use "
                "another schedule."
            )

    def _check_batching(self) -> None:
        """UsageError for what the batching scheme has no use for."""
        kind = self.batching.kind
        by_windows = self.validation is not None and self.validation.by == "windows"
        if by_windows and kind != "windows":
            raise UsageError("Validation(by='windows') needs batching=Windows(…). Use by='time'.")
        if self.steps_per_epoch is not None and kind in ("whole_sequence", "stateful"):
            raise UsageError(
                f"steps_per_epoch={self.steps_per_epoch} is for Windows and Rollout, whose updates "
                f"are drawn: an epoch of {type(self.batching).__name__} reads every series once. "
                "Leave it out, or use another batching scheme."
            )

    @property
    def paced_by_epochs(self) -> bool:
        """Whether an epoch depends on how many there will be: along a cosine, or in a rollout
        whose support changes from the first to the last.

        >>> TrainingConfig().paced_by_epochs, TrainingConfig.fine_tuning().paced_by_epochs
        (False, True)
        """
        if self.optimiser.schedule.kind in ("cosine", "warmup_cosine"):
            return True
        return isinstance(self.batching, Rollout) and self.batching.changes

    @classmethod
    def fine_tuning(cls) -> TrainingConfig:
        """For weights that were trained before, on adaptive inputs: small steps, averaged, stopped
        early."""
        return cls._adaptive(1e-3, epochs=12, patience=4, average=Ema(0.98))

    @classmethod
    def from_scratch(cls) -> TrainingConfig:
        """For a new network on adaptive inputs."""
        return cls._adaptive(4e-3, epochs=16, average=Ema(0.99))

    @classmethod
    def _adaptive(
        cls, learning_rate: float, *, epochs: int, average: Ema, patience: int | None = None
    ) -> TrainingConfig:
        optimiser = Optimiser(
            "adamw",
            learning_rate,
            weight_decay=1e-4,
            betas=(0.9, 0.98),
            clip=1.0,
            schedule=Schedule("warmup_cosine"),
        )
        return cls(
            epochs=epochs,
            batch_size=64,
            batching=Windows(length=96, loss="every"),
            optimiser=optimiser,
            validation=Validation(most=512),
            patience=patience,
            average=average,
        )

    @classmethod
    def transformed(cls) -> TrainingConfig:
        """For a new network on transformed inputs: windows, Adam, stopped early."""
        return cls(epochs=200, optimiser=Optimiser(clip=1.0), patience=20)

    @classmethod
    def plain(cls) -> TrainingConfig:
        """The former name of `transformed`."""
        warn("TrainingConfig.plain is called transformed now.", DeprecationWarning, stacklevel=2)
        return cls.transformed()


def to_json(config: TrainingConfig) -> dict[str, Any]:
    """The settings as JSON values."""
    return TypeAdapter(TrainingConfig).dump_python(config, mode="json")


def training_from_json(source: dict[str, Any] | str) -> TrainingConfig:
    """The settings that `to_json` described, or that somebody wrote; UsageError where they make
    no sense."""
    try:
        values = json.loads(source) if isinstance(source, str) else source
        return TypeAdapter(TrainingConfig).validate_python(values)
    except ValidationError as error:
        reason = what_is_wrong("TrainingConfig", error)
        raise UsageError(f"These training settings cannot be used. {reason}") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"These training settings cannot be used. {error}") from error


def require_torch() -> None:
    """MissingExtraError unless PyTorch is installed: asked before anything is trained."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError(
            "Training needs PyTorch. Install it with pip install 'lstmcast[train]'."
        )
