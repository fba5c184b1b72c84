"""What a network is like: sizes of its layers, inputs, head, horizon."""

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
from lstmcast.util.config import settings

Size = Annotated[int, Field(ge=1)]


@settings
class NetworkConfig:
    """What a network is like.

    Args:
        layers: units of each stacked LSTM layer.
        inputs: `Adaptive()` shows the network level, scale and season of any series as known at
            each step; `Transformed(Log1p(), Difference(12))` what transforms give, of one column or
            several together, and of columns that are only read (`past=`); `Running()` values in
            units of their own recent past, for streams.
        head: "quantiles", "normal", "student_t", "point", or the name of your own; for counts
            "negative_binomial" or "zero_inflated", for amounts that are often 0 "tweedie".
        horizon: steps answered at once, the forecaster's unless given; longer forecasts feed back.
        before, after: units of dense layers around the stack, with `activation`; None is one layer
            as wide as the first LSTM layer for adaptive inputs and none for others.
        activation: of the dense layers: "linear", "tanh", "relu", "sigmoid", "softsign" or "elu".
        residual: add a layer's input to its output where they are equally wide; None is yes for
            adaptive inputs.
        dropout: share of a layer's outputs left out in training.
        cell: the functions inside the LSTM layers, tanh and sigmoid unless said: a `Cell`.
        static: names of columns that do not change in a series and are read beside it: numbers
            standardised, categories embedded; "*" for all that the data have, "each series" for
            an embedding of each.

    >>> from lstmcast.model.inputs import Transformed
    >>> NetworkConfig(layers=(5, 4, 3), inputs=Transformed(), head="point", horizon=1).width
    1
    """

    layers: tuple[Size, ...] = field(default=(64, 64))
    inputs: AnyInputs = field(default=Adaptive())
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
                "layers=() leaves no LSTM. Give the units of each layer, for example layers=(32,)."
            )
        if self.before is None:
            units = (self.layers[0],) if self.inputs.skips else ()
            object.__setattr__(self, "before", units)
        if self.residual is None:
            object.__setattr__(self, "residual", self.inputs.skips)
        self._refuse_unused()

    def _refuse_unused(self) -> None:
        """UsageError for settings that would do nothing, or that do not go together."""
        head = HEADS.get(self.head)
        if head is not None and not head.affine and isinstance(self.inputs, Running):
            raise UsageError(
                f"head={self.head!r} answers values as they are, and running inputs are read in "
                "units of their own recent past. Use Adaptive() or Transformed() with it, or "
                "head='quantiles'."
            )
        has_dense_layers = self.before or self.after
        if self.activation != "linear" and not has_dense_layers:
            raise UsageError(
                f"activation={self.activation!r} is that of dense layers around the LSTM, and "
                "there are none. Give before= or after=, or leave it out; the LSTM's own is "
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
                "residual=True adds a layer's input to its output where they are equally wide; "
                f"here the widths are {widths}. Give layers of one width, or leave it out."
            )

    @property
    def steps(self) -> int:
        """The horizon, once it is known."""
        if self.horizon is None:
            raise UsageError("The network's horizon is not set: say NetworkConfig(horizon=…).")
        return self.horizon

    @property
    def width(self) -> int:
        """C: input channels at each step, with a code for each static column."""
        return self.own_width + len(self.static)

    @property
    def own_width(self) -> int:
        """Channels of the inputs themselves."""
        horizon = self.steps if self.inputs.skips else 1
        return self.inputs.width(horizon)

    @property
    def read_width(self) -> int:
        """What the first layer reads: the inputs, and static columns with their embeddings."""
        return self.own_width + sum(column.channels for column in self.static)

    def described(self) -> dict[str, Any]:
        """As JSON values; `NetworkConfig(**…)` of them gives it back.

        The usual cell is left out, so that versions that know no other read the network.
        """
        settings = {setting.name: getattr(self, setting.name) for setting in fields(self)}
        cell, static = settings.pop("cell"), settings.pop("static")
        for name, setting in settings.items():
            if isinstance(setting, tuple):
                settings[name] = list(setting)
        settings["inputs"] = self.inputs.described()
        if not cell.is_usual:
            settings["cell"] = asdict(cell)
        if static:
            settings["static"] = [column.described() for column in static]
        return settings
