"""Numbers with signs of programmers, accountants and brokers: 1_234_567, [1,037.25], <1,037.25> and
101 3/8."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.qualitymarks import without_quality
from lstmcast.util.patterns import pattern_of

_SCORED = pattern_of(r"[-+]?[1-9]\d{0,2}(?:_\d{3})+(?:\.\d+)?")
_MIXED = pattern_of(r"(-?)(\d+)[ -](\d{1,2})/(2|4|8|16|32|64)")
_THIRTY_SECONDS = pattern_of(r"([6-9]\d|1\d\d)[-'](0\d|[12]\d|3[01])(\+?)")
_FEWEST_GROUPED = 3
_SHORT = pattern_of(r"[-+]?\d{1,3}(?:\.\d+)?|")
_BRACKETED = pattern_of(r"(?:\[([^-\[\]]*\d[^-\[\]]*)\]|<([^-<>]*\d[^-<>]*)>)")


def with_usual_groups(texts: Sequence[str], pending: Sequence[int]) -> Sequence[str]:
    """Texts with signs as most people write them: no underscores, no fractions, negative numbers in
    round brackets.

    pending: the places of texts that Python does not read as numbers. Underscores group digits
    where all texts have them, or are too short to; square and angle brackets mean a minus where
    some texts have none.

    >>> with_usual_groups(["1_250", "900", "1_300", "2_000"], [0])
    ['1250', '900', '1300', '2000']
    """
    signs = "".join(texts) if pending else ""
    odd_texts = [texts[place].strip() for place in pending]
    if "/" in signs and all(map(_MIXED.fullmatch, odd_texts)):
        return [_MIXED.sub(_as_decimal, text.strip()) for text in texts]
    if "_" in signs:
        return _without_scores(texts)
    if "+" in signs and _have_signs_behind(odd_texts):
        return [text.rstrip().removesuffix("+") for text in texts]
    if "]" not in signs and ">" not in signs:
        return texts
    bracketed = [
        place
        for place, text in zip(pending, odd_texts, strict=True)
        if _BRACKETED.fullmatch(text)
    ]
    if not 0 < len(bracketed) < len(list(filter(None, texts))):
        return texts
    rounded = list(texts)
    for place in bracketed:
        rounded[place] = f"({texts[place].strip()[1:-1]})"
    return rounded


def with_plain_forms(texts: Sequence[str]) -> tuple[Sequence[str], tuple[str, ...]]:
    """Texts without codes of quality, and prices in 32nds as decimal numbers, with notes on it."""
    bare_texts, quality_notes = without_quality(texts)
    decimal_texts, price_notes = with_decimal_prices(bare_texts)
    return decimal_texts, (*quality_notes, *price_notes)


def with_decimal_prices(texts: Sequence[str]) -> tuple[Sequence[str], tuple[str, ...]]:
    """Prices of bonds in 32nds, 101-16 and 101'16+, as decimal numbers, with a note; unchanged
    where the texts are anything else.

    >>> with_decimal_prices(["101-16", "101-24+", "102-00"])[0]
    ['101.5', '101.765625', '102.0']
    """
    filled = [text.strip() for text in texts if text.strip()]
    if len(filled) < _FEWEST_GROUPED or not _THIRTY_SECONDS.fullmatch(filled[0]):
        return texts, ()
    matches = [_THIRTY_SECONDS.fullmatch(text) for text in filled]
    parts = [(int(match[1]), int(match[2])) for match in matches if match is not None]
    # 12-31 is a day, and counts of months end at 12
    if len(parts) < len(filled) or max(count for _, count in parts) <= 12:
        return texts, ()
    note = f"prices such as {filled[0]!r} read as whole numbers and 32nds"
    return [_THIRTY_SECONDS.sub(_of_32nds, text.strip()) for text in texts], (note,)


def _of_32nds(match: re.Match[str]) -> str:
    half = 0.5 if match[3] else 0.0
    return str(int(match[1]) + (int(match[2]) + half) / 32)


def _have_signs_behind(texts: Sequence[str]) -> bool:
    """Whether all numbers have their sign behind them, 120.00+ beside 80.00-, as banks write."""
    ends = {text.rstrip()[-2:] for text in texts if text.strip()}
    if not all(end[:-1].isdigit() for end in ends):
        return False
    return {end[-1] for end in ends} == {"+", "-"}


def _as_decimal(match: re.Match[str]) -> str:
    """101.375 for 101 3/8, as prices were quoted."""
    sign, dollars, numerator, denominator = match.groups()
    return f"{sign}{int(dollars) + int(numerator) / int(denominator)}"


def _without_scores(texts: Sequence[str]) -> Sequence[str]:
    stripped = [text.strip() for text in texts]
    if sum(map(bool, map(_SCORED.fullmatch, stripped))) < _FEWEST_GROUPED:
        return texts
    if not all(_SCORED.fullmatch(text) or _SHORT.fullmatch(text) for text in stripped):
        return texts
    return [text.replace("_", "") for text in stripped]
