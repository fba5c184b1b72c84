"""Measure the importance of columns and lags for a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.data.panel import Panel
from lstmcast.jobs.documents import as_document, described, skipped_series
from lstmcast.jobs.events import Note, ignore
from lstmcast.jobs.source import Source, read_for
from lstmcast.output.places import (
    NO_JAPANESE_FONT,
    PICTURES,
    TABLES,
    Place,
    Written,
    check_place,
    require_apart,
)

if TYPE_CHECKING:
    from lstmcast.evaluation.importance import Importance
    from lstmcast.jobs.events import Notify


@dataclass(frozen=True, eq=False)
class ImportanceJob:
    """Run `lstmcast.importance` for a saved model; `table`, `plot`: the files of the results."""

    source: Source
    model: Path
    horizon: int | None = None
    cutoffs: int = 3
    repeats: int = 10
    seed: int = 0
    table: Place = None
    plot: Path | None = None
    language: str = "en"  # language of the plot

    def run(self, notify: Notify = ignore) -> ImportanceResult:
        """Raises LstmcastError."""
        from lstmcast.evaluation.importance import importance
        from lstmcast.loading import load

        check_place(self.table, TABLES, self.source.paths)
        check_place(self.plot, PICTURES, self.source.paths)
        require_apart(self.table, self.plot)
        model = load(self.model)
        panel = read_for(self.source, model, notify)

        def say(sentence: str) -> None:
            notify(Note(sentence))

        measured = importance(
            model,
            panel,
            horizon=self.horizon,
            cutoffs=self.cutoffs,
            repeats=self.repeats,
            seed=self.seed,
            progress=say,
        )
        return ImportanceResult(measured, panel, self._written(measured))

    def _written(self, measured: Importance) -> Written:
        from lstmcast.output.importance import ImportancePlot

        files: list[str] = []
        notes: list[str] = []
        if self.table is not None:
            files.append(str(measured.write(self.table)))
        if self.plot is not None:
            picture = ImportancePlot.from_importance(measured, language=self.language)
            files.append(str(picture.save(self.plot)))
            if picture.missing_letters():
                notes.append(NO_JAPANESE_FONT)
        return Written(tuple(files), tuple(notes))


@dataclass(frozen=True, eq=False)
class ImportanceResult:
    """The importance, and where it was written."""

    importance: Importance
    panel: Panel
    written: Written

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast importance --json`."""
        return as_document(
            data=described(self.panel),
            importance=self.importance.document(),
            skipped=skipped_series(self.panel),
            files=list(self.written.files),
        )
