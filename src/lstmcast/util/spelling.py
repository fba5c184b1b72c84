"""Misspelt names, and the names that were probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

# of two names, for one to be a misspelling of the other; --foo and --out: 0.6
_ALIKE = 0.7


def did_you_mean(
    name: object, names: Iterable[object], show: Callable[[str], str] = repr
) -> str:
    """A question about a misspelt name, for a message; nothing where no name is like it.

    >>> did_you_mean("netwrk", ["auto", "network"]), did_you_mean("lstm", ["auto", "network"])
    (" Did you mean 'network'?", '')
    """
    near = get_close_matches(str(name), map(str, names), 1, _ALIKE)
    return f" Did you mean {show(near[0])}?" if near else ""
