"""From the network's raw numbers to what it says about a coming value: quantiles, a likelihood, or
a point.

Written once, over the array namespace that it is given (NumPy at inference, PyTorch in training).

R raw numbers per value · Q quantiles, in the order of `HEAD_QUANTILES` · H horizon
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError

HEAD_QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
MEDIAN = HEAD_QUANTILES.index(0.5)
SMALLEST_SCALE = 1e-4  # of a likelihood, in the units that the network sees
SCORES = np.array(
    [NormalDist().inv_cdf(level) for level in HEAD_QUANTILES]
)  # of the normal distribution


class Head(Protocol):
    """What a head must be able to do; a user's own head is an object with these members.

    `outputs`: R, raw numbers per value; `location`: which of them moves the answer up and
    down. A head that answers points alone says so by a further one, `spreads = False`.
    """

    @property
    def name(self) -> str: ...
    @property
    def outputs(self) -> int: ...
    @property
    def location(self) -> int: ...

    def point(self, raw: Any, xp: Any) -> Any:
        """The point forecast (…) of raw numbers (…, R)."""
        ...

    def quantiles(self, raw: Any, xp: Any) -> Any:
        """Quantiles (…, Q) at `HEAD_QUANTILES`."""
        ...

    def loss(self, raw: Any, target: Any, xp: Any) -> Any:
        """The loss of each value (…); lower is better."""
        ...

    def sample(self, raw: NDArray, rng: np.random.Generator) -> NDArray:
        """One draw (…) of each value."""
        ...

    def initial(self, horizon: int) -> NDArray:
        """Raw numbers (H, R) that a network may start from: spreads that grow as a random
        walk's."""
        ...


class Quantiles:
    """Quantiles that cannot cross, trained by the pinball loss (Koenker & Bassett 1978)."""

    name = "quantiles"
    spreads = True
    outputs = len(HEAD_QUANTILES)
    location = MEDIAN

    def point(self, raw: Any, xp: Any) -> Any:
        """The median."""
        return raw[..., MEDIAN]

    def quantiles(self, raw: Any, xp: Any) -> Any:
        """The median as it is, the others by positive steps away from it."""
        return quantiles_from_raw(raw, xp)

    def loss(self, raw: Any, target: Any, xp: Any) -> Any:
        """Twice the mean pinball loss: with one level, the median, that is the absolute error."""
        miss = target[..., None] - self.quantiles(raw, xp)
        level_Q = xp.asarray(HEAD_QUANTILES, dtype=raw.dtype, device=raw.device)
        return 2 * xp.maximum(level_Q * miss, (level_Q - 1) * miss).mean(-1)

    def sample(self, raw: NDArray, rng: np.random.Generator) -> NDArray:
        """Straight lines between the quantiles over the normal distribution's scores, and on
        beyond them."""
        score = rng.standard_normal(raw.shape[:-1])
        quantiles = self.quantiles(raw, np)
        right = np.clip(np.searchsorted(SCORES, score), 1, len(HEAD_QUANTILES) - 1)
        low, high = (
            np.take_along_axis(quantiles, at[..., None], -1)[..., 0] for at in (right - 1, right)
        )
        share = (score - SCORES[right - 1]) / (SCORES[right] - SCORES[right - 1])
        return low + share * (high - low)

    def initial(self, horizon: int) -> NDArray:
        """Steps between quantiles of 0.6 √h; the median at 0."""
        raw_HR = np.repeat(
            _before_softplus(0.6 * np.sqrt(np.arange(1, horizon + 1)))[:, None],
            self.outputs,
            axis=1,
        )
        raw_HR[:, MEDIAN] = 0.0
        return raw_HR


class Normal:
    """A normal distribution: location and scale, trained by its negative log-likelihood."""

    name = "normal"
    spreads = True
    outputs = 2
    location = 0

    def point(self, raw: Any, xp: Any) -> Any:
        """The mean, which is the median."""
        return raw[..., 0]

    def quantiles(self, raw: Any, xp: Any) -> Any:
        """Location plus scale times the normal scores."""
        score_Q = xp.asarray(SCORES, dtype=raw.dtype, device=raw.device)
        return raw[..., :1] + _scale(raw, xp)[..., None] * score_Q

    def loss(self, raw: Any, target: Any, xp: Any) -> Any:
        """−log p(target)."""
        scale = _scale(raw, xp)
        return (
            0.5 * ((target - raw[..., 0]) / scale) ** 2
            + xp.log(scale)
            + 0.5 * math.log(2 * math.pi)
        )

    def sample(self, raw: NDArray, rng: np.random.Generator) -> NDArray:
        """Location plus scale times a normal draw."""
        return raw[..., 0] + _scale(raw, np) * rng.standard_normal(raw.shape[:-1])

    def initial(self, horizon: int) -> NDArray:
        """A scale of √h."""
        return np.stack(
            [np.zeros(horizon), _before_softplus(np.sqrt(np.arange(1, horizon + 1)))], axis=1
        )


