"""Learning that begins or ends on an open stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmcast.streaming.lanes import LaneReader
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.opening import require_learnable
from lstmcast.streaming.parts import require_settings
from lstmcast.streaming.rows import Rows

if TYPE_CHECKING:
    from lstmcast.streaming.stream import Stream


def learn(stream: Stream, learning: Learning | None) -> None:
    """Begin to learn with these settings, or stop. Errors are those of `Stream.learn`."""
    require_settings("learning", learning, Learning)
    if learning is None and stream.learning is None:
        return
    parts = stream.parts._replace(learning=learning)
    if learning is not None:
        require_learnable(stream.network.config)
        # training continues from the state of each row
        context = stream.network.config.inputs.context(stream.grid.periods)
        parts = parts._replace(context=context)
    rows, watch = stream.rows, stream.watch
    ticks, note = stream.ticks, stream.note
    _leave_windows(rows, stream.reading.reader)
    stream.begin(parts, stream.ids, stream.known)
    stream.rows.take_up(rows, fresh=("memory",))
    stream.ticks, stream.note = ticks, note
    stream.watch.scores, stream.watch.alerted = watch.scores, watch.alerted
    stream.watch.drifted = watch.drifted


def _leave_windows(rows: Rows, reader: LaneReader) -> None:
    """Rows that were read by windows have the state after the newest one from now on."""
    if reader.kept:
        every_row = rows.at(None)
        rows.put("older", every_row, reader.of_window(rows["older"]))
