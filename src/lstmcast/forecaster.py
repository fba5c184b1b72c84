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
from lstmcast.data.origins import checked_horizon
from lstmcast.data.panel import Columns
from lstmcast.data.words import Words
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation.methods import AUTO, checked_candidates, checked_method, name_of
from lstmcast.fit import FitOptions, fitted_on
from lstmcast.fitted import Fitted, Groups, Mode, Record, context_for, in_format_2
from lstmcast.forecast import NETWORK, QUANTILES, Combination, Forecast
from lstmcast.model.heads import Head
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig, network_of
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
from lstmcast.pretrained import Start, start_in
from lstmcast.saved_context import Continuation, SavedContext
from lstmcast.specification import (
    KIND,
    Specification,
    checked_quantiles,
    folder_contents,
    started,
)
from lstmcast.training_config import TrainingConfig, training_from_json
from lstmcast.training_history import History
from lstmcast.transforms import Transforms
from lstmcast.updating import updated_panel
from lstmcast.util.html import block, table


class LSTMForecaster:
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

    fitted: Fitted | None

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
        own = tuple(candidates)
        given = Specification(horizon, weights, network, training, head, levels, seed, method, own)
        chosen = None if transforms is None else Transforms.of(transforms)
        self.specification, self.start = started(given, chosen)
        self.fitted = None

    @classmethod
    def _of(
        cls, specification: Specification, start: Start, fitted: Fitted | None = None
    ) -> LSTMForecaster:
        """One whose weights were read already."""
        made = cls.__new__(cls)
        made.specification, made.start, made.fitted = specification, start, fitted
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LSTMForecaster):
            return NotImplemented
        return self.specification == other.specification

    def __hash__(self) -> int:
        return hash(self.specification)

    def __repr__(self) -> str:
        status = ["not fitted"] if self.needs_fit else ["fitted"] if self.record else []
        if self.saved_context:
            status.append(f"remembers {len(self.saved_context.panel)} series")
        return f"LSTMForecaster({', '.join([repr(self.specification), *status])})"

    def _repr_html_(self) -> str:
        """What it is, for notebooks."""
        return _html(self)

    # ---- the specification

    @property
    def horizon(self) -> int:
        """Steps to forecast unless `predict` is asked for another number."""
        return self.specification.horizon

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Quantile levels of the forecast."""
        return self.specification.quantiles

    @property
    def seed(self) -> int:
        """Random seed of the training."""
        return self.specification.seed

    @property
    def method(self) -> str:
        """What answers: "combined", "network", "best" or the name of a forecast."""
        return self.specification.resolved_method(self.start, self.fitted)

    @property
    def name(self) -> str:
        """What tables call it: that of the forecast that it was asked for, else "lstmcast"."""
        return name_of(self.specification.method)

    @property
    def config(self) -> NetworkConfig:
        """What the network is like."""
        return self.start.config

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the columns that the network reads beside the target."""
        return self.config.inputs.past

    @property
    def training(self) -> TrainingConfig:
        """How `fit` trains."""
        return self.specification.resolved_training(self.start)

    @property
    def transforms(self) -> Transforms:
        """What series go through before the network, and back after it."""
        inputs = self.config.inputs
        return inputs.transforms if isinstance(inputs, Transformed) else Transforms()

    def replace(self, **changes: Any) -> LSTMForecaster:
        """An unfitted forecaster with other settings, by the names of the arguments.

        >>> LSTMForecaster(12).replace(horizon=6, seed=1)
        LSTMForecaster(horizon=6, seed=1)
        """
        return LSTMForecaster(**{**vars(self.specification), **changes})

    def with_fitted(self, fitted: Fitted) -> LSTMForecaster:
        """The same specification with something else that was fitted."""
        return LSTMForecaster._of(self.specification, self.start, fitted)

    def unfitted(self) -> LSTMForecaster:
        """The same specification without what was fitted: for a fit that leaves this one alone."""
        return LSTMForecaster._of(self.specification, self.start)

    def to_json(self) -> str:
        """The specification as JSON, of which `from_json` makes an unfitted forecaster.

        Raises:
            UsageError: The weights are a Network, or the head is an object of your own.
        """
        return self.specification.as_json()

    @classmethod
    def from_json(cls, text: str | Mapping[str, Any]) -> LSTMForecaster:
        """The forecaster that `to_json` described; UsageError for anything else."""
        return cls._of(*started(*Specification.from_json(text)))

    # ---- what was fitted

    @property
    def network(self) -> Network | None:
        """The network that forecasts: the fitted one, else the one that training starts from."""
        return self.fitted.network if self.fitted else self.start.network

    @property
    def model(self) -> Fitted:
        """What it forecasts with; UsageError where it has no weights yet."""
        if self.fitted is not None:
            return self.fitted
        if self.start.network is None:
            raise UsageError(
                "This forecaster starts from scratch: it knows nothing yet. Call fit(data) first."
            )
        batching = self.specification.resolved_batching(self.start)
        context = context_for(self.start.network, batching)
        return Fitted(self.start.network, self.start.inputs, context)

    @property
    def may_read_past(self) -> bool:
        """Whether simple forecasts that it is combined with read columns beside the target."""
        return self.method != NETWORK and (self.fitted is None or self.model.factors_HI is None)

    @property
    def reads_future(self) -> bool:
        """Whether columns that are known in advance are used."""
        return True

    @property
    def needs_fit(self) -> bool:
        """Whether it can forecast only after `fit`."""
        return self.network is None

    @property
    def record(self) -> Record | None:
        """How it was trained; None where nothing was."""
        return self.fitted.record if self.fitted else None

    @property
    def learned(self) -> Record | None:
        """The former name of `record`."""
        warn("LSTMForecaster.learned is called record now.", DeprecationWarning, stacklevel=2)
        return self.record

    @property
    def history(self) -> History:
        """What happened in each epoch of the training; empty where nothing was trained."""
        return self.record.history if self.record else History()

    @property
    def saved_context(self) -> SavedContext | None:
        """The observations that it remembers, of a fitted or loaded model."""
        return self.fitted.saved_context if self.fitted else None

    @property
    def columns(self) -> Columns:
        """Names of the columns of the data that a model remembers; the usual ones otherwise."""
        return self.saved_context.panel.columns if self.saved_context else Columns()

    @property
    def trained_ends(self) -> Mapping[str, Any] | None:
        """The last time of each series that the weights were trained on; None without any."""
        return (self.record.trained_ends if self.record else self.start.seen) or None

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
        asked = self._asked(horizon, cutoffs, checked_mode(mode))
        quantiles = self.quantiles if level is None else quantiles_of(level)
        if words:
            data = read_as_said(self.saved_context, data, self.past, words)
        return forecast_as(asked, self.model, data, self.horizon, quantiles)

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
        own = checked_candidates(self.specification.candidates)
        return Asked(horizon, cutoffs, mode, self.method, own)

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
        return LSTMForecaster._of(self.specification, self.start, fitted)

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
        known = model.saved_context.panel
        combination = made_of or combination_of(model, known, self.horizon, self._asked())
        manifest, groups = folder_contents(self.specification, self.start, model, combination)
        store.save(folder, {**manifest, **(about or {})}, groups)


