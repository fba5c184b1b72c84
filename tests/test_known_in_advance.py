"""What is known in advance around the shipped network: its effects, closed days, and that nothing
after a cutoff matters."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.covariates.columns import Design, Kind, Known, Running, about, design
from lstmcast.covariates.effects import effects_of
from lstmcast.covariates.estimate import renewals
from lstmcast.covariates.regression import Problem, fitted_each, fitted_to
from lstmcast.data.features import Covariates
from lstmcast.data.origins import Origins, origins_of
from lstmcast.errors import DataError
from lstmcast.server.page.examples import shop_table

DAYS, AHEAD = 400, 28


def shop(seed=0, days=DAYS, ahead=AHEAD, promoted=0.5, cold=-0.1):
    """Sales of a shop with a week, promotions of which the next are planned, and the weather."""
    rng = np.random.default_rng(seed)
    steps = np.arange(days + ahead)
    promo = (rng.random(len(steps)) < 0.25).astype(float)
    warm = np.cos(steps / 40) + rng.normal(0, 0.5, len(steps))
    log = 4 + 0.2 * np.sin(2 * np.pi * steps / 7) + promoted * promo + cold * warm
    sales = np.exp(log + rng.normal(0, 0.05, len(steps)))
    return sales, {"promo": promo, "warm": warm}


def panel_of(sales, future, days=DAYS, **changed):
    return lc.Panel.from_arrays(
        {"shop": sales[:days]},
        frequency="D",
        start="2023-01-02",
        future=future,
        **changed,
    )


def bare(panel):
    return replace(panel, covariates=Covariates())


def predicted(panel, horizon=14, **how):
    return lc.LSTMForecaster(horizon=horizon).predict(panel, **how)


def error(forecast, actual):
    return float(np.abs(forecast.point[0] - actual[: forecast.point.shape[1]]).mean())


def test_promotions_and_weather_that_are_known_make_errors_small():
    sales, future = shop()
    panel = panel_of(sales, future)
    with_them, without = predicted(panel), predicted(bare(panel))
    assert error(with_them, sales[DAYS:]) < 0.5 * error(without, sales[DAYS:])


def test_intervals_are_as_narrow_as_what_is_left_to_be_known():
    sales, future = shop()
    panel = panel_of(sales, future)
    with_them, without = predicted(panel), predicted(bare(panel))
    width = [np.ptp(one.quantiles[0], axis=-1).mean() for one in (with_them, without)]
    assert width[0] < 0.6 * width[1]
    low, high = with_them.quantiles[0, :, 0], with_them.quantiles[0, :, -1]
    inside = (sales[DAYS : DAYS + 14] >= low) & (sales[DAYS : DAYS + 14] <= high)
    assert inside.mean() > 0.7


def test_columns_that_say_nothing_change_little():
    sales, future = shop(promoted=0.0, cold=0.0)
    panel = panel_of(sales, future)
    with_them, without = predicted(panel), predicted(bare(panel))
    np.testing.assert_allclose(with_them.point, without.point, rtol=0.05)


def test_constant_and_missing_columns_are_as_none():
    sales, _ = shop()
    future = {"always": np.ones(DAYS + AHEAD), "never": np.full(DAYS + AHEAD, np.nan)}
    panel = panel_of(sales, future)
    found = effects_of(panel)
    assert all("always" not in one.groups for one in found.solutions_S[0])
    assert np.isfinite(predicted(panel).point).all()


@pytest.mark.parametrize("method", ["network", "auto"])
def test_nothing_after_a_cutoff_changes_its_forecast(method):
    sales, future = shop()
    model = lc.LSTMForecaster(horizon=14, method=method)
    cutoffs = np.array([[120, 300]])
    usual = model.predict(panel_of(sales, future), cutoffs=cutoffs)
    wild = sales.copy()
    wild[300:] *= 50
    changed = {name: column.copy() for name, column in future.items()}
    for column in changed.values():
        column[300 + 24 :] = 1 - 3 * column[300 + 24 :]
    again = model.predict(panel_of(wild, changed), cutoffs=cutoffs)
    np.testing.assert_array_equal(again.quantiles, usual.quantiles)


def test_one_pass_gives_what_each_cutoff_alone_gives():
    sales, future = shop()
    panel = panel_of(sales, future)
    model = lc.LSTMForecaster(horizon=14)
    both = model.predict(panel, cutoffs=np.array([[200, 350]]))
    for place, count in enumerate((200, 350)):
        alone = model.predict(panel.until([count]))
        np.testing.assert_allclose(alone.quantiles[0], both.quantiles[place], rtol=1e-6)


def test_other_series_do_not_matter():
    (one, known), (two, also) = shop(1), shop(2)
    both = lc.Panel.from_arrays(
        {"a": one[:DAYS], "b": two[:DAYS]},
        frequency="D",
        start="2023-01-02",
        future={name: {"a": known[name], "b": also[name]} for name in known},
    )
    alone = effects_of(panel_of(one, known)).adjusted.values
    np.testing.assert_array_equal(effects_of(both).adjusted.values[:DAYS], alone)


def test_what_lies_beyond_the_horizon_need_not_be_known():
    sales, future = shop(ahead=7)
    panel = panel_of(sales, future)
    assert np.isfinite(predicted(panel, 7).point).all()
    with pytest.raises(
        DataError, match="'shop': the columns 'promo' and 'warm' are known in"
    ):
        predicted(panel, 8)


def test_the_error_says_until_when_rows_are_needed():
    sales, future = shop(ahead=7)
    with pytest.raises(
        DataError, match=r"until 2024-02-12, .* until 2024-02-19\. .* 7 steps"
    ):
        predicted(panel_of(sales, future), 14)


def test_a_series_that_its_season_explains_has_no_effects():
    future = {"price": np.arange(90.0), "sale": (np.arange(90) % 9 == 0).astype(float)}
    panel = panel_of(np.arange(80.0) % 7 + 20, future, 80)
    np.testing.assert_allclose(
        predicted(panel, 7).point[0], np.arange(80, 87) % 7 + 20, rtol=0.02
    )


@pytest.mark.parametrize(
    "values", [np.full(80, 5.0), np.zeros(80), np.full(80, np.nan)]
)
def test_constant_and_unknown_series_are_forecast_as_they_were(values):
    future = {"price": np.arange(90.0), "sale": (np.arange(90) % 9 == 0).astype(float)}
    panel = panel_of(values, future, 80)
    np.testing.assert_array_equal(
        predicted(panel, 7).point, predicted(bare(panel), 7).point
    )


def test_a_series_that_a_column_explains_is_forecast_by_it():
    rng = np.random.default_rng(0)
    price = rng.normal(size=140)
    forecast = predicted(panel_of(3 + 2 * price, {"price": price}, 120), 14)
    np.testing.assert_allclose(forecast.point[0], 3 + 2 * price[120:134], atol=0.3)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_size_of_values_does_not_matter(size):
    sales, future = shop()
    usual, scaled = (
        predicted(panel_of(sales * factor, future)) for factor in (1.0, size)
    )
    np.testing.assert_allclose(scaled.point / size, usual.point, rtol=1e-6)


# ---------------------------------------------------------------- closed days


def closed_on_sundays(days=DAYS, ahead=AHEAD):
    sales, future = shop(days=days, ahead=ahead)
    open_ = (np.arange(len(sales)) % 7 != 6).astype(float)
    open_[[100, 250, days + 3]] = 0  # and on a few other days, one of them to come
    return sales * open_, future | {"open": open_}


def test_closed_days_are_zero_and_others_as_if_there_were_none():
    sales, future = closed_on_sundays()
    forecast = predicted(panel_of(sales, future))
    shut = future["open"][DAYS : DAYS + 14] == 0
    assert (forecast.point[0, shut] == 0).all()
    assert (forecast.quantiles[0, shut] == 0).all()
    assert shut[3]
    relative = np.abs(forecast.point[0, ~shut] / sales[DAYS : DAYS + 14][~shut] - 1)
    assert relative.mean() < 0.1


def test_a_day_that_is_zero_without_being_closed_stays_one():
    sales, future = shop()
    sales[[50, 180]] = 0
    assert not effects_of(panel_of(sales, future)).solutions_S[0][-1].closing.at


def seldom(open_, rate, days=DAYS, seed=0):
    """A product of which less than one a day is sold, while the shop is open."""
    rng = np.random.default_rng(seed)
    return rng.poisson(rate * open_[:days]).astype(float)


def test_closed_days_of_a_product_that_seldom_sells_are_zero():
    open_ = (np.arange(DAYS + AHEAD) % 7 != 6).astype(float)
    sold = seldom(open_, 0.4)
    forecast = predicted(panel_of(sold, {"open": open_}, kind="count"))
    shut = open_[DAYS : DAYS + 14] == 0
    assert (forecast.quantiles[0, shut] == 0).all()
    assert (forecast.quantiles[0, ~shut, -1] > 0).all()


@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_a_product_that_was_not_on_sale_yet_was_not_closed(rate):
    plan = (np.arange(DAYS + AHEAD) >= 150).astype(float)
    sold = seldom(plan, rate)
    promo = (np.arange(DAYS + AHEAD) % 30 == 3).astype(float)
    promo[plan == 0] = 1.0  # the column said something else then
    sold[promo[:DAYS] == 1] = 0
    effects = effects_of(panel_of(sold, {"promo": promo}, kind="count"))
    assert not effects.solutions_S[0][-1].closing.at


def test_closed_hours_leave_no_error_in_a_backtest():
    sales, future = closed_on_sundays()
    tested = lc.backtest(
        lc.LSTMForecaster(horizon=7), panel_of(sales, future), cutoffs=3
    )
    assert np.isfinite(tested.held_out()["forecast"]).all()


# ---------------------------------------------------------------- columns


def columns_of(future, days=300):
    panel = panel_of(np.ones(days), future, days)
    known = Known.of(panel, 0)
    return set(design(known, about(known, days), np.arange(days), days).groups)


def test_texts_are_categories_and_the_commonest_is_the_usual():
    kind = np.where(np.arange(300) % 10 == 0, "feast", "none").astype(object)
    assert {"kind=feast", "kind=feast: the day before and after"} <= columns_of(
        {"kind": kind}
    )
    assert not any("none" in group for group in columns_of({"kind": kind}))


def test_effects_of_frequent_events_may_differ_by_weekday():
    often = (np.arange(300) % 14 < 6).astype(float)
    seldom = (np.arange(300) % 50 == 0).astype(float)
    groups = columns_of({"often": often, "seldom": seldom})
    assert "often: by weekday" in groups
    assert "seldom: by weekday" not in groups


def test_effects_of_numbers_bend_and_differ_by_hour():
    rng = np.random.default_rng(0)
    panel = lc.Panel.from_arrays(
        np.ones(300),
        frequency="h",
        start="2023-01-02",
        future={"warm": rng.normal(size=300)},
    )
    known = Known.of(panel, 0)
    groups = set(design(known, about(known, 300), np.arange(300), 300).groups)
    assert {"warm", "warm: bends", "warm: by hour", "warm: recent"} <= groups


def test_solutions_come_while_a_history_grows_by_half():
    counts = renewals(2000, 7)
    assert counts[0] == 32
    assert max(b / a for a, b in pairwise(counts)) <= 1.5


def test_a_jump_of_the_level_is_no_effect():
    sales, future = shop(promoted=0.0, cold=0.0)
    sales[200:] *= 3
    future = {"late": (np.arange(DAYS + AHEAD) == 390).astype(float)}
    effect = (
        effects_of(panel_of(sales, future))
        .solutions_S[0][-1]
        .effect(np.arange(DAYS, 410))
    )
    assert np.abs(effect).max() < 0.1


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12, 1e300])
def test_the_size_of_numbers_does_not_matter(scale):
    sales, future = shop()
    usual, scaled = (
        predicted(panel_of(sales, {"warm": future["warm"] * factor}))
        for factor in (1.0, scale)
    )
    np.testing.assert_allclose(scaled.point, usual.point, rtol=1e-6)


def test_values_below_zero_get_effects_that_are_added():
    sales, future = shop()
    values = np.log(sales) - 4
    panel = panel_of(values, future)
    assert error(predicted(panel), values[DAYS:]) < 0.6 * error(
        predicted(bare(panel)), values[DAYS:]
    )


def test_short_series_are_forecast_without_effects():
    sales, future = shop()
    panel = panel_of(sales, {name: column[:40] for name, column in future.items()}, 20)
    np.testing.assert_array_equal(
        predicted(panel, 7).point, predicted(bare(panel), 7).point
    )


def test_missing_values_of_the_target_are_left_out(caplog):
    sales, future = shop()
    gappy = sales.copy()
    gappy[::5] = np.nan
    with caplog.at_level(logging.WARNING):
        forecast = predicted(panel_of(gappy, future))
    assert error(forecast, sales[DAYS:]) < 0.6 * error(
        predicted(bare(panel_of(gappy, future))), sales[DAYS:]
    )


def test_origins_without_any_solution_are_as_they_were():
    sales, future = shop()
    found = effects_of(panel_of(sales, future))
    answers = np.ones((1, 7))
    origins = Origins(np.array([0]), np.array([10]))
    np.testing.assert_array_equal(found.restored(answers, origins), answers)


# ---------------------------------------------------------------- networks that are trained


def test_a_network_that_is_fine_tuned_learns_what_the_columns_leave():
    pytest.importorskip("torch")
    sales, future = shop()
    training = lc.TrainingConfig(epochs=1)
    panel = panel_of(sales, future)
    model = lc.LSTMForecaster(horizon=14, training=training).fit(panel)
    assert error(model.predict(), sales[DAYS:]) < 0.5 * error(
        predicted(bare(panel)), sales[DAYS:]
    )


def test_a_network_of_ones_own_answers_with_the_effects():
    pytest.importorskip("torch")
    sales, future = shop()
    inputs = lc.Transformed(lc.Log1p(), lc.Standard())
    config = lc.NetworkConfig(horizon=14, inputs=inputs, layers=(8,))
    model = lc.LSTMForecaster(
        horizon=14,
        weights="scratch",
        network=config,
        training=lc.TrainingConfig(epochs=2),
    ).fit(panel_of(sales, future))
    promo = future["promo"][DAYS : DAYS + 14] == 1
    point = model.predict().point[0]
    assert point[promo].mean() > 1.3 * point[~promo].mean()


# ---------------------------------------------------------------- what is said of them


def test_a_backtest_says_what_the_columns_add():
    sales, future = shop()
    tested = lc.backtest(
        lc.LSTMForecaster(horizon=14), panel_of(sales, future), cutoffs=3
    )
    added = tested.added
    assert added.columns == ("promo", "warm")
    assert added.measure == "MAE"
    assert added.with_all == pytest.approx(tested.scores["lstmcast"]["mae"])
    assert added.with_all < added.without_each["warm"] < added.without_each["promo"]
    assert added.without_each["promo"] < 1.3 * added.without_any
    assert "with the columns known in advance (promo, warm), the MAE is" in str(
        tested.summary()
    )


def test_a_model_that_remembers_the_columns_is_tested_with_them(tmp_path):
    sales, future = shop()
    panel = panel_of(sales, future)
    lc.LSTMForecaster(horizon=14).save(tmp_path / "model", panel)
    loaded = lc.load(tmp_path / "model")
    tested = lc.backtest(loaded, panel, cutoffs=2)
    new = lc.backtest(lc.LSTMForecaster(horizon=14), panel, cutoffs=2)
    assert tested.added.without_any == pytest.approx(new.added.without_any)
    assert tested.scores["lstmcast"]["mae"] == pytest.approx(
        new.scores["lstmcast"]["mae"]
    )


def test_a_backtest_without_such_columns_says_nothing_of_them():
    sales, _ = shop()
    tested = lc.backtest(
        lc.LSTMForecaster(horizon=14), panel_of(sales, None), cutoffs=2
    )
    assert not tested.added
    assert "known_in_advance" not in tested.to_json()


def test_simple_forecasts_are_not_asked_what_columns_add():
    sales, future = shop()
    tested = lc.backtest(
        lc.SeasonalNaive(), panel_of(sales, future), horizon=7, cutoffs=2
    )
    assert not tested.added


def test_a_forecast_says_how_far_the_columns_are_trusted():
    sales, future = shop()
    made = predicted(panel_of(sales, future)).combination
    assert made.as_dict()["without known columns"] < 0.05
    assert made.shares.sum(axis=1) == pytest.approx(1)


def test_columns_that_mislead_are_not_trusted():
    """A column that moved with the sales for a year and then no longer does."""
    rng = np.random.default_rng(3)
    sales, _ = shop(3, promoted=0.0, cold=0.0, days=700)
    noise = rng.normal(size=len(sales))
    sales[:350] *= np.exp(0.3 * noise[:350])
    panel = panel_of(sales, {"noise": noise}, 700)
    forecast = predicted(panel)
    assert forecast.combination.as_dict()["without known columns"] > 0.6


# ---------------------------------------------------------------- parts and curves


def test_components_add_up_to_the_forecast():
    sales, future = closed_on_sundays()
    forecast = predicted(panel_of(sales, future))
    parts = forecast.components()
    names = [
        name for name in parts if name not in ("unique_id", "ds", "step", "forecast")
    ]
    assert {"without known columns", "promo", "warm"} <= set(names)
    total = sum(parts[name] for name in names)
    np.testing.assert_allclose(total, parts["forecast"], atol=1e-9)
    promo = future["promo"][DAYS : DAYS + 14] == 1
    shut = future["open"][DAYS : DAYS + 14] == 0
    assert parts["promo"][promo & ~shut].min() > parts["promo"][~promo].max()
    assert (parts["promo"][shut] == 0).all()


def test_components_of_a_forecast_without_known_columns_are_the_forecast():
    sales, _ = shop()
    parts = predicted(panel_of(sales, None)).components()
    np.testing.assert_array_equal(parts["without known columns"], parts["forecast"])


def test_components_as_a_frame_keep_the_keys_of_the_data():
    sales, future = shop()
    frame = predicted(panel_of(sales, future), 7).components("pandas")
    assert list(frame.columns[:4]) == ["unique_id", "ds", "step", "forecast"]
    assert len(frame) == 7


def test_a_curve_says_what_each_value_does():
    sales, future = shop()
    panel = panel_of(sales, future)
    promo = lc.effect_curves(panel, "promo")
    assert promo["promo"].tolist() == ["0", "1"]
    low, high = 1 + promo["effect"] / 100
    assert high / low == pytest.approx(np.exp(0.5), rel=0.1)
    assert (promo["lower"] < promo["effect"]).all()
    assert (promo["effect"] < promo["upper"]).all()
    warm = lc.effect_curves(panel, "warm")
    assert np.diff(warm["effect"])[3:-3].max() < 0
    wider = lc.effect_curves(panel, "warm", level=95)
    assert ((wider["upper"] - wider["lower"]) > (warm["upper"] - warm["lower"])).all()


def test_a_curve_of_a_column_that_is_none_is_refused():
    sales, future = shop()
    with pytest.raises(lc.UsageError, match=r"These are 'promo' and 'warm'\."):
        lc.effect_curves(panel_of(sales, future), "price")
    with pytest.raises(lc.UsageError, match="Nothing is"):
        lc.effect_curves(panel_of(sales, None), "price")


def test_the_picture_of_the_components_has_the_effects(tmp_path):
    sales, future = closed_on_sundays()
    panel = panel_of(sales, future)
    plot = lc.ComponentsPlot.from_forecast(predicted(panel), panel)
    names = [part.name for part in plot.parts]
    assert names[0] == "level"
    assert {"effect of promo", "effect of warm"} <= set(names)
    assert names[-1] == "remainder"
    assert plot.save(tmp_path / "parts.png").exists()


def test_an_effect_of_the_calendar_that_is_nothing_is_not_drawn(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_bytes(shop_table())
    panel = lc.read(path, target="sold", future=["price", "promo"])
    forecast = lc.LSTMForecaster(horizon=7).predict(panel)
    plot = lc.ComponentsPlot.from_forecast(forecast, panel)
    parts = {part.name: part.values for part in plot.parts}
    assert parts["effect of promo"].any()
    assert "effect of day of the month" not in parts


def test_effects_of_the_calendar_outside_of_the_picture_are_not_drawn():
    days = np.arange(np.datetime64("2022-01-01"), np.datetime64("2024-08-18"))
    is_christmas = [str(day)[5:] in ("12-24", "12-25", "12-26") for day in days]
    sold, future = shop(days=len(days), ahead=7)
    sold[: len(days)][is_christmas] *= 1.12
    panel = lc.Panel.from_arrays(
        sold[: len(days)], frequency="D", start=str(days[0]), future=future
    )
    forecast = lc.LSTMForecaster(horizon=7, method="network").predict(panel)
    assert "turn of the year" in effects_of(panel).parts(origins_of(panel), 180).names
    plot = lc.ComponentsPlot.from_forecast(forecast, panel)
    names = [part.name for part in plot.parts]
    assert "effect of promo" in names and "effect of turn of the year" not in names


# ---------------------------------------------------------------- saved models


def test_a_saved_model_goes_on_as_the_whole_history_would(tmp_path):
    sales, future = shop()
    model = lc.LSTMForecaster(horizon=14)
    model.save(tmp_path / "model", panel_of(sales, future))
    newer = lc.Panel.from_arrays(
        {"shop": sales[DAYS : DAYS + 7]},
        frequency="D",
        start="2024-02-06",
        future={name: column[DAYS:] for name, column in future.items()},
    )
    went_on = lc.load(tmp_path / "model").predict(newer)
    whole = predicted(panel_of(sales, future, DAYS + 7))
    np.testing.assert_allclose(went_on.quantiles, whole.quantiles, rtol=1e-6)


def test_a_saved_model_asks_for_a_column_that_newer_data_lack(tmp_path):
    sales, future = shop()
    lc.LSTMForecaster(horizon=14).save(tmp_path / "model", panel_of(sales, future))
    newer = lc.Panel.from_arrays(
        {"shop": sales[DAYS : DAYS + 3]},
        frequency="D",
        start="2024-02-06",
        future={"warm": future["warm"][DAYS:]},
    )
    model = lc.load(tmp_path / "model")
    with pytest.raises(DataError, match="promo"):
        model.predict(newer, 27)


def test_a_saved_model_asks_for_columns_of_series_from_their_beginning(tmp_path):
    sales, future = shop()
    panel = panel_of(sales, future)
    lc.LSTMForecaster(horizon=14).save(tmp_path / "model", panel)
    model = lc.load(tmp_path / "model")
    with pytest.raises(DataError, match="columns 'promo' and 'warm', known in advance"):
        model.predict(bare(panel))
    with pytest.raises(DataError, match="future='warm'"):
        model.predict(panel_of(sales, {"promo": future["promo"]}))


# ---------------------------------------------------------------- anomalies


def test_a_promotion_is_no_anomaly_and_a_day_without_its_effect_is_one():
    sales, future = shop()
    future["promo"][:] = 0
    future["promo"][[*range(20, 380, 25), 390]] = 1
    sales = np.exp(
        np.log(sales) * 0 + 4 + np.random.default_rng(1).normal(0, 0.03, len(sales))
    )
    sales[future["promo"] == 1] *= 3
    sales[390] /= 3  # it was promoted, and sold as if it were not
    panel = panel_of(sales, future)
    known, unknown = (
        lc.anomalies(panel, rate=0.02),
        lc.anomalies(bare(panel), rate=0.02),
    )
    promoted = np.flatnonzero(future["promo"][:DAYS])
    late = promoted[(promoted > 200) & (promoted < 380)]
    assert known.scores[late].mean() < unknown.scores[late].mean()
    assert known.scores[390] > unknown.scores[390]


def test_numbers_beyond_all_that_was_seen_are_not_extrapolated():
    sales, future = shop()
    usual = {"warm": future["warm"].copy()}
    usual["warm"][DAYS:] = usual["warm"][:DAYS].max()
    far = {"warm": usual["warm"].copy()}
    far["warm"][DAYS:] = 1e6
    near, beyond = (predicted(panel_of(sales, one)).point for one in (usual, far))
    np.testing.assert_allclose(beyond, near, rtol=0.15)


def test_times_that_occur_are_counted_up_to_the_horizon():
    """A shop whose Sundays have no rows: five rows ahead are six days."""
    days = np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]")
    days = days[(days.astype(int) + 3) % 7 != 6]
    known = 110
    sale = (np.arange(len(days)) % 5 == 0).astype(float)
    rng = np.random.default_rng(0)
    sold = 20 * np.exp(0.4 * sale[:known] + rng.normal(0, 0.05, known))

    def read(rows):
        amount = np.r_[sold, np.full(rows, np.nan)]
        table = {
            "day": days[: known + rows],
            "sold": amount,
            "sale": sale[: known + rows],
        }
        return lc.read(table, target="sold", future="sale")

    forecast = predicted(read(5), 5)
    np.testing.assert_array_equal(
        forecast.times[0].astype("datetime64[D]"), days[known:][:5]
    )
    with pytest.raises(DataError, match="column 'sale' is known in advance until"):
        predicted(read(4), 5)


def test_the_days_before_christmas_come_by_themselves():
    days = np.arange("2020-01-01", "2024-01-15", dtype="datetime64[D]")
    rng = np.random.default_rng(0)
    to_christmas = (
        days.astype("datetime64[Y]").astype("datetime64[D]") + 358 - days
    ).astype(int)
    rise = np.where((to_christmas >= 0) & (to_christmas < 10), 0.8, 0.0)
    sold = 100 * np.exp(rise + rng.normal(0, 0.05, len(days)))
    cutoff = int(np.flatnonzero(days == np.datetime64("2023-12-10"))[0])
    panel = lc.Panel.from_arrays(
        sold[:cutoff],
        frequency="D",
        start="2020-01-01",
        future={"sale": np.zeros(len(days))},
    )
    point = predicted(panel, 28).point[0]
    assert point[(rise > 0)[cutoff : cutoff + 28]].mean() > 1.4 * np.median(point)


def test_a_month_that_was_seen_once_says_nothing():
    sales, future = shop()
    solutions = effects_of(panel_of(sales, future)).solutions_S[0]
    is_known = {one.count: "day of the month" in one.groups for one in solutions}
    assert is_known == {count: count >= 61 for count in is_known}


def test_a_column_that_repeats_with_the_season_says_nothing():
    sold = "5 15 7 9 5 9 8 10 3 3 3 12 13 10 10 3 9 8 12 17 1 7 9 9 7 17 9 2 5 13 4 4"
    days = np.arange(32)
    weekly = np.stack([days % 7 == phase for phase in (0, 1, 6)], axis=1).astype(float)
    columns = Design(
        weekly, ("offer", "beside", "beside"), (Kind.ITSELF,) * 3, ("offer",) * 3
    )
    fitted = fitted_to(np.log(np.array(sold.split(), float)), columns, 7)
    assert np.isfinite(fitted.evidence)
    assert not fitted.coefficients_P.any()


def test_regressions_that_are_solved_together_are_those_of_each():
    rng = np.random.default_rng(9)
    problems = []
    for number in range(20):
        columns_NP = rng.normal(size=(80, 3))
        columns_NP[:, 2] = number == 5  # elsewhere 0 throughout
        groups = ("sale", "price", "price") if number % 2 else ("sale", "sale", "price")
        columns = Design(columns_NP, groups, (Kind.ITSELF,) * 3, groups)
        z_N = columns_NP @ [0.5, 0.2, 0.1] + rng.normal(0, 0.1, 80)
        problems.append(Problem.of(z_N, columns, 7))
    problems[3] = None
    together = fitted_each(problems)
    assert together[3] is None
    for problem, fitted in zip(problems, together, strict=True):
        if problem is not None:
            alone = fitted_each([problem])[0]
            assert fitted.phi == alone.phi
            np.testing.assert_allclose(fitted.evidence, alone.evidence, rtol=1e-9)
            np.testing.assert_allclose(
                fitted.coefficients_P, alone.coefficients_P, atol=1e-9
            )
            np.testing.assert_allclose(
                fitted.covariance_PP, alone.covariance_PP, rtol=1e-6
            )


def test_too_many_columns_are_refused_and_many_are_read_as_they_are():
    sales, future = shop()
    rng = np.random.default_rng(0)
    many = {f"c{k}": rng.normal(size=len(sales)) for k in range(50)} | future
    groups = effects_of(panel_of(sales, many)).solutions_S[0][-1].groups
    assert "promo" in groups
    assert not any("bends" in group for group in groups)
    too_many = {f"c{k}": rng.normal(size=len(sales)) for k in range(201)}
    with pytest.raises(
        DataError, match="201 columns are known in advance, but at most 200"
    ):
        predicted(panel_of(sales, too_many))


def test_categories_that_were_seen_once_and_very_many_are_left_out():
    sales, _ = shop()
    notes = np.array([f"note {k // 3}" for k in range(len(sales))], object)
    notes[7] = "once"
    groups = set(effects_of(panel_of(sales, {"note": notes})).solutions_S[0][-1].groups)
    named = {
        group for group in groups if group.startswith("note=") and ": " not in group
    }
    assert len(named) <= 24
    assert "note=once" not in named


def test_the_error_names_the_column_that_ends_early():
    sales, future = shop()
    future["warm"][DAYS + 3 :] = np.nan
    said = r"column 'warm' is known in advance until 2024-02-08, .* or forecast 3 steps"
    with pytest.raises(DataError, match=said):
        predicted(panel_of(sales, future), 14)
    assert np.isfinite(predicted(panel_of(sales, future), 3).point).all()


def test_a_column_that_is_the_target_in_other_units_is_no_trouble():
    sold = 100.0 + np.arange(60) % 12
    future = {"visitors": 3 * sold}
    series = lc.Panel.from_arrays(
        sold[:48], frequency="MS", start="2022-01", future=future
    )
    solution = effects_of(series).solutions_S[0][-1]
    assert np.isfinite(solution.coefficients_P).all()


def test_a_second_name_of_each_series_is_no_column_of_coming_values():
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    tables = []
    for part in (days[:50], days[50:]):
        count = len(part)
        table = {
            "day": np.tile(part, 3),
            "sku": np.repeat(["a", "b", "c"], count),
            "store": np.repeat(["north", "south", "north"], count),
            "promo": np.arange(3 * count) % 4 // 3,
        }
        tables.append(table)
    sold = {**tables[0], "units": 20.0 + np.arange(150) % 7}
    panel = lc.read(sold, target="units", series="sku", future_data=tables[1])
    assert list(panel.covariates.future.columns) == ["promo"]
    told = [finding.message for finding in panel.check()]
    assert any("columns that were not used: store" in message for message in told)


def test_columns_that_end_with_the_values_are_refused_before_the_work(run, tmp_path):
    lines = ["day,sold,sale"]
    for k, day in enumerate(
        np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    ):
        lines.append(f"{day},{20 + k % 7},{k % 5 == 0:d}")
    (tmp_path / "shop.csv").write_text("\n".join(lines))
    done = run(
        "forecast",
        tmp_path / "shop.csv",
        "-H",
        7,
        "--target",
        "sold",
        "--future",
        "sale",
    )
    assert done.status == 1 and not done.out
    assert (
        "Give rows with values up to then, or leave out what is not known." in done.err
    )


def test_a_column_with_many_gaps_may_end_anywhere():
    sales, future = shop()
    future["warm"][::3] = np.nan
    future["warm"][DAYS:] = np.nan
    assert np.isfinite(predicted(panel_of(sales, future), 14).point).all()


def test_a_saved_model_takes_coming_values_without_newer_data(tmp_path):
    sales, future = shop(ahead=3)
    lc.LSTMForecaster(horizon=14).save(tmp_path / "model", panel_of(sales, future))
    _, plan = shop()
    days = np.arange("2024-02-06", "2024-03-05", dtype="datetime64[D]")
    coming = {"ds": days, "promo": plan["promo"][DAYS:], "warm": plan["warm"][DAYS:]}
    forecast = lc.load(tmp_path / "model").predict(future_data=coming)
    assert np.isfinite(forecast.point).all() and forecast.point.shape == (1, 14)


def test_series_that_are_all_too_short_for_a_cutoff_are_asked_nothing():
    sales, future = shop()
    nowhere = Origins(np.zeros(0, np.int64), np.zeros(0, np.int64))
    ahead = effects_of(panel_of(sales, future)).ahead(nowhere, 3)
    assert ahead.effect_OH.shape == (0, 3)


def test_running_means_of_a_whole_column_are_those_of_one_step_after_the_other():
    rng = np.random.default_rng(7)
    column = rng.normal(0, 1e3, (2, 300))
    column[rng.random(column.shape) < 0.2] = np.nan
    panel = panel_of(shop()[0], {"a": column[0], "b": column[1]}, days=280)
    running, steps = Running.start(2), []
    for values in column.T:
        running = running.after(values)
        steps.append(running.mean_C)
    np.testing.assert_array_equal(Known.of(panel, 0).smooth_CM, np.transpose(steps))
