"""Streams with columns that are known in advance: what is forecast after a tick is what the network
forecasts after the same history, read at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.covariates.grown import Grown
from lstmcast.data.origins import Origins
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.calibration import at_levels
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.pipe import Pipe
from serving import asking

MODEL = lc.LSTMForecaster(horizon=7, method="network")
START = "2023-01-02"


def shop(steps=260, seed=0, closed=True):
    """Sales of a shop, promotions, the weather, what kind of day it is, and when it is open."""
    rng = np.random.default_rng(seed)
    promo = (rng.random(steps) < 0.25).astype(float)
    warm = np.cos(np.arange(steps) / 40) + rng.normal(0, 0.5, steps)
    kind = np.array(["usual", "usual", "fair", "feast"], object)[
        rng.integers(0, 4, steps)
    ]
    is_open = np.where(closed & (rng.random(steps) < 0.1), 0.0, 1.0)
    log = 4 + 0.2 * np.sin(2 * np.pi * np.arange(steps) / 7) + 0.5 * promo - 0.1 * warm
    log += 0.3 * (kind == "fair") + rng.normal(0, 0.05, steps)
    future = {"promo": promo, "warm": warm, "kind": kind, "open": is_open}
    return np.exp(log) * is_open, future


def panel_of(sales, future, count, ahead=8, frequency="D"):
    known = {name: column[: count + ahead] for name, column in future.items()}
    return lc.Panel.from_arrays(
        {"shop": sales[:count]}, frequency=frequency, start=START, future=known
    )


def told(future, step, ahead=8):
    """What a tick says: its own values, and those of the ticks that follow it."""
    return {
        name: [column[step : step + ahead + 1].tolist()]
        for name, column in future.items()
    }


def at_once(sales, future, count, horizon=7, frequency="D"):
    """Quantiles (H, Q) of the network after so many values, read at once; 0 where it is closed."""
    panel = panel_of(sales, future, count, len(sales) - count, frequency)
    answer_HQ = MODEL.model.decode(
        panel, Origins(np.zeros(1, int), np.array([count])), horizon
    )[0]
    return np.nan_to_num(answer_HQ)


def equal(stream, sales, future, count, horizon=7, frequency="D"):
    expected = at_once(sales, future, count, horizon, frequency)
    np.testing.assert_allclose(
        stream.quantiles(horizon)[0], expected, rtol=2e-6, atol=1e-6
    )


# ---------------------------------------------------------------- equal to predict


@pytest.mark.parametrize("history", [0, 100])
def test_a_stream_forecasts_what_the_network_does_after_the_same_history(history):
    sales, future = shop()
    if history:
        stream = lc.Stream(MODEL, panel_of(sales, future, history))
    else:
        stream = lc.Stream(MODEL, [], frequency="D", future=list(future))
        stream.join(["shop"], {"shop": START})
    for step in range(history, 240):
        stream.observe([sales[step]], future=told(future, step))
        if step in (30, 31, 110, 176, 239):
            equal(stream, sales, future, step + 1)


def test_a_point_is_that_of_predict():
    sales, future = shop(closed=False)
    stream = lc.Stream(MODEL, panel_of(sales, future, 40))
    stream.observe([sales[40]], future=told(future, 40))
    panel = panel_of(sales, future, 41)
    usual = MODEL.model.decode(panel, Origins(np.zeros(1, int), np.array([41])), 7)
    levels = at_levels(usual, (0.1, 0.5, 0.9))[0]
    np.testing.assert_allclose(stream.predict(7)[0], levels[:, 1], rtol=2e-6)


def test_far_horizons_and_finer_steps_are_equal_too():
    rng = np.random.default_rng(1)
    warm = np.sin(np.arange(700) / 24 * 2 * np.pi) + rng.normal(size=700)
    load = 50 + 5 * warm + rng.normal(size=700)
    future = {"warm": warm, "event": (rng.random(700) < 0.1) * 1.0}
    stream = lc.Stream(MODEL, panel_of(load, future, 560, 64, "h"))
    for step in range(560, 600):
        stream.observe([load[step]], future=told(future, step, 64))
    equal(stream, load, future, 600, 7, "h")
    equal(stream, load, future, 600, 40, "h")


def test_missing_values_and_gaps_in_columns_are_read_as_at_once():
    sales, future = shop()
    sales[[60, 61, 120]] = np.nan
    future["warm"][[70, 71, 72, 73, 130]] = np.nan
    stream = lc.Stream(MODEL, panel_of(sales, future, 50))
    for step in range(50, 150):
        stream.observe([sales[step]], future=told(future, step))
    equal(stream, sales, future, 150)


def test_values_below_zero_have_effects_that_are_added():
    sales, future = shop(closed=False)
    changes = np.log(sales) - 4
    stream = lc.Stream(MODEL, panel_of(changes, future, 60))
    for step in range(60, 120):
        stream.observe([changes[step]], future=told(future, step))
    equal(stream, changes, future, 120)


def test_times_that_do_not_occur_are_passed():
    days = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
    days = days[(days.astype(int) + 3) % 7 != 6]
    rng = np.random.default_rng(0)
    sale = (rng.random(len(days)) < 0.3) * 1.0
    sold = 20 * np.exp(0.4 * sale + rng.normal(0, 0.05, len(days)))

    def read(count):
        amount = np.r_[sold[:count], np.full(8, np.nan)]
        table = {"day": days[: count + 8], "sold": amount, "sale": sale[: count + 8]}
        return lc.read(table, target="sold", future="sale")

    stream = lc.Stream(MODEL, read(100))
    for step in range(100, 120):
        stream.observe([sold[step]], future={"sale": [sale[step : step + 9].tolist()]})
    again = lc.Stream(MODEL, read(120))
    np.testing.assert_allclose(stream.quantiles(5), again.quantiles(5), rtol=2e-6)


def test_a_network_of_transformed_inputs_answers_with_the_effects(tmp_path):
    sales, future = shop(closed=False)
    training = lc.TrainingConfig(epochs=1)
    network = NetworkConfig(
        layers=(4,), inputs=Transformed(lc.Log1p(), lc.Standard()), horizon=7
    )
    start = lc.LSTMForecaster(
        horizon=7, weights="scratch", network=network, training=training
    )
    model = start.fit(panel_of(sales, future, 150))
    stream = lc.Stream(model, panel_of(sales, future, 150))
    for step in range(150, 160):
        stream.observe([sales[step]], future=told(future, step))
    panel = panel_of(sales, future, 160)
    expected = model.model.decode(panel, Origins(np.zeros(1, int), np.array([160])), 7)[
        0
    ]
    np.testing.assert_allclose(stream.quantiles(7)[0], expected, rtol=1e-5)


# ---------------------------------------------------------------- rows


def test_rows_join_leave_and_tick_by_themselves():
    (one, known), (two, also) = shop(seed=1), shop(seed=2)
    panel = panel_of(one, known, 100)
    stream = lc.Stream(MODEL, panel)
    stream.join(["other", "gone"], {"other": START})
    for step in range(100):
        stream.observe({"other": two[step]}, future=told(also, step))
    for step in range(100, 110):
        both = {
            name: {
                "shop": known[name][step : step + 9],
                "other": also[name][step : step + 9],
            }
            for name in known
        }
        stream.observe({"shop": one[step], "other": two[step]}, future=both)
    stream.leave(["gone"])
    assert stream.ids == ["shop", "other"]
    for row, sales, future in (("shop", one, known), ("other", two, also)):
        answer = stream.quantiles(7, [row])[0]
        np.testing.assert_allclose(
            answer, at_once(sales, future, 110), rtol=1e-5, atol=1e-6
        )


def test_a_row_that_begins_anew_keeps_what_is_known_of_its_future():
    sales, future = shop()
    stream = lc.Stream(MODEL, panel_of(sales, future, 100, 60))
    begins = np.datetime64(START) + np.timedelta64(110, "D")
    stream.reset(["shop"], {"shop": begins})
    anew = {name: column[110:] for name, column in future.items()}
    for step in range(110, 150):  # nothing has to be told again
        stream.observe([sales[step]])
    panel = lc.Panel.from_arrays(
        {"shop": sales[110:150]}, frequency="D", start=str(begins), future=anew
    )
    usual = MODEL.model.decode(panel, Origins(np.zeros(1, int), np.array([40])), 7)[0]
    np.testing.assert_allclose(stream.quantiles(7)[0], np.nan_to_num(usual), rtol=2e-6)
    stream.reset()
    with pytest.raises(DataError, match="'promo' is not known at this tick"):
        stream.observe([5.0])


def test_a_value_for_all_rows_and_what_was_said_before_are_enough():
    stream = lc.Stream(MODEL, ["a", "b"], frequency="D", future="holiday")
    stream.observe([1.0, 2.0], future={"holiday": 0})
    stream.observe([1.0, 2.0], future={"holiday": [[1, 0, 0], [0, 0, 1]]})
    stream.observe([1.0, 2.0])
    assert stream.predict(1).shape == (2, 1)
    with pytest.raises(DataError, match=r"Row 'a': .* at step 2 of the 2 that"):
        stream.predict(2)


# ---------------------------------------------------------------- closed days, errors, alerts


def test_a_closed_day_is_expected_to_be_zero():
    sales, future = shop()
    step = int(np.flatnonzero(future["open"][150:] == 0)[0]) + 150
    stream = lc.Stream(MODEL, panel_of(sales, future, step))
    assert stream.predict(1)[0, 0] == 0
    assert stream.observe([0.0], future=told(future, step))[0] == 0


def test_errors_are_those_of_what_was_forecast():
    sales, future = shop()
    stream = lc.Stream(MODEL, panel_of(sales, future, 100))
    for step in range(100, 105):
        expected = sales[step] - at_once(sales, future, step, 1)[0, 3]
        error = stream.observe([sales[step]], future=told(future, step))
        np.testing.assert_allclose(error[0], expected, rtol=1e-4, atol=1e-4)


def test_scores_are_those_of_anomalies_in_one_pass():
    sales, future = shop(closed=False)
    stream = lc.Stream(MODEL, panel_of(sales, future, 200), alerts=lc.Alerts(rate=0.01))
    scores = []
    for step in range(200, 240):
        stream.observe([sales[step]], future=told(future, step))
        scores.append(stream.scores[0])
    usual = lc.anomalies(panel_of(sales, future, 240), rate=0.01).scores[200:]
    np.testing.assert_allclose(scores, usual, atol=1e-5)


def test_intervals_that_keep_their_promise_move_with_the_effects():
    sales, future = shop(closed=False)
    stream = lc.Stream(MODEL, panel_of(sales, future, 240), conformal=lc.Conformal())
    near = stream.quantiles(7)[0]
    assert (np.diff(near, axis=1) >= 0).all()
    np.testing.assert_allclose(near[:, 3], stream.predict(7)[0])
    assert np.isfinite(stream.coverage()).any()


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("count", [40, 170])
def test_a_saved_stream_goes_on_with_the_same_bits(tmp_path, count):
    sales, future = shop()
    stream = lc.Stream(MODEL, panel_of(sales, future, count))
    stream.join(["new"], {"new": START})
    stream.save(tmp_path / "stream")
    again = lc.Stream.load(tmp_path / "stream")
    for step in range(count, count + 50):
        for one in (stream, again):
            one.observe({"shop": sales[step]}, future=told(future, step))
        np.testing.assert_array_equal(
            again.quantiles(7, ["shop"]), stream.quantiles(7, ["shop"])
        )
    equal_rows = {"new": sales[0]}
    for one in (stream, again):
        one.observe(equal_rows, future={**told(future, 0), "kind": [["new kind"] * 9]})
    assert again.known.common.levels == stream.known.common.levels
    np.testing.assert_array_equal(again.quantiles(7), stream.quantiles(7))


# ---------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(
    ("future", "error", "words"),
    [
        (
            None,
            DataError,
            "'promo' is not known at this tick, 2023-03-13. Give its value",
        ),
        ({"promo": [[1]]}, DataError, "column 'warm' is not known at this tick"),
        (
            {"price": [1.0]},
            UsageError,
            "'price' is not a column that is known in advance",
        ),
        ([1.0], UsageError, "does not name columns"),
        ({"promo": [1, 0, 0]}, UsageError, "has 3 entries, but the tick has 1 row"),
        ({"warm": [["cold"]]}, DataError, "column 'warm' is 'cold' at this tick"),
        (
            {"warm": [[1, "cold"]]},
            DataError,
            "column 'warm' is 'cold' at coming tick 1",
        ),
        ({"warm": [[1j]]}, DataError, "a number, a text or yes and no is expected"),
        ({"warm": [[10**400]]}, DataError, "'warm' holds too large a number"),
    ],
)
def test_a_tick_that_cannot_be_used_changes_nothing(future, error, words):
    sales, known = shop()
    stream = lc.Stream(MODEL, panel_of(sales, known, 70, 0))
    with pytest.raises(error, match=words):
        stream.observe([sales[70]], future=future)
    stream.observe([sales[70]], future=told(known, 70))
    equal(stream, sales, known, 71)


def test_the_error_names_the_row_the_column_and_the_step():
    sales, future = shop()
    stream = lc.Stream(MODEL, panel_of(sales, future, 70, 3))
    with pytest.raises(
        DataError, match=r"'shop': column 'promo' .* step 4 of the 7 .* 2023-03-16"
    ):
        stream.predict(7)
    assert np.isfinite(stream.predict(3)).all()


def test_columns_are_refused_where_there_can_be_none():
    sales, future = shop()
    with pytest.raises(UsageError, match="has no columns that are known in advance"):
        lc.Stream(MODEL, ["a"]).observe([1.0], future={"promo": 1})
    with pytest.raises(UsageError, match="a Panel has its own columns"):
        lc.Stream(MODEL, panel_of(sales, future, 70), future=["promo"])
    with pytest.raises(UsageError, match="names a column twice"):
        lc.Stream(MODEL, ["a"], future=["promo", "promo"])
    two = NetworkConfig(layers=(4,), inputs=lc.Running("values", columns=2), horizon=1)
    with pytest.raises(UsageError, match="reads 2 columns of a row together"):
        lc.Stream(two, ["a"], future=["promo"], learning=lc.Learning())


def test_columns_of_a_row_grow_without_being_copied_each_time():
    rows = Grown(np.zeros((1, 2)))
    for length in range(3, 60):
        rows.grow(length)
    np.testing.assert_array_equal(rows.values[0, :2], 0)
    assert np.isnan(rows.values[0, 2:]).all()
    assert rows.values.shape == (1, 59)


# ---------------------------------------------------------------- lines and servers


def day(step):
    return str(np.datetime64(START) + np.timedelta64(step, "D"))


def line(sales, future, step, ahead=3):
    cells = {
        name: column[step : step + ahead + 1].tolist()
        for name, column in future.items()
    }
    return json.dumps({"date": day(step), "shop": sales[step], **cells})


def pipe_of(horizon=3, future=()):
    stream = lc.Stream(MODEL, [], frequency="D", future=future)
    return Pipe(stream, horizon, clocks=Clocks(stream_frequency()))


def stream_frequency():
    return lc.Panel.from_arrays([1.0, 2.0], frequency="D", start=START).frequency


def test_lines_say_the_values_of_coming_steps():
    sales, future = shop(closed=False)
    pipe = pipe_of(future=tuple(future))
    for step in range(90):
        (answer,) = pipe.answers(line(sales, future, step, 4))
    known = {name: column[:94] for name, column in future.items()}
    expected = at_once(sales[:94], known, 90, 3)[:, 3]
    # no day is told beyond 93
    np.testing.assert_allclose(answer["point"], expected, rtol=1e-3)
    (refused,) = pipe.answers(line(sales, future, 91, 1))
    assert "'promo' is not known at coming tick 3, 2023-04-06" in refused["error"]
    (answer,) = pipe.answers(line(sales, future, 92))  # two days are missing
    assert answer["missing"] == 2


def test_cells_of_csv_hold_several_values():
    pipe = pipe_of(1, ("promo", "kind"))
    assert not list(pipe.answers("date,shop,promo,kind"))
    (answer,) = pipe.answers("2024-01-01,5,1|0,fair|")
    assert "point" in answer
    assert pipe.stream.known.common.levels == [(), ("fair",)]
    (answer,) = pipe.answers("2024-01-02,5,0|0|0|1,fair|usual")
    assert "point" in answer
    (answer,) = pipe.answers("2024-01-03,5,,|")
    assert "point" in answer


def test_the_command_refuses_other_columns_than_those_of_the_model(run, tmp_path):
    sales, future = shop()
    lc.LSTMForecaster(horizon=3).save(
        tmp_path / "model", panel_of(sales, future, 100, 3)
    )
    done = run("stream", "--model", tmp_path / "model", "--future", "price")
    assert done.status == 2
    assert (
        "columns that are known in advance are 'promo', 'warm', 'kind' and 'open'"
        in done.err
    )


def test_a_server_reads_and_keeps_them(tmp_path):
    sales, future = shop(closed=False)
    client = asking(streams=tmp_path)
    opening = {
        "name": "plant",
        "rows": ["shop"],
        "frequency": "daily",
        "future": ["promo", "kind"],
    }
    assert client("POST", "/v1/streams", json=opening).status_code == 201
    for step in range(40):
        cells = {"promo": future["promo"][step : step + 2].tolist()}
        cells["kind"] = {"shop": future["kind"][step : step + 2].tolist()}
        body = {"values": [sales[step]], "time": day(step), "future": cells}
        answer = client("POST", "/v1/streams/plant/ticks", json=body)
        assert answer.status_code == 200, answer.text
    body = {"values": [5.0], "time": day(40), "future": {"promo": 1}}
    refused = client("POST", "/v1/streams/plant/ticks", json=body)
    assert "'promo' is not known at coming tick 1" in refused.json()["detail"]
    for stream in client.app.server.streams:  # a process that is killed
        stream._journal.close()
    client.app.server.streams._held.close()
    again = asking(streams=tmp_path)
    (served,) = again.app.server.streams
    assert served.described()["future"] == ["promo", "kind"]
    np.testing.assert_allclose(
        served.pipe.stream.predict(1)[0], answer.json()["point"][0], rtol=1e-5
    )
