"""LSTMForecaster: the public estimator. It wires the parts together and does nothing else.

S series · O origins · H horizon · Q quantile levels
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from lstmcast import decoding, store, transformed
from lstmcast.data.panel import Columns, Panel
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.evaluation.held_out import (
    MOST_CUTOFFS,
    at_levels,
    calibrated,
    measured_factors,
    widened,
)
from lstmcast.fitted import Beginning, Learned, context_of, last_times
from lstmcast.forecast import QUANTILES, Forecast, Origins, checked_horizon, origins_of
from lstmcast.model import heads
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, NetworkConfig, described, network_of
from lstmcast.pretrained import (
    check_fit,
    check_kinds,
    check_together,
    checked_quantiles,
    require_unseen,
    seen_notes,
    start_of,
    unmeasured_notes,
    unused_notes,
    usual_training,
    with_length,
)
from lstmcast.saved_context import Continuation, SavedContext
from lstmcast.training_config import TrainingConfig, require_torch, to_json, training_from_json
from lstmcast.training_history import History
from lstmcast.transformed import Plain
from lstmcast.transforms import Transforms, TransformsState
from lstmcast.util.html import block, table
from lstmcast.util.text import some_names
from lstmcast.windows import CausalData, FitData

KIND = "forecaster"

Mode = Literal["direct", "recursive", "one-step"]
OLD_MODES: dict[str, Mode] = {"free": "recursive", "observed": "one-step"}
logger = logging.getLogger("lstmcast")


class LSTMForecaster:
    """Forecasts series with an LSTM network that arrives trained, and can be trained further or
    from scratch.

    `horizon`: steps to forecast unless `predict` is asked for another number. `weights`: what `fit`
    starts from and, but for "scratch", `predict` can use at once: "pretrained" for the shipped
    network, a folder that holds a network, or the network itself. `network`: what a network from
    scratch is like. `training`: how `fit` trains; what suits the network unless given.
    `transforms`: for plain inputs, what series go through before the network and back after it;
    none unless given, or those of the folder that the weights are from. `head`: your own head, an
    object as `lstmcast.model.heads.Head` describes it, or the name of one. `quantiles`: quantile
    levels of the forecast, between 0 and 1.

    >>> import numpy as np, lstmcast as lc
    >>> panel = lc.Panel.from_arrays(10 + np.arange(48) % 12, frequency="MS", start="2020-01")
    >>> forecast = lc.LSTMForecaster(horizon=3).predict(panel)
    >>> forecast.point.round()
    array([[10., 11., 12.]])
    """

    name = "lstmcast"

    def __init__(
        self,
        horizon: int,
        *,
        weights: str | Path | Network = "pretrained",
        network: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        transforms: Any = None,
        head: Head | str | None = None,
        quantiles: Iterable[float] = QUANTILES,
        seed: int = 0,
    ) -> None:
        check_kinds(weights, network, training, head, seed)
        self.horizon = checked_horizon(horizon)
        self.quantiles = checked_quantiles(quantiles)
        self.own_head = None if isinstance(head, str) else head
        given = start_of(weights, network, head, self.horizon)
        self.start, self.seen = given.start, given.seen
        self.began: Beginning = given.began
        self.transforms = given.transforms if transforms is None else Transforms.of(transforms)
        self.config = self.start.config if isinstance(self.start, Network) else self.start
        self.training = training or usual_training(self.start, given.batching)
        # in which the network was trained, as far as that is known
        self.batching = given.batching or self.training.batching
        self.seed = seed
        self.network = self.start if isinstance(self.start, Network) else None
        self.saved_context: SavedContext | None = None
        self.learned: Learned | None = None
        check_together(self.start, self.config, self.transforms, self.horizon, self.training)

    def __repr__(self) -> str:
        parts = [f"horizon={self.horizon}"]
        if self.network is None or not self.config.is_causal:
            parts.append(
                f"{self.config.inputs} inputs, LSTM {'-'.join(map(str, self.config.layers))}"
            )
        parts += (
            ["not trained yet"] if self.network is None else ["trained"] if self.learned else []
        )
        parts += [f"remembers {len(self.saved_context.panel)} series"] if self.saved_context else []
        return f"LSTMForecaster({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """What it is, for notebooks."""
        members = self.network.members if self.network else ()
        numbers = sum(array.size for arrays in members for array in arrays.values())
        size = f"LSTM layers of {'-'.join(map(str, self.config.layers))} units"
        rows = [
            ("horizon", f"{self.horizon:,} steps"),
            ("quantile levels", ", ".join(f"{level:g}" for level in self.quantiles) or "none"),
            (
                "network",
                f"{len(members)} × {size}, {numbers:,} weights"
                if members
                else f"{size}, not trained yet",
            ),
        ]
        rows += [("trained", repr(self.history))] if self.learned else []
        rows += [("remembers", repr(self.saved_context.panel))] if self.saved_context else []
        return block("LSTMForecaster", table(("", ""), rows, left=(0, 1), wrap=True))

    @property
    def columns(self) -> Columns:
        """Names of the columns of the data that a model remembers; the usual ones otherwise."""
        return self.saved_context.panel.columns if self.saved_context else Columns()

    @property
    def history(self) -> History:
        """What happened in each epoch of the training; empty where nothing was trained."""
        return self.learned.history if self.learned else History()

    @property
    def needs_fit(self) -> bool:
        """Whether it can forecast only after `fit`."""
        return self.network is None

    @property
    def trained_ends(self) -> Mapping[str, Any] | None:
        """The last time of each series that the weights were fitted to; None where nothing was
        trained on data."""
        return (self.learned.known_ends() if self.learned else self.seen) or None

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
    ) -> LSTMForecaster:
        """Train on the data: a new, fitted forecaster, which remembers them. It starts from the
        configured weights.

        `data`: a Panel or anything that `lstmcast.read` reads. `loss`: your own, a function of what
        the head's `point` gives and of the target, both tensors, that gives the loss of each value.
        `callbacks`: each is called with a `training.callbacks.EpochReport` after every epoch, and
        stops the training by returning True. `folder`: where checkpoints are kept; with `resume` a
        run that was interrupted goes on from there. `device`: "cpu" or "cuda". `threads`:
        processors used, all that help unless given. Raises `MissingExtraError` without PyTorch,
        `DataError` for series that are too short, `UsageError`, `ModelError`.
        """
        require_torch()
        check_fit(self.training, loss, callbacks, folder, resume, threads)
        from lstmcast.data.read import as_panel
        from lstmcast.training.fitting import fit_network

        panel = as_panel(data)
        require_unseen(self.seen, panel)
        validation = self.training.validation
        ends = (
            validation.training_ends(panel.lengths, self.horizon) if validation else panel.lengths
        )
        what, state = self._fit_data(panel, ends)
        training = with_length(self.training, what)
        fitted = fit_network(
            self.start,
            what,
            training,
            seed=self.seed,
            loss=loss,
            head=self.own_head,
            callbacks=callbacks,
            folder=folder,
            resume=resume,
            device=device,
            threads=threads,
        )
        until = panel.lengths if fitted.refitted else ends
        factors_HI = np.ones((self.horizon, heads.MEDIAN))
        ends_S = last_times(panel, until)
        notes = (
            fitted.notes + seen_notes(self.seen, panel, ends) + unused_notes(self.transforms, panel)
        )
        notes += unmeasured_notes(panel, ends)
        learned = Learned(
            panel.ids,
            ends_S,
            factors_HI,
            fitted.history,
            training,
            self.began,
            notes,
            state,
            self.seen,
            transformed.mean_changes(panel, Origins(np.arange(len(panel)), ends)),
        )
        validated = self._with(fitted.validated, learned)
        factors_HI = measured_factors(validated._decode, panel, ends, self.horizon)
        new = self._with(fitted.network, replace(learned, factors_HI=factors_HI))
        new.saved_context = new._context_of_data(panel)
        return new

    def _with(self, network: Network, learned: Learned) -> LSTMForecaster:
        new = copy.copy(self)
        new.network, new.learned, new.batching = network, learned, learned.training.batching
        return new

    def predict(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
        mode: Mode = "direct",
    ) -> Forecast:
        """Forecast what comes after each series, or after each cutoff.

        `data`: a Panel, anything that `lstmcast.read` reads, or what `continued` gave; a fitted or
        loaded model goes on from what it remembers, and forecasts just that when there are no data.
        `cutoffs` (S, K): how many observations of each series of the data are known, instead of
        all. `mode`: "direct" reads all steps from the newest state; "recursive" feeds every step
        back; "one-step" forecasts each known observation from those before it, one step ahead, with
        the network's own intervals. (A loaded model that was trained on windows remembers the
        newest one only.) Raises `DataError`, `UsageError` or `ModelError`.
        """
        if mode in OLD_MODES:
            warn(f"{mode=} is called {OLD_MODES[mode]!r} now.", DeprecationWarning, stacklevel=2)
            mode = OLD_MODES[mode]
        if mode not in get_args(Mode):
            raise UsageError(f"{mode=} is not known. Use 'direct', 'recursive' or 'one-step'.")
        if mode == "one-step":
            return self._one_step(self._panel(data), horizon, cutoffs)
        horizon = checked_horizon(horizon, self.horizon)
        panel, lead = self._joined(data)
        origins = origins_of(panel, cutoffs if cutoffs is None else _after(lead, cutoffs))

        def decode(panel: Panel, origins: Origins, horizon: int) -> NDArray:
            return self._decode(panel, origins, horizon, recursive=mode == "recursive")

        if self.learned:
            quantiles = widened(decode(panel, origins, horizon), self.learned.factors_HI)
        else:
            quantiles = calibrated(decode, panel, origins, horizon)
        self._tell_unknown(panel, origins, quantiles)
        return self._forecast(panel, origins, quantiles)

    def states(self, data: Any = None) -> dict[str, list[tuple[NDArray, NDArray]]]:
        """State of the first member's LSTM layers after every step, by series: for each layer h and
        c, each (T, units).

        For networks with plain inputs; UsageError for others. Columns that are read together share
        the states of one.
        """
        panel = self._panel(data)
        if self.config.is_causal:
            raise UsageError(
                "states() are those of a network with plain inputs; this one has causal inputs."
            )
        rows = transformed.hidden_states(self._plain(), panel)
        return {
            str(name): rows[0 if self._plain().joint else s] for s, name in enumerate(panel.ids)
        }

    def continued(self, data: Any) -> Continuation:
        """Newer data joined to what a fitted or loaded model remembers; it says which series go on.

        `data`: a Panel or what `lstmcast.read` reads, with the columns of the saved data; one row
        is enough.
        """
        from lstmcast.data.newer import read_newer

        if self.saved_context is None:
            raise UsageError(
                "This forecaster remembers no data: only a model that was saved and loaded can go "
                "on."
            )
        return self.saved_context.join(read_newer(data, self.saved_context.panel))

    def save(self, folder: str | Path, data: Any = None) -> None:
        """Save the network and as much of the data as its next forecasts need, so that `load` can
        go on from there.

        `data`: for a model that remembers none. The folder then contains values of the data. Raises
        `OutputError` where it cannot be written.
        """
        memory = (
            self._context_of_data(self._panel(data))
            if data is not None or self.saved_context is None
            else self.saved_context
        )
        memory = self._to_save(memory)
        about, weights = described(self._trained())
        manifest = {
            "kind": KIND,
            **about,
            "horizon": self.horizon,
            "levels": list(self.quantiles),
            **memory.described(),
        }
        manifest["seed"] = self.seed
        arrays = {"weights": weights, "state": memory.arrays()}
        manifest["training"] = to_json(self._done)
        if self.learned:
            manifest["trained"] = self.learned.described()
            arrays["learned"] = self.learned.arrays()
        if not self.config.is_causal:
            manifest["transforms"] = self.transforms.described()
            state = self.learned.transforms if self.learned else None
            arrays["transforms"] = self.transforms.arrays(state) if state else {}
        store.save(folder, manifest, arrays)

    def held_back_from(self, panel: Panel) -> NDArray | None:
        """How many values of each series (S,) the weights were fitted to, 0 where all were; None
        where all of all were.

        `panel`: the one that was trained on.
        """
        if self.learned is None:
            return None
        known = panel.frequency.position(self.learned.ends, panel.starts) + 1
        held_back = np.where(known < panel.lengths, known, 0)
        return held_back if held_back.any() else None

    def _trained(self) -> Network:
        if self.network is None:
            raise UsageError(
                "This forecaster starts from scratch: it knows nothing yet. Call fit(data) first."
            )
        return self.network

    def _panel(self, data: Any) -> Panel:
        return self._joined(data)[0]

    def _joined(self, data: Any) -> tuple[Panel, NDArray]:
        """The series to forecast, and how many values of each (S,) are remembered from before
        the data."""
        if isinstance(data, Continuation):
            self._check_columns(data.panel)
            return data.panel, data.lead
        panel = self._without_joining(data)
        if panel is not None:
            return panel, np.zeros(len(panel), np.int64)
        continuation = self.continued(data)
        logger.info("%s", continuation)
        for finding in continuation.findings:
            # old data may be meant so here, as `Panel.until` gives them
            if finding.rule == "missing steps":
                logger.warning("%s", finding.text)
        self._check_columns(continuation.panel)
        return continuation.panel, continuation.lead

    def _without_joining(self, data: Any) -> Panel | None:
        """The series to forecast where nothing is to be joined; None otherwise."""
        if self.saved_context is None:
            if data is None:
                raise UsageError(
                    "There are no data to forecast. Give a Panel, a file's path or a frame."
                )
            from lstmcast.data.read import as_panel

            return as_panel(data)
        return self.saved_context.panel if data is None else None

    def _check_columns(self, panel: Panel) -> None:
        """DataError where columns that a network reads together come in another order than they
        were learned in."""
        learned = (
            []
            if self.learned is None or self.config.channels == 1
            else list(map(str, self.learned.ids))
        )
        names = list(map(str, panel.ids))
        if any(name in learned and learned.index(name) != k for k, name in enumerate(names)):
            raise DataError(
                f"The network reads the columns {', '.join(learned)} together, in this order; the "
                f"data have {', '.join(names)}. Bring them into that order, for example by "
                f"panel.select({learned})."
            )

    def _decode(
        self, panel: Panel, origins: Origins, horizon: int, recursive: bool = False
    ) -> NDArray:
        """Quantiles (O, H, Q) at the head's levels, in the units of the data, before any
        calibration."""
        if self.config.is_causal:
            return decoding.decode(self._trained(), panel, origins, horizon, recursive=recursive)
        return transformed.decode(self._plain(), panel, origins, horizon, recursive=recursive)

    def _plain(self) -> Plain:
        context, done = context_of(self.batching), self.learned
        if done is None:
            return Plain(self._trained(), self.transforms, context=context)
        changes = dict(zip(map(str, done.ids), done.changes, strict=True))
        return Plain(self._trained(), self.transforms, done.transforms, context, changes)

    def _fit_data(self, panel: Panel, ends: NDArray) -> tuple[FitData, TransformsState | None]:
        """What the network learns from, and what the transforms learned from the training part."""
        if self.config.is_causal:
            return CausalData(panel, ends, self.horizon), None
        return transformed.learning_data(self.config.channels, self.transforms, panel, ends)

    def _context_of_data(self, panel: Panel) -> SavedContext:
        return (
            SavedContext.of(panel, self.horizon, MOST_CUTOFFS)
            if self.config.is_causal
            else SavedContext(panel)
        )

    def _to_save(self, memory: SavedContext) -> SavedContext:
        """As much of a saved context as the next forecasts need."""
        context = context_of(self.batching)
        # unfitted: calibrated on all of it
        if self.config.is_causal or context is None or self.learned is None:
            return memory
        newest = SavedContext.newest(memory.panel, context + self._lag)
        # What is read in the place of a missing value may lie as far back as it likes.
        return memory if np.isnan(newest.panel.values).any() else newest

    @property
    def _done(self) -> TrainingConfig:
        """How the network was trained, as far as that is known."""
        return (
            self.learned.training
            if self.learned
            else replace(self.training, batching=self.batching)
        )

    @property
    def _lag(self) -> int:
        """Observations that have no transformed value."""
        return max((chain.lag for chain in self.transforms.chains), default=0)

    def _one_step(self, panel: Panel, horizon: int | None, cutoffs: NDArray | None) -> Forecast:
        if cutoffs is not None or horizon not in (None, 1):
            unused = "cutoffs have" if horizon in (None, 1) else f"{horizon=} has"
            raise UsageError(
                f"mode='one-step' forecasts every known observation, one step ahead: {unused} no "
                "place in it."
            )
        lengths = panel.lengths
        series = np.repeat(np.arange(len(panel)), lengths)
        counts = np.arange(len(series)) - panel.offsets[series]
        first = 0 if self.config.is_causal else self._lag  # a difference needs that many values
        origins = Origins(series[counts > first], counts[counts > first])
        if self.config.is_causal:
            return self._forecast(
                panel, origins, decoding.one_step_ahead(self._trained(), panel, origins)
            )
        return self._forecast(panel, origins, transformed.decode(self._plain(), panel, origins, 1))

    def _tell_unknown(self, panel: Panel, origins: Origins, quantiles: NDArray) -> None:
        """Say which series a network with plain inputs cannot forecast."""
        unknown = np.unique(origins.series[np.isnan(quantiles).all(axis=(1, 2))])
        if len(unknown) and not self.config.is_causal:
            logger.warning(
                "no forecast for %d of %d series (%s): %d known value%s needed before the cutoff",
                len(unknown),
                len(panel),
                some_names(panel.ids[unknown]),
                self._lag + 1,
                "s are" if self._lag else " is",
            )

    def _forecast(self, panel: Panel, origins: Origins, quantiles: NDArray) -> Forecast:
        if panel.kind in ("count", "positive"):
            quantiles = np.maximum(quantiles, 0.0)
        point = quantiles[:, :, heads.MEDIAN]
        return Forecast.at_origins(
            panel, origins, point, at_levels(quantiles, self.quantiles), self.quantiles
        )


def _after(lead: NDArray, cutoffs: Any) -> Any:
    """Cutoffs (S, K) counted from the first remembered value; what does not fit stays as it is,
    to be refused."""
    counts = np.asarray(cutoffs)
    if counts.ndim != 2 or len(counts) != len(lead) or counts.dtype.kind not in "iu":
        return cutoffs
    return np.where(counts > 0, counts + lead[:, None], counts)


def load(
    folder: str | Path, *, quantiles: Iterable[float] | None = None, head: Head | None = None
) -> LSTMForecaster:
    """A model saved by `LSTMForecaster.save`, with what it remembers; `ModelError` where it is
    damaged or newer.

    `quantiles`: quantile levels of its forecasts, those that it was saved with unless given.
    `head`: your own head, for a network that was made with it.
    """
    manifest, arrays = store.load(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(f"{folder} holds {store.kind_of(manifest)}, not a saved forecaster.")
    network = network_of(Path(folder), manifest, arrays, head)
    chosen = None if quantiles is None else checked_quantiles(quantiles)
    try:
        transforms = Transforms.from_json(manifest.get("transforms", {}))
        learned = Learned.from_saved(manifest, arrays, transforms)
        forecaster = LSTMForecaster(
            int(manifest["horizon"]),
            weights=network,
            transforms=transforms,
            head=head,
            quantiles=tuple(manifest["levels"]) if chosen is None else chosen,
            seed=manifest.get("seed", 0),
        )
        forecaster.saved_context, forecaster.learned = (
            SavedContext.from_saved(manifest, arrays["state"]),
            learned,
        )
        forecaster.seen = learned.known_ends() if learned else {}
        forecaster.training = training_from_json(manifest["training"])
        forecaster.batching = forecaster.training.batching
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The manifest in {folder} is incomplete ({error!r}). Save the model again."
        ) from error
    return forecaster
