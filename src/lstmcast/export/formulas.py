"""NumPy functions for which ONNX has no operator, written with those that it has."""

from __future__ import annotations

from typing import Any

import numpy as np


def log1p(value: Any) -> Any:
    """log(1 + a) with the digits of a small a (Goldberg 1991, theorem 4)."""
    near = 1.0 + value
    is_tiny = near == 1.0
    safe = np.where(is_tiny, 2.0, near)
    return np.where(is_tiny, value, np.log(safe) * value / (safe - 1.0))


def expm1(value: Any) -> Any:
    """exp(a) − 1 with the digits of a small a: tanh(a / 2) (exp(a) + 1)."""
    small = np.minimum(np.maximum(value, -1.0), 1.0)
    exact = np.tanh(0.5 * small) * (np.exp(small) + 1.0)
    return np.where(np.abs(value) < 1.0, exact, np.exp(value) - 1.0)


def logaddexp(first: Any, second: Any) -> Any:
    difference = np.abs(first - second)
    return np.maximum(first, second) + log1p(np.exp(-difference))


def clip(value: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(value, low), high)
