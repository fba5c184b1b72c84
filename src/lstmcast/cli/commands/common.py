"""What commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from lstmcast.cli import echo
from lstmcast.cli.options.training import Training
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.jobs import Source
    from lstmcast.jobs.events import Event, Notify


def require_one_end(horizon: int | None, until: str | None = None) -> None:
    """Raise UsageError for an invalid horizon, or a horizon together with a date."""
    from lstmcast.data.origins import checked_horizon

    if horizon is not None:
        checked_horizon(horizon)
        if until is not None:
            raise UsageError(
                f"--horizon {horizon} and --until {until} both set how far to forecast. Give one."
            )


def source_ahead(
    source: Source, horizon: int | None, until: str | None, quiet: bool
) -> tuple[Source, int, Notify]:
    """The data, the number of steps to forecast, and where notes go.

    If the steps depend on the data, the data are read here, once.
    """
    notify = echo.notes(quiet)
    if horizon is not None:
        return source, horizon, notify
    from lstmcast.data.ahead import horizon_note, one_season, steps_until
    from lstmcast.jobs import DataRead, Note

    panel = source.read()
    source = replace(source, data=panel)
    if until is not None:
        return source, steps_until(until, panel), notify

    def and_why(event: Event) -> None:
        notify(event)
        if isinstance(event, DataRead):
            notify(Note(horizon_note(panel)))

    return source, one_season(panel), and_why


def source_for_training(
    source: Source, horizon: int | None, training: Training, past: Sequence[str]
) -> Source:
    """The data with the columns that the weights read, if they are read before the model is
    made."""
    return (
        source
        if horizon is not None
        else source.of(forecaster_for(1, training=training, past=past))
    )


def end(status: int) -> None:
    """Exit with this status unless it is 0."""
    if status:
        raise typer.Exit(status)


def forecaster_for(
    horizon: int,
    quantiles: tuple[float, ...] = (),
    training: Training | None = None,
    past: Sequence[str] = (),
    method: str = "auto",
    static: Sequence[str] = (),
) -> Any:
    from lstmcast.forecaster import LSTMForecaster

    if training is not None:
        return training.forecaster(horizon, quantiles, past, method, static)
    levels: dict[str, Any] = {"quantiles": quantiles} if quantiles else {}
    return LSTMForecaster(horizon, method=method, **levels)
