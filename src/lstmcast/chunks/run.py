"""A job on a table larger than memory: planned, run chunk by chunk, resumed if interrupted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Unpack

from lstmcast._version import __version__
from lstmcast.chunks.manifest import Manifest, begun, require_same
from lstmcast.chunks.plan import SORTED, Chunk, counted, planned, sorted_copy
from lstmcast.chunks.stores import ParquetFiles, Store, opened, readable
from lstmcast.chunks.work import Done, Job, Work, is_done, source_of
from lstmcast.data.panel import Panel
from lstmcast.data.words import Words
from lstmcast.errors import OutputError, UsageError
from lstmcast.evaluation.resuming import facts
from lstmcast.jobs import ForecastJob, Note, Source
from lstmcast.util.config import is_whole
from lstmcast.util.files import checked_path, locked, output_errors
from lstmcast.util.parallel import spread

# series: about 300,000 values of monthly data, and 400 MB of memory per process
CHUNK = 5000
HEAD = 100_000  # rows that are examined to find the id columns
EVERY = 5.0  # seconds between two progress messages
Notify = Callable[[Any], object]
# how chunks are distributed: work and chunks → their results, in any order
Spread = Callable[[Work, Sequence[Chunk]], Iterator[Done]]


class MakesJob(Protocol):
    """A function that makes the job of a run once the first chunk has been read."""

    def __call__(self, first: Panel, source: Source, /) -> Job: ...


def forecast_in_parts(
    model: Any,
    data: Any,
    out: str | Path,
    *,
    chunk: int = CHUNK,
    workers: int = 1,
    progress: Callable[[str], object] | None = None,
    **words: Unpack[Words],
) -> PartsResult:
    """Forecast a table larger than memory, in chunks of series, into a folder of parts.

    An interrupted run continues where it stopped when it is called again.

    Args:
        model: A forecaster, such as `LSTMForecaster(12)`.
        data: Parquet files (a path, a folder, a pattern, a list), or "duckdb:///FILE?table=NAME".
        out: Folder for the parts, `part-00000.parquet` and so on, which have the columns of
            `Forecast.columns_dict`.
        chunk: Number of series that are processed together.
        workers: Number of processes.
        progress: Function that is called with a progress message every few seconds.
        words: Keyword arguments of `lstmcast.read`: time, target, series, ….

    Raises:
        DataError, OutputError: The data cannot be read, or the parts cannot be written.
        UsageError: The folder holds parts of another table or of other options.
    """
    from lstmcast.data.words import columns_said, options_said

    def make(first: Panel, source: Source) -> ForecastJob:
        return ForecastJob(model, source, cutoffs=0)

    def notify(note: Any) -> None:
        if progress is not None:
            progress(note.text)

    source = Source(data, options_said(words), **columns_said(words))
    return PartsJob(source, checked_path(out), make, chunk, here(workers)).run(notify)


@dataclass(frozen=True, eq=False)
class PartsJob:
    """A job that reads its data and writes its results some series at a time.

    Args:
        source: The data, as Parquet files or a DuckDB table, and how to read them.
        folder: Folder for the parts. If it holds parts of the same run, that run is resumed.
        make: Makes the job of a command from the first chunk and the source.
        chunk: Number of series that are processed together.
        spread: Distributes the chunks over processes or machines.
    """

    source: Source
    folder: Path
    make: MakesJob
    chunk: int = CHUNK
    spread: Spread = field(default_factory=lambda: here(1))

    def run(self, notify: Notify) -> PartsResult:
        """Process the remaining chunks; finished parts stay, even if LstmcastError is raised."""
        if not is_whole(self.chunk, 1):
            raise UsageError(f"--chunk must be at least 1, got {self.chunk}.")
        store = opened(self.source.data)
        begun(self.folder)
        with locked(self.folder / ".lock") as is_ours:
            if not is_ours:
                raise OutputError(
                    f"{self.folder}: another run is writing its parts. Wait until it ends."
                )
            began = time.monotonic()
            # read under the lock: another run may have started and finished in the meantime
            manifest, work = self._prepared(store, Manifest.read(self.folder), notify)
            finished = self._done(manifest, work, notify)
            shutil.rmtree(self.folder / SORTED, ignore_errors=True)
        plan = manifest.plan
        seconds = time.monotonic() - began
        return PartsResult(
            self.folder, plan.series, plan.rows, len(plan.chunks), finished, seconds
        )

    def _prepared(
        self, store: Store, manifest: Manifest | None, notify: Notify
    ) -> tuple[Manifest, Work]:
        if manifest is None:
            return self._begun(store, notify)
        # before the first chunk is read, which may fail if the table has changed
        require_same(
            self.folder, _of_table(manifest.facts), _of_table(self._facts(store, None))
        )
        source = _as_found(self.source, manifest.columns)
        keys = manifest.columns["series"]
        chunks = manifest.plan.chunks
        table = store
        if manifest.is_sorted:
            table = ParquetFiles((), store.name)
            if not all(is_done(self.folder, chunk) for chunk in chunks):
                table = sorted_copy(store, keys, self.folder)
        first = self._first(table, chunks[0], source, store)
        job = self.make(first, source)
        require_same(self.folder, manifest.facts, self._facts(store, job))
        return manifest, Work(table, job, str(self.folder))

    def _begun(self, store: Store, notify: Notify) -> tuple[Manifest, Work]:
        """Start a new run: find the columns, count the rows and plan the chunks."""
        with readable(store) as connection:
            keys, columns = self._columns(store, connection)
            runs = counted(store, connection, keys)
        table = store
        is_sorted = runs.runs > runs.series
        if is_sorted:
            notify(
                Note(f"{store.name}: rows of a series are not contiguous: sorting them")
            )
            # without a manifest, it is unknown which table an earlier run sorted here
            shutil.rmtree(self.folder / SORTED, ignore_errors=True)
            with output_errors(self.folder):
                table = sorted_copy(store, keys, self.folder)
            runs = runs._replace(runs=runs.series)
        with readable(table) as connection:
            plan = planned(table, connection, keys, runs, self.chunk)
        source = _as_found(self.source, columns)
        first = self._first(table, plan.chunks[0], source, store)
        columns["frequency"] = first.frequency.code
        source = _as_found(self.source, columns)
        job = self.make(first, source)
        manifest = Manifest(self._facts(store, job), plan, is_sorted, columns)
        manifest.write(self.folder)
        notify(Note(_described(store, manifest, first)))
        return manifest, Work(table, job, str(self.folder))

    def _columns(
        self, store: Store, connection: Any
    ) -> tuple[list[str], dict[str, Any]]:
        """The id columns, and all columns that were found in the first rows."""
        head = connection.sql(f"{store.everything} LIMIT {HEAD}")
        panel = source_of(self.source, head).read()
        keys = list(panel.keys)
        missing = [name for name in keys if name not in head.columns]
        if not keys or missing or panel.keys.targets is not None:
            raise UsageError(
                f"{store.name}: a long table is expected, with a column of times, one of values "
                "and one or more that name the series. Name these with --time, --target and "
                f"--series. There are: {', '.join(head.columns)}."
            )
        columns = {
            "time": panel.columns.time,
            "target": panel.columns.target,
            "series": keys,
        }
        return keys, columns

    def _first(self, table: Store, chunk: Chunk, source: Source, store: Store) -> Panel:
        """The series of the first chunk, or of the first rows if the sorted copy is gone."""
        if isinstance(table, ParquetFiles) and not table.files:
            table = store
            query = f"{store.everything} LIMIT {HEAD}"
        else:
            query = table.within(chunk.span)
        with readable(table) as connection:
            return source_of(source, connection.sql(query)).read()

    def _facts(self, store: Store, job: Job | None) -> dict[str, str]:
        details: dict[str, Any] = {
            "version": __version__,
            "source": store.identity(),
            "chunk": self.chunk,
        }
        if job is not None:
            details["job"] = replace(job, source=replace(job.source, data=None))
        return facts(details)

    def _done(self, manifest: Manifest, work: Work, notify: Notify) -> int:
        """Process the remaining chunks, and return their number."""
        chunks = manifest.plan.chunks
        waiting = [chunk for chunk in chunks if not is_done(self.folder, chunk)]
        if len(waiting) < len(chunks):
            existing = len(chunks) - len(waiting)
            notify(Note(f"{existing} of {len(chunks)} parts already exist"))
        progress = Progress(waiting, notify)
        if waiting:
            with closing(self.spread(work, waiting)) as results:  # pyright: ignore[reportArgumentType]
                for outcome in results:
                    progress.tell(chunks[outcome.number], outcome)
        return len(waiting)


@dataclass(frozen=True)
class PartsResult:
    """What a run wrote: `done` is the number of parts of this run, the others existed before."""

    folder: Path
    series: int
    rows: int
    parts: int
    done: int
    seconds: float

    def document(self) -> dict[str, Any]:
        """The JSON document of a command with --chunk."""
        details = {"folder": str(self.folder), "seconds": round(self.seconds, 1)}
        counts = {
            name: getattr(self, name) for name in ("series", "rows", "parts", "done")
        }
        return {"lstmcast": __version__, **details, **counts}


class Progress:
    """Reports every few seconds how far a run is, and how long the rest may take."""

    def __init__(self, waiting: Sequence[Chunk], notify: Notify) -> None:
        self.total = sum(chunk.series for chunk in waiting)
        self.done = 0
        self.notify = notify
        self.began = self.told = time.monotonic()

    def tell(self, chunk: Chunk, outcome: Done) -> None:
        """Count a finished chunk, and report if it is time."""
        for text in outcome.notes:
            self.notify(Note(f"{chunk.part}: {text}"))
        self.done += chunk.series
        moment = time.monotonic()
        if moment - self.told < EVERY and self.done < self.total:
            return
        self.told = moment
        seconds_each = (moment - self.began) / self.done
        remaining = in_words(seconds_each * (self.total - self.done))
        self.notify(
            Note(f"{self.done:,} of {self.total:,} series done, {remaining} left")
        )


def in_words(seconds: float) -> str:
    """A duration in a convenient unit.

    >>> in_words(40), in_words(600), in_words(9000)
    ('40 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def here(workers: int) -> Spread:
    """Process chunks one after the other here, or in several processes."""
    if not is_whole(workers, 1):
        raise UsageError(f"--workers must be at least 1, got {workers}.")

    def done(work: Work, chunks: Sequence[Chunk]) -> Iterator[Done]:
        if workers == 1:
            yield from map(work, chunks)
            return
        with closing(spread(work, chunks, workers)) as results:
            for _, outcome in results:
                yield outcome

    return done


def _of_table(all_facts: Mapping[str, str]) -> dict[str, str]:
    """The facts that concern the table, without those of the job."""
    return {
        name: text for name, text in all_facts.items() if not name.startswith("job")
    }


def _as_found(source: Source, columns: Any) -> Source:
    """The source, with the columns and the frequency that were found."""
    options = source.options
    if options.frequency is None and "frequency" in columns:
        options = replace(options, frequency=columns["frequency"])
    # columns that the caller named stay: a time can be in several columns
    time = source.time or columns["time"]
    target = source.target or columns["target"]
    return replace(
        source, options=options, time=time, target=target, series=columns["series"]
    )


def _described(store: Store, manifest: Manifest, first: Panel) -> str:
    plan = manifest.plan
    columns = manifest.columns
    series = ", ".join(columns["series"])
    count = len(plan.chunks)
    return (
        f"{store.name}: {plan.rows:,} rows, {plan.series:,} series, {first.frequency.name}; time "
        f"{columns['time']}, target {columns['target']}, series {series}; {count:,} "
        f"part{'s' * (count != 1)}"
    )
