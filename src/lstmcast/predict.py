"""The steps of `LSTMForecaster.predict`: join the data, forecast, calibrate the intervals.

S series · O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast, get_args
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import effects_of, left_open, without_known
from lstmcast.covariates.reach import require_known
from lstmcast.data.bounds import bounds_of
from lstmcast.data.observed import occurring, on_grid, without
from lstmcast.data.origins import Origins, checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.wholes import made_whole, whole_origins
from lstmcast.decoding.weekdays import shut, unsold
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import (
    Decode,
    HeldOut,
    Tried,
    at_levels,
    calibrated,
    widened,
)
from lstmcast.evaluation.candidates import Candidate
from lstmcast.evaluation.cold import LIKE, with_typical
from lstmcast.evaluation.combination import combined, mixed, of_panel
from lstmcast.evaluation.demand import Demand, demand_named
from lstmcast.evaluation.dependence import Sample, dependence_of
from lstmcast.evaluation.few import shares_with_few, with_few
from lstmcast.evaluation.methods import COMBINED, needs_columns
from lstmcast.evaluation.rare import without_events
from lstmcast.evaluation.recurrence import by_recurrence
from lstmcast.evaluation.stuck import from_before, stuck_counts
from lstmcast.evaluation.trust import trusted, trusted_parts, with_share
from lstmcast.evaluation.weekly import NAME as IN_WEEK
from lstmcast.evaluation.weekly import InWeek, SharedWeek
from lstmcast.fitted import Fitted, Mode
from lstmcast.forecast import NETWORK, Combination, Forecast
from lstmcast.joining import continued as continued
from lstmcast.joining import joined as joined
from lstmcast.joining import read_as_said as read_as_said
from lstmcast.model.heads import MEDIAN
from lstmcast.paths import Dependence
from lstmcast.unforecast import warn_of_unknown
from lstmcast.util.spelling import did_you_mean

OLD_MODES: dict[str, Mode] = {"free": "recursive", "observed": "one-step"}
Levels: TypeAlias = tuple[float, ...]  # of quantiles


class Asked(NamedTuple):
    """The arguments of a prediction; see `LSTMForecaster.predict`."""

    horizon: int | None
    cutoffs: NDArray | None
    mode: Mode
    method: str = NETWORK
    candidates: tuple[Candidate, ...] = ()


def checked_mode(mode: str) -> Mode:
    """A mode by its current or former name; UsageError for any other."""
    if mode in OLD_MODES:
        warn(
            f"{mode=} is now called {OLD_MODES[mode]!r}.",
            DeprecationWarning,
            stacklevel=3,
        )
        return OLD_MODES[mode]
    if mode not in get_args(Mode):
        meant = did_you_mean(mode, get_args(Mode))
        raise UsageError(
            f"{mode=} is not known.{meant} Use 'direct', 'recursive' or 'one-step'."
        )
    return cast(Mode, mode)


def forecast_as(
    request: Asked,
    model: Fitted,
    data: Any,
    usual_horizon: int,
    quantiles: tuple[float, ...],
) -> Forecast:
    """The requested forecast, of `own` steps by default."""
    if request.mode != "one-step":
        horizon = checked_horizon(request.horizon, usual_horizon)
        return forecast_after(model, data, horizon, quantiles, request)
    if request.cutoffs is not None or request.horizon not in (None, 1):
        steps = request.horizon
        unused = "cutoffs have" if steps in (None, 1) else f"horizon={steps!r} has"
        raise UsageError(
            f"mode='one-step' forecasts every known observation one step ahead: {unused} no "
            "effect in it."
        )
    return one_step_ahead(model, data, quantiles)


def forecast_after(
    model: Fitted,
    data: Any,
    horizon: int,
    quantiles: Levels,
    request: Asked,
    answers: Answers | None = None,
) -> Forecast:
    """Forecast the steps after each series or cutoff, in mode "direct" or "recursive".

    `answers`: the calibrated ones at the end of each series, if they are already known.
    """
    combines = request.method != NETWORK and model.factors_HI is None
    panel, lead = joined(model, data, combines)
    cutoffs = None
    if request.cutoffs is not None:
        cutoffs = _counted_on(lead, request.cutoffs)
    origins = origins_of(panel, cutoffs)
    panel, horizon, rows = on_grid(panel, origins, horizon)
    ahead_O = np.full(len(origins.series), horizon)
    if rows is not None:
        ahead_O = rows.max(axis=1) + 1
    require_known(panel, origins, ahead_O)
    demand = demand_named(request.method)
    if demand is not None:
        forecast = _of_demand(
            replace(demand, quantiles=quantiles), panel, horizon, cutoffs
        )
        return forecast if rows is None else forecast.at_steps(rows)

    answers = answers or _answers(model, panel, origins, horizon, request)
    answers = answers._replace(quantiles_OHQ=answers.quantiles_OHQ[:, :horizon])
    if combines and request.method == COMBINED:
        answers = _completed(answers, model, panel, origins, request)
    effects = effects_of(panel)
    known_parts = None
    if effects is not None:
        answers = answers._replace(
            quantiles_OHQ=effects.shut(answers.quantiles_OHQ, origins)
        )
        affine = model.network.head.affine
        known_parts = effects.parts(origins, horizon, affine)
        known_parts = trusted_parts(known_parts, answers.combination)
    warn_of_unknown(model, panel, origins, answers.quantiles_OHQ)
    forecast = _forecast(model, panel, origins, answers, quantiles, rows)
    if known_parts is None:
        return forecast
    if rows is not None:
        known_parts = known_parts.at_steps(rows)
    return replace(forecast, known=known_parts)


class Answers(NamedTuple):
    """Quantiles at all levels of the head, what they were made of, and how errors hang together;
    None where that was not measured.

    `known_ON`: which candidates of the combination know any step.
    """

    quantiles_OHQ: NDArray
    combination: Combination | None = None
    dependence: Dependence | None = None
    known_ON: NDArray | None = None

    def of_panel(self, rows: slice) -> Answers:
        """Those of one of several panels, whose origins are some of all."""
        combination = self.combination
        dependence = self.dependence
        if combination is not None and self.known_ON is not None:
            combination = of_panel(combination, self.known_ON, rows)
        if dependence is not None:
            dependence = dependence.rows(rows)
        return Answers(self.quantiles_OHQ[rows], combination, dependence)


def _answers(
    model: Fitted, panel: Panel, origins: Origins, horizon: int, request: Asked
) -> Answers:
    """Answers at the origins, calibrated at held-out cutoffs or with the factors from training."""

    def decode(panel: Panel, origins: Origins, horizon: int) -> NDArray:
        return model.decode(panel, origins, horizon, request.mode)

    if model.factors_HI is None:
        ahead = model.measured_ahead(horizon, request.mode)
        held_out = HeldOut.of(panel, origins)
        week = SharedWeek.of(left_open(panel))
        return calibrated_answers(decode, panel, held_out, ahead, request, week)
    quantiles_OHQ = decode(panel, origins, horizon)
    combination = None
    if model.shares:
        quantiles_OHQ, combination = mixed(
            model.shares, panel, origins, quantiles_OHQ, request.candidates
        )
    return Answers(widened(quantiles_OHQ, model.factors_HI), combination)


def _with_few_shares(answers: Answers, panel: Panel, origins: Origins) -> Answers:
    """The same, with the shares of what few values say."""
    combination = shares_with_few(answers.combination, panel, origins)
    return answers._replace(combination=combination)


def _with_typical(answers: Answers, panel: Panel, origins: Origins) -> Answers:
    """The same, short series shrunk towards what is typical of the others."""
    answers = _with_few_shares(answers, panel, origins)
    quantiles_OHQ, share_O = with_typical(panel, origins, answers.quantiles_OHQ)
    combination = answers.combination
    if share_O.any():
        combination = with_share(combination, share_O, LIKE)
    return answers._replace(quantiles_OHQ=quantiles_OHQ, combination=combination)


def _by_recurrence(answers: Answers, panel: Panel, origins: Origins) -> Answers:
    quantiles_OHQ, combination = by_recurrence(
        panel, origins, answers.quantiles_OHQ, answers.combination
    )
    return answers._replace(quantiles_OHQ=quantiles_OHQ, combination=combination)


def _completed(
    answers: Answers, model: Fitted, panel: Panel, origins: Origins, request: Asked
) -> Answers:
    """The same with what is typical of short series, and from before newest values that are
    stuck."""
    answers = _with_typical(answers, panel, origins)
    answers = _by_recurrence(answers, panel, origins)
    left_out_O = stuck_counts(panel, origins)
    rows = np.flatnonzero(left_out_O)
    if not len(rows):
        return answers
    combinations: list[Combination | None] = []

    def answer(held_out: HeldOut, horizon: int) -> NDArray:
        ahead = model.measured_ahead(horizon, request.mode)
        earlier = calibrated_answers(
            partial(model.decode, mode=request.mode), panel, held_out, ahead, request
        )
        combinations.append(earlier.combination)
        return earlier.quantiles_OHQ

    stuck = Origins(origins.series[rows], origins.counts[rows])
    quantiles_OHQ = answers.quantiles_OHQ.copy()
    quantiles_OHQ[rows] = from_before(
        answer, panel, stuck, left_out_O[rows], quantiles_OHQ.shape[1]
    )
    combination = answers.combination
    if combination is not None and combinations[0] is not None:
        combination = combination.replaced(rows, combinations[0])
    return answers._replace(quantiles_OHQ=quantiles_OHQ, combination=combination)


def _of_demand(
    demand: Demand, panel: Panel, horizon: int, cutoffs: NDArray | None
) -> Forecast:
    """The forecast of a baseline for intermittent demand, with its own quantiles.

    Shifted quantiles of the network would stay at 0 where its median is 0.
    """
    forecast = demand.predict(panel, horizon, cutoffs=cutoffs)
    shares_ON = np.tile([0.0, 1.0], (len(forecast.ids), 1))
    return replace(forecast, combination=Combination((NETWORK, demand.name), shares_ON))


def calibrated_answers(
    decode: Decode,
    panel: Panel,
    held_out: HeldOut,
    horizon: int,
    request: Asked,
    week: SharedWeek | None = None,
) -> Answers:
    """Answers that were combined and calibrated at held-out cutoffs; `week`: what the days of a
    week share in counts, if known."""
    batches, combination, known_ON = _tried(decode, panel, held_out, horizon, request)
    in_week = None
    if panel.covariates.future and not needs_columns(request.method):
        plain_batches, _, _ = _tried(
            decode, without_known(panel), held_out, horizon, request
        )
        with_effects = held_out.whole(batches)
        without_effects = held_out.whole(plain_batches)
        mixture, share_O = trusted(with_effects, without_effects, held_out)
        combination = with_share(combination, share_O)
        batches = ((rows, mixture.rows(rows)) for rows in held_out.parts(len(panel)))
    elif request.method == COMBINED:
        batches = with_few(batches, panel, held_out)
        if week is not None:
            in_week = InWeek(week, panel, held_out)
            batches = in_week.averaged(batches)
    sample = Sample(held_out)
    ordinary = without_events(sample.seen(batches), panel, held_out)
    quantiles_OHQ = calibrated(ordinary, held_out)
    dependence = dependence_of(panel, sample.tried, held_out)
    if week is not None and request.method == COMBINED:
        closed_OH = week.closed(held_out.origins, quantiles_OHQ.shape[1])
        quantiles_OHQ = shut(quantiles_OHQ, closed_OH)
    if in_week is not None:
        combination = with_share(combination, in_week.share_O, IN_WEEK)
    return Answers(quantiles_OHQ, combination, dependence, known_ON)


def _tried(
    decode: Decode, panel: Panel, held_out: HeldOut, horizon: int, request: Asked
) -> tuple[Iterator[tuple[slice, Tried]], Combination | None, NDArray | None]:
    """Candidate forecasts at origins and at the held-out cutoffs before them, with shares."""
    batches = held_out.tried_in_parts(decode, panel, horizon)
    if request.method == NETWORK:
        return batches, None, None
    return combined(request.method, panel, held_out, batches, request.candidates)


def combination_of(
    model: Fitted, panel: Panel, horizon: int, request: Asked
) -> Combination | None:
    """The combination of the next forecasts of a panel.

    None for the network alone, or if the shares were measured in training.
    """
    if request.method == NETWORK or model.factors_HI is not None:
        return None
    origins = origins_of(panel)
    panel, horizon, _ = on_grid(panel, origins, horizon)
    ahead = model.measured_ahead(horizon, request.mode)
    held_out = HeldOut.of(panel, origins)
    week = SharedWeek.of(left_open(panel))
    answers = calibrated_answers(model.decode, panel, held_out, ahead, request, week)
    if request.method == COMBINED:
        answers = _with_few_shares(answers, panel, origins)
        answers = _by_recurrence(answers, panel, origins)
    return answers.combination


def one_step_ahead(model: Fitted, data: Any, quantiles: tuple[float, ...]) -> Forecast:
    """Forecast each known observation from those before it, with the network's own intervals."""
    panel, _ = joined(model, data)
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    counts = np.arange(len(series)) - panel.offsets[series]
    fewest = max(model.fewest_known, 1)
    is_forecast = (counts >= fewest) & occurring(panel)
    panel = without(panel)
    origins = Origins(series[is_forecast], counts[is_forecast])
    quantiles_O1Q = model.decode(panel, origins, 1, "one-step")
    effects = effects_of(panel)
    if effects is not None:
        quantiles_O1Q = effects.shut(quantiles_O1Q, origins)
    return _forecast(model, panel, origins, Answers(quantiles_O1Q), quantiles)


