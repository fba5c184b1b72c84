"""Sheets to tables: long, wide (a column per series) and wide the other way (a row per series)."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.across import months_in_rows, unfolded
from lstmcast.data.carried import with_carried_labels
from lstmcast.data.columns import (
    ask,
    find_target,
    find_time,
    named_column,
    named_columns,
    names_in,
    numeric_columns,
)
from lstmcast.data.dates import parse_times
from lstmcast.data.keys import Keys
from lstmcast.data.known import KnownRows
from lstmcast.data.limits import LARGEST
from lstmcast.data.roles import Names as Names
from lstmcast.data.roles import columns_beside, taken_columns
from lstmcast.data.serieskeys import find_series, names_of_rows
from lstmcast.data.sheet import Column, Sheet, dropped_lines
from lstmcast.data.static import static_columns
from lstmcast.data.suggestions import going_on
from lstmcast.data.table import Columns, Finding, Table
from lstmcast.data.timenumbers import integer_times
from lstmcast.data.timeparts import parts_of_name, with_joined_times
from lstmcast.data.times import Times
from lstmcast.data.values import known_values, numbers_of, past_values
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

# rows without a time among the others: up to this share they are dropped, with a warning
_UNDATED_SHARE = 0.02
_SHOWN = 4
# squares of larger values overflow on the way to a forecast; no measurement is that large


def table_from_sheet(sheet: Sheet, names: Names) -> Table:
    """Decide what the columns are and bring the sheet into long form; DataError with what to do
    where that fails."""
    sheet = names.written.applied(sheet)
    if sheet.wide and names.target is None and not names.past:
        names = replace(names, target="*")
    if names.time != "index":
        sheet = with_carried_labels(sheet)
        whole, sheet = sheet, unfolded(sheet, _said_names(names))
        if sheet is not whole and names.target is None:
            names = replace(names, target=sheet.columns[-1].name)
    sheet, names = _with_one_time(sheet, names)
    time = None if names.time == "index" else _time_column(sheet, names)
    if time is None and names.time != "index":
        header = _header_times(sheet) if names.time is None else None
        part = None if header is None or names.target else months_in_rows(sheet, *header[:2])
        if part is not None:
            return table_from_sheet(part, names)
        if header is None:
            _require_free_dates(sheet, names)
            raise DataError(_no_dates(sheet))
        if names.target and names.target != "*":
            raise DataError(_one_of_many_targets(sheet, names.target, header[0]))
        beside = names.first_beside
        if beside is not None:
            raise DataError(
                f"{sheet.source} has one series per row, its times in the column names: there is "
                f"no column beside a target that {ask(*beside)} could "
                "read. Give a table with a row for each time, as columns of series, time, target "
                "and covariates."
            )
        return _checked(_series_in_rows(sheet, names, *header))
    if time is not None and time.times is not None and time.times.problem:
        raise DataError(f"{sheet.source}, column {time.name!r}: {time.times.problem}")
    if time is not None:
        sheet = _drop_undated(sheet, time)
        time = named_column(sheet, time.name, "time")
    return _checked(_long(sheet, names, time))


def dated(sheet: Sheet, names: Names) -> tuple[Sheet, Column] | None:
    """A sheet with a time in every row, and its column of times; None where it has none."""
    sheet, names = _with_one_time(names.written.applied(sheet), names)
    time = _time_column(sheet, names)
    if time is None:
        return None
    if time.times is not None and time.times.problem:
        raise DataError(f"{sheet.source}, column {time.name!r}: {time.times.problem}")
    sheet = _drop_undated(sheet, time)
    return sheet, named_column(sheet, time.name, "time")


def _with_one_time(sheet: Sheet, names: Names) -> tuple[Sheet, Names]:
    """The sheet with one column of times where several hold parts of them, and what is known of the
    columns then."""
    if names.time == "index":
        return sheet, names
    said = names_in(sheet, names.time) if names.time else []
    taken = taken_columns(sheet, names)
    taken += named_columns(sheet, names.series, "series") if names.series else []
    if names.target and names.target != "*":
        taken += named_columns(sheet, names.target, "target")
    if len(said) > 1:
        sheet = with_joined_times(sheet, taken, said)
        return sheet, replace(names, time=sheet.columns[0].name)
    if said and _holds(sheet, said[0]):
        joined = with_joined_times(sheet, taken, said[0])
        return joined, replace(names, time=said[0] if joined is sheet else joined.columns[0].name)
    if said:  # the name that joined columns had when a model was saved
        parts = parts_of_name(sheet.names, said[0])
        return with_joined_times(sheet, taken, parts or None), replace(names, time=said[0])
    return with_joined_times(sheet, taken), names


def _said_names(names: Names) -> list[str]:
    """The columns that the user named as target or series, in small letters."""
    said = [names.target, names.series, names.past, *names.beside.given()]
    listed = [name for each in said for name in ([each] if isinstance(each, str) else each or ())]
    parts = [part for name in listed for part in (name, *name.split(","))]
    return [part.strip().casefold() for part in parts]


def _holds(sheet: Sheet, name: str) -> bool:
    return name.strip().casefold() in (own.strip().casefold() for own in sheet.names)


def _time_column(sheet: Sheet, names: Names) -> Column | None:
    if names.time is None:
        taken = named_columns(sheet, names.series, "series") if names.series else []
        if names.target and names.target != "*":
            taken += named_columns(sheet, names.target, "target")
        taken += taken_columns(sheet, names)
        free = tuple(c for c in sheet.columns if not any(c is other for other in taken))
        return find_time(Sheet(free, sheet.lines, sheet.source, sheet.frame)) if free else None
    column = named_column(sheet, _first_name(names.time), "time")
    if column.times is None or column.time_share == 0:
        raise DataError(
            f"{sheet.source}: the column {column.name!r} holds no dates that can be read: "
            f"{_examples(column)}. Dates such as 2024-03-01, 2024-03, 01.03.2024, 2024Q1, 2024-W09 "
            "or whole numbers are expected."
        )
    return column


def _examples(column: Column) -> str:
    rows = np.flatnonzero(~column.missing)[:_SHOWN]
    return ", ".join(repr(column.cell(row)) for row in rows) or "it is empty"


def _require_free_dates(sheet: Sheet, names: Names) -> None:
    """UsageError where the only dates are in a column that was named for something else."""
    for role, columns in columns_beside(sheet, names).items():
        for column in columns.values():
            if column.times is not None and column.times.form == "date" and column.time_share == 1:
                raise UsageError(
                    f"the column {column.name!r} is named as {role} covariate, and it is the only "
                    "column of dates: the times are there. Leave it out."
                )


def _no_dates(sheet: Sheet) -> str:
    return (
        f"{sheet.source} has no column of dates. Name one with {ask('time', 'NAME')}, or number "
        f"the rows with {ask('time', 'index')} if they follow each other in time, and say how many "
        "make a season with --period N (in Python: periods=N). The columns are:\n"
        f"{sheet.describe()}"
    )


def _one_of_many_targets(sheet: Sheet, target: str | Sequence[str], columns: list[Column]) -> str:
    given = " and ".join(map(repr, [target] if isinstance(target, str) else target))
    shown = ", ".join(column.name for column in columns[:3])
    return (
        f"{sheet.source} has one series per row, its times in the column names ({shown}, …): "
        f"{given} alone cannot be the target. Leave --target out (in Python: target=) to read "
        f"every column, name a column of times with {ask('time', 'NAME')}, or number the rows with "
        f"{ask('time', 'index')}."
    )


def _drop_undated(sheet: Sheet, time: Column) -> Sheet:
    """Leave out the rows without a time: titles and totals at the ends, and a few in between,
    with a warning."""
    times = _times_of(time)
    bad = time.spread(times.bad) | time.missing
    if not bad.any():
        return sheet
    dated = np.flatnonzero(~bad)
    inside = np.flatnonzero(
        bad & (np.arange(len(bad)) > dated[0]) & (np.arange(len(bad)) < dated[-1])
    )
    ends = np.setdiff1d(np.flatnonzero(bad), inside)
    if len(inside) > max(3, _UNDATED_SHARE * len(bad)):
        shown = ", ".join(
            f"{sheet.row_word} {sheet.lines[row]} has {time.cell(row)!r}" for row in inside[:_SHOWN]
        )
        raise DataError(
            f"{sheet.source}: {len(inside)} of {len(bad)} cells of the time column {time.name!r} "
            f"are no dates: {shown}. Mend or remove these rows, or name another column with --time."
        )
    reasons = {
        int(sheet.lines[row]): _why_undated(time, row) for row in [*ends.tolist(), *inside.tolist()]
    }
    # "Total" below the data is none; a row with digits for a time and with a number looks like data
    doubtful = {int(sheet.lines[row]) for row in inside} | {
        int(sheet.lines[row]) for row in ends if _looks_like_data(sheet, time, row, row < dated[0])
    }
    notes = dropped_lines({line: why for line, why in reasons.items() if line not in doubtful})
    notes += dropped_lines(
        {line: why for line, why in reasons.items() if line in doubtful}, "warning"
    )
    return sheet.take(dated, *notes)


def _looks_like_data(sheet: Sheet, time: Column, row: int, at_top: bool) -> bool:
    """Whether a row without a readable time has a number elsewhere, and stands above all others or
    has digits in its place: "Total" below the data has none."""
    digits = any(letter.isdigit() for letter in time.cell(row))
    if time.missing[row] or not (digits or at_top):
        return False
    numeric = [c for c in sheet.columns if c is not time and c.number_share >= 0.5]
    cells = (c for c in numeric if c.numbers is not None and not c.missing[row])
    return any(not c.spread(c.numbers.bad)[row] for c in cells if c.numbers is not None)


def _why_undated(time: Column, row: int) -> str:
    return "no date" if time.missing[row] else f"{time.cell(row)!r} is not a date"


def _times_of(time: Column) -> Times:
    if time.times is None:
        raise DataError(f"the column {time.name!r} holds no dates: {_examples(time)}.")
    return time.times


def _long(sheet: Sheet, names: Names, time: Column | None) -> Table:
    """A table with a time in every row, and one or several columns of values."""
    times = np.arange(1, len(sheet) + 1) if time is None else time.spread(_times_of(time).values)
    free = _without(sheet, taken_columns(sheet, names))
    targets, series, every = _targets_and_series(free, names, times, time)
    named = _with_an_id(sheet, series)
    if not named.all():
        whole, times = sheet, times[named]
        sheet = sheet.take(named, _without_id(sheet, series, ~named))
        parts = ([] if time is None else [time], targets, series)
        times_of, targets, series = (_same_columns(part, whole, sheet) for part in parts)
        time = times_of[0] if times_of else None
    codes, ids, keys = _joined_ids(series, len(sheet), "" if every else sheet.label)
    beside = columns_beside(sheet, names)
    used = [time, *targets, *series, *(c for each in beside.values() for c in each.values())]
    notes = [*sheet.notes, *_notes_of_time(time), *_left_out(sheet, used, names)]
    row_times, row_codes = times, codes
    past = {
        name: past_values(sheet, column, names.written, notes)
        for name, column in beside["past"].items()
    }
    in_advance = beside["future"] | beside["hindsight"]
    known = _known_rows(sheet, in_advance, names, times, codes, notes)
    static = static_columns(sheet, beside["static"], names.written, codes, ids, notes)
    k = len(targets) if every else 1
    if every:
        codes, ids, keys = _each_target(targets, codes, ids, keys if series else None)
        times, lines = np.repeat(times, k), np.repeat(sheet.lines, k)
        past = {name: np.repeat(column, k) for name, column in past.items()}
    else:
        lines = sheet.lines
    numbers = [numbers_of(sheet, target, names.written, notes) for target in targets]
    notes += going_on(_others(sheet, used), row_times, row_codes, np.stack(numbers, axis=1))
    values = np.stack(numbers, axis=1).ravel()
    groups = {str(name): place // k for place, name in enumerate(ids)}
    columns = _column_names(series, time, None if every else targets[0])
    read = time.times if time is not None else None
    order = np.argsort(codes, kind="stable") if every else slice(None)
    return Table(
        codes[order],
        ids,
        times[order],
        values[order],
        lines[order],
        columns,
        sheet.source,
        tuple(notes),
        sheet.frame,
        read.zone if read else None,
        frame_zone=read.frame_zone if read else None,
        keys=keys,
        past={name: column[order] for name, column in past.items()},
        known=tuple(replace(rows, groups=groups) for rows in known),
        static=() if static is None else (replace(static, groups=groups),),
    )


def _each_target(
    targets: list[Column], codes: ndarray, ids: ndarray, keys: Keys | None
) -> tuple[ndarray, ndarray, Keys]:
    """Codes of rows, ids and keys where each target is a series; keys: None without any."""
    k = len(targets)
    codes = (codes[:, None] * k + np.arange(k)).ravel()
    each = objects([target.name for _ in ids for target in targets])
    if keys is not None:
        keys = replace(keys.take(np.repeat(np.arange(len(ids)), k)), targets=each)
    ids = objects([f"{name}/{t.name}" if name else t.name for name in ids for t in targets])
    return codes, ids, Keys() if keys is None else keys


def _known_rows(
    sheet: Sheet,
    columns: Mapping[str, Column],
    names: Names,
    times: ndarray,
    codes: ndarray,
    notes: list[Finding],
) -> tuple[KnownRows, ...]:
    """The columns that are known in advance, of rows (R,) with these times and codes of series."""
    if not columns:
        return ()
    read = {
        name: known_values(sheet, column, names.written, notes) for name, column in columns.items()
    }
    return (
        KnownRows(
            codes,
            {},
            times,
            sheet.lines,
            {name: values for name, (values, _) in read.items()},
            {name: levels for name, (_, levels) in read.items() if levels},
            sheet.source,
            sheet.row_word,
        ),
    )


def _first_name(names: str | Sequence[str]) -> str:
    return names if isinstance(names, str) else names[0]


def _without(sheet: Sheet, columns: list[Column]) -> Sheet:
    """The sheet with the columns that are still free to be target or series."""
    others = tuple(c for c in sheet.columns if not any(c is column for column in columns))
    return replace(sheet, columns=others)


def _same_columns(columns: list[Column], whole: Sheet, part: Sheet) -> list[Column]:
    """Columns of a sheet in another one that has some of its rows."""
    return [part.columns[_place_of(column, whole)] for column in columns]


def _column_names(series: list[Column], time: Column | None, target: Column | None) -> Columns:
    """What the columns of a long table are called; the usual names where the data have no such
    column, or several."""
    usual = Columns()
    return Columns(
        series[0].name if len(series) == 1 else usual.series,
        usual.time if time is None else time.name,
        usual.target if target is None else target.name,
    )


def _place_of(column: Column, sheet: Sheet) -> int:
    return next(place for place, own in enumerate(sheet.columns) if own is column)


def _with_an_id(sheet: Sheet, series: list[Column], together: bool = False) -> ndarray:
    """Which rows have a cell in every column of ids (N,), or in one of them where they name rows
    together; DataError where none has."""
    empty = [column.nameless for column in series]
    if not series:
        return np.ones(len(sheet), bool)
    named = ~(np.all(empty, axis=0) if together else np.any(empty, axis=0))
    if len(sheet) and not named.any():
        raise DataError(
            f"{sheet.source}: no row has a cell in {_columns_of(series)}, which should name its "
            f"series. Name another column with {ask('series', 'NAME')}."
        )
    return named


def _without_id(sheet: Sheet, series: list[Column], nameless: ndarray) -> Finding:
    """What is said of rows without an id."""
    count, line = int(np.count_nonzero(nameless)), int(sheet.lines[np.argmax(nameless)])
    rows, first = ("1 row has", "") if count == 1 else (f"{count:,} rows have", "the first is ")
    message = f"{rows} an empty cell in {_columns_of(series)}: {first}{sheet.row_word} {line}"
    action = "It belongs to no series and is left out."
    if count > 1:
        action = "They belong to no series and are left out."
    return Finding("missing ids", "warning", message, action, line=line, count=count)


def _columns_of(series: list[Column]) -> str:
    names = " or ".join(repr(column.name) for column in series)
    return f"the column{'s' * (len(series) > 1)} {names}"


def _targets_and_series(sheet: Sheet, names: Names, times: ndarray, time: Column | None):
    """Target columns, series columns, and whether each target is a series of its own."""
    known = [time] if time is not None else []
    series = named_columns(sheet, names.series, "series") if names.series else None
    if names.target is None:
        if series is None:
            series = _found_series(sheet, names, times, time, None)
        return [find_target(sheet, [*known, *series])], series, False
    if names.target == "*" and not any(column.name == "*" for column in sheet.columns):
        if series is None:
            series = _found_series(sheet, names, times, time, None)
        targets = numeric_columns(sheet, [*known, *series])
        if not targets:
            raise DataError(
                f"{sheet.source} has no column of numbers to forecast. The columns "
                f"are:\n{sheet.describe()}"
            )
        return targets, series, True
    targets = named_columns(sheet, names.target, "target")
    if not targets:
        raise DataError(
            f"target={names.target!r} names no column. The columns of {sheet.source} "
            f"are:\n{sheet.describe()}"
        )
    if series is None:
        series = _found_series(sheet, names, times, time, targets[0])
    return targets, [c for c in series if c not in targets], len(targets) > 1


def _found_series(
    sheet: Sheet, names: Names, times: ndarray, time: Column | None, target: Column | None
) -> list[Column]:
    # many rows per period are expected here, so repeated times say nothing about series
    if names.aggregate:
        every = np.arange(len(times))
        return find_series(sheet, every, time, target)
    return find_series(sheet, times, time, target)


def _joined_ids(series: list[Column], size: int, label: str) -> tuple[ndarray, ndarray, Keys]:
    """Codes (N,), ids (S,) and their keys; the ids of several columns are joined with a slash."""
    if not series:
        return np.zeros(size, np.int64), objects([label]), Keys()
    codes, ids = series[0].as_ids()
    for column in series[1:]:
        more, names = column.as_ids()
        joint, first, codes = np.unique(
            codes * len(names) + more, return_index=True, return_inverse=True
        )
        rank = np.argsort(np.argsort(first))
        pairs = [divmod(int(joint[i]), len(names)) for i in np.argsort(first)]
        ids = objects(_slashed(str(ids[i]), str(names[j])) for i, j in pairs)
        codes = rank[codes]
    if len(set(ids)) < len(ids):
        twice = next(name for k, name in enumerate(ids) if name in ids[:k])
        names = " and ".join(repr(column.name) for column in series)
        raise DataError(
            f"Two different series are called {twice!r} when the columns {names} are joined with a "
            f"slash. Write one column of ids, and name it with {ask('series', 'NAME')}."
        )
    return codes, ids, _keys_of(series, codes)


def _slashed(first: str, second: str) -> str:
    """Two ids as one; an empty one, of a row that another column names, leaves no trace."""
    return f"{first}/{second}" if first and second else first + second


def _keys_of(series: list[Column], codes: ndarray) -> Keys:
    """What the first row of each series has in the columns of ids."""
    first_rows = np.unique(codes, return_index=True)[1]
    own = [column for column in series if not column.invented]
    arrays = {column.name: column.key(first_rows) for column in own}
    categories = {
        column.name: column.categories
        for column in own
        if column.categories is not None
        # texts that are written in another way than their category stay texts
        and column.categories.values.dtype == arrays[column.name].dtype
        and set(arrays[column.name].tolist()) <= set(column.categories.values.tolist())
    }
    return Keys(arrays, categories)


def _notes_of_time(time: Column | None) -> list[Finding]:
    if time is None:
        return [Finding("time", "note", "the rows were numbered 1, 2, 3, … as times")]
    return [
        Finding("dates", "note", f"column {time.name!r}: {note}") for note in _times_of(time).notes
    ]


def _others(sheet: Sheet, used: Sequence[Column | None]) -> list[Column]:
    return [c for c in sheet.columns if not any(c is other for other in used)]


def _left_out(sheet: Sheet, used: Sequence[Column | None], names: Names) -> list[Finding]:
    unused = [column.name for column in _others(sheet, used)]
    if not unused:
        return []
    shown = ", ".join(unused[:8]) + (f" and {len(unused) - 8} more" if len(unused) > 8 else "")
    action = (
        "Name those that tell series apart with --series."
        if names.aggregate and not names.series
        else ""
    )
    return [
        Finding(
            "columns", "note", f"columns that were not used: {shown}", action, count=len(unused)
        )
    ]


def _header_times(
    sheet: Sheet,
) -> tuple[list[Column], ndarray, tuple[str, ...]] | None:
    """The columns whose names are times or count on (d_1, d_2, …), the times, and notes; None if
    there are none."""
    names = [re.sub(r"\s*\[.*\]$", "", name).strip() for name in sheet.names]
    digits = [name.isascii() and name.isdecimal() for name in names]
    if sum(digits) >= 3:
        chosen = np.flatnonzero(digits)
        times = integer_times(np.array([int(names[j][:18]) for j in chosen]))
    else:
        # names without a digit are no times, and their number must not speak against the others
        dated = np.flatnonzero([any(letter.isdigit() for letter in name) for name in names])
        times = parse_times([names[j] for j in dated])
        found = np.zeros(0, np.int64)
        if times is not None and times.form == "date":
            found = np.flatnonzero(~np.isnat(times.values))
        chosen = dated[found]
        if times is not None and len(chosen):
            if times.problem:
                raise DataError(f"{sheet.source}, column names: {times.problem}")
            times = Times(
                times.values[found], times.bad[found], times.form, times.zone, times.notes
            )
    if times is None or len(chosen) < 3 or times.form == "index":
        chosen, counted = _counted_names(names)
        times = Times(counted, np.zeros(len(counted), bool), "index")
    columns = [sheet.columns[j] for j in chosen]
    if len(columns) < max(3, 0.5 * len(names)) or len(np.unique(times.values)) < len(columns):
        return None
    numeric = [c.missing.all() or c.number_share >= 0.5 for c in columns]
    return (columns, times.values, times.notes) if all(numeric) else None


def _counted_names(names: list[str]) -> tuple[ndarray, ndarray]:
    """Columns such as d_1, d_2, d_3, … or V2, V3, …: the longest run with one stem, from its
    first number up."""
    parts = [re.fullmatch(r"(.*?[^\d]?)(\d{1,6})", name) for name in names]
    stems = [match.group(1) if match else None for match in parts]
    last = stems[-1] if stems else None
    chosen = [j for j, stem in enumerate(stems) if stem is not None and stem == last]
    numbers = np.array(
        [int(match.group(2)) for j, match in enumerate(parts) if match and j in set(chosen)],
        np.int64,
    )
    if len(chosen) < 4 or len(chosen) == len(names) or not (np.diff(numbers) == 1).all():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.array(chosen), numbers


def _series_in_rows(
    sheet: Sheet, names: Names, columns: list[Column], times: ndarray, notes: tuple[str, ...]
) -> Table:
    """One row per series, one column per time. Empty cells before and after the values of a row
    are padding."""
    others = [c for c in sheet.columns if not any(c is column for column in columns)]
    series = (
        named_columns(sheet, names.series, "series")
        if names.series
        else names_of_rows(others, len(sheet))
    )
    named = _with_an_id(sheet, series, together=True)
    if not named.all():
        whole, sheet = sheet, sheet.take(named, _without_id(sheet, series, ~named))
        columns, series = (_same_columns(part, whole, sheet) for part in (columns, series))
    codes, ids, keys = _joined_ids(series, len(sheet), sheet.label)
    if not series and len(sheet) > 1:
        codes, ids = (
            np.arange(len(sheet)),
            objects([f"series_{i}" for i in range(1, len(sheet) + 1)]),
        )
    findings = [
        *sheet.notes,
        Finding("layout", "note", f"one series per row, {len(columns)} times in the column names"),
    ]
    findings += [Finding("dates", "note", f"column names: {note}") for note in notes]
    findings += _left_out(sheet, [*columns, *series], names)
    cells = [numbers_of(sheet, column, names.written, None) for column in columns]
    values = np.stack(cells, axis=1)  # (R, T)
    there = ~np.isnan(values)
    kept = (
        np.maximum.accumulate(there, axis=1)
        & np.maximum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    )
    rows, steps = np.nonzero(kept)
    empty = {int(line): "a row without values" for line in sheet.lines[~there.any(axis=1)]}
    used, codes = np.unique(codes[rows], return_inverse=True)
    name = series[0].name if len(series) == 1 else "unique_id"
    return Table(
        codes.astype(np.int64),
        ids[used],
        times[steps],
        values[rows, steps],
        sheet.lines[rows],
        Columns(series=name),
        sheet.source,
        (*findings, *dropped_lines(empty)),
        sheet.frame,
        None,
        keys=keys.take(used) if series else keys,
    )


def _checked(table: Table) -> Table:
    """Refuse what no forecast can come of: no values at all, or values beyond every measure."""
    known = [(rows.place, one) for rows in table.known for one in rows.columns.items()]
    own = [(table.place, one) for one in table.past.items()]
    own.append((table.place, (table.columns.target, table.values)))
    for place, (name, values) in (*own, *known):
        huge = np.flatnonzero(np.isfinite(values) & (np.abs(values) > LARGEST))
        if len(huge):
            raise DataError(
                f"{table.source}: {place(int(huge[0]))} has {values[huge[0]]:g} in "
                f"{name!r}. Values up to {LARGEST:g} are expected. Correct it, or leave the cell "
                "empty if the value is not known."
            )
    if np.isnan(table.values).all():
        raise DataError(
            f"{table.source}: all {len(table)} values of the target {table.columns.target!r} are "
            f"missing. Numbers are expected; name another column with {ask('target', 'NAME')}."
        )
    return table
