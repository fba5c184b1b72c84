"""Newer data joined to what a saved model remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.covariatejoining import continued_future, continued_static
from lstmcast.data.features import Covariates
from lstmcast.data.findings import (
    GAPS,
    MISSING_STEPS,
    MISSING_VALUES,
    Case,
    Finding,
    Findings,
    advise,
    per_series,
)
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import (
    COUNTS,
    NEVER_BELOW,
    common_kind,
    continued,
    kind_findings,
    recognise,
    require_kind,
)
from lstmcast.data.observed import ObservedCalendar, occurring_at
from lstmcast.data.observing import Grids, joined_calendar
from lstmcast.data.panel import Columns, DataReport, Kind, Panel, Recipe
from lstmcast.data.table import file_label, format_time
from lstmcast.data.zones import on_midnights, same_zone
from lstmcast.errors import ModelError
from lstmcast.model.inputs.effects import Earlier, joined_earlier
from lstmcast.pieces import NEW, Piece, Pieces, laid_out, on_lines, side_by_side, steps_are
from lstmcast.util.text import some_names


class Continuation(NamedTuple):
    """Newer data joined to a saved context: the panel to forecast, and which of its series
    continued.

    `reasons`: one for each of `afresh`; `absent`: series that the saved context knows and the data
    lack; `findings`: what the joining did to values, which the panel's report says too; `lead`
    (S,): remembered values before those of the data.
    """

    panel: Panel
    went_on: tuple[str, ...]
    afresh: tuple[str, ...]
    reasons: tuple[str, ...]
    absent: tuple[str, ...]
    findings: Findings
    lead: NDArray

    def __str__(self) -> str:
        parts = []
        if self.went_on:
            parts.append(f"{_names(self.went_on)}: continued from the saved state")
        for reason in dict.fromkeys(self.reasons):
            ids = tuple(
                name for name, why in zip(self.afresh, self.reasons, strict=True) if why == reason
            )
            parts.append(f"{_names(ids)}: started from scratch, {reason}")
        if self.absent:
            parts.append(f"{_names(self.absent)} of the saved model: not in the data, no forecast")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Which series continued and which did not, for JSON."""
        afresh = [
            {"series": name, "reason": why}
            for name, why in zip(self.afresh, self.reasons, strict=True)
        ]
        new = [n for n, why in zip(self.afresh, self.reasons, strict=True) if why == NEW]
        return {
            "went_on": list(self.went_on),
            "afresh": afresh,
            "new": new,
            "absent": list(self.absent),
        }


