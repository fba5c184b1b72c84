"""Regular expressions that are compiled when they are first used.

Compiling takes longer than importing the module around it, and most files need few of the patterns.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern_of(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A regular expression like that of `re.compile`, which is called at the first use.

    >>> year = pattern_of(r"(?:19|20)\\d\\d")
    >>> year.findall("from 1999 to 2024")
    ['1999', '2024']
    """
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))


class _Pattern:
    """Stands for a pattern; from the first use on, its methods are those of the compiled one."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self.given = text, flags

    def __getattr__(self, name: str) -> Any:
        text, flags = self.given
        compiled = re.compile(text, flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


_METHODS = (
    "search",
    "match",
    "fullmatch",
    "split",
    "findall",
    "finditer",
    "sub",
    "subn",
)
