"""Jobs: what the commands do, as frozen requests and results; a server and a schedule run the same.

A job reads, checks, works and writes its files. It prints nothing and ends no process: what it has
to report while it runs are events for `notify`, what it found is in its result, whose `document()`
is the JSON of the command, and what cannot be done raises one of `lstmcast.errors`. Modules that
only some jobs need are imported where they are used: checking a file should not wait for the
network.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from lstmcast import store
from lstmcast._version import __version__
from lstmcast.data.ahead import end_of, steps_until
from lstmcast.data.beside import Beside
from lstmcast.data.cellformat import CellFormat
from lstmcast.data.features import listed
from lstmcast.data.inspection import Inspection, inspect
from lstmcast.data.kinds import kind_counts
from lstmcast.data.panel import Panel, ReadOptions, panel_from_table
from lstmcast.data.read import STDIN, read_table
from lstmcast.data.table import file_label, format_time
from lstmcast.errors import DataError, UsageError
from lstmcast.output.places import (
    NO_JAPANESE_FONT,
    PAGES,
    PICTURES,
    TABLES,
    Made,
    Outputs,
    Written,
    beside_table,
    check_place,
    require_apart,
    write_report,
)
from lstmcast.saved_context import is_unnamed
from lstmcast.writing.tables import write_table

if TYPE_CHECKING:
    from lstmcast.alerting import Anomalies
    from lstmcast.data.panel import Findings
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.refitting import Forecasts, Progress, Refit
    from lstmcast.forecast import Forecast
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.saved_context import Continuation
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Asked, Totals

    Event: TypeAlias = "DataRead | NewerRead | DataJoined | Note | Progress"
    Notify = Callable[[Event], object]
    Baselines = bool | Literal["classical"] | Sequence[Forecasts]

HELD_BACK = (
    "The same values chose the best epoch and the width of the intervals: errors here are a little "
    "too small, and the coverage is no test. `lstmcast backtest --refit once` measures both on "
    "values that decided nothing."
)


# ---------------------------------------------------------------- what a job reports while it runs


class DataRead(NamedTuple):
    """The data were read; the panel's report says what was noticed."""

    panel: Panel


class NewerRead(NamedTuple):
    """Newer data for a saved model were read. What is wrong in them shows once they are joined:
    what is too short alone may not be then."""

    panel: Panel


class DataJoined(NamedTuple):
    """Newer data were joined to those of a saved model."""

    continuation: Continuation


class Note(NamedTuple):
    """A sentence about the run; `urgent` where something that was asked for is not done."""

    text: str
    urgent: bool = False


def ignore(event: Event) -> None:
    """The `notify` of a job that nobody watches."""


AS_GIVEN = "as given"  # the coming values of the data themselves, as a scenario


# ---------------------------------------------------------------- what goes in, where it goes


