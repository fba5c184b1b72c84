"""Type checkers find the types of the installed package, and know those that users meet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Types of other packages, which mypy need not read again in the next run.
CACHE = ROOT / ".pytest_cache" / "mypy"
# The programs have nothing to do with PyTorch, whose types take longer than all else.
WITHOUT_TORCH = "[mypy]\n[mypy-torch.*]\nfollow_imports = skip\n"
PROGRAMS = sorted((ROOT / "tests" / "typing").glob("*.py"))


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A Python that has the wheel, and beside it what is installed here.

    The wheel, since a type checker reads the types of an installed package only where that says
    that it has some: py.typed.
    """
    folder = tmp_path_factory.mktemp("typing")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        folder,
        ROOT,
    ]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True
    )
    (packages,) = (folder / "venv").glob("[Ll]ib/**/site-packages")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    (packages / "here.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return next((folder / "venv").glob("[bS]*/python*"))


def checked(name: str, *arguments: str | Path) -> None:
    command = Path(sys.executable).parent / name
    if not command.exists():
        pytest.skip(f"{name} is not installed (extra lint)")
    variables = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH"
    }
    done = subprocess.run(
        [command, *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_knows_the_types(python, tmp_path):
    """Comments on the lines with a mistake are needed: without one, mypy would have said
    nothing."""
    settings = tmp_path / "mypy.ini"
    settings.write_text(WITHOUT_TORCH, encoding="utf-8")
    options = ("--strict", "--cache-dir", CACHE, "--python-executable", python)
    checked("mypy", *options, "--config-file", settings, *PROGRAMS)


def test_pyright_knows_the_types(python, tmp_path):
    settings = {
        "include": [
            str(program.relative_to(ROOT / "tests" / "typing")) for program in PROGRAMS
        ],
        "typeCheckingMode": "standard",
        "enableTypeIgnoreComments": False,  # those are for mypy
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    for program in PROGRAMS:
        (tmp_path / program.name).write_bytes(program.read_bytes())
    checked("pyright", "--project", tmp_path, "--pythonpath", python)
