"""HTML from plain things: text, tables, and the little Markdown that cards are written in.
Everything is escaped."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def text(value: object) -> str:
    """Text that means itself inside HTML, between tags and in quoted attributes.

    >>> text('</script><img src=x onerror="alert(1)">')
    '&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'
    """
    return html.escape(
        "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in str(value))
    )


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


def table(header: Sequence[str], rows: Sequence[Sequence[str]], marked: str = "") -> str:
    """A table whose first column names the row; the row named `marked` stands out.

    >>> table(["model", "MAE"], [["naive", "12.5"]])[-79:]
    '<tbody>\\n<tr><th scope="row">naive</th><td>12.5</td></tr>\\n</tbody></table></div>'
    """
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in header)
    lines = []
    for first, *cells in rows:
        style = ' class="own"' if marked and first == marked else ""
        lines.append(
            f'<tr{style}><th scope="row">{text(first)}</th>'
            + "".join(f"<td>{text(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    body = "\n".join(lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def facts(named: Mapping[str, str]) -> str:
    """Names beside what they stand for; what is empty is left out.

    >>> facts({"Series": "3", "Missing": ""})
    '<dl><dt>Series</dt><dd>3</dd></dl>'
    """
    rows = "".join(
        f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in named.items() if value
    )
    return f"<dl>{rows}</dl>"


def markdown(source: str) -> str:
    """Headings, paragraphs, lists and tables, with bold and code in them; anything else stays text.

    >>> print(markdown("# Card\\n\\n**Small** `net`:\\n\\n- one\\n- two"))
    <h3>Card</h3>
    <p><b>Small</b> <code>net</code>:</p>
    <ul><li>one</li><li>two</li></ul>
    """
    return "\n".join(_block(lines) for lines in _blocks(source))


def _blocks(source: str) -> Iterator[list[str]]:
    for part in re.split(r"\n\s*\n", source.strip()):
        lines = part.splitlines()
        if lines and lines[0].startswith("#"):
            yield lines[:1]
            lines = lines[1:]
        if lines:
            yield lines


def _block(lines: list[str]) -> str:
    if lines[0].startswith("#"):
        marks, _, title = lines[0].partition(" ")
        level = min(len(marks) + 2, 6)  # the page's own headings come first
        return f"<h{level}>{_inline(title)}</h{level}>"
    if lines[0].startswith("|"):
        cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        return table(cells[0], cells[2:])
    if lines[0].startswith("- "):
        items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
        return (
            "<ul>"
            + "".join(f"<li>{_inline(' '.join(item.split()))}</li>" for item in items)
            + "</ul>"
        )
    return f"<p>{_inline(' '.join(lines))}</p>"


def _inline(source: str) -> str:
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", text(source))
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escaped)