@dataclass(frozen=True, eq=False)
class Source:
    """Data and how to read them: a Panel as it is, or anything that `lstmcast.read` reads.

    `time`, `target`, `series`, `sheet` and `past` are those of `lstmcast.read`; `options` and
    `written` are its other arguments, `beside` those about columns beside the target. `given`:
    names of options that count in newer data for a saved model even where they are the usual ones.

    >>> Source({"ds": ["2024-01", "2024-02", "2024-03", "2024-04"], "y": [5, 6, 7, 8]}).read()
    Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
    """

    data: Any
    options: ReadOptions = field(default_factory=ReadOptions)
    time: str | Sequence[str] | None = None
    target: str | Sequence[str] | None = None
    series: str | Sequence[str] | None = None
    sheet: str | None = None
    given: Sequence[str] = ()
    past: str | Sequence[str] | None = None
    written: CellFormat = field(default_factory=CellFormat)
    beside: Beside = field(default_factory=Beside)

    @property
    def paths(self) -> list[str]:
        """The files, as far as the data are files: none of them should be written over."""
        items = self.data if isinstance(self.data, (list, tuple)) else [self.data]
        paths = [os.fspath(item) for item in items if isinstance(item, (str, os.PathLike))]
        return [*(path for path in paths if path != STDIN), *self.beside.paths()]

    def read(self) -> Panel:
        """The data as a panel. Raises DataError, UsageError."""
        if isinstance(self.data, Panel):
            return self.data
        how = {"aggregate": self.options.aggregate, "on_error": self.options.on_error}
        table = read_table(self.data, **how, **self._columns())
        return panel_from_table(table, self.options)

    def read_after(self, known: Panel) -> Panel:
        """The data as what came after `known`. Raises DataError, UsageError, ModelError."""
        from lstmcast.data.newer import read_newer

        return read_newer(self.data, known, self.options, said=self.given, **self._columns())

    def inspect(self) -> Inspection:
        """What is in the data and what is wrong with them. Raises DataError, UsageError."""
        return inspect(self.data, self.options, **self._columns())

    def of(self, model: Any, trains: bool = False) -> Source:
        """The same with the columns that a model reads beside the target; UsageError where others
        were asked for. Simple forecasts may read them, but not in a model that `trains`."""
        reads = getattr(model, "past", ())
        asked = [self.past] if isinstance(self.past, str) else list(self.past or ())
        if asked and not reads and getattr(model, "may_read_past", False) and not trains:
            return self
        if asked and not reads:
            raise UsageError(_reads_nothing_beside(",".join(asked)))
        idle = [name for one in asked for name in one.split(",") if name.strip() not in reads]
        if idle:
            raise UsageError(
                f"--past {','.join(asked)}: the model reads {listed(reads)} beside the target, and "
                f"not {idle[0].strip()!r}. Leave --past out: the model knows its columns."
            )
        return replace(self, past=list(reads)) if reads else self

    def _columns(self) -> dict[str, Any]:
        names = ("time", "target", "series", "sheet", "past", "written", "beside")
        return {name: getattr(self, name) for name in names}


def _require_totals(asked: Asked | None, panel: Panel, horizon: int) -> None:
    """UsageError, before the work, for totals that the series do not have."""
    if asked is not None:
        asked.require_ahead(horizon)
        names = panel.keys.columns(panel.ids)
        asked.require_possible(names, panel.ends.dtype.kind == "M", panel.frequency)


def _totals(asked: Asked | None, forecast: Forecast) -> Totals | None:
    if asked is None:
        return None
    return forecast.total(
        asked.span,
        by=asked.by or None,
        service_level=asked.service_level,
        lead_time=asked.lead_time,
    )


def _until(date: str | None, forecast: Forecast, panel: Panel) -> Forecast:
    """A forecast without steps after a date."""
    return forecast if date is None else forecast.until(end_of(date, panel))


# ---------------------------------------------------------------- check


@dataclass(frozen=True, eq=False)
class CheckJob:
    """What is in the data, and what is wrong."""

    source: Source

    def run(self) -> CheckResult:
        """Read and check. Raises DataError where no table can be found, UsageError."""
        return CheckResult(self.source.inspect())


