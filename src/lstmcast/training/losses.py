"""Training losses.

N positions · H horizon · K columns · R raw numbers of the head · Q quantiles
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES, Head
from lstmcast.training_config import Loss

# raw numbers (…, R), targets (…) and their location and scale to the loss of each value (…)
Criterion = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
LIKELIHOODS = ("normal", "student_t")


class Sums(NamedTuple):
    """A loss in parts that can be added: the mean over all targets is `total / targets`."""

    total: Tensor
    targets: Tensor | int  # how many

    def mean(self) -> Tensor:
        """0 where no target was known."""
        if isinstance(self.targets, Tensor):
            return self.total / self.targets.clamp(min=1)
        return self.total / max(self.targets, 1)


def added(batch_sums: list[Sums]) -> Sums:
    """The sums over several batches."""
    total, targets = batch_sums[0]
    for summand in batch_sums[1:]:
        total = total + summand.total
        targets = targets + summand.targets
    return Sums(total, targets)


def criterion(
    config: Loss, head: Head, own_loss: Callable[[Tensor, Tensor], Tensor] | None = None
) -> Criterion:
    """The loss of each value: the head's, one of the config's by name, or the user's own of (point,
    target).

    UsageError where a loss of points is asked for and the head says more than a point.
    """
    if own_loss is None and config.name == "auto":
        return lambda outputs, target, location, scale: head.loss(
            outputs, target, location, scale, torch
        )
    if own_loss is None and head.spreads and head.outputs > 1:
        raise UsageError(
            f"loss={config.name!r} is a loss of points, which does not train the distribution of "
            f"the head {head.name!r}. Use loss='auto', or NetworkConfig(head='point')."
        )
    if own_loss is not None:
        return lambda outputs, target, location, scale: _own(
            own_loss, head.point(outputs, location, scale, torch), target
        )
    of_point = _named(config)
    return lambda outputs, target, location, scale: of_point(
        head.point(outputs, location, scale, torch), target
    )


def _own(
    loss: Callable[[Tensor, Tensor], Tensor], point: Tensor, target: Tensor
) -> Tensor:
    """The user's own loss of each value; UsageError where it gives something else."""
    losses = loss(point, target)
    if isinstance(losses, Tensor) and losses.shape == target.shape:
        return losses
    kind = f"a {type(losses).__name__}"
    if isinstance(losses, Tensor):
        kind = f"a tensor of shape {tuple(losses.shape)}"
    raise UsageError(
        f"Your own loss returns {kind}, but the loss of each value is expected, a tensor of shape "
        f"{tuple(target.shape)} like point and target. Do not take the mean; it is taken over the "
        "known targets."
    )


def _named(config: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    level = config.level
    delta = config.delta
    return {
        "mse": lambda point, target: (target - point) ** 2,
        "mae": lambda point, target: (target - point).abs(),
        "huber": lambda point, target: torch.nn.functional.huber_loss(
            point, target, reduction="none", delta=delta
        ),
        "pinball": lambda point, target: torch.maximum(
            level * (target - point), (level - 1) * (target - point)
        ),
    }[config.name]


def sums(
    value_loss: Criterion,
    outputs: Tensor,
    target: Tensor,
    weight_N: Tensor | None,
    targets: int | None,
    around: tuple[Tensor, Tensor] | None = None,
) -> Sums:
    """The loss over the known targets (NaN = unknown; all `targets` of them where it is given),
    times the weights.

    raw (N, …, R), target (N, …): one weight for each of the leading axis. `around`: location and
    scale of the targets; 0 and 1 where they are in the units that the network sees.
    """
    location, scale = around or standing(outputs)
    if targets is not None:
        return Sums(value_loss(outputs, target, location, scale).sum(), targets)
    is_known = ~torch.isnan(target)
    loss = value_loss(outputs, torch.where(is_known, target, 0.0), location, scale)
    if weight_N is not None:
        loss = loss * weight_N.view(-1, *[1] * (loss.ndim - 1))
    return Sums(torch.where(is_known, loss, 0.0).sum(), is_known.sum())


def standing(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Location and scale in the units that the network sees."""
    return outputs.new_zeros(()), outputs.new_ones(())


def weighted_pinball(
    quantiles_NHQ: Tensor, target_NH: Tensor, weight_N: Tensor
) -> Tensor:
    """Mean pinball loss over the known targets (NaN = unknown), each position times its weight.

    Koenker & Bassett, "Regression quantiles", Econometrica 46 (1978).
    """
    known_NH = ~torch.isnan(target_NH)
    target_NH = torch.where(known_NH, target_NH, 0.0)
    level_Q = torch.tensor(HEAD_QUANTILES, device=quantiles_NHQ.device)
    miss_NHQ = target_NH.unsqueeze(-1) - quantiles_NHQ
    pinball_NH = torch.maximum(level_Q * miss_NHQ, (level_Q - 1) * miss_NHQ).mean(-1)
    weight_NH = weight_N.unsqueeze(-1) * known_NH
    return 2 * (pinball_NH * weight_NH).sum() / known_NH.sum().clamp(min=1)
