"""What every head keeps to, a user's own one included.

R raw numbers per value · Q quantile levels
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from lstmcast.model.heads import (
    AFFINE_HEADS,
    HEAD_QUANTILES,
    HEADS,
    ONE,
    ZERO,
    Head,
    head_named,
)
from lstmcast.model.network import NetworkConfig


class Laplace:
    """A user's own head: location and scale of a Laplace distribution."""

    name, outputs, center = "laplace", 2, 0
    spreads = affine = True

    def _width(self, raw, xp):
        return xp.logaddexp(raw[..., 1], xp.zeros_like(raw[..., 1])) + 1e-4

    def point(self, raw, location, scale, xp):
        return location + scale * raw[..., 0]

    def quantiles(self, raw, location, scale, xp):
        tails = [math.log(2 * min(level, 1 - level)) for level in HEAD_QUANTILES]
        scores = [
            t if q < 0.5 else -t for t, q in zip(tails, HEAD_QUANTILES, strict=True)
        ]
        score_Q = xp.asarray(scores, dtype=raw.dtype)
        quantiles = raw[..., :1] + self._width(raw, xp)[..., None] * score_Q
        return location[..., None] + scale[..., None] * quantiles

    def loss(self, raw, target, location, scale, xp):
        width = scale * self._width(raw, xp)
        return xp.abs(target - location - scale * raw[..., 0]) / width + xp.log(
            2 * width
        )

    def sample(self, raw, location, scale, rng):
        return location + scale * rng.laplace(raw[..., 0], self._width(raw, np))

    def initial(self, horizon):
        return np.zeros((horizon, 2))


ALL: dict[str, Head] = {head.name: head for head in (*AFFINE_HEADS, Laplace())}
SHAPE = (40, 3)
AT_0 = (ZERO, ONE)  # location and scale in the units that the network sees


def at(torch):
    """The same for PyTorch."""
    return torch.zeros(()), torch.ones(())


@pytest.fixture(params=ALL)
def head(request) -> Head:
    return ALL[request.param]


@pytest.fixture
def raw(head):
    return np.random.default_rng(1).normal(0, 1.5, (*SHAPE, head.outputs))


def moved(raw, head, distance):
    """Raw numbers of an answer that lies elsewhere."""
    elsewhere = raw.copy()
    elsewhere[..., head.center] += distance
    return elsewhere


def test_quantiles_do_not_cross_and_the_point_lies_among_them(head, raw):
    quantiles, point = head.quantiles(raw, *AT_0, np), head.point(raw, *AT_0, np)
    assert quantiles.shape == (*SHAPE, len(HEAD_QUANTILES)) and point.shape == SHAPE
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert (quantiles[..., 0] <= point).all() and (point <= quantiles[..., -1]).all()


def test_the_center_moves_the_whole_answer(head, raw):
    elsewhere = moved(raw, head, 7.0)
    np.testing.assert_allclose(
        head.point(elsewhere, *AT_0, np), head.point(raw, *AT_0, np) + 7
    )
    np.testing.assert_allclose(
        head.quantiles(elsewhere, *AT_0, np), head.quantiles(raw, *AT_0, np) + 7
    )


def test_answers_shift_and_stretch_with_location_and_scale(head, raw):
    rng = np.random.default_rng(8)
    location, scale = (
        rng.normal(0, 50, (SHAPE[0], 1)),
        rng.uniform(0.1, 30, (SHAPE[0], 1)),
    )
    assert head.affine
    for answer, stretch, shift in (
        (head.point, scale, location),
        (head.quantiles, scale[..., None], location[..., None]),
    ):
        expected = shift + stretch * answer(raw, *AT_0, np)
        np.testing.assert_allclose(
            answer(raw, location, scale, np), expected, rtol=1e-12
        )
    drawn, unplaced = (
        head.sample(raw, *around, np.random.default_rng(5))
        for around in ((location, scale), AT_0)
    )
    np.testing.assert_allclose(drawn, location + scale * unplaced, rtol=1e-12)


