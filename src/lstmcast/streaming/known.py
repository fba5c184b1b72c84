"""Future columns of a stream: their effects are removed from values and added back to
predictions.

Rows keep their history: effects are estimated again when it has grown by a quarter or a third,
as in `predict`. Predictions therefore equal those of `predict` with the network after the same
history.

R some rows · C columns · N steps with cells · H horizon · K columns of a row · X quantiles
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import Ahead, without_known
from lstmcast.covariates.live import Common, LiveEffects
from lstmcast.data.cells.values import NO_CATEGORY
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import DataError, UsageError
from lstmcast.model.inputs import Grid
from lstmcast.model.network import Network
from lstmcast.streaming.coming import (
    Cell,
    Told,
    as_category,
    as_number,
    checked_future,
    is_text,
)
from lstmcast.streaming.opening import known_share_of


class KnownColumns:
    """The future columns of each row, and their effects.

    Args:
        common: properties shared by all rows.
        open_: columns without values so far, which may become numeric or categorical.
    """

    def __init__(self, common: Common, open_: Iterable[int] = ()) -> None:
        self.common, self._open = common, set(open_)
        self._rows: dict[Any, LiveEffects] = {}

    @classmethod
    def named(
        cls, names: Sequence[str], frequency: Frequency, grid: Grid, share: float = 1.0
    ) -> KnownColumns:
        """Future columns of rows without history; `share`: the share of their effects to use."""
        columns = [names] if isinstance(names, str) else list(map(str, names))
        if len(set(columns)) < len(columns):
            raise UsageError(f"future={columns!r} names a column twice.")
        common = Common(
            tuple(columns), frequency, grid.periods, grid.roots, share=share
        )
        return cls(common, range(len(columns)))

    @classmethod
    def of(
        cls, panel: Panel, grid: Grid, share: float = 1.0
    ) -> tuple[KnownColumns, Panel]:
        """Future columns of the series of a panel, and the panel without their effects."""
        future = panel.covariates.future
        adjusted_N = np.array(panel.values)
        levels = [future.levels.get(name, ()) for name in future.columns]
        names = tuple(future.columns)
        common = Common(names, panel.frequency, grid.periods, grid.roots, levels, share)
        columns = cls(common)
        for series, name in enumerate(panel.ids.tolist()):
            values_of_row = slice(*panel.offsets[series : series + 2])
            steps_of_row = slice(*future.offsets[series : series + 2])
            own_columns = [column[steps_of_row] for column in future.columns.values()]
            row = LiveEffects(columns.common, panel.starts[series])
            value_T = panel.values[values_of_row]
            adjusted_N[values_of_row] = row.begin(value_T, np.stack(own_columns))
            columns._rows[name] = row
        return columns, replace(without_known(panel), values=adjusted_N)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.common.names

    # ---- rows

    def join(self, ids: Iterable[Any], starts: Mapping[Any, Any] | None = None) -> None:
        """Add rows without history; `starts`: times of their first ticks, by id."""
        for name in ids:
            start = self._time((starts or {}).get(name))
            self._rows[name] = LiveEffects(self.common, start)

    def leave(self, ids: Iterable[Any]) -> None:
        """Remove these rows."""
        for name in ids:
            self._rows.pop(name)

    def reset(
        self, ids: Iterable[Any], starts: Mapping[Any, Any] | None = None
    ) -> None:
        """Reset these rows; known values at steps after a new start are kept."""
        for name in ids:
            start = self._time((starts or {}).get(name))
            self._rows[name] = self._rows[name].anew(start)

    def _time(self, start: Any) -> Any:
        if start is None:
            return None
        if self.common.frequency.unit == "integer":
            return int(start)
        return np.datetime64(start, "us")

    # ---- a tick

    def checked(self, future: Any, ids: NDArray) -> Told:
        """The checked cells of a tick of these rows; raises UsageError and DataError without
        changes."""
        cells_CR = checked_future(future, self.names, ids)
        for column, (name, rows) in enumerate(zip(self.names, cells_CR, strict=True)):
            if not self._is_text(column, rows):
                self._require_numbers(name, rows, ids)
        return cells_CR

    def require(
        self,
        ids: NDArray,
        steps_RH: NDArray,
        cells_CR: Told | None = None,
        is_asked_R: NDArray | None = None,
    ) -> None:
        """Raise DataError if a column is unknown at any of the steps (R, H) of a row, including the
        cells of a tick (`cells_CR`). `is_asked_R`: the rows to check, by default all."""
        for place, (name, steps_H) in enumerate(
            zip(ids.tolist(), steps_RH, strict=True)
        ):
            if is_asked_R is not None and not is_asked_R[place]:
                continue
            counts_C = [0] * len(self.names)
            if cells_CR is not None:
                counts_C = [len(rows[place]) for rows in cells_CR]
            lacking = self._rows[name].lacking(steps_H, counts_C)
            if lacking is None:
                continue
            column, step = lacking
            ahead = int(np.searchsorted(steps_H, step))
            where = f"step {ahead + 1} of the {len(steps_H)} that are to be forecast"
            if cells_CR is not None:
                where = _tick_name(ahead)
            raise DataError(self._unknown(name, column, step, where))

    def tell(
        self, ids: NDArray, steps_RN: NDArray, cells_CR: Told, answers_RHKX: NDArray
    ) -> NDArray:
        """Store the checked cells of a tick for the steps (R, N) of each row; return the
        predictions for the first of them, including effects."""
        coded = [self._coded(column, rows) for column, rows in enumerate(cells_CR)]
        for place, name in enumerate(ids.tolist()):
            self._rows[name].columns.tell(
                steps_RN[place], [rows[place] for rows in coded]
            )
        return self.shown(ids, steps_RN[:, :1], answers_RHKX)

    def observe(self, ids: NDArray, steps_R: NDArray, values_R: NDArray) -> NDArray:
        """Read the values of these steps of rows, and missing values at skipped steps; return the
        values without effects (R,)."""
        value_R = []
        for name, step, value in zip(ids.tolist(), steps_R, values_R, strict=True):
            row = self._rows[name]
            while row.count < step:
                row.observe(np.nan)
            value_R.append(row.observe(float(value)))
        return np.array(value_R, float)

    def shown(self, ids: NDArray, steps_RH: NDArray, answers_RHKX: NDArray) -> NDArray:
        """Predictions for some steps of each row (R, H) including effects; 0 at closed times."""
        if not len(ids):
            return answers_RHKX
        steps_by_row = zip(ids.tolist(), steps_RH, strict=True)
        effects = [self._rows[name].ahead(steps_H) for name, steps_H in steps_by_row]
        arrays = [
            np.concatenate(row_arrays) for row_arrays in zip(*effects, strict=True)
        ]
        ahead = Ahead(*arrays)
        return ahead.shut(ahead.restored(answers_RHKX))

    def _is_text(self, column: int, rows: list[list[Cell]]) -> bool:
        """Whether a column is categorical, or becomes so with these cells."""
        if self.common.levels[column]:
            return True
        if column not in self._open:
            return False
        return any(is_text(cell) for cells in rows for cell in cells)

    def _require_numbers(self, name: str, rows: list[list[Cell]], ids: NDArray) -> None:
        for row, cells in zip(ids.tolist(), rows, strict=True):
            text_steps = [step for step, cell in enumerate(cells) if is_text(cell)]
            if text_steps:
                step = text_steps[0]
                raise DataError(
                    f"Row {row!r}: column {name!r} is {cells[step]!r} at {_tick_name(step)}, but "
                    "a number is expected."
                )

    def _coded(self, column: int, rows: list[list[Cell]]) -> list[NDArray]:
        """The cells of a column by row, as numbers; new categories get the next codes."""
        if not self._is_text(column, rows):
            numbers = [
                np.array([as_number(cell) for cell in cells], float) for cells in rows
            ]
            if any(np.isfinite(number_N).any() for number_N in numbers):
                self._open.discard(column)
            return numbers
        self._open.discard(column)
        levels = self.common.levels[column]
        default = NO_CATEGORY if NO_CATEGORY in levels else None
        codes = []
        for cells in rows:
            texts = [as_category(cell) or default for cell in cells]
            levels = tuple(dict.fromkeys([*levels, *filter(None, texts)]))
            places = {text: float(place) for place, text in enumerate(levels)}
            code_N = [places.get(text or "", np.nan) for text in texts]
            codes.append(np.array(code_N, float))
        self.common.levels[column] = levels
        return codes

    def _unknown(self, row: Any, column: str, step: int, where: str) -> str:
        """The message that a column of a row is unknown at a step."""
        start = self._rows[row].start
        frequency = self.common.frequency
        if start is not None:
            where += f", {format_time(frequency.advance(start, np.array([step]))[0])}"
        return (
            f"Row {row!r}: column {column!r} is not known at {where}. Give its values with the "
            f"tick, current and coming ones: future={{{column!r}: [[1, 0, …]]}}, in lines of text "
            "[1, 0, …] or 1|0|…. Use NaN for unknown values."
        )

    # ---- saving

    def described(self) -> dict[str, Any]:
        """The manifest entries; the rest is in the arrays."""
        return {
            "names": list(self.names),
            "levels": [list(texts) for texts in self.common.levels],
            "frequency": self.common.frequency.code,
            "open": sorted(self._open),
            "share": self.common.share,
            "rows": [row.described() for row in self._rows.values()],
        }

    def arrays(self) -> dict[str, NDArray]:
        """The arrays of all rows, concatenated, and their lengths."""
        arrays_by_row = [row.arrays() for row in self._rows.values()]
        all_arrays: dict[str, NDArray] = {}
        names = list(arrays_by_row[0]) if arrays_by_row else []
        for name in names:
            row_arrays = [arrays[name] for arrays in arrays_by_row]
            lengths = [array.shape[-1] for array in row_arrays]
            all_arrays[name] = np.concatenate(row_arrays, axis=-1)
            all_arrays[f"{name} lengths"] = np.array(lengths, np.int64)
        return all_arrays

    @classmethod
    def from_saved(
        cls,
        manifest: Mapping[str, Any],
        arrays: Mapping[str, NDArray],
        grid: Grid,
        ids: Sequence[Any],
    ) -> KnownColumns:
        """Rebuild from `described` and `arrays`; KeyError or ValueError if they are invalid."""
        levels = [tuple(texts) for texts in manifest["levels"]]
        frequency = parse_frequency(manifest["frequency"])
        names = tuple(manifest["names"])
        share = float(manifest.get("share", 1.0))
        common = Common(names, frequency, grid.periods, grid.roots, levels, share)
        columns = cls(common, manifest["open"])
        bounds = {
            name.removesuffix(" lengths"): offsets_of(array)
            for name, array in arrays.items()
            if name.endswith(" lengths")
        }
        for place, (name, about) in enumerate(zip(ids, manifest["rows"], strict=True)):
            row_arrays = {}
            for array_name, offsets in bounds.items():
                steps_of_row = slice(offsets[place], offsets[place + 1])
                row_arrays[array_name] = arrays[array_name][..., steps_of_row]
            columns._rows[name] = LiveEffects.from_saved(common, about, row_arrays)
        return columns


def _tick_name(ahead: int) -> str:
    return f"coming tick {ahead}" if ahead else "this tick"


def known_columns(
    panel: Panel | None,
    names: Sequence[str],
    frequency: Frequency,
    grid: Grid,
    network: Network,
    start: Any,
) -> tuple[KnownColumns | None, Panel | None]:
    """The future columns of the rows of a network, and the panel without the effects that a
    forecaster uses; None if there are none. UsageError if the network cannot read them."""
    columns = network.config.inputs.columns
    future = panel is not None and bool(panel.covariates.future)
    if panel is not None and len(names):
        raise UsageError(
            "future= is for rows without history, but a Panel has its own columns, from read(…, "
            "future=…). Leave out future=."
        )
    if (future or len(names)) and columns > 1:
        raise UsageError(
            f"The network reads {columns} columns of a row together, but columns that are known "
            "in advance need rows of one column. Leave them out, or use a network that reads one "
            "column."
        )
    if (future or len(names)) and not network.head.affine:
        raise UsageError(
            f"The network answers counts or amounts (head={network.head.name!r}), and a stream "
            "cannot use columns that are known in advance with it: they multiply its mean, but a "
            "stream forecasts before a tick brings their values. Leave them out, or use "
            "predict(data) after each tick."
        )
    if panel is not None and future:
        return KnownColumns.of(panel, grid, known_share_of(start))
    if not len(names):
        return None, panel
    return KnownColumns.named(names, frequency, grid, known_share_of(start)), panel
