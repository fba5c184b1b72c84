"""Plain Japanese: one word for one thing, and phrases of translations that must not come back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lstmcast.util.language import catalogue

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.ja.md", *sorted((ROOT / "docs" / "ja").rglob("*.md"))]
# What is not said, and what is said instead.
NOT_SAID = {
    r"予測対象|予測する列": "目的変数",
    r"変わらない列(?!\))": "静的共変量",
    r"過去の列": "過去の共変量",
    r"(?<!小数)点数|異常度": "スコア",
    r"ジョブのファイル": "ジョブファイル",
    r"検証時点": "検証用の起点",
    r"コンマ": "カンマ",
    r"繰り返せば複数|繰り返して複数": "複数指定可",
    r"知らない指定": "使えません",
    r"で入れてください": "でインストールしてください",
    r"与えてください": "指定してください",
    r"何の効果もありません": "効果がありません",
    r"系列のうち\d*\{?count": "系列中",
    r"どのようなものか": "構成",
    r"測ったもの": "指標",
    r"学習を続けるもの|学習を止めたもの": "学習を継続、学習を停止",
    r"ブラウザ(?!ー)": "ブラウザー",
    r"フォルダ(?!ー)": "フォルダー",
    r"サーバ(?!ー)": "サーバー",
    r"プロセッサ(?!ー)": "プロセッサー",
}


def found(text: str) -> list[str]:
    """Places with what is not said, and what is said instead."""
    places = []
    for pattern, instead in NOT_SAID.items():
        for match in re.finditer(pattern, text, re.MULTILINE):
            around = text[max(0, match.start() - 15) : match.end() + 10].replace(
                "\n", " "
            )
            places.append(f"…{around}… → {instead}")
    return places


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_pages_are_in_plain_japanese(page):
    assert not found(page.read_text(encoding="utf-8"))


def test_texts_of_the_program_are_in_plain_japanese():
    texts = [japanese for _, japanese in catalogue("ja")]
    assert not [place for text in texts for place in found(text)]
    assert not [
        text for text in texts if re.search("(^|。)指定しなければ", text)
    ]  # 省略時は


def test_words_of_measured_tables_are_plain_japanese():
    words = json.loads(
        (ROOT / "evidence" / "japanese.json").read_text(encoding="utf-8")
    )
    assert not [place for japanese in words.values() for place in found(japanese)]


def test_a_phrase_of_a_translation_is_found():
    places = found("予測対象の点数")
    assert [place.split(" → ")[1] for place in places] == ["目的変数", "スコア"]
    assert not found("目的変数のスコア、浮動小数点数")
