"""From segments of series to tensors, gathered by index: there is no per-sample Python.

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
from lstmcast.data.ragged import forward_filled
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.adaptivestate import AdaptiveKnown, AdaptiveState
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, reading_axis, to_axis, units_of
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.inputs.effects import effects_of
from lstmcast.model.inputs.periods import may_differ, periods_in_force
from lstmcast.model.network import NetworkConfig
from lstmcast.model.static import beside, codes_of
from lstmcast.windows import AdaptiveData, Segments, TransformedData, chunks


class Batch(NamedTuple):
    """Inputs, and the targets of the steps that have a loss.

    These are all steps from `begin` on, or the `positions` of the flattened (B·T) batch where they
    are given.
    """

    x_BTC: Tensor
    target: Tensor  # (B, U, H, K) or (N, H, K); NaN = unknown
    begin: int
    positions_N: Tensor | None = None
    weight_N: Tensor | None = None
    targets: int | None = None  # how many, where all are known
    scale_BK: Tensor | None = None  # label → input, where they are scaled apart
    shift_BK: Tensor | None = None
    # of the targets (N, H, K), for a head that is not affine; else they are in the network's units
    around: tuple[Tensor, Tensor] | None = None


class Group(NamedTuple):
    """Segments that can be read together."""

    segments: Segments
    axis: int = LINEAR  # on which adaptive inputs read
    period: int = 0  # by which they read, where it is not the usual one


class TransformedFeed:
    """Transformed values, kept on the device."""

    def __init__(self, data: TransformedData, network: NetworkConfig, device: str) -> None:
        horizon = np.arange(1, network.steps + 1)
        self.counted_H = horizon <= (data.horizon or network.steps)
        self.inputs_NC = torch.from_numpy(
            np.nan_to_num(forward_filled(data.inputs, data.offsets)).astype(np.float32)
        ).to(device)
        self.labels_NK = torch.from_numpy(data.labels.astype(np.float32)).to(device)
        self.offsets = data.offsets
        self.whole = bool(self.counted_H.all() and np.isfinite(data.labels).all())
        self.scale_SK, self.shift_SK = (
            None if part is None else torch.from_numpy(part.astype(np.float32)).to(device)
            for part in (data.scale, data.shift)
        )

    def groups(self, segments: Segments) -> list[Group]:
        """All can be read together."""
        return [Group(segments)]

    def pieces(self, group: Group, chunk: int | None) -> Iterator[Batch]:
        """The segments in consecutive chunks."""
        return (self.batch(Group(piece)) for piece in chunks(group.segments, chunk))

    def batch(self, group: Group) -> Batch:
        """Segments that end before the longest does are padded by what follows them, without a
        loss there."""
        read = group.segments
        device = self.inputs_NC.device
        start_B = self.offsets[read.series]
        steps = int(read.lengths.max())
        begin = int((read.begin - read.first).min())
        ahead = len(self.counted_H)
        first_B, last_B = torch.from_numpy(
            np.stack([start_B + read.first, start_B + read.last - 1])
        ).to(device)
        rows_BT = first_B[:, None] + torch.arange(steps, device=device)
        even = bool((read.lengths == steps).all())
        if not even:
            rows_BT = torch.minimum(rows_BT, last_B[:, None].clamp(min=0))
        ahead_BUH = (
            first_B[:, None, None] + torch.arange(begin + 1, steps + 1, device=device)[:, None]
        )
        ahead_BUH = ahead_BUH + torch.arange(ahead, device=device)
        complete = (
            self.whole
            and even
            and bool((read.last - 1 + ahead < read.limit).all())
            and bool((read.begin - read.first == begin).all())
        )
        if complete:
            target_BUHK = self.labels_NK[ahead_BUH]
        else:
            target_BUHK = self._masked(read, start_B, begin, steps, ahead_BUH)
        scale_BK, shift_BK = (
            None if part is None else part[torch.from_numpy(read.series).to(device)]
            for part in (self.scale_SK, self.shift_SK)
        )
        targets = target_BUHK.numel() if complete else None
        return Batch(
            self.inputs_NC[rows_BT],
            target_BUHK,
            begin,
            targets=targets,
            scale_BK=scale_BK,
            shift_BK=shift_BK,
        )

    def largest(self, series: NDArray) -> NDArray:
        """The largest absolute value of some series, as the network sees it."""
        return np.array(
            [
                float(self.inputs_NC[self.offsets[s] : self.offsets[s + 1]].abs().max())
                for s in series
            ]
        )

    def _masked(
        self, read: Segments, start_B: NDArray, begin: int, steps: int, ahead_BUH: Tensor
    ) -> Tensor:
        """NaN where there is no loss: outside of a segment's part with one, and where no target
        may be known."""
        step_BU = read.first[:, None] + np.arange(begin, steps)
        with_loss_BU = (step_BU >= read.begin[:, None]) & (step_BU < read.last[:, None])
        ahead = step_BU[:, :, None] + np.arange(1, len(self.counted_H) + 1)
        use_BUH = with_loss_BU[:, :, None] & (ahead < read.limit[:, None, None]) & self.counted_H
        use = torch.from_numpy(use_BUH).to(ahead_BUH.device)
        target_BUHK = self.labels_NK[ahead_BUH.clamp(max=len(self.labels_NK) - 1)]
        return torch.where(use[..., None], target_BUHK, torch.nan)


class AdaptiveFeed:
    """Raw observations, of which adaptive inputs are made for each batch.

    `affine`: whether the head is; for one that is not, targets are the values themselves.
    """

    def __init__(
        self, data: AdaptiveData, network: NetworkConfig, device: str, affine: bool = True
    ) -> None:
        panel, self.panel, self.affine = data.panel, data.panel, affine
        assert isinstance(network.inputs, Adaptive)
        self.inputs = network.inputs
        self.codes_SP = codes_of(network.static, panel)
        self.device, self.offsets = device, panel.offsets
        # one more, so that a span may end behind the last value
        self.values = np.append(panel.values, np.nan)
        self.grid = Grid(
            network.steps, panel.periods, panel.frequency.family, roots=not panel.declared_real
        )
        self.counted_H = np.arange(1, network.steps + 1) <= (data.horizon or network.steps)
        known = np.append(~np.isnan(panel.values), True)
        steps = np.where(known, np.arange(len(known)), len(known))
        # the next known value from each on
        self.following = np.minimum.accumulate(steps[::-1])[::-1]

    def groups(self, segments: Segments) -> list[Group]:
        """Segments on the same axis. Targets are values too: they have a say in it."""
        start = self.offsets[segments.series]
        first = np.minimum(self.following[start + segments.first] - start, segments.last)
        segments = segments._replace(first=first, begin=np.maximum(first, segments.begin))
        segments = segments.rows(np.flatnonzero(first < segments.last))
        start = self.offsets[segments.series]
        until = np.minimum(segments.last + len(self.counted_H), segments.limit)
        if not len(start):
            return []
        length = int((until - segments.first).max())
        step_BT = segments.first[:, None] + np.arange(length)
        places_BT = np.minimum(start[:, None] + step_BT, len(self.values) - 1)
        values_BT = np.where(step_BT < until[:, None], self.values[places_BT], np.nan)
        axes = reading_axis(values_BT, self.grid.periods, self.affine, self.grid.roots)
        periods = self._own_periods(segments)
        return [
            Group(segments.rows(chosen), axis, period)
            for axis in (LOG, LINEAR, ROOT)
            for period in np.unique(periods).tolist()
            if (chosen := (axes == axis) & (periods == period)).any()
        ]

    def _own_periods(self, segments: Segments) -> NDArray:
        """The seasonal period that each segment clearly shows; 0 for the usual one."""
        periods = self.grid.periods
        if not may_differ(periods, self.panel.frequency):
            return np.zeros(len(segments.first), np.int64)
        start, usual = self.offsets[segments.series], shortest_season(periods)

        def values_between(rows: NDArray, begin_R: NDArray, until_R: NDArray) -> NDArray:
            steps_RT = begin_R[:, None] + np.arange((until_R - begin_R).max(initial=0))
            return self.values[start[rows][:, None] + steps_RT]

        return periods_in_force(values_between, segments.first, segments.last, usual)

    def batch(
        self, group: Group, rng: np.random.Generator | None = None, most: int | None = None
    ) -> Batch:
        """The segments from a fresh state; with a generator, at most `most` positions have a loss,
        drawn at random: neighbours say nearly the same."""
        z_BU, scale_B = self._on_axis(group)
        steps = int(group.segments.lengths.max())
        state = self._start(len(z_BU), group)
        batch, _ = self._piece(state, z_BU, scale_B, group, 0, steps)
        if (
            rng is None
            or most is None
            or batch.positions_N is None
            or len(batch.positions_N) <= most
        ):
            return batch
        chosen = torch.from_numpy(
            np.sort(rng.choice(len(batch.positions_N), most, replace=False))
        ).to(self.device)
        assert batch.weight_N is not None
        return batch._replace(
            positions_N=batch.positions_N[chosen],
            target=batch.target[chosen],
            around=batch.around and (batch.around[0][chosen], batch.around[1][chosen]),
            weight_N=batch.weight_N[chosen],
        )

    def pieces(self, group: Group, chunk: int | None) -> Iterator[Batch]:
        """The segments in consecutive chunks, the state of their inputs carried on."""
        z_BU, scale_B = self._on_axis(group)
        state = self._start(len(z_BU), group)
        steps = int(group.segments.lengths.max())
        for done in range(0, steps, chunk or steps):
            batch, state = self._piece(
                state, z_BU, scale_B, group, done, min(done + (chunk or steps), steps)
            )
            yield batch

    def largest(self, series: NDArray) -> NDArray:
        """The largest absolute value of some series."""
        return np.array(
            [np.nanmax(np.abs(self.values[self.offsets[s] : self.offsets[s + 1]])) for s in series]
        )

    def _on_axis(self, group: Group) -> tuple[NDArray, NDArray]:
        """Values on the reading axis (B, steps + H), left-aligned, NaN behind their limit; and
        each series' scale."""
        values_BU = self._values(group)
        values_BU = values_BU / self._unit(group, values_BU)[:, None]
        axes_B = np.full(len(values_BU), group.axis)
        z_BU = to_axis(values_BU, axes_B == LOG, axes_B == ROOT)
        return z_BU, series_scale(z_BU, group.axis == LOG)

    def _values(self, group: Group) -> NDArray:
        """Values of the segments and the H after them (B, steps + H), left-aligned, NaN behind
        their limit."""
        read = group.segments
        ahead = len(self.counted_H)
        step_BU = read.first[:, None] + np.arange(int(read.lengths.max()) + ahead)
        inside = step_BU < np.minimum(read.last + ahead, read.limit)[:, None]
        places = self.offsets[read.series][:, None] + step_BU
        return np.where(inside, self.values[np.minimum(places, len(self.values) - 1)], np.nan)

    def _unit(self, group: Group, values_BU: NDArray) -> NDArray:
        """The unit in which each segment, whose values these are, is read (B,)."""
        return units_of(values_BU, np.full(len(values_BU), group.axis), self.affine)

    def _effects(self, group: Group, done: int, until: int) -> NDArray | None:
        """Effects at these steps of the segments, as in use: those that are known in advance."""
        read = group.segments
        if group.axis == ROOT:
            return None
        effects = effects_of(self.panel, group.axis == LOG, read.series)
        if effects is None:
            return None
        step_BT = read.first[:, None] + np.arange(done, until)
        known_BTF = effects.known(read.series, step_BT, self.grid.horizon)
        if known_BTF is None:
            return None
        return known_BTF / self._unit(group, self._values(group))[:, None, None]

    def _start(self, rows: int, group: Group) -> AdaptiveState:
        grid = self.grid._replace(
            periods=(group.period,) if group.period else self.grid.periods,
            log_B=np.full(rows, group.axis == LOG),
            root_B=np.full(rows, group.axis == ROOT),
        )
        return self.inputs.start(grid, rows)

    def _piece(
        self,
        state: AdaptiveState,
        z_BU: NDArray,
        scale_B: NDArray,
        group: Group,
        done: int,
        until: int,
    ) -> tuple[Batch, AdaptiveState]:
        """Steps `done` to `until` of the segments, and the state behind them."""
        read = group.segments
        ahead = np.arange(1, len(self.counted_H) + 1)
        effect_BTF = self._effects(group, done, until)
        seen, new = self.inputs.read(state, z_BU[:, done:until], effect_BTF)
        known_BT = np.cumsum(~np.isnan(z_BU[:, :until]), axis=1)[:, done:]
        step_BT = read.first[:, None] + np.arange(done, until)
        use_BT = (seen.known.scale > 0) & (known_BT >= 3) & (step_BT >= read.begin[:, None])
        rows, steps = np.nonzero(use_BT & (step_BT < read.last[:, None]))
        future_NH = np.where(
            self.counted_H, z_BU[rows[:, None], done + steps[:, None] + ahead], np.nan
        )
        some = ~np.isnan(future_NH).all(axis=1)
        rows, steps, future_NH = rows[some], steps[some], future_NH[some]
        known = positions_of(seen.known, rows, steps)
        target_NH = self.inputs.targets(future_NH, known) if self.affine else future_NH
        # what becomes infinite shows in the loss, which names the series
        with np.errstate(over="ignore"):
            codes_BP = None if self.codes_SP is None else self.codes_SP[read.series]
            arrays = (
                beside(seen.x_BTC, codes_BP),
                target_NH.astype(np.float32)[:, :, None],
                rows * (until - done) + steps,
                (known.scale / scale_B[rows]).astype(np.float32),
            )
        x, target, positions, weight = (torch.from_numpy(part).to(self.device) for part in arrays)
        around = None if self.affine else self._around(known)
        return Batch(x, target, 0, positions, weight, around=around), new

    def _around(self, known: AdaptiveKnown) -> tuple[Tensor, Tensor]:
        """Location (N, H, 1) and scale (N, 1, 1) of the targets."""
        location, scale = (part.astype(np.float32) for part in self.inputs.around(known))
        return torch.from_numpy(location).to(self.device), torch.from_numpy(scale).to(self.device)


def series_scale(z_BU: NDArray, log: bool) -> NDArray:
    """What a series' errors are divided by: between absolute and relative to its own changes on
    the log axis."""
    changes = np.abs(np.diff(z_BU, axis=1))
    known = ~np.isnan(changes)
    mean = np.where(known, changes, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.maximum(np.sqrt(mean * 0.1), 1e-3) if log else np.where(mean > 0, mean, 1.0)
