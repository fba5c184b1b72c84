"""Options of testing and training a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lstmcast.cli.options.common import refuse_idle, typed_options
from lstmcast.errors import UsageError
from lstmcast.util.spelling import did_you_mean

if TYPE_CHECKING:
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.model.network import NetworkConfig


@dataclass(frozen=True)
class Testing:
    """How the accuracy is measured."""

    cutoffs: Annotated[
        int,
        typer.Option(
            metavar="K",
            help="Number of held-out cutoffs to measure accuracy, as far as the history allows; 0: "
            "none.",
        ),
    ] = 5
    baselines: Annotated[
        str,
        typer.Option(
            metavar="simple|classical",
            help="classical adds AutoETS, AutoTheta and AutoARIMA.",
        ),
    ] = "simple"

    def __post_init__(self) -> None:
        if self.baselines not in ("simple", "classical"):
            raise UsageError(
                f"--baselines {self.baselines!r} is not known. Choose one of: simple, classical."
            )
        if self.cutoffs < 0:
            raise UsageError(f"--cutoffs must be at least 0, got {self.cutoffs}.")
        if self.cutoffs == 0:
            idle = (
                [f"--baselines {self.baselines}"] if self.baselines != "simple" else []
            )
            refuse_idle(idle, "--cutoffs 0 compares nothing. Give at least 1")

    def compared(self) -> Literal[True, "classical"]:
        """The baselines, as `lstmcast.backtest` takes them."""
        return "classical" if self.baselines == "classical" else True


@dataclass(frozen=True)
class Refitting:
    """Whether a backtest trains, and how."""

    refit: Annotated[
        str | None,
        typer.Option(
            metavar="never|once|each",
            help="Train on the data before the first cutoff (once), or before each. Default: "
            "never; once for a network from scratch.",
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of processes that train at the same time (default: 1).",
        ),
    ] = None
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for finished forecasts, from which a stopped backtest can be resumed.",
        ),
    ] = None

    def chosen(self) -> Any:
        """What `lstmcast.backtest` calls it."""
        if self.refit not in (None, "never", "once", "each"):
            meant = did_you_mean(self.refit, ("never", "once", "each"))
            raise UsageError(
                f"--refit {self.refit!r} is not known.{meant} Choose one of: never, once, each."
            )
        return self.refit

    def settings(self, training: Training) -> dict[str, Any]:
        """The same as fields of a job."""
        return {
            "refit": self.chosen(),
            "fit_options": training.hardware(),
            "workers": self.workers,
            "folder": self.folder,
        }

    def require_use_of(self, training: Training) -> None:
        """UsageError for options that say how to train, or in how many processes, where it is
        not done so."""
        refit, workers = (
            self.chosen(),
            ["--workers"] if self.workers is not None else [],
        )
        if refit in (None, "never") and training.weights != "scratch":
            refuse_idle(
                training.given() + workers,
                "nothing is trained. Add --refit once or --refit each",
            )
        elif refit in (None, "once"):
            refuse_idle(workers, "the model is trained only once. Give --refit each")


@dataclass(frozen=True)
class Training:
    """What is trained, and how."""

    weights: Annotated[
        str,
        typer.Option(
            metavar="pretrained|scratch|DIR",
            help="Start from the shipped network, from scratch, or from a saved model.",
        ),
    ] = "pretrained"
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="64,64", help="Units of each LSTM layer of a network from scratch."
        ),
    ] = None
    head: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Head of a network from scratch: quantiles, normal, student_t; for counts "
            "negative_binomial or zero_inflated; for amounts tweedie.",
        ),
    ] = None
    embed_series: Annotated[
        bool,
        typer.Option(
            "--embed-series",
            help="Learn an embedding of each series (network from scratch).",
        ),
    ] = False
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Maximum number of epochs.")
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Windows or series per update.")
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Learning rate of the optimiser."),
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Stop after this many epochs without a lower validation loss.",
        ),
    ] = None
    members: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of networks from scratch that are trained with different seeds and "
            "averaged.",
        ),
    ] = None
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Finally train again on all data, including validation data.",
        ),
    ] = False
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    precision: Annotated[
        str,
        typer.Option(
            metavar="full|mixed",
            help="mixed: bfloat16, faster on GPUs and processors that support it.",
        ),
    ] = "full"
    device: Annotated[
        str, typer.Option(metavar="cpu|cuda", help="Device to train on.")
    ] = "cpu"
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of threads (default: chosen by the size of the network).",
        ),
    ] = None

    def __post_init__(self) -> None:
        if problems := list(self._wrong()):  # all of it together
            raise UsageError("\n".join(problems))

    def _wrong(self) -> Iterator[str]:
        """What is wrong with the options, a sentence each."""
        for name in ("epochs", "batch_size", "patience", "members", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                option = name.replace("_", "-")
                yield f"--{option} must be at least 1, got {value}."
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            value = f"{self.learning_rate:g}"
            yield f"--learning-rate must be a number above 0, such as 0.001, got {value}."
        if self.seed < 0:
            yield f"--seed must be at least 0, got {self.seed}."
        for name, choices in (
            ("device", ("cpu", "cuda")),
            ("precision", ("full", "mixed")),
        ):
            value = getattr(self, name)
            if value not in choices:
                meant = did_you_mean(value, choices)
                listing = ", ".join(choices)
                yield f"--{name} {value!r} is not known.{meant} Choose one of: {listing}."
        for name in ("layers", "head", "embed_series", "members"):
            if getattr(self, name) not in (None, False) and self.weights != "scratch":
                option = name.replace("_", "-")
                yield (
                    f"--{option} is for networks from scratch, not for --weights {self.weights}. "
                    f"Add --weights scratch, or leave out --{option}."
                )

    def given(self) -> list[str]:
        """The options that say how to train, as they were typed; those that stay as usual are
        left out."""
        return [option for option in typed_options(self) if option != "--weights"]

    def hardware(self) -> dict[str, Any]:
        """On what `LSTMForecaster.fit` trains."""
        return {"device": self.device, "threads": self.threads}

    def forecaster(
        self,
        horizon: int,
        quantiles: tuple[float, ...] = (),
        past: Sequence[str] = (),
        method: str = "auto",
        static: Sequence[str] = (),
    ) -> LSTMForecaster:
        """A forecaster that trains so; one from scratch reads the columns `past` beside the
        target, and `static` ones."""
        from dataclasses import replace

        from lstmcast.forecaster import LSTMForecaster

        options: dict[str, Any] = {"quantiles": quantiles} if quantiles else {}
        options["method"] = method
        network = self._network(past, static)
        default = LSTMForecaster(
            horizon, weights=self.weights, network=network, seed=self.seed, **options
        )
        names = ("epochs", "batch_size", "patience", "members", "precision")
        changes = {
            name: getattr(self, name)
            for name in names
            if getattr(self, name) is not None
        }
        optimiser = default.training.optimiser
        if self.learning_rate is not None:
            optimiser = replace(optimiser, learning_rate=self.learning_rate)
        try:
            training = replace(
                default.training, **changes, optimiser=optimiser, refit=self.everything
            )
        except ValueError as error:
            raise UsageError(
                f"these training options are invalid: {_first_of(error)}"
            ) from error
        return LSTMForecaster(
            horizon,
            weights=self.weights,
            network=network,
            training=training,
            seed=self.seed,
            **options,
        )

    def _network(
        self, past: Sequence[str], static: Sequence[str]
    ) -> NetworkConfig | None:
        from lstmcast.model.inputs import Transformed
        from lstmcast.model.network import NetworkConfig
        from lstmcast.model.static import EACH
        from lstmcast.transforms import Standard

        inputs: dict[str, Any] = {}
        if past and self.weights == "scratch":
            inputs = {"inputs": Transformed(Standard(), past=past)}
        if self.head is not None:
            inputs["head"] = self.head
        if self.weights == "scratch" and (static or self.embed_series):
            inputs["static"] = [*static, *([EACH] if self.embed_series else [])]
        if self.layers is None:
            return NetworkConfig(**inputs) if inputs else None
        sizes = self.layers.split(",")
        if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
            raise UsageError(
                f"--layers must be the units of each layer, such as 64,64, got {self.layers!r}."
            )
        return NetworkConfig(layers=tuple(int(size) for size in sizes), **inputs)


def _first_of(error: ValueError) -> str:
    """What pydantic says of the first wrong field, in one line."""
    from lstmcast.util.config import requirement

    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    field = ".".join(map(str, first["loc"]))
    return f"{field}: {requirement(first['msg'])}, got {first['input']!r}"
