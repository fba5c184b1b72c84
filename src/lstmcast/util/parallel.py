"""Parallel work: batches in threads, items prepared ahead, jobs in separate processes; and memory
that a process keeps."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from lstmcast.errors import LstmcastError, ModelError, UsageError
from lstmcast.util.blas import one_blas_thread

Item = TypeVar("Item")
Job = TypeVar("Job")
Result = TypeVar("Result")

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
GUARD = 'In a script, code that starts processes must be below `if __name__ == "__main__":`.'

# parameters of mallopt, from glibc's malloc.h
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ALL = 1 << 30
# the values up to which glibc raises them by itself
_USUAL = {_TRIM_THRESHOLD: 1 << 26, _MMAP_THRESHOLD: 1 << 25}


class ProcessLost(ModelError):
    """A process died in the middle of a job."""


# ---------------------------------------------------------------- in this process


def side_by_side(fill: Callable[[Item], None], batches: Iterable[Item]) -> None:
    """Run `fill` on each batch, in as many threads as there are processors; batches must not share
    rows.

    The matrices of one step are small, so each product uses one thread meanwhile.
    """
    waiting = list(batches)
    with one_blas_thread():
        if len(waiting) == 1:
            fill(waiting[0])
            return
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(fill, waiting):  # an error in a thread is raised here
                pass


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order; while one is used, the next is made in another thread.

    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, end)
        while (value := coming.result()) is not end:
            coming = pool.submit(next, iterator, end)
            yield value  # pyright: ignore[reportReturnType]


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory in the process during the block, and give it back afterwards; no effect
    without glibc.

    A training step frees and allocates the same arrays repeatedly. glibc returns the end of its
    heap to the system whenever it is free, and gets it back page by page. Depending on the position
    of the arrays, that costs nothing, or 7,000 pages per step and 40% of its time.
    """
    library = _glibc()
    if library is None:
        yield
        return
    for threshold in _USUAL:
        library.mallopt(threshold, _ALL)
    try:
        yield
    finally:
        for threshold, default in _USUAL.items():
            library.mallopt(threshold, default)
        library.malloc_trim(0)