@dataclass(frozen=True)
class Joiner:
    """Joins newer data to a panel that is remembered."""

    panel: Panel

    def join(self, newer: Panel) -> Continuation:
        """See `SavedContext.join`."""
        self._check(newer)
        unnamed = is_unnamed(self.panel) and is_unnamed(newer)
        ids = self.panel.ids if unnamed else newer.ids
        recipe = newer.report.recipe or self.panel.report.recipe or Recipe()
        places = self._places(ids)
        pieces = Pieces(self.panel).of(newer, places, recipe)
        joined = np.array([not piece.why for piece in pieces], bool)
        findings = self._findings(newer, ids, places, pieces, recipe)
        kind, recognised = self._kinds(newer, places, pieces)
        told = [] if recognised is None else self._kinds_told(ids, places, recognised)
        values, offsets = laid_out(pieces)
        starts = np.where(joined, self.panel.starts[places], newer.starts)
        lead = np.array([piece.lead for piece in pieces])
        grids = Grids(np.isfinite(values), offsets, starts, newer.frequency)
        calendar = self._calendar(newer, places, grids, np.where(joined, lead, 0))
        if recipe.missing == "interpolate":
            whole = kind == "count" and recognised is None  # as inside of a file
            lines = [piece._replace(values=on_lines(piece.values, whole)) for piece in pieces]
            occurs = occurring_at(calendar, offsets, starts, newer.frequency)
            values = np.where(occurs, laid_out(lines)[0], values)
        beside = self._covariates(newer, places, pieces)
        noticed = Findings([*still_true(newer, pieces), *findings, *told])
        panel = replace(
            newer,
            values=values,
            offsets=offsets,
            ids=ids.copy(),
            keys=self._keys(newer, places),
            starts=starts,
            kind=kind,
            recognised=recognised,
            report=self._report(newer, recipe, noticed, str(ids[0]) if unnamed else None),
            covariates=beside,
            earlier=self._earlier(np.where(joined, places, -1)),
            calendar=calendar,
        )
        known = set(ids.tolist())
        return Continuation(
            panel,
            went_on=tuple(str(name) for name in ids[joined]),
            afresh=tuple(str(name) for name in ids[~joined]),
            reasons=tuple(piece.why for piece in pieces if piece.why),
            absent=tuple(str(name) for name in self.panel.ids if name not in known),
            findings=findings,
            lead=lead,
        )

    def _report(
        self, newer: Panel, recipe: Recipe, findings: Findings, label: str | None
    ) -> DataReport:
        """That of the newer data, with what is remembered of how data were read."""
        ours, theirs = self.panel.report, newer.report
        return replace(
            theirs,
            findings=findings,
            time_zone=theirs.time_zone or ours.time_zone,
            frame_zone=theirs.frame_zone or ours.frame_zone,
            recipe=recipe,
            label=label,
        )

    def _earlier(self, places: NDArray) -> Earlier | None:
        """What is known of the time before what is remembered, of series that continued."""
        return joined_earlier(self.panel.earlier, self.panel.frequency, places)

    def _calendar(
        self, newer: Panel, places: NDArray, grids: Grids, first: NDArray
    ) -> ObservedCalendar | None:
        """Which times occur: what the newer data have, or what is remembered."""
        recipe = newer.report.recipe or self.panel.report.recipe or Recipe()
        if self.panel.calendar is None or recipe.calendar == "all":
            return newer.calendar
        return joined_calendar(self.panel.calendar, places, grids, first)

    def _places(self, ids: NDArray) -> NDArray:
        """Which of the remembered series each one is (S,), -1 for new ones."""
        places = {name: place for place, name in enumerate(self.panel.ids)}
        return np.array([places.get(name, -1) for name in ids], np.int64)

    def _keys(self, newer: Panel, places: NDArray) -> Keys:
        """The keys of the newer data; those that are remembered where arrays came without any."""
        if newer.keys or newer.keys.targets is not None or np.any(places < 0):
            return newer.keys
        return self.panel.keys.take(places)

    def _kinds(
        self, newer: Panel, places: NDArray, pieces: list[Piece]
    ) -> tuple[Kind, NDArray | None]:
        """What values can be, joined: as it is declared, the newer word first, or as the values
        that are remembered and the newer ones have it."""
        if newer.recognised is None:
            return newer.kind, None
        if self.panel.recognised is None:
            require_kind(newer.values, self.panel.kind)
            return self.panel.kind, None
        now = recognise(*laid_out(pieces))
        known = continued(self.panel.recognised[places], now)
        recognised = np.where(places < 0, newer.recognised, known)
        return common_kind(recognised), recognised

    def _kinds_told(self, ids: NDArray, places: NDArray, recognised: NDArray) -> list[Finding]:
        """What is recognised, and which series have gone below 0 since."""
        stopped = (places >= 0) & (self.panel.kinds[places] != "real")
        below = ids[stopped & (recognised == "real")]
        if not len(below):
            return kind_findings(ids, recognised)
        what = f"{_names(tuple(map(str, below)))} stopped at 0, and newer values are below it"
        gone = Finding(NEVER_BELOW, "warning", what, "Forecasts may be below 0 now.")
        return [*kind_findings(ids, recognised), replace(gone, count=len(below))]

    def _covariates(self, newer: Panel, places: NDArray, pieces: list[Piece]) -> Covariates:
        """The columns beside the target that are remembered, joined where the target is."""
        ours = self.panel.covariates.past
        newer.covariates.require(ours, newer.report.source)
        past = {name: self._column(name, newer, places, pieces) for name in ours if pieces}
        going = np.array([not piece.why for piece in pieces], bool)
        steps = np.array([piece.lead - piece.skipped for piece in pieces], np.int64)
        known = self.panel.covariates.future, newer.covariates.future
        own = np.where(going, places, -1), np.where(going, steps, 0)
        future = continued_future(*known, *own)
        static = continued_static(self.panel.covariates, newer.covariates, places)
        return Covariates(past, future, *static)

    def _column(self, name: str, newer: Panel, places: NDArray, pieces: list[Piece]) -> NDArray:
        """One of them (N,): a newer value counts, and a missing one erases none."""
        remembered, known = self.panel.covariates.past[name], self.panel.offsets
        coming, offsets = newer.covariates.past[name], newer.offsets
        joined = []
        for i, (place, piece) in enumerate(zip(places, pieces, strict=True)):
            values = coming[offsets[i] : offsets[i + 1]]
            if not piece.why:
                old = remembered[known[place] : known[place + 1]]
                values = side_by_side(old, values[piece.skipped :], piece)
            joined.append(values)
        return np.concatenate(joined)

    def _findings(
        self, newer: Panel, ids: NDArray, places: NDArray, pieces: list[Piece], recipe: Recipe
    ) -> Findings:
        """What the joining did to values, each said once; `DataError` for gaps that were not to
        be."""

        def told(which: str, rule: Finding, text: str) -> list[Finding]:
            counts = np.array([getattr(piece, which) for piece in pieces])

            def say(series: NDArray) -> Case:
                i = series[0]
                times = {
                    "start": newer.starts[i],
                    "end": newer.ends[i],
                    "saved": self.panel.ends[places[i]],
                }
                shown = {name: format_time(time) for name, time in times.items()}
                count = int(counts[i])
                shown |= {"are": steps_are(count), "steps": f"{count:,} step{'s' * (count > 1)}"}
                return Case(text.format(**shown), count=count)

            return per_series(ids, np.arange(len(ids)), np.flatnonzero(counts), rule, say)

        done = "masked: the forecast skips it" if recipe.missing == "mask" else "interpolated"
        gap = Finding(MISSING_STEPS, "warning", "", f"What is missing is {done}.")
        if recipe.gaps == "error":
            gap = replace(
                gap, severity="error", action=f"Add the rows, or use {advise('gaps', 'fill')}."
            )
        alone = Finding("old data", "warning", "", "The forecast begins where they end.")
        kept = Finding("old data", "warning", "", "What is remembered after them is kept.")
        filled = Finding(
            "remembered values", "note", "", "They are kept: a cell without a value erases none."
        )
        found = [
            *told(
                "bridged",
                gap,
                "{are} missing between the saved end ({saved}) and the data ({start})",
            ),
            *told("stale", alone, "the data end at {end}, {steps} before the saved end ({saved})"),
            *told("kept", kept, "the data end at {end}, {steps} before the saved end ({saved})"),
            *told(
                "filled", filled, "values of {steps} are remembered, and the data have none there"
            ),
        ]
        Findings(found).raise_errors(newer.report.source)
        return Findings(found)

    def _check(self, newer: Panel) -> None:
        ours, theirs = self.panel.frequency, newer.frequency
        if ours != theirs:
            recipe = self.panel.report.recipe
            made = f"--aggregate {recipe.aggregate} " if recipe and recipe.aggregate else ""
            raise ModelError(
                f"The data are {theirs.name}, but the saved model was made with {ours.name} data. "
                f"Read them with that frequency ({made}--frequency {ours.code}), or forecast them "
                "without the saved model."
            )
        if self.panel.periods != newer.periods:
            raise ModelError(
                f"The data have the seasonal periods {newer.periods}, but the saved model was made "
                f"with {self.panel.periods}. Give the same periods."
            )
        zone, other = self.panel.report.time_zone, newer.report.time_zone
        days = on_midnights(self.panel.starts, ours) and on_midnights(newer.starts, ours)
        if zone and other and not same_zone(zone, other) and not days:
            raise ModelError(
                f"The times of {newer.report.source} are those of {other}, but the saved model's "
                f"are those of {zone}. Hand over the file or frame itself, whose times are then "
                "converted, or convert them before reading."
            )


