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
        "--horizon",
        "-H",
        metavar="N",
        help="Number of steps to forecast (default: one season).",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Forecast up to this date, such as 2025-12-31, instead of --horizon.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No notes on standard error.")
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document on standard output instead of text."
    ),
]
HeldOut = Annotated[
    bool,
    typer.Option(
        "--held-out", help="Include the held-out forecasts in the JSON document."
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        help="Append notes, warnings and errors with their time to a file, also with --quiet.",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="|".join(LANGUAGES),
        help="Language of texts and plots (default: that of the system).",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="auto|network|best|NAME",
        help="Forecasting method: auto combines the shipped network with simple forecasts, network "
        "is the network alone, best the one with the smallest error, NAME a simple forecast.",
    ),
]
Rate = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="Rate of false alarms: alerts per value of a series without anomalies.",
    ),
]
Masking = Annotated[
    str | None,
    typer.Option(
        "--outliers",
        metavar="keep|mask",
        help="Outliers: keep (default), or mask (treat as missing).",
    ),
]
Outlying = Annotated[
    str | None,
    typer.Option(
        "--outliers",
        metavar="keep|mask|repair",
        help="Outliers: keep (default), mask (treat as missing), or repair (replace by the "
        "network's forecast).",
    ),
]
Period = Annotated[
    list[int] | None,
    typer.Option(
        metavar="STEPS",
        help="Seasonal period; repeat for several (default: from the frequency).",
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A saved model.")]
SavedOrShipped = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="DIR",
        help="A saved model (default: the shipped network).",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Number of processes that work on chunks (default: one per processor).",
    ),
]


def named(text: str) -> Path:
    """A folder to write to; an empty text, as from an unset variable, would mean the current
    one."""
    if not text:
        raise typer.BadParameter("'' is not a folder. Name one, such as results/model.")
    return Path(text)


Number = TypeVar("Number", int, float)


def above_zero(option: str, value: Number) -> Number:
    """A limit above 0; UsageError for any other value."""
    if not 0 < value < math.inf:
        raise UsageError(f"{option} {value:g} is not a limit. Give a number above 0.")
    return value


def typed_options(group: Any) -> list[str]:
    """The options of a group as typed, without those that have their default."""
    defaults = type(group)()
    names = [
        name
        for name in vars(defaults)
        if getattr(group, name) not in (getattr(defaults, name), [])
    ]
    return [f"--{name.replace('_', '-')}" for name in names]


def refuse_idle(options: Sequence[str], reason: str) -> None:
    """Raise UsageError for options that would have no effect; reason: why, and what to add."""
    if options:
        left_out = "it" if len(options) == 1 else "them"
        raise UsageError(
            f"{', '.join(options)} would have no effect: {reason}, or leave {left_out} out."
        )
