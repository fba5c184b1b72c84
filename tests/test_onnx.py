"""Graphs answer what the package answers: in onnxruntime, for any batch and length."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network, market, plain_config, waves
from lstmcast.context import Newest, Whole
from lstmcast.data.kinds import common_kind, recognise, stopped
from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.wholes import made_whole, whole_origins
from lstmcast.evaluation.calibration import widened
from lstmcast.export import onnx as exporting
from lstmcast.export.graphs import Graph
from lstmcast.export.onnx import forecaster_graph, network_graph
from lstmcast.fitted import Fitted
from lstmcast.model.heads import HEADS, Normal
from lstmcast.pretrained import shipped

onnxruntime = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[1]
FACTORS = np.array([[0.8, 1.3, 1.1], [0.9, 0.7, 2.0]])


def series_of(panel: Panel):
    return np.split(panel.values, panel.offsets[1:-1])


def session(exported):
    return onnxruntime.InferenceSession(exported.model.SerializeToString())


def fitted(panel: Panel, inputs=None, context=None, **chosen: object) -> Fitted:
    """A forecaster of drawn weights whose transforms have learned from a panel."""
    config = plain_config(
        **{"layers": (6, 5)} | chosen, inputs=inputs or lc.Transformed()
    )
    network = drawn_network(config, members=2)
    learned = network.config.inputs.fit(panel, panel.lengths)
    changes = {str(name): 1.5 + k for k, name in enumerate(panel.ids)}
    return Fitted(network, learned, context, changes=changes, factors_HI=FACTORS)


def expected(model: Fitted, panel: Panel):
    """Quantiles (S, H, Q) as `predict` gives them at the levels of the head."""
    own = model.decode(panel, origins_of(panel), model.network.config.steps)
    own = own if model.factors_HI is None else widened(own, model.factors_HI)
    recognised = recognise(panel.values, panel.offsets)
    asked = replace(panel, recognised=recognised, kind=common_kind(recognised))
    own = made_whole(own, whole_origins(asked, origins_of(asked)))
    return stopped(own, np.isin(recognised, ("count", "positive")))


def answered(model: Fitted, panel: Panel):
    """The same from the graph, of all series in one batch: the shorter ones begin with NaN."""
    exported = forecaster_graph(model)
    length = int(panel.lengths.max())
    values = [np.r_[np.full(length - len(y), np.nan), y] for y in series_of(panel)]
    given = {"values": np.stack(values)[:, :, None]}
    if "series" in exported.inputs:
        given["series"] = np.arange(len(panel))
    return session(exported).run(None, given)[0][:, :, 0]


def close(now, then):
    size = np.nanmax(np.abs(then))
    return np.allclose(now / size, then / size, rtol=0, atol=1e-6, equal_nan=True)


# ---------------------------------------------------------------- one step


LOOKED_UP = ("negative_binomial", "tweedie", "zero_inflated")  # quantiles, in tables
WRITTEN = sorted(set(HEADS) - set(LOOKED_UP))


@pytest.mark.parametrize("head", WRITTEN)
@pytest.mark.parametrize("layers", [(4,), (5, 5, 3)])
def test_steps_of_the_network_answer_as_ours(head, layers):
    config = lc.NetworkConfig(layers=layers, head=head, horizon=3, after=(6,))
    network = drawn_network(config, members=2, size=0.1)
    run, ours = session(network_graph(network)), network.start(2)
    state = np.zeros(run.get_inputs()[1].shape[1:], np.float32)[None].repeat(2, 0)
    for x_BC in (
        np.random.default_rng(1).normal(size=(9, 2, config.width)).astype(np.float32)
    ):
        answer, state = run.run(None, {"x": x_BC, "state": state})
        hidden, ours = network.run(x_BC[None], np.ones((1, 2), bool), ours)
        then = network.answer([member_TBD[-1] for member_TBD in hidden], x_BC)
        assert np.allclose(answer, then, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "cell", [lc.Cell("softsign", "hard_sigmoid"), lc.Cell("elu", "hard_sigmoid_keras3")]
)
def test_any_functions_are_part_of_the_graph(cell):
    config = plain_config(layers=(4,), cell=cell, before=(3,), activation="elu")
    network = drawn_network(config)
    x_BC = np.array([[0.7], [-0.4]], np.float32)
    state = np.zeros((2, 8), np.float32)
    answer, _ = session(network_graph(network)).run(None, {"x": x_BC, "state": state})
    hidden, _ = network.run(x_BC[None], np.ones((1, 2), bool), network.start(2))
    assert np.allclose(answer, network.answer([hidden[0][0]], x_BC), rtol=0, atol=1e-6)


def test_the_shipped_network_is_a_graph_of_the_size_of_its_weights():
    exported = network_graph(shipped())
    assert exported.outputs["answer"] == ("batch", 24, 1, 7)
    assert exported.model.ByteSize() < 1_500_000
    about = {one.key: one.value for one in exported.model.metadata_props}
    assert json.loads(about["levels"]) == [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
    assert json.loads(about["network"])["inputs"]["kind"] == "adaptive"


def test_a_head_of_ones_own_is_part_of_the_graph():
    class Wide(Normal):
        name = "wide"

        def quantiles(self, raw, location, scale, xp):
            return super().quantiles(raw, location, 2 * scale, xp)

    usual = drawn_network(plain_config(head="normal", layers=(4,)))
    own = lc.Network(replace(usual.config, head="wide"), usual.members, Wide())
    given = {"x": np.ones((1, 1), np.float32), "state": np.zeros((1, 8), np.float32)}
    narrow, wide = (
        session(network_graph(one)).run(None, given)[0] for one in (usual, own)
    )
    assert np.allclose(np.ptp(wide), 2 * np.ptp(narrow))


def test_what_has_no_place_in_a_graph_is_named():
    a = Graph().given("a", np.float32, ("batch",))
    with pytest.raises(
        lc.UsageError, match=r"numpy\.sin cannot be exported to an ONNX graph"
    ):
        np.sin(a)
    with pytest.raises(lc.UsageError, match=r"numpy\.median cannot be exported"):
        np.median(a)


# ---------------------------------------------------------------- the whole forecaster


@pytest.mark.parametrize("head", LOOKED_UP)
def test_heads_of_counts_have_no_place_in_a_graph(head):
    network = drawn_network(lc.NetworkConfig(layers=(4,), head=head, horizon=3))
    with pytest.raises(
        lc.UsageError,
        match=f"head={head!r} cannot be exported: its quantiles are looked up in tables",
    ):
        network_graph(network)


@pytest.mark.parametrize("head", WRITTEN)
def test_a_forecaster_of_many_series_answers_as_ours(head):
    panel = waves(3, 40, missing=(0, 7, 38, 39))
    model = fitted(
        panel, lc.Transformed(lc.Log1p(), lc.Standard()), head=head, horizon=3
    )
    assert close(answered(model, panel), expected(model, panel))


@pytest.mark.parametrize(
    "steps",
    [
        (lc.Difference(12), lc.MinMax(-1, 1)),
        (lc.Log1p(), lc.Difference(3), lc.Robust()),
        (lc.Difference(1), lc.Difference(12), lc.MeanAbs()),
        (lc.BoxCox(), lc.Standard(per="panel")),
        (lc.Logit(0, 200),),
    ],
)
def test_transforms_and_their_way_back_are_part_of_the_graph(steps):
    panel = waves(3, 60, missing=(5, 46, 58))
    model = fitted(panel, lc.Transformed(*steps), horizon=5)
    assert close(answered(model, panel), expected(model, panel))


def test_labels_may_be_scaled_apart_from_inputs():
    panel = waves(2, 40)
    chain = lc.Chain((lc.Difference(), lc.MinMax(-1, 1)), apart=True)
    model = fitted(panel, lc.Transformed(chain), horizon=1, head="quantiles")
    assert close(answered(model, panel), expected(model, panel))


def test_windows_and_the_whole_series_are_read_as_in_use():
    panel = waves(2, 40)
    for context in (Newest(6), Newest(99), Whole()):
        model = fitted(panel, lc.Transformed(lc.Standard()), context, horizon=2)
        assert close(answered(model, panel), expected(model, panel))


def test_columns_that_are_read_together_and_beside():
    panel = market(products=2, length=60)
    inputs = lc.Transformed(lc.Standard(), columns=2)
    model = fitted(panel, inputs, horizon=2, head="quantiles")
    together = np.stack(series_of(panel), axis=1)[None]
    now = session(forecaster_graph(model)).run(None, {"values": together})[0][0]
    assert close(now.transpose(1, 0, 2), expected(model, panel))

    inputs = lc.Transformed(lc.Standard(), past=["f0", "f3"])
    model = fitted(panel, inputs, horizon=2, head="quantiles")
    beside = [panel.covariates.past[name].reshape(2, -1) for name in ("f0", "f3")]
    values = np.stack([np.stack(series_of(panel)), *beside], axis=2)
    given = {"values": values, "series": np.array([0, 1])}
    now = session(forecaster_graph(model)).run(None, given)[0][:, :, 0]
    assert close(now, expected(model, panel))


def test_intervals_are_widened_on_the_axis_that_suits():
    below, zero = waves(1, 40), waves(1, 40)
    for panel in (
        Panel.from_arrays(below.values - 70),
        Panel.from_arrays(zero.values * 0),
    ):
        model = fitted(
            panel, lc.Transformed(lc.Standard()), horizon=2, head="quantiles"
        )
        assert close(answered(model, panel), expected(model, panel))


@pytest.mark.parametrize(
    "values",
    [
        [0, 4.5, 2, 1],
        [18, 19, 20, 21],
        [18, 19, 21, 22],
        [118, 119, 121, 122],
        [1, 2, 3, -1],
        [1, 2, 3.5, 4],
    ],
    ids=["touches 0", "counts", "larger counts", "too large", "below 0", "any"],
)
def test_forecasts_stop_where_values_do(values):
    panel = Panel.from_arrays(np.tile(values, 9).astype(float))
    model = fitted(panel, lc.Transformed(lc.Standard()), horizon=2, head="normal")
    assert close(answered(model, panel), expected(model, panel))


def test_nothing_read_is_nothing_said():
    panel = waves(1, 40)
    model = fitted(panel, lc.Transformed(lc.Difference(12)), horizon=2)
    run = session(forecaster_graph(model))
    for values in (np.full((1, 20, 1), np.nan), np.ones((1, 12, 1))):
        assert np.isnan(run.run(None, {"values": values})[0]).all()


def test_a_value_that_a_transform_does_not_know_is_missing():
    panel = waves(1, 40)
    model = fitted(panel, lc.Transformed(lc.Log1p()), horizon=2)
    run = session(forecaster_graph(model))
    values = panel.values.copy()
    values[30] = np.nan
    missing = run.run(None, {"values": values[None, :, None]})[0]
    values[30] = -5.0
    outside = run.run(None, {"values": values[None, :, None]})[0]
    assert np.isfinite(outside).all()
    assert np.allclose(outside[..., 3], missing[..., 3])


def test_a_trained_forecaster_is_exported_as_it_forecasts(tmp_path):
    panel, small = (
        waves(2, 48),
        lc.NetworkConfig(
            layers=(4,), inputs=lc.Transformed(lc.Standard()), head="normal", horizon=3
        ),
    )
    training = lc.TrainingConfig(epochs=1)
    forecaster = lc.LSTMForecaster(
        3, weights="scratch", network=small, training=training
    )
    forecaster = forecaster.replace(quantiles=(0.1, 0.5, 0.9)).fit(panel)
    forecaster.save(tmp_path / "model")
    files = lc.to_onnx(lc.load(tmp_path / "model"), tmp_path / "graphs")
    assert [one.file for one in files] == ["network.onnx", "forecaster.onnx"]
    run = onnxruntime.InferenceSession(tmp_path / "graphs" / "forecaster.onnx")
    given = {
        "values": np.stack(series_of(panel))[:, :, None],
        "series": np.array([0, 1]),
    }
    now = run.run(None, given)[0][:, :, 0, [1, 3, 5]]
    assert close(now, forecaster.predict(panel).quantiles)
    about = run.get_modelmeta().custom_metadata_map
    assert json.loads(about["series"]) == [["s0"], ["s1"]]


# ---------------------------------------------------------------- what cannot be


def refused(model: Fitted) -> str:
    with pytest.raises(lc.UsageError) as error:
        forecaster_graph(model)
    assert "part='network'" in str(error.value)
    return str(error.value)


def test_adaptive_inputs_are_refused_and_the_network_is_offered(tmp_path):
    forecaster = lc.LSTMForecaster(horizon=3)
    assert "surprises" in refused(Fitted(shipped()))
    assert [one.part for one in lc.to_onnx(forecaster, tmp_path)] == ["network"]
    with pytest.raises(lc.UsageError, match="cannot be exported with its inputs"):
        lc.to_onnx(forecaster, tmp_path, part="forecaster")


def test_what_is_learned_from_each_series_anew_is_refused():
    network = drawn_network(plain_config(inputs=lc.Transformed(lc.Standard())))
    assert "is fitted to each series" in refused(Fitted(network))
    assert forecaster_graph(Fitted(drawn_network(plain_config())))


def test_other_transforms_for_other_series_are_refused():
    inputs = lc.Transformed({"s0": lc.Standard(), "s1": lc.MinMax()})
    assert "different transforms for different series" in refused(
        fitted(waves(2, 30), inputs)
    )


def test_networks_with_static_columns_are_refused():
    network = drawn_network(plain_config(static=("size",)))
    for graph in (network_graph, lambda one: forecaster_graph(Fitted(one))):
        with pytest.raises(lc.UsageError, match="reads static columns"):
            graph(network)


def test_quantiles_that_would_be_added_up_are_refused():
    model = fitted(
        waves(1, 30), lc.Transformed(lc.Difference()), head="normal", horizon=2
    )
    assert "sample paths" in refused(model)


def test_no_weights_and_no_such_part(tmp_path):
    scratch = lc.LSTMForecaster(3, weights="scratch")
    with pytest.raises(lc.UsageError, match="has no weights yet"):
        lc.to_onnx(scratch, tmp_path)
    with pytest.raises(lc.UsageError, match="part='all' is not known"):
        lc.to_onnx(lc.LSTMForecaster(3), tmp_path, part="all")


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(lc.UsageError, match=r"pip install 'lstmcast\[onnx\]'"):
        lc.to_onnx(lc.LSTMForecaster(3), tmp_path)
    assert exporting.PARTS == ("network", "forecaster")


# ---------------------------------------------------------------- the command and the docs


def test_the_command_writes_what_is_possible_and_says_the_rest(run, tmp_path):
    done = run("export", "--out", tmp_path / "graphs")
    assert "x (batch, 112), state (batch, 512) → answer (batch, 24, 1, 7)" in done.out
    assert (
        "note: A network with inputs=Adaptive(window=12, widths='seasonal') cannot be exported"
        in done.err
    )
    assert [one.name for one in (tmp_path / "graphs").iterdir()] == ["network.onnx"]

    file = run("export", "--part", "network", "--out", tmp_path, "--json").json[
        "files"
    ][0]
    assert file["opset"] == 17 and file["inputs"] == {
        "x": ["batch", 112],
        "state": ["batch", 512],
    }
    assert file["bytes"] == (tmp_path / "network.onnx").stat().st_size


def test_the_command_refuses(run, tmp_path):
    assert "there is no folder" in run("export", tmp_path / "nothing").err
    done = run("export", "--part", "forecaster", "--out", tmp_path)
    assert done.status == 2 and "--part network" in done.err
    (tmp_path / "file").touch()
    assert run("export", "--part", "network", "--out", tmp_path / "file").status == 1
    assert run("export", "--out", "").status == 2


@pytest.mark.services
def test_the_javascript_of_the_docs_prints_what_the_python_does(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "how-to" / "export.md").read_text(encoding="utf-8")
    script = re.search(r"^```js\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "read.mjs").write_text(script, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(ROOT / ".services" / "node_modules")
    shutil.copy(ROOT / "examples" / "airline.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(examples[0], {})
    lc.to_onnx(lc.load("air"), "air-onnx")
    printed = subprocess.run(
        ["node", "read.mjs"], check=True, capture_output=True, text=True
    )
    told = StringIO()
    with redirect_stdout(told):
        exec(examples[1], {})
    assert printed.stdout == told.getvalue()
