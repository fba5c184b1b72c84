"""States of adaptive inputs, of series and of single steps.

B series of a batch · N positions · T steps · H horizon · L newest values
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.adjusted import LevelState
from lstmcast.model.inputs.base import Grid
from lstmcast.model.inputs.seasonfamilies import seasonal
from lstmcast.model.inputs.seasons import FamilyState
from lstmcast.model.inputs.surprises import Calmed, set_aside
from lstmcast.model.inputs.surprisestate import Axis, Surprises
from lstmcast.model.inputs.tables import Reading
from lstmcast.model.inputs.widths import WidthState, read_widths

# A value can be a surprise only after this many values, and MORE than the longest season has.
SURE_AFTER, MORE = 8, 4
ROOT_SLACK = 4.0


class AdaptiveKnown(NamedTuple):
    """Values needed to invert answers, at each of T steps (B, T, …) or at N positions (N, …)."""

    level: NDArray
    scale: NDArray
    # (…, H): known at t for t+1 … t+H, effects included, on the reading axis
    seasonal: NDArray
    # Another possible level after a surprise, relative to the level; 0 without a surprise.
    other: NDArray
    age: NDArray
    # the only value read so far, in the units of the data; NaN if there are several
    value: NDArray
    log: NDArray
    root: NDArray
    unit: NDArray
    # effect known in advance at the newest step, excluded from the level; None without effects
    effect: NDArray | None = None
    # (…, H): relative interval widths of the next steps; None if all are equal
    width: NDArray | None = None


class AdaptiveState(NamedTuple):
    """The state of `advance`; arrays have a row per series."""

    grid: Grid
    # Last L observations on the reading axis, minus the reference; NaN = missing or not begun.
    z_BL: NDArray
    seen_BL: NDArray  # whether the series had begun
    # first observation; keeps sums exact for values with a large offset
    reference_B: NDArray
    # The newest seasonally adjusted observation as of each of those steps, minus the reference.
    level_BL: NDArray
    smooth_BA: NDArray
    # Decayed sums for the scale: absolute changes, their number, and the remaining prior weight.
    scale_B3: NDArray
    age_B: NDArray  # number of observations read
    first_B: NDArray  # the first observation, in the units of the data
    constant_B: NDArray  # whether all observations were equal, apart from surprises
    seasons: tuple[FamilyState, ...]
    surprises: Surprises
    known: AdaptiveKnown  # at the newest step
    # Effects of the steps that are fed back, known in advance; None without effects.
    ahead_BF: NDArray | None = None
    widths: WidthState | None = None  # None if all widths are equal

    @property
    def levels(self) -> LevelState:
        """The state of the adjusted values."""
        return LevelState(self.level_BL, self.smooth_BA, self.scale_B3)


def with_effects_ahead(state: AdaptiveState, effect_BF: NDArray) -> AdaptiveState:
    """The state for feeding answers back, given effects known in advance, in the units of the data:
    of the F steps that are fed back and the H after them.
    """
    return state._replace(ahead_BF=effect_BF / state.grid.unit_B[:, None])


def calm(
    state: AdaptiveState, z_BT: NDArray, reference_B: NDArray, observed: bool
) -> Calmed:
    """Values minus the reference and the level shift, with surprises set aside."""
    surprises = state.surprises
    grid = state.grid
    z_BT = z_BT - reference_B[:, None]
    if not observed:
        shift_BT = np.broadcast_to(surprises.shift_B[:, None], z_BT.shape)
        other_BT = np.broadcast_to(surprises.other_B[:, None], z_BT.shape)
        return Calmed(z_BT - shift_BT, shift_BT, other_BT, surprises)
    periods = seasonal(grid.periods)
    slack_B = np.where(grid.root_B, ROOT_SLACK, 1.0)
    fewest = max(SURE_AFTER, max(periods, default=1) + MORE)
    axis = Axis(grid.log_B, slack_B, fewest, min(periods, default=1))
    return set_aside(surprises, z_BT, state.z_BL, axis)


def first_known(reference_B: NDArray, z_BT: NDArray) -> NDArray:
    known_BT = ~np.isnan(z_BT)
    # NaN for series without known values
    first_B = z_BT[np.arange(len(z_BT)), known_BT.argmax(axis=1)]
    return np.where(np.isnan(reference_B), first_B, reference_B)


def nothing_known(grid: Grid, rows: int) -> AdaptiveKnown:
    """Inversion values before the first observation of each row."""
    zeros = np.zeros(rows)
    effect = zeros if grid.effects else None
    return AdaptiveKnown(
        level=zeros,
        scale=zeros,
        seasonal=np.zeros((rows, grid.horizon)),
        other=zeros,
        age=zeros,
        value=np.full(rows, np.nan),
        log=grid.log_B,
        root=grid.root_B,
        unit=grid.unit_B,
        effect=effect,
    )


def known_at(
    grid: Grid,
    level_BT: NDArray,
    scale_BT: NDArray,
    seasonal_BTH: NDArray,
    age_BT: NDArray,
) -> AdaptiveKnown:
    """Inversion values at each step; `advance` adds the only value, and surprises are not
    considered yet."""
    return AdaptiveKnown(
        level_BT,
        scale_BT,
        seasonal_BTH,
        np.zeros_like(age_BT),
        age_BT,
        value=np.full_like(age_BT, np.nan),
        log=np.broadcast_to(grid.log_B[:, None], age_BT.shape),
        root=np.broadcast_to(grid.root_B[:, None], age_BT.shape),
        unit=np.broadcast_to(grid.unit_B[:, None], age_BT.shape),
    )


def joined_to(
    state: AdaptiveState, z_BT: NDArray
) -> tuple[Reading, NDArray, dict[str, NDArray]]:
    """The newest values followed by T more; the number of known ones at each of the T steps; and
    the fields of the state after them."""
    tail = state.z_BL.shape[1]
    z_BU = np.concatenate([state.z_BL, z_BT], axis=1)
    known_BU = ~np.isnan(z_BU)
    known_BT = known_BU[:, tail:]
    begun_BT = np.maximum.accumulate(known_BT, axis=1)
    begun_BT = state.seen_BL[:, -1:] | begun_BT
    seen_BU = np.concatenate([state.seen_BL, begun_BT], axis=1)
    age_BT = state.age_B[:, None] + np.cumsum(known_BT, axis=1)
    filled_BU = np.where(known_BU, z_BU, 0.0)
    reading = Reading(filled_BU, known_BU, seen_BU, z_BT.shape[1])
    tails = {"z_BL": z_BU[:, -tail:], "seen_BL": seen_BU[:, -tail:]}
    return reading, age_BT, tails


def with_effects(
    way_back: AdaptiveKnown, effect_BTF: NDArray | None, grid: Grid
) -> AdaptiveKnown:
    """Inversion values with effects known in advance, of each step and the H after it."""
    if effect_BTF is not None:
        coming_BTH = way_back.seasonal + effect_BTF[:, :, 1:]
        return way_back._replace(seasonal=coming_BTH, effect=effect_BTF[:, :, 0])
    if grid.effects:
        return way_back._replace(effect=np.zeros_like(way_back.age))
    return way_back


def with_widths(
    way_back: AdaptiveKnown, widths: WidthState | None, reading: Reading, horizon: int
) -> tuple[AdaptiveKnown, WidthState | None]:
    """Inversion values with interval widths of the next steps, if the state tracks widths."""
    if widths is None:
        return way_back, None
    season = widths.change_BM.shape[1]
    width_BTH, widths = read_widths(widths, reading.change(season), horizon)
    return way_back._replace(width=width_BTH), widths
