"""Times whose parts stand in columns of their own: a date and a clock time, a year and a month or
quarter, joined where that makes times unique."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from lstmcast.data.shapes import MONTHS
from lstmcast.data.sheet import Column, Sheet, dropped_lines
from lstmcast.data.timenumbers import iso_weeks
from lstmcast.errors import DataError

_WORDS = {
    "year": "year yr yyyy jahr année annee an año ano anno jaar rok år 年 年度",
    "half": "half semester semestre halbjahr 半期",
    "quarter": "quarter qtr quart q quartal trimestre trim kvartal kwartaal 四半期",
    "month": "month mo mm mnth mon monat mois mes mês mese maand måned 月",
    "week": "week wk weeknum weekno isoweek kw woche semaine semana settimana uge vecka 週",
    "yearday": "doy dayofyear yday jday julianday ydays",
    "day": "day dd dy dom mday tag jour día dia giorno dag 日",
    "hour": "hour hr hh h he stunde heure hora ora uur time 時 時間",
    "minute": "minute minutes min mi minuten minuto 分",
    "second": "second seconds sec ss sekunde seconde segundo 秒",
    "slot": "period slot interval sp settlementperiod timeslot zeitintervall",
}
_NAMED = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# words beside those that do not change what a column is
_BESIDE_WORDS = """
of the no nr number start begin beginning ending end local utc gmt cet cest iso mtu settlement in
hours num index calendar fiscal period obs observation reference ref time
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
_HIGHEST = {
    "half": 2,
    "quarter": 4,
    "month": 13,
    "week": 53,
    "yearday": 366,
    "day": 31,
    "hour": 24,
    "minute": 59,
    "second": 60,
    "slot": 300,
}
# what follows what: a date goes on with a clock time, a year with a part of it
_AFTER_YEAR = ("half", "quarter", "month", "week", "yearday")
_FINER = {
    "date": ("hour", "slot"),
    "month": ("day",),
    "day": ("hour", "slot"),
    "yearday": ("hour",),
    "hour": ("minute",),
    "minute": ("second",),
}
_NUMBER = re.compile(
    r"(?:[^\W\d_]{0,6}[. ]?)(\d{1,4})(?:\.0+)?(?:st|nd|rd|th|四半期|半期| ?uhr| ?hrs?|[^\W\d_])?\.?"
)
_CLOCK = re.compile(
    r"(?P<H>\d\d?)(?:[:.h](?P<M>\d\d))(?:[:.](?P<S>\d\d))?(?:[.,]\d+)? ?(?P<half>[ap])?\.?(?:m\.?)?"
    r"(?: ?[-~–] ?\d\d?[:.h]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?)?"
)
_COMPACT = re.compile(r"\b(time|hhmm|hour|hr|stunde|uhrzeit|zeit|heure|hora|時刻)\b")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
# rows that sum up the others of a year, in a column of months or quarters
_SUMS = re.compile(
    r"(?:m13|q0?5|s0?3|a0?1|total|annual|annual average|year|average|avg|mean|sum|jahr|gesamt|"
    r"summe|année|anual|計|合計|年計|年間|通年|平均)\.?"
)
_SLOTS = ((24, 60), (50, 30), (100, 15), (144, 10), (300, 5))  # at most so many, of so many minutes
_UNREAD = 0.02  # share of rows whose parts make no time, at most, for them to be believed
_HOUR = 3600 * 10**6


@dataclass(frozen=True, eq=False)
class _Part:
    """A column of a part: its kind, and the numbers of its rows (N,), NaN where there is none."""

    column: Column
    kind: str
    numbers: ndarray


def with_joined_times(
    sheet: Sheet, taken: Sequence[Column] = (), time: str | Sequence[str] | None = None
) -> Sheet:
    """The sheet with the columns of parts of the time replaced by one column of times, where that
    makes the times of more rows distinct; as it is where there are none.

    taken: columns that are something else. time: the column that was named as the time, of which
    parts in other columns may be a refinement; or all columns that are to be joined.
    """
    if time is not None and not isinstance(time, str) and len(time) > 1:
        return _joined_as_said(sheet, [_column(sheet, name) for name in time])
    free = [c for c in sheet.columns if not any(c is other for other in taken)]
    if len(free) < 2:
        return sheet
    named = None if time is None else _named_base(free, time if isinstance(time, str) else time[0])
    if time is not None and named is None:
        return sheet
    dates = [c for c in ([named] if named is not None else free) if _is_dates(c)]
    if dates:
        return _joined_to_date(sheet, free, dates)
    return _joined_to_year(sheet, free, named)


