"""The commands of job files: `run`, and `job`, which writes one."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from lstmcast.cli import echo, manner
from lstmcast.cli.commands.common import end, require_one_end
from lstmcast.cli.options.common import Data, Horizon, Json, Quiet
from lstmcast.cli.options.reading import ReadingOptions
from lstmcast.errors import UsageError


def run(
    context: typer.Context,
    job: Annotated[
        Path, typer.Argument(metavar="JOB", help="A job file, such as job.toml.")
    ],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read and check the data, and test where results go, but write nothing.",
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a job file, for example every night.

    The file defines what to read, which checks must hold, how to forecast, and where results go;
    its paths are relative to its folder. A second run on the same data changes nothing; a run that
    starts during another one ends at once. Exit status: 0 done, 1 failed, 2 the file is invalid, 3
    series were skipped, 4 a check does not hold, 5 another run is in progress.
    """
    from lstmcast.jobs.filed import FileJob
    from lstmcast.jobs.jobfile import read_job

    job_file = read_job(job)
    file_job = FileJob(
        job_file, job.name, dry_run, context.obj, manner.words().language
    )
    with contextlib.chdir(job.parent):
        outcome = file_job.run(echo.notes(quiet))
    echo.file_job(outcome, quiet, as_json)
    end(echo.skipped(outcome.panel))


def job(
    action: Annotated[
        str, typer.Argument(metavar="init", help="Action: init writes a job file.")
    ],
    data: Data,
    reading: ReadingOptions,
    horizon: Horizon = None,
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE|TABLE@URL", help="Where the job writes its forecast."
        ),
    ] = "forecast.csv",
    file: Annotated[
        Path, typer.Option("--job", metavar="FILE", help="The job file to write.")
    ] = Path("job.toml"),
) -> None:
    """Write a job file for data.

    It holds what was detected in the data, for you to review: columns, frequency, checks, and where
    results go. Run it with `lstmcast run`.
    """
    from lstmcast.jobs.initial import job_text
    from lstmcast.util.files import check_output, whole_file

    if action != "init":
        raise UsageError(
            f"{action!r} is not an action of job. Use lstmcast job init DATA to write a job file, "
            "and lstmcast run to run it."
        )
    require_one_end(horizon)
    check_output(file, (".toml",))
    if file.exists():
        raise UsageError(f"{str(file)!r} already exists. Name another file with --job.")
    panel = reading.source(data).read()
    text = job_text(data, reading.words(), panel, horizon, out, file.parent)
    with whole_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    echo.result(f"written: {file}")
