"""A process that starts and ends quickly: what modules are made of stays until its end, so it is
not searched for garbage. Together a quarter of the time of a short forecast."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache

NEW_OBJECTS = 100_000  # between two searches for garbage; 700 by default
REPORTING = {"duckdb", "onnx"}  # they report what is left of them when a process ends


@cache
def start_fast() -> None:
    """Search for garbage less often, not in what is loaded already, and for no plugins of
    pydantic."""
    gc.set_threshold(NEW_OBJECTS)
    _keep()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


@cache
def all_loaded() -> None:
    """Say that the modules of a command are loaded, before data are: they are not searched for
    garbage either."""
    _keep()


def _keep() -> None:
    if not REPORTING & sys.modules.keys():
        gc.freeze()
