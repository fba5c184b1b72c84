"""The reading options of `lstmcast.read`, for other functions that take data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.table import (
    Aggregate,
    CalendarChoice,
    Duplicates,
    Gaps,
    Kind,
    Missing,
    OnError,
    ReadOptions,
    checked_periods,
)
from lstmcast.errors import UsageError
from lstmcast.util.spelling import did_you_mean


class Words(TypedDict, total=False):
    """The arguments of `lstmcast.read`, all optional."""

    time: str | Sequence[str] | None
    target: str | Sequence[str] | None
    series: str | Sequence[str] | None
    sheet: str | None
    past: str | Sequence[str] | None
    future: str | Sequence[str] | None
    future_data: Any
    static: str | Sequence[str] | None
    static_data: Any
    holidays: str | Sequence[str] | None
    hindsight: str | Sequence[str] | None
    frequency: str | None
    periods: int | Sequence[int] | None
    kind: Kind | None
    aggregate: Aggregate | None
    duplicates: Duplicates
    gaps: Gaps
    missing: Missing
    day_first: bool | None
    decimal: str | None
    header: int | None
    date_format: str | None
    missing_codes: str | float | Sequence[str | float]
    calendar: CalendarChoice | None
    on_error: OnError
    query: str | None


_COLUMNS = ("time", "target", "series", "sheet", "past")
_BESIDE = ("future", "future_data", "static", "static_data", "holidays", "hindsight")
_WRITTEN = ("day_first", "decimal", "header", "date_format", "missing_codes")


def require_known(words: Words) -> None:
    """Raise UsageError for a name that is not an argument of `lstmcast.read`.

    >>> require_known({"tme": "day"})
    Traceback (most recent call last):
      ...
    lstmcast.errors.UsageError: there is no argument 'tme'. Did you mean 'time'?
    """
    for word in words:
        if word in Words.__annotations__:
            continue
        meant_word = did_you_mean(word, Words.__annotations__)
        hint = (
            " Arguments of lstmcast.read are expected. Settings belong to the forecaster, such "
            "as training=TrainingConfig(epochs=50)."
        )
        raise UsageError(f"there is no argument {word!r}.{meant_word or hint}")


def columns_said(words: Words) -> dict[str, Any]:
    """The options about columns, cell formats and covariates.

    >>> columns_said({"time": "day", "decimal": ",", "gaps": "error"})["time"]
    'day'
    """
    return {
        **_among(words, _COLUMNS),
        "written": CellFormat(**_among(words, _WRITTEN)),
        "beside": Beside(**_among(words, _BESIDE)),
    }


def options_said(words: Words) -> ReadOptions:
    """The options about repairs.

    >>> options_said({"time": "day", "gaps": "error"}).gaps
    'error'
    """
    column_words = (*_COLUMNS, *_WRITTEN, *_BESIDE, "query")
    options = _among(words, [name for name in words if name not in column_words])
    if options.get("periods") is not None:
        options["periods"] = checked_periods(options["periods"])
    return ReadOptions(**options)


def _among(words: Words, names: Sequence[str]) -> dict[str, Any]:
    """The options with these names."""
    return {name: value for name, value in words.items() if name in names}
