"""The settings of a server: what it serves, and the limits of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lstmcast.data.limits import Allowance
from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of

# of models and streams, never a path
NAME = pattern_of(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UNPACKED = 4  # compressed files may hold this many times the bytes of a body
CELLS = 20  # cells per value: tables have other columns and missing values
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """The limits of one request, and of what a server keeps.

    body: bytes of a request; compressed files may hold `UNPACKED` times as many. rows: values of
    all series that are read, and of all forecasts in an answer. horizon: steps. seconds: time for
    the answer to a request. receive: seconds for sending it. waiting: requests that are in progress
    or waiting. streams, stream_rows: open streams, and rows of each. listeners: clients that follow
    a stream or a training. trainings: trainings at a time; 0 allows none. training_minutes: time
    for one training.

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
                raise UsageError(
                    f"{name}={value!r} is not a limit. A number above 0 is expected."
                )

    def of_files(self, count: int) -> Allowance:
        """The limits of each file in a request with this number of files."""
        return Allowance(UNPACKED * self.body // max(count, 1), CELLS * self.rows)


@dataclass(frozen=True)
class Settings:
    """The models, folders, clients and limits of a server.

    models: folders of saved models by name. streams: folder for the state of streams; None keeps
    them in memory only. trainings: folder for trainings and their models; None removes them when
    the server ends. save_every: ticks of a stream after which its whole state is written. token:
    token that clients must send; None allows every client. hosts: names under which the server may
    be called; None for any.

    >>> Settings(models={"../secrets": Path("m")})
    Traceback (most recent call last):
    lstmcast.errors.UsageError: '../secrets' is not a valid name for a model. Letters, digits, '.',
    '_' and '-' are expected, such as 'sales'.
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
            raise UsageError(
                f"save_every must be at least 1 tick, got {self.save_every!r}."
            )
        if self.token is not None and not self.token.strip():
            raise UsageError(
                "The token is empty, and would let everybody in. Give a longer one."
            )


def checked_name(name: str, noun: str) -> str:
    """A name that is valid in an address and as a folder; UsageError for any other."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is not a valid name for a {noun}. Letters, digits, '.', '_' and "
            "'-' are expected, such as 'sales'."
        )
    return name


def models_of(texts: Sequence[str]) -> dict[str, Path]:
    """Models by name, from `NAME=DIR` or `DIR`, whose last part is then the name.

    >>> models_of(["sales=models/2025", "models/energy"])
    {'sales': PosixPath('models/2025'), 'energy': PosixPath('models/energy')}
    """
    models: dict[str, Path] = {}
    for text in texts:
        name, mark, folder = text.partition("=")
        if not mark:
            name = Path(text).resolve().name
            folder = text
        checked_name(name, "model")
        if not folder:
            raise UsageError(f"--model {text!r} names no folder. Give NAME=DIR.")
        if name in models:
            raise UsageError(
                f"Two models are called {name!r}. Give them different names."
            )
        models[name] = Path(folder)
    return models
