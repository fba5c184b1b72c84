"""Addresses of databases and of tables in them: `postgresql://ana@db/shop?table=sales`.

The password of an address is used only to open a connection, and is never shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of
from lstmcast.util.spelling import did_you_mean

Engine = Literal["duckdb", "sqlite", "postgresql", "mysql"]
IfExists = Literal["replace", "append", "upsert"]

ENGINES: dict[str, Engine] = {
    "duckdb": "duckdb",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
IN_FILES = ("duckdb", "sqlite")
WAYS = ("replace", "append", "upsert")  # what to do with an existing table
_EXAMPLE = (
    "postgresql://user@host/database?table=sales or duckdb:///shop.db?table=sales"
)
_SCHEME = "|".join(ENGINES)
_ADDRESS = pattern_of(rf"({_SCHEME})(\+\w+)?://", re.IGNORECASE)
_TARGET = pattern_of(
    rf"(?P<table>[^@]*)@(?P<address>({_SCHEME})(\+\w+)?://.*)", re.IGNORECASE
)
# a password that is hidden already is skipped: any later @ of a message would match
_PASSWORD = pattern_of(r"(://[^:@/\s]*):(?!\*\*\*@).*@", re.DOTALL)
_PARAMETER = pattern_of(r"([?&](?:password|passwd|sslpassword)=)[^&\s]*", re.IGNORECASE)
# parameters of the drivers, beside our own
_OPTIONS = {
    "postgresql": (
        *("host", "sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile"),
        *("application_name", "options", "target_session_attrs", "client_encoding"),
    ),
    "mysql": (
        *(
            "unix_socket",
            "charset",
            "ssl_ca",
            "ssl_cert",
            "ssl_key",
            "read_default_file",
        ),
        "read_default_group",
    ),
}
_WAIT = 10.0  # seconds for a server, or for a lock


@dataclass(frozen=True)
class Address:
    """The address of a table, whose texts hide the password.

    `path`: the file of DuckDB or SQLite · `table`: its name, with the schema if there is one ·
    `query`: a query to read instead · `timeout`: seconds to wait for a server or a lock ·
    `options`: other parameters of the driver, such as `sslmode`.

    >>> parsed("postgresql://ana:secret@db:5433/shop?table=sales")
    Address('postgresql://ana:***@db:5433/shop?table=sales')
    """

    engine: Engine
    path: str = ""
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str | None = field(default=None, repr=False)
    table: str | None = None
    query: str | None = None
    timeout: float = _WAIT
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.place if self.table is None else f"{self.place}?table={self.table}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    @property
    def place(self) -> str:
        """The name of the database in messages."""
        if self.engine in IN_FILES:
            return f"{self.engine}:///{self.path}"
        secret = "" if self.password is None else ":***"
        user = f"{self.user}{secret}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.engine}://{user}{self.host}{port}/{self.path}"

    @property
    def source(self) -> str:
        """The name of what is read in messages."""
        return f"{self.place} (query)" if self.query else str(self)

    @property
    def label(self) -> str:
        """The name of a single series."""
        return (self.table or "y").rpartition(".")[2]

    def is_table_of(self, other: Address) -> bool:
        """Whether both name the same table, as far as their texts tell."""
        if self.engine != other.engine or self.table is None or other.table is None:
            return False
        names, other_names = (
            self.table.casefold().split("."),
            other.table.casefold().split("."),
        )
        if names[-1] != other_names[-1] or (
            len(names) == len(other_names) and names != other_names
        ):
            return False
        if self.engine in IN_FILES:
            return os.path.realpath(self.path) == os.path.realpath(other.path)
        return (self.host, self.port, self.path) == (other.host, other.port, other.path)


@dataclass(frozen=True)
class DatabaseTable:
    """A database table for a result, accepted wherever a file path is.

    Args:
        place: `TABLE@URL`, such as `"forecasts@postgresql://ana@db/shop"`.
        if_exists: What to do with existing rows: "replace" all of them, "append" the new rows, or
            "upsert", which replaces rows with the same key.
        key: The key columns for "upsert". Defaults to ids and times.

    Raises:
        UsageError: The place is invalid, or a key is given without "upsert".

    >>> DatabaseTable("forecasts@duckdb:///shop.db", if_exists="append")
    DatabaseTable('forecasts@duckdb:///shop.db', if_exists='append')
    """

    place: str
    if_exists: IfExists = "replace"
    key: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not is_target(self.place):
            raise UsageError(
                f"{hidden(str(self.place))!r} does not name a table. TABLE@URL is expected, such "
                "as forecasts@duckdb:///shop.db."
            )
        if self.if_exists not in WAYS:
            raise UsageError(
                f"if_exists={self.if_exists!r} is not known.{did_you_mean(self.if_exists, WAYS)} "
                f"Choose one of: {', '.join(WAYS)}."
            )
        columns = (self.key,) if isinstance(self.key, str) else self.key
        names = tuple(dict.fromkeys(columns))
        if names and self.if_exists != "upsert":
            raise UsageError(
                f"key={list(names)} would have no effect: rows are replaced by their key with "
                "if_exists='upsert' only."
            )
        object.__setattr__(self, "key", names)
        _ = self.address  # fail here if the address is invalid

    @property
    def address(self) -> Address:
        """The address of the table."""
        match = _TARGET.fullmatch(self.place)
        assert match is not None  # checked in __post_init__
        address = parsed(match["address"])
        if address.table is not None or address.query is not None:
            raise UsageError(
                f"{hidden(self.place)!r} names the table twice. Write it before the @ only."
            )
        if not match["table"].strip():
            raise UsageError(
                f"{hidden(self.place)!r} does not name a table: TABLE@URL is expected."
            )
        return replace(address, table=match["table"].strip())

    def beside(self, content: str) -> DatabaseTable:
        """Another table in the same database, with the content appended to the name."""
        table, separator, url = self.place.partition("@")
        return replace(self, place=f"{table}_{content}{separator}{url}", key=())

    def __str__(self) -> str:
        address = self.address
        return f"{address.table}@{address.place}"

    def __repr__(self) -> str:
        key = f", key={list(self.key)}" if self.key else ""
        return f"DatabaseTable({str(self)!r}, if_exists={self.if_exists!r}{key})"


def is_address(source: object) -> bool:
    """Whether a source is the address of a database.

    >>> is_address("sqlite:///shop.db"), is_address("https://example.com/sales.csv")
    (True, False)
    """
    return isinstance(source, Address) or (
        isinstance(source, str) and _ADDRESS.match(source.strip()) is not None
    )


def is_target(place: object) -> bool:
    """Whether a destination is a database table: TABLE@URL."""
    if isinstance(place, DatabaseTable):
        return True
    return isinstance(place, str) and _TARGET.fullmatch(place) is not None


def address_of(source: str | Address, query: str | None = None) -> Address:
    """The address of a source, with a query instead of a table if one is given."""
    address = source if isinstance(source, Address) else parsed(source)
    if query is None:
        return address
    if address.table is not None:
        raise UsageError(
            f"{address} names a table, but there is a query too. Leave out one of them."
        )
    if not query.strip().rstrip(";"):
        raise UsageError(
            "The query is empty. Write what to read, such as SELECT * FROM sales."
        )
    return replace(address, query=query.strip().rstrip(";"))


def parsed(text: str) -> Address:
    """Parse an address; UsageError, without the password, if it is invalid."""
    label = hidden(text)
    try:
        url = urlsplit(text.strip())
        port = url.port
        pairs = parse_qsl(
            url.query, keep_blank_values=True, strict_parsing=bool(url.query)
        )
    except ValueError:
        raise UsageError(
            f"{label!r} is not an address of a database. Write it as {_EXAMPLE}; in a "
            f"password, write "
            "/ as %2F, @ as %40, # as %23 and ? as %3F, or keep it out of the address."
        ) from None
    scheme, _, driver = url.scheme.partition("+")
    if scheme not in ENGINES:
        raise UsageError(
            f"{label!r} is not the address of a database. Write it as {_EXAMPLE}."
        )
    engine = ENGINES[scheme]
    if driver and driver not in ("psycopg", "pymysql"):
        raise UsageError(
            f"{label!r}: the driver {driver!r} is not used here. Write {scheme}:// alone."
        )
    parameters = dict(pairs)
    settings = {
        name: parameters.pop(name)
        for name in ("table", "query", "timeout")
        if name in parameters
    }
    _require_options(engine, parameters, label)
    place = _file_place(url, label) if engine in IN_FILES else _server_place(url, label)
    password = None if url.password is None else unquote(url.password)
    return Address(
        engine,
        path=place,
        host=url.hostname or "",
        port=port,
        user=unquote(url.username or ""),
        password=password,
        table=settings.get("table") or None,
        query=settings.get("query") or None,
        timeout=_seconds(settings.get("timeout"), label),
        options=tuple(parameters.items()),
    )


def hidden(text: str) -> str:
    """A text with the passwords of all addresses in it hidden.

    >>> hidden("forecasts@mysql://ana:my@pass@db/shop?table=sales")
    'forecasts@mysql://ana:***@db/shop?table=sales'
    """
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


def _file_place(url: SplitResult, label: str) -> str:
    """The path of a file: three slashes start from this folder, four from the root."""
    if url.netloc:
        raise UsageError(
            f"{label!r}: {url.netloc!r} is where the name of a server belongs. Write three "
            f"slashes, {url.scheme}:///{url.netloc}, or four before a path from the root."
        )
    path = os.path.expanduser(unquote(url.path.removeprefix("/")))
    if not path or path == ":memory:":
        raise UsageError(
            f"{label!r} does not name a file. Write {url.scheme}:///shop.db for a file in this "
            "folder."
        )
    return path


def _server_place(url: SplitResult, label: str) -> str:
    database = unquote(url.path.strip("/"))
    if not database:
        raise UsageError(f"{label!r} names no database. Write it as {_EXAMPLE}.")
    return database


def _require_options(engine: Engine, parameters: dict[str, str], label: str) -> None:
    """Raise UsageError for unknown parameters, and for a password among them."""
    if any(name in parameters for name in ("password", "passwd")):
        raise UsageError(
            f"{label!r}: a password is not a parameter. Set LSTMCAST_DB_PASSWORD instead."
        )
    allowed = ("table", "query", "timeout", *_OPTIONS.get(engine, ()))
    for name in parameters:
        if name not in allowed:
            raise UsageError(
                f"{label!r}: there is no parameter {name!r}.{did_you_mean(name, allowed)} "
                f"There are: {', '.join(allowed)}."
            )


def _seconds(text: str | None, label: str) -> float:
    if text is None:
        return _WAIT
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:
        raise UsageError(
            f"{label!r}: {text!r} is not a number of seconds. Write timeout=30."
        )
    return seconds


def file_of(address: Address) -> Path | None:
    """The file of the database; None for a server."""
    return Path(address.path) if address.engine in IN_FILES else None
