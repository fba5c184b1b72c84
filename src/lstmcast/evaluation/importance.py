"""Permutation importance of columns and of parts of the past.

The values that a forecast reads are permuted (`permuting`). Importance is the growth of the error
at held-out cutoffs (Breiman, "Random forests", 2001, section 10). The network is not trained again:
it is the importance for this network.

    S series · K cutoffs · O origins · H horizon
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.words import Words as ReadWords
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.backtest import spaced_cutoffs
from lstmcast.evaluation.metrics import naive_scales
from lstmcast.evaluation.permuting import Change, Role, changes, unchanged
from lstmcast.evaluation.scores import Scored, errors_of
from lstmcast.forecast import Forecast
from lstmcast.updating import remembering
from lstmcast.util.config import checked_seed, is_whole
from lstmcast.util.language import words_of
from lstmcast.util.lines import aligned
from lstmcast.util.text import counted, number
from lstmcast.writing.tables import frame_of, write_table

# smallest number of values before a cutoff, for series that were not trained on
FEWEST_KNOWN = 8
MOST_SERIES = 100  # largest number of series used
BOUNDS = (0.05, 0.95)  # quantiles of the repeats that bound the interval
Progress = Callable[[str], object]


@dataclass(frozen=True)
class Permuted:
    """A permuted part: the mean error, its growth in percent, and the bounds that contain nine in
    ten of the repeats."""

    name: str
    role: Role
    error: float
    growth: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Importance:
    """How much a forecast depends on columns and lags, largest first.

    `measure`: error measure, MASE, or MAE for one series · `error`: error without permutation ·
    `cutoffs`, `series`, `repeats`: their numbers.
    """

    parts: tuple[Permuted, ...]
    measure: str
    error: float
    cutoffs: int
    series: int
    repeats: int

    def __repr__(self) -> str:
        """What was measured; `print` shows the table."""
        parts = counted(len(self.parts), "part")
        cutoffs = counted(self.cutoffs, "cutoff")
        error = f"{self.measure} {number(self.error)}"
        return f"Importance({parts}, {error}, {cutoffs}, {self.series:,} series)"

    def columns_dict(self) -> dict[str, NDArray]:
        """The parts as a dict of columns."""
        columns = {}
        for name in ("name", "role"):
            texts = [getattr(permuted, name) for permuted in self.parts]
            columns[name] = np.array(texts, object)
        for name in ("error", "growth", "lower", "upper"):
            numbers = [getattr(permuted, name) for permuted in self.parts]
            columns[name] = np.array(numbers, float)
        return columns

    def frame(self, kind: str | None = None) -> Any:
        """The parts as "arrays" (a dict) or as a "pandas", "polars" or "pyarrow" frame."""
        return frame_of(self.columns_dict(), kind)

    def write(self, path: Any) -> Any:
        """Write the table, as `Forecast.write` does."""
        return write_table(self.columns_dict(), path)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = "en") -> str:
        """The result as a sentence and a table."""
        words = words_of(language)
        cutoffs = counted(self.cutoffs, "held-out cutoff")
        about = (
            f"{self.measure} {number(self.error)} at {cutoffs} of {self.series} series, "
            f"{self.repeats} repeats of each permutation."
        )
        header = [
            words("permuted"),
            words("role"),
            self.measure,
            words("error grows by"),
            words("9 of 10 repeats"),
        ]
        rows = []
        for permuted in self.parts:
            row = [
                words(permuted.name),
                words(permuted.role),
                number(permuted.error),
                f"{permuted.growth:.1f}%",
                f"{permuted.lower:.1f} … {permuted.upper:.1f}%",
            ]
            rows.append(row)
        table = aligned(header, rows, left_aligned=header[:2])
        return f"{words(about)}\n\n{table}"


def importance(
    model: Any,
    data: Any,
    *,
    horizon: int | None = None,
    cutoffs: int = 3,
    repeats: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
    **words: Unpack[ReadWords],
) -> Importance:
    """Measure how much the error grows when a column or a part of the past is permuted.

    Args:
        model: A fitted or loaded forecaster, or anything that can be backtested.
        data: A Panel or anything that `lstmcast.read` reads, with values after those that the model
            was trained on. Of more than 100 series, a random 100 are used.
        horizon: Number of steps to forecast. Defaults to the model's.
        cutoffs: Number of held-out cutoffs, as far as there are values not used in training.
        repeats: Number of permutations of each.
        seed: Random seed of the permutations.
        progress: Function called with a sentence for each permuted part.
        words: Keyword arguments of `lstmcast.read`.

    Raises:
        UsageError: Arguments are invalid, or the model was trained on all of the data.
        DataError: The series are too short.

    >>> from lstmcast.evaluation.baselines import SeasonalNaive
    >>> wave = np.tile([1.0, 5.0, 9.0, 5.0], 9) + np.sin(np.arange(36))
    >>> panel = Panel.from_arrays({"a": wave}, periods=(4,))
    >>> found = importance(SeasonalNaive(), panel, horizon=4)
    >>> [part.name for part in found.parts if part.growth == 0]
    ['steps 5 to 16', 'steps 17 and older']
    """
    from lstmcast.data.read import as_panel

    steps = checked_horizon(horizon, getattr(model, "horizon", None))
    for name, count in (("cutoffs", cutoffs), ("repeats", repeats)):
        if not is_whole(count, 1):
            raise UsageError(
                f"{name} must be a whole number of at least 1, got {count!r}."
            )
    seed = checked_seed(seed)
    panel = as_panel(data, getattr(model, "past", ()), words)
    panel = _as_used(model, _some_of(panel, seed))
    counts = held_out(model, panel, steps, cutoffs)
    judge = _Judge(_forgetful(model), panel, counts, steps)
    permuted = changes(judge.model, panel, steps)
    return _measured(judge, permuted, repeats, seed, progress)


def _measured(
    judge: _Judge,
    permuted: Mapping[tuple[str, Role], Change],
    repeats: int,
    seed: int,
    progress: Progress | None,
) -> Importance:
    """Permute each part repeatedly."""
    measure, error = judge.error(unchanged, seed)
    measured = []
    for (name, role), change in permuted.items():
        if progress is not None:
            progress(f"{role}, {name}: permuted {repeats} times …")
        errors = []
        for repeat in range(repeats):
            _, larger = judge.error(change, seed + repeat)
            errors.append(larger)
        measured.append(_permuted(name, role, np.array(errors), error))
    measured.sort(key=attrgetter("growth"), reverse=True)
    is_used = judge.counts > 0
    return Importance(
        parts=tuple(measured),
        measure=measure,
        error=error,
        cutoffs=int(is_used.any(axis=0).sum()),
        series=int(is_used.any(axis=1).sum()),
        repeats=repeats,
    )


def _permuted(name: str, role: Role, errors: NDArray, unpermuted: float) -> Permuted:
    """The result for a part from its repeats."""
    growth = np.zeros(len(errors))
    if unpermuted > 0:
        growth = 100 * (errors / unpermuted - 1)
    lower, upper = np.quantile(growth, BOUNDS)
    return Permuted(
        name=name,
        role=role,
        error=float(errors.mean()),
        growth=float(growth.mean()),
        lower=float(lower),
        upper=float(upper),
    )


def _some_of(panel: Panel, seed: int) -> Panel:
    """The panel, or a random subset of its series if there are many."""
    if len(panel) <= MOST_SERIES:
        return panel
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(panel), MOST_SERIES, replace=False)
    return panel.select(panel.ids[np.sort(rows)])


def _as_used(model: Any, panel: Panel) -> Panel:
    """The panel with the share of the effects of columns that a trained model uses."""
    future = panel.covariates.future
    share = getattr(getattr(model, "model", None), "known_share", future.share)
    if share == future.share:
        return panel
    covariates = replace(panel.covariates, future=replace(future, share=share))
    return replace(panel, covariates=covariates)


def _forgetful(model: Any) -> Any:
    """The model without saved data: the given data are complete, and permuted."""
    if getattr(model, "saved_context", None) is None:
        return model
    return remembering(model, None)


# ---------------------------------------------------------------- cutoffs and errors


def held_out(model: Any, panel: Panel, horizon: int, cutoffs: int) -> NDArray:
    """Cutoffs (S, K) after the training data of the model; 0 if a series has none.

    Raises:
        UsageError: It was trained on all of the data.
        DataError: The series are too short.
    """
    lengths = np.asarray(panel.lengths)
    trained_S = _trained_until(model, panel)
    fewest = max(2 * int(panel.periods[0]), FEWEST_KNOWN)
    first_S = np.where(trained_S > 0, trained_S, fewest)
    room_S = lengths - first_S
    counts = spaced_cutoffs(room_S, horizon, cutoffs, minimum=0) + first_S[:, None]
    counts = np.where(counts < lengths[:, None], counts, 0)
    # without room for several cutoffs, they would coincide with the first
    again = counts[:, :-1] == counts[:, 1:]
    counts[:, :-1][again] = 0
    if counts.any():
        return counts
    partly = (trained_S > 0) & (room_S > 0)  # less than a horizon was held back
    if partly.any():
        return np.where(partly, trained_S, 0)[:, None]
    if trained_S.any():
        raise UsageError(
            "The model was trained on all of these data, so nothing is held out. Add newer data, "
            "or train it without the last part."
        )
    raise DataError(
        f"{panel.report.source}: the longest series has {int(lengths.max(initial=0))} values, too "
        f"few to hold out {horizon} after {fewest} known ones."
    )


def _trained_until(model: Any, panel: Panel) -> NDArray:
    """The number of values of each series (S,) that a model was trained on."""
    ends: Mapping[str, Any] = getattr(model, "trained_ends", None) or {}
    trained_S = np.zeros(len(panel), np.int64)
    for row, name in enumerate(panel.ids):
        end = ends.get(str(name))
        if end is not None:
            start = panel.starts[row]
            place = panel.frequency.position([end], start)
            trained_S[row] = place[0] + 1
    return np.maximum(trained_S, 0)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Computes the error of a model at cutoffs, given as counts (S, K)."""

    model: Any
    panel: Panel
    counts: NDArray
    horizon: int

    def error(self, change: Change, seed: int) -> tuple[str, float]:
        """The name and the value of the error after a change of the inputs."""
        rng = np.random.default_rng(seed)
        shape = (*self.counts.shape, self.horizon)
        point_SKH = np.full(shape, np.nan)
        for column, (rows, past) in enumerate(self._pasts):
            forecast = self.model.predict(change(past, rng), self.horizon)
            point_SKH[rows, column] = forecast.point
        return self._judged(point_SKH)

    @cached_property
    def _pasts(self) -> list[tuple[NDArray, Panel]]:
        """The series that each cutoff has, and what is known of them there. They are kept, as are
        the effects of columns that are estimated from each of them."""
        pasts = []
        for count_S in self.counts.T:
            rows = np.flatnonzero(count_S)
            pasts.append((rows, self.panel.part(rows, 0, count_S[rows])))
        return pasts

    def _judged(self, point_SKH: NDArray) -> tuple[str, float]:
        lengths = self.panel.lengths[:, None]
        cutoffs = np.where(self.counts > 0, self.counts, lengths)
        origins = origins_of(self.panel, cutoffs)
        point_OH = point_SKH.reshape(-1, self.horizon)
        forecast = Forecast.at_origins(self.panel, origins, point_OH)
        actual_OH = self._actual()
        actual_OH[~np.isfinite(point_OH)] = np.nan
        scales = naive_scales(self.panel, origins)
        measure, errors = errors_of(Scored({"model": forecast}, actual_OH, scales))
        return measure, float(errors["model"])

    def _actual(self) -> NDArray:
        """Actual values after each cutoff (O, H), NaN if unknown."""
        count_SK1 = self.counts[:, :, None]
        steps = count_SK1 + np.arange(self.horizon)
        lengths = self.panel.lengths[:, None, None]
        has_value = (count_SK1 > 0) & (steps < lengths)
        begins = self.panel.offsets[:-1, None, None]
        places = begins + np.where(has_value, steps, 0)
        actual = np.where(has_value, self.panel.values[places], np.nan)
        return actual.reshape(-1, self.horizon)
