"""The models of a server by name: those given at the start, and those trained here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lstmcast.server.problems import Problem

if TYPE_CHECKING:
    from lstmcast.server.trainings.registry import Trainings


class Models(Mapping[str, Path]):
    """The folders of all served models."""

    def __init__(self, served: Mapping[str, Path], trainings: Trainings) -> None:
        self._given = served
        self._trainings = trainings

    def __getitem__(self, name: str) -> Path:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Path]:
        return {**self._trainings.models(), **self._given}


def folder_of(models: Mapping[str, Path], name: str) -> Path:
    """The folder of a model. Raises Problem if there is no model with this name."""
    if name not in models:
        listing = (
            f" There are: {', '.join(sorted(models))}."
            if models
            else " Name models with lstmcast serve --model NAME=DIR."
        )
        raise Problem(404, f"There is no model {name[:100]!r}.{listing}", "model")
    return models[name]
