"""ONNX graphs, written as NumPy formulas.

A symbol stands for an array that is not known yet. Operators, ufuncs and a few functions of NumPy
give another symbol and add a node to its graph. So the formulas of heads, activations and
transforms are written once: what computes numbers also writes the graph.

    >>> graph = Graph()
    >>> a = graph.given("a", np.float32, ("batch", 2))
    >>> model = graph.model({"b": 1 + np.tanh(a)})  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from lstmcast.errors import UsageError

OPSET = 17  # of onnxruntime 1.12 (2022) and later
IR_VERSION = 8  # which goes with it

FAR = np.iinfo(np.int64).max  # beyond the end of any axis

Shape = Sequence[str | int]
# A `SymbolicArray`, for type checkers anything: NumPy's stubs let no arrays but its own through.
Symbol: TypeAlias = Any


class Given(NamedTuple):
    """An input of a graph."""

    name: str
    dtype: np.dtype
    shape: Shape


class Graph:
    """Nodes and constants in the order in which they were asked for.

    Args:
        outer: the graph that this one is the body of, whose names it may use.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Given] = []
        self.depth: int = 0 if outer is None else outer.depth + 1
        self._count: list[int] = [0] if outer is None else outer._count

    def given(self, name: str, dtype: DTypeLike, shape: Shape) -> Symbol:
        """An input."""
        self.inputs.append(Given(name, np.dtype(dtype), shape))
        return SymbolicArray(self, name, np.dtype(dtype), len(shape))

    def constant(self, value: Any, dtype: DTypeLike | None = None) -> Symbol:
        """A known array."""
        from onnx import numpy_helper

        array, name = np.asarray(value, dtype), self._new("c")
        self.constants.append(numpy_helper.from_array(array, name))
        return SymbolicArray(self, name, array.dtype, array.ndim)

    def add(self, kind: str, inputs: Sequence[str], outputs: int = 1, **settings: Any) -> list[str]:
        """A node; the names of what it gives."""
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
        """What `step(body, states, now)` gives after reading arrays along their second axis:
        the last states, and what it gave at each step along the second axis."""
        from onnx import helper

        body = Graph(self)
        inner = [body.given(body._new("state"), one.dtype, [""] * one.rank) for one in states]
        now = [body.given(body._new("now"), one.dtype, [""] * (one.rank - 1)) for one in read]
        after, told = step(body, inner, now)
        ends = [body._named(one) for one in (*after, *told)]
        settings = {
            "body": helper.make_graph(
                body.nodes,
                "step",
                [_info(one.name, one.dtype, one.rank) for one in (*inner, *now)],
                [_info(one.name, one.dtype, one.rank) for one in ends],
                body.constants,
            ),
            "num_scan_inputs": len(read),
            "scan_input_axes": [1] * len(read),
        }
        if told:
            settings["scan_output_axes"] = [1] * len(told)
        names = self.add("Scan", [one.name for one in (*states, *read)], len(ends), **settings)
        made = [
            SymbolicArray(self, name, one.dtype, one.rank + (k >= len(after)))
            for k, (name, one) in enumerate(zip(names, ends, strict=True))
        ]
        return made[: len(after)], made[len(after) :]

    def model(
        self, outputs: Mapping[str, Symbol], shapes: Mapping[str, Shape], about: Mapping[str, str]
    ) -> Any:
        """The `onnx.ModelProto` that gives these outputs; `about`: its metadata."""
        from onnx import checker, helper

        for name, symbol in outputs.items():
            self.nodes.append(helper.make_node("Identity", [symbol.name], [name]))
        graph = helper.make_graph(
            self.nodes,
            "lstmcast",
            [_info(one.name, one.dtype, len(one.shape), one.shape) for one in self.inputs],
            [_info(name, one.dtype, one.rank, shapes[name]) for name, one in outputs.items()],
            self.constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, producer_name="lstmcast")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, dict(about))
        checker.check_model(model)
        return model

    def _new(self, kind: str) -> str:
        self._count[0] += 1
        return f"{kind}_{self._count[0]}"

    def _named(self, symbol: Symbol) -> Symbol:
        """The same under a name of its own: what a body gives must be a node's."""
        return symbol._made("Identity", rank=symbol.rank, graph=self)


