"""Options that many commands have, and what to refuse of any."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from lstmcast.errors import UsageError
from lstmcast.util.language import LANGUAGES

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA",
        help="CSV, Excel, JSON or Parquet files, a pattern such as 'stores/*.csv', a table of a "
        "database such as 'duckdb:///shop.db?table=sales', or - for standard input.",
    ),
]
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon", "-H", metavar="N", help="How many steps to forecast; one season unless given."
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="Forecast up to this date, such as 2025-12-31, in place of --horizon."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output instead of text.")
]
HeldOut = Annotated[
    bool,
    typer.Option("--held-out", help="Put the held-out forecasts into the JSON document too."),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        help="Append notes, warnings and errors, with their time, to a file; with --quiet too.",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="|".join(LANGUAGES),
        help="Language of texts and pictures; that of the system unless given.",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="auto|network|best|NAME",
        help="How to forecast: auto combines the shipped network with simple forecasts; network is"
        " the network alone, best the one with the smallest error, NAME a simple forecast.",
    ),
]
Rate = Annotated[
    float,
    typer.Option(metavar="SHARE", help="Rate of false alarms: alerts per value of a calm series."),
]
Masking = Annotated[
    str | None,
    typer.Option(
        "--outliers",
        metavar="keep|mask",
        help="Values unlike any before: keep unless given, or mask (left unknown).",
    ),
]
Outlying = Annotated[
    str | None,
    typer.Option(
        "--outliers",
        metavar="keep|mask|repair",
        help="Values unlike any before: keep unless given, mask (left unknown), or repair "
        "(replaced by what the network expects).",
    ),
]
Period = Annotated[
    list[int] | None,
    typer.Option(
        metavar="STEPS",
        help="Seasonal period; repeat for several. From the frequency unless given.",
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A saved model.")]
SavedOrShipped = Annotated[
    Path | None,
    typer.Option(
        "--model", "-m", metavar="DIR", help="A saved model; the shipped network unless given."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Processes that work on chunks in parallel; one for each processor unless given.",
    ),
]


def named(text: str) -> Path:
    """A folder to write to; an empty text, as of a script's variable that was never set, would
    be the one we are in."""
    if not text:
        raise typer.BadParameter("'' names nothing. Name a folder, such as results/model.")
    return Path(text)


Number = TypeVar("Number", int, float)


def above_zero(option: str, value: Number) -> Number:
    """A limit; UsageError for one that lets nothing through, or is none."""
    if not 0 < value < math.inf:
        raise UsageError(f"{option} {value:g} is no limit. Give a number above 0.")
    return value


def typed_options(group: Any) -> list[str]:
    """The options of a group, as they were typed; those that stay as usual are left out."""
    defaults = type(group)()
    names = [
        name for name in vars(defaults) if getattr(group, name) not in (getattr(defaults, name), [])
    ]
    return [f"--{name.replace('_', '-')}" for name in names]


def refuse_idle(options: Sequence[str], reason: str) -> None:
    """UsageError for options that would have no effect, if there are any; reason: why, and
    what to add."""
    if options:
        left_out = "it" if len(options) == 1 else "them"
        raise UsageError(
            f"{', '.join(options)} would have no effect, as {reason}, or leave {left_out} out."
        )
