"""XML whose elements are records: a row each, with its values in elements or attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from lstmcast.data.files.countedpoints import with_times
from lstmcast.data.files.textfiles import CellGrid

_FEWEST = 3
_DEEPEST = 30
_Fields = dict[str, str]


def records_of_xml(text: str) -> CellGrid | None:
    """The records of an XML document, what is said above them beside each; None where it is no XML,
    or has none.

    >>> xml = "<c><d day='1'><r n='5'/></d><d day='2'><r n='6'/></d><d day='3'><r n='7'/></d></c>"
    >>> records_of_xml(xml).rows
    [['day', 'n'], ['1', '5'], ['2', '6'], ['3', '7']]
    """
    try:
        root = ElementTree.fromstring(text.lstrip("\ufeff \r\n").encode())
    except (ElementTree.ParseError, ValueError):
        return None
    by_path: dict[tuple[str, ...], list[_Fields]] = {}
    for path, fields in _records(root, (), {}, 0):
        if fields:
            by_path.setdefault(path, []).append(fields)
    records = with_times(max(by_path.values(), key=len, default=[]))
    names = list(dict.fromkeys(name for fields in records for name in fields))
    if len(records) < _FEWEST or len(names) < 2:
        return None
    rows = [names]
    for fields in records:
        cells = [fields.get(name, "") for name in names]
        rows.append(cells)
    lines = range(1, len(rows) + 1)
    return CellGrid(rows, list(lines))


def _records(
    element: ElementTree.Element,
    path: tuple[str, ...],
    above: Mapping[str, str],
    depth: int,
) -> Iterator[tuple[tuple[str, ...], _Fields]]:
    """The elements that hold values and no further records, each with its path and fields."""
    if depth > _DEEPEST:
        return
    name = _name(element.tag)
    path = (*path, name)
    values = {}
    for key, value in element.attrib.items():
        values[_name(key)] = value
    inner = [child for child in element if not _is_value(child)]
    for child in element:
        if _is_value(child):
            child_text = child.text or ""
            values.setdefault(_name(child.tag), child_text.strip())
    text = (element.text or "").strip()
    if text and not len(element):
        values[name] = text
    fields = dict(above)
    for key, value in values.items():
        field_name = f"{name}.{key}" if key in above else key
        fields[field_name] = value
    if not inner:
        yield path, fields
    fields |= _interval_among(inner)
    for child in inner:
        yield from _records(child, path, fields, depth + 1)


def _interval_among(elements: list[ElementTree.Element]) -> _Fields:
    """Start and end of the interval that stands beside other elements."""
    for element in elements:
        parts = {_name(child.tag): child.text or "" for child in element}
        if parts.keys() == {"start", "end"} and all(map(_is_value, element)):
            return {name: text.strip() for name, text in parts.items()}
    return {}


def _is_value(element: ElementTree.Element) -> bool:
    """Whether an element holds a text alone, as a cell does."""
    return not len(element) and not element.attrib


def _name(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]
