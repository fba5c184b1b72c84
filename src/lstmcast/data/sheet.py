"""A sheet: named columns as read, before they are interpreted."""

# N rows · U distinct texts of a column

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.missingwords import is_missing
from lstmcast.data.numbers import Numbers, parse_numbers
from lstmcast.data.table import Finding, format_time
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.daycounts import counted_days
from lstmcast.data.times.timenumbers import decimal_times, integer_times
from lstmcast.data.times.times import Times
from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects
from lstmcast.util.patterns import pattern_of

_INTEGER = pattern_of(r"0|-?[1-9]\d{0,17}")  # as Python writes it, within 64 bits
_BEYOND_INTEGERS = 2.0**63
_SAMPLE = (
    2000  # texts, spread over a column, of which some are times if the column is one
)


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a sheet. Text is stored as distinct texts (U,) with codes (N,).

    Typed columns (codes None) are float64, int64, bool or datetime64[us] arrays (N,), NaN and NaT =
    missing.
    """

    name: str
    data: ndarray
    codes: ndarray | None = None
    zone: str | None = None
    # time zone of the user's frame, if different from `zone`
    frame_zone: str | None = None
    decimal_comma_likely: bool = False
    plain: bool = False  # the texts were numbers: a point is a decimal point
    # kind of typed data, if the arrays do not show it
    dtype: Literal["", "text", "date"] = ""
    categories: Categories | None = None
    frame_dtype: str = ""  # library and type of the column of a frame: "pandas:Int64"
    invented: bool = False  # not a column of the data
    notes: tuple[str, ...] = ()  # changes to its times
    # its format, if declared
    day_first: bool | None = None
    decimal: str = ""
    date_format: str = ""

    def __len__(self) -> int:
        return len(self.cell_keys)

    @classmethod
    def of_texts(
        cls,
        name: str,
        texts: Iterable[str],
        *,
        decimal_comma_likely: bool = False,
        plain: bool = False,
        dtype: Literal["", "text"] = "",
    ):
        """A text column from its cells."""
        places: dict[str, int] = {}
        codes = [places.setdefault(text, len(places)) for text in texts]
        return cls(
            name,
            objects(places),
            np.array(codes, np.int64),
            decimal_comma_likely=decimal_comma_likely,
            plain=plain,
            dtype=dtype,
        )

    @property
    def is_text(self) -> bool:
        return self.codes is not None

    @property
    def cell_keys(self) -> ndarray:
        """Something that is equal where cells are (N,)."""
        return self.data if self.codes is None else self.codes

    def spread(self, distinct: ndarray) -> ndarray:
        """Results for the distinct texts, spread to all rows."""
        return distinct if self.codes is None else distinct[self.codes]

    @cached_property
    def missing(self) -> ndarray:
        """Whether each cell means a missing value (N,)."""
        if self.is_text:
            are_missing = [is_missing(text) for text in self.data]
            return self.spread(np.array(are_missing, bool))
        if self.data.dtype.kind == "M":
            return np.isnat(self.data)
        if self.data.dtype.kind == "f":
            return np.isnan(self.data)
        return np.zeros(len(self.data), bool)

    @cached_property
    def numbers(self) -> Numbers | None:
        """The column as numbers, per distinct text or per row; None if it is not numeric."""
        if self.is_text:
            step = max(1, len(self.data) // 200)
            sample = [text for text in self.data[::step] if not is_missing(text)]
            if len(sample) > 20 and parse_numbers(sample).bad.mean() > 0.9:
                return None  # avoids parsing a million dates or names
            return parse_numbers(
                self.data.tolist(),
                decimal_comma_likely=self.decimal_comma_likely,
                plain=self.plain,
                decimal=self.decimal,
            )
        if self.data.dtype.kind not in "fi":
            return None
        return Numbers(self.data.astype(np.float64), np.zeros(len(self.data), bool))

    @cached_property
    def times(self) -> Times | None:
        """The column as times, per distinct text or per row; None if it does not hold times."""
        times = self._times()
        if times is None or times.form == "index":
            return self._counted() or times
        if not self.is_text:
            return times
        return replace(times, notes=(*self.notes, *times.notes))

    def _times(self) -> Times | None:
        if self.is_text:
            read = partial(
                parse_times, day_first=self.day_first, date_format=self.date_format
            )
            step = len(self.data) // _SAMPLE
            if step > 1 and read(self.data[::step].tolist()) is None:
                return None  # avoids parsing a hundred thousand names
            return read(self.data.tolist())
        if self.data.dtype.kind == "M":
            times = Times.of(self.data, "date", *self.notes, zone=self.zone)
            return replace(times, frame_zone=self.frame_zone)
        whole_numbers = self._whole()
        if whole_numbers is not None and len(whole_numbers):
            return integer_times(whole_numbers)
        return self._decimal()

    def _decimal(self) -> Times | None:
        """Decimal years and seconds since 1970 with a fraction, in a frame's column of numbers."""
        numbers = self.data
        if (
            numbers.dtype.kind != "f"
            or not len(numbers)
            or not np.isfinite(numbers).all()
        ):
            return None
        times = decimal_times(numbers)
        may_be_years = numbers.min() >= 1500 and numbers.max() < 2201
        if times is not None or not may_be_years:
            return times
        distinct, codes = np.unique(numbers, return_inverse=True)
        years = parse_times([f"{year:.3f}" for year in distinct.tolist()])
        if years is None or years.form != "year" or years.bad.any():
            return None
        return replace(years, values=years.values[codes], bad=years.bad[codes])

    def _counted(self) -> Times | None:
        """Days that were counted, in a column whose name says that it holds dates."""
        if self.date_format or self.numbers is None:
            return None
        days_and_note = counted_days(self.name, self.numbers.values)
        if days_and_note is None:
            return None
        values, note = days_and_note
        return Times(values, self.numbers.bad, "number", None, (note,))

    def _whole(self) -> ndarray | None:
        numbers = self.data
        if numbers.dtype.kind == "i":
            return numbers
        if numbers.dtype.kind != "f" or not np.isfinite(numbers).all():
            return None
        if (np.abs(numbers) >= 2**53).any():
            return None
        whole_numbers = numbers.astype(np.int64)
        return whole_numbers if (whole_numbers == numbers).all() else None

    @cached_property
    def number_share(self) -> float:
        """Share of the non-missing cells that are numbers; 0 if all are missing."""
        if self.numbers is None:
            return 0.0
        return self._share(self.numbers.bad)

    @cached_property
    def time_share(self) -> float:
        """Share of the non-missing cells that are times; 0 if all are missing."""
        if self.times is None:
            return 0.0
        return self._share(self.times.bad)

    def _share(self, is_bad: ndarray) -> float:
        is_present = ~self.missing
        if not is_present.any():
            return 0.0
        is_read = is_present & ~self.spread(is_bad)
        return float(is_read.sum() / is_present.sum())

    def cell(self, row: int) -> str:
        """One cell as text, short enough for a message."""
        place = row if self.codes is None else self.codes[row]
        value = self.data[place]
        if isinstance(value, np.datetime64):
            return format_time(value)
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if len(text) > 40:
            return text[:39] + "…"
        return text

    def as_ids(self) -> tuple[ndarray, ndarray]:
        """Codes (N,) and ids (S,) str, in order of first appearance; an empty cell is the empty
        text.

        Words for missing numbers are ids like any others: NA is Namibia.
        """
        if self.codes is not None:
            names = [text.strip() for text in self.data]
            return _in_order(self.codes, names)
        cells = self.data.astype("datetime64[D]") if self.dtype == "date" else self.data
        distinct, codes = np.unique(cells, return_inverse=True)
        names = [_id_text(value) for value in distinct.tolist()]
        return _in_order(codes, names)

    @cached_property
    def nameless(self) -> ndarray:
        """Whether each cell names no series (N,): only empty cells, since NA is Namibia."""
        if self.codes is None:
            return self.missing
        are_empty = [not text.strip() for text in self.data]
        return self.spread(np.array(are_empty, bool))

    def key(self, rows: ndarray) -> ndarray:
        """The cells of some rows as a key of series, in their original type.

        Texts of a file become integers if all are written as integers: 7, not 007.
        """
        if self.codes is not None:
            return self._key_of_texts(self.data[self.codes[rows]])
        cells = self.data[rows]
        if self.dtype == "date":
            return cells.astype("datetime64[D]")
        # integers with missing cells were read as floats
        is_whole = cells.dtype.kind == "f" and bool(np.all(cells == np.rint(cells)))
        is_whole = is_whole and bool(np.all(np.abs(cells) < _BEYOND_INTEGERS))
        return cells.astype(np.int64) if is_whole else cells

    def _key_of_texts(self, cells: ndarray) -> ndarray:
        texts = objects(str(text).strip() for text in cells)
        if self.categories is not None:
            return _category_values(texts, self.categories.values)
        are_integers = self.dtype == "" and all(map(_INTEGER.fullmatch, texts.tolist()))
        return texts.astype(np.int64) if are_integers else texts

    def take(self, rows: ndarray) -> Column:
        """The column with the given rows (a mask or positions) only."""
        if self.codes is None:
            return replace(self, data=self.data[rows])
        # texts of dropped rows must not influence the column
        used_texts, codes = np.unique(self.codes[rows], return_inverse=True)
        return replace(self, data=self.data[used_texts], codes=codes)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Columns of equal length with the line of each row (N,), their source, and findings so far."""

    columns: tuple[Column, ...]
    lines: ndarray
    source: str
    frame: str
    notes: tuple[Finding, ...] = ()
    label: str = "y"  # the id of the series, if there is only one
    wide: bool = False  # every numeric column is a series, unless a target is named
    titles: tuple[str, ...] = ()  # what stands above the header
    hidden: bool = False  # a sheet of a workbook that people do not see

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def row_word(self) -> str:
        return "line" if self.frame == "file" else "row"

    def has_column(self, name: str) -> bool:
        """Whether there is a column with this name, ignoring case."""
        return folded(name) in map(folded, self.names)

    def take(self, rows: ndarray, *notes: Finding) -> Sheet:
        """The sheet with the given rows (a mask or positions), and further notes."""
        return replace(
            self,
            columns=tuple(column.take(rows) for column in self.columns),
            lines=self.lines[rows],
            notes=(*self.notes, *notes),
        )

    def describe(self, columns: Sequence[Column] | None = None) -> str:
        """A list of the columns with a few of their cells, for messages."""
        described_columns = self.columns if columns is None else columns
        lines = [
            f"  {column.name!r}: {_sample(column)}" for column in described_columns[:12]
        ]
        count = len(described_columns)
        if count > 12:
            lines.append(f"  … and {count - 12} more")
        return "\n".join(lines)


class Chosen(NamedTuple):
    """What is read of several sheets, by their names: one of them, or the rows of several, each of
    which may be a series."""

    names: tuple[str, ...]
    sheet: Sheet
    are_series: bool = False


def _sample(column: Column) -> str:
    rows = np.flatnonzero(~column.missing)[:3]
    cells = [column.cell(row) for row in rows]
    if len(cells) == 3:
        cells.append("…")
    return ", ".join(cells) or "empty"


def _category_values(texts: ndarray, values: ndarray) -> ndarray:
    """The categories of the texts, or the texts themselves if they do not match."""
    places = {str(value): place for place, value in enumerate(values.tolist())}
    names = texts.tolist()
    if not places.keys() >= set(names):
        return texts
    return values[[places[name] for name in names]]


def _id_text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _in_order(codes: ndarray, names: list[str]) -> tuple[ndarray, ndarray]:
    """Renumber so that equal names share a code and ids are in order of first appearance."""
    count = len(codes)
    places: dict[str, int] = {}
    first_rows = np.full(len(names), count)
    np.minimum.at(first_rows, codes, np.arange(count))
    renumbered = np.zeros(len(names), np.int64)
    in_order = np.argsort(first_rows, kind="stable")
    for code in in_order[first_rows[in_order] < count]:
        renumbered[code] = places.setdefault(names[code], len(places))
    return renumbered[codes], objects(places)


def folded(text: object) -> str:
    """A name in lower case with single spaces of any kind within it, for comparisons."""
    return " ".join(str(text).split()).casefold()


def columns_without(
    columns: Iterable[Column], excluded: Iterable[Column | None]
) -> list[Column]:
    """The columns without others, compared by identity, as two columns may be equal."""
    identities = {id(column) for column in excluded}
    return [column for column in columns if id(column) not in identities]
