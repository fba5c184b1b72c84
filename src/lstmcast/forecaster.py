"""LSTMForecaster, the public estimator: it only connects the parts.

S series · K cutoffs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack
from warnings import warn

from numpy.typing import NDArray

from lstmcast import store
from lstmcast.data.words import Words
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import quantiles_of
from lstmcast.evaluation.methods import AUTO, checked_candidates
from lstmcast.fit import FitOptions, fitted_on
from lstmcast.fitted import Fitted, Mode
from lstmcast.forecast import QUANTILES, Combination, Forecast
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.predict import (
    Asked,
    checked_mode,
    combination_of,
    continued,
    forecast_as,
    joined,
    read_as_said,
)
from lstmcast.pretrained import Start
from lstmcast.saved_context import Continuation
from lstmcast.specification import (
    Specification,
    checked_quantiles,
    folder_contents,
    started,
)
from lstmcast.specified import SpecifiedForecaster
from lstmcast.training_config import TrainingConfig
from lstmcast.transforms import Transforms
from lstmcast.updating import updated_panel
from lstmcast.util.html import block, table


class LSTMForecaster(SpecifiedForecaster):
    """Forecast time series with an LSTM network: pretrained, fine-tuned, or trained from scratch.

    A forecaster holds its specification (the arguments below) and `fitted`, which is None before
    `fit`. The specification never changes: two forecasters are equal if their specifications are,
    and `replace` returns a copy with other settings.

    Args:
        horizon: Default number of steps to forecast.
        weights: Initial weights of `fit`, with which an unfitted forecaster forecasts: "pretrained"
            for the shipped network, the folder of a saved network, or a Network. With "scratch" the
            weights are random, and `fit` comes first.
        network: Architecture of a network from scratch.
        training: Settings of `fit`. Defaults to those that suit the network.
        head: The name of a head, or an object with the interface `lstmcast.model.heads.Head`.
        quantiles: Quantile levels of the forecast, between 0 and 1.
        seed: Random seed of the training.
        method: What makes the forecast. "combined": a combination of the network and simple
            forecasts, weighted by their errors at held-out cutoffs. "network": the network alone.
            "auto": "combined" for the shipped network without training, else "network". "best": the
            candidate with the smallest error. The name of a candidate, such as "seasonal naive":
            that candidate.
        candidates: Additional candidates of the combination: objects with a method `predict`, or
            names of baselines, such as "AutoETS".
        levels: The former name of `quantiles`.
        transforms: Former argument; now `NetworkConfig(inputs=Transformed(…))`.

    >>> import numpy as np, lstmcast as lc
    >>> panel = lc.Panel.from_arrays(10 + np.arange(48) % 12, frequency="MS", start="2020-01")
    >>> forecast = lc.LSTMForecaster(horizon=3).predict(panel)
    >>> forecast.point.round()
    array([[10., 11., 12.]])
    """

    def __init__(
        self,
        horizon: int,
        *,
        weights: str | Path | Network = "pretrained",
        network: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        head: Head | str | None = None,
        quantiles: Iterable[float] = QUANTILES,
        seed: int = 0,
        method: str = AUTO,
        candidates: Iterable[Any] = (),
        levels: Iterable[float] | None = None,
        transforms: Any = None,
    ) -> None:
        if levels is not None:
            warn("levels= is now called quantiles=.", DeprecationWarning, stacklevel=2)
            quantiles = levels
        if transforms is not None:
            message = (
                "transforms= is now part of the network's inputs: "
                "network=NetworkConfig(inputs=Transformed(…)), or for existing weights "
                "weights=network.with_inputs(Transformed(…))."
            )
            warn(message, DeprecationWarning, stacklevel=2)
        levels = checked_quantiles(quantiles)
        checked_candidates(candidates)
        own_candidates = tuple(candidates)
        specification = Specification(
            horizon,
            weights,
            network,
            training,
            head,
            levels,
            seed,
            method,
            own_candidates,
        )
        chains = None if transforms is None else Transforms.of(transforms)
        self.specification, self.start = started(specification, chains)
        self.fitted = None

    @classmethod
    def _from_parts(
        cls, specification: Specification, start: Start, fitted: Fitted | None = None
    ) -> LSTMForecaster:
        """A forecaster whose weights are already loaded."""
        forecaster = cls.__new__(cls)
        forecaster.specification, forecaster.start, forecaster.fitted = (
            specification,
            start,
            fitted,
        )
        return forecaster

    def __repr__(self) -> str:
        words = [repr(self.specification)]
        if self.needs_fit:
            words.append("not fitted")
        elif self.record:
            words.append("fitted")
        if self.saved_context:
            words.append(f"remembers {len(self.saved_context.panel)} series")
        return f"LSTMForecaster({', '.join(words)})"

    def _repr_html_(self) -> str:
        """A table of its properties, for notebooks."""
        return _html(self)

    def replace(self, **changes: Any) -> LSTMForecaster:
        """Return an unfitted forecaster with some arguments changed.

        >>> LSTMForecaster(12).replace(horizon=6, seed=1)
        LSTMForecaster(horizon=6, seed=1)
        """
        return LSTMForecaster(**{**vars(self.specification), **changes})

    def with_fitted(self, fitted: Fitted) -> LSTMForecaster:
        """The same specification with another fitted part."""
        return LSTMForecaster._from_parts(self.specification, self.start, fitted)

    def unfitted(self) -> LSTMForecaster:
        """The same specification without the fitted part, to fit a copy."""
        return LSTMForecaster._from_parts(self.specification, self.start)

    @classmethod
    def from_json(cls, text: str | Mapping[str, Any]) -> LSTMForecaster:
        """Make the forecaster that `to_json` described; UsageError for any other text."""
        return cls._from_parts(*started(*Specification.from_json(text)))

    # ---- fit and predict

    def fit(
        self,
        data: Any,
        *,
        loss: Callable[[Any, Any], Any] | None = None,
        callbacks: Sequence[Callable[[Any], Any]] = (),
        folder: str | Path | None = None,
        resume: bool = False,
        device: str = "cpu",
        threads: int | None = None,
        **words: Unpack[Words],
    ) -> LSTMForecaster:
        """Train the network on data, set `fitted`, and return the forecaster itself.

        Training always starts from the configured weights, so fitting twice equals fitting once.
        The fitted model keeps the newest values of the data, which later forecasts continue.

        Args:
            data: A Panel or anything that `lstmcast.read` reads.
            loss: Your own loss: a function of the point forecast of the head and the target, both
                tensors, that returns the loss of each value.
            callbacks: Functions called with a `training.callbacks.EpochReport` after every epoch;
                training stops when one returns True.
            folder: Where checkpoints are kept.
            resume: Whether to continue from the checkpoints in `folder`, after an interruption or
                to train for more epochs. The data may have gained new values at the end and new
                series; fitted transforms are kept.
            device: "cpu" or "cuda".
            threads: Number of CPU threads. Defaults to a number that suits the size of the network.
            words: Keyword arguments of `lstmcast.read`: time, target, series, …

        Raises:
            MissingExtraError: PyTorch is not installed.
            DataError: No series is long enough.
            UsageError, ModelError: Settings contradict each other, or training diverges.
        """
        options = FitOptions(loss, callbacks, folder, resume, device, threads)
        if words:
            data = read_as_said(None, data, self.past, words)
        self.fitted = fitted_on(self.specification, self.start, data, options)
        return self

    def predict(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
        mode: Mode = "direct",
        level: float | Sequence[float] | None = None,
        **words: Unpack[Words],
    ) -> Forecast:
        """Forecast the steps after each series, or after each cutoff.

        Args:
            data: A Panel, anything that `lstmcast.read` reads, or the result of `continued`. A
                fitted or loaded model continues from its saved context, and needs no data to
                forecast from there.
            horizon: Number of steps to forecast. Defaults to the forecaster's.
            cutoffs: (S, K) Number of observations of each series that are known. Defaults to all.
            mode: "direct" forecasts all steps from the newest state. "recursive" feeds each step
                back as input. "one-step" forecasts each known observation one step ahead, with the
                network's own intervals (a loaded model that was trained on windows keeps only the
                newest one).
            level: Interval levels in percent, in place of the forecaster's quantiles: 80, or [80,
                95].
            words: Keyword arguments of `lstmcast.read`: time, target, series, …

        Raises:
            DataError, UsageError, ModelError: The data, the arguments or the model cannot be used.
        """
        request = self._asked(horizon, cutoffs, checked_mode(mode))
        quantiles = self.quantiles if level is None else quantiles_of(level)
        if words:
            data = read_as_said(self.saved_context, data, self.past, words)
        return forecast_as(request, self.model, data, self.horizon, quantiles)

    def _asked(
        self, horizon: int | None = None, cutoffs: Any = None, mode: Mode = "direct"
    ) -> Asked:
        """The request with this forecaster's method; UsageError if fitted with another."""
        if self.record and self.method != self.model.method:
            raise UsageError(
                f"method={self.method!r}: this model was fitted with "
                f"method={self.model.method!r}, and its intervals were measured with that. Leave "
                "out method, or fit again."
            )
        candidates = checked_candidates(self.specification.candidates)
        return Asked(horizon, cutoffs, mode, self.method, candidates)

    def states(self, data: Any = None) -> dict[str, list[tuple[NDArray, NDArray]]]:
        """States of the first member's LSTM layers after every step, by series.

        Each layer has h and c, each (T, units).

        Only networks with transformed inputs have them; others raise UsageError. Columns that are
                read together share one state.
        """
        model = self.model
        return model.states(joined(model, data)[0])

    def continued(self, data: Any) -> Continuation:
        """Join newer data to the saved context of a fitted or loaded model.

        `data`: a Panel or anything that `lstmcast.read` reads, with the columns of the saved data;
        one row is enough. The result says which series continue, and can be passed to `predict`.
        """
        return continued(self.saved_context, data)

    def updated(self, data: Any) -> LSTMForecaster:
        """The same forecaster with newer data added to its saved context.

        Its next forecasts begin after them; series that are not in the data stay as they were. The
        weights do not change.

        `data`: as for `continued`, or its result. Adding the same data again changes nothing.
        """
        model = self.model
        if model.saved_context is None:
            raise UsageError(
                "This forecaster has no saved context. Load a saved forecaster to continue from "
                "its data."
            )
        continuation = data if isinstance(data, Continuation) else self.continued(data)
        panel = updated_panel(model.saved_context, continuation)
        fitted = replace(
            model, saved_context=model.context_of(panel, self.may_read_past)
        )
        return LSTMForecaster._from_parts(self.specification, self.start, fitted)

    def save(
        self,
        folder: str | Path,
        data: Any = None,
        *,
        made_of: Combination | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Save the forecaster to a folder, from which `load` reads it.

        The folder holds the network and the newest values of the data that forecasts need. `data`:
        for a model without a saved context. `made_of`: the combination of its next forecasts, if a
        forecast has measured it. `about`: JSON values to add to the manifest. Raises `OutputError`
        if the folder cannot be written.
        """
        model = self.model
        if data is not None or model.saved_context is None:
            panel, _ = joined(model, data, self.may_read_past)
            context = model.context_of(panel, self.may_read_past)
            model = replace(model, saved_context=context)
        assert model.saved_context is not None
        saved_panel = model.saved_context.panel
        combination = made_of or combination_of(
            model, saved_panel, self.horizon, self._asked()
        )
        manifest, groups = folder_contents(
            self.specification, self.start, model, combination
        )
        store.save(folder, {**manifest, **(about or {})}, groups)


def _html(model: LSTMForecaster) -> str:
    """A forecaster as an HTML table, for notebooks."""
    network = f"LSTM layers of {'-'.join(map(str, model.config.layers))} units"
    if model.network:
        members = model.network.members
        weights = sum(array.size for arrays in members for array in arrays.values())
        network = f"{len(members)} × {network}, {weights:,} weights"
    else:
        network += ", not trained yet"
    levels = ", ".join(f"{level:g}" for level in model.quantiles) or "none"
    rows = [
        ("horizon", f"{model.horizon:,} steps"),
        ("quantile levels", levels),
        ("network", network),
    ]
    if model.record:
        rows.append(("trained", repr(model.history)))
    if model.saved_context:
        rows.append(("remembers", repr(model.saved_context.panel)))
    return block(
        "LSTMForecaster", table(("", ""), rows, left_aligned=(0, 1), wrap=True)
    )
