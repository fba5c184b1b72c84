"""What a feed gives: tensors of segments that are read together.

B series · T steps · U steps with a loss · N positions with a loss · C inputs · H horizon · K
columns
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast.model.inputs.axis import LINEAR
from lstmcast.model.network import NetworkConfig
from lstmcast.windows import Segments


class Batch(NamedTuple):
    """Inputs, and the targets of the steps that have a loss.

    These are all steps from `begin` on, or the `positions` of the flattened (B·T) batch where they
    are given.
    """

    x_BTC: Tensor
    target: Tensor  # (B, U, H, K) or (N, H, K); NaN = unknown
    begin: int
    positions_N: Tensor | None = None
    weight_N: Tensor | None = None
    targets: int | None = None  # how many, where all are known
    scale_BK: Tensor | None = None  # label → input, where they are scaled apart
    shift_BK: Tensor | None = None
    # of the targets (N, H, K), for a head that is not affine; else they are in the network's units
    around: tuple[Tensor, Tensor] | None = None


class Group(NamedTuple):
    """Segments that can be read together."""

    segments: Segments
    axis: int = LINEAR  # on which adaptive inputs read
    period: int = 0  # by which they read, where it is not the usual one


def counted_steps(network: NetworkConfig, horizon: int | None) -> NDArray:
    """Which of the steps that the head answers have a loss (H,)."""
    return np.arange(1, network.steps + 1) <= (horizon or network.steps)


def on_device(values: NDArray, device: str) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device)
