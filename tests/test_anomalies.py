"""Scores of surprise and alerts: calibrated, causal, and the same in a stream as in one pass."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.anomalies import Alerts, advance, start


@pytest.fixture(scope="module")
def panel():
    """A calm series with a spike, one of another length that is 0 at times, with a gap."""
    rng = np.random.default_rng(0)
    calm = 100 + 10 * np.sin(np.arange(700) / 7) + rng.normal(0, 1, 700)
    calm[600] += 40
    counts = rng.poisson(1.5, 560).astype(float)
    counts[300:304] = np.nan
    return lc.Panel.from_arrays(
        {"calm": calm, "counts": counts}, start=["2024-01-01"] * 2, frequency="D"
    )


@pytest.fixture(scope="module")
def found(panel):
    return lc.anomalies(panel, rate=0.005)


def test_a_spike_is_an_alert_and_its_neighbours_are_none(found):
    assert found.alerts[600]
    assert not found.alerts[601:700].any()
    assert found.scores[600] > 0.998


def test_scores_lie_between_0_and_1_and_unknown_values_have_none(found, panel):
    known = np.isfinite(panel.values)
    known[panel.offsets[:-1]] = False  # nothing was forecast of a first value
    np.testing.assert_array_equal(np.isfinite(found.scores), known)
    assert found.scores[known].min() >= 0
    assert found.scores[known].max() <= 1


def test_what_comes_later_moves_no_score(found, panel):
    before = lc.anomalies(panel.until([650, 500]), rate=0.005)
    np.testing.assert_allclose(before.scores[:650], found.scores[:650], atol=2e-3)
    np.testing.assert_allclose(before.scores[650:], found.scores[700:1200], atol=2e-3)


def test_a_stream_says_the_same(found, panel, tmp_path):
    stream = lc.Stream(
        lc.LSTMForecaster(horizon=1), panel.ids, frequency="D", alerts=Alerts(0.005)
    )
    scores, alerts = [], []
    for step in range(700):
        rows = [row for row in range(2) if step < panel.lengths[row]]
        if step == 350:  # goes on from its folder
            stream.save(tmp_path / "stream")
            stream = lc.Stream.load(tmp_path / "stream")
        stream.observe([panel.series(row)[step] for row in rows], panel.ids[rows])
        scores.append(stream.scores.tolist())
        alerts.append(stream.alerted.tolist())
    for row in range(2):
        own = [tick[row] for tick in scores if len(tick) > row]
        whole = found.scores[panel.offsets[row] : panel.offsets[row + 1]]
        np.testing.assert_allclose(own, whole, atol=2e-3, equal_nan=True)
    calm = np.array([tick[0] for tick in alerts])
    np.testing.assert_array_equal(calm, found.alerts[:700])


def test_a_stream_goes_on_from_what_a_panel_showed(found, panel):
    calm = panel.select(["calm"])
    stream = lc.Stream(
        lc.LSTMForecaster(horizon=1), calm.until([590]), alerts=Alerts(0.005)
    )
    alerts = []
    for value in calm.values[590:]:
        stream.observe([value])
        alerts += stream.alerted.tolist()
    np.testing.assert_array_equal(alerts, found.alerts[590:700])


def test_first_errors_are_no_records():
    state = start(1, 1)
    for step in range(30):
        _, [alert] = advance(
            state, np.array([2.0**step]), np.zeros((1, 1)), np.zeros(1), Alerts(0.005)
        )
        assert not alert


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential"])
def test_false_alarms_are_as_seldom_as_promised(draw):
    rng = np.random.default_rng(1)
    rows, ticks, alerts = 20, 3000, Alerts(0.01)
    state, alarms, unlikely = start(rows, 3), 0, 0
    for _ in range(ticks):
        values = getattr(rng, draw)(size=rows)
        scores, alerted = advance(
            state, values, np.zeros((rows, 1)), np.zeros(rows), alerts
        )
        alarms += alerted.sum()
        unlikely += (scores >= 1 - alerts.rate).sum()
    assert alarms <= unlikely <= 1.1 * alerts.rate * rows * ticks
    # and no seldomer than that by far
    assert unlikely > 0.3 * alerts.rate * rows * ticks


def test_the_command_shows_and_writes_them(run, tmp_path):
    values = np.random.default_rng(0).normal(100, 1, 500)
    values[400] = 130
    data = tmp_path / "machine.csv"
    data.write_text("value\n" + "\n".join(f"{value:.3f}" for value in values) + "\n")
    options = ["--time", "index", "--rate", 0.005]
    done = run("anomalies", data, *options, "--out", tmp_path / "scores.csv")
    assert done.status == 0
    assert "130" in done.out
    assert "alerts in 499 values, at most about 2.5 of them false" in done.out
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 501
    told = run("anomalies", data, *options, "--json").json["anomalies"]
    values = [alert["value"] for alert in told["alerts"]]
    assert 130.0 in values
    assert len(values) <= 3
    assert run("anomalies", data, "--rate", 2).status == 2


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan")])
def test_a_rate_that_is_none(rate):
    with pytest.raises(lc.UsageError, match="rate"):
        lc.anomalies([1.0, 2.0], rate=rate)


def test_quantiles_too_far_apart_to_be_subtracted_are_no_defect():
    state, huge = start(1, 1), np.finfo(float).max
    quantiles = huge * np.array([[-1.0, -0.9, -0.8, -0.7, 0.8, 0.9, 1.0]])
    for value in (0.0, huge):
        score, alert = advance(
            state, np.array([value]), quantiles, np.array([-huge]), Alerts()
        )
        assert not alert.any() and not (score > 1).any()
