"""Search for the settings of `fit` that suit a panel, and save the best model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.data.panel import Panel
from lstmcast.jobs.documents import as_document, described, kind_of, skipped_series
from lstmcast.jobs.events import DataRead, Note, ignore
from lstmcast.jobs.source import Source

if TYPE_CHECKING:
    from lstmcast.jobs.events import Notify
    from lstmcast.tuning.result import Tuned


@dataclass(frozen=True, eq=False)
class TuneJob:
    """Run `lstmcast.tune` on a source; `folder`: where trials, model and settings are saved."""

    source: Source
    horizon: int
    folder: str | Path
    minutes: float | None = None
    trials: int | None = None
    seed: int = 0
    device: str = "cpu"

    def run(self, notify: Notify = ignore) -> TuneDone:
        """Run the job. Raises LstmcastError; MissingExtraError without PyTorch or optuna."""
        from lstmcast.training_config import require_torch
        from lstmcast.tuning.search import tune
        from lstmcast.tuning.suggest import require_optuna
        from lstmcast.util.files import checked_path, require_writable

        require_torch()
        require_optuna()
        require_writable(checked_path(self.folder))
        panel = self.source.read()
        notify(DataRead(panel))

        def say(sentence: str) -> None:
            notify(Note(sentence))

        tuned = tune(
            panel,
            self.horizon,
            minutes=self.minutes,
            trials=self.trials,
            folder=self.folder,
            seed=self.seed,
            device=self.device,
            progress=say,
        )
        return TuneDone(tuned, panel, Path(self.folder))


@dataclass(frozen=True, eq=False)
class TuneDone:
    """The result of the search, and where it was saved."""

    result: Tuned
    panel: Panel
    folder: Path

    def files(self) -> list[str]:
        """The files that were written."""
        from lstmcast.tuning.result import MODEL
        from lstmcast.tuning.settings import FILE as SETTINGS
        from lstmcast.tuning.trials import FILE as TRIALS

        return [str(self.folder / name) for name in (MODEL, SETTINGS, TRIALS)]

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast tune --json`."""
        return as_document(
            data=described(self.panel) | kind_of(self.panel),
            search=self.result.document(),
            skipped=skipped_series(self.panel),
            files=self.files(),
        )
