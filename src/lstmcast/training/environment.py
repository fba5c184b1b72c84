"""The environment of training: threads, random numbers, memory errors, closing of callbacks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from lstmcast.advice import advise
from lstmcast.errors import ModelError, UsageError
from lstmcast.model.network import NetworkConfig
from lstmcast.training.callbacks import Callback
from lstmcast.training.checkpoint import claimed
from lstmcast.training.settings import training_settings
from lstmcast.training_config import TrainingConfig, WholeSequence
from lstmcast.util.parallel import kept_memory

# multiplications of a batch's step, below which several threads cost more than they bring
SMALL = 1e7


@contextmanager
def training_environment(
    config: TrainingConfig,
    device: str,
    folder: Path | None,
    callbacks: Sequence[Callback],
    threads: int,
) -> Iterator[None]:
    """The context in which a network is trained, with its folder locked."""
    with (
        claimed(folder),
        training_settings(threads),
        _random_numbers(device),
        kept_memory(),
        _memory_errors(config),
        _closing(callbacks),
    ):
        yield


def slow_precision(config: TrainingConfig, device: str) -> tuple[str, ...]:
    """A note if the processor has no instructions for bfloat16."""
    capabilities = torch.cpu.get_capabilities()
    is_able = any(
        is_there for name, is_there in capabilities.items() if name.endswith("bf16")
    )
    if device == "cuda" or config.precision == "full" or is_able:
        return ()
    return (
        "precision 'mixed': this processor has no bfloat16 instructions, so 'full' is faster here",
    )


def check_device(device: str) -> None:
    """Raise UsageError for an unknown or missing device."""
    if device not in ("cpu", "cuda"):
        raise UsageError(f"{device=} is not known. Use 'cpu' or 'cuda'.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"PyTorch finds no CUDA device. Use {advise('device', 'cpu')}, or install a PyTorch "
            "build for your GPU."
        )


def default_threads(network: NetworkConfig, config: TrainingConfig) -> int:
    """One for small networks, whose operations are too short to share; all processors otherwise."""
    products = 0
    below = network.before[-1] if network.before else network.read_width
    for units in network.layers:
        products += 4 * units * (units + below)
        below = units
    rows = 1 if isinstance(config.batching, WholeSequence) else config.batch_size
    if products * rows < SMALL:
        return 1
    return os.cpu_count() or 1


@contextmanager
def _random_numbers(device: str) -> Iterator[None]:
    """Afterwards the random numbers of PyTorch continue as if nothing had been drawn."""
    devices = range(torch.cuda.device_count()) if device == "cuda" else ()
    with torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def _closing(callbacks: Sequence[Callback]) -> Iterator[None]:
    """Afterwards, callbacks that have something to close do so."""
    try:
        yield
    finally:
        for callback in callbacks:
            getattr(callback, "close", _nothing)()


def _nothing() -> None:
    pass


@contextmanager
def _memory_errors(config: TrainingConfig) -> Iterator[None]:
    """Convert out-of-memory errors of PyTorch and NumPy to helpful ones."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = str(error)
        if isinstance(error, RuntimeError) and not isinstance(
            error, torch.OutOfMemoryError
        ):
            if "can't allocate memory" not in text and "not enough memory" not in text:
                raise
        reason = text.splitlines()[0] if text else "no more"
        smaller = max(1, config.batch_size // 4)
        raise ModelError(
            f"A batch of {config.batch_size} does not fit in memory ({reason}).\nUse a smaller "
            f"batch_size, for example {smaller}, shorter segments, or a smaller network."
        ) from error
