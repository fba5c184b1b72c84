"""Pretraining of the shipped network on synthetic series only.

Each step draws its own batch of new series from a generator seeded by the seed and the step's
number, so a batch does not depend on what came before it: a run can stop at a checkpoint, continue,
and end with the same bits on the same kind of CPU. The network has several members, which differ in
their seed alone; each is trained by one thread in a process of its own.

B series · T steps · N positions with a loss · H horizon
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from lstmcast.context import CONTEXT
from lstmcast.data.synthetic import KINDS, draw_periods, synthetic, with_missing
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.axis import to_axis
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.network import NetworkConfig
from lstmcast.training.checkpoint import load_checkpoint, save_checkpoint
from lstmcast.training.feeds import series_scale
from lstmcast.training.losses import standing, weighted_pinball
from lstmcast.training.module import NetworkModule, arrays_from_state
from lstmcast.util.config import settings

# Share of the batches per family, in the order of KINDS: about what people forecast, thinned for
# the frequencies whose long series make a batch dear.
MIX = (0.17, 0.15, 0.28, 0.08, 0.1, 0.15, 0.07)
# Share of the batches that do not say their family, so that the network also serves frequencies
# that it cannot name.
FORGET_FAMILY = 0.25


@settings
class PretrainingConfig:
    """Settings of pretraining."""

    steps: Annotated[int, Field(ge=1)] = 12_000
    values: Annotated[int, Field(ge=256)] = 8_192  # series × steps in a batch
    # of them with a loss: neighbours say nearly the same
    positions: Annotated[int, Field(ge=1)] = 2_048
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    average: Annotated[float, Field(ge=0, lt=1)] = 0.999  # of the weights, over steps
    seed: int = 0


class SyntheticBatch(NamedTuple):
    """One training step's data."""

    x_BTC: NDArray  # float32
    positions_N: NDArray
    target_NH: NDArray  # in units of the scale; NaN = unknown
    weight_N: NDArray


class PretrainedMember(NamedTuple):
    """A trained member of a network, and how long its training took, interruptions left out."""

    arrays: dict[str, NDArray]
    seconds: float


class PretrainingProgress(NamedTuple):
    """The argument of callbacks after a step."""

    step: int
    steps: int
    loss: float
    seconds: float


def make_batch(
    number: int, config: PretrainingConfig, network: NetworkConfig
) -> SyntheticBatch:
    """SyntheticBatch `number` of a run: the same for the same seed, whatever was made before."""
    rng = np.random.default_rng([config.seed, number])
    kind = KINDS[rng.choice(len(KINDS), p=np.array(MIX) / sum(MIX))]
    periods = draw_periods(rng, kind)
    shortest, longest = kind.lengths
    if rng.random() < 0.1:
        longest = CONTEXT
    log_length = rng.uniform(math.log(shortest), math.log(longest))
    length = round(math.exp(log_length))
    count = max(4, config.values // length)
    values = synthetic(rng, count, length + network.steps, kind, periods)
    log = bool(rng.random() < 0.75)
    is_chosen = (values > 0).all(axis=1)
    if not log:
        is_chosen = ~is_chosen | (rng.random(count) < 0.3)
    values = values[is_chosen]
    if len(values) == 0:
        values, log = (
            synthetic(rng, count, length + network.steps, kind, periods),
            False,
        )
    family = "" if rng.random() < FORGET_FAMILY else kind.family
    values = with_missing(rng, values)
    return batch_from_series(
        rng, values, periods, family, log, config.positions, network
    )


def batch_from_series(
    rng: np.random.Generator,
    values_BU: NDArray,
    periods: tuple[int, ...],
    family: str,
    log: bool,
    count: int,
    network: NetworkConfig,
) -> SyntheticBatch:
    """Inputs at all but the last H steps of the series, and what came after `count` of the
    positions."""
    H = network.steps
    inputs = network.inputs
    assert isinstance(inputs, Adaptive)
    z_BU = to_axis(values_BU, log)
    B = len(z_BU)
    T = z_BU.shape[1] - H
    grid = Grid(H, periods, family, np.full(B, log))
    reading, _ = inputs.read(inputs.start(grid, B), z_BU[:, :T])
    has_read_three = np.cumsum(reading.begun_BT, axis=1) >= 3
    usable = np.flatnonzero((reading.known.scale > 0) & has_read_three)
    positions = np.arange(0)
    if len(usable):
        sample = rng.choice(usable, min(count, len(usable)), replace=False)
        positions = np.sort(sample)
    rows, steps = np.divmod(positions, T)
    target_steps_NH = steps[:, None] + 1 + np.arange(H)
    future_NH = z_BU[rows[:, None], target_steps_NH]
    known_N = positions_of(reading.known, rows, steps)
    target_NH = inputs.targets(future_NH, known_N)
    weight_N = known_N.scale / series_scale(z_BU, log)[rows]
    return SyntheticBatch(
        reading.x_BTC,
        positions,
        target_NH.astype(np.float32),
        weight_N.astype(np.float32),
    )


def pretrain(
    config: PretrainingConfig,
    network: NetworkConfig,
    folder: Path,
    *,
    device: str = "cpu",
    checkpoint_every: int = 500,
    report: Callable[[PretrainingProgress], None] = lambda progress: None,
) -> PretrainedMember:
    """Train one member on synthetic series. A run that finds a checkpoint in `folder` continues
    from it."""
    torch.manual_seed(config.seed)
    module = NetworkModule(network).to(device)
    trained = [weight for weight in module.parameters() if weight.requires_grad]
    optimiser = _optimiser(trained, config)
    average = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    first, seconds_before = load_checkpoint(
        folder, config, network, module, optimiser, average
    )
    began = time.monotonic() - seconds_before
    for step in range(first, config.steps):
        batch = make_batch(step, config, network)
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / config.steps)
        loss = _loss(module, [torch.from_numpy(array).to(device) for array in batch])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        _update_average(average, module, min(config.average, 1 - 1 / (step + 1)))
        progress = PretrainingProgress(
            step + 1, config.steps, float(loss.detach()), time.monotonic() - began
        )
        report(progress)
        if progress.step % checkpoint_every == 0 or progress.step == config.steps:
            reached = progress.step, progress.seconds
            state = module, optimiser, average
            save_checkpoint(folder, config, network, *reached, *state)
    arrays = arrays_from_state(average, network)
    return PretrainedMember(arrays, time.monotonic() - began)


