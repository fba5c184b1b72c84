"""Pre-training: the same bits every time, whole after any interruption, on the inputs that
inference makes."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstmcast.data.synthetic import KINDS, synthetic, with_missing
from lstmcast.errors import ModelError
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.axis import to_axis
from lstmcast.model.network import NetworkConfig, load_network

torch = pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.training.losses import standing, weighted_pinball  # noqa: E402
from lstmcast.training.module import NetworkModule, module_from_arrays  # noqa: E402
from lstmcast.training.pretraining import (  # noqa: E402
    PretrainingConfig,
    PretrainingProgress,
    batch_from_series,
    make_batch,
    pretrain,
    print_progress,
)

SRC = Path(__file__).parents[1] / "src"
NETWORK = NetworkConfig(layers=(6, 6), inputs=Adaptive(window=4), horizon=5)
CONFIG = PretrainingConfig(steps=6, values=300, positions=64, seed=3)


class Interrupted(Exception):
    """Stands for whatever ends a run."""


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stop_after(step):
    def report(progress):
        if progress.step > step:
            raise Interrupted

    return report


def assert_same_bits(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    torch.set_num_threads(1)
    return pretrain(CONFIG, NETWORK, tmp_path_factory.mktemp("whole") / "run").arrays


def test_two_runs_with_one_seed_are_bit_equal(uninterrupted, tmp_path):
    torch.manual_seed(99)  # what was drawn before does not matter
    assert_same_bits(
        pretrain(CONFIG, NETWORK, tmp_path / "again").arrays, uninterrupted
    )
    other = pretrain(replace(CONFIG, seed=4), NETWORK, tmp_path / "other").arrays
    assert (other["embed.0.weight"] != uninterrupted["embed.0.weight"]).all()


def test_an_interrupted_run_goes_on_to_the_same_bits(uninterrupted, tmp_path):
    with pytest.raises(Interrupted):
        pretrain(
            CONFIG, NETWORK, tmp_path / "run", checkpoint_every=3, report=stop_after(4)
        )
    steps = []
    resumed = pretrain(
        CONFIG,
        NETWORK,
        tmp_path / "run",
        report=lambda progress: steps.append(progress.step),
    )
    assert steps == [4, 5, 6]
    assert_same_bits(resumed.arrays, uninterrupted)


def test_a_finished_run_has_nothing_left_to_do(uninterrupted, tmp_path):
    pretrain(CONFIG, NETWORK, tmp_path / "run")
    again = pretrain(CONFIG, NETWORK, tmp_path / "run", report=stop_after(0))
    assert_same_bits(again.arrays, uninterrupted)


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from lstmcast.model.inputs import Adaptive
from lstmcast.model.network import NetworkConfig
from lstmcast.training.pretraining import PretrainingConfig, pretrain

def report(progress):
    if progress.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
config = PretrainingConfig(steps=6, values=300, positions=64, seed=3)
network = NetworkConfig(layers=(6, 6), inputs=Adaptive(window=4), horizon=5)
pretrain(config, network, Path(sys.argv[1]), checkpoint_every=2, report=report)
"""


