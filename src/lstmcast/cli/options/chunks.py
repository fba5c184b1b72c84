"""Tables larger than memory, some series at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli.options.common import refuse_idle
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.chunks.run import MakesJob, PartsJob
    from lstmcast.jobs import Source
NO_CHUNKS = "nothing is worked on in chunks. Give --chunk 5000"


def workers_given(workers: int | None) -> list[str]:
    """The option, where it was given."""
    return [] if workers is None else ["--workers"]


@dataclass(frozen=True)
class Chunks:
    """How many series are worked on together."""

    chunk: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Read N series at a time, from Parquet or a table of DuckDB, and write the folder "
            "--out part by part: for tables larger than memory. A run that was stopped goes on.",
        ),
    ] = None

    def job(
        self, source: Source, out: Any, make: MakesJob, workers: int | None, idle: list[str]
    ) -> PartsJob:
        """The job in parts; UsageError for options that parts do not have."""
        import os
        from pathlib import Path

        from lstmcast.chunks.run import PartsJob, here

        assert self.chunk is not None
        refuse_idle(idle, "results of --chunk are parts in a folder, and nothing else is made")
        if out is None or str(out) == "-":
            raise UsageError("--chunk writes parts into a folder. Name it with --out DIR.")
        spread = here(workers or os.cpu_count() or 1)
        return PartsJob(source, Path(out), make, self.chunk, spread)
