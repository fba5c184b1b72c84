"""Durations as values: 7:45 hours, PT7H45M, 7h 45m, 1 day, 2:30:00, as hours."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.missingwords import is_missing
from lstmcast.data.sheet import Column, Sheet, folded
from lstmcast.util.patterns import pattern_of

_PARTED = pattern_of(
    r"(?P<sign>-?)(?:(?P<days>\d+) ?days?,? ?\+?)?(?P<h>\d{1,5}):(?P<m>[0-5]\d)"
    r"(?::(?P<s>[0-5]\d(?:[.,]\d+)?))?"
)
_NAMED = pattern_of(
    r"(?P<sign>-?)(?:p(?=[t\d]))?(?:(?P<days>\d+) ?d(?:ays?)?,? ?)?t?"
    r"(?:(?P<h>\d+(?:[.,]\d+)?) ?(?:h|hrs?|hours?|std)\.?,? ?)?"
    r"(?:(?P<m>\d+(?:[.,]\d+)?) ?(?:m|mins?|minutes?)\.?,? ?)?"
    r"(?:(?P<s>\d+(?:[.,]\d+)?) ?(?:s|secs?|seconds?)\.?)?"
)
# names of columns whose 7:45 is no time of day
_LENGTHS = pattern_of(
    r"hours?|h:mm|hh:mm|duration|elapsed|length|wait|stunden|dauer|arbeitszeit|durée|heures|"
    r"duraci|durata|horas|\bor[ea]\b|uren|timer\b|godziny|час|длит|時間|时长|시간"
)
_PLAIN = pattern_of(r"-?\d+(?:[.,]\d+)?")
_HOURS = {"days": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}  # in one of each
_MOST_TEXTS = 100_000


def with_durations(sheet: Sheet, target: str | None) -> Sheet:
    """A sheet with its durations as hours where they are what there is to forecast: the named
    target, or no other column holds numbers."""
    if target is None and any(map(_is_numeric, sheet.columns)):
        return sheet
    columns = list(sheet.columns)
    notes = []
    for place, column in enumerate(columns):
        is_other = target is not None and folded(column.name) != folded(target)
        is_other |= column.is_text and _has_one_unit(column)
        hours = None if is_other else hours_of(column)
        if hours is None:
            continue
        example = next(str(text) for text in column.data if not is_missing(str(text)))
        columns[place] = Column(column.name, hours)
        message = f"column {column.name!r}: durations such as {example!r} read as hours"
        notes.append(Finding("numbers", "note", message))
    return (
        replace(sheet, columns=tuple(columns), notes=(*sheet.notes, *notes))
        if notes
        else sheet
    )


def _is_numeric(column: Column) -> bool:
    """Whether a column holds numbers that are no times."""
    if not column.is_text:
        return column.data.dtype.kind in "fi"
    if not _looks_numeric(column):
        return False
    is_time = column.times is not None and column.times.form != "index"
    return column.number_share >= 0.5 and not is_time


def _looks_numeric(column: Column) -> bool:
    """Whether one of the first texts has digits and no colon, as no duration does."""
    texts = [str(text) for text in column.data[:20]]
    return any(re.fullmatch(r"[^:a-zA-Z]*\d[^:a-zA-Z]*", text) for text in texts)


def hours_of(column: Column) -> np.ndarray | None:
    """The hours of a column of durations (N,), NaN where missing; None where it holds none."""
    if not column.is_text or not 0 < len(column.data) <= _MOST_TEXTS:
        return None
    hours = []
    has_unit = True
    for text in column.data:
        tidy = str(text).strip().casefold()
        if is_missing(tidy):
            hours.append(np.nan)
            continue
        parted = _PARTED.fullmatch(tidy)
        match = parted or _NAMED.fullmatch(tidy)
        if match is None or not any(match.group(*_HOURS)):
            return None
        has_unit &= parted is None or match["days"] is not None
        hours.append(_in_hours(match))
    distinct = np.array(hours)
    says_so = (
        has_unit or np.nanmax(distinct) > 24 or _LENGTHS.search(folded(column.name))
    )
    return column.spread(distinct) if np.isfinite(distinct).any() and says_so else None


def _has_one_unit(column: Column) -> bool:
    """Whether all numbers have the same one letter behind them: 2.28M are millions or minutes, and
    stay as they are."""
    texts = [str(text).strip() for text in column.data if not is_missing(str(text))]
    ends = {text[-1] for text in texts}
    if len(ends) != 1 or not ends <= set("smhMSH"):
        return False
    return all(map(_PLAIN.fullmatch, [text[:-1].strip() for text in texts]))


def _in_hours(match: re.Match[str]) -> float:
    total = 0.0
    for unit, length in _HOURS.items():
        number = (match[unit] or "0").replace(",", ".")
        total += length * float(number)
    return -total if match["sign"] else total
