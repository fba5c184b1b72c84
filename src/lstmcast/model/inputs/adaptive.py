"""Adaptive inputs: what the network is shown of a series of any level, scale and season, and the
way back.

Everything at step t depends on observations up to t alone. One function, `advance`, serves a whole
batch of series, a chunk of it, and a single new observation of a stream: state in, state out, so
that all give the same numbers.

A series is read on one of two axes: its logarithm (all values positive: `a·X` in gives `a·f` out)
or as it is (`a·X + b` in gives `a·f + b` out). On that axis, z_t is split as

    z_t = level_t + seasonal_t + rest,

and the network sees the last W seasonally adjusted values relative to the newest one, in units of a
running mean absolute change; what the seasons foretell for the coming H steps; exponential
averages; age; which values are missing.

    B series of a batch · T steps · U steps with the tail before them · W window · H horizon
    P seasonal periods · C input channels · N positions · X quantiles, one point or sample paths
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import Field

from lstmcast.context import Blocks
from lstmcast.data.frequency import FAMILIES
from lstmcast.data.panel import Panel
from lstmcast.fit_data import AdaptiveData
from lstmcast.model.inputs.adaptivestate import (
    AdaptiveKnown,
    AdaptiveState,
    calm,
    first_known,
    joined_to,
    known_at,
    with_effects,
)
from lstmcast.model.inputs.axis import from_axis, to_axis
from lstmcast.model.inputs.base import Grid, Seen, decayed_sums
from lstmcast.model.inputs.channels import adjusted_window, channels_of
from lstmcast.model.inputs.seasons import (
    Reading,
    read_seasons,
    seasonal,
    start_seasons,
)
from lstmcast.model.inputs.surprises import no_surprises
from lstmcast.model.inputs.widths import read_widths, season_of, start_widths
from lstmcast.util.config import settings
from lstmcast.util.states import mapped

# Of the construction below: weights are only used with inputs that they can read. Those of version
# 2 have the same channels and forecast better with version 3 than with their own.
VERSION, READABLE = 3, (2, 3)
SMOOTHING = (0.5, 0.2, 0.05, 0.0)  # of the level; 0 is the mean of everything read
# How long the scale remembers: observations, or cycles of the shortest season.
SHORTEST_MEMORY, MEMORY_CYCLES = 32.0, 4.0
RELEARN = 0.1  # what the changes before a season was known still count
# Mean absolute change of a log series, before anything is known.
LOG_PRIOR_SCALE, LOG_PRIOR_COUNT = 0.05, 3.0
SHORTEST = 4  # observations; with fewer the last one is the forecast
LARGEST = np.finfo(float).max
OUTER = 2  # bounds on each side that a level may widen: those of the 80% and the 95% interval


@settings
class Adaptive:
    """Level, scale and season as known at each step: any series can be read, nothing has to be
    fitted.

    Args:
        window: seasonally adjusted values that the network sees at each step.
        widths: "seasonal" where intervals are as wide in each phase of a season as changes of the
            past say, "even" where the network alone says it. Networks are trained with even ones.

    >>> Adaptive(window=12).width(horizon=24)
    112
    """

    window: Annotated[int, Field(ge=2)] = 12
    widths: Literal["even", "seasonal"] = "even"
    kind: Literal["adaptive"] = field(default="adaptive", repr=False, kw_only=True)

    @property
    def columns(self) -> int:
        """K: each series is read alone."""
        return 1

    @property
    def past(self) -> tuple[str, ...]:
        """Nothing is read but the one column that is predicted."""
        return ()

    @property
    def skips(self) -> bool:
        """There is a linear path from the inputs to the head's locations."""
        return True

    @property
    def from_context(self) -> bool:
        """Level, scale and season are those of what a forecast has read."""
        return True

    @property
    def fewest(self) -> int:
        """No row needs anything before its first forecast."""
        return 0

    def adds_up(self, horizon: int) -> bool:
        """Answers stand for themselves."""
        return False

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """All finite values can be read."""

    def of_rows(self, fitted: None, ids: list[Any]) -> None:
        """Nothing is fitted."""

    def fitted_from(self, arrays: Mapping[str, NDArray], ids: NDArray) -> None:
        """Nothing is fitted."""

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def width(self, horizon: int) -> int:
        """C, for a head that answers so many steps at once."""
        about_series = len(SMOOTHING) + 6 + len(FAMILIES)
        return (self.window - 1) + self.window + about_series + 3 * horizon

    def context(self, periods: tuple[int, ...]) -> Blocks:
        """What a forecast has read, of series with these seasonal periods."""
        return Blocks.of(periods)

    def data(
        self, panel: Panel, ends: NDArray, horizon: int | None = None, fitted: None = None
    ) -> tuple[AdaptiveData, None]:
        """What a network learns from: the first `ends` (S,) values of each series, so many steps
        ahead."""
        return AdaptiveData(panel, ends, horizon), None

    def start(self, grid: Grid, rows: int, fitted: None = None) -> AdaptiveState:
        """State before the first observation of so many series."""
        periods = seasonal(grid.periods)
        tail = max((self.window, *periods))
        m = season_of(periods) if self.widths == "seasonal" else 0
        axis = (grid.log_B, grid.root_B, grid.unit_B)
        log_B, root_B, unit_B = (np.array(np.broadcast_to(part, rows)) for part in axis)
        zeros, unknown = np.zeros(rows), np.full(rows, np.nan)
        return AdaptiveState(
            grid=grid._replace(log_B=log_B, root_B=root_B, unit_B=unit_B),
            z_BL=np.full((rows, tail), np.nan),
            seen_BL=np.zeros((rows, tail), bool),
            reference_B=np.full(rows, np.nan),
            level_BL=np.zeros((rows, tail)),
            smooth_BA=np.zeros((rows, len(SMOOTHING))),
            scale_B3=np.tile([0.0, 0.0, 1.0], (rows, 1)),
            age_B=np.zeros(rows),
            first_B=np.full(rows, np.nan),
            constant_B=np.ones(rows, bool),
            seasons=start_seasons(rows, periods),
            surprises=no_surprises(rows, tail),
            known=AdaptiveKnown(
                zeros,
                zeros,
                np.zeros((rows, grid.horizon)),
                zeros,
                zeros,
                unknown,
                log_B,
                root_B,
                unit_B,
                zeros if grid.effects else None,
                np.ones((rows, grid.horizon)) if m else None,
            ),
            widths=start_widths(rows, m) if m else None,
        )

    def advance(
        self, state: AdaptiveState, values_BTK: NDArray, known: NDArray | None = None
    ) -> tuple[Seen, AdaptiveState]:
        """Read T more observations of each series (NaN = missing).

        `known` (B, T, 1 + H): effects that are known in advance, of each step and the H after it,
        as at that step, on the reading axis in the units of the data.
        """
        grid, values_BT = state.grid, values_BTK[:, :, 0]
        z_BT = to_axis(values_BT / grid.unit_B[:, None], grid.log_B, grid.root_B)
        effect_BTF = None if known is None else known / grid.unit_B[:, None, None]
        seen, after = self.read(state, z_BT, effect_BTF)
        first_B = first_known(state.first_B, values_BT)
        value_BT = seen.known.value + first_B[:, None]
        seen = seen._replace(known=seen.known._replace(value=value_BT))
        newest = after.known._replace(value=value_BT[:, -1])
        return seen, after._replace(first_B=first_B, known=newest)

    def read(
        self,
        state: AdaptiveState,
        z_BT: NDArray,
        effect_BTF: NDArray | None = None,
        observed: bool = True,
    ) -> tuple[Seen, AdaptiveState]:
        """`advance` for values and effects that are on the reading axis already; values that were
        not `observed` but answered are no surprises.

        The effect in force at each step is taken out of what the network reads, and those of the
        coming steps are part of what is put back into its answers. Leading NaN of a series that
        has not begun cost nothing: series of unequal lengths are read right-aligned.
        """
        grid, T, tail = state.grid, z_BT.shape[1], state.z_BL.shape[1]
        if effect_BTF is not None:
            z_BT = z_BT - effect_BTF[:, :, 0]
        reference_B = first_known(state.reference_B, z_BT)
        z_BT, shift_BT, other_BT, surprises = calm(state, z_BT, reference_B, observed)
        z_BU, known_BU, seen_BU, age_BT = joined_to(state, z_BT)  # U = L + T
        begun_BT = seen_BU[:, tail:]
        filled_BU = np.where(known_BU, z_BU, 0.0)
        reading = Reading(filled_BU, known_BU, seen_BU, T)
        seasons, shares_PBT, total = read_seasons(
            state.seasons, seasonal(grid.periods), reading, self.window, grid.horizon
        )
        adjusted_BTW, known_BTW, level_BU = adjusted_window(
            state.level_BL, filled_BU, known_BU, total.past_BTW
        )
        level_BT = level_BU[:, tail:]
        scale_BT, scale_B3 = _running_scale(
            state.scale_B3, adjusted_BTW, known_BTW, total.settled_BT, grid
        )
        smooth_BTA = _smooth(state.smooth_BA, level_BT, known_BTW[:, :, 0], age_BT)

        window, shown = (adjusted_BTW, known_BTW), total[1:4]
        x_BTC = channels_of(grid, window, level_BT, scale_BT, smooth_BTA, age_BT, shares_PBT, shown)
        x_BTC *= begun_BT[:, :, None]
        level_BT = np.where(begun_BT, level_BT + reference_B[:, None] + shift_BT, 0.0)
        known = known_at(grid, level_BT, scale_BT, total.expected_BTH, age_BT)
        constant_BT = state.constant_B[:, None] & _is_constant(z_BT, shift_BT)
        # `advance` knows the value itself
        value_BT = np.where(constant_BT & begun_BT & observed, 0.0, np.nan)
        known = known._replace(value=value_BT, other=other_BT)
        known = with_effects(known, effect_BTF, grid)
        widths = state.widths
        if widths is not None:
            change_BT = reading.change(widths.change_BM.shape[1])
            width_BTH, widths = read_widths(widths, change_BT, grid.horizon)
            known = known._replace(width=width_BTH)
        after = AdaptiveState(
            grid,
            z_BU[:, -tail:],
            seen_BU[:, -tail:],
            reference_B,
            level_BU[:, -tail:],
            smooth_BTA[:, -1],
            scale_B3,
            age_BT[:, -1],
            state.first_B,
            constant_BT[:, -1],
            seasons,
            surprises,
            mapped(lambda part_BT: part_BT[:, -1].copy(), known),
            widths=widths,
        )
        return Seen(x_BTC, begun_BT, known), after

    def known(self, state: AdaptiveState) -> AdaptiveKnown:
        """What the way back needs after the newest value of each series."""
        return state.known

    def place(self, answer_NHKX: NDArray, known: AdaptiveKnown) -> NDArray:
        """Answers in units of the scale, as values on the reading axis."""
        level_NH = known.level[:, None] + known.seasonal[:, : answer_NHKX.shape[1]]
        return answer_NHKX * known.scale[:, None, None, None] + level_NH[:, :, None, None]

    def around(self, known: AdaptiveKnown) -> tuple[NDArray, NDArray]:
        """Level with season, and scale."""
        level_NH = known.level[:, None] + known.seasonal
        return level_NH[:, :, None], known.scale[:, None, None]

    def widths_of(self, known: AdaptiveKnown) -> NDArray | None:
        """Widths of the coming steps' intervals beside each other (N, H)."""
        return known.width

    def targets(self, z_NH: NDArray, known: AdaptiveKnown) -> NDArray:
        """What the head should have answered at N positions: the inverse of `place`."""
        return (z_NH - known.level[:, None] - known.seasonal) / known.scale[:, None]

    def feed(self, point_NHK: NDArray, state: AdaptiveState) -> tuple[Seen, AdaptiveState]:
        """Read points on the reading axis as if they had been observed."""
        axis = state.grid.log_B, state.grid.root_B
        z_NH = to_axis(from_axis(point_NHK[:, :, 0], *axis), *axis)
        if state.ahead_BF is None:
            return self.read(state, z_NH, observed=False)
        steps = z_NH.shape[1]
        windows_NFE = sliding_window_view(state.ahead_BF, 1 + state.grid.horizon, axis=1)
        seen, after = self.read(state, z_NH, windows_NFE[:, :steps], observed=False)
        return seen, after._replace(ahead_BF=state.ahead_BF[:, steps:])

    def units(
        self, z_NHKX: NDArray, known: AdaptiveKnown, paths: bool = False, moves: bool = True
    ) -> NDArray:
        """Values on the reading axis in the units of the data.

        Where fewer than SHORTEST observations were read, or only one value, the forecast is the
        newest one; its intervals keep their width. Not so for answers that must not be moved.
        """
        young_N = (known.age < SHORTEST) & moves
        constant_N = ~np.isnan(known.value) & moves
        z_NHKX = _reaching(z_NHKX, known.other)
        middle = slice(z_NHKX.shape[3] // 2, z_NHKX.shape[3] // 2 + 1)
        newest_N = known.level if known.effect is None else known.level + known.effect
        moved_NHKX = z_NHKX - z_NHKX[..., middle] + newest_N[:, None, None, None]
        z_NHKX = np.where(young_N[:, None, None, None], moved_NHKX, z_NHKX)
        with np.errstate(over="ignore"):
            values = from_axis(z_NHKX, known.log, known.root) * known.unit[:, None, None, None]
        values = np.clip(values, -LARGEST, LARGEST)
        value_N111 = known.value[constant_N, None, None, None]
        values[constant_N] += value_N111 - values[constant_N][..., middle]
        values[constant_N, ..., middle] = value_N111
        return values


def _is_constant(z_BT: NDArray, shift_BT: NDArray) -> NDArray:
    """Whether all values that were read so far equal the first (B, T), from which they count."""
    other_BT = (~np.isnan(z_BT) & (z_BT != 0)) | (shift_BT != 0)
    return ~np.maximum.accumulate(other_BT, axis=1)


def _reaching(z_NHKX: NDArray, other_N: NDArray) -> NDArray:
    """Quantiles of which the outer two on that side reach as far as the level that may hold as
    well; others, and single numbers, as they are."""
    X = z_NHKX.shape[3]
    if X <= 2 * OUTER or not other_N.any():
        return z_NHKX
    middle_NHK1 = z_NHKX[..., X // 2 : X // 2 + 1]
    there_NHK1 = middle_NHK1 + other_N[:, None, None, None]
    result = z_NHKX.copy()
    low, high = result[..., :OUTER], result[..., -OUTER:]
    np.minimum(low, np.where(there_NHK1 < middle_NHK1, there_NHK1, np.inf), out=low)
    np.maximum(high, np.where(there_NHK1 > middle_NHK1, there_NHK1, -np.inf), out=high)
    return result


def _running_scale(
    sums_B3: NDArray,
    adjusted_BTW: NDArray,
    known_BTW: NDArray,
    settled_BT: NDArray,
    grid: Grid,
) -> tuple[NDArray, NDArray]:
    """Mean absolute change of the adjusted series (B, T), slowly forgetting; on the log axis it
    starts from a prior.

    Before a season is known, its ups and downs count as changes: most of them is forgotten when it
    becomes known.
    """
    use_BT = known_BTW[:, :, 0] & known_BTW[:, :, 1]
    change_BT = np.where(use_BT, np.abs(adjusted_BTW[:, :, 0] - adjusted_BTW[:, :, 1]), 0.0)
    new_BT3 = np.stack([change_BT, use_BT, np.zeros_like(change_BT)], axis=2)
    memory = max(SHORTEST_MEMORY, MEMORY_CYCLES * min(seasonal(grid.periods), default=1))
    keep_BT = np.where(use_BT, 1.0 - 1.0 / memory, 1.0) * np.where(settled_BT, RELEARN, 1.0)
    sums_TB3 = decayed_sums(sums_B3, keep_BT.T[:, :, None], new_BT3.swapaxes(0, 1))
    change_BT, count_BT, prior_BT = sums_TB3[1:].T
    weight_BT = np.where(grid.log_B[:, None], LOG_PRIOR_COUNT * prior_BT, 0.0)
    total_BT = count_BT + weight_BT
    scale_BT = (change_BT + weight_BT * LOG_PRIOR_SCALE) / np.where(total_BT > 0, total_BT, 1.0)
    return scale_BT, sums_TB3[-1].copy()


def _smooth(smooth_BA: NDArray, level_BT: NDArray, known_BT: NDArray, age_BT: NDArray) -> NDArray:
    """Exponential smoothing of the level (Brown 1959), each constant's starting as a plain mean
    (B, T, A)."""
    age_TB1 = np.maximum(age_BT.T, 1.0)[:, :, None]
    weight_TBA = np.maximum(SMOOTHING, 1.0 / age_TB1) * known_BT.T[:, :, None]
    level_TB1 = level_BT.T[:, :, None]
    result_TBA = np.empty(weight_TBA.shape)
    for t, now_BA in enumerate(result_TBA):
        np.subtract(level_TB1[t], smooth_BA, out=now_BA)
        np.multiply(weight_TBA[t], now_BA, out=now_BA)
        smooth_BA = np.add(smooth_BA, now_BA, out=now_BA)
    return result_TBA.swapaxes(0, 1)
