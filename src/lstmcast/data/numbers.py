"""Numbers as people write them: 1,234.5 · 1.234,5 · 1 234 · 1'234 · CHF 12.– · (12) · 12 % · ▲12 ·
１２.

What a comma or a point means is decided once per column, from all its values: `1,234` alone says
nothing, `1,234` beside `12,5` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .scripts import western_digits

_MISSING_WORDS = r"""
na n/a n.a. n.a #n/a #na nan nat null none nil missing <na> n.v. (null) \n 欠測 - -- --- – —
. .. ... … : ? * #value! #div/0! #ref! #num! #name? #null!
"""
MISSING = frozenset(["", *_MISSING_WORDS.split()])

_E_COMMA = re.compile(r"(\d),(\d+e[-+]?\d+)$", re.IGNORECASE)  # 4,039E+01
_ONLY_SIGNS = re.compile(r"[*?.…~#_–—-]+")  # ***, ****, ...., ##### of a narrow column
_CURRENCY = re.compile(
    r"(?:(?:us|r|a|c|ca|au|nz|hk|s|nt|mx)?\$|[€£¥₹₩₽₺฿¢円元₫₪₴₦₱₸]|chf|usd|eur|gbp|jpy|cny|aud|cad|inr|brl|sek|nok|dkk|pln|czk|huf|kr\.?|rs\.?|rp\.?|fr\.?|zł|kč)"
)
_PARTS = re.compile(r"([^\d]*?)([-+]?[.,]?\d(?:[\d.,' ]*\d)?)([.,]?)([^\d]*)")
# by thousands, and in India by hundreds above the first thousand: 12,34,567
_GROUPED = {
    ",": re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}"),
    ".": re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+"),
}
_SPACED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?=$|[.,])|\d{1,2}(?: \d\d)+ \d{3}(?=$|[.,])")
# a minus behind the digits, an old habit of accounting; 12.– is a Swiss price
_MINUS_BEHIND = re.compile(r"(.*\d) ?- ?(\D{0,6})")
_MARKS = str.maketrans("−–—’", "---'")
# what statistical offices write behind a number: provisional, estimated, revised, break in series
_FLAGS = frozenset(
    ["p", "e", "r", "b", "s", "u", "f", "(p)", "(e)", "(r)", "(b)", "p)", "e)", "r)", "*", "~"]
)
_UNIT_SHARE = 0.9  # a unit such as "kWh" is believed when nearly every value carries it


@dataclass(frozen=True, eq=False)
class Numbers:
    """Texts read as numbers: `values` (U,) with NaN where missing or bad, `bad` (U,) where the
    text is no number."""

    values: np.ndarray
    bad: np.ndarray
    notes: tuple[str, ...] = ()


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    tidy = text.strip().casefold()
    return tidy in MISSING or (len(tidy) > 1 and _ONLY_SIGNS.fullmatch(tidy) is not None)


def parse_numbers(
    texts: Sequence[str],
    *,
    decimal_comma_likely: bool = False,
    plain: bool = False,
    decimal: str = "",
) -> Numbers:
    """Read the distinct texts of one column as numbers; what is no number is marked bad, nothing is
    raised.

    `decimal_comma_likely` tips the balance where a comma could mean both (files cut by semicolons);
    `plain` says that a point is certainly a decimal point (cells that were numbers before they
    became text); `decimal` is the mark where somebody said it, "" where it is to be found.

    >>> parse_numbers(["1.234,5", "12", "n/a"]).values.tolist()
    [1234.5, 12.0, nan]
    """
    values, pending = _plain_numbers(texts)
    bodies = {i: body for i in pending if (body := _take_apart(texts[i])) is not None}
    bad = np.zeros(len(texts), bool)
    bad[[i for i in pending if i not in bodies and not is_missing(texts[i])]] = True
    notes = _drop_odd_units(bodies, bad, int(np.isfinite(values).sum()))
    marks = {i: body.digits for i, body in bodies.items()}
    grouping = decimal == "," if plain or decimal else bool(_dot_groups(texts, values, marks))
    if grouping:
        marks |= {
            i: texts[i].strip().lstrip("+-")
            for i in np.flatnonzero(np.isfinite(values)).tolist()
            if "." in texts[i]
        }
    if decimal:
        note = ""
    elif grouping:
        decimal, note = ",", _DOT_NOTE
    else:
        decimal, note = _decimal_mark(marks, values, texts, decimal_comma_likely)
    notes += (note,) * bool(note)
    for i, digits in marks.items():
        number = _to_float(digits, decimal)
        bad[i] |= np.isnan(number)
        sign = (
            bodies[i].sign if i in bodies else (-1.0 if texts[i].lstrip().startswith("-") else 1.0)
        )
        values[i] = np.nan if bad[i] else sign * number
    return Numbers(values, bad, notes)


class _Body(NamedTuple):
    sign: float
    digits: str
    unit: str  # "" where there is none or only a currency
    currency: str


CURRENCY_SIGNS = "currency signs taken off"
DECIMAL_COMMA = "commas read as decimal commas (1,5 = 1.5)"
_DOT_NOTE = "points read as thousands separators, commas as decimal commas (1.234,5 = 1234.5)"


def _plain_numbers(texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    values, pending = np.full(len(texts), np.nan), []
    for i, text in enumerate(texts):
        try:
            values[i] = float(_E_COMMA.sub(r"\1.\2", text))
        except ValueError:
            pending.append(i)
        else:
            if "_" in text:  # Python reads 1_000 as a number; in data it is a name
                values[i] = np.nan
                pending.append(i)
    return values, pending


def _take_apart(text: str) -> _Body | None:
    """Sign, digits and unit of a decorated number; None where there is no number in it."""
    if is_missing(text):
        return None
    tidy = _plain_marks(text)
    negative = False
    match = _MINUS_BEHIND.fullmatch(tidy)
    apart = match is not None and tidy[match.end(1) :].lstrip().startswith("- ")
    if (
        match is not None
        and not re.search(r"[-(▲△]", match[1])
        and (apart or _is_currency(match[2]))
    ):
        negative, tidy = True, f"{match[1]} {match[2]}"
    match = _PARTS.fullmatch(re.sub(r"(?<=\d)[.,]-+$", "", tidy))
    if match is None:
        return None
    before, digits, _, after = (part.strip() for part in match.groups())
    bare = _CURRENCY.sub("", before)  # a minus may stand on either side of a currency sign
    negative = (
        negative
        or digits.startswith("-")
        or "-" in bare
        or any(mark in before for mark in "▲△")
        or ("(" in before and ")" in after)
        or (after.endswith("-") and _is_currency(after[:-1]))
    )
    before, after = before.strip("()▲△+- "), after.strip("()- ")
    before = before.removeprefix("-").rstrip("(- ") if _is_currency(before.strip("(- ")) else before
    currency = "".join(mark for part in (before, after) for mark in _CURRENCY.findall(part))
    unit = (_CURRENCY.sub("", before) + _CURRENCY.sub("", after)).strip()
    if len(unit) > 12 or (unit and _CURRENCY.sub("", before).strip() and unit != "~"):
        return None  # "Q1", "store 12": letters before digits make a name, not a number with a unit
    return _Body(-1.0 if negative else 1.0, digits.lstrip("+-"), unit, currency)


def _plain_marks(text: str) -> str:
    """A text in small letters with plain spaces, apostrophes and minus signs."""
    tidy = unicodedata.normalize("NFKC", text).strip().casefold()
    tidy = western_digits(tidy).translate(_MARKS)
    return re.sub(r"[\u00a0\u202f\u2009\t]", " ", tidy)


def _is_currency(text: str) -> bool:
    """Whether nothing but a currency is written there, or nothing at all."""
    return not _CURRENCY.sub("", text).strip(" .")


def _drop_odd_units(bodies: dict[int, _Body], bad: np.ndarray, n_plain: int) -> tuple[str, ...]:
    """Keep the one unit that nearly all values carry; mark values with other units as bad."""
    units = Counter(body.unit for body in bodies.values() if body.unit)
    common, count = units.most_common(1)[0] if units else ("", 0)
    believed = common if count >= _UNIT_SHARE * (n_plain + len(bodies)) else ""
    flags = {unit for unit in units if unit in _FLAGS} if not believed else set()
    flagged = sum(units[unit] for unit in flags)
    if 0 < flagged <= 0.5 * (n_plain + len(bodies)):
        bodies |= {i: body._replace(unit="") for i, body in bodies.items() if body.unit in flags}
    else:
        flags = set()
    for i in [i for i, body in bodies.items() if body.unit not in ("", believed)]:
        bad[i] = True
        del bodies[i]
    found = sorted({body.currency for body in bodies.values() if body.currency})
    notes = (f"{CURRENCY_SIGNS} ({', '.join(found[:4])})",) if found else ()
    notes += (f"marks behind numbers taken off ({', '.join(sorted(flags))})",) if flags else ()
    return (*notes, f"{believed!r} taken off every value") if believed else notes


def _dot_groups(texts: Sequence[str], values: np.ndarray, marks: dict[int, str]) -> str:
    """'.' where points must be thousands separators: every point is followed by three digits, and a
    value beside them proves it (two points, a decimal comma, or whole numbers that stop at 999
    where the points begin)."""
    plain = np.flatnonzero(np.isfinite(values)).tolist()
    dotted = []
    for i in plain:
        text = texts[i].strip().lstrip("+-")
        if "." in text:
            if not _GROUPED["."].fullmatch(text):
                return ""
            dotted.append(i)
    if any(re.search(r"\.\d{3}(\.|,)", digits) for digits in marks.values()):
        return "."
    if dotted and any(_vote(digits) == "," for digits in marks.values()):
        return "."
    whole = np.abs(values[sorted(set(plain) - set(dotted))])
    if len(dotted) >= 3 and len(whole) and not marks:
        return "." if whole.max() < 1000 and whole.max() >= 100 else ""
    return ""


def _decimal_mark(
    marks: dict[int, str], values: np.ndarray, texts: Sequence[str], decimal_comma_likely: bool
) -> tuple[str, str]:
    """The character that separates decimals in this column, with a note where it is not the
    point."""
    votes = Counter(vote for digits in marks.values() if (vote := _vote(digits)))
    if votes:
        mark = votes.most_common(1)[0][0]
    elif any("," in digits for digits in marks.values()):
        lone = not np.isfinite(values).any() and all(
            digits.count(",") == 1 for digits in marks.values()
        )
        long_whole = bool((np.abs(values[np.isfinite(values)]) >= 1000).any())
        mark = "," if decimal_comma_likely and (lone or long_whole) else "."
    else:
        return ".", ""
    return mark, DECIMAL_COMMA if mark == "," else ""


def _vote(digits: str) -> str:
    """What one value alone says about the decimal mark; "" where it could be either."""
    last = max(digits.rfind(","), digits.rfind("."))
    if last < 0:
        return ""
    mark, other = digits[last], "," if digits[last] == "." else "."
    if other in digits:
        return mark
    if digits.count(mark) > 1:
        return other
    return "" if _GROUPED[mark].fullmatch(re.sub(r"[ ']", "", digits)) else mark


def _to_float(digits: str, decimal: str) -> float:
    group = "." if decimal == "," else ","
    digits = _SPACED.sub(lambda found: re.sub("[ ']", "", found.group()), digits)
    whole, _, fraction = digits.partition(decimal)
    if group in fraction or (group in whole and not _GROUPED[group].fullmatch(whole)):
        return np.nan
    try:
        return float(f"{whole.replace(group, '')}.{fraction}")
    except ValueError:
        return np.nan
