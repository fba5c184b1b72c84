"""What `LSTMForecaster.predict` does: data joined to what a model remembers, a forecast of them,
its intervals calibrated.

S series · O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast, get_args
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import effects_of, require_known, without_known
from lstmcast.data.beside import Beside
from lstmcast.data.features import listed
from lstmcast.data.findings import MISSING_STEPS
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import common_kind
from lstmcast.data.observed import occurring, on_grid, without
from lstmcast.data.origins import Origins, checked_horizon, known_counts, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.data.words import Words, columns_said, options_said
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
from lstmcast.model.heads import MEDIAN
from lstmcast.model.static import codes_of, require_of_new
from lstmcast.paths import Dependence
from lstmcast.saved_context import Continuation, SavedContext
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
        return _after(model, data, horizon, quantiles, asked)
    if asked.cutoffs is not None or asked.horizon not in (None, 1):
        steps = asked.horizon
        unused = "cutoffs have" if steps in (None, 1) else f"horizon={steps!r} has"
        raise UsageError(
            f"mode='one-step' forecasts every known observation, one step ahead: {unused} no "
            "place in it."
        )
    return one_step_ahead(model, data, quantiles)


def forecast_each(
    model: Fitted, panels: Sequence[Panel], asked: Sequence[Asked], levels: Sequence[Levels]
) -> list[Forecast]:
    """The forecast of each panel as if it were alone; the network reads all of them in one pass.

    What is asked for has a horizon each. Panels that cannot be read together (other frequencies or
    columns beside the target, a model that remembers data) are read one after the other. Numbers
    are those of `forecast_as` but for the last bits of float32, whose sums are taken in another
    order.
    """
    steps = [checked_horizon(one.horizon) for one in asked]
    pairs = zip(panels, steps, asked, strict=True)
    needed = [_needed(model, panel, horizon, one) for panel, horizon, one in pairs]
    decodes = _read_together(model, needed)
    every = zip(panels, steps, levels, asked, decodes, strict=True)
    return [_after(model, *one) for one in every]


class Needed(NamedTuple):
    """What a forecast needs of the network: its answers at these origins; `alike` is equal where
    they can be had in one pass."""

    panel: Panel
    origins: Origins
    horizon: int
    alike: Hashable


def _needed(model: Fitted, panel: Panel, horizon: int, asked: Asked) -> Needed | None:
    """What the forecast of a panel needs; None where it is read alone."""
    alone = asked.cutoffs is not None or asked.mode != "direct" or panel.covariates
    if alone or model.saved_context is not None or model.factors_HI is not None:
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, asked.mode)
    held_out = HeldOut.of(panel, origins)
    if len(held_out.parts(len(panel))) > 1:  # so large a panel is read in parts by itself
        return None
    declared = None if panel.recognised is not None else panel.kind
    alike = panel.frequency.code, panel.periods, declared, ahead
    return Needed(panel, held_out.distinct, ahead, alike)


def _read_together(model: Fitted, needed: Sequence[Needed | None]) -> list[Decode | None]:
    """What answers each forecast from one pass over all that are alike; None for those that are
    read alone."""
    result: list[Decode | None] = [None] * len(needed)
    groups: dict[Hashable, list[int]] = {}
    for place, one in enumerate(needed):
        if one is not None:
            groups.setdefault(one.alike, []).append(place)
    for places in groups.values():
        parts = [one for one in (needed[place] for place in places) if one is not None]
        if len(parts) == 1:
            continue  # nothing to share
        panel, origins, bounds = _stacked(parts)
        answers = model.decode(panel, origins, parts[0].horizon)
        for place, answer in zip(places, np.split(answers, bounds), strict=True):
            result[place] = partial(_known, answer)
    return result


def _known(answer_OHQ: NDArray, *_: Any) -> NDArray:
    """The answers that a pass over several panels has given for one of them."""
    return answer_OHQ


def _stacked(parts: Sequence[Needed]) -> tuple[Panel, Origins, NDArray]:
    """The series of several panels in one, for a pass over all of them; the origins that are asked
    for, and where those of the next panel begin."""
    panels = [part.panel for part in parts]
    first = np.cumsum([0, *(len(panel) for panel in panels[:-1])])
    moved = [part.origins.series + begin for part, begin in zip(parts, first, strict=True)]
    origins = Origins(
        np.concatenate(moved), np.concatenate([part.origins.counts for part in parts])
    )
    stacked = replace(
        panels[0],
        values=np.concatenate([panel.values for panel in panels]),
        offsets=offsets_of(np.concatenate([panel.lengths for panel in panels])),
        ids=np.concatenate([panel.ids for panel in panels]),
        starts=np.concatenate([panel.starts for panel in panels]),
        keys=Keys(),
        **_kinds_of(panels),
    )
    return stacked, origins, np.cumsum([len(series) for series in moved[:-1]])


def _kinds_of(panels: Sequence[Panel]) -> dict[str, Any]:
    """What the values of several panels can be: declared alike, or as each was recognised."""
    recognised = [panel.recognised for panel in panels if panel.recognised is not None]
    if not recognised:
        return {}
    together = np.concatenate(recognised)
    return {"recognised": together, "kind": common_kind(together)}


def _after(
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
    return combined(asked.method, panel, held_out, list(parts), asked.candidates)


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


def continued(context: SavedContext | None, data: Any) -> Continuation:
    """Newer data joined to what is remembered; UsageError where that is nothing."""
    from lstmcast.data.newer import read_newer

    if context is None:
        raise UsageError(
            "This forecaster remembers no data: only one that was saved and loaded can continue."
        )
    return context.join(read_newer(data, context.panel))


def read_as_said(
    context: SavedContext | None, data: Any, past: Sequence[str], words: Words
) -> Panel | Continuation:
    """Data read in these words: as what came after the data that are remembered, where some are."""
    from lstmcast.data.newer import read_newer
    from lstmcast.data.read import as_panel, require_unread

    if data is None and context is not None and set(words) <= {"future", "future_data"}:
        coming = Beside(future=words.get("future"), future_data=words.get("future_data"))
        return context.with_coming(coming)
    if data is None:
        raise UsageError(f"{', '.join(words)} would have no effect, as no data are given.")
    if context is None or isinstance(data, (Panel, Continuation)):
        if isinstance(data, Continuation):
            require_unread(words)
        return as_panel(data, past, words)
    columns: dict[str, Any] = {"past": list(past) or None} | columns_said(words)
    newer = read_newer(data, context.panel, options_said(words), said=list(words), **columns)
    return context.join(newer)


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


def joined(model: Fitted, data: Any, combines: bool = False) -> tuple[Panel, NDArray]:
    """The series to forecast, and how many values of each (S,) are remembered from before the
    data; DataError where the network reads columns that they do not have. Where it `combines`
    simple forecasts, one of these reads what the network does not."""
    panel, lead = _joined(model, data)
    panel.covariates.require(model.past, panel.report.source)
    # errors about static columns come before any work
    codes_of(model.network.config.static, panel)
    if model.saved_context is not None:
        require_of_new(model.network.config.static, panel, np.flatnonzero(lead == 0))
    given = data if isinstance(data, Panel) else panel
    if not combines or model.past:
        given.covariates.tell_unread(model.past)
        panel = replace(panel, covariates=panel.covariates.only(model.past))
    return panel, lead


def _joined(model: Fitted, data: Any) -> tuple[Panel, NDArray]:
    context = model.saved_context
    if isinstance(data, Continuation):
        continuation = data
    elif context is None:
        return _alone(_read(data, model.past))
    elif data is None:
        return _alone(context.panel)
    else:
        continuation = continued(context, data)
        _tell(continuation)
    model.check_columns(continuation.panel)
    return continuation.panel, continuation.lead


def _alone(panel: Panel) -> tuple[Panel, NDArray]:
    return panel, np.zeros(len(panel), np.int64)


def _read(data: Any, past: tuple[str, ...]) -> Panel:
    from lstmcast.data.read import as_panel

    if data is None:
        raise UsageError("There are no data to forecast. Give a Panel, a file's path or a frame.")
    return as_panel(data, past)


def _tell(continuation: Continuation) -> None:
    """Log which series continue, and warn of missing steps."""
    logger.info("%s", continuation)
    for finding in continuation.findings:
        # Old data may be meant so here, as `Panel.until` gives them.
        if finding.rule == MISSING_STEPS:
            logger.warning("%s", finding.text)


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
