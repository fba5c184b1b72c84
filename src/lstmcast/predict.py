"""What `LSTMForecaster.predict` does: data joined to what a model remembers, a forecast of them,
its intervals calibrated.

S series · O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias, cast, get_args
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import effects_of, require_known, without_known
from lstmcast.data.features import listed
from lstmcast.data.observed import occurring, on_grid, without
from lstmcast.data.origins import Origins, checked_horizon, known_counts, origins_of
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import Decode, HeldOut, Tried, at_levels, calibrated, widened
from lstmcast.evaluation.candidates import Candidate
from lstmcast.evaluation.cold import LIKE, with_typical
from lstmcast.evaluation.combination import combined, mixed
from lstmcast.evaluation.demand import Demand, demand_named
from lstmcast.evaluation.dependence import Sample, dependence_of
from lstmcast.evaluation.methods import COMBINED
from lstmcast.evaluation.trust import trusted, trusted_parts, with_share
from lstmcast.fitted import Fitted, Mode
from lstmcast.forecast import NETWORK, Combination, Forecast
from lstmcast.joining import continued as continued
from lstmcast.joining import joined as joined
from lstmcast.joining import read_as_said as read_as_said
from lstmcast.model.heads import MEDIAN
from lstmcast.paths import Dependence
from lstmcast.util.text import some_names

# intervals, in percent: forecasters give quantiles from 0.001 to 0.999
NARROWEST, WIDEST = 0.1, 99.8
OLD_MODES: dict[str, Mode] = {"free": "recursive", "observed": "one-step"}
Levels: TypeAlias = tuple[float, ...]  # of quantiles
logger = logging.getLogger("lstmcast")


class Asked(NamedTuple):
    """What a call of `predict` asks for; see `LSTMForecaster.predict`."""

    horizon: int | None
    cutoffs: NDArray | None
    mode: Mode
    method: str = NETWORK
    candidates: tuple[Candidate, ...] = ()


def checked_mode(mode: str) -> Mode:
    """A mode by its name or its former one; UsageError for any other."""
    if mode in OLD_MODES:
        warn(f"{mode=} is called {OLD_MODES[mode]!r} now.", DeprecationWarning, stacklevel=3)
        return OLD_MODES[mode]
    if mode not in get_args(Mode):
        raise UsageError(f"{mode=} is not known. Use 'direct', 'recursive' or 'one-step'.")
    return cast(Mode, mode)


def forecast_as(
    asked: Asked, model: Fitted, data: Any, own: int, quantiles: tuple[float, ...]
) -> Forecast:
    """The forecast that is asked for, of `own` steps unless it says another number."""
    if asked.mode != "one-step":
        horizon = checked_horizon(asked.horizon, own)
        return forecast_after(model, data, horizon, quantiles, asked)
    if asked.cutoffs is not None or asked.horizon not in (None, 1):
        steps = asked.horizon
        unused = "cutoffs have" if steps in (None, 1) else f"horizon={steps!r} has"
        raise UsageError(
            f"mode='one-step' forecasts every known observation, one step ahead: {unused} no "
            "place in it."
        )
    return one_step_ahead(model, data, quantiles)


def forecast_after(
    model: Fitted,
    data: Any,
    horizon: int,
    quantiles: Levels,
    asked: Asked,
    answered: Decode | None = None,
) -> Forecast:
    """What comes after each series or cutoff, directly or recursively; `answered`: what the network
    answers, where that was asked before."""
    combines = asked.method != NETWORK and model.factors_HI is None
    panel, lead = joined(model, data, combines)
    cutoffs = None if asked.cutoffs is None else _counted_on(lead, asked.cutoffs)
    origins = origins_of(panel, cutoffs)
    panel, horizon, rows = on_grid(panel, origins, horizon)
    ahead_O = np.full(len(origins.series), horizon) if rows is None else rows.max(axis=1) + 1
    require_known(panel, origins, ahead_O)
    demand = demand_named(asked.method)
    if demand is not None:
        made = _of_demand(replace(demand, quantiles=quantiles), panel, horizon, cutoffs)
        return made if rows is None else made.at_steps(rows)

    def own(panel: Panel, origins: Origins, horizon: int) -> NDArray:
        return model.decode(panel, origins, horizon, asked.mode)

    decode = answered or own
    if model.factors_HI is None:
        ahead = model.measured_ahead(horizon, asked.mode)
        made = _calibrated(decode, panel, origins, ahead, asked)
        quantiles_OHQ, combination, dependence = made
        quantiles_OHQ = quantiles_OHQ[:, :horizon]
    else:
        quantiles_OHQ = decode(panel, origins, horizon)
        combination, dependence = None, None
        if model.shares:
            how = model.shares, panel, origins, quantiles_OHQ, asked.candidates
            quantiles_OHQ, combination = mixed(*how)
        quantiles_OHQ = widened(quantiles_OHQ, model.factors_HI)
    if combines and asked.method == COMBINED:
        quantiles_OHQ, others_O = with_typical(panel, origins, quantiles_OHQ)
        combination = combination if not others_O.any() else with_share(combination, others_O, LIKE)
    effects, known = effects_of(panel), None
    if effects is not None:
        quantiles_OHQ = effects.shut(quantiles_OHQ, origins)
        known = trusted_parts(effects.parts(origins, horizon), combination)
    _warn_of_unknown(model, panel, origins, quantiles_OHQ)
    made = _forecast(panel, origins, quantiles_OHQ, quantiles, combination, dependence, rows)
    if known is None:
        return made
    return replace(made, known=known if rows is None else known.at_steps(rows))


def _of_demand(demand: Demand, panel: Panel, horizon: int, cutoffs: NDArray | None) -> Forecast:
    """The forecast of a baseline for intermittent demand, which has quantiles of its own: those of
    the network, moved, would stay at 0 where its median is."""
    made = demand.predict(panel, horizon, cutoffs=cutoffs)
    shares_ON = np.tile([0.0, 1.0], (len(made.ids), 1))
    return replace(made, combination=Combination((NETWORK, demand.name), shares_ON))


def _calibrated(
    decode: Decode, panel: Panel, origins: Origins, horizon: int, asked: Asked
) -> tuple[NDArray, Combination | None, Dependence]:
    """Quantiles (O, H, Q) that were weighed and calibrated at held-out cutoffs, what they were made
    of, and how errors hang together."""
    held_out = HeldOut.of(panel, origins)
    parts, combination = _tried(decode, panel, held_out, horizon, asked)
    if panel.covariates.future:
        without, _ = _tried(decode, without_known(panel), held_out, horizon, asked)
        both = held_out.whole(parts), held_out.whole(without)
        tried, share_O = trusted(*both, held_out, len(panel))
        combination = with_share(combination, share_O)
        parts = ((rows, tried.rows(rows)) for rows in held_out.parts(len(panel)))
    sample = Sample(held_out, len(panel))
    quantiles_OHQ = calibrated(sample.seen(parts), held_out, len(panel))
    return quantiles_OHQ, combination, dependence_of(panel, sample.tried, held_out)


def _tried(
    decode: Decode, panel: Panel, held_out: HeldOut, horizon: int, asked: Asked
) -> tuple[Iterator[tuple[slice, Tried]], Combination | None]:
    """Forecasts at origins and at the held-out cutoffs before them, of some after the other,
    weighed as is asked for."""
    parts = held_out.tried_in_parts(decode, panel, horizon)
    if asked.method == NETWORK:
        return parts, None
    return combined(asked.method, panel, held_out, parts, asked.candidates)


def combination_of(model: Fitted, panel: Panel, horizon: int, asked: Asked) -> Combination | None:
    """What the next forecasts of a panel are made of; None for the network alone, or where that was
    decided when training ended."""
    if asked.method == NETWORK or model.factors_HI is not None:
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, asked.mode)
    return _calibrated(model.decode, panel, origins, ahead, asked)[1]


def one_step_ahead(model: Fitted, data: Any, quantiles: tuple[float, ...]) -> Forecast:
    """Each known observation from those before it, with the network's own intervals."""
    panel, _ = joined(model, data)
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    counts = np.arange(len(series)) - panel.offsets[series]
    known = (counts >= max(model.fewest_known, 1)) & occurring(panel)
    panel, origins = without(panel), Origins(series[known], counts[known])
    return _forecast(panel, origins, model.decode(panel, origins, 1, "one-step"), quantiles)


