"""What the benchmarks share: where the data lie, scores, tables, and result files that say how they
were made.

O origins (series × cutoff) · H horizon
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from headers import WITHOUT_SHIPPED, header
from sets import DataSet

import lstmcast as lc
from lstmcast import decoding
from lstmcast.data.origins import Origins, checked_horizon, origins_of
from lstmcast.evaluation import metrics
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "evidence" / "results"
WEIGHTS = Path(lc.__file__).parent / "weights"
PACKAGES = ("numpy", "duckdb", "pydantic", "safetensors", "statsforecast", "torch")


class Uncalibrated:
    """The network's own quantiles, as it answers them: what calibration starts from."""

    name = "lstmcast, uncalibrated"

    def __init__(self, horizon: int, weights: str | Path = "pretrained") -> None:
        self.horizon = horizon
        network = lc.LSTMForecaster(horizon, weights=weights).network
        assert network is not None  # weights that are there
        self.network = network

    def predict(
        self,
        panel: lc.Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> lc.Forecast:
        """As `LSTMForecaster.predict`, without held-out cutoffs."""
        origins = origins_of(panel, cutoffs)
        quantiles = decoding.decode(
            decoding.Reader(self.network),
            panel,
            origins,
            checked_horizon(horizon, self.horizon),
        )
        return lc.Forecast.at_origins(
            panel, origins, quantiles[:, :, MEDIAN], quantiles, HEAD_QUANTILES
        )


def arguments(description: str) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    first_line = description.strip().splitlines()[0]
    parser = argparse.ArgumentParser(
        description=first_line, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with the data sets (default: ../shared/data)",
    )
    parser.add_argument(
        "--dry", action="store_true", help="print only: leave the result file as it is"
    )
    return parser


def data_folder(given: Path | None) -> Path:
    """The folder with the data sets; the benchmark ends with a message where there is none."""
    folder = given or HERE.parent.parent / "shared" / "data"
    if not (folder / "m3.parquet").exists():
        sys.exit(
            f"{folder} holds no data sets (m3.parquet is looked for). They are no part of the "
            "project, for their licences: benchmarks/README.md lists them and where they come "
            "from. Name their folder with --data DIR."
        )
    return folder


def scores(
    dataset: DataSet, actual: np.ndarray, forecast: lc.Forecast
) -> dict[str, float]:
    """The mean over all origins and steps of each error; CRPS and coverage where the forecast has
    quantiles.

    MASE and the scaled CRPS divide by the in-sample error of the seasonal naive forecast with the
    set's own period.
    """
    scale = scale_of(dataset)
    row = {
        "smape": metrics.smape(actual, forecast.point),
        "mase": metrics.mase(actual, forecast.point, scale),
        "mape": metrics.mape(actual, forecast.point),
        "rmse": metrics.rmse(actual, forecast.point),
        "mae": metrics.mae(actual, forecast.point),
    }
    if forecast.quantile_levels:
        known = np.where(np.isnan(scale), np.nan, 1.0)[:, None] * actual
        unit = np.where(np.isnan(scale), 1.0, scale)[:, None]
        row["scaled_crps"] = metrics.crps(
            known / unit,
            forecast.quantiles / unit[:, :, None],
            forecast.quantile_levels,
        )
    for level in forecast.interval_levels:
        if level in (80, 95):
            _, lower, upper = forecast.interval(level)
            row[f"coverage{level:g}"] = metrics.coverage(actual, lower, upper)
    return row


def origins_in(dataset: DataSet) -> Origins:
    """The set's origins, those left out (count 0) with all they have, as a backtest asks for
    them."""
    lengths = dataset.panel.lengths[:, None]
    return origins_of(
        dataset.panel, np.where(dataset.counts > 0, dataset.counts, lengths)
    )


def scale_of(dataset: DataSet) -> np.ndarray:
    """What MASE divides by at each origin, (O,)."""
    return metrics.naive_scales(
        dataset.panel, origins_in(dataset), dataset.mase_period
    ).absolute


def geometric_mean(values: Sequence[float]) -> float:
    """Of ratios: the mean of their logarithms, back."""
    return float(np.exp(np.mean(np.log(values))))


def cpu_model() -> str:
    """As the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (
            line.split(":", 1)[1].strip()
            for line in lines
            if line.startswith("model name")
        ),
        platform.machine(),
    )


def circumstances() -> dict[str, Any]:
    """Machine, versions, weights and day: what a number depends on besides the protocol."""
    installed = {dist.metadata["Name"] for dist in importlib.metadata.distributions()}
    versions = {
        name: importlib.metadata.version(name) for name in PACKAGES if name in installed
    }
    usable = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )
    weights = hashlib.sha256((WEIGHTS / "weights.safetensors").read_bytes()).hexdigest()
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {
            "cpu": cpu_model(),
            "cores": usable,
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {
            "python": platform.python_version(),
            "lstmcast": lc.__version__,
            **versions,
        },
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "weights_sha256": weights,
    }


def write_result(
    name: str, protocol: str | None, result: Mapping[str, Any], seconds: float
) -> Path:
    """evidence/results/NAME.json: the numbers below a header that says where they come from."""
    document = {
        "name": name,
        "protocol": " ".join((protocol or "").split()),
        **header(name),
        **circumstances(),
        "seconds": seconds,
        **result,
    }
    if name in WITHOUT_SHIPPED:
        del document["weights_sha256"]
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(document), indent=1, ensure_ascii=False) + "\n")
    print(f"written: {path.relative_to(HERE.parent)}")
    return path


def read_result(name: str) -> dict[str, Any] | None:
    """What `write_result` wrote, if it ran."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def rounded(value: Any) -> Any:
    """Five significant digits: more are noise, and would change the files with every run;
    unknown numbers are None."""
    if isinstance(value, Mapping):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with the same keys, as aligned columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    for line in cells:
        aligned = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(aligned).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}" if np.isfinite(value) else "–"
    return str(value)
