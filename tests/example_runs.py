"""Runs of the articles' examples: without their pictures, whose rendering takes half of a short
run, or with a list of the words that they show."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from matplotlib.figure import Figure

from lstmcast.articles.runs import ExampleRun


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Within this, pictures are plotted, but not rendered and written."""

    @contextlib.contextmanager
    def figure(to, name, size=(10.0, 5.0)):
        yield Figure(figsize=size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExampleRun, "figure", figure)
        yield


class Listening(ExampleRun):
    """A run that keeps the words that its pictures asked for."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        self.asked: set[str] = set()

    def text(self, english: str) -> str:
        self.asked.add(english)
        return super().text(english)
