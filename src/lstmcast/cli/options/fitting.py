"""Options of `fit`: what decides on the training, whether it is resumed, what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli.options.common import refuse_idle, typed_options
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.forecaster import LSTMForecaster
from lstmcast.cli.options.training import Training


@dataclass(frozen=True)
class Choosing:
    """Whether what is trained is chosen from the data."""

    preset: Annotated[
        str | None,
        typer.Option(
            metavar="balanced|best",
            help="Choose what to train and how long from the data, at most about 5 or 30 minutes; "
            "the best network at held-out cutoffs is used.",
        ),
    ] = None

    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train with the settings of a file, such as the settings.toml of lstmcast tune.",
        ),
    ] = None

    def require_alone(self, training: Training, run: FitOutput) -> None:
        """UsageError for options that say what a preset, or a file of settings, decides."""
        if self.preset is not None:
            idle = [option for option in typed_options(training) if option != "--seed"]
            idle += typed_options(run)
            idle += ["--settings"] * (self.settings is not None)
            reason = (
                f"--preset {self.preset} decides what is trained. Leave out --preset"
            )
            refuse_idle(idle, reason)
        elif self.settings is not None:
            where = ("--device", "--threads")
            idle = [option for option in typed_options(training) if option not in where]
            reason = f"{self.settings} defines what is trained. Change it there"
            refuse_idle(idle, reason)

    def forecaster(self, horizon: int | None) -> LSTMForecaster | None:
        """What a file of settings describes; None without one."""
        if self.settings is None:
            return None
        from lstmcast.tuning.settings import read_settings

        forecaster = read_settings(self.settings)
        if horizon not in (None, forecaster.horizon):
            raise UsageError(
                f"--horizon {horizon}: {self.settings} was made for {forecaster.horizon} steps. "
                "Leave out --horizon, or search again for this horizon."
            )
        return forecaster


@dataclass(frozen=True)
class FitOutput:
    """Whether a training continues from an earlier one, and what shows it."""

    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume an interrupted training, or one whose checkpoints were kept.",
        ),
    ] = False
    keep_checkpoints: Annotated[
        bool,
        typer.Option(
            "--keep-checkpoints",
            help="Keep the checkpoints to resume training later, for more epochs or on newer data.",
        ),
    ] = False
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Plot the learning curve as .png, .svg or .pdf."
        ),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write training, accuracy and forecast as an .html page.",
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """The same as fields of a job."""
        return dict(vars(self))