def parts_of_name(names: Sequence[str], joined: str) -> list[str]:
    """The columns of which a joined column was made and called; none where these have no such.

    >>> parts_of_name(["Year", "Month", "y"], "Year-Month")
    ['Year', 'Month']
    """
    if joined in names:
        return [joined]
    for name in names:
        if joined.startswith(f"{name}-"):
            rest = parts_of_name(names, joined.removeprefix(f"{name}-"))
            if rest:
                return [name, *rest]
    return []


def _column(sheet: Sheet, name: str) -> Column:
    """A column that was named to be joined."""
    folded = name.strip().casefold()
    for column in sheet.columns:
        if column.name.strip().casefold() == folded:
            return column
    raise DataError(
        f"{sheet.source} has no column {name!r} for the time. Its columns are:\n{sheet.describe()}"
    )


def _named_base(free: Sequence[Column], name: str) -> Column | None:
    folded = name.strip().casefold()
    return next((c for c in free if c.name.strip().casefold() == folded), None)


def _is_dates(column: Column) -> bool:
    """Whether a column holds dates, and nothing that numbers could be."""
    if column.data.dtype.kind != "M" and not column.is_text:
        return False
    times = column.times
    if times is None or times.form not in ("date", "number") or column.time_share <= 0.5:
        return False
    known = times.values[~np.isnat(times.values)]
    years = np.unique(known.astype("datetime64[Y]"))
    # 2020年度, FY19: years in words, which a month or a quarter may refine
    return bool(len(years) < 2 or (known != known.astype("datetime64[Y]")).any())


# ---------------------------------------------------------------- a date and a clock time


def _joined_to_date(sheet: Sheet, free: list[Column], dates: list[Column]) -> Sheet:
    for date in dates:
        if date.times is None or date.times.problem is not None:
            continue
        values = date.spread(date.times.values)
        values = _carried(values, date.missing)
        if not _on_days(values):
            continue
        others = [c for c in free if c is not date and not any(c is d for d in dates)]
        parts = _clock_parts(others, values)
        if parts:
            joined = _with_parts(values, parts)
            return _replaced(sheet, [date, *(part.column for part in parts)], joined)
    return sheet


def _on_days(values: ndarray) -> bool:
    known = values[~np.isnat(values)]
    return len(known) > 1 and bool((known == known.astype("datetime64[D]")).all())


def _clock_parts(columns: Sequence[Column], values: ndarray) -> list[_Part]:
    """The columns that tell rows of one date apart as a clock does, if there are some."""
    clocks = [part for c in columns if (part := _clock_of(c)) is not None]
    named = clocks or any(_kind_of_name(c.name) is not None for c in columns)
    if not named or len(np.unique(values)) > 0.9 * len(values):
        return []
    if not clocks and _all_month_starts(values):
        clocks = _days_of_month(columns)
    if not clocks:
        found = _parts(columns)
        first = next((found[kind] for kind in ("hour", "slot") if kind in found), None)
        clocks = [] if first is None else _chain(first, found)
    for clock in clocks[:1]:
        if _refines(values, _with_parts(values, [clock])):
            return clocks if clock.kind != "clock" else [clock]
    return []


def _all_month_starts(values: ndarray) -> bool:
    known = values[~np.isnat(values)]
    return bool((known == known.astype("datetime64[M]")).all())


def _days_of_month(columns: Sequence[Column]) -> list[_Part]:
    found = _parts(columns)
    return _chain(found["day"], found) if "day" in found else []


def _refines(coarse: ndarray, fine: ndarray) -> bool:
    """Whether a finer time tells most rows of a coarser one apart."""
    known = ~np.isnat(fine)
    if np.count_nonzero(~known) > _UNREAD * len(fine):
        return False
    return len(np.unique(fine[known])) >= 1.5 * len(np.unique(coarse[known]))


# ---------------------------------------------------------------- a year and a part of it


