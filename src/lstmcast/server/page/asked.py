"""The requests of the page: those of programs, with fields that only the page needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lstmcast.server.fieldtypes import Text, Texts, Value
from lstmcast.server.requests import ForecastTable
from lstmcast.server.sources import Request, Table

MOST_COMPARED = 6  # forecasts in one chart: more lines cannot be distinguished


class LookAtTable(Table):
    """Show what is in a table."""


class ShownForecast(ForecastTable):
    """A forecast to show."""

    model: Text | None = Field(
        None, description="a saved model (default: the shipped network)"
    )
    draw: Texts | None = Field(None, description="series to draw (default: the first)")


class WhatIf(Request):
    """Other coming values of columns known in advance, for one series or all."""

    series: Text
    everywhere: bool = Field(
        False, description="whether all series get the same values"
    )
    values: dict[
        Text, Annotated[list[Value | str], Field(min_length=1, max_length=10_000)]
    ]


class Compare(Request):
    """Compare other methods on the data of a result."""

    series: Text
    methods: Annotated[list[Text], Field(min_length=1, max_length=MOST_COMPARED)]
