"""Times in names of several levels: 2018/Q1/Jan, years above quarters above months."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmcast.data.cells.acrossparts import half_of, quarter_of
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.times import Times

_FEWEST = 3


def times_of_names(names: Sequence[str]) -> Times | None:
    """The times that all of some names are, each once; None where they are none, or doubtful.

    A level of quarters or half-years between years and months says nothing new.

    >>> times_of_names(["2018/Q1/Jan", "2018/Q1/Feb", "2018/Q1/Mar"]).values.astype(str).tolist()[1]
    '2018-02-01T00:00:00.000000'
    """
    if len(names) < _FEWEST:
        return None
    for texts in (names, _without_middle(names)):
        times = parse_times(texts) if texts else None
        if times is not None and _are_sure(times):
            return times
    return None


def _without_middle(names: Sequence[str]) -> list[str]:
    """Names of three or more levels without quarters and half-years between the others; none where
    there are no such levels."""
    texts = []
    for name in names:
        levels = [level.strip() for level in name.split("/")]
        middle = [level for level in levels[1:-1] if not _is_part(level)]
        if len(middle) + 2 >= len(levels):
            return []
        texts.append(" ".join([levels[0], *middle, levels[-1]]))
    return texts


def _is_part(level: str) -> bool:
    tidy = level.casefold()
    return bool(quarter_of(tidy) or half_of(tidy))


def _are_sure(times: Times) -> bool:
    if times.form == "index" or times.bad.any() or times.problem:
        return False
    values = times.values
    return not np.isnat(values).any() and len(np.unique(values)) == len(values)
