"""Pieces of HTML: for notebooks with looks of their own, for pages that have a style sheet. Every
text is escaped.

What notebooks show takes its colour from the page that it stands in, so that it reads on light and
dark ground. No scripts, no style sheets, nothing fetched.
"""

# T points of a line

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.text import shortened

BLUE = "#4a8fe7"  # reads on white and on black
MOST_POINTS = 240  # of one line; more would be narrower than a pixel
MOST_LETTERS = 60  # of one cell
_CELL = (
    "padding:2px 8px;border:none;background:transparent;white-space:nowrap;vertical-align:middle"
)
_TABLE = "border-collapse:collapse;border:none;margin:4px 0;font-variant-numeric:tabular-nums"
_LINE = "border-bottom:1px solid rgba(128,128,128,.5)"


# ---------------------------------------------------------------- both


class Markup(str):
    """HTML that is already made: `table` leaves it as it is, and escapes every other text."""

    __slots__ = ()


def escape(value: object) -> str:
    """Text that means itself inside HTML, between tags and in quoted attributes.

    >>> escape('</script><img src=x onerror="alert(1)">')
    '&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'
    """
    return html.escape(
        "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in str(value))
    )


# ---------------------------------------------------------------- notebooks


def block(title: str, *parts: str) -> str:
    """A heading and what stands below it.

    >>> block("Forecast <12>")
    '<div style="line-height:1.35"><strong>Forecast &lt;12&gt;</strong></div>'
    """
    return (
        f'<div style="line-height:1.35"><strong>{_line(title, 500)}</strong>{"".join(parts)}</div>'
    )


def paragraph(line: str) -> Markup:
    """A paragraph of plain text."""
    return Markup(f'<div style="margin:3px 0;max-width:60em">{_line(line, 2_000)}</div>')


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
            else _line(content, 1_000 if wrap else MOST_LETTERS)
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
    return Markup(f'<table style="{_TABLE}">{top}<tbody>{body}</tbody></table>')


def more(shown: int, available: int, what: str) -> str:
    """A line that says how many rows are not shown; empty where all are.

    >>> more(10, 12, "series"), more(12, 12, "series")
    ('<div style="margin:3px 0;max-width:60em">… and 2 more series</div>', '')
    """
    return paragraph(f"… and {available - shown:,} more {what}") if available > shown else ""


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
        f'{width} {height}" role="img" aria-label="{_line(label, 200)}" '
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


def _line(content: object, longest: int = MOST_LETTERS) -> str:
    """Text that is safe in HTML, of one line and not too long.

    >>> _line("<b>a & b</b>\\n", 8)
    '&lt;b&gt;a &amp; …'
    """
    return html.escape(shortened(str(content), longest))


# ---------------------------------------------------------------- pages


def script_data(value: Any) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or opens a
    comment.

    >>> script_data({"id": "</script>"})
    '{"id": "\\\\u003c/script\\\\u003e"}'
    """
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    # half a surrogate pair has no place in a file
    return written.encode("utf-8", "replace").decode("utf-8")


def page_table(header: Sequence[str], rows: Sequence[Sequence[str]], marked: str = "") -> str:
    """A table whose first column names the row; the row named `marked` stands out.

    >>> page_table(["model", "MAE"], [["naive", "12.5"]])[-79:]
    '<tbody>\\n<tr><th scope="row">naive</th><td>12.5</td></tr>\\n</tbody></table></div>'
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    top = f"<thead><tr>{head}</tr></thead>"
    lines = []
    for first, *cells in rows:
        style = ' class="own"' if marked and first == marked else ""
        lines.append(
            f'<tr{style}><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    body = "\n".join(lines)
    return f'<div class="wide"><table>{top}<tbody>\n{body}\n</tbody></table></div>'


def facts(named: Mapping[str, str]) -> str:
    """Names beside what they stand for; what is empty is left out.

    >>> facts({"Series": "3", "Missing": ""})
    '<dl><dt>Series</dt><dd>3</dd></dl>'
    """
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in named.items() if value
    )
    return f"<dl>{rows}</dl>"


def markdown(source: str, words: Words = ENGLISH) -> str:
    """Headings, paragraphs, lists and tables, with bold and code in them; anything else stays text.
    Each heading, paragraph, item and cell comes in the language of the `words`.

    >>> print(markdown("# Card\\n\\n**Small** `net`:\\n\\n- one\\n- two"))
    <h3>Card</h3>
    <p><b>Small</b> <code>net</code>:</p>
    <ul><li>one</li><li>two</li></ul>
    """
    return "\n".join(_block(lines, words) for lines in _blocks(source))


def _blocks(source: str) -> Iterator[list[str]]:
    for part in re.split(r"\n\s*\n", source.strip()):
        lines = part.splitlines()
        if lines and lines[0].startswith("#"):
            yield lines[:1]
            lines = lines[1:]
        if lines:
            yield lines


def _block(lines: list[str], words: Words) -> str:
    if lines[0].startswith("#"):
        marks, _, title = lines[0].partition(" ")
        level = min(len(marks) + 2, 6)  # the page's own headings come first
        return f"<h{level}>{_inline(words(title))}</h{level}>"
    if lines[0].startswith("|"):
        table = [
            [words(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines
        ]
        return page_table(table[0], table[2:])
    if lines[0].startswith("- "):
        items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
        listed = "".join(f"<li>{_inline(words(' '.join(item.split())))}</li>" for item in items)
        return f"<ul>{listed}</ul>"
    return f"<p>{_inline(words(' '.join(' '.join(lines).split())))}</p>"


def _inline(source: str) -> str:
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(source))
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", coded)
