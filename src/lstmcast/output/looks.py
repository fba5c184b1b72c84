"""The style of plots: colours, dates and numbers on the axes, letters that fonts need.

matplotlib is imported when something is drawn, and without pyplot: no window system is used and no
state is shared.
"""

# T time · H horizon · O origins

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.util.language import ENGLISH, Words, words_of
from lstmcast.util.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes


INK, FAINT, GRID = "#1f2933", "#6b7785", "#e4e8ec"
# bands: wide and narrow
BLUE, BANDS, AMBER = "#1556b0", ("#d3e3f8", "#9dc1ee"), "#d9822b"


class Palette(NamedTuple):
    """The colours of a plot."""

    ink: str
    faint: str
    grid: str
    blue: str
    bands: tuple[str, str]
    amber: str
    ground: str


LIGHT = Palette(INK, FAINT, GRID, BLUE, BANDS, AMBER, "white")
DARK = Palette(
    "#e6ebf0",
    "#9aa7b4",
    "#333d48",
    "#7db3ff",
    ("#22344d", "#345a8a"),
    "#f0a858",
    "#12171c",
)
# Formats of dates on an axis, from years to microseconds: ticks, ticks at which a longer unit
# begins, and the offset at the end of the axis. English uses matplotlib's own.
_DATES = {
    "ja": {
        "formats": ["%Y年", "%m月", "%d日", "%H:%M", "%H:%M", "%S.%f"],
        "zero_formats": ["", "%Y年", "%m月", "%m月%d日", "%H:%M", "%H:%M"],
        "offset_formats": [
            "",
            "%Y年",
            "%Y年%m月",
            "%Y年%m月%d日",
            "%Y年%m月%d日",
            "%Y年%m月%d日 %H:%M",
        ],
    }
}


def letters_of(texts: set[str], language: str) -> set[str]:
    """The letters that a font needs for these texts, and for dates in a language."""
    words = words_of(language)
    dates = [text for texts in _DATES.get(language, {}).values() for text in texts]
    return set().union(*map(words, texts), *dates)


def printable(text: str, longest: int = 60) -> str:
    text = visible(text)
    if len(text) <= longest:
        return text
    whole_words = text[:longest].rpartition(" ")[0]
    if len(whole_words) <= longest // 2:
        whole_words = text[: longest - 2]
    return whole_words.rstrip(" .,:;") + " …"


def heading(words: Words, palette: Palette = LIGHT) -> dict[str, Any]:
    """The style of a plot's title, which is not bold in Japanese: few fonts have bold letters, and
    bold digits among plain letters look wrong."""
    weight = "bold" if words is ENGLISH else "normal"
    looks = {"ha": "left", "fontsize": 13, "fontweight": weight, "parse_math": False}
    return looks | {"color": palette.ink}


def positions(times: ndarray, axis: ndarray | None = None) -> ndarray:
    """Times as numbers for an axis: days for dates, years beyond Python's calendar, integers
    unchanged."""
    if times.dtype.kind != "M":
        return times.astype(np.float64)
    is_beyond = beyond_calendars(times)
    if axis is not None:
        is_beyond = is_beyond or beyond_calendars(axis)
    if is_beyond:
        return times.astype("datetime64[Y]").astype(np.float64) + 1970
    from matplotlib.dates import date2num

    return np.asarray(date2num(times))


def beyond_calendars(times: ndarray) -> bool:
    if not len(times):
        return False
    years = times[[0, -1]].astype("datetime64[Y]").astype(np.int64) + 1970
    return bool((years < 2).any() or (years > 9900).any())


def dress(ax: Axes, palette: Palette = LIGHT) -> None:
    """Apply the style of all plots: faint horizontal lines, no frame, small grey numbers."""
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=palette.grid, linewidth=0.8)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(palette.grid)
    ax.tick_params(colors=palette.faint, labelsize=9, length=0, pad=5)
    ax.margins(x=0.015, y=0.08)


def dress_times(
    ax: Axes, times: ndarray, words: Words, palette: Palette = LIGHT
) -> None:
    """Format the axis of times, as dates or as numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if times.dtype.kind == "M" and not beyond_calendars(times):
        _dress_dates(ax, words, palette)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def _dress_dates(ax: Axes, words: Words, palette: Palette) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    formats: dict[str, Any] = _DATES.get(words.language, {})
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, **formats))
    ax.xaxis.get_offset_text().set(color=palette.faint, fontsize=9)


def tick_format(ticks: ndarray) -> Callable[[float, int], str]:
    """A formatter of numbers such as 1,200 · 3.5 M · 0.25, with the same unit and decimals for the
    whole axis."""
    size = np.abs(ticks).max()
    step = np.diff(ticks).min()
    if size >= 1e18 or size < 1e-6:
        return lambda value, _: _with_minus(f"{value:.3g}")
    unit, sign = 1.0, ""
    for power, letters in ((6, " M"), (9, " bn"), (12, " T")):
        if size >= 2 * 10**power:
            unit = 10.0**power
            sign = letters
    decimals = _decimals_of(step / unit)
    return lambda value, _: _with_minus(f"{value / unit + 0.0:,.{decimals}f}{sign}")


def _decimals_of(step: float) -> int:
    """The number of decimals that distinguish ticks with this spacing."""
    for decimals in range(12):
        if abs(round(step, decimals) - step) < 1e-6 * step:
            return decimals
    return 12


def _with_minus(text: str) -> str:
    return text.replace("-", "−")
