"""Options that are read before the command line is parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile

from lstmcast.errors import UsageError
from lstmcast.util.language import LANGUAGES, system_language

OLD_NAME = "--labels"  # of --language, which `example` had before other commands


def language_of(
    arguments: Sequence[str], environment: Mapping[str, str], encoding: str
) -> str:
    """The language in a command line, or that of the system.

    It is found before the line is parsed, so that help and usage errors are translated too. That of
    the system is used only if `encoding` has its letters; an unknown name is rejected later, by
    `known_language`.

    >>> language_of(["check", "a.csv", "--language=ja"], {}, "ascii")
    'ja'
    >>> language_of(["check", "a.csv"], {"LANG": "ja_JP.UTF-8"}, "ascii")
    'en'
    """
    options = _options(arguments)
    pairs = list(pairwise(options))
    for option in options:
        name, mark, value = option.partition("=")
        if mark:
            pairs.append((name, value))
    languages = {
        name: value for name, value in pairs if name in ("--language", OLD_NAME)
    }
    if languages:
        return languages.get("--language") or languages[OLD_NAME]
    language = system_language(environment)
    try:
        "日本語".encode(encoding)
    except (LookupError, UnicodeError):
        return "en"
    return language


def log_file_of(arguments: Sequence[str]) -> str | None:
    """The log file in a command line, which receives usage errors too.

    >>> log_file_of(["check", "a.csv", "--log-file=night.log"])
    'night.log'
    """
    for option, following in pairwise([*_options(arguments), ""]):
        if option == "--log-file":
            return following
        if option.startswith("--log-file="):
            return option.partition("=")[2]
    return None


def _options(arguments: Sequence[str]) -> list[str]:
    """The arguments before `--`, which ends the options."""
    return list(takewhile(lambda argument: argument != "--", arguments))


def known_language(name: str | None, option: str = "--language") -> None:
    """Raise UsageError for an unknown language."""
    if name is not None and name not in LANGUAGES:
        raise UsageError(
            f"{option} {name!r} is not known. Choose one of: {', '.join(LANGUAGES)}."
        )
