"""Fonts for pictures: names in any script are drawn with what is installed, never as a row of empty boxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Tried in this order for letters that matplotlib's own font lacks.
_OTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic", "TakaoPGothic", "VL PGothic",
    "Hiragino Sans", "Hiragino Maru Gothic Pro", "Yu Gothic", "Meiryo", "MS Gothic", "Noto Sans CJK SC",
    "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "Malgun Gothic", "Arial Unicode MS", "Noto Sans", "Segoe UI",
)  # fmt: skip


@contextmanager
def fonts_with(letters: set[str]) -> Iterator[set[str]]:
    """Set fonts that have these letters, as far as any installed one does; gives the letters that none has."""
    import matplotlib

    families, missing = ["DejaVu Sans"], {letter for letter in letters if ord(letter) > 0x17F and letter.isprintable()}
    if missing:  # reading fonts takes a while: only for letters beyond Latin
        families, missing = _covering(families, missing)
    with matplotlib.rc_context({"font.family": families, "svg.hashsalt": "lstmcast"}):
        yield missing


def _covering(families: list[str], letters: set[str]) -> tuple[list[str], set[str]]:
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    files = {entry.name: entry.fname for entry in reversed(fontManager.ttflist)}
    missing, chosen = set(letters), []
    for family in (*families, *_OTHER_FONTS):
        if family in files and missing:
            has = {letter for letter in missing if FT2Font(files[family]).get_char_index(ord(letter))}
            if has or family in families:
                chosen.append(family)
            missing -= has
    return chosen, missing
