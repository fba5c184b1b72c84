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

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.context import Blocks, Context, Newest, Whole
from lstmcast.data.frequency import Frequency
from lstmcast.data.kinds import stopped
from lstmcast.data.origins import checked_horizon
from lstmcast.data.panel import Kind, Panel
from lstmcast.decoding import Reader, answers_from, at_several_rates, rates_of
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation.anomalies import Alerts, advance
from lstmcast.evaluation.anomalies import start as surprises_of
from lstmcast.evaluation.conformal import Conformal
from lstmcast.model.heads import HEAD_QUANTILES, Head
from lstmcast.model.inputs import FittedTransforms, Grid
from lstmcast.model.inputs.periods import may_differ
from lstmcast.model.inputs.slow_clock import Clock, clock_of
from lstmcast.model.network import Network, NetworkConfig, described, network_of
from lstmcast.model.static import require_no_static
from lstmcast.streaming.closed import OpenTimes
from lstmcast.streaming.guard import Guard
from lstmcast.streaming.lanes import Lane, LaneReader
from lstmcast.streaming.learning import Learning, learners_of, worst
from lstmcast.streaming.opening import (
    ANYWHERE,
    Forecaster,
    check_kinds,
    frequency_of,
    from_forecaster,
    grid_of,
    may_read_roots,
    opening_network,
    require_allowed,
    require_no_future,
    stop_now,
    stops_after,
    stops_of,
)
from lstmcast.streaming.reading import RowReader
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.scoring import far_step, read_surprises
from lstmcast.streaming.ticks import by_label, checked_past, checked_values
from lstmcast.streaming.tracking import Tracker
from lstmcast.streaming.window import labelled, newest_window, remembered, start_memory
from lstmcast.util.objects import objects
from lstmcast.util.states import rows_of
from lstmcast.windows import TickWindow

KIND = "stream"
logger = logging.getLogger("lstmcast")


