"""Adaptive inputs: one at a time as in a batch, nothing from the future, the laws of their axes, a
plain reference."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.errors import UsageError
from lstmcast.model.inputs import Adaptive, Grid
from lstmcast.model.inputs.adjusted import (
    LOG_PRIOR_COUNT,
    LOG_PRIOR_SCALE,
    MEMORY_CYCLES,
    RELEARN,
    SHORTEST_MEMORY,
    SMOOTHING,
)
from lstmcast.model.inputs.axis import from_axis, to_axis
from lstmcast.model.inputs.channels import CLIP
from lstmcast.model.inputs.seasonfamilies import families, seasonal
from lstmcast.model.inputs.seasonshares import (
    CONTRAST,
    FEWEST_CHANGES,
    LEAST_OF_OTHERS,
    MOST_CHANGE,
    PRIOR_SHARE,
    PRIOR_WEIGHT,
    PRIOR_WEIGHT_OF_OTHERS,
    SWEEPS,
    ZIGZAG,
)
from lstmcast.model.inputs.tables import (
    LEAST_SURPRISE,
    LIMIT,
    SETTLED,
    SURPRISE_RATE,
    WHOLE_CYCLE,
)

CONFIG, HORIZON = Adaptive(window=5), 7
CHANNELS = CONFIG.width(HORIZON)
PERIODS = ((1,), (5,), (12,), (7, 30), (4, 12), (24, 168), (7, 365))
# channels: earlier values relative to the newest one
WINDOW = slice(0, CONFIG.window - 1)
KNOWN = slice(CONFIG.window - 1, 2 * CONFIG.window - 1)
EXPECTED = slice(CHANNELS - 3 * HORIZON, CHANNELS - 2 * HORIZON)


class Read(NamedTuple):
    x_BTC: np.ndarray
    begun_BT: np.ndarray
    level_BT: np.ndarray
    scale_BT: np.ndarray
    seasonal_BTH: np.ndarray


def start(rows, periods, log=False, family="monthly"):
    return CONFIG.start(Grid(HORIZON, periods, family, np.full(rows, log)), rows)


def read_on(state, z_BT):
    seen, state = CONFIG.read(state, np.asarray(z_BT, float))
    known = seen.known
    return Read(
        seen.x_BTC, seen.begun_BT, known.level, known.scale, known.seasonal
    ), state


def read(z_BT, periods, log=False, family="monthly"):
    return read_on(start(len(z_BT), periods, log, family), z_BT)[0]


def in_chunks(z_BT, periods, bounds, log=False):
    state, parts = start(len(z_BT), periods, log), []
    for first, last in zip([0, *bounds], [*bounds, z_BT.shape[1]], strict=True):
        part, state = read_on(state, z_BT[:, first:last])
        parts.append(part)
    return [np.concatenate(pieces, axis=1) for pieces in zip(*parts, strict=True)]


def random_series(seed, count, length, missing=0.1):
    """Random walks with a season, and with missing values."""
    rng = np.random.default_rng(seed)
    z_BT = np.cumsum(rng.normal(size=(count, length)), axis=1) + 3 * np.sin(
        np.arange(length) * 2 * np.pi / 12
    )
    return np.where(rng.random(z_BT.shape) < missing, np.nan, z_BT)


def assert_same(parts, whole):
    for name, part, expected in zip(whole._fields, parts, whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("periods", PERIODS, ids=str)
def test_one_observation_at_a_time_gives_what_the_batch_gives(periods, log):
    length = min(2 * max(periods) + 40, 480)
    z_BT = random_series(1, 3, length)
    assert_same(
        in_chunks(z_BT, periods, range(1, length), log), read(z_BT, periods, log)
    )


def test_means_that_are_equal_but_for_rounding_foretell_nothing():
    z_BT = random_series(120, 2, 50, missing=0.5)
    assert_same(in_chunks(z_BT, (5,), [9, 14]), read(z_BT, (5,)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), periods=st.sampled_from(PERIODS[:5]), data=st.data())
def test_any_chunks_give_what_the_batch_gives(seed, periods, data):
    length = data.draw(st.integers(2, 130))
    bounds = sorted(data.draw(st.sets(st.integers(1, length - 1), max_size=6)))
    z_BT = random_series(
        seed, 2, length, missing=data.draw(st.sampled_from([0.0, 0.1, 0.5]))
    )
    assert_same(in_chunks(z_BT, periods, bounds), read(z_BT, periods))


@pytest.mark.parametrize("periods", PERIODS[:5], ids=str)
@pytest.mark.parametrize("later", ["other values", "missing"])
def test_nothing_depends_on_later_values(periods, later):
    z_BT = random_series(2, 3, 100)
    whole = read(z_BT, periods)
    for t in (0, 1, 11, 50, 98):
        changed = z_BT.copy()
        changed[:, t + 1 :] = (
            np.nan if later == "missing" else 1e3 * random_series(3, 3, 99 - t)
        )
        for now, before in zip(read(changed, periods), whole, strict=True):
            np.testing.assert_array_equal(now[:, : t + 1], before[:, : t + 1])


def test_on_the_log_axis_a_factor_moves_the_level_alone():
    values = np.exp(random_series(4, 2, 90) / 5)
    one = read(to_axis(values, True), (12,), log=True)
    many = read(to_axis(1000 * values, True), (12,), log=True)
    np.testing.assert_allclose(many.x_BTC, one.x_BTC, atol=1e-4)
    np.testing.assert_allclose(many.scale_BT, one.scale_BT, rtol=1e-9)
    np.testing.assert_allclose(many.seasonal_BTH, one.seasonal_BTH, atol=1e-9)
    np.testing.assert_allclose(many.level_BT, one.level_BT + np.log(1000), rtol=1e-9)


def test_on_the_linear_axis_level_and_scale_take_up_factor_and_shift():
    z_BT = random_series(5, 2, 90)
    z_BT[:, 0] = 1.0
    one, other = read(z_BT, (12,)), read(-250 * z_BT + 1e6, (12,))
    np.testing.assert_allclose(other.scale_BT, 250 * one.scale_BT, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(other.level_BT, -250 * one.level_BT + 1e6, rtol=1e-9)
    np.testing.assert_allclose(other.seasonal_BTH, -250 * one.seasonal_BTH, atol=1e-5)
    np.testing.assert_allclose(
        other.x_BTC[:, :, WINDOW], -one.x_BTC[:, :, WINDOW], atol=1e-4
    )
    np.testing.assert_array_equal(other.x_BTC[:, :, KNOWN], one.x_BTC[:, :, KNOWN])


def test_a_huge_offset_costs_no_digits_of_the_changes():
    # exact in float64 beside the offset
    z_BT = np.round(random_series(6, 1, 60) * 8) / 8
    np.testing.assert_array_equal(
        read(z_BT + 2.0**40, (12,)).x_BTC, read(z_BT, (12,)).x_BTC
    )


def test_left_padding_costs_nothing():
    series = [
        row[row.size - length :]
        for row, length in zip(random_series(7, 4, 80), (80, 33, 5, 1), strict=True)
    ]
    for one in series:
        one[0] = 1.5  # begun
    padded = np.full((4, 80), np.nan)
    for row, one in zip(padded, series, strict=True):
        row[80 - len(one) :] = one
    together = read(padded, (4, 12))
    for i, one in enumerate(series):
        assert (
            not together.begun_BT[i, : 80 - len(one)].any()
            and not together.x_BTC[i, : 80 - len(one)].any()
        )
        for name, whole, alone in zip(
            together._fields, together, read(one[None], (4, 12)), strict=True
        ):
            np.testing.assert_array_equal(
                whole[i, 80 - len(one) :], alone[0], err_msg=name
            )


def test_missing_values_do_not_become_zeros():
    rng = np.random.default_rng(8)
    z_BT = 1000 + rng.normal(size=(20, 80))
    z_BT[:, 1:][rng.random((20, 79)) < 0.4] = np.nan
    seen = read(z_BT, (12,))
    assert abs(seen.level_BT - 1000).max() < 10 and abs(seen.seasonal_BTH).max() < 5
    assert abs(seen.x_BTC[:, 10:, WINDOW]).max() < CLIP / 2
    known = np.stack(
        [np.roll(~np.isnan(z_BT), k, axis=1) for k in range(CONFIG.window)], axis=2
    )
    np.testing.assert_array_equal(
        seen.x_BTC[:, CONFIG.window :, KNOWN], known[:, CONFIG.window :]
    )


def test_a_missing_value_repeats_the_level_and_leaves_the_scale():
    seen = read([[3.0, 5.0, np.nan, np.nan, 6.0, 7.0]], (1,))
    np.testing.assert_array_equal(seen.level_BT, [[3, 5, 5, 5, 6, 7]])
    kept = 1 - 1 / SHORTEST_MEMORY
    # 6 − 5 spans a gap, so it is no change of a step
    scale = (2 * kept + 1) / (kept + 1)
    np.testing.assert_allclose(seen.scale_BT, [[0, 2, 2, 2, 2, scale]])
    np.testing.assert_allclose(seen.x_BTC[0, 4, WINDOW], [-0.5, -0.5, -0.5, -1.5])


def test_nothing_is_known_before_the_first_observation():
    seen = read([[np.nan, np.nan, 4.0]], (12,), log=True)
    assert seen.begun_BT.tolist() == [[False, False, True]]
    assert not seen.x_BTC[0, :2].any() and seen.level_BT.tolist() == [[0, 0, 4]]


def test_constant_series_have_no_changes_and_finite_inputs():
    for log in (False, True):
        seen = read(np.full((1, 50), 0.1), (12,), log)
        assert np.isfinite(seen.x_BTC).all() and not seen.x_BTC[:, :, WINDOW].any()
        assert (seen.level_BT == 0.1).all() and not seen.seasonal_BTH.any()
        assert (seen.scale_BT == 0).all() != log


def test_the_smoothed_levels_start_as_plain_means():
    z_BT = random_series(9, 1, 4, missing=0)
    seen = read(z_BT, (1,))
    first = 2 * CONFIG.window - 1
    smooth = (
        seen.x_BTC[0, :, first : first + len(SMOOTHING)] * seen.scale_BT[0, :, None]
        + z_BT[0, :, None]
    )
    np.testing.assert_allclose(
        smooth[1:, -1], (np.cumsum(z_BT[0]) / np.arange(1, 5))[1:], atol=1e-5
    )
    assert smooth[3, 0] == pytest.approx(
        ((z_BT[0, 0] + z_BT[0, 1]) / 4 + z_BT[0, 2] / 2) / 2 + z_BT[0, 3] / 2, abs=1e-5
    )


@pytest.mark.parametrize("m", [2, 5, 12])
def test_a_pure_season_is_found(m):
    pattern = np.random.default_rng(m).normal(size=m)
    pattern -= pattern.mean()
    steps = np.arange(14 * m)
    seen = read(50 + pattern[steps % m][None], (m,))
    ahead = pattern[(steps[-1] + 1 + np.arange(HORIZON)) % m]
    np.testing.assert_allclose(
        seen.seasonal_BTH[0, -1], ahead, atol=0.12 * abs(ahead).max()
    )
    assert abs(seen.level_BT[0, -1] - 50) < 0.12 * abs(pattern).max()
    np.testing.assert_allclose(
        seen.x_BTC[0, -1, EXPECTED],
        np.clip(seen.seasonal_BTH[0, -1] / seen.scale_BT[0, -1], -CLIP, CLIP),
        rtol=1e-6,
    )


def test_a_season_that_never_was_is_not_believed():
    z_BT = np.random.default_rng(10).normal(size=(30, 200))
    assert abs(read(z_BT, (12,)).seasonal_BTH[:, -1]).mean() < 0.15


class Reference(NamedTuple):
    """What `advance` should say of one series."""

    level_T: np.ndarray
    scale_T: np.ndarray
    seasonal_TH: np.ndarray


class PlainTable:
    """Seasonal indices of one period as they are known now, written for reading."""

    def __init__(self, m, inner, decay):
        self.m, self.inner, self.decay = m, inner, decay
        self.sums, self.weights, self.surprises = np.zeros(m), np.zeros(m), np.zeros(m)
        self.history, self.passed = [], 0  # of a phase's usual surprise after each step

    def add(self, step, deviation, least):
        phase = step % self.m
        weight, mean = self.weights[phase], self.means()[phase]
        if deviation is not None:
            taken, surprise = deviation, 0.0
            if weight > 0:
                limit = (
                    LIMIT * max(self.usual(), least) if weight >= SETTLED else np.inf
                )
                surprise = np.clip(deviation - mean, -limit, limit)
                taken = mean + surprise
                rate = SURPRISE_RATE if weight > 1 else 1.0
                self.surprises[phase] += rate * (abs(surprise) - self.surprises[phase])
            self.sums[phase] = self.decay * self.sums[phase] + taken
            self.weights[phase] = self.decay * weight + 1
        self.passed += self.passed > 0 or deviation is not None
        self.history.append(self.surprises[phase])

    def usual(self):
        """Mean surprise in the cycle that ended one cycle ago."""
        cycle = [
            size
            for size in self.history[-2 * self.m : len(self.history) - self.m]
            if size > 0
        ]
        return np.mean(cycle) if cycle else 0.0

    def whole(self):
        return self.passed >= 0.9 * self.m and (self.weights > 0).sum() >= 2

    def means(self):
        return np.where(self.weights > 0, self.sums / np.maximum(self.weights, 1e-9), 0)

    def foretold(self, step, lag):
        known = self.weights[[step % self.m, (step - lag) % self.m]] > 0
        if not (self.whole() and known.all()):
            return 0.0
        return self._above_inner(step) - self._above_inner(step - lag)

    def zigzags(self, step, lag):
        """Whether the newest changes from step to step are far larger than those over a lag."""
        at = [self.means()[(step - k) % self.m] for k in range(ZIGZAG + lag)]
        newest = range(ZIGZAG)
        return self.whole() and all(
            abs(at[k] - at[k + 1]) > CONTRAST * abs(at[k] - at[k + lag]) for k in newest
        )

    def _above_inner(self, step):
        means, alike = self.means(), slice(step % self.inner, None, self.inner)
        known = max((self.weights[alike] > 0).sum(), 1)
        return means[step % self.m] - (
            means[alike].sum() / known if self.inner < self.m else 0
        )

    def index(self, step):
        if not self.whole() or self.weights[step % self.m] == 0:
            return 0.0
        centre = (
            0 if self.inner < self.m else self.means().sum() / (self.weights > 0).sum()
        )
        return self._above_inner(step) - centre


class PlainFamily:
    """Tables of a family and the sums that their shares are made of."""

    def __init__(self, family):
        self.family = family
        self.tables = [PlainTable(t.period, t.inner, t.decay) for t in family.tables]
        K = len(self.tables)
        self.squares, self.products, self.count = np.zeros((K, K)), np.zeros(K), 0
        self.shares, self.changes = np.zeros(K), {lag: [] for lag in family.lags}

    def index(self, step):
        return sum(
            s * table.index(step)
            for s, table in zip(self.shares, self.tables, strict=True)
        )

    def foretold(self, before, step, lag):
        return sum(
            s * table.foretold(step, lag)
            for s, table in zip(self.shares, before, strict=True)
        )

    def limited(self, change, lag):
        """A change that is not much larger than was usual before."""
        before = self.changes[lag]
        if len(before) >= FEWEST_CHANGES:
            most = MOST_CHANGE * np.mean(np.sqrt(np.abs(before))) ** 2
            limited = np.clip(change, -most, most)
        else:
            limited = change
        if not np.isnan(change):
            before.append(change)
        return limited

    def learn(self, change, step, lag, before, counts):
        """One change, and what the tables of one step earlier said of it."""
        told = np.array([table.foretold(step, lag) for table in before])
        if np.isnan(change) or not told.any():
            return
        of = self.family.tables
        told = np.array(
            [
                told[k] - (told[of[k].first] if of[k].first != k else 0)
                for k in range(len(of))
            ]
        )
        self.squares += np.outer(told, told)
        self.products += told * change
        self.count += counts

    def solve(self):
        """The ridge regression with bounds, by the same sweeps."""
        of = self.family.tables
        first = [table.first == k for k, table in enumerate(of)]
        prior = np.where(first, PRIOR_SHARE, 0.0)
        weight = np.where(first, PRIOR_WEIGHT, PRIOR_WEIGHT_OF_OTHERS)
        penalty = weight * np.diag(self.squares) / max(self.count, 1)
        shares = prior.copy()
        for _ in range(SWEEPS):
            for k in range(len(of)):
                whole = self.squares[k, k] + penalty[k]
                rest = self.products[k] + penalty[k] * prior[k]
                rest -= self.squares[k] @ shares - self.squares[k, k] * shares[k]
                least = 0.0 if first[k] else LEAST_OF_OTHERS
                shares[k] = np.clip(rest / whole, least, 1.0) if whole > 0 else prior[k]
        for k, table in enumerate(of):
            if not first[k]:
                shares[table.first] -= shares[k]
        self.shares = shares


def deviation(z, t, m, begun):
    """z less its centred moving average, at the newest step that has one at t; None where it is
    not known."""
    middle, first = t - m // 2, t - 2 * (m // 2)
    if first < begun or np.isnan(z[middle]):
        return None
    weights = np.ones(2 * (m // 2) + 1)
    if m % 2 == 0:
        weights[[0, -1]] = 0.5
    cycle = z[first : t + 1]
    weights = weights * ~np.isnan(cycle)
    enough = WHOLE_CYCLE * (~np.isnan(z[begun : t + 1])).mean()
    if weights.sum() < enough * m:
        return None
    return z[middle] - np.nansum(weights * cycle) / weights.sum()


def plain_reference(z, periods, horizon, log):
    """The decomposition step by step, as the module's text describes it."""
    groups = [PlainFamily(family) for family in families(periods)]
    begun = np.flatnonzero(~np.isnan(z))[0]
    level, total, count = (
        0.0,
        LOG_PRIOR_COUNT * LOG_PRIOR_SCALE * log,
        LOG_PRIOR_COUNT * log,
    )
    keep = 1 - 1 / max(SHORTEST_MEMORY, MEMORY_CYCLES * min(periods))
    out = Reference(np.zeros(len(z)), np.zeros(len(z)), np.zeros((len(z), horizon)))

    def season(step):
        return sum(group.index(step) for group in groups)

    for t in range(len(z)):
        was = [group.tables for group in groups]  # as known one step earlier
        moves = np.abs(np.diff(z[: t + 1]))
        least = LEAST_SURPRISE * np.nanmean(moves) if np.isfinite(moves).any() else 0.0
        for i, group in enumerate(groups):
            earlier = list(zip(groups[:i], was[:i], strict=True))
            before, group.tables = was[i], deepcopy(was[i])
            for table in group.tables:
                here = deviation(z, t, table.m, begun)
                if here is not None:
                    here -= sum(
                        shorter.index(t - table.m // 2) for shorter, _ in earlier
                    )
                table.add(t - table.m // 2, here, least)
            for place, lag in enumerate(group.family.lags):
                change = group.limited(z[t] - z[t - lag] if t >= lag else np.nan, lag)
                change -= sum(
                    shorter.foretold(then, t, lag) for shorter, then in earlier
                )
                group.learn(change, t, lag, before, place == 0)
            if group.family.lags[0] > 1 and before[0].zigzags(t, group.family.lags[0]):
                change = z[t] - z[t - 1]
                change -= sum(shorter.foretold(then, t, 1) for shorter, then in earlier)
                most = MOST_CHANGE * abs(before[0].foretold(t, 1))
                group.learn(np.clip(change, -most, most), t, 1, before, True)
            group.solve()
        pairs = [
            (now, then)
            for group, before in zip(groups, was, strict=True)
            for now, then in zip(group.tables, before, strict=True)
        ]
        if any(now.whole() and not then.whole() for now, then in pairs):
            total, count = RELEARN * total, RELEARN * count
        if not np.isnan(z[t]):
            level = z[t] - season(t)
            if t and not np.isnan(z[t - 1]):
                total, count = (
                    keep * total + abs(level - (z[t - 1] - season(t - 1))),
                    keep * count + 1,
                )
        out.level_T[t], out.scale_T[t] = level, total / count if count else 0.0
        out.seasonal_TH[t] = [season(t + h) for h in range(1, horizon + 1)]
    return out


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("periods", [(5,), (12,), (3, 7), (4, 12), (2, 3, 12)], ids=str)
def test_the_decomposition_equals_a_plain_reference_at_every_cut(periods, missing, log):
    rng = np.random.default_rng(11)
    z = sum(np.resize(rng.normal(size=m), 90) for m in periods) + 0.3 * np.cumsum(
        rng.normal(size=90)
    )
    z[1:][rng.random(89) < missing] = np.nan
    seen = read(z[None], periods, log)
    _same_decomposition(seen, plain_reference(z, periods, HORIZON, log))


def test_what_alternates_is_decomposed_as_by_a_plain_reference():
    z = np.where(np.arange(90) % 2, 1.0, -1.0) + np.random.default_rng(1).normal(
        0, 0.05, 90
    )
    seen = read(z[None], (12,), False)
    _same_decomposition(seen, plain_reference(z, (12,), HORIZON, False))


def _same_decomposition(seen, expected):
    np.testing.assert_allclose(seen.level_BT[0], expected.level_T, atol=1e-10)
    np.testing.assert_allclose(seen.scale_BT[0], expected.scale_T, atol=1e-10)
    np.testing.assert_allclose(seen.seasonal_BTH[0], expected.seasonal_TH, atol=1e-10)
    assert abs(expected.seasonal_TH).mean() > 0.01


def test_the_family_is_told_and_may_be_unknown():
    monthly, unknown = (
        read([[1.0, 2.0]], (12,), family=family).x_BTC for family in ("monthly", "")
    )
    assert (monthly != unknown).any(axis=(0, 1)).sum() == 1


def test_channels_are_as_many_as_the_config_says():
    assert read([[1.0]], (12,)).x_BTC.shape == (1, 1, CHANNELS)
    assert read([[1.0]], (12,)).x_BTC.dtype == np.float32


def test_periods_are_at_least_one_and_one_is_no_season():
    assert seasonal((168, 1, 24, 24)) == (24, 168)
    with pytest.raises(UsageError, match="at least 1"):
        seasonal((0,))


def test_the_way_back_to_units_never_overflows():
    values = np.array([1e-300, 2.5, 1e300])
    for log in (False, True):
        np.testing.assert_allclose(
            from_axis(to_axis(values, log), log), values, rtol=1e-12
        )
    assert np.isfinite(from_axis(np.array([1e6, -1e6]), True)).all()
