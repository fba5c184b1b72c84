"""Forecast: what comes back, as columns, frames and files."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from lstmcast.data.origins import Origins, origins_of
from lstmcast.data.panel import Columns, Panel
from lstmcast.errors import OutputError, UsageError
from lstmcast.forecast import NETWORK, QUANTILES, Combination, Forecast


@pytest.fixture
def panel() -> Panel:
    return Panel.from_arrays(
        {"a": np.arange(6.0), "b": np.arange(4.0)}, frequency="MS", start="2024-01"
    )


def forecast_of(
    panel: Panel, cutoffs: np.ndarray | None = None, horizon: int = 3
) -> Forecast:
    origins = origins_of(panel, cutoffs)
    point = origins.counts[:, None] + np.arange(horizon) / 3
    spread = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return Forecast.at_origins(
        panel, origins, point, point[..., None] + spread, QUANTILES
    )


def test_times_go_on_after_each_cutoff(panel):
    forecast = forecast_of(panel, np.array([[2, 6], [1, 4]]))
    assert forecast.cutoffs.astype("datetime64[M]").astype(str).tolist() == [
        "2024-02",
        "2024-06",
        "2024-01",
        "2024-04",
    ]
    assert forecast.times[1].astype("datetime64[D]").astype(str).tolist() == [
        "2024-07-01",
        "2024-08-01",
        "2024-09-01",
    ]


def test_columns_have_the_same_names_for_all_data_and_a_cutoff_only_where_a_series_has_several(
    panel,
):
    named = replace(panel, columns=Columns(series="shop", time="month"))
    names = [
        "unique_id",
        "ds",
        "step",
        "forecast",
        "q0.025",
        "q0.1",
        "q0.5",
        "q0.9",
        "q0.975",
    ]
    assert list(forecast_of(named).columns_dict()) == names
    several = forecast_of(named, np.array([[2, 6], [1, 4]])).columns_dict()
    assert list(several) == [*names[:3], "cutoff", *names[3:]]
    assert several["step"].tolist() == [1, 2, 3] * 4
    assert {len(column) for column in several.values()} == {12}


def test_intervals_and_quantiles_are_those_of_the_levels(panel):
    forecast = forecast_of(panel)
    assert forecast.interval_levels == (80, 95)
    np.testing.assert_array_equal(forecast.interval(95).upper, forecast.point + 2)
    np.testing.assert_array_equal(forecast.interval(80).lower, forecast.quantile(0.1))
    with pytest.raises(
        UsageError, match=r"no 90% interval \(level is in percent\). It has: 80, 95"
    ):
        forecast.interval(90)
    with pytest.raises(UsageError, match="has no quantile"):
        forecast.quantile(0.3)


def test_a_forecast_without_quantiles_says_so(panel):
    bare = Forecast.at_origins(panel, origins_of(panel), np.zeros((2, 3)))
    assert bare.quantiles.shape == (2, 3, 0)
    with pytest.raises(UsageError, match="It has: none"):
        bare.interval(80)


def test_selection_by_series_and_by_cutoff(panel):
    forecast = forecast_of(panel, np.array([[2, 6], [1, 4]]))
    assert forecast.select("b").point[:, 0].tolist() == [1, 4]
    assert forecast.at("2024-06").ids.tolist() == ["a"]
    assert forecast.at(np.datetime64("2024-04-01")).ids.tolist() == ["b"]
    with pytest.raises(UsageError, match=r"no series 'c'\. It has: a, b"):
        forecast.select(["a", "c"])
    with pytest.raises(
        UsageError, match=r"cutoff 2031-01-01\. There are: 2024-01-01, 2024-02-01"
    ):
        forecast.at("2031-01")
    with pytest.raises(UsageError, match=r"with quantiles=\(0\.15, 0\.5, 0\.85\)"):
        forecast.interval(70)
    with pytest.raises(UsageError, match="is not a time such as 2024-02-01"):
        forecast.at("soon")


def test_wrong_shapes_and_levels_are_refused_when_it_is_made(panel):
    forecast = forecast_of(panel)
    with pytest.raises(UsageError, match=r"times has shape \(2, 2\)"):
        replace(forecast, times=forecast.times[:, :2])
    with pytest.raises(UsageError, match="increasing numbers between 0 and 1"):
        replace(forecast, quantile_levels=(0.5, 0.1, 0.2, 0.9, 0.975))


def test_quantile_levels_become_a_tuple_of_numbers(panel):
    forecast = forecast_of(panel)
    listed = replace(forecast, quantile_levels=list(np.array(QUANTILES)))
    assert listed.quantile_levels == QUANTILES
    assert type(listed.quantile_levels[0]) is float


def test_arrays_are_read_only_but_those_given_stay_as_they_were(panel):
    point = np.zeros((2, 3))
    forecast = Forecast.at_origins(panel, origins_of(panel), point)
    with pytest.raises(ValueError, match="read-only"):
        forecast.point[0, 0] = 1
    point[0, 0] = 1


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_of_the_callers_kind(panel, kind):
    library = pytest.importorskip(kind)
    forecast = replace(forecast_of(panel, np.array([[2, 6], [1, 4]])), frame_kind=kind)
    frame = forecast.frame()
    assert isinstance(frame, library.Table if kind == "pyarrow" else library.DataFrame)
    columns = (
        frame.to_pydict()
        if kind == "pyarrow"
        else {name: list(frame[name]) for name in forecast.columns_dict()}
    )
    assert columns["unique_id"] == ["a"] * 6 + ["b"] * 6
    assert columns["forecast"] == forecast.point.ravel().tolist()
    assert str(columns["ds"][0]).startswith("2024-03-01")


def test_files_and_arrays_give_a_dict_of_arrays(panel):
    assert isinstance(forecast_of(panel).frame(), dict)
    assert isinstance(replace(forecast_of(panel), frame_kind="file").frame(), dict)
    with pytest.raises(UsageError, match="kind='excel' is not a kind of frame"):
        forecast_of(panel).frame("excel")


def test_csv_holds_every_digit_and_plain_dates(panel, tmp_path):
    forecast = forecast_of(panel)
    path = forecast.write(tmp_path / "it's.csv")
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert rows[0]["ds"] == "2024-07-01"
    assert [float(row["forecast"]) for row in rows] == forecast.point.ravel().tolist()
    assert [float(row["q0.975"]) for row in rows] == forecast.quantiles[
        ..., 4
    ].ravel().tolist()


def test_csv_keeps_the_hours_where_there_are_some_and_odd_ids(tmp_path):
    panel = Panel.from_arrays(
        {'東京, "A"': [1.0, 2.0]}, frequency="h", start="2024-01-01T05:00"
    )
    path = Forecast.at_origins(
        panel, origins_of(panel), np.array([[1.0, np.nan]])
    ).write(tmp_path / "x.csv")
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert rows[0] == {
        "unique_id": '東京, "A"',
        "ds": "2024-01-01 07:00:00",
        "step": "1",
        "forecast": "1.0",
    }
    assert rows[1]["forecast"] == ""


def test_parquet_reads_back(panel, tmp_path):
    forecast = forecast_of(panel)
    path = forecast.write(tmp_path / "x.parquet")
    read = duckdb.sql(f"select * from '{path}'").fetchnumpy()
    assert read["ds"].dtype.kind == "M"
    np.testing.assert_array_equal(read["q0.9"], forecast.quantile(0.9).ravel())


def test_parquet_says_which_forecast_it_is(panel, tmp_path):
    made = Combination((NETWORK, "it's naive"), np.array([[0.75, 0.25]]))
    path = replace(forecast_of(panel), combination=made).write(tmp_path / "x.parquet")
    rows = duckdb.sql(
        f"select decode(key), decode(value) from parquet_kv_metadata('{path}')"
    )
    said = dict(rows.fetchall())
    assert said["method"] == "combined"
    assert json.loads(said["combination"]) == {"network": 0.75, "it's naive": 0.25}
    assert forecast_of(panel).about == {
        "method": "network",
        "combination": '{"network": 1.0}',
    }


def test_json_is_plain_and_has_null_for_unknown(panel):
    forecast = forecast_of(panel)
    point = forecast.point.copy()
    point[0, 0] = np.nan
    columns = json.loads(replace(forecast, point=point).to_json())
    assert columns["ds"][0] == "2024-07-01"
    assert columns["forecast"][:2] == [None, forecast.point[0, 1]]


@pytest.mark.parametrize("name", ["x.docx", "x", "missing/x.csv", "folder.csv"])
def test_unusable_outputs_are_refused_before_anything_is_written(panel, tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError, match=r"cannot be written: "):
        forecast_of(panel).write(tmp_path / name)
    assert os.listdir(tmp_path) == ["folder.csv"]


def test_what_is_no_path_is_refused(panel):
    with pytest.raises(UsageError, match="5 is not a path"):
        forecast_of(panel).write(5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_message(panel):
    with pytest.raises(
        OutputError, match="'/dev/full' cannot be written: the disk is full"
    ):
        forecast_of(panel).write("/dev/full")


def test_a_link_stays_a_link(panel, tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    forecast_of(panel).write(tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert "forecast" in (tmp_path / "real.csv").read_text()


def test_repr_is_short_and_len_counts_rows(panel):
    forecast = forecast_of(panel, np.array([[2, 6], [1, 4]]))
    first, header, *rows, last = repr(forecast).splitlines()
    assert (
        first
        == "Forecast(2 series, 4 origins, horizon 3, quantiles 0.025 0.1 0.5 0.9 0.975)"
    )
    assert header.split()[:2] == ["unique_id", "ds"] and len(rows) == 4
    assert last == "… 8 more rows"
    assert len(forecast) == 12
    assert (
        repr(
            Forecast.at_origins(
                panel, Origins(np.array([0]), np.array([3])), np.zeros((1, 1))
            )
        )
        .splitlines()[0]
        .endswith("none)")
    )