class SymbolicArray(NDArrayOperatorsMixin):
    """An array of a graph."""

    def __init__(self, graph: Graph, name: str, dtype: np.dtype, rank: int) -> None:
        self.graph, self.name, self.dtype, self.rank = graph, name, dtype, rank
        self.device = None  # heads ask for it

    def __repr__(self) -> str:
        return f"Symbol({self.name}, {self.dtype}, rank {self.rank})"

    def within(self, graph: Graph) -> Symbol:
        """The same array, to continue in a body of its graph."""
        return SymbolicArray(graph, self.name, self.dtype, self.rank)

    def astype(self, dtype: DTypeLike) -> Symbol:
        """Of another type."""
        from onnx import helper

        kind = np.dtype(dtype)
        to = helper.np_dtype_to_tensor_dtype(kind)
        return self if kind == self.dtype else self._made("Cast", dtype=kind, to=to)

    def reshape(self, shape: Sequence[int]) -> Symbol:
        """0 keeps the length of an axis, −1 is what is left."""
        sizes = self.graph.constant(np.array(shape, np.int64))
        return self._made("Reshape", sizes, rank=len(shape))

    def take(self, rows: Symbol, axis: int = 0) -> Symbol:
        """Those at some places of an axis."""
        return self._made("Gather", rows, rank=self.rank + rows.rank - 1, axis=axis)

    def part(self, axis: int, first: int, last: int, steps: int = 1) -> Symbol:
        """From one place of an axis to before another."""
        chosen = first, last, axis, steps
        bounds = [self.graph.constant(np.array([at], np.int64)) for at in chosen]
        return self._made("Slice", *bounds)

    def sorted(self, count: int) -> Symbol:
        """In ascending order along the last axis, which has so many."""
        size = self.graph.constant(np.array([count], np.int64))
        names = self.graph.add("TopK", [self.name, size.name], 2, axis=-1, largest=0)
        return SymbolicArray(self.graph, names[0], self.dtype, self.rank)

    def length(self, axis: int) -> Symbol:
        """How long an axis is (1,)."""
        whole = self._made("Shape", dtype=np.dtype(np.int64), rank=1)
        return whole.part(0, axis, axis + 1)

    def filled(self, value: float, shape: Sequence[int | Symbol]) -> Symbol:
        """An array of one value."""
        sizes = [one if isinstance(one, SymbolicArray) else self._size(one) for one in shape]
        names = self.graph.add("Concat", [one.name for one in sizes], axis=0)
        wide = self.graph.constant(np.array(value, self.dtype))
        return SymbolicArray(
            self.graph,
            self.graph.add("Expand", [wide.name, names[0]])[0],
            self.dtype,
            len(shape),
        )

    def _size(self, count: int) -> Symbol:
        return self.graph.constant(np.array([count], np.int64))

    def __getitem__(self, key: Any) -> Symbol:
        keys = key if isinstance(key, tuple) else (key,)
        axes = sum(one is not None and one is not Ellipsis for one in keys)
        if Ellipsis in keys:
            at = keys.index(Ellipsis)
            keys = (*keys[:at], *[slice(None)] * (self.rank - axes), *keys[at + 1 :])
        result, axis = self, 0
        for one in keys:
            if one is None:
                result = result._made("Unsqueeze", result._size(axis), rank=result.rank + 1)
                axis += 1
            elif isinstance(one, slice):
                result = result._sliced(axis, one)
                axis += 1
            else:
                place = result.graph.constant(np.array(one, np.int64))
                result = result._made("Gather", place, rank=result.rank - 1, axis=axis)
        return result

    def _sliced(self, axis: int, chosen: slice) -> Symbol:
        if chosen == slice(None):
            return self
        if chosen == slice(None, None, -1):
            return self.part(axis, FAR, -FAR, -1)
        if chosen.step not in (None, 1):
            raise _unknown(f"a slice with steps of {chosen.step}")
        return self.part(axis, chosen.start or 0, FAR if chosen.stop is None else chosen.stop)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if method != "__call__" or settings or ufunc.__name__ not in _UFUNCS:
            raise _unknown(f"numpy.{ufunc.__name__}")
        symbols = _alike(inputs)
        return _UFUNCS[ufunc.__name__](*symbols)

    def __array__(self, *settings: Any, **more: Any) -> Any:
        raise _unknown("an answer that is looked up in tables, as that of heads of counts is,")

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        if function.__name__ not in _FUNCTIONS:
            raise _unknown(f"numpy.{function.__name__}")
        return _FUNCTIONS[function.__name__](*args, **settings)

    def _made(
        self,
        kind: str,
        *others: Symbol,
        dtype: np.dtype | None = None,
        rank: int | None = None,
        graph: Graph | None = None,
        **settings: Any,
    ) -> Symbol:
        graph = graph or self.graph
        names = graph.add(kind, [self.name, *(other.name for other in others)], **settings)
        widest = max([self.rank, *(int(other.rank) for other in others)])
        return SymbolicArray(graph, names[0], dtype or self.dtype, widest if rank is None else rank)


def _unknown(what: str) -> UsageError:
    return UsageError(
        f"{what} has no place in an ONNX graph. Write the head with the operators of arrays and "
        f"{', '.join(sorted((*_UFUNCS, *_FUNCTIONS)))}."
    )


