"""Keys: the columns of ids come back under their own names and in their own types."""

from __future__ import annotations

import datetime
import json

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lstmcast as lc
from lstmcast.data.keys import (
    Keys,
    column_name,
    described,
    joined,
    keys_from_saved,
    packed_keys,
)
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.baselines import Naive
from lstmcast.forecast import Forecast
from lstmcast.saved_context import SavedContext

DAYS = pd.date_range("2024-01-01", periods=8)


def sales(stores=(3, 7), items=("milk", "tea"), **more) -> pd.DataFrame:
    """Eight days of each item of each store."""
    rows = [(store, item, day) for store in stores for item in items for day in DAYS]
    frame = pd.DataFrame(rows, columns=["store", "item", "ds"])
    return frame.assign(y=np.arange(float(len(frame))), **more)


def of_forecast(data, **named) -> Forecast:
    return Naive(quantiles=()).predict(lc.read(data, target="y", **named), 2)


BOTH = {"series": ["store", "item"]}


def test_several_columns_of_ids_stay_columns():
    panel = lc.read(sales(), **BOTH, target="y")
    assert panel.ids.tolist() == ["3/milk", "3/tea", "7/milk", "7/tea"]
    assert panel.keys["store"].tolist() == [3, 3, 7, 7]
    assert panel.keys["store"].dtype == np.int64
    assert panel.keys["item"].tolist() == ["milk", "tea", "milk", "tea"]
    with pytest.raises(ValueError, match="read-only"):
        panel.keys["store"][0] = 4


def test_keys_follow_their_series():
    panel = lc.read(sales(), **BOTH, target="y")
    assert panel.select(["7/tea", "3/milk"]).keys["store"].tolist() == [7, 3]
    assert (
        panel.until([2, 2, 2, 2]).keys["item"].tolist() == panel.keys["item"].tolist()
    )
    assert panel.since(3).keys["store"].tolist() == [3, 3, 7, 7]
    part = panel.part(np.array([3, 3]), 0, np.array([1, 2]))
    assert (part.keys["item"].tolist(), part.ids.tolist()) == (
        ["tea", "tea"],
        ["7/tea", "7/tea"],
    )


def test_a_series_that_is_left_out_takes_its_key_along():
    frame = sales()
    frame.loc[frame.item == "milk", "y"] = np.nan
    assert lc.read(frame, **BOTH, target="y").keys["item"].tolist() == ["tea", "tea"]


def test_the_table_of_a_forecast_has_the_keys_in_place_of_unique_id():
    columns = of_forecast(sales(), **BOTH).columns_dict()
    assert list(columns) == ["store", "item", "ds", "step", "forecast"]
    assert columns["store"].tolist() == [3] * 4 + [7] * 4
    one = of_forecast(
        sales(items=("tea",)).drop(columns="item"), series="store"
    ).columns_dict()
    assert list(one)[:2] == ["store", "ds"]
    assert one["store"].dtype == np.int64


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (sales((3,), ("tea",))[["ds", "y"]], {}),
        (np.arange(16.0).reshape(2, 8), {}),
        ({"a": np.arange(8.0), "b": np.arange(8.0)}, {}),
        (pd.DataFrame({"ds": DAYS, "a": np.arange(8.0), "b": 1.0}), {"target": "*"}),
    ],
)
def test_data_without_ids_have_unique_id(data, named):
    panel = lc.read(data, **named)
    assert not panel.keys
    assert next(iter(Naive().predict(panel, 2).columns_dict())) == "unique_id"


KEPT = [
    ("integers", [3, 7], "int64"),
    ("texts", ["b", "a"], "object"),
    ("text numbers", ["007", "7"], "object"),
    ("fractions", [1.5, 2.0], "float64"),
    ("truth", [True, False], "bool"),
    (
        "times",
        [pd.Timestamp("2024-01-01 05:00"), pd.Timestamp("2023-01-01")],
        "datetime64[us]",
    ),
    ("dates", [datetime.date(2024, 1, 1), datetime.date(2023, 1, 1)], "datetime64[D]"),
]


