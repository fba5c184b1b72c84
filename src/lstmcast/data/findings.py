"""Findings: what was noticed in data, said once per series, or once for all when it is the same
in many."""

# S series · N rows

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy import ndarray

from lstmcast.errors import DataError, bounded
from lstmcast.util.html import block, more, table

Severity = Literal["error", "warning", "note"]
# Rules that other parts of the package ask for.
GAPS = "gaps"
MISSING_STEPS = "missing steps"  # between what is remembered and newer data
MISSING_VALUES = "missing values"
NO_RECENT_VALUES = "no recent values"
EXAMPLES = 3
MOST_SHOWN = 20  # in a notebook
_SEPARATE = 5  # up to so many series get a finding each


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed in the data, and what is done about it or what to do.

    `line` is the line of the file or the row of the frame, counted from 1, of the first case;
    `count` says how many cases there are.

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
            told = getattr(self, name)
            if told is not None:
                object.__setattr__(self, name, bounded(told))

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"

    @property
    def text(self) -> str:
        """Message and action as sentences, without the severity."""
        message = self.message if self.message.endswith((".", "?", "!")) else self.message + "."
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
        """A table for notebooks, errors first; of many the first ones."""
        order = ("error", "warning", "note")
        found = sorted(self, key=lambda finding: order.index(finding.severity))
        rows = [(finding.severity, finding.text) for finding in found[:MOST_SHOWN]]
        title = f"{len(self):,} finding{'s' * (len(self) != 1)}" if self else "no findings"
        listed = (
            table(["", "what was noticed"], rows, left_aligned=(0, 1), wrap=True) if rows else ""
        )
        return block(title, listed, more(len(rows), len(self), "findings"))

    @property
    def errors(self) -> Findings:
        """Those with which the data cannot be used."""
        return Findings(finding for finding in self if finding.severity == "error")

    @property
    def warnings(self) -> Findings:
        """Those that change or mask something, or that deserve a look."""
        return Findings(finding for finding in self if finding.severity == "warning")

    def columns_dict(self) -> dict[str, list]:
        """The findings as columns: one list per field of Finding."""
        rows = [asdict(finding) for finding in self]
        return {name: [row[name] for row in rows] for name in Finding.__dataclass_fields__}

    def raise_errors(self, source: str) -> None:
        """Raise one DataError with all error findings, or return when there are none."""
        texts = [finding.text for finding in self.errors]
        if not texts:
            return
        if len(texts) == 1:
            raise DataError(f"{source}: {texts[0]}")
        listed = "\n".join(f"  {number}. {text}" for number, text in enumerate(texts, start=1))
        raise DataError(f"{source} cannot be used as it is, for {len(texts)} reasons:\n{listed}")


@dataclass(frozen=True)
class Case:
    """What a rule says about one series: the rest of the sentence, and where the first case
    stands."""

    message: str
    line: int | None = None
    value: str | None = None
    count: int | None = None  # of cases, where they are not the rows


def advise(option: str, value: str) -> str:
    """How to choose an option, in Python and on the command line.

    >>> advise("duplicates", "sum")
    'duplicates="sum" (--duplicates sum)'
    """
    return f'{option}="{value}" (--{option} {value})'


def per_series(
    ids: ndarray, series: ndarray, rows: ndarray, rule: Finding, say: Callable[[ndarray], Case]
) -> list[Finding]:
    """A finding for each series that has some of the rows; one for all of them when they are many.

    series: the number of the series of every row, ascending; rows: the row numbers that the rule is
    about; rule: the finding without message; say: tells about the rows of one series.
    """
    if not len(rows):
        return []
    codes, begins, counts = np.unique(series[rows], return_index=True, return_counts=True)
    shown = len(codes) if len(codes) <= _SEPARATE else EXAMPLES
    findings = []
    for code, begin, count in zip(codes[:shown], begins, counts, strict=False):
        case = say(rows[begin : begin + count])
        name = str(ids[code]) if len(ids) > 1 else None
        message = case.message if name is None else f"series {name!r}: {case.message}"
        total = int(count) if case.count is None else case.count
        findings.append(
            replace(
                rule, message=message, series=name, line=case.line, value=case.value, count=total
            )
        )
    if len(codes) <= _SEPARATE:
        return findings
    examples = "; ".join(finding.message for finding in findings)
    message = f"{rule.rule} in {len(codes):,} of {len(ids):,} series, for example {examples}"
    return [replace(findings[0], message=message, series=None, value=None, count=len(rows))]
