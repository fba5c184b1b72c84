"""Activations in PyTorch, and LSTM layers with other ones than nn.LSTM has.

nn.LSTM is one fused kernel, with tanh and sigmoid. For other functions a layer's weights are read
step by step, here; that takes longer.

    B series · T steps · C inputs · D units
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmcast.model.lstm import Cell

Function = Callable[[Tensor], Tensor]
LayerState = tuple[Tensor, Tensor]  # h and c, each (1, B, D)
CellState = tuple[Tensor, Tensor]  # the same, each (B, D)
Weights = tuple[Tensor, ...]

ACTIVATIONS: dict[str, Function] = {
    "linear": lambda value: value,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softsign": F.softsign,
    "elu": F.elu,
}
GATE_ACTIVATIONS: dict[str, Function] = {
    "sigmoid": torch.sigmoid,
    # PyTorch's is clip(value / 6 + 0.5, 0, 1), in one kernel
    "hard_sigmoid": lambda value: F.hardsigmoid(1.2 * value),
    "hard_sigmoid_keras3": F.hardsigmoid,
}


def run_layer(
    layer: nn.Module, cell: Cell, x_BTC: Tensor, state: LayerState | None
) -> tuple[Tensor, LayerState]:
    """What an nn.LSTM of one layer gives at every step (B, T, D), and its state after the last."""
    if cell.is_usual:
        return layer(x_BTC, state)
    return _step_by_step(weights_of(layer), cell, x_BTC, state)


def weights_of(layer: nn.Module) -> Weights:
    """The weights of a layer, for `step_layer`: to look them up takes as long as a part of a
    step."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return tuple(layer.get_parameter(name) for name in names)


def step_layer(
    weights: Weights, cell: Cell, x_BC: Tensor, state: CellState
) -> CellState:
    """The state of a layer after a single step (B, C); h is what the layer gives.

    Of a single step nn.LSTM makes twice the work of a cell.
    """
    if cell.is_usual:
        return torch.lstm_cell(x_BC, state, *weights)
    h_BD, c_BD = state
    layer_state = (h_BD[None], c_BD[None])
    _, (h_1BD, c_1BD) = _step_by_step(weights, cell, x_BC[:, None], layer_state)
    return h_1BD[0], c_1BD[0]


def _step_by_step(
    weights: Weights, cell: Cell, x_BTC: Tensor, state: LayerState | None
) -> tuple[Tensor, LayerState]:
    """`bias_hh_l0` is zero here, as in every module of ours, and left out."""
    gate, curve = (
        GATE_ACTIVATIONS[cell.recurrent_activation],
        ACTIVATIONS[cell.activation],
    )
    weight_ih, weight_hh, bias = map(_gates_together, weights[:3])
    D = weight_hh.shape[1]
    fresh_BD = x_BTC.new_zeros(len(x_BTC), D)
    h_BD, c_BD = (
        (fresh_BD, fresh_BD)
        if state is None
        else (layer_state[0] for layer_state in state)
    )
    outs = []
    for from_input_BG in F.linear(x_BTC, weight_ih, bias).unbind(1):
        sums_BG = torch.addmm(from_input_BG, h_BD, weight_hh.T)
        gates_BG, candidate_BD = sums_BG.split([3 * D, D], 1)
        input_gate, forget_gate, output_gate = gate(gates_BG).chunk(3, 1)
        c_BD = forget_gate * c_BD + input_gate * curve(candidate_BD)
        h_BD = output_gate * curve(c_BD)
        outs.append(h_BD)
    return torch.stack(outs, 1), (h_BD[None], c_BD[None])


def _gates_together(weight: Tensor) -> Tensor:
    """Rows of input, forget and output gate, then those of the candidate: one call for three
    gates."""
    input_gate, forget_gate, candidate, output_gate = weight.chunk(4)
    return torch.cat([input_gate, forget_gate, output_gate, candidate])
