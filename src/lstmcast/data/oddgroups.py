"""Numbers with signs of programmers and accountants: 1_234_567 and [1,037.25]."""

from __future__ import annotations

from collections.abc import Sequence

from lstmcast.util.patterns import pattern_of

_SCORED = pattern_of(r"[-+]?[1-9]\d{0,2}(?:_\d{3})+(?:\.\d+)?")
_FEWEST_GROUPED = 3
_SHORT = pattern_of(r"[-+]?\d{1,3}(?:\.\d+)?|")
_BRACKETED = pattern_of(r"\[([^-\[\]]*\d[^-\[\]]*)\]")


def with_usual_groups(texts: Sequence[str], pending: Sequence[int]) -> Sequence[str]:
    """Texts with signs as most people write them: no underscores, negative numbers in round
    brackets.

    pending: the places of texts that Python does not read as numbers. Underscores group digits
    where all texts have them, or are too short to; square brackets mean a minus where some texts
    have none.

    >>> with_usual_groups(["1_250", "900", "1_300", "2_000"], [0])
    ['1250', '900', '1300', '2000']
    """
    signs = "".join(texts) if pending else ""
    if "_" in signs:
        return _without_scores(texts)
    if "]" not in signs:
        return texts
    bracketed = [
        place for place in pending if _BRACKETED.fullmatch(texts[place].strip())
    ]
    if not 0 < len(bracketed) < len(list(filter(None, texts))):
        return texts
    rounded = list(texts)
    for place in bracketed:
        rounded[place] = _BRACKETED.sub(r"(\1)", texts[place].strip())
    return rounded


def _without_scores(texts: Sequence[str]) -> Sequence[str]:
    stripped = [text.strip() for text in texts]
    if sum(map(bool, map(_SCORED.fullmatch, stripped))) < _FEWEST_GROUPED:
        return texts
    if not all(_SCORED.fullmatch(text) or _SHORT.fullmatch(text) for text in stripped):
        return texts
    return [text.replace("_", "") for text in stripped]
