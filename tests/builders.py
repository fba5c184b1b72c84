"""What many tests are made from: networks of drawn weights, panels of waves, files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.panel import Panel, Table
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
MONTHS += ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def days(count: int, start: str = "2024-01-01") -> NDArray:
    """Days from this one on."""
    return np.datetime64(start, "us") + np.arange(count) * np.timedelta64(1, "D")


def sales_table(
    times: ArrayLike, values: Sequence[float], series: Any = None, **named: Any
) -> Table:
    """The table of a file of sales, whose first line is a header."""
    codes, ids = np.zeros(len(values), dtype=int), ["y"]
    if series is not None:
        codes, ids = pd.factorize(np.array(series, object))
    times = np.array(times)
    is_date = times.dtype.kind in "UM"
    return Table(
        codes.astype(np.int64),
        np.array(ids, dtype=object),
        times.astype("datetime64[us]" if is_date else np.int64),
        np.array(values, dtype=float),
        np.arange(2, len(values) + 2),
        **{"frame": "file", "source": "sales.csv", **named},
    )


def drawn_arrays(
    config: NetworkConfig, rng: np.random.Generator, size: float = 0.4
) -> dict[str, NDArray]:
    """One member's weights, drawn from a normal distribution of that size."""
    return {
        name: rng.normal(0, size, shape).astype(np.float32)
        for name, shape in array_shapes(config).items()
    }


def drawn_network(
    config: NetworkConfig, members: int = 1, seed: int = 0, size: float = 0.4
) -> Network:
    """A network whose members are drawn one after the other."""
    rng = np.random.default_rng(seed)
    return Network(config, [drawn_arrays(config, rng, size) for _ in range(members)])


def network_of_seeds(config: NetworkConfig, *seeds: int, size: float = 0.4) -> Network:
    """A network with a member for each seed, whatever the others are."""
    members = [
        drawn_arrays(config, np.random.default_rng(seed), size) for seed in seeds
    ]
    return Network(config, members)


def with_open_ends(values: Mapping[str, ArrayLike] | ArrayLike, **named: Any) -> Panel:
    """`Panel.from_arrays`, but values that are missing at the ends stay: as at the cutoffs of a
    backtest."""
    given = dict(values) if isinstance(values, Mapping) else {"y": values}
    arrays = {name: np.array(array, float) for name, array in given.items()}
    whole = {name: np.nan_to_num(array, nan=1.0) for name, array in arrays.items()}
    panel = Panel.from_arrays(whole, **named)
    return replace(panel, values=np.concatenate(list(arrays.values())))


def plain_config(**chosen: object) -> NetworkConfig:
    """A small network that reads transformed values and answers with points, one step ahead."""
    usual: dict[str, object] = {"inputs": Transformed(), "head": "point", "horizon": 1}
    return NetworkConfig(**usual | chosen)


def weeks(count: int, length: int) -> Panel:
    """Daily series with a week's season, each a day later than the one before."""
    rng, t = np.random.default_rng(0), np.arange(length)
    series = {
        f"s{k}": 20 + 5 * np.sin(2 * np.pi * (t + k) / 7) + rng.normal(0, 1, length)
        for k in range(count)
    }
    return Panel.from_arrays(series, frequency="D", start="2024-01-01")


def waves(
    series: int = 3,
    length: int = 60,
    missing: tuple[int, ...] = (),
    order: tuple[int, ...] | None = None,
) -> Panel:
    """Monthly series with a year's season at several levels, the same in whichever order."""
    rng, t = np.random.default_rng(0), np.arange(length)
    made = {
        f"s{i}": 50
        + 10 * i
        + 8 * np.sin(2 * np.pi * (t + i) / 12)
        + rng.normal(0, 1, length)
        for i in range(series)
    }
    for values in made.values():
        values[list(missing)] = np.nan
    names = list(made) if order is None else [f"s{i}" for i in order]
    return Panel.from_arrays(
        {name: made[name] for name in names}, frequency="MS", start="2015-01"
    )


FEATURES = tuple(f"f{k}" for k in range(8))


def market(products: int = 1, length: int = 160, lag: int = 1, seed: int = 0) -> Panel:
    """Values that follow the first of eight columns `lag` steps later, and nothing else."""
    rng = np.random.default_rng(seed)
    values: dict[str, NDArray] = {}
    past: dict[str, dict[str, NDArray]] = {name: {} for name in FEATURES}
    for k in range(products):
        for p, name in enumerate(FEATURES):
            past[name][f"p{k}"] = 50 * p + (1 + p) * rng.normal(size=length)
        moves = np.r_[np.zeros(lag), past["f0"][f"p{k}"][:-lag]]
        values[f"p{k}"] = 100 * (k + 1) + 5 * moves + 0.1 * rng.normal(size=length)
    return Panel.from_arrays(values, frequency="D", start="2023-01-01", past=past)


def saved_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """A workbook with sheets of these rows; the test is skipped without openpyxl."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def packed_files(path: Path, files: Mapping[str, str]) -> Path:
    """A ZIP archive with files of these texts."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return path


def csv_of(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as lines with commas."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
