"""Panel: a ragged array that does not change; tables become panels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstmcast as lc
from builders import days, sales_table
from lstmcast.data.newer import read_newer
from lstmcast.data.panel import Columns, Panel, ReadOptions
from lstmcast.data.tabular import check_table, panel_from_table
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.baselines import Naive
from lstmcast.saved_context import SavedContext

PANEL = Panel.from_arrays(
    {"a": [1, 2, 3], "b": [5, 6], "c": [7, 8, 9, 10]}, frequency="MS", start="2024-01"
)


def months(count: int, start: str = "2020-01") -> np.ndarray:
    return (np.datetime64(start, "M") + np.arange(count)).astype("datetime64[us]")


def test_series_times_lengths_and_ends():
    assert len(PANEL) == 3
    assert PANEL.lengths.tolist() == [3, 2, 4]
    assert PANEL.series(2).tolist() == [7, 8, 9, 10]
    assert PANEL.times(1).astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-01",
        "2024-02-01",
    ]
    assert PANEL.ends.astype("datetime64[M]").astype(str).tolist() == [
        "2024-03",
        "2024-02",
        "2024-04",
    ]
    assert PANEL.periods == (12,)
    assert (
        repr(PANEL)
        == "Panel(3 series, 9 values, monthly (month starts), 2024-01-01 to 2024-04-01)"
    )


def test_until_keeps_the_first_observations():
    known = PANEL.until([2, 1, 4])
    assert [known.series(i).tolist() for i in range(3)] == [[1, 2], [5], [7, 8, 9, 10]]
    assert known.ends[0] == PANEL.times(0)[1]


@pytest.mark.parametrize("counts", [[1, 1], [0, 1, 1], [3, 2, 5], 2])
def test_until_refuses_counts_that_do_not_fit(counts):
    with pytest.raises(UsageError, match="one count per series"):
        PANEL.until(counts)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_until_agrees_with_slices(lengths, random):
    panel = Panel.from_arrays(
        {str(i): np.arange(length) + 10 * i for i, length in enumerate(lengths)}
    )
    counts = [random.randint(1, length) for length in lengths]
    known = panel.until(counts)
    assert all(
        (known.series(i) == panel.series(i)[:count]).all()
        for i, count in enumerate(counts)
    )


def test_select_takes_names_in_their_order():
    chosen = PANEL.select(["c", "a"])
    assert [chosen.series(i).tolist() for i in range(2)] == [[7, 8, 9, 10], [1, 2, 3]]
    assert chosen.ids.tolist() == ["c", "a"]
    with pytest.raises(
        UsageError, match=r"no series 'd' in arrays\. There are: 'a', 'b', 'c'"
    ):
        PANEL.select(["d"])


def test_arrays_cannot_be_written_and_the_callers_stay_his():
    mine = np.array([1.0, 2.0])
    panel = Panel.from_arrays(mine)
    mine[0] = 9.0
    assert panel.values.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        panel.values[0] = 3.0
    with pytest.raises(ValueError, match="read-only"):
        PANEL.until([1, 1, 1]).series(0)[:] = 0


def test_from_arrays_takes_rows_starts_per_series_and_integers():
    panel = Panel.from_arrays(
        np.ones((2, 3)), frequency="D", start=["2024-01-01", "2024-01-05"]
    )
    assert panel.ends.astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-03",
        "2024-01-07",
    ]
    assert Panel.from_arrays([4, 5]).times(0).tolist() == [1, 2]
    assert np.isnan(Panel.from_arrays([1, np.inf, 2]).values[1])
    assert (
        Panel.from_arrays([1, 2], frequency="M", start="2024-01-31").frequency.code
        == "ME"
    )
    assert Panel.from_arrays([1, 2], periods=(12, 4)).periods == (4, 12)


@pytest.mark.parametrize(
    ("given_", "named", "error", "match"),
    [
        ([1, 2], {"frequency": "D"}, UsageError, "start= is required"),
        ([1, 2], {"frequency": "D", "start": "soon"}, UsageError, "cannot be used"),
        ([1, 2], {"frequency": 5}, UsageError, "the frequency 5 is not known"),
        ([1, 2], {"periods": (0,)}, UsageError, "periods must be whole"),
        ([1, 2], {"kind": "whole"}, UsageError, "Choose one of: real, count, positive"),
        ([-1, 2], {"kind": "positive"}, DataError, "-1 is negative"),
        ([1.5, 2], {"kind": "count"}, DataError, "1.5 is not a whole number"),
        ({"a": []}, {}, DataError, "at least one number"),
        ({}, {}, DataError, "no series"),
        ({"a": ["x"]}, {}, DataError, "series 'a' cannot be read as numbers"),
    ],
)
def test_from_arrays_refuses(given_, named, error, match):
    with pytest.raises(error, match=match):
        Panel.from_arrays(given_, **named)


def test_a_table_becomes_a_panel_on_a_grid():
    panel = panel_from_table(
        sales_table(
            ["2024-03-01", "2024-01-01", "2024-04-01"],
            [3, 1, 4],
            columns=Columns(time="month"),
        )
    )
    assert np.array_equal(panel.values, [1, np.nan, 3, 4], equal_nan=True)
    assert panel.frequency.code == "MS"
    assert (
        panel.columns.time,
        panel.report.source,
        panel.report.rows,
        panel.report.frame,
    ) == (
        "month",
        "sales.csv",
        3,
        "file",
    )
    assert [finding.rule for finding in panel.report.findings] == [
        "unsorted rows",
        "gaps",
        "counts",
    ]


def test_interleaved_series_come_out_one_after_the_other():
    rows = sales_table(np.repeat(days(4), 2), np.arange(8), ["x", "y"] * 4)
    panel = panel_from_table(rows, ReadOptions(kind="real"))
    assert panel.ids.tolist() == ["x", "y"]
    assert panel.series(1).tolist() == [1, 3, 5, 7]
    assert not panel.report.findings


def test_missing_values_are_masked_or_interpolated():
    rows = sales_table(days(5), [1, np.nan, 3, np.inf, 6])
    assert np.array_equal(
        panel_from_table(rows).values, [1, np.nan, 3, np.nan, 6], equal_nan=True
    )
    assert panel_from_table(
        rows, ReadOptions(missing="interpolate")
    ).values.tolist() == [
        1,
        2,
        3,
        4.5,
        6,
    ]
    assert panel_from_table(
        rows, ReadOptions(missing="interpolate", kind="count")
    ).values.tolist() == [1, 2, 3, 4, 6]


def test_a_series_begins_with_its_first_value_and_ends_with_its_last():
    rows = sales_table(days(7), [np.nan, 1, np.nan, 3, 4, np.nan, np.nan])
    panel = panel_from_table(rows, ReadOptions(kind="real"))
    assert np.array_equal(panel.values, [1, np.nan, 3, 4], equal_nan=True)
    assert str(panel.ends[0].astype("datetime64[D]")) == "2024-01-05"
    told = [(finding.rule, finding.count) for finding in panel.report.findings]
    assert told == [
        ("missing values", 1),
        ("no recent values", 2),
        ("missing values", 1),
    ]


def test_a_series_without_values_is_left_out():
    panel = panel_from_table(
        sales_table(
            np.tile(days(4), 2), [1, 2, 3, 4, *[np.nan] * 4], ["x"] * 4 + ["void"] * 4
        )
    )
    assert panel.ids.tolist() == ["x"]
    assert panel.report.findings[0].series == "void"


@pytest.mark.parametrize(
    ("how", "expected"), [("mean", 3), ("sum", 6), ("first", 2), ("last", 4)]
)
def test_repeated_times_are_repaired_as_asked(how, expected):
    rows = sales_table([*days(4), days(4)[1]], [1, 2, 3, 4, 4])
    assert panel_from_table(rows, ReadOptions(duplicates=how)).values.tolist() == [
        1,
        expected,
        3,
        4,
    ]


@pytest.mark.parametrize(
    "how", ["sum", "mean", "min", "max", "first", "last", "median", "count"]
)
def test_aggregation_agrees_with_pandas(how):
    rng = np.random.default_rng(3)
    times = np.sort(rng.choice(days(90), 600)) + rng.integers(
        0, 86400, 600
    ) * np.timedelta64(1, "s")
    values, names = rng.normal(size=600), rng.choice(["x", "y"], 600)
    values[::50] = np.nan
    panel = panel_from_table(
        sales_table(times, values, names), ReadOptions(aggregate=how, frequency="W-SUN")
    )
    frame = pd.DataFrame({"ds": times, "y": values, "id": names})
    for i, name in enumerate(panel.ids):
        weeks = (
            frame[frame.id == name].sort_values("ds", kind="stable").set_index("ds").y
        )
        expected = weeks.resample("W-SUN").agg(how).loc[panel.times(i)]
        assert np.allclose(panel.series(i), expected.to_numpy())
    assert panel.lengths.tolist() == [12, 12]  # the thirteenth week has six days only


def test_incomplete_last_period_is_left_out_and_told():
    rows = sales_table(days(70), np.ones(70))  # to 10 March
    panel = panel_from_table(rows, ReadOptions(aggregate="sum", frequency="M"))
    assert panel.values.tolist() == [31, 29]
    (told,) = [
        finding
        for finding in panel.report.findings
        if finding.rule == "incomplete period"
    ]
    assert (
        "the last period, 2024-03-01, is incomplete: its rows end at 2024-03-10"
        in told.message
    )


def test_closed_weekends_do_not_make_a_month_incomplete():
    # June ends on a Sunday
    weekdays = pd.bdate_range("2024-01-01", "2024-06-28").to_numpy()
    panel = panel_from_table(
        sales_table(weekdays, np.ones(len(weekdays))),
        ReadOptions(aggregate="sum", frequency="MS"),
    )
    assert len(panel.values) == 6


def test_a_first_month_that_begins_late_is_left_out_of_sums_only():
    rows = sales_table(
        days(91, "2024-01-20")[:72], np.ones(72)
    )  # 20 January to 31 March
    assert panel_from_table(
        rows, ReadOptions(aggregate="sum", frequency="MS")
    ).values.tolist() == [
        29,
        31,
    ]
    assert panel_from_table(
        rows, ReadOptions(aggregate="mean", frequency="MS")
    ).values.tolist() == [1, 1, 1]


def test_periods_without_rows_are_zero_in_sums_to_the_common_end():
    rows = sales_table([*days(10), *days(2)], np.ones(12), ["x"] * 10 + ["y"] * 2)
    panel = panel_from_table(rows, ReadOptions(aggregate="sum", frequency="D"))
    assert panel.series(1).tolist() == [1, 1] + [0] * 8
    means = panel_from_table(rows, ReadOptions(aggregate="mean", frequency="D"))
    assert means.lengths.tolist() == [10, 2]


def test_aggregation_without_a_frequency_takes_days_and_says_so():
    panel = panel_from_table(
        sales_table(np.repeat(days(9), 3), np.ones(27)), ReadOptions(aggregate="sum")
    )
    assert panel.frequency.code == "D"
    assert panel.values.tolist() == [3] * 9
    assert "no frequency was given" in str(panel.report.findings)


def test_aggregation_to_month_ends_and_fiscal_years():
    rows = sales_table(months(48, "2020-04"), np.ones(48))
    year = panel_from_table(rows, ReadOptions(aggregate="sum", frequency="YE-MAR"))
    assert year.values.tolist() == [12] * 4
    assert str(year.ends[0].astype("datetime64[D]")) == "2024-03-31"


def test_aggregation_of_numbered_rows():
    rows = sales_table([1, 1, 2, 2, 3, 3], np.ones(6))
    assert panel_from_table(rows, ReadOptions(aggregate="sum")).values.tolist() == [
        2,
        2,
        2,
    ]


def test_given_periods_and_frequency_win():
    panel = panel_from_table(
        sales_table(days(30), np.arange(30)),
        ReadOptions(frequency="D", periods=(30, 7)),
    )
    assert panel.periods == (7, 30)
    assert (
        panel_from_table(
            sales_table(months(5), np.arange(5)), ReadOptions(frequency="M")
        ).frequency.code
        == "MS"
    )


@settings(deadline=None)  # the widest grids that are filled have ten million times
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.one_of(st.integers(-20, 60), st.integers(-40_000, 80_000)),
            st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf])),
        ),
        max_size=30,
    ),
    st.sampled_from([3600, 86400, 86400 * 7, 900, 1]),
    st.sampled_from([None, "sum", "mean", "median", "last", "count"]),
    st.sampled_from([None, "D", "MS", "QE", "W", "B", "15min"]),
    st.sampled_from(["error", "mean", "last"]),
)
def test_any_table_is_answered_or_refused(rows, unit, aggregate, frequency, duplicates):
    names, counts, values = zip(*rows, strict=True) if rows else ((), (), ())
    times = np.datetime64("2020-01-01", "us") + np.array(
        counts, dtype=np.int64
    ) * np.timedelta64(unit, "s")
    given_ = sales_table(times, values, names or None)
    options = ReadOptions(
        frequency=frequency,
        aggregate=aggregate,
        duplicates="error" if aggregate else duplicates,
    )
    findings = check_table(given_, options)
    try:
        panel = panel_from_table(given_, options)
    except DataError:
        assert findings.errors
        return
    assert not findings.errors
    assert np.isfinite(panel.values[panel.offsets[:-1]]).all()
    assert all(
        (np.diff(panel.times(i).astype(np.int64)) > 0).all() for i in range(len(panel))
    )


# ------------------------------------------------------------------ several columns of values

STORES = pd.DataFrame(
    {
        "store": np.repeat([3, 7, 9], 6),
        "ds": np.tile(days(6), 3),
        "price": np.arange(18.0),
        "sales": np.arange(18.0) * 10,
    }
)


def stores(**named) -> Panel:
    return lc.read(STORES, series="store", target=["price", "sales"], **named)


def test_several_targets_of_each_series_are_the_columns_of_its_row():
    panel = stores()
    assert panel.ids.tolist()[:3] == ["3/price", "3/sales", "7/price"]
    assert panel.target_names.tolist() == ["price", "sales"] * 3
    assert panel.keys["store"].tolist() == [3, 3, 7, 7, 9, 9]
    assert panel.rows(2).tolist() == [[0, 1], [2, 3], [4, 5]]


def test_rows_follow_what_is_selected():
    panel = stores().select(["9/sales", "3/price", "9/price", "3/sales"])
    assert panel.rows(2).tolist() == [[0, 2], [3, 1]]  # sales come first
    assert stores().until([4] * 6).rows(2).shape == (3, 2)


def test_series_of_one_target_are_one_row():
    wide = lc.read(STORES[STORES.store == 3], target=["price", "sales"], time="ds")
    assert wide.target_names is None
    assert wide.rows(2).tolist() == [[0, 1]]
    assert stores().rows(6).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_series_that_make_no_rows_are_refused():
    with pytest.raises(
        DataError, match=r"reads 4 columns together, but the data have 3 rows of 2"
    ):
        stores().rows(4)
    with pytest.raises(
        DataError,
        match=r"reads 2 columns together, but the data have 3 series with "
        r"different times\. Exactly 2 series with the same first and last time",
    ):
        PANEL.rows(2)
    with pytest.raises(DataError, match="row '9' has no column 'sales'"):
        stores().select(["3/price", "3/sales", "9/price"]).rows(2)
    shorter = stores().until([6, 6, 6, 5, 6, 6])
    with pytest.raises(
        DataError, match="'7/price' and '7/sales' have different times"
    ) as caught:
        shorter.rows(2)
    assert "after 2024-01-05" in str(caught.value)
    assert len(shorter.until([6, 6, 5, 5, 6, 6]).rows(2)) == 3


def test_a_long_table_names_the_target_beside_the_keys():
    columns = Naive(quantiles=()).predict(stores(), 2).columns_dict()
    assert list(columns) == ["store", "target", "ds", "step", "forecast"]
    assert columns["target"].tolist() == (["price"] * 2 + ["sales"] * 2) * 3


def test_arrays_may_have_several_columns():
    arrays = {"a": np.arange(8.0).reshape(4, 2), "b": np.ones((5, 2))}
    panel = Panel.from_arrays(
        arrays,
        columns=["price", "sales"],
        frequency="D",
        start=["2024-01-01", "2024-01-05"],
    )
    assert panel.ids.tolist() == ["a/price", "a/sales", "b/price", "b/sales"]
    assert panel.series(1).tolist() == [1, 3, 5, 7]
    assert panel.starts.astype("datetime64[D]").astype(str).tolist()[1:3] == [
        "2024-01-01",
        "2024-01-05",
    ]
    columns = Naive().predict(panel, 1).columns_dict()
    assert columns["unique_id"].tolist() == ["a", "a", "b", "b"]
    assert columns["target"].tolist() == ["price", "sales"] * 2


@pytest.mark.parametrize(
    ("given_", "columns", "error", "match"),
    [
        (
            np.ones((4, 2)),
            ["p", "s"],
            UsageError,
            "names must be unique, and values must be given as",
        ),
        ({"a": np.ones((4, 2))}, ["p", "p"], UsageError, "names must be unique"),
        (
            {"a": np.ones((4, 3))},
            ["p", "s"],
            DataError,
            r"expected: 2 columns \(p, s\)",
        ),
        ({"a": np.ones(4)}, ["p", "s"], DataError, r"series 'a' has shape \(4,\)"),
        (
            {"a": np.ones((4, 2)), "a/p": np.ones((4, 2))},
            ["p/p", "p"],
            DataError,
            "same name",
        ),
    ],
)
def test_columns_of_arrays_that_do_not_fit(given_, columns, error, match):
    with pytest.raises(error, match=match):
        Panel.from_arrays(given_, columns=columns)


def test_targets_are_saved_and_joined():
    context = SavedContext(stores())
    again = SavedContext.from_saved(context.described(), context.arrays())
    assert again.panel.rows(2).tolist() == [[0, 1], [2, 3], [4, 5]]
    rows = STORES.assign(ds=STORES.ds + np.timedelta64(6, "D"))
    newer = read_newer(rows, stores())
    assert again.join(newer).panel.rows(2).tolist() == [[0, 1], [2, 3], [4, 5]]
    arrays = Panel.from_arrays(
        {"7/sales": [1.0], "7/price": [2.0]}, frequency="D", start="2024-01-07"
    )
    assert again.join(arrays).panel.target_names.tolist() == ["sales", "price"]


# ---------------------------------------------------------------- missing values at the end


MONTHS = pd.date_range("2022-01-01", periods=24, freq="MS")


def ending_at(*ends: int) -> dict[str, np.ndarray]:
    """Series of 24 months whose last values are missing."""
    known = 100 + np.arange(24.0) + np.sin(np.arange(24))
    return {
        f"shop {place}": np.where(np.arange(24) < end, known + place, np.nan)
        for place, end in enumerate(ends)
    }


@pytest.mark.parametrize("ends", [(21,), (21, 24), (24, 20, 13)])
def test_arrays_end_with_their_last_value_as_tables_do(ends):
    series = ending_at(*ends)
    arrays = Panel.from_arrays(series, frequency="MS", start="2022-01-01")
    frames = [
        pd.DataFrame({"id": i, "ds": MONTHS, "y": values})
        for i, values in series.items()
    ]
    table = lc.read(pd.concat(frames))
    wide = lc.read(pd.DataFrame(series, index=MONTHS))
    assert (
        arrays.lengths.tolist()
        == list(ends)
        == table.lengths.tolist()
        == wide.lengths.tolist()
    )
    np.testing.assert_array_equal(arrays.ends, table.ends)
    np.testing.assert_array_equal(arrays.values, table.values)
    forecast, expected = (
        lc.LSTMForecaster(3).predict(replace(p, kind="real")) for p in (arrays, table)
    )
    np.testing.assert_array_equal(forecast.times, expected.times)
    np.testing.assert_array_equal(forecast.quantiles, expected.quantiles)


def test_what_arrays_lack_at_their_end_is_said():
    panel = Panel.from_arrays([1.0, 2.0, np.nan, np.inf])
    assert panel.values.tolist() == [1.0, 2.0]
    assert str(panel.report.findings[0]) == (
        "warning: the last 2 values are missing. They are left out: the forecast starts after the "
        "last value."
    )
    assert not Panel.from_arrays([np.nan, 2.0, np.nan, 4.0]).report.findings


def test_series_without_any_value_stay_as_they_are():
    panel = Panel.from_arrays({"a": [1.0, 2.0, np.nan], "void": [np.nan] * 3})
    assert panel.lengths.tolist() == [2, 3]
    assert Panel.from_arrays([np.nan, np.nan]).lengths.tolist() == [2]


def test_targets_of_a_row_end_together():
    store = [[1.0, 5.0], [2.0, np.nan], [np.nan, np.nan]]
    panel = Panel.from_arrays(
        {"s": store, "t": np.ones((3, 2))}, columns=["price", "sales"]
    )
    assert panel.lengths.tolist() == [2, 2, 3, 3]
    assert panel.rows(2).tolist() == [[0, 1], [2, 3]]


def test_columns_beside_arrays_end_with_them_and_go_on_where_they_are_known():
    panel = Panel.from_arrays(
        {"a": [1.0, 2.0, np.nan], "b": [3.0, 4.0, 5.0]},
        past={"rain": {"a": [7.0, 8.0, 9.0], "b": [4.0, 5.0, 6.0]}},
        future={"price": {"a": [1.0, 2.0, 3.0, 4.0], "b": [5.0, 6.0, 7.0, 8.0]}},
    )
    assert panel.covariates.past["rain"].tolist() == [7.0, 8.0, 4.0, 5.0, 6.0]
    assert panel.covariates.future.columns["price"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert panel.covariates.future.offsets.tolist() == [0, 4, 8]
