"""Codes for missing values that look like measurements: −200, −9999, 999.9."""

# N rows

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import Finding
from lstmcast.data.table import Table, format_time
from lstmcast.util.patterns import pattern_of

_FEWEST = 3  # smallest number of equal values that may be a code
_MOST_SHARE = 0.6
# distance of a code from all other values, in units of their range: for −200, and for others
_FAR, _VERY_FAR = 2.0, 10.0
# distance of a usual code, in units of itself: 99 beside 100 and 101 is a value
_APART = 0.1
# values that programs write for "none": all nines, and limits of integer types
_USUAL = pattern_of(
    r"-?(?:9{2,}(?:\.9+)?|8{3,}|7{3,}|6{4,}|99?\.9+|32768|32767|65535|2147483647)"
)
_NINES = pattern_of(r"(?=(?:9\.?){4})9{2,}(?:\.9+)?")
_MOST_CODES = 4


def codes_for_missing(table: Table) -> list[Finding]:
    """A finding about repeated values far from all others, which may be codes for missing.

    >>> values = np.tile([5.0, 6.0, 7.0, -200.0], 6)
    >>> rows = np.arange(24)
    >>> table = Table(np.zeros(24, np.int64), np.array(["y"]), rows, values, rows + 1)
    >>> print(codes_for_missing(table)[0].message)
    6 values are exactly -200, far from all others, the first at 3 (row 4): a code for missing?
    """
    values = table.values[np.isfinite(table.values)]
    if len(values) < 4 * _FEWEST:
        return []
    codes = _codes(values)
    if not codes:
        return []
    code_list = ",".join(f"{code:.15g}" for code in codes)
    return [_finding(table, code, code_list) for code in codes]


def _codes(values: ndarray) -> list[float]:
    codes: list[float] = []
    low = values.min()
    high = values.max()
    for _ in range(_MOST_CODES):
        code = next(
            (edge for edge in (low, high) if _is_code(values, float(edge))), None
        )
        if code is None:
            break
        codes.append(float(code))
        values = values[values != code]
        low = values.min()
        high = values.max()
    return sorted(codes)


def _is_code(values: ndarray, edge: float) -> bool:
    """Whether the smallest or largest value is repeated and far from all others."""
    equals_edge = values == edge
    count = int(np.count_nonzero(equals_edge))
    if count == len(values) or count > _MOST_SHARE * len(values) or edge == 0:
        return False
    is_usual_code = _is_usual(edge)
    if count < (1 if is_usual_code else _FEWEST):
        return False
    other_values = _without_usual(values[~equals_edge])
    low = float(other_values.min())
    high = float(other_values.max())
    gap = low - edge if edge < low else edge - high
    if count == 1:  # -999 once, and no other value below 0, or 999.9
        far = _FAR if low >= 0 else _VERY_FAR
        is_likely = edge <= -99 or _NINES.fullmatch(f"{edge:.15g}") is not None
        return is_likely and gap > far * (high - low)
    if edge == -1 and low >= 0 and not (other_values == np.rint(other_values)).all():
        return gap > 0.05 * (high - low)
    spread = high - low
    if is_usual_code:
        return gap > max(0.5 * spread, _APART * abs(edge))
    is_round = abs(edge) >= 100 and edge % 100 == 0
    return spread > 0 and gap > (_FAR if is_round else _VERY_FAR) * spread


def _is_usual(value: float) -> bool:
    return _USUAL.fullmatch(f"{value:.15g}") is not None


def _without_usual(values: ndarray) -> ndarray:
    """Values without the outermost ones that are usual codes: -888 beside -999."""
    for _ in range(_MOST_CODES):
        usual = [
            edge for edge in (values.min(), values.max()) if _is_usual(float(edge))
        ]
        remaining = values[~np.isin(values, usual)]
        if not usual or not len(remaining):
            break
        values = remaining
    return values


def _finding(table: Table, code: float, code_list: str) -> Finding:
    rows = np.flatnonzero(table.values == code)
    first = int(rows[0])
    place = f"{format_time(table.times[first])} ({table.place(first)})"
    message = (
        f"{len(rows):,} values are exactly {code:.15g}, far from all others, the first at "
        f"{place}: a code for missing?"
    )
    what_is_done = "They are kept as they are."
    if len(rows) == 1:
        message = f"the value {code:.15g} at {place} is far from all others: a code for missing?"
        what_is_done = "It is kept as it is."
    action = f"If so, use {advise('missing_codes', code_list)}. {what_is_done}"
    return Finding(
        "codes for missing",
        "warning",
        message,
        action,
        line=int(table.lines[first]),
        value=f"{code:.15g}",
        count=len(rows),
    )
