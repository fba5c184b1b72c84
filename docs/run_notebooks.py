"""Make the notebooks of docs/notebooks from their sources: run them, and keep what they show.

    python docs/run_notebooks.py                          # all of them: `make notebooks`
    python docs/run_notebooks.py docs/notebooks/sine.py   # some

A source is a Python file in cells, each after a line `# %%`, as jupytext, VS Code and Spyder read
it too; a cell of text starts with `# %% [markdown]`. A cell called `settings` holds the settings of
the example of that article: it is written here from `lstmcast.articles`, so that both say the same.

The cells run in this process, as in Jupyter: what a cell prints, the value of its last expression
and the figures that it draws are its output. The file is the same whenever the numbers are: fixed
ids, no times, no names of folders. The tests run the same functions with less training.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import nbformat
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import lstmcast as lc
from lstmcast.articles import airline, sine_cosine, stocks, temperature, waves
from lstmcast.data.examples import airline as airline_series

FOLDER = Path(__file__).resolve().parent / "notebooks"
BORDER = re.compile(r"^# %%[^\S\n]*(.*)\n", re.MULTILINE)
TEXT, SETTINGS = "[markdown]", "settings"
# fields of settings that are written even where they are the default, and those without their name
STATED = {
    lc.TrainingConfig: {"epochs", "batch_size"},
    lc.Optimiser: {"name", "learning_rate"},
}
BARE = {"name", "kind", "length", "lag", "decay"}
DPI = 72
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class Cell(NamedTuple):
    """A cell of a source: what stands after `# %%`, and its text without the comment signs, or its
    code."""

    kind: str
    body: str


# ---------------------------------------------------------------- sources


def sources() -> list[Path]:
    """The notebooks' sources."""
    return sorted(FOLDER.glob("*.py"))


def cells_of(source: str) -> list[Cell]:
    """The cells of a source.

    >>> cells_of("# %% [markdown]\\n# Two\\n\\n# %%\\n1 + 1\\n")
    [Cell(kind='[markdown]', body='Two'), Cell(kind='', body='1 + 1')]
    """
    before, *parts = BORDER.split(source)
    if before.strip():
        raise ValueError(
            f"A source starts with a line `# %%`, not with {before[:40]!r}."
        )
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [
        Cell(kind, _plain(body) if kind == TEXT else body.strip())
        for kind, body in pairs
    ]


def _plain(comment: str) -> str:
    """Text that stands in a source as a comment."""
    return re.sub(r"^# ?", "", comment.strip(), flags=re.MULTILINE)


# ---------------------------------------------------------------- settings


def _of(forecaster: lc.LSTMForecaster) -> dict[str, Any]:
    given = forecaster.specification
    return {"network": given.network, "training": given.training}


def _airline() -> dict[str, Any]:
    """The choices as tables: what differs from one to the other."""
    series = airline_series()
    months = len(series.values) - airline.HELD_BACK
    choices = airline.own_choices(series)
    forecasters = {
        name: _of(choice.forecaster(0, months)) for name, choice in choices.items()
    }
    trainings = {name: each["training"] for name, each in forecasters.items()}
    return {
        "networks": {name: each["network"] for name, each in forecasters.items()},
        "windows": {name: each.batching for name, each in trainings.items()},
        "epochs": {name: each.epochs for name, each in trainings.items()},
        "training": airline.OWN_TRAINING,
    }


def _stocks() -> dict[str, Any]:
    ours = stocks.OURS
    network = lc.NetworkConfig(
        ours.layers,
        inputs=lc.Running("returns"),
        head="point",
        horizon=1,
        cell=ours.cell,
    )
    return {"network": network, "learning": ours.learning}


# What the cell called settings of each notebook holds, by the names that it gives them.
ARTICLES: dict[str, Callable[[], dict[str, Any]]] = {
    "airline": _airline,
    "sine": lambda: {**_of(waves.our_own(seed=0)), "epochs": waves.EPOCHS},
    "sine-cosine": lambda: _of(sine_cosine.our_own(seed=0)),
    "stocks": _stocks,
    "temperature": lambda: temperature.settings(False, temperature.MANY)._asdict(),
}


def with_settings(source: str, named: dict[str, Any]) -> str:
    """A source whose cell of settings holds these."""
    code = formatted(
        "".join(f"{name} = {written(value)}\n" for name, value in named.items())
    )
    cell = re.compile(rf"^# %% {SETTINGS}\n.*?(?=^# %%|\Z)", re.MULTILINE | re.DOTALL)
    return cell.sub(lambda _: f"# %% {SETTINGS}\n{code}\n", source)


