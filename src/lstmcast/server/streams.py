"""Streams that are open: read tick by tick, followed by listeners, kept in a folder.

    DIR/NAME/state/           the whole state, as Stream.save writes it
    DIR/NAME/journal.jsonl    the ticks since then

H horizon · Q quantiles of the head · R rows of a tick
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import parse_frequency
from lstmcast.errors import LstmcastError, ModelError, OutputError, UsageError
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.forecaster import LSTMForecaster, load
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.server.journal import Journal
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.requests import OpenStream, Tick, require_horizon
from lstmcast.server.settings import NAME, Limits, Settings, checked_name
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.lines import Record
from lstmcast.streaming.pipe import Advance, Pipe, Place
from lstmcast.streaming.stream import Stream
from lstmcast.util.files import locked, output_errors

STATE, JOURNAL, LOCK = "state", "journal.jsonl", ".lock"
CLOSED = ".closed-"  # begins the name of a folder that is being removed
SERVED = "served"  # in a stream's note: what the server knows of it
REMEMBERED = 100  # answers that a listener who comes again can still have
DIGITS = 7  # significant, of what is answered: those of float32
Answer = dict[str, Any]


class ServedStream:
    """A stream with a name.

    Args:
        name: what it is called.
        pipe: what reads ticks and forecasts.
        about: what is told of it, and kept with its state.
        folder: where it is kept; None keeps it in memory only.
        save_every: ticks after which the whole state is written.
    """

    def __init__(
        self,
        name: str,
        pipe: Pipe,
        about: Mapping[str, Any],
        folder: Path | None = None,
        save_every: int = 1000,
    ) -> None:
        self.name, self.pipe, self.folder, self.save_every = name, pipe, folder, save_every
        self.about: dict[str, Any] = {"ticks": 0, **about}
        self.saved: int | None = None  # the tick after which the whole state was written
        self.unsaved = ""  # why that failed the last time
        self.turn = asyncio.Lock()  # one tick after the other; nobody waits in a thread for it
        self.listeners: set[asyncio.Queue[Answer | None]] = set()
        self.newest: deque[Answer] = deque(maxlen=REMEMBERED)
        self._lock, self._journal = Lock(), None
        self.closed = False
        if folder is not None:
            self._journal = Journal(folder / JOURNAL)

    @property
    def ticks(self) -> int:
        """Ticks that it has read."""
        return self.about["ticks"]

    def described(self) -> dict[str, Any]:
        """What is told of it."""
        stream = self.pipe.stream
        return {
            "name": self.name,
            **self.about,
            "horizon": self.pipe.horizon,
            "frequency": self.pipe.clocks.frequency.code,
            "periods": list(stream.grid.periods),
            "rows": list(map(str, stream.ids)),
            "quantiles": list(HEAD_QUANTILES) if stream.network.head.spreads else None,
            "kept": self._journal is not None,
            "saved_tick": self.saved,
            "not_saved": self.unsaved or None,
        }

    def tick(self, tick: Tick, limits: Limits) -> Answer:
        """Read a tick, keep it, and forecast.

        Raises Problem, LstmcastError where it cannot be read or kept; nothing has changed then.
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
            }
            before = self._journal.append(entry) if self._journal else 0
            try:
                read = self.pipe.advance(_record(entry))
            except BaseException:
                if self._journal:
                    self._journal.undo(before)
                raise
            self.about["ticks"] += 1
            if self._journal and (tick.save or self.ticks % self.save_every == 0):
                self._save_if_possible()  # if not, the journal has the tick
            return self._answer(read)

    def save(self) -> dict[str, Any]:
        """Bring the whole state to the disk. OutputError; Problem where there is no place for
        it."""
        with self._lock:
            self._require_open()
            self._save()
        return {"name": self.name, "saved_tick": self.saved}

    def close(self) -> None:
        """Save, and read no more."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            if self._journal:
                self._save_if_possible()  # else the journal has it
                self._journal.close()

    def discard(self) -> None:
        """Read no more, and remove what is kept."""
        with self._lock:
            self.closed = True
            if self._journal and self.folder is not None:
                self._journal.close()
                _remove(self.folder)

    def begin(self) -> None:
        """Write the first state, before anybody is told that the stream is open. OutputError."""
        if self._journal:
            self._save()

    def replay(self) -> None:
        """Read the ticks that came after the state was written."""
        assert self._journal is not None  # it was kept
        for entry in self._journal.entries():
            if entry["number"] <= self.ticks:
                continue  # the state has it: the process ended before the journal was emptied
            try:
                self.pipe.advance(_record(entry))
            except LstmcastError:
                continue  # it was refused, and the process ended before it was taken back
            self.about["ticks"] = entry["number"]

    # ---- inside

    def _require_open(self) -> None:
        if self.closed:
            raise Problem(404, f"The stream {self.name!r} was closed.", "name")

    def _by_row(self, tick: Tick, limits: Limits) -> dict[str, float]:
        """The values of a tick by row; NaN for those that nobody knows. Problem."""
        ids = list(map(str, self.pipe.stream.ids))
        if isinstance(tick.values, list):
            if len(tick.values) != len(ids):
                raise Problem(
                    UNUSABLE,
                    f"There are {len(tick.values)} values, and {len(ids)} rows: one value for each "
                    "is expected, null for one that is unknown. Or name the rows: {row: value}.",
                    "values",
                )
            named: Mapping[str, float | None] = dict(zip(ids, tick.values, strict=True))
        else:
            named = tick.values
            self._require_rows(named, tick.join, limits)
        if not named:
            raise Problem(UNUSABLE, "The stream has no rows yet. Name some, with join.", "values")
        return {row: math.nan if value is None else value for row, value in named.items()}

    def _require_rows(self, named: Mapping[str, Any], join: bool, limits: Limits) -> None:
        rows = self.pipe.stream.rows
        new = [row for row in named if not rows.has(row)]
        if new and not join:
            raise Problem(
                UNUSABLE,
                f"The stream {self.name!r} has no row {new[0][:100]!r}. With join=true it joins.",
                f"values.{new[0][:100]}",
            )
        if len(rows) + len(new) > limits.stream_rows:
            raise _too_many_rows(limits)

    def _in_memory(self) -> Problem:
        detail = f"The stream {self.name!r} is kept in memory only: the server was started without "
        return Problem(UNUSABLE, f"{detail}--streams DIR.", "save")

    def _save(self) -> None:
        """Write the state and empty the journal; what the journal holds before is in both."""
        if self._journal is None:
            raise self._in_memory()
        self.pipe.stream.note = {**self.pipe.stream.note, SERVED: self.about}
        self.pipe.save()
        self._journal.undo(0)
        self.saved, self.unsaved = self.ticks, ""

    def _save_if_possible(self) -> None:
        try:
            self._save()
        except OutputError as error:
            self.unsaved = str(error)

    def _answer(self, read: Advance) -> Answer:
        """What follows a tick, in columns: rows of one time stand together."""
        clocks, stream = self.pipe.clocks, self.pipe.stream
        answer: Answer = {"stream": self.name, "tick": self.ticks}
        if read.due:
            point_RH, quantiles_RHQ = self.pipe.ahead(read.due)
            times = {tick.time for tick in read.due}
            rows = [tick.row for tick in read.due]
            if len(times) == 1 and (time := times.pop()) is not None:
                answer["time"] = clocks.text(time)
                answer["times"] = clocks.ahead(rows[0], self.pipe.horizon)
            answer |= {"rows": rows, "expected": _plain(read.expected_R), "point": _plain(point_RH)}
            if quantiles_RHQ is not None:
                by_level = np.moveaxis(quantiles_RHQ, 2, 0)
                pairs = zip(HEAD_QUANTILES, by_level, strict=True)
                answer["quantiles"] = {f"{level:g}": _plain(values) for level, values in pairs}
            if stream.alerts is not None:
                answer["score"] = _plain(stream.scores)
                answer["alerts"] = [
                    row for row, one in zip(rows, stream.alerted.tolist(), strict=True) if one
                ]
        if read.late:
            answer["skipped"] = {tick.row: self.pipe.skipped(tick) for tick in read.late}
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
        """Hand an answer to all that listen; one that is too slow listens no more."""
        self.newest.append(answer)
        for queue in list(self.listeners):
            if queue.full():
                self.listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(answer)

    def part(self) -> None:
        """Tell all that listen that there is no more."""
        for queue in self.listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self.listeners.clear()

    def missed(self, last: int | None) -> list[Answer]:
        """The answers after a tick, as far back as they are remembered."""
        return [] if last is None else [one for one in self.newest if one["tick"] > last]


class Streams:
    """All streams of a server.

    Raises ModelError, OutputError where those that are kept cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open: dict[str, ServedStream] = {}
        self._opening: set[str] = set()
        self._lock, self._held = Lock(), ExitStack()
        if settings.streams is not None:
            self._take_over(settings.streams)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[ServedStream]:
        now = list(self._open.values())  # others may open one meanwhile
        return iter(sorted(now, key=lambda one: one.name))

    @property
    def listeners(self) -> int:
        """Clients that follow a stream."""
        return sum(len(one.listeners) for one in self)

    def named(self, name: str) -> ServedStream:
        """The stream of this name. Problem."""
        if name not in self._open:
            raise Problem(404, f"There is no stream {name[:100]!r}. Open it first.", "name")
        return self._open[name]

    def open(self, asked: OpenStream) -> ServedStream:
        """A new stream. Problem, LstmcastError; then there is none."""
        name = _stream_name(asked.name)
        with self._lock:
            if name in self._open or name in self._opening:
                raise Problem(409, f"There is a stream {name!r} already.", "name")
            if len(self._open) + len(self._opening) >= self.settings.limits.streams:
                most = self.settings.limits.streams
                raise Problem(409, f"{most} streams are open, and no more can be.", "name")
            self._opening.add(name)
        try:
            served = self._opened(name, asked)
            self._open[name] = served
            return served
        finally:
            self._opening.discard(name)

    def close(self, name: str) -> None:
        """Close a stream for good: what is kept of it is removed. Problem, OutputError."""
        served = self.named(name)
        served.discard()
        self._open.pop(name, None)

    def shut(self) -> None:
        """Save all streams, for the next start."""
        for served in self:
            served.close()
        self._open.clear()
        self._held.close()

    def _opened(self, name: str, asked: OpenStream) -> ServedStream:
        limits = self.settings.limits
        stream, clocks = _begun(asked, self.settings)
        if len(stream.rows) > limits.stream_rows:
            raise _too_many_rows(limits)
        require_horizon(asked.horizon, max(len(stream.rows), 1), limits)
        folder = None if self.settings.streams is None else self.settings.streams / name
        place = None
        if folder is not None:
            with output_errors(folder):
                shutil.rmtree(folder, ignore_errors=True)  # of one that was never opened
                folder.mkdir(parents=True)
            place = Place(folder / STATE)
        pipe = Pipe(stream, asked.horizon, clocks=clocks, place=place)
        about = {"model": asked.model, "horizon": asked.horizon, "opened": _now()}
        served = None
        try:
            served = ServedStream(name, pipe, about, folder, self.settings.save_every)
            served.begin()
        except LstmcastError:
            if served is not None:
                served.discard()
            elif folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return served

    def _take_over(self, folder: Path) -> None:
        """Go on with the streams that are kept in a folder, which no other server may use."""
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not self._held.enter_context(locked(folder / LOCK)):
            raise OutputError(
                f"{str(folder)!r} is used by another server. Stop that, or name another folder."
            )
        try:
            for place in folder.glob(f"{CLOSED}*"):  # of a server that was killed meanwhile
                shutil.rmtree(place, ignore_errors=True)
            for place in sorted(folder.iterdir()):
                if NAME.fullmatch(place.name) and (place / STATE).is_dir():
                    self._open[place.name] = self._resumed(place)
        except BaseException:
            self._held.close()
            raise

    def _resumed(self, place: Path) -> ServedStream:
        stream = Stream.load(place / STATE, learns=False)
        if SERVED not in stream.note or "newest" not in stream.note:
            raise ModelError(f"{place / STATE} holds a stream that no server wrote. Move it away.")
        about = stream.note[SERVED]
        clocks = Clocks.from_saved(stream.note)
        pipe = Pipe(stream, about["horizon"], clocks=clocks, place=Place(place / STATE))
        served = ServedStream(place.name, pipe, about, place, self.settings.save_every)
        served.saved = served.ticks
        served.replay()
        return served


