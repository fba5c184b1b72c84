"""The work on one chunk, in any process or on any machine: read its rows, run the job of a command
on them, and write the resulting table as a part."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from lstmcast.chunks.plan import Chunk
from lstmcast.chunks.stores import Store, readable
from lstmcast.errors import LstmcastError
from lstmcast.jobs import AnomalyJob, BacktestJob, ForecastJob, Source
from lstmcast.util.files import whole_file
from lstmcast.writing.tables import write_table

Job: TypeAlias = ForecastJob | BacktestJob | AnomalyJob
ACCURACY = "accuracy"  # folder for the errors of each series, beside held-out forecasts


class Done(NamedTuple):
    """The outcome of a chunk."""

    number: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Work:
    """A job to run on each chunk; called with a chunk, it writes the part.

    `job`: the job, whose source says how to read but has no data. The bytes of a part depend only
    on the rows of its chunk and the job, not on where or when it is made.
    """

    store: Store
    job: Job
    folder: str

    def __call__(self, chunk: Chunk) -> Done:
        """Process a chunk; LstmcastError names the part."""
        with warnings_kept() as notes:
            try:
                self._run(chunk)
            except LstmcastError as error:
                raise type(error)(
                    f"{chunk.part}, {chunk.series} series: {error.message}"
                ) from error
        return Done(chunk.number, tuple(notes))

    def _run(self, chunk: Chunk) -> None:
        place = Path(self.folder) / f"{chunk.part}.parquet"
        with readable(self.store) as connection:
            source = source_of(
                self.job.source, connection.sql(self.store.within(chunk.span))
            )
            panel = source.of(getattr(self.job, "model", None)).read()
        read = replace(self.job.source, data=panel)
        if isinstance(self.job, ForecastJob):
            outputs = replace(self.job.outputs, table=place)
            replace(self.job, source=read, outputs=outputs).run()
        elif isinstance(self.job, AnomalyJob):
            replace(self.job, source=read, table=place).run()
        else:
            self._backtest(replace(self.job, source=read), place)

    def _backtest(self, job: BacktestJob, place: Path) -> None:
        tested = job.run().backtest
        if tested.reason:
            with whole_file(place.with_suffix(".txt")) as temporary:
                temporary.write_text(f"{tested.reason}\n", encoding="utf-8")
            return
        accuracy = place.parent / ACCURACY
        accuracy.mkdir(exist_ok=True)
        write_table(tested.per_series(), accuracy / place.name)
        # written last: if this file exists, the chunk is done
        write_table(tested.held_out(), place)


def source_of(source: Source, data: Any) -> Source:
    """A copy of the source that reads other data."""
    return replace(source, data=data)


def is_done(folder: Path, chunk: Chunk) -> bool:
    """Whether the part of a chunk exists: files appear whole or not at all."""
    return any(
        (folder / f"{chunk.part}{ending}").exists() for ending in (".parquet", ".txt")
    )


@contextmanager
def warnings_kept() -> Iterator[list[str]]:
    """The library's warnings in the block, each once."""
    texts: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if text not in texts:
                texts.append(text)

    logger = logging.getLogger("lstmcast")
    handler = Kept(logging.WARNING)
    propagates = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield texts
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
