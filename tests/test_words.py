"""Plain English: spelling, and words that this project once made up and that must not come back."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A log of its days, and what changed then: they stay as they were written.
AS_WRITTEN = {"docs/experiments.md", "CHANGELOG.md"}
ENGLISH = [
    page
    for page in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("[be]*/*.md"),
    ]
    if "ja" not in page.parts
    and not page.name.endswith(".ja.md")
    and page.relative_to(ROOT).as_posix() not in AS_WRITTEN
]
# What is not said, and what is said instead.
NOT_SAID = {
    r"\bgo(es)? on\b|\bwent on\b|\bgone on\b": "continue, resume",
    r"\bmakes? no sense\b": "must be …, got …",
    r"\bby more than a hair\b": "by more than 1%",
    r"\bdrawn by chance\b": "random",
    r"\bat most so many\b": "maximum number of",
    r"\bwhat came\b(?! (after|before|in|of)\b)": "the actual values",
    r"\bafresh\b": "from scratch",
    r"\bforetells?\b|\bforetold\b": "forecast",
    r"\bhands? over\b|\bhanded over\b": "pass",
    r"\bis no (path|number|date|head|address|folder|table|column|name of)\b": "is not a",
    r"\bread as (missing|unknown|if)\b": "treated as",
    r"\bweighed\b": "weighted",
    r"\d %": "80%, without a space",
}


def prose(text: str) -> str:
    """A page without code, whose words are not ours to choose, and without measured tables."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`|<!-- bench:.*?<!-- /bench -->", "", text, flags=re.DOTALL)


def found(text: str) -> list[str]:
    """Places with what is not said, and what is said instead."""
    places = []
    for pattern, instead in NOT_SAID.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            around = text[max(0, match.start() - 30) : match.end() + 20].replace(
                "\n", " "
            )
            places.append(f"…{around}… → {instead}")
    return places


@pytest.mark.parametrize(
    "page", ENGLISH, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_pages_are_in_plain_english(page):
    assert not found(prose(page.read_text(encoding="utf-8")))


def test_a_made_up_word_is_found():
    places = found("The training goes on, to 80 % of what came.")
    said = ["continue, resume", "the actual values", "80%, without a space"]
    assert [place.split(" → ")[1] for place in places] == said
    assert not found("It continues, to 80% of what came after.")


def test_words_are_spelled_right():
    pytest.importorskip("codespell_lib", reason="codespell is part of the extra lint")
    pages = [str(page) for page in ROOT.glob("*.md")]
    command = [
        sys.executable,
        "-m",
        "codespell_lib",
        *pages,
        "src",
        "docs",
        "evidence",
        "benchmarks",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
