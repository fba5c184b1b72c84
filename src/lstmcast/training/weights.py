"""The weights of a module in training, in as few tensors as possible, and their averages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lstmcast.training_config import SWA, Ema

Values = list[Tensor]
ALIGNED = 16  # numbers: each weight begins at a multiple of 64 bytes


def trained_weights(module: nn.Module) -> list[nn.Parameter]:
    """The tensors that the optimiser updates.

    On the CPU it is one long tensor; all parameters of the module are views of it.

    For small networks calling an operation costs more than computing it: one tensor instead of
    fourteen makes an update of a 5-4-3 network four times faster. (cuDNN wants each layer's weights
    in a buffer of their own.)
    """
    trained = [
        parameter for parameter in module.parameters() if parameter.requires_grad
    ]
    if any(parameter.device.type != "cpu" for parameter in trained):
        return trained
    places = []
    size = 0
    for parameter in trained:
        places.append(size)
        blocks = -(-parameter.numel() // ALIGNED)
        size += blocks * ALIGNED
    flat = nn.Parameter(torch.zeros(size))
    flat.grad = torch.zeros(size)
    for parameter, place in zip(trained, places, strict=True):
        span = slice(place, place + parameter.numel())
        flat.data[span] = parameter.data.reshape(-1)
        parameter.data = flat.data[span].view(parameter.shape)
        parameter.grad = flat.grad[span].view(parameter.shape)
    return [flat]


def zero_gradients(weights: list[nn.Parameter]) -> None:
    """Before each update, in place: the gradients of a module's parameters are views of these."""
    for weight in weights:
        if weight.grad is not None:
            weight.grad.zero_()


@torch.no_grad()
def copied(weights: list[nn.Parameter] | Values) -> Values:
    """The numbers as they are now."""
    return [tensor.detach().clone() for tensor in weights]


@torch.no_grad()
def put(weights: list[nn.Parameter], values: Values) -> None:
    """Set the weights."""
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)


class NoAverage:
    """No average: the weights as they are."""

    def __init__(self) -> None:
        self.taken: list[Values] = []

    def after_update(self, weights: list[nn.Parameter], step: int) -> None:
        """Nothing to remember."""

    def after_epoch(self, weights: list[nn.Parameter]) -> None:
        """Nothing to remember."""

    def values(self) -> Values | None:
        """None: the weights themselves."""
        return None


class EmaAverage:
    """Exponential moving average over updates; it forgets faster while it is young.

    Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control
    Optim. 30 (1992).
    """

    def __init__(self, decay: float, weights: list[nn.Parameter]) -> None:
        self.decay = decay
        self.taken = [copied(weights)]

    @torch.no_grad()
    def after_update(self, weights: list[nn.Parameter], step: int) -> None:
        """One more update; `step` counts them from 1."""
        for average, weight in zip(self.taken[0], weights, strict=True):
            decay = min(self.decay, step / (step + 9))
            average.lerp_(weight, 1 - decay)

    def after_epoch(self, weights: list[nn.Parameter]) -> None:
        """Nothing to remember."""

    def values(self) -> Values | None:
        """The average."""
        return self.taken[0]


class SnapshotAverage:
    """Mean of the weights at the ends of the newest epochs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken: list[Values] = []

    def after_update(self, weights: list[nn.Parameter], step: int) -> None:
        """Nothing to remember."""

    def after_epoch(self, weights: list[nn.Parameter]) -> None:
        """Take a snapshot, and forget the oldest one beyond `count`."""
        self.taken = [*self.taken, copied(weights)]
        self.taken = self.taken[-self.count :]

    def values(self) -> Values | None:
        """The mean; None before the first epoch has ended."""
        if not self.taken:
            return None
        return [
            torch.stack(tensors).mean(0) for tensors in zip(*self.taken, strict=True)
        ]


Average = NoAverage | EmaAverage | SnapshotAverage


def average_of(config: Ema | SWA | None, weights: list[nn.Parameter]) -> Average:
    """The average that a config selects."""
    if isinstance(config, Ema):
        return EmaAverage(config.decay, weights)
    return SnapshotAverage(config.count) if isinstance(config, SWA) else NoAverage()


@contextmanager
def averaged(weights: list[nn.Parameter], average: Average) -> Iterator[None]:
    """A context in which the weights are the average, so that validation uses the final weights."""
    values = average.values()
    if values is None:
        yield
        return
    moving = copied(weights)
    put(weights, values)
    try:
        yield
    finally:
        put(weights, moving)
