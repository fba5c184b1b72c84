"""Backtests: forecasts at past cutoffs compared with actual values.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Unpack, overload

import numpy as np

from lstmcast.data.keys import OWN_NAME
from lstmcast.data.observed import on_grid
from lstmcast.data.origins import checked_horizon, last_known, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.words import Words
from lstmcast.errors import UsageError
from lstmcast.evaluation.actual import (
    Grid,
    actual_values,
    checked_truth,
    require_answers,
)
from lstmcast.evaluation.added import Added, gain_of
from lstmcast.evaluation.by_level import by_level, level_rows
from lstmcast.evaluation.compared import models_by_name, require_known_baselines
from lstmcast.evaluation.cutoffs import FEWEST_KNOWN, cutoff_counts
from lstmcast.evaluation.cutoffs import spaced_cutoffs as spaced_cutoffs
from lstmcast.evaluation.metrics import Scales, naive_scales
from lstmcast.evaluation.plan import Forecasts as Forecasts
from lstmcast.evaluation.plan import Plan, Refit
from lstmcast.evaluation.refitting import (
    Progress,
    forecasts_of,
    modes_of,
    require_unseen,
    require_use_of,
)
from lstmcast.evaluation.scores import Scored, table
from lstmcast.evaluation.summary import Summary, plain, summarise
from lstmcast.forecast import Forecast
from lstmcast.forecast_table import types_of_columns
from lstmcast.util.lines import aligned
from lstmcast.util.text import brief, counted
from lstmcast.writing.tables import PLAIN, ColumnTypes, frame_of


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts of a model and baselines at past cutoffs, with the actual values.

    `reason`: why nothing could be held out, else empty. `notes`: what was left out. `refit`: how
    the model was fitted. `added`: the benefit of future columns. `base`: forecasts before
    reconciliation.
    """

    model: str
    # by model, the tested one first; all have the same origins
    forecasts: dict[str, Forecast]
    actual: np.ndarray  # (O, H); NaN if unknown, or if the origin does not count
    last: np.ndarray  # (O,) the last known value before each cutoff
    scales: Scales
    # (S, K) known observations; 0 if a series is too short for this cutoff
    counts: np.ndarray
    ids: np.ndarray  # (S,)
    horizon: int
    period: int
    notes: tuple[str, ...] = ()
    reason: str = ""
    refit: Refit = "never"
    added: Added = field(default_factory=Added)
    base: Forecast | None = None  # the forecasts of the model before reconciliation

    def __repr__(self) -> str:
        """A summary, the verdict, and the errors of each model."""
        summary = self.summary()
        if not summary.scores:
            return f"{self._headline}\n{summary.verdict}"
        header, *rows = summary.overall()
        rows_text = aligned(header, rows, left_aligned=header[:1])
        return f"{self._headline}\n{summary.verdict}\n{rows_text}"

    @property
    def _headline(self) -> str:
        origins = int((self.counts > 0).sum())
        size = f"{len(self.ids)} series, {origins} origins, horizon {self.horizon}"
        return f"Backtest({self.model}, {size})"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """All metrics over all origins and horizons, by model: {"naive": {"mae": 1.5, …}, …}."""
        return self.summary().scores

    def summary(self) -> Summary:
        """The tables, the verdict and the warnings; print it to read them."""
        notes = (*self.notes, str(self.added)) if self.added else self.notes
        return summarise(self._scored(), self.model, self.last, notes, self.reason)

    @overload
    def per_horizon(
        self, kind: Literal["arrays"] = "arrays"
    ) -> dict[str, np.ndarray]: ...
    @overload
    def per_horizon(self, kind: str) -> Any: ...
    def per_horizon(self, kind: str = "arrays") -> Any:
        """All metrics of each model at each step ahead, as a long table.

        kind: "arrays" for a dict of columns, or "pandas", "polars" or "pyarrow" for a frame.
        """
        steps = np.arange(1, self.horizon + 1)
        return frame_of(table(self._scored(), "step", steps, axis=0), kind)

    @overload
    def per_series(
        self, kind: Literal["arrays"] = "arrays"
    ) -> dict[str, np.ndarray]: ...
    @overload
    def per_series(self, kind: str) -> Any: ...
    def per_series(self, kind: str = "arrays") -> Any:
        """All metrics of each model on each series, NaN if not measured, as in `per_horizon`."""
        return frame_of(self._per_series(), kind)

    def _per_series(self) -> dict[str, np.ndarray]:
        shape = (*self.counts.shape, self.horizon)
        columns = table(self._scored(), OWN_NAME, self.ids, axis=(1, 2), shape=shape)
        if not columns:
            return columns
        models, _, *measures = columns.items()
        # keys of a series are those of its first origin
        first_origins = np.arange(len(self.ids)) * shape[1]
        keys = self.forecasts[self.model].keys.take(first_origins)
        model_count = len(self.forecasts)
        key_columns = [
            (name, np.tile(key, model_count))
            for name, key in keys.columns(self.ids).items()
        ]
        return dict([models, *key_columns, *measures])

    @overload
    def per_level(
        self, kind: Literal["arrays"] = "arrays"
    ) -> dict[str, np.ndarray]: ...
    @overload
    def per_level(self, kind: str) -> Any: ...
    def per_level(self, kind: str = "arrays") -> Any:
        """All metrics of each model at each level of a hierarchy, as in `per_horizon`.

        The model "base" holds the forecasts before reconciliation.
        """
        return frame_of(by_level(self._scored(), self.base), kind)

    def level_rows(self) -> list[list[str]]:
        """The errors at each level of a hierarchy as text, the header first; empty without one."""
        if self.base is None:
            return []
        return level_rows(self.per_level(), self.model, self.summary().measure)

    @overload
    def held_out(self, kind: Literal["arrays"] = "arrays") -> dict[str, np.ndarray]: ...
    @overload
    def held_out(self, kind: str) -> Any: ...
    def held_out(self, kind: str = "arrays") -> Any:
        """Actual values with the forecasts of the model, as in `per_horizon`.

        The columns are those of `Forecast.columns_dict`, including `cutoff`, and `actual`; a frame
        has the time zone of the data and the types of its ids.
        """
        return frame_of(self._held_out(), kind, types=self._held_out_types())

    def _held_out(self) -> dict[str, np.ndarray]:
        if not self.forecasts:
            return {}
        forecast = self.forecasts[self.model]
        columns = forecast.columns_dict() | {"actual": self.actual.ravel()}
        until_step = list(columns)[: list(columns).index("step") + 1]
        first = {name: columns.pop(name) for name in until_step}
        # A forecast with one cutoff omits its column, which joining tables needs.
        cutoff = {"cutoff": np.repeat(forecast.cutoffs, forecast.horizon)}
        is_known = np.isfinite(columns["actual"])
        columns = first | cutoff | columns
        return {name: column[is_known] for name, column in columns.items()}

    def _held_out_types(self) -> ColumnTypes:
        if not self.forecasts:
            return PLAIN
        forecast = self.forecasts[self.model]
        is_known = np.isfinite(self.actual.ravel())
        cutoffs = np.repeat(forecast.cutoffs, forecast.horizon)
        times = {"ds": forecast.times.ravel()[is_known], "cutoff": cutoffs[is_known]}
        return types_of_columns(forecast, times)

    def to_json(self) -> str:
        """The whole result as a JSON object, with times as ISO text and unknown numbers as null."""
        tables = {
            "per_horizon": self.per_horizon(),
            "per_series": self._per_series(),
            "held_out": self._held_out(),
        }
        if self.base is not None:
            tables["per_level"] = self.per_level()
        document = self.summary().as_dict()
        if self.added:
            document["known_in_advance"] = asdict(self.added)
        for label, columns in tables.items():
            document[label] = {name: plain(column) for name, column in columns.items()}
        return json.dumps(document, ensure_ascii=False)

    def _scored(self) -> Scored:
        return Scored(self.forecasts, self.actual, self.scales)


