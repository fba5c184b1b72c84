"""The systems of five published tutorials, each one file on the public API: `lstmcast example NAME`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.articles.runs import Labels, Measure


class Example(NamedTuple):
    """One example: the module and the function that hold it, and what it predicts, in a few words."""

    module: str
    function: str
    predicts: str


EXAMPLES = {
    "airline": Example("airline", "run", "passengers, 43 months fed back"),
    "sine": Example("waves", "run_sine", "a sine, 200 steps fed back"),
    "beats": Example("waves", "run_beats", "two waves added, 200 steps fed back"),
    "sine-cosine": Example("sine_cosine", "run", "a sine and a cosine, 20 steps fed back"),
    "stocks": Example("stocks", "run", "400 prices, the next tick, learned online"),
    "temperature": Example("temperature", "run", "temperature, five steps ahead"),
}


def run(
    name: str,
    *,
    faithful: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    labels: Labels = "en",
    quiet: bool = False,
) -> list[Measure]:
    """Run an example: what it leaves behind goes to the folder `out`, "lstmcast-NAME" unless given.

    `faithful`: with the article's sizes, optimiser, epochs and initialisers rather than this package's own. A run that
    was interrupted goes on. UsageError for an unknown name, OutputError where nothing can be written,
    `MissingExtraError` without PyTorch.
    """
    from lstmcast.articles.runs import Run
    from lstmcast.training.config import require_torch

    example = _example(name)
    require_torch()
    module = import_module(f"{__name__}.{example.module}")
    to = Run(
        out or f"lstmcast-{name}", example=name, mode="faithful" if faithful else "default", seed=seed, quiet=quiet,
        labels=labels, japanese=getattr(module, "JAPANESE", {}),
    )  # fmt: skip
    if to.resumed:
        to.say(f"note: an interrupted run in {to.folder} goes on")
    measures = getattr(module, example.function)(to, faithful, seed)
    to.finish(measures)
    return measures


def _example(name: str) -> Example:
    if name not in EXAMPLES:
        raise UsageError(f"example {name!r} is not known. Choose one of: {', '.join(EXAMPLES)}, all.")
    return EXAMPLES[name]
