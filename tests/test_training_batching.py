"""Batches and batching schemes: what is read, from which state, with which targets."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.fit_data import AdaptiveData, TransformedData
from lstmcast.model.heads import head_named
from lstmcast.model.inputs import Adaptive, Grid, Transformed
from lstmcast.model.inputs.axis import LOG, to_axis
from lstmcast.model.lstm import Cell
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.util.parallel import ahead
from lstmcast.windows import Segments

torch = pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.training.batch import Group  # noqa: E402
from lstmcast.training.feeds import AdaptiveFeed  # noqa: E402
from lstmcast.training.losses import Sums, added, criterion  # noqa: E402
from lstmcast.training.module import NetworkModule, arrays_from_state  # noqa: E402
from lstmcast.training.plan import check_plan, make_batching  # noqa: E402
from lstmcast.training.reading import BatchReader, settled  # noqa: E402
from lstmcast.training.transformedfeed import TransformedFeed  # noqa: E402
from lstmcast.training_config import (  # noqa: E402
    Loss,
    Rollout,
    Stateful,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)

PLAIN = NetworkConfig(layers=(5, 4), inputs=Transformed(), head="point", horizon=1)
ADAPTIVE = NetworkConfig(layers=(6, 6), horizon=4, inputs=Adaptive(window=4))


def plain_data(lengths=(30, 17, 24), ends=None, channels=1, missing=(), **more):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(sum(lengths), channels))
    labels = 2 * values + 1
    values[list(missing)] = labels[list(missing)] = np.nan
    ids = np.array([f"s{k}" for k in range(len(lengths))], object)
    ends = np.array(lengths if ends is None else ends)
    return TransformedData(values, labels, np.cumsum([0, *lengths]), ends, ids, **more)


def reader_of(network=PLAIN, loss="auto"):
    torch.manual_seed(0)
    module = NetworkModule(network, initialiser="pytorch")
    return BatchReader(module, criterion(Loss(loss), head_named(network.head)), "cpu")


def losses_of(reader, data, batching, network=PLAIN, epoch=1, **settings):
    config = TrainingConfig(batching=batching, validation=None, **settings)
    made, _ = make_batching(network, data, config, "cpu", seed=0)
    return made, list(made.updates(reader, epoch, np.random.default_rng(0)))


def mean_of(updates):
    return float(added([update.sums for update in updates]).mean().detach())


def segments(series, first, last, begin, limit):
    return Segments(*(np.array(part) for part in (series, first, last, begin, limit)))


# Plain feeds


@pytest.mark.parametrize("missing", [(), (3, 4, 40)])
@pytest.mark.parametrize(("horizon", "counted"), [(1, None), (3, None), (3, 2)])
def test_a_plain_batch_is_what_a_loop_gathers(missing, horizon, counted):
    data = plain_data(channels=2, missing=missing, horizon=counted)
    network = NetworkConfig(
        layers=(3,), inputs=Transformed(columns=2), head="point", horizon=horizon
    )
    read = segments([1, 0, 2], [2, 0, 20], [7, 5, 23], [4, 0, 20], [17, 6, 24])
    batch = TransformedFeed(data, network, "cpu").batch(Group(read))
    for b, (s, first, last, begin, limit) in enumerate(zip(*read, strict=True)):
        carried = 0.0
        for t in range(last):
            place = data.offsets[s] + t
            carried = np.where(
                np.isnan(data.inputs[place]), carried, data.inputs[place]
            )
            if t >= first:
                np.testing.assert_array_equal(
                    batch.x_BTC[b, t - first], np.float32(carried)
                )
        for t in range(first, first + batch.target.shape[1]):
            for h in range(1, horizon + 1):
                use = begin <= t < last and t + h < limit and h <= (counted or horizon)
                expected = (
                    data.labels[data.offsets[s] + t + h] if use else [np.nan, np.nan]
                )
                np.testing.assert_array_equal(
                    batch.target[b, t - first - batch.begin, h - 1],
                    np.float32(expected),
                )


def test_complete_batches_are_not_masked_and_give_the_same_loss():
    data, reader = plain_data(), reader_of()
    batch = TransformedFeed(data, PLAIN, "cpu").batch(
        Group(segments([0, 1], [0, 3], [5, 8], [4, 7], [30, 17]))
    )
    assert batch.targets == 2 and batch.begin == 4
    one, other = (
        reader.read(part)[0].mean() for part in (batch, batch._replace(targets=None))
    )
    torch.testing.assert_close(one, other)


# Rollout


@pytest.mark.parametrize("support", [6, 5, 99])
def test_rollout_with_enough_support_is_teacher_forcing(support):
    data = plain_data()
    batch = TransformedFeed(data, PLAIN, "cpu").batch(
        Group(segments([0, 1], [0, 3], [6, 9], [0, 3], [30, 17]))
    )
    gradients, losses = [], []
    for read in (
        lambda reader: reader.read(batch)[0],
        lambda reader: reader.roll(batch, support, None),
    ):
        reader = reader_of()
        loss = read(reader).mean()
        loss.backward()
        losses.append(loss.detach())
        gradients.append(
            [p.grad.clone() for p in reader.module.parameters() if p.requires_grad]
        )
    torch.testing.assert_close(*losses)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_an_epoch_of_rollout_with_full_support_is_one_of_windows():
    data = plain_data()
    _, windowed = losses_of(reader_of(), data, Windows(6, loss="every"))
    _, rolled = losses_of(reader_of(), data, Rollout(6, support=6))
    assert len(windowed) == len(rolled) > 1
    assert mean_of(windowed) == pytest.approx(mean_of(rolled), rel=1e-6)


@pytest.mark.parametrize("support", [0, 2])
def test_rollout_feeds_back_what_the_network_says(support):
    """Against the NumPy network, which reads each prefix anew, own predictions included."""
    # labels are 2·inputs + 1
    scale, shift = np.array([[0.5], [0.5], [0.5]]), np.array([[-0.5], [-0.5], [-0.5]])
    data = plain_data(scale=scale, shift=shift)
    reader = reader_of()
    batch = TransformedFeed(data, PLAIN, "cpu").batch(
        Group(segments([1, 2], [0, 4], [6, 10], [0, 4], [17, 24]))
    )
    network = Network(PLAIN, [arrays_from_state(reader.module.state_dict(), PLAIN)])
    x_BTC, total = batch.x_BTC.numpy().copy(), 0.0
    for t in range(6):
        prefix_TBC = x_BTC[:, : t + 1].transpose(1, 0, 2)
        hidden, _ = network.run(
            prefix_TBC, np.ones(prefix_TBC.shape[:2], bool), network.start(2)
        )
        point_B = next(network.raw([hidden[0][-1]], prefix_TBC[-1]))[:, 0, 0, 0]
        total += ((point_B - batch.target[:, t, 0, 0].numpy()) ** 2).sum()
        if support <= t < 5:
            x_BTC[:, t + 1, 0] = 0.5 * point_B - 0.5
    assert float(reader.roll(batch, support, None).total.detach()) == pytest.approx(
        total, rel=1e-5
    )


@pytest.mark.parametrize("cell", [Cell(), Cell("softsign", "hard_sigmoid")], ids=str)
def test_a_step_by_itself_is_a_step_of_many(cell):
    network = NetworkConfig(
        layers=(5, 5),
        before=(5,),
        activation="tanh",
        residual=True,
        inputs=Transformed(),
        head="point",
        horizon=1,
        cell=cell,
    )
    module = reader_of(network).module
    x_BTC = torch.from_numpy(
        np.random.default_rng(0).normal(size=(3, 4, 1)).astype(np.float32)
    )
    expected, last = module.hidden(x_BTC)
    _, layers = module.hidden(x_BTC[:, :2])
    state, cells = [(h[0], c[0]) for h, c in layers], module.cells()
    for t in (2, 3):
        out_BD, state = module.step(x_BTC[:, t], cells, state)
        torch.testing.assert_close(out_BD, expected[:, t])
    torch.testing.assert_close(state, [(h[0], c[0]) for h, c in last])


def test_each_segment_may_have_a_support_of_its_own(monkeypatch):
    """Drawn from 1 to 4: the truth up to a step of its own, and own predictions after it."""
    rolled = []
    monkeypatch.setattr(
        BatchReader,
        "roll",
        lambda self, batch, support, own: rolled.append((support, own)) or _NOTHING,
    )
    batching = Rollout(8, support=4, support_from=1)
    losses_of(reader_of(), plain_data(), batching, steps_per_epoch=30)
    supports = set()
    for support, own_BT in rolled:
        assert support == 1  # the truth for all: steps 0 and 1
        own = own_BT.numpy()
        # the truth, then own predictions
        assert (np.diff(own.astype(int), axis=1) >= 0).all()
        supports |= set((~own).sum(1) - 1)
    assert supports == {1, 2, 3, 4}


_NOTHING = Sums(torch.zeros((), requires_grad=True), 1)


def test_segments_with_a_drawn_support_are_validated_with_the_fewest():
    data = plain_data(ends=(22, 17, 24))
    config = TrainingConfig(batching=Rollout(6, support=5, support_from=0))
    free = TrainingConfig(batching=Rollout(6, support=0))
    reader = reader_of()
    schemes = [make_batching(PLAIN, data, c, "cpu", 0)[0] for c in (config, free)]
    losses = [added(list(made.validation(reader))).mean().detach() for made in schemes]
    assert losses[0] == losses[1]


def test_scheduled_sampling_lies_between_truth_and_own_predictions():
    reader, data = reader_of(), plain_data()
    batch = TransformedFeed(data, PLAIN, "cpu").batch(
        Group(segments([0], [0], [8], [0], [30]))
    )
    never, always = (
        torch.zeros(1, 8, dtype=torch.bool),
        torch.ones(1, 8, dtype=torch.bool),
    )
    torch.testing.assert_close(
        reader.roll(batch, 2, never).total, reader.read(batch)[0].total
    )
    torch.testing.assert_close(
        reader.roll(batch, 2, always).total, reader.roll(batch, 2, None).total
    )
    forced, sampled, free = (
        mean_of(losses_of(reader, data, Rollout(6, support=0, probability=p))[1])
        for p in (0.0, 0.5, 1.0)
    )
    assert len({forced, sampled, free}) == 3


def test_support_shrinks_over_the_epochs():
    reader, data = reader_of(), plain_data()
    batching = Rollout(6, support=6, support_end=0)
    first, last = (
        losses_of(reader, data, batching, epoch=epoch, epochs=5)[1] for epoch in (1, 5)
    )
    forced, free = (losses_of(reader, data, Rollout(6, support=s))[1] for s in (6, 0))
    assert mean_of(first) == pytest.approx(mean_of(forced), rel=1e-6)
    assert mean_of(last) == pytest.approx(mean_of(free), rel=1e-6) != mean_of(forced)


# Whole sequences and state


@pytest.mark.parametrize(("batch_size", "made"), [(3, 1), (2, 4)])
def test_a_batch_that_every_epoch_reads_is_made_once(batch_size, made, monkeypatch):
    """Unless series are drawn anew into batches, as where there are more than one."""
    data, reader = plain_data(missing=(3,)), reader_of()
    config = TrainingConfig(
        batching=WholeSequence(), validation=None, batch_size=batch_size
    )
    scheme, _ = make_batching(PLAIN, data, config, "cpu", seed=0)
    calls, batch = [], TransformedFeed.batch
    monkeypatch.setattr(
        TransformedFeed,
        "batch",
        lambda feed, group: calls.append(1) or batch(feed, group),
    )
    first, second = (
        mean_of(list(scheme.updates(reader, epoch, np.random.default_rng(epoch))))
        for epoch in (1, 2)
    )
    assert len(calls) == made and first == pytest.approx(second)


def test_a_batch_is_settled_where_all_targets_are_known():
    batch = TransformedFeed(plain_data(ends=(30, 17, 20)), PLAIN, "cpu").batch(
        Group(segments([0], [0], [10], [0], [11]))
    )
    known = settled(batch._replace(targets=None))
    assert known.targets == batch.target.numel()
    batch.target[0, 3] = torch.nan
    assert settled(batch._replace(targets=None)).targets is None


def test_whole_sequences_in_chunks_give_the_loss_of_one_pass():
    data, reader = plain_data(), reader_of()
    _, once = losses_of(reader, data, WholeSequence())
    _, pieces = losses_of(reader, data, WholeSequence(chunk=7))
    assert len(once) == 1 and len(pieces) == 5  # of up to 29 steps
    assert mean_of(pieces) == pytest.approx(mean_of(once), rel=1e-5)


@pytest.mark.parametrize("chunk", [1, 4, 50])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_stateful_pass_is_one_pass(chunk, rows):
    data, reader = plain_data(), reader_of()
    _, once = losses_of(reader, data, WholeSequence())
    _, stateful = losses_of(reader, data, Stateful(chunk), batch_size=rows)
    assert mean_of(stateful) == pytest.approx(mean_of(once), rel=1e-5)


def naive_states(reader, data, order, state=None):
    """The loss of reading series one after the other with the state carried on, and that state."""
    total, count = 0.0, 0
    for s in order:
        a, b = data.offsets[s], data.offsets[s + 1]
        x, y = (
            torch.tensor(part[a:b], dtype=torch.float32)
            for part in (data.inputs, data.labels)
        )
        hidden, state = reader.module.hidden(x[None, :-1], state)
        raw = reader.module.raw(hidden, x[None, :-1])[0, :, 0, :, 0]
        total, count = (
            total + float(((raw - y[1:]) ** 2).sum().detach()),
            count + len(raw),
        )
    return total / count, state


@pytest.mark.parametrize("chunk", [3, 8])
def test_state_is_reset_per_sequence_per_epoch_or_never(chunk):
    data, reader = plain_data(), reader_of()
    fresh = np.mean(
        np.repeat([naive_states(reader, data, [s])[0] for s in range(3)], [29, 16, 23])
    )
    in_a_row, state = naive_states(reader, data, range(3))
    again, _ = naive_states(reader, data, range(3), state)
    expected = {
        "sequence": [fresh, fresh],
        "epoch": [in_a_row, in_a_row],
        "never": [in_a_row, again],
    }
    for reset, losses in expected.items():
        config = TrainingConfig(
            batching=Stateful(chunk, reset=reset), batch_size=1, validation=None
        )
        made, _ = make_batching(PLAIN, data, config, "cpu", 0)
        found = [
            mean_of(list(made.updates(reader, epoch, np.random.default_rng(0))))
            for epoch in (1, 2)
        ]
        assert found == pytest.approx(losses, rel=1e-5)
    assert len({round(value, 6) for value in (fresh, in_a_row, again)}) == 3


def test_gradients_do_not_reach_into_the_last_chunk():
    reader = reader_of()
    made, _ = make_batching(
        PLAIN,
        plain_data(),
        TrainingConfig(batching=Stateful(5), validation=None),
        "cpu",
        0,
    )
    for update in made.updates(reader, 1, np.random.default_rng(0)):
        # a second pass through a graph that is gone would be an error
        update.sums.mean().backward()
    assert all(not part.requires_grad for pair in made.carried for part in pair)


# Causal inputs


def panel_of(log=True, lengths=(40, 25), seed=1):
    rng = np.random.default_rng(seed)
    series = {}
    for k, length in enumerate(lengths):
        y = 50 + 10 * np.sin(np.arange(length) * np.pi / 6) + rng.normal(size=length)
        y[[0, 9]] = np.nan
        series[f"s{k}"] = y if log else y - 50
    return Panel.from_arrays(series, frequency="MS", start="2020-01")


@pytest.mark.parametrize("log", [True, False])
def test_causal_batches_are_the_inputs_of_inference(log):
    panel = panel_of(log)
    data = AdaptiveData(panel, np.array([36, 25]))
    feed = AdaptiveFeed(data, ADAPTIVE, "cpu")
    (group,) = feed.groups(segments([0, 1], [0, 3], [30, 24], [0, 3], [36, 25]))
    # from the first known value
    assert (group.axis == LOG) == log and group.segments.first.tolist() == [1, 3]
    batch = feed.batch(group)
    T, inputs = batch.x_BTC.shape[1], ADAPTIVE.inputs
    grid = Grid(4, panel.periods, "monthly", np.full(1, log))
    for n, position in enumerate(batch.positions_N.tolist()):
        b, step = divmod(position, T)
        s, first = group.segments.series[b], group.segments.first[b]
        values = panel.series(s)[first:]
        unit = (
            1.0
            if log
            else 2.0
            ** np.floor(np.log2(np.nanmax(np.abs(values[: [36, 25][s] - first]))))
        )
        z = to_axis(values / unit, log)
        seen, _ = inputs.read(inputs.start(grid, 1), z[None, : step + 1])
        np.testing.assert_allclose(batch.x_BTC[b, step], seen.x_BTC[0, -1], atol=1e-5)
        known = z[step + 1 : step + 5].copy()
        known[
            np.arange(first + step + 1, first + step + 1 + len(known)) >= [36, 25][s]
        ] = np.nan
        found = (
            batch.target[n, :, 0].numpy() * seen.known.scale[0, -1]
            + seen.known.level[0, -1]
            + seen.known.seasonal[0, -1]
        )
        np.testing.assert_allclose(found[: len(known)], known, rtol=1e-4, atol=1e-4)
        assert (
            np.count_nonzero(~np.isnan(z[: step + 1])) >= 3
            and step < group.segments.lengths[b]
        )


def test_causal_chunks_carry_the_state_of_their_inputs():
    data, reader = AdaptiveData(panel_of(), np.array([40, 25])), reader_of(ADAPTIVE)
    _, once = losses_of(reader, data, WholeSequence(), ADAPTIVE)
    _, pieces = losses_of(reader, data, WholeSequence(chunk=9), ADAPTIVE)
    assert len(once) == 1 and len(pieces) == 5
    assert mean_of(pieces) == pytest.approx(mean_of(once), rel=1e-4)


def test_series_on_both_axes_share_an_update():
    series = {"a": panel_of(True).series(0), "b": panel_of(False).series(0)}
    data = AdaptiveData(
        Panel.from_arrays(series, frequency="MS", start="2020-01"), np.array([40, 40])
    )
    made, updates = losses_of(
        reader_of(ADAPTIVE), data, Windows(24), ADAPTIVE, batch_size=16
    )
    assert len(updates) == made.steps == 4 and all(
        set(update.series) == {0, 1} for update in updates
    )
    assert [update.share_done for update in updates] == [0, 0.25, 0.5, 0.75]


def test_constant_series_give_no_gradient_and_no_error():
    panel = Panel.from_arrays({"a": np.zeros(30)}, frequency="MS", start="2020-01")
    _, updates = losses_of(
        reader_of(ADAPTIVE), AdaptiveData(panel, np.array([30])), Windows(24), ADAPTIVE
    )
    assert mean_of(updates) == 0.0


# What is held back, and what does not go together


def validation_of(reader, data, batching, network=PLAIN, **settings):
    made, _ = make_batching(
        network, data, TrainingConfig(batching=batching, **settings), "cpu", 0
    )
    return float(added(list(made.validation(reader))).mean().detach())


def test_validation_reads_its_context_from_the_training_part_unless_fresh():
    data, reader = plain_data((30,), ends=(20,)), reader_of()
    x, y = (
        torch.tensor(part, dtype=torch.float32) for part in (data.inputs, data.labels)
    )

    def expected(first):
        hidden, _ = reader.module.hidden(x[None, first:-1])
        raw = reader.module.raw(hidden[:, 19 - first :], x[None, 19:-1])[0, :, 0, :, 0]
        return float(((raw - y[20:]) ** 2).mean().detach())

    assert validation_of(reader, data, WholeSequence()) == pytest.approx(
        expected(0), rel=1e-5
    )
    fresh = Validation(fresh=True)
    assert validation_of(
        reader, data, WholeSequence(), validation=fresh
    ) == pytest.approx(expected(19), rel=1e-5)


def test_a_share_of_the_windows_is_held_back_from_training():
    config = TrainingConfig(
        batching=Windows(5), validation=Validation(share=0.3, by="windows")
    )
    made, _ = make_batching(PLAIN, plain_data(), config, "cpu", 0)
    back = {(s, f) for s, f in zip(*made.held_back.segments[:2], strict=True)}
    trained = {
        pair
        for part in made.batches(np.random.default_rng(0))
        for pair in zip(*part[:2], strict=True)
    }
    # of 25 + 12 + 19 windows
    assert len(back) == 17 and len(trained) == 39 and not back & trained


def firsts(made, epoch):
    """Which windows an epoch reads, in its order."""
    parts = made.batches(np.random.default_rng(epoch))
    return [pair for part in parts for pair in zip(*part[:2], strict=True)]


def test_windows_that_are_shuffled_once_keep_their_order_in_every_epoch():
    held_back = Validation(share=0.3, by="windows")
    orders = {}
    for shuffle in (True, "once", False):
        config = TrainingConfig(
            batching=Windows(5, shuffle=shuffle), validation=held_back
        )
        made, _ = make_batching(PLAIN, plain_data(), config, "cpu", 0)
        orders[shuffle] = [firsts(made, epoch) for epoch in (1, 2)]
        back = set(zip(*made.held_back.segments[:2], strict=True))
        assert len(back) == 17 and not back & set(orders[shuffle][0])
    anew, once, in_order = orders[True], orders["once"], orders[False]
    assert anew[0] != anew[1] and once[0] == once[1] and in_order[0] == in_order[1]
    assert once[0] != in_order[0] == sorted(in_order[0])
    assert sorted(anew[0]) == sorted(once[0]) == in_order[0]


def test_the_last_windows_of_the_one_permutation_are_held_back():
    config = TrainingConfig(
        batching=Windows(5, shuffle="once"),
        validation=Validation(share=0.3, by="windows"),
    )
    made, _ = make_batching(PLAIN, plain_data((30,)), config, "cpu", 7)
    # windows of 5 steps and a target
    permuted = np.random.default_rng([7, 0]).permutation(25)
    assert [first for _, first in firsts(made, 1)] == permuted[:-8].tolist()
    assert made.held_back.segments.first.tolist() == sorted(permuted[-8:])


def test_steps_per_epoch_draw_windows_again():
    _, updates = losses_of(
        reader_of(), plain_data(), Windows(5), steps_per_epoch=7, batch_size=10
    )
    assert [len(update.series) for update in updates] == [10] * 7
    _, once = losses_of(reader_of(), plain_data(), Windows(5), batch_size=10)
    assert [len(update.series) for update in once] == [10] * 5 + [6]


def test_validation_looks_at_no_more_than_asked():
    config = TrainingConfig(batching=Windows(5), validation=Validation(most=3))
    made, _ = make_batching(PLAIN, plain_data(ends=(20, 10, 15)), config, "cpu", 0)
    assert len(made.held_back.segments.series) == 3


def test_what_does_not_go_together_is_refused():
    data, panel = plain_data(), AdaptiveData(panel_of(), np.array([36, 25]))
    for batching in (Stateful(5), Rollout(5, 2)):
        with pytest.raises(UsageError, match=r"needs Transformed\(\) inputs"):
            check_plan(ADAPTIVE, panel, TrainingConfig(batching=batching))
    many = NetworkConfig(layers=(3,), inputs=Transformed(), head="point", horizon=3)
    with pytest.raises(UsageError, match="forecasts 3 at once"):
        check_plan(many, data, TrainingConfig(batching=Rollout(5, 2)))
    with pytest.raises(UsageError, match="learns from AdaptiveData"):
        check_plan(ADAPTIVE, data, TrainingConfig())
    with pytest.raises(
        UsageError, match=r"network reads 1. Use Transformed\(columns=2\)"
    ):
        check_plan(PLAIN, plain_data(channels=2), TrainingConfig())
    with pytest.raises(UsageError, match="is a loss of points"):
        criterion(Loss("mse"), head_named("quantiles"))


def test_too_short_series_are_named_in_a_note_or_refused():
    _, notes = make_batching(
        PLAIN, plain_data(), TrainingConfig(batching=Windows(20)), "cpu", 0
    )
    assert notes == (
        "1 of 3 series is shorter than the 21 observations that Windows(length=20) needs: not "
        "trained on",
    )
    with pytest.raises(DataError, match="longest has 30"):
        make_batching(
            PLAIN, plain_data(), TrainingConfig(batching=Windows(40)), "cpu", 0
        )
    nothing = plain_data((4,), missing=(0, 1, 2, 3))
    with pytest.raises(DataError, match="no series has a known value"):
        make_batching(PLAIN, nothing, TrainingConfig(), "cpu", 0)


def test_what_goes_wrong_while_it_is_made_ahead_is_raised_where_it_is_used():
    def items():
        yield 1
        raise ValueError("the second")

    taken = ahead(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="the second"):
        next(taken)