def _counted_on(lead: NDArray, cutoffs: Any) -> Any:
    """Cutoffs (S, K) counted from the first saved value.

    Invalid cutoffs are left unchanged, and rejected later.
    """
    counts = np.asarray(cutoffs)
    if counts.ndim != 2 or len(counts) != len(lead) or counts.dtype.kind not in "iu":
        return cutoffs
    return np.where(counts > 0, counts + lead[:, None], counts)


def _forecast(
    model: Fitted,
    panel: Panel,
    origins: Origins,
    answers: Answers,
    levels: Levels,
    rows: NDArray | None = None,
) -> Forecast:
    bounds, first_O = None, None
    if model.network.config.inputs.from_context:
        closed_OH = unsold(left_open(panel), origins, answers.quantiles_OHQ.shape[1])
        answers = answers._replace(quantiles_OHQ=shut(answers.quantiles_OHQ, closed_OH))
    levels_OHQ = at_levels(answers.quantiles_OHQ, levels)
    if model.network.config.inputs.from_context:
        first_O = model.reader.context_for(panel.periods).start(origins.counts)
        bounds = bounds_of(panel, origins, first_O, answers.quantiles_OHQ, levels_OHQ)
    is_whole_O = whole_origins(panel, origins, first_O)
    point_OH = answers.quantiles_OHQ[:, :, MEDIAN]
    if model.network.head.spreads:  # otherwise it may be a mean
        point_OH = made_whole(point_OH, is_whole_O)
    return Forecast.at_origins(
        panel,
        origins,
        point_OH,
        levels_OHQ,
        levels,
        answers.combination,
        answers.dependence,
        rows,
        bounds,
        is_whole_O,
    )