def _alike(values: Sequence[Any]) -> list[Symbol]:
    """Symbols of one type and one graph, the innermost; numbers and arrays become constants."""
    symbols = [one for one in values if isinstance(one, SymbolicArray)]
    graph = max((one.graph for one in symbols), key=lambda graph: graph.depth)
    floats = [one.dtype for one in symbols if one.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else symbols[0].dtype

    def made(one: Any) -> Symbol:
        own = isinstance(one, SymbolicArray)
        return one.within(graph).astype(dtype) if own else graph.constant(one, dtype)

    return [made(one) for one in values]


def _node(kind: str, dtype: DTypeLike | None = None) -> Callable[..., Symbol]:
    kept = None if dtype is None else np.dtype(dtype)

    def made(first: Symbol, *others: Symbol) -> Symbol:
        return first._made(kind, *others, dtype=kept)

    return made


def _log1p(a: Symbol) -> Symbol:
    """log(1 + a) with the digits of a small a (Goldberg 1991, theorem 4)."""
    near = 1.0 + a
    safe = np.where(near == 1.0, 2.0, near)
    return np.where(near == 1.0, a, np.log(safe) * a / (safe - 1.0))


def _expm1(a: Symbol) -> Symbol:
    """exp(a) − 1 with the digits of a small a."""
    small = np.minimum(np.maximum(a, -1.0), 1.0)
    return np.where(np.abs(a) < 1.0, np.tanh(0.5 * small) * (np.exp(small) + 1.0), np.exp(a) - 1.0)


def _logaddexp(a: Symbol, b: Symbol) -> Symbol:
    return np.maximum(a, b) + _log1p(np.exp(-np.abs(a - b)))


def _where(condition: Symbol, one: Any, other: Any) -> Symbol:
    if not isinstance(one, SymbolicArray) and not isinstance(other, SymbolicArray):
        one = condition.graph.constant(one, float)
    first, second = _alike([one, other])
    inner = max(condition.graph, first.graph, key=lambda graph: graph.depth)
    condition = condition.within(inner)
    return condition._made("Where", first, second, dtype=first.dtype)


def _concatenate(parts: Sequence[Any], axis: int = 0) -> Symbol:
    symbols = _alike(parts)
    axis = axis % symbols[0].rank
    return symbols[0]._made("Concat", *symbols[1:], axis=axis)


def _clip(a: Symbol, low: Any, high: Any) -> Symbol:
    return np.minimum(np.maximum(a, low), high)


_UFUNCS: dict[str, Callable[..., Symbol]] = {
    "add": _node("Add"),
    "subtract": _node("Sub"),
    "multiply": _node("Mul"),
    "divide": _node("Div"),
    "negative": _node("Neg"),
    "absolute": _node("Abs"),
    "maximum": _node("Max"),
    "minimum": _node("Min"),
    "power": _node("Pow"),
    "exp": _node("Exp"),
    "log": _node("Log"),
    "sqrt": _node("Sqrt"),
    "tanh": _node("Tanh"),
    "rint": _node("Round"),
    "square": lambda a: a * a,
    "log1p": _log1p,
    "expm1": _expm1,
    "logaddexp": _logaddexp,
    "matmul": _node("MatMul"),
    "isnan": _node("IsNaN", bool),
    "equal": _node("Equal", bool),
    "greater": _node("Greater", bool),
    "less": _node("Less", bool),
    "greater_equal": _node("GreaterOrEqual", bool),
    "less_equal": _node("LessOrEqual", bool),
    "logical_and": _node("And", bool),
    "bitwise_and": _node("And", bool),
    "bitwise_or": _node("Or", bool),
    "invert": _node("Not", bool),
    "logical_not": _node("Not", bool),
}
_FUNCTIONS: dict[str, Callable[..., Symbol]] = {
    "where": _where,
    "concatenate": _concatenate,
    "clip": _clip,
    "zeros_like": lambda a: a * 0.0,
    "ones_like": lambda a: a * 0.0 + 1.0,
}


def _info(name: str, dtype: np.dtype, rank: int, shape: Shape | None = None) -> Any:
    from onnx import helper

    sizes = [None] * rank if shape is None else list(shape)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), sizes)


def reduced(of: Symbol, axis: int, kind: str = "Sum") -> Symbol:
    """The sum along an axis, or its "Min" or "Max"; the axis stays, with length 1."""
    if kind == "Sum":
        axes = of.graph.constant(np.array([axis], np.int64))
        return of._made("ReduceSum", axes, keepdims=1)
    return of._made(f"Reduce{kind}", axes=[axis], keepdims=1)
