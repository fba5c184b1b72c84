"""How fresh weights are drawn.

default    adaptive inputs: PyTorch's, with small answers that spread like a random walk's and open
           forget gates; others: Keras's
pytorch    uniform within ±1/√units (dense layers: ±1/√inputs), biases too
keras      Glorot uniform kernels, orthogonal recurrent kernels, zero biases but 1 for the forget
           gates
chainer    LeCun normal kernels, zero biases but 1 for the forget gates
zeros      Keras's, but with LSTM kernels (input to gates) of zeros

A `training_config.Initialiser` says it piece by piece: Keras's is `Initialiser()`, zeros are
`Initialiser("zeros")`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lstmcast.errors import UsageError
from lstmcast.training_config import Initialiser

if TYPE_CHECKING:
    from lstmcast.training.module import NetworkModule


@torch.no_grad()
def initialise(module: NetworkModule, how: str | Initialiser) -> None:
    """Draw a module's weights anew; PyTorch has just drawn them its own way. UsageError for an
    unknown name."""
    for layer in module.lstm:
        layer.get_parameter("bias_hh_l0").zero_()
    if isinstance(how, Initialiser):
        return _by_parts(module, how)
    if how == "default":
        how = "adaptive" if module.config.inputs.skips else "keras"
    if how not in _KINDS:
        raise UsageError(
            f"initialiser={how!r} is not known. Use 'default', 'pytorch', 'keras', 'chainer' or "
            "'zeros'."
        )
    return _KINDS[how](module)


def _adaptive(module: NetworkModule) -> None:
    """Forget gates open (Jozefowicz et al. 2015), small answers, the head's own idea of how
    uncertainty grows."""
    for layer in module.lstm:
        _gates(layer.get_parameter("bias_ih_l0"))[1].add_(1.0)
    module.head.weight.mul_(0.3)
    if module.skip is not None:
        module.skip.weight.mul_(0.1)
    initial_HR = torch.from_numpy(module.answers.initial(module.config.steps))
    module.head.bias.copy_(
        initial_HR.unsqueeze(1).expand(-1, module.config.inputs.columns, -1).reshape(-1)
    )


def _pytorch(module: NetworkModule) -> None:
    """Nothing more: this is how PyTorch draws them."""


def _keras(module: NetworkModule) -> None:
    """Glorot & Bengio 2010; orthogonal: Saxe et al. 2014."""
    _by_parts(module, Initialiser())


def _zeros(module: NetworkModule) -> None:
    """Kernels of zeros still learn: the output is 0 at first, but the head gives the candidate's
    kernel a gradient.

    Not so where the head is zero too.
    """
    _by_parts(module, Initialiser("zeros"))


def _chainer(module: NetworkModule) -> None:
    """LeCun et al. 1998: normal with variance 1/inputs."""
    _lstm(module, Initialiser("lecun_normal", "lecun_normal"))
    for dense in _dense_layers(module):
        _lecun(dense.weight)
        _zero_bias(dense)


def _by_parts(module: NetworkModule, parts: Initialiser) -> None:
    _lstm(module, parts)
    for dense in _dense_layers(module):
        _glorot(dense.weight)
        _zero_bias(dense)


def _lstm(module: NetworkModule, parts: Initialiser) -> None:
    for layer in module.lstm:
        _DRAWS[parts.kernel](layer.get_parameter("weight_ih_l0"))
        _DRAWS[parts.recurrent](layer.get_parameter("weight_hh_l0"))
        bias_G = layer.get_parameter("bias_ih_l0").fill_(parts.bias)
        _gates(bias_G)[1].fill_(parts.forget_bias)


_KINDS = {
    "adaptive": _adaptive,
    "pytorch": _pytorch,
    "keras": _keras,
    "chainer": _chainer,
    "zeros": _zeros,
}


def _dense_layers(module: NetworkModule) -> list[nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def _glorot(weight: Tensor) -> None:
    """Uniform within ±√(6 / (inputs + outputs)); Keras counts all four gates as outputs."""
    nn.init.xavier_uniform_(weight)


def _lecun(weight: Tensor) -> None:
    weight.normal_(0.0, 1 / math.sqrt(weight.shape[1]))


def _orthogonal(weight: Tensor) -> None:
    nn.init.orthogonal_(weight.T)


def _uniform(weight: Tensor) -> None:
    bound = 1 / math.sqrt(weight.shape[0] // 4)  # four gates for each unit
    weight.uniform_(-bound, bound)


_DRAWS: dict[str, Callable[[Tensor], object]] = {
    "glorot_uniform": _glorot,
    "lecun_normal": _lecun,
    "orthogonal": _orthogonal,
    "uniform": _uniform,
    "zeros": torch.zero_,
}


def _zero_bias(dense: nn.Linear) -> None:
    if dense.bias is not None:
        dense.bias.zero_()


def _gates(bias_G: Tensor) -> tuple[Tensor, ...]:
    return bias_G.chunk(4)
