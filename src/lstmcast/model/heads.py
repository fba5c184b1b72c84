"""From the hidden state to quantiles of the next H steps.

Written once, over the array namespace that it is given (NumPy at inference, PyTorch in training).

B series · H horizon · Q quantiles, in the order of `LEVELS`
"""

from __future__ import annotations

from typing import Any

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
MEDIAN = LEVELS.index(0.5)


def quantiles_from_raw(raw_HQ: Any, xp: Any) -> Any:
    """Quantiles (…, H, Q) that cannot cross: the median as it is, the others by positive steps away from it."""
    median = raw_HQ[..., MEDIAN : MEDIAN + 1]
    step = _softplus(raw_HQ, xp)
    above = [median]
    for k in range(MEDIAN + 1, len(LEVELS)):
        above.append(above[-1] + step[..., k : k + 1])
    below = [median]
    for k in range(MEDIAN - 1, -1, -1):
        below.append(below[-1] - step[..., k : k + 1])
    return xp.concatenate([*below[:0:-1], *above], -1)


def _softplus(a: Any, xp: Any) -> Any:
    return xp.logaddexp(a, xp.zeros_like(a))
