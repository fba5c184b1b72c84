"""Optimisers of PyTorch, and the learning rate over time."""

from __future__ import annotations

import inspect
import math
from functools import cache
from typing import Any

import torch
from torch import nn

from lstmcast.training_config import Optimiser, Schedule

WRAPPED = ("add_param_group", "state_dict", "load_state_dict")  # besides `step`


def make_optimiser(
    config: Optimiser, weights: list[nn.Parameter]
) -> torch.optim.Optimizer:
    """The optimiser by its name."""
    shared: dict[str, Any] = {
        "lr": config.learning_rate,
        "weight_decay": config.weight_decay,
    }
    if config.name == "rmsprop":
        return _uncompiled(torch.optim.RMSprop)(
            weights,
            alpha=config.decay,
            eps=config.epsilon,
            momentum=config.momentum,
            **shared,
        )
    if config.name == "sgd":
        return _uncompiled(torch.optim.SGD)(weights, momentum=config.momentum, **shared)
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    return _uncompiled(kind)(
        weights, betas=config.betas, eps=config.epsilon, fused=True, **shared
    )


@cache
def _uncompiled(kind: type[torch.optim.Optimizer]) -> Any:
    """An optimiser class without the wrappers for `torch.compile`.

    These import the compiler when the first optimiser is made, which takes as long as importing
    PyTorch, and nothing here is compiled.
    """
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**plain, "step": step})


def rate(schedule: Schedule, share_done: float, epochs_done: int, drops: int) -> float:
    """The learning rate as a share of the optimiser's.

    `share_done`: share of all updates that lie behind; `epochs_done`: whole epochs; `drops`: how
    often the validation loss has stayed on a plateau.

    >>> rate(Schedule("warmup_cosine", warmup=0.2), share_done=0.1, epochs_done=1, drops=0)
    0.5
    >>> rate(Schedule("step", factor=0.5, every=10), share_done=0.5, epochs_done=25, drops=0)
    0.25
    """
    if schedule.kind == "cosine":
        return _half_cosine(share_done)
    if schedule.kind == "warmup_cosine":
        if share_done < schedule.warmup:
            return max(share_done / schedule.warmup, 0.01)
        return _half_cosine((share_done - schedule.warmup) / (1 - schedule.warmup))
    if schedule.kind == "step":
        return schedule.factor ** (epochs_done // schedule.every)
    return schedule.factor**drops  # 1 but on a plateau


def _half_cosine(share_done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share_done))


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """Use this learning rate from the next update on."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
