"""Results as small pieces of HTML, for notebooks: bounded tables and pictures in SVG.

Everything takes its colour from the page that it stands in, so that it reads on light and dark
ground. No scripts, no style sheets, nothing fetched; every text is escaped.
"""

# T points of a line

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy import ndarray

BLUE = "#4a8fe7"  # reads on white and on black
MOST_POINTS = 240  # of one line; more would be narrower than a pixel
MOST_LETTERS = 60  # of one cell
_CELL = (
    "padding:2px 8px;border:none;background:transparent;white-space:nowrap;vertical-align:middle"
)
_LINE = "border-bottom:1px solid rgba(128,128,128,.5)"


class Markup(str):
    """HTML that is already made: `table` leaves it as it is, and escapes every other text."""

    __slots__ = ()


def block(title: str, *parts: str) -> str:
    """A heading and what stands below it.

    >>> block("Forecast <12>")
    '<div style="line-height:1.35"><strong>Forecast &lt;12&gt;</strong></div>'
    """
    return f'<div style="line-height:1.35"><strong>{escaped(title, 500)}</strong>{"".join(parts)}</div>'


def text(line: str) -> Markup:
    """A paragraph of plain text."""
    return Markup(f'<div style="margin:3px 0;max-width:60em">{escaped(line, 2_000)}</div>')


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    left: Iterable[int] = (0,),
    wrap: bool = False,
) -> str:
    """A table whose columns stand to the right, those numbered in `left` to the left; long texts
    may `wrap`.

    >>> "a &lt; b" in table(["series"], [["a < b"]])
    True
    """
    sides = set(left)

    def cell(tag: str, i: int, content: str, style: str = "") -> str:
        inside = (
            content
            if isinstance(content, Markup)
            else escaped(content, 1_000 if wrap else MOST_LETTERS)
        )
        look = f"{_CELL};text-align:{'left' if i in sides else 'right'}{style}"
        return (
            f'<{tag} style="{look.replace("nowrap", "normal") if wrap else look}">{inside}</{tag}>'
        )

    head = "".join(cell("th", i, name, f";{_LINE}") for i, name in enumerate(header))
    body = "".join(
        f"<tr>{''.join(cell('td', i, value) for i, value in enumerate(row))}</tr>" for row in rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(header) else ""
    return Markup(
        '<table style="border-collapse:collapse;border:none;margin:4px 0;font-variant-numeric:tabular-nums">'
        f"{top}<tbody>{body}</tbody></table>"
    )


def picture(
    history: ndarray,
    point: ndarray | None = None,
    bands: Sequence[tuple[ndarray, ndarray]] = (),
    *,
    width: int = 160,
    height: int = 28,
    label: str = "",
) -> Markup:
    """A line in SVG: the history in the colour of the text, the forecast that follows it and its
    bands in blue.

    history (T,) and point (H,) may hold unknown values, which leave gaps; `bands` are (lower,
    upper) of (H,), wide ones first; `label` is read aloud in place of the picture.
    """
    future = np.empty(0) if point is None else point
    shown = np.concatenate([history, future, *(bound for band in bands for bound in band)])
    shown = shown[np.isfinite(shown)]
    if not len(shown):
        return Markup("")
    low, high = float(shown.min()), float(shown.max())
    middle, half = low / 2 + high / 2, (high / 2 - low / 2) or 1.0
    steps = max(len(history) + len(future) - 1, 1)

    def at(steps_T: ndarray, values_T: ndarray) -> list[str]:
        across = 2 + steps_T * (width - 4) / steps
        down = height / 2 - (values_T - middle) / half * (height / 2 - 2)
        return [f"{x:.1f} {y:.1f}" for x, y in zip(across.tolist(), down.tolist(), strict=True)]

    ahead = len(history) + np.arange(len(future))
    parts = []
    for lower, upper in bands:
        known = np.isfinite(lower) & np.isfinite(upper)
        if known.any():
            outline = at(ahead[known], lower[known]) + at(ahead[known], upper[known])[::-1]
            parts.append(
                f'<path d="M{"L".join(outline)}Z" fill="{BLUE}" fill-opacity=".25" stroke="none"/>'
            )
    lines = ((np.arange(len(history)), history, "currentColor"), (ahead, future, BLUE))
    for steps_T, values_T, colour in lines:
        if path := _path(steps_T, values_T, at):
            parts.append(
                f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3" '
                'stroke-linecap="round"/>'
            )
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 '
        f'{width} {height}" role="img" aria-label="{escaped(label, 200)}" '
        f'style="vertical-align:middle">{"".join(parts)}</svg>'
    )


