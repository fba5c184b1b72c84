"""Whether a panel that was put together from a saved model can be one at all: checksums say that
nothing was changed since, not that it makes sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy import ndarray

from lstmcast.data.limits import require_span
from lstmcast.data.table import Kind, checked_periods

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel


def require_sound(panel: Panel) -> None:
    """ValueError for arrays that do not fit each other, DataError and UsageError for times, periods
    and values that no reader lets through."""
    series = len(panel.ids)
    _require(series > 0 and len(set(panel.ids)) == series, "its series have no names of their own")
    _require_shape("offsets", panel.offsets, (series + 1,), "iu")
    _require_shape("starts", panel.starts, (series,), "iM")
    _require(panel.values.ndim == 1 and panel.values.dtype.kind == "f", "its values are no numbers")
    fits = panel.offsets[0] == 0 and panel.offsets[-1] == len(panel.values)
    _require(bool(fits and (np.diff(panel.offsets) > 0).all()), "its series have no lengths")
    dates = panel.starts.dtype.kind == "M"
    _require(dates == (panel.frequency.unit != "integer"), "its times and frequency differ")
    require_span(panel.starts, panel.ends, "the data of the model")
    whole = len(panel.periods) > 0 and all(type(m) is int for m in panel.periods)
    _require(whole, "its periods are no whole numbers")
    checked_periods(panel.periods)
    _require(panel.kind in get_args(Kind), f"values of kind {panel.kind!r} are not known")
    if panel.recognised is not None:
        _require_shape("recognised", panel.recognised, (series,), "U")
    _require(all(len(key) == series for key in panel.keys.values()), "its keys have other lengths")
    for column in (panel.values, *panel.covariates.past.values()):
        _require_shape("values", column, panel.values.shape, "f")
        _require(not np.isinf(column).any(), "it has infinite values")
    panel.covariates.require_sound(series)
    _require(all(isinstance(name, str) for name in vars(panel.columns).values()), "names are none")


def _require_shape(name: str, array: ndarray, shape: tuple[int, ...], kinds: str) -> None:
    _require(
        array.shape == shape and array.dtype.kind in kinds,
        f"{name} of shape {array.shape} and type {array.dtype}, and {shape} is expected",
    )


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
