"""Networks compared on data that none was chosen by: a second opinion beside validate.py.

`python benchmarks/further.py FOLDER …` forecasts the four windows before the test windows of some
tasks of known.py, without their columns, by each network alone (the shipped network is the first).
Single windows of a single series are few: what matters is whether one task is much worse. `ratio`:
over the shipped network, geometric mean. No network may be chosen by this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import known
import numpy as np
from common import arguments, data_folder, geometric_mean, print_table

import lstmcast as lc
from lstmcast.covariates.effects import without_known

WINDOWS = 4
# tasks of known.py, and of which series of each every so many are forecast
TASKS = {
    "rossmann_100": 3,
    "favorita_transactions": 1,
    "restaurant": 1,
    "tetuan": 1,
    "daily_events/bicimad_users": 1,
    "daily_events/madrid_bus": 1,
    "bike_hour": 1,
    "daily_events/energy_production_shutdown": 1,
}


def main() -> None:
    """Print the MASE of each network on each task, and the mean ratio of each."""
    parser = arguments(__doc__ or "")
    parser.add_argument("networks", nargs="*", help="folders of networks")
    given = parser.parse_args()
    data, networks = data_folder(given.data), ["pretrained", *given.networks]
    errors_TN = np.array([_errors(name, networks, data) for name in TASKS])
    for place, network in enumerate(networks):
        ratio = geometric_mean((errors_TN[:, place] / errors_TN[:, 0]).tolist())
        print(f"{network}: ratio {ratio:.3f}")


def _errors(name: str, networks: Sequence[str], data: Path) -> list[float]:
    """The MASE of each network on one task."""
    task = known.TASKS[name]
    task = replace(task, every=task.every * TASKS[name])
    panel = known.read(task, data)
    newest = np.arange(task.windows + WINDOWS, task.windows, -1)
    counts = panel.lengths[:, None] - task.horizon * newest
    long = np.flatnonzero(counts[:, 0] > 3 * task.season)
    panel, counts = without_known(panel.select(panel.ids[long])), counts[long]
    errors = []
    for network in networks:
        model = lc.LSTMForecaster(task.horizon, weights=network, method="network")
        forecast = model.predict(panel, cutoffs=counts)
        errors.append(known.judged(forecast, panel, counts, task)[0])
    row = {
        network: round(error, 4)
        for network, error in zip(networks, errors, strict=True)
    }
    print_table([{"task": name, "series": len(panel)} | row])
    return errors


if __name__ == "__main__":
    main()
