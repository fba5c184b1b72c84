"""What several test modules use: commands run in this process."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings

from lstmcast.cli import app as cli

# Commands speak the language of the system; the tests know it.
os.environ["LC_ALL"] = "C.UTF-8"

# No test fails because a machine is busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

collect_ignore = ["typing"]  # programs to be checked, not run


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(capsys):
    """Run a command in this process."""

    def invoke(*arguments) -> Done:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Done(int(ended.value.code or 0), said.out, said.err)

    return invoke
