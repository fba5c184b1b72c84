"""The kinds of values, declared by the user (`kind`) or recognised series by series.

They decide whether forecasts stop at 0; `stopped` applies that once, as the last step.

    S series · O forecasts or rows · N observations of all series
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import Finding
from lstmcast.data.table import Kind
from lstmcast.errors import DataError
from lstmcast.util.text import some_names

SMALL = 20  # whole numbers with a smaller median look like counts, even without zeros
UNASKED = ""  # of arrays, for which nothing is recognised
OPEN = "open"  # all above 0, and not counts: where such values stop is unknown
# Saved models hold indices into this list: append new kinds at its end.
CODES = np.array([UNASKED, "count", "positive", "real", OPEN])

# Rules of findings that are renewed when newer data are joined.
COUNTS, NEVER_BELOW = "counts", "never below 0"


def recognise(values: ndarray, offsets: ndarray) -> ndarray:
    """Recognise the kind of each series from its known values (S,).

    "count": whole numbers, none below 0, that contain zeros or have a median below 20; "positive":
    others that reach 0 but never go below it; "real": some are below 0; "open": all above 0.

    >>> values = np.array([0.0, 3.0, 0.0, 0.5, -1.0, 0.0, 112.0, 118.0])
    >>> recognise(values, np.array([0, 2, 4, 6, 8])).tolist()
    ['count', 'positive', 'real', 'open']
    """
    begins = offsets[:-1]
    if not len(begins):
        return np.empty(0, "<U8")
    lowest = np.fmin.reduceat(values, begins)
    touches_zero = lowest == 0
    is_whole_N = values == np.rint(values)
    is_whole = np.logical_and.reduceat(is_whole_N | np.isnan(values), begins)
    is_small = _median_below(values, offsets, SMALL) & (lowest > 0)
    is_count = is_whole & (touches_zero | is_small)
    conditions = [lowest < 0, is_count, touches_zero]
    kinds = np.select(conditions, ["real", "count", "positive"], OPEN)
    return kinds.astype("<U8")


def _median_below(values: ndarray, offsets: ndarray, limit: float) -> ndarray:
    """Whether the median of the known values of each series is below a limit, (S,)."""
    begins = offsets[:-1]
    is_known = ~np.isnan(values)
    below_counts = np.add.reduceat(values < limit, begins, dtype=np.int64)
    known_counts = np.add.reduceat(is_known, begins, dtype=np.int64)
    is_below = 2 * below_counts > known_counts
    # exactly half: the median is the mean of the two values around the limit
    is_half = (2 * below_counts == known_counts) & (known_counts > 0)
    for series in np.flatnonzero(is_half):
        own_values = values[offsets[series] : offsets[series + 1]]
        is_below[series] = np.nanmedian(own_values) < limit
    return is_below


def continued(earlier: ndarray, current: ndarray) -> ndarray:
    """The kinds (S,) of series recognised earlier and, in `current`, again with newer values.

    Only a negative value revokes a recognised kind. It is remembered even after the value is
    dropped: a temperature that was once below 0 can be so again.

    >>> earlier = np.array(["count", "count", "open", "real"])
    >>> continued(earlier, np.array(["open", "real", "count", "count"])).tolist()
    ['count', 'real', 'count', 'real']
    """
    is_real = (earlier == "real") | (current == "real")
    no_count = (earlier == "count") & (current == "positive")
    return np.select(
        [is_real, earlier == OPEN, earlier == UNASKED, no_count],
        ["real", current, UNASKED, "positive"],
        earlier,
    ).astype("<U8")


def common_kind(recognised: ndarray) -> Kind:
    """The kind that holds for all series of a panel."""
    if not len(recognised):
        return "real"
    if (recognised == "count").all():
        return "count"
    never_below = np.isin(recognised, ("count", "positive"))
    return "positive" if never_below.all() else "real"


def kind_counts(kinds: ndarray) -> dict[str, int]:
    """The number of series of each kind.

    >>> kind_counts(np.array(["real", "count", "real"]))
    {'count': 1, 'real': 2}
    """
    names, counts = np.unique(kinds, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def coded(recognised: ndarray) -> ndarray:
    """Recognised kinds as numbers, for the store."""
    is_kind = recognised[:, None] == CODES
    return is_kind.argmax(axis=1).astype(np.uint8)


def decoded(codes: ndarray) -> ndarray:
    """The inverse of `coded`; ValueError for an unknown number."""
    if codes.max(initial=0) >= len(CODES):
        raise ValueError("a kind of values is not known")
    return CODES[codes]


def stopped(values_O: ndarray, stops_O: ndarray) -> ndarray:
    """Clip forecasts (O, …) at 0 in the rows that stop there; NaN stays NaN.

    >>> stopped(np.array([[-1.0, np.nan], [-1.0, 2.0]]), np.array([True, False]))
    array([[ 0., nan],
           [-1.,  2.]])
    """
    if not stops_O.any():
        return values_O
    other_axes = [1] * (values_O.ndim - 1)
    rows = stops_O.reshape(-1, *other_axes)
    # not np.maximum, which may keep the sign of -0.0
    return np.where(rows & (values_O <= 0), 0.0, values_O)


def require_kind(values: ndarray, kind: Kind) -> None:
    """Raise DataError for values that do not fit a declared kind."""
    if kind == "real":
        return
    negative = values[values < 0]
    if len(negative):
        raise DataError(f"{negative[0]:g} is negative, but {kind=}. Use kind='real'.")
    known_values = values[np.isfinite(values)]
    fractional = known_values[known_values != np.rint(known_values)]
    if kind == "count" and len(fractional):
        raise DataError(
            f"{fractional[0]:g} is not a whole number, but {kind=}. Use kind='positive'."
        )


def kind_findings(ids: ndarray, recognised: ndarray) -> list[Finding]:
    """Findings about the recognised kinds of all series, and how to undo them.

    >>> print(kind_findings(np.array(["a", "b"]), np.array(["open", "positive"]))[0].message)
    1 of 2 series ('b') reaches 0 but never goes below it
    """
    undo = f"If values can be negative, use {advise('kind', 'real')}."
    counts = np.flatnonzero(recognised == "count")
    touching = np.flatnonzero(recognised == "positive")
    findings = []
    if len(counts):
        verb, pronoun = ("are", "them") if len(counts) > 1 else ("is", "it")
        message = (
            f"{_series(ids, counts)} {verb} recognised as counts: whole numbers, none below 0, "
            "that contain zeros or have a median below 20"
        )
        action = f"No forecast of {pronoun} is below 0. {undo}"
        findings.append(Finding(COUNTS, "note", message, action, count=len(counts)))
    if len(touching):
        verbs, pronoun = "reaches 0 but never goes below it", "it"
        if len(touching) > 1:
            verbs, pronoun = "reach 0 but never go below it", "them"
        message = f"{_series(ids, touching)} {verbs}"
        action = f"No forecast of {pronoun} does. {undo}"
        findings.append(
            Finding(NEVER_BELOW, "note", message, action, count=len(touching))
        )
    return findings


def _series(ids: ndarray, numbers: ndarray) -> str:
    """Which series, and out of how many."""
    if len(ids) == 1:
        return "the series"
    if len(numbers) == len(ids):
        return f"the {len(ids):,} series"
    return f"{len(numbers):,} of {len(ids):,} series ({some_names(ids[numbers])})"
