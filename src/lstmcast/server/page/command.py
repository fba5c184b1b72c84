"""The command for what a page shows, so that it can be scheduled."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from lstmcast.server.bodies import Upload, safe_name
from lstmcast.server.page.asked import ShownForecast

_OWN = ("model", "draw", "held_out")  # fields that are not options of the command
_FLAGS = {"day_first": ("--day-first", "--month-first")}


def command_of(fields: ShownForecast, files: Sequence[Upload]) -> str:
    """The command line for a request of the page.

    >>> command_of(ShownForecast(horizon=6, level=[80.0]), [Upload("my sales.csv", b"")])
    "lstmcast forecast 'my sales.csv' --horizon 6 --level 80"
    """
    names = [safe_name(file.name) for file in files]
    begin = ["lstmcast", "forecast", *names]
    if fields.model is not None:
        begin = ["lstmcast", "predict", "--model", fields.model, *names]
    values = {name: getattr(fields, name) for name in fields.model_fields_set}
    options = [word for name in sorted(values) for word in _option(name, values[name])]
    return shlex.join([*begin, *options])


def _option(name: str, value: Any) -> Iterator[str]:
    """An option of the command and its value, repeated for several values."""
    if name in _OWN or value is None:
        return
    if name in _FLAGS:
        yield _FLAGS[name][0 if value else 1]
        return
    for word in value if isinstance(value, list) else [value]:
        yield f"--{name.replace('_', '-')}"
        yield f"{word:g}" if isinstance(word, float) else str(word)