@dataclass(frozen=True, eq=False)
class CheckResult:
    """A table, its panel where the data can be used as they are, and all findings."""

    inspection: Inspection

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast check --json`."""
        table, panel, findings = self.inspection
        unusable = {"source": table.source, "rows": len(table), "usable": panel is not None}
        described = _described(panel) | _kind_of(panel) if panel else unusable
        return _document(data=described, findings=_rows(findings))


# ---------------------------------------------------------------- forecast


@dataclass(frozen=True, eq=False)
class ForecastJob:
    """Read, check, test at held-out cutoffs, forecast, write.

    `cutoffs` and `baselines` are those of `lstmcast.backtest`; 0 cutoffs measure nothing.

    >>> from lstmcast.evaluation.baselines import SeasonalNaive
    >>> panel = Panel.from_arrays([1.0, 5.0, 9.0] * 8, periods=(3,))
    >>> result = ForecastJob(SeasonalNaive(2), Source(panel)).run()
    >>> result.forecast.point, result.backtest.scores["seasonal naive"]["mae"]
    (array([[1., 5.]]), 0.0)
    """

    model: Any  # of `evaluation.refitting.Forecasts`, with its `horizon`
    source: Source
    cutoffs: int = 5
    baselines: Baselines = True
    outputs: Outputs = field(default_factory=Outputs)
    totals: Asked | None = None
    until: str | None = None  # a date, after which no step is wanted
    scenarios: tuple[str | Path, ...] = ()  # tables of coming values that are compared

    def run(self, notify: Notify = ignore) -> ForecastResult:
        """Raises LstmcastError; DataError too where no series could be forecast."""
        paths = [*self.source.paths, *map(str, self.scenarios)]
        more = ["totals"] * (self.totals is not None) + ["scenarios"] * bool(self.scenarios)
        self.outputs.check(paths, more)
        panels = self._panels(notify)
        panel = next(iter(panels.values()))
        _require_totals(self.totals, panel, self.model.horizon)
        self.outputs.looks.require(set(map(str, panel.ids)))
        self.outputs.check_rows(len(panel) * self.model.horizon)
        tested = self._tested(panel)
        scenarios = self._compared(panels)
        first = None if scenarios is None else next(iter(scenarios.forecasts.values()))
        whole = self.model.predict(panel) if first is None else first
        forecast = _until(self.until, whole, panel)
        _require_numbers(forecast, panel)
        totals = _totals(self.totals, forecast)
        written = self.outputs.write(forecast, panel, tested, self.model, totals)
        if scenarios is not None and self.outputs.table is not None:
            place = scenarios.write(beside_table(self.outputs.table, "scenarios"))
            written = written._replace(files=(*written.files, str(place)))
        return ForecastResult(panel, forecast, tested, written, totals, scenarios)

    def _panels(self, notify: Notify) -> dict[str, Panel]:
        """The data, by scenario where several are asked for: the first is forecast."""
        if not self.scenarios:
            return {"": _read(self.source, self.model, notify)}
        panels = {} if len(self.scenarios) > 1 else {AS_GIVEN: self.source.of(self.model).read()}
        for path in self.scenarios:
            name = file_label(Path(path).name)
            if name in panels:
                raise UsageError(
                    f"two scenarios are called {name!r} after their files. Give files of "
                    "different names."
                )
            beside = replace(self.source.beside, future_data=path)
            panels[name] = replace(self.source, beside=beside).of(self.model).read()
        notify(DataRead(next(iter(panels.values()))))
        return panels

    def _compared(self, panels: dict[str, Panel]) -> Scenarios | None:
        if len(panels) < 2:
            return None
        from lstmcast.scenarios import compare_scenarios

        return compare_scenarios(self.model, panels)

    def _tested(self, panel: Panel) -> Backtest | None:
        if self.cutoffs == 0:
            return None
        from lstmcast.evaluation.backtest import backtest

        return backtest(self.model, panel, cutoffs=self.cutoffs, baselines=self.baselines)


@dataclass(frozen=True, eq=False)
class ForecastResult:
    """A forecast with the data that it continues; `backtest` is None where nothing was measured."""

    panel: Panel
    forecast: Forecast
    backtest: Backtest | None
    written: Written
    totals: Totals | None = None
    scenarios: Scenarios | None = None

    def document(self, held_out: bool = False) -> dict[str, Any]:
        """The JSON document of `lstmcast forecast --json`; held-out forecasts on request."""
        return _document(
            data=_described(self.panel) | _kind_of(self.panel),
            findings=_rows(self.panel.check()),
            skipped=_skipped(self.panel),
            accuracy=_measured(self.backtest, held_out),
            forecast=_parsed(self.forecast),
            totals=_parsed(self.totals),
            scenarios=_parsed(self.scenarios),
            method=self.forecast.method,
            combination=_made_of(self.forecast),
            without_forecast=_without_forecast(self.forecast),
            files=list(self.written.files),
        )


# ---------------------------------------------------------------- predict


@dataclass(frozen=True, eq=False)
class PredictJob:
    """Forecast with a saved model, from where it stopped or from newer data.

    `model`: its folder. `source`: newer data, None for what the model has seen last. `horizon` and
    `quantiles`: the model's own unless given.
    """

    model: str | Path
    source: Source | None = None
    horizon: int | None = None
    quantiles: Sequence[float] = ()
    outputs: Outputs = field(default_factory=Outputs)
    method: str | None = None  # what answers, as it was saved unless given
    totals: Asked | None = None
    until: str | None = None  # a date, in place of the horizon
    update: bool = False  # save the model with the newer data, for the next run to go on from
    beside: Beside = field(default_factory=Beside)  # coming values, where no newer data are read

    def run(self, notify: Notify = ignore) -> PredictResult:
        """Raises LstmcastError; DataError too where no series could be forecast."""
        from lstmcast.forecaster import load

        sources = self.source.paths if self.source else self.beside.paths()
        self.outputs.check(sources, ["totals"] * (self.totals is not None))
        if self.update and self.source is None and not self.beside:
            raise UsageError("There are no newer data to update the model with. Name them.")
        if self.update:
            store.check_place(self.model)
        model = load(self.model, quantiles=self.quantiles or None, method=self.method)
        assert model.saved_context is not None  # a loaded model remembers its data
        panel, newer, continuation = model.saved_context.panel, None, None
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
        _require_totals(self.totals, panel, horizon or model.horizon)
        self.outputs.looks.require(set(map(str, panel.ids)))
        self.outputs.check_rows(len(panel) * (horizon or model.horizon))
        forecast = _until(self.until, model.predict(continuation, horizon), panel)
        _require_numbers(forecast, panel)
        totals = _totals(self.totals, forecast)
        written = self.outputs.write(forecast, panel, None, model, totals)
        if self.update:
            # last: where a result could not be written, the next run finds the model as it was
            model.updated(continuation).save(self.model, made_of=forecast.combination)
            written = written._replace(files=(*written.files, str(self.model)))
        result = str(self.model), panel, forecast, newer, continuation, written
        return PredictResult(*result, totals)


@dataclass(frozen=True, eq=False)
class PredictResult:
    """A forecast of a saved model; `panel` is what was forecast, `newer` what was read for it."""

    backtest: ClassVar[None] = None  # measured when the model was made, not now

    model: str
    panel: Panel
    forecast: Forecast
    newer: Panel | None
    continuation: Continuation | None
    written: Written
    totals: Totals | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast predict --json`."""
        whole = _described(self.panel) | _kind_of(self.panel)
        del whole["source"], whole["rows"]  # of a file, and these came from two
        return _document(
            model=self.model,
            # what values can be is decided where the two are joined
            data=_described(self.newer) if self.newer else None,
            panel=whole,
            continued=self.continuation.as_dict() if self.continuation else None,
            skipped=_skipped(self.newer),
            findings=_rows(self.panel.check()),
            forecast=_parsed(self.forecast),
            totals=_parsed(self.totals),
            method=self.forecast.method,
            combination=_made_of(self.forecast),
            without_forecast=_without_forecast(self.forecast),
            files=list(self.written.files),
        )


# ---------------------------------------------------------------- backtest


@dataclass(frozen=True, eq=False)
class BacktestJob:
    """Measure accuracy at earlier cutoffs.

    `table`: where the held-out forecasts go. The other arguments are those of `lstmcast.backtest`;
    `fit_options` are used where something is trained.
    """

    model: Any
    source: Source
    cutoffs: int = 5
    baselines: Baselines = True
    refit: Refit | None = None
    fit_options: dict[str, Any] | None = None
    workers: int | None = None
    folder: str | Path | None = None
    table: str | Path | None = None

    @property
    def trains(self) -> bool:
        """Whether the model is trained for it, which takes a while."""
        return getattr(self.model, "needs_fit", False) or self.refit in ("once", "each")

    def run(self, notify: Notify = ignore) -> BacktestResult:
        """Raises LstmcastError. Where nothing can be held out, the result says why."""
        from lstmcast.evaluation.backtest import backtest

        check_place(self.table, TABLES, self.source.paths)
        panel = _read(self.source, self.model, notify)
        tested = backtest(
            self.model,
            panel,
            cutoffs=self.cutoffs,
            baselines=self.baselines,
            refit=self.refit,
            fit_options=self.fit_options if self.trains else None,
            workers=self.workers,
            folder=self.folder,
            progress=notify if self.trains else None,
        )
        return BacktestResult(panel, tested, self._written(tested))

    def _written(self, tested: Backtest) -> Written:
        if self.table is None:
            return Written()
        if tested.reason:
            return Written(notes=(f"nothing written: {tested.reason}",))
        write_table(tested.held_out(), self.table)
        return Written((str(self.table),))


@dataclass(frozen=True, eq=False)
class AnomalyJob:
    """Score each value by how surprising it was.

    `model`: a saved one, the shipped network unless given; `table`: where scores go.
    """

    source: Source
    model: Path | None = None
    rate: float = 0.001
    table: Path | None = None

    def run(self, notify: Notify = ignore) -> AnomalyResult:
        """Raises LstmcastError."""
        from lstmcast.alerting import anomalies
        from lstmcast.evaluation.anomalies import Alerts
        from lstmcast.forecaster import LSTMForecaster, load

        Alerts(self.rate)  # before anything is read
        check_place(self.table, TABLES, self.source.paths)
        model = LSTMForecaster(horizon=1) if self.model is None else load(self.model)
        found = anomalies(_read(self.source, model, notify), model, rate=self.rate)
        if self.table is None:
            return AnomalyResult(found, Written())
        found.save(self.table)
        return AnomalyResult(found, Written((str(self.table),)))


@dataclass(frozen=True, eq=False)
class AnomalyResult:
    """How surprising each value was."""

    anomalies: Anomalies
    written: Written

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast anomalies --json`."""
        return _document(
            data=_described(self.anomalies.panel),
            anomalies=self.anomalies.document(),
            written=list(self.written.files),
        )


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """How good forecasts at past cutoffs would have been."""

    panel: Panel
    backtest: Backtest
    written: Written

    def document(self, held_out: bool = False) -> dict[str, Any]:
        """The JSON document of `lstmcast backtest --json`; held-out forecasts on request."""
        return _document(
            data=_described(self.panel) | _kind_of(self.panel),
            findings=_rows(self.panel.check()),
            skipped=_skipped(self.panel),
            accuracy=_measured(self.backtest, held_out),
        )


