"""Stream: one network, many series, one tick at a time. It forecasts, sees the actual values, may
learn, and continues.

Each series is a row with a name and a state, kept from tick to tick: rows join, leave and begin
anew one by one. A tick costs one step of the network, whatever the history, and what is forecast is
what `predict` forecasts with method="network" after the same history: nothing is calibrated, and
nothing combined. Predicting is NumPy and needs no PyTorch; learning does.

    S series, a row each · R rows of a tick · K columns of a row · P columns beside them · H horizon
    Q quantiles of the head · X quantiles, or one point
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.data.panel import Kind, Panel
from lstmcast.data.times.frequency import Frequency
from lstmcast.decoding import Reader
from lstmcast.errors import UsageError
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.evaluation.conformal import Conformal
from lstmcast.model.heads import HEAD_QUANTILES, Head
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.answers import Answers
from lstmcast.streaming.guard import Guard
from lstmcast.streaming.intake import Intake
from lstmcast.streaming.known import KnownColumns, known_columns
from lstmcast.streaming.lanes import LaneReader
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.opening import (
    Forecaster,
    frequency_of,
    stops_after,
)
from lstmcast.streaming.parts import Parts, Ways, opened, parts_of
from lstmcast.streaming.reading import RowReader
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.saving import described_stream, made_stream, read_saved
from lstmcast.streaming.updates import updates_of
from lstmcast.streaming.watching import Watch
from lstmcast.util.blas import one_blas_thread
from lstmcast.util.parallel import keep_small_memory


class Stream:
    """A network that forecasts each row from its state, and continues with every tick.

    Args:
        start: a forecaster that is ready to predict (the shipped network as it arrives, a fitted
            one), a `Network`, or a `NetworkConfig` for one that knows nothing yet and learns.
        rows: a Panel whose series are the rows, with their history and the columns beside it that
            the network reads; or names of rows that begin empty, texts or whole numbers.
        frequency: of the ticks, for inputs that know seasons; that of the Panel if there is one.
        periods: seasonal periods in ticks; those of the frequency unless given.
        kind: what values can be: "count" or "positive" for rows of which no forecast is below 0,
            "real" for any. Unless given, as the Panel has it, else the data that a forecaster
            remembers.
        future: names of columns that are known in advance of rows that begin empty; a Panel brings
            its own. Ticks say their values, and those of the coming ticks.
        learning: how it learns; None for a network that stays as it is.
        alerts: when a value is worth an alert; `scores` and `alerted` then say how surprising those
            of the newest tick were. None where nobody asks.
        conformal: keeps the intervals of `quantiles` as wide as they promise to be: each value
            moves the bounds of the steps that it was forecast at. `coverage` says how they did, and
            `drifted` whether errors have grown. None for the network's own quantiles.
        head: your own head, if the network was made with it.
        seed: random seed of weights that are drawn, and of dropout.

    Raises:
        UsageError: where the network and its inputs cannot be read tick by tick as asked.
        MissingExtraError: where learning has no PyTorch.

    >>> import lstmcast as lc
    >>> stream = lc.Stream(lc.LSTMForecaster(horizon=3), ["a", "b"], frequency="MS")
    >>> for month in range(36):
    ...     error = stream.observe([10.0 + month % 12, 100.0 + month])
    >>> stream.predict(3).round().tolist()
    [[10.0, 11.0, 12.0], [136.0, 137.0, 138.0]]
    """

    def __init__(
        self,
        start: Forecaster | Network | NetworkConfig,
        rows: Panel | Iterable[Any],
        *,
        frequency: str | Frequency = "integer",
        periods: int | Sequence[int] | None = None,
        kind: Kind | None = None,
        future: Sequence[str] = (),
        learning: Learning | None = None,
        alerts: Alerts | None = None,
        conformal: Conformal | None = None,
        head: Head | None = None,
        seed: int = 0,
    ) -> None:
        panel = rows if isinstance(rows, Panel) else None
        ways = Ways(learning, alerts, conformal, seed)
        parts, stops_S = parts_of(start, panel, frequency, periods, kind, head, ways)
        step = frequency_of(panel, frequency)
        known, panel = known_columns(panel, future, step, parts.grid, parts.network)
        ids = rows if panel is None else panel.ids
        self.begin(parts, ids, known)
        if known is not None and panel is None:
            known.join(self.ids)
        if panel is not None:
            self.rows["stops"][:] = stops_S
            self.intake.history(panel)
            self.watch.history(panel)

    def begin(self, parts: Parts, ids: Any, known: KnownColumns | None = None) -> None:
        """Begin with rows of which nothing was read; for `__init__` and what was saved."""
        keep_small_memory()
        self.parts, learners = opened(parts)
        network, grid = self.parts.network, self.parts.grid
        self.network, self.grid, self.context = network, grid, parts.context
        self.learning, self.learned = parts.learning, parts.learned
        self.ticks = 0
        self.note: dict[str, Any] = {}
        self.rows = Rows(ids)
        self.rows.add("stops", lambda count: np.full(count, parts.stops, np.int64))
        self.open_times = parts.open_times
        if self.open_times is not None:
            self.open_times.begin(self.rows)
        reader = LaneReader(network, grid, parts.context)
        self.reading = RowReader(reader, self.rows, parts.clock, parts.own_periods)
        self.known = known
        self.answers = Answers(network, self.reading, parts.rates, self.open_times, known)
        self.learner = updates_of(self.parts, learners, reader, self.rows)
        self.intake = Intake(self.answers, self.learner)
        self.alerts, self.conformal = parts.alerts, parts.conformal
        reader_of_all = Reader(network, self.learned, self.context, rates=False)
        self.watch = Watch(self.answers, reader_of_all, self.alerts, self.conformal)
        self._follow()

    def __repr__(self) -> str:
        progress = f"{_amount(len(self.rows), 'row')}, {_amount(self.ticks, 'tick')}"
        if self.learning:
            progress += f", {_amount(self.updates, 'update')}"
        return f"Stream({self.network!r}, {progress})"

    @property
    def ids(self) -> list[Any]:
        """Names of the rows, in the order of what is predicted."""
        return self.rows.ids.tolist()

    @property
    def updates(self) -> int:
        """How often the weights have moved."""
        return self.learners[0].updates if self.learners else 0

    @property
    def scores(self) -> NDArray:
        """How surprising the values of the newest tick were, from 0 to 1, with `alerts=`."""
        return self.watch.scores

    @property
    def alerted(self) -> NDArray:
        """Which of these were worth an alert."""
        return self.watch.alerted

    @property
    def drifted(self) -> NDArray:
        """Which of these showed that errors have grown, with `conformal=`."""
        return self.watch.drifted

    @property
    def learners(self) -> list[Any]:
        """What moves the weights of each member; none of a network that stays as it is."""
        return self.learner.learners if self.learner else []

    @property
    def guard(self) -> Guard | None:
        """Older ticks and weights, of a network that learns."""
        return self.learner.guard if self.learner else None

    @property
    def skipped(self) -> int:
        """How many updates were left out, as no finite step could be taken."""
        return self.learner.skipped if self.learner else 0

    @property
    def rollbacks(self) -> int:
        """How often the network went back to earlier weights."""
        return self.learner.rollbacks if self.learner else 0

    def predict(self, horizon: int | None = None, ids: Iterable[Any] | None = None) -> NDArray:
        """The next value of each row, (S,), or with a horizon the next H of them, (S, H).

        With several columns in a row these are a last axis (…, K). NaN where nothing was read yet.
        `ids`: the rows that are asked for, in this order; all unless given.
        """
        answer_SHKX = self.answers.shown(self.answers.following(horizon, ids), self.rows.at(ids))
        return self.answers.flat(answer_SHKX[..., answer_SHKX.shape[3] // 2], horizon)

    def quantiles(
        self,
        horizon: int | None = None,
        ids: Iterable[Any] | None = None,
        *,
        adjusted: bool = True,
    ) -> NDArray:
        """The same at `lstmcast.model.heads.HEAD_QUANTILES`, as last axis.

        With `conformal=` they are those that the errors of each row ask for; with adjusted=False,
        and without it, the network's own. UsageError for a head that answers a point.
        """
        answer_SHKX = self.answers.following(horizon, ids)
        if answer_SHKX.shape[3] < len(HEAD_QUANTILES):
            raise UsageError(
                "A point head has no quantiles. Use another one, such as head='quantiles'."
            )
        row_R = self.rows.at(ids)
        if adjusted:
            answer_SHKX = self.watch.adjusted(row_R, answer_SHKX)
        return self.answers.flat(self.answers.shown(answer_SHKX, row_R), horizon)

    def coverage(self, ids: Iterable[Any] | None = None) -> NDArray:
        """The share of values that lay in the intervals of `quantiles`, of the newest 500 or so:
        by row, step ahead and level, 95%, 80% and 50% (S, H, 3). NaN where none was compared yet;
        UsageError without `conformal=`."""
        return self.watch.coverage(self.rows.at(ids))

    @one_blas_thread()
    def observe(
        self,
        values: Any,
        ids: Iterable[Any] | None = None,
        *,
        past: Any = None,
        future: Any = None,
    ) -> NDArray:
        """Take in a tick: the errors (value − prediction) of these rows. A network that learns,
        learns from them. A tick is the next time that occurs, of rows whose times do not all.

        Args:
            values: one for each row, or for each of `ids`, or by id as a dict or as a pandas Series
                (a frame of several columns) whose index names the rows; rows that are not named
                have no tick and stay as they are. NaN is a tick whose value nobody knows: nothing
                is learned from it.
            ids: names of the rows that the values are of.
            past: of a network that reads columns beside its rows, their values at this tick: by
                name, {name: values in the order of the rows, or by id}, as a frame, or as an array
                (rows, columns). NaN for one that is unknown.
            future: of columns that are known in advance, by name: for each row the value at this
                tick, or a list of it and of those at the coming ticks. What was said before need
                not be said again; what is said anew counts.

        Raises:
            UsageError: for rows that are not here, or columns beside them that are missing.
            DataError: for values that are no numbers, or below 0 where `kind` says that none is.
                Nothing has changed then.
        """
        row_R, values_RK, past_RP, cells_CR = self.intake.checked(values, ids, past, future)
        answer_RHKX = self.answers.told(self.answers.of(1, row_R), row_R, cells_CR)
        with np.errstate(over="ignore"):  # infinite where no number holds the error
            errors_RK = values_RK - answer_RHKX[:, 0, :, answer_RHKX.shape[3] // 2]
        left_RK = self.answers.left_of(values_RK, row_R)
        self.watch.compare(row_R, left_RK[:, 0])
        self.intake.pass_closed(self.ticks, row_R, past_RP)
        self.watch.score(row_R, left_RK[:, 0])
        self.intake.read(self.ticks, row_R, left_RK, past_RP)
        self.rows["stops"][row_R] = stops_after(self.rows["stops"][row_R], values_RK)
        self.ticks += 1
        self.answers.forget()
        return errors_RK[:, 0] if errors_RK.shape[1] == 1 else errors_RK

    def check(
        self,
        values: Any,
        ids: Iterable[Any] | None = None,
        *,
        past: Any = None,
        future: Any = None,
        horizon: int = 0,
        missing: Sequence[int] = (),
    ) -> None:
        """Raise what `observe` would raise for such a tick, and then `predict` of a `horizon`;
        nothing changes. `missing`: how many ticks of each row are left out before it."""
        tick = self.intake.checked(values, ids, past, future, missing)
        self.intake.require_known(tick, horizon, missing)

    def join(self, ids: Iterable[Any], starts: Mapping[Any, Any] | None = None) -> None:
        """New rows, from a fresh state; UsageError for one that is here already.

        `starts`: times of their first ticks, by id. A stream with columns that are known in advance
        tells the days before Christmas and the days of a month by them.
        """
        new_ids = self.rows.new(ids)
        # refuses what cannot join
        self.network.config.inputs.of_rows(self.learned, [*self.rows.ids, *new_ids])
        self.rows.join(new_ids)
        if self.known is not None:
            self.known.join(new_ids, starts)
        self._follow()

    def leave(self, ids: Iterable[Any]) -> None:
        """Rows that have no more ticks; the others stay as they are."""
        ids = self.rows.ids[self.rows.at(ids)].tolist()
        self.rows.leave(ids)
        if self.known is not None:
            self.known.leave(ids)
        self._follow()

    def reset(
        self, ids: Iterable[Any] | None = None, starts: Mapping[Any, Any] | None = None
    ) -> None:
        """Begin these rows (all for None) anew, as if they had just joined; the weights stay.
        `starts` as in `join`."""
        row_R = self.rows.at(ids)
        self.rows.clear(row_R)
        if self.known is not None:
            self.known.reset(self.rows.ids[row_R].tolist(), starts)
        self._follow()

    def frozen(self) -> Stream:
        """A copy that continues from here without learning."""
        manifest, groups = described_stream(self)
        manifest["learning"] = None
        return made_stream(Stream, manifest, groups, Path("copy"), self.network.head)

    def save(self, folder: str | Path) -> None:
        """Save everything: a process that stops here continues, after `load`, with the same bits.

        `stream.note` is saved too, a dict of your own that JSON can hold: which message of a queue
        was the newest, say. OutputError.
        """
        store.save(folder, *described_stream(self))

    @classmethod
    def load(cls, folder: str | Path, *, learns: bool = True, head: Head | None = None) -> Stream:
        """What `save` wrote; with `learns=False` it continues without learning, and without
        PyTorch. ModelError where it is damaged or something else."""
        manifest, groups = read_saved(folder)
        if not learns:
            manifest["learning"] = None
        with store.complete(folder, "it"):
            return made_stream(cls, manifest, groups, Path(folder), head)

    def _follow(self) -> None:
        """What the inputs learned of the rows that are here now; what was forecast is forgotten."""
        fitted = self.network.config.inputs.of_rows(self.learned, self.ids)
        if fitted is not None:
            self.reading.follow(fitted)
        self.answers.forget()


def _amount(count: int, word: str) -> str:
    plural = "" if count == 1 else "s"
    return f"{count:,} {word}{plural}"
