"""What an input leads to, in a word: it is done, it is refused, or what the defect is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import lstmcast as lc
from lstmcast import store
from lstmcast.errors import LstmcastError, ModelError

from .mutations import changed_bytes, changed_model

# a manifest and its arrays
Saved = tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]
LONGEST = 20.0  # seconds for one input


class TooLongError(Exception):
    """An input that took longer than it should."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooLongError where the block takes longer."""

    def stop(number: int, frame: object) -> None:
        raise TooLongError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_changed(seed: int, sources: list[Path], folder: Path) -> str:
    """A changed file, checked: "read", "refused", or what went wrong."""
    source = sources[seed % len(sources)]
    path = folder / f"fuzz{source.suffix}"
    path.write_bytes(changed_bytes(source.read_bytes(), seed))
    try:
        with limited(LONGEST), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            lc.check(path)
    except LstmcastError as error:
        return "refused" if len(str(error)) > 20 else f"defect: no message: {error!r}"
    except Exception as error:
        return f"defect: {type(error).__name__}: {str(error)[:80]}"
    return "read"


def load_changed(seed: int, saved: Saved, folder: Path) -> str:
    """A changed model with right checksums: "forecast", "refused", or what went wrong."""
    place = folder / "model"
    try:
        store.save(place, *changed_model(*saved, seed), durable=False)
    except (TypeError, ValueError):  # what no manifest can hold
        return "no folder"
    try:
        with limited(LONGEST), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = lc.load(place)
            forecast = model.predict()
    except ModelError:
        return "refused"
    except Exception as error:
        return f"defect: {type(error).__name__}: {str(error)[:80]}"
    assert model.saved_context is not None  # it was saved
    panel = model.saved_context.panel
    known = np.array([np.isfinite(panel.series(i)).any() for i in range(len(panel))])
    numbers = np.isfinite(forecast.point[known]).all()
    return "forecast" if numbers else "defect: a forecast without numbers"


def killed(seed: int, command: list[str], folder: Path, whole: list[Path]) -> str:
    """A command that is killed at some moment: what it leaves is whole or not there, and the same
    command works afterwards and leaves nothing else behind."""
    rng = np.random.default_rng(seed)
    words = [sys.executable, "-m", "lstmcast", *command]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, cwd=folder, **quiet)
    time.sleep(float(rng.uniform(0.2, 3.0)))
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if subprocess.run(words, cwd=folder, check=False, **quiet).returncode:
        return "defect: the command does not work after a kill"
    missing = [path.name for path in whole if not (folder / path).exists()]
    left = [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]
    if missing or left:
        return f"defect: missing {missing}, left behind {left}"
    return "whole"
