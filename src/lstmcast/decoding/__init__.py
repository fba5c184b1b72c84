"""Decoding: quantile forecasts from a network and series, direct, recursive or one step ahead.

The context rule (`context`) defines what a forecast reads, for prediction, backtests and saved
models. Adaptive inputs start with the context and are read with it, block by block (`along`);
others are computed from the whole series, of which the network reads its context (`whole`).
Recursion is common to all (`feeding`); long horizons of adaptive inputs use several rates
(`rates`).

    O origins (series × cutoff) · H horizon · Q quantiles of the head
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding.along import CHUNK as CHUNK
from lstmcast.decoding.along import read_along, read_every_step
from lstmcast.decoding.feeding import ForecastState as ForecastState
from lstmcast.decoding.feeding import Reader as Reader
from lstmcast.decoding.feeding import answers_from as answers_from
from lstmcast.decoding.rates import at_several_rates as at_several_rates
from lstmcast.decoding.rates import rates_of as rates_of
from lstmcast.decoding.whole import around_points, decode_whole
from lstmcast.decoding.whole import check_quantiles as check_quantiles
from lstmcast.decoding.whole import hidden_states as hidden_states

Feed = Literal["median", "paths"]


def decode(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    horizon: int,
    *,
    recursive: bool = False,
    feed: Feed | None = None,
) -> NDArray:
    """Quantiles (O, horizon, Q) at `heads.HEAD_QUANTILES` in the units of the data.

    The head forecasts its H steps at once; longer horizons feed them back, at several rates if
    seasons are long (`rates`). With `recursive`, every step is fed back. Medians are fed back,
    whose errors add up as independent ones, or draws of sample paths; `feed` or the inputs decide.
    Heads that are not affine always use draws, since their quantiles cannot be scaled. Heads
    without a distribution give a point, with the spread of a random walk with the changes of the
    series, to be calibrated.

    Raises:
        UsageError: Quantiles would have to be added up.
        DataError: Columns that are read together have different times.
    """
    block = 1 if recursive else reader.network.config.steps
    if reader.network.config.inputs.from_context:
        answers = read_along(reader, panel, origins, horizon, block, feed == "paths")
        if not (recursive or feed == "paths") and reader.reads_rates:
            answers = at_several_rates(reader, panel, origins, answers)
        return _with_spread(answers, reader, panel, origins)
    return decode_whole(reader, panel, origins, horizon, block, feed)


def one_step_ahead(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles (O, 1, Q) of the observation after each origin: fast where origins are most
    steps."""
    if reader.network.config.inputs.from_context:
        answers = read_every_step(reader, panel, origins)
        return _with_spread(answers, reader, panel, origins)
    return decode(reader, panel, origins, 1)


def _with_spread(
    answers_OHQ: NDArray, reader: Reader, panel: Panel, origins: Origins
) -> NDArray:
    """The answers, with quantiles about them if the head gives points only."""
    if reader.network.head.spreads:
        return answers_OHQ
    return around_points(answers_OHQ[:, :, :1], reader, panel, origins)


def at_steps(
    reader: Reader, panel: Panel, origins: Origins, steps: tuple[int, ...]
) -> NDArray:
    """Quantiles (O, len(steps), Q) so many steps ahead, of steps that the head answers at once:
    fast where origins are most steps."""
    if reader.network.config.inputs.from_context:
        return read_every_step(reader, panel, origins, steps)
    return decode(reader, panel, origins, max(steps))[:, np.array(steps) - 1]
