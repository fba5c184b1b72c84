"""The result of a search for settings, as text, frame and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.forecaster import LSTMForecaster
from lstmcast.tuning.effects import SettingEffect, table_of
from lstmcast.tuning.settings import FILE as SETTINGS
from lstmcast.tuning.settings import write_settings
from lstmcast.tuning.space import in_words
from lstmcast.tuning.trials import DONE, FAILED, STOPPED, Trial
from lstmcast.util.files import checked_path
from lstmcast.util.language import Words, words_of
from lstmcast.util.lines import aligned
from lstmcast.util.text import number, percent
from lstmcast.writing.tables import frame_of

MODEL = "model"  # subfolder for the best model, in the folder of the search
TUNED_NAME, SHIPPED_NAME = "tuned", "shipped network"


@dataclass(frozen=True, eq=False)
class Tuned:
    """The result of a search.

    `model`: the model with the best settings, trained on all data · `best`: the best trial ·
    `trials`: all trials, oldest first · `measure`: error measure, MASE, or MAE for one series ·
    `shipped_error`: error of the shipped network on the validation data · `test`: errors on the
    test data by name, empty if the history is too short · `effects`: importance of settings, empty
    after too few trials.
    """

    model: LSTMForecaster
    best: Trial
    trials: tuple[Trial, ...]
    measure: str
    shipped_error: float
    test: Mapping[str, float]
    effects: tuple[SettingEffect, ...]
    panel: Panel = field(repr=False)

    def columns_dict(self) -> dict[str, Any]:
        """The trials as a dict of columns, with None for settings that a trial does not have."""
        names: dict[str, None] = {}
        for trial in self.trials:
            names |= dict.fromkeys(trial.settings)
        columns = {
            "trial": np.array([trial.number for trial in self.trials]),
            "state": np.array([trial.state for trial in self.trials], object),
            "error": np.array([trial.error for trial in self.trials]),
            "seconds": np.array([trial.seconds for trial in self.trials]),
        }
        for name in names:
            columns[name] = self._values(name)
        return columns

    def _values(self, name: str) -> np.ndarray:
        values = np.empty(len(self.trials), object)
        for row, trial in enumerate(self.trials):
            values[row] = trial.settings.get(name)
        return values

    def frame(self, kind: str | None = None) -> Any:
        """The trials as "arrays" (a dict) or as a "pandas", "polars" or "pyarrow" frame."""
        return frame_of(self.columns_dict(), kind)

    def document(self) -> dict[str, Any]:
        """The result as JSON values."""
        counts = {state: self._count(state) for state in (DONE, STOPPED, FAILED)}
        winner = {"trial": self.best.number, "error": self.best.error}
        return {
            "trials": counts,
            "measure": self.measure,
            "best": winner | dict(self.best.settings),
            "shipped": self.shipped_error,
            "test": dict(self.test),
            "effects": [vars(effect) for effect in self.effects],
        }

    def save(self, folder: str | Path) -> None:
        """Save the model in the subfolder `model`, and its settings in `settings.toml`.

        `lstmcast fit --settings` trains the same model from these settings.
        """
        place = checked_path(folder)
        self.model.save(place / MODEL, about={"tuned": self.document()})
        error = f"{self.measure} {number(self.best.error)} where trials were compared"
        heading = f"lstmcast tune: trial {self.best.number + 1} of {len(self.trials)}, {error}"
        write_settings(self.model, place / SETTINGS, heading)

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = "en") -> str:
        """The result in sentences and tables."""
        words = words_of(language)
        paragraphs = [
            self._counted(),
            self._compared(),
            self._mattered(words),
            self._tested(words),
        ]
        return "\n\n".join(words(paragraph) for paragraph in paragraphs)

    def _counted(self) -> str:
        done_count = self._count(DONE)
        stopped = self._count(STOPPED)
        failed = self._count(FAILED)
        counts = f"{done_count} done, {stopped} stopped early, {failed} failed"
        return f"{len(self.trials)} trials: {counts}."

    def _count(self, state: str) -> int:
        """The number of trials in this state."""
        return sum(trial.state == state for trial in self.trials)

    def _compared(self) -> str:
        better = self.best.error < self.shipped_error
        than = "better than" if better else "no better than"
        return (
            f"Best: trial {self.best.number + 1}: {in_words(self.best.settings)}.\n"
            f"Its {self.measure} is {number(self.best.error)}, {than} that of the shipped network "
            f"without training, {number(self.shipped_error)}."
        )

    def _mattered(self, words: Words) -> str:
        if self.effects:
            return table_of(self.effects, self.measure, words)
        done_count = self._count(DONE)
        return f"{done_count} trials are done, too few to measure the importance of settings."

    def _tested(self, words: Words) -> str:
        if not self.test:
            return (
                "The history is too short for test data, "
                "so the error of the best trial is too low."
            )
        title = words("on the test part")
        rows = [[words(name), number(error)] for name, error in self.test.items()]
        table = aligned([title, self.measure], rows, left_aligned=[title])
        gain = 1 - self.test[TUNED_NAME] / self.test[SHIPPED_NAME]
        verdict = "On the test data, the shipped network is no worse: prefer it."
        if gain > 0:
            verdict = (
                f"On the test data, the error is {percent(gain)} smaller than that of the shipped "
                "network."
            )
        return f"{table}\n\n{words(verdict)}"
