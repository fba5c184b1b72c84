"""Arrays that are on a regular grid already → what a panel holds.

S series · T time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.data.featurearrays import Given, covariates_from_arrays
from lstmcast.data.features import Covariates
from lstmcast.data.findings import NO_RECENT_VALUES, Case, Finding, Findings, per_series
from lstmcast.data.frequency import Frequency, parse_frequency
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import UNASKED, require_kind
from lstmcast.data.limits import require_span
from lstmcast.data.observed import Clock, ObservedCalendar
from lstmcast.data.observing import Grids, found_in
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import CalendarChoice, DataReport, Kind, checked_periods, require_choice
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects
from lstmcast.util.text import storable


def fields_of_arrays(
    values: Mapping[str, ArrayLike] | ArrayLike,
    columns: Sequence[str] | None,
    grid: tuple[str | Frequency, ArrayLike | str | None, int | Sequence[int] | None],
    kind: Kind | None,
    beside: Mapping[str, Given | None],
    calendar: CalendarChoice | None,
) -> dict[str, Any]:
    """The fields of a panel, as `Panel.from_arrays` describes its arguments; `grid`: its frequency,
    start and periods; `beside`: its columns beside the target, by role."""
    frequency, start, periods = grid
    if kind is not None:
        require_choice("kind", kind, get_args(Kind))
    keys = Keys()
    if columns is not None:
        start = start if start is None else _for_each_column(start, len(columns))
        values, keys = _split_columns(values, [str(name) for name in columns])
    named = _named_arrays(values)
    ids = np.array(list(named), dtype=object)
    rows = keys.row_names(ids)
    given_S = np.array([len(array) for array in named.values()], dtype=np.int64)
    covariates = covariates_from_arrays(**beside, rows=rows, lengths=given_S)
    lengths_S = _known_lengths(list(named.values()), rows)
    covariates = _shortened(covariates, given_S, lengths_S)
    ends = lengths_S.tolist()
    known = [array[:end] for array, end in zip(named.values(), ends, strict=True)]
    joined = np.concatenate([np.zeros(0), *known])
    step = frequency if isinstance(frequency, Frequency) else parse_frequency(frequency)
    starts = _starts(start, len(named), step)
    step = step.anchored(starts)
    with np.errstate(over="ignore"):
        require_span(starts, step.advance(starts, lengths_S - 1), "arrays")
    require_kind(joined, kind or "real")
    offsets = offsets_of(lengths_S)
    grids = Grids(np.isfinite(joined), offsets, starts, step)
    return {
        "values": joined,
        "offsets": offsets,
        "ids": ids,
        "starts": starts,
        "frequency": step,
        "periods": step.seasonal_periods if periods is None else checked_periods(periods),
        "kind": kind or "real",
        "report": DataReport(findings=Findings(_left_out(ids, given_S - lengths_S))),
        "keys": keys,
        "recognised": np.full(len(ids), UNASKED, "<U8") if kind is None else None,
        "covariates": covariates,
        "calendar": _asked_of_arrays(grids, calendar),
    }


def _known_lengths(arrays: Sequence[ndarray], rows: ndarray) -> ndarray:
    """Up to which value each series goes (S,): the last known one, or that of any target where a
    row has several; all of a row without any value."""
    until_S = [np.flatnonzero(np.isfinite(array)).max(initial=-1) + 1 for array in arrays]
    until: dict[str, int] = {}
    for row, end in zip(rows.tolist(), until_S, strict=True):
        until[row] = max(until.get(row, 0), int(end))
    lengths = [until[row] or len(array) for row, array in zip(rows.tolist(), arrays, strict=True)]
    return np.minimum(lengths, [len(array) for array in arrays]).astype(np.int64)


def _shortened(covariates: Covariates, given_S: ndarray, lengths_S: ndarray) -> Covariates:
    """The columns beside targets that end earlier: what is known in advance of the steps that were
    left out is known of coming steps."""
    if np.array_equal(given_S, lengths_S):
        return covariates
    everything = np.arange(len(given_S))
    return covariates.part(offsets_of(given_S), everything, 0, lengths_S)


def _left_out(ids: ndarray, missing_S: ndarray) -> list[Finding]:
    """What is said of values that are missing at the ends of series."""
    rule = Finding(
        NO_RECENT_VALUES,
        "warning",
        "",
        "They are left out: the forecast starts after the last value.",
    )

    def say(series: ndarray) -> Case:
        count = int(missing_S[series[0]])
        missing = "value is missing" if count == 1 else f"{count:,} values are missing"
        return Case(f"the last {missing}", count=count)

    return per_series(ids, np.arange(len(ids)), np.flatnonzero(missing_S), rule, say)


def _asked_of_arrays(grids: Grids, calendar: CalendarChoice | None) -> ObservedCalendar | None:
    if calendar is not None:
        require_choice("calendar", calendar, get_args(CalendarChoice))
    return found_in(grids, Clock(), is_expected=True) if calendar == "observed" else None


def _named_arrays(values: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, ndarray]:
    """{id: 1-D float64 array} whatever the shape that came in."""
    if isinstance(values, Mapping):
        named = {
            storable(str(name)): _numbers(array, f"series {str(name)!r}")
            for name, array in values.items()
        }
        if len(named) < len(values):
            raise DataError(
                "two series have one name as text, such as 1 and '1'. Give each a name of its own."
            )
    else:
        array = _numbers(values, "values")
        named = (
            {"y": array}
            if array.ndim == 1
            else {f"series_{i}": row for i, row in enumerate(array, start=1)}
        )
    for name, array in named.items():
        if array.ndim != 1 or len(array) == 0:
            raise DataError(
                f"series {name!r} has shape {array.shape}. One row of at least one number is "
                "expected."
            )
        array[np.isinf(array)] = np.nan
    if not named:
        raise DataError(
            "there are no series. Give {id: values}, one array, or an array with series in rows."
        )
    return named


def _split_columns(
    values: Mapping[str, ArrayLike] | ArrayLike, columns: list[str]
) -> tuple[dict[str, ndarray], Keys]:
    """{id: (T, K)} as {"id/name": (T,)}, and which name each one has."""
    if not isinstance(values, Mapping) or len(set(columns)) < len(columns):
        raise UsageError(
            f"{columns=} names the columns of each series: give every name once, and values as "
            "{id: array of shape (T, K)}."
        )
    named = {}
    for key, rows in values.items():
        array = _numbers(rows, f"series {str(key)!r}")
        if array.ndim != 2 or array.shape[1] != len(columns):
            raise DataError(
                f"series {str(key)!r} has shape {array.shape}. An array of shape (T, "
                f"{len(columns)}) is expected: {len(columns)} columns ({', '.join(columns)})."
            )
        named |= {f"{key}/{name}": array[:, k] for k, name in enumerate(columns)}
    if len(named) < len(values) * len(columns):
        raise DataError("two series have one name when ids and columns are joined with a slash.")
    return named, Keys(targets=objects(columns * len(values)))


def _for_each_column(start: ArrayLike | str, columns: int) -> ndarray:
    """First times of each id, once for each of its columns."""
    starts = np.asarray(start)
    return np.repeat(starts, columns) if starts.ndim else starts


def _numbers(array: ArrayLike, what: str) -> ndarray:
    try:
        if np.asarray(array).dtype.kind == "c":
            raise TypeError("they are complex")
        numbers = np.array(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{what} cannot be read as numbers ({error}). NaN stands for a missing value."
        ) from None
    return numbers


def _starts(start: ArrayLike | str | None, count: int, frequency: Frequency) -> ndarray:
    dtype = "int64" if frequency.unit == "integer" else "datetime64[us]"
    if start is None and frequency.unit != "integer":
        raise UsageError(
            f"start= is needed with the frequency {frequency.code!r}, for example "
            "start='2024-01-01'."
        )
    try:
        starts = np.asarray(1 if start is None else start).astype(dtype)
        return np.broadcast_to(starts, (count,)).copy()
    except (TypeError, ValueError):
        expected = "a whole number" if dtype == "int64" else "a date such as '2024-01-01'"
        raise UsageError(
            f"{start=} cannot be used. Expected: {expected}, or one for each of {count} series."
        ) from None
