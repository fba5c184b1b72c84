"""The systems of five published tutorials, each one file on the public API: `lstmcast example
NAME`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from lstmcast.articles.measures import Measure, over_seeds
from lstmcast.articles.own import Takes, own_panel
from lstmcast.articles.runs import ExampleRun
from lstmcast.errors import UsageError
from lstmcast.training_config import require_torch
from lstmcast.util.config import is_whole


class Example(NamedTuple):
    """One example: the module and the function that hold it, what it predicts, in a few words, and
    what a reader's own data must be like."""

    module: str
    function: str
    predicts: str
    takes: Takes


EXAMPLES = {
    "airline": Example("airline", "run", "passengers, 43 months fed back", Takes(values=48)),
    "sine": Example("waves", "run_sine", "a sine, 200 steps fed back", Takes(values=600)),
    "beats": Example(
        "waves", "run_beats", "two waves added, 200 steps fed back", Takes(values=600)
    ),
    "sine-cosine": Example(
        "sine_cosine",
        "run",
        "a sine and a cosine, 20 steps fed back",
        Takes(values=160, fewest=2, most=None, together=True),
    ),
    "stocks": Example(
        "stocks",
        "run",
        "400 prices, the next tick, learned online",
        Takes(values=200, most=None, prices=True),
    ),
    "temperature": Example("temperature", "run", "temperature, five steps ahead", Takes(values=60)),
}


class Request(NamedTuple):
    """How examples are to be run."""

    faithful: bool = False
    seed: int = 0
    seeds: int | None = None
    epochs: int | None = None
    device: str = "cpu"
    language: str = "en"
    quiet: bool = False

    def check(self) -> None:
        """UsageError for invalid numbers, or a device that is not there."""
        if not is_whole(self.seed, 0):
            raise UsageError(f"seed must be a whole number of at least 0, got {self.seed}.")
        for name, number in (("seeds", self.seeds), ("epochs", self.epochs)):
            if number is not None and not is_whole(number, 1):
                raise UsageError(f"{name}={number} must be a whole number of at least 1.")
        require_torch()
        from lstmcast.training.fitting import check_device

        check_device(self.device)


def run(
    name: str,
    *,
    data: object = None,
    column: str | Sequence[str] | None = None,
    time: str | None = None,
    faithful: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int | None = None,
    epochs: int | None = None,
    device: str = "cpu",
    language: str = "en",
    quiet: bool = False,
) -> list[Measure]:
    """Run an example: what it leaves behind goes to the folder `out`, "lstmcast-NAME" unless given.

    An interrupted run resumes.

    Args:
        name: One of EXAMPLES.
        data: Your own series in the place of the example's: a Panel, or what `lstmcast.read` reads.
        column: The column of the data to learn from, or several, where there is a choice.
        time: The column with the times; "index" numbers the rows.
        faithful: With the article's sizes, optimiser, epochs and initialisers rather than this
            package's own.
        out: The folder that is filled.
        seed: Random seed.
        seeds: So many runs, with this seed and those that follow it, each in a folder of its own;
            measures are medians then, with their range.
        epochs: Train for so many at most, instead of the example's own number.
        device: "cpu" or "cuda", for training.
        language: "en" or "ja", of the pictures.
        quiet: Whether nothing is printed.

    Raises:
        UsageError: The name, a number or the device is not known.
        DataError: The data cannot be read, or are not what this example learns from.
        OutputError: Nothing can be written there.
        MissingExtraError: PyTorch is not installed.
    """
    example = _example(name)
    asked = Request(faithful, seed, seeds, epochs, device, language, quiet)
    asked.check()
    own = own_panel(name, example.takes, data, column, time)
    to = _begun(name, out, asked, own)
    measures = _run_once(example, to, asked) if seeds is None else _run_seeds(name, to, asked, own)
    to.finish({name: measures})
    return measures


