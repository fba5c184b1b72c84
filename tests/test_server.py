"""`lstmcast serve`: forecasts over HTTP, who may ask, and what is refused."""

from __future__ import annotations

import asyncio
import errno
import gzip
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import DataError, MissingExtraError, OutputError, UsageError
from lstmcast.jobs import ForecastJob, Source
from lstmcast.output.places import Outputs
from lstmcast.server import run as running
from lstmcast.server.batching import Batched, Batcher
from lstmcast.server.bodies import safe_name
from lstmcast.server.problems import problem_of
from lstmcast.server.settings import Limits, models_of
from serving import AIRLINE, PROBLEM, asking, problem

SEASON = [float(10 + (k * 7) % 12 + k / 10 + k * k % 5) for k in range(48)]


@pytest.fixture(scope="module")
def ask():
    client = asking()
    yield client
    client.app.server.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "air"
    job = ForecastJob(
        lc.LSTMForecaster(horizon=6),
        Source(str(AIRLINE)),
        0,
        outputs=Outputs(model=folder),
    )
    job.run()
    return folder


# ---------------------------------------------------------------- forecasts


def test_a_table_is_forecast_as_by_the_command(ask, run):
    command = run(
        "forecast", AIRLINE, "--horizon", "12", "--level", "80", "--json", "--quiet"
    ).json
    options = {"horizon": "12", "level": "80"}
    sent = {"file": ("airline.csv", AIRLINE.read_bytes())}
    document = ask("POST", "/v1/forecast", files=sent, data=options).json()
    assert document == command


def test_options_of_a_form_are_those_of_the_command(ask, run, tmp_path):
    lines = [
        f"{d:02}.{m:02}.2024;{s};{d + m},5;-9"
        for m in (1, 2, 3)
        for d in range(1, 29)
        for s in "ab"
    ]
    table = tmp_path / "shop.csv"
    table.write_text("day;shop;sold;other\n" + "\n".join(lines))
    given = ["--target", "sold", "--series", "shop", "--time", "day", "--decimal", ","]
    given += ["--day-first", "--frequency", "daily", "--period", "7", "--gaps", "zero"]
    given += [
        "--cutoffs",
        "2",
        "--method",
        "naive",
        "--total",
        "week",
        "--kind",
        "positive",
    ]
    given += [
        "--total-by",
        "all",
        "--until",
        "2024-04-07",
        "--level",
        "50",
        "--level",
        "90",
    ]
    command = run("forecast", table, *given, "--json", "--quiet").json
    options = {
        "target": "sold",
        "series": "shop",
        "time": "day",
        "decimal": ",",
        "day_first": "true",
        "frequency": "daily",
        "period": "7",
        "gaps": "zero",
        "cutoffs": "2",
        "method": "naive",
        "total": "week",
        "total_by": "all",
        "kind": "positive",
        "until": "2024-04-07",
        "level": ["50", "90"],
    }
    sent = {"file": ("shop.csv", table.read_bytes())}
    assert ask("POST", "/v1/forecast", files=sent, data=options).json() == command


def test_several_files_are_read_together(ask):
    sent = [
        ("file", (f"{name}.csv", AIRLINE.read_bytes())) for name in ("north", "south")
    ]
    document = ask(
        "POST", "/v1/forecast", files=sent, data={"horizon": 2, "cutoffs": 0}
    ).json()
    assert sorted(set(document["forecast"]["unique_id"])) == ["north", "south"]


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({}, 49),
        ({"frequency": "monthly"}, 49),
        ({"frequency": "daily", "start": "2024-01-01"}, "2024-02-18"),
        ({"frequency": "MS", "start": "2020-01"}, "2024-01-01"),
        (
            {"times": [f"{y}-{m:02}" for y in range(2020, 2024) for m in range(1, 13)]},
            "2024-01-01",
        ),
    ],
)
def test_a_history_is_forecast(ask, given, first):
    document = ask(
        "POST", "/v1/forecast", json={"series": SEASON, "horizon": 3, **given}
    ).json()
    assert document["forecast"]["ds"][0] == first
    assert len(document["forecast"]["forecast"]) == 3
    assert document["accuracy"] is None
    assert document["data"]["source"] == "history"


