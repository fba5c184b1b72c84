"""Dates as people write them, read column by column.

A text's *shape* is the text with every digit replaced by 0: `2024-03-01` has the shape
`0000-00-00`. A column has few shapes, so each is matched once and the fields of all its texts are
cut out together, as arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy import ndarray

from .dateformats import formatted_times
from .labels import Labels, ambiguous_labels, rewritten_labels
from .shapes import DIGITS, ERAS, MONTHS, from_fields, match_shape, tidied
from .timenumbers import iso_weeks, whole_number_texts
from .times import Times

# U distinct texts

_NO_MONTH = 99  # where there is no such quarter or week
_PIVOT = 40  # two-digit years are 1941 … 2040
_PLAIN = 0.8  # share of the texts that are digits only, at least, beside marked ones
_FOOTNOTE = re.compile(r"(\d+) ?((?:\*+|[a-z]|est\.?|prel\.?|\(?\d\)|\([a-z*]+\))?)")


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
    marked = _marked_years(tidy, known)
    if marked is not None:
        return marked
    labels = ambiguous_labels(tidy, known)
    if labels is not None:
        return _labelled(labels, texts, tidy, day_first)
    sample = known[:: max(1, len(known) // 200)]
    readable = [match_shape(text.translate(DIGITS)) is not None for text in sample]
    mostly_readable = 2 * sum(readable) >= len(sample)
    if mostly_readable or (any(readable) and len(known) < 50):
        return _dates(tidy, day_first)
    labels = rewritten_labels(tidy, known)
    return None if labels is None else _labelled(labels, texts, tidy, day_first)


def _marked_years(tidy: list[str], known: list[str]) -> Times | None:
    """Years and other numbers of one length, of which a few have a mark of a footnote (2022p,
    2023*), and a few cells are notes; None where that is not what they are."""
    plain = [text for text in known if text.isdecimal()]
    lengths = {len(text) for text in plain}
    if len(plain) < _PLAIN * len(known) or len(lengths) != 1 or lengths.isdisjoint((4, 6, 8)):
        return None
    matches = [_FOOTNOTE.fullmatch(text) for text in tidy]
    numbers = [match[1] for match in matches if match is not None]
    is_number = np.array([match is not None and len(match[1]) in lengths for match in matches])
    texts = np.full(len(tidy), "", object)
    texts[is_number] = [number for number in numbers if len(number) in lengths]
    times = whole_number_texts(texts.tolist(), _dates)
    if times.form == "index":
        return None
    is_note = ~is_number & (np.array(tidy) != "")
    marks = dict.fromkeys(match[2] for match in matches if match is not None and match[2])
    notes = times.notes
    if marks:
        notes = (*notes, f"marks behind times taken off ({', '.join(marks)})")
    return replace(times, bad=times.bad | is_note, notes=notes)


def _labelled(
    labels: Labels, texts: Sequence[str], tidy: list[str], day_first: bool | None
) -> Times:
    """The times of labels that were rewritten as dates; notes show a label as it came."""
    times = _dates(labels.texts, day_first)
    first = next(place for place, text in enumerate(tidy) if text)
    tidied_first = repr(tidy[first])
    as_it_came = repr(texts[first].strip())
    notes = [note.replace(tidied_first, as_it_came) for note in labels.notes]
    problem = labels.problem or times.problem
    return replace(
        times,
        notes=(*notes, *times.notes),
        form=labels.form or times.form,
        problem=problem.replace(tidied_first, as_it_came) if problem else None,
    )


@dataclass(eq=False)
class _Fields:
    """What has been cut out so far, one row per distinct text; −1 = not read. Filled shape by
    shape."""

    year: ndarray
    month: ndarray
    day: ndarray
    first: ndarray  # of 01/02/2020, where the order is not known yet
    second: ndarray
    last: ndarray  # of 01/02/20, where the year may come first; else −1
    micros: ndarray  # since midnight; −1 where no clock shows that time
    offset: ndarray  # minutes east of UTC, NO_ZONE where none is written
    marks: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls, size: int) -> _Fields:
        year, month, day, first, second, last = (np.full(size, -1, np.int64) for _ in range(6))
        micros = np.zeros(size, np.int64)
        offset = np.full(size, _NO_ZONE)
        return cls(year, month, day, first, second, last, micros, offset)


_NO_ZONE = np.iinfo(np.int64).min


def _dates(tidy: list[str], day_first: bool | None = None) -> Times:
    rows_of_shapes: dict[str, list[int]] = {}
    for row, text in enumerate(tidy):
        if text:
            shape = text.translate(DIGITS)
            rows_of_shapes.setdefault(shape, []).append(row)
    fields = _Fields.empty(len(tidy))
    for shape, rows in rows_of_shapes.items():
        match = match_shape(shape)
        if match is not None:
            same = np.array([tidy[row] for row in rows])
            _cut_out(fields, np.array(rows), same, match)
    notes, problem = _year_first(fields, day_first) or _settle_order(fields, day_first)
    notes, problem = _settle_calendar(fields, notes, problem)
    values = from_fields(fields.year, fields.month, fields.day)
    values = values + fields.micros.astype("timedelta64[us]")
    unread = (fields.year < 0) | (fields.micros < 0)
    values[unread] = np.datetime64("NaT")
    is_text = np.array([text != "" for text in tidy])
    times = Times(values, np.isnat(values) & is_text, "date", None, notes, problem)
    has_zone = (fields.offset != _NO_ZONE).any()
    return _settle_zone(times, fields.offset) if has_zone else times


def _cut_out(fields: _Fields, rows: ndarray, texts: ndarray, match: re.Match[str]) -> None:
    """Write the fields that `match` names into `rows`."""
    code_points = texts.view(np.uint32).reshape(len(texts), -1)
    digits = code_points.astype(np.int64) - ord("0")
    named = {name: text for name, text in match.groupdict().items() if text is not None}

    def number(name: str, otherwise: int = 0) -> ndarray:
        if name not in named:
            return np.full(len(rows), otherwise, np.int64)
        start, end = match.span(name)
        powers = 10 ** np.arange(end - start - 1, -1, -1)
        return digits[:, start:end] @ powers

    fields.year[rows] = _years(number, named)
    fields.month[rows] = MONTHS[named["name"]] if "name" in named else number("m", 1)
    fields.day[rows] = number("d", 1)
    if "a" in named:
        fields.first[rows] = number("a")
        fields.second[rows] = number("b")
        fields.marks.add(named["s"])
        if len(named["y"]) == 2:
            fields.last[rows] = number("y")
    elif "b" in named:
        fields.month[rows] = number("b")
    elif "q" in named:
        quarter = number("q")
        is_quarter = (quarter >= 1) & (quarter <= 4)
        fields.month[rows] = np.where(is_quarter, 3 * quarter - 2, _NO_MONTH)
    elif "w" in named:
        _set_weeks(fields, rows, number("w"), number("wd", 1))
    fields.micros[rows] = _micros(number, named)
    fields.offset[rows] = _offsets(named, texts, match)


def _years(number: Callable[..., ndarray], named: dict[str, str]) -> ndarray:
    if "era" in named:
        is_first = named["ey"] == "元"
        year_of_era = number("", 1) if is_first else number("ey")
        return ERAS[named["era"]] + year_of_era
    years = number("y")
    return _century(years) if len(named["y"]) == 2 else years


def _century(years: ndarray) -> ndarray:
    """Years of two digits in full."""
    return np.where(years > _PIVOT, 1900, 2000) + years


def _micros(number: Callable[..., ndarray], named: dict[str, str]) -> ndarray:
    hours, minutes = number("H"), number("M")
    if "half" in named:
        hours = hours % 12 + 12 * (named["half"] == "p")
    seconds = number("S") + number("S2")
    digits = len(named.get("f", ""))
    fraction = number("f") * 10 ** max(0, 6 - digits) // 10 ** max(0, digits - 6)
    micros = ((hours * 60 + minutes) * 60 + seconds) * 10**6 + fraction
    is_shown = (minutes < 60) & (seconds < 61) & (micros <= 86_400 * 10**6)
    return np.where(is_shown, micros, -1)


def _offsets(named: dict[str, str], texts: ndarray, match: re.Match[str]) -> ndarray:
    zone = named.get("zone")
    if zone is None:
        return np.array(_NO_ZONE)
    if zone[0] not in "+-":
        return np.array(0)
    start, end = match.span("zone")
    minutes = []
    for text in texts.tolist():
        written = text[start:end].replace(":", "")
        sign, hours, rest = written[0], written[:3], written[3:] or "0"
        minutes.append(int(hours) * 60 + int(sign + rest))
    return np.array(minutes)


def _set_weeks(fields: _Fields, rows: ndarray, weeks: ndarray, weekdays: ndarray) -> None:
    """ISO 8601: week 1 is the one with 4 January in it; weeks begin on Monday."""
    mondays = iso_weeks(fields.year[rows], weeks).astype("datetime64[D]")
    days = mondays + weekdays - 1
    months = days.astype("datetime64[M]")
    is_week = (weeks >= 1) & (weeks <= 53)
    month_of_year = months.astype(np.int64) % 12 + 1
    fields.year[rows] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    fields.month[rows] = np.where(is_week, month_of_year, _NO_MONTH)
    fields.day[rows] = (days - months).astype(np.int64) + 1


def _year_first(fields: _Fields, said: bool | None) -> tuple[tuple[str, ...], None] | None:
    """24/01/31 and 24-01-31 as year, month and day, where only that makes even steps; None
    elsewhere, with nothing settled."""
    rows = np.flatnonzero(fields.first >= 0)
    if said is not None or len(rows) < 3 or (fields.last[rows] < 0).any():
        return None
    if not (fields.second[rows] <= 12).all() or fields.marks == {"."}:
        return None
    years = _century(fields.first[rows])
    month, day, micros = fields.second[rows], fields.last[rows], fields.micros[rows]
    as_year_first = _regularity(from_fields(years, month, day), micros)
    late_years = fields.year[rows]
    otherwise = max(
        _regularity(from_fields(late_years, month, fields.first[rows]), micros),
        _regularity(from_fields(late_years, fields.first[rows], month), micros),
    )
    if as_year_first < 0.9 or as_year_first <= otherwise:
        return None
    fields.year[rows], fields.month[rows], fields.day[rows] = years, month, day
    return ("dates read as year/month/day: then they are evenly spaced",), None


_THAI_YEARS, _PERSIAN_YEARS = (2450, 2650), (1300, 1450)
_BUDDHIST = 543  # years that its era is ahead


def _settle_calendar(
    fields: _Fields, notes: tuple[str, ...], problem: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Years of the Buddhist era as those of ours; a problem where they are of a calendar whose
    months are others."""
    years = fields.year[fields.year >= 0]
    if not len(years):
        return notes, problem
    first, latest = int(years.min()), int(years.max())
    if _THAI_YEARS[0] <= first and latest <= _THAI_YEARS[1]:
        fields.year[fields.year >= 0] -= _BUDDHIST
        note = f"years such as {first} read as those of the Buddhist era: {first - _BUDDHIST}"
        return (*notes, note), problem
    if _PERSIAN_YEARS[0] <= first and latest <= _PERSIAN_YEARS[1] and (fields.day > 1).any():
        return notes, (
            f"dates in years such as {first} look like those of the Persian or the Islamic "
            "calendar, which is not read. Convert them to dates such as 2024-03-20."
        )
    return notes, problem


