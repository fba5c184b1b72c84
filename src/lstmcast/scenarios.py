"""Scenarios: forecasts of one history with different future values, compared.

Two scenarios share noise and level. Their difference is that of the effects, and as certain as
these.

    O series · H horizon
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import effects_of, moved
from lstmcast.data.features import Future
from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of, places, spread
from lstmcast.errors import UsageError
from lstmcast.forecast import Forecast
from lstmcast.util.lines import aligned
from lstmcast.util.text import number_format
from lstmcast.writing.result import ResultTable

SHOWN_ROWS = 24


@dataclass(frozen=True, eq=False)
class Scenarios(ResultTable):
    """Forecasts of scenarios by name, and the difference of each from the first."""

    forecasts: Mapping[str, Forecast]
    # (O, H, 3) for all but the first: difference, lower, upper
    differences: Mapping[str, NDArray]
    level: float  # level of the intervals in percent

    def columns_dict(self) -> dict[str, NDArray]:
        """The long table as columns: series and times, the forecast of each scenario, and
        differences.

        For each scenario but the first there are `difference`, `lower` and `upper`.
        """
        first = self._first
        is_wanted = first.wanted.ravel()
        columns = {}
        for name, column in first.columns_dict().items():
            columns[name] = column
            if name == "step":
                break
        for name, forecast in self.forecasts.items():
            columns[name] = forecast.point.ravel()[is_wanted]
        for name, difference_OH3 in self.differences.items():
            for place, label in enumerate(("difference", "lower", "upper")):
                values_OH = difference_OH3[:, :, place]
                columns[f"{label} of {name}"] = values_OH.ravel()[is_wanted]
        return columns

    @property
    def _first(self) -> Forecast:
        """The forecast with which the others are compared."""
        return next(iter(self.forecasts.values()))

    @property
    def data_kind(self) -> str:
        """The kind of the input, in which frames are returned."""
        return self._first.frame_kind

    def rows(self, most: int = SHOWN_ROWS) -> list[list[str]]:
        """Sums over the steps of each series as text, the header first."""
        first, *alternatives = self.forecasts
        header = [*self.forecasts, *(f"{name} less {first}" for name in alternatives)]
        ids = self._first.ids
        rows = [self._row(origin) for origin in range(len(ids[:most]))]
        if len(ids) > 1:
            header = ["series", *header]
            rows = [[str(name), *row] for name, row in zip(ids, rows, strict=False)]
        return [header, *rows]

    def _row(self, origin: int) -> list[str]:
        """The sums of one series, and their differences from the first scenario."""
        sums = [
            np.nansum(forecast.point[origin]) for forecast in self.forecasts.values()
        ]
        write = number_format(np.array(sums))
        cells = [write(total) for total in sums]
        for difference_OH3 in self.differences.values():
            middle, low, high = difference_OH3[origin].sum(axis=0)
            cells.append(f"{write(middle)} ({write(low)} … {write(high)})")
        return cells

    def __repr__(self) -> str:
        """The names and the sums over all steps."""
        header, *rows = self.rows()
        names = ", ".join(self.forecasts)
        sums = aligned(header, rows, left_aligned=header[:1])
        return f"Scenarios({names}), sums over all steps\n{sums}"


def compare_scenarios(
    model: Any,
    panels: Mapping[str, Panel],
    horizon: int | None = None,
    level: float = 80,
) -> Scenarios:
    """Forecast the same history under different future values of covariates, and compare.

    Args:
        model: a forecaster.
        panels: the panel of each scenario by name, such as those from `lstmcast.read(…,
            future_data=)`: the same series with different coming values. The first is the
            reference.
        horizon: number of steps. Defaults to the model's.
        level: level of the intervals of differences, in percent.

    Raises:
        UsageError: There are fewer than two scenarios, or their histories differ.

    >>> import lstmcast as lc
    >>> rng = np.random.default_rng(0)
    >>> sale = (rng.random(134) < 0.3) * 1.0
    >>> sold = 50 * np.exp(0.5 * sale[:120] + rng.normal(0, 0.05, 120))
    >>> plans = {"no sale": np.zeros(14), "sale": np.ones(14)}
    >>> panels = {name: Panel.from_arrays(sold, frequency="D", start="2024-01-01",
    ...     future={"sale": np.r_[sale[:120], plan]}) for name, plan in plans.items()}
    >>> found = compare_scenarios(lc.LSTMForecaster(horizon=14), panels)
    >>> ratio = found.forecasts["sale"].point / found.forecasts["no sale"].point
    >>> bool(1.5 < ratio.mean() < 1.8)  # the effect is exp(0.5), 1.65
    True
    """
    if len(panels) < 2:
        raise UsageError("One scenario cannot be compared. Give at least two.")
    (first, base), *alternatives = panels.items()
    for name, panel in alternatives:
        _require_same(first, base, name, panel)
    forecasts = {name: model.predict(panel, horizon) for name, panel in panels.items()}
    deviations = NormalDist().inv_cdf(0.5 + level / 200)
    differences = {}
    for name, panel in alternatives:
        differences[name] = _difference(
            base, panel, forecasts[first], forecasts[name], deviations
        )
    return Scenarios(forecasts, differences, level)


def with_plan(
    panel: Panel, plan: Mapping[str, Sequence[Any]], series: Iterable[str] | None = None
) -> Panel:
    """A panel with different coming values of future columns.

    Args:
        panel: A panel with future columns.
        plan: The values of the next steps by column: numbers, or existing categories; None leaves a
            value unchanged.
        series: Ids of the series to change. Defaults to all.

    Raises:
        UsageError: A column, series or category does not exist.

    >>> panel = Panel.from_arrays([5.0, 6.0, 7.0], future={"sale": [0, 1, 0, 1, 1]})
    >>> with_plan(panel, {"sale": [None, 0, 1]}).covariates.future.columns
    {'sale': array([0., 1., 0., 1., 0., 1.])}
    """
    future = panel.covariates.future
    for name in plan:
        if name not in future.columns:
            choices = ", ".join(map(repr, future.columns)) or "none"
            raise UsageError(
                f"There is no column {name!r} that is known in advance. There are: {choices}."
            )
    ids = [str(name) for name in panel.ids]
    chosen_ids = ids
    if series is not None:
        chosen_ids = [str(name) for name in series]
    if missing := [name for name in chosen_ids if name not in ids]:
        raise UsageError(f"There is no series {missing[0]!r} to plan for.")
    longest = max(map(len, plan.values()), default=0)
    longer = _with_room(future, panel.lengths + longest)
    columns = {name: values.copy() for name, values in longer.columns.items()}
    for name, values in plan.items():
        codes = _codes(name, values, longer.levels.get(name))
        is_planned = ~np.isnan(codes)
        for row in map(ids.index, chosen_ids):
            begin = longer.offsets[row] + panel.lengths[row]
            coming = columns[name][begin : begin + len(codes)]
            coming[is_planned] = codes[is_planned]
    covariates = replace(panel.covariates, future=replace(longer, columns=columns))
    return replace(panel, covariates=covariates)


def _with_room(future: Future, fewest: NDArray) -> Future:
    """The same with room for at least `steps` coming values per series (S,), NaN if unknown."""
    lengths = np.maximum(future.lengths, fewest)
    offsets = offsets_of(lengths)
    present = places(future.offsets) + spread(offsets[:-1], future.offsets)
    columns = {}
    for name, values in future.columns.items():
        columns[name] = np.full(offsets[-1], np.nan)
        columns[name][present] = values
    return replace(future, columns=columns, offsets=offsets)


def _codes(name: str, values: Sequence[Any], levels: tuple[str, ...] | None) -> NDArray:
    """The values of a plan as numbers, NaN where it leaves values unchanged."""
    return np.array([_code(name, value, levels) for value in values])


def _code(name: str, value: Any, levels: tuple[str, ...] | None) -> float:
    if value is None:
        return np.nan
    if levels is not None:
        if str(value) in levels:
            return float(levels.index(str(value)))
        categories = ", ".join(map(repr, levels))
        raise UsageError(
            f"{name}={str(value)[:80]!r} is not a category of the column. Use one of: {categories}."
        )
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(
            f"{name}={str(value)[:80]!r} is not a number, but the column holds numbers."
        )
    return number


def _require_same(first: str, base: Panel, name: str, panel: Panel) -> None:
    same_series = base.ids.tolist() == panel.ids.tolist()
    same_times = np.array_equal(base.offsets, panel.offsets) and np.array_equal(
        base.starts, panel.starts
    )
    same_values = np.array_equal(base.values, panel.values, equal_nan=True)
    if not (same_series and same_times and same_values):
        raise UsageError(
            f"the scenarios {first!r} and {name!r} have different series or past values. Only "
            "coming values may differ: give the same data with different coming values."
        )


def _difference(
    base: Panel, panel: Panel, first: Forecast, alternative: Forecast, deviations: float
) -> NDArray:
    """The difference of a forecast from the first, with its interval (O, H, 3)."""
    middle_OH = alternative.point - first.point
    difference_OH3 = np.repeat(middle_OH[:, :, None], 3, axis=2)
    base_effects = effects_of(base)
    effects = effects_of(panel)
    if base_effects is None or effects is None:
        return difference_OH3
    origins = origins_of(base)
    for origin, (series, count) in enumerate(
        zip(origins.series, origins.counts, strict=True)
    ):
        base_solution = base_effects.solution(int(series), int(count))
        solution = effects.solution(int(series), int(count))
        if (
            base_solution is None
            or solution is None
            or not base_solution.coefficients_P.any()
        ):
            continue
        steps = count + np.arange(middle_OH.shape[1])
        changed = solution.columns(steps) - base_solution.columns(steps)
        half_width_H = deviations * base_solution.uncertainty(changed)
        for place, sign in ((1, -1.0), (2, 1.0)):
            point_H = moved(
                alternative.point[origin], sign * half_width_H, base_solution.axis
            )
            bound_H = point_H - first.point[origin]
            is_finite = np.isfinite(bound_H)
            difference_OH3[origin, :, place] = np.where(
                is_finite, bound_H, middle_OH[origin]
            )
    return difference_OH3
