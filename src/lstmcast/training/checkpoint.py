"""Training state on disk, so that an interrupted run can go on and end with the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from lstmcast import store
from lstmcast.errors import ModelError


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
        "optimiser": {
            f"{index}.{name}": np.asarray(torch.as_tensor(value).cpu().numpy())
            for index, values in optimiser.state_dict()["state"].items()
            for name, value in values.items()
        },
    }
    manifest = {"kind": "checkpoint", "step": step, "seconds": seconds, **_described(config, network)}
    store.save(folder, manifest, arrays)


def load_checkpoint(
    folder: Path,
    config: Any,
    network: Any,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> tuple[int, float]:
    """Take up the checkpoint in `folder`, if there is one: steps done, and the seconds that they took."""
    if not folder.exists():
        return 0, 0.0
    manifest, arrays = store.load(folder)
    for name, value in _described(config, network).items():
        if manifest.get(name) != value:
            raise ModelError(
                f"The checkpoint in {folder} was made with {name} {manifest.get(name)}, not {value}. "
                "Go on with the same settings, or name another folder."
            )
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays["weights"].items()})
    for name, array in arrays["average"].items():
        average[name].copy_(torch.from_numpy(array.copy()))
    state: dict[int, dict[str, Tensor]] = {}
    for name, array in arrays["optimiser"].items():
        index, part = name.split(".", 1)
        state.setdefault(int(index), {})[part] = torch.from_numpy(array.copy())
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(manifest["step"]), float(manifest["seconds"])


def _described(config: Any, network: Any) -> dict[str, Any]:
    return {
        "pretraining": TypeAdapter(type(config)).dump_python(config, mode="json"),
        "network": TypeAdapter(type(network)).dump_python(network, mode="json"),
    }


def _to_arrays(state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}
