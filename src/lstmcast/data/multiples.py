"""Units of several sizes in one column: 1.2K beside 3.4M, 850 kWh beside 1.1 MWh, 2.5 Cr beside
40 L; and the two sides of an account, 120.00 Dr beside 80.00 Cr."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from lstmcast.util.patterns import pattern_of

# words that stand together, and the powers of ten that they are
_SIZES = """
k 3 m 6 b 9 t 12
k 3 m 6 mn 6 mln 6 bn 9 bln 9 tn 12 trn 12
thousand 3 million 6 billion 9 trillion 12
k 3 tsd 3 mio 6 mln 6 mrd 9 md 9 mld 9
mil 3 mi 6 bi 9
тыс 3 млн 6 млрд 9
k 3 l 5 lac 5 lacs 5 lakh 5 lakhs 5 cr 7 crore 7 crores 7
千 3 万 4 百万 6 億 8 亿 8 十億 9 兆 12
천 3 만 4 억 8 조 12
"""
# of these, m is a million and not a thousandth
_MEASURES = frozenset(
    ["w", "wh", "wp", "b", "bit", "bps", "b/s", "hz", "va", "vah", "varh", "j"]
)
_PREFIXES = {"": 0, "k": 3, "m": 6, "g": 9, "t": 12}
_MEASURED = pattern_of(r"([kmgt]?)([a-z/]+)")
# alone beside smaller numbers, these are sizes
_THOUSANDS = frozenset("k千万천만")
_MARKED = 0.9  # share of the numbers that carry a mark of accounts
# the side of an account that is counted down, and the other one
_SIDES = """
dr cr
db cr
d c
s h
soll haben
debit credit
"""


def _families() -> list[dict[str, int]]:
    """The powers of ten by words that stand together."""
    families = []
    for line in _SIZES.strip().splitlines():
        fields = line.split()
        powers = map(int, fields[1::2])
        families.append(dict(zip(fields[::2], powers, strict=True)))
    return families


_FAMILIES = _families()


def powers_of(units: Mapping[str, int], count: int) -> dict[str, int]:
    """The powers of ten that units {unit: how often} of so many numbers stand for; {} where all
    have the same unit, or where they are no sizes of one thing.

    >>> powers_of({"k": 7, "m": 2}, 10), powers_of({"kwh": 5, "mwh": 5}, 10), powers_of({"m": 9}, 9)
    ({'k': 3, 'm': 6}, {'kwh': 3, 'mwh': 6}, {})
    """
    if not units:
        return {}
    plain_count = count - sum(units.values())
    words = [unit.rstrip(".") for unit in units]
    if len(words) == 1 and not _is_size(words[0], plain_count / count):
        return {}
    for family in _FAMILIES:
        if family.keys() >= set(words):
            powers = map(family.__getitem__, words)
            return dict(zip(units, powers, strict=True))
    if plain_count:
        return {}
    return _powers_of_measures(units)


def _is_size(word: str, plain_share: float) -> bool:
    """Whether the one unit beside numbers without any is a size of them, as in 950 and 1.2K, and no
    mark, no measure and nothing that was left out."""
    if word in _THOUSANDS:
        return plain_share > 0
    return plain_share > 0.1 and len(word) > 1 and word not in ("cr", "mil", "md")


def _powers_of_measures(units: Collection[str]) -> dict[str, int]:
    """Of prefixes before one measure: kWh and MWh."""
    powers = {}
    measures = set()
    for unit in units:
        match = _MEASURED.fullmatch(unit)
        if unit in _MEASURES:
            powers[unit] = 0
            measures.add(unit)
        elif match is not None and match[2] in _MEASURES:
            powers[unit] = _PREFIXES[match[1]]
            measures.add(match[2])
    if len(units) < 2 or len(powers) < len(units) or len(measures) > 1:
        return {}
    lowest = min(powers.values())
    # W beside mW: a thousandth, where nothing is between
    has_step = 3 in powers.values() or lowest >= 6
    return powers if has_step else {}


def with_units_summed(texts: Sequence[str], places: Iterable[int]) -> Sequence[str]:
    """Texts of which some have two sizes of East Asia, 10億2000万円, as plain numbers; unchanged
    where none has. places: of the texts that are no plain numbers.

    >>> with_units_summed(["1億2000万円", "500万円"], [0, 1])
    ['120000000', '5000000']
    """
    matches = {}
    for place in places:
        match = None if texts[place].isascii() else _SUMMED.fullmatch(texts[place])
        if match is not None:
            matches[place] = match
    if not any(
        len(list(filter(None, match.groups()))) > 1 for match in matches.values()
    ):
        return texts
    summed = list(texts)
    for place, match in matches.items():
        summed[place] = str(_sum_of(match))
    return summed


_NUMBER = r"(\d[\d,]*)"
_SUMMED = pattern_of(
    rf" *(?:{_NUMBER} ?[兆조])? ?(?:{_NUMBER} ?[億亿억])? ?(?:{_NUMBER} ?[万萬만])? ?"
    rf"{_NUMBER}? ?[円元원]? *"
)
_SUMMED_POWERS = (12, 8, 4, 0)


def _sum_of(match: re.Match[str]) -> int:
    total = 0
    for digits, power in zip(match.groups(), _SUMMED_POWERS, strict=True):
        if digits:
            total += int(digits.replace(",", "")) * 10**power
    return total


def debit_of(units: Mapping[str, int], count: int) -> str:
    """The mark of debits, where nearly all of so many numbers carry one of two marks of accounts;
    "" where not.

    >>> debit_of({"cr": 4, "dr": 5}, 9), debit_of({"cr": 9}, 9)
    ('dr', '')
    """
    if sum(units.values()) < _MARKED * count:
        return ""
    for line in _SIDES.strip().splitlines():
        sides = line.split()
        if units.keys() == set(sides):
            return sides[0]
    return ""
