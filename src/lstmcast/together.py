"""Forecasts of several panels whose series the network reads in one pass.

O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.keys import Keys
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import Origins, checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import Decode, HeldOut
from lstmcast.fitted import Fitted
from lstmcast.forecast import Forecast
from lstmcast.pieces import stacked_fields
from lstmcast.predict import Asked, Levels, forecast_after


def forecast_each(
    model: Fitted, panels: Sequence[Panel], requests: Sequence[Asked], levels: Sequence[Levels]
) -> list[Forecast]:
    """Forecast several panels in one pass of the network, each as if it were alone.

    Each request has its own horizon. Panels that cannot be read together (different frequencies or
    covariates, a model with a saved context) are read one by one. Results equal those of
    `forecast_as` up to rounding in float32, since sums are taken in another order.
    """
    horizons = [checked_horizon(request.horizon) for request in requests]
    needed = []
    for panel, horizon, request in zip(panels, horizons, requests, strict=True):
        needed.append(_needed(model, panel, horizon, request))
    decodes = _read_together(model, needed)
    arguments = zip(panels, horizons, levels, requests, decodes, strict=True)
    return [forecast_after(model, *of_panel) for of_panel in arguments]


class Needed(NamedTuple):
    """The origins at which a forecast needs the network, and what must be `alike` in one pass."""

    panel: Panel
    origins: Origins
    horizon: int
    alike: Hashable


def _needed(model: Fitted, panel: Panel, horizon: int, request: Asked) -> Needed | None:
    """What the forecast of a panel needs; None if it is read alone."""
    if model.saved_context is not None or model.factors_HI is not None:
        return None
    if request.cutoffs is not None or request.mode != "direct" or panel.covariates:
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, request.mode)
    held_out = HeldOut.of(panel, origins)
    batches = held_out.parts(len(panel))
    if len(batches) > 1:  # a panel this large is read in parts by itself
        return None
    declared = None if panel.recognised is not None else panel.kind
    alike = (panel.frequency.code, panel.periods, declared, ahead)
    return Needed(panel, held_out.distinct, ahead, alike)


def _read_together(model: Fitted, needed: Sequence[Needed | None]) -> list[Decode | None]:
    """The answers for each forecast from one pass per group; None for panels read alone."""
    decodes: list[Decode | None] = [None] * len(needed)
    groups: dict[Hashable, dict[int, Needed]] = {}
    for place, need in enumerate(needed):
        if need is not None:
            groups.setdefault(need.alike, {})[place] = need
    for group in groups.values():
        if len(group) == 1:
            continue  # nothing to share
        answers = _answers(model, list(group.values()))
        for place, answer_OHQ in zip(group, answers, strict=True):
            decodes[place] = partial(_known, answer_OHQ)
    return decodes


def _known(answer_OHQ: NDArray, *_: Any) -> NDArray:
    """The answers for one panel from a pass over several."""
    return answer_OHQ


def _answers(model: Fitted, group: Sequence[Needed]) -> list[NDArray]:
    """The answers for each panel, from one pass over all series."""
    panels = [need.panel for need in group]
    stacked = replace(panels[0], **stacked_fields(panels), keys=Keys())
    first_series = np.cumsum([0, *map(len, panels)])
    series, counts = [], []
    for need, first in zip(group, first_series[:-1], strict=True):
        series.append(need.origins.series + first)
        counts.append(need.origins.counts)
    origins = Origins(np.concatenate(series), np.concatenate(counts))
    answers_OHQ = model.decode(stacked, origins, group[0].horizon)
    origin_counts = [len(of_panel) for of_panel in counts]
    return np.split(answers_OHQ, np.cumsum(origin_counts)[:-1])
