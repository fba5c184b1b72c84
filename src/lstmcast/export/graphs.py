"""ONNX graphs, written as NumPy formulas.

A symbol stands for an array that is not known yet. Operators, ufuncs and a few NumPy functions
return another symbol and add a node to its graph. So the formulas of heads, activations and
transforms are written once: the code that computes numbers also writes the graph.

    >>> graph = Graph()
    >>> a = graph.given("a", np.float32, ("batch", 2))
    >>> model = graph.model({"b": 1 + np.tanh(a)})  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from lstmcast.export.symbols import Symbol, SymbolicArray

OPSET = 17  # supported by onnxruntime 1.12 (2022) and later
IR_VERSION = 8  # the version that belongs to this opset

Shape = Sequence[str | int]


class Given(NamedTuple):
    """An input or output of a graph."""

    name: str
    dtype: np.dtype
    shape: Shape

    def info(self) -> Any:
        """Its description for ONNX."""
        return _value_info(self.name, self.dtype, list(self.shape))


class Graph:
    """Nodes and constants in the order in which they were added.

    Args:
        outer: The graph that contains this one as a body; its names may be used here.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Given] = []
        self.depth: int = 0 if outer is None else outer.depth + 1
        self._count: list[int] = [0] if outer is None else outer._count

    def given(self, name: str, dtype: DTypeLike, shape: Shape) -> Symbol:
        """Add an input."""
        self.inputs.append(Given(name, np.dtype(dtype), shape))
        return SymbolicArray(self, name, np.dtype(dtype), len(shape))

    def constant(self, value: Any, dtype: DTypeLike | None = None) -> Symbol:
        """Add a constant array."""
        from onnx import numpy_helper

        array = np.asarray(value, dtype)
        name = self._new("c")
        self.constants.append(numpy_helper.from_array(array, name))
        return SymbolicArray(self, name, array.dtype, array.ndim)

    def add(
        self, kind: str, inputs: Sequence[str], outputs: int = 1, **settings: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        from onnx import helper

        names = [self._new(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **settings))
        return names

    def scan(
        self,
        step: Callable[..., tuple[Sequence[Symbol], Sequence[Symbol]]],
        states: Sequence[Symbol],
        read: Sequence[Symbol],
    ) -> tuple[list[Symbol], list[Symbol]]:
        """Apply `step(body, states, now)` along the second axis of arrays: returns the last states,
        and the outputs of all steps along a second axis."""
        from onnx import helper

        body = Graph(self)
        own_states = [body._inner("state", state, state.rank) for state in states]
        slices = [body._inner("now", array, array.rank - 1) for array in read]
        new_states, outputs = step(body, own_states, slices)
        ends = [body._named(symbol) for symbol in (*new_states, *outputs)]
        settings = {
            "body": helper.make_graph(
                body.nodes,
                "step",
                [_info(symbol) for symbol in (*own_states, *slices)],
                [_info(symbol) for symbol in ends],
                body.constants,
            ),
            "num_scan_inputs": len(read),
            "scan_input_axes": [1] * len(read),
        }
        if outputs:
            settings["scan_output_axes"] = [1] * len(outputs)
        sources = [symbol.name for symbol in (*states, *read)]
        names = self.add("Scan", sources, len(ends), **settings)
        results = []
        for number, (name, end) in enumerate(zip(names, ends, strict=True)):
            # outputs have an axis of steps as well
            is_output = number >= len(new_states)
            results.append(SymbolicArray(self, name, end.dtype, end.rank + is_output))
        return results[: len(new_states)], results[len(new_states) :]

    def model(
        self,
        outputs: Mapping[str, Symbol],
        shapes: Mapping[str, Shape],
        about: Mapping[str, str],
    ) -> Any:
        """The `onnx.ModelProto` with these outputs; `about`: its metadata."""
        from onnx import checker, helper

        for name, symbol in outputs.items():
            self.nodes.append(helper.make_node("Identity", [symbol.name], [name]))
        ends = [
            Given(name, symbol.dtype, shapes[name]) for name, symbol in outputs.items()
        ]
        graph = helper.make_graph(
            self.nodes,
            "lstmcast",
            [entry.info() for entry in self.inputs],
            [end.info() for end in ends],
            self.constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, producer_name="lstmcast")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, dict(about))
        checker.check_model(model)
        return model

    def _inner(self, kind: str, outer: Symbol, rank: int) -> Symbol:
        """An input of a body, with the type of an array outside of it."""
        return self.given(self._new(kind), outer.dtype, [""] * rank)

    def _new(self, kind: str) -> str:
        self._count[0] += 1
        return f"{kind}_{self._count[0]}"

    def _named(self, symbol: Symbol) -> Symbol:
        """The same array as the output of a node: outputs of a body must come from a node."""
        return symbol._made("Identity", rank=symbol.rank, graph=self)


def _info(symbol: Symbol) -> Any:
    """The description for ONNX of an array of a body, whose sizes are unknown."""
    return _value_info(symbol.name, symbol.dtype, [None] * symbol.rank)


def _value_info(name: str, dtype: np.dtype, sizes: list[Any]) -> Any:
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(dtype)
    return helper.make_tensor_value_info(name, kind, sizes)