# ---------------------------------------------------------------- fit


@dataclass(frozen=True, eq=False)
class FitJob:
    """Train a forecaster, save it, and measure it on the part of the data that was held back.

    `folder`: of the saved model; the checkpoints lie beside it while training goes on, and with
    `resume` a training that was interrupted goes on from them. With `keep_checkpoints` they stay
    when it has ended, so that it can go on for more epochs or with newer data. `plot`: the learning
    curve.
    `device`, `threads` and `callbacks` are those of `LSTMForecaster.fit`. Ctrl-C ends the training
    early, not the job.
    """

    forecaster: LSTMForecaster
    source: Source
    folder: str | Path
    plot: str | Path | None = None
    report: str | Path | None = None
    made_by: str = ""
    language: str = "en"  # of learning curve and report
    resume: bool = False
    keep_checkpoints: bool = False
    device: str = "cpu"
    threads: int | None = None
    callbacks: Sequence[Callable[[Any], Any]] = ()

    @property
    def checkpoints(self) -> Path:
        """Where the state of the training is kept until it has ended."""
        # by whatever name: links, and parts of the path that have none
        place = Path(os.path.realpath(self.folder))
        return place.with_name(f"{place.name}.checkpoints")

    def run(self, notify: Notify = ignore) -> FitResult:
        """Raises LstmcastError; MissingExtraError without PyTorch."""
        from lstmcast.training_config import require_torch

        check_fit_places(self.folder, self.plot, self.report, self.source.paths)
        require_torch()
        from lstmcast.training import checkpoint

        checkpoint.require_unclaimed(self.checkpoints)
        panel = _read(self.source, self.forecaster, notify, trains=True)
        fitted = self._fitted(panel, notify)
        panel = _called_as_in(fitted, panel)
        notify(Note(f"the model is saved in {self.folder}; its accuracy is measured"))
        fitted.save(self.folder)
        record = fitted.record
        assert record is not None  # it was fitted
        if not record.interrupted and not self.keep_checkpoints:
            checkpoint.discard(self.checkpoints)
        tested = _tested_where_held_back(fitted, panel)
        return FitResult(
            fitted,
            panel,
            tested,
            record.notes,
            self._written(fitted, panel, tested),
            record.interrupted,
            resumable=checkpoint.kept_in(self.checkpoints),
        )

    def _fitted(self, panel: Panel, notify: Notify) -> LSTMForecaster:
        from lstmcast.training.checkpoint import kept_in

        place = self.checkpoints
        kept = kept_in(place)
        if kept and not self.resume:
            again = f"an earlier training in {place} is started again"
            notify(Note(f"{again}; --resume would have gone on"))
        if self.resume and not kept:
            missing = f"there is no interrupted training in {place}, nor one that was kept"
            notify(Note(f"{missing}: it starts at the beginning", urgent=True))
        return self.forecaster.fit(
            panel,
            folder=place,
            resume=self.resume,
            callbacks=self.callbacks,
            device=self.device,
            threads=self.threads,
        )

    def _written(self, fitted: LSTMForecaster, panel: Panel, tested: Backtest | None) -> Written:
        files: list[str | Path] = [self.folder]
        notes: list[str] = []
        if self.plot is not None:
            from lstmcast.output.learning_curve import LearningCurve

            curve = LearningCurve.from_history(fitted.history, language=self.language)
            files.append(curve.save(self.plot))
            notes += [NO_JAPANESE_FONT] if curve.missing_letters() else []
        if self.report is not None:
            made = Made(self.made_by, self.language)
            files.append(write_report(self.report, fitted.predict(), panel, tested, fitted, made))
        return Written(tuple(map(str, files)), tuple(notes))


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained model; `backtest` is None where nothing was held back.

    `interrupted`: training was stopped before its end, and is `resumable` where an epoch was done.
    """

    model: LSTMForecaster
    panel: Panel
    backtest: Backtest | None
    notes: tuple[str, ...]
    written: Written
    interrupted: bool = False
    resumable: bool = False

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast fit --json`."""
        return _document(
            data=_described(self.panel) | _kind_of(self.panel),
            training=self.model.history.to_json(),
            notes=list(self.notes),
            skipped=_skipped(self.panel),
            accuracy=_measured(self.backtest),
            files=list(self.written.files),
        )


