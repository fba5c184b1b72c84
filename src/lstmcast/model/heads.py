"""Heads: quantiles, a likelihood, or a point from the raw numbers of the network.

Each head is written once, for an array namespace (NumPy at inference, PyTorch in training). It
receives the location and scale of its answer in the units of the axis of the inputs. A head whose
answer only shifts and scales with them is affine: it answers with location 0 and scale 1, and the
inputs place the answer. Any other head, such as one for counts, answers on the axis itself.

R raw numbers per value · Q quantiles, in the order of `HEAD_QUANTILES` · H horizon
"""

from __future__ import annotations

import inspect
import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.model.count_heads import COUNT_HEADS
from lstmcast.model.distributions import log_gamma_ratio, student_scores
from lstmcast.model.levels import HEAD_QUANTILES as HEAD_QUANTILES
from lstmcast.model.levels import MEDIAN as MEDIAN
from lstmcast.model.levels import SCORES as SCORES
from lstmcast.util.spelling import did_you_mean

SMALLEST_SCALE = 1e-4  # smallest scale of a likelihood, in units of the network

# Location and scale of an answer in units of the network.
ZERO = np.zeros(())
ONE = np.ones(())


class Head(Protocol):
    """The interface of a head; your own head is an object with these members.

    `outputs`: R, raw numbers per value; `center`: index of the one that shifts the answer;
    `spreads`: whether it has a distribution, rather than points only; `affine`: whether its answers
    and draws are `location + scale * answer at location 0 and scale 1`, with the same minimiser of
    its loss on both scales.

    `location` and `scale` broadcast against `raw[..., 0]`. They are 0 and 1 for transformed and
    running inputs, whose labels define the axis. For a head that is not affine, adaptive inputs
    read values on the linear axis: location and scale are then the level and the usual change in
    the units of the data, and columns known in advance multiply both, and thus the mean. A head may
    also have a member `values`, the kind of values that it can be trained on (see `values_of`).
    """

    @property
    def name(self) -> str: ...
    @property
    def outputs(self) -> int: ...
    @property
    def center(self) -> int: ...
    @property
    def spreads(self) -> bool: ...
    @property
    def affine(self) -> bool: ...

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The point forecast (…) of raw numbers (…, R)."""
        ...

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Quantiles (…, Q) at `HEAD_QUANTILES`."""
        ...

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The loss of each value (…); lower is better."""
        ...

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """One draw (…) of each value."""
        ...

    def initial(self, horizon: int) -> NDArray:
        """Initial raw numbers (H, R), with spreads that grow like those of a random walk."""
        ...


class Quantiles:
    """Quantiles that cannot cross, trained by the pinball loss (Koenker & Bassett 1978)."""

    name = "quantiles"
    spreads = True
    outputs = len(HEAD_QUANTILES)
    center = MEDIAN
    affine = True

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The median."""
        return location + scale * raw[..., MEDIAN]

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The median, and the other quantiles at positive distances from it."""
        quantiles = quantiles_from_raw(raw, xp)
        if location is ZERO and scale is ONE:
            return quantiles
        return location[..., None] + scale[..., None] * quantiles

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Twice the mean pinball loss; with the median as the only level, the absolute error."""
        miss = target[..., None] - self.quantiles(raw, location, scale, xp)
        level_Q = xp.asarray(HEAD_QUANTILES, dtype=raw.dtype, device=raw.device)
        return 2 * xp.maximum(level_Q * miss, (level_Q - 1) * miss).mean(-1)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """A draw by linear interpolation of the quantiles over normal scores, extrapolated beyond
        the outer ones."""
        score = rng.standard_normal(raw.shape[:-1])
        quantiles = self.quantiles(raw, location, scale, np)
        right = np.clip(np.searchsorted(SCORES, score), 1, len(HEAD_QUANTILES) - 1)
        left = right - 1
        low = np.take_along_axis(quantiles, left[..., None], -1)[..., 0]
        high = np.take_along_axis(quantiles, right[..., None], -1)[..., 0]
        share = (score - SCORES[left]) / (SCORES[right] - SCORES[left])
        return low + share * (high - low)

    def initial(self, horizon: int) -> NDArray:
        """Steps between quantiles of 0.6 √h; the median at 0."""
        raw_H = _before_softplus(0.6 * _roots(horizon))
        raw_HR = np.repeat(raw_H[:, None], self.outputs, axis=1)
        raw_HR[:, MEDIAN] = 0.0
        return raw_HR


