"""The Model Context Protocol over standard input and output: JSON-RPC 2.0, one message per line.

Only the methods that tools need are implemented: `initialize`, `ping`, `tools/list`, `tools/call`.
The official package would add a web server and cryptography (about 50 MB) for the same.

https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from pydantic import ValidationError

from lstmcast._version import __version__
from lstmcast.advice import in_fields
from lstmcast.errors import LstmcastError
from lstmcast.server.problems import finite, of_fields
from lstmcast.server.tools import Tools

# supported, newest first
VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
LONGEST = 1_000_000  # bytes of a message
PARSE = -32700
REQUEST = -32600
METHOD = -32601
PARAMS = -32602
INSTRUCTIONS = (
    "Forecast time series in the user's files with a pretrained network. Begin with look_at_data; "
    "then use forecast, which also compares its accuracy on held-out data with simple forecasts. "
    "Tell the user if a simple forecast is as good."
)
NO_MEMORY = (
    "There is not enough memory for this. Ask for fewer series or steps, or for a "
    "smaller file."
)
Message = dict[str, Any]
logger = logging.getLogger("lstmcast")


class Refused(Exception):
    """A message that cannot be answered, with the JSON-RPC code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Assistant:
    """Answers the messages of an assistant.

    >>> from pathlib import Path
    >>> assistant = Assistant(Tools(Path(".")))
    >>> assistant.answer('{"jsonrpc": "2.0", "id": 1, "method": "ping"}')
    {'jsonrpc': '2.0', 'id': 1, 'result': {}}
    >>> assistant.answer('{"jsonrpc": "2.0", "method": "notifications/initialized"}')
    """

    tools: Tools

    def answer(self, line: str | bytes) -> Message | None:
        """The answer to a message; None if it needs none."""
        number = None
        try:
            message = _message(line)
            number = message.get("id")
            content = self._result(message)
        except Refused as refused:
            error = {"code": refused.code, "message": str(refused)}
            return {"jsonrpc": "2.0", "id": number, "error": error}
        return (
            None
            if number is None
            else {"jsonrpc": "2.0", "id": number, "result": content}
        )

    def _result(self, message: Message) -> Message | None:
        method = message.get("method")
        parameters = message.get("params", {})
        if not isinstance(method, str):
            raise Refused(REQUEST, "method is missing: a text is expected.")
        if not isinstance(parameters, dict):
            raise Refused(PARAMS, "params is not an object.")
        if "id" not in message:
            return None  # a notification: none has an effect here
        match method:
            case "initialize":
                return self._introduced(parameters)
            case "ping":
                return {}
            case "tools/list":
                return {"tools": self.tools.described()}
            case "tools/call":
                return self._called(parameters)
        raise Refused(METHOD, f"{method[:100]!r} is not known. Only tools are offered.")

    def _introduced(self, parameters: Mapping[str, Any]) -> Message:
        version = parameters.get("protocolVersion")
        return {
            "protocolVersion": version if version in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "lstmcast", "version": __version__},
            "instructions": INSTRUCTIONS,
        }

    def _called(self, parameters: Mapping[str, Any]) -> Message:
        """The answer of a tool; errors are reported to the assistant, which may try again."""
        name = parameters.get("name")
        arguments = parameters.get("arguments") or {}
        names = [tool["name"] for tool in self.tools.described()]
        if not isinstance(name, str) or name not in names:
            offered = ", ".join(names)
            raise Refused(
                PARAMS, f"There is no tool {str(name)[:100]!r}. There are: {offered}."
            )
        if not isinstance(arguments, dict):
            raise Refused(PARAMS, "arguments is not an object.")
        try:
            document = finite(self.tools.call(name, arguments))
        except ValidationError as error:
            return _told(of_fields(error).detail, failed=True)
        except LstmcastError as error:
            return _told(in_fields(error.message), failed=True)
        except MemoryError:
            return _told(NO_MEMORY, failed=True)
        except Exception as error:
            logger.error("a defect", exc_info=error)
            return _told(
                f"a bug in lstmcast: {type(error).__name__}: {error}", failed=True
            )
        return _told(json.dumps(document, ensure_ascii=False), failed=False) | {
            "structuredContent": document
        }


def run(assistant: Assistant, source: BinaryIO, output: TextIO) -> None:
    """Answer messages until there are no more."""
    for line in _lines(source):
        if not line.strip():
            continue
        answer = assistant.answer(line)
        if answer is not None:
            # ASCII, so there are no line ends within
            output.write(json.dumps(answer) + "\n")
            output.flush()


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield lines; a line that is too long is cut just beyond the limit."""
    while line := source.readline(LONGEST + 1):
        end = line
        while len(line) > LONGEST and end and not end.endswith(b"\n"):
            end = source.readline(LONGEST)
        yield line


def _message(line: str | bytes) -> Message:
    if len(line) > LONGEST:
        raise Refused(REQUEST, f"The message is longer than {LONGEST:,} bytes.")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(PARSE, f"The message is not JSON: {error}.") from error
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise Refused(REQUEST, "An object with jsonrpc='2.0' is expected.")
    if not isinstance(message.get("id"), (str, int, type(None))):
        raise Refused(REQUEST, "id is neither a text nor a whole number.")
    return message


def _told(text: str, failed: bool) -> Message:
    return {"content": [{"type": "text", "text": text}], "isError": failed}
