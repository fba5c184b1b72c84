"""The interface of inputs: what a network reads of a series, and how answers are inverted.

Inputs are a frozen specification. Their state is a NamedTuple whose arrays have one row per
series; it is passed in and returned, for a batch, a chunk or one tick of a stream.

    B rows of a batch · T steps · K columns of a row · P past covariates
    C input channels · N positions · H coming steps
    X values per step: one point, quantiles or sample paths
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError
from lstmcast.util.states import State, mapped

# largest number that a network reads: products stay within 32-bit floats
LARGEST = 1e30


class Grid(NamedTuple):
    """Properties of the rows of a batch, set before their first value."""

    horizon: int  # number of coming steps that the inputs describe
    periods: tuple[int, ...] = ()
    family: str = ""  # of frequencies
    log_B: NDArray = np.zeros(1, bool)  # whether adaptive inputs read logarithms
    root_B: NDArray = np.zeros(1, bool)  # whether they read square roots
    unit_B: NDArray = np.ones(1)  # powers of two in which they read on the other axes
    effects: bool = False  # whether adaptive inputs receive effects known in advance
    # Whether the square-root axis is allowed: not if values are declared to be real.
    roots: bool = True


class Seen(NamedTuple):
    """What a network reads of T steps, and the values needed to invert answers at each step."""

    x_BTC: NDArray  # float32
    begun_BT: NDArray  # false before the first observation
    known: (
        # inversion values at each step: a NamedTuple specific to the inputs, with arrays (B, T, …)
        Any
    )
    label_BTK: NDArray | None = (
        None  # the label: the right answer of the head one step earlier; NaN = unknown
    )


class Inputs(Protocol):
    """Conversion of values to what a network reads, and of its answers to forecasts."""

    @property
    def kind(self) -> str:
        """The name of the inputs in JSON."""
        ...

    @property
    def columns(self) -> int:
        """K: values of a row at each step, each predicted from all."""
        ...

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the P past covariates."""
        ...

    @property
    def skips(self) -> bool:
        """Whether the network has a linear path from its inputs to the locations of its head."""
        ...

    @property
    def from_context(self) -> bool:
        """Whether a forecast reads from the start of its context, on an axis chosen for it, rather
        than whole series."""
        ...

    @property
    def fewest(self) -> int:
        """Number of known values that a row needs before its first forecast; 0 for none."""
        ...

    def context(self, periods: tuple[int, ...]) -> Context:
        """The default context of forecasts."""
        ...

    def adds_up(self, horizon: int) -> bool:
        """Whether inversion adds up the answers of this number of steps."""
        ...

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """Raise DataError for values (R, K) that cannot be read; `ids` names the rows."""
        ...

    def of_rows(self, fitted: Any, ids: list[Any]) -> Any:
        """The fitted parameters of the rows of a stream; None if there are none.

        Raises UsageError for a row without fitted parameters.
        """
        ...

    def fitted_from(self, arrays: Mapping[str, NDArray], ids: NDArray) -> Any:
        """The fitted parameters of series with these ids from a saved model; None if there are
        none."""
        ...

    def described(self) -> dict[str, Any]:
        """The inputs as JSON values, from which `model.inputs.inputs_of` rebuilds them."""
        ...

    def width(self, horizon: int) -> int:
        """C, the number of channels, for a head with this horizon."""
        ...

    def data(
        self,
        panel: Panel,
        ends: NDArray,
        horizon: int | None = None,
        fitted: Any = None,
    ) -> tuple[Any, Any]:
        """Training data from the first `ends` (S,) values of each series, and the parameters fitted
        to them; parameters in `fitted` are kept."""
        ...

    def start(self, grid: Grid, rows: int, fitted: Any = None) -> Any:
        """The state before the first value of each row; `fitted`: their fitted parameters."""
        ...

    def advance(
        self, state: Any, values_BTK: NDArray, known: NDArray | None = None
    ) -> tuple[Seen, Any]:
        """Read T more values of each row (NaN = missing). `known` (B, T, P): past covariates, if
        there are any; for adaptive inputs, effects (B, T, 1 + H)."""
        ...

    def known(self, state: Any) -> Any:
        """The values needed to invert answers after the newest value of each row."""
        ...

    def place(self, answer_NHKX: NDArray, known: Any) -> NDArray:
        """The head's answers on the axis on which steps follow each other; `known` belongs to the N
        positions."""
        ...

    def around(self, known: Any) -> tuple[NDArray, NDArray]:
        """Location and scale of the answers on that axis; each broadcasts to (N, H, K)."""
        ...

    def widths_of(self, known: Any) -> NDArray | None:
        """Relative interval widths of the coming steps (N, H), by which quantiles are stretched
        about the median; None leaves the head's widths unchanged."""
        ...

    def feed(self, point_NHK: NDArray, state: Any) -> tuple[Seen, Any]:
        """Read answers on that axis as if they had been observed."""
        ...

    def units(
        self, z_NHKX: NDArray, known: Any, paths: bool = False, moves: bool = True
    ) -> NDArray:
        """Answers on that axis, of all steps after the N positions, in the units of the data.
        `moves`: whether they may be shifted to the newest value when few values were read."""
        ...


def with_uplift(
    around: tuple[NDArray, NDArray], uplift_NH: NDArray
) -> tuple[NDArray, NDArray]:
    """Location and scale of answers whose mean is multiplied by the uplift; other parameters of
    the head are in their units and follow."""
    location, scale = around
    uplift_NH1 = uplift_NH[:, :, None]
    return location * uplift_NH1, scale * uplift_NH1


def positions_of(states: State, rows: NDArray, steps: NDArray | int) -> State:
    """The fields at some positions (N, …) out of those at all steps (B, T, …)."""
    return mapped(lambda array_BT: array_BT[rows, steps], states)


def require_finite(values: NDArray, ids: NDArray) -> None:
    """Raise DataError for an infinite value (R, …), with the id of its row."""
    other_axes = tuple(range(1, values.ndim))
    is_infinite_R = np.isinf(values).any(axis=other_axes)
    infinite_R = np.flatnonzero(is_infinite_R)
    if len(infinite_R):
        raise DataError(
            f"Row {ids[infinite_R[0]]!r} has an infinite value. Use nan for unknown values."
        )


def require_size(values_N: NDArray, panel: Panel) -> None:
    """Raise DataError for transformed values of a panel's series that overflow 32-bit floats."""
    large = np.flatnonzero(np.abs(values_N) > LARGEST)
    if len(large):
        name = panel.ids[np.searchsorted(panel.offsets, large[0], side="right") - 1]
        raise too_large(name, values_N[large[0]])


def too_large(name: Any, value: Any) -> DataError:
    """The error for a value of a series that is too large."""
    return DataError(
        f"series {str(name)!r}: the network would read {value:.3g}, but its 32-bit numbers only "
        f"reach {LARGEST:g}. Use a scaling transform, such as Standard()."
    )


def decayed_sums(sum_before: NDArray, keep_T: NDArray, new_T: NDArray) -> NDArray:
    """Sums before each of T steps and after the last (1 + T, …): each is the previous one times the
    share that is kept, plus the new term.

    >>> decayed_sums(np.array(8.0), np.array([0.5, 0.5]), np.array([1.0, 1.0]))
    array([8. , 5. , 3.5])
    """
    sums_T = np.empty((1 + len(new_T), *sum_before.shape))
    sums_T[0] = sum_before
    for step in range(len(new_T)):
        newest = np.multiply(keep_T[step], sums_T[step], out=sums_T[step + 1, ...])
        np.add(newest, new_T[step], out=newest)
    return sums_T
