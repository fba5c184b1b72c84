"""What a saved model remembers: as many of the newest observations of each series as its next
forecasts may read.

That is bounded (a forecast reads at most 2K observations, see `decoding`), smaller than the
activations of the layers for most series, and exact: the state is rebuilt from them, so a model
that continues with newer data forecasts, to the last bit, what it would forecast from the whole
history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, farthest_held_out
from lstmcast.data.beside import Beside
from lstmcast.data.features import Covariates, continued_future, continued_static
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
from lstmcast.data.frequency import OFF_GRID, parse_frequency
from lstmcast.data.keys import Keys, described, keys_from_saved, packed, packed_keys, unpacked
from lstmcast.data.kinds import (
    COUNTS,
    NEVER_BELOW,
    coded,
    common_kind,
    continued,
    decoded,
    kind_counts,
    kind_findings,
    recognise,
    require_kind,
)
from lstmcast.data.observed import Clock, ObservedCalendar, occurring_at
from lstmcast.data.observing import Grids, joined_calendar
from lstmcast.data.panel import Columns, DataReport, Kind, Panel, Recipe
from lstmcast.data.ragged import offsets_of
from lstmcast.data.repairs import interpolated
from lstmcast.data.soundness import require_sound
from lstmcast.data.table import file_label, format_time
from lstmcast.data.zones import on_midnights, same_zone
from lstmcast.errors import ModelError
from lstmcast.model.inputs.effects import (
    Earlier,
    earlier_from,
    earlier_than,
    joined_earlier,
    require_sound_earlier,
    saved_earlier,
)
from lstmcast.util.text import some_names

# Steps that may be missing between what is remembered and newer data, which then continue as
# after a gap inside a file:
# as many as two of the longest seasonal cycles, or four weeks of days where cycles are short (a
# shop's holidays, a
# machine's repair). After longer ones the old level and season say little of the new ones. Never
# more than the values
# that are remembered: a forecast should rest on values, not on gaps.
BRIDGED_CYCLES, BRIDGED_STEPS = 2, 28
# Data that reach back farther than what is remembered are a history of their own, but for
# corrections: rows of which
# fewer than this share of the times remembered between them have a value.
_PATCHED = 0.5


NEW = "they are new"  # why a series starts afresh that nothing was remembered of


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


class _Piece(NamedTuple):
    """One series of newer data, joined where it could be; `why` not, else empty. Numbers of
    steps:"""

    values: NDArray
    lead: int = 0  # remembered, before the data
    why: str = ""
    bridged: int = 0  # without a value, between what is remembered and the data
    skipped: int = 0  # of the data, before what is remembered begins
    filled: int = 0  # without a value in the data, but remembered
    kept: int = 0  # remembered, after the data
    stale: int = 0  # remembered, after the data, and not used


@dataclass(frozen=True)
class SavedContext:
    """The newest observations of each series, beginning at a multiple of K observations from the
    first."""

    panel: Panel

    @classmethod
    def newest(cls, panel: Panel, count: int | None) -> SavedContext:
        """The newest `count` observations of each series, or all."""
        return cls(panel if count is None else panel.since(np.maximum(panel.lengths - count, 0)))

    @classmethod
    def of(cls, panel: Panel) -> SavedContext:
        """What the next forecasts may read, and their calibration at held-out cutoffs; all of it
        beside columns that are known in advance, whose effects are estimated on the whole past."""
        if panel.covariates.future:
            return cls(panel)
        # Cutoffs lie farther apart the longer a series is, up to here: more values may come.
        earliest = np.maximum(panel.lengths - farthest_held_out(panel.periods), 0)
        context = Blocks.of(panel.periods)
        # A cutoff lies in the later half of what is known: what is kept must not make that half
        # begin later.
        first = np.minimum(
            context.start(earliest),
            (2 * earliest - panel.lengths) // context.length * context.length,
        )
        first = np.maximum(first, 0)
        return cls(replace(panel.since(first), earlier=earlier_than(panel, first)))

    def join(self, newer: Panel) -> Continuation:
        """The series of `newer`, each with what is remembered of it before, between and after its
        values.

        Series are known by their ids; the only one of each, if neither was named in the data, is
        the same, and keeps its remembered id. Where both have a value, the newer one counts. A few
        steps missing between the two are unknown values, as inside of a file; after more of them a
        series starts afresh, and so do series whose data reach back as far as what is remembered:
        they know their history. Raises `ModelError` for another frequency, time zone or other
        seasonal periods, `DataError` for a gap where the data were read with gaps="error", and
        where a covariate that is remembered is missing.
        """
        self._check(newer)
        unnamed = is_unnamed(self.panel) and is_unnamed(newer)
        ids = self.panel.ids if unnamed else newer.ids
        recipe = newer.report.recipe or self.panel.report.recipe or Recipe()
        places = self._places(ids)
        pieces = self._pieces(newer, places, recipe)
        joined = np.array([not piece.why for piece in pieces], bool)
        findings = self._findings(newer, ids, places, pieces, recipe)
        kind, recognised = self._kinds(newer, places, pieces)
        told = [] if recognised is None else self._kinds_told(ids, places, recognised)
        values, offsets = _laid_out(pieces)
        starts = np.where(joined, self.panel.starts[places], newer.starts)
        lead = np.array([piece.lead for piece in pieces])
        grids = Grids(np.isfinite(values), offsets, starts, newer.frequency)
        calendar = self._calendar(newer, places, grids, np.where(joined, lead, 0))
        if recipe.missing == "interpolate":
            whole = kind == "count" and recognised is None  # as inside of a file
            lines = [piece._replace(values=_on_lines(piece.values, whole)) for piece in pieces]
            occurs = occurring_at(calendar, offsets, starts, newer.frequency)
            values = np.where(occurs, _laid_out(lines)[0], values)
        beside = self._covariates(newer, places, pieces)
        report = replace(
            newer.report,
            findings=Findings([*_still_true(newer, pieces), *findings, *told]),
            time_zone=newer.report.time_zone or self.panel.report.time_zone,
            frame_zone=newer.report.frame_zone or self.panel.report.frame_zone,
            recipe=recipe,
            label=str(ids[0]) if unnamed else None,
        )
        panel = replace(
            newer,
            values=values,
            offsets=offsets,
            ids=ids.copy(),
            keys=self._keys(newer, places),
            starts=starts,
            kind=kind,
            recognised=recognised,
            report=report,
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

    def with_coming(self, beside: Beside) -> Continuation:
        """What is remembered, with coming values of columns that are known in advance, of
        `future_data`: no newer data are needed for those."""
        from lstmcast.data.read import with_coming

        panel = with_coming(self.panel, beside)
        going = tuple(map(str, panel.ids))
        nothing = np.zeros(len(panel), np.int64)
        return Continuation(panel, going, (), (), (), Findings(), nothing)

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
        self, newer: Panel, places: NDArray, pieces: list[_Piece]
    ) -> tuple[Kind, NDArray | None]:
        """What values can be, joined: as it is declared, the newer word first, or as the values
        that are remembered and the newer ones have it."""
        if newer.recognised is None:
            return newer.kind, None
        if self.panel.recognised is None:
            require_kind(newer.values, self.panel.kind)
            return self.panel.kind, None
        now = recognise(*_laid_out(pieces))
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

    def _covariates(self, newer: Panel, places: NDArray, pieces: list[_Piece]) -> Covariates:
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

    def _column(self, name: str, newer: Panel, places: NDArray, pieces: list[_Piece]) -> NDArray:
        """One of them (N,): a newer value counts, and a missing one erases none."""
        remembered, known = self.panel.covariates.past[name], self.panel.offsets
        coming, offsets = newer.covariates.past[name], newer.offsets
        joined = []
        for i, (place, piece) in enumerate(zip(places, pieces, strict=True)):
            values = coming[offsets[i] : offsets[i + 1]]
            if not piece.why:
                old = remembered[known[place] : known[place + 1]]
                values = _side_by_side(old, values[piece.skipped :], piece)
            joined.append(values)
        return np.concatenate(joined)

    def _pieces(self, newer: Panel, places: NDArray, recipe: Recipe) -> list[_Piece]:
        distances = newer.frequency.position(newer.starts, self.panel.starts[places])
        # In a sum or count, times without a row are 0 wherever the data begin earlier, as they are
        # inside of a file.
        adds = recipe.aggregate in ("sum", "count") or recipe.gaps == "zero"
        zeros = (
            newer.frequency.position(newer.starts, newer.starts.min())
            if adds
            else np.zeros(len(newer), np.int64)
        )
        return [
            _Piece(newer.series(i), why=NEW)
            if place < 0
            else self._piece(place, newer.series(i), *steps)
            for i, (place, *steps) in enumerate(
                zip(places, distances.tolist(), zeros.tolist(), strict=True)
            )
        ]

    def _piece(self, place: int, values: NDArray, distance: int, zeros: int) -> _Piece:
        """A series joined to what is remembered of it, which begins `distance` steps before it."""
        known = self.panel.series(place)
        if distance == OFF_GRID:
            return _Piece(values, why="their times are not on the saved grid")
        behind, skipped = max(0, len(known) - distance - len(values)), max(0, -distance)
        if distance <= 0:
            values, whole = values[-distance:], values
            lost = np.isnan(values[: len(known)]) & ~np.isnan(known[: len(values)])
            if not len(values) or np.count_nonzero(lost) <= _PATCHED * len(lost):
                return _Piece(
                    whole, why="the data reach back as far as what was saved", stale=behind
                )
            distance = 0
        bridged = max(0, distance - zeros - len(known))
        if bridged > self._most_bridged(known):
            end = format_time(self.panel.ends[place])
            return _Piece(
                values,
                why=f"as {_steps_are(bridged)} missing between the saved end ({end}) and the data",
            )
        joined = np.full(max(len(known), distance + len(values)), np.nan)
        joined[: len(known)] = known
        joined[max(len(known), distance - zeros) : distance] = 0.0
        covered = joined[distance : distance + len(values)]
        unknown = np.isnan(values)
        filled = int(np.count_nonzero(unknown & ~np.isnan(covered)))
        covered[~unknown] = values[~unknown]
        return _Piece(joined, distance, skipped=skipped, filled=filled, kept=behind)._replace(
            bridged=self._expected(place, len(known), bridged)
        )

    def _expected(self, place: int, first: int, count: int) -> int:
        """How many of the steps after the first ones of a series occur."""
        if self.panel.calendar is None or not count:
            return count
        times = self.panel.frequency.range(self.panel.starts[place], count, first)
        return int(self.panel.calendar.occurs(times, place).sum())

    def _most_bridged(self, known: NDArray) -> int:
        longest = max(BRIDGED_CYCLES * max(self.panel.periods, default=1), BRIDGED_STEPS)
        return min(longest, int(np.count_nonzero(~np.isnan(known))))

    def _findings(
        self, newer: Panel, ids: NDArray, places: NDArray, pieces: list[_Piece], recipe: Recipe
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
                shown |= {"are": _steps_are(count), "steps": f"{count:,} step{'s' * (count > 1)}"}
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

    def described(self) -> dict[str, Any]:
        """What a manifest says of it."""
        panel, report = self.panel, self.panel.report
        reading = report.recipe.described() if report.recipe else {}
        said = {
            "time_zone": report.time_zone,
            "frame_zone": report.frame_zone,
            "label": report.label,
            "recognised": _told_apart(panel),
            "reading": reading,
            "keys": described(panel.keys),
            "covariates": panel.covariates.described(),
        }
        return {
            "frequency": panel.frequency.code,
            "periods": list(panel.periods),
            "target_kind": panel.kind,
            "columns": asdict(panel.columns),
            "source": report.source,
            "frame": report.frame,
            **{name: value for name, value in said.items() if value},
            "series": len(panel),
            **({} if panel.calendar is None else {"calendar": panel.calendar.name}),
            "remembers": {
                "from": format_time(panel.starts.min()),
                "to": format_time(panel.ends.max()),
            },
        }

    def arrays(self) -> dict[str, NDArray]:
        """Its observations, under names for the store."""
        panel = self.panel
        known = {} if panel.recognised is None else {"recognised": coded(panel.recognised)}
        return {
            **known,
            "values": panel.values,
            "offsets": panel.offsets,
            "starts": panel.starts.astype(np.int64),
            "is_date": np.array([panel.starts.dtype.kind == "M"]),
            **packed(panel.ids),
            **packed_keys(panel.keys),
            **panel.covariates.arrays(),
            **saved_earlier(panel.earlier),
            **({} if panel.calendar is None else panel.calendar.arrays()),
        }

    @classmethod
    def from_saved(cls, manifest: dict[str, Any], arrays: dict[str, NDArray]) -> SavedContext:
        """What `described` and `arrays` gave; KeyError, TypeError or ValueError where something
        is missing."""
        return cls(_panel(manifest, arrays))


def _told_apart(panel: Panel) -> dict[str, int]:
    """How many series of which kind were recognised; nothing where all may be anything."""
    plain = panel.recognised is None or (panel.kinds == "real").all()
    return {} if plain else kind_counts(panel.kinds)


def _laid_out(pieces: list[_Piece]) -> tuple[NDArray, NDArray]:
    """The values of all pieces, one after the other, and their offsets."""
    lengths = np.array([len(piece.values) for piece in pieces])
    return np.concatenate([piece.values for piece in pieces]), offsets_of(lengths)


def _still_true(newer: Panel, pieces: list[_Piece]) -> list[Finding]:
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


def _panel(manifest: dict[str, Any], state: dict[str, NDArray]) -> Panel:
    if state["starts"].dtype.kind not in "iu":
        raise ValueError("the first times of its series are none")
    starts = state["starts"].astype("datetime64[us]") if state["is_date"][0] else state["starts"]
    # older manifests have none, and no recipe
    zone, label = manifest.get("time_zone"), manifest.get("label")
    recipe = Recipe.from_saved(manifest.get("reading", {}))
    clock = Clock(zone, manifest.get("frame_zone"))
    panel = Panel(
        values=state["values"],
        offsets=state["offsets"],
        ids=unpacked(state["ids"], state["id_lengths"]),
        starts=starts,
        frequency=parse_frequency(manifest["frequency"]),
        periods=tuple(manifest["periods"]),
        kind=manifest["target_kind"],
        columns=Columns(**manifest["columns"]),
        report=DataReport(
            manifest["source"],
            frame=manifest["frame"],
            time_zone=zone,
            recipe=recipe,
            label=label,
            frame_zone=manifest.get("frame_zone"),
        ),
        keys=keys_from_saved(manifest.get("keys", ()), state),
        recognised=decoded(state["recognised"]) if "recognised" in state else None,
        earlier=earlier_from(state, parse_frequency(manifest["frequency"])),
        calendar=ObservedCalendar.from_saved(state, clock, len(state["offsets"]) - 1),
        covariates=Covariates.from_saved(manifest.get("covariates", {}), state),
    )
    require_sound(panel)
    require_sound_earlier(panel.earlier, len(panel))
    return panel


def _side_by_side(remembered: NDArray, newer: NDArray, piece: _Piece) -> NDArray:
    """Values of a column at the steps of a joined series."""
    joined = np.full(len(piece.values), np.nan)
    joined[: len(remembered)] = remembered
    covered = joined[piece.lead : piece.lead + len(newer)]
    covered[~np.isnan(newer)] = newer[~np.isnan(newer)]
    return joined


def _names(ids: tuple[str, ...]) -> str:
    if len(ids) == 1:
        return f"series {ids[0]!r}"
    return f"{len(ids):,} series ({some_names(ids)})"


def _steps_are(count: int) -> str:
    return "1 step is" if count == 1 else f"{count:,} steps are"


def _on_lines(values: NDArray, whole: bool) -> NDArray:
    """Missing values between others on straight lines; a series without any value stays as it
    is."""
    return values if np.isnan(values).all() else interpolated(values, whole)