def _begun(asked: OpenStream, settings: Settings) -> tuple[Stream, Clocks]:
    """A stream of the shipped network or a model, and when its newest ticks were. Problem,
    LstmcastError."""
    alerts = None if asked.rate is None else Alerts(asked.rate)
    if asked.model is not None:
        return _of_model(asked, settings, alerts)
    if asked.rows is not None and len(set(asked.rows)) < len(asked.rows):
        raise Problem(UNUSABLE, "rows names a row twice. One row per name is expected.", "rows")
    step = parse_frequency(asked.frequency or "integer")
    forecaster = LSTMForecaster(asked.horizon, method="network")
    stream = Stream(
        forecaster,
        asked.rows or [],
        frequency=step,
        periods=tuple(asked.period) if asked.period else None,
        kind=asked.kind,
        alerts=alerts,
    )
    return stream, Clocks(step)


def _of_model(
    asked: OpenStream, settings: Settings, alerts: Alerts | None
) -> tuple[Stream, Clocks]:
    """A stream that goes on from the data of a saved model."""
    model = load(folder_of(settings.models, asked.model or ""), method="network")
    if asked.rows is not None or asked.frequency is not None:
        name = "rows" if asked.rows is not None else "frequency"
        raise Problem(
            UNUSABLE,
            f"{name} is known: the stream goes on from the data that the model remembers. Leave "
            f"{name} out.",
            name,
        )
    assert model.saved_context is not None  # a loaded model remembers its data
    panel = model.saved_context.panel
    periods = tuple(asked.period) if asked.period else None
    stream = Stream(model, panel, periods=periods, kind=asked.kind, alerts=alerts)
    return stream, Clocks.of(panel)


