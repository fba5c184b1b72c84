"""The day, month or year in the title above a table whose rows do not say it: "Sales 2023" above
months, "Load for 2023-03-02" above hours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.data.cells.acrossparts import (
    days_across,
    hours_across,
    months_across,
    quarters_across,
    slots_across,
    weeks_across,
)
from lstmcast.data.cells.partcolumns import clock_of
from lstmcast.data.cells.partkinds import parts_by_kind
from lstmcast.data.cells.yearless import is_yearless, with_years
from lstmcast.data.findings import Finding
from lstmcast.data.layouts.yearnames import year_names
from lstmcast.data.sheet import Column, Sheet, folded
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.data.times.shapes import month_named, tidied
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

# when a file was made, not what is in it; and the year that an index is relative to
_ABOUT_FILE = pattern_of(
    r"stand\b|emisi|emission|update|create|erstellt|generate|print|druck|export|abruf|download|issued|"
    r"publi|as of|copyright|©|\d{4} ?= ?100|base|basis|ダウンロード|作成|出力|時点|公表|更新",
    re.IGNORECASE,
)
_DATE = pattern_of(
    r"\d{4}[-/.]\d\d?[-/.]\d\d?(?!\d)|(?<!\d)\d\d?[-/.]\d\d?[-/.]\d{4}|\d{4}年\d\d?月\d\d?日|"
    r"(?<!\d)\d\d?\.? (?:de )?[^\W\d_]{3,10}\.?,? (?:de )?\d{4}|[^\W\d_]{3,10}\.? \d\d?,? \d{4}"
)
_MONTH = pattern_of(
    r"(?P<name>[^\W\d_]{3,10})\.?,? (?:de )?(?P<y>(?:19|20)\d\d)|"
    r"(?P<y2>(?:19|20)\d\d)[-/](?P<m>\d\d)(?!\d)|"
    r"(?<!\d)(?P<m2>\d\d)[-/.](?P<y3>(?:19|20)\d\d)|(?P<y4>\d{4})年(?P<m3>\d\d?)月"
)
_YEAR = pattern_of(r"(?<!\d)(?:19|20)\d\d(?!\d)")


# how web analytics write times, and where they begin
_COUNTED = pattern_of(r"nth (hour|day|week|month)")
_UNITS_COUNTED = {"hour": "h", "day": "D", "week": "W", "month": "MS"}
_START = pattern_of(r"start date\W*([-/.\d]+)", re.IGNORECASE)


class TitleTime(NamedTuple):
    """What titles say: the only day, the only month such as 2023-03, the only year; "" where there
    is none, or several."""

    day: str
    month: str
    year: str


def with_time_of_titles(sheet: Sheet, day_first: bool | None = None) -> Sheet:
    """A sheet with what its titles say of times, where its rows and columns lack just that.

    The name of a column may be such a title: "Product / 2023" beside months.

    day_first: as for columns of dates. DataError where it is needed and None."""
    # texts last, each of which has to be looked at
    in_order = sorted(sheet.columns, key=lambda column: column.is_text)
    if any(map(_holds_times, in_order)):
        return sheet
    if any(time_in(sheet.titles, day_first)) or _is_counted(sheet):
        return _with_time_of(sheet, day_first, "title above the table")
    names = year_names(sheet)
    titles = (*names, *sheet.titles)
    if not titles:
        return sheet
    titled = replace(sheet, titles=titles)
    completed = _with_time_of(titled, day_first, "name of a column")
    return sheet if completed is titled else completed


def _is_counted(sheet: Sheet) -> bool:
    return _COUNTED.fullmatch(folded(sheet.columns[0].name)) is not None


def _with_time_of(sheet: Sheet, day_first: bool | None, where: str) -> Sheet:
    """A sheet with what its titles say. where: what these titles are."""
    if _is_counted(sheet):
        return _counted_from_start(sheet)
    if day_first is None:
        day_first = _writes_commas(sheet) or None
    time = time_in(sheet.titles, day_first)
    labels = next(filter(is_yearless, sheet.columns), None)
    if labels is not None:
        if sum(bool(_YEAR.fullmatch(column.name)) for column in sheet.columns) > 1:
            return sheet  # the years stand across
        return _completed(sheet, labels, time.year, where) if time.year else sheet
    parts = parts_by_kind(sheet.columns)
    is_yearly = any(
        across(sheet) for across in (months_across, quarters_across, weeks_across)
    )
    if is_yearly or {"month", "week", "quarter", "yearday"} & parts.keys():
        return _in_front(sheet, {"year": time.year}, where)
    if days_across(sheet):
        return _in_front(sheet, {"month": time.month}, where)
    if _has_hours(sheet) or "hour" in parts or any(map(clock_of, sheet.columns)):
        if not time.day:
            _require_one_order(sheet, day_first)
        return _in_front(sheet, {"date": time.day}, where)
    if "day" in parts:
        return _in_front(
            sheet, {"year": time.month[:4], "month": time.month[5:]}, where
        )
    return sheet


def time_in(titles: Iterable[str], day_first: bool | None = None) -> TitleTime:
    """The day, month and year that titles name.

    >>> time_in(["Umsatz März 2023", "Stand: 05.04.2023"]), time_in(["2022", "2023"]).year
    (TitleTime(day='', month='2023-03', year='2023'), '')
    """
    days = set()
    months = set()
    years = set()
    for title in titles:
        if _ABOUT_FILE.search(title):
            continue
        rest_of_title = title
        for match in _DATE.finditer(title):
            day = _day_of(match[0], day_first)
            if day:
                days.add(day)
                years.add(day[:4])
                rest_of_title = rest_of_title.replace(match[0], " ")
        months |= set(filter(None, map(_month_of, _MONTH.finditer(rest_of_title))))
        years |= set(_YEAR.findall(rest_of_title))
    return TitleTime(_only(days), _only(months), _only(years))


def _require_one_order(sheet: Sheet, day_first: bool | None) -> None:
    """DataError where a title has the only date, of which nobody knows where its day stands."""
    for title in sheet.titles:
        if _ABOUT_FILE.search(title):
            continue
        for match in _DATE.finditer(title):
            if day_first is None and _day_of(match[0], True) and not _day_of(match[0]):
                raise DataError(
                    f"{sheet.source}: the date {match[0]!r} in the title above the table can be "
                    "read as day/month/year or as month/day/year. Choose with --day-first or "
                    "--month-first."
                )


def _only(texts: set[str]) -> str:
    return next(iter(texts)) if len(texts) == 1 else ""


def _day_of(text: str, day_first: bool | None = None) -> str:
    """A date as 2023-03-02; "" where it is none, or may be another one."""
    times = parse_times([text], day_first=day_first)
    if (
        times is None
        or times.problem
        or times.bad.any()
        or times.values.dtype.kind != "M"
    ):
        return ""
    return str(times.values[0])[:10]


def _month_of(match: re.Match[str]) -> str:
    """A month as 2023-03; "" where the word beside the year is none."""
    year = match["y"] or match["y2"] or match["y3"] or match["y4"]
    number = month_named(tidied(match["name"])) if match["name"] else 0
    digits = match["m"] or match["m2"] or match["m3"]
    month = int(digits) if digits else number or 0
    return f"{year}-{month:02d}" if 1 <= month <= 12 else ""


def _holds_times(column: Column) -> bool:
    """Whether a column holds dates or years of its own."""
    if is_yearless(column) or column.times is None or column.time_share < 0.5:
        return False
    return column.times.form in ("date", "year") and not column.times.problem


def _writes_commas(sheet: Sheet) -> bool:
    """Whether numbers have decimal commas: dates begin with the day there."""
    for column in sheet.columns:
        texts = column.data[:50].tolist() if column.is_text else []
        if any(re.fullmatch(r"-?[\d.]*\d,\d+", str(text)) for text in texts):
            return column.decimal_comma_likely
    return False


def _has_hours(sheet: Sheet) -> bool:
    """Whether the hours of a day stand in columns."""
    grid = hours_across(sheet) or slots_across(sheet)
    return grid is not None and len(grid.columns) >= 24


def _completed(sheet: Sheet, labels: Column, year: str, where: str) -> Sheet:
    """A sheet whose labels have the year of the title, unless they go past its end."""
    whole_labels = with_years(labels, [year] * len(sheet))
    times = whole_labels.times
    if times is None or times.values.dtype.kind != "M":
        return sheet
    values = whole_labels.spread(times.values)
    steps = np.diff(values[~np.isnat(values)].astype(np.int64))
    is_one_series = len(np.unique(values)) == len(values)
    if is_one_series and (steps < 0).any() and (steps > 0).any():
        return sheet
    columns = list(sheet.columns)
    place = next(place for place, column in enumerate(columns) if column is labels)
    columns[place] = whole_labels
    note = _note(year, where, f"completes {labels.name!r}")
    return replace(sheet, columns=tuple(columns), titles=(), notes=(*sheet.notes, note))


def _counted_from_start(sheet: Sheet) -> Sheet:
    """A sheet whose days or months are counted from 0, with dates from the one in a title."""
    count, *columns = sheet.columns
    starts = list(filter(None, map(_START.search, sheet.titles)))
    day = _day_of(starts[0][1]) if starts else ""
    unit = _COUNTED.fullmatch(folded(count.name))
    if not day or unit is None or count.number_share < 1 or count.numbers is None:
        return sheet
    steps = count.spread(count.numbers.values).astype(np.int64)
    frequency = parse_frequency(_UNITS_COUNTED[unit[1]]).anchored([np.datetime64(day)])
    dates = frequency.advance(np.datetime64(day, "us"), steps)
    time = Column("time", dates)
    note = _note(day, "title above the table", f"is 0 in {count.name!r}")
    columns = (time, *columns)
    return replace(sheet, columns=columns, titles=(), notes=(*sheet.notes, note))


def _in_front(sheet: Sheet, cells: dict[str, str], where: str) -> Sheet:
    """A sheet with columns of what the title says in front; as it was where the title says less."""
    if not all(cells.values()) or any(map(sheet.has_column, cells)):
        return sheet
    columns = []
    for name, cell in cells.items():
        columns.append(
            replace(Column.of_texts(name, [cell] * len(sheet)), invented=True)
        )
    note = _note("-".join(cells.values()), where, "is that of all rows")
    columns += sheet.columns
    return replace(sheet, columns=tuple(columns), titles=(), notes=(*sheet.notes, note))


def _note(time: str, where: str, what: str) -> Finding:
    return Finding("time", "note", f"{time} in the {where} {what}", value=time)
