"""Parts of a forecast: intervals, combination shares, and contributions of future columns.

Shapes: O origins (series-major), H horizon, N candidates, C known columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from lstmcast.util.text import counted, number

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast

NETWORK = "network"  # the name of the network's own forecast in a combination
# arrays with a row per origin
_BY_ORIGIN = (
    "ids",
    "cutoffs",
    "times",
    "point",
    "quantiles",
    "stops",
    "fractional",
)


class Interval(NamedTuple):
    """A central prediction interval, which should contain `level` percent of the actual values."""

    level: float
    lower: np.ndarray  # (O, H)
    upper: np.ndarray  # (O, H)

    def __repr__(self) -> str:
        """Its level, its size and its first bounds."""
        origins, horizon = self.lower.shape
        text = f"{self.level:g}%, {counted(origins, 'origin')}, horizon {horizon}"
        if self.lower.size:
            text += f", first {number(self.lower[0, 0])} … {number(self.upper[0, 0])}"
        return f"Interval({text})"


@dataclass(frozen=True, eq=False)
class Combination:
    """The share of each candidate in a forecast combination at each origin.

    >>> made = Combination((NETWORK, "naive"), np.array([[0.7, 0.3], [0.8, 0.2]]))
    >>> str(made), made.as_dict()
    ('network 75%, naive 25%', {'network': 0.75, 'naive': 0.25})
    """

    names: tuple[str, ...]
    shares: np.ndarray  # (O, N): each row adds up to 1

    def __repr__(self) -> str:
        return f"Combination({self})"

    def __str__(self) -> str:
        """The mean shares of at least 1%, the network first, then by size."""
        network, *simple = self.as_dict().items()
        simple.sort(key=_share, reverse=True)
        texts = [
            f"{name} {100 * share:.0f}%"
            for name, share in (network, *simple)
            if share >= 0.005
        ]
        return ", ".join(texts)

    def replaced(self, rows: np.ndarray, other: Combination) -> Combination:
        """The same with the shares of another combination at some of the origins.

        >>> naive = Combination(("naive",), np.array([[1.0]]))
        >>> made = Combination((NETWORK, "naive"), np.array([[0.7, 0.3], [0.8, 0.2]]))
        >>> made.replaced(np.array([1]), naive).shares
        array([[0.7, 0.3],
               [0. , 1. ]])
        """
        names = tuple(dict.fromkeys((*self.names, *other.names)))
        shares = np.zeros((len(self.shares), len(names)))
        shares[:, : len(self.names)] = self.shares
        shares[rows] = 0.0
        places = np.array([names.index(name) for name in other.names])
        shares[np.ix_(rows, places)] = other.shares
        return Combination(names, shares)

    @property
    def single(self) -> str | None:
        """The only candidate used at all origins; None if there are several.

        >>> Combination((NETWORK, "naive"), np.array([[0.0, 1.0]])).single
        'naive'
        """
        is_whole = np.all(self.shares == 1, axis=0)
        if not is_whole.any():
            return None
        return self.names[int(is_whole.argmax())]

    def as_dict(self) -> dict[str, float]:
        """The mean share of each candidate by name."""
        shares = np.zeros(len(self.names))
        if len(self.shares):
            shares = self.shares.mean(axis=0)
        rounded = [round(float(share), 4) for share in shares]
        return dict(zip(self.names, rounded, strict=True))

    def rows(self, origins: np.ndarray) -> Combination:
        """The shares at some origins."""
        return Combination(self.names, self.shares[origins])


def _share(entry: tuple[str, float]) -> float:
    return entry[1]


class KnownParts(NamedTuple):
    """What future columns and dates contribute to a forecast.

    effects_OHC: on the axis of each series · axes_O: 0 for values as they are, 1 for logarithms, 2
    for square roots.
    """

    names: tuple[str, ...]
    effects_OHC: np.ndarray
    axes_O: np.ndarray

    def rows(self, origins: np.ndarray) -> KnownParts:
        """The contributions at some origins."""
        return KnownParts(self.names, self.effects_OHC[origins], self.axes_O[origins])

    def at_steps(self, steps: np.ndarray) -> KnownParts:
        """The contributions at some steps of each origin."""
        effects_OHC = np.take_along_axis(self.effects_OHC, steps[:, :, None], axis=1)
        return self._replace(effects_OHC=effects_OHC)

    def in_units(self, point_OH: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The forecast without effects (O, H) and the contribution of each effect (O, H, C).

        Both are in units of the data, and add up to the forecast.

        Effects on logarithms are split by the logarithmic mean of both (Ang 2004, "LMDI").
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
    """Draws the paths of all series jointly where they must add up; see `hierarchy`."""

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Sample paths (O, N, H)."""
        ...

    def take(self, rows: np.ndarray) -> JointPaths:
        """The paths of some of the series."""
        ...

    def at_steps(self, steps: np.ndarray) -> JointPaths:
        """The paths of some of the steps."""
        ...


def arrays_at_steps(forecast: Forecast, steps: np.ndarray) -> dict[str, Any]:
    """What a forecast holds of some steps of each origin, (O, H) counted from 0."""
    parts: dict[str, Any] = {}
    for name in ("times", "point"):
        parts[name] = np.take_along_axis(getattr(forecast, name), steps, axis=1)
    for name in ("quantiles", "fractional"):
        array = getattr(forecast, name)
        if array is not None:
            parts[name] = np.take_along_axis(array, steps[:, :, None], axis=1)
    for name in ("known", "joint"):
        of_steps = getattr(forecast, name)
        if of_steps is not None:
            parts[name] = of_steps.at_steps(steps)
    return parts


def parts_of_origins(forecast: Forecast, origins: np.ndarray) -> dict[str, Any]:
    """What a forecast holds of some origins: their numbers, or a mask."""
    fields: dict[str, Any] = {"keys": forecast.keys.take(origins)}
    for name in _BY_ORIGIN:
        array = getattr(forecast, name)
        fields[name] = None if array is None else array[origins]
    for name in ("combination", "dependence", "known", "bounds"):
        of_rows = getattr(forecast, name)
        fields[name] = None if of_rows is None else of_rows.rows(origins)
    if forecast.joint is not None:
        fields["joint"] = forecast.joint.take(origins)
    return fields