def check_fit_places(
    folder: str | Path,
    plot: str | Path | None,
    report: str | Path | None,
    sources: Sequence[str],
) -> None:
    """Raise before a training where its results could not be written."""
    store.check_place(folder)
    check_place(plot, PICTURES, sources)
    check_place(report, PAGES, sources)
    require_apart(plot, report, folder)


def _called_as_in(fitted: LSTMForecaster, panel: Panel) -> Panel:
    """A panel of one series without a name, called as a training that went on calls it, whatever
    its file is called now."""
    assert fitted.saved_context is not None  # it was fitted
    known = fitted.saved_context.panel
    if list(known.ids) == list(panel.ids) or not (is_unnamed(known) and is_unnamed(panel)):
        return panel
    return replace(panel, ids=known.ids.copy())


def _tested_where_held_back(fitted: LSTMForecaster, panel: Panel) -> Backtest | None:
    """The accuracy on the part that was held back, beside the baselines; None where that is
    nothing."""
    from lstmcast.evaluation.backtest import backtest

    ends = fitted.model.held_back_from(panel)
    if ends is None:
        return None
    # A column without any value leaves a series without a forecast, as a warning has said.
    known = panel.covariates.known_among(fitted.past, panel.offsets, ends)
    if not known.any():
        return None
    judged = panel if known.all() else panel.select(panel.ids[known])
    tested = backtest(fitted, judged, cutoffs=ends[known, None], refit="never")
    return tested if tested.reason else replace(tested, notes=(*tested.notes, HELD_BACK))


