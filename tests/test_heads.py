"""The quantile head: quantiles never cross, the median is the raw one, NumPy and PyTorch agree."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.model.heads import (
    AFFINE_HEADS,
    HEAD_QUANTILES,
    HEADS,
    MEDIAN,
    ONE,
    ZERO,
    Point,
    head_named,
    quantiles_from_raw,
    student_scores,
)

AT_0 = (ZERO, ONE)  # location and scale in the units that the network sees
RAW = np.random.default_rng(0).normal(0, 20, (50, 6, len(HEAD_QUANTILES)))


def test_the_levels_are_symmetric_about_the_median():
    assert HEAD_QUANTILES[MEDIAN] == 0.5 and len(HEAD_QUANTILES) == 2 * MEDIAN + 1
    np.testing.assert_allclose(np.add(HEAD_QUANTILES, HEAD_QUANTILES[::-1]), 1)
    assert list(HEAD_QUANTILES) == sorted(HEAD_QUANTILES)


def test_quantiles_never_cross_and_the_median_is_exact():
    quantiles = quantiles_from_raw(RAW, np)
    assert quantiles.shape == RAW.shape
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_array_equal(quantiles[..., MEDIAN], RAW[..., MEDIAN])


def test_each_step_is_the_softplus_of_its_own_raw_number():
    raw = np.linspace(-2.0, 2.0, len(HEAD_QUANTILES))
    step = np.log1p(np.exp(raw))
    expected = [
        *(raw[MEDIAN] - np.cumsum(step[MEDIAN - 1 :: -1]))[::-1],
        raw[MEDIAN],
        *(raw[MEDIAN] + np.cumsum(step[MEDIAN + 1 :])),
    ]
    np.testing.assert_allclose(quantiles_from_raw(raw, np), expected, rtol=1e-12)


def test_extreme_numbers_stay_finite():
    for size in (-1e4, 1e4):
        quantiles = quantiles_from_raw(np.full((1, 1, len(HEAD_QUANTILES)), size), np)
        assert np.isfinite(quantiles).all() and (np.diff(quantiles) >= 0).all()


def test_numpy_and_pytorch_agree():
    torch = pytest.importorskip("torch", reason="needs the train extra")
    theirs = quantiles_from_raw(torch.from_numpy(RAW), torch).numpy()
    np.testing.assert_allclose(theirs, quantiles_from_raw(RAW, np), rtol=1e-12)


LIKELIHOODS = ("normal", "student_t")


def raw_numbers(head, *shape):
    return np.random.default_rng(1).normal(0, 1.5, (*shape, head.outputs))


def frozen(name, raw):
    """The same distribution in scipy."""
    stats = pytest.importorskip(
        "scipy.stats", reason="the distributions are compared with scipy's"
    )
    scale = np.log1p(np.exp(raw[..., 1])) + 1e-4
    if name == "normal":
        return stats.norm(raw[..., 0], scale)
    return stats.t(2 + np.log1p(np.exp(raw[..., 2])), raw[..., 0], scale)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihoods_are_those_of_scipy(name):
    head = HEADS[name]
    raw = raw_numbers(head, 40, 3)
    target = np.random.default_rng(2).normal(0, 3, (40, 3))
    theirs = frozen(name, raw)
    np.testing.assert_allclose(
        head.loss(raw, target, *AT_0, np), -theirs.logpdf(target), rtol=1e-6
    )
    expected = np.stack([theirs.ppf(level) for level in HEAD_QUANTILES], axis=-1)
    np.testing.assert_allclose(
        head.quantiles(raw, *AT_0, np), expected, rtol=2e-3, atol=2e-3
    )  # Hill's quantiles: worst at two degrees of freedom
    np.testing.assert_array_equal(head.point(raw, *AT_0, np), raw[..., 0])


@pytest.mark.parametrize("freedom", [2.0, 2.2, 3.0, 4.9, 5.0, 8.0, 30.0, 1e5])
def test_scores_of_students_t(freedom):
    stats = pytest.importorskip(
        "scipy.stats", reason="the distributions are compared with scipy's"
    )
    ours = student_scores(np.array([freedom]))[0]
    np.testing.assert_allclose(
        ours,
        stats.t.ppf(HEAD_QUANTILES, freedom),
        rtol=2e-3 if freedom < 3 else 1e-6,
        atol=1e-12,
    )


@pytest.mark.parametrize("name", [head.name for head in AFFINE_HEADS])
def test_draws_have_the_quantiles_that_the_head_says(name):
    head = HEADS[name]
    raw = np.broadcast_to(raw_numbers(head, 1), (40_000, head.outputs))
    drawn = np.quantile(
        head.sample(raw, *AT_0, np.random.default_rng(3)), HEAD_QUANTILES
    )
    expected = head.quantiles(raw[0], *AT_0, np)
    np.testing.assert_allclose(
        drawn, expected, atol=0.04 * (expected[-1] - expected[0]) + 1e-9
    )


@pytest.mark.parametrize("name", [head.name for head in AFFINE_HEADS])
def test_a_head_starts_from_spreads_that_grow_like_a_random_walks(name):
    head = HEADS[name]
    raw_HR = head.initial(9)
    assert (
        raw_HR.shape == (9, head.outputs) and (head.point(raw_HR, *AT_0, np) == 0).all()
    )
    quantiles = head.quantiles(raw_HR, *AT_0, np)
    width = quantiles[:, -1] - quantiles[:, 0]
    if name != "point":
        np.testing.assert_allclose(
            width / width[0], np.sqrt(np.arange(1, 10)), rtol=1e-3
        )


@pytest.mark.parametrize("name", [head.name for head in AFFINE_HEADS])
def test_losses_are_least_near_the_truth_and_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    head = HEADS[name]
    raw = raw_numbers(head, 7, 2)
    target = head.point(raw, *AT_0, np) + np.random.default_rng(4).normal(size=(7, 2))
    around = torch.zeros(()), torch.ones(())
    theirs = head.loss(
        torch.from_numpy(raw), torch.from_numpy(target), *around, torch
    ).numpy()
    np.testing.assert_allclose(theirs, head.loss(raw, target, *AT_0, np), rtol=1e-10)
    point = head.point(raw, *AT_0, np)
    nearer, further = (head.loss(raw, point + d, *AT_0, np) for d in (0, 50))
    assert (nearer < further).all()


def test_a_users_own_head_is_found_by_its_name():
    class Own(Point):
        name = "own"

    own = Own()
    assert head_named("own", own) is own and head_named("normal") is HEADS["normal"]
    with pytest.raises(UsageError, match="head='other' is not known"):
        head_named("other")
    with pytest.raises(
        UsageError, match="is named 'own', and the network's head is 'normal'"
    ):
        head_named("normal", own)


def test_what_is_no_head_is_refused_and_what_it_lacks_is_said():
    class Former:
        name, outputs, location = "own", 1, 0

    class Signature(Point):
        name = "own"

        def loss(self, raw, target, xp):  # pyright: ignore[reportIncompatibleMethodOverride]
            return (target - raw[..., 0]) ** 2

    with pytest.raises(
        UsageError, match="it lacks center, spreads, affine, point, quantiles"
    ):
        head_named("own", Former())
    with pytest.raises(
        UsageError, match=r"cannot be called as loss\(raw, target, location, scale, xp"
    ):
        head_named("own", Signature())
    with pytest.raises(UsageError, match="it is a class"):
        head_named("point", Point)
