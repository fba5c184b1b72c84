"""Where the password of a database comes from, unless the driver finds it itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lstmcast.databases.address import Address
from lstmcast.errors import UsageError

VARIABLE, FILE = "LSTMCAST_DB_PASSWORD", "LSTMCAST_DB_PASSWORD_FILE"


def password_of(
    address: Address, environment: Mapping[str, str] = os.environ
) -> str | None:
    """The password of the address (`$NAME` is an environment variable), else of the variable or
    the file named here; None leaves it to the driver (`~/.pgpass`, `~/.my.cnf`).

    >>> from lstmcast.databases.address import parsed
    >>> password_of(parsed("mysql://ana:$SHOP@db/shop"), {"SHOP": "secret"})
    'secret'
    """
    password = address.password
    if password is not None and password.startswith("$"):
        return _variable(password[1:].strip("{}"), environment, address)
    if password is not None:
        return password
    if environment.get(VARIABLE):
        return environment[VARIABLE]
    if environment.get(FILE):
        return _of_file(environment[FILE])
    return environment.get("MYSQL_PWD") if address.engine == "mysql" else None


def _variable(name: str, environment: Mapping[str, str], address: Address) -> str:
    if name not in environment:
        raise UsageError(
            f"{address.place}: the password should be in the variable {name}, which is not set. "
            f"Set it, as in: export {name}=…"
        )
    return environment[name]


def _of_file(path: str) -> str:
    """The first line of a file."""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(
            f"the file {path!r}, which {FILE} names, cannot be read: {reason}. Write the password "
            "of the database into it, and nothing else."
        ) from None
    return text.splitlines()[0] if text else ""
