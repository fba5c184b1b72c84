"""The network of `lstmcast.model.network` as a PyTorch module, for training.

B series · T steps · C channels · N positions · H horizon · Q quantiles
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstmcast.model.heads import LEVELS, MEDIAN, quantiles_from_raw
from lstmcast.model.network import NetworkConfig


class NetworkModule(nn.Module):
    """The same computation as `Network`, from inputs to quantiles in units of the scale."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.inputs.channels, config.units)
        self.lstm = nn.ModuleList(nn.LSTM(config.units, config.units, batch_first=True) for _ in range(config.layers))
        self.head = nn.Linear(config.units, config.horizon * len(LEVELS))
        self.skip = nn.Linear(config.inputs.channels, config.horizon, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        """Small outputs, quantiles that spread like a random walk's, forget gates open (Jozefowicz et al. 2015)."""
        D, H = self.config.units, self.config.horizon
        with torch.no_grad():
            for layer in self.lstm:
                layer.get_parameter("bias_ih_l0")[D : 2 * D] += 1.0
                second = layer.get_parameter("bias_hh_l0")  # one bias is enough: only the first is trained
                second.zero_()
                second.requires_grad_(False)
            self.head.weight.mul_(0.3)
            self.skip.weight.mul_(0.1)
            growth = 0.6 * torch.sqrt(torch.arange(1, H + 1)).unsqueeze(1).expand(H, len(LEVELS)).clone()
            growth = torch.log(torch.expm1(growth))  # softplus of this is `growth`
            growth[:, MEDIAN] = 0.0
            self.head.bias.copy_(growth.reshape(-1))

    def forward(self, x_BTC: Tensor, positions_N: Tensor) -> Tensor:
        """Quantiles (N, H, Q) at the given positions of the flattened (B·T) batch."""
        hidden_BTD = self.embed(x_BTC)
        for layer in self.lstm:
            hidden_BTD = hidden_BTD + layer(hidden_BTD)[0]
        raw_NHQ = self.head(hidden_BTD.flatten(0, 1)[positions_N]).unflatten(-1, (self.config.horizon, len(LEVELS)))
        to_median_Q = torch.zeros(len(LEVELS), device=raw_NHQ.device)
        to_median_Q[MEDIAN] = 1.0
        skip_NH = self.skip(x_BTC.flatten(0, 1)[positions_N])
        return quantiles_from_raw(raw_NHQ + skip_NH.unsqueeze(-1) * to_median_Q, torch)


def arrays_from_state(state: dict[str, Tensor], config: NetworkConfig) -> dict[str, NDArray]:
    """Named arrays of a `Network` from a module's state."""
    named = {name: state[name] for name in ("embed.weight", "embed.bias", "head.weight", "head.bias", "skip.weight")}
    for k in range(config.layers):
        named[f"lstm.{k}.weight_ih"] = state[f"lstm.{k}.weight_ih_l0"]
        named[f"lstm.{k}.weight_hh"] = state[f"lstm.{k}.weight_hh_l0"]
        named[f"lstm.{k}.bias"] = state[f"lstm.{k}.bias_ih_l0"] + state[f"lstm.{k}.bias_hh_l0"]
    return {name: np.array(tensor.detach().cpu().numpy(), np.float32) for name, tensor in named.items()}


def module_from_arrays(arrays: dict[str, NDArray], config: NetworkConfig) -> NetworkModule:
    """A module that computes what a member with these arrays computes, ready to be trained further."""
    module = NetworkModule(config)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    with torch.no_grad():
        for name in ("embed.weight", "embed.bias", "head.weight", "head.bias", "skip.weight"):
            module.get_parameter(name).copy_(tensors[name])
        for k in range(config.layers):
            for part, ours in (("weight_ih_l0", "weight_ih"), ("weight_hh_l0", "weight_hh"), ("bias_ih_l0", "bias")):
                module.get_parameter(f"lstm.{k}.{part}").copy_(tensors[f"lstm.{k}.{ours}"])
    return module
