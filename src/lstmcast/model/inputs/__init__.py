"""What a network sees of a series, and the way back to its units; see `base` for what all kinds
keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from warnings import warn

from pydantic import BeforeValidator
from pydantic_core import ArgsKwargs

from lstmcast.errors import UsageError
from lstmcast.model.inputs.adaptive import Adaptive as Adaptive
from lstmcast.model.inputs.base import Grid as Grid
from lstmcast.model.inputs.base import Inputs as Inputs
from lstmcast.model.inputs.base import Seen as Seen
from lstmcast.model.inputs.running import Running as Running
from lstmcast.model.inputs.transformed import Transformed as Transformed
from lstmcast.model.inputs.transformedparts import FittedTransforms as FittedTransforms

KINDS = {"adaptive": Adaptive, "transformed": Transformed, "running": Running}


def inputs_of(given: Any) -> Inputs:
    """Inputs from what people and files write; UsageError for anything else."""
    if isinstance(given, (Adaptive, Transformed, Running)):
        return given
    if isinstance(given, Mapping) and given.get("kind") in KINDS:
        kind = KINDS[given["kind"]]
        return Transformed.from_described(given) if kind is Transformed else kind(**given)
    raise UsageError(
        f"inputs={given!r} are not inputs. Use Adaptive(), Transformed(Log1p(), Difference(12)) "
        "with transforms of your own, or Running()."
    )


if TYPE_CHECKING:
    AnyInputs = Inputs
else:
    AnyInputs = Annotated[Any, BeforeValidator(inputs_of)]

_OLD = {"causal": "Adaptive()", "plain": "Transformed()"}


def with_inputs(given: Any) -> Any:
    """What a network config was given, without the names of format 1: inputs="causal" or
    "plain", window, channels."""
    kwargs = given.kwargs if isinstance(given, ArgsKwargs) else given
    if not isinstance(kwargs, Mapping):
        return given
    kind, window, columns = (kwargs.get(name) for name in ("inputs", "window", "channels"))
    named = isinstance(kind, str) and kind in _OLD
    if not named and window is None and columns is None:
        return given
    positional = isinstance(given, ArgsKwargs) and len(given.args) > 1
    if not (named or (kind is None and not positional)):
        raise UsageError(
            "window= and channels= are settings of the inputs: Adaptive(window=12), "
            "Transformed(columns=3)."
        )
    transformed = kind == "plain"
    if isinstance(given, ArgsKwargs):
        now = "Transformed(columns=…)" if transformed else "Adaptive(window=…)"
        warn(
            f"NetworkConfig(inputs={kind!r}) is called inputs={now} now.",
            DeprecationWarning,
            stacklevel=5,
        )
        if not transformed and columns not in (None, 1):
            raise UsageError(
                f"channels={columns} needs Transformed(columns={columns}): adaptive inputs are "
                "made from one column."
            )
        if transformed and window is not None:
            raise UsageError(f"window={window} is for adaptive inputs. Leave it out.")
    rest = {
        name: value
        for name, value in kwargs.items()
        if name not in ("inputs", "window", "channels")
    }
    rest["inputs"] = Transformed(columns=columns or 1) if transformed else Adaptive(window or 12)
    return ArgsKwargs(given.args, rest) if isinstance(given, ArgsKwargs) else rest
