"""Training data of a network: raw observations, or series after their transforms.

Where known columns multiply the mean that a head answers, values are read without their uplift, and
a target is the value with it.

S series · N observations of all series · C inputs · K columns that are predicted
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError

DIGITS = 6  # after the point, of a count that was divided and multiplied


@dataclass(frozen=True, eq=False)
class AdaptiveData:
    """Training data for adaptive inputs: raw observations, and the end of each training part.

    `ends` (S,): observations in the training part; the rest validates. `horizon`: steps ahead that
    count, None for all. `uplift` (N,): by how many times known columns multiply the mean at each
    step; None for none.
    """

    panel: Panel
    ends: NDArray
    horizon: int | None = None
    uplift: NDArray | None = None

    def __post_init__(self) -> None:
        _check_ends(self.ends, np.asarray(self.panel.lengths))

    @property
    def offsets(self) -> NDArray:
        """Where each series begins and the last one ends (S + 1,)."""
        return self.panel.offsets

    @property
    def ids(self) -> NDArray:
        """Name of each series (S,)."""
        return self.panel.ids

    def everything(self) -> AdaptiveData:
        """The same data with nothing held back."""
        return replace(self, ends=np.asarray(self.panel.lengths))

    def known(self) -> NDArray:
        """Whether reading can start at each step (N,)."""
        return ~np.isnan(self.panel.values)

    def fingerprint(self) -> str:
        """A digest by which a checkpoint recognises the data."""
        return _digest(
            self.panel.values,
            self.offsets,
            self.ends,
            self.ids,
            repr(self.panel.periods),
            self.horizon,
            *_some(self.uplift),
        )


@dataclass(frozen=True, eq=False)
class TransformedData:
    """Training data for transformed inputs: series after their transforms.

    `inputs` (N, C) and `labels` (N, K) hold the value at each step, scaled as an input and as a
    label; NaN = unknown. `offsets` (S + 1,), `ends`, `horizon` and `uplift` as in `AdaptiveData`. A
    label becomes an input as `scale · label + shift`, each (S, K); None where they are scaled
    alike.

    >>> y = np.arange(10.0)[:, None]
    >>> offsets, ids = np.array([0, 10]), np.array(["a"], object)
    >>> TransformedData(y, y, offsets, ends=np.array([8]), ids=ids).everything().ends
    array([10])
    """

    inputs: NDArray
    labels: NDArray
    offsets: NDArray
    ends: NDArray
    ids: NDArray
    scale: NDArray | None = None
    shift: NDArray | None = None
    horizon: int | None = None
    uplift: NDArray | None = None

    def __post_init__(self) -> None:
        are_tables = self.inputs.ndim == 2 and self.labels.ndim == 2
        if not are_tables or len(self.inputs) != len(self.labels):
            raise UsageError(
                f"inputs have shape {self.inputs.shape} and labels {self.labels.shape}; (N, C) and "
                "(N, K) are expected."
            )
        _check_ends(self.ends, np.diff(self.offsets))

    def everything(self) -> TransformedData:
        """The same data with nothing held back."""
        return replace(self, ends=np.diff(self.offsets))

    def known(self) -> NDArray:
        """Whether reading can start at each step (N,)."""
        return np.asarray(~np.isnan(self.inputs).any(axis=1))

    def fingerprint(self) -> str:
        """A digest by which a checkpoint recognises the data."""
        return _digest(
            self.inputs,
            self.labels,
            self.offsets,
            self.ends,
            self.ids,
            self.scale,
            self.shift,
            self.horizon,
            *_some(self.uplift),
        )


FitData = AdaptiveData | TransformedData


def require_values(data: FitData, values: str, head: str) -> None:
    """Raise DataError for values that the head cannot learn from: fractions or negative numbers.

    >>> data = AdaptiveData(Panel.from_arrays([2.0, 0.5]), np.array([2]))
    >>> require_values(data, "positive", "tweedie")
    >>> require_values(data, "count", "negative_binomial")
    Traceback (most recent call last):
    ...
    lstmcast.errors.DataError: series 'y', step 2: 0.5 is not a whole number, ...
    """
    if values == "real":
        return
    labels_NK = _labels(data)
    stage = "" if isinstance(data, AdaptiveData) else ", after its transforms"
    expected = "counts" if values == "count" else "values from 0"
    reason = f"{stage}, and head={head!r} learns from {expected} only."
    is_known = np.isfinite(labels_NK)
    is_negative = is_known & (labels_NK < 0)
    if is_negative.any():
        raise DataError(
            f"{_first_label(data, labels_NK, is_negative)} is negative{reason} Use "
            "head='quantiles', or mark such values as missing."
        )
    is_fraction = is_known & (labels_NK != np.rint(labels_NK))
    if values == "count" and is_fraction.any():
        raise DataError(
            f"{_first_label(data, labels_NK, is_fraction)} is not a whole number{reason} Use "
            "head='tweedie', which learns from amounts, or head='quantiles'."
        )


def _labels(data: FitData) -> NDArray:
    """What a head learns to answer at each step (N, K), with the uplift."""
    if isinstance(data, AdaptiveData):
        labels_NK = data.panel.values[:, None]
    else:
        labels_NK = data.labels
    if data.uplift is None:
        return labels_NK
    # A count that was divided and multiplied is whole but for its last digits.
    return np.round(labels_NK * data.uplift[:, None], DIGITS)


def _first_label(data: FitData, labels_NK: NDArray, is_wrong: NDArray) -> str:
    """The first of some labels: its place and its value."""
    row, column = np.argwhere(is_wrong)[0]
    series = int(np.searchsorted(data.offsets, row, side="right")) - 1
    step = row - data.offsets[series] + 1
    return (
        f"series {str(data.ids[series])!r}, step {step:,}: {labels_NK[row, column]:g}"
    )


def _check_ends(ends: NDArray, lengths: NDArray) -> None:
    is_one_each = np.shape(ends) == lengths.shape
    if not is_one_each or np.any(ends < 0) or np.any(ends > lengths):
        raise UsageError(
            f"ends holds one count per series ({len(lengths)}), each from 0 to the series' length."
        )


def _some(array: NDArray | None) -> tuple[NDArray, ...]:
    """The array, where there is one: nothing else changes a fingerprint."""
    if array is None:
        return ()
    return (array,)


def _digest(*fields: object) -> str:
    digest = hashlib.sha256()
    for field in fields:
        digest.update(_bytes_of(field))
    return digest.hexdigest()


def _bytes_of(field: object) -> bytes:
    if not isinstance(field, np.ndarray):
        return repr(field).encode()
    if field.dtype == object:
        return repr(field.tolist()).encode()
    return np.ascontiguousarray(field).tobytes()