def quantiles_of(level: float | Sequence[float]) -> tuple[float, ...]:
    """The median and the bounds of intervals in percent; UsageError for what is none.

    >>> quantiles_of(80)
    (0.1, 0.5, 0.9)
    """
    levels = np.atleast_1d(np.asarray(level, np.float64))
    wrong = levels[~((levels >= NARROWEST) & (levels <= WIDEST))]
    if len(wrong) or not len(levels):
        raise UsageError(
            f"{level=} is no interval. Give percents from {NARROWEST:g} to {WIDEST:g}, such as 80 "
            "or [80, 95]."
        )
    tails = [round((1 - one / 100) / 2, 6) for one in levels.tolist()]
    return tuple(sorted({0.5, *tails, *(round(1 - tail, 6) for tail in tails)}))


def _counted_on(lead: NDArray, cutoffs: Any) -> Any:
    """Cutoffs (S, K) counted from the first remembered value.

    What does not fit stays as it is, to be refused.
    """
    counts = np.asarray(cutoffs)
    if counts.ndim != 2 or len(counts) != len(lead) or counts.dtype.kind not in "iu":
        return cutoffs
    return np.where(counts > 0, counts + lead[:, None], counts)


def _warn_of_unknown(model: Fitted, panel: Panel, origins: Origins, quantiles_OHQ: NDArray) -> None:
    """Say which series have no forecast, and why."""
    needed = model.fewest_known
    unknown_O = np.isnan(quantiles_OHQ).all(axis=(1, 2))
    grown_O = np.zeros_like(unknown_O)
    if not model.network.config.cell.is_bounded:
        grown_O = unknown_O & (known_counts(panel, origins) >= needed)
    few = np.unique(origins.series[unknown_O & ~grown_O])
    if len(few) and needed:
        logger.warning(
            "no forecast for %d of %d series (%s): %d known value%s needed before the cutoff%s",
            len(few),
            len(panel),
            some_names(panel.ids[few]),
            needed,
            "s are" if needed > 1 else " is",
            f", of {listed(model.past)} as well" if model.past else "",
        )
    grown = np.unique(origins.series[grown_O])
    if len(grown):
        logger.warning(
            "no forecast for %d of %d series (%s): the state of the LSTM grew beyond all numbers, "
            "as it can with activation=%r; train longer or with smaller steps, or use 'tanh'",
            len(grown),
            len(panel),
            some_names(panel.ids[grown]),
            model.network.config.cell.activation,
        )


def _forecast(
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    quantiles: tuple[float, ...],
    combination: Combination | None = None,
    dependence: Dependence | None = None,
    rows: NDArray | None = None,
) -> Forecast:
    point = quantiles_OHQ[:, :, MEDIAN]
    at = at_levels(quantiles_OHQ, quantiles)
    return Forecast.at_origins(panel, origins, point, at, quantiles, combination, dependence, rows)
