"""The arithmetic and the cache of `make accuracy`, without data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "common",
    "sets",
    "accuracy",
    "accuracy_cache",
    "accuracy_report",
    "accuracy_tables",
    "accuracy_units",
)


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The modules as the scripts import them."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)


def row(mase=1.0, family="daily", origins=1, inside=(8, 8, 8), known=(10, 10, 10)):
    """A row of a set."""
    counts = {"known": list(known), "inside80": list(inside)}
    return {
        "mase": mase,
        "mape": 100 * mase,
        "family": family,
        "origins": origins,
        "hits": counts,
    }


def naive(mase):
    """A row of simple forecasts."""
    return {"mase": {"seasonal naive": mase, "naive": 3.0}}


def test_relative_means_count_each_classic_series_once():
    import accuracy_tables as tables

    rows = {
        "a": row(1.0, "hourly"),
        "classic_b": row(2.0),
        "classic_c": row(8.0),
        "constant": row(1.0),
    }
    simple = {name: naive(2.0) for name in rows} | {"constant": naive(0.0)}
    ratios = tables.relative(rows, simple)
    # no error to divide by
    assert ratios == {"a": 0.5, "classic_b": 1.0, "classic_c": 4.0}
    means = tables.means(ratios, rows)
    assert means["all sets"] == pytest.approx(2 ** (1 / 3))
    assert means["classic as one"] == pytest.approx(1.0)
    assert (means["hourly"], means["daily"]) == (pytest.approx(0.5), pytest.approx(2.0))
    assert "weekly" not in means


def test_what_got_worse_is_named_the_worst_first():
    import accuracy_tables as tables

    now = {"a": row(1.2), "b": row(1.04), "c": row(1.5), "new": row(9.0)}
    ratios = tables.versus(
        now, {"a": row(1.0), "b": row(1.0), "c": row(1.0), "old": row(1.0)}
    )
    assert list(tables.worse(ratios, tables.WORSE_SET).items()) == [
        ("c", 1.5),
        ("a", 1.2),
    ]


def test_the_best_simple_forecast_is_one_of_those_named():
    import accuracy_tables as tables

    errors = {"naive": 2.0, "seasonal naive of 168": 1.5, "Theta": 1.0, "drift": np.nan}
    assert tables.best_simple({"mase": errors}) == ("seasonal naive of 168", 1.5)


@pytest.mark.parametrize(
    ("origins", "inside", "right"),
    [
        (300, (8, 8, 8), True),
        (300, (9, 9, 9), False),  # 90% overall
        (100, (9, 9, 9), True),  # too few windows for that: by step alone
        (100, (8, 8, 6), False),
        (20, (1, 1, 1), None),
    ],
)
def test_coverage_is_judged_where_there_are_windows_enough(origins, inside, right):
    import accuracy_tables as tables

    assert tables.coverage(row(origins=origins, inside=inside))["right"] is right


def test_coverage_of_a_frequency_weighs_its_sets_alike():
    import accuracy_tables as tables

    rows = {"a": row(), "b": row(inside=(600, 700, 1000), known=(1000, 1000, 1000))}
    pooled = tables.pooled_coverage(rows)["daily"]
    assert pooled["thirds"] == pytest.approx([70, 75, 90])
    assert pooled["overall"] == pytest.approx((80 + 2300 / 30) / 2)


def test_goals_that_were_not_measured_are_left_out():
    import accuracy_tables as tables
    import sets

    result = {"sets": {"m3_monthly": row(0.79)}, "means": {"all sets": 0.7}}
    found = {one["number"]: one["met"] for one in tables.goal_rows(result)}
    assert found == {"m3_monthly: MASE": "yes"}  # the mean is not that of all sets
    result["sets"] = dict.fromkeys(sets.ALL, row(0.8))
    found = {one["number"]: one["met"] for one in tables.goal_rows(result)}
    assert found["MASE over seasonal naive's, geometric mean of the sets"] == "no"
    assert found["ten classic series: mean MASE"] == "yes"


@pytest.fixture
def sources(tmp_path):
    """A package whose forecaster takes no method."""
    package = tmp_path / "src" / "lstmcast"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("class LSTMForecaster:\n    pass\n")
    (package / "weights" / "weights.safetensors").write_bytes(b"1")
    return package


def test_any_edit_of_sources_or_weights_makes_another_version(sources):
    import accuracy_cache as cache

    digests = {cache.digest_of_sources(sources.parent)}
    (sources / "weights" / "CARD.md").write_text("no number depends on it")
    assert cache.digest_of_sources(sources.parent) in digests
    (sources / "weights" / "weights.safetensors").write_bytes(b"2")
    digests.add(cache.digest_of_sources(sources.parent))
    (sources / "new.py").write_text("")
    digests.add(cache.digest_of_sources(sources.parent))
    (sources / "new.py").rename(sources / "renamed.py")
    digests.add(cache.digest_of_sources(sources.parent))
    assert len(digests) == 4


def test_versions_without_methods_answer_with_the_network_alone(sources):
    import accuracy_cache as cache

    version = cache.version_of(sources.parents[1])
    assert version.method("auto") == version.method("network") == "network"
    with pytest.raises(SystemExit, match="knows no methods"):
        version.method("best")
    (sources / "__init__.py").write_text(
        "class LSTMForecaster:\n    def __init__(self, horizon, method='auto'): pass\n"
    )
    assert cache.version_of(sources.parent).method("best") == "best"


def test_a_folder_without_the_package_is_refused(tmp_path):
    import accuracy_cache as cache

    with pytest.raises(SystemExit, match="holds no lstmcast"):
        cache.version_of(tmp_path)


def test_rows_of_other_tasks_do_not_count(tmp_path):
    import accuracy_cache as cache

    version = cache.Version(None, "abc123", tells_methods=True)
    unit = cache.Unit("gift", "ett1/H/short", "test")
    kept = cache.Cache((tmp_path / "own", tmp_path / "other"))
    path = (
        tmp_path
        / "other"
        / "abc123"
        / "network"
        / "test"
        / "gift"
        / "ett1_H_short.json"
    )
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"stamp": cache.stamp()}))
    assert kept.row(version, unit, "network") is not None
    assert kept.row(version, unit, "auto") is None
    path.write_text(json.dumps({"stamp": "0-of-older-tasks"}))
    assert kept.row(version, unit, "network") is None


def test_a_measured_version_is_found_by_its_first_digits(tmp_path):
    import accuracy_cache as cache

    for name in ("abc1", "abd2", "yardsticks-ab"):
        (tmp_path / name / "network").mkdir(parents=True)
    (tmp_path / "abd2" / "auto").mkdir()
    kept = cache.Cache((tmp_path,))
    assert kept.version("abc").digest == "abc1"
    assert (kept.version("abc").method("auto"), kept.version("abd").method("auto")) == (
        "network",
        "auto",
    )
    with pytest.raises(SystemExit, match="abc1, abd2"):
        kept.version("ab")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """A run whose processes write a row each, those of the set "broken" excepted, and what they
    were asked for."""
    import accuracy
    import accuracy_cache as cache

    asked: list[str] = []

    def process(command, **_):
        name, out = command[3], Path(command[command.index("--out") + 1])
        asked.append(name)
        if name == "broken":
            return subprocess.CompletedProcess(
                command, 1, "", "ValueError: broken data"
            )
        out.write_text(json.dumps({"stamp": cache.stamp(), "peak_megabytes": 100}))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(accuracy.subprocess, "run", process)
    kept = cache.Cache((tmp_path / "runs",))
    return accuracy.Run(tmp_path, tmp_path, "auto", None, 1, kept), asked


def test_a_run_goes_on_with_what_is_missing(measured, tmp_path):
    import accuracy_cache as cache

    run, asked = measured
    version = cache.Version(tmp_path, "abc")
    assert list(run.measured(version, "set", ["a", "b"])) == ["a", "b"]
    assert list(run.measured(version, "set", ["a", "b", "c"])) == ["a", "b", "c"]
    assert asked == ["a", "b", "c"]
    assert list(run.measured(cache.Version(tmp_path, "edited"), "set", ["a"])) == ["a"]
    assert asked == ["a", "b", "c", "a"]


def test_what_fails_is_named_and_the_rest_measured(measured, tmp_path, capsys):
    import accuracy_cache as cache

    run, _ = measured
    rows = run.measured(cache.Version(tmp_path, "abc"), "set", ["broken", "a"])
    assert (list(rows), run.failed) == (["a"], ["set broken"])
    assert "ValueError: broken data" in capsys.readouterr().out


def test_a_result_file_stands_for_its_version(measured, tmp_path, capsys):
    import accuracy

    run, asked = measured
    file = tmp_path / "shipped.json"
    file.write_text(
        json.dumps({"rows": [{"set": "a", "mase": 2.0}, {"set": "b", "mase": 1.0}]})
    )
    accuracy.compare(run, str(file), ["a", "b"], {"a": row(2.2), "b": row(1.0)})
    told = capsys.readouterr().out
    assert "sets worse by more than 5%: a × 1.100" in told
    assert "frequencies worse by more than 1%: daily × 1.049" in told
    assert asked == []
    with pytest.raises(SystemExit, match="of test parts"):
        accuracy.compare(replace(run, thin=600), str(file), ["a"], {"a": row()})
    file.write_text("[1]")
    with pytest.raises(SystemExit, match="no rows with a set and its mase"):
        accuracy.compare(run, str(file), ["a"], {"a": row()})


def test_a_version_that_is_only_kept_is_not_measured(measured):
    import accuracy_cache as cache

    run, asked = measured
    assert run.measured(cache.Version(None, "abc"), "set", ["a"]) == {}
    assert asked == []


def test_mean_of_cycles_repeats_the_mean_of_each_phase():
    import accuracy_units as units

    import lstmcast as lc

    values = np.array([1.0, 5.0, 2.0, np.nan, 3.0, 7.0])
    panel = lc.Panel.from_arrays(
        {"a": values, "short": values[:1]}, frequency="D", start="2024-01-01"
    )
    forecast = units.MeanOfCycles(2).predict(panel, 3)
    # the unknown value is carried forward from the cycle before
    assert forecast.point.round(6).tolist() == [[2.0, 5.666667, 2.0], [1.0, 1.0, 1.0]]


def test_simple_forecasts_have_names_of_their_own():
    import accuracy_units as units

    names = [one.name for one in units.yardsticks((24, 168))]
    assert len(set(names)) == len(names)
    assert {
        "seasonal naive",
        "seasonal naive of 168",
        "mean of 3 cycles of 168",
    } <= set(names)