def test_a_frequency_without_times_says_the_season(ask):
    asked = {"series": SEASON, "frequency": "monthly"}
    assert len(ask("POST", "/v1/forecast", json=asked).json()["forecast"]["step"]) == 12


def test_several_series_may_differ_in_length_and_have_unknown_values(ask):
    asked = {
        "series": {"north": SEASON, "south": [*SEASON[:20], None, 8.0]},
        "horizon": 2,
    }
    forecast = ask("POST", "/v1/forecast", json=asked).json()["forecast"]
    assert forecast["unique_id"] == ["north", "north", "south", "south"]
    assert forecast["ds"] == [49, 50, 23, 24]


def test_a_history_is_tested_where_that_is_asked_for(ask):
    asked = {"series": SEASON, "horizon": 2, "cutoffs": 3, "held_out": True}
    accuracy = ask("POST", "/v1/forecast", json=asked).json()["accuracy"]
    assert accuracy["scores"]["lstmcast"]["mae"] > 0
    assert accuracy["held_out"]


def test_anomalies_of_histories_and_tables(ask):
    values = [*SEASON, 500.0, *SEASON[:5]]
    found = ask("POST", "/v1/anomalies", json={"series": values, "rate": 0.02}).json()[
        "anomalies"
    ]
    assert "49" in [one["time"] for one in found["alerts"]]
    sent = {"file": ("airline.csv", AIRLINE.read_bytes())}
    assert ask("POST", "/v1/anomalies", files=sent).json()["anomalies"]["values"] == 143


# ---------------------------------------------------------------- together


