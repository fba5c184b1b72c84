"""A stream that answers lines of text and continues after invalid ones.

S series, a row each · H horizon · Q quantiles of the head
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError, LstmcastError, OutputError, UsageError
from lstmcast.evaluation.conformal import LEVELS
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.lines import LineReader, Naming, Record
from lstmcast.streaming.stream import Stream

# Longest gap that is bridged, as in saved models: two of the longest seasonal cycles, or four
# weeks. After longer gaps, level and season are outdated, and a row is reset.
BRIDGED_CYCLES, BRIDGED_STEPS = 2, 28
DIGITS = 10  # significant digits in answers; networks are less precise
# row name, in the note of a stream, for values of an unnamed column
UNNAMED = "unnamed"

Answer = dict[str, Any]
# what is done with ticks that are late or were already read
Late = Literal["skip", "error"]


class Place(NamedTuple):
    """The folder of the state, and the number of valid lines between saves."""

    folder: Path
    every: int = 100


class Tick(NamedTuple):
    """A tick to read: its row, and the number of steps after the newest tick."""

    row: str
    value: float
    time: int | None
    steps: int

    @property
    def missing(self) -> int:
        """Number of skipped ticks before it."""
        return self.steps - 1


class Advance(NamedTuple):
    """The result of a record: ticks read, late ticks, reset rows with the number of missed ticks,
    and predictions of the ticks (R,)."""

    due: list[Tick]
    late: list[Tick]
    anew: dict[str, int]
    expected_R: NDArray


class Pipe:
    """Turns lines into answers of a stream.

    Args:
        stream: the stream; new rows join with their first line.
        horizon: number of steps to forecast after each line.
        naming: the roles of the fields of a line.
        clocks: the times of the newest ticks, and their frequency.
        place: where the state is saved.
        late: "skip" leaves out ticks that are late or were already read, and counts them;
            "error" refuses the whole record.

    >>> import lstmcast as lc
    >>> pipe = Pipe(lc.Stream(lc.LSTMForecaster(horizon=1), []), horizon=1)
    >>> for line in ("a,b", "3,4", "3,four"):
    ...     print([sorted(answer) for answer in pipe.answers(line)])
    []
    [['line', 'point', 'quantiles', 'series', 'value'], ['line', 'point', 'quantiles', 'series', \
'value']]
    [['error', 'line']]
    """

    def __init__(
        self,
        stream: Stream,
        horizon: int = 1,
        naming: Naming | None = None,
        clocks: Clocks | None = None,
        place: Place | None = None,
        late: Late = "skip",
    ) -> None:
        config = stream.network.config
        if config.inputs.columns > 1:
            raise UsageError(
                f"The network reads {config.inputs.columns} columns of a row together, but lines "
                "have one value per row. Use lstmcast.Stream in Python."
            )
        # raises for a horizon that the network cannot answer
        stream.predict(horizon, ids=[])
        future = () if stream.known is None else stream.known.names
        naming = replace(naming or Naming(), past=config.inputs.past, future=future)
        self.stream = stream
        self.horizon = horizon
        self.place = place
        self.refuses_late = late == "error"
        self.late: int = stream.note.get("late", 0)
        self.reader = LineReader(naming, stream.note.get("header"))
        self.clocks = clocks or Clocks(parse_frequency("integer"))
        self.lines = self.used = self.wrong = 0
        self.first_wrong = 0
        self.first_reason = ""

    def answers(self, text: str) -> Iterator[Answer]:
        """The answer to a line: a forecast for each row with a tick, or an error without any
        change."""
        self.lines += 1
        try:
            record = self.reader.read(text)
            answers = [] if record is None else self._answered(record)
        except LstmcastError as error:
            yield self.refused(error.message)
            return
        for answer in answers:
            yield {"line": self.lines, **answer}
        if record is not None:
            self.used += 1
            if self.place is not None and self.used % self.place.every == 0:
                yield self._saved(self.place.folder)

    def refused(self, reason: str) -> Answer:
        """The answer to an invalid line."""
        self.wrong += 1
        self.first_wrong = self.first_wrong or self.lines
        self.first_reason = self.first_reason or reason.rstrip(".")
        return {"line": self.lines, "error": reason.rstrip(".") + "."}

    def save(self) -> None:
        """Save the state, if there is a folder for it; raises OutputError."""
        if self.place is not None:
            lines = {"header": self.reader.header, "late": self.late}
            state = {**self.clocks.saved(), **lines}
            self.stream.note = {**self.stream.note, **state}
            self.stream.save(self.place.folder)

    def _saved(self, folder: Path) -> Answer:
        """Save and report it; forecasts continue if saving fails."""
        try:
            self.save()
        except OutputError as error:
            return self.refused(f"the state was not saved: {error.message}")
        return {"line": self.lines, "saved": str(folder)}

    def advance(self, record: Record) -> Advance:
        """Read a record, including missing ticks before it.

        Raises DataError or UsageError if it cannot be used, without any change.
        """
        time = None if record.time is None else self.clocks.time(record.time)
        values = self._by_row(record)
        ticks = self._ticks(values, time)
        late = [tick for tick in ticks if tick.steps < 1]
        due = [tick for tick in ticks if tick.steps >= 1]
        if late and self.refuses_late:
            raise DataError(f"row {late[0].row!r}: {self.skipped(late[0])}")
        if due:
            self._check(due, record)
        self.late += len(late)
        if not due:
            return Advance([], late, {}, np.empty(0))
        restarted = self._bridge(due)
        rows = self._of_all(due)
        values_R = np.array([tick.value for tick in due])
        past = _beside(record.past, len(due))
        future = _known(record.future, due)
        errors_R = self.stream.observe(values_R, rows, past=past, future=future)
        for tick in due:
            if tick.time is not None:
                self.clocks.set(tick.row, tick.time)
        return Advance(due, late, restarted, values_R - errors_R)

    def ahead(self, due: Sequence[Tick]) -> tuple[NDArray, NDArray | None]:
        """Predictions after these ticks: points (R, H) and quantiles (R, H, Q), None for a point
        head."""
        rows = self._of_all(due)
        point_RH = self.stream.predict(self.horizon, rows)
        spreads = self.stream.network.head.spreads
        return point_RH, self.stream.quantiles(self.horizon, rows) if spreads else None

    def skipped(self, tick: Tick) -> str:
        """The reason for skipping a tick that is late or repeated."""
        assert tick.time is not None
        newest = self.clocks.newest(tick.row)
        text = self.clocks.text(tick.time)
        reason = (
            "was already read" if tick.steps == 0 else f"is before {newest}, the newest"
        )
        return f"{text} {reason}"

    # ---- a line

    def _answered(self, record: Record) -> list[Answer]:
        """Read a record and forecast; DataError if nothing in it is usable."""
        read = self.advance(record)
        late = [self._late(tick) for tick in read.late]
        return late + (self._forecasts(read) if read.due else [])

    def _of_all(self, due: Sequence[Tick]) -> list[str] | None:
        """The rows of ticks; None for all rows in order, whose answers the stream caches."""
        rows = [tick.row for tick in due]
        return None if rows == self.stream.ids else rows

    def _by_row(self, record: Record) -> dict[str, float]:
        """The values by row. A single value without a row name belongs to the only series of a
        model whose data had no names, whatever its column is called."""
        unnamed = self.stream.note.get(UNNAMED)
        if unnamed is None or record.named or len(record.values) != 1:
            return record.values
        return {unnamed: next(iter(record.values.values()))}

    def _ticks(self, values: dict[str, float], time: int | None) -> list[Tick]:
        """The ticks of a line; without a time, the next tick of each row."""
        if time is None:
            times = self.clocks.nexts(values)
            pairs = zip(values.items(), times, strict=True)
            return [Tick(row, value, when, 1) for (row, value), when in pairs]
        steps = self.clocks.all_steps(values, time)
        pairs = zip(values.items(), steps, strict=True)
        return [Tick(row, value, time, step) for (row, value), step in pairs]

    def _late(self, tick: Tick) -> Answer:
        """The answer to a skipped tick."""
        assert tick.time is not None
        text = self.clocks.text(tick.time)
        return {"series": tick.row, "time": text, "skipped": self.skipped(tick)}

    def _check(self, due: Sequence[Tick], record: Record) -> None:
        """Raise DataError before any change; new rows join if there is none."""
        starts = {
            tick.row: self._start(tick)
            for tick in due
            if not self.stream.rows.has(tick.row)
        }
        if starts:  # copies all rows
            self.stream.join(starts, starts)
        values = [tick.value for tick in due]
        rows = [tick.row for tick in due]
        try:
            self.stream.check(
                values,
                rows,
                past=_beside(record.past, len(due)),
                future=_known(record.future, due),
                horizon=self.horizon,
                missing=[tick.missing for tick in due],
            )
        except LstmcastError:
            if starts:
                self.stream.leave(starts)
            raise

    def _start(self, tick: Tick) -> Any:
        """The start time of a row whose first tick this is; None if unknown."""
        return None if tick.time is None else self.clocks.moment(tick.time)

    def _bridge(self, due: Sequence[Tick]) -> dict[str, int]:
        """Read skipped ticks as missing values; rows with too many are reset and returned with
        their number."""
        longest_season = max(self.stream.grid.periods)
        bridged_steps = max(BRIDGED_CYCLES * longest_season, BRIDGED_STEPS)
        too_late = [tick for tick in due if tick.missing > bridged_steps]
        if too_late:
            starts = {tick.row: self._start(tick) for tick in too_late}
            self.stream.reset(list(starts), starts)
        gaps = [tick for tick in due if 0 < tick.missing <= bridged_steps]
        longest_gap = max((tick.missing for tick in gaps), default=0)
        unknown_past = dict.fromkeys(self.stream.network.config.inputs.past, math.nan)
        for step in range(longest_gap):
            rows = [tick.row for tick in gaps if tick.missing > step]
            unknown_R = np.full(len(rows), math.nan)
            self.stream.observe(unknown_R, rows, past=_beside(unknown_past, len(rows)))
        return {tick.row: tick.missing for tick in too_late}

    def _forecasts(self, read: Advance) -> list[Answer]:
        """The answers for the ticks of these rows."""
        due = read.due
        expected_R = read.expected_R
        restarted = read.anew
        scores_R = self.stream.scores
        alerted_R = self.stream.alerted
        point_RH, quantiles_RHQ = self.ahead(due)
        answers = []
        for place, tick in enumerate(due):
            answer: Answer = {"series": tick.row}
            if tick.time is not None:
                answer["time"] = self.clocks.text(tick.time)
            answer["value"] = _plain(tick.value)
            if self.stream.alerts is not None:
                answer["score"] = _plain(scores_R[place])
                answer["alert"] = bool(alerted_R[place])
            if not math.isnan(expected_R[place]):
                answer["expected"] = _plain(expected_R[place])
            if tick.missing:
                key = "anew" if tick.row in restarted else "missing"
                answer[key] = tick.missing
            times = self.clocks.ahead(tick.row, self.horizon)
            if times is not None:
                answer["times"] = times
            answer["point"] = _plain(point_RH[place])
            if quantiles_RHQ is not None:
                by_level = zip(HEAD_QUANTILES, quantiles_RHQ[place].T, strict=True)
                answer["quantiles"] = {
                    f"{level:g}": _plain(values) for level, values in by_level
                }
            answers.append(answer | self._kept_promises(place, tick))
        return answers

    def _kept_promises(self, place: int, tick: Tick) -> Answer:
        """The recent coverage of one-step intervals in percent, and whether errors have grown with
        this value."""
        if self.stream.conformal is None:
            return {}
        inside_L = 100 * self.stream.coverage([tick.row])[0, 0]
        shares = zip(LEVELS, inside_L, strict=True)
        coverage = {str(level): _plain(share) for level, share in shares}
        return {"coverage": coverage, "drift": bool(self.stream.drifted[place])}


def _beside(past: dict[str, float], rows: int) -> dict[str, list[float]] | None:
    """The past covariates of a line, the same for each of its rows."""
    return {name: [value] * rows for name, value in past.items()} or None


def _known(future: Mapping[str, Any], due: Sequence[Tick]) -> dict[str, Any] | None:
    """The future columns of a line: the same for each of its rows, or by row."""
    cells_by_column = {}
    for name, cells in future.items():
        if not isinstance(cells, Mapping):
            cells = {tick.row: cells for tick in due}
        cells_by_column[name] = cells
    return cells_by_column or None


def _plain(values: Any) -> Any:
    """Numbers as JSON values: null for missing ones."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    if not math.isfinite(values):
        return None
    rounded = float(f"{values:.{DIGITS}g}")
    return rounded if math.isfinite(rounded) else float(values)
