"""The cell format given by the user: date order, decimal mark, header line, missing codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from lstmcast.advice import codes_of
from lstmcast.data.sheet import Column, Sheet
from lstmcast.errors import UsageError
from lstmcast.util.objects import objects


@dataclass(frozen=True)
class CellFormat:
    """How cells are written; None means that it is detected.

    day_first: whether 01/02/2024 is 1 February · decimal: the decimal mark, "." or "," · header:
        line number of the header, from 1 · date_format: format of times, as in strptime ·
        missing_codes: cells that mean a missing value, such as "-200" or "Bad Input"; "<1=0.5"
        replaces a cell by a value. Raises UsageError for anything else.

    >>> CellFormat(decimal=",", missing_codes=(-200, "Bad Input")).missing_codes
    ('-200', 'Bad Input')
    """

    day_first: bool | None = None
    decimal: str | None = None
    header: int | None = None
    date_format: str | None = None
    missing_codes: str | float | Sequence[str | float] = ()

    def __post_init__(self) -> None:
        codes = tuple(_code_text(code) for code in _listed(self.missing_codes))
        object.__setattr__(self, "missing_codes", codes)
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"decimal={self.decimal!r} is not known. Give '.' or ','.")
        if self.header is not None and (not _is_whole(self.header) or self.header < 1):
            raise UsageError(
                f"header={self.header!r} is not a line number. Lines are counted from 1."
            )
        if self.date_format is not None:
            _require_format(self.date_format)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes for missing values, as text."""
        return self.missing_codes  # pyright: ignore[reportReturnType]

    def applied(self, sheet: Sheet) -> Sheet:
        """The sheet with columns in this format."""
        if self.day_first is None and self.decimal is None and self.date_format is None:
            return sheet
        changes = {"day_first": self.day_first, "date_format": self.date_format or ""}
        decimal = self.decimal or ""
        columns = tuple(
            replace(column, decimal=decimal, **changes) for column in sheet.columns
        )
        return replace(sheet, columns=columns)

    def without_codes(self, column: Column) -> Column:
        """A numeric column with codes for missing values left empty or replaced by their values."""
        if not self.missing_codes:
            return column
        texts, numbers = split_codes(self.codes)
        if column.codes is None:
            return _with_values(column, numbers)
        return _with_texts(column, texts, numbers)


def _listed(codes: Any) -> list[Any]:
    """Codes as a list: from a number, a text with commas, or several of them."""
    if isinstance(codes, str):
        return codes_of([codes])
    if isinstance(codes, int | float):
        return [codes]
    return list(codes or ())


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _code_text(code: object) -> str:
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    text = str(code).strip()
    if not text:
        raise UsageError(
            "a code for missing values is empty: empty cells are missing anyway."
        )
    return text


def _require_format(text: str) -> None:
    some_day = datetime(2024, 12, 31)
    try:
        is_format = "%" in text and datetime.strptime(some_day.strftime(text), text)
    except (ValueError, TypeError):
        is_format = False
    if not is_format:
        raise UsageError(
            f"date_format={text!r} is not a date format. Give one that strptime understands, such "
            "as %d.%m.%Y or '%m/%d/%Y %H:%M'."
        )


def split_codes(codes: Sequence[str]) -> tuple[dict[str, float], dict[float, float]]:
    """Codes as lower-case text and as numbers, each with its replacement, NaN for missing.

    >>> split_codes(["-200", "Bad Input", "<1=0.5"])
    ({'-200': nan, 'bad input': nan, '<1': 0.5}, {-200.0: nan})
    """
    texts: dict[str, float] = {}
    numbers: dict[float, float] = {}
    for code in codes:
        name, value = _named_value(code)
        texts[name.casefold()] = value
        number = _number(name)
        if math.isfinite(number):
            numbers[number] = value
    return texts, numbers


def _named_value(code: str) -> tuple[str, float]:
    """Split '<1=0.5' into '<1' and the value 0.5."""
    name, sign, value = code.rpartition("=")
    number = _number(value) if sign else math.nan
    if math.isfinite(number):
        return name.strip(), number
    return code, math.nan


def _number(text: str) -> float:
    if "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return math.nan


def _with_values(column: Column, numbers: dict[float, float]) -> Column:
    """A numeric column with codes replaced by their values."""
    if column.data.dtype.kind not in "if":
        return column
    data = column.data.astype(np.float64)
    for number, value in numbers.items():
        data[data == number] = value
    return replace(column, data=data)


def _with_texts(
    column: Column, texts: dict[str, float], numbers: dict[float, float]
) -> Column:
    """A text column with codes replaced by the text of their values."""
    values = np.full(len(column.data), np.nan)
    if column.numbers is not None:
        values = column.numbers.values
    cells = []
    column_texts = map(str, column.data)
    for text, value in zip(column_texts, values.tolist(), strict=True):
        replacement = texts.get(text.strip().casefold(), numbers.get(value))
        if replacement is not None:
            text = _written(replacement)
        cells.append(text)
    # two texts may have become equal: each keeps its place, and both are empty
    return replace(column, data=objects(cells))


def _written(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.15g}"
