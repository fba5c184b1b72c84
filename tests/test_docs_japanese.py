"""Pages in two languages say the same: as many headings and tables, the same code, links to and
fro."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TWINS = [
    (ROOT / "README.md", ROOT / "README.ja.md"),
    *(
        (DOCS / page.relative_to(DOCS / "ja"), page)
        for page in sorted((DOCS / "ja").rglob("*.md"))
        if page.name != "index.md"
    ),
]
IDS = [japanese.relative_to(ROOT).as_posix() for _, japanese in TWINS]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
KANA = re.compile(r"[ぁ-ヿ]")

both = pytest.mark.parametrize(("english", "japanese"), TWINS, ids=IDS)


def code(page: str) -> list[str]:
    """Its blocks, without comments, which are in the language of the page; of commands what is
    typed, without what asks for Japanese."""
    blocks = [
        re.sub(r" *# .*$", "", one, flags=re.MULTILINE) for one in FENCED.findall(page)
    ]
    typed = [_typed(one) if one.startswith("```console") else one for one in blocks]
    for asked, plain in (
        (" --language ja", ""),
        (', language="ja"', ""),
        ("-ja.png", ".png"),
    ):
        typed = [one.replace(asked, plain) for one in typed]
    return typed


def _typed(block: str) -> str:
    return "".join(re.findall(r"^\$ (?:.*\\\n)*.*\n", block, re.MULTILINE))


def lines(page: str, mark: str) -> list[str]:
    return [line for line in FENCED.sub("", page).splitlines() if line.startswith(mark)]


@both
def test_a_page_says_in_both_languages_the_same(english, japanese):
    ours, theirs = (
        english.read_text(encoding="utf-8"),
        japanese.read_text(encoding="utf-8"),
    )
    assert code(ours) == code(theirs)
    for mark in ("#", "|", "- ", "!["):
        # its lists of links are shorter in Japanese
        if english.name != "README.md" or mark == "#":
            assert len(lines(ours, mark)) == len(lines(theirs, mark)), mark
    assert KANA.search(theirs.partition("\n## ")[0]) and not KANA.search(
        ours.replace("日本語", "")
    )


@both
def test_a_page_leads_to_its_twin_and_back(english, japanese):
    for page, other, name in (
        (english, japanese, "日本語"),
        (japanese, english, "English"),
    ):
        target = re.search(
            rf"\[{name}\]\(([^)]+)\)",
            page.read_text(encoding="utf-8").partition("\n#")[0],
        )
        assert target and (page.parent / target[1]).resolve() == other


def test_every_japanese_page_has_an_english_one():
    assert not [english for english, _ in TWINS if not english.exists()]


def test_the_pages_that_articles_lead_to_are_there_in_japanese():
    pages = {japanese.relative_to(DOCS / "ja").as_posix() for _, japanese in TWINS[1:]}
    articles = {f"articles/{page.name}" for page in (DOCS / "articles").glob("*.md")}
    assert {*articles, "examples.md", "quickstart.md", "cli.md", "messages.md"} <= pages
    leading = [
        *(DOCS / "articles").glob("*.md"),
        DOCS / "examples.md",
        DOCS / "quickstart.md",
    ]
    text = "".join(page.read_text(encoding="utf-8") for page in leading)
    assert set(re.findall(r"how-to/[\w-]+\.md", text)) <= pages


def test_japanese_pages_show_pictures_with_japanese_labels():
    for page in (DOCS / "ja").rglob("*.md"):
        for picture in re.findall(
            r"images/([\w-]+\.png)", page.read_text(encoding="utf-8")
        ):
            assert picture.endswith("-ja.png"), f"{page.name} shows {picture}"


def shown(pages: list[Path]) -> set[str]:
    """The names of the pictures on these pages."""
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    return set(re.findall(r"images/([\w-]+\.png)", text))


def test_pictures_are_small():
    articles = [*DOCS.rglob("articles/*.md"), *DOCS.rglob("examples.md")]
    assert shown(articles)
    for pages, most in ((articles, 150_000), (list(DOCS.rglob("*.md")), 300_000)):
        for name in shown(pages):
            size = (DOCS / "images" / name).stat().st_size
            assert size < most, f"{name} is larger than pages should load"


@both
def test_a_section_that_a_link_names_is_on_its_page(english, japanese):
    text = japanese.read_text(encoding="utf-8")
    for target, section in re.findall(r"\]\(([^)#\s]+\.md)\)の「([^」]+)」", text):
        page = (japanese.parent / target).read_text(encoding="utf-8")
        assert re.search(f"^#+ {re.escape(section)}$", page, re.MULTILINE), section


def test_words_of_the_tables_are_translated_once():
    words = json.loads(
        (ROOT / "evidence" / "japanese.json").read_text(encoding="utf-8")
    )
    assert all(
        english.strip() and japanese.strip() and english != japanese
        for english, japanese in words.items()
    )
    assert not [
        japanese
        for japanese in words.values()
        if any(word in japanese for word in words if len(word) > 12)
    ]
