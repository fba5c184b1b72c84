"""README and docs are true: examples print what is shown, links lead somewhere, nothing is left
out."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lstmcast as lc
from lstmcast.cli.app import COMMANDS, command_of

ROOT = Path(__file__).parents[1]
NAMES = ("README.md", "README.ja.md", "ARCHITECTURE.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}


def script(path: str):
    """A script of the repository as a module."""
    specification = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch:
        # it imports what lies beside it
        patch.syspath_prepend(str((ROOT / path).parent))
        specification.loader.exec_module(module)
    return module


refresh = script("docs/refresh.py")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- examples


def number(word: str) -> float | None:
    try:
        return float(word.strip("[](),;%").replace(",", ""))
    except ValueError:
        return None


def same_word(shown: str, now: str) -> bool:
    """Equal, or numbers that differ by rounding: processors do not agree on the last bits of a
    float32 network."""
    a, b = number(shown), number(now)
    if shown == now or a is None or b is None:
        cells = shown.split(","), now.split(",")  # a line of a CSV file has no blanks
        return shown == now or (
            len(cells[0]) == len(cells[1]) > 1 and all(map(same_word, *cells))
        )
    return abs(a - b) <= 0.01 * max(abs(a), abs(b)) + 0.02


def differences(shown: str, now: str) -> list[str]:
    lines = list(zip(shown.splitlines(), now.splitlines(), strict=False))
    different = []
    for before, after in lines:
        a, b = before.split(), after.split()
        if len(a) != len(b) or not all(map(same_word, a, b)):
            different.append(f"- {before}\n+ {after}")
    if len(shown.splitlines()) != len(now.splitlines()):
        different.append(
            f"{len(shown.splitlines())} lines are shown, there are {len(now.splitlines())}"
        )
    return different


SAVED = re.compile(
    r'save\("([^"]+)"|(?:folder|out)="([^"]+)"|["\']([\w/-]+\.\w{2,7})["\']'
)
ENDING = re.compile(r"\}(\.\w{2,7})[\"']")  # of f"{name}.csv"
COMMAND = re.compile(r"^\$ (?:.*\\\n)*.*\n", re.MULTILINE)
OTHERWISE = re.compile(r' *# .*$|, language="ja"|-ja(?=\.png")', re.MULTILINE)


def examples(page: Path) -> list[str]:
    """Its blocks, and what they print, without what is in the language of the page: comments, and
    the texts of pictures in Python."""
    return [OTHERWISE.sub("", match[0]) for match in refresh.BLOCK.finditer(TEXT[page])]


def twin_of(page: Path) -> Path:
    """The English page of a Japanese one; any other is its own twin."""
    return Path(str(page).replace("/docs/ja/", "/docs/"))


def repeats_its_twin(page: Path) -> bool:
    """Whether all examples of a Japanese page are, with what they print, those of the English one:
    then it is enough that those are run."""
    twin = twin_of(page)
    return twin != page and examples(page) == examples(twin)


def names_of(code: str) -> set[str]:
    """Names of Python code."""
    tree = list(ast.walk(ast.parse(code)))
    defined = (ast.FunctionDef, ast.ClassDef)
    names = {node.id for node in tree if isinstance(node, ast.Name)}
    return names | {node.name for node in tree if isinstance(node, defined)}


def files_of(code: str) -> set[str]:
    """Files and folders that Python code writes or reads."""
    written = {name for several in SAVED.findall(code) for name in several}
    nodes = ast.walk(ast.parse(code))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    stems = [text for text in texts if isinstance(text, str)]
    endings = ENDING.findall(code)
    return written | {f"{stem}{ending}" for stem in stems for ending in endings}


def imports_of(code: str) -> str:
    """Its import statements, and nothing else."""
    kept = (ast.Import, ast.ImportFrom)
    lines = [ast.unparse(one) for one in ast.parse(code).body if isinstance(one, kept)]
    return "".join(f"{line}\n" for line in lines)


def imported(page: Path) -> set[str]:
    """Names by which Python on this page knows modules and what it takes from them."""
    blocks = refresh.BLOCK.finditer(TEXT[page])
    code = "".join(imports_of(one["body"]) for one in blocks if one["kind"] == "python")
    nodes = [node for node in ast.parse(code).body if hasattr(node, "names")]
    return {one.asname or one.name for node in nodes for one in node.names}


def words_of(console: str) -> set[str]:
    """Words of its commands, among which are the files that they read."""
    return set(re.split(r"[\s'\"/?:]+", "".join(COMMAND.findall(console))))


def unrepeated(page: Path) -> str:
    """A Japanese page without the Python that the English one runs alike, as far as nothing that
    stays reads its files or variables."""
    text, english = TEXT[page], set(examples(twin_of(page)))
    if twin_of(page) == page:
        return text
    known, there = {*dir(builtins), *imported(page)}, {"airline.csv", ""}
    names: set[str] = set()
    files: set[str] = set()
    blocks = list(refresh.BLOCK.finditer(text))
    for block, after in reversed(list(zip(blocks, [*blocks[1:], None], strict=True))):
        body = block["body"]
        if block["kind"] == "console":
            files |= words_of(body)
        elif block["kind"] == "python":
            printing = [after] if after and after["title"] == "prints" else []
            shown = {OTHERWISE.sub("", one[0]) for one in (block, *printing)}
            used, touched = names_of(body) - known, files_of(body) - there
            if used & names or touched & files or not shown <= english:
                names, files = names | used, files | touched
            else:
                text = without(text, block, *printing)
    return text


def without(text: str, python: re.Match[str], *printed: re.Match[str]) -> str:
    """The page with nothing but imports in this block, and what it prints as an ordinary text."""
    for block in printed:
        shown = block[0].replace('text title="prints"', "text")
        text = text[: block.start()] + shown + text[block.end() :]
    imports = imports_of(python["body"])
    return text[: python.start("body")] + imports + text[python.end("body") :]


RUN = [page for page in refresh.pages() if not repeats_its_twin(page)]


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_examples_print_what_the_page_shows(page):
    text = unrepeated(page)
    with refresh.sandbox() as folder:
        now = refresh.refreshed(text, folder)
    assert not differences(text, now), "run `make docs-refresh`, and read what changed"


def test_a_page_that_prints_something_else_is_run():
    english = ROOT / "docs" / "how-to" / "transforms.md"
    japanese = ROOT / "docs" / "ja" / "how-to" / "transforms.md"
    assert english in RUN and japanese not in RUN
    assert ROOT / "docs" / "ja" / "how-to" / "demand.md" in RUN
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TEXT, japanese, TEXT[japanese].replace("-1.716", "-1.717"))
        assert not repeats_its_twin(japanese)


MAKES = """```python
import math
kept = math.floor(2.5)
```