# ---------------------------------------------------------------- what jobs share


def _reads_nothing_beside(past: str) -> str:
    return (
        f"--past {past} (in Python: past=) names columns to be read beside the target, and this "
        "network does not read any. Leave --past out, forecast with the shipped network and simple "
        "forecasts, of which a linear map reads them (--method auto, nothing trained), or train a "
        f"network that reads them: lstmcast fit DATA --weights scratch --past {past} (in Python: "
        "NetworkConfig(inputs=Transformed(…, past=[…])))."
    )


def _read(source: Source, model: Any, notify: Notify, trains: bool = False) -> Panel:
    panel = source.of(model, trains).read()
    notify(DataRead(panel))
    return panel


def _without_forecast(forecast: Forecast) -> list[str]:
    """The series whose steps are all unknown."""
    silent = (forecast.point != forecast.point).all(axis=1)
    return [str(name) for name in forecast.ids[silent]]


def _require_numbers(forecast: Forecast, panel: Panel) -> None:
    """DataError where no series has a forecast: blanks should not replace an older one."""
    if len(_without_forecast(forecast)) == len(forecast.ids):
        raise DataError(
            f"{panel.report.source}: no series has a forecast, as none has the known values that "
            "the model reads. Nothing was written. Give data with a longer history, or with fewer "
            "missing values at the end."
        )


