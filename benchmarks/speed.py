"""Seconds that a user waits: whole processes, and the network alone. Medians.

`process_…`: a fresh Python process each time, from start to end, files in the system's cache; the
million rows are a CSV file of 1,000 daily series with 1,000 values each. `pass_1428x96`: the
network (all members) reads 1,428 series of 96 values and answers, inputs included, in this process;
`one_observation`: one new value of one series read and answered; `series_per_second`: forecasts
with calibrated intervals of 1,428 monthly series of 96 values, without files. `core_megabytes`
(with --install): a fresh virtual environment with the package and what it depends on, pip left out.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import HERE, arguments, print_table, write_result

import lstmcast as lc
from lstmcast.model.inputs import Grid
from lstmcast.pretrained import shipped

AIRLINE = HERE.parent / "examples" / "airline.csv"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(HERE.parent / "src"),
    "MPLBACKEND": "agg",
}


def process_seconds(*command: str) -> float:
    """Wall seconds of one process; a failure ends the benchmark with the process's own words."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], env=ENVIRONMENT, capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(
            f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr}"
        )
    return seconds


def lstmcast_seconds(*arguments: str) -> float:
    """Wall seconds of the command line with these arguments."""
    return process_seconds("-m", "lstmcast", *arguments)


def median(action: Callable[[], object], times: int) -> float:
    """Median wall seconds of calling it; the first call, which fills caches, does not count."""
    action()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def write_million_rows(path: Path) -> None:
    """1,000 daily series of 1,000 values."""
    rng = np.random.default_rng(0)
    days = np.datetime_as_string(
        np.datetime64("2020-01-01") + np.arange(1_000), unit="D"
    )
    values = np.round(100 + np.cumsum(rng.normal(size=(1_000, 1_000)), axis=1), 2)
    with path.open("w") as file:
        file.write("unique_id,ds,y\n")
        for name, row in enumerate(values):
            file.writelines(
                f"series_{name},{day},{value}\n"
                for day, value in zip(days, row, strict=True)
            )


def processes(times: int) -> dict[str, float]:
    """Whole processes."""
    airline = ("forecast", str(AIRLINE), "--horizon", "12")
    with tempfile.TemporaryDirectory() as folder:
        picture, table = str(Path(folder) / "f.png"), str(Path(folder) / "f.csv")
        commands = {
            "process_help": ("-m", "lstmcast", "--help"),
            "process_import": ("-c", "import lstmcast"),
            "process_nothing": ("-c", "pass"),
            "process_airline": ("-m", "lstmcast", *airline),
            "process_airline_out": ("-m", "lstmcast", *airline, "--out", table),
            "process_airline_plot_out": (
                "-m",
                "lstmcast",
                *airline,
                "--plot",
                picture,
                "--out",
                table,
            ),
        }
        result = {
            name: median(lambda c=c: process_seconds(*c), times)
            for name, c in commands.items()
        }
        million = Path(folder) / "million.csv"
        write_million_rows(million)
        check = ("-m", "lstmcast", "check", str(million))
        return {
            **result,
            "process_check_million_rows": median(
                lambda: process_seconds(*check), min(times, 3)
            ),
        }


def network(times: int) -> dict[str, float]:
    """The network alone, in this process."""
    forecaster = lc.LSTMForecaster(horizon=12)
    net, periods = shipped(), (12,)
    rng = np.random.default_rng(0)
    season = np.sin(np.arange(96) * 2 * np.pi / 12)
    values = 100 + 10 * season + np.cumsum(rng.normal(size=(1_428, 96)), axis=1)

    inputs = net.config.inputs

    def start(rows: int) -> tuple:
        grid = Grid(net.config.steps, periods, "monthly", np.ones(rows, bool))
        return inputs.start(grid, rows), net.start(rows)

    def read(state: tuple, values_BT: np.ndarray) -> tuple:
        seen, after = inputs.advance(state[0], values_BT[:, :, None])
        x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
        hidden, recurrent = net.run(x_TBC, seen.begun_BT.T, state[1])
        net.answer([out_TBD[-1] for out_TBD in hidden], seen.x_BTC[:, -1])
        return after, recurrent

    def whole() -> None:
        read(start(len(values)), values)

    one = values[:1]
    state = read(start(1), one)

    def step() -> None:
        read(state, one[:, :1])

    panel = lc.Panel.from_arrays(values, frequency="MS", start="2000-01")
    return {
        "members": len(net.members),
        "pass_1428x96": median(whole, times),
        "one_observation": median(step, 200),
        "series_per_second": len(panel)
        / median(lambda: forecaster.predict(panel), min(times, 3)),
    }


def core_megabytes() -> float:
    """Size on disk of a fresh environment with the core."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        limits = HERE.parent / "constraints.txt"
        subprocess.run(
            [*pip, "install", "--constraint", str(limits), str(HERE.parent)], check=True
        )
        subprocess.run([*pip, "uninstall", "--yes", "pip"], check=True)
        files = [
            path
            for path in Path(folder).rglob("*")
            if path.is_file() and not path.is_symlink()
        ]
        return sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--times", type=int, default=7, help="processes of each kind")
    parser.add_argument(
        "--install",
        action="store_true",
        help="also measure the core's size on disk (needs an index)",
    )
    given = parser.parse_args()
    began = time.monotonic()
    result = processes(given.times) | network(given.times)
    if given.install:
        result["core_megabytes"] = core_megabytes()
    rows = [{"what": name, "value": value} for name, value in result.items()]
    print_table(rows)
    if not given.dry:
        write_result("speed", __doc__, result, time.monotonic() - began)


if __name__ == "__main__":
    main()
