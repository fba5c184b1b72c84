"""From arrays on a regular grid to the fields of a panel.

S series · T time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.data.covariates.featurearrays import Given, covariates_from_arrays
from lstmcast.data.features import Covariates
from lstmcast.data.findings import NO_RECENT_VALUES, Case, Finding, Findings, per_series
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import UNASKED, require_kind
from lstmcast.data.limits import require_span
from lstmcast.data.observed import Clock, ObservedCalendar
from lstmcast.data.observing import Grids, found_in
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import (
    CalendarChoice,
    DataReport,
    Kind,
    checked_periods,
    require_choice,
)
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects
from lstmcast.util.text import brief, storable


def _times_of(
    frequency: str | Frequency, start: ArrayLike | str | None, lengths_S: np.ndarray
) -> tuple[Frequency, np.ndarray]:
    """The frequency of series of these lengths, and their first times (S,)."""
    step = frequency if isinstance(frequency, Frequency) else parse_frequency(frequency)
    starts = _starts(start, len(lengths_S), step)
    step = step.anchored(starts)
    with np.errstate(over="ignore"):
        require_span(starts, step.advance(starts, lengths_S - 1), "arrays")
    return step, starts


def fields_of_arrays(
    values: Mapping[str, ArrayLike] | ArrayLike,
    columns: Sequence[str] | None,
    grid: tuple[str | Frequency, ArrayLike | str | None, int | Sequence[int] | None],
    kind: Kind | None,
    covariate_arrays: Mapping[str, Given | None],
    calendar: CalendarChoice | None,
) -> dict[str, Any]:
    """The fields of a panel from the arguments of `Panel.from_arrays`. `grid`: frequency, start and
    periods; `covariate_arrays`: covariates by role."""
    frequency, start, periods = grid
    if kind is not None:
        require_choice("kind", kind, get_args(Kind))
    keys = Keys()
    if columns is not None:
        start = start if start is None else _for_each_column(start, len(columns))
        values, keys = _split_columns(values, list(map(str, columns)))
    by_id = _named_arrays(values)
    arrays = list(by_id.values())
    ids = np.array(list(by_id), dtype=object)
    rows = keys.row_names(ids)
    given_S = np.array(list(map(len, arrays)), dtype=np.int64)
    covariates = covariates_from_arrays(**covariate_arrays, rows=rows, lengths=given_S)
    lengths_S = _known_lengths(arrays, rows)
    covariates = _shortened(covariates, given_S, lengths_S)
    joined_N = _joined(arrays, lengths_S)
    step, starts = _times_of(frequency, start, lengths_S)
    require_kind(joined_N, kind or "real")
    offsets = offsets_of(lengths_S)
    grids = Grids(np.isfinite(joined_N), offsets, starts, step)
    findings = Findings(_left_out(ids, given_S - lengths_S))
    recognised = np.full(len(ids), UNASKED, "<U8") if kind is None else None
    seasonal = step.seasonal_periods if periods is None else checked_periods(periods)
    return {
        "values": joined_N,
        "offsets": offsets,
        "ids": ids,
        "starts": starts,
        "frequency": step,
        "periods": seasonal,
        "kind": kind or "real",
        "report": DataReport(findings=findings),
        "keys": keys,
        "recognised": recognised,
        "covariates": covariates,
        "calendar": _asked_of_arrays(grids, calendar),
    }


def _joined(arrays: Sequence[ndarray], lengths: ndarray) -> ndarray:
    """The first values of each series, concatenated (N,)."""
    heads = [np.zeros(0)]
    for array, length in zip(arrays, lengths.tolist(), strict=True):
        heads.append(array[:length])
    return np.concatenate(heads)


def _known_lengths(arrays: Sequence[ndarray], rows: ndarray) -> ndarray:
    """The length of each series up to its last known value (S,).

    For several targets it is the last value of any; a series without values keeps its length.
    """
    row_list = rows.tolist()
    known_length = dict.fromkeys(row_list, 0)
    for row, array in zip(row_list, arrays, strict=True):
        positions = np.flatnonzero(np.isfinite(array))
        length = int(positions.max(initial=-1)) + 1
        known_length[row] = max(known_length[row], length)
    lengths = []
    for row, array in zip(row_list, arrays, strict=True):
        length = known_length[row] or len(array)
        lengths.append(min(length, len(array)))
    return np.array(lengths, np.int64)


def _shortened(
    covariates: Covariates, given_S: ndarray, lengths_S: ndarray
) -> Covariates:
    """The covariates of shortened targets: future values at the removed steps become coming
    values."""
    if np.array_equal(given_S, lengths_S):
        return covariates
    all_series = np.arange(len(given_S))
    return covariates.part(offsets_of(given_S), all_series, 0, lengths_S)


def _left_out(ids: ndarray, missing_S: ndarray) -> list[Finding]:
    """The finding about missing values at the ends of series."""
    action = "{They} {are} left out: the forecast starts after the last value."
    rule = Finding(NO_RECENT_VALUES, "warning", "", action)

    def say(series: ndarray) -> Case:
        count = int(missing_S[series[0]])
        missing = "value is missing" if count == 1 else f"{count:,} values are missing"
        return Case(f"the last {missing}", count=count)

    series = np.arange(len(ids))
    return per_series(ids, series, np.flatnonzero(missing_S), rule, say)


def _asked_of_arrays(
    grids: Grids, calendar: CalendarChoice | None
) -> ObservedCalendar | None:
    if calendar is not None:
        require_choice("calendar", calendar, get_args(CalendarChoice))
    if calendar != "observed":
        return None
    return found_in(grids, Clock(), is_expected=True)


def _named_arrays(values: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, ndarray]:
    """{id: 1-D float64 array} from arrays of any allowed shape."""
    arrays = (
        _mapped_arrays(values)
        if isinstance(values, Mapping)
        else _numbered_arrays(values)
    )
    for name, array in arrays.items():
        if array.ndim != 1 or len(array) == 0:
            raise DataError(
                f"series {name!r} has shape {array.shape}. One row of at least one number is "
                "expected."
            )
        array[np.isinf(array)] = np.nan
    if not arrays:
        raise DataError(
            "there are no series. Give {id: values}, one array, or an array with one series per "
            "row."
        )
    return arrays


def _mapped_arrays(values: Mapping[str, ArrayLike]) -> dict[str, ndarray]:
    arrays = {}
    for name, array in values.items():
        arrays[storable(str(name))] = _numbers(array, f"series {str(name)!r}")
    if len(arrays) < len(values):
        raise DataError(
            "two series have the same name as text, such as 1 and '1'. Give each a unique name."
        )
    return arrays


def _numbered_arrays(values: ArrayLike) -> dict[str, ndarray]:
    array = _numbers(values, "values")
    if array.ndim == 1:
        return {"y": array}
    return {f"series_{number}": row for number, row in enumerate(array, start=1)}


def _split_columns(
    values: Mapping[str, ArrayLike] | ArrayLike, columns: list[str]
) -> tuple[dict[str, ndarray], Keys]:
    """{id: (T, K)} as {"id/name": (T,)}, and the column name of each."""
    if not isinstance(values, Mapping) or len(set(columns)) < len(columns):
        raise UsageError(
            f"columns={brief(columns)} names the columns of each series: names must be unique, "
            "and values must "
            "be given as {id: array of shape (T, K)}."
        )
    arrays = {}
    for key, rows in values.items():
        array_TK = _numbers(rows, f"series {str(key)!r}")
        width = array_TK.shape[-1] if array_TK.ndim == 2 else 0
        if width != len(columns):
            raise DataError(
                f"series {str(key)!r} has shape {array_TK.shape}. An array of shape (T, "
                f"{len(columns)}) is expected: {len(columns)} columns ({', '.join(columns)})."
            )
        for name, array_T in zip(columns, array_TK.T, strict=True):
            arrays[f"{key}/{name}"] = array_T
    if len(arrays) < len(values) * len(columns):
        raise DataError(
            "two series have the same name when ids and columns are joined with a slash."
        )
    targets = objects(columns * len(values))
    return arrays, Keys(targets=targets)


def _for_each_column(start: ArrayLike | str, columns: int) -> ndarray:
    """First times of each id, repeated for each of its columns."""
    starts = np.asarray(start)
    return np.repeat(starts, columns) if starts.ndim else starts


def _numbers(array: ArrayLike, label: str) -> ndarray:
    try:
        if np.asarray(array).dtype.kind == "c":
            raise TypeError("they are complex")
        numbers = np.array(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{label} cannot be read as numbers ({error}). Use NaN for a missing value."
        ) from None
    return numbers


def _starts(start: ArrayLike | str | None, count: int, frequency: Frequency) -> ndarray:
    is_numbered = frequency.unit == "integer"
    if start is None and not is_numbered:
        raise UsageError(
            f"start= is required with the frequency {frequency.code!r}, for example "
            "start='2024-01-01'."
        )
    first = 1 if start is None else start
    dtype = "int64" if is_numbered else "datetime64[us]"
    try:
        starts = np.asarray(first).astype(dtype)
        return np.broadcast_to(starts, (count,)).copy()
    except (TypeError, ValueError):
        expected, advice = "a date such as '2024-01-01'", ""
        if is_numbered:
            expected = "a whole number"
            advice = " With dates, give the frequency too: frequency='D'."
        raise UsageError(
            f"start={brief(start)} cannot be used. Expected: {expected}, or one for each of "
            f"{count} series."
            f"{advice}"
        ) from None
