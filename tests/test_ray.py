"""The same work on a Ray cluster: two machines, as far as one machine can play them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

import lstmcast as lc
from lstmcast.chunks.run import PartsJob, here
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.jobs import BacktestJob, ForecastJob, Source
from lstmcast.ray import _safe

pytestmark = [
    pytest.mark.services,
    # of the library
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes with a processor each."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    sources = str(Path(lc.__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [sources, os.environ.get("PYTHONPATH", "")]
    )
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "include_dashboard": False,
            "object_store_memory": 10**8,
        },
    )
    made.add_node(num_cpus=1, object_store_memory=10**8)
    # what tests define is sent as it is: workers do not have this file
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(scope="module")
def sales(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "sales.parquet"
    duckdb.execute(
        "COPY (SELECT 'shop ' || (i % 2) AS shop, 'item ' || i AS item, "
        "DATE '2020-01-01' + INTERVAL (m) MONTH AS month, "
        "100.0 + i + 10 * sin(m * pi() / 6) + hash(i * 1000 + m) % 9 AS sales "
        f"FROM range(12) a(i), range(30) b(m) ORDER BY i, m) TO '{path}'"
    )
    return path


def parts(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.glob("part-*"))}


def job(source: Path, folder: Path, make, spread) -> PartsJob:
    return PartsJob(Source(str(source)), folder, make, 3, spread)


def forecasts(first, source):
    return ForecastJob(lc.LSTMForecaster(3, method="network"), source, cutoffs=0)


def test_a_cluster_writes_the_same_parts(cluster, sales, tmp_path):
    job(sales, tmp_path / "here", forecasts, here(1)).run(print)
    result = job(sales, tmp_path / "there", forecasts, lc.ray.over("auto")).run(print)
    assert result.parts == result.done == 4
    assert parts(tmp_path / "here") == parts(tmp_path / "there")
    assert (
        job(sales, tmp_path / "there", forecasts, lc.ray.over("auto")).run(print).done
        == 0
    )


class Dying(SeasonalNaive):
    """A forecaster whose first process of a certain part is killed half-way."""

    marker = ""

    def predict(self, panel, horizon=None, *, cutoffs=None):
        if (
            self.marker
            and "item 4" in str(panel.ids)
            and not os.path.exists(self.marker)
        ):
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(panel, horizon, cutoffs=cutoffs)


def test_a_worker_that_is_killed_changes_nothing(cluster, sales, tmp_path):
    model = Dying(3)

    def make(first, source):
        return BacktestJob(model, source, cutoffs=2, baselines=False)

    job(sales, tmp_path / "calm", make, here(1)).run(print)
    object.__setattr__(model, "marker", str(tmp_path / "killed"))
    job(sales, tmp_path / "killed-once", make, lc.ray.over("auto")).run(print)
    assert (tmp_path / "killed").exists()
    assert parts(tmp_path / "calm") == parts(tmp_path / "killed-once")


class Wrong(SeasonalNaive):
    """A forecaster that cannot."""

    def predict(self, panel, horizon=None, *, cutoffs=None):
        raise DataError("these series are of no use.")


def test_an_error_of_a_task_is_the_one_that_is_told(cluster, sales, tmp_path):
    def make(first, source):
        return ForecastJob(Wrong(3), source, cutoffs=0)

    with pytest.raises(
        DataError, match=r"part-0000\d, 3 series: these series are of no use"
    ):
        job(sales, tmp_path / "out", make, lc.ray.over("auto")).run(print)


def test_a_dataset(cluster, sales):
    import pyarrow.parquet as parquet
    import ray

    dataset = ray.data.from_arrow(parquet.read_table(sales))
    model = lc.LSTMForecaster(3, method="network")
    made = lc.ray.forecast(
        dataset, model, series=["shop", "item"], target="sales", tasks=2
    )
    found = made.to_pandas().sort_values(["item", "step"])
    whole = model.predict(str(sales), series=["shop", "item"]).frame("pandas")
    whole = whole.sort_values(["item", "step"])
    assert list(found.columns) == list(whole.columns) and len(found) == 36
    assert np.allclose(found["forecast"], whole["forecast"], rtol=0.05)
    with pytest.raises(UsageError, match=r"'town' is not a column of the dataset"):
        lc.ray.forecast(dataset, model, series="town")
    with pytest.raises(UsageError, match=r"series= is required"):
        lc.ray.forecast(dataset, model)


def test_a_model_for_each_group(cluster, sales, tmp_path):
    panel = lc.read(str(sales), series=["shop", "item"])
    training = lc.TrainingConfig(epochs=1, batching=lc.Windows(8))
    network = lc.NetworkConfig(
        layers=(4,), horizon=2, inputs=lc.Transformed(lc.Standard())
    )
    model = lc.LSTMForecaster(2, weights="scratch", network=network, training=training)
    made = lc.ray.fit(model, panel, "shop", tmp_path / "models", options={"threads": 1})
    assert {name: place.name for name, place in made.items()} == {
        "shop 0": "shop_0-" + made["shop 0"].name[-8:],
        "shop 1": "shop_1-" + made["shop 1"].name[-8:],
    }
    saved = lc.load(made["shop 1"])
    assert len(saved.saved_context.panel) == 6
    own = panel.select([name for name in panel.ids if name.startswith("shop 1")])
    alone = model.unfitted().fit(own, threads=1)
    assert np.array_equal(saved.predict().point, alone.predict().point)
    before = made["shop 0"].stat().st_mtime_ns
    again = lc.ray.fit(
        model, panel, "shop", tmp_path / "models", options={"threads": 1}
    )
    assert again == made and made["shop 0"].stat().st_mtime_ns == before
    with pytest.raises(UsageError, match=r"'town' is not a column.*'shop', 'item'"):
        lc.ray.fit(model, panel, "town", tmp_path / "models")


def test_folders_of_groups_with_any_name():
    places = [_safe(name) for name in ("north", "", "a/b", "..", "x" * 300, "日" * 300)]
    assert places[0] == "north"
    assert len(set(places)) == 6
    assert all(0 < len(place.encode()) <= 255 and "/" not in place for place in places)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            None,
            r"no Ray cluster could be started on this machine \(The node timed out\)",
        ),
        ("head:6379", r"no Ray cluster answers at 'head:6379' \(The node timed out\)"),
    ],
)
def test_a_cluster_that_cannot_be_had(monkeypatch, address, said):
    def fail(**_: object) -> None:
        raise Exception("The node timed out\nand more")  # as Ray does

    ray = SimpleNamespace(is_initialized=lambda: False, init=fail)
    monkeypatch.setattr("lstmcast.ray._library", lambda: ray)
    with pytest.raises(UsageError, match=said):
        lc.ray.connect(address)


@pytest.mark.parametrize("tasks", [0, -1, 2.5])
def test_numbers_of_tasks_that_are_none(tasks):
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match=f"tasks={tasks} must be at least 1"):
        lc.ray.forecast(None, None, tasks=tasks, series="shop")