def test_of_two_answers_the_loss_prefers_the_same_on_every_scale(head, raw):
    location, scale = np.array(40.0), np.array(6.0)
    other = moved(raw, head, 0.7)
    target = np.random.default_rng(2).normal(size=SHAPE)
    here = head.loss(raw, target, *AT_0, np) - head.loss(other, target, *AT_0, np)
    placed = location + scale * target
    there = head.loss(raw, placed, location, scale, np) - head.loss(
        other, placed, location, scale, np
    )
    np.testing.assert_array_equal(np.sign(there), np.sign(here))


@pytest.mark.parametrize("distance", [0.5, 5.0, 50.0, -50.0])
def test_the_loss_is_finite_and_lower_near_the_target(head, raw, distance):
    target = head.point(raw, *AT_0, np)
    near, far = (
        head.loss(moved(raw, head, d), target, *AT_0, np) for d in (0.0, distance)
    )
    assert near.shape == SHAPE and np.isfinite(near).all() and np.isfinite(far).all()
    # the median of a wide distribution is not always nearer to its own loss by half a unit
    assert near.mean() < far.mean() and (abs(distance) < 50 or (near < far).all())


@pytest.mark.parametrize("size", [-300.0, 300.0])
def test_answers_to_extreme_raw_numbers_are_numbers(head, size):
    raw = np.full((2, head.outputs), size, np.float32)
    for answer in (head.point(raw, *AT_0, np), head.quantiles(raw, *AT_0, np)):
        assert np.isfinite(answer).all()
    assert np.isfinite(head.loss(raw, np.zeros(2, np.float32), *AT_0, np)).all()


def test_numpy_and_pytorch_agree(head, raw):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    tensor = torch.from_numpy(raw)
    target = np.random.default_rng(2).normal(size=SHAPE)
    theirs = {
        "point": head.point(tensor, *at(torch), torch),
        "loss": head.loss(tensor, torch.from_numpy(target), *at(torch), torch),
    }
    ours = {
        "point": head.point(raw, *AT_0, np),
        "loss": head.loss(raw, target, *AT_0, np),
    }
    # its quantiles are for NumPy only: training does not need them
    if head.name != "student_t":
        theirs["quantiles"] = head.quantiles(tensor, *at(torch), torch)
        ours["quantiles"] = head.quantiles(raw, *AT_0, np)
    for name, own in ours.items():
        np.testing.assert_allclose(theirs[name].numpy(), own, rtol=1e-10, err_msg=name)


def test_the_loss_has_a_gradient(head, raw):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    tensor = torch.from_numpy(raw).requires_grad_()
    head.loss(
        tensor, torch.ones(SHAPE, dtype=torch.float64), *at(torch), torch
    ).mean().backward()
    assert (
        torch.isfinite(tensor.grad).all() and (tensor.grad[..., head.center] != 0).all()
    )


def test_samples_are_reproducible_and_spread_as_the_quantiles_say(head):
    raw = np.broadcast_to([[0.3] * head.outputs], (20_000, head.outputs))
    drawn, again, other = (
        head.sample(raw, *AT_0, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert drawn.shape == (20_000,)
    np.testing.assert_array_equal(drawn, again)
    quantiles = head.quantiles(raw[0], *AT_0, np)
    width = quantiles[-1] - quantiles[0]
    assert (width == 0) == np.array_equal(drawn, other)
    np.testing.assert_allclose(
        np.quantile(drawn, HEAD_QUANTILES), quantiles, atol=0.05 * width + 1e-9
    )


def test_raw_numbers_to_start_from(head):
    raw_HR = head.initial(9)
    assert raw_HR.shape == (9, head.outputs) and np.isfinite(raw_HR).all()
    np.testing.assert_array_equal(head.point(raw_HR, *AT_0, np), np.zeros(9))


def test_the_name_survives_json(head):
    kind = TypeAdapter(NetworkConfig)
    text = json.dumps(kind.dump_python(NetworkConfig(head=head.name), mode="json"))
    loaded = kind.validate_json(text)
    own = None if head.name in HEADS else head
    assert loaded.head == head.name and head_named(loaded.head, own) is head
