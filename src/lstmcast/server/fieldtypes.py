"""Types of the fields of requests: texts, lists of them, periods, levels, values by row."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from lstmcast.data.table import LONGEST_PERIOD
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.evaluation.calibration import NARROWEST, WIDEST
from lstmcast.server.problems import LISTED, NAMED
from lstmcast.totals import SPANS, STEP, WHOLE

LONGEST_NAME = 1000  # letters in the name of a column or a series


def _listed(value: Any) -> Any:
    """A form field that was given once, as a list."""
    return [value] if isinstance(value, (str, int, float)) else value


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Texts = Annotated[list[Text], BeforeValidator(_listed), Field(max_length=100)]
Period = Annotated[int, Field(ge=1, le=LONGEST_PERIOD)]
Periods = Annotated[
    list[Period], BeforeValidator(_listed), Field(min_length=1, max_length=20)
]
Level = Annotated[float, Field(ge=NARROWEST, le=WIDEST)]
Levels = Annotated[
    list[Level], BeforeValidator(_listed), Field(min_length=1, max_length=50)
]
Value = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None
Values = list[Value]
RowName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Cell = Value | Annotated[str, Field(max_length=LONGEST_NAME)]
KnownCells = Cell | list[Cell]


def _frequency(text: str) -> str:
    """A known frequency; UsageError, which is a ValueError, for any other."""
    parse_frequency(text)
    return text


def _span(text: str) -> str:
    """A time span for totals; UsageError for any other."""
    choices = (STEP, *SPANS, WHOLE)
    if text not in choices:
        raise ValueError(
            f"{text!r} is not a time span. Choose one of {', '.join(choices)}"
        )
    return text


KnownFrequency = Annotated[Text, AfterValidator(_frequency)]
Span = Annotated[Text, AfterValidator(_span)]


def _shape(values: Any) -> str:
    """The shape of values (one of two), so that errors concern only that one."""
    return NAMED if isinstance(values, dict) else LISTED


ValuesOrNamed = Annotated[
    Annotated[Values, Field(min_length=1), Tag(LISTED)]
    | Annotated[dict[RowName, Values], Field(min_length=1), Tag(NAMED)],
    Discriminator(_shape),
]
ValueOfRows = Annotated[
    Annotated[Values, Tag(LISTED)]
    | Annotated[dict[RowName, Value], Field(min_length=1), Tag(NAMED)],
    Discriminator(_shape),
]
