"""Pieces of HTML: with inline styles for notebooks, without them for pages with a style sheet.
Every text is escaped.

Pieces for notebooks take their colours from the notebook, so that they are readable on a light and
a dark background. They use no scripts and no style sheets, and load nothing.
"""

# T points of a line

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.text import shortened, visible

BLUE = "#4a8fe7"  # readable on white and on black
MOST_POINTS = 240  # points of one line; more would be narrower than a pixel
MOST_LETTERS = 60  # letters of one cell
_CELL = (
    "padding:2px 8px;border:none;background:transparent;"
    "white-space:nowrap;vertical-align:middle"
)
_TABLE = "border-collapse:collapse;border:none;margin:4px 0;font-variant-numeric:tabular-nums"
_LINE = "border-bottom:1px solid rgba(128,128,128,.5)"

# steps (T,) and values (T,) → their positions in a picture
PointsAt: TypeAlias = Callable[[ndarray, ndarray], list[str]]


# ---------------------------------------------------------------- both


class Markup(str):
    """Finished HTML, which `table` leaves unchanged; it escapes every other text."""

    __slots__ = ()


def escape(value: object) -> str:
    """Text that is shown literally in HTML, between tags and in quoted attributes.

    >>> escape('</script><img src=x onerror="alert(1)">')
    '&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'
    """
    return html.escape(visible(str(value), keep="\n"))


# ---------------------------------------------------------------- notebooks


def block(title: str, *contents: str) -> str:
    """A heading and the pieces below it.

    >>> block("Forecast <12>")
    '<div style="line-height:1.35"><strong>Forecast &lt;12&gt;</strong></div>'
    """
    heading = f"<strong>{_line(title, 500)}</strong>"
    return f'<div style="line-height:1.35">{heading}{"".join(contents)}</div>'


def paragraph(line: str) -> Markup:
    """A paragraph of plain text."""
    return Markup(
        f'<div style="margin:3px 0;max-width:60em">{_line(line, 2_000)}</div>'
    )


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    left_aligned: Iterable[int] = (0,),
    wrap: bool = False,
) -> str:
    """A table with right-aligned columns, except for those numbered in `left_aligned`; long texts
    may `wrap`.

    >>> "a &lt; b" in table(["series"], [["a < b"]])
    True
    """
    lefts = set(left_aligned)
    longest = 1_000 if wrap else MOST_LETTERS
    base = _CELL.replace("nowrap", "normal") if wrap else _CELL

    def line(tag: str, cells: Sequence[str], style: str = "") -> str:
        contents = []
        for column, content in enumerate(cells):
            escaped = (
                content if isinstance(content, Markup) else _line(content, longest)
            )
            side = "left" if column in lefts else "right"
            contents.append(
                f'<{tag} style="{base};text-align:{side}{style}">{escaped}</{tag}>'
            )
        return f"<tr>{''.join(contents)}</tr>"

    head = f"<thead>{line('th', header, f';{_LINE}')}</thead>" if any(header) else ""
    body = "".join(line("td", row) for row in rows)
    return Markup(f'<table style="{_TABLE}">{head}<tbody>{body}</tbody></table>')


def more(shown_count: int, available: int, noun: str) -> str:
    """A line with the number of rows that are not shown; empty if there are none.

    >>> more(10, 12, "series"), more(12, 12, "series")
    ('<div style="margin:3px 0;max-width:60em">… and 2 more series</div>', '')
    """
    hidden = available - shown_count
    return paragraph(f"… and {hidden:,} more {noun}") if hidden > 0 else ""


def picture(
    history: ndarray,
    point: ndarray | None = None,
    bands: Sequence[tuple[ndarray, ndarray]] = (),
    *,
    width: int = 160,
    height: int = 28,
    label: str = "",
) -> Markup:
    """A line chart in SVG: the history in the colour of the text, the forecast and its bands in
    blue.

    history (T,) and point (H,) may have unknown values, which leave gaps; `bands` are (lower,
    upper) of (H,), wide ones first; `label` is what screen readers read.
    """
    future = np.empty(0) if point is None else point
    bounds = [bound for band in bands for bound in band]
    values = np.concatenate([history, future, *bounds])
    values = values[np.isfinite(values)]
    if not len(values):
        return Markup("")
    low = float(values.min())
    high = float(values.max())
    middle = low / 2 + high / 2
    half = (high / 2 - low / 2) or 1.0
    steps = max(len(history) + len(future) - 1, 1)

    def points_at(steps_T: ndarray, values_T: ndarray) -> list[str]:
        across = 2 + steps_T * (width - 4) / steps
        down = height / 2 - (values_T - middle) / half * (height / 2 - 2)
        pixels = np.stack([across, down], axis=1).tolist()
        return [f"{column:.1f} {row:.1f}" for column, row in pixels]

    ahead = len(history) + np.arange(len(future))
    shapes = [_band(ahead, lower, upper, points_at) for lower, upper in bands]
    shapes.append(_stroke(np.arange(len(history)), history, "currentColor", points_at))
    shapes.append(_stroke(ahead, future, BLUE, points_at))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 '
        f'{width} {height}" role="img" aria-label="{_line(label, 200)}" '
        f'style="vertical-align:middle">{"".join(shapes)}</svg>'
    )


