"""Series of a panel that lean on each other where they are short, beside columns that are known in
advance."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.covariates.effects import Effects, effects_of
from lstmcast.covariates.together import FEWEST
from lstmcast.data.features import Covariates

START, STEPS, AHEAD = "2024-01-01", 60, 14


def shops(count=8, steps=STEPS, seed=0, effect=0.5, noise=0.15):
    """Shops with promotions of their own, which do about the same in each."""
    rng = np.random.default_rng(seed)
    promo = (rng.random((count, steps + AHEAD)) < 0.15).astype(float)
    own = rng.normal(effect, 0.03, (count, 1))
    week = 0.2 * np.sin(2 * np.pi * np.arange(steps + AHEAD) / 7)
    log = 4 + own * promo + week + rng.normal(0, noise, promo.shape)
    return np.exp(log), promo, own[:, 0]


def panel_of(sales, promo, steps=STEPS, starts=START):
    ids = [f"shop {k}" for k in range(len(sales))]
    lengths = np.broadcast_to(steps, len(sales)).tolist()
    values = [row[:length] for row, length in zip(sales, lengths, strict=True)]
    return lc.Panel.from_arrays(
        dict(zip(ids, values, strict=True)),
        frequency="D",
        start=starts,
        future={"promo": dict(zip(ids, promo, strict=True))},
    )


def effects_in(panel):
    """The effect of a promotion in each series, as the newest solution has it."""
    solutions = [found[-1] for found in Effects(panel).solutions_S]
    return np.array(
        [
            solution.coefficients_P[solution.groups.index("promo")]
            if solution.groups
            else 0.0
            for solution in solutions
        ]
    )


def test_short_series_have_the_effects_that_the_others_show():
    sales, promo, own = shops()
    panel = panel_of(sales, promo)
    together, apart = (np.abs(effects_in(one) - own) for one in (panel, panel.apart()))
    assert together.mean() < 0.8 * apart.mean()


def test_products_that_seldom_sell_have_the_effects_that_the_others_show():
    rng = np.random.default_rng(4)
    promo = (rng.random((12, 150 + AHEAD)) < 0.2).astype(float)
    rate = np.linspace(0.3, 1.5, 12)[:, None] * np.where(promo == 1, 2.0, 1.0)
    panel = panel_of(rng.poisson(rate).astype(float), promo, 150)

    def misses(panel):
        """How far the logarithm of what a promotion does is from that of 2, on average."""
        solutions = [found[-1] for found in Effects(panel).solutions_S]
        found = []
        for series, solution in enumerate(solutions):
            uplift = np.log(solution.uplift(np.arange(60, 150)))
            is_on = promo[series, 60:150] == 1
            found.append(uplift[is_on].mean() - uplift[~is_on].mean())
        return np.abs(np.array(found) - np.log(2))

    assert misses(panel).mean() < 0.7 * misses(panel.apart()).mean()


def test_a_series_that_is_unlike_the_others_keeps_its_effect():
    sales, promo, own = shops(steps=300, noise=0.05)
    sales[0] *= np.exp((-0.7 - own[0]) * promo[0])
    found = effects_in(panel_of(sales, promo, 300))
    np.testing.assert_allclose(found[0], -0.7, atol=0.06)
    np.testing.assert_allclose(found[1:], own[1:], atol=0.06)


def test_few_series_and_series_apart_are_read_one_by_one():
    sales, promo, _ = shops(FEWEST)
    panel = panel_of(sales, promo)
    alone = effects_of(panel_of(sales[:1], promo[:1])).adjusted.values
    few = effects_of(panel.select(panel.ids[: FEWEST - 1])).adjusted.values
    apart = effects_of(panel.apart()).adjusted.values
    together = effects_of(panel).adjusted.values
    np.testing.assert_array_equal(few[:STEPS], alone)
    np.testing.assert_array_equal(apart[:STEPS], alone)
    assert np.abs(together[:STEPS] - alone).max() > 0


def test_nothing_later_in_any_series_matters():
    sales, promo, _ = shops(steps=120)
    model = lc.LSTMForecaster(horizon=7)
    cutoffs = np.full((len(sales), 1), 60)
    usual = model.predict(panel_of(sales, promo, 120), cutoffs=cutoffs)
    wild, changed = sales.copy(), promo.copy()
    wild[:, 60:] *= 9
    changed[:, 60 + 8 :] = 1 - changed[:, 60 + 8 :]
    again = model.predict(panel_of(wild, changed, 120), cutoffs=cutoffs)
    np.testing.assert_allclose(again.quantiles, usual.quantiles, rtol=1e-12)


def test_series_of_other_times_are_known_as_far_as_they_had_come():
    """A solution at a time uses what others had observed by then: as if nothing had come since."""
    sales, promo, _ = shops(steps=90)
    starts = np.array(["2024-01-01"] * 5 + ["2024-01-25"] * 3, "datetime64[us]")
    whole = panel_of(sales, promo, 90, starts)
    until = np.array([80] * 5 + [56] * 3)  # all of the same day
    part = whole.until(until)
    found_S, earlier_S = (Effects(one).solutions_S for one in (whole, part))
    for found, earlier in zip(found_S, earlier_S, strict=True):
        for one, other in zip(found, earlier, strict=False):
            assert one.count == other.count
            np.testing.assert_array_equal(one.coefficients_P, other.coefficients_P)


def test_one_pass_gives_what_each_cutoff_alone_gives():
    sales, promo, _ = shops(steps=90)
    panel, model = panel_of(sales, promo, 90), lc.LSTMForecaster(horizon=7)
    both = model.predict(panel, cutoffs=np.tile([60, 85], (len(sales), 1)))
    alone = model.predict(panel.until(np.full(len(sales), 60)))
    np.testing.assert_allclose(both.quantiles[::2], alone.quantiles, rtol=1e-6)


def test_a_column_of_few_series_is_no_common_one():
    sales, promo, _ = shops()
    notes = np.where(promo > 0, "sale", "none").astype(object)
    rare = {
        f"shop {k}": notes[k] if k < FEWEST - 1 else np.full(74, "none")
        for k in range(8)
    }
    panel = lc.Panel.from_arrays(
        {f"shop {k}": row[:STEPS] for k, row in enumerate(sales)},
        frequency="D",
        start=START,
        future={"note": rare},
    )
    together, apart = (
        effects_of(one).adjusted.values for one in (panel, panel.apart())
    )
    np.testing.assert_allclose(together[: 4 * STEPS], apart[: 4 * STEPS], rtol=0.2)


def test_series_apart_stay_apart(tmp_path):
    sales, promo, _ = shops()
    panel = panel_of(sales, promo).apart()
    assert panel.until(np.full(8, 50)).covariates.future.apart
    assert panel.covariates.future.only(["promo"]).apart
    kept = Covariates.from_saved(
        panel.covariates.described(), panel.covariates.arrays()
    )
    assert kept.future.apart
    lc.LSTMForecaster(horizon=7).save(tmp_path / "model", panel)
    assert lc.load(tmp_path / "model").saved_context.panel.covariates.future.apart


@pytest.mark.parametrize("name", ["shop 3"])
def test_a_curve_of_one_series_is_that_among_all(name):
    sales, promo, _ = shops()
    panel = panel_of(sales, promo)
    one, every = (
        lc.effect_curves(panel, "promo", series=series) for series in (name, None)
    )
    rows = np.array(every["unique_id"]) == name
    np.testing.assert_array_equal(
        np.array(one["effect"]), np.array(every["effect"])[rows]
    )


def test_a_stream_reads_each_row_by_itself():
    sales, promo, _ = shops()
    model = lc.LSTMForecaster(horizon=7, method="network")
    panel = panel_of(sales, promo)
    answers = [lc.Stream(model, one).predict(7) for one in (panel, panel.apart())]
    np.testing.assert_array_equal(*answers)


def test_days_without_a_sale_stay_so_without_the_effects():
    rng = np.random.default_rng(5)
    promo = (rng.random((6, 150 + AHEAD)) < 0.2).astype(float)
    rate = np.where(promo == 1, 2.0, 1.0)
    panel = panel_of(rng.poisson(rate).astype(float), promo, 150)
    adjusted = Effects(panel).adjusted.values
    assert (adjusted != panel.values).any()
    # An amount above 0 would be read as a logarithm, far below all others.
    assert not adjusted[panel.values == 0].any()