def test_requests_that_arrive_together_are_read_in_one_pass_and_answered_as_if_alone(
    ask,
):
    rng = np.random.default_rng(0)
    asked = [
        {
            "series": (np.tile(SEASON, 2) + rng.normal(0, 1, 96)).tolist(),
            "horizon": 4 + k % 2,
            "level": [80 - k],
        }
        for k in range(12)
    ]
    alone = [ask("POST", "/v1/forecast", json=one).json()["forecast"] for one in asked]
    metrics = ask.app.server.metrics
    passes = metrics._passes
    requests = [("POST", "/v1/forecast", {"json": one}) for one in asked]
    together = [answer.json()["forecast"] for answer in ask.together(*requests)]
    assert metrics._passes - passes < 12
    for one, other in zip(alone, together, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            if name not in ("unique_id", "ds"):
                assert other[name] == pytest.approx(one[name], rel=1e-5)


def test_what_cannot_be_forecast_fails_alone():
    batcher, results = Batcher(), {}
    panels = {
        "good": lc.Panel.from_arrays(SEASON),
        "bad": lc.Panel.from_arrays([1.0, 2.0]),
    }
    gate = threading.Event()
    batcher._worker.submit(gate.wait)  # both wait for the same pass

    def forecast(name: str, method: str) -> None:
        model = Batched(lc.LSTMForecaster(horizon=2, method=method), batcher)
        try:
            results[name] = model.predict(panels[name])
        except UsageError as error:
            results[name] = error

    threads = [
        threading.Thread(target=forecast, args=one)
        for one in (("good", "auto"), ("bad", "linear map"))
    ]
    for thread in threads:
        thread.start()
    while len(batcher._waiting) < 2:
        time.sleep(0.01)
    gate.set()
    for thread in threads:
        thread.join()
    assert isinstance(results["bad"], UsageError)
    assert np.isfinite(results["good"].point).all()
    batcher.close()


def test_health_is_answered_while_others_wait(ask, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        go_on.wait(20)
        return {}

    monkeypatch.setattr(type(ask.app.server.forecasts), "forecast", slow)

    async def both():
        transport = httpx.ASGITransport(app=ask.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            waiting = asyncio.create_task(
                client.post("/v1/forecast", json={"series": SEASON})
            )
            await asyncio.to_thread(begun.wait, 20)
            health = await client.get("/health")
            assert not waiting.done()
            go_on.set()
            return health.status_code, (await waiting).status_code

    assert asyncio.run(both()) == (200, 200)


# ---------------------------------------------------------------- models


def test_saved_models_are_listed_described_and_asked(model):
    client = asking(models={"air": model})
    [listed] = client("GET", "/v1/models").json()["models"]
    assert (listed["name"], listed["usable"], listed["kind"]) == (
        "air",
        True,
        "forecaster",
    )
    assert client("GET", "/v1/models/air").json()["model"]["kind"] == "forecaster"
    document = client("POST", "/v1/models/air/predict").json()
    assert document["model"] == "air"  # and not where it lies
    assert document["forecast"]["ds"][0] == "1961-01-01"
    asked = {"series": SEASON[:12], "start": "1961-01", "frequency": "MS", "horizon": 2}
    newer = client("POST", "/v1/models/air/predict", json=asked).json()
    assert newer["forecast"]["ds"] == ["1962-01-01", "1962-02-01"]
    until = client("POST", "/v1/models/air/predict", json={"until": "1961-03"}).json()
    assert len(until["forecast"]["step"]) == 3
    client.app.server.close()


@pytest.mark.parametrize("name", ["sales", "..", "%2e%2e%2fair", "air%00", "a" * 5000])
def test_models_are_found_by_their_names_only(model, name):
    client = asking(models={"air": model})
    for method, path in (
        ("GET", f"/v1/models/{name}"),
        ("POST", f"/v1/models/{name}/predict"),
    ):
        assert client(method, path).status_code in (404, 405)
    client.app.server.close()


def test_newer_data_that_do_not_fit_and_damaged_models_are_told_apart(model, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{}")
    client = asking(models={"air": model, "damaged": damaged})
    asked = {"series": SEASON, "start": "2024-01-01", "frequency": "daily"}
    problem(client("POST", "/v1/models/air/predict", json=asked), 422, "frequency")
    asked = {"until": "1951-01"}
    problem(client("POST", "/v1/models/air/predict", json=asked), 422, "until")
    assert "damaged" in problem(client("POST", "/v1/models/damaged/predict"), 503)
    problem(client("GET", "/v1/models/damaged"), 503)
    assert client("GET", "/v1/models").json()["models"][1]["usable"] is False
    client.app.server.close()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[1, 2]", "body"),
        (b"\xff\xfe", "body"),
        (b"{}", "series"),
        (b'{"series": []}', "series"),
        (b'{"series": {}}', "series"),
        (b'{"series": {"a": []}}', "series"),
        (b'{"series": 5}', "series"),
        (b'{"series": [1, NaN, 3, 4]}', "series.1"),
        (b'{"series": [1, 1e999, 3, 4]}', "series.1"),
        (b'{"series": [1, "two", 3]}', "series.1"),
        (b'{"series": {"a": [1, 2, [3]]}}', "series.a.2"),
        (b'{"series": [1, 2]}', "series"),
        (b'{"series": [null, null, null, null]}', "series"),
        (b'{"series": [1, 2, 3, 4], "horizon": 0}', "horizon"),
        (b'{"series": [1, 2, 3, 4], "horizon": 1000000}', "horizon"),
        (b'{"series": [1, 2, 3, 4], "horizon": 2, "until": "2024"}', "horizon"),
        (b'{"series": [1, 2, 3, 4], "level": 100}', "level.0"),
        (b'{"series": [1, 2, 3, 4], "method": "magic"}', "method"),
        (b'{"series": [1, 2, 3, 4], "frequency": "sometimes"}', "frequency"),
        (b'{"series": [1, 2, 3, 4], "start": "2024"}', "start"),
        (b'{"series": [1, 2, 3, 4], "start": "soon", "frequency": "D"}', "start"),
        (b'{"series": [1, 2, 3, 4], "times": ["2024"]}', "series"),
        (b'{"series": [1, 2, 3, 4], "times": ["a", "b", "c", "d"]}', "times"),
        (b'{"series": [1, 2, 3, 4], "kind": "prices"}', "kind"),
        (b'{"series": [1, -2, 3, 4], "kind": "count"}', "kind"),
        (b'{"series": [1, 2, 3, 4], "total": "fortnight"}', "total"),
        (b'{"series": [1, 2, 3, 4], "until": "yesterday"}', "until"),
        (b'{"series": [1, 2, 3, 4], "colour": "red"}', "colour"),
        (b'{"series": [1, 2, 3, 4], "period": 0}', "period.0"),
    ],
)
def test_bad_histories_name_the_field(ask, body, field):
    headers = {"content-type": "application/json"}
    problem(ask("POST", "/v1/forecast", content=body, headers=headers), 422, field)


@pytest.mark.parametrize(
    ("content", "options", "field"),
    [
        (b"", {}, "file"),
        (b"\0\1\2\3" * 100, {}, "file"),
        (b"a,b\n1,2\n", {}, "time"),
        (b"PK\3\4 no archive", {}, "file"),
        (AIRLINE.read_bytes(), {"horizon": "twelve"}, "horizon"),
        (AIRLINE.read_bytes(), {"target": "nothing"}, "target"),
        (AIRLINE.read_bytes(), {"sheet": "first"}, "sheet"),
        (AIRLINE.read_bytes(), {"cutoffs": "-1"}, "cutoffs"),
        (AIRLINE.read_bytes(), {"past": "price"}, "past"),
        (AIRLINE.read_bytes(), {"aggregate": "sum", "duplicates": "sum"}, "duplicates"),
        (AIRLINE.read_bytes(), {"date_format": "%Q"}, "date_format"),
        (AIRLINE.read_bytes(), {"out": "/tmp/x.csv"}, "out"),
    ],
)
def test_bad_tables_name_the_field(ask, content, options, field):
    sent = {"file": ("table.csv", content)}
    problem(ask("POST", "/v1/forecast", files=sent, data=options), 422, field)


def test_forms_without_a_file_and_other_contents_are_refused(ask):
    problem(ask("POST", "/v1/forecast", files={"file": (None, "text")}), 422, "file")
    problem(ask("POST", "/v1/forecast", files={"data": ("a.csv", b"1")}), 422, "data")
    text = {"content-type": "text/csv"}
    problem(
        ask("POST", "/v1/forecast", content=b"a,b", headers=text), 415, "content-type"
    )
    broken = {"content-type": "multipart/form-data; boundary=x"}
    answer = ask("POST", "/v1/forecast", content=b"--y\r\n", headers=broken)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM


def test_there_are_no_other_addresses(ask):
    problem(ask("GET", "/v1/nothing"), 404)
    problem(ask("PUT", "/v1/forecast"), 405)
    # it would load scripts from elsewhere
    assert ask("GET", "/docs").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a\0b.csv",
        "C:\\x.csv",
        "*",
        "~root",
        "é" * 300,
    ],
)
def test_names_of_files_lead_nowhere(ask, name):
    safe = safe_name(name)
    assert safe
    assert not re.search(r"[/\\\0*?]", safe)
    assert safe not in (".", "..")
    assert len(safe.encode()) <= 100
    sent = {"file": (name or "x", AIRLINE.read_bytes())}
    document = ask(
        "POST", "/v1/forecast", files=sent, data={"horizon": 1, "cutoffs": 0}
    )
    assert document.status_code == 200
    assert "/" not in document.json()["data"]["source"]


