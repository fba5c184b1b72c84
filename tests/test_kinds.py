"""What values can be: recognised series by series, undone with a word, kept with a model; no
forecast of demand is below 0 anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.kinds import OPEN, coded, common_kind, decoded, recognise
from lstmcast.errors import DataError
from lstmcast.evaluation.baselines import HoltWinters

NAN = np.nan
HALVES = slice(None, 5), slice(5, None)


def kinds_of(*series):
    values = np.concatenate([np.asarray(one, float) for one in series])
    return recognise(values, np.cumsum([0, *map(len, series)])).tolist()


def demand(rate, length=60, seed=0):
    """Whole numbers with many zeros, whose bounds would be negative without a rule."""
    return np.random.default_rng(seed).poisson(rate, length).astype(float)


def written(path, series, start="2024-01-01"):
    """A long file of daily series."""
    first = np.datetime64(start)
    rows = [
        f"{name},{first + day},{'' if np.isnan(value) else f'{value:g}'}"
        for name, values in series.items()
        for day, value in enumerate(values)
    ]
    path.write_text("\n".join(["product,day,sold", *rows]) + "\n")
    return str(path)


# ---------------------------------------------------------------- recognising


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 0, 3, 1], "count"),
        ([0, 0, 0], "count"),
        ([NAN, 0, NAN, 5000], "count"),  # zeros, however large the others
        ([0, NAN, 2], "count"),
        ([-0.0, 4, 900], "count"),
        ([3, 19, 19, 400], "count"),  # a median below 20
        ([18, 19, 20, 21], "count"),  # of 19.5
        ([19, 21], OPEN),  # of 20
        ([20, 20, 20], OPEN),
        ([112, 118, 132], OPEN),
        ([0.5, 0, 3], "positive"),
        ([0, 2, 2.5], "positive"),
        ([0.5, 1.5, 3], OPEN),
        ([1, 2, 3, -1], "real"),
        ([0, 2.5, -1e-9], "real"),
        ([NAN, NAN], OPEN),
    ],
)
def test_what_a_series_looks_like(values, kind):
    assert kinds_of(values) == [kind]
    # its neighbours do not matter
    assert kinds_of([7.5], values, [-1, 0]) == [OPEN, kind, "real"]


def test_a_panel_is_what_all_of_its_series_are():
    assert common_kind(np.array(["count", "count"])) == "count"
    assert common_kind(np.array(["count", "positive"])) == "positive"
    assert common_kind(np.array(["count", OPEN])) == "real"
    assert common_kind(np.array([], "<U8")) == "real"
    mixed = lc.read(
        {"a": [0.0, 3, 1, 0], "b": [0.0, 0.5, 2, 1], "c": [112.0, 118, 132, 129]}
    )
    assert mixed.kind == "real" and mixed.kinds.tolist() == [
        "count",
        "positive",
        "real",
    ]
    assert mixed.select(["a"]).kind == "count" and mixed.select("c").kinds.tolist() == [
        "real"
    ]
    assert mixed.until([2, 2, 2]).kinds.tolist() == mixed.since(1).kinds.tolist()
    assert recognise(np.empty(0), np.zeros(1, int)).tolist() == []


def test_codes_of_the_store_come_back():
    every = np.array(["real", "", OPEN, "count", "positive"])
    assert decoded(coded(every)).tolist() == every.tolist()
    with pytest.raises(ValueError, match="not known"):
        decoded(np.array([7], np.uint8))


def test_the_airline_series_stays_real():
    panel = lc.read(Path(__file__).parents[1] / "examples" / "airline.csv")
    assert panel.kind == "real" and panel.recognised.tolist() == [OPEN]


def test_arrays_that_are_not_read_are_taken_as_they_are():
    panel = lc.Panel.from_arrays({"a": demand(0.4)}, frequency="D", start="2024-01-01")
    assert panel.kinds.tolist() == ["real"] and not panel.report.findings
    falling = lc.Panel.from_arrays(
        np.arange(40.0, -1, -1), frequency="D", start="2024-01-01"
    )
    assert (lc.LSTMForecaster(8).predict(falling).quantiles < 0).any()


def test_one_note_says_how_many_and_how_to_undo_it(tmp_path):
    file = written(
        tmp_path / "sales.csv",
        {
            **{f"p{i}": demand(1, seed=i) for i in range(8)},
            "weight": np.maximum(0, demand(2) - 0.5),
            "temperature": demand(9) - 9.5,
            "size": demand(3) + 100,
        },
    )
    found = {finding.rule: finding for finding in lc.read(file).check()}
    counts, touching = found["counts"], found["never below 0"]
    assert counts.text == (
        "8 of 11 series ('p0', 'p1', 'p2', …) are recognised as counts: whole numbers, none below "
        "0, that contain zeros or have a median below 20. No forecast of them is below 0. If "
        "values can be negative, use --kind real."
    )
    assert (counts.severity, counts.count, touching.count) == ("note", 8, 1)
    assert (
        touching.message
        == "1 of 11 series ('weight') reaches 0 but never goes below it"
    )
    word = lc.read(file, kind="real")
    assert not word.report.findings and set(word.kinds) == {"real"}
    with pytest.raises(DataError, match="negative, but the target is declared count"):
        lc.read(file, kind="count")


def test_lines_between_counts_do_not_hide_them():
    values = {"ds": np.arange(1, 7), "y": np.array([0, 1, NAN, 4, NAN, 5])}
    filled = lc.read(values, missing="interpolate")
    assert filled.kind == "count" and filled.values.tolist() == [0, 1, 2.5, 4, 4.5, 5]


def test_newer_data_are_filled_as_a_file_is(tmp_path):
    whole = {"ds": np.arange(1, 9), "y": np.array([0, 1, NAN, 4, 2, NAN, 5, 3])}
    first, last = ({name: part[cut] for name, part in whole.items()} for cut in HALVES)
    lc.LSTMForecaster(2).save(tmp_path / "model", lc.read(first, missing="interpolate"))
    joined = lc.load(tmp_path / "model").continued(last).panel
    np.testing.assert_array_equal(
        joined.values, lc.read(whole, missing="interpolate").values
    )


def test_a_word_stands_for_what_was_recognised():
    counts = lc.read(demand(0.4))
    assert replace(counts, kind="real").kinds.tolist() == ["real"]
    assert replace(counts, kind="real").recognised is None
    assert replace(lc.Panel.from_arrays(demand(0.4)), kind="count").kinds.tolist() == [
        "count"
    ]


# ---------------------------------------------------------------- forecasts


@pytest.fixture(scope="module")
def mixed():
    """Counts, a fraction that touches 0, zeros alone, and a series that falls."""
    return lc.read(
        {
            "count": demand(0.4, seed=2),
            "weight": np.maximum(0, demand(1, seed=3) - 0.75),
            "zeros": np.zeros(60),
            "holes": np.where(np.arange(60) % 5 == 0, NAN, demand(0.6, seed=4)),
            "thousands": np.where(np.arange(60) % 4 == 0, 0, 1000 * demand(3, seed=5)),
            "below": demand(1, seed=6) - 1,
        }
    )


@pytest.mark.parametrize("mode", ["direct", "recursive", "one-step"])
def test_no_point_and_no_bound_of_demand_is_below_0(mixed, mode):
    quantiles = (0.002, 0.005, 0.025, 0.1, 0.5, 0.9, 0.998)  # beyond the head's, too
    model = lc.LSTMForecaster(8, quantiles=quantiles)
    forecast = model.predict(mixed, mode=mode)
    stops = forecast.ids != "below"
    assert forecast.quantiles[stops].min() == 0 and forecast.point[stops].min() >= 0
    assert not np.signbit(forecast.quantiles[stops]).any()  # no "-0.0" in a file
    assert (forecast.quantiles[~stops] < 0).any()
    without = model.predict(replace(mixed, recognised=None), mode=mode)
    assert (without.quantiles[stops] < 0).any()  # declared to be anything, they are


def test_far_levels_of_declared_counts_stop_at_0():
    panel = lc.Panel.from_arrays(
        demand(2, 100), frequency="D", start="2023-01-01", kind="count"
    )
    assert (
        lc.LSTMForecaster(14, quantiles=(0.005, 0.5, 0.995))
        .predict(panel)
        .quantiles.min()
        == 0
    )


def test_a_series_above_0_may_be_forecast_below_it():
    falling = lc.read(np.append(np.arange(60.0, 20.0, -1), [20.5]))
    assert falling.kinds.tolist() == ["real"]
    assert (HoltWinters(40).predict(falling).point < 0).any()


def test_backtests_and_baselines_stop_at_0(mixed):
    tested = lc.backtest(lc.LSTMForecaster(8), mixed, cutoffs=3)
    for forecast in tested.forecasts.values():
        stops = forecast.ids != "below"
        assert forecast.point[stops].min() >= 0
        assert forecast.quantiles[stops].min(initial=0) >= 0


# ---------------------------------------------------------------- saved models and newer data


@pytest.fixture(scope="module")
def old():
    return {
        "a": demand(0.4, seed=1),
        "b": demand(2, seed=2) - 0.5,
        "c": demand(1, seed=3) + 100.5,
    }


@pytest.fixture
def saved(tmp_path, old):
    model = lc.LSTMForecaster(8)
    panel = lc.read(written(tmp_path / "old.csv", old))
    assert panel.kinds.tolist() == ["count", "real", "real"]
    model.save(tmp_path / "model", panel)
    return tmp_path / "model"


def test_a_saved_model_keeps_what_was_recognised(saved):
    model = lc.load(saved)
    assert model.saved_context.panel.kinds.tolist() == ["count", "real", "real"]
    forecast = model.predict()
    assert (
        forecast.select("a").quantiles.min() == 0
        and forecast.select("b").quantiles.min() < 0
    )


def newer(saved, tmp_path, series, **options):
    file = written(tmp_path / "new.csv", series, start="2024-03-01")
    model = lc.load(saved)
    from lstmcast.data.newer import read_newer

    options = lc.ReadOptions(**options) if options else None
    return model.continued(read_newer(file, model.saved_context.panel, options)).panel


def test_newer_values_are_what_the_saved_ones_are(saved, tmp_path):
    panel = newer(
        saved, tmp_path, {"a": [30, 40], "b": [1, 2], "c": [99.5, 98], "d": [0, 3]}
    )
    assert panel.kinds.tolist() == ["count", "real", "real", "count"]
    told = [finding.text for finding in panel.check() if finding.rule == "counts"]
    assert len(told) == 1 and told[0].startswith(
        "2 of 4 series ('a', 'd') are recognised"
    )
    # what was below 0 once stays real, what never was may turn out to stop there
    panel = newer(saved, tmp_path, {"b": [0, 1], "c": [0, 3]})
    assert panel.kinds.tolist() == ["real", "positive"]


def test_a_model_that_goes_on_stops_where_the_whole_history_does(tmp_path, old):
    old = old | {"d": np.append(demand(3) + 30.5, [0, 2.5, 0, 1])}
    model = lc.LSTMForecaster(8, quantiles=(0.005, 0.5, 0.995))
    first, last = (
        {name: values[part] for name, values in old.items()}
        for part in (slice(None, 50), slice(50, None))
    )
    model.save(tmp_path / "model", lc.read(written(tmp_path / "old.csv", first)))
    newer = written(tmp_path / "new.csv", last, start="2024-02-20")
    went_on = lc.load(tmp_path / "model").predict(newer)
    whole = model.predict(written(tmp_path / "whole.csv", old))
    np.testing.assert_array_equal(went_on.quantiles, whole.quantiles)
    assert (
        went_on.select(["a", "d"]).quantiles.min()
        == 0
        > went_on.select("b").quantiles.min()
    )


def test_a_newer_value_below_0_takes_back_what_was_recognised(saved, tmp_path):
    panel = newer(saved, tmp_path, {"a": [2, -1]})
    assert panel.kinds.tolist() == ["real"]
    warned = [
        finding.text for finding in panel.check() if finding.severity == "warning"
    ]
    assert warned == [
        "series 'a' stopped at 0, and newer values are below it. Forecasts may now be below 0."
    ]
    assert (lc.load(saved).predict(panel).quantiles < 0).any()


def test_a_word_in_newer_data_comes_first(saved, tmp_path):
    assert newer(saved, tmp_path, {"a": [0, 2]}, kind="real").kinds.tolist() == ["real"]
    assert newer(saved, tmp_path, {"c": [99, 98]}, kind="positive").kinds.tolist() == [
        "positive"
    ]


def test_newer_arrays_are_what_the_saved_data_are(saved, tmp_path):
    model = lc.load(saved)
    array = lc.Panel.from_arrays({"a": [1.0, 0.0]}, frequency="D", start="2024-03-01")
    assert model.predict(array).quantiles.min() == 0
    said = lc.Panel.from_arrays(
        {"a": [1.0, 0.0]}, frequency="D", start="2024-03-01", kind="real"
    )
    assert model.continued(said).panel.kinds.tolist() == ["real"]


def test_newer_arrays_must_be_what_is_declared(tmp_path):
    model = lc.LSTMForecaster(4)
    counts = lc.Panel.from_arrays(
        demand(1), frequency="D", start="2024-01-01", kind="count"
    )
    model.save(tmp_path / "model", counts)
    loaded = lc.load(tmp_path / "model")
    more = {"frequency": "D", "start": "2024-03-01"}
    assert loaded.continued(lc.Panel.from_arrays([1.0], **more)).panel.kind == "count"
    with pytest.raises(DataError, match="-1 is negative, but kind='count'"):
        loaded.predict(lc.Panel.from_arrays([-1.0], **more))


def test_a_model_of_an_older_lstmcast_stays_real(saved):
    context = lc.load(saved).saved_context
    arrays = context.arrays()
    del arrays["recognised"]
    old = type(context).from_saved(context.described(), arrays).panel
    assert old.recognised is None and set(old.kinds) == {"real"}


# ---------------------------------------------------------------- the command line


@pytest.fixture
def sales(tmp_path):
    return written(
        tmp_path / "sales.csv", {f"p{i}": demand(0.5 + i, seed=i) for i in range(3)}
    )


def lowest(table):
    """The lowest number in the columns of a table of forecasts."""
    header, *rows = (line.split(",") for line in Path(table).read_text().splitlines())
    first = header.index("forecast")
    return min(float(cell) for row in rows for cell in row[first:])


def test_files_of_a_forecast_hold_nothing_below_0(run, sales, tmp_path):
    table, page = tmp_path / "forecast.csv", tmp_path / "report.html"
    wide = ("--level", 80, "--level", 99)
    done = run("forecast", sales, "-H", 8, *wide, "--out", table, "--report", page)
    assert done.status == 0 and lowest(table) == 0
    assert "the 3 series are recognised as counts" in done.err
    assert "<dt>Kind</dt><dd>count (recognised)</dd>" in page.read_text(
        encoding="utf-8"
    )
    done = run(
        "forecast",
        sales,
        "-H",
        8,
        *wide,
        "--out",
        table,
        "--cutoffs",
        0,
        "--kind",
        "real",
    )
    assert done.status == 0 and lowest(table) < 0
    assert "recognised" not in done.err
    held_out = tmp_path / "held-out.csv"
    assert run("backtest", sales, "-H", 8, "--out", held_out).status == 0
    assert lowest(held_out) == 0


def test_check_and_json_say_the_kind(run, sales):
    done = run("check", sales, "--kind", "count")
    assert done.out.splitlines()[0].endswith("2024-02-29, declared count")
    assert "recognised as counts" in run("check", sales).out
    about = json.loads(run("check", sales, "--json").out)["data"]
    assert (about["kind"], about["kinds"], about["kind_declared"]) == (
        "count",
        {"count": 3},
        False,
    )
    about = json.loads(run("check", sales, "--kind", "real", "--json").out)["data"]
    assert (about["kind"], about["kinds"], about["kind_declared"]) == (
        "real",
        {"real": 3},
        True,
    )


def test_predict_goes_on_with_the_kind_and_may_be_told_another(run, sales, tmp_path):
    model, table = tmp_path / "model", tmp_path / "forecast.csv"
    run("forecast", sales, "-H", 8, "--cutoffs", 0, "--save", model)
    assert "count: 3" in run("info", model).out
    newer = written(
        tmp_path / "newer.csv", {"p0": [1, 0], "p1": [30, 40]}, start="2024-03-01"
    )
    done = run(
        "predict", "--model", model, newer, "--level", 99, "--out", table, "--json"
    )
    assert done.status == 0 and lowest(table) == 0
    told = json.loads(done.out)
    assert told["panel"]["kinds"] == {"count": 2}
    assert "counts" in [finding["rule"] for finding in told["findings"]]
    done = run("predict", "--model", model, newer, "--out", table, "--kind", "real")
    assert done.status == 0 and lowest(table) < 0


def test_a_report_says_how_many_series_are_of_which_kind(tmp_path):
    panel = lc.read({"a": demand(1), "b": demand(1) + 100.5, "c": demand(1) + 200.5})
    report = lc.Report.from_forecast(lc.LSTMForecaster(3).predict(panel), panel)
    assert "<dd>1 series count, 2 series real (recognised)</dd>" in report.html()
