"""Cold start: new series with attributes are forecast like those that have the same."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.evaluation.cold import ENOUGH, LIKE, mixture, standardised, with_typical

H = 7


def shop(
    known: int = 0, static: bool = True, days: int = 84, level: float = 1.0
) -> lc.Panel:
    """Cups sell about 5 a day, and 15 on Saturdays; mugs 50; the new one is a cup."""
    rng, t = np.random.default_rng(0), np.arange(days)
    week = np.where(t % 7 == 5, 3.0, 1.0)
    series = {f"cup {k}": 5 * week + rng.normal(0, 0.3, days) for k in range(5)}
    series |= {f"mug {k}": 50 + rng.normal(0, 2, days) for k in range(5)}
    new = np.full(days, np.nan)
    new[days - known :] = (level * 5 * week)[days - known :]
    groups = {name: name.split()[0] for name in series} | {"new": "cup"}
    attributes = {"group": groups} if static else None
    return lc.Panel.from_arrays(
        {**series, "new": new}, frequency="D", start="2024-01-01", static=attributes
    )


def of_new(panel: lc.Panel, method: str = "auto") -> lc.Forecast:
    forecast = lc.LSTMForecaster(H, method=method).predict(panel)
    return forecast.select(["new"]) if hasattr(forecast, "select") else forecast


def point(panel: lc.Panel, **words) -> np.ndarray:
    return lc.LSTMForecaster(H, **words).predict(panel).point[-1]


def test_a_product_without_history_gets_the_curve_of_its_group():
    forecast = lc.LSTMForecaster(H).predict(shop())
    week = np.where((84 + np.arange(H)) % 7 == 5, 15.0, 5.0)
    np.testing.assert_allclose(forecast.point[-1], week, rtol=0.1)
    assert forecast.combination.shares[-1, forecast.combination.names.index(LIKE)] == 1
    assert np.isnan(lc.LSTMForecaster(H).predict(shop(static=False)).point[-1]).all()


def test_its_own_level_counts_more_the_more_is_known():
    twice = [point(shop(known, level=2.0))[0] for known in (0, 3, 14)]
    assert 4.5 < twice[0] < 5.5
    assert twice[0] < twice[1] < twice[2] < 11


def test_with_enough_history_nothing_changes():
    panel = shop(ENOUGH)
    np.testing.assert_array_equal(point(panel), point(shop(ENOUGH, static=False)))
    assert LIKE not in lc.LSTMForecaster(H).predict(panel).combination.names


def test_old_series_are_not_changed_by_new_ones():
    with_it, without = (
        lc.LSTMForecaster(H).predict(shop(3, static)).point[:-1]
        for static in (True, False)
    )
    np.testing.assert_array_equal(with_it, without)


def test_what_is_asked_for_alone_answers_alone():
    for method in ("network", "seasonal naive"):
        asked = lc.LSTMForecaster(H, method=method)
        np.testing.assert_array_equal(
            asked.predict(shop(10)).point, asked.predict(shop(10, static=False)).point
        )


def test_intervals_are_as_wide_as_products_of_the_group_differ():
    days = 84
    t = np.arange(days)
    levels = (2.0, 8.0, 32.0)
    series = {f"s{k}": level + 0.1 * (t % 7) for k, level in enumerate(levels)}
    series["new"] = np.full(days, np.nan)
    panel = lc.Panel.from_arrays(
        series,
        frequency="D",
        start="2024-01-01",
        static={"group": dict.fromkeys(series, "a")},
    )
    _, lower, upper = lc.LSTMForecaster(H).predict(panel).interval(80)
    assert lower[-1, 0] < 4
    assert upper[-1, 0] > 20


def test_numbers_are_attributes_too():
    t = np.arange(84)
    sizes = {f"size {k}": float(k) for k in range(1, 9)}
    series = {name: 10 * size + 0.1 * (t % 7) for name, size in sizes.items()}
    series["new"], sizes["new"] = np.full(84, np.nan), 7.5
    panel = lc.Panel.from_arrays(
        series, frequency="D", start="2024-01-01", static={"size": sizes}
    )
    assert 60 < point(panel)[0] < 82


def test_values_below_0_are_moved_and_not_stretched():
    t = np.arange(84)
    series = {f"s{k}": np.sin(2 * np.pi * t / 7) for k in range(3)}
    new = np.full(84, np.nan)
    new[-10:] = 100 + np.sin(2 * np.pi * t / 7)[-10:]
    series["new"] = new
    panel = lc.Panel.from_arrays(
        series,
        frequency="D",
        start="2024-01-01",
        static={"group": dict.fromkeys(series, "a")},
    )
    assert (point(panel) > 50).all()


def test_what_comes_later_changes_no_forecast():
    t = np.arange(84)
    series = {f"s{k}": 10 * k + 5 + 0.1 * (t % 7) for k in range(3)}
    series["new"] = np.where(t < 30, np.nan, 20 + 0.1 * (t % 7))
    later = {name: values.copy() for name, values in series.items()}
    for values in later.values():
        values[60:] -= 1000

    def points(values, counts):
        panel = lc.Panel.from_arrays(
            values,
            frequency="D",
            start="2024-01-01",
            static={"group": dict.fromkeys(series, "a")},
        )
        origins = Origins(np.repeat(np.arange(4), len(counts)), np.tile(counts, 4))
        own = np.full((4 * len(counts), 1, 7), 10.0)
        return with_typical(panel, origins, own)[0].reshape(4, len(counts), -1)[:, 0]

    alone = points(series, np.array([34]))
    np.testing.assert_array_equal(points(later, np.array([34])), alone)
    np.testing.assert_array_equal(points(series, np.array([34, 80])), alone)


def test_a_saved_model_does_the_same(tmp_path):
    panel = shop(3)
    lc.LSTMForecaster(H).save(tmp_path / "model", panel)
    loaded = lc.load(tmp_path / "model").predict()
    np.testing.assert_allclose(loaded.point, lc.LSTMForecaster(H).predict(panel).point)


def test_a_table_of_products_and_a_row_without_a_value(tmp_path):
    rows = ["day,product,sold"]
    for t in range(60):
        day = np.datetime64("2024-01-01") + t
        rows += [f"{day},tea,{4 + 3 * (t % 7 == 5)}", f"{day},milk,{40 + t % 5}"]
    rows += ["2024-02-29,chai,"]
    (tmp_path / "sold.csv").write_text("\n".join(rows))
    (tmp_path / "products.csv").write_text(
        "product,shelf\ntea,dry\nmilk,cold\nchai,dry\n"
    )
    panel = lc.read(
        tmp_path / "sold.csv", series="product", static_data=tmp_path / "products.csv"
    )
    forecast = lc.LSTMForecaster(H).predict(panel)
    new = list(forecast.ids).index("chai")
    tea = list(forecast.ids).index("tea")
    np.testing.assert_allclose(forecast.point[new], forecast.point[tea], rtol=0.15)


def test_a_mixture_of_equal_distributions_is_that_distribution():
    one = np.linspace(0, 6, 7)[None, None]
    np.testing.assert_allclose(
        mixture(np.repeat(one, 3, 0), np.ones(3)), one[0], atol=0.7
    )


def test_numbers_that_are_all_equal_or_unknown():
    assert standardised(np.array([2.0, 2.0])).tolist() == [0, 0]
    assert standardised(np.array([np.nan, np.nan])).tolist() == [0, 0]


def test_unknown_categories_are_like_nothing():
    panel = shop()
    static = {"group": dict.fromkeys(map(str, panel.ids))}
    with pytest.raises(Exception, match="static"):
        lc.Panel.from_arrays({"a": [1.0]}, static=static["group"])
