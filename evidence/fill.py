"""Derive every measured number of README, docs and model card from the results: `make evidence`.

A table stands between `<!-- bench:NAME -->` and `<!-- /bench -->`; a number in running text is
followed by `<!-- evidence: FILE KEY -->` (claims.py). What has no result, or one that was made with
other weights than the shipped ones, stays as it is and is named; the exit status is then 1. A table
whose name ends in -ja is the same one in Japanese (words: japanese.json). `--check` writes nothing
and names the pages that disagree with the results.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import benchmark_tables
import card
import claims
import compared_tables
import example_tables
import guide_tables
import readme_tables
from many_tables import MANY
from records import ROOT, read_results, shipped_weights
from tables import Results
from training_tables import TRAINING

WORDS = ROOT / "evidence" / "japanese.json"
BLOCK = re.compile(
    r"(?P<begin><!-- bench:(?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<end><!-- /bench -->)",
    re.DOTALL,
)


def pages() -> list[Path]:
    """README and docs, both languages, that show a measured number."""
    found = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if MARK.search(page.read_text(encoding="utf-8"))]


FULL_STOP = re.compile(r"(?<=[\w)])\.$")


def punctuated(line: str) -> str:
    """A line of Japanese text with Japanese commas and full stops; rows of tables stay as they are.

    >>> punctuated("測定日：2026-11-27、Python 3.11.7, 2コア.")
    '測定日：2026-11-27、Python 3.11.7、2コア。'
    """
    if line.startswith("|"):
        return line
    return FULL_STOP.sub("。", line).replace(", ", "、").replace("。 ", "。")


MARK = re.compile(r"<!-- (bench:[\w-]+|evidence: [\w/]+ [\w.-]+) -->")


def in_japanese(write: Callable[[Results], str]) -> Callable[[Results], str]:
    """The same table with its words translated; what has no translation stays as it is."""

    def translated(results: Results) -> str:
        words = json.loads(WORDS.read_text(encoding="utf-8"))
        longest_first = sorted(words, key=len, reverse=True)
        known = re.compile("|".join(map(re.escape, longest_first)))
        text = known.sub(lambda found: words[found[0]], write(results))
        return "\n".join(punctuated(line) for line in text.split("\n"))

    return translated


TABLES: dict[str, Callable[[Results], str]] = {
    "three": readme_tables.three,
    "headline": readme_tables.headline,
    "weak": readme_tables.weak,
    "airline": benchmark_tables.airline,
    "classic": benchmark_tables.classic,
    "m3": benchmark_tables.m3,
    "m4": benchmark_tables.m4,
    "coverage": benchmark_tables.coverage,
    "ar1": benchmark_tables.ar1,
    "speed": benchmark_tables.speed,
    "shipped": benchmark_tables.shipped,
    "compared": compared_tables.compared,
    "known": guide_tables.known,
    "hierarchies": guide_tables.hierarchies,
    "imputing": guide_tables.imputing,
    "kept-intervals": guide_tables.kept_intervals,
    "served": benchmark_tables.served,
    "articles": example_tables.articles,
    "beats": example_tables.beats,
    **TRAINING,
    **example_tables.ARTICLES,
    **MANY,
}
IN_JAPANESE = {
    "headline": readme_tables.headline,
    "weak": readme_tables.weak,
    "examples": example_tables.examples,
    "beats": example_tables.beats,
    "online": TRAINING["online"],
    "imputing": guide_tables.imputing,
    "kept-intervals": guide_tables.kept_intervals,
    "known": guide_tables.known,
    "hierarchies": guide_tables.hierarchies,
    "many-parts": MANY["many-parts"],
    **example_tables.ARTICLES,
}
TABLES |= {f"{name}-ja": in_japanese(write) for name, write in IN_JAPANESE.items()}
TABLES["three-ja"] = readme_tables.three_in_japanese


def filled(page: str, results: Results) -> tuple[str, list[str]]:
    """A page with its numbers as the results have them, and what is missing for the others."""
    missing: list[str] = []

    def fill(block: re.Match[str]) -> str:
        try:
            return f"{block['begin']}{TABLES[block['name']](results)}\n{block['end']}"
        except KeyError as error:
            missing.append(f"{block['name']} (no result of these weights: {error})")
            return block[0]

    def claim(found: re.Match[str]) -> str:
        try:
            return (
                f"{claims.derived(found['file'], found['key'], results)}{found['mark']}"
            )
        except KeyError as error:
            missing.append(f"{found['file']} {found['key']} (no such number: {error})")
            return found[0]

    return claims.CLAIM.sub(claim, BLOCK.sub(fill, page)), missing


def main(check: bool = False) -> int:
    """Fill the pages and the card; 1 where a number stays as it is, or, of a check, is another."""
    results, problems = read_results(weights=shipped_weights()), []
    for path in pages():
        before = path.read_text(encoding="utf-8")
        page, missing = filled(before, results)
        name = path.relative_to(ROOT)
        problems += [f"{name}: not filled: {what}" for what in missing]
        if check and page != before:
            problems.append(f"{name}: disagrees with the results: run `make evidence`")
        elif page != before:
            path.write_text(page, encoding="utf-8")
    problems += card.refresh(check)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
