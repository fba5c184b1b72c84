"""The systems of five published tutorials, each one file on the public API: `lstmcast example
NAME`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from lstmcast.articles.runs import ExampleRun, Measure
from lstmcast.errors import UsageError
from lstmcast.training_config import require_torch


class Example(NamedTuple):
    """One example: the module and the function that hold it, and what it predicts, in a few
    words."""

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
    labels: str = "en",
    quiet: bool = False,
) -> list[Measure]:
    """Run an example: what it leaves behind goes to the folder `out`, "lstmcast-NAME" unless given.

    `faithful`: with the article's sizes, optimiser, epochs and initialisers rather than this
    package's own. `labels`: "en" or "ja", the language of the pictures. A run that was interrupted
    goes on. UsageError for an unknown name, OutputError where nothing can be written,
    `MissingExtraError` without PyTorch.
    """
    example = _example(name)
    to = _begun(name, out, faithful, seed, labels, quiet)
    found = getattr(_module(example), example.function)(to, faithful, seed)
    measures = [Measure(row.measure, float(row.value), float(row.seconds)) for row in found]
    to.finish({name: measures})
    return measures


def run_all(
    *,
    faithful: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    labels: str = "en",
    quiet: bool = False,
) -> dict[str, list[Measure]]:
    """Run every example, each into a folder of its name in `out`, "lstmcast-all" unless given:
    measures by name.

    `summary.csv` in that folder has the measures of all. If it was interrupted, examples that had
    ended are not run again. Errors as of `run`.
    """
    to = _begun("all", out, faithful, seed, labels, quiet)
    done: dict[str, list[Measure]] = {}
    for name in EXAMPLES:
        known = to.checkpoints / f"{name}.json"
        if not known.exists():
            to.say(f"── {name}")
            found = run(
                name, faithful=faithful, out=to.folder / name, seed=seed, labels=labels, quiet=quiet
            )
            known.write_text(json.dumps(found), encoding="utf-8")
        done[name] = [Measure(*row) for row in json.loads(known.read_text(encoding="utf-8"))]
    to.finish(done)
    return done


Table = tuple[list[str], list[list[str]]]


def measured(measures: Sequence[Measure]) -> Table:
    """Header and rows of a table of measures: what was measured, value, seconds."""
    return ["measure", "value", "seconds"], [[m.measure, *_numbers(m)] for m in measures]


def compared(done: Mapping[str, Sequence[Measure]]) -> Table:
    """Header and rows of the comparison of all examples: name, what was predicted, error,
    seconds."""
    rows = [
        [name, EXAMPLES[name].predicts, *_numbers(found[0])]
        for name, found in done.items()
        if found
    ]
    return ["example", "predicted", "error", "seconds"], rows


def _numbers(measure: Measure) -> list[str]:
    return [
        f"{measure.value:,.4g}" if abs(measure.value) < 1e4 else f"{measure.value:,.0f}",
        f"{measure.seconds:.1f}",
    ]


def _begun(
    name: str, out: str | Path | None, faithful: bool, seed: int, labels: str, quiet: bool
) -> ExampleRun:
    """The run that fills a folder; every wrong word is found before anything is written."""
    if seed < 0:
        raise UsageError(f"{seed=} makes no sense. Give a whole number from 0 on.")
    require_torch()
    japanese = getattr(_module(EXAMPLES[name]), "JAPANESE", {}) if name in EXAMPLES else {}
    to = ExampleRun(
        out or f"lstmcast-{name}",
        example=name,
        mode="faithful" if faithful else "default",
        seed=seed,
        quiet=quiet,
        labels=labels,
        japanese=japanese,
    )
    if to.resumed:
        to.say(f"note: what was interrupted in {to.folder} goes on")
    return to


def _module(example: Example) -> Any:
    return import_module(f"{__name__}.{example.module}")


def _example(name: str) -> Example:
    if name not in EXAMPLES:
        raise UsageError(
            f"example {name!r} is not known. Choose one of: {', '.join(EXAMPLES)}, all."
        )
    return EXAMPLES[name]