def run_all(
    *,
    faithful: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int | None = None,
    epochs: int | None = None,
    device: str = "cpu",
    language: str = "en",
    quiet: bool = False,
) -> dict[str, list[Measure]]:
    """Run every example, each into a folder of its name in `out`, "lstmcast-all" unless given:
    measures by name.

    `summary.csv` in that folder has the measures of all. If it was interrupted, examples that had
    ended are not run again. Arguments and errors as of `run`.
    """
    asked = Request(faithful, seed, seeds, epochs, device, language, quiet)
    asked.check()
    to = _begun("all", out, asked)
    done: dict[str, list[Measure]] = {}
    for name in EXAMPLES:

        def run_it(name: str = name) -> list[Measure]:
            to.say(f"── {name}")
            return run(name, out=to.folder / name, **asked._asdict())

        done[name] = _once(to, name, run_it)
    to.finish(done)
    return done


def _run_once(example: Example, to: ExampleRun, asked: Request) -> list[Measure]:
    found = getattr(_module(example), example.function)(to, asked.faithful, asked.seed)
    return [row._replace(value=float(row.value), seconds=float(row.seconds)) for row in found]


def _run_seeds(name: str, to: ExampleRun, asked: Request, own: Any) -> list[Measure]:
    """One run for each seed, into a folder of its own: medians, and ranges."""
    runs = []
    for seed in range(asked.seed, asked.seed + (asked.seeds or 1)):

        def run_it(seed: int = seed) -> list[Measure]:
            to.say(f"── seed {seed}")
            one = asked._replace(seed=seed, seeds=None)
            return run(name, data=own, out=to.folder / f"seed{seed}", **one._asdict())

        runs.append(_once(to, f"seed{seed}", run_it))
    return over_seeds(runs)


def _once(to: ExampleRun, name: str, run_it: Callable[[], list[Measure]]) -> list[Measure]:
    """What was measured; where an interrupted run has done it before, it is not done again."""
    known = to.checkpoints / f"{name}.json"
    if not known.exists():
        known.write_text(json.dumps(run_it()), encoding="utf-8")
    return [Measure(*row) for row in json.loads(known.read_text(encoding="utf-8"))]


Table = tuple[list[str], list[list[str]]]


TEXTS = ("example", "predicted", "measure")  # columns of these tables that are no numbers


def measured(measures: Sequence[Measure]) -> Table:
    """Header and rows of a table of measures: what was measured, value, seconds."""
    several = any(m.seeds > 1 for m in measures)
    return ["measure", *_header(several)], [[m.measure, *_numbers(m, several)] for m in measures]


def compared(done: Mapping[str, Sequence[Measure]]) -> Table:
    """Header and rows of the comparison of all examples: name, what was predicted, error,
    seconds."""
    first = {name: found[0] for name, found in done.items() if found}
    several = any(m.seeds > 1 for m in first.values())
    rows = [
        [name, EXAMPLES[name].predicts, *_numbers(measure, several)]
        for name, measure in first.items()
    ]
    return ["example", "predicted", "error", *_header(several)[1:]], rows


def _header(several: bool) -> list[str]:
    return ["value", *(["lowest", "highest"] if several else []), "seconds"]


def _numbers(measure: Measure, several: bool) -> list[str]:
    values = [measure.value]
    if several:
        values += [
            measure.value if end is None else end for end in (measure.lowest, measure.highest)
        ]
    shown = [f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}" for value in values]
    return [*shown, f"{measure.seconds:.1f}"]


def _begun(name: str, out: str | Path | None, asked: Request, own: Any = None) -> ExampleRun:
    """The run that fills a folder; every wrong word is found before anything is written."""
    japanese = getattr(_module(EXAMPLES[name]), "JAPANESE", {}) if name in EXAMPLES else {}
    to = ExampleRun(
        out or f"lstmcast-{name}",
        example=name,
        mode="faithful" if asked.faithful else "default",
        seed=asked.seed,
        seeds=asked.seeds,
        epochs=asked.epochs,
        device=asked.device,
        own=own,
        quiet=asked.quiet,
        language=asked.language,
        japanese=japanese,
    )
    if to.resumed:
        to.say(f"note: the interrupted run in {to.folder} continues")
    return to


def _module(example: Example) -> Any:
    return import_module(f"{__name__}.{example.module}")


def _example(name: str) -> Example:
    if name not in EXAMPLES:
        raise UsageError(
            f"example {name!r} is not known. Choose one of: {', '.join(EXAMPLES)}, all."
        )
    return EXAMPLES[name]
