"""Covariates on a panel: from arrays, files and frames, through repairs and parts, into a saved
context."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.data.newer import read_newer
from lstmcast.errors import DataError, UsageError
from lstmcast.saved_context import SavedContext

DAYS = pd.date_range("2024-01-01", periods=8, freq="D")


def shop(**changed):
    """Two products, a row for each day: what was sold, at what price, whether it was promoted."""
    columns = {
        "day": [*DAYS, *DAYS],
        "product": ["milk"] * 8 + ["tea"] * 8,
        "sold": np.arange(16.0),
        "price": 1 + np.arange(16) / 10,
        "promoted": [True, False] * 8,
    }
    return pd.DataFrame({**columns, **changed})


def past(panel, name="price"):
    return panel.covariates.past[name]


# ---------------------------------------------------------------- arrays


def test_arrays_have_covariates_in_the_form_of_the_target():
    by_id = {"a": [1, 2, 3], "b": [5, 7]}
    panel = lc.Panel.from_arrays(
        by_id, past={"volume": {"b": [8, np.inf], "a": [4, np.nan, 6]}}
    )
    np.testing.assert_array_equal(past(panel, "volume"), [4, np.nan, 6, 8, np.nan])
    assert repr(panel).endswith("past: volume)") and list(panel.covariates.past) == [
        "volume"
    ]

    rows = np.arange(6.0).reshape(2, 3)
    in_rows = lc.Panel.from_arrays(rows, past={"volume": 10 + rows})
    np.testing.assert_array_equal(past(in_rows, "volume"), 10 + rows.ravel())
    shared = lc.Panel.from_arrays(rows, past={"weather": [7.0, 8.0, 9.0]})
    np.testing.assert_array_equal(past(shared, "weather"), [7, 8, 9, 7, 8, 9])


def test_several_columns_of_a_row_share_its_covariates():
    stores = {"a": np.ones((3, 2)), "b": np.zeros((3, 2))}
    panel = lc.Panel.from_arrays(
        stores,
        columns=["price", "sales"],
        past={"visits": {"a": [1, 2, 3], "b": [4, 5, 6]}},
    )
    np.testing.assert_array_equal(past(panel, "visits"), [1, 2, 3] * 2 + [4, 5, 6] * 2)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"volume": [1.0, 2.0]},
            DataError,
            r"'volume' has shape \(2,\) for series 'a', which",
        ),
        (
            {"volume": {"b": [1, 2, 3]}},
            DataError,
            "'volume' has no values for series 'a'",
        ),
        (
            {"volume": {"a": ["x", "y", "z"]}},
            DataError,
            "'volume' cannot be read as numbers",
        ),
        (["volume"], UsageError, r"past=\['volume'\] does not name columns"),
    ],
)
def test_covariates_that_do_not_fit_are_refused(given, error, words):
    with pytest.raises(error, match=words):
        lc.Panel.from_arrays({"a": [1, 2, 3]}, past=given)


def test_covariates_go_with_their_series():
    panel = lc.read(shop(), target="sold", past=["price", "promoted"])
    price = past(panel)
    np.testing.assert_array_equal(past(panel.until([2, 3])), [*price[:2], *price[8:11]])
    np.testing.assert_array_equal(past(panel.since([6, 7])), [*price[6:8], *price[15:]])
    np.testing.assert_array_equal(past(panel.select(["tea"])), price[8:])
    part = panel.part(np.array([1, 0, 1]), np.array([0, 3, 1]), np.array([1, 2, 1]))
    np.testing.assert_array_equal(past(part), price[[8, 3, 4, 9]])
    np.testing.assert_array_equal(past(part, "promoted"), [1, 0, 1, 0])
    with pytest.raises(ValueError, match="read-only"):
        past(panel)[0] = 7


# ---------------------------------------------------------------- files and frames


@pytest.mark.parametrize(
    "given", ["price,promoted", ["price", "promoted"], ["PRICE", "Promoted"]]
)
def test_columns_beside_the_target_are_read_by_name(given):
    panel = lc.read(shop(), past=given)  # no other column could be the target
    names = given.split(",") if isinstance(given, str) else given
    assert list(panel.covariates.past) == names and panel.columns.target == "sold"
    np.testing.assert_array_equal(past(panel, names[0]), shop()["price"])
    np.testing.assert_array_equal(past(panel, names[1]), shop()["promoted"])
    assert not any(finding.rule == "columns" for finding in panel.report.findings)


def test_rows_without_an_id_are_left_out_with_what_is_beside_them():
    frame = shop(product=["milk"] * 7 + [None] * 2 + ["tea"] * 7)
    panel = lc.read(frame, target="sold", series="product", past=["price", "promoted"])
    kept = frame[frame["product"].notna()]
    np.testing.assert_array_equal(past(panel), kept["price"])
    np.testing.assert_array_equal(past(panel, "promoted"), kept["promoted"])


def test_without_a_name_nothing_is_read_beside_the_target():
    panel = lc.read(shop(), target="sold")
    assert not panel.covariates and "past" not in repr(panel)


def test_each_column_of_a_wide_table_has_the_same_beside_it():
    wide = pd.DataFrame(
        {"day": DAYS, "north": range(8), "south": range(8), "rain": np.ones(8)}
    )
    panel = lc.read(wide, target="*", past="rain")
    assert panel.ids.tolist() == ["north", "south"] and past(panel, "rain").shape == (
        16,
    )


def test_rows_are_sorted_and_repaired_together_with_the_target():
    frame = shop().drop(index=[3, 4]).sample(frac=1, random_state=0)
    panel = lc.read(frame, target="sold", past="price").select(["milk", "tea"])
    expected = shop()["price"].to_numpy().copy()
    expected[[3, 4]] = np.nan  # as the target's
    np.testing.assert_array_equal(past(panel), expected)
    filled = lc.read(frame, target="sold", past="price", missing="interpolate")
    filled = filled.select(["milk", "tea"])
    # no line that ends at later values
    np.testing.assert_array_equal(past(filled), expected)
    assert not np.isnan(filled.values).any()


@pytest.mark.parametrize(
    ("how", "expected"), [("sum", 2.0), ("mean", 2.0), ("first", 1.0), ("last", 3.0)]
)
def test_repeated_rows_are_reduced(how, expected):
    """The sum of prices is no price: where targets are added up, means are taken."""
    frame = pd.DataFrame(
        {"day": [DAYS[0], *DAYS], "sold": 1.0, "price": [1.0, 3.0, *np.full(7, 5.0)]}
    )
    panel = lc.read(frame, target="sold", past="price", duplicates=how)
    assert past(panel).tolist() == [expected, *[5.0] * 7]


def test_periods_have_the_mean_of_what_is_beside_a_sum():
    days = pd.date_range("2024-01-01", periods=28, freq="D")
    frame = pd.DataFrame(
        {"day": days, "sold": 1.0, "price": np.repeat([1.0, 2.0, 3.0, 4.0], 7)}
    )
    # a week without a row
    frame = frame[~frame["day"].between("2024-01-08", "2024-01-14")]
    options = {"target": "sold", "past": "price", "frequency": "W-SUN"}
    panel = lc.read(frame, aggregate="sum", **options)
    np.testing.assert_array_equal(panel.values, [7, 0, 7, 7])
    np.testing.assert_array_equal(past(panel), [1, np.nan, 3, 4])
    assert "columns beside the target by mean" in str(panel.report.findings)
    assert "beside" not in str(
        lc.read(frame, aggregate="mean", **options).report.findings
    )


def test_several_files_have_the_same_columns(tmp_path):
    for name, offset in (("north", 0), ("south", 100)):
        shop(sold=offset + np.arange(16.0))[:8].drop(columns="product").to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    panel = lc.read(str(tmp_path / "*.csv"), target="sold", past="price")
    np.testing.assert_array_equal(past(panel), np.tile(shop()["price"][:8], 2))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"past": "cost"}, DataError, "no column 'cost' for the past covariate"),
        ({"past": ""}, UsageError, "past='' does not name"),
        ({"past": ","}, UsageError, "past=',' does not name"),
        (
            {"past": "sold"},
            UsageError,
            "'sold' is named as target and as past covariate",
        ),
        (
            {"past": "day", "time": "day"},
            UsageError,
            "'day' is named as time and as past",
        ),
        (
            {"past": "product"},
            DataError,
            "text in the past column 'product'.*past='NAME'",
        ),
    ],
)
def test_columns_that_cannot_be_read_beside_a_target(options, error, words):
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        lc.read(shop(), target="sold", **options)


def test_values_beyond_every_measure_are_refused_beside_the_target_too():
    with pytest.raises(DataError, match=r"row 3 has 1e\+200 in 'price'"):
        lc.read(shop(price=[1, 1, 1e200, *[1] * 13]), target="sold", past="price")


def test_a_series_in_a_row_has_nothing_beside_it():
    times = {"2024-01": [1, 2], "2024-02": [3, 4], "2024-03": [5, 5]}
    wide = pd.DataFrame({"shop": ["a", "b"], "size": [40, 90], **times})
    with pytest.raises(DataError, match=r"one series per row.*one row per time"):
        lc.read(wide, past="size")


def test_the_check_tells_of_columns_that_say_nothing():
    constant = lc.check(shop(price=3.0), target="sold", past="price")
    assert "all values of the past column 'price' are 3" in str(constant)
    gappy = np.where(np.arange(16) % 4, shop()["price"], np.nan)
    some = lc.check(shop(price=gappy), target="sold", past="price")
    assert "4 of 16 values of the past column 'price' are missing. The last" in str(
        some
    )
    absent = np.where(np.arange(16) < 8, shop()["price"], np.nan)
    nothing = lc.check(shop(price=absent), target="sold", past="price")
    assert "series 'tea': no value of the past column 'price' is known" in str(nothing)
    assert "price" not in str(lc.check(shop(), target="sold", past="price"))


# ---------------------------------------------------------------- remembered and joined


def test_a_saved_context_keeps_covariates():
    panel = lc.read(shop(), target="sold", past=["price", "promoted"])
    context = SavedContext(panel)
    manifest, arrays = context.described(), context.arrays()
    again = SavedContext.from_saved(manifest, arrays).panel
    assert manifest["covariates"] == {"past": ["price", "promoted"]}
    assert list(again.covariates.past) == ["price", "promoted"]
    for name in ("price", "promoted"):
        np.testing.assert_array_equal(past(again, name), past(panel, name))
    del manifest["covariates"]  # of an older version
    assert not SavedContext.from_saved(manifest, arrays).panel.covariates


def test_newer_data_are_read_and_joined_with_the_columns_that_are_known():
    panel = lc.read(shop(), target="sold", past="price")
    context = SavedContext(panel.until([5, 5]))
    newer = read_newer(shop().iloc[[4, 5, 6, 7, 12, 13, 14, 15]], context.panel)
    assert list(newer.covariates.past) == ["price"]
    joined = context.join(newer).panel
    np.testing.assert_array_equal(joined.values, panel.values)
    np.testing.assert_array_equal(past(joined), past(panel))


def test_a_cell_without_a_value_erases_no_remembered_one():
    panel = lc.read(shop(), target="sold", past="price")
    context = SavedContext(panel.until([6, 6]))
    newer = shop(price=np.where(np.arange(16) % 8 == 4, np.nan, 9.0)).iloc[
        [4, 5, 6, 12, 13, 14]
    ]
    joined = context.join(read_newer(newer, context.panel)).panel
    expected = panel.until([7, 7]).covariates.past["price"].copy()
    expected[[5, 6, 12, 13]] = 9.0  # a corrected one counts, an empty one does not
    np.testing.assert_array_equal(past(joined), expected)


def test_a_gap_before_newer_data_is_missing_beside_the_target_too():
    panel = lc.read(shop(), target="sold", past="price").select(["milk"])
    context = SavedContext(panel.until([4]))
    joined = context.join(panel.since([6])).panel
    np.testing.assert_array_equal(
        past(joined), [*past(panel)[:4], np.nan, np.nan, *past(panel)[6:]]
    )


def test_newer_data_without_a_remembered_column_are_refused():
    panel = lc.read(shop(), target="sold", past=["price", "promoted"])
    context = SavedContext(panel.until([5, 5]))
    words = re.compile(
        "no column 'promoted'.*'price', 'promoted' beside the target", re.DOTALL
    )
    with pytest.raises(DataError, match=words):
        read_newer(shop().drop(columns="promoted"), context.panel)
    with pytest.raises(
        DataError, match="'promoted', which the network reads, is missing"
    ):
        context.join(lc.read(shop(), target="sold", past="price"))


def test_what_is_known_in_advance_goes_on_beyond_the_end_of_a_part():
    future = {
        "price": [1.0, 2, 3, 4, 5, 6],
        "kind": {"a": list("xxyyxy"), "b": list("yyx")},
    }
    panel = lc.Panel.from_arrays({"a": [1.0, 2, 3, 4], "b": [5.0, 6, 7]}, future=future)
    known = panel.covariates.future
    assert known.levels == {"kind": ("x", "y")}
    assert known.lengths.tolist() == [6, 6]
    part = panel.part(
        np.array([1, 0]), np.array([1, 2]), np.array([1, 1])
    ).covariates.future
    assert part.lengths.tolist() == [5, 4]
    np.testing.assert_array_equal(part.columns["price"], [2, 3, 4, 5, 6, 3, 4, 5, 6])
    np.testing.assert_array_equal(
        part.columns["kind"], [1, 0, np.nan, np.nan, np.nan, 1, 1, 0, 1]
    )


def test_a_column_known_in_advance_may_not_end_before_its_series():
    with pytest.raises(
        DataError, match=r"future column 'price' has shape \(2,\) for series"
    ):
        lc.Panel.from_arrays([1.0, 2.0, 3.0], future={"price": [1.0, 2.0]})
