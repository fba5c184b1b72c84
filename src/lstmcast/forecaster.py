"""LSTMForecaster: the public estimator. It wires the parts together and does nothing else.

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
    quantiles_of,
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
    """Forecasts series with an LSTM network that arrives trained, and can be trained further or
    from scratch.

    It is a specification, the arguments below, and what was fitted to data, `fitted`: None before
    `fit`. The specification does not change; two forecasters are equal if theirs are, and `replace`
    gives one with other settings.

    Args:
        horizon: Steps to forecast unless `predict` is asked for another number.
        weights: What `fit` starts from and, but for "scratch", an unfitted forecaster forecasts
            with: "pretrained" for the shipped network, a folder that holds a network, or the
            network itself.
        network: What a network from scratch is like.
        training: How `fit` trains; what suits the network unless given.
        head: Your own head, an object as `lstmcast.model.heads.Head` describes it, or the name of
            one.
        quantiles: Quantile levels of the forecast, between 0 and 1.
        seed: Random seed of the training.
        method: What answers. "auto": for the shipped network as it arrives a combination of its
            forecast and simple ones, weighed by their errors at held-out cutoffs; for any other
            network its own forecast. "combined" and "network" ask for one of the two; "best" for
            the forecast with the least error alone; the name of one, such as "seasonal naive", for
            that.
        candidates: Forecasters beside those that are combined anyway: objects with a method
            `predict`, or names of baselines, such as "AutoETS".
        levels: The former name of `quantiles`.
        transforms: The former place of what the network's `Transformed` inputs hold.

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
            warn("levels= is called quantiles= now.", DeprecationWarning, stacklevel=2)
            quantiles = levels
        if transforms is not None:
            message = (
                "transforms= of a forecaster are its network's inputs now: "
                "network=NetworkConfig(inputs=Transformed(…)), or for given weights "
                "weights=network.with_inputs(Transformed(…))."
            )
            warn(message, DeprecationWarning, stacklevel=2)
        levels = checked_quantiles(quantiles)
        checked_candidates(candidates)
        own_candidates = tuple(candidates)
        specification = Specification(
            horizon, weights, network, training, head, levels, seed, method, own_candidates
        )
        chains = None if transforms is None else Transforms.of(transforms)
        self.specification, self.start = started(specification, chains)
        self.fitted = None

    @classmethod
    def _from_parts(
        cls, specification: Specification, start: Start, fitted: Fitted | None = None
    ) -> LSTMForecaster:
        """One whose weights were read already."""
        forecaster = cls.__new__(cls)
        forecaster.specification, forecaster.start, forecaster.fitted = specification, start, fitted
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
        """What it is, for notebooks."""
        return _html(self)

    def replace(self, **changes: Any) -> LSTMForecaster:
        """An unfitted forecaster with other settings, by the names of the arguments.

        >>> LSTMForecaster(12).replace(horizon=6, seed=1)
        LSTMForecaster(horizon=6, seed=1)
        """
        return LSTMForecaster(**{**vars(self.specification), **changes})

    def with_fitted(self, fitted: Fitted) -> LSTMForecaster:
        """The same specification with something else that was fitted."""
        return LSTMForecaster._from_parts(self.specification, self.start, fitted)

    def unfitted(self) -> LSTMForecaster:
        """The same specification without what was fitted: for a fit that leaves this one alone."""
        return LSTMForecaster._from_parts(self.specification, self.start)

    @classmethod
    def from_json(cls, text: str | Mapping[str, Any]) -> LSTMForecaster:
        """The forecaster that `to_json` described; UsageError for anything else."""
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
        """Train on the data and remember them: sets `fitted`, and returns the forecaster itself.

        It starts from the configured weights, whatever was fitted before: fitting twice is fitting
        once.

        Args:
            data: A Panel or anything that `lstmcast.read` reads.
            loss: Your own, a function of what the head's `point` gives and of the target, both
                tensors, that gives the loss of each value.
            callbacks: Each is called with a `training.callbacks.EpochReport` after every epoch, and
                stops the training by returning True.
            folder: Where checkpoints are kept.
            resume: Whether training continues from the checkpoints in `folder`: one that was
                interrupted, or one that ended, if more epochs are asked for now. The data may have
                grown at their ends and by new series since; transforms keep what they had learned.
            device: "cpu" or "cuda".
            threads: Processors used; all that help unless given.
            words: How the data are read, in the words of `lstmcast.read`: time, target, series, …

        Raises:
            MissingExtraError: PyTorch is not installed.
            DataError: No series is long enough.
            UsageError, ModelError: Settings do not go together; training gives no numbers.
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
        """Forecast what comes after each series, or after each cutoff.

        Args:
            data: A Panel, anything that `lstmcast.read` reads, or what `continued` gave. A fitted
                or loaded model continues from what it remembers, and forecasts that without data.
            horizon: Steps to forecast, the forecaster's own unless given.
            cutoffs: (S, K) How many observations of each series of the data are known, instead of
                all.
            mode: "direct" reads all steps from the newest state; "recursive" feeds every step back;
                "one-step" forecasts each known observation from those before it, one step ahead,
                with the network's own intervals. (A loaded model that was trained on windows
                remembers the newest one only.)
            level: Intervals in percent instead of the forecaster's quantiles: 80, or [80, 95].
            words: How the data are read, in the words of `lstmcast.read`: time, target, series, …

        Raises:
            DataError, UsageError, ModelError: Data, arguments or model cannot be used.
        """
        request = self._asked(horizon, cutoffs, checked_mode(mode))
        quantiles = self.quantiles if level is None else quantiles_of(level)
        if words:
            data = read_as_said(self.saved_context, data, self.past, words)
        return forecast_as(request, self.model, data, self.horizon, quantiles)

    def _asked(
        self, horizon: int | None = None, cutoffs: Any = None, mode: Mode = "direct"
    ) -> Asked:
        """What is asked for, answered as this forecaster does; UsageError where what was fitted
        answers otherwise."""
        if self.record and self.method != self.model.method:
            raise UsageError(
                f"method={self.method!r}: this model was fitted with method={self.model.method!r}, "
                "and its intervals were measured with that. Leave method out, or fit again."
            )
        candidates = checked_candidates(self.specification.candidates)
        return Asked(horizon, cutoffs, mode, self.method, candidates)

    def states(self, data: Any = None) -> dict[str, list[tuple[NDArray, NDArray]]]:
        """State of the first member's LSTM layers after every step, by series: for each layer h and
        c, each (T, units).

        For networks with transformed inputs; UsageError for others. Columns that are read together
        share the states of one.
        """
        model = self.model
        return model.states(joined(model, data)[0])

    def continued(self, data: Any) -> Continuation:
        """Newer data joined to what a fitted or loaded model remembers, and which series continue.

        `data`: a Panel or what `lstmcast.read` reads, with the columns of the saved data; one row
        is enough.
        """
        return continued(self.saved_context, data)

    def updated(self, data: Any) -> LSTMForecaster:
        """The same forecaster, remembering newer data too: what it forecasts next begins after
        them, and series that they lack stay as they were. Weights are not trained.

        `data`: as of `continued`, or what that gave. Doing it again with the same data changes
        nothing.
        """
        model = self.model
        if model.saved_context is None:
            raise UsageError(
                "This forecaster remembers no data: only one that was saved and loaded can "
                "continue."
            )
        continuation = data if isinstance(data, Continuation) else self.continued(data)
        panel = updated_panel(model.saved_context, continuation)
        fitted = replace(model, saved_context=model.context_of(panel, self.may_read_past))
        return LSTMForecaster._from_parts(self.specification, self.start, fitted)

    def save(
        self,
        folder: str | Path,
        data: Any = None,
        *,
        made_of: Combination | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Save the network and as much of the data as its next forecasts need, so that `load` can
        continue from there.

        `data`: for a model that remembers none. The folder then contains values of the data.
        `made_of`: what its next forecasts are made of, where a forecast has shown it; it is
        measured otherwise. `about`: more for the manifest, as JSON values. Raises `OutputError`
        where it cannot be written.
        """
        model = self.model
        if data is not None or model.saved_context is None:
            panel, _ = joined(model, data, self.may_read_past)
            context = model.context_of(panel, self.may_read_past)
            model = replace(model, saved_context=context)
        assert model.saved_context is not None
        saved_panel = model.saved_context.panel
        combination = made_of or combination_of(model, saved_panel, self.horizon, self._asked())
        manifest, groups = folder_contents(self.specification, self.start, model, combination)
        store.save(folder, {**manifest, **(about or {})}, groups)


def _html(model: LSTMForecaster) -> str:
    """A forecaster as a table for notebooks."""
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
    return block("LSTMForecaster", table(("", ""), rows, left_aligned=(0, 1), wrap=True))
