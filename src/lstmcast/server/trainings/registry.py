"""All trainings of a server: a few run at a time, the others wait, each in its own process.

DIR/NAME/    the folder of a training
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lstmcast.errors import OutputError
from lstmcast.server import alone
from lstmcast.server.bodies import Asked, written
from lstmcast.server.problems import Problem
from lstmcast.server.settings import NAME, Settings
from lstmcast.server.trainings.folder import Folder
from lstmcast.server.trainings.plans import planned, required_name, stem_of
from lstmcast.server.trainings.processes import end, started
from lstmcast.server.trainings.training import (
    FAILED,
    INTERRUPTED,
    RUNNING,
    WAITING,
    Training,
    now,
    taken_over,
)
from lstmcast.util.files import output_errors

MOST = 100  # trainings that are stored
JOINING = 5.0  # seconds to wait until the outcome of a process is stored
NEW, REMOVED = ".new-", ".removed-"


class Trainings:
    """The trainings of a server.

    Raises OutputError if stored trainings cannot be restored.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.listeners = 0  # clients that follow a training
        self._known: dict[str, Training] = {}
        self._line: list[Training] = []
        self._lock, self._held = threading.RLock(), ExitStack()
        self._closing = False
        self._root = settings.trainings
        if self._root is not None:
            self._take_over(self._root)

    def __iter__(self) -> Iterator[Training]:
        with self._lock:
            trainings = list(self._known.values())
        return iter(
            sorted(
                trainings, key=lambda training: (training.job["created"], training.name)
            )
        )

    def __len__(self) -> int:
        return len(self._known)

    @property
    def running(self) -> int:
        """The number of running trainings."""
        return sum(training.state == RUNNING for training in self)

    def named(self, name: str) -> Training:
        """The training with this name. Raises Problem."""
        with self._lock:
            if name not in self._known:
                raise Problem(404, f"There is no training {name[:100]!r}.", "name")
            return self._known[name]

    def models(self) -> dict[str, Path]:
        """The folders of trained models by name."""
        return {
            training.name: training.folder.model
            for training in self
            if training.has_model
        }

    def number(self, training: Training) -> int | None:
        """The number of trainings before it; None if it is not waiting."""
        with self._lock:
            if training not in self._line:
                return None
            return self._line.index(training) + 1

    # ---- what clients ask for

    def start(self, request: Asked) -> Training:
        """Add a training, which starts once there is room. Raises Problem, LstmcastError."""
        require_training(self.settings)
        fields: Any = request.fields
        self._require_room()
        root = self._made_root()
        with output_errors(root):
            place = Path(tempfile.mkdtemp(prefix=NEW, dir=root))
        try:
            folder = Folder(place)
            with output_errors(place):
                files = written(request.files, folder.data)
            job = planned(fields, files, place, self.limits)
            return self._add(fields.name, stem_of(request), folder, job)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def stop(self, name: str) -> Training:
        """Stop a training after its epoch, or while it waits. Raises Problem, OutputError."""
        training = self.named(name)
        with self._lock:
            if training.has_ended:
                raise Problem(409, f"The training {name!r} has ended already.", "name")
            if training in self._line:
                self._line.remove(training)
                detail = "It was stopped before it began"
                training.set(state=INTERRUPTED, detail=detail, resumable=True)
            else:
                with output_errors(training.folder.path):
                    training.folder.stop.touch()
        return training

    def resume(self, name: str) -> Training:
        """Resume an interrupted training. Raises Problem, OutputError."""
        require_training(self.settings)
        training = self.named(name)
        with self._lock:
            if not training.has_ended or not training.job.get("resumable"):
                detail = (
                    f"The training {name!r} cannot continue: it is {training.state}."
                )
                raise Problem(409, detail, "name")
            training.set(state=WAITING, detail=None, resumable=False)
            self._line.append(training)
            self._begin_next()
        return training

    def remove(self, name: str) -> None:
        """Remove a training and its model, ending it if it runs. Raises Problem, OutputError."""
        training = self.named(name)
        with self._lock:
            training.removed = True
            if training in self._line:
                self._line.remove(training)
            self._known.pop(name, None)
            process = training.process
        if process is not None:
            end(process)
        _remove(training.folder.path)

    def close(self) -> None:
        """End all processes; their checkpoints are kept."""
        with self._lock:
            self._closing = True
            ending = [
                known_training
                for known_training in self._known.values()
                if known_training.process is not None
            ]
        for training in ending:
            process = training.process
            watch = training.watch
            if process is not None:
                end(process)
            if watch is not None:
                watch.join(JOINING)
        self._held.close()

    # ---- a new one

    def _require_room(self) -> None:
        if len(self) >= MOST:
            detail = f"{MOST} trainings are kept already. Remove one that is no longer needed."
            raise Problem(409, detail, "name")

    def _made_root(self) -> Path:
        """The folder of all trainings; a temporary one if none was given."""
        with self._lock:
            if self._root is None:
                temporary = tempfile.TemporaryDirectory(prefix="lstmcast-trainings-")
                self._root = Path(self._held.enter_context(temporary))
            return self._root

    def _add(
        self, requested: str | None, stem: str, staging: Folder, job: dict[str, Any]
    ) -> Training:
        """Give a training its folder and name: the requested one, or one that begins with a stem.
        Raises Problem if the name is taken."""
        root = self._made_root()
        with self._lock:
            name = self._free(stem) if requested is None else required_name(requested)
            if self._is_taken(name):
                raise Problem(
                    409, f"A model {name!r} already exists. Give another name.", "name"
                )
            self._require_room()
            folder = Folder(root / name)
            staging.write_job({**job, "name": name})
            with output_errors(folder.path):
                staging.path.rename(folder.path)
            training = Training(folder, {**job, "name": name})
            self._known[name] = training
            self._line.append(training)
            self._begin_next()
        return training

    def _free(self, stem: str) -> str:
        """A free name."""
        name = stem
        number = 1
        while self._is_taken(name):
            number += 1
            name = f"{stem}-{number}"
        return name

    def _is_taken(self, name: str) -> bool:
        is_known = name in self._known or name in self.settings.models
        return is_known or (self._made_root() / name).exists()

    # ---- processes

    def _begin_next(self) -> None:
        """Start waiting trainings while there is room."""
        with self._lock:
            while (
                self._line
                and not self._closing
                and self.running < self.limits.trainings
            ):
                self._begin(self._line.pop(0))

    def _begin(self, training: Training) -> None:
        try:
            training.folder.begin()
            training.set(state=RUNNING, began=now(), ended=None)
            training.process = started(training.folder)
        except (OSError, OutputError) as error:
            with contextlib.suppress(OutputError):
                training.set(state=FAILED, detail=str(error), resumable=True)
            return
        work = (training, training.process)
        training.watch = threading.Thread(target=self._watch, args=work, daemon=True)
        training.watch.start()

    def _watch(self, training: Training, process: subprocess.Popen[bytes]) -> None:
        """Wait until a process has ended, then start the next one."""
        status = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        with self._lock:
            if not training.removed:
                # a full disk cannot store the outcome: it is valid until the server ends
                with contextlib.suppress(OutputError):
                    outcome = None if self._closing else status
                    training.conclude(outcome)
            training.process = None
            self._begin_next()

    # ---- those of an earlier server

    def _take_over(self, root: Path) -> None:
        alone.take(root, self._held)
        try:
            for beginning in (NEW, REMOVED):  # left by a server that was killed
                for place in root.glob(f"{beginning}*"):
                    shutil.rmtree(place, ignore_errors=True)
            for place in sorted(root.iterdir()):
                self._know(Folder(place))
            self._begin_next()
        except BaseException:
            self._held.close()
            raise

    def _know(self, folder: Folder) -> None:
        """Restore a training from a folder, if it is one."""
        job = folder.job() if NAME.fullmatch(folder.path.name) else None
        if job is None:
            return
        training = Training(folder, {**job, "name": folder.path.name})
        taken_over(training)
        self._known[training.name] = training
        if training.state == WAITING and why_not(self.settings) is None:
            self._line.append(training)


def why_not(settings: Settings) -> str | None:
    """Why a server does not train; None if it does."""
    if settings.limits.trainings == 0:
        return "This server trains nothing: it was started with --max-trainings 0."
    if importlib.util.find_spec("torch") is None:
        return (
            "This server cannot train: PyTorch is not installed there. "
            "Install it with pip install 'lstmcast[train]'."
        )
    return None


def require_training(settings: Settings) -> None:
    """Raise Problem if a server does not train."""
    reason = why_not(settings)
    if reason is not None:
        raise Problem(404, reason)


def _remove(path: Path) -> None:
    """Remove a folder, atomically for the next server. Raises OutputError."""
    aside = path.with_name(f"{REMOVED}{path.name}")
    with output_errors(path):
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
