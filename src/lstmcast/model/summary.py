"""The architecture of a network as a table: layers, output shapes, and parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from lstmcast.errors import UsageError
from lstmcast.model.heads import Head, head_named
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.util.html import block, paragraph, table

HEADER = ("layer", "output shape", "parameters")


class Row(NamedTuple):
    """One layer: its name, output shape at each step, and number of parameters."""

    layer: str
    shape: tuple[int, ...]
    parameters: int

    @property
    def shape_text(self) -> str:
        """The shape as Keras and PyTorch write it, with the batch and time axes in front."""
        return f"(batch, time, {', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class Summary:
    """The layers of a network in the order of the forward pass; all members are alike."""

    rows: tuple[Row, ...]
    members: int = 1

    @property
    def parameters(self) -> int:
        """Trainable parameters of one member."""
        return sum(row.parameters for row in self.rows)

    @property
    def total(self) -> int:
        """Trainable parameters of all members."""
        return self.members * self.parameters

    def __str__(self) -> str:
        cells = [HEADER, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            f"{layer:<{widths[0]}}  {shape:<{widths[1]}}  {parameters:>{widths[2]}}"
            for layer, shape, parameters in cells
        ]
        rule = "─" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:], rule, self._foot()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return block(
            "Layers",
            table(HEADER, self._cells(), left_aligned=(0, 1)),
            paragraph(self._foot()),
        )

    def _cells(self) -> list[tuple[str, str, str]]:
        return [(row.layer, row.shape_text, f"{row.parameters:,}") for row in self.rows]

    def _foot(self) -> str:
        per_member = f"{self.parameters:,} parameters"
        return (
            per_member
            if self.members == 1
            else f"{self.members} members × {per_member} = {self.total:,}"
        )


def summary(network: Network | NetworkConfig, head: Head | None = None) -> Summary:
    """Summarise the layers and parameters of a network or its config.

    `head`: the custom head, for a config that names one. The number of parameters equals that of
    Keras for the same layers; PyTorch counts the biases of the gates twice. Raises UsageError for
    other objects, and for a config without a horizon.

    >>> from lstmcast.model.inputs import Transformed
    >>> config = NetworkConfig((5, 4, 3), inputs=Transformed(), head="point", horizon=1)
    >>> print(summary(config))
    layer         output shape      parameters
    ──────────────────────────────────────────
    inputs        (batch, time, 1)           0
    lstm 0        (batch, time, 5)         140
    lstm 1        (batch, time, 4)         160
    lstm 2        (batch, time, 3)          96
    head (point)  (batch, time, 1)           4
    ──────────────────────────────────────────
    400 parameters
    """
    if not isinstance(network, (Network, NetworkConfig)):
        raise UsageError(
            f"A {type(network).__name__} has no layers. A Network or a NetworkConfig is expected, "
            "such as forecaster.network."
        )
    if isinstance(network, NetworkConfig):
        return Summary(_rows(network, head_named(network.head, head)))
    return Summary(_rows(network.config, network.head), len(network.members))


def _rows(config: NetworkConfig, head: Head) -> tuple[Row, ...]:
    counts: dict[str, int] = {}
    for name, shape in array_shapes(config, head).items():
        layer = name.rpartition(".")[0]
        counts[layer] = counts.get(layer, 0) + math.prod(shape)
    skips = config.inputs.skips
    inputs = f"inputs ({config.inputs})" if skips else "inputs"
    functions = "" if config.cell.is_usual else f" ({config.cell})"
    rows = [Row(inputs, (config.width,), 0)]
    for number, units in enumerate(config.before or ()):
        parameters = counts[f"embed.{number}"]
        rows.append(Row(f"dense {number} before", (units,), parameters))
    for number, units in enumerate(config.layers):
        parameters = counts[f"lstm.{number}"]
        rows.append(Row(f"lstm {number}{functions}", (units,), parameters))
    for number, units in enumerate(config.after):
        parameters = counts[f"dense.{number}"]
        rows.append(Row(f"dense {number} after", (units,), parameters))
    rows.append(Row(f"head ({head.name})", _answer(config, head), counts["head"]))
    if skips:
        rows.append(Row("inputs to head", (config.steps,), counts["skip"]))
    return tuple(rows)


def _answer(config: NetworkConfig, head: Head) -> tuple[int, ...]:
    """Steps, columns and raw numbers of the head; the latter two only if there are several."""
    sizes = (config.inputs.columns, head.outputs)
    return (config.steps, *(size for size in sizes if size > 1))
