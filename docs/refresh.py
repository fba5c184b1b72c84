"""Run the examples of the README and the docs, and write what they print into the pages.

    python docs/refresh.py                    # all pages: `make docs-refresh`
    python docs/refresh.py docs/cli.md        # some

A page runs from top to bottom in a folder of its own that holds airline.csv and nothing else:

- a `csv` block with a title is a file of that name;
- a `console` block is commands, each after a `$`, and what they print, notes on standard error
  included;
- a `python` block is run; what it prints is the `text` block titled "prints" that follows, if one
  does.

Pictures that a page shows are taken from that folder, where its examples have drawn them; those of
the examples of `lstmcast example` are drawn by pictures.py. The tests run the same functions and
compare.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmcast.cli.app import main as main_of_lstmcast

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
EXAMPLE = re.compile(r"^```(console|python)", re.MULTILINE)
PICTURE = re.compile(r"images/([\w-]+\.png)")
LONGEST = 120  # seconds for one command in a shell
STATUS = '; echo "exit status $?"'
QUOTED = re.compile(r"'[^']*'|\"[^\"\\$]*\"")
FOR_A_SHELL = re.compile(r"[|&;<>$*\\\n]")
# what a shell does after most commands of the pages, which needs none
AFTER = re.compile(
    r" (?:> (?P<file>[\w.-]+)|\| (?P<part>head|tail) -(?:n )?(?P<lines>\d+))$"
)
VARIABLES = {
    "PYTHONPATH": str(ROOT / "src"),
    "COLUMNS": "100",
    "LC_ALL": "C.UTF-8",  # English, unless a page asks for Japanese
    "PYTHONIOENCODING": "utf-8",
    "OMP_NUM_THREADS": "1",
}


def pages() -> list[Path]:
    """The READMEs and all pages of the docs that have examples."""
    found = [
        ROOT / "README.md",
        ROOT / "README.ja.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    return [page for page in found if EXAMPLE.search(page.read_text(encoding="utf-8"))]


@contextlib.contextmanager
def sandbox() -> Iterator[Path]:
    """The folder in which a page's examples run; it is also the current one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copy(ROOT / "examples" / "airline.csv", folder)
        with contextlib.chdir(folder):
            yield folder


def refreshed(text: str, folder: Path) -> str:
    """A page with the outputs that its examples have now. Raises what a Python example raises."""
    names: dict[str, object] = {"__name__": "example"}
    pieces, done, printed = [], 0, ""
    for block in BLOCK.finditer(text):
        kind, title, body = block["kind"], block["title"], block["body"]
        if kind == "csv" and title:
            (folder / title).write_text(body, encoding="utf-8")
        elif kind == "console":
            body = console(body, folder)
        elif kind == "python":
            printed = output(body, names)
        elif kind == "text" and title == "prints":
            body = printed
        pieces += [text[done : block.start("body")], body]
        done = block.end("body")
    return "".join([*pieces, text[done:]])


def console(body: str, folder: Path) -> str:
    """The commands of a console block, each followed by what it prints."""
    commands = re.findall(r"^\$ (?:.*\\\n)*.*\n", body, re.MULTILINE)
    return "".join(command + _run(command[2:], folder) for command in commands)


def _run(command: str, folder: Path) -> str:
    own = command.strip().removesuffix(STATUS)
    after = AFTER.search(own)
    alone = own[: after.start()] if after else own
    if alone.startswith("lstmcast ") and not FOR_A_SHELL.search(QUOTED.sub("", alone)):
        noted, said, status = _here(shlex.split(alone)[1:], apart=bool(after))
        said = noted + (_after(said, after, folder) if after else said)
        said += f"exit status {status}\n" * command.strip().endswith(STATUS)
    else:
        said = _in_a_shell(command, folder)
    return _tidy(said.replace(f"{folder}/", ""))


def _after(said: str, after: re.Match[str], folder: Path) -> str:
    """What is left to be seen of an output that goes to a file, or of which some lines are asked
    for."""
    if after["file"]:
        (folder / after["file"]).write_text(said, encoding="utf-8")
        return ""
    lines, count = said.splitlines(keepends=True), int(after["lines"])
    return "".join(lines[:count] if after["part"] == "head" else lines[-count:])


def _here(words: list[str], apart: bool = False) -> tuple[str, str, int]:
    """What a command says and its exit status, run in this process, which has loaded what it needs.

    A process of its own would load it again, which takes longer than most commands. What it says on
    standard error comes first where the two are to be kept apart, else where it was said.
    """
    output = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    errors = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) if apart else output
    )
    before, terminated = dict(os.environ), signal.getsignal(signal.SIGTERM)
    os.environ.update(VARIABLES)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            main_of_lstmcast(words)
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(before)
        # a command handles it in a way of its own
        signal.signal(signal.SIGTERM, terminated)
    noted = errors.buffer.getvalue().decode() if apart else ""
    return noted, output.buffer.getvalue().decode(), status


def _in_a_shell(command: str, folder: Path) -> str:
    # this one, whatever is on the path
    python = f'python() {{ "{sys.executable}" "$@"; }}'
    shell = f'{python}\nlstmcast() {{ python -m lstmcast "$@"; }}\n{command}'
    return subprocess.run(
        ["bash", "-c", shell],
        cwd=folder,
        env=os.environ | VARIABLES,
        timeout=LONGEST,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ).stdout


def output(code: str, names: dict[str, object]) -> str:
    """What Python code prints; its names stay in `names` for the next block."""
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        exec(compile(code, "<example>", "exec"), names)
    return _tidy(stream.getvalue())


def _tidy(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def main(chosen: list[str]) -> None:
    """Refresh the pages, and the pictures that they show."""
    for page in [Path(name).resolve() for name in chosen] or pages():
        text = page.read_text(encoding="utf-8")
        with sandbox() as folder:
            page.write_text(refreshed(text, folder), encoding="utf-8")
            for picture in PICTURE.findall(text):
                if (folder / picture).exists():
                    shutil.copy(folder / picture, ROOT / "docs" / "images")


if __name__ == "__main__":
    main(sys.argv[1:])
