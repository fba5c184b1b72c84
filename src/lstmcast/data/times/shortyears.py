"""Years of two digits behind an apostrophe, '85 and '05, and decades: 1850s, 1860s."""

from __future__ import annotations

from collections.abc import Sequence

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.periodwords import full_year
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.util.patterns import pattern_of

_DECADE = pattern_of(r"(1[5-9]\d0|20\d0)s")
_SHORT_YEAR = pattern_of(r"'(\d\d)")


def short_years(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Such years as dates; None where the labels are anything else."""
    if not mostly(_SHORT_YEAR.fullmatch(text) for text in sample_of(texts_present)):
        return None
    texts = replaced(tidy, _SHORT_YEAR, lambda match: f"{full_year(match[1])}-01")
    return Labels(texts, (f"labels such as {texts_present[0]!r} read as years",))


def decades(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Decades as their first years; None where the labels are anything else."""
    if not all(map(_DECADE.fullmatch, texts_present)):
        return None
    texts = replaced(tidy, _DECADE, lambda match: f"{match[1]}-01")
    return Labels(texts, (f"labels such as {texts_present[0]!r} read as decades",))
