"""What the parts in a folder come from (table, options, chunks), as JSON beside the parts.

sales-forecast/
    _lstmcast.json           the manifest; programs that read folders skip such names
    part-00000.parquet       the result of the first chunk
    part-00001.txt           why a chunk has no result
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lstmcast.chunks.plan import Chunk, Plan
from lstmcast.chunks.stores import Place, Span
from lstmcast.errors import OutputError, UsageError
from lstmcast.util.files import whole_file

NAME = "_lstmcast.json"
FORMAT = 1
MOST_SHOWN = 3  # differences


@dataclass(frozen=True)
class Manifest:
    """What the parts of a folder are made from.

    `facts`: everything they depend on, as texts by name · `is_sorted`: whether chunks refer to a
    sorted copy · `columns`: the columns found in the table, so that all chunks are read alike.
    """

    facts: Mapping[str, str]
    plan: Plan
    is_sorted: bool
    columns: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write it into the folder."""
        document = {"format": FORMAT, **asdict(self)}
        with whole_file(folder / NAME) as temporary:
            temporary.write_text(
                json.dumps(document, ensure_ascii=False), encoding="utf-8"
            )

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest of a folder, or None if it has none; OutputError if it is damaged."""
        path = folder / NAME
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            plan = document["plan"]
            chunks = tuple(_chunk(chunk) for chunk in plan["chunks"])
            if document["format"] != FORMAT:
                raise OutputError(
                    f"{path} has format {document['format']}, but this version of lstmcast reads "
                    f"{FORMAT}. Use the version that made it, or another folder."
                )
            return cls(
                document["facts"],
                Plan(chunks, plan["series"], plan["rows"]),
                document["is_sorted"],
                document["columns"],
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise OutputError(
                f"{path} is damaged ({error}). Remove the folder to start again."
            ) from None


def _chunk(saved: Any) -> Chunk:
    number, (begin, end), series = saved
    end_place = None if end is None else Place(*end)
    return Chunk(number, Span(Place(*begin), end_place), series)


def require_same(
    folder: Path, saved: Mapping[str, str], current: Mapping[str, str]
) -> None:
    """Raise UsageError if the parts of a folder come from another table or other options."""
    names = [
        name for name in {**saved, **current} if saved.get(name) != current.get(name)
    ]
    if not names:
        return
    changes = []
    for name in names:
        was = saved.get(name, "not given")
        now_is = current.get(name, "not given")
        changes.append(f"{_option(name)} was {was} and is {now_is}")
    changes.sort(key=len)
    ending = (
        f"; and {len(changes) - MOST_SHOWN} more" if len(changes) > MOST_SHOWN else ""
    )
    raise UsageError(
        f"{folder} holds parts of another run: {'; '.join(changes[:MOST_SHOWN])}{ending}. Name "
        "another folder with --out, or remove this one to start again."
    )


def _option(name: str) -> str:
    """The option that sets a fact, or the fact in words."""
    return name.removeprefix("job.").replace("model.specification.", "")


def begun(folder: Path) -> None:
    """Create the folder for the parts if it is missing; OutputError if it holds other things."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}).") from None
    if Manifest.read(folder) is None:
        strangers = [
            entry.name for entry in folder.iterdir() if not entry.name.startswith(".")
        ]
        if strangers:
            raise OutputError(
                f"{folder} holds other things ({strangers[0]}), and is left unchanged. Name a new "
                "folder."
            )
