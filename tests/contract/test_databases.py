"""What every database keeps to: tables come in as files do, results change whole or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.databases.address import parsed
from lstmcast.databases.opening import opened
from lstmcast.databases.writing import write_to_database
from servers import PASSWORD, mariadb, postgresql

DAYS = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-03-01"))
COUNT = len(DAYS)
SALES = {
    "store": np.repeat(np.array(["north", "süd"], object), COUNT),
    "day": np.tile(DAYS, 2),
    "amount": np.arange(2 * COUNT) % 7 + 0.25,
    "note": np.array(["50%"] * (2 * COUNT), object),
}
FORECAST = {
    "store": np.array(["north", "süd"], object),
    "ds": np.array(["2024-03-01", "2024-03-02"], "datetime64[us]"),
    "step": np.array([1, 2]),
    "forecast": np.array([1.5, np.nan]),
    "q0.1": np.array([1.0, 2.0]),
}
SERVERS = {"postgresql": postgresql, "mysql": mariadb}


@dataclass(frozen=True)
class Shop:
    """A database with a table `sales`."""

    url: str

    def at(self, table: str) -> str:
        return f"{self.url}?table={table}"

    def to(self, table: str, **how: object) -> lc.DatabaseTable:
        return lc.DatabaseTable(f"{table}@{self.url}", **how)

    def run(self, statement: str) -> None:
        with opened(parsed(self.url), writes=True) as database:
            database.run(statement)
            database.commit()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with opened(parsed(self.url)) as database:
            return [
                tuple(row) for block in database.select(query).blocks for row in block
            ]


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, str]]:
    """The addresses of servers that tests have asked for, by scheme."""
    with contextlib.ExitStack() as stack:

        class Addresses(dict):
            def __missing__(self, scheme: str) -> str:
                self[scheme] = stack.enter_context(SERVERS[scheme]()).url
                return self[scheme]

        yield Addresses()


@pytest.fixture(
    params=[
        "duckdb",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.services),
        pytest.param("mysql", marks=pytest.mark.services),
    ]
)
def shop(request, tmp_path, monkeypatch, running) -> Shop:
    monkeypatch.setenv("LSTMCAST_DB_PASSWORD", PASSWORD)
    in_file = request.param in ("duckdb", "sqlite")
    made = Shop(
        f"{request.param}:///{tmp_path / 'shop.db'}"
        if in_file
        else running[request.param]
    )
    with opened(parsed(made.url), writes=True) as database:
        for table in database.tables():
            database.run(f"DROP TABLE {database.quoted(table)}")
        kinds = database.types
        database.run(
            f"CREATE TABLE sales (store {kinds['text']}, day DATE, amount DECIMAL(10, 2), "
            f"note {kinds['text']})"
        )
        database.insert("sales", SALES)
        database.commit()
    return made


# ---------------------------------------------------------------- reading


def test_a_table_is_read_as_a_file_of_it_would_be(shop):
    panel = lc.read(shop.at("sales"), target="amount")
    assert panel.ids.tolist() == ["north", "süd"]
    assert panel.frequency.code == "D"
    np.testing.assert_array_equal(panel.values, SALES["amount"])
    assert (
        panel.report.source.endswith("/shop?table=sales")
        or "shop.db?" in panel.report.source
    )


def test_a_query_is_read_in_place_of_a_table(shop):
    query = "SELECT day, amount FROM sales WHERE store = 'north' AND note LIKE '50%';"
    panel = lc.read(shop.url, query=query)
    assert len(panel) == 1
    assert len(panel.values) == COUNT


def test_the_only_table_needs_no_name(shop):
    assert len(lc.read(shop.url, target="amount")) == 2


def test_coming_values_are_read_from_a_table_of_their_own(shop):
    shop.run("CREATE TABLE plan (day DATE, promo DOUBLE PRECISION)")
    shop.run("INSERT INTO plan VALUES ('2024-03-01', 1), ('2024-03-02', 0)")
    panel = lc.read(shop.at("sales"), target="amount", future_data=shop.at("plan"))
    assert panel.covariates.future.columns["promo"][COUNT : COUNT + 2].tolist() == [
        1,
        0,
    ]


def test_times_with_hours_and_missing_values_come_as_they_are(shop):
    kind = "TIMESTAMP" if not shop.url.startswith("mysql") else "DATETIME"
    shop.run(f"CREATE TABLE hours (clock {kind}, sold DOUBLE PRECISION)")
    rows = ", ".join(
        f"('2024-01-01 {hour:02d}:00:00', {hour})" for hour in range(24) if hour != 5
    )
    shop.run(f"INSERT INTO hours VALUES {rows}, ('2024-01-01 05:00:00', NULL)")
    panel = lc.read(shop.at("hours"))
    assert panel.frequency.code == "h"
    assert np.flatnonzero(np.isnan(panel.values)).tolist() == [5]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"table": "sale"}, r"has no table 'sale'. Did you mean 'sales'\?"),
        (
            {"table": "sales", "target": "amout"},
            r"no column 'amout'.*Did you mean 'amount'\?",
        ),
        (
            {"table": "sales", "time": "store"},
            "holds no dates that can be read: 'north'",
        ),
        ({"table": "sales", "target": "store"}, "'north'"),
        ({"query": "SELECT amout FROM sales"}, "amout"),
        ({"query": "SELECT * FROM sales WHERE 1 = 0"}, "but no rows"),
        ({"query": "DELETE FROM sales"}, ""),
        ({"query": "SELECT * FROM sales; DELETE FROM sales"}, ""),
        ({"query": "SELEC 1"}, "(?i)syntax"),
    ],
)
def test_what_cannot_be_read_is_said_and_changes_nothing(shop, how, said):
    how = dict(how)
    table = how.pop("table", None)
    with pytest.raises(lc.DataError, match=f"(?s){said}"):
        lc.read(shop.url if table is None else shop.at(table), **how)
    assert len(shop.rows("SELECT * FROM sales")) == 2 * COUNT


def test_several_tables_are_listed_where_none_is_named(shop):
    shop.run("CREATE TABLE more (a INTEGER)")
    with pytest.raises(lc.DataError, match=r"There are: more, sales\."):
        lc.read(shop.url)


# ---------------------------------------------------------------- writing


def written(shop: Shop, columns: dict[str, np.ndarray], **how: object) -> None:
    from lstmcast.writing.tables import write_table

    write_table(columns, shop.to("fc", **how))


def stored(shop: Shop) -> list[tuple[str, object]]:
    rows = shop.rows("SELECT store, forecast FROM fc ORDER BY store, forecast")
    return [(str(store), value) for store, value in rows]


def test_a_new_table_has_the_types_of_the_columns(shop):
    written(shop, FORECAST)
    assert stored(shop) == [("north", 1.5), ("süd", None)]
    days = [str(day)[:10] for (day,) in shop.rows("SELECT ds FROM fc ORDER BY ds")]
    assert days == ["2024-03-01", "2024-03-02"]
    with opened(parsed(shop.url)) as database:
        types = {column.name: column.type for column in database.columns("fc")}
    assert types["ds"] == "date"
    assert list(types) == list(FORECAST)


def test_rows_are_replaced_added_or_replaced_by_key(shop):
    written(shop, FORECAST)
    written(shop, FORECAST)
    assert len(stored(shop)) == 2
    newer = FORECAST | {
        "store": np.array(["north", "west"], object),
        "forecast": np.array([7, 8.0]),
    }
    written(shop, newer, if_exists="upsert")
    assert stored(shop) == [("north", 7.0), ("süd", None), ("west", 8.0)]
    written(shop, newer, if_exists="upsert", key=["store"])
    written(shop, newer, if_exists="append")
    assert [store for store, _ in stored(shop)] == [
        "north",
        "north",
        "süd",
        "west",
        "west",
    ]


def test_a_run_that_fails_leaves_the_table_as_it_was(shop):
    shop.run(
        "CREATE TABLE fc (store VARCHAR(20) NOT NULL, forecast DOUBLE PRECISION UNIQUE)"
    )
    shop.run("INSERT INTO fc VALUES ('old', 1)")
    wrong = {"store": np.array(["a", "b"], object), "forecast": np.array([5.0, 5.0])}
    with pytest.raises(
        lc.OutputError, match=r"this key already exist.*Nothing was changed"
    ):
        written(shop, wrong)
    assert stored(shop) == [("old", 1.0)]


def test_a_run_that_fails_leaves_no_new_table(shop):
    shop.run("CREATE TABLE fc_totals (sold INTEGER)")
    with pytest.raises(lc.OutputError, match="does not fit"):
        write_to_database(shop.to("fc"), FORECAST, totals=FORECAST)
    with opened(parsed(shop.url)) as database:
        assert database.tables() == ["fc_totals", "sales"]


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (["a", None], r"row 2 of the result has no value in its key \(store=None"),
        (["a", "a"], r"rows 1 and 2 of the result have the same key \(store=a"),
    ],
)
def test_rows_without_a_key_of_their_own_are_refused(shop, store, said):
    columns = FORECAST | {
        "store": np.array(store, object),
        "ds": FORECAST["ds"][[0, 0]],
    }
    with pytest.raises(lc.OutputError, match=said):
        written(shop, columns, if_exists="upsert")
    with opened(parsed(shop.url)) as database:
        assert database.tables() == ["sales"]


def test_names_with_quotes_signs_and_letters_are_names(shop):
    name = "o'x; --\"`é 日"
    columns = {'a";--`\\': np.array([1, 2]), "80% sure": np.array([1.5, np.nan])}
    for _ in range(2):
        write_to_database(shop.to(name, if_exists="upsert"), columns)
    with opened(parsed(shop.url)) as database:
        query = f"SELECT * FROM {database.quoted(name)} ORDER BY 1"
        rows = [tuple(row) for block in database.select(query).blocks for row in block]
    assert rows == [(1, 1.5), (2, None)]


def test_a_table_of_other_columns_is_left_alone(shop):
    shop.run("CREATE TABLE fc (store VARCHAR(20), sold DOUBLE PRECISION)")
    with pytest.raises(lc.OutputError, match=r"no column 'ds', 'step'.*it has 'sold'"):
        written(shop, FORECAST)


def test_hours_are_not_cut_to_days(shop):
    written(shop, FORECAST)
    hours = FORECAST | {"ds": FORECAST["ds"] + np.timedelta64(6, "h")}
    with pytest.raises(
        lc.OutputError, match="'ds' holds days, and the result has hours"
    ):
        written(shop, hours, if_exists="append")
    assert len(stored(shop)) == 2


def test_a_key_that_is_no_column_is_refused(shop):
    with pytest.raises(lc.UsageError, match="key='shop'"):
        written(shop, FORECAST, if_exists="upsert", key=["shop"])


def test_two_runs_at_once_write_one_after_the_other(shop):
    written(shop, FORECAST)
    errors: list[Exception] = []

    def write() -> None:
        try:
            written(shop, FORECAST)
        except lc.OutputError as error:  # DuckDB refuses the second of two
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(shop)) == 2
    assert all("another process holds it" in str(error) for error in errors)


def test_a_locked_table_is_an_error_in_plain_words(shop):
    written(shop, FORECAST)
    waiting = lc.DatabaseTable(f"fc@{shop.url}?timeout=1")
    from lstmcast.writing.tables import write_table

    with opened(parsed(shop.url), writes=True) as database:
        database.lock("fc")
        database.run("DELETE FROM fc")
        with pytest.raises(lc.OutputError, match="another"):
            write_table(FORECAST, waiting)
    assert len(stored(shop)) == 2


def test_the_commands_read_and_write_tables(shop, run):
    target = f"fc@{shop.url}"
    arguments = [shop.at("sales"), "--target", "amount"]
    few = ["--horizon", "3", "--cutoffs", "1"]
    done = run("forecast", *arguments, *few, "--total", "horizon", "--out", target)
    assert done.status == 0, done.err
    assert len(stored(shop)) == 6
    assert len(shop.rows("SELECT * FROM fc_totals")) == 2
    again = run("forecast", *arguments, *few, "--out", target, "--if-exists", "upsert")
    assert again.status == 0, again.err
    assert len(stored(shop)) == 6
    assert run("check", *arguments).status == 0
    assert run("backtest", *arguments, *few, "--out", f"tested@{shop.url}").status == 0
    assert run("anomalies", *arguments, "--out", f"scores@{shop.url}").status == 0
    assert len(shop.rows("SELECT * FROM scores")) == 2 * COUNT


def test_the_data_are_not_written_over(shop, run):
    done = run(
        "forecast", shop.at("sales"), "--target", "amount", "--out", f"sales@{shop.url}"
    )
    assert done.status == 2
    assert "is the table of the data" in done.err


# ---------------------------------------------------------------- servers alone


@pytest.fixture
def server(shop) -> Shop:
    if shop.url.startswith(("duckdb", "sqlite")):
        pytest.skip("a file has no password")
    return shop


@pytest.mark.services
def test_a_wrong_password_is_said_and_not_shown(server, run, monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMCAST_DB_PASSWORD", "wr0ng-secret")
    done = run("check", server.at("sales"), "--json")
    assert done.status == 1
    assert "rejects this user and password" in done.err
    assert "wr0ng" not in done.err + done.out
    inside = server.at("sales").replace("shop@", "shop:wr0ng-secret@")
    log = tmp_path / "night.log"
    done = run("forecast", inside, "--log-file", log, "--json")
    assert done.status == 1
    assert "wr0ng" not in done.err + done.out + log.read_text()


@pytest.mark.services
def test_a_password_in_a_file_opens_the_database(server, monkeypatch, tmp_path):
    monkeypatch.delenv("LSTMCAST_DB_PASSWORD")
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    monkeypatch.setenv("LSTMCAST_DB_PASSWORD_FILE", str(tmp_path / "secret"))
    assert len(lc.read(server.at("sales"), target="amount")) == 2


@pytest.mark.services
def test_a_missing_database_and_a_server_that_is_not_there_are_said(server):
    with pytest.raises(lc.DataError, match=r"no such database|has no permission"):
        lc.read(server.url.removesuffix("/shop") + "/shoq?table=sales")
    before, _, after = server.url.rpartition(":")
    with pytest.raises(lc.DataError, match="cannot be reached"):
        lc.read(f"{before}:9/{after.partition('/')[2]}?table=sales")


@pytest.mark.services
def test_a_user_without_the_right_is_told_before_the_work(server, run):
    make = (
        f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'"
        if server.url.startswith("postgresql")
        else f"CREATE USER clerk@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
    )
    who = "clerk" if server.url.startswith("postgresql") else "clerk@'127.0.0.1'"
    written(server, FORECAST)
    for statement in (
        make,
        f"GRANT SELECT ON sales TO {who}",
        f"GRANT SELECT ON fc TO {who}",
    ):
        server.run(statement)
    clerk = server.url.replace("shop@", "clerk@")
    done = run(
        "forecast", f"{clerk}?table=sales", "--target", "amount", "--out", f"fc@{clerk}"
    )
    assert done.status == 1
    assert "this user has no permission" in done.err
    assert "series" not in done.err  # nothing was read yet


@pytest.mark.services
def test_a_table_without_transactions_is_refused(server):
    if server.url.startswith("postgresql"):
        pytest.skip("PostgreSQL has transactions only")
    server.run("CREATE TABLE fc (store VARCHAR(20), forecast DOUBLE) ENGINE=MyISAM")
    with pytest.raises(lc.OutputError, match="has no transactions"):
        written(server, FORECAST)


# ---------------------------------------------------------------- files alone


def test_a_point_in_a_name_is_a_letter_where_it_ends_no_schema(shop):
    if not shop.url.startswith(("duckdb", "sqlite")):
        pytest.skip("a server takes it for the end of a schema")
    shop.run('CREATE TABLE "sales.2024" (day DATE, amount DOUBLE PRECISION)')
    shop.run(
        "INSERT INTO \"sales.2024\" SELECT day, amount FROM sales WHERE store = 'north'"
    )
    assert len(lc.read(shop.at("sales.2024")).values) == COUNT
    written(shop, FORECAST)
    assert len(shop.rows("SELECT * FROM main.fc")) == 2
    assert len(lc.read(shop.at("main.sales"), target="amount")) == 2
