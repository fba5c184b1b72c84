"""The former name of a stream that learns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from warnings import warn

from lstmcast.model.heads import Head
from lstmcast.model.inputs import Running
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.opening import Forecaster
from lstmcast.streaming.stream import Stream


def Online(
    start: Forecaster | Network | NetworkConfig,
    ids: Iterable[Any],
    *,
    learning: Learning | None = Learning(),  # noqa: B008  (frozen)
    scaling: Any = None,
    head: Head | None = None,
    seed: int = 0,
) -> Stream:
    """The former name of a `Stream` that learns; `scaling` are the inputs of its network.

    >>> import warnings
    >>> from lstmcast.model.inputs import Transformed
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     Online(NetworkConfig((8,), inputs=Transformed(), head="point", horizon=1), ["a"]).ids
    ['a']
    """
    warn(
        "Online(…, scaling=…) is now called Stream(…, learning=Learning()); its scaling is "
        "inputs=Running(…) of the network.",
        DeprecationWarning,
        stacklevel=2,
    )
    if not isinstance(start, (Network, NetworkConfig)) and (
        scaling or not start.model.inputs
    ):
        start = start.model.network
    if isinstance(start, Network) and not start.config.inputs.from_context:
        columns = start.config.inputs.columns
        start = start.with_inputs(replace(scaling or Running(), columns=columns))
    elif isinstance(start, NetworkConfig) and not start.inputs.from_context:
        inputs = replace(scaling or Running(), columns=start.inputs.columns)
        start = replace(start, inputs=inputs)
    return Stream(start, ids, learning=learning, head=head, seed=seed)
