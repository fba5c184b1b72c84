"""Whether newer data can continue a saved context, and what is still true of them then."""

from __future__ import annotations

import numpy as np

from lstmcast.data.findings import GAPS, MISSING_VALUES, Finding
from lstmcast.data.kinds import COUNTS, NEVER_BELOW
from lstmcast.data.panel import Columns, Panel
from lstmcast.data.table import file_label
from lstmcast.data.times.zones import on_midnights, same_zone
from lstmcast.errors import ModelError
from lstmcast.pieces import Piece


def require_continuing(saved: Panel, newer: Panel) -> None:
    """Raise ModelError for data that cannot continue the saved context."""
    frequency = saved.frequency
    if frequency != newer.frequency:
        recipe = saved.report.recipe
        option = f"--frequency {frequency.code}"
        if recipe and recipe.aggregate:
            option = f"--aggregate {recipe.aggregate} {option}"
        raise ModelError(
            f"The data are {newer.frequency.name}, but the saved model was made with "
            f"{frequency.name} data. Read them at that frequency ({option}), or forecast them "
            "without the saved model."
        )
    if saved.periods != newer.periods:
        raise ModelError(
            f"The data have the seasonal periods {newer.periods}, but the saved model was made "
            f"with {saved.periods}. Give the same periods."
        )
    _require_zone(saved, newer)


def _require_zone(saved: Panel, newer: Panel) -> None:
    """Raise ModelError for times of another zone; dates are the same in every zone."""
    saved_zone = saved.report.time_zone
    zone = newer.report.time_zone
    if not saved_zone or not zone or same_zone(saved_zone, zone):
        return
    starts = (saved.starts, newer.starts)
    if all(on_midnights(of_panel, saved.frequency) for of_panel in starts):
        return
    raise ModelError(
        f"The times of {newer.report.source} are in {zone}, but the saved model's are in "
        f"{saved_zone}. Pass the file or frame itself, whose times are then converted, or convert "
        "them before reading."
    )


def still_true(newer: Panel, pieces: list[Piece]) -> list[Finding]:
    """The findings of reading that are still true after joining.

    Left out are masked times whose values are saved, and what was recognised in newer values alone.
    """
    unknown = [bool(np.isnan(piece.values[piece.lead :]).any()) for piece in pieces]
    is_complete = [
        piece.restored > 0 and not has_gaps
        for piece, has_gaps in zip(pieces, unknown, strict=True)
    ]
    closed = set(newer.ids[is_complete].tolist())
    if any(is_complete) and not any(unknown):
        # the series of a finding, where it concerns several or the only one
        closed.add(None)
    still = []
    for finding in newer.report.findings:
        is_masking = finding.severity == "warning" and finding.rule in (
            GAPS,
            MISSING_VALUES,
        )
        is_closed = is_masking and finding.series in closed
        if finding.rule not in (COUNTS, NEVER_BELOW) and not is_closed:
            still.append(finding)
    return still


def is_unnamed(panel: Panel) -> bool:
    """Whether a panel is one series without a name in the data, named after its file or "y"."""
    if len(panel) != 1 or panel.columns.series != Columns().series:
        return False
    return panel.ids[0] in ("y", file_label(panel.report.source), panel.report.label)
