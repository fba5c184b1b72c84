"""What follows from the specification and the fitted part of a forecaster.

`LSTMForecaster` adds its methods: fit, predict, save.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from warnings import warn

from lstmcast.data.panel import Columns
from lstmcast.errors import UsageError
from lstmcast.evaluation.methods import name_of
from lstmcast.fitted import Fitted, context_for
from lstmcast.forecast import NETWORK
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.pretrained import Start
from lstmcast.saved_context import SavedContext
from lstmcast.specification import Specification
from lstmcast.training_config import TrainingConfig
from lstmcast.training_history import History
from lstmcast.training_record import Record
from lstmcast.transforms import Transforms


class SpecifiedForecaster:
    """A specification, the starting point of training, and `fitted`, which is None before `fit`."""

    specification: Specification
    start: Start
    fitted: Fitted | None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpecifiedForecaster):
            return NotImplemented
        return self.specification == other.specification

    def __hash__(self) -> int:
        return hash(self.specification)

    # ---- the specification

    @property
    def horizon(self) -> int:
        """Default number of steps to forecast."""
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
        """What makes the forecast: "combined", "network", "best" or the name of a candidate."""
        return self.specification.resolved_method(self.start, self.fitted)

    @property
    def name(self) -> str:
        """Its name in tables: that of its method if that names a forecast, else "lstmcast"."""
        return name_of(self.specification.method)

    @property
    def config(self) -> NetworkConfig:
        """The settings of the network."""
        return self.start.config

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the past covariates that the network reads."""
        return self.config.inputs.past

    @property
    def training(self) -> TrainingConfig:
        """The settings of training."""
        return self.specification.resolved_training(self.start)

    @property
    def transforms(self) -> Transforms:
        """The transforms applied before the network and inverted after it."""
        inputs = self.config.inputs
        return inputs.transforms if isinstance(inputs, Transformed) else Transforms()

    def to_json(self) -> str:
        """The specification as JSON, from which `from_json` makes an unfitted forecaster.

        Raises:
            UsageError: The weights are a Network, or the head is your own object.
        """
        return self.specification.as_json()

    # ---- what was fitted

    @property
    def network(self) -> Network | None:
        """The network: the fitted one, or else the one that training starts from."""
        return self.fitted.network if self.fitted else self.start.network

    @property
    def model(self) -> Fitted:
        """The model that forecasts; UsageError if it has no weights yet."""
        if self.fitted is not None:
            return self.fitted
        if self.start.network is None:
            raise UsageError(
                "This forecaster starts from scratch and is not fitted yet. Call fit(data) first."
            )
        batching = self.specification.resolved_batching(self.start)
        context = context_for(self.start.network, batching)
        return Fitted(self.start.network, self.start.inputs, context)

    @property
    def may_read_past(self) -> bool:
        """Whether the simple forecasts it is combined with read columns beside the target."""
        return self.method != NETWORK and (
            self.fitted is None or self.model.factors_HI is None
        )

    @property
    def reads_future(self) -> bool:
        """Whether future columns are used."""
        return True

    @property
    def needs_fit(self) -> bool:
        """Whether it must be fitted before it can forecast."""
        return self.network is None

    @property
    def record(self) -> Record | None:
        """How it was trained; None if it was not."""
        return self.fitted.record if self.fitted else None

    @property
    def learned(self) -> Record | None:
        """The former name of `record`."""
        warn(
            "LSTMForecaster.learned is now called record.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.record

    @property
    def history(self) -> History:
        """The losses of each epoch of training; empty if nothing was trained."""
        return self.record.history if self.record else History()

    @property
    def saved_context(self) -> SavedContext | None:
        """The saved context of a fitted or loaded model."""
        return self.fitted.saved_context if self.fitted else None

    @property
    def columns(self) -> Columns:
        """Column names of the data in the saved context, or the default names."""
        return self.saved_context.panel.columns if self.saved_context else Columns()

    @property
    def trained_ends(self) -> Mapping[str, Any] | None:
        """The last time of each series that the weights were trained on; None if there is none."""
        ends = self.record.trained_ends if self.record else self.start.trained_until
        return ends or None
