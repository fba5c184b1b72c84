"""What is handed out: the wheel holds the network, the pins cover what is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import lstmcast

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(folder),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_the_wheel_holds_the_network(wheel, tmp_path):
    weights = [
        name for name in wheel.namelist() if name.startswith("lstmcast/weights/")
    ]
    assert any(name.endswith("manifest.json") for name in weights)
    assert any(name.endswith(".safetensors") for name in weights)
    assert any(name.endswith("CARD.md") for name in weights)
    assert sum(wheel.getinfo(name).file_size for name in weights) < 10_000_000


def test_the_wheel_holds_the_package_and_its_licence_alone(wheel):
    names = wheel.namelist()
    assert {
        "lstmcast/__init__.py",
        "lstmcast/py.typed",
        "lstmcast/cli/app.py",
        "lstmcast/store.py",
        "lstmcast/output/charts.js",
        "lstmcast/output/report.css",
        "lstmcast/output/report.html",
        "lstmcast/output/plotly-basic.min.js.gz",
        "lstmcast/output/plotly-basic.LICENSE",
        "lstmcast/server/page/static/index.html",
        "lstmcast/server/page/static/app.js",
        "lstmcast/util/japanese.txt",
    } <= set(names)
    assert {name.partition("/")[0] for name in names} == {
        "lstmcast",
        f"lstmcast-{lstmcast.__version__}.dist-info",
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [
        name for name in names if name.endswith((".pyc", ".csv", ".parquet", ".pkl"))
    ]


def test_the_wheel_asks_for_no_framework(wheel):
    metadata = wheel.read(
        f"lstmcast-{lstmcast.__version__}.dist-info/METADATA"
    ).decode()
    core = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    assert len(core) == len(PROJECT["dependencies"])
    assert not re.search("torch|pandas|polars|pyarrow|scipy", "\n".join(core))


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(
        line.lower().replace("_", "-").split("==")
        for line in lines
        if line and not line.startswith("#")
    )


def test_everything_that_is_asked_for_is_pinned():
    extras = [
        requirement
        for extra in PROJECT["optional-dependencies"].values()
        for requirement in extra
    ]
    names = {
        re.split(r"[\[<>=~ ]", text)[0].lower()
        for text in PROJECT["dependencies"] + extras
    } - {"lstmcast"}
    assert not names - pinned().keys()
    assert pinned()["torch"] == "2.13.0"


def test_the_core_is_a_part_of_what_is_installed_here():
    from importlib.metadata import version

    names = {re.split(r"[\[<>=~ ]", text)[0] for text in PROJECT["dependencies"]}
    assert not {name for name in names if version(name) != pinned()[name.lower()]}


def locked() -> dict[str, tuple[str, int]]:
    """The version of each package of the lock file, and how many checksums it has."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(
        r"^([\w.-]+)==([^\s;]+)(.*(?:\n +--hash=sha256:[0-9a-f]{64}.*)*)", text, re.M
    )
    return {name: (version, rest.count("--hash=")) for name, version, rest in entries}


def needed(names: set[str]) -> set[str]:
    """What packages need, and so on, as far as it is installed here."""
    from importlib.metadata import requires

    known: set[str] = set()
    while names - known:
        name = (names - known).pop()
        known.add(name)
        lines = [line for line in requires(name) or () if "extra ==" not in line]
        found = {
            re.split(r"[\[<>=~!;( ]", line)[0].lower().replace("_", "-")
            for line in lines
        }
        names = names | (found & pinned().keys())
    return known


def test_the_lock_file_holds_the_core_with_its_pins_and_checksums():
    names = {
        re.split(r"[\[<>=~ ]", text)[0].lower() for text in PROJECT["dependencies"]
    }
    versions = locked()
    assert versions.keys() == needed(names)
    assert {
        name: version for name, (version, _) in versions.items()
    }.items() <= pinned().items()
    assert all(checksums for _, checksums in versions.values())


def test_the_lock_file_names_no_index():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    entry = re.compile(
        r"[\w.-]+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|#.*"
    )
    assert not [line for line in lines if not entry.fullmatch(line)]


@pytest.mark.parametrize(
    "recipe",
    [
        "install",
        "install-all",
        "forecast",
        "test",
        "lint",
        "docs",
        "docs-version",
        "bench",
        "pretrain",
        "lock",
        "audit",
    ],
)
def test_the_makefile_has_the_recipes_that_the_docs_name(recipe):
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{recipe}:.*## \S", text, re.MULTILINE)


# ---------------------------------------------------------------- the container


def test_the_container_copies_what_is_there_and_runs_without_rights():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [line.split()[1:-1] for line in lines if re.match("COPY (?!--from)", line)]
    for name in [name for names in copied for name in names]:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed
    # by its number, which a host that asks for no root can tell
    assert "useradd --uid 10001" in "".join(lines)
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["lstmcast"]')


def test_the_container_starts_a_command_that_there_is(monkeypatch):
    from lstmcast.cli import app as cli
    from lstmcast.server import run as running

    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1])
    served = []
    monkeypatch.setattr(running, "serve", lambda *given: served.append(given))
    with pytest.raises(SystemExit) as ended:
        cli.main(command)
    assert not ended.value.code
    settings, host, port, _ = served[0]
    assert (settings.streams, host, port) == (Path("/data/streams"), "0.0.0.0", 8000)
    assert f"127.0.0.1:{port}/health" in text
    assert f"127.0.0.1:{port}:{port}" in (ROOT / "compose.yaml").read_text(
        encoding="utf-8"
    )
