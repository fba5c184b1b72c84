"""Separate tables: coming values of future columns, and static columns."""

# R rows of the table · G groups of rows: those of a series, or of several that share them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.cells.columns import TARGET_NAMES, named_column
from lstmcast.data.cells.serieskeys import find_series, is_code
from lstmcast.data.cells.values import holds_something, known_values
from lstmcast.data.covariates.placingnotes import left_out
from lstmcast.data.covariates.roles import Names
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.keys import Keys, texts_of
from lstmcast.data.known import KnownRows, StaticColumns
from lstmcast.data.layouts.rowtimes import dated
from lstmcast.data.levels import CodedColumns
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.table import Columns
from lstmcast.data.times.zones import converted
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
        texts_by_name = {name: texts_of(array) for name, array in self.keys.items()}
        if self.keys.targets is None and len(texts_by_name) == 1:
            return texts_by_name
        row_names = self.keys.row_names(self.ids).tolist()
        texts_by_name[_UNNAMED] = objects(map(str, row_names))
        return texts_by_name


class OwnTable(NamedTuple):
    """A separate table with a time in every row."""

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
        """Columns that the data may have too, with past values: neither keys nor likely targets."""
        taken_names = {folded(name) for name in _all_names(names)}
        if not names.target:
            taken_names |= {"y", "target", *TARGET_NAMES}
        requested = {folded(name) for name in names.beside.known_names()}
        values = {id(column) for column in self.without_names(self.others())}
        likely = []
        for column in self.others():
            name = folded(column.name)
            is_taken = id(column) not in values or name in taken_names
            if name in requested or (not is_taken and holds_something(column)):
                likely.append(column.name)
        return tuple(likely)

    def without_names(self, columns: Sequence[Column]) -> list[Column]:
        """Those of some columns that do not name series."""
        values = columns_without(columns, _telling(self, None))
        return [column for column in values if not is_code(column.name)]


def own_table(sheet: Sheet, names: Names) -> OwnTable:
    """A sheet as a table of coming values; DataError where it has no times."""
    time_names = [names.time] if isinstance(names.time, str) else list(names.time or ())
    has_them = bool(time_names) and all(map(sheet.has_column, time_names))
    time = names.time if has_them and time_names != ["index"] else None
    with_time = dated(sheet, Names(time=time, written=names.written))
    if with_time is None:
        example = time_names[0] if time_names else "date"
        raise DataError(
            f"{sheet.source} has no column of times, which coming values need. Name it as in the "
            f"data, such as {example!r}. Its columns are:\n{sheet.describe()}"
        )
    return OwnTable(*with_time)


def known_of(
    own_rows: OwnTable, owners: Owners, names: Names
) -> tuple[KnownRows, list[Finding]]:
    """The rows of a table of its own as what is known in advance of series, and findings.

    Keys are columns with the names or the cells of those in the data; without keys, all series
    share the rows. Values are the named columns, else all others that hold numbers, yes and no, or
    categories.
    """
    sheet = own_rows.sheet
    keys = _keys(own_rows, owners)
    candidates = columns_without(own_rows.others(), keys.values())
    requested = names.beside.known_names()
    # Without a request, a second column that names series, such as their store, says nothing.
    possible = candidates if requested else own_rows.without_names(candidates)
    columns = _chosen(sheet, possible, requested, owners, "future")
    values, levels, notes = _read_columns(sheet, columns, names, "future")
    codes, groups, unknown = _grouped(sheet, keys, owners)
    times, zone_notes = _times(own_rows, owners)
    unused = columns_without(candidates, columns.values())
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
    absent = [name for name in requested if name not in columns]
    findings = [*sheet.notes, *notes, *zone_notes, *left_out(unused, absent, unknown)]
    return rows, [_of_table(sheet, finding) for finding in findings]


def _read_columns(
    sheet: Sheet, columns: Mapping[str, Column], names: Names, role: str
) -> CodedColumns:
    """The values of columns (R,), the categories that they stand for, and findings."""
    notes: list[Finding] = []
    values, levels = {}, {}
    for name, column in columns.items():
        values[name], categories = known_values(
            sheet, column, names.written, notes, role
        )
        if categories:
            levels[name] = categories
    return CodedColumns(values, levels, notes)


