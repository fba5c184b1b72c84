"""Cubes of statistical offices as JSON: JSON-stat (Eurostat, Statistics Norway) and SDMX-JSON (ECB,
OECD)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any

from lstmcast.data.files.jsontables import Records

_MOST_CELLS = 10_000_000


def statistics_of(document: Any) -> Records:
    """The cells of a cube as records with a field for each dimension; [] where a document is
    none."""
    if not isinstance(document, Mapping):
        return []
    try:
        return _cells_of(document)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return []  # fields of these names that are something else


def _cells_of(document: Mapping[str, Any]) -> Records:
    cube = document.get("dataset", document)
    if "dimension" in cube and "value" in cube:
        return _of_json_stat(cube)
    message = document.get("data", document)
    if "dataSets" in message:
        return _of_sdmx(message)
    return []


def _of_json_stat(cube: Mapping[str, Any]) -> Records:
    """Values by their places in a cube: {"id": […], "size": […], "dimension": …, "value": …}."""
    dimensions = cube["dimension"]
    names = cube.get("id") or dimensions.get("id")
    sizes = cube.get("size") or dimensions.get("size")
    if not names or not sizes or prod(sizes) > _MOST_CELLS:
        return []
    codes = [_codes(dimensions[name]["category"]) for name in names]
    if list(map(len, codes)) != list(sizes):
        return []
    values = cube["value"]
    if isinstance(values, list):
        values = {str(place): value for place, value in enumerate(values)}
    records = []
    for place, cell in enumerate(product(*codes)):
        key = str(place)
        if key not in values:
            continue
        record = {}
        for name, size, code in zip(names, sizes, cell, strict=True):
            if size > 1:
                record[name] = code
        record["value"] = values[key]
        records.append(record)
    return records


def _codes(category: Mapping[str, Any]) -> list[str]:
    """The codes of a dimension in their order."""
    index = category.get("index") or list(category["label"])
    if isinstance(index, Mapping):
        return sorted(index, key=lambda code: index[code])
    return list(index)


def _of_sdmx(message: Mapping[str, Any]) -> Records:
    """Observations by the places of their codes: {"0:2:1": {"observations": {"0": [5.1]}}}."""
    structure = message.get("structure")
    if structure is None:
        structure = message["structures"][0]
    dimensions = structure["dimensions"]
    dimensions_of_series = dimensions.get("series", [])
    records = []
    for data_set in message["dataSets"]:
        series_by_key = data_set.get("series")
        if series_by_key is None:
            series_by_key = {"": data_set}
            dimensions_of_series = []
        for key, series in series_by_key.items():
            labels = _fields(key, dimensions_of_series)
            for places, values in series.get("observations", {}).items():
                record = labels | _fields(places, dimensions["observation"])
                record["value"] = values[0]
                records.append(record)
    return records


def _fields(key: str, dimensions: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The codes that a key such as 0:2:1 stands for, of dimensions with more than one."""
    fields = {}
    for place, dimension in zip(key.split(":"), dimensions, strict=False):
        entries = dimension["values"]
        if len(entries) > 1:
            entry = entries[int(place)]
            fields[dimension["id"]] = str(entry.get("id", entry.get("name")))
    return fields
