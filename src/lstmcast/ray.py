"""Work on many machines with Ray: `lstmcast … --ray ADDRESS`, `lstmcast.ray.forecast`.

A task is a chunk. Its result depends only on its rows and the job, so a task whose machine is lost
is repeated elsewhere with the same result. Ray is imported when it is first used.
"""

# public as lc.ray; in this module, `ray` is the library

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from lstmcast.chunks.plan import Chunk
from lstmcast.chunks.run import Spread
from lstmcast.chunks.work import Done, Work, is_done, warnings_kept
from lstmcast.data.keys import column_name
from lstmcast.data.panel import Panel
from lstmcast.data.read import as_panel
from lstmcast.data.words import Words
from lstmcast.errors import (
    LstmcastError,
    MissingExtraError,
    ModelError,
    OutputError,
    UsageError,
)
from lstmcast.util.config import is_whole

RETRIES = 5  # retries of a task whose machine or process is lost
AHEAD = 2  # waiting tasks for each running one
# letters of a name used in its folder: 4 bytes each, of the 255 that most disks allow
LONGEST = 60
EACH = 4  # default number of tasks per processor


def over(address: str | None = None) -> Spread:
    """Connect to a cluster, and return the function that spreads chunks over it.

    address: of the cluster, such as "auto" or "head:6379". None or "local" starts a cluster on this
        machine. All machines share the folders of data and results.
    """

    def done(work: Work, chunks: Sequence[Chunk]) -> Iterator[Done]:
        connect(address)
        sent = _library().put(work)
        for chunk, outcome in _in_turn(
            _part, [(sent, chunk) for chunk in chunks], chunks
        ):
            if not is_done(Path(work.folder), chunk):
                raise OutputError(
                    f"{chunk.part} was written on another machine, and {work.folder} does not "
                    "have it here. Name a folder that all machines of the cluster share."
                )
            yield outcome

    return done


def forecast(
    dataset: Any,
    model: Any,
    *,
    tasks: int | None = None,
    **words: Unpack[Words],
) -> Any:
    """Forecast the series of a Ray Dataset, as a Ray Dataset with the columns of
    `Forecast.columns_dict`.

    Args:
        dataset: A long table, such as `ray.data.read_parquet(…)` returns.
        model: A forecaster, such as `LSTMForecaster(12)`.
        tasks: Number of tasks among which the series are divided. Defaults to four per processor of
            the cluster. Combinations and intervals are pooled within a task.
        words: Keyword arguments of `lstmcast.read`: series (required), time, target, ….

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: series is missing or names an unknown column; tasks is invalid.
    """
    ray = _library()
    if tasks is not None and not is_whole(tasks, 1):
        raise UsageError(
            f"tasks={tasks!r} must be at least 1. Give another number, or leave it out."
        )
    series = words.get("series")
    if not series:
        raise UsageError(
            "series= is required: the columns that name the series of the dataset."
        )
    keys = [series] if isinstance(series, str) else list(series)
    column_names = dataset.schema().names
    unknown = [name for name in keys if name not in column_names]
    if unknown:
        raise UsageError(
            f"{unknown[0]!r} is not a column of the dataset. There are: {column_names}."
        )
    count = tasks or EACH * max(1, int(ray.cluster_resources().get("CPU", 1)))
    divide = ray.remote(num_returns=count + 1, max_retries=RETRIES)(_divided)
    answer = ray.remote(num_cpus=1, max_retries=RETRIES)(_answered)
    sent = ray.put(TableForecast(model, words))
    divided = [divide.remote(block, keys, count) for block in dataset.to_arrow_refs()]
    row_counts = np.sum(ray.get([sizes for sizes, *_ in divided]), axis=0)
    tables = zip(*(pieces for _, *pieces in divided), strict=True)
    answers = []
    for row_count, pieces in zip(row_counts, tables, strict=True):
        if row_count:
            answers.append(answer.remote(sent, *pieces))
    return ray.data.from_arrow_refs(answers)


def fit(
    model: Any,
    data: Any,
    by: str,
    folder: str | Path,
    *,
    address: str | None = None,
    options: Mapping[str, Any] | None = None,
    **words: Unpack[Words],
) -> dict[str, Path]:
    """Fit one model per group of series on a cluster, and save each in a folder.

    Returns the folder of each model by group. Existing models are left as they are.

    Args:
        model: An `LSTMForecaster`; each group starts from its configured weights.
        data: A Panel, or anything that `lstmcast.read` reads.
        by: The id column whose values are the groups, such as "store".
        folder: Where the models are saved, each in its own folder; shared by all machines.
        address: Address of the cluster; see `over`.
        options: Further arguments of `LSTMForecaster.fit`, such as {"threads": 1}.
        words: Keyword arguments of `lstmcast.read`: time, target, series, ….
    """
    panel = as_panel(data, getattr(model, "past", ()), words)
    groups = _groups(panel, by)
    places = {name: Path(folder) / _safe(name) for name in groups}
    missing = [name for name in groups if not places[name].exists()]
    connect(address)
    sent = _library().put((model, dict(options or {})))
    jobs = []
    for name in missing:
        group = panel.select(panel.ids[groups[name]])
        jobs.append((sent, group, str(places[name])))
    for _ in _in_turn(_fitted, jobs, missing):
        pass
    return places


