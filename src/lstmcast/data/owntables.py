"""Tables of their own beside the data: coming values of columns that are known in advance, and what
does not change."""

# R rows of the table · G groups of rows: those of a series, or of several that share them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import TARGET_NAMES, ask, named_column
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.keys import Keys, texts_of
from lstmcast.data.known import KnownRows, StaticColumns
from lstmcast.data.roles import Names
from lstmcast.data.rowtimes import dated
from lstmcast.data.serieskeys import find_series, is_code
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.table import Columns
from lstmcast.data.values import holds_something, known_values
from lstmcast.data.zones import converted
from lstmcast.errors import DataError
from lstmcast.util.objects import objects

_UNNAMED = "series"  # what ids are called where the data have no columns of keys


class Owners(NamedTuple):
    """The series that a table is about: their ids and keys, what their columns are called, and the
    time zone of their times."""

    ids: ndarray
    keys: Keys
    columns: Columns
    zone: str | None

    def named(self) -> dict[str, ndarray]:
        """The texts of all columns that name series, and of the ids, (S,) each."""
        named = {name: texts_of(array) for name, array in self.keys.items()}
        if self.keys.targets is None and len(named) == 1:
            return named
        row_names = self.keys.row_names(self.ids).tolist()
        return {**named, _UNNAMED: objects(map(str, row_names))}


class OwnTable(NamedTuple):
    """A table of its own with a time in every row."""

    sheet: Sheet
    time: Column

    @property
    def times(self) -> ndarray:
        """Of the rows: (R,)."""
        assert self.time.times is not None  # it was chosen as the column of times
        return self.time.spread(self.time.times.values)

    def others(self) -> list[Column]:
        """All columns but that of the times."""
        return columns_without(self.sheet.columns, [self.time])

    def likely(self, names: Names) -> tuple[str, ...]:
        """Columns that the data may have as well, with the values of the past: neither keys nor
        what seems to be the target."""
        taken = {_folded(name) for name in _all_names(names)}
        if not names.target:
            taken |= {"y", "target", *TARGET_NAMES}
        asked = {_folded(name) for name in names.beside.known_names()}
        keys = {id(column) for column in _telling(self, None)}
        likely = []
        for column in self.others():
            name = _folded(column.name)
            names_series = id(column) in keys or is_code(column.name)
            is_free = not names_series and name not in taken and holds_something(column)
            if is_free or name in asked:
                likely.append(column.name)
        return tuple(likely)


def _folded(name: str) -> str:
    return name.strip().casefold()


def own_table(sheet: Sheet, names: Names) -> OwnTable:
    """A sheet as a table of coming values; DataError where it has no times."""
    columns = {_folded(name) for name in sheet.names}
    said = [names.time] if isinstance(names.time, str) else list(names.time or ())
    has_them = bool(said) and all(_folded(name) in columns for name in said)
    time = names.time if has_them and said != ["index"] else None
    with_time = dated(sheet, Names(time=time, written=names.written))
    if with_time is None:
        example = said[0] if said else "date"
        raise DataError(
            f"{sheet.source} has no column of times, which coming values need: call it as in the "
            f"data, such as {example!r}. Its columns are:\n{sheet.describe()}"
        )
    return OwnTable(*with_time)


def known_of(own: OwnTable, owners: Owners, names: Names) -> tuple[KnownRows, list[Finding]]:
    """The rows of a table of its own as what is known in advance of series, and what was noticed.

    Keys are columns that are called as those of the data, or whose cells are theirs; without any,
    all series share the rows. Columns are those that were named, else all others that hold numbers,
    yes and no, or categories.
    """
    sheet = own.sheet
    keys = _keys(own, owners)
    free = columns_without(own.others(), keys.values())
    columns = _chosen(sheet, free, names.beside.known_names(), owners, "future")
    notes: list[Finding] = []
    values, levels = {}, {}
    for name, column in columns.items():
        values[name], categories = known_values(sheet, column, names.written, notes)
        if categories:
            levels[name] = categories
    codes, groups, unknown = _grouped(sheet, keys, owners)
    times, zone_notes = _times(own, owners)
    unused = _unused(columns_without(free, columns.values()), unknown)
    rows = KnownRows(
        codes,
        groups,
        times,
        sheet.lines,
        values,
        levels,
        sheet.source,
        sheet.row_word,
        own=True,
    )
    findings = [*sheet.notes, *notes, *zone_notes, *unused]
    return rows, [_of_table(sheet, finding) for finding in findings]


