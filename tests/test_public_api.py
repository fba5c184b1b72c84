"""What users can import: the names on the list, and nothing that slipped out."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lstmcast as lc


def test_the_list_is_complete():
    assert len(lc.__all__) == len(set(lc.__all__))
    assert set(lc.__all__) == set(lc._HOMES)


def test_type_checkers_see_the_same_names():
    source = Path(inspect.getfile(lc)).read_text(encoding="utf-8")
    imported = re.findall(r"from lstmcast\.([a-z][\w.]*) import \w+ as (\w+)", source)
    assert {name: home for home, name in imported} == lc._HOMES


@pytest.mark.parametrize("name", lc.__all__)
def test_every_name_is_there_and_documented(name):
    thing = getattr(lc, name)
    assert thing.__module__.startswith("lstmcast.")
    assert inspect.getdoc(thing), f"{name} has no docstring"
    assert name in dir(lc)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Prophet'"):
        lc.Prophet  # noqa: B018


def test_importing_it_leaks_nothing_and_imports_nothing_heavy():
    code = (
        "import sys, lstmcast\nprint(sorted(n for n in vars(lstmcast) if not n.startswith('_')))\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'numpy', 'duckdb', 'torch', "
        "'rich', 'matplotlib'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "['TYPE_CHECKING', 'annotations', 'import_module']",
        "[]",
    ]


def test_the_errors_are_what_they_say():
    assert issubclass(lc.UsageError, ValueError)
    assert issubclass(lc.MissingExtraError, ImportError)
    assert {
        error.exit_status for error in (lc.DataError, lc.ModelError, lc.OutputError)
    } == {1}
    assert lc.UsageError.exit_status == 2
