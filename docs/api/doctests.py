"""A griffe extension: the runs in docstrings (`>>> …`) become code blocks instead of quotations."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from griffe import Extension, Object

_RUN = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Doctests(Extension):
    """Fences every run, up to the blank line that ends it."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = _RUN.sub(_fenced, obj.docstring.value)


def _fenced(run: re.Match[str]) -> str:
    return f"```pycon\n{textwrap.dedent(run[0])}\n```"
