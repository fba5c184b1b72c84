"""Random initial weights.

default    adaptive inputs: PyTorch's, with small answers that spread like a random walk's and open
           forget gates; others: Keras's
pytorch    uniform within ±1/√units (dense layers: ±1/√inputs), biases too
keras      Glorot uniform kernels, orthogonal recurrent kernels, zero biases but 1 for the forget
           gates
chainer    LeCun normal kernels, dense ones too; zero biases but 1 for the forget gates
chainer1   the same with 0 for the forget gates, as Chainer had it until version 2
zeros      Keras's, but with LSTM kernels (input to gates) of zeros
ones       Keras's, but with LSTM kernels (input to gates) of ones

A `training_config.Initialiser` says it piece by piece: all but the first two are one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lstmcast.errors import UsageError
from lstmcast.training_config import Draw, Initialiser

if TYPE_CHECKING:
    from lstmcast.training.module import NetworkModule

SMALL = 0.3  # of normal draws: what categories say begins small
PARTS = {
    "keras": Initialiser(),
    "chainer": Initialiser("lecun_normal", "lecun_normal", dense="lecun_normal"),
    "chainer1": Initialiser(
        "lecun_normal", "lecun_normal", forget_bias=0.0, dense="lecun_normal"
    ),
    # Kernels of zeros still learn: the output is 0 at first, but the head gives the candidate's
    # kernel a gradient. Not so where the head is zero too.
    "zeros": Initialiser("zeros"),
    "ones": Initialiser("ones"),
}


@torch.no_grad()
def initialise(module: NetworkModule, choice: str | Initialiser) -> None:
    """Draw a module's weights anew; PyTorch has just drawn them its own way. UsageError for an
    unknown name."""
    for layer in module.lstm:
        layer.get_parameter("bias_hh_l0").zero_()
    for table in module.static.values():
        table.get_parameter("weight").mul_(SMALL)
    if choice == "default":
        choice = "adaptive" if module.config.inputs.skips else "keras"
    if isinstance(choice, Initialiser):
        _by_parts(module, choice)
    elif choice in PARTS:
        _by_parts(module, PARTS[choice])
    elif choice == "adaptive":
        _adaptive(module)
    elif choice != "pytorch":
        names = ", ".join(map(repr, ("default", "pytorch", *PARTS)))
        raise UsageError(f"initialiser={choice!r} is not known. Use one of {names}.")


def _adaptive(module: NetworkModule) -> None:
    """Forget gates open (Jozefowicz et al. 2015), small answers, the head's own idea of how
    uncertainty grows."""
    for layer in module.lstm:
        _gates(layer.get_parameter("bias_ih_l0"))[1].add_(1.0)
    module.head.weight.mul_(0.3)
    if module.skip is not None:
        module.skip.weight.mul_(0.1)
    initial_HR = torch.from_numpy(module.answers.initial(module.config.steps))
    initial_HKR = initial_HR.unsqueeze(1).expand(-1, module.config.inputs.columns, -1)
    module.head.bias.copy_(initial_HKR.reshape(-1))


def _by_parts(module: NetworkModule, draws: Initialiser) -> None:
    for layer in module.lstm:
        kernel, recurrent = (
            layer.get_parameter(f"weight_{side}_l0") for side in ("ih", "hh")
        )
        # an LSTM layer's "uniform" is as wide as its units say, for both
        _draw(draws.kernel, kernel, recurrent.shape[1])
        _draw(draws.recurrent, recurrent, recurrent.shape[1])
        bias_G = layer.get_parameter("bias_ih_l0").fill_(draws.bias)
        _gates(bias_G)[1].fill_(draws.forget_bias)
    for dense in _dense_layers(module):
        _draw(draws.dense, dense.weight, dense.in_features)
        if dense.bias is not None:
            dense.bias.zero_()


def _draw(distribution: Draw, weight: Tensor, width: int) -> None:
    """`width`: what "uniform" is drawn by, ±1/√width."""
    if distribution == "uniform":
        bound = 1 / math.sqrt(width)
        weight.uniform_(-bound, bound)
    else:
        _DRAWS[distribution](weight)


def _dense_layers(module: NetworkModule) -> list[nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def _glorot(weight: Tensor) -> None:
    """Uniform within ±√(6 / (inputs + outputs)); Keras counts all four gates as outputs."""
    nn.init.xavier_uniform_(weight)


def _lecun(weight: Tensor) -> None:
    """Normal with variance 1/inputs."""
    weight.normal_(0.0, 1 / math.sqrt(weight.shape[1]))


def _orthogonal(weight: Tensor) -> None:
    """Of the matrix as Keras has it, (inputs, outputs)."""
    nn.init.orthogonal_(weight.T)


_DRAWS: dict[str, Callable[[Tensor], object]] = {
    "glorot_uniform": _glorot,
    "lecun_normal": _lecun,
    "orthogonal": _orthogonal,
    "zeros": torch.zero_,
    "ones": nn.init.ones_,
}


def _gates(bias_G: Tensor) -> tuple[Tensor, ...]:
    return bias_G.chunk(4)
