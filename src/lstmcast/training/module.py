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
        self.static = nn.ModuleDict(
            {
                str(p): nn.Embedding(len(column.levels), column.units)
                for p, column in enumerate(config.static)
                if column.units
            }
        )
        self.embed = _dense(config.read_width, config.before or ())
        wide = (config.before or (config.read_width,))[-1]
        self.lstm = nn.ModuleList(
            nn.LSTM(width, units, batch_first=True)
            for width, units in zip((wide, *config.layers), config.layers, strict=False)
        )
        self.dense = _dense(config.layers[-1], config.after)
        self.head = nn.Linear((*config.layers[-1:], *config.after)[-1], outputs)
        self.skip = (
            nn.Linear(config.own_width, config.steps, bias=False) if config.inputs.skips else None
        )
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
        new: State = []
        for k, layer in enumerate(self.lstm):
            out_BTD, left = run_layer(
                layer,
                self.config.cell,
                self._dropped(x_BTC) if k else x_BTC,
                None if state is None else state[k],
            )
            x_BTC = (
                x_BTC + out_BTD
                if self.config.residual and x_BTC.shape[-1] == out_BTD.shape[-1]
                else out_BTD
            )
            new.append(left)
        return x_BTC, new

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
        new: list[CellState] = []
        for k, weights in enumerate(cells):
            read_BC = self._dropped(x_BC) if k else x_BC
            left = step_layer(weights, self.config.cell, read_BC, state[k])
            adds = self.config.residual and x_BC.shape[-1] == left[0].shape[-1]
            x_BC = x_BC + left[0] if adds else left[0]
            new.append(left)
        return x_BC, new

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

    def _embedded(self, x: Tensor) -> Tensor:
        """Inputs with the codes of static columns looked up, as `model.static.embedded` does."""
        if not self.config.static:
            return x
        own, parts = self.config.own_width, [x[..., : self.config.own_width]]
        for p, column in enumerate(self.config.static):
            code = x[..., own + p]
            if not column.units:
                parts.append(code[..., None])
                continue
            table = self.static[str(p)]
            assert isinstance(table, nn.Embedding)
            place = code.long()
            unknown = (place < 0)[..., None]
            parts.append(torch.where(unknown, table.weight.mean(0), table(place.clamp(min=0))))
        return torch.cat(parts, -1)

    def _dropped(self, x: Tensor) -> Tensor:
        """Without dropout the call of a module is spared: for small networks it can be told."""
        return self.dropout(x) if self.config.dropout else x

    def forward(self, x_BTC: Tensor, positions_N: Tensor) -> Tensor:
        """Raw numbers (N, H, K, R) at the given positions of the flattened (B·T) batch, from a
        fresh state."""
        hidden_BTD, _ = self.hidden(x_BTC)
        return self.raw(hidden_BTD.flatten(0, 1)[positions_N], x_BTC.flatten(0, 1)[positions_N])


def _dense(width: int, sizes: tuple[int, ...]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(a, b) for a, b in zip((width, *sizes), sizes, strict=False))


def arrays_from_state(state: dict[str, Tensor], config: NetworkConfig) -> dict[str, NDArray]:
    """Named arrays of a `Network` from a module's state."""
    named = {name: tensor for name, tensor in state.items() if not name.startswith("lstm.")}
    for k in range(len(config.layers)):
        named[f"lstm.{k}.weight_ih"] = state[f"lstm.{k}.weight_ih_l0"]
        named[f"lstm.{k}.weight_hh"] = state[f"lstm.{k}.weight_hh_l0"]
        named[f"lstm.{k}.bias"] = state[f"lstm.{k}.bias_ih_l0"] + state[f"lstm.{k}.bias_hh_l0"]
    return {
        name: np.array(tensor.detach().cpu().numpy(), np.float32) for name, tensor in named.items()
    }


def module_from_arrays(
    arrays: dict[str, NDArray], config: NetworkConfig, head: Head | None = None
) -> NetworkModule:
    """A module that computes what a member with these arrays computes, ready to be trained
    further."""
    module = NetworkModule(config, head)
    with torch.no_grad():
        for name, array in arrays.items():
            part, _, rest = name.partition(".")
            if part == "lstm":
                layer, _, what = rest.partition(".")
                name = f"lstm.{layer}." + {"bias": "bias_ih_l0"}.get(what, f"{what}_l0")
            module.get_parameter(name).copy_(torch.tensor(array))
    return module
