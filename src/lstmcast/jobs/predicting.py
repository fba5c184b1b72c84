"""Forecast with a saved model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmcast import store
from lstmcast.data.ahead import steps_until
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.jobs.answers import (
    ended_at,
    require_numbers,
    require_totals,
    tell_of_stuck,
    totals_of,
    without_forecast,
)
from lstmcast.jobs.documents import (
    as_document,
    described,
    kind_of,
    made_of,
    parsed,
    rows_of,
    skipped_series,
)
from lstmcast.jobs.events import DataJoined, NewerRead, ignore
from lstmcast.jobs.source import Source
from lstmcast.output.places import Outputs, Written

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast
    from lstmcast.jobs.events import Notify
    from lstmcast.saved_context import Continuation
    from lstmcast.totals import Asked, Totals


@dataclass(frozen=True, eq=False)
class PredictJob:
    """Forecast with a saved model, from the end of its data or from newer data.

    `model`: its folder. `source`: newer data, or None for the model's own. `horizon` and
    `quantiles`: by default the model's own.
    """

    model: str | Path
    source: Source | None = None
    horizon: int | None = None
    quantiles: Sequence[float] = ()
    outputs: Outputs = field(default_factory=Outputs)
    method: str | None = None  # the forecasting method, by default the saved one
    totals: Asked | None = None
    until: str | None = None  # a date instead of the horizon
    # whether to save the model with the newer data, for the next run
    update: bool = False
    # coming values, if no newer data are read
    beside: Beside = field(default_factory=Beside)

    def run(self, notify: Notify = ignore) -> PredictResult:
        """Run the job. Raises LstmcastError, such as DataError if no series could be forecast."""
        from lstmcast.loading import load

        sources = self.source.paths if self.source else self.beside.paths()
        self.outputs.check(sources, ["totals"] * (self.totals is not None))
        if self.update and self.source is None and not self.beside:
            raise UsageError(
                "There are no newer data to update the model with. Name them."
            )
        if self.update:
            store.check_place(self.model)
        model = load(self.model, quantiles=self.quantiles or None, method=self.method)
        assert model.saved_context is not None  # a loaded model remembers its data
        panel = model.saved_context.panel
        newer = None
        continuation = None
        if self.source is not None:
            newer = self.source.of(model).read_after(panel)
            notify(NewerRead(newer))
            continuation = model.continued(newer)
            notify(DataJoined(continuation))
            panel = continuation.panel
        elif self.beside:
            continuation = model.saved_context.with_coming(self.beside)
            notify(DataJoined(continuation))
            panel = continuation.panel
        horizon = steps_until(self.until, panel) if self.until else self.horizon
        require_totals(self.totals, panel, horizon or model.horizon)
        self.outputs.looks.require(set(map(str, panel.ids)))
        self.outputs.check_rows(len(panel) * (horizon or model.horizon))
        forecast = ended_at(self.until, model.predict(continuation, horizon), panel)
        tell_of_stuck(panel, model, notify)
        require_numbers(forecast, panel)
        totals = totals_of(self.totals, forecast)
        files = self.outputs.write(forecast, panel, None, model, totals)
        if self.update:
            # last: if a result cannot be written, the next run finds the model unchanged
            model.updated(continuation).save(self.model, made_of=forecast.combination)
            files = files._replace(files=(*files.files, str(self.model)))
        fields = str(self.model), panel, forecast, newer, continuation, files
        return PredictResult(*fields, totals)


@dataclass(frozen=True, eq=False)
class PredictResult:
    """A forecast of a saved model; `panel` is what was forecast, `newer` the data read for it."""

    backtest: ClassVar[None] = None  # accuracy was measured when the model was made

    model: str
    panel: Panel
    forecast: Forecast
    newer: Panel | None
    continuation: Continuation | None
    written: Written
    totals: Totals | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast predict --json`."""
        description = described(self.panel) | kind_of(self.panel)
        # of one file, but these data came from two
        del description["source"], description["rows"]
        newer = described(self.newer) if self.newer else None
        continued = self.continuation.as_dict() if self.continuation else None
        return as_document(
            model=self.model,
            # the kind of the values is decided when the two are joined
            data=newer,
            panel=description,
            continued=continued,
            skipped=skipped_series(self.newer),
            findings=rows_of(self.panel.check()),
            forecast=parsed(self.forecast),
            totals=parsed(self.totals),
            method=self.forecast.method,
            combination=made_of(self.forecast),
            without_forecast=without_forecast(self.forecast),
            files=list(self.written.files),
        )
