"""A network as a graph: the same formulas as `model.network`, of which the weights are constants.

B rows of a batch · C input channels · D units · H horizon · K columns · R raw numbers
X quantiles, or one point · S numbers of the state
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from lstmcast.export.graphs import Graph, Symbol
from lstmcast.model.activations import ACTIVATIONS, GATE_ACTIVATIONS
from lstmcast.model.heads import answer_of
from lstmcast.model.network import Network


def state_size(network: Network) -> int:
    """S: h and c of each layer of each member, one after the other."""
    return 2 * sum(network.config.layers) * len(network.members)


def step_of(
    network: Network, graph: Graph, x_BC: Symbol, state_BS: Symbol, begun_B1: Symbol | None = None
) -> tuple[list[Symbol], Symbol]:
    """What the stack of each member gives after one more step (B, D), and the new state.

    Where a row has not begun (`begun_B1` is 0) its state stays zero.
    """
    units = [D for D in network.config.layers for _ in "hc"] * len(network.members)
    ends = list(accumulate(units))
    parts = [state_BS.part(1, end - size, end) for end, size in zip(ends, units, strict=True)]
    hidden, new = [], []
    for m, arrays in enumerate(network.members):
        own = parts[m * 2 * len(network.config.layers) :]
        a_BC = _dense(network, graph, arrays, "embed", network.config.before or (), x_BC)
        for k, units_of in enumerate(network.config.layers):
            weights = [arrays[f"lstm.{k}.{part}"] for part in ("weight_ih", "weight_hh", "bias")]
            out_BD, h_BD, c_BD = _cell(network, graph, weights, a_BC, own[2 * k : 2 * k + 2])
            wide = weights[0].shape[1] == units_of and network.config.residual
            a_BC = a_BC + out_BD if wide else out_BD
            new += [h_BD, c_BD]
        hidden.append(a_BC)
    after_BS = np.concatenate(new, axis=1)
    return hidden, after_BS if begun_B1 is None else np.where(begun_B1, after_BS, 0.0)


def _cell(
    network: Network,
    graph: Graph,
    weights: Sequence[NDArray],
    x_BC: Symbol,
    state: Sequence[Symbol],
) -> tuple[Symbol, Symbol, Symbol]:
    """One LSTM layer: what it gives, h and c."""
    weight_ih, weight_hh, bias = weights
    D, cell = weight_hh.shape[1], network.config.cell
    gate, curve = GATE_ACTIVATIONS[cell.recurrent_activation], ACTIVATIONS[cell.activation]
    h_BD, c_BD = state
    sums_BG = x_BC @ graph.constant(weight_ih.T) + h_BD @ graph.constant(weight_hh.T) + bias
    i, f, g, o = (sums_BG.part(1, k * D, (k + 1) * D) for k in range(4))
    c_BD = gate(f) * c_BD + gate(i) * curve(g)
    h_BD = gate(o) * curve(c_BD)
    # Without tanh a state may grow beyond all numbers, and is unknown then.
    out_BD = h_BD if cell.is_bounded else np.where(np.abs(h_BD) < np.inf, h_BD, np.nan)
    return out_BD, h_BD, c_BD


def answer_in(network: Network, graph: Graph, hidden_MBD: Sequence[Symbol], x_BC: Symbol) -> Symbol:
    """What the members say on average, in units of the network (B, H, K, X)."""
    answers = [
        answer_of(network.head, _raw(network, graph, arrays, hidden_BD, x_BC))
        for arrays, hidden_BD in zip(network.members, hidden_MBD, strict=True)
    ]
    return sum(answers[1:], answers[0]) / float(len(answers))


def _raw(
    network: Network, graph: Graph, arrays: dict[str, NDArray], hidden_BD: Symbol, x_BC: Symbol
) -> Symbol:
    """Raw numbers of one member (B, H, K, R)."""
    config, head = network.config, network.head
    dense_BD = _dense(network, graph, arrays, "dense", config.after, hidden_BD)
    raw_BF = dense_BD @ graph.constant(arrays["head.weight"].T) + arrays["head.bias"]
    raw = raw_BF.reshape((0, config.steps, config.inputs.columns, head.outputs)).astype(float)
    if not config.inputs.skips:
        return raw
    skipped_BH = (x_BC @ graph.constant(arrays["skip.weight"].T)).astype(float)
    is_center_R = np.arange(head.outputs) == head.center
    return raw + skipped_BH[:, :, None, None] * is_center_R.astype(float)


def _dense(
    network: Network,
    graph: Graph,
    arrays: dict[str, NDArray],
    name: str,
    sizes: Sequence[int],
    a_BC: Symbol,
) -> Symbol:
    curve = ACTIVATIONS[network.config.activation]
    for k in range(len(sizes)):
        weight = graph.constant(arrays[f"{name}.{k}.weight"].T)
        a_BC = curve(a_BC @ weight + arrays[f"{name}.{k}.bias"])
    return a_BC
