"""Servers of databases for tests: started in a folder of their own, stopped and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "gehe1m"  # nothing else in a message reads like it


@dataclass(frozen=True)
class Server:
    """A running server with an empty database `shop`."""

    scheme: str
    port: int
    user: str

    @property
    def url(self) -> str:
        """The address of its database, without a password."""
        return f"{self.scheme}://{self.user}@127.0.0.1:{self.port}/shop"


@contextlib.contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server; the test is skipped where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    initdb = shutil.which("initdb") or (
        str(folders[-1] / "initdb") if folders else None
    )
    if initdb is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    bin_folder, port = Path(initdb).parent, _free_port()
    with _folder("postgres") as (folder, account):
        secret = folder / "password"
        secret.write_text(PASSWORD)
        _own(secret, account)
        data = str(folder / "data")
        _run(
            account,
            initdb,
            "-D",
            data,
            "-U",
            "shop",
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
        )
        options = [
            "-p",
            str(port),
            "-k",
            str(folder),
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        quick = ["-c", "fsync=off"]
        with _process(
            account, str(bin_folder / "postgres"), "-D", data, *options, *quick
        ):
            address = f"postgresql://shop:{PASSWORD}@127.0.0.1:{port}/postgres"
            _until(lambda: _made_in_postgresql(address))
            yield Server("postgresql", port, "shop")


def _made_in_postgresql(address: str) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")


@contextlib.contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server; the test is skipped where there is none."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if install is None or server is None:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    port = _free_port()
    with _folder("mysql") as (folder, account):
        data, socket_path = f"--datadir={folder / 'data'}", str(folder / "socket")
        usual = ["--no-defaults", data, "--auth-root-authentication-method=normal"]
        _run(account, install, *usual, "--skip-test-db")
        options = ["--no-defaults", data, f"--socket={socket_path}", f"--port={port}"]
        options += ["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]
        with _process(account, server, *options):
            _until(lambda: _made_in_mariadb(socket_path))
            yield Server("mysql", port, "shop")


def _made_in_mariadb(socket_path: str) -> None:
    import pymysql

    # pymysql leaves one open where nobody does
    with socket.socket(socket.AF_UNIX) as listening:
        listening.connect(socket_path)
    with pymysql.connect(user="root", unix_socket=socket_path) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE USER shop@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        cursor.execute("GRANT ALL ON shop.* TO shop@'127.0.0.1' WITH GRANT OPTION")
        cursor.execute("GRANT CREATE USER ON *.* TO shop@'127.0.0.1'")


@contextlib.contextmanager
def _folder(account: str) -> Iterator[tuple[Path, str | None]]:
    """A folder, and the account that a server runs as: root may be none."""
    with tempfile.TemporaryDirectory(prefix="lst-", dir="/tmp") as name:
        folder = Path(name)
        used = account if os.geteuid() == 0 else None
        _own(folder, used)
        yield folder, used


def _own(path: Path, account: str | None) -> None:
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _run(account: str | None, *command: str) -> None:
    done = subprocess.run(
        command,
        user=account,
        group=account,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _process(account: str | None, *command: str) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        user=account,
        group=account,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(attempt: Callable[[], None], seconds: float = 60) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
