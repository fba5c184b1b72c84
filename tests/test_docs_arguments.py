"""Arguments that docstrings explain in running text are tables in the reference."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import lstmcast as lc

PATH = Path(__file__).parents[1] / "docs" / "api" / "arguments.py"


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    pytest.importorskip("griffe", reason="griffe is part of the extra docs")
    spec = importlib.util.spec_from_file_location("arguments_extension", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_paragraph_of_arguments_becomes_a_section(extension):
    text = (
        "time, target: names of columns. target may be a list.\nsheet: of a workbook · nothing "
        "else. kinds (S,) str. The other arguments are those of read. Raises DataError."
    )
    section = (
        "Args:\n    time: names of columns. target may be a list.\n    target: see `time`.\n"
        "    sheet: of a workbook · nothing else.\n    kinds: (S,) str.\n\n"
        "The other arguments are those of read. Raises DataError."
    )
    assert extension.as_section(text, {"time", "target", "sheet", "kinds"}) == section


@pytest.mark.parametrize(
    "text",
    [
        "One sentence: with a colon. Another one: too.",
        "time: the only argument that it explains.",
        ">>> time: int = 3\n>>> sheet: str = ''",
    ],
)
def test_other_paragraphs_stay(extension, text):
    assert extension.as_section(text, {"time", "sheet"}) == text


def test_a_sentence_goes_to_the_argument_that_it_speaks_of(extension):
    section = extension.as_section("`a`: one. `b`: two. a may be 3.", {"a", "b"})
    assert section == "Args:\n    a: one. a may be 3.\n    b: two."


def test_read_has_a_table(extension):
    names = inspect.signature(lc.read).parameters
    paragraphs = inspect.getdoc(lc.read).split("\n\n")
    sections = [extension.as_section(one, names) for one in paragraphs]
    assert sum(one.startswith("Args:\n") for one in sections) == 1
