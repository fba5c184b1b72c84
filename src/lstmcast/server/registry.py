"""All streams of a server, stored in a folder and restored at the next start.

DIR/NAME/state/           the whole state, as Stream.save writes it
DIR/NAME/journal.jsonl    the ticks since then
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import LstmcastError, ModelError, UsageError
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.evaluation.conformal import Conformal
from lstmcast.forecaster import LSTMForecaster
from lstmcast.loading import load
from lstmcast.model.network import Network
from lstmcast.server import alone
from lstmcast.server.models import folder_of
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.requests import OpenStream, require_horizon
from lstmcast.server.settings import NAME, Settings, checked_name
from lstmcast.server.streams import CLOSED, SERVED, ServedStream, too_many_rows
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.pipe import Pipe, Place
from lstmcast.streaming.stream import Stream
from lstmcast.util.files import output_errors

STATE = "state"
LATE = "late_ticks"  # what is done with them, in the description of a stream


class Streams:
    """All streams of a server. models: models for streams, by default those of the settings.

    Raises ModelError or OutputError if stored streams cannot be opened.
    """

    def __init__(
        self, settings: Settings, models: Mapping[str, Path] | None = None
    ) -> None:
        self.settings = settings
        self.models = settings.models if models is None else models
        self._open: dict[str, ServedStream] = {}
        self._opening: set[str] = set()
        self._lock, self._held = Lock(), ExitStack()
        if settings.streams is not None:
            self._take_over(settings.streams)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[ServedStream]:
        # a copy, as another thread may open one meanwhile
        streams = list(self._open.values())
        return iter(sorted(streams, key=lambda stream: stream.name))

    @property
    def listeners(self) -> int:
        """The number of clients that follow a stream."""
        return sum(len(stream.listeners) for stream in self)

    def named(self, name: str) -> ServedStream:
        """The stream with this name. Raises Problem."""
        if name not in self._open:
            raise Problem(
                404, f"There is no stream {name[:100]!r}. Open it first.", "name"
            )
        return self._open[name]

    def open(self, options: OpenStream) -> ServedStream:
        """Open a new stream. If it raises Problem or LstmcastError, there is none."""
        name = _stream_name(options.name)
        with self._lock:
            if name in self._open or name in self._opening:
                raise Problem(409, f"There is already a stream {name!r}.", "name")
            if len(self._open) + len(self._opening) >= self.settings.limits.streams:
                limit = self.settings.limits.streams
                raise Problem(
                    409,
                    f"{limit} streams are open, which is the maximum. Close one first.",
                    "name",
                )
            self._opening.add(name)
        try:
            served = self._opened(name, options)
            self._open[name] = served
            return served
        finally:
            self._opening.discard(name)

    def close(self, name: str) -> None:
        """Close a stream and remove its files. Raises Problem, OutputError."""
        served = self.named(name)
        served.discard()
        self._open.pop(name, None)

    def shut(self) -> None:
        """Save all streams, for the next start."""
        for served in self:
            served.close()
        self._open.clear()
        self._held.close()

    def _opened(self, name: str, options: OpenStream) -> ServedStream:
        limits = self.settings.limits
        stream, clocks = _begun(options, self.models)
        if len(stream.rows) > limits.stream_rows:
            raise too_many_rows(limits)
        require_horizon(options.horizon, max(len(stream.rows), 1), limits)
        folder = None if self.settings.streams is None else self.settings.streams / name
        place = None
        if folder is not None:
            with output_errors(folder):
                # left by a stream that was never opened
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
            place = Place(folder / STATE)
        about = {
            "model": options.model,
            "horizon": options.horizon,
            LATE: options.late,
            "opened": _now(),
        }
        pipe = _pipe(stream, clocks, about, place)
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
        """Restore the streams in a folder, which no other server may use."""
        alone.take(folder, self._held)
        try:
            for place in folder.glob(f"{CLOSED}*"):  # left by a server that was killed
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
            raise ModelError(
                f"{place / STATE} holds a stream that was not written by a server. Move it "
                "elsewhere."
            )
        about = stream.note[SERVED]
        clocks = Clocks.from_saved(stream.note)
        pipe = _pipe(stream, clocks, about, Place(place / STATE))
        served = ServedStream(place.name, pipe, about, place, self.settings.save_every)
        served.saved = served.ticks
        served.replay()
        return served


def _pipe(
    stream: Stream, clocks: Clocks, about: Mapping[str, Any], place: Place | None
) -> Pipe:
    """What reads the ticks of a stream that is described so; older ones skip what is late."""
    late = about.get(LATE, "skip")
    return Pipe(stream, about["horizon"], clocks=clocks, place=place, late=late)


def _begun(options: OpenStream, models: Mapping[str, Path]) -> tuple[Stream, Clocks]:
    """A stream of the shipped network or a model, and the times of its newest ticks. Raises
    Problem, LstmcastError."""
    if options.model is not None:
        return _of_model(options, models)
    if options.rows is not None and len(set(options.rows)) < len(options.rows):
        raise Problem(
            UNUSABLE, "rows names a row twice. One row per name is expected.", "rows"
        )
    step = parse_frequency(options.frequency or "integer")
    periods = tuple(options.period) if options.period else None
    forecaster = LSTMForecaster(options.horizon, method="network")
    stream = Stream(
        forecaster,
        options.rows or [],
        frequency=step,
        periods=periods,
        kind=options.kind,
        future=options.future or (),
        alerts=_alerts(options),
        conformal=_conformal(options, forecaster.network),
    )
    return stream, Clocks(step)


def _of_model(options: OpenStream, models: Mapping[str, Path]) -> tuple[Stream, Clocks]:
    """A stream that continues from the data of a saved model."""
    model = load(folder_of(models, options.model or ""), method="network")
    superfluous = [
        name
        for name in ("rows", "frequency", "future")
        if getattr(options, name) is not None
    ]
    if superfluous:
        name = superfluous[0]
        raise Problem(
            UNUSABLE,
            f"{name} is already known from the data of the model, which the stream continues. "
            f"Leave out {name}.",
            name,
        )
    assert model.saved_context is not None  # a loaded model remembers its data
    panel = model.saved_context.panel
    periods = tuple(options.period) if options.period else None
    stream = Stream(
        model,
        panel,
        periods=periods,
        kind=options.kind,
        alerts=_alerts(options),
        conformal=_conformal(options, model.model.network),
    )
    return stream, Clocks.of(panel)


def _alerts(options: OpenStream) -> Alerts | None:
    """The rule for alerts, if requested."""
    return None if options.rate is None else Alerts(options.rate)


def _conformal(options: OpenStream, network: Network | None) -> Conformal | None:
    """The adjustment of intervals, if requested; a point forecast has none."""
    if not options.conformal or network is None or not network.head.spreads:
        return None
    settings = Conformal(steps=options.horizon)
    return settings if options.rate is None else replace(settings, rate=options.rate)


def _stream_name(name: str) -> str:
    try:
        return checked_name(name, "stream")
    except UsageError as error:
        raise Problem(UNUSABLE, error.message, "name") from error


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
