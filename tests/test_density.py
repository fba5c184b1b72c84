"""The package does not get denser, nor its files, functions and classes longer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

DENSE = '''"""A module."""


def first(values, n):
    """A docstring is no code."""
    return sum(value if value else 0 for value in values) + n  # nor is a comment
'''


@pytest.fixture
def density(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.delitem(sys.modules, "density", raising=False)
    import density

    return density


def test_the_package_keeps_its_limits(density):
    limits = json.loads(density.LIMITS.read_text(encoding="utf-8"))
    total = density.together(density.measure_package())
    assert density.beyond(limits, total) == []


def test_tokens_lines_and_names_are_counted(density):
    measures = density.measure("module.py", DENSE)
    assert measures.code_lines == 2
    # def first ( values , n ) : and return sum ( value if … else 0 for value in values ) + n
    assert measures.tokens == 8 + 15
    assert measures.bindings == 3
    assert measures.bare_names == {"n": 1}
    assert measures.nested_conditions == 1


def test_an_f_string_is_one_token(density):
    assert (
        density.measure("module.py", 'text = f"{name} and {len(name)}"\n').tokens == 3
    )


def test_what_grows_is_named(density):
    limits = density.limits_of(density.measure("module.py", DENSE))
    body = "    pass\n" * 60
    grown = density.measure("module.py", f"{DENSE}\n\ndef long_one(n, m):\n{body}")
    problems = density.beyond(limits, grown)
    assert any(problem.startswith("bare names in percent") for problem in problems)
    assert "module.py:long_one: 61 lines, the limit is 50" in problems


def test_limits_are_only_lowered(density):
    total = density.measure("module.py", DENSE)
    lowest = {
        **density.limits_of(total),
        "tokens per line": 1.0,
        "nested conditions": 7,
    }
    lowest["files"] = {"gone.py": 500}
    lower = density.tightened(lowest, total)
    assert lower["tokens per line"] == 1.0
    assert lower["nested conditions"] == 1
    assert lower["files"] == {}
