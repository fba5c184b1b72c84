"""Columns that do not change within a series: from the data or a table of their own, into saved
contexts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.data.newer import read_newer
from lstmcast.errors import DataError, UsageError
from lstmcast.saved_context import SavedContext
from lstmcast.updating import updated_panel

DAYS = pd.date_range("2024-01-01", periods=6, freq="D")
NAN = np.nan


def shop(**changed):
    columns = {
        "day": [*DAYS, *DAYS],
        "product": ["milk"] * 6 + ["tea"] * 6,
        "sold": np.arange(12.0) + 20,
        "shelf": [3.0] * 6 + [5.0] * 6,
        "group": ["cold"] * 6 + ["dry"] * 6,
    }
    return pd.DataFrame({**columns, **changed})


def sold():
    return shop()[["day", "product", "sold"]]


def products(**changed):
    return pd.DataFrame(
        {"product": ["tea", "milk"], "shelf": [5, 3], "group": ["dry", "cold"]}
        | changed
    )


def statics(panel):
    return panel.covariates.static


def test_columns_of_the_data_are_constant_in_each_series():
    panel = lc.read(shop(), target="sold", series="product", static=["shelf", "group"])
    np.testing.assert_array_equal(statics(panel)["shelf"], [3, 5])
    np.testing.assert_array_equal(statics(panel)["group"], [0, 1])
    assert panel.covariates.static_levels == {"group": ("cold", "dry")}
    assert repr(panel).endswith("static: shelf, group)")
    assert "static columns: shelf, group. Series with little history are" in str(
        panel.check()
    )
    np.testing.assert_array_equal(statics(panel.select(["tea"]))["shelf"], [5])
    np.testing.assert_array_equal(statics(panel.until([2, 3]))["shelf"], [3, 5])


def test_a_column_that_changes_is_an_error():
    changing = shop(shelf=[3.0] * 6 + [5.0, 5.0, 7.0, 5.0, 5.0, 5.0])
    words = (
        r"static column 'shelf' changes in series 'tea': '5' in row 7, '7' in row 9\. One value "
        r"per series is expected\. If it changes, name it with future="
    )
    with pytest.raises(DataError, match=words):
        lc.read(changing, target="sold", series="product", static="shelf")
    gaps = shop(shelf=[3.0] + [NAN] * 5 + [NAN] * 6)
    panel = lc.read(gaps, target="sold", series="product", static="shelf")
    np.testing.assert_array_equal(statics(panel)["shelf"], [3, NAN])
    assert "'shelf' is missing for 1 of 2 series: 'tea'" in str(panel.check())


@pytest.mark.parametrize(
    "table",
    [
        products(),
        products().to_dict("list"),
        products().rename(columns={"product": "Product"}),
        products().rename(columns={"product": "what"}),
        pd.concat(
            [
                products(),
                pd.DataFrame({"product": ["rum"], "shelf": [9], "group": ["dry"]}),
            ]
        ),
    ],
    ids=["frame", "dict", "capitals", "other name", "more"],
)
def test_a_table_of_their_own_has_a_row_for_each_series(table):
    panel = lc.read(sold(), target="sold", static_data=table)
    np.testing.assert_array_equal(statics(panel)["shelf"], [3, 5])
    assert panel.covariates.static_levels == {"group": ("cold", "dry")}


def test_a_table_of_stores_is_shared_by_their_series():
    rows = [(d, s, i, 30.0) for d in DAYS for s in (7, 8) for i in ("milk", "tea")]
    items = pd.DataFrame(rows, columns=["day", "store", "item", "sold"])
    stores = {"store": [7, 8], "area": [100.0, 250.0], "town": ["Ulm", "Bonn"]}
    how = {"target": "sold", "series": "store,item", "static_data": stores}
    panel = lc.read(items, **how)
    np.testing.assert_array_equal(statics(panel)["area"], [100, 100, 250, 250])
    assert list(statics(lc.read(items, **how, static="area"))) == ["area"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            products(product=["tea", "tea"]),
            r"has two rows for series 'tea' \(row 1 and 2\)",
        ),
        (products()[["shelf"]], "has no column that names the series of a row"),
        (products()[["product"]], "has no column of values"),
        (products(shelf=["5", "x"]).assign(shelf=["5", "x"]), None),
    ],
    ids=["twice", "keyless", "empty", "categories"],
)
def test_tables_that_do_not_fit_are_refused(table, words):
    if words is None:
        panel = lc.read(sold(), target="sold", static_data=table)
        assert panel.covariates.static_levels["shelf"] == ("5", "x")
        return
    with pytest.raises(DataError, match=words):
        lc.read(sold(), target="sold", static_data=table)


def test_names_that_are_nowhere_are_refused():
    with pytest.raises(DataError, match="no column 'shelve' for the static covariate"):
        lc.read(shop(), target="sold", static="shelve")
    with pytest.raises(
        UsageError, match="'shelf' is named as future covariate and as static"
    ):
        lc.read(shop(), target="sold", series="product", static="shelf", future="shelf")


def test_arrays_have_them():
    values = {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]}
    panel = lc.Panel.from_arrays(
        values, static={"area": {"b": 7, "a": 5}, "town": ["Ulm", "Bonn"]}
    )
    np.testing.assert_array_equal(statics(panel)["area"], [5, 7])
    assert panel.covariates.static_levels == {"town": ("Bonn", "Ulm")}
    with pytest.raises(
        DataError, match=r"'area' has shape \(3,\), and there are 2 series"
    ):
        lc.Panel.from_arrays(values, static={"area": [1, 2, 3]})


def test_a_saved_context_keeps_them_and_newer_data_need_none():
    panel = lc.read(shop(), target="sold", series="product", static=["shelf", "group"])
    context = SavedContext(panel)
    manifest = json.loads(json.dumps(context.described()))
    context = SavedContext.from_saved(manifest, context.arrays())
    np.testing.assert_array_equal(statics(context.panel)["shelf"], [3, 5])
    assert context.panel.covariates.static_levels == {"group": ("cold", "dry")}

    later = pd.DataFrame(
        {"day": [DAYS[-1] + pd.Timedelta("1D")], "product": ["tea"], "sold": [9]}
    )
    joined = context.join(read_newer(later, context.panel))
    np.testing.assert_array_equal(statics(joined.panel)["shelf"], [5])
    both = updated_panel(context, joined)
    by_id = dict(zip(both.ids, statics(both)["group"], strict=True))
    assert {
        name: both.covariates.static_levels["group"][int(k)]
        for name, k in by_id.items()
    } == {
        "milk": "cold",
        "tea": "dry",
    }
    more = later.assign(product="rum", shelf=4.0, group="bar")
    joined = context.join(read_newer(pd.concat([later, more]), context.panel)).panel
    np.testing.assert_array_equal(statics(joined)["shelf"], [5, 4])
    assert joined.covariates.static_levels["group"] == ("cold", "dry", "bar")


def test_commands_read_them(run, tmp_path):
    place, table = tmp_path / "shop.csv", tmp_path / "products.csv"
    shop().to_csv(place, index=False)
    products().to_csv(table, index=False)
    how = ("--target", "sold", "--series", "product")
    done = run("check", place, *how, "--static", "shelf,group")
    assert done.status == 0 and "  static: shelf, group\n" in done.out, done.err
    done = run("check", place, *how, "--static-data", table, "--json")
    assert done.status == 0 and done.json["data"]["static"] == ["shelf", "group"]
