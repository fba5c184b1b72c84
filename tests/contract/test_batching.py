"""What every batching scheme keeps to."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import lstmcast as lc
from builders import waves

pytest.importorskip("torch", reason="needs the train extra")

TRANSFORMED = {
    "windows": lc.Windows(length=10),
    "windows, every": lc.Windows(length=10, loss="every", stride=2),
    "windows, in order": lc.Windows(length=10, shuffle=False),
    "windows, shuffled once": lc.Windows(length=10, shuffle="once"),
    "whole sequence": lc.WholeSequence(),
    "whole sequence, chunks": lc.WholeSequence(chunk=16),
    "stateful": lc.Stateful(chunk=9),
    "stateful, never reset": lc.Stateful(chunk=9, reset="never"),
    "rollout": lc.Rollout(length=12, support=6, support_end=2),
    "rollout, support drawn": lc.Rollout(length=12, support=8, support_from=1),
    "rollout, sampled": lc.Rollout(
        length=12, support=4, probability=0.2, probability_end=0.8
    ),
}
ADAPTIVE = {
    "adaptive, windows": lc.Windows(length=24, loss="every"),
    "adaptive, whole sequence": lc.WholeSequence(),
    "adaptive, chunks": lc.WholeSequence(chunk=16),
}
SCHEMES = TRANSFORMED | ADAPTIVE


class Interrupted(Exception):
    """Stands for whatever ends a run."""


def forecaster(name, epochs=3, seed=0):
    adaptive = name in ADAPTIVE
    small = (
        {"inputs": lc.Adaptive(window=6)}
        if adaptive
        else {"inputs": lc.Transformed(lc.Standard()), "head": "point", "horizon": 1}
    )
    return lc.LSTMForecaster(
        3,
        weights="scratch",
        network=lc.NetworkConfig(layers=(6,), **small),
        training=lc.TrainingConfig(
            epochs=epochs,
            batching=SCHEMES[name],
            batch_size=8,
            steps_per_epoch=3 if name == "adaptive, windows" else None,
            optimiser=lc.Optimiser(learning_rate=1e-2, clip=1.0),
        ),
        seed=seed,
    )


@pytest.fixture(params=SCHEMES)
def scheme(request):
    return request.param


@cache
def fitted(name):
    """What several tests compare with."""
    return forecaster(name).fit(waves(length=40))


def weights(model):
    return np.concatenate(
        [array.ravel() for array in model.network.members[0].values()]
    )


def losses(model):
    return model.history.columns()["train_loss"]


def test_the_loss_goes_down(scheme):
    loss = losses(forecaster(scheme, epochs=12).fit(waves(length=40)))
    assert loss[-3:].mean() < 0.9 * loss[0]


def test_one_seed_gives_the_same_bits_and_another_one_others(scheme):
    one = fitted(scheme)
    again, other = (
        forecaster(scheme, seed=seed).fit(waves(length=40)) for seed in (0, 1)
    )
    np.testing.assert_array_equal(weights(one), weights(again))
    np.testing.assert_array_equal(losses(one), losses(again))
    assert (weights(one) != weights(other)).any()


def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(
    scheme, tmp_path, monkeypatch
):
    def interrupt(report):
        if report.epoch == 2:
            raise Interrupted

    monkeypatch.setattr(
        "lstmcast.training.checkpoint.Keeper.due", lambda self: self.folder is not None
    )
    whole, model = fitted(scheme), forecaster(scheme)
    with pytest.raises(Interrupted):
        model.fit(waves(length=40), folder=tmp_path, callbacks=[interrupt])
    seen = []
    resumed = model.fit(
        waves(length=40), folder=tmp_path, resume=True, callbacks=[seen.append]
    )
    assert seen[0].epoch == 2
    np.testing.assert_array_equal(weights(whole), weights(resumed))
    np.testing.assert_array_equal(losses(whole), losses(resumed))


def test_missing_values_are_masked(scheme):
    """Gaps give no loss: neither NaN nor the large errors that a 0 in their place would give."""
    full = losses(fitted(scheme))
    gappy = forecaster(scheme).fit(waves(length=40, missing=(0, 30, 31)))
    assert np.isfinite(weights(gappy)).all() and np.isfinite(losses(gappy)).all()
    np.testing.assert_allclose(losses(gappy), full, rtol=0.5)
    assert (losses(gappy) != full).any()


def test_the_order_of_the_series_does_not_matter(scheme):
    other = forecaster(scheme).fit(waves(length=40, order=(2, 0, 1)))
    np.testing.assert_array_equal(weights(fitted(scheme)), weights(other))
