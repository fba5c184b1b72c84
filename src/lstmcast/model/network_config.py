"""The architecture of a network: layers, inputs, head, horizon."""

from __future__ import annotations

from dataclasses import asdict, field, fields
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, model_validator

from lstmcast.errors import UsageError
from lstmcast.model.activations import Activation
from lstmcast.model.heads import HEADS
from lstmcast.model.inputs import Adaptive, AnyInputs, Running, with_inputs
from lstmcast.model.lstm import USUAL, Cell
from lstmcast.model.static import StaticColumns
from lstmcast.util.config import settings, usual

Size = Annotated[int, Field(ge=1)]


@settings
class NetworkConfig:
    """The architecture of a network.

    Args:
        layers: number of units of each stacked LSTM layer.
        inputs: `Adaptive()` for inputs relative to level, scale and season, for any series;
            `Transformed(Log1p(), Difference(12))` for transformed values of one or several columns,
            and of past covariates (`past=`); `Running()` for values in units of their recent past,
            for streams.
        head: "quantiles", "normal", "student_t", "point", or the name of your own; for counts
            "negative_binomial" or "zero_inflated", for amounts that are often 0 "tweedie".
        horizon: number of steps forecast at once. Defaults to the forecaster's; longer forecasts
            are recursive.
        before, after: units of dense layers before and after the stack, with `activation`. None
            means one layer as wide as the first LSTM layer for adaptive inputs, and no layers for
            others.
        activation: of the dense layers: "linear", "tanh", "relu", "sigmoid", "softsign" or "elu".
        residual: whether to add the input of a layer to its output if widths are equal; None means
            True for adaptive inputs.
        dropout: share of the outputs of a layer that are dropped in training.
        cell: activation functions of the LSTM layers, a `Cell`; by default tanh and sigmoid.
        static: names of static columns to read: numbers are standardised, categories embedded. "*"
            for all static columns of the data, "each series" for an embedding of each series.

    >>> from lstmcast.model.inputs import Transformed
    >>> NetworkConfig(layers=(5, 4, 3), inputs=Transformed(), head="point", horizon=1).width
    1
    """

    layers: tuple[Size, ...] = field(default=(64, 64))
    inputs: AnyInputs = usual(Adaptive)
    head: str = "quantiles"
    horizon: Size | None = None
    before: tuple[Size, ...] | None = None
    after: tuple[Size, ...] = ()
    activation: Activation = "linear"
    residual: bool | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    cell: Cell = field(default=USUAL)
    static: StaticColumns = field(default=())

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, arguments: Any) -> Any:
        return with_inputs(arguments)

    def __post_init__(self) -> None:
        if not self.layers:
            raise UsageError(
                "layers must have at least one LSTM layer, got (). Give the units of each, for "
                "example layers=(32,)."
            )
        if self.before is None:
            units = (self.layers[0],) if self.inputs.skips else ()
            object.__setattr__(self, "before", units)
        if self.residual is None:
            object.__setattr__(self, "residual", self.inputs.skips)
        self._refuse_unused()

    def _refuse_unused(self) -> None:
        """Raise UsageError for settings that have no effect or contradict each other."""
        head = HEADS.get(self.head)
        if head is not None and not head.affine and isinstance(self.inputs, Running):
            raise UsageError(
                f"head={self.head!r} needs unscaled values, but running inputs are scaled by "
                "their recent past. Use Adaptive() or Transformed() with it, or head='quantiles'."
            )
        has_dense_layers = self.before or self.after
        if self.activation != "linear" and not has_dense_layers:
            raise UsageError(
                f"activation={self.activation!r} is for dense layers around the LSTM, but there "
                "are none. Give before= or after=, or leave it out; for the LSTM use "
                f"cell=Cell({self.activation!r})."
            )
        if self.residual and not self.inputs.skips:
            self._require_equal_widths()

    def _require_equal_widths(self) -> None:
        channels = self.inputs.columns + len(self.inputs.past) + len(self.static)
        read_width = (self.before or (channels,))[-1]
        widths = (read_width, *self.layers)
        if not any(below == units for below, units in pairwise(widths)):
            raise UsageError(
                f"residual=True needs layers of equal width, but the widths are {widths}. Give "
                "layers of one width, or leave it out."
            )

    @property
    def steps(self) -> int:
        """The horizon, which must be set."""
        if self.horizon is None:
            raise UsageError(
                "The horizon of the network is not set. Give NetworkConfig(horizon=…)."
            )
        return self.horizon

    @property
    def width(self) -> int:
        """C: number of input channels, including one code per static column."""
        return self.own_width + len(self.static)

    @property
    def own_width(self) -> int:
        """Number of channels of the inputs."""
        horizon = self.steps if self.inputs.skips else 1
        return self.inputs.width(horizon)

    @property
    def read_width(self) -> int:
        """Input width of the first layer: input channels and embedded static columns."""
        return self.own_width + sum(column.channels for column in self.static)

    def described(self) -> dict[str, Any]:
        """The config as JSON values, from which `NetworkConfig(**…)` rebuilds it.

        The default cell is left out so that older versions can read the network.
        """
        settings = {
            setting.name: getattr(self, setting.name) for setting in fields(self)
        }
        cell = settings.pop("cell")
        static = settings.pop("static")
        for name, setting in settings.items():
            if isinstance(setting, tuple):
                settings[name] = list(setting)
        settings["inputs"] = self.inputs.described()
        if not cell.is_usual:
            settings["cell"] = asdict(cell)
        if static:
            settings["static"] = [column.described() for column in static]
        return settings
