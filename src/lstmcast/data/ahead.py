"""How far to forecast if no number of steps is given: until a date, or one season."""

from __future__ import annotations

import numpy as np

from lstmcast.data.origins import LONGEST_HORIZON
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError

SEASONLESS = 10  # steps if there is no season


def one_season(panel: Panel) -> int:
    """The steps of the shortest season, or ten if there is none; with an observed calendar those
    that occur.

    >>> one_season(Panel.from_arrays([1.0, 2.0], frequency="MS", start="2024-01"))
    12
    """
    period = next((period for period in panel.periods if period > 1), SEASONLESS)
    return period if panel.calendar is None else _occurring_in(period, panel)


_CYCLES = 7  # of hours: as many as a week has days


def _occurring_in(period: int, panel: Panel) -> int:
    """How many of so many steps of the grid usually occur, as the calendar of the first series
    says."""
    assert panel.calendar is not None
    steps = np.arange(1 - _CYCLES * period, 1)
    times = panel.frequency.advance(panel.ends[0], steps)
    occurs = panel.calendar.occurs(times, 0).reshape(_CYCLES, period)
    counts = occurs.sum(axis=1)
    return max(1, int(np.median(counts[counts > 0]))) if counts.any() else period


def horizon_note(panel: Panel) -> str:
    """The note on the default horizon."""
    steps = one_season(panel)
    reason = "one season" if panel.periods[-1] > 1 else "as there is no season"
    return f"{steps} steps are forecast, {reason}. Change this with --horizon N or --until DATE."


def end_of(text: str, panel: Panel) -> np.datetime64 | int:
    """The last moment of a date: the end of a year, month or day; for numbered steps the number.

    >>> panel = Panel.from_arrays([1.0, 2.0], frequency="MS", start="2024-01")
    >>> str(end_of("2025-06", panel))
    '2025-06-30T23:59:59.999999'
    """
    numbered = panel.ends.dtype.kind != "M"
    try:
        if numbered:
            return int(text)
        moment = np.datetime64(text.strip().replace("/", "-"))
        if np.isnat(moment):
            raise ValueError
        if np.datetime_data(moment.dtype)[0] in ("Y", "M", "D"):
            return (moment + 1).astype("datetime64[us]") - np.timedelta64(1, "us")
        return moment.astype("datetime64[us]")
    except ValueError as error:
        expected = (
            "a step number, such as 120" if numbered else "a date, such as 2025-12-31"
        )
        raise UsageError(
            f"--until {text!r} cannot be read. Give {expected}."
        ) from error


def steps_until(text: str, panel: Panel) -> int:
    """The number of steps up to a date, from the series that ends first.

    Raises UsageError if the date is not after the data.

    >>> panel = Panel.from_arrays([1.0, 2.0], frequency="MS", start="2024-01")
    >>> steps_until("2024-12-31", panel)
    10
    """
    end = end_of(text, panel)
    first = panel.ends.min()
    steps = _last_step(panel, first, end)
    if steps < 1 or _last_step(panel, panel.ends.max(), end) < 1:
        next_one = panel.frequency.advance(panel.ends.max(), 1)
        raise UsageError(
            f"--until {text} is not after the data, which end with "
            f"{format_time(panel.ends.max())}: the next step is {format_time(next_one[()])}. Give "
            "a later date."
        )
    if steps > LONGEST_HORIZON:
        raise UsageError(
            f"--until {text} is {steps:,} steps ahead; at most {LONGEST_HORIZON:,} are possible. "
            "Give an earlier date."
        )
    return steps


def _last_step(
    panel: Panel, newest: np.datetime64 | int, end: np.datetime64 | int
) -> int:
    """The largest number of steps after `last` that do not pass `end`."""
    low, high = 0, 1
    while high <= 2 * LONGEST_HORIZON and panel.frequency.advance(newest, high) <= end:
        low = high
        high = 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if panel.frequency.advance(newest, middle) <= end:
            low = middle
        else:
            high = middle
    return low
