"""Draw the pictures of the pages about the examples, with English and with Japanese labels.

    python docs/pictures.py                     # all: runs every example twice, a few minutes
    python docs/pictures.py unrolled airline    # some

Those of an example are drawn by `lstmcast example NAME --language en|ja`; `unrolled` is drawn here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from lstmcast import articles
from lstmcast.output.looks import AMBER, BLUE, FAINT, GRID, INK
from lstmcast.util.fonts import fonts_with

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = Path(__file__).parent / "images"
COLOURS = 64  # enough for lines and text, at a third of the size

# Which pictures of an example are shown, and under which name here.
SHOWN = {
    "airline": {
        "prediction-observed": "airline-observed",
        "prediction-fed-back": "airline-fed-back",
    },
    "sine": {"free-run": "sine-free-run"},
    "beats": {"free-run": "beats-free-run"},
    "sine-cosine": {
        "errors-of-snapshots": "sine-cosine-snapshots",
        "prediction": "sine-cosine-prediction",
    },
    "stocks": {"error": "stocks-error", "ahead": "stocks-ahead"},
    "temperature": {
        "next-five": "temperature-next-five",
        "errors": "temperature-errors",
    },
}
# The same of runs with the article's own settings: `python docs/pictures.py airline-faithful`.
FAITHFUL = {
    "airline-faithful": {
        "prediction-fed-back": "airline-article",
        "preprocessing": "airline-preprocessing",
    },
}
DRAWN = {
    "unrolled",
    *(name for names in (SHOWN | FAITHFUL).values() for name in names.values()),
}

JAPANESE = {
    "many-to-one: only the last output is used": "many-to-one：最後の出力だけを使う",
    "many-to-many: every output is used": "many-to-many：すべての出力を使う",
    "stateful: the next batch starts from the last state": (
        "stateful：次のバッチは前の状態から始まる"
    ),
    "rollout: predictions are the next inputs": "rollout：自分の予測が次の入力になる",
    "dense": "全結合",
    "loss": "損失",
    "state 0": "状態 0",
    "batch 1": "バッチ 1",
    "batch 2": "バッチ 2",
    "time →": "時間 →",
}


def main(chosen: list[str]) -> None:
    """Draw what was chosen, or everything."""
    for language in ("en", "ja"):
        for name in chosen or ["unrolled", *SHOWN, *FAITHFUL]:
            if name == "unrolled":
                unrolled(
                    place("unrolled", language), JAPANESE if language == "ja" else {}
                )
            else:
                example(name, language)


def example(name: str, language: str) -> None:
    """Run an example and keep the pictures that are shown."""
    with tempfile.TemporaryDirectory() as folder:
        faithful = name in FAITHFUL
        plain = name.removesuffix("-faithful")
        articles.run(
            plain, faithful=faithful, out=folder, language=language, quiet=True
        )
        for drawn, shown in (SHOWN | FAITHFUL)[name].items():
            smaller(Path(folder, f"{drawn}.png"), place(shown, language))


def place(name: str, language: str) -> Path:
    """Where a picture lies in the docs."""
    return IMAGES / f"{name}{'' if language == 'en' else '-ja'}.png"


def smaller(picture: Path, to: Path) -> None:
    """The same picture with few colours and at most 1,000 pixels wide."""
    with Image.open(picture) as found:
        drawn = found.convert("RGB")
    drawn.thumbnail((1000, 2000), Image.Resampling.LANCZOS)
    drawn.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        to, optimize=True
    )
    sys.stdout.write(f"{to.name}: {to.stat().st_size / 1000:.0f} kB\n")


# ---------------------------------------------------------------- the unrolled picture

STEPS, WIDE, HIGH = 3, 0.66, 0.5  # boxes: how many of a window, and how large
# inputs: observed, or the network's own answer
TRUE, OWN = ("white", FAINT), ("#fdf1dd", AMBER)
CELL, DENSE = ("#e8f0fb", BLUE), ("#e8f5ee", "#2f8f5b")


def unrolled(to: Path, words: dict[str, str]) -> None:
    """Which boxes of an LSTM, unrolled over time, belong to which way of training."""
    panes = {
        "many-to-one: only the last output is used": (False, (2,)),
        "many-to-many: every output is used": (False, (0, 1, 2)),
        "stateful: the next batch starts from the last state": (
            False,
            (0, 1, 2, 4, 5, 6),
        ),
        "rollout: predictions are the next inputs": (True, (0, 1, 2)),
    }
    with (
        fonts_with(set().union(*words.values())),
        matplotlib.rc_context({"text.color": INK}),
    ):
        figure = Figure(figsize=(11, 6.4), layout="constrained", facecolor="white")
        axes = figure.subplot_mosaic([["one", "many", "free"], ["stateful"] * 3])
        order = ("one", "many", "stateful", "free")
        for name, (title, (feeds_back, answered)) in zip(
            order, panes.items(), strict=True
        ):
            draw(axes[name], title, answered, feeds_back, words)
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder, "unrolled.png")
            figure.savefig(picture, dpi=110)
            smaller(picture, to)


def draw(
    ax: Axes,
    title: str,
    answered: tuple[int, ...],
    feeds_back: bool,
    words: dict[str, str],
) -> None:
    """One pane: inputs below, LSTM boxes above, then the dense layer and the loss of the steps
    that are answered."""

    def said(text: str) -> str:
        return words.get(text, text)

    # a gap between two batches
    steps = [step for step in range(max(answered) + 1) if step != STEPS]
    for number, step in enumerate(steps):
        own = feeds_back and step > 0
        box(
            ax,
            step,
            0,
            f"{'ŷ' if own else 'x'}  t+{number}" if number else "x  t",
            *(OWN if own else TRUE),
        )
        box(ax, step, 1, "LSTM", *CELL)
        arrow(ax, (step, HIGH / 2), (step, 1 - HIGH / 2))
        if step in answered:
            box(ax, step, 2, said("dense"), *DENSE)
            arrow(ax, (step, 1 + HIGH / 2), (step, 2 - HIGH / 2))
            arrow(ax, (step, 2 + HIGH / 2), (step, 2.72))
            ax.text(
                step,
                2.88,
                said("loss"),
                ha="center",
                va="center",
                fontsize=9,
                color="#a23b72",
            )
        if feeds_back and step < STEPS - 1:
            bend = step + 0.5
            ax.plot(
                [step + WIDE / 2, bend, bend],
                [2, 2, 0],
                color=AMBER,
                linewidth=1.3,
                zorder=0,
            )
            arrow(ax, (bend, 0), (step + 1 - WIDE / 2, 0), AMBER)
    chain(ax, steps, said)
    ax.set_title(said(title), loc="left", fontsize=10.5)
    ax.set_xlim(-1.05, max(steps) + 0.55)
    ax.set_ylim(-0.75, 3.15)
    ax.set_axis_off()


def chain(ax: Axes, steps: list[int], said: Callable[[str], str]) -> None:
    """The state, from box to box; beside the first one where it begins."""
    ax.text(
        -0.98, 1, said("state 0"), ha="left", va="center", fontsize=8.5, color=FAINT
    )
    arrow(ax, (-0.5, 1), (-WIDE / 2, 1), BLUE)
    for before, after in pairwise(steps):
        arrow(ax, (before + WIDE / 2, 1), (after - WIDE / 2, 1), BLUE)
    if len(steps) > STEPS:
        for first, name in ((0, "batch 1"), (STEPS + 1, "batch 2")):
            style: dict[str, Any] = {
                "boxstyle": "round,pad=0.02",
                "facecolor": "none",
                "edgecolor": GRID,
                "linestyle": "--",
            }
            ax.add_patch(
                FancyBboxPatch((first - 0.42, -0.42), STEPS - 0.16, 3.5, **style)
            )
            ax.text(
                first + 1,
                -0.6,
                said(name),
                ha="center",
                va="center",
                fontsize=9,
                color=FAINT,
            )
    else:
        ax.text(
            1,
            -0.55,
            said("time →"),
            ha="center",
            va="center",
            fontsize=8.5,
            color=FAINT,
        )


def box(ax: Axes, step: float, level: float, text: str, face: str, edge: str) -> None:
    """A rounded box with a word."""
    style: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.08",
        "facecolor": face,
        "edgecolor": edge,
        "linewidth": 1.3,
    }
    ax.add_patch(
        FancyBboxPatch((step - WIDE / 2, level - HIGH / 2), WIDE, HIGH, **style)
    )
    ax.text(step, level, text, ha="center", va="center", fontsize=9)


def arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = FAINT
) -> None:
    """From box to box."""
    style: dict[str, Any] = {
        "arrowstyle": "-|>",
        "mutation_scale": 10,
        "color": colour,
        "linewidth": 1.2,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    ax.add_patch(FancyArrowPatch(start, end, **style))


if __name__ == "__main__":
    main(sys.argv[1:])
