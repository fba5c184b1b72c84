"""Tables larger than memory, some series at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli.options.common import refuse_idle
from lstmcast.databases.address import is_target
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.chunks.run import MakesJob, PartsJob
    from lstmcast.jobs import Source
NO_CHUNKS = "series are not read in chunks. Give --chunk 5000"


def _absolute(data: Any) -> Any:
    """Names of files as they are anywhere; addresses of databases too."""
    from pathlib import Path

    if isinstance(data, list):
        return [_absolute(path_or_address) for path_or_address in data]
    address, separator, path = data.partition(":///")
    if separator:
        return f"{address}:///{Path(path.partition('?')[0]).absolute()}?{path.partition('?')[2]}"
    return str(Path(data).absolute())


@dataclass(frozen=True)
class Chunks:
    """The number of series per chunk."""

    chunk: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Read N series at a time from Parquet or a DuckDB table, and write the folder "
            "--out part by part, for tables larger than memory. A stopped run can be resumed.",
        ),
    ] = None
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Process chunks on a Ray cluster whose machines share the folders of data and "
            "results: auto, an address such as head:6379, or local for a new one on this "
            "machine.",
        ),
    ] = None

    def require_chunks(self, workers: int | None) -> None:
        """Raise UsageError for options about chunks without --chunk."""
        idle = [] if workers is None else ["--workers"]
        idle += [] if self.ray is None else ["--ray"]
        refuse_idle(idle, NO_CHUNKS)

    def job(
        self,
        source: Source,
        out: Any,
        make: MakesJob,
        workers: int | None,
        idle: list[str],
    ) -> PartsJob:
        """The job in parts; UsageError for options that parts do not have."""
        import os
        from pathlib import Path

        from lstmcast.chunks.run import PartsJob, here

        assert self.chunk is not None
        refuse_idle(idle, "--chunk only writes parts into a folder")
        if out is None or str(out) == "-" or is_target(out):
            raise UsageError(
                "--chunk writes parts into a folder. Name it with --out DIR."
            )
        if self.ray is None:
            spread = here(workers or os.cpu_count() or 1)
            return PartsJob(source, Path(out), make, self.chunk, spread)
        from lstmcast.ray import over

        if workers is not None:
            refuse_idle(["--workers"], "a cluster sets their number")
        # the machines of a cluster have working folders of their own
        out = Path(out).absolute()
        data = _absolute(source.data)
        return PartsJob(
            replace(source, data=data), out, make, self.chunk, over(self.ray)
        )
