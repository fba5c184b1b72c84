"""What several test modules use: commands run in this process."""

from __future__ import annotations

import gc
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

import lstmcast as lc
from commands import Done
from lstmcast.cli import app as cli

# Commands speak the language of the system; the tests know it.
os.environ["LC_ALL"] = "C.UTF-8"

# Compiled code is kept even where the environment says otherwise: workers and the many processes
# that tests start would compile all of it again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No test fails because a machine is busy.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")

collect_ignore = ["typing"]  # programs to be checked, not run


def pytest_collection_finish():
    """What was collected stays: the garbage collector need not look through it again and again."""
    gc.freeze()


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def read_lines(tmp_path):
    """Read a CSV file of these lines."""

    def reading(lines, **options):
        path = tmp_path / "data.csv"
        path.write_text("\n".join(lines) + "\n")
        return lc.read(path, **options)

    return reading


@pytest.fixture
def run(capsys):
    """Run a command in this process."""

    def invoke(*arguments) -> Done:
        # which a command handles in its own way
        terminated = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        signal.signal(signal.SIGTERM, terminated)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Done(int(ended.value.code or 0), said.out, said.err)

    return invoke
