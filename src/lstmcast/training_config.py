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
from typing import TYPE_CHECKING, Annotated, Any, Literal
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.util.config import refuse_unused, settings, usual, what_is_wrong, with_new_names

if TYPE_CHECKING:
    from lstmcast.util.config import OrName

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


@settings
class Windows:
    """Many short segments in shuffled order, each from a fresh state.

    `length`: steps of each (None: a quarter of the median series, from 4 to 96); `stride`: steps
    from one to the next; `loss`: at the "last" step (many-to-one) or at "every" one (many-to-many).
    `shuffle`: True for another order in each epoch, "once" for one random order that all epochs
    keep, False for the order of the series.
    Causal inputs have the loss at every step; each epoch cuts every series off at a random place in
    the later half of its training part and reads the `length` steps (None: 96) before; they know no
    `stride` and no `shuffle`, and where series are few, eight segments of each are an update, if
    `batch_size` is not less.
    """

    length: Count | None = None
    stride: Count = 1
    loss: Literal["last", "every"] = "last"
    shuffle: bool | Literal["once"] = True
    kind: Literal["windows"] = "windows"


@settings
class WholeSequence:
    """Each series read in order from a fresh state, with a loss at every step.

    One update for a batch of series; with `chunk`, one after every so many steps, the state carried
    over without its gradient (truncated backpropagation through time: Williams & Peng 1990).
    """

    chunk: Count | None = None
    kind: Literal["whole_sequence"] = "whole_sequence"


@settings
class Stateful:
    """Rows of the batch are series: a row's next chunk starts from the state in which its last one
    ended.

    There are as many rows as series, at most `batch_size`; then a row reads one series after the
    other. `reset`, when a row's state is zero again: before each series ("sequence"), before each
    epoch ("epoch"), or before the first one only ("never"). `stride`: steps from the beginning of
    one chunk to that of the next; None is `chunk`.
    """

    chunk: Count
    loss: Literal["every", "last"] = "every"
    reset: Literal["sequence", "epoch", "never"] = "sequence"
    stride: Count | None = None
    kind: Literal["stateful"] = "stateful"

    def __post_init__(self) -> None:
        if self.stride is not None and self.stride > self.chunk:
            raise UsageError(
                f"stride={self.stride} would leave out steps between chunks of {self.chunk}: a "
                "state has to read every step. Give a stride of at most chunk."
            )


@settings
class Rollout:
    """Segments of `length` steps: the truth for the first ones, then the network's own predictions
    are its inputs.

    `support`: steps whose next input is the truth; at `length` or more that is teacher forcing.
    `support_end`: its value in the last epoch, on a straight line from the first. `probability`,
    `probability_end`: that a later input is the network's own rather than the truth (scheduled
    sampling: Bengio et al. 2015). `support_from`: in training each segment has a support of its
    own, drawn from this number up to the epoch's; so a network learns to begin with few observed
    steps as well as with many. All steps have a loss.
    """

    length: Annotated[int, Field(ge=2)]
    support: Annotated[int, Field(ge=0)]
    support_end: Annotated[int, Field(ge=0)] | None = None
    probability: Share = 1.0
    probability_end: Share | None = None
    stride: Count = 1
    support_from: Annotated[int, Field(ge=0)] | None = None
    kind: Literal["rollout"] = "rollout"

    def __post_init__(self) -> None:
        fewest = self.support if self.support_end is None else min(self.support, self.support_end)
        if self.support_from is not None and self.support_from > fewest:
            raise UsageError(
                f"support_from={self.support_from} is the lowest support that is drawn, and the "
                f"highest is {fewest}. Give a support_from of at most {fewest}, or a longer "
                "support."
            )

    def at(self, done: float) -> tuple[int, float]:
        """Support and probability when a share `done` of the epochs lies behind.

        >>> Rollout(length=10, support=10, support_end=0).at(0.25)
        (8, 1.0)
        """
        support, probability = self.last
        return (
            round(self.support + done * (support - self.support)),
            self.probability + done * (probability - self.probability),
        )

    @property
    def last(self) -> tuple[int, float]:
        """Support and probability of the last epoch, with which it is validated."""
        return (
            self.support if self.support_end is None else self.support_end,
            self.probability if self.probability_end is None else self.probability_end,
        )


Batching = Windows | WholeSequence | Stateful | Rollout


ScheduleName = Literal["constant", "cosine", "warmup_cosine", "step", "plateau"]


@settings
class Schedule:
    """The learning rate over time, as a share of the optimiser's.

    "constant" · "cosine": down to 0 along half a cosine (Loshchilov & Hutter 2017) ·
    "warmup_cosine": up on a straight line for a share `warmup` of the updates first · "step": times
    `factor` every `every` epochs · "plateau": times `factor` after `every` epochs without a new
    lowest validation loss.
    """

    kind: ScheduleName = "constant"
    warmup: Annotated[float, Field(gt=0, lt=1)] = 0.1
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    every: Count = 10

    def __post_init__(self) -> None:
        steps = ("step", "plateau")
        refuse_unused(
            self, self.kind, {"warmup": ("warmup_cosine",), "factor": steps, "every": steps}
        )


def _schedule(given: Any) -> Any:
    return {"kind": given} if isinstance(given, str) else given


if TYPE_CHECKING:
    AnySchedule = OrName[Schedule, ScheduleName]
else:
    AnySchedule = Annotated[Schedule, BeforeValidator(_schedule)]


