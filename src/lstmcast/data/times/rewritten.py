"""Labels of a column rewritten as dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SAMPLE = 20


@dataclass(frozen=True)
class Labels:
    """Texts of a column (U,) rewritten as dates; "" where missing, as they were where the rule
    does not hold. `form` is "year" where the labels could be numbers as well."""

    texts: list[str]
    notes: tuple[str, ...] = ()
    form: str = ""
    problem: str | None = None


def sample_of(texts: Sequence[str]) -> Sequence[str]:
    """Some of the texts, evenly spaced."""
    return texts[:: max(1, len(texts) // _SAMPLE)]


def replaced(
    texts: Sequence[str],
    pattern: re.Pattern[str],
    replace: Callable[[re.Match[str]], str],
) -> list[str]:
    """Texts that a pattern fits, replaced; all others as they are."""
    new_texts = []
    for text in texts:
        match = pattern.fullmatch(text)
        new_text = text if match is None else replace(match)
        new_texts.append(new_text)
    return new_texts
