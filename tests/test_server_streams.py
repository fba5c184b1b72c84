"""Streams of a server: ticks, listeners, and what survives a process that is killed."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import ModelError, OutputError
from lstmcast.jobs import ForecastJob, Source
from lstmcast.output.places import Outputs
from lstmcast.server.app import _followed, create_app
from lstmcast.server.registry import Streams
from lstmcast.server.settings import Limits, Settings
from lstmcast.server.streams import Answer
from serving import AIRLINE, Asking, asking, problem

OPENED = {
    "name": "plant",
    "rows": ["north", "south"],
    "frequency": "daily",
    "horizon": 2,
}
TICKS = "/v1/streams/plant/ticks"


def values(tick: int) -> list[float]:
    return [round(10 + 3 * float(np.sin(tick)), 3), 50.0 + tick]


def opened(folder: Path | None = None, **settings) -> Asking:
    """A server with a stream."""
    client = asking(streams=folder, **settings)
    if not len(client.app.server.streams):
        assert client("POST", "/v1/streams", json=OPENED).status_code == 201
    return client


def tick(client: Asking, number: int, **given) -> dict:
    answer = client("POST", TICKS, json={"values": values(number), **given})
    assert answer.status_code == 200, answer.text
    return answer.json()


def killed(client: Asking) -> None:
    """End a server as a signal 9 does: nothing is saved; the system drops its lock."""
    for stream in client.app.server.streams:
        stream._journal.close()
    client.app.server.streams._held.close()


def answered(after: int) -> dict:
    """What a stream that was never interrupted answers after so many ticks."""
    client = opened()
    answer = [tick(client, number) for number in range(1, after + 1)][-1]
    client.app.server.close()
    kept = ("tick", "point", "quantiles", "score", "expected", "coverage", "drift")
    return {name: answer[name] for name in kept}


# ---------------------------------------------------------------- ticks


def test_ticks_are_answered_as_a_stream_forecasts():
    client, model = opened(), lc.LSTMForecaster(horizon=2, method="network")
    stream = lc.Stream(model, OPENED["rows"], frequency="D", conformal=lc.Conformal())
    for number in range(1, 9):
        answer = tick(client, number)
        expected = stream.predict(1)[:, 0]
        stream.observe(values(number))
    assert answer["tick"] == 8
    assert answer["rows"] == ["north", "south"]
    assert answer["expected"] == pytest.approx(expected.tolist(), rel=1e-6)
    assert np.array(answer["point"]) == pytest.approx(stream.predict(2), rel=1e-6)
    by_level = np.stack(
        [answer["quantiles"][level] for level in answer["quantiles"]], axis=2
    )
    assert by_level == pytest.approx(stream.quantiles(2), rel=1e-6)
    assert len(answer["score"]) == 2
    client.app.server.close()


def test_intervals_keep_their_promise_unless_they_are_to_be_the_networks_own():
    client, model = opened(), lc.LSTMForecaster(horizon=2, method="network")
    plain = OPENED | {"name": "plain", "conformal": False}
    assert client("POST", "/v1/streams", json=plain).json()["conformal"] is False
    assert client("GET", "/v1/streams/plant").json()["conformal"] is True
    stream = lc.Stream(model, OPENED["rows"], frequency="D")
    for number in range(1, 40):
        kept = tick(client, number)
        answer = client(
            "POST", "/v1/streams/plain/ticks", json={"values": values(number)}
        ).json()
        stream.observe(values(number))
    assert sorted(kept["coverage"]) == ["50", "80", "95"]
    assert all(0 <= inside <= 100 for inside in kept["coverage"]["80"])
    assert kept["drift"] == []
    assert not {"coverage", "drift"} & answer.keys()
    by_level = [
        np.stack(list(one["quantiles"].values()), axis=2) for one in (kept, answer)
    ]
    assert by_level[1] == pytest.approx(stream.quantiles(2), rel=1e-6)
    assert not np.allclose(*by_level, rtol=1e-3)
    client.app.server.close()


def test_a_drift_of_the_errors_names_its_rows():
    client, named = opened(), []
    for spread, noise in zip(
        [1] * 120 + [500] * 40,
        np.random.default_rng(0).normal(size=(160, 2)),
        strict=True,
    ):
        both = [1000 + spread * noise[0], 50 + noise[1]]
        named += client("POST", TICKS, json={"values": both}).json()["drift"]
    assert "north" in named and "south" not in named
    client.app.server.close()


def test_a_stream_of_a_point_head_has_no_intervals_to_keep(tmp_path):
    network = lc.NetworkConfig(
        layers=(2,), inputs=lc.Transformed(), head="point", horizon=1
    )
    training = lc.TrainingConfig(epochs=1)
    model = lc.LSTMForecaster(1, weights="scratch", network=network, training=training)
    model.fit(lc.read(str(AIRLINE))).save(tmp_path / "air")
    client = asking(models={"air": tmp_path / "air"})
    told = client("POST", "/v1/streams", json={"name": "air", "model": "air"}).json()
    assert told["conformal"] is False and told["quantiles"] is None
    client.app.server.close()


def test_times_say_which_ticks_are_missing_and_which_came_late():
    client = opened()
    tick(client, 1, time="2024-03-01")
    answer = tick(client, 2, time="2024-03-04")
    assert answer["missing"] == {"north": 2, "south": 2}
    assert answer["times"] == ["2024-03-05", "2024-03-06"]
    again = tick(client, 3, time="2024-03-04")
    assert again["skipped"]["north"] == "2024-03-04 was already read"
    assert "point" not in again
    assert client("GET", "/v1/streams/plant").json()["late"] == 2
    assert tick(client, 4, time="2025-03-04")["anew"] == ["north", "south"]
    client.app.server.close()


def test_late_ticks_may_be_refused_also_after_a_restart(tmp_path):
    client = asking(streams=tmp_path)
    told = client("POST", "/v1/streams", json=OPENED | {"late": "error"}).json()
    assert told["late_ticks"] == "error"
    tick(client, 1, time="2024-03-04")
    for _ in range(2):
        late = client("POST", TICKS, json={"values": [1, 2], "time": "2024-03-03"})
        reason = "row 'north': 2024-03-03 is before 2024-03-04, the newest"
        assert problem(late, 422, "time") == reason
        killed(client)
        client = asking(streams=tmp_path)
        told = client("GET", "/v1/streams/plant").json()
        assert (told["late_ticks"], told["late"], told["ticks"]) == ("error", 0, 1)
    refused = client("POST", "/v1/streams", json={"name": "other", "late": "odd"})
    problem(refused, 422, "late")
    client.app.server.close()


def test_rows_may_be_named_and_unknown_and_join():
    client = opened()
    assert client("POST", TICKS, json={"values": {"south": 5}}).json()["rows"] == [
        "south"
    ]
    assert (
        client("POST", TICKS, json={"values": [1, None]}).json()["point"][0] is not None
    )
    joined = {"values": {"east": 7.5}, "join": True}
    assert client("POST", TICKS, json=joined).json()["rows"] == ["east"]
    assert client("GET", "/v1/streams/plant").json()["rows"] == [
        "north",
        "south",
        "east",
    ]
    client.app.server.close()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"values": [1]}, "values"),
        ({"values": [1, 2, 3]}, "values"),
        ({"values": []}, "values"),
        ({"values": {}}, "values"),
        ({"values": [1, "two"]}, "values.1"),
        ({"values": {"north": "one"}}, "values.north"),
        ({"values": {"west": 1}}, "values.west"),
        ({"values": {"": 1}, "join": True}, "values..[key]"),
        ({"values": [1, 2], "time": "soon"}, "time"),
        ({"values": [1, 2], "time": 1.5}, "time"),
        ({"values": [1, 2], "time": "2024-01-01T12:34:56"}, "time"),
        ({"values": [1, 2], "save": True}, "save"),
        ({"values": [1, 2], "colour": "red"}, "colour"),
        ({}, "values"),
    ],
)
def test_bad_ticks_change_nothing(body, field):
    client = opened()
    tick(client, 1, time="2024-01-01")
    before = client("GET", "/v1/streams/plant").json()
    answer = client("POST", TICKS, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].startswith(field.partition("..")[0])
    assert client("GET", "/v1/streams/plant").json() == before
    text = {"content-type": "application/json"}
    problem(
        client("POST", TICKS, content=b'{"values": [NaN, 1]}', headers=text),
        422,
        "values.0",
    )
    client.app.server.close()


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"name": "../plant"}, 422, "name"),
        ({"name": ".hidden"}, 422, "name"),
        ({"name": "a/b"}, 422, "name"),
        ({"name": ""}, 422, "name"),
        ({"name": "plant"}, 409, "name"),
        ({"rows": ["a", "a"]}, 422, "rows"),
        ({"rows": "a"}, 422, "rows"),
        ({"rows": ["r"] * 60}, 422, "rows"),
        ({"rows": [f"r{k}" for k in range(60)]}, 422, "rows"),
        ({"model": "none"}, 404, "model"),
        ({"horizon": 0}, 422, "horizon"),
        ({"horizon": 20_000}, 422, "horizon"),
        ({"frequency": "sometimes"}, 422, "frequency"),
        ({"rate": 2}, 422, "rate"),
        ({"conformal": "maybe"}, 422, "conformal"),
        ({"kind": "prices"}, 422, "kind"),
    ],
)
def test_streams_that_cannot_be_opened_are_refused(tmp_path, changed, status, field):
    client = opened(tmp_path / "kept", limits=Limits(stream_rows=50))
    asked = {**OPENED, "name": "other", **changed}
    problem(client("POST", "/v1/streams", json=asked), status, field)
    assert [one["name"] for one in client("GET", "/v1/streams").json()["streams"]] == [
        "plant"
    ]
    kept = [path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()]
    assert kept == ["plant"]
    client.app.server.close()


def test_there_are_only_so_many_streams_and_rows():
    client = opened(limits=Limits(streams=1, stream_rows=3))
    problem(client("POST", "/v1/streams", json={**OPENED, "name": "more"}), 409, "name")
    joined = {"values": {"a": 1, "b": 2}, "join": True}
    problem(client("POST", TICKS, json=joined), 422, "rows")
    client.app.server.close()


def test_a_stream_goes_on_from_the_data_of_a_model(tmp_path):
    panel = lc.read(str(AIRLINE))
    model = lc.LSTMForecaster(horizon=3)
    ForecastJob(model, Source(panel), 0, outputs=Outputs(model=tmp_path / "air")).run()
    client = asking(models={"air": tmp_path / "air"})
    asked = {"name": "air", "model": "air", "horizon": 3}
    problem(client("POST", "/v1/streams", json={**asked, "rows": ["a"]}), 422, "rows")
    told = client("POST", "/v1/streams", json=asked).json()
    assert told["frequency"] == "MS"
    answer = client("POST", "/v1/streams/air/ticks", json={"values": [450]}).json()
    assert answer["time"] == "1961-01-01"
    stream = lc.Stream(lc.LSTMForecaster(horizon=3, method="network"), panel)
    stream.observe([450.0])
    assert np.array(answer["point"]) == pytest.approx(stream.predict(3), rel=1e-6)
    client.app.server.close()


# ---------------------------------------------------------------- listeners


def test_events_are_the_answers_of_ticks():
    client = opened()
    answers = [tick(client, number) for number in range(1, 5)]
    path = "/v1/streams/plant/events"
    text = client("GET", path, params={"most": 2}, headers={"last-event-id": "2"}).text
    found = [
        json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")
    ]
    assert found == answers[2:]
    assert "id: 4\nevent: forecast\n" in text
    problem(client("GET", path, params={"most": 0}), 422, "query.most")
    problem(client("GET", "/v1/streams/none/events"), 404, "name")
    client.app.server.close()


def test_listeners_hear_ticks_as_they_come_until_the_stream_is_closed():
    client = opened()
    stream = client.app.server.streams.named("plant")

    async def heard() -> list[str]:
        events, lines = _followed(client.app.server, stream, None, None), []
        lines.append(await anext(events))
        assert client.app.server.streams.listeners == 1
        stream.tell(Answer(1, b"{}"))
        lines.append(await anext(events))
        stream.part()
        lines += [line async for line in events]
        return lines

    lines = asyncio.run(heard())
    assert [line.split("\n")[0] for line in lines[1:]] == ["id: 1", "event: end"]
    assert client.app.server.streams.listeners == 0
    client.app.server.close()


def test_a_listener_that_does_not_listen_holds_up_nobody():
    client = opened()
    stream = client.app.server.streams.named("plant")

    async def slow() -> list[str]:
        events = _followed(client.app.server, stream, None, None)
        lines = [await anext(events)]
        for number in range(500):
            stream.tell(Answer(number, b"{}"))
        return lines + [line async for line in events]

    lines = asyncio.run(slow())
    assert lines[-1].startswith("event: end")
    assert len(lines) <= 102
    client.app.server.close()


def test_listeners_are_told_when_the_server_ends():
    client = opened()
    stream = client.app.server.streams.named("plant")

    async def heard() -> list[str]:
        events = _followed(client.app.server, stream, None, None)
        lines = [await anext(events)]
        client.app.server.ending = lambda: True
        return lines + [line async for line in events]

    begun = time.monotonic()
    assert asyncio.run(heard())[-1].startswith("event: end")
    assert time.monotonic() - begun < 5
    client.app.server.close()


def test_a_client_that_goes_away_is_forgotten():
    client = opened()
    stream = client.app.server.streams.named("plant")

    async def gone() -> None:
        events = _followed(client.app.server, stream, None, None)
        await anext(events)
        await events.aclose()

    asyncio.run(gone())
    assert not stream.listeners
    client.app.server.close()


# ---------------------------------------------------------------- what is kept


@pytest.mark.parametrize("save_every", [1, 3, 1000])
def test_a_server_that_was_killed_goes_on_with_the_same_bits(tmp_path, save_every):
    client = opened(tmp_path, save_every=save_every)
    for number in range(1, 6):
        tick(client, number)
    killed(client)
    client = opened(tmp_path, save_every=save_every)
    assert client("GET", "/v1/streams/plant").json()["ticks"] == 5
    answer = [tick(client, number) for number in (6, 7)][-1]
    expected = answered(7)
    assert {name: answer[name] for name in expected} == expected
    client.app.server.close()


def test_what_was_refused_is_not_read_after_a_kill(tmp_path):
    client = opened(tmp_path)
    tick(client, 1, time="2024-01-01")
    problem(client("POST", TICKS, json={"values": [1, 2], "time": "soon"}), 422, "time")
    stream = client.app.server.streams.named("plant")
    # as if the process had ended before it took the line back
    wrong = {"number": 2, "time": "soon", "values": {"north": 1.0}, "past": {}}
    stream._journal.append(wrong)
    killed(client)
    client = opened(tmp_path)
    assert client("GET", "/v1/streams/plant").json()["ticks"] == 1
    assert tick(client, 2, time="2024-01-02")["tick"] == 2
    client.app.server.close()


def test_a_line_that_is_not_whole_was_never_acknowledged(tmp_path):
    client = opened(tmp_path)
    tick(client, 1)
    killed(client)
    with (tmp_path / "plant" / "journal.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "time": null, "val')
    client = opened(tmp_path)
    assert tick(client, 2)["tick"] == 2
    killed(client)
    client = opened(tmp_path)
    assert client("GET", "/v1/streams/plant").json()["ticks"] == 2
    client.app.server.close()


def test_a_journal_that_was_not_emptied_after_a_save_is_read_once(tmp_path):
    client = opened(tmp_path)
    tick(client, 1)
    journal = (tmp_path / "plant" / "journal.jsonl").read_bytes()
    client("POST", "/v1/streams/plant/save")
    killed(client)
    (tmp_path / "plant" / "journal.jsonl").write_bytes(journal)
    client = opened(tmp_path)
    answer, expected = tick(client, 2), answered(2)
    assert {name: answer[name] for name in expected} == expected
    client.app.server.close()


def test_a_save_is_asked_for_with_a_tick_or_alone(tmp_path):
    client = opened(tmp_path)
    assert tick(client, 1)["saved_tick"] == 0
    assert tick(client, 2, save=True)["saved_tick"] == 2
    tick(client, 3)
    assert client("POST", "/v1/streams/plant/save").json()["saved_tick"] == 3
    assert (tmp_path / "plant" / "journal.jsonl").read_bytes() == b""
    client.app.server.close()
    memory = opened()
    problem(memory("POST", "/v1/streams/plant/save"), 422, "save")
    memory.app.server.close()


def test_a_full_disk_refuses_ticks_and_changes_nothing(tmp_path, monkeypatch):
    client = opened(tmp_path)
    tick(client, 1)
    stream = client.app.server.streams.named("plant")
    before = (tmp_path / "plant" / "journal.jsonl").read_bytes()

    class Full:
        """A file on a disk that is full after some bytes."""

        def __init__(self, file):
            self.file, self.room = file, 10

        def write(self, line):
            if self.room == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.room = 0
            return self.file.write(line[:10])

        def __getattr__(self, name):
            return getattr(self.file, name)

    whole, stream._journal._file = stream._journal._file, Full(stream._journal._file)
    assert "disk is full" in problem(
        client("POST", TICKS, json={"values": [1, 2]}), 507
    )
    assert (tmp_path / "plant" / "journal.jsonl").read_bytes() == before
    stream._journal._file = whole
    answer, expected = tick(client, 2), answered(2)
    assert {name: answer[name] for name in expected} == expected
    client.app.server.close()


def test_a_state_that_cannot_be_saved_is_told_and_ticks_are_kept(tmp_path, monkeypatch):
    client = opened(tmp_path, save_every=1)

    def full(*_, **__):
        raise OutputError("'plant' cannot be written: the disk is full.") from OSError(
            errno.ENOSPC, "full"
        )

    monkeypatch.setattr("lstmcast.streaming.stream.Stream.save", full)
    answer = tick(client, 1)
    assert "disk is full" in answer["not_saved"]
    assert answer["saved_tick"] == 0
    problem(client("POST", "/v1/streams/plant/save"), 507)
    problem(client("POST", "/v1/streams", json={**OPENED, "name": "other"}), 507)
    assert client("GET", "/v1/streams/other").status_code == 404
    assert not (tmp_path / "other").exists()
    assert "lstmcast_unsaved_streams 1" in client("GET", "/metrics").text
    monkeypatch.undo()
    killed(client)
    client = opened(tmp_path)
    assert client("GET", "/v1/streams/plant").json()["ticks"] == 1
    client.app.server.close()


def test_a_closed_stream_is_gone(tmp_path):
    client = opened(tmp_path)
    tick(client, 1)
    assert client("DELETE", "/v1/streams/plant").status_code == 204
    problem(client("GET", "/v1/streams/plant"), 404, "name")
    problem(client("DELETE", "/v1/streams/plant"), 404, "name")
    assert not (tmp_path / "plant").exists()
    client.app.server.close()
    # of a server that was killed meanwhile
    (tmp_path / ".closed-old").mkdir(parents=True)
    client = opened(tmp_path)
    assert tick(client, 1)["tick"] == 1
    assert not (tmp_path / ".closed-old").exists()
    client.app.server.close()


def test_two_servers_do_not_share_a_folder(tmp_path):
    client = opened(tmp_path)
    with pytest.raises(OutputError, match="another server"):
        create_app(Settings(streams=tmp_path))
    client.app.server.close()
    create_app(Settings(streams=tmp_path)).server.close()


def test_what_no_server_wrote_is_named(tmp_path):
    stream = lc.Stream(lc.LSTMForecaster(horizon=1), ["a"])
    stream.save(tmp_path / "plant" / "state")
    with pytest.raises(ModelError, match="not written by a server"):
        Streams(Settings(streams=tmp_path))
    shutil.rmtree(tmp_path / "plant")
    Streams(Settings(streams=tmp_path)).shut()


def test_ticks_that_arrive_together_are_read_one_after_the_other(tmp_path):
    client = opened(tmp_path)
    requests = [("POST", TICKS, {"json": {"values": values(1)}})] * 20
    answers = [answer.json()["tick"] for answer in client.together(*requests)]
    assert sorted(answers) == list(range(1, 21))
    client.app.server.close()


def test_a_process_that_is_killed_loses_no_tick(tmp_path):
    """The command itself, and signal 9; `benchmarks/server.py` does so fifty times."""
    program = (
        "import sys, json\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_server_streams import opened, tick\n"
        "from pathlib import Path\n"
        "client = opened(Path(sys.argv[1]), save_every=3)\n"
        "for number in range(1, 10_000):\n"
        "    print(tick(client, number)['tick'], flush=True)\n"
    )
    source = str(Path(lc.__file__).parents[1])
    command = [sys.executable, "-c", program, str(tmp_path), str(Path(__file__).parent)]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": source},
        stdout=subprocess.PIPE,
        text=True,
    )
    heard = [int(process.stdout.readline()) for _ in range(7)]
    time.sleep(0.05)
    process.kill()
    heard += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    client = opened(tmp_path)
    ticks = client("GET", "/v1/streams/plant").json()["ticks"]
    assert heard[-1] <= ticks <= heard[-1] + 1
    answer, expected = tick(client, ticks + 1), answered(ticks + 1)
    assert {name: answer[name] for name in expected} == expected
    client.app.server.close()