def written(value: Any) -> str:
    """Settings as code that makes them, most defaults left out.

    >>> written(lc.Optimiser("adam", 0.005, schedule=lc.Schedule("cosine")))
    "lc.Optimiser('adam', learning_rate=0.005, schedule=lc.Schedule('cosine'))"
    >>> written(lc.Transformed(lc.Log1p(), lc.Difference(12)))
    'lc.Transformed(lc.Log1p(), lc.Difference(12))'
    """
    code = _written(value)
    if eval(code, {"lc": lc}) != value:
        raise ValueError(
            f"{value!r} cannot be written as code: {code} is something else."
        )
    return code


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_written(one)}' for key, one in value.items())}}}"
    if isinstance(value, lc.Transformed):
        chain = value.transforms.chain
        steps = [_written(step) for step in (chain.steps if chain else ())]
        steps += [f"columns={value.columns}"] if value.columns > 1 else []
        return f"lc.Transformed({', '.join(steps)})"
    if not is_dataclass(value):
        return repr(value)
    first = fields(value)[0].name
    arguments = [
        _written(one) if name == first and name in BARE else f"{name}={_written(one)}"
        for name, one in _needed(value).items()
    ]
    return f"lc.{type(value).__name__}({', '.join(arguments)})"


def _needed(value: Any) -> dict[str, Any]:
    """The fields that are always stated, and those without which it would be another."""
    needed = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
    for name in needed.keys() - STATED.get(type(value), set()):
        others = {other: one for other, one in needed.items() if other != name}
        with contextlib.suppress(Exception):  # a field that has to be there
            if type(value)(**others) == value:
                needed = others
    return needed


def formatted(code: str) -> str:
    """Code as the linter wants it."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--stdin-filename",
        str(FOLDER / "a.py"),
        "-",
    ]
    return subprocess.run(
        command, input=code, text=True, capture_output=True, check=True
    ).stdout


# ---------------------------------------------------------------- running


def executed(name: str, cells: list[Cell]) -> nbformat.NotebookNode:
    """The notebook of these cells, run in the current folder. Raises what a cell raises."""
    names: dict[str, Any] = {"__name__": "__main__"}
    made, count = [], 0
    with matplotlib.rc_context(), patch.object(plt, "show", lambda: None):
        for number, cell in enumerate(cells, start=1):
            identity = f"{name}-{number:02}"
            if cell.kind == TEXT:
                made.append(new_markdown_cell(cell.body, id=identity))
                continue
            count += 1
            outputs = _outputs(f"{name}, cell {number}", cell.body, names, count)
            made.append(
                new_code_cell(
                    cell.body, id=identity, execution_count=count, outputs=outputs
                )
            )
    return new_notebook(cells=made, metadata=METADATA)


def _outputs(where: str, code: str, names: dict[str, Any], count: int) -> list[Any]:
    """What a cell prints, draws and ends with."""
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            value = run(where, code, names)
        pictures = list(_pictures())
    except Exception as error:
        error.add_note(f"in {where}")
        raise
    finally:
        plt.close("all")
    text = printed.getvalue()
    streams = [new_output("stream", name="stdout", text=text)] if text else []
    results = [] if value is None else [_result(value, count)]
    return [*streams, *results, *pictures]


def run(where: str, code: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last expression, if that is its end."""
    body, last = ast.parse(code).body, None
    if body and isinstance(body[-1], ast.Expr):
        body, last = body[:-1], body[-1].value
    exec(compile(ast.Module(body, []), where, "exec"), names)
    return eval(compile(ast.Expression(last), where, "eval"), names) if last else None


def _result(value: Any, count: int) -> Any:
    """A value as a notebook shows it."""
    data = _picture(value) if isinstance(value, Figure) else {"text/plain": repr(value)}
    if not isinstance(value, Figure) and hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_()
    return new_output("execute_result", data, execution_count=count)


def _pictures() -> Iterator[Any]:
    """The figures that were drawn since the last cell."""
    for number in plt.get_fignums():
        yield new_output("display_data", _picture(plt.figure(number)))


def _picture(figure: Figure) -> dict[str, str]:
    file = io.BytesIO()
    # the version of matplotlib would be in the file
    figure.savefig(file, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    width, height = figure.get_size_inches()
    image = base64.b64encode(file.getvalue()).decode()
    return {
        "image/png": image,
        "text/plain": f"<Figure of {width:g} × {height:g} inches>",
    }


def main(chosen: list[str]) -> None:
    """Write the settings into the sources, run them, and write the notebooks beside them."""
    paths = [Path(name).resolve() for name in chosen] or sources()
    for path in paths:
        if path.suffix != ".py" or path.stem not in ARTICLES:
            known = ", ".join(f"{name}.py" for name in ARTICLES)
            raise SystemExit(
                f"{path.name} is the source of no notebook. These are: {known}."
            )
    for path in paths:
        source = with_settings(path.read_text(encoding="utf-8"), ARTICLES[path.stem]())
        path.write_text(source, encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            notebook = executed(path.stem, cells_of(source))
        nbformat.validate(notebook)
        target = path.with_suffix(".ipynb")
        target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
