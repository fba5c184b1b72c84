"""Warnings of series that have no forecast, with the reason."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import listed
from lstmcast.data.origins import Origins, known_counts
from lstmcast.data.panel import Panel
from lstmcast.fitted import Fitted
from lstmcast.util.text import some_names

logger = logging.getLogger("lstmcast")


def warn_of_unknown(
    model: Fitted, panel: Panel, origins: Origins, quantiles_OHQ: NDArray
) -> None:
    """Warn about series without a forecast, with the reason."""
    needed = model.fewest_known
    unknown_O = np.isnan(quantiles_OHQ).all(axis=(1, 2))
    grown_O = np.zeros_like(unknown_O)
    if not model.network.config.cell.is_bounded:
        grown_O = unknown_O & (known_counts(panel, origins) >= needed)
    short_series = np.unique(origins.series[unknown_O & ~grown_O])
    if len(short_series) and needed:
        values = "values are" if needed > 1 else "value is"
        past = f", of {listed(model.past)} as well" if model.past else ""
        logger.warning(
            "no forecast for %d of %d series (%s): %d known %s needed before the cutoff%s",
            len(short_series),
            len(panel),
            some_names(panel.ids[short_series]),
            needed,
            values,
            past,
        )
    grown = np.unique(origins.series[grown_O])
    if len(grown):
        logger.warning(
            "no forecast for %d of %d series (%s): the state of the LSTM overflowed, which can "
            "happen with activation=%r; train longer, use a lower learning rate, or use 'tanh'",
            len(grown),
            len(panel),
            some_names(panel.ids[grown]),
            model.network.config.cell.activation,
        )
