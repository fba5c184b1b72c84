"""Problems with requests: what happened, and in which field (RFC 9457)."""

from __future__ import annotations

import errno
import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from lstmcast.advice import in_fields
from lstmcast.data.files.frames import ARRAYS
from lstmcast.errors import DataError, LstmcastError, OutputError, bounded
from lstmcast.util.config import requirement

UNUSABLE = 422
_LONG = 8  # letters from which a text, such as a time, is unlikely to be a common word
LISTED, NAMED = "[…]", "{…}"  # shapes of a field, which are not part of its name
_ADVISING = ("findings", "skipped")  # entries of documents with texts that advise
_TEXTS = ("message", "action", "reason")
TITLES = {
    400: "Malformed request",
    401: "Token required",
    403: "Request from another site",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timed out",
    409: "Already exists",
    413: "Request too large",
    415: "Unknown content type",
    421: "Host name not accepted",
    422: "Invalid request",
    500: "Bug in lstmcast",
    503: "Server busy",
    507: "Disk full",
}
logger = logging.getLogger("lstmcast")


class Problem(Exception):
    """A request that cannot be answered.

    status: the HTTP status. detail: what happened, what was expected, what to do. field: the field
    of the request. errors: the same for several fields. headers: headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.errors, self.headers = list(errors), dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The JSON of the answer.

        >>> Problem(404, "There is no model 'a'.", "name").document()["title"]
        'Not found'
        """
        title = TITLES.get(self.status, "Request failed")
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
        }
        document["detail"] = bounded(self.detail)
        if self.field is not None:
            document["field"] = self.field
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return document


def problem_of(error: Exception, fields: Mapping[str, Any] | None = None) -> Problem:
    """The problem to report for an error; `fields`: the fields and values of the request, one of
    which the message may name.

    >>> from lstmcast.errors import UsageError
    >>> problem_of(UsageError("level=0 is no interval."), {"horizon": 3, "level": 0}).field
    'level'
    >>> problem_of(DataError("There is no column 'sold'."), {"target": ["sold"]}).field
    'target'
    """
    fields = fields or {}
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        return of_fields(error)
    if isinstance(error, OutputError):
        is_full = getattr(error.__cause__, "errno", None) in (
            errno.ENOSPC,
            errno.EDQUOT,
        )
        status = 507 if is_full else 503
        return Problem(status, error.message)
    if isinstance(error, LstmcastError):
        message = error.message.replace(ARRAYS, "the history")
        about_data = _data(fields) if isinstance(error, DataError) else None
        return Problem(UNUSABLE, message, _named(message, fields) or about_data)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            507,
            "There is no space left for the request. Free some space, or send less.",
        )
    if isinstance(error, MemoryError):
        return Problem(
            503, "There is not enough memory for this. Send fewer series or steps."
        )
    logger.error("a defect", exc_info=error)
    return Problem(500, f"{type(error).__name__}: {error}. Please report it.")


def of_fields(error: ValidationError) -> Problem:
    """The problem with invalid fields of a request."""
    return of_errors(
        error.errors(include_url=False, include_context=False, include_input=False)
    )


def of_errors(details: Sequence[Mapping[str, Any]]) -> Problem:
    """The same, from the list of pydantic."""
    errors = [
        {"field": _place(detail), "detail": _reason(detail)} for detail in details[:20]
    ]
    first = errors[0]
    further = len(details) - 1
    verb = "field is" if further == 1 else "fields are"
    ending = f" {further} more {verb} wrong." if further else ""
    message = f"{first['field']}: {first['detail']}.{ending}"
    return Problem(UNUSABLE, message, first["field"], errors)


def finite(content: Any) -> Any:
    """A document with null for numbers that JSON does not have.

    >>> finite({"value": [float("inf"), 2.0]})
    {'value': [None, 2.0]}
    """
    if isinstance(content, Mapping):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    is_finite = not isinstance(content, float) or math.isfinite(content)
    return content if is_finite else None


def advised(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a job, with what it advises in the words of requests.

    >>> advised({"findings": [{"action": "Use --gaps fill."}]})
    {'findings': [{'action': 'Use "gaps": "fill".'}]}
    """
    lists = {name: document[name] for name in _ADVISING if name in document}
    return {**document, **{name: _reworded(rows) for name, rows in lists.items()}}


def _reworded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    reworded_rows = []
    for row in rows:
        texts = {name: in_fields(row[name]) for name in _TEXTS if name in row}
        reworded_rows.append({**row, **texts})
    return reworded_rows


def _place(detail: Mapping[str, Any]) -> str:
    """The invalid field; for a rule about several, the one with which its text begins."""
    names = [str(step)[:100] for step in detail["loc"] if step not in (LISTED, NAMED)]
    if not names and detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ").partition(" ")[0]
    return ".".join(names) or "body"


def _reason(detail: Mapping[str, Any]) -> str:
    """What is wrong with a field and what is expected, without the value, which may be long or
    secret."""
    if detail["type"] == "extra_forbidden":
        return "there is no such field"
    text = requirement(str(detail["msg"])).rstrip(".")
    return text[:1].lower() + text[1:]


def _named(message: str, fields: Mapping[str, Any]) -> str | None:
    """The field that a message mentions: `level=`, `--level`, or its value in quotes."""
    for name, value in fields.items():
        texts = value if isinstance(value, list) else [value]
        if any(
            isinstance(text, str) and _is_quoted(text, message) for text in texts[:100]
        ):
            return name
    places = {}
    for name in fields:
        option = re.escape(name.replace("_", "-"))
        mark = rf"(?<![\w-])(?:{re.escape(name)}=|--{option}\b|'{re.escape(name)}')"
        if hit := re.search(mark, message):
            places[name] = hit.start()
    return min(places, key=lambda name: places[name]) if places else None


def _is_quoted(text: str, message: str) -> bool:
    """Whether a message mentions a text; a short one, which may be a word, only in quotes or as
    the value of an option."""
    if repr(text) in message or (len(text) >= _LONG and text in message):
        return True
    as_value = re.search(rf"--[\w-]+ {re.escape(text)}(?=[ .])", message)
    return bool(text and as_value)


def _data(fields: Mapping[str, Any]) -> str | None:
    """The field that holds the data."""
    return next((name for name in ("file", "series", "values") if name in fields), None)
