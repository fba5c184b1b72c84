"""Training state on disk, from which an interrupted run continues with identical results."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lstmcast import store
from lstmcast.errors import ModelError, OutputError
from lstmcast.growing import RECORD, Lineage, unusable
from lstmcast.util.config import adapter
from lstmcast.util.files import locked, output_errors

Groups = dict[str, dict[str, np.ndarray]]
# seconds between two checkpoints: time decides how often they are written, never what training
# gives
EVERY = 5.0

KIND = "checkpoint"


@contextlib.contextmanager
def claimed(folder: Path | None) -> Iterator[None]:
    """Lock a folder of checkpoints; OutputError if another training uses it."""
    if folder is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        with output_errors(folder):
            had = stack.enter_context(locked(folder / ".lock"))
        if not had:
            raise OutputError(
                f"Another training is running with checkpoints in {str(folder)!r}; both would "
                "overwrite each other's files.\nWait until it has ended, or name another folder "
                "with --model."
            )
        yield


def require_unclaimed(folder: Path) -> None:
    """Raise the OutputError of `claimed`, before long work begins; makes no folder."""
    if folder.is_dir():
        with claimed(folder):
            pass


def kept_in(folder: Path) -> bool:
    """Whether there are checkpoints in the folder, of whatever run, damaged or not."""
    return any(folder.glob("member-*"))


def discard(folder: Path) -> None:
    """Remove the checkpoints of a folder, unless another training has begun there since."""
    with contextlib.suppress(OutputError), claimed(folder):
        store.remove_stores(folder, KIND)


class Found(NamedTuple):
    """A checkpoint from which a run continues.

    `epochs`: how many its run was to be trained for; `paced_by`: the number of epochs that learning
    rate and rollout followed, which is more where a refit repeats a part of a training; `grown`:
    whether its data have grown since.
    """

    state: dict[str, Any]
    groups: Groups
    epochs: int
    paced_by: int
    grown: bool


class Keeper:
    """Writes the state of a run to a folder at intervals, and loads it.

    `about`: what the run is made with, as JSON values; a checkpoint of another run is refused, but
    for how long it is trained. `lineage`: which data it may be of, and a record of them that is
    written beside it. Without a folder nothing is kept.
    """

    def __init__(
        self,
        folder: Path | None,
        about: dict[str, Any],
        interval: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
        *,
        lineage: Lineage | None = None,
    ) -> None:
        self.folder = folder
        self.about = about
        self.every = interval
        self.clock = clock
        self.lineage = lineage
        self.written = -math.inf

    def due(self) -> bool:
        """Whether it is time to write: once an epoch is done, there is always something to continue
        from."""
        return self.folder is not None and self.clock() - self.written >= self.every

    def save(self, state: dict[str, Any], groups: Groups) -> None:
        """Write the state, all of it or nothing; OutputError where that cannot be."""
        if self.folder is not None:
            if self.lineage is not None and self.written == -math.inf:
                record = {"kind": KIND, **self.lineage.manifest}
                store.save(self.folder.parent / RECORD, record, self.lineage.arrays)
            store.save(
                self.folder, {"kind": KIND, "about": self.about, "state": state}, groups
            )
            self.written = self.clock()

    def load(self, again: bool = False) -> Found | None:
        """What was saved last, None where nothing was. ModelError where it is damaged, or of
        another run; None there, too, where the run may be done `again`."""
        if self.folder is None:
            return None
        try:
            manifest, groups = store.load(self.folder)
        except ModelError as error:
            if self.folder.exists():
                raise ModelError(unusable(self.folder, error)) from error
            return None
        about = manifest.get("about")
        about = about if isinstance(about, dict) else {}
        grown = self.lineage is not None and about.get("data") in self.lineage.earlier
        if grown:
            about = {**about, "data": self.about["data"]}
        if _lasting(about) != _lasting(self.about):
            if again:
                return None
            raise ModelError(
                _another_run(self.folder, _lasting(about), _lasting(self.about))
            )
        epochs = about["epochs"], about["training"]["epochs"]
        return Found(manifest["state"], groups, *epochs, grown)


def _lasting(about: dict[str, Any]) -> dict[str, Any]:
    """What stays as it is when a training is prolonged."""
    training = dict(about.get("training", {}))
    for name in ("epochs", "patience"):
        training.pop(name, None)
    settings = {name: value for name, value in about.items() if name != "epochs"}
    return {**settings, "training": training}


_OTHERS = {
    "data": "it was trained on other data",
    "start": "it started from other weights",
}


def _another_run(folder: Path, saved: dict[str, Any], expected: dict[str, Any]) -> str:
    """Names the first thing that differs."""
    name = next(
        name for name in expected | saved if saved.get(name) != expected.get(name)
    )
    saved_value = saved.get(name)
    expected_value = expected.get(name)
    if isinstance(saved_value, dict) and isinstance(expected_value, dict):
        key = next(
            key
            for key in expected_value | saved_value
            if saved_value.get(key) != expected_value.get(key)
        )
        name, saved_value, expected_value = (
            f"{name}.{key}",
            saved_value.get(key),
            expected_value.get(key),
        )
    difference = (
        f"its {name} is {saved_value}, not {expected_value}"
        if name not in ("data", "start")
        else _OTHERS[name]
    )
    return (
        f"The checkpoint in {str(folder)!r} belongs to another run: {difference}. Resume with the "
        "same data and settings, name another folder, or start again without resuming."
    )


def save_checkpoint(
    folder: Path,
    config: Any,
    network: Any,
    step: int,
    seconds: float,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> None:
    """Write everything that the next step depends on."""
    arrays = {
        "weights": _to_arrays(module.state_dict()),
        "average": _to_arrays(average),
        "optimiser": optimiser_arrays(optimiser),
    }
    manifest = {
        "kind": KIND,
        "step": step,
        "seconds": seconds,
        **_described(config, network),
    }
    store.save(folder, manifest, arrays)


def load_checkpoint(
    folder: Path,
    config: Any,
    network: Any,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> tuple[int, float]:
    """Take up the checkpoint in `folder`, if there is one: steps done, and the seconds that they
    took."""
    if not folder.exists():
        return 0, 0.0
    manifest, arrays = store.load(folder)
    for name, value in _described(config, network).items():
        if manifest.get(name) != value:
            raise ModelError(
                f"The checkpoint in {folder} was made with {name} {manifest.get(name)}, not "
                f"{value}. Resume with the same settings, or name another folder."
            )
    module.load_state_dict(_to_tensors(arrays["weights"]))
    for name, tensor in _to_tensors(arrays["average"]).items():
        average[name].copy_(tensor)
    load_optimiser(optimiser, arrays["optimiser"])
    return int(manifest["step"]), float(manifest["seconds"])


def optimiser_arrays(optimiser: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    """What an optimiser remembers of each weight, as named arrays."""
    arrays = {}
    for number, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            arrays[f"{number}.{name}"] = torch.as_tensor(value).cpu().numpy()
    return arrays


def load_optimiser(
    optimiser: torch.optim.Optimizer, arrays: dict[str, np.ndarray]
) -> None:
    """The inverse of `optimiser_arrays`."""
    moments = {
        number: _to_tensors(group) for number, group in by_number(arrays).items()
    }
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})


def by_number(arrays: dict[str, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    """Arrays by the number with which their names begin, and by the rest of their names.

    >>> by_number({"0.step": np.array(3)})
    {0: {'step': array(3)}}
    """
    groups: dict[int, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        number, _, name_there = name.partition(".")
        groups.setdefault(int(number), {})[name_there] = array
    return groups


def _described(config: Any, network: Any) -> dict[str, Any]:
    return {
        "pretraining": adapter(type(config)).dump_python(config, mode="json"),
        "network": adapter(type(network)).dump_python(network, mode="json"),
    }


def _to_arrays(state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def _to_tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