def _settle_order(fields: _Fields, said: bool | None = None) -> tuple[tuple[str, ...], str | None]:
    """Decide whether 01/02/2020 is 1 February or 2 January, from everything that the column
    shows."""
    rows = np.flatnonzero(fields.first >= 0)
    if not len(rows):
        return (), None
    first, second, year = fields.first[rows], fields.second[rows], fields.year[rows]
    if said is None:
        day_first, why = _day_first(first, second, year, fields.micros[rows], fields.marks)
    else:
        day_first, why = said, "same"  # nothing to be told
    day, month = (first, second) if day_first else (second, first)
    fields.day[rows] = day
    fields.month[rows] = month
    if why == "same":
        return (), None
    if why:
        order = "day/month/year" if day_first else "month/day/year"
        return (f"dates read as {order}: {why}",), None
    row = np.flatnonzero(first != second)[0]
    written = f"{first[row]:02d}/{second[row]:02d}/{year[row]}"
    return (), (
        f"dates such as {written} can be read as day/month/year or as month/day/year, and "
        "nothing in the column tells which. Say it with --day-first or --month-first (in "
        "Python: day_first=True or False)."
    )


def _day_first(
    first: ndarray,
    second: ndarray,
    year: ndarray,
    micros: ndarray,
    marks: set[str],
) -> tuple[bool, str]:
    over_first, over_second = int((first > 12).sum()), int((second > 12).sum())
    # both: the rarer ones are mistakes and will be reported as no dates
    if over_first or over_second:
        day_first = over_first >= over_second
        days = first if day_first else second
        return day_first, f"{int(days.max())} can only be a day"
    if (first == second).all():
        return True, "same"
    if marks == {"."}:
        return True, "dates with points are written so"
    as_day_first = _regularity(from_fields(year, second, first), micros)
    as_month_first = _regularity(from_fields(year, first, second), micros)
    least = 0 if max(as_day_first, as_month_first) == 1 else 0.1
    if abs(as_day_first - as_month_first) > least:
        return as_day_first > as_month_first, "then the dates are evenly spaced"
    return True, ""


