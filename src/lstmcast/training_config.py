"""Settings of training, independent of PyTorch, stored in saved models.

    batching     which segments of the series make a batch, and what is carried to the next
    optimiser    optimiser, learning rate and schedule
    average      which weights are kept: the newest, or an average of the last ones
    initialiser  random initial weights of a new network
    validation   what is held back to select the best epoch

Settings are validated when they are made; `training_from_json` is the inverse of `to_json`.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Annotated, Any, Literal
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

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
from lstmcast.optimiser_config import AnyOptimiser as AnyOptimiser
from lstmcast.optimiser_config import Draw as Draw
from lstmcast.optimiser_config import Ema as Ema
from lstmcast.optimiser_config import Initialiser as Initialiser
from lstmcast.optimiser_config import Loss as Loss
from lstmcast.optimiser_config import Optimiser as Optimiser
from lstmcast.optimiser_config import Schedule as Schedule
from lstmcast.util.config import adapter, settings, usual, what_is_wrong, with_new_names


@settings
class Validation:
    """The validation data: the last part of each series ("time") or random windows ("windows").

    Random windows are the last ones in the order of `Windows(shuffle="once")`. `share`: share of
    each series or of the windows; `steps`: steps of each series; by default the horizon, at most a
    quarter of the series. `fresh`: whether validation data are read from a fresh state rather than
    from the state after the training part. `most`: maximum number of series (adaptive inputs) or
    windows used, the same ones each time.
    """

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    steps: Count | None = None
    by: Literal["time", "windows"] = "time"
    fresh: bool = False
    most: Count | None = None

    def __post_init__(self) -> None:
        if self.share is not None and self.steps is not None:
            raise UsageError(
                f"Validation(share={self.share}, steps={self.steps}): give either the share or "
                "the number of steps."
            )
        if self.by == "windows" and self.share is None:
            raise UsageError(
                "Validation(by='windows') needs a share of the windows, for example share=0.3."
            )

    def training_ends(self, lengths: NDArray, horizon: int) -> NDArray:
        """Number of observations in the training part of each series (S,); the rest is held back.

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
    """Settings of training; the classes above describe its parts.

    `epochs`: maximum number of epochs. An epoch has `steps_per_epoch` updates, or by default reads
    all windows or series once (adaptive inputs: each series about once, in 4 to 25 updates).
    `batch_size`: windows or series per update. `validation`: None holds nothing back. `patience`:
    epochs without a new lowest validation loss after which training stops. `refit`: train again on
    all data, up to the number of the best epoch. `members`: networks that differ by their seed.
    `initialiser`: random weights of a new network, a name of `training.initialisers`, or an
    `Initialiser`. `precision`: "mixed" uses bfloat16 where suitable, which is less exact but faster
    on GPUs and on processors with instructions for it.

    >>> config = TrainingConfig(epochs=50, batching=Rollout(length=10, support=5))
    >>> training_from_json(to_json(config)) == config
    True
    """

    epochs: Count = 100
    batch_size: Count = 32
    steps_per_epoch: Count | None = None
    batching: Annotated[Batching, Field(discriminator="kind")] = usual(Windows)
    optimiser: AnyOptimiser = usual(Optimiser)
    loss: AnyLoss = usual(Loss)
    validation: Validation | None = usual(Validation)
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
        """Raise UsageError if the schedule has no validation loss to follow."""
        if self.optimiser.schedule.kind != "plateau":
            return
        if self.validation is None:
            raise UsageError(
                "schedule='plateau' needs a validation loss. Use validation=Validation(), or "
                "another schedule."
            )
        if self.refit:
            raise UsageError(
                "schedule='plateau' needs a validation loss, and refit=True has none. Use another "
                "schedule."
            )

    def _check_batching(self) -> None:
        """Raise UsageError for settings that the batching scheme does not use."""
        kind = self.batching.kind
        by_windows = self.validation is not None and self.validation.by == "windows"
        if by_windows and kind != "windows":
            raise UsageError(
                "Validation(by='windows') needs batching=Windows(…). Use by='time'."
            )
        if self.steps_per_epoch is not None and kind in ("whole_sequence", "stateful"):
            raise UsageError(
                f"steps_per_epoch={self.steps_per_epoch} is for Windows and Rollout, whose "
                f"updates are drawn: an epoch of {type(self.batching).__name__} reads every "
                "series once. Leave it out, or use another batching scheme."
            )

    @property
    def paced_by_epochs(self) -> bool:
        """Whether epochs depend on their number, as with a cosine schedule or changing support.

        >>> TrainingConfig().paced_by_epochs, TrainingConfig.fine_tuning().paced_by_epochs
        (False, True)
        """
        if self.optimiser.schedule.kind in ("cosine", "warmup_cosine"):
            return True
        return isinstance(self.batching, Rollout) and self.batching.changes

    @classmethod
    def fine_tuning(cls) -> TrainingConfig:
        """Settings to fine-tune on adaptive inputs: small steps, averaging, early stopping."""
        return cls._adaptive(1e-3, epochs=12, patience=4, average=Ema(0.98))

    @classmethod
    def from_scratch(cls) -> TrainingConfig:
        """Settings for a new network on adaptive inputs."""
        return cls._adaptive(4e-3, epochs=16, average=Ema(0.99))

    @classmethod
    def _adaptive(
        cls,
        learning_rate: float,
        *,
        epochs: int,
        average: Ema,
        patience: int | None = None,
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
        """Settings for a new network on transformed inputs: windows, Adam, early stopping."""
        return cls(epochs=200, optimiser=Optimiser(clip=1.0), patience=20)

    @classmethod
    def plain(cls) -> TrainingConfig:
        """The former name of `transformed`."""
        warn(
            "TrainingConfig.plain is now called transformed.",
            DeprecationWarning,
            stacklevel=2,
        )
        return cls.transformed()


def to_json(config: TrainingConfig) -> dict[str, Any]:
    """The settings as JSON values."""
    return adapter(TrainingConfig).dump_python(config, mode="json")


def training_from_json(source: dict[str, Any] | str) -> TrainingConfig:
    """Rebuild settings from the JSON of `to_json`; UsageError if they are invalid."""
    try:
        values = json.loads(source) if isinstance(source, str) else source
        return adapter(TrainingConfig).validate_python(values)
    except ValidationError as error:
        reason = what_is_wrong("TrainingConfig", error)
        raise UsageError(f"These training settings cannot be used. {reason}") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"These training settings cannot be used. {error}") from error


def require_torch() -> None:
    """Raise MissingExtraError unless PyTorch is installed."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError(
            "Training needs PyTorch. Install it with pip install 'lstmcast[train]'."
        )