```python
open("made.csv", "w").write(str(kept))
```

```python
print(math.pi)
```

```text title="prints"
3.14
```
"""


@pytest.mark.parametrize(
    "end, run",
    [
        ("", []),
        ("```console\n$ echo made\n```\n", []),
        ("```console\n$ cat made.csv\n```\n", ["kept =", "open("]),
        ("```python\nprint(kept, math.e)  # here alone\n```\n", ["kept =", "open("]),
        ("```python\nprint(math.e)\n```\n", []),
    ],
)
def test_python_of_a_japanese_page_is_run_where_something_reads_what_it_makes(end, run):
    page = ROOT / "docs" / "ja" / "how-to" / "prediction.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TEXT, page, MAKES + end)
        patch.setitem(TEXT, twin_of(page), MAKES)
        text = unrepeated(page)
        assert unrepeated(twin_of(page)) == MAKES
    parts = ("kept =", "open(", "print(math.pi)")
    assert [part for part in parts if part in text] == run
    assert "import math" in text and text.endswith(end)


def test_python_of_a_japanese_page_is_run_where_it_prints_something_else():
    page = ROOT / "docs" / "ja" / "how-to" / "prediction.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TEXT, page, MAKES.replace("3.14", "3.15"))
        patch.setitem(TEXT, twin_of(page), MAKES)
        assert "print(math.pi)" in unrepeated(page)
        assert 'title="prints"\n3.15' in unrepeated(page)


def test_every_kind_of_block_is_known():
    kinds = {
        match[1]
        for text in TEXT.values()
        for match in re.finditer(r"^```(\w+)", text, re.MULTILINE)
    }
    assert kinds <= {"console", "python", "text", "csv", "sh", "js", "csharp", "diff"}


def test_what_examples_print_is_refreshed():
    with refresh.sandbox() as folder:
        python = '```python\nprint(6 * 7)\n```\n\n```text title="prints"\nold\n```\n'
        now = refresh.refreshed(
            f"{python}\n```console\n$ echo a; false\nold\n```\n", folder
        )
    assert 'prints"\n42\n```' in now
    assert "$ echo a; false\na\n```" in now


@pytest.mark.parametrize(
    "command",
    [
        "lstmcast check airline.csv | head -2",
        "lstmcast check airline.csv | tail -n 1",
        "lstmcast check nowhere.csv > said.txt",
        "lstmcast check airline.csv --quiet > said.txt",
    ],
)
def test_lines_and_files_of_an_output_are_those_of_a_shell(command):
    with refresh.sandbox() as folder:
        here = refresh.console(f"$ {command}\n", folder), kept(folder)
        shell = refresh._in_a_shell(command, folder).replace(f"{folder}/", "")
        assert here == (f"$ {command}\n{refresh._tidy(shell)}", kept(folder))


def kept(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in folder.glob("said.txt")]


def test_a_python_example_that_fails_is_not_hidden():
    with refresh.sandbox() as folder, pytest.raises(ZeroDivisionError):
        refresh.refreshed("```python\n1 / 0\n```\n", folder)


def test_commands_in_plain_blocks_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for text in TEXT.values():
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for target in re.findall(r"^make ([\w-]+)", block, re.MULTILINE):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
            for extra in re.findall(r"\.\[([\w,]+)\]", block):
                assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra
        for target in re.findall(r"`make ([\w-]+)", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# ---------------------------------------------------------------- links and pictures


def anchors(text: str) -> set[str]:
    headings = re.findall(
        r"^#+ (.+)$",
        re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL),
        re.MULTILINE,
    )
    return {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```", "", TEXT[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name_of(page)} links to {target}"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), (
                f"{name_of(page)} links to {target}"
            )


def test_every_picture_is_shown_and_drawn_by_an_example():
    text, by_script = "".join(TEXT.values()), set(script("docs/pictures.py").DRAWN)
    by_script |= {
        Path(name).stem for name in script("docs/page_pictures.py").NAMES.values()
    }
    by_script.add(script("docs/layers.py").PICTURE.stem)
    for picture in (ROOT / "docs" / "images").iterdir():
        assert f"images/{picture.name}" in text
        by_example = re.search(rf'(--plot |save\("){picture.name}', text)
        assert by_example or picture.stem.removesuffix("-ja") in by_script, (
            f"no example draws {picture.name}"
        )


# ---------------------------------------------------------------- nothing is left out


def test_every_public_name_has_its_place():
    page = (ROOT / "docs" / "api" / "public.md").read_text(encoding="utf-8")
    documented = re.findall(r"^::: ([\w.]+)", page, re.MULTILINE)
    for name in lc.__all__:
        home = getattr(lc, name).__module__
        assert home in documented or f"{home}.{name}" in documented, name


def options() -> dict[str, set[str]]:
    commands = {name: command_of(name) for name in COMMANDS}
    shown = {
        name: [
            option for option in command.params if not getattr(option, "hidden", False)
        ]
        for name, command in commands.items()
    }
    return {
        name: {
            flag
            for option in ours
            for flag in (*option.opts, *option.secondary_opts)
            if flag.startswith("-")
        }
        for name, ours in shown.items()
    }


def test_every_command_and_option_is_explained():
    page = TEXT[ROOT / "docs" / "cli.md"]
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    for command, flags in options().items():
        assert f"## {command}" in prose
        assert f"$ lstmcast {command} --help" in page
        for flag in flags - {"--help"}:
            assert f"`{flag}" in prose, f"{command} {flag}"


def test_no_option_is_explained_that_is_not_there():
    known = set().union(*options().values()) | {"--help", "--version"}
    ours = re.compile(r"`(--[a-z-]+)")
    for page in (
        "README.md",
        *[f"docs/{name}" for name in ("cli.md", "quickstart.md", "how-to/checking.md")],
    ):
        assert set(ours.findall(TEXT[ROOT / page])) <= known, page


def test_every_module_is_on_the_map():
    layout = TEXT[ROOT / "ARCHITECTURE.md"]
    modules = {path.name for path in (ROOT / "src" / "lstmcast").rglob("*.py")} - {
        "__init__.py"
    }
    named = set(re.findall(r"^\s+(\w+\.py)\s", layout, re.MULTILINE)) - {"__init__.py"}
    assert named == modules


def test_the_map_has_the_layers_that_are_checked():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    layers = next(
        held["layers"]
        for held in tools["importlinter"]["contracts"]
        if held["type"] == "layers"
    )
    shown = re.findall(
        r"^    ([\w() |]+)$",
        TEXT[ROOT / "ARCHITECTURE.md"].partition("## Imports")[2],
        re.MULTILINE,
    )
    assert shown[: len(layers)] == layers


def test_the_picture_of_the_layers_is_that_of_the_contract():
    layers = script("docs/layers.py")
    shown = layers.PICTURE.read_text(encoding="utf-8")
    assert layers.drawn(layers.layers()) == shown, "run `make layers`"


def test_the_version_is_in_the_changelog():
    assert f"## {lc.__version__}" in TEXT[ROOT / "CHANGELOG.md"]


def test_the_docs_say_that_a_saved_model_holds_data():
    assert (
        "contains traces of its data"
        in TEXT[ROOT / "docs" / "how-to" / "saved-models.md"]
    )


# ---------------------------------------------------------------- the website


@pytest.mark.slow
def test_the_website_is_built_and_needs_no_network(tmp_path):
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--site-dir",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+"', html
        ), page.name
        assert "&gt;&gt;&gt;&gt;" not in html
        assert '"provider": "mike"' not in html
    assert "<!doctype html>" in (tmp_path / "site/demo/index.html").read_text(
        encoding="utf-8"
    )


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone with the settings of the website as they are here."""
    pytest.importorskip("mike")
    if not (ROOT / ".git").exists():
        pytest.skip("versions are deployed from a clone")
    folder = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), folder], check=True
    )
    for name in ("mkdocs.yml", "docs/hooks.py"):
        shutil.copy(ROOT / name, folder / name)
    # Most of the time would go into pages that no test of versions looks at.
    for name in ("api", "ja", "articles", "notebooks"):
        shutil.rmtree(folder / "docs" / name)
    for page in (folder / "docs").rglob("*.md"):
        if page.stem not in ("index", "export"):
            page.unlink()
    for key in ("user.name", "user.email"):
        subprocess.run(
            ["git", "config", key, "docs@example.org"], cwd=folder, check=True
        )
    return folder


def said(clone: Path, *command: str) -> str:
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        command,
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_version_stands_beside_others_and_can_be_chosen(clone):
    (clone / "old").mkdir()
    (clone / "old" / "index.md").write_text("# As it was")
    (clone / "old.yml").write_text("{site_name: old, docs_dir: old}")
    deploy = ("mike", "--quiet", "deploy", "--update-aliases")
    said(clone, *deploy, "--config-file", "old.yml", "0.1", "latest")
    said(clone, *deploy, "0.2", "latest")

    def published(path: str) -> str:
        return said(clone, "git", "show", f"gh-pages:{path}")

    versions = [
        (one["version"], one["aliases"])
        for one in json.loads(published("versions.json"))
    ]
    assert versions == [("0.2", ["latest"]), ("0.1", [])]
    assert "As it was" in published("0.1/index.html")
    page = published("0.2/how-to/export.html")
    assert '"version": {"default": "latest", "provider": "mike"}' in page
    assert "../../0.2/how-to/export.html" in published("latest/how-to/export.html")
    assert "<!doctype html>" in published("0.2/demo/index.html")
