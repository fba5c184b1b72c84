"""Numbers as people write them: 1,234.5 · 1.234,5 · 1 234 · 1'234 · CHF 12.– · (12) · 12 % · ▲12 ·
１２.

The meaning of commas and points is decided once per column, from all its values: `1,234` alone is
ambiguous, `1,234` next to `12,5` is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from lstmcast.data.missingwords import is_missing, is_unknown
from lstmcast.data.multiples import debit_of, powers_of, with_units_summed
from lstmcast.data.oddgroups import with_plain_forms, with_usual_groups
from lstmcast.data.scripts import western_digits
from lstmcast.util.patterns import pattern_of

# 4,039E+01, and 2.2825D+03 of Fortran
_POWER = pattern_of(r"(\d)[,.](\d+)(?:e|d(?=[-+]))([-+]?\d+)$", re.IGNORECASE)
_CURRENCY = pattern_of(
    r"(?:(?:us|r|a|c|ca|au|nz|hk|s|nt|mx|rd|cl|co)?\$|[€£¥₹₩₽₺฿¢円元₫₪₴₦₱₸₡₲₾₼₵]|chf|usd|eur|gbp|jpy|"
    r"cny|aud|cad|inr|brl|sek|nok|dkk|pln|czk|huf|zar|myr|idr|thb|php|krw|vnd|rub|uah|ron|bgn|mxn|"
    r"clp|cop|pen|ars|sgd|hkd|twd|nzd|ils|aed|sar|egp|try|kr\.?|rs\.?|rp\.?|fr\.?|zł|kč|"
    r"s/\.?|rm|bs\.?|лв\.?|руб\.?|грн\.?)"
)
_PARTS = pattern_of(r"([^\d]*?)([-+]?[.,]?\d(?:[\d.,' ]*\d)?)([.,]?)([^\d]*)")
# by thousands, and in India by hundreds above the first thousand: 12,34,567
_GROUPED = {
    ",": pattern_of(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}"),
    ".": pattern_of(r"[1-9]\d{0,2}(?:\.\d{3})+"),
}
_SPACED = pattern_of(
    r"\d{1,3}(?:[ ']\d{3})+(?=$|[.,])|\d{1,2}(?: \d\d)+ \d{3}(?=$|[.,])"
)
# a minus behind the digits, an old habit of accounting; 12.– is a Swiss price
_MINUS_BEHIND = pattern_of(r"(.*\d) ?- ?(\D{0,6})")
_MARKS = str.maketrans("−–—‒﹣’", "-----'")
# what statistical offices write behind a number: provisional, estimated, revised, break in series
_FLAGS = frozenset(
    [
        "p",
        "e",
        "r",
        "b",
        "s",
        "u",
        "f",
        "(p)",
        "(e)",
        "(r)",
        "(b)",
        "p)",
        "e)",
        "r)",
        "*",
        "~",
    ]
)
_ABOUT = ("≈", "~", "ca.", "ca", "c.", "approx.", "about")
# signs that point to a footnote, behind a digit
_FOOTNOTE = pattern_of(r"(?<=\d) ?(\[\w{1,2}\]|\(\d\d?\)|[*†‡§]{1,3}|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)$")
_LONGEST = 400  # characters of a number with signs or a unit
_UNIT_SHARE = 0.9  # a unit such as "kWh" is believed when nearly every value carries it


@dataclass(frozen=True, eq=False)
class Numbers:
    """Texts read as numbers: `values` (U,) with NaN where missing or bad, `bad` (U,) where the
    text is no number."""

    values: np.ndarray
    bad: np.ndarray
    notes: tuple[str, ...] = ()


def parse_numbers(
    texts: Sequence[str],
    *,
    decimal_comma_likely: bool = False,
    plain: bool = False,
    decimal: str = "",
) -> Numbers:
    """Read the distinct texts of one column as numbers; other texts are marked bad.

    `decimal_comma_likely`: prefer the decimal comma if a comma is ambiguous (files with
    semicolons). `plain`: points are decimal points (cells that were numbers before they became
    text). `decimal`: the decimal mark, or "" to detect it.

    >>> parse_numbers(["1.234,5", "12", "n/a"]).values.tolist()
    [1234.5, 12.0, nan]
    """
    texts, notes_before = with_plain_forms(texts)
    values, pending = _plain_numbers(texts)
    texts = with_usual_groups(texts, pending)
    texts = with_units_summed(texts, pending)
    is_bad = np.zeros(len(texts), bool)
    bodies: dict[int, _Body] = {}
    for place in pending:
        body = _take_apart(texts[place])
        if body is not None:
            bodies[place] = body
        elif not is_missing(texts[place]) and not is_unknown(texts[place]):
            is_bad[place] = True
    plain_count = int(np.isfinite(values).sum())
    notes = _drop_odd_units(bodies, is_bad, plain_count)
    marks: dict[int, str] = {place: body.digits for place, body in bodies.items()}
    dots_group = decimal == ","
    if not plain and not decimal:
        dots_group = _dots_group(texts, values, marks)
    if dots_group:
        marks |= _dotted_texts(texts, values)
    note = ""
    if not decimal and dots_group:
        decimal, note = ",", _DOT_NOTE
    elif not decimal:
        decimal, note = _decimal_mark(marks, values, texts, decimal_comma_likely)
    if note:
        notes = (*notes, note)
    notes = (*notes_before, *notes)
    for place, digits in marks.items():
        body = bodies.get(place) or _Body(_sign_of(texts[place]), digits, "", "")
        number = _to_float(digits, decimal, body.power)
        is_bad[place] |= np.isnan(number)
        values[place] = np.nan if is_bad[place] else body.sign * number
    return Numbers(values, is_bad, notes)


def _sign_of(text: str) -> float:
    return -1.0 if text.lstrip().startswith("-") else 1.0


def _dotted_texts(texts: Sequence[str], values: np.ndarray) -> dict[int, str]:
    """Texts with a point that Python reads as numbers, without their signs, by place."""
    dotted: dict[int, str] = {}
    for place in np.flatnonzero(np.isfinite(values)).tolist():
        if "." in texts[place]:
            dotted[place] = texts[place].strip().lstrip("+-")
    return dotted


class _Body(NamedTuple):
    sign: float
    digits: str
    unit: str  # "" where there is none or only a currency
    currency: str
    power: int = 0  # of ten: 6 in 1.5M


CURRENCY_SIGNS = "currency signs removed"
DECIMAL_COMMA = "commas read as decimal commas (1,5 = 1.5)"
_GROUPING_COMMA = "commas read as thousands separators (1,234 = 1234)"
_DOT_NOTE = (
    "points read as thousands separators, commas as decimal commas (1.234,5 = 1234.5)"
)


def _plain_numbers(texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    values = np.full(len(texts), np.nan)
    pending = []
    for place, text in enumerate(texts):
        try:
            number = float(_POWER.sub(r"\1.\2e\3", text))
        except ValueError:
            number = None
        # Python reads 1_000 as a number; in data it is a name
        if number is None or "_" in text:
            pending.append(place)
        else:
            values[place] = number
    return values, pending


def _take_apart(text: str) -> _Body | None:
    """Sign, digits and unit of a decorated number; None where there is no number in it."""
    if len(text) > _LONGEST or is_missing(text):
        return None
    footnote = _FOOTNOTE.search(text.rstrip())
    if footnote is not None:
        body = _take_apart(text[: footnote.start()])
        return None if body is None or body.unit else body._replace(unit=footnote[1])
    tidy = _plain_marks(text)
    with_minus_first = _minus_first(tidy)
    if with_minus_first is not None:
        tidy = with_minus_first
    match = _PARTS.fullmatch(re.sub(r"(?<=\d)[.,]-+$", "", tidy))
    if match is None:
        return None
    before, digits, _, after = (group.strip() for group in match.groups())
    is_negative = (
        with_minus_first is not None
        or digits.startswith("-")
        or "-" in _CURRENCY.sub("", before)  # on either side of a currency sign
        or any(mark in before for mark in "▲△")
        or ("(" in before and ")" in after)
        or (after.endswith("-") and _is_currency(after[:-1]))
    )
    prefix = before.strip("()▲△+- ")
    suffix = after.strip("()- ")
    if _is_currency(prefix.strip("(- ")):
        prefix = prefix.removeprefix("-").rstrip("(- ")
    currencies = [*_CURRENCY.findall(prefix), *_CURRENCY.findall(suffix)]
    prefix, suffix = _CURRENCY.sub("", prefix), _CURRENCY.sub("", suffix)
    if prefix.strip() == "r":  # South African rand
        currencies.append(prefix.strip())
        prefix = ""
    if prefix.strip() in _ABOUT:
        prefix = "" if suffix.strip() else "~"
    unit = (prefix + suffix).strip()
    if len(unit) > 12 or (prefix.strip() and unit != "~"):
        # "Q1", "store 12": letters before digits make a name, not a number with a unit
        return None
    sign = -1.0 if is_negative else 1.0
    return _Body(sign, digits.lstrip("+-"), unit, "".join(currencies))


def _minus_first(tidy: str) -> str | None:
    """A number whose minus stands behind its digits, without it; None for any other text."""
    match = _MINUS_BEHIND.fullmatch(tidy)
    if match is None or re.search(r"[-(▲△]", match[1]):
        return None
    is_spaced = tidy[match.end(1) :].lstrip().startswith("- ")
    if not is_spaced and not _is_currency(match[2]):
        return None
    return f"{match[1]} {match[2]}"


def _plain_marks(text: str) -> str:
    """A text in small letters with plain spaces, apostrophes and minus signs."""
    tidy = unicodedata.normalize("NFKC", text).strip().casefold()
    tidy = western_digits(tidy).translate(_MARKS)
    return re.sub(r"[\u00a0\u202f\u2009\t]", " ", tidy)


def _is_currency(text: str) -> bool:
    """Whether nothing but a currency is written there, or nothing at all."""
    return not _CURRENCY.sub("", text).strip(" .")


def _drop_odd_units(
    bodies: dict[int, _Body], is_bad: np.ndarray, plain_count: int
) -> tuple[str, ...]:
    """Keep the one unit that nearly all values carry; mark values with other units as bad."""
    count = plain_count + len(bodies)
    units = Counter(body.unit for body in bodies.values() if body.unit)
    notes = _scale(bodies, units, count)
    if notes:
        units = Counter()
    unit = _shared_unit(units, count)
    flags = set() if unit else _flags_among(units, count)
    for place, body in list(bodies.items()):
        if body.unit in flags:
            bodies[place] = body._replace(unit="")
        elif body.unit not in ("", unit):
            is_bad[place] = True
            del bodies[place]
    currencies = sorted({body.currency for body in bodies.values() if body.currency})
    if currencies:
        notes.append(f"{CURRENCY_SIGNS} ({', '.join(currencies[:4])})")
    if flags:
        notes.append(f"marks after numbers removed ({', '.join(sorted(flags))})")
    if unit:
        notes.append(f"{unit!r} removed from every value")
    return tuple(notes)


def _scale(bodies: dict[int, _Body], units: Counter[str], count: int) -> list[str]:
    """Give numbers the sizes and signs that units of several sizes, or marks of accounts, say; the
    notes on it, none where there are no such units."""
    powers = powers_of(units, count)
    debit = debit_of(units, count)
    if not powers and not debit:
        return []
    for place, body in bodies.items():
        sign = -body.sign if body.unit and body.unit == debit else body.sign
        bodies[place] = body._replace(
            unit="", sign=sign, power=powers.get(body.unit, 0)
        )
    if debit:
        (credit,) = units.keys() - {debit}
        return [
            f"amounts marked {debit!r} read as negative, those marked {credit!r} as positive"
        ]
    sizes = sorted(powers.items(), key=itemgetter(1))
    meanings = ", ".join(f"{unit} = {10**power:,}" for unit, power in sizes)
    return [f"units of several sizes read as parts of the numbers ({meanings})"]


def _shared_unit(units: Counter[str], count: int) -> str:
    """The unit that nearly all of so many values carry, or ""."""
    for unit, carriers in units.most_common(1):
        if carriers >= _UNIT_SHARE * count:
            return unit
    return ""


def _flags_among(units: Counter[str], count: int) -> set[str]:
    """The units that are marks of statistical offices, unless more than half of the values have
    one."""
    flags = {unit for unit in units if unit in _FLAGS or _FOOTNOTE.search(f"0{unit}")}
    flagged = sum(units[flag] for flag in flags)
    return flags if flagged <= 0.5 * count else set()


def _dots_group(
    texts: Sequence[str], values: np.ndarray, marks: dict[int, str]
) -> bool:
    """Whether points must be thousands separators: every point is followed by three digits, and a
    value beside them proves it (two points, a decimal comma, or whole numbers that stop at 999
    where the points begin)."""
    dotted = _dotted_texts(texts, values)
    if not all(_GROUPED["."].fullmatch(text) for text in dotted.values()):
        return False
    if any(re.search(r"\.\d{3}(\.|,)", digits) for digits in marks.values()):
        return True
    if dotted and any(_vote(digits) == "," for digits in marks.values()):
        return True
    is_whole = np.isfinite(values)
    is_whole[list(dotted)] = False
    sizes = np.abs(values[is_whole])
    if len(dotted) < 3 or not len(sizes) or marks:
        return False
    return bool(100 <= sizes.max() < 1000)


def _decimal_mark(
    marks: dict[int, str],
    values: np.ndarray,
    texts: Sequence[str],
    decimal_comma_likely: bool,
) -> tuple[str, str]:
    """The character that separates decimals in this column, with a note where it is not the
    point."""
    votes = Counter(_vote(digits) for digits in marks.values())
    del votes[""]
    if votes:
        mark = votes.most_common(1)[0][0]
    elif any("," in digits for digits in marks.values()):
        is_comma = decimal_comma_likely and _comma_fits(marks, values)
        if not is_comma:
            is_sure = len(marks) > sum(
                digits.count(",") == 1 for digits in marks.values()
            )
            is_sure |= bool(np.isfinite(values).any())
            return ".", "" if is_sure else _GROUPING_COMMA
        mark = ","
    else:
        return ".", ""
    return mark, DECIMAL_COMMA if mark == "," else ""


def _comma_fits(marks: dict[int, str], values: np.ndarray) -> bool:
    """Whether commas may be decimal ones: all values have one, or thousands are not grouped."""
    plain = values[np.isfinite(values)]
    each_has_one = all(digits.count(",") == 1 for digits in marks.values())
    if not len(plain):
        return each_has_one
    return bool((np.abs(plain) >= 1000).any())


def _vote(digits: str) -> str:
    """What one value alone says about the decimal mark; "" where it could be either."""
    mark_place = max(digits.rfind(","), digits.rfind("."))
    if mark_place < 0:
        return ""
    mark = digits[mark_place]
    other_mark = "," if mark == "." else "."
    if other_mark in digits:
        return mark
    if digits.count(mark) > 1:
        return other_mark
    squeezed = re.sub(r"[ ']", "", digits)
    return "" if _GROUPED[mark].fullmatch(squeezed) else mark


def _to_float(digits: str, decimal: str, power: int) -> float:
    group = "." if decimal == "," else ","
    digits = _SPACED.sub(lambda match: re.sub("[ ']", "", match.group()), digits)
    whole_digits, _, fraction = digits.partition(decimal)
    has_groups = group in whole_digits
    if group in fraction or (
        has_groups and not _GROUPED[group].fullmatch(whole_digits)
    ):
        return np.nan
    try:
        return float(f"{whole_digits.replace(group, '')}.{fraction}e{power}")
    except ValueError:
        return np.nan
