"""Addresses of databases: what they say, and what nothing shows of them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.databases.address import (
    Address,
    address_of,
    hidden,
    is_address,
    is_target,
    parsed,
)
from lstmcast.databases.passwords import password_of

SECRET = "p@ss/w0rd#?"
WRITTEN = "p%40ss%2Fw0rd%23%3F"


def test_an_address_says_where_a_table_is():
    found = parsed(
        f"postgres://ana:{WRITTEN}@db:5433/shop?table=a.sales&sslmode=require&timeout=3"
    )
    assert found.engine == "postgresql"
    assert (found.host, found.port, found.path, found.user) == (
        "db",
        5433,
        "shop",
        "ana",
    )
    assert (found.table, found.timeout, found.options) == (
        "a.sales",
        3,
        (("sslmode", "require"),),
    )
    assert found.password == SECRET


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("duckdb:///shop.db", "shop.db"),
        ("sqlite:////data/my%20shop.db", "/data/my shop.db"),
    ],
)
def test_three_slashes_lead_from_here_and_four_from_the_root(text, path):
    assert parsed(text).path == path


def test_no_text_shows_the_password():
    address = parsed(f"mysql://ana:{WRITTEN}@db/shop?table=sales")
    table = lc.DatabaseTable(f"fc@mysql://ana:{WRITTEN}@db/shop")
    shown = [
        repr(address),
        str(address),
        address.source,
        repr(table),
        str(table),
        f"{address!r}",
    ]
    for raw in (
        f"mysql://ana:{SECRET}@db/shop",
        f"fc@mysql://ana:{WRITTEN}@db/shop?a=b",
    ):
        shown.append(hidden(raw))
    shown.append(hidden("postgresql://db/shop?user=ana&password=w0rd"))
    assert not [text for text in shown if "w0rd" in text]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duckdb://shop.db", r"three\s+slashes, duckdb:///shop\.db"),
        ("duckdb:///", "does not name a file"),
        ("sqlite:///:memory:", "does not name a file"),
        ("postgresql://ana@db", "names no database"),
        ("postgresql://ana:w0rd/x@db/shop", "%2F"),
        ("postgresql://ana@db:port/shop", "is not an address"),
        (
            "duckdb:///shop.db?tabel=sales",
            r"no parameter 'tabel'\. Did you mean 'table'\?",
        ),
        ("mysql://db/shop?sslmode=on", "no parameter 'sslmode'"),
        ("mysql://db/shop?password=w0rd", "LSTMCAST_DB_PASSWORD"),
        ("duckdb:///shop.db?timeout=soon", "not a number of seconds"),
        ("mysql+oursql://db/shop", "driver 'oursql'"),
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(text, said):
    with pytest.raises(lc.UsageError, match=said) as told:
        parsed(text)
    assert "w0rd" not in str(told.value)


def test_places_are_told_apart_from_files():
    assert (
        is_address("sqlite:///a.db")
        and not is_address("a@b.csv")
        and not is_address("a.csv")
    )
    assert is_target("t@duckdb:///a.db") and not is_target("me@home.csv")


@pytest.mark.parametrize(
    ("place", "how", "said"),
    [
        ("fc.csv", {}, "does not name a table"),
        ("@duckdb:///a.db", {}, "does not name a table"),
        ("fc@duckdb:///a.db?table=x", {}, "names the table twice"),
        ("fc@duckdb:///a.db", {"if_exists": "merge"}, "Choose one of"),
        ("fc@duckdb:///a.db", {"key": ["a"]}, "would have no effect"),
    ],
)
def test_a_table_that_is_none_is_refused(place, how, said):
    with pytest.raises(lc.UsageError, match=said):
        lc.DatabaseTable(place, **how)


def test_a_query_and_a_table_are_one_too_many():
    with pytest.raises(lc.UsageError, match="Leave out one of them"):
        address_of("duckdb:///a.db?table=b", "SELECT 1")
    with pytest.raises(lc.UsageError, match="query is empty"):
        address_of("duckdb:///a.db", " ; ")
    with pytest.raises(lc.UsageError, match="needs a database"):
        lc.read({"a": [1, 2, 3]}, query="SELECT 1")


def test_passwords_are_looked_for_in_order(tmp_path):
    (tmp_path / "secret").write_text("of the file\nnot this\n")
    file = {"LSTMCAST_DB_PASSWORD_FILE": str(tmp_path / "secret")}
    address = parsed("mysql://ana@db/shop")
    assert password_of(address, {}) is None
    assert password_of(address, {"MYSQL_PWD": "driver's"}) == "driver's"
    assert password_of(address, file) == "of the file"
    assert password_of(address, file | {"LSTMCAST_DB_PASSWORD": "set"}) == "set"
    named = parsed("mysql://ana:${SHOP}@db/shop")
    assert password_of(named, {"SHOP": "own", "LSTMCAST_DB_PASSWORD": "set"}) == "own"
    with pytest.raises(lc.UsageError, match="variable SHOP, which is not set"):
        password_of(named, {})
    with pytest.raises(lc.UsageError, match="cannot be read"):
        password_of(address, {"LSTMCAST_DB_PASSWORD_FILE": str(tmp_path / "none")})


def test_no_password_is_in_logs_and_usage_errors(run, tmp_path):
    log = tmp_path / "night.log"
    address = "postgresql://ana:w0rd@localhost:1/shop?table=sales&timeout=1"
    for more in (
        ["--json"],
        ["--colour"],
        ["--horizon", "x"],
        ["--out", f"fc@{address}"],
    ):
        done = run("forecast", address, *more, "--log-file", log)
        assert done.status in (1, 2)
        assert "w0rd" not in done.out + done.err
    assert "w0rd" not in log.read_text()
    assert "ana:***@" in log.read_text()


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "shop.db").write_text("month,sold\n" * 1000)
    for engine in ("duckdb", "sqlite"):
        with pytest.raises(lc.DataError, match="not a database of this kind"):
            lc.read(f"{engine}:///{tmp_path}/shop.db?table=sales")
        with pytest.raises(lc.DataError):
            lc.read(f"{engine}:///{tmp_path}/none.db?table=sales")
    assert not (tmp_path / "none.db").exists()


def test_a_database_whose_folder_is_missing_is_told_before_the_work(run, tmp_path):
    data = tmp_path / "a.csv"
    data.write_text(
        "ds,y\n" + "\n".join(f"2024-01-{day:02d},{day}" for day in range(1, 25))
    )
    done = run("forecast", data, "--out", f"fc@duckdb:///{tmp_path}/no/shop.db")
    assert done.status == 1
    assert "does not exist" in done.err
    done = run("forecast", data, "--out", "fc.csv", "--if-exists", "append")
    assert done.status == 2
    assert "no database table is written" in done.err


def test_a_database_that_python_has_open_is_read_as_well(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        connection.sql(
            "CREATE TABLE t AS SELECT DATE '2024-01-01' + i::INT AS day, i AS sold "
            "FROM range(40) r(i)"
        )
        url = f"duckdb:///{tmp_path}/shop.db"
        assert len(lc.read(f"{url}?table=t").values) == 40
        with pytest.raises(lc.DataError, match="only read"):
            lc.read(url, query="DELETE FROM t")
        with pytest.raises(lc.DataError, match="only read"):
            lc.read(url, query="SELECT * FROM t; DELETE FROM t")
        assert connection.sql("SELECT count(*) FROM t").fetchall() == [(40,)]


def test_servers_need_the_extra():
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import lstmcast as lc\n"
        "try: lc.read('postgresql://db/shop?table=a')\n"
        "except lc.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert "pip install lstmcast[sql]" in done.stdout, done.stderr


def test_columns_of_several_sorts_become_texts():
    from lstmcast.data.files.dbtables import sheet_of_rows
    from lstmcast.databases.connections import Rows

    blocks = [[(1, None), (2, None)], [("x", 2.5), (None, None)]]
    sheet = sheet_of_rows(Rows(["mixed", "number"], iter(blocks)))
    mixed, number = sheet.columns
    assert [mixed.cell(row) for row in range(4)] == ["1", "2", "x", ""]
    assert json.dumps([number.cell(2)]) == '["2.5"]'
    assert isinstance(parsed("sqlite:///a.db"), Address)


def test_an_address_without_a_known_beginning_is_told():
    for text in ("shop.db", "oracle://db/shop"):
        with pytest.raises(lc.UsageError, match="is not the address of a database"):
            parsed(text)


def test_hiding_a_password_twice_leaves_the_rest_of_a_message():
    message = "'mysql://ana:w0rd@db/s' is not an address; write / as %2F, @ as %40"
    once = (
        hidden(message.partition("'")[2].partition("'")[0])
        + " is not an address; write @ as %40"
    )
    assert (
        hidden(once) == once == "mysql://ana:***@db/s is not an address; write @ as %40"
    )


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    for engine in ("duckdb", "sqlite"):
        with pytest.raises(lc.DataError, match="there is no such file"):
            lc.read(f"{engine}:///{tmp_path}/none.db?table=a")


def test_what_sqlite_has_no_room_for_is_told(tmp_path):
    from lstmcast.writing.tables import write_table

    table = lc.DatabaseTable(f"fc@sqlite:///{tmp_path}/shop.db")
    for column in (np.array([2**64 - 1], np.uint64), np.array(["\ud800"], object)):
        with pytest.raises(lc.OutputError, match="Nothing was changed"):
            write_table({"a": column}, table)


def test_names_in_a_query_are_no_variables_of_the_program(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    from lstmcast.duckdb import query

    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE sales (a INTEGER)")
    for database in (None, f"duckdb:///{tmp_path}/shop.db"):
        with pytest.raises(
            lc.DataError, match="Table with name statement does not exist"
        ):
            query("SELECT * FROM statement", database)
    with pytest.raises(lc.DataError, match="Table with name query does not exist"):
        lc.read(f"duckdb:///{tmp_path}/shop.db", query="SELECT * FROM query")


def test_names_differ_in_case_only_for_servers(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    from lstmcast.writing.tables import write_table

    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE FC (a BIGINT)")
    write_table(
        {"a": np.array([5])}, lc.DatabaseTable(f"fc@duckdb:///{tmp_path}/shop.db")
    )
    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        assert connection.sql("FROM fc").fetchall() == [(5,)]
