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
        network, *simple = self.as_dict().items()
        simple.sort(key=_share, reverse=True)
        texts = [
            f"{name} {100 * share:.0f}%" for name, share in (network, *simple) if share >= 0.005
        ]
        return ", ".join(texts)

    @property
    def single(self) -> str | None:
        """The one forecast that it is, everywhere; None where several were averaged or picked.

        >>> Combination((NETWORK, "naive"), np.array([[0.0, 1.0]])).single
        'naive'
        """
        is_whole = np.all(self.shares == 1, axis=0)
        if not is_whole.any():
            return None
        return self.names[int(is_whole.argmax())]

    def as_dict(self) -> dict[str, float]:
        """The mean shares by name."""
        shares = np.zeros(len(self.names))
        if len(self.shares):
            shares = self.shares.mean(axis=0)
        rounded = [round(float(share), 4) for share in shares]
        return dict(zip(self.names, rounded, strict=True))

    def rows(self, origins: np.ndarray) -> Combination:
        """That of some origins."""
        return Combination(self.names, self.shares[origins])


def _share(entry: tuple[str, float]) -> float:
    return entry[1]


class KnownParts(NamedTuple):
    """What columns that are known in advance, and the dates, add to a forecast.

    effects_OHC: on the axis of each series · axes_O: 0 for values as they are, 1 for logarithms, 2
    for square roots.
    """

    names: tuple[str, ...]
    effects_OHC: np.ndarray
    axes_O: np.ndarray

    def rows(self, origins: np.ndarray) -> KnownParts:
        """Those of some origins."""
        return KnownParts(self.names, self.effects_OHC[origins], self.axes_O[origins])

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
        axes_O1 = self.axes_O[:, None]
        of_logarithms_OH = point_OH * np.exp(-total_OH)
        root_OH = np.sqrt(np.maximum(point_OH, 0.0))
        of_roots_OH = np.maximum(root_OH - total_OH, 0.0) ** 2
        bare_OH = point_OH - total_OH
        bare_OH = np.where(axes_O1 == 1, of_logarithms_OH, bare_OH)
        bare_OH = np.where(axes_O1 == 2, of_roots_OH, bare_OH)
        has_effect_OH = total_OH != 0
        added_OH = np.where(has_effect_OH, point_OH - bare_OH, 0.0)
        per_unit_OH = added_OH / np.where(has_effect_OH, total_OH, 1.0)
        return bare_OH, self.effects_OHC * per_unit_OH[..., None]


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