def give_back_memory() -> None:
    """Return freed memory to the system, which glibc does by itself only at the end of its heap; no
    effect without glibc."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def keep_small_memory() -> None:
    """Keep up to 64 MB of freed memory in the process from now on, as much as glibc keeps by itself
    after large arrays were used; no effect without glibc.

    Otherwise a tick of a stream of 400 rows spends half of its time getting back the pages that the
    previous tick returned (measured: a layer takes 0.67 ms, and 0.29 ms with kept memory).
    """
    library = _glibc()
    if library is not None:
        for threshold, default in _USUAL.items():
            library.mallopt(threshold, default)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return (
        library
        if hasattr(library, "mallopt") and hasattr(library, "malloc_trim")
        else None
    )


# ---------------------------------------------------------------- in processes of their own


def spread(
    work: Callable[[Job], Result], jobs: Sequence[Job], processes: int
) -> Generator[tuple[Job, Result]]:
    """Yield each job and its result when it is done, using `processes` new processes; close the
    iterator to end them.

    `work` and the jobs are sent by pickle; UsageError if that is impossible. An error of a job is
    raised here, as a ModelError unless it is one of our own, with the traceback of its process as a
    note; if a process dies, the ModelError names its job.

    >>> sorted(spread(abs, [-3, 2], processes=2))
    [(-3, 3), (2, 2)]
    """
    waiting = list(reversed(jobs))
    busy: dict[Any, tuple[Any, Job]] = {}  # connection: its process and its job
    try:
        with _inherited():
            for _ in range(min(processes, len(jobs))):
                connection, process = _started()
                busy[connection] = process, waiting.pop()
        for connection, (process, job) in list(busy.items()):
            _send(connection, process, job, work)
        while busy:
            for connection in wait(list(busy)):
                process, job = busy[connection]
                yield job, _received(connection, process, job)
                if waiting:
                    busy[connection] = process, waiting.pop()
                    _send(connection, process, busy[connection][1])
                else:
                    _end(connection, process)
                    del busy[connection]
    finally:
        for connection, (process, _) in busy.items():
            process.terminate()
            _end(connection, process)


class Worker(Generic[Job, Result]):
    """A separate process that does one job after the other; if it is lost, it is replaced at the
    next job.

    `work` and the jobs are sent by pickle, and errors of a job are raised here, as in `spread`.

    >>> worker = Worker(abs)
    >>> worker.result(-3)
    3
    >>> worker.close()
    """

    def __init__(self, work: Callable[[Job], Result]) -> None:
        self.work = work
        self._connection, self._process = self._began()

    def result(self, job: Job) -> Result:
        """The result of a job. Raises ProcessLost if the process dies."""
        if not self._process.is_alive():
            self._connection, self._process = self._began()
        _send(self._connection, self._process, job)
        return _received(self._connection, self._process, job)

    def close(self) -> None:
        """End the process, even in the middle of a job: callers that wait get ProcessLost."""
        self._process.terminate()
        self._process.join()

    def _began(self) -> tuple[Any, Any]:
        with _inherited():
            connection, process = _started()
        _send(connection, process, self.work)
        return connection, process


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C in the block end the backtest, even if a model reacted by stopping its training
    and continuing.

    The forecasts of such a model differ from those after its whole training, and must not be kept.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(
        previous
    ):
        yield
        return
    came: list[int] = []

    def notice(number: int, frame: Any) -> None:
        came.append(number)
        previous(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if came:
        raise KeyboardInterrupt


def _not_sent(error: object) -> UsageError:
    return UsageError(
        f"workers: the model cannot be sent to another process ({error}). It is sent by pickle: "
        "its class and functions must be defined in an importable module, not in a function, a "
        "notebook or a lambda. Or leave out workers= to work in this process."
    )


@contextmanager
def _inherited() -> Iterator[None]:
    """Settings that processes started in the block inherit: one thread, which libraries read when
    they are loaded, and no Ctrl-C."""
    saved = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    masks = hasattr(signal, "pthread_sigmask")  # Windows has none
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in saved.items():
            os.environ.pop(name, None) if value is None else os.environ.update(
                {name: value}
            )


def _started() -> tuple[Any, Any]:
    # a fork would copy locks held by threads of this process
    context = multiprocessing.get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_serve, args=(child_end,), daemon=True)
    try:
        process.start()
    except BaseException:
        parent_end.close()
        raise
    finally:
        child_end.close()
    return parent_end, process


def _send(connection: Any, process: Any, job: Any, *first: Any) -> None:
    for message in (*first, job):
        try:
            connection.send(message)
        except OSError:
            raise _died(process, job) from None
        except Exception as error:
            # pickle raises whatever the objects raise; nothing was sent yet
            raise _not_sent(error) from error


def _received(connection: Any, process: Any, job: Any) -> Any:
    try:
        kind, content = connection.recv()
    except (EOFError, OSError):
        raise _died(process, job) from None
    except Exception as error:
        raise ModelError(
            f"{job}: its result cannot be read here: {type(error).__name__}: {error}"
        ) from error
    if kind == "unreadable":
        raise _not_sent(content)
    if kind == "failed":
        raise content
    return content


def _died(process: Any, job: Any) -> LstmcastError:
    process.join()
    code = process.exitcode
    # Python's status after an uncaught error, which is only possible before the work
    if code == 1:
        return UsageError(
            f"A process that works on {job} ended before it could begin; its error is above. "
            f"{GUARD}"
        )
    ending = (
        f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
    )
    return ProcessLost(
        f"A process that works on {job} {ending}, without an error message. If memory ran out "
        "(signal 9), use fewer workers."
    )


def _end(connection: Any, process: Any) -> None:
    connection.close()  # ends a process that waits for work
    process.join()
    process.close()


def _serve(connection: Connection) -> None:
    """Run a process: read the work, then do jobs until the connection is closed."""
    # Ctrl-C reaches every process: only the parent reacts, and ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # like PYTHON_CPU_COUNT from Python 3.13 on: whatever starts threads reads their number here
    os.cpu_count = lambda: 1
    with suppress(EOFError):
        try:
            work = connection.recv()
        except EOFError:
            return
        except Exception as error:
            connection.send(("unreadable", str(error)))
            return
        while True:
            _answer(connection, work, connection.recv())


def _answer(connection: Connection, work: Callable[[Any], Any], job: Any) -> None:
    try:
        connection.send(("done", work(job)))
    except (Exception, SystemExit) as error:
        failure = (
            error
            if isinstance(error, LstmcastError)
            else ModelError(f"{job}: {type(error).__name__}: {error}")
        )
        # notes are sent, the cause is not
        failure.add_note("".join(traceback.format_exception(error)))
        connection.send(("failed", failure))


def _end_with_parent() -> None:
    """End at once, in the middle of the work, if the parent is killed: nobody would read the
    results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
