"""Commands with --chunk: the same jobs, some series at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from lstmcast.cli import echo
from lstmcast.cli.options.common import typed_options

if TYPE_CHECKING:
    from lstmcast.chunks.run import MakesJob, PartsJob
    from lstmcast.data.panel import Panel
    from lstmcast.jobs import Source

# of the groups of options, those that parts have too
_USED = ("--out", "--level", "--workers")


def forecasts(
    horizon: int | None, quantiles: tuple[float, ...], method: str
) -> MakesJob:
    """What makes the job that forecasts a chunk."""
    from lstmcast.cli.commands.common import forecaster_for
    from lstmcast.jobs import ForecastJob

    def make(first: Panel, source: Source) -> ForecastJob:
        model = forecaster_for(_steps(horizon, first), quantiles, method=method)
        return ForecastJob(model, source, cutoffs=0)

    return make


def backtests(
    horizon: int | None, method: str, cutoffs: int, baselines: Any
) -> MakesJob:
    """What makes the job that measures accuracy in a chunk."""
    from lstmcast.cli.commands.common import forecaster_for
    from lstmcast.jobs import BacktestJob

    def make(first: Panel, source: Source) -> BacktestJob:
        model = forecaster_for(_steps(horizon, first), method=method)
        return BacktestJob(model, source, cutoffs, baselines)

    return make


def idle_options(
    groups: Iterable[object], named_options: Mapping[str, object]
) -> list[str]:
    """Options that were given and that parts do not have: of groups, and others by name."""
    names = [name for group in groups for name in typed_options(group)]
    idle = [name for name in names if name not in _USED]
    return idle + [f"--{name}" for name, value in named_options.items() if value]


def _steps(horizon: int | None, first: Panel) -> int:
    from lstmcast.data.ahead import one_season

    return one_season(first) if horizon is None else horizon


def run(job: PartsJob, quiet: bool, as_json: bool) -> None:
    """Run a job in parts and say what came of it."""
    from lstmcast.chunks.summary import accuracy_rows
    from lstmcast.cli import console
    from lstmcast.util.text import counted

    outcome = job.run(echo.notes(quiet))
    if as_json:
        echo.document(outcome.document())
        return
    rows = accuracy_rows(outcome.folder)
    if rows:
        typer.echo(console.levels_table(rows, echo.words()))
    echo.result(
        f"{outcome.series:,} series in {counted(outcome.parts, 'part')}, {outcome.done:,} of them "
        f"made now: {outcome.folder}"
    )
