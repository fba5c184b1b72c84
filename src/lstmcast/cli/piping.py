"""`lstmcast stream`: lines in, lines out; signals stop it only between two lines."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from lstmcast.cli import echo
from lstmcast.errors import ModelError
from lstmcast.util.text import counted

if TYPE_CHECKING:
    from lstmcast.cli.options.live import LineOptions
    from lstmcast.streaming.clocks import Clocks
    from lstmcast.streaming.pipe import Pipe
    from lstmcast.streaming.stream import Stream

LONGEST = 1_000_000  # bytes of a line
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Stopped(Exception):
    """A signal arrived between two lines."""


class _Signals:
    """Signals that end the process, but never in the middle of a line."""

    def __init__(self) -> None:
        self.number = 0
        self.waiting = False

    def __enter__(self) -> _Signals:
        main = threading.current_thread() is threading.main_thread()
        self._before = (
            {number: signal.signal(number, self._came) for number in SIGNALS}
            if main
            else {}
        )
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number: int, _: FrameType | None) -> None:
        self.number = number
        if self.waiting:
            raise _Stopped

    def lines(self, source: BinaryIO) -> Iterator[bytes]:
        """Lines as they arrive, until the end or a signal; too long lines are truncated."""
        while not self.number:
            try:
                self.waiting = True
                line = source.readline(LONGEST + 1)
                while len(line) > LONGEST and not line.endswith(b"\n"):
                    excess = source.readline(LONGEST)
                    line = line[: LONGEST + 1] + excess[-1:]
                    if not excess:
                        break
            except _Stopped:
                return
            finally:
                self.waiting = False
            if not line:
                return
            yield line


def run(pipe: Pipe, source: BinaryIO, output: TextIO) -> int:
    """Answer all lines, save the stream, and return the exit status.

    It is 0, 1 if lines were invalid, or 128 plus the number of the signal.
    """
    late_before = pipe.late
    with _Signals() as signals:
        try:
            for line in signals.lines(source):
                _answer(pipe, line, output)
        finally:
            pipe.save()
    if late := pipe.late - late_before:
        echo.note(False, f"left out, as they were late or already read: {late} values")
    if pipe.wrong:
        echo.note(
            False,
            f"{pipe.wrong} of {counted(pipe.lines, 'line')} could not be used, the first being "
            f"line {pipe.first_wrong}: {pipe.first_reason}",
        )
    if signals.number:
        return 128 + signals.number
    return 1 if pipe.wrong else 0


def _answer(pipe: Pipe, line: bytes, output: TextIO) -> None:
    if len(line) > LONGEST:
        pipe.lines += 1
        answers = iter([pipe.refused(f"it is longer than {LONGEST:,} bytes")])
    else:
        answers = pipe.answers(line.decode("utf-8", errors="replace"))
    for answer in answers:
        output.write(json.dumps(answer) + "\n")
        output.flush()


def opened(
    model: Path | None, state: Path | None, horizon: int, options: LineOptions
) -> tuple[Stream, Clocks]:
    """The stream to continue, and the times of its newest ticks.

    Raises UsageError for other future columns than those of the stream.
    """
    stream, clocks = _opened(model, state, horizon, options)
    options.refuse_other_columns(stream)
    return stream, clocks


def _opened(
    model: Path | None, state: Path | None, horizon: int, options: LineOptions
) -> tuple[Stream, Clocks]:
    """The stream to continue, and the times of its newest ticks.

    It is the saved one, else one of the model and its saved context, else one of the shipped
    network.
    """
    from lstmcast import store
    from lstmcast.data.times.frequency import parse_frequency
    from lstmcast.streaming.clocks import Clocks
    from lstmcast.streaming.stream import Stream

    if state is not None and state.exists():
        stream = Stream.load(state, learns=False)
        if "newest" not in stream.note:
            raise ModelError(
                f"{state} holds a stream that Stream.save wrote. Give it as --model, and another "
                "folder as --state."
            )
        return stream, Clocks.from_saved(stream.note)
    if model is not None and store.read_manifest(model).get("kind") == "stream":
        stream = Stream.load(model, learns=False)
        if "newest" in stream.note:
            return stream, Clocks.from_saved(stream.note)
        return stream, Clocks(parse_frequency(options.frequency or "integer"))
    return _of_forecaster(model, horizon, options)


def _of_forecaster(
    model: Path | None, horizon: int, options: LineOptions
) -> tuple[Stream, Clocks]:
    from lstmcast.data.times.frequency import parse_frequency
    from lstmcast.evaluation.anomalies import Alerts
    from lstmcast.evaluation.conformal import Conformal
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.loading import load
    from lstmcast.saved_context import is_unnamed
    from lstmcast.streaming.clocks import Clocks
    from lstmcast.streaming.pipe import UNNAMED
    from lstmcast.streaming.stream import Stream

    forecaster = LSTMForecaster(horizon)
    if model is not None:
        forecaster = load(model, method="network")
    context = forecaster.saved_context
    conformal = None
    if options.conformal and forecaster.model.network.head.spreads:
        conformal = Conformal(options.rate, horizon)
    settings: dict[str, Any] = {
        "periods": options.periods(),
        "kind": options.known_kind(),
        "alerts": Alerts(options.rate),
        "conformal": conformal,
    }
    if context is not None:
        options.refuse_frequency(context.panel.frequency.code)
        stream = Stream(forecaster, context.panel, **settings)
        if is_unnamed(context.panel):
            stream.note = {UNNAMED: stream.ids[0]}
        return stream, Clocks.of(context.panel)
    step = parse_frequency(options.frequency or "integer")
    future = options.known()
    stream = Stream(forecaster, [], frequency=step, future=future, **settings)
    return stream, Clocks(step)