@pytest.mark.parametrize(
    ("values", "dtype"), [one[1:] for one in KEPT], ids=[o[0] for o in KEPT]
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_types_are_those_of_the_data(values, dtype, kind):
    frame = sales(stores=values, items=("tea",)).drop(columns="item")
    if kind == "polars":
        frame = pl.from_pandas(frame)
    elif kind == "pyarrow":
        frame = pa.Table.from_pandas(frame)
    elif kind == "duckdb":
        rows = pa.Table.from_pandas(frame)
        frame = duckdb.sql("select * from rows")
        assert len(rows)
    keys = lc.read(frame, series="store", target="y").keys
    assert keys["store"].dtype == dtype
    assert keys["store"].tolist() == [
        value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
        for value in values
    ]


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_come_back_as_categories_in_pandas(ordered):
    item = pd.CategoricalDtype(["tea", "milk", "never"], ordered)
    frame = of_forecast(
        sales().astype({"item": item, "store": "category"}), **BOTH
    ).frame()
    assert frame["item"].dtype == item
    assert frame["store"].dtype == pd.CategoricalDtype([3, 7])


@pytest.mark.parametrize("dtype", [pl.Enum(["tea", "milk", "never"]), pl.Categorical])
def test_categories_come_back_as_categories_in_polars(dtype):
    data = pl.from_pandas(sales()).with_columns(pl.col("item").cast(dtype))
    frame = of_forecast(data, **BOTH).frame()
    assert frame.schema["item"] == dtype
    assert frame["item"].to_list()[:3] == ["milk", "milk", "tea"]


def test_dictionaries_come_back_as_dictionaries_in_arrow():
    table = pa.Table.from_pandas(sales().astype({"item": "category"}))
    frame = of_forecast(table, **BOTH).frame()
    assert pa.types.is_dictionary(frame.schema.field("item").type)
    assert frame["item"].to_pylist()[:3] == ["milk", "milk", "tea"]


def test_categories_that_differ_in_their_spaces_stay_texts():
    frame = sales(items=(" milk", "tea")).astype({"item": "category"})
    forecast = of_forecast(frame, **BOTH)
    assert forecast.columns_dict()["item"].tolist()[:3] == ["milk", "milk", "tea"]
    assert forecast.frame()["item"].tolist()[:3] == ["milk", "milk", "tea"]


def test_a_key_that_is_called_like_a_column_of_the_table_is_renamed():
    renamed = sales().rename(columns={"store": "step", "item": "q0.5"})
    columns = of_forecast(renamed, series=["step", "q0.5"]).columns_dict()
    assert list(columns) == ["step_id", "q0.5_id", "ds", "step", "forecast"]
    assert [column_name(name) for name in ("quarter", "target", "q1")] == [
        "quarter",
        "target_id",
        "q1_id",
    ]


@pytest.mark.parametrize(
    ("ids", "kept"), [(["1", "2"], [1, 2]), (["01", "2"], ["01", "2"])]
)
def test_whole_numbers_of_a_file_are_whole_numbers(tmp_path, ids, kept):
    frame = sales(stores=ids, items=("tea",)).drop(columns="item")
    frame.to_csv(tmp_path / "x.csv", index=False)
    panel = lc.read(tmp_path / "x.csv", series="store")
    assert panel.keys["store"].tolist() == kept
    assert panel.ids.tolist() == ids


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_files_have_the_columns_of_ids_in_their_types(tmp_path, ending):
    frame = sales().astype({"item": "category"})
    frame["since"] = frame.store.map(
        {3: datetime.date(2020, 5, 1), 7: datetime.date(2021, 5, 1)}
    )
    forecast = of_forecast(frame, series=["store", "item", "since"])
    path = forecast.write(tmp_path / f"f.{ending}")
    if ending == "csv":
        assert (
            path.read_text("utf-8").splitlines()[1]
            == "3,milk,2020-05-01,2024-01-09,1,7.0"
        )
    elif ending == "parquet":
        rows = duckdb.sql(f"select store, item, since from '{path}'").fetchall()
        assert rows[0] == (3, "milk", datetime.date(2020, 5, 1))
    else:
        sheet = openpyxl.load_workbook(path).active
        cells = [cell.value for cell in sheet[2]][:3]
        assert cells == [3, "milk", datetime.datetime(2020, 5, 1)]


def test_json_has_plain_values():
    columns = json.loads(of_forecast(sales(), **BOTH).to_json())
    assert columns["store"] == [3] * 4 + [7] * 4
    assert columns["item"][:3] == ["milk", "milk", "tea"]


def test_selected_origins_keep_their_keys():
    forecast = of_forecast(sales(), **BOTH)
    assert forecast.select("7/tea").columns_dict()["store"].tolist() == [7, 7]
    with pytest.raises(UsageError, match=r"each of the keys \['a'\] needs 1 values"):
        Forecast(
            ids=np.array(["x"], object),
            cutoffs=np.array([3]),
            times=np.array([[4]]),
            point=np.array([[7.0]]),
            quantiles=np.empty((1, 1, 0)),
            quantile_levels=(),
            keys=Keys({"a": np.array([1, 2])}),
        )


def test_tables_of_a_backtest_have_the_keys():
    tested = lc.backtest(
        Naive(), lc.read(sales(), **BOTH, target="y"), horizon=1, cutoffs=2
    )
    assert list(tested.held_out())[:3] == ["store", "item", "ds"]
    series = tested.per_series()
    assert list(series)[:3] == ["model", "store", "item"]
    own = series["model"] == tested.model
    assert series["store"][own].tolist() == [3, 3, 7, 7]
    assert series["item"][own].tolist() == ["milk", "tea", "milk", "tea"]


# ------------------------------------------------------------------ several files


def test_keys_of_several_files_are_joined(tmp_path):
    for name, stores in (("a", (3, 7)), ("b", (7, 9))):
        sales(stores).to_csv(tmp_path / f"{name}.csv", index=False)
    panel = lc.read(
        [tmp_path / "a.csv", tmp_path / "b.csv"], **BOTH, duplicates="first"
    )
    assert panel.keys["store"].tolist() == [3, 3, 7, 7, 9, 9]
    assert panel.ids.tolist()[-1] == "9/tea"


def test_types_that_differ_become_text():
    one, other = Keys({"a": np.array([1])}), Keys({"a": np.array(["x"], object)})
    assert joined([one, other])["a"].tolist() == ["1", "x"]
    assert not joined([one, Keys({"b": np.array([1])})])


# ------------------------------------------------------------------ missing ids


@pytest.mark.parametrize(
    "frame",
    [
        sales().astype({"store": float}).replace({"store": {7: np.nan}}),
        sales(stores=(3, None)),
        sales(stores=("3", "  ")),
        sales(stores=("3", np.nan)).astype({"store": object}),
        sales(stores=("3", pd.NA)).astype({"store": "string"}),
        sales(stores=("3", np.nan)).astype({"store": "category"}),
    ],
)
def test_rows_without_an_id_are_left_out_with_a_warning(frame):
    panel = lc.read(frame, **BOTH, target="y")
    assert panel.ids.tolist() == ["3/milk", "3/tea"]
    (found,) = [one for one in panel.report.findings if one.rule == "missing ids"]
    assert str(found) == (
        "warning: 16 rows have an empty cell in the columns 'store' or 'item': the first is row "
        "17. They belong to no series and are left out."
    )
    assert (found.line, found.count) == (17, 16)


def test_a_single_row_without_an_id_is_named_by_its_line(tmp_path):
    lines = sales(items=("tea",)).drop(columns="item").to_csv(index=False).splitlines()
    lines[5] = lines[5].replace("3,", ",", 1)
    (tmp_path / "x.csv").write_text("\n".join(lines))
    panel = lc.read(tmp_path / "x.csv", series="store")
    assert "1 row has an empty cell in the column 'store': line 6. It belongs" in str(
        panel.report.findings
    )
    assert panel.keys["store"].tolist() == [3, 7]


def test_a_table_with_a_row_per_series_leaves_out_rows_without_an_id(tmp_path):
    text = "store,2024-01,2024-02,2024-03,2024-04\n3,1,2,3,4\n,5,6,7,8\n7,1,1,2,2\n"
    (tmp_path / "x.csv").write_text(text)
    panel = lc.read(tmp_path / "x.csv", series="store")
    assert panel.keys["store"].tolist() == [3, 7]
    assert "1 row has an empty cell in the column 'store': line 3" in str(
        panel.report.findings
    )


def test_a_column_of_ids_without_any_is_refused():
    frame = sales(items=("tea",)).assign(store=None)
    with pytest.raises(DataError, match="no row has a cell in the column 'store'"):
        lc.read(frame, series="store", target="y")


def test_words_for_missing_numbers_are_ids():
    frame = sales(stores=("NA", "DE"), items=("tea",)).drop(columns="item")
    assert lc.read(frame, series="store", target="y").ids.tolist() == ["NA", "DE"]


# ------------------------------------------------------------------ saved and newer data


@pytest.mark.parametrize(
    ("values", "dtype"), [one[1:] for one in KEPT], ids=[o[0] for o in KEPT]
)
def test_keys_are_saved_with_their_types(values, dtype):
    keys = lc.read(sales(stores=values), **BOTH, target="y").keys
    again = keys_from_saved(json.loads(json.dumps(described(keys))), packed_keys(keys))
    assert list(again) == list(keys)
    assert again["store"].dtype == keys["store"].dtype == dtype
    assert again["store"].tolist() == keys["store"].tolist()


def test_categories_are_saved():
    item = pd.CategoricalDtype(["tea", "milk", "never"], ordered=True)
    panel = lc.read(
        sales().astype({"item": item, "store": "category"}), **BOTH, target="y"
    )
    context = SavedContext(panel)
    said = json.loads(json.dumps(context.described()))
    again = SavedContext.from_saved(said, context.arrays()).panel.keys
    assert all(
        again.categories[name].same(panel.keys.categories[name]) for name in panel.keys
    )


def test_a_saved_model_forecasts_with_the_keys(tmp_path):
    panel = lc.read(sales(), **BOTH, target="y")
    lc.LSTMForecaster(horizon=2).save(tmp_path / "m", panel)
    forecast = lc.load(tmp_path / "m").predict()
    assert forecast.columns_dict()["store"].tolist() == [3] * 4 + [7] * 4


def test_newer_data_bring_their_keys_and_arrays_get_those_that_are_remembered():
    panel = lc.read(sales(), **BOTH, target="y")
    context = SavedContext(panel)
    rows = sales((7, 9)).assign(ds=lambda frame: frame.ds + pd.Timedelta(days=8))
    newer = lc.read(rows, **BOTH, target="y")
    assert context.join(newer).panel.keys["store"].tolist() == [7, 7, 9, 9]
    arrays = Panel.from_arrays({"7/tea": [1.0]}, frequency="D", start="2024-01-09")
    assert context.join(arrays).panel.keys["store"].tolist() == [7]
    new = Panel.from_arrays(
        {"7/tea": [1.0], "x": [2.0]}, frequency="D", start="2024-01-09"
    )
    assert not context.join(new).panel.keys


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [
        ([3, 7], "int16"),
        ([3, 7], "UInt8"),
        ([3, 7], "Int64"),
        ([3.0, 7.0], "float64"),
        ([True, False], "boolean"),
        (["a", "b"], "string"),
        ([3, 7], "int64[pyarrow]"),
        ([pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")], "datetime64[s]"),
    ],
)
def test_ids_have_their_type_of_pandas(ids, dtype):
    frame = sales(stores=ids, items=("milk",))
    frame["store"] = frame["store"].astype(dtype)
    panel = lc.read(frame, series="store", target="y")
    result = of_forecast(frame, series="store").frame("pandas")
    held_out = lc.backtest(Naive(), panel, horizon=2, cutoffs=2).held_out("pandas")
    assert result["store"].dtype == held_out["store"].dtype == frame["store"].dtype
    assert len(result.merge(frame[["store"]].drop_duplicates(), on="store")) == 4
    saved = keys_from_saved(described(panel.keys), packed_keys(panel.keys))
    assert saved.column_dtypes() == panel.keys.column_dtypes()


def test_ids_that_are_bytes_stay_bytes():
    frame = sales(stores=(b"a", b"b"), items=("milk",))
    result = of_forecast(frame, series="store").frame("pandas")
    assert result["store"].tolist() == [b"a", b"a", b"b", b"b"]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Float32])
def test_ids_have_their_type_of_polars(dtype):
    frame = pl.from_pandas(sales(items=("milk",))).with_columns(
        pl.col("store").cast(dtype)
    )
    result = of_forecast(frame, series="store").frame("polars")
    assert result["store"].dtype == dtype


def test_types_that_only_some_sources_have_are_not_kept():
    keys = [
        Keys({"store": np.array([3])}, frame_dtypes={"store": f"pandas:{dtype}"})
        for dtype in ("int8", "int16")
    ]
    assert joined(keys).column_dtypes() == {}
    assert joined(keys[:1]).column_dtypes() == {"store": "pandas:int8"}
