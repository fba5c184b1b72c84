"""An open stream: read tick by tick, stored with a journal, followed by listeners.

H horizon · Q quantiles of the head · R rows of a tick
"""

from __future__ import annotations

import asyncio
import math
import shutil
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import LstmcastError, OutputError
from lstmcast.evaluation.conformal import LEVELS
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.server.journal import Journal
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.replies import encoded
from lstmcast.server.requests import Tick
from lstmcast.server.settings import Limits
from lstmcast.streaming.lines import Record
from lstmcast.streaming.pipe import Advance, Pipe
from lstmcast.util.files import output_errors
from lstmcast.util.objects import none_where_unknown

JOURNAL = "journal.jsonl"
CLOSED = ".closed-"  # prefix of a folder that is being removed
SERVED = "served"  # key of the server's data in a stream's note
REMEMBERED = 100  # answers that a listener who reconnects can still receive
DIGITS = 7  # significant digits of answers: those of float32


class Answer(NamedTuple):
    """The forecast after a tick, encoded once for all recipients."""

    tick: int
    text: bytes  # JSON


class ServedStream:
    """A stream with a name.

    Args:
        name: Name of the stream.
        pipe: Reads ticks and forecasts.
        about: Description of the stream, stored with its state.
        folder: Folder for its state; None keeps it in memory only.
        save_every: Number of ticks after which the whole state is written.
    """

    def __init__(
        self,
        name: str,
        pipe: Pipe,
        about: Mapping[str, Any],
        folder: Path | None = None,
        save_every: int = 1000,
    ) -> None:
        self.name = name
        self.pipe = pipe
        self.folder = folder
        self.save_every = save_every
        self.about: dict[str, Any] = {"ticks": 0, **about}
        # the tick after which the whole state was written
        self.saved: int | None = None
        self.unsaved = ""  # the reason if the last save failed
        # one tick after the other, without blocking a thread
        self.turn = asyncio.Lock()
        self.listeners: set[asyncio.Queue[Answer | None]] = set()
        self.newest: deque[Answer] = deque(maxlen=REMEMBERED)
        self._lock = Lock()
        self._journal = None
        self.closed = False
        if folder is not None:
            self._journal = Journal(folder / JOURNAL)

    @property
    def ticks(self) -> int:
        """The number of ticks that it has read."""
        return self.about["ticks"]

    def described(self) -> dict[str, Any]:
        """Its description for clients."""
        stream = self.pipe.stream
        return {
            "name": self.name,
            **self.about,
            "horizon": self.pipe.horizon,
            "frequency": self.pipe.clocks.frequency.code,
            "periods": list(stream.grid.periods),
            "rows": list(map(str, stream.ids)),
            "future": [] if stream.known is None else list(stream.known.names),
            "quantiles": list(HEAD_QUANTILES) if stream.network.head.spreads else None,
            "conformal": stream.conformal is not None,
            "late": self.pipe.late,
            "kept": self._journal is not None,
            "saved_tick": self.saved,
            "not_saved": self.unsaved or None,
        }

    def tick(self, tick: Tick, limits: Limits) -> Answer:
        """Read a tick, store it, and forecast.

        Raises Problem or LstmcastError if it cannot be read or stored; nothing has changed then.
        """
        with self._lock:
            self._require_open()
            if tick.save and not self._journal:
                raise self._in_memory()
            values = self._by_row(tick, limits)
            entry = {
                "number": self.ticks + 1,
                "time": tick.time,
                "values": values,
                "past": tick.past or {},
                "future": tick.future or {},
            }
            size_before = self._journal.append(entry) if self._journal else 0
            try:
                read = self.pipe.advance(_record(entry))
            except BaseException:
                if self._journal:
                    self._journal.undo(size_before)
                raise
            self.about["ticks"] += 1
            if self._journal and (tick.save or self.ticks % self.save_every == 0):
                self._save_if_possible()  # otherwise the journal has the tick
            return Answer(self.ticks, encoded(self._document(read, values)))

    def save(self) -> dict[str, Any]:
        """Write the whole state to disk. Raises OutputError, and Problem if the stream has no
        folder."""
        with self._lock:
            self._require_open()
            self._save()
        return {"name": self.name, "saved_tick": self.saved}

    def close(self) -> None:
        """Save the state, and read no more ticks."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            if self._journal:
                self._save_if_possible()  # otherwise the journal has it
                self._journal.close()

    def discard(self) -> None:
        """Read no more ticks, and remove all files."""
        with self._lock:
            self.closed = True
            if self._journal and self.folder is not None:
                self._journal.close()
                _remove(self.folder)

    def begin(self) -> None:
        """Write the first state, before clients know of the stream. Raises OutputError."""
        if self._journal:
            self._save()

    def replay(self) -> None:
        """Read the ticks that arrived after the state was written."""
        assert self._journal is not None  # a stored stream has a journal
        for entry in self._journal.entries():
            if entry["number"] <= self.ticks:
                # it is in the state: the process ended before the journal was emptied
                continue
            try:
                self.pipe.advance(_record(entry))
            except LstmcastError:
                continue  # it was refused, and the process ended before it was removed
            self.about["ticks"] = entry["number"]

    # ---- inside

    def _require_open(self) -> None:
        if self.closed:
            raise Problem(404, f"The stream {self.name!r} was closed.", "name")

    def _by_row(self, tick: Tick, limits: Limits) -> dict[str, float]:
        """The values of a tick by row, NaN for unknown ones. Raises Problem."""
        ids = list(map(str, self.pipe.stream.ids))
        if isinstance(tick.values, list):
            if len(tick.values) != len(ids):
                raise Problem(
                    UNUSABLE,
                    f"There are {len(tick.values)} values, and {len(ids)} rows: one value for each "
                    "is expected, null for one that is unknown. Or name the rows: {row: value}.",
                    "values",
                )
            by_row: Mapping[str, float | None] = dict(
                zip(ids, tick.values, strict=True)
            )
        else:
            by_row = tick.values
            self._require_rows(by_row, tick.join, limits)
        if not by_row:
            raise Problem(
                UNUSABLE,
                "The stream has no rows yet. Name them, and add join=true.",
                "values",
            )
        return _numbers(by_row)

    def _require_rows(
        self, by_row: Mapping[str, Any], join: bool, limits: Limits
    ) -> None:
        rows = self.pipe.stream.rows
        unknown = [row for row in by_row if not rows.has(row)]
        if unknown and not join:
            first = unknown[0][:100]
            raise Problem(
                UNUSABLE,
                f"The stream {self.name!r} has no row {first!r}. Add it with join=true.",
                f"values.{first}",
            )
        if len(rows) + len(unknown) > limits.stream_rows:
            raise too_many_rows(limits)

    def _in_memory(self) -> Problem:
        detail = f"The stream {self.name!r} is kept in memory only: the server was started without "
        return Problem(UNUSABLE, f"{detail}--streams DIR.", "save")

    def _save(self) -> None:
        """Write the state, then empty the journal; in between, its ticks are in both."""
        if self._journal is None:
            raise self._in_memory()
        self.pipe.stream.note = {**self.pipe.stream.note, SERVED: self.about}
        self.pipe.save()
        self._journal.undo(0)
        self.saved = self.ticks
        self.unsaved = ""

    def _save_if_possible(self) -> None:
        try:
            self._save()
        except OutputError as error:
            self.unsaved = error.message

    def _document(self, read: Advance, values: Mapping[str, float]) -> dict[str, Any]:
        """The forecast after a tick, in columns; rows with the same time are adjacent."""
        clocks = self.pipe.clocks
        stream = self.pipe.stream
        answer: dict[str, Any] = {"stream": self.name, "tick": self.ticks}
        if read.due:
            point_RH, quantiles_RHQ = self.pipe.ahead(read.due)
            times = {tick.time for tick in read.due}
            rows = [tick.row for tick in read.due]
            if len(times) == 1 and (time := times.pop()) is not None:
                answer["time"] = clocks.text(time)
                answer["times"] = clocks.ahead(rows[0], self.pipe.horizon)
            observed_R = np.array([values[row] for row in rows], np.float64)
            answer |= {"rows": rows, "observed": _plain(observed_R)}
            answer |= {"expected": _plain(read.expected_R), "point": _plain(point_RH)}
            if quantiles_RHQ is not None:
                by_level = np.moveaxis(quantiles_RHQ, 2, 0)
                pairs = zip(HEAD_QUANTILES, by_level, strict=True)
                answer["quantiles"] = {
                    f"{level:g}": _plain(values) for level, values in pairs
                }
            if stream.alerts is not None:
                answer["score"] = _plain(stream.scores)
                answer["alerts"] = _chosen(rows, stream.alerted)
            if stream.conformal is not None:
                inside_RL = 100 * stream.coverage(rows)[:, 0]
                levels = zip(LEVELS, inside_RL.T, strict=True)
                answer["coverage"] = {
                    str(level): _plain(inside_R) for level, inside_R in levels
                }
                answer["drift"] = _chosen(rows, stream.drifted)
        if read.late:
            answer["skipped"] = {
                tick.row: self.pipe.skipped(tick) for tick in read.late
            }
        missing = {tick.row: tick.steps - 1 for tick in read.due if tick.steps > 1}
        if missing:
            answer["missing"] = missing
        if read.anew:
            answer["anew"] = list(read.anew)
        answer["saved_tick"] = self.saved
        if self.unsaved:
            answer["not_saved"] = self.unsaved
        return answer

    # ---- listeners, on the loop of the server

    def tell(self, answer: Answer) -> None:
        """Send an answer to all listeners; one that is too slow is dropped."""
        self.newest.append(answer)
        for queue in list(self.listeners):
            if queue.full():
                self.listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(answer)

    def part(self) -> None:
        """Tell all listeners that the stream has ended."""
        for queue in self.listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self.listeners.clear()

    def missed(self, tick: int | None) -> list[Answer]:
        """The answers after a tick, as far as they are still stored."""
        return (
            []
            if tick is None
            else [answer for answer in self.newest if answer.tick > tick]
        )


def _remove(folder: Path) -> None:
    """Remove the files of a stream, atomically for the next server. Raises OutputError."""
    aside = folder.with_name(f"{CLOSED}{folder.name}")
    with output_errors(folder):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        shutil.rmtree(aside)


def too_many_rows(limits: Limits) -> Problem:
    """The problem of more rows than a stream may have."""
    limit = limits.stream_rows
    return Problem(
        UNUSABLE,
        f"A stream may have at most {limit:,} rows. Open another one for the rest.",
        "rows",
    )


def _record(entry: Mapping[str, Any]) -> Record:
    """A tick for the pipe; Clocks and Stream refuse invalid ones."""
    past = _numbers(entry["past"])
    future = entry.get("future", {})  # journals of older servers do not have it
    return Record(entry["time"], dict(entry["values"]), past, named=True, future=future)


def _numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    """Values by name, NaN for unknown ones."""
    numbers = {name: value for name, value in values.items() if value is not None}
    return dict.fromkeys(values, math.nan) | numbers


def _chosen(rows: list[str], chosen_R: NDArray) -> list[str]:
    """The names of the chosen rows."""
    return [
        row for row, is_chosen in zip(rows, chosen_R.tolist(), strict=True) if is_chosen
    ]


def _plain(values: NDArray) -> Any:
    """Numbers for JSON, with the precision of a network; null if unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** np.clip(
        DIGITS - 1 - np.where(np.isfinite(size), size, 0), -300, 300
    )
    rounded = np.where(np.abs(values) < 1e290, np.round(values * scale) / scale, values)
    return none_where_unknown(rounded)


def event(answer: Answer) -> str:
    """An answer as a server-sent event."""
    return f"id: {answer.tick}\nevent: forecast\ndata: {answer.text.decode()}\n\n"