class Normal:
    """A normal distribution: location and scale, trained by its negative log-likelihood."""

    name = "normal"
    spreads = True
    outputs = 2
    center = 0
    affine = True

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The mean, which equals the median."""
        return location + scale * raw[..., 0]

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Location plus scale times the normal scores."""
        score_Q = xp.asarray(SCORES, dtype=raw.dtype, device=raw.device)
        return _of_scores(raw, score_Q, location, scale, xp)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """−log p(target)."""
        miss = target - (location + scale * raw[..., 0])
        width = scale * _width(raw, xp)
        return 0.5 * (miss / width) ** 2 + xp.log(width) + 0.5 * math.log(2 * math.pi)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """Location plus scale times a normal draw."""
        draw = raw[..., 0] + _width(raw, np) * rng.standard_normal(raw.shape[:-1])
        return location + scale * draw

    def initial(self, horizon: int) -> NDArray:
        """A scale of √h."""
        width_H = _before_softplus(_roots(horizon))
        return np.column_stack([np.zeros(horizon), width_H])


class StudentT:
    """Student's t: location, scale and more than two degrees of freedom, for values with
    outliers."""

    name = "student_t"
    spreads = True
    outputs = 3
    center = 0
    affine = True

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The location, which is median and mean."""
        return location + scale * raw[..., 0]

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Location plus scale times the scores of Student's t (NumPy only: training does not
        need them)."""
        score_Q = student_scores(_freedom(raw, np))
        return _of_scores(raw, score_Q, location, scale, np)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """−log p(target)."""
        miss = target - (location + scale * raw[..., 0])
        width = scale * _width(raw, xp)
        freedom = _freedom(raw, xp)
        distance = (miss / width) ** 2 / freedom
        constant = 0.5 * xp.log(freedom * math.pi) - log_gamma_ratio(freedom / 2, xp)
        return constant + xp.log(width) + 0.5 * (freedom + 1) * xp.log1p(distance)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """Location plus scale times a draw of Student's t."""
        draw = raw[..., 0] + _width(raw, np) * rng.standard_t(_freedom(raw, np))
        return location + scale * draw

    def initial(self, horizon: int) -> NDArray:
        """A scale of √h and about seven degrees of freedom."""
        return np.column_stack([Normal().initial(horizon), np.full(horizon, 5.0)])


