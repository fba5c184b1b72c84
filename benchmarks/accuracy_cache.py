"""What `make accuracy` has measured already: a file for each unit, by version, method and part.

    runs/accuracy/VERSION/METHOD/test/set/m3_yearly.json
    runs/accuracy/VERSION/METHOD/validation-600/set/m3_yearly.json

VERSION is a digest of the package's sources and weights, so a change anywhere asks for everything
again. Each row keeps a stamp of the tasks (sets.py, accuracy_units.py's LAYOUT): rows of other
tasks count as not there. Simple forecasts do not depend on the network; their VERSION is a digest
of what makes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OURS = HERE.parent / "src"
# raised by hand where rows that are kept would lack or mean something else
LAYOUT = 1
LONG_ENOUGH = 12  # digits of a digest in the name of a folder
YARDSTICKS = ("evaluation/baselines.py", "evaluation/smoothing.py")


@dataclass(frozen=True)
class Version:
    """Sources of lstmcast that are measured. None: rows that are kept are all there is."""

    sources: Path | None
    digest: str
    tells_methods: bool = False  # whether its forecasters can be told a method

    def method(self, asked: str) -> str:
        """The method as it is carried out: without the choice, the network alone answers."""
        if self.tells_methods:
            return asked
        if asked not in ("auto", "network"):
            raise SystemExit(
                f"--method {asked}: lstmcast in {self.sources} knows no methods. Leave it out, or "
                "name sources that do with --sources."
            )
        return "network"


@dataclass(frozen=True)
class Unit:
    """One thing to measure: of a kind, with a name, on test or validation parts."""

    kind: str  # as in accuracy_units.KINDS
    name: str
    part: str  # "test", or "validation-600"

    @property
    def file(self) -> Path:
        """Where its row lies within a version's folder."""
        return Path(self.part) / self.kind / f"{self.name.replace('/', '_')}.json"


def digest_of(files: Iterable[Path], root: Path) -> str:
    """A digest of the files' names and contents; their order does not matter."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(root)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:LONG_ENOUGH]


def digest_of_sources(sources: Path) -> str:
    """The version of the package in a folder: its modules, weights and their manifest."""
    package = sources / "lstmcast"
    weights = [*package.glob("weights/*.safetensors"), *package.glob("weights/*.json")]
    return digest_of([*package.rglob("*.py"), *weights], sources)


def version_of(folder: Path) -> Version:
    """The version in a checkout, or in its `src`."""
    sources = (folder / "src" if (folder / "src").is_dir() else folder).resolve()
    if not (sources / "lstmcast" / "__init__.py").is_file():
        raise SystemExit(
            f"{folder} holds no lstmcast: a checkout, or its folder src, is expected "
            "(src/lstmcast/__init__.py is looked for)."
        )
    signature = "inspect.signature(lstmcast.LSTMForecaster)"
    asked = f"import inspect, lstmcast; print(*{signature}.parameters)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=environment(sources),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"lstmcast in {sources} cannot be imported:\n{done.stderr}")
    return Version(sources, digest_of_sources(sources), "method" in done.stdout.split())


def yardstick_version() -> Version:
    """Simple forecasts are always made by this checkout."""
    package = OURS / "lstmcast"
    return Version(
        OURS, f"yardsticks-{digest_of([package / name for name in YARDSTICKS], OURS)}"
    )


def environment(sources: Path) -> dict[str, str]:
    """Of a process that uses these sources. One thread: the units are what runs side by side."""
    return {
        **os.environ,
        "PYTHONPATH": str(sources),
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }


def stamp() -> str:
    """What the tasks are: rows made by others are not used."""
    return f"{LAYOUT}-{digest_of([HERE / 'sets.py'], HERE)}"


@dataclass(frozen=True)
class Cache:
    """Folders with rows: new ones are written to the first, all are looked through."""

    folders: tuple[Path, ...]

    def path(self, version: Version, unit: Unit, method: str) -> Path:
        """Where a new row is written."""
        return self.folders[0] / version.digest / version.method(method) / unit.file

    def row(self, version: Version, unit: Unit, method: str) -> dict[str, Any] | None:
        """The row, if it was measured."""
        for folder in self.folders:
            path = folder / version.digest / version.method(method) / unit.file
            if path.is_file():
                row = json.loads(path.read_text())
                if row.get("stamp") == stamp():
                    return row
        return None

    def version(self, digest: str) -> Version:
        """The version with this digest, or with the only one that begins so."""
        found = {
            path.name: [method.name for method in path.iterdir()]
            for folder in self.folders
            for path in folder.glob(f"{digest}*")
            if path.is_dir() and not path.name.startswith("yardsticks")
        }
        if len(found) != 1:
            known = ", ".join(sorted(found)) or "none"
            raise SystemExit(
                f"--against {digest}: one folder or one version that was measured is expected. "
                f"Versions that begin so: {known} (looked for in "
                f"{', '.join(map(str, self.folders))})."
            )
        name, methods = found.popitem()
        return Version(None, name, tells_methods=methods != ["network"])