def _all_names(names: Names) -> list[str]:
    """All columns that somebody named for the data, but those beside the target."""
    all_names = []
    for said in (names.time, names.target, names.series, names.past):
        each = [said] if isinstance(said, str) else said or ()
        for name in each:
            all_names += [name, *name.split(",")]
    return all_names


# ------------------------------------------------------------------ which rows are of which series


def _telling(own: OwnTable, target: Column | None) -> list[Column]:
    """The columns that tell rows of one time apart; none where that is not clear."""
    try:
        return find_series(own.sheet, own.times, own.time, target)
    except DataError:
        return []


def _keys(own: OwnTable, owners: Owners) -> dict[str, Column]:
    """The columns of keys, by the name of the data's own column."""
    keys = _keys_by_name(own.others(), owners)
    repeated = len(np.unique(own.times)) < len(own.times)
    if repeated and not keys:
        keys = _keys_by_cells(_telling(own, None), owners)
    if repeated and not keys:
        raise DataError(_which_keys(own, owners))
    return keys


def _keys_by_name(columns: Sequence[Column], owners: Owners) -> dict[str, Column]:
    """Columns that are called as those of the data."""
    keys = {}
    for name in owners.keys:
        for column in columns:
            if _folded(column.name) == _folded(name):
                keys[name] = column
    return keys


def _keys_by_cells(columns: Sequence[Column], owners: Owners) -> dict[str, Column]:
    """Columns whose cells are the names of series."""
    named = owners.named()
    keys: dict[str, Column] = {}
    for column in columns:
        texts = set(map(str, column.as_ids()[1]))
        shared = {name: len(texts & set(names.tolist())) for name, names in named.items()}
        most = max(shared.values(), default=0)
        if most:
            name = next(name for name, count in shared.items() if count == most)
            keys.setdefault(name, column)
    return keys


def _which_keys(own: OwnTable, owners: Owners) -> str:
    """What is said of a table whose rows are of no series that can be told."""
    return (
        f"{own.sheet.source} has several rows for each time, and none of its columns says of which "
        f"series they are. A column that is called as in the data ({_wanted(owners)}) is expected, "
        "or one row for each time, which all series share. The columns "
        f"are:\n{own.sheet.describe()}"
    )


def _wanted(owners: Owners) -> str:
    """The columns of the data that name series, or what they are called."""
    if len(owners.keys):
        return listed(owners.keys)
    return f"the names of series, such as {str(owners.ids[0])!r}"


def _grouped(
    sheet: Sheet, keys: Mapping[str, Column], owners: Owners
) -> tuple[ndarray, dict[str, int], int]:
    """The group of each row (R,), that of each id, and how many groups are of no series."""
    if not keys:
        return np.zeros(len(sheet), np.int64), {str(name): 0 for name in owners.ids}, 0
    ids_of_columns = [column.as_ids() for column in keys.values()]
    codes = np.stack([column_codes for column_codes, _ in ids_of_columns], axis=1)
    distinct, groups = np.unique(codes, axis=0, return_inverse=True)
    group_of_texts = {}
    for group, group_codes in enumerate(distinct.tolist()):
        texts = []
        for code, (_, names) in zip(group_codes, ids_of_columns, strict=True):
            texts.append(str(names[code]))
        group_of_texts[tuple(texts)] = group
    named = owners.named()
    texts_of_series = zip(*(named[name].tolist() for name in keys), strict=True)
    group_of_id = {}
    for series, texts in zip(owners.ids, texts_of_series, strict=True):
        group = group_of_texts.get(tuple(map(str, texts)))
        if group is not None:
            group_of_id[str(series)] = group
    unknown = len(group_of_texts) - len(set(group_of_id.values()))
    return groups.reshape(-1), group_of_id, unknown


# ------------------------------------------------------------------ what does not change


