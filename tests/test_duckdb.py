"""Forecasts and anomalies in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

import lstmcast as lc
from lstmcast.duckdb import query
from lstmcast.duckdb.functions import relation_text

SALES = (
    "CREATE TABLE sales AS SELECT ['north', 'south'][s + 1] AS store, s AS item, "
    "DATE '2024-01-01' + i::INT AS day, 100 + i % 7 + 10 * s + if(i = 60, 500, 0) AS amount "
    "FROM range(90) t(i), range(2) u(s)"
)
CALL = "lstmcast_forecast('sales', value := 'amount', id := ['store', 'item'], horizon := 3"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        lc.duckdb.register(connection)
        connection.execute(SALES)
        yield connection


def test_the_columns_are_named_and_typed(con):
    relation = con.sql(f"FROM {CALL})")
    assert relation.columns == [
        *("store", "item", "forecast_timestamp", "forecast_value", "confidence_level"),
        *("prediction_interval_lower_bound", "prediction_interval_upper_bound"),
        *("ai_forecast_status", "q0.1", "q0.5", "q0.9"),
    ]
    assert [str(kind) for kind in relation.types[:4]] == [
        "VARCHAR",
        "BIGINT",
        "TIMESTAMP",
        "DOUBLE",
    ]


def test_the_numbers_are_those_of_python(con):
    found = con.sql(f"FROM {CALL}, level := [80, 95])").fetchnumpy()
    panel = lc.read(con.table("sales"), target="amount", series=["store", "item"])
    model = lc.LSTMForecaster(3, quantiles=(0.025, 0.1, 0.5, 0.9, 0.975))
    expected = model.predict(panel)
    np.testing.assert_array_equal(found["forecast_value"], expected.point.ravel())
    np.testing.assert_array_equal(found["q0.025"], expected.quantiles[:, :, 0].ravel())
    lower = found["prediction_interval_lower_bound"]
    np.testing.assert_array_equal(lower, expected.quantiles[:, :, 1].ravel())
    assert found["store"].tolist() == ["north"] * 3 + ["south"] * 3
    assert set(found["confidence_level"]) == {0.8}


def test_many_series_come_in_chunks(con, monkeypatch):
    monkeypatch.setattr("lstmcast.duckdb.functions.CHUNK", 1)
    whole = con.sql(f"SELECT count(*), count(DISTINCT store) FROM {CALL})").fetchall()
    assert whole == [(6, 2)]


def test_a_query_or_a_file_stands_for_a_table(con, tmp_path):
    only = "lstmcast_forecast('SELECT day, amount FROM sales WHERE item = 0', horizon := 2)"
    assert len(con.sql(f"FROM {only}").fetchall()) == 2
    con.sql(
        f"COPY (SELECT day, amount FROM sales WHERE item = 1) TO '{tmp_path}/south.csv'"
    )
    file = f"lstmcast_forecast('{tmp_path}/south.csv', horizon := 2)"
    assert len(con.sql(f"FROM {file}").fetchall()) == 2
    assert relation_text("from_sales") == '"from_sales"'


def test_anomalies_are_those_of_python(con):
    call = "lstmcast_anomalies('sales', value := 'amount', id := ['store', 'item'], rate := 0.01)"
    found = con.sql(f"SELECT store, timestamp FROM {call} WHERE is_anomaly").fetchall()
    assert {str(time)[:10] for _, time in found} == {"2024-03-01"}
    scores = con.sql(f"SELECT score FROM {call}").fetchnumpy()["score"]
    panel = lc.read(con.table("sales"), target="amount", series=["store", "item"])
    np.testing.assert_array_equal(
        scores.filled(np.nan), lc.anomalies(panel, rate=0.01).scores
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("lstmcast_forecast('sale')", 'Did you mean "sales"'),
        (
            "lstmcast_forecast('sales', value := 'amout', id := ['store'])",
            "no column 'amout'",
        ),
        (
            "lstmcast_forecast('sales', id := ['shop'])",
            "'shop' is not a column of sales",
        ),
        (
            "lstmcast_forecast('sales', value := 'amount')",
            "Name the columns that distinguish them",
        ),
        (f"{CALL[:-1]}0)", "a whole number of steps"),
        (f"{CALL}, level := 'wide')", "level := wide is not a percentage"),
        (
            "lstmcast_anomalies('sales', value := 'amount', id := ['store', 'item'], rate := 2)",
            "2",
        ),
    ],
)
def test_what_cannot_be_done_is_said(con, call, said):
    with pytest.raises(duckdb.Error, match=said):
        con.sql(f"FROM {call}").fetchall()


def test_registering_again_changes_nothing(con):
    lc.duckdb.register(con)
    assert len(con.sql(f"FROM {CALL})").fetchall()) == 6


def test_a_query_tells_errors_as_our_own(tmp_path):
    url = f"duckdb:///{tmp_path}/shop.db"
    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        connection.execute(SALES)
    assert len(query(f"FROM {CALL})", url)["forecast_value"]) == 6
    with pytest.raises(lc.DataError, match="no column 'amout'"):
        query("FROM lstmcast_forecast('sales', value := 'amout', id := ['store'])", url)
    with pytest.raises(lc.DataError, match="the query failed"):
        query("FROM nothing")
    with pytest.raises(lc.DataError, match="read-only"):
        query("DROP TABLE sales", url)
    with pytest.raises(lc.UsageError, match="not a DuckDB file"):
        query("SELECT 1", "sqlite:///shop.db")


def test_the_command_runs_queries_and_writes_tables(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("shop.db") as connection:
        connection.execute(SALES)
    database = ("--database", "duckdb:///shop.db")
    done = run("sql", f"SELECT store, forecast_value FROM {CALL})", *database)
    assert done.status == 0 and "north" in done.out
    done = run("sql", f"FROM {CALL})", *database, "--json")
    assert len(done.json["columns"]["store"]) == 6
    done = run("sql", f"FROM {CALL})", *database, "--out", "fc@duckdb:///shop.db")
    assert done.status == 0, done.err
    assert len(query("SELECT * FROM fc", "duckdb:///shop.db")["store"]) == 6
    assert run("sql", f"FROM {CALL})", *database, "--out", "fc.csv").status == 0
    assert len(Path("fc.csv").read_text().splitlines()) == 7
    assert run("sql", "FROM nothing").status == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("",), 2, "The query is empty"),
        ((" ; ",), 2, "The query is empty"),
        (("SELECT 1", "--database", "shop.db"), 2, "is not the address of a database"),
        (("SELECT 1", "--database", "duckdb:///none.db"), 1, "there is no such file"),
        (("FROM lstmcast_forecast(NULL)",), 2, "Name a table, a file or a query"),
        (("FROM lstmcast_forecast('')",), 2, "Name a table, a file or a query"),
        (("FROM lstmcast_forecast('none')",), 1, "the query failed: Catalog Error"),
    ],
)
def test_odd_arguments_are_told(run, tmp_path, monkeypatch, arguments, status, said):
    monkeypatch.chdir(tmp_path)
    done = run("sql", *arguments)
    assert done.status == status
    assert said in done.err


def test_cells_that_are_no_numbers_or_texts_become_texts(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    statement = (
        "SELECT [1, 2] AS l, {'a': 1} AS s, INTERVAL 1 DAY AS i, 'x'::BLOB AS b, "
        "TIME '10:00' AS t, NULL::VARCHAR AS n, true AS y, "
        "UUID '00000000-0000-0000-0000-000000000001' AS u"
    )
    done = run("sql", statement, "--json")
    assert done.status == 0
    cells = [column[0] for column in done.json["columns"].values()]
    assert cells == [
        *("[1, 2]", "{'a': 1}", "1 day, 0:00:00", "x", "10:00:00", "", True),
        "00000000-0000-0000-0000-000000000001",
    ]
    for place in ("rows.csv", "rows.parquet", "rows@sqlite:///rows.db"):
        assert run("sql", statement, "--out", place).status == 0
