"""Forecasts of several panels, whose series the network reads in one pass.

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
from lstmcast.data.kinds import common_kind
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import Origins, checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.evaluation.calibration import Decode, HeldOut
from lstmcast.fitted import Fitted
from lstmcast.forecast import Forecast
from lstmcast.predict import Asked, Levels, forecast_after


def forecast_each(
    model: Fitted, panels: Sequence[Panel], asked: Sequence[Asked], levels: Sequence[Levels]
) -> list[Forecast]:
    """The forecast of each panel as if it were alone; the network reads all of them in one pass.

    What is asked for has a horizon each. Panels that cannot be read together (other frequencies or
    columns beside the target, a model that remembers data) are read one after the other. Numbers
    are those of `forecast_as` but for the last bits of float32, whose sums are taken in another
    order.
    """
    steps = [checked_horizon(one.horizon) for one in asked]
    pairs = zip(panels, steps, asked, strict=True)
    needed = [_needed(model, panel, horizon, one) for panel, horizon, one in pairs]
    decodes = _read_together(model, needed)
    every = zip(panels, steps, levels, asked, decodes, strict=True)
    return [forecast_after(model, *one) for one in every]


class Needed(NamedTuple):
    """What a forecast needs of the network: its answers at these origins; `alike` is equal where
    they can be had in one pass."""

    panel: Panel
    origins: Origins
    horizon: int
    alike: Hashable


def _needed(model: Fitted, panel: Panel, horizon: int, asked: Asked) -> Needed | None:
    """What the forecast of a panel needs; None where it is read alone."""
    alone = asked.cutoffs is not None or asked.mode != "direct" or panel.covariates
    if alone or model.saved_context is not None or model.factors_HI is not None:
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, asked.mode)
    held_out = HeldOut.of(panel, origins)
    if len(held_out.parts(len(panel))) > 1:  # so large a panel is read in parts by itself
        return None
    declared = None if panel.recognised is not None else panel.kind
    alike = panel.frequency.code, panel.periods, declared, ahead
    return Needed(panel, held_out.distinct, ahead, alike)


def _read_together(model: Fitted, needed: Sequence[Needed | None]) -> list[Decode | None]:
    """What answers each forecast from one pass over all that are alike; None for those that are
    read alone."""
    result: list[Decode | None] = [None] * len(needed)
    groups: dict[Hashable, list[int]] = {}
    for place, one in enumerate(needed):
        if one is not None:
            groups.setdefault(one.alike, []).append(place)
    for places in groups.values():
        parts = [one for one in (needed[place] for place in places) if one is not None]
        if len(parts) == 1:
            continue  # nothing to share
        panel, origins, bounds = _stacked(parts)
        answers = model.decode(panel, origins, parts[0].horizon)
        for place, answer in zip(places, np.split(answers, bounds), strict=True):
            result[place] = partial(_known, answer)
    return result


def _known(answer_OHQ: NDArray, *_: Any) -> NDArray:
    """The answers that a pass over several panels has given for one of them."""
    return answer_OHQ


def _stacked(parts: Sequence[Needed]) -> tuple[Panel, Origins, NDArray]:
    """The series of several panels in one, for a pass over all of them; the origins that are asked
    for, and where those of the next panel begin."""
    panels = [part.panel for part in parts]
    first = np.cumsum([0, *(len(panel) for panel in panels[:-1])])
    moved = [part.origins.series + begin for part, begin in zip(parts, first, strict=True)]
    origins = Origins(
        np.concatenate(moved), np.concatenate([part.origins.counts for part in parts])
    )
    stacked = replace(
        panels[0],
        values=np.concatenate([panel.values for panel in panels]),
        offsets=offsets_of(np.concatenate([panel.lengths for panel in panels])),
        ids=np.concatenate([panel.ids for panel in panels]),
        starts=np.concatenate([panel.starts for panel in panels]),
        keys=Keys(),
        **_kinds_of(panels),
    )
    return stacked, origins, np.cumsum([len(series) for series in moved[:-1]])


def _kinds_of(panels: Sequence[Panel]) -> dict[str, Any]:
    """What the values of several panels can be: declared alike, or as each was recognised."""
    recognised = [panel.recognised for panel in panels if panel.recognised is not None]
    if not recognised:
        return {}
    together = np.concatenate(recognised)
    return {"recognised": together, "kind": common_kind(together)}