def _optimiser(
    trained: Sequence[torch.nn.Parameter], config: PretrainingConfig
) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        trained,
        lr=config.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=config.weight_decay,
    )


def _loss(module: NetworkModule, batch: Sequence[Tensor]) -> Tensor:
    """The loss of a batch: inputs, positions, targets and their weights."""
    inputs, positions, target, weight = batch
    outputs = module(inputs, positions)[:, :, 0]
    quantiles = module.answers.quantiles(outputs, *standing(outputs), torch)
    return weighted_pinball(quantiles, target, weight)


def _schedule(share_done: float) -> float:
    """Warm-up over the first 5%, then half a cosine down to 0 (Loshchilov & Hutter 2017)."""
    warm_up = min(1.0, share_done / 0.05 + 0.01)
    return warm_up * 0.5 * (1 + math.cos(math.pi * share_done))


@torch.no_grad()
def _update_average(
    average: dict[str, torch.Tensor], module: NetworkModule, decay: float
) -> None:
    """Exponential moving average of the weights (Polyak & Juditsky 1992)."""
    for name, tensor in module.state_dict().items():
        average[name].lerp_(tensor, 1 - decay)


def pretrain_members(
    config: PretrainingConfig,
    network: NetworkConfig,
    folder: Path,
    members: int,
    *,
    device: str = "cpu",
) -> list[PretrainedMember]:
    """Train several members, seeds `seed`, `seed + 1`, …: two at a time on the CPU, one after
    the other on CUDA."""
    configs = [replace(config, seed=config.seed + number) for number in range(members)]
    folders = [folder / f"seed-{config.seed}" for config in configs]
    workers = 2 if device == "cpu" else 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(
            pool.map(_train_member, configs, repeat(network), folders, repeat(device))
        )


def _train_member(
    config: PretrainingConfig, network: NetworkConfig, folder: Path, device: str
) -> PretrainedMember:
    torch.set_num_threads(1)  # sums in one order only: the same bits every time
    return pretrain(config, network, folder, device=device, report=print_progress)


def print_progress(progress: PretrainingProgress) -> None:
    """A line on standard error every 500 steps."""
    if progress.step % 500 == 0 or progress.step == progress.steps:
        step, seconds = (
            f"step {progress.step} of {progress.steps}",
            f"{progress.seconds:.0f} s",
        )
        sys.stderr.write(f"{step}, loss {progress.loss:.3f}, {seconds}\n")
