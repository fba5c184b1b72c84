"""Replay memory of a network that learns from a stream: older ticks, for training again and for
deciding whether to restore earlier weights.

    R rows · T ticks of a window · C input channels · K columns
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.states import arrays_of, mapped, rows_of
from lstmcast.windows import TickWindow

if TYPE_CHECKING:
    from lstmcast.training.online import Kept, Learner

WINDOWS = 16  # windows to keep
ROWS = 64  # largest number of rows of each
EVERY = 32  # updates between comparisons
FEWEST = 8  # windows needed for a comparison
WORSE = 0.1  # relative to the loss of the saved weights
CERTAIN = 2.0  # standard errors of the difference


class Fall(NamedTuple):
    """A restoration of earlier weights: their tick, and both losses."""

    tick: int
    loss: float
    kept_loss: float


class Guard:
    """Stores windows of ticks, and weights with small losses on them.

    Args:
        learners: the members of the network, each with its optimiser.
        chunk: ticks per window, and between stored windows.
        seed: random seed of the stored rows and of the windows that are replayed.
    """

    def __init__(self, learners: Sequence[Learner], chunk: int, seed: int) -> None:
        self.learners = learners
        self.chunk = chunk
        self.seed = seed
        self.windows: list[TickWindow] = []  # oldest first
        self.kept: list[Kept] = []
        self.kept_at = self.updates = 0

    def remember(self, window: TickWindow, tick: int) -> None:
        """Store some rows of a window that was just learned from, if one is due."""
        if tick % self.chunk:
            return
        rows = np.arange(len(window.x_RTC))
        if len(rows) > ROWS:
            rng = np.random.default_rng([self.seed, tick])
            rows = np.sort(rng.choice(len(rows), ROWS, replace=False))
        self.windows = [*self.windows, rows_of(window, rows)][-WINDOWS:]

    def again(self, count: int, tick: int) -> list[TickWindow]:
        """A random selection of windows for this tick."""
        if not self.windows or not count:
            return []
        rng = np.random.default_rng([self.seed, tick, 1])
        place_N = rng.integers(0, len(self.windows), count)
        return [self.windows[place] for place in place_N.tolist()]

    def watch(self, tick: int) -> Fall | None:
        """Restore earlier weights after an update if they are better; return the restoration, if
        any.

        They are better if the current weights have larger losses on the older and on the newer half
        of the stored windows. After a lasting change, losses on the newer half are smaller.
        """
        self.updates += 1
        if self.updates % EVERY or len(self.windows) < FEWEST:
            return None
        if self.kept:
            loss_N = self._losses()
            current = [learner.kept() for learner in self.learners]
            self._return_to(self.kept)
            kept_loss_N = self._losses()
            if is_worse(loss_N, kept_loss_N):
                return Fall(
                    self.kept_at, float(loss_N.mean()), float(kept_loss_N.mean())
                )
            self._return_to(current)
        self.kept = [learner.kept() for learner in self.learners]
        self.kept_at = tick
        return None

    def _return_to(self, weights: Sequence[Kept]) -> None:
        for learner, member_weights in zip(self.learners, weights, strict=True):
            learner.return_to(member_weights)

    def _losses(self) -> NDArray:
        """The loss on each window, averaged over the members."""
        losses = []
        for window in self.windows:
            members = enumerate(self.learners)
            losses.append(
                sum(learner.loss(window, member) for member, learner in members)
            )
        return np.array(losses)

    # ---- saving

    def saved(self) -> dict[str, NDArray]:
        """The state for the next comparison."""
        arrays = {"kept_at": np.array(self.kept_at), "updates": np.array(self.updates)}
        for number, window in enumerate(self.windows):
            arrays |= {f"{number}{place}": array for place, array in arrays_of(window)}
        for member, weights in enumerate(self.kept):
            arrays |= {
                f"kept.{member}.{name}": array for name, array in weights.items()
            }
        return arrays

    def take_up(self, saved: Mapping[str, NDArray], like: TickWindow) -> None:
        """Restore from `saved`; `like` has the form of a window. KeyError if an array is
        missing."""
        self.kept_at = int(saved["kept_at"])
        self.updates = int(saved["updates"])
        windows = sum(name.endswith(".x_RTC") for name in saved)
        for number in range(windows):
            self.windows.append(_saved_window(saved, number, like))
        members = {name.split(".")[1] for name in saved if name.startswith("kept.")}
        for member in range(len(members)):
            weights = _under(saved, f"kept.{member}.")
            self.kept.append(dict(weights))


def is_worse(loss_N: NDArray, earlier_N: NDArray) -> bool:
    """Whether losses have clearly grown on the older half of the windows, and on the newer half.

    >>> before = np.full(8, 2.0)
    >>> is_worse(before + 1, before), is_worse(before + [1, 1, 1, 1, -1, -1, -1, -1], before)
    (True, False)
    """
    half = len(loss_N) // 2
    growth_N = loss_N - earlier_N
    is_worse_before = _grown(growth_N[:half], earlier_N[:half])
    return is_worse_before and _grown(growth_N[half:], earlier_N[half:])


def _grown(growth: NDArray, earlier_N: NDArray) -> bool:
    if not np.isfinite(growth).all():
        return bool(np.isfinite(earlier_N).all())
    noise = growth.std(ddof=1) / np.sqrt(len(growth))
    limit = max(WORSE * np.abs(earlier_N.mean()), CERTAIN * noise)
    return bool(growth.mean() > limit)


def _saved_window(
    saved: Mapping[str, NDArray], number: int, like: TickWindow
) -> TickWindow:
    arrays = iter([saved[f"{number}{place}"] for place, _ in arrays_of(like)])
    return mapped(lambda _: next(arrays), like)


def _under(saved: Mapping[str, NDArray], prefix: str) -> Iterator[tuple[str, NDArray]]:
    for name, array in saved.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), array
