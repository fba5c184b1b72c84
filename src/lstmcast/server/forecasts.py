"""Answers to requests: the jobs of the commands, within the limits of a server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lstmcast import store
from lstmcast._version import __version__
from lstmcast.data.ahead import one_season, steps_until
from lstmcast.data.files.frames import ARRAYS
from lstmcast.data.panel import Panel
from lstmcast.errors import LstmcastError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.jobs import (
    AnomalyJob,
    DataJoined,
    ForecastJob,
    ForecastResult,
    NewerRead,
    PredictJob,
    PredictResult,
    Source,
)
from lstmcast.loading import load
from lstmcast.server.batching import Batched, Batcher
from lstmcast.server.bodies import Asked
from lstmcast.server.problems import Problem, advised
from lstmcast.server.requests import (
    Ahead,
    ForecastHistory,
    ForecastTable,
    PredictAlone,
    PredictHistory,
    PredictTable,
    require_horizon,
    require_rows,
)
from lstmcast.server.settings import Limits

if TYPE_CHECKING:
    from lstmcast.jobs.events import Event

Document = dict[str, Any]


class Made(NamedTuple):
    """A forecaster, and the result of its job."""

    model: LSTMForecaster
    result: ForecastResult | PredictResult


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Answers of a server. batcher: combines requests to the shipped network."""

    limits: Limits
    batcher: Batcher

    def forecast(self, request: Asked) -> Document:
        """Forecast with the shipped network. Raises Problem, LstmcastError."""
        outcome = self.made(request).result
        # the shipped network gives this result
        assert isinstance(outcome, ForecastResult)
        return advised(outcome.document(request.fields.held_out))

    def made(self, request: Asked) -> Made:
        """The same, with the forecaster that made it."""
        fields: ForecastTable | ForecastHistory = request.fields
        with request.source(self.limits) as source:
            source = self._read(source)
        horizon = self._horizon(fields, source)
        levels = fields.quantiles()
        quantiles: dict[str, Any] = {"quantiles": levels} if levels else {}
        forecaster = LSTMForecaster(horizon, method=fields.method, **quantiles)
        model: Any = (
            Batched(forecaster, self.batcher) if fields.cutoffs == 0 else forecaster
        )
        compared = "classical" if fields.baselines == "classical" else True
        job = ForecastJob(
            model,
            source,
            fields.cutoffs,
            compared,
            totals=fields.totals(),
            until=fields.until,
        )
        return Made(forecaster, job.run())

    def predict(self, name: str, folder: Path, request: Asked) -> Document:
        """Forecast with a saved model. Raises Problem, LstmcastError."""
        # clients need not know where its folder is
        document = self.predicted(name, folder, request).result.document()
        return advised(document) | {"model": name}

    def predicted(self, name: str, folder: Path, request: Asked) -> Made:
        """The same, with the model."""
        fields: PredictTable | PredictHistory | PredictAlone = request.fields
        model = loaded(name, folder)
        assert model.saved_context is not None  # a loaded model remembers its data
        horizon, saved_panel = (
            fields.horizon or model.horizon,
            model.saved_context.panel,
        )
        require_horizon(horizon, len(saved_panel), self.limits)

        def watched(event: Event) -> None:
            if isinstance(event, NewerRead):
                require_rows(event.panel, self.limits)
            panel = event.continuation.panel if isinstance(event, DataJoined) else None
            if panel is not None:
                self._require_steps(fields, horizon, panel)

        method = None if fields.method == "auto" else fields.method
        with request.source(self.limits) as source:
            if source is None:
                self._require_steps(fields, horizon, saved_panel)
            job = PredictJob(
                folder,
                source,
                fields.horizon,
                fields.quantiles(),
                method=method,
                totals=fields.totals(),
                until=fields.until,
            )
            return Made(model, job.run(watched))

    def anomalies(self, request: Asked) -> Document:
        """Score values with the shipped network. Raises Problem, LstmcastError."""
        with request.source(self.limits) as source:
            source = self._read(source)
        document = AnomalyJob(source, rate=request.fields.rate).run().document()
        return advised(document)

    def _read(self, source: Source | None) -> Source:
        """Read the data of a source. Raises Problem if there are too many."""
        assert source is not None  # the request has data
        panel = source.read()
        require_rows(panel, self.limits)
        if panel.report.source == ARRAYS:
            panel = replace(panel, report=replace(panel.report, source="history"))
        return replace(source, data=panel)

    def _horizon(self, fields: ForecastTable | ForecastHistory, source: Source) -> int:
        panel = source.read()
        if fields.until is not None:
            horizon = steps_until(fields.until, panel)
        else:
            horizon = fields.horizon or one_season(panel)
        require_horizon(horizon, len(panel), self.limits)
        return horizon

    def _require_steps(self, fields: Ahead, horizon: int, panel: Panel) -> None:
        """Raise Problem for more steps than the server forecasts."""
        steps = steps_until(fields.until, panel) if fields.until else horizon
        require_horizon(steps, len(panel), self.limits)


def loaded(name: str, folder: Path) -> LSTMForecaster:
    """Load a saved model. Raises Problem if no request can use it."""
    try:
        return load(folder)
    except LstmcastError as error:
        raise Problem(
            503, f"The model {name!r} cannot be used: {error.message}"
        ) from error


def described(name: str, folder: Path) -> Document:
    """Describe a saved model. Raises Problem if it cannot be read."""
    try:
        # arrays too: a damaged model must not look intact
        manifest, _ = store.load(folder)
    except LstmcastError as error:
        raise Problem(
            503, f"The model {name!r} cannot be used: {error.message}"
        ) from error
    return {"name": name, "lstmcast": __version__, "model": manifest}


def summary(name: str, folder: Path) -> Document:
    """The entry of a model in the list of models."""
    try:
        manifest = store.read_manifest(folder)
    except LstmcastError as error:
        return {"name": name, "usable": False, "reason": error.message}
    return {
        "name": name,
        "usable": True,
        "kind": manifest.get("kind"),
        "saved_by": manifest.get("package_version"),
    }
