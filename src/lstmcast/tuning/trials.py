"""Trials, and their file: one JSON line for each finished trial, after a line that describes the
search.

An interrupted trial is not in the file. It is run again with the same settings, as these depend
only on the seed and on earlier trials.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lstmcast.errors import ModelError
from lstmcast.util.files import output_errors

FORMAT = 1
FILE = "trials.jsonl"
DONE, STOPPED, FAILED = "done", "stopped", "failed"


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, and the result.

    `error`: the error at the held-out cutoffs, NaN unless the trial is done. `losses`: validation
    losses by the places in training at which it could be stopped. `note`: why it failed.
    """

    number: int
    settings: Mapping[str, Any]
    state: Literal["done", "stopped", "failed"]
    error: float = math.nan
    losses: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class TrialFile:
    """The file of trials; without a path, nothing is written. `about`: describes the search."""

    path: Path | None
    about: Mapping[str, Any]

    def read(self) -> list[Trial]:
        """The trials so far; an incomplete last line is removed from the file.

        Raises:
            ModelError: They are trials of another search.
        """
        if self.path is None or not self.path.exists():
            return []
        text = self.path.read_bytes()
        length = text.rfind(b"\n") + 1
        if length < len(text):
            os.truncate(self.path, length)
        if not length:
            return []
        about, *trials = self._parsed(text[:length])
        self._require_same(about)
        return [_trial_in(line) for line in trials]

    def keep(self, trial: Trial) -> None:
        """Append a trial. Raises OutputError."""
        if self.path is None:
            return
        text = _line(_as_json(trial))
        with output_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                if file.tell() == 0:
                    text = _line(self.about) + text
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def _parsed(self, text: bytes) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in text.splitlines()]
        except ValueError as error:
            raise ModelError(
                f"{self.path} is damaged: {error}. Remove the file to start the search again, or "
                "name another "
                "folder."
            ) from error

    def _require_same(self, about: Mapping[str, Any]) -> None:
        differing = []
        for name, value in self.about.items():
            if about.get(name) != value:
                differing.append(name)
        if differing:
            raise ModelError(
                f"{self.path} holds trials of another search: {', '.join(differing)} differ. Name "
                "another folder, or remove the file to start the search again."
            )


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values)) + "\n"


def _as_json(trial: Trial) -> dict[str, Any]:
    line = asdict(trial)
    line["error"] = trial.error if math.isfinite(trial.error) else None
    return line


def _trial_in(line: Mapping[str, Any]) -> Trial:
    error = math.nan if line["error"] is None else line["error"]
    losses = {int(place): loss for place, loss in line["losses"].items()}
    return Trial(**{**line, "error": error, "losses": losses})


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the smallest error; None if none is done."""
    done_trials = [trial for trial in trials if trial.state == DONE]
    return min(done_trials, key=lambda trial: trial.error) if done_trials else None
