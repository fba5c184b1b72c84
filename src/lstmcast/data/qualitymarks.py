"""Codes of quality behind the digits of measurements: +0402,1 of weather stations."""

from __future__ import annotations

from collections.abc import Sequence

from lstmcast.util.patterns import pattern_of

# signed digits of one length, filled up with zeros: not a decimal comma
_MARKED = pattern_of(r"[+-]\d{3,6},[0-9A-Z]")
_FEWEST = 3


def without_quality(texts: Sequence[str]) -> tuple[Sequence[str], tuple[str, ...]]:
    """Texts without their codes of quality, and a note; as they are where they have none.

    >>> without_quality(["+0402,1", "-0017,1", "", "+1011,5"])[0]
    ['+0402', '-0017', '', '+1011']
    """
    first = next(filter(str.strip, texts), "")
    if _MARKED.fullmatch(first.strip()) is None:
        return texts, ()
    filled_texts = [text.strip() for text in texts if text.strip()]
    are_alike = len({len(text) for text in filled_texts}) == 1
    are_padded = any(text[1] == "0" for text in filled_texts)
    are_marked = all(map(_MARKED.fullmatch, filled_texts))
    if not (are_alike and are_padded and are_marked and len(filled_texts) >= _FEWEST):
        return texts, ()
    bare = [text.strip()[:-2] for text in texts]
    example = filled_texts[0]
    number = int(example[:-2])
    note = f"codes of quality behind commas removed ({example} = {number})"
    return bare, (note,)
