"""Columns beside the target on the command line, and in the jobs behind it."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network, market, plain_config
from lstmcast.jobs import ForecastJob, Source


@pytest.fixture
def shop(tmp_path):
    panel, place = market(products=2, length=60), tmp_path / "shop.csv"
    rows = zip(
        np.concatenate([panel.times(i) for i in range(2)]).astype("datetime64[D]"),
        np.repeat(panel.ids, panel.lengths),
        panel.values.round(3),
        panel.covariates.past["f0"].round(3),
        panel.covariates.past["f1"].round(3),
        strict=True,
    )
    lines = [
        "day,product,sold,visits,price",
        *(",".join(map(str, row)) for row in rows),
    ]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def test_the_command_trains_a_network_that_reads_them(run, shop, tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    folder = tmp_path / "model"
    small = ("--weights", "scratch", "--layers", "4", "--epochs", "2")
    done = run(
        "fit", shop, "-H", "2", "-m", folder, *small, "--past", "visits,price", "-q"
    )
    assert done.status == 0, done.err
    model = lc.load(folder)
    assert model.past == ("visits", "price") and model.config.layers == (4,)
    assert run("predict", "-m", folder, shop).status == 0
    told = run("predict", "-m", folder, shop, "--json").json
    assert told["data"]["past"] == ["visits", "price"]
    other = run("predict", "-m", folder, shop, "--past", "sold")
    assert (
        other.status == 2 and "reads 'visits' and 'price' with the target" in other.err
    )
    less = tmp_path / "less.csv"
    less.write_text(
        "\n".join(line.rpartition(",")[0] for line in shop.read_text().splitlines()),
        encoding="utf-8",
    )
    without = run("predict", "-m", folder, less)
    assert (
        without.status == 1
        and "no column 'price' for the past covariate" in without.err
    )
    tested = run(
        "backtest",
        shop,
        "-H",
        "1",
        *small,
        "--past",
        "visits",
        "--past",
        "price",
        "--json",
    )
    assert tested.status == 0 and tested.json["data"]["past"] == ["visits", "price"]


def test_a_series_without_values_in_a_column_stops_no_training(run, shop, tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    lines = shop.read_text(encoding="utf-8").splitlines()
    cells = [line.split(",") for line in lines]
    blank = [[*row[:3], "" if row[1] == "p1" else row[3], row[4]] for row in cells]
    shop.write_text("\n".join(map(",".join, blank)) + "\n", encoding="utf-8")
    small = (
        "--weights",
        "scratch",
        "--layers",
        "4",
        "--epochs",
        "2",
        "--target",
        "sold",
    )
    read = ("--past", "visits", "--json")
    done = run("fit", shop, "-H", "2", "-m", tmp_path / "model", *small, *read)
    assert done.status == 0, done.err
    assert "series 'p1': no value of the past column 'visits' is known" in done.err
    assert done.json["accuracy"] is not None


def test_the_check_shows_what_is_read_beside_the_target(run, shop):
    done = run("check", shop, "--past", "visits,price")
    assert done.status == 0 and done.out.splitlines()[0].endswith("past: visits, price")


def test_a_shipped_network_that_is_trained_reads_no_columns(run, shop, tmp_path):
    done = run(
        "fit", shop, "-H", "2", "-m", tmp_path / "model", "--past", "visits,price"
    )
    assert done.status == 2 and "this network does not read any" in done.err
    assert "--weights scratch --past visits,price" in done.err


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_the_network_alone_reads_no_columns(run, shop, command):
    alone = ("--method", "network") if command == "forecast" else ()
    done = run(
        command, shop, "-H", "2", "--target", "sold", *alone, "--past", "visits,price"
    )
    assert done.status == (2 if alone else 0), done.err
    assert not alone or "use --method auto without training" in done.err


def test_a_cause_that_leads_is_read_by_the_linear_map(run, tmp_path):
    rng = np.random.default_rng(0)
    gas = np.convolve(rng.normal(size=260), np.ones(4) / 4, "same")
    power = 50 + 5 * np.r_[np.zeros(3), gas[:-3]] + rng.normal(0, 0.05, 260)
    rows = [
        f"{t},{p:.4f},{g:.4f}" for t, (p, g) in enumerate(zip(power, gas, strict=True))
    ]
    place = tmp_path / "power.csv"
    place.write_text("\n".join(["t,power,gas", *rows[:250]]) + "\n", encoding="utf-8")
    asked = ("-H", "3", "--target", "power", "--time", "t", "--cutoffs", "0", "--json")
    with_it = run("forecast", place, *asked, "--past", "gas").json
    without = run("forecast", place, *asked).json
    errors = [
        np.abs(np.array(one["forecast"]["forecast"]) - power[250:253]).mean()
        for one in (with_it, without)
    ]
    assert errors[0] < 0.3 * errors[1]
    assert with_it["combination"]["linear map"] > 0.3
    folder = tmp_path / "model"
    run("forecast", place, *asked, "--past", "gas", "--save", folder)
    again = run("predict", "-m", folder, "--json").json
    assert again["forecast"] == with_it["forecast"]


def test_a_job_reads_the_columns_of_its_model(shop):
    config = plain_config(
        inputs=lc.Transformed(lc.Standard(), past=["visits"]), horizon=2
    )
    model = lc.LSTMForecaster(2, weights=drawn_network(config))
    result = ForecastJob(model, Source(shop, target="sold"), 0).run()
    assert list(result.panel.covariates.past) == ["visits"]
    assert result.document()["data"]["past"] == ["visits"]
