"""The systems of five published tutorials, written on the public API: `lstmcast example NAME`."""

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
from lstmcast.util.spelling import did_you_mean


class Example(NamedTuple):
    """One example: its module and function, what it predicts in a few words, and the requirements
    on the reader's own data."""

    module: str
    function: str
    predicts: str
    takes: Takes


EXAMPLES = {
    "airline": Example(
        "airline", "run", "passengers, 43 months fed back", Takes(values=48)
    ),
    "sine": Example(
        "waves", "run_sine", "a sine, 200 steps fed back", Takes(values=600)
    ),
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
    "temperature": Example(
        "temperature", "run", "temperature, five steps ahead", Takes(values=60)
    ),
}


class Request(NamedTuple):
    """How to run examples."""

    faithful: bool = False
    seed: int = 0
    seeds: int | None = None
    epochs: int | None = None
    device: str = "cpu"
    language: str = "en"
    quiet: bool = False

    def check(self) -> None:
        """Raise UsageError for invalid numbers, or a device that is not available."""
        if not is_whole(self.seed, 0):
            raise UsageError(
                f"seed must be a whole number of at least 0, got {self.seed}."
            )
        for name, number in (("seeds", self.seeds), ("epochs", self.epochs)):
            if number is not None and not is_whole(number, 1):
                raise UsageError(
                    f"{name}={number} must be a whole number of at least 1."
                )
        require_torch()
        from lstmcast.training.environment import check_device

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
    """Run an example and write its results into the folder `out`, by default "lstmcast-NAME".

    An interrupted run resumes.

    Args:
        name: One of EXAMPLES.
        data: Your own series instead of the example's: a Panel, or what `lstmcast.read` reads.
        column: The column of the data to learn from, or several, if there is a choice.
        time: The column with the times; "index" numbers the rows.
        faithful: Whether to use the article's sizes, optimiser, epochs and initialisers instead of
            this package's own.
        out: Folder for the results.
        seed: Random seed.
        seeds: Number of runs, with this seed and the following ones, each in its own folder; the
            measures are then medians, with their range.
        epochs: Maximum number of epochs, instead of the example's own.
        device: "cpu" or "cuda", for training.
        language: Language of the pictures, "en" or "ja".
        quiet: Whether to print nothing.

    Raises:
        UsageError: The name, a number or the device is invalid.
        DataError: The data cannot be read, or the example cannot learn from them.
        OutputError: The folder cannot be written.
        MissingExtraError: PyTorch is not installed.
    """
    takes = _example(name).takes
    request = Request(faithful, seed, seeds, epochs, device, language, quiet)
    request.check()
    own_data = own_panel(name, takes, data, column, time)
    to = _begun(name, out, request, own_data)
    run_it = _run_once if seeds is None else _run_seeds
    measures = run_it(name, to, request, own_data)
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
    """Run every example, each into its own folder in `out` (by default "lstmcast-all"), and return
    the measures by name.

    `summary.csv` in `out` has the measures of all examples. An interrupted run does not repeat
    finished examples. Arguments and errors are those of `run`.
    """
    request = Request(faithful, seed, seeds, epochs, device, language, quiet)
    request.check()
    to = _begun("all", out, request)
    by_example: dict[str, list[Measure]] = {}
    for name in EXAMPLES:

        def run_it(name: str = name) -> list[Measure]:
            to.say(f"── {name}")
            return run(name, out=to.folder / name, **request._asdict())

        by_example[name] = _once(to, name, run_it)
    to.finish(by_example)
    return by_example


def _run_once(name: str, to: ExampleRun, request: Request, _: Any) -> list[Measure]:
    example = _example(name)
    function = getattr(_module(example), example.function)
    measures = function(to, request.faithful, request.seed)
    return [
        row._replace(value=float(row.value), seconds=float(row.seconds))
        for row in measures
    ]


def _run_seeds(
    name: str, to: ExampleRun, request: Request, own_data: Any
) -> list[Measure]:
    """Run once for each seed, each into its own folder; the measures are medians with ranges."""
    runs = []
    for seed in range(request.seed, request.seed + (request.seeds or 1)):

        def run_it(seed: int = seed) -> list[Measure]:
            to.say(f"── seed {seed}")
            single = request._replace(seed=seed, seeds=None)
            return run(
                name, data=own_data, out=to.folder / f"seed{seed}", **single._asdict()
            )

        runs.append(_once(to, f"seed{seed}", run_it))
    return over_seeds(runs)


def _once(
    to: ExampleRun, name: str, run_it: Callable[[], list[Measure]]
) -> list[Measure]:
    """The measures of a run, which is not repeated if an earlier, interrupted one finished it."""
    saved = to.checkpoints / f"{name}.json"
    if not saved.exists():
        saved.write_text(json.dumps(run_it()), encoding="utf-8")
    return [Measure(*row) for row in json.loads(saved.read_text(encoding="utf-8"))]


Table = tuple[list[str], list[list[str]]]


TEXTS = ("example", "predicted", "measure")  # columns of these tables that hold text


def measured(measures: Sequence[Measure]) -> Table:
    """The header and rows of a table of measures: what was measured, value, seconds."""
    has_range = any(measure.seeds > 1 for measure in measures)
    header = ["measure", *_header(has_range)]
    return header, [
        [measure.measure, *_numbers(measure, has_range)] for measure in measures
    ]


def compared(by_example: Mapping[str, Sequence[Measure]]) -> Table:
    """The header and rows of the comparison of all examples: name, what was predicted, error,
    seconds."""
    first = {name: measures[0] for name, measures in by_example.items() if measures}
    has_range = any(measure.seeds > 1 for measure in first.values())
    rows = []
    for name, measure in first.items():
        rows.append([name, EXAMPLES[name].predicts, *_numbers(measure, has_range)])
    _, *columns = _header(has_range)
    return ["example", "predicted", "error", *columns], rows


def _header(has_range: bool) -> list[str]:
    return ["value", *(["lowest", "highest"] if has_range else []), "seconds"]


def _numbers(measure: Measure, has_range: bool) -> list[str]:
    value = measure.value
    texts = [_text(value)]
    if has_range:
        lowest = value if measure.lowest is None else measure.lowest
        highest = value if measure.highest is None else measure.highest
        texts += [_text(lowest), _text(highest)]
    return [*texts, f"{measure.seconds:.1f}"]


def _text(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _begun(
    name: str, folder: str | Path | None, request: Request, own_data: Any = None
) -> ExampleRun:
    """The run that fills a folder; invalid arguments are found before anything is written."""
    japanese = {}
    if name in EXAMPLES:
        japanese = getattr(_module(EXAMPLES[name]), "JAPANESE", {})
    mode = "faithful" if request.faithful else "default"
    to = ExampleRun(
        folder or f"lstmcast-{name}",
        example=name,
        mode=mode,
        seed=request.seed,
        seeds=request.seeds,
        epochs=request.epochs,
        device=request.device,
        own=own_data,
        quiet=request.quiet,
        language=request.language,
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
            f"example {name!r} is not known.{did_you_mean(name, EXAMPLES)} Choose one of: "
            f"{', '.join(EXAMPLES)}, all."
        )
    return EXAMPLES[name]
