"""The reader's own data instead of an example's: what an example accepts, and how it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.data.table import format_time
from lstmcast.errors import DataError, UsageError


class Takes(NamedTuple):
    """The requirements of an example on the reader's own data."""

    values: int  # minimum length of a series
    fewest: int = 1  # minimum number of series
    most: int | None = 1
    together: bool = False  # whether the series must begin and end together
    # whether they are prices of a stream, above 0, which may begin late: the longest series must
    # have the minimum number of known values
    prices: bool = False


def own_panel(
    example: str,
    takes: Takes,
    data: object,
    column: str | Sequence[str] | None = None,
    time: str | None = None,
) -> Panel | None:
    """The reader's series; None if none are given.

    Raises:
        UsageError: The arguments contradict each other.
        DataError: The data cannot be read, or the example cannot learn from them.
    """
    if data is None:
        for name, value in (("column", column), ("time", time)):
            if value is not None:
                raise UsageError(
                    f"{advise(name, value)} names a column of data, but no data are given. "
                    "Name a file with --data, or leave it out."
                )
        return None
    panel = _read(data, column, time)
    _check(example, takes, panel)
    return panel


def _read(data: object, column: str | Sequence[str] | None, time: str | None) -> Panel:
    if isinstance(data, Panel):
        if column is not None or time is not None:
            raise UsageError(
                f"{column=}, {time=}: a Panel has series, not columns. Leave them out, or pass "
                "the file or frame that the Panel was read from."
            )
        return data
    if column is not None and not isinstance(column, str) and len(column) == 1:
        column = column[0]
    try:
        # every step of the grid is a step, as in the examples
        return read(data, time=time, target=column, calendar="all")
    except DataError as error:
        # commands that read data call the option --target; here it is --column
        text = error.message.replace("--target", "--column")
        raise DataError(text) from error


def _check(example: str, takes: Takes, panel: Panel) -> None:
    source = panel.report.source
    if len(panel) < takes.fewest:
        raise DataError(
            f"example {example!r} learns from at least {takes.fewest} series, and {source} has "
            f"{len(panel)}. Name more columns with --column, once for each."
        )
    if takes.most is not None and len(panel) > takes.most:
        names = ", ".join(map(repr, panel.ids[:3].tolist()))
        ellipsis = ", …" if len(panel) > 3 else ""
        raise DataError(
            f"example {example!r} learns from {takes.most} series, and {source} has {len(panel)}: "
            f"{names}{ellipsis}. Name one of its columns with --column, or give a file "
            "of one series."
        )
    if takes.prices:
        _require_prices(example, takes.values, panel)
    elif panel.lengths.min() < takes.values:
        short = int(panel.lengths.argmin())
        raise DataError(
            f"example {example!r} needs at least {takes.values} values, and series "
            f"{str(panel.ids[short])!r} of {source} has {panel.lengths[short]}. Give a longer "
            "series."
        )
    spans = np.stack([panel.starts, panel.ends])
    if takes.together and (spans != spans[:, :1]).any():
        raise DataError(
            f"example {example!r} reads its columns together, and those of {source} do not begin "
            "and end at the same times. Cut them to the times that all of them have."
        )


def _require_prices(example: str, fewest: int, panel: Panel) -> None:
    """Raise DataError for values without returns, or with too few of them to learn from."""
    source = panel.report.source
    is_known = ~np.isnan(panel.values)
    not_positive = np.flatnonzero(panel.values <= 0)
    if len(not_positive):
        series = int(np.searchsorted(panel.offsets, not_positive[0], side="right")) - 1
        when = panel.times(series)[not_positive[0] - panel.offsets[series]]
        count = len(not_positive) - 1
        verb = "value is" if count == 1 else "values are"
        also = f", and {count:,} more {verb} not above 0" if count else ""
        raise DataError(
            f"example {example!r} learns from returns, which need prices above 0, but series "
            f"{str(panel.ids[series])!r} of {source} is {panel.values[not_positive[0]]:g} at "
            f"{format_time(when)}{also}. Name other columns with --column, or leave the "
            "cell empty where the price is unknown."
        )
    counts = np.add.reduceat(is_known, panel.offsets[:-1], dtype=np.int64)
    if counts.max() < fewest:
        longest = int(counts.argmax())
        raise DataError(
            f"example {example!r} needs at least {fewest} prices of a series, and the longest of "
            f"{source}, {str(panel.ids[longest])!r}, has {counts[longest]}. Give longer series."
        )


def fingerprint(panel: Panel | None) -> str:
    """A text that differs between data of different runs; empty for the example's own data."""
    if panel is None:
        return ""
    digest = hashlib.sha256(np.ascontiguousarray(panel.values).tobytes())
    digest.update("\0".join(map(str, panel.ids)).encode())
    return digest.hexdigest()
