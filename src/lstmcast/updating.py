"""What a model remembers after newer data came: those joined to what it remembered, and the series
that had none, as they were. A nightly run continues from there."""

# S series

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.covariatejoining import continued_static, joined_futures
from lstmcast.data.features import Covariates
from lstmcast.data.keys import joined as joined_keys
from lstmcast.data.kinds import common_kind
from lstmcast.data.observing import side_by_side
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.model.inputs.effects import joined_earlier
from lstmcast.saved_context import Continuation, SavedContext


def remembering(model: Any, panel: Panel | None) -> Any:
    """A fitted or loaded forecaster that remembers other data than its own, or nothing."""
    context = None if panel is None else SavedContext(panel)
    return model.with_fitted(replace(model.model, saved_context=context))


def updated_panel(context: SavedContext, continuation: Continuation) -> Panel:
    """The series that newer data were joined to, those that the data lack, and new ones.

    >>> known = Panel.from_arrays({"a": [1.0, 2.0], "b": [5.0, 6.0]})
    >>> newer = Panel.from_arrays({"a": [3.0]}, start=3)
    >>> context = SavedContext(known)
    >>> panel = updated_panel(context, context.join(newer))
    >>> panel.ids.tolist(), panel.values
    (['a', 'b'], array([1., 2., 3., 5., 6.]))
    """
    known, panel = context.panel, continuation.panel
    if continuation.absent:
        panel = _with_absent(known, continuation)
    # the order of the saved model, whatever that of the newer data is; new series come last
    here = set(map(str, panel.ids))
    order = [name for name in map(str, known.ids) if name in here]
    return panel.select(dict.fromkeys([*order, *map(str, panel.ids)]))


def _with_absent(known: Panel, continuation: Continuation) -> Panel:
    panel = continuation.panel
    absent = known.select(continuation.absent)
    recognised = None
    if panel.recognised is not None and absent.recognised is not None:
        recognised = np.concatenate([panel.recognised, absent.recognised])
    return replace(
        panel,
        values=np.concatenate([panel.values, absent.values]),
        offsets=offsets_of(np.concatenate([panel.lengths, absent.lengths])),
        ids=np.concatenate([panel.ids, absent.ids]),
        starts=np.concatenate([panel.starts, absent.starts]),
        keys=joined_keys([panel.keys, absent.keys]),
        kind=panel.kind if recognised is None else common_kind(recognised),
        recognised=recognised,
        covariates=_beside(panel, absent),
        earlier=joined_earlier(known.earlier, panel.frequency, _places(known, continuation)),
        calendar=side_by_side(panel.calendar, absent.calendar, len(panel), len(absent)),
    )


def _places(known: Panel, continuation: Continuation) -> NDArray:
    """Which of the known series each one continues from (S,), -1 for none."""
    places = {str(name): place for place, name in enumerate(known.ids)}
    going = set(continuation.went_on)
    here = [places[str(n)] if str(n) in going else -1 for n in continuation.panel.ids]
    return np.array([*here, *(places[name] for name in continuation.absent)], np.int64)


def _beside(panel: Panel, absent: Panel) -> Covariates:
    shared = [name for name in panel.covariates.past if name in absent.covariates.past]
    past = {
        name: np.concatenate([panel.covariates.past[name], absent.covariates.past[name]])
        for name in shared
    }
    known = panel.covariates.future, absent.covariates.future
    places = np.r_[np.full(len(panel), -1), np.arange(len(absent))]
    whole = replace(
        panel.covariates,
        static={
            name: np.r_[values, np.full(len(absent), np.nan)]
            for name, values in panel.covariates.static.items()
        },
    )
    static = continued_static(absent.covariates, whole, places)
    return Covariates(past, joined_futures(*known, (len(panel), len(absent))), *static)
