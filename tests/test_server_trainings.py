"""Trainings of a server: begun, followed, stopped, killed, and taken over by the next server."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import time
import zipfile

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.server.page.examples import airline_table, shop_table
from lstmcast.server.settings import Limits
from lstmcast.server.trainings import processes
from lstmcast.server.trainings.folder import Folder
from lstmcast.server.trainings.process import Follower
from lstmcast.server.trainings.training import Training
from lstmcast.training.callbacks import EpochReport
from serving import asking, problem

AIR = {"file": ("airline.csv", airline_table())}
QUICK = {"horizon": "6", "epochs": "2"}
LONG = {"horizon": "6", "epochs": "5000", "weights": "scratch"}
PATIENCE = 120  # seconds, on a machine that is busy
MOMENT = 0.05


def until(ask, name, *states):
    """The training once it is in one of these states."""
    end = time.monotonic() + PATIENCE
    while (found := ask("GET", f"/v1/trainings/{name}").json())["state"] not in states:
        assert time.monotonic() < end, found
        time.sleep(MOMENT)
    return found


def until_epochs(ask, name, count=1):
    end = time.monotonic() + PATIENCE
    while len(ask("GET", f"/v1/trainings/{name}").json()["epochs"]) < count:
        assert time.monotonic() < end
        time.sleep(MOMENT)


def started(ask, data=QUICK, files=AIR, **more):
    answer = ask("POST", "/v1/trainings", files=files, data={**data, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["name"]


@pytest.fixture(scope="module")
def ask():
    client = asking()
    yield client
    client.app.server.close()


@pytest.fixture
def opened(tmp_path):
    """Servers that keep their trainings in a folder; each ends before the next begins."""
    clients = []

    def open_server(**settings):
        for client in clients:
            client.app.server.close()
        clients.append(asking(trainings=tmp_path, **settings))
        return clients[-1]

    yield open_server
    for client in clients:
        client.app.server.close()


# ---------------------------------------------------------------- from a table to a model


@pytest.fixture(scope="module")
def tuned(ask):
    """A short training that has ended."""
    name = started(ask, name="tuned")
    return until(ask, name, "done", "failed")


def test_a_training_gives_a_model_that_forecasts(ask, tuned):
    assert tuned["state"] == "done", tuned
    assert tuned["model"] == "tuned" and tuned["horizon"] == 6
    assert tuned["options"] == {"horizon": 6, "epochs": 2}
    assert tuned["data"]["series"] == 1 and tuned["data"]["values"] == 144
    assert "tuned" in [one["name"] for one in ask("GET", "/v1/models").json()["models"]]
    forecast = ask("POST", "/v1/models/tuned/predict").json()["forecast"]
    assert len(forecast["forecast"]) == 6


def test_the_curve_has_each_epoch_once(tuned):
    told = [(line["member"], line["epoch"]) for line in tuned["epochs"]]
    members = tuned["epochs"][0]["members"]
    assert told == [(member, epoch) for member in range(members) for epoch in (1, 2)]
    assert all(line["validation"] > 0 and line["left"] >= 0 for line in tuned["epochs"])
    assert tuned["accuracy"]["scores"]["lstmcast"]["mae"] > 0


def test_the_model_comes_as_an_archive(ask, tuned, tmp_path):
    answer = ask("GET", "/v1/trainings/tuned/model.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    model = lc.load(tmp_path / "tuned")
    assert model.horizon == 6 and np.isfinite(model.predict().point).all()


def test_events_tell_every_epoch_and_end(ask, tuned):
    text = ask("GET", "/v1/trainings/tuned/events").text
    assert text.startswith('event: state\ndata: {"state": "done"}')
    assert text.count("event: progress") == len(tuned["epochs"])
    assert text.endswith("event: end\ndata: {}\n\n")
    last = {"last-event-id": str(len(tuned["epochs"]) - 1)}
    again = ask("GET", "/v1/trainings/tuned/events", headers=last).text
    assert again.count("event: progress") == 1


def test_nothing_tells_where_the_server_keeps_it(ask, tuned):
    manifest = ask("GET", "/v1/models/tuned").text
    assert "/tmp" not in manifest + json.dumps(tuned)
    folder = ask.app.server.trainings.named("tuned").folder
    assert not folder.data.exists()  # the model remembers what it needs
    assert tuned["data"]["target"] == "passengers"


def test_a_history_is_trained_on_as_well(ask):
    values = (10 + np.sin(np.arange(60) * np.pi / 2)).tolist()
    asked = {"series": values, "horizon": 2, "period": 4, "epochs": 1, "name": "waves"}
    assert ask("POST", "/v1/trainings", json=asked).status_code == 201
    found = until(ask, "waves", "done", "failed")
    assert found["state"] == "done", found["detail"]


def test_a_preset_says_what_it_chose(ask):
    values = list(range(40))
    asked = {"series": values, "horizon": 2, "preset": "balanced", "name": "chosen"}
    assert ask("POST", "/v1/trainings", json=asked).status_code == 201
    found = until(ask, "chosen", "done", "failed")
    assert found["preset"]["chosen"] == "shipped"
    assert "nothing is trained" in found["notes"][0]
    assert found["model"] == "chosen"


def test_what_cannot_be_trained_on_says_why(ask):
    asked = {"series": [1, 2, 3, 4, 5], "horizon": 2, "epochs": 1, "name": "short"}
    assert ask("POST", "/v1/trainings", json=asked).status_code == 201
    found = until(ask, "short", "done", "failed")
    assert found["state"] == "failed" and not found["resumable"]
    assert found["detail"].startswith("No series is long enough")
    assert found["model"] is None
    assert "no model" in problem(ask("GET", "/v1/trainings/short/model.zip"), 404)
    japanese = ask(
        "GET", "/v1/trainings/short", headers={"accept-language": "ja"}
    ).json()
    assert "系列" in japanese["detail"]


def compared(ask, files, methods, **data):
    """Methods beside each other, on a forecast of the page."""
    shown = ask(
        "POST", "/page/forecast", files=files, data={"cutoffs": "0", **data}
    ).json()
    asked = {"series": shown["series"][0], "methods": methods}
    return ask("POST", f"/page/results/{shown['id']}/compare", json=asked)


def test_a_trained_network_is_compared_on_what_it_has_not_seen(ask, tuned):
    found = compared(ask, AIR, ["auto", "model:tuned"], horizon="12").json()
    assert list(found["points"]) == ["combination", "tuned"]
    assert len(found["points"]["tuned"]) == 12
    mae = tuned["accuracy"]["scores"]["lstmcast"]["mae"]
    assert f"{mae:.4g}" in found["table"]
    assert "validation data" in found["told"]


def test_columns_that_are_known_in_advance_are_trained_with(ask):
    table = {"file": ("shop.csv", shop_table())}
    asked = {"target": "sold", "future": ["price", "promo"], "horizon": "7"}
    name = started(ask, {**asked, "epochs": "1"}, files=table)
    found = until(ask, name, "done", "failed")
    assert found["state"] == "done", found["detail"]
    told = compared(ask, table, ["auto", f"model:{name}"], **asked).json()
    assert len(told["points"][name]) == 7
    again = ask("POST", "/page/forecast", files=table, data={**asked, "model": name})
    assert again.status_code == 200, again.text
    assert "--model shop" in again.json()["command"]


def test_a_network_of_other_series_is_not_compared(ask, tuned):
    other = {"file": ("other.csv", airline_table().replace(b"passengers", b"cars"))}
    answer = compared(ask, other, ["auto", "model:tuned"], horizon="6")
    assert "trained on other series" in problem(answer, 422, "methods")
    answer = compared(ask, AIR, ["model:none"], horizon="6")
    assert "no model 'none'" in problem(answer, 404, "model")


# ---------------------------------------------------------------- bad requests


@pytest.mark.parametrize(
    "given, field, words",
    [
        ({"name": "../x"}, "name", "not a valid name for a model"),
        ({"epochs": "0"}, "epochs", "must be at least 1"),
        ({"minutes": "600"}, "minutes", "at most 60"),
        ({"minutes": "nan"}, "minutes", "must be above 0"),
        ({"preset": "best", "epochs": "3"}, "epochs", "epochs is set by preset=best"),
        ({"weights": "/etc"}, "weights", "'pretrained' or 'scratch'"),
        ({"target": "sold"}, "target", "sold"),
        ({"horizon": "20000"}, "horizon", "at most 10,000"),
        ({"past": "x"}, "past", "does not read any"),
    ],
)
def test_bad_requests_name_their_field_and_leave_nothing(ask, given, field, words):
    before = len(ask.app.server.trainings)
    answer = ask("POST", "/v1/trainings", files=AIR, data={"horizon": "6", **given})
    assert words in problem(answer, 422, field)
    assert len(ask.app.server.trainings) == before


def test_a_table_without_dates_is_refused_at_once(ask):
    answer = ask("POST", "/v1/trainings", files={"file": ("x.csv", b"a,b\n1,x\n")})
    assert "no column of dates" in problem(answer, 422, "time")


def test_a_name_is_given_once(ask, tuned):
    answer = ask("POST", "/v1/trainings", files=AIR, data={**QUICK, "name": "tuned"})
    assert "A model 'tuned' already" in problem(answer, 409, "name")


def test_an_unknown_training_is_not_there(ask):
    for method, below in [
        ("GET", ""),
        ("POST", "/stop"),
        ("DELETE", ""),
        ("GET", "/events"),
    ]:
        problem(ask(method, f"/v1/trainings/none{below}"), 404, "name")


def test_what_has_ended_is_not_stopped_nor_gone_on_with(ask, tuned):
    assert "has ended" in problem(ask("POST", "/v1/trainings/tuned/stop"), 409, "name")
    assert "cannot continue" in problem(
        ask("POST", "/v1/trainings/tuned/resume"), 409, "name"
    )


def test_rows_are_limited():
    ask = asking(limits=Limits(rows=100))
    answer = ask("POST", "/v1/trainings", files=AIR, data={"horizon": "6"})
    assert "at most 100" in problem(answer, 413, "series")
    ask.app.server.close()


def test_a_token_is_asked_for():
    ask = asking(token="secret")
    problem(ask("GET", "/v1/trainings"), 401, "authorization")
    problem(ask("POST", "/v1/trainings", files=AIR), 401, "authorization")
    ask.app.server.close()


def test_without_pytorch_the_server_says_so(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "torch" else found(name),
    )
    ask = asking()
    answer = ask("POST", "/v1/trainings", files=AIR, data=QUICK)
    assert "lstmcast[train]" in problem(answer, 404)
    assert "lstmcast[train]" in ask("GET", "/page/about").json()["no_training"]
    ask.app.server.close()


def test_a_server_may_train_nothing():
    ask = asking(limits=Limits(trainings=0))
    assert "--max-trainings 0" in problem(ask("POST", "/v1/trainings", files=AIR), 404)
    ask.app.server.close()


# ---------------------------------------------------------------- stopped, killed, restarted


@pytest.mark.slow
def test_others_wait_in_line_and_a_stopped_one_keeps_its_best_epoch(opened):
    ask = opened()
    first = started(ask, LONG, name="first")
    second = started(ask, name="second")
    third = started(ask, name="third")
    states = {
        one["name"]: one for one in ask("GET", "/v1/trainings").json()["trainings"]
    }
    assert states[first]["state"] == "running"
    assert (states[second]["state"], states[second]["waits_for"]) == ("waiting", 1)
    assert states[third]["waits_for"] == 2
    assert ask("DELETE", f"/v1/trainings/{second}").status_code == 204
    gone_by = ask("POST", f"/v1/trainings/{third}/stop").json()
    assert gone_by["state"] == "interrupted" and gone_by["resumable"]
    until_epochs(ask, first, 2)
    ask("POST", f"/v1/trainings/{first}/stop")
    found = until(ask, first, "stopped", "failed")
    assert found["state"] == "stopped" and found["model"] == first
    assert len(found["epochs"]) < 5000
    assert (
        len(ask("POST", f"/v1/models/{first}/predict").json()["forecast"]["forecast"])
        == 6
    )


@pytest.mark.slow
def test_a_killed_training_fails_with_a_reason_and_goes_on(opened):
    ask = opened()
    name = started(ask, LONG, epochs="12")
    until_epochs(ask, name)
    ask.app.server.trainings.named(name).process.send_signal(signal.SIGKILL)
    found = until(ask, name, "failed", "done")
    assert found["state"] == "failed" and "ended by SIGKILL" in found["detail"]
    assert found["resumable"]
    assert ask("GET", "/health").status_code == 200
    assert "lstmcast_trainings 0" in ask("GET", "/metrics").text
    assert ask("POST", f"/v1/trainings/{name}/resume").status_code == 200
    found = until(ask, name, "done", "failed")
    assert found["state"] == "done", found["detail"]
    assert [line["epoch"] for line in found["epochs"]] == list(range(1, 13))


@pytest.mark.slow
def test_trainings_outlive_the_server(opened):
    ask = opened()
    done, long = started(ask, name="done"), started(ask, LONG, name="long")
    waiting = started(ask, name="waiting")
    until(ask, done, "done")
    until_epochs(ask, long, 3)  # the first is in a checkpoint then
    process = ask.app.server.trainings.named(long).process
    ask = opened(limits=Limits(trainings=2))
    assert process.poll() is not None  # it has ended with its server
    found = ask("GET", "/v1/trainings/long").json()
    assert found["state"] == "interrupted" and found["resumable"] and found["epochs"]
    assert ask("GET", "/v1/trainings/done").json()["model"] == "done"
    assert until(ask, waiting, "done", "failed")["state"] == "done"
    ask("POST", "/v1/trainings/long/resume")
    assert until(ask, long, "running")["epochs"]
    ask("POST", "/v1/trainings/long/stop")
    assert until(ask, long, "stopped", "failed")["state"] == "stopped"


def test_a_running_training_is_removed_with_its_process(opened, tmp_path):
    ask = opened()
    name = started(ask, LONG)
    process = ask.app.server.trainings.named(name).process
    assert ask("DELETE", f"/v1/trainings/{name}").status_code == 204
    assert process.poll() is not None
    assert ask("GET", "/v1/trainings").json() == {"trainings": []}
    assert [place.name for place in tmp_path.iterdir()] == [".lock"]


def test_a_process_ends_when_its_server_does(tmp_path):
    """However the server ended: all that a process sees of it is that its input has an end."""
    folder = Folder(tmp_path)
    values = np.sin(np.arange(400)).tolist()
    fields = {
        "series": values,
        "horizon": 2,
        "epochs": 5000,
        "weights": "scratch",
        "period": [4],
    }
    job = {
        "kind": "history",
        "fields": fields,
        "files": [],
        "horizon": 2,
        "minutes": 60,
    }
    folder.write_job(job)
    process = processes.started(folder)
    end = time.monotonic() + PATIENCE
    while not folder.lines():
        assert process.poll() is None and time.monotonic() < end, folder.log.read_text()
        time.sleep(MOMENT)
    process.stdin.close()
    assert process.wait(PATIENCE) == 3
    assert folder.outcome() is None


def test_a_folder_serves_one_server(opened, tmp_path):
    opened()
    with pytest.raises(lc.OutputError, match="used by another server"):
        asking(trainings=tmp_path)


def test_a_folder_of_something_else_is_left_alone(opened, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "job.json").write_text("[1]")
    ask = opened()
    assert len(ask.app.server.trainings) == 0
    answer = ask("POST", "/v1/trainings", files=AIR, data={**QUICK, "name": "mine"})
    problem(answer, 409, "name")


# ---------------------------------------------------------------- pieces


def report(epoch, member=0, members=2, epochs=4):
    losses = {"train_loss": 0.5, "validation_loss": float("nan")}
    return EpochReport(
        member=member,
        members=members,
        epoch=epoch,
        epochs=epochs,
        step=epoch,
        best_epoch=epoch,
        learning_rate=0.1,
        seconds=2.0 * epoch,
        improved=True,
        network=lambda: None,
        **losses,
    )


def test_each_member_has_its_share_of_the_time(tmp_path):
    clock = iter([0.0, 10.0, 10.0, 30.0, 30.0, 40.0, 40.0, 60.0, 60.0])
    follower = Follower(Folder(tmp_path), 60.0, clock=lambda: next(clock))
    stops = [
        follower(report(1)),
        follower(report(2)),
        follower(report(1, 1)),
        follower(report(2, 1)),
    ]
    assert stops == [False, True, False, True]
    first = Folder(tmp_path).lines()[0]
    assert first["validation"] is None  # it was not measured
    assert first["left"] == 14.0  # of 2 seconds for each of 3 + 4 epochs


def test_trainings_of_a_preset_are_told_apart(tmp_path):
    follower = Follower(Folder(tmp_path), 60.0, shared=False)
    for epoch in (1, 2, 1):
        follower(report(epoch, members=1))
    lines = Folder(tmp_path).lines()
    assert [(line["run"], line["epoch"]) for line in lines] == [(0, 1), (0, 2), (1, 1)]
    assert lines[0]["left"] is None


def test_half_a_line_is_not_read(tmp_path):
    folder = Folder(tmp_path)
    folder.append({"epoch": 1})
    with folder.progress.open("a") as file:
        file.write('{"epoch": 2')
    assert folder.lines() == [{"epoch": 1}]


@pytest.mark.parametrize(
    "status, log, words",
    [
        (-9, "", "ended by SIGKILL"),
        (1, "Traceback\nImportError: no torch\n", "status 1: ImportError: no torch"),
        (2, "", "printed nothing"),
    ],
)
def test_a_process_that_says_nothing_has_a_reason(tmp_path, status, log, words):
    folder = Folder(tmp_path)
    folder.log.write_text(log)
    training = Training(folder, {"name": "x", "state": "running"})
    training.conclude(status)
    assert training.state == "failed" and words in training.job["detail"]
    assert Folder(tmp_path).job()["state"] == "failed"
    assert not os.path.exists(tmp_path / "outcome.json")
