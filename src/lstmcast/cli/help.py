"""Translated `--help`: the parser writes English to a formatter that translates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from typer.core import TyperCommand, TyperGroup

from lstmcast.cli import manner
from lstmcast.cli.misuse import require_once
from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.lines import width, wrapped


class Command(TyperCommand):
    """A command whose help is translated, and whose options are not overruled unseen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; UsageError for an option that is given with several values."""
        # the parser takes arguments off the list
        arguments = tuple(args)
        unread_arguments = super().parse_args(ctx, args)
        require_once(self.params, arguments)
        return unread_arguments

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        super().format_help(ctx, _spoken(formatter))


class Group(TyperGroup):
    """All commands: their help is translated."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        super().format_help(ctx, _spoken(formatter))


def _spoken(formatter: Any) -> Any:
    words = manner.words()
    return formatter if words is ENGLISH else _Translating(formatter, words)


class _Translating:
    """A help formatter that translates and writes to another one."""

    def __init__(self, formatter: Any, words: Words) -> None:
        self._formatter = formatter
        self._words = words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._formatter, name)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The usage line."""
        self._formatter.write_usage(prog, args, prefix or f"{self._words('Usage')}: ")

    def write_heading(self, heading: str) -> None:
        """The title of a list."""
        self._formatter.write_heading(self._words(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs, as wide as the page."""
        indent = " " * self._formatter.current_indent
        paragraphs = [
            self._words(" ".join(paragraph.split())) for paragraph in text.split("\n\n")
        ]
        pages = [
            wrapped(paragraph, self._formatter.width, indent, indent)
            for paragraph in paragraphs
        ]
        self._formatter.write("\n\n".join(pages) + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30) -> None:
        """A list of names with descriptions."""
        rows = list(rows)
        indent = " " * self._formatter.current_indent
        first = min(max(width(name) for name, _ in rows), col_max) + 2
        hanging = indent + " " * first
        for name, text in rows:
            begins = f"{indent}{name:<{first}}"
            if width(name) > first - 2:
                self._formatter.write(f"{indent}{name}\n")
                begins = hanging
            description = self._words(" ".join(text.split()))
            self._formatter.write(
                wrapped(description, self._formatter.width, begins, hanging) + "\n"
            )

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A list under a heading."""
        self._formatter.write_paragraph()
        self.write_heading(name)
        with self.indentation():
            yield