def _regularity(times: ndarray, micros: ndarray) -> float:
    """Share of the commonest step between neighbouring dates; months count as equal, best when
    on the first or last. Clock times, micros after midnight, count too where there are some."""
    if (micros != micros[0]).any():
        known = ~np.isnat(times) & (micros >= 0)
        clock = micros[known].astype("timedelta64[us]")
        steps = np.diff(np.unique(times[known] + clock))
        counts = np.unique(steps, return_counts=True)[1]
        return counts.max(initial=0) / max(len(steps), 1)
    days = np.unique(times[~np.isnat(times)].astype("datetime64[D]"))
    steps = np.diff(days.astype(np.int64))
    if len(steps) < 2:
        return 0.0
    is_month = (steps >= 28) & (steps <= 31)
    day_of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    on_first, near_last = (day_of_month == 1).all(), (day_of_month >= 28).all()
    weight = 1.0 if on_first or near_last else 0.5
    counts = np.unique(steps[~is_month], return_counts=True)[1]
    commonest = max(is_month.sum() * weight, counts.max(initial=0))
    return commonest / len(steps)


def _settle_zone(times: Times, offset: ndarray) -> Times:
    """Local wall time where all offsets agree, or all times are local midnights; UTC where they
    differ."""
    known = ~np.isnat(times.values)
    offsets = np.unique(offset[known & (offset != _NO_ZONE)])
    if len(offsets) == 0:
        return times
    if len(offsets) == 1:
        return replace(times, zone=_zone_name(int(offsets[0])))
    known_times = times.values[known]
    if (known_times == known_times.astype("datetime64[D]")).all():
        note = "offsets from UTC left off: every time is a local midnight"
        return replace(times, notes=(*times.notes, note))
    shift = np.where(offset == _NO_ZONE, 0, offset).astype("timedelta64[m]")
    least, most = _zone_name(int(offsets[0])), _zone_name(int(offsets[-1]))
    note = f"offsets from UTC differ ({least} and {most}): times converted to UTC"
    notes = (*times.notes, note)
    return replace(times, values=times.values - shift, zone="UTC", notes=notes)


def _zone_name(minutes: int) -> str:
    if not minutes:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02d}:{rest:02d}"
