"""Joining newer data to the saved context of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.advice import advise
from lstmcast.continuation_checks import is_unnamed, require_continuing, still_true
from lstmcast.data.covariates.covariatejoining import (
    continued_future,
    continued_static,
    require_columns,
)
from lstmcast.data.features import Covariates
from lstmcast.data.findings import (
    MISSING_STEPS,
    Case,
    Finding,
    Findings,
    per_series,
)
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import (
    NEVER_BELOW,
    common_kind,
    continued,
    kind_findings,
    recognise,
    require_kind,
)
from lstmcast.data.observed import ObservedCalendar, occurring_at
from lstmcast.data.observing import Grids, joined_calendar
from lstmcast.data.panel import DataReport, Kind, Panel, Recipe
from lstmcast.data.table import format_time
from lstmcast.model.inputs.effects import Earlier, joined_earlier
from lstmcast.pieces import (
    NEW,
    Piece,
    Pieces,
    laid_out,
    on_lines,
    side_by_side,
    steps_are,
)
from lstmcast.util.text import counted, some_names


class Continuation(NamedTuple):
    """Newer data joined to a saved context: the panel to forecast, and which series continued.

    `reasons`: one for each of `restarted`; `absent`: saved series that the data lack;
    `findings`: what joining did to the values, also in the panel's report; `lead` (S,): number of
    saved values before those of the data.
    """

    panel: Panel
    continued: tuple[str, ...]
    restarted: tuple[str, ...]
    reasons: tuple[str, ...]
    absent: tuple[str, ...]
    findings: Findings
    lead: NDArray

    def __str__(self) -> str:
        clauses = []
        if self.continued:
            clauses.append(f"{_names(self.continued)}: continued from the saved state")
        for reason in dict.fromkeys(self.reasons):
            names = _names(self._restarted_for(reason))
            clauses.append(f"{names}: started from scratch, {reason}")
        if self.absent:
            names = _names(self.absent)
            clauses.append(f"{names} of the saved model: not in the data, no forecast")
        return "; ".join(clauses)

    def _restarted_for(self, reason: str) -> tuple[str, ...]:
        """The series that started from scratch for this reason."""
        pairs = zip(self.restarted, self.reasons, strict=True)
        return tuple(name for name, series_reason in pairs if series_reason == reason)

    def as_dict(self) -> dict[str, Any]:
        """Which series continued and which did not, as JSON values."""
        restarted = [
            {"series": name, "reason": reason}
            for name, reason in zip(self.restarted, self.reasons, strict=True)
        ]
        return {
            "continued": list(self.continued),
            "restarted": restarted,
            "new": list(self._restarted_for(NEW)),
            "absent": list(self.absent),
        }


class Matched(NamedTuple):
    """The ids of the newer series, their places among the saved ones, and joined values.

    A place of -1 is a new series.
    """

    newer: Panel
    ids: NDArray
    places: NDArray
    pieces: list[Piece]

    @property
    def is_continued(self) -> NDArray:
        """Which series were joined."""
        return np.array([not piece.reason for piece in self.pieces], bool)


_BEFORE_THE_END = "the data end at {end}, {steps} before the saved end ({saved})"
# the message for each field of a piece that counts steps
_RULES = (
    (
        "stale",
        Finding("old data", "warning", "", "The forecast begins where they end."),
        _BEFORE_THE_END,
    ),
    (
        "kept_after",
        Finding("old data", "warning", "", "Saved values after them are kept."),
        _BEFORE_THE_END,
    ),
    (
        "restored",
        Finding(
            "remembered values",
            "note",
            "",
            "They are kept: an empty cell does not erase a value.",
        ),
        "values of {steps} are saved, and the data have none there",
    ),
)


@dataclass(frozen=True)
class Joiner:
    """Joins newer data to the panel of a saved context."""

    panel: Panel

    def join(self, newer: Panel) -> Continuation:
        """See `SavedContext.join`."""
        require_continuing(self.panel, newer)
        unnamed = is_unnamed(self.panel) and is_unnamed(newer)
        ids = self.panel.ids if unnamed else newer.ids
        recipe = newer.report.recipe or self.panel.report.recipe or Recipe()
        places = self._places(ids)
        pieces = Pieces(self.panel).of(newer, places, recipe)
        matched = Matched(newer, ids, places, pieces)
        findings = self._findings(matched, recipe)
        label = str(ids[0]) if unnamed else None
        panel = self._joined(matched, recipe, findings, label)
        is_continued = matched.is_continued
        present = set(ids.tolist())
        return Continuation(
            panel,
            continued=tuple(str(name) for name in ids[is_continued]),
            restarted=tuple(str(name) for name in ids[~is_continued]),
            reasons=tuple(piece.reason for piece in pieces if piece.reason),
            absent=tuple(str(name) for name in self.panel.ids if name not in present),
            findings=findings,
            lead=np.array([piece.lead for piece in pieces]),
        )

    def _joined(
        self, matched: Matched, recipe: Recipe, findings: Findings, label: str | None
    ) -> Panel:
        """The panel to forecast."""
        newer, ids, places, pieces = matched
        is_continued = matched.is_continued
        kind, recognised = self._kinds(matched)
        values, offsets = laid_out(pieces)
        starts = np.where(is_continued, self.panel.starts[places], newer.starts)
        lead = np.array([piece.lead for piece in pieces])
        grids = Grids(np.isfinite(values), offsets, starts, newer.frequency)
        calendar = self._calendar(newer, places, grids, np.where(is_continued, lead, 0))
        if recipe.missing == "interpolate":
            # as inside of a file
            whole_numbers = kind == "count" and recognised is None
            lines = [
                piece._replace(values=on_lines(piece.values, whole_numbers))
                for piece in pieces
            ]
            occurs = occurring_at(calendar, offsets, starts, newer.frequency)
            values = np.where(occurs, laid_out(lines)[0], values)
        noticed = [*still_true(newer, pieces), *findings]
        if recognised is not None:
            noticed += self._kinds_told(ids, places, recognised)
        return replace(
            newer,
            values=values,
            offsets=offsets,
            ids=ids.copy(),
            keys=self._keys(newer, places),
            starts=starts,
            kind=kind,
            recognised=recognised,
            report=self._report(newer, recipe, Findings(noticed), label),
            covariates=self._covariates(matched),
            earlier=self._earlier(np.where(is_continued, places, -1)),
            calendar=calendar,
        )

    def _report(
        self, newer: Panel, recipe: Recipe, findings: Findings, label: str | None
    ) -> DataReport:
        """The report of the newer data, with the saved reading options."""
        remembered = self.panel.report
        coming = newer.report
        return replace(
            coming,
            findings=findings,
            time_zone=coming.time_zone or remembered.time_zone,
            frame_zone=coming.frame_zone or remembered.frame_zone,
            recipe=recipe,
            label=label,
        )

    def _earlier(self, places: NDArray) -> Earlier | None:
        """What the saved context knows of earlier times, for series that continued."""
        return joined_earlier(self.panel.earlier, self.panel.frequency, places)

    def _calendar(
        self, newer: Panel, places: NDArray, grids: Grids, first: NDArray
    ) -> ObservedCalendar | None:
        """Which times occur, from the newer data or else from the saved context."""
        recipe = newer.report.recipe or self.panel.report.recipe or Recipe()
        if self.panel.calendar is None or recipe.calendar == "all":
            return newer.calendar
        return joined_calendar(self.panel.calendar, places, grids, first)

    def _places(self, ids: NDArray) -> NDArray:
        """The place of each series among the saved ones (S,), -1 for new ones."""
        places = {name: place for place, name in enumerate(self.panel.ids)}
        return np.array([places.get(name, -1) for name in ids], np.int64)

    def _keys(self, newer: Panel, places: NDArray) -> Keys:
        """The keys of the newer data, or the saved keys where arrays have none."""
        if newer.keys or newer.keys.targets is not None or np.any(places < 0):
            return newer.keys
        return self.panel.keys.take(places)

    def _kinds(self, matched: Matched) -> tuple[Kind, NDArray | None]:
        """The kinds of values, as declared (newer data first) or as recognised in all values."""
        newer = matched.newer
        places = matched.places
        if newer.recognised is None:
            return newer.kind, None
        if self.panel.recognised is None:
            require_kind(newer.values, self.panel.kind)
            return self.panel.kind, None
        joined_kinds = recognise(*laid_out(matched.pieces))
        continued_kinds = continued(self.panel.recognised[places], joined_kinds)
        recognised = np.where(places < 0, newer.recognised, continued_kinds)
        return common_kind(recognised), recognised

    def _kinds_told(
        self, ids: NDArray, places: NDArray, recognised: NDArray
    ) -> list[Finding]:
        """The recognised kinds, with a finding for series whose newer values are below 0."""
        stopped = (places >= 0) & (self.panel.kinds[places] != "real")
        below = ids[stopped & (recognised == "real")]
        if not len(below):
            return kind_findings(ids, recognised)
        sentence = f"{_names(tuple(map(str, below)))} stopped at 0, and newer values are below it"
        gone = Finding(
            NEVER_BELOW, "warning", sentence, "Forecasts may now be below 0."
        )
        return [*kind_findings(ids, recognised), replace(gone, count=len(below))]

    def _covariates(self, matched: Matched) -> Covariates:
        """The saved covariates, joined like the target."""
        newer, _, places, pieces = matched
        remembered = self.panel.covariates
        require_columns(remembered, newer, matched.is_continued)
        past = {name: self._column(name, matched) for name in remembered.past if pieces}
        steps = np.array([piece.lead - piece.skipped for piece in pieces], np.int64)
        future = continued_future(
            remembered.future,
            newer.covariates.future,
            np.where(matched.is_continued, places, -1),
            np.where(matched.is_continued, steps, 0),
        )
        static = continued_static(remembered, newer.covariates, places)
        return Covariates(past, future, *static)

    def _column(self, name: str, matched: Matched) -> NDArray:
        """One covariate (N,): newer values win, and missing ones erase nothing."""
        newer, _, places, pieces = matched
        saved_offsets = self.panel.offsets
        remembered = self.panel.covariates.past[name]
        offsets = newer.offsets
        coming = newer.covariates.past[name]
        columns = []
        for row, (place, piece) in enumerate(zip(places, pieces, strict=True)):
            values = coming[offsets[row] : offsets[row + 1]]
            if not piece.reason:
                earlier = remembered[saved_offsets[place] : saved_offsets[place + 1]]
                values = side_by_side(earlier, values[piece.skipped :], piece)
            columns.append(values)
        return np.concatenate(columns)

    def _findings(self, matched: Matched, recipe: Recipe) -> Findings:
        """What joining did to the values; `DataError` for gaps where none are allowed."""
        treatment = "interpolated"
        if recipe.missing == "mask":
            treatment = "masked: the forecast skips them"
        gap = Finding(MISSING_STEPS, "warning", "", f"Missing steps are {treatment}.")
        if recipe.gaps == "error":
            action = f"Add the rows, or use {advise('gaps', 'fill')}."
            gap = replace(gap, severity="error", action=action)
        between = "{are} missing between the saved end ({saved}) and the data ({start})"
        findings = self._told(matched, "bridged", gap, between)
        for field, rule, text in _RULES:
            findings += self._told(matched, field, rule, text)
        Findings(findings).raise_errors(matched.newer.report.source)
        return Findings(findings)

    def _told(
        self, matched: Matched, field: str, rule: Finding, text: str
    ) -> list[Finding]:
        """A finding for each series whose piece has a non-zero value in this field."""
        newer, ids, places, pieces = matched
        counts = np.array([getattr(piece, field) for piece in pieces])

        def say(series: NDArray) -> Case:
            row = series[0]
            count = int(counts[row])
            words = {
                "start": format_time(newer.starts[row]),
                "end": format_time(newer.ends[row]),
                "saved": format_time(self.panel.ends[places[row]]),
                "are": steps_are(count),
                "steps": counted(count, "step"),
            }
            return Case(text.format(**words), count=count)

        return per_series(ids, np.arange(len(ids)), np.flatnonzero(counts), rule, say)


def _names(ids: tuple[str, ...]) -> str:
    if len(ids) == 1:
        return f"series {ids[0]!r}"
    return f"{len(ids):,} series ({some_names(ids)})"
