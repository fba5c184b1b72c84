"""Presets choose what to train on a panel, and select the best model at held-out cutoffs.

The candidates are the shipped network, a fine-tuned copy, a network of the same shape from scratch,
and the average of the three. They are compared on the last windows, which none of them has seen,
and the best one is trained again on all data. A model that is not at least 1% better than the
shipped network is not used.

    S series · K held-out cutoffs
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import using_share
from lstmcast.data.observed import without
from lstmcast.data.origins import checked_horizon
from lstmcast.data.panel import Panel
from lstmcast.data.words import Words
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import backtest, spaced_cutoffs
from lstmcast.evaluation.calibration import held_back, measured_factors
from lstmcast.evaluation.combination import weighed
from lstmcast.evaluation.methods import COMBINED
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.network import Network
from lstmcast.pretrained import shipped
from lstmcast.training_config import TrainingConfig, require_torch
from lstmcast.util.lines import aligned
from lstmcast.util.spelling import did_you_mean

PresetName = Literal["balanced", "best"]
SHIPPED, TUNED, SCRATCH, AVERAGE = "shipped", "fine-tuned", "from scratch", "average"
CUTOFFS = 3  # held out, as far as history allows
FEWEST_VALUES = 300  # known values before the first cutoff that training needs
# another model must have at most this share of the shipped network's error
BETTER = 0.99
UPDATES = 25  # updates of an epoch, as for panels of many series
Progress = Callable[[str], object]


@dataclass(frozen=True)
class Preset:
    """How much a preset may train.

    `seconds`: total time, for the comparison and the training on all data. `epochs`: of fine-tuning
    and of training from scratch. `members`: number of networks from scratch. `scratch_values`:
    number of known values needed to train one.
    """

    name: PresetName
    seconds: float
    epochs: tuple[int, int]
    members: int
    scratch_values: int

    def planned(self, values: int) -> list[str]:
        """The models to train with this many values before the first cutoff."""
        if values < FEWEST_VALUES:
            return []
        return [TUNED, SCRATCH] if values >= self.scratch_values else [TUNED]


PRESETS = {
    "balanced": Preset("balanced", 300.0, (12, 16), 1, 20_000),
    "best": Preset("best", 1800.0, (24, 40), 2, 5_000),
}
# Share of the seconds for each training of the comparison; the training on all data may take as
# much.
SHARES = {TUNED: 0.2, SCRATCH: 0.3}


@dataclass(frozen=True, eq=False)
class PresetResult:
    """The selected model and how it was selected.

    `chosen`: name of the selected model · `errors`: MASE of the candidates (MAE for one series), by
    name · `measure`: which of the two · `plan`: what was trained and why, in sentences.
    """

    model: LSTMForecaster
    preset: PresetName
    chosen: str
    errors: Mapping[str, float]
    measure: str
    plan: tuple[str, ...]
    panel: Panel = field(repr=False)

    def document(self) -> dict[str, Any]:
        """The result as JSON values, which a saved model keeps."""
        return {
            "preset": self.preset,
            "chosen": self.chosen,
            "measure": self.measure,
            "errors": {
                name: round(float(error), 6) for name, error in self.errors.items()
            },
            "plan": list(self.plan),
        }

    def save(self, folder: Any) -> None:
        """Save the model, with the result of the comparison in its manifest."""
        data = None if self.model.saved_context else self.panel
        self.model.save(folder, data, about={"preset": self.document()})

    def __str__(self) -> str:
        lines = list(self.plan)
        if self.errors:
            rows = [["compared", self.measure]]
            rows += [[name, f"{error:.4g}"] for name, error in self.errors.items()]
            lines += ["", aligned(rows[0], rows[1:], left_aligned=["compared"]), ""]
        return "\n".join([*lines, f"Selected: {self.chosen}."])


def preset_named(name: str) -> Preset:
    """A preset by its name; UsageError for an unknown name."""
    if not isinstance(name, str) or name not in PRESETS:
        names = ", ".join(map(repr, get_args(PresetName)))
        meant = did_you_mean(name, PRESETS)
        raise UsageError(f"preset={name!r} is not known.{meant} Use one of: {names}.")
    return PRESETS[name]


def fit_preset(
    data: Any,
    horizon: int,
    preset: str | Preset = "balanced",
    *,
    seed: int = 0,
    callbacks: Sequence[Callable[[Any], Any]] = (),
    progress: Progress | None = None,
    **words: Unpack[Words],
) -> PresetResult:
    """Train the models that suit the data, and select the best at held-out cutoffs.

    Args:
        data: A Panel or anything that `lstmcast.read` reads.
        horizon: Steps to forecast.
        preset: "balanced" (at most about 5 minutes) or "best" (30), or a `Preset` of your own.
        seed: Random seed of the trainings.
        callbacks: As in `LSTMForecaster.fit`, for each training.
        progress: Function called with a sentence when a step begins.
        words: Keyword arguments of `lstmcast.read`.

    Raises:
        UsageError, DataError, MissingExtraError: As in `LSTMForecaster.fit`.
    """
    from lstmcast.data.read import as_panel

    work = preset if isinstance(preset, Preset) else preset_named(preset)
    checked_horizon(horizon)
    require_torch()
    panel = as_panel(data, (), words)
    trial = _Trial(work, panel, horizon, seed, tuple(callbacks), progress or _unheard)
    return trial.result()


def _unheard(_: str) -> None:
    """Ignore progress."""


@dataclass(frozen=True, eq=False)
class _Trial:
    """The comparison on the last windows of a panel."""

    work: Preset
    panel: Panel
    horizon: int
    seed: int
    callbacks: tuple[Callable[[Any], Any], ...]
    progress: Progress

    def result(self) -> PresetResult:
        counts = self._counts()
        values = self._known_before(counts)
        names = self.work.planned(values) if counts.any() else []
        plan = self._plan(names, values, counts)
        for sentence in plan:
            self.progress(sentence)
        plain = LSTMForecaster(self.horizon)
        measure = "mase" if len(self.panel) > 1 else "mae"
        errors = self._errors(plain, names, counts, measure) if names else {}
        best_name = _best(errors)
        model = self._final(plain, best_name, names)
        return PresetResult(
            model, self.work.name, best_name, errors, measure.upper(), plan, self.panel
        )

    def _counts(self) -> NDArray:
        """Held-out cutoffs (S, K); 0 for series that are too short for them."""
        fewest = max(2 * int(self.panel.periods[0]), 2 * self.horizon, 8)
        return spaced_cutoffs(self.panel.lengths, self.horizon, CUTOFFS, minimum=fewest)

    def _known_before(self, counts: NDArray) -> int:
        """The number of values known before the first cutoffs."""
        ends = self._ends(counts)
        values = self.panel.values
        lengths = self.panel.lengths
        first_N = np.repeat(self.panel.offsets[:-1], lengths)
        end_N = first_N + np.repeat(ends, lengths)
        is_before = np.arange(len(values)) < end_N
        return int((np.isfinite(values) & is_before).sum())

    def _ends(self, counts: NDArray) -> NDArray:
        """The first cutoff of each series (S,), or its length if it has none."""
        lengths = np.asarray(self.panel.lengths)
        if not counts.size:
            return lengths
        return np.where(counts > 0, counts, lengths[:, None]).min(axis=1)

    def _plan(self, names: list[str], values: int, counts: NDArray) -> tuple[str, ...]:
        """What to train on the panel, with the reasons."""
        about = (
            f"preset {self.work.name}: {len(self.panel):,} series, "
            f"{values:,} values to learn from"
        )
        if not names:
            reason = (
                f"under {FEWEST_VALUES}"
                if counts.any()
                else "too short to hold anything out"
            )
            return (f"{about} ({reason}): nothing is trained.",)
        size = "-".join(map(str, shipped().config.layers))
        tuned, scratch = self.work.epochs
        epochs = (
            f"{tuned} epochs of fine-tuning, "
            f"{scratch} from scratch ({self.work.members} networks)"
        )
        if SCRATCH not in names:
            epochs = (
                f"{tuned} epochs of fine-tuning; too few values to train from scratch"
            )
        return (
            f"{about}; compared at {counts.shape[1]} held-out cutoffs: {', '.join(names)}, their "
            f"average, the shipped network. About {self.work.seconds / 60:.3g} minutes at most.",
            f"Networks have layers of {size} units; at most {epochs}.",
        )

    def _errors(
        self, plain: LSTMForecaster, names: list[str], counts: NDArray, measure: str
    ) -> dict[str, float]:
        """The errors at the held-out cutoffs of models trained on the values before all of them."""
        training_panel = self.panel.until(self._ends(counts))
        trained = {name: self._trained(name, training_panel) for name in names}
        average = averaged(list(trained.values()), training_panel)
        models = {SHIPPED: plain, **trained, AVERAGE: average}
        self.progress("Comparing the models at the held-out cutoffs …")
        errors = {}
        for name, model in models.items():
            tested = backtest(
                model,
                self.panel,
                cutoffs=counts,
                baselines=False,
                refit="never",
                added=False,
            )
            errors[name] = tested.scores[tested.model][measure]
        return errors

    def _trained(self, name: str, panel: Panel) -> LSTMForecaster:
        seconds = SHARES[name] * self.work.seconds
        settings: dict[str, Any] = {"training": self._training(name)}
        if name == SCRATCH:
            settings |= {"weights": "scratch", "network": shipped().config}
        self.progress(f"Training a network ({name}), at most {seconds:.0f} s …")
        model = LSTMForecaster(
            self.horizon, method=COMBINED, seed=self.seed, **settings
        )
        return model.fit(panel, callbacks=[Deadline(seconds), *self.callbacks])

    def _training(self, name: str) -> TrainingConfig:
        tuned_epochs, scratch_epochs = self.work.epochs
        if name == TUNED:
            training = TrainingConfig.fine_tuning()
            return replace(training, epochs=tuned_epochs, steps_per_epoch=UPDATES)
        return replace(
            TrainingConfig.from_scratch(),
            epochs=scratch_epochs,
            members=self.work.members,
            steps_per_epoch=UPDATES,
        )

    def _final(
        self, plain: LSTMForecaster, best_name: str, names: list[str]
    ) -> LSTMForecaster:
        """The selected model, trained on all data."""
        if best_name == SHIPPED:
            return plain
        if best_name != AVERAGE:
            return self._trained(best_name, self.panel)
        models = [self._trained(name, self.panel) for name in names]
        return averaged(models, self.panel)


def _best(errors: Mapping[str, float]) -> str:
    """The candidate with the smallest error, or the shipped network if it is about as good.

    >>> _best({"shipped": 1.0, "fine-tuned": 0.995}), _best({"shipped": 1.0, "average": 0.9})
    ('shipped', 'average')
    """
    finite = {name: error for name, error in errors.items() if np.isfinite(error)}
    if SHIPPED not in finite:
        return SHIPPED
    best_name = min(finite, key=lambda name: finite[name])
    is_better = finite[best_name] < BETTER * finite[SHIPPED]
    return best_name if is_better else SHIPPED


@dataclass(frozen=True)
class Deadline:
    """A callback that ends training after a number of seconds; the best epoch is kept."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    began: list[float] = field(default_factory=list, repr=False)

    def __call__(self, report: Any) -> bool:
        """Whether the time is over, counted from the start of the first epoch."""
        if not self.began:
            self.began.append(self.clock() - report.seconds)
        return self.clock() - self.began[0] >= self.seconds


def averaged(models: Sequence[LSTMForecaster], panel: Panel) -> LSTMForecaster:
    """One model that averages the shipped network and fitted models of its shape.

    All weigh the same. Intervals and shares are measured on the validation data.
    """
    groups = [shipped().members, *(model.model.network.members for model in models)]
    count = int(np.lcm.reduce([len(group) for group in groups]))
    members = []
    for group in groups:
        members += group * (count // len(group))
    first = models[0]
    network = Network(first.model.network.config, members)
    fitted = replace(first.model, network=network)
    ends = fitted.held_back_from(panel)
    whole_grid = without(using_share(panel, fitted.known_share))
    measured = None
    if ends is not None:
        measured = held_back(fitted.decode, whole_grid, ends, first.horizon)
    measured, shares = weighed(COMBINED, whole_grid, measured)
    factors_HI = measured_factors(measured, first.horizon)
    fitted = replace(fitted, factors_HI=factors_HI, shares=shares, method=COMBINED)
    return first.with_fitted(fitted)
