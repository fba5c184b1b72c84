"""Regular expressions that are compiled when they are first used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lstmcast
from lstmcast.util import patterns
from lstmcast.util.patterns import pattern_of


def test_a_pattern_does_what_the_compiled_one_does():
    text, given = r"(\d+)-(?P<word>[a-z]+)", "1-a, 22-Bc"
    lazy, compiled = pattern_of(text, re.IGNORECASE), re.compile(text, re.IGNORECASE)
    for name in ("search", "match", "fullmatch"):
        ours, theirs = (getattr(one, name)(given) for one in (lazy, compiled))
        assert (ours and ours.groupdict()) == (theirs and theirs.groupdict())
    assert lazy.split(given) == compiled.split(given)
    assert lazy.findall(given) == compiled.findall(given)
    assert [one.span() for one in lazy.finditer(given)] == [(0, 3), (5, 10)]
    assert lazy.sub(r"\2", given) == compiled.sub(r"\2", given)
    assert lazy.subn("", given) == compiled.subn("", given)
    assert (lazy.pattern, lazy.flags) == (compiled.pattern, compiled.flags)


def test_it_is_compiled_once_and_not_before_its_first_use(monkeypatch):
    texts = []
    compiled = re.compile

    def compile_counted(text, flags=0):
        texts.append(text)
        return compiled(text, flags)

    monkeypatch.setattr(patterns.re, "compile", compile_counted)
    digits = pattern_of(r"\d+")
    assert texts == []
    assert digits.search("a7") and digits.fullmatch("7") and not digits.match("a")
    assert texts == [r"\d+"]


def test_a_wrong_pattern_is_told_where_it_is_used():
    with pytest.raises(re.error):
        pattern_of("(").search("")


def test_no_module_compiles_patterns_while_it_is_imported():
    package = Path(lstmcast.__file__).parent
    compiled = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\S.*re\.compile\(", line)
    ]
    assert not compiled, "use lstmcast.util.patterns.pattern_of"
