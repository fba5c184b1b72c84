"""What every transform and chain keeps to: exact inverses, nothing from the future, states that
can be saved."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast import store
from lstmcast.transforms import (
    BoxCox,
    Chain,
    Difference,
    Log1p,
    Logit,
    MeanAbs,
    MinMax,
    Robust,
    Standard,
)

STEPS = [
    Standard(),
    Standard(per="panel"),
    MinMax(),
    MinMax(-1, 1),
    MinMax(0.2, 0.5, per="panel"),
    Robust(),
    Robust(per="panel"),
    MeanAbs(),
    MeanAbs(per="panel"),
    Difference(),
    Difference(4),
    Log1p(),
    BoxCox(),
    BoxCox(0),
    BoxCox(-0.5),
    BoxCox(2),
    Logit(0, 2000),
]
CHAINS = [
    *(Chain((step,)) for step in STEPS),
    Chain(),
    Chain((Difference(), MinMax())),
    Chain((Difference(), MinMax()), apart=True),
    Chain((Log1p(), Difference(), Standard())),
    Chain((BoxCox(), Difference(4), Difference(), Robust()), apart=True),
    Chain((MeanAbs(), Log1p(), MinMax(-1, 1, per="panel"))),
    Chain((BoxCox(), MinMax()), apart=True),
]
LEARNED = [chain for chain in CHAINS if chain.steps and chain.steps[-1].learns._fields]
FITTED = [chain for chain in LEARNED if getattr(chain.steps[-1], "lmbda", None) is None]
POOLED = [
    chain
    for chain in CHAINS
    if any(getattr(step, "per", "") == "panel" for step in chain.steps)
]
ALONE = [chain for chain in CHAINS if chain not in POOLED]
MAPS = [chain for chain in CHAINS if not chain.accumulates]


def named(chain):
    return "-".join(map(str, chain.steps)) + "-apart" * chain.apart or "identity"


each = pytest.mark.parametrize("chain", CHAINS, ids=named)


def ragged(*series):
    """Values and offsets of series."""
    values = [np.asarray(one, float) for one in series]
    return np.concatenate([np.zeros(0), *values]), np.concatenate(
        [[0], np.cumsum([len(one) for one in values])]
    )


def panel(seed=0, count=7, missing=0.0, integers=False):
    """Positive series of several lengths, whose lowest values stand in the part that is always
    known."""
    rng = np.random.default_rng(seed)
    series = []
    for length in rng.integers(18, 40, count):
        one = (
            60
            + np.cumsum(rng.normal(0, 5, length))
            + 25 * np.sin(np.arange(length) * np.pi / 2)
        )
        one = np.clip(np.round(one) if integers else one, 10, 900)
        one[rng.random(length) < missing] = np.nan
        one[:2] = 10, 11
        series.append(one)
    return ragged(*series)


def cut(values, offsets, counts):
    return ragged(
        *(values[a : a + n] for a, n in zip(offsets[:-1], counts, strict=True))
    )


def at_cutoffs(part, offsets, series, counts, horizon):
    """The H values after each origin, (O, H, 1)."""
    return np.stack(
        [
            part[offsets[s] + n : offsets[s] + n + horizon]
            for s, n in zip(series, counts, strict=True)
        ]
    )[..., None]


def leaves(state):
    return [array for side in state for part in side for array in part]


def assert_same_state(one, other, **tolerance):
    assert len(leaves(one)) == len(leaves(other))
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@each
@pytest.mark.parametrize("labels", [False, True])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_inversion_at_any_cutoff_gives_the_series(chain, labels, seed):
    values, offsets = panel(seed)
    rng = np.random.default_rng(seed)
    lengths, horizon = np.diff(offsets), int(rng.integers(1, 7))
    series = rng.integers(0, len(lengths), 12)
    counts = rng.integers(chain.lag, lengths[series] - horizon + 1)
    state = chain.fit(*cut(values, offsets, np.maximum(lengths // 2, chain.lag + 2)))
    applied = chain.apply(values, offsets, state, labels)
    future = at_cutoffs(applied.values, offsets, series, counts, horizon)
    back = chain.invert(future, series, counts, applied, state, labels)
    np.testing.assert_allclose(
        back, at_cutoffs(values, offsets, series, counts, horizon), rtol=1e-10
    )
    assert back.dtype == float


@pytest.mark.parametrize(
    "chain",
    [Chain(), Chain((Difference(),)), Chain((Difference(4), Difference()))],
    ids=named,
)
def test_differences_of_integers_come_back_exact(chain):
    values, offsets = panel(3, integers=True)
    applied = chain.apply(values, offsets, chain.fit(values, offsets))
    series, counts = np.arange(7), np.diff(offsets) - 9
    future = at_cutoffs(applied.values, offsets, series, counts, 9)
    back = chain.invert(future, series, counts, applied, chain.fit(values, offsets))
    np.testing.assert_array_equal(back, at_cutoffs(values, offsets, series, counts, 9))


@each
def test_samples_are_inverted_one_by_one(chain):
    values, offsets = panel(1)
    state = chain.fit(values, offsets)
    applied = chain.apply(values, offsets, state)
    series, counts = np.array([2, 0, 2]), np.array([15, 9, 11])
    samples = np.random.default_rng(0).normal(0, 0.1, (3, 4, 5)) + 1
    together = chain.invert(samples, series, counts, applied, state, paths=True)
    for k in range(5):
        alone = chain.invert(samples[:, :, k : k + 1], series, counts, applied, state)
        np.testing.assert_array_equal(together[:, :, k : k + 1], alone)


@each
def test_nothing_after_the_training_part_changes_what_is_learned(chain):
    values, offsets = panel(4)
    ends = np.diff(offsets) - 5
    later = (
        np.arange(len(values)) - np.repeat(offsets[:-1] + ends, np.diff(offsets)) >= 0
    )
    changed = np.where(later, values * 1.7 + 3, values)
    state = chain.fit(*cut(values, offsets, ends))
    assert_same_state(state, chain.fit(*cut(changed, offsets, ends)), rtol=0)
    one, other = (
        chain.apply(given, offsets, state).values for given in (values, changed)
    )
    np.testing.assert_array_equal(one[~later], other[~later])


@pytest.mark.parametrize("chain", FITTED, ids=named)
def test_the_training_part_changes_what_is_learned(chain):
    """So that the test before this one can fail."""
    values, offsets = panel(4)
    state, other = chain.fit(values, offsets), chain.fit(values**1.3, offsets)
    assert any(
        not np.allclose(a, b) for a, b in zip(leaves(state), leaves(other), strict=True)
    )


@each
def test_the_way_back_knows_nothing_after_the_cutoff(chain):
    values, offsets = panel(4)
    series, counts = np.arange(7), np.diff(offsets) - 6
    state = chain.fit(*cut(values, offsets, counts))
    later = (
        np.arange(len(values)) - np.repeat(offsets[:-1] + counts, np.diff(offsets)) >= 0
    )
    answers = np.full((7, 6, 1), 0.3)
    one, other = (
        chain.invert(answers, series, counts, chain.apply(given, offsets, state), state)
        for given in (values, np.where(later, 55.0, values))
    )
    np.testing.assert_array_equal(one, other)


@each
def test_it_round_trips_through_json(chain):
    again = Chain.from_json(json.loads(json.dumps(chain.described())))
    assert again == chain and hash(again) == hash(chain)


@each
def test_its_state_round_trips_through_a_store(chain, tmp_path):
    values, offsets = panel(5)
    state = chain.fit(values, offsets)
    store.save(
        tmp_path / "model", chain.described(), {"transforms": chain.arrays(state)}
    )
    manifest, groups = store.load(tmp_path / "model")
    again = Chain.from_json({key: manifest[key] for key in ("steps", "apart")})
    state_again = again.state_from_arrays(groups["transforms"])
    assert_same_state(state, state_again, rtol=0)
    for labels in (False, True):
        one, other = (
            chain.apply(values, offsets, known, labels).values
            for known in (state, state_again)
        )
        np.testing.assert_array_equal(one, other)


@each
def test_missing_values_stay_missing_and_say_nothing(chain):
    values, offsets = panel(6, missing=0.2)
    state = chain.fit(values, offsets)
    transformed = chain.apply(values, offsets, state).values
    assert np.isnan(transformed[np.isnan(values)]).all()
    if not chain.accumulates:
        assert np.isfinite(transformed[~np.isnan(values)]).all()
        dropped = ragged(
            *(one[~np.isnan(one)] for one in np.split(values, offsets[1:-1]))
        )
        if not chain.apart:  # apart, the last value is left out, be it missing or not
            assert_same_state(state, chain.fit(*dropped), rtol=1e-9)


@each
def test_constant_series_come_back(chain):
    values, offsets = ragged(np.full(12, 0.1), np.full(9, 700.0))
    state = chain.fit(values, offsets)
    applied = chain.apply(values, offsets, state)
    assert np.isfinite(at_cutoffs(applied.values, offsets, [0, 1], [6, 6], 3)).all()
    for series in (0, 1):
        future = at_cutoffs(applied.values, offsets, [series], [6], 3)
        back = chain.invert(future, np.array([series]), np.array([6]), applied, state)
        np.testing.assert_allclose(back, (0.1, 700.0)[series], rtol=1e-12)


@each
def test_series_without_a_known_value_or_without_any_place_are_no_obstacle(chain):
    values, offsets = ragged(np.arange(1.0, 13.0), np.full(8, np.nan), [], [5.0])
    state = chain.fit(values, offsets)
    transformed = chain.apply(values, offsets, state).values
    assert np.isnan(transformed[12:20]).all()
    alone = chain.fit(values[:12], np.array([0, 12]))
    if chain in ALONE:
        np.testing.assert_allclose(
            transformed[:12], chain.apply(values[:12], np.array([0, 12]), alone).values
        )
    assert all(np.isfinite(array).all() and len(array) == 4 for array in leaves(state))


@pytest.mark.parametrize("chain", ALONE, ids=named)
def test_many_series_at_once_are_as_one_by_one(chain):
    values, offsets = panel(8, missing=0.1)
    together = chain.apply(values, offsets, chain.fit(values, offsets)).values
    for a, b in pairwise(offsets):
        alone = np.array([0, b - a])
        one = chain.apply(values[a:b], alone, chain.fit(values[a:b], alone)).values
        np.testing.assert_allclose(together[a:b], one, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("chain", POOLED, ids=named)
def test_a_panel_has_one_scale_and_new_series_take_it(chain):
    values, offsets = panel(8)
    state = chain.fit(values, offsets)
    pooled = next(
        k for k, step in enumerate(chain.steps) if getattr(step, "per", "") == "panel"
    )
    for array in state.inputs[pooled]:
        assert (array == array[0]).all()
    new = chain.fit(100 * values[: offsets[1]], offsets[:2], known=state)
    for array, before in zip(new.inputs[pooled], state.inputs[pooled], strict=True):
        np.testing.assert_array_equal(array, before[:1])


@pytest.mark.parametrize("chain", MAPS, ids=named)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_quantiles_is_kept(chain, seed):
    values, offsets = panel(seed)
    state = chain.fit(values, offsets)
    applied = chain.apply(values, offsets, state)
    rng = np.random.default_rng(seed)
    wide = np.sort(rng.normal(0, 10.0 ** rng.integers(-2, 4), (7, 3, 9)), axis=2)
    back = chain.invert(wide, np.arange(7), np.diff(offsets), applied, state)
    assert (np.diff(back, axis=2) >= 0).all() and np.isfinite(back).all()
    narrow = np.sort(rng.choice(applied.values[: offsets[1]], 9))
    back = chain.invert(
        narrow[None, None], np.array([0]), np.array([10]), applied, state
    )
    assert (np.diff(back.ravel())[np.diff(narrow) > 1e-6] > 0).all()


@each
def test_what_is_given_is_not_written_to(chain):
    values, offsets = panel(2, missing=0.1)
    series, counts, answers = np.arange(7), np.diff(offsets), np.full((7, 3, 1), 0.2)
    given = [values, offsets, series, counts, answers]
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    state = chain.fit(values, offsets)
    for array in leaves(state):
        array.flags.writeable = False
    chain.invert(answers, series, counts, chain.apply(values, offsets, state), state)
    chain.as_input(answers[:, 0, 0], series, state)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@each
def test_a_label_is_the_same_value_as_the_input_that_follows(chain):
    values, offsets = panel(9)
    state = chain.fit(values, offsets)
    inputs, labels = (
        chain.apply(values, offsets, state, side).values for side in (False, True)
    )
    rows = np.repeat(np.arange(7), np.diff(offsets))
    np.testing.assert_allclose(
        chain.as_input(labels, rows, state), inputs, rtol=1e-9, atol=1e-9
    )
    assert chain.apart == (not np.array_equal(inputs, labels, equal_nan=True))


@each
@pytest.mark.parametrize(
    "answer", [1e300, -1e300, np.finfo(float).max, -np.finfo(float).max]
)
def test_nothing_overflows_silently(chain, answer):
    values, offsets = panel(9)
    state = chain.fit(values, offsets)
    back = chain.invert(
        np.full((1, 9, 1), answer),
        np.array([0]),
        np.array([12]),
        chain.apply(values, offsets, state),
        state,
    )
    assert np.isfinite(back).all()


@pytest.mark.parametrize("chain", MAPS, ids=named)
@pytest.mark.parametrize("answer", [1e300, -1e300])
def test_what_comes_back_can_be_transformed_again(chain, answer):
    values, offsets = panel(9)
    state = chain.fit(values, offsets)
    applied = chain.apply(values, offsets, state)
    back = chain.invert(
        np.full((1, 1, 1), answer), np.array([0]), np.array([12]), applied, state
    )
    first = type(state)(
        *(tuple(type(p)(*(a[:1] for a in p)) for p in side) for side in state)
    )
    assert np.isfinite(chain.apply(back.ravel(), np.array([0, 1]), first).values).all()


@each
def test_a_panel_without_series_is_none_to_learn_from(chain):
    values, offsets = np.zeros(0), np.array([0])
    state = chain.fit(values, offsets)
    assert all(len(array) == 0 for array in leaves(state))
    assert chain.apply(values, offsets, state).values.shape == (0,)
