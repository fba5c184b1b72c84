"""The calendar year on the slow clock: what it knows, what it does to forecasts, and that every way
of reading gives the same."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import origins_of
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.decoding import Reader, decode, origin_batches
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs import Grid, slow_clock
from lstmcast.model.inputs.axis import LINEAR, units_of
from lstmcast.model.inputs.effects import Effects, effects_of
from lstmcast.model.inputs.slow_clock import (
    Clock,
    advance_slow,
    clock_of,
    effect_of,
    start_slow,
)

DAY = Clock()
YEAR = 365.25


def year(length: int, seed: int = 0, size: float = 0.5, steps: int = 1) -> np.ndarray:
    """Logarithms of a series with a year, a week and first-order noise."""
    t, rng = np.arange(length), np.random.default_rng(seed)
    noise = rng.normal(0, 0.1, length)
    for step in range(1, length):
        noise[step] += 0.6 * noise[step - 1]
    week = 0.2 * (t // steps % 7 == 5)
    day = 0.1 * np.cos(2 * np.pi * t / steps) if steps > 1 else 0
    return 3 + wave(t / steps, size) + week + day + noise


def wave(days: np.ndarray, size: float = 0.5) -> np.ndarray:
    """The year that is in it."""
    angle = 2 * np.pi * days / YEAR
    return size * np.cos(angle) + 0.4 * size * np.sin(2 * angle)


def daily(series: dict[str, np.ndarray], frequency: str = "D") -> lc.Panel:
    """Series that begin on one day."""
    return lc.Panel.from_arrays(series, frequency=frequency, start="2012-01-01")


def solution(z_BT: np.ndarray, clock: Clock = DAY) -> np.ndarray:
    """The newest solution (B, J)."""
    state, _ = advance_slow(clock, start_slow(clock, len(z_BT)), z_BT, 0)
    return state.newest_BRJ[:, -1]


def estimated(panel: lc.Panel) -> Effects:
    """Effects of all series on the logarithmic axis."""
    known = Effects(panel, True)
    known.estimate(panel, np.arange(len(panel)))
    return known


def medians(panel: lc.Panel, horizon: int = 28, cutoffs: object = None) -> np.ndarray:
    """Medians of the shipped network (O, H), without calibration."""
    network = lc.LSTMForecaster(horizon=horizon).model.network
    return decode(Reader(network), panel, origins_of(panel, cutoffs), horizon)[
        :, :, MEDIAN
    ]


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    "code, steps",
    [("D", 1), ("B", 1), ("W", 1), ("h", 24), ("6h", 4), ("15min", 96), ("5min", 288)],
)
def test_days_and_what_divides_them_have_a_year(code, steps):
    clock = clock_of(parse_frequency(code))
    assert clock is not None and clock.steps == steps


@pytest.mark.parametrize(
    "code", ["integer", "MS", "Q", "Y", "2D", "2W", "5h", "min", "s"]
)
def test_others_have_none(code):
    assert clock_of(parse_frequency(code)) is None


def test_business_days_and_weeks_are_counted_as_such():
    business, weekly = clock_of(parse_frequency("B")), clock_of(parse_frequency("W"))
    assert business is not None and business.week == 5
    assert business.year == pytest.approx(260.89, abs=0.01)
    assert weekly is not None and weekly.year == pytest.approx(52.18, abs=0.01)


@pytest.mark.parametrize(
    "clock", [DAY, Clock(steps=24), Clock(week=1, first=26, renewal=26)]
)
def test_solutions_are_renewed_at_the_ends_of_chunks(clock):
    day, ends = 0, []
    while day < 900:
        first, stop = clock.chunk(day)
        assert first == day and clock.chunk(stop - 1) == (first, stop)
        ends.append(stop)
        day = stop
    steps = np.arange(900 * clock.steps)
    expected = np.searchsorted(np.array(ends) * clock.steps, steps, side="right")
    np.testing.assert_array_equal(clock.renewals(steps), expected)


# ---------------------------------------------------------------- what is learned


@pytest.mark.parametrize("clock", [DAY, Clock(steps=4)])
@pytest.mark.parametrize("bounds", [[1], [63, 64, 65], [500, 501, 1300], [127, 700]])
def test_any_chunks_give_the_same_bits(clock, bounds):
    length = 1500 * clock.steps
    z_BT = np.stack([year(length, seed, steps=clock.steps) for seed in range(2)])
    z_BT[1, 300:310] = np.nan
    whole, solutions = advance_slow(clock, start_slow(clock, 2), z_BT, 0)
    state, found = start_slow(clock, 2), []
    for first, last in zip([0, *bounds], [*bounds, length], strict=True):
        state, more = advance_slow(clock, state, z_BT[:, first:last], first)
        found += more
    assert len(found) == len(solutions) == clock.renewals(np.array(length))
    for one, other in zip([*found, *state], [*solutions, *whole], strict=True):
        np.testing.assert_array_equal(one, other)


def test_rows_are_apart():
    z_BT = np.stack([year(1300, seed) for seed in range(5)])
    np.testing.assert_array_equal(solution(z_BT)[3], solution(z_BT[3:4])[0])


@pytest.mark.parametrize("years", [2, 5, 9])
def test_the_year_is_found_leap_years_included(years):
    length = int(years * YEAR)
    found = solution(year(length)[None])
    steps = np.arange(length - 365, length)
    seen = effect_of(DAY, found[:, None], steps[None, :1] * 0, steps)[0, 0]
    truth = wave(steps)
    error = (seen - seen.mean()) - (truth - truth.mean())
    assert np.sqrt(np.mean(error**2)) < 0.12 * np.std(truth) * np.sqrt(9 / years)


def test_an_effect_ahead_is_the_effect_there():
    found, steps = solution(year(1200)[None])[:, None], np.arange(1000, 1100)[None]
    ahead = effect_of(DAY, np.repeat(found, 100, axis=1), steps, np.arange(29))
    np.testing.assert_allclose(ahead[:, :-28, 28], ahead[:, 28:, 0], atol=1e-12)


def test_missing_days_are_left_out():
    z_T = year(1500)
    gaps_T = z_T.copy()
    gaps_T[np.random.default_rng(0).random(1500) < 0.1] = np.nan
    gaps_T[700:760] = np.nan
    one, other = solution(z_T[None]), solution(gaps_T[None])
    assert np.linalg.norm(one - other) < 0.25 * np.linalg.norm(one)


@pytest.mark.parametrize("day", [20, 63, 800])
@pytest.mark.parametrize("value", [-7.0, 12.0])
def test_a_closed_day_or_a_spike_hardly_moves_it(day, value, monkeypatch):
    z_T = year(1500)
    odd_T = z_T.copy()
    odd_T[day] += value
    clean = solution(z_T[None])
    moved = np.linalg.norm(solution(odd_T[None]) - clean) / np.linalg.norm(clean)
    assert moved < 0.05
    monkeypatch.setattr(slow_clock, "LIMIT", 1e9)
    without = np.linalg.norm(solution(odd_T[None]) - clean) / np.linalg.norm(clean)
    assert without > 2 * moved


def test_weeks_at_another_level_are_no_year():
    log_BT = np.array([year(640, seed, size=0.0) for seed in range(40)])
    log_BT[:, 290:335] += 0.8  # seen once: the year after has not come to those days
    # all of them by the evidence of later years
    assert solution(log_BT).any(axis=1).mean() < 0.4
    log_BT = np.array([year(640, seed) for seed in range(40)])
    assert solution(log_BT).any(axis=1).all()  # a year is


def test_noise_that_grows_is_not_taken_for_spikes():
    t = np.arange(2000)
    noise = np.random.default_rng(0).normal(size=2000) * np.where(t < 600, 1e-3, 0.1)
    z_T = wave(t) * (t >= 600) + noise
    state, _ = advance_slow(DAY, start_slow(DAY, 1), z_T[None], 0)
    assert state.weight_B[0] > 1800


def test_what_no_longer_comes_true_loses_its_share():
    t = np.arange(2400)
    z_T = year(2400, size=0.0) + np.where(t < 900, wave(t), 0.0)
    size = [
        np.abs(one).max()
        for one in advance_slow(DAY, start_slow(DAY, 1), z_T[None], 0)[1]
    ]
    assert max(size[6:9]) > 0.3 and size[-1] < 0.06


@pytest.mark.parametrize(
    "factor, shift", [(1e-12, 0), (1e9, 0), (1.0, 1e6), (-5.0, 3.0)]
)
def test_factor_and_shift_of_the_linear_axis(factor, shift):
    z_T = year(1400)
    one, other = solution(z_T[None]), solution(factor * z_T[None] + shift)
    np.testing.assert_allclose(other, factor * one, rtol=1e-4, atol=1e-6 * abs(factor))


def test_values_that_cannot_be_squared_have_no_year():
    z_BT = np.stack([year(1400), year(1400)])
    z_BT[1, 700:] *= 1e300
    found = solution(z_BT)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[0], solution(z_BT[:1])[0])


# ---------------------------------------------------------------- a panel


def test_nothing_is_computed_where_there_is_no_year():
    rng = np.random.default_rng(1)
    assert effects_of(daily({"short": np.exp(year(500))}), True) is None
    assert effects_of(daily({"noise": rng.normal(size=1500)}), False) is None
    monthly = lc.Panel.from_arrays(np.exp(year(900)), frequency="MS", start="1900-01")
    assert effects_of(monthly, True) is None


def test_nothing_later_changes_an_effect():
    series = {"a": np.exp(year(1500)), "b": np.exp(year(1300, 1))}
    panel, steps = daily(series), np.arange(0, 1300)
    before = estimated(panel)
    for t in (576, 703, 704, 1000):
        changed = {name: values.copy() for name, values in series.items()}
        for values in changed.values():
            values[t + 1 :] = 1e3 + np.random.default_rng(t).random(len(values) - t - 1)
        after = estimated(daily(changed))
        both = [
            part.known(np.arange(2), np.tile(steps[: t + 1], (2, 1)), 28)
            for part in (before, after)
        ]
        first, second = (np.zeros(1) if part is None else part for part in both)
        np.testing.assert_array_equal(np.broadcast_to(second, first.shape), first)


def test_a_panel_is_not_kept_for_its_effects():
    panel = daily({"a": np.exp(year(700))})
    assert effects_of(panel, True) is effects_of(panel, True) is not None
    gone = weakref.ref(panel)
    del panel
    gc.collect()
    assert gone() is None


def test_lengths_do_not_matter_to_each_other():
    series = {f"s{n}": np.exp(year(n, n)) for n in (40, 600, 700, 1300, 2500)}
    together = estimated(daily(series))
    for place, (name, values) in enumerate(series.items()):
        alone = estimated(daily({name: values})).solution_SRJ[0]
        np.testing.assert_array_equal(together.solution_SRJ[place, : len(alone)], alone)


# ---------------------------------------------------------------- forecasts


def test_the_year_is_forecast():
    z_BT = np.stack([year(1600, seed, size=1.0) for seed in range(6)])
    panel = daily({f"s{seed}": np.exp(z_T[:1540]) for seed, z_T in enumerate(z_BT)})
    cutoffs = np.tile([1150, 1250, 1350, 1450, 1510], (6, 1))
    with_year = medians(panel, 28, cutoffs)
    error = np.abs(np.log(with_year) - _after(z_BT, cutoffs, 28)).mean()
    without = np.abs(
        np.log(_without(panel, 28, cutoffs)) - _after(z_BT, cutoffs, 28)
    ).mean()
    assert error < 0.85 * without


def _after(z_BT, cutoffs, horizon):
    rows = zip(z_BT, cutoffs, strict=True)
    return np.array([z_T[c : c + horizon] for z_T, several in rows for c in several])


def _without(panel, horizon, cutoffs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(origin_batches, "effects_of", lambda *_: None)
        return medians(panel, horizon, cutoffs)


def test_answers_that_are_fed_back_follow_the_year():
    t = np.arange(1700)
    panel = daily(
        {"y": np.exp(3 + wave(t) + 0.01 * np.random.default_rng(0).normal(size=1700))}
    )
    actual = np.exp(3 + wave(np.arange(1500, 1680)))
    errors = [
        np.abs(np.log(forecast([[1500]])[0] / actual)).mean()
        for forecast in (
            lambda cutoffs: medians(panel, 180, cutoffs),
            lambda cutoffs: _without(panel, 180, cutoffs),
        )
    ]
    assert errors[0] < 0.1 < errors[1]


def test_sample_paths_follow_it_too():
    panel = daily({"y": np.exp(year(1200))})
    network, origins = (
        lc.LSTMForecaster(horizon=24).model.network,
        origins_of(panel, None),
    )
    paths = decode(Reader(network), panel, origins, 60, feed="paths")
    fed = decode(Reader(network), panel, origins, 60)
    np.testing.assert_allclose(paths[0, :, MEDIAN], fed[0, :, MEDIAN], rtol=0.15)


@pytest.mark.parametrize("horizon", [24, 60])
def test_one_pass_gives_what_each_cutoff_gives(horizon):
    panel = daily({"a": np.exp(year(1700)), "b": -np.exp(year(1700, 1))})
    cutoffs = np.array([[900, 1023, 1024, 1216, 1500]] * 2)
    at_once = medians(panel, horizon, cutoffs).reshape(2, 5, horizon)
    for k, count in enumerate(cutoffs[0]):
        alone = medians(panel.until([count] * 2), horizon)
        np.testing.assert_allclose(at_once[:, k], alone, rtol=1e-6)


def test_one_step_ahead_is_the_first_of_all_steps():
    panel = daily({"a": np.exp(year(1100))})
    model = lc.LSTMForecaster(horizon=24)
    every = model.predict(panel, mode="one-step")
    network = model.model.network
    origins = origins_of(panel, [[900, 1050]])
    known = decode(Reader(network), panel, origins, 24)[:, 0, MEDIAN]
    steps = np.searchsorted(every.cutoffs, panel.times(0)[[899, 1049]])
    np.testing.assert_allclose(every.point[steps, 0], known, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_a_factor_of_the_data_is_one_of_the_forecast(factor):
    values = np.exp(year(1100))
    one, many = medians(daily({"y": values})), medians(daily({"y": factor * values}))
    np.testing.assert_allclose(many, factor * one, rtol=1e-4)


def test_the_linear_axis_takes_factor_and_shift():
    values = year(1100) - 3
    one, other = medians(daily({"y": values})), medians(daily({"y": 50 * values - 7}))
    np.testing.assert_allclose(other, 50 * one - 7, rtol=1e-4, atol=1e-2)


def test_a_few_values_after_a_long_gap_repeat_the_newest():
    values = np.exp(year(2100))
    values[1000:2098] = np.nan
    forecast = medians(daily({"y": values}), 5)[0]
    np.testing.assert_allclose(forecast, values[-1], rtol=1e-9)


def test_hourly_data_have_a_year_of_their_days():
    z_T = year(800 * 6, size=1.0, steps=6)
    panel = daily({"y": np.exp(z_T)}, "4h")
    known = estimated(panel).known(
        np.zeros(1, np.int64), np.arange(4200, 4800)[None], 6
    )
    assert known is not None
    seen, truth = known[0, :, 0], wave(np.arange(4200, 4800) / 6, 1.0)
    assert np.corrcoef(seen, truth)[0, 1] > 0.98
    np.testing.assert_allclose(np.diff(seen).max(), np.diff(truth).max(), rtol=0.4)


def test_weekly_data_have_a_year_from_four_years_on():
    t = np.arange(400)
    z_T = 3 + wave(7 * t, 1.0) + 0.05 * np.random.default_rng(0).normal(size=400)
    assert effects_of(daily({"y": np.exp(z_T[:200])}, "W"), True) is None
    known = estimated(daily({"y": np.exp(z_T)}, "W"))
    seen = known.known(np.zeros(1, np.int64), t[None], 4)
    assert (
        seen is not None
        and np.corrcoef(seen[0, 300:, 0], wave(7 * t[300:]))[0, 1] > 0.98
    )


# ---------------------------------------------------------------- saved models and streams


def test_a_saved_model_goes_on_to_the_same_bits(tmp_path):
    series = {
        "a": np.exp(year(1500)),
        "b": -np.exp(year(1800, 1)),
        "short": np.exp(year(300, 2)),
    }
    whole = daily(series)
    for newer, method in ((1, "network"), (150, "auto")):
        model = lc.LSTMForecaster(horizon=8, method=method)
        old = whole.until(whole.lengths - newer)
        model.save(tmp_path / "model", old)
        saved = lc.load(tmp_path / "model")
        assert saved.saved_context is not None
        assert (saved.saved_context.panel.lengths <= 1024 + 336).all()
        np.testing.assert_array_equal(
            saved.predict().quantiles, model.predict(old).quantiles
        )
        after = saved.predict(whole.since(whole.lengths - newer))
        np.testing.assert_array_equal(after.quantiles, model.predict(whole).quantiles)


def test_a_saved_model_that_goes_on_is_saved_and_goes_on(tmp_path):
    whole = daily({"a": np.exp(year(2400)), "b": np.exp(year(2000, 1))})
    model = lc.LSTMForecaster(horizon=10)
    model.save(tmp_path / "one", whole.until(whole.lengths - 700))
    first = whole.part(np.arange(2), whole.lengths - 700, np.array([600, 600]))
    lc.load(tmp_path / "one").save(tmp_path / "two", first)
    again = lc.load(tmp_path / "two").predict(whole.since(whole.lengths - 100))
    np.testing.assert_array_equal(again.quantiles, model.predict(whole).quantiles)


@pytest.mark.parametrize("frequency, steps", [("D", 1), ("12h", 2)])
def test_a_stream_forecasts_what_predict_does(frequency, steps, tmp_path):
    length, begin = 1030 * steps, 1020 * steps
    z_BT = np.stack([year(length, seed, steps=steps) for seed in range(3)])
    values = np.exp(z_BT)
    values[2] -= 30
    values[1, begin + 5] = np.nan
    values[1, -3] = -1.0  # another axis
    panel = daily({f"s{seed}": values[seed] for seed in range(3)}, frequency)
    model = lc.LSTMForecaster(horizon=24)
    stream = lc.Stream(model, panel.until([begin] * 3))
    for t in range(begin, length):
        stream.observe(values[:, t])
        if t == begin + 2:
            stream.save(tmp_path / "stream")
            stream = lc.Stream.load(tmp_path / "stream")
        if t - begin in (
            0,
            3,
            4,
            length - begin - 4,
            length - begin - 3,
            length - begin - 1,
        ):
            known = panel.until([t + 1] * 3)
            for horizon in (24, 40):
                expected = medians(known, horizon)
                found = stream.predict(horizon)
                np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


def test_rows_of_a_stream_that_begin_empty_learn_the_year():
    values = np.exp(np.stack([year(600), year(600, 1)]))
    stream = lc.Stream(lc.LSTMForecaster(horizon=24), ["a"], frequency="D")
    for t in range(600):
        if t == 10:
            stream.join(["b"])
        stream.observe(values[: 1 if t < 10 else 2, t])
    expected = [
        medians(daily({"y": values[0]}), 24),
        medians(daily({"y": values[1, 10:]}), 24),
    ]
    np.testing.assert_allclose(stream.predict(24), np.concatenate(expected), rtol=1e-6)
    assert stream.reading.slow is not None
    assert stream.rows["slow"][True].newest_BRJ.any(axis=(1, 2)).all()


def test_a_stream_of_a_saved_past_knows_it(tmp_path):
    whole = daily({"a": np.exp(year(2400))})
    model = lc.LSTMForecaster(horizon=10)
    model.save(tmp_path / "model", whole)
    saved = lc.load(tmp_path / "model")
    assert saved.saved_context is not None
    stream = lc.Stream(saved, saved.saved_context.panel)
    np.testing.assert_allclose(stream.predict(10), medians(whole, 10), rtol=1e-6)


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("log", [True, False])
def test_a_network_learns_from_what_it_will_read(log):
    pytest.importorskip("torch")
    from lstmcast.fit_data import AdaptiveData
    from lstmcast.training.batch import Group
    from lstmcast.training.feeds import AdaptiveFeed
    from lstmcast.windows import Segments

    values = np.exp(year(1100)) if log else year(1100) - 3
    panel, config = (
        daily({"y": values}),
        lc.NetworkConfig((4,), lc.Adaptive(), horizon=6),
    )
    feed = AdaptiveFeed(AdaptiveData(panel, panel.lengths), config, "cpu")
    first, last = np.array([512]), np.array([1094])
    read = Segments(np.zeros(1, np.int64), first, last, last - 1, np.array([1100]))
    batch = feed.batch(Group(read, log))
    effects = effects_of(panel, log)
    assert effects is not None
    known = effects.known(read.series, np.arange(512, 1094)[None], 6)
    unit = np.ones(1) if log else units_of(values[None, 512:], np.array([LINEAR]))
    grid = Grid(6, panel.periods, "daily", np.array([log]), unit_B=unit)
    inputs = lc.Adaptive()
    seen, state = inputs.advance(
        inputs.start(grid, 1), values[None, 512:1094, None], known
    )
    np.testing.assert_allclose(batch.x_BTC.numpy(), seen.x_BTC, atol=1e-5)
    # What the head should answer is what gives the values that came.
    answer = batch.target.numpy()[-1:].astype(float)[..., None]
    placed = inputs.units(inputs.place(answer, state.known), state.known)
    np.testing.assert_allclose(placed[0, :, 0, 0], values[1094:], rtol=1e-4)
