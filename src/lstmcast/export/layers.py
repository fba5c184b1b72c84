"""A network as a graph: the formulas of `model.network`, with the weights as constants.

B rows of a batch · C input channels · D units · H horizon · K columns · R raw numbers
X quantiles, or one point · S numbers of the state
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from lstmcast.export.graphs import Graph
from lstmcast.export.symbols import Symbol
from lstmcast.model.activations import ACTIVATIONS, GATE_ACTIVATIONS
from lstmcast.model.heads import answer_of
from lstmcast.model.lstm import Layer
from lstmcast.model.network import Network


def state_size(network: Network) -> int:
    """S: h and c of each layer of each member, one after the other."""
    return 2 * sum(network.config.layers) * len(network.members)


def step_of(
    network: Network,
    graph: Graph,
    x_BC: Symbol,
    state_BS: Symbol,
    begun_B1: Symbol | None = None,
) -> tuple[list[Symbol], Symbol]:
    """The output of each member's stack after one more step (B, D), and the new state.

    The state of a row that has not begun (`begun_B1` is 0) stays zero.
    """
    config = network.config
    units = [D for D in config.layers for _ in "hc"] * len(network.members)
    states = []
    for size, end in zip(units, accumulate(units), strict=True):
        states.append(state_BS.part(1, end - size, end))
    unread = iter(states)
    hidden, new_states = [], []
    for arrays in network.members:
        a_BC = _dense(network, graph, arrays, "embed", config.before or (), x_BC)
        for number, units_of in enumerate(config.layers):
            weights = Layer(
                *(arrays[f"lstm.{number}.{name}"] for name in Layer._fields)
            )
            out_BD, h_BD, c_BD = _cell(
                network, graph, weights, a_BC, (next(unread), next(unread))
            )
            has_residual = config.residual and weights.weight_ih.shape[1] == units_of
            a_BC = a_BC + out_BD if has_residual else out_BD
            new_states += [h_BD, c_BD]
        hidden.append(a_BC)
    after_BS = np.concatenate(new_states, axis=1)
    if begun_B1 is not None:
        after_BS = np.where(begun_B1, after_BS, 0.0)
    return hidden, after_BS


def _cell(
    network: Network,
    graph: Graph,
    weights: Layer,
    x_BC: Symbol,
    state: tuple[Symbol, Symbol],
) -> tuple[Symbol, Symbol, Symbol]:
    """One LSTM layer: its output, h and c."""
    cell = network.config.cell
    units = weights.weight_hh.shape[1]
    gate = GATE_ACTIVATIONS[cell.recurrent_activation]
    curve = ACTIVATIONS[cell.activation]
    h_BD, c_BD = state
    from_input_BG = x_BC @ graph.constant(weights.weight_ih.T)
    from_state_BG = h_BD @ graph.constant(weights.weight_hh.T)
    sums_BG = from_input_BG + from_state_BG + weights.bias
    bounds = [number * units for number in range(5)]
    i, f, g, o = (sums_BG.part(1, begin, end) for begin, end in pairwise(bounds))
    c_BD = gate(f) * c_BD + gate(i) * curve(g)
    h_BD = gate(o) * curve(c_BD)
    if cell.is_bounded:
        return h_BD, h_BD, c_BD
    # Without tanh a state may overflow, and is unknown then.
    out_BD = np.where(np.abs(h_BD) < np.inf, h_BD, np.nan)
    return out_BD, h_BD, c_BD


def answer_in(
    network: Network, graph: Graph, hidden_MBD: Sequence[Symbol], x_BC: Symbol
) -> Symbol:
    """The mean answer of the members, in units of the network (B, H, K, X)."""
    answers = []
    for arrays, hidden_BD in zip(network.members, hidden_MBD, strict=True):
        raw_BHKR = _raw(network, graph, arrays, hidden_BD, x_BC)
        answers.append(answer_of(network.head, raw_BHKR))
    first, *following = answers
    return sum(following, first) / float(len(answers))


def _raw(
    network: Network,
    graph: Graph,
    arrays: dict[str, NDArray],
    hidden_BD: Symbol,
    x_BC: Symbol,
) -> Symbol:
    """Raw numbers of one member (B, H, K, R)."""
    config = network.config
    head = network.head
    dense_BD = _dense(network, graph, arrays, "dense", config.after, hidden_BD)
    raw_BF = dense_BD @ graph.constant(arrays["head.weight"].T) + arrays["head.bias"]
    shape = (0, config.steps, config.inputs.columns, head.outputs)
    raw_BHKR = raw_BF.reshape(shape).astype(float)
    if not config.inputs.skips:
        return raw_BHKR
    skipped_BH = (x_BC @ graph.constant(arrays["skip.weight"].T)).astype(float)
    is_center_R = np.arange(head.outputs) == head.center
    return raw_BHKR + skipped_BH[:, :, None, None] * is_center_R.astype(float)


def _dense(
    network: Network,
    graph: Graph,
    arrays: dict[str, NDArray],
    name: str,
    sizes: Sequence[int],
    a_BC: Symbol,
) -> Symbol:
    curve = ACTIVATIONS[network.config.activation]
    for number in range(len(sizes)):
        layer = f"{name}.{number}"
        weight = graph.constant(arrays[f"{layer}.weight"].T)
        a_BC = curve(a_BC @ weight + arrays[f"{layer}.bias"])
    return a_BC
