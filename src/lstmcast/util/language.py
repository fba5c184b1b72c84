"""Texts in another language, looked up where they are shown.

The package writes English. Whatever shows texts to people (a command, a plot, a page) looks up
their translation here; a text without a translation stays English. A catalogue such as
`japanese.txt` holds pairs of lines: an English template and, indented below it, its translation. In
a template

    {name}        is any text, which is inserted unchanged
    {name:n}      is a number, {name:t} a time, {name:q} a quoted name
    {name:text}   is a text of the catalogue itself, which is translated
    {name:list}   is one or several, with commas or semicolons between, translated where known
    {name:line}   is any text too; the template is a whole line, in which full stops end no sentence
    {is|are}      is one of these words, which may be left out; {|s} is the ending of a plural

A line that is not in the catalogue as a whole is translated sentence by sentence. The full stop at
the end is not part of a template: the same words may end a sentence or be in the middle of one.
Quoted text, such as a name from the data, is never divided.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from string import Formatter
from typing import TextIO

from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of

# the catalogue of each language; English needs none
LANGUAGES = {"en": "", "ja": "japanese.txt"}
_DEEPEST, _LONGEST = 12, 4_000  # nested texts; letters of a text that is looked up
_SENTENCES = 8  # maximum number in one template
_REMEMBERED = 10_000  # maximum number of cached translations
_SENTENCE_END = pattern_of(r"(?<=[.?!]) (?=\S)")
_NEXT_SENTENCE = pattern_of(r"(?<=[\w)'\"`\]])[.?!] \S")
_KIND = pattern_of(r":\w+\}")
# A quote opens and closes at the edge of a word, unlike an apostrophe.
_QUOTED = pattern_of(r"(?<!\w)(['\"`])(?=\S).+?(?<=\S)\1(?!\w)")
# "and" or "or" between the last two quoted items of a list
_LAST_OF_LIST = pattern_of(r"(?<=['\"`]) (?:and|or) (?=['\"`])")
_GUARD = "\ue000"  # replaces the space after a full stop in quotes; no text contains it
_STOP, _FULL_WIDTH_STOP = ".", "。"
# What each kind of place may hold.
_KINDS = {
    "n": r"[-−–\d.,]+(?:e[-+]?\d+)?",
    "t": r"-?\d[-\d:. ]*",
    "q": r"'[^']*'|\"[^\"]*\"",
}


class Template:
    """An English text with places for other texts, and its translation.

    >>> Template("{n} month{|s}", "{n}か月").places("12 months")
    {'n': '12'}
    """

    def __init__(self, english: str, translation: str) -> None:
        self.english = english.removesuffix(_STOP)
        self.other = translation.removesuffix(_FULL_WIDTH_STOP)
        pieces = [
            (text, name, kind)
            for text, name, kind, _ in Formatter().parse(self.english)
        ]
        self.fixed = [text for text, _, _ in pieces]
        self.kinds = {
            name: kind or "" for _, name, kind in pieces if name and "|" not in name
        }
        self._parts = pieces
        self._longest = max(self.fixed, key=len)

    @property
    def weight(self) -> int:
        """The number of fixed letters: of several matching templates, the one with most is used."""
        return sum(map(len, self.fixed))

    def places(self, text: str) -> dict[str, str] | None:
        """The contents of the places if a text matches, else None."""
        if self._longest not in text:  # fast, and nearly always sufficient
            return None
        match = self._pattern.fullmatch(text)
        return None if match is None else match.groupdict()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(
            "".join(map(_expression, *zip(*self._parts, strict=True))), re.DOTALL
        )


def _expression(text: str, name: str | None, kind: str | None) -> str:
    if name is None:
        return re.escape(text)
    if "|" in name:
        return re.escape(text) + f"(?:{'|'.join(map(re.escape, name.split('|')))})"
    return re.escape(text) + f"(?P<{name}>{_KINDS.get(kind or '', '.+?')})"


class Words:
    """The words of one language: a function from English texts to texts of that language.

    >>> pairs = [("{count:n} series", "{count}系列"), ("note: {what:text}", "注：{what}")]
    >>> words = Words("ja", [Template(*pair) for pair in pairs])
    >>> words("note: 12 series."), words("note: something else.")
    ('注：12系列。', 'note: something else.')
    """

    def __init__(self, language: str, templates: list[Template] | None = None) -> None:
        self.language = language
        self._templates = sorted(templates or [], key=lambda template: -template.weight)
        # A template may itself be looked up, by code that fills its places later.
        self._exact = {
            _KIND.sub("}", template.english): template.other
            for template in self._templates
        }
        self._line_templates = [
            template
            for template in self._templates
            if "line" in template.kinds.values()
        ]
        self._told: dict[str, str | None] = {}  # the same texts are translated often

    def __call__(self, text: str) -> str:
        """The text in this language, line by line; unknown parts are unchanged."""
        if not self._templates:
            return text
        lines = _guarded(text).split("\n")
        return "\n".join(self._line(line) or line for line in lines).replace(
            _GUARD, " "
        )

    def _line(self, line: str, depth: int = 0) -> str | None:
        text = line.strip()
        if not text or len(text) > _LONGEST or depth > _DEEPEST:
            return None
        if len(self._told) > _REMEMBERED:
            self._told.clear()
        if text not in self._told:
            self._told[text] = (
                self._exact.get(text)
                or self._by_line(text)
                or self._whole(text, depth)
                or self._sentences(text, depth)
                or self._whole(text, depth, across=True)
            )
        translated = self._told[text]
        if translated is None:
            return None
        start = line.index(text)
        return line[:start] + translated + line[start + len(text) :]

    def _by_line(self, text: str) -> str | None:
        """The line by a template for names from the data, which may end in a full stop."""
        for template in self._line_templates:
            places = template.places(text)
            if places is not None:
                return template.other.format(**places)
        return None

    def _whole(self, text: str, depth: int, across: bool = False) -> str | None:
        """The text by one template. With `across`, which is used if nothing else matches, its
        places may extend into the next sentence or out of a bracket."""
        if text.endswith(_STOP) and not text.endswith(2 * _STOP):
            translated = self._whole(text.removesuffix(_STOP), depth, across)
            return None if translated is None else translated + _FULL_WIDTH_STOP
        for template in self._templates:
            places = template.places(text)
            if places is None:
                continue
            values = self._values(template, places, depth, across)
            if values is not None:
                return template.other.format(**values)
        return None

    def _values(
        self, template: Template, places: Mapping[str, str], depth: int, across: bool
    ) -> dict[str, str] | None:
        """The translated contents of the places; None if a text in one of them is unknown."""
        values = {}
        for name, value in places.items():
            kind = template.kinds[name]
            if _is_torn(value) and (kind or not across):
                return None
            if not across and _NEXT_SENTENCE.search(value):
                return None
            translated = value
            if kind == "text":
                translated = self._line(value, depth + 1)
            elif kind == "list":
                translated = self._list(value, depth)
            if translated is None:
                return None
            values[name] = translated
        return values

    def _list(self, value: str, depth: int) -> str:
        """A list separated by semicolons, whose items are texts or lists separated by commas."""
        items = _items(value, "; ")
        if len(items) > 1:
            return "；".join(self._list(entry, depth) for entry in items)
        items = _items(_LAST_OF_LIST.sub(", ", value), ", ")
        translations = [self._line(entry, depth + 1) for entry in items]
        # The place of one item could match all items that follow: try single items first.
        if None in translations:
            translated_whole = self._line(value, depth + 1)
            if translated_whole is not None:
                return translated_whole
        return "、".join(
            translation or entry
            for translation, entry in zip(translations, items, strict=True)
        )

    def _sentences(self, text: str, depth: int) -> str | None:
        """The text sentence by sentence, unknown ones unchanged; None if all are unknown."""
        sentences = ""
        is_translated = False
        remaining = text
        while remaining:
            first, translated = self._beginning(remaining, depth)
            remaining = remaining[len(first) :].lstrip()
            sentences = _joined(sentences, translated or first)
            is_translated = is_translated or translated is not None
        return sentences if is_translated else None

    def _beginning(self, text: str, depth: int) -> tuple[str, str | None]:
        """The longest known beginning and its translation; else the first sentence and None."""
        ends = [*(match.start() for match in _SENTENCE_END.finditer(text)), len(text)]
        for end in reversed(ends[:_SENTENCES]):
            translated = self._whole(text[:end], depth)
            if translated is not None:
                return text[:end], translated
        return text[: ends[0]], None


def _guarded(text: str) -> str:
    """The text, changed so that no full stop in quotes looks like the end of a sentence."""
    return _QUOTED.sub(lambda quoted: _SENTENCE_END.sub(_GUARD, quoted[0]), text)


def _is_torn(value: str) -> bool:
    """Whether a bracket is opened in a text and closed outside of it, or the other way round.

    >>> _is_torn("line 3 (blank)"), _is_torn("blank), line 4 (blank")
    (False, True)
    """
    depth = 0
    for letter in value:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            return True
    return depth > 0


def _items(value: str, between: str) -> list[str]:
    """The items of a list; text in brackets or quotes is not divided.

    >>> _items("line 1 (a, b), line 2 ('c, d')", ", ")
    ['line 1 (a, b)', "line 2 ('c, d')"]
    """
    ends, open_marks, previous = [], [], " "
    for place, letter in enumerate(value):
        if open_marks and letter == open_marks[-1]:
            open_marks.pop()
        elif letter in "([":
            open_marks.append({"(": ")", "[": "]"}[letter])
        elif letter in "'\"" and not previous.isalnum():
            # after a letter it is an apostrophe
            open_marks.append(letter)
        elif not open_marks and value.startswith(between, place):
            ends.append(place)
        previous = letter
    begins = [0, *(end + len(between) for end in ends)]
    return [
        value[start:stop]
        for start, stop in zip(begins, [*ends, len(value)], strict=True)
    ]


def _joined(first: str, second: str) -> str:
    """Two sentences, with a space in between unless a full-width stop ends the first."""
    return first + second if not first or first[-1] in "。？：" else f"{first} {second}"


ENGLISH = Words("en")


class Spoken:
    """A stream, such as that of a progress line, whose texts are translated."""

    def __init__(self, stream: TextIO, words: Callable[[str], str]) -> None:
        self.stream = stream
        self.words = words

    def write(self, text: str) -> int:
        """Write a text."""
        return self.stream.write(self.words(text))

    def flush(self) -> None:
        """Show what was written."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Whether lines can be rewritten."""
        return self.stream.isatty()


@cache
def words_of(language: str) -> Words:
    """The words of a language. UsageError for an unknown one.

    >>> words_of("ja")("12 months"), words_of("en")("12 months")
    ('12か月', '12 months')
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"language={language!r} is not known. Choose one of: {', '.join(LANGUAGES)}."
        )
    if not LANGUAGES[language]:
        return ENGLISH
    return Words(language, [Template(*pair) for pair in catalogue(language)])


def catalogue(language: str) -> Iterator[tuple[str, str]]:
    """The pairs of a language's catalogue: English template, translation."""
    path = Path(__file__).with_name(LANGUAGES[language])
    english = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  "):
            yield english, line.strip()
        else:
            english = line.strip()


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language of the system if it is one of ours, else English.

    >>> system_language({"LANG": "ja_JP.UTF-8"}), system_language({"LANG": "de_DE.UTF-8"})
    ('ja', 'en')
    >>> system_language({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"})
    'en'
    """
    # the first that is set decides, as in POSIX
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    setting = next((environment[name] for name in names if environment.get(name)), "")
    language = re.split(r"[_.@-]", setting)[0].lower()
    return language if language in LANGUAGES else "en"
