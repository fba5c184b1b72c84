"""A sheet: named columns as they came in, before anything is known about what they mean."""

# N rows · U distinct texts of a column

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy import ndarray

from lstmcast.data.dates import parse_times
from lstmcast.data.numbers import Numbers, is_missing, parse_numbers
from lstmcast.data.table import Finding, format_time
from lstmcast.data.timenumbers import decimal_times, integer_times, names_dates, serial_times
from lstmcast.data.times import Times
from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")  # as Python writes it, within 64 bits


@dataclass(frozen=True, eq=False)
class Column:
    """One column. Text is kept as distinct texts (U,) with codes (N,) into them, so each text is
    read once.

    Typed columns (codes None) are float64, int64, bool or datetime64[us] arrays (N,), NaN and NaT =
    missing.
    """

    name: str
    data: ndarray
    codes: ndarray | None = None
    zone: str | None = None
    frame_zone: str | None = None  # of the user's frame, where `zone` is another
    decimal_comma_likely: bool = False
    plain: bool = False  # the texts were numbers once: a point is a decimal point
    dtype: Literal["", "text", "date"] = ""  # of typed data, where the arrays do not show it
    categories: Categories | None = None
    invented: bool = False  # the data have no such column
    notes: tuple[str, ...] = ()  # what was done to its times
    # what somebody said of how it is written
    day_first: bool | None = None
    decimal: str = ""
    date_format: str = ""

    def __len__(self) -> int:
        return len(self.data if self.codes is None else self.codes)

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
        codes = np.array([places.setdefault(text, len(places)) for text in texts], np.int64)
        return cls(
            name,
            objects(places),
            codes,
            decimal_comma_likely=decimal_comma_likely,
            plain=plain,
            dtype=dtype,
        )

    @property
    def is_text(self) -> bool:
        return self.codes is not None

    def spread(self, distinct: ndarray) -> ndarray:
        """What was found for the distinct texts, for every row."""
        return distinct if self.codes is None else distinct[self.codes]

    @cached_property
    def missing(self) -> ndarray:
        """(N,) bool: cells that say there is no value."""
        if self.is_text:
            return self.spread(np.array([is_missing(text) for text in self.data], bool))
        if self.data.dtype.kind == "M":
            return np.isnat(self.data)
        return (
            np.isnan(self.data) if self.data.dtype.kind == "f" else np.zeros(len(self.data), bool)
        )

    @cached_property
    def numbers(self) -> Numbers | None:
        """The column as numbers, per distinct text or per row; None where it cannot be numbers."""
        if self.is_text:
            few = [
                text for text in self.data[:: max(1, len(self.data) // 200)] if not is_missing(text)
            ]
            if len(few) > 20 and parse_numbers(few).bad.mean() > 0.9:
                return None  # a million dates or names need not be tried one by one
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
        """The column as times, per distinct text or per row; None where it cannot be times."""
        times = self._times()
        if times is not None and times.form != "index":
            return replace(times, notes=(*self.notes, *times.notes)) if self.is_text else times
        return self._serial() or times

    def _times(self) -> Times | None:
        if self.is_text:
            return parse_times(
                self.data.tolist(), day_first=self.day_first, date_format=self.date_format
            )
        if self.data.dtype.kind == "M":
            bad = np.zeros(len(self.data), bool)
            return Times(self.data, bad, "date", self.zone, self.notes, frame_zone=self.frame_zone)
        whole = self._whole()
        if whole is not None and len(whole):
            return integer_times(whole)
        return self._decimal()

    def _decimal(self) -> Times | None:
        """Decimal years and seconds since 1970 with a fraction, in a frame's column of numbers."""
        if self.data.dtype.kind != "f" or not np.isfinite(self.data).all() or not len(self.data):
            return None
        times = decimal_times(self.data)
        if times is not None or not 1500 <= self.data.min() <= self.data.max() < 2201:
            return times
        distinct, codes = np.unique(self.data, return_inverse=True)
        read = parse_times([f"{year:.3f}" for year in distinct.tolist()])
        if read is None or read.form != "year" or read.bad.any():
            return None
        return replace(read, values=read.values[codes], bad=read.bad[codes])

    def _serial(self) -> Times | None:
        """Serial days of a spreadsheet, in a column whose name says that it holds dates."""
        if self.date_format or not names_dates(self.name) or self.numbers is None:
            return None
        values = serial_times(self.numbers.values)
        if values is None:
            return None
        note = "numbers read as serial days of a spreadsheet, counted from the end of 1899"
        return Times(values, self.numbers.bad, "number", None, (note,))

    def _whole(self) -> ndarray | None:
        if self.data.dtype.kind == "i":
            return self.data
        if (
            self.data.dtype.kind != "f"
            or not np.isfinite(self.data).all()
            or not (np.abs(self.data) < 2**53).all()
        ):
            return None
        whole = self.data.astype(np.int64)
        return whole if (whole == self.data).all() else None

    @cached_property
    def number_share(self) -> float:
        """Share of the cells that are not missing which read as numbers; 0 where there is none."""
        return 0.0 if self.numbers is None else self._share(self.numbers.bad)

    @cached_property
    def time_share(self) -> float:
        """Share of the cells that are not missing which read as times; 0 where there is none."""
        return 0.0 if self.times is None else self._share(self.times.bad)

    def _share(self, bad: ndarray) -> float:
        there = ~self.missing
        return float((there & ~self.spread(bad)).sum() / there.sum()) if there.any() else 0.0

    def cell(self, row: int) -> str:
        """One cell as text, short enough for a message."""
        value = self.data[row] if self.codes is None else self.data[self.codes[row]]
        if isinstance(value, np.datetime64):
            return format_time(value)
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return text if len(text) <= 40 else text[:39] + "…"

    def as_ids(self) -> tuple[ndarray, ndarray]:
        """Codes (N,) and ids (S,) str, in order of first appearance; an empty cell is the empty
        text.

        Words that stand for missing numbers are ids like any other: NA is Namibia.
        """
        if self.codes is not None:
            return _in_order(self.codes, [text.strip() for text in self.data])
        cells = self.data.astype("datetime64[D]") if self.dtype == "date" else self.data
        distinct, codes = np.unique(cells, return_inverse=True)
        return _in_order(codes, [_id_text(value) for value in distinct.tolist()])

    @cached_property
    def nameless(self) -> ndarray:
        """(N,) bool: cells that name no series. Only empty ones: NA is Namibia."""
        if self.codes is None:
            return self.missing
        return self.spread(np.array([not text.strip() for text in self.data], bool))

    def key(self, rows: ndarray) -> ndarray:
        """The cells of some rows as a key of series, in the type that the data gave them.

        A file's texts become integers where all of them are written as integers are: 7, not 007.
        """
        if self.codes is not None:
            texts = objects(str(text).strip() for text in self.data[self.codes[rows]])
            if self.categories is not None:
                return _category_values(texts, self.categories.values)
            written = self.dtype == "" and all(map(_INTEGER.fullmatch, texts.tolist()))
            return texts.astype(np.int64) if written else texts
        cells = self.data[rows]
        if self.dtype == "date":
            return cells.astype("datetime64[D]")
        # integers beside missing cells came as fractions
        is_whole = cells.dtype.kind == "f" and bool(np.all(cells == np.rint(cells)))
        return cells.astype(np.int64) if is_whole else cells

    def take(self, rows: ndarray) -> Column:
        """The column with the given rows (a mask or positions) only."""
        data, codes = (
            (self.data[rows], None) if self.codes is None else (self.data, self.codes[rows])
        )
        if codes is not None:
            used, codes = np.unique(codes, return_inverse=True)
            data = data[used]  # texts of dropped rows must not speak for the column
        return replace(self, data=data, codes=codes)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Columns of equal length, the line of each row (N,), where they come from, and what was
    noticed so far."""

    columns: tuple[Column, ...]
    lines: ndarray
    source: str
    frame: str
    notes: tuple[Finding, ...] = ()
    label: str = "y"  # the id of the series, should there be only one
    wide: bool = False  # every column of numbers is a series, unless a target is named

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def row_word(self) -> str:
        return "line" if self.frame == "file" else "row"

    def take(self, rows: ndarray, *notes: Finding) -> Sheet:
        """The sheet with the given rows (a mask or positions) only, and further notes."""
        return replace(
            self,
            columns=tuple(column.take(rows) for column in self.columns),
            lines=self.lines[rows],
            notes=(*self.notes, *notes),
        )

    def describe(self, columns: Sequence[Column] | None = None) -> str:
        """The columns with a few of their cells, for messages."""
        chosen = self.columns if columns is None else columns
        shown = [f"  {column.name!r}: {_sample(column)}" for column in chosen[:12]]
        return "\n".join(
            [*shown, f"  … and {len(chosen) - 12} more"] if len(chosen) > 12 else shown
        )


def _sample(column: Column) -> str:
    rows = np.flatnonzero(~column.missing)[:3]
    return (
        ", ".join(column.cell(row) for row in rows) + (", …" if len(rows) == 3 else "")
        if len(rows)
        else "empty"
    )


def _category_values(texts: ndarray, values: ndarray) -> ndarray:
    """The categories that texts stand for; the texts where a category is written in another way."""
    places = {str(value): place for place, value in enumerate(values.tolist())}
    if any(text not in places for text in texts.tolist()):
        return texts
    return values[[places[text] for text in texts.tolist()]]


def _id_text(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _in_order(codes: ndarray, names: list[str]) -> tuple[ndarray, ndarray]:
    """Renumber so that equal names share a code and ids come in order of first appearance."""
    places: dict[str, int] = {}
    first_rows = np.full(len(names), len(codes))
    np.minimum.at(first_rows, codes, np.arange(len(codes)))
    renumbered = np.zeros(len(names), np.int64)
    for place in np.argsort(first_rows, kind="stable"):
        if first_rows[place] < len(codes):
            renumbered[place] = places.setdefault(names[place], len(places))
    return renumbered[codes], objects(places)


def dropped_lines(
    reasons: dict[int, str], severity: Literal["note", "warning"] = "note"
) -> tuple[Finding, ...]:
    """One finding about all lines that were dropped, {line: why}; none where nothing was.

    >>> print(*dropped_lines({146: "blank", 147: "'Source: us': not a date"}))
    note: 2 lines are not data: line 146 (blank), line 147 ('Source: us': not a date). They were
    dropped.
    """
    if not reasons:
        return ()
    lines = sorted(reasons)
    shown = [f"line {line} ({reasons[line]})" for line in lines[:6]]
    if len(lines) > 6:
        shown.append(f"… and {len(lines) - 6} more up to line {lines[-1]}")
    one = len(lines) == 1
    message = f"{len(lines)} {'line is' if one else 'lines are'} not data: {', '.join(shown)}"
    action = "It was dropped." if one else "They were dropped."
    return (
        Finding(
            "lines that are not data", severity, message, action, line=lines[0], count=len(lines)
        ),
    )


def columns_without(columns: Iterable[Column], others: Iterable[Column | None]) -> list[Column]:
    """The columns that are none of the others: two columns may hold the same, and be two."""
    identities = {id(column) for column in others}
    return [column for column in columns if id(column) not in identities]
