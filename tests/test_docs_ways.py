"""Readers find their way: two clicks from the start, and tables of migration whose calls exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lstmcast as lc

DOCS = Path(__file__).parents[1] / "docs"
TASKS = (
    "quickstart.md",  # get a forecast
    "how-to/reading.md",
    "how-to/known.md",
    "how-to/backtest.md",
    "how-to/train.md",
    "how-to/online.md",
    "how-to/serve.md",
    "how-to/databases.md",
    "how-to/demand.md",
    "how-to/migrate-darts.md",
    "how-to/migrate-neuralforecast.md",
    "how-to/migrate-prophet.md",
    "how-to/coming-from-keras-pytorch.md",
)
MIGRATION = [
    *(DOCS / "how-to").glob("migrate-*.md"),
    DOCS / "how-to/coming-from-keras-pytorch.md",
]
MIGRATION += [DOCS / "ja" / page.relative_to(DOCS) for page in MIGRATION]


def links(page: Path) -> set[Path]:
    """Pages that a page links to."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M
    )
    targets = re.findall(r"\]\(([^)#\s]+\.md)", text)
    return {(page.parent / target).resolve() for target in targets}


@pytest.mark.parametrize("folder", [DOCS, DOCS / "ja"], ids=["en", "ja"])
def test_each_task_is_two_clicks_from_the_start(folder):
    near = links(folder / "index.md")
    near |= {far for page in near if page.exists() for far in links(page)}
    missing = [task for task in TASKS if (folder / task).resolve() not in near]
    assert not missing


def calls(page: Path) -> list[str]:
    """Code in the last column of the page's tables of calls: ours."""
    tables = re.findall(
        r"^(\|[^\n]*lstmcast \|$\n(?:\|.*\n)+)", page.read_text("utf-8"), re.M
    )
    assert tables, page
    rows = [row for table in tables for row in table.splitlines()[2:]]
    return [
        code
        for row in rows
        for code in re.findall(r"`([^`]+)`", row.rsplit(" | ", 1)[1])
    ]


@pytest.mark.parametrize(
    "page", MIGRATION, ids=lambda page: page.relative_to(DOCS).as_posix()
)
def test_calls_in_tables_of_migration_exist(page):
    public = {name: getattr(lc, name) for name in lc.__all__}
    panel, model = lc.Panel.from_arrays([1.0, 2.0, 3.0]), lc.LSTMForecaster(12)
    for code in calls(page):
        for name in re.findall(r"lc\.(\w+)", code):
            assert name in public, code
        for name in re.findall(r"\b(?:model|forecast)\.(\w+)\(", code):
            homes = lc.LSTMForecaster, lc.Forecast
            assert any(hasattr(home, name) for home in homes), code
        # Settings are made, so that their arguments are right.
        if re.match(r"(lc\.)?[A-Z]\w+\(", code) and "…" not in code:
            eval(
                code, {**public, "lc": lc, "cap": 100.0, "panel": panel, "model": model}
            )


def test_a_call_that_is_not_there_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "| Other | lstmcast |\n|---|---|\n| `fit` | `lc.Windows(size=3)` |\n"
    )
    (code,) = calls(page)
    with pytest.raises(lc.UsageError, match="size"):
        eval(code, {"lc": lc})


def test_both_languages_show_the_same_calls():
    for page in MIGRATION[: len(MIGRATION) // 2]:
        assert sorted(calls(page)) == sorted(
            calls(DOCS / "ja" / page.relative_to(DOCS))
        )