# ---------------------------------------------------------------- limits


def test_bodies_are_limited_whether_their_length_is_told_or_not():
    client = asking(limits=Limits(body=1000))
    asked = {"series": SEASON * 20}
    assert "1,000 bytes" in problem(
        client("POST", "/v1/forecast", json=asked), 413, "body"
    )

    async def parts():
        for _ in range(100):
            yield b" " * 100

    headers = {"content-type": "application/json"}
    problem(
        client("POST", "/v1/forecast", content=parts(), headers=headers), 413, "body"
    )
    sent = {"file": ("a.csv", b"x" * 2000)}
    problem(client("POST", "/v1/forecast", files=sent), 413, "body")
    assert (
        client(
            "POST", "/v1/forecast", json={"series": SEASON, "horizon": 1}
        ).status_code
        == 200
    )
    client.app.server.close()


def test_a_client_that_sends_too_much_may_finish_its_sentence():
    """Else the connection would be reset, and the answer lost."""
    client = asking(limits=Limits(body=1000))
    sent, left = [], iter([b"x" * 600] * 5)

    async def receive():
        part = next(left, None)
        return {
            "type": "http.request",
            "body": part or b"",
            "more_body": part is not None,
        }

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/forecast",
        "query_string": b"",
    }
    scope["headers"] = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    asyncio.run(client.app(scope, receive, send))
    assert [one.get("status", one.get("more_body")) for one in sent] == [
        413,
        True,
        False,
    ]
    assert next(left, None) is None
    client.app.server.close()


