"""Words and signs of cells that have no value."""

from __future__ import annotations

from lstmcast.util.patterns import pattern_of

_MISSING_WORDS = r"""
na n/a n.a. n.a #n/a #na nan nat null none nil missing <na> n.v. (null) \n 欠測 - -- --- – —
n/e n/d n.d. k.a. s/d s.d. н/д
. .. ... … : ? * #value! #div/0! #ref! #num! #name? #null!
"""
MISSING = frozenset(["", "k. a.", "n. d.", "n. a.", *_MISSING_WORDS.split()])

# what devices and home automation write in place of a measurement, and what may be a name elsewhere
_UNKNOWN = frozenset(
    [
        "unavailable",
        "unknown",
        "not available",
        "not applicable",
        "no data",
        "nodata",
        "no value",
        "no reading",
        "undefined",
        "indisponible",
        "no disponible",
        "n. v.",
        "nicht verfügbar",
        "keine daten",
        "欠損",
        "データなし",
        "缺失",
    ]
)
_ONLY_SIGNS = pattern_of(r"[*?.…~#_–—-]+")  # ***, ****, ...., ##### of a narrow column
# errors of spreadsheets in any language: #WERT!, #¡VALOR!, Err:502
_ERROR = pattern_of(
    r"#¡?[^\W\d_]{2,8}(?:/\w{1,2})?[!?]|#\w{1,4}/\w{1,2}[!?]?|err:\d{3}"
)
# as Eurostat writes a missing value with its flag
_FLAGGED = pattern_of(r": ?[a-z]{1,2}")


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    tidy = text.strip().casefold()
    if tidy in MISSING or len(tidy) < 2:
        return tidy in MISSING
    if tidy.startswith(("#", "err:")) and _ERROR.fullmatch(tidy):
        return True
    return (_ONLY_SIGNS.fullmatch(tidy) or _FLAGGED.fullmatch(tidy)) is not None


def is_unknown(text: str) -> bool:
    """Whether a cell among numbers says that a value is unknown.

    >>> is_unknown("Unavailable"), is_unknown("closed")
    (True, False)
    """
    return text.strip().casefold() in _UNKNOWN
