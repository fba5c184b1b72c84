"""The specification of a forecaster: the arguments of `LSTMForecaster`, validated.

A specification holds only what was given. Other settings follow from it (`resolved_training`), so
that a changed copy gets the settings that suit it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from lstmcast.data.origins import checked_horizon
from lstmcast.decoding import check_quantiles
from lstmcast.errors import UsageError
from lstmcast.evaluation.methods import (
    AUTO,
    COMBINED,
    checked_candidates,
    checked_method,
)
from lstmcast.fitted import Fitted
from lstmcast.forecast import NETWORK, QUANTILES, Combination
from lstmcast.model.heads import Head, check_head, head_named
from lstmcast.model.inputs import Transformed
from lstmcast.model.inputs.past import require_no_feeding
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.pretrained import Start, same_weights, start_from
from lstmcast.training_config import (
    Batching,
    TrainingConfig,
    to_json,
    training_from_json,
)
from lstmcast.training_record import Arrays
from lstmcast.transforms import Transforms
from lstmcast.util.config import checked_seed
from lstmcast.util.files import checked_path
from lstmcast.util.text import counted

KIND = "forecaster"  # its key in the manifest of a saved forecaster
NAMED_WEIGHTS = ("pretrained", "scratch")


@dataclass(frozen=True, eq=False, repr=False)
class Specification:
    """The arguments of `LSTMForecaster`, described there.

    >>> specification = Specification(12, quantiles=(0.1, 0.9))
    >>> specification
    horizon=12, quantiles=(0.1, 0.9)
    >>> specification == Specification.from_json(specification.as_json())[0]
    True
    """

    horizon: int
    weights: str | Path | Network = "pretrained"
    network: NetworkConfig | None = None
    training: TrainingConfig | None = None
    head: Head | str | None = None
    quantiles: tuple[float, ...] = QUANTILES
    seed: int = 0
    method: str = AUTO
    candidates: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        check_kinds(self.weights, self.network, self.training, self.head)
        checked_method(self.method, checked_candidates(self.candidates))
        object.__setattr__(self, "horizon", checked_horizon(self.horizon))
        object.__setattr__(self, "seed", checked_seed(self.seed))
        if not isinstance(self.weights, Network) and self.weights not in NAMED_WEIGHTS:
            object.__setattr__(self, "weights", checked_path(self.weights))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Specification):
            return NotImplemented
        settings = vars(self)
        other_settings = vars(other)
        if isinstance(self.weights, Network) and isinstance(other.weights, Network):
            if not same_weights(self.weights, other.weights):
                return False
            other_settings = {**other_settings, "weights": self.weights}
        return settings == other_settings

    def __hash__(self) -> int:
        return hash((self.horizon, self.quantiles, self.seed))

    def __repr__(self) -> str:
        defaults = {field.name: field.default for field in fields(self)}
        texts = []
        for name, value in vars(self).items():
            if value != defaults[name]:
                texts.append(f"{name}={_shown(value)}")
        return ", ".join(texts)

    @property
    def own_head(self) -> Head | None:
        """The user's own head, if given."""
        return None if isinstance(self.head, str) else self.head

    def resolved_training(self, start: Start) -> TrainingConfig:
        """The training settings: those given, or those that suit the initial weights."""
        if self.training is not None:
            return self.training
        if isinstance(start.config.inputs, Transformed):
            training = TrainingConfig.transformed()
            return (
                replace(training, batching=start.batching)
                if start.batching
                else training
            )
        return (
            TrainingConfig.fine_tuning()
            if start.network
            else TrainingConfig.from_scratch()
        )

    def resolved_batching(self, start: Start) -> Batching:
        """The batching scheme in which the weights were trained, if known."""
        return start.batching or self.resolved_training(start).batching

    def resolved_method(self, start: Start, fitted: Fitted | None) -> str:
        """How it forecasts: "combined", "network", or as given.

        The default is "combined" for the shipped network without training, else "network".
        """
        if self.method != AUTO:
            return self.method
        trained = fitted is not None and fitted.record is not None
        return COMBINED if start.combines and not trained else NETWORK

    def named_candidates(self) -> list[str]:
        """The candidates by name.

        Raises:
            UsageError: A candidate is the user's own object.
        """
        objects = [
            candidate for candidate in self.candidates if not isinstance(candidate, str)
        ]
        if objects:
            raise UsageError(
                f"candidates: {objects[0]!r} is an object, which cannot be stored as text. Use "
                "only named candidates, such as 'AutoETS'."
            )
        return list(self.candidates)

    def check_together(self, start: Start) -> None:
        """Raise UsageError if network and training settings contradict each other."""
        head = start.network.head if start.network else self.own_head
        check_quantiles(start.config, head_named(start.config.head, head), self.horizon)
        steps = start.config.steps
        require_no_feeding(start.config.inputs.past, steps, steps, self.horizon)
        if start.network is None or self.training is None:
            return
        members = len(start.network.members)
        if self.training.members not in (1, members):
            raise UsageError(
                f"TrainingConfig(members={self.training.members}) is for networks from scratch: "
                f"the initial weights have {counted(members, 'member')}. Use "
                "weights='scratch', or leave out members."
            )

    def as_json(self) -> str:
        """The specification as JSON, without settings that were not given.

        Raises:
            UsageError: The weights are a Network, or the head is the user's own object.
        """
        if isinstance(self.weights, Network):
            raise UsageError(
                "The weights are a Network object, which JSON cannot describe. Save the network "
                "(forecaster.save(folder, data)) and name its folder: weights=folder."
            )
        if self.head is not None and not isinstance(self.head, str):
            raise UsageError(
                f"head={self.head!r} is an object, which JSON cannot describe. Use a named head, "
                "such as head='normal'."
            )
        values = {
            "horizon": self.horizon,
            "weights": _weights_text(self.weights),
            "network": self.network.described() if self.network else None,
            "training": to_json(self.training) if self.training else None,
            "head": self.head,
            "quantiles": self.quantiles,
            "seed": self.seed,
            "method": self.method if self.method != AUTO else None,
            "candidates": self.named_candidates() or None,
        }
        return json.dumps(
            {name: value for name, value in values.items() if value is not None}
        )

    @classmethod
    def from_json(
        cls, text: str | Mapping[str, Any]
    ) -> tuple[Specification, Transforms | None]:
        """Rebuild a specification from the JSON of `as_json`, as text or parsed values.

        Older JSON may hold transforms beside the network; they are returned as well. Raises
        UsageError for anything else.
        """
        try:
            settings = json.loads(text) if isinstance(text, str) else text
            values = {
                name: value
                for name, value in dict(settings).items()
                if value is not None
            }
            if "network" in values:
                values["network"] = NetworkConfig(**values["network"])
            if "training" in values:
                values["training"] = training_from_json(values["training"])
            if "quantiles" in values:
                values["quantiles"] = checked_quantiles(values["quantiles"])
            if "candidates" in values:
                values["candidates"] = tuple(values["candidates"])
            about = values.pop("transforms", None)
            transforms = None if about is None else Transforms.from_json(about)
            return cls(**values), transforms
        except (json.JSONDecodeError, TypeError, ValueError) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(
                f"This does not describe a forecaster: {error}. The result of "
                "LSTMForecaster.to_json() is expected."
            ) from error


