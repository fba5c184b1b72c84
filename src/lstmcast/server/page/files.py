"""The files that a browser loads for the page: no other path leads to the disk, and nothing is
loaded from other sites."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lstmcast.output import report
from lstmcast.output.report import PLOTLY, in_words, script_words
from lstmcast.output.report_charts import PLOTLY_VERSION
from lstmcast.util.html import script_data
from lstmcast.util.language import words_of

HERE = Path(__file__).parent / "static"
OUTPUT = Path(report.__file__).parent
PLOTLY_NAME = f"plotly-{PLOTLY_VERSION}.js"
MODULES = (
    "api.js",
    "app.js",
    "compare.js",
    "dom.js",
    "options.js",
    "plans.js",
    "result.js",
    "streams.js",
    "training.js",
)
SCRIPT, STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
# Everything is loaded from this server, and no text of a table can run as a script.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class File(NamedTuple):
    """Bytes with a content type, an ETag that changes with them, and whether they are gzipped."""

    content: bytes
    kind: str
    mark: str
    packed: bool = False


def _file(content: bytes, kind: str, packed: bool = False) -> File:
    return File(content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"', packed)


@cache
def static_files() -> dict[str, File]:
    """All files by name."""
    files = {name: _file((HERE / name).read_bytes(), SCRIPT) for name in MODULES}
    files["charts.js"] = _file((OUTPUT / "charts.js").read_bytes(), SCRIPT)
    files["report.css"] = _file((OUTPUT / "report.css").read_bytes(), STYLE)
    files["page.css"] = _file((HERE / "page.css").read_bytes(), STYLE)
    files["icon.svg"] = _file((HERE / "icon.svg").read_bytes(), "image/svg+xml")
    files[PLOTLY_NAME] = _file((OUTPUT / PLOTLY).read_bytes(), SCRIPT, packed=True)
    return files


def unpacked(file: File) -> bytes:
    """The bytes for a browser that does not accept gzip."""
    return gzip.decompress(file.content) if file.packed else file.content


@cache
def page_of(language: str) -> File:
    """The page itself in a language, with the texts that its scripts need."""
    words = words_of(language)
    page = in_words((HERE / "index.html").read_text("utf-8"), words)
    scripts = "".join(
        file.content.decode()
        for name, file in static_files().items()
        if file.kind == SCRIPT and not file.packed
    )
    data = script_data(script_words(scripts, words))
    for place, text in {
        "language": language,
        "words": data,
        "plotly": PLOTLY_NAME,
    }.items():
        page = page.replace(f"${place}", text)
    return _file(page.encode(), "text/html; charset=utf-8")
