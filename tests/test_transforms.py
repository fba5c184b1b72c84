"""Transforms by their own numbers: article 1 by hand, other libraries, and what is refused in
which words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import lstmcast.transforms
from lstmcast.data.examples import airline
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.transforms import (
    BoxCox,
    Chain,
    Difference,
    Log1p,
    Logit,
    MeanAbs,
    MinMax,
    Robust,
    Standard,
    Transforms,
)

ONE = np.array([0])  # the only series


def whole(values):
    return np.asarray(values, float), np.array([0, len(values)])


def ragged(*series):
    return np.concatenate(series).astype(float), np.concatenate(
        [[0], np.cumsum([len(one) for one in series])]
    )


def objects(*ids):
    return np.array(ids, object)


# ---------------------------------------------------------------- article 1, by hand

X = airline().values
D = X[1:] - X[:-1]  # D[t] = X[t + 1] − X[t]: 143 values
# of X: 99 pairs, whose inputs are D[0] … D[98] and whose labels are D[1] … D[99]
TRAIN = 101
ARTICLE = Chain((Difference(), MinMax()), apart=True)


@pytest.fixture
def article():
    return ARTICLE.fit(X[:TRAIN], np.array([0, TRAIN]))


def test_article_1_scales_inputs_and_labels_apart_and_on_the_training_part_only(
    article,
):
    inputs, labels = (
        ARTICLE.apply(*whole(X), article, side).values for side in (False, True)
    )
    centres, scales = ([part[1][k].item() for part in article] for k in (0, 1))
    # 405 → 355 passengers, September 1956
    assert centres == [D[:99].min(), D[1:100].min()] == [-50.0, -50.0]
    # up to 318 → 374 in June
    assert scales == [np.ptp(D[:99]), np.ptp(D[1:100])] == [106.0, 106.0]
    assert np.isnan(inputs[0]) and np.isnan(labels[0])
    # input t + 1 of the panel is D[t]
    np.testing.assert_array_equal(inputs[1:], (D + 50) / 106)
    assert inputs[1] == (118 - 112 + 50) / 106
    assert inputs[1:].max() > 1.0  # the validation part reaches further


def test_inputs_leave_out_the_last_training_value_and_labels_the_first():
    values = np.array([0.0, 9.0, 10.0, 12.0, 112.0])  # differences 9, 1, 2, 100
    state = ARTICLE.fit(*whole(values))
    assert [(part[1].centre_S.item(), part[1].scale_S.item()) for part in state] == [
        (1.0, 8.0),
        (1.0, 99.0),
    ]
    label = ARTICLE.apply(*whole(values), state, labels=True).values[2:3]
    assert label == 0.0 and ARTICLE.as_input(label, ONE, state) == 0.0
    assert ARTICLE.as_input(np.array([1.0]), ONE, state) == (100.0 - 1.0) / 8.0
    np.testing.assert_array_equal(
        ARTICLE.as_input(np.array([[[1.0], [0.0]]]), ONE, state),
        [[[99.0 / 8.0], [0.0]]],
    )


def test_article_1_adds_to_what_is_known_one_step_ahead(article):
    """X̂(t+1) = D̂(t) + X(t), where X(t) is known."""
    predicted = np.linspace(0.2, 0.8, 142)[:, None, None]
    applied = ARTICLE.apply(*whole(X), article, labels=True)
    counts = np.arange(2, 144)  # X(0) … X(t) are known
    back = ARTICLE.invert(predicted, np.zeros(142, int), counts, applied, article)
    np.testing.assert_allclose(
        back.ravel(), (predicted.ravel() * 106 - 50) + X[counts - 1], rtol=1e-12
    )


def test_article_1_adds_predictions_to_predictions_where_nothing_is_known(article):
    """X̂(t+1) = D̂(t) + X̂(t), from the last known value on, for the 43 steps of the validation
    part."""
    predicted = np.linspace(0.2, 0.8, 43)
    applied = ARTICLE.apply(*whole(X), article, labels=True)
    back = ARTICLE.invert(
        predicted[None, :, None], ONE, np.array([TRAIN]), applied, article
    ).ravel()
    expected, last = [], X[TRAIN - 1]
    for step in predicted:
        last = last + (step * 106 - 50)
        expected.append(last)
    np.testing.assert_allclose(back, expected, rtol=1e-12)
    assert back[0] == pytest.approx(X[100] + 0.2 * 106 - 50)


def test_with_the_true_differences_the_airline_series_comes_back_exact(article):
    applied = ARTICLE.apply(*whole(X), article, labels=True)
    back = ARTICLE.invert(
        applied.values[None, TRAIN:, None], ONE, np.array([TRAIN]), applied, article
    )
    np.testing.assert_allclose(back.ravel(), X[TRAIN:], rtol=1e-13)


# ---------------------------------------------------------------- beside other libraries


def test_lambdas_are_the_likeliest():
    rng = np.random.default_rng(0)
    series = [
        X,
        rng.gamma(2, 1, 50),
        rng.gamma(1, 1e-5, 80),
        np.exp(rng.normal(0, 3, 100)),
        rng.normal(5, 1, 400) ** 2,
    ]
    fitted = BoxCox().fit(*ragged(*series)).lmbda_S
    expected = [stats.boxcox_normmax(one, method="mle") for one in series]
    np.testing.assert_allclose(fitted, expected, atol=2e-5)
    np.testing.assert_allclose(fitted[0], 0.14802, atol=1e-4)


@pytest.mark.parametrize("lmbda", [-1.0, 0.0, 0.3, 1.0, 2.0])
def test_powers_are_those_of_scipy(lmbda):
    boxcox = BoxCox(lmbda)
    transformed = boxcox.apply(*whole(X), boxcox.fit(*whole(X)))
    np.testing.assert_allclose(transformed, stats.boxcox(X, lmbda), rtol=1e-12)


def test_lambdas_do_not_depend_on_units_and_stay_within_bounds():
    rng = np.random.default_rng(0)
    fitted = BoxCox().fit(*ragged(X, 1e-9 * X, 1e200 * X)).lmbda_S
    np.testing.assert_allclose(fitted, fitted[0], atol=1e-5)
    top, bottom = (
        BoxCox()
        .fit(*ragged(rng.normal(5, 1, 99) ** 0.2, rng.normal(9, 1, 99) ** -0.5))
        .lmbda_S
    )
    assert top == pytest.approx(2.0, abs=1e-5) and bottom == pytest.approx(
        -1.0, abs=1e-5
    )


def test_series_that_say_nothing_about_lambda_keep_their_shape():
    fitted = (
        BoxCox().fit(*ragged([7.0, 7.0, 7.0], [np.nan, np.nan], [5.0], [], X)).lmbda_S
    )
    np.testing.assert_array_equal(fitted[:4], 1.0)
    assert fitted[4] == BoxCox().fit(*whole(X)).lmbda_S.item()


def test_lambda_zero_is_the_limit_of_small_ones():
    small, zero = BoxCox(1e-9), BoxCox(0)
    near, at = (
        boxcox.apply(*whole(X), boxcox.fit(*whole(X))) for boxcox in (small, zero)
    )
    np.testing.assert_allclose(near, at, rtol=1e-7)
    np.testing.assert_allclose(at, np.log(X), rtol=1e-15)


@pytest.mark.parametrize(
    ("step", "centre", "scale"),
    [
        (Standard(), np.mean(X), np.std(X)),
        (MinMax(), 104.0, 518.0),
        (Robust(), np.median(X), np.subtract(*np.quantile(X, [0.75, 0.25]))),
        (MeanAbs(), 0.0, np.mean(X)),
    ],
)
def test_scalings_know_centre_and_scale(step, centre, scale):
    state = step.fit(*ragged(X, -X[:3]))
    np.testing.assert_allclose(
        [state.centre_S[0], state.scale_S[0]], [centre, scale], rtol=1e-13
    )


def test_the_deviation_of_values_far_from_zero_keeps_its_digits():
    state = Standard().fit(*whole(1e15 + np.array([0.0, 1.0, 2.0, 3.0])))
    assert state.scale_S.item() == pytest.approx(np.std([0, 1, 2, 3]), rel=1e-12)
    assert np.isfinite(Standard().fit(*whole([1e300, -1e300, 3e300])).scale_S).all()


# ---------------------------------------------------------------- differences


def test_a_seasonal_difference_forecasts_a_season_again():
    values = np.resize([1.0, 5.0, 9.0, 2.0], 10)
    chain = Chain((Difference(4),))
    state = chain.fit(*whole(values))
    applied = chain.apply(*whole(values), state)
    back = chain.invert(np.zeros((1, 6, 1)), ONE, np.array([10]), applied, state)
    np.testing.assert_array_equal(back.ravel(), [9, 2, 1, 5, 9, 2])


@pytest.mark.parametrize(
    ("lag", "expected"),
    [(1, [13, 23, 33, 43]), (2, [13, 12, 23, 22]), (4, [11, 12, 13, 19])],
)
def test_inversion_goes_on_from_the_newest_known_value_of_the_phase(lag, expected):
    values = np.array([7.0, 8.0, 9.0, 1.0, 2.0, 3.0, np.nan, 99.0])
    chain = Chain((Difference(lag),))
    state = chain.fit(*whole(values))
    back = chain.invert(
        np.full((1, 4, 1), 10.0),
        ONE,
        np.array([7]),
        chain.apply(*whole(values), state),
        state,
    )
    np.testing.assert_array_equal(back.ravel(), expected)


def test_a_history_that_is_shorter_than_the_lag_has_no_forecast_where_nothing_is_known():
    chain = Chain((Difference(3),))
    values, offsets = ragged(np.arange(8.0), [5.0, 6.0])
    state = chain.fit(values, offsets)
    back = chain.invert(
        np.zeros((1, 4, 1)),
        np.array([1]),
        np.array([2]),
        chain.apply(values, offsets, state),
        state,
    )
    np.testing.assert_array_equal(back.ravel(), [np.nan, 5, 6, np.nan])


def test_nothing_but_series_that_are_too_short_is_an_error():
    with pytest.raises(
        DataError,
        match=r"over 12 steps leave no values of 2 series.*longest training part has 9",
    ) as told:
        Chain((Difference(12), MinMax())).fit(*ragged(np.arange(9.0), np.arange(4.0)))
    assert "Use shorter lags" in str(told.value)


# ---------------------------------------------------------------- quantiles of sums


@pytest.fixture
def differenced():
    chain = Chain((Difference(),))
    state = chain.fit(*whole(X))
    return chain, (ONE, np.array([144]), chain.apply(*whole(X), state), state)


def test_quantiles_are_not_added_up(differenced):
    chain, origin = differenced
    with pytest.raises(
        UsageError,
        match=r"(?s)adds up the forecasts of 3 steps, and quantiles of a sum.*paths=True",
    ):
        chain.invert(np.zeros((1, 3, 7)), *origin)


def test_sample_paths_points_and_single_steps_are(differenced):
    chain, origin = differenced
    paths = np.array([[[1.0, -1.0], [1.0, 2.0]]])
    np.testing.assert_array_equal(
        chain.invert(paths, *origin, paths=True), [[[433, 431], [434, 433]]]
    )
    assert chain.invert(np.zeros((1, 3, 1)), *origin).shape == (1, 3, 1)
    assert chain.invert(np.zeros((1, 1, 7)), *origin).shape == (1, 1, 7)


def test_a_season_ahead_nothing_is_added_up():
    chain = Chain((Log1p(), Difference(12)))
    assert chain.accumulates and not chain.adds_up(12) and chain.adds_up(13)
    assert Chain((Difference(12), Difference())).adds_up(2) and not Chain(
        (Log1p(),)
    ).adds_up(99)
    assert Transforms.of((Difference(12),)).adds_up(13) and not Transforms.of(
        (Difference(12),)
    ).adds_up(12)
    state = chain.fit(*whole(X))
    quantile = np.sort(np.random.default_rng(0).normal(0, 0.1, (1, 12, 7)))
    back = chain.invert(
        quantile, ONE, np.array([144]), chain.apply(*whole(X), state), state
    )
    np.testing.assert_allclose(
        back[0], (X[132:, None] + 1) * np.exp(quantile[0]) - 1, rtol=1e-12
    )


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("step", "value", "message"),
    [
        (
            Log1p(),
            -1.0,
            r"Log1p\(\) accepts only values above -1: series 1 has -1.0 at position 2",
        ),
        (Log1p(), -7.0, r"Use Difference\(\), Standard\(\)"),
        (
            BoxCox(),
            0.0,
            r"BoxCox\(\) accepts only positive values: series 1 has 0.0.*\.\nUse Log1p\(\)",
        ),
        (BoxCox(1), -2.0, r"series 1 has -2.0"),
        (
            Logit(0, 9),
            9.0,
            r"Logit\(low=0.0, high=9.0\) accepts only values between its limits: series 1 has 9.0",
        ),
        (Logit(0, 9), -1.0, r"limits that no value reaches"),
    ],
)
def test_values_outside_the_domain(step, value, message):
    good, bad = (
        ragged([1.0, 2.0], [3.0, 4.0, 5.0]),
        ragged([1.0, 2.0], [3.0, np.nan, value]),
    )
    with pytest.raises(DataError, match=message):
        step.apply(*bad, step.fit(*good))
    with pytest.raises(DataError, match=message):
        Chain((step,)).fit(*bad)


def test_more_values_outside_the_domain_are_counted():
    with pytest.raises(
        DataError, match=r"-3.0 at position 1 .*, and 2 more such values follow"
    ):
        Chain((BoxCox(),)).fit(*whole([1.0, -3.0, -4.0, -5.0]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Difference(0), "must be at least 1"),
        (lambda: MinMax(1, 1), "low=1 must be below high=1"),
        (lambda: Logit(3, 2), "low=3 must be below high=2"),
        (lambda: Logit(0, np.inf), "finite"),
        (lambda: Standard(per="planet"), "series"),
        (lambda: BoxCox(99), "must be at most 5"),
        (lambda: Difference(periods=3), "periods"),
        (
            lambda: Chain((Log1p(), Difference()), apart=True),
            "apart=True needs a step after the last difference",
        ),
        (
            lambda: Chain((MinMax(), Difference()), apart=True),
            "apart=True needs a step after the last difference",
        ),
    ],
)
def test_specifications_are_checked_when_they_are_made(build, message):
    with pytest.raises(UsageError, match=message):
        build()


@pytest.mark.parametrize(
    "described",
    [{"steps": [{"name": "fourier"}]}, {"steps": [{"lag": 1}]}, {"stepps": []}],
)
def test_what_describes_no_chain(described):
    with pytest.raises(UsageError, match="does not describe transforms"):
        Chain.from_json(described)
    with pytest.raises(UsageError, match="does not describe transforms"):
        Transforms.from_json({"chain": described})


def test_arrays_that_are_not_there():
    with pytest.raises(ModelError, match=r"'inputs.1.scale_S' is missing"):
        Chain((Difference(), MinMax())).state_from_arrays(
            {"inputs.1.centre_S": np.zeros(3)}
        )


# ---------------------------------------------------------------- a chain per series

IDS = objects("a", "b", "c", "d")
SERIES = (
    np.array([2.0, 4.0, 8.0]),
    np.array([10.0, 50.0]),
    np.array([1.0, 3.0, 9.0, 27.0]),
    np.array([20.0, 80.0, 30.0]),
)
EACH = Transforms.of(
    {
        "a": Difference(),
        "b": Logit(0, 100),
        "c": Difference(),
        "d": [Logit(0, 100), Standard()],
    }
)


def test_each_series_has_its_own_chain_and_comes_back():
    values, offsets = ragged(*SERIES)
    state = EACH.fit(values, offsets, IDS)
    applied = EACH.apply(values, offsets, state)
    np.testing.assert_array_equal(applied.values[:3], [np.nan, 2, 4])
    np.testing.assert_allclose(
        applied.values[3:5], stats.logistic.ppf([0.1, 0.5]), atol=1e-15
    )
    np.testing.assert_array_equal(applied.values[5:9], [np.nan, 2, 6, 18])
    assert applied.values[9:].mean() == pytest.approx(0) and applied.values[
        9:
    ].std() == pytest.approx(1)
    series, counts = np.array([3, 0, 2, 1, 0]), np.array([1, 1, 2, 1, 2])
    following = applied.values[offsets[series] + counts][:, None, None]
    back = EACH.invert(following, series, counts, applied, state)
    np.testing.assert_allclose(
        back.ravel(), values[offsets[series] + counts], rtol=1e-12
    )


def test_one_chain_serves_all():
    values, offsets = ragged(*SERIES)
    for given in (
        Difference(),
        (Difference(),),
        [Difference()],
        Chain((Difference(),)),
        Transforms.of(Difference()),
    ):
        transforms = Transforms.of(given)
        assert (
            transforms == Transforms(Chain((Difference(),))) and transforms.accumulates
        )
        applied = transforms.apply(
            values, offsets, transforms.fit(values, offsets, IDS)
        )
        np.testing.assert_array_equal(
            applied.values,
            np.where(
                np.isin(np.arange(12), offsets), np.nan, np.diff(values, prepend=0)
            ),
        )
    assert Transforms.of(()) == Transforms() and not Transforms().accumulates


def test_series_that_are_not_named_take_the_chain_of_the_others():
    transforms = Transforms(Chain((MeanAbs(),)), {"b": Chain((Log1p(),))})
    values, offsets = ragged(*SERIES)
    applied = transforms.apply(values, offsets, transforms.fit(values, offsets, IDS))
    np.testing.assert_allclose(applied.values[3:5], np.log1p([10, 50]))
    np.testing.assert_allclose(applied.values[:3], np.array([2, 4, 8]) * 3 / 14)


def test_a_state_finds_its_series_whatever_their_order_and_new_ones_are_fitted():
    transforms = Transforms.of(MeanAbs())
    state = transforms.fit(*ragged(*SERIES), IDS)
    values, offsets = ragged([6.0, 2.0], SERIES[2] * 100, SERIES[0])
    aligned = transforms.align(state, values, offsets, objects("new", "c", "a"))
    np.testing.assert_allclose(aligned.states[0].inputs[0].scale_S, [4, 10, 14 / 3])
    assert aligned.ids.tolist() == ["new", "c", "a"]
    assert transforms.align(state, *ragged(*SERIES), IDS.copy()) is state


def test_a_state_finds_its_series_in_chains_of_their_own():
    transforms = Transforms(
        Chain((MeanAbs(per="panel"),)),
        {"b": Chain((Standard(),)), "z": Chain((MinMax(),))},
    )
    state = transforms.fit(*ragged(*SERIES), IDS)
    values, offsets = ragged([7.0, 9.0], [1.0, 2.0], SERIES[3] * 5, [400.0])
    aligned = transforms.align(state, values, offsets, objects("z", "b", "d", "new"))
    applied = transforms.apply(values, offsets, aligned)
    # of the panel that was learned from
    mean = np.concatenate([SERIES[0], SERIES[2], SERIES[3]]).mean()
    expected = [0, 1, *(np.array([1, 2]) - 30) / 20, *SERIES[3] * 5 / mean, 400 / mean]
    np.testing.assert_allclose(applied.values, expected, rtol=1e-12)


def test_a_new_series_that_is_too_short_has_nan_and_no_error():
    transforms = Transforms.of((Difference(2), Standard()))
    state = transforms.fit(*ragged(np.arange(9.0) ** 2), objects("a"))
    values, offsets = ragged([3.0, 4.0])
    aligned = transforms.align(state, values, offsets, objects("new"))
    assert np.isnan(transforms.apply(values, offsets, aligned).values).all()


def test_answers_become_inputs_series_by_series():
    transforms = Transforms(Chain((MinMax(),), apart=True), {"b": Chain((Log1p(),))})
    values, offsets = ragged([1.0, 2.0, 5.0], [1.0, 2.0], [0.0, 10.0, 20.0])
    state = transforms.fit(values, offsets, IDS[:3])
    answers = transforms.as_input(
        np.array([0.5, 0.25, 1.0]), np.array([2, 1, 0]), state
    )
    np.testing.assert_allclose(answers, [1.5, 0.25, 4.0])  # of [0, 10] and [1, 2]
    assert transforms.apart and not EACH.apart


def test_transforms_round_trip_through_json_and_arrays():
    values, offsets = ragged(*SERIES)
    state = EACH.fit(values, offsets, IDS)
    again = Transforms.from_json(EACH.described())
    assert again == EACH
    state_again = again.state_from_arrays(EACH.arrays(state), IDS)
    one, other = (
        EACH.apply(values, offsets, known).values for known in (state, state_again)
    )
    np.testing.assert_array_equal(one, other)


def test_errors_name_the_series():
    values, offsets = ragged([1.0, 2.0], [3.0, 5.0], [1.0, 2.0, -4.0])
    ids = objects("x", "north", "south")
    with pytest.raises(DataError, match=r"series 'south' has -4\.0 at position 2"):
        Transforms.of(BoxCox()).fit(values, offsets, ids)
    transforms = Transforms(Chain((Log1p(),)), {"x": Chain()})
    with pytest.raises(DataError, match=r"series 'south' has -4\.0 at position 2"):
        transforms.apply(values, offsets, transforms.fit(np.abs(values), offsets, ids))


def test_a_series_without_a_chain():
    with pytest.raises(
        UsageError, match=r"No transforms are given for series 'zz', only for 'a', 'b'"
    ):
        EACH.fit(*ragged([1.0, 2.0]), objects("zz"))


@pytest.mark.parametrize("given", ["minmax", 3, {"a": "log"}, [Difference, MinMax]])
def test_what_is_no_transform(given):
    with pytest.raises(UsageError, match="are not transforms"):
        Transforms.of(given)


def test_only_what_is_meant_is_exported():
    assert {name for name in vars(lstmcast.transforms) if name[0].isupper()} == {
        "AnyTransform",
        "Applied",
        "AppliedTransforms",
        "BoxCox",
        "Chain",
        "ChainState",
        "Difference",
        "Log1p",
        "Logit",
        "MeanAbs",
        "MinMax",
        "Robust",
        "Standard",
        "Transform",
        "Transforms",
        "TransformsState",
    }


def test_box_cox_leaves_values_alone_that_hardly_differ():
    """1e9 + 0 … 0.2: any λ but 1 would lose all their digits."""
    values = 1e9 + np.linspace(0.0, 0.2, 50)
    offsets = np.array([0, 50])
    transform = BoxCox()
    state = transform.fit(values, offsets)
    assert state.lmbda_S.tolist() == [1.0]
    applied = transform.apply(values, offsets, state)
    back = transform.invert(applied.reshape(1, -1, 1), state, np.empty((1, 0)))
    np.testing.assert_allclose(back.ravel() - 1e9, values - 1e9, atol=1e-5)
