"""Run a job file: read, check, forecast or continue with a saved model, write. Safe to repeat."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast._version import __version__
from lstmcast.data.ahead import one_season, steps_until
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.databases.address import is_address, is_target
from lstmcast.errors import BusyError, LstmcastError, OutputError, UsageError
from lstmcast.jobs.documents import described, made_of, rows_of, skipped_series
from lstmcast.jobs.events import DataRead, ignore
from lstmcast.jobs.forecasting import ForecastJob, ForecastResult
from lstmcast.jobs.holding import Held, accuracy_checks, data_checks, require_holding
from lstmcast.jobs.jobfile import JobFile, ModelSection
from lstmcast.jobs.keeping import kept_file
from lstmcast.jobs.predicting import PredictJob, PredictResult
from lstmcast.jobs.source import Source
from lstmcast.jobs.training import FitJob
from lstmcast.output.places import Outputs, Written, check_place
from lstmcast.store import check_place as check_folder
from lstmcast.store_problems import MANIFEST
from lstmcast.util.files import locked, whole_file

if TYPE_CHECKING:
    from lstmcast.jobs.events import Notify

# What a run does with the model.
SHIPPED, SAVED, UPDATED, FITTED = "shipped", "saved", "updated", "fitted"


@dataclass(frozen=True, eq=False)
class FileJob:
    """The job of a job file, with paths relative to the working directory.

    `name`: the path of the file; its lock and its state are stored beside it if possible. `dry`:
    read, check and test the places, but write nothing. `now`: the time from which ages are counted.
    """

    job: JobFile
    name: str
    dry: bool = False
    made_by: str = ""
    language: str = "en"
    now: datetime.datetime | None = None

    def run(self, notify: Notify = ignore) -> FileResult:
        """Run the job. Raises LstmcastError: CheckError if a check does not hold, BusyError if
        another run is in progress. The summary, if requested, reports the error too."""
        summary = self.job.output.summary
        check_place(summary, (".json",), self.job.source.source().paths)
        started = _now()
        clock = time.monotonic()
        with self._alone():
            checks: list[Held] = []
            try:
                outcome = self._run(notify, checks)
            except BaseException as error:
                # also if stopped, or an old summary would stay
                failure = _failure(error, self.name, checks) | _times(started, clock)
                if summary is not None and not self.dry:
                    # the first error is the one to report
                    with contextlib.suppress(OutputError):
                        _write(failure, summary)
                raise
            outcome = replace(outcome, times=_times(started, clock))
            if summary is not None and not self.dry:
                _write(outcome.document(), summary)
        return outcome

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the job's lock; a dry run needs none."""
        if self.dry:
            yield
            return
        with contextlib.ExitStack() as stack:
            lock = kept_file(self.name, "lock")
            try:
                is_free = stack.enter_context(locked(lock))
            except OSError as error:
                raise OutputError(
                    f"{self.name}: the lock file of this job cannot be created in "
                    f"{str(lock.parent)!r}: {error.strerror}. Keep the job file in a folder that "
                    "you may write to, or set XDG_STATE_HOME to one."
                ) from None
            if not is_free:
                raise BusyError(
                    f"{self.name}: another run of this job is in progress. Nothing was changed."
                )
            yield

    def _run(self, notify: Notify, checks: list[Held]) -> FileResult:
        model = self.job.model
        source = self.job.source.source()
        outputs = self.job.output.outputs(self.made_by, self.language)
        outputs.check(source.paths)
        self._require_outside(source.paths)
        if model is not None:
            check_folder(model.folder)
        todo = self._todo(model)
        panel, source = self._read(source, todo, notify)
        checks += data_checks(
            self.job.checks, panel, self.now or datetime.datetime.now()
        )
        require_holding(checks, self.name)
        if self.dry:
            return FileResult(self.name, panel, tuple(checks), todo, None, Written())
        if todo in (SHIPPED, SAVED):
            outcome = self._forecast(source, panel)
            checks += accuracy_checks(self.job.checks, outcome.backtest)
            require_holding(checks, self.name)
            folder = None if model is None else model.folder
            with_model = replace(outputs, model=folder)
            forecaster = self._forecaster(panel)
            files = with_model.write(
                outcome.forecast, panel, outcome.backtest, forecaster
            )
            return FileResult(self.name, panel, tuple(checks), todo, outcome, files)
        assert model is not None  # only a model is updated or fitted
        if todo == FITTED:
            self._fit(model, source, panel, notify)
            source = None
        outcome = self._predict(model, source, outputs, notify)
        return FileResult(
            self.name, panel, tuple(checks), todo, outcome, outcome.written
        )

    def _require_outside(self, sources: list[str]) -> None:
        """Raise UsageError if the next run would read what this one writes."""
        for place in (self.job.output.table, self.job.output.summary):
            for pattern in sources:
                if place is None or is_target(place) or is_address(pattern):
                    continue
                if Path(place).absolute().match(os.path.abspath(pattern)):
                    raise UsageError(
                        f"{self.name}: the next run would read {place!r} as data, since it "
                        f"matches {pattern!r}. Write the result into another folder."
                    )

    def _todo(self, model: ModelSection | None) -> str:
        """What this run does with the model."""
        if model is None:
            return SHIPPED
        is_saved = Path(model.folder, MANIFEST).exists()
        if model.refit == "never":
            return UPDATED if is_saved else SAVED
        fitted = self._fitted()
        if model.refit == "always" or not is_saved or fitted is None:
            return FITTED
        age = (self.now or _now()) - fitted
        return FITTED if age / datetime.timedelta(hours=1) >= model.refit else UPDATED

    def _read(self, source: Source, todo: str, notify: Notify) -> tuple[Panel, Source]:
        """The data, read once; data for a saved model are read like the model's own."""
        if todo != UPDATED:
            panel = source.read()
            if todo != FITTED:  # a training reports this itself
                notify(DataRead(panel))
            return panel, replace(source, data=panel)
        from lstmcast.loading import load

        assert self.job.model is not None  # a model is updated
        model = load(self.job.model.folder)
        assert model.saved_context is not None  # a loaded model remembers its data
        panel = source.of(model).read_after(model.saved_context.panel)
        return panel, replace(source, data=panel, past=None)

    def _forecast(self, source: Source, panel: Panel) -> ForecastResult:
        """Measure the accuracy and forecast, without writing anything."""
        section = self.job.forecast
        forecaster = self._forecaster(panel)
        return ForecastJob(
            forecaster, source, section.cutoffs, until=section.until
        ).run()

    def _forecaster(self, panel: Panel) -> Any:
        from lstmcast.forecaster import LSTMForecaster

        section = self.job.forecast
        return LSTMForecaster(
            self._steps(panel), method=section.method or "auto", **self._quantiles()
        )

    def _predict(
        self,
        model: ModelSection,
        source: Source | None,
        outputs: Outputs,
        notify: Notify,
    ) -> PredictResult:
        section = self.job.forecast
        job = PredictJob(
            model.folder,
            source,
            section.horizon,
            outputs=outputs,
            method=section.method,
            until=section.until,
            update=source is not None,
            **self._quantiles(),
        )
        return job.run(notify)

    def _fit(
        self, model: ModelSection, source: Source, panel: Panel, notify: Notify
    ) -> None:
        """Train, and store the time."""
        from lstmcast.forecaster import LSTMForecaster

        steps = self._steps(panel)
        quantiles = self._quantiles()
        forecaster = LSTMForecaster(
            steps, weights=model.weights, seed=model.seed, **quantiles
        )
        if model.epochs is not None:
            training = replace(forecaster.training, epochs=model.epochs)
            forecaster = LSTMForecaster(
                steps,
                weights=model.weights,
                seed=model.seed,
                training=training,
                **quantiles,
            )
        fitted = FitJob(forecaster, source, model.folder).run(notify)
        if fitted.interrupted:
            raise KeyboardInterrupt
        fitted = {"fitted": (self.now or _now()).isoformat()}
        _write(fitted, str(kept_file(self.name, "state.json")))

    def _steps(self, panel: Panel) -> int:
        section = self.job.forecast
        if section.until is not None:
            return steps_until(section.until, panel)
        return section.horizon or one_season(panel)

    def _quantiles(self) -> dict[str, Any]:
        from lstmcast.evaluation.calibration import quantiles_of

        levels = self.job.forecast.level
        return {"quantiles": quantiles_of(levels)} if levels else {}

    def _fitted(self) -> datetime.datetime | None:
        """The time of the last training; None if there was none, or if the record is damaged."""
        try:
            noted = json.loads(
                kept_file(self.name, "state.json").read_text(encoding="utf-8")
            )
            fitted = datetime.datetime.fromisoformat(noted["fitted"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return fitted if fitted.tzinfo is None else None


@dataclass(frozen=True, eq=False)
class FileResult:
    """What a run did; `result` is None after a dry run."""

    name: str
    panel: Panel
    checks: tuple[Held, ...]
    model: str
    result: ForecastResult | PredictResult | None
    written: Written
    times: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast run --json`, and the summary."""
        document = {
            "lstmcast": __version__,
            "job": self.name,
            "status": "dry run" if self.result is None else "done",
            **(self.times or {}),
            "data": described(self.panel),
            "findings": rows_of(self.panel.check()),
            "skipped": skipped_series(self.panel),
            "checks": [check._asdict() for check in self.checks],
            "model": self.model,
        }
        if self.result is None:
            return document
        forecast = self.result.forecast
        tested = self.result.backtest
        scores = {} if tested is None else tested.summary().scores
        return document | {
            "accuracy": scores,
            "forecast": {
                "rows": len(forecast),
                "series": len(forecast.ids),
                "first": format_time(forecast.times.min()),
                "last": format_time(forecast.times.max()),
                "method": forecast.method,
                "combination": made_of(forecast),
            },
            "files": list(self.written.files),
        }


def _failure(error: BaseException, name: str, checks: list[Held]) -> dict[str, Any]:
    # by Ctrl-C or the system: another status
    stopped = isinstance(error, KeyboardInterrupt)
    message = error.message if isinstance(error, LstmcastError) else str(error)
    message = "stopped" if stopped else message
    status = None if stopped else getattr(error, "exit_status", 1)
    details = {"kind": type(error).__name__, "message": message, "exit_status": status}
    check_rows = [check._asdict() for check in checks]
    return {
        "lstmcast": __version__,
        "job": name,
        "status": "failed",
        "error": details,
    } | {"checks": check_rows}


def _times(started: datetime.datetime, clock: float) -> dict[str, Any]:
    seconds = round(time.monotonic() - clock, 2)
    return {"started": started.isoformat(timespec="seconds"), "seconds": seconds}


def _now() -> datetime.datetime:
    return datetime.datetime.now()


def _write(document: dict[str, Any], path: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(
            json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8"
        )
