"""Clients of an app in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from lstmcast.server.app import create_app
from lstmcast.server.settings import Settings

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"
PROBLEM = "application/problem+json"


class Asking:
    """A client of an app in this process."""

    def __init__(self, app) -> None:
        self.app = app

    def __call__(self, method: str, path: str, **given) -> httpx.Response:
        return self.together((method, path, given))[0]

    def together(self, *requests) -> list[httpx.Response]:
        """The answers to requests that are sent at the same time."""

        async def all_of_them():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=60
            ) as client:
                sent = [
                    client.request(method, path, **given)
                    for method, path, given in requests
                ]
                return await asyncio.gather(*sent)

        return asyncio.run(all_of_them())


def asking(**settings) -> Asking:
    return Asking(create_app(Settings(**settings)))


def problem(answer: httpx.Response, status: int, field: str | None = None) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    document = answer.json()
    assert document["status"] == status
    assert document.get("field") == field
    assert "Traceback" not in answer.text
    return document["detail"]