def _html(model: LSTMForecaster) -> str:
    """A forecaster as a table for notebooks."""
    members = model.network.members if model.network else ()
    numbers = sum(array.size for arrays in members for array in arrays.values())
    size = f"LSTM layers of {'-'.join(map(str, model.config.layers))} units"
    trained = f"{len(members)} × {size}, {numbers:,} weights"
    rows = [
        ("horizon", f"{model.horizon:,} steps"),
        ("quantile levels", ", ".join(f"{level:g}" for level in model.quantiles) or "none"),
        ("network", trained if members else f"{size}, not trained yet"),
    ]
    rows += [("trained", repr(model.history))] if model.record else []
    rows += [("remembers", repr(model.saved_context.panel))] if model.saved_context else []
    return block("LSTMForecaster", table(("", ""), rows, left_aligned=(0, 1), wrap=True))


def load(
    folder: str | Path,
    *,
    quantiles: Iterable[float] | None = None,
    head: Head | None = None,
    method: str | None = None,
    levels: Iterable[float] | None = None,
) -> LSTMForecaster:
    """A model saved by `LSTMForecaster.save`, with what it remembers.

    Its specification is that of a forecaster with `weights=folder`.

    Args:
        folder: Where it was saved.
        quantiles: Quantile levels of its forecasts, those that it was saved with unless given.
        head: Your own head, for a network that was made with it.
        method: What answers, as the argument of LSTMForecaster; as it was saved unless given.
        levels: The former name of `quantiles`.

    Raises:
        ModelError: The folder holds something else, is damaged, or of a newer format.
    """
    if levels is not None:
        warn("levels= is called quantiles= now.", DeprecationWarning, stacklevel=2)
        quantiles = levels
    manifest, groups = store.load(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(_not_a_forecaster(folder, manifest))
    network = network_of(Path(folder), manifest, groups, head)
    chosen = None if quantiles is None else checked_quantiles(quantiles)
    with store.complete(folder):
        model = _loaded(Path(folder), *in_format_2(manifest, groups), network, head, chosen)
    if method is None:
        return model
    own = checked_candidates(model.specification.candidates)
    specification = replace(model.specification, method=checked_method(method, own))
    return LSTMForecaster._of(specification, model.start, model.fitted)


def _not_a_forecaster(folder: str | Path, manifest: Mapping[str, Any]) -> str:
    """What a folder holds instead, and what can be done with it."""
    holds = f"{folder} holds {store.kind_of(manifest)}, not a saved forecaster."
    if manifest.get("kind") != "network":
        return holds
    use = (
        f"Train on from it or forecast data with it by weights={str(folder)!r}: its transforms, if "
        "it has any, learn from the data that it is given."
    )
    if "epoch" not in manifest:
        return f"{holds} {use}"
    return (
        f"{folder} holds a snapshot of an older lstmcast: the network alone, without what its "
        "transforms had learned and without data. Train again, which writes snapshots that can be "
        f"loaded. {use}"
    )


def _loaded(
    folder: Path,
    manifest: Mapping[str, Any],
    groups: Groups,
    network: Network,
    head: Head | None,
    quantiles: tuple[float, ...] | None,
) -> LSTMForecaster:
    """The forecaster that a folder of the current format holds."""
    start = start_in(network, manifest, groups)
    specification = Specification(
        checked_horizon(manifest["horizon"]),
        folder,
        head=head,
        quantiles=checked_quantiles(manifest["quantiles"]) if quantiles is None else quantiles,
        seed=manifest.get("seed", 0),
    )
    training = training_from_json(manifest["training"])
    if training.members not in (1, len(network.members)):  # a snapshot of one, or interrupted
        training = replace(training, members=1)
    if training != specification.resolved_training(start):
        specification = replace(specification, training=training)
    fitted = Fitted.from_saved(manifest, groups, network)
    specification = _answering(specification, start, fitted, manifest)
    return LSTMForecaster._of(specification, start, fitted)


def _answering(
    specification: Specification, start: Start, fitted: Fitted, manifest: Mapping[str, Any]
) -> Specification:
    """The same with the method that was saved, where it is another one than is usual; models of
    older versions answer alone."""
    named = tuple(manifest.get("candidates", ()))
    specification = replace(specification, candidates=named)
    method = manifest.get("method", NETWORK)
    if method == specification.resolved_method(start, fitted):
        return specification
    return replace(specification, method=method)