def still_true(newer: Panel, pieces: list[Piece]) -> list[Finding]:
    """What reading noticed, without times said to be masked whose values were remembered after
    all, and without what the newer values alone look like."""
    unknown = [bool(np.isnan(piece.values[piece.lead :]).any()) for piece in pieces]
    filled = [piece.filled > 0 and not some for piece, some in zip(pieces, unknown, strict=True)]
    closed = set(newer.ids[filled].tolist())
    if any(filled) and not any(unknown):
        closed.add(None)  # the series of a finding about several, or about the only one
    masked = (GAPS, MISSING_VALUES)
    return [
        f
        for f in newer.report.findings
        if f.rule not in (COUNTS, NEVER_BELOW)
        and (f.severity != "warning" or f.rule not in masked or f.series not in closed)
    ]


def is_unnamed(panel: Panel) -> bool:
    """Whether a panel is one series that the data gave no name: it is called after its file, or
    "y"."""
    labels = ("y", file_label(panel.report.source), panel.report.label)
    return len(panel) == 1 and panel.columns.series == Columns().series and panel.ids[0] in labels


def _names(ids: tuple[str, ...]) -> str:
    if len(ids) == 1:
        return f"series {ids[0]!r}"
    return f"{len(ids):,} series ({some_names(ids)})"