# ---------------------------------------------------------------- on the machines of a cluster


def _part(work: Work, chunk: Chunk) -> Done:
    return work(chunk)


def _fitted(sent: tuple[Any, dict[str, Any]], panel: Panel, place: str) -> str:
    model, options = sent
    with warnings_kept():
        model.unfitted().fit(panel, **options).save(place)
    return place


def _divided(table: Any, keys: Sequence[str], count: int) -> tuple[Any, ...]:
    """How many rows of a block go to each task, and those rows.

    The rows of a series go to the same task from every block.
    """
    columns = [table.column(name).to_pylist() for name in keys]
    names = ("\0".join(map(str, cells)) for cells in zip(*columns, strict=True))
    tasks = np.array([zlib.crc32(name.encode()) % count for name in names], np.int64)
    sizes = np.bincount(tasks, minlength=count)
    return sizes, *(table.take(np.flatnonzero(tasks == task)) for task in range(count))


def _answered(work: TableForecast, *pieces: Any) -> Any:
    import pyarrow as pa

    return work(pa.concat_tables(pieces))


@dataclass(frozen=True)
class TableForecast:
    """Forecasts an Arrow table of whole series, as an Arrow table.

    Used for the tasks of a Ray Dataset, and with Spark's `mapInArrow` and Dask.
    """

    model: Any
    words: Words

    def __call__(self, table: Any) -> Any:
        """Forecast all series of a table; the order of its rows does not matter."""
        # rows arrive in the order in which tasks ended
        ordered = table.sort_by([(name, "ascending") for name in table.column_names])
        with warnings_kept():
            panel = as_panel(ordered, getattr(self.model, "past", ()), self.words)
            return self.model.predict(panel).frame("pyarrow")


# ---------------------------------------------------------------- the cluster


def connect(address: str | None) -> None:
    """Connect to a cluster, or start one here, unless that is already done."""
    ray = _library()
    if ray.is_initialized():
        return
    # no usage statistics are sent unless enabled
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    is_new = address in (None, "local")
    cluster: dict[str, Any] = {"address": address}
    if is_new:
        cluster = {"include_dashboard": False}
    try:
        ray.init(**cluster, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises this kind when a node does not start
        reason = _first_line(error)
        if is_new:
            raise UsageError(
                f"no Ray cluster could be started on this machine ({reason}). Check that "
                "processors and memory are free and try again, or leave out --ray."
            ) from None
        raise UsageError(
            f"no Ray cluster answers at {address!r} ({reason}). Start one (ray start --head), or "
            "give --ray local."
        ) from None


def _library() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "Many machines need Ray: pip install 'lstmcast[ray]'."
        ) from error
    return ray


def _in_turn(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], names: Sequence[Any]
) -> Iterator[tuple[Any, Any]]:
    """Tasks with their results, as they end; some are submitted ahead so that no machine waits."""
    ray = _library()
    # a task is retried if its process or machine is lost, but not if it raises
    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(function)
    limit = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = list(zip(jobs, names, strict=True))[::-1]
    running: dict[Any, Any] = {}
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                job, name = waiting.pop()
                running[remote.remote(*job)] = name
            ready, _ = ray.wait(list(running), num_returns=1)
            name = running.pop(ready[0])
            yield name, _result(ray, ready[0], name)
    finally:
        for task in running:
            ray.cancel(task, force=True)


def _result(ray: Any, task: Any, name: Any) -> Any:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, LstmcastError):
            raise cause from None
        raise ModelError(f"{name}: {type(cause).__name__}: {cause}") from error
    except ray.exceptions.RayError as error:
        raise ModelError(
            f"{name} was lost {RETRIES + 1} times ({_first_line(error)}). If memory ran out, use "
            "fewer series per chunk with --chunk."
        ) from None


def _groups(panel: Panel, column: str) -> dict[str, np.ndarray]:
    """The series of each group by its name."""
    columns = panel.keys.columns(panel.ids)
    if column_name(column) not in columns:
        names = ", ".join(map(repr, columns))
        raise UsageError(
            f"{column!r} is not a column that names series. There are: {names}."
        )
    values = columns[column_name(column)].tolist()
    names = np.array([str(value) for value in values], object)
    return {name: names == name for name in dict.fromkeys(names.tolist())}


def _safe(name: str) -> str:
    """A valid folder name for a group, whatever letters its name has."""
    cleaned = "".join(map(_safe_letter, name))
    is_safe = cleaned == name and not name.startswith(".")
    if is_safe and 0 < len(name) <= LONGEST:
        return name
    return f"{cleaned.lstrip('.')[:LONGEST]}-{zlib.crc32(name.encode()):08x}"


def _safe_letter(letter: str) -> str:
    return letter if letter.isalnum() or letter in "-_." else "_"


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    line, *_ = text.splitlines()
    return line[:200]