def folder_of(models: Mapping[str, Path], name: str) -> Path:
    """The folder of a model. Problem where there is none of this name."""
    if name not in models:
        known = f" There are: {', '.join(sorted(models))}." if models else " There are none."
        raise Problem(404, f"There is no model {name[:100]!r}.{known}", "model")
    return models[name]


def _stream_name(name: str) -> str:
    try:
        return checked_name(name, "stream")
    except UsageError as error:
        raise Problem(UNUSABLE, str(error), "name") from error


def _remove(folder: Path) -> None:
    """Remove what is kept of a stream, in one step for a server that starts again. OutputError."""
    aside = folder.with_name(f"{CLOSED}{folder.name}")
    with output_errors(folder):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        shutil.rmtree(aside)


def _too_many_rows(limits: Limits) -> Problem:
    most = limits.stream_rows
    return Problem(UNUSABLE, f"A stream may have {most:,} rows. Open several.", "rows")


def _record(entry: Mapping[str, Any]) -> Record:
    """A tick as the pipe reads it; Clocks and Stream refuse what cannot be meant."""
    past = {name: math.nan if value is None else value for name, value in entry["past"].items()}
    return Record(entry["time"], dict(entry["values"]), past, named=True)


def _plain(values: NDArray) -> Any:
    """Numbers as JSON holds them, with the digits that a network has; null where nobody knows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** np.clip(DIGITS - 1 - np.where(np.isfinite(size), size, 0), -300, 300)
    rounded = np.where(np.abs(values) < 1e290, np.round(values * scale) / scale, values)
    if np.isfinite(rounded).all():
        return rounded.tolist()
    known = rounded.astype(object)
    known[~np.isfinite(rounded)] = None
    return known.tolist()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def event(answer: Answer) -> str:
    """An answer as a server-sent event."""
    return f"id: {answer['tick']}\nevent: forecast\ndata: {json.dumps(answer)}\n\n"
