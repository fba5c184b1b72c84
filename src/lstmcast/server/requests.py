"""Requests of clients as pydantic models: the options of the commands, under their own names.

Their data, a table in a file or a history as JSON, are in `sources.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from lstmcast.data.panel import Panel
from lstmcast.data.table import Kind
from lstmcast.evaluation.calibration import quantiles_of
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
)
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.settings import Limits
from lstmcast.server.sources import History, Request, Table
from lstmcast.streaming.pipe import Late
from lstmcast.totals import STEP, Asked

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
    late: Late = Field(
        "skip",
        description="what is done with values that are late or were already read: they are left "
        "out and counted, or their tick is refused",
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
