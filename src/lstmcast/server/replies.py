"""Problems as answers: every error becomes `application/problem+json`."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from lstmcast.advice import in_fields
from lstmcast.errors import LstmcastError
from lstmcast.server.labels import on_page
from lstmcast.server.problems import Problem, finite, of_errors, problem_of
from lstmcast.util.language import LANGUAGES, Words, words_of

MEDIA_TYPE = "application/problem+json"


def response_of(
    problem: Problem, language: str = "en", is_of_page: bool = False
) -> Response:
    """The answer that describes a problem, in a language and in the words of requests or of the
    page.

    >>> response_of(Problem(404, "There is no model 'a'.", "name")).media_type
    'application/problem+json'
    """
    words = words_of(language)
    document = problem.document()
    for entry in (document, *document.get("errors", ())):
        for name in ("title", "detail"):
            if name in entry:
                text = words(entry[name])
                entry[name] = on_page(text, words) if is_of_page else in_fields(text)
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    headers = problem.headers | {
        "cache-control": "no-store",
        "content-language": language,
    }
    return Response(text, problem.status, headers, media_type=MEDIA_TYPE)


def language_of(accepted: str) -> str:
    """The first supported language in an Accept-Language header; English if there is none.

    >>> language_of("fr, ja-JP;q=0.9, en;q=0.8"), language_of("")
    ('ja', 'en')
    """
    for entry in accepted.lower().split(","):
        name = entry.partition(";")[0].strip().partition("-")[0]
        if name in LANGUAGES:
            return name
    return "en"


def spoken(request: Request) -> Words:
    """The words of the language that a request asks for."""
    return words_of(language_of(request.headers.get("accept-language", "")))


class Document(JSONResponse):
    """A document of a job as JSON, with null for NaN and infinity.

    >>> Document({"value": float("nan"), "rows": [1]}).body
    b'{"value":null,"rows":[1]}'
    """

    def render(self, content: Any) -> bytes:
        """The bytes of the answer."""
        return encoded(content)


def encoded(content: Any) -> bytes:
    """A document as JSON in UTF-8, with null for NaN and infinity.

    >>> encoded({"value": float("inf"), "day": "月"}).decode()
    '{"value":null,"day":"月"}'
    """
    try:
        return to_json(content, inf_nan_mode="null")  # five times as fast as json.dumps
    except ValueError:  # a lone surrogate from a JSON file
        text = json.dumps(finite(content), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def _reason(request: Request, error: HTTPException) -> str:
    """Why an address or a method is not answered, and what is."""
    path = request.url.path[:200]
    if error.status_code == 404:
        return f"There is nothing at {path}. All addresses are listed at /openapi.json."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return f"{path} does not answer {request.method}, only {allowed}."
    return f"{request.method} {path}: {error.detail.rstrip('.')}."


def add_problems(app: FastAPI) -> None:
    """Make an app answer every error in this form."""

    async def answer(request: Request, error: Exception) -> Response:
        language = language_of(request.headers.get("accept-language", ""))
        if isinstance(error, RequestValidationError):
            return response_of(of_errors(error.errors()), language)
        if isinstance(error, HTTPException):
            error = Problem(
                error.status_code, _reason(request, error), headers=error.headers
            )
        is_of_page = request.url.path.startswith("/page/")
        return response_of(problem_of(error), language, is_of_page)

    kinds = (
        Problem,
        HTTPException,
        LstmcastError,
        ValidationError,
        RequestValidationError,
    )
    for kind in (*kinds, OSError, MemoryError):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, answer)
