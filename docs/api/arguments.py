"""A griffe extension: arguments that a docstring explains in running text become a table.

Docstrings of this project say in one paragraph what each argument is, as in `time: column of the
times. target: column of the values.` That is short in an editor. On a page it is a wall of text, so
the paragraph is written there as a section of arguments, which is shown as a table.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from griffe import Class, Extension, Function

FEWEST = 2  # arguments that are worth a table
_CODE = re.compile(r"^(>>> |```| {4})", re.MULTILINE)
# A list of names and a colon, or one name and the shape of its array.
_NAMES = re.compile(
    r"(?:^|(?<=[.;] )|(?<= · ))(`?\w+`?(?:, `?\w+`?)*)(?:: | (?=\([A-Z]))"
)
_SENTENCE = re.compile(r"(?<=[.]) (?=[A-Za-z])")
_OF_ALL = re.compile(r"(Raises|UsageError|DataError|The other|Others) ")


class Arguments(Extension):
    """Writes paragraphs about arguments as sections."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Rewrite the docstring of one function."""
        _rewrite(func, {parameter.name for parameter in func.parameters})

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Rewrite the docstring of one class, whose arguments are its fields."""
        _rewrite(cls, set(cls.members))


def _rewrite(documented: Function | Class, names: Collection[str]) -> None:
    if documented.docstring and "Args:\n" not in documented.docstring.value:
        paragraphs = documented.docstring.value.split("\n\n")
        documented.docstring.value = "\n\n".join(
            as_section(one, names) for one in paragraphs
        )


def as_section(paragraph: str, names: Collection[str]) -> str:
    """The paragraph as a section of arguments, if it explains several of these names."""
    if _CODE.search(paragraph):
        return paragraph
    text = " ".join(paragraph.split())
    begins = [found for found in _NAMES.finditer(text) if _named(found) <= set(names)]
    if len(begins) < FEWEST:
        return paragraph
    ends = [found.start() for found in begins[1:]] + [len(text)]
    rows: dict[str, list[str]] = {}
    after: list[str] = []
    for found, end in zip(begins, ends, strict=True):
        sentences = _SENTENCE.split(text[found.end() : end].strip(" ·;"))
        about = rows[found[1].replace("`", "")] = sentences[:1]
        for sentence in sentences[1:]:
            _place(sentence, about, rows, after)
    before = text[: begins[0].start()].strip()
    section = [
        "Args:",
        *(line for names, about in rows.items() for line in _lines(names, about)),
    ]
    return "\n\n".join(
        part for part in (before, "\n".join(section), " ".join(after)) if part
    )


def _lines(names: str, about: list[str]) -> list[str]:
    """A row for each name, as each has a type and a default of its own."""
    first, *others = names.split(", ")
    return [
        f"    {first}: {' '.join(about)}",
        *(f"    {name}: see `{first}`." for name in others),
    ]


def _named(found: re.Match[str]) -> set[str]:
    return set(found[1].replace("`", "").split(", "))


def _place(
    sentence: str, about: list[str], rows: dict[str, list[str]], after: list[str]
) -> None:
    """Put a sentence to the argument that it speaks of, or behind the table."""
    first_word = sentence.partition(" ")[0]
    if after or _OF_ALL.match(sentence):
        after.append(sentence)
        return
    for names, others in rows.items():
        if first_word in names.split(", "):
            others.append(sentence)
            return
    about.append(sentence)
