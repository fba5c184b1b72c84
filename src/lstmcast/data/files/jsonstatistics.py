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
    document = document.get("dataset", document)
    if not isinstance(document, Mapping):
        return []
    if "dimension" in document and "value" in document:
        return _of_json_stat(document)
    inner = document.get("data", document)
    if isinstance(inner, Mapping) and "dataSets" in inner:
        return _of_sdmx(inner)
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
    changing = [place for place, size in enumerate(sizes) if size > 1]
    records = []
    for place, cell in enumerate(product(*codes)):
        if str(place) in values:
            fields = {names[number]: cell[number] for number in changing}
            records.append(fields | {"value": values[str(place)]})
    return records


def _codes(category: Mapping[str, Any]) -> list[str]:
    """The codes of a dimension in their order."""
    index = category.get("index") or list(category["label"])
    if isinstance(index, Mapping):
        return sorted(index, key=lambda code: index[code])
    return list(index)


def _of_sdmx(message: Mapping[str, Any]) -> Records:
    """Observations by the places of their codes: {"0:2:1": {"observations": {"0": [5.1]}}}."""
    structure = message.get("structure") or next(iter(message.get("structures") or ()), {})
    dimensions = structure.get("dimensions", {})
    within = dimensions.get("observation", [])
    records = []
    for data_set in message["dataSets"]:
        series = data_set.get("series", {"": data_set})
        for key, one_series in series.items():
            labels = _fields(key, dimensions.get("series", []) if "series" in data_set else [])
            for places, values in one_series.get("observations", {}).items():
                records.append(labels | _fields(places, within) | {"value": values[0]})
    return records


def _fields(key: str, dimensions: list[Mapping[str, Any]]) -> dict[str, str]:
    """The codes that a key such as 0:2:1 stands for, of dimensions with more than one."""
    fields = {}
    for place, dimension in zip(key.split(":"), dimensions, strict=False):
        if len(dimension["values"]) > 1:
            entry = dimension["values"][int(place)]
            fields[dimension["id"]] = str(entry.get("id", entry.get("name")))
    return fields
