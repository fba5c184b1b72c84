"""What a forecaster is to be like: its text, equality, changed copies and JSON."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import ModelError, UsageError
from lstmcast.model.heads import Point
from lstmcast.model.network import Network, array_shapes
from lstmcast.specification import Specification

SCALED = lc.Transformed(lc.Log1p(), lc.Standard(per="panel"))
BY_SERIES = lc.Transformed(
    {"a": lc.Difference(12), "b": lc.Chain((lc.MinMax(),), apart=True)}
)
NETWORK = lc.NetworkConfig(
    layers=(8, 4), inputs=lc.Transformed(), head="point", horizon=1
)
TRAINING = lc.TrainingConfig(
    epochs=2, batching=lc.Windows(length=8), optimiser=lc.Optimiser("sgd")
)
SPECIFICATIONS = {
    "usual": {},
    "numbers": {"quantiles": (0.9, 0.05), "seed": 3},
    "from scratch": {
        "weights": "scratch",
        "network": replace(NETWORK, inputs=SCALED),
        "training": TRAINING,
    },
    "named head": {"weights": "scratch", "head": "normal"},
    "not transforms": {"weights": "scratch", "network": NETWORK},
    "transforms by series": {
        "weights": "scratch",
        "network": replace(NETWORK, inputs=BY_SERIES),
    },
    "fine-tuned": {"training": lc.TrainingConfig.fine_tuning()},
}
MONTHS = lc.Panel.from_arrays(
    10.0 + np.arange(48) % 12, frequency="MS", start="2020-01"
)


def network(number: float = 0.01) -> Network:
    shapes = array_shapes(NETWORK)
    return Network(
        NETWORK, [{name: np.full(shape, number) for name, shape in shapes.items()}]
    )


class Own(Point):
    name = "own"


@pytest.mark.parametrize("chosen", SPECIFICATIONS.values(), ids=SPECIFICATIONS)
class TestEverySpecification:
    def test_its_json_describes_it(self, chosen):
        model = lc.LSTMForecaster(12, **chosen)
        again = lc.LSTMForecaster.from_json(model.to_json())
        assert again == model and again.fitted is None and repr(again) == repr(model)
        assert again.training == model.training and again.config == model.config
        assert lc.LSTMForecaster.from_json(json.loads(model.to_json())) == model

    def test_it_is_equal_to_its_like_and_to_no_other(self, chosen):
        model = lc.LSTMForecaster(12, **chosen)
        assert (
            model
            == lc.LSTMForecaster(12, **chosen)
            == pickle.loads(pickle.dumps(model))
        )
        assert hash(model) == hash(lc.LSTMForecaster(12, **chosen))
        others = [lc.LSTMForecaster(12, **other) for other in SPECIFICATIONS.values()]
        assert sum(model == other for other in others) == 1
        assert (
            model != lc.LSTMForecaster(6, **chosen)
            and model != "LSTMForecaster(horizon=12)"
        )

    def test_a_copy_has_what_was_changed_and_nothing_else(self, chosen):
        model = lc.LSTMForecaster(12, **chosen)
        assert model.replace() == model
        other = model.replace(horizon=6, seed=9)
        assert (other.horizon, other.seed) == (6, 9) and other.replace(
            horizon=12, seed=model.seed
        ) == model

    def test_its_text_can_be_evaluated(self, chosen):
        model = lc.LSTMForecaster(12, **chosen)
        text = repr(model).replace(", not fitted", "")
        assert eval(text, {name: getattr(lc, name) for name in lc.__all__}) == model


def test_the_text_says_what_is_not_as_usual():
    assert repr(lc.LSTMForecaster(12)) == "LSTMForecaster(horizon=12)"
    model = lc.LSTMForecaster(
        6, weights="scratch", network=lc.NetworkConfig((8,)), seed=2
    )
    assert repr(model) == (
        "LSTMForecaster(horizon=6, weights='scratch', network=NetworkConfig(layers=(8,)), seed=2, "
        "not fitted)"
    )
    tuned = lc.LSTMForecaster(6, training=TRAINING)
    assert repr(tuned) == (
        "LSTMForecaster(horizon=6, training=TrainingConfig(epochs=2, "
        "batching=Windows(length=8), optimiser=Optimiser(name='sgd')))"
    )


def test_settings_that_were_left_out_follow_from_what_is_changed():
    model = lc.LSTMForecaster(6)
    assert model.training == lc.TrainingConfig.fine_tuning()
    scratch = model.replace(weights="scratch")
    assert (
        scratch.training == lc.TrainingConfig.from_scratch()
        and scratch.config.horizon == 6
    )
    assert scratch.replace(horizon=9).config.horizon == 9
    assert scratch.replace(network=NETWORK).training == lc.TrainingConfig.transformed()


def test_what_cannot_be_changed_to_is_refused():
    model = lc.LSTMForecaster(6, weights="scratch", network=NETWORK)
    with pytest.raises(UsageError, match="weights='scratch' with them"):
        model.replace(weights="pretrained")
    with pytest.raises(UsageError, match="such as 12, got 0"):
        model.replace(horizon=0)
    with pytest.raises(TypeError, match="layers"):
        model.replace(layers=(3,))


def test_networks_are_compared_by_their_weights():
    one, same, other = (
        lc.LSTMForecaster(3, weights=network(w)) for w in (0.1, 0.1, 0.2)
    )
    assert one == same and one != other and one != lc.LSTMForecaster(3)


def test_a_folder_is_a_folder_however_its_path_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("mine", "pretrained"):
        lc.LSTMForecaster(3).save(folder, MONTHS)
    model = lc.LSTMForecaster(3, weights="mine")
    assert model == lc.LSTMForecaster(3, weights=Path("mine")) != lc.LSTMForecaster(3)
    assert repr(model) == "LSTMForecaster(horizon=3, weights='mine')"
    assert lc.LSTMForecaster.from_json(model.to_json()) == model
    unlucky = lc.LSTMForecaster(3, weights=Path("pretrained"))
    assert unlucky != lc.LSTMForecaster(3)
    assert lc.LSTMForecaster.from_json(unlucky.to_json()) == unlucky


def test_a_loaded_model_is_specified_by_its_folder(tmp_path):
    lc.LSTMForecaster(3, quantiles=(0.2, 0.8)).save(tmp_path / "model", MONTHS)
    loaded = lc.load(tmp_path / "model")
    assert loaded == lc.LSTMForecaster(
        3, weights=tmp_path / "model", quantiles=(0.2, 0.8)
    )
    assert lc.LSTMForecaster.from_json(loaded.to_json()) == loaded
    np.testing.assert_array_equal(
        loaded.unfitted().predict(MONTHS).point,
        lc.LSTMForecaster(3).predict(MONTHS).point,
    )


def test_objects_cannot_be_described():
    with pytest.raises(UsageError, match=r"Network object.*weights=folder"):
        lc.LSTMForecaster(3, weights=network()).to_json()
    with pytest.raises(UsageError, match=r"is an object.*head='normal'"):
        lc.LSTMForecaster(3, weights="scratch", network=NETWORK, head=Own()).to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "does not describe a forecaster"),
        ("[1, 2]", "does not describe a forecaster"),
        ('{"weights": "scratch"}', "horizon"),
        ('{"horizon": 3, "hidden": 5}', "hidden"),
        ('{"horizon": 0}', "got 0"),
        ('{"horizon": 3, "network": {"units": 5}}', "units"),
        ('{"horizon": 3, "training": {"epochs": 0}}', "epochs"),
        (
            '{"horizon": 3, "transforms": {"chain": {"steps": [{"name": "magic"}]}}}',
            "magic",
        ),
        ('{"horizon": 3, "quantiles": [2]}', "quantiles"),
    ],
)
def test_json_of_something_else_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        lc.LSTMForecaster.from_json(text)


def test_json_of_a_folder_that_is_gone_says_so():
    with pytest.raises(ModelError, match="no folder 'nowhere'"):
        lc.LSTMForecaster.from_json('{"horizon": 3, "weights": "nowhere"}')


def test_transforms_of_json_that_named_them_beside_the_network_are_its_inputs():
    model = lc.LSTMForecaster(
        3, weights="scratch", network=replace(NETWORK, inputs=SCALED)
    )
    old = json.loads(model.to_json())
    assert "transforms" not in old
    old["transforms"] = old["network"]["inputs"]["transforms"]
    old["network"] = NETWORK.described()
    assert lc.LSTMForecaster.from_json(old) == model
    old["network"] = lc.NetworkConfig().described()
    with pytest.raises(UsageError, match="transformed inputs"):
        lc.LSTMForecaster.from_json(old)


def test_the_old_name_of_quantiles_is_taken_with_a_note(tmp_path):
    with pytest.warns(
        DeprecationWarning, match=r"levels= is now called quantiles="
    ) as warned:
        model = lc.LSTMForecaster(3, levels=(0.2, 0.8))
    assert warned[0].filename == __file__
    assert model == lc.LSTMForecaster(3, quantiles=(0.2, 0.8))
    model.save(tmp_path / "model", MONTHS)
    with pytest.warns(
        DeprecationWarning, match=r"levels= is now called quantiles="
    ) as warned:
        loaded = lc.load(tmp_path / "model", levels=(0.4, 0.6))
    assert warned[0].filename == __file__ and loaded.quantiles == (0.4, 0.6)


def test_a_specification_is_checked_when_it_is_made():
    with pytest.raises(UsageError, match="at least 0, got -1"):
        Specification(3, seed=-1)
    with pytest.raises(UsageError, match="not a path"):
        Specification(3, weights="")
