"""What training minimises.

N positions · H horizon · Q quantiles
"""

from __future__ import annotations

import torch
from torch import Tensor

from lstmcast.model.heads import LEVELS


def weighted_pinball(quantiles_NHQ: Tensor, target_NH: Tensor, weight_N: Tensor) -> Tensor:
    """Mean pinball loss over the known targets (NaN = unknown), each position times its weight.

    Koenker & Bassett, "Regression quantiles", Econometrica 46 (1978).
    """
    known_NH = ~torch.isnan(target_NH)
    target_NH = torch.where(known_NH, target_NH, 0.0)
    level_Q = torch.tensor(LEVELS, device=quantiles_NHQ.device)
    miss_NHQ = target_NH.unsqueeze(-1) - quantiles_NHQ
    pinball_NH = torch.maximum(level_Q * miss_NHQ, (level_Q - 1) * miss_NHQ).mean(-1)
    weight_NH = weight_N.unsqueeze(-1) * known_NH
    return 2 * (pinball_NH * weight_NH).sum() / known_NH.sum().clamp(min=1)
