"""The recurrent stack for many rows: arrays with units first, and one product per layer and step.

In a product of all rows, each gate is then one block of memory, which functions go through at
once; inputs, outputs and a row of ones lie below each other, so that one matrix multiplies all of
them. The formulas are those of `lstm`, whose sums have another order: numbers agree to the last
digits of 32 bits.

    B rows of a batch · T steps · C inputs of a layer · D units · G four gates of each unit
    X what a layer's matrix multiplies: inputs, its own last output, and 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.lstm import Fused, Layer, State, fused

# fewer rows or steps than these do not repay that states are turned round
FEWEST_ROWS, FEWEST_STEPS = 64, 16
HALF, UNIT = np.float32(0.5), np.float32(1.0)


class WideReading(NamedTuple):
    """What many rows are to read, and the dense layers that it goes through before."""

    x_TBC: NDArray
    begun_TB: NDArray
    dense: Sequence[tuple[NDArray, NDArray]]  # weights (D, C) and bias (D,) of each
    activation: Callable[[NDArray], NDArray]

    def at(self, step: int) -> NDArray:
        """What the first layer reads at one step (C, B)."""
        values_CB = self.x_TBC[step].T
        for weight_DC, bias_D in self.dense:
            values_CB = weight_DC @ values_CB
            values_CB += bias_D[:, None]
            values_CB = self.activation(values_CB)
        return values_CB


def is_wide(x_TBC: NDArray) -> bool:
    """Whether so many rows and steps, in 32 bits, are read faster with units first."""
    steps, rows, _ = x_TBC.shape
    are_many = rows >= FEWEST_ROWS and steps >= FEWEST_STEPS
    return are_many and x_TBC.dtype == np.float32


def run_wide(
    reading: WideReading,
    layers: Sequence[Layer | Fused],
    state: State,
    *,
    residual: bool,
) -> tuple[NDArray, State]:
    """Like `lstm.run_stack` with the standard functions: the outputs (T, B, D) and the new
    state."""
    begun_TB = reading.begun_TB
    stack = [_WideLayer(*pair) for pair in zip(layers, state, strict=True)]
    steps, rows = begun_TB.shape
    out_TDB = np.empty((steps, stack[-1].units, rows), np.float32)
    waiting_T = ~np.all(begun_TB, axis=1)
    for step, out_DB in enumerate(out_TDB):
        values_CB = reading.at(step)
        for layer in stack:
            begun_B = begun_TB[step] if waiting_T[step] else None
            h_DB = layer.read(values_CB, begun_B)
            is_added = residual and len(values_CB) == layer.units
            values_CB = layer.inputs_CB + h_DB if is_added else h_DB
        out_DB[:] = values_CB
    return out_TDB.swapaxes(1, 2), tuple(layer.state for layer in stack)


class _WideLayer:
    """One layer with its state, and the arrays that each of its steps uses again."""

    def __init__(self, layer: Layer | Fused, state: tuple[NDArray, NDArray]) -> None:
        input_CG, bias_G, recurrent_DG = (
            layer if isinstance(layer, Fused) else fused(layer)
        )
        h_BD, c_BD = state
        rows, self.units = h_BD.shape
        weight_XG = np.concatenate([input_CG, recurrent_DG, bias_G[None]])
        self._weight_GX = np.ascontiguousarray(weight_XG.T)
        self._read_XB = np.ones((len(weight_XG), rows), np.float32)
        self.inputs_CB, self._h_DB, _ = np.split(
            self._read_XB, [len(input_CG), len(weight_XG) - 1]
        )
        self._h_DB[:] = h_BD.T
        self._c_DB = np.array(c_BD.T, np.float32, order="C")
        self._added_DB = np.empty_like(self._c_DB)
        self._gates_GB = np.empty((4 * self.units, rows), np.float32)
        self._gates = np.split(self._gates_GB, 4)

    @property
    def state(self) -> tuple[NDArray, NDArray]:
        """h and c, (B, D) each."""
        h_BD = np.ascontiguousarray(self._h_DB.T)
        return h_BD, np.ascontiguousarray(self._c_DB.T)

    def read(self, values_CB: NDArray, begun_B: NDArray | None) -> NDArray:
        """The output (D, B) after one more step, 0 for rows that have not begun; the next step
        overwrites it."""
        gates_GB, c_DB, added_DB = self._gates_GB, self._c_DB, self._added_DB
        self.inputs_CB[:] = values_CB
        np.matmul(self._weight_GX, self._read_XB, out=gates_GB)
        np.tanh(gates_GB, out=gates_GB)
        input_DB, forget_DB, candidate_DB, output_DB = self._gates
        # c = ½ ((1 + f) c + (1 + i) g)
        gates_GB[: 2 * self.units] += UNIT
        np.multiply(forget_DB, c_DB, out=c_DB)
        np.multiply(input_DB, candidate_DB, out=added_DB)
        c_DB += added_DB
        c_DB *= HALF
        # h = ½ (1 + o) tanh(c)
        output_DB += UNIT
        output_DB *= HALF
        np.tanh(c_DB, out=added_DB)
        np.multiply(output_DB, added_DB, out=self._h_DB)
        if begun_B is not None:
            c_DB *= begun_B
            self._h_DB *= begun_B
        return self._h_DB
