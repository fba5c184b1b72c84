"""Settings of optimiser, schedule, loss, weight averages and initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from lstmcast.util.config import refuse_unused, settings, usual

if TYPE_CHECKING:
    from lstmcast.util.config import OrName

Count = Annotated[int, Field(ge=1)]

ScheduleName = Literal["constant", "cosine", "warmup_cosine", "step", "plateau"]


@settings
class Schedule:
    """The learning rate over time, relative to that of the optimiser.

    "constant" · "cosine": half a cosine down to 0 (Loshchilov & Hutter 2017) · "warmup_cosine":
    first a linear increase over a share `warmup` of the updates · "step": multiplied by `factor`
    every `every` epochs · "plateau": multiplied by `factor` after `every` epochs without a new
    lowest validation loss.
    """

    kind: ScheduleName = "constant"
    warmup: Annotated[float, Field(gt=0, lt=1)] = 0.1
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    every: Count = 10

    def __post_init__(self) -> None:
        steps = ("step", "plateau")
        uses = {"warmup": ("warmup_cosine",), "factor": steps, "every": steps}
        refuse_unused(self, self.kind, uses)


OptimiserName = Literal["adamw", "adam", "rmsprop", "sgd"]


def _schedule(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


if TYPE_CHECKING:
    AnySchedule = OrName[Schedule, ScheduleName]
else:
    AnySchedule = Annotated[Schedule, BeforeValidator(_schedule)]


@settings
class Optimiser:
    """The optimiser, one of PyTorch's by name, with its settings.

    `betas`, `epsilon`: for Adam and AdamW; `momentum`: for RMSprop and SGD; `decay`: for the
    squares of RMSprop (Keras .9, Chainer .99); `clip`: largest norm of the gradient, None for no
    limit; `schedule`: a `Schedule` or the name of one.
    """

    name: OptimiserName = "adam"
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    betas: tuple[
        Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]
    ] = (
        0.9,
        0.999,
    )
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.99
    clip: Annotated[float, Field(gt=0)] | None = None
    schedule: AnySchedule = usual(Schedule)

    def __post_init__(self) -> None:
        uses = {
            "betas": ("adam", "adamw"),
            "epsilon": ("adam", "adamw", "rmsprop"),
            "momentum": ("rmsprop", "sgd"),
            "decay": ("rmsprop",),
        }
        refuse_unused(self, self.name, uses)


def _named(settings_or_name: Any) -> Any:
    """The settings that a name stands for."""
    if isinstance(settings_or_name, str):
        return {"name": settings_or_name}
    return settings_or_name


if TYPE_CHECKING:
    AnyOptimiser = OrName[Optimiser, OptimiserName]
else:
    AnyOptimiser = Annotated[Optimiser, BeforeValidator(_named)]


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
    """The training loss: the head's own ("auto"), or for the point head MSE, MAE, Huber or pinball.

    `level`: quantile level of the pinball loss (Koenker & Bassett 1978); `delta`: error at which
    the Huber loss changes from quadratic to linear.
    """

    name: LossName = "auto"
    level: Annotated[float, Field(gt=0, lt=1)] = 0.5
    delta: Annotated[float, Field(gt=0)] = 1.0

    def __post_init__(self) -> None:
        refuse_unused(self, self.name, {"level": ("pinball",), "delta": ("huber",)})


if TYPE_CHECKING:
    AnyLoss = OrName[Loss, LossName]
else:
    AnyLoss = Annotated[Loss, BeforeValidator(_named)]

Draw = Literal[
    "glorot_uniform", "lecun_normal", "orthogonal", "uniform", "zeros", "ones"
]


@settings
class Initialiser:
    """The random initial weights of a new network; the defaults are those of Keras.

    `kernel` (inputs to gates) and `recurrent` (outputs to gates) of the LSTM layers, and `dense`
    (the layers before and after them, the head): "glorot_uniform" (Glorot & Bengio 2010),
    "lecun_normal" (LeCun et al. 1998), "orthogonal" (Saxe et al. 2014), "uniform" within ±1/√units
    of an LSTM layer or ±1/√inputs of a dense one, "zeros" or "ones". `bias`: constant bias of all
    gates except the forget gates, which have `forget_bias` (Gers et al. 2000); biases of dense
    layers are 0.

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


def _name_or_parts(value: Any) -> str:
    return "name" if isinstance(value, str) else "parts"


ByNameOrParts = Discriminator(_name_or_parts)
AnyInitialiser = Annotated[
    Annotated[Named, Tag("name")] | Annotated[Initialiser, Tag("parts")], ByNameOrParts
]
