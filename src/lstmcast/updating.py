"""The saved context after newer data: joined series, and the other series as they were.

A nightly run continues from it.
"""

# S series

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.covariates.covariatejoining import continued_static, joined_futures
from lstmcast.data.features import Covariates
from lstmcast.data.keys import joined as joined_keys
from lstmcast.data.observing import side_by_side
from lstmcast.data.panel import Panel
from lstmcast.model.inputs.effects import joined_earlier
from lstmcast.pieces import stacked_fields
from lstmcast.saved_context import Continuation, SavedContext


def remembering(model: Any, panel: Panel | None) -> Any:
    """A fitted or loaded forecaster with another saved context, or none."""
    context = None if panel is None else SavedContext(panel)
    return model.with_fitted(replace(model.model, saved_context=context))


def updated_panel(context: SavedContext, continuation: Continuation) -> Panel:
    """The joined series, those without newer data, and new ones, as one panel.

    >>> known = Panel.from_arrays({"a": [1.0, 2.0], "b": [5.0, 6.0]})
    >>> newer = Panel.from_arrays({"a": [3.0]}, start=3)
    >>> context = SavedContext(known)
    >>> panel = updated_panel(context, context.join(newer))
    >>> panel.ids.tolist(), panel.values
    (['a', 'b'], array([1., 2., 3., 5., 6.]))
    """
    remembered = context.panel
    panel = continuation.panel
    if continuation.absent:
        panel = _with_absent(remembered, continuation)
    # in the order of the saved model; new series come last
    present = set(map(str, panel.ids))
    order = [name for name in map(str, remembered.ids) if name in present]
    return panel.select(dict.fromkeys([*order, *map(str, panel.ids)]))


def _with_absent(remembered: Panel, continuation: Continuation) -> Panel:
    """The joined series, followed by the saved ones that the data lack."""
    panel = continuation.panel
    absent = remembered.select(continuation.absent)
    places = _places(remembered, continuation)
    return replace(
        panel,
        **stacked_fields([panel, absent]),
        keys=joined_keys([panel.keys, absent.keys]),
        covariates=_covariates(panel, absent),
        earlier=joined_earlier(remembered.earlier, panel.frequency, places),
        calendar=side_by_side(panel.calendar, absent.calendar, len(panel), len(absent)),
    )


def _places(remembered: Panel, continuation: Continuation) -> NDArray:
    """The saved series that each one continues (S,), -1 for none."""
    place_of = {str(name): place for place, name in enumerate(remembered.ids)}
    continued_from = {name: place_of[name] for name in continuation.continued}
    places = [continued_from.get(str(name), -1) for name in continuation.panel.ids]
    places += [place_of[name] for name in continuation.absent]
    return np.array(places, np.int64)


def _covariates(panel: Panel, absent: Panel) -> Covariates:
    """The covariates of both."""
    present = panel.covariates
    remembered = absent.covariates
    past = {}
    for name, values in present.past.items():
        if name in remembered.past:
            past[name] = np.concatenate([values, remembered.past[name]])
    counts = len(panel), len(absent)
    future = joined_futures(present.future, remembered.future, counts)
    unknown = np.full(len(absent), np.nan)
    with_room = {
        name: np.r_[values, unknown] for name, values in present.static.items()
    }
    of_none = np.full(len(panel), -1)
    places = np.concatenate([of_none, np.arange(len(absent))])
    static = continued_static(remembered, replace(present, static=with_room), places)
    return Covariates(past, future, *static)
