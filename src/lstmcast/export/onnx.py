"""A forecaster as ONNX graphs: one step of its network, and the whole forecaster.

B rows of a batch · T steps · C columns of a row · H horizon · K columns that are forecast
X quantiles, or one point · Q quantile levels · S numbers of the state
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lstmcast._version import __version__
from lstmcast.context import Newest
from lstmcast.errors import UsageError
from lstmcast.export.graphs import OPSET, Graph
from lstmcast.export.intervals import (
    around,
    mean_change,
    stops_at_zero,
    whole_numbers,
    widened,
)
from lstmcast.export.layers import answer_in, state_size, step_of
from lstmcast.export.symbols import Symbol
from lstmcast.export.transformed import (
    Column,
    applied,
    carried,
    columns_of,
    inverted,
    is_by_series,
    require_in_graph,
)
from lstmcast.fitted import Fitted
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network
from lstmcast.model.static import require_no_static
from lstmcast.util.files import output_errors, whole_file

PARTS = NETWORK, FORECASTER = ("network", "forecaster")


class Exported(NamedTuple):
    """A graph, and a description of its contents."""

    part: str
    model: Any  # an `onnx.ModelProto`
    inputs: dict[str, tuple[str | int, ...]]
    outputs: dict[str, tuple[str | int, ...]]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.part}.onnx"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        with whole_file(path) as unfinished:
            unfinished.write_bytes(self.model.SerializeToString())


def to_onnx(
    forecaster: LSTMForecaster, folder: str | Path, part: str | None = None
) -> tuple[Exported, ...]:
    """Export a forecaster as ONNX graphs, `network.onnx` and `forecaster.onnx`.

    The first is the network for one step; the second is the whole forecaster, if its inputs can be
    a graph.

    Args:
        forecaster: A forecaster with weights: shipped, given or fitted.
        folder: Folder for the files, created if necessary.
        part: "network" or "forecaster" to write only this graph.

    Raises:
        UsageError: The part cannot be a graph (the message says why, and what can be exported), or
            the package onnx (extra `onnx`) is not installed.

    >>> import lstmcast as lc
    >>> files = lc.to_onnx(lc.LSTMForecaster(horizon=12), "graphs")  # doctest: +SKIP
    """
    graphs = graphs_of(known_of(forecaster), part)
    with output_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for graph in graphs:
        graph.write(Path(folder) / graph.file)
    return graphs


def graphs_of(fitted: Fitted, part: str | None = None) -> tuple[Exported, ...]:
    """The graphs of a forecaster, or only the requested one; errors as in `to_onnx`."""
    if part not in (None, *PARTS):
        raise UsageError(
            f"{part=} is not known. Use 'network' or 'forecaster', or leave it out."
        )
    if part == NETWORK or (part is None and why_not(fitted)):
        return (network_graph(fitted.network),)
    if part == FORECASTER:
        return (forecaster_graph(fitted),)
    return network_graph(fitted.network), forecaster_graph(fitted)


def why_not(fitted: Fitted) -> str | None:
    """Why a forecaster cannot be a single graph; None if it can."""
    try:
        _require_direct(fitted)
    except UsageError as error:
        return str(error)
    return None


def network_graph(network: Network) -> Exported:
    """The graph of one step: `x` (B, C) and `state` (B, S) in, `answer` (B, H, K, X) and
    `new_state` (B, S) out.

    `x` is an observation as the inputs transform it, `answer` the head's answer in units of the
    network. The state starts at zero.
    """
    _require_onnx()
    require_no_static(network.config, "an ONNX graph")
    _require_written(network)
    graph = Graph()
    config = network.config
    state_shape = "batch", state_size(network)
    x_BC = graph.given("x", np.float32, ("batch", config.width))
    state_BS = graph.given("state", np.float32, state_shape)
    hidden, after_BS = step_of(network, graph, x_BC, state_BS)
    answer = answer_in(network, graph, hidden, x_BC)
    outputs = {"answer": answer, "new_state": after_BS}
    bounds = len(HEAD_QUANTILES) if network.head.spreads else 1
    answer_shape = "batch", config.steps, config.inputs.columns, bounds
    shapes = {"answer": answer_shape, "new_state": state_shape}
    return _exported(NETWORK, graph, outputs, shapes, _about(network))


def forecaster_graph(fitted: Fitted) -> Exported:
    """The graph of the whole forecaster: `values` (B, T, C) in, `quantiles` (B, H, K, Q) out.

    `values` are those of the data, with NaN for missing ones: the K columns that are forecast, then
    those that are only read. If something was fitted to each series, `series` (B,) is the number of
    each row's series. Quantiles are those of `predict` at the levels of the head.

    Raises UsageError if the inputs or their inverse cannot be a graph.
    """
    _require_onnx()
    require_no_static(fitted.network.config, "an ONNX graph")
    _require_written(fitted.network)
    _require_direct(fitted)
    inputs = fitted.network.config.inputs
    assert isinstance(inputs, Transformed)
    learned = fitted.inputs or inputs.of_rows(None, ["series"])
    graph = Graph()
    rows_B = None
    by_series = is_by_series(inputs, fitted.inputs) or _has_changes(fitted)
    values_BTC = graph.given("values", float, ("batch", "length", inputs.width(1)))
    if by_series:
        rows_B = graph.given("series", np.int64, ("batch",))
    columns = columns_of(inputs, learned, graph, rows_B)
    quantiles = _quantiles(fitted, graph, values_BTC, columns, rows_B)
    shape = ("batch", fitted.network.config.steps, inputs.columns, len(HEAD_QUANTILES))
    about = _about(fitted.network)
    if by_series:
        ids = [str(name) for name in learned.state.ids.tolist()]
        firsts = range(0, len(ids), inputs.columns)
        rows = [ids[first : first + inputs.columns] for first in firsts]
        about["series"] = json.dumps(rows)
    outputs = {"quantiles": quantiles}
    shapes = {"quantiles": shape}
    return _exported(FORECASTER, graph, outputs, shapes, about)


def known_of(forecaster: LSTMForecaster) -> Fitted:
    """The fitted network of a forecaster; UsageError if it has no weights yet."""
    if forecaster.fitted is not None:
        return forecaster.fitted
    if forecaster.start.network is None:
        raise UsageError(
            "The network has no weights yet. Fit the forecaster, then export it."
        )
    return Fitted(forecaster.start.network, forecaster.start.inputs)


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "ONNX graphs need the package onnx, which is not installed. Install "
            "'lstmcast[onnx]', for example: pip install 'lstmcast[onnx]'"
        ) from error


def _require_written(network: Network) -> None:
    """Raise UsageError for a head whose answer is not a formula."""
    if not network.head.affine:
        raise UsageError(
            f"head={network.head.name!r} cannot be exported: its quantiles are looked up in "
            "tables, for which ONNX has no operators. Fit a network with another head, such as "
            "head='quantiles', or forecast with LSTMForecaster.predict."
        )


def _require_direct(fitted: Fitted) -> None:
    """Raise UsageError for a forecaster that cannot be a single graph."""
    config = fitted.network.config
    if not isinstance(config.inputs, Transformed):
        raise UsageError(
            f"A network with inputs={config.inputs!r} cannot be exported with its inputs: they "
            "depend on the series (its scale, seasons and surprises) and on regressions, for which "
            "ONNX has no operators. Export only the network with --part network, which reads the "
            "result of `lstmcast.Adaptive().advance`, or make a page that "
            "includes the inputs with `lstmcast export --format web DIR`."
        )
    require_in_graph(config.inputs, fitted.inputs)
    if fitted.network.head.spreads and config.inputs.adds_up(config.steps):
        raise UsageError(
            f"{config.inputs!r} adds up the forecasts of {config.steps} steps, and their "
            "quantiles come from sample paths, which a graph cannot draw. Use head='point' or "
            "NetworkConfig(horizon=1), or export only the network with --part network."
        )


def _has_changes(fitted: Fitted) -> bool:
    """Whether intervals start from the measured changes of each series."""
    columns = fitted.network.config.inputs.columns
    return not fitted.network.head.spreads and len(fitted.changes) > columns


def _quantiles(
    fitted: Fitted,
    graph: Graph,
    values_BTC: Symbol,
    columns: list[Column],
    rows_B: Symbol | None,
) -> Symbol:
    """The forecaster's quantiles in the units of the data (B, H, K, Q)."""
    steps = fitted.network.config.steps
    read, transformed = [], []
    for number, column in enumerate(columns):
        y_BT, column = applied(column, values_BTC[:, :, number])
        read.append(y_BT)
        transformed.append(column)
    answer_BHKX = _answer(fitted, read)
    quantiles = []
    for number in range(fitted.network.config.inputs.columns):
        values_BT = values_BTC[:, :, number]
        column_BHX = inverted(transformed[number], answer_BHKX[:, :, number], steps)
        if not fitted.network.head.spreads:
            change_B = _change(fitted, graph, values_BT, number, rows_B)
            column_BHX = around(column_BHX, change_B, steps)
        if fitted.factors_HI is not None:
            column_BHX = widened(column_BHX, fitted.factors_HI, steps)
        column_BHX = _of_kind(fitted, column_BHX, values_BT)
        quantiles.append(column_BHX[:, :, None])
    return np.concatenate(quantiles, axis=2)


