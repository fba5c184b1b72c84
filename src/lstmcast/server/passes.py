"""Passes of the shipped network, here or in a process of their own.

Python runs one thread at a time. While the network reads histories in a process of its own
(`python -m lstmcast.server.passes`), the server goes on with requests and ticks of streams, on
another processor. Both sides write pickles: a pass to standard input, what came of it to standard
output. The process ends when its standard input does.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import IO, NamedTuple, TypeAlias, cast

from lstmcast.data.panel import Panel
from lstmcast.errors import LstmcastError
from lstmcast.forecast import Forecast
from lstmcast.forecaster import LSTMForecaster
from lstmcast.predict import Asked, Levels
from lstmcast.server.children import end, started
from lstmcast.server.problems import Problem
from lstmcast.together import forecast_each
from lstmcast.util.blas import one_blas_thread

PROCESS = "lstmcast.server.passes"
STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR = 0, 1, 2
EXAMPLE = [3.0, 5.0, 4.0] * 8  # is forecast first, so that no request waits for what is loaded
Outcome: TypeAlias = "list[Forecast] | Exception"
Read: TypeAlias = "Callable[[Pass], list[Forecast]]"


class Pass(NamedTuple):
    """Requests that the network reads together."""

    panels: Sequence[Panel]
    requests: Sequence[Asked]
    levels: Sequence[Levels]

    @classmethod
    def of(cls, asked: Sequence[tuple[Panel, LSTMForecaster]]) -> Pass:
        """Of panels and what is to forecast each.

        >>> panel = Panel.from_arrays(EXAMPLE)
        >>> len(read_here(Pass.of([(panel, LSTMForecaster(horizon=2))])))
        1
        """
        models = [model for _, model in asked]
        requests = [Asked(model.horizon, None, "direct", model.method) for model in models]
        panels = [panel for panel, _ in asked]
        return cls(panels, requests, [model.quantiles for model in models])


def read_here(asked: Pass) -> list[Forecast]:
    """The forecasts of a pass, made in this process."""
    network = LSTMForecaster(horizon=1).model
    return forecast_each(network, asked.panels, asked.requests, asked.levels)


class OwnProcess:
    """Has passes read by a process of its own, one at a time; a lost one is replaced.

    >>> passes = OwnProcess()
    >>> [forecast] = passes.read(Pass.of([(Panel.from_arrays(EXAMPLE), LSTMForecaster(2))]))
    >>> forecast.point.round(1).tolist()
    [[3.0, 5.0]]
    >>> passes.close()
    """

    def __init__(self) -> None:
        self.process = _begun()
        self.closed = False

    def read(self, asked: Pass) -> list[Forecast]:
        """The forecasts of a pass. Raises what `read_here` raises, Problem where the process is
        lost or closed."""
        if self.closed:
            raise Problem(503, "The server is ending.")
        if self.process.poll() is not None:
            end(self.process)
            self.process = _begun()
        outcome = self._outcome(asked)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        """End the process; nothing is read any more."""
        self.closed = True
        end(self.process)

    def _outcome(self, asked: Pass) -> Outcome:
        to_it, from_it = self.process.stdin, self.process.stdout
        assert to_it is not None and from_it is not None  # they are pipes
        try:
            _send(asked, to_it)
            return cast(Outcome, pickle.load(from_it))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            end(self.process)
            raise Problem(
                503,
                "The process that makes forecasts ended before the answer was there. It is started "
                "again. Send fewer series if this happens again.",
                headers={"retry-after": "5"},
            ) from error


def _begun() -> subprocess.Popen[bytes]:
    return started(PROCESS, output=subprocess.PIPE)


def _send(message: object, to: IO[bytes]) -> None:
    pickle.dump(message, to, pickle.HIGHEST_PROTOCOL)
    to.flush()


def _outcome_of(asked: Pass) -> Outcome:
    """What comes of a pass; of a bug, also its traceback on standard error."""
    try:
        return read_here(asked)
    except (LstmcastError, MemoryError) as error:
        return error
    except Exception as error:
        traceback.print_exc()
        return RuntimeError(f"{type(error).__name__}: {error}")


def main() -> None:
    """Read passes from standard input until it ends."""
    # What is printed by mistake must not come between the answers.
    answers = os.fdopen(os.dup(STANDARD_OUTPUT), "wb")
    os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
    passes = os.fdopen(STANDARD_INPUT, "rb", closefd=False)
    with one_blas_thread():
        read_here(Pass.of([(Panel.from_arrays(EXAMPLE), LSTMForecaster(horizon=1))]))
        gc.freeze()
        while True:
            try:
                asked = cast(Pass, pickle.load(passes))
                _send(_outcome_of(asked), answers)
            except (EOFError, BrokenPipeError):  # the server has ended
                sys.exit()


if __name__ == "__main__":
    main()