def _joined_to_year(sheet: Sheet, free: list[Column], named: Column | None) -> Sheet:
    found = _parts(free)
    year = found.get("year")
    if named is not None and (year is None or year.column is not named):
        return sheet
    part = next((found[kind] for kind in ("month", *_AFTER_YEAR) if kind in found), None)
    if year is None or part is None:
        return sheet
    parts = _chain(part, found)
    sums = _sums(part.column)
    if sums.any():
        return _joined_to_year_without(sheet, sums, [year, *parts], free)
    values = _years(year)
    joined = _with_parts(values, parts)
    if not _refines(values, joined):
        return sheet
    return _replaced(sheet, [year.column, *(p.column for p in parts)], joined)


def _joined_to_year_without(
    sheet: Sheet, sums: ndarray, parts: list[_Part], free: list[Column]
) -> Sheet:
    """The sheet without the rows that sum up a year, joined."""
    rest = np.flatnonzero(~sums)
    if not len(rest):
        return sheet
    words = parts[1].column
    left = np.flatnonzero(sums).tolist()
    reasons = {int(sheet.lines[row]): f"{words.cell(row)!r} sums up others" for row in left}
    places = [next(i for i, own in enumerate(sheet.columns) if own is c) for c in free]
    filled = _with_carried(sheet, parts[0].column)
    part = filled.take(rest, *dropped_lines(reasons))
    return _joined_to_year(part, [part.columns[place] for place in places], None)


def _with_carried(sheet: Sheet, column: Column) -> Sheet:
    """The sheet with empty cells of a column filled by what stands above them."""
    rows = _last_filled(column.missing)
    filled = column.take(rows) if column.missing.any() else column
    return replace(sheet, columns=tuple(filled if c is column else c for c in sheet.columns))


def _sums(column: Column) -> ndarray:
    """Which rows of a column of months or quarters sum up the others (N,)."""
    if not column.is_text:
        return column.data == 13
    words = [_SUMS.fullmatch(str(text).strip().casefold()) is not None for text in column.data]
    return column.spread(np.array(words, bool))


def _years(part: _Part) -> ndarray:
    numbers = _carried_numbers(part.numbers)
    known = np.isfinite(numbers)
    years = np.where(known, numbers, 1970).astype(np.int64) - 1970
    times = years.astype("datetime64[Y]").astype("datetime64[us]")
    return np.where(known, times, np.datetime64("NaT"))


def _parts(columns: Sequence[Column]) -> dict[str, _Part]:
    """The first column of each kind of part that names and contents show."""
    found: dict[str, _Part] = {}
    for column in columns:
        kind = _kind_of_name(column.name)
        if kind is None or kind in found:
            continue
        part = _part_of(column, kind)
        if part is not None:
            found[part.kind] = found.get(part.kind, part)
    return found


