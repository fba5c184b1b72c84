"""What all inputs keep to: a batch is its ticks, rows are apart, nothing looks ahead, and there
is a way back."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import with_open_ends
from lstmcast.errors import UsageError
from lstmcast.model.inputs import Adaptive, Grid, Running, Transformed
from lstmcast.model.inputs.adaptive import SHORTEST
from lstmcast.model.inputs.axis import from_axis, to_axis
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.network import NetworkConfig
from lstmcast.transforms import (
    BoxCox,
    Chain,
    Difference,
    Log1p,
    MeanAbs,
    MinMax,
    Standard,
)
from lstmcast.util.states import arrays_of, joined, mapped, rows_of, with_rows

HORIZON, ROWS, STEPS = 4, 5, 60


class Case(NamedTuple):
    """Inputs, and what is known of their rows in advance."""

    inputs: Any
    log: tuple[bool, ...] = (False,) * ROWS
    periods: tuple[int, ...] = (7,)
    root: tuple[bool, ...] = (False,) * ROWS


BY_SERIES = {
    f"s{k}": (Log1p(), Difference(3)) if k % 2 else Standard() for k in range(ROWS)
}
CASES = {
    "adaptive": Case(Adaptive(window=5)),
    "adaptive, logarithms": Case(Adaptive(), (True,) * ROWS, (4, 12)),
    "adaptive, all axes": Case(
        Adaptive(window=3),
        (True, False, True, False, False),
        (),
        (False, True, False, False, True),
    ),
    "adaptive, widths of phases": Case(
        Adaptive(window=3, widths="seasonal"), (True, False, True, False, True), (24,)
    ),
    "identity": Case(Transformed()),
    "standard": Case(Transformed(Standard())),
    "one scale": Case(Transformed(Log1p(), Standard(per="panel"))),
    "differences": Case(Transformed(Difference(), Difference(4))),
    "several": Case(Transformed(Log1p(), Difference(3), Standard())),
    "apart": Case(Transformed(Chain((MeanAbs(), MinMax()), apart=True))),
    "by series": Case(Transformed(BY_SERIES)),
    "two columns": Case(Transformed(Difference(2), Standard(), columns=2)),
    "past": Case(
        Transformed(Difference(), Standard(), past={"a": Log1p(), "b": Difference(3)})
    ),
    "two columns, past": Case(Transformed(Standard(), columns=2, past=["a"])),
    "running values": Case(Running(limit=None)),
    "running changes": Case(Running("changes", memory=20)),
    "running returns": Case(Running("returns", limit=None)),
    "running columns": Case(Running("changes", columns=3)),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
LABELLED = [name for name in CASES if not name.startswith("adaptive")]


def values_of(case, seed=0, missing=0.15, rows=ROWS):
    """Positive walks with gaps (B, T, K + P), some of which begin late: of the columns that are
    predicted, then of those that are only read."""
    rng = np.random.default_rng(seed)
    shape = (rows, STEPS, case.inputs.columns + len(case.inputs.past))
    walk_BTK = 60 + np.cumsum(rng.normal(size=shape), axis=1)
    walk_BTK[rng.random(shape) < missing] = np.nan
    walk_BTK[1, :9], walk_BTK[3, :2] = np.nan, np.nan
    return np.where(walk_BTK < 5, 5.0, walk_BTK)


def panel_of(case, values_BTK):
    """Each column of each row as a series, and those that are only read beside each of them."""
    K = case.inputs.columns
    series_ST = values_BTK[..., :K].transpose(0, 2, 1).reshape(-1, values_BTK.shape[1])
    beside = {
        name: np.repeat(values_BTK[..., K + p], K, axis=0)
        for p, name in enumerate(case.inputs.past)
    }
    past = {
        name: {f"s{k}": of[k] for k in range(len(of))} for name, of in beside.items()
    }
    series = {f"s{k}": values for k, values in enumerate(series_ST)}
    return with_open_ends(series, past=past)


def advance(case, state, values_BTK):
    """What the inputs see of T more values, given to them as they want them."""
    K = case.inputs.columns
    known = values_BTK[..., K:] if case.inputs.past else None
    return case.inputs.advance(state, values_BTK[..., :K], known)


def start(case, values_BTK, until=STEPS // 2):
    """The state before the first value; what is fitted is fitted to the first `until` of them."""
    B, K = len(values_BTK), case.inputs.columns
    axes = np.array(case.log[:B]), np.array(case.root[:B])
    grid = Grid(HORIZON, case.periods, "monthly", *axes)
    if not isinstance(case.inputs, Transformed):
        return case.inputs.start(grid, B)
    fitted = case.inputs.fit(panel_of(case, values_BTK), np.full(B * K, until))
    return case.inputs.start(grid, B, fitted)


def read(case, state, values_BTK, bounds=()):
    """What is seen of all steps, in chunks that end at these bounds: x, begun, labels; and the
    state."""
    parts = []
    for first, last in zip([0, *bounds], [*bounds, values_BTK.shape[1]], strict=True):
        seen, state = advance(case, state, values_BTK[:, first:last])
        parts.append(
            [
                seen.x_BTC,
                seen.begun_BT,
                *([] if seen.label_BTK is None else [seen.label_BTK]),
            ]
        )
    return [
        np.concatenate(several, axis=1) for several in zip(*parts, strict=True)
    ], state


def assert_same(one, other, rtol=1e-6, atol=1e-6):
    """Arrays of a list, or of states."""
    pairs = zip(_arrays(one), _arrays(other), strict=True)
    for (place, mine), (_, theirs) in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol, err_msg=place)


def _arrays(parts):
    return list(arrays_of(tuple(parts)))


# ---------------------------------------------------------------- reading


@each
def test_a_batch_is_its_ticks(case):
    values_BTK = values_of(case)
    fresh = start(case, values_BTK)
    at_once, after = read(case, fresh, values_BTK)
    one_by_one, ticked = read(case, fresh, values_BTK, range(1, STEPS))
    assert_same(one_by_one, at_once)
    assert_same(ticked, after)
    assert_same(_known(case, ticked), _known(case, after))


def _known(case, state):
    """What the way back is given after the newest values, as the values that an answer becomes
    there."""
    answer = np.full((len(_arrays(state)[-1][1]), HORIZON, case.inputs.columns, 1), 0.3)
    known = case.inputs.known(state)
    return [case.inputs.units(case.inputs.place(answer, known), known)]


@each
@settings(max_examples=8, deadline=None)
@given(
    bounds=st.sets(st.integers(1, STEPS - 1), max_size=6),
    seed=st.integers(0, 99),
    gaps=st.floats(0, 1),
)
def test_any_chunks_are_the_batch(case, bounds, seed, gaps):
    values_BTK = values_of(case, seed, gaps)
    fresh = start(case, values_of(case))
    at_once, after = read(case, fresh, values_BTK)
    chunked, in_chunks = read(case, fresh, values_BTK, sorted(bounds))
    assert_same(chunked, at_once)
    assert_same(in_chunks, after)


@each
@pytest.mark.parametrize("later", ["other values", "missing"])
def test_nothing_later_changes_anything_earlier(case, later):
    values_BTK = values_of(case)
    fresh = start(case, values_BTK)
    whole, _ = read(case, fresh, values_BTK)
    for step in (0, 1, 8, 30, STEPS - 2):
        changed_BTK = values_BTK.copy()
        changed_BTK[:, step + 1 :] = (
            np.nan if later == "missing" else 7 * values_of(case, 1)[:, step + 1 :]
        )
        for now, before in zip(read(case, fresh, changed_BTK)[0], whole, strict=True):
            np.testing.assert_array_equal(now[:, : step + 1], before[:, : step + 1])


@each
def test_the_values_are_seen(case):
    """So that the test before this one can fail: from a value on, what is seen of its row is
    another."""
    values_BTK = values_of(case, missing=0)
    fresh = start(case, values_BTK)
    other_BTK = values_BTK.copy()
    other_BTK[:, 40:] += 1 + np.arange(20)[:, None] % 3
    (x, *_), (other, *_) = (
        read(case, fresh, given)[0] for given in (values_BTK, other_BTK)
    )
    assert (x[:, 40] != other[:, 40]).any(axis=1).all()


@each
def test_rows_are_apart_and_their_order_does_not_matter(case):
    values_BTK, order = values_of(case), np.array([3, 0, 4])
    fresh = start(case, values_BTK)
    whole, after = read(case, fresh, values_BTK)
    some, after_some = read(case, rows_of(fresh, order), values_BTK[order])
    assert_same(some, [array[order] for array in whole])
    assert_same(after_some, rows_of(after, order))
    assert_same(_known(case, after_some), [_known(case, after)[0][order]])


@each
def test_a_state_is_taken_apart_and_put_together(case):
    values_BTK = values_of(case)
    first, rest = values_BTK[:, :25], values_BTK[:, 25:]
    fresh = start(case, values_BTK)
    _, state = read(case, fresh, first)
    expected, _ = read(case, state, rest)
    together = joined(rows_of(state, np.array([0, 1])), rows_of(state, slice(2, None)))
    assert_same(read(case, together, rest)[0], expected, rtol=0, atol=0)

    renewed = with_rows(state, np.array([2, 0]), rows_of(fresh, np.array([2, 0])))
    begun_anew, _ = read(case, rows_of(fresh, np.array([0, 2])), rest[[0, 2]])
    mixed, _ = read(case, renewed, rest)
    assert_same([array[[0, 2]] for array in mixed], begun_anew)
    assert_same(
        [array[[1, 3, 4]] for array in mixed], [array[[1, 3, 4]] for array in expected]
    )
    # and was not written to
    assert_same(read(case, state, rest)[0], expected, rtol=0, atol=0)


@each
def test_what_is_given_is_not_written_to(case):
    values_BTK = values_of(case)
    _, state = read(case, start(case, values_BTK), values_BTK)
    known = case.inputs.known(state)
    answer = np.full((ROWS, HORIZON, case.inputs.columns, 1), 0.2)
    given = [values_BTK, answer, *(array for _, array in _arrays((state, known)))]
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    advance(case, state, values_BTK)
    if not case.inputs.past:
        case.inputs.feed(answer[..., 0], state)
    case.inputs.units(case.inputs.place(answer, known), known)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@each
def test_the_channels_are_as_many_as_the_network_reads(case):
    values_BTK = values_of(case)
    seen, state = advance(case, start(case, values_BTK), values_BTK)
    width = NetworkConfig((4,), case.inputs, horizon=HORIZON).width
    assert seen.x_BTC.shape == (ROWS, STEPS, width) and seen.x_BTC.dtype == np.float32
    assert seen.begun_BT.shape == (ROWS, STEPS) and seen.begun_BT.dtype == bool
    assert np.isfinite(seen.x_BTC).all() and not seen.x_BTC[~seen.begun_BT].any()
    assert (np.diff(seen.begun_BT.astype(int), axis=1) >= 0).all()  # once begun, always
    assert seen.begun_BT[:, -1].all() and not seen.begun_BT[1, :9].any()
    assert all(len(array) == ROWS for _, array in _arrays(state))


# ---------------------------------------------------------------- missing values


@each
def test_a_row_of_which_nothing_is_known_does_not_begin(case):
    values_BTK = values_of(case)
    fresh = start(case, values_BTK)
    values_BTK[2] = np.nan
    seen, state = advance(case, fresh, values_BTK)
    assert not seen.begun_BT[2].any() and not seen.x_BTC[2].any()
    later = advance(case, rows_of(state, np.array([2])), values_of(case, 5)[2:3])[0]
    expected = advance(case, rows_of(fresh, np.array([2])), values_of(case, 5)[2:3])[0]
    assert_same([later.x_BTC, later.begun_BT], [expected.x_BTC, expected.begun_BT])


@each
def test_a_missing_value_is_none_to_learn_from(case):
    values_BTK = values_of(case, missing=0)
    values_BTK[:, 40] = np.nan
    seen, _ = advance(case, start(case, values_BTK), values_BTK)
    assert seen.begun_BT[:, 40].all() and np.isfinite(seen.x_BTC[:, 40]).all()
    if seen.label_BTK is None:
        return
    assert (
        np.isnan(seen.label_BTK[:, 40]).all()
        and np.isfinite(seen.label_BTK[:, 39]).all()
    )
    # the newest one again
    np.testing.assert_array_equal(seen.x_BTC[:, 40], seen.x_BTC[:, 39])


# ---------------------------------------------------------------- the way back


@each
@pytest.mark.parametrize("answers", [1, 7])
def test_answers_come_back_in_the_units_of_the_data(case, answers):
    values_BTK = values_of(case)
    _, state = read(case, start(case, values_BTK), values_BTK)
    known = case.inputs.known(state)
    shape = (ROWS, HORIZON, case.inputs.columns, answers)
    raw = np.sort(np.random.default_rng(0).normal(size=shape) / 10, axis=3)
    z_NHKX = case.inputs.place(raw, known)
    # Differences add up, so that quantiles of theirs have no way back; sample paths have.
    paths = isinstance(case.inputs, Transformed)
    values = case.inputs.units(z_NHKX, known, paths)
    assert z_NHKX.shape == values.shape == shape and values.dtype == float
    assert np.isfinite(values).all()
    for rows in (np.array([2]), np.array([4, 0, 4])):
        own = case.inputs.known(rows_of(state, rows))
        some = case.inputs.units(case.inputs.place(raw[rows], own), own, paths)
        np.testing.assert_allclose(some, values[rows], rtol=1e-9)


@pytest.mark.parametrize("name", LABELLED)
def test_what_should_have_been_answered_is_the_value_that_came(name):
    """The label of a tick, said one tick earlier, comes back as the value of the tick."""
    case = CASES[name]
    values_BTK = values_of(case)
    state, compared = start(case, values_BTK), 0
    for step in range(STEPS):
        known = case.inputs.known(state)
        seen, state = advance(case, state, values_BTK[:, step : step + 1])
        label_NHKX = seen.label_BTK[..., None]
        back = case.inputs.units(case.inputs.place(label_NHKX, known), known)[
            :, 0, :, 0
        ]
        here = np.isfinite(back)
        if isinstance(case.inputs, Running) and case.inputs.limit is not None:
            here &= np.abs(label_NHKX[:, 0, :, 0]) < case.inputs.limit
        came_BK = values_BTK[:, step, : case.inputs.columns]
        np.testing.assert_allclose(back[here], came_BK[here], rtol=1e-9)
        compared += here.sum()
    assert compared > 0.5 * ROWS * STEPS * case.inputs.columns


@pytest.mark.parametrize("name", [name for name in CASES if name not in LABELLED])
def test_targets_of_adaptive_inputs_are_the_values_that_came(name):
    """As labels are of the others: `place` undoes `targets`, and `units` gives the values."""
    case = CASES[name]
    values_BTK = values_of(case, missing=0)
    axes = np.array(case.log), np.array(case.root)
    seen, state = advance(case, start(case, values_BTK), values_BTK[:, :40])
    known = positions_of(seen.known, np.arange(ROWS), 39)
    assert_same(known, case.inputs.known(state))
    assert (known.age >= SHORTEST).all()
    ahead = values_BTK[:, 40 : 40 + HORIZON, 0]
    z_NH = to_axis(ahead, *axes)
    z_NHKX = case.inputs.place(
        case.inputs.targets(z_NH, known)[:, :, None, None], known
    )
    np.testing.assert_allclose(from_axis(z_NHKX[..., 0, 0], *axes), ahead, rtol=1e-9)
    values = case.inputs.units(z_NHKX, known)[..., 0, 0]
    np.testing.assert_allclose(values, ahead, rtol=1e-9)


@pytest.mark.parametrize(
    "name", [name for name in CASES if not CASES[name].inputs.past]
)
def test_answers_that_are_fed_back_are_read(name):
    """What the axis of the inputs promises: fed back, a value is seen as if it had been
    observed. Of columns that are only read nothing is known there."""
    case = CASES[name]
    values_BTK = values_of(case, missing=0)
    _, state = read(case, start(case, values_BTK), values_BTK[:, :40])
    ahead = values_BTK[:, 40 : 40 + HORIZON]
    observed, after = advance(case, state, ahead)
    if isinstance(case.inputs, Adaptive):
        point_NHK = to_axis(ahead, np.array(case.log), np.array(case.root))
    else:
        point_NHK = observed.label_BTK
    seen, fed = case.inputs.feed(point_NHK, state)
    width = case.inputs.width(HORIZON)
    assert seen.x_BTC.shape == (ROWS, HORIZON, width) and seen.x_BTC.dtype == np.float32
    assert seen.begun_BT.all() and seen.begun_BT.shape == (ROWS, HORIZON)
    assert type(fed) is type(state)
    if isinstance(case.inputs, Running):  # in the units that were known before
        np.testing.assert_allclose(seen.x_BTC, point_NHK, rtol=1e-6)
    else:
        np.testing.assert_allclose(seen.x_BTC, observed.x_BTC, rtol=1e-5, atol=1e-5)
    if isinstance(case.inputs, Adaptive):
        assert_same(fed.known._replace(value=after.known.value), after.known)


@pytest.mark.parametrize(
    "name", [name for name in CASES if isinstance(CASES[name].inputs, Transformed)]
)
def test_a_network_learns_from_what_it_is_shown_in_use(name):
    """`data` gives the inputs and the labels that `advance` gives."""
    case = CASES[name]
    values_BTK = values_of(case)[: 1 if case.inputs.columns > 1 else ROWS]
    B, K = len(values_BTK), case.inputs.columns
    panel = panel_of(case, values_BTK)
    data, fitted = case.inputs.data(panel, np.full(B * K, 30))
    seen, _ = advance(case, case.inputs.start(Grid(HORIZON), B, fitted), values_BTK)
    inputs_BTK, labels_BTK = (
        data.inputs.reshape(B, STEPS, -1),
        data.labels.reshape(B, STEPS, K),
    )
    np.testing.assert_allclose(labels_BTK, seen.label_BTK, rtol=1e-9)
    both = np.isfinite(inputs_BTK) & seen.begun_BT[..., None]
    np.testing.assert_allclose(seen.x_BTC[both], inputs_BTK[both], rtol=1e-6)
    assert both.mean() > 0.5


@pytest.mark.parametrize(
    "name", [name for name in CASES if isinstance(CASES[name].inputs, Running)]
)
def test_running_inputs_have_no_panel_to_learn_from(name):
    inputs = CASES[name].inputs
    with pytest.raises(UsageError, match=r"learns tick by tick. Use lc\.Stream"):
        inputs.data(
            panel_of(CASES[name], values_of(CASES[name])),
            np.full(ROWS * inputs.columns, 30),
        )


# ---------------------------------------------------------------- units of the data do not matter

AFFINE = {
    "adaptive": (3.5, -40.0),
    "adaptive, logarithms": (3.5, 0.0),
    "adaptive, all axes": (3.5, 0.0),
    "standard": (3.5, -40.0),
    "two columns": (3.5, -40.0),
    "apart": (3.5, 0.0),
    "running values": (3.5, -40.0),
    "running changes": (3.5, -40.0),
    "running returns": (3.5, 0.0),
    "running columns": (3.5, -40.0),
}


@pytest.mark.parametrize("name", AFFINE)
def test_a_factor_and_a_shift_are_taken_out_and_put_back(name):
    """What the network sees is the same, and the same answers come back with factor and shift."""
    case, (factor, shift) = CASES[name], AFFINE[name]
    values_BTK = values_of(case)
    other_BTK = factor * values_BTK + shift
    seen, state = read(case, start(case, values_BTK), values_BTK)
    other, moved = read(case, start(case, other_BTK), other_BTK)
    assert_same(other, seen, rtol=1e-5, atol=2e-5)
    (back,), (other_back,) = _known(case, state), _known(case, moved)
    np.testing.assert_allclose(other_back, factor * back + shift, rtol=1e-7)


# ---------------------------------------------------------------- as a specification


@each
def test_inputs_go_through_json(case):
    config = NetworkConfig((4,), case.inputs, head="point", horizon=HORIZON)
    about = json.loads(json.dumps(config.described()))
    again = NetworkConfig(**about)
    assert again == config and again.inputs == case.inputs
    assert repr(again.inputs) == repr(case.inputs) and type(again.inputs) is type(
        case.inputs
    )
    assert about["inputs"]["kind"] == case.inputs.kind
    assert again.width == config.width


@each
def test_inputs_are_frozen_and_differ_by_their_settings(case):
    with pytest.raises((FrozenInstanceError, AttributeError)):
        case.inputs.columns = 2
    assert sum(case.inputs == other.inputs for other in CASES.values()) == 1
    assert case.inputs.columns >= 1 and case.inputs.skips == isinstance(
        case.inputs, Adaptive
    )


@pytest.mark.parametrize(
    "kind",
    [Adaptive(), Transformed(BoxCox(0), Difference()), Running("returns")],
    ids=str,
)
def test_how_inputs_are_written_makes_them(kind):
    names = {"Adaptive": Adaptive, "Transformed": Transformed, "Running": Running}
    assert (
        eval(repr(kind), names | {"BoxCox": BoxCox, "Difference": Difference}) == kind
    )


@pytest.mark.parametrize(
    "made",
    [
        lambda: Adaptive(window=1),
        lambda: Running("size"),
        lambda: Running(memory=1.0),
        lambda: Running(limit=0.0),
        lambda: Running(columns=0),
        lambda: Transformed(columns=0),
        lambda: Transformed(columns=1.5),
        lambda: Transformed("log"),
        lambda: NetworkConfig((4,), inputs="adaptive"),
        lambda: NetworkConfig((4,), inputs=Standard()),
        lambda: NetworkConfig((4,), inputs={"kind": "other"}),
    ],
)
def test_settings_that_make_no_inputs_are_refused_where_they_are_given(made):
    with pytest.raises(UsageError):
        made()


def test_a_state_is_mapped_array_by_array():
    class Two(NamedTuple):
        a: np.ndarray
        parts: tuple
        name: str

    state = Two(np.arange(3), (np.ones((3, 2)), None), "x")
    doubled = mapped(lambda array: 2 * array, state)
    assert (
        doubled.a.tolist() == [0, 2, 4]
        and doubled.parts[1] is None
        and doubled.name == "x"
    )
    assert [place for place, _ in arrays_of(state)] == [".a", ".parts.0"]
    assert joined(state, rows_of(state, slice(0, 1))).a.tolist() == [0, 1, 2, 0]