def _all_names(names: Names) -> list[str]:
    """All columns that are named for the data, except those beside the target."""
    all_names = []
    for choice in (names.time, names.target, names.series, names.past):
        names_of_role = [choice] if isinstance(choice, str) else choice or ()
        for name in names_of_role:
            all_names += [name, *name.split(",")]
    return all_names


# ------------------------------------------------------------------ which rows are of which series


def _telling(table: OwnTable, target: Column | None) -> list[Column]:
    """The columns that tell rows of one time apart; none where that is not clear."""
    try:
        return find_series(table.sheet, table.times, table.time, target)
    except DataError:
        return []


def _keys(table: OwnTable, owners: Owners) -> dict[str, Column]:
    """The columns of keys, by the name of the data's own column."""
    keys = _keys_by_name(table.others(), owners)
    has_repeats = len(np.unique(table.times)) < len(table.times)
    if keys or not has_repeats:
        return keys
    keys = _keys_by_cells(_telling(table, None), owners)
    if not keys:
        raise DataError(_which_keys(table, owners))
    return keys


def _keys_by_name(columns: Sequence[Column], owners: Owners) -> dict[str, Column]:
    """Columns that are called as those of the data."""
    keys = {}
    for name in owners.keys:
        for column in columns:
            if folded(column.name) == folded(name):
                keys[name] = column
    return keys


def _keys_by_cells(columns: Sequence[Column], owners: Owners) -> dict[str, Column]:
    """Columns whose cells are the names of series."""
    names_of_series = {
        name: set(texts.tolist()) for name, texts in owners.named().items()
    }
    keys: dict[str, Column] = {}
    for column in columns:
        _, ids = column.as_ids()
        texts = set(map(str, ids))
        shared = {name: len(texts & names) for name, names in names_of_series.items()}
        best_name = max(shared, key=shared.__getitem__, default=None)
        if best_name is not None and shared[best_name]:
            keys.setdefault(best_name, column)
    return keys


