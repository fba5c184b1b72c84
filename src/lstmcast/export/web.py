"""A page that forecasts a pasted table in the browser, as a single self-contained file.

Its JavaScript, in `page/`, computes what `LSTMForecaster(horizon).predict` does for one series,
with the weights of the shipped network. The files are modules, which Node.js loads in the tests;
here they are joined into one script for the kernel and one for the page.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from string import Template

import numpy as np

from lstmcast._version import __version__
from lstmcast.data.examples import airline
from lstmcast.pretrained import WEIGHTS, shipped
from lstmcast.util.files import output_errors, whole_file

PAGE = Path(__file__).parent / "page"
NAME = "index.html"
# Modules in the order in which they are defined: each imports from those before it.
KERNEL = (
    "numbers",
    "context",
    "axis",
    "periods",
    "surprises",
    "widths",
    "tables",
    "seasons",
    "inputs",
    "network",
    "regression",
    "year",
    "decoding",
    "rates",
    "bounds",
    "linear",
    "candidates",
    "combination",
    "few",
    "rare",
    "calibration",
    "weekdays",
    "recurrence",
    "stuck",
    "forecast",
)
APP = ("numbers", "times", "csv", "chart", "words", "compute", "app")


def web_page() -> str:
    """The page, including the weights.

    >>> page = web_page()
    >>> page.startswith("<!doctype html>"), len(page) < 2_000_000
    (True, True)
    """
    kernel = joined(KERNEL, ("Network", "weightsIn", "forecast", "panelOf"))
    app = joined(APP, ("start", "computing"))
    return Template(_text("page.html")).substitute(
        style=_text("page.css"),
        kernel=f"const kernel = {kernel};",
        weights=base64.b64encode(
            (WEIGHTS / "weights.safetensors").read_bytes()
        ).decode(),
        app=f"const app = {app};\n{_beginning()}",
        version=__version__,
    )


def write_web_page(folder: str | Path) -> Path:
    """Write the page into a folder, created if necessary, and return its path."""
    with output_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    place = Path(folder) / NAME
    with whole_file(place) as unfinished:
        unfinished.write_text(web_page(), encoding="utf-8")
    return place


def joined(names: tuple[str, ...], exported: tuple[str, ...]) -> str:
    """Modules as one expression, whose value holds some of their exports."""
    scopes = "\n".join(_scope(name) for name in names)
    content = ", ".join(f"...{name}Module" for name in names)
    return (
        f"(() => {{\n{scopes}\nconst {{ {', '.join(exported)} }} = {{ {content} }};\n"
        + (f"return {{ {', '.join(exported)} }};\n}})()")
    )


def _scope(name: str) -> str:
    """A module as an immediately invoked function, so that its names stay local."""
    text = _text(f"{name}.mjs")
    text = re.sub(
        r'^import (\{[^}]+\}) from "\./(\w+)\.mjs";$',
        r"const \1 = \2Module;",
        text,
        flags=re.M,
    )
    exported = re.findall(
        r"^export (?:async )?(?:function|const|class) (\w+)", text, re.M
    )
    body = re.sub(r"^export ", "", text, flags=re.M)
    return f"const {name}Module = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();"


def _beginning() -> str:
    """The script that starts the page."""
    panel = airline()
    months = np.datetime_as_string(panel.times(0), unit="M")
    lines = [
        f"{month},{value:g}" for month, value in zip(months, panel.values, strict=True)
    ]
    example = "\n".join(["month,passengers", *lines])
    return (
        "const source = document.getElementById('kernel').textContent;\n"
        "const weights = document.getElementById('weights').textContent.trim();\n"
        f"const compute = app.computing(kernel, source, weights, {shipped().config.steps});\n"
        f"app.start(compute, {example!r});"
    )


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