def _path(steps: ndarray, values: ndarray, at: Callable[[ndarray, ndarray], list[str]]) -> str:
    """The line through the known values: a new stroke after each gap, of a long one the extremes
    of each segment."""
    if len(values) > MOST_POINTS:
        kept = []
        for part in np.array_split(np.arange(len(values)), MOST_POINTS // 2):
            known = part[np.isfinite(values[part])]
            gap = part[:0] if len(known) else part[:1]
            ends = (
                known[[np.argmin(values[known]), np.argmax(values[known])]] if len(known) else gap
            )
            kept.append(np.unique(ends))
        chosen = np.concatenate(kept)
        steps, values = steps[chosen], values[chosen]
    known = np.isfinite(values)
    points = iter(at(steps[known], values[known]))
    strokes = np.split(known, np.flatnonzero(~known))
    drawn = [[next(points) for _ in range(int(stroke.sum()))] for stroke in strokes]
    # A stroke of one point is drawn as a dot: a line that goes nowhere, with round ends.
    return "".join(
        "M" + "L".join(stroke if len(stroke) > 1 else stroke * 2) for stroke in drawn if stroke
    )


def escaped(content: object, longest: int = MOST_LETTERS) -> str:
    """Text that is safe in HTML, of one line and not too long.

    >>> escaped("<b>a & b</b>\\n", 8)
    '&lt;b&gt;a &amp; …'
    """
    return html.escape(shortened(str(content), longest))


def more(shown: int, available: int, what: str) -> str:
    """A line that says how many rows are not shown; empty where all are.

    >>> more(10, 12, "series"), more(12, 12, "series")
    ('<div style="margin:3px 0;max-width:60em">… and 2 more series</div>', '')
    """
    return text(f"… and {available - shown:,} more {what}") if available > shown else ""


def some_names(names: Sequence[object] | ndarray) -> str:
    """The first three, for a message.

    >>> some_names(["a", "b"]), some_names(np.array(["a", "b", "c", "d"], object))
    ("'a', 'b'", "'a', 'b', 'c', …")
    """
    return ", ".join(repr(str(name)) for name in names[:3]) + ", …" * (len(names) > 3)


def shortened(text: str, longest: int = 30) -> str:
    """Text for one cell: no line breaks or control characters, and not too long."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def number_format(values: ndarray) -> Callable[[float], str]:
    """A function that writes numbers of this size with about four digits that count, all with the
    same decimals.

    >>> write = number_format(np.array([446.91, 1012.3])); write(446.91), write(1012.3), write(float("nan"))
    ('446.9', '1,012.3', '–')
    """
    decimals = decimals_of(values)
    if decimals is None:
        return lambda value: f"{value:.4g}" if np.isfinite(value) else "–"
    return lambda value: f"{value + 0.0:,.{decimals}f}" if np.isfinite(value) else "–"


def decimals_of(values: ndarray) -> int | None:
    """Decimals with which numbers of this size show about four digits that count; None where powers
    of ten are better.

    >>> decimals_of(np.array([446.91, 1012.3])), decimals_of(np.array([1e-9]))
    (1, None)
    """
    known = np.abs(values[np.isfinite(values) & (values != 0)])
    size = float(np.median(known)) if len(known) else 1.0
    return int(np.clip(3 - np.floor(np.log10(size)), 0, 9)) if 1e-6 < size < 1e15 else None
