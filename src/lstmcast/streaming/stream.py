"""Stream: one network, many series, one tick at a time; it forecasts, reads the actual values,
and may learn.

Each series is a row with a name and a state, kept from tick to tick: rows join, leave and are reset
individually. A tick costs one step of the network, independent of the history. Forecasts equal
those of `predict` with method="network" after the same history, without calibration or combination.
Prediction uses NumPy; learning needs PyTorch.

    S series, a row each · R rows of a tick · K columns of a row · P past covariates · H horizon
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
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.evaluation.conformal import Conformal
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.answers import Answers, require_quantiles
from lstmcast.streaming.beginning import learn
from lstmcast.streaming.intake import Intake
from lstmcast.streaming.known import KnownColumns, known_columns
from lstmcast.streaming.lanes import LaneReader
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.opening import Forecaster, frequency_of
from lstmcast.streaming.parts import Parts, Ways, opened, parts_of
from lstmcast.streaming.reading import RowReader
from lstmcast.streaming.rowkinds import RowKinds
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.saving import described_stream, made_stream, read_saved
from lstmcast.streaming.updates import updates_of
from lstmcast.streaming.watching import Watch
from lstmcast.util.blas import one_blas_thread
from lstmcast.util.parallel import keep_small_memory


class Stream:
    """A network that keeps a state for each row, forecasts from it, and updates it with every tick.

    Args:
        start: a forecaster that can predict (with the shipped network, or fitted), a `Network`, or
            a `NetworkConfig` for a new network that learns from the stream.
        rows: a Panel whose series are the rows, with their history and covariates; or names of rows
            without history, texts or whole numbers.
        frequency: frequency of the ticks, for inputs with seasons. Defaults to that of the Panel.
        periods: seasonal periods in ticks. Defaults to those of the frequency.
        kind: "count" or "positive" if no forecast may be below 0, "real" for any values. Defaults
            to the kind of the Panel, else of the data that the forecaster has saved.
        future: names of future columns for rows without history; a Panel has its own. Ticks hold
            their values, current and coming.
        learning: settings of learning; None for a network that does not learn. `learn` changes it.
        alerts: settings of alerts; `scores` and `alerted` then describe the newest tick. None for
            no alerts.
        conformal: settings of conformal intervals, which adapt to the errors of each row so that
            intervals keep their stated coverage. `coverage` measures it, and `drifted` reports
            growing errors. None for the network's own quantiles.
        head: your own head, if the network was made with it.
        seed: random seed of initial weights and dropout.

    Raises:
        UsageError: The network or its inputs cannot be used tick by tick.
        MissingExtraError: Learning needs PyTorch, which is not installed.

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
        known, panel = known_columns(
            panel, future, step, parts.grid, parts.network, start
        )
        ids = rows if panel is None else panel.ids
        self.begin(parts, ids, known)
        if known is not None and panel is None:
            known.join(self.ids)
        if panel is not None:
            self.kinds.history(panel, stops_S, self.context, kind is not None)
            self.intake.history(panel)
            self.watch.history(panel)
        self.learn(learning)

    def begin(self, parts: Parts, ids: Any, known: KnownColumns | None = None) -> None:
        """Start with rows without history; used by `__init__` and `load`."""
        keep_small_memory()
        self.parts, learners = opened(parts)
        network, grid = self.parts.network, self.parts.grid
        self.network, self.grid, self.context = network, grid, parts.context
        self.learning, self.learned = parts.learning, parts.learned
        self.ticks = 0
        self.note: dict[str, Any] = {}
        self.rows = Rows(ids)
        self.kinds = RowKinds(self.rows, network, parts.stops, parts.are_whole)
        reader = LaneReader(network, grid, parts.context)
        self.reading = RowReader(reader, self.rows, parts.clock, parts.own_periods)
        self.known = known
        self.answers = Answers(
            network, self.reading, parts.rates, parts.open_times, known
        )
        self.learner = updates_of(self.parts, learners, reader, self.rows)
        self.intake = Intake(self.answers, self.learner)
        self.alerts, self.conformal = parts.alerts, parts.conformal
        self.watch = Watch(self.answers, self.learned, self.alerts, self.conformal)
        self._follow()

    def __repr__(self) -> str:
        return f"Stream({self.network!r}, {_amounts(self)})"

    @property
    def ids(self) -> list[Any]:
        """Names of the rows, in the order of predictions."""
        return self.rows.ids.tolist()

    @property
    def updates(self) -> int:
        """Number of updates of the weights."""
        return self.learner.updates if self.learner else 0

    @property
    def scores(self) -> NDArray:
        """Anomaly scores of the newest tick, from 0 to 1, with `alerts=`."""
        return self.watch.scores

    @property
    def alerted(self) -> NDArray:
        """Whether each value of the newest tick raised an alert."""
        return self.watch.alerted

    @property
    def drifted(self) -> NDArray:
        """Whether errors of each row have grown, with `conformal=`."""
        return self.watch.drifted

    @property
    def skipped(self) -> int:
        """Number of updates skipped because the step was not finite."""
        return self.learner.skipped if self.learner else 0

    @property
    def rollbacks(self) -> int:
        """Number of times that earlier weights were restored."""
        return self.learner.rollbacks if self.learner else 0

    def predict(
        self, horizon: int | None = None, ids: Iterable[Any] | None = None
    ) -> NDArray:
        """Predict the next value of each row (S,), or with a horizon the next H values (S, H).

        Several columns of a row are a last axis; NaN for rows without values. `ids`: these rows.
        """
        answer_SHKX = self.answers.following(horizon, ids)
        answer_SHKX = self.kinds.shown(self.answers, answer_SHKX, self.rows.at(ids))
        return self.answers.flat(_medians(answer_SHKX), horizon)

    def quantiles(
        self,
        horizon: int | None = None,
        ids: Iterable[Any] | None = None,
        *,
        adjusted: bool = True,
    ) -> NDArray:
        """Predict the quantiles `lstmcast.model.heads.HEAD_QUANTILES`, as the last axis.

        With `conformal=` they are adjusted to the errors of each row, unless adjusted=False. Raises
        UsageError for a point head.
        """
        answer_SHKX = self.answers.following(horizon, ids)
        require_quantiles(answer_SHKX)
        row_R = self.rows.at(ids)
        if adjusted:
            answer_SHKX = self.watch.adjusted(row_R, answer_SHKX)
        shown_SHKX = self.kinds.shown(self.answers, answer_SHKX, row_R)
        return self.answers.flat(shown_SHKX, horizon)

    def coverage(self, ids: Iterable[Any] | None = None) -> NDArray:
        """The share of about the newest 500 values in their intervals, by row, step ahead and level
        (S, H, 3): 95%, 80% and 50%. NaN before the first. UsageError without `conformal=`."""
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
        """Read a tick, and return the errors (value − prediction) of its rows.

        A network that learns updates its weights. If some times do not occur, a tick is the next
        time that does.

        Args:
            values: one for each row, or for each of `ids`, or by id as a dict or a pandas Series
                (for several columns a DataFrame) with ids as index. Rows that are not named have no
                tick and stay as they are. NaN is a tick with a missing value, which is not learned
                from.
            ids: names of the rows of the values.
            past: values of past covariates at this tick: {name: values in the order of the rows, or
                by id}, a frame, or an array (rows, columns). NaN for unknown ones.
            future: values of future columns by name: for each row the value at this tick, or a list
                that continues with coming ticks. Values given before may be left out; new values
                replace them.

        Raises:
            UsageError: A row is unknown, or a covariate is missing.
            DataError: Values are not numbers, or negative although `kind` excludes that. The stream
                is unchanged in this case.
        """
        row_R, values_RK, past_RP, cells_CR = self.intake.checked(
            values, ids, past, future
        )
        answer_RHKX = self.answers.told(self.answers.of(1, row_R), row_R, cells_CR)
        answer_RHKX = self.kinds.made_whole(answer_RHKX, row_R)
        errors_RK = _errors(values_RK, answer_RHKX)
        left_RK = self.answers.left_of(values_RK, row_R)
        self.watch.compare(row_R, left_RK[:, 0])
        self.intake.pass_closed(self.ticks, row_R, past_RP)
        self.watch.score(row_R, left_RK[:, 0])
        self.intake.read(self.ticks, row_R, left_RK, past_RP)
        self.kinds.read(row_R, values_RK)
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
        """Raise what `observe` of a tick and `predict` of a `horizon` would raise, without any
        change. `missing`: number of ticks of each row that are skipped before it."""
        tick = self.intake.checked(values, ids, past, future, missing)
        self.intake.require_known(tick, horizon, missing)

    def join(self, ids: Iterable[Any], starts: Mapping[Any, Any] | None = None) -> None:
        """Add rows with a fresh state; UsageError for a row that already exists.

        `starts`: times of their first ticks, by id. A stream with future columns uses them for
        effects of dates, such as days before Christmas or days of the month.
        """
        new_ids = self.rows.new(ids)
        # raises for rows that cannot join
        self.network.config.inputs.of_rows(self.learned, [*self.rows.ids, *new_ids])
        self.rows.join(new_ids)
        if self.known is not None:
            self.known.join(new_ids, starts)
        self._follow()

    def leave(self, ids: Iterable[Any]) -> None:
        """Remove rows; the others stay as they are."""
        ids = self.rows.ids[self.rows.at(ids)].tolist()
        self.rows.leave(ids)
        if self.known is not None:
            self.known.leave(ids)
        self._follow()

    def reset(
        self, ids: Iterable[Any] | None = None, starts: Mapping[Any, Any] | None = None
    ) -> None:
        """Reset these rows (None: all) as if they had just joined; the weights do not change.
        `starts` as in `join`."""
        row_R = self.rows.at(ids)
        self.rows.clear(row_R)
        if self.known is not None:
            self.known.reset(self.rows.ids[row_R].tolist(), starts)
        self._follow()

    def learn(self, learning: Learning | None) -> None:
        """Start to learn from the following ticks with these settings; None stops learning.

        The weights are kept, but the optimiser, the stored ticks to replay and the counts of
        updates are new. A network fitted on windows continues from the state after the newest
        window. Before the first tick, this is the same as `learning=`; errors are those of it.
        """
        learn(self, learning)

    def frozen(self) -> Stream:
        """A copy that continues without learning."""
        manifest, groups = described_stream(self)
        manifest["learning"] = None
        return made_stream(Stream, manifest, groups, Path("copy"), self.network.head)

    def save(self, folder: str | Path) -> None:
        """Save the stream, so that after `load` it continues with identical results.

        `stream.note`, your own dict of JSON values, is saved too, for example the newest message of
        a queue. Raises OutputError if the folder cannot be written.
        """
        store.save(folder, *described_stream(self))

    @classmethod
    def load(
        cls, folder: str | Path, *, learns: bool = True, head: Head | None = None
    ) -> Stream:
        """Load a saved stream; with `learns=False` it continues without learning and without
        PyTorch. Raises ModelError if the folder is damaged or holds something else."""
        manifest, groups = read_saved(folder)
        if not learns:
            manifest["learning"] = None
        with store.complete(folder, "it"):
            return made_stream(cls, manifest, groups, Path(folder), head)

    def _follow(self) -> None:
        """Update fitted parameters for the current rows, and discard cached forecasts."""
        fitted = self.network.config.inputs.of_rows(self.learned, self.ids)
        if fitted is not None:
            self.reading.follow(fitted)
        self.answers.forget()


def _medians(answer_RHKX: NDArray) -> NDArray:
    """The middle quantile, or the point (R, H, K)."""
    return answer_RHKX[..., answer_RHKX.shape[3] // 2]


def _errors(values_RK: NDArray, answer_RHKX: NDArray) -> NDArray:
    """Values minus the predictions of the next step (R, K); infinite if that overflows."""
    with np.errstate(over="ignore"):
        return values_RK - _medians(answer_RHKX)[:, 0]


def _amounts(stream: Stream) -> str:
    amounts = [_amount(len(stream.rows), "row"), _amount(stream.ticks, "tick")]
    if stream.learning:
        amounts.append(_amount(stream.updates, "update"))
    return ", ".join(amounts)


def _amount(count: int, word: str) -> str:
    plural = "" if count == 1 else "s"
    return f"{count:,} {word}{plural}"
