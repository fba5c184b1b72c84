"""Checks and changes of a forecast that several jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstmcast.covariates.reach import require_known_after
from lstmcast.data.ahead import end_of
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError
from lstmcast.jobs.events import Note

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast
    from lstmcast.jobs.events import Notify
    from lstmcast.totals import Asked, Totals


def require_totals(request: Asked | None, panel: Panel, horizon: int) -> None:
    """Raise UsageError, before the work, for totals that the series do not have."""
    if request is not None:
        request.require_ahead(horizon)
        names = panel.keys.columns(panel.ids)
        request.require_possible(names, panel.ends.dtype.kind == "M", panel.frequency)


def require_coming(model: Any, panel: Panel) -> None:
    """DataError, before the work, where columns that are known in advance end too early."""
    from lstmcast.forecaster import LSTMForecaster

    if isinstance(model, LSTMForecaster):
        require_known_after(panel, model.horizon)


def totals_of(request: Asked | None, forecast: Forecast) -> Totals | None:
    if request is None:
        return None
    return forecast.total(
        request.span,
        by=request.by or None,
        service_level=request.service_level,
        lead_time=request.lead_time,
    )


def ended_at(date: str | None, forecast: Forecast, panel: Panel) -> Forecast:
    """The forecast without the steps after a date."""
    return forecast if date is None else forecast.until(end_of(date, panel))


def tell_of_stuck(panel: Panel, model: Any, notify: Notify) -> None:
    """Note which series are forecast from before their newest values."""
    from lstmcast.evaluation.stuck import stuck_note

    sentence = stuck_note(panel, getattr(model, "method", ""))
    if sentence:
        notify(Note(sentence))


def without_forecast(forecast: Forecast) -> list[str]:
    """The series without any forecast value."""
    silent = (forecast.point != forecast.point).all(axis=1)
    return [str(name) for name in forecast.ids[silent]]


def require_numbers(forecast: Forecast, panel: Panel) -> None:
    """Raise DataError if no series has a forecast: blanks should not replace an older one."""
    if len(without_forecast(forecast)) == len(forecast.ids):
        raise DataError(
            f"{panel.report.source}: no series has a forecast, since none has the known values "
            "that the model needs. Nothing was written. Give data with a longer history, or with "
            "fewer missing values at the end."
        )