class Point:
    """A single number, trained with the squared error unless another loss is given; it has no
    intervals of its own."""

    name = "point"
    spreads = False
    outputs = 1
    center = 0
    affine = True

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The number."""
        return location + scale * raw[..., 0]

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The number at every level."""
        point = self.point(raw, location, scale, xp)[..., None]
        return xp.concatenate([point] * len(HEAD_QUANTILES), -1)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The squared error."""
        return (target - (location + scale * raw[..., 0])) ** 2

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """The number itself: there is no distribution to draw from."""
        return location + scale * raw[..., 0]

    def initial(self, horizon: int) -> NDArray:
        """Zeros."""
        return np.zeros((horizon, 1))


def answer_of(
    head: Head,
    raw: NDArray,
    location: NDArray = ZERO,
    scale: NDArray = ONE,
    xp: Any = np,
) -> NDArray:
    """The answer of a head: quantiles (…, Q), or the point (…, 1)."""
    if head.spreads:
        return head.quantiles(raw, location, scale, xp)
    return head.point(raw, location, scale, xp)[..., None]


AFFINE_HEADS: tuple[Head, ...] = (Quantiles(), Normal(), StudentT(), Point())
HEADS: dict[str, Head] = {head.name: head for head in (*AFFINE_HEADS, *COUNT_HEADS)}


def head_named(name: str, custom: Head | None = None) -> Head:
    """The head with this name, one of `HEADS` or the custom one; UsageError for unknown names."""
    if custom is not None and HEADS.get(name) is not custom:
        check_head(custom)
        if custom.name != name:
            raise UsageError(
                f"head={custom!r} is named {custom.name!r}, and the network's head is {name!r}. "
                "Leave it out."
            )
        return custom
    if name not in HEADS:
        raise UsageError(
            f"head={name!r} is not known.{did_you_mean(name, HEADS)} Use one of "
            f"{', '.join(map(repr, HEADS))}, or pass your own head, an object with this name."
        )
    return HEADS[name]


def values_of(head: Head) -> str:
    """The kind of values that a head can be trained on: "real", "positive" (0 and above) or
    "count" (whole numbers from 0); "real" unless the head has `values`."""
    return getattr(head, "values", "real")


def check_head(head: Any) -> None:
    """Raise UsageError for an object that does not have the interface of `Head`."""
    if isinstance(head, type):
        raise UsageError(
            f"{head=} is not a head: it is a class, but an instance is expected. See "
            "lstmcast.model.heads.Head."
        )
    missing = [name for name in (*_ATTRIBUTES, *_ARGUMENTS) if not hasattr(head, name)]
    if missing:
        raise UsageError(
            f"{head=} is not a head: it lacks {', '.join(missing)}. See lstmcast.model.heads.Head."
        )
    for name, arguments in _ARGUMENTS.items():
        try:
            inspect.signature(getattr(head, name)).bind(*arguments)
        except TypeError as error:
            expected = f"{name}({', '.join(arguments)})"
            raise UsageError(
                f"{head=} is not a head: it cannot be called as {expected}. See "
                "lstmcast.model.heads.Head."
            ) from error


_ATTRIBUTES = ("name", "outputs", "center", "spreads", "affine")
_ARGUMENTS = {
    "point": ("raw", "location", "scale", "xp"),
    "quantiles": ("raw", "location", "scale", "xp"),
    "loss": ("raw", "target", "location", "scale", "xp"),
    "sample": ("raw", "location", "scale", "rng"),
    "initial": ("horizon",),
}


def quantiles_from_raw(raw: Any, xp: Any) -> Any:
    """Quantiles (…, Q) that cannot cross: the raw median, and the others at positive distances
    from it."""
    median = raw[..., MEDIAN : MEDIAN + 1]
    step = _softplus(raw, xp)
    above = [median]
    for level in range(MEDIAN + 1, len(HEAD_QUANTILES)):
        above.append(above[-1] + step[..., level : level + 1])
    below = [median]
    for level in range(MEDIAN - 1, -1, -1):
        below.append(below[-1] - step[..., level : level + 1])
    return xp.concatenate([*below[:0:-1], *above], -1)


def _of_scores(raw: Any, score_Q: Any, location: Any, scale: Any, xp: Any) -> Any:
    """Quantiles (…, Q) of a distribution with these scores at location 0 and scale 1."""
    quantiles = raw[..., :1] + _width(raw, xp)[..., None] * score_Q
    return location[..., None] + scale[..., None] * quantiles


def _width(raw: Any, xp: Any) -> Any:
    """The scale of a distribution, as a multiple of the scale that the head receives."""
    return _softplus(raw[..., 1], xp) + SMALLEST_SCALE


def _freedom(raw: Any, xp: Any) -> Any:
    return 2 + _softplus(raw[..., 2], xp)


def _softplus(value: Any, xp: Any) -> Any:
    return xp.logaddexp(value, xp.zeros_like(value))


def _roots(horizon: int) -> NDArray:
    """√1 … √h: the growth of a random walk's spread."""
    return np.sqrt(np.arange(1, horizon + 1))


def _before_softplus(value: NDArray) -> NDArray:
    return np.log(np.expm1(value))
