"""A small model that learns, for tests that send it to other processes: it says what its `fit`
saw in a file."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, MissingExtraError
from lstmcast.forecast import Forecast


@dataclass(frozen=True)
class Pull:
    """The last known value, pulled to the mean of all values that it was fitted on."""

    horizon: int = 4
    name: str = "pull"
    weight: float = 0.5
    log: str = ""  # a file: one line for each fit that ended
    # what happens in fit where the first series has as many values as `at`
    trouble: str = ""
    at: int = 0
    mean: float | None = None
    trained_ends: Mapping[str, object] | None = None

    @property
    def needs_fit(self) -> bool:
        return self.mean is None

    def fit(self, panel: Panel, **options: object) -> Pull:
        if self.trouble and len(panel.series(0)) == self.at:
            TROUBLES[self.trouble]()
        if self.log:
            seen = {
                "lengths": panel.lengths.tolist(),
                "threads": os.environ.get("OMP_NUM_THREADS"),
                "processors": os.cpu_count(),
                "pid": os.getpid(),
                "options": options,
            }
            with open(self.log, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(seen) + "\n")
        ends = dict(zip(panel.ids, panel.ends, strict=True))
        return replace(self, mean=float(np.nanmean(panel.values)), trained_ends=ends)

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        steps, origins = (
            checked_horizon(horizon, self.horizon),
            origins_of(panel, cutoffs),
        )
        last = panel.values[panel.offsets[origins.series] + origins.counts - 1]
        pulled = last + self.weight * (self.mean - last)
        point = np.repeat(pulled[:, None], steps, axis=1)
        return Forecast.at_origins(
            panel,
            origins,
            point,
            point[..., None] + np.array([-1.0, 0, 1]),
            (0.1, 0.5, 0.9),
        )


def fits(log: str | Path) -> list[int]:
    """How many values of the first series each fit saw, sorted: fits in several processes end in
    any order."""
    text = Path(log).read_text(encoding="utf-8") if Path(log).exists() else ""
    return sorted(json.loads(line)["lengths"][0] for line in text.splitlines())


def _refuse() -> None:
    raise DataError("series 'a' is too short")


def _fail() -> None:
    raise ZeroDivisionError("mean of nothing")


def _need_extra() -> None:
    raise MissingExtraError("Install lstmcast[train].")


def _exit() -> None:
    raise SystemExit(3)


def _stop_early() -> None:
    """As training does: Ctrl-C is the word to stop, and what was learned so far is taken."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        return


TROUBLES = {
    "data": _refuse,
    "error": _fail,
    "extra": _need_extra,
    "exit": _exit,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "slow": lambda: time.sleep(600),
    "interrupt": _stop_early,
}
