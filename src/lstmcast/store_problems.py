"""What is wrong with a saved model, and what to do about it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lstmcast.errors import ModelError

MANIFEST = "manifest.json"


def not_there(place: Path) -> ModelError:
    if not os.path.exists(place):
        reason = f"there is no folder {str(place)!r}"
    elif not os.path.isdir(place):
        reason = f"{str(place)!r} is a file"
    else:
        reason = f"the folder {str(place)!r} holds no {MANIFEST}"
    return ModelError(
        f"No saved model: {reason}.\nA folder written by `lstmcast fit … --model DIR` or `lstmcast "
        "forecast … --save DIR` is expected."
    )


def damaged(place: Path, name: str, reason: str) -> ModelError:
    return ModelError(
        f"The model in {str(place)!r} is damaged: {name}: {reason}.\n"
        "Save the model again, or copy the whole folder again from where it came."
    )


def unreadable(path: Path, error: OSError) -> ModelError:
    """The error for a file that cannot be read, which need not be damaged."""
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = "permission to read it is missing"
        advice = "Ask the owner of the folder for permission, or use a copy that you may read."
    else:
        reason = error.strerror or str(error)
        advice = "Try again, or copy the whole folder again from where it came."
    return ModelError(f"{str(path)!r} cannot be read: {reason}.\n{advice}")