def _answer(fitted: Fitted, columns: list[Symbol]) -> Symbol:
    """The network's answer after the last step (B, H, K, X), NaN if no value was read."""
    network = fitted.network
    y_BTC = np.concatenate([column[:, :, None] for column in columns], axis=2)
    x_BTC, begun_BT1 = carried(y_BTC)
    if isinstance(fitted.context, Newest):
        newest = slice(-fitted.context.length, None)
        x_BTC = x_BTC[:, newest]
        begun_BT1 = begun_BT1[:, newest]

    def step(body: Graph, states: list[Symbol], read: list[Symbol]) -> Any:
        [x_BC, begun_B1] = read
        hidden, after_BS = step_of(network, body, x_BC, states[0], begun_B1)
        return [after_BS, *hidden], []

    rows = x_BTC.length(0)
    sizes = [state_size(network), *[network.config.layers[-1]] * len(network.members)]
    zeros = [x_BTC.filled(0.0, (rows, size)) for size in sizes]
    (_, *hidden), _ = x_BTC.graph.scan(step, zeros, [x_BTC, begun_BT1])
    answer_BHKX = answer_in(network, x_BTC.graph, hidden, x_BTC[:, -1])
    begun_B1 = begun_BT1[:, -1]
    return np.where(begun_B1[:, :, None, None], answer_BHKX, np.nan)


