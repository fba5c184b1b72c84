"""From segments of series to tensors, gathered by index without a loop over samples.

B series · T steps · U steps with a loss · N positions with a loss · C inputs · H horizon · K
columns
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast.context import shortest_season
from lstmcast.fit_data import AdaptiveData
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.adaptivestate import AdaptiveKnown, AdaptiveState
from lstmcast.model.inputs.axis import (
    LINEAR,
    LOG,
    ROOT,
    reading_axis,
    to_axis,
    units_of,
)
from lstmcast.model.inputs.base import positions_of, with_uplift
from lstmcast.model.inputs.effects import effects_of
from lstmcast.model.inputs.periods import may_differ, periods_in_force
from lstmcast.model.network import NetworkConfig
from lstmcast.model.static import beside, codes_of
from lstmcast.training.batch import Batch, Group, counted_steps, on_device
from lstmcast.windows import Segments, next_known


class OnAxis(NamedTuple):
    """Segments on the axis on which they are read, and the H steps after them."""

    z_BU: NDArray  # left-aligned, NaN behind the limit of each
    scale_B: NDArray


class AdaptiveFeed:
    """Raw observations, of which adaptive inputs are made for each batch.

    `affine`: whether the head is; for one that is not, targets are the values themselves.
    """

    def __init__(
        self,
        data: AdaptiveData,
        network: NetworkConfig,
        device: str,
        affine: bool = True,
    ) -> None:
        assert isinstance(network.inputs, Adaptive)
        panel = data.panel
        self.panel = panel
        self.inputs = network.inputs
        self.affine = affine
        self.codes_SP = codes_of(network.static, panel)
        self.device = device
        self.offsets = panel.offsets
        # one more, so that a span may end behind the last value
        self.values = np.append(panel.values, np.nan)
        self.uplift = None
        if data.uplift is not None:
            self.uplift = np.append(data.uplift, 1.0)
        self.grid = Grid(
            network.steps,
            panel.periods,
            panel.frequency.family,
            roots=not panel.declared_real,
        )
        self.counted_H = counted_steps(network, data.horizon)
        self.following = next_known(~np.isnan(panel.values))

    def groups(self, segments: Segments) -> list[Group]:
        """Segments on the same axis. Targets are values too: they have a say in it."""
        start = self.offsets[segments.series]
        first_known = self.following[start + segments.first] - start
        first = np.minimum(first_known, segments.stop)
        segments = segments._replace(
            first=first, begin=np.maximum(first, segments.begin)
        )
        segments = segments.rows(np.flatnonzero(first < segments.stop))
        if not len(segments.series):
            return []
        until = np.minimum(segments.stop + len(self.counted_H), segments.limit)
        length = int((until - segments.first).max())
        values_BT = self._values_between(segments, length, until)
        axes = reading_axis(values_BT, self.grid.periods, self.affine, self.grid.roots)
        periods = self._own_periods(segments)
        groups = []
        for axis in (LOG, LINEAR, ROOT):
            for period in np.unique(periods).tolist():
                is_alike = (axes == axis) & (periods == period)
                if is_alike.any():
                    groups.append(Group(segments.rows(is_alike), axis, period))
        return groups

    def _own_periods(self, segments: Segments) -> NDArray:
        """The seasonal period that each segment clearly shows; 0 for the usual one."""
        periods = self.grid.periods
        if not may_differ(periods, self.panel.frequency):
            return np.zeros(len(segments.first), np.int64)
        start = self.offsets[segments.series]

        def values_between(
            rows: NDArray, begin_R: NDArray, until_R: NDArray
        ) -> NDArray:
            longest = (until_R - begin_R).max(initial=0)
            steps_RT = begin_R[:, None] + np.arange(longest)
            return self.values[start[rows][:, None] + steps_RT]

        usual_period = shortest_season(periods)
        return periods_in_force(
            values_between, segments.first, segments.stop, usual_period
        )

    def batch(
        self,
        group: Group,
        rng: np.random.Generator | None = None,
        most_positions: int | None = None,
    ) -> Batch:
        """The segments from a fresh state; with a generator, at most `most_positions` have a loss,
        drawn at random: neighbours say nearly the same."""
        on_axis = self._on_axis(group)
        steps = int(group.segments.lengths.max())
        batch, _ = self._piece(self._start(group), on_axis, group, 0, steps)
        if rng is None or most_positions is None:
            return batch
        assert batch.positions_N is not None
        assert batch.weight_N is not None
        count = len(batch.positions_N)
        if count <= most_positions:
            return batch
        positions = np.sort(rng.choice(count, most_positions, replace=False))
        rows = torch.from_numpy(positions).to(self.device)
        around = batch.around
        if around is not None:
            around = around[0][rows], around[1][rows]
        return batch._replace(
            positions_N=batch.positions_N[rows],
            target=batch.target[rows],
            around=around,
            weight_N=batch.weight_N[rows],
        )

    def pieces(self, group: Group, chunk: int | None) -> Iterator[Batch]:
        """The segments in consecutive chunks, the state of their inputs carried on."""
        on_axis = self._on_axis(group)
        state = self._start(group)
        steps = int(group.segments.lengths.max())
        size = chunk or steps
        for begin in range(0, steps, size):
            until = min(begin + size, steps)
            batch, state = self._piece(state, on_axis, group, begin, until)
            yield batch

    def largest(self, series: NDArray) -> NDArray:
        """The largest absolute value of some series."""
        values = []
        for row in series:
            of_series = self.values[self.offsets[row] : self.offsets[row + 1]]
            values.append(np.nanmax(np.abs(of_series)))
        return np.array(values)

    def _on_axis(self, group: Group) -> OnAxis:
        values_BU = self._values(group)
        values_BU = values_BU / self._unit(group, values_BU)[:, None]
        axes_B = np.full(len(values_BU), group.axis)
        z_BU = to_axis(values_BU, axes_B == LOG, axes_B == ROOT)
        return OnAxis(z_BU, series_scale(z_BU, group.axis == LOG))

    def _values(self, group: Group) -> NDArray:
        """Values of the segments and the H after them (B, steps + H), left-aligned, NaN behind
        their limit."""
        read = group.segments
        ahead = len(self.counted_H)
        length = int(read.lengths.max()) + ahead
        return self._values_between(
            read, length, np.minimum(read.stop + ahead, read.limit)
        )

    def _values_between(
        self, segments: Segments, length: int, until_B: NDArray
    ) -> NDArray:
        """Values from the first step of each segment on (B, length), NaN from `until_B` on."""
        step_BT = segments.steps(0, length)
        start_B = self.offsets[segments.series]
        places_BT = np.minimum(start_B[:, None] + step_BT, len(self.values) - 1)
        is_inside = step_BT < until_B[:, None]
        return np.where(is_inside, self.values[places_BT], np.nan)

    def _unit(self, group: Group, values_BU: NDArray) -> NDArray:
        """The unit in which each segment, whose values these are, is read (B,)."""
        return units_of(values_BU, np.full(len(values_BU), group.axis), self.affine)

    def _effects(self, group: Group, begin: int, until: int) -> NDArray | None:
        """Effects at these steps of the segments, as in use: those that are known in advance."""
        read = group.segments
        if group.axis == ROOT:
            return None
        effects = effects_of(self.panel, group.axis == LOG, read.series)
        if effects is None:
            return None
        step_BT = read.steps(begin, until)
        known_BTF = effects.known(read.series, step_BT, self.grid.horizon)
        if known_BTF is None:
            return None
        unit_B = self._unit(group, self._values(group))
        return known_BTF / unit_B[:, None, None]

    def _start(self, group: Group) -> AdaptiveState:
        rows = len(group.segments.series)
        grid = self.grid._replace(
            log_B=np.full(rows, group.axis == LOG),
            root_B=np.full(rows, group.axis == ROOT),
        )
        if group.period:
            grid = grid._replace(periods=(group.period,))
        return self.inputs.start(grid, rows)

    def _piece(
        self,
        state: AdaptiveState,
        on_axis: OnAxis,
        group: Group,
        begin: int,
        until: int,
    ) -> tuple[Batch, AdaptiveState]:
        """Steps `begin` to `until` of the segments, and the state behind them."""
        read = group.segments
        z_BU = on_axis.z_BU
        effect_BTF = self._effects(group, begin, until)
        reading, next_state = self.inputs.read(state, z_BU[:, begin:until], effect_BTF)
        has_scale_BT = reading.known.scale > 0
        rows, steps = np.nonzero(has_scale_BT & _usable(read, z_BU, begin, until))
        ahead_H = np.arange(1, len(self.counted_H) + 1)
        target_steps_NH = begin + steps[:, None] + ahead_H
        future_NH = z_BU[rows[:, None], target_steps_NH]
        future_NH = np.where(self.counted_H, future_NH, np.nan)
        has_target = ~np.isnan(future_NH).all(axis=1)
        rows = rows[has_target]
        steps = steps[has_target]
        future_NH = future_NH[has_target]
        known_N = positions_of(reading.known, rows, steps)
        uplift_NH = self._uplift(read, rows, target_steps_NH[has_target])
        target_NH = future_NH * uplift_NH
        if self.affine:
            target_NH = self.inputs.targets(future_NH, known_N)
        codes_BP = None if self.codes_SP is None else self.codes_SP[read.series]
        # what becomes infinite shows in the loss, which names the series
        with np.errstate(over="ignore"):
            target_NHK = on_device(target_NH[:, :, None], self.device)
            weight_N = on_device(known_N.scale / on_axis.scale_B[rows], self.device)
            inputs_BTC = beside(reading.x_BTC, codes_BP)
        positions_N = rows * (until - begin) + steps
        batch = Batch(
            torch.from_numpy(inputs_BTC).to(self.device),
            target_NHK,
            0,
            torch.from_numpy(positions_N).to(self.device),
            weight_N,
        )
        if not self.affine:
            batch = batch._replace(around=self._around(known_N, uplift_NH))
        return batch, next_state

    def _uplift(self, read: Segments, rows: NDArray, steps_NH: NDArray) -> NDArray:
        """By how many times the mean is multiplied at some steps of segments, counted from their
        first (N, H)."""
        if self.uplift is None:
            return np.ones((1, 1))
        begin_B = self.offsets[read.series] + read.first
        place_NH = begin_B[rows, None] + steps_NH
        return self.uplift[np.minimum(place_NH, len(self.uplift) - 1)]

    def _around(
        self, known_N: AdaptiveKnown, uplift_NH: NDArray
    ) -> tuple[Tensor, Tensor]:
        """Location and scale of the targets, each to be broadcast to (N, H, 1)."""
        location, scale = with_uplift(self.inputs.around(known_N), uplift_NH)
        return on_device(location, self.device), on_device(scale, self.device)


def _usable(read: Segments, z_BU: NDArray, begin: int, until: int) -> NDArray:
    """Which steps may have a loss (B, T): those in the part with one, that know three values."""
    is_known_BT = ~np.isnan(z_BU[:, :until])
    known_count_BT = np.cumsum(is_known_BT, axis=1)
    has_loss_BT = read.has_loss(read.steps(begin, until))
    return (known_count_BT[:, begin:] >= 3) & has_loss_BT


def series_scale(z_BU: NDArray, log: bool) -> NDArray:
    """What a series' errors are divided by: between absolute and relative to its own changes on
    the log axis."""
    changes = np.abs(np.diff(z_BU, axis=1))
    is_known = ~np.isnan(changes)
    total = np.where(is_known, changes, 0).sum(axis=1)
    mean = total / np.maximum(is_known.sum(axis=1), 1)
    if log:
        return np.maximum(np.sqrt(mean * 0.1), 1e-3)
    return np.where(mean > 0, mean, 1.0)
