"""Whatever is sent to a server, it answers: with what was asked for, or with a problem that is the
client's, never with a defect."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmcast.server.settings import Limits
from lstmcast.server.trainings import registry
from serving import PROBLEM, asking

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=8,
)
VALUE = (
    st.none() | st.integers(-5, 50) | st.floats(allow_nan=False, allow_infinity=False)
)
SENSIBLE = st.lists(st.integers(0, 50) | st.floats(0.1, 1e6), min_size=3, max_size=40)
VALUES = SENSIBLE | st.lists(VALUE, max_size=40)
WORDS = st.sampled_from(
    [
        *(
            "D",
            "monthly",
            "15min",
            "integer",
            "h",
            "2024-01-01",
            "2024-02-30",
            "5",
            "all",
            "month",
        ),
        *(
            "horizon",
            "count",
            "real",
            "naive",
            "network",
            "best",
            "fill",
            "zero",
            "observed",
        ),
        *(
            "skip",
            "series",
            "unique_id",
            "",
            "\x00",
            "9999-12-31",
            "-99999999",
            "1e400",
            "a\nb",
        ),
    ]
)
FITTING = {
    "horizon": st.integers(1, 40),
    "until": st.sampled_from(["60", "2024-03-01", "2025"]),
    "level": st.lists(st.floats(1, 99.8), min_size=1, max_size=3),
    "method": st.sampled_from(["auto", "network", "best", "naive", "linear map"]),
    "total": st.sampled_from(["month", "horizon", "week"]),
    "total_by": st.just("all"),
    "frequency": st.sampled_from(
        ["D", "monthly", "15min", "h", "W-MON", "B", "integer"]
    ),
    "start": st.sampled_from(["2024-01-01", "1899-12-31T23:59", "9999-12-30", "7"]),
    "period": st.integers(1, 50),
    "kind": st.sampled_from(["real", "count", "positive"]),
    "gaps": st.sampled_from(["fill", "zero"]),
    "missing": st.sampled_from(["mask", "interpolate"]),
    "calendar": st.sampled_from(["observed", "all"]),
    "on_error": st.sampled_from(["skip", "fail"]),
    "cutoffs": st.integers(0, 3),
    "held_out": st.booleans(),
}
FIELDS = (
    *(
        "horizon",
        "until",
        "level",
        "method",
        "total",
        "total_by",
        "frequency",
        "period",
        "kind",
    ),
    *(
        "duplicates",
        "gaps",
        "missing",
        "calendar",
        "on_error",
        "start",
        "cutoffs",
        "baselines",
    ),
    *(
        "held_out",
        "rate",
        "time",
        "target",
        "past",
        "sheet",
        "aggregate",
        "day_first",
        "decimal",
    ),
    *("header", "date_format", "missing_codes", "times"),
)
OPTION = (
    WORDS | st.integers(-1, 60) | st.booleans() | st.lists(WORDS, max_size=3) | ANYTHING
)
OPTIONS = st.fixed_dictionaries({}, optional=FITTING) | st.dictionaries(
    st.sampled_from(FIELDS), OPTION, max_size=3
)
SERIES = st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=3)
HISTORY = SENSIBLE | VALUES | SERIES | ANYTHING
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def ask():
    client = asking(limits=Limits(rows=2000, horizon=100, streams=3, stream_rows=20))
    client(
        "POST",
        "/v1/streams",
        json={"name": "fuzz", "rows": ["a", "b"], "frequency": "daily"},
    )
    yield client
    client.app.server.close()


def answered(ask, path: str, **sent) -> None:
    answer = ask("POST", path, **sent)
    assert answer.status_code < 500, f"{path} {sent}: {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["detail"]
    else:
        json.loads(answer.text, parse_constant=pytest.fail)


def as_json(document) -> dict:
    content = json.dumps(document).encode()
    return {"content": content, "headers": {"content-type": "application/json"}}


@QUICK
@given(HISTORY, OPTIONS)
def test_histories(ask, series, options):
    sent = as_json({"series": series, **options})
    answered(ask, "/v1/forecast", **sent)


@QUICK
@given(HISTORY, OPTIONS)
def test_anomalies(ask, series, options):
    kept = {
        name: value
        for name, value in options.items()
        if name not in ("horizon", "cutoffs")
    }
    answered(ask, "/v1/anomalies", **as_json({"series": series, **kept}))


@QUICK
@given(
    st.lists(st.lists(WORDS | VALUE.map(str), min_size=1, max_size=4), max_size=20),
    OPTIONS,
)
def test_tables(ask, rows, options):
    table = "day,value,name\n" + "\n".join(",".join(row) for row in rows)
    data = {
        name: value for name, value in options.items() if isinstance(value, (str, int))
    }
    sent = {"file": ("table.csv", table.encode())}
    answered(
        ask, "/v1/forecast", files=sent, data={name: str(data[name]) for name in data}
    )


@QUICK
@given(st.binary(max_size=300))
def test_files_of_any_bytes(ask, content):
    answered(ask, "/v1/forecast", files={"file": ("table", content)})


@QUICK
@given(st.binary(max_size=200))
def test_bodies_of_any_bytes(ask, content):
    headers = {"content-type": "application/json"}
    for path in ("/v1/forecast", "/v1/streams", "/v1/streams/fuzz/ticks"):
        answered(ask, path, content=content, headers=headers)


@QUICK
@given(
    st.lists(VALUE, min_size=2, max_size=2)
    | st.dictionaries(st.text(max_size=4), VALUE, max_size=3)
    | ANYTHING,
    st.fixed_dictionaries({}, optional={"join": st.booleans()})
    | st.fixed_dictionaries({"time": OPTION}, optional={"past": ANYTHING}),
)
def test_ticks(ask, values, options):
    answered(ask, "/v1/streams/fuzz/ticks", **as_json({"values": values, **options}))
    assert ask("GET", "/v1/streams/fuzz").status_code == 200


@QUICK
@given(
    st.fixed_dictionaries(
        {"name": WORDS | ANYTHING},
        optional={
            "rows": st.lists(st.text(max_size=3), max_size=30) | ANYTHING,
            "horizon": OPTION,
            "frequency": OPTION,
            "period": OPTION,
            "kind": OPTION,
            "rate": OPTION,
            "model": OPTION,
        },
    )
)
def test_streams(ask, document):
    answered(ask, "/v1/streams", **as_json(document))
    for stream in ask("GET", "/v1/streams").json()["streams"]:
        if stream["name"] != "fuzz":
            ask("DELETE", f"/v1/streams/{stream['name']}")


TRAINED = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS | st.text(max_size=10),
        "weights": st.sampled_from(["pretrained", "scratch"]) | WORDS,
        "epochs": st.integers(-1, 20) | OPTION,
        "minutes": st.floats() | OPTION,
        "preset": st.sampled_from(["balanced", "best"]) | WORDS,
        "seed": st.integers(-1, 2**40) | OPTION,
        "horizon": st.integers(-1, 200) | OPTION,
        "period": st.integers(1, 50),
    },
)


@QUICK
@given(HISTORY, TRAINED)
def test_trainings(ask, series, options):
    """Whatever is asked for; no process is begun for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "why_not", lambda settings: None)
        patch.setattr(registry, "started", no_process)
        answered(ask, "/v1/trainings", **as_json({"series": series, **options}))
        for training in ask("GET", "/v1/trainings").json()["trainings"]:
            name = training["name"]
            assert training["state"] == "failed" and "no process" in training["detail"]
            answered(ask, f"/v1/trainings/{name}/resume")
            assert ask("DELETE", f"/v1/trainings/{name}").status_code == 204


def no_process(folder):
    raise OSError("no process is begun here")
