"""Draw which part may import which, docs/images/layers.svg, from the contract in pyproject.toml.

    python docs/layers.py        # `make layers`; a test compares picture and contract

A part imports what lies below it, never what lies above or beside it.
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "layers.svg"
WIDTH, ROW, GAP, MARGIN = 760, 30, 8, 16
STYLE = """
  .ground { fill: #ffffff } .part { fill: #e8effa; stroke: #1557b0 } .later { stroke-dasharray: 4 }
  text { font: 13px sans-serif; fill: #1b2733; text-anchor: middle; dominant-baseline: central }
  path { stroke: #1b2733; fill: none }
"""


def layers() -> list[list[str]]:
    """The parts of each layer, the highest first; those in brackets do not exist yet."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    lines = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [[part.strip() for part in line.split("|")] for line in lines]


def drawn(rows: list[list[str]]) -> str:
    """The picture as SVG: a row for each layer, a box for each part, an arrow down the side."""
    height = 2 * MARGIN + len(rows) * (ROW + GAP)
    boxes = []
    for number, parts in enumerate(rows):
        top = MARGIN + number * (ROW + GAP)
        width = (WIDTH - 3 * MARGIN - GAP * (len(parts) - 1)) / len(parts)
        for place, part in enumerate(parts):
            boxes.append(_box(part, 2 * MARGIN + place * (width + GAP), top, width))
    end = height - MARGIN
    arrow = f'<path d="M {MARGIN} {MARGIN} V {end} m -5 -8 l 5 8 l 5 -8"/>'
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{STYLE}</style>'
    ground = '<rect class="ground" width="100%" height="100%"/>'
    return "\n".join([head, ground, arrow, *boxes, "</svg>\n"])


def _box(part: str, left: float, top: float, width: float) -> str:
    name = part.strip("()")
    kind = "part" if name == part else "part later"
    size = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW}" rx="4"'
    middle = f'x="{left + width / 2:.1f}" y="{top + ROW / 2}"'
    return f'<rect class="{kind}" {size}/><text {middle}>{escape(name)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(layers()), encoding="utf-8")
