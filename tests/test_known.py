"""Columns that are known in advance: from files and frames, beyond the ends of series, through
repairs and saved contexts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast import updating
from lstmcast.data.newer import read_newer
from lstmcast.errors import DataError, UsageError
from lstmcast.saved_context import SavedContext

DAYS = pd.date_range("2024-01-01", periods=12, freq="D")
NAN = np.nan


def shop(**changed):
    """Two products, of which 8 and 10 days were sold; price and promotion are known for 12."""
    columns = {
        "day": [*DAYS, *DAYS],
        "product": ["milk"] * 12 + ["tea"] * 12,
        "sold": [*np.arange(8.0), *[NAN] * 4, *np.arange(10.0), NAN, NAN],
        "price": 1 + np.arange(24) / 10,
        "promoted": [True, False] * 12,
    }
    return pd.DataFrame({**columns, **changed})


def known(panel, name="price"):
    return panel.covariates.future.columns[name]


def texts(panel, name):
    """A column of categories by name; None where it is missing."""
    levels = panel.covariates.future.levels[name]
    codes = panel.covariates.future.columns[name]
    return [None if np.isnan(code) else levels[int(code)] for code in codes]


# ---------------------------------------------------------------- reading


def test_rows_after_the_last_value_are_coming_steps():
    panel = lc.read(shop(), target="sold", future=["price", "promoted"])
    np.testing.assert_array_equal(panel.lengths, [8, 10])
    np.testing.assert_array_equal(panel.covariates.future.lengths, [12, 12])
    np.testing.assert_allclose(known(panel), 1 + np.arange(24) / 10)
    np.testing.assert_array_equal(known(panel, "promoted"), [1, 0] * 12)
    assert repr(panel).endswith("future: price, promoted)")
    assert panel.report.recipe.future == ("price", "promoted")
    told = [
        finding
        for finding in panel.report.findings
        if finding.rule == "known in advance"
    ]
    said = (
        "'price' and 'promoted' are known for 2 to 4 steps after the last values, the fewest in "
        "series 'tea'"
    )
    assert [finding.message for finding in told] == [said]
    # they are no missing values at the end
    assert not any("are missing" in finding.message for finding in panel.check())


def test_rows_after_the_last_value_stay_missing_values_where_nothing_is_known_there():
    ended = shop().assign(price=[*np.arange(8.0), *[NAN] * 4, *np.arange(12.0)])
    panel = lc.read(ended, target="sold", future="price")
    np.testing.assert_array_equal(panel.covariates.future.lengths, [8, 12])
    assert "the last 4 values are missing" in str(panel.check())
    assert "the last 2" not in str(panel.check())


@pytest.mark.parametrize(
    "make",
    [
        lambda place: shop(),
        lambda place: shop().to_dict("list"),
        lambda place: shop().sample(frac=1, random_state=1),
        lambda place: _written(place, shop()),
        lambda place: [
            _written(place, shop()[:12], "a"),
            _written(place, shop()[12:], "b"),
        ],
    ],
    ids=["frame", "dict", "unsorted", "file", "files"],
)
def test_all_sources_have_them(make, tmp_path):
    source = make(tmp_path)
    how = {"target": "sold", "series": "product", "future": "price,promoted"}
    panel, usual = (
        lc.read(source, **how).select(["milk", "tea"]),
        lc.read(shop(), **how),
    )
    for name in ("price", "promoted"):
        np.testing.assert_allclose(known(panel, name), known(usual, name))


def _written(folder, frame, name="shop"):
    place = folder / f"{name}.csv"
    frame.to_csv(place, index=False)
    return place


def test_series_of_a_wide_table_share_them():
    wide = pd.DataFrame(
        {
            "day": DAYS,
            "milk": [*np.arange(8.0), *[NAN] * 4],
            "tea": [*np.arange(10.0), NAN, NAN],
            "holiday": ["no", "yes"] * 6,
        }
    )
    panel = lc.read(wide, target="*", future="holiday")
    assert list(panel.ids) == ["milk", "tea"]
    np.testing.assert_array_equal(panel.lengths, [8, 10])
    np.testing.assert_array_equal(known(panel, "holiday"), [0, 1] * 12)


def test_several_targets_of_a_store_share_them():
    panel = lc.read(
        shop(visits=np.arange(24.0)), target=["sold", "visits"], future="price"
    )
    assert list(panel.ids) == ["milk/sold", "milk/visits", "tea/sold", "tea/visits"]
    np.testing.assert_array_equal(panel.lengths, [8, 12, 10, 12])
    np.testing.assert_array_equal(panel.covariates.future.lengths, [12] * 4)
    np.testing.assert_allclose(known(panel)[12:24], 1 + np.arange(12) / 10)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["yes", "no"], [1, 0]),
        (["Ja", "nein"], [1, 0]),
        (["はい", "いいえ"], [1, 0]),
        (["TRUE", "FALSE"], [1, 0]),
        (["oui", ""], [1, NAN]),
    ],
)
def test_yes_and_no_are_numbers(cells, expected):
    panel = lc.read(shop(flag=cells * 12), target="sold", future="flag")
    np.testing.assert_array_equal(known(panel, "flag")[:2], expected)
    assert not panel.covariates.future.levels


def test_texts_are_categories():
    panel = lc.read(shop(state=["0", "0", "a", "b"] * 6), target="sold", future="state")
    assert panel.covariates.future.levels == {"state": ("0", "a", "b")}
    assert texts(panel, "state")[:4] == ["0", "0", "a", "b"]
    sparse = lc.read(
        shop(event=["", "", "", "Easter"] * 6), target="sold", future="event"
    )
    assert texts(sparse, "event")[2:4] == ["none", "Easter"]
    assert (
        "'event': most cells are empty. They are treated as the category 'none'"
        in str(sparse.check())
    )
    filled = lc.read(shop(event=["x", "y", "z", ""] * 6), target="sold", future="event")
    assert texts(filled, "event")[3] is None
    categories = shop(size=pd.Categorical([1, 2] * 12))
    assert lc.read(
        categories, target="sold", future="size"
    ).covariates.future.levels == {"size": ("1", "2")}


def test_text_among_numbers_is_an_error():
    frame = shop(price=[*map(str, np.arange(23.0)), "?!"])
    with pytest.raises(
        DataError, match=r"text in the future column 'price': row 24 has '\?!'"
    ):
        lc.read(frame, target="sold", future="price")
    with pytest.raises(
        DataError, match=r"the future column 'until' holds dates: 2024-01-01"
    ):
        lc.read(shop(until=[*DAYS, *DAYS]), time="day", target="sold", future="until")


def test_a_column_has_one_role():
    with pytest.raises(
        UsageError, match="'price' is named as past covariate and as future"
    ):
        lc.read(shop(), target="sold", past="price", future="price")
    with pytest.raises(
        UsageError, match="'sold' is named as target and as future covariate"
    ):
        lc.read(shop(), target="sold", future="sold")
    with pytest.raises(DataError, match="no column 'prize' for the future covariate"):
        lc.read(shop(), target="sold", future="prize")
    with pytest.raises(UsageError, match="future=3 is not a column name"):
        lc.read(shop(), target="sold", future=3)
    for nothing in ("", ",", [""]):
        with pytest.raises(UsageError, match=r"future=.* does not name a column"):
            lc.read(shop(), target="sold", future=nothing)
    with pytest.raises(
        UsageError, match="'day' is named as future covariate, but it is the only"
    ):
        lc.read(shop(), target="sold", future="day")
    with pytest.raises(DataError, match=r"row 24 has 1e\+300 in 'price'"):
        lc.read(shop(price=[*np.arange(23.0), 1e300]), target="sold", future="price")


def test_rows_of_one_period_are_reduced():
    hours = pd.date_range("2024-01-01", periods=48 * 4, freq="6h")
    frame = pd.DataFrame(
        {
            "hour": hours,
            "load": [*np.ones(40 * 4), *[NAN] * 32],
            "temperature": np.arange(48 * 4.0),
            "weather": ["rain", "sun", "sun", "fog"] * 48,
        }
    )
    panel = lc.read(
        frame,
        target="load",
        future="temperature,weather",
        aggregate="sum",
        frequency="D",
    )
    np.testing.assert_array_equal(panel.values, [4.0] * 40)
    np.testing.assert_array_equal(known(panel, "temperature"), 1.5 + 4 * np.arange(48))
    assert texts(panel, "weather") == ["sun"] * 48


def test_repeated_rows_are_reduced_as_those_of_the_target():
    twice = pd.concat([shop(), shop(price=3 + np.arange(24) / 10)])
    with pytest.raises(DataError, match="2024-01-01"):
        lc.read(twice, target="sold", series="product", future="price")
    panel = lc.read(
        twice, target="sold", series="product", future="price", duplicates="sum"
    )
    np.testing.assert_allclose(known(panel), 2 + np.arange(24) / 10)
    coming = shop().iloc[[*range(24), 23]]
    with pytest.raises(
        DataError,
        match=r"series 'tea', column 'price': two rows for 2024-01-12 \(row 24, row 25\)",
    ):
        lc.read(coming, target="sold", series="product", future="price")


def test_coming_rows_that_are_not_on_the_grid_are_an_error():
    off = shop(day=[*DAYS, *DAYS[:-1], DAYS[-1] + pd.Timedelta("5h")])
    with pytest.raises(
        DataError,
        match=r"series 'tea', column 'price': 2024-01-12 05:00 \(row 24\) is not on the grid",
    ):
        lc.read(off, target="sold", future="price")


def test_gaps_are_missing_and_the_first_rows_without_a_value_are_left_out():
    frame = shop().drop(index=[9, 15]).assign()
    frame["sold"] = frame["sold"].mask(frame["day"] == DAYS[0])
    panel = lc.read(frame, target="sold", series="product", future="price")
    np.testing.assert_array_equal(panel.lengths, [7, 9])
    own = known(panel).reshape(2, 11)
    np.testing.assert_allclose(own[0], [*1.1 + np.arange(8) / 10, NAN, 2.0, 2.1])
    assert np.isnan(own[1, 2]) and np.isfinite(own[1, 3:]).all()


# ---------------------------------------------------------------- saved contexts and newer data


def saved(panel):
    """A context as a folder gives it back."""
    context = SavedContext(panel)
    manifest = json.loads(json.dumps(context.described()))
    return SavedContext.from_saved(manifest, context.arrays())


def test_a_saved_context_keeps_them():
    whole = lc.read(shop(kind=["a", "b", "b"] * 8), target="sold", future="price,kind")
    loaded = saved(whole)
    np.testing.assert_array_equal(known(loaded.panel), known(whole))
    assert loaded.panel.covariates.future.levels == {"kind": ("a", "b")}
    assert loaded.panel.report.recipe.future == ("price", "kind")


def test_newer_data_go_on_with_them():
    context = saved(
        lc.read(shop(kind=["a", "b"] * 12), target="sold", future="price,kind")
    )
    later = pd.DataFrame(
        {
            "day": [*DAYS[8:10], *pd.date_range(DAYS[10], periods=5)],
            "product": ["milk"] * 2 + ["tea"] * 5,
            "sold": [8.0, 9.0, 10.0, 11.0, NAN, NAN, NAN],
            "price": np.arange(7.0),
            "kind": ["b", "c"] * 3 + ["b"],
        }
    )
    joined = context.join(read_newer(later, context.panel)).panel
    np.testing.assert_array_equal(joined.lengths, [10, 12])
    np.testing.assert_array_equal(joined.covariates.future.lengths, [12, 15])
    milk, tea = known(joined)[:12], known(joined)[12:]
    np.testing.assert_allclose(milk, [*1 + np.arange(8) / 10, 0, 1, 2.0, 2.1])
    np.testing.assert_allclose(tea, [*1 + np.arange(12, 22) / 10, 2, 3, 4, 5, 6])
    assert texts(joined, "kind")[7:12] == ["b", "b", "c", "a", "b"]


def test_newer_data_need_the_columns():
    context = saved(lc.read(shop(), target="sold", future="price"))
    with pytest.raises(DataError, match=r"'price' for the future covariate") as error:
        read_newer(shop().drop(columns="price"), context.panel)
    assert str(error.value).endswith("a table of its own: future_data='FILE'.")
    with pytest.raises(DataError) as error:
        read_newer(shop().rename(columns={"sold": "x"}), context.panel)
    assert "future_data=" not in str(error.value)


def test_series_that_the_newer_data_lack_keep_theirs():
    panel = lc.read(shop(), target="sold", future="price")
    context = saved(panel)
    later = shop()[shop()["product"] == "tea"].assign(sold=np.arange(12.0))
    continuation = context.join(read_newer(later, context.panel))
    absent = panel.select(["milk"])
    both = updating._covariates(continuation.panel, absent)
    np.testing.assert_array_equal(both.future.lengths, [12, 12])
    np.testing.assert_allclose(
        both.future.columns["price"][12:], 1 + np.arange(12) / 10
    )


# ---------------------------------------------------------------- commands


def test_commands_read_them(run, tmp_path):
    place = _written(tmp_path, shop(state=["a", "b"] * 12))
    both = ("--future", "price,promoted", "--future", "state")
    done = run("check", place, "--target", "sold", *both)
    assert done.status == 0, done.err
    assert "  known in advance: price, promoted, state\n" in done.out
    told = run("check", place, "--target", "sold", "--future", "price", "--json").json
    assert told["data"]["future"] == ["price"] and told["data"]["values"] == 18
    japanese = run(
        "check", place, "--target", "sold", "--future", "price", "--language", "ja"
    )
    assert "前もって分かる列：price" in japanese.out
    wrong = run("check", place, "--target", "sold", "--future", "prize")
    assert (
        wrong.status == 1 and "no column 'prize' for the future covariate" in wrong.err
    )
    assert "Did you mean 'price'?" in wrong.err


def test_commands_forecast_with_them(run, tmp_path):
    days = pd.date_range("2024-01-01", periods=60)
    price = np.random.default_rng(0).normal(5, 1, 60).round(2)
    sold = 40 - 4 * price + np.random.default_rng(1).normal(0, 1, 60)
    frame = pd.DataFrame(
        {"day": days, "sold": [*sold[:50], *[NAN] * 10], "price": price}
    )
    place, folder = _written(tmp_path, frame), tmp_path / "model"
    how = ("--target", "sold", "--future", "price")
    done = run(
        "forecast", place, "-H", "3", *how, "--cutoffs", "1", "--json", "--save", folder
    )
    assert done.status == 0, done.err
    assert done.json["forecast"]["ds"][0][:10] == "2024-02-20"
    assert run("backtest", place, "-H", "3", *how, "--cutoffs", "1").status == 0
    again = run("predict", "-m", folder, place, "--json")
    assert again.status == 0 and again.json["data"]["future"] == ["price"]
    loaded = lc.load(folder)
    np.testing.assert_allclose(known(loaded.saved_context.panel), price)


# ---------------------------------------------------------------- tables of their own


def sold(days=8):
    """The products of the shop, without their prices."""
    return (
        shop()
        .drop(columns=["price", "promoted"])
        .dropna()
        .groupby("product")
        .head(days)
    )


def plan(**changed):
    """Prices of both products, for all 12 days."""
    columns = {"day": [*DAYS, *DAYS], "product": ["milk"] * 12 + ["tea"] * 12}
    return pd.DataFrame({**columns, "price": 1 + np.arange(24) / 10, **changed})


def test_coming_values_may_have_a_table_of_their_own():
    panel = lc.read(sold(), target="sold", future_data=plan())
    np.testing.assert_array_equal(panel.lengths, [8, 8])
    np.testing.assert_allclose(known(panel), 1 + np.arange(24) / 10)
    assert lc.read(
        sold(), target="sold", future="price", future_data=plan()
    ).report.recipe.future


@pytest.mark.parametrize(
    "make",
    [
        lambda place: plan().to_dict("list"),
        lambda place: _written(place, plan(), "plan"),
        lambda place: str(_written(place, plan(), "plan")),
        lambda place: [
            _written(place, plan()[:12], "a"),
            _written(place, plan()[12:], "b"),
        ],
        lambda place: plan().rename(columns={"day": "date", "product": "what"}),
        lambda place: plan().rename(columns={"day": "Day", "product": "PRODUCT"}),
        lambda place: plan().assign(sold=NAN),
    ],
    ids=["dict", "path", "text", "files", "other names", "capitals", "with target"],
)
def test_tables_of_their_own_come_in_many_forms(make, tmp_path):
    source = make(tmp_path)
    how = {"target": "sold", "series": "product", "future": "price"}
    np.testing.assert_allclose(
        known(lc.read(sold(), **how, future_data=source)), known_plan()
    )


def known_plan():
    return 1 + np.arange(24) / 10


def test_values_of_the_past_come_from_the_data_and_coming_ones_from_the_table():
    coming = plan()[plan()["day"] > DAYS[7]]
    history = sold().assign(price=np.arange(16.0))
    panel = lc.read(history, target="sold", series="product", future_data=coming)
    expected = [
        *np.arange(8.0),
        *known_plan()[8:12],
        *np.arange(8.0, 16),
        *known_plan()[20:],
    ]
    np.testing.assert_allclose(known(panel), expected)
    # what the table says of the past counts
    panel = lc.read(history, target="sold", future="price", future_data=plan())
    np.testing.assert_allclose(known(panel), known_plan())


def test_series_share_the_rows_of_a_table_without_their_keys():
    shared = {"day": DAYS, "holiday": ["no"] * 11 + ["yes"]}
    panel = lc.read(sold(), target="sold", future_data=shared)
    np.testing.assert_array_equal(known(panel, "holiday"), [*[0] * 11, 1] * 2)


def test_series_share_the_rows_of_their_store():
    rows = [(d, s, i, 1.0) for d in DAYS[:8] for s in (7, 8) for i in ("milk", "tea")]
    items = pd.DataFrame(rows, columns=["day", "store", "item", "sold"])
    stores = pd.DataFrame(
        [(d, s, 10 * s + k) for s in (7, 8) for k, d in enumerate(DAYS)]
    )
    stores.columns = ["day", "store", "visits"]
    panel = lc.read(items, target="sold", series="store,item", future_data=stores)
    by_id = dict(
        zip(panel.ids, known(panel, "visits").reshape(4, 12)[:, 0], strict=True)
    )
    assert by_id == {"7/milk": 70, "7/tea": 70, "8/milk": 80, "8/tea": 80}
    more = pd.concat([stores, stores.assign(store=9)])
    told = lc.read(items, target="sold", series="store,item", future_data=more)
    assert "rows of 1 series that are not in the data" in str(told.report.findings)


def test_a_monthly_index_is_held_for_the_month():
    index = {
        "month": ["2023-12", "2024-01", "2024-02", "2024-03"],
        "index": [1.0, 2.0, 3.0, 4.0],
    }
    panel = lc.read(sold(), target="sold", future_data=index)
    own = known(panel, "index").reshape(2, -1)[0]
    np.testing.assert_array_equal(own, [2] * 31 + [3] * 29 + [4] * 31)
    assert (
        "'index' is monthly (month starts). Aligned: each value is repeated for its month"
        in str(panel.check())
    )
    ends = {
        "month": ["2024-01-31", "2024-02-29", "2024-03-31"],
        "index": [2.0, 3.0, 4.0],
    }
    panel = lc.read(sold(), target="sold", future_data=ends)
    np.testing.assert_array_equal(
        known(panel, "index").reshape(2, -1)[0][:60], own[:60]
    )


def test_weekly_values_are_held_for_seven_days():
    weeks = {
        "day": pd.date_range("2024-01-03", periods=3, freq="7D"),
        "rain": [1.0, 2.0, 3.0],
    }
    panel = lc.read(sold(), target="sold", future_data=weeks)
    own = known(panel, "rain").reshape(2, -1)[0]
    np.testing.assert_array_equal(own, [NAN, NAN, *[1] * 7, *[2] * 7, *[3] * 7])


def test_daily_values_are_held_for_the_hours_and_hourly_ones_averaged_for_the_day():
    hours = pd.date_range("2024-01-01", periods=50, freq="h")
    load = pd.DataFrame({"hour": hours, "load": np.arange(50.0)})
    daily = {"day": DAYS[:4], "temperature": [1.0, 2.0, 3.0, 4.0]}
    panel = lc.read(load, target="load", future_data=daily)
    np.testing.assert_array_equal(
        known(panel, "temperature"), np.repeat([1, 2, 3, 4], 24)
    )
    warm = {
        "hour": pd.date_range("2024-01-01", periods=240, freq="h"),
        "warm": np.arange(240.0),
    }
    panel = lc.read(sold(), target="sold", future_data=warm)
    np.testing.assert_array_equal(
        known(panel, "warm").reshape(2, 10)[0], 11.5 + 24 * np.arange(10)
    )
    assert "'warm' is hourly. Aligned: means over each step (daily)" in str(
        panel.check()
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            plan().iloc[[*range(24), 3]],
            r"series 'milk', column 'price': two rows for 2024-01-04",
        ),
        (plan()[:12], "has no values of 'price' for series 'tea'"),
        (
            plan(price=["1", "2"] * 11 + ["1", "?!"]),
            r"text in the future column 'price': row 24 has '\?!'",
        ),
        (
            plan(day=[*DAYS, *DAYS[:-1], DAYS[-1] + pd.Timedelta("5h")]),
            r"series 'tea', column 'price': 2024-01-12 05:00 \(row 24 of the future table",
        ),
        (
            plan(day=np.arange(24)),
            "its times are numbers, but those of the series are dates",
        ),
        (
            plan()[["price"]],
            "has no column of times, which coming values need. Name it as in the",
        ),
        (plan()[["day", "product"]], "has no column of values. Name one with future="),
        (plan().drop(columns="product"), "no column names their series"),
    ],
    ids=[
        "twice",
        "silent",
        "text",
        "off the grid",
        "numbers",
        "timeless",
        "empty",
        "keyless",
    ],
)
def test_tables_that_do_not_fit_are_refused(table, words):
    with pytest.raises(DataError, match=words):
        lc.read(sold(), target="sold", series="product", time="day", future_data=table)


def test_a_table_of_numbers_that_are_no_categories_is_refused():
    history = shop(state=["0", "a"] * 12)
    coming = {"day": DAYS, "state": [0] * 12}
    panel = lc.read(history, target="sold", series="product", future_data=coming)
    assert set(texts(panel, "state")) == {"0"}
    with pytest.raises(
        DataError, match="'state' holds categories such as '0', but numbers such a"
    ):
        other = {"day": DAYS, "state": [7] * 12}
        lc.read(history, target="sold", series="product", future_data=other)


def test_a_panel_is_no_table_of_coming_values():
    with pytest.raises(
        UsageError, match="future_data: data of type int cannot be read"
    ):
        lc.read(sold(), target="sold", future_data=7)
    with pytest.raises(UsageError, match=r"future_data=Panel.* is not a table"):
        lc.read(
            sold(), target="sold", future_data=lc.Panel.from_arrays([1.0, 2.0, 3.0])
        )


def test_commands_take_a_table_of_coming_values(run, tmp_path):
    place, coming = _written(tmp_path, sold()), _written(tmp_path, plan(), "plan")
    folder = tmp_path / "model"
    how = ("--target", "sold", "--series", "product", "--future-data", coming)
    done = run("forecast", place, "-H", "2", *how, "--cutoffs", "0", "--save", folder)
    assert done.status == 0, done.err
    refused = run("forecast", place, "-H", "2", *how, "--out", coming)
    assert refused.status == 2 and "plan.csv" in refused.err
    later = plan(price=9.0, day=[*DAYS + pd.Timedelta("8D")] * 2)
    newer = _written(tmp_path, later, "later")
    again = run("predict", "-m", folder, "--future-data", newer, "--update")
    assert again.status == 0, again.err
    np.testing.assert_array_equal(known(lc.load(folder).saved_context.panel)[8:20], 9)
    idle = run("predict", "-m", folder, "--future", "price")
    assert idle.status == 2 and "--future would have no effect" in idle.err


# ---------------------------------------------------------------- what check says


def findings(rule, data, **how):
    return [
        str(one) for one in lc.check(data, target="sold", **how) if one.rule == rule
    ]


def test_columns_that_go_on_are_suggested():
    frame = shop(
        year=2024, note=["x", "y"] * 12, visits=[*np.arange(8.0), *[NAN] * 4] * 2
    )
    said = findings("likely known in advance", frame, series="product")
    assert said == [
        "note: 'price' and 'promoted' continue after the last values of the target. If they "
        "are known in advance, use future='price,promoted'."
    ]
    assert not findings(
        "likely known in advance", frame, series="product", future="price,promoted"
    )
    one = findings(
        "likely known in advance", frame, series="product", future="promoted"
    )
    assert one[0].startswith("note: 'price' continues after the last values")
    assert not findings(
        "likely known in advance", sold().assign(price=1.0), series="product"
    )


def test_columns_that_do_not_change_within_a_series_are_suggested_as_static():
    frame = shop(size=[*[30.0] * 12, *[90.0] * 12], name=["milk"] * 12 + ["tea"] * 12)
    said = findings("likely static", frame, series="product")
    assert said == [
        "note: 'size' does not change within a series. To use it as a static column, use "
        "static='size'."
    ]
    known = findings("likely known in advance", frame, series="product")
    assert "'size'" not in known[0]


@pytest.mark.parametrize("lag", [1, 7])
def test_earlier_targets_and_constants_are_not_suggested(lag):
    values = np.random.default_rng(0).normal(50.0, 5.0, 40)
    days = pd.date_range("2024-01-01", periods=50)
    sold = pd.Series([*values, *[NAN] * 10])
    frame = pd.DataFrame({"day": days, "sold": sold, "before": sold.shift(lag)})
    frame = frame.assign(always=3.0, price=np.arange(50.0))
    said = findings("likely known in advance", frame)
    assert said[0].startswith("note: 'price' continues after the last values")


def test_categories_of_coming_steps_alone_are_told():
    events = ["no", "fair"] * 5 + ["fair", "fairr"]
    frame = shop(event=events * 2)
    said = findings("new category", frame, series="product", future="event")
    assert said == [
        "warning: series 'milk', column 'event': 'fairr' at 2024-01-12 occurs among the coming "
        "steps only. Its effect is unknown. Did you mean 'fair'?"
    ]
    assert not findings("new category", shop(event=["no", "fair"] * 12), future="event")


def test_misspelt_columns_of_coming_values_are_told():
    coming = {"day": ["2024-01-11"], "prize": [2.0], "promoted": [1]}
    said = findings("columns", shop(), future=["price", "promoted"], future_data=coming)
    assert any("'prize' was not used. Did you mean 'price'?" in one for one in said)


def test_columns_that_end_with_the_values_are_told():
    frame = shop()
    ended = frame.assign(price=frame["price"].where(frame["sold"].notna()))
    said = findings("known in advance", ended, future="price")
    assert said[0].startswith(
        "warning: 'price' is known in advance, but ends with the values."
    )
    half = frame.assign(price=[*frame["price"][:8], *[NAN] * 4, *frame["price"][12:]])
    said = findings("known in advance", half, future="price")
    assert said[0].startswith(
        "warning: 'price' is known for 0 to 2 steps after the last values, the fewest in series"
    )


def test_constant_and_missing_columns_are_told():
    frame = shop(always=3.0, state="open", price=[NAN, *np.arange(23.0)])
    said = findings(
        "constant column", frame, series="product", future="always,state,price"
    )
    assert said == [
        "warning: all values of the future column 'always' are 3. The effect of other values is "
        "unknown.",
        "warning: all values of the future column 'state' are 'open'. The effect of other values "
        "is unknown.",
    ]
    missing = findings("missing covariates", frame, series="product", future="price")
    assert missing == ["note: 1 of 18 values of the future column 'price' is missing."]


LEAKS = {
    "itself": (0, "the same information as the target (correlation 1). Leave it out"),
    "tomorrow": (1, "the same information as the target of 1 step later. Leave it out"),
    "next week": (
        7,
        "the same information as the target of 7 steps later. Leave it out",
    ),
    "yesterday": (-1, "the target of 1 step before. It is known at most 1 step ahead"),
    "last week": (
        -7,
        "the target of 7 steps before. It is known at most 7 steps ahead",
    ),
    "three ago": (-3, None),
}


@pytest.mark.parametrize("name", LEAKS)
def test_columns_that_hold_the_target_are_told(name):
    step, words = LEAKS[name]
    sold = np.random.default_rng(0).normal(50, 9, 60).round(2)
    days = pd.date_range("2024-01-01", periods=60)
    moved = pd.Series(sold).shift(-step) * 1.19 + 2
    frame = pd.DataFrame({"day": days, "sold": sold, "bill": moved})
    said = findings("leak", frame, future="bill")
    assert words in said[0] if words else not said
    past = findings("leak", frame, past="bill")
    assert bool(past) == (step > 0)


def test_a_week_that_repeats_is_no_leak():
    sold = np.tile([3.0, 5, 4, 6, 8, 9, 2], 10)
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=70), "sold": sold})
    frame["week"] = np.roll(sold, 7)
    assert "correlation 1" in findings("leak", frame, future="week")[0]
    frame["other"] = np.roll(sold, 3)
    assert not findings("leak", frame, future="other")


def test_what_is_known_in_hindsight_is_said():
    panel = lc.read(shop(), target="sold", future="promoted", hindsight="price")
    assert list(panel.covariates.future.columns) == ["promoted", "price"]
    assert panel.report.recipe.hindsight == ("price",)
    said = findings("hindsight", shop(), future="promoted", hindsight="price")
    assert said == [
        "warning: 'price' is known in hindsight only. Accuracy is measured as if coming values "
        "had been known, so it will be lower in practice."
    ]
    with pytest.raises(
        UsageError, match="'price' is named as future covariate and as hindsight"
    ):
        lc.read(shop(), target="sold", future="price", hindsight="price")
    again = read_newer(shop(), saved(panel).panel)
    assert list(again.covariates.future.columns) == ["promoted", "price"]


def test_the_command_says_what_is_known_in_hindsight(run, tmp_path):
    place = _written(tmp_path, shop())
    done = run(
        "check",
        place,
        "--target",
        "sold",
        "--series",
        "product",
        "--hindsight",
        "price",
    )
    assert done.status == 0 and "'price' is known in hindsight only" in done.out


def test_a_report_names_them(run, tmp_path):
    page = tmp_path / "report.html"
    place = _written(tmp_path, shop(sold=[*np.arange(10.0) % 7 + 20, NAN, NAN] * 2))
    how = (
        "--target",
        "sold",
        "--series",
        "product",
        "--hindsight",
        "price",
        "--report",
        page,
    )
    done = run("forecast", place, "-H", "2", *how, "--cutoffs", "0", "-q")
    assert done.status == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert "Known in advance" in text and "known in hindsight only" in text


def test_a_column_that_was_asked_for_may_be_called_as_it_likes():
    coming = plan().rename(columns={"price": "demand"})
    panel = lc.read(sold(), target="sold", future="demand", future_data=coming)
    np.testing.assert_allclose(known(panel, "demand"), known_plan())
    item = plan().rename(columns={"price": "item no"})
    panel = lc.read(
        sold(), target="sold", series="product", future="item no", future_data=item
    )
    np.testing.assert_allclose(known(panel, "item no"), known_plan())
