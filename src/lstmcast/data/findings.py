"""Findings in data, one per series, or one for all if many series have the same."""

# S series · N rows

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy import ndarray

from lstmcast.advice import in_python
from lstmcast.errors import DataError, bounded
from lstmcast.util.html import block, more, table
from lstmcast.util.text import in_number

Severity = Literal["error", "warning", "note"]
# Rules that other modules refer to.
GAPS = "gaps"
MISSING_STEPS = "missing steps"  # between saved and newer data
MISSING_VALUES = "missing values"
DUPLICATE_TIMES = "duplicate times"
OUTLIERS = "outliers"
NUMBERED = "row numbers"
NO_RECENT_VALUES = "no recent values"
EXAMPLES = 3
MOST_SHOWN = 20  # in a notebook
_SEPARATE = 5  # with up to this many series, each gets a finding


@dataclass(frozen=True)
class Finding:
    """A finding in the data, with the action taken or advised.

    `line` is the line of the file or row of the frame of the first case, counted from 1; `count` is
    the number of cases.

    >>> message = "2 of 144 values are missing"
    >>> print(Finding("missing values", "warning", message, "They are masked.", count=2))
    warning: 2 of 144 values are missing. They are masked.
    """

    rule: str
    severity: Severity
    message: str
    action: str = ""
    series: str | None = None
    line: int | None = None
    value: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        for name in ("message", "action", "series", "value"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, bounded(text))

    def __str__(self) -> str:
        return f"{self.severity}: {in_python(self.text)}"

    @property
    def text(self) -> str:
        """Message and action as sentences, without the severity, with options of the command."""
        message = self.message
        if not message.endswith((".", "?", "!")):
            message += "."
        return f"{message} {self.action}".rstrip()


class Findings(tuple[Finding, ...]):
    """All findings of a check, in order.

    >>> found = Findings([Finding("gaps", "warning", "1 month is missing", "It is masked.")])
    >>> len(found), len(found.errors), found.columns_dict()["rule"]
    (1, 0, ['gaps'])
    >>> print(found)
    warning: 1 month is missing. It is masked.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self) or "no findings"

    def _repr_html_(self) -> str:
        """A table for notebooks, errors first, limited to the first ones."""
        order = ("error", "warning", "note")
        if not self:
            return block("no findings")
        ordered = sorted(self, key=lambda finding: order.index(finding.severity))
        first_ones = ordered[:MOST_SHOWN]
        rows = [(finding.severity, in_python(finding.text)) for finding in first_ones]
        title = "1 finding" if len(self) == 1 else f"{len(self):,} findings"
        header = ["", "finding"]
        listing = table(header, rows, left_aligned=(0, 1), wrap=True)
        further = more(len(rows), len(self), "findings")
        return block(title, listing, further)

    @property
    def errors(self) -> Findings:
        """The findings that prevent the use of the data."""
        return Findings(finding for finding in self if finding.severity == "error")

    @property
    def warnings(self) -> Findings:
        """The findings that change or mask values, or that should be checked."""
        return Findings(finding for finding in self if finding.severity == "warning")

    def columns_dict(self) -> dict[str, list]:
        """The findings as columns: one list per field of Finding."""
        columns = {}
        for name in Finding.__dataclass_fields__:
            columns[name] = [getattr(finding, name) for finding in self]
        return columns

    def raise_errors(self, source: str) -> None:
        """Raise one DataError with all errors, if there are any."""
        texts = [finding.text for finding in self.errors]
        if not texts:
            return
        if len(texts) == 1:
            raise DataError(f"{source}: {texts[0]}")
        listing = "\n".join(
            f"  {number}. {text}" for number, text in enumerate(texts, start=1)
        )
        raise DataError(
            f"{source} cannot be used as it is, for {len(texts)} reasons:\n{listing}"
        )


@dataclass(frozen=True)
class Case:
    """What a rule finds in one series: the rest of the sentence, and the line of the first case."""

    message: str
    line: int | None = None
    value: str | None = None
    count: int | None = None  # number of cases, if they are not the rows


def per_series(
    ids: ndarray,
    series: ndarray,
    rows: ndarray,
    rule: Finding,
    say: Callable[[ndarray], Case],
) -> list[Finding]:
    """A finding for each affected series, or one for all if there are many.

    series: index of the series of every row, ascending; rows: numbers of the affected rows; rule:
        the finding without message, with its action in singular and plural (`in_number`); say:
        describes the rows of one series.
    """
    if not len(rows):
        return []
    codes, begins = np.unique(series[rows], return_index=True)
    ends = np.append(begins[1:], len(rows))
    shown_count = len(codes) if len(codes) <= _SEPARATE else EXAMPLES
    findings = []
    for code, begin, end in zip(codes[:shown_count], begins, ends, strict=False):
        name = str(ids[code]) if len(ids) > 1 else None
        own_rows = rows[begin:end]
        findings.append(_of_series(name, len(own_rows), rule, say(own_rows)))
    if len(codes) <= _SEPARATE:
        return findings
    examples = "; ".join(finding.message for finding in findings)
    message = (
        f"{rule.rule} in {len(codes):,} of {len(ids):,} series, for example {examples}"
    )
    action = in_number(rule.action, len(rows))
    together = replace(findings[0], message=message, action=action, count=len(rows))
    return [replace(together, series=None, value=None)]


def _of_series(name: str | None, row_count: int, rule: Finding, case: Case) -> Finding:
    """The finding about one series, which is named if there are several."""
    message = case.message if name is None else f"series {name!r}: {case.message}"
    count = row_count if case.count is None else case.count
    return replace(
        rule,
        message=message,
        action=in_number(rule.action, count),
        series=name,
        line=case.line,
        value=case.value,
        count=count,
    )


def dropped_lines(
    reasons: dict[int, str], severity: Severity = "note"
) -> tuple[Finding, ...]:
    """One finding about all dropped lines, {line: reason}, or none.

    >>> print(*dropped_lines({146: "blank", 147: "a note"}))
    note: 2 lines are not data: line 146 (blank), line 147 (a note). They were dropped.
    """
    if not reasons:
        return ()
    lines = sorted(reasons)
    count = len(lines)
    examples = [f"line {line} ({reasons[line]})" for line in lines[:6]]
    if count > 6:
        examples.append(f"… and {count - 6} more up to line {lines[-1]}")
    message = f"{count} lines are not data: {', '.join(examples)}"
    action = "They were dropped."
    if count == 1:
        message = f"1 line is not data: {examples[0]}"
        action = "It was dropped."
    rule = "lines that are not data"
    return (Finding(rule, severity, message, action, line=lines[0], count=count),)
