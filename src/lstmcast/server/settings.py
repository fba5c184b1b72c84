"""What a server serves, and how much of it one request may ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lstmcast.data.limits import Allowance
from lstmcast.errors import UsageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # of a model or a stream: never a path
UNPACKED = 4  # times the bytes of a body that its packed files may hold
CELLS = 20  # times as many cells as values are read: columns beside them, and what is missing
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """The most that one request may ask for, and the most that is kept.

    body: bytes that are sent; packed files may hold `UNPACKED` times as many. rows: values of all
    series that are read, and of all forecasts that are answered. horizon: steps. seconds: that the
    answer of a request may take; receive: that sending it may take. waiting: requests that are
    worked on or wait for it. streams, stream_rows: that are open, and rows of each. listeners:
    clients that follow a stream or a training. trainings: at a time; 0 offers none.
    training_minutes: that one may take.

    >>> Limits(rows=0)
    Traceback (most recent call last):
    lstmcast.errors.UsageError: rows=0 is not a limit. A number above 0 is expected.
    """

    body: int = 32_000_000
    rows: int = 1_000_000
    horizon: int = 10_000
    seconds: float = 60.0
    receive: float = 30.0
    waiting: int = 512
    streams: int = 100
    stream_rows: int = 10_000
    listeners: int = 100
    trainings: int = 1
    training_minutes: float = 60.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value == 0 and name == "trainings":
                continue
            if not value > 0:
                raise UsageError(f"{name}={value!r} is not a limit. A number above 0 is expected.")

    def of_files(self, count: int) -> Allowance:
        """What each of so many files of a request may hold."""
        return Allowance(UNPACKED * self.body // max(count, 1), CELLS * self.rows)


@dataclass(frozen=True)
class Settings:
    """Models by name, the folder of streams, who may ask, and how much.

    models: folders of saved models. streams: folder that keeps the state of streams; None keeps
    them in memory only. trainings: folder that keeps trainings and their models; None lets them go
    with the server. save_every: ticks of a stream after which its whole state is written anew.
    token: what a client has to show; None lets everybody ask. hosts: names by which the server may
    be called; None for any.

    >>> Settings(models={"../secrets": Path("m")})
    Traceback (most recent call last):
    lstmcast.errors.UsageError: '../secrets' is not a name of a model. Letters, digits, '.', '_' and
    '-' are expected, such as 'sales'.
    """

    models: Mapping[str, Path] = field(default_factory=dict)
    streams: Path | None = None
    trainings: Path | None = None
    save_every: int = 1000
    token: str | None = field(default=None, repr=False)
    hosts: Sequence[str] | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in self.models:
            checked_name(name, "model")
        if self.save_every < 1:
            raise UsageError(f"save_every must be at least 1 tick, got {self.save_every!r}.")
        if self.token is not None and not self.token.strip():
            raise UsageError("The token is empty, and would let everybody in. Give a longer one.")


def checked_name(name: str, noun: str) -> str:
    """A name that can stand in an address and be a folder; UsageError for any other."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is not a name of a {noun}. Letters, digits, '.', '_' and '-' are "
            "expected, such as 'sales'."
        )
    return name


def models_of(texts: Sequence[str]) -> dict[str, Path]:
    """Models by name, as `NAME=DIR` or `DIR`, whose last part is the name then.

    >>> models_of(["sales=models/2025", "models/energy"])
    {'sales': PosixPath('models/2025'), 'energy': PosixPath('models/energy')}
    """
    models: dict[str, Path] = {}
    for text in texts:
        name, mark, folder = text.partition("=")
        if not mark:
            name, folder = Path(text).resolve().name, text
        checked_name(name, "model")
        if not folder:
            raise UsageError(f"--model {text!r} names no folder. Give NAME=DIR.")
        if name in models:
            raise UsageError(f"Two models are called {name!r}. Give them different names.")
        models[name] = Path(folder)
    return models
