"""What transformed inputs make of a whole panel to learn from, and of values as they come.

S series · B rows that the network reads · K columns · P past covariates · C input channels
T steps · L longest lag · U the newest values that a row keeps, and T more
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.fit_data import TransformedData
from lstmcast.model.inputs.base import Seen, require_size
from lstmcast.model.inputs.transformedparts import (
    FittedTransforms,
    TransformedState,
    before_later,
    carried_on,
    even_offsets,
    label_to_input,
    read_columns,
    require_sizes,
    row_names,
    side_by_side,
    with_past_read,
)
from lstmcast.transforms.per_series import AppliedTransforms

if TYPE_CHECKING:
    from lstmcast.model.inputs.transformed import Transformed


def training_data(
    spec: Transformed,
    panel: Panel,
    ends: NDArray,
    fitted: FittedTransforms | None,
) -> tuple[TransformedData, FittedTransforms]:
    """See `Transformed.data`."""
    if fitted is None:
        fitted = spec.fit(panel, ends)
    else:  # new series: include their first values
        fitted = spec.fitted_to(panel.until(np.maximum(ends, 1)), fitted)
    inputs = spec.transforms.apply(panel.values, panel.offsets, fitted.state, False)
    labels = spec.transforms.apply(panel.values, panel.offsets, fitted.state, True)
    require_size(labels.values, panel)
    rows = spec.rows(panel)
    scale = shift = None
    if spec.transforms.apart:
        scale_S, shift_S = label_to_input(fitted, len(panel))
        scale = scale_S[rows]
        shift = shift_S[rows]
    ids = panel.ids if spec.columns == 1 else row_names(panel.ids, rows)
    data = TransformedData(
        read_columns(inputs.values, panel, rows, fitted, bool(spec.beside)),
        side_by_side(labels.values, panel, rows),
        offsets_of(panel.lengths[rows[:, 0]]),
        ends[rows].min(axis=1),
        ids,
        scale,
        shift,
    )
    return data, fitted


def advanced(
    spec: Transformed,
    state: TransformedState,
    values_BTK: NDArray,
    past_BTP: NDArray | None,
) -> tuple[Seen, TransformedState]:
    """See `Transformed.advance`."""
    B, T, K = values_BTK.shape
    tail = state.newest_BKL.shape[2]
    values_BKT = values_BTK.transpose(0, 2, 1)
    raw_BKU = np.concatenate([state.newest_BKL, values_BKT], axis=2)
    fitted = state.fitted.of(state.series_BK.ravel())
    offsets = even_offsets(B * K, tail + T)
    inputs = spec.transforms.apply(raw_BKU.ravel(), offsets, fitted, False)
    labels = spec.transforms.apply(raw_BKU.ravel(), offsets, fitted, True)

    def new_values(applied: AppliedTransforms) -> NDArray:
        values_BKU = applied.values.reshape(raw_BKU.shape)
        return values_BKU[:, :, tail:].transpose(0, 2, 1)

    read_BTC = new_values(inputs)
    label_BTK = new_values(labels)
    require_sizes(label_BTK, state)
    read_BTC, newest_BC, past = with_past_read(state, read_BTC, past_BTP)
    require_sizes(read_BTC, state)
    filled_BTC = carried_on(newest_BC, read_BTC)
    begun_BT = np.logical_and.reduce(np.isfinite(filled_BTC), axis=2)
    x_BTC = np.where(begun_BT[:, :, None], filled_BTC, 0.0).astype(np.float32)
    new_state = TransformedState(
        state.fitted,
        state.series_BK,
        raw_BKU[:, :, -tail:],
        before_later(state.before_BKDL, inputs, fitted, T),
        filled_BTC[:, -1, :K],
        past and past._replace(x_BP=filled_BTC[:, -1, K:]),
    )
    return Seen(x_BTC, begun_BT, None, label_BTK), new_state
