"""The recurrent stack in NumPy: state in, state out.

B series · T steps · C inputs · D units. Each layer is an LSTM (Hochreiter & Schmidhuber 1997;
forget gate: Gers et al. 2000). In a residual stack, the output of a layer is added to its input
where the widths are equal, so the stack starts as a plain map and deeper layers learn corrections.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.activations import (
    ACTIVATIONS,
    GATE_ACTIVATIONS,
    Activation,
    GateActivation,
)
from lstmcast.util.config import settings


@settings
class Cell:
    """The activation functions of the LSTM layers, with the names of Keras.

    Args:
        activation: for the candidate and the output of the cell: "tanh", "relu", "linear",
            "sigmoid", "softsign" or "elu".
        recurrent_activation: for the three gates: "sigmoid"; "hard_sigmoid", clip(0.2 a + 0.5, 0,
            1), as in Keras 1 and 2 and Chainer; or "hard_sigmoid_keras3", clip(a / 6 + 0.5, 0, 1),
            the hard sigmoid of Keras 3 and PyTorch.

    >>> Cell(recurrent_activation="hard_sigmoid")
    Cell(activation='tanh', recurrent_activation='hard_sigmoid')
    """

    activation: Activation = "tanh"
    recurrent_activation: GateActivation = "sigmoid"

    @property
    def is_usual(self) -> bool:
        """Whether this is the standard LSTM, which has faster kernels."""
        return self == USUAL

    @property
    def is_bounded(self) -> bool:
        """Whether the output of a layer is always between −1 and 1."""
        return self.activation in ("tanh", "sigmoid", "softsign")

    def __str__(self) -> str:
        return f"{self.activation}, {self.recurrent_activation}"


USUAL = Cell()


PRODUCT_ROWS = 1024  # rows of inputs per matrix product: few enough for the caches


class Layer(NamedTuple):
    """Weights of one LSTM layer; gates in the order input, forget, candidate, output, as in
    PyTorch and Keras."""

    weight_ih: NDArray  # (4D, C)
    weight_hh: NDArray  # (4D, D)
    bias: NDArray  # (4D,)

    @property
    def units(self) -> int:
        """D."""
        return self.weight_hh.shape[1]


class Fused(NamedTuple):
    """Weights of a layer, arranged for one tanh over all four gates.

    σ(a) = ½ + ½ tanh(a/2): the pre-activations of the three gates are halved in advance.
    """

    input_CG: NDArray
    bias_G: NDArray
    recurrent_DG: NDArray

    @property
    def units(self) -> int:
        """D."""
        return len(self.recurrent_DG)


def fused(layer: Layer) -> Fused:
    """Rearrange a layer with the standard functions; halving numbers is exact."""
    D = layer.units
    half_G = np.full(4 * D, 0.5, layer.bias.dtype)
    half_G[2 * D : 3 * D] = 1.0  # the candidate is a plain tanh
    return Fused(
        (layer.weight_ih * half_G[:, None]).T,
        layer.bias * half_G,
        np.ascontiguousarray((layer.weight_hh * half_G[:, None]).T),
    )


State = tuple[tuple[NDArray, NDArray], ...]  # h and c of each layer, each (B, D)


def zero_state(
    units: tuple[int, ...], batch: int, dtype: np.dtype | type = np.float32
) -> State:
    """The state before the first step."""
    return tuple(
        (np.zeros((batch, D), dtype), np.zeros((batch, D), dtype)) for D in units
    )


def run_stack(
    x_TBC: NDArray,
    begun_TB: NDArray,
    layers: tuple[Layer | Fused, ...],
    state: State,
    *,
    residual: bool,
    cell: Cell = USUAL,
) -> tuple[NDArray, State]:
    """Read T steps through all layers; return outputs (T, B, D) and the new state.

    The state of a series stays zero until it has begun (`begun_TB`), so series of unequal lengths
    can share a batch.
    """
    states = []
    waiting_T = (~np.all(begun_TB, axis=1)).tolist()
    for layer, (h_BD, c_BD) in zip(layers, state, strict=True):
        if isinstance(layer, Fused) or cell.is_usual:
            out_TBD, h_BD, c_BD = _run_layer(
                x_TBC, begun_TB, waiting_T, layer, h_BD, c_BD
            )
        else:
            out_TBD, h_BD, c_BD = _run_other_layer(
                cell, x_TBC, begun_TB, waiting_T, layer, h_BD, c_BD
            )
        x_TBC = (
            x_TBC + out_TBD if residual and x_TBC.shape[2] == layer.units else out_TBD
        )
        states.append((h_BD, c_BD))
    return x_TBC, tuple(states)


def _run_layer(
    x_TBC: NDArray,
    begun_TB: NDArray,
    waiting_T: list[bool],
    layer: Layer | Fused,
    h_BD: NDArray,
    c_BD: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    """Run one layer with the standard functions over T steps; `waiting_T`: where a series has not
    begun."""
    (T, B, C), D = x_TBC.shape, layer.units
    input_CG, bias_G, recurrent_DG = layer if isinstance(layer, Fused) else fused(layer)
    out_TBD = np.empty((T, B, D), np.result_type(x_TBC, input_CG))
    # The results of each step are written into the same few arrays: for a single series,
    # allocating new ones would take most of the time of a step.
    gates_BG = np.empty((B, 4 * D), out_TBD.dtype)
    both_gates = gates_BG[:, : 2 * D]
    input_BD, forget_BD, candidate_BD, output_BD = (
        gates_BG[:, gate * D : (gate + 1) * D] for gate in range(4)
    )
    c_BD, added_BD = c_BD.astype(out_TBD.dtype), np.empty((B, D), out_TBD.dtype)
    half, unit = (np.asarray(number, out_TBD.dtype) for number in (0.5, 1.0))
    # Project inputs for many steps at once, but not for all steps of a large batch: the
    # result is four times as wide as the outputs and would take most of the memory.
    steps = max(1, PRODUCT_ROWS // max(B, 1))
    for first in range(0, T, steps):
        x_UBC = x_TBC[first : first + steps]
        from_input_UBG = (x_UBC.reshape(len(x_UBC) * B, C) @ input_CG).reshape(
            len(x_UBC), B, 4 * D
        )
        from_input_UBG += bias_G
        for step, from_input_BG in enumerate(from_input_UBG, start=first):
            np.matmul(h_BD, recurrent_DG, out=gates_BG)
            np.add(gates_BG, from_input_BG, out=gates_BG)
            np.tanh(gates_BG, out=gates_BG)
            # c = ½ ((1 + f) c + (1 + i) g)
            np.add(both_gates, unit, out=both_gates)
            np.multiply(forget_BD, c_BD, out=c_BD)
            np.multiply(input_BD, candidate_BD, out=added_BD)
            np.add(c_BD, added_BD, out=c_BD)
            np.multiply(c_BD, half, out=c_BD)
            # h = ½ (1 + o) tanh(c)
            np.add(output_BD, unit, out=output_BD)
            np.multiply(output_BD, half, out=output_BD)
            np.tanh(c_BD, out=added_BD)
            h_BD = np.multiply(output_BD, added_BD, out=out_TBD[step])
            if waiting_T[step]:
                c_BD *= begun_TB[step, :, None]
                h_BD *= begun_TB[step, :, None]
    return out_TBD, h_BD, c_BD


@np.errstate(over="ignore", invalid="ignore")
def _run_other_layer(
    cell: Cell,
    x_TBC: NDArray,
    begun_TB: NDArray,
    waiting_T: list[bool],
    layer: Layer | Fused,
    h_BD: NDArray,
    c_BD: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    """Run one layer with any activation functions over T steps.

    Without tanh, a state may overflow: outputs are then NaN, as for missing values.
    """
    assert isinstance(layer, Layer)  # fused layers have the standard functions
    gate = GATE_ACTIVATIONS[cell.recurrent_activation]
    curve = ACTIVATIONS[cell.activation]
    (T, B, C), D = x_TBC.shape, layer.units
    from_input_TBG = (x_TBC.reshape(T * B, C) @ layer.weight_ih.T).reshape(T, B, 4 * D)
    from_input_TBG += layer.bias
    recurrent_DG = np.ascontiguousarray(layer.weight_hh.T)
    out_TBD = np.empty((T, B, D), from_input_TBG.dtype)
    for step in range(T):
        sums_BG = h_BD @ recurrent_DG
        sums_BG += from_input_TBG[step]
        input_BD, forget_BD, candidate_BD, output_BD = (
            sums_BG[:, number * D : (number + 1) * D] for number in range(4)
        )
        c_BD = gate(forget_BD) * c_BD + gate(input_BD) * curve(candidate_BD)
        h_BD = np.multiply(gate(output_BD), curve(c_BD), out=out_TBD[step])
        if waiting_T[step]:
            c_BD *= begun_TB[step, :, None]
            h_BD *= begun_TB[step, :, None]
    out_TBD[np.isinf(out_TBD)] = np.nan
    return out_TBD, h_BD, c_BD