def test_a_slow_client_is_not_waited_for():
    client = asking(limits=Limits(receive=0.2))

    async def late():
        yield b'{"series": '
        await asyncio.sleep(5)
        yield b"[1, 2, 3, 4]}"

    headers = {"content-type": "application/json"}
    begun = time.monotonic()
    problem(
        client("POST", "/v1/forecast", content=late(), headers=headers), 408, "body"
    )
    assert time.monotonic() - begun < 4
    client.app.server.close()


def packed_rows(rows):
    """A CSV file of so many rows, packed."""
    return gzip.compress(b"ds,y\n" + b"2024-01-01,1\n" * rows)


def many_rows(folder, rows):
    """A small Parquet file of many rows."""
    import duckdb

    path = folder / "many.parquet"
    made = f"SELECT DATE '2000-01-01' AS ds, 1.0 AS y FROM range({rows})"
    duckdb.sql(f"COPY ({made}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@pytest.mark.parametrize("path", ["/v1/forecast", "/v1/anomalies", "/page/look"])
def test_what_a_small_file_holds_is_limited_before_it_is_read(path, tmp_path):
    client = asking(limits=Limits(body=10_000, rows=100))
    packed = packed_rows(5000)
    assert len(packed) < 1000
    told = problem_or_text(client("POST", path, files={"file": ("x.csv.gz", packed)}))
    assert "holds more than 40,000 bytes" in told
    content = many_rows(tmp_path, 2000)
    assert len(content) < 10_000
    told = problem_or_text(client("POST", path, files={"file": ("x.parquet", content)}))
    assert "2,000 rows of 2 columns: at most 2,000 cells" in told


def test_several_files_share_what_may_be_unpacked():
    client = asking(limits=Limits(body=10_000))
    files = [("file", (f"{name}.csv.gz", packed_rows(2500))) for name in "ab"]
    assert "more than 20,000 bytes" in problem(
        client("POST", "/v1/forecast", files=files), 422, "file"
    )


def problem_or_text(answer):
    """What is told of a table: the page does so in an answer of its own."""
    assert answer.status_code in (200, 422)
    return answer.json().get("problem") or answer.json()["detail"]


def test_rows_and_steps_are_limited():
    client = asking(limits=Limits(rows=100, horizon=30))
    begun = time.monotonic()
    problem(client("POST", "/v1/forecast", json={"series": SEASON * 3}), 413, "series")
    assert time.monotonic() - begun < 1.5  # nothing more is waited for
    problem(
        client("POST", "/v1/forecast", json={"series": SEASON, "horizon": 31}),
        422,
        "horizon",
    )
    many = {"series": {str(k): [1, 2, 3, 4] for k in range(5)}, "horizon": 25}
    problem(client("POST", "/v1/forecast", json=many), 422, "horizon")
    dated = {
        "series": SEASON,
        "start": "2024-01-01",
        "frequency": "D",
        "until": "2024-06-01",
    }
    problem(client("POST", "/v1/forecast", json=dated), 422, "horizon")
    client.app.server.close()


def test_an_answer_that_takes_too_long_is_given_up(monkeypatch):
    client = asking(limits=Limits(seconds=0.1))
    go_on = threading.Event()
    monkeypatch.setattr(
        type(client.app.server.forecasts), "forecast", lambda *_: go_on.wait(20) and {}
    )
    answer = client("POST", "/v1/forecast", json={"series": SEASON})
    assert "0.1 seconds" in problem(answer, 503)
    assert answer.headers["retry-after"]
    go_on.set()
    client.app.server.close()


def test_too_many_requests_are_sent_away(monkeypatch):
    client = asking(limits=Limits(waiting=2))
    monkeypatch.setattr(
        type(client.app.server.forecasts), "forecast", lambda *_: time.sleep(0.5) or {}
    )
    requests = [("POST", "/v1/forecast", {"json": {"series": SEASON}})] * 6
    statuses = sorted(answer.status_code for answer in client.together(*requests))
    assert statuses == [200, 200, 503, 503, 503, 503]
    client.app.server.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507),
        (MemoryError(), 503),
        (OutputError("it cannot be written"), 503),
        (DataError("no rows"), 422),
        (ZeroDivisionError("division by zero"), 500),
    ],
)
def test_what_fails_is_told_as_a_problem(ask, monkeypatch, error, status):
    def fail(*_):
        raise error

    monkeypatch.setattr(type(ask.app.server.forecasts), "forecast", fail)
    answer = ask("POST", "/v1/forecast", json={"series": SEASON})
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