def test_a_killed_run_goes_on_to_the_same_bits(uninterrupted, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    steps = []
    resumed = pretrain(
        CONFIG,
        NETWORK,
        tmp_path / "run",
        report=lambda progress: steps.append(progress.step),
    )
    assert steps == [5, 6]
    assert_same_bits(resumed.arrays, uninterrupted)


@pytest.mark.parametrize(
    ("config", "network", "named"),
    [
        (replace(CONFIG, steps=7), NETWORK, "pretraining"),
        (replace(CONFIG, seed=4), NETWORK, "pretraining"),
        (
            CONFIG,
            NetworkConfig(layers=(8, 8), inputs=Adaptive(window=4), horizon=5),
            "network",
        ),
    ],
    ids=["steps", "seed", "network"],
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, config, network, named):
    with pytest.raises(Interrupted):
        pretrain(
            CONFIG, NETWORK, tmp_path / "run", checkpoint_every=1, report=stop_after(1)
        )
    with pytest.raises(
        ModelError, match=f"was made with {named} .*Resume with the same settings"
    ):
        pretrain(config, network, tmp_path / "run")


def test_a_damaged_checkpoint_is_named(tmp_path):
    with pytest.raises(Interrupted):
        pretrain(
            CONFIG, NETWORK, tmp_path / "run", checkpoint_every=1, report=stop_after(1)
        )
    weights = tmp_path / "run" / "optimiser.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"optimiser\.safetensors"):
        pretrain(CONFIG, NETWORK, tmp_path / "run")


def test_the_loss_goes_down(tmp_path):
    config = PretrainingConfig(
        steps=80, values=600, positions=256, learning_rate=1e-2, average=0.9
    )
    network = replace(NETWORK, layers=(16, 16), before=(16,))

    def loss(module):
        with torch.no_grad():
            batches = (
                make_batch(number, config, NETWORK) for number in range(1000, 1012)
            )
            return np.mean(
                [
                    loss_of(module, *(torch.from_numpy(part) for part in batch))
                    for batch in batches
                ]
            )

    def loss_of(module, x, positions, target, weight):
        raw = module(x, positions)[:, :, 0]
        quantiles = module.answers.quantiles(raw, *standing(raw), torch)
        return float(weighted_pinball(quantiles, target, weight))

    torch.manual_seed(config.seed)
    before = loss(NetworkModule(network))
    trained = pretrain(config, network, tmp_path / "run").arrays
    assert loss(module_from_arrays(trained, network)) < 0.95 * before


def test_a_batch_is_the_same_whatever_was_made_before():
    first = make_batch(7, CONFIG, NETWORK)
    make_batch(8, CONFIG, NETWORK)
    for one, other in zip(first, make_batch(7, CONFIG, NETWORK), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(
        first.target_NH, make_batch(7, replace(CONFIG, seed=4), NETWORK).target_NH
    )


@pytest.mark.parametrize("number", range(25))
def test_batches_are_fit_for_training(number):
    batch = make_batch(number, CONFIG, NETWORK)
    assert (
        batch.x_BTC.dtype == batch.target_NH.dtype == batch.weight_N.dtype == np.float32
    )
    assert (
        np.isfinite(batch.x_BTC).all()
        and np.isfinite(batch.weight_N).all()
        and (batch.weight_N > 0).all()
    )
    assert not np.isinf(batch.target_NH).any() and (~np.isnan(batch.target_NH)).any()
    assert (
        len(np.unique(batch.positions_N)) == len(batch.positions_N) <= CONFIG.positions
    )
    assert batch.positions_N.max() < batch.x_BTC.shape[0] * batch.x_BTC.shape[1]


def some_series(log):
    rng = np.random.default_rng(11)
    kind = replace(KINDS[2], positive=1.0 if log else 0.0)
    values = with_missing(rng, synthetic(rng, 12, 70, kind, (12,)), share=0.7)
    values[:, 0] = np.where(np.isnan(values[:, 0]), 1.0, values[:, 0])
    assert np.isnan(values).any()
    return values


@pytest.mark.parametrize("log", [False, True])
def test_training_inputs_are_those_of_inference(log):
    """At each position: what `advance` makes of the series cut off there, and targets that were
    unknown to it."""
    values = some_series(log)
    batch = batch_from_series(
        np.random.default_rng(0), values, (12,), "monthly", log, 80, NETWORK
    )
    z_BU, T = to_axis(values, log), values.shape[1] - NETWORK.horizon
    for n in range(0, len(batch.positions_N), 7):
        row, step = divmod(int(batch.positions_N[n]), T)
        known = z_BU[row : row + 1, : step + 1]
        grid = Grid(NETWORK.horizon, (12,), "monthly", np.full(1, log))
        seen, _ = NETWORK.inputs.read(NETWORK.inputs.start(grid, 1), known)
        np.testing.assert_array_equal(batch.x_BTC[row, step], seen.x_BTC[0, -1])
        level, scale, season = (part[0, -1] for part in seen.known[:3])
        future = z_BU[row, step + 1 : step + 1 + NETWORK.horizon]
        np.testing.assert_allclose(
            batch.target_NH[n] * scale + level + season, future, rtol=1e-5, atol=1e-5
        )


def test_missing_values_are_masked():
    values = some_series(True)
    batch = batch_from_series(
        np.random.default_rng(0), values, (12,), "monthly", True, 10**6, NETWORK
    )
    rows, steps = np.divmod(batch.positions_N, values.shape[1] - NETWORK.horizon)
    missing = np.isnan(
        values[rows[:, None], steps[:, None] + 1 + np.arange(NETWORK.horizon)]
    )
    assert missing.any()
    np.testing.assert_array_equal(np.isnan(batch.target_NH), missing)
    quantiles = torch.zeros(*batch.target_NH.shape, 7, requires_grad=True)
    loss = weighted_pinball(
        quantiles, torch.from_numpy(batch.target_NH), torch.from_numpy(batch.weight_N)
    )
    loss.backward()
    gradient = quantiles.grad.numpy()
    assert (
        np.isfinite(loss.item())
        and not gradient[missing].any()
        and gradient[~missing].any(axis=-1).all()
    )


def test_positions_have_seen_a_change_and_three_steps():
    constant = np.full((2, 30), 5.0)
    assert (
        len(
            batch_from_series(
                np.random.default_rng(0), constant, (1,), "", False, 50, NETWORK
            ).positions_N
        )
        == 0
    )
    steps = batch_from_series(
        np.random.default_rng(0), some_series(True), (12,), "", True, 10**6, NETWORK
    )
    assert (steps.positions_N % (70 - NETWORK.horizon)).min() == 2


@pytest.mark.slow
def test_the_command_trains_members_that_differ_by_their_seed(
    tmp_path, monkeypatch, capfd
):
    """Each, in a process of its own, is bit for bit what a run alone gives."""
    places = ["--out", str(tmp_path / "net"), "--checkpoints", str(tmp_path / "runs")]
    sizes = ["--members", "2", "--steps", "1", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", ["lstmcast.training", *places, *sizes])
    runpy.run_module("lstmcast.training", run_name="__main__", alter_sys=True)
    assert capfd.readouterr().err.count("step 1 of 1") == 2
    network, manifest = load_network(tmp_path / "net")
    assert (
        manifest["trained_on"].startswith("synthetic series only")
        and manifest["pretraining"]["steps"] == 1
    )
    for seed, arrays in zip((3, 4), network.members, strict=True):
        alone = pretrain(
            PretrainingConfig(steps=1, seed=seed),
            NetworkConfig(horizon=24),
            tmp_path / str(seed),
        )
        assert_same_bits(arrays, alone.arrays)
        assert (tmp_path / "runs" / f"seed-{seed}").is_dir()


def test_progress_is_told_on_standard_error(capsys):
    for step in (499, 500, 501, 750):
        print_progress(PretrainingProgress(step, 750, 1.25, 12.4))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "step 500 of 750, loss 1.250, 12 s",
        "step 750 of 750, loss 1.250, 12 s",
    ]
