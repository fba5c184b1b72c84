"""Transformed values on the device, gathered by index for each batch.

B series · T steps · U steps with a loss · C inputs · H horizon · K columns
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast.data.ragged import forward_filled
from lstmcast.fit_data import TransformedData
from lstmcast.model.network import NetworkConfig
from lstmcast.training.batch import Batch, Group, counted_steps, on_device
from lstmcast.windows import Segments, chunks


class TransformedFeed:
    """Transformed values, kept on the device."""

    def __init__(
        self, data: TransformedData, network: NetworkConfig, device: str
    ) -> None:
        self.device = device
        self.offsets = data.offsets
        self.counted_H = counted_steps(network, data.horizon)
        inputs_NC = np.nan_to_num(forward_filled(data.inputs, data.offsets))
        self.inputs_NC = on_device(inputs_NC, device)
        self.labels_NK = on_device(data.labels, device)
        self.uplift_N = None
        if data.uplift is not None:
            self.uplift_N = on_device(data.uplift, device)
        all_known = np.isfinite(data.labels).all()
        self.whole = bool(self.counted_H.all() and all_known)
        self.scale_SK = None if data.scale is None else on_device(data.scale, device)
        self.shift_SK = None if data.shift is None else on_device(data.shift, device)

    def groups(self, segments: Segments) -> list[Group]:
        """All can be read together."""
        return [Group(segments)]

    def pieces(self, group: Group, chunk: int | None) -> Iterator[Batch]:
        """The segments in consecutive chunks."""
        for segments in chunks(group.segments, chunk):
            yield self.batch(Group(segments))

    def batch(self, group: Group) -> Batch:
        """Segments that end before the longest does are padded by what follows them, without a
        loss there."""
        read = group.segments
        device = self.inputs_NC.device
        start_B = self.offsets[read.series]
        steps = int(read.lengths.max())
        begin = int((read.begin - read.first).min())
        ends_2B = np.stack([start_B + read.first, start_B + read.stop - 1])
        first_B, last_B = torch.from_numpy(ends_2B).to(device)
        rows_BT = first_B[:, None] + torch.arange(steps, device=device)
        is_even = bool((read.lengths == steps).all())
        if not is_even:
            rows_BT = torch.minimum(rows_BT, last_B[:, None].clamp(min=0))
        next_step_U = torch.arange(begin + 1, steps + 1, device=device)
        ahead_H = torch.arange(len(self.counted_H), device=device)
        ahead_BUH = first_B[:, None, None] + next_step_U[:, None]
        ahead_BUH = ahead_BUH + ahead_H
        target_count = None
        if is_even and self._has_all_targets(read, begin):
            target_BUHK = self.labels_NK[ahead_BUH]
            target_count = target_BUHK.numel()
        else:
            target_BUHK = self._masked(read, begin, steps, ahead_BUH)
        batch = Batch(self.inputs_NC[rows_BT], target_BUHK, begin, targets=target_count)
        if self.uplift_N is not None:
            last_row = len(self.uplift_N) - 1
            place_BUH = ahead_BUH.clamp(max=last_row)
            uplift_BUH1 = self.uplift_N[place_BUH][..., None]
            around = torch.zeros_like(uplift_BUH1), uplift_BUH1
            batch = batch._replace(target=target_BUHK * uplift_BUH1, around=around)
        if self.scale_SK is None or self.shift_SK is None:
            return batch
        series_B = torch.from_numpy(read.series).to(device)
        return batch._replace(
            scale_BK=self.scale_SK[series_B], shift_BK=self.shift_SK[series_B]
        )

    def largest(self, series: NDArray) -> NDArray:
        """The largest absolute value of some series, as the network sees it."""
        values = []
        for row in series:
            inputs_TC = self.inputs_NC[self.offsets[row] : self.offsets[row + 1]]
            values.append(float(inputs_TC.abs().max()))
        return np.array(values)

    def _has_all_targets(self, read: Segments, begin: int) -> bool:
        """Whether all steps from `begin` on have a loss, and all of their targets are known."""
        last_target_B = read.stop - 1 + len(self.counted_H)
        is_inside = (last_target_B < read.limit).all()
        begins_alike = (read.begin - read.first == begin).all()
        return bool(self.whole and is_inside and begins_alike)

    def _masked(
        self, read: Segments, begin: int, steps: int, ahead_BUH: Tensor
    ) -> Tensor:
        """NaN where there is no loss: outside of a segment's part with one, and where no target
        may be known."""
        step_BU = read.steps(begin, steps)
        has_loss_BU = read.has_loss(step_BU)
        target_step_BUH = step_BU[:, :, None] + np.arange(1, len(self.counted_H) + 1)
        limit_B11 = read.limit[:, None, None]
        is_known_BUH = (target_step_BUH < limit_B11) & self.counted_H
        use_BUH = torch.from_numpy(has_loss_BU[:, :, None] & is_known_BUH).to(
            ahead_BUH.device
        )
        last_row = len(self.labels_NK) - 1
        target_BUHK = self.labels_NK[ahead_BUH.clamp(max=last_row)]
        return torch.where(use_BUH[..., None], target_BUHK, torch.nan)
