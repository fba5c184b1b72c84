"""Events that a job reports while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lstmcast.data.panel import Panel

if TYPE_CHECKING:
    from lstmcast.evaluation.refitting import Progress
    from lstmcast.saved_context import Continuation

    Event: TypeAlias = "DataRead | NewerRead | DataJoined | Note | Progress"
    Notify = Callable[[Event], object]


class DataRead(NamedTuple):
    """The data were read; the findings are in the panel's report."""

    panel: Panel


class NewerRead(NamedTuple):
    """Newer data for a saved model were read. Findings follow once they are joined: data that are
    too short on their own may then be long enough."""

    panel: Panel


class DataJoined(NamedTuple):
    """Newer data were joined to those of a saved model."""

    continuation: Continuation


class Note(NamedTuple):
    """A sentence about the run; `urgent` if something that was requested is not done."""

    text: str
    urgent: bool = False


def ignore(event: Event) -> None:
    """The `notify` of a job without a listener."""
