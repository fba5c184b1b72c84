"""The command line as a person meets it: results, notes, exit statuses, files whole or absent."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import lstmcast
from lstmcast import jobs
from lstmcast.cli import console
from lstmcast.cli.commands import common
from lstmcast.cli.options.output import Output
from lstmcast.data.findings import OUTLIERS, Finding
from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.errors import ModelError
from lstmcast.fitted import Fitted
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.model import heads
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.specification import checked_quantiles
from lstmcast.training_config import TrainingConfig

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"
OWN_MODEL = common.forecaster_for  # of the commands, before a stand-in takes its place


@dataclass(frozen=True)
class LastSeason:
    """A stand-in for the network: the last season again, with bounds."""

    horizon: int
    quantiles: tuple[float, ...] = QUANTILES
    training: object = None
    past: object = ()
    static: object = ()
    method: object = "auto"
    name: str = "last season"

    def predict(self, panel, horizon=None, *, cutoffs=None):
        steps, origins = (
            checked_horizon(horizon, self.horizon),
            origins_of(panel, cutoffs),
        )
        season = panel.periods[0]
        point = np.array(
            [
                np.resize(panel.series(s)[:c][-season:], steps)
                for s, c in zip(*origins, strict=True)
            ]
        )
        levels = self.quantiles or QUANTILES
        offsets = np.interp(levels, QUANTILES, [-20, -10, 0, 10, 20])
        return Forecast.at_origins(
            panel, origins, point, point[:, :, None] + offsets, levels
        )


@pytest.fixture
def run(run, monkeypatch):
    """Run a command with the stand-in for the network."""
    monkeypatch.setattr(common, "forecaster_for", LastSeason)
    return run


@pytest.fixture
def shell():
    """Run a command as its own process."""

    def invoke(*arguments, **options) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "lstmcast", *map(str, arguments)]
        return subprocess.run(
            command, **{"capture_output": True, "text": True, "timeout": 120, **options}
        )

    return invoke


def sales(place: Path, rows: int = 60, text: str | None = None) -> Path:
    lines = [
        f"{2015 + i // 12}-{i % 12 + 1:02}-01,{100 + i + 20 * (i % 12 == 11)}"
        for i in range(rows)
    ]
    place.write_text(
        text if text is not None else "\n".join(["month,sales", *lines]) + "\n",
        encoding="utf-8",
    )
    return place


# ---------------------------------------------------------------- forecast


def test_forecast_says_what_was_read_how_good_it_is_and_what_comes(run):
    done = run("forecast", AIRLINE, "--horizon", 12)
    assert done.status == 0
    assert (
        "airline.csv: 144 rows, 1 series, 144 values, monthly (month starts), 1949-01-01 to "
        "1960-12-01" in done.err
    )
    assert "line 147" in done.err
    assert "seasonal naive" in done.out
    assert "MAE" in done.out
    assert re.search(r"1961-01-01 +417\.0 +407\.0 … 427\.0 +397\.0 … 437\.0", done.out)
    assert "airline.csv" not in done.out  # notes are on the other stream


def test_quiet_says_nothing_but_the_result(run):
    done = run("forecast", AIRLINE, "-H", 3, "--quiet", "--cutoffs", 0)
    assert done.err == ""
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "Month",
        "1961-01-01",
        "1961-02-01",
        "1961-03-01",
    ]


def test_of_many_series_the_first_steps_of_the_first_ones_are_shown(run, tmp_path):
    names = [f"shop {k:02}" for k in range(40)]
    rows = [
        f"{2020 + i // 12}-{i % 12 + 1:02},{name},{i + k}"
        for k, name in enumerate(names)
        for i in range(30)
    ]
    done = run(
        "forecast",
        sales(tmp_path / "s.csv", text="\n".join(["month,shop,y", *rows])),
        "-H",
        8,
        "--cutoffs",
        0,
    )
    first, *table, last = done.out.splitlines()
    assert [line.split("  ")[0] for line in table] == [
        name for name in names[:10] for _ in range(3)
    ]
    assert "2022-07-01" in table[0] and "2022-09-01" in table[-1]
    assert (
        last == "… 290 more rows; --out forecast.csv writes all"
        and "80% interval" in first
    )


@pytest.mark.parametrize(("series", "horizon"), [(20, 1), (15, 2), (2, 15), (5, 6)])
def test_a_table_that_has_room_is_shown_whole(series, horizon):
    point = np.ones((series, horizon))
    ids, times = (
        np.array([f"s{i}" for i in range(series)], object),
        np.tile(np.arange(horizon), (series, 1)),
    )
    text = console.forecast_table(
        Forecast(
            ids,
            np.zeros(series, int),
            times,
            point,
            point[:, :, None],
            quantile_levels=(0.5,),
        )
    )
    assert len(text.splitlines()) == 1 + series * horizon


def test_files_are_written_whole(run, tmp_path):
    out, plot = tmp_path / "f.csv", tmp_path / "f.png"
    done = run("forecast", AIRLINE, "-H", 12, "--out", out, "--plot", plot)
    assert done.status == 0
    header, first, *rest = out.read_text(encoding="utf-8").splitlines()
    assert header.split(",") == [
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
    assert first.split(",")[1:4] == ["1961-01-01", "1", "417.0"]
    assert len(rest) == 11
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv", "f.png"]
    assert f"written: {out}, {plot}" in done.err


def test_json_is_one_document_with_everything(run, tmp_path):
    done = run("forecast", AIRLINE, "-H", 12, "--json", "--out", tmp_path / "f.parquet")
    document = done.json
    assert set(document) == {
        "lstmcast",
        "data",
        "findings",
        "skipped",
        "accuracy",
        "forecast",
        "totals",
        "scenarios",
        "method",
        "combination",
        "without_forecast",
        "files",
    }
    assert document["data"]["frequency"] == "MS"
    assert document["findings"][0]["line"] == 146
    assert document["accuracy"]["verdict"]
    assert len(document["forecast"]["forecast"]) == 12
    assert document["files"] == [str(tmp_path / "f.parquet")]


def test_levels_choose_the_intervals(run):
    done = run(
        "forecast",
        AIRLINE,
        "-H",
        2,
        "--level",
        60,
        "--level",
        90,
        "--cutoffs",
        0,
        "--json",
    )
    quantiles = [name for name in done.json["forecast"] if name.startswith("q")]
    assert quantiles == ["q0.05", "q0.2", "q0.5", "q0.8", "q0.95"]


@pytest.mark.parametrize("level", [1, 99.8])
def test_the_narrowest_and_the_widest_interval_can_be_had(run, level):
    bounds = Output(level=[level]).quantile_levels()
    assert checked_quantiles(bounds) == bounds and len(bounds) == 3


def test_a_forecast_says_what_it_is_made_of(run, tmp_path):
    """With the shipped network: on the screen, in JSON, of a saved model, and not where quiet."""
    model = tmp_path / "m"
    given = ("forecast", AIRLINE, "-H", 3, "--cutoffs", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "forecaster_for", OWN_MODEL)
        done = run(*given, "--save", model)
        alone = run(*given, "--method", "network")
        named = run(*given, "--method", "seasonal naive", "--json").json
        wrong = run(*given, "--method", "guess")
        tested = run("backtest", AIRLINE, "-H", 3, "--method", "naive", "--json").json
        assert run(*given, "--quiet").out.startswith(" ")
    assert re.search(
        r"^Made of: network \d+%, seasonal naive with drift \d+%", done.out
    )
    assert "Made of" not in alone.out
    assert named["combination"] == {"network": 0.0, "seasonal naive of one year": 1.0}
    assert named["forecast"]["forecast"] == pytest.approx([417, 391, 419])
    assert wrong.status == 2 and "--method guess is not known" in wrong.err
    scores = tested["accuracy"]["scores"]
    assert "lstmcast" not in scores and "coverage_80" in scores["naive"]
    assert named["method"] == "seasonal naive of one year"
    assert re.search(r"combination:\n +network: 0\.\d+\n", run("info", model).out)
    assert (
        run("predict", "-m", model, "--method", "network", "--json").json["combination"]
        is None
    )
    again = run("predict", "-m", model, "--method", "auto").out
    assert again == done.out


def test_many_series_are_shown_in_part(run, tmp_path):
    rows = [
        f"shop {s},2020-{m:02}-01,{s * 10 + m}" for s in range(20) for m in range(1, 13)
    ]
    done = run(
        "forecast",
        sales(tmp_path / "s.csv", text="\n".join(["shop,month,sales", *rows])),
        "-H",
        6,
    )
    assert done.status == 0
    assert "shop 4" in done.out
    assert "… 90 more rows; --out forecast.csv writes all" in done.out


def test_several_files_are_read_together(run, tmp_path):
    files = [sales(tmp_path / f"{name}.csv") for name in ("north", "south")]
    done = run("forecast", *files, "-H", 2, "--cutoffs", 0)
    assert done.status == 0
    assert "2 series" in done.err
    assert "north" in done.out


def test_columns_with_other_letters(run, tmp_path):
    text = "年月,売上\n" + "\n".join(f"2024年{m}月,{m}" for m in range(1, 13))
    done = run(
        "forecast",
        sales(tmp_path / "旅.csv", text=text),
        "-H",
        2,
        "--plot",
        tmp_path / "旅.png",
    )
    assert done.status == 0
    assert "年月" in done.out
    assert (tmp_path / "旅.png").exists()
    assert "defect" not in done.err


def test_letters_that_no_font_has_are_told(run, tmp_path, monkeypatch):
    from lstmcast.util import fonts

    monkeypatch.setattr(
        fonts, "_covering", lambda families, letters: (families, letters)
    )
    text = "年月,売上\n" + "\n".join(f"2024年{m}月,{m}" for m in range(1, 13))
    done = run(
        "forecast",
        sales(tmp_path / "s.csv", text=text),
        "-H",
        2,
        "--plot",
        tmp_path / "f.png",
    )
    assert done.status == 0
    assert "no installed font has the letters 上売" in done.err


# ---------------------------------------------------------------- check, backtest, info


def test_check_finds_and_says_what_to_do(run, tmp_path):
    path = sales(tmp_path / "s.csv")
    path.write_text(path.read_text() + "2019-12-01,5\n")
    done = run("check", path)
    assert done.status == 1
    assert "cannot be used as it is" in done.out
    assert "duplicates" in done.out
    assert run("check", path, "--duplicates", "last").status == 0


def test_check_as_json(run, tmp_path):
    text = "month,sales\n2020-01-01,1\n2020-02-01,2\n2020-02-01,3\n"
    done = run("check", sales(tmp_path / "s.csv", text=text), "--json")
    assert done.status == 1
    assert done.json["data"] == {"source": "s.csv", "rows": 3, "usable": False}
    assert {finding["severity"] for finding in done.json["findings"]} >= {"error"}


def test_backtest_compares(run, tmp_path):
    done = run(
        "backtest", AIRLINE, "-H", 12, "--cutoffs", 3, "--out", tmp_path / "held.csv"
    )
    assert done.status == 0
    assert "last season" in done.out
    assert (tmp_path / "held.csv").read_text().count("\n") == 37
    assert (
        run("backtest", AIRLINE, "-H", 12, "--json").json["accuracy"]["model"]
        == "last season"
    )


def test_backtest_of_too_little_data(run, tmp_path):
    done = run(
        "backtest",
        sales(tmp_path / "s.csv", rows=5),
        "-H",
        12,
        "--out",
        tmp_path / "held.csv",
    )
    assert done.status == 1
    assert "too few" in done.out + done.err
    assert not (tmp_path / "held.csv").exists()


def test_info_shows_the_manifest(run, tmp_path):
    from lstmcast import store

    store.save(
        tmp_path / "m",
        {"horizon": 12, "columns": {"time": "Month"}},
        {"weights": {"w": np.ones(3)}},
    )
    done = run("info", tmp_path / "m")
    assert done.status == 0
    assert "horizon: 12" in done.out
    assert "time: Month" in done.out
    assert run("info", tmp_path / "m", "--json").json["model"]["columns"] == {
        "time": "Month"
    }
    assert run("info", tmp_path / "nowhere").status == 1


# ---------------------------------------------------------------- saved models


@pytest.fixture
def saved(run, tmp_path, monkeypatch) -> Path:
    """A model with a small network of chance weights, saved after the first 120 months of the
    airline data."""
    from lstmcast import forecaster
    from lstmcast import pretrained as beginning
    from lstmcast.model.network import Network, NetworkConfig, array_shapes

    config, rng = NetworkConfig(layers=(4,), horizon=12), np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.1, shape).astype("float32")
        for name, shape in array_shapes(config).items()
    }
    monkeypatch.setattr(beginning, "shipped", lambda: Network(config, [weights]))
    monkeypatch.setattr(
        common,
        "forecaster_for",
        lambda horizon, quantiles=QUANTILES, training=None, method="auto": (
            forecaster.LSTMForecaster(horizon)
        ),
    )
    lines = AIRLINE.read_text(encoding="utf-8").splitlines()
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "airline.csv").write_text("\n".join(lines[:121]))
    (tmp_path / "new" / "airline.csv").write_text(
        "\n".join([lines[0], *lines[121:145]])
    )
    done = run(
        "forecast",
        tmp_path / "old" / "airline.csv",
        "-H",
        6,
        "--save",
        tmp_path / "model",
        "--cutoffs",
        0,
    )
    assert done.status == 0, done.err
    return tmp_path / "model"


def test_predict_without_data_goes_on_from_what_was_saved(run, saved, tmp_path):
    done = run(
        "predict",
        "--model",
        saved,
        "--out",
        tmp_path / "f.csv",
        "--plot",
        tmp_path / "f.png",
    )
    assert done.status == 0, done.err
    assert (tmp_path / "f.csv").read_text().splitlines()[1].split(",")[
        1
    ] == "1959-01-01"
    assert (tmp_path / "f.csv").read_text().count("\n") == 7
    assert (tmp_path / "f.png").exists()


def test_predict_with_newer_data_equals_a_forecast_of_everything(run, saved, tmp_path):
    done = run(
        "predict", "--model", saved, tmp_path / "new" / "airline.csv", "-H", 3, "--json"
    )
    assert done.status == 0, done.err
    assert "continued" in done.err
    assert done.json["forecast"]["ds"] == ["1961-01-01", "1961-02-01", "1961-03-01"]
    whole = run("forecast", AIRLINE, "-H", 3, "--json", "--cutoffs", 0)
    np.testing.assert_allclose(
        done.json["forecast"]["forecast"], whole.json["forecast"]["forecast"], rtol=1e-6
    )


def test_predict_on_data_of_another_frequency(run, saved, tmp_path):
    days = "\n".join(f"1961-03-{day:02},{day}" for day in range(1, 29))
    (tmp_path / "new" / "airline.csv").write_text(f"Month,passengers\n{days}")
    done = run(
        "predict",
        "--model",
        saved,
        tmp_path / "new" / "airline.csv",
        "--target",
        "passengers",
    )
    assert done.status == 1
    assert "daily" in done.err
    assert "monthly" in done.err


def test_predict_on_data_without_the_column(run, saved, tmp_path):
    (tmp_path / "new" / "airline.csv").write_text(
        "Month,fares\n1961-01,5\n1961-02,6\n1961-03,7\n1961-04,7\n"
    )
    done = run("predict", "--model", saved, tmp_path / "new" / "airline.csv")
    assert done.status == 1
    assert "fares" in done.err


@pytest.mark.parametrize("months", [1, 2])
def test_predict_with_one_new_month_under_another_name(run, saved, tmp_path, months):
    lines = AIRLINE.read_text(encoding="utf-8").splitlines()
    (tmp_path / "now.csv").write_text("\n".join([lines[0], *lines[121 : 121 + months]]))
    done = run("predict", "--model", saved, tmp_path / "now.csv", "-H", 2, "--json")
    assert done.status == 0, done.err
    assert (
        "series 'airline': continued from the saved state" in done.err
        and "naive" not in done.err
    )
    (tmp_path / "whole.csv").write_text("\n".join(lines[: 121 + months]))
    whole = run("forecast", tmp_path / "whole.csv", "-H", 2, "--json", "--cutoffs", 0)
    assert done.json["forecast"]["forecast"] == whole.json["forecast"]["forecast"]
    assert done.json["forecast"]["ds"] == whole.json["forecast"]["ds"]


READING = (
    "--target",
    "nonsense",
    "--time",
    "nowhere",
    "--sheet",
    "nosheet",
    "--frequency",
    "daily",
    "--kind",
    "count",
    "--gaps",
    "error",
    "--period",
    7,
)


@pytest.mark.parametrize(
    "options",
    [READING, ("--kind", "real"), ("--series", "a", "--aggregate", "sum")],
    ids=str,
)
def test_predict_without_data_reads_nothing(run, saved, options):
    done = run("predict", "--model", saved, *options)
    assert (
        done.status == 2
        and "would have no effect: no data are read. Name newer data" in done.err
    )
    assert all(
        option in done.err for option in map(str, options) if option.startswith("--")
    )


def test_predict_takes_the_kind_that_is_given(run, saved, tmp_path):
    run(
        "forecast",
        tmp_path / "old" / "airline.csv",
        "-H",
        6,
        "--save",
        saved,
        "--cutoffs",
        0,
        "--kind",
        "count",
    )
    newer = tmp_path / "new" / "airline.csv"
    newer.write_text("Month,passengers\n1959-01,-5\n")
    target = ("--target", "passengers")
    done = run("predict", "--model", saved, newer, *target)
    assert (
        done.status == 1 and "declared count" in done.err and "--kind real" in done.err
    )
    done = run("predict", "--model", saved, newer, *target, "--kind", "real")
    assert done.status == 0, done.err


def test_predict_takes_repairs_that_are_given_even_the_usual_ones(run, saved, tmp_path):
    old = tmp_path / "old" / "airline.csv"
    run(
        "forecast",
        old,
        "-H",
        6,
        "--save",
        saved,
        "--cutoffs",
        0,
        "--missing",
        "interpolate",
        "--gaps",
        "error",
    )
    newer = tmp_path / "new" / "airline.csv"
    newer.write_text(
        "\n".join(
            line
            for line in newer.read_text().splitlines()
            if not line.startswith('"1959-05')
        )
    )
    done = run("predict", "-m", saved, newer)
    assert done.status == 1 and "1 of 24 times has no row: 1959-05-01" in done.err
    done = run("predict", "-m", saved, newer, "--gaps", "fill")
    assert done.status == 0 and "interpolated" in done.err
    done = run("predict", "-m", saved, newer, "--gaps", "fill", "--missing", "mask")
    assert done.status == 0 and "interpolated" not in done.err and "masked" in done.err


def test_predict_gives_the_intervals_that_are_asked_for(run, saved):
    done = run("predict", "--model", saved, "-H", 1, "--level", 50, "--json")
    assert done.status == 0, done.err
    assert {"q0.25", "q0.75"} <= done.json[
        "forecast"
    ].keys() and "q0.1" not in done.json["forecast"]


@pytest.fixture
def shops(tmp_path):
    """A model of sales in three shops until 2023-12, whose network needs 13 values."""
    inputs = Transformed(lstmcast.Difference(12))
    network = NetworkConfig(layers=(4,), inputs=inputs, head="point", horizon=1)
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.1, shape).astype("float32")
        for name, shape in array_shapes(network).items()
    }
    months = [f"{2020 + i // 12}-{i % 12 + 1:02}" for i in range(48)]
    rows = [f"{month},{shop},{i}.5" for shop in "abc" for i, month in enumerate(months)]
    data = tmp_path / "shops.csv"
    data.write_text("\n".join(["month,shop,sales", *rows]))
    model = lstmcast.LSTMForecaster(
        2,
        weights=Network(network, [weights]),
        training=TrainingConfig(),
    )
    model.save(tmp_path / "shops", lstmcast.read(data, series="shop"))
    return tmp_path / "shops"


def test_predict_says_in_json_what_was_continued(run, shops, tmp_path):
    newer = tmp_path / "today.csv"
    newer.write_text("month,shop,sales\n2024-02,a,7\n2024-01,new,7\n2024-02,new,8\n")
    done = run("predict", "--model", shops, newer, "--json")
    assert done.status == 0, done.err
    assert done.json["continued"] == {
        "continued": ["a"],
        "restarted": [{"series": "new", "reason": "they are new"}],
        "new": ["new"],
        "absent": ["b", "c"],
    }
    assert (
        "2 series ('b', 'c') of the saved model: not in the data, no forecast"
        in done.err
    )
    assert (
        done.json["data"] | {"rows": 3, "values": 3, "start": "2024-01-01"}
        == done.json["data"]
    )
    assert done.json["panel"]["values"] == 52 and "rows" not in done.json["panel"]
    assert {"missing steps", "too short"} <= {
        finding["rule"] for finding in done.json["findings"]
    }
    assert (
        "warning: series 'a': 1 step is missing between the saved end (2023-12-01)"
        in done.err
    )
    assert done.json["without_forecast"] == ["new"]
    whole = run("predict", "--model", shops, "--json").json
    assert (
        whole["data"] is None
        and whole["continued"] is None
        and whole["panel"]["series"] == 3
    )


def test_a_forecast_without_any_number_is_not_written(
    run, shops, tmp_path, monkeypatch
):
    def unknown(self, panel, origins, horizon, mode):
        return np.full(
            (len(origins.series), horizon, len(heads.HEAD_QUANTILES)), np.nan
        )

    monkeypatch.setattr(Fitted, "decode", unknown)
    newer, out = tmp_path / "today.csv", tmp_path / "f.csv"
    newer.write_text("month,shop,sales\n2024-01,a,7\n2024-02,a,8\n")
    out.write_text("yesterday's")
    for output in (("--out", out), ("--json",)):
        done = run("predict", "--model", shops, newer, *output)
        assert done.status == 1 and "today.csv: no series has a forecast" in done.err
        assert "error" in done.json if "--json" in output else not done.out
    assert out.read_text() == "yesterday's"


def test_predict_with_a_damaged_model(run, saved, tmp_path):
    (saved / "weights.safetensors").write_bytes(b"junk")
    done = run("predict", "--model", saved, "--out", tmp_path / "f.csv")
    assert done.status == 1
    assert "weights.safetensors" in done.err
    assert not (tmp_path / "f.csv").exists()


def test_info_of_a_saved_model(run, saved):
    done = run("info", saved)
    assert done.status == 0
    assert "frequency: MS" in done.out


# ---------------------------------------------------------------- wrong usage; bad input:
# test_bad_input.py

WRONG = [
    (["forecast", AIRLINE, "--horizon", "0"], "such as 12, got 0."),
    (["forecast", AIRLINE, "-H", "0"], "such as 12, got 0."),
    (["forecast", AIRLINE, "-H", "-1"], "such as 12, got -1."),
    (["forecast", AIRLINE, "-H", "1000000000"], "such as 12, got 1000000000."),
    (
        ["forecast", AIRLINE, "-H", "twelve"],
        "--horizon must be a whole number, got 'twelve'.",
    ),
    (
        ["forecast", AIRLINE, "--level", "80", "--level=x"],
        "--level must be a number, got 'x'.",
    ),
    (
        ["forecast", AIRLINE, "--hroizon", "3"],
        "no option --hroizon. Did you mean --horizon?",
    ),
    (
        ["forecast", AIRLINE, "--kind", "conut"],
        "Did you mean 'count'? Choose one of: real",
    ),
    (["forcast", AIRLINE], "there is no command 'forcast'. Did you mean 'forecast'?"),
    (["forecast"], "the argument DATA is missing. `lstmcast forecast --help` shows"),
    (
        ["forecast", "x.csv", "--out=a.csv", "--out", "b.csv"],
        "--out is given with several values: a.csv, b.csv. Give it once.",
    ),
    (["info", "a", "b"], "unexpected argument: b."),
    (
        ["forecast", AIRLINE, "-H", "12", "--frequency", "fortnightly-ish"],
        "fortnightly-ish",
    ),
    (
        ["forecast", AIRLINE, "-H", "12", "--kind", "complex"],
        "Choose one of: real, count, positive",
    ),
    (["forecast", AIRLINE, "-H", "12", "--duplicates", "add"], "duplicates"),
    (["forecast", AIRLINE, "-H", "12", "--period", "0"], "period"),
    (["forecast", AIRLINE, "-H", "12", "--baselines", "best"], "simple, classical"),
    (["forecast", AIRLINE, "-H", "12", "--cutoffs", "-1"], "at least 0, got -1."),
    (["forecast", AIRLINE, "-H", "12", "--level", "100"], "such as 80, got 100."),
    (
        ["forecast", AIRLINE, "-H", "12", "--level", "99.9"],
        "--level must be a percentage from 1 to 99.8, such as 80, got 99.9",
    ),
    (["forecast", AIRLINE, "-H", "12", "--level", "0.0001"], "such as 80, got 0.0001"),
    (["forecast", AIRLINE, "-H", "12", "--level", "nan"], "such as 80, got nan"),
    (
        ["forecast", AIRLINE, "-H", "12", "--cutoffs", "0", "--baselines", "classical"],
        "classical would have no effect",
    ),
    (
        ["forecast", AIRLINE, "-H", "12", "--sheet", "Sales"],
        "only workbooks such as .xlsx have sheets",
    ),
    (
        ["check", AIRLINE, "--aggregate", "sum", "--duplicates", "mean"],
        "--duplicates mean would have no effect",
    ),
    (["forecast", AIRLINE, "-H", "12", "--colour"], "--colour"),
    (
        ["backtest", AIRLINE, "-H", "12", "--cutoffs", "0"],
        "--cutoffs must be at least 1 here, got 0",
    ),
    (["predict", AIRLINE], "--model"),
    (["forecats", AIRLINE], "forecats"),
    (["check"], "DATA"),
]


@pytest.mark.parametrize(
    ("arguments", "text"), WRONG, ids=lambda value: " ".join(map(str, value))[-40:]
)
def test_wrong_usage_is_status_2(run, arguments, text):
    done = run(*arguments)
    assert done.status == 2
    assert text in done.err
    assert done.out == ""


def test_a_file_whose_name_looks_like_an_option(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-sales.csv").write_text("day,sold\n2024-01-01,3\n")
    done = run("check", "-sales.csv")
    assert done.status == 2
    assert "no option -sales.csv. If the file is meant, write ./-sales.csv." in done.err


def test_a_narrow_terminal_repeats_what_tells_rows_apart(monkeypatch):
    values = np.arange(20.0) % 4
    panel = lstmcast.Panel.from_arrays({"a": values, "b": values})
    monkeypatch.setattr(console, "terminal_columns", lambda: 24)
    text = console.forecast_table(lstmcast.Naive(2).predict(panel))
    assert [table.split()[:2] for table in text.split("\n\n")] == [
        ["unique_id", "ds"]
    ] * 3


def test_a_missing_file_with_a_near_name(run, tmp_path):
    sales(tmp_path / "sales_2020.csv")
    done = run("forecast", tmp_path / "sales_2O20.csv", "-H", 2)
    assert done.status == 1
    assert "sales_2020.csv" in done.err


@pytest.mark.parametrize("option", ["--out", "--plot", "--report", "--save"])
def test_unwritable_outputs_are_found_before_the_work(
    run, tmp_path, monkeypatch, option
):
    monkeypatch.setattr(
        jobs.Source, "read", lambda *_: pytest.fail("the data were read")
    )
    (tmp_path / "file").write_text("mine")
    for place in (
        tmp_path / "file" / "f.csv",
        tmp_path / "file.odd" if option != "--save" else tmp_path / "file",
    ):
        done = run("forecast", AIRLINE, "-H", 2, option, place)
        assert done.status == 1
        assert str(place) in done.err
    assert (tmp_path / "file").read_text() == "mine"


def test_the_data_are_never_overwritten(run, tmp_path):
    path = sales(tmp_path / "s.csv")
    before = path.read_bytes()
    done = run("forecast", path, "-H", 2, "--out", tmp_path / "." / "s.csv")
    assert done.status == 2
    assert "is the data file" in done.err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ModelError("the model is damaged"), 1, "the model is damaged"),
        (MemoryError(), 1, "not enough memory"),
        (OSError(28, "No space left on device"), 1, "the disk is full"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "a bug in lstmcast: ZeroDivisionError",
        ),
    ],
)
def test_whatever_happens_there_is_one_message(run, monkeypatch, error, status, text):
    def fail(*_):
        raise error

    monkeypatch.setattr(jobs.Source, "read", fail)
    done = run("forecast", AIRLINE, "-H", 2)
    assert done.status == status
    assert text in done.err
    assert done.out == ""


def test_stopping_it_is_no_traceback(run, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.Source, "read", stop)
    done = run("forecast", AIRLINE, "-H", 2)
    assert done.status in (1, 130)
    assert done.out == ""


# ---------------------------------------------------------------- as a process

STOPPED = """
import os, signal, sys
from pathlib import Path
from lstmcast.cli import app as cli
from lstmcast.cli.commands import common
from lstmcast.util import files
from lstmcast.evaluation.baselines import Naive

