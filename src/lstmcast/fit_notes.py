"""What is said of a training besides its numbers: what was not used, measured or learned.

S series · O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import last_known
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import HeldBack
from lstmcast.model.inputs import FittedTransforms
from lstmcast.util.text import some_names

# a training has failed if errors are this many times those of repeating the last value
FAILED = 3.0


def unused_notes(inputs: FittedTransforms | None, panel: Panel) -> tuple[str, ...]:
    """A note on transforms for series that are not in the data, as an id may be mistyped."""
    ids = set(map(str, panel.ids))
    by_series = inputs.transforms.by_series if inputs else {}
    unknown = [name for name in by_series if name not in ids]
    if not unknown:
        return ()
    return (
        f"transforms are given for series that the data do not have: {some_names(unknown)}",
    )


def unread_notes(past: tuple[str, ...], panel: Panel) -> tuple[str, ...]:
    """A note on covariates that the network does not read."""
    unread = panel.covariates.unread(past)
    return () if unread is None else (unread,)


def failure_notes(measured: HeldBack | None, panel: Panel) -> tuple[str, ...]:
    """A note where most validation forecasts are far worse than the last known value."""
    if measured is None:
        return ()
    last_O = last_known(panel, measured.origins)
    quantiles_OHQ = measured.quantiles_OHQ
    actual_OH = measured.actual_OH
    median_OH = quantiles_OHQ[:, :, quantiles_OHQ.shape[2] // 2]
    known_OH = np.isfinite(actual_OH)
    error_OH = np.where(known_OH, np.abs(median_OH - actual_OH), 0.0)
    naive_OH = np.where(known_OH, np.abs(last_O[:, None] - actual_OH), 0.0)
    errors_O = error_OH.sum(axis=1)
    naive_O = naive_OH.sum(axis=1)
    is_compared = naive_O > 0
    if not is_compared.any():
        return ()
    times = float(np.median(errors_O[is_compared] / naive_O[is_compared]))
    if times < FAILED:
        return ()
    return (
        f"on the validation data, errors are {times:,.3g} times those of repeating the last "
        "value: the training has failed. Check that the values are scaled "
        "(Transformed(Standard())), lower the learning rate, or train for more epochs",
    )


def unmeasured_notes(panel: Panel, ends: NDArray) -> tuple[str, ...]:
    """A note where no values after `ends` (S,) are left to measure the width of intervals."""
    if np.any((ends > 0) & (ends < panel.lengths)):
        return ()
    return (
        "no end of a series was held back to measure intervals: they are the network's own",
    )
