"""A forecaster's settings as a TOML file, which `fit --settings` reads."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from lstmcast.errors import UsageError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.util.files import checked_path, output_errors, whole_file
from lstmcast.util.toml import toml_text

FILE = "settings.toml"


def write_settings(forecaster: LSTMForecaster, path: Path, heading: str = "") -> None:
    """Write the settings of a forecaster; `heading`: comments above them.

    Raises:
        OutputError: The file cannot be written.
    """
    comments = [f"# {line}".rstrip() for line in heading.splitlines()]
    text = "\n".join([*comments, toml_text(json.loads(forecaster.to_json())), ""])
    with output_errors(path), whole_file(path) as place:
        place.write_text(text, encoding="utf-8")


def read_settings(path: str | Path) -> LSTMForecaster:
    """The unfitted forecaster that a file of settings describes.

    Raises:
        UsageError: There is no such file, or it does not describe a forecaster.
    """
    place = checked_path(path)
    try:
        values = tomllib.loads(place.read_text(encoding="utf-8"))
        return LSTMForecaster.from_json(values)
    except OSError as error:
        raise UsageError(
            f"settings {str(path)!r} cannot be read: {error.strerror}. Name a file such as the "
            f"{FILE} that lstmcast tune writes."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings {str(path)!r} are not TOML: {error}.") from error
    except UsageError as error:
        raise UsageError(f"settings {str(path)!r}: {error.message}") from error
