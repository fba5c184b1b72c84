"""Backtest: where the cutoffs lie, what is compared, and what is said about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation import metrics
from lstmcast.evaluation.backtest import backtest, spaced_cutoffs
from lstmcast.evaluation.baselines import Naive, SeasonalNaive
from lstmcast.evaluation.summary import lagged_copy
from lstmcast.evaluation.verdict import Compared, judge
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.forecaster import LSTMForecaster
from lstmcast.util.text import number, percent

SEASON = np.array([3.0, 1.0, 2.0, 6.0])


@dataclass(frozen=True)
class Oracle:
    """Knows what comes, and adds an error that grows with the step; has quantiles around it."""

    error: float = 0.0
    horizon: int = 4
    name: str = "oracle"

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        steps, origins = (
            checked_horizon(horizon, self.horizon),
            origins_of(panel, cutoffs),
        )
        rows = (
            panel.offsets[origins.series][:, None]
            + origins.counts[:, None]
            + np.arange(steps)
        )
        inside = rows < panel.offsets[origins.series + 1][:, None]
        known = np.nan_to_num(
            np.where(inside, panel.values[np.where(inside, rows, 0)], 0.0)
        )
        point = known + self.error * np.arange(1, steps + 1)
        return Forecast.at_origins(
            panel,
            origins,
            point,
            point[..., None] + np.array([-2, -1, 0, 1, 2.0]),
            QUANTILES,
        )


@pytest.fixture
def panel() -> Panel:
    rng = np.random.default_rng(2)
    series = {
        f"s{i}": 50 + np.tile(SEASON, 20)[:n] + rng.normal(0, 1, n)
        for i, n in enumerate((60, 48, 30))
    }
    return Panel.from_arrays(series, periods=(4,))


class GoodWithSmall(Oracle):
    """Knows what comes of all but the last series, of which it says 0."""

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        forecast = super().predict(panel, horizon, cutoffs=cutoffs)
        return replace(
            forecast,
            point=np.where(forecast.ids[:, None] == panel.ids[-1], 0.0, forecast.point),
        )


def test_series_of_different_sizes_count_alike_in_the_verdict():
    rng = np.random.default_rng(0)
    series = {f"s{k}": np.tile(SEASON, 12) + rng.normal(size=48) for k in range(40)}
    large = {"large": 1e6 * (10 + np.tile(SEASON, 12) + rng.normal(size=48))}
    tested = backtest(
        GoodWithSmall(), Panel.from_arrays(series | large, periods=(4,)), cutoffs=3
    )
    ours, simple = tested.scores["oracle"], tested.scores["seasonal naive"]
    assert ours["mae"] > simple["mae"] and ours["mase"] < simple["mase"]
    assert tested.summary().verdict.startswith("better than every simple forecast")


def test_data_of_any_kind_are_read():
    columns = {
        "ds": [f"{2000 + i // 4}-{1 + 3 * (i % 4):02d}" for i in range(40)],
        "y": np.tile(SEASON, 10),
    }
    assert (
        backtest(SeasonalNaive(), columns, horizon=4, cutoffs=2).scores["naive"]["mae"]
        > 0
    )


def test_cutoffs_are_a_horizon_apart_where_the_history_allows():
    assert spaced_cutoffs(np.array([144]), 12, 5, minimum=24).tolist() == [
        [84, 96, 108, 120, 132]
    ]


def test_cutoffs_move_together_and_then_become_fewer_on_short_histories():
    assert spaced_cutoffs(np.array([44]), 12, 5, minimum=24).tolist() == [
        [24, 26, 28, 30, 32]
    ]
    assert spaced_cutoffs(np.array([38]), 12, 5, minimum=24).tolist() == [[24, 25, 26]]
    assert spaced_cutoffs(np.array([36]), 12, 5, minimum=24).tolist() == [[24]]
    assert spaced_cutoffs(np.array([35, 20]), 12, 5, minimum=24).shape == (2, 0)


def test_a_given_step_is_kept():
    assert spaced_cutoffs(np.array([60]), 6, 3, step=2).tolist() == [[50, 52, 54]]
    assert spaced_cutoffs(np.array([22]), 6, 5, step=4).tolist() == [[8, 12, 16]]


def test_short_series_sit_out_the_early_cutoffs(panel):
    result = backtest(Oracle(), panel, cutoffs=5, horizon=8)
    assert result.counts.tolist() == [
        [20, 28, 36, 44, 52],
        [8, 16, 24, 32, 40],
        [0, 0, 0, 14, 22],
    ]
    assert np.isnan(result.actual[10:13]).all()
    assert result.summary().origins == 12
    assert any(
        "1 of 3 series is long enough for only some of the cutoffs" in note
        for note in result.notes
    )


def test_what_is_compared_is_what_came(panel):
    result = backtest(Oracle(), panel, cutoffs=2)
    np.testing.assert_array_equal(result.actual[0], panel.series(0)[52:56])
    np.testing.assert_array_equal(result.actual[3], panel.series(1)[44:48])
    assert result.scores["oracle"]["mae"] == 0
    np.testing.assert_array_equal(result.last[:2], panel.series(0)[[51, 55]])


def test_scores_are_the_metrics_of_the_points(panel):
    result = backtest(Oracle(0.5), panel, cutoffs=3)
    scores, point = result.scores, result.forecasts["oracle"].point
    assert scores["oracle"]["mae"] == pytest.approx(0.5 * 2.5)
    assert scores["oracle"]["mase"] == pytest.approx(
        metrics.mase(result.actual, point, result.scales.absolute)
    )
    # errors .5, 1, 1.5, 2 around ±1
    assert scores["oracle"]["coverage_80"] == pytest.approx(0.5)
    assert scores["oracle"]["coverage_95"] == 1
    assert scores["oracle"]["crps"] == pytest.approx(2 * scores["oracle"]["pinball"])
    best = scores[result.summary().reference]
    assert scores["oracle"]["skill"] == pytest.approx(
        1 - scores["oracle"]["mase"] / best["mase"]
    )
    assert best["skill"] == 0
    assert "pinball" not in scores["naive"]


def test_per_horizon_and_per_series_are_parts_of_the_whole(panel):
    result = backtest(Oracle(0.5), panel, cutoffs=2)
    steps, series = result.per_horizon(), result.per_series()
    own = steps["model"] == "oracle"
    np.testing.assert_allclose(steps["mae"][own], [0.5, 1, 1.5, 2])
    np.testing.assert_allclose(steps["coverage_80"][own], [1, 1, 0, 0])
    assert np.isnan(steps["coverage_80"][~own]).all()
    own = series["model"] == "naive"
    assert series["unique_id"][own].tolist() == ["s0", "s1", "s2"]
    assert np.mean(series["mae"][own]) == pytest.approx(result.scores["naive"]["mae"])


def test_series_that_are_too_short_are_named_and_nan(panel):
    mixed = Panel.from_arrays(
        {"long": panel.series(0), "short": [1.0, 2.0, 3.0]}, periods=(4,)
    )
    result = backtest(Oracle(), mixed)
    assert "1 of 2 series is too short to hold out 4 steps: 'short'." in result.notes
    series = result.per_series()
    assert np.isnan(series["mae"][series["unique_id"] == "short"]).all()
    assert result.summary().series == 1


def test_missing_values_do_not_count(panel):
    values = panel.values[:60].copy()
    values[[30, 55, 58]] = np.nan
    result = backtest(Oracle(0.5), Panel.from_arrays(values, periods=(4,)), cutoffs=2)
    assert np.isnan(result.actual).sum() == 2
    assert np.isfinite(result.scores["naive"]["mae"])


def test_an_origin_that_knows_nothing_is_left_out():
    values = np.append(np.full(30, np.nan), np.arange(12.0))
    result = backtest(Naive(), Panel.from_arrays(values), cutoffs=2, horizon=10)
    assert (
        result.notes[-1]
        == "1 origins have no known value before their cutoff and are not evaluated."
    )
    assert result.summary().origins == 1


def test_nothing_to_hold_out_is_said_and_not_an_error():
    result = backtest(Oracle(), Panel.from_arrays([1.0, 2.0, 3.0, 4.0, 5.0]), horizon=4)
    assert (
        result.forecasts == {}
        and result.scores == {}
        and result.per_series() == {}
        and result.held_out() == {}
    )
    summary = result.summary()
    assert summary.verdict.startswith(
        "not judged: the longest series has 5 values, too few to hold out 4 after 4 known ones"
    )
    assert "not judged" in str(summary)
    assert json.loads(result.to_json())["scores"] == {}


def test_short_histories_are_judged_with_what_there_is():
    panel = Panel.from_arrays(np.arange(10.0), periods=(12,))
    assert backtest(Oracle(), panel, horizon=4).counts.tolist() == [[4, 5, 6]]


def test_exact_counts_may_be_given(panel):
    counts = np.array([[10, 58], [0, 44], [20, 26]])
    result = backtest(Oracle(), panel, cutoffs=counts)
    assert np.isnan(result.actual[1]).tolist() == [False, False, True, True]
    assert np.isnan(result.actual[2]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cutoffs": 0}, "at least one cutoff"),
        ({"step": 0}, "a step of at least 1"),
        ({"horizon": 0}, "horizon must be a whole number"),
        ({"cutoffs": np.array([5, 6])}, r"of shape \(3, K\), are expected"),
        (
            {"cutoffs": np.array([[60], [4], [4]])},
            "series 's0': a cutoff after 60 of 60 values leaves nothing",
        ),
        ({"baselines": "classic"}, "baselines='classic' is not known"),
        ({"baselines": None}, "baselines=None is not known"),
        ({"baselines": ["none"]}, "baselines: 'none' has no method predict"),
        (
            {"cutoffs": np.array([[50], [40], [20]]), "step": 7},
            "step=7 has no effect if cutoffs= lists every cutoff",
        ),
    ],
)
def test_senseless_arguments_are_refused(panel, arguments, message):
    with pytest.raises(UsageError, match=message):
        backtest(Oracle(), panel, **arguments)


def test_a_model_that_gives_no_numbers_is_named(panel):
    with pytest.raises(
        ModelError,
        match="oracle gives no finite number for series 's0', cutoff 40, step 1: nan",
    ):
        backtest(Oracle(np.nan), panel)


def test_baselines_are_chosen(panel):
    assert list(backtest(Oracle(), panel).forecasts) == [
        "oracle",
        "naive",
        "seasonal naive",
        "seasonal naive with drift",
        "Holt–Winters",
    ]
    assert list(backtest(Oracle(), panel, baselines=False).forecasts) == ["oracle"]
    assert list(backtest(Oracle(), panel, baselines=[Naive()]).forecasts) == [
        "oracle",
        "naive",
    ]
    assert (
        next(iter(backtest(SeasonalNaive(), panel, horizon=4).forecasts))
        == "seasonal naive"
    )
    assert "skill" not in backtest(Oracle(), panel, baselines=False).scores["oracle"]


def test_each_model_is_asked_once(panel):
    asked = []

    class Counted(Oracle):
        def predict(self, *arguments, **named):
            asked.append(named)
            return super().predict(*arguments, **named)

    backtest(Counted(), panel, cutoffs=3)
    assert len(asked) == 1


def test_the_summary_reads_well_and_is_plain_json(panel):
    result = backtest(Oracle(0.1), panel, cutoffs=3)
    text = str(result.summary())
    assert (
        text.splitlines()[0] == f"Accuracy on held-out data: {result.summary().verdict}"
    )
    assert "in 80% interval" in text and "MASE by step" in text
    plain = json.loads(result.to_json())
    assert plain["scores"]["oracle"]["mae"] == pytest.approx(0.25)
    assert len(plain["held_out"]["actual"]) == 9 * 4
    assert plain["per_horizon"]["coverage_80"][-1] is None
    assert json.loads(result.summary().to_json())["verdict"] == result.summary().verdict


@pytest.mark.parametrize("cutoffs", [1, 3])
def test_what_was_held_out_names_its_cutoffs(panel, cutoffs):
    result = backtest(Oracle(error=0.1), panel, cutoffs=cutoffs)
    held_out = result.held_out()
    assert list(held_out)[:5] == ["unique_id", "ds", "step", "cutoff", "forecast"]
    assert list(held_out)[-1] == "actual"
    expected = np.repeat(result.forecasts["oracle"].cutoffs, 4)
    np.testing.assert_array_equal(held_out["cutoff"], expected)
    assert (held_out["cutoff"] < held_out["ds"]).all()


STEPS = {"naive": np.array([4.0, 4, 4]), "seasonal naive": np.array([3.0, 3, 3])}


def said(model: list[float], others: dict[str, np.ndarray] = STEPS) -> str:
    by_step = {"lstm": np.array(model)} | others
    overall = {name: float(np.mean(part)) for name, part in by_step.items()}
    return judge(Compared("lstm", overall, by_step)).text


def test_verdicts():
    best = "better than every simple forecast: 33% less error than seasonal naive, the best of"
    assert said([2, 2, 2]) == f"{best} them."
    assert said([1, 1, 4]) == f"{best} them. Seasonal naive was better at step 3."
    assert said([3, 3, 3]) == "no better than seasonal naive: both have MAE 3.000."
    one = {"naive": STEPS["naive"]}
    assert said([3, 3, 3], one) == "better than naive: 25% less error."
    assert said([1, 1, 1], {}) == "no simple baseline to compare with."
    rivals = STEPS | {"Holt–Winters": np.ones(3)}
    assert said([3.5, 3.5, 3.5], rivals) == (
        "no better than seasonal naive: use the Holt–Winters forecast (MAE 1.000 against 3.500)."
    )
    assert said([2, 2, 2], rivals) == (
        "better than seasonal naive by 33%, but Holt–Winters is better still (MAE 1.000 against "
        "2.000)."
    )
    assert "by 67%, but Holt–Winters is as good (" in said([1, 1, 1], rivals)
    assert said([1.001, 1.001, 1.001], rivals) == (
        "better than seasonal naive by 67%, but Holt–Winters is better by under 1% (MAE 1.000 "
        "against 1.001)."
    )
    assert said([0.9, 0.9, 0.9], rivals).endswith(
        "10% less error than Holt–Winters, the best of them, and 70% less than seasonal naive."
    )
    assert "under 1% less error than Holt–Winters" in said(
        [0.999, 0.999, 0.999], rivals
    )


def noisy(rng: np.random.Generator) -> Panel:
    """Some series of different sizes, of which no forecast is the best everywhere."""
    steps = np.arange(60)
    sizes = 10.0 ** rng.integers(0, 4, rng.integers(1, 4))
    return Panel.from_arrays(
        {
            str(i): size
            * (10 + rng.normal() * np.sin(steps / 2) + rng.normal(0, 1, 60).cumsum())
            for i, size in enumerate(sizes)
        },
        periods=(12,),
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_verdict_contradicts_its_own_table(seed):
    panel = noisy(np.random.default_rng(seed))
    tested = backtest(Oracle(error=float(seed + 1)), panel, cutoffs=3, horizon=6)
    summary = tested.summary()
    errors = {name: row[summary.measure] for name, row in summary.scores.items()}
    own = errors.pop(summary.model)
    assert errors[summary.reference] == min(errors.values())
    skill = summary.scores[summary.model]["skill"]
    assert skill == pytest.approx(1 - own / min(errors.values()))
    assert (
        (summary.standing == "best")
        == (skill > 0)
        == ("every simple" in summary.verdict)
    )
    assert (summary.better == "") == (summary.standing == "best")
    header, *rows = summary.by_step()
    assert header[0].startswith("MASE" if len(panel) > 1 else "MAE")
    steps = tested.per_horizon()
    for row in rows:
        chosen = (steps["step"] == int(row[0])) & (steps["model"] == summary.model)
        assert row[-1] == percent(float(steps["skill"][chosen][0]))
    if summary.standing == "best":
        worse = [row[0] for row in rows if row[-1].startswith("-")]
        assert bool(worse) == (" was better at step" in summary.verdict)


def test_a_constant_series_is_no_better_than_naive():
    verdict = backtest(Oracle(), Panel.from_arrays(np.full(40, 5.0))).summary().verdict
    assert verdict == "no better than naive: both have MAE 0.000."


def test_rounding_is_no_error():
    summary = backtest(
        LSTMForecaster(3), Panel.from_arrays(np.full(60, 100.1), periods=(12,))
    ).summary()
    assert {row["mae"] for row in summary.scores.values()} == {0.0}


def test_numbers_too_long_to_read_are_written_with_powers_of_ten():
    assert [number(value) for value in (12345678.9, 6.8818e30, 2.5, np.nan)] == [
        "12,345,679",
        "6.882e+30",
        "2.500",
        "–",
    ]


def test_models_of_one_name_are_told_apart(panel):
    others = [SeasonalNaive(12), SeasonalNaive(6), Oracle(error=1.0)]
    scores = backtest(Oracle(), panel, baselines=others).scores
    assert list(scores) == [
        "oracle",
        "seasonal naive",
        "seasonal naive (2)",
        "oracle (2)",
    ]
    assert scores["oracle"]["mae"] == 0 < scores["oracle (2)"]["mae"]
    for name, period in (("seasonal naive", 12), ("seasonal naive (2)", 6)):
        alone = backtest(Oracle(), panel, baselines=[SeasonalNaive(period)]).scores[
            "seasonal naive"
        ]
        assert scores[name]["mae"] == alone["mae"]


def test_no_model_takes_the_name_of_another(panel):
    others = [
        Oracle(error=1.0, name="a (2)"),
        Oracle(error=2.0, name="a"),
        Oracle(error=3.0, name="a"),
    ]
    scores = backtest(Oracle(), panel, baselines=others).scores
    assert list(scores) == ["oracle", "a (2)", "a", "a (3)"]
    assert len({row["mae"] for row in scores.values()}) == 4


def test_a_baseline_is_not_compared_with_itself(panel):
    names = ["naive", "seasonal naive", "seasonal naive with drift", "Holt–Winters"]
    assert list(backtest(Naive(), panel, horizon=4).scores) == names


def test_a_lagged_copy_is_noticed_and_an_honest_forecast_is_not():
    rng = np.random.default_rng(4)
    walk = rng.normal(0, 1, 60).cumsum()
    last, actual = walk[:-1], walk[1:]
    assert "only repeat the last value" in lagged_copy(
        last - 0.1 * (actual - last), last, actual
    )
    assert lagged_copy(last + 0.5 * (actual - last), last, actual) == ""
    assert lagged_copy(actual + rng.normal(0, 0.1, 59), last, actual) == ""


def test_a_poor_forecast_that_is_no_copy_is_not_called_one():
    rng = np.random.default_rng(4)
    last, actual = rng.normal(0, 1, 50), rng.normal(0, 1, 50)
    assert lagged_copy(np.zeros(50) + 3, last, actual) == ""


def test_a_lagged_copy_takes_evidence():
    last, actual = np.arange(9.0), np.arange(9.0) + 1
    assert lagged_copy(last, last, actual) == ""
    assert lagged_copy(np.arange(10.0), np.arange(10.0), np.arange(10.0) + 1) != ""
    # nothing moved: nothing to copy late
    assert lagged_copy(np.ones(50), np.ones(50), np.ones(50)) == ""


def test_the_warning_reaches_the_summary():
    walk = np.random.default_rng(1).normal(0, 1, 80).cumsum()
    panel = Panel.from_arrays(walk)
    assert (
        len(backtest(Naive(), panel, cutoffs=20, step=1, horizon=1).summary().warnings)
        == 1
    )
    assert (
        backtest(Naive(), panel, cutoffs=5, step=1, horizon=1).summary().warnings == ()
    )


def test_tables_come_as_frames_and_the_repr_is_a_table(panel):
    tested = backtest(Oracle(0.5), panel, cutoffs=2)
    for made in (
        tested.per_horizon("pandas"),
        tested.per_series("pandas"),
        tested.held_out("pandas"),
    ):
        assert isinstance(made, pd.DataFrame) and len(made)
    overall = tested.summary().frame()
    assert (
        overall.set_index("model").loc["oracle", "mae"]
        == tested.scores["oracle"]["mae"]
    )
    assert isinstance(tested.summary().frame("arrays"), dict)
    first, verdict, header, *rows = repr(tested).splitlines()
    assert first == "Backtest(oracle, 3 series, 6 origins, horizon 4)"
    assert verdict == tested.summary().verdict and "MASE" in header and len(rows) == 5


def test_tables_fit_a_narrow_terminal(panel):
    summary = backtest(Oracle(0.5), panel, cutoffs=2).summary()
    assert max(map(len, summary.text().splitlines()[2:])) > 80
    narrow = summary.text(columns=50).splitlines()[2:]
    assert max(map(len, narrow)) <= 50
    assert sum(line.startswith("oracle") for line in narrow) > 1


def test_what_is_no_forecaster_is_refused_by_name():
    with pytest.raises(UsageError, match="model='lstm' is not a forecaster"):
        backtest("lstm", np.arange(30.0))