def static_of(sheet: Sheet, owners: Owners, names: Names) -> tuple[StaticColumns, list[Finding]]:
    """A table with a row for each series, or for each of some keys, as what does not change, and
    what was noticed."""
    sheet = names.written.applied(sheet)
    columns = list(sheet.columns)
    texts = [column for column in columns if column.is_text or is_code(column.name)]
    keys = _keys_by_name(columns, owners) or _first_key(_keys_by_cells(texts, owners))
    if not keys:
        raise DataError(
            f"{sheet.source}: none of its columns says of which series a row is. A column that is "
            f"called as in the data ({_wanted(owners)}) is expected. The columns "
            f"are:\n{sheet.describe()}"
        )
    codes, groups, unknown = _grouped(sheet, keys, owners)
    _require_one_row(sheet, keys, codes)
    free = columns_without(columns, keys.values())
    static_columns = _chosen(sheet, free, names.beside.names("static"), owners, "static")
    notes: list[Finding] = []
    order = np.argsort(codes)  # a row for each group
    values, levels = {}, {}
    for name, column in static_columns.items():
        cells, categories = known_values(sheet, column, names.written, notes, "static")
        values[name] = cells[order]
        if categories:
            levels[name] = categories
    unused = _unused(columns_without(free, static_columns.values()), unknown)
    static = StaticColumns(groups, values, levels, sheet.source, own=True)
    findings = [*sheet.notes, *notes, *unused]
    return static, [_of_table(sheet, finding) for finding in findings]


def _first_key(keys: dict[str, Column]) -> dict[str, Column]:
    """One column whose cells name series: further ones may do so by chance."""
    return dict(list(keys.items())[:1])


def _require_one_row(sheet: Sheet, keys: Mapping[str, Column], codes: ndarray) -> None:
    """DataError for two rows of one series."""
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    if (counts == 1).all():
        return
    again = int(np.flatnonzero(~np.isin(np.arange(len(codes)), first))[0])
    row = int(np.flatnonzero(codes == codes[again])[0])
    name = "/".join(column.cell(row) for column in keys.values())
    raise DataError(
        f"{sheet.source} has two rows for series {name!r} ({sheet.row_word} {sheet.lines[row]} and "
        f"{sheet.lines[again]}). One row for each series is expected: drop one."
    )


# ------------------------------------------------------------------ which columns, which times


def _chosen(
    sheet: Sheet, free: Sequence[Column], asked: Sequence[str], owners: Owners, role: str
) -> dict[str, Column]:
    """The columns that were asked for, called so, else all that may be meant."""
    if asked:
        names = {_folded(column.name) for column in free}
        present = [name for name in asked if _folded(name) in names]
        columns = {name: named_column(sheet, name, f"{role} covariate") for name in present}
    else:
        targets = {owners.columns.target, *map(str, owners.ids.tolist())}
        columns = {}
        for column in free:
            if column.name not in targets and holds_something(column):
                columns[column.name] = column
    if not columns:
        expected = f": {listed(asked)} is expected there" if asked else ""
        raise DataError(
            f"{sheet.source} has no column of values{expected}. "
            f"Name one with {ask(role, 'NAME')}. The columns are:\n{sheet.describe()}"
        )
    return columns


def _times(own: OwnTable, owners: Owners) -> tuple[ndarray, list[Finding]]:
    """The times, in the zone of the data's."""
    read = own.time.times
    theirs = read.zone if read is not None else None
    if theirs is None or owners.zone is None or theirs == owners.zone:
        return own.times, []
    times = converted(own.times, theirs, owners.zone)
    if times is None:
        raise DataError(
            f"The times of {own.sheet.source} are those of {theirs}, those of the data are of "
            f"{owners.zone}, and one of the two is not known here. Write both in one zone."
        )
    message = f"the times came in the time zone {theirs}"
    return times, [Finding("time zone", "note", message, f"They are converted to {owners.zone}.")]


def _unused(left: Sequence[Column], unknown: int) -> list[Finding]:
    """Columns that were not used, and rows of series that the data do not have."""
    findings = []
    if left:
        names = ", ".join(column.name for column in left[:8])
        message = f"columns that were not used: {names}"
        if len(left) > 8:
            message += f" and {len(left) - 8} more"
        findings.append(Finding("columns", "note", message, count=len(left)))
    if unknown:
        message = f"rows of {unknown:,} series that the data do not have"
        action = "They are left out."
        findings.append(Finding("unknown series", "note", message, action, count=unknown))
    return findings


def _of_table(sheet: Sheet, finding: Finding) -> Finding:
    return replace(finding, message=f"{sheet.source}: {finding.message}")
