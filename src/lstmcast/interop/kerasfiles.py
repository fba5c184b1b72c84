"""Keras files as arrays: .keras, and .h5 in both of its layouts. Needs h5py but not Keras.

A .keras file is a zip of config.json, metadata.json and model.weights.h5. In the HDF5 layout of
Keras 3, weights are stored under numbered class names: layers/lstm/cell/vars/0,
layers/lstm_1/cell/vars/0. In the older layout they are stored under the names of the layers, which
attributes list in order.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import MissingExtraError, ModelError
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.patterns import pattern_of

LARGEST = 2**27  # numbers in one array: an LSTM layer of 4,096 units has half of that
MOST_BYTES = 2**20  # for the names of layers, or of a layer's arrays
GROUPS = {"LSTM": "lstm", "Dense": "dense", "TimeDistributed": "time_distributed"}
# the groups in which a layer stores its arrays
INSIDE = {"lstm": "cell/", "dense": "", "time_distributed": "layer/"}
ROOTS = ("layers", "_layer_checkpoint_dependencies")  # the second: Keras 2.12 and later
_COUNTED = pattern_of(rf"({'|'.join(INSIDE)})(?:_(\d+))?")


class Stored(Protocol):
    """The arrays in a file."""

    def of_layer(self, name: str, kind: str) -> list[NDArray]:
        """The arrays of one layer; must be called for each layer in the model's order."""
        ...

    def of_all(self) -> list[list[NDArray]]:
        """The arrays of all layers."""
        ...


class Counted:
    """The layout of Keras 3: the k-th layer of a class is in the k-th group of that name, whatever
    its number is."""

    def __init__(self, file: Any) -> None:
        groups: dict[str, dict[int, list[NDArray]]] = {
            group: {} for group in GROUPS.values()
        }
        for path in (f"{root}/{name}" for root in ROOTS for name in file.get(root, ())):
            if match := _COUNTED.fullmatch(path.rpartition("/")[2]):
                place = f"{path}/{INSIDE[match[1]]}vars"
                numbers = sorted(map(int, file.get(place, ())))
                if numbers:
                    groups[match[1]][int(match[2] or 0)] = [
                        _values(file, f"{place}/{number}") for number in numbers
                    ]
        self._waiting = {
            group: [arrays[number] for number in sorted(arrays)]
            for group, arrays in groups.items()
        }

    def of_layer(self, name: str, kind: str) -> list[NDArray]:
        waiting = self._waiting[GROUPS[kind]]
        return waiting.pop(0) if waiting else []

    def of_all(self) -> list[list[NDArray]]:
        raise ModelError(
            "it holds weights, not the layers that they belong to. Save the whole model by "
            "model.save('model.keras'), or pass model.get_weights()."
        )


class Listed:
    """The older layout, which Keras 3 still writes to .h5: layers and their arrays by name, in the
    listed order."""

    def __init__(self, root: Any) -> None:
        self._layers: dict[str, list[NDArray]] = {}
        for layer in _names(root, "layer_names"):
            names = _names(root[layer], "weight_names")
            self._layers[layer] = [_values(root, f"{layer}/{name}") for name in names]

    def of_layer(self, name: str, kind: str) -> list[NDArray]:
        return self._layers.get(name, [])

    def of_all(self) -> list[list[NDArray]]:
        return list(self._layers.values())


class Saved(NamedTuple):
    """The contents of a file."""

    config: dict[str, Any] | None  # the config of the model, if the file has one
    arrays: Stored
    version: str | None  # the version of Keras that wrote it, if known


def read(path: Path) -> Saved:
    """Read a .keras or an .h5 file; ModelError if it is neither."""
    h5py = _h5py(path)
    if path.is_dir():
        raise ModelError(
            "it is a folder. Save the model as one file, by model.save('model.keras')."
        )
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            missing = [
                name
                for name in ("config.json", "model.weights.h5")
                if name not in archive.namelist()
            ]
            if missing:
                raise ModelError(
                    f"it has no {missing[0]}. Save the model by model.save('model.keras')."
                )
            about = (
                json.loads(archive.read("metadata.json"))
                if "metadata.json" in archive.namelist()
                else {}
            )
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                config = json.loads(archive.read("config.json"))
                return Saved(config, Counted(file), about.get("keras_version"))
    path.open("rb").close()  # raises the reason if it cannot be opened
    if not h5py.is_hdf5(path):
        raise ModelError(
            "it is neither a .keras nor an .h5 file, or not whole. Save it by "
            "model.save('model.keras')."
        )
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        config = (
            json.loads(file.attrs["model_config"])
            if "model_config" in file.attrs
            else None
        )
        arrays = Listed(root) if "layer_names" in root.attrs else Counted(file)
        return Saved(config, arrays, _text(file.attrs.get("keras_version")))


def _h5py(path: str | os.PathLike[str]) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            f"Files of Keras such as {str(path)!r} need the package h5py. "
            "Install it with pip install 'lstmcast[keras]'."
        ) from error
    return h5py


def _names(group: Any, attribute: str) -> list[str]:
    stored = group.attrs.get_id(attribute)
    # a damaged size would take much memory and minutes
    if math.prod(stored.shape) * stored.dtype.itemsize > MOST_BYTES:
        raise ModelError(f"its {attribute} are damaged. Save the model again.")
    return [str(_text(name)) for name in group.attrs[attribute]]


def _text(stored: Any) -> str | None:
    """An attribute as text; older versions wrote bytes."""
    if stored is None:
        return None
    return stored.decode() if isinstance(stored, bytes) else str(stored)


def _values(group: Any, path: str) -> NDArray:
    dataset = group[path]
    is_outside = (
        dataset.file.filename != group.file.filename
        or dataset.external
        or dataset.is_virtual
    )
    if is_outside or dataset.size > LARGEST:
        raise ModelError(
            f"{path!r} lies outside the file, or is too large. Weights as Keras saves them are "
            "expected."
        )
    return dataset[()]


def write(
    path: str | os.PathLike[str],
    config: dict[str, Any],
    weights: Sequence[tuple[str, Sequence[NDArray]]],
) -> None:
    """Write the arrays of each layer with the layer's class, and for .keras the config; OutputError
    if that fails."""
    h5py = _h5py(path)
    is_model = check_output(path, (".keras", ".h5")).suffix.lower() == ".keras"
    with whole_file(path) as temporary:
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            _write_weights(file, weights)
        if not is_model:
            temporary.write_bytes(content.getvalue())
            return
        with zipfile.ZipFile(temporary, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("model.weights.h5", content.getvalue())


def _write_weights(file: Any, weights: Sequence[tuple[str, Sequence[NDArray]]]) -> None:
    """Write both layouts: which one `load_weights` reads depends on the name of the file."""
    counts: dict[str, int] = {}
    layers: list[str] = []
    for kind, arrays in weights:
        group = GROUPS[kind]
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        name = f"{group}_{count}" if count else group
        variables = file.create_group(f"layers/{name}/{INSIDE[group]}vars")
        names = (
            ["kernel", "recurrent_kernel", "bias"]
            if kind == "LSTM"
            else ["kernel", "bias"]
        )
        older = file.create_group(name)
        older.attrs["weight_names"] = np.array(names, "S")
        for position, (variable, array) in enumerate(zip(names, arrays, strict=True)):
            variables[str(position)] = array
            older[variable] = variables[str(position)]  # a hard link: stored once
        layers.append(name)
    file.attrs["layer_names"] = np.array(layers, "S")
    file.attrs["keras_version"] = b"3.0.0"
    file.attrs["backend"] = b"numpy"
