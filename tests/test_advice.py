"""Advice in messages is in the words of the caller: command, Python, request, page."""

import io
import json

import pytest

import lstmcast as lc
from lstmcast.advice import advise, in_fields, in_python
from lstmcast.cli.app import main
from lstmcast.server.mcp import Assistant, run
from lstmcast.server.tools import Tools

TWO_TARGETS = "day,a,b\n2024-01-01,5,6\n2024-01-02,7,8\n2024-01-03,6,9\n"


@pytest.mark.parametrize(
    ("message", "python", "fields"),
    [
        ("use --gaps fill.", "use gaps='fill'.", 'use "gaps": "fill".'),
        ("name it (--time)", "name it (time=)", 'name it ("time")'),
        ("--series a --series b", "series=['a', 'b']", '"series": ["a", "b"]'),
        ('--target "a (b)", or', "target='a (b)', or", '"target": "a (b)", or'),
        ('--decimal ",".', "decimal=','.", '"decimal": ",".'),
        ("--sheet 2021", "sheet='2021'", '"sheet": "2021"'),
        ("--period 12 is", "periods=12 is", '"period": 12 is'),
        (
            "--missing-codes x,-9",
            "missing_codes=['x', '-9']",
            '"missing_codes": "x,-9"',
        ),
        (
            "--missing-codes \"'<1,5',x\"",
            "missing_codes=['<1,5', 'x']",
            '"missing_codes": "\'<1,5\',x"',
        ),
        ("with --time that", "with time= that", 'with "time" that'),
        ("--day-first or", "day_first=True or", '"day_first": true or'),
        ("--target の指定", "target= の指定", '"target" の指定'),
        ("--epochs 40.", "TrainingConfig(epochs=40).", "--epochs 40."),
        ("give --ray local", "give --ray local", "give --ray local"),
        ("run `lstmcast fit a --time b`", *2 * ("run `lstmcast fit a --time b`",)),
        ("lstmcast serve --model A=B.", *2 * ("lstmcast serve --model A=B.",)),
    ],
)
def test_options_become_arguments_and_fields(message, python, fields):
    assert in_python(message) == python
    assert in_fields(message) == fields


def test_advice_is_quoted_as_a_shell_needs_it():
    assert advise("target", "*") == '--target "*"'
    assert advise("missing_codes", "-999") == "--missing-codes -999"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(TWO_TARGETS)
    return path


def test_python_is_told_of_arguments(table):
    with pytest.raises(lc.DataError) as caught:
        lc.read(table)
    text = str(caught.value)
    assert "Choose one with target='a', or target='*' to make" in text
    assert "--" not in text


def test_the_command_is_told_of_options(table, capsys):
    with pytest.raises(SystemExit):
        main(["check", str(table), "--language", "en"])
    told = capsys.readouterr()
    text = told.out + told.err
    assert 'Choose one with --target a, or --target "*" to make' in text
    assert "target=" not in text


def test_findings_advise_in_the_words_of_their_reader(tmp_path):
    path = tmp_path / "code.csv"
    rows = [
        f"2024-01-{day:02},{-999 if day == 18 else day % 7}" for day in range(1, 29)
    ]
    path.write_text("\n".join(["day,sales", *rows]) + "\n")
    (finding,) = [
        one for one in lc.read(path).check() if one.rule == "codes for missing"
    ]
    assert "--missing-codes -999" in finding.action
    assert "missing_codes='-999'" in str(finding) and "--" not in str(finding)
    (told,) = [
        one for one in answered(path)["findings"] if one["rule"] == "codes for missing"
    ]
    assert '"missing_codes": "-999"' in told["action"]


def answered(path):
    return json.loads(result_of(path)["content"][0]["text"])


def result_of(path):
    asked = {"name": "look_at_data", "arguments": {"path": path.name}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
    source = io.BytesIO(json.dumps(message).encode() + b"\n")
    output = io.StringIO()
    run(Assistant(Tools(path.parent)), source, output)
    return json.loads(output.getvalue())["result"]


def test_an_assistant_is_told_of_fields(table):
    result = result_of(table)
    text = result["content"][0]["text"]
    assert result["isError"]
    assert 'Choose one with "target": "a", or "target": "*" to make' in text
    assert "--" not in text