common.forecaster_for = lambda horizon, quantiles=(), training=None, method=None: Naive(horizon)
# half-way through writing
files.make_durable = lambda path: os.kill(os.getpid(), getattr(signal, sys.argv[1]))
cli.main(["forecast", *sys.argv[2:], "--horizon", "2"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_command_that_is_stopped_leaves_nothing_behind(tmp_path, name):
    command = [
        sys.executable,
        "-c",
        STOPPED,
        name,
        AIRLINE,
        "--out",
        tmp_path / "f.csv",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, 2)
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_help_names_every_command(shell):
    done = shell("--help")
    assert done.returncode == 0
    named = set(re.findall(r"^  (\w+)  ", done.stdout, re.MULTILINE))
    assert {"forecast", "check", "predict", "backtest", "info"} <= named


def test_version(shell):
    assert shell("--version").stdout == f"lstmcast {lstmcast.__version__}\n"


def test_help_names_every_choice(run):
    from typing import get_args

    from lstmcast.data import table

    text = re.sub(r"\s", "", run("forecast", "--help").out)
    for choice in (
        table.Kind,
        table.Aggregate,
        table.Duplicates,
        table.Gaps,
        table.Missing,
    ):
        assert "|".join(get_args(choice)) in text


def test_what_a_command_does_is_told_in_running_text(run):
    for command in ("forecast", "export", "example"):
        told = run(command, "--help").out.split("Arguments:")[0]
        assert not re.search(r"\S {2,}\S", told), told


def test_a_reader_that_goes_away_is_no_traceback(shell, tmp_path):
    check = f"{sys.executable} -m lstmcast check {AIRLINE} --json"
    command = f"{check} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_a_redirection(shell):
    with open("/dev/full", "w") as full:
        done = shell(
            "check", AIRLINE, stdout=full, stderr=subprocess.PIPE, capture_output=False
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the disk is full" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp932"])
def test_a_terminal_that_knows_few_letters(shell, tmp_path, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = shell("check", sales(tmp_path / "売上 ß.csv"), env=environment, text=False)
    assert done.returncode == 0
    assert b"60 rows" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp932", "utf-8"])
def test_json_can_be_read_whatever_a_terminal_knows(shell, tmp_path, encoding):
    """By whoever takes it as UTF-8, as JSON should be."""
    path = sales(tmp_path / "売上 ß.csv")
    done = shell(
        "check",
        path,
        "--json",
        env={**os.environ, "PYTHONIOENCODING": encoding},
        text=False,
    )
    assert json.loads(done.stdout.decode("utf-8"))["data"]["source"] == "売上 ß.csv"
    assert done.stdout.isascii() == (encoding != "utf-8")  # readable where it can be


def test_the_forecast_that_is_recommended_can_be_asked_for(run, tmp_path):
    """What the verdict says is better comes with --method, as its text says."""
    rng = np.random.default_rng(3)
    values = enumerate(rng.normal(50, 5, 60))
    rows = [f"{2000 + m // 12}-{m % 12 + 1:02},{value:.3f}" for m, value in values]
    data = tmp_path / "d.csv"
    data.write_text("\n".join(["month,y", *rows]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "forecaster_for", OWN_MODEL)
        told = run("backtest", data, "-H", 4, "--method", "naive").out
        asked = re.search(
            r"^--method (.+) uses the (.+) forecast\.$", told, re.MULTILINE
        )
        assert asked is not None
        name = asked[1].strip('"')
        given = run("forecast", data, "-H", 4, "--method", name, "--json").json
    assert given["method"].startswith(asked[2])
    assert given["accuracy"]["model"] == asked[2]
    assert given["accuracy"]["reference"] != asked[2]
    assert {"q0.1", "q0.9"} <= set(given["forecast"])


def test_totals_come_on_the_screen_in_json_and_beside_the_file(run, tmp_path):
    out = tmp_path / "f.csv"
    given = ("forecast", AIRLINE, "-H", 12, "--cutoffs", 0)
    done = run(*given, "--total", "quarter", "--out", out)
    assert (
        "Totals:\nquarter" in done.out
        and f"written: {out}, {tmp_path / 'f.totals.csv'}" in (done.err)
    )
    table = (tmp_path / "f.totals.csv").read_text("utf-8").splitlines()
    assert table[0].startswith("unique_id,ds,series,steps,complete,total,q0.025")
    assert len(table) == 5
    document = run(*given, "--total-by", "all", "--json").json
    assert len(document["totals"]["total"]) == 12
    assert run(*given, "--json").json["totals"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--total", "fortnight"), "--total 'fortnight' is not a time span"),
        (("--total", "day"), "a step of these data is longer"),
        (("--total-by", "shop"), "'shop' is not a column that names series"),
        (("--until", "1955"), "is not after the data, which end with 1960-12-01"),
        (("--until", "Christmas"), "'Christmas' cannot be read. Give a date"),
        (("--until", "1961", "-H", 3), "both set how far to forecast"),
        (("--until", "99999"), "are possible"),
    ],
)
def test_totals_and_dates_that_cannot_be_are_refused(run, monkeypatch, options, said):
    monkeypatch.setattr(
        LastSeason, "predict", lambda *_, **__: pytest.fail("it was forecast")
    )
    done = run("forecast", AIRLINE, *options)
    assert done.status == 2 and said in done.err


def test_how_far_is_said_by_a_date_or_is_a_season(run):
    until = run("forecast", AIRLINE, "--until", "1961-05-31", "--json").json
    assert until["forecast"]["ds"][-1] == "1961-05-01"
    done = run("forecast", AIRLINE)
    assert "12 steps are forecast, one season. Change this with --horizon N" in done.err
    assert "1961-12-01" in done.out and "1962-01-01" not in done.out
    told = run("backtest", AIRLINE, "--json", "--held-out", "-q").json
    assert len(told["accuracy"]["held_out"]["ds"]) == 60


def test_a_saved_model_forecasts_up_to_a_date(saved, run):
    done = run(
        "predict", "-m", saved, "--until", "1962-01", "--total", "horizon", "--json"
    ).json
    assert (
        done["forecast"]["ds"][-1] == "1962-01-01" and len(done["totals"]["total"]) == 1
    )


def test_a_table_on_standard_output_is_alone_there(run):
    done = run("forecast", AIRLINE, "-H", 3, "--out", "-", "--total", "horizon")
    lines = done.out.splitlines()
    assert lines[0].startswith("unique_id,ds,step,forecast,q0.025") and len(lines) == 4
    assert "Accuracy on held-out data" in done.err
    both = run("forecast", AIRLINE, "-H", 3, "--out", "-", "--json")
    assert both.status == 2 and "both write to standard output" in both.err


@pytest.mark.parametrize("ending", ["jsonl", "csv.gz", "xlsx"])
def test_other_files(run, tmp_path, ending):
    out = tmp_path / f"f.{ending}"
    done = run(
        "forecast", AIRLINE, "-H", 3, "--cutoffs", 0, "--out", out, "--total", "quarter"
    )
    assert done.status == 0, done.err
    if ending == "jsonl":
        first = json.loads(out.read_text("utf-8").splitlines()[0])
        assert first["ds"] == "1961-01-01" and first["step"] == 1
        assert (
            json.loads((tmp_path / "f.totals.jsonl").read_text("utf-8"))["steps"] == 3
        )
    elif ending == "csv.gz":
        assert gzip.decompress(out.read_bytes()).startswith(
            b"unique_id,ds,step,forecast"
        )
        assert (tmp_path / "f.totals.csv.gz").exists()
    else:
        assert openpyxl.load_workbook(out).sheetnames[-2:] == ["Totals", "Data notes"]
        assert [path.name for path in tmp_path.iterdir()] == ["f.xlsx"]


def test_a_place_for_totals_is_checked_before_the_work(run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        jobs.Source, "read", lambda *_: pytest.fail("the data were read")
    )
    (tmp_path / "f.totals.csv").mkdir()
    done = run(
        "forecast", AIRLINE, "-H", 3, "--out", tmp_path / "f.csv", "--total", "month"
    )
    assert (
        done.status == 1 and "f.totals.csv" in done.err and "it is a folder" in done.err
    )


def test_what_is_wrong_is_said_together(run, tmp_path):
    done = run(
        "forecast", AIRLINE, "--out", "a.foo", "--plot", "b.bar", "--report", "c.baz"
    )
    assert done.status == 1 and {"a.foo", "b.bar", "c.baz"} <= set(
        re.findall(r"'(.+?)'", done.err)
    )
    options = ("--epochs", 0, "--seed", -1, "--device", "tpu")
    done = run("fit", AIRLINE, "-m", tmp_path / "m", *options)
    assert done.status == 2
    assert all(
        said in done.err for said in ("--epochs must", "--seed must", "--device 'tpu'")
    )


def test_pictures_of_chosen_series_and_their_components(run, tmp_path):
    rows = [
        f"shop {s},2020-{m:02}-01,{s * 10 + m}" for s in range(9) for m in range(1, 13)
    ]
    data = tmp_path / "d.csv"
    data.write_text("\n".join(["store,month,sales", *rows]))
    pdf, png = tmp_path / "p.pdf", tmp_path / "c.png"
    given = ("forecast", data, "-H", 3, "--cutoffs", 0)
    assert (
        run(*given, "--plot", pdf, "--components", png, "--dark", "--unit", "t").status
        == 0
    )
    assert b"/Count 2" in pdf.read_bytes() and png.read_bytes().startswith(b"\x89PNG")
    done = run(*given, "--plot", pdf, "--plot-series", "shop 8")
    assert done.status == 0 and b"/Count 1" in pdf.read_bytes()
    wrong = run(*given, "--plot", pdf, "--plot-series", "shop 99")
    assert wrong.status == 2 and "There is no series 'shop 99' to draw" in wrong.err


def test_an_outlier_is_told_where_not_all_findings_are():
    notes = [Finding("reading", "note", f"note {k}") for k in range(6)]
    outlier = Finding(OUTLIERS, "note", "1 unusual value")
    lines = console.finding_lines([*notes, outlier], limit=3)
    told = [line.split(maxsplit=1)[1] for line in lines[:3]]
    assert told == ["note 0.", "note 1.", "1 unusual value."]
    assert "and 4 more" in lines[3]
