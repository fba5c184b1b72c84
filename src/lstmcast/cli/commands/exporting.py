"""The command `export`, which makes models usable in other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast._version import __version__
from lstmcast.cli import echo
from lstmcast.cli.options.common import Json, Quiet, named, refuse_idle
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.export.onnx import Exported


class Format(StrEnum):
    """What a model can be exported as."""

    ONNX = "onnx"
    WEB = "web"


class Part(StrEnum):
    """Which graph of a model."""

    NETWORK = "network"
    FORECASTER = "forecaster"


def export(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL|DIR",
            help="onnx: a saved model (default: the shipped network). web: the folder of the page.",
            parser=named,
        ),
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", metavar="onnx|web", help="Format to export.")
    ] = Format.ONNX,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            parser=named,
            help="Folder for the ONNX files (default: MODEL-onnx).",
        ),
    ] = None,
    part: Annotated[
        Part | None,
        typer.Option(
            "--part",
            metavar="network|forecaster",
            help="Write one graph only: the network, one step at a time, or the whole forecaster.",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Export a model for other programs.

    onnx: the network for one step, with its state as input and output, and the whole forecaster if
    its inputs can be a graph. Needs the extra `onnx`.

    web: a page that forecasts a pasted CSV offline in the browser with the shipped network.
    """
    if file_format is Format.WEB:
        _require_page(target, out, part)
        _export_page(target, as_json)
    else:
        _export_graphs(target, out, part, quiet, as_json)


def _require_page(target: Path | None, folder: Path | None, graph: Part | None) -> None:
    """Raise UsageError for options that a page does not use, or if no folder is named."""
    idle = [
        name
        for name, value in (("--out", folder), ("--part", graph))
        if value is not None
    ]
    refuse_idle(idle, "--format web writes a page. Name its folder: --format web DIR")
    if target is None:
        raise UsageError(
            "No folder is given for the page. Name one, for example: lstmcast export --format web "
            "demo"
        )


def _export_page(folder: Path | None, as_json: bool) -> None:
    from lstmcast.export.web import write_web_page

    assert folder is not None
    place = write_web_page(folder)
    size = place.stat().st_size
    if as_json:
        files = [{"path": str(place), "bytes": size}]
        echo.document(
            {"lstmcast": __version__, "format": Format.WEB.value, "files": files}
        )
        return
    echo.result(f"{place} ({size / 1e6:.2f} MB): open it in a browser")


def _export_graphs(
    model: Path | None,
    folder: Path | None,
    graph: Part | None,
    quiet: bool,
    as_json: bool,
) -> None:
    from lstmcast.export.onnx import known_of, to_onnx, why_not
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.loading import load

    forecaster = LSTMForecaster(1) if model is None else load(model)
    name = "lstmcast" if model is None else model.resolve().name
    target_folder = folder or Path(f"{name}-onnx")
    graph_name = graph.value if graph else None
    exports = to_onnx(forecaster, target_folder, graph_name)
    if as_json:
        files = [_described(exported, target_folder) for exported in exports]
        echo.document(
            {"lstmcast": __version__, "format": Format.ONNX.value, "files": files}
        )
        return
    for exported in exports:
        echo.result(_shown(exported, target_folder))
    reason = why_not(known_of(forecaster)) if graph is None else None
    if reason:
        echo.note(quiet, f"note: {reason}")


def _described(exported: Exported, folder: Path) -> dict[str, Any]:
    from lstmcast.export.graphs import OPSET

    return {
        "path": str(folder / exported.file),
        "part": exported.part,
        "bytes": exported.model.ByteSize(),
        "opset": OPSET,
        "inputs": {name: list(shape) for name, shape in exported.inputs.items()},
        "outputs": {name: list(shape) for name, shape in exported.outputs.items()},
    }


def _shown(exported: Exported, folder: Path) -> str:
    about = _described(exported, folder)
    inputs, answered = (
        ", ".join(
            f"{name} ({', '.join(map(str, shape))})"
            for name, shape in about[side].items()
        )
        for side in ("inputs", "outputs")
    )
    size = f"opset {about['opset']}, {about['bytes'] / 1e6:.2f} MB"
    return f"{about['path']} ({size})\n  {inputs} → {answered}"
