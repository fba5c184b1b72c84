"""The example `stocks`: the shapes it prints are those of the network, and learning shows where
the rule changes."""

from __future__ import annotations

import contextlib
import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import lstmcast as lc
from example_runs import undrawn
from lstmcast import articles, windows
from lstmcast.articles import stocks, stocks_pictures, stocks_prices, stocks_shapes
from lstmcast.articles.measures import Measure, rmse
from lstmcast.articles.runs import ExampleRun
from lstmcast.errors import DataError
from lstmcast.model.inputs import Running, Transformed
from lstmcast.model.lstm import Cell
from lstmcast.model.network import NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.stream import Stream
from lstmcast.training.module import NetworkModule
from lstmcast.training_config import Validation

SMALL = replace(
    stocks.OURS,
    layers=(8,),
    epochs=2,
    trained=4,
    stocks=60,
    ticks=400,
    change=200,
    stops=150,
)

SP500 = Path(__file__).parents[2] / "shared" / "data" / "jaungiers_sp500.parquet"


def simulated():
    """The prices of a small run."""
    assert SMALL.change is not None
    return stocks.simulated(0, SMALL.stocks, SMALL.ticks, SMALL.change)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One small run: its folder and its measures."""
    folder = tmp_path_factory.mktemp("stocks")
    to = ExampleRun(folder, example="stocks", quiet=True)
    prices = stocks_prices.panel_of(simulated())
    history = stocks_shapes.history(prices, SMALL.trained)
    shapes = stocks_shapes.train_shapes(to, SMALL, history, 0)
    return folder, [*stocks.stream(to, SMALL, prices, 0), *shapes]


def rows(path):
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_learning_is_better_after_the_change_and_a_copy_that_stopped_is_worse_than_naive(
    done,
):
    errors = {row.measure: row.value for row in done[1]}

    def of(period):
        who = ("learning", "no longer learning", "naive")
        return [errors[f"RMSE in % of the price, {name}, {period}"] for name in who]

    learning, stopped, naive = of("from 100 ticks after it")
    assert learning < 0.97 * naive < 1.1 * naive < stopped
    learning, stopped, naive = of("before the change")
    assert max(learning, stopped) < naive


def test_the_rule_itself_is_the_least_error_that_there_can_be(done):
    errors = {row.measure: row.value for row in done[1]}
    share, least = (
        errors[f"error / naive error, {who}, from 100 ticks after it"]
        for who in ("learning", "who knows the rule")
    )
    assert share == pytest.approx(
        errors["RMSE in % of the price, learning, from 100 ticks after it"]
        / errors["RMSE in % of the price, naive, from 100 ticks after it"]
    )
    assert least == pytest.approx(np.sqrt(1 - 0.6**2), abs=0.02) and least < share < 1
    log = (done[0] / "log.txt").read_text(encoding="utf-8")
    assert "The network has learned the new rule" in log


def test_a_network_that_learns_nothing_is_said_to_have_learned_nothing():
    learned, not_learned = (
        stocks.verdict([Measure("learning", value, 1.0), Measure("rule", 0.8, 1.0)])
        for value in (0.82, 1.01)
    )
    assert "has learned the new rule: its error is 82.0% of" in learned
    assert "has not learned the new rule: its error is 101.0% of" in not_learned


def test_several_ticks_are_forecast_from_the_state_of_the_stream(done):
    table = rows(done[0] / "ahead.csv")
    assert [row["ticks_ahead"] for row in table] == ["1", "2", "3", "4", "5"]
    columns = {name: [float(row[name]) for row in table] for name in table[0]}
    assert list(columns) == ["ticks_ahead", "learning", "stopped", "shipped", "naive"]
    prices = simulated()
    origins = range(SMALL.ticks - 60, SMALL.ticks - 4, 5)
    moves = [prices[tick : tick + 5] / prices[tick - 1] - 1 for tick in origins]
    naive = 100 * np.sqrt(np.mean(np.square(moves), axis=(0, 2)))
    np.testing.assert_allclose(columns["naive"], naive)
    assert columns["learning"][0] < columns["naive"][0] < columns["stopped"][0]
    # it reads the rule from the history
    assert columns["shipped"][4] < columns["naive"][4]
    errors = {row.measure: row.value for row in done[1]}
    assert errors[
        "RMSE in % of the price, shipped network, 5 ticks ahead"
    ] == pytest.approx(columns["shipped"][4])


def test_the_shipped_network_forecasts_as_after_the_whole_of_what_it_read():
    prices = stocks_prices.panel_of(stocks.simulated(0, 3, 300, 300))
    ahead = stocks.Ahead((280, 285), {})
    stocks.follow_shipped(prices, ahead)
    for origin, forecast in zip(ahead.origins, ahead.forecasts["shipped"], strict=True):
        read = prices.until([origin] * 3).since(280 - stocks.READ)
        expected = lc.LSTMForecaster(stocks.AHEAD, method="network").predict(read).point
        np.testing.assert_allclose(forecast, expected, rtol=1e-5)


def test_it_leaves_pictures_tables_a_model_and_the_network_with_its_rows(done):
    folder, measures = done
    assert {path.stem for path in folder.glob("*.png")} == {
        "ahead",
        "error",
        "stocks",
        "speed",
    }
    errors, table = rows(folder / "errors.csv"), rows(folder / "stocks.csv")
    assert len(errors) == SMALL.ticks and len(table) == SMALL.stocks
    stream = Stream.load(folder / "online")
    np.testing.assert_allclose(stream.predict(), [float(row["next"]) for row in table])
    assert lc.load(folder / "model").predict().point.shape == (SMALL.trained, 1)
    assert all(np.isfinite(row.value) and row.seconds > 0 for row in measures)


def test_the_printed_shapes_are_those_of_the_network(done):
    printed = {row["name"]: row for row in rows(done[0] / "shapes.csv")}
    panel = stocks_shapes.history(stocks_prices.panel_of(simulated()), SMALL.trained)
    model = stocks_shapes.forecaster(
        SMALL, stocks_shapes.schemes(False)["many-to-one"], 0
    )
    ends = Validation(share=0.3).training_ends(panel.lengths, 1)
    data, _ = model.config.inputs.data(panel, ends)
    samples = int(
        windows.window_counts(windows.split_of(data), stocks_shapes.LOOK_BACK).sum()
    )
    module = NetworkModule(
        NetworkConfig(SMALL.layers, inputs=Transformed(), head="point", horizon=1)
    )
    x = torch.zeros(samples, stocks_shapes.LOOK_BACK, 1)
    hidden, _ = module.hidden(x)
    every, last = module.raw(hidden, x), module.raw(hidden[:, -1], x[:, -1])
    assert (
        printed["many-to-one"]["inputs"]
        == printed["many-to-many"]["inputs"]
        == str(tuple(x.shape))
    )
    assert printed["many-to-many"]["lstm"] == str(tuple(hidden.shape))
    assert printed["many-to-one"]["lstm"] == str(tuple(hidden[:, -1].shape))
    assert printed["many-to-many"]["dense"] == str(tuple(every.shape[:3]))
    assert printed["many-to-one"]["dense"] == str(tuple(last.shape[:2]))


def test_the_articles_sizes():
    faithful, schemes = stocks.FAITHFUL, stocks_shapes.schemes(True)
    assert (faithful.layers, faithful.epochs, faithful.batch, faithful.stocks) == (
        (4,),
        100,
        1,
        400,
    )
    assert not schemes["many-to-one"].shuffle
    assert faithful.cell == Cell(recurrent_activation="hard_sigmoid")
    assert (faithful.learning.chunk, faithful.learning.learning_rate) == (1, 1e-3)
    for batching in schemes.values():
        assert (
            stocks_shapes.forecaster(faithful, batching, 0).config.cell == faithful.cell
        )
    stateful = schemes["stateful, many-to-one"]
    assert (stateful.chunk, stateful.stride, stateful.reset, stateful.loss) == (
        3,
        1,
        "epoch",
        "last",
    )


def test_prices_are_correlated_seeded_and_their_rule_turns_round():
    prices = stocks.simulated(0)
    assert prices.shape == (2000, 400) and (prices > 0).all()
    np.testing.assert_array_equal(prices, stocks.simulated(0))
    assert (prices != stocks.simulated(1)).any()
    returns = np.diff(np.log(prices), axis=0)
    assert 0.1 < np.corrcoef(returns[:, :50].T)[np.triu_indices(50, 1)].mean() < 0.5
    halves = [
        np.mean(part[2:] * part[:-2]) / np.mean(part**2)
        for part in (returns[:990], returns[1010:])
    ]
    np.testing.assert_allclose(halves, [0.6, -0.6], atol=0.05)


def test_the_texts_of_the_pictures_are_translated():
    source = Path(stocks_pictures.__file__).read_text(encoding="utf-8")
    used = {text for text in stocks.JAPANESE if source.count(f'"{text}"') >= 2}
    assert used == set(stocks.JAPANESE)


@pytest.mark.skipif(
    not SP500.exists(), reason="the S&P 500 series is no part of the project"
)
def test_a_real_index_is_followed_without_harm():
    daily = lc.read(str(SP500), target="Close").values
    prices = daily[~np.isnan(daily)][-500:]  # trading days
    config = NetworkConfig((8,), inputs=Running("returns"), head="point", horizon=1)
    stream = Stream(config, ["S&P 500"], learning=Learning())
    done, _ = stocks.follow(stream, prices[:, None], stops=250)
    learning, naive = (
        rmse(part[250:], np.zeros(1)) for part in (done.learning, done.naive)
    )
    assert stream.skipped == 0 and stream.updates > 400
    assert learning < 1.1 * naive  # there is little to learn in it, and little is lost


# A reader's own prices


def own(ticks=260, columns=3):
    """Prices of sizes far apart, on the days of trading."""
    rng = np.random.default_rng(3)
    sizes = np.array([0.007, 1.3, 5000.0])[:columns]
    walks = np.exp(np.cumsum(rng.normal(0, 0.01, (ticks, columns)), axis=0))
    days = np.busday_offset("2023-01-02", np.arange(ticks))
    return {"day": days, **{f"p{s}": sizes[s] * walks[:, s] for s in range(columns)}}


def follow_own(monkeypatch, folder, data, *, drawn=False, **given):
    """The example on these prices, with less training; without its pictures unless `drawn`."""
    monkeypatch.setattr(stocks, "OURS", replace(stocks.OURS, layers=(4,), epochs=1))
    with contextlib.nullcontext() if drawn else undrawn():
        found = articles.run("stocks", data=data, out=folder, quiet=True, **given)
    return {row.measure: row.value for row in found}


def test_own_prices_are_followed_and_nothing_is_compared_with_a_rule(
    tmp_path, monkeypatch
):
    data = own()
    found = follow_own(
        monkeypatch, tmp_path / "o", data, drawn=True, column="*", language="en"
    )
    names = list(found)
    assert names[:4] == [
        "RMSE in % of the price, learning, the second half",
        "RMSE in % of the price, naive, the second half",
        "error / naive error, learning, the second half",
        "RMSE in % of the price, no longer learning, the second half",
    ]
    assert not [name for name in names if "rule" in name or "change" in name]
    prices = np.stack([data[name] for name in ("p0", "p1", "p2")], axis=1)
    naive = np.diff(prices, axis=0) / prices[:-1]
    assert found[names[1]] == pytest.approx(
        100 * np.sqrt(np.mean(np.square(naive[129:])))
    )
    table = rows(tmp_path / "o" / "stocks.csv")
    assert [row["stock"] for row in table] == ["p0", "p1", "p2"]
    assert [float(row["last"]) for row in table] == prices[-1].tolist()
    assert Stream.load(tmp_path / "o" / "online").ids == ["p0", "p1", "p2"]
    assert len(rows(tmp_path / "o" / "errors.csv")) == 260
    log = (tmp_path / "o" / "log.txt").read_text(encoding="utf-8")
    assert "in the second half its error is" in log and "rule" not in log
    assert (tmp_path / "o" / "stocks.png").exists() and (
        tmp_path / "o" / "error.png"
    ).exists()


def test_a_missing_price_is_no_error_and_the_next_is_compared_with_the_last_known(
    tmp_path, monkeypatch
):
    """A day without any price is no tick; a stock may begin late and end early."""
    data = own(ticks=264, columns=2)
    gone = [20, 70, 150, 200]
    for name in ("p0", "p1"):
        data[name][gone] = np.nan  # holidays
    data["p0"][[100, 180]] = np.nan
    data["p1"][:40] = np.nan
    data["p1"][-30:] = np.nan
    found = follow_own(monkeypatch, tmp_path / "o", data, column=["p0", "p1"])
    assert all(np.isfinite(list(found.values())))
    ticks = np.setdiff1d(np.arange(264), gone)
    returns = []
    for name in ("p0", "p1"):
        known = data[name][ticks]
        at = np.flatnonzero(~np.isnan(known))
        back = np.diff(known[at]) / known[at[:-1]]
        returns += back[at[1:] >= 130].tolist()
    naive = found["RMSE in % of the price, naive, the second half"]
    assert naive == pytest.approx(100 * np.sqrt(np.mean(np.square(returns))))
    log = (tmp_path / "o" / "log.txt").read_text(encoding="utf-8")
    assert "any series has a price: 260; prices missing at them: 71" in log
    last = [float(row["last"]) for row in rows(tmp_path / "o" / "stocks.csv")]
    assert last == [data["p0"][-1], data["p1"][-31]]


def test_one_stock_of_a_long_table_is_enough_and_a_constant_one_does_no_harm(
    tmp_path, monkeypatch
):
    data = own(columns=1)
    steady = np.full(260, 5.0)
    long = {
        "day": np.tile(data["day"], 2),
        "name": np.repeat(["moves", "stays"], 260),
        "price": np.concatenate([data["p0"], steady]),
    }
    found = follow_own(monkeypatch, tmp_path / "long", long, faithful=False)
    assert all(np.isfinite(list(found.values())))
    history = stocks_shapes.history(
        stocks_prices.on_common_ticks(lc.read(long)), count=stocks.OURS.trained
    )
    assert set(history.ids) == {"moves", "stays"}
    assert stocks_shapes.history(history, count=1).ids.tolist() == ["moves"]
    found = follow_own(monkeypatch, tmp_path / "one", data)
    assert all(np.isfinite(list(found.values())))


def test_with_the_articles_settings_own_prices_are_read_by_four_units(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(stocks, "FAITHFUL", replace(stocks.FAITHFUL, epochs=1))
    data = own(200)
    with undrawn():
        articles.run(
            "stocks",
            data=data,
            column="*",
            faithful=True,
            out=tmp_path / "o",
            quiet=True,
        )
    network = Stream.load(tmp_path / "o" / "online").network.config
    assert network.layers == (4,) and network.cell == stocks.FAITHFUL.cell
    assert lc.load(tmp_path / "o" / "model").predict().point.shape == (1, 1)


@pytest.mark.parametrize(
    ("still", "said"),
    [
        (
            slice(0, None),
            "no price of dict of arrays changes after the first 130 ticks",
        ),
        (
            slice(129, None),
            "no price of dict of arrays changes after the first 130 ticks",
        ),
        (
            slice(0, 150),
            "no price changes both within the first 105 ticks, .* and in the 45 after",
        ),
    ],
)
def test_prices_that_do_not_move_are_refused(still, said, tmp_path):
    data = own(columns=1)
    data["p0"][still] = 7.0
    with pytest.raises(DataError, match=said):
        articles.run("stocks", data=data, out=tmp_path / "o", quiet=True)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (
            0.9,
            "has learned something of these prices: in the second half its error is 90.0%",
        ),
        (
            1.003,
            "has learned nothing that helps to forecast these prices: .* is 100.3%",
        ),
        (
            1.1,
            "does harm: in the second half its error is 110.0% of the naive forecast's",
        ),
    ],
)
def test_it_is_said_what_was_learned_of_own_prices(share, said):
    assert re.search(said, stocks.verdict_of_own(share))
