"""Scenarios: forecasts of the same history with other coming values, and their difference."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.errors import UsageError
from lstmcast.scenarios import with_plan

DAYS, AHEAD = 200, 14
SALE = (np.random.default_rng(0).random(DAYS) < 0.3).astype(float)


def sold(seed=0):
    rng = np.random.default_rng(seed)
    return 50 * np.exp(0.5 * SALE + rng.normal(0, 0.05, DAYS))


def planned(sale, series=("a", "b")):
    return lc.Panel.from_arrays(
        {name: sold(k) for k, name in enumerate(series)},
        frequency="D",
        start="2024-01-01",
        future={"sale": np.r_[SALE, sale]},
    )


@pytest.fixture(scope="module")
def found():
    panels = {"none": planned(np.zeros(AHEAD)), "always": planned(np.ones(AHEAD))}
    return lc.compare_scenarios(lc.LSTMForecaster(horizon=AHEAD), panels)


def test_a_sale_makes_the_difference(found):
    ratio = found.forecasts["always"].point / found.forecasts["none"].point
    np.testing.assert_allclose(ratio, np.exp(0.5), rtol=0.1)
    apart = found.differences["always"]
    assert (apart[:, :, 1] < apart[:, :, 0]).all()
    assert (apart[:, :, 0] < apart[:, :, 2]).all()


def test_the_interval_of_a_difference_is_narrower_than_that_of_a_forecast(found):
    apart = found.differences["always"]
    forecast = found.forecasts["always"].interval(80)
    width = forecast.upper - forecast.lower
    assert ((apart[:, :, 2] - apart[:, :, 1]) < width).all()


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says():
    sales = {f"s{seed}": sold(100 + seed) for seed in range(12)}
    panels = {
        name: lc.Panel.from_arrays(
            sales,
            frequency="D",
            start="2024-01-01",
            future={"sale": np.r_[SALE, np.full(AHEAD, value)]},
        ).apart()
        for name, value in (("none", 0.0), ("always", 1.0))
    }
    compared = lc.compare_scenarios(lc.LSTMForecaster(horizon=AHEAD), panels)
    true = compared.forecasts["none"].point * np.expm1(0.5)
    low, high = compared.differences["always"][:, :, 1:].transpose(2, 0, 1)
    assert ((true >= low) & (true <= high)).mean() > 0.5


def test_tables_have_a_column_for_each_scenario(found):
    columns = found.columns_dict()
    assert list(columns) == [
        *("unique_id", "ds", "step", "none", "always"),
        *("difference of always", "lower of always", "upper of always"),
    ]
    assert len(columns["none"]) == 2 * AHEAD
    assert len(found.frame("pandas")) == 2 * AHEAD
    assert "always less none" in repr(found)


def test_other_histories_cannot_be_compared():
    one, other = planned(np.zeros(AHEAD)), planned(np.zeros(AHEAD), ("a", "c"))
    with pytest.raises(UsageError, match="'x' and 'y' have different series"):
        lc.compare_scenarios(lc.LSTMForecaster(horizon=AHEAD), {"x": one, "y": other})
    with pytest.raises(UsageError, match="Give at least two"):
        lc.compare_scenarios(lc.LSTMForecaster(horizon=AHEAD), {"x": one})


# ---------------------------------------------------------------- the command


@pytest.fixture
def files(tmp_path):
    days = pd.date_range("2024-01-01", periods=DAYS + AHEAD)
    past = pd.DataFrame({"day": days[:DAYS], "sold": sold(), "sale": SALE})
    past.to_csv(tmp_path / "shop.csv", index=False)
    for name, value in (("none", 0), ("always", 1)):
        coming = pd.DataFrame({"day": days[DAYS:], "sale": value})
        coming.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_the_command_compares_plans(run, files):
    how = ("--target", "sold", "--future", "sale", "-H", "14", "--cutoffs", "0")
    plans = ("--scenario", files / "none.csv", "--scenario", files / "always.csv")
    done = run("forecast", files / "shop.csv", *how, *plans, "--out", files / "f.csv")
    assert done.status == 0, done.err
    assert "always less none" in done.out
    table = pd.read_csv(files / "f.scenarios.csv")
    assert (table["always"] > 1.3 * table["none"]).all()
    told = run("forecast", files / "shop.csv", *how, *plans, "--json").json
    assert json.dumps(told["scenarios"]["difference of always"])
    forecast = pd.read_csv(files / "f.csv")["forecast"]
    np.testing.assert_allclose(forecast, table["none"])


def test_one_plan_is_compared_with_the_data_themselves(run, files):
    whole = pd.read_csv(files / "shop.csv")
    coming = pd.read_csv(files / "none.csv")
    pd.concat([whole, coming]).to_csv(files / "whole.csv", index=False)
    how = ("--target", "sold", "--future", "sale", "-H", "14", "--cutoffs", "0")
    done = run(
        "forecast", files / "whole.csv", *how, "--scenario", files / "always.csv"
    )
    assert done.status == 0, done.err
    assert "always less as given" in done.out


def test_plans_of_one_name_are_refused(run, files):
    other = files / "other"
    other.mkdir()
    (other / "none.csv").write_bytes((files / "none.csv").read_bytes())
    how = ("--target", "sold", "--future", "sale", "-H", "14", "--cutoffs", "0")
    plans = ("--scenario", files / "none.csv", "--scenario", other / "none.csv")
    done = run("forecast", files / "shop.csv", *how, *plans)
    assert done.status == 2 or done.status == 1
    assert "two scenarios are named 'none'" in done.err


# ---------------------------------------------------------------- plans


def test_a_plan_changes_what_comes_and_nothing_else():
    panel = planned(np.zeros(AHEAD))
    other = with_plan(panel, {"sale": [1, None, 1]}, ["b"])
    for row, expected in enumerate(([0.0] * AHEAD, [1, 0, 1] + [0] * (AHEAD - 3))):
        kept = panel.covariates.future.since([row], [DAYS]).columns["sale"]
        assert kept.tolist() == [0.0] * AHEAD  # the panel itself stays
        changed = other.covariates.future.since([row], [DAYS]).columns["sale"]
        assert changed.tolist() == expected
        before = other.covariates.future.columns["sale"][
            other.covariates.future.offsets[row] :
        ]
        assert before[:DAYS].tolist() == SALE.tolist()


def test_a_plan_may_go_on_beyond_what_was_known():
    panel = lc.Panel.from_arrays(
        {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]},
        future={"kind": {"a": ["x", "y", "x"], "b": ["x", "y"]}},
    )
    future = with_plan(panel, {"kind": ["y"]}).covariates.future
    assert future.offsets.tolist() == [0, 4, 7]
    assert future.columns["kind"].tolist() == [0, 1, 0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("plan", "series", "told"),
    [
        ({"rain": [1]}, None, "no column 'rain'"),
        ({"sale": [1]}, ["c"], "no series 'c'"),
        ({"sale": ["much"]}, None, "sale='much' is not a number"),
        ({"sale": [np.inf]}, None, "is not a number"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, series, told):
    with pytest.raises(UsageError, match=told):
        with_plan(planned(np.zeros(AHEAD)), plan, series)


def test_a_category_that_the_column_does_not_have_is_refused():
    panel = lc.Panel.from_arrays([1.0, 2.0], future={"kind": ["x", "y"]})
    with pytest.raises(UsageError, match="kind='z' is not a category of the column"):
        with_plan(panel, {"kind": ["z"]})
