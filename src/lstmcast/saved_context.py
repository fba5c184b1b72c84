"""The saved context: the newest observations of each series that the next forecasts may read.

Its size is bounded (a forecast reads at most 2K observations, see `decoding`), for most series
below that of the layer activations. States are recomputed from it, so a model that continues with
newer data gives exactly the forecast from the whole history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, farthest_held_out, most_stuck
from lstmcast.continuation import Continuation as Continuation
from lstmcast.continuation import Joiner
from lstmcast.continuation_checks import is_unnamed as is_unnamed
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.features import Covariates
from lstmcast.data.findings import Findings
from lstmcast.data.keys import described, keys_from_saved, packed, packed_keys, unpacked
from lstmcast.data.kinds import coded, decoded, kind_counts
from lstmcast.data.observed import Clock, ObservedCalendar
from lstmcast.data.panel import Columns, DataReport, Panel, Recipe
from lstmcast.data.soundness import require_sound
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.model.inputs.effects import (
    earlier_from,
    earlier_than,
    require_sound_earlier,
    saved_earlier,
)


@dataclass(frozen=True)
class SavedContext:
    """The newest observations of each series, starting at a multiple of K observations."""

    panel: Panel

    @classmethod
    def newest(cls, panel: Panel, count: int | None) -> SavedContext:
        """Keep the newest `count` observations of each series, or all if it has fewer."""
        if count is None:
            return cls(panel)
        return cls(panel.since(np.maximum(panel.lengths - count, 0)))

    @classmethod
    def of(cls, panel: Panel) -> SavedContext:
        """Keep what the next forecasts and their calibration at held-out cutoffs may read.

        With future columns everything is kept, since their effects are estimated on the whole past.
        """
        if panel.covariates.future:
            return cls(panel)
        # Cutoffs lie farther apart in longer series; this is the limit, as series may grow.
        farthest = farthest_held_out(panel.periods) + most_stuck(panel.periods)
        earliest = np.maximum(panel.lengths - farthest, 0)
        context = Blocks.of(panel.periods)
        # Cutoffs lie in the later half of the known values: keeping fewer values must not make that
        # half begin later.
        blocks = (2 * earliest - panel.lengths) // context.length
        first = np.minimum(context.start(earliest), blocks * context.length)
        first = np.maximum(first, 0)
        kept_panel = replace(panel.since(first), earlier=earlier_than(panel, first))
        return cls(kept_panel)

    def join(self, newer: Panel) -> Continuation:
        """Join newer series to their saved values.

        Series are matched by id; if both have one series that the data do not name, they match, and
        the saved id is kept. Where both have a value, the newer one is used. A short gap between
        the two becomes missing values, as inside a file. After a longer gap, a series starts from
        scratch; so does a series whose data reach back as far as the saved values, since they
        contain its history. Raises `ModelError` for another frequency, time zone or seasonal
        periods, and `DataError` for a gap if the data were read with gaps="error", or for a missing
        covariate.
        """
        return Joiner(self.panel).join(newer)

    def with_coming(self, coming: Beside) -> Continuation:
        """Continue without newer data, with coming values of future columns from `future_data`."""
        from lstmcast.data.read import with_coming

        panel = with_coming(self.panel, coming)
        going = tuple(map(str, panel.ids))
        no_lead = np.zeros(len(panel), np.int64)
        return Continuation(panel, going, (), (), (), Findings(), no_lead)

    def described(self) -> dict[str, Any]:
        """The part of it that a manifest holds."""
        panel = self.panel
        report = self.panel.report
        reading = report.recipe.described() if report.recipe else {}
        optional = {
            "time_zone": report.time_zone,
            "frame_zone": report.frame_zone,
            "label": report.label,
            "recognised": _told_apart(panel),
            "reading": reading,
            "keys": described(panel.keys),
            "covariates": panel.covariates.described(),
        }
        calendar = {} if panel.calendar is None else {"calendar": panel.calendar.name}
        return {
            "frequency": panel.frequency.code,
            "periods": list(panel.periods),
            "target_kind": panel.kind,
            "columns": asdict(panel.columns),
            "source": report.source,
            "frame": report.frame,
            **{name: value for name, value in optional.items() if value},
            "series": len(panel),
            **calendar,
            "remembers": {
                "from": format_time(panel.starts.min()),
                "to": format_time(panel.ends.max()),
            },
        }

    def arrays(self) -> dict[str, NDArray]:
        """Its observations as named arrays for the store."""
        panel = self.panel
        kinds = (
            {} if panel.recognised is None else {"recognised": coded(panel.recognised)}
        )
        calendar = {} if panel.calendar is None else panel.calendar.arrays()
        return {
            **kinds,
            "values": panel.values,
            "offsets": panel.offsets,
            "starts": panel.starts.astype(np.int64),
            "is_date": np.array([panel.starts.dtype.kind == "M"]),
            **packed(panel.ids),
            **packed_keys(panel.keys),
            **panel.covariates.arrays(),
            **saved_earlier(panel.earlier),
            **calendar,
        }

    @classmethod
    def from_saved(
        cls, manifest: dict[str, Any], arrays: dict[str, NDArray]
    ) -> SavedContext:
        """Rebuild it; KeyError, TypeError or ValueError if something is missing."""
        return cls(_panel(manifest, arrays))


def _told_apart(panel: Panel) -> dict[str, int]:
    """How many series of each kind were recognised; empty if none were."""
    plain = panel.recognised is None or (panel.kinds == "real").all()
    return {} if plain else kind_counts(panel.kinds)


def _panel(manifest: dict[str, Any], state: dict[str, NDArray]) -> Panel:
    if state["starts"].dtype.kind not in "iu":
        raise ValueError("the first times of its series are not times")
    starts = (
        state["starts"].astype("datetime64[us]")
        if state["is_date"][0]
        else state["starts"]
    )
    frequency = parse_frequency(manifest["frequency"])
    # older manifests have no time zones and no recipe
    zone = manifest.get("time_zone")
    frame_zone = manifest.get("frame_zone")
    report = DataReport(
        manifest["source"],
        frame=manifest["frame"],
        time_zone=zone,
        recipe=Recipe.from_saved(manifest.get("reading", {})),
        label=manifest.get("label"),
        frame_zone=frame_zone,
    )
    recognised = None
    if "recognised" in state:
        recognised = decoded(state["recognised"])
    series_count = len(state["offsets"]) - 1
    calendar = ObservedCalendar.from_saved(state, Clock(zone, frame_zone), series_count)
    panel = Panel(
        values=state["values"],
        offsets=state["offsets"],
        ids=unpacked(state["ids"], state["id_lengths"]),
        starts=starts,
        frequency=frequency,
        periods=tuple(manifest["periods"]),
        kind=manifest["target_kind"],
        columns=Columns(**manifest["columns"]),
        report=report,
        keys=keys_from_saved(manifest.get("keys", ()), state),
        recognised=recognised,
        earlier=earlier_from(state, frequency),
        calendar=calendar,
        covariates=Covariates.from_saved(manifest.get("covariates", {}), state),
    )
    require_sound(panel)
    require_sound_earlier(panel.earlier, len(panel))
    return panel
