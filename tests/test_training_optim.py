"""Optimisers: the steps are PyTorch's, without loading its compiler."""

from __future__ import annotations

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.training.checkpoint import load_optimiser, optimiser_arrays  # noqa: E402
from lstmcast.training.optim import make_optimiser  # noqa: E402
from lstmcast.training_config import Optimiser  # noqa: E402

SETTINGS = {
    "adam": Optimiser("adam", weight_decay=0.01),
    "adamw": Optimiser("adamw", weight_decay=0.01),
    "rmsprop": Optimiser("rmsprop", momentum=0.5),
    "sgd": Optimiser("sgd", momentum=0.9),
}


def theirs(weights):
    """The same optimisers, as PyTorch makes them."""
    return {
        "adam": torch.optim.Adam(weights, 1e-3, weight_decay=0.01, fused=True),
        "adamw": torch.optim.AdamW(weights, 1e-3, weight_decay=0.01, fused=True),
        "rmsprop": torch.optim.RMSprop(weights, 1e-3, momentum=0.5),
        "sgd": torch.optim.SGD(weights, 1e-3, momentum=0.9),
    }


def weights():
    return [torch.nn.Parameter(torch.linspace(-1, 1, 7))]


def steps(optimiser, parameters, count=3):
    for _ in range(count):
        optimiser.zero_grad()
        (parameters[0] ** 2).sum().backward()
        optimiser.step()
    return parameters[0].detach().numpy().copy()


@pytest.mark.parametrize("name", SETTINGS)
def test_steps_are_those_of_pytorch(name):
    own, other = weights(), weights()
    found = steps(make_optimiser(SETTINGS[name], own), own)
    np.testing.assert_array_equal(found, steps(theirs(other)[name], other))
    assert own[0].requires_grad and not np.array_equal(
        found, weights()[0].detach().numpy()
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_making_using_saving_and_loading_one_leaves_the_compiler_alone(
    name, monkeypatch
):
    """Importing it takes as long as importing PyTorch."""
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # importing it fails
    whole, half = weights(), weights()
    expected = steps(make_optimiser(SETTINGS[name], whole), whole, 4)
    first = make_optimiser(SETTINGS[name], half)
    steps(first, half, 2)
    second = make_optimiser(SETTINGS[name], half)
    load_optimiser(second, optimiser_arrays(first))
    np.testing.assert_array_equal(steps(second, half, 2), expected)
