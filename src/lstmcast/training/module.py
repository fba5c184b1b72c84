"""The network of `lstmcast.model.network` as a PyTorch module, for training.

B series · T steps · C inputs · D units · N positions · H horizon · K channels · R raw numbers of
the head
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstmcast.model.heads import Head, head_named
from lstmcast.model.network import NetworkConfig
from lstmcast.training.cell import (
    ACTIVATIONS,
    CellState,
    LayerState,
    Weights,
    run_layer,
    step_layer,
    weights_of,
)
from lstmcast.training.initialisers import initialise
from lstmcast.training_config import Initialiser

State = list[LayerState]  # h and c of each layer
Arrays = dict[str, NDArray]  # by name


class NetworkModule(nn.Module):
    """The same computation as `Network`, from inputs to the head's raw numbers.

    `head`: the user's own, if the config names one; `initialiser`: how fresh weights are drawn (see
    `initialisers`).
    """

    def __init__(
        self,
        config: NetworkConfig,
        head: Head | None = None,
        initialiser: str | Initialiser = "default",
    ) -> None:
        super().__init__()
        self.config = config
        self.answers = head_named(config.head, head)
        outputs = config.steps * config.inputs.columns * self.answers.outputs
        # weights are drawn when a layer is made: in this order
        self.static = nn.ModuleDict()
        for place, column in enumerate(config.static):
            if column.units:
                self.static[str(place)] = nn.Embedding(len(column.levels), column.units)
        self.embed = _dense(config.read_width, config.before or ())
        width = config.before[-1] if config.before else config.read_width
        self.lstm = nn.ModuleList()
        for units in config.layers:
            self.lstm.append(nn.LSTM(width, units, batch_first=True))
            width = units
        self.dense = _dense(width, config.after)
        if config.after:
            width = config.after[-1]
        self.head = nn.Linear(width, outputs)
        self.skip = None
        if config.inputs.skips:
            self.skip = nn.Linear(config.own_width, config.steps, bias=False)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout)
        for layer in self.lstm:  # one bias is enough: only the first is trained
            layer.get_parameter("bias_hh_l0").requires_grad_(False)
        initialise(self, initialiser)

    def hidden(self, x_BTC: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """What the stack gives at every step (B, T, D), and the state after the last."""
        x_BTC = self._embedded(x_BTC)
        for layer in self.embed:
            x_BTC = self.activation(layer(x_BTC))
        new_state: State = []
        for number, layer in enumerate(self.lstm):
            read_BTC = self._dropped(x_BTC) if number else x_BTC
            layer_state = None if state is None else state[number]
            out_BTD, new_layer_state = run_layer(
                layer, self.config.cell, read_BTC, layer_state
            )
            x_BTC = self._residual(x_BTC, out_BTD)
            new_state.append(new_layer_state)
        return x_BTC, new_state

    def cells(self) -> list[Weights]:
        """The weights of the layers, for `step`."""
        return [weights_of(layer) for layer in self.lstm]

    def step(
        self, x_BC: Tensor, cells: list[Weights], state: list[CellState]
    ) -> tuple[Tensor, list[CellState]]:
        """What the stack gives at one more step (B, D), and the state after it."""
        x_BC = self._embedded(x_BC)
        for layer in self.embed:
            x_BC = self.activation(layer(x_BC))
        new_state: list[CellState] = []
        for number, weights in enumerate(cells):
            read_BC = self._dropped(x_BC) if number else x_BC
            layer_state = step_layer(weights, self.config.cell, read_BC, state[number])
            x_BC = self._residual(x_BC, layer_state[0])
            new_state.append(layer_state)
        return x_BC, new_state

    def _residual(self, read: Tensor, out: Tensor) -> Tensor:
        """What a layer gives, added to what it read where the config says so and both are alike."""
        if self.config.residual and read.shape[-1] == out.shape[-1]:
            return read + out
        return out

    def raw(self, hidden_ND: Tensor, x_NC: Tensor) -> Tensor:
        """Raw numbers (N, H, K, R) of the head; N may be several axes."""
        hidden_ND = self._dropped(hidden_ND)
        for layer in self.dense:
            hidden_ND = self.activation(layer(hidden_ND))
        shape = (self.config.steps, self.config.inputs.columns, self.answers.outputs)
        raw_NHKR = self.head(hidden_ND).unflatten(-1, shape)
        if self.skip is None:
            return raw_NHKR
        at_center_R = torch.zeros(self.answers.outputs, device=raw_NHKR.device)
        at_center_R[self.answers.center] = 1.0
        skipped_NH = self.skip(x_NC[..., : self.config.own_width])
        return raw_NHKR + skipped_NH[..., None, None] * at_center_R

    def _embedded(self, inputs: Tensor) -> Tensor:
        """Inputs with the codes of static columns looked up, as `model.static.embedded` does."""
        if not self.config.static:
            return inputs
        own_width = self.config.own_width
        columns = [inputs[..., :own_width]]
        for place, column in enumerate(self.config.static):
            codes = inputs[..., own_width + place]
            if not column.units:
                columns.append(codes[..., None])
                continue
            table = self.static[str(place)]
            assert isinstance(table, nn.Embedding)
            levels = codes.long()
            is_unknown = (levels < 0)[..., None]
            known_levels = table(levels.clamp(min=0))
            columns.append(torch.where(is_unknown, table.weight.mean(0), known_levels))
        return torch.cat(columns, -1)

    def _dropped(self, inputs: Tensor) -> Tensor:
        """Without dropout the call of a module is spared: for small networks it can be told."""
        return self.dropout(inputs) if self.config.dropout else inputs

    def forward(self, x_BTC: Tensor, positions_N: Tensor) -> Tensor:
        """Raw numbers (N, H, K, R) at the given positions of the flattened (B·T) batch, from a
        fresh state."""
        hidden_BTD, _ = self.hidden(x_BTC)
        hidden_ND = hidden_BTD.flatten(0, 1)[positions_N]
        x_NC = x_BTC.flatten(0, 1)[positions_N]
        return self.raw(hidden_ND, x_NC)


def _dense(width: int, sizes: tuple[int, ...]) -> nn.ModuleList:
    layers = nn.ModuleList()
    for size in sizes:
        layers.append(nn.Linear(width, size))
        width = size
    return layers


def arrays_from_state(state: dict[str, Tensor], config: NetworkConfig) -> Arrays:
    """Named arrays of a `Network` from a module's state."""
    tensors = {
        name: tensor for name, tensor in state.items() if not name.startswith("lstm.")
    }
    for number in range(len(config.layers)):
        tensors[f"lstm.{number}.weight_ih"] = state[f"lstm.{number}.weight_ih_l0"]
        tensors[f"lstm.{number}.weight_hh"] = state[f"lstm.{number}.weight_hh_l0"]
        tensors[f"lstm.{number}.bias"] = (
            state[f"lstm.{number}.bias_ih_l0"] + state[f"lstm.{number}.bias_hh_l0"]
        )
    return {
        name: np.array(tensor.detach().cpu().numpy(), np.float32)
        for name, tensor in tensors.items()
    }


def module_from_arrays(
    arrays: Arrays, config: NetworkConfig, head: Head | None = None
) -> NetworkModule:
    """A module that computes what a member with these arrays computes, ready to be trained
    further."""
    module = NetworkModule(config, head)
    with torch.no_grad():
        for name, array in arrays.items():
            module.get_parameter(parameter_name(name)).copy_(torch.tensor(array))
    return module


def parameter_name(name: str) -> str:
    """What a module calls the array of a network.

    >>> [parameter_name(name) for name in ("lstm.0.bias", "lstm.1.weight_hh", "head.bias")]
    ['lstm.0.bias_ih_l0', 'lstm.1.weight_hh_l0', 'head.bias']
    """
    if not name.startswith("lstm."):
        return name
    layer, _, weights = name.rpartition(".")
    if weights == "bias":
        weights = "bias_ih"
    return f"{layer}.{weights}_l0"
