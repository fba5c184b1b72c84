"""What a forecast holds beside its numbers: intervals, what it was made of, what known columns add.

Shapes: O origins (series-major), H horizon, N candidates, C known columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

NETWORK = "network"  # the name of the network's own forecast in a combination


class Interval(NamedTuple):
    """A central prediction interval: it is meant to contain `level` percent of what comes."""

    level: float
    lower: np.ndarray  # (O, H)
    upper: np.ndarray  # (O, H)


@dataclass(frozen=True, eq=False)
class Combination:
    """What forecasts were made of: the share of each candidate at each origin.

    >>> made = Combination((NETWORK, "naive"), np.array([[0.7, 0.3], [0.8, 0.2]]))
    >>> str(made), made.as_dict()
    ('network 75%, naive 25%', {'network': 0.75, 'naive': 0.25})
    """

    names: tuple[str, ...]
    shares: np.ndarray  # (O, N): each row adds up to 1

    def __str__(self) -> str:
        """The mean shares of a percent or more, largest first after the network."""
        first, *others = self.as_dict().items()
        shown = [first, *sorted(others, key=lambda one: -one[1])]
        return ", ".join(f"{name} {100 * share:.0f}%" for name, share in shown if share >= 0.005)

    @property
    def single(self) -> str | None:
        """The one forecast that it is, everywhere; None where several were averaged or picked.

        >>> Combination((NETWORK, "naive"), np.array([[0.0, 1.0]])).single
        'naive'
        """
        whole = np.all(self.shares == 1, axis=0)
        return self.names[int(whole.argmax())] if whole.any() else None

    def as_dict(self) -> dict[str, float]:
        """The mean shares by name."""
        shares = self.shares.mean(axis=0) if len(self.shares) else np.zeros(len(self.names))
        return {n: round(float(share), 4) for n, share in zip(self.names, shares, strict=True)}

    def rows(self, chosen: np.ndarray) -> Combination:
        """That of some origins."""
        return Combination(self.names, self.shares[chosen])


class KnownParts(NamedTuple):
    """What columns that are known in advance, and the dates, add to a forecast.

    effects_OHC: on the axis of each series · axes_O: 0 for values as they are, 1 for logarithms, 2
    for square roots.
    """

    names: tuple[str, ...]
    effects_OHC: np.ndarray
    axes_O: np.ndarray

    def rows(self, chosen: np.ndarray) -> KnownParts:
        """Those of some origins."""
        return KnownParts(self.names, self.effects_OHC[chosen], self.axes_O[chosen])

    def at_steps(self, steps: np.ndarray) -> KnownParts:
        """Those of some steps of each origin."""
        effects_OHC = np.take_along_axis(self.effects_OHC, steps[:, :, None], axis=1)
        return self._replace(effects_OHC=effects_OHC)

    def in_units(self, point_OH: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A forecast without all effects (O, H), and what each of them adds to it, in units of the
        data (O, H, C): together they are the forecast.

        An effect on logarithms adds its part of the logarithmic mean of both (Ang 2004, "LMDI").
        """
        total_OH = self.effects_OHC.sum(axis=2)
        axes = np.broadcast_to(self.axes_O[:, None], total_OH.shape)
        root = np.sqrt(np.maximum(point_OH, 0.0))
        bare = point_OH - total_OH
        bare = np.where(axes == 1, point_OH * np.exp(-total_OH), bare)
        bare = np.where(axes == 2, np.maximum(root - total_OH, 0.0) ** 2, bare)
        some = total_OH != 0
        per_unit = np.where(some, point_OH - bare, 0.0) / np.where(some, total_OH, 1.0)
        return bare, self.effects_OHC * per_unit[..., None]


class JointPaths(Protocol):
    """Draws the paths of all series together, where they are bound to add up; see `hierarchy`."""

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Sample paths (O, N, H)."""
        ...

    def take(self, rows: np.ndarray) -> JointPaths:
        """The same for some of the series."""
        ...

    def at_steps(self, steps: np.ndarray) -> JointPaths:
        """The same for some of the steps."""
        ...
