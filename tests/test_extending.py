"""docs/extending.md is followed to the letter in a scratch copy of the sources."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SHELL = """
lstmcast() { "$PYTHON" -m lstmcast "$@"; }
make() { eval "'$PYTHON' -m pytest -q -x -p no:cacheprovider ${2#TEST=}"; }
set -e
"""


class Recipe(NamedTuple):
    """A section of the page: its diff and the commands below it."""

    name: str
    diff: str
    commands: str


def recipes() -> list[Recipe]:
    """Those of the page."""
    found = []
    for section in PAGE.split("\n## ")[1:]:
        diff = re.search(r"^```diff\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        commands = re.search(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        assert diff and commands, section[:40]
        found.append(Recipe(section.splitlines()[0], diff[1], commands[1]))
    return found


def apply(diff: str, folder: Path) -> None:
    """Change the files as a diff without line numbers says: what it shows occurs once."""
    for part in re.split(r"^--- a/", diff, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        text = (folder / name).read_text(encoding="utf-8")
        for hunk in rest.split("@@\n")[1:]:
            lines = hunk.splitlines()
            before = "\n".join(line[1:] for line in lines if line[:1] != "+")
            after = "\n".join(line[1:] for line in lines if line[:1] != "-")
            assert text.count(f"\n{before}\n") == 1, (
                f"{name}: not found once:\n{before}"
            )
            text = text.replace(f"\n{before}\n", f"\n{after}\n")
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def scratch(tmp_path):
    """A copy of what is changed and run, with what is compiled already of the rest."""
    for name in ("src", "tests"):
        ignored = shutil.ignore_patterns("web", "typing", "golden")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_change_is_made_as_the_page_says(recipe, scratch):
    apply(recipe.diff, scratch)
    environment = os.environ | {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(scratch / "src"),
    }
    done = subprocess.run(
        ["bash", "-c", SHELL + recipe.commands],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no tests ran" not in done.stdout


def test_the_page_has_a_recipe_for_each_kind_of_part():
    names = ["A transform", "A head", "A reader", "A baseline", "An effect of dates"]
    assert [recipe.name for recipe in recipes()] == names


def test_the_diffs_fit_the_sources(tmp_path):
    """Quickly, without running anything: each file that a diff names holds what it shows."""
    for recipe in recipes():
        for name in re.findall(r"^--- a/(.*)$", recipe.diff, re.MULTILINE):
            copy = tmp_path / recipe.name / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy)
        apply(recipe.diff, tmp_path / recipe.name)
