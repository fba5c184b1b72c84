"""Forecasts of several panels, whose series the network reads in one pass, and which are weighed
and calibrated together, each by its own errors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lstmcast.data.keys import Keys
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut
from lstmcast.evaluation.methods import BEST, COMBINED
from lstmcast.evaluation.weekly import SharedWeek
from lstmcast.fitted import Fitted
from lstmcast.forecast import NETWORK, Forecast
from lstmcast.pieces import stacked_fields
from lstmcast.predict import Answers, Asked, Levels, calibrated_answers, forecast_after


def forecast_each(
    model: Fitted,
    panels: Sequence[Panel],
    requests: Sequence[Asked],
    levels: Sequence[Levels],
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
    answers = _answered_together(model, needed)
    arguments = zip(panels, horizons, levels, requests, answers, strict=True)
    return [forecast_after(model, *of_panel) for of_panel in arguments]


class Needed(NamedTuple):
    """What a forecast needs: answers at these origins; `alike` is equal where they can be had in
    one pass."""

    panel: Panel
    held_out: HeldOut
    horizon: int
    request: Asked
    alike: Hashable


def _needed(model: Fitted, panel: Panel, horizon: int, request: Asked) -> Needed | None:
    """What the forecast of a panel needs; None if it is read alone."""
    if model.saved_context is not None or model.factors_HI is not None:
        return None
    if request.cutoffs is not None or request.mode != "direct" or panel.covariates:
        return None
    if request.method not in (NETWORK, COMBINED, BEST) or request.candidates:
        return None
    if SharedWeek.of(panel) is not None:  # of all series that are read together
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, request.mode)
    held_out = HeldOut.of(panel, origins)
    # so large a panel is read in parts by itself
    if len(held_out.parts(len(panel))) > 1:
        return None
    declared = None if panel.recognised is not None else panel.kind
    cutoffs = held_out.counts_OJ.shape[1]
    grid = panel.frequency.code, panel.periods, declared
    return Needed(
        panel, held_out, ahead, request, (*grid, ahead, cutoffs, request.method)
    )


def _answered_together(
    model: Fitted, needed: Sequence[Needed | None]
) -> list[Answers | None]:
    """The answers for each panel from one pass over all that are alike; None for those that are
    forecast alone."""
    answers: list[Answers | None] = [None] * len(needed)
    groups: dict[Hashable, dict[int, Needed]] = {}
    for place, need in enumerate(needed):
        if need is not None:
            groups.setdefault(need.alike, {})[place] = need
    for group in groups.values():
        if len(group) > 1:  # else there is nothing to share
            for place, of_panel in zip(
                group, _answers(model, list(group.values())), strict=True
            ):
                answers[place] = of_panel
    return answers


def _answers(model: Fitted, group: Sequence[Needed]) -> list[Answers]:
    """The answers for each of several panels, from one pass over all of their series."""
    panels = [need.panel for need in group]
    stacked = replace(panels[0], **stacked_fields(panels), keys=Keys())
    held_out = HeldOut.stacked(
        [need.held_out for need in group], [len(panel) for panel in panels]
    )
    answers = calibrated_answers(
        model.decode, stacked, held_out, group[0].horizon, group[0].request
    )
    ends = np.cumsum([len(need.held_out.counts_OJ) for need in group]).tolist()
    return [answers.of_panel(slice(*edges)) for edges in pairwise([0, *ends])]
