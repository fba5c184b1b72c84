"""Settings as TOML, which Python can read but not write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any


def toml_text(values: Mapping[str, Any]) -> str:
    """Nested settings as TOML, without those that are None, which TOML does not have.

    >>> print(toml_text({"seed": 0, "network": {"layers": [8], "inputs": {"past": ["price"]}}}))
    seed = 0
    <BLANKLINE>
    [network]
    layers = [8]
    <BLANKLINE>
    [network.inputs]
    past = ["price"]
    """
    return "\n".join(_lines(values, ())).strip()


def _lines(values: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    plain = {
        name: value for name, value in values.items() if not isinstance(value, Mapping)
    }
    if above and (plain or not values):
        yield ""
        yield f"[{'.'.join(above)}]"
    for name, value in plain.items():
        if value is not None:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*above, _key(name)))


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = []
        for name, entry in value.items():
            if entry is not None:
                pairs.append(f"{_key(name)} = {_value(entry)}")
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