def _modes(
    model: Forecasts,
    models: Mapping[str, Any],
    refit: Refit | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """When each model is fitted; UsageError for what does not go together with that."""
    modes = modes_of(models, refit)
    name = next(iter(models))
    require_use_of(options, modes[name])
    if _reconciles(model) and modes[name] != "never":
        raise _to_fit_first(name)
    return modes


# long because each argument is described in its docstring
def backtest(
    model: Forecasts,
    data: Any,
    *,
    cutoffs: int | np.ndarray = 5,
    step: int | None = None,
    horizon: int | None = None,
    baselines: bool | Literal["classical"] | Sequence[Forecasts] = True,
    refit: Refit | None = None,
    fit_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    folder: str | Path | None = None,
    progress: Callable[[Progress], object] | None = None,
    truth: Panel | None = None,
    added: bool = True,
    **words: Unpack[Words],
) -> Backtest:
    """Compare forecasts of a model and of baselines with actual values at past cutoffs.

    `data`: a Panel, or anything that `lstmcast.read` reads. `horizon`: steps to forecast (default:
    the model's). `cutoffs`: their number, or counts of known observations (S, K), where 0 leaves
    an origin out. `step`: steps between cutoffs (default: the horizon, less for short histories);
    the last cutoff leaves `horizon` values to compare. `baselines`: True for the four built-in
    ones, and those of intermittent demand where most series are counts with many zeros;
    "classical" adds AutoETS, AutoTheta and AutoARIMA; or a list of your own, or False. A second
    model with the same name is called "name (2)".

    `refit`: "once" fits the model on the data before the first cutoff, "each" at every cutoff,
    "never" uses it as it is, with cutoffs after its training data; by default, a model that needs
    `fit` is fitted once. `fit_options`: further arguments of its `fit`, such as {"device": "cuda"}.
    `workers`: number of processes that fit, with one thread each (default: this process only).
    `folder`: where results are kept, so that an interrupted backtest continues. `progress`:
    function called with a `Progress` after each part. `truth`: a Panel of actual values, if those
    of the data were repaired. `added`: whether to measure the benefit of future columns. `words`:
    keyword arguments of `lstmcast.read`: time, target, series, ….

    Returns a `Backtest`, which is empty with a `reason` if nothing can be held out. Raises
    UsageError for invalid arguments, and ModelError if a model gives no finite numbers or the
    folder holds something else; errors of `fit` name their cutoff.

    >>> from lstmcast.evaluation.baselines import SeasonalNaive
    >>> panel = Panel.from_arrays({"a": np.tile([1.0, 5.0, 9.0, 5.0], 8)}, periods=(4,))
    >>> backtest(SeasonalNaive(), panel, horizon=4).scores["naive"]["mae"]
    2.0
    """
    # imported here, as a Panel does not need the modules of reading
    from lstmcast.data.read import as_panel

    steps = checked_horizon(horizon, _own_horizon(model))
    require_known_baselines(baselines)
    panel = as_panel(data, getattr(model, "past", ()), words)
    models = models_by_name(_to_fit(model), baselines, panel)
    truth = checked_truth(panel, truth)
    counts, notes = cutoff_counts(panel, steps, cutoffs, step)
    if not counts.any():
        return _empty(next(iter(models)), panel, steps, counts)
    options = fit_options or {}
    modes = _modes(model, models, refit, options)
    # Every origin is forecast, so that the result is rectangular; origins that do not count are
    # not compared. Models forecast all steps of the grid, and those that occur are kept.
    origins = origins_of(panel, np.where(counts > 0, counts, panel.lengths[:, None]))
    grid = Grid(origins, *on_grid(panel, origins, steps))
    plan = Plan(grid.panel, counts, grid.steps, models, modes, options)
    require_unseen(plan)
    forecasts = forecasts_of(plan, workers, folder, progress)
    tested = _compared(model, plan, grid, forecasts, truth, added)
    return replace(tested, horizon=steps, notes=(*notes, *tested.notes))


def _own_horizon(model: Any) -> int | None:
    """The horizon of a forecaster, if it has one; UsageError for data or a name in its place."""
    if not hasattr(model, "predict") or isinstance(model, type):
        raise UsageError(
            f"model={brief(model)} is not a forecaster. Give one first and then the data, such as "
            "backtest(LSTMForecaster(horizon=12), panel)."
        )
    return getattr(model, "horizon", None)


def _compared(
    model: Any,
    plan: Plan,
    grid: Grid,
    forecasts: dict[str, Forecast],
    truth: Panel,
    added: bool,
) -> Backtest:
    """Compare the forecasts of a plan with the actual values."""
    name = plan.tested
    base = None
    if _reconciles(model):
        base = grid.occurring(forecasts[name])
        forecasts[name] = model.reconciled(grid.panel, forecasts[name])
    actual, notes = actual_values(truth, grid.origins, plan.counts.ravel(), grid.steps)
    if grid.rows is not None:
        actual = np.take_along_axis(actual, grid.rows, axis=1)
    forecasts = {
        label: grid.occurring(forecast) for label, forecast in forecasts.items()
    }
    for label, forecast in forecasts.items():
        require_answers(label, forecast, actual)
    scales = naive_scales(grid.panel, grid.origins)
    gain = Added()
    if added and plan.modes[name] == "never":
        gain = gain_of(model, plan, forecasts[name], actual, scales, grid.rows)
    return Backtest(
        model=name,
        forecasts=forecasts,
        actual=actual,
        last=last_known(grid.panel, grid.origins),
        scales=scales,
        counts=plan.counts,
        ids=grid.panel.ids,
        horizon=grid.steps,
        period=int(grid.panel.periods[0]),
        notes=(*notes, *plan.notes()),
        refit=plan.modes[name],
        added=gain,
        base=base,
    )


def _reconciles(model: Any) -> bool:
    return getattr(model, "reconciled", None) is not None


def _to_fit(model: Any) -> Any:
    """The model to fit and to forecast with: the base of a reconciling model."""
    return model.base if _reconciles(model) else model


def _to_fit_first(name: str) -> UsageError:
    return UsageError(
        f"{name} would be fitted for this backtest, but reconciliation measures the errors of a "
        "fitted model. Fit it first on the data before the first cutoff, and leave out refit."
    )


def _empty(name: str, panel: Panel, horizon: int, counts: np.ndarray) -> Backtest:
    longest = int(panel.lengths.max(initial=0))
    reason = (
        f"the longest series has {counted(longest, 'value')}, too few to hold out "
        f"{horizon} after {FEWEST_KNOWN[-1]} known ones. Use a shorter horizon."
    )
    empty = np.empty(0)
    return Backtest(
        model=name,
        forecasts={},
        actual=np.empty((0, horizon)),
        last=empty,
        scales=Scales(empty, empty),
        counts=counts,
        ids=panel.ids,
        horizon=horizon,
        period=int(panel.periods[0]),
        reason=reason,
    )
