"""The process of a training: `python -m lstmcast.server.trainings.process FOLDER`.

It ends when its standard input is closed, so no training outlives the server that started it,
however the server ended.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.errors import LstmcastError
from lstmcast.jobs import FitJob, Note, PresetJob
from lstmcast.server.trainings.asked import TrainHistory, TrainOptions, TrainTable
from lstmcast.server.trainings.folder import Folder

if TYPE_CHECKING:
    from lstmcast.jobs import Source
    from lstmcast.jobs.events import Event

ALONE = 3  # exit status of a process whose server is gone
STANDARD_INPUT = 0
NICENESS = 5  # requests have priority over trainings
HISTORY, TABLE = "history", "table"
ASKED: dict[str, type[Any]] = {HISTORY: TrainHistory, TABLE: TrainTable}


class Follower:
    """A callback that writes a line for each epoch, and stops on request or when time is up.

    Args:
        folder: Folder for the lines.
        seconds: Time that the training may take.
        shared: Whether networks that are trained one after the other share this time.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        folder: Folder,
        seconds: float,
        shared: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.seconds = seconds
        self.shared = shared
        self.clock = clock
        self.began = clock()
        self.run = 0
        self.newest = (0, 0)
        self.stopped = False

    def __call__(self, report: Any) -> bool:
        """Write a line, and return whether to stop."""
        place = (report.member, report.epoch)
        if place <= self.newest:
            self.run += 1  # a preset trains several networks, one after the other
        self.newest = place
        remaining = self._left(report)
        line = {
            "run": self.run,
            "member": report.member,
            "members": report.members,
            "epoch": report.epoch,
            "epochs": report.epochs,
            "train": _number(report.train_loss),
            "validation": _number(report.validation_loss),
            "best_epoch": report.best_epoch,
            "left": None if remaining is None else round(remaining, 1),
        }
        self.folder.append(line)
        self.stopped = self.stopped or self.folder.stop.exists()
        return self.stopped or self.clock() - self.began >= self._share(report)

    def _share(self, report: Any) -> float:
        """The time in seconds until which this network may be trained."""
        share = (report.member + 1) / report.members if self.shared else 1.0
        return self.seconds * share

    def _left(self, report: Any) -> float | None:
        """Seconds until the last epoch; None if an unknown number of networks may follow."""
        if not self.shared:
            return None
        members_left = report.members - report.member - 1
        epochs = report.epochs - report.epoch + members_left * report.epochs
        seconds_each = report.seconds / max(report.epoch, 1)
        allowed = self.seconds - (self.clock() - self.began)
        return max(0.0, min(seconds_each * epochs, allowed))


def train(folder: Folder) -> dict[str, Any]:
    """Run the requested training, and return its outcome. Raises LstmcastError."""
    job = folder.job()
    assert job is not None  # the server wrote it
    fields: Any = ASKED[job["kind"]].model_validate(job["fields"])
    # paths relative to the folder, the working directory: messages must not reveal where it is
    source = fields.source(job["files"]) if job["kind"] == TABLE else fields.source()
    follower = Follower(folder, 60 * job["minutes"], fields.preset is None)
    outcome = _fitted(fields, source, job["horizon"], folder, follower)
    return {"state": "stopped" if follower.stopped else "done", **outcome}


def _fitted(
    fields: TrainOptions,
    source: Source,
    horizon: int,
    folder: Folder,
    follower: Follower,
) -> dict[str, Any]:
    if fields.preset is not None:
        return _chosen(fields, source, horizon, folder, follower)
    resume = folder.has_checkpoint
    job = FitJob(
        fields.forecaster(horizon),
        source,
        folder.model,
        resume=resume,
        callbacks=[follower],
    )
    document = job.run().document()
    return {"accuracy": document["accuracy"], "notes": document["notes"]}


def _chosen(
    fields: TrainOptions,
    source: Source,
    horizon: int,
    folder: Folder,
    follower: Follower,
) -> dict[str, Any]:
    """The model that a preset chooses, and the reason."""

    def notify(event: Event) -> None:
        if isinstance(event, Note):
            folder.append({"note": event.text})

    assert fields.preset is not None  # checked by the caller
    job = PresetJob(
        source, horizon, fields.preset, folder.model, fields.seed, [follower]
    )
    trained = job.run(notify)
    return {"preset": trained.result.document(), "notes": []}


def _number(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None


def _end_with_the_server() -> None:
    """End when standard input is closed; checkpoints, written atomically, remain."""
    # not with sys.stdin, whose lock would be held at exit
    while os.read(STANDARD_INPUT, 1):
        pass
    os._exit(ALONE)


def main(path: str) -> int:
    """Train in a folder, and write there how it ended."""
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.chdir(path)
    folder = Folder(Path())
    try:
        outcome = train(folder)
    except LstmcastError as error:
        outcome = {"state": "failed", "detail": error.message}
    except MemoryError:
        outcome = {
            "state": "failed",
            "detail": "There is not enough memory to train on these data",
        }
    except Exception as error:
        traceback.print_exc()
        detail = f"{type(error).__name__}: {error}. Please report it."
        outcome = {"state": "failed", "detail": detail}
    folder.write_outcome(outcome)
    return int(outcome["state"] == "failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
