"""What a forecaster can be asked to answer with: a combination, the network alone, or one forecast
by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import baseline_named, without_quantiles
from lstmcast.evaluation.candidates import NAMES, Candidate, Given
from lstmcast.forecast import NETWORK

# What can be asked for, beside the name of a candidate. "auto" is the combination for the shipped
# network as it arrives, and the network alone for any other.
AUTO, COMBINED, BEST = "auto", "combined", "best"
METHODS = (AUTO, COMBINED, NETWORK, BEST)


def checked_method(method: Any, candidates: Sequence[Given]) -> str:
    """What a forecaster is asked to answer with; UsageError for what no data could make possible.

    >>> checked_method("seasonal naive", ())
    'seasonal naive'
    """
    if isinstance(method, str):
        beginnings = [name for name in NAMES if method.lower().startswith(name)]
        given = [one.name.lower() for one in candidates]
        if method in METHODS or beginnings or method.lower() in given or baseline_named(method):
            return method
    listed = ", ".join(f"'{name}'" for name in (*METHODS, *NAMES))
    raise UsageError(
        f"{method=} is not known. Use one of: {listed}, or the name of a baseline, such as "
        "'AutoETS'."
    )


def name_of(method: str) -> str:
    """What a forecaster is called in tables: like the one forecast that it was asked for, if it
    was.

    >>> name_of("auto"), name_of("best"), name_of("holt-winters")
    ('lstmcast', 'lstmcast', 'Holt–Winters')
    """
    if method in METHODS:
        return "lstmcast"
    baseline = baseline_named(method)
    return baseline.name if baseline else method


def checked_candidates(candidates: Any) -> tuple[Given, ...]:
    """Forecasters of the user's own as candidates; UsageError for what cannot forecast."""
    if isinstance(candidates, str) or not isinstance(candidates, Iterable):
        raise UsageError(
            f"{candidates=} is no list of forecasters. Give one, such as ['AutoETS'] or "
            "[HoltWinters()]."
        )
    given = tuple(one if isinstance(one, Given) else _given(one) for one in candidates)
    names = [one.name for one in given]
    if len(set(names)) < len(names):
        raise UsageError(f"candidates: {names} have the same name. Give each a name of its own.")
    return given


def _given(one: Any) -> Given:
    forecaster = baseline_named(one) if isinstance(one, str) else one
    if not callable(getattr(forecaster, "predict", None)):
        raise UsageError(
            f"candidates: {one!r} is no forecaster. Give an object with a method predict, or the "
            "name of a baseline, such as 'AutoETS'."
        )
    return Given(without_quantiles(forecaster), one if isinstance(one, str) else None)


def named(name: str, candidates: Sequence[Candidate], panel: Panel) -> Candidate:
    """A candidate by its name, or by its beginning ("seasonal naive"); UsageError lists them."""
    for fits in (str.__eq__, lambda one, asked: one.startswith(f"{asked} of ")):
        for one in candidates:
            if fits(one.name.lower(), name.lower()):
                return one
    if baseline := baseline_named(name):
        return Given(baseline)
    listed = ", ".join(repr(one.name) for one in candidates)
    raise UsageError(
        f"method={name!r} is no forecast of these data ({panel.frequency.name}). Use 'auto', "
        f"'network', 'combined', 'best' or one of: {listed}."
    )
