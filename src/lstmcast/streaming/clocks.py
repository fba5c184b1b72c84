"""Times of ticks of rows, and the number of missing ticks before a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.times.frequency import OFF_GRID, Frequency, parse_frequency
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_MONTH = pattern_of(r"\d{4}-\d{2}")
INTEGER = "integer"
_WITHIN_A_DAY = ("hour", "minute", "second")
_FARTHEST = 10**15  # steps; larger times could overflow


class Clocks:
    """The time of the newest tick of each row.

    Args:
        frequency: frequency of the ticks.
        newest: the time of the newest tick of each row, as a number.

    >>> from lstmcast.data.times.frequency import parse_frequency
    >>> clocks = Clocks(parse_frequency("D"))
    >>> clocks.set("a", clocks.time("2024-02-28"))
    >>> clocks.steps("a", clocks.time("2024-03-01")), clocks.steps("b", clocks.time("2024-03-01"))
    (2, 1)
    """

    def __init__(
        self, frequency: Frequency, newest: Mapping[str, int] | None = None
    ) -> None:
        self.frequency, self._newest = frequency, dict(newest or {})

    @classmethod
    def of(cls, panel: Panel) -> Clocks:
        """The clocks of a panel's series, at their end."""
        ends = panel.ends.astype(np.int64).tolist()
        return cls(panel.frequency, dict(zip(map(str, panel.ids), ends, strict=True)))

    @classmethod
    def from_saved(cls, saved: Mapping[str, Any]) -> Clocks:
        """The inverse of `saved`."""
        return cls(parse_frequency(saved["frequency"]), saved["newest"])

    def time(self, time_given: str | int) -> int:
        """A time as a number: microseconds since 1970, or the step itself; DataError if invalid."""
        if self.frequency.unit == INTEGER:
            return _whole(time_given)
        text = str(time_given).strip()
        if _MONTH.fullmatch(text):
            text += "-01"
        try:
            read = datetime.fromisoformat(text)
        except ValueError as error:
            raise DataError(
                f"its time is {time_given!r}, but one such as 2024-03-01 or 2024-03-01T14:30 is "
                "expected"
            ) from error
        if read.tzinfo is not None:
            read = read.astimezone(UTC).replace(tzinfo=None)
        time = int(np.datetime64(read, "us").astype(np.int64))
        if not self._newest:  # months start, or end, like the first one
            self.frequency = self.frequency.anchored(self._array(time))
        return time

    def moment(self, time: int) -> Any:
        """A numeric time as a time of the frequency."""
        return self._array(time)[0]

    def steps(self, row: str, time: int) -> int:
        """Number of ticks from the newest one of a row to a time: 1 for the next, and for a first
        one.

        Raises DataError for times off the grid.
        """
        if row not in self._newest:
            return 1
        newest = self._newest[row]
        place = int(self.frequency.position(self._array(time), self._array(newest))[0])
        if place == OFF_GRID:
            raise DataError(
                f"its time {self.text(time)} is not a whole number of steps "
                f"({self.frequency.name}) after {self.text(newest)}, the newest of row {row!r}"
            )
        return place

    def all_steps(self, rows: Iterable[str], time: int) -> list[int]:
        """`steps` for many rows, most of which have their newest tick at the same time."""
        steps_by_newest: dict[int | None, int] = {}
        steps = []
        for row in rows:
            newest = self._newest.get(row)
            if newest not in steps_by_newest:
                steps_by_newest[newest] = self.steps(row, time)
            steps.append(steps_by_newest[newest])
        return steps

    def nexts(self, rows: Iterable[str]) -> list[int | None]:
        """The times of the next ticks of many rows."""
        if not self._newest:
            return [None for _ in rows]
        next_by_newest: dict[int | None, int | None] = {}
        times = []
        for row in rows:
            newest = self._newest.get(row)
            if newest not in next_by_newest:
                next_by_newest[newest] = self.next(row)
            times.append(next_by_newest[newest])
        return times

    def next(self, row: str) -> int | None:
        """The time of the next tick of a row; None if unknown."""
        if row not in self._newest:
            return None
        newest = self._array(self._newest[row])
        return int(self.frequency.advance(newest, 1).astype(np.int64)[0])

    def set(self, row: str, time: int) -> None:
        """Record a tick of a row at this time."""
        self._newest[row] = int(time)

    def newest(self, row: str) -> str | None:
        """The time of the newest tick of a row, as text; None if there is none."""
        return self.text(self._newest[row]) if row in self._newest else None

    def ahead(self, row: str, steps: int) -> list[str] | None:
        """The times of the next steps of a row; None if unknown."""
        if row not in self._newest:
            return None
        start = self._array(self._newest[row])[0]
        times = self.frequency.range(start, steps, offset=1)
        return [_text(time, self.frequency) for time in times]

    def text(self, time: int) -> str:
        """A time as it is written: midnight too has a time of day where the others have one.

        >>> from lstmcast.data.times.frequency import parse_frequency
        >>> for code in ("D", "h"):
        ...     clocks = Clocks(parse_frequency(code))
        ...     clocks.text(clocks.time("2024-02-28"))
        '2024-02-28'
        '2024-02-28T00:00:00'
        """
        return _text(self._array(time)[0], self.frequency)

    def saved(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {"frequency": self.frequency.code, "newest": dict(self._newest)}

    def _array(self, time: int) -> NDArray:
        kind = "int64" if self.frequency.unit == INTEGER else "datetime64[us]"
        return np.array([time], np.int64).astype(kind)


def _whole(time_given: str | int) -> int:
    try:
        time = int(time_given)
    except ValueError as error:
        raise DataError(
            f"its time is {time_given!r}, but whole numbers are expected, since the frequency of "
            "ticks is unknown. Give it with --frequency, such as --frequency daily"
        ) from error
    if abs(time) > _FARTHEST:
        raise DataError(
            f"its time is {time_given!r}, which is too large to count steps"
        )
    return time


def _text(time: Any, frequency: Frequency) -> str:
    if not isinstance(time, np.datetime64):
        return str(int(time))
    units = ("s",) if frequency.unit in _WITHIN_A_DAY else ("D", "s")
    for unit in units:
        rounded = time.astype(f"datetime64[{unit}]")
        if time == rounded:
            return str(rounded)
    return str(time)
