"""Check that a panel from a saved model is valid: checksums only show that it was not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy import ndarray

from lstmcast.data.limits import require_span
from lstmcast.data.table import Kind, checked_periods

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel


def require_sound(panel: Panel) -> None:
    """Raise ValueError for inconsistent arrays, and DataError or UsageError for invalid values."""
    count = len(panel.ids)
    has_unique_ids = count > 0 and len(set(panel.ids)) == count
    _require(has_unique_ids, "its series do not have unique names")
    _require_shape("offsets", panel.offsets, (count + 1,), "iu")
    _require_shape("starts", panel.starts, (count,), "iM")
    is_series = panel.values.ndim == 1 and panel.values.dtype.kind == "f"
    _require(is_series, "its values are not numbers")
    _require(
        _are_offsets(panel.offsets, len(panel.values)), "its series have no lengths"
    )
    _require_times(panel)
    _require_periods(panel.periods)
    _require(
        panel.kind in get_args(Kind), f"values of kind {panel.kind!r} are not known"
    )
    if panel.recognised is not None:
        _require_shape("recognised", panel.recognised, (count,), "U")
    for key in panel.keys.values():
        _require(len(key) == count, "its keys have a different length")
    for column in (panel.values, *panel.covariates.past.values()):
        _require_shape("values", column, panel.values.shape, "f")
        _require(not np.isinf(column).any(), "it has infinite values")
    panel.covariates.require_sound(count)
    for name in vars(panel.columns).values():
        _require(isinstance(name, str), "names are not text")


def _are_offsets(offsets: ndarray, count: int) -> bool:
    """Whether offsets divide the values into non-empty series."""
    spans_all = offsets[0] == 0 and offsets[-1] == count
    lengths = np.diff(offsets)
    return bool(spans_all and (lengths > 0).all())


def _require_times(panel: Panel) -> None:
    are_dates = panel.starts.dtype.kind == "M"
    counts_integers = panel.frequency.unit == "integer"
    _require(are_dates != counts_integers, "its times and frequency differ")
    require_span(panel.starts, panel.ends, "the data of the model")


def _require_periods(periods: tuple[int, ...]) -> None:
    are_whole = all(type(period) is int for period in periods)
    _require(len(periods) > 0 and are_whole, "its periods are not whole numbers")
    checked_periods(periods)


def _require_shape(
    name: str, array: ndarray, shape: tuple[int, ...], kinds: str
) -> None:
    is_sound = array.shape == shape and array.dtype.kind in kinds
    message = (
        f"{name} of shape {array.shape} and type {array.dtype}, but {shape} is expected"
    )
    _require(is_sound, message)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
