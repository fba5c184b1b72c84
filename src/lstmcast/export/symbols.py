"""Arrays that are not known yet: NumPy functions of them are nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from lstmcast.errors import UsageError
from lstmcast.export.formulas import clip, expm1, log1p, logaddexp

if TYPE_CHECKING:
    from lstmcast.export.graphs import Graph

FAR = np.iinfo(np.int64).max  # beyond the end of any axis
# A `SymbolicArray`; type checkers see Any, as NumPy's stubs accept no arrays but its own.
Symbol: TypeAlias = Any


class SymbolicArray(NDArrayOperatorsMixin):
    """An array of a graph."""

    def __init__(self, graph: Graph, name: str, dtype: np.dtype, rank: int) -> None:
        self.graph = graph
        self.name = name
        self.dtype = dtype
        self.rank = rank
        self.device = None  # read by heads

    def __repr__(self) -> str:
        return f"Symbol({self.name}, {self.dtype}, rank {self.rank})"

    def within(self, graph: Graph) -> Symbol:
        """The same array, for use in a body of its graph."""
        return SymbolicArray(graph, self.name, self.dtype, self.rank)

    def astype(self, dtype: DTypeLike) -> Symbol:
        """The array in another type."""
        from onnx import helper

        kind = np.dtype(dtype)
        if kind == self.dtype:
            return self
        return self._made("Cast", dtype=kind, to=helper.np_dtype_to_tensor_dtype(kind))

    def reshape(self, shape: Sequence[int]) -> Symbol:
        """The array in another shape; 0 keeps the length of an axis, −1 stands for the rest."""
        sizes = self.graph.constant(np.array(shape, np.int64))
        return self._made("Reshape", sizes, rank=len(shape))

    def take(self, rows: Symbol, axis: int = 0) -> Symbol:
        """The elements at some positions of an axis."""
        return self._made("Gather", rows, rank=self.rank + rows.rank - 1, axis=axis)

    def part(self, axis: int, first: int, end: int, steps: int = 1) -> Symbol:
        """The elements from one position of an axis up to another, which is excluded."""
        bounds = [self._size(number) for number in (first, end, axis, steps)]
        return self._made("Slice", *bounds)

    def sorted(self, count: int) -> Symbol:
        """The elements in ascending order along the last axis, which has this length."""
        inputs = [self.name, self._size(count).name]
        values, _ = self.graph.add("TopK", inputs, 2, axis=-1, largest=0)
        return SymbolicArray(self.graph, values, self.dtype, self.rank)

    def length(self, axis: int) -> Symbol:
        """The length of an axis (1,)."""
        lengths = self._made("Shape", dtype=np.dtype(np.int64), rank=1)
        return lengths.part(0, axis, axis + 1)

    def filled(self, value: float, shape: Sequence[int | Symbol]) -> Symbol:
        """An array of one value."""
        names = []
        for size in shape:
            is_symbol = isinstance(size, SymbolicArray)
            symbol = size if is_symbol else self._size(size)
            names.append(symbol.name)
        [sizes] = self.graph.add("Concat", names, axis=0)
        scalar = self.graph.constant(np.array(value, self.dtype))
        [array] = self.graph.add("Expand", [scalar.name, sizes])
        return SymbolicArray(self.graph, array, self.dtype, len(shape))

    def _size(self, count: int) -> Symbol:
        return self.graph.constant(np.array([count], np.int64))

    def __getitem__(self, key: Any) -> Symbol:
        array: Any = self
        axis = 0
        for index in self._indices(key):
            if index is None:
                array = array._made("Unsqueeze", array._size(axis), rank=array.rank + 1)
                axis += 1
            elif isinstance(index, slice):
                array = array._sliced(axis, index)
                axis += 1
            else:
                place = array.graph.constant(np.array(index, np.int64))
                array = array._made("Gather", place, rank=array.rank - 1, axis=axis)
        return array

    def _indices(self, key: Any) -> Sequence[Any]:
        """The indices of a key, with slices in place of an ellipsis."""
        indices = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis not in indices:
            return indices
        place = indices.index(Ellipsis)
        axes = [
            index for index in indices if index is not None and index is not Ellipsis
        ]
        indices[place : place + 1] = [slice(None)] * (self.rank - len(axes))
        return indices

    def _sliced(self, axis: int, span: slice) -> Symbol:
        if span == slice(None):
            return self
        if span == slice(None, None, -1):
            return self.part(axis, FAR, -FAR, -1)
        if span.step not in (None, 1):
            raise _unknown(f"a slice with steps of {span.step}")
        end = FAR if span.stop is None else span.stop
        return self.part(axis, span.start or 0, end)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any
    ) -> Any:
        name = ufunc.__name__
        if method != "__call__" or settings or name not in _UFUNCS:
            raise _unknown(f"numpy.{name}")
        return _UFUNCS[name](*_alike(inputs))

    def __array__(self, *settings: Any, **named_settings: Any) -> Any:
        raise _unknown(
            "a head that looks up its answers in tables, as heads of counts do,"
        )

    def __array_function__(
        self, function: Any, types: Any, args: Any, settings: Any
    ) -> Any:
        if function.__name__ not in _FUNCTIONS:
            raise _unknown(f"numpy.{function.__name__}")
        return _FUNCTIONS[function.__name__](*args, **settings)

    def _made(
        self,
        kind: str,
        *operands: Symbol,
        dtype: np.dtype | None = None,
        rank: int | None = None,
        graph: Graph | None = None,
        **settings: Any,
    ) -> Symbol:
        """The output of a node for this array and others; by default of the same type and the
        greatest rank."""
        graph = graph or self.graph
        inputs: list[Any] = [self, *operands]
        names = graph.add(kind, [symbol.name for symbol in inputs], **settings)
        widest = max(symbol.rank for symbol in inputs)
        own_rank = widest if rank is None else rank
        return SymbolicArray(graph, names[0], dtype or self.dtype, own_rank)


def _unknown(subject: str) -> UsageError:
    return UsageError(
        f"{subject} cannot be exported to an ONNX graph. Write the head with the operators of "
        f"arrays and {', '.join(sorted((*_UFUNCS, *_FUNCTIONS)))}."
    )


def _alike(values: Sequence[Any]) -> list[Symbol]:
    """Symbols of one type and of the innermost graph; numbers and arrays become constants."""
    symbols = [value for value in values if isinstance(value, SymbolicArray)]
    graph = max((symbol.graph for symbol in symbols), key=lambda graph: graph.depth)
    floats = [symbol.dtype for symbol in symbols if symbol.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else symbols[0].dtype

    def converted(value: Any) -> Symbol:
        if isinstance(value, SymbolicArray):
            return value.within(graph).astype(dtype)
        return graph.constant(value, dtype)

    return [converted(value) for value in values]


def _node(kind: str, dtype: DTypeLike | None = None) -> Callable[..., Symbol]:
    dtype_of_answer = None if dtype is None else np.dtype(dtype)

    def node(first: Symbol, *operands: Symbol) -> Symbol:
        return first._made(kind, *operands, dtype=dtype_of_answer)

    return node


def _where(condition: Symbol, if_true: Any, if_false: Any) -> Symbol:
    if not isinstance(if_true, SymbolicArray) and not isinstance(
        if_false, SymbolicArray
    ):
        if_true = condition.graph.constant(if_true, float)
    first, second = _alike([if_true, if_false])
    inner = max(condition.graph, first.graph, key=lambda graph: graph.depth)
    condition = condition.within(inner)
    return condition._made("Where", first, second, dtype=first.dtype)


def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Symbol:
    first, *following = _alike(arrays)
    return first._made("Concat", *following, axis=axis % first.rank)


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
    "square": lambda value: value * value,
    "log1p": log1p,
    "expm1": expm1,
    "logaddexp": logaddexp,
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
    "clip": clip,
    "zeros_like": lambda value: value * 0.0,
    "ones_like": lambda value: value * 0.0 + 1.0,
}


def reduced(of: Symbol, axis: int, kind: str = "Sum") -> Symbol:
    """The sum along an axis, or its "Min" or "Max"; the axis stays, with length 1."""
    if kind == "Sum":
        axes = of.graph.constant(np.array([axis], np.int64))
        return of._made("ReduceSum", axes, keepdims=1)
    return of._made(f"Reduce{kind}", axes=[axis], keepdims=1)
