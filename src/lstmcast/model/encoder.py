"""How a network with causal inputs reads observations and answers in their units.

B series of a batch · T steps · N positions · M members · D units · C inputs · H horizon · Q
quantiles
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs import adaptive as causal
from lstmcast.model.inputs.adaptive import InputState, SeasonState
from lstmcast.model.lstm import State
from lstmcast.model.network import Network


class ReadingState(NamedTuple):
    """Everything kept between two observations: what the inputs and the recurrent layers
    remember."""

    inputs: InputState
    recurrent: tuple[State, ...]  # one per member

    def rows(self, rows: NDArray) -> ReadingState:
        """The state of some of the series."""
        inputs = self.inputs._replace(
            **{
                name: part[rows]
                for name, part in self.inputs._asdict().items()
                if name != "seasons"
            },
            seasons=tuple(
                SeasonState(*(part[rows] for part in season)) for season in self.inputs.seasons
            ),
        )
        return ReadingState(
            inputs, tuple(tuple((h[rows], c[rows]) for h, c in state) for state in self.recurrent)
        )


class Reading(NamedTuple):
    """What the network knows at some steps: enough to answer, in units, without the history.

    N positions, whatever they are (series at one cutoff, or steps of one series).
    """

    hidden_MND: NDArray
    x_NC: NDArray
    level_N: NDArray
    scale_N: NDArray
    seasonal_NH: NDArray

    def rows(self, rows: NDArray) -> Reading:
        """Some of the positions."""
        return Reading(self.hidden_MND[:, rows], *(part[rows] for part in self[1:]))


def start(network: Network, batch: int, periods: tuple[int, ...]) -> ReadingState:
    """State before the first observation of `batch` series."""
    return ReadingState(
        causal.start(batch, periods, network.config.causal_inputs), network.start(batch)
    )


def read(
    network: Network,
    state: ReadingState,
    values_BT: NDArray,
    periods: tuple[int, ...],
    family: str,
    log: bool,
    every: bool = False,
) -> tuple[Reading, ReadingState]:
    """Read T observations of each series (NaN = missing): the reading at the last, or at every
    one (B·T rows)."""
    z_BT = causal.to_axis(values_BT, log)
    seen, inputs_state = causal.advance(
        state.inputs, z_BT, periods, family, log, network.config.causal_inputs
    )
    x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    hidden, recurrent = network.run(x_TBC, seen.begun_BT.T, state.recurrent)
    known = (
        _rows(part, every) for part in (seen.x_BTC, seen.level_BT, seen.scale_BT, seen.seasonal_BTH)
    )
    hidden_MND = np.stack([_rows(part_TBD.transpose(1, 0, 2), every) for part_TBD in hidden])
    return Reading(hidden_MND, *known), ReadingState(inputs_state, recurrent)


def answer(network: Network, reading: Reading) -> NDArray:
    """Quantiles (N, H, Q) at `heads.HEAD_QUANTILES` of the next H observations, on the reading axis."""
    raws = network.raw(reading.hidden_MND, reading.x_NC)
    answers = (network.head.quantiles(raw_NHKR[:, :, 0], np) for raw_NHKR in raws)
    units_NHQ = sum(answers) / len(network.members) * reading.scale_N[:, None, None]
    return units_NHQ + (reading.level_N[:, None] + reading.seasonal_NH)[:, :, None]


def _rows(part_BT: NDArray, every: bool) -> NDArray:
    """All steps as rows (B·T, …), or the last step of each series."""
    return part_BT.reshape(-1, *part_BT.shape[2:]) if every else part_BT[:, -1]
