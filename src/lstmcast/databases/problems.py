"""Errors of database drivers, in plain words and without passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lstmcast.databases.address import Address, file_of
from lstmcast.databases.passwords import FILE, VARIABLE
from lstmcast.errors import DataError, LstmcastError, OutputError

_PASSWORD_PLACES = (
    f"Set the password in {VARIABLE}, or name a file with it in {FILE}, or use ~/.pgpass "
    "(PostgreSQL) or ~/.my.cnf (MySQL)"
)
# What drivers report, and what to do about it: the first match counts.
_KNOWN = (
    (
        r"password authentication failed|no password supplied|access denied for user .*password",
        f"the server rejects this user and password. {_PASSWORD_PLACES}.",
    ),
    (
        r"database \S+ does not exist|unknown database",
        "the server has no such database. Correct its name in the address.",
    ),
    (
        r"translate host|name or service|getaddrinfo|refused|can't connect|could not connect"
        r"|timeout expired|timed out|no route|no such file or directory.*socket|resolve host",
        "the server cannot be reached. Correct host and port in the address, and check that the "
        "server runs and can be reached from here.",
    ),
    (
        r"is locked|could not set lock|lock timeout|lock wait timeout|deadlock"
        r"|transactioncontext error: conflict|could not serialize",
        "another process holds it. Run it again when that is done; timeout=60 in the address waits "
        "longer for servers and SQLite.",
    ),
    (
        r"permission denied|command denied|access denied|readonly database|insufficient privilege"
        r"|must be owner|read-only",
        "this user has no permission. Ask for it (GRANT), or name another user, file or table.",
    ),
    (
        r"not a valid duckdb|file is not a database|is encrypted|serialized by a newer",
        "the file is not a database of this kind and version. Correct the path, or the start of "
        "the address.",
    ),
    (
        r"disk.*full|no space left|database or disk is full",
        "the disk is full. Make room.",
    ),
    (
        r"duplicate|unique constraint|primary key",
        "rows with this key already exist. Use --if-exists upsert, name the key of the table "
        "with --key, or write to another table.",
    ),
)


_ONLY_READS = (
    r"read-?\s?only",
    "a query may only read. Give one that changes nothing, such as SELECT … FROM ….",
)


def explained(
    error: Exception, address: Address, password: str | None, writes: bool
) -> str:
    """The message for a driver's error: what happened, and what to do."""
    file = file_of(address)
    if file is not None and not writes and not file.exists():
        return (
            f"{address.place}: there is no such file. Correct the path in the address."
        )
    message = _said_by(error)
    if password:
        message = message.replace(password, "***")
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    first = (lines[0] if lines else type(error).__name__)[:300]
    hints = [
        line
        for line in lines[1:]
        if re.match(r"hint:|did you mean|candidate", line, re.I)
    ]
    summary = " ".join([first, *hints[:2]]).rstrip(".")
    for pattern, reason in _KNOWN if writes else (_ONLY_READS, *_KNOWN):
        if re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return f"{address.place}: {reason} ({summary})"
    return f"{address.place}: the database refused: {summary}."


def _said_by(error: Exception) -> str:
    """The text of a driver's error: SQLAlchemy wraps it, PyMySQL adds a number."""
    error = getattr(error, "orig", None) or error
    numbered = len(error.args) == 2 and isinstance(error.args[0], int)
    return str(error.args[1]) if numbered else str(error)


@contextmanager
def telling(
    address: Address,
    password: str | None,
    kinds: tuple[type[Exception], ...],
    writes: bool,
) -> Iterator[None]:
    """Turn a driver's errors of these kinds into DataErrors, or OutputErrors if the block
    writes."""
    kind: type[LstmcastError] = OutputError if writes else DataError
    try:
        yield
    except LstmcastError:
        raise
    except kinds as error:
        unchanged = " Nothing was changed." if writes else ""
        raise kind(explained(error, address, password, writes) + unchanged) from None
