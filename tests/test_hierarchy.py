"""Forecasts of series and their totals that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.keys import Keys
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.hierarchy.covariance import Covariance, Errors
from lstmcast.hierarchy.levels import Structure, level_names
from lstmcast.hierarchy.reconciled import Hierarchy
from lstmcast.hierarchy.reconciling import at_or_above_zero, rule_of
from lstmcast.jobs import ForecastJob, Source

METHODS = ["bottom-up", "top-down", "mint"]


def shops(length: int = 40, seed: int = 0) -> lc.Panel:
    """Two stores with two departments each, monthly."""
    rng = np.random.default_rng(seed)
    season = 10 * np.sin(2 * np.pi * np.arange(length) / 12)
    names = ["a/tea", "a/milk", "b/tea", "b/milk"]
    common = rng.normal(0, 3, length)
    values = {
        name: 50 + 10 * number + season + common + rng.normal(0, 2, length)
        for number, name in enumerate(names)
    }
    panel = lc.Panel.from_arrays(values, frequency="MS", start="2020-01")
    store = np.array(["a", "a", "b", "b"], object)
    item = np.array(["tea", "milk", "tea", "milk"], object)
    return replace(panel, keys=Keys({"store": store, "item": item}))


def added_up(values: np.ndarray, panel: lc.Panel) -> np.ndarray:
    """The values that totals should have, (S, …), by the texts of the keys."""
    store, item = panel.keys["store"], panel.keys["item"]
    result = np.zeros_like(values)
    bottom = (store != "all") & (item != "all")
    for number in range(len(panel)):
        same_store = (store == store[number]) | (store[number] == "all")
        same_item = (item == item[number]) | (item[number] == "all")
        result[number] = values[bottom & same_store & same_item].sum(axis=0)
    return result


# ---------------------------------------------------------------- totals


def test_totals_are_made_by_every_combination_of_columns():
    whole = lc.with_totals(shops())
    assert (
        level_names(whole.keys).tolist()
        == ["total"] + ["store"] * 2 + ["item"] * 2 + ["store × item"] * 4
    )
    assert whole.ids.tolist()[:5] == [
        "all/all",
        "a/all",
        "b/all",
        "all/tea",
        "all/milk",
    ]
    values = whole.values.reshape(len(whole), -1)
    assert np.allclose(values, added_up(values, whole))


def test_levels_can_be_named():
    assert lc.with_totals(shops(), ["item"]).ids.tolist()[:3] == [
        "all/all",
        "all/tea",
        "all/milk",
    ]
    message = r"'town' is not a column that names series.*'store', 'item'"
    with pytest.raises(UsageError, match=message):
        lc.with_totals(shops(), [["store", "town"]])


def test_columns_that_lie_within_each_other_make_no_level_twice():
    panel = shops()
    region = np.array(["north", "north", "south", "south"], object)
    nested = replace(panel, keys=Keys({"region": region, "store": panel.keys["store"]}))
    # every store lies in one region: by region, and by region and store
    whole = lc.with_totals(
        replace(nested, keys=Keys({**nested.keys, "item": panel.keys["item"]}))
    )
    assert "region × store" in level_names(whole.keys)
    assert "store" not in level_names(whole.keys)


def test_a_series_counts_as_nothing_before_it_begins_and_hides_totals_where_unknown():
    panel = lc.Panel.from_arrays({"a": [1, np.nan, 3], "b": [5, 7]}, start=[1, 2])
    whole = lc.with_totals(panel)
    assert whole.keys["unique_id"].tolist() == ["all", "a", "b"]
    assert np.array_equal(whole.series(0), [1, np.nan, 10], equal_nan=True)
    assert np.array_equal(lc.with_totals(panel.since([2, 1])).series(0), [10])


def test_days_on_which_a_series_is_closed_count_as_nothing():
    days = np.arange(69)
    closed = np.where(days % 7 == 6, np.nan, 5.0)
    panel = lc.Panel.from_arrays(
        {"shop": closed, "web": np.full(69, 2.0)},
        frequency="D",
        start="2024-01-01",
        calendar="observed",
    )
    total = lc.with_totals(panel).series(0)
    assert total[5] == 7 and total[6] == 2


def test_counts_add_up_to_counts():
    panel = lc.Panel.from_arrays({"a": [1, 2], "b": [0, 4]}, kind="count")
    assert lc.with_totals(panel).kinds.tolist() == ["count"] * 3
    mixed = replace(panel, recognised=np.array(["count", "real"], "<U8"), kind="real")
    assert lc.with_totals(mixed).kinds.tolist() == ["real", "count", "real"]


@pytest.mark.parametrize(
    ("panel", "error", "text"),
    [
        (lc.Panel.from_arrays([1.0, 2]), UsageError, "the data have only one"),
        (
            lc.Panel.from_arrays({"a": [1, 2], "b": [1]}),
            DataError,
            "'b' ends at 1 and 'a' at 2",
        ),
        (
            lc.Panel.from_arrays({"all": [1], "b": [1]}),
            DataError,
            "include totals already",
        ),
        (
            lc.Panel.from_arrays({"a": np.ones((3, 2))}, columns=["price", "sales"]),
            UsageError,
            "several",
        ),
        (
            lc.Panel.from_arrays({"a": [1, 2], "b": [1, 2]}, past={"heat": [3, 4]}),
            UsageError,
            "Covariates have no totals",
        ),
    ],
)
def test_series_that_have_no_totals(panel, error, text):
    with pytest.raises(error, match=text):
        lc.with_totals(panel)


def test_series_on_different_grids_have_no_totals():
    days = np.array(["2024-01-01", "2024-01-03"], "datetime64[us]")
    panel = lc.Panel.from_arrays({"a": [1, 2], "b": [1, 2]}, frequency="7D", start=days)
    with pytest.raises(DataError, match=r"end together|one grid"):
        lc.with_totals(panel)


# ---------------------------------------------------------------- the algebra


def dense(structure: Structure) -> np.ndarray:
    """The matrix S of the papers: which bottom series each series sums."""
    series = len(structure.bottom) + len(structure.totals)
    result = np.zeros((series, len(structure.bottom)))
    result[structure.bottom] = np.eye(len(structure.bottom))
    result[structure.totals] = structure.matrix()
    return result


def test_mint_is_the_weighted_projection_of_the_paper():
    whole = lc.with_totals(shops())
    structure = Structure.of(whole.keys)
    rng = np.random.default_rng(1)
    covariance = Covariance.of(rng.normal(size=(len(whole), 30)))
    w = covariance.times(np.eye(len(whole)))
    s = dense(structure)
    # P = (S' W⁻¹ S)⁻¹ S' W⁻¹, in the form that the other one is derived from
    p = np.linalg.solve(s.T @ np.linalg.solve(w, s), np.linalg.solve(w, s).T)
    base = rng.normal(size=(5, len(whole)))
    coherent = rule_of("mint", structure, covariance)(base)
    assert np.allclose(coherent, base @ (s @ p).T)


def test_the_covariance_is_shrunk_as_schaefer_and_strimmer_say():
    errors = np.random.default_rng(0).normal(size=(4, 25)) + np.random.default_rng(
        1
    ).normal(size=25)
    covariance = Covariance.of(errors)
    score = errors / np.sqrt((errors**2).mean(axis=1, keepdims=True))
    products = score[:, None] * score[None]  # (4, 4, T), the w of the paper
    mean = products.mean(axis=2)
    # r is the plain mean of w, so its variance is that of w / T
    variance = 1 / (25 * 24) * ((products - mean[..., None]) ** 2).sum(axis=2)
    others = ~np.eye(4, dtype=bool)
    expected = variance[others].sum() / (mean[others] ** 2).sum()
    assert covariance.shrinkage == pytest.approx(expected)
    correlation = np.where(others, (1 - expected) * mean, 1.0)
    deviation = covariance.deviation
    assert np.allclose(
        covariance.times(np.eye(4)), deviation[:, None] * correlation * deviation
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_adds_up_already_stays(method):
    structure = Structure.of(lc.with_totals(shops()).keys)
    covariance = Covariance.of(np.random.default_rng(0).normal(size=(9, 30)))
    bottom = np.random.default_rng(1).uniform(1, 9, (3, 4))
    coherent = structure.everywhere(bottom.T).T
    assert np.allclose(rule_of(method, structure, covariance)(coherent), coherent)


def test_values_below_zero_are_set_to_zero_and_summed_again():
    structure = Structure.of(lc.with_totals(shops()).keys)
    coherent = structure.everywhere(np.array([[1.0], [-2], [3], [4]])).T
    result = at_or_above_zero(coherent, structure)[0]
    assert result[structure.bottom].tolist() == [1, 0, 3, 4]
    assert result[0] == 8


def test_few_errors_say_nothing():
    with pytest.raises(DataError, match=r"3 known one-step errors.*method='bottom-up'"):
        Covariance.of(np.ones((2, 3)))


def test_the_series_of_which_little_is_known_is_named():
    panel = lc.Panel.from_arrays({"a": [1.0, 5, 3] * 20, "b": [np.nan] * 60})
    with pytest.raises(DataError, match="series 'b' has 0 known one-step errors"):
        lc.reconcile(SeasonalNaive(2), panel)
    with pytest.raises(DataError, match="series 'b' has 0 known one-step errors"):
        Covariance.of(np.full((2, 5), np.nan), ["a", "b"])


def test_a_series_that_has_just_begun_errs_as_the_median_of_its_level():
    errors = (
        np.random.default_rng(0).normal(size=(6, 40))
        * np.array([9, 2, 1, 2, 3, 5])[:, None]
    )
    errors[5, :37] = np.nan
    levels = np.array(["total", "shop", "item", "item", "item", "item"], object)
    covariance = Covariance.of(errors, levels=levels)
    square = (errors[2:5] ** 2).mean(axis=1)
    assert covariance.deviation[5] == pytest.approx(np.sqrt(np.median(square)))
    assert covariance.measured.tolist() == [True] * 5 + [False]
    whole = covariance.times(np.eye(6))
    assert np.allclose(np.diag(whole), covariance.deviation**2)
    assert not whole[5, :5].any()
    known = Covariance.of(errors[:5])
    assert np.allclose(whole[:5, :5], known.times(np.eye(5)))


def test_a_young_series_is_reconciled_and_tested():
    rng = np.random.default_rng(1)
    values = {name: 100 + rng.normal(0, 5, 40).cumsum() for name in "abc"}
    values["d"] = values["a"][:4]
    starts = [0, 0, 0, 36]
    panel = lc.Panel.from_arrays(
        values, frequency="D", start=np.datetime64("2024-01-01") + starts
    )
    forecast = lc.reconcile(SeasonalNaive(2), panel)
    assert np.allclose(forecast.point[0], forecast.point[1:].sum(axis=0))
    assert forecast.joint.covariance.unmeasured == 1
    model = lc.Reconciled(SeasonalNaive(1), "mint")
    tested = lc.backtest(model, lc.with_totals(panel), horizon=1, cutoffs=2)
    assert np.isfinite(tested.forecasts[tested.model].point).all()


def test_short_series_are_summed_without_knowing_their_errors():
    panel = lc.Panel.from_arrays({"a": [4.0, 5, 4, 6], "b": [1.0, 2, 1, 2]})
    forecast = lc.reconcile(lc.LSTMForecaster(2), panel, "bottom-up")
    assert np.allclose(forecast.point[0], forecast.point[1:].sum(axis=0))
    with pytest.raises(DataError, match="known one-step errors"):
        lc.reconcile(lc.LSTMForecaster(2), panel, "mint")


def test_errors_at_a_cutoff_are_those_known_there():
    panel = lc.with_totals(shops())
    errors = Errors.of(SeasonalNaive(1), panel)
    early = errors.until(panel.times(0)[20])
    assert early.times[-1] == panel.times(0)[20]
    actual = panel.series(0)[20] - panel.series(0)[8]
    assert early.error_ST[0, -1] == pytest.approx(actual)


def test_early_cutoffs_have_errors_of_their_own():
    rng = np.random.default_rng(0)
    panel = lc.with_totals(
        lc.Panel.from_arrays({"a": rng.normal(10, 1, 900), "b": rng.normal(5, 1, 900)})
    )
    cutoffs = np.tile([300, 850], (3, 1))
    both = lc.Reconciled(SeasonalNaive(2)).predict(panel, cutoffs=cutoffs)
    # what is known at a cutoff is what is known where the data end there
    early = lc.Reconciled(SeasonalNaive(2)).predict(panel.until(np.full(3, 300)))
    assert np.allclose(both.point[::2], early.point)


def test_a_series_that_began_lately_hides_no_errors_of_others():
    panel = lc.Panel.from_arrays(
        {"a": np.arange(90.0) % 7, "b": np.ones(8)}, start=[0, 82]
    )
    errors = Errors.of(SeasonalNaive(1), lc.with_totals(panel))
    assert np.isfinite(errors.error_ST).sum(axis=1).tolist() == [89, 89, 7]


@pytest.mark.parametrize("method", ["bottom-up", "top-down"])
def test_one_value_of_each_series_is_enough_to_sum(method):
    panel = lc.Panel.from_arrays({"a": [1.0], "b": [3.0]})
    forecast = lc.reconcile(SeasonalNaive(2), panel, method)
    assert np.allclose(forecast.point, [[4, 4], [1, 1], [3, 3]])


def test_errors_that_always_agree_can_be_reconciled():
    panel = lc.Panel.from_arrays({"a": [1.0, 5] * 20, "b": [1.0, 5] * 20})
    total, one, other = lc.reconcile(SeasonalNaive(2), panel, "mint").point
    assert np.allclose(total, one + other)
    assert np.isfinite(total).all()


def test_levels_may_be_one_column_and_are_names():
    names = lc.with_totals(shops(), "store").ids.tolist()
    assert names == lc.with_totals(shops(), ["store"]).ids.tolist()
    with pytest.raises(UsageError, match="5 is not a column that names series"):
        lc.with_totals(shops(), [5])


# ---------------------------------------------------------------- forecasts


@pytest.mark.parametrize("method", METHODS)
def test_points_and_paths_add_up(method):
    panel = lc.with_totals(shops())
    forecast = lc.Reconciled(lc.LSTMForecaster(3), method).predict(panel)
    assert np.allclose(forecast.point, added_up(forecast.point, panel))
    paths = forecast.paths(50)
    assert paths.shape == (9, 50, 3)
    assert np.allclose(paths, added_up(paths, panel))
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()
    # the quantiles are those of the paths
    many = np.quantile(forecast.paths(1000), forecast.quantile_levels, axis=1)
    assert np.allclose(many, np.moveaxis(forecast.quantiles, 2, 0))


def test_selected_series_keep_their_paths_and_sums_over_time():
    forecast = lc.reconcile(lc.LSTMForecaster(3), shops())
    some = forecast.select(["a/all", "b/tea"])
    assert np.array_equal(some.paths(20), forecast.paths(20)[[1, 7]])
    total = some.total("horizon")
    sums = forecast.paths(1000)[1].sum(axis=1)
    assert total.quantiles[0] == pytest.approx(
        np.quantile(sums, forecast.quantile_levels)
    )
    with pytest.raises(UsageError, match=r"already include their totals"):
        forecast.total("horizon", by="store")


def test_counts_stay_counts():
    rng = np.random.default_rng(0)
    rare = {name: rng.poisson(0.3, 60) for name in "abc"}
    forecast = lc.reconcile(
        lc.LSTMForecaster(2), lc.Panel.from_arrays(rare, kind="count")
    )
    assert (forecast.quantiles >= 0).all() and (forecast.paths(30) >= 0).all()
    assert np.allclose(forecast.point[0], forecast.point[1:].sum(axis=0))


def test_a_forecaster_without_quantiles_has_points_that_add_up():
    class Last:
        horizon = 2

        def predict(self, panel, horizon=None, *, cutoffs=None):
            from lstmcast.data.origins import origins_of
            from lstmcast.forecast import Forecast

            origins = origins_of(panel, cutoffs)
            last = panel.values[panel.offsets[origins.series] + origins.counts - 1]
            return Forecast.at_origins(
                panel, origins, np.repeat(last[:, None], horizon or 2, 1)
            )

    panel = lc.with_totals(shops())
    forecast = lc.Reconciled(Last()).predict(panel)
    assert np.allclose(forecast.point, added_up(forecast.point, panel))
    assert forecast.quantiles.shape == (9, 2, 0)


def test_a_panel_without_totals_is_refused():
    with pytest.raises(DataError, match=r"no totals among them"):
        lc.Reconciled(lc.LSTMForecaster(2)).predict(shops())
    whole = lc.with_totals(shops())
    with pytest.raises(DataError, match=r"'b/all' has none of the series"):
        lc.Reconciled(lc.LSTMForecaster(2)).predict(
            whole.select(["all/all", "b/all", "a/tea"])
        )


def test_unknown_methods_are_refused():
    with pytest.raises(
        UsageError, match=r"'ols' is not a method.*bottom-up, top-down, mint"
    ):
        lc.reconcile(lc.LSTMForecaster(2), shops(), "ols")


# ---------------------------------------------------------------- in a backtest


def test_a_backtest_shows_each_level_beside_the_base():
    model = lc.LSTMForecaster(3)
    tested = lc.backtest(lc.Reconciled(model), lc.with_totals(shops()), cutoffs=2)
    table = tested.per_level()
    assert table["level"][:2].tolist() == ["total", "total"]
    assert table["model"][:3].tolist() == ["lstmcast", "base", "naive"]
    plain = lc.backtest(model, lc.with_totals(shops()), cutoffs=2, baselines=False)
    base = table["mae"][(table["model"] == "base") & (table["level"] == "total")]
    assert base == pytest.approx(
        np.nanmean(np.abs(plain.actual - plain.forecasts["lstmcast"].point)[:2])
    )
    header, first, *_ = tested.level_rows()
    assert header[:4] == ["MASE by level", "reconciled", "base", "gain"]
    assert first[0] == "total"
    assert '"per_level"' in tested.to_json()
    assert not plain.level_rows() and '"per_level"' not in plain.to_json()


def test_a_backtest_knows_nothing_of_what_comes_later():
    panel = lc.with_totals(shops())
    model = lc.Reconciled(lc.LSTMForecaster(3))
    tested = lc.backtest(model, panel, cutoffs=2, baselines=False)
    at_first = tested.forecasts["lstmcast"].point.reshape(9, 2, 3)[:, 0]
    # the same points where nothing after the cutoff is there
    alone = lc.backtest(
        model, panel.until(panel.lengths - 3), cutoffs=1, baselines=False
    )
    assert np.allclose(at_first, alone.forecasts["lstmcast"].point)


def test_series_that_begin_late_are_left_out_of_earlier_cutoffs():
    panel = shops()
    short = panel.since([0, 0, 0, 24])
    tested = lc.backtest(
        lc.Reconciled(lc.LSTMForecaster(3)), lc.with_totals(short), cutoffs=4
    )
    assert np.isfinite(tested.scores["lstmcast"]["mase"])


@pytest.mark.parametrize("refit", [None, "once"])
def test_a_model_is_not_fitted_on_the_way(refit):
    model = lc.Reconciled(lc.LSTMForecaster(2, weights="scratch"))
    with pytest.raises(
        UsageError, match=r"Fit it first on the data before the first cutoff"
    ):
        lc.backtest(model, lc.with_totals(shops()), refit=refit)


# ---------------------------------------------------------------- in jobs


def test_a_job_forecasts_totals_too(tmp_path):
    events = []
    job = ForecastJob(
        lc.LSTMForecaster(2),
        Source(shops()),
        cutoffs=2,
        hierarchy=Hierarchy("mint", ("store",)),
    )
    result = job.run(events.append)
    assert len(result.forecast.ids) == 7
    assert events[0].text == "3 totals of 4 series added: total, store"
    assert result.backtest.base is not None


def test_a_job_refuses_what_does_not_go_together(tmp_path):
    from lstmcast.output.places import Outputs
    from lstmcast.totals import Asked

    how = {"source": Source(shops()), "hierarchy": Hierarchy("mint")}
    with pytest.raises(UsageError, match=r"Leave out --save or method="):
        ForecastJob(
            lc.LSTMForecaster(2), outputs=Outputs(model=tmp_path / "m"), **how
        ).run()
    with pytest.raises(UsageError, match=r"already include their totals"):
        ForecastJob(
            lc.LSTMForecaster(2), totals=Asked("horizon", ("store",)), **how
        ).run()
