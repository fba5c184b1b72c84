"""What MkDocs does to the pages: Japanese lines, options in tables, the language of a page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PATH = Path(__file__).parents[1] / "docs" / "hooks.py"
JAPANESE = SimpleNamespace(file=SimpleNamespace(src_uri="ja/quickstart.md"))
ENGLISH = SimpleNamespace(file=SimpleNamespace(src_uri="quickstart.md"))


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_hooks", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ("終わりより\n先まで", "終わりより先まで"),
        ("です。\n`--time` を", "です。`--time` を"),
        ("です。\n\n次の", "です。\n\n次の"),
        ("次のとおりです：\n- 系列", "次のとおりです：\n- 系列"),
        ("次のとおりです：\n1. 系列", "次のとおりです：\n1. 系列"),
        ("| 値 |\n| 系列 |", "| 値 |\n| 系列 |"),
        ("```text\n予測\n区間\n```", "```text\n予測\n区間\n```"),
    ],
)
def test_lines_of_a_japanese_paragraph_are_joined(hooks, lines, joined):
    assert hooks.on_page_markdown(lines, page=JAPANESE) == joined
    assert hooks.on_page_markdown(lines, page=ENGLISH) == lines


def test_a_page_says_its_language(hooks):
    html = '<!doctype html>\n<html lang="en" class="no-js">'
    assert 'lang="ja"' in hooks.on_post_page(html, page=JAPANESE)
    assert hooks.on_post_page(html, page=ENGLISH) == html


def test_options_are_marked_and_other_code_is_not(hooks):
    html = "<code>--plot-series</code> <code>lc.read(…)</code>"
    marked = '<code class="option">--plot-series</code> <code>lc.read(…)</code>'
    assert hooks.on_page_content(html) == marked
