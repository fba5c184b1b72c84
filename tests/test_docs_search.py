"""The website's search finds words of both languages in pages that are opened from disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium"),
]
SETTINGS = """
site_name: small
theme: {name: material, font: false}
extra: {polyfills: [iframe-worker.js]}
plugins: [{search: {lang: [en, ja]}}, offline]
"""


@pytest.fixture
def page(tmp_path):
    """A small site with the worker and the languages of ours."""
    pytest.importorskip("mkdocs")
    sync_api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "docs").mkdir()
    shutil.copy(DOCS / "iframe-worker.js", tmp_path / "docs")
    (tmp_path / "docs/index.md").write_text(
        "# Start\n\nIntervals of a forecast.", encoding="utf-8"
    )
    (tmp_path / "docs/ja.md").write_text(
        "# 点検\n\n系列の予測区間を較正します。", encoding="utf-8"
    )
    (tmp_path / "mkdocs.yml").write_text(SETTINGS, encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--allow-file-access-from-files"],
        )
        opened = browser.new_page()
        opened.goto((tmp_path / "site/index.html").as_uri())
        yield opened
        browser.close()


@pytest.mark.parametrize(
    ("words", "title"), [("予測区間", "点検"), ("intervals", "Start")]
)
def test_a_word_is_found(page, words, title):
    page.click(".md-search__input")
    page.keyboard.type(words)
    # The search waits for a key, and none is pressed for kanji.
    page.keyboard.press("End")
    page.wait_for_selector(f".md-search-result__link >> text={title}", timeout=20_000)
