"""Train models that suit a panel, and save the best one at held-out cutoffs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast import store
from lstmcast.data.panel import Panel
from lstmcast.jobs.documents import as_document, described, kind_of, skipped_series
from lstmcast.jobs.events import Note, ignore
from lstmcast.jobs.source import Source, read_for

if TYPE_CHECKING:
    from lstmcast.jobs.events import Notify
    from lstmcast.presets import PresetResult


@dataclass(frozen=True, eq=False)
class PresetJob:
    """Run `lstmcast.fit_preset` on a source; `folder`: where the model is saved."""

    source: Source
    horizon: int
    preset: str
    folder: str | Path
    seed: int = 0
    callbacks: Sequence[Callable[[Any], Any]] = ()

    def run(self, notify: Notify = ignore) -> PresetDone:
        """Run the job. Raises LstmcastError, such as MissingExtraError without PyTorch."""
        from lstmcast.forecaster import LSTMForecaster
        from lstmcast.presets import fit_preset, preset_named
        from lstmcast.training_config import require_torch

        preset = preset_named(self.preset)
        store.check_place(self.folder)
        require_torch()
        panel = read_for(self.source, LSTMForecaster(self.horizon), notify, trains=True)

        def say(sentence: str) -> None:
            notify(Note(sentence))

        trained = fit_preset(
            panel,
            self.horizon,
            preset,
            seed=self.seed,
            callbacks=self.callbacks,
            progress=say,
        )
        trained.save(self.folder)
        return PresetDone(trained, panel, str(self.folder))


@dataclass(frozen=True, eq=False)
class PresetDone:
    """The chosen model, and where it was saved."""

    result: PresetResult
    panel: Panel
    folder: str

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast fit --preset NAME --json`."""
        return as_document(
            data=described(self.panel) | kind_of(self.panel),
            training=self.result.document(),
            skipped=skipped_series(self.panel),
            files=[self.folder],
        )
