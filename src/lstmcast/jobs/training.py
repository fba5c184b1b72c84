"""Train a network and measure it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast import store
from lstmcast.data.panel import Panel
from lstmcast.jobs.documents import (
    as_document,
    described,
    kind_of,
    measured_of,
    skipped_series,
)
from lstmcast.jobs.events import Note, ignore
from lstmcast.jobs.source import Source, read_for
from lstmcast.output.places import (
    NO_JAPANESE_FONT,
    PAGES,
    PICTURES,
    Made,
    Written,
    check_place,
    require_apart,
    write_report,
)
from lstmcast.saved_context import is_unnamed

if TYPE_CHECKING:
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.jobs.events import Notify

HELD_BACK = (
    "The same values selected the best epoch and the width of the intervals, so errors are "
    "slightly too low and the coverage is not a test. `lstmcast backtest --refit once` measures "
    "both on unused values."
)


@dataclass(frozen=True, eq=False)
class FitJob:
    """Train a forecaster, save it, and measure it on the part of the data that was held back.

    `folder`: the folder of the saved model. Checkpoints are kept beside it during the training, and
    with `resume` an interrupted training continues from them. With `keep_checkpoints` they stay
    afterwards, so that training can continue for more epochs or with newer data. `plot`: the file
    of the learning curve.
    `device`, `threads` and `callbacks` are those of `LSTMForecaster.fit`. Ctrl-C ends the training
    early, not the job.
    """

    forecaster: LSTMForecaster
    source: Source
    folder: str | Path
    plot: str | Path | None = None
    report: str | Path | None = None
    made_by: str = ""
    language: str = "en"  # language of learning curve and report
    resume: bool = False
    keep_checkpoints: bool = False
    device: str = "cpu"
    threads: int | None = None
    callbacks: Sequence[Callable[[Any], Any]] = ()

    @property
    def checkpoints(self) -> Path:
        """The folder for the state of the training until it has ended."""
        # resolved, so that links and relative paths give the same folder
        place = Path(os.path.realpath(self.folder))
        return place.with_name(f"{place.name}.checkpoints")

    def run(self, notify: Notify = ignore) -> FitResult:
        """Run the job. Raises LstmcastError, such as MissingExtraError without PyTorch."""
        from lstmcast.training_config import require_torch

        check_fit_places(self.folder, self.plot, self.report, self.source.paths)
        require_torch()
        from lstmcast.training import checkpoint

        checkpoint.require_unclaimed(self.checkpoints)
        panel = read_for(self.source, self.forecaster, notify, trains=True)
        fitted = self._fitted(panel, notify)
        panel = _called_as_in(fitted, panel)
        notify(Note(f"the model is saved in {self.folder}; measuring its accuracy"))
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
        is_kept = kept_in(place)
        if is_kept and not self.resume:
            again = f"an earlier training in {place} is started again"
            notify(Note(f"{again}; use --resume to continue it instead"))
        if self.resume and not is_kept:
            missing = f"there is no interrupted or kept training in {place}"
            notify(Note(f"{missing}: starting from the beginning", urgent=True))
        return self.forecaster.fit(
            panel,
            folder=place,
            resume=self.resume,
            callbacks=self.callbacks,
            device=self.device,
            threads=self.threads,
        )

    def _written(
        self, fitted: LSTMForecaster, panel: Panel, tested: Backtest | None
    ) -> Written:
        files: list[str | Path] = [self.folder]
        notes: list[str] = []
        if self.plot is not None:
            from lstmcast.output.learning_curve import LearningCurve

            curve = LearningCurve.from_history(fitted.history, language=self.language)
            files.append(curve.save(self.plot))
            notes += [NO_JAPANESE_FONT] if curve.missing_letters() else []
        if self.report is not None:
            maker = Made(self.made_by, self.language)
            files.append(
                write_report(
                    self.report, fitted.predict(), panel, tested, fitted, maker
                )
            )
        return Written(tuple(map(str, files)), tuple(notes))


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained model; `backtest` is None if nothing was held back.

    `interrupted`: training was stopped before its end; it is `resumable` if an epoch was completed.
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
        return as_document(
            data=described(self.panel) | kind_of(self.panel),
            training=self.model.history.to_json(),
            notes=list(self.notes),
            skipped=skipped_series(self.panel),
            accuracy=measured_of(self.backtest),
            files=list(self.written.files),
        )


def check_fit_places(
    folder: str | Path,
    plot: str | Path | None,
    report: str | Path | None,
    sources: Sequence[str],
) -> None:
    """Raise an error before a training if its results could not be written."""
    store.check_place(folder)
    check_place(plot, PICTURES, sources)
    check_place(report, PAGES, sources)
    require_apart(plot, report, folder)


def _called_as_in(fitted: LSTMForecaster, panel: Panel) -> Panel:
    """A panel whose only series has no name, with the name that it had in the training, whatever
    its file is called now."""
    assert fitted.saved_context is not None  # it was fitted
    saved = fitted.saved_context.panel
    if list(saved.ids) == list(panel.ids) or not (
        is_unnamed(saved) and is_unnamed(panel)
    ):
        return panel
    return replace(panel, ids=saved.ids.copy())


def _tested_where_held_back(fitted: LSTMForecaster, panel: Panel) -> Backtest | None:
    """The accuracy on the held-back part, beside the baselines; None if nothing was held back."""
    from lstmcast.evaluation.backtest import backtest

    ends = fitted.model.held_back_from(panel)
    if ends is None:
        return None
    # A column without any value leaves a series without a forecast; a warning has been given.
    is_known = panel.covariates.known_among(fitted.past, panel.offsets, ends)
    if not is_known.any():
        return None
    judged = panel if is_known.all() else panel.select(panel.ids[is_known])
    tested = backtest(fitted, judged, cutoffs=ends[is_known, None], refit="never")
    return (
        tested if tested.reason else replace(tested, notes=(*tested.notes, HELD_BACK))
    )