def started(
    specification: Specification, transforms: Transforms | None
) -> tuple[Specification, Start]:
    """The specification with transforms moved to the inputs of its network, and its starting point.
    Raises UsageError if its parts contradict each other."""
    start = start_from(
        specification.weights,
        specification.network,
        specification.head,
        specification.horizon,
    )
    if transforms is not None:
        plain_start = start
        start = start.with_transforms(transforms)
        if start.config != plain_start.config and start.network:
            specification = replace(specification, weights=start.network)
        elif start.config != plain_start.config and specification.network:
            specification = replace(
                specification,
                network=replace(specification.network, inputs=start.config.inputs),
            )
    specification.check_together(start)
    return specification, start


def folder_contents(
    specification: Specification,
    start: Start,
    model: Fitted,
    combination: Combination | None = None,
) -> tuple[dict[str, Any], dict[str, Arrays]]:
    """The manifest and arrays of a saved forecaster with this model and combination."""
    assert model.saved_context is not None
    batching = specification.resolved_batching(start)
    training = replace(specification.resolved_training(start), batching=batching)
    needed = replace(model, saved_context=model.needed_of(model.saved_context))
    about, groups = needed.saved(training)
    settings = {
        "kind": KIND,
        "horizon": specification.horizon,
        "quantiles": list(specification.quantiles),
        "method": specification.resolved_method(start, model),
    }
    if specification.candidates:
        settings["candidates"] = specification.named_candidates()
    if combination is not None:
        settings["combination"] = combination.as_dict()
    return {**settings, **about, "seed": specification.seed}, groups


def _weights_text(weights: str | Path | Network) -> str:
    """The name of weights, or their path, which may look like one of the names."""
    text = str(weights)
    return f"./{text}" if isinstance(weights, Path) and text in NAMED_WEIGHTS else text


def _shown(value: Any) -> str:
    """A value as code, settings without their defaults."""
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, Transformed):
        return repr(value)
    if isinstance(value, tuple):
        text = ", ".join(map(_shown, value))
        return f"({text},)" if len(value) == 1 else f"({text})"
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    changed = {name: getattr(value, name) for name in _needed(value)}
    text = ", ".join(f"{name}={_shown(setting)}" for name, setting in changed.items())
    return f"{type(value).__name__}({text})"


def _needed(settings: Any) -> list[str]:
    """The fields that are needed to rebuild the same settings.

    A default may depend on other fields, so each is left out in turn.
    """
    values, needed = (
        {field.name: getattr(settings, field.name) for field in fields(settings)},
        [],
    )
    for name in values:
        try:
            shortened = type(settings)(
                **{key: values[key] for key in values if key != name}
            )
        except (UsageError, TypeError):
            shortened = None
        if shortened != settings:
            needed.append(name)
    return needed


def check_kinds(weights: Any, network: Any, training: Any, head: Any) -> None:
    """Raise UsageError for an argument of the wrong type."""
    if not isinstance(weights, (str, Path, Network)):
        raise UsageError(
            f"{weights=} are not weights. Use 'pretrained', 'scratch', a folder or a Network."
        )
    for name, argument, kind, example in (
        ("network", network, NetworkConfig, "layers=(32,)"),
        ("training", training, TrainingConfig, "epochs=50"),
    ):
        if argument is not None and not isinstance(argument, kind):
            raise UsageError(
                f"{name}={argument!r} is not a {kind.__name__}. Give one, such as "
                f"{kind.__name__}({example})."
            )
    if not (head is None or isinstance(head, str)):
        check_head(head)


def checked_quantiles(quantiles: Iterable[float]) -> tuple[float, ...]:
    """Quantile levels, sorted and unique; UsageError for invalid ones."""
    try:
        checked = tuple(sorted({float(level) for level in quantiles}))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{quantiles=} are not quantile levels. A list is expected, such as [0.1, 0.5, 0.9]."
        ) from error
    if not all(0.001 <= level <= 0.999 for level in checked):
        raise UsageError(
            f"{quantiles=} are not quantile levels. Numbers between 0.001 and 0.999 are expected, "
            "such as 0.1 and 0.9."
        )
    return checked