class StudentT:
    """Student's t: location, scale and more than two degrees of freedom, for values with
    outliers."""

    name = "student_t"
    spreads = True
    outputs = 3
    location = 0

    def point(self, raw: Any, xp: Any) -> Any:
        """The location: median and mean."""
        return raw[..., 0]

    def quantiles(self, raw: Any, xp: Any) -> Any:
        """Location plus scale times the scores of Student's t (NumPy only: training does not
        need them)."""
        return raw[..., :1] + _scale(raw, np)[..., None] * student_scores(_freedom(raw, np))

    def loss(self, raw: Any, target: Any, xp: Any) -> Any:
        """−log p(target)."""
        scale, freedom = _scale(raw, xp), _freedom(raw, xp)
        distance = ((target - raw[..., 0]) / scale) ** 2 / freedom
        constant = 0.5 * xp.log(freedom * math.pi) - _log_gamma_ratio(freedom / 2, xp)
        return constant + xp.log(scale) + 0.5 * (freedom + 1) * xp.log1p(distance)

    def sample(self, raw: NDArray, rng: np.random.Generator) -> NDArray:
        """Location plus scale times a draw of Student's t."""
        return raw[..., 0] + _scale(raw, np) * rng.standard_t(_freedom(raw, np))

    def initial(self, horizon: int) -> NDArray:
        """A scale of √h and about seven degrees of freedom."""
        return np.column_stack([Normal().initial(horizon), np.full(horizon, 5.0)])


class Point:
    """One number, trained by the squared error unless another loss is asked for; it has no
    intervals of its own."""

    name = "point"
    spreads = False
    outputs = 1
    location = 0

    def point(self, raw: Any, xp: Any) -> Any:
        """The number."""
        return raw[..., 0]

    def quantiles(self, raw: Any, xp: Any) -> Any:
        """The number at every level."""
        return xp.concatenate([raw] * len(HEAD_QUANTILES), -1)

    def loss(self, raw: Any, target: Any, xp: Any) -> Any:
        """The squared error."""
        return (target - raw[..., 0]) ** 2

    def sample(self, raw: NDArray, rng: np.random.Generator) -> NDArray:
        """The number: nothing is drawn."""
        return raw[..., 0]

    def initial(self, horizon: int) -> NDArray:
        """Zeros."""
        return np.zeros((horizon, 1))


def spreads(head: Head) -> bool:
    """Whether a head says how uncertain it is; one that does not answers points alone."""
    return getattr(head, "spreads", True)


def answer_of(head: Head, raw: NDArray) -> NDArray:
    """What a head says: quantiles (…, Q), or as only one of them its point (…, 1)."""
    return head.quantiles(raw, np) if spreads(head) else head.point(raw, np)[..., None]


HEADS: dict[str, Head] = {head.name: head for head in (Quantiles(), Normal(), StudentT(), Point())}


def head_named(name: str, own: Head | None = None) -> Head:
    """The head of this name: one of `HEADS`, or the user's own; UsageError where it is neither."""
    if own is not None:
        if own.name != name:
            raise UsageError(
                f"head={own!r} is named {own.name!r}, and the network's head is {name!r}. Leave it "
                "out."
            )
        return own
    if name not in HEADS:
        raise UsageError(
            f"head={name!r} is not known. Use one of {', '.join(map(repr, HEADS))}, or hand over "
            "your own head, an object with that name."
        )
    return HEADS[name]


def quantiles_from_raw(raw: Any, xp: Any) -> Any:
    """Quantiles (…, Q) that cannot cross: the median as it is, the others by positive steps away
    from it."""
    median = raw[..., MEDIAN : MEDIAN + 1]
    step = _softplus(raw, xp)
    above = [median]
    for k in range(MEDIAN + 1, len(HEAD_QUANTILES)):
        above.append(above[-1] + step[..., k : k + 1])
    below = [median]
    for k in range(MEDIAN - 1, -1, -1):
        below.append(below[-1] - step[..., k : k + 1])
    return xp.concatenate([*below[:0:-1], *above], -1)


def student_scores(freedom: NDArray) -> NDArray:
    """Quantiles (…, Q) at `HEAD_QUANTILES` of Student's t with these degrees of freedom (…), at
    least 2.

    G. W. Hill, "Algorithm 396: Student's t-quantiles", Communications of the ACM 13 (1970).

    >>> student_scores(np.array(5.0)).round(3).tolist()
    [-2.571, -1.476, -0.727, 0.0, 0.727, 1.476, 2.571]
    """
    n = np.asarray(freedom, float)[..., None]
    upper = np.array(HEAD_QUANTILES[MEDIAN + 1 :])
    tails, x = 2 * (1 - upper), -SCORES[MEDIAN + 1 :]
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * np.sqrt(a * math.pi / 2) * n
    far = (d * tails) ** (2 / n)
    middle = c + np.where(n < 5, 0.3 * (n - 4.5) * (x + 0.6), 0)
    middle = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + middle
    y = x**2
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / middle - y - 3) / b + 1) * x
    near = np.expm1(a * y**2)
    tail = 1 / (((n + 6) / (n * far) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)
    tail = (tail * far - 1) * (n + 1) / (n + 2) + 1 / far
    score = np.sqrt(n * np.where(far > 0.05 + a, near, tail))
    return np.concatenate([-score[..., ::-1], np.zeros_like(n), score], axis=-1)


def _scale(raw: Any, xp: Any) -> Any:
    return _softplus(raw[..., 1], xp) + SMALLEST_SCALE


def _freedom(raw: Any, xp: Any) -> Any:
    return 2 + _softplus(raw[..., 2], xp)


def _softplus(a: Any, xp: Any) -> Any:
    return xp.logaddexp(a, xp.zeros_like(a))


def _before_softplus(a: NDArray) -> NDArray:
    return np.log(np.expm1(a))


def _log_gamma_ratio(x: Any, xp: Any) -> Any:
    """log Γ(x + ½) − log Γ(x) for x ≥ 1: the asymptotic series (Abramowitz & Stegun 6.1.47),
    three steps further on."""
    shift = sum(xp.log((x + k) / (x + k + 0.5)) for k in range(3))
    x = x + 3
    return shift + 0.5 * xp.log(x) - 1 / (8 * x) + 1 / (192 * x**3) - 1 / (640 * x**5)
