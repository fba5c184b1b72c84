"""Joining the data to forecast to the saved context of a model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.covariates.beside import Beside
from lstmcast.data.findings import MISSING_STEPS
from lstmcast.data.panel import Panel
from lstmcast.data.words import Words, columns_said, options_said, require_known
from lstmcast.errors import UsageError
from lstmcast.fit_data import AdaptiveData, require_values
from lstmcast.fitted import Fitted
from lstmcast.model.count_heads import AMOUNTS
from lstmcast.model.heads import values_of
from lstmcast.model.static import codes_of, require_of_new
from lstmcast.saved_context import Continuation, SavedContext

logger = logging.getLogger("lstmcast")


def continued(context: SavedContext | None, data: Any) -> Continuation:
    """Join newer data to the saved context; UsageError if there is none."""
    from lstmcast.data.newer import read_newer

    if context is None:
        raise UsageError(
            "This forecaster has no saved context. Load a saved forecaster to continue from its "
            "data."
        )
    return context.join(read_newer(data, context.panel))


def read_as_said(
    context: SavedContext | None, data: Any, past: Sequence[str], words: Words
) -> Panel | Continuation:
    """Read data with these options; with a saved context, as its continuation."""
    from lstmcast.data.newer import read_newer
    from lstmcast.data.opening import with_query
    from lstmcast.data.read import as_panel, require_unread

    require_known(words)
    if data is None:
        only_coming = set(words) <= {"future", "future_data"}
        if context is None or not only_coming:
            raise UsageError(
                f"{', '.join(words)} would have no effect, since no data are given."
            )
        coming = Beside(
            future=words.get("future"), future_data=words.get("future_data")
        )
        return context.with_coming(coming)
    if isinstance(data, Continuation):
        require_unread(words)
    if context is None or isinstance(data, (Panel, Continuation)):
        return as_panel(data, past, words)
    columns: dict[str, Any] = {"past": list(past) or None}
    columns |= columns_said(words)
    source = with_query(data, words.get("query"))
    newer = read_newer(
        source, context.panel, options_said(words), said=list(words), **columns
    )
    return context.join(newer)


def joined(model: Fitted, data: Any, combines: bool = False) -> tuple[Panel, NDArray]:
    """The series to forecast, and the number of saved values before them (S,).

    `combines`: whether simple forecasts, which may read more columns than the network, are used.
    Raises DataError if the network reads columns that the data lack.
    """
    panel, lead = _joined(model, data)
    covariates = panel.covariates
    static = model.network.config.static
    covariates.require(model.past, panel.report.source)
    _require_not_negative(model, panel)
    # report errors about static columns before any work
    codes_of(static, panel)
    if model.saved_context is not None:
        new_series = np.flatnonzero(lead == 0)
        require_of_new(static, panel, new_series)
    if not combines or model.past:
        given_panel = data if isinstance(data, Panel) else panel
        given_panel.covariates.tell_unread(model.past)
        read_columns = covariates.only(model.past)
        # the same panel where it has no others: what is estimated from it is kept with it
        if list(read_columns.past) != list(covariates.past):
            panel = replace(panel, covariates=read_columns)
    return panel, lead


def _require_not_negative(model: Fitted, panel: Panel) -> None:
    """Raise DataError for negative values if the head allows none."""
    head = model.network.head
    if values_of(head) == "real" or not model.network.config.inputs.from_context:
        return
    values = AdaptiveData(panel, panel.lengths)
    require_values(values, AMOUNTS, head.name)


def _joined(model: Fitted, data: Any) -> tuple[Panel, NDArray]:
    context = model.saved_context
    if isinstance(data, Continuation):
        continuation = data
    elif context is None:
        return _alone(_read(data, model.past))
    elif data is None:
        return _alone(context.panel)
    else:
        continuation = continued(context, data)
        _tell(continuation)
    model.check_columns(continuation.panel)
    return continuation.panel, continuation.lead


def _alone(panel: Panel) -> tuple[Panel, NDArray]:
    return panel, np.zeros(len(panel), np.int64)


def _read(data: Any, past: tuple[str, ...]) -> Panel:
    from lstmcast.data.read import as_panel

    if data is None:
        raise UsageError(
            "There are no data to forecast. Give a Panel, the path of a file or a frame."
        )
    return as_panel(data, past)


def _tell(continuation: Continuation) -> None:
    """Log which series continue, and warn about missing steps."""
    logger.info("%s", continuation)
    for finding in continuation.findings:
        # Old data may be intended here, such as those from `Panel.until`.
        if finding.rule == MISSING_STEPS:
            logger.warning("%s", finding.text)