def _document(**parts: Any) -> dict[str, Any]:
    return {"lstmcast": __version__, **parts}


def _described(panel: Panel) -> dict[str, Any]:
    return panel.covariates.roles() | {
        "source": panel.report.source,
        "rows": panel.report.rows,
        "columns": asdict(panel.columns) | {"keys": list(panel.keys)},
        "series": len(panel),
        "values": len(panel.values),
        "frequency": panel.frequency.code,
        "periods": list(panel.periods),
        "calendar": panel.calendar.as_dict(panel.ids) if panel.calendar else None,
        "start": format_time(panel.starts.min()),
        "end": format_time(panel.ends.max()),
    }


def _kind_of(panel: Panel) -> dict[str, Any]:
    return {
        "kind": panel.kind,  # what holds of all series
        "kinds": kind_counts(panel.kinds),
        "kind_declared": panel.recognised is None,
    }


def _rows(findings: Findings) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


def _made_of(forecast: Forecast) -> dict[str, float] | None:
    """The shares of a combination by name; None for the network alone."""
    return forecast.combination.as_dict() if forecast.combination else None


def _skipped(panel: Panel | None) -> list[dict[str, str]]:
    """The series that could not be read and were left out, and why."""
    if panel is None:
        return []
    return [{"series": name, "reason": why} for name, why in panel.report.skipped.items()]


def _measured(tested: Backtest | None, held_out: bool = False) -> Any:
    """The accuracy; forecasts of many series at several cutoffs are longer than all else, so they
    are left out unless asked for."""
    measured = _parsed(tested)
    if measured is not None and not held_out:
        measured.pop("held_out", None)
    return measured


def _parsed(result: Forecast | Backtest | Totals | Scenarios | None) -> Any:
    return None if result is None else json.loads(result.to_json())
