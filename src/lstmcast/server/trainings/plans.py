"""From a request for a training to the stored job."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmcast.data.ahead import one_season
from lstmcast.data.limits import allowing
from lstmcast.data.observed import value_count
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.server.bodies import Asked
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.requests import require_horizon, require_rows
from lstmcast.server.settings import Limits, checked_name
from lstmcast.server.trainings.asked import TrainHistory, TrainOptions
from lstmcast.server.trainings.process import HISTORY, TABLE
from lstmcast.server.trainings.training import WAITING, now

OPTIONS = tuple(name for name in TrainOptions.model_fields if name != "name")
LONGEST_STEM = 50  # letters of a name that is derived from a file's


def planned(
    fields: Any, files: Sequence[str], place: Path, limits: Limits
) -> dict[str, Any]:
    """The stored job of a request whose files are below a folder.

    Its data are read once, so that errors in them are reported at once. Raises Problem,
    LstmcastError.
    """
    is_history = isinstance(fields, TrainHistory)
    if is_history:
        source = fields.source()
    else:
        source = fields.source(files)
    with allowing(limits.of_files(len(files))):
        panel = source.of(fields.forecaster(1), trains=True).read()
    require_rows(panel, limits)
    horizon = fields.horizon or one_season(panel)
    require_horizon(horizon, len(panel), limits)
    fields.forecaster(horizon)  # report invalid options now
    options = fields.model_dump(mode="json", exclude_unset=True)
    return {
        "state": WAITING,
        "kind": HISTORY if is_history else TABLE,
        "fields": options,
        "files": _below(place, files),
        "options": _own(options),
        "horizon": horizon,
        "minutes": _minutes(fields, limits),
        "data": _about(panel),
        "created": now(),
    }


def stem_of(request: Asked) -> str:
    """A name derived from the first file."""
    first = request.files[0].name if request.files else "history"
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", first.partition(".")[0]).strip("-._")
    return stem[:LONGEST_STEM] or "network"


def required_name(name: str) -> str:
    """A name that is valid in an address. Raises Problem for any other."""
    try:
        return checked_name(name, "model")
    except UsageError as error:
        raise Problem(UNUSABLE, error.message, "name") from error


def _own(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the training among the fields of a request."""
    return {name: fields[name] for name in OPTIONS if name in fields}


def _below(place: Path, files: Sequence[str]) -> list[str]:
    """Paths relative to a folder."""
    return [str(Path(file).relative_to(place)) for file in files]


def _minutes(fields: TrainOptions, limits: Limits) -> float:
    limit = limits.training_minutes
    if fields.minutes is not None and fields.minutes > limit:
        detail = (
            f"minutes must be at most {limit:g} on this server, got {fields.minutes:g}."
        )
        raise Problem(UNUSABLE, detail, "minutes")
    return fields.minutes or limit


def _about(panel: Panel) -> dict[str, Any]:
    """A description of the data."""
    return {
        "series": len(panel),
        "values": value_count(panel),
        "frequency": panel.frequency.code,
        "target": panel.columns.target,
    }
