"""How fresh weights are drawn.

default    causal: PyTorch's, with small answers that spread like a random walk's and open forget gates;
           plain: Keras's
pytorch    uniform within ±1/√units (dense layers: ±1/√inputs), biases too
keras      Glorot uniform kernels, orthogonal recurrent kernels, zero biases but 1 for the forget gates
chainer    LeCun normal kernels, zero biases but 1 for the forget gates
zeros      Keras's, but with LSTM kernels (input to gates) of zeros
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.training.module import NetworkModule

Initialiser = Literal["default", "pytorch", "keras", "chainer", "zeros"]


@torch.no_grad()
def initialise(module: NetworkModule, name: str) -> None:
    """Draw a module's weights anew; PyTorch has just drawn them its own way. UsageError for an unknown name."""
    if name == "default":
        name = "causal" if module.config.is_causal else "keras"
    if name not in _KINDS:
        raise UsageError(f"initialiser={name!r} is not known. Use 'default', 'pytorch', 'keras', 'chainer' or 'zeros'.")
    for layer in module.lstm:
        layer.get_parameter("bias_hh_l0").zero_()
    _KINDS[name](module)


def _causal(module: NetworkModule) -> None:
    """Forget gates open (Jozefowicz et al. 2015), small answers, the head's own idea of how uncertainty grows."""
    for layer in module.lstm:
        _gates(layer.get_parameter("bias_ih_l0"))[1].add_(1.0)
    module.head.weight.mul_(0.3)
    if module.skip is not None:
        module.skip.weight.mul_(0.1)
    initial_HR = torch.from_numpy(module.answers.initial(module.config.steps))
    module.head.bias.copy_(initial_HR.unsqueeze(1).expand(-1, module.config.channels, -1).reshape(-1))


def _pytorch(module: NetworkModule) -> None:
    """Nothing more: this is how PyTorch draws them."""


def _keras(module: NetworkModule) -> None:
    """Glorot & Bengio 2010; orthogonal: Saxe et al. 2014."""
    for layer in module.lstm:
        _glorot(layer.get_parameter("weight_ih_l0"))
        nn.init.orthogonal_(layer.get_parameter("weight_hh_l0").T)
        _open_forget_gates(layer.get_parameter("bias_ih_l0"))
    for dense in _dense_layers(module):
        _glorot(dense.weight)
        _zero_bias(dense)


def _chainer(module: NetworkModule) -> None:
    """LeCun et al. 1998: normal with variance 1/inputs."""
    for layer in module.lstm:
        for name in ("weight_ih_l0", "weight_hh_l0"):
            weight = layer.get_parameter(name)
            weight.normal_(0.0, 1 / math.sqrt(weight.shape[1]))
        _open_forget_gates(layer.get_parameter("bias_ih_l0"))
    for dense in _dense_layers(module):
        dense.weight.normal_(0.0, 1 / math.sqrt(dense.weight.shape[1]))
        _zero_bias(dense)


def _zeros(module: NetworkModule) -> None:
    """Kernels of zeros still learn: their gradient needs the layer's output only, which the head's weights give.

    Not so where the head is zero too.
    """
    _keras(module)
    for layer in module.lstm:
        layer.get_parameter("weight_ih_l0").zero_()


_KINDS = {"causal": _causal, "pytorch": _pytorch, "keras": _keras, "chainer": _chainer, "zeros": _zeros}


def _dense_layers(module: NetworkModule) -> list[nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def _glorot(weight: Tensor) -> None:
    """Uniform within ±√(6 / (inputs + outputs)); Keras counts all four gates as outputs."""
    nn.init.xavier_uniform_(weight)


def _zero_bias(dense: nn.Linear) -> None:
    if dense.bias is not None:
        dense.bias.zero_()


def _open_forget_gates(bias_G: Tensor) -> None:
    bias_G.zero_()
    _gates(bias_G)[1].fill_(1.0)


def _gates(bias_G: Tensor) -> tuple[Tensor, ...]:
    return bias_G.chunk(4)
