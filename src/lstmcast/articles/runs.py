"""What the examples share: a folder for the results of a run, a log, progress, pictures, tables,
measures.

An example is a function of an `ExampleRun`, of whether it follows its article faithfully, and of a
seed:

    def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]

It gets its series from `to.panel`, reports what it does with `to.say`, trains with `to.fit`, which
also writes history.csv, and writes its results with `to.figure`, `to.table` and `to.model`. The
comparison of all examples shows the first measure.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.articles import recording
from lstmcast.articles.measures import SUMMARY, Measure, summary
from lstmcast.articles.own import fingerprint
from lstmcast.errors import OutputError, UsageError
from lstmcast.output.looks import AMBER, BLUE, FAINT, GRID, INK
from lstmcast.util.files import output_errors, require_writable, whole_file
from lstmcast.util.fonts import fonts_with
from lstmcast.util.language import LANGUAGES, Spoken, words_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lstmcast.data.panel import Panel
    from lstmcast.forecaster import LSTMForecaster

MARKER = "run.json"  # in the folder of checkpoints: identifies their run
PALETTE = (INK, BLUE, AMBER, "#2f8f5b", "#a23b72", "#6b7785")
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": FAINT,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "xtick.color": FAINT,
    "xtick.labelsize": 9,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.color": FAINT,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}


class ExampleRun:
    """One run of an example and the folder that it fills.

    `folder` is created if necessary; OutputError if nothing can be written there. If it holds
    checkpoints of the same run, the run continues from them, and `resumed` is true. `own`: the
    reader's series instead of the example's; `epochs`: instead of the example's number; `japanese`:
    Japanese texts of the pictures by their English ones, for `language="ja"`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     to = ExampleRun(place, quiet=True)
    ...     to.say("Two rows.")
    ...     _ = to.table("rows", {"step": np.arange(2), "error": np.array([0.5, 0.25])})
    ...     print((to.folder / "rows.csv").read_text(), (to.folder / "log.txt").read_text(), sep="")
    step,error
    0,0.5
    1,0.25
    Two rows.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        example: str = "",
        mode: str = "default",
        seed: int = 0,
        quiet: bool = False,
        language: str = "en",
        japanese: Mapping[str, str] | None = None,
        own: Panel | None = None,
        epochs: int | None = None,
        device: str = "cpu",
        seeds: int | None = None,
    ) -> None:
        self._texts = _translations(language, japanese or {})
        self._words = words_of(language)
        self.own = own
        self.epochs = epochs
        self.device = device
        self._histories: list[recording.Columns] = []
        self._updates: list[recording.Columns] = []
        self.folder, self.quiet, self.began = Path(folder), quiet, time.perf_counter()
        self.checkpoints = self.folder / "checkpoints"
        self._refuse_others()
        with output_errors(folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            require_writable(self.folder)
        self._of = {"example": example, "mode": mode, "seed": seed, "seeds": seeds}
        self._of |= {"epochs": epochs, "data": fingerprint(own)}
        self.resumed = self._take_up()
        if not self.resumed:
            self._write_log("", "w")
        if language == "ja" and japanese and not self._texts:
            self.say(_NO_FONT)

    @property
    def seconds(self) -> float:
        """The seconds since the run began."""
        return time.perf_counter() - self.began

    def say(self, text: str) -> None:
        """Log a line in English and, unless the run is quiet, print it in the run's language."""
        if not self.quiet:
            sys.stdout.write(self._words(text) + "\n")
            sys.stdout.flush()
        self.log(text)

    def _spoken(self) -> Any:
        """Standard error, in the language of the run."""
        return Spoken(sys.stderr, self._words)

    def log(self, text: str) -> None:
        """Write a line to log.txt only."""
        self._write_log(text + "\n")

    def text(self, english: str) -> str:
        """The text in the language of the pictures."""
        return self._texts.get(english, english)

    def panel(self, example_panel: Callable[[], Panel]) -> Panel:
        """The reader's own series, or else those that the example makes; reports which."""
        panel = example_panel() if self.own is None else self.own
        self.say(str(panel))
        return panel

    def callbacks(
        self, every: int = 1, printed: bool = False
    ) -> list[Callable[[Any], Any]]:
        """Callbacks of a fit: they log every n-th epoch as a row, and show progress on standard
        error unless the run is quiet; with `printed`, rows on standard output instead."""
        from lstmcast.training.callbacks import PrintTable, ProgressLine

        log = _Log(self._write_log)
        table = PrintTable(log, every)  # pyright: ignore[reportArgumentType]
        if self.quiet:
            return [table, log]
        printer = PrintTable(every=every) if printed else ProgressLine(self._spoken())
        return [printer, table, log]

    def fit(
        self,
        forecaster: LSTMForecaster,
        data: Any,
        name: str = "",
        callbacks: Sequence[Callable[[Any], Any]] = (),
        *,
        metrics: recording.Metrics | None = None,
        updates: bool = False,
        printed: bool = False,
    ) -> LSTMForecaster:
        """A fitted copy of the forecaster, resumed from the checkpoints that an interrupted run
        left under this `name`.

        Each epoch is a row of history.csv, with the `metrics` of the network after it. With
        `updates`, the loss of each update is a row of updates.csv; with `printed`, each epoch is a
        printed row instead of a progress line. Raises KeyboardInterrupt if Ctrl-C stopped it: the
        same command then continues from there.
        """
        from lstmcast.training_config import require_torch

        require_torch()
        name = name or "fit"
        recorder = recording.Recorder(
            self.checkpoints / f"{name}.epochs", metrics or {}, updates=updates
        )
        fitted = self._of_so_many_epochs(forecaster).fit(
            data,
            folder=self.checkpoints / name,
            resume=True,
            device=self.device,
            callbacks=[
                *self.callbacks(printed=printed),
                *recorder.callbacks,
                *callbacks,
            ],
        )
        record = fitted.record
        assert record is not None  # the forecaster was fitted
        self._write_history(name, fitted, recorder)
        for note in record.notes:
            self.say(f"note: {note}")
        if record.interrupted:
            raise KeyboardInterrupt
        return fitted

    def _of_so_many_epochs(self, forecaster: LSTMForecaster) -> LSTMForecaster:
        """An unfitted copy with the requested number of epochs."""
        if self.epochs is None:
            return forecaster.unfitted()
        return forecaster.replace(
            training=replace(forecaster.training, epochs=self.epochs)
        )

    def _write_history(
        self, name: str, fitted: LSTMForecaster, recorder: recording.Recorder
    ) -> None:
        """Write history.csv, and updates.csv if there are any, of all networks so far."""
        columns = recording.epoch_columns(name, fitted.history, recorder)
        self._histories.append(recording.with_roots(columns, fitted.training))
        self.table("history", recording.joined(self._histories))
        if recorder.updates:
            self._updates.append(recording.update_columns(name, recorder))
            self.table("updates", recording.joined(self._updates))

    def saved_networks(self, name: str) -> Path:
        """A folder for callbacks that save networks; networks of an earlier run are removed unless
        this one continues it."""
        folder = self.folder / name
        if not self.resumed and folder.is_dir():
            with output_errors(folder):
                for saved in filter(store.is_store, list(folder.iterdir())):
                    shutil.rmtree(saved)
        return folder

    @contextmanager
    def figure(
        self, name: str, size: tuple[float, float] = (10.0, 5.0)
    ) -> Iterator[Figure]:
        """A matplotlib Figure that is saved as folder/name.png; axes with labels get a legend if
        they have none."""
        import matplotlib
        from cycler import cycler
        from matplotlib.figure import Figure

        style: Any = {**STYLE, "axes.prop_cycle": cycler(color=PALETTE)}
        # Japanese fonts seldom have a bold face, and bold digits among plain letters look wrong
        if self._texts:
            style["figure.titleweight"] = "normal"
        with (
            matplotlib.rc_context(style),
            fonts_with(set().union(*self._texts.values())),
        ):
            figure = Figure(figsize=size, layout="constrained")
            yield figure
            for ax in figure.axes:
                if ax.get_legend() is None and ax.get_legend_handles_labels()[1]:
                    ax.legend()
            with whole_file(self.folder / f"{name}.png") as temporary:
                figure.savefig(temporary, format="png", dpi=120)

    def table(self, name: str, columns: Mapping[str, NDArray | Sequence[Any]]) -> Path:
        """Write equally long columns as folder/name.csv."""
        from lstmcast.writing.tables import write_table

        return write_table(
            {key: _column(values) for key, values in columns.items()},
            self.folder / f"{name}.csv",
        )

    def model(self, forecaster: LSTMForecaster, data: Any = None) -> Path:
        """Save a forecaster as folder/model, for `lstmcast predict` and `lstmcast info`.

        `data`: the data after which its next forecast begins, if they are not its training data.
        """
        forecaster.save(self.folder / "model", data)
        return self.folder / "model"

    def finish(self, by_example: Mapping[str, Sequence[Measure]]) -> None:
        """Write summary.csv with the measures of each example, and remove the checkpoints."""
        self.table("summary", summary(by_example, self._of["mode"]))
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def _refuse_others(self) -> None:
        """Raise OutputError for a folder with files that are not an example's: they could be
        overwritten."""
        with output_errors(self.folder):
            names = (
                [path.name for path in self.folder.iterdir()]
                if self.folder.is_dir()
                else []
            )
            ended = "summary.csv" in names and _first_line(
                self.folder / "summary.csv"
            ).startswith(",".join(SUMMARY))
        is_ours = (self.checkpoints / MARKER).exists() or (
            ended and self.checkpoints.name not in names
        )
        if names and not is_ours:
            raise OutputError(
                f"{str(self.folder)!r} has other things in it ({', '.join(sorted(names)[:3])}). "
                "An example needs its own folder: name an empty or a new one with --out."
            )

    def _take_up(self) -> bool:
        """Whether there are checkpoints of this run; those of another run are removed."""
        marker = self.checkpoints / MARKER
        with output_errors(self.checkpoints):
            if (
                marker.exists()
                and json.loads(marker.read_text(encoding="utf-8")) == self._of
            ):
                return True
            shutil.rmtree(self.checkpoints, ignore_errors=True)
            self.checkpoints.mkdir()
            marker.write_text(json.dumps(self._of), encoding="utf-8")
        return False

    def _write_log(self, text: str, mode: str = "a") -> None:
        with (
            output_errors(self.folder / "log.txt"),
            open(self.folder / "log.txt", mode, encoding="utf-8") as log,
        ):
            log.write(text)


class _Log:
    """The part of a stream that PrintTable needs, and a callback that closes it.

    Rows are written together, once a second: opening the file for each epoch of a small network
    would take a twentieth of the epoch's time.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._waiting, self._written = write, "", time.monotonic()

    def write(self, text: str) -> None:
        """Keep a text until the next write."""
        self._waiting += text

    def __call__(self, report: Any) -> None:
        """Write waiting rows if a second has passed."""
        if time.monotonic() - self._written > 1.0:
            self.close()

    def close(self) -> None:
        """Write waiting rows."""
        self._write(self._waiting)
        self._waiting, self._written = "", time.monotonic()


_NO_FONT = (
    "note: no installed font has Japanese letters, so the plots are in English. Install one with "
    "pip install 'lstmcast[ja]', or a system font such as Noto Sans CJK."
)


def _translations(language: str, japanese: Mapping[str, str]) -> dict[str, str]:
    """The texts of the pictures in Japanese; empty if English is wanted, or if no font has the
    characters."""
    if language not in LANGUAGES:
        languages = ", ".join(LANGUAGES)
        raise UsageError(
            f"language={language!r} is not known. Choose one of: {languages}."
        )
    if language == "en":
        return {}
    with fonts_with(set().union(*japanese.values())) as missing:
        return {} if missing else dict(japanese)


def _first_line(path: Path) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.readline().strip()


def _column(values: NDArray | Sequence[Any]) -> NDArray:
    column = np.asarray(values)
    kinds = {"U": object, "M": "datetime64[us]"}  # types that the table writer accepts
    return column.astype(kinds.get(column.dtype.kind, column.dtype))
