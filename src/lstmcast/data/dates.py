"""Dates as people write them, read column by column.

A text's *shape* is the text with every digit replaced by 0: `2024-03-01` has the shape
`0000-00-00`. A column has few shapes, so each is matched once and the fields of all its texts are
cut out together, as arrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from .dateformats import formatted_times
from .labels import Labels, ambiguous_labels, rewritten_labels
from .shapes import DIGITS, ERAS, MONTHS, from_fields, match_shape, tidied
from .timenumbers import iso_weeks, whole_number_texts
from .times import Times

# U distinct texts

_PIVOT = 40  # two-digit years are 1941 … 2040


def parse_times(
    texts: Sequence[str], *, day_first: bool | None = None, date_format: str = ""
) -> Times | None:
    """Read the distinct texts of one column as times; None where hardly any is one.

    day_first: whether 01/02/2024 is 1 February, None to find out; date_format: of all of them, as
    strptime has it, "" to find out.

    >>> parse_times(["31/01/2024", "29/02/2024"]).values.astype("datetime64[D]").tolist()
    [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)]
    """
    if date_format:
        return formatted_times(texts, date_format)
    tidy = [tidied(text) for text in texts]
    known = [text for text in tidy if text]
    if not known:
        return None
    if all(text.isdecimal() and text.isascii() for text in known):
        return whole_number_texts(tidy, partial(_dates, day_first=day_first))
    labels = ambiguous_labels(tidy, known)
    if labels is not None:
        return _labelled(labels, texts, tidy, day_first)
    few = known[:: max(1, len(known) // 200)]
    readable = [text for text in few if match_shape(text.translate(DIGITS)) is not None]
    if 2 * len(readable) >= len(few) or (readable and len(known) < 50):
        return _dates(tidy, day_first)
    labels = rewritten_labels(tidy, known)
    return None if labels is None else _labelled(labels, texts, tidy, day_first)


def _labelled(
    labels: Labels, texts: Sequence[str], tidy: list[str], day_first: bool | None
) -> Times:
    """The times of labels that were rewritten as dates; notes show a label as it came."""
    times = _dates(labels.texts, day_first)
    first = next(place for place, text in enumerate(tidy) if text)
    tidied_first, as_it_came = repr(tidy[first]), repr(texts[first].strip())
    told = tuple(note.replace(tidied_first, as_it_came) for note in labels.notes)
    form = labels.form or times.form
    problem = labels.problem or times.problem
    problem = problem.replace(tidied_first, as_it_came) if problem else None
    return replace(times, notes=(*told, *times.notes), form=form, problem=problem)


@dataclass(eq=False)
class _Fields:
    """What has been cut out so far, one row per distinct text; −1 = not read. Filled shape by
    shape."""

    year: np.ndarray
    month: np.ndarray
    day: np.ndarray
    first: np.ndarray  # of 01/02/2020, where the order is not known yet
    second: np.ndarray
    micros: np.ndarray  # since midnight; −1 where no clock shows that time
    offset: np.ndarray  # minutes east of UTC, NO_ZONE where none is written
    marks: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls, size: int) -> _Fields:
        year, month, day, first, second = (np.full(size, -1, np.int64) for _ in range(5))
        return cls(
            year, month, day, first, second, np.zeros(size, np.int64), np.full(size, _NO_ZONE)
        )


_NO_ZONE = np.iinfo(np.int64).min


def _dates(tidy: list[str], day_first: bool | None = None) -> Times:
    shapes: dict[str, list[int]] = {}
    for i, text in enumerate(tidy):
        if text:
            shapes.setdefault(text.translate(DIGITS), []).append(i)
    fields = _Fields.empty(len(tidy))
    for shape, rows in shapes.items():
        match = match_shape(shape)
        if match is not None:
            _cut_out(fields, np.array(rows), np.array([tidy[i] for i in rows]), match)
    notes, problem = _settle_order(fields, day_first)
    values = from_fields(fields.year, fields.month, fields.day) + fields.micros.astype(
        "timedelta64[us]"
    )
    values[(fields.year < 0) | (fields.micros < 0)] = np.datetime64("NaT")
    bad = np.isnat(values) & np.array([text != "" for text in tidy])
    times = Times(values, bad, "date", None, notes, problem)
    return _settle_zone(times, fields.offset) if (fields.offset != _NO_ZONE).any() else times


def _cut_out(fields: _Fields, rows: np.ndarray, texts: np.ndarray, match: re.Match[str]) -> None:
    """Write the fields that `match` names into `rows`."""
    codes = texts.view(np.uint32).reshape(len(texts), -1).astype(np.int64) - ord("0")
    found = {name: text for name, text in match.groupdict().items() if text is not None}

    def number(name: str, otherwise: int = 0) -> np.ndarray:
        if name not in found:
            return np.full(len(rows), otherwise, np.int64)
        start, end = match.span(name)
        return codes[:, start:end] @ 10 ** np.arange(end - start - 1, -1, -1)

    fields.year[rows] = _years(number, found)
    fields.month[rows] = MONTHS[found["name"]] if "name" in found else number("m", 1)
    fields.day[rows] = number("d", 1)
    if "a" in found:
        fields.first[rows], fields.second[rows] = number("a"), number("b")
        fields.marks.add(found["s"])
    elif "b" in found:
        fields.month[rows] = number("b")
    elif "q" in found:
        quarter = number("q")
        fields.month[rows] = np.where((quarter >= 1) & (quarter <= 4), 3 * quarter - 2, 99)
    elif "w" in found:
        _set_weeks(fields, rows, number("w"), number("wd", 1))
    fields.micros[rows] = _micros(number, found)
    fields.offset[rows] = _offsets(number, found, texts, match)


def _years(number, found: dict[str, str]) -> np.ndarray:
    if "era" in found:
        return ERAS[found["era"]] + (number("", 1) if found["ey"] == "元" else number("ey"))
    years = number("y")
    return np.where(years > _PIVOT, 1900, 2000) + years if len(found["y"]) == 2 else years


def _micros(number, found: dict[str, str]) -> np.ndarray:
    hours = number("H")
    if "half" in found:
        hours = hours % 12 + 12 * (found["half"] == "p")
    seconds = number("S") + number("S2")
    fraction = (
        number("f")
        * 10 ** max(0, 6 - len(found.get("f", "")))
        // 10 ** max(0, len(found.get("f", "")) - 6)
    )
    micros = ((hours * 60 + number("M")) * 60 + seconds) * 10**6 + fraction
    return np.where((number("M") < 60) & (seconds < 61) & (micros <= 86_400 * 10**6), micros, -1)


def _offsets(number, found: dict[str, str], texts: np.ndarray, match: re.Match[str]) -> np.ndarray:
    zone = found.get("zone")
    if zone is None:
        return np.array(_NO_ZONE)
    if zone[0] not in "+-":
        return np.array(0)
    start, end = match.span("zone")
    written = [text[start:end].replace(":", "") for text in texts.tolist()]
    return np.array([int(text[:3]) * 60 + int(text[0] + (text[3:] or "0")) for text in written])


def _set_weeks(fields: _Fields, rows: np.ndarray, weeks: np.ndarray, weekdays: np.ndarray) -> None:
    """ISO 8601: week 1 is the one with 4 January in it; weeks begin on Monday."""
    days = iso_weeks(fields.year[rows], weeks).astype("datetime64[D]") + weekdays - 1
    months = days.astype("datetime64[M]")
    fields.year[rows] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    fields.month[rows] = np.where(
        (weeks >= 1) & (weeks <= 53), months.astype(np.int64) % 12 + 1, 99
    )
    fields.day[rows] = (days - months).astype(np.int64) + 1


def _settle_order(fields: _Fields, said: bool | None = None) -> tuple[tuple[str, ...], str | None]:
    """Decide whether 01/02/2020 is 1 February or 2 January, from everything that the column
    shows."""
    rows = np.flatnonzero(fields.first >= 0)
    if not len(rows):
        return (), None
    first, second = fields.first[rows], fields.second[rows]
    if said is None:
        micros = fields.micros[rows]
        day_first, why = _day_first(first, second, fields.year[rows], micros, fields.marks)
    else:
        day_first, why = said, "same"  # nothing to be told
    fields.day[rows], fields.month[rows] = (first, second) if day_first else (second, first)
    order = "day/month/year" if day_first else "month/day/year"
    if why == "":
        i = np.flatnonzero(first != second)[0]
        written = f"{first[i]:02d}/{second[i]:02d}/{fields.year[rows][i]}"
        return (), (
            f"dates such as {written} can be read as day/month/year or as month/day/year, and "
            "nothing in the column tells which. Say it with --day-first or --month-first (in "
            "Python: day_first=True or False)."
        )
    return ((f"dates read as {order}: {why}",) if why != "same" else ()), None


def _day_first(
    first: np.ndarray,
    second: np.ndarray,
    year: np.ndarray,
    micros: np.ndarray,
    marks: set[str],
) -> tuple[bool, str]:
    over_first, over_second = int((first > 12).sum()), int((second > 12).sum())
    # both: the rarer ones are mistakes and will be reported as no dates
    if over_first or over_second:
        day_first = over_first >= over_second
        example = int((first if day_first else second).max())
        return day_first, f"{example} can only be a day"
    if (first == second).all():
        return True, "same"
    if marks == {"."}:
        return True, "dates with points are written so"
    regular = [
        _regularity(from_fields(year, month, day), micros)
        for month, day in ((second, first), (first, second))
    ]
    if abs(regular[0] - regular[1]) > (0 if max(regular) == 1 else 0.1):
        return regular[0] > regular[1], "then the dates are evenly spaced"
    return True, ""


def _regularity(times: np.ndarray, micros: np.ndarray) -> float:
    """Share of the commonest step between neighbouring dates; months count as equal, best when
    on the first or last. Clock times, micros after midnight, count too where there are some."""
    if (micros != micros[0]).any():
        known = ~np.isnat(times) & (micros >= 0)
        steps = np.diff(np.unique(times[known] + micros[known].astype("timedelta64[us]")))
        counts = np.unique(steps, return_counts=True)[1]
        return counts.max(initial=0) / max(len(steps), 1)
    days = np.unique(times[~np.isnat(times)].astype("datetime64[D]"))
    steps = np.diff(days.astype(np.int64))
    if len(steps) < 2:
        return 0.0
    monthly = (steps >= 28) & (steps <= 31)
    in_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    edge = bool((in_month == 1).all() or (in_month >= 28).all())
    counts = np.unique(steps[~monthly], return_counts=True)[1]
    return max(monthly.sum() * (1.0 if edge else 0.5), counts.max(initial=0)) / len(steps)


def _settle_zone(times: Times, offset: np.ndarray) -> Times:
    """Local wall time where all offsets agree, or all times are local midnights; UTC where they
    differ."""
    known = ~np.isnat(times.values)
    offsets = np.unique(offset[known & (offset != _NO_ZONE)])
    if len(offsets) == 0:
        return times
    if len(offsets) == 1:
        return replace(times, zone=_zone_name(int(offsets[0])))
    if (times.values[known] == times.values[known].astype("datetime64[D]")).all():
        return replace(
            times, notes=(*times.notes, "offsets from UTC left off: every time is a local midnight")
        )
    shift = np.where(offset == _NO_ZONE, 0, offset).astype("timedelta64[m]")
    names = " and ".join(_zone_name(int(minutes)) for minutes in offsets[[0, -1]])
    notes = (*times.notes, f"offsets from UTC differ ({names}): times converted to UTC")
    return replace(times, values=times.values - shift, zone="UTC", notes=notes)


def _zone_name(minutes: int) -> str:
    return (
        f"UTC{'+' if minutes > 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        if minutes
        else "UTC"
    )
