"""The checked content of a tick: values of rows and past covariates.

R rows of a tick · K columns of a row · P past covariates
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import listed
from lstmcast.errors import DataError, UsageError
from lstmcast.model.inputs import Inputs
from lstmcast.model.inputs.base import require_finite
from lstmcast.streaming.opening import require_allowed
from lstmcast.streaming.rows import Rows


def checked_tick(
    rows: Rows, inputs: Inputs, values: Any, ids: Iterable[Any] | None, past: Any
) -> tuple[NDArray, NDArray, NDArray | None]:
    """The indices of the rows of a tick (R,), their values (R, K) and past covariates (R, P).

    Raises:
        UsageError: A row is unknown, or as in `checked_values` and `checked_past`.
        DataError: A value is not a number, or negative although that is excluded.
    """
    values, ids = by_label(values, ids)
    row_R = rows.at(ids)
    values_RK = checked_values(values, inputs, rows.ids[row_R])
    require_allowed(values_RK, rows["stops"][row_R], rows.ids[row_R])
    return row_R, values_RK, checked_past(past, inputs.past, rows.ids[row_R])


def by_label(
    values: Any, ids: Iterable[Any] | None
) -> tuple[Any, Iterable[Any] | None]:
    """Values and the ids that they are labelled with, if any; a default index (numbers from 0) is
    ignored."""
    if isinstance(values, Mapping):
        values, names = list(values.values()), list(values)
    elif hasattr(values, "to_numpy") and hasattr(
        values, "index"
    ):  # pandas: other containers have no index
        values, names = values.to_numpy(), values.index.tolist()
        if names == list(range(len(names))):
            return values, ids
    else:
        return values, ids
    if ids is not None:
        raise UsageError(
            "The values name their rows, and so does ids=. Leave out ids=."
        )
    return values, names


def checked_values(values: Any, inputs: Inputs, ids: NDArray) -> NDArray:
    """The values (R, K) of the rows with these ids (R,).

    Raises:
        UsageError: The number of values is wrong.
        DataError: A value is not a number, or the inputs cannot read it.
    """
    K = inputs.columns
    shape = (len(ids),) if K == 1 else (len(ids), K)
    numbers = _numbers(
        values, f"The values are not numbers: {{error}}. An array {shape} is expected."
    )
    if numbers.shape != shape:
        raise UsageError(
            f"The values have the shape {numbers.shape}; one per row is expected, {shape}."
        )
    values_RK = numbers.reshape(len(ids), K)
    require_finite(values_RK, ids)
    inputs.check(values_RK, ids)
    return values_RK


def checked_past(past: Any, names: Sequence[str], ids: NDArray) -> NDArray | None:
    """The past covariates (R, P); None if the network reads none.

    Args:
        past: by name, as a mapping or a frame, of values in the order of the rows or by id; or an
            array (R, P), (R,) for one column.
        names: names of the columns, in the order in which the network reads them.
        ids: names of the rows (R,).

    Raises:
        UsageError: A column or row is missing, or the network does not read a column.
        DataError: A value is not a number.
    """
    if past is None and not names:
        return None
    if not names:
        raise UsageError("past= is given, but this network reads no past covariates.")
    if past is None:
        raise UsageError(
            f"The network reads {listed(names)} with the values of each row: observe(values, "
            f"past={{{names[0]!r}: …}}). Use nan for unknown values."
        )
    if isinstance(past, Mapping) or hasattr(past, "columns"):
        past_RP = np.stack(
            [_of_rows(column, name, ids) for name, column in _named(past, names)],
            axis=1,
        )
    else:
        past_RP = _numbers(past, "past= are not numbers: {error}.")
        past_RP = past_RP[:, None] if past_RP.ndim == 1 and len(names) == 1 else past_RP
    if past_RP.shape != (len(ids), len(names)):
        raise UsageError(
            f"past= has the shape {past_RP.shape}; one value for each row and column is expected, "
            f"{(len(ids), len(names))}: {listed(names)}."
        )
    require_finite(past_RP, ids)
    return past_RP


def _named(past: Any, names: Sequence[str]) -> list[tuple[str, Any]]:
    """The columns in the order of their names."""
    columns = list(past) if isinstance(past, Mapping) else list(past.columns)
    missing = [name for name in names if name not in columns]
    unread = [name for name in columns if name not in names]
    if missing or unread:
        problem = (
            f"{missing[0]!r} is missing" if missing else f"{unread[0]!r} is not read"
        )
        raise UsageError(
            f"past=: {problem}. Exactly the columns {listed(names)} are expected."
        )
    return [(name, past[name]) for name in names]


def _of_rows(column: Any, name: str, ids: NDArray) -> NDArray:
    """One column (R,): by id if it is labelled, else in the order of the rows."""
    values, row_ids = by_label(column, None)
    numbers = _numbers(values, f"past column {name!r} holds no numbers: {{error}}.")
    if row_ids is not None:
        places = {label: place for place, label in enumerate(row_ids)}
        absent = [label for label in ids.tolist() if label not in places]
        if absent:
            raise UsageError(
                f"past column {name!r} has no value for row {absent[0]!r}."
            )
        numbers = numbers[[places[label] for label in ids.tolist()]]
    if numbers.shape != (len(ids),):
        raise UsageError(
            f"past column {name!r} has the shape {numbers.shape}; one value for each row is "
            f"expected, {(len(ids),)}."
        )
    return numbers


def _numbers(values: Any, message: str) -> NDArray:
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise DataError(message.format(error=error)) from error
