"""Adaptive inputs: any series, normalised by its level, scale and season, and the inversion.

Step t depends only on observations up to t. The same function, `advance`, reads a whole batch of
series, a chunk, or a single observation of a stream: state goes in and comes out, so that all give
the same numbers.

A series is read on one of two axes: its logarithm (all values positive: `a·X` in gives `a·f`
out) or the values themselves (`a·X + b` in gives `a·f + b` out). On that axis, z_t is decomposed as

    z_t = level_t + seasonal_t + residual_t,

and the network sees the last W seasonally adjusted values relative to the newest one, in units
of a running mean absolute change; the seasonal forecast of the next H steps; exponential averages;
the age of the series; and which values are missing.

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
from lstmcast.data.panel import Panel
from lstmcast.data.times.frequency import FAMILIES
from lstmcast.fit_data import AdaptiveData
from lstmcast.model.inputs.adaptivestate import (
    AdaptiveKnown,
    AdaptiveState,
    calm,
    first_known,
    joined_to,
    known_at,
    nothing_known,
    with_effects,
    with_widths,
)
from lstmcast.model.inputs.adjusted import SMOOTHING, adjust
from lstmcast.model.inputs.axis import from_axis, to_axis
from lstmcast.model.inputs.base import Grid, Seen
from lstmcast.model.inputs.channels import channels_of
from lstmcast.model.inputs.seasonfamilies import seasonal
from lstmcast.model.inputs.seasons import read_seasons, start_seasons
from lstmcast.model.inputs.surprises import Calmed
from lstmcast.model.inputs.surprisestate import no_surprises
from lstmcast.model.inputs.widths import season_of, start_widths
from lstmcast.util.config import settings
from lstmcast.util.states import mapped

# Version of the construction below: a network only works with inputs that it can read. Networks
# of version 2 have the same channels and forecast better with version 3 than with their own.
VERSION, READABLE = 3, (2, 3)
SHORTEST = 4  # observations; shorter series are forecast by their last value
LARGEST = np.finfo(float).max
# bounds per side that may be widened to another level: those of the 80% and 95% intervals
OUTER = 2


@settings
class Adaptive:
    """Inputs relative to the level, scale and season at each step, for any series without fitting.

    Args:
        window: number of seasonally adjusted values that the network sees at each step.
        widths: "seasonal" scales the width of intervals in each phase of a season by past changes,
            "even" uses the network's widths. Networks are trained with "even".

    >>> Adaptive(window=12).width(horizon=24)
    112
    """

    window: Annotated[int, Field(ge=2)] = 12
    widths: Literal["even", "seasonal"] = "even"
    kind: Literal["adaptive"] = field(default="adaptive", repr=False, kw_only=True)

    @property
    def columns(self) -> int:
        """K, the number of columns read together: 1."""
        return 1

    @property
    def past(self) -> tuple[str, ...]:
        """Past covariates: none."""
        return ()

    @property
    def skips(self) -> bool:
        """Whether a linear path leads from the inputs to the head's locations: yes."""
        return True

    @property
    def from_context(self) -> bool:
        """Whether level, scale and season are computed from the context: yes."""
        return True

    @property
    def fewest(self) -> int:
        """Known values needed before the first forecast: none."""
        return 0

    def adds_up(self, horizon: int) -> bool:
        """Whether inversion adds up answers: no."""
        return False

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """Check values; all finite values are valid."""

    def of_rows(self, fitted: None, ids: list[Any]) -> None:
        """No parameters are fitted."""

    def fitted_from(self, arrays: Mapping[str, NDArray], ids: NDArray) -> None:
        """No parameters are fitted."""

    def described(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        return asdict(self)

    def width(self, horizon: int) -> int:
        """C, the number of channels, for a head with this horizon."""
        about_series = len(SMOOTHING) + 6 + len(FAMILIES)
        return (self.window - 1) + self.window + about_series + 3 * horizon

    def context(self, periods: tuple[int, ...]) -> Blocks:
        """The context rule for series with these seasonal periods."""
        return Blocks.of(periods)

    def data(
        self,
        panel: Panel,
        ends: NDArray,
        horizon: int | None = None,
        fitted: None = None,
    ) -> tuple[AdaptiveData, None]:
        """Training data: the first `ends` (S,) values of each series, with this horizon."""
        return AdaptiveData(panel, ends, horizon), None

    def start(self, grid: Grid, rows: int, fitted: None = None) -> AdaptiveState:
        """State before the first observation of each series."""
        periods = seasonal(grid.periods)
        tail = max((self.window, *periods))
        grid = grid._replace(
            log_B=np.array(np.broadcast_to(grid.log_B, rows)),
            root_B=np.array(np.broadcast_to(grid.root_B, rows)),
            unit_B=np.array(np.broadcast_to(grid.unit_B, rows)),
        )
        way_back = nothing_known(grid, rows)
        widths = None
        season = season_of(periods) if self.widths == "seasonal" else 0
        if season:
            widths = start_widths(rows, season)
            way_back = way_back._replace(width=np.ones((rows, grid.horizon)))
        return AdaptiveState(
            grid=grid,
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
            known=way_back,
            widths=widths,
        )

    def advance(
        self, state: AdaptiveState, values_BTK: NDArray, known: NDArray | None = None
    ) -> tuple[Seen, AdaptiveState]:
        """Read T more observations of each series (NaN = missing).

        `known` (B, T, 1 + H): effects of future columns at each step and the H steps after it, on
        the reading axis in the units of the data.
        """
        grid, values_BT = state.grid, values_BTK[:, :, 0]
        z_BT = to_axis(values_BT / grid.unit_B[:, None], grid.log_B, grid.root_B)
        effect_BTF = None
        if known is not None:
            effect_BTF = known / grid.unit_B[:, None, None]
        steps_read, new_state = self.read(state, z_BT, effect_BTF)
        first_B = first_known(state.first_B, values_BT)
        value_BT = steps_read.known.value + first_B[:, None]
        steps_read = steps_read._replace(
            known=steps_read.known._replace(value=value_BT)
        )
        newest = new_state.known._replace(value=value_BT[:, -1])
        return steps_read, new_state._replace(first_B=first_B, known=newest)

    def read(
        self,
        state: AdaptiveState,
        z_BT: NDArray,
        effect_BTF: NDArray | None = None,
        observed: bool = True,
    ) -> tuple[Seen, AdaptiveState]:
        """Like `advance`, for values and effects on the reading axis.

        Values that are predicted rather than `observed` are never surprises. The effect at each
        step is subtracted before the network reads it; effects of the next steps are added to its
        answers. Leading NaN of a series have no effect: series of unequal lengths are read
        right-aligned."""
        grid, tail = state.grid, state.z_BL.shape[1]
        if effect_BTF is not None:
            z_BT = z_BT - effect_BTF[:, :, 0]
        reference_B = first_known(state.reference_B, z_BT)
        calmed = calm(state, z_BT, reference_B, observed)
        reading, age_BT, tails = joined_to(state, calmed.read_BT)
        seasons, shares_PBT, season = read_seasons(
            state.seasons, seasonal(grid.periods), reading, self.window, grid.horizon
        )
        adjusted = adjust(state.levels, reading, season, age_BT, grid)

        begun_BT = reading.seen_BU[:, tail:]
        x_BTC = channels_of(grid, adjusted, age_BT, shares_PBT, season)
        x_BTC *= begun_BT[:, :, None]
        level_BT = adjusted.level_BT + reference_B[:, None] + calmed.shift_BT
        level_BT = np.where(begun_BT, level_BT, 0.0)
        scale_BT, season_BTH = adjusted.scale_BT, season.expected_BTH
        constant_BT = state.constant_B[:, None] & _is_constant(calmed)
        way_back = known_at(grid, level_BT, scale_BT, season_BTH, age_BT)
        # `advance` sets the value itself
        value_BT = np.where(constant_BT & begun_BT & observed, 0.0, np.nan)
        way_back = way_back._replace(value=value_BT, other=calmed.other_BT)
        way_back = with_effects(way_back, effect_BTF, grid)
        way_back, widths = with_widths(way_back, state.widths, reading, grid.horizon)
        new_state = state._replace(
            **tails,
            **adjusted.state._asdict(),
            reference_B=reference_B,
            age_B=age_BT[:, -1],
            constant_B=constant_BT[:, -1],
            seasons=seasons,
            surprises=calmed.state,
            known=mapped(lambda array_BT: array_BT[:, -1].copy(), way_back),
            ahead_BF=None,
            widths=widths,
        )
        return Seen(x_BTC, begun_BT, way_back), new_state

    def known(self, state: AdaptiveState) -> AdaptiveKnown:
        """The state needed to invert answers after the newest value of each series."""
        return state.known

    def place(self, answer_NHKX: NDArray, known: AdaptiveKnown) -> NDArray:
        """Answers in units of the scale, as values on the reading axis."""
        level_NH = known.level[:, None] + known.seasonal[:, : answer_NHKX.shape[1]]
        placed_NHKX = answer_NHKX * known.scale[:, None, None, None]
        placed_NHKX += level_NH[:, :, None, None]
        return placed_NHKX

    def around(self, known: AdaptiveKnown) -> tuple[NDArray, NDArray]:
        """Location (level and season) and scale."""
        level_NH = known.level[:, None] + known.seasonal
        return level_NH[:, :, None], known.scale[:, None, None]

    def widths_of(self, known: AdaptiveKnown) -> NDArray | None:
        """Relative widths of the intervals of the next steps (N, H)."""
        return known.width

    def targets(self, z_NH: NDArray, known: AdaptiveKnown) -> NDArray:
        """The targets of the head at N positions: the inverse of `place`."""
        return (z_NH - known.level[:, None] - known.seasonal) / known.scale[:, None]

    def feed(
        self, point_NHK: NDArray, state: AdaptiveState
    ) -> tuple[Seen, AdaptiveState]:
        """Read points on the reading axis as if they had been observed."""
        log_B, root_B = state.grid.log_B, state.grid.root_B
        values_NH = from_axis(point_NHK[:, :, 0], log_B, root_B)
        z_NH = to_axis(values_NH, log_B, root_B)
        if state.ahead_BF is None:
            return self.read(state, z_NH, observed=False)
        steps = z_NH.shape[1]
        windows_NFE = sliding_window_view(
            state.ahead_BF, 1 + state.grid.horizon, axis=1
        )
        steps_read, new_state = self.read(
            state, z_NH, windows_NFE[:, :steps], observed=False
        )
        return steps_read, new_state._replace(ahead_BF=state.ahead_BF[:, steps:])

    def units(
        self,
        z_NHKX: NDArray,
        known: AdaptiveKnown,
        paths: bool = False,
        moves: bool = True,
    ) -> NDArray:
        """Values on the reading axis in the units of the data.

        After fewer than SHORTEST observations, or if all are equal, the forecast is shifted to the
        newest value with unchanged interval widths, unless answers must not be shifted.
        """
        young_N = (known.age < SHORTEST) & moves
        constant_N = ~np.isnan(known.value) & moves
        z_NHKX = _reaching(z_NHKX, known.other)
        X = z_NHKX.shape[3]
        middle = slice(X // 2, X // 2 + 1)
        newest_N = known.level
        if known.effect is not None:
            newest_N = newest_N + known.effect
        if young_N.any():
            moved_NHKX = z_NHKX - z_NHKX[..., middle] + newest_N[:, None, None, None]
            z_NHKX = np.where(young_N[:, None, None, None], moved_NHKX, z_NHKX)
        values = from_axis(z_NHKX, known.log, known.root)
        with np.errstate(over="ignore"):
            values *= known.unit[:, None, None, None]
        np.clip(values, -LARGEST, LARGEST, out=values)
        if constant_N.any():
            value_N111 = known.value[constant_N, None, None, None]
            values[constant_N] = _shifted(values[constant_N], value_N111)
        return values


def _is_constant(calmed: Calmed) -> NDArray:
    """Whether all values read so far equal the first one of the series (B, T)."""
    is_other_BT = ~np.isnan(calmed.read_BT) & (calmed.read_BT != 0)
    is_other_BT |= calmed.shift_BT != 0
    return ~np.maximum.accumulate(is_other_BT, axis=1)


def _shifted(answer_NHKX: NDArray, value_N111: NDArray) -> NDArray:
    """Answers shifted so that the middle one is this value; the others stay on their side of it,
    also where the shift is beyond the largest number or the smallest digit."""
    X = answer_NHKX.shape[3]
    middle = slice(X // 2, X // 2 + 1)
    with np.errstate(over="ignore"):
        shifted_NHKX = answer_NHKX + (value_N111 - answer_NHKX[..., middle])
    below, above = shifted_NHKX[..., : X // 2], shifted_NHKX[..., X // 2 + 1 :]
    np.minimum(below, value_N111, out=below)
    np.maximum(above, value_N111, out=above)
    shifted_NHKX[..., middle] = value_N111
    return np.clip(shifted_NHKX, -LARGEST, LARGEST)


def _reaching(z_NHKX: NDArray, other_N: NDArray) -> NDArray:
    """Extend the outer two quantiles on the side of a possible other level to reach it; other
    quantiles, and points, are unchanged."""
    X = z_NHKX.shape[3]
    if X <= 2 * OUTER or not other_N.any():
        return z_NHKX
    middle_NHK1 = z_NHKX[..., X // 2 : X // 2 + 1]
    there_NHK1 = middle_NHK1 + other_N[:, None, None, None]
    widened_NHKX = z_NHKX.copy()
    low, high = widened_NHKX[..., :OUTER], widened_NHKX[..., -OUTER:]
    np.minimum(low, np.where(there_NHK1 < middle_NHK1, there_NHK1, np.inf), out=low)
    np.maximum(high, np.where(there_NHK1 > middle_NHK1, there_NHK1, -np.inf), out=high)
    return widened_NHKX
