"""Fonts for plots: names in any script are drawn with installed fonts, never as empty boxes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

# Tried in this order for characters that matplotlib's own font lacks.
_OTHER_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans JP",
    "IPAexGothic",
    "IPAGothic",
    "TakaoPGothic",
    "VL PGothic",
    "Hiragino Sans",
    "Hiragino Maru Gothic Pro",
    "Yu Gothic",
    "Meiryo",
    "MS Gothic",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans",
    "Segoe UI",
)

# Packages with a font; the first is the extra `ja`. They are not imported, as that would change the
# fonts of every plot.
_FONT_PACKAGES = {
    "matplotlib_fontja": "fonts/ipaexg.ttf",
    "japanize_matplotlib": "fonts/ipaexg.ttf",
}


@contextmanager
def fonts_with(letters: set[str]) -> Iterator[set[str]]:
    """Use installed fonts with these letters in the block; yields the letters that none has."""
    import matplotlib

    families, missing = (
        ["DejaVu Sans"],
        {letter for letter in letters if ord(letter) > 0x17F and letter.isprintable()},
    )
    # reading fonts takes a while, so it is done only for letters beyond Latin
    if missing:
        families, missing = _covering(families, missing)
    with (
        matplotlib.rc_context({"font.family": families, "svg.hashsalt": "lstmcast"}),
        _no_word_on_weights(),
    ):
        yield missing


@contextmanager
def _no_word_on_weights() -> Iterator[None]:
    """Silence matplotlib's message about fonts without bold letters, which are drawn plain."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _covering(families: list[str], letters: set[str]) -> tuple[list[str], set[str]]:
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    for path in _packaged():
        if all(entry.fname != str(path) for entry in fontManager.ttflist):
            fontManager.addfont(path)
    files = {entry.name: entry.fname for entry in reversed(fontManager.ttflist)}
    missing = set(letters)
    covering = []
    for family in (*families, *_OTHER_FONTS):
        # matplotlib's list may contain fonts that were removed
        if missing and Path(files.get(family, "")).is_file():
            has = {
                letter
                for letter in missing
                if FT2Font(files[family]).get_char_index(ord(letter))
            }
            if has or family in families:
                covering.append(family)
            missing -= has
    return covering, missing


def _packaged() -> Iterator[Path]:
    """Fonts of installed packages."""
    for package, font in _FONT_PACKAGES.items():
        spec = find_spec(package)
        places = (spec.submodule_search_locations if spec else None) or ()
        yield from (
            path for path in (Path(place, font) for place in places) if path.is_file()
        )
