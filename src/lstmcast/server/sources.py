"""Data in requests of clients: a table in files with its options, or a history as JSON.

Options have the names that they have in commands. Both become a `Source` of `lstmcast.jobs`, so
that a server reads what a command reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lstmcast.advice import codes_of
from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.limits import require_span
from lstmcast.data.panel import ReadOptions
from lstmcast.data.table import (
    Aggregate,
    CalendarChoice,
    Duplicates,
    Gaps,
    Kind,
    Missing,
    OnError,
)
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError
from lstmcast.jobs import Source
from lstmcast.server.fieldtypes import (
    KnownFrequency,
    Periods,
    Text,
    Texts,
    Values,
    ValuesOrNamed,
)
from lstmcast.server.problems import UNUSABLE, Problem


class Request(BaseModel):
    """A request whose fields must all be known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Repairs(Request):
    """What is known about the data, and how to repair them."""

    frequency: KnownFrequency | None = Field(
        None, description="monthly, 15min, W-MON … (default: inferred)"
    )
    period: Periods | None = Field(None, description="seasonal periods, in steps")
    kind: Kind | None = Field(
        None, description="kind of the values (default: recognised)"
    )
    duplicates: Duplicates = "error"
    gaps: Gaps = "fill"
    missing: Missing = "mask"
    calendar: CalendarChoice | None = None
    on_error: OnError = "fail"

    def given(self) -> list[str]:
        """The names of options that differ from the defaults; they apply to newer data too."""
        names = (
            "frequency",
            "kind",
            "duplicates",
            "gaps",
            "missing",
            "calendar",
            "on_error",
        )
        return [name for name in names if name in self.model_fields_set]

    def read_options(self, aggregate: Aggregate | None = None) -> ReadOptions:
        """The options for reading. Raises UsageError."""
        options: dict[str, Any] = {name: getattr(self, name) for name in self.given()}
        periods = tuple(self.period) if self.period else None
        return ReadOptions(periods=periods, aggregate=aggregate, **options)


class Columns(Request):
    """The roles of a table's columns, and the format of its cells."""

    time: Texts | None = None
    target: Texts | None = None
    series: Texts | None = None
    past: Texts | None = None
    future: Texts | None = Field(None, description="columns that are known in advance")
    hindsight: Texts | None = Field(
        None, description="like future, for columns that were not known in advance"
    )
    static: Texts | None = Field(
        None, description="columns that are constant in each series"
    )
    holidays: Texts | None = Field(
        None, description="countries or subdivisions, such as DE-BY"
    )
    sheet: Text | None = None
    aggregate: Aggregate | None = None
    day_first: bool | None = None
    decimal: Literal[".", ","] | None = None
    header: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    date_format: Text | None = None
    missing_codes: Texts | None = None


class Table(Columns, Repairs):
    """A table in files, with the options of the command line."""

    def source(self, files: Sequence[str]) -> Source:
        """The files with these options. Raises UsageError."""
        cell_format = CellFormat(
            self.day_first,
            self.decimal,
            self.header,
            self.date_format,
            tuple(codes_of(self.missing_codes or ())),
        )
        names = self.given()
        if self.aggregate:
            names.append("aggregate")
        return Source(
            _one_or_all(files),
            self.read_options(self.aggregate),
            time=self.time,
            target=self.target,
            series=self.series,
            sheet=self.sheet,
            given=names,
            past=self.past,
            written=cell_format,
            beside=Beside(
                self.future,
                static=self.static,
                holidays=self.holidays,
                hindsight=self.hindsight,
            ),
        )


def _one_or_all(files: Sequence[str]) -> str | list[str]:
    return files[0] if len(files) == 1 else list(files)


class History(Repairs):
    """Values of one series, or of several by name, oldest first; null stands for unknown values."""

    series: ValuesOrNamed = Field(
        description="the values of one series, or {name: values} of several",
        examples=[[112, 118, 132, 129], {"north": [5, 6, 7], "south": [50, 60, 70]}],
    )
    start: Text | None = Field(
        None, description="time of the first value, with a frequency"
    )
    times: list[Annotated[str, Field(max_length=100)]] | None = Field(
        None, description="times of the values, instead of start, shared by all series"
    )

    @model_validator(mode="after")
    def _timed_once(self) -> History:
        if self.start is not None and self.times is not None:
            raise ValueError("start and times both set the times. Give one of them")
        if self.start is not None and self.frequency is None:
            raise ValueError("start needs a frequency, such as 'daily'")
        return self

    def source(self) -> Source:
        """The history as a source. Raises DataError, UsageError, Problem."""
        values_by_name = (
            self.series if isinstance(self.series, dict) else {"value": self.series}
        )
        lengths = np.array([len(values) for values in values_by_name.values()])
        self._require_times(values_by_name)
        longest = int(lengths.max())
        times = self._times(longest)
        columns = {
            "unique_id": np.repeat(
                np.array(list(values_by_name), dtype=object), lengths
            ),
            "time": np.concatenate([times[:length] for length in lengths]),
            "value": np.array(
                [value for values in values_by_name.values() for value in values],
                np.float64,
            ),
        }
        options = self.read_options()
        if self.times is None and self.start is None and self.frequency is not None:
            # values without times are numbered; their seasons are those of the frequency
            periods = (
                options.periods or parse_frequency(self.frequency).seasonal_periods
            )
            options = replace(options, frequency=None, periods=periods)
        if isinstance(self.series, list):
            del columns["unique_id"]
        key = "unique_id" if "unique_id" in columns else None
        return Source(
            columns,
            options,
            time="time",
            target="value",
            series=key,
            given=self.given(),
        )

    def _require_times(self, values_by_name: Mapping[str, Values]) -> None:
        """Raise Problem if a series has another number of values than there are times."""
        for name, values in values_by_name.items():
            if self.times is not None and len(values) != len(self.times):
                raise Problem(
                    UNUSABLE,
                    f"series {name!r} has {len(values)} values, but there are {len(self.times)} "
                    "times. One value per time is expected, null for unknown ones.",
                    "series",
                )

    def _times(self, count: int) -> np.ndarray:
        if self.times is not None:
            return np.array(self.times, dtype=object)
        if self.start is None or self.frequency is None:
            return np.arange(1, count + 1)
        step = parse_frequency(self.frequency)
        start = _moment(self.start, step.unit == "integer")
        step = step.anchored(np.array([start]))
        times = step.range(start, count)
        require_span(times[:1], times[-1:], "the history")
        return times


def _moment(text: str, is_number: bool) -> Any:
    """The time of the first value. Raises DataError."""
    try:
        return (
            np.int64(text)
            if is_number
            else np.datetime64(text.strip().replace("/", "-"), "us")
        )
    except (ValueError, OverflowError) as error:
        expected = "a whole number" if is_number else "a time such as 2024-03-01T14:30"
        raise DataError(f"start={text!r} is not a time. Give {expected}.") from error
