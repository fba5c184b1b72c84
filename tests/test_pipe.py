"""`lstmcast stream`: lines in, forecasts out, a state that survives the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from commands import here
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError
from lstmcast.model.heads import head_named
from lstmcast.model.inputs import Running, Transformed
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.lines import LineReader, Naming
from lstmcast.streaming.pipe import Pipe, Place
from lstmcast.training.online import fresh_arrays
from lstmcast.transforms import Standard

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"


def untrained(config: NetworkConfig) -> Network:
    return Network(config, [fresh_arrays(config, head_named(config.head), 0)])


@pytest.fixture(scope="module")
def network():
    return untrained(NetworkConfig(layers=(4,), inputs=Running("values"), horizon=1))


@pytest.fixture(scope="module")
def trained_beside():
    """A network that reads wind beside its target."""
    rng = np.random.default_rng(0)
    data = {"day": np.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]")}
    panel = lc.read(
        {**data, "sold": rng.normal(size=40), "wind": rng.normal(size=40)},
        target="sold",
        past="wind",
    )
    network = NetworkConfig(
        layers=(4,), inputs=Transformed(Standard(), past=["wind"]), horizon=1
    )
    training = lc.TrainingConfig(epochs=1)
    start = lc.LSTMForecaster(
        horizon=1, weights="scratch", network=network, training=training
    )
    return start.fit(panel), str(panel.ids[0])


def pipe_of(network, *, horizon=1, frequency="D", place=None, ids=(), **naming) -> Pipe:
    clocks = Clocks(parse_frequency(frequency))
    return Pipe(lc.Stream(network, ids), horizon, Naming(**naming), clocks, place)


def fed(pipe, *lines):
    return [answer for line in lines for answer in pipe.answers(line)]


def piped(*arguments, text):
    """The command, fed with a text."""
    done = here("stream", *arguments, typed=text)
    return done, [json.loads(line) for line in done.out.splitlines()]


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        (["a;b", "1;2"], {"a": 1.0, "b": 2.0}),
        (["3.5"], {"value": 3.5}),
        (["\ufeffdate,a", "2024-01-01,4"], {"a": 4.0}),
        (["series,sold", '"shop, old",4'], {"shop, old": 4.0}),
        (['{"unique_id": 7, "y": 4}'], {"7": 4.0}),
        (["a\tb", "1\t2"], {"a": 1.0, "b": 2.0}),
    ],
)
def test_what_lines_say(lines, values):
    reader = LineReader(Naming())
    *header, record = [reader.read(line) for line in lines]
    assert header == [None] * len(header)
    assert record.values == values


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1,2"], "no header"),
        (["a,b", "1"], "1 value"),
        (["a,a"], "twice"),
        (["a", "x"], "'a' is 'x', but a number is expected"),
        (["time,shop,sold", "2024-01-01,north,4"], "names series, use series='shop'"),
        (["shop,sold", "4,5", "north,4"], "but a number is expected$"),
        (['{"a": true}'], "a number is expected"),
        (['{"a": [1]}'], "a number is expected"),
        (['{"a": 1, "a": 2}'], "is given twice"),
        (["{"], "not a JSON object"),
        (['{"series": "a", "x": 1, "y": 2}'], "one is expected"),
        (['{"series": null, "x": 1}'], "the name of a row is expected"),
        (['{"date": "2024-01-01"}'], "holds no value"),
        (["{}"], "holds no value: its fields are none"),
        (['{"a": 1}', "[1]"], "a number is expected"),
        (['{"a": 1' + "0" * 400 + "}"], "too large"),
        (['a,"b'], "not CSV"),
    ],
)
def test_what_cannot_be_said(lines, message):
    reader = LineReader(Naming())
    for line in lines[:-1]:
        reader.read(line)
    with pytest.raises(DataError, match=message):
        reader.read(lines[-1])


# ---------------------------------------------------------------- ticks


def test_a_pipe_answers_as_the_stream_does(network):
    stream, pipe = lc.Stream(network, ["a", "b"]), pipe_of(network)
    values = np.random.default_rng(0).normal(10, 1, (20, 2))
    answers = fed(pipe, "a,b", *(f"{a!r},{b!r}" for a, b in values.tolist()))
    for tick in values:
        stream.observe(tick)
    assert [answer["series"] for answer in answers[-2:]] == ["a", "b"]
    point = [answer["point"][0] for answer in answers[-2:]]
    np.testing.assert_allclose(point, stream.predict(), rtol=1e-9)
    quantiles = [list(answer["quantiles"].values()) for answer in answers[-2:]]
    np.testing.assert_allclose(
        np.array(quantiles)[:, :, 0], stream.quantiles(), rtol=1e-9
    )


def test_a_line_that_is_wrong_changes_nothing(network):
    good = ['{"time": "2024-01-01", "a": 1}', '{"time": "2024-01-02", "a": 2}']
    wrong = [
        '{"time": "2024-01-03", "a": "x"}',
        '{"time": "2024-01-03", "a": 1e999}',
        '{"time": "2024-01-03T12:00", "a": 5}',
        '{"time": "third of March", "a": 5}',
        '{"time": "2024-01-05", "a": 5, "new": 1e999}',
    ]
    pipe, spared = pipe_of(network), pipe_of(network)
    answers = fed(pipe, *good, *wrong, '{"time": "2024-01-03", "a": 3}')
    plain = fed(spared, *good, '{"time": "2024-01-03", "a": 3}')
    assert [answer["line"] for answer in answers if "error" in answer] == [
        3,
        4,
        5,
        6,
        7,
    ]
    assert {**answers[-1], "line": 3} == plain[-1]
    assert pipe.stream.ids == ["a"]
    assert (pipe.wrong, pipe.first_wrong) == (5, 3)


def test_numbers_near_the_largest_one_stay_numbers():
    stream = lc.Stream(lc.LSTMForecaster(horizon=1), [], conformal=lc.Conformal())
    largest = sys.float_info.max
    answers = fed(Pipe(stream), "a", "-1e308", f"{largest!r}", f"{-largest!r}")
    assert [answer["value"] for answer in answers] == [-1e308, largest, -largest]
    assert json.loads(json.dumps(answers, allow_nan=False)) == answers


def test_missing_ticks_are_read_as_unknown_and_late_ones_are_left_out(network):
    pipe, stream = pipe_of(network), lc.Stream(network, ["a"])
    answers = fed(
        pipe, "date,a", "2024-02-26,4", "2024-02-27,6", "2024-03-01,5", "2024-02-28,5"
    )
    for value in (4, 6, np.nan, np.nan, 5):
        stream.observe([value])
    assert answers[2]["missing"] == 2
    np.testing.assert_allclose(answers[2]["point"], stream.predict(), rtol=1e-9)
    assert answers[2]["times"] == ["2024-03-02"]
    assert "before 2024-03-01" in answers[3]["skipped"]
    assert "was already read" in fed(pipe, "2024-03-01,5")[0]["skipped"]
    assert pipe.wrong == 0


LATE = "date,a,b", "2024-01-05,1,2", "2024-01-04,3,4", "2024-01-05,5,6"


def test_late_values_are_counted_also_after_a_restart(network, tmp_path):
    place = Place(tmp_path / "state")
    pipe = pipe_of(network, place=place)
    answers = fed(pipe, *LATE)
    assert ["skipped" in answer for answer in answers] == [False] * 2 + [True] * 4
    assert pipe.late == 4 and pipe.stream.ticks == 1
    pipe.save()
    again = lc.Stream.load(tmp_path / "state")
    assert Pipe(again, place=place).late == 4


def test_the_command_says_how_many_values_were_late():
    lines = "\n".join(("time,a", "5,1", "4,1", "5,1", ""))
    done, answers = piped(text=lines)
    assert done.status == 0 and len(answers) == 3
    assert "left out, as they were late or already read: 2 values" in done.err
    done, answers = piped("--late", "error", text=lines)
    assert done.status == 1 and "left out" not in done.err
    assert ["error" in answer for answer in answers] == [False, True, True]


def test_late_values_may_be_errors(network):
    clocks = Clocks(parse_frequency("D"))
    pipe = Pipe(lc.Stream(network, []), 1, None, clocks, late="error")
    _, first, *others = [fed(pipe, line) for line in LATE]
    assert len(first) == 2
    assert [answer["error"] for (answer,) in others] == [
        "row 'a': 2024-01-04 is before 2024-01-05, the newest.",
        "row 'a': 2024-01-05 was already read.",
    ]
    assert pipe.late == 0 and pipe.stream.ticks == 1


def test_after_a_long_gap_a_row_begins_anew(network):
    pipe = pipe_of(network)
    answers = fed(pipe, "date,a", "2024-01-01,4", "2024-01-02,6", "2025-01-01,100")
    assert answers[2]["anew"] == 364
    fresh = fed(pipe_of(network), "date,a", "2025-01-01,100")
    assert answers[2]["point"] == fresh[0]["point"]


def test_a_line_without_a_time_is_the_next_tick(network):
    answers = fed(pipe_of(network), '{"time": "2024-01-01", "a": 1}', '{"a": 2}')
    assert answers[1]["time"] == "2024-01-02"


def test_months_may_end_or_begin(network):
    lines = ["date,a", "2024-01-31,1", "2024-02-29,2", "2024-03-31,3"]
    answers = fed(pipe_of(network, frequency="monthly"), *lines)
    assert [answer.get("times") for answer in answers] == [
        ["2024-02-29"],
        ["2024-03-31"],
        ["2024-04-30"],
    ]


def test_dates_without_a_frequency_are_refused(network):
    [answer] = fed(
        pipe_of(network, frequency="integer"), '{"time": "2024-01-01", "a": 1}'
    )
    assert "--frequency" in answer["error"]


def test_columns_beside_the_values_are_read(trained_beside):
    model, row = trained_beside
    pipe = Pipe(lc.Stream(model, []), clocks=Clocks(parse_frequency("D")))
    stream = lc.Stream(model, [row])
    lines = [
        {"date": "2024-01-01", row: 1, "wind": 3},
        {"date": "2024-01-03", row: 2},
        {"date": "2024-01-03", row: 2, "wind": None},
        {"date": "2024-01-04", "other": 2, "wind": 1},
    ]
    answers = fed(pipe, *map(json.dumps, lines))
    for value, wind in ((1, 3), (np.nan, np.nan), (2, np.nan)):
        stream.observe([value], past={"wind": [wind]})
    assert "'wind', which the network reads, is missing" in answers[1]["error"]
    assert answers[2]["missing"] == 1
    np.testing.assert_allclose(answers[2]["point"], stream.predict(), rtol=1e-9)
    assert "was not fitted to series 'other'" in answers[3]["error"]


def test_several_columns_in_a_row_are_refused():
    two = untrained(
        NetworkConfig(layers=(4,), inputs=Running("values", columns=2), horizon=1)
    )
    with pytest.raises(lc.UsageError, match="2 columns of a row together"):
        Pipe(lc.Stream(two, []))


def test_a_state_that_cannot_be_saved_is_told_and_forecasts_go_on(network, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    answers = fed(pipe_of(network, place=Place(blocked / "state", 2)), "1", "2", "3")
    assert ["error" in answer for answer in answers] == [False, False, True, False]
    assert "the state was not saved" in answers[2]["error"]


# ---------------------------------------------------------------- the process


def test_a_process_goes_on_from_its_state(tmp_path):
    lines = AIRLINE.read_text(encoding="utf-8").splitlines()[1:60]
    rows = [line.replace('"', "") for line in lines if line[:2] in ("19", '"1')]
    text = "Month,sales\n" + "\n".join(rows) + "\n"
    options = ["--frequency", "monthly", "--horizon", 3]
    _, whole = piped(*options, text=text)
    state = ["--state", tmp_path / "state", "--save-every", 10]
    first, begun = piped(
        *options, *state, text="Month,sales\n" + "\n".join(rows[:30]) + "\n"
    )
    # the lines again, from the first one: those that were read are left out
    second, rest = piped("--horizon", 3, *state, text=text)
    assert first.status == second.status == 0
    assert [answer["saved"] for answer in begun if "saved" in answer] == [
        str(state[1])
    ] * 3
    assert sum("skipped" in answer for answer in rest) == 30
    assert [a for a in rest if "point" in a] == whole[30:]


def test_sigterm_saves_between_two_lines(tmp_path):
    state = tmp_path / "state"
    command = [sys.executable, "-m", "lstmcast", "stream", "--state", str(state)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for value in ("5", "6"):  # each is answered before the next is sent
            process.stdin.write(value + "\n")
            assert json.loads(process.stdout.readline())["value"] == float(value)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    _, [answer] = piped("--state", state, text="7\n")
    stream = lc.Stream(lc.LSTMForecaster(horizon=1), ["value"])
    for value in (5, 6, 7):
        stream.observe([value])
    np.testing.assert_allclose(answer["point"], stream.predict(), rtol=1e-9)


def test_a_saved_model_goes_on_from_what_it_remembers(tmp_path):
    panel = lc.read(AIRLINE)
    lc.LSTMForecaster(horizon=2).save(tmp_path / "model", panel)
    done, [answer] = piped(
        "--model", tmp_path / "model", "-H", 2, text="passengers\n450\n"
    )
    assert done.status == 0
    stream = lc.Stream(lc.LSTMForecaster(horizon=2), panel)
    stream.observe([450])
    assert answer["time"] == "1961-01-01"
    np.testing.assert_allclose(answer["point"], stream.predict(2)[0], rtol=1e-9)
    done, _ = piped("--model", tmp_path / "model", "--frequency", "D", text="")
    assert done.status == 2
    assert "MS" in done.err


def test_wrong_lines_show_in_the_exit_status():
    done, answers = piped(text="1\nx\n" + "9" * 1_000_001 + "\n2\n")
    assert done.status == 1
    reason = "'value' is 'x', but a number is expected"
    assert f"could not be used, the first being line 2: {reason}" in done.err
    assert ["error" in answer for answer in answers] == [False, True, True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--save-every", 5], "Give --state DIR"),
        (["--save-every", 0], "must be at least 1"),
        (["--horizon", 0], "horizon"),
        (["--frequency", "often"], "often"),
        (["--kind", "odd"], "odd"),
        (["--late", "odd"], "odd"),
    ],
)
def test_wrong_usage(run, options, message):
    done = run("stream", *options)
    assert done.status == 2
    assert message in done.err


def test_a_state_that_is_something_else_is_refused(run, tmp_path):
    lc.LSTMForecaster(horizon=1).save(tmp_path / "model", lc.read(AIRLINE))
    done = run("stream", "--state", tmp_path / "model")
    assert done.status == 1
    assert "not a stream" in done.err
    lc.Stream(lc.LSTMForecaster(horizon=1), ["a"]).save(tmp_path / "own")
    done = run("stream", "--state", tmp_path / "own")
    assert done.status == 1
    assert "--model" in done.err


def test_intervals_are_kept_unless_the_networks_own_are_asked_for():
    values = np.random.default_rng(0).normal(10, 1, 60).round(3).tolist()
    text = "a\n" + "".join(f"{value}\n" for value in values)
    _, kept = piped("-H", 2, text=text)
    _, own = piped("-H", 2, "--no-conformal", text=text)
    stream = lc.Stream(lc.LSTMForecaster(horizon=2), ["a"], conformal=lc.Conformal())
    for value in values:
        stream.observe([value])
    for answers, adjusted in ((kept, True), (own, False)):
        shown = np.transpose(list(answers[-1]["quantiles"].values()))
        np.testing.assert_allclose(
            shown, stream.quantiles(2, adjusted=adjusted)[0], rtol=1e-9
        )
    assert [answer["point"] for answer in kept] == [answer["point"] for answer in own]
    expected = 100 * stream.coverage()[0, 0]
    assert list(kept[-1]["coverage"]) == ["95", "80", "50"]
    np.testing.assert_allclose(list(kept[-1]["coverage"].values()), expected)
    assert kept[-1]["drift"] is False
    assert "coverage" not in own[-1]
