"""Names and numbers, formatted for people."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy import ndarray

COUNT_DECIMALS = 2
_BRIEF = 120


def brief(value: object) -> str:
    """A value as code in a message: on one line and short, arrays and frames by their shape.

    >>> brief(np.zeros((500, 2))), brief({"a": "x" * 500})[:12]
    ('ndarray of shape (500, 2)', "{'a': 'xxxxx")
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {shape}"
    return shortened(" ".join(repr(value).split()), _BRIEF)


def some_names(names: Sequence[object] | ndarray) -> str:
    """The first three names, for a message.

    >>> some_names(["a", "b"]), some_names(np.array(["a", "b", "c", "d"], object))
    ("'a', 'b'", "'a', 'b', 'c', …")
    """
    texts = [repr(str(name)) for name in names[:3]]
    if len(names) > 3:
        texts.append("…")
    return ", ".join(texts)


def are(count: int) -> str:
    """The verb after a number of things.

    >>> f"1 of 8 values {are(1)} missing, 3 of 8 values {are(3)} negative"
    '1 of 8 values is missing, 3 of 8 values are negative'
    """
    return "is" if count == 1 else "are"


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "column"), counted(1_200, "row")
    ('1 column', '1,200 rows')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def in_number(text: str, count: int) -> str:
    """A text about one thing or several, with {They}, {are}, {them} and {their} filled in.

    >>> in_number("{They} {are} masked.", 1), in_number("{They} {are} masked.", 2)
    ('It is masked.', 'They are masked.')
    """
    for several, one in (
        ("They", "It"),
        ("are", "is"),
        ("them", "it"),
        ("their", "its"),
    ):
        word = one if count == 1 else several
        text = text.replace(f"{{{several}}}", word)
    return text


def storable(text: str) -> str:
    r"""Text that every file can hold: lone surrogates, which stand for bytes that are not
    UTF-8, are written as escapes.

    >>> storable("caf\udce9")
    'caf\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_number(text: str) -> bool:
    """Whether a text is a number in the notation of programs.

    >>> is_number("1e3"), is_number("1,5")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def visible(text: str, keep: str = "") -> str:
    """Text with spaces for line breaks and control characters, except for those in `keep`."""
    odd = {letter for letter in text if not letter.isprintable()}.difference(keep)
    return text.translate({ord(letter): " " for letter in odd})


def shortened(text: str, longest: int = 30) -> str:
    """Text for one cell: no line breaks or control characters, and not too long."""
    text = visible(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def number_format(values: ndarray, counts: bool = False) -> Callable[[float], str]:
    """A function that writes numbers of this size with about four significant digits, all with the
    same decimals: two at most for counts, of which a thousandth says nothing, and none where all
    are whole.

    >>> write = number_format(np.array([446.91, 1012.3]))
    >>> write(446.91), write(1012.3), write(float("nan"))
    ('446.9', '1,012.3', '–')
    >>> number_format(np.array([0.0062, 1.07]), counts=True)(0.0062)
    '0.01'
    >>> number_format(np.array([9.0, 13.0]), counts=True)(9.0)
    '9'
    """
    decimals = decimals_of(values)
    if counts:
        most = 0 if _are_whole(values) else COUNT_DECIMALS
        decimals = most if decimals is None else min(decimals, most)
    if decimals is None:
        return lambda value: f"{value:.4g}" if np.isfinite(value) else "–"
    return lambda value: f"{value + 0.0:,.{decimals}f}" if np.isfinite(value) else "–"


def _are_whole(values: ndarray) -> bool:
    known = values[np.isfinite(values)]
    return bool((known == np.rint(known)).all())


def decimals_of(values: ndarray) -> int | None:
    """The decimals with which numbers of this size have about four significant digits; None if
    powers of ten are better.

    >>> decimals_of(np.array([446.91, 1012.3])), decimals_of(np.array([1e-9]))
    (1, None)
    """
    magnitudes = np.abs(values[np.isfinite(values) & (values != 0)])
    size = float(np.median(magnitudes)) if len(magnitudes) else 1.0
    if not 1e-6 < size < 1e15:
        return None
    magnitude = np.floor(np.log10(size))
    return int(np.clip(3 - magnitude, 0, 9))


def number(value: float) -> str:
    """A number with about four significant digits; a dash if it is unknown."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:#.4g}"


def percent(share: float) -> str:
    """A share of 1 in whole percent; a dash if it is unknown."""
    return f"{100 * share:.0f}%".replace("-0%", "0%") if math.isfinite(share) else "–"