def _kind_of_name(name: str) -> str | None:
    """What part of a time a name says, if it says nothing else."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    told = [_NAMED[word] for word in words if word in _NAMED]
    if "of" in words and "year" in words and "day" in words:
        return "yearday"
    others = [word for word in words if word not in _NAMED and word not in _BESIDE]
    if not told or others:
        return None
    exact = [kind for kind in told if kind not in ("slot", "hour")] or told
    return exact[0]


def _part_of(column: Column, kind: str) -> _Part | None:
    """A column of a kind, where what it holds is that."""
    if kind == "year":
        times = column.times
        if times is None or times.values.dtype.kind != "M" or column.time_share < 0.5:
            return None
        values = column.spread(times.values)
        if not (
            values[~np.isnat(values)] == values[~np.isnat(values)].astype("datetime64[Y]")
        ).all():
            return None
        years = values.astype("datetime64[Y]").astype(np.int64) + 1970
        return _Part(column, kind, np.where(np.isnat(values), np.nan, years))
    numbers = _part_numbers(column)
    known = numbers[np.isfinite(numbers)]
    if len(known) < 0.9 * np.count_nonzero(~column.missing) or not len(known):
        return None
    low, high = known.min(), known.max()
    if kind == "slot" and column.is_text and high <= 13:
        kind = _slot_of_letters(column) or kind  # "Period" M01 or Q1, as statistical offices write
    lowest = 0 if kind in ("hour", "minute", "second") else 1
    fits = lowest <= low and high <= _HIGHEST[kind] and (known == np.rint(known)).all()
    return _Part(column, kind, numbers) if fits else None


def _slot_of_letters(column: Column) -> str | None:
    letters = {str(text).strip()[:1].casefold() for text in column.data if str(text).strip()}
    kinds = {"m": "month", "q": "quarter", "w": "week", "s": "half", "h": "half"}
    kind = kinds.get(next(iter(letters), "")) if len(letters) == 1 else None
    names = {MONTHS.get(str(text).strip().casefold().rstrip(".")) for text in column.data}
    return "month" if names and None not in names else kind


def _part_numbers(column: Column) -> ndarray:
    """The numbers of a column of parts (N,): 7, 07, M07, Jul; NaN where there is none."""
    if not column.is_text:
        if column.data.dtype.kind not in "if":
            return np.full(len(column), np.nan)
        return column.data.astype(np.float64)
    if len(column.data) > 500:
        return np.full(len(column), np.nan)
    return column.spread(np.array([_part_number(str(text)) for text in column.data], np.float64))


def _part_number(text: str) -> float:
    tidy = text.strip().casefold()
    month = MONTHS.get(tidy.rstrip(".")) or _ROMAN.get(tidy)
    if month is not None:
        return month
    match = _NUMBER.fullmatch(tidy)
    if match is not None:
        return int(match[1])
    return np.nan


def _chain(first: _Part, found: dict[str, _Part]) -> list[_Part]:
    """A part and the finer ones that follow it."""
    chain = [first]
    while True:
        finer = next((found[k] for k in _FINER.get(chain[-1].kind, ()) if k in found), None)
        if finer is None:
            return chain
        chain.append(finer)


def _clock_of(column: Column) -> _Part | None:
    """A column of clock times, in microseconds since midnight: 13:00, 1:00 PM, 13.00.00, and 1300
    where it is named as a time."""
    if column.is_text:
        sample = [str(text) for text in column.data[:: max(1, len(column.data) // 20)]]
        if len(column.data) > 100_000 or sum(map(_is_clock, sample)) < 0.5 * len(sample):
            return _compact_clock_of(column)
        micros = np.array([_clock_micros(str(text)) for text in column.data])
        there = np.array([bool(str(text).strip()) for text in column.data])
        if there.any() and np.isfinite(micros[there]).mean() > 0.9:
            return _Part(column, "clock", column.spread(micros))
    return _compact_clock_of(column)


def _is_clock(text: str) -> bool:
    return _CLOCK.fullmatch(text.strip().casefold()) is not None


def _compact_clock_of(column: Column) -> _Part | None:
    """1300 as a clock time, in a column whose name says so."""
    if not _COMPACT.search(column.name.casefold()):
        return None
    numbers = _part_numbers(column)
    known = numbers[np.isfinite(numbers)]
    if not len(known) or known.max() <= 24 or known.max() > 2400 or (known % 100 > 59).any():
        return None
    return _Part(column, "clock", (numbers // 100 * 60 + numbers % 100) * 60 * 10**6)


def _clock_micros(text: str) -> float:
    match = _CLOCK.fullmatch(text.strip().casefold())
    if match is None:
        return np.nan
    hour = int(match["H"])
    if match["half"] is not None:
        hour = hour % 12 + 12 * (match["half"] == "p")
    minute, second = int(match["M"] or 0), int(match["S"] or 0)
    if hour > 24 or minute > 59 or second > 60:
        return np.nan
    return ((hour * 60 + minute) * 60 + second) * 10.0**6


# ---------------------------------------------------------------- joining


def _with_parts(values: ndarray, parts: Sequence[_Part]) -> ndarray:
    """Times (N,) refined by parts of them; NaT where a part is missing or no calendar has it."""
    for part in parts:
        known = np.isfinite(part.numbers) & ~np.isnat(values)
        numbers = np.where(known, part.numbers, 1).astype(np.int64)
        base = np.where(known, values, np.datetime64("1970-01-01", "us"))
        refined, good = _refined(base, part.kind, numbers)
        values = np.where(known & good, refined, np.datetime64("NaT"))
    return values


def _refined(base: ndarray, kind: str, numbers: ndarray) -> tuple[ndarray, ndarray]:
    """Times refined by one part, and which of them there are."""
    if kind in ("half", "quarter", "month"):
        length = {"half": 6, "quarter": 3, "month": 1}[kind]
        months = base.astype("datetime64[M]") + (numbers - 1) * length
        return months.astype("datetime64[us]"), (numbers >= 1) & (numbers * length <= 12)
    if kind == "week":
        years = base.astype("datetime64[Y]").astype(np.int64) + 1970
        return iso_weeks(years, numbers), (numbers >= 1) & (numbers <= 53)
    if kind in ("day", "yearday"):
        unit = "datetime64[M]" if kind == "day" else "datetime64[Y]"
        days = base.astype("datetime64[D]") + (numbers - 1)
        return days.astype("datetime64[us]"), (days.astype(unit) == base.astype(unit)) & (
            numbers > 0
        )
    return base + _micros(kind, numbers).astype("timedelta64[us]"), numbers >= 0


def _micros(kind: str, numbers: ndarray) -> ndarray:
    """Parts of a day in microseconds since its midnight."""
    if kind == "clock":
        return numbers
    if kind == "hour":
        # 1 to 24: hours named by their ends, as power exchanges count them
        return (numbers - _counts_from_one(numbers)) * _HOUR
    if kind == "slot":
        return (numbers - 1) * _slot_minutes(numbers) * 60 * 10**6
    return numbers * {"minute": 60, "second": 1}[kind] * 10**6


def _counts_from_one(hours: ndarray) -> int:
    return int(len(hours) > 0 and hours.min() >= 1 and hours.max() == 24)


def _slot_minutes(numbers: ndarray) -> int:
    highest = int(numbers.max(initial=1))
    return next(minutes for most, minutes in _SLOTS if highest <= most)


def _carried(values: ndarray, missing: ndarray) -> ndarray:
    """Times with empty cells filled by what stands above them, as merged cells leave them."""
    return values[_last_filled(missing)] if missing.any() and not missing.all() else values


def _carried_numbers(numbers: ndarray) -> ndarray:
    missing = ~np.isfinite(numbers)
    return numbers[_last_filled(missing)] if missing.any() and not missing.all() else numbers


def _last_filled(missing: ndarray) -> ndarray:
    """For each row the newest one up to it that is filled; the first filled one before that."""
    rows = np.where(missing, -1, np.arange(len(missing)))
    newest = np.maximum.accumulate(rows)
    return np.where(newest < 0, int(np.argmin(missing)), newest)


def _replaced(sheet: Sheet, parts: list[Column], joined: ndarray) -> Sheet:
    """The sheet with one column of times in the place of its parts."""
    notes = [f"joined to one time: {', '.join(part.name for part in parts)}"]
    if parts[0].missing.any() and (~np.isnat(joined[parts[0].missing])).any():
        notes.append(f"empty cells of {parts[0].name} read as the one above them")
    times = Column("-".join(part.name for part in parts), joined, notes=tuple(notes))
    others = tuple(c for c in sheet.columns if not any(c is part for part in parts))
    return replace(sheet, columns=(times, *others))


def _joined_as_said(sheet: Sheet, columns: list[Column]) -> Sheet:
    """The columns that were named, joined in their order."""
    base, parts = columns[0], []
    times = base.times
    if times is None or times.values.dtype.kind != "M" or base.time_share < 0.5:
        raise DataError(_no_join(sheet, base, "a date or a year"))
    if times.problem is not None:
        raise DataError(f"{sheet.source}, column {base.name!r}: {times.problem}")
    for column in columns[1:]:
        part = _clock_of(column) or next(iter(_parts([column]).values()), None)
        if part is None or part.kind == "year":
            raise DataError(_no_join(sheet, column, "a clock time, an hour, a month or a quarter"))
        parts.append(part)
    values = _carried(base.spread(times.values), base.missing)
    joined = _with_parts(values, parts)
    if np.isnat(joined).all():
        raise DataError(_no_join(sheet, columns[-1], "a part of the times before it"))
    return _replaced(sheet, columns, joined)


def _no_join(sheet: Sheet, column: Column, expected: str) -> str:
    rows = np.flatnonzero(~column.missing)[:4]
    shown = ", ".join(repr(column.cell(row)) for row in rows) or "it is empty"
    return (
        f"{sheet.source}: the column {column.name!r} cannot be joined to a time: {shown}. "
        f"{expected[:1].upper()}{expected[1:]} is expected there; of the columns named with "
        "--time, the first one holds dates or years, the others what is finer."
    )
