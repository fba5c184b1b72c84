"""What every head keeps to, a user's own one included.

R raw numbers per value · Q quantile levels
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from lstmcast.model.heads import HEAD_QUANTILES, HEADS, Head, head_named
from lstmcast.model.network import NetworkConfig


class Laplace:
    """A user's own head: location and scale of a Laplace distribution."""

    name, outputs, location = "laplace", 2, 0

    def _scale(self, raw, xp):
        return xp.logaddexp(raw[..., 1], xp.zeros_like(raw[..., 1])) + 1e-4

    def point(self, raw, xp):
        return raw[..., 0]

    def quantiles(self, raw, xp):
        tails = [math.log(2 * min(level, 1 - level)) for level in HEAD_QUANTILES]
        scores = [t if q < 0.5 else -t for t, q in zip(tails, HEAD_QUANTILES, strict=True)]
        score_Q = xp.asarray(scores, dtype=raw.dtype)
        return raw[..., :1] + self._scale(raw, xp)[..., None] * score_Q

    def loss(self, raw, target, xp):
        scale = self._scale(raw, xp)
        return xp.abs(target - raw[..., 0]) / scale + xp.log(2 * scale)

    def sample(self, raw, rng):
        return rng.laplace(raw[..., 0], self._scale(raw, np))

    def initial(self, horizon):
        return np.zeros((horizon, 2))


ALL: dict[str, Head] = {**HEADS, "laplace": Laplace()}
SHAPE = (40, 3)


@pytest.fixture(params=ALL)
def head(request) -> Head:
    return ALL[request.param]


@pytest.fixture
def raw(head):
    return np.random.default_rng(1).normal(0, 1.5, (*SHAPE, head.outputs))


def moved(raw, head, distance):
    """Raw numbers of an answer that lies elsewhere."""
    elsewhere = raw.copy()
    elsewhere[..., head.location] += distance
    return elsewhere


def test_quantiles_do_not_cross_and_the_point_lies_among_them(head, raw):
    quantiles, point = head.quantiles(raw, np), head.point(raw, np)
    assert quantiles.shape == (*SHAPE, len(HEAD_QUANTILES)) and point.shape == SHAPE
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert (quantiles[..., 0] <= point).all() and (point <= quantiles[..., -1]).all()


def test_location_moves_the_whole_answer(head, raw):
    elsewhere = moved(raw, head, 7.0)
    np.testing.assert_allclose(head.point(elsewhere, np), head.point(raw, np) + 7)
    np.testing.assert_allclose(head.quantiles(elsewhere, np), head.quantiles(raw, np) + 7)


@pytest.mark.parametrize("distance", [0.5, 5.0, 50.0, -50.0])
def test_the_loss_is_finite_and_lower_near_the_target(head, raw, distance):
    target = head.point(raw, np)
    near, far = (head.loss(moved(raw, head, d), target, np) for d in (0.0, distance))
    assert near.shape == SHAPE and np.isfinite(near).all() and np.isfinite(far).all()
    # the median of a wide distribution is not always nearer to its own loss by half a unit
    assert near.mean() < far.mean() and (abs(distance) < 50 or (near < far).all())


@pytest.mark.parametrize("size", [-300.0, 300.0])
def test_answers_to_extreme_raw_numbers_are_numbers(head, size):
    raw = np.full((2, head.outputs), size, np.float32)
    for answer in (head.point(raw, np), head.quantiles(raw, np)):
        assert np.isfinite(answer).all()
    assert np.isfinite(head.loss(raw, np.zeros(2, np.float32), np)).all()


def test_numpy_and_pytorch_agree(head, raw):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    tensor = torch.from_numpy(raw)
    target = np.random.default_rng(2).normal(size=SHAPE)
    theirs = {
        "point": head.point(tensor, torch),
        "loss": head.loss(tensor, torch.from_numpy(target), torch),
    }
    ours = {"point": head.point(raw, np), "loss": head.loss(raw, target, np)}
    if head.name != "student_t":  # its quantiles are for NumPy only: training does not need them
        theirs["quantiles"] = head.quantiles(tensor, torch)
        ours["quantiles"] = head.quantiles(raw, np)
    for name, own in ours.items():
        np.testing.assert_allclose(theirs[name].numpy(), own, rtol=1e-10, err_msg=name)


def test_the_loss_has_a_gradient(head, raw):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    tensor = torch.from_numpy(raw).requires_grad_()
    head.loss(tensor, torch.ones(SHAPE, dtype=torch.float64), torch).mean().backward()
    assert torch.isfinite(tensor.grad).all() and (tensor.grad[..., head.location] != 0).all()


def test_samples_are_reproducible_and_spread_as_the_quantiles_say(head):
    raw = np.broadcast_to([[0.3] * head.outputs], (20_000, head.outputs))
    drawn, again, other = (head.sample(raw, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert drawn.shape == (20_000,)
    np.testing.assert_array_equal(drawn, again)
    quantiles = head.quantiles(raw[0], np)
    width = quantiles[-1] - quantiles[0]
    assert (width == 0) == np.array_equal(drawn, other)
    np.testing.assert_allclose(
        np.quantile(drawn, HEAD_QUANTILES), quantiles, atol=0.05 * width + 1e-9
    )


def test_raw_numbers_to_start_from(head):
    raw_HR = head.initial(9)
    assert raw_HR.shape == (9, head.outputs) and np.isfinite(raw_HR).all()
    np.testing.assert_array_equal(head.point(raw_HR, np), np.zeros(9))


def test_the_name_survives_json(head):
    kind = TypeAdapter(NetworkConfig)
    text = json.dumps(kind.dump_python(NetworkConfig(head=head.name), mode="json"))
    loaded = kind.validate_json(text)
    own = None if head.name in HEADS else head
    assert loaded.head == head.name and head_named(loaded.head, own) is head
