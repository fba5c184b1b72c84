"""Requests of clients as pydantic models: the options of the commands, under their own names.

A table is sent as a file with the options in a form, a history as JSON. Both become a `Source` of
`lstmcast.jobs`, so that a server reads what a command reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.limits import require_span
from lstmcast.data.panel import Panel, ReadOptions
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
from lstmcast.predict import quantiles_of
from lstmcast.server.fieldtypes import (
    KnownCells,
    KnownFrequency,
    Levels,
    Periods,
    RowName,
    Span,
    Text,
    Texts,
    Value,
    ValueOfRows,
    Values,
    ValuesOrNamed,
)
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.settings import Limits
from lstmcast.totals import STEP, Asked


class Request(BaseModel):
    """A request whose fields must all be known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- data


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
            tuple(
                code for names in self.missing_codes or () for code in names.split(",")
            ),
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


# ---------------------------------------------------------------- what is wanted of them


class Ahead(Request):
    """How far to forecast, and what to report."""

    horizon: Annotated[int, Field(ge=1)] | None = Field(
        None, description="number of steps (default: one season)"
    )
    until: Text | None = Field(None, description="a date, instead of a horizon")
    level: Levels | None = Field(
        None, description="interval levels in percent (default: 80 and 95)"
    )
    method: Text = Field(
        "auto", description="forecasting method, as --method of the command"
    )
    total: Span | None = Field(
        None, description="totals over each month, quarter … or 'horizon'"
    )
    total_by: Texts | None = Field(
        None, description="columns to sum over; 'all' for everything"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Ahead:
        if self.horizon is not None and self.until is not None:
            raise ValueError(
                "horizon and until both set how far to forecast. Give one of them"
            )
        return self

    def quantiles(self) -> tuple[float, ...]:
        """The quantiles of the requested intervals; empty if none are requested."""
        return quantiles_of(self.level) if self.level else ()

    def totals(self) -> Asked | None:
        """The requested totals. Raises UsageError."""
        if self.total is None and not self.total_by:
            return None
        return Asked(self.total or STEP, tuple(self.total_by or ()))


class Tested(Request):
    """How accuracy is measured."""

    baselines: Literal["simple", "classical"] = "simple"
    held_out: bool = Field(False, description="whether to include held-out forecasts")


class ForecastTable(Table, Ahead, Tested):
    """Forecast a table."""

    cutoffs: Annotated[int, Field(ge=0, le=100)] = Field(
        5, description="cutoffs held out to measure accuracy; 0 measures nothing"
    )


class ForecastHistory(History, Ahead, Tested):
    """Forecast a history."""

    cutoffs: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="cutoffs held out to measure accuracy; 0 measures nothing"
    )


class PredictTable(Table, Ahead):
    """Forecast with a saved model, from newer data in a table."""


class PredictHistory(History, Ahead):
    """Forecast with a saved model, from newer data."""


class PredictAlone(Ahead):
    """Forecast with a saved model, from the end of its own data."""


class AnomalyTable(Table):
    """Score the values of a table."""

    rate: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.001, description="of false alarms"
    )


class AnomalyHistory(History):
    """Score the values of a history."""

    rate: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.001, description="of false alarms"
    )


# ---------------------------------------------------------------- streams


class OpenStream(Request):
    """Open a stream, with rows without history or with the series stored in a model."""

    name: Annotated[str, Field(max_length=64)]
    model: Text | None = Field(
        None, description="a saved model (default: the shipped network)"
    )
    rows: Annotated[list[RowName], Field(max_length=1_000_000)] | None = Field(
        None, description="names of rows without history; others join with a tick"
    )
    horizon: Annotated[int, Field(ge=1)] = Field(
        1, description="steps forecast after each tick"
    )
    frequency: KnownFrequency | None = Field(
        None, description="frequency of ticks: hourly, 15min, …"
    )
    period: Periods | None = Field(None, description="seasonal periods, in ticks")
    kind: Kind | None = Field(None, description="what values can be")
    future: Annotated[list[RowName], Field(max_length=200)] | None = Field(
        None, description="columns known in advance, for rows without history"
    )
    rate: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        0.001, description="rate of false alarms; null scores no values"
    )
    conformal: bool = Field(
        True,
        description="whether intervals are adjusted by the errors of each row, so that they "
        "contain as many values as they state",
    )


class Tick(Request):
    """The next value of each row, or of the named rows."""

    values: ValueOfRows = Field(
        description="a value for each row in order, or {row: value}; null if unknown",
        examples=[[101.5, None], {"north": 101.5}],
    )
    time: StrictStr | Annotated[int, Field(strict=True)] | None = Field(
        None, description="time of the tick (default: the next one of each row)"
    )
    past: dict[RowName, Value] | None = Field(
        None, description="values of past covariates"
    )
    future: dict[RowName, KnownCells | dict[RowName, KnownCells]] | None = Field(
        None,
        description="values of columns known in advance, for all rows or by row: the value at this "
        "tick, or a list that continues with coming ticks",
        examples=[{"price": [9.5, 9.5, 7.9]}, {"promo": {"north": [1, 0, 0]}}],
    )
    join: bool = Field(False, description="whether unknown rows are added")
    save: bool = Field(
        False, description="whether the whole state is saved to disk now"
    )


# ---------------------------------------------------------------- limits


def require_rows(panel: Panel, limits: Limits) -> None:
    """Raise Problem for more values than a request may have."""
    if len(panel.values) > limits.rows:
        raise Problem(
            413,
            f"{panel.report.source} has {len(panel.values):,} values; at most {limits.rows:,} are "
            "read. Send fewer series, or the newest values.",
            "series",
        )


def require_horizon(horizon: int, series: int, limits: Limits) -> None:
    """Raise Problem for more steps than the server forecasts."""
    if horizon > limits.horizon:
        raise Problem(
            UNUSABLE,
            f"horizon={horizon:,} is too long: at most {limits.horizon:,} steps are forecast here.",
            "horizon",
        )
    if horizon * series > limits.rows:
        raise Problem(
            UNUSABLE,
            f"{horizon:,} steps of {series:,} series are more than {limits.rows:,} rows. Use a "
            "shorter horizon, or send fewer series.",
            "horizon",
        )