def _which_keys(table: OwnTable, owners: Owners) -> str:
    """The message about a table whose rows cannot be assigned to series."""
    return (
        f"{table.sheet.source} has several rows for each time, but no column names their series. "
        f"Expected is a column named as in the data ({_wanted(owners)}), or one row per time, "
        f"shared by all series. The columns are:\n{table.sheet.describe()}"
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
        shared = {str(name): 0 for name in owners.ids}
        return np.zeros(len(sheet), np.int64), shared, 0
    ids_of_columns = [column.as_ids() for column in keys.values()]
    codes = np.stack([column_codes for column_codes, _ in ids_of_columns], axis=1)
    distinct, groups = np.unique(codes, axis=0, return_inverse=True)
    group_of_texts = {}
    for group, group_codes in enumerate(distinct.tolist()):
        texts = []
        for code, (_, names) in zip(group_codes, ids_of_columns, strict=True):
            texts.append(str(names[code]))
        group_of_texts[tuple(texts)] = group
    group_of_id = _groups_of_ids(group_of_texts, keys, owners)
    unknown = len(group_of_texts) - len(set(group_of_id.values()))
    return groups.reshape(-1), group_of_id, unknown


def _groups_of_ids(
    group_of_texts: Mapping[tuple[str, ...], int],
    keys: Mapping[str, Column],
    owners: Owners,
) -> dict[str, int]:
    """The group of each id that has one, by the texts of its keys."""
    texts_by_name = owners.named()
    texts_of_keys = [texts_by_name[name].tolist() for name in keys]
    groups = {}
    for series, *texts in zip(owners.ids, *texts_of_keys, strict=True):
        group = group_of_texts.get(tuple(map(str, texts)))
        if group is not None:
            groups[str(series)] = group
    return groups


# ------------------------------------------------------------------ what does not change


def static_of(
    sheet: Sheet, owners: Owners, names: Names
) -> tuple[StaticColumns, list[Finding]]:
    """A table with a row for each series, or for each of some keys, as what does not change, and
    findings."""
    sheet = names.written.applied(sheet)
    columns = list(sheet.columns)
    keys = _keys_by_name(columns, owners)
    if not keys:
        texts = [column for column in columns if column.is_text or is_code(column.name)]
        keys = _first_key(_keys_by_cells(texts, owners))
    if not keys:
        raise DataError(
            f"{sheet.source} has no column that names the series of a row. Expected is a column "
            f"named as in the data ({_wanted(owners)}). The columns are:\n{sheet.describe()}"
        )
    codes, groups, unknown = _grouped(sheet, keys, owners)
    _require_one_row(sheet, keys, codes)
    candidates = columns_without(columns, keys.values())
    requested = names.beside.names("static")
    static_columns = _chosen(sheet, candidates, requested, owners, "static")
    cells, levels, notes = _read_columns(sheet, static_columns, names, "static")
    order = np.argsort(codes)  # a row for each group
    values = {name: column[order] for name, column in cells.items()}
    unused = columns_without(candidates, static_columns.values())
    static = StaticColumns(groups, values, levels, sheet.source, own=True)
    absent = [name for name in requested if name not in static_columns]
    findings = [*sheet.notes, *notes, *left_out(unused, absent, unknown)]
    return static, [_of_table(sheet, finding) for finding in findings]


def _first_key(keys: dict[str, Column]) -> dict[str, Column]:
    """One column whose cells name series: further ones may do so by chance."""
    return dict(islice(keys.items(), 1))


def _require_one_row(sheet: Sheet, keys: Mapping[str, Column], codes: ndarray) -> None:
    """DataError for two rows of one series."""
    _, first_rows = np.unique(codes, return_index=True)
    if len(first_rows) == len(codes):
        return
    is_repeated = np.ones(len(codes), bool)
    is_repeated[first_rows] = False
    second = int(np.argmax(is_repeated))
    first = int(np.argmax(codes == codes[second]))
    name = "/".join(column.cell(first) for column in keys.values())
    raise DataError(
        f"{sheet.source} has two rows for series {name!r} ({sheet.row_word} {sheet.lines[first]} "
        f"and {sheet.lines[second]}). One row per series is expected: drop one."
    )


# ------------------------------------------------------------------ which columns, which times


def _chosen(
    sheet: Sheet,
    candidates: Sequence[Column],
    requested: Sequence[str],
    owners: Owners,
    role: str,
) -> dict[str, Column]:
    """The columns that were asked for, called so, else all that may be meant."""
    if requested:
        columns = _requested(sheet, candidates, requested, role)
    else:
        targets = {owners.columns.target, *map(str, owners.ids.tolist())}
        columns = {}
        for column in candidates:
            if column.name not in targets and holds_something(column):
                columns[column.name] = column
    if not columns:
        expected = f": {listed(requested)} is expected there" if requested else ""
        raise DataError(
            f"{sheet.source} has no column of values{expected}. "
            f"Name one with {advise(role, 'NAME')}. The columns are:\n{sheet.describe()}"
        )
    return columns


def _requested(
    sheet: Sheet, candidates: Sequence[Column], requested: Sequence[str], role: str
) -> dict[str, Column]:
    """The columns that were asked for, as far as they are among the candidates."""
    names = {folded(column.name) for column in candidates}
    columns = {}
    for name in requested:
        if folded(name) in names:
            columns[name] = named_column(sheet, name, f"{role} covariate")
    return columns


def _times(table: OwnTable, owners: Owners) -> tuple[ndarray, list[Finding]]:
    """The times, in the zone of the data's."""
    reading = table.time.times
    table_zone = None if reading is None else reading.zone
    if table_zone is None or owners.zone is None or table_zone == owners.zone:
        return table.times, []
    times = converted(table.times, table_zone, owners.zone)
    if times is None:
        raise DataError(
            f"The times of {table.sheet.source} are in {table_zone} and those of the data in "
            f"{owners.zone}, but one of these time zones is unknown here. Write both in one time "
            "zone."
        )
    message = f"the times came in the time zone {table_zone}"
    action = f"They are converted to {owners.zone}."
    return times, [Finding("time zone", "note", message, action)]


def _of_table(sheet: Sheet, finding: Finding) -> Finding:
    return replace(finding, message=f"{sheet.source}: {finding.message}")
