"""What a forecast refuses: arrays that do not fit, and levels and cutoffs it does not have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.util.text import brief

if TYPE_CHECKING:
    from lstmcast.forecast import Forecast


def checked_arrays(forecast: Forecast, levels: int) -> dict[str, np.ndarray]:
    """Its arrays, made read-only; UsageError if they do not fit the point forecast."""
    origins, horizon = np.shape(forecast.point)
    shapes = {
        "ids": (origins,),
        "cutoffs": (origins,),
        "times": (origins, horizon),
        "point": (origins, horizon),
        "quantiles": (origins, horizon, levels),
    }
    arrays = {}
    for name, shape in shapes.items():
        array = np.asarray(getattr(forecast, name)).view()
        if array.shape != shape:
            raise UsageError(
                f"Forecast: {name} has shape {array.shape}; with this point forecast and {levels} "
                f"levels, {shape} is expected."
            )
        array.flags.writeable = False
        arrays[name] = array
    if any(len(key) != origins for key in forecast.keys.values()):
        keys = list(forecast.keys)
        raise UsageError(f"Forecast: each of the keys {keys} needs {origins} values.")
    return arrays


def require_levels(quantile_levels: tuple[float, ...]) -> None:
    """Raise UsageError for levels that are not between 0 and 1, or not in order."""
    increasing = sorted(set(quantile_levels)) == list(quantile_levels)
    if not increasing or not all(0 < level < 1 for level in quantile_levels):
        raise UsageError(
            f"Forecast: {quantile_levels=} are not quantile levels. Give increasing numbers "
            "between 0 and 1."
        )


def no_interval(level: float, levels: str) -> UsageError:
    """The error for an interval that a forecast does not have, and those that it has."""
    tail = round((1 - level / 100) / 2, 6)
    return UsageError(
        f"The forecast has no {level:g}% interval (level is in percent). It has: {levels}. "
        f"Make the forecaster with quantiles=({tail:g}, 0.5, {1 - tail:g})."
    )


def no_cutoff(cutoff: str, known_cutoffs: str) -> UsageError:
    """The error for a cutoff that a forecast does not have, and those that it has."""
    return UsageError(f"No origin has the cutoff {cutoff}. There are: {known_cutoffs}.")


def listed(values: Iterable[Any]) -> str:
    """The first ten values, and how many there are if these are not all."""
    texts = [_text(value) for value in values]
    text = ", ".join(texts[:10])
    return f"{text}, … ({len(texts)} in all)" if len(texts) > 10 else text


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def no_quantile(forecast: Forecast, level: float) -> UsageError:
    """The error about a quantile that a forecast does not have."""
    levels = listed(forecast.quantile_levels) or "none"
    return UsageError(
        f"The forecast has no quantile {level:g}. It has: {levels}. Name those that are needed "
        "with LSTMForecaster(…, quantiles=[…])."
    )


def require_series(history: Any) -> None:
    """Raise UsageError for a history that is not a Panel, such as the path of a picture."""
    if not hasattr(history, "ids"):
        raise UsageError(
            f"panel={brief(history)} is not a Panel. To write a picture, use "
            "plot().savefig('forecast.png')."
        )


def time_like(moment: Any, dtype: np.dtype) -> Any:
    """A time of this type, of a date or text; UsageError if it is none.

    >>> str(time_like("2024-03-01", np.dtype("datetime64[us]")))
    '2024-03-01T00:00:00.000000'
    """
    is_dated = dtype.kind == "M"
    try:
        # a number would be read as one since 1970
        if is_dated == isinstance(moment, (int, np.integer)):
            raise TypeError(moment)
        return np.asarray(moment).astype(dtype)[()]
    except (TypeError, ValueError):
        expected = "a time such as '2025-12-31'" if is_dated else "the number of a step"
        raise UsageError(f"{moment!r} is not {expected}.") from None


def central_levels(quantile_levels: tuple[float, ...]) -> tuple[float, ...]:
    """The levels, in percent, of the central intervals between these quantiles.

    >>> central_levels((0.1, 0.5, 0.9, 0.95))
    (80.0,)
    """
    lower_levels = np.array(quantile_levels)
    percents = []
    for upper in quantile_levels:
        has_lower = np.any(np.abs(lower_levels + upper - 1) < 1e-9)
        if upper > 0.5 and has_lower:
            percents.append(round(100 * (2 * upper - 1), 6))
    return tuple(percents)