def test_problems_name_the_option_that_a_message_speaks_of():
    fields = {"horizon": 3, "date_format": "%Q", "series": None}
    assert (
        problem_of(UsageError("--date-format %Q is none"), fields).field
        == "date_format"
    )
    assert problem_of(UsageError("a horizon is short"), fields).field is None
    assert problem_of(DataError("no rows"), fields).field == "series"


# ---------------------------------------------------------------- who may ask


def test_a_token_is_asked_for_everywhere_but_for_health():
    client = asking(token="secret")
    assert client("GET", "/health").status_code == 200
    for given in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic secret"},
    ):
        for path in ("/metrics", "/v1/models", "/openapi.json", "/nothing"):
            answer = client("GET", path, headers=given)
            assert "Bearer TOKEN" in problem(answer, 401, "authorization")
            assert answer.headers["www-authenticate"] == "Bearer"
    right = {"authorization": "Bearer secret"}
    assert client("GET", "/v1/models", headers=right).status_code == 200
    assert "secret" not in repr(client.app.settings)
    client.app.server.close()


def test_pages_of_other_sites_may_not_ask():
    client = asking(hosts=["localhost"])
    for origin in (
        "https://elsewhere.example",
        "null",
        "http://localhost:81",
        "http://[",
    ):
        problem(client("GET", "/v1/models", headers={"origin": origin}), 403, "origin")
    own = {"origin": "http://localhost"}
    assert client("GET", "/v1/models", headers=own).status_code == 200
    problem(client("GET", "/v1/models", headers={"host": "evil.example"}), 421, "host")
    client.app.server.close()


# ---------------------------------------------------------------- state


def test_metrics_are_those_of_prometheus(ask):
    ask("GET", "/v1/models/none")
    text = ask("GET", "/metrics").text
    line = re.compile(
        r'(#\s(HELP|TYPE)\s.+|lstmcast_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+)'
    )
    assert all(line.fullmatch(one) for one in text.splitlines())
    assert (
        'lstmcast_requests_total{method="GET",route="/v1/models/{name}",status="404"} '
        in text
    )
    assert "lstmcast_passes_total" in text


def test_openapi_says_what_is_sent(ask):
    document = ask("GET", "/openapi.json").json()
    content = document["paths"]["/v1/forecast"]["post"]["requestBody"]["content"]
    assert {"series", "horizon", "level"} <= content["application/json"]["schema"][
        "properties"
    ].keys()
    form = content["multipart/form-data"]["schema"]
    assert "file" in form["required"]
    assert {"date_format", "missing_codes", "cutoffs"} <= form["properties"].keys()
    assert {"/v1/streams/{name}/events", "/v1/models/{name}/predict"} <= document[
        "paths"
    ].keys()


