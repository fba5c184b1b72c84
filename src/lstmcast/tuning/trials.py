"""Trials, and the file that keeps them: one JSON line for each that came to its end, after a line
that says what they are trials of.

A trial that was cut off is not in the file. It is made again, with the same settings, as these
depend on the seed and on the trials before it alone.
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
    """Settings that were tried, and what came of them.

    `error`: at the held-out cutoffs, NaN unless done. `losses`: validation losses by the place in
    training at which it could be stopped early. `note`: why it failed.
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
    """Where trials are kept; nowhere without a path. `about`: what they are trials of."""

    path: Path | None
    about: Mapping[str, Any]

    def read(self) -> list[Trial]:
        """The trials so far; what was written half of the last one is taken out of the file.

        Raises:
            ModelError: They are trials of something else.
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
        """Write a trial. Raises OutputError."""
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
                f"{self.path} is damaged: {error}. Remove the file to search anew, or name another "
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
                "another folder, or remove the file to search anew."
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
    """The trial with the least error; None where none is done."""
    done_trials = [trial for trial in trials if trial.state == DONE]
    return min(done_trials, key=lambda trial: trial.error) if done_trials else None
