"""Dates as people write them, read column by column.

A text's *shape* is the text with every digit replaced by 0: `2024-03-01` has the shape
`0000-00-00`. A column has few shapes, so each is matched once and the fields of all its texts are
cut out together, as arrays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from .numbers import is_missing

# U distinct texts

_DIGITS = str.maketrans("0123456789", "0" * 10)
_PIVOT = 40  # two-digit years are 1941 … 2040
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january januar janvier enero ene gennaio gen janeiro januari jaenner jänner",
            "feb february februar février fevrier févr fevr febrero febbraio fevereiro fev "
            "februari",
            "mar march märz maerz mär mrz mars marzo março marco maart mrt",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juillet juil julio luglio lug julho",
            "aug august août aout agosto ago augustus",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october oktober okt octobre octubre ottobre ott outubro out",
            "nov november novembre noviembre novembro",
            "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro",
        ],
        start=1,
    )
    for name in names.split()
}
_WEEKDAY = (
    r"(?:(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?"
    r"|mo|di|mi|do|fr|sa|so)"
)
# the year before the first of each era
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
_ERAS |= {"r": 2018, "h": 1988, "s": 1925, "t": 1911}

_TIME = (
    r"(?:(?:t|,? +|_)(?P<H>00?)(?=[:h時]| ?[ap]\.?m)(?:[:h時](?P<M>00?)分?)?"
    r"(?:[:](?P<S>00)|(?P<S2>00?)秒|時)?(?:[.,](?P<f>0{1,9}))?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?(?: ?(?P<zone>z|utc|gmt|[+-]00:?00|[+-]00))?"
    r"(?: ?\[?[a-z]+/[a-z_/]+\]?)?)?"
)
_NAME = r"(?P<name>[^\W\d_]+)\.?"
_SHAPES = [
    pattern + _TIME
    for pattern in (
        r"(?P<y>0000)(?P<s>[-/.])(?P<m>00?)(?:(?P=s)(?P<d>00?))?",
        r"(?P<y>0000) (?P<m>00)(?: (?P<d>00))?",
        r"(?P<a>00?)(?P<s>[-/. ]) ?(?P<b>00?)(?P=s) ?(?P<y>0000|00)",
        r"(?P<y>0000) ?年(?:度)? ?(?:(?P<m>00?) ?月 ?(?:(?P<d>00?) ?日)?)?",
        r"(?P<era>令和|平成|昭和|大正|明治) ?(?P<ey>00?|元) ?年 ?"
        r"(?:(?P<m>00?) ?月 ?(?:(?P<d>00?) ?日)?)?",
        r"(?P<era>[rhst])(?P<ey>00?)[./-](?P<m>00?)(?:[./-](?P<d>00?))?",
        rf"{_NAME}[ ,/_-]*'?(?P<y>0000|00)",
        rf"(?P<y>0000)[ ,/_-]*{_NAME}",
        rf"(?P<d>00?)(?:\.|st|nd|rd|th)?[ /_-]*(?:of |de )?{_NAME}(?: de)?[ ,/_-]*'?(?P<y>0000|00)",
        rf"{_NAME}[ -]+(?P<d>00?)(?:st|nd|rd|th)?[ ,-]+(?P<y>0000)",
        rf"(?P<y>0000)[ /-]+{_NAME}[ /-]+(?P<d>00?)",
        r"(?P<y>0000)[ /_-]?q(?P<q>0)",
        r"q(?P<q>0)[ /_-]*(?P<y>0000|00)",
        r"(?P<q>0)q[ /_-]?(?P<y>0000|00)",
        r"(?P<y>0000)年 ?第?(?P<q>0)四半期",
        r"(?P<y>0000)[ -]?(?:w|kw|week ?)(?P<w>00?)(?:-(?P<wd>0))?",
        r"(?P<y>0000)(?P<m>00)(?P<d>00)(?=t|[ _]00:?00)",
        r"(?P<b>00?)/(?P<y>0000)",
        r"(?P<b>00?)[.-](?P<y>0000)",
    )
]
_COMPACT_TIME = r"(?P<y>0000)-?(?P<m>00)-?(?P<d>00)[t _](?P<H>00)(?P<M>00)(?P<S>00)?(?P<zone>z)?"
_FOREIGN = re.compile(r"[^\w /.,:'+\[\]-]")  # in none of the shapes
_compiled = cache(re.compile)  # when first tried: most columns of dates need the first one only


@dataclass(frozen=True, eq=False)
class Times:
    """Texts read as times.

    `values` (U,) datetime64[us] (or int64 for form "index"), `bad` (U,) where a text is neither
    time nor missing, `form` how sure the reading is: "date" (nothing else looks like that), "year",
    "number" (20240301, unix seconds) or "index" (plain whole numbers). `problem` is a sentence
    where the column cannot be read without a decision. `frame_zone`: the zone of the user's frame,
    where `zone` is another.
    """

    values: np.ndarray
    bad: np.ndarray
    form: str
    zone: str | None = None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    frame_zone: str | None = None


def parse_times(texts: Sequence[str]) -> Times | None:
    """Read the distinct texts of one column as times; None where hardly any is one.

    >>> parse_times(["31/01/2024", "29/02/2024"]).values.astype("datetime64[D]").tolist()
    [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)]
    """
    tidy = [_tidy(text) for text in texts]
    known = [text for text in tidy if text]
    if not known:
        return None
    if all(text.isdecimal() and text.isascii() for text in known):
        return _whole_numbers(tidy)
    few = known[:: max(1, len(known) // 200)]
    readable = [text for text in few if _match(text.translate(_DIGITS)) is not None]
    return _dates(tidy) if 2 * len(readable) >= len(few) or (readable and len(known) < 50) else None


def integer_times(numbers: np.ndarray) -> Times:
    """Read whole numbers as times: years, 202403, 20240301, unix seconds to nanoseconds, or a plain
    index.

    >>> integer_times(np.array([202401, 202402])).values.astype("datetime64[M]").tolist()
    [datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)]
    """
    numbers = np.asarray(numbers, np.int64)
    good = np.zeros(len(numbers), bool)
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if low >= 1500 and high <= 2200:
        return Times(
            (numbers - 1970).astype("datetime64[Y]").astype("datetime64[us]"), good, "year"
        )
    months, days = numbers % 100, numbers // 100
    if low >= 150001 and high <= 220012 and ((months >= 1) & (months <= 12)).all():
        return Times(_from_fields(numbers // 100, months, 1), good, "number")
    if low >= 15000101 and high <= 22001231:
        values = _from_fields(days // 100, days % 100, months)
        if not np.isnat(values).any():
            return Times(values, good, "number")
    for unit, scale, name in (
        ("s", 1, "seconds"),
        ("ms", 10**3, "milliseconds"),
        ("us", 10**6, "microseconds"),
    ):
        if 10**8 * scale <= low and high < 5 * 10**9 * scale:
            note = (f"whole numbers read as {name} since 1970 (UTC)",)
            return Times(
                numbers.astype(f"datetime64[{unit}]").astype("datetime64[us]"),
                good,
                "number",
                "UTC",
                note,
            )
    if low >= 10**17 and high < 5 * 10**18:
        note = ("whole numbers read as nanoseconds since 1970 (UTC)",)
        return Times((numbers // 1000).astype("datetime64[us]"), good, "number", "UTC", note)
    return Times(numbers, good, "index")


def _tidy(text: str) -> str:
    """Small letters, plain digits, no weekday; "" where missing."""
    if text[:1].isdigit() and text[-1:].isdigit() and text.isascii() and "  " not in text:
        return text.casefold()  # a million time stamps take this way
    if is_missing(text):
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip().casefold()
    if text[:1].isalpha() or text[-1:].isalpha() or text[-1:] == ")":
        text = re.sub(rf"^{_WEEKDAY}[.,]? +|[ ,]+{_WEEKDAY}\.?$|[ ]?\([^()\d]{{1,9}}\)$", "", text)
    return " ".join(text.split())


def _match(shape: str) -> re.Match[str] | None:
    if "0" not in shape or _FOREIGN.search(shape):
        return None
    for pattern in (*_SHAPES, _COMPACT_TIME):
        match = _compiled(pattern).fullmatch(shape)
        if match is not None and (match.groupdict().get("name") or "jan") in _MONTHS:
            return match
    return None


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


def _dates(tidy: list[str]) -> Times:
    shapes: dict[str, list[int]] = {}
    for i, text in enumerate(tidy):
        if text:
            shapes.setdefault(text.translate(_DIGITS), []).append(i)
    fields = _Fields.empty(len(tidy))
    for shape, rows in shapes.items():
        match = _match(shape)
        if match is not None:
            _cut_out(fields, np.array(rows), np.array([tidy[i] for i in rows]), match)
    notes, problem = _settle_order(fields)
    values = _from_fields(fields.year, fields.month, fields.day) + fields.micros.astype(
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
    fields.month[rows] = _MONTHS[found["name"]] if "name" in found else number("m", 1)
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
        return _ERAS[found["era"]] + (number("", 1) if found["ey"] == "元" else number("ey"))
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
    fourth = (fields.year[rows] - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
    monday = fourth - (fourth.astype(np.int64) + 3) % 7
    days = monday + 7 * (weeks - 1) + weekdays - 1
    months = days.astype("datetime64[M]")
    fields.year[rows] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    fields.month[rows] = np.where(
        (weeks >= 1) & (weeks <= 53), months.astype(np.int64) % 12 + 1, 99
    )
    fields.day[rows] = (days - months).astype(np.int64) + 1


def _from_fields(year, month, day) -> np.ndarray:
    """datetime64[us]; NaT for what no calendar has, such as 31 February."""
    year, month, day = np.broadcast_arrays(year, month, day)
    good = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = ((np.where(good, year, 1970) - 1970) * 12 + np.where(good, month, 1) - 1).astype(
        "datetime64[M]"
    )
    days = months.astype("datetime64[D]") + (day - 1)
    good = good & (days.astype("datetime64[M]") == months)
    return np.where(good, days, np.datetime64("NaT")).astype("datetime64[us]")


def _settle_order(fields: _Fields) -> tuple[tuple[str, ...], str | None]:
    """Decide whether 01/02/2020 is 1 February or 2 January, from everything that the column
    shows."""
    rows = np.flatnonzero(fields.first >= 0)
    if not len(rows):
        return (), None
    first, second = fields.first[rows], fields.second[rows]
    day_first, why = _day_first(first, second, fields.year[rows], fields.marks)
    fields.day[rows], fields.month[rows] = (first, second) if day_first else (second, first)
    order = "day/month/year" if day_first else "month/day/year"
    if why == "":
        i = np.flatnonzero(first != second)[0]
        written = f"{first[i]:02d}/{second[i]:02d}/{fields.year[rows][i]}"
        return (), (
            f"dates such as {written} can be read as day/month/year or as month/day/year, and "
            "nothing in the column tells which. Write them as year-month-day (2020-02-01), or name "
            "the month (1 Feb 2020)."
        )
    return ((f"dates read as {order}: {why}",) if why != "same" else ()), None


def _day_first(
    first: np.ndarray, second: np.ndarray, year: np.ndarray, marks: set[str]
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
        _regularity(_from_fields(year, month, day))
        for month, day in ((second, first), (first, second))
    ]
    if abs(regular[0] - regular[1]) > (0 if max(regular) == 1 else 0.1):
        return regular[0] > regular[1], "then the dates are evenly spaced"
    return True, ""


def _regularity(times: np.ndarray) -> float:
    """Share of the commonest step between neighbouring dates; months count as equal, best when
    on the first or last."""
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


def _whole_numbers(tidy: list[str]) -> Times:
    """Texts of digits only, missing ones aside."""
    there = np.array([text != "" for text in tidy])
    digits = [text for text in tidy if text]
    if any(len(text) > 18 for text in digits):
        nothing = np.full(len(tidy), np.datetime64("NaT", "us"))
        return Times(nothing, there, "index")
    lengths = {len(text) for text in digits}
    if lengths in ({12}, {14}) and all(text[:2] in ("19", "20") for text in digits):
        stamped = [f"{text[:8]} {text[8:]}" if text else "" for text in tidy]
        times = _dates(stamped)
        if not times.bad.any():
            return replace(times, form="number")
    read = integer_times(np.array([int(text) for text in digits], np.int64))
    if read.form == "index":
        values = np.zeros(len(tidy), np.int64)
        values[there] = read.values
        # a missing index has no NaT to stand for it
        return replace(read, values=values, bad=~there)
    values = np.full(len(tidy), np.datetime64("NaT"), "datetime64[us]")
    values[there] = read.values
    return replace(read, values=values, bad=np.zeros(len(tidy), bool))
