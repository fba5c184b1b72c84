"""Transformed inputs: what a forecast reads, how it is fed back, and the way back to
units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import drawn_network, plain_config
from lstmcast.context import Newest, Whole
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader, decode, hidden_states
from lstmcast.errors import DataError, UsageError
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN, ONE, ZERO
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network
from lstmcast.transforms import BoxCox, Chain, Difference, Log1p, MinMax, Standard

VALUES = {"a": 5 + np.arange(30.0) % 7, "b": 40 + 3 * np.sin(np.arange(22.0))}


def network(seed=0, members=1, **chosen):
    return drawn_network(plain_config(**{"layers": (4, 3)} | chosen), members, seed)


def reader(net, transforms=(), fitted=None, context=None):
    inputs = Transformed(transforms, columns=net.config.inputs.columns)
    return Reader(net.with_inputs(inputs), fitted, context or Whole())


def panel(values=None):
    return Panel.from_arrays(VALUES if values is None else values)


def by_hand(net, inputs, steps=1, member=0):
    """Feed the network one value at a time, then its own points: (steps, H) of them."""
    alone = Network(net.config, [net.members[member]])
    state, answers, begun = alone.start(1), [], np.ones((1, 1), bool)
    for x in inputs:
        hidden, state = alone.run(np.full((1, 1, 1), x, np.float32), begun, state)
    for _ in range(steps):
        (raw,) = alone.raw([hidden[0][0]], np.empty(0))
        answers.append(alone.head.point(raw, ZERO, ONE, np)[0, :, 0])
        hidden, state = alone.run(
            np.full((1, 1, 1), answers[-1][0], np.float32), begun, state
        )
    return np.array(answers)


def at(series, count):
    return Origins(np.array([series]), np.array([count]))


def test_without_transforms_it_is_the_network_fed_by_hand():
    plain = reader(network(), ())
    expected = by_hand(plain.network, VALUES["a"][:20], steps=6)[:, 0]
    np.testing.assert_allclose(
        decode(plain, panel(), at(0, 20), 6)[0, :, MEDIAN], expected, rtol=1e-5
    )


def test_windows_are_read_afresh_for_every_step_that_is_fed_back():
    plain = reader(network(), (), context=Newest(5))
    read = list(VALUES["a"][:20])
    for _ in range(4):
        read.append(by_hand(plain.network, read[-5:])[0, 0])
    np.testing.assert_allclose(
        decode(plain, panel(), at(0, 20), 4)[0, :, MEDIAN], read[20:], rtol=1e-5
    )


def test_a_head_of_several_steps_feeds_back_blocks_or_freely_single_steps():
    plain = reader(network(horizon=3), ())
    first = by_hand(plain.network, VALUES["a"][:20])[0]
    second = by_hand(plain.network, [*VALUES["a"][:20], *first])[0]
    direct = decode(plain, panel(), at(0, 20), 5)[0, :, MEDIAN]
    np.testing.assert_allclose(direct, [*first, *second[:2]], rtol=1e-5)
    free = decode(plain, panel(), at(0, 20), 5, recursive=True)[0, :, MEDIAN]
    np.testing.assert_allclose(
        free, by_hand(plain.network, VALUES["a"][:20], steps=5)[:, 0], rtol=1e-5
    )


def test_transforms_go_there_and_back():
    plain = reader(network(), (Difference(), MinMax()))
    known = VALUES["b"][:15]
    changes = np.diff(known)
    low, high = changes.min(), changes.max()
    scaled = by_hand(plain.network, (changes - low) / (high - low), steps=3)[:, 0]
    expected = known[-1] + np.cumsum(scaled * (high - low) + low)
    np.testing.assert_allclose(
        decode(plain, panel(), at(1, 15), 3)[0, :, MEDIAN], expected, rtol=1e-5
    )


def test_labels_that_are_scaled_apart_become_inputs_again():
    chain = Chain((Difference(), MinMax()), apart=True)
    plain = reader(network(), chain)
    known = VALUES["b"][:15]
    inputs, labels = np.diff(known)[:-1], np.diff(known)[1:]
    (low, span), (label_low, label_span) = (
        (part.min(), np.ptp(part)) for part in (inputs, labels)
    )
    read, expected = list((np.diff(known) - low) / span), known[-1]
    for _ in range(2):
        change = by_hand(plain.network, read)[0, 0] * label_span + label_low
        expected += change
        read.append((change - low) / span)
    np.testing.assert_allclose(
        decode(plain, panel(), at(1, 15), 2)[0, 1, MEDIAN], expected, rtol=1e-5
    )


@pytest.mark.parametrize("learned", ["nothing", "one", "both"])
@pytest.mark.parametrize("context", [None, 6])
@pytest.mark.parametrize("head", ["point", "quantiles", "normal", "student_t"])
def test_many_origins_are_as_one_and_later_values_change_nothing(
    context, head, learned
):
    plain = reader(network(head=head, members=2), Standard(), context=context)
    trained_on = {
        "one": panel().select("a").until([12]),
        "both": panel().until([12, 12]),
    }
    if learned in trained_on:
        fitted = plain.network.config.inputs.fitted_to(trained_on[learned], None)
        plain = replace(plain, fitted=fitted)
    series, counts = np.repeat([0, 1], 9), np.tile(np.arange(12, 21), 2)
    together = decode(plain, panel(), Origins(series, counts), 1)
    assert (
        together.shape == (18, 1, len(HEAD_QUANTILES))
        and (np.diff(together, axis=2) >= 0).all()
    )
    for place in (0, 5, 12, 17):
        cut = panel({name: values[: counts[place]] for name, values in VALUES.items()})
        alone = decode(plain, cut, at(series[place], counts[place]), 1)
        np.testing.assert_allclose(together[place], alone[0], rtol=1e-5)


def test_sample_paths_spread_with_the_horizon_and_are_the_same_each_time():
    plain = reader(network(head="normal", members=2), (Difference(), Standard()))
    quantiles = decode(plain, panel(), at(0, 25), 8)
    width = quantiles[0, :, -1] - quantiles[0, :, 0]
    assert (width[3:] > width[0]).all()
    np.testing.assert_array_equal(decode(plain, panel(), at(0, 25), 8), quantiles)


def test_what_transforms_learn_at_an_origin_is_what_is_known_there():
    plain, values = reader(network(), Standard()), VALUES["b"][:15]
    scaled = (values - values.mean()) / values.std()
    expected = by_hand(plain.network, scaled)[0] * values.std() + values.mean()
    for others in ([], [2], [9, 22]):
        counts = np.array([15, *others])
        together = decode(plain, panel(), Origins(np.full(len(counts), 1), counts), 1)
        np.testing.assert_allclose(together[0, :, MEDIAN], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "transform", [Standard(per="panel"), MinMax(per="panel")], ids=str
)
def test_what_is_learned_from_all_series_knows_nothing_later_either(transform):
    plain = reader(network(), transform)
    together = decode(
        plain, panel(), Origins(np.array([0, 0, 1, 1]), np.array([10, 20, 10, 20])), 2
    )
    early = {name: values[:10] for name, values in VALUES.items()}
    np.testing.assert_allclose(
        decode(plain, panel(early), Origins(np.arange(2), np.full(2, 10)), 2),
        together[::2],
    )


def test_columns_that_nothing_was_learned_of_are_scaled_by_what_is_known():
    joint = {"sin": np.sin(np.arange(40) / 3), "cos": 5 * np.cos(np.arange(40) / 3)}
    plain = reader(network(inputs=Transformed(columns=2)), Standard())
    together = decode(
        plain,
        panel(joint),
        Origins(np.array([0, 1, 0, 1]), np.array([30, 30, 12, 12])),
        2,
    )
    early = panel({name: values[:12] for name, values in joint.items()})
    np.testing.assert_allclose(
        decode(plain, early, Origins(np.arange(2), np.full(2, 12)), 2), together[2:]
    )


@pytest.mark.parametrize("head", ["quantiles", "normal", "student_t"])
def test_the_first_answer_is_exact_however_far_is_forecast(head):
    plain = reader(network(head=head, horizon=3, members=2), Standard())
    exact, far = (decode(plain, panel(), at(0, 25), horizon) for horizon in (3, 8))
    np.testing.assert_array_equal(far[:, :3], exact)


def test_the_errors_of_sample_paths_are_not_the_same_for_all_series():
    twins = {f"series {k}": VALUES["a"] for k in range(20)}
    plain = reader(network(head="normal"), ())
    drawn = decode(plain, panel(twins), Origins(np.arange(20), np.full(20, 30)), 6)
    assert (np.ptp(drawn[:, 1:], axis=0) > 0).all()  # the first answer is exact
    ten = dict(list(twins.items())[10:])
    np.testing.assert_array_equal(
        decode(plain, panel(ten), Origins(np.arange(10), np.full(10, 30)), 6),
        drawn[10:],
    )


def test_quantiles_of_sums_are_refused_with_what_to_do():
    plain = reader(network(head="quantiles", horizon=4), Difference())
    with pytest.raises(UsageError, match=r"not sums of quantiles.*horizon=1"):
        decode(plain, panel(), at(0, 20), 4)
    assert decode(plain, panel(), at(0, 20), 1).shape == (1, 1, len(HEAD_QUANTILES))


def test_columns_are_read_together_and_each_is_predicted():
    joint = {"sin": np.sin(np.arange(40) / 3), "cos": np.cos(np.arange(40) / 3)}
    net = network(inputs=Transformed(columns=2), before=(5,))
    plain = reader(net, MinMax(-1, 1))
    quantiles = decode(
        plain, panel(joint), Origins(np.array([0, 1, 0]), np.array([30, 30, 20])), 3
    )
    swapped = {"sin": joint["cos"], "cos": joint["sin"]}
    assert quantiles.shape == (3, 3, len(HEAD_QUANTILES))
    assert not np.allclose(decode(plain, panel(swapped), at(0, 30), 3)[0], quantiles[0])
    alone = decode(
        plain,
        panel({name: values[:30] for name, values in joint.items()}),
        at(1, 30),
        1,
    )
    assert np.isfinite(alone).all()


@pytest.mark.parametrize(
    "wrong",
    [{"sin": np.ones(9)}, {"sin": np.ones(9), "cos": np.ones(8)}],
    ids=["one column", "other lengths"],
)
def test_joint_columns_must_fit(wrong):
    plain = reader(network(inputs=Transformed(columns=2)), ())
    with pytest.raises(DataError, match="reads 2 columns together"):
        decode(plain, panel(wrong), at(0, 5), 1)


def test_missing_values_are_carried_forward_and_leading_ones_are_not_read():
    values = np.array([np.nan, np.nan, 3.0, 4.0, np.nan, 6.0, 7.0])
    plain = reader(network(), ())
    inputs, one = plain.network.config.inputs, panel({"y": values})
    whole = inputs.whole(one, inputs.fitted_to(one, None))
    assert whole.begun_N.tolist() == [False, False, True, True, True, True, True]
    assert whole.x_NC[:, 0].tolist() == [0, 0, 3, 4, 4, 6, 7]
    expected = by_hand(plain.network, [3.0, 4.0, 4.0, 6.0, 7.0])[0]
    np.testing.assert_allclose(
        decode(plain, panel({"y": values}), at(0, 7), 1)[0, :, MEDIAN],
        expected,
        rtol=1e-5,
    )


def test_states_are_those_of_feeding_one_value_at_a_time():
    plain = reader(network(), ())
    ((h, c), (h2, c2)) = hidden_states(plain, panel())[1]
    assert h.shape == c.shape == (22, 4) and h2.shape == c2.shape == (22, 3)
    alone, state = plain.network, plain.network.start(1)
    _, state = alone.run(
        VALUES["b"][:5, None, None].astype(np.float32), np.ones((5, 1), bool), state
    )
    np.testing.assert_allclose(h[4], state[0][0][0][0], rtol=1e-5)
    np.testing.assert_allclose(c2[4], state[0][1][1][0], rtol=1e-5)


def test_what_is_learned_from_is_fitted_on_the_training_part():
    ends = np.array([20, 15])
    data, _ = Transformed(Chain((Difference(), MinMax()), apart=True)).data(
        panel(), ends
    )
    changed = panel(
        {
            name: np.append(values[:end], values[end:] * 9)
            for (name, values), end in zip(VALUES.items(), ends, strict=True)
        }
    )
    other, _ = Transformed(Chain((Difference(), MinMax()), apart=True)).data(
        changed, ends
    )
    np.testing.assert_array_equal(data.inputs[1:20], other.inputs[1:20])
    np.testing.assert_array_equal(data.scale, other.scale)
    label = data.labels[5, 0]
    assert data.scale[0, 0] * label + data.shift[0, 0] == pytest.approx(
        data.inputs[5, 0]
    )


def test_only_straight_lines_may_lead_from_labels_to_inputs():
    positive = panel(
        {"y": np.exp(np.random.default_rng(0).normal(size=40).cumsum() / 4)}
    )
    with pytest.raises(UsageError, match="Only scalings can be fitted apart"):
        Transformed(Chain((BoxCox(),), apart=True)).data(positive, np.array([30]))


def test_a_series_with_nothing_to_read_gives_its_newest_value_region():
    """One value and a difference: nothing was read, so the forecast is what a fresh state says,
    in units."""
    plain = reader(network(), (Log1p(), Standard()))
    assert np.isfinite(decode(plain, panel({"y": [4.0]}), at(0, 1), 2)).all()