def test_every_example_of_openapi_is_answered(ask):
    schema = ask("GET", "/openapi.json").json()["paths"]["/v1/forecast"]["post"][
        "requestBody"
    ]
    for series in schema["content"]["application/json"]["schema"]["properties"][
        "series"
    ]["examples"]:
        assert (
            ask(
                "POST", "/v1/forecast", json={"series": series, "horizon": 1}
            ).status_code
            == 200
        )


# ---------------------------------------------------------------- the command


def test_models_have_names():
    assert models_of(["a=x/y", "m/b"]) == {"a": Path("x/y"), "b": Path("m/b")}
    for wrong in (["a=x", "a=y"], ["../a=x"], ["a="], ["a b=x"]):
        with pytest.raises(UsageError):
            models_of(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--max-rows", "0"], "--max-rows 0"),
        (["--max-trainings", "-1"], "--max-trainings must be at least 0"),
        (["--max-minutes", "0"], "--max-minutes 0"),
        (["--timeout", "nan"], "--timeout nan"),
        (["--token", " "], "token is empty"),
        (["--model", "a b=x"], "not a valid name for a model"),
        (["--host", "999.1.1.1"], "cannot listen"),
        (["--port", "70000"], "--port must be from 0 to 65535, got 70000"),
        (["--save-every", "0"], "save-every"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(run, given, said):
    done = run("serve", *given)
    assert done.status == 2
    assert said in done.err


def test_answers_do_not_wait_for_more():
    """asyncio switches Nagle's algorithm off for sockets that say that they are TCP."""
    with running.listening("127.0.0.1", 0) as opened:
        assert opened.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_told(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", taken.getsockname()[1])
    assert done.status == 2
    assert "Name another --host or --port" in done.err


def test_without_the_extra_it_is_named(run, monkeypatch):
    monkeypatch.setattr(running, "NEEDED", ("no_such_package",))
    done = run("serve")
    assert done.status == 1
    assert "pip install 'lstmcast[server]'" in done.err
    with pytest.raises(MissingExtraError):
        running.require_server()


def test_the_command_serves_until_it_is_told_to_end(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lstmcast", "serve", "--port", str(port)]
    options = ["--streams", str(tmp_path / "kept")]
    source = str(Path(lc.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": source, "LSTMCAST_TOKEN": "word"}
    process = subprocess.Popen(
        [*command, *options], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert "serving at http://127.0.0.1" in process.stderr.readline()
    right = {"authorization": "Bearer word"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=right, timeout=30
    ) as client:
        assert client.get("/health").json()["status"] == "ok"
        opened = client.post("/v1/streams", json={"name": "a", "rows": ["x"]})
        assert opened.status_code == 201
        client.post("/v1/streams/a/ticks", json={"values": [1.0]})
        following = threading.Thread(target=client.get, args=("/v1/streams/a/events",))
        following.start()
        answer = client.post(
            "/v1/forecast",
            content=io.BytesIO(json.dumps({"series": SEASON, "horizon": 1}).encode()),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        following.join(30)
    assert process.wait(30) == 143
    assert process.stderr.read() == ""
    process.stderr.close()
    client = asking(streams=tmp_path / "kept")
    assert client("GET", "/v1/streams/a").json()["saved_tick"] == 1
    client.app.server.close()


def test_a_long_history_is_read_in_a_thread(ask, monkeypatch):
    seen = []
    aside = type(ask.app.server.work).aside

    async def watched(self, *given):
        seen.append(given[0].__name__)
        return await aside(self, *given)

    monkeypatch.setattr(type(ask.app.server.work), "aside", watched)
    series = np.linspace(1.0, 2.0, 8000).tolist()
    for values in (SEASON, series):
        asked = {"series": values, "horizon": 1, "method": "network"}
        assert ask("POST", "/v1/forecast", json=asked).status_code == 200
    assert seen == ["_of_json"]