def _band(steps: ndarray, lower: ndarray, upper: ndarray, points_at: PointsAt) -> str:
    """The area between two bounds, as far as both are known."""
    is_known = np.isfinite(lower) & np.isfinite(upper)
    if not is_known.any():
        return ""
    below = points_at(steps[is_known], lower[is_known])
    above = points_at(steps[is_known], upper[is_known])
    outline = "L".join(below + above[::-1])
    return f'<path d="M{outline}Z" fill="{BLUE}" fill-opacity=".25" stroke="none"/>'


def _stroke(steps: ndarray, values: ndarray, colour: str, points_at: PointsAt) -> str:
    """A line in a colour; empty without known values."""
    path = _path(steps, values, points_at)
    if not path:
        return ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3" '
        'stroke-linecap="round"/>'
    )


def _path(steps: ndarray, values: ndarray, points_at: PointsAt) -> str:
    """The line through the known values, with a new stroke after each gap; a long line is reduced
    to the extremes of each segment."""
    if len(values) > MOST_POINTS:
        extremes = _extremes(values)
        steps = steps[extremes]
        values = values[extremes]
    is_known = np.isfinite(values)
    points = iter(points_at(steps[is_known], values[is_known]))
    path = ""
    for segment in np.split(is_known, np.flatnonzero(~is_known)):
        stroke = list(islice(points, int(segment.sum())))
        if len(stroke) == 1:
            stroke *= 2  # a dot: a line of length 0 with round ends
        if stroke:
            path += "M" + "L".join(stroke)
    return path


def _extremes(values: ndarray) -> ndarray:
    """Positions of the smallest and the largest value of each segment; the first position of a
    segment without values, as a gap."""
    ends = []
    for segment in np.array_split(np.arange(len(values)), MOST_POINTS // 2):
        places = segment[np.isfinite(values[segment])]
        if not len(places):
            ends.append(segment[:1])
            continue
        numbers = values[places]
        ends.append(np.unique(places[[np.argmin(numbers), np.argmax(numbers)]]))
    return np.concatenate(ends)


def _line(content: object, longest: int = MOST_LETTERS) -> str:
    """Text that is safe in HTML, on one line and not too long.

    >>> _line("<b>a & b</b>\\n", 8)
    '&lt;b&gt;a &amp; …'
    """
    return html.escape(shortened(str(content), longest))


# ---------------------------------------------------------------- pages


def script_data(value: Any) -> str:
    """JSON for a script element: nothing in it ends the element or opens a comment.

    >>> script_data({"id": "</script>"})
    '{"id": "\\\\u003c/script\\\\u003e"}'
    """
    document = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        document = document.replace(letter, f"\\u{ord(letter):04x}")
    # a lone surrogate cannot be encoded in a file
    return document.encode("utf-8", "replace").decode("utf-8")


def page_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], marked: str = ""
) -> str:
    """A table whose first column names the rows; the row named `marked` is highlighted.

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


def facts(entries: Mapping[str, str]) -> str:
    """A list of names and values; empty values are left out.

    >>> facts({"Series": "3", "Missing": ""})
    '<dl><dt>Series</dt><dd>3</dd></dl>'
    """
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in entries.items()
        if value
    )
    return f"<dl>{rows}</dl>"


def markdown(source: str, words: Words = ENGLISH) -> str:
    """HTML for Markdown headings, paragraphs, lists and tables, with bold text and code; anything
    else stays text. All texts are in the language of the `words`.

    >>> print(markdown("# Card\\n\\n**Small** `net`:\\n\\n- one\\n- two"))
    <h3>Card</h3>
    <p><b>Small</b> <code>net</code>:</p>
    <ul><li>one</li><li>two</li></ul>
    """
    return "\n".join(_block(lines, words) for lines in _blocks(source))


def _blocks(source: str) -> Iterator[list[str]]:
    for paragraph_text in re.split(r"\n\s*\n", source.strip()):
        lines = paragraph_text.splitlines()
        if lines and lines[0].startswith("#"):
            yield lines[:1]
            lines = lines[1:]
        if lines:
            yield lines


def _block(lines: list[str], words: Words) -> str:
    if lines[0].startswith("#"):
        marks, _, title = lines[0].partition(" ")
        level = min(len(marks) + 2, 6)  # below the headings of the page
        return f"<h{level}>{_inline(words(title))}</h{level}>"
    if lines[0].startswith("|"):
        table = [
            [words(cell.strip()) for cell in line.strip().strip("|").split("|")]
            for line in lines
        ]
        return page_table(table[0], table[2:])
    if lines[0].startswith("- "):
        items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
        list_items = "".join(
            f"<li>{_inline(words(' '.join(entry.split())))}</li>" for entry in items
        )
        return f"<ul>{list_items}</ul>"
    return f"<p>{_inline(words(' '.join(' '.join(lines).split())))}</p>"


def _inline(source: str) -> str:
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(source))
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", coded)