@settings
class Optimiser:
    """How the weights follow the gradient: PyTorch's optimisers by name.

    `betas`, `epsilon`: of Adam and AdamW; `momentum`: of RMSprop and SGD; `decay`: of RMSprop's
    squares (Keras .9, Chainer .99); `clip`: longest gradient (its norm), None for any; `schedule`:
    a `Schedule` or the name of one.
    """

    name: Literal["adamw", "adam", "rmsprop", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (
        0.9,
        0.999,
    )
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.99
    clip: Annotated[float, Field(gt=0)] | None = None
    schedule: AnySchedule = usual(Schedule())

    def __post_init__(self) -> None:
        refuse_unused(
            self,
            self.name,
            {
                "betas": ("adam", "adamw"),
                "epsilon": ("adam", "adamw", "rmsprop"),
                "momentum": ("rmsprop", "sgd"),
                "decay": ("rmsprop",),
            },
        )


@settings
class Ema:
    """An exponential moving average of the weights over updates (Polyak & Juditsky 1992)."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.99
    kind: Literal["ema"] = "ema"


@settings
class SWA:
    """The mean of the weights at the ends of the newest `count` epochs (Izmailov et al. 2018)."""

    count: Annotated[int, Field(ge=2)] = 5
    kind: Literal["swa", "snapshots"] = "swa"  # "snapshots" in files of format 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", "swa")


LossName = Literal["auto", "mse", "mae", "huber", "pinball"]


@settings
class Loss:
    """What is minimised: the head's own loss ("auto"), or for the point head MSE, MAE, Huber or
    pinball.

    `level`: of the pinball loss (Koenker & Bassett 1978); `delta`: where Huber's loss turns from
    square to straight.
    """

    name: LossName = "auto"
    level: Annotated[float, Field(gt=0, lt=1)] = 0.5
    delta: Annotated[float, Field(gt=0)] = 1.0

    def __post_init__(self) -> None:
        refuse_unused(self, self.name, {"level": ("pinball",), "delta": ("huber",)})


def _loss(given: Any) -> Any:
    return {"name": given} if isinstance(given, str) else given


if TYPE_CHECKING:
    AnyLoss = OrName[Loss, LossName]
else:
    AnyLoss = Annotated[Loss, BeforeValidator(_loss)]

Draw = Literal["glorot_uniform", "lecun_normal", "orthogonal", "uniform", "zeros", "ones"]


@settings
class Initialiser:
    """How the weights of a new network are drawn; unless said, as Keras draws them.

    `kernel` (inputs to gates) and `recurrent` (outputs to gates) of the LSTM layers, and `dense`
    (the layers before and after them, the head): "glorot_uniform" (Glorot & Bengio 2010),
    "lecun_normal" (LeCun et al. 1998), "orthogonal" (Saxe et al. 2014), "uniform" within ±1/√units
    of an LSTM layer or ±1/√inputs of a dense one, "zeros" or "ones". `bias`: a constant, but for
    the forget gates, which have `forget_bias` (Gers et al. 2000); biases of dense layers are 0.

    >>> Initialiser("lecun_normal", "lecun_normal", forget_bias=0, dense="lecun_normal")  # chainer1
    Initialiser(kernel='lecun_normal', recurrent='lecun_normal', bias=0.0, forget_bias=0.0,
                dense='lecun_normal')
    """

    kernel: Draw = "glorot_uniform"
    recurrent: Draw = "orthogonal"
    bias: float = 0.0
    forget_bias: float = 1.0
    dense: Draw = "glorot_uniform"


Named = Literal["default", "pytorch", "keras", "chainer", "chainer1", "zeros", "ones"]
ByNameOrParts = Discriminator(lambda given: "name" if isinstance(given, str) else "parts")
AnyInitialiser = Annotated[
    Annotated[Named, Tag("name")] | Annotated[Initialiser, Tag("parts")], ByNameOrParts
]


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
    def _old_names(cls, given: Any) -> Any:
        return with_new_names(cls, given, {"regime": "batching"})

    def __post_init__(self) -> None:
        if self.validation is None and self.patience is not None:
            raise UsageError(
                f"patience={self.patience} needs a validation loss, and validation=None holds "
                "nothing back. Use validation=Validation(), or patience=None."
            )
        if self.validation is None and self.optimiser.schedule.kind == "plateau":
            raise UsageError(
                "schedule='plateau' needs a validation loss. Use validation=Validation(), or "
                "another schedule."
            )
        if self.refit and self.optimiser.schedule.kind == "plateau":
            raise UsageError(
                "refit=True has no validation loss that schedule='plateau' could follow. Use "
                "another schedule."
            )
        if (
            self.validation is not None
            and self.validation.by == "windows"
            and self.batching.kind != "windows"
        ):
            raise UsageError("Validation(by='windows') needs batching=Windows(…). Use by='time'.")
        if self.steps_per_epoch is not None and self.batching.kind in (
            "whole_sequence",
            "stateful",
        ):
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
        changing = isinstance(self.batching, Rollout) and (
            self.batching.support_end is not None or self.batching.probability_end is not None
        )
        return changing or self.optimiser.schedule.kind in ("cosine", "warmup_cosine")

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


def training_from_json(described: dict[str, Any] | str) -> TrainingConfig:
    """The settings that `to_json` described, or that somebody wrote; UsageError where they make
    no sense."""
    try:
        return TypeAdapter(TrainingConfig).validate_python(
            json.loads(described) if isinstance(described, str) else described
        )
    except (ValidationError, json.JSONDecodeError) as error:
        text = (
            what_is_wrong("TrainingConfig", error)
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise UsageError(f"These training settings cannot be used. {text}") from error


def require_torch() -> None:
    """MissingExtraError unless PyTorch is installed: asked before anything is trained."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError(
            "Training needs PyTorch. Install it with pip install 'lstmcast[train]'."
        )