class Stream:
    """A network that forecasts each row from its state, and continues with every tick.

    Args:
        start: a forecaster that is ready to predict (the shipped network as it arrives, a fitted
            one), a `Network`, or a `NetworkConfig` for one that knows nothing yet and learns.
        rows: a Panel whose series are the rows, with their history and the columns beside it that
            the network reads; or names of rows that begin
            empty, texts or whole numbers.
        frequency: of the ticks, for inputs that know seasons; that of the Panel if there is one.
        periods: seasonal periods in ticks; those of the frequency unless given.
        kind: what values can be: "count" or "positive" for rows of which no forecast is below 0,
            "real" for any. Unless given, as the Panel has it, else the data that a forecaster
            remembers.
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

    _answers: dict[int, NDArray]  # of all rows, by horizon, until the next tick

    def __init__(
        self,
        start: Forecaster | Network | NetworkConfig,
        rows: Panel | Iterable[Any],
        *,
        frequency: str | Frequency = "integer",
        periods: int | Sequence[int] | None = None,
        kind: Kind | None = None,
        learning: Learning | None = None,
        alerts: Alerts | None = None,
        conformal: Conformal | None = None,
        head: Head | None = None,
        seed: int = 0,
    ) -> None:
        check_kinds(start, learning, seed)
        panel = rows if isinstance(rows, Panel) else None
        self.stops, stops_S = stops_of(start, panel, kind)
        grid = grid_of(panel, frequency, periods)
        step = frequency_of(panel, frequency)
        self.clock, self.own_periods = clock_of(step), may_differ(grid.periods, step)
        self.open_times = OpenTimes.of(panel)
        grid = grid._replace(roots=may_read_roots(start, panel, kind))
        network = opening_network(start, head, seed, learning)
        require_no_static(network.config, "a stream")
        if panel is not None:
            require_no_future(panel)
            panel.covariates.require(network.config.inputs.past, panel.report.source)
            panel.covariates.tell_unread(network.config.inputs.past)
        if panel is not None and network.config.inputs.columns > 1:
            raise UsageError(
                "The series of a Panel are rows of one column each, and this network reads "
                f"{network.config.inputs.columns} together. Name the rows, and observe their "
                "history tick by tick."
            )
        fitted, context, self.rates = from_forecaster(start)
        if learning is not None or context is None:  # learning continues from the state of each row
            context = network.config.inputs.context(grid.periods)
        ids = panel.ids if panel else rows
        self._begin(network, grid, context, fitted, ids, learning, seed, alerts, conformal)
        if panel is not None:
            self.rows["stops"][:] = stops_S
            self.reading.history(panel)
            if self.open_times is not None:
                self.open_times.history(self.rows, panel)
            if alerts is not None:
                *_, surprises = read_surprises(self._reader(), panel, alerts)
                self.rows.put("surprises", np.arange(len(panel)), surprises)
            # Steps of a history are those of its grid, which are not those of its ticks then.
            if self.tracker is not None and self.open_times is None:
                self.tracker.history(self._reader(), panel)

    def _begin(
        self,
        network: Network,
        grid: Grid,
        context: Context,
        fitted: FittedTransforms | None,
        ids: Any,
        learning: Learning | None,
        seed: int,
        alerts: Alerts | None,
        conformal: Conformal | None,
    ) -> None:
        """Rows of which nothing was read."""
        self.learning, self.seed, self.context, self.learned = learning, seed, context, fitted
        self.network, self.learners = learners_of(network, learning, seed)
        clock = self.clock if network.config.inputs.from_context else None
        effects = clock is not None
        self.grid = grid._replace(horizon=network.config.steps, effects=effects)
        self.ticks = self.skipped = 0
        self.note: dict[str, Any] = {}
        self.rows = Rows(ids)
        self.rows.add("stops", lambda new: np.full(new, self.stops, np.int64))
        if self.open_times is not None:
            self.open_times.begin(self.rows)
        self.reader = LaneReader(self.network, self.grid, context)
        own_periods = self.own_periods and network.config.inputs.from_context
        self.reading = RowReader(self.reader, self.rows, clock, own_periods)
        self.guard, self.rollbacks = None, 0
        if learning is not None:
            self.guard = Guard(self.learners, learning.chunk, seed)
            self.rows.add("memory", lambda new: start_memory(self.network, learning.chunk, new))
        self.alerts, self.scores, self.alerted = alerts, np.empty(0), np.empty(0, bool)
        if alerts is not None:
            if network.config.inputs.columns > 1:
                raise UsageError("alerts= are of rows of one column, and this network reads more.")
            self.rows.add("surprises", lambda new: surprises_of(new, far_step(self._reader())))
        self.conformal, self.drifted = conformal, np.empty(0, bool)
        self.tracker = None if conformal is None else Tracker(conformal, self.rows, network)
        self._follow()

    def __repr__(self) -> str:
        counts = [(len(self.rows), "row"), (self.ticks, "tick")]
        counts += [(self.updates, "update")] if self.learning else []
        said = ", ".join(f"{count:,} {word}{'s' * (count != 1)}" for count, word in counts)
        return f"Stream({self.network!r}, {said})"

    @property
    def ids(self) -> list[Any]:
        """Names of the rows, in the order of what is predicted."""
        return self.rows.ids.tolist()

    @property
    def updates(self) -> int:
        """How often the weights have moved."""
        return self.learners[0].updates if self.learners else 0

    def predict(self, horizon: int | None = None, ids: Iterable[Any] | None = None) -> NDArray:
        """The next value of each row, (S,), or with a horizon the next H of them, (S, H).

        With several columns in a row these are a last axis (…, K). NaN where nothing was read yet.
        `ids`: the rows that are asked for, in this order; all unless given.
        """
        answer_SHKX = self._answered(horizon, ids)
        return self._flat(answer_SHKX[..., answer_SHKX.shape[3] // 2], horizon)

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
        answer_SHKX = self._answered(horizon, ids)
        if answer_SHKX.shape[3] < len(HEAD_QUANTILES):
            raise UsageError(
                "A point head has no quantiles. Use another one, such as head='quantiles'."
            )
        if adjusted and self.tracker is not None:
            at = self.rows.at(ids)
            moved_SHX = self.tracker.adjusted(at, answer_SHKX[:, :, 0])
            answer_SHKX = stopped(moved_SHX, stop_now(self.rows["stops"][at]))[:, :, None]
        return self._flat(answer_SHKX, horizon)

    def coverage(self, ids: Iterable[Any] | None = None) -> NDArray:
        """The share of values that lay in the intervals of `quantiles`, of the newest 500 or so:
        by row, step ahead and level, 95%, 80% and 50% (S, H, 3). NaN where none was compared yet.

        UsageError without `conformal=`.
        """
        if self.tracker is None:
            raise UsageError("coverage is known of a stream with conformal=lc.Conformal().")
        return self.tracker.coverage(self.rows.at(ids))

    def observe(
        self, values: Any, ids: Iterable[Any] | None = None, *, past: Any = None
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

        Raises:
            UsageError: for rows that are not here, or columns beside them that are missing.
            DataError: for values that are no numbers, or below 0 where `kind` says that none is.
                Nothing has changed then.
        """
        at, values_RK, past_RP = self._checked(values, ids, past)
        answer_RHKX = self._answers[1][at] if 1 in self._answers else self._answer(1, at)
        with np.errstate(over="ignore"):  # infinite where no number holds the error
            errors_RK = values_RK - answer_RHKX[:, 0, :, answer_RHKX.shape[3] // 2]
        if self.tracker is not None:
            answer_RHX = self._answer(self.tracker.steps, at)[:, :, 0]
            self.drifted = self.tracker.tick(at, values_RK[:, 0], answer_RHX)
        self._pass_closed(at, past_RP)
        if self.alerts is not None:
            self.scores, self.alerted = self._surprises(at, values_RK[:, 0], self.alerts)
        self._read(at, values_RK, past_RP)
        self.rows["stops"][at] = stops_after(self.rows["stops"][at], values_RK)
        self.ticks += 1
        self._answers = {}
        return errors_RK[:, 0] if errors_RK.shape[1] == 1 else errors_RK

    def _read(self, at: NDArray, values_RK: NDArray, past_RP: NDArray | None) -> None:
        if self.learning is None:
            self.reading.tick(at, values_RK, past_RP)
        else:
            self._learn_and_read(at, values_RK, past_RP, self.learning)

    def _pass_closed(self, at: NDArray, past_RP: NDArray | None) -> None:
        """Read unknown values at the times that do not occur before the next one that does."""
        if self.open_times is None:
            return
        closed_R = self.open_times.ahead(self.rows, at, 1)[:, 0]
        K = self.network.config.inputs.columns
        for step in range(int(closed_R.max(initial=0))):
            passed = closed_R > step
            past = None if past_RP is None else np.full_like(past_RP[passed], np.nan)
            self._read(at[passed], np.full((np.count_nonzero(passed), K), np.nan), past)

    def _surprises(self, at: NDArray, values_R: NDArray, alerts: Alerts) -> tuple[NDArray, NDArray]:
        """How surprising values of these rows are, which are not read yet, and which are worth an
        alert."""
        answer_RHX = self._unstopped(far_step(self._reader()), at)[:, :, 0]
        state = self.rows.of("surprises", at)
        far_R = answer_RHX[:, -1, answer_RHX.shape[2] // 2]
        result = advance(state, values_R, answer_RHX[:, 0], far_R, alerts)
        self.rows.put("surprises", at, state)
        return result

    def _reader(self) -> Reader:
        """What reads the same in one pass."""
        return Reader(self.network, self.learned, self.context, rates=False)

    def check(self, values: Any, ids: Iterable[Any] | None = None, *, past: Any = None) -> None:
        """Raise what `observe` would raise for such a tick; nothing changes."""
        self._checked(values, ids, past)

    def _checked(
        self, values: Any, ids: Iterable[Any] | None, past: Any
    ) -> tuple[NDArray, NDArray, NDArray | None]:
        """Where the rows of a tick are (R,), their values (R, K), those beside them (R, P)."""
        values, ids = by_label(values, ids)
        at, inputs = self.rows.at(ids), self.network.config.inputs
        values_RK = checked_values(values, inputs, self.rows.ids[at])
        require_allowed(values_RK, self.rows["stops"][at], self.rows.ids[at])
        return at, values_RK, checked_past(past, inputs.past, self.rows.ids[at])

    def join(self, ids: Iterable[Any]) -> None:
        """New rows, from a fresh state; UsageError for one that is here already."""
        new = self.rows.new(ids)
        self._fitted_to([*self.rows.ids, *new])  # refuses what cannot join
        self.rows.join(new)
        self._follow()

    def leave(self, ids: Iterable[Any]) -> None:
        """Rows that have no more ticks; the others stay as they are."""
        self.rows.leave(ids)
        self._follow()

    def reset(self, ids: Iterable[Any] | None = None) -> None:
        """Begin these rows (all for None) anew, as if they had just joined; the weights stay."""
        self.rows.clear(self.rows.at(ids))
        self._follow()

    def frozen(self) -> Stream:
        """A copy that continues from here without learning."""
        manifest, groups = self._described()
        return Stream._made({**manifest, "learning": None}, groups, Path("copy"), self.network.head)

    def save(self, folder: str | Path) -> None:
        """Save everything: a process that stops here continues, after `load`, with the same bits.

        `stream.note` is saved too, a dict of your own that JSON can hold: which message of a queue
        was the newest, say. OutputError.
        """
        store.save(folder, *self._described())

    @classmethod
    def load(cls, folder: str | Path, *, learns: bool = True, head: Head | None = None) -> Stream:
        """What `save` wrote; with `learns=False` it continues without learning, and without
        PyTorch.

        ModelError where it is damaged or something else.
        """
        manifest, groups = store.load(folder)
        if manifest.get("kind") == "online":
            raise ModelError(
                f"{folder} was written by Online of an older lstmcast: its weights can be used, "
                "its rows cannot. Give Stream its network, which "
                "lstmcast.model.network.load_network reads, .with_inputs(Running(…)) as they were, "
                "and let the rows begin anew."
            )
        if manifest.get("kind") != KIND:
            what = manifest.get("kind", "thing of no kind")
            raise ModelError(f"{folder} holds a {what}, not a stream as Stream.save writes it.")
        if not learns:
            manifest = {**manifest, "learning": None}
        with store.complete(folder, "it"):
            return cls._made(manifest, groups, Path(folder), head)

    # ---- reading

    def _follow(self) -> None:
        """What the inputs learned of the rows that are here now; what was forecast is forgotten."""
        fitted = self._fitted_to(self.rows.ids.tolist())
        if fitted is not None:
            self.reading.follow(fitted)
        self._answers = {}

    def _fitted_to(self, ids: list[Any]) -> FittedTransforms | None:
        return self.network.config.inputs.of_rows(self.learned, ids)

    # ---- answering

    def _answered(self, horizon: int | None, ids: Iterable[Any] | None = None) -> NDArray:
        """What the network says after each row's newest tick (S, H, K, X), in the units of the
        data."""
        steps = 1 if horizon is None else checked_horizon(horizon)
        if ids is not None:
            at = self.rows.at(ids)
            known = self._answers.get(steps)
            return self._answer(steps, at) if known is None else known[at]
        if steps not in self._answers:
            self._answers[steps] = self._answer(steps, np.arange(len(self.rows)))
        return self._answers[steps]

    def _answer(self, horizon: int, at: NDArray) -> NDArray:
        """The same of some of the rows (R, H, K, X), at times that occur."""
        if self.open_times is None:
            return self._answer_on_grid(horizon, at)
        steps_RH = self.open_times.ahead(self.rows, at, horizon)
        answer_RGKX = self._answer_on_grid(int(steps_RH.max(initial=0)) + 1, at)
        return np.take_along_axis(answer_RGKX, steps_RH[:, :, None, None], axis=1)

    def _answer_on_grid(self, horizon: int, at: NDArray) -> NDArray:
        """What the network says of all next steps of the grid, of some of the rows (R, H, K, X)."""
        return stopped(self._unstopped(horizon, at), stop_now(self.rows["stops"][at]))

    def _unstopped(self, horizon: int, at: NDArray) -> NDArray:
        """The same, below 0 too where values are not."""
        network = self.network
        X = len(HEAD_QUANTILES) if network.head.spreads else 1
        _require_no_sums(network.config, horizon, X)
        _require_widening(network, horizon)
        result = np.full((len(at), horizon, network.config.inputs.columns, X), np.nan)
        fed = horizon if horizon > network.config.steps else 0
        for begun, lane in self.reading.answering(at):
            state = self.reading.forecast_state(lane, at[begun], fed)
            z_NHKX = answers_from(network, state, horizon, network.config.steps, None)
            values = network.units(z_NHKX, state.known)
            values = self.reading.with_own_past(values, lane, at[begun])
            result[begun] = self._at_several_rates(at[begun], lane, values)
        return result

    def _at_several_rates(self, at: NDArray, lane: Lane, answer_RHKX: NDArray) -> NDArray:
        """Far answers of rows that have begun, moved as those of a forecaster are."""
        reader = Reader(self.network, context=Whole(), rates=self.rates)
        rates = rates_of(self.grid.periods, self.network.config.steps, answer_RHKX.shape[1])
        if not reader.reads_rates or not rates or lane.inputs.grid.periods != self.grid.periods:
            return answer_RHKX
        panel, ends = self.reading.read_by(at)
        axes_R, answer_RHX = self.reader.own_axes(lane), answer_RHKX[:, :, 0]
        return at_several_rates(reader, panel, ends, answer_RHX, axes_R)[:, :, None]

    def _flat(self, answer_SHK: NDArray, horizon: int | None) -> NDArray:
        """Without the axes of a single step and a single column."""
        alone = self.network.config.inputs.columns == 1
        steps = 0 if horizon is None else slice(None)
        return answer_SHK[:, steps, 0 if alone else slice(None)].copy()

    # ---- learning

    def _learn_and_read(
        self, at: NDArray, values_RK: NDArray, past_RP: NDArray | None, learning: Learning
    ) -> None:
        """The labels of a tick go to what was read before; then it is learned from, and the tick
        is read."""
        lane: Lane = self.rows.of("older", at)
        past_R1P = None if past_RP is None else past_RP[:, None]
        seen, inputs = self.network.config.inputs.advance(lane.inputs, values_RK[:, None], past_R1P)
        assert seen.label_BTK is not None
        self.rows.put("memory", at, labelled(self.rows.of("memory", at), seen.label_BTK[:, -1]))
        if self.ticks % learning.every == 0:
            self._learn()
        self.rows["count"][at] += 1
        self.rows.put("older", at, self.reader.read(lane, seen, inputs))
        begun = np.flatnonzero(seen.begun_BT[:, -1])
        if len(begun):
            memory = self.rows.of("memory", at[begun])
            kept = remembered(memory, seen.x_BTC[begun, -1], rows_of(lane.recurrent, begun))
            self.rows.put("memory", at[begun], kept)

    def _learn(self) -> None:
        """One update from the newest ticks of all rows that have news."""
        news = newest_window(self.rows["memory"])
        if news is None:
            return
        at, window = news
        assert self.guard is not None
        assert self.learning is not None
        again = self.guard.again(self.learning.replay, self.ticks)
        for m, learner in enumerate(self.learners):
            reason = learner.learn(window, m, again)
            if reason is not None:
                self.skipped += 1
                furthest = worst(self.rows, at, window.label_RTK)
                logger.warning(
                    "tick %d: the network did not learn: %s (%s)", self.ticks, reason, furthest
                )
        self.guard.remember(window, self.ticks)
        fall = self.guard.watch(self.ticks) if self.learning.guard else None
        if fall is not None:
            self.rollbacks += 1
            logger.warning(
                "tick %d: the network went back to its weights of tick %d: its loss on remembered "
                "ticks had become %.3g, theirs is %.3g",
                self.ticks,
                *fall,
            )
        memory = self.rows["memory"]
        everything = np.arange(len(self.rows))
        self.rows.put("memory", everything, memory._replace(waits_S=np.zeros_like(memory.waits_S)))

    # ---- saving

    def _described(self) -> tuple[dict[str, Any], dict[str, dict[str, NDArray]]]:
        """Everything that the next tick depends on, for the store."""
        about, weights = described(self.network)
        manifest = {
            "kind": KIND,
            **about,
            "learning": asdict(self.learning) if self.learning else None,
            "seed": self.seed,
            "ticks": self.ticks,
            "skipped": self.skipped,
            "rollbacks": self.rollbacks,
            "note": self.note,
            "alerts": None if self.alerts is None else asdict(self.alerts),
            "conformal": None if self.conformal is None else asdict(self.conformal),
            "stops": self.stops,
            "rates": self.rates,
            "ids": self.ids,
            "periods": list(self.grid.periods),
            "family": self.grid.family,
            "own_periods": self.own_periods,
            "clock": None if self.clock is None else list(self.clock),
            "roots": self.grid.roots,
            "context": {"kind": type(self.context).__name__, **asdict(self.context)},
        }
        groups = {"weights": weights, "rows": self.rows.arrays()}
        if self.open_times is not None:
            manifest["open_times"] = self.open_times.described()
            groups["calendar"] = self.open_times.calendar.arrays()
        if self.learned is not None:
            groups["transforms"] = self.learned.arrays()
            manifest["learned_of"] = [str(name) for name in self.learned.state.ids]
        learned = {
            f"{m}_{key}": part
            for m, own in enumerate(self.learners)
            for key, part in own.saved().items()
        }
        if self.guard is not None:
            groups |= {"optimiser": learned, "guard": self.guard.saved()}
        return manifest, groups

    @classmethod
    def _made(
        cls,
        manifest: dict[str, Any],
        groups: dict[str, dict[str, NDArray]],
        folder: Path,
        head: Head | None,
    ) -> Stream:
        """From what `_described` gave."""
        learning = None if manifest["learning"] is None else Learning(**manifest["learning"])
        network = network_of(folder, manifest, groups, head)
        about = dict(manifest["context"])
        context = {"Blocks": Blocks, "Newest": Newest, "Whole": Whole}[about.pop("kind")](**about)
        grid = Grid(network.config.steps, tuple(manifest["periods"]), manifest["family"])
        grid = grid._replace(roots=manifest.get("roots", True))
        made = cls.__new__(cls)
        # Older streams know nothing of a year.
        made.clock = Clock(*manifest["clock"]) if manifest.get("clock") else None
        made.own_periods = manifest.get("own_periods", False)  # nor of periods of their own
        made.stops = manifest.get("stops", ANYWHERE)  # older streams stop nowhere
        made.rates = manifest.get("rates", True)
        said = manifest.get("open_times")
        made.open_times = OpenTimes.from_saved(said, groups["calendar"]) if said else None
        fitted = _learned(network, manifest, groups)
        told = manifest.get("alerts")
        alerts = None if told is None else Alerts(**told)
        told = manifest.get("conformal")
        conformal = None if told is None else Conformal(**told)
        ids, seed = manifest["ids"], manifest["seed"]
        made._begin(network, grid, context, fitted, ids, learning, seed, alerts, conformal)
        made.ticks, made.skipped = manifest["ticks"], manifest["skipped"]
        made.note = dict(manifest.get("note", {}))
        made.reading.restore({"stops": made.rows["stops"], **groups["rows"]})
        made.rollbacks = manifest.get("rollbacks", 0)
        if made.guard is not None and "guard" in groups:  # older streams had none
            memory = made.rows["memory"]
            made.guard.take_up(groups["guard"], TickWindow(*memory[2:]))
        for m, learner in enumerate(made.learners):
            own = groups["optimiser"].items()
            learner.take_up(
                {key.removeprefix(f"{m}_"): part for key, part in own if key.startswith(f"{m}_")}
            )
        return made


def _learned(
    network: Network, manifest: dict[str, Any], groups: dict[str, dict[str, NDArray]]
) -> FittedTransforms | None:
    """What the transforms of a saved stream learned."""
    if "learned_of" not in manifest:
        return None
    ids = objects(manifest["learned_of"])
    return network.config.inputs.fitted_from(groups["transforms"], ids)


def _require_no_sums(config: NetworkConfig, horizon: int, answers: int) -> None:
    """UsageError where quantiles of several steps would have to be added up."""
    if answers > 1 and config.inputs.adds_up(horizon):
        raise UsageError(
            f"The transforms add up the forecasts of {horizon} steps, and quantiles of a sum are "
            "not sums of quantiles. Ask for one step at a time, or use head='point'."
        )


def _require_widening(network: Network, horizon: int) -> None:
    """UsageError where quantiles would have to widen by stretching, and the head's must not."""
    head, steps = network.head, network.config.steps
    if horizon > steps and head.spreads and not head.affine:
        raise UsageError(
            f"The network answers {steps} step(s), and quantiles of the head {head.name!r} cannot "
            f"be widened for {horizon}. Ask for at most {steps}, or use a forecaster, which draws "
            "sample paths."
        )
