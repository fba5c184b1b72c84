"""Activation functions by name in NumPy; `training.module` has them in PyTorch.

The names are those of Keras. Two functions are called hard sigmoid: linear from 0 to 1 between
−2.5 and 2.5 in Keras 1 and 2, Chainer and ONNX, and between −3 and 3 in Keras 3 and PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Activation = Literal["linear", "tanh", "relu", "sigmoid", "softsign", "elu"]
GateActivation = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras3"]
Function = Callable[[NDArray], NDArray]


def sigmoid(value: NDArray) -> NDArray:
    """1 / (1 + exp(−value)), written so that it cannot overflow.

    >>> sigmoid(np.array([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 + 0.5 * np.tanh(0.5 * value)


def elu(value: NDArray) -> NDArray:
    """The value where it is positive, else exp(value) − 1 (Clevert et al. 2016).

    >>> elu(np.array([-1e4, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """
    return np.where(value > 0, value, np.expm1(np.minimum(value, 0)))


ACTIVATIONS: dict[str, Function] = {
    "linear": lambda value: value,
    "tanh": np.tanh,
    "relu": lambda value: np.maximum(value, 0),
    "sigmoid": sigmoid,
    "softsign": lambda value: value / (1 + np.abs(value)),
    "elu": elu,
}
GATE_ACTIVATIONS: dict[str, Function] = {
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda value: np.clip(0.2 * value + 0.5, 0, 1),
    "hard_sigmoid_keras3": lambda value: np.clip(value / 6 + 0.5, 0, 1),
}


class QuickNumbers:
    """NumPy with a `logaddexp` that is composed of vectorised functions.

    Where one of its arguments is 0, it is a softplus; it agrees with NumPy's within 2e-16 there.

    >>> QuickNumbers().logaddexp(np.array([-800.0, 0.0, 800.0]), np.zeros(3)).round(3).tolist()
    [0.0, 0.693, 800.0]
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def logaddexp(self, first: NDArray, second: NDArray) -> NDArray:
        """log(exp(first) + exp(second))."""
        smaller = np.subtract(first, second)
        np.abs(smaller, out=smaller)
        np.negative(smaller, out=smaller)
        np.exp(smaller, out=smaller)
        smaller += 1.0
        np.log(smaller, out=smaller)
        smaller += np.maximum(first, second)
        return smaller
