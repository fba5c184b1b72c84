"""Static columns, which a network reads at every step beside its inputs.

Numbers are standardised over the series of the training; categories are embedded. A category that
was not seen in training is read as the mean of the others. The series itself can be a category.

Inputs carry one code per column: the standardised number, or the index of the category (−1 if
unknown). The network looks up the embeddings.

    S series · B rows of a batch · T steps · P static columns · C channels
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from lstmcast.advice import advise
from lstmcast.data.features import Covariates, listed
from lstmcast.errors import DataError, UsageError
from lstmcast.util.text import brief

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.model.network import NetworkConfig

ALL, EACH = "*", "each series"  # special names that are not columns
MOST_UNITS = 8
UNKNOWN = -1.0


@dataclass(frozen=True)
class StaticColumn:
    """A static column with its fitted parameters: names of categories, or mean and scale.

    `units`: embedding size of a category; 0 for numeric columns, and before training.

    >>> StaticColumn("group", ("cold", "dry"), units=2).channels
    2
    """

    name: str
    levels: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    units: int = 0

    @property
    def channels(self) -> int:
        """Number of channels that the network reads."""
        return self.units or 1

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"levels": list(self.levels)}


_FIELDS = {column_field.name for column_field in fields(StaticColumn)}


def static_of(columns_or_names: Any) -> tuple[StaticColumn, ...]:
    """Columns from names as people and files write them: "*" stands for all static columns of the
    data, "each series" for an embedding of each series. UsageError for anything else.

    >>> [column.name for column in static_of("group")]
    ['group']
    """
    entries = (
        [columns_or_names]
        if isinstance(columns_or_names, (str, StaticColumn))
        else columns_or_names
    )
    if not isinstance(entries, Iterable):
        raise UsageError(
            f"static={brief(columns_or_names)} are not column names. Give a list, such as ['size']."
        )
    columns = []
    for entry in entries:
        if isinstance(entry, Mapping) and {"name"} <= set(entry) <= _FIELDS:
            entry = StaticColumn(**{**entry, "levels": tuple(entry.get("levels", ()))})
        elif isinstance(entry, str) and entry:
            entry = StaticColumn(entry)
        if not isinstance(entry, StaticColumn):
            raise UsageError(
                f"static: {entry!r} is not a name of a column, such as 'size'."
            )
        columns.append(entry)
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise UsageError(f"static={names}: a column is named twice. Name each once.")
    return tuple(columns)


if TYPE_CHECKING:
    StaticColumns = tuple[StaticColumn, ...]
else:
    StaticColumns = Annotated[Any, BeforeValidator(static_of)]


def learned(columns: Sequence[StaticColumn], panel: Panel) -> tuple[StaticColumn, ...]:
    """Fit the columns to the series of a panel; DataError if one is missing."""
    static = panel.covariates.static
    if any(column.name == ALL for column in columns):
        if not static:
            raise DataError(
                f"{panel.report.source or 'The data'} have no static columns to read. Name them "
                "with --static, or give a table of them with --static-data."
            )
        listed_columns = [column for column in columns if column.name != ALL]
        names = {column.name for column in listed_columns}
        columns = [
            *(StaticColumn(name) for name in static if name not in names),
            *listed_columns,
        ]
    return tuple(_learned(column, panel) for column in columns)


def _learned(column: StaticColumn, panel: Panel) -> StaticColumn:
    if column.name == EACH:
        levels = tuple(map(str, panel.ids))
        return replace(column, levels=levels, units=_units(len(levels)))
    values_S = _values(column.name, panel.covariates, panel.report.source)
    levels = panel.covariates.static_levels.get(column.name, ())
    if levels:
        return replace(column, levels=tuple(levels), units=_units(len(levels)))
    finite_values = values_S[np.isfinite(values_S)]
    mean = float(finite_values.mean()) if len(finite_values) else 0.0
    scale = float(finite_values.std()) if len(finite_values) else 0.0
    return replace(column, mean=mean, scale=scale or 1.0)


def _units(categories: int) -> int:
    """Embedding size for this number of categories."""
    return int(np.clip(np.ceil(np.sqrt(categories)), 1, MOST_UNITS))


def codes_of(
    columns: Sequence[StaticColumn], panel: Panel, rows: NDArray | None = None
) -> NDArray | None:
    """Codes (S, P) of some series of a panel, by default of all; None if there are no columns.

    Raises:
        DataError: A column is missing, or its type differs from the training data.
    """
    if not columns:
        return None
    rows = np.arange(len(panel)) if rows is None else rows
    codes = [_codes(column, panel)[rows] for column in columns]
    return np.stack(codes, axis=1).astype(np.float32)


def _codes(column: StaticColumn, panel: Panel) -> NDArray:
    places = {name: float(place) for place, name in enumerate(column.levels)}
    if column.name == EACH:
        return np.array([places.get(str(name), UNKNOWN) for name in panel.ids])
    source = panel.report.source
    values_S = _values(column.name, panel.covariates, source)
    levels = panel.covariates.static_levels.get(column.name, ())
    known_S = np.isfinite(values_S)
    if bool(levels) != bool(column.levels) and known_S.any():
        kind, trained_kind = "numbers", "categories"
        if levels:
            kind, trained_kind = trained_kind, kind
        raise DataError(
            f"the static column {column.name!r} of {source or 'the data'} holds {kind}, but the "
            f"model was trained with {trained_kind}. Use the same type."
        )
    if not column.levels:
        return np.nan_to_num((values_S - column.mean) / column.scale)
    place_L = np.array([places.get(name, UNKNOWN) for name in levels] or [UNKNOWN])
    code_S = np.where(known_S, values_S, 0).astype(int)
    return np.where(known_S, place_L[code_S], UNKNOWN)


def require_of_new(
    columns: Sequence[StaticColumn], panel: Panel, series_R: NDArray
) -> None:
    """Raise DataError if a static column is unknown for series that a saved model has not seen."""
    for column in columns:
        if column.name == EACH or not len(series_R):
            continue
        if np.isnan(panel.covariates.static[column.name][series_R]).all():
            raise DataError(
                f"the network reads the static column {column.name!r}, which the data lack for "
                f"the new series {str(panel.ids[series_R[0]])!r}. Name it "
                f"with {advise('static', column.name)}, or give a table that has it with "
                "--static-data."
            )


def _values(name: str, covariates: Covariates, source: str) -> NDArray:
    """The values (S,) of a column; DataError if it is missing."""
    if name in covariates.static:
        return np.asarray(covariates.static[name], float)
    have = (
        f"there are {listed(covariates.static)}"
        if covariates.static
        else "there are none"
    )
    raise DataError(
        f"the network reads the static column {name!r}, which {source or 'the data'} do not have "
        f"({have}). Name it with {advise('static', name)}, or give a table that has it "
        "with --static-data."
    )


def require_no_static(config: NetworkConfig, where: str) -> None:
    """Raise UsageError for a network with static columns, where there are none, as in a stream
    or a graph."""
    if config.static:
        names = listed(column.name for column in config.static)
        raise UsageError(
            f"The network reads static columns ({names}), which {where} does not have. Forecast "
            "with LSTMForecaster.predict, or use a network without them."
        )


def beside(x_BTC: NDArray, codes_BP: NDArray | None) -> NDArray:
    """Inputs of T steps with the codes of their rows appended."""
    if codes_BP is None:
        return x_BTC
    rows, steps = x_BTC.shape[:2]
    codes_BTP = np.broadcast_to(codes_BP[:, None], (rows, steps, codes_BP.shape[1]))
    return np.concatenate([x_BTC, codes_BTP.astype(x_BTC.dtype)], axis=2)


def embedded(
    inputs: NDArray, columns: Sequence[StaticColumn], arrays: Mapping[str, NDArray]
) -> NDArray:
    """Inputs and codes (…, C + P) for the first layer: codes replaced by embeddings (…, C +
    units)."""
    if not columns:
        return inputs
    width = inputs.shape[-1] - len(columns)
    channels = [inputs[..., :width]]
    for number, column in enumerate(columns):
        code = inputs[..., width + number]
        if not column.units:
            channels.append(code[..., None])
            continue
        table = arrays[table_name(number)]
        place = code.astype(np.int64)
        category = table[np.maximum(place, 0)]
        channels.append(np.where(place[..., None] < 0, table.mean(axis=0), category))
    return np.concatenate(channels, axis=-1)


def table_name(column: int) -> str:
    """The array name of a column's embedding within a member."""
    return f"static.{column}.weight"