def _change(
    fitted: Fitted, graph: Graph, values_BT: Symbol, column: int, rows_B: Symbol | None
) -> Symbol:
    """The mean absolute change of each row: as measured, else from the values (B,) or (1,)."""
    in_values_B = mean_change(values_BT)
    if not fitted.changes:
        return in_values_B
    changes_S = np.array(list(fitted.changes.values()))
    changes_R = changes_S[column :: fitted.network.config.inputs.columns]
    measured = graph.constant(changes_R)
    measured_B = measured[:1] if rows_B is None else measured.take(rows_B)
    return np.where(np.isnan(measured_B), in_values_B, measured_B)


def _of_kind(fitted: Fitted, quantiles_BHQ: Symbol, values_BT: Symbol) -> Symbol:
    """Quantiles limited at 0 if values are never negative, whole if they are counts: as declared
    or else as observed."""
    context = fitted.saved_context
    if context is not None and context.panel.recognised is None:
        return _declared(quantiles_BHQ, context.panel.kind)
    is_whole_B1 = whole_numbers(values_BT)
    quantiles_BHQ = np.where(
        is_whole_B1[:, :, None], np.rint(quantiles_BHQ), quantiles_BHQ
    )
    stops_B1 = stops_at_zero(values_BT)
    return np.where(stops_B1[:, :, None], _stopped(quantiles_BHQ), quantiles_BHQ)


def _declared(quantiles_BHQ: Symbol, kind: str) -> Symbol:
    if kind == "count":
        quantiles_BHQ = np.rint(quantiles_BHQ)
    return quantiles_BHQ if kind == "real" else _stopped(quantiles_BHQ)


def _stopped(quantiles_BHQ: Symbol) -> Symbol:
    return np.where(quantiles_BHQ <= 0.0, 0.0, quantiles_BHQ)


def _about(network: Network) -> dict[str, str]:
    """The metadata of a graph: what the reader of the file must know."""
    levels = HEAD_QUANTILES if network.head.spreads else [0.5]
    return {
        "lstmcast": __version__,
        "network": json.dumps(network.config.described()),
        "levels": json.dumps(levels),
    }


def _exported(
    kind: str,
    graph: Graph,
    outputs: Mapping[str, Symbol],
    shapes: Mapping[str, tuple[str | int, ...]],
    about: dict[str, str],
) -> Exported:
    model = graph.model(outputs, shapes, about | {"part": kind, "opset": str(OPSET)})
    inputs = {entry.name: tuple(entry.shape) for entry in graph.inputs}
    return Exported(kind, model, inputs, dict(shapes))
