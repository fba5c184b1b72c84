"""What values can be: declared by the user (`kind`), or recognised series by series. From it
follows where forecasts stop, at 0 or nowhere; that is done once, by `stopped`, after all else.

    S series · O forecasts or rows · N observations of all series
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding, advise
from lstmcast.data.table import Kind
from lstmcast.errors import DataError
from lstmcast.util.text import some_names

SMALL = 20  # whole numbers with a smaller median look like counts, without any zero too
UNASKED = ""  # of arrays that were not read: nothing is recognised in them
OPEN = "open"  # all above 0, and no counts: nothing says where such values stop
# Saved models hold places in this list: what is new goes to its end.
CODES = np.array([UNASKED, "count", "positive", "real", OPEN])

# Rules of findings, which joining newer data tells anew.
COUNTS, NEVER_BELOW = "counts", "never below 0"


def recognise(values: ndarray, offsets: ndarray) -> ndarray:
    """What the known values of each series look like, (S,).

    "count": whole numbers, none below 0, that contain zeros or have a median below 20; "positive":
    others that touch 0 and never pass below; "real": some are below 0; "open": all above 0.

    >>> values = np.array([0.0, 3.0, 0.0, 0.5, -1.0, 0.0, 112.0, 118.0])
    >>> recognise(values, np.array([0, 2, 4, 6, 8])).tolist()
    ['count', 'positive', 'real', 'open']
    """
    begins = offsets[:-1]
    if not len(begins):
        return np.empty(0, "<U8")
    lowest = np.fmin.reduceat(values, begins)
    whole = np.logical_and.reduceat(np.isnan(values) | (values == np.rint(values)), begins)
    small = _median_below(values, offsets, SMALL)
    return np.select(
        [lowest < 0, whole & ((lowest == 0) | (small & (lowest > 0))), lowest == 0],
        ["real", "count", "positive"],
        OPEN,
    ).astype("<U8")


def _median_below(values: ndarray, offsets: ndarray, limit: float) -> ndarray:
    """Whether the median of the known values of each series is below a limit, (S,)."""
    begins = offsets[:-1]
    below = np.add.reduceat((values < limit).astype(np.int64), begins)
    known = np.add.reduceat((~np.isnan(values)).astype(np.int64), begins)
    result = 2 * below > known
    # exactly half: the median is the mean of the two values around the limit
    for i in np.flatnonzero((2 * below == known) & (known > 0)):
        result[i] = np.nanmedian(values[offsets[i] : offsets[i + 1]]) < limit
    return result


def continued(before: ndarray, now: ndarray) -> ndarray:
    """What series are (S,) that were recognised before, where `now` says the same of what is
    remembered of them with newer values.

    Only a value below 0 takes back what was recognised. It is kept in mind where values are
    forgotten: a temperature that was below 0 once can be so again.

    >>> before = np.array(["count", "count", "open", "real"])
    >>> continued(before, np.array(["open", "real", "count", "count"])).tolist()
    ['count', 'real', 'count', 'real']
    """
    return np.select(
        [(before == "real") | (now == "real"), before == OPEN, before == UNASKED],
        ["real", now, UNASKED],
        np.where((before == "count") & (now == "positive"), "positive", before),
    ).astype("<U8")


def common_kind(recognised: ndarray) -> Kind:
    """What holds of all series of a panel."""
    if not len(recognised):
        return "real"
    if (recognised == "count").all():
        return "count"
    return "positive" if np.isin(recognised, ("count", "positive")).all() else "real"


def kind_counts(kinds: ndarray) -> dict[str, int]:
    """How many series are of each kind, for people and JSON.

    >>> kind_counts(np.array(["real", "count", "real"]))
    {'count': 1, 'real': 2}
    """
    names, counts = np.unique(kinds, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def coded(recognised: ndarray) -> ndarray:
    """What was recognised as numbers, for the store."""
    return (recognised[:, None] == CODES).argmax(axis=1).astype(np.uint8)


def decoded(codes: ndarray) -> ndarray:
    """What `coded` gave; ValueError for a number that it does not give."""
    if codes.max(initial=0) >= len(CODES):
        raise ValueError("a kind of values is not known")
    return CODES[codes]


def stopped(values_O: ndarray, stops_O: ndarray) -> ndarray:
    """Forecasts (O, …) that are nowhere below 0 in the rows that stop there; unknown ones stay so.

    >>> stopped(np.array([[-1.0, np.nan], [-1.0, 2.0]]), np.array([True, False]))
    array([[ 0., nan],
           [-1.,  2.]])
    """
    if not stops_O.any():
        return values_O
    rows = stops_O.reshape(-1, *[1] * (values_O.ndim - 1))
    # not np.maximum, which may keep the sign of -0.0
    return np.where(rows & (values_O <= 0), 0.0, values_O)


def require_kind(values: ndarray, kind: Kind) -> None:
    """DataError for values that do not fit a declared kind."""
    if kind != "real" and np.any(values < 0):
        raise DataError(f"{values[values < 0][0]:g} is negative, but {kind=}. Use kind='real'.")
    known = values[np.isfinite(values)]
    if kind == "count" and np.any(known != np.rint(known)):
        raise DataError(
            f"{known[known != np.rint(known)][0]:g} is not whole, but {kind=}. Use kind='positive'."
        )


def kind_findings(ids: ndarray, recognised: ndarray) -> list[Finding]:
    """What was recognised, said once for all series, and how to undo it.

    >>> print(kind_findings(np.array(["a", "b"]), np.array(["open", "positive"]))[0].message)
    1 of 2 series ('b') touches 0 and never passes below
    """
    undo = f"If values can be negative, use {advise('kind', 'real')}."
    counts, touching = (np.flatnonzero(recognised == kind) for kind in ("count", "positive"))
    findings = []
    if len(counts):
        many = len(counts) > 1
        what = (
            f"{_series(ids, counts)} {'are' if many else 'is'} recognised as counts: whole "
            "numbers, none below 0, that contain zeros or have a median below 20"
        )
        action = f"No forecast of {'them' if many else 'it'} is below 0. {undo}"
        findings.append(Finding(COUNTS, "note", what, action, count=len(counts)))
    if len(touching):
        many = len(touching) > 1
        verbs = "touch 0 and never pass below" if many else "touches 0 and never passes below"
        action = f"No forecast of {'them' if many else 'it'} does. {undo}"
        what = f"{_series(ids, touching)} {verbs}"
        findings.append(Finding(NEVER_BELOW, "note", what, action, count=len(touching)))
    return findings


def _series(ids: ndarray, chosen: ndarray) -> str:
    """Which series, and of how many."""
    if len(ids) == 1:
        return "the series"
    if len(chosen) == len(ids):
        return f"the {len(ids):,} series"
    return f"{len(chosen):,} of {len(ids):,} series ({some_names(ids[chosen])})"
