"""Repair values before a forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import MISSING_VALUES, OUTLIERS
from lstmcast.data.observed import value_count
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time, require_choice
from lstmcast.errors import UsageError
from lstmcast.jobs.events import Note
from lstmcast.util.text import counted

if TYPE_CHECKING:
    from lstmcast.hierarchy.reconciled import Hierarchy
    from lstmcast.jobs.events import Notify

Outliers = Literal["keep", "mask", "repair"]
FILLED = "{They} {are} filled in with estimates of the network."
# The network recognises outliers by its forecasts: other values than those of the finding.
_AS_OUTLIERS = {
    "mask": "Values that the network considers outliers are masked.",
    "repair": "Values that the network considers outliers are repaired.",
}


@dataclass(frozen=True)
class Repairs:
    """What to do about outliers and missing values.

    outliers: whether to keep, mask or repair them, that is replace them by the network's estimates
    · missing: whether to fill missing values with its estimates. Estimates use the values before
    and after.

    >>> Repairs("drop")
    Traceback (most recent call last):
    lstmcast.errors.UsageError: outliers='drop' is not known. Choose one of: keep, mask, repair.
    """

    outliers: Outliers = "keep"
    missing: bool = False

    def __post_init__(self) -> None:
        require_choice("outliers", self.outliers, get_args(Outliers))

    def announced(self, panel: Panel) -> Panel:
        """The panel, whose findings say what will be repaired."""
        if self == Repairs():
            return panel
        actions = {}
        if self.missing:
            actions[MISSING_VALUES, "warning"] = FILLED
        if self.outliers != "keep":
            actions[OUTLIERS, "note"] = _AS_OUTLIERS[self.outliers]
        return replace(panel, report=replace(panel.report, actions=actions))

    def masked(self, panel: Panel, notify: Notify) -> Panel:
        """The panel without outliers, which are recognised only by earlier values, so that the
        panel can be forecast from any cutoff."""
        if self.outliers == "keep":
            return panel
        from lstmcast.imputing import mask_outliers

        masked = mask_outliers(panel)
        is_masked = np.isnan(masked.values) & np.isfinite(panel.values)
        action = "masked" if self.outliers == "mask" else "repaired"
        notify(Note(_told(panel, np.flatnonzero(is_masked), action)))
        return masked

    def filled(self, panel: Panel, masked: Panel, notify: Notify) -> Panel:
        """The panel with the network's estimates in place of outliers, of missing values, of both
        or of neither."""
        outlier = np.isnan(masked.values) & np.isfinite(panel.values)
        repairs = self.outliers == "repair" and outlier.any()
        absent = self.missing and np.isnan(panel.values).any()
        if not repairs and not absent:
            return masked
        from lstmcast.imputing import impute

        imputed = impute(masked)
        is_known = np.isfinite(masked.values)
        is_known |= outlier if self.outliers == "repair" else False
        is_known |= np.isnan(panel.values) if self.missing else False
        if self.missing:
            count = int((imputed.filled & np.isnan(panel.values)).sum())
            notify(Note(f"{counted(count, 'missing value')} filled in"))
        return replace(panel, values=np.where(is_known, imputed.panel.values, np.nan))


def _told(panel: Panel, rows: ndarray, action: str) -> str:
    """What was done to the outliers in some rows, of which the first is named."""
    are = "is an outlier and was" if len(rows) == 1 else "are outliers and were"
    text = f"{len(rows):,} of {value_count(panel):,} values {are} {action}"
    if not len(rows):
        return text
    series = int(np.searchsorted(panel.offsets, rows[0], side="right")) - 1
    time = panel.times(series)[rows[0] - panel.offsets[series]]
    return f"{text}, the first {panel.values[rows[0]]:,.15g} at {format_time(time)}"


def require_no_totals(repairs: Repairs, hierarchy: Hierarchy | None) -> None:
    """Raise UsageError if values of totals would be repaired, which would change the totals."""
    if hierarchy is not None and repairs != Repairs():
        raise UsageError(
            "Totals of repaired values would differ from those of the data. Leave out --outliers "
            "and --missing model, or --reconcile."
        )
