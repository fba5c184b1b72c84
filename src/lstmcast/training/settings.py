"""The settings of PyTorch during training, independent of the surrounding program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_torch(rng: np.random.Generator) -> None:
    """Seed PyTorch from a generator."""
    torch.manual_seed(int(rng.integers(2**63)))


@contextmanager
def training_settings(threads: int | None = None) -> Iterator[None]:
    """Within this, PyTorch computes in float32, keeps gradients, makes tensors on the processor
    unless another device is said, and uses so many threads.

    Programs that work in float64, on another default device or under `torch.autocast`, or forecast
    under `torch.no_grad()` or `torch.inference_mode()`, find all of it as they left it.

    Args:
        threads: How many threads PyTorch uses; as many as before if None.
    """
    dtype = torch.get_default_dtype()
    threads_before = torch.get_num_threads()
    autocasts = torch.is_autocast_enabled("cpu")
    torch.set_default_dtype(torch.float32)
    # Not by a context: within one, mixed precision would keep the weights of its first step.
    torch.set_autocast_enabled("cpu", False)
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        # In this order: gradients stay off inside of inference mode, whatever is enabled.
        with torch.inference_mode(False), torch.enable_grad(), torch.device("cpu"):
            yield
    finally:
        torch.set_autocast_enabled("cpu", autocasts)
        torch.set_num_threads(threads_before)
        torch.set_default_dtype(dtype)
