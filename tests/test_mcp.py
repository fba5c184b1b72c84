"""`lstmcast mcp`: tools of an assistant, over JSON-RPC, on the files of one folder."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lstmcast as lc
from lstmcast.server.mcp import LONGEST, VERSIONS, Assistant
from lstmcast.server.mcp import run as answered_all
from lstmcast.server.tools import Tools

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"


@pytest.fixture
def folder(tmp_path) -> Path:
    data = tmp_path / "data"
    (data / "inside").mkdir(parents=True)
    (data / "airline.csv").write_bytes(AIRLINE.read_bytes())
    (data / "inside" / "other.csv").write_bytes(AIRLINE.read_bytes())
    (data / ".secret.csv").write_bytes(AIRLINE.read_bytes())
    (data / "readme.md").write_text("nothing")
    (tmp_path / "outside.csv").write_bytes(AIRLINE.read_bytes())
    (data / "link.csv").symlink_to(tmp_path / "outside.csv")
    (data / "linked").symlink_to(tmp_path)
    os.mkfifo(data / "pipe.csv")
    return data


@pytest.fixture
def assistant(folder) -> Assistant:
    return Assistant(Tools(folder))


def asked(assistant: Assistant, method: str, **params):
    line = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    answer = assistant.answer(line)
    assert answer["id"] == 7
    return answer


def called(assistant: Assistant, name: str, **arguments):
    return asked(assistant, "tools/call", name=name, arguments=arguments)["result"]


# ---------------------------------------------------------------- the protocol


def test_an_assistant_is_introduced(assistant):
    result = asked(assistant, "initialize", protocolVersion="2025-03-26")["result"]
    assert result["protocolVersion"] == "2025-03-26"
    assert result["capabilities"] == {"tools": {}}
    unknown = asked(assistant, "initialize", protocolVersion="1999-01-01")["result"]
    assert unknown["protocolVersion"] == VERSIONS[0]
    assert asked(assistant, "ping")["result"] == {}


def test_tools_say_what_they_take(assistant):
    tools = asked(assistant, "tools/list")["result"]["tools"]
    assert {tool["name"] for tool in tools} == {
        "look_at_data",
        "forecast",
        "backtest",
        "anomalies",
    }
    schema = next(tool for tool in tools if tool["name"] == "forecast")["inputSchema"]
    assert schema["type"] == "object"
    assert {"path", "horizon", "level", "frequency"} <= schema["properties"].keys()
    assert schema["required"] == ["path"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", -32700),
        ("[]", -32600),
        ("5", -32600),
        ('{"id": 1, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1}', -32600),
        ('{"jsonrpc": "2.0", "id": [], "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', -32601),
        ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32602),
        (
            '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}}',
            -32602,
        ),
        ('{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}}', -32602),
        ("[" * 100_000, -32700),
        (" " * LONGEST + "{}", -32600),
    ],
)
def test_messages_that_cannot_be_answered_are_refused(assistant, line, code):
    assert assistant.answer(line)["error"]["code"] == code


def test_notifications_are_not_answered(assistant):
    line = '{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    assert assistant.answer(line) is None


def test_lines_are_answered_one_by_one(assistant):
    ping = b'{"jsonrpc": "2.0", "id": %d, "method": "ping"}\n'
    source = io.BytesIO(ping % 1 + b"\n" + b"x" * (3 * LONGEST) + b"\n" + ping % 2)
    result = io.StringIO()
    answered_all(assistant, source, result)
    answers = [json.loads(line) for line in result.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [1, None, 2]


def test_the_command_speaks_over_standard_input(folder, run):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    message["params"] = {"name": "look_at_data", "arguments": {}}
    source = str(Path(lc.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "lstmcast", "mcp", str(folder)],
        input=json.dumps(message) + "\n",
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["result"]["isError"] is False
    assert (done.returncode, done.stderr) == (0, "")
    refused = run("mcp", folder / "airline.csv")
    assert refused.status == 2
    assert "is not a folder" in refused.err


def test_it_needs_no_web_server():
    code = "import sys, lstmcast.server.mcp; print(*{'fastapi', 'uvicorn'} & set(sys.modules))"
    source = str(Path(lc.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": source}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True
    )
    assert done.stdout.strip() == b""


# ---------------------------------------------------------------- the tools


def test_data_are_listed_and_looked_at(assistant):
    assert called(assistant, "look_at_data")["structuredContent"] == {
        "files": ["airline.csv", "inside/other.csv"],
        "more": 0,
    }
    document = called(assistant, "look_at_data", path="airline.csv")[
        "structuredContent"
    ]
    assert document["data"]["rows"] == 144


def test_forecasts_backtests_and_anomalies_are_those_of_the_commands(
    assistant, folder, run
):
    path = folder / "inside" / "other.csv"
    given = {"path": "inside/other.csv"}
    result = called(assistant, "forecast", **given, horizon=3, level=[80])
    command = run(
        "forecast", path, "-H", "3", "--level", "80", "--json", "--quiet"
    ).json
    assert result["structuredContent"] == command
    assert json.loads(result["content"][0]["text"]) == command
    result = called(assistant, "backtest", **given, horizon=3, cutoffs=2)[
        "structuredContent"
    ]
    options = ["-H", "3", "--cutoffs", "2", "--json", "--quiet"]
    assert result == run("backtest", path, *options).json
    result = called(assistant, "anomalies", **given, rate=0.01)["structuredContent"]
    assert result == run("anomalies", path, "--rate", "0.01", "--json", "--quiet").json


def test_a_long_forecast_is_cut(assistant):
    result = called(assistant, "forecast", path="airline.csv", horizon=510, cutoffs=0)
    document = result["structuredContent"]
    assert document["rows_left_out"] == 10
    assert len(document["forecast"]["forecast"]) == 500


@pytest.mark.parametrize(
    "path",
    [
        "../outside.csv",
        "link.csv",
        "linked/outside.csv",
        "linked/data/airline.csv/..",
        "/etc/passwd",
        ".secret.csv",
        "inside",
        "no.csv",
        "*.csv",
        "~/x.csv",
        "a\0b",
        "-",
        "x" * 900,
    ],
)
def test_only_files_of_the_folder_are_read(assistant, path):
    for tool in ("look_at_data", "forecast", "backtest", "anomalies"):
        result = called(assistant, tool, path=path)
        assert result["isError"]
        assert "not a file in the data folder" in result["content"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "path"),
        ({"path": "airline.csv", "horizon": 0}, "horizon"),
        ({"path": "airline.csv", "horizon": 2_000_000}, "more than a million"),
        ({"path": "airline.csv", "target": ["nothing"]}, "nothing"),
        ({"path": "airline.csv", "colour": "red"}, "colour"),
        ({"path": "readme.md"}, "readme.md"),
    ],
)
def test_what_cannot_be_done_is_told(assistant, arguments, said):
    result = called(assistant, "forecast", **arguments)
    assert result["isError"]
    assert said in result["content"][0]["text"]


def test_data_beyond_the_memory_are_no_defect(assistant, monkeypatch, caplog):
    def without_memory(job):
        raise MemoryError

    monkeypatch.setattr("lstmcast.server.tools.CheckJob.run", without_memory)
    told = called(assistant, "look_at_data", path="airline.csv")
    assert told["isError"] and not caplog.records
    assert told["content"][0]["text"].startswith("There is not enough memory")
