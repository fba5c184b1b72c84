"""Records as blocks of lines, a name and a value on each: `day: 2024-01-01`, then `sold: 5`."""

from __future__ import annotations

from collections.abc import Iterator

from lstmcast.util.patterns import pattern_of

_RULE = pattern_of(
    r"\W*|[-*= ]*\[? *(?:record|row|entry|item)? *\d*\.? *(?:row|record)? *\]?[-*= +]*",
)
_NAME = r"[^\W\d][^:=|\t]{0,60}?"
_LINES = {
    ":": pattern_of(rf"\s*({_NAME}) *:(?: +(.*))?"),
    "=": pattern_of(rf"\s*({_NAME}) *=([^=]*)"),
    "|": pattern_of(rf"\s*({_NAME}) *\|([^|]*)"),
}
_FEWEST = 3  # records
_SAMPLE = 60  # lines that are looked at before all are


def records_of_blocks(text: str) -> list[dict[str, str]]:
    """The records of such blocks; [] where the text is anything else.

    >>> blocks = "day: 2024-01-01\\nsold: 5\\n"
    >>> records_of_blocks(blocks + blocks + blocks)[0]
    {'day': '2024-01-01', 'sold': '5'}
    """
    head = text[: 1 << 14].splitlines()[:_SAMPLE]
    for mark in _LINES:
        if not _read(head, mark):
            continue
        records = _read(text.splitlines(), mark)
        names = [next(iter(record)) for record in records]
        is_one_kind = len(set(names)) == 1 and min(map(len, records)) > 1
        if len(records) >= _FEWEST and is_one_kind:
            return records
    return []


def _read(lines: list[str], mark: str) -> list[dict[str, str]]:
    """Records of lines with this mark, which end at a rule and where a name comes again; [] where a
    line is none."""
    records: list[dict[str, str]] = [{}]
    for pair in _pairs(lines, mark):
        if pair is None:
            return []
        name, value = pair
        if name is None or name in records[-1]:
            records.append({})
        if name is not None:
            records[-1][name] = value
    return [record for record in records if record]


def _pairs(lines: list[str], mark: str) -> Iterator[tuple[str | None, str] | None]:
    """The name and value of each line; no name for a rule, None for any other line."""
    for line in lines:
        match = _LINES[mark].fullmatch(line)
        if match is not None:
            yield match[1].strip(), (match[2] or "").strip()
        else:
            is_rule = _RULE.fullmatch(line.strip().casefold())
            yield (None, "") if is_rule else None
