"""Parse dates in common notations, column by column.

A text's *shape* is the text with every digit replaced by 0: `2024-03-01` has the shape
`0000-00-00`. A column has few shapes, so each is matched once and the fields of all its texts are
cut out together, as arrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy import ndarray

from lstmcast.data.rarermonths import with_english_months
from lstmcast.data.scripts import without_false_friends
from lstmcast.data.times.dateformats import formatted_times
from lstmcast.data.times.dateorder import (
    NO_ZONE,
    Fields,
    century,
    settle_calendar,
    settle_order,
    swapped_back,
    year_first,
)
from lstmcast.data.times.labels import Labels, ambiguous_labels, rewritten_labels
from lstmcast.data.times.shapes import (
    DIGITS,
    ERAS,
    MONTHS,
    from_fields,
    match_shape,
    tidied,
)
from lstmcast.data.times.timenumbers import absent_weeks, iso_weeks, whole_number_texts
from lstmcast.data.times.times import Times
from lstmcast.util.patterns import pattern_of

# U distinct texts

_LONGEST = 200  # characters of a time in words
_NO_MONTH = 99  # where there is no such quarter or week
_PLAIN = 0.8  # share of the texts that are digits only, at least, beside marked ones
# 20240301.0 and 1.7040672e+12, as data frames and spreadsheets write whole numbers
_FLOATED = pattern_of(r"\d{6,14}\.0+|\d\.\d{7,14}e\+?\d\d")
_FOOTNOTE = pattern_of(r"(\d+) ?((?:\*+|[a-z]|est\.?|prel\.?|\(?\d\)|\([a-z*]+\))?)")
# 2023A and 2024E: years that all say whether they are actual ones
_ALL_MARKED = pattern_of(r"(\d{4}(?:[-/]\d\d(?:\d\d)?)?) ?([aefp]|\*+)")
_MARK_ENDS = frozenset("*†‡§)praef#")
_MARKED = pattern_of(r"(.*\w.*?) ?(\*+|[pr†‡§#]|\((?:[a-z*]{1,4}|\d)\)|\d\))")


def parse_times(
    texts: Sequence[str], *, day_first: bool | None = None, date_format: str = ""
) -> Times | None:
    """Read the distinct texts of one column as times; None if few are times.

    day_first: whether 01/02/2024 is 1 February, None to detect it; date_format: format as in
        strptime, "" to detect it.

    >>> parse_times(["31/01/2024", "29/02/2024"]).values.astype("datetime64[D]").tolist()
    [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)]
    """
    if date_format:
        return formatted_times(texts, date_format)
    tidy = with_english_months([tidied(_no_longer(text)) for text in texts])
    tidy = without_false_friends(tidy)
    filled_texts = [text for text in tidy if text]
    if not filled_texts:
        return None
    if all(map(_FLOATED.fullmatch, filled_texts)):
        tidy = [text and str(int(float(text))) for text in tidy]
        filled_texts = [text for text in tidy if text]
    if all(map(_is_whole_number, filled_texts)):
        return whole_number_texts(tidy, partial(_dates, day_first=day_first))
    marked = _marked_years(tidy, filled_texts)
    if marked is not None:
        return marked
    bare, marks = _without_marks(tidy)
    if marks:
        times = parse_times(bare, day_first=day_first)
        note = f"marks after times removed ({', '.join(marks)})"
        return None if times is None else replace(times, notes=(*times.notes, note))
    labels = ambiguous_labels(tidy, filled_texts)
    if labels is not None:
        return _labelled(labels, texts, tidy, day_first)
    if _look_like_dates(filled_texts):
        return _dates(tidy, day_first)
    labels = rewritten_labels(tidy, filled_texts)
    return None if labels is None else _labelled(labels, texts, tidy, day_first)


def _no_longer(text: str) -> str:
    """A text that may be a time; a longer one, which would take long to be compared with every form
    of a date, as a word that is none."""
    return text if len(text) <= _LONGEST else "long"


def _marked_years(tidy: list[str], known: list[str]) -> Times | None:
    """Years and other numbers of one length, of which a few have a mark of a footnote (2022p,
    2023*), and a few cells are notes; None where that is not what they are."""
    plain = [text for text in known if text.isdecimal()]
    lengths = {len(text) for text in plain}
    if (
        len(plain) < _PLAIN * len(known)
        or len(lengths) != 1
        or lengths.isdisjoint((4, 6, 8))
    ):
        return None
    matches = [_FOOTNOTE.fullmatch(text) for text in tidy]
    numbers = [match[1] for match in matches if match is not None]
    is_number = np.array(
        [match is not None and len(match[1]) in lengths for match in matches]
    )
    texts = np.full(len(tidy), "", object)
    texts[is_number] = [number for number in numbers if len(number) in lengths]
    times = whole_number_texts(texts.tolist(), _dates)
    if times.form == "index":
        return None
    is_note = ~is_number & (np.array(tidy) != "")
    marks = dict.fromkeys(
        match[2] for match in matches if match is not None and match[2]
    )
    notes = times.notes
    if marks:
        notes = (*notes, f"marks after times removed ({', '.join(marks)})")
    return replace(times, bad=times.bad | is_note, notes=notes)


def _without_marks(tidy: list[str]) -> tuple[list[str], list[str]]:
    """Texts of which a few have a mark of a footnote (2018/19*, 2019Q1p) without it, and the marks;
    none where most have one, or where a text without it does not look like the others."""
    matches = {}
    for place, text in enumerate(tidy):
        if text[-1:] not in _MARK_ENDS:
            continue
        match = _MARKED.fullmatch(text) or _ALL_MARKED.fullmatch(text)
        # the r of October is no mark
        if match is not None and (match[1][-1].isdigit() or not match[2].isalpha()):
            matches[place] = match
    are_few = 0 < 5 * len(matches) <= len(tidy)
    if not are_few and not all(map(_ALL_MARKED.fullmatch, filter(None, tidy))):
        return tidy, []
    shapes = {
        _bare_shape(text) for place, text in enumerate(tidy) if place not in matches
    }
    shapes = shapes or {_bare_shape(match[1]) for match in matches.values()}
    bare = list(tidy)
    for place, match in matches.items():
        bare[place] = match[1]
    are_alike = all(_bare_shape(bare[place]) in shapes for place in matches)
    marks = list(dict.fromkeys(match[2] for match in matches.values()))
    return (bare, marks) if are_alike else (tidy, [])


def _bare_shape(text: str) -> str:
    """The shape of a text, with any month as the first."""
    shape = text.translate(DIGITS)
    for word in re.findall(r"[^\W\d_]+", shape):
        if word in MONTHS:
            shape = shape.replace(word, "jan")
    return shape


def _is_whole_number(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _look_like_dates(texts: list[str]) -> bool:
    """Whether half of the texts have the shape of a date; of a few texts, one is enough."""
    step = max(1, len(texts) // 200)
    sample = texts[::step]
    shapes = [text.translate(DIGITS) for text in sample]
    readable = sum(match_shape(shape) is not None for shape in shapes)
    if 2 * readable >= len(sample):
        return True
    return readable > 0 and len(texts) < 50


def _labelled(
    labels: Labels, texts: Sequence[str], tidy: list[str], day_first: bool | None
) -> Times:
    """The times of labels that were rewritten as dates; notes show a label as it came."""
    times = _dates(labels.texts, day_first)
    label, text = next(pair for pair in zip(tidy, texts, strict=True) if pair[0])
    tidied_first = repr(label)
    as_it_came = repr(text.strip())
    notes = [note.replace(tidied_first, as_it_came) for note in labels.notes]
    problem = labels.problem or times.problem
    if problem:
        problem = problem.replace(tidied_first, as_it_came)
    return replace(
        times,
        notes=(*notes, *times.notes),
        form=labels.form or times.form,
        problem=problem,
    )


def _dates(tidy: list[str], day_first: bool | None = None) -> Times:
    fields = Fields.empty(len(tidy))
    for shape, rows in _rows_of_shapes(tidy).items():
        match = match_shape(shape)
        if match is not None:
            shape_texts = np.array([tidy[row] for row in rows])
            _cut_out(fields, np.array(rows), shape_texts, match)
    notes, problem = year_first(fields, day_first) or settle_order(fields, day_first)
    notes = (*notes, *swapped_back(fields))
    notes, problem = settle_calendar(fields, notes, problem)
    notes = (*notes, *sorted(fields.week_notes))
    values = from_fields(fields.year, fields.month, fields.day)
    values = values + fields.micros.astype("timedelta64[us]")
    unread = (fields.year < 0) | (fields.micros < 0)
    values[unread] = np.datetime64("NaT")
    is_text = np.array([text != "" for text in tidy])
    is_bad = np.isnat(values) & is_text
    times = Times(values, is_bad, "date", None, notes, problem)
    return _settle_zone(times, fields.offset)


def _rows_of_shapes(tidy: list[str]) -> dict[str, list[int]]:
    """The rows of the texts that have each shape."""
    rows_of_shapes: dict[str, list[int]] = {}
    for row, text in enumerate(tidy):
        if text:
            shape = text.translate(DIGITS)
            rows_of_shapes.setdefault(shape, []).append(row)
    return rows_of_shapes


class _Cut:
    """Texts (rows,) of one shape, cut where the match of that shape has its groups."""

    def __init__(self, texts: ndarray, match: re.Match[str]) -> None:
        code_points = texts.view(np.uint32).astype(np.int64)
        digits = code_points - ord("0")
        self.texts = texts
        self.match = match
        self.digits = digits.reshape(len(texts), -1)
        self.groups = match.groupdict()

    def __contains__(self, name: str) -> bool:
        return self.groups.get(name) is not None

    def __getitem__(self, name: str) -> str:
        """The group of that name, as the first of the texts has it; digits are 0."""
        return self.groups[name]

    def number(self, name: str, otherwise: int = 0) -> ndarray:
        """The number in that group of each text."""
        if name not in self:
            return np.full(len(self.texts), otherwise, np.int64)
        start, end = self.match.span(name)
        powers = 10 ** np.arange(end - start - 1, -1, -1)
        return self.digits[:, start:end] @ powers

    def parts(self, name: str) -> list[str]:
        """The group of each text."""
        start, end = self.match.span(name)
        return [text[start:end] for text in self.texts.tolist()]


def _cut_out(
    fields: Fields, rows: ndarray, texts: ndarray, match: re.Match[str]
) -> None:
    """Write the fields that `match` names into `rows`."""
    cut = _Cut(texts, match)
    fields.year[rows] = _years(cut)
    fields.month[rows] = cut.number("m", 1)
    fields.day[rows] = cut.number("d", 1)
    if "name" in cut:
        fields.month[rows] = MONTHS[cut["name"]]
    if "a" in cut:
        fields.first[rows] = cut.number("a")
        fields.second[rows] = cut.number("b")
        fields.marks.add(cut["s"])
        if len(cut["y"]) == 2:
            fields.last[rows] = cut.number("y")
    elif "b" in cut:
        fields.month[rows] = cut.number("b")
    elif "q" in cut:
        quarter = cut.number("q")
        is_quarter = (quarter >= 1) & (quarter <= 4)
        fields.month[rows] = np.where(is_quarter, 3 * quarter - 2, _NO_MONTH)
    elif "w" in cut:
        weekdays = cut.number("wd", 1)
        _set_weeks(fields, rows, cut.number("w"), weekdays)
    fields.micros[rows] = _micros(cut)
    fields.offset[rows] = _offsets(cut)


def _years(cut: _Cut) -> ndarray:
    if "era" in cut:
        is_first = cut["ey"] == "元"
        year_of_era = cut.number("", 1) if is_first else cut.number("ey")
        return ERAS[cut["era"]] + year_of_era
    years = cut.number("y")
    return century(years) if len(cut["y"]) == 2 else years


def _micros(cut: _Cut) -> ndarray:
    hours = cut.number("H")
    minutes = cut.number("M")
    if "half" in cut:
        hours = hours % 12 + 12 * (cut["half"] == "p")
    seconds = cut.number("S") + cut.number("S2")
    seconds_of_day = (hours * 60 + minutes) * 60 + seconds
    micros = seconds_of_day * 10**6 + _fraction(cut)
    is_on_clock = (minutes < 60) & (seconds < 61)
    is_within_day = micros <= 86_400 * 10**6
    return np.where(is_on_clock & is_within_day, micros, -1)


def _fraction(cut: _Cut) -> ndarray:
    """What stands behind the point of the seconds, in microseconds."""
    if "f" not in cut:
        return cut.number("f")
    digits = len(cut["f"])
    if digits <= 6:
        return cut.number("f") * 10 ** (6 - digits)
    return cut.number("f") // 10 ** (digits - 6)


def _offsets(cut: _Cut) -> ndarray:
    if "zone" not in cut:
        return np.array(NO_ZONE)
    if cut["zone"][0] not in "+-":
        return np.array(0)
    minutes = []
    for zone in cut.parts("zone"):
        offset = zone.replace(":", "")
        sign = offset[0]
        hours = offset[:3]
        minutes_of_hour = sign + (offset[3:] or "0")
        minutes.append(60 * int(hours) + int(minutes_of_hour))
    return np.array(minutes)


def _set_weeks(
    fields: Fields, rows: ndarray, weeks: ndarray, weekdays: ndarray
) -> None:
    """ISO 8601: week 1 is the one with 4 January in it; weeks begin on Monday."""
    fields.week_notes.update(absent_weeks(fields.year[rows], weeks))
    mondays = iso_weeks(fields.year[rows], weeks).astype("datetime64[D]")
    days = mondays + weekdays - 1
    months = days.astype("datetime64[M]")
    month_count = months.astype(np.int64)
    month_of_year = month_count % 12 + 1
    is_week = (weeks >= 1) & (weeks <= 53)
    fields.year[rows] = month_count // 12 + 1970
    fields.month[rows] = np.where(is_week, month_of_year, _NO_MONTH)
    days_after_first = (days - months).astype(np.int64)
    fields.day[rows] = days_after_first + 1


def _settle_zone(times: Times, offset: ndarray) -> Times:
    """Local time if all offsets agree or all times are local midnights, else UTC."""
    is_known = ~np.isnat(times.values)
    has_zone = offset != NO_ZONE
    offsets = np.unique(offset[is_known & has_zone])
    if len(offsets) == 0:
        return times
    if len(offsets) == 1:
        zone = _zone_name(int(offsets[0]))
        return replace(times, zone=zone)
    known_times = times.values[is_known]
    if (known_times == known_times.astype("datetime64[D]")).all():
        note = "offsets from UTC removed: every time is a local midnight"
        return replace(times, notes=(*times.notes, note))
    shift = np.where(has_zone, offset, 0)
    values = times.values - shift.astype("timedelta64[m]")
    least_zone = _zone_name(int(offsets[0]))
    most_zone = _zone_name(int(offsets[-1]))
    note = f"offsets from UTC differ ({least_zone} and {most_zone}): times converted to UTC"
    return replace(times, values=values, zone="UTC", notes=(*times.notes, note))


def _zone_name(minutes: int) -> str:
    if not minutes:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    hours, minutes_of_hour = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02d}:{minutes_of_hour:02d}"
