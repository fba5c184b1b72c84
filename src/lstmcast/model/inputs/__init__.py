"""Inputs: how values become what a network reads, and answers become forecasts (see `base`)."""

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
from lstmcast.util.text import brief

KINDS = {"adaptive": Adaptive, "transformed": Transformed, "running": Running}


def inputs_of(description: Any) -> Inputs:
    """Make inputs from settings of users and files; UsageError for anything else."""
    if isinstance(description, (Adaptive, Transformed, Running)):
        return description
    if isinstance(description, Mapping) and description.get("kind") in KINDS:
        kind = KINDS[description["kind"]]
        return (
            Transformed.from_described(description)
            if kind is Transformed
            else kind(**description)
        )
    raise UsageError(
        f"inputs={brief(description)} are not inputs. Use Adaptive(), Transformed(…) with "
        "transforms such as Log1p() and Difference(12), or Running()."
    )


if TYPE_CHECKING:
    AnyInputs = Inputs
else:
    AnyInputs = Annotated[Any, BeforeValidator(inputs_of)]

_OLD = {"causal": "Adaptive()", "plain": "Transformed()"}


def with_inputs(arguments: Any) -> Any:
    """Arguments of a network config, with settings of format 1 translated: inputs="causal" or
    "plain", window, channels."""
    kwargs = arguments.kwargs if isinstance(arguments, ArgsKwargs) else arguments
    if not isinstance(kwargs, Mapping):
        return arguments
    kind, window, columns = (
        kwargs.get(name) for name in ("inputs", "window", "channels")
    )
    is_old = isinstance(kind, str) and kind in _OLD
    if not is_old and window is None and columns is None:
        return arguments
    positional = isinstance(arguments, ArgsKwargs) and len(arguments.args) > 1
    if not (is_old or (kind is None and not positional)):
        raise UsageError(
            "window= and channels= are settings of the inputs: Adaptive(window=12), "
            "Transformed(columns=3)."
        )
    transformed = kind == "plain"
    if isinstance(arguments, ArgsKwargs):
        new_spelling = "Transformed(columns=…)" if transformed else "Adaptive(window=…)"
        warn(
            f"NetworkConfig(inputs={kind!r}) is now called inputs={new_spelling}.",
            DeprecationWarning,
            stacklevel=4,
        )
        if not transformed and columns not in (None, 1):
            raise UsageError(
                f"channels={columns} needs Transformed(columns={columns}): adaptive inputs are "
                "made from one column."
            )
        if transformed and window is not None:
            raise UsageError(f"window={window} is for adaptive inputs. Leave it out.")
    settings = {
        name: value
        for name, value in kwargs.items()
        if name not in ("inputs", "window", "channels")
    }
    settings["inputs"] = (
        Transformed(columns=columns or 1) if transformed else Adaptive(window or 12)
    )
    return (
        ArgsKwargs(arguments.args, settings)
        if isinstance(arguments, ArgsKwargs)
        else settings
    )
